//! `rulebook.toml`: which files, which layers in which order, which stores.
use crate::lang::diagnostic::Diagnostic;
use crate::lang::source::{FileId, Span};
use crate::lang::syntax::nearest;
use crate::rulebook::terms::{CounterTerms, LedgerTerms, Terms};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use toml::Spanned;

/// A manifest as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    pub(super) name: Spanned<String>,
    /// Paths from the manifest's folder; several files form one vocabulary.
    pub(super) vocabulary: Several,
    /// Kinds of layers, most general first.
    pub(super) layers: Several,
    #[serde(default = "all_policies")]
    pub(super) policies: Several,
    #[serde(default = "all_cases")]
    pub(super) cases: Several,
    #[serde(default)]
    pub(super) store: BTreeMap<String, Spanned<StoreEntry>>,
    #[serde(default)]
    pub(super) ledger: BTreeMap<String, LedgerTerms>,
    #[serde(default)]
    pub(super) tender: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(super) counter: CounterTerms,
}

/// One store.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoreEntry {
    zone: Option<Spanned<String>>,
    business_day: Option<Spanned<String>>,
    #[serde(default, rename = "in")]
    layers: BTreeMap<String, Spanned<String>>,
}

/// A list of texts; one text alone is a list of one.
#[derive(Debug, Clone)]
pub(super) struct Several(Vec<Spanned<String>>);

impl std::ops::Deref for Several {
    type Target = [Spanned<String>];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// A setting before it is known which of the two is written.
enum OneOrMore {
    One(String),
    More(Vec<Spanned<String>>),
}

impl<'de> Deserialize<'de> for Several {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let read = Spanned::<OneOrMore>::deserialize(from)?;
        let at = read.span();
        Ok(Several(match read.into_inner() {
            OneOrMore::One(text) => vec![Spanned::new(at, text)],
            OneOrMore::More(texts) => texts,
        }))
    }
}

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = OneOrMore;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of texts, such as [\"a\", \"b\"]")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<OneOrMore, E> {
                Ok(OneOrMore::One(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut texts: A) -> Result<OneOrMore, A::Error> {
                let mut all = Vec::new();
                while let Some(text) = texts.next_element()? {
                    all.push(text);
                }
                Ok(OneOrMore::More(all))
            }
        }
        from.deserialize_any(Either)
    }
}

fn all_policies() -> Several {
    Several(vec![Spanned::new(0..0, "*.policy".into())])
}

fn all_cases() -> Several {
    Several(vec![Spanned::new(0..0, "*.cases".into())])
}

/// A store, its settings read.
#[derive(Debug, Clone)]
pub struct StoreDef {
    pub id: String,
    pub zone: chrono_tz::Tz,
    /// Seconds after local midnight.
    pub business_day_start: u32,
    /// The name of each kind of layer that applies; `store` is the store itself.
    pub layers: BTreeMap<String, String>,
    pub span: Span,
}

/// Reads a manifest; findings name the place.
pub(super) fn parse(file: FileId, text: &str) -> Result<Manifest, Box<Diagnostic>> {
    toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(Span::new(file, 0, 0), |range| span(file, range));
        let message = error.message().trim().replace('\n', "; ");
        let help =
            "a rulebook.toml has name, vocabulary, layers, policies, cases and one [store.ID] per store";
        let found = explained(&message, at);
        Box::new(found.unwrap_or_else(|| Diagnostic::error("E0801", at, message)).help(help))
    })
}

/// The two commonest mistakes in an author's words.
fn explained(message: &str, at: Span) -> Option<Diagnostic> {
    if let Some(field) = message.strip_prefix("missing field `").and_then(|m| m.split('`').next()) {
        let form = match field {
            "vocabulary" => "vocabulary = [\"….vocab\"]",
            "layers" => "layers = [\"chain\", \"store\"]",
            _ => "name = \"…\"",
        };
        return Some(Diagnostic::error("E0801", at, format!("`{form}` is missing")));
    }
    let mut words = message.strip_prefix("unknown field `")?.split('`').step_by(2);
    let field = words.next()?;
    let known: Vec<&str> = words.collect();
    let meant = nearest(field, known.iter().copied());
    let asks = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
    let found = Diagnostic::error("E0801", at, format!("there is no setting `{field}`{asks}"));
    Some(match meant {
        Some(meant) => found.suggest(at, meant),
        None => found,
    })
}

fn span(file: FileId, range: std::ops::Range<usize>) -> Span {
    Span::new(file, range.start as u32, range.end as u32)
}

/// The place of a value of the manifest.
pub(super) fn place<T>(file: FileId, value: &Spanned<T>) -> Span {
    span(file, value.span())
}

impl Manifest {
    /// The layer kinds in order; a kind twice is a finding.
    pub(super) fn layer_kinds(&self, file: FileId, findings: &mut Vec<Diagnostic>) -> Vec<String> {
        let mut kinds: Vec<String> = Vec::new();
        for layer in self.layers.iter() {
            if kinds.contains(layer.get_ref()) {
                let message = format!("the layer `{}` is listed twice", layer.get_ref());
                findings.push(Diagnostic::error("E0802", place(file, layer), message));
            } else {
                kinds.push(layer.get_ref().clone());
            }
        }
        kinds
    }

    /// What the rulebook declares for its counters.
    pub(super) fn terms(&self) -> Terms {
        Terms { ledgers: self.ledger.clone(), tenders: self.tender.clone(), counter: self.counter.clone() }
    }

