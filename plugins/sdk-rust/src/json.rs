//! JSON for requests' and responses' bodies. Numbers stay the text that they are: nothing becomes a floating-point number.
use crate::{Decimal, Error};
use std::fmt;

/// A JSON value. Objects keep their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    Null,
    Truth(bool),
    /// As it was written: `18.50`, `1e3`.
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// Deeper than this nothing is read.
const DEEPEST: usize = 64;

impl Json {
    /// An object in this order: `Json::object([("pieces", 2.into()), ("zone", zone.into())])`.
    pub fn object<'a>(members: impl IntoIterator<Item = (&'a str, Json)>) -> Json {
        Json::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// Reads a whole text; whoever wrote something else is at fault.
    pub fn parse(text: &str) -> Result<Json, Error> {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(0);
        reader.space();
        value.filter(|_| reader.at == text.len()).ok_or_else(|| {
            Error::Unavailable(format!("the answer is no JSON at its byte {}", reader.at))
        })
    }

    /// A member of an object.
    pub fn get(&self, name: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().find(|(n, _)| n == name).map(|(_, value)| value),
            _ => None,
        }
    }

    pub fn as_text(&self) -> Option<&str> {
        if let Json::Text(text) = self { Some(text) } else { None }
    }

    pub fn as_truth(&self) -> Option<bool> {
        if let Json::Truth(truth) = self { Some(*truth) } else { None }
    }

    /// A number without point and exponent.
    pub fn as_whole(&self) -> Option<i64> {
        if let Json::Number(digits) = self { digits.parse().ok() } else { None }
    }

    /// A number without exponent, or a text that is one.
    pub fn as_decimal(&self) -> Option<Decimal> {
        match self {
            Json::Number(digits) | Json::Text(digits) => Decimal::parse(digits).ok(),
            _ => None,
        }
    }

    pub fn as_list(&self) -> Option<&[Json]> {
        if let Json::List(items) = self { Some(items) } else { None }
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Json {
        Json::Text(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Json {
        Json::Text(text)
    }
}

impl From<i64> for Json {
    fn from(whole: i64) -> Json {
        Json::Number(whole.to_string())
    }
}

impl From<bool> for Json {
    fn from(truth: bool) -> Json {
        Json::Truth(truth)
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Json::Null => f.write_str("null"),
            Json::Truth(truth) => write!(f, "{truth}"),
            Json::Number(digits) => f.write_str(digits),
            Json::Text(text) => quoted(f, text),
            Json::List(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    f.write_str(if i > 0 { "," } else { "" })?;
                    item.fmt(f)?;
                }
                f.write_str("]")
            }
            Json::Object(members) => {
                f.write_str("{")?;
                for (i, (name, value)) in members.iter().enumerate() {
                    f.write_str(if i > 0 { "," } else { "" })?;
                    quoted(f, name)?;
                    f.write_str(":")?;
                    value.fmt(f)?;
                }
                f.write_str("}")
            }
        }
    }
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            c if u32::from(c) < 0x20 => write!(f, "\\u{:04x}", u32::from(c))?,
            c => fmt::Write::write_char(f, c)?,
        }
    }
    f.write_str("\"")
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn take(&mut self, expected: &str) -> Option<()> {
        let found = self.text.get(self.at..)?.starts_with(expected);
        found.then(|| self.at += expected.len())
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        if depth > DEEPEST {
            return None;
        }
        self.space();
        match self.peek()? {
            b'n' => self.take("null").map(|()| Json::Null),
            b't' => self.take("true").map(|()| Json::Truth(true)),
            b'f' => self.take("false").map(|()| Json::Truth(false)),
            b'"' => self.string().map(Json::Text),
            b'[' => self.listed(b']', |r| r.value(depth + 1)).map(Json::List),
            b'{' => {
                let member = |r: &mut Self| {
                    r.space();
                    let name = r.string()?;
                    r.space();
                    r.take(":")?;
                    Some((name, r.value(depth + 1)?))
                };
                self.listed(b'}', member).map(Json::Object)
            }
            _ => self.number(),
        }
    }

    /// From the opening bracket to the closing one.
    fn listed<T>(&mut self, close: u8, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.at += 1;
        self.space();
        let mut items = Vec::new();
        if self.peek()? == close {
            self.at += 1;
            return Some(items);
        }
        loop {
            items.push(item(self)?);
            self.space();
            let next = self.peek()?;
            self.at += 1;
            match next {
                b',' => {}
                next if next == close => return Some(items),
                _ => return None,
            }
        }
    }

    fn number(&mut self) -> Option<Json> {
        let from = self.at;
        let digits = |r: &mut Self| {
            let from = r.at;
            while r.peek().is_some_and(|b| b.is_ascii_digit()) {
                r.at += 1;
            }
            (r.at > from).then_some(r.at - from)
        };
        let _ = self.take("-");
        let zero = self.peek() == Some(b'0');
        let whole = digits(self)?;
        if zero && whole > 1 {
            return None;
        }
        if self.take(".").is_some() {
            digits(self)?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            digits(self)?;
        }
        self.text.get(from..self.at).map(|digits| Json::Number(digits.to_owned()))
    }

    fn string(&mut self) -> Option<String> {
        self.take("\"")?;
        let mut out = String::new();
        loop {
            let from = self.at;
            while self.peek().is_some_and(|b| b != b'"' && b != b'\\' && b >= 0x20) {
                self.at += 1;
            }
            out.push_str(self.text.get(from..self.at)?);
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(out);
                }
                b'\\' => {
                    self.at += 1;
                    out.push(self.escaped()?);
                }
                _ => return None,
            }
        }
    }

    fn escaped(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += 1;
        Some(match letter {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.unit()?;
                if (0xd800..0xdc00).contains(&first) {
                    self.take("\\u")?;
                    let second = self.unit()?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                    char::from_u32(0x10000 + ((first - 0xd800) << 10) + second)?
                } else {
                    char::from_u32(first)?
                }
            }
            _ => return None,
        })
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Json;

    #[test]
    fn what_is_read_is_written_again() {
        for text in [
            r#"{"a":[1,-0.50,1e3,true,false,null],"b":{},"c":[],"d":"\"\\\n€"}"#,
            "\"\"",
            "0",
            r#"[[["deep"]]]"#,
        ] {
            assert_eq!(Json::parse(text).map(|j| j.to_string()), Ok(text.to_owned()));
        }
        assert_eq!(Json::parse(" [ 1 , 2 ] ").map(|j| j.to_string()), Ok("[1,2]".to_owned()));
        let pair = Json::parse(r#""\ud83c\udf82 \u00e9""#);
        assert_eq!(pair, Ok(Json::Text("🎂 é".to_owned())));
    }

    #[test]
    fn what_is_no_json_is_refused() {
        let deep = "[".repeat(100_000);
        for text in ["", "{", "[1,]", "{\"a\"}", "01", "1.", "tru", "\"\n\"", "\"\\ud83c\"", "[1] 2", "nul", &deep] {
            assert!(Json::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn amounts_are_exact() {
        let read = Json::parse(r#"{"price":18.10}"#).unwrap();
        assert_eq!(read.get("price").and_then(Json::as_decimal).map(|d| d.to_string()), Some("18.10".to_owned()));
    }
}
