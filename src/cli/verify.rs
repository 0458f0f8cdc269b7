//! `zhanggui verify`: whether what is recorded adds up, on a database in use.
use crate::cli::settings::Recorded;
use crate::cli::{CliError, Console};
use crate::records::Database;
use crate::records::verify::verify;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    recorded: Recorded,
}

/// False if something does not add up.
pub(crate) fn run(args: &Args, console: &mut Console) -> Result<bool, CliError> {
    look(&args.recorded.database()?, console)
}

/// Checks a database and says what was found.
pub(super) fn look(url: &str, console: &mut Console) -> Result<bool, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(async {
        let database = Database::open(url).await?;
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
