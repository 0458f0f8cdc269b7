//! Plugins' HTTP requests: what tries to get around the grants, the deadline, the limits and the secrets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails should say where"
)]
mod broker {
    mod memory;
    mod reach;
    mod secrets;
    mod spelling;
    mod support;
    mod time;
    mod tls;
}
