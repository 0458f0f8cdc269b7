//! `zhanggui plugin run`: one call, what came of it, and how close each limit is.
use super::Output;
use super::engine::{Bench, Target};
use super::meter::{log_lines, meters, request_lines, table};
use super::project::{read, refused};
use crate::cli::CliError;
use crate::plugins::contract::{Answer, Call, Hook};
use crate::plugins::manifest::Manifest;
use crate::plugins::package::{Case, Expected, Recorded};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    target: Target,
    /// The call as JSON, or a case, of which the call, the settings and the responses are taken
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// facts, check, quote or notify; found in the manifest if left out
    #[arg(long, value_name = "HOOK")]
    hook: Option<String>,
    /// What servers answer: a JSON list with an object for each round, {"request's name": {"status": 200, "body": "…"}}
    #[arg(long, value_name = "FILE")]
    responses: Option<PathBuf>,
    /// A setting of the plugin
    #[arg(long = "set", value_name = "NAME=VALUE")]
    settings: Vec<String>,
}

fn json_file<T: DeserializeOwned>(path: &Path) -> Result<T, CliError> {
    serde_json::from_slice(&read(path)?)
        .map_err(|error| CliError::Usage(format!("{}: {error}", path.display())))
}

/// The case that the arguments make; what it expects is not looked at.
fn asked(args: &Args, manifest: &Manifest) -> Result<Case, CliError> {
    let usage = |what: String| CliError::Usage(format!("{}: {what}", args.input.display()));
    let input: Value = json_file(&args.input)?;
    let mut case = if input.get("call").is_some() {
        Case::read(&read(&args.input)?, manifest).map_err(usage)?
    } else {
        let call: Call = serde_json::from_value(input).map_err(|e| usage(e.to_string()))?;
        let hook = manifest.functions.get(&call.function).map_or(Hook::Notify, |f| f.hook);
        let (name, expect) = (String::new(), Expected::Answer(Answer::Delivered));
        Case {
            name,
            hook,
            call,
            config: BTreeMap::new(),
            kv: BTreeMap::new(),
            responses: Vec::new(),
            requests: None,
            expect,
            fuel: None,
        }
    };
    if let Some(name) = &args.hook {
        let hook = Hook::ALL.into_iter().find(|h| h.name() == name);
        case.hook = hook.ok_or_else(|| CliError::Usage(format!("{name:?} is no hook")))?;
    }
    if let Some(path) = &args.responses {
        case.responses = json_file::<Vec<BTreeMap<String, Recorded>>>(path)?;
    }
    for setting in &args.settings {
        let (name, value) = setting
            .split_once('=')
            .ok_or_else(|| CliError::Usage(format!("{setting:?} is no setting; write NAME=VALUE")))?;
        case.config.insert(name.to_owned(), value.to_owned());
    }
    manifest.settle(&case.config).map_err(CliError::Usage)?;
    Ok(case)
}

pub(super) fn run(args: &Args, output: &mut Output<'_>) -> Result<bool, CliError> {
    let bench = Bench::open(&args.target)?;
    let case = asked(args, &bench.manifest)?;
    let done = bench.subject().run("", &case).map_err(refused)?;
    let meters = meters(&bench, &case, &done);
    let ran = &done.ran;
    let gauges: serde_json::Map<String, Value> = meters
        .iter()
        .map(|m| (m.name.to_owned(), json!({ "used": m.used, "limit": m.limit, "percent": m.percent() })))
        .collect();
    let shown = json!({ "ran": ran, "requests": done.requests, "limits": gauges });
    output.show(&shown, || {
        let outcome = match &ran.outcome {
            Ok(answer) => format!("answer  {}", serde_json::to_string(answer).unwrap_or_default()),
            Err(failure) => format!("failure  {}: {failure}", failure.code()),
        };
        let lines = [vec![outcome], request_lines(&done), log_lines(ran), table(&meters)];
        lines.concat().join("\n")
    })?;
    Ok(ran.outcome.is_ok())
}
