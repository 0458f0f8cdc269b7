//! `zhanggui plugin`: the vendor's day, from an empty folder to a signed package, and the operator's commands.
mod bench;
mod client;
mod engine;
mod failures;
mod inspect;
mod keys;
mod make;
mod meter;
mod operate;
mod pack;
mod project;
mod run;
mod test;

use crate::cli::{CliError, Console};
use clap::Subcommand;
use serde::Serialize;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    /// Print one JSON object, for programs
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a plugin's folder from a template that builds and passes its case
    New(make::NewArgs),
    /// Compile a plugin's folder into its component, plugin.wasm
    Build(make::BuildArgs),
    /// Ask a plugin once: its answer, what it logged, and how close it came to each limit
    Run(run::Args),
    /// Run all cases, and show what differs from what they expect
    Test(test::Args),
    /// Measure what a call costs
    Bench(bench::Args),
    /// Make the package of a folder: plugin.toml, plugin.wasm, README.md and cases/*.json
    Pack(pack::PackArgs),
    /// Sign a package with the vendor's secret key
    Sign(pack::SignArgs),
    /// Say whose a package is, or why it is not to be trusted
    Verify(keys::VerifyArgs),
    /// Show what is in a package: what it answers, what it asks for, who says to have signed it
    Inspect(inspect::Args),
    /// Make a vendor's key: the secret into a file, the public one as a line to give to operators
    Keygen(keys::KeygenArgs),
    /// On a server: trust a vendor's key, or no longer
    Trust(operate::TrustArgs),
    /// On a server: upload a package, which is checked, compiled and run on its cases there
    Install(operate::InstallArgs),
    /// On a server: which plugins there are, and which version is asked where
    List(operate::ListArgs),
    /// On a server: what a plugin had no answer for, by the minute
    Failures(failures::Args),
    /// On a server: let a plugin make the requests and keep the entries that it asks for
    Grant(operate::GrantArgs),
    /// On a server: a plugin's settings
    Set(operate::SetArgs),
    /// On a server: let a version be asked, in shadow, in some stores, everywhere
    Rollout(operate::RolloutArgs),
    /// On a server: go back to the version before, at once
    Rollback(operate::RollbackArgs),
    /// On a server: remove a plugin
    Remove(operate::RemoveArgs),
}

pub(crate) fn run(args: &Args, console: &mut Console) -> Result<bool, CliError> {
    let mut output = Output { console, json: args.json };
    let output = &mut output;
    match &args.command {
        Command::New(args) => make::new(args, output),
        Command::Build(args) => make::build(args, output),
        Command::Run(args) => run::run(args, output),
        Command::Test(args) => test::run(args, output),
        Command::Bench(args) => bench::run(args, output),
        Command::Pack(args) => pack::pack(args, output),
        Command::Sign(args) => pack::sign(args, output),
        Command::Verify(args) => keys::verify(args, output),
        Command::Inspect(args) => inspect::run(args, output),
        Command::Keygen(args) => keys::keygen(args, output),
        Command::Trust(args) => operate::trust(args, output),
        Command::Install(args) => operate::install(args, output),
        Command::List(args) => operate::list(args, output),
        Command::Failures(args) => failures::run(args, output),
        Command::Grant(args) => operate::grant(args, output),
        Command::Set(args) => operate::set(args, output),
        Command::Rollout(args) => operate::rollout(args, output),
        Command::Rollback(args) => operate::rollback(args, output),
        Command::Remove(args) => operate::remove(args, output),
    }
}

/// Where a command's results go: lines for a person, or one JSON object.
struct Output<'a> {
    console: &'a mut Console,
    json: bool,
}

impl Output<'_> {
    /// Prints one or the other.
    fn show(&mut self, json: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), CliError> {
        let text = if self.json {
            serde_json::to_string_pretty(json).map_err(std::io::Error::from)?
        } else {
            text()
        };
        Ok(self.console.line(text.trim_end())?)
    }
}
