//! `GET /v1/policies` and `GET /healthz`.
use crate::rulebook::LANGUAGE;
use crate::server::state::State;
use actix_web::{HttpResponse, web};
use serde_json::json;

/// Which policies govern which store.
pub async fn policies(state: web::Data<State>) -> HttpResponse {
    let registry = state.registry.load();
    let stores: Vec<_> = registry.stores().map(|s| s.overview()).collect();
    HttpResponse::Ok().json(json!({ "language": LANGUAGE, "stores": stores }))
}

/// Whether the server serves, and whether what is on disk is what it serves.
pub async fn health(state: web::Data<State>) -> HttpResponse {
    let registry = state.registry.load();
    HttpResponse::Ok().json(json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "language": LANGUAGE,
        "stores": registry.stores().count(),
        "reload": &**state.reload.load(),
    }))
}
