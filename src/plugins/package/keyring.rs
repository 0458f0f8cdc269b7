//! Whom an operator trusts: keys by vendor, and whether a package is by one of them.
use super::Package;
use super::key::PublicKey;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A key that the operator put on the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedKey {
    pub key: PublicKey,
    /// The day it was put on the list, ISO 8601; for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// The day it was taken back, ISO 8601. A signature has no date that one could trust: a key that was taken back
    /// holds for no package any more, whenever it was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<String>,
}

/// Keys by vendor. As text, a key per line with `since=` and `revoked=` after it, and `#` before what is for people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Keyring {
    vendors: BTreeMap<String, Vec<TrustedKey>>,
}

/// By whom a package is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    pub vendor: String,
    /// The key's id.
    pub key: String,
}

/// Why a package is installed, for its record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    Signed(Verified),
    /// Unsigned, and the operator allows that for development.
    Development,
}

/// Why a package is not trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    #[error("{id} is not signed")]
    Unsigned { id: String },
    #[error("{id} is signed with the key {key}, which is not on the list of {vendor}")]
    UnknownKey { id: String, vendor: String, key: String },
    #[error("{id} is signed with the key {key} of another vendor, {owner}")]
    OtherVendor { id: String, key: String, owner: String },
    #[error("{id} is signed with the key {key}, which was revoked on {on}")]
    Revoked { id: String, key: String, on: String },
    #[error("{id} was altered, or its signature is another package's: the signature of {key} does not hold")]
    Altered { id: String, key: String },
}

impl TrustError {
    /// The stable name.
    pub fn code(&self) -> &'static str {
        match self {
            TrustError::Unsigned { .. } => "unsigned",
            TrustError::UnknownKey { .. } => "unknown-key",
            TrustError::OtherVendor { .. } => "other-vendor",
            TrustError::Revoked { .. } => "revoked-key",
            TrustError::Altered { .. } => "altered",
        }
    }
}

impl Keyring {
    /// Puts a key on its vendor's list; one with the same id is replaced.
    pub fn add(&mut self, key: TrustedKey) {
        let keys = self.vendors.entry(key.key.vendor().to_owned()).or_default();
        let id = key.key.id();
        keys.retain(|k| k.key.id() != id);
        keys.push(key);
    }

    /// All keys, by vendor.
    pub fn keys(&self) -> impl Iterator<Item = &TrustedKey> {
        self.vendors.values().flatten()
    }

    /// Whose a package is, by a key that is on its vendor's list and not revoked.
    pub fn verify(&self, package: &Package) -> Result<Verified, TrustError> {
        let id = package.manifest.id.clone();
        let vendor = package.manifest.vendor().to_owned();
        let Some(key) = package.signed_by().map(str::to_owned) else {
            return Err(TrustError::Unsigned { id });
        };
        let own = self.vendors.get(&vendor).and_then(|keys| keys.iter().find(|k| k.key.id() == key));
        let Some(own) = own else {
            return Err(match self.keys().find(|k| k.key.id() == key) {
                Some(other) => TrustError::OtherVendor { id, key, owner: other.key.vendor().to_owned() },
                None => TrustError::UnknownKey { id, vendor, key },
            });
        };
        // A list that was read from elsewhere may have put a key under another vendor's name.
        if own.key.vendor() != vendor {
            return Err(TrustError::OtherVendor { id, key, owner: own.key.vendor().to_owned() });
        }
        if let Some(on) = own.revoked.clone() {
            return Err(TrustError::Revoked { id, key, on });
        }
        if !package.is_signed_with(&own.key) {
            return Err(TrustError::Altered { id, key });
        }
        Ok(Verified { vendor, key })
    }

    /// Whether to install a package. An unsigned one only for development; a signature that does not hold is worse than
    /// none, and no permission covers it.
    pub fn trust(&self, package: &Package, development: bool) -> Result<Trust, TrustError> {
        match self.verify(package) {
            Ok(verified) => Ok(Trust::Signed(verified)),
            Err(TrustError::Unsigned { .. }) if development => Ok(Trust::Development),
            Err(error) => Err(error),
        }
    }
}

/// What is wrong with a list of keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {wrong}")]
pub struct KeyringError {
    /// From 1.
    pub line: usize,
    pub wrong: String,
}

impl FromStr for Keyring {
    type Err = KeyringError;
    fn from_str(text: &str) -> Result<Keyring, KeyringError> {
        let mut ring = Keyring::default();
        for (i, line) in text.lines().enumerate() {
            let wrong = |wrong: String| KeyringError { line: i + 1, wrong };
            let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
            let Some(key) = words.next() else { continue };
            let key = key.parse().map_err(|e: super::KeyError| wrong(e.to_string()))?;
            let mut trusted = TrustedKey { key, since: None, revoked: None };
            for word in words {
                match word.split_once('=') {
                    Some(("since", day)) => trusted.since = Some(day.to_owned()),
                    Some(("revoked", day)) => trusted.revoked = Some(day.to_owned()),
                    _ => {
                        let what = "write since=2026-11-01 or revoked=2026-12-01 after a key";
                        return Err(wrong(format!("{word:?} says nothing; {what}")));
                    }
                }
            }
            ring.add(trusted);
        }
        Ok(ring)
    }
}

impl fmt::Display for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for key in self.keys() {
            write!(f, "{}", key.key)?;
            for (name, day) in [("since", &key.since), ("revoked", &key.revoked)] {
                if let Some(day) = day {
                    write!(f, " {name}={day}")?;
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
