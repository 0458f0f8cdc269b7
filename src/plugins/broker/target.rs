//! Where a request goes, in one spelling. Whatever has two readings is refused rather than repaired, because a server,
//! a proxy and this host may each choose another one. The address that is called is put together again from these
//! parts, so that the client reads nothing that was not checked.
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Longest address that is looked at, bytes.
const LONGEST: usize = 8 * 1024;

/// A server: what a breaker, a connection and a secret belong to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Origin {
    pub secure: bool,
    /// Lower case; an IPv6 address in brackets.
    pub host: String,
    pub port: u16,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

/// An absolute address; its display is what is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub origin: Origin,
    /// Begins with `/`; percent-encoded only where it must be, in capital letters.
    pub path: String,
    /// As it was written, without `?`.
    pub query: Option<String>,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.path)?;
        match &self.query {
            Some(query) => write!(f, "?{query}"),
            None => Ok(()),
        }
    }
}

impl Target {
    /// For a message: without the query, which may be about a person, and not too long.
    pub fn shown(&self) -> String {
        format!("{}{:.200}", self.origin, self.path)
    }

    /// Reads an absolute address.
    pub fn parse(text: &str) -> Result<Target, &'static str> {
        plain(text)?;
        let (scheme, rest) = text.split_once("://").ok_or("the address is not absolute")?;
        let secure = secure(scheme)?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end).ok_or("the address is broken")?;
        let (host, port) = split_port(authority)?;
        let origin = Origin { secure, host: host_name(host)?, port: port.unwrap_or(default_port(secure)) };
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query_text(query)?)),
            None => (rest, None),
        };
        let path = path_text(if path.is_empty() { "/" } else { path })?;
        Ok(Target { origin, path, query })
    }

    /// Where a `Location` leads from here. A fragment, which is for browsers, is left out.
    pub fn follow(&self, location: &str) -> Result<Target, &'static str> {
        let location = location.split('#').next().unwrap_or_default();
        plain(location)?;
        if location.is_empty() {
            return Err("it leads nowhere");
        }
        let before = location.split(['/', '?']).next().unwrap_or_default();
        if before.contains(':') {
            return Target::parse(location);
        }
        let scheme = if self.origin.secure { "https" } else { "http" };
        if location.starts_with("//") {
            return Target::parse(&format!("{scheme}:{location}"));
        }
        let (path, query) = match location.split_once('?') {
            Some((path, query)) => (path, Some(query_text(query)?)),
            None => (location, None),
        };
        let path = if path.is_empty() {
            self.path.clone()
        } else if path.starts_with('/') {
            path_text(path)?
        } else {
            let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            path_text(&format!("{folder}/{path}"))?
        };
        Ok(Target { origin: self.origin.clone(), path, query })
    }

    /// Whether the client reads the same out of the address as was checked.
    pub fn agrees(&self, uri: &ureq::http::Uri) -> bool {
        let scheme = if self.origin.secure { "https" } else { "http" };
        uri.scheme_str() == Some(scheme)
            && uri.host() == Some(self.origin.host.as_str())
            && uri.port_u16() == Some(self.origin.port)
            && uri.authority().is_some_and(|a| !a.as_str().contains('@'))
            && uri.path() == self.path
            && uri.query() == self.query.as_deref()
    }
}

/// The port that goes without saying.
pub(super) fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

/// Whether a scheme means TLS.
pub(super) fn secure(scheme: &str) -> Result<bool, &'static str> {
    if scheme.eq_ignore_ascii_case("https") {
        Ok(true)
    } else if scheme.eq_ignore_ascii_case("http") {
        Ok(false)
    } else {
        Err("only http and https are spoken")
    }
}

/// What no part of an address may hold.
fn plain(text: &str) -> Result<(), &'static str> {
    if text.len() > LONGEST {
        return Err("the address is longer than 8 KiB");
    }
    if !text.is_ascii() {
        return Err(
            "the address has characters that must be percent-encoded, or in a host's name written as xn--",
        );
    }
    if text.bytes().any(|b| b <= b' ' || b == 0x7f) {
        return Err("the address has a space or a control character");
    }
    if text.contains('\\') {
        return Err("the address has a backslash");
    }
    if text.contains('#') {
        return Err("the address has a fragment");
    }
    Ok(())
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), &'static str> {
    if authority.contains('@') {
        return Err("the address has a user's name in it");
    }
    let (host, port) = if authority.starts_with('[') {
        let end = authority.find(']').ok_or("the address of the host is broken")?;
        authority.split_at_checked(end + 1).ok_or("the address of the host is broken")?
    } else {
        authority
            .split_at_checked(authority.find(':').unwrap_or(authority.len()))
            .ok_or("the host is broken")?
    };
    match port.strip_prefix(':') {
        None if port.is_empty() => Ok((host, None)),
        None => Err("the port is broken"),
        Some(digits) => Ok((host, Some(port_number(digits)?))),
    }
}

