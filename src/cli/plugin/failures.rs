//! `zhanggui plugin failures`: what a plugin on a server had no answer for.
use super::Output;
use super::client::{Body, Client, ServerArgs};
use super::operate::{route, word};
use crate::cli::CliError;
use serde_json::Value;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    id: String,
    /// At most so many lines
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u8).range(1..=200))]
    limit: u8,
    /// From where the list before ended
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
    #[command(flatten)]
    server: ServerArgs,
}

pub(super) fn run(args: &Args, output: &mut Output<'_>) -> Result<bool, CliError> {
    let client = Client::open(&args.server)?;
    let mut rest = format!("/failures?limit={}", args.limit);
    if let Some(cursor) = &args.cursor {
        rest = format!("{rest}&cursor={}", super::client::encoded(cursor));
    }
    let told = client.send("GET", &route(&args.id, &rest)?, Body::None)?;
    output.show(&told, || {
        let items = told.get("items").and_then(Value::as_array).into_iter().flatten();
        let lines: Vec<String> = items.map(line).collect();
        if lines.is_empty() { format!("no failures of {} are kept", args.id) } else { lines.join("\n") }
    })?;
    if let Some(next) = told.get("next").and_then(Value::as_str) {
        output.console.message(&format!("there are more: --cursor {next}"));
    }
    Ok(true)
}

/// `2026-11-23T08:00:12Z  score 1.2.0 at s001  12 × wrong-answer: its answer does not fit: …`.
fn line(item: &Value) -> String {
    let version = match word(item, "/version") {
        "" => "of no version",
        version => version,
    };
    let calls = item.get("calls").and_then(Value::as_i64).unwrap_or(0);
    // What a plugin wrote is one line here.
    let text = word(item, "/text").replace(|c: char| c.is_control(), " ");
    let (at, function, store) = (word(item, "/last_at"), word(item, "/function"), word(item, "/store"));
    format!("{at}  {function} {version} at {store}  {calls} × {}: {text}", word(item, "/code"))
}
