//! What the fuzz targets share.
pub mod bytes;
pub mod clock;
pub mod given;
pub mod mutant;
pub mod spans;
#[path = "../../tests/support/mod.rs"]
pub mod support;
