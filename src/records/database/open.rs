//! Connections, with the settings on which durability and the answer to contention depend.
use super::errors;
use crate::records::engine::StoreError;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sea_orm::sqlx::{ConnectOptions as _, Connection as _, Error as SqlxError};
use sea_orm::{DatabaseConnection, DbErr, RuntimeErr, SqlxPostgresConnector, SqlxSqliteConnector};
use std::str::FromStr;
use std::time::Duration;

/// A connection that was not used for so long is tried before it is trusted.
const IDLE: Duration = Duration::from_secs(2);

/// How much of a database to use, and for how long to wait for it.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections that read, and on PostgreSQL as many that write.
    pub connections: u32,
    /// For a free connection.
    pub acquire: Duration,
    /// For a lock: SQLite's write lock, a row of PostgreSQL.
    pub lock: Duration,
    /// For a statement of PostgreSQL.
    pub statement: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 8,
            acquire: Duration::from_secs(2),
            lock: Duration::from_secs(5),
            statement: Duration::from_secs(30),
        }
    }
}

/// A pool that writes and one that reads.
pub(super) async fn pools(
    url: &str,
    limits: Limits,
) -> Result<(DatabaseConnection, DatabaseConnection), StoreError> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return postgres(url, limits).await;
    }
    if !url.starts_with("sqlite:") {
        return Err(StoreError::Refused("the address begins with neither sqlite: nor postgres:".into()));
    }
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Err(StoreError::Refused("a database in memory is another one for each connection".into()));
    }
    sqlite(url, limits).await
}

async fn sqlite(url: &str, limits: Limits) -> Result<(DatabaseConnection, DatabaseConnection), StoreError> {
    let refused = |error: SqlxError| StoreError::Refused(error.to_string());
    let options = SqliteConnectOptions::from_str(url)
        .map_err(refused)?
        .foreign_keys(true)
        .busy_timeout(limits.lock)
        .disable_statement_logging();
    // FULL: what was answered is on the disk. One writer, since SQLite has one anyway; others would only wait for it.
    let writing = options.clone().journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    let writing = writing
        // What a statement that fails takes back is noted in memory, not in a file that each statement makes.
        .pragma("temp_store", "MEMORY")
        // KiB; the pages that a batch changes, and those that lead there. No more than these: where a batch has moved
        // pages of an index about, SQLite walks through its whole cache at the commit.
        .pragma("cache_size", "-16384")
        // Pages, 256 MiB of log: a page that many batches change is written back once, and fewer than one batch in a
        // hundred waits for that.
        .pragma("wal_autocheckpoint", "65536")
        // Each table has statements for a few numbers of rows.
        .statement_cache_capacity(1024)
        // Rows come over from the driver's thread; with fewer the two would wait for each other.
        .row_buffer_size(4096);
    let pool = SqlitePoolOptions::new().max_connections(1).test_before_acquire(false);
    // The next batch waits for the one before it, however long that takes.
    let writer = pool.acquire_timeout(limits.acquire + limits.lock).idle_timeout(None).max_lifetime(None);
    let writer = writer.connect_with(writing).await.map_err(failed)?;
    let pool = SqlitePoolOptions::new().max_connections(limits.connections.max(1));
    let reader = pool.test_before_acquire(false).acquire_timeout(limits.acquire);
    let reader =
        reader.connect_with(options.read_only(true).create_if_missing(false)).await.map_err(failed)?;
    Ok((
        SqlxSqliteConnector::from_sqlx_sqlite_pool(writer),
        SqlxSqliteConnector::from_sqlx_sqlite_pool(reader),
    ))
}

async fn postgres(url: &str, limits: Limits) -> Result<(DatabaseConnection, DatabaseConnection), StoreError> {
    let millis = |time: Duration| time.as_millis().to_string();
    let reading = PgConnectOptions::from_str(url)
        .map_err(|error| StoreError::Refused(error.to_string()))?
        .application_name("zhanggui")
        .options([
            ("statement_timeout", millis(limits.statement)),
            ("lock_timeout", millis(limits.lock)),
            // A node that stalls with locks held must not stop the others for good.
            ("idle_in_transaction_session_timeout", millis(limits.statement)),
        ])
        // Each table has an insert and an upsert for the columns that have NULLs, and what loads it.
        .statement_cache_capacity(1024)
        .disable_statement_logging();
    let writing = reading.clone().options([
        // A statement after a lock has to see what the lock waited for.
        ("default_transaction_isolation", "read committed"),
        // Whoever writes reads by keys only. A plan that was made while a table was empty, and read it from end to end,
        // would stay until somebody analyses the table; it takes as long as the table is. So does one that joins keys to
        // the whole of an index.
        ("enable_seqscan", "off"),
        ("enable_hashjoin", "off"),
        ("enable_mergejoin", "off"),
        ("jit", "off"),
    ]);
    let reader = pool(limits).connect_with(reading).await.map_err(failed)?;
    // Most of those who open a database only read.
    let writer = pool(limits).connect_lazy_with(writing);
    Ok((
        SqlxPostgresConnector::from_sqlx_postgres_pool(writer),
        SqlxPostgresConnector::from_sqlx_postgres_pool(reader),
    ))
}

fn pool(limits: Limits) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(limits.connections.max(1))
        .acquire_timeout(limits.acquire)
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}

fn failed(error: SqlxError) -> StoreError {
    errors::of(DbErr::Conn(RuntimeErr::SqlxError(error.into())))
}
