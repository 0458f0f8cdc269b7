//! The records in a real database: SQLite in a file, or PostgreSQL.
//!
//! Invariants: one transaction per batch; on SQLite it holds the write lock from its beginning, on PostgreSQL it locks the
//! owners of what it reads, in one order, before it reads what they own. Connections belong to the runtime that opened
//! them: open the database where it is used.
pub(in crate::records) mod errors;
mod load;
mod migrate;
mod open;
mod read;
mod write;

pub use migrate::migrate;
pub use open::Limits;

use crate::records::engine::{Store, StoreError, Tx};
use crate::records::entity::chain;
use crate::records::unit::{Unit, Want};
use sea_orm::{
    AccessMode, DatabaseConnection, DatabaseTransaction, DbBackend, IsolationLevel, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use std::collections::{BTreeMap, BTreeSet};

/// An open database: pools of connections for writing and for reading.
#[derive(Clone, Debug)]
pub struct Database {
    writer: DatabaseConnection,
    reader: DatabaseConnection,
}

impl Database {
    /// Opens a database: `sqlite://path?mode=rwc` or `postgres://…`.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if the address is not understood, [`StoreError::Failed`] if there is no connection.
    pub async fn open(url: &str) -> Result<Database, StoreError> {
        Database::open_with(url, Limits::default()).await
    }
    /// As [`Database::open`], with other limits.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub async fn open_with(url: &str, limits: Limits) -> Result<Database, StoreError> {
        let (writer, reader) = open::pools(url, limits).await?;
        Ok(Database { writer, reader })
    }
    /// Connections for reading; on SQLite they cannot write. One statement sees one state; see [`Store::view`] for more.
    pub fn reader(&self) -> &DatabaseConnection {
        &self.reader
    }
    /// The connections that write; on SQLite there is one.
    pub fn writer(&self) -> &DatabaseConnection {
        &self.writer
    }
    /// Which kind of database it is.
    pub fn backend(&self) -> DbBackend {
        self.writer.get_database_backend()
    }
    /// Calls `watch` after each statement with its text, values and time taken, here and in transactions begun from now on.
    pub fn observe(&mut self, watch: impl Fn(&sea_orm::metric::Info<'_>) + Send + Sync + Clone + 'static) {
        self.writer.set_metric_callback(watch.clone());
        self.reader.set_metric_callback(watch);
    }
    /// Closes the connections after what they are doing.
    ///
    /// # Errors
    /// [`StoreError::Failed`] if a connection cannot be closed.
    pub async fn close(self) -> Result<(), StoreError> {
        let Database { writer, reader } = self;
        let closed = reader.close().await;
        writer.close().await.and(closed).map_err(errors::of)
    }
}

/// A transaction of a [`Database`].
#[derive(Debug)]
pub struct Transaction {
    tx: DatabaseTransaction,
    backend: DbBackend,
    /// Whether rows are read in order to be changed.
    writes: bool,
}

impl Store for Database {
    type Tx = Transaction;

    async fn begin(&self) -> Result<Transaction, StoreError> {
        let backend = self.backend();
        let options = match backend {
            // A deferred transaction that reads before it writes fails if another writes in between.
            DbBackend::Sqlite => TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..Default::default()
            },
            // Its connections have their isolation level.
            _ => TransactionOptions::default(),
        };
        let tx = self.writer.begin_with_options(options).await.map_err(errors::of)?;
        Ok(Transaction { tx, backend, writes: true })
    }

    async fn view(&self) -> Result<Transaction, StoreError> {
        let backend = self.backend();
        let options = match backend {
            DbBackend::Sqlite => TransactionOptions::default(),
            _ => TransactionOptions {
                isolation_level: Some(IsolationLevel::RepeatableRead),
                access_mode: Some(AccessMode::ReadOnly),
                ..Default::default()
            },
        };
        let tx = self.reader.begin_with_options(options).await.map_err(errors::of)?;
        Ok(Transaction { tx, backend, writes: false })
    }
}

impl Tx for Transaction {
    async fn load(&mut self, unit: &mut Unit, wants: &BTreeSet<Want>) -> Result<(), StoreError> {
        load::load(&self.reading(), unit, wants).await
    }
    async fn chains(
        &mut self,
        stores: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, chain::Model>, StoreError> {
        let heads = self.reading().locked::<chain::Entity, _>(chain::Column::Store, stores).await?;
        Ok(heads.into_iter().map(|head| (head.store.clone(), head)).collect())
    }
    async fn write(&mut self, unit: &Unit) -> Result<(), StoreError> {
        write::rows(&self.tx, self.backend, unit).await
    }
    async fn write_chains(&mut self, unit: &Unit) -> Result<(), StoreError> {
        write::chains(&self.tx, self.backend, unit).await
    }
    async fn commit(self) -> Result<(), StoreError> {
        self.tx.commit().await.map_err(errors::of)
    }
}

impl Transaction {
    /// To read what no want asks for.
    pub(crate) fn connection(&self) -> &DatabaseTransaction {
        &self.tx
    }
    /// Commits what was written on the connection.
    pub(crate) async fn finish(self) -> Result<(), StoreError> {
        self.tx.commit().await.map_err(errors::of)
    }
    fn reading(&self) -> read::Reading<'_> {
        read::Reading { tx: &self.tx, locks: self.writes && self.backend == DbBackend::Postgres }
    }
}
