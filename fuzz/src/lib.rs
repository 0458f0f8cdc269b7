//! What the fuzz targets share.
pub mod bytes;
pub mod clock;
pub mod given;
pub mod spans;
