//! What an error of the database means to whoever runs a batch.
use crate::records::engine::StoreError;
use sea_orm::sqlx::Error as SqlxError;
use sea_orm::{DbErr, RuntimeErr};

/// Lost races are conflicts, broken rules are refusals, the rest is failure.
pub(in crate::records) fn of(error: DbErr) -> StoreError {
    let text = error.to_string();
    match code(&error) {
        Some(Kind::Conflict) => StoreError::Conflict(text),
        Some(Kind::Refused) => StoreError::Refused(text),
        None => StoreError::Failed(text),
    }
}

enum Kind {
    Conflict,
    Refused,
}

fn code(error: &DbErr) -> Option<Kind> {
    let (DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))
    | DbErr::Conn(RuntimeErr::SqlxError(error))) = error
    else {
        return None;
    };
    let SqlxError::Database(error) = error.as_ref() else { return None };
    let code = error.code()?;
    // PostgreSQL's codes have five characters, SQLite's are numbers of up to four digits.
    if code.len() == 5 { postgres(&code) } else { sqlite(code.parse().ok()?) }
}

fn postgres(code: &str) -> Option<Kind> {
    match code {
        // Unique key; serialization; deadlock; lock not available in time.
        "23505" | "40001" | "40P01" | "55P03" => Some(Kind::Conflict),
        // Values that no column holds; constraints and triggers; what no page or index holds; what a function raises.
        _ if ["22", "23", "54", "P0"].iter().any(|class| code.starts_with(class)) => Some(Kind::Refused),
        _ => None,
    }
}

fn sqlite(code: i32) -> Option<Kind> {
    const PRIMARY_KEY: i32 = 1555;
    const UNIQUE: i32 = 2067;
    const ROW_ID: i32 = 2579;
    match (code, code & 0xff) {
        (PRIMARY_KEY | UNIQUE | ROW_ID, _) => Some(Kind::Conflict),
        // Busy and locked.
        (_, 5 | 6) => Some(Kind::Conflict),
        // Constraints and triggers; too big; a value of another type.
        (_, 18..=20) => Some(Kind::Refused),
        _ => None,
    }
}
