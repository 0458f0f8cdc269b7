//! The command line: data on stdout, messages on stderr.
//!
//! Exit codes: 0 well, 1 findings or failures, 2 wrong usage or unreadable files.
mod ask;
mod check;
mod console;
mod decide;
mod diff;
mod drill;
mod explain;
mod fmt;
mod lsp;
mod migrate;
mod new;
mod plugin;
mod serve;
mod settings;
mod show;
mod test;
mod verify;

use clap::{Parser, Subcommand, ValueEnum};
use console::Console;
use std::path::PathBuf;
use std::process::ExitCode;

/// 掌柜: retail policies as text, checked, tested, decided with reasons.
#[derive(Debug, Parser)]
#[command(name = "zhanggui", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check every rulebook below a folder and show all findings
    Check(check::Args),
    /// Run the cases of every rulebook below a folder
    Test(test::Args),
    /// Write texts in their one layout: blanks, line ends, aligned tables, plain forms of signs
    Fmt(fmt::Args),
    /// Decide once, and print the answer as JSON
    Eval(decide::Args),
    /// Decide once, and say why in words
    Explain(explain::Args),
    /// Say which facts a decision still needs, the most useful question first
    Needs(ask::Args),
    /// Start a rulebook: a small one that checks and passes its cases
    New(new::Args),
    /// Help an editor: findings, names and completions while a policy is written
    Lsp(lsp::Args),
    /// Show a decision output by output: who says what, who goes before whom
    Show(show::Args),
    /// Say which facts two versions of the rulebooks decide otherwise
    Diff(diff::Args),
    /// Serve decisions and the counter over HTTP
    Serve(serve::Args),
    /// Bring the database's schema up to date, which `serve` does at its start, too
    Migrate(migrate::Args),
    /// Check that everything recorded adds up: sums, balances, lots, chains
    Verify(verify::Args),
    /// Play a made-up chain against a server: load, lost answers, retries; then look at everything again
    Drill(drill::Args),
    /// What the server starts to compile a plugin, within limits: the component on standard input
    #[command(name = "plugin-compile", hide = true)]
    PluginCompile {
        /// What to do, as the server writes it
        order: String,
    },
    /// Write, build, test, pack, sign and install a plugin: a vendor's component that policies ask
    Plugin(plugin::Args),
}

/// A language for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    Zh,
    En,
}

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

/// Why a command could not be carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error(transparent)]
    Load(#[from] crate::rulebook::LoadError),
    #[error("cannot read {}: {error}", path.display())]
    Read { path: PathBuf, error: std::io::Error },
    #[error("cannot write {}: {error}", path.display())]
    Write { path: PathBuf, error: std::io::Error },
    #[error("cannot write the output: {0}")]
    Output(#[from] std::io::Error),
    #[error("{0}")]
    Usage(String),
    /// A plugin or a package is not as it should be, or a server does not take it.
    #[error("{0}")]
    Refused(String),
    /// Findings were shown already.
    #[error("the rulebooks do not check: {errors} error{}", if *errors == 1 { "" } else { "s" })]
    Findings { errors: usize },
    /// The facts are not as the vocabulary says.
    #[error("{0}")]
    Facts(#[from] crate::program::bind::FactError),
    #[error("{0}")]
    Settings(#[from] crate::server::SettingsError),
    #[error("{0}")]
    Serve(#[from] crate::server::ServeError),
    #[error("{0}")]
    Records(#[from] crate::records::StoreError),
    #[error("{0}")]
    Drill(#[from] crate::drill::DrillError),
}

impl CliError {
    fn code(&self) -> u8 {
        match self {
            CliError::Findings { .. } | CliError::Facts(_) | CliError::Refused(_) => 1,
            _ => 2,
        }
    }
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut console = Console::new();
    let done = match cli.command {
        Command::Check(args) => check::run(&args, &mut console),
        Command::Test(args) => test::run(&args, &mut console),
        Command::Fmt(args) => fmt::run(&args, &mut console),
        Command::Eval(args) => decide::run(&args, &mut console),
        Command::Explain(args) => explain::run(&args, &mut console),
        Command::Needs(args) => ask::run(&args, &mut console),
        Command::New(args) => new::run(&args, &mut console),
        Command::Lsp(args) => lsp::run(&args, &mut console),
        Command::Show(args) => show::run(&args, &mut console),
        Command::Diff(args) => diff::run(&args, &mut console),
        Command::Serve(args) => serve::run(&args, &mut console),
        Command::Migrate(args) => migrate::run(&args, &mut console),
        Command::Verify(args) => verify::run(&args, &mut console),
        Command::Drill(args) => drill::run(&args, &mut console),
        Command::PluginCompile { order } => return crate::plugins::host::compile_child(&order),
        Command::Plugin(args) => plugin::run(&args, &mut console),
    };
    let done = done.and_then(|good| console.finish().map(|()| good).map_err(CliError::Output));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        // Whoever read our output has seen enough.
        Err(CliError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            console.message(&format!("{} {error}", console.word("error:")));
            ExitCode::from(error.code())
        }
    }
}
