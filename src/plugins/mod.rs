//! Plugins: vendors' wasm components, called with limits, answered for by grants, and never able to harm the host.
//!
//! Nothing here knows of policies, records or HTTP routes: facts come in as the contract's words, answers go out the
//! same way.
pub mod ask;
pub mod broker;
pub mod build;
pub mod contract;
pub mod host;
pub mod installed;
pub mod kv;
pub mod manifest;
pub mod package;
pub mod web;
