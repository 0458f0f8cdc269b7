//! Decisions that were recorded: shown with their reasons, and decided again.
use crate::counter::replay::{Replayed, replay, rulebooks_of};
use crate::program::iso::format_datetime;
use crate::records::entity::decision;
use crate::records::read;
use crate::rulebook::Rulebooks;
use crate::server::answer;
use crate::server::openapi::ProblemBody;
use crate::server::problem::Problem;
use crate::server::query::id;
use crate::server::state::State;
use actix_web::{HttpRequest, HttpResponse, web};
use sea_orm::prelude::Uuid;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

type Answered = Result<HttpResponse, Problem>;

/// Old rulebooks that stay loaded: a question about last year is seldom the only one.
const KEPT: usize = 4;

/// Rulebooks that were in force, by digest; those asked for last at the end.
#[derive(Debug, Default)]
pub struct OldBooks(Mutex<VecDeque<(String, Arc<Rulebooks>)>>);

impl OldBooks {
    fn get(&self, digest: &str) -> Option<Arc<Rulebooks>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(d, _)| d == digest)?;
        let found = kept.remove(at)?;
        let books = found.1.clone();
        kept.push_back(found);
        Some(books)
    }
    fn put(&self, digest: String, books: Arc<Rulebooks>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back((digest, books));
    }
}

/// A recorded decision: facts, outcome, place in the store's chain, and why
#[utoipa::path(get, path = "/v1/decisions/{decision}", tag = "decisions", params(("decision" = uuid::Uuid, Path, description = "The id of the record")),
    responses((status = 200, description = "The record with its explanation", body = Value), (status = "default", response = ProblemBody)))]
pub async fn get(request: HttpRequest, state: web::Data<State>) -> Answered {
    let (record, again) = decide_again(&request, &state).await?;
    let id = record.id;
    let kept = state.records.read(move |db| async move { read::plugin_responses(&db, id).await }).await?;
    let mut plugins = record.plugins.as_deref().map_or_else(|| json!([]), tree);
    for row in kept {
        let call = usize::try_from(row.seq).ok().and_then(|at| plugins.get_mut(at));
        let Some(call) = call.and_then(Value::as_object_mut) else { continue };
        if let Some(log) = &row.log {
            call.insert("log".into(), tree(log));
        }
        let responses = call.get_mut("responses").and_then(Value::as_object_mut);
        if let (Some(responses), Some(body)) = (responses, &row.body) {
            responses.insert("body".into(), tree(body));
        }
    }
    let zone =
        state.registry.current().store(&record.store).map_or(chrono_tz::UTC, |s| s.program.linked().zone);
    let body = json!({
        "record": record.id,
        "store": record.store,
        "seq": record.seq,
        "decision": record.decision,
        "rulebook": record.rulebook,
        "cause": record.cause,
        "cause_id": record.cause_id,
        "actor": record.actor,
        "recorded_at": format_datetime(record.recorded_at, zone),
        "facts": tree(&record.facts),
        "outcome": tree(&record.outcome),
        "plugins": plugins,
        "explanation": tree(&again.explanation),
        "previous": record.previous,
        "hash": record.hash,
    });
    Ok(answer::resource(&request, &body))
}

/// Decide again, by the rulebook that was in force then: the answer has to be the same, byte for byte
#[utoipa::path(post, path = "/v1/decisions/{decision}/replay", tag = "decisions", params(("decision" = uuid::Uuid, Path, description = "The id of the record")),
    responses((status = 200, description = "What was decided, what is decided now, and whether they are the same", body = Value),
        (status = "default", response = ProblemBody)))]
pub async fn again(request: HttpRequest, state: web::Data<State>) -> Answered {
    let (record, again) = decide_again(&request, &state).await?;
    // The outcomes as they are, not as a reader of JSON would write them again: they are compared by their bytes.
    let raw = |text: &str| RawValue::from_string(text.to_owned()).map_err(|_| Problem::internal());
    let (recorded, now, explanation) =
        (raw(&record.outcome)?, raw(&again.outcome)?, raw(&again.explanation)?);
    let body = format!(
        r#"{{"record":"{}","same":{},"hash_holds":{},"recorded":{recorded},"now":{now},"explanation":{explanation}}}"#,
        record.id, again.same, again.hash_holds
    );
    Ok(HttpResponse::Ok().content_type("application/json").body(body))
}

async fn decide_again(
    request: &HttpRequest,
    state: &web::Data<State>,
) -> Result<(decision::Model, Replayed), Problem> {
    let id = id(request)?;
    let found = state.records.read(move |db| async move { read::decision(&db, id).await }).await?;
    let record =
        found.ok_or_else(|| Problem::unknown_record(format!("there is no record of a decision {id}")))?;
    let books = books(state, &record.rulebook, id).await?;
    let asked = record.clone();
    let again = web::block(move || replay(&asked, &books)).await.map_err(|_| Problem::internal())?;
    Ok((record, again.map_err(|e| Problem::not_replayed(e.to_string()))?))
}

/// The rulebook with this digest: the one in force, one that was asked for lately, or from the texts that were kept.
async fn books(state: &web::Data<State>, digest: &str, id: Uuid) -> Result<Arc<Rulebooks>, Problem> {
    let current = state.registry.current();
    if current.books.iter().any(|book| book.digest == digest) {
        return Ok(current);
    }
    if let Some(books) = state.old_books.get(digest) {
        return Ok(books);
    }
    let named = digest.to_owned();
    let kept = state.records.read(move |db| async move { read::rulebook(&db, &named).await }).await?;
    let kept = kept
        .ok_or_else(|| Problem::not_replayed(format!("the texts of the rulebook of {id} were not kept")))?;
    let loaded = web::block(move || rulebooks_of(&kept)).await.map_err(|_| Problem::internal())?;
    let books = Arc::new(loaded.map_err(|e| Problem::not_replayed(e.to_string()))?);
    state.old_books.put(digest.to_owned(), books.clone());
    Ok(books)
}

fn tree(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}
