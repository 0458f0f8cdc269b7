//! Facts of one vocabulary for a program of another: what the other does not know is left out, and so is unknown to it.
use crate::lang::typed::{Ty, Vocab};
use serde_json::{Map, Value as Json};

/// The facts that a vocabulary knows.
pub(super) fn fit(vocab: &Vocab, facts: &Json) -> Json {
    let Json::Object(given) = facts else { return facts.clone() };
    let mut out = Map::new();
    for (name, value) in given {
        if let Some(root) = vocab.roots.iter().find(|r| r.name == *name) {
            out.extend(value_of(vocab, &root.ty, value).map(|v| (name.clone(), v)));
        } else if let Some(call) = vocab.fact_calls.iter().find(|c| c.name == *name) {
            let known = |row: &Json| match row {
                Json::Object(fields) => fields
                    .keys()
                    .all(|k| k == "value" || call.params.iter().any(|(p, _)| p == k))
                    .then(|| row.clone()),
                _ => Some(row.clone()),
            };
            let value = match value {
                Json::Array(rows) => Json::Array(rows.iter().filter_map(known).collect()),
                other => other.clone(),
            };
            out.insert(name.clone(), value);
        }
    }
    Json::Object(out)
}

/// A value of a type; `None` where it is not one.
fn value_of(vocab: &Vocab, ty: &Ty, value: &Json) -> Option<Json> {
    if value.is_null() {
        return ty.is_optional().then_some(Json::Null);
    }
    match (ty.inner(), value) {
        (Ty::Entity(id), Json::Object(fields)) => {
            let def = vocab.entities.get(id.ix())?;
            let mut out = Map::new();
            for field in &def.fields {
                let Some(value) = fields.get(&field.name) else { continue };
                out.extend(value_of(vocab, &field.ty, value).map(|v| (field.name.clone(), v)));
            }
            Some(Json::Object(out))
        }
        (Ty::List(of) | Ty::Set(of), Json::Array(items)) => {
            Some(Json::Array(items.iter().filter_map(|i| value_of(vocab, of, i)).collect()))
        }
        (Ty::Enum(id), Json::String(name)) => {
            let def = vocab.enums.get(id.ix())?;
            def.members.iter().any(|m| m.name == *name).then(|| value.clone())
        }
        (Ty::Node(id), Json::String(name)) => {
            let def = vocab.taxonomies.get(id.ix())?;
            def.nodes.iter().any(|n| n.name == *name).then(|| value.clone())
        }
        _ => Some(value.clone()),
    }
}
