//! `zhanggui drill`: a made-up chain that plays against a server.
use crate::cli::{CliError, Console, verify};
use crate::drill::{Plan, play};
use std::sync::atomic::AtomicBool;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The server, with Jiajie's stores
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// The same seed plays the same plot; members and receipts are named after it
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Members; few of them buy most
    #[arg(long, default_value_t = 500)]
    members: u64,
    /// Days before today over which receipts are spread; the rulebook says how old a receipt may be (`late_days`)
    #[arg(long, default_value_t = 29, value_parser = clap::value_parser!(u64).range(..=365))]
    days: u64,
    /// Tills and desks that ask at the same time
    #[arg(long, default_value_t = 8)]
    clients: u64,
    /// How long to play
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Requests a second over all clients; 0: as fast as they are answered
    #[arg(long, default_value_t = 0)]
    rate: u64,
    /// How many of a hundred answers are lost, so that the client asks again
    #[arg(long, default_value_t = 5)]
    lose: u64,
    /// Seconds for which a server that is away is waited for
    #[arg(long, default_value_t = 10)]
    patience: u64,
    /// The server's database, if it can be reached from here: at the end everything in it is checked as `verify` does
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

/// False if something was not as it should be.
pub(crate) fn run(args: &Args, console: &mut Console) -> Result<bool, CliError> {
    let plan = Plan {
        url: args.url.trim_end_matches('/').to_owned(),
        seed: args.seed,
        members: args.members,
        days: args.days,
        clients: args.clients,
        seconds: Some(args.seconds),
        rate: args.rate,
        lose: args.lose.min(90),
        patience: args.patience,
    };
    let report = play(&plan, &AtomicBool::new(false), |so_far| {
        console.message(&format!("{} answers", so_far.total()));
    })?;
    console.line(&report.to_string())?;
    let adds_up = match &args.database {
        Some(url) => verify::look(url, console)?,
        None => true,
    };
    Ok(report.findings.is_empty() && adds_up)
}
