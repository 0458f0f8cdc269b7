//! Packages: `vendor.name-1.2.0.zgp`, a zip of the manifest, the component, a README, the cases, their checksums, and the
//! vendor's signature over these.
mod archive;
mod case;
mod key;
mod keyring;
mod recording;
mod runner;
mod shape;
mod sums;

pub use archive::{Files, LARGEST_ARCHIVE};
pub use case::{Case, Expected, Recorded};
pub use key::{KeyError, PublicKey, SecretKey};
pub use keyring::{Keyring, Trust, TrustError, TrustedKey, Verified};
pub use recording::Recording;
pub use runner::{CaseRun, Subject, failed_cases};
pub use shape::Shape;

use crate::plugins::manifest::{Flaws, Manifest};
use sums::Signature;

pub const MANIFEST: &str = "plugin.toml";
pub const COMPONENT: &str = "plugin.wasm";
pub const README: &str = "README.md";
/// The folder of the cases.
pub const CASES: &str = "cases/";
const SUMS: &str = "SHA256SUMS";
const SIGNATURE: &str = "SIGNATURE";

/// A package that was read or made: whole, within the limits, its checksums right. Whether it is to be trusted is the
/// keyring's word.
#[derive(Debug, Clone)]
pub struct Package {
    pub manifest: Manifest,
    /// `plugin.wasm`.
    pub component: Vec<u8>,
    /// What the component imports and exports.
    pub shape: Shape,
    pub readme: String,
    /// By file name, in its order.
    pub cases: Vec<(String, Case)>,
    /// SHA-256 of the checksums, hex: the package's identity, the same signed or not.
    pub digest: String,
    files: Files,
    signature: Option<Signature>,
}

/// Why something is no package.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    #[error("this is no package: {0}")]
    Archive(String),
    #[error("{0} is too large: more than {1} bytes")]
    TooLarge(String, u64),
    #[error("the package has no {0}")]
    Missing(&'static str),
    #[error("the package may not hold {0:?}")]
    Stray(String),
    #[error("{0} is not UTF-8")]
    NotText(String),
    /// A file is not the one that the checksums were made of, or one is listed and not there, or the reverse.
    #[error("the package was altered: {0}")]
    Altered(String),
    #[error("{0}")]
    Manifest(#[from] Flaws),
    #[error("{file}: {error}")]
    Case { file: String, error: String },
    #[error("plugin.wasm: {0}")]
    Component(String),
    #[error("SIGNATURE: {0}")]
    Signature(String),
    #[error("the key is of the vendor {key}, and the plugin is {id}")]
    OtherVendor { key: String, id: String },
}

impl Package {
    /// Reads a `.zgp` that may come from anybody.
    pub fn read(bytes: &[u8]) -> Result<Package, PackageError> {
        let mut files = archive::read(bytes)?;
        let sums = files.remove(SUMS).ok_or(PackageError::Missing(SUMS))?;
        sums::check(&sums, &files)?;
        let signature = match files.remove(SIGNATURE) {
            Some(bytes) => Some(Signature::read(&bytes)?),
            None => None,
        };
        Package::of(files, signature)
    }

    /// Makes an unsigned package of its files: `plugin.toml`, `plugin.wasm`, `README.md` and `cases/*.json`.
    pub fn make(files: Files) -> Result<Package, PackageError> {
        archive::check(&files)?;
        if let Some(name) = [SUMS, SIGNATURE].into_iter().find(|name| files.contains_key(*name)) {
            return Err(PackageError::Stray(name.to_owned()));
        }
        Package::of(files, None)
    }

    fn of(files: Files, signature: Option<Signature>) -> Result<Package, PackageError> {
        let text = |name: &'static str| {
            let bytes = files.get(name).ok_or(PackageError::Missing(name))?;
            String::from_utf8(bytes.clone()).map_err(|_| PackageError::NotText(name.to_owned()))
        };
        let manifest = Manifest::parse(&text(MANIFEST)?)?;
        let readme = text(README)?;
        let component = files.get(COMPONENT).ok_or(PackageError::Missing(COMPONENT))?.clone();
        let shape = Shape::of(&component).map_err(PackageError::Component)?;
        shape.suits(&manifest).map_err(PackageError::Component)?;
        let mut cases = Vec::new();
        for (file, bytes) in files.iter().filter(|(name, _)| name.starts_with(CASES)) {
            let case = Case::read(bytes, &manifest)
                .map_err(|error| PackageError::Case { file: file.clone(), error })?;
            cases.push((file.clone(), case));
        }
        if cases.is_empty() {
            return Err(PackageError::Missing("case; write one, as cases/first.json"));
        }
        let digest = sums::digest(&sums::write(&files));
        Ok(Package { manifest, component, shape, readme, cases, digest, files, signature })
    }

    /// Signs it, in place of any signature that it had.
    pub fn sign(&mut self, key: &SecretKey) -> Result<(), PackageError> {
        if key.vendor() != self.manifest.vendor() {
            let id = self.manifest.id.clone();
            return Err(PackageError::OtherVendor { key: key.vendor().to_owned(), id });
        }
        self.signature = Some(Signature::make(key, &sums::write(&self.files)));
        Ok(())
    }

    /// The package as bytes: the same for the same files and signature.
    pub fn bytes(&self) -> Result<Vec<u8>, PackageError> {
        let mut files = self.files.clone();
        files.insert(SUMS.to_owned(), sums::write(&self.files).into_bytes());
        if let Some(signature) = &self.signature {
            files.insert(SIGNATURE.to_owned(), signature.write().into_bytes());
        }
        archive::write(&files)
    }

    /// `vendor.name-1.2.0.zgp`.
    pub fn file_name(&self) -> String {
        format!("{}-{}.zgp", self.manifest.id, self.manifest.version)
    }

    /// The id of the key that it says it was signed with; whether that is so is the keyring's word.
    pub fn signed_by(&self) -> Option<&str> {
        self.signature.as_ref().map(|s| s.key.as_str())
    }

    /// Names and sizes in bytes of the files, without checksums and signature.
    pub fn sizes(&self) -> impl Iterator<Item = (&str, usize)> {
        self.files.iter().map(|(name, bytes)| (name.as_str(), bytes.len()))
    }

    /// SHA-256 of `plugin.wasm`, hex, as a decision's record names it.
    pub fn component_digest(&self) -> String {
        sums::hash(&self.component)
    }

    /// Whether the signature is this key's.
    fn is_signed_with(&self, key: &PublicKey) -> bool {
        self.signature.as_ref().is_some_and(|s| s.holds(key, &sums::write(&self.files)))
    }
}
