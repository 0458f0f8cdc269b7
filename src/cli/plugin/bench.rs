//! `zhanggui plugin bench`: what a call costs, as the server makes it: a fresh instance each time.
use super::Output;
use super::engine::{Bench, Target};
use super::meter::grouped;
use super::project::refused;
use crate::cli::CliError;
use crate::plugins::host::thread_time;
use crate::plugins::kv::Kv;
use crate::plugins::package::{Case, Expected, Recording};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    target: Target,
    /// Calls of each case
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1000)]
    calls: u32,
    /// Only cases whose name contains this text
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
}

/// Calls that are measured together: the kernel's count of processor time is too coarse for one.
const TOGETHER: u32 = 20;

/// What the calls of a case cost.
struct Cost {
    /// Microseconds of processor time of a call, the median of the groups; none where the system does not tell.
    cpu: Option<f64>,
    /// Microseconds of wall clock.
    half: f64,
    most: f64,
    fuel: u64,
    calls: u32,
}

pub(super) fn run(args: &Args, output: &mut Output<'_>) -> Result<bool, CliError> {
    let bench = Bench::open(&args.target)?;
    let wanted = args.filter.as_deref().unwrap_or("");
    let (mut text, mut shown) = (String::new(), Vec::new());
    for (file, case) in bench.cases.iter().filter(|(_, case)| case.name.contains(wanted)) {
        // A plugin that fails again and again is left alone for a while: there is nothing to measure.
        if matches!(case.expect, Expected::Failure(_)) {
            continue;
        }
        let cost = measure(&bench, case, args.calls.max(TOGETHER))?;
        let cpu = match cost.cpu {
            Some(cpu) => format!("{cpu:.0} µs of CPU"),
            None => "CPU time not known here".to_owned(),
        };
        text += &format!(
            "{file}  {cpu}, {} units of fuel; wall {:.0} µs, 99 % within {:.0} µs ({} calls)\n",
            grouped(cost.fuel),
            cost.half,
            cost.most,
            cost.calls
        );
        shown.push(json!({ "file": file, "name": case.name, "calls": cost.calls, "cpu_us": cost.cpu,
            "wall_us": cost.half, "wall_p99_us": cost.most, "fuel": cost.fuel }));
    }
    let any = !shown.is_empty();
    if !any {
        output.console.message("there are no cases that answer");
    }
    output.show(&Value::Array(shown), || text)?;
    Ok(any)
}

fn measure(bench: &Bench, case: &Case, calls: u32) -> Result<Cost, CliError> {
    let subject = bench.subject();
    let loaded = bench
        .host
        .load(&bench.component, &bench.manifest, &bench.manifest.asks, &case.config, &bench.limits)
        .map_err(refused)?;
    let groups = calls.div_ceil(TOGETHER);
    let (mut cpu, mut walls, mut fuel) = (Vec::new(), Vec::new(), 0);
    // The first group warms up and is not counted.
    for group in 0..=groups {
        let prepared: Vec<_> = (0..TOGETHER)
            .map(|_| (Recording::new(case.responses.clone()), subject.store(&case.kv)))
            .collect();
        let before = thread_time();
        for (web, kv) in prepared {
            let begun = Instant::now();
            let ran = bench.host.call(&loaded, case.hook, &case.call, &web, kv.map(|kv| kv as Arc<dyn Kv>));
            let took = begun.elapsed();
            if let Err(failure) = &ran.outcome {
                return Err(refused(format!("{:?} fails: {failure}", case.name)));
            }
            fuel = ran.fuel;
            if group > 0 {
                walls.push(took.as_secs_f64() * 1e6);
            }
        }
        if let (1.., Some(before), Some(after)) = (group, before, thread_time()) {
            cpu.push(after.saturating_sub(before).as_secs_f64() * 1e6 / f64::from(TOGETHER));
        }
    }
    let calls = walls.len() as u32;
    Ok(Cost {
        cpu: at(&mut cpu, 50),
        half: at(&mut walls, 50).unwrap_or(0.0),
        most: at(&mut walls, 99).unwrap_or(0.0),
        fuel,
        calls,
    })
}

/// The value below which so many of a hundred lie.
fn at(values: &mut [f64], percent: usize) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get((values.len() * percent / 100).min(values.len().saturating_sub(1))).copied()
}
