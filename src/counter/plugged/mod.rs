//! Facts that plugins answer: found out between evaluations, never within a transaction, and recorded with what they
//! came to.
//!
//! An evaluation says which facts it lacks. Those that the vocabulary declares `from plugin` become questions; whoever
//! runs the operation asks them all at once ([`Asking`]) and runs it again on the same facts with the answers. What no
//! plugin answers, `on failure` answers. Nothing here waits, and nothing here knows what a plugin is made of.
mod facts;
pub mod fit;
mod heard;
mod note;
mod paths;
mod question;
mod settle;
mod values;

pub use fit::{Misfit, fits};
pub use heard::{Asking, Heard, Nobody};
pub use note::{Note, explained, notes_of};
pub use question::Question;
pub(super) use settle::whys;
pub use settle::{Place, Ruled, Settled, Settling, at_once, settle};

/// How often one operation may ask before `on failure` holds for what is still missing.
pub const MAX_ROUNDS: u32 = 8;
/// How many facts of one decision plugins may answer.
pub const MAX_CALLS: usize = 256;
/// Responses of servers up to this size, in bytes of JSON, are kept whole with the decision that went by them.
pub const RESPONSES_KEPT: usize = 64 << 10;
