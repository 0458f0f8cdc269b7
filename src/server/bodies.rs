//! Bodies of writes whose operations have no request of their own.
use crate::counter::Money;
use serde::Deserialize;
use utoipa::ToSchema;

/// Who does it, and where.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActRequest {
    pub store: String,
    /// Staff number.
    pub actor: String,
}

/// Who does it, where, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonRequest {
    pub store: String,
    /// Staff number.
    pub actor: String,
    pub reason: String,
}

/// Spends what a hold set aside.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureRequest {
    pub store: String,
    /// Staff number.
    pub actor: String,
    /// Up to the whole, which it is if left out; the rest is free again.
    pub amount: Option<Money>,
}

/// A counter of a store.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CounterRequest {
    pub name: String,
}

/// Closes a store's books through a day.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClosingRequest {
    /// The last day that is closed, `2026-06-30`; it has to be over.
    pub closed_through: String,
    /// Staff number.
    pub actor: String,
    /// Needed where days are opened again.
    pub reason: Option<String>,
}
