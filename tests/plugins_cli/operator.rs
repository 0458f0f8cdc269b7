//! The operator's commands, against a running server.
use super::Vendor;
use crate::common::{Run, Server, eventually, starter};
use std::fs;

const KEY: &str = "a-key-for-operators";

struct Operator {
    vendor: Vendor,
    server: Server,
    _policies: tempfile::TempDir,
}

impl Operator {
    fn open() -> Operator {
        Operator::of("")
    }
    /// With more in the vocabulary.
    fn of(more: &str) -> Operator {
        let (folder, policies) = starter();
        let file = policies.join("shop.vocab");
        fs::write(&file, fs::read_to_string(&file).unwrap() + more).unwrap();
        let settings = format!("operator_key = \"{KEY}\"\nplugin_threads = 2\nplugins = \"compiled\"\n");
        fs::write(folder.path().join("zhanggui.toml"), settings).unwrap();
        Operator { vendor: Vendor::new(), server: Server::start(&policies, &[]), _policies: folder }
    }
    fn run_as(&self, key: &str, line: &str) -> Run {
        let line = format!("{line} --server {} --who lin", self.server.base);
        self.vendor.command(&line).env("ZHANGGUI_OPERATOR_KEY", key).output().unwrap().into()
    }
    fn ok(&self, line: &str) -> String {
        let run = self.run_as(KEY, line);
        assert_eq!(run.code, 0, "{line}: {run:?}");
        run.out
    }
    fn fails(&self, line: &str) -> String {
        let run = self.run_as(KEY, line);
        assert_eq!(run.code, 1, "{line}: {run:?}");
        run.err
    }
}

#[test]
fn a_plugin_is_trusted_installed_granted_rolled_out_and_taken_back() {
    let shop = Operator::open();
    let public = shop.vendor.sign();
    assert_eq!(shop.ok("list"), "no plugins\n");
    let install = "install acme.score-1.2.0.zgp";
    assert!(shop.fails(install).contains("package-not-trusted"), "the key is on no list yet");
    let out = shop.ok(&format!("trust {public}"));
    assert!(out.contains(" of acme is trusted; acme has 1 key now"), "{out}");
    let out = shop.ok(install);
    assert!(
        out.starts_with("acme.score 1.2.0 is installed and passed its 2 cases there (signed with "),
        "{out}"
    );
    assert!(out.contains("\nit asks for: GET https://api.acme.example:443/v1/\n"), "{out}");
    assert_eq!(shop.ok("list"), "acme.score  asked nowhere\n");
    let rollout = "rollout acme.score 1.2.0 --stage";
    let said = shop.fails(&format!("{rollout} all"));
    assert!(said.contains("grants-missing"), "nothing is granted yet: {said}");
    assert!(said.contains("now: zhanggui plugin grant acme.score --as-asked"), "{said}");
    let out = shop.ok("grant acme.score --as-asked");
    assert_eq!(out, "acme.score is granted: GET https://api.acme.example:443/v1/\n");
    assert_eq!(shop.ok("grant acme.score --nothing"), "acme.score is granted: nothing\n");
    for unclear in ["grant acme.score", "grant acme.score --nothing --as-asked"] {
        assert_eq!(shop.run_as(KEY, unclear).code, 2, "{unclear}");
    }
    let private = "[[http]]\nscheme = \"https\"\nhost = \"api.acme.example\"\nport = 443\npath = \"/\"\n\
                   methods = [\"GET\"]\nprivate = true\n";
    shop.vendor.write("grants.toml", private);
    let out = shop.ok("grant acme.score --file grants.toml");
    assert!(out.contains("GET https://api.acme.example:443/, also at private addresses"), "{out}");
    assert_eq!(shop.ok(&format!("{rollout} shadow")), "acme.score  1.2.0 in shadow\n");
    let out = shop.ok(&format!("{rollout} share --stores s001 --percent 10"));
    assert_eq!(out, "acme.score  1.2.0 in 10 % of the stores and 1 that are named\n");
    assert_eq!(shop.ok(&format!("{rollout} all")), "acme.score  1.2.0 everywhere\n");
    let out = shop.ok("set acme.score markup=2");
    assert!(out.contains("setting markup = 2"), "{out}");
    assert!(shop.fails("set acme.score markup=high").contains("config-refused"));
    let out = shop.ok("list acme.score");
    assert!(out.contains("version 1.2.0  signed with "), "{out}");
    // Who did it is kept.
    let all: serde_json::Value = serde_json::from_str(&shop.ok("list acme.score --json")).unwrap();
    let history = all["history"].as_array().unwrap();
    assert!(history.len() >= 7 && history.iter().all(|act| act["who"] == "lin"), "{history:?}");
    let said = shop.fails("rollback acme.score");
    assert!(said.contains("no-previous-version"), "{said}");
    assert!(said.contains("now: zhanggui plugin remove acme.score") && !said.contains("DELETE"), "{said}");
    assert_eq!(shop.ok("remove acme.score"), "acme.score is removed; what it did stays in the records\n");
    shop.ok(&format!("trust {public} --revoke"));
    let refused = shop.fails(install);
    assert!(refused.contains("package-not-trusted") && refused.contains("revoked"), "{refused}");
}

