//! What was recorded of one person under two numbers counts as one person's.
use crate::each::each;
use crate::*;
use sea_orm::prelude::Uuid;
use std::collections::BTreeMap;
use zhanggui::counter::members::{GiveGift, ReplaceCard};
use zhanggui::records::entity::member_day;

async fn gift(shop: &Shop, member: &str, nth: &str) -> Told {
    let request = as_request(json!({"store": "s001", "actor": "desk",
        "visit": {"card_shown": true, "id_shown": true, "form_filled": true}}));
    let operation = ids::named(&["gift", nth]);
    shop.run(GiveGift { desk: shop.desk(&json!("s001")), member: member.into(), request, operation }).await
}

async fn lose_card(shop: &Shop, member: &str, old: Value, new: &str) -> Told {
    let request =
        as_request(json!({"store": "s001", "actor": "desk", "mishap": "lost_card", "old_card": old,
        "new_card": new, "visit": {"id_shown": true}}));
    let operation = ids::named(&["lost", new]);
    shop.run(ReplaceCard { desk: shop.desk(&json!("s001")), member: member.into(), request, operation }).await
}

#[test]
fn a_merged_record_counts_for_the_one_that_took_it_over() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        for number in ["A", "B"] {
            shop.enrol_with(number, json!({"birthday": "1990-07-01"})).await;
        }
        let spend = |price: &'static str| vec![dress(price, 1)];
        shop.sell("1", spend("20000"), cash("20000"), json!({"card": "C-A"})).await;
        shop.sell("2", spend("9999"), cash("9999"), json!({"card": "C-B"})).await;
        assert_eq!(gift(&shop, "A", "1").await.0, 201);
        assert_eq!(merge(&shop, "A", "B").await.0, 200);
        // One person, one gift a year.
        let (status, told) = gift(&shop, "B", "2").await;
        assert_eq!((status, &told["code"]), (409, &json!("gift-refused")), "{told}");
        // 29,999 and 1 yuan of one person make platinum.
        let (status, told) = sale(&shop, "3", json!([dress("1", 1)]), cash("1"), "C-A").await;
        assert_eq!((status, &told["tier_changed"]), (201, &json!("platinum")), "{told}");
        // The card of the merged record is lost: it is one of the member's two.
        let (status, told) = lose_card(&shop, "B", json!("C-A"), "C-new").await;
        assert_eq!((status, &told["old_card"]), (200, &json!("C-A")), "{told}");
        let (status, told) = lose_card(&shop, "A", Value::Null, "C-none").await;
        assert_eq!((status, &told["code"]), (409, &json!("no-active-card")), "{told}");
        assert!(told["detail"].as_str().unwrap().contains("several"), "{told}");
        // A hold of the one is captured under the number of the other.
        let (status, told) = hold(&shop, "B", "department", json!(40), 10).await;
        assert_eq!(status, 201, "{told}");
        let (status, told) = redeem(&shop, "A", 40, "held", told["hold"].clone()).await;
        assert_eq!((status, &told["member"]), (201, &json!("B")), "{told}");
        // The days stay where they were earned, so that parting needs nothing.
        let mut spent: BTreeMap<Uuid, i64> = BTreeMap::new();
        for day in shop.rows::<member_day::Entity>().await {
            *spent.entry(day.member_id).or_default() += day.spent;
        }
        assert_eq!([ids::member("A"), ids::member("B")].map(|m| spent[&m]), [2_000_000, 1_000_000]);
        shop.close().await;
    });
}
