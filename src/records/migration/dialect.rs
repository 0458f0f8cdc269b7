//! One text for both databases: PostgreSQL's types, which on SQLite become those of a STRICT table.
//!
//! A table ends in a line `);`, or `) CLUSTERED;` where SQLite is to keep the rows in the primary key's tree: small
//! rows that are read by a prefix of their key.

/// Texts sort by bytes on both databases, so that pages and ranges are the same, whatever the server's locale.
pub(super) fn postgres(text: &str) -> String {
    text.replace(" TEXT", " TEXT COLLATE \"C\"").replace("\n) CLUSTERED;", "\n);")
}

/// STRICT: a column holds what it says. Identifiers are blobs of 16 bytes, bytes are blobs, booleans 0 and 1.
pub(super) fn sqlite(text: &str) -> String {
    text.replace("\n);", "\n) STRICT;")
        .replace("\n) CLUSTERED;", "\n) STRICT, WITHOUT ROWID;")
        .replace(" UUID", " BLOB")
        .replace(" BYTEA", " BLOB")
        .replace(" BIGINT", " INTEGER")
        .replace(" BOOLEAN", " INTEGER")
}
