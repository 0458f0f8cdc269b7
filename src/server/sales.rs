//! Sales: recorded, shown, listed.
use crate::counter::sale::{RecordSale, SaleRequest};
use crate::program::iso::parse_date;
use crate::records::ids;
use crate::records::read::{self, SalesOf};
use crate::server::openapi::ProblemBody;
use crate::server::problem::Problem;
use crate::server::query::{after, id, limit, page, query};
use crate::server::state::State;
use crate::server::write::{WriteHead, WriteQuery, write};
use crate::server::{answer, shown};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

type Answered = Result<HttpResponse, Problem>;

/// Record a sale: price it, allocate its discounts, take stored value, earn points, look at the tier
#[utoipa::path(post, path = "/v1/sales", tag = "sales", params(WriteHead, WriteQuery), request_body = SaleRequest,
    responses((status = 201, description = "Recorded", body = Value), (status = "default", response = ProblemBody)))]
pub async fn record(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    let answered = write(&request, payload, &state, |call, body: SaleRequest| {
        Ok(Arc::new(RecordSale { desk: call.desk(&body.store)?, request: body, exchange: None }))
    })
    .await;
    state.arrivals.notify_one();
    answered
}

/// A sale with its lines, tenders, gifts, discounts and returns
#[utoipa::path(get, path = "/v1/sales/{id}", tag = "sales", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The sale", body = Value), (status = "default", response = ProblemBody)))]
pub async fn get(request: HttpRequest, state: web::Data<State>) -> Answered {
    let id = id(&request)?;
    let found = state.records.read(move |db| async move { read::sale(&db, id).await }).await?;
    let record = found.ok_or_else(|| Problem::unknown_sale(format!("there is no sale {id}")))?;
    Ok(answer::resource(&request, &shown::sale(&state.registry.current(), &record)))
}

/// Which sales to list: a store's of a date, or a member's.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SalesQuery {
    #[param(required = false)]
    store: Option<String>,
    /// The business date, with `store`.
    #[param(required = false)]
    date: Option<String>,
    /// A member's number.
    #[param(required = false)]
    member: Option<String>,
    /// The `next` of the page before.
    #[param(required = false)]
    cursor: Option<String>,
    /// At most so many items; 1 to 200.
    #[param(required = false, minimum = 1, maximum = 200)]
    limit: Option<u64>,
}

/// Sales of a store and date, or of a member, in the order of their dates
#[utoipa::path(get, path = "/v1/sales", tag = "sales", params(SalesQuery),
    responses((status = 200, description = "A page", body = Value), (status = "default", response = ProblemBody)))]
pub async fn list(request: HttpRequest, state: web::Data<State>) -> Answered {
    let asked: SalesQuery = query(&request)?;
    let of = match (asked.store, asked.date, asked.member) {
        (Some(store), Some(date), None) => {
            let day = parse_date(&date)
                .ok_or_else(|| Problem::malformed("not a date, such as 2026-12-31").at("date"))?;
            SalesOf::Store(store, day)
        }
        (None, None, Some(number)) => SalesOf::Member(ids::member(&number)),
        _ => return Err(Problem::malformed("say either `store` and `date`, or `member`").at("store")),
    };
    let (limit, after) = (limit(asked.limit)?, after(asked.cursor.as_deref(), "cursor")?);
    let rows =
        state.records.read(move |db| async move { read::sales(&db, &of, after, limit + 1).await }).await?;
    let books = state.registry.current();
    Ok(answer::plain(&page(rows, limit, |row| row.id, |row| shown::sale_row(&books, row))))
}
