//! `zhanggui plugin test`: all cases, a diff for each that fails.
use super::Output;
use super::engine::{Bench, Target};
use super::meter::{grouped, log_lines};
use super::project::{refused, size};
use crate::cli::CliError;
use serde_json::json;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    target: Target,
    /// Only cases whose name contains this text
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
}

pub(super) fn run(args: &Args, output: &mut Output<'_>) -> Result<bool, CliError> {
    let bench = Bench::open(&args.target)?;
    let wanted = args.filter.as_deref().unwrap_or("");
    let (mut text, mut shown, mut passed, mut failed) = (String::new(), Vec::new(), 0, 0);
    for (file, case) in bench.cases.iter().filter(|(_, case)| case.name.contains(wanted)) {
        let done = bench.subject().run(file, case).map_err(refused)?;
        let good = done.differences.is_empty();
        *(if good { &mut passed } else { &mut failed }) += 1;
        let mark = output.console.mark(if good { "passed" } else { "FAILED" }, good);
        let (fuel, memory) = (grouped(done.ran.fuel), size(done.ran.memory));
        text += &format!("{mark}  {file}  {}  ({fuel} units of fuel, {memory})\n", done.name);
        if !good {
            for line in done.differences.iter().chain(&log_lines(&done.ran)) {
                text += &format!("  {line}\n");
            }
        }
        shown.push(json!({ "file": file, "name": done.name, "passed": good, "differences": done.differences,
            "ran": done.ran, "requests": done.requests }));
    }
    if passed + failed == 0 {
        output.console.message(match args.filter {
            Some(_) => "no case has that in its name",
            None => "there are no cases",
        });
    }
    let all = json!({ "passed": passed, "failed": failed, "cases": shown });
    output.show(&all, || format!("{text}{passed} passed, {failed} failed"))?;
    Ok(failed == 0 && passed > 0)
}
