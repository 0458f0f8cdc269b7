//! What callers say about a return.
use crate::counter::sale::SaleRequest;
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// The most lines of a slip.
pub const MAX_LINES: usize = 200;

/// A return to be looked at: nothing is recorded.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EvaluateRequest {
    /// Where the goods are brought back.
    pub store: String,
    /// RFC 3339 with an offset; now, if it is left out.
    pub occurred_at: Option<String>,
    /// Staff number of who asks; this person cannot approve.
    pub actor: String,
    /// The sale's id. Left out together with `printed`: no receipt.
    pub sale: Option<Uuid>,
    /// The sale by what is printed on its receipt.
    pub printed: Option<PrintedReceipt>,
    pub lines: Vec<LineBack>,
    /// What the customer shows: `till_slip`, `customer_copy`, `invoice`; without a receipt also `date`, `channel`, …
    #[serde(default)]
    #[schema(value_type = Object)]
    pub receipt: Map<String, Value>,
    /// `reason`, `wants` (`money_back` or `exchange`), `inquiry`, `salesperson`, … in the vocabulary's words.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub request: Map<String, Value>,
    /// Gifts of the purchase that have been used; the others are there to be handed back.
    #[serde(default)]
    pub gifts: Vec<GiftState>,
    /// Other facts that the desk was asked for, such as those for which a plugin has no answer.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub facts: Map<String, Value>,
}

/// What names a sale on its receipt.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PrintedReceipt {
    pub store: String,
    pub terminal: String,
    pub receipt: String,
    /// The business date, `2026-07-01`.
    pub date: String,
}

/// Units of a line that come back.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LineBack {
    /// The number of the line on the receipt, from 0.
    pub line: i32,
    /// Units, at least 1.
    pub quantity: i32,
    /// What was found: `opened`, `finding`, `original`, …; `price_now` is for these units together.
    /// Without a receipt also `category`, `unit_price` and `paid`.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub item: Map<String, Value>,
}

/// Whether a gift or coupon has been used.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GiftState {
    pub reference: String,
    pub used: bool,
}

/// What is brought back and what was said about it: a ticket carries it to the record.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Slip {
    pub sale: Option<Uuid>,
    pub lines: Vec<LineBack>,
    pub receipt: Map<String, Value>,
    pub request: Map<String, Value>,
    pub gifts: Vec<GiftState>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub facts: Map<String, Value>,
}

impl Slip {
    /// What the customer asks for; money back if nothing is said.
    pub fn remedy(&self) -> &str {
        self.request.get("wants").and_then(Value::as_str).unwrap_or("money_back")
    }
    /// Whether goods are asked for instead of money.
    pub fn exchanges(&self) -> bool {
        self.remedy() == "exchange"
    }
}

/// An approver's answer to a ticket.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveRequest {
    pub store: String,
    pub occurred_at: Option<String>,
    pub ticket: String,
    /// Staff number of the approver.
    pub approver: String,
    /// The approver's role, in the vocabulary's words.
    pub role: String,
    /// The customer's staff number, if the customer is staff.
    pub customer_person: Option<String>,
    /// What is approved, if it is more than the slip: the money that an exchange for cheaper goods pays out.
    pub amount: Option<crate::counter::Money>,
}

/// The final result of a return.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordRequest {
    pub store: String,
    pub terminal: String,
    pub occurred_at: Option<String>,
    /// Staff number of who pays out.
    pub actor: String,
    pub ticket: String,
    /// What really came back, if it is less than the ticket says.
    pub lines: Option<Vec<FinalLine>>,
    /// Gifts that turned out to be used, or unused.
    #[serde(default)]
    pub gifts: Vec<GiftState>,
    /// How what is owed is settled. Gifts have to be said `handed_back`; money not mentioned is withheld.
    #[serde(default)]
    pub dues: Vec<DueSettled>,
    /// Where money goes if not to the first tender allowed.
    #[serde(default)]
    pub refund_to: Vec<RefundTo>,
}

/// Units of a line that really came back.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FinalLine {
    pub line: i32,
    pub quantity: i32,
}

/// How something owed is settled.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DueSettled {
    /// The gift's number, or as the evaluation says; for points their ledger.
    pub reference: String,
    /// `handed_back`, `paid` or `withheld` (from the refund).
    pub settled: String,
}

/// Where the money of one of the purchase's tenders goes.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundTo {
    /// The number of the tender on the receipt, from 0.
    pub tender: i32,
    /// A tender that the rulebook allows for it.
    pub kind: String,
    /// The card's token, the voucher's number, …; the purchase's if left out.
    pub reference: Option<String>,
}

/// Goods for goods, in one step.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExchangeRequest {
    #[serde(rename = "return")]
    pub returned: RecordRequest,
    /// The new goods. Its tenders are what the customer pays on top; what came back is carried over.
    pub sale: SaleRequest,
}

/// Takes a recorded return back.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VoidRequest {
    pub store: String,
    pub occurred_at: Option<String>,
    pub actor: String,
    pub reason: String,
}
