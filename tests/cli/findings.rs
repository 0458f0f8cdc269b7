//! `check`: its formats, and what it mends.
use crate::common::{starter, text, zhanggui};
use serde_json::Value;
use std::fs;

/// Three slips, two of them certain: a misspelt field, grouped digits, and a word that nothing is near.
fn broken() -> (tempfile::TempDir, std::path::PathBuf) {
    let (dir, policies) = starter();
    let policy = policies.join("returns.policy");
    let good = fs::read_to_string(&policy).unwrap();
    let more = "\nrule big when item.paid > 10,000 CNY then deny\nrule old when item.opnened then deny\nrule known when 商品 then deny\n";
    fs::write(&policy, good + more).unwrap();
    (dir, policies)
}

#[test]
fn certain_changes_are_shown_and_made() {
    let (_dir, policies) = broken();
    let policy = policies.join("returns.policy");
    let before = fs::read_to_string(&policy).unwrap();
    let dry = zhanggui(&["check", text(&policies), "--fix", "--dry-run"]);
    assert_eq!(dry.code, 1, "{dry:?}");
    assert_eq!(fs::read_to_string(&policy).unwrap(), before, "a dry run writes nothing");
    for line in [
        "-rule big when item.paid > 10,000 CNY then deny\n+rule big when item.paid > 10_000 CNY then deny",
        "-rule old when item.opnened then deny\n+rule old when item.opened then deny",
    ] {
        assert!(dry.out.contains(line), "{line} in {}", dry.out);
    }
    assert!(dry.out.starts_with("--- ") && dry.err.contains("2 changes would be made"), "{dry:?}");
    assert!(zhanggui(&["check", text(&policies)]).out.contains("`check --fix` can mend 2 of them"));
    let fix = zhanggui(&["check", text(&policies), "--fix"]);
    assert_eq!(fix.code, 1, "what is not certain stays: {fix:?}");
    assert!(fix.err.contains("2 changes made in 1 file"), "{}", fix.err);
    let want = before.replace("10,000", "10_000").replace("opnened", "opened");
    assert_eq!(fs::read_to_string(&policy).unwrap(), want);
    assert!(fix.out.contains("error[E0201]: there is no name `商品` here"), "{}", fix.out);
    let beside = fs::read_dir(&policies).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    assert!(beside.into_iter().all(|name| !name.ends_with(".new")), "nothing is left behind");
    let again = zhanggui(&["check", text(&policies), "--fix"]);
    assert!(again.err.contains("0 changes made in 0 files"), "{}", again.err);
}

#[test]
fn a_declaration_is_not_misspelt_after_its_uses() {
    let (_dir, policies) = starter();
    let vocab = policies.join("shop.vocab");
    let good = fs::read_to_string(&vocab).unwrap();
    fs::write(&vocab, good.replacen("opened: bool", "opned: bool", 1)).unwrap();
    let run = zhanggui(&["check", text(&policies)]);
    assert!(run.out.contains("\n1 rulebook in 4 files: 1 error, 0 warnings\n"), "{}", run.out);
    assert!(run.out.contains("or is it this one that should be `opened`?"), "{}", run.out);
}

#[test]
fn warnings_fail_a_strict_check() {
    let (_dir, policies) = starter();
    let policy = policies.join("returns.policy");
    let good = fs::read_to_string(&policy).unwrap();
    fs::write(&policy, good + "\nlet forgotten = 3 CNY\n").unwrap();
    let plain = zhanggui(&["check", text(&policies)]);
    assert_eq!(plain.code, 0, "{plain:?}");
    assert!(plain.out.contains("warning[W0503]: nothing reads `forgotten`"), "{}", plain.out);
    assert_eq!(zhanggui(&["check", text(&policies), "--strict"]).code, 1);
}

#[test]
fn codes_are_explained() {
    let run = zhanggui(&["check", "--explain", "e0201"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{run:?}");
    assert!(run.out.starts_with("# E0201: "), "{}", run.out);
    let wrong = zhanggui(&["check", "--explain", "E0999"]);
    assert_eq!((wrong.code, wrong.out.as_str()), (2, ""), "{wrong:?}");
    assert!(wrong.err.contains("there is no finding with the code \"E0999\""), "{}", wrong.err);
}

/// The parts that the SARIF 2.1.0 schema requires, and places that hold what they say.
#[test]
fn findings_are_sarif() {
    let (_dir, policies) = broken();
    let run = zhanggui(&["check", text(&policies), "--format", "sarif"]);
    assert_eq!(run.code, 1);
    let log: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(log["version"], "2.1.0");
    assert!(log["$schema"].as_str().unwrap().ends_with("sarif-schema-2.1.0.json"));
    let [only] = log["runs"].as_array().unwrap().as_slice() else { panic!("{log}") };
    assert_eq!(only["columnKind"], "unicodeCodePoints");
    assert_eq!(only["invocations"][0]["executionSuccessful"], true);
    let driver = &only["tool"]["driver"];
    assert_eq!(driver["name"], "zhanggui");
    let rules = driver["rules"].as_array().unwrap();
    for rule in rules {
        let page = rule["helpUri"].as_str().unwrap();
        assert!(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(page).is_file(), "{page}");
        assert!(!rule["shortDescription"]["text"].as_str().unwrap().is_empty(), "{rule}");
    }
    let results = only["results"].as_array().unwrap();
    assert_eq!(results.len(), 3, "{}", run.out);
    let source: Vec<char> = fs::read_to_string(policies.join("returns.policy")).unwrap().chars().collect();
    let mut fixes = 0;
    for result in results {
        let index = result["ruleIndex"].as_u64().unwrap() as usize;
        assert_eq!(result["ruleId"], rules[index]["id"]);
        assert_eq!(result["level"], "error");
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let place = &result["locations"][0]["physicalLocation"];
        assert!(place["artifactLocation"]["uri"].as_str().unwrap().starts_with("file:///"), "{place}");
        let number = |name: &str| place["region"][name].as_u64().unwrap() as usize;
        let (start, length) = (number("charOffset"), number("charLength"));
        let under: String = source[start..start + length].iter().collect();
        assert!(["10,000", "opnened", "商品"].contains(&under.as_str()), "{under}");
        let line = source[..start].iter().filter(|c| **c == '\n').count() + 1;
        let column = source[..start].iter().rev().take_while(|c| **c != '\n').count() + 1;
        assert_eq!((number("startLine"), number("startColumn")), (line, column));
        assert_eq!(number("endColumn"), column + length);
        if let Some(fix) = result["fixes"].get(0) {
            let change = &fix["artifactChanges"][0];
            assert_eq!(change["artifactLocation"], place["artifactLocation"]);
            let new = change["replacements"][0]["insertedContent"]["text"].as_str().unwrap();
            assert_eq!(change["replacements"][0]["deletedRegion"], place["region"]);
            assert!(["10_000", "opened"].contains(&new), "{new}");
            fixes += 1;
        }
    }
    assert_eq!(fixes, 2);
}
