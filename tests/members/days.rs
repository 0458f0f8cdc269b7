//! A member's day is one row that two nodes may want to write at once.
use crate::each::each;
use crate::*;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use zhanggui::counter::returns::VoidReturn;
use zhanggui::counter::sale::RecordSale;
use zhanggui::records::entity::member_day;
use zhanggui::records::{
    Clock, Database, Engine, Job, Operation as _, Stop, Store as _, Tx as _, Unit, Want,
};

/// It is always the same time.
struct At(i64);

impl Clock for At {
    fn now(&self) -> i64 {
        self.0
    }
}

#[test]
fn a_return_is_voided_while_another_node_sells_to_the_same_member() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        shop.enrol("M1").await;
        // Goods at a bulk discount earn nothing, so that no movement leads to the member.
        let mut line = dress("100", 1);
        line["bulk"] = json!(true);
        let bought = shop.sell("1", vec![line], cash("100"), json!({"card": "C-M1"})).await;
        let back = shop.bring_back(&slip(&bought, &[(0, 1)]), none()).await;
        assert_eq!(shop.balance("M1", "department").await, 0);

        // This node has read everything, and is about to write.
        let now = zhanggui::program::iso::parse_datetime("2026-07-01T13:00:00+08:00").unwrap();
        let request = as_request(json!({"store": "s001", "actor": "boss", "reason": "rung up wrongly"}));
        let void = VoidReturn { desk: shop.desk(&json!("s001")), id: uuid(&back["return"]), request };
        let (mut tx, mut unit) = (place.db.begin().await.unwrap(), Unit::new(now));
        let mut wants: BTreeSet<Want> = void.hints().into_iter().collect();
        loop {
            tx.load(&mut unit, &wants).await.unwrap();
            unit.mark();
            match void.run(&mut unit) {
                Ok(answer) => break assert_eq!(answer.status, 200),
                Err(Stop::Missing(more)) => wants = more.into_iter().collect(),
                Err(stop) => panic!("{stop:?}"),
            }
            unit.reset();
        }
        let sale = as_request(json!({
            "store": "s001", "terminal": "t2", "receipt": "2", "actor": "seller", "lines": [dress("70", 1)],
            "tenders": cash("70"), "card": "C-M1",
        }));
        let sale = RecordSale { desk: shop.desk(&json!("s001")), request: sale, exchange: None };
        let other = Engine::new(Database::open(&place.url).await.unwrap(), At(now));
        let job =
            [Job { key: Some("2".into()), dry: false, fingerprint: "2".into(), operation: Arc::new(sale) }];
        let write = async {
            tokio::time::sleep(Duration::from_millis(700)).await;
            tx.write(&unit).await.unwrap();
            tx.commit().await.unwrap();
        };
        let (mut replies, ()) = tokio::join!(other.execute(&job), write);
        assert_eq!(told(replies.remove(0)).0, 201);
        let days = shop.rows::<member_day::Entity>().await;
        let sums = days.iter().filter(|d| d.spent > 0).map(|d| (d.spent, d.returned)).collect::<Vec<_>>();
        assert_eq!(sums, [(17_000, 0)]);
        shop.close().await;
    });
}
