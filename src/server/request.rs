//! Requests' bodies: the envelope is read, the facts inside stay bytes for the binder.
use crate::server::problem::Problem;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// `{"store", "facts", "explain", "lang"}`.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    pub(super) store: String,
    pub(super) facts: &'a [u8],
    pub(super) explain: bool,
    pub(super) lang: Lang,
}

/// `{"store", "items"}`.
#[derive(Debug)]
pub(super) struct Batch<'a> {
    pub(super) store: String,
    pub(super) items: Vec<&'a RawValue>,
}

/// The explanation's language.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Lang {
    #[default]
    Zh,
    En,
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
    #[serde(borrow)]
    lang: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBatch<'a> {
    #[serde(borrow)]
    store: &'a RawValue,
    #[serde(borrow)]
    items: &'a RawValue,
}

impl<'a> Ask<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<Ask<'a>, Problem> {
        let raw: RawAsk<'a> = envelope(body)?;
        Ok(Ask {
            store: field(raw.store, "store", "a store's id as text")?,
            facts: raw.facts.get().as_bytes(),
            explain: raw
                .explain
                .map(|e| field(e, "explain", "true or false"))
                .transpose()?
                .unwrap_or_default(),
            lang: raw.lang.map(|l| field(l, "lang", "\"zh\" or \"en\"")).transpose()?.unwrap_or_default(),
        })
    }
}

impl<'a> Batch<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<Batch<'a>, Problem> {
        let raw: RawBatch<'a> = envelope(body)?;
        let items = serde_json::from_str(raw.items.get());
        Ok(Batch {
            store: field(raw.store, "store", "a store's id as text")?,
            items: items.map_err(|_| Problem::shape("items: expected a list of facts").at("items"))?,
        })
    }
}

fn envelope<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Problem> {
    let read = serde_json::from_slice(body).map_err(|error| {
        let said = error.to_string();
        if !error.is_data() {
            return Problem::malformed(said);
        }
        // "unknown field `fcats`, expected …", "missing field `facts`": the name is the path.
        match said.split_once(" field `").and_then(|(_, rest)| rest.split_once('`')) {
            Some((name, _)) if name.len() <= 100 => {
                let name = name.to_owned();
                Problem::shape(said).at(name)
            }
            _ => Problem::shape(said),
        }
    })?;
    // Derived readers take lists for structures, too.
    match body.iter().find(|b| !b.is_ascii_whitespace()) {
        Some(b'{') => Ok(read),
        _ => Err(Problem::shape("expected an object")),
    }
}

fn field<T: DeserializeOwned>(raw: &RawValue, name: &str, expected: &str) -> Result<T, Problem> {
    serde_json::from_str(raw.get()).map_err(|_| {
        let found: String = raw.get().chars().take(60).collect();
        Problem::shape(format!("{name}: expected {expected}, found {found}")).at(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn envelopes() {
        let ask = Ask::parse(br#"{"facts": {"a": 1.50}, "store": "s\u0031", "lang": "en"}"#).unwrap();
        assert_eq!((ask.store.as_str(), ask.facts, ask.explain), ("s1", br#"{"a": 1.50}"#.as_slice(), false));
        assert_eq!(ask.lang, Lang::En);
        for (body, code, path) in [
            ("{", "malformed_json", None),
            ("\u{0}", "malformed_json", None),
            ("", "malformed_json", None),
            (r#"{"store": "s"}"#, "bad_request", Some("facts")),
            (r#"{"facts": {}}"#, "bad_request", Some("store")),
            (r#"{"store": "s", "facts": {}, "fcats": 1}"#, "bad_request", Some("fcats")),
            (r#"{"store": "s", "facts": {}, "facts": {}}"#, "bad_request", Some("facts")),
            (r#"{"store": 1, "facts": {}}"#, "bad_request", Some("store")),
            (r#"{"store": "s", "facts": {}, "explain": "yes"}"#, "bad_request", Some("explain")),
            (r#"["s", {}, null, null]"#, "bad_request", None),
            ("[]", "bad_request", None),
            ("3", "bad_request", None),
        ] {
            let problem = Ask::parse(body.as_bytes()).map(|_| ()).unwrap_err();
            assert_eq!((problem.code, problem.path.as_deref()), (code, path), "{body}");
        }
        let batch = Batch::parse(br#"{"store": "s", "items": [{}, 3]}"#).unwrap();
        assert_eq!((batch.store.as_str(), batch.items.len()), ("s", 2));
        assert_eq!(
            Batch::parse(br#"{"store": "s", "items": {}}"#).map(|_| ()).unwrap_err().path.as_deref(),
            Some("items")
        );
    }
}
