//! TLS: public roots and the operator's own, in the host's own name.
use super::support::*;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::net::Ipv4Addr;
use std::sync::Arc;
use tempfile::NamedTempFile;
use zhanggui::plugins::broker::{Broker, BrokerError, BrokerSettings};
use zhanggui::plugins::manifest::HttpGrant;

struct Root(CertifiedIssuer<'static, KeyPair>);

impl Root {
    fn new() -> Root {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Root(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn file(&self) -> NamedTempFile {
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), self.0.pem()).unwrap();
        file
    }

    /// A server with a certificate for `name`; answers with the name that it was asked by.
    fn serve(&self, name: &str) -> Server {
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.0).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        let config = Arc::new(config);
        Server::raw(Ipv4Addr::LOCALHOST, 0, move |stream, requests| {
            let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(tls, stream);
            let mut name = None;
            while stream.conn.is_handshaking() {
                if stream.conn.complete_io(&mut stream.sock).is_err() {
                    return;
                }
                name = stream.conn.server_name().map(str::to_owned);
            }
            speak(&mut stream, requests, &move |_, line| {
                answer(line, "200 OK", &[], name.as_deref().unwrap_or("no name"))
            });
        })
    }
}

fn secure(server: &Server, host: &str) -> (HttpGrant, String) {
    let grant = HttpGrant { scheme: "https".into(), ..server.grant(host) };
    (grant, format!("https://{host}:{}/", server.port()))
}

fn trusting(root: Option<&Root>) -> Broker {
    let file = root.map(Root::file);
    let roots = file.as_ref().map(|f| f.path().to_owned());
    Broker::new(BrokerSettings { roots, ..settings().0 }).unwrap()
}

#[test]
fn the_operators_root_is_trusted_for_the_hosts_name() {
    let root = Root::new();
    let server = root.serve("shop.test");
    let (grant, url) = secure(&server, "shop.test");
    let broker = trusting(Some(&root));
    for _ in 0..3 {
        assert_eq!(body(ask(&web(&broker, std::slice::from_ref(&grant)), get(&url))), "shop.test");
    }
    let sent = ask(&web(&broker, std::slice::from_ref(&grant)), post(&url, &"x".repeat(200_000))).unwrap();
    assert_eq!(sent.status, 200);
    assert!(server.requests()[3].ends_with("xxx"));
    assert_eq!(server.connections(), 1, "the connection is used again");
    let numbered = root.serve("127.0.0.1");
    let (grant, url) = secure(&numbered, "127.0.0.1");
    assert_eq!(body(ask(&web(&broker, &[grant]), get(&url))), "no name");
}

#[test]
fn other_certificates_are_refused() {
    let (root, foreign) = (Root::new(), Root::new());
    let right = root.serve("shop.test");
    let (grant, url) = secure(&right, "shop.test");
    for broker in [trusting(None), trusting(Some(&foreign))] {
        let why = unreachable(ask(&web(&broker, std::slice::from_ref(&grant)), get(&url)));
        assert!(why.contains("certificate"), "{why}");
    }
    let wrong = root.serve("other.test");
    let (grant, url) = secure(&wrong, "shop.test");
    let why = unreachable(ask(&web(&trusting(Some(&root)), &[grant]), get(&url)));
    assert!(why.contains("certificate"), "{why}");
    assert!(right.requests().is_empty() && wrong.requests().is_empty(), "nothing was said to them");
}

#[test]
fn plain_speech_is_not_taken_for_tls_nor_the_other_way_round() {
    let root = Root::new();
    let plain = Server::raw(Ipv4Addr::LOCALHOST, 0, |mut stream, requests| {
        let _ = answer(&mut stream, "200 OK", &[], "hello");
        speak(&mut stream, requests, &|_, line| answer(line, "200 OK", &[], "hello"));
    });
    let broker = trusting(Some(&root));
    let (grant, url) = secure(&plain, "shop.test");
    unreachable(ask(&web(&broker, &[grant]), get(&url)));
    let tls = root.serve("shop.test");
    unreachable(ask(&web(&broker, &[tls.grant("shop.test")]), get(&tls.url("shop.test", "/"))));
    assert!(plain.requests().is_empty() && tls.requests().is_empty());
}

#[test]
fn roots_that_cannot_be_read_are_told_at_the_start() {
    let file = NamedTempFile::new().unwrap();
    for text in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        std::fs::write(file.path(), text).unwrap();
        let settings = BrokerSettings { roots: Some(file.path().to_owned()), ..settings().0 };
        assert!(matches!(Broker::new(settings), Err(BrokerError::Roots(..))), "{text}");
    }
    let settings = BrokerSettings { roots: Some("/nowhere/roots.pem".into()), ..settings().0 };
    assert!(matches!(Broker::new(settings), Err(BrokerError::Roots(..))));
}
