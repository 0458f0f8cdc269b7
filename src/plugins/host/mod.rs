//! The host: runs vendors' components within limits, and says by name what went wrong.
pub mod limits;
pub use limits::Limits;
