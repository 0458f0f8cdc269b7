//! One movement over more lots than a statement takes bound values.
use crate::each::each;
use crate::rows::*;
use crate::{load, write};
use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};
use std::sync::Arc;
use zhanggui::records::entity::entry;
use zhanggui::records::ledger::{self, Cause, Life, Order};
use zhanggui::records::{Answer, Database, Engine, Job, Operation, Reply, Stop, SystemClock, Unit, Want};

const LOTS: i64 = 20_000;

/// What happens to ann's points.
#[derive(Clone, Debug)]
enum Points {
    /// One point for each of these numbers, a lot each.
    Earn(std::ops::Range<i64>),
    /// All of them in one movement.
    Spend,
    /// And back to the same lots.
    Restore(Uuid),
}

impl Operation for Points {
    fn hints(&self) -> Vec<Want> {
        let ann = id("ann");
        let mut wants = vec![Want::Member(ann), Want::Lots(ann, LEDGER.into())];
        if let Points::Restore(movement) = self {
            wants.push(Want::Movement(*movement));
        }
        wants
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        unit.need_all(self.hints())?;
        let cause = |name: &str| Cause {
            member: id("ann"),
            ledger: LEDGER,
            cause: "test",
            cause_id: id(name),
            store: "s1",
            business_date: DAY,
            occurred_at: 1,
            actor: "till",
            clause: None,
            digest: None,
            reason: None,
        };
        let mut body = String::new();
        match self {
            Points::Earn(numbers) => {
                for n in numbers.clone() {
                    ledger::credit(unit, &cause(&format!("earn {n}")), "earn", "issued", 1, Life::default())?;
                }
            }
            Points::Spend => {
                body = ledger::spend(unit, &cause("spend"), "spend", "redeemed", LOTS, Order::Earned)?
                    .to_string();
            }
            Points::Restore(movement) => {
                let of = unit.t.movements.get(movement).unwrap().clone();
                body = ledger::restore(unit, &cause("restore"), &of, DAY, None)?.to_string();
            }
        }
        Ok(Answer { status: 201, body })
    }
}

async fn done(engine: &Engine<Database>, points: Points) -> String {
    let job = Job { key: None, dry: false, fingerprint: String::new(), operation: Arc::new(points) };
    let replies = engine.execute(&[job]).await;
    let Reply::Done(answer) = &replies[0] else { panic!("{replies:?}") };
    answer.body.clone()
}

#[test]
fn a_redemption_over_twenty_thousand_lots() {
    each(async |place| {
        write(&place.db, |unit| unit.t.members.put(member("ann"))).await.unwrap();
        let engine = Engine::new(Database::open(&place.url).await.unwrap(), SystemClock);
        for from in (0..LOTS).step_by(5_000) {
            done(&engine, Points::Earn(from..from + 5_000)).await;
        }
        let state = async || {
            let unit = load(&place.db, [Want::Member(id("ann")), Want::Lots(id("ann"), LEDGER.into())]).await;
            let account = unit.account(id("ann"), LEDGER);
            (account.available, unit.lots(id("ann"), LEDGER).len())
        };
        assert_eq!(state().await, (LOTS, 20_000));
        let spent: Uuid = done(&engine, Points::Spend).await.parse().unwrap();
        assert_eq!(state().await, (0, 0));
        let restored: Uuid = done(&engine, Points::Restore(spent)).await.parse().unwrap();
        assert_eq!(state().await, (LOTS, 20_000));
        for movement in [spent, restored] {
            let entries = entry::Entity::find().filter(entry::Column::MovementId.eq(movement));
            assert_eq!(entries.count(place.db.reader()).await.unwrap(), 20_001);
        }
    });
}
