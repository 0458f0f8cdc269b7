//! What is wrong with a manifest: where it stands, and what to write instead.
use super::words::{KINDS, Version, is_decimal, is_money, is_path, is_word};
use super::{Function, HttpGrant, Manifest, Setting};
use crate::plugins::contract::Hook;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use toml::de::{DeTable, DeValue};

/// The largest manifest, bytes.
const LARGEST: usize = 64 << 10;
/// The most bytes of a store of its own that a plugin may ask for.
const MOST_KV: u64 = 64 << 20;
const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// From 1; 0 where the manifest did not come from a text.
    pub line: usize,
    /// `functions.score.answers`; empty for the whole.
    pub field: String,
    pub wrong: String,
    /// What to write instead; empty where that is plain.
    pub write: String,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plugin.toml")?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if !self.field.is_empty() {
            write!(f, ": {}", self.field)?;
        }
        write!(f, ": {}", self.wrong)?;
        if self.write.is_empty() { Ok(()) } else { write!(f, "; {}", self.write) }
    }
}

/// All that is wrong with a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaws(pub Vec<Flaw>);

impl fmt::Display for Flaws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(Flaw::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Flaws {}

impl Manifest {
    /// Reads and checks `plugin.toml`.
    pub fn parse(text: &str) -> Result<Manifest, Flaws> {
        let alone = |line, field: String, wrong: String, write: &str| {
            Flaws(vec![Flaw { line, field, wrong, write: write.to_owned() }])
        };
        if text.len() > LARGEST {
            let wrong = format!("it has {} bytes, more than {LARGEST}", text.len());
            return Err(alone(0, String::new(), wrong, ""));
        }
        let unreadable = |field: String, error: &toml::de::Error| {
            let line = error.span().map_or(0, |span| line_of(text, span.start));
            alone(line, field, error.message().trim_end().replace('\n', ", "), "")
        };
        let from = toml::Deserializer::parse(text).map_err(|e| unreadable(String::new(), &e))?;
        let manifest: Manifest = serde_path_to_error::deserialize(from).map_err(|error| {
            let field = error.path().to_string();
            unreadable(if field == "." { String::new() } else { field }, error.inner())
        })?;
        let mut flaws = manifest.flaws();
        if flaws.is_empty() {
            return Ok(manifest);
        }
        if let Ok(tree) = DeTable::parse(text) {
            for flaw in &mut flaws {
                flaw.line = line_of(text, place(tree.get_ref(), &flaw.field));
            }
        }
        Err(Flaws(flaws))
    }

    /// The vendor's part of the id.
    pub fn vendor(&self) -> &str {
        self.id.split('.').next().unwrap_or_default()
    }

    /// The hooks that it must export.
    pub fn hooks(&self) -> BTreeSet<Hook> {
        let events = (!self.events.is_empty()).then_some(Hook::Notify);
        self.functions.values().map(|f| f.hook).chain(events).collect()
    }

    /// All that is wrong, without lines.
    pub fn flaws(&self) -> Vec<Flaw> {
        let mut found = Found(Vec::new());
        self.check_names(&mut found);
        for (name, function) in &self.functions {
            check_function(name, function, &mut found);
        }
        let mut events = BTreeSet::new();
        for (i, event) in self.events.iter().enumerate() {
            let at = format!("events[{i}]");
            if !is_path(event) || !event.contains('.') {
                found.add(&at, format!("{event:?} is no kind of event"), "write one as \"member.enrolled\"");
            } else if !events.insert(event) {
                found.add(&at, format!("{event:?} stands twice"), "take one away");
            }
        }
        for (name, setting) in &self.config {
            check_setting(name, setting, &mut found);
        }
        for (i, grant) in self.asks.http.iter().enumerate() {
            check_http(&format!("asks.http[{i}]"), grant, &mut found);
            if self.asks.http.iter().take(i).any(|g| g == grant) {
                found.add(&format!("asks.http[{i}]"), "it stands twice".to_owned(), "take one away");
            }
        }
        if self.asks.kv > MOST_KV {
            let wrong = format!("{} bytes are more than {MOST_KV}", self.asks.kv);
            found.add("asks.kv", wrong, "ask for what is needed");
        }
        for (field, none) in [
            ("wishes.memory", self.wishes.memory == Some(0)),
            ("wishes.deadline", self.wishes.deadline == Some(0)),
            ("wishes.fuel", self.wishes.fuel == Some(0)),
        ] {
            if none {
                found.add(field, "0 is no limit to work with".to_owned(), "leave it out or wish for more");
            }
        }
        found.0
    }

    fn check_names(&self, found: &mut Found) {
        let id = self.id.split_once('.').is_some_and(|(vendor, name)| is_word(vendor) && is_word(name));
        if !id {
            let wrong = format!("{:?} is no name of a plugin", self.id);
            found.add("id", wrong, "write vendor.name in lower-case words, as \"acme.coupon_lookup\"");
        }
        if Version::parse(&self.version).is_none() {
            let wrong = format!("{:?} is no semantic version", self.version);
            found.add("version", wrong, "write three numbers, as \"1.2.0\"");
        }
        if self.api != "0.1" {
            let wrong = format!("this host does not speak version {:?} of the contract", self.api);
            found.add("api", wrong, "write \"0.1\"");
        }
        let shown = !self.title.trim().is_empty() && self.title.chars().count() <= 100;
        if !shown || self.title.chars().any(char::is_control) {
            found.add(
                "title",
                "it is empty or too long".to_owned(),
                "write one line of at most 100 characters",
            );
        }
        if self.functions.is_empty() && self.events.is_empty() {
            let write = "write a table as [functions.score], or events = [\"member.enrolled\"]";
            found.add("functions", "the plugin answers nothing".to_owned(), write);
        }
    }
}

struct Found(Vec<Flaw>);

impl Found {
    fn add(&mut self, field: &str, wrong: String, write: &str) {
        self.0.push(Flaw { line: 0, field: field.to_owned(), wrong, write: write.to_owned() });
    }
    fn word(&mut self, field: &str, what: &str, name: &str) {
        if !is_word(name) {
            let wrong = format!("{name:?} is no name of a {what}");
            self.add(field, wrong, "write a lower-case word of letters, digits and _, at most 40");
        }
    }
}

fn check_function(name: &str, function: &Function, found: &mut Found) {
    let at = format!("functions.{name}");
    let kinds = format!("write one of {}", KINDS.join(", "));
    found.word(&at, "function", name);
    match function.hook {
        Hook::Notify => {
            let wrong = "notify has events, no functions".to_owned();
            found.add(
                &format!("{at}.hook"),
                wrong,
                "write events = [\"member.enrolled\"] at the top instead",
            );
        }
        Hook::Quote if function.answers != "money" => {
            let wrong = format!("a quote does not answer {:?}", function.answers);
            found.add(&format!("{at}.answers"), wrong, "write \"money\"");
        }
        Hook::Check if function.answers != "word" => {
            let wrong = format!("a check does not answer {:?}", function.answers);
            found.add(&format!("{at}.answers"), wrong, "write \"word\" (allow, deny, refer)");
        }
        _ if !KINDS.contains(&function.answers.as_str()) => {
            let wrong = format!("{:?} is no kind of value", function.answers);
            found.add(&format!("{at}.answers"), wrong, &kinds);
        }
        _ => {}
    }
    let mut names = BTreeSet::new();
    for (i, argument) in function.arguments.iter().enumerate() {
        let at = format!("{at}.arguments[{i}]");
        let Some((name, kind)) = argument.split_once(':').map(|(n, k)| (n.trim(), k.trim())) else {
            found.add(&at, format!("{argument:?} has no kind"), "write \"name: kind\", as \"weight: whole\"");
            continue;
        };
        found.word(&at, "argument", name);
        if !KINDS.contains(&kind) {
            found.add(&at, format!("{kind:?} is no kind of value"), &kinds);
        }
        if !names.insert(name) {
            found.add(&at, format!("a second argument {name:?}"), "give it a name of its own");
        }
    }
    for (i, path) in function.reads.iter().enumerate() {
        if !is_path(path) {
            let wrong = format!("{path:?} is no path of a fact");
            found.add(&format!("{at}.reads[{i}]"), wrong, "write one as \"member.tier\"");
        }
    }
}

fn check_setting(name: &str, setting: &Setting, found: &mut Found) {
    let at = format!("config.{name}");
    found.word(&at, "setting", name);
    if !SETTINGS.iter().any(|(kind, _, _)| *kind == setting.kind) {
        let wrong = format!("{:?} is no kind of setting", setting.kind);
        found.add(&format!("{at}.kind"), wrong, "write one of text, whole, decimal, truth, money");
    } else if let Some(default) = &setting.default
        && let Err(write) = setting.fits(default)
    {
        found.add(&format!("{at}.default"), format!("{default:?} is no {}", setting.kind), write);
    }
}

/// Bytes of a text.
const TEXT: usize = 16 << 10;

/// Kinds of settings: name, what fits, and what to write.
type SettingKind = (&'static str, fn(&str) -> bool, &'static str);
const SETTINGS: [SettingKind; 5] = [
    ("text", |v| v.len() <= TEXT, "write at most 16 KiB"),
    ("whole", |v| v.parse::<i64>().is_ok(), "write an integer as text, as \"3\""),
    ("decimal", is_decimal, "write plain digits as text, as \"0.15\", at most 40 on each side of the point"),
    ("truth", |v| v == "true" || v == "false", "write \"true\" or \"false\""),
    ("money", is_money, "write an amount with its currency, as \"12.50 CNY\""),
];

impl Setting {
    /// Whether a value is of the setting's kind; if not, what to write.
    pub fn fits(&self, value: &str) -> Result<(), &'static str> {
        match SETTINGS.iter().find(|(kind, _, _)| *kind == self.kind) {
            Some((_, fits, _)) if fits(value) => Ok(()),
            Some((_, _, write)) => Err(write),
            None => Err("there is no such kind"),
        }
    }
}