fn port_number(digits: &str) -> Result<u16, &'static str> {
    let plain = !digits.is_empty() && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
    if !plain {
        return Err("the port is broken");
    }
    digits.parse().map_err(|_| "the port is broken")
}

/// A host's name or address in its one spelling: lower case, no last dot, IPv4 as four decimal numbers, IPv6 in
/// brackets and shortest form. Names of other scripts are written in the form that DNS knows (`xn--…`).
pub(super) fn host_name(text: &str) -> Result<String, &'static str> {
    if let Some(inner) = text.strip_prefix('[') {
        let inner = inner.strip_suffix(']').ok_or("the address of the host is broken")?;
        let address: Ipv6Addr = inner.parse().map_err(|_| "the IPv6 address of the host is broken")?;
        return Ok(format!("[{address}]"));
    }
    if text.is_empty() || text.len() > 253 {
        return Err("the host is empty or longer than a name may be");
    }
    if !text.is_ascii() {
        return Err("the host's name is written as DNS knows it: xn--…");
    }
    let host = text.to_ascii_lowercase();
    for label in host.split('.') {
        if label.is_empty() {
            return Err("the host's name has an empty part, or ends in a dot");
        }
        if label.len() > 63 || label.starts_with('-') || label.ends_with('-') {
            return Err("a part of the host's name is too long, or begins or ends with a hyphen");
        }
        if !label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_') {
            return Err("the host's name has a character that names do not have");
        }
    }
    let last = host.rsplit('.').next().unwrap_or_default();
    let number = last.bytes().all(|b| b.is_ascii_digit())
        || last.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    if number && host.parse::<Ipv4Addr>().is_err() {
        return Err("an IPv4 address is written as four decimal numbers");
    }
    Ok(host)
}

/// The address that a host's spelling is, if it is not a name.
pub(super) fn literal(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        Some(inner) => inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

fn hex(digit: Option<&u8>) -> Option<u8> {
    digit.and_then(|d| char::from(*d).to_digit(16)).and_then(|d| u8::try_from(d).ok())
}

fn unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn of_a_path(byte: u8) -> bool {
    unreserved(byte) || b"!$&'()*+,;=:@/".contains(&byte)
}

/// A path in its one spelling.
pub(super) fn path_text(text: &str) -> Result<String, &'static str> {
    if !text.starts_with('/') {
        return Err("the path does not begin with /");
    }
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut meant = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        if byte != b'%' {
            if !of_a_path(byte) {
                return Err("the path has a character that must be percent-encoded");
            }
            out.push(char::from(byte));
            meant.push(byte);
            continue;
        }
        let (Some(high), Some(low)) = (hex(bytes.get(at)), hex(bytes.get(at + 1))) else {
            return Err("the path has a broken percent-encoding");
        };
        at += 2;
        let byte = high * 16 + low;
        match byte {
            b'.' | b'/' | b'\\' => return Err("the path hides a dot or a slash in percent-encoding"),
            0..=0x1f | 0x7f => return Err("the path has a control character"),
            b'%' if hex(bytes.get(at)).is_some() && hex(bytes.get(at + 1)).is_some() => {
                return Err("the path is percent-encoded twice");
            }
            _ if unreserved(byte) => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
        meant.push(byte);
    }
    // Longer encodings of a dot or a slash, which careless servers decode, are no UTF-8.
    let meant = std::str::from_utf8(&meant).map_err(|_| "the path is not UTF-8")?;
    let inner = meant.strip_prefix('/').unwrap_or(meant);
    let parts = inner.split('/').count();
    for (number, part) in inner.split('/').enumerate() {
        if part.is_empty() && number + 1 != parts {
            return Err("the path has an empty part");
        }
        // `..;x` and `.. ` climb as well, on some servers.
        let name = part.split(';').next().unwrap_or_default();
        if !part.is_empty() && name.trim_matches(['.', ' ']).is_empty() {
            return Err("the path climbs");
        }
    }
    Ok(out)
}

