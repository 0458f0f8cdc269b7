//! The vendor's day.
use super::{LIGHT, Vendor, case};
use serde_json::Value;
use std::fs;
use std::time::{Duration, SystemTime};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

#[test]
fn cases_are_run_on_the_servers_engine() {
    let vendor = Vendor::new();
    let out = vendor.ok("test score");
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 3, "{out}");
    assert!(lines[0].starts_with("passed  cases/asks.json  one that asks  ("), "{out}");
    assert!(lines[1].ends_with(" units of fuel, 256.0 KiB)"), "{out}");
    assert_eq!(lines[2], "2 passed, 0 failed");
    assert!(vendor.ok("test score --filter light").ends_with("1 passed, 0 failed\n"));
    let all = json(&vendor.ok("test score --json"));
    assert_eq!((&all["passed"], &all["cases"][0]["requests"][0][0]["name"]), (&2.into(), &"rate".into()));
    vendor.write("score/cases/wrong.json", &case("a wrong one", 2, "[]", r#"{"value": {"whole": 4}}"#));
    let out = vendor.fails("test score", 1);
    assert!(out.contains("FAILED  cases/wrong.json  a wrong one"), "{out}");
    assert!(out.contains("\n  expected {\"value\":{\"whole\":4}}, got {\"value\":{\"whole\":3}}\n"), "{out}");
    assert!(out.contains("\n  log  info: weighed\n"), "{out}");
    assert!(out.ends_with("2 passed, 1 failed\n"), "{out}");
    assert_eq!(json(&vendor.run("test score --json").out)["failed"], 1);
    assert!(vendor.fails("test score --filter nothing", 1).contains("no case has that in its name"));
    // A limit of the operator's is the runner's, too.
    vendor.write("limits.toml", "fuel = 10\n");
    let out = vendor.fails("test score --filter light --limits limits.toml", 1);
    assert!(out.contains("got {\"failure\":\"out-of-fuel\"}"), "{out}");
    vendor.write("limits.toml", "fule = 10\n");
    assert!(vendor.fails("test score --limits limits.toml", 2).contains("unknown field `fule`"));
}

#[test]
fn one_call_says_how_close_each_limit_is() {
    let vendor = Vendor::new();
    let out = vendor.ok("run score --input score/cases/light.json");
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(
        lines[..2],
        [format!("answer  {}", LIGHT.replace(": ", ":")), "log  info: weighed".to_owned()]
    );
    let meters: Vec<&str> = lines[2..].iter().map(|l| l.split(' ').next().unwrap()).collect();
    assert_eq!(meters, ["fuel", "memory", "time", "log", "requests", "rounds", "component"], "{out}");
    assert!(
        lines[3].starts_with("memory     256.0 KiB of 32.0 MiB") && lines[3].ends_with(" 0.8 %"),
        "{out}"
    );
    // The same from a package, with a call of one's own.
    vendor.ok("pack score");
    let call = &json(&case("", 100, "[]", LIGHT))["call"];
    vendor.write("call.json", &call.to_string());
    vendor.write("responses.json", r#"[{"rate": {"status": 201}}]"#);
    let run = "run acme.score-1.2.0.zgp --input call.json";
    let out = vendor.ok(&format!("{run} --responses responses.json"));
    assert!(out.starts_with("answer  {\"value\":{\"whole\":201}}\n"), "{out}");
    assert!(out.contains("round 1  rate: GET https://api.acme.example/v1/rate\n"), "{out}");
    assert!(out.contains("rounds     1 of 3") && out.contains("33.3 %"), "{out}");
    let out = vendor.fails(run, 1);
    assert!(out.starts_with("failure  unavailable: a service behind the plugin is away: away\n"), "{out}");
    let seen = json(&vendor.ok(&format!("{run} --responses responses.json --json")));
    assert_eq!(seen["ran"]["outcome"]["Ok"]["value"]["whole"], 201);
    assert_eq!(seen["limits"]["rounds"]["percent"], 33.3);
    assert!(vendor.fails(&format!("{run} --hook quota"), 2).contains("\"quota\" is no hook"));
    assert!(vendor.fails(&format!("{run} --set markup=high"), 2).contains("\"high\" is no whole"));
    assert!(vendor.fails(&format!("{run} --set mark=1"), 2).contains("no setting \"mark\" (known: markup)"));
    vendor.write("call.json", "{\"key\": 1}");
    assert!(vendor.fails(run, 2).contains("call.json: "));
}

#[test]
fn a_bench_measures_what_answers() {
    let vendor = Vendor::new();
    let out = vendor.ok("bench score -n 40");
    assert_eq!(out.lines().count(), 2, "{out}");
    assert!(out.contains("cases/light.json  ") && out.contains("(40 calls)"), "{out}");
    let all = json(&vendor.ok("bench score -n 40 --filter light --json"));
    assert_eq!(all[0]["calls"], 40);
    assert!(all[0]["wall_us"].as_f64().unwrap() > 1.0, "{all}");
    assert!(all[0]["fuel"].as_u64().unwrap() > 10, "{all}");
    if cfg!(target_os = "linux") {
        assert!(all[0]["cpu_us"].as_f64().unwrap() > 1.0, "{all}");
    }
    vendor.write("score/cases/light.json", &case("a fault", 66, "[]", LIGHT));
    assert!(
        vendor
            .fails("bench score -n 40 --filter fault", 1)
            .contains("\"a fault\" fails: it stopped in a fault")
    );
}

#[test]
fn a_package_is_packed_signed_verified_and_looked_into() {
    let vendor = Vendor::new();
    let out = vendor.ok("pack score");
    assert!(out.starts_with("acme.score-1.2.0.zgp\n"), "{out}");
    assert!(out.contains(", 2 cases, digest "), "{out}");
    let packed = fs::read(vendor.path().join("acme.score-1.2.0.zgp")).unwrap();
    vendor.ok("pack score --out again.zgp");
    assert_eq!(fs::read(vendor.path().join("again.zgp")).unwrap(), packed);
    let public = vendor.ok("keygen --vendor acme --out acme.key").trim().to_owned();
    assert!(public.starts_with("zgk1:acme:"), "{public}");
    let secret = fs::read_to_string(vendor.path().join("acme.key")).unwrap();
    assert!(secret.starts_with("zgs1:acme:"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(vendor.path().join("acme.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let said = vendor.fails("keygen --vendor acme --out acme.key", 2);
    assert!(
        said.contains("acme.key is there already, and a key is never written over: say another --out"),
        "{said}"
    );
    assert_eq!(fs::read_to_string(vendor.path().join("acme.key")).unwrap(), secret);
    assert!(vendor.fails("keygen --vendor Acme --out other.key", 2).contains("\"Acme\" is no vendor"));
    let verify = format!("verify acme.score-1.2.0.zgp --key {public}");
    assert!(vendor.fails(&verify, 1).contains("not trusted: acme.score is not signed"));
    assert!(vendor.ok("verify acme.score-1.2.0.zgp --development").contains("for development only"));
    assert!(vendor.fails("verify acme.score-1.2.0.zgp", 2).contains("--key"));
    assert!(vendor.ok("sign acme.score-1.2.0.zgp --key acme.key").contains("is signed with the key "));
    assert!(vendor.ok(&verify).starts_with("acme.score 1.2.0 is acme's, signed with "));
    vendor.write("keys.txt", &format!("# acme\n{public} since=2026-11-01\n"));
    vendor.ok("verify acme.score-1.2.0.zgp --keyring keys.txt");
    vendor.write("keys.txt", &format!("{public} revoked=2026-11-02\n"));
    assert!(
        vendor.fails("verify acme.score-1.2.0.zgp --keyring keys.txt", 1).contains("revoked on 2026-11-02")
    );
    let said = json(&vendor.run("verify acme.score-1.2.0.zgp --keyring keys.txt --json").out);
    assert_eq!((&said["trusted"], &said["code"]), (&false.into(), &"revoked-key".into()));
    vendor.ok("keygen --vendor other --out other.key");
    assert!(
        vendor
            .fails("sign acme.score-1.2.0.zgp --key other.key", 1)
            .contains("the key is of the vendor other")
    );
    let out = vendor.ok("inspect acme.score-1.2.0.zgp");
    for line in [
        "acme.score 1.2.0  A score",
        "contract    0.1, hooks facts",
        "functions   score(weight: whole) -> whole [facts]",
        "settings    markup: whole = 1",
        "asks for    GET https://api.acme.example:443/v1/",
        "imports     logging@0.1.0",
        "cases       cases/asks.json  one that asks",
        "            cases/light.json  a light one",
    ] {
        assert!(out.lines().any(|l| l == line), "{line}\n{out}");
    }
    assert!(out.contains("signature   says to be of the key "), "{out}");
    let seen = json(&vendor.ok("inspect acme.score-1.2.0.zgp --json"));
    assert_eq!(seen["manifest"]["id"], "acme.score");
    let mut altered = fs::read(vendor.path().join("acme.score-1.2.0.zgp")).unwrap();
    altered.truncate(altered.len() - 1);
    fs::write(vendor.path().join("cut.zgp"), altered).unwrap();
    assert!(vendor.fails("inspect cut.zgp", 1).contains("cut.zgp: this is no package: "));
    assert!(vendor.fails("inspect none.zgp", 2).contains("cannot read none.zgp"));
}

#[test]
fn what_is_wrong_in_a_folder_is_said_with_its_place() {
    let vendor = Vendor::new();
    vendor.write("score/plugin.toml", &super::MANIFEST.replace("1.2.0", "1.2"));
    for command in ["pack score", "test score", "build score"] {
        let said = vendor.fails(command, 1);
        assert!(
            said.contains("plugin.toml:2: version: \"1.2\" is no semantic version; write three"),
            "{said}"
        );
    }
    vendor.write("score/plugin.toml", super::MANIFEST);
    vendor.write("score/cases/light.json", "{\"name\": \"x\", \"hook\": \"facts\"}");
    assert!(vendor.fails("test score", 1).contains("light.json: missing field `call`"));
    fs::remove_file(vendor.path().join("score/plugin.wasm")).unwrap();
    let said = vendor.fails("pack score", 2);
    assert!(
        said.contains("there is no score/plugin.wasm; make it with: zhanggui plugin build score"),
        "{said}"
    );
    assert!(vendor.fails("build score", 2).contains("holds none of Cargo.toml, plugin.js and plugin.c"));
}

#[test]
fn a_component_older_than_its_source_is_not_taken() {
    let vendor = Vendor::new();
    let wasm = fs::File::options().write(true).open(vendor.path().join("score/plugin.wasm")).unwrap();
    let built = |ago: u64| wasm.set_modified(SystemTime::now() - Duration::from_secs(ago)).unwrap();
    built(3600);
    // A component from elsewhere: what stands beside it is not what it was made of.
    vendor.ok("test score");
    fs::create_dir_all(vendor.path().join("score/src")).unwrap();
    fs::create_dir_all(vendor.path().join("score/target/plugin")).unwrap();
    vendor.write("score/target/plugin/bindings.rs", "");
    vendor.write("score/Cargo.toml", "");
    vendor.write("score/src/lib.rs", "");
    for (newer, older) in [("src/lib.rs", "Cargo.toml"), ("Cargo.toml", "src/lib.rs")] {
        let file = |name: &str| {
            fs::File::options().write(true).open(vendor.path().join("score").join(name)).unwrap()
        };
        file(newer).set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
        file(older).set_modified(SystemTime::now() - Duration::from_secs(7200)).unwrap();
        for line in
            ["test score", "pack score", "bench score -n 20", "run score --input score/cases/light.json"]
        {
            let said = vendor.fails(line, 2);
            let why = format!(
                "score/plugin.wasm is older than score/{newer}; make it anew with: zhanggui plugin build score"
            );
            assert!(said.contains(&why), "{line}: {said}");
        }
    }
    assert!(!vendor.path().join("acme.score-1.2.0.zgp").exists());
    built(0);
    vendor.ok("test score");
    vendor.ok("pack score");
}

#[test]
fn what_fails_its_own_cases_is_not_packed() {
    let vendor = Vendor::new();
    vendor.write("score/cases/wrong.json", &case("a wrong one", 2, "[]", r#"{"value": {"whole": 4}}"#));
    let said = vendor.fails("pack score", 1);
    assert!(said.contains("1 of 3 cases failed: ") && said.contains("; nothing is packed"), "{said}");
    assert!(said.contains("cases/wrong.json (a wrong one): expected {\"value\":{\"whole\":4}}, got {\"value\":{\"whole\":3}}"), "{said}");
    assert!(said.contains("zhanggui plugin test score"), "{said}");
    assert!(!vendor.path().join("acme.score-1.2.0.zgp").exists());
    assert!(vendor.ok("pack score --skip-cases").contains(", 3 cases, digest "));
}

#[test]
fn templates_are_filled_in() {
    let vendor = Vendor::new();
    for (lang, source) in [("rust", "src/lib.rs"), ("js", "plugin.js"), ("c", "plugin.c")] {
        let out = vendor.ok(&format!("new --lang {lang} acme.basket_{lang}"));
        assert!(out.contains(&format!("basket_{lang}/{source}\n")), "{out}");
        let manifest = fs::read_to_string(vendor.path().join(format!("basket_{lang}/plugin.toml"))).unwrap();
        assert!(manifest.starts_with(&format!("id = \"acme.basket_{lang}\"")), "{manifest}");
        assert!(zhanggui::plugins::manifest::Manifest::parse(&manifest).is_ok());
    }
    assert!(vendor.fails("new --lang rust acme.basket_rust", 2).contains("the folder is not empty"));
    assert!(vendor.fails("new --lang rust basket", 2).contains("write vendor.name, as acme.score"));
    assert!(vendor.fails("new --lang cobol acme.x", 2).contains("possible values: rust, js, c"));
}
