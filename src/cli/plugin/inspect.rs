//! `zhanggui plugin inspect`: what an operator wants to know before installing.
use super::Output;
use super::project::{package, size};
use crate::cli::CliError;
use crate::plugins::manifest::{HttpGrant, Manifest};
use crate::plugins::package::Package;
use serde_json::json;
use std::fmt::Write as _;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    package: PathBuf,
}

pub(super) fn run(args: &Args, output: &mut Output<'_>) -> Result<bool, CliError> {
    let package = package(&args.package)?;
    let sizes: serde_json::Map<String, serde_json::Value> =
        package.sizes().map(|(name, bytes)| (name.to_owned(), bytes.into())).collect();
    let hooks: Vec<&str> = package.manifest.hooks().into_iter().map(|h| h.name()).collect();
    let cases: Vec<_> =
        package.cases.iter().map(|(file, c)| json!({ "file": file, "name": c.name })).collect();
    let shown = json!({
        "manifest": package.manifest,
        "hooks": hooks,
        "digest": package.digest,
        "component_digest": package.component_digest(),
        "imports": package.shape.imports,
        "exports": package.shape.exports,
        "cases": cases,
        "files": sizes,
        "signed_by": package.signed_by(),
    });
    output.show(&shown, || text(&package, &hooks))?;
    Ok(true)
}

/// A word at the left, what it is about at the right; further lines without the word.
struct Lines(String);

impl Lines {
    fn add(&mut self, word: &str, lines: impl IntoIterator<Item = String>) {
        for (i, line) in lines.into_iter().enumerate() {
            let word = if i == 0 { word } else { "" };
            // Writing to a string does not fail.
            let _ = writeln!(self.0, "{word:<10}  {line}");
        }
    }
    fn one(&mut self, word: &str, line: impl Into<String>) {
        self.add(word, [line.into()]);
    }
}

fn text(package: &Package, hooks: &[&str]) -> String {
    let manifest = &package.manifest;
    let mut lines = Lines(format!("{} {}  {}\n", manifest.id, manifest.version, manifest.title));
    lines.one("contract", format!("{}, hooks {}", manifest.api, hooks.join(", ")));
    lines.one("digest", &package.digest);
    let component = size(package.component.len() as u64);
    lines.one("component", format!("{component}, {}", package.component_digest()));
    lines.add("written in", manifest.language.clone());
    lines.add("source", manifest.source.clone());
    lines.add("functions", functions(manifest));
    lines.add("events", (!manifest.events.is_empty()).then(|| manifest.events.join(", ")));
    lines.add("settings", settings(manifest));
    let kv = (manifest.asks.kv > 0).then(|| format!("a store of its own, {}", size(manifest.asks.kv)));
    let asks: Vec<String> = manifest.asks.http.iter().map(http).chain(kv).collect();
    lines.add("asks for", if asks.is_empty() { vec!["nothing".to_owned()] } else { asks });
    lines.add("wishes", wishes(manifest));
    let short = |name: &String| name.trim_start_matches("zhanggui:plugin/").to_owned();
    // The types are words, not abilities.
    let abilities = package.shape.imports.iter().filter(|name| !name.contains("/types@"));
    let imports: Vec<String> = abilities.map(short).collect();
    lines.one("imports", if imports.is_empty() { "nothing".to_owned() } else { imports.join(", ") });
    lines.add("cases", package.cases.iter().map(|(file, case)| format!("{file}  {}", case.name)));
    let whole: usize = package.sizes().map(|(_, bytes)| bytes).sum();
    lines.one("files", format!("{}, {} unpacked", package.sizes().count(), size(whole as u64)));
    lines.one(
        "signature",
        match package.signed_by() {
            Some(key) => format!("says to be of the key {key}; zhanggui plugin verify looks"),
            None => "none".to_owned(),
        },
    );
    lines.0
}

fn functions(manifest: &Manifest) -> Vec<String> {
    let line = |(name, function): (&String, &crate::plugins::manifest::Function)| {
        let arguments = function.arguments.join(", ");
        let mut line = format!("{name}({arguments}) -> {} [{}]", function.answers, function.hook.name());
        if !function.reads.is_empty() {
            let _ = write!(line, ", reads {}", function.reads.join(", "));
        }
        line
    };
    manifest.functions.iter().map(line).collect()
}

fn settings(manifest: &Manifest) -> Vec<String> {
    let line = |(name, setting): (&String, &crate::plugins::manifest::Setting)| {
        let default = match &setting.default {
            Some(value) => format!(" = {value}"),
            None => ", must be set".to_owned(),
        };
        format!("{name}: {}{default}  {}", setting.kind, setting.help).trim_end().to_owned()
    };
    manifest.config.iter().map(line).collect()
}

pub(super) fn http(grant: &HttpGrant) -> String {
    let HttpGrant { scheme, host, port, path, methods, secrets, private } = grant;
    let mut line = format!("{} {scheme}://{host}:{port}{path}", methods.join(" "));
    if !secrets.is_empty() {
        let _ = write!(line, ", with secrets {}", secrets.join(", "));
    }
    if *private {
        line.push_str(", also at private addresses");
    }
    line
}

fn wishes(manifest: &Manifest) -> Option<String> {
    let wishes = &manifest.wishes;
    let all: Vec<String> = [
        wishes.memory.map(|n| format!("{n} MiB of memory")),
        wishes.deadline.map(|n| format!("{n} ms a phase")),
        wishes.fuel.map(|n| format!("{n} units of fuel a phase")),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!all.is_empty()).then(|| all.join(", "))
}
