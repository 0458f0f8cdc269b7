//! What is let in, and what is granted.
use crate::common::starter;
use crate::common::till::send;
use crate::each;
use crate::guest::{Guest, asks, case, counts, grows, loops, says};
use crate::shop::{
    KEY, Receiver, Shop, asks_http, file, files, grant, in_the_records, manifest, pack, pack_anything,
    settings,
};
use serde_json::json;
use std::time::Duration;
use zhanggui::plugins::package::SecretKey;

#[test]
fn only_the_operator_administers_plugins() {
    let (_dir, policies) = starter();
    let shop = Shop::open(&policies, &[]);
    let code = |shop: &Shop, method: &str, path: &str, key: Option<&str>| {
        let value = key.map(|key| format!("Bearer {key}"));
        let headers: Vec<_> = value.as_deref().map(|v| ("Authorization", v)).into_iter().collect();
        let body = (method != "GET").then_some("{}");
        let answer = send(&shop.server.base, method, path, &headers, body);
        let (status, code, _) = answer.problem();
        (status, code.to_owned())
    };
    let routes = [
        ("POST", "/v1/plugins"),
        ("GET", "/v1/plugins"),
        ("GET", "/v1/plugins/metrics"),
        ("GET", "/v1/plugins/acme.a"),
        ("DELETE", "/v1/plugins/acme.a"),
        ("PUT", "/v1/plugins/acme.a/grants"),
        ("PUT", "/v1/plugins/acme.a/config"),
        ("PUT", "/v1/plugins/acme.a/limits"),
        ("PUT", "/v1/plugins/acme.a/rollout"),
        ("POST", "/v1/plugins/acme.a/rollback"),
        ("POST", "/v1/plugins/acme.a/ask"),
        ("GET", "/v1/plugins/acme.a/failures"),
        ("GET", "/v1/vendors/acme/keys"),
        ("PUT", "/v1/vendors/acme/keys"),
        ("GET", "/v1/deliveries"),
        ("POST", "/v1/deliveries/00000000-0000-0000-0000-000000000000/retry"),
    ];
    for (method, path) in routes {
        for key in [None, Some(""), Some(KEY)] {
            assert_eq!(code(&shop, method, path, key), (403, "operator-key-unset".into()), "{method} {path}");
        }
    }
    drop(shop);
    settings(&policies, "");
    let shop = Shop::open(&policies, &[]);
    for (method, path) in routes {
        for key in [None, Some(""), Some("a-key-for-operatorS"), Some("a-key-for-operator")] {
            assert_eq!(code(&shop, method, path, key), (401, "operator-key-wrong".into()), "{method} {path}");
        }
    }
    for (method, path) in routes.iter().filter(|(_, path)| path.contains("acme.a")) {
        // What policies ask of a plugin that was never there fails, too.
        if *method == "GET" && !path.ends_with("/failures") {
            assert_eq!(code(&shop, method, path, Some(KEY)), (404, "unknown-plugin".into()), "{path}");
        }
    }
    assert_eq!(shop.get("/v1/plugins")["items"], json!([]));
}

