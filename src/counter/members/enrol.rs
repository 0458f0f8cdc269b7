//! Enrolment: on receipts of the day that nobody else enrolled with, on a group order, or for an old card.
use super::{audit, is_number, tier::grant};
use crate::counter::desk::{Desk, When};
use crate::counter::facts;
use crate::counter::money::Money;
use crate::counter::tickets::IDENTITY_KEY;
use crate::program::iso::parse_date;
use crate::records::engine::hex;
use crate::records::entity::{card, event, identity, member, person, tier_grant};
use crate::records::{Answer, Operation, Refusal, Stop, Unit, Want, ids};
use hmac::{Hmac, KeyInit, Mac};
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::Sha256;
use utoipa::ToSchema;

/// Who applies, and what they show.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolRequest {
    pub store: String,
    pub occurred_at: Option<String>,
    pub actor: String,
    /// The member's number, unique in the chain.
    pub number: String,
    /// The card handed out.
    pub card: String,
    pub applicant: ApplicantRequest,
    /// The identity document; kept as a keyed hash, and only one member may have it.
    pub identity: Option<IdentityRequest>,
    /// Ids of the receipts that qualify; each counts once in its life.
    #[serde(default)]
    pub receipts: Vec<Uuid>,
    /// What was seen at the desk: `id_shown`, `form_filled`, `details_confirmed`, `old_card_given`, …
    #[serde(default)]
    #[schema(value_type = Object)]
    pub visit: Map<String, Value>,
}

/// The application form.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplicantRequest {
    /// `one_day_spend`, `group_order`, `pickup_cards`, `old_card`, …
    pub ground: String,
    pub name: Option<String>,
    pub phone: Option<String>,
    pub address: Option<String>,
    pub birthday: Option<String>,
    pub group_amount: Option<Money>,
    pub pickup_amount: Option<Money>,
    pub persons: Option<i64>,
}

/// An identity document.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityRequest {
    pub kind: String,
    pub number: String,
}

impl IdentityRequest {
    /// What is kept of it: HMAC-SHA256 of kind and number, hex. Without a key, whoever has the database could count
    /// through all numbers. None if the key is none.
    pub fn hash(&self, key: &str) -> Option<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).ok()?;
        for part in [&self.kind, &self.number] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        Some(hex(&mac.finalize().into_bytes()))
    }
}

/// Enrols a member.
#[derive(Clone, Debug)]
pub struct EnrolMember {
    pub desk: Desk,
    pub request: EnrolRequest,
}

impl Operation for EnrolMember {
    fn hints(&self) -> Vec<Want> {
        let request = &self.request;
        let mut wants = vec![
            Want::Member(ids::member(&request.number)),
            Want::Card(request.card.clone()),
            Want::Rulebook(self.desk.digest()),
            Want::Store(self.desk.store().to_owned()),
        ];
        wants.extend(request.identity.iter().map(|_| Want::Secret(IDENTITY_KEY.to_owned())));
        wants.extend(request.receipts.iter().flat_map(|id| [Want::Sale(*id), Want::Qualified(*id)]));
        wants
    }

    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        unit.need_all(self.hints())?;
        let request = &self.request;
        let when = self.desk.when(unit, request.occurred_at.as_deref())?;
        let id = ids::member(&request.number);
        self.check_free(unit, id)?;
        let document = self.document(unit)?;
        let birthday = self.birthday()?;
        let spend = self.day_spend(unit, &when)?;
        let ruling =
            self.desk.decide("enrol", self.facts(spend, &when)?, &json!({ "visit": request.visit }))?;
        if !ruling.allows() {
            let detail = "the conditions of enrolment are not met".to_owned();
            let more = json!({ "decision": ruling.answer() });
            let refusal = Refusal::new(409, "enrolment-refused", "Enrolment is refused", detail);
            return Err(refusal.with(more.to_string()).for_now().into());
        }
        let row = member::Model {
            id,
            number: request.number.clone(),
            status: "active".into(),
            merged_into: None,
            tier: None,
            enrolled_store: self.desk.store().to_owned(),
            enrolled_on: when.date,
            enrolled_at: unit.now,
            version: 1,
        };
        let applicant = &request.applicant;
        unit.t.members.put(row.clone());
        unit.t.persons.put(person::Model {
            member_id: id,
            name: applicant.name.clone(),
            phone: applicant.phone.clone(),
            address: applicant.address.clone(),
            birthday,
        });
        unit.t.cards.put(card::Model {
            number: request.card.clone(),
            member_id: id,
            status: "active".into(),
            replaced_by: None,
            issued_at: when.occurred_at,
            ended_at: None,
        });
        if let Some((hash, kind)) = document {
            unit.t.identities.put(identity::Model { hash, kind, member_id: id, seen_at: unit.now });
        }
        let decision = self.desk.log(unit, &ruling, "enrolment", id, &request.actor)?;
        let grade = ruling.text("grade").map(str::to_owned);
        if let Some(grade) = &grade {
            grant(unit, &row, grade, &applicant.ground, &when, None, Some(decision));
        }
        for sale in &request.receipts {
            unit.t.tier_grants.put(tier_grant::Model {
                id: ids::named(&["qualifying receipt", &sale.to_string()]),
                member_id: id,
                tier: grade.clone().unwrap_or_default(),
                reason: "receipt".into(),
                from_date: when.date,
                sale_id: Some(*sale),
                decision_id: Some(decision),
                granted_at: when.occurred_at,
            });
        }
        let data = json!({ "ground": applicant.ground, "card": request.card, "receipts": request.receipts });
        audit(unit, id, "enrolled", self.desk.store(), &request.actor, id, data);
        let told = json!({
            "member": request.number,
            "card": request.card,
            "tier": grade,
            "cards_granted": ruling.outcome.get("cards"),
            "decision": decision,
        });
        unit.t.events.put(event::Model {
            id: ids::dated(when.date, &["event", "enrolled", &id.to_string()]),
            kind: "member.enrolled".into(),
            store: self.desk.store().to_owned(),
            data: told.to_string(),
            recorded_at: unit.now,
        });
        Ok(Answer { status: 201, body: told.to_string() })
    }
}

