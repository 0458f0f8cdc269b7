//! From a plugin's folder to its component: finds a compiler, compiles, encodes.
//!
//! A project is a folder with `plugin.toml` and sources in Rust (`Cargo.toml`), JavaScript (`plugin.js`) or C
//! (`plugin.c`). What comes out stands beside the manifest as `plugin.wasm`. Nothing is installed here: whatever is
//! missing is named with the command that brings it.
mod c;
mod component;
mod js;
pub mod kit;
mod rust;
mod stale;
mod tools;

pub use stale::newer_source;

use crate::plugins::manifest::{Flaws, Manifest};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The languages with a template and a way to build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Rust,
    /// JavaScript on QuickJS.
    Js,
    C,
}

impl Language {
    pub const ALL: [Language; 3] = [Language::Rust, Language::Js, Language::C];

    /// As in a manifest's `language` and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Language::Rust => "rust",
            Language::Js => "js",
            Language::C => "c",
        }
    }

    pub fn from_name(name: &str) -> Option<Language> {
        Language::ALL.into_iter().find(|l| l.name() == name)
    }

    /// The file that makes a folder a project of this language.
    fn mark(self) -> &'static str {
        match self {
            Language::Rust => "Cargo.toml",
            Language::Js => "plugin.js",
            Language::C => "plugin.c",
        }
    }

    fn of(project: &Path) -> Option<Language> {
        Language::ALL.into_iter().find(|l| project.join(l.mark()).is_file())
    }
}

/// How to build.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Cargo's folder for what it compiles; the project's own `target` by default. Several Rust plugins that share one
    /// compile the standard library once.
    pub target: Option<PathBuf>,
    /// Let the compiler write to this process's standard error instead of keeping it for a failure.
    pub show: bool,
}

/// A built plugin.
#[derive(Debug, Clone)]
pub struct Built {
    /// The component, `plugin.wasm` in the project's folder.
    pub wasm: PathBuf,
    pub language: Language,
    /// Wall time.
    pub seconds: f64,
}

/// Why nothing was built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("{}: {detail}", path.display())]
    File { path: PathBuf, detail: String },
    #[error(transparent)]
    Manifest(#[from] Flaws),
    #[error("{} holds none of Cargo.toml, plugin.js and plugin.c", .0.display())]
    NoLanguage(PathBuf),
    /// A tool that is not on this machine, and the commands of which each brings it.
    #[error("{what} is missing; to install it:\n  {}", install.join("\nor\n  "))]
    Missing { what: String, install: Vec<String> },
    #[error("{command} failed:\n{output}")]
    Compile { command: String, output: String },
    #[error("what the compiler made is no plugin: {0}")]
    Component(String),
}

/// Builds the plugin in this folder.
pub fn build(project: &Path) -> Result<Built, BuildError> {
    build_with(project, &Options::default())
}

/// Builds the plugin in this folder.
pub fn build_with(project: &Path, options: &Options) -> Result<Built, BuildError> {
    let began = Instant::now();
    let project = project.canonicalize().map_err(|e| file(project, e))?;
    let at = project.join("plugin.toml");
    let text = std::fs::read_to_string(&at).map_err(|e| file(&at, e))?;
    let manifest = Manifest::parse(&text)?;
    let language = Language::of(&project).ok_or_else(|| BuildError::NoLanguage(project.clone()))?;
    let component = match language {
        Language::Rust => component::encode(&rust::compile(&project, options)?)?,
        Language::C => {
            let core = c::compile(&project, &manifest, options)?;
            component::encode(&component::embed(&core, &manifest)?)?
        }
        Language::Js => js::compile(&project, &manifest, options)?,
    };
    let wasm = project.join("plugin.wasm");
    std::fs::write(&wasm, component).map_err(|e| file(&wasm, e))?;
    Ok(Built { wasm, language, seconds: began.elapsed().as_secs_f64() })
}

fn file(path: &Path, error: impl std::fmt::Display) -> BuildError {
    BuildError::File { path: path.to_owned(), detail: error.to_string() }
}

/// The folder for what a build leaves behind, made if it is not there.
fn scratch(project: &Path, under: &str) -> Result<PathBuf, BuildError> {
    let folder = project.join("target").join("plugin").join(under);
    std::fs::create_dir_all(&folder).map_err(|e| file(&folder, e))?;
    Ok(folder)
}

fn write(path: &Path, text: &str) -> Result<(), BuildError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| file(folder, e))?;
    }
    std::fs::write(path, text).map_err(|e| file(path, e))
}
