//! Returns that were taken off line: told, looked at, listed for who has to look after them.
use crate::counter::returns::{OfflineReturnRequest, TakeOffline};
use crate::records::{Clock as _, SystemClock, read};
use crate::server::openapi::ProblemBody;
use crate::server::problem::Problem;
use crate::server::query::{after, id, limit, page, query};
use crate::server::state::State;
use crate::server::write::{WriteHead, WriteQuery, write};
use crate::server::{answer, shown};
use actix_web::{HttpRequest, HttpResponse, web};
use sea_orm::prelude::Uuid;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use utoipa::IntoParams;

type Answered = Result<HttpResponse, Problem>;

/// Tell of a return that was taken without a line: it is recorded as it was, once its sale is there
#[utoipa::path(post, path = "/v1/returns/offline", tag = "returns", params(WriteHead, WriteQuery), request_body = OfflineReturnRequest,
    responses((status = 201, description = "Recorded; `differences` says what the policy says otherwise", body = Value),
        (status = 202, description = "Kept: it waits for its sale, or `problem` says why nothing of it is recorded", body = Value),
        (status = "default", response = ProblemBody)))]
pub async fn take(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    let answered = write(&request, payload, &state, |call, body: OfflineReturnRequest| {
        Ok(Arc::new(TakeOffline { desk: call.desk(&body.store)?, request: body }))
    })
    .await;
    state.arrivals.notify_one();
    answered
}

/// A return that was taken without a line, as it stands now
#[utoipa::path(get, path = "/v1/returns/offline/{id}", tag = "returns", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The return", body = Value), (status = "default", response = ProblemBody)))]
pub async fn get(request: HttpRequest, state: web::Data<State>) -> Answered {
    let id = id(&request)?;
    let found = state.records.read(move |db| async move { read::offline_return(&db, id).await }).await?;
    let row =
        found.ok_or_else(|| Problem::unknown_return(format!("no return {id} was taken without a line")))?;
    let body: Value = shown::offline(&state.registry.current(), &row, SystemClock.now());
    Ok(answer::resource(&request, &body))
}

/// Which of them.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct OfflineQuery {
    /// `waiting` for the sale, `unmatched` (it can come no more), `recorded`, `differs` (recorded, and the policy says
    /// otherwise), `undecided` (not recorded for now), or `refused` (not recorded).
    #[param(required = false)]
    state: Option<String>,
    /// The `next` of the page before.
    #[param(required = false)]
    cursor: Option<String>,
    /// At most so many items; 1 to 200.
    #[param(required = false, minimum = 1, maximum = 200)]
    limit: Option<u64>,
}

/// Returns that were taken without a line, in the order in which they happened
#[utoipa::path(get, path = "/v1/returns/offline", tag = "returns", params(OfflineQuery),
    responses((status = 200, description = "A page", body = Value), (status = "default", response = ProblemBody)))]
pub async fn list(request: HttpRequest, state: web::Data<State>) -> Answered {
    const STATES: [&str; 6] = ["waiting", "unmatched", "recorded", "differs", "undecided", "refused"];
    let asked: OfflineQuery = query(&request)?;
    if asked.state.as_deref().is_some_and(|named| !STATES.contains(&named)) {
        return Err(Problem::malformed(format!("one of {}", STATES.join(", "))).at("state"));
    }
    let most = limit(asked.limit)?;
    let from: Option<(i64, Uuid)> = after(asked.cursor.as_deref(), "cursor")?;
    let now = SystemClock.now();
    let rows = state.records.read(move |db| async move {
        read::offline_returns(&db, asked.state.as_deref(), now, from, most + 1).await
    });
    let (rows, books) = (rows.await?, state.registry.current());
    let shown = |row: &_| shown::offline(&books, row, now);
    Ok(answer::plain(&page(rows, most, |row| (row.occurred_at, row.id), shown)))
}
