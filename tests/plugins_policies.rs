//! Facts that plugins answer, from the vocabulary to the record: asked at once and outside of transactions, checked,
//! replaced by what the vocabulary says where they fail, recorded, and decided again without any plugin.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails should say where"
)]
mod common;
#[path = "plugins/contracts.rs"]
mod contracts;
#[path = "plugins/desk.rs"]
mod desk;
#[path = "plugins/doubles.rs"]
mod doubles;
#[path = "plugins/recorded.rs"]
mod recorded;
#[path = "plugins/shop.rs"]
mod shop;
