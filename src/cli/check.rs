//! `zhanggui check`: all findings of all files, and a closing line.
use crate::analysis::analyse;
use crate::cli::{CliError, Console, Format};
use crate::lang::diagnostic::{DiagnosticData, Severity};
use crate::rulebook::{Loaded, Rulebooks, load};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder to look in for rulebook.toml files
    #[arg(default_value = "policies")]
    dir: PathBuf,
    /// How to print the findings
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Show the warnings that the policies accept, with their reasons
    #[arg(long)]
    accepted: bool,
}

pub(crate) fn run(args: &Args, console: &mut Console) -> Result<bool, CliError> {
    let mut loaded = load(&args.dir)?;
    if let Some(books) = &loaded.rulebooks {
        let found = analyse(books);
        loaded.add_analysis(found);
    }
    if args.format == Format::Json {
        let data: Vec<DiagnosticData> = loaded.findings.iter().map(|d| d.data(&loaded.sources)).collect();
        let text = serde_json::to_string_pretty(&data).map_err(std::io::Error::other)?;
        console.line(&text)?;
    } else {
        console.print(&loaded.shown(console.colour()))?;
        if args.accepted {
            for it in &loaded.accepted {
                let at = loaded.sources.start(it.finding.span);
                let name = loaded.sources.name(it.finding.span.file_id());
                let (code, message) = (it.finding.code, &it.finding.message);
                console.line(&format!("accepted[{code}] {name}:{}:{}: {message}", at.line, at.column))?;
                console.line(&format!("  because: {}", it.reason))?;
            }
        }
        console.line(&closing(&loaded))?;
    }
    Ok(loaded.errors() == 0)
}

fn closing(loaded: &Loaded) -> String {
    let of = |severity: Severity| loaded.findings.iter().filter(|d| d.severity == severity).count();
    let mut line = format!(
        "{} in {}: {}, {}",
        plural(loaded.counts.rulebooks, "rulebook"),
        plural(loaded.counts.files, "file"),
        plural(of(Severity::Error), "error"),
        plural(of(Severity::Warning), "warning"),
    );
    let notes = of(Severity::Note);
    if notes > 0 {
        line.push_str(&format!(", {}", plural(notes, "note")));
    }
    if !loaded.accepted.is_empty() {
        line.push_str(&format!(", {} accepted", plural(loaded.accepted.len(), "warning")));
    }
    line
}

/// `1 error`, `2 errors`.
pub(crate) fn plural(n: usize, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}

/// Loads rulebooks to be used; findings that keep them from it go to standard error.
pub(crate) fn load_good(dir: &Path, console: &Console) -> Result<(Loaded, Rulebooks), CliError> {
    let mut loaded = load(dir)?;
    match loaded.rulebooks.take() {
        Some(books) => Ok((loaded, books)),
        None => {
            console.message(loaded.shown(console.colour_err()).trim_end());
            Err(CliError::Findings { errors: loaded.errors() })
        }
    }
}
