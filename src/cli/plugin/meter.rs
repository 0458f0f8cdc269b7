//! How close a call came to each limit.
use super::engine::Bench;
use super::project::size;
use crate::plugins::contract::Ran;
use crate::plugins::package::{Case, CaseRun};

/// One limit, and how much of it was used.
pub(super) struct Meter {
    pub(super) name: &'static str,
    pub(super) used: u64,
    pub(super) limit: u64,
    /// Both in words.
    words: String,
}

impl Meter {
    /// One decimal; a limit of 0 is used up.
    pub(super) fn percent(&self) -> f64 {
        if self.limit == 0 {
            return 100.0;
        }
        (self.used as f64 * 1000.0 / self.limit as f64).round() / 10.0
    }
}

/// `12 345 678`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// The limits that a call can come close to. Fuel and time are those of the whole call beside the limit of one phase, so
/// that a phase is at most so close.
pub(super) fn meters(bench: &Bench, case: &Case, done: &CaseRun) -> Vec<Meter> {
    let (limits, ran) = (&bench.limits, &done.ran);
    let rows: usize = case.call.tables.iter().map(|t| t.rows.len()).sum();
    let fuel = limits.fuel.saturating_add(limits.fuel_per_row.saturating_mul(rows as u64));
    let log: usize = ran.log.iter().map(|l| l.message.len()).sum();
    let most_requests = done.requests.iter().map(Vec::len).max().unwrap_or(0);
    let millis = done.took.as_secs_f64() * 1000.0;
    let component = bench.component.len() as u64;
    let of = |name, used, limit, words| Meter { name, used, limit, words };
    vec![
        of("fuel", ran.fuel, fuel, format!("{} of {} a phase", grouped(ran.fuel), grouped(fuel))),
        of("memory", ran.memory, limits.memory, format!("{} of {}", size(ran.memory), size(limits.memory))),
        of(
            "time",
            done.took.as_micros() as u64,
            u64::from(limits.deadline) * 1000,
            format!("{millis:.1} ms of {} ms a phase", limits.deadline),
        ),
        of(
            "log",
            log as u64,
            u64::from(limits.log),
            format!("{} of {}", size(log as u64), size(u64::from(limits.log))),
        ),
        of(
            "requests",
            most_requests as u64,
            u64::from(limits.requests),
            format!("{most_requests} of {} a round", limits.requests),
        ),
        of(
            "rounds",
            u64::from(ran.rounds),
            u64::from(limits.rounds),
            format!("{} of {}", ran.rounds, limits.rounds),
        ),
        of(
            "component",
            component,
            limits.component,
            format!("{} of {}", size(component), size(limits.component)),
        ),
    ]
}

pub(super) fn table(meters: &[Meter]) -> Vec<String> {
    let percent = |m: &Meter| match m.percent() {
        tiny if tiny < 0.1 && m.used > 0 => "<0.1 %".to_owned(),
        percent => format!("{percent:.1} %"),
    };
    let line = |m: &Meter| format!("{:<11}{:<34}{:>8}", m.name, m.words, percent(m));
    meters.iter().map(line).collect()
}

/// What the plugin logged.
pub(super) fn log_lines(ran: &Ran) -> Vec<String> {
    let mut lines: Vec<String> = ran.log.iter().map(|l| format!("log  {}: {}", l.level, l.message)).collect();
    if ran.log_cut {
        lines.push("log  the rest was cut: it is longer than the limit".to_owned());
    }
    lines
}

/// What it asked servers.
pub(super) fn request_lines(done: &CaseRun) -> Vec<String> {
    let mut lines = Vec::new();
    for (i, requests) in done.requests.iter().enumerate() {
        for request in requests {
            let round = i + 1;
            lines.push(format!("round {round}  {}: {} {}", request.name, request.method, request.url));
        }
    }
    lines
}
