//! `zhanggui migrate`: the schema of the database, brought up to date.
use crate::cli::settings::Recorded;
use crate::cli::{CliError, Console};
use crate::records::{Database, migrate};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    recorded: Recorded,
}

pub(crate) fn run(args: &Args, console: &mut Console) -> Result<bool, CliError> {
    let url = args.recorded.database()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let database = Database::open(&url).await?;
        let done = migrate(&database).await;
        database.close().await.and(done)
    })?;
    console.message("the database has this version's schema");
    Ok(true)
}
