//! Migrations and entities give the same schema; migrating twice, and from two nodes, does no harm.
use crate::each::{each, on_empty};
use sea_orm::{ConnectionTrait as _, DbBackend, Schema, Statement};
use std::collections::BTreeMap;
use zhanggui::records::{Database, migrate};

/// Table and column to class of type and whether it may be null.
async fn columns(db: &Database) -> BTreeMap<(String, String), (&'static str, bool)> {
    let sql = match db.backend() {
        DbBackend::Sqlite => {
            "SELECT t.name, c.name, lower(c.type), CASE WHEN c.\"notnull\" = 1 OR c.pk > 0 THEN 'NO' ELSE 'YES' END
             FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table'"
        }
        _ => {
            "SELECT table_name::text, column_name::text, data_type::text, is_nullable::text
             FROM information_schema.columns WHERE table_schema = 'public'"
        }
    };
    let rows = db.reader().query_all_raw(Statement::from_string(db.backend(), sql)).await.unwrap();
    let mut all = BTreeMap::new();
    for row in rows {
        let text = |at| row.try_get_by_index::<String>(at).unwrap();
        let class = match text(2).as_str() {
            "text" | "varchar" | "character varying" => "text",
            // SQLite has one kind of integer, which also holds booleans.
            "integer" | "bigint" | "boolean" if db.backend() == DbBackend::Sqlite => "number",
            "integer" => "integer",
            "bigint" => "bigint",
            "boolean" => "boolean",
            // A uuid is bound as a blob, whatever the column says; on SQLite all bytes are blobs.
            "uuid" | "uuid_text" | "blob" | "varbinary_blob" => "uuid",
            "bytea" => "bytes",
            other => panic!("{} {}: {other}", text(0), text(1)),
        };
        all.insert((text(0), text(1)), (class, text(3) == "YES"));
    }
    all.retain(|(table, _), _| table != "seaql_migrations");
    all
}

#[test]
fn migrations_and_entities_give_the_same_schema() {
    each(async |place| {
        let other = place.other().await;
        let schema = Schema::new(place.db.backend());
        macro_rules! create {
            ($field:ident, $entity:ident) => {
                let table = schema.create_table_from_entity(zhanggui::records::entity::$entity::Entity);
                other.writer().execute(&table).await.unwrap();
            };
        }
        zhanggui::each_table!(create);
        // What is written beside the engine.
        create!(packages, plugin_package);
        create!(states, plugin_state);
        create!(acts, plugin_act);
        create!(entries, plugin_entry);
        create!(differences, plugin_difference);
        create!(failures, plugin_failure);
        create!(keys, vendor_key);
        create!(cursors, plugin_cursor);
        create!(deliveries, delivery);
        let (migrated, declared) = (columns(&place.db).await, columns(&other).await);
        assert!(migrated.len() > 250, "{}", migrated.len());
        assert_eq!(migrated, declared);
        other.close().await.unwrap();
    });
}

#[test]
fn two_nodes_that_migrate_together_do_it_once() {
    on_empty(async |place| {
        let other = Database::open(&place.url).await.unwrap();
        let (one, two) = tokio::join!(migrate(&place.db), migrate(&other));
        one.unwrap();
        two.unwrap();
        migrate(&place.db).await.unwrap();
        assert!(!columns(&place.db).await.is_empty());
    });
}

#[test]
fn an_address_that_leads_nowhere_is_refused() {
    use zhanggui::records::StoreError;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for url in ["mysql://x", "sqlite::memory:", "records.db"] {
            let refused = Database::open(url).await;
            assert!(matches!(refused, Err(StoreError::Refused(_))), "{url}: {refused:?}");
        }
    });
}
