//! `zhanggui verify`: whether what is recorded adds up, on a database in use.
use crate::cli::{CliError, Console};
use crate::records::Database;
use crate::records::verify::verify;
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

/// False if something does not add up.
pub(crate) fn run(args: &Args, console: &mut Console) -> Result<bool, CliError> {
    let flags = Flags { database: args.database.clone(), ..Flags::default() };
    // Variables that are not Unicode are not settings.
    let environment =
        std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
    let settings = Settings::read(args.config.as_deref(), &flags, environment)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(async {
        let database = Database::open(&settings.database).await?;
        let report = verify(&database).await;
        database.close().await.and(report)
    })?;
    for finding in &report.findings {
        console.line(&format!("{}: {}: {}", finding.check, finding.row, finding.detail))?;
    }
    let found = report.findings.len();
    console.line(&format!(
        "{} checks, {} links of decisions: {}",
        report.checks.len(),
        report.links,
        if found == 0 { "everything adds up".to_owned() } else { format!("{found} findings") }
    ))?;
    Ok(report.is_clean())
}
