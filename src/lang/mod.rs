//! Text to typed policy: parse, names, types, diagnostics.
pub mod accept;
pub mod ast;
pub mod check;
pub mod confirm;
pub mod diagnostic;
pub mod index;
pub mod mend;
pub mod near;
pub mod pages;
pub mod source;
pub mod syntax;
pub mod typed;
