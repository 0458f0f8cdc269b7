//! What a till says of a sale.
use crate::counter::money::Money;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// The most lines of a receipt.
pub const MAX_LINES: usize = 500;

/// The most discounts, tenders and gifts of a receipt, each.
pub const MAX_PARTS: usize = 100;

/// A sale as the till reports it.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SaleRequest {
    pub store: String,
    pub terminal: String,
    /// The number on the receipt; with store, terminal and business date it names the sale.
    pub receipt: String,
    /// RFC 3339 with an offset; now, if it is left out.
    pub occurred_at: Option<String>,
    /// Staff number of who sold.
    pub actor: String,
    /// The card that was presented at the purchase.
    pub card: Option<String>,
    /// `in_store` or `remote`, or another word of the vocabulary.
    #[serde(default = "in_store")]
    pub channel: String,
    /// Date of delivery of a remote sale, if it has been delivered.
    pub signed_for: Option<String>,
    pub lines: Vec<LineRequest>,
    /// Discounts and coupons on the whole receipt; they are allocated to the lines.
    #[serde(default)]
    pub discounts: Vec<DiscountRequest>,
    pub tenders: Vec<TenderRequest>,
    /// Gifts and coupons handed out with the purchase.
    #[serde(default)]
    pub gifts: Vec<GiftRequest>,
    /// The invoice issued on the receipt.
    pub invoice: Option<String>,
}

fn in_store() -> String {
    "in_store".into()
}

/// A line of a receipt.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LineRequest {
    pub sku: String,
    pub area: String,
    pub category: String,
    pub season: Option<String>,
    pub counter: Option<String>,
    /// Units; goods by weight are one unit.
    pub quantity: i32,
    pub list_price: Money,
    /// Price per unit before the member's discount.
    pub shelf_price: Money,
    #[serde(default)]
    pub member_discount: bool,
    #[serde(default)]
    pub bulk: bool,
    /// What else is known of the article: `clearance`, `customised`, `confirmed_no_return`, …
    #[serde(default)]
    #[schema(value_type = Object)]
    pub facts: Map<String, Value>,
}

/// A discount on the whole receipt.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscountRequest {
    pub reference: String,
    pub amount: Money,
}

/// A means of payment.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TenderRequest {
    /// `cash`, `card`, …; the name of a ledger of stored money; or `voucher`.
    pub kind: String,
    /// The voucher's number, the card's token, …
    #[serde(default)]
    pub reference: String,
    pub amount: Money,
}

/// A gift or coupon handed out with a purchase.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GiftRequest {
    /// Names the gift when it comes back; a second one of the same name on the receipt is `name#2`.
    pub reference: String,
    /// What had to be spent for it.
    pub threshold: Option<Money>,
    pub worth: Money,
}
