//! `check --fix`: the certain changes, written to the files whole or not at all.
use crate::cli::CliError;
use crate::lang::mend::{self, Mended};
use crate::rulebook::Loaded;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A change may bring to light what it hid; this many times is more than any text needs.
const ROUNDS: usize = 10;

/// What was written.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) changes: usize,
    pub(super) files: BTreeSet<PathBuf>,
}

/// Makes the certain changes and checks again, until none are left.
pub(super) fn run(
    mut loaded: Loaded,
    mut again: impl FnMut() -> Result<Loaded, CliError>,
) -> Result<(Loaded, Done), CliError> {
    let mut done = Done::default();
    for _ in 0..ROUNDS {
        let mended = mendable(&loaded);
        if mended.is_empty() {
            break;
        }
        for (path, mended) in mended {
            write(&path, loaded.sources.text(mended.file), &mended.text)?;
            done.changes += mended.changes;
            done.files.insert(path);
        }
        loaded = again()?;
    }
    Ok((loaded, done))
}

/// The changes of the first round as a diff, and how many they are.
pub(super) fn shown(loaded: &Loaded) -> (String, usize) {
    let mut out = String::new();
    let mut changes = 0;
    for (path, mended) in mendable(loaded) {
        let path = path.display();
        out.push_str(&format!("--- {path}\n+++ {path}\n{}", mended.diff));
        changes += mended.changes;
    }
    (out, changes)
}

/// Places in a CSV file are those of its cells without their quotes, so nothing is written there.
fn mendable(loaded: &Loaded) -> Vec<(PathBuf, Mended)> {
    let all = mend::mend(&loaded.sources, &loaded.findings).into_iter();
    let placed = all.filter_map(|m| Some((loaded.path_of(m.file)?.to_owned(), m)));
    placed.filter(|(path, _)| path.extension().is_none_or(|e| e != "csv")).collect()
}

/// Puts the new text in the place of the old one in one step, and keeps what others have written meanwhile.
fn write(path: &Path, old: &str, new: &str) -> Result<(), CliError> {
    let read = |error| CliError::Read { path: path.to_owned(), error };
    let fail = |error| CliError::Write { path: path.to_owned(), error };
    // A link stays a link.
    let real = fs::canonicalize(path).map_err(read)?;
    if fs::read(&real).map_err(read)? != old.as_bytes() {
        let message = format!("{} was changed meanwhile; nothing was written to it", path.display());
        return Err(CliError::Usage(message));
    }
    let mut name = real.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = real.with_file_name(name);
    let written = fs::metadata(&real).and_then(|meta| {
        let mut file = fs::File::create_new(&beside)?;
        file.write_all(new.as_bytes())?;
        file.set_permissions(meta.permissions())?;
        file.sync_all()?;
        fs::rename(&beside, &real)
    });
    written.map_err(|error| {
        // Whether it can be removed changes nothing about what is told.
        let _ = fs::remove_file(&beside);
        fail(error)
    })
}
