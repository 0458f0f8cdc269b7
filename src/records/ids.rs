//! Identifiers that follow from what they name, so that a retry on any node makes the same ones.
use sea_orm::prelude::Uuid;
use sha2::{Digest, Sha256};

/// The id of what `parts` name, ordered by `day` first so that indexes grow at their end (RFC 9562, version 8).
pub fn dated(day: i32, parts: &[&str]) -> Uuid {
    let mut bytes = digest(parts);
    let ordered = (i64::from(day) + (1 << 31)) as u32;
    bytes[..4].copy_from_slice(&ordered.to_be_bytes());
    stamped(bytes)
}

/// The id of what `parts` name and was made at `now`, in epoch microseconds: ordered by it, so that what is recorded
/// together lies together, and a batch touches few pages of each index.
pub fn timed(now: i64, parts: &[&str]) -> Uuid {
    let mut bytes = digest(parts);
    // The version's four bits lie after 48 bits, which milliseconds take to the year 10889.
    let millis = now.div_euclid(1_000).clamp(0, (1 << 48) - 1) as u64;
    bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    stamped(bytes)
}

/// The id of what `parts` name.
pub fn named(parts: &[&str]) -> Uuid {
    stamped(digest(parts))
}

/// A member's id follows from the number.
pub fn member(number: &str) -> Uuid {
    named(&["member", number])
}

/// A receipt's id follows from its natural key.
pub fn sale(store: &str, terminal: &str, receipt: &str, business_date: i32) -> Uuid {
    dated(business_date, &["sale", store, terminal, receipt])
}

fn digest(parts: &[&str]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        // Lengths before the texts: ["a", "bc"] and ["ab", "c"] are different names.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(hash.finalize()) {
        *to = from;
    }
    bytes
}

fn stamped(mut bytes: [u8; 16]) -> Uuid {
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    Uuid::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_days() {
        assert_eq!(member("1"), member("1"));
        assert_ne!(named(&["a", "bc"]), named(&["ab", "c"]));
        assert!(timed(1_999, &["z"]) < timed(2_000, &["a"]) && timed(-1, &["a"]) != timed(-1, &["b"]));
        assert!(dated(-1, &["z"]) < dated(0, &["a"]) && dated(0, &["z"]) < dated(20_000, &["a"]));
    }
}
