//! `GET /v1/policies`, `GET /healthz` and `GET /readyz`.
use crate::lang::typed::{DateRange, Label, Policy};
use crate::program::LANGUAGE;
use crate::program::iso::format_date as date;
use crate::rulebook::{Book, Store};
use crate::server::openapi::ProblemBody;
use crate::server::problem::Problem;
use crate::server::state::State;
use actix_web::{HttpResponse, web};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

/// Which policies govern which store
#[utoipa::path(get, path = "/v1/policies", tag = "decisions",
    responses((status = 200, description = "The rulebooks that serve", body = Value)))]
pub async fn policies(state: web::Data<State>) -> HttpResponse {
    let current = state.registry.current();
    let books: Vec<Value> = current.books.iter().map(book).collect();
    HttpResponse::Ok().json(json!({ "language": LANGUAGE, "rulebooks": books }))
}

fn book(book: &Book) -> Value {
    let stores: Vec<Value> = book.stores.iter().map(|s| store(book, s)).collect();
    let decisions: Vec<Value> = book
        .typed
        .vocab
        .decisions
        .iter()
        .map(|d| json!({ "decision": d.name, "title": both(&d.label, &d.name) }))
        .collect();
    let policies: Vec<Value> = book.typed.policies.iter().map(|p| policy(book, p)).collect();
    json!({
        "rulebook": book.name,
        "digest": book.digest,
        "decisions": decisions,
        "policies": policies,
        "stores": stores,
    })
}

fn store(book: &Book, store: &Store) -> Value {
    let linked = store.program.linked();
    let policies: Vec<&str> = book
        .typed
        .policies
        .iter()
        .zip(&linked.takes_part)
        .filter(|(_, part)| **part)
        .map(|(p, _)| p.path.as_str())
        .collect();
    json!({ "store": store.def.id, "zone": linked.zone.name(), "in": store.def.layers, "policies": policies })
}

fn policy(book: &Book, policy: &Policy) -> Value {
    let decides =
        policy.decides.and_then(|d| book.typed.vocab.decisions.get(d.ix())).map(|d| d.name.as_str());
    json!({
        "policy": policy.path,
        "title": both(&policy.title, &policy.path),
        "decides": decides,
        "layer": { "kind": policy.layer.kind, "name": policy.layer.name },
        "dates": dates(&policy.dates),
        "source": policy.source,
        "rules": policy.rules.len(),
    })
}

fn both(label: &Label, name: &str) -> Value {
    json!({ "zh": label.zh(name), "en": label.en(name) })
}

fn dates(range: &DateRange) -> Value {
    json!({ "from": range.from.map(date), "before": range.before.map(date) })
}

/// Whether the server serves, and whether what is on disk is what it serves
#[utoipa::path(get, path = "/healthz", tag = "operation",
    responses((status = 200, description = "It serves", body = Value)))]
pub async fn health(state: web::Data<State>) -> HttpResponse {
    let stores = state.registry.current().store_ids().count();
    let reload = state.registry.state();
    HttpResponse::Ok().json(json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "language": LANGUAGE,
        "stores": stores,
        "reload": { "ok": reload.errors.is_empty(), "revision": reload.revision, "errors": reload.errors },
    }))
}

/// Whether the database answers: a load balancer sends requests where it does
#[utoipa::path(get, path = "/readyz", tag = "operation",
    responses((status = 200, description = "It does", body = Value), (status = "default", response = ProblemBody)))]
pub async fn ready(state: web::Data<State>) -> Result<HttpResponse, Problem> {
    state.records.read(|db| async move { db.execute_unprepared("SELECT 1").await.map(|_| ()) }).await?;
    Ok(HttpResponse::Ok().json(json!({ "status": "ready" })))
}
