//! Plugins as an operator sees them.
use super::rules::{Rollout, missing};
use super::{Plugins, read};
use crate::plugins::installed::Stage;
use crate::plugins::manifest::{Asks, Manifest};
use crate::program::iso::format_datetime;
use crate::records::entity::{
    delivery, plugin_act, plugin_difference, plugin_failure, plugin_state, vendor_key,
};
use crate::records::plugins::Uploaded;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Epoch microseconds as a time of the world's.
pub fn time(micros: i64) -> String {
    format_datetime(micros, chrono_tz::UTC)
}

fn tree(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

/// Which versions are asked where.
pub fn rollout(rollout: &Rollout) -> Value {
    let next = rollout.next.as_ref().map(|next| match &next.stage {
        Stage::Shadow => json!({ "version": next.version, "stage": "shadow" }),
        Stage::Share(share) => json!({
            "version": next.version, "stage": "share", "stores": share.stores, "percent": share.percent,
        }),
    });
    json!({ "serving": rollout.serving, "next": next, "previous": rollout.previous })
}

fn version(uploaded: &Uploaded) -> Value {
    let manifest = tree(&uploaded.manifest);
    let of = |name: &str| manifest.get(name).cloned().unwrap_or_default();
    json!({
        "version": uploaded.version,
        "title": of("title"),
        "digest": uploaded.digest,
        "signed_by": uploaded.signed_by,
        "development": uploaded.signed_by.is_none(),
        "uploaded_at": time(uploaded.uploaded_at),
        "uploaded_by": uploaded.uploaded_by,
        "removed": !uploaded.there,
        "functions": of("functions"),
        "events": of("events"),
        "asks": of("asks"),
        "config": of("config"),
        "wishes": of("wishes"),
    })
}

/// A plugin in a list.
pub fn row(state: &plugin_state::Model, uploaded: &[Uploaded]) -> Value {
    let versions: Vec<&str> = uploaded.iter().filter(|u| u.there).map(|u| u.version.as_str()).collect();
    json!({
        "plugin": state.plugin,
        "versions": versions,
        "rollout": rollout(&read(&state.rollout)),
    })
}

/// All that is known of a plugin.
pub fn plugin(
    plugins: &Plugins,
    state: &plugin_state::Model,
    uploaded: &[Uploaded],
    acts: &[plugin_act::Model],
    differences: &[plugin_difference::Model],
) -> Value {
    let standing: Rollout = read(&state.rollout);
    let granted: Asks = read(&state.grants);
    let versions: Vec<Value> = uploaded
        .iter()
        .map(|one| {
            let asks = serde_json::from_str::<Manifest>(&one.manifest).map(|m| m.asks).unwrap_or_default();
            let (http, kv) = missing(&asks, &granted);
            let mut shown = version(one);
            if let Some(fields) = shown.as_object_mut() {
                fields.insert("missing_grants".into(), json!({ "http": http, "kv": kv }));
            }
            shown
        })
        .collect();
    let names: BTreeSet<String> = granted.http.iter().flat_map(|grant| grant.secrets.clone()).collect();
    let secrets = plugins.secrets.set(&state.plugin, names.into_iter());
    let secrets: serde_json::Map<String, Value> =
        secrets.into_iter().map(|(name, set)| (name, set.into())).collect();
    let metrics: Vec<_> = plugins.host.figures().into_iter().filter(|f| f.plugin == state.plugin).collect();
    let shadow = standing.next.as_ref().filter(|next| next.stage == Stage::Shadow).map(|next| {
        let counts = plugins.installed.shadowed(&state.plugin, &next.version);
        json!({ "version": next.version, "counts": counts })
    });
    json!({
        "plugin": state.plugin,
        "versions": versions,
        "grants": tree(&state.grants),
        "secrets_set": secrets,
        "config": tree(&state.config),
        "limits": tree(&state.limits),
        "rollout": rollout(&standing),
        "rolled_out_at": state.rolled_out_at.map(time),
        "not_ready": plugins.fault(&state.plugin),
        "metrics": metrics,
        "shadow": shadow,
        "differences": differences.iter().map(difference).collect::<Vec<_>>(),
        "history": acts.iter().map(act).collect::<Vec<_>>(),
    })
}

fn act(act: &plugin_act::Model) -> Value {
    json!({ "act": act.kind, "data": tree(&act.data), "who": act.who, "at": time(act.at) })
}

fn difference(row: &plugin_difference::Model) -> Value {
    json!({
        "at": time(row.at), "store": row.store, "function": row.function, "key": row.key,
        "active": { "version": row.active, "outcome": tree(&row.said) },
        "shadow": { "version": row.shadow, "outcome": tree(&row.would_say) },
    })
}

/// Calls that failed alike.
pub fn failure(row: &plugin_failure::Model) -> Value {
    json!({
        "plugin": row.plugin, "version": row.version, "digest": row.digest, "function": row.function,
        "store": row.store, "code": row.code, "text": row.text, "calls": row.calls,
        "key": row.key, "operation": row.operation,
        "first_at": time(row.first_at), "last_at": time(row.last_at),
    })
}

/// A vendor's key.
pub fn key(row: &vendor_key::Model) -> Value {
    json!({
        "key": row.public_key, "id": row.key_id, "added_at": time(row.added_at), "added_by": row.added_by,
        "revoked_at": row.revoked_at.map(time),
    })
}

/// A delivery.
pub fn delivery(row: &delivery::Model) -> Value {
    json!({
        "delivery": row.id, "plugin": row.plugin, "event": row.event_id, "kind": row.kind, "store": row.store,
        "state": row.state, "attempts": row.attempts,
        "next_at": (row.state == "pending").then(|| time(row.next_at)),
        "failure": row.failure.as_deref().map(tree),
        "log": row.log.as_deref().map_or_else(|| json!([]), tree),
        "version": row.version,
        "created_at": time(row.created_at), "done_at": row.done_at.map(time),
    })
}
