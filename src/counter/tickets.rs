//! Return tickets: what an evaluation allowed, signed, so that the till can bring it back and nobody can change it.
//!
//! A ticket is `payload.signature`, both base64url; the signature is HMAC-SHA256 over the payload's text under a key
//! that the nodes share. A ticket allows nothing by itself: recording decides again.
use crate::counter::returns::Slip;
use crate::records::entity::secret;
use crate::records::{Answer, Operation, Refusal, Stop, Unit, Want};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// The name of the key that tickets are signed with.
pub const KEY: &str = "ticket";
/// The name of the key that identity documents are kept under.
pub const IDENTITY_KEY: &str = "identity";
/// Longer tickets are not looked at.
const MAX_LENGTH: usize = 1 << 20;

/// What a ticket says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ticket {
    pub id: Uuid,
    /// Where the goods were brought back.
    pub store: String,
    /// Staff number of who asked.
    pub requester: String,
    /// What was said and is brought back.
    pub slip: Slip,
    pub lines: Vec<TicketLine>,
    /// Digest of the rulebook that decided.
    pub digest: String,
    /// The least role that has to approve, if any has to.
    pub approver: Option<String>,
    /// The slip's refund in smallest units of the currency; 0 for an exchange.
    pub amount: i64,
    /// Epoch microseconds.
    pub issued_at: i64,
    /// Epoch microseconds.
    pub expires_at: i64,
}

/// A line of a ticket, in the order of the slip's lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TicketLine {
    pub line: i32,
    pub quantity: i32,
    /// In smallest units of the currency.
    pub value: i64,
}

fn mac(key: &str) -> Result<Hmac<Sha256>, Stop> {
    Hmac::<Sha256>::new_from_slice(key.as_bytes()).map_err(|_| no_key())
}

fn no_key() -> Stop {
    let detail = "the key that tickets are signed with is not there yet";
    Refusal::new(503, "no-ticket-key", "Tickets cannot be signed", detail).for_now().into()
}

/// The key; `Want::Secret("ticket")` is asked for.
fn key(unit: &Unit) -> Result<String, Stop> {
    unit.need([Want::Secret(KEY.to_owned())])?;
    unit.t.secrets.get(&KEY.to_owned()).map(|s| s.value.clone()).ok_or_else(no_key)
}

impl Ticket {
    /// The ticket as text; refused with 503 while there is no key.
    pub fn sign(&self, unit: &Unit) -> Result<String, Stop> {
        let mut mac = mac(&key(unit)?)?;
        let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default());
        mac.update(payload.as_bytes());
        Ok(format!("{payload}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())))
    }

    /// Reads a ticket that this house signed and that is still good at `unit.now`.
    /// Refused with 422 `ticket-invalid` or 409 `ticket-expired`.
    pub fn open(unit: &Unit, text: &str) -> Result<Ticket, Stop> {
        let invalid = || {
            let detail = "this house did not sign it, or it was changed";
            Stop::Refused(Refusal::new(422, "ticket-invalid", "The ticket is not valid", detail).at("ticket"))
        };
        let key = key(unit)?;
        let (payload, signature) =
            text.split_once('.').filter(|_| text.len() <= MAX_LENGTH).ok_or_else(invalid)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| invalid())?;
        let mut mac = mac(&key)?;
        mac.update(payload.as_bytes());
        // In constant time: how much of a forged signature is right must not show.
        mac.verify_slice(&signature).map_err(|_| invalid())?;
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| invalid())?;
        let ticket: Ticket = serde_json::from_slice(&payload).map_err(|_| invalid())?;
        if ticket.expires_at <= unit.now {
            let detail = "evaluate the return again";
            return Err(Refusal::new(409, "ticket-expired", "The ticket's time is over", detail)
                .at("ticket")
                .into());
        }
        Ok(ticket)
    }
}

/// Sees to it that a shared key is there; an existing one stays.
#[derive(Clone)]
pub struct EnsureSecret {
    pub name: String,
    /// The key to take if there is none: drawn by the caller ([`fresh_key`]), as operations draw nothing.
    pub value: String,
}

impl Operation for EnsureSecret {
    fn hints(&self) -> Vec<Want> {
        vec![Want::Secret(self.name.clone())]
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        unit.need_all(self.hints())?;
        if unit.t.secrets.get(&self.name).is_none() {
            unit.t.secrets.put(secret::Model { name: self.name.clone(), value: self.value.clone() });
        }
        Ok(Answer { status: 204, body: String::new() })
    }
}

/// 256 random bits as text, from the operating system; `Err` if it has none to give.
pub fn fresh_key() -> std::io::Result<String> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|e| std::io::Error::other(e.to_string()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(key: &str) -> Unit {
        let mut unit = Unit::new(1_000);
        unit.t.secrets.load(secret::Model { name: KEY.into(), value: key.into() });
        unit.note_loaded(Want::Secret(KEY.into()));
        unit
    }

    #[test]
    fn only_what_was_signed_opens() {
        let ticket = Ticket {
            id: Uuid::nil(),
            store: "s001".into(),
            requester: "e1".into(),
            slip: Slip::default(),
            lines: vec![TicketLine { line: 0, quantity: 1, value: 5 }],
            digest: "d".into(),
            approver: None,
            amount: 5,
            issued_at: 0,
            expires_at: 2_000,
        };
        let text = ticket.sign(&unit("k")).unwrap();
        assert_eq!(Ticket::open(&unit("k"), &text).unwrap(), ticket);
        let code = |unit: &Unit, text: &str| match Ticket::open(unit, text) {
            Err(Stop::Refused(refusal)) => refusal.code,
            other => panic!("{other:?}"),
        };
        assert_eq!(code(&unit("other"), &text), "ticket-invalid");
        for at in [0, text.len() / 2, text.len() - 2] {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(code(&unit("k"), &String::from_utf8(bytes).unwrap()), "ticket-invalid");
        }
        assert_eq!(code(&unit("k"), "x"), "ticket-invalid");
        let mut late = unit("k");
        late.now = 2_000;
        assert_eq!(code(&late, &text), "ticket-expired");
        assert!(fresh_key().unwrap().len() > 40);
    }
}
