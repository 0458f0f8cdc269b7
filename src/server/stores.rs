//! Stores, their counters, and what happened as events.
use crate::counter::stores::{CloseStore, NameCounter};
use crate::records::read;
use crate::server::bodies::{ClosingRequest, CounterRequest};
use crate::server::openapi::ProblemBody;
use crate::server::problem::Problem;
use crate::server::query::{after, cursor, limit, path, query};
use crate::server::state::State;
use crate::server::write::{WriteHead, WriteQuery, write};
use crate::server::{answer, shown};
use actix_web::{HttpRequest, HttpResponse, web};
use sea_orm::prelude::Uuid;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use utoipa::IntoParams;

type Answered = Result<HttpResponse, Problem>;

/// All stores that the rulebooks have or had
#[utoipa::path(get, path = "/v1/stores", tag = "stores",
    responses((status = 200, description = "The stores", body = Value), (status = "default", response = ProblemBody)))]
pub async fn list(request: HttpRequest, state: web::Data<State>) -> Answered {
    let rows = state.records.read(|db| async move { read::stores(&db).await }).await?;
    let books = state.registry.current();
    let items: Vec<Value> = rows.iter().map(|row| shown::store(&books, row, None)).collect();
    Ok(answer::resource(&request, &json!({ "items": items, "next": null })))
}

/// A store with its counters
#[utoipa::path(get, path = "/v1/stores/{id}", tag = "stores", params(("id" = String, Path)),
    responses((status = 200, description = "The store", body = Value), (status = "default", response = ProblemBody)))]
pub async fn get(request: HttpRequest, state: web::Data<State>) -> Answered {
    let id: String = path(&request)?;
    let named = id.clone();
    let (rows, counters) = state
        .records
        .read(move |db| async move { Ok((read::stores(&db).await?, read::counters(&db, &named).await?)) })
        .await?;
    let row = rows.into_iter().find(|s| s.id == id);
    let row = row.ok_or_else(|| {
        Problem::unknown_store(format!("there is no store {:?}", id.chars().take(60).collect::<String>()))
    })?;
    Ok(answer::resource(&request, &shown::store(&state.registry.current(), &row, Some(&counters))))
}

/// Close a store's books through a day: late events of closed days are refused
#[utoipa::path(put, path = "/v1/stores/{id}/closing", tag = "stores",
    params(("id" = String, Path), WriteHead, WriteQuery), request_body = ClosingRequest,
    responses((status = 200, description = "What is closed", body = Value), (status = "default", response = ProblemBody)))]
pub async fn close(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    let store: String = path(&request)?;
    write(&request, payload, &state, |call, body: ClosingRequest| {
        let (desk, operation) = (call.desk(&store)?, call.operation);
        let ClosingRequest { closed_through: through, actor, reason } = body;
        Ok(Arc::new(CloseStore { desk, through, actor, reason, operation }))
    })
    .await
}

/// Name a counter of a store
#[utoipa::path(put, path = "/v1/stores/{id}/counters/{code}", tag = "stores",
    params(("id" = String, Path), ("code" = String, Path), WriteHead, WriteQuery), request_body = CounterRequest,
    responses((status = 200, description = "The counter", body = Value), (status = "default", response = ProblemBody)))]
pub async fn name_counter(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    let (store, code): (String, String) = path(&request)?;
    write(&request, payload, &state, |call, body: CounterRequest| {
        Ok(Arc::new(NameCounter { desk: call.desk(&store)?, code, name: body.name }))
    })
    .await
}

/// Where to go on in the events.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct EventsQuery {
    /// The `next` of the answer before; nothing to begin with the first event.
    #[param(required = false)]
    after: Option<String>,
    /// At most so many items; 1 to 200.
    #[param(required = false, minimum = 1, maximum = 200)]
    limit: Option<u64>,
}

/// What happened, in the order of recording; what may still be overtaken by another node's event is not shown yet. `next`
/// is always there: ask with it again for what comes then
#[utoipa::path(get, path = "/v1/events", tag = "events", params(EventsQuery),
    responses((status = 200, description = "Events", body = Value), (status = "default", response = ProblemBody)))]
pub async fn events(request: HttpRequest, state: web::Data<State>) -> Answered {
    let asked: EventsQuery = query(&request)?;
    let limit = limit(asked.limit)?;
    let from: Option<(i64, Uuid)> = after(asked.after.as_deref(), "after")?;
    let rows = state.records.read(move |db| async move {
        let until = read::events_until(&db).await?;
        read::events(&db, from, until, limit).await
    });
    let rows = rows.await?;
    let last = rows.last().map(|row| (row.recorded_at, row.id)).or(from);
    let books = state.registry.current();
    let items: Vec<Value> = rows.iter().map(|row| shown::event(&books, row)).collect();
    Ok(answer::plain(&json!({ "items": items, "next": last.map(|key| cursor(&key)) })))
}
