//! What an operator does with plugins on a running server.
use super::Output;
use super::client::{Body, Client, ServerArgs};
use super::inspect::http;
use super::project::{counted, package, read, refused};
use crate::cli::CliError;
use crate::plugins::manifest::{Asks, Version, is_path};
use crate::plugins::package::PublicKey;
use clap::ValueEnum;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct TrustArgs {
    /// The vendor's public key, zgk1:vendor:…
    key: String,
    /// Trust it no longer: packages signed with it are refused from now on
    #[arg(long)]
    revoke: bool,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct InstallArgs {
    package: PathBuf,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Only this plugin, with all that is known of it
    id: Option<String>,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct GrantArgs {
    id: String,
    /// Grant all that the newest version asks for
    #[arg(long)]
    as_asked: bool,
    /// Grant what a TOML file says, written as the manifest's [asks]
    #[arg(long, value_name = "FILE", conflicts_with = "as_asked")]
    file: Option<PathBuf>,
    /// Take back all that was granted
    #[arg(long, conflicts_with_all = ["as_asked", "file"])]
    nothing: bool,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SetArgs {
    id: String,
    /// A setting; those that are not named stay as they are
    #[arg(value_name = "NAME=VALUE", required = true)]
    settings: Vec<String>,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Stage {
    /// Asked beside the version that serves, compared, not used
    Shadow,
    /// Asked in some stores
    Share,
    /// Asked everywhere
    All,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RolloutArgs {
    id: String,
    version: String,
    #[arg(long, value_enum)]
    stage: Stage,
    /// Of a share: these stores
    #[arg(long, value_name = "STORE", value_delimiter = ',')]
    stores: Vec<String>,
    /// Of a share: so many stores in a hundred
    #[arg(long, value_name = "N")]
    percent: Option<u8>,
    /// Also if it asks for requests that were not granted: they are denied then
    #[arg(long)]
    partial: bool,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RollbackArgs {
    id: String,
    /// The version to take out; if it is out already, nothing is done
    version: Option<String>,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RemoveArgs {
    id: String,
    #[command(flatten)]
    server: ServerArgs,
}

/// The route of a plugin; its id is put into it only if it is one.
pub(super) fn route(id: &str, rest: &str) -> Result<String, CliError> {
    if is_path(id) && id.contains('.') {
        return Ok(format!("/v1/plugins/{id}{rest}"));
    }
    Err(CliError::Usage(format!("{id:?} is no name of a plugin; write vendor.name, as acme.score")))
}

pub(super) fn word<'a>(tree: &'a Value, path: &str) -> &'a str {
    tree.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn trust(args: &TrustArgs, output: &mut Output<'_>) -> Result<bool, CliError> {
    let key: PublicKey = args.key.parse().map_err(|e| CliError::Usage(format!("{}: {e}", args.key)))?;
    let client = Client::open(&args.server)?;
    let route = format!("/v1/vendors/{}/keys", key.vendor());
    let known = client.send("GET", &route, Body::None)?;
    let good = |key: &&Value| key.get("revoked_at").is_none_or(Value::is_null);
    let known = known.get("keys").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut keys: Vec<String> = known
        .iter()
        .filter(good)
        .map(|key| word(key, "/key").to_owned())
        .filter(|k| *k != args.key)
        .collect();
    if !args.revoke {
        keys.push(key.to_string());
    }
    let left = keys.len();
    let told = client.send("PUT", &route, Body::Json(json!({ "keys": keys })))?;
    let (id, vendor) = (key.id(), key.vendor());
    let done = if args.revoke { "is not trusted any more" } else { "is trusted" };
    let left = counted(left, "key");
    output.show(&told, || format!("the key {id} of {vendor} {done}; {vendor} has {left} now"))?;
    Ok(true)
}

pub(super) fn install(args: &InstallArgs, output: &mut Output<'_>) -> Result<bool, CliError> {
    // What is wrong with it is said here rather than there.
    let package = package(&args.package)?;
    let client = Client::open(&args.server)?;
    let told = client.send("POST", "/v1/plugins", Body::Package(read(&args.package)?))?;
    let (id, version) = (&package.manifest.id, &package.manifest.version);
    let asks = &package.manifest.asks;
    let asked = *asks != Asks::default();
    output.show(&told, || {
        let by = match word(&told, "/signed_by") {
            "" => "not signed: for development only".to_owned(),
            key => format!("signed with {key}"),
        };
        let cases = counted(package.cases.len(), "case");
        let mut text = format!("{id} {version} is installed and passed its {cases} there ({by})");
        for ask in &asks.http {
            text += &format!("\nit asks for: {}", http(ask));
        }
        if asks.kv > 0 {
            text += &format!("\nit asks for: a store of its own, {} bytes", asks.kv);
        }
        text + "\nno policy asks it before it is rolled out"
    })?;
    let then = format!("zhanggui plugin rollout {id} {version} --stage shadow");
    let grant = if asked { format!("zhanggui plugin grant {id} --as-asked, ") } else { String::new() };
    output.console.message(&format!("now: {grant}{then}"));
    Ok(true)
}

pub(super) fn list(args: &ListArgs, output: &mut Output<'_>) -> Result<bool, CliError> {
    let client = Client::open(&args.server)?;
    let Some(id) = &args.id else {
        let told = client.send("GET", "/v1/plugins", Body::None)?;
        output.show(&told, || {
            let items = told.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
            let lines: Vec<String> =
                items.iter().map(|p| format!("{}  {}", word(p, "/plugin"), rolled_out(p))).collect();
            if lines.is_empty() { "no plugins".to_owned() } else { lines.join("\n") }
        })?;
        return Ok(true);
    };
    let told = client.send("GET", &route(id, "")?, Body::None)?;
    output.show(&told, || standing(&told))?;
    Ok(true)
}

/// `1.2.0 everywhere, 1.3.0 in shadow`.
fn rolled_out(plugin: &Value) -> String {
    let mut parts = Vec::new();
    match word(plugin, "/rollout/serving") {
        "" => {}
        version => parts.push(format!("{version} everywhere")),
    }
    let next = word(plugin, "/rollout/next/version");
    match word(plugin, "/rollout/next/stage") {
        "" => {}
        "shadow" => parts.push(format!("{next} in shadow")),
        _ => {
            let next_at =
                |path: &str| plugin.pointer(&format!("/rollout/next{path}")).cloned().unwrap_or_default();
            let stores = next_at("/stores").as_array().map_or(0, Vec::len);
            let percent = next_at("/percent").as_u64().unwrap_or(0);
            parts.push(format!("{next} in {percent} % of the stores and {stores} that are named"));
        }
    }
    match word(plugin, "/rollout/previous") {
        "" => {}
        version => parts.push(format!("{version} ready to come back")),
    }
    if parts.is_empty() { "asked nowhere".to_owned() } else { parts.join(", ") }
}

/// A plugin for a person: how it stands, what each version asks for, what was granted.
fn standing(plugin: &Value) -> String {
    let mut lines = vec![format!("{}  {}", word(plugin, "/plugin"), rolled_out(plugin))];
    match word(plugin, "/not_ready") {
        "" => {}
        why => lines.push(format!("not ready on that server: {why}")),
    }
    for version in plugin.get("versions").and_then(Value::as_array).into_iter().flatten() {
        let by = match word(version, "/signed_by") {
            "" => "not signed".to_owned(),
            key => format!("signed with {key}"),
        };
        let removed = version.get("removed") == Some(&Value::Bool(true));
        let gone = if removed { ", removed" } else { "" };
        lines.push(format!("version {}  {by}{gone}", word(version, "/version")));
    }
    lines.push(format!("granted: {}", grants(plugin.get("grants"))));
    for (name, value) in plugin.get("config").and_then(Value::as_object).into_iter().flatten() {
        lines.push(format!("setting {name} = {}", value.as_str().unwrap_or_default()));
    }
    lines.join("\n")
}

fn grants(tree: Option<&Value>) -> String {
    let granted: Asks = tree.and_then(|t| serde_json::from_value(t.clone()).ok()).unwrap_or_default();
    let kv = (granted.kv > 0).then(|| format!("a store of its own, {} bytes", granted.kv));
    let all: Vec<String> = granted.http.iter().map(http).chain(kv).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join("; ") }
}

pub(super) fn grant(args: &GrantArgs, output: &mut Output<'_>) -> Result<bool, CliError> {
    let client = Client::open(&args.server)?;
    let granted = if let Some(path) = &args.file {
        let text = String::from_utf8_lossy(&read(path)?).into_owned();
        toml::from_str(&text).map_err(|e| CliError::Usage(format!("{}: {e}", path.display())))?
    } else if args.as_asked {
        let plugin = client.send("GET", &route(&args.id, "")?, Body::None)?;
        newest(&plugin).ok_or_else(|| refused(format!("{} has no version", args.id)))?
    } else if args.nothing {
        Asks::default()
    } else {
        return Err(CliError::Usage("grant what? Say --as-asked, --file FILE, or --nothing".to_owned()));
    };
    // Named in full: what is left out of a request is not granted.
    let body = json!({ "http": granted.http, "kv": granted.kv });
    let told = client.send("PUT", &route(&args.id, "/grants")?, Body::Json(body))?;
    output.show(&told, || format!("{} is granted: {}", args.id, grants(told.get("grants"))))?;
    Ok(true)
}

/// What the newest version asks for.
fn newest(plugin: &Value) -> Option<Asks> {
    let versions = plugin.get("versions")?.as_array()?.iter();
    let there = versions.filter(|v| v.get("removed") != Some(&Value::Bool(true)));
    let newest = there.max_by_key(|v| Version::parse(word(v, "/version")))?;
    serde_json::from_value(newest.get("asks")?.clone()).ok()
}

pub(super) fn set(args: &SetArgs, output: &mut Output<'_>) -> Result<bool, CliError> {
    let client = Client::open(&args.server)?;
    let now = client.send("GET", &route(&args.id, "")?, Body::None)?;
    let mut config: Map<String, Value> =
        now.get("config").and_then(Value::as_object).cloned().unwrap_or_default();
    for setting in &args.settings {
        let (name, value) = setting
            .split_once('=')
            .ok_or_else(|| CliError::Usage(format!("{setting:?} is no setting; write NAME=VALUE")))?;
        config.insert(name.to_owned(), value.into());
    }
    let told = client.send("PUT", &route(&args.id, "/config")?, Body::Json(json!({ "config": config })))?;
    output.show(&told, || standing(&told))?;
    Ok(true)
}

pub(super) fn rollout(args: &RolloutArgs, output: &mut Output<'_>) -> Result<bool, CliError> {
    let client = Client::open(&args.server)?;
    let stage = match args.stage {
        Stage::Shadow => "shadow",
        Stage::Share => "share",
        Stage::All => "all",
    };
    let mut body = json!({ "version": args.version, "stage": stage });
    if let Some(fields) = body.as_object_mut() {
        if !args.stores.is_empty() {
            fields.insert("stores".to_owned(), json!(args.stores));
        }
        if let Some(percent) = args.percent {
            fields.insert("percent".to_owned(), percent.into());
        }
        if args.partial {
            fields.insert("partial".to_owned(), true.into());
        }
    }
    let id = &args.id;
    let help = |code: &str| {
        (code == "grants-missing")
            .then(|| format!("now: zhanggui plugin grant {id} --as-asked, or --file FILE for less"))
    };
    let told = client.send_or("PUT", &route(id, "/rollout")?, Body::Json(body), help)?;
    output.show(&told, || format!("{}  {}", args.id, rolled_out(&told)))?;
    Ok(true)
}

pub(super) fn rollback(args: &RollbackArgs, output: &mut Output<'_>) -> Result<bool, CliError> {
    let client = Client::open(&args.server)?;
    let body = args.version.as_ref().map_or(json!({}), |version| json!({ "version": version }));
    let id = &args.id;
    let help = |code: &str| {
        (code == "no-previous-version")
            .then(|| format!("now: zhanggui plugin remove {id}, if nothing shall serve in its place"))
    };
    let told = client.send_or("POST", &route(id, "/rollback")?, Body::Json(body), help)?;
    output.show(&told, || format!("{}  {}", args.id, rolled_out(&told)))?;
    Ok(true)
}

pub(super) fn remove(args: &RemoveArgs, output: &mut Output<'_>) -> Result<bool, CliError> {
    let client = Client::open(&args.server)?;
    let told = client.send("DELETE", &route(&args.id, "")?, Body::None)?;
    output.show(&told, || format!("{} is removed; what it did stays in the records", args.id))?;
    Ok(true)
}