    /// The stores, in the order of their ids.
    pub(super) fn stores(&self, file: FileId, findings: &mut Vec<Diagnostic>) -> Vec<StoreDef> {
        self.store.iter().map(|(id, entry)| self.store(file, id, entry, findings)).collect()
    }

    fn store(
        &self,
        file: FileId,
        id: &str,
        entry: &Spanned<StoreEntry>,
        findings: &mut Vec<Diagnostic>,
    ) -> StoreDef {
        let at = place(file, entry);
        let mut error = |span, message: String, help: &str| {
            findings.push(Diagnostic::error("E0803", span, message).help(help));
        };
        if id.is_empty() || id.len() > 100 || id.chars().any(|c| c.is_control() || c.is_whitespace()) {
            error(at, format!("{id:?} cannot be a store's id"), "use letters, digits and dashes");
        }
        let settings = entry.get_ref();
        let mut zone = chrono_tz::UTC;
        if let Some(name) = &settings.zone {
            match name.get_ref().parse() {
                Ok(known) => zone = known,
                Err(_) => error(
                    place(file, name),
                    format!("`{}` is not a time zone", name.get_ref()),
                    "use an IANA name such as \"Asia/Shanghai\"",
                ),
            }
        }
        let mut business_day_start = 0;
        if let Some(time) = &settings.business_day {
            match clock(time.get_ref()) {
                Some(seconds) => business_day_start = seconds,
                None => error(
                    place(file, time),
                    format!("`{}` is not a time of day", time.get_ref()),
                    "write hours and minutes, \"04:00\"",
                ),
            }
        }
        let mut layers = BTreeMap::new();
        for (kind, name) in &settings.layers {
            let known = self.layers.iter().any(|l| l.get_ref() == kind);
            if kind == "store" && name.get_ref() != id {
                error(place(file, name), "a store's own layer is its id".into(), "leave `store` out");
            } else if !known {
                let kinds: Vec<&str> = self.layers.iter().map(|l| l.get_ref().as_str()).collect();
                let help = format!("the layers are {}", kinds.join(", "));
                error(place(file, name), format!("`{kind}` is not a layer of this rulebook"), &help);
            }
            layers.insert(kind.clone(), name.get_ref().clone());
        }
        layers.insert("store".into(), id.into());
        StoreDef { id: id.into(), zone, business_day_start, layers, span: at }
    }
}

/// `04:00` as seconds after midnight.
fn clock(text: &str) -> Option<u32> {
    let (h, m) = text.split_once(':')?;
    let two =
        |s: &str| (s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit())).then(|| s.parse::<u32>().ok())?;
    let (h, m) = (two(h)?, two(m)?);
    (h < 24 && m < 60).then_some(h * 3_600 + m * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
name = "x"
vocabulary = ["x.vocab"]
layers = ["law", "chain", "store"]
[store.s1]
zone = "Asia/Shanghai"
business_day = "04:30"
in = { chain = "c" }
"#;

    fn findings(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        match parse(FileId(0), text) {
            Ok(manifest) => {
                manifest.layer_kinds(FileId(0), &mut found);
                manifest.stores(FileId(0), &mut found);
            }
            Err(diagnostic) => found.push(*diagnostic),
        }
        found.into_iter().map(|d| format!("{} {}", d.code, d.message)).collect()
    }

    #[test]
    fn a_store_is_in_its_own_layer() {
        let manifest = parse(FileId(0), GOOD).unwrap();
        let stores = manifest.stores(FileId(0), &mut Vec::new());
        assert_eq!(stores[0].layers, [("chain".into(), "c".into()), ("store".into(), "s1".into())].into());
        assert_eq!(stores[0].business_day_start, 4 * 3_600 + 1_800);
        assert_eq!(manifest.policies.iter().map(|p| p.get_ref().as_str()).collect::<Vec<_>>(), ["*.policy"]);
        assert_eq!(findings(GOOD), Vec::<String>::new());
    }

    #[test]
    fn one_text_is_a_list_of_one() {
        let alone = GOOD.replacen("[\"x.vocab\"]", "\"x.vocab\"", 1);
        assert_ne!(alone, GOOD);
        assert_eq!(findings(&alone), Vec::<String>::new());
        let got = findings(&GOOD.replacen("[\"x.vocab\"]", "5", 1));
        assert!(got.first().is_some_and(|g| g.contains("a list of texts")), "{got:?}");
    }

    #[test]
    fn wrong_manifests_are_explained() {
        for (from, to, said) in [
            ("zone =", "zoen =", "E0801 there is no setting `zoen`; did you mean `zone`?"),
            ("name = \"x\"", "", "E0801 `name = \"…\"` is missing"),
            ("Asia/Shanghai", "Asia/Shangai", "E0803 `Asia/Shangai` is not a time zone"),
            ("04:30", "4:30", "E0803 `4:30` is not a time of day"),
            ("chain = \"c\"", "chian = \"c\"", "E0803 `chian` is not a layer of this rulebook"),
            ("\"law\", ", "\"law\", \"law\", ", "E0802 the layer `law` is listed twice"),
        ] {
            let got = findings(&GOOD.replacen(from, to, 1));
            assert!(got.first().is_some_and(|g| g.starts_with(said)), "{got:?}");
        }
        assert!(findings("name = ").first().is_some_and(|g| g.starts_with("E0801")));
    }
}
