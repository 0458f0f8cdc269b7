//! Settings: defaults, then `zhanggui.toml`, then the environment (`ZHANGGUI_LISTEN=…`), then flags.
use config::{Config, ConfigError, Environment, File, FileFormat};
use serde::Deserialize;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The file that is read if it is there.
pub const FILE: &str = "zhanggui.toml";

/// How the server runs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Address and port; port 0 takes a free one.
    pub listen: String,
    /// The folder of the rulebooks.
    pub policies: PathBuf,
    /// Worker threads; 0: one per processor.
    pub workers: usize,
    /// Take up changed files.
    pub watch: bool,
    /// The longest request body, in bytes.
    pub body_limit: usize,
    /// Seconds that a client may take to send a request, and that answering it may take.
    pub request_timeout: u64,
    /// Seconds that an idle connection is kept.
    pub keep_alive: u64,
    /// Seconds that requests in flight may take once the server stops.
    pub shutdown_timeout: u64,
}

/// What flags say; `None`: nothing.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    pub listen: Option<String>,
    pub policies: Option<PathBuf>,
    pub workers: Option<u32>,
    pub watch: Option<bool>,
    /// The settings file; it must exist if it is named.
    pub file: Option<PathBuf>,
}

const KEYS: [&str; 8] = [
    "listen",
    "policies",
    "workers",
    "watch",
    "body_limit",
    "request_timeout",
    "keep_alive",
    "shutdown_timeout",
];

impl Settings {
    /// Reads all sources; the environment is given, so that tests do not share one.
    pub fn read(
        flags: &Flags,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Settings, ConfigError> {
        // Other variables may begin with the same word, and are not ours to refuse.
        let ours: HashMap<String, String> = environment
            .filter(|(name, _)| {
                let key = name.strip_prefix("ZHANGGUI_").unwrap_or("").to_ascii_lowercase();
                KEYS.contains(&key.as_str())
            })
            .collect();
        let file = flags.file.as_deref().unwrap_or(Path::new(FILE));
        let policies = flags.policies.as_ref().map(|p| p.display().to_string());
        Config::builder()
            .set_default("listen", "127.0.0.1:8080")?
            .set_default("policies", "policies")?
            .set_default("workers", 0)?
            .set_default("watch", true)?
            .set_default("body_limit", 1 << 20)?
            .set_default("request_timeout", 10)?
            .set_default("keep_alive", 75)?
            .set_default("shutdown_timeout", 30)?
            .add_source(File::from(file).format(FileFormat::Toml).required(flags.file.is_some()))
            .add_source(
                Environment::with_prefix("ZHANGGUI")
                    .prefix_separator("_")
                    .try_parsing(true)
                    .source(Some(ours)),
            )
            .set_override_option("listen", flags.listen.clone())?
            .set_override_option("policies", policies)?
            .set_override_option("workers", flags.workers)?
            .set_override_option("watch", flags.watch)?
            .build()?
            .try_deserialize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_over_environment_over_file_over_defaults() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("z.toml");
        std::fs::write(&file, "listen = \"1.1.1.1:1\"\nworkers = 3\nkeep_alive = 9\n").unwrap();
        let env = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<Vec<_>>()
        };
        let flags = Flags { workers: Some(5), file: Some(file.clone()), ..Flags::default() };
        let vars = env(&[
            ("ZHANGGUI_WORKERS", "4"),
            ("ZHANGGUI_KEEP_ALIVE", "11"),
            ("ZHANGGUI_HOME", "x"),
            ("PATH", "y"),
        ]);
        let read = Settings::read(&flags, vars.into_iter()).unwrap();
        assert_eq!(read.listen, "1.1.1.1:1", "file");
        assert_eq!(
            (read.workers, read.keep_alive, read.shutdown_timeout),
            (5, 11, 30),
            "flag, environment, default"
        );
        std::fs::write(&file, "lisen = \"1.1.1.1:1\"\n").unwrap();
        let error = Settings::read(&flags, std::iter::empty()).unwrap_err().to_string();
        assert!(error.contains("lisen"), "{error}");
        let absent = Flags { file: Some(dir.path().join("none.toml")), ..Flags::default() };
        assert!(Settings::read(&absent, std::iter::empty()).is_err());
    }
}
