//! `zhanggui test`: all cases, a diff for each that fails, coverage on request.
use crate::cases::{CaseResult, Coverage, Missing, coverage_line, missing, run as run_cases};
use crate::cli::check::load_good;
use crate::cli::{CliError, Console};
use crate::lang::source::{SourceMap, Span};
use crate::rulebook::Book;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder to look in for rulebook.toml files
    #[arg(default_value = "policies")]
    dir: PathBuf,
    /// Say which rules and table rows the cases show at work, and which they do not
    #[arg(long)]
    coverage: bool,
    /// Propose cases for the rules, rows and sides of bounds that no case shows, as text to paste into a .cases file
    #[arg(long, conflicts_with = "filter")]
    missing: bool,
    /// Only cases whose name contains this text
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
}

pub(crate) fn run(args: &Args, console: &mut Console) -> Result<bool, CliError> {
    let (loaded, rulebooks) = load_good(&args.dir, console)?;
    let (mut passed, mut failed) = (0, 0);
    for book in &rulebooks.books {
        let wanted = args.filter.as_deref().unwrap_or("");
        let results = run_cases(book, |case| case.name.contains(wanted));
        for result in &results {
            match &result.failure {
                None => passed += 1,
                Some(_) => {
                    failed += 1;
                    show_failure(console, &loaded.sources, book, result)?;
                }
            }
        }
        if args.missing {
            show_missing(console, book, &missing(book, &results))?;
        }
        if args.coverage {
            show_coverage(console, &loaded.sources, book, &results)?;
        }
    }
    if passed + failed == 0 {
        console.message(if args.filter.is_some() {
            "no case has that in its name"
        } else {
            "there are no cases"
        });
    }
    let closing = format!("{passed} passed, {failed} failed");
    // What is proposed is text to paste: nothing else stands on standard output.
    if args.missing {
        console.message(&closing);
    } else {
        console.line(&closing)?;
    }
    Ok(failed == 0 && (passed > 0 || args.filter.is_none()))
}

fn place(sources: &SourceMap, span: Span) -> String {
    format!("{}:{}", sources.name(span.file_id()), sources.start(span).line)
}

fn show_failure(
    console: &mut Console,
    sources: &SourceMap,
    book: &Book,
    result: &CaseResult,
) -> Result<(), CliError> {
    let (Some(case), Some(failure)) = (book.cases.get(result.case), &result.failure) else { return Ok(()) };
    let mark = console.mark("FAILED", false);
    console.line(&format!("{mark} {} \"{}\"", place(sources, case.span), case.name))?;
    for line in &failure.differences {
        console.line(&format!("  {line}"))?;
    }
    if !failure.outcome.is_empty() {
        console.line("  outcome:")?;
        for line in &failure.outcome {
            console.line(&format!("    {line}"))?;
        }
    }
    if !failure.facts.is_empty() {
        console.line(&format!("  facts: {}", failure.facts))?;
    }
    console.line("")?;
    Ok(())
}

fn show_coverage(
    console: &mut Console,
    sources: &SourceMap,
    book: &Book,
    results: &[CaseResult],
) -> Result<(), CliError> {
    let coverage = Coverage::of(book, results);
    console.line(&format!("rulebook {}", book.name))?;
    for (what, all, idle) in
        [("rule", coverage.rules, &coverage.idle_rules), ("row", coverage.rows, &coverage.idle_rows)]
    {
        for (name, span) in idle {
            console.line(&format!("  no case shows {what} {name} ({})", place(sources, *span)))?;
        }
        console.line(&coverage_line(what, all, idle.len()))?;
    }
    Ok(())
}

/// The proposals as a .cases file, what they are for as comments.
fn show_missing(console: &mut Console, book: &Book, found: &Missing) -> Result<(), CliError> {
    let of = |all: usize, idle: usize| format!("{} of {all}", all - idle);
    let (rules, rows) = (&found.coverage.idle_rules, &found.coverage.idle_rows);
    console.line(&format!(
        "# rulebook {}: rules {}, rows {}, bounds {} of {}",
        book.name,
        of(found.coverage.rules, rules.len()),
        of(found.coverage.rows, rows.len()),
        found.covered_bounds,
        found.bounds.all.len()
    ))?;
    if !found.proposals.is_empty() {
        let (rules, rows) =
            (of(found.coverage.rules, found.idle_rules), of(found.coverage.rows, found.idle_rows));
        console.line(&format!(
            "# with the cases below: rules {rules}, rows {rows}, bounds {} of {}",
            found.bounds.covered(),
            found.bounds.all.len()
        ))?;
    }
    for proposal in &found.proposals {
        console.line("")?;
        console.print(&proposal.text())?;
    }
    if !found.not_found.is_empty() {
        console.line("")?;
        console.line(
            "# No case was found for these, looking from the cases that there are and from ordinary facts: write one by hand,\n\
             # unless the rulebook can never meet them or the answer does not hang on them there.",
        )?;
        for what in &found.not_found {
            console.line(&format!("# - {what}"))?;
        }
    }
    Ok(())
}
