//! `zhanggui lsp`: the language server, over standard input and output.
use crate::cli::{CliError, Console};
use crate::lsp::{Ended, serve};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Speak over standard input and output (the only way; editors pass it)
    #[arg(long)]
    stdio: bool,
}

pub(crate) fn run(_: &Args, console: &mut Console) -> Result<bool, CliError> {
    match serve(std::io::stdin(), std::io::stdout())? {
        Ended::Well => Ok(true),
        Ended::Early => Ok(false),
        Ended::Broken(why) => {
            console.message(&format!("the editor's messages cannot be followed: {why}"));
            Ok(false)
        }
    }
}
