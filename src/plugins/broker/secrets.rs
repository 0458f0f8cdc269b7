//! Secrets: a plugin names them, the host puts them in, and takes them out again of whatever comes back.
use super::headers::Fault;
use crate::plugins::contract::{HttpAnswer, HttpFailure};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::collections::BTreeMap;

const OPEN: &str = "{{secret:";
const CLOSE: &str = "}}";
/// A shorter value would be found all over the answers.
const SHORTEST: usize = 4;

/// Where the operator's secrets are kept.
pub trait Secrets: Send + Sync {
    /// The value, if the operator set one for this plugin.
    fn secret(&self, plugin: &str, name: &str) -> Option<String>;
}

/// No secrets at all.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSecrets;

impl Secrets for NoSecrets {
    fn secret(&self, _plugin: &str, _name: &str) -> Option<String> {
        None
    }
}

/// Whether a secret can be called so.
pub(super) fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

/// A header's value with holes for secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    /// Text, and what stands after it: a secret's name, or nothing at the end.
    pieces: Vec<(String, Option<String>)>,
}

impl Template {
    pub fn parse(text: &str) -> Result<Template, Fault> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(OPEN) {
            let (name, after) = after.split_once(CLOSE).ok_or("a `{{secret:` does not end")?;
            if !is_name(name) {
                return Err("a `{{secret:…}}` has no proper name".into());
            }
            pieces.push((before.to_owned(), Some(name.to_owned())));
            rest = after;
        }
        pieces.push((rest.to_owned(), None));
        Ok(Template { pieces })
    }

    /// The secrets that it needs.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|(_, name)| name.as_deref())
    }

    /// With the values put in; a value is never read as a template again.
    pub fn fill(&self, values: &Values) -> String {
        let mut out = String::new();
        for (text, name) in &self.pieces {
            out.push_str(text);
            if let Some(value) = name.as_ref().and_then(|n| values.0.get(n)) {
                out.push_str(value);
            }
        }
        out
    }
}

/// Values of the secrets of one request. They have no way out but [`Template::fill`]: no `Debug`, no `Clone`.
pub(super) struct Values(BTreeMap<String, String>);

impl Values {
    pub fn get<'a>(
        names: impl Iterator<Item = &'a str>,
        plugin: &str,
        secrets: &dyn Secrets,
    ) -> Result<Values, Fault> {
        let mut values = BTreeMap::new();
        for name in names {
            let value =
                secrets.secret(plugin, name).ok_or_else(|| format!("the secret {name} was not set"))?;
            if value.len() < SHORTEST {
                return Err(format!("the secret {name} is shorter than {SHORTEST} bytes"));
            }
            if !value.bytes().all(|b| (b' '..0x7f).contains(&b)) {
                return Err(format!("the secret {name} cannot stand in a header"));
            }
            values.insert(name.to_owned(), value);
        }
        Ok(Values(values))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Takes secrets out of what a remote said: as they are, in capital letters or small, with any of their characters
/// escaped as JSON and addresses do, and in base64. A remote that wants to hand a secret over in another guise can:
/// hence the grant by host.
pub(super) struct Scrub {
    /// Longest first.
    needles: Vec<(Vec<u8>, String)>,
}

impl Scrub {
    pub fn new(values: &Values) -> Scrub {
        let mut needles = Vec::new();
        for (name, value) in &values.0 {
            for form in [value.clone(), STANDARD_NO_PAD.encode(value), URL_SAFE_NO_PAD.encode(value)] {
                needles.push((form.into_bytes(), format!("{OPEN}{name}{CLOSE}")));
            }
        }
        needles.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
        needles.dedup();
        Scrub { needles }
    }

    fn bytes(&self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some((first, after)) = rest.split_first() {
            match self.needles.iter().find_map(|(needle, name)| Some((name, behind(rest, needle)?))) {
                Some((name, tail)) => {
                    out.extend_from_slice(name.as_bytes());
                    rest = tail;
                }
                None => {
                    out.push(*first);
                    rest = after;
                }
            }
        }
        out
    }

    fn text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.bytes(text.as_bytes())).into_owned()
    }

    /// What the plugin and the record may see.
    pub fn outcome(&self, outcome: Result<HttpAnswer, HttpFailure>) -> Result<HttpAnswer, HttpFailure> {
        if self.needles.is_empty() {
            return outcome;
        }
        match outcome {
            Ok(answer) => Ok(HttpAnswer {
                status: answer.status,
                headers: answer.headers.iter().map(|(n, v)| (self.text(n), self.text(v))).collect(),
                body: self.bytes(&answer.body),
            }),
            Err(HttpFailure::Denied(text)) => Err(HttpFailure::Denied(self.text(&text))),
            Err(HttpFailure::Unreachable(text)) => Err(HttpFailure::Unreachable(self.text(&text))),
            Err(HttpFailure::Other(text)) => Err(HttpFailure::Other(self.text(&text))),
            Err(other @ (HttpFailure::TimedOut | HttpFailure::TooLarge | HttpFailure::Resting)) => Err(other),
        }
    }
}

