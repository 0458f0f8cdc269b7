//! What a desk tells of a return that it has taken without asking.
use crate::counter::desk::Desk;
use crate::counter::money::Money;
use crate::counter::returns::dues;
use crate::counter::returns::request::{DueSettled, GiftState, LineBack, MAX_LINES, PrintedReceipt, Slip};
use crate::counter::sale::MAX_PARTS;
use crate::program::iso::parse_date;
use crate::records::{Refusal, Stop, ids};
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// The only remedy that is paid without a line.
pub const MONEY_BACK: &str = "money_back";

/// A return that was taken while there was no line to the server: the goods are back, the money is paid. Whatever the
/// policy says of it later, that is so.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfflineReturnRequest {
    /// Where the goods were brought back.
    pub store: String,
    pub terminal: String,
    /// The number of the return's own slip; with store, terminal and business date it names the return.
    pub slip: String,
    /// When the goods came back: RFC 3339 with an offset.
    pub occurred_at: String,
    /// Staff number of who took the goods and paid.
    pub actor: String,
    /// Who approved it at the desk, if anybody did.
    pub approved: Option<Approved>,
    /// The sale by what is printed on its receipt; it may arrive later.
    pub printed: PrintedReceipt,
    pub lines: Vec<LineBack>,
    /// The money that the customer was given; empty if there was none.
    pub paid_out: Vec<PaidOut>,
    /// What the customer showed: `till_slip`, `customer_copy`, `invoice`.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub receipt: Map<String, Value>,
    /// `reason`, `inquiry`, `salesperson`, … in the vocabulary's words.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub request: Map<String, Value>,
    /// Gifts of the purchase that had been used.
    #[serde(default)]
    pub gifts: Vec<GiftState>,
    /// What the customer gave beside the goods, or what was kept back from the money.
    #[serde(default)]
    pub dues: Vec<DueSettled>,
    /// Other facts that the desk was asked for.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub facts: Map<String, Value>,
}

/// An approval that was given at the desk.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approved {
    /// Staff number of the approver.
    pub approver: String,
    /// The approver's role, in the vocabulary's words.
    pub role: String,
    /// The customer's staff number, if the customer is staff.
    pub customer_person: Option<String>,
}

/// Money that a customer was given.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaidOut {
    /// A tender: `cash`, `card`, …; stored value (the name of a ledger of money, `voucher`) is put back when the return is
    /// recorded.
    pub kind: String,
    /// The card's token, the voucher's number, …; the purchase's if left out.
    #[serde(default)]
    pub reference: String,
    pub amount: Money,
}

impl OfflineReturnRequest {
    /// Refused with 422 where it could not be recorded whatever its sale turns out to be.
    pub fn check(&self, desk: &Desk) -> Result<(), Stop> {
        let refuse = |path: String, detail: &str| {
            let refusal = Refusal::new(422, "malformed-return", "The return cannot be", detail);
            Err(Stop::Refused(refusal.at(path)))
        };
        for (name, text) in [
            ("terminal", &self.terminal),
            ("slip", &self.slip),
            ("printed.store", &self.printed.store),
            ("printed.terminal", &self.printed.terminal),
            ("printed.receipt", &self.printed.receipt),
        ] {
            if text.is_empty() || text.len() > 100 {
                return refuse(name.to_owned(), "between 1 and 100 characters");
            }
        }
        if self.lines.is_empty() || self.lines.len() > MAX_LINES {
            return refuse("lines".to_owned(), &format!("a slip has 1 to {MAX_LINES} lines"));
        }
        if let Some(at) = self.lines.iter().position(|l| l.quantity < 1) {
            return refuse(format!("lines[{at}].quantity"), "a quantity is at least 1");
        }
        if self.paid_out.len() > MAX_PARTS {
            return refuse("paid_out".to_owned(), &format!("at most {MAX_PARTS} payments"));
        }
        if let Some(at) = self.paid_out.iter().position(|p| p.amount.0.is_sign_negative()) {
            return refuse(format!("paid_out[{at}].amount"), "an amount is not below zero");
        }
        if self.as_slip(None).remedy() != MONEY_BACK {
            let detail = "only money back is taken without a line; an exchange needs its ticket";
            return refuse("request.wants".to_owned(), detail);
        }
        dues::check(&self.dues)?;
        self.sale()?;
        self.paid(desk)?;
        Ok(())
    }

    /// What names the return; `date` is its business date.
    pub fn id(&self, date: i32) -> Uuid {
        ids::dated(date, &["offline return", &self.store, &self.terminal, &self.slip])
    }

    /// The id of the sale, which follows from what is printed. Refused if the date cannot be read.
    pub fn sale(&self) -> Result<Uuid, Stop> {
        let printed = &self.printed;
        let day = parse_date(&printed.date).ok_or_else(|| {
            let detail = format!("{:?} is not a date", printed.date);
            Refusal::new(422, "malformed-return", "The return cannot be", detail).at("printed.date")
        })?;
        Ok(ids::sale(&printed.store, &printed.terminal, &printed.receipt, day))
    }

    /// What the customer was given together, in smallest units.
    pub fn paid(&self, desk: &Desk) -> Result<i64, Stop> {
        let mut sum = 0i64;
        for (at, paid) in self.paid_out.iter().enumerate() {
            let path = format!("paid_out[{at}].amount");
            let amount = desk.minor(paid.amount, &path)?;
            sum = sum.checked_add(amount).filter(|sum| *sum < 1 << 53).ok_or_else(|| {
                let detail = "the payments together are more than is kept";
                Refusal::new(422, "out-of-range", "A number is too large", detail).at(path)
            })?;
        }
        Ok(sum)
    }

    /// What an evaluation would have been told.
    pub fn as_slip(&self, sale: Option<Uuid>) -> Slip {
        let mut request = self.request.clone();
        request.entry("wants").or_insert_with(|| MONEY_BACK.into());
        Slip {
            sale,
            lines: self.lines.clone(),
            receipt: self.receipt.clone(),
            request,
            gifts: self.gifts.clone(),
            facts: self.facts.clone(),
        }
    }
}
