//! The typed rulebook: what the checker proves and the evaluators read.
//!
//! Invariants (the checker's promise):
//! - every name is resolved to an id, every expression has its type, every id is in range;
//! - overrides, outputs, lets and calls are acyclic;
//! - money and unit values that leave a program are on their step;
//! - a value read as `T` where the declaration says `T?` is wrapped in [`ExprKind::Present`] and is never absent there.
/// Ids: indices that cannot be mistaken for those of another table.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);
        impl $name {
            /// The index into the table that this id belongs to.
            pub fn ix(self) -> usize { self.0 as usize }
        }
    )+ };
}

mod cases;
mod expr;
mod policy;
pub mod visit;
mod vocab;

pub use cases::*;
pub use expr::*;
pub use policy::*;
pub use vocab::*;