/// What stands behind the needle, if the text begins with it. A character may stand for itself or be escaped, and `%`
/// and `\` may be either, so that all readings are followed.
fn behind<'a>(text: &'a [u8], needle: &[u8]) -> Option<&'a [u8]> {
    let (first, others) = needle.split_first()?;
    let mut rests: Vec<&[u8]> = readings(text, *first).collect();
    for wanted in others {
        if rests.is_empty() {
            return None;
        }
        rests = rests.into_iter().flat_map(|rest| readings(rest, *wanted)).collect();
        rests.dedup_by_key(|rest| rest.len());
    }
    rests.into_iter().min_by_key(|rest| rest.len())
}

/// What may stand behind a character of ASCII: as it is, or out of its escape (`%2F`, `\/`, `\u002f`).
fn readings(text: &[u8], wanted: u8) -> impl Iterator<Item = &[u8]> {
    let same = move |byte: u8| byte.eq_ignore_ascii_case(&wanted);
    let plain = text.split_first().filter(|(byte, _)| same(**byte)).map(|(_, rest)| rest);
    let escaped = match text {
        [b'%', high, low, rest @ ..] | [b'\\', b'u', b'0', b'0', high, low, rest @ ..] => {
            hex(*high, *low).map(|byte| (byte, rest))
        }
        [b'\\', byte @ (b'"' | b'\\' | b'/'), rest @ ..] => Some((*byte, rest)),
        _ => None,
    };
    plain.into_iter().chain(escaped.filter(|(byte, _)| same(*byte)).map(|(_, rest)| rest))
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, &str)]) -> Values {
        Values(pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn templates() {
        let template = Template::parse("Bearer {{secret:api.key-1}}, {{secret:b}}!").unwrap();
        assert_eq!(template.names().collect::<Vec<_>>(), ["api.key-1", "b"]);
        let values = values(&[("api.key-1", "{{secret:b}}"), ("b", "two")]);
        assert_eq!(template.fill(&values), "Bearer {{secret:b}}, two!");
        for odd in ["{{secret:", "{{secret:}}", "{{secret:a b}}", "x {{secret:a", "{{secret:{{secret:a}}}}"] {
            assert!(Template::parse(odd).is_err(), "{odd}");
        }
        assert_eq!(Template::parse("{{other}} {{ secret:a}}").unwrap().names().count(), 0);
    }

    #[test]
    fn values_that_cannot_be_used() {
        struct One(&'static str);
        impl Secrets for One {
            fn secret(&self, _: &str, name: &str) -> Option<String> {
                (name == "a").then(|| self.0.to_owned())
            }
        }
        let get = |name: &str, value| Values::get([name].into_iter(), "p", &One(value)).err();
        assert_eq!(get("a", "long enough"), None);
        assert!(get("b", "long enough").unwrap().contains("not set"));
        assert!(get("a", "abc").unwrap().contains("shorter"));
        let split = get("a", "abcd\r\nHost: x").unwrap();
        assert!(split.contains("cannot stand") && !split.contains("abcd"));
    }

    #[test]
    fn echoes_are_scrubbed_in_each_guise() {
        let scrub = Scrub::new(&values(&[("k", "s3cret/\"x"), ("longer", "s3cret/\"xyz")]));
        for (said, seen) in [
            ("a s3cret/\"x b", "a {{secret:k}} b"),
            ("s3cret/\"xyz", "{{secret:longer}}"),
            ("S3CRET/\"X", "{{secret:k}}"),
            (r#"{"echo":"s3cret/\"x"}"#, r#"{"echo":"{{secret:k}}"}"#),
            ("?q=s3cret%2f%22x", "?q={{secret:k}}"),
            ("/s3cret/%22x", "/{{secret:k}}"),
            ("%73%33cret\\/\\u0022x", "{{secret:k}}"),
            ("s3cret/\\\"xyz", "{{secret:longer}}"),
            (&format!("={}=", STANDARD_NO_PAD.encode("s3cret/\"x")), "={{secret:k}}="),
            ("s3cret/", "s3cret/"),
            ("100% s3cret\\", "100% s3cret\\"),
        ] {
            assert_eq!(scrub.text(said), seen, "{said}");
        }
        let odd = Scrub::new(&values(&[("k", r"a%41\\b%")]));
        for echo in [r"a%41\\b%", r"a%41\\\\b%", "a%2541%5C%5Cb%25", r"A%41\u005c\\b%"] {
            assert_eq!(odd.text(&format!("<{echo}>")), "<{{secret:k}}>", "{echo}");
        }
        let answer = HttpAnswer {
            status: 200,
            headers: vec![("x-s3cret/\"x".into(), "s3cret/\"x".into())],
            body: b"\xff s3cret/\"x \xfe".to_vec(),
        };
        let seen = scrub.outcome(Ok(answer)).unwrap();
        assert_eq!(seen.headers, [("x-{{secret:k}}".to_owned(), "{{secret:k}}".to_owned())]);
        assert_eq!(seen.body, b"\xff {{secret:k}} \xfe");
        assert_eq!(
            scrub.outcome(Err(HttpFailure::Denied("to s3cret/\"x".into()))),
            Err(HttpFailure::Denied("to {{secret:k}}".into()))
        );
    }
}
