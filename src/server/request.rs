//! Bodies: the envelope is read with the place of what is wrong, the facts inside stay text for the program's layout.
use crate::server::problem::Problem;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// One question: `{"store", "facts", "explain"}`.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    pub store: String,
    pub facts: &'a [u8],
    pub explain: bool,
}

/// Many questions to one store: `{"store", "items": [{"facts", "explain"}]}`.
#[derive(Debug)]
pub(super) struct Batch<'a> {
    pub store: String,
    /// Items that are not of the right shape are told apart from the others.
    pub items: Vec<Result<Item<'a>, Problem>>,
}

/// One question of a batch.
#[derive(Debug)]
pub(super) struct Item<'a> {
    pub facts: &'a [u8],
    pub explain: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAsk<'a> {
    #[serde(borrow)]
    store: &'a RawValue,
    #[serde(borrow)]
    facts: &'a RawValue,
    #[serde(borrow)]
    explain: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBatch<'a> {
    #[serde(borrow)]
    store: &'a RawValue,
    #[serde(borrow)]
    items: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawItem<'a> {
    #[serde(borrow)]
    facts: &'a RawValue,
    #[serde(borrow)]
    explain: Option<&'a RawValue>,
}

impl<'a> Ask<'a> {
    pub fn parse(body: &'a [u8]) -> Result<Ask<'a>, Problem> {
        let raw: RawAsk<'a> = object(body)?;
        Ok(Ask {
            store: store(raw.store)?,
            facts: raw.facts.get().as_bytes(),
            explain: explain(raw.explain)?,
        })
    }
}

impl<'a> Batch<'a> {
    pub fn parse(body: &'a [u8]) -> Result<Batch<'a>, Problem> {
        let raw: RawBatch<'a> = object(body)?;
        let items: Vec<&'a RawValue> = serde_json::from_str(raw.items.get())
            .map_err(|_| Problem::malformed("items: expected a list of {\"facts\": …}").at("items"))?;
        let item = |item: &&'a RawValue| {
            let raw: RawItem<'a> = object(item.get().as_bytes())?;
            Ok(Item { facts: raw.facts.get().as_bytes(), explain: explain(raw.explain)? })
        };
        Ok(Batch { store: store(raw.store)?, items: items.iter().map(item).collect() })
    }
}

fn store(raw: &RawValue) -> Result<String, Problem> {
    field(raw, "store", "a store's id as text")
}

fn explain(raw: Option<&RawValue>) -> Result<bool, Problem> {
    raw.map(|e| field(e, "explain", "true or false")).transpose().map(Option::unwrap_or_default)
}

/// Reads an object; derived readers would take a list for one, too.
fn object<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, Problem> {
    let read = serde_json::from_slice(text).map_err(|error| {
        let said = error.to_string();
        // "unknown field `fcats`, expected …", "missing field `facts`": the name is the path.
        let name = said
            .split_once(" field `")
            .and_then(|(_, rest)| rest.split_once('`'))
            .map(|(name, _)| name.to_owned());
        let problem = Problem::malformed(said);
        match name.filter(|name| error.is_data() && name.len() <= 100) {
            Some(name) => problem.at(name),
            None => problem,
        }
    })?;
    match text.iter().find(|b| !b.is_ascii_whitespace()) {
        Some(b'{') => Ok(read),
        _ => Err(Problem::malformed("expected an object")),
    }
}

fn field<T: DeserializeOwned>(raw: &RawValue, name: &str, expected: &str) -> Result<T, Problem> {
    serde_json::from_str(raw.get()).map_err(|_| {
        let found: String = raw.get().chars().take(60).collect();
        Problem::malformed(format!("{name}: expected {expected}, found {found}")).at(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn envelopes() {
        let ask = Ask::parse(br#"{"facts": {"a": 1.50}, "store": "s\u0031"}"#).unwrap();
        assert_eq!((ask.store.as_str(), ask.facts, ask.explain), ("s1", br#"{"a": 1.50}"#.as_slice(), false));
        for (body, path) in [
            ("{", None),
            ("\u{0}", None),
            ("", None),
            (r#"{"store": "s", "facts": {}} x"#, None),
            (r#"{"store": "s"}"#, Some("facts")),
            (r#"{"facts": {}}"#, Some("store")),
            (r#"{"store": "s", "facts": {}, "fcats": 1}"#, Some("fcats")),
            (r#"{"store": "s", "facts": {}, "facts": {}}"#, Some("facts")),
            (r#"{"store": 1, "facts": {}}"#, Some("store")),
            (r#"{"store": "s", "facts": {}, "explain": "yes"}"#, Some("explain")),
            (r#"["s", {}, true]"#, None),
            ("[]", None),
            ("3", None),
        ] {
            let problem = Ask::parse(body.as_bytes()).map(|_| ()).unwrap_err();
            assert_eq!(problem.path(), path, "{body}: {problem}");
        }
    }

    #[test]
    fn a_batch_keeps_bad_items_apart() {
        let batch = Batch::parse(br#"{"store": "s", "items": [{"facts": {}}, 3, {"fact": 1}]}"#).unwrap();
        let shapes: Vec<bool> = batch.items.iter().map(Result::is_ok).collect();
        assert_eq!(shapes, [true, false, false]);
        let wrong = Batch::parse(br#"{"store": "s", "items": {}}"#).map(|_| ()).unwrap_err();
        assert_eq!(wrong.path(), Some("items"));
    }
}
