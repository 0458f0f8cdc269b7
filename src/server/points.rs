//! Points: balances and statements, holds, redemptions, adjustments.
use crate::counter::points::{
    Adjust, AdjustRequest, EndHold, HoldEnd, HoldRequest, PlaceHold, Redeem, RedeemRequest, ReverseRedemption,
};
use crate::records::read;
use crate::server::bodies::{ActRequest, CaptureRequest, ReasonRequest};
use crate::server::openapi::ProblemBody;
use crate::server::problem::Problem;
use crate::server::query::{after, id, limit, page, path, query};
use crate::server::state::State;
use crate::server::write::{WriteHead, WriteQuery, write};
use crate::server::{answer, members, shown};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

type Answered = Result<HttpResponse, Problem>;

/// A member's balances by ledger, with the lots that they consist of
#[utoipa::path(get, path = "/v1/members/{number}/points", tag = "points", params(("number" = String, Path)),
    responses((status = 200, description = "The balances", body = Value), (status = "default", response = ProblemBody)))]
pub async fn balances(request: HttpRequest, state: web::Data<State>) -> Answered {
    let number: String = path(&request)?;
    let record = members::find(&state, &number).await?;
    let id = record.member.id;
    let lots = state.records.read(move |db| async move { read::open_lots(&db, id).await }).await?;
    Ok(answer::resource(&request, &shown::balances(&state.registry.current(), &record, &lots)))
}

/// Which part of a member's statement.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct StatementQuery {
    /// One ledger; all of them if left out.
    #[param(required = false)]
    ledger: Option<String>,
    /// The `next` of the page before.
    #[param(required = false)]
    cursor: Option<String>,
    /// At most so many items; 1 to 200.
    #[param(required = false, minimum = 1, maximum = 200)]
    limit: Option<u64>,
}

/// A member's movements with their entries, the newest first
#[utoipa::path(get, path = "/v1/members/{number}/statement", tag = "points", params(("number" = String, Path), StatementQuery),
    responses((status = 200, description = "A page", body = Value), (status = "default", response = ProblemBody)))]
pub async fn statement(request: HttpRequest, state: web::Data<State>) -> Answered {
    let (number, asked): (String, StatementQuery) = (path(&request)?, query(&request)?);
    let (limit, before) = (limit(asked.limit)?, after(asked.cursor.as_deref(), "cursor")?);
    let record = members::find(&state, &number).await?;
    let (id, ledger) = (record.member.id, asked.ledger);
    let rows = state
        .records
        .read(move |db| async move { read::statement(&db, id, ledger.as_deref(), before, limit + 1).await })
        .await?;
    let books = state.registry.current();
    let key = |(m, _): &(_, _)| shown::movement_key(m);
    Ok(answer::plain(&page(rows, limit, key, |(m, entries)| shown::movement(&books, m, entries))))
}

/// Set points aside
#[utoipa::path(post, path = "/v1/holds", tag = "points", params(WriteHead, WriteQuery), request_body = HoldRequest,
    responses((status = 201, description = "Held", body = Value), (status = "default", response = ProblemBody)))]
pub async fn hold(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    write(&request, payload, &state, |call, body: HoldRequest| {
        let (desk, operation) = (call.desk(&body.store)?, call.operation);
        Ok(Arc::new(PlaceHold { desk, request: body, operation }))
    })
    .await
}

/// A hold, open or over
#[utoipa::path(get, path = "/v1/holds/{id}", tag = "points", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The hold", body = Value), (status = "default", response = ProblemBody)))]
pub async fn get_hold(request: HttpRequest, state: web::Data<State>) -> Answered {
    let id = id(&request)?;
    let found = state.records.read(move |db| async move { read::hold(&db, id).await }).await?;
    let row = found.ok_or_else(|| Problem::unknown_hold(format!("there is no hold {id}")))?;
    let owner = owner(&state, row.member_id).await?;
    Ok(answer::resource(&request, &shown::hold(&state.registry.current(), &owner, &row)))
}