fn query_text(text: &str) -> Result<String, &'static str> {
    let bytes = text.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        if byte == b'%' {
            if hex(bytes.get(at + 1)).is_none() || hex(bytes.get(at + 2)).is_none() {
                return Err("the query has a broken percent-encoding");
            }
        } else if !of_a_path(byte) && !b"?[]".contains(&byte) {
            return Err("the query has a character that must be percent-encoded");
        }
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling() {
        for (written, meant) in [
            ("https://API.Example.com", "https://api.example.com:443/"),
            ("HTTP://example.com:8080/a?b=c%20d", "http://example.com:8080/a?b=c%20d"),
            ("https://example.com/%61%7ex/%e5%bf%ab", "https://example.com:443/a~x/%E5%BF%AB"),
            ("https://example.com?q=/..//x", "https://example.com:443/?q=/..//x"),
            ("http://[0:0::1]:90/", "http://[::1]:90/"),
            ("http://10.0.0.1/v1.0/", "http://10.0.0.1:80/v1.0/"),
            ("https://example.com/100%25/x", "https://example.com:443/100%25/x"),
        ] {
            let target = Target::parse(written).unwrap();
            assert_eq!(target.to_string(), meant, "{written}");
            assert!(target.agrees(&meant.parse().unwrap()), "{written}");
        }
    }

    #[test]
    fn two_readings_are_refused() {
        for odd in [
            "example.com/a",
            "//example.com/a",
            "ftp://example.com/",
            "https:/example.com/",
            "https:///a",
            "https://granted@evil.com/",
            "https://granted:443@evil.com/",
            "https://evil.com#@granted/",
            "https://evil.com\\@granted/",
            "https://granted\\.evil.com/",
            "https://granted.evil.com%2f/",
            "https://granted.com./",
            "https://granted..com/",
            "https://.granted.com/",
            "https://granted.com:/",
            "https://granted.com:0/",
            "https://granted.com:0443/",
            "https://granted.com:+443/",
            "https://granted.com:65979/",
            "https://granted.com:443:80/",
            "https://granted.com/a b",
            "https://granted.com/a\r\nHost: evil",
            "https://granted.com/a\0",
            "https://granted.com/a#b",
            "https://granted.com/a/../b",
            "https://granted.com/a/..",
            "https://granted.com/a/./b",
            "https://granted.com/a/%2e%2e/b",
            "https://granted.com/a/.%2E/b",
            "https://granted.com/a%2fb",
            "https://granted.com/a%5cb",
            "https://granted.com/a\\..\\b",
            "https://granted.com/a/..;/b",
            "https://granted.com/a/..%3bx/b",
            "https://granted.com/a/..%20/b",
            "https://granted.com/a/.../b",
            "https://granted.com/a/%252e%252e/b",
            "https://granted.com/a/%25252e/b",
            "https://granted.com/a/%c0%ae%c0%ae/b",
            "https://granted.com//evil.com/",
            "https://granted.com/a//b",
            "https://granted.com/%zz",
            "https://granted.com/%0d%0a",
            "https://granted.com/a?b=%0",
            "https://granted.com/a?b={{secret:x}}",
            "https://gr\u{e4}nted.com/",
            "https://granted\u{3002}com/",
            "https://granted\u{ff0e}com/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.0.0.1/",
            "http://127.1/",
            "http://0177.0.0.1/",
            "http://127.0.0.0x1/",
            "http://127.0.0.1./",
            "http://256.0.0.1/",
            "http://1.2.3.4.5/",
            "http://[::1/",
            "http://[::1%25lo]/",
            "http://[::1]evil.com/",
            "http://[127.0.0.1]/",
            "http://::1/",
        ] {
            assert!(Target::parse(odd).is_err(), "{odd} is {:?}", Target::parse(odd));
        }
    }

    #[test]
    fn locations() {
        let here = Target::parse("https://a.com/x/y?z=1").unwrap();
        for (location, there) in [
            ("/n", Some("https://a.com:443/n")),
            ("n?m", Some("https://a.com:443/x/n?m")),
            ("?m=2", Some("https://a.com:443/x/y?m=2")),
            ("//b.com/n", Some("https://b.com:443/n")),
            ("http://b.com/#top", Some("http://b.com:80/")),
            ("../n", None),
            ("#top", None),
            ("javascript:alert(1)", None),
            ("https://a.com@b.com/", None),
        ] {
            assert_eq!(here.follow(location).ok().map(|t| t.to_string()).as_deref(), there, "{location}");
        }
    }
}
