//! Deliveries as an operator sees them: what waits, what was given up, and another attempt.
use super::{operator, shown};
use crate::records::plugins::deliveries;
use crate::records::{Clock as _, SystemClock};
use crate::server::answer;
use crate::server::openapi::ProblemBody;
use crate::server::problem::Problem;
use crate::server::query::{after, id, limit, page, query};
use crate::server::state::State;
use actix_web::{HttpRequest, HttpResponse, web};
use sea_orm::prelude::Uuid;
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

/// Which deliveries.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DeliveriesQuery {
    /// `pending`, `delivered`, `dead` (given up), or `cancelled`: the plugin was removed.
    #[param(required = false)]
    state: Option<String>,
    /// `vendor.name`.
    #[param(required = false)]
    plugin: Option<String>,
    /// The `next` of the page before.
    #[param(required = false)]
    cursor: Option<String>,
    /// At most so many items; 1 to 200.
    #[param(required = false, minimum = 1, maximum = 200)]
    limit: Option<u64>,
}

/// Deliveries of events to plugins, the newest first
#[utoipa::path(get, path = "/v1/deliveries", tag = "plugins", params(DeliveriesQuery),
    responses((status = 200, description = "A page", body = Value), (status = "default", response = ProblemBody)))]
pub async fn list(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, Problem> {
    operator::check(&request, &state.settings)?;
    let asked: DeliveriesQuery = query(&request)?;
    if let Some(named) = asked.state.as_deref()
        && !["pending", "delivered", "dead", "cancelled"].contains(&named)
    {
        return Err(Problem::malformed("one of pending, delivered, dead, cancelled").at("state"));
    }
    let most = limit(asked.limit)?;
    let from: Option<(i64, Uuid)> = after(asked.cursor.as_deref(), "cursor")?;
    let rows = state.records.read(move |db| async move {
        deliveries::list(&db, asked.state.as_deref(), asked.plugin.as_deref(), from, most + 1).await
    });
    let rows = rows.await?;
    Ok(answer::plain(&page(rows, most, |row| (row.created_at, row.id), shown::delivery)))
}

/// Take up a delivery again that was given up or cancelled, with all its attempts
#[utoipa::path(post, path = "/v1/deliveries/{id}/retry", tag = "plugins", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The delivery", body = Value), (status = "default", response = ProblemBody)))]
pub async fn retry(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, Problem> {
    operator::check(&request, &state.settings)?;
    let id = id(&request)?;
    let now = SystemClock.now();
    let again = state.records.change(move |db| async move { deliveries::retry(&db, id, now).await }).await?;
    let row: Option<_> =
        state.records.read(move |db| async move { deliveries::by_id(&db, id).await }).await?;
    let row = row.ok_or_else(|| Problem::unknown_delivery(format!("there is no delivery {id}")))?;
    if !again && row.state == "delivered" {
        return Err(Problem::delivery_not_dead("it was delivered"));
    }
    let shown: Value = shown::delivery(&row);
    Ok(answer::plain(&shown))
}
