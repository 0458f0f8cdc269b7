//! Whether what is recorded adds up: sums, balances, chains, and that nothing hangs in the air.
//!
//! Invariant: everything is read in one transaction that only reads, so that a database in use is judged in one state.
mod chains;
mod checks;
mod holds;

use crate::records::database::{Database, Transaction};
use crate::records::engine::{Store, StoreError};
use sea_orm::prelude::Uuid;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement};
use std::fmt::Write as _;

/// Findings that are listed for each check; more would say nothing new.
const LISTED: usize = 100;

/// Something that does not add up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The check that it failed; stable, for programs.
    pub check: &'static str,
    /// The row: its table and key.
    pub row: String,
    /// The numbers.
    pub detail: String,
}

/// What was looked at and what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// At most 100 for each check.
    pub findings: Vec<Finding>,
    /// The names of the checks that were made.
    pub checks: Vec<&'static str>,
    /// Links of chains that were hashed again.
    pub links: u64,
}

impl Report {
    /// Whether everything adds up.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
    fn add(&mut self, check: &'static str, row: String, detail: String) {
        if self.findings.iter().filter(|finding| finding.check == check).count() < LISTED {
            self.findings.push(Finding { check, row, detail });
        }
    }
}

/// Looks at everything that is recorded.
///
/// # Errors
/// [`StoreError::Failed`] if the database does not answer; what does not add up is in the report.
pub async fn verify(database: &Database) -> Result<Report, StoreError> {
    let view = database.view().await?;
    if database.backend() == DbBackend::Postgres {
        ask(&view, "SET LOCAL statement_timeout = 0").await?;
    }
    // SQLite reads JSON from text, PostgreSQL only from its own type.
    let facts = match database.backend() {
        DbBackend::Postgres => "CAST(r.facts AS json)",
        _ => "r.facts",
    };
    let mut report = Report::default();
    for check in checks::ALL {
        if !report.checks.contains(&check.name) {
            report.checks.push(check.name);
        }
        let sql = check.sql.replace("<facts>", facts);
        for row in all(&view, &format!("{sql} LIMIT {LISTED}")).await? {
            let (row, detail) = name(check, &row).map_err(|error| StoreError::Failed(error.to_string()))?;
            report.add(check.name, row, detail);
        }
    }
    holds::look(&view, &mut report).await?;
    chains::look(&view, &mut report).await?;
    Ok(report)
}

async fn all(view: &Transaction, sql: &str) -> Result<Vec<QueryResult>, StoreError> {
    let connection = view.connection();
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    connection.query_all_raw(statement).await.map_err(|error| StoreError::Failed(format!("{error}: {sql}")))
}

async fn ask(view: &Transaction, sql: &str) -> Result<(), StoreError> {
    let done = view.connection().execute_unprepared(sql).await;
    done.map(|_| ()).map_err(|error| StoreError::Failed(error.to_string()))
}

/// A row of a check as text: its key and its numbers.
fn name(check: &checks::Check, row: &QueryResult) -> Result<(String, String), DbErr> {
    let mut key = check.table.to_owned();
    let mut at = 0;
    for kind in check.key {
        let part = match kind {
            checks::Key::Id => row.try_get_by_index::<Uuid>(at)?.to_string(),
            checks::Key::Text => row.try_get_by_index::<String>(at)?,
            checks::Key::Number => row.try_get_by_index::<i32>(at)?.to_string(),
        };
        let _ = write!(key, " {part}");
        at += 1;
    }
    let mut numbers = Vec::new();
    for label in check.numbers {
        let number = row.try_get_by_index::<Option<i64>>(at)?;
        numbers.push(format!("{label} {}", number.map_or("none".to_owned(), |number| number.to_string())));
        at += 1;
    }
    Ok((key, numbers.join(", ")))
}
