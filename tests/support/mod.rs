//! What the tests on the meaning share: texts to linked programs, and random policies with random facts.
#![allow(dead_code, reason = "each test file uses its part")]
pub mod blind;
pub mod facts;
pub mod generate;
pub mod grow;
pub mod literals;
pub mod program;
pub mod rng;
mod tables;
