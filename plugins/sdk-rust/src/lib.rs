//! The kit for a Zhanggui plugin in Rust.
//!
//! A plugin is a type with one or more hooks, and one line that exports them:
//!
//! ```
//! use zhanggui_plugin::prelude::*;
//!
//! struct Plugin;
//!
//! impl Facts for Plugin {
//!     fn decide(call: &Call, _responses: &Responses) -> Result<FactsStep, Error> {
//!         match call.function.as_str() {
//!             "is_large" => Ok(FactsStep::Answer(Value::Truth(call.money("paid")?.minor >= 100_000))),
//!             other => Err(Error::Unsupported(other.to_owned())),
//!         }
//!     }
//! }
//!
//! zhanggui_plugin::export!(Plugin: facts);
//! ```
//!
//! Everything runs natively in `cargo test` as well: settings, log and store are then the doubles of [`test`].
#[doc(hidden)]
pub mod bindings;
mod call;
pub mod config;
mod export;
mod hooks;
mod host;
mod http;
mod json;
pub mod kv;
pub mod log;
mod money;
#[cfg(not(target_arch = "wasm32"))]
pub mod test;
mod value;

pub use bindings::words::zhanggui::plugin::types::{
    Call, Field, HttpAnswer, HttpFailure, HttpRequest, HttpResponse, Money, PluginError as Error, Quantity, Reason, Row,
    Table, Value,
};
pub use call::Reads;
pub use hooks::{Check, CheckStep, Facts, FactsStep, Notify, NotifyStep, Quotation, Quote, QuoteStep};
pub use http::{encode, Responses};
pub use json::Json;
pub use money::{Decimal, Rounding};

#[doc(hidden)]
pub use export::begin;

/// Everything that a plugin usually names.
pub mod prelude {
    pub use crate::{
        config, encode, log, Call, Check, CheckStep, Decimal, Error, Facts, FactsStep, Field, HttpAnswer, HttpFailure,
        HttpRequest, HttpResponse, Json, Money, Notify, NotifyStep, Quantity, Quotation, Quote, QuoteStep, Reads, Reason,
        Responses, Rounding, Row, Table, Value,
    };
}
