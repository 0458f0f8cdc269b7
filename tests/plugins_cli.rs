//! `zhanggui plugin` as vendors, operators and scripts see it: the real binary, on a small guest written as text.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails should say where"
)]
mod common;
#[path = "plugins_cli/operator.rs"]
mod operator;
mod plugins_guest;
#[path = "plugins_cli/vendor.rs"]
mod vendor;
use common::{Run, command};
use plugins_guest::{MANIFEST, case, component};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A plugin's folder, and commands that run in the folder above it.
struct Vendor {
    home: TempDir,
}

const LIGHT: &str = r#"{"value": {"whole": 3}}"#;

impl Vendor {
    fn new() -> Vendor {
        let vendor = Vendor { home: tempfile::tempdir().unwrap() };
        fs::create_dir_all(vendor.home.path().join("score/cases")).unwrap();
        vendor.write("score/plugin.toml", MANIFEST);
        vendor.write("score/README.md", "# A score\n");
        fs::write(vendor.home.path().join("score/plugin.wasm"), component()).unwrap();
        vendor.write("score/cases/light.json", &case("a light one", 2, "[]", LIGHT));
        let asks =
            case("one that asks", 100, r#"[{"rate": {"status": 204}}]"#, r#"{"value": {"whole": 204}}"#);
        vendor.write("score/cases/asks.json", &asks);
        vendor
    }
    fn path(&self) -> &Path {
        self.home.path()
    }
    fn write(&self, name: &str, text: &str) {
        fs::write(self.home.path().join(name), text).unwrap();
    }
    fn command(&self, line: &str) -> std::process::Command {
        let mut words = vec!["plugin"];
        words.extend(line.split(' '));
        let mut command = command(&words);
        command.current_dir(self.path()).env("XDG_CACHE_HOME", self.path().join("cache"));
        command
    }
    fn run(&self, line: &str) -> Run {
        self.command(line).output().unwrap().into()
    }
    /// Runs what must go well; what it prints.
    fn ok(&self, line: &str) -> String {
        let run = self.run(line);
        assert_eq!(run.code, 0, "{line}: {run:?}");
        run.out
    }
    /// Runs what must not go well; what it says.
    fn fails(&self, line: &str, code: i32) -> String {
        let run = self.run(line);
        assert_eq!(run.code, code, "{line}: {run:?}");
        format!("{}{}", run.out, run.err)
    }
    /// Packs and signs it; the vendor's public key.
    fn sign(&self) -> String {
        self.ok("pack score");
        let public = self.ok("keygen --vendor acme --out acme.key").trim().to_owned();
        self.ok("sign acme.score-1.2.0.zgp --key acme.key");
        public
    }
}
