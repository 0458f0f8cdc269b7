//! Zhanggui (掌柜): retail policies as text, compiled into evaluators, decided with reasons.
//!
//! Arrows run one way: `lang` (text to typed policy) ← `program` (evaluators) ← `rulebook` (what governs a store)
//! ← `analysis` (what is wrong with a rulebook, with facts that show it) ← `cases`, `lsp`, `cli`. Beside them stand
//! `records` (what happened, kept) and `plugins` (vendors' components), which know of no policy; `counter` brings all of
//! these together, and `server` and `cli` are the doors to it. `tests/architecture.rs` holds the whole list.
pub mod analysis;
pub mod cases;
pub mod cli;
pub mod compare;
pub mod counter;
pub mod drill;
pub mod format;
pub mod lang;
pub mod lsp;
pub mod plugins;
pub mod program;
pub mod records;
pub mod rulebook;
pub mod server;
pub mod show;
