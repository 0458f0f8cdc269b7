//! Returns: looked at, approved, recorded, exchanged, taken back again.
use crate::counter::returns::{
    ApproveRequest, ApproveReturn, EvaluateRequest, EvaluateReturn, ExchangeRequest, ExchangeReturn,
    RecordRequest, RecordReturn, VoidRequest, VoidReturn,
};
use crate::records::read;
use crate::server::openapi::ProblemBody;
use crate::server::problem::Problem;
use crate::server::query::id;
use crate::server::state::State;
use crate::server::write::{WriteHead, WriteQuery, look, write};
use crate::server::{answer, shown};
use actix_web::{HttpRequest, HttpResponse, web};
use std::sync::Arc;

type Answered = Result<HttpResponse, Problem>;

/// Look at a return: verdict, clauses, dues, where the money goes, and a signed ticket. Records nothing and needs no key
#[utoipa::path(post, path = "/v1/returns/evaluate", tag = "returns", request_body = EvaluateRequest,
    responses((status = 200, description = "What the policy says of it", body = Value), (status = "default", response = ProblemBody)))]
pub async fn evaluate(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    look(&request, payload, &state, |call, body: EvaluateRequest| {
        Ok(Arc::new(EvaluateReturn { desk: call.desk(&body.store)?, request: body }))
    })
    .await
}

/// Approve a ticket, as somebody who may and did not ask for it
#[utoipa::path(post, path = "/v1/returns/approvals", tag = "returns", params(WriteHead, WriteQuery), request_body = ApproveRequest,
    responses((status = 201, description = "Approved", body = Value), (status = "default", response = ProblemBody)))]
pub async fn approve(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    write(&request, payload, &state, |call, body: ApproveRequest| {
        Ok(Arc::new(ApproveReturn { desk: call.desk(&body.store)?, request: body }))
    })
    .await
}

/// Record the final result of a return; it is decided again, the ticket decides nothing
#[utoipa::path(post, path = "/v1/returns", tag = "returns", params(WriteHead, WriteQuery), request_body = RecordRequest,
    responses((status = 201, description = "Recorded", body = Value), (status = "default", response = ProblemBody)))]
pub async fn record(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    write(&request, payload, &state, |call, body: RecordRequest| {
        Ok(Arc::new(RecordReturn { desk: call.desk(&body.store)?, request: body }))
    })
    .await
}

/// A return with its lines, tenders, dues and approvals
#[utoipa::path(get, path = "/v1/returns/{id}", tag = "returns", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The return", body = Value), (status = "default", response = ProblemBody)))]
pub async fn get(request: HttpRequest, state: web::Data<State>) -> Answered {
    let id = id(&request)?;
    let found = state.records.read(move |db| async move { read::return_slip(&db, id).await }).await?;
    let record = found.ok_or_else(|| Problem::unknown_return(format!("there is no return {id}")))?;
    Ok(answer::resource(&request, &shown::slip(&state.registry.current(), &record)))
}

/// Take a recorded return back
#[utoipa::path(post, path = "/v1/returns/{id}/void", tag = "returns", params(("id" = uuid::Uuid, Path), WriteHead, WriteQuery),
    request_body = VoidRequest,
    responses((status = 200, description = "Taken back", body = Value), (status = "default", response = ProblemBody)))]
pub async fn void(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    let id = id(&request)?;
    write(&request, payload, &state, |call, body: VoidRequest| {
        Ok(Arc::new(VoidReturn { desk: call.desk(&body.store)?, id, request: body }))
    })
    .await
}

/// Goods for goods, in one step
#[utoipa::path(post, path = "/v1/exchanges", tag = "returns", params(WriteHead, WriteQuery), request_body = ExchangeRequest,
    responses((status = 201, description = "Recorded", body = Value), (status = "default", response = ProblemBody)))]
pub async fn exchange(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    let answered = write(&request, payload, &state, |call, body: ExchangeRequest| {
        Ok(Arc::new(ExchangeReturn { desk: call.desk(&body.returned.store)?, request: body }))
    })
    .await;
    state.arrivals.notify_one();
    answered
}
