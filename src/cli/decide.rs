//! `zhanggui eval`: one decision, the answer as the server gives it.
use crate::cli::check::load_good;
use crate::cli::{CliError, Console, Lang};
use crate::lang::typed::DecisionId;
use crate::program::bind::nearest;
use crate::program::explain::{Explanation, explain};
use crate::program::facts::Facts;
use crate::rulebook::{MAX_FILE, Program, Rulebooks};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Which decision, where, on which facts: shared by `eval`, `explain` and `needs`.
#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// The folder to look in for rulebook.toml files
    #[arg(long, value_name = "DIR", default_value = "policies")]
    policies: PathBuf,
    /// The store
    #[arg(long, value_name = "ID")]
    store: String,
    /// The decision
    #[arg(long, value_name = "NAME")]
    decision: String,
    /// A file with the facts as a JSON object, or - for standard input
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
    /// Add values, rounding steps, and why other rules did not apply
    #[arg(long)]
    explain: bool,
    /// Also say the explanation in words, on standard error
    #[arg(long, value_enum)]
    lang: Option<Lang>,
}

/// A decision ready to be made.
pub(crate) struct Ready {
    pub(crate) program: Arc<Program>,
    pub(crate) decision: DecisionId,
    pub(crate) facts: Facts,
}

pub(crate) fn run(args: &Args, console: &mut Console) -> Result<bool, CliError> {
    let Ready { program, decision, facts } = ready(&args.which, console)?;
    let outcome = program.decide(decision, &facts);
    let explained =
        (args.explain || args.lang.is_some()).then(|| explain(program.linked(), decision, &facts));
    let explanation = explained.as_ref().filter(|_| args.explain).map(Explanation::to_json);
    let mut out = String::new();
    program.renderer().render_into(&mut out, &outcome, explanation.as_deref());
    console.line(&out)?;
    if let (Some(explained), Some(lang)) = (&explained, args.lang) {
        console.message(super::explain::text(explained, lang).trim_end());
    }
    Ok(true)
}

/// Loads, looks up, binds.
pub(crate) fn ready(which: &Which, console: &Console) -> Result<Ready, CliError> {
    let json = match &which.facts {
        Some(path) => read(path)?,
        None => b"{}".to_vec(),
    };
    let (_, books) = load_good(&which.policies, console)?;
    let (program, decision) = look_up(&books, &which.store, &which.decision)?;
    let facts = program.binder().bind(&json)?;
    Ok(Ready { program, decision, facts })
}

fn look_up(books: &Rulebooks, store: &str, decision: &str) -> Result<(Arc<Program>, DecisionId), CliError> {
    let Some(found) = books.store(store) else {
        return Err(unknown("store", store, books.store_ids().collect()));
    };
    let program = found.program.clone();
    match program.decision(decision) {
        Some(id) => Ok((program, id)),
        None => {
            let names = program.linked().rulebook.vocab.decisions.iter().map(|d| d.name.as_str()).collect();
            Err(unknown("decision", decision, names))
        }
    }
}

pub(crate) fn unknown(what: &str, name: &str, known: Vec<&str>) -> CliError {
    let meant =
        nearest(name, known.iter().copied()).map(|n| format!(", did you mean {n}?")).unwrap_or_default();
    CliError::Usage(format!("there is no {what} {name:?}{meant} (known: {})", known.join(", ")))
}

/// A file, or standard input; as long as a file of facts may be.
fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let fail = |error| CliError::Read { path: path.to_owned(), error };
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(fail)?;
    } else {
        std::fs::File::open(path).map_err(fail)?.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(fail)?;
    }
    if bytes.len() as u64 > MAX_FILE {
        return Err(CliError::Usage(format!("{} is larger than 1 MiB", path.display())));
    }
    // Some editors begin a file with a byte order mark.
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    Ok(bytes)
}