#[test]
fn an_upload_is_proved_before_it_is_kept() {
    each(|args| {
        let (_dir, policies) = starter();
        settings(&policies, "");
        let shop = Shop::open(&policies, args);
        let key = SecretKey::generate("acme").unwrap();
        let made = |version: &str, n: i64, key: Option<&SecretKey>| {
            pack(files(&manifest("a", version, ""), &says(n)), key)
        };
        let good = made("1.0.0", 1, Some(&key));
        assert_eq!(shop.refusal(b"no package"), "package-damaged");
        assert_eq!(shop.refusal(&good[..good.len() - 1]), "package-damaged");
        assert_eq!(shop.refusal(&made("1.0.0", 1, None)), "package-unsigned");
        assert_eq!(shop.refusal(&good), "package-not-trusted", "nobody has put the key on the list");
        let keys =
            |keys: &[String]| shop.put("/v1/vendors/acme/keys", &json!({ "keys": keys, "who": "lin" }));
        let other = SecretKey::generate("other").unwrap();
        assert_eq!(keys(&[other.public().to_string()]).problem().1, "keys-refused");
        assert_eq!(keys(&["zgk1:acme:x".into()]).problem().1, "keys-refused");
        keys(&[key.public().to_string()]).ok(200);
        // Another package's signature, and another content with this one's.
        let second = made("1.0.1", 2, Some(&key));
        let forged =
            pack_anything(files(&manifest("a", "1.0.1", ""), &says(3)), Some(file(&second, "SIGNATURE")));
        assert_eq!(shop.refusal(&forged), "package-altered");
        let (status, said) = shop.upload(&good);
        assert_eq!((status, &said["signed_by"]), (201, &json!(key.public().id())), "{said}");
        assert_eq!(shop.upload(&good).0, 200, "sent again, it does no harm");
        assert_eq!(shop.refusal(&made("1.0.0", 9, Some(&key))), "version-exists");
        // Nobody asks it yet.
        assert_eq!(shop.said("acme.a", "s001"), "not-installed");
        assert_eq!(shop.get("/v1/plugins")["items"][0]["versions"], json!(["1.0.0"]));
        // A key that was taken back lets nothing in any more, and nothing go further; what serves stays.
        let share = json!({ "version": "1.0.0", "stage": "share", "stores": ["s001"], "who": "lin" });
        shop.put("/v1/plugins/acme.a/rollout", &share).ok(200);
        keys(&[]).ok(200);
        assert_eq!(shop.refusal(&second), "package-not-trusted");
        assert!(shop.get("/v1/vendors/acme/keys")["keys"][0]["revoked_at"].is_string());
        let refused = shop.roll_out("acme.a", "1.0.0", "all");
        assert_eq!(
            (refused.problem().1, &refused.body["reason"]),
            ("package-not-trusted", &json!("revoked-key"))
        );
        assert_eq!(shop.said("acme.a", "s001"), 1);
        // Removed, its version is still that version: other bytes do not take its place.
        shop.call("DELETE", "/v1/plugins/acme.a?who=lin", None).ok(200);
        assert_eq!(shop.said("acme.a", "s001"), "not-installed");
        keys(&[key.public().to_string()]).ok(200);
        assert_eq!(shop.refusal(&made("1.0.0", 9, Some(&key))), "version-exists");
        shop.take(&good);
        assert_eq!(shop.said("acme.a", "s001"), "not-installed", "who installs it again rolls it out again");
        shop.roll_out("acme.a", "1.0.0", "all").ok(200);
        assert_eq!(shop.said("acme.a", "s001"), 1);
        let shown = shop.get("/v1/plugins/acme.a");
        let acts: Vec<&str> =
            shown["history"].as_array().unwrap().iter().map(|a| a["act"].as_str().unwrap()).collect();
        assert_eq!(acts, ["rollout", "upload", "remove", "rollout", "upload"]);
        assert!(shown["history"].as_array().unwrap().iter().all(|act| act["who"] == "lin"));
    });
}

#[test]
fn what_was_changed_in_the_records_does_not_run() {
    each(|args| {
        let (_dir, policies) = starter();
        settings(&policies, "plugin_development = true");
        let shop = Shop::open(&policies, args);
        for n in [1, 2] {
            shop.take(&pack(files(&manifest("a", &format!("{n}.0.0"), ""), &says(n)), None));
        }
        shop.roll_out("acme.a", "1.0.0", "all").ok(200);
        assert_eq!(shop.said("acme.a", "s001"), 1);
        drop(shop);
        // A whole package and its sums are right: it is only another one.
        let swap = "UPDATE plugin_packages SET package =
            (SELECT other.package FROM plugin_packages other WHERE other.version = '2.0.0') WHERE version = '1.0.0'";
        in_the_records(&policies, args, swap);
        let shop = Shop::open(&policies, args);
        assert_eq!(shop.said("acme.a", "s001"), "unavailable");
        let shown = shop.get("/v1/plugins/acme.a");
        assert!(shown["not_ready"].as_str().unwrap().contains("digest"), "{shown}");
        drop(shop);
        // Without the word for development, what is not signed goes no further.
        settings(&policies, "");
        let shop = Shop::open(&policies, args);
        assert_eq!(shop.roll_out("acme.a", "2.0.0", "all").problem().1, "package-unsigned");
    });
}

