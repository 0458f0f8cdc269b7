//! A person who is forgotten: nothing that was written down about them is left anywhere.
use crate::each::{Place, each};
use crate::*;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use zhanggui::counter::members::{EditMember, EnrolMember, EraseMember};
use zhanggui::records::entity::{member, person};

/// Everything that was said of the person, and when they changed it.
const SAID: [&str; 6] =
    ["陈小佳", "13900001111", "福州市鼓楼区一号", "陈大佳", "13900002222", "350102199002140000"];

/// Where a text stands in the database: table, column, and how many rows.
async fn found(place: &Place, text: &str) -> Vec<String> {
    let db = place.db.reader();
    let all =
        async |sql: String| db.query_all_raw(Statement::from_string(place.db.backend(), sql)).await.unwrap();
    let columns = match place.db.backend() {
        DbBackend::Sqlite => {
            "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'"
        }
        _ => {
            "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) FROM information_schema.columns
             WHERE table_schema = 'public'"
        }
    };
    let mut places = Vec::new();
    for row in all(columns.to_owned()).await {
        let (table, column): (String, String) =
            (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap());
        let sql =
            format!("SELECT 1 FROM \"{table}\" WHERE CAST(\"{column}\" AS TEXT) LIKE '%{text}%' LIMIT 1");
        if !all(sql).await.is_empty() {
            places.push(format!("{table}.{column}"));
        }
    }
    places
}

fn enrolment(shop: &Shop, number: &str) -> EnrolMember {
    let request = as_request(json!({
        "store": "s001", "actor": "clerk", "number": number, "card": format!("C-{number}"),
        "applicant": {"ground": "old_card", "name": SAID[0], "phone": SAID[1], "address": SAID[2]},
        "identity": {"kind": "id_card", "number": SAID[5]},
        "visit": {"id_shown": true, "form_filled": true, "details_confirmed": true, "old_card_given": true},
    }));
    EnrolMember { desk: shop.desk(&json!("s001")), request }
}

async fn edit(shop: &Shop, number: &str, name: &str, phone: &str) -> Told {
    let request = as_request(json!({"store": "s001", "actor": "clerk", "name": name, "phone": phone,
        "birthday": "1990-02-14"}));
    let operation = ids::named(&["edit", number, name]);
    shop.run(EditMember { desk: shop.desk(&json!("s001")), member: number.into(), request, operation }).await
}

async fn erase(shop: &Shop, number: &str) -> Told {
    let operation = ids::named(&["erase", number]);
    let desk = shop.desk(&json!("s001"));
    shop.run(EraseMember { desk, member: number.into(), actor: "clerk".into(), operation }).await
}

#[test]
fn nothing_personal_is_left_of_a_person_who_is_erased() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        assert_eq!(shop.run(enrolment(&shop, "M1")).await.0, 201);
        shop.enrol("M2").await;
        let (status, told) = edit(&shop, "M1", SAID[3], SAID[4]).await;
        assert_eq!((status, &told["changed"]), (200, &json!(["name", "phone", "birthday"])), "{told}");
        let bought = shop.sell("1", vec![dress("100", 2)], cash("200"), json!({"card": "C-M1"})).await;
        shop.bring_back(&slip(&bought, &[(0, 1)]), none()).await;
        assert_eq!(merge(&shop, "M1", "M2").await.0, 200);
        assert_eq!(edit(&shop, "M2", SAID[0], SAID[1]).await.0, 200);
        assert!(!found(place, SAID[0]).await.is_empty() && !found(place, SAID[3]).await.is_empty());
        // The same person, twice: nobody may enrol again while one of the records stands.
        assert_eq!(shop.run(enrolment(&shop, "M3")).await.1["code"], "identity-known");
        let (status, told) = erase(&shop, "M2").await;
        assert_eq!((status, &told["status"]), (200, &json!("erased")), "{told}");
        for text in SAID {
            let places = found(place, text).await;
            // Whose record it is, and which cards and receipts, is no longer anybody's name.
            assert_eq!(places, Vec::<String>::new(), "{text}");
        }
        // The house has forgotten them: they may come again.
        let (status, told) = shop.run(enrolment(&shop, "M4")).await;
        assert_eq!(status, 201, "{told}");
        assert_eq!(shop.run(enrolment(&shop, "M5")).await.1["code"], "identity-known");
        shop.close().await;
    });
}

#[test]
fn erasing_a_merged_record_leaves_the_one_that_took_it_over() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        assert_eq!(shop.run(enrolment(&shop, "M1")).await.0, 201);
        shop.enrol("M2").await;
        shop.adjust("M1", "department", json!(90)).await;
        assert_eq!(merge(&shop, "M1", "M2").await.0, 200);
        let (status, told) = erase(&shop, "M1").await;
        assert_eq!((status, &told["member"]), (200, &json!("M1")), "{told}");
        let state = async |number: &str| {
            let all = shop.rows::<member::Entity>().await;
            all.into_iter().find(|m| m.number == number).unwrap().status
        };
        assert_eq!((state("M1").await.as_str(), state("M2").await.as_str()), ("erased", "active"));
        let persons = shop.rows::<person::Entity>().await;
        let name =
            |number: &str| persons.iter().find(|p| p.member_id == ids::member(number)).unwrap().name.clone();
        assert_eq!((name("M1"), name("M2")), (None, Some("n".into())));
        // Points and cards are the other record's; nobody can be parted from it who is no longer there.
        assert_eq!(shop.balance("M2", "department").await, 90);
        let (status, told) = sale(&shop, "1", json!([dress("10", 1)]), cash("10"), "C-M1").await;
        assert_eq!((status, &told["member"]), (201, &json!("M2")), "{told}");
        let (status, told) = part(&shop, "M1").await;
        assert_eq!((status, &told["code"]), (409, &json!("not-merged")), "{told}");
        shop.close().await;
    });
}

/// Numbers of documents can be counted through; without the key their hashes say nothing.
#[test]
fn a_document_is_kept_under_a_key() {
    each(async |place| {
        let shop = Shop::open(&place.db).await;
        assert_eq!(shop.run(enrolment(&shop, "M1")).await.0, 201);
        let of = async |db: &zhanggui::records::Database| {
            use sea_orm::EntityTrait as _;
            let rows = zhanggui::records::entity::identity::Entity::find().all(db.reader()).await.unwrap();
            rows.into_iter().map(|r| r.hash).collect::<Vec<_>>()
        };
        let other = place.other().await;
        zhanggui::records::migrate(&other).await.unwrap();
        let elsewhere = Shop::open_with_key(&other, "another key").await;
        assert_eq!(elsewhere.run(enrolment(&elsewhere, "M1")).await.0, 201);
        let (here, there) = (of(&place.db).await, of(&other).await);
        assert_eq!((here.len(), there.len()), (1, 1));
        assert_ne!(here, there);
        other.close().await.unwrap();
    });
}
