//! `zhanggui plugin new` and `build`.
use super::Output;
use super::project::{manifest, read, refused, size};
use crate::cli::CliError;
use crate::plugins::build::{BuildError, Language, Options, build_with, kit};
use crate::plugins::package::Shape;
use clap::ValueEnum;
use serde_json::json;
use std::path::PathBuf;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Lang {
    Rust,
    /// JavaScript, on QuickJS
    Js,
    C,
}

#[derive(Debug, clap::Args)]
pub(crate) struct NewArgs {
    /// vendor.name, both in lower-case words: what policies call it
    id: String,
    /// The folder to make; by default one of the plugin's name
    dir: Option<PathBuf>,
    /// What to write it in
    #[arg(long, value_enum)]
    lang: Lang,
}

#[derive(Debug, clap::Args)]
pub(crate) struct BuildArgs {
    /// The plugin's folder
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// A folder for what cargo compiles, which several plugins may share; CARGO_TARGET_DIR if left out
    #[arg(long, value_name = "DIR")]
    target: Option<PathBuf>,
    /// Do not show what the compiler says while it works
    #[arg(long, short)]
    quiet: bool,
}

pub(super) fn new(args: &NewArgs, output: &mut Output<'_>) -> Result<bool, CliError> {
    let (vendor, name) = args.id.split_once('.').ok_or_else(|| {
        CliError::Usage(format!("{:?} is no name of a plugin; write vendor.name, as acme.score", args.id))
    })?;
    let dir = args.dir.clone().unwrap_or_else(|| PathBuf::from(name));
    let language = match args.lang {
        Lang::Rust => Language::Rust,
        Lang::Js => Language::Js,
        Lang::C => Language::C,
    };
    let files = kit::create(language, vendor, name, &dir).map_err(|e| CliError::Usage(e.to_string()))?;
    let files: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
    output.show(&json!({ "files": files }), || files.join("\n"))?;
    let at = dir.display();
    output.console.message(&format!("now: zhanggui plugin build {at}, zhanggui plugin test {at}"));
    Ok(true)
}

pub(super) fn build(args: &BuildArgs, output: &mut Output<'_>) -> Result<bool, CliError> {
    // Its mistakes are said before anything is compiled.
    let manifest = manifest(&args.dir)?;
    let shared = || std::env::var_os("CARGO_TARGET_DIR").filter(|v| !v.is_empty()).map(PathBuf::from);
    let options = Options { target: args.target.clone().or_else(shared), show: !args.quiet };
    let built = build_with(&args.dir, &options).map_err(|error| match error {
        BuildError::NoLanguage(_) => CliError::Usage(error.to_string()),
        other => refused(other),
    })?;
    let component = read(&built.wasm)?;
    let suits = Shape::of(&component).and_then(|shape| shape.suits(&manifest));
    suits.map_err(|why| refused(format!("{}: {why}", built.wasm.display())))?;
    let (path, len) = (args.dir.join("plugin.wasm").display().to_string(), component.len() as u64);
    let language = built.language.name();
    output.show(
        &json!({ "component": path, "bytes": len, "language": language, "seconds": built.seconds }),
        || format!("{path}  {}, {language}, {:.1} s", size(len), built.seconds),
    )?;
    Ok(true)
}