#[test]
fn whose_a_package_is_goes_with_its_bytes() {
    each(|args| {
        let (_dir, policies) = starter();
        settings(&policies, "plugin_development = true");
        let shop = Shop::open(&policies, args);
        let key = SecretKey::generate("acme").unwrap();
        let keys = json!({ "keys": [key.public().to_string()], "who": "lin" });
        shop.put("/v1/vendors/acme/keys", &keys).ok(200);
        let made = |key| pack(files(&manifest("a", "1.0.0", ""), &says(1)), key);
        let shown = || shop.get("/v1/plugins/acme.a")["versions"][0].clone();
        shop.take(&made(None));
        assert!(shown()["signed_by"].is_null());
        // The same content, now with its vendor's word.
        let (status, said) = shop.upload(&made(Some(&key)));
        assert_eq!((status, &said["signed_by"]), (200, &json!(key.public().id())));
        let first = shown();
        assert_eq!((&first["signed_by"], &first["development"]), (&said["signed_by"], &json!(false)));
        // A signature that is there is not lost by a repetition without one.
        assert_eq!(shop.upload(&made(None)).1["signed_by"], said["signed_by"]);
        assert_eq!(shown(), first);
        // What is brought back without it is without it.
        shop.call("DELETE", "/v1/plugins/acme.a?who=lin", None).ok(200);
        shop.take(&made(None));
        let second = shown();
        assert!(second["signed_by"].is_null() && second["development"] == true, "{second}");
        assert_ne!(second["uploaded_at"], first["uploaded_at"]);
    });
}

#[test]
fn a_package_is_proved_with_what_it_is_to_have() {
    each(|args| {
        let (_dir, policies) = starter();
        settings(&policies, "plugin_development = true");
        let shop = Shop::open(&policies, args);
        // 40 MiB beside what it begins with.
        let made = |name: &str, version: &str, more: &str| {
            pack(files(&manifest(name, version, more), &grows(1, 640)), None)
        };
        assert_eq!(shop.refusal(&made("a", "1.0.0", "")), "cases-failed", "32 MiB are the default");
        shop.take(&made("a", "1.0.0", "[wishes]\nmemory = 48"));
        shop.roll_out("acme.a", "1.0.0", "all").ok(200);
        assert_eq!(shop.said("acme.a", "s001"), "out-of-memory", "a wish is none of the operator's words");
        // Once the operator said something, that holds.
        let limits = |bytes: u64| {
            shop.put("/v1/plugins/acme.a/limits", &json!({ "limits": { "memory": bytes } })).ok(200)
        };
        limits(48 << 20);
        assert_eq!(shop.said("acme.a", "s001"), 1);
        shop.take(&made("a", "2.0.0", ""));
        limits(16 << 20);
        assert_eq!(shop.refusal(&made("a", "3.0.0", "[wishes]\nmemory = 48")), "cases-failed");
        // A wish beyond what the host has is not granted either.
        assert_eq!(
            shop.refusal(&pack(
                files(&manifest("b", "1.0.0", "[wishes]\nmemory = 4000"), &grows(1, 1600)),
                None
            )),
            "cases-failed"
        );
    });
}

