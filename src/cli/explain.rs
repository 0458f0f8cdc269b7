use crate::{cli::*, lang::typed::DecisionId, program::facts::Facts, rulebook::Program};
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}
pub(crate) fn json(_: &Program, _: DecisionId, _: &Facts, _: Lang) -> String {
    String::new()
}
pub(crate) fn run(_: &Args, _: &mut Console) -> Result<bool, CliError> {
    Ok(true)
}
