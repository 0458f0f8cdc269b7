//! Keys: a vendor signs with the secret one, an operator trusts the public one. Both are one line of text that says whose
//! it is and ends with a check against slips of the pen: `zgk1:acme:…` and `zgs1:acme:…`.
use crate::plugins::manifest::is_word;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::str::FromStr;

/// Why a text is no key. Says nothing of the text, which may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("this is no {0} key; it looks as {0}:vendor:… in one line")]
    Form(&'static str),
    #[error("the key has a slip of the pen: its check does not fit")]
    Check,
    #[error("{0:?} is no vendor; write a lower-case word of letters, digits and _")]
    Vendor(String),
    #[error("there is no randomness to make a key of: {0}")]
    Random(String),
}

const PUBLIC: &str = "zgk1";
const SECRET: &str = "zgs1";
/// Bytes of the check after the key's own 32.
const CHECK: usize = 4;

fn check(form: &str, vendor: &str, key: &[u8; 32]) -> [u8; CHECK] {
    let mut hash = Sha256::new();
    for part in [form.as_bytes(), b":", vendor.as_bytes(), b":", key] {
        hash.update(part);
    }
    let mut check = [0; CHECK];
    check.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
    check
}

fn write(form: &str, vendor: &str, key: &[u8; 32]) -> String {
    let whole = [key.as_slice(), &check(form, vendor, key)].concat();
    format!("{form}:{vendor}:{}", URL_SAFE_NO_PAD.encode(whole))
}

fn read(form: &'static str, text: &str) -> Result<(String, [u8; 32]), KeyError> {
    let mut parts = text.trim().split(':');
    let (Some(begin), Some(vendor), Some(rest), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(KeyError::Form(form));
    };
    if begin != form || !is_word(vendor) {
        return Err(KeyError::Form(form));
    }
    let bytes = URL_SAFE_NO_PAD.decode(rest).map_err(|_| KeyError::Form(form))?;
    let (key, end) = bytes.split_first_chunk::<32>().ok_or(KeyError::Form(form))?;
    if end != check(form, vendor, key).as_slice() {
        return Err(KeyError::Check);
    }
    Ok((vendor.to_owned(), *key))
}

/// What a vendor gives out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey {
    vendor: String,
    key: VerifyingKey,
}

impl PublicKey {
    pub fn vendor(&self) -> &str {
        &self.vendor
    }
    /// 16 hexadecimal digits of the key's SHA-256: the key's name in signatures and messages.
    pub fn id(&self) -> String {
        Sha256::digest(self.key.as_bytes()).iter().take(8).map(|b| format!("{b:02x}")).collect()
    }
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        // Strict: a weak key would verify anything.
        self.key.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;
    fn from_str(text: &str) -> Result<PublicKey, KeyError> {
        let (vendor, bytes) = read(PUBLIC, text)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::Form(PUBLIC))?;
        if key.is_weak() { Err(KeyError::Form(PUBLIC)) } else { Ok(PublicKey { vendor, key }) }
    }
}

impl TryFrom<String> for PublicKey {
    type Error = KeyError;
    fn try_from(text: String) -> Result<PublicKey, KeyError> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> String {
        key.to_string()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&write(PUBLIC, &self.vendor, self.key.as_bytes()))
    }
}

/// What a vendor keeps.
pub struct SecretKey {
    vendor: String,
    key: SigningKey,
}

impl SecretKey {
    /// Makes a new one from the system's randomness.
    pub fn generate(vendor: &str) -> Result<SecretKey, KeyError> {
        if !is_word(vendor) {
            return Err(KeyError::Vendor(vendor.to_owned()));
        }
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|e| KeyError::Random(e.to_string()))?;
        Ok(SecretKey { vendor: vendor.to_owned(), key: SigningKey::from_bytes(&bytes) })
    }
    pub fn vendor(&self) -> &str {
        &self.vendor
    }
    pub fn public(&self) -> PublicKey {
        PublicKey { vendor: self.vendor.clone(), key: self.key.verifying_key() }
    }
    /// The line to keep in a file that nobody else reads.
    pub fn secret_line(&self) -> String {
        write(SECRET, &self.vendor, self.key.as_bytes())
    }
    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

impl FromStr for SecretKey {
    type Err = KeyError;
    fn from_str(text: &str) -> Result<SecretKey, KeyError> {
        let (vendor, bytes) = read(SECRET, text)?;
        Ok(SecretKey { vendor, key: SigningKey::from_bytes(&bytes) })
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({}, {})", self.vendor, self.public().id())
    }
}
