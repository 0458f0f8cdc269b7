//! `zhanggui fmt`: writes texts in their one layout, or lists those that are not.
use crate::cli::check::plural;
use crate::cli::{CliError, Console};
use crate::format::{FormatError, format_file};
use crate::lang::ast::FileKind;
use crate::lang::diagnostic;
use crate::lang::source::SourceMap;
use crate::lang::syntax::{MAX_BYTES, add_bytes};
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files and folders; `-` reads a text from standard input and prints it
    #[arg(default_value = "policies")]
    paths: Vec<PathBuf>,
    /// Write nothing: list the files that would change, and end with 1 if there are any
    #[arg(long)]
    check: bool,
    /// What the text from standard input is
    #[arg(long, value_enum, default_value = "policy")]
    kind: Kind,
}

/// The kinds of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    Policy,
    Vocab,
    Cases,
}

impl From<Kind> for FileKind {
    fn from(kind: Kind) -> FileKind {
        match kind {
            Kind::Policy => FileKind::Policy,
            Kind::Vocab => FileKind::Vocabulary,
            Kind::Cases => FileKind::Cases,
        }
    }
}

/// How many folders within folders are looked into: a ring of links has an end.
const MAX_DEPTH: usize = 32;

pub(crate) fn run(args: &Args, console: &mut Console) -> Result<bool, CliError> {
    if args.paths.iter().any(|path| path.as_os_str() == "-") {
        return from_input(args, console);
    }
    let mut files = Vec::new();
    for path in &args.paths {
        // A file that is named is what its ending says; other files in a folder are none of ours.
        if path.is_dir() {
            collect(path, 0, &mut files)?;
        } else if kind_of(path).is_some() {
            files.push(path.clone());
        } else {
            let known = ".policy, .vocab or .cases";
            return Err(CliError::Usage(format!("{} is no {known} file, and no folder", path.display())));
        }
    }
    files.sort();
    files.dedup();
    let (mut changed, mut left) = (0, 0);
    for path in &files {
        let Some(kind) = kind_of(path) else { continue };
        let bytes = fs::read(path).map_err(|error| CliError::Read { path: path.clone(), error })?;
        let Some(text) = laid_out(&path.display().to_string(), &bytes, kind, console) else {
            left += 1;
            continue;
        };
        if text.as_bytes() == bytes {
            continue;
        }
        changed += 1;
        if !args.check {
            replace(path, &text).map_err(|error| CliError::Write { path: path.clone(), error })?;
        }
        console.line(&path.display().to_string())?;
    }
    let did = if args.check { "would change" } else { "changed" };
    let mut closing = format!("{}: {changed} {did}", plural(files.len(), "file"));
    if left > 0 {
        closing.push_str(&format!(", {left} left alone"));
    }
    console.message(&closing);
    Ok(left == 0 && (changed == 0 || !args.check))
}

fn from_input(args: &Args, console: &mut Console) -> Result<bool, CliError> {
    if args.paths.len() > 1 {
        return Err(CliError::Usage("`-` stands alone: one text is read from standard input".to_owned()));
    }
    let mut bytes = Vec::new();
    let most = MAX_BYTES as u64 + 1;
    let read = std::io::stdin().lock().take(most).read_to_end(&mut bytes);
    read.map_err(|error| CliError::Read { path: "standard input".into(), error })?;
    let Some(text) = laid_out("standard input", &bytes, args.kind.into(), console) else { return Ok(false) };
    if args.check {
        return Ok(text.as_bytes() == bytes);
    }
    console.print(&text)?;
    Ok(true)
}

/// The new text; if there is none, it was said why.
fn laid_out(name: &str, bytes: &[u8], kind: FileKind, console: &Console) -> Option<String> {
    let mut map = SourceMap::new();
    let (id, found) = add_bytes(&mut map, name, bytes);
    let done = if found.is_empty() { format_file(&map, id, kind) } else { Err(FormatError::Wrong(found)) };
    match done {
        Ok(text) => Some(text),
        Err(FormatError::Wrong(found)) => {
            console.message(diagnostic::render(&map, &found, console.colour_err()).trim_end());
            console.message(&format!("{name} is left as it is: mend its errors first"));
            None
        }
        Err(error @ FormatError::Changed) => {
            console.message(&format!("{name} is left as it is: {error}"));
            None
        }
    }
}

fn kind_of(path: &Path) -> Option<FileKind> {
    FileKind::of(path.file_name()?.to_str()?)
}

/// The files below a folder that have a layout. Names that begin with a dot are not looked at.
fn collect(folder: &Path, depth: usize, into: &mut Vec<PathBuf>) -> Result<(), CliError> {
    let fail = |error| CliError::Read { path: folder.to_owned(), error };
    for entry in fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
            continue;
        }
        if path.is_dir() {
            if depth < MAX_DEPTH {
                collect(&path, depth + 1, into)?;
            }
        } else if kind_of(&path).is_some() {
            into.push(path);
        }
    }
    Ok(())
}

/// Replaces a file as a whole: whoever reads it meanwhile sees the old text or the new one. A link is followed, and who may
/// read and write the file stays.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let path = fs::canonicalize(path)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = path.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let written = fs::File::create_new(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.set_permissions(fs::metadata(&path)?.permissions())?;
        file.sync_all()
    });
    let done = written.and_then(|()| fs::rename(&beside, &path));
    if done.is_err() {
        // What could not take the file's place must not stay beside it.
        let _ = fs::remove_file(&beside);
    }
    done
}
