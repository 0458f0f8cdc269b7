//! What an operator may set: defaults, then a file, then the environment, then flags.
use crate::plugins::host::Allocation;
use crate::records::Bounds;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The server's settings.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Address and port to listen on.
    pub listen: String,
    /// The folder whose rulebooks are served.
    pub policies: PathBuf,
    /// Where what happens is recorded: `sqlite://FILE?mode=rwc`, or `postgres://…`.
    pub database: String,
    /// Writes that may wait for the database; more are answered with 503.
    pub queue: usize,
    /// Writes that are committed together at most: more are faster on the whole, and each waits longer.
    pub batch: usize,
    /// Worker threads; 0: one per core.
    pub workers: usize,
    /// The largest request body, in bytes.
    pub max_body: usize,
    /// The most items in a batch.
    pub max_batch: usize,
    /// Whether changed policies are picked up while running.
    pub reload: bool,
    /// Seconds that a client may take to send a request, and that answering it may take.
    pub request_timeout: u64,
    /// Seconds that an idle connection is kept: tills ask rarely, and opening one costs more than keeping it.
    pub keep_alive: u64,
    /// Seconds that requests in flight may take once the server is told to stop.
    pub shutdown_timeout: u64,
    /// What whoever administers plugins shows as `Authorization: Bearer …`; empty: nobody may.
    pub operator_key: Hidden,
    /// A private folder for compiled plugins.
    pub plugins: PathBuf,
    /// Whether packages without a signature may be uploaded.
    pub plugin_development: bool,
    /// Threads that run plugins; 0: twice the processors.
    pub plugin_threads: u32,
    /// Where plugins' instances live: in slots reserved at the start, or where there is room.
    pub plugin_allocation: Allocation,
    /// A PEM file with root certificates that plugins' requests trust beside the public ones.
    pub plugin_roots: Option<PathBuf>,
    /// A TOML file with the secrets of plugins: `["vendor.name"]`, then `NAME = "value"`.
    pub secrets: Option<PathBuf>,
    /// Attempts to deliver an event before it is given up.
    pub delivery_attempts: u32,
    /// Seconds before the second attempt; doubled before each further one, up to an hour.
    pub delivery_pause: u32,
    /// Seconds beyond the longest that the plugin's limits let a call take, after which a delivery that nothing was heard
    /// of is taken up again.
    pub delivery_lease: u32,
    /// Days that failures of plugins are kept.
    pub plugin_failure_days: u32,
    /// Secrets of plugins from the environment, by variable.
    #[serde(skip)]
    pub secret_variables: BTreeMap<String, Hidden>,
}

/// A text that is never shown.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Hidden(pub String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// The settings that the environment may give; other variables with our prefix are somebody else's.
const NAMES: [&str; 22] = [
    "listen",
    "policies",
    "database",
    "queue",
    "batch",
    "workers",
    "max_body",
    "max_batch",
    "reload",
    "request_timeout",
    "keep_alive",
    "shutdown_timeout",
    "plugins",
    "plugin_development",
    "plugin_threads",
    "plugin_allocation",
    "plugin_roots",
    "secrets",
    "delivery_attempts",
    "delivery_pause",
    "delivery_lease",
    "plugin_failure_days",
];

/// Not among the others, whose values are read as numbers where they look so.
const OPERATOR_KEY: &str = "ZHANGGUI_OPERATOR_KEY";
/// Before the names of variables that hold plugins' secrets.
const SECRET: &str = "ZHANGGUI_SECRET_";

/// Settings given on the command line; they win over everything else.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    pub listen: Option<String>,
    pub policies: Option<PathBuf>,
    pub database: Option<String>,
    pub workers: Option<usize>,
    pub no_reload: bool,
}

