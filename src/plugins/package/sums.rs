//! `SHA256SUMS`, as `sha256sum -c` reads it, and `SIGNATURE` over it.
use super::archive::Files;
use super::key::{PublicKey, SecretKey};
use super::{PackageError, SIGNATURE};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// What a signature of a package begins with, so that no other text can be taken for one.
const DOMAIN: &[u8] = b"zhanggui plugin package 1\n";
const HEAD: &str = "zhanggui-signature 1";

/// SHA-256, hex.
pub fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// The package's digest, from its checksums.
pub fn digest(sums: &str) -> String {
    hash(sums.as_bytes())
}

/// A line for each file, by name.
pub fn write(files: &Files) -> String {
    files.iter().map(|(name, bytes)| format!("{}  {name}\n", hash(bytes))).collect()
}

/// Whether the checksums are those of exactly these files, the signature's apart.
pub fn check(sums: &[u8], files: &Files) -> Result<(), PackageError> {
    let altered = |what: String| Err(PackageError::Altered(what));
    let Ok(text) = std::str::from_utf8(sums) else { return altered("the checksums are no text".to_owned()) };
    let mut listed = BTreeMap::new();
    for line in text.lines() {
        let Some((sum, name)) = line.split_once("  ") else {
            return altered(format!("no line of checksums: {line:?}"));
        };
        if listed.insert(name, sum).is_some() {
            return altered(format!("{name} is listed twice"));
        }
    }
    for (name, bytes) in files.iter().filter(|(name, _)| *name != SIGNATURE) {
        match listed.remove(name.as_str()) {
            None => return altered(format!("{name} was added")),
            Some(sum) if sum != hash(bytes) => {
                return altered(format!("{name} is not the one that was packed"));
            }
            Some(_) => {}
        }
    }
    match listed.keys().next() {
        Some(name) => altered(format!("{name} is missing")),
        None if text != write(&without_signature(files)) => {
            altered("the checksums are in disorder".to_owned())
        }
        None => Ok(()),
    }
}

fn without_signature(files: &Files) -> Files {
    files.iter().filter(|(name, _)| *name != SIGNATURE).map(|(n, b)| (n.clone(), b.clone())).collect()
}

/// What is signed: the domain, then the SHA-256 of the checksums.
fn message(sums: &str) -> Vec<u8> {
    [DOMAIN, Sha256::digest(sums.as_bytes()).as_slice()].concat()
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The key's id.
    pub key: String,
    bytes: [u8; 64],
}

impl Signature {
    pub fn make(key: &SecretKey, sums: &str) -> Signature {
        Signature { key: key.public().id(), bytes: key.sign(&message(sums)) }
    }
    pub fn holds(&self, key: &PublicKey, sums: &str) -> bool {
        self.key == key.id() && key.verifies(&message(sums), &self.bytes)
    }
    pub fn write(&self) -> String {
        format!("{HEAD}\nkey: {}\nsignature: {}\n", self.key, STANDARD.encode(self.bytes))
    }
    pub fn read(bytes: &[u8]) -> Result<Signature, PackageError> {
        let wrong = |what: &str| PackageError::Signature(what.to_owned());
        let text = std::str::from_utf8(bytes).map_err(|_| wrong("it is no text"))?;
        let mut lines = text.lines();
        if lines.next() != Some(HEAD) {
            return Err(wrong("it is of a form that this version does not know"));
        }
        let mut value = |name: &str| lines.next().and_then(|l| l.strip_prefix(name)).map(str::trim);
        let key = value("key:").ok_or_else(|| wrong("it names no key"))?.to_owned();
        let bytes = value("signature:").and_then(|text| STANDARD.decode(text).ok());
        let bytes =
            bytes.and_then(|b| b.try_into().ok()).ok_or_else(|| wrong("it has no 64 bytes in base64"))?;
        let known = Signature { key, bytes };
        // One form only: what is not signed must not say anything.
        if known.write() == text {
            Ok(known)
        } else {
            Err(wrong("it says more than a key and its signature"))
        }
    }
}
