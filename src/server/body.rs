//! Bodies of requests: within their limits, without a key twice, and read with the path of what is wrong.
use crate::records::engine::hex;
use crate::server::problem::Problem;
use crate::server::state::State;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, web};
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::fmt;

/// Deeper than any body that means something; readers that recurse stay far from their stack's end.
pub const MAX_DEPTH: usize = 32;

/// The whole body, if it is JSON by its media type and within the limit.
pub async fn bytes(
    request: &HttpRequest,
    payload: web::Payload,
    state: &State,
) -> Result<web::Bytes, Problem> {
    let media = request.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("application/json") {
        let found = if media.is_empty() { "no Content-Type".to_string() } else { format!("`{media}`") };
        return Err(Problem::unsupported(format!(
            "this address reads `application/json`, the request has {found}"
        )));
    }
    let limit = state.settings.max_body;
    match payload.to_bytes_limited(limit).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(broken)) => Err(Problem::malformed(broken.to_string())),
        Err(_) => Err(Problem::too_large(format!("a body holds at most {limit} bytes"))),
    }
}

/// A body's tree: an object, not too deep, no key twice.
pub fn tree(body: &[u8]) -> Result<Value, Problem> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let mut track = serde_path_to_error::Track::new();
    let read =
        Checked { depth: 0 }.deserialize(serde_path_to_error::Deserializer::new(&mut json, &mut track));
    let value = match read.and_then(|value| json.end().map(|()| value)) {
        Ok(value) => value,
        Err(error) if error.is_data() => return Err(blame(error.to_string(), track.path().to_string())),
        Err(error) => return Err(Problem::malformed(error.to_string())),
    };
    if value.is_object() { Ok(value) } else { Err(Problem::malformed("expected an object")) }
}

/// What a tree says; the path tells which field is wrong, also where it is missing or unknown.
pub fn read<T: DeserializeOwned>(tree: Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(tree).map_err(|error| {
        let path = error.path().to_string();
        blame(error.into_inner().to_string(), path)
    })
}

/// The problem with its field, also where that is missing, unknown or there twice: then its name ends the path.
fn blame(said: String, path: String) -> Problem {
    // "unknown field `fcats`, expected …", "missing field `facts`".
    let name = said.split_once(" field `").and_then(|(_, rest)| rest.split_once('`')).map(|(name, _)| name);
    let path = match name {
        Some(name) if path == "." => name.to_owned(),
        Some(name) if path == name || path.ends_with(&format!(".{name}")) => path,
        Some(name) => format!("{path}.{name}"),
        None => path,
    };
    let problem = Problem::malformed(said);
    if path == "." { problem } else { problem.at(short(path)) }
}

/// A path as a problem shows it: keys come from the caller and may be of any length.
fn short(path: String) -> String {
    path.chars().take(200).collect()
}

/// SHA-256 over method, path, the version that is to be changed if one is named, and what the body says, in hexadecimal:
/// neither blanks nor the order of keys matter.
pub fn fingerprint(method: &str, path: &str, version: Option<&[u8]>, body: &Value) -> String {
    let mut hash = Sha256::new();
    // A body begins with a brace, a length does not: where no version is named, nothing stands for it.
    for part in [method.as_bytes(), path.as_bytes()].into_iter().chain(version) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.update(sorted(body).to_string().as_bytes());
    hex(&hash.finalize())
}

/// The same tree, keys in order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            Value::Object(fields.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        plain => plain.clone(),
    }
}

/// Reads a tree so deep and no deeper.
struct Checked {
    depth: usize,
}

