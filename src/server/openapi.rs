//! The description of the API, generated from the handlers, and a page to read it.
use crate::server::{
    decisions, members, offline, overview, plugins, points, recorded, returns, sales, settlements, stores,
};
use actix_web::HttpResponse;
use serde_json::{Map, Value};
use utoipa::{OpenApi, ToResponse, ToSchema};

/// A problem (RFC 9457).
#[derive(Debug, ToSchema, ToResponse)]
#[response(description = "A problem; `code` is stable", content_type = "application/problem+json")]
#[expect(dead_code, reason = "documents the body of problems, which are written by hand")]
pub struct ProblemBody {
    /// `/problems/` and the code.
    #[schema(rename = "type", example = "/problems/unknown-member")]
    kind: String,
    title: String,
    status: u16,
    #[schema(schema_with = crate::server::codes::schema)]
    code: String,
    /// This occurrence, for people.
    detail: String,
    /// The field to blame, `lines[2].shelf_price`.
    path: Option<String>,
}

/// One question.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents a body that is read without a tree")]
pub struct AskBody {
    store: String,
    /// The facts, as the vocabulary has them.
    #[schema(value_type = Object)]
    facts: Map<String, Value>,
    /// Whether the answer says how it came about.
    #[schema(default = false)]
    explain: Option<bool>,
}

/// Many questions to one store.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents a body that is read without a tree")]
pub struct BatchBody {
    store: String,
    items: Vec<ItemBody>,
}

/// One question of many.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents a body that is read without a tree")]
pub struct ItemBody {
    #[schema(value_type = Object)]
    facts: Map<String, Value>,
    #[schema(default = false)]
    explain: Option<bool>,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Zhanggui",
        description = "Retail policies as text: decided, recorded, explained. Amounts are decimal text, times RFC 3339 with an offset. \
            Every write has an Idempotency-Key; `dry_run=true` shows what would be. Problems are `application/problem+json` with a stable `code`."
    ),
    paths(
        decisions::decide, decisions::batch, recorded::get, recorded::again, overview::policies,
        members::enrol, members::get, members::edit, members::replace_card, members::block_card, members::merge,
        members::unmerge, members::erase, members::give_gift, members::upgrade,
        points::balances, points::statement, points::hold, points::get_hold, points::capture, points::release,
        points::redeem, points::get_redemption, points::reverse, points::adjust,
        sales::record, sales::get, sales::list,
        returns::evaluate, returns::approve, returns::record, returns::get, returns::void, returns::exchange,
        offline::take, offline::list, offline::get,
        settlements::settle, settlements::get,
        stores::list, stores::get, stores::close, stores::name_counter, stores::events,
        plugins::upload::upload, plugins::routes::list_plugins, plugins::routes::metrics, plugins::routes::get_plugin,
        plugins::routes::put_grants, plugins::routes::put_config, plugins::routes::put_limits,
        plugins::routes::put_rollout, plugins::routes::roll_back, plugins::routes::remove, plugins::routes::ask,
        plugins::vendors::get_keys, plugins::vendors::put_keys,
        plugins::failures::list, plugins::deliveries::list, plugins::deliveries::retry,
        overview::health, overview::ready, described, page,
    ),
    components(responses(ProblemBody), schemas(ProblemBody)),
    tags(
        (name = "decisions", description = "What the policies say, and what was recorded of it"),
        (name = "members", description = "Members and their cards"),
        (name = "sales", description = "Sales"),
        (name = "returns", description = "Looked at, approved, recorded, exchanged"),
        (name = "points", description = "Balances, holds, redemptions, adjustments"),
        (name = "settlements", description = "The year's end"),
        (name = "stores", description = "Stores and their counters"),
        (name = "events", description = "What happened, for other systems"),
        (name = "plugins", description = "For the operator, with `Authorization: Bearer` and the operator's key"),
        (name = "operation", description = "The server itself"),
    )
)]
struct Description;

/// The description as text, the same for the same code.
pub fn openapi() -> String {
    let mut text = Description::openapi().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// This description
#[utoipa::path(get, path = "/v1/openapi.json", tag = "operation", responses((status = 200, description = "OpenAPI 3.1", body = Value)))]
pub async fn described() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(openapi())
}

/// A page to read it
#[utoipa::path(get, path = "/v1/docs", tag = "operation", responses((status = 200, description = "HTML", body = String, content_type = "text/html")))]
pub async fn page() -> HttpResponse {
    // The page is one file: nothing is fetched but the description.
    let policy =
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'";
    HttpResponse::Ok()
        .insert_header(("Content-Security-Policy", policy))
        .content_type("text/html; charset=utf-8")
        .body(include_str!("openapi.html"))
}
