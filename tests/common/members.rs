//! Many members at once, with points: written through the engine, since enrolling them would take minutes.
use sea_orm::prelude::Uuid;
use std::sync::Arc;
use zhanggui::records::entity::member;
use zhanggui::records::ledger::{Cause, Life, credit};
use zhanggui::records::{
    Answer, Database, Engine, Job, Operation, Reply, Stop, SystemClock, Unit, Want, ids, migrate,
};

/// Brings the schema up to date and enrols members `S0`, `S1` and so on.
pub async fn found(url: &str, members: u64) {
    let database = Database::open(url).await.unwrap();
    migrate(&database).await.unwrap();
    let engine = Engine::new(database, SystemClock);
    for from in (0..members).step_by(1_000) {
        let jobs = [job(None, Members((from..members.min(from + 1_000)).collect()))];
        engine.execute(&jobs).await.into_iter().for_each(done);
    }
}

/// As [`found`], with receipts of 2024: every other member has 1500 points for each, which a year's end turns into money, and
/// the others have 10.
pub async fn with_points(url: &str, members: u64, receipts: u64) {
    found(url, members).await;
    let engine = Engine::new(Database::open(url).await.unwrap(), SystemClock);
    for receipt in 0..receipts {
        for from in (0..members).step_by(512) {
            let posting = |n: u64| {
                let id = ids::named(&["receipt", &receipt.to_string(), &n.to_string()]);
                let points = if n.is_multiple_of(2) { 1_500 } else { 10 };
                job(None, Posting { member: ids::member(&format!("S{n}")), id, points })
            };
            let jobs: Vec<Job> = (from..members.min(from + 512)).map(posting).collect();
            engine.execute(&jobs).await.into_iter().for_each(done);
        }
    }
}

pub fn job(key: Option<String>, operation: impl Operation + 'static) -> Job {
    Job { fingerprint: key.clone().unwrap_or_default(), key, dry: false, operation: Arc::new(operation) }
}

pub fn done(reply: Reply) {
    assert!(matches!(reply, Reply::Done(_)), "{reply:?}");
}

/// Points for a member.
pub struct Posting {
    pub member: Uuid,
    pub id: Uuid,
    pub points: i64,
}

impl Operation for Posting {
    fn hints(&self) -> Vec<Want> {
        vec![Want::Account(self.member)]
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        unit.need([Want::Account(self.member)])?;
        let cause = Cause {
            member: self.member,
            ledger: "department",
            cause: "speed",
            cause_id: self.id,
            store: "s001",
            business_date: 20_000,
            occurred_at: unit.now,
            actor: "speed",
            clause: None,
            digest: None,
            reason: None,
        };
        credit(unit, &cause, "earn", "issued", self.points, Life::default())?;
        Ok(Answer { status: 201, body: String::new() })
    }
}

/// Makes members, many at once.
struct Members(Vec<u64>);

impl Operation for Members {
    fn hints(&self) -> Vec<Want> {
        Vec::new()
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        for n in &self.0 {
            let number = format!("S{n}");
            unit.t.members.put(member::Model {
                id: ids::member(&number),
                number,
                status: "active".into(),
                merged_into: None,
                tier: Some("gold".into()),
                enrolled_store: "s001".into(),
                enrolled_on: 20_000,
                enrolled_at: unit.now,
                version: 1,
            });
        }
        Ok(Answer { status: 201, body: String::new() })
    }
}