impl Checked {
    fn inside<E: Error>(&self) -> Result<Checked, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom(format!("nested deeper than {MAX_DEPTH}")));
        }
        Ok(Checked { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Checked {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Checked {
    type Value = Value;
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        whole(value).map(Value::from)
    }
    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        whole(&value)?;
        Ok(value.into())
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut read = Vec::new();
        while let Some(item) = items.next_element_seed(self.inside()?)? {
            read.push(item);
        }
        Ok(Value::Array(read))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut read = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            whole(&name)?;
            let value = fields.next_value_seed(self.inside()?)?;
            if read.contains_key(&name) {
                let name: String = name.chars().take(100).collect();
                return Err(A::Error::custom(format!("duplicate field `{name}`")));
            }
            read.insert(name, value);
        }
        Ok(Value::Object(read))
    }
}

/// PostgreSQL keeps no text with U+0000 in it, so that nothing has one.
fn whole<E: Error>(text: &str) -> Result<&str, E> {
    if text.contains('\0') { Err(E::custom("a text holds no U+0000")) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counter::sale::SaleRequest;

    const SALE: &str = r#"{"store": "s", "terminal": "1", "receipt": "7", "actor": "a",
        "lines": [{"sku": "x", "area": "a", "category": "c", "quantity": 1, "list_price": "1.00", "shelf_price": "1.00"}],
        "tenders": []}"#;

    fn path(body: &str) -> Option<String> {
        let problem = tree(body.as_bytes()).and_then(read::<SaleRequest>).map(|_| ()).unwrap_err();
        problem.path().map(str::to_owned)
    }

    #[test]
    fn the_path_leads_to_the_field() {
        assert!(tree(SALE.as_bytes()).and_then(read::<SaleRequest>).is_ok());
        for (from, to, at) in [
            (r#""shelf_price": "1.00""#, r#""shelf_price": 1.5"#, "lines[0].shelf_price"),
            (r#", "shelf_price": "1.00""#, "", "lines[0].shelf_price"),
            (r#""sku": "x""#, r#""sku": "x", "skew": 1"#, "lines[0].skew"),
            (r#""store": "s""#, r#""store": 3"#, "store"),
            (r#""store": "s", "#, "", "store"),
            (r#""store": "s""#, r#""store": "s", "store": "t""#, "store"),
            (r#""quantity": 1"#, r#""quantity": 3000000000"#, "lines[0].quantity"),
            (r#""sku": "x""#, r#""sku": "x\u0000""#, "lines[0].sku"),
        ] {
            assert!(SALE.contains(from), "{from}");
            assert_eq!(path(&SALE.replace(from, to)).as_deref(), Some(at), "{to}");
        }
        let named = SALE.replace(r#""sku""#, r#""s\u0000u""#);
        assert!(tree(named.as_bytes()).is_err());
        assert_eq!(path("{"), None);
        assert_eq!(path("[]"), None);
        assert_eq!(path("{} x"), None);
    }

    #[test]
    fn depth_ends() {
        let nested = |n: usize| format!("{{\"a\":{}1{}}}", "[".repeat(n), "]".repeat(n));
        assert!(tree(nested(MAX_DEPTH - 1).as_bytes()).is_ok());
        assert!(tree(nested(MAX_DEPTH).as_bytes()).is_err());
        assert!(tree(nested(100_000).as_bytes()).is_err());
    }

    #[test]
    fn a_fingerprint_is_what_is_said_not_how() {
        let tagged = |tag: Option<&[u8]>, text: &str| {
            fingerprint("PATCH", "/v1/x", tag, &tree(text.as_bytes()).unwrap())
        };
        let of = |text: &str| tagged(None, text);
        assert_eq!(of(r#"{"a": 1, "b": {"c": 2, "d": [1]}}"#), of(r#"{"b":{"d":[1],"c":2},"a":1}"#));
        assert_ne!(of(r#"{"a": 1}"#), of(r#"{"a": "1"}"#));
        assert_ne!(of(r#"{"a": [1, 2]}"#), of(r#"{"a": [2, 1]}"#));
        let (one, two) = (tagged(Some(b"\"1-x\""), "{}"), tagged(Some(b"\"2-x\""), "{}"));
        assert!(one != two && one != of("{}"));
    }
}
