//! The zip around a package. It may come from anybody, so nothing in it is believed: one chain of entries and nothing
//! between, before or after them, names from a short list, sizes counted while reading and not as promised.
use super::{CASES, COMPONENT, MANIFEST, PackageError, README, SIGNATURE, SUMS};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read as _, Write as _};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// The files of a package by name.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Bytes of the largest `.zgp` that is read.
pub const LARGEST_ARCHIVE: usize = 32 << 20;
/// The most files.
const MOST_FILES: usize = 300;
/// Bytes of all files together.
const LARGEST_WHOLE: u64 = 64 << 20;

/// The most bytes of a file of this name; none: it may not be in a package.
fn largest(name: &str) -> Option<u64> {
    match name {
        MANIFEST | SUMS => Some(64 << 10),
        COMPONENT => Some(24 << 20),
        README => Some(256 << 10),
        SIGNATURE => Some(1 << 10),
        _ => {
            let case = name.strip_prefix(CASES)?.strip_suffix(".json")?;
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
            (!case.is_empty() && case.len() <= 80 && case.bytes().all(plain)).then_some(1 << 20)
        }
    }
}

/// Whether these may be the files of a package.
pub fn check(files: &Files) -> Result<(), PackageError> {
    if files.len() > MOST_FILES {
        return Err(PackageError::Archive(format!("it has more than {MOST_FILES} files")));
    }
    let mut whole = 0;
    for (name, bytes) in files {
        let most = largest(name).ok_or_else(|| PackageError::Stray(name.clone()))?;
        let size = bytes.len() as u64;
        if size > most {
            return Err(PackageError::TooLarge(name.clone(), most));
        }
        whole += size;
    }
    if whole > LARGEST_WHOLE {
        return Err(PackageError::TooLarge("all of it together".to_owned(), LARGEST_WHOLE));
    }
    Ok(())
}

fn broken(error: impl std::fmt::Display) -> PackageError {
    PackageError::Archive(error.to_string())
}

pub fn read(bytes: &[u8]) -> Result<Files, PackageError> {
    if bytes.len() > LARGEST_ARCHIVE {
        return Err(PackageError::TooLarge("the package".to_owned(), LARGEST_ARCHIVE as u64));
    }
    let names = names(bytes)?;
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    if archive.len() != names.len() {
        return Err(broken("its directory can be read in two ways"));
    }
    let mut files = Files::new();
    let mut left = LARGEST_WHOLE;
    for name in &names {
        let most = largest(name).ok_or_else(|| PackageError::Stray(name.clone()))?;
        let mut entry = archive.by_name(name).map_err(broken)?;
        let (mut content, limit) = (Vec::new(), most.min(left));
        entry.by_ref().take(limit.saturating_add(1)).read_to_end(&mut content).map_err(broken)?;
        let size = content.len() as u64;
        if size > most {
            return Err(PackageError::TooLarge(name.clone(), most));
        }
        left = left
            .checked_sub(size)
            .ok_or_else(|| PackageError::TooLarge("all of it together".to_owned(), LARGEST_WHOLE))?;
        files.insert(name.clone(), content);
    }
    Ok(files)
}

/// The same bytes for the same files: names in order, one date, no permissions but reading.
pub fn write(files: &Files) -> Result<Vec<u8>, PackageError> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let date = DateTime::from_date_and_time(1980, 1, 1, 0, 0, 0).map_err(broken)?;
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
        .last_modified_time(date)
        .unix_permissions(0o644);
    for (name, bytes) in files {
        writer.start_file(name.as_str(), options).map_err(broken)?;
        writer.write_all(bytes).map_err(broken)?;
    }
    Ok(writer.finish().map_err(broken)?.into_inner())
}

