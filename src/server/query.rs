//! What stands in an address: parameters, ids, and where a page begins.
use crate::server::problem::Problem;
use actix_web::{HttpRequest, web};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sea_orm::prelude::Uuid;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The most items of a page.
pub const MAX_PAGE: u64 = 200;

/// The parameters after the `?`; unknown ones are refused.
pub fn query<T: DeserializeOwned>(request: &HttpRequest) -> Result<T, Problem> {
    let read = web::Query::<T>::from_query(request.query_string());
    read.map(web::Query::into_inner).map_err(|error| {
        let said = error.to_string();
        let name = said.split('`').nth(1).map(|name| name.chars().take(100).collect::<String>());
        let problem = Problem::malformed(said);
        match name {
            Some(name) => problem.at(name),
            None => problem,
        }
    })
}

/// The parts of the path that the route names, percent-decoded.
pub fn path<T: DeserializeOwned>(request: &HttpRequest) -> Result<T, Problem> {
    let nothing = || Problem::not_found(format!("there is nothing at {}", request.path()));
    // As in bodies: no text that is kept has it.
    if request.path().contains("%00") {
        return Err(nothing());
    }
    request.match_info().load().map_err(|_| nothing())
}

/// An id in the path.
pub fn id(request: &HttpRequest) -> Result<Uuid, Problem> {
    let text: String = path(request)?;
    text.parse().map_err(|_| {
        let shown: String = text.chars().take(60).collect();
        Problem::not_found(format!("{shown:?} is not an id"))
    })
}

/// How many items a page may have.
pub fn limit(asked: Option<u64>) -> Result<u64, Problem> {
    let limit = asked.unwrap_or(50);
    if (1..=MAX_PAGE).contains(&limit) {
        return Ok(limit);
    }
    Err(Problem::malformed(format!("a page has 1 to {MAX_PAGE} items")).at("limit"))
}

/// A key as a cursor: callers hand it back and do not look into it.
pub fn cursor<K: serde::Serialize>(key: &K) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default())
}

/// The key in a cursor.
pub fn after<K: DeserializeOwned>(cursor: Option<&str>, name: &str) -> Result<Option<K>, Problem> {
    let Some(cursor) = cursor else { return Ok(None) };
    let bytes = URL_SAFE_NO_PAD.decode(cursor).unwrap_or_default();
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|_| Problem::bad_cursor("give back the `next` of the page before as it came").at(name))
}

/// A page from one row more than it shows: if that row is there, there is a next page after the last one shown.
pub fn page<R, K: serde::Serialize>(
    mut rows: Vec<R>,
    limit: u64,
    key: impl Fn(&R) -> K,
    shown: impl Fn(&R) -> Value,
) -> Value {
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > most;
    rows.truncate(most);
    let next = rows.last().filter(|_| more).map(|row| cursor(&key(row)));
    json!({ "items": rows.iter().map(shown).collect::<Vec<_>>(), "next": next })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_as_they_went() {
        let key = (1_700_000_000_000_000_i64, Uuid::max());
        assert_eq!(after::<(i64, Uuid)>(Some(&cursor(&key)), "cursor").unwrap(), Some(key));
        for wrong in ["", "x", "%%", "bnVsbA"] {
            assert!(after::<(i64, Uuid)>(Some(wrong), "cursor").is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_page_knows_whether_there_is_another() {
        let page = |n: u64| page((0..n).collect(), 2, |k| *k, |k| json!(k));
        assert_eq!(page(2)["next"], Value::Null);
        assert_eq!(page(3)["next"], json!(cursor(&1)));
        assert_eq!(page(3)["items"], json!([0, 1]));
    }
}
