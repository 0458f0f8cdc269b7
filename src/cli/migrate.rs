//! `zhanggui migrate`: the schema of the database, brought up to date.
use crate::cli::{CliError, Console};
use crate::records::{Database, migrate};
use crate::server::{Flags, Settings};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The database: sqlite://FILE?mode=rwc or postgres://… [default: as `serve` has it]
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// The settings file [default: zhanggui.toml if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, console: &mut Console) -> Result<bool, CliError> {
    let flags = Flags { database: args.database.clone(), ..Flags::default() };
    // Variables that are not Unicode are not settings.
    let environment =
        std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
    let settings = Settings::read(args.config.as_deref(), &flags, environment)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let database = Database::open(&settings.database).await?;
        let done = migrate(&database).await;
        database.close().await.and(done)
    })?;
    console.message("the database has this version's schema");
    Ok(true)
}
