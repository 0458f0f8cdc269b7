//! The server's own engine with the server's own limits, on a vendor's machine.
use super::project::{cases, component, manifest, package, read, refused};
use crate::cli::CliError;
use crate::plugins::host::{Host, HostSettings, Limits};
use crate::plugins::manifest::Manifest;
use crate::plugins::package::{Case, Package, Subject, failed_cases};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is run, and within what.
#[derive(Debug, clap::Args)]
pub(crate) struct Target {
    /// The plugin's folder, or a package
    #[arg(default_value = ".")]
    plugin: PathBuf,
    /// Limits other than the server's defaults with the manifest's wishes: a TOML file, as fuel = 30000000
    #[arg(long, value_name = "FILE")]
    limits: Option<PathBuf>,
}

/// A plugin that is ready to run.
pub(super) struct Bench {
    pub(super) host: Arc<Host>,
    pub(super) manifest: Manifest,
    pub(super) component: Vec<u8>,
    pub(super) limits: Limits,
    pub(super) cases: Vec<(String, Case)>,
}

impl Bench {
    pub(super) fn open(target: &Target) -> Result<Bench, CliError> {
        let (manifest, component, cases) = if target.plugin.is_dir() {
            let manifest = manifest(&target.plugin)?;
            let cases = cases(&target.plugin, &manifest)?;
            (manifest, component(&target.plugin)?, cases)
        } else {
            let package = package(&target.plugin)?;
            (package.manifest, package.component, package.cases)
        };
        let limits = match &target.limits {
            Some(path) => limits(path)?,
            None => wished(&manifest),
        };
        Ok(Bench { host: host()?, manifest, component, limits, cases })
    }

    pub(super) fn subject(&self) -> Subject<'_> {
        Subject {
            host: &self.host,
            component: &self.component,
            manifest: &self.manifest,
            limits: &self.limits,
        }
    }
}

/// The server's defaults with the manifest's wishes.
fn wished(manifest: &Manifest) -> Limits {
    Limits::wished(&manifest.wishes, &HostSettings::default())
}

fn host() -> Result<Arc<Host>, CliError> {
    let cache = cache();
    // With a cache the server's way of compiling: in a child, and once.
    let compiler = cache.as_ref().and_then(|_| std::env::current_exe().ok());
    let cache = cache.filter(|_| compiler.is_some());
    Host::start(HostSettings { cache, compiler, ..HostSettings::default() }).map_err(refused)
}

/// What a server would find when it runs the cases of a package; an error where some fail.
pub(super) fn pass(package: &Package) -> Result<(), String> {
    let host = host().map_err(|error| error.to_string())?;
    let limits = wished(&package.manifest);
    // As there: whether it may be so large is asked when it is rolled out.
    let size = (package.component.len() as u64).min(host.settings().component);
    let limits = Limits { component: limits.component.max(size), ..limits };
    let runs = package.run_cases(&host, &limits).map_err(|error| error.to_string())?;
    failed_cases(&runs).map_or(Ok(()), Err)
}

fn limits(path: &Path) -> Result<Limits, CliError> {
    let text = String::from_utf8_lossy(&read(path)?).into_owned();
    toml::from_str(&text).map_err(|error| CliError::Usage(format!("{}: {error}", path.display())))
}

/// Where compiled plugins of this user are kept; none: compiled each time.
fn cache() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let base = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))?.join("zhanggui");
    std::fs::create_dir_all(&base).ok()?;
    Some(base.join("plugins"))
}
