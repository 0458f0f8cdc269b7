//! Every address of the server and the methods that it answers: one list, for the router, for 405 and for the tests.
use crate::server::problem::Problem;
use crate::server::{
    decisions, members, offline, openapi, overview, plugins, points, recorded, returns, sales, settlements,
    stores,
};
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};

macro_rules! routes {
    ($($path:literal { $($method:ident $handler:path),+ $(,)? })+) => {
        /// Address and methods, in the order in which the router looks at them.
        pub const ROUTES: &[(&str, &[&str])] = &[$(($path, &[$(stringify!($method)),+])),+];

        /// Registers all of them.
        pub fn register(app: &mut web::ServiceConfig) {
            $(app.service(
                web::resource($path)
                    $(.route(web::$method().to($handler)))+
                    .default_service(web::to(|| async { not_allowed(&[$(stringify!($method)),+]) })),
            );)+
            app.default_service(web::to(nowhere));
        }
    };
}

routes! {
    "/v1/decisions/{decision}" { post decisions::decide, get recorded::get }
    "/v1/decisions/{decision}/batch" { post decisions::batch }
    "/v1/decisions/{decision}/replay" { post recorded::again }
    "/v1/policies" { get overview::policies }
    "/v1/members" { post members::enrol }
    "/v1/members/{number}" { get members::get, patch members::edit }
    "/v1/members/{number}/cards" { post members::replace_card }
    "/v1/members/{number}/merge" { post members::merge }
    "/v1/members/{number}/unmerge" { post members::unmerge }
    "/v1/members/{number}/erase" { post members::erase }
    "/v1/members/{number}/gifts" { post members::give_gift }
    "/v1/members/{number}/upgrade" { post members::upgrade }
    "/v1/members/{number}/points" { get points::balances }
    "/v1/members/{number}/statement" { get points::statement }
    "/v1/cards/{card}/block" { post members::block_card }
    "/v1/sales" { post sales::record, get sales::list }
    "/v1/sales/{id}" { get sales::get }
    "/v1/returns" { post returns::record }
    "/v1/returns/evaluate" { post returns::evaluate }
    "/v1/returns/approvals" { post returns::approve }
    "/v1/returns/offline" { post offline::take, get offline::list }
    "/v1/returns/offline/{id}" { get offline::get }
    "/v1/returns/{id}" { get returns::get }
    "/v1/returns/{id}/void" { post returns::void }
    "/v1/exchanges" { post returns::exchange }
    "/v1/holds" { post points::hold }
    "/v1/holds/{id}" { get points::get_hold }
    "/v1/holds/{id}/capture" { post points::capture }
    "/v1/holds/{id}/release" { post points::release }
    "/v1/redemptions" { post points::redeem }
    "/v1/redemptions/{id}" { get points::get_redemption }
    "/v1/redemptions/{id}/reverse" { post points::reverse }
    "/v1/adjustments" { post points::adjust }
    "/v1/settlements" { post settlements::settle }
    "/v1/settlements/{id}" { get settlements::get }
    "/v1/stores" { get stores::list }
    "/v1/stores/{id}" { get stores::get }
    "/v1/stores/{id}/closing" { put stores::close }
    "/v1/stores/{id}/counters/{code}" { put stores::name_counter }
    "/v1/events" { get stores::events }
    "/v1/plugins" { post plugins::upload, get plugins::list_plugins }
    "/v1/plugins/metrics" { get plugins::metrics }
    "/v1/plugins/{id}" { get plugins::get_plugin, delete plugins::remove }
    "/v1/plugins/{id}/grants" { put plugins::put_grants }
    "/v1/plugins/{id}/config" { put plugins::put_config }
    "/v1/plugins/{id}/limits" { put plugins::put_limits }
    "/v1/plugins/{id}/rollout" { put plugins::put_rollout }
    "/v1/plugins/{id}/rollback" { post plugins::roll_back }
    "/v1/plugins/{id}/failures" { get plugins::failures::list }
    "/v1/plugins/{id}/ask" { post plugins::ask }
    "/v1/vendors/{vendor}/keys" { get plugins::get_keys, put plugins::put_keys }
    "/v1/deliveries" { get plugins::deliveries::list }
    "/v1/deliveries/{id}/retry" { post plugins::deliveries::retry }
    "/v1/openapi.json" { get openapi::described }
    "/v1/docs" { get openapi::page }
    "/healthz" { get overview::health, head overview::health }
    "/readyz" { get overview::ready, head overview::ready }
}

fn not_allowed(methods: &[&str]) -> HttpResponse {
    let methods = methods.join(", ").to_uppercase();
    let mut response = Problem::method_not_allowed(format!("use {methods}")).error_response();
    if let Ok(value) = HeaderValue::from_str(&methods) {
        response.headers_mut().insert(ALLOW, value);
    }
    response
}

async fn nowhere(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Err(Problem::not_found(format!("there is nothing at {}", request.path())))
}