#[test]
fn a_newer_version_can_be_taken_back() {
    let shop = Operator::open();
    let public = shop.vendor.sign();
    shop.ok(&format!("trust {public}"));
    shop.ok("install acme.score-1.2.0.zgp");
    shop.vendor.write("score/plugin.toml", &super::MANIFEST.replace("1.2.0", "1.10.0"));
    shop.vendor.ok("pack score");
    shop.vendor.ok("sign acme.score-1.10.0.zgp --key acme.key");
    shop.ok("install acme.score-1.10.0.zgp");
    shop.ok("grant acme.score --as-asked");
    shop.ok("rollout acme.score 1.2.0 --stage all");
    let out = shop.ok("rollout acme.score 1.10.0 --stage all");
    assert_eq!(out, "acme.score  1.10.0 everywhere, 1.2.0 ready to come back\n");
    assert_eq!(shop.ok("rollback acme.score 1.10.0"), "acme.score  1.2.0 everywhere\n");
}

#[test]
fn failures_are_listed() {
    let shop = Operator::of(
        "fact score: integer from plugin acme.score.score on failure deny zh \"评分\" en \"score\"\n\
         decision rate zh \"评价\" en \"rating\" given today { mark: one integer else score zh \"分\" en \"mark\" }\n",
    );
    assert_eq!(shop.ok("failures acme.score"), "no failures of acme.score are kept\n");
    for _ in 0..3 {
        let (status, said) =
            shop.server.post("/v1/decisions/rate", r#"{"store": "s001", "facts": {"today": "2026-11-22"}}"#);
        assert_eq!(status, 422, "{said}");
    }
    let calls = |line: &str| -> u32 {
        let (_, after) = line.split_once("s001  ").unwrap_or_else(|| panic!("{line}"));
        after.split(' ').next().unwrap().parse().unwrap()
    };
    let out = eventually("three failures are kept", || {
        let out = shop.ok("failures acme.score");
        (!out.starts_with("no failures") && out.lines().map(calls).sum::<u32>() == 3).then_some(out)
    });
    let what = " × not-installed: no plugin of this name is active here";
    assert!(
        out.lines().all(|line| line.contains("Z  score of no version at s001  ") && line.ends_with(what)),
        "{out}"
    );
    let all: serde_json::Value =
        serde_json::from_str(&shop.ok("failures acme.score --limit 1 --json")).unwrap();
    assert_eq!(all["items"].as_array().unwrap().len(), 1);
    assert_eq!(shop.run_as(KEY, "failures acme.score --limit 0").code, 2);
}

#[test]
fn the_key_is_needed_and_goes_nowhere_else() {
    let shop = Operator::open();
    let run = shop.run_as("another-key-altogether", "list");
    assert_eq!(run.code, 1);
    assert!(run.err.contains("401 operator-key-wrong"), "{}", run.err);
    let run = shop.vendor.run("list");
    assert_eq!(run.code, 2);
    assert!(run.err.contains("ZHANGGUI_OPERATOR_KEY is not set"), "{}", run.err);
    let run = shop.run_as(KEY, "remove ../vendors");
    assert_eq!(run.code, 2);
    assert!(run.err.contains("is no name of a plugin"), "{}", run.err);
    let run: Run = shop
        .vendor
        .command("list --server http://127.0.0.1:1")
        .env("ZHANGGUI_OPERATOR_KEY", KEY)
        .output()
        .unwrap()
        .into();
    assert_eq!(run.code, 1);
    let said = "no server answers at http://127.0.0.1:1 (";
    assert!(run.err.contains(said), "{}", run.err);
    assert!(
        run.err.contains(
            "start it there (zhanggui serve), or say where it is with --server URL or ZHANGGUI_SERVER"
        ),
        "{}",
        run.err
    );
}

#[test]
fn a_refused_upload_says_which_cases_fail_and_how() {
    let shop = Operator::open();
    for n in 1..=5 {
        let case = super::case(&format!("wrong {n}"), 2, "[]", r#"{"value": {"whole": 4}}"#);
        shop.vendor.write(&format!("score/cases/wrong{n}.json"), &case);
    }
    shop.vendor.ok("pack score --skip-cases");
    let public = shop.vendor.ok("keygen --vendor acme --out acme.key").trim().to_owned();
    shop.vendor.ok("sign acme.score-1.2.0.zgp --key acme.key");
    shop.ok(&format!("trust {public}"));
    let said = shop.fails("install acme.score-1.2.0.zgp");
    assert!(said.contains("422 cases-failed"), "{said}");
    assert!(said.contains("5 of 7 cases failed: "), "{said}");
    for n in 1..=3 {
        let why = format!(
            "cases/wrong{n}.json (wrong {n}): expected {{\"value\":{{\"whole\":4}}}}, got {{\"value\":{{\"whole\":3}}}}"
        );
        assert!(said.contains(&why), "{said}");
    }
    assert!(said.contains("; and 2 more") && !said.contains("wrong4"), "{said}");
}
