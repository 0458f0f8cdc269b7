//! What comes back: looked at, approved, recorded, exchanged, taken back again.
//!
//! Invariants: units come back once; what goes back for a line sums to what was paid for it, in every order and split;
//! stored value never becomes cash; a ticket is used once and decides nothing: the record does.
mod evaluate;
mod judge;
mod purchase;
mod request;
mod tender;
mod units;

pub use evaluate::EvaluateReturn;
pub use request::{
    ApproveRequest, DueSettled, EvaluateRequest, ExchangeRequest, FinalLine, GiftState, LineBack,
    PrintedReceipt, RecordRequest, RefundTo, Slip, VoidRequest,
};
