//! The counter: what happens when a sale, a return, an enrolment, a redemption or a year's end comes in.
//!
//! Each operation resolves facts from the records, decides by the policy in force, and records the outcome with the
//! decision in one transaction; a decision that was computed elsewhere is never believed. Nothing here knows HTTP.
pub mod allocate;
pub mod desk;
pub mod facts;
pub mod members;
pub mod money;
pub mod plugged;
pub mod points;
pub mod replay;
pub mod returns;
pub mod sale;
pub mod settle;
pub mod stored;
pub mod stores;
pub mod tickets;

pub use desk::{Desk, When};
pub use money::Money;
