//! One request to one server, and what it came to.
use super::connect::{Checked, Dialler, Refused};
use super::headers;
use super::names::{NameError, Names};
use super::target::Target;
use crate::plugins::contract::{HttpAnswer, HttpFailure};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use std::io::{ErrorKind, Read as _};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use ureq::http::{HeaderName, HeaderValue, Request, Response, Uri};
use ureq::{Agent, Body, Error};

/// Idle connections are let go before servers commonly drop them, at 5 s.
const IDLE: Duration = Duration::from_secs(4);

/// Why there is no broker.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    #[error("the root certificates in {0} cannot be read: {1}")]
    Roots(String, String),
    #[error("TLS: {0}")]
    Tls(String),
}

/// What is sent.
pub(super) struct Sent<'a> {
    pub method: &'a str,
    pub target: &'a Target,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: &'a [u8],
}

/// No answer, and whether trying again may help: the connection failed before a word of the answer came.
pub(super) struct Unanswered {
    pub failure: HttpFailure,
    pub again: bool,
}

impl From<HttpFailure> for Unanswered {
    fn from(failure: HttpFailure) -> Unanswered {
        Unanswered { failure, again: false }
    }
}

/// The client. Connections that were opened for a grant that allows private addresses are kept apart, so that no
/// other request finds them.
pub(super) struct Client {
    public: Agent,
    private: Agent,
}

impl Client {
    /// `head`: bytes of an answer's head.
    pub fn new(names: &Arc<dyn Names>, roots: Option<&Path>, head: usize) -> Result<Client, BrokerError> {
        let tls = Arc::new(tls(roots)?);
        let agent = |private| {
            let config = Agent::config_builder()
                // The environment's proxy would look up names itself and connect where it likes.
                .proxy(None)
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .max_response_header_size(head)
                .input_buffer_size(head.saturating_mul(2).max(16 * 1024))
                .output_buffer_size(16 * 1024)
                .max_idle_connections(64)
                .max_idle_connections_per_host(8)
                .max_idle_age(IDLE)
                .user_agent(concat!("zhanggui/", env!("CARGO_PKG_VERSION")))
                // Secrets are looked for in what arrives, so it must arrive as it is.
                .accept_encoding("identity")
                .build();
            let checked = Checked { names: Arc::clone(names), private };
            Agent::with_parts(config, Dialler { tls: Arc::clone(&tls) }, checked)
        };
        Ok(Client { public: agent(false), private: agent(true) })
    }

    /// Sends and receives before `until`; a body longer than `limit` bytes is not read to its end.
    pub fn send(
        &self,
        sent: &Sent<'_>,
        private: bool,
        limit: usize,
        until: Instant,
    ) -> Result<HttpAnswer, Unanswered> {
        let remaining = until.saturating_duration_since(Instant::now());
        if remaining.is_zero() {
            return Err(HttpFailure::TimedOut.into());
        }
        let agent = if private { &self.private } else { &self.public };
        let uri: Uri = sent
            .target
            .to_string()
            .parse()
            .map_err(|_| HttpFailure::Denied("the address cannot be read".into()))?;
        if !sent.target.agrees(&uri) {
            return Err(HttpFailure::Denied("the address has two readings".into()).into());
        }
        let mut request = Request::builder().method(sent.method).uri(uri);
        for (name, value) in &sent.headers {
            request = request.header(name, value);
        }
        let broken = |e: ureq::http::Error| HttpFailure::Other(format!("no request can be made of it: {e}"));
        let response = if ["POST", "PUT", "PATCH"].contains(&sent.method) {
            let request = request.body(sent.body).map_err(broken)?;
            agent.run(agent.configure_request(request).timeout_global(Some(remaining)).build())
        } else {
            let request = request.body(()).map_err(broken)?;
            agent.run(agent.configure_request(request).timeout_global(Some(remaining)).build())
        };
        let response = response.map_err(unanswered)?;
        receive(response, limit).map_err(Unanswered::from)
    }
}

fn receive(response: Response<Body>, limit: usize) -> Result<HttpAnswer, HttpFailure> {
    let (head, body) = response.into_parts();
    let most = u64::try_from(limit).unwrap_or(u64::MAX);
    if body.content_length().is_some_and(|length| length > most) {
        return Err(HttpFailure::TooLarge);
    }
    let mut bytes = Vec::new();
    body.into_reader()
        .take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|e| unanswered(Error::from(e)).failure)?;
    if bytes.len() > limit {
        return Err(HttpFailure::TooLarge);
    }
    Ok(HttpAnswer { status: head.status.as_u16(), headers: headers::seen(&head.headers), body: bytes })
}

fn unanswered(error: Error) -> Unanswered {
    let again = matches!(&error, Error::Io(e) if matches!(
        e.kind(),
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof
    ));
    let failure = match error {
        Error::Timeout(_) => HttpFailure::TimedOut,
        Error::Io(e) if matches!(e.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) => {
            HttpFailure::TimedOut
        }
        Error::LargeResponseHeader(..) => HttpFailure::TooLarge,
        Error::Protocol(ureq_error) if ureq_error.to_string().contains("too many headers") => {
            HttpFailure::TooLarge
        }
        Error::HostNotFound => HttpFailure::Unreachable("the host's name has no address".into()),
        Error::Other(e) if e.is::<NameError>() => HttpFailure::Other(e.to_string()),
        Error::Other(e) if e.is::<Refused>() => HttpFailure::Denied(e.to_string()),
        Error::Io(e) => HttpFailure::Unreachable(e.to_string()),
        other => HttpFailure::Unreachable(other.to_string()),
    };
    Unanswered { failure, again }
}

/// The roots that browsers trust, and the operator's own.
fn tls(roots: Option<&Path>) -> Result<ClientConfig, BrokerError> {
    let mut trusted = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = roots {
        let wrong = |why: String| BrokerError::Roots(path.display().to_string(), why);
        let certificates = CertificateDer::pem_file_iter(path).map_err(|e| wrong(e.to_string()))?;
        let mut added = false;
        for certificate in certificates {
            let certificate = certificate.map_err(|e| wrong(e.to_string()))?;
            trusted.add(certificate).map_err(|e| wrong(e.to_string()))?;
            added = true;
        }
        if !added {
            return Err(wrong("there is no certificate in it".into()));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| BrokerError::Tls(e.to_string()))?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// A header's value that no log shows.
pub(super) fn hidden(value: &str) -> Result<HeaderValue, HttpFailure> {
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| HttpFailure::Denied("a header's value has a control character".into()))?;
    value.set_sensitive(true);
    Ok(value)
}
