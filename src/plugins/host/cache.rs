//! Compiled plugins on disk: `DIGEST-FINGERPRINT.cwasm` with its own digest in `….sha256`. Whatever does not fit is
//! compiled again, never run.
use crate::plugins::host::engine::hex;
use crate::plugins::host::error::HostError;
use sha2::{Digest, Sha256};
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A folder of our own.
pub(super) struct Cache {
    folder: PathBuf,
    /// What the code has to fit.
    fingerprint: String,
    parts: AtomicU64,
}

fn failed(path: &Path, e: &std::io::Error) -> HostError {
    HostError::Cache(format!("{}: {e}", path.display()))
}

impl Cache {
    /// Makes the folder where it is missing; refuses one that others may write to, or that belongs to someone else.
    pub(super) fn open(folder: &Path, fingerprint: String) -> Result<Cache, HostError> {
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|e| failed(folder, &e))?;
        let about = std::fs::metadata(folder).map_err(|e| failed(folder, &e))?;
        let ours = about.uid() == rustix::process::geteuid().as_raw();
        if !about.is_dir() || !ours || about.permissions().mode() & 0o022 != 0 {
            let why = "has to be a folder of this user that nobody else may write to";
            return Err(HostError::Cache(format!("{} {why}", folder.display())));
        }
        Ok(Cache { folder: folder.to_owned(), fingerprint, parts: AtomicU64::new(0) })
    }

    pub(super) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn code(&self, digest: &str) -> PathBuf {
        // Half of the fingerprint is enough to tell engines apart, and keeps the name short.
        let engine = self.fingerprint.get(..32).unwrap_or(&self.fingerprint);
        self.folder.join(format!("{digest}-{engine}.cwasm"))
    }

    /// The file of this component's code, if it is whole.
    pub(super) fn find(&self, digest: &str) -> Option<PathBuf> {
        let code = self.code(digest);
        let noted = std::fs::read_to_string(code.with_extension("sha256")).ok()?;
        let is = digest_of(&code).ok()?;
        (noted == is).then_some(code)
    }

    /// Where code is written to before it is whole; not the same twice.
    pub(super) fn part(&self, digest: &str) -> PathBuf {
        let number = self.parts.fetch_add(1, Ordering::Relaxed);
        self.folder.join(format!("{digest}.{}.{number}.part", std::process::id()))
    }

    /// Takes in what was written to `part`.
    pub(super) fn keep(&self, digest: &str, part: &Path) -> Result<PathBuf, HostError> {
        let code = self.code(digest);
        let note = code.with_extension("sha256");
        let noted = part.with_extension("note");
        let kept = digest_of(part)
            .and_then(|is| std::fs::write(&noted, is))
            // The code first: a note without its code would be worth as little, but not the other way round.
            .and_then(|()| std::fs::rename(part, &code))
            .and_then(|()| std::fs::rename(&noted, &note));
        kept.map_err(|e| failed(&code, &e))?;
        Ok(code)
    }
}

fn digest_of(file: &Path) -> std::io::Result<String> {
    let mut file = std::fs::File::open(file)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        let n = file.read(&mut buffer)?;
        match buffer.get(..n) {
            Some(read) if n > 0 => hasher.update(read),
            _ => return Ok(hex(&hasher.finalize())),
        }
    }
}
