//! The language server: what an editor asks while a policy is being written.
//!
//! Texts that are open and not saved stand for their files; the rulebook that a text belongs to is parsed where it
//! changed, checked, and its findings are told for all its files. Nothing here decides anything but a case that is run.
mod actions;
mod analysed;
mod books;
mod buffers;
mod complete;
mod findings;
mod format;
mod hover;
mod names;
mod outline;
mod place;
mod rename;
mod run;
mod session;
mod transport;

pub use session::{Ended, serve};