impl Manifest {
    /// The settings that a call reads: what is given, and the defaults for the rest. A setting without a default that
    /// is not given, one that the manifest does not know and a value of another kind are errors, for a person.
    pub fn settle(&self, given: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, String> {
        if let Some(name) = given.keys().find(|name| !self.config.contains_key(*name)) {
            let known: Vec<&str> = self.config.keys().map(String::as_str).collect();
            return Err(format!("{} has no setting {name:?} (known: {})", self.id, known.join(", ")));
        }
        let mut all = BTreeMap::new();
        for (name, setting) in &self.config {
            let Some(value) = given.get(name).or(setting.default.as_ref()) else {
                return Err(format!("the setting {name:?} of {} has no default and no value", self.id));
            };
            setting.fits(value).map_err(|write| {
                format!("the setting {name:?} of {}: {value:?} is no {}; {write}", self.id, setting.kind)
            })?;
            all.insert(name.clone(), value.clone());
        }
        Ok(all)
    }
}

fn check_http(at: &str, grant: &HttpGrant, found: &mut Found) {
    let field = |name: &str| format!("{at}.{name}");
    if !["https", "http"].contains(&grant.scheme.as_str()) {
        found.add(&field("scheme"), format!("{:?} is no scheme", grant.scheme), "write \"https\"");
    }
    if !is_host(&grant.host) {
        let wrong = format!("{:?} is no host", grant.host);
        found.add(
            &field("host"),
            wrong,
            "write one exact name in lower case, as \"api.example.com\"; there are no patterns",
        );
    }
    if grant.port == 0 {
        found.add(&field("port"), "0 is no port".to_owned(), "write 443 for https");
    }
    if !is_prefix(&grant.path) {
        let wrong = format!("{:?} is no path", grant.path);
        found.add(
            &field("path"),
            wrong,
            "begin with /, end with / where it is a prefix; no .., ?, #, % or \\",
        );
    }
    if grant.methods.is_empty() {
        found.add(&field("methods"), "there is none".to_owned(), "write methods = [\"GET\"]");
    }
    for (i, method) in grant.methods.iter().enumerate() {
        if !METHODS.contains(&method.as_str()) {
            let wrong = format!("{method:?} is no method");
            found.add(&format!("{at}.methods[{i}]"), wrong, &format!("write one of {}", METHODS.join(", ")));
        }
    }
    for (i, secret) in grant.secrets.iter().enumerate() {
        found.word(&format!("{at}.secrets[{i}]"), "secret", secret);
    }
    if grant.private {
        let wrong = "a plugin may not ask for private addresses".to_owned();
        found.add(&field("private"), wrong, "take it away; the operator sets it when granting");
    }
}

/// A DNS name in lower case, or an address.
fn is_host(text: &str) -> bool {
    if text.parse::<std::net::IpAddr>().is_ok() {
        return true;
    }
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    // What looks like a number would be read as an address by some: 127.1, 0x7f.1.
    let last_is_name =
        text.rsplit('.').next().is_some_and(|l| l.starts_with(|c: char| c.is_ascii_lowercase()));
    text.len() <= 253 && text.split('.').all(label) && last_is_name
}

fn is_prefix(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_graphic() && !b"?#%\\\"<>".contains(&b);
    text.len() <= 500
        && text.starts_with('/')
        && text.bytes().all(plain)
        && !text.contains("//")
        && !text.split('/').any(|part| part == ".." || part == ".")
}

/// From 1.
fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|b| *b == b'\n').count() + 1
}

/// Where a field stands in the text, or the innermost table around it that does. The name of a field may hold no dots:
/// a function whose name does is found by its table.
fn place(root: &DeTable<'_>, field: &str) -> usize {
    let (mut table, mut value, mut at) = (Some(root), None::<&DeValue<'_>>, 0);
    for step in field.split(['.', '[', ']']).filter(|s| !s.is_empty()) {
        let next = if let Some(here) = table {
            let found = here.iter().find(|(key, _)| key.get_ref() == step);
            found.map(|(key, value)| (key.span().start, value))
        } else {
            let items = value.and_then(DeValue::as_array);
            let item = step.parse::<usize>().ok().and_then(|i| items.and_then(|items| items.get(i)));
            item.map(|item| (item.span().start, item))
        };
        let Some((start, next)) = next else { break };
        at = start;
        table = next.get_ref().as_table();
        value = Some(next.get_ref());
    }
    at
}