/// Spend what a hold set aside, up to the whole
#[utoipa::path(post, path = "/v1/holds/{id}/capture", tag = "points", params(("id" = uuid::Uuid, Path), WriteHead, WriteQuery),
    request_body = CaptureRequest,
    responses((status = 200, description = "The hold", body = Value), (status = "default", response = ProblemBody)))]
pub async fn capture(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    let hold = id(&request)?;
    write(&request, payload, &state, |call, body: CaptureRequest| {
        let desk = call.desk(&body.store)?;
        Ok(Arc::new(EndHold { desk, hold, end: HoldEnd::Capture(body.amount), actor: body.actor }))
    })
    .await
}

/// Let go of what a hold set aside
#[utoipa::path(post, path = "/v1/holds/{id}/release", tag = "points", params(("id" = uuid::Uuid, Path), WriteHead, WriteQuery),
    request_body = ActRequest,
    responses((status = 200, description = "The hold", body = Value), (status = "default", response = ProblemBody)))]
pub async fn release(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    let hold = id(&request)?;
    write(&request, payload, &state, |call, body: ActRequest| {
        let desk = call.desk(&body.store)?;
        Ok(Arc::new(EndHold { desk, hold, end: HoldEnd::Release, actor: body.actor }))
    })
    .await
}

/// Turn points into a voucher or a gift
#[utoipa::path(post, path = "/v1/redemptions", tag = "points", params(WriteHead, WriteQuery), request_body = RedeemRequest,
    responses((status = 201, description = "Redeemed", body = Value), (status = "default", response = ProblemBody)))]
pub async fn redeem(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    write(&request, payload, &state, |call, body: RedeemRequest| {
        let (desk, operation) = (call.desk(&body.store)?, call.operation);
        Ok(Arc::new(Redeem { desk, request: body, operation }))
    })
    .await
}

/// A redemption
#[utoipa::path(get, path = "/v1/redemptions/{id}", tag = "points", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The redemption", body = Value), (status = "default", response = ProblemBody)))]
pub async fn get_redemption(request: HttpRequest, state: web::Data<State>) -> Answered {
    let id = id(&request)?;
    let found = state.records.read(move |db| async move { read::redemption(&db, id).await }).await?;
    let row = found.ok_or_else(|| Problem::unknown_redemption(format!("there is no redemption {id}")))?;
    let number = format!("V{}", id.simple());
    let voucher = state.records.read(move |db| async move { read::voucher(&db, &number).await }).await?;
    let owner = owner(&state, row.member_id).await?;
    let body = shown::redemption(&state.registry.current(), &owner, &row, voucher.as_ref());
    Ok(answer::resource(&request, &body))
}

/// Undo a redemption: its points go back to the lots that they came from
#[utoipa::path(post, path = "/v1/redemptions/{id}/reverse", tag = "points", params(("id" = uuid::Uuid, Path), WriteHead, WriteQuery),
    request_body = ReasonRequest,
    responses((status = 200, description = "Undone", body = Value), (status = "default", response = ProblemBody)))]
pub async fn reverse(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    let redemption = id(&request)?;
    write(&request, payload, &state, |call, body: ReasonRequest| {
        let (desk, operation) = (call.desk(&body.store)?, call.operation);
        let ReasonRequest { actor, reason, .. } = body;
        Ok(Arc::new(ReverseRedemption { desk, redemption, reason, actor, operation }))
    })
    .await
}

/// Correct a balance, with a reason and somebody who allows it
#[utoipa::path(post, path = "/v1/adjustments", tag = "points", params(WriteHead, WriteQuery), request_body = AdjustRequest,
    responses((status = 201, description = "Adjusted", body = Value), (status = "default", response = ProblemBody)))]
pub async fn adjust(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    write(&request, payload, &state, |call, body: AdjustRequest| {
        let (desk, operation) = (call.desk(&body.store)?, call.operation);
        Ok(Arc::new(Adjust { desk, request: body, operation }))
    })
    .await
}

async fn owner(state: &State, id: sea_orm::prelude::Uuid) -> Result<read::MemberRecord, Problem> {
    let found = state.records.read(move |db| async move { read::member(&db, id).await }).await?;
    found.ok_or_else(|| Problem::unknown_member(format!("there is no member {id}")))
}