impl EnrolMember {
    fn check_free(&self, unit: &Unit, id: Uuid) -> Result<(), Stop> {
        let request = &self.request;
        let taken = |code, title, path: &str, detail: String| {
            Err(Stop::Refused(Refusal::new(409, code, title, detail).at(path)))
        };
        for (path, text) in [("number", &request.number), ("card", &request.card)] {
            if !is_number(text) {
                let detail = format!("{path}: between 1 and 60 characters");
                return Err(Refusal::new(422, "malformed-enrolment", "This cannot be a number", detail)
                    .at(path)
                    .into());
            }
        }
        if unit.t.members.get(&id).is_some() {
            return taken(
                "member-exists",
                "The number is taken",
                "number",
                format!("member {} exists", request.number),
            );
        }
        if unit.card_member(&request.card).is_some() {
            return taken(
                "card-exists",
                "The card is taken",
                "card",
                format!("card {} exists", request.card),
            );
        }
        Ok(())
    }

    /// The applicant's document, as it is kept, and its kind. Refused where a member has it who was not erased.
    fn document(&self, unit: &Unit) -> Result<Option<(String, String)>, Stop> {
        let Some(document) = &self.request.identity else { return Ok(None) };
        let key = unit.t.secrets.get(&IDENTITY_KEY.to_owned());
        let hash = key.and_then(|key| document.hash(&key.value)).ok_or_else(|| {
            let detail = "the key that identity documents are kept under is not there yet";
            Refusal::new(503, "no-identity-key", "Documents cannot be kept", detail).for_now()
        })?;
        unit.need([Want::Identity(hash.clone())])?;
        if let Some(owner) = unit.identity_member(&hash) {
            unit.need([Want::Member(owner)])?;
            if unit.t.members.get(&owner).is_none_or(|m| m.status != "erased") {
                let detail = "a member with this identity document exists".to_owned();
                return Err(Refusal::new(409, "identity-known", "This person is a member", detail)
                    .at("identity")
                    .into());
            }
        }
        Ok(Some((hash, document.kind.clone())))
    }

    fn birthday(&self) -> Result<Option<i32>, Stop> {
        let Some(text) = &self.request.applicant.birthday else { return Ok(None) };
        parse_date(text).map(Some).ok_or_else(|| {
            let detail = format!("{text:?} is not a date");
            Refusal::new(422, "malformed-enrolment", "The birthday cannot be read", detail)
                .at("applicant.birthday")
                .into()
        })
    }

    /// What the receipts come to, net of what came back.
    fn day_spend(&self, unit: &Unit, when: &When) -> Result<i64, Stop> {
        let mut spend = 0;
        for (i, id) in self.request.receipts.iter().enumerate() {
            let path = format!("receipts[{i}]");
            let refuse = |code, detail: String| {
                Err(Stop::Refused(
                    Refusal::new(409, code, "The receipt does not count", detail).at(path.clone()),
                ))
            };
            let Some(sale) = unit.t.sales.get(id) else {
                let refusal = Refusal::new(
                    409,
                    "unknown-sale",
                    "The sale is not recorded",
                    format!("there is no sale {id}"),
                );
                return Err(refusal.at(path).for_now().into());
            };
            let used = unit.t.tier_grants.range((Uuid::nil(), Uuid::nil())..=(Uuid::max(), Uuid::max()));
            if used.filter(|g| g.reason == "receipt").any(|g| g.sale_id == Some(*id)) {
                return refuse("receipt-used", format!("sale {id} was used for another enrolment"));
            }
            if sale.business_date != when.date {
                return refuse(
                    "receipt-of-another-day",
                    format!("sale {id} is not of the day of the application"),
                );
            }
            if self.request.receipts.iter().skip(i + 1).any(|other| other == id) {
                return refuse("receipt-used", format!("sale {id} is named twice"));
            }
            let back: i64 =
                unit.sale_returns(*id).iter().filter(|r| r.status == "recorded").map(|r| r.refund).sum();
            spend += sale.total - back;
        }
        Ok(spend)
    }

    fn facts(&self, spend: i64, when: &When) -> Result<Value, Stop> {
        let (applicant, money) = (&self.request.applicant, self.desk.currency());
        let amount = |given: Option<Money>, path: &str| -> Result<String, Stop> {
            Ok(money.text(given.map(|m| self.desk.minor(m, path)).transpose()?.unwrap_or(0)))
        };
        Ok(json!({
            "applicant": {
                "ground": applicant.ground,
                "name": facts::stated(applicant.name.as_deref()),
                "phone": facts::stated(applicant.phone.as_deref()),
                "address": facts::stated(applicant.address.as_deref()),
                "day_spend": money.text(spend),
                "group_amount": amount(applicant.group_amount, "applicant.group_amount")?,
                "pickup_amount": amount(applicant.pickup_amount, "applicant.pickup_amount")?,
                "persons": applicant.persons.unwrap_or(1),
            },
            "today": facts::date(when.date),
        }))
    }
}
