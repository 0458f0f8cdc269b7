//! Requests to plan and responses to read.
use crate::{Error, HttpAnswer, HttpFailure, HttpRequest, HttpResponse, Json};

impl HttpRequest {
    /// A request of any method; its response comes back under `name`.
    pub fn new(name: &str, method: &str, url: impl Into<String>) -> HttpRequest {
        HttpRequest {
            name: name.to_owned(),
            method: method.to_owned(),
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout: None,
            cache: None,
        }
    }

    pub fn get(name: &str, url: impl Into<String>) -> HttpRequest {
        HttpRequest::new(name, "GET", url)
    }

    pub fn post(name: &str, url: impl Into<String>) -> HttpRequest {
        HttpRequest::new(name, "POST", url)
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> HttpRequest {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// A header whose value is a secret that the host puts in: `.secret("Authorization", "Bearer ", "courier_key")`.
    pub fn secret(self, header: &str, before: &str, secret: &str) -> HttpRequest {
        let value = format!("{before}{{{{secret:{secret}}}}}");
        self.header(header, value)
    }

    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> HttpRequest {
        self.body = body.into();
        self.header("content-type", content_type)
    }

    /// A body of JSON.
    pub fn json(self, body: &Json) -> HttpRequest {
        self.body("application/json", body.to_string())
    }

    /// Adds `name=value` to the URL's query, encoded.
    pub fn query(mut self, name: &str, value: &str) -> HttpRequest {
        self.url.push(if self.url.contains('?') { '&' } else { '?' });
        self.url.push_str(&encode(name));
        self.url.push('=');
        self.url.push_str(&encode(value));
        self
    }

    /// Milliseconds; the host's own limits hold as well.
    pub fn timeout(mut self, milliseconds: u32) -> HttpRequest {
        self.timeout = Some(milliseconds);
        self
    }

    /// Seconds for which the host may answer an equal GET from memory.
    pub fn cache(mut self, seconds: u32) -> HttpRequest {
        self.cache = Some(seconds);
        self
    }
}

/// Percent-encodes text for a query or for one segment of a path, so that nobody's input becomes a part of the URL.
pub fn encode(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    out
}

/// The responses of all rounds so far, by the requests' names.
#[derive(Debug, Clone, Copy)]
pub struct Responses<'a> {
    all: &'a [HttpResponse],
}

impl<'a> Responses<'a> {
    pub fn new(all: &'a [HttpResponse]) -> Responses<'a> {
        Responses { all }
    }

    /// In the order of the requests.
    pub fn all(&self) -> &'a [HttpResponse] {
        self.all
    }

    /// What came back, whatever it was; none if the request was not made yet.
    pub fn find(&self, name: &str) -> Option<&'a Result<HttpAnswer, HttpFailure>> {
        self.all.iter().find(|r| r.name == name).map(|r| &r.outcome)
    }

    /// The server's answer, whatever its status; none if the request was not made yet. A failure to reach the server is
    /// the plugin's `unavailable`.
    pub fn answer(&self, name: &str) -> Result<Option<&'a HttpAnswer>, Error> {
        match self.find(name) {
            None => Ok(None),
            Some(Ok(answer)) => Ok(Some(answer)),
            Some(Err(failure)) => Err(Error::Unavailable(format!("{name}: {}", failure.describe()))),
        }
    }
}

impl HttpFailure {
    /// One phrase.
    pub fn describe(&self) -> String {
        match self {
            HttpFailure::Denied(what) => format!("not granted: {what}"),
            HttpFailure::TimedOut => "timed out".to_owned(),
            HttpFailure::Unreachable(why) => format!("unreachable: {why}"),
            HttpFailure::TooLarge => "the answer is too large".to_owned(),
            HttpFailure::Resting => "not asked, after many failures".to_owned(),
            HttpFailure::Other(what) => what.clone(),
        }
    }
}

impl HttpAnswer {
    /// 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first header of this name, in whatever case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// The body as text; a body that is none is the server's fault.
    pub fn text(&self) -> Result<&str, Error> {
        std::str::from_utf8(&self.body).map_err(|_| Error::Unavailable("the server's answer is no text".to_owned()))
    }

    /// The body as JSON; a body that is none is the server's fault.
    pub fn json(&self) -> Result<Json, Error> {
        Json::parse(self.text()?)
    }

    /// The answer of a success; any other status is the plugin's `unavailable`.
    pub fn success(&self) -> Result<&HttpAnswer, Error> {
        if self.is_success() { Ok(self) } else { Err(Error::Unavailable(format!("the server answered {}", self.status))) }
    }
}
