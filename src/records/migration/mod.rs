//! The schema, written by hand: one file per group of tables, as in [`super::entity`].
//!
//! Invariants: a migration that has been released is never edited; SQLite and PostgreSQL get the same tables, keys and
//! checks from one text ([`dialect`]); what happened cannot be changed or unbalanced by SQL either ([`guards`]).
mod asked;
mod customers;
mod decisions;
mod dialect;
mod failures;
mod guards;
mod offline;
mod plugins;
mod points;
mod returns;
mod sales;
mod stores;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// All migrations, in order.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Script::tables("m0001_stores", stores::TABLES),
            Script::tables("m0002_customers", customers::TABLES),
            Script::tables("m0003_sales", sales::TABLES),
            Script::tables("m0004_returns", returns::TABLES),
            Script::tables("m0005_points", points::TABLES),
            Script::tables("m0006_decisions", decisions::TABLES),
            Script::each("m0007_guards", guards::SQLITE, guards::POSTGRES),
            Script::tables("m0008_asked", asked::TABLES),
            Script::tables("m0010_plugins", plugins::TABLES),
            Script::each("m0011_plugins_guards", plugins::SQLITE, plugins::POSTGRES),
            Script::tables("m0012_offline", offline::TABLES),
            Script::tables("m0013_plugin_failures", failures::TABLES),
        ]
    }
}

/// A migration that is a text of statements.
struct Script {
    name: &'static str,
    sqlite: String,
    postgres: String,
}

impl Script {
    fn tables(name: &'static str, text: &str) -> Box<dyn MigrationTrait> {
        Box::new(Script { name, sqlite: dialect::sqlite(text), postgres: dialect::postgres(text) })
    }
    fn each(name: &'static str, sqlite: &str, postgres: &str) -> Box<dyn MigrationTrait> {
        Box::new(Script { name, sqlite: sqlite.to_owned(), postgres: postgres.to_owned() })
    }
}

impl MigrationName for Script {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Script {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let text = match manager.get_database_backend() {
            DbBackend::Sqlite => &self.sqlite,
            DbBackend::Postgres => &self.postgres,
            other => return Err(DbErr::Migration(format!("no schema for {other:?}"))),
        };
        manager.get_connection().execute_unprepared(text).await.map(|_| ())
    }
}
