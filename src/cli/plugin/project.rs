//! Reading a plugin's folder and its package.
use crate::cli::CliError;
use crate::plugins::build::newer_source;
use crate::plugins::manifest::Manifest;
use crate::plugins::package::{CASES, COMPONENT, Case, Files, LARGEST_ARCHIVE, MANIFEST, Package, README};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Bytes of a file, no more than a package may have.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let fail = |error| CliError::Read { path: path.to_owned(), error };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(fail)?;
    file.take(LARGEST_ARCHIVE as u64 + 1).read_to_end(&mut bytes).map_err(fail)?;
    Ok(bytes)
}

pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    std::fs::write(path, bytes).map_err(|error| CliError::Write { path: path.to_owned(), error })
}

pub(super) fn refused(error: impl std::fmt::Display) -> CliError {
    CliError::Refused(error.to_string())
}

/// The manifest of a plugin's folder.
pub(super) fn manifest(folder: &Path) -> Result<Manifest, CliError> {
    let bytes = read(&folder.join(MANIFEST))?;
    let text = String::from_utf8(bytes).map_err(|_| refused(format!("{MANIFEST} is not UTF-8")))?;
    Manifest::parse(&text).map_err(refused)
}

/// The component of a plugin's folder, unless its source was changed since.
pub(super) fn component(folder: &Path) -> Result<Vec<u8>, CliError> {
    let path = folder.join(COMPONENT);
    let (wasm, at) = (path.display(), folder.display());
    if !path.is_file() {
        let why = format!("there is no {wasm}; make it with: zhanggui plugin build {at}");
        return Err(CliError::Usage(why));
    }
    if let Some(source) = newer_source(folder, &path) {
        let source = source.display();
        let why = format!("{wasm} is older than {source}; make it anew with: zhanggui plugin build {at}");
        return Err(CliError::Usage(why));
    }
    read(&path)
}

/// The paths of the cases, in order.
fn case_files(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let folder = folder.join(CASES);
    let fail = |error| CliError::Read { path: folder.clone(), error };
    let mut found = Vec::new();
    if folder.is_dir() {
        for entry in std::fs::read_dir(&folder).map_err(fail)? {
            let path = entry.map_err(fail)?.path();
            if path.extension().is_some_and(|e| e == "json") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// `cases/basket.json` of a path to it.
fn case_name(path: &Path) -> String {
    format!("{CASES}{}", path.file_name().unwrap_or_default().to_string_lossy())
}

/// The cases of a plugin's folder, by file.
pub(super) fn cases(folder: &Path, manifest: &Manifest) -> Result<Vec<(String, Case)>, CliError> {
    let mut cases = Vec::new();
    for path in case_files(folder)? {
        let case = Case::read(&read(&path)?, manifest)
            .map_err(|error| refused(format!("{}: {error}", path.display())))?;
        cases.push((case_name(&path), case));
    }
    Ok(cases)
}

/// The files of a plugin's folder that go into its package.
pub(super) fn files(folder: &Path) -> Result<Files, CliError> {
    let mut files = Files::new();
    for name in [MANIFEST, README] {
        files.insert(name.to_owned(), read(&folder.join(name))?);
    }
    files.insert(COMPONENT.to_owned(), component(folder)?);
    for path in case_files(folder)? {
        files.insert(case_name(&path), read(&path)?);
    }
    Ok(files)
}

/// A package that may come from anybody.
pub(super) fn package(path: &Path) -> Result<Package, CliError> {
    let bytes = read(path)?;
    Package::read(&bytes).map_err(|error| refused(format!("{}: {error}", path.display())))
}

/// `36.2 KiB`.
pub(super) fn size(bytes: u64) -> String {
    let bytes = bytes as f64;
    match bytes {
        b if b < 1024.0 => format!("{b} bytes"),
        b if b < 1024.0 * 1024.0 => format!("{:.1} KiB", b / 1024.0),
        b => format!("{:.1} MiB", b / (1024.0 * 1024.0)),
    }
}

/// `1 case`, `2 cases`.
pub(super) fn counted(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}
