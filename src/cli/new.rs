//! `zhanggui new`: a small rulebook to start from, which checks and passes its cases.
use crate::cli::{CliError, Console};
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder to make; it must not exist, or be empty
    dir: PathBuf,
}

const FILES: [(&str, &str); 4] = [
    ("rulebook.toml", include_str!("starter/rulebook.toml")),
    ("shop.vocab", include_str!("starter/shop.vocab")),
    ("returns.policy", include_str!("starter/returns.policy")),
    ("returns.cases", include_str!("starter/returns.cases")),
];

pub(crate) fn run(args: &Args, console: &mut Console) -> Result<bool, CliError> {
    let dir = &args.dir;
    if let Ok(mut entries) = fs::read_dir(dir)
        && entries.next().is_some()
    {
        return Err(CliError::Usage(format!("{} is not empty", dir.display())));
    }
    let fail = |path: &Path| {
        let path = path.to_owned();
        move |error| CliError::Write { path, error }
    };
    fs::create_dir_all(dir).map_err(fail(dir))?;
    for (name, text) in FILES {
        let path = dir.join(name);
        fs::write(&path, text).map_err(fail(&path))?;
        console.line(&path.display().to_string())?;
    }
    let at = dir.display();
    console.message(&format!(
        "now: zhanggui check {at}, zhanggui test {at} --coverage, zhanggui serve --policies {at}"
    ));
    Ok(true)
}
