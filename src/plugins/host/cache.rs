//! Compiled plugins on disk: `DIGEST-FINGERPRINT.cwasm` with its own digest in `….sha256`. Whatever does not fit is
//! compiled again, never run; what nobody has used for a while is swept out.
use crate::plugins::host::engine::hex;
use crate::plugins::host::error::HostError;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs::{File, Permissions, set_permissions};
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// A folder of our own.
pub(super) struct Cache {
    folder: PathBuf,
    /// What the code has to fit.
    fingerprint: String,
    parts: AtomicU64,
}

fn mode(bits: u32) -> Permissions {
    Permissions::from_mode(bits)
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

    /// The file of this component's code, if it is whole and nobody else may have written to it.
    pub(super) fn find(&self, digest: &str) -> Option<PathBuf> {
        let code = self.code(digest);
        let note = code.with_extension("sha256");
        if !is_ours(&code) || !is_ours(&note) {
            return None;
        }
        let noted = std::fs::read_to_string(&note).ok()?;
        let is = digest_of(&code).ok()?;
        let found = noted == is;
        if found {
            // It is in use: the next sweep leaves it. Where that cannot be noted, it is compiled once more.
            let now = SystemTime::now();
            let _ = [&code, &note].map(|file| File::options().append(true).open(file)?.set_modified(now));
        }
        found.then_some(code)
    }

    /// Removes what has not been used for so long, unless it is this engine's code of one of these components; and what
    /// was left of compiling that did not end. How many files.
    pub(super) fn sweep(&self, keep: &BTreeSet<String>, unused: Duration) -> Result<u32, HostError> {
        let wrong = |e: &std::io::Error| failed(&self.folder, e);
        let kept: BTreeSet<PathBuf> = keep
            .iter()
            .map(|digest| self.code(digest))
            .flat_map(|code| [code.with_extension("sha256"), code])
            .collect();
        let mut removed = 0;
        for file in std::fs::read_dir(&self.folder).map_err(|e| wrong(&e))? {
            let file = file.map_err(|e| wrong(&e))?;
            let path = file.path();
            // Another node may share the folder, and be faster.
            let Ok(about) = file.metadata() else { continue };
            let age = about.modified().ok().and_then(|at| at.elapsed().ok()).unwrap_or_default();
            let old = about.is_file() && age > unused;
            if old && is_named_by_us(&path) && !kept.contains(&path) && std::fs::remove_file(&path).is_ok() {
                removed += 1;
            }
        }
        Ok(removed)
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
            // Whatever this user's files are like otherwise.
            .and_then(|()| {
                [part, noted.as_path()].iter().try_for_each(|file| set_permissions(file, mode(0o600)))
            })
            // The code first: a note without its code would be worth as little, but not the other way round.
            .and_then(|()| std::fs::rename(part, &code))
            .and_then(|()| std::fs::rename(&noted, &note));
        kept.map_err(|e| failed(&code, &e))?;
        Ok(code)
    }
}

/// A file of this user that nobody else may write to, and no link to one.
fn is_ours(file: &Path) -> bool {
    std::fs::symlink_metadata(file).is_ok_and(|about| {
        about.is_file()
            && about.uid() == rustix::process::geteuid().as_raw()
            && about.permissions().mode() & 0o022 == 0
    })
}

/// Begins with a digest, and ends as one of the files that are kept here.
fn is_named_by_us(file: &Path) -> bool {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let digest = name.get(..64).is_some_and(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
    let end = file.extension().and_then(|end| end.to_str());
    digest && end.is_some_and(|end| ["cwasm", "sha256", "part", "note"].contains(&end))
}

fn digest_of(file: &Path) -> std::io::Result<String> {
    let mut file = File::open(file)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn open(folder: &Path, engine: &str) -> Cache {
        Cache::open(folder, engine.repeat(64)).unwrap()
    }

    fn kept(cache: &Cache, digest: &str) -> PathBuf {
        let part = cache.part(digest);
        std::fs::write(&part, "code").unwrap();
        set_permissions(&part, mode(0o664)).unwrap();
        cache.keep(digest, &part).unwrap()
    }

    fn age(folder: &Path) {
        let before = SystemTime::now() - 2 * DAY;
        for file in std::fs::read_dir(folder).unwrap() {
            let file = File::options().append(true).open(file.unwrap().path()).unwrap();
            file.set_modified(before).unwrap();
        }
    }

    #[test]
    fn what_nobody_uses_is_swept_out() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("compiled");
        let (cache, before) = (open(&folder, "a"), open(&folder, "b"));
        let [installed, used, removed] = ["1", "2", "3"].map(|digit| digit.repeat(64));
        for digest in [&installed, &used, &removed] {
            kept(&cache, digest);
        }
        kept(&before, &installed);
        std::fs::write(cache.part(&removed), "half").unwrap();
        std::fs::write(folder.join("README"), "somebody's own").unwrap();
        let keep = BTreeSet::from([installed.clone()]);
        assert_eq!(cache.sweep(&keep, DAY).unwrap(), 0, "all of it is young");
        age(&folder);
        assert!(cache.find(&used).is_some());
        // The removed one, the engine before, each with its note; and what was half done.
        assert_eq!(cache.sweep(&keep, DAY).unwrap(), 5);
        assert!(cache.find(&installed).is_some() && cache.find(&used).is_some());
        assert!(cache.find(&removed).is_none() && before.find(&installed).is_none());
        assert!(folder.join("README").exists());
    }

    #[test]
    fn what_others_may_write_to_is_not_run() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("compiled");
        let cache = open(&folder, "a");
        let digest = "1".repeat(64);
        let code = kept(&cache, &digest);
        let note = code.with_extension("sha256");
        assert!(cache.find(&digest).is_some());
        for file in [&code, &note] {
            let rights = |bits| set_permissions(file, mode(bits)).unwrap();
            for open in [0o620, 0o602] {
                rights(open);
                assert!(cache.find(&digest).is_none(), "{open:o}");
            }
            rights(0o600);
            let other = home.path().join("other");
            std::fs::rename(file, &other).unwrap();
            std::os::unix::fs::symlink(&other, file).unwrap();
            assert!(cache.find(&digest).is_none(), "a link");
            std::fs::rename(&other, file).unwrap();
            assert!(cache.find(&digest).is_some());
        }
    }
}
