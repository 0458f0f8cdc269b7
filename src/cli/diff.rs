//! `zhanggui diff`: which facts two versions of the rulebooks decide otherwise.
use crate::cli::check::load_good;
use crate::cli::{CliError, Console, Format};
use crate::compare::{Sides, recorded, recorded_text, searched, searched_text};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder with the old version
    old: PathBuf,
    /// The folder with the new version
    new: PathBuf,
    /// A file of recorded requests, one JSON object a line, with "decision", "store" and "facts": says how many are
    /// decided otherwise, and how much money that is
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Well if both versions decide alike as far as was looked.
pub(crate) fn run(args: &Args, console: &mut Console) -> Result<bool, CliError> {
    let good = |dir: &PathBuf| {
        // Rulebooks that do not check cannot be compared: that is no difference.
        load_good(dir, console).map_err(|error| match error {
            CliError::Findings { .. } => CliError::Usage(format!("{}: {error}", dir.display())),
            other => other,
        })
    };
    let (_, old) = good(&args.old)?;
    let (_, new) = good(&args.new)?;
    let sides = Sides { old: &old, new: &new };
    let (data, page, same) = match &args.facts {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| CliError::Read { path: path.clone(), error })?;
            let report = recorded(&sides, &text);
            if report.facts == 0 {
                let why = report
                    .unread
                    .first()
                    .map_or("it is empty".into(), |u| format!("line {}: {}", u.line, u.why));
                return Err(CliError::Usage(format!(
                    "nothing in {} could be compared: {why}",
                    path.display()
                )));
            }
            (serde_json::to_string_pretty(&report), recorded_text(&report), report.otherwise == 0)
        }
        None => {
            let report = searched(&sides);
            (serde_json::to_string_pretty(&report), searched_text(&report), report.differences.is_empty())
        }
    };
    match args.format {
        Format::Json => console.line(&data.map_err(std::io::Error::other)?)?,
        Format::Text => console.print(&page)?,
    }
    Ok(same)
}
