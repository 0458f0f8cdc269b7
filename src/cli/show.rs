//! `zhanggui show`: a decision read output by output, as a page, a diagram, or data.
use crate::cli::check::load_good;
use crate::cli::decide::unknown;
use crate::cli::{CliError, Console, Lang};
use crate::lang::typed::{DecisionId, PolicyId};
use crate::rulebook::{Book, Rulebooks, Store};
use crate::show;
use clap::ValueEnum;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A policy (its decision is shown), a folder to look in for rulebook.toml files, or both
    #[arg(value_name = "POLICY|DIR", num_args = 0..=2)]
    what: Vec<String>,
    /// Show the decision that this policy decides
    #[arg(long, value_name = "PATH", conflicts_with = "decision")]
    policy: Option<String>,
    /// Show this decision
    #[arg(long, value_name = "NAME")]
    decision: Option<String>,
    /// The store whose layers are merged; without it the first one that the policy takes part in
    #[arg(long, value_name = "ID")]
    store: Option<String>,
    /// What to group by
    #[arg(long, value_enum, default_value = "output")]
    by: By,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Form,
    /// The language of the headings and labels
    #[arg(long, value_enum, default_value = "zh")]
    lang: Lang,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A page to be read at a meeting
    Text,
    /// A Mermaid flowchart
    Mermaid,
    /// A drawing
    Svg,
    Json,
}

pub(crate) fn run(args: &Args, console: &mut Console) -> Result<bool, CliError> {
    let By::Output = args.by;
    let (dir, policy) = targets(args)?;
    let (loaded, books) = load_good(&dir, console)?;
    let (book, store, decision) = choose(args, policy.as_deref(), &books)?;
    let sheet = show::sheet(&loaded.sources, book, store, decision);
    let lang = match args.lang {
        Lang::Zh => show::Lang::Zh,
        Lang::En => show::Lang::En,
    };
    match args.format {
        Form::Text => console.print(&show::text(&sheet, lang))?,
        Form::Mermaid => console.print(&show::mermaid(&sheet, lang))?,
        Form::Svg => console.print(&show::svg(&sheet, lang))?,
        Form::Json => console.line(&serde_json::to_string_pretty(&sheet).map_err(std::io::Error::other)?)?,
    }
    Ok(true)
}

/// Which of the words is the folder, and which the policy.
fn targets(args: &Args) -> Result<(PathBuf, Option<String>), CliError> {
    let (mut dir, mut policy) = (None, args.policy.clone());
    for word in &args.what {
        if Path::new(word).is_dir() && dir.is_none() {
            dir = Some(PathBuf::from(word));
        } else if policy.is_none() && args.decision.is_none() {
            policy = Some(word.clone());
        } else {
            return Err(CliError::Usage(format!("{word} is not a folder")));
        }
    }
    Ok((dir.unwrap_or_else(|| "policies".into()), policy))
}

fn choose<'b>(
    args: &Args,
    policy: Option<&str>,
    books: &'b Rulebooks,
) -> Result<(&'b Book, &'b Store, DecisionId), CliError> {
    let of_store = |book: &Book| args.store.as_deref().is_none_or(|id| book.store(id).is_some());
    if let Some(id) = args.store.as_deref().filter(|id| books.store(id).is_none()) {
        return Err(unknown("store", id, books.store_ids().collect()));
    }
    let candidates = || books.books.iter().filter(|b| of_store(b));
    if let Some(path) = policy {
        let versions = candidates().flat_map(|book| {
            let all = book.typed.policies.iter().enumerate().filter(|(_, p)| p.path == path);
            all.map(move |(i, p)| (book, PolicyId(i as u32), p.decides))
        });
        let mut found = false;
        for (book, id, decides) in versions {
            let Some(decision) = decides else {
                return Err(CliError::Usage(format!(
                    "{path} is a library and decides nothing; say --decision NAME (known: {})",
                    decisions(book).join(", ")
                )));
            };
            let takes_part = |s: &&Store| s.program.linked().has_policy(id);
            let store = match args.store.as_deref() {
                Some(id) => book.store(id).filter(takes_part),
                None => book.stores.iter().find(takes_part),
            };
            found = true;
            if let Some(store) = store {
                return Ok((book, store, decision));
            }
        }
        if found {
            let place = args.store.as_deref().unwrap_or("any store");
            return Err(CliError::Usage(format!("{path} does not apply in {place}")));
        }
        let known = candidates().flat_map(|b| &b.typed.policies);
        let mut known: Vec<&str> = known.filter(|p| p.decides.is_some()).map(|p| p.path.as_str()).collect();
        known.dedup();
        return Err(unknown("policy", path, known));
    }
    let known: Vec<&str> = candidates().flat_map(decisions).collect();
    let name = match (args.decision.as_deref(), known.as_slice()) {
        (Some(name), _) => name,
        (None, [only]) => only,
        (None, _) => {
            return Err(CliError::Usage(format!(
                "say a policy or --decision NAME (known: {})",
                known.join(", ")
            )));
        }
    };
    for book in candidates() {
        let found = book.typed.vocab.decisions.iter().position(|d| d.name == name);
        let decision = found.map(|at| DecisionId(at as u32));
        let store = match args.store.as_deref() {
            Some(id) => book.store(id),
            None => book.stores.first(),
        };
        // A vocabulary that rulebooks share names decisions of the others, too.
        let decided = |d: DecisionId| book.typed.policies.iter().any(|p| p.decides == Some(d));
        if let (Some(decision), Some(store)) = (decision.filter(|d| decided(*d)), store) {
            return Ok((book, store, decision));
        }
    }
    Err(unknown("decision", name, known))
}

/// The decisions that some policy of a rulebook decides.
fn decisions(book: &Book) -> Vec<&str> {
    let all = book.typed.vocab.decisions.iter().enumerate();
    let decided =
        all.filter(|(i, _)| book.typed.policies.iter().any(|p| p.decides.is_some_and(|d| d.ix() == *i)));
    decided.map(|(_, d)| d.name.as_str()).collect()
}
