//! Whose packages are trusted: the keys of each vendor.
use super::{operator, shown};
use crate::plugins::package::PublicKey;
use crate::records::entity::vendor_key;
use crate::records::plugins::keys;
use crate::records::{Clock as _, SystemClock};
use crate::server::openapi::ProblemBody;
use crate::server::problem::Problem;
use crate::server::query::path;
use crate::server::state::State;
use crate::server::{answer, body};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// More is a mistake.
const MOST: usize = 20;

/// All keys that a vendor signs with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeysRequest {
    /// `zgk1:vendor:…`; a key that is not among them any more is revoked.
    pub keys: Vec<String>,
    /// By whom.
    pub who: Option<String>,
}

/// A vendor's keys, the revoked ones too
#[utoipa::path(get, path = "/v1/vendors/{vendor}/keys", tag = "plugins", params(("vendor" = String, Path)),
    responses((status = 200, description = "The keys", body = Value), (status = "default", response = ProblemBody)))]
pub async fn get_keys(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, Problem> {
    operator::check(&request, &state.settings)?;
    let vendor: String = path(&request)?;
    Ok(answer::plain(&listed(&state, vendor).await?))
}

/// Trust these keys of a vendor, and no others
#[utoipa::path(put, path = "/v1/vendors/{vendor}/keys", tag = "plugins", params(("vendor" = String, Path)), request_body = KeysRequest,
    responses((status = 200, description = "The keys", body = Value), (status = "default", response = ProblemBody)))]
pub async fn put_keys(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, Problem> {
    operator::check(&request, &state.settings)?;
    let vendor: String = path(&request)?;
    let bytes = body::bytes(&request, payload, &state).await?;
    let asked: KeysRequest = body::read(body::tree(&bytes)?)?;
    let who = operator::who(asked.who.as_deref())?;
    if asked.keys.len() > MOST {
        return Err(Problem::keys_refused(format!("at most {MOST} keys")).at("keys"));
    }
    let now = SystemClock.now();
    let mut rows: Vec<vendor_key::Model> = Vec::new();
    for (i, text) in asked.keys.iter().enumerate() {
        let refused = |why: String| Problem::keys_refused(why).at(format!("keys[{i}]"));
        let key: PublicKey = text.parse().map_err(|why| refused(format!("{why}")))?;
        if key.vendor() != vendor {
            return Err(refused(format!("this is a key of {}", key.vendor())));
        }
        if rows.iter().any(|row| row.key_id == key.id()) {
            return Err(refused("this key stands twice".into()));
        }
        rows.push(vendor_key::Model {
            vendor: vendor.clone(),
            key_id: key.id(),
            public_key: key.to_string(),
            added_at: now,
            added_by: who.clone(),
            revoked_at: None,
        });
    }
    let named = vendor.clone();
    let records = &state.records;
    records.change(move |db| async move { keys::replace(&db, &named, rows, now).await }).await?;
    Ok(answer::plain(&listed(&state, vendor).await?))
}

async fn listed(state: &State, vendor: String) -> Result<Value, Problem> {
    let named = vendor.clone();
    let rows = state.records.read(move |db| async move { keys::of(&db, &named).await }).await?;
    let keys: Vec<Value> = rows.iter().map(shown::key).collect();
    Ok(json!({ "vendor": vendor, "keys": keys }))
}
