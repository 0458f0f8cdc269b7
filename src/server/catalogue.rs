//! What is loaded, as JSON: for people and for monitoring, never on a till's way.
use crate::lang::typed::{Label, Policy, PolicyId, Rulebook};
use crate::program::{LANGUAGE, iso};
use crate::rulebook::{Book, Registry, Rulebooks};
use serde_json::{Value, json};
use std::sync::Arc;

/// The answer of `GET /v1/policies`.
pub(super) fn policies(books: &Rulebooks) -> String {
    json!({
        "language": LANGUAGE,
        "rulebooks": books.books.iter().map(book).collect::<Vec<_>>(),
    })
    .to_string()
}

fn book(book: &Book) -> Value {
    let stores = book.stores.iter().map(|store| {
        let start = store.def.business_day_start;
        json!({
            "id": store.def.id,
            "zone": store.def.zone.name(),
            "business_day": format!("{:02}:{:02}", start / 3_600, start / 60 % 60),
            "in": store.def.layers,
            "program": book.programs.iter().position(|p| Arc::ptr_eq(p, &store.program)),
        })
    });
    let programs = book.programs.iter().map(|program| {
        let linked = program.linked();
        let part = book.typed.policies.iter().enumerate();
        let part = part.filter(|(i, _)| linked.has_policy(PolicyId(*i as u32)));
        let stores = book.stores.iter().filter(|s| Arc::ptr_eq(&s.program, program));
        json!({
            "stores": stores.map(|s| &s.def.id).collect::<Vec<_>>(),
            "policies": part.map(|(_, p)| &p.path).collect::<Vec<_>>(),
        })
    });
    json!({
        "name": book.name,
        "digest": book.digest,
        "vocabulary": {"name": book.typed.vocab.name, "version": book.typed.vocab.version},
        "stores": stores.collect::<Vec<_>>(),
        "programs": programs.collect::<Vec<_>>(),
        "decisions": decisions(&book.typed),
        "policies": book.typed.policies.iter().map(|p| policy(&book.typed, p)).collect::<Vec<_>>(),
    })
}

fn decisions(book: &Rulebook) -> Vec<Value> {
    let one = |d: &crate::lang::typed::Decision| {
        let roots = d.given.iter().filter_map(|r| book.vocab.roots.get(r.ix())).map(|r| &r.name);
        let calls = d.given_calls.iter().filter_map(|c| book.vocab.fact_calls.get(c.ix())).map(|c| &c.name);
        json!({
            "name": d.name,
            "title": label(&d.label, &d.name),
            "given": roots.chain(calls).collect::<Vec<_>>(),
            "outputs": d.outputs.iter().filter(|o| !o.working).map(|o| json!({
                "name": o.name,
                "title": label(&o.label, &o.name),
            })).collect::<Vec<_>>(),
        })
    };
    book.vocab.decisions.iter().map(one).collect()
}

fn policy(book: &Rulebook, policy: &Policy) -> Value {
    let decides = policy.decides.and_then(|d| book.vocab.decisions.get(d.ix())).map(|d| &d.name);
    json!({
        "path": policy.path,
        "title": label(&policy.title, &policy.path),
        "source": policy.source,
        "layer": {"kind": policy.layer.kind, "name": policy.layer.name},
        "from": policy.dates.from.map(iso::format_date),
        "before": policy.dates.before.map(iso::format_date),
        "decides": decides,
        "rules": policy.rules.len(),
    })
}

fn label(label: &Label, name: &str) -> Value {
    json!({"zh": label.zh(name), "en": label.en(name)})
}

/// The answer of `GET /healthz`.
pub(super) fn health(registry: &Registry) -> String {
    let state = registry.state();
    let books = registry.current();
    json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "language": LANGUAGE,
        "revision": state.revision,
        "stores": books.store_ids().count(),
        "digests": books.books.iter().map(|b| (b.name.clone(), json!(b.digest))).collect::<serde_json::Map<_, _>>(),
        "reload": {"ok": state.errors.is_empty(), "errors": state.errors},
    })
    .to_string()
}