#[test]
fn what_would_not_run_is_not_kept() {
    let (_dir, policies) = starter();
    settings(&policies, "plugin_development = true");
    let shop = Shop::open(&policies, &[]);
    let refused = |manifest: &str, guest: &Guest| shop.refusal(&pack_anything(files(manifest, guest), None));
    let plain = manifest("a", "1.0.0", "");
    assert_eq!(refused("id = 3", &says(1)), "manifest-refused");
    let private = format!("{}private = true\n", asks_http("10.0.0.1", 80, "[\"GET\"]"));
    assert_eq!(refused(&manifest("a", "1.0.0", &private), &says(1)), "manifest-refused");
    let local = asks_http("127.0.0.1", 80, "[\"GET\"]");
    assert_eq!(
        refused(&manifest("a", "1.0.0", &local), &says(1)),
        "manifest-refused",
        "without the word, too"
    );
    let core = Guest { wasm: b"\0asm\x01\0\0\0".to_vec(), ..says(1) };
    assert_eq!(refused(&plain, &core), "component-refused");
    assert_eq!(
        refused(&manifest("a", "1.0.0", "events = [\"sale.recorded\"]"), &says(1)),
        "component-refused"
    );
    assert_eq!(
        refused(&plain, &counts()),
        "component-refused",
        "it imports a store and does not ask for one"
    );
    let with = |guest: Guest, expect: &str| {
        let case = case("score", "[]", expect);
        pack(files(&plain, &Guest { case, ..guest }), None)
    };
    let (_, said) = shop.upload(&with(says(1), r#"{"value": {"whole": 2}}"#));
    assert_eq!(
        (&said["code"], &said["failed"][0]["case"]),
        (&json!("cases-failed"), &json!("cases/one.json"))
    );
    assert_eq!(shop.refusal(&with(loops(), r#"{"value": {"whole": 2}}"#)), "cases-failed");
    assert_eq!(shop.get("/v1/plugins")["items"], json!([]), "nothing was kept");
    shop.take(&with(says(2), r#"{"value": {"whole": 2}}"#));
}

#[test]
fn what_was_not_granted_is_not_given() {
    each(|args| {
        let (_dir, policies) = starter();
        let secrets = policies.parent().unwrap().join("secrets.toml");
        std::fs::write(&secrets, "[\"acme.web\"]\ntoken = \"s3cret-value\"\n").unwrap();
        settings(&policies, "plugin_development = true\nsecrets = \"secrets.toml\"");
        let shop = Shop::open(&policies, args);
        let web = Receiver::saying("0123456789", |_| (Duration::ZERO, 200));
        let elsewhere = Receiver::start(|_| (Duration::ZERO, 204));
        // A store of its own.
        shop.take(&pack(files(&manifest("kv", "1.0.0", "[asks]\nkv = 64"), &counts()), None));
        assert_eq!(shop.roll_out("acme.kv", "1.0.0", "all").problem().1, "grants-missing");
        let body = json!({ "version": "1.0.0", "stage": "all", "partial": true });
        let partial = shop.put("/v1/plugins/acme.kv/rollout", &body);
        assert_eq!(partial.problem().1, "grants-missing", "its imports cannot be left out");
        shop.put("/v1/plugins/acme.kv/grants", &json!({ "kv": 64, "who": "lin" })).ok(200);
        shop.roll_out("acme.kv", "1.0.0", "all").ok(200);
        assert_eq!((shop.said("acme.kv", "s001"), shop.said("acme.kv", "s001")), (json!(1), json!(2)));
        shop.put("/v1/plugins/acme.kv/grants", &json!({ "who": "lin" })).ok(200);
        assert_eq!(shop.said("acme.kv", "s001"), "not-granted", "with the next call");
        shop.put("/v1/plugins/acme.kv/grants", &json!({ "kv": 64, "who": "lin" })).ok(200);
        assert_eq!(shop.said("acme.kv", "s001"), 3, "what it kept is there");
        // Requests. The manifest names a public host; the component asks for this machine.
        let ask = asks_http("api.acme.example", 80, "[\"GET\"]");
        shop.take(&pack(files(&manifest("web", "1.0.0", &ask), &asks(&web.url())), None));
        assert_eq!(shop.roll_out("acme.web", "1.0.0", "all").problem().1, "grants-missing");
        let body = json!({ "version": "1.0.0", "stage": "all", "partial": true, "who": "lin" });
        shop.put("/v1/plugins/acme.web/rollout", &body).ok(200);
        assert_eq!(shop.said("acme.web", "s001"), 0, "denied");
        let mut careless = grant(web.port, &["GET"], &["token"]);
        careless["http"][0]["private"] = json!(false);
        let refused = shop.put("/v1/plugins/acme.web/grants", &careless);
        assert_eq!(refused.problem(), (422, "grants-refused", Some("http[0]")));
        shop.put("/v1/plugins/acme.web/grants", &grant(web.port, &["POST"], &["token"])).ok(200);
        assert_eq!(shop.said("acme.web", "s001"), 0, "another method");
        shop.put("/v1/plugins/acme.web/grants", &grant(elsewhere.port, &["GET"], &["token"])).ok(200);
        assert_eq!(shop.said("acme.web", "s001"), 0, "another port");
        shop.put("/v1/plugins/acme.web/grants", &grant(web.port, &["GET"], &[])).ok(200);
        assert_eq!(shop.said("acme.web", "s001"), 0, "the secret is not for this host");
        assert!(web.heard().is_empty());
        let shown = shop.put("/v1/plugins/acme.web/grants", &grant(web.port, &["GET"], &["token"])).ok(200);
        assert_eq!(shop.said("acme.web", "s001"), 200);
        assert_eq!(web.heard()[0].headers["x-secret"], "s3cret-value");
        assert_eq!(shown["secrets_set"], json!({ "token": true }));
        for path in ["/v1/plugins/acme.web", "/v1/plugins", "/v1/plugins/metrics"] {
            assert!(!shop.get(path).to_string().contains("s3cret-value"), "{path}");
        }
        // How much a server may say is the operator's word, too.
        let limits = |limits: serde_json::Value| {
            shop.put("/v1/plugins/acme.web/limits", &json!({ "limits": limits })).ok(200)
        };
        limits(json!({ "body": 9 }));
        assert_eq!(shop.said("acme.web", "s001"), 1, "too large");
        limits(json!({ "body": 10 }));
        assert_eq!(shop.said("acme.web", "s001"), 200);
        // A version that asks for more does not get it by being newer.
        let more =
            asks_http("api.acme.example", 80, "[\"GET\"]") + &asks_http("more.acme.example", 80, "[\"GET\"]");
        shop.take(&pack(files(&manifest("web", "2.0.0", &more), &asks(&elsewhere.url())), None));
        assert_eq!(shop.roll_out("acme.web", "2.0.0", "all").problem().1, "grants-missing");
        let body = json!({ "version": "2.0.0", "stage": "all", "partial": true });
        shop.put("/v1/plugins/acme.web/rollout", &body).ok(200);
        assert_eq!(shop.ask("acme.web", "s001"), ("2.0.0".into(), json!(0)));
        assert!(elsewhere.heard().is_empty());
        // Taken back, the next call is without it.
        shop.roll_back("acme.web").ok(200);
        assert_eq!(shop.ask("acme.web", "s001"), ("1.0.0".into(), json!(200)));
        shop.put("/v1/plugins/acme.web/grants", &json!({ "who": "wang" })).ok(200);
        assert_eq!(shop.said("acme.web", "s001"), 0);
        let acts = shop.get("/v1/plugins/acme.web")["history"].clone();
        assert_eq!((&acts[0]["act"], &acts[0]["who"]), (&json!("grants"), &json!("wang")));
    });
}

#[test]
fn settings_and_limits_are_the_operators() {
    let (_dir, policies) = starter();
    settings(&policies, "plugin_development = true");
    let shop = Shop::open(&policies, &[]);
    let config = "[config.url]\nkind = \"text\"\n[config.most]\nkind = \"whole\"\ndefault = \"3\"\n";
    let guest = says(1);
    let case = guest.case.replace("\"hook\"", "\"config\": {\"url\": \"x\"}, \"hook\"");
    shop.take(&pack(files(&manifest("a", "1.0.0", config), &Guest { case, ..guest }), None));
    assert_eq!(shop.roll_out("acme.a", "1.0.0", "all").problem().1, "config-missing");
    let put = |config: serde_json::Value| shop.put("/v1/plugins/acme.a/config", &json!({ "config": config }));
    assert_eq!(put(json!({ "uri": "x" })).problem(), (422, "config-refused", Some("config.uri")));
    assert_eq!(put(json!({ "most": "x" })).problem(), (422, "config-refused", Some("config.most")));
    put(json!({ "url": "x" })).ok(200);
    shop.roll_out("acme.a", "1.0.0", "all").ok(200);
    assert_eq!(put(json!({})).problem().1, "config-missing", "what is asked now needs it");
    assert_eq!(shop.said("acme.a", "s001"), 1);
    let limits =
        |limits: serde_json::Value| shop.put("/v1/plugins/acme.a/limits", &json!({ "limits": limits }));
    assert_eq!(limits(json!({ "memory": 1u64 << 40 })).problem().1, "limits-refused");
    assert_eq!(limits(json!({ "memry": 1 })).problem().1, "malformed-request");
    limits(json!({ "fuel": 1, "fuel_per_row": 0 })).ok(200);
    assert_eq!(shop.said("acme.a", "s001"), "out-of-fuel");
    limits(json!({})).ok(200);
    assert_eq!(shop.said("acme.a", "s001"), 1);
    let metrics = shop.get("/v1/plugins/metrics");
    let outcomes = &metrics["items"][0]["outcomes"];
    // Its case at the upload was a call, too.
    assert_eq!((&outcomes["answered"], &outcomes["out-of-fuel"]), (&json!(3), &json!(1)), "{metrics}");
}
