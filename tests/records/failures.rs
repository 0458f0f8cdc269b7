//! What plugins had no answer for: one row for what failed alike within a minute, pages, and an end.
use crate::each::each;
use sea_orm::PaginatorTrait as _;
use sea_orm::{EntityTrait as _, IntoActiveModel as _};
use zhanggui::records::Database;
use zhanggui::records::entity::plugin_failure::{Entity, Model};
use zhanggui::records::plugins::failures::{KEPT, id, keep, list, sweep};

/// An hour, in epoch microseconds.
const HOUR: i64 = 3_600_000_000;

fn row(plugin: &str, store: &str, at: i64, calls: i64) -> Model {
    Model {
        id: id(at, [plugin, "1.0.0", "", "score", store, "trapped"]),
        plugin: plugin.into(),
        version: Some("1.0.0".into()),
        digest: None,
        function: "score".into(),
        store: store.into(),
        code: "trapped".into(),
        text: format!("at {at}"),
        calls,
        key: format!("key {at}"),
        operation: None,
        first_at: at,
        last_at: at,
    }
}

async fn of(db: &Database, plugin: &str) -> Vec<Model> {
    list(db.reader(), plugin, None, 200).await.unwrap()
}

#[test]
fn failures_of_a_minute_on_several_nodes_are_one_row() {
    each(async |place| {
        let other = Database::open(&place.url).await.unwrap();
        keep(&place.db, vec![row("acme.a", "s1", 10, 3), row("acme.a", "s2", 11, 1)]).await.unwrap();
        keep(&other, vec![row("acme.a", "s1", 12, 4), row("acme.b", "s1", 12, 1)]).await.unwrap();
        keep(&other, vec![row("acme.a", "s1", HOUR, 1)]).await.unwrap();
        let rows = of(&place.db, "acme.a").await;
        assert_eq!(rows.len(), 3);
        assert_eq!((rows[0].first_at, rows[0].calls), (HOUR, 1), "the newest first");
        let sum = rows.iter().find(|r| r.store == "s1" && r.first_at < HOUR).unwrap();
        assert_eq!((sum.calls, sum.first_at, sum.last_at), (7, 10, 12));
        assert_eq!((sum.text.as_str(), sum.key.as_str()), ("at 12", "key 12"));
        // A page, and the one after it.
        let first = list(place.db.reader(), "acme.a", None, 2).await.unwrap();
        let second = list(place.db.reader(), "acme.a", Some(first[1].id), 2).await.unwrap();
        assert_eq!([first, second].concat(), rows);
        other.close().await.unwrap();
    });
}

#[test]
fn what_is_old_or_too_much_is_dropped() {
    each(async |place| {
        let many = i64::try_from(KEPT).unwrap() + 5;
        let rows = (0..many).map(|n| row("acme.a", "s1", 100 * HOUR + n * 60_000_000, 1));
        for some in rows.collect::<Vec<_>>().chunks(1_000) {
            let some = some.iter().cloned().map(|row| row.into_active_model());
            Entity::insert_many(some).exec_without_returning(place.db.writer()).await.unwrap();
        }
        keep(&place.db, vec![row("acme.b", "s1", 10 * HOUR, 1), row("acme.b", "s1", 90 * HOUR, 1)])
            .await
            .unwrap();
        sweep(&place.db, 10 * HOUR + 1).await.unwrap();
        assert_eq!(of(&place.db, "acme.b").await.len(), 1, "one was too old");
        assert_eq!(Entity::find().count(place.db.reader()).await.unwrap(), KEPT + 1);
        let newest = of(&place.db, "acme.a").await;
        assert_eq!(newest[0].first_at, 100 * HOUR + (many - 1) * 60_000_000);
        sweep(&place.db, 1_000_000 * HOUR).await.unwrap();
        assert_eq!(Entity::find().count(place.db.reader()).await.unwrap(), 0);
    });
}
