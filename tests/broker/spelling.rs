//! No spelling of an address gets to a host that was not granted: in whatever the broker lets through, the client's own
//! reader of addresses sees the granted server as well.
use super::support::*;
use proptest::prelude::*;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use ureq::http::Uri;
use zhanggui::plugins::broker::{Broker, BrokerSettings, NameError, Names, NoSecrets};
use zhanggui::plugins::contract::HttpFailure;
use zhanggui::plugins::manifest::HttpGrant;

/// Knows no name, and keeps which were asked for.
#[derive(Default)]
struct Listening(Mutex<Vec<String>>);

impl Names for Listening {
    fn addresses(&self, host: &str, _: Instant) -> Result<Vec<IpAddr>, NameError> {
        self.0.lock().unwrap().push(host.to_owned());
        Err(NameError::Unknown(host.to_owned()))
    }
}

const GRANTED: &str = "api.shop.test";

fn grant() -> HttpGrant {
    HttpGrant {
        scheme: "https".into(),
        host: GRANTED.into(),
        port: 443,
        path: "/v1/".into(),
        methods: vec!["GET".into()],
        secrets: vec![],
        private: true,
    }
}

/// Pieces of which attacks are made, and anything else.
fn address() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "https",
        "http",
        "HTTPS",
        ":",
        "/",
        "//",
        "://",
        "https://",
        "api.shop.test",
        "API.shop.test",
        "evil.test",
        ".",
        "@",
        "\\",
        "#",
        "?",
        ";",
        ",",
        "&",
        "=",
        "%",
        "%2e",
        "%2f",
        "%40",
        "%5c",
        "%00",
        "%25",
        "[",
        "]",
        "[::1]",
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "443",
        "80",
        ":443",
        ":80",
        "/v1/",
        "v1",
        "..",
        "../",
        "/../",
        "%2e%2e/",
        "a",
        " ",
        "\t",
        "\n",
        "\r\n",
        "\u{3002}",
        "\u{ff0f}",
        "\u{2100}",
        "\u{ad}",
        "xn--",
        "-",
        "_",
        "~",
        "{",
        "}",
        "|",
        "^",
        "`",
        "\"",
        "'",
        "<",
        ">",
        "\u{0}",
    ])
    .prop_map(str::to_owned);
    let any = prop_oneof![8 => piece.clone(), 1 => any::<char>().prop_map(String::from)];
    prop_oneof![
        prop::collection::vec(any.clone(), 0..12).prop_map(|p| p.concat()),
        prop::collection::vec(any.clone(), 0..6).prop_map(|p| format!("https://api.shop.test{}", p.concat())),
        prop::collection::vec(any.clone(), 0..6)
            .prop_map(|p| format!("https://api.shop.test/v1/{}", p.concat())),
        prop::collection::vec(any.clone(), 0..4)
            .prop_map(|p| format!("https://{}api.shop.test/v1/", p.concat())),
        (prop::collection::vec(any.clone(), 0..3), prop::collection::vec(any, 0..3))
            .prop_map(|(a, b)| format!("https:{}//api.shop.test{}/v1/", a.concat(), b.concat())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_let_through_leads_to_the_granted_host(url in address()) {
        let names = Arc::new(Listening::default());
        let settings = BrokerSettings {
            names: Arc::clone(&names) as Arc<dyn Names>,
            ..BrokerSettings::default()
        };
        thread_local! {
            static BROKER: std::cell::OnceCell<(Broker, Arc<Listening>)> = const { std::cell::OnceCell::new() };
        }
        let (broker, names) = BROKER.with(|b| {
            b.get_or_init(|| (Broker::new(BrokerSettings { rest_after: u32::MAX, ..settings }).unwrap(), names)).clone()
        });
        names.0.lock().unwrap().clear();
        let web = broker.with("p", Arc::new(vec![grant()]), Arc::new(NoSecrets));
        let outcome = ask(&web, get(&url));
        let asked = names.0.lock().unwrap().clone();
        match outcome {
            Err(HttpFailure::Denied(_)) => prop_assert!(asked.is_empty(), "{url:?} was denied and looked up"),
            Err(HttpFailure::Unreachable(_)) => {
                prop_assert_eq!(asked, vec![GRANTED.to_owned()]);
                let uri: Uri = url.parse().unwrap();
                prop_assert_eq!(uri.host().unwrap().to_ascii_lowercase(), GRANTED);
                prop_assert_eq!(uri.scheme_str(), Some("https"));
                prop_assert_eq!(uri.port_u16().unwrap_or(443), 443);
                prop_assert!(!uri.authority().unwrap().as_str().contains('@'));
                let clean = |part: &str| !matches!(part, ".." | ".") && !part.contains(['\\', ' ']);
                prop_assert!(uri.path().split('/').all(clean), "{url:?}");
                prop_assert!(uri.path().starts_with("/v1/") || uri.path().contains('%'), "{url:?}");
            }
            other => prop_assert!(false, "{url:?}: {other:?}"),
        }
    }
}

#[test]
fn good_addresses_are_let_through() {
    let names = Arc::new(Listening::default());
    let settings =
        BrokerSettings { names: Arc::clone(&names) as Arc<dyn Names>, rest_after: 100, ..Default::default() };
    let web = Broker::new(settings).unwrap().with("p", Arc::new(vec![grant()]), Arc::new(NoSecrets));
    for url in ["https://api.shop.test/v1/", "HTTPS://API.shop.test:443/v1/a.b/c~d;e=f?g=[h]&i=%20"] {
        unreachable(ask(&web, get(url)));
    }
    assert_eq!(names.0.lock().unwrap().len(), 2);
}
