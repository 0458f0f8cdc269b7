//! What comes back: looked at, approved, recorded, exchanged, taken back again.
//!
//! Invariants: units come back once; what goes back for a line sums to what was paid for it, in every order and split;
//! stored value never becomes cash; a ticket is used once and decides nothing: the record does.
mod approve;
mod dues;
mod evaluate;
mod exchange;
mod judge;
mod offline;
mod payout;
mod points;
mod purchase;
mod record;
mod request;
mod tender;
mod traces;
mod units;
mod void;

pub use approve::ApproveReturn;
pub use evaluate::EvaluateReturn;
pub use exchange::ExchangeReturn;
pub use offline::{Approved, MatchOffline, OfflineReturnRequest, PaidOut, TakeOffline, offline_told};
pub use record::RecordReturn;
pub use request::{
    ApproveRequest, DueSettled, EvaluateRequest, ExchangeRequest, FinalLine, GiftState, LineBack,
    PrintedReceipt, RecordRequest, RefundTo, Slip, VoidRequest,
};
pub use void::VoidReturn;