/// Why settings could not be read.
#[derive(Debug, thiserror::Error)]
#[error("settings: {0}")]
pub struct SettingsError(#[from] config::ConfigError);

impl Settings {
    /// Read the settings. `file` must exist if given; otherwise `zhanggui.toml` is read where there is one.
    /// The environment's names are the settings' with `ZHANGGUI_` before: `ZHANGGUI_LISTEN=0.0.0.0:8080`.
    /// `DATABASE_URL`, which hosts set for whatever they run, names the database unless `ZHANGGUI_DATABASE` does.
    pub fn read(
        file: Option<&Path>,
        flags: &Flags,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Settings, SettingsError> {
        let source = match file {
            Some(path) => config::File::from(path).required(true),
            None => config::File::from(Path::new("zhanggui.toml")).required(false),
        };
        let environment: Vec<(String, String)> = environment.collect();
        let host = environment.iter().find(|(name, _)| name == "DATABASE_URL").map(|(_, url)| url.clone());
        let ours = environment.iter().any(|(name, _)| name == "ZHANGGUI_DATABASE");
        let key = environment.iter().find(|(name, _)| name == OPERATOR_KEY).map(|(_, key)| key.clone());
        let secret_variables = environment
            .iter()
            .filter(|(name, _)| name.starts_with(SECRET))
            .map(|(name, value)| (name.clone(), Hidden(value.clone())))
            .collect();
        let environment = environment.into_iter();
        let bounds = Bounds::default();
        let mut builder = config::Config::builder()
            .set_default("listen", "127.0.0.1:8080")?
            .set_default("policies", "policies")?
            .set_default("database", "sqlite://zhanggui.db?mode=rwc")?
            .set_default("queue", bounds.queue as u64)?
            .set_default("batch", bounds.batch as u64)?
            .set_default("workers", 0)?
            .set_default("max_body", 1024 * 1024)?
            .set_default("max_batch", 1000)?
            .set_default("reload", true)?
            .set_default("request_timeout", 10)?
            .set_default("keep_alive", 75)?
            .set_default("shutdown_timeout", 30)?
            .set_default("operator_key", "")?
            .set_default("plugins", "zhanggui-plugins")?
            .set_default("plugin_development", false)?
            .set_default("plugin_threads", 0)?
            .set_default("plugin_allocation", "pooling")?
            .set_default("delivery_attempts", 12)?
            .set_default("delivery_pause", 5)?
            .set_default("delivery_lease", 60)?
            .set_default("plugin_failure_days", 30)?
            .add_source(source.format(config::FileFormat::Toml))
            .add_source(
                config::Environment::with_prefix("ZHANGGUI")
                    .prefix_separator("_")
                    .try_parsing(true)
                    .source(Some(environment.filter(|(name, _)| is_ours(name)).collect())),
            );
        if let Some(database) = flags.database.clone().or(host.filter(|_| !ours)) {
            builder = builder.set_override("database", database)?;
        }
        if let Some(listen) = &flags.listen {
            builder = builder.set_override("listen", listen.as_str())?;
        }
        if let Some(policies) = &flags.policies {
            builder = builder.set_override("policies", policies.to_string_lossy().as_ref())?;
        }
        if let Some(workers) = flags.workers {
            builder = builder.set_override("workers", workers as u64)?;
        }
        if flags.no_reload {
            builder = builder.set_override("reload", false)?;
        }
        if let Some(key) = key {
            builder = builder.set_override("operator_key", key)?;
        }
        let mut settings: Settings = builder.build()?.try_deserialize()?;
        settings.secret_variables = secret_variables;
        Ok(settings)
    }
}

fn is_ours(name: &str) -> bool {
    name.strip_prefix("ZHANGGUI_").is_some_and(|n| NAMES.contains(&n.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_win_over_the_environment_over_the_file_over_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("z.toml");
        std::fs::write(&file, "listen = \"127.0.0.1:1\"\nmax_batch = 7\n").unwrap();
        let variables = || {
            [("ZHANGGUI_MAX_BATCH", "8"), ("ZHANGGUI_BATCH", "9"), ("ZHANGGUI_HOME", "x"), ("PATH", "y")]
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .into_iter()
        };
        let read = |flags| Settings::read(Some(&file), &flags, variables()).unwrap();
        let settings = read(Flags::default());
        assert_eq!((settings.queue, settings.batch), (4096, 9));
        assert_eq!((settings.listen.as_str(), settings.max_batch, settings.reload), ("127.0.0.1:1", 8, true));
        let settings =
            read(Flags { listen: Some("127.0.0.1:2".into()), no_reload: true, ..Flags::default() });
        assert_eq!(
            (settings.listen.as_str(), settings.max_batch, settings.reload),
            ("127.0.0.1:2", 8, false)
        );
    }

    #[test]
    fn the_host_may_name_the_database() {
        let read = |variables: &[(&str, &str)], flags: Flags| {
            let variables: Vec<(String, String)> =
                variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("z.toml");
            std::fs::write(&file, "database = \"sqlite://file.db\"\n").unwrap();
            Settings::read(Some(&file), &flags, variables.into_iter()).unwrap().database
        };
        let (host, ours) = (("DATABASE_URL", "postgres://host"), ("ZHANGGUI_DATABASE", "postgres://ours"));
        assert_eq!(read(&[], Flags::default()), "sqlite://file.db");
        assert_eq!(read(&[host], Flags::default()), "postgres://host");
        assert_eq!(read(&[host, ours], Flags::default()), "postgres://ours");
        let flags = Flags { database: Some("sqlite://flag.db".into()), ..Flags::default() };
        assert_eq!(read(&[host, ours], flags), "sqlite://flag.db");
    }

    #[test]
    fn keys_and_secrets_are_texts_and_not_shown() {
        let variables = [
            ("ZHANGGUI_OPERATOR_KEY", "0123456789012345"),
            ("ZHANGGUI_SECRET_ACME__SMS__TOKEN", "1e5"),
            ("ZHANGGUI_PLUGIN_DEVELOPMENT", "true"),
        ];
        let variables = variables.map(|(k, v)| (k.to_owned(), v.to_owned())).into_iter();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("z.toml");
        std::fs::write(&file, "").unwrap();
        let settings = Settings::read(Some(&file), &Flags::default(), variables).unwrap();
        assert_eq!(
            (settings.operator_key.0.as_str(), settings.plugin_development),
            ("0123456789012345", true)
        );
        assert_eq!(settings.secret_variables["ZHANGGUI_SECRET_ACME__SMS__TOKEN"].0, "1e5");
        let shown = format!("{settings:?}");
        assert!(!shown.contains("0123456789012345") && !shown.contains("1e5"), "{shown}");
    }

    #[test]
    fn a_setting_that_does_not_exist_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("z.toml");
        std::fs::write(&file, "lissten = \"127.0.0.1:1\"\n").unwrap();
        let error =
            Settings::read(Some(&file), &Flags::default(), std::iter::empty()).unwrap_err().to_string();
        assert!(error.contains("lissten"), "{error}");
    }
}
