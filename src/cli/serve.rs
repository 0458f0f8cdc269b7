//! `zhanggui serve`: the HTTP server.
use crate::cli::settings::settings;
use crate::cli::{CliError, Console};
use crate::rulebook::OpenError;
use crate::server::{Flags, ServeError, serve};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder to look in for rulebook.toml files [default: policies]
    #[arg(long, value_name = "DIR")]
    policies: Option<PathBuf>,
    /// Address and port [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Where to record: sqlite://FILE?mode=rwc or postgres://… [default: sqlite://zhanggui.db?mode=rwc]
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Worker threads [default: one per processor]
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
    /// Do not take up changed files
    #[arg(long)]
    no_watch: bool,
    /// The settings file [default: zhanggui.toml if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, console: &mut Console) -> Result<bool, CliError> {
    let flags = Flags {
        listen: args.listen.clone(),
        policies: args.policies.clone(),
        database: args.database.clone(),
        workers: args.workers,
        no_reload: args.no_watch,
    };
    let settings = settings(args.config.as_deref(), &flags)?;
    match serve(settings) {
        Ok(()) => Ok(true),
        Err(ServeError::Policies(OpenError::Load(error))) => Err(CliError::Load(error)),
        Err(ServeError::Policies(OpenError::Findings(loaded))) => {
            console.message(loaded.shown(console.colour_err()).trim_end());
            Err(CliError::Findings { errors: loaded.errors() })
        }
        Err(error) => Err(CliError::Serve(error)),
    }
}