/// Reads little-endian numbers and slices, and fails at the end.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], PackageError> {
        let (taken, rest) = self.0.split_at_checked(n).ok_or_else(|| broken("it ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }
    fn number(&mut self, bytes: usize) -> Result<usize, PackageError> {
        Ok(self.take(bytes)?.iter().rev().fold(0, |n, b| (n << 8) | usize::from(*b)))
    }
    fn mark(&mut self, mark: &[u8; 4]) -> Result<(), PackageError> {
        if self.take(4)? == mark {
            Ok(())
        } else {
            Err(broken("a mark of its parts is not where it should be"))
        }
    }
}

/// Bytes of the record that ends a zip.
const END: usize = 22;

/// The names in the directory, once its every word was compared with the entries: they stand one after another from the
/// first byte on, then the directory, then its end, and nothing else. So there is one way to read the archive, and
/// nothing in it that is not read.
fn names(bytes: &[u8]) -> Result<Vec<String>, PackageError> {
    let end_at = bytes.len().checked_sub(END).ok_or_else(|| broken("it is too short"))?;
    let (before, end) = bytes.split_at_checked(end_at).ok_or_else(|| broken("it is too short"))?;
    let mut end = Bytes(end);
    end.mark(b"PK\x05\x06")?;
    let (disk, of_disk) = (end.number(2)?, end.number(2)?);
    let (here, count) = (end.number(2)?, end.number(2)?);
    let (size, start) = (end.number(4)?, end.number(4)?);
    if disk != 0
        || of_disk != 0
        || here != count
        || end.number(2)? != 0
        || start.checked_add(size) != Some(end_at)
    {
        return Err(broken("its end does not fit the rest"));
    }
    if count > MOST_FILES {
        return Err(PackageError::Archive(format!("it has more than {MOST_FILES} files")));
    }
    let (entries, directory) =
        before.split_at_checked(start).ok_or_else(|| broken("its end does not fit the rest"))?;
    let (mut entries, mut directory) = (Bytes(entries), Bytes(directory));
    let (mut seen, mut names) = (BTreeSet::new(), Vec::new());
    for _ in 0..count {
        let offset = start - entries.0.len();
        let name = entry(&mut directory, &mut entries, offset)?;
        if !seen.insert(name.clone()) {
            return Err(PackageError::Archive(format!("{name} is in it twice")));
        }
        names.push(name);
    }
    if entries.0.is_empty() && directory.0.is_empty() {
        Ok(names)
    } else {
        Err(broken("it holds bytes that belong to no file"))
    }
}

/// The next entry of the directory, which is the next of the entries, too.
fn entry(directory: &mut Bytes<'_>, entries: &mut Bytes<'_>, offset: usize) -> Result<String, PackageError> {
    directory.mark(b"PK\x01\x02")?;
    directory.take(4)?;
    let (flags, method) = (directory.number(2)?, directory.number(2)?);
    directory.take(4)?;
    let (crc, packed, unpacked) = (directory.number(4)?, directory.number(4)?, directory.number(4)?);
    let (name_len, extra, comment) = (directory.number(2)?, directory.number(2)?, directory.number(2)?);
    let disk = directory.number(2)?;
    directory.take(2)?;
    let attributes = directory.number(4)?;
    let at = directory.number(4)?;
    let name = directory.take(name_len)?;
    directory.take(extra)?;
    let shown = String::from_utf8_lossy(name).into_owned();
    let bad = |why: &str| Err(PackageError::Archive(format!("{shown}: {why}")));
    // The bits for what deflate was told (1, 2) and for UTF-8 names (11); not encryption or sizes that follow the data.
    if flags & !0x0806 != 0 {
        return bad("it is encrypted or of another form that a package may not have");
    }
    if ![0, 8].contains(&method) {
        return bad("it is compressed in a way other than deflate");
    }
    // The kind of file in Unix's mode: none, or a regular one.
    if ![0, 0o100000].contains(&((attributes >> 16) & 0o170000)) || attributes & 0x10 != 0 {
        return bad("it is no ordinary file");
    }
    if comment != 0 || disk != 0 || at != offset {
        return bad("it does not stand where the directory says");
    }
    entries.mark(b"PK\x03\x04")?;
    entries.take(2)?;
    let same = entries.number(2)? == flags && entries.number(2)? == method;
    entries.take(4)?;
    let same =
        same && [crc, packed, unpacked] == [entries.number(4)?, entries.number(4)?, entries.number(4)?];
    let (name_again, extra) = (entries.number(2)?, entries.number(2)?);
    if entries.take(name_again)? != name || !same {
        return bad("the directory says something else than the file");
    }
    entries.take(extra)?;
    entries.take(packed)?;
    // What is on the list is ASCII: two names that look the same are the same.
    if largest(&shown).is_none() {
        return Err(PackageError::Stray(shown));
    }
    Ok(shown)
}
