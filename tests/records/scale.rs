//! Databases that plan as big ones do: SQLite is told the statistics of 100 million sale lines, PostgreSQL (which looks at
//! the files, too) gets 50,000 rows in each table and real statistics of them.
use crate::rows::DAY;
use sea_orm::{ConnectionTrait as _, DbBackend, QueryResult, Statement, TransactionTrait as _};
use std::collections::BTreeMap;
use zhanggui::records::Database;

/// Sale lines that SQLite is told of; of all else there is as much.
const LINES: u64 = 100_000_000;
/// Rows in each table of PostgreSQL.
const ROWS: u32 = 50_000;

pub async fn grow(db: &Database) {
    if db.backend() == DbBackend::Sqlite { tell(db).await } else { fill(db).await }
}

async fn texts(db: &Database, sql: &str) -> Vec<Vec<String>> {
    let rows = db.writer().query_all_raw(Statement::from_string(db.backend(), sql)).await.unwrap();
    let text = |row: &QueryResult| {
        let wide = row.column_names().len();
        (0..wide).map(|at| row.try_get_by_index::<String>(at).unwrap()).collect()
    };
    rows.iter().map(text).collect()
}

/// How many different values a column has in a big chain.
fn distinct(column: &str) -> u64 {
    match column {
        "store" => 1_000,
        "ledger" | "year" | "state" => 3,
        "date" | "business_date" | "expires_on" | "activates_on" => 1_000,
        "area" | "line" | "seq" | "terminal" => 5,
        "member_id" => LINES / 10,
        _ if column.ends_with("_id") => LINES / 5,
        _ => LINES,
    }
}

/// Writes what ANALYZE would, and has the connection read it.
async fn tell(db: &Database) {
    let columns = "SELECT t.name, i.name, c.name, coalesce(x.sql, '')
        FROM sqlite_schema t, pragma_index_list(t.name) i, pragma_index_info(i.name) c
        LEFT JOIN sqlite_schema x ON x.name = i.name
        WHERE t.type = 'table' AND t.name NOT LIKE 'seaql%' ORDER BY 1, 2, c.seqno";
    let mut indexes: BTreeMap<(String, String), Vec<u64>> = BTreeMap::new();
    for row in texts(db, columns).await {
        let [table, index, column, sql] = row.try_into().unwrap();
        // Few lots and holds are open or pending.
        let rows = if sql.contains("WHERE state") { LINES / 20 } else { LINES };
        indexes.entry((table, index)).or_insert_with(|| vec![rows]).push(distinct(&column));
    }
    db.writer().execute_unprepared("ANALYZE").await.unwrap();
    db.writer().execute_unprepared("DELETE FROM sqlite_stat1").await.unwrap();
    for ((table, index), columns) in indexes {
        let mut stat = vec![columns[0]];
        for of in &columns[1..] {
            stat.push((stat.last().unwrap() / of).max(1));
        }
        let stat: Vec<String> = stat.iter().map(u64::to_string).collect();
        // The primary key of a table without row ids has the table's name.
        let index = if index.starts_with("sqlite_autoindex") && clustered(db, &table).await {
            &table
        } else {
            &index
        };
        let row = format!("INSERT INTO sqlite_stat1 VALUES ('{table}', '{index}', '{}')", stat.join(" "));
        db.writer().execute_unprepared(&row).await.unwrap();
    }
    db.writer().execute_unprepared("ANALYZE sqlite_schema").await.unwrap();
}

async fn clustered(db: &Database, table: &str) -> bool {
    let sql = format!("SELECT sql FROM sqlite_schema WHERE name = '{table}'");
    texts(db, &sql).await[0][0].contains("WITHOUT ROWID")
}

/// Fills every table, past checks, keys and triggers, in the proportions of a big chain: most lots are closed, what is
/// open ends in the future.
async fn fill(db: &Database) {
    let tx = db.writer().begin().await.unwrap();
    let free = "SET LOCAL session_replication_role = replica; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;
        DO $$ DECLARE c record; BEGIN
          FOR c IN SELECT conrelid::regclass AS t, conname FROM pg_constraint
            WHERE contype IN ('c', 'f') AND connamespace = 'public'::regnamespace
          LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.conname); END LOOP;
        END $$";
    tx.execute_unprepared(free).await.unwrap();
    let columns =
        "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name <> 'seaql_migrations' ORDER BY 1, ordinal_position";
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in texts(db, columns).await {
        let [table, column, kind] = row.try_into().unwrap();
        let value = match (kind.as_str(), column.as_str()) {
            // The whole key.
            (_, "store") if table == "chains" => "'store' || n".to_owned(),
            ("uuid", _) if table == "persons" => format!("md5('{column}' || n)::uuid"),
            ("uuid", "ticket_id") if table == "returns" => format!("md5('{column}' || n)::uuid"),
            ("bytea", _) => "'\\x00'::bytea".to_owned(),
            ("uuid", "id") => format!("md5('{table}' || n)::uuid"),
            ("uuid", _) => format!("md5('{column}' || n / 3)::uuid"),
            ("boolean", _) => "n % 2 = 0".to_owned(),
            ("integer", "line" | "seq" | "year") => "2024 + n % 3".to_owned(),
            ("integer", "expires_on" | "activates_on") => format!("{DAY} + 1000 + n % 700"),
            ("integer", _) => format!("{DAY} - n % 700"),
            ("bigint", _) => "1000 + n".to_owned(),
            (_, "state") => {
                "CASE n % 20 WHEN 0 THEN 'open' WHEN 1 THEN 'pending' ELSE 'closed' END".to_owned()
            }
            (_, "ledger" | "kind" | "area") => format!("'{column}' || n % 3"),
            (_, "store") => "'store' || n % 50".to_owned(),
            _ => format!("'{column}' || n"),
        };
        tables.entry(table).or_default().push(value);
    }
    for (table, values) in tables {
        // Where something else is unique, too, fewer rows fill the table as well.
        let sql = format!(
            "INSERT INTO {table} SELECT {} FROM generate_series(1, {ROWS}) n ON CONFLICT DO NOTHING",
            values.join(", ")
        );
        tx.execute_unprepared(&sql).await.unwrap();
    }
    tx.execute_unprepared("ANALYZE").await.unwrap();
    tx.commit().await.unwrap();
}
