//! Headers: what a plugin may set, and what it gets to see.
use super::secrets::Template;
use ureq::http::{HeaderMap, HeaderName, HeaderValue};

/// Why something is denied, for the plugin's author.
pub(super) type Fault = String;

/// Headers of one request.
const MOST: usize = 64;
/// Bytes of names and values of one request.
const LONGEST: usize = 16 * 1024;

/// Headers that frame the message or steer the connection: the host's own.
const FRAMING: &[&str] = &[
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Headers that make some servers act as if method, path or host were others than those that were granted.
const STEERING: &[&str] = &[
    "forwarded",
    "x-forwarded-host",
    "x-forwarded-prefix",
    "x-host",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
];

/// Headers of an answer that are about the connection only.
const OF_THE_HOP: &[&str] =
    &["connection", "keep-alive", "set-cookie2", "te", "trailer", "transfer-encoding", "upgrade"];

/// A header that a plugin sets.
#[derive(Debug, Clone)]
pub(super) struct Header {
    pub name: HeaderName,
    pub template: Template,
}

/// Checks what a plugin wants to send.
pub(super) fn asked(headers: &[(String, String)]) -> Result<Vec<Header>, Fault> {
    if headers.len() > MOST {
        return Err(format!("more than {MOST} headers"));
    }
    if headers.iter().map(|(n, v)| n.len() + v.len()).sum::<usize>() > LONGEST {
        return Err(format!("headers longer than {LONGEST} bytes"));
    }
    headers.iter().map(|(name, value)| one(name, value)).collect()
}

fn one(name: &str, value: &str) -> Result<Header, Fault> {
    let name = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| format!("`{name:.64}` is no name of a header"))?;
    let text = name.as_str();
    if FRAMING.contains(&text) || STEERING.contains(&text) || text.starts_with("proxy-") {
        return Err(format!("the header {text:.64} is not the plugin's to set"));
    }
    if HeaderValue::from_str(value).is_err() {
        return Err(format!("the value of {text:.64} has a line break or another control character"));
    }
    Ok(Header { name, template: Template::parse(value)? })
}

/// What the plugin sees of an answer's headers.
pub(super) fn seen(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .filter(|(n, _)| !OF_THE_HOP.contains(&n.as_str()) && !n.as_str().starts_with("proxy-"))
        .map(|(n, v)| (n.as_str().to_owned(), String::from_utf8_lossy(v.as_bytes()).into_owned()))
        .collect()
}

/// Whether a header says who one is, so that it must not follow to another server.
pub(super) fn identifies(header: &Header) -> bool {
    ["authorization", "cookie"].contains(&header.name.as_str()) || header.template.names().next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(name: &str, value: &str) -> Result<Vec<Header>, Fault> {
        asked(&[(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn what_a_plugin_may_set() {
        for (name, value) in [
            ("Authorization", "Bearer {{secret:k}}"),
            ("Cookie", "a=b"),
            ("X-Idempotency-Key", "1"),
            ("content-type", "application/json; charset=\"utf-8\""),
            ("x-name", "caf\u{e9}"),
            ("x-empty", ""),
        ] {
            ask(name, value).unwrap();
        }
        for (name, value) in [
            ("Host", "evil.com"),
            ("HOST", "evil.com"),
            ("Content-Length", "0"),
            ("Transfer-Encoding", "chunked"),
            ("Connection", "close"),
            ("Proxy-Authorization", "x"),
            ("proxy-anything", "x"),
            ("Upgrade", "h2c"),
            ("X-HTTP-Method-Override", "DELETE"),
            ("X-Original-URL", "/admin"),
            ("x", "a\r\nHost: evil.com"),
            ("x", "a\nb"),
            ("x", "a\0b"),
            ("x\r\ny", "a"),
            ("x y", "a"),
            ("x:", "a"),
            ("", "a"),
            ("x-{{secret:k}}", "a"),
        ] {
            assert!(ask(name, value).is_err(), "{name}: {value}");
        }
        assert!(asked(&vec![("a".to_owned(), String::new()); 65]).is_err());
        assert!(ask("a", &"b".repeat(16 * 1024)).is_err());
    }
}
