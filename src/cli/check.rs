//! `zhanggui check`: all findings of all files, and a closing line; what is certain can be mended on the spot.
mod contracts;
mod fix;
mod sarif;

use crate::analysis::analyse;
use crate::cli::{CliError, Console};
use crate::lang::diagnostic::{self, Diagnostic, DiagnosticData, Severity, render};
use crate::lang::pages;
use crate::lang::syntax::nearest;
use crate::rulebook::{Loaded, Rulebooks, load};
use contracts::Plugins;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder to look in for rulebook.toml files
    #[arg(default_value = "policies")]
    dir: PathBuf,
    /// How to print the findings
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Let warnings fail the check too
    #[arg(long)]
    strict: bool,
    /// Make the changes that are certain in the files, then check again
    #[arg(long)]
    fix: bool,
    /// With --fix: print the changes, and make none
    #[arg(long, requires = "fix")]
    dry_run: bool,
    /// A folder of plugins, packages or manifests: let what the vocabulary declares of them fit. Or one package, and only
    /// that is looked at
    #[arg(long, value_name = "PATH")]
    plugins: Option<PathBuf>,
    /// Show the warnings that the policies accept, with their reasons
    #[arg(long)]
    accepted: bool,
    /// Print what a code means, with an example, and check nothing
    #[arg(long, value_name = "CODE", exclusive = true)]
    explain: Option<String>,
}

/// How to print findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// With source lines, for people
    Text,
    /// A list of findings
    Json,
    /// SARIF 2.1.0, for code review tools
    Sarif,
}

pub(crate) fn run(args: &Args, console: &mut Console) -> Result<bool, CliError> {
    if let Some(code) = &args.explain {
        return explain(code, console);
    }
    let plugins = args.plugins.as_deref().map(contracts::plugins).transpose()?;
    let good = checked(args, plugins.as_ref(), console)?;
    plugins.map_or(Ok(()), |plugins| plugins.all_read(console)).map(|()| good)
}

fn checked(args: &Args, plugins: Option<&Plugins>, console: &mut Console) -> Result<bool, CliError> {
    let findings = |dir: &Path| findings(dir, plugins);
    let mut loaded = findings(&args.dir)?;
    if args.dry_run {
        let (text, changes) = fix::shown(&loaded);
        console.print(&text)?;
        console.message(&format!("{} would be made; nothing was written", plural(changes, "change")));
        return Ok(passes(&loaded, args.strict));
    }
    if args.fix {
        let done;
        (loaded, done) = fix::run(loaded, || findings(&args.dir))?;
        let message =
            format!("{} made in {}", plural(done.changes, "change"), plural(done.files.len(), "file"));
        console.message(&message);
    }
    match args.format {
        Format::Text => {
            let told = |d: &&Diagnostic| d.severity > Severity::Note;
            let told: Vec<Diagnostic> = loaded.findings.iter().filter(told).cloned().collect();
            console.print(&render(&loaded.sources, &told, console.colour()))?;
            notes(&loaded, console)?;
            if args.accepted {
                accepted(&loaded, console)?;
            }
            console.line(&closing(&loaded))?;
        }
        Format::Json => {
            let data: Vec<DiagnosticData> = loaded.findings.iter().map(|d| d.data(&loaded.sources)).collect();
            console.line(&serde_json::to_string_pretty(&data).map_err(std::io::Error::other)?)?;
        }
        Format::Sarif => {
            let log = sarif::log(&loaded.sources, &loaded.findings);
            console.line(&serde_json::to_string_pretty(&log).map_err(std::io::Error::other)?)?;
        }
    }
    Ok(passes(&loaded, args.strict))
}

/// Everything that can be said about a folder, by file and place.
fn findings(dir: &Path, plugins: Option<&Plugins>) -> Result<Loaded, CliError> {
    let mut loaded = load(dir)?;
    if let (Some(books), Some(plugins)) = (&loaded.rulebooks, plugins) {
        loaded.findings.extend(contracts::misfits(books, plugins));
        diagnostic::sort(&mut loaded.findings);
    }
    if let Some(found) = loaded.rulebooks.as_ref().map(analyse) {
        loaded.add_analysis(found);
    }
    Ok(loaded)
}

/// What is to be known and not to be mended, a line each.
fn notes(loaded: &Loaded, console: &mut Console) -> Result<(), CliError> {
    for note in loaded.findings.iter().filter(|d| d.severity == Severity::Note) {
        let at = loaded.sources.start(note.span);
        let name = loaded.sources.name(note.span.file_id());
        console.line(&format!("note[{}] {name}:{}:{}: {}", note.code, at.line, at.column, note.message))?;
    }
    Ok(())
}

/// The warnings that the policies accept, and why.
fn accepted(loaded: &Loaded, console: &mut Console) -> Result<(), CliError> {
    for it in &loaded.accepted {
        let at = loaded.sources.start(it.finding.span);
        let name = loaded.sources.name(it.finding.span.file_id());
        let (code, message) = (it.finding.code, &it.finding.message);
        console.line(&format!("accepted[{code}] {name}:{}:{}: {message}", at.line, at.column))?;
        console.line(&format!("  because: {}", it.reason))?;
    }
    Ok(())
}

/// Whether the findings let the check pass.
fn passes(loaded: &Loaded, strict: bool) -> bool {
    let least = if strict { Severity::Warning } else { Severity::Error };
    loaded.findings.iter().all(|d| d.severity < least)
}

fn explain(code: &str, console: &mut Console) -> Result<bool, CliError> {
    let code = code.to_ascii_uppercase();
    let Some(page) = pages::page(&code) else {
        let near = nearest(&code, pages::PAGES.iter().map(|(code, _)| *code));
        let hint = near.map(|near| format!(", did you mean {near}?")).unwrap_or_default();
        return Err(CliError::Usage(format!("there is no finding with the code \"{code}\"{hint}")));
    };
    console.print(page)?;
    Ok(true)
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
    let certain = |d: &&Diagnostic| d.suggestion.as_ref().is_some_and(|s| s.certain);
    let certain = loaded.findings.iter().filter(certain).count();
    if certain > 0 {
        line.push_str(&format!("; `check --fix` can mend {certain} of them"));
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
