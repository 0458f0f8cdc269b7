//! Two versions of rulebooks beside each other: which facts they decide otherwise.
//!
//! Invariants: every difference that is told was decided by both versions; nothing found is no proof, and says how many
//! facts were looked at; the same folders give the same bytes.
mod changes;
mod decide;
mod fit;
mod recorded;
mod region;
mod search;
mod sides;
mod text;

pub use recorded::{Amounts, Example, Recorded, Transition, Unread, recorded};
pub use search::{Change, Difference, Searched, searched};
pub use sides::{Pair, Sides};
pub use text::{recorded_text, searched_text};
