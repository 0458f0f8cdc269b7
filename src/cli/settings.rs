//! Settings as a command reads them: its flags, then the environment of this process, then the file.
use crate::cli::CliError;
use crate::server::{Flags, Settings};
use std::path::{Path, PathBuf};

/// Where the records are, for commands that go straight to them.
#[derive(Debug, clap::Args)]
pub(crate) struct Recorded {
    /// The database: sqlite://FILE?mode=rwc or postgres://… [default: as `serve` has it]
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// The settings file [default: zhanggui.toml if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Recorded {
    /// The address of the database.
    pub(crate) fn database(&self) -> Result<String, CliError> {
        let flags = Flags { database: self.database.clone(), ..Flags::default() };
        Ok(settings(self.config.as_deref(), &flags)?.database)
    }
}

/// The settings of this run.
pub(crate) fn settings(config: Option<&Path>, flags: &Flags) -> Result<Settings, CliError> {
    // Variables that are not Unicode are not settings.
    let environment =
        std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
    Ok(Settings::read(config, flags, environment)?)
}
