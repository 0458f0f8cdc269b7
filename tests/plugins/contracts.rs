//! Whether a vocabulary fits a manifest, and `check --plugins`.
use crate::common::{text, zhanggui};
use crate::shop::{books, policies};
use std::io::Write as _;
use std::path::Path;
use zhanggui::counter::plugged::fits;
use zhanggui::plugins::manifest::Manifest;

const GOOD: &str = r#"
id = "acme.fraud"
version = "1.0.0"
api = "0.1"
title = "t"
[functions.score]
hook = "facts"
arguments = ["who: text"]
answers = "whole"
reads = ["applicant.persons", "trips.cost"]
"#;

fn misfits(manifest: &str) -> Vec<String> {
    let manifest: Manifest = toml::from_str(manifest).unwrap();
    let books = books();
    fits(&books.books[0].typed.vocab, &manifest).into_iter().map(|m| m.message).collect()
}

#[test]
fn a_declaration_fits_the_manifest_or_says_why_not() {
    assert_eq!(misfits(GOOD), Vec::<String>::new());
    let with = |from: &str, to: &str| {
        assert!(GOOD.contains(from));
        misfits(&GOOD.replace(from, to))
    };
    let of = "of plugin acme.fraud 1.0.0";
    for (from, to, message) in [
        (
            "[functions.score]",
            "[functions.other]",
            "plugin acme.fraud 1.0.0 has no function `score`".to_owned(),
        ),
        (r#"["who: text"]"#, "[]", format!("`score` {of} is asked by 0 values, and the fact by 1")),
        ("who: text", "who: whole", format!("`score` {of} wants whole for `who`, and `name` is text")),
        (r#""whole""#, r#""decimal""#, format!("`score` {of} answers decimal, and the fact is whole")),
        (r#""facts""#, r#""notify""#, format!("`score` {of} takes events and answers no fact")),
        (
            r#""trips.cost""#,
            r#""applicant""#,
            format!("`score` {of} reads `applicant`, which the vocabulary does not show it"),
        ),
    ] {
        assert_eq!(with(from, to), [message], "{to}");
    }
    let check = GOOD
        .replace("acme.fraud", "acme.screen")
        .replace("functions.score", "functions.check")
        .replace(r#""facts""#, r#""check""#)
        .replace(r#""whole""#, r#""word""#)
        .replace(r#"reads = ["applicant.persons", "trips.cost"]"#, "");
    assert_eq!(misfits(&check), Vec::<String>::new());
    // Another vendor's plugin is none of this vocabulary's.
    assert_eq!(misfits(&GOOD.replace("acme.", "other.")), Vec::<String>::new());
}

#[test]
fn check_holds_vocabularies_against_a_folder_of_plugins() {
    let (dir, policies) = policies();
    let plain = zhanggui(&["check", text(&policies)]);
    assert_eq!(plain.code, 0, "{plain:?}");
    let plugins = dir.path().join("plugins");
    std::fs::create_dir_all(plugins.join("fraud")).unwrap();
    std::fs::write(plugins.join("fraud/plugin.toml"), GOOD.replace("whole", "text")).unwrap();
    let run = zhanggui(&["check", text(&policies), "--plugins", text(&plugins)]);
    assert_eq!(run.code, 1, "{run:?}");
    let found = run.out.matches("error[E0812]").count();
    assert!(
        run.out.contains("`score` of plugin acme.fraud 1.0.0 answers text, and the fact is whole"),
        "{}",
        run.out
    );
    assert!(run.out.contains("`known` comes from plugin `acme.register`, which is not there"), "{}", run.out);
    assert!(run.out.contains("club.vocab:12:15"), "{}", run.out);
    assert_eq!(found, 7, "{}", run.out);
    std::fs::write(plugins.join("fraud/plugin.toml"), "id = 3").unwrap();
    let run = zhanggui(&["check", text(&policies), "--plugins", text(&plugins)]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.err.contains("plugin.toml"), "{}", run.err);
}

/// A package with this manifest, as far as `check` looks into it.
fn package(path: &Path, manifest: &str) {
    let mut writer = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    writer.start_file("plugin.toml", zip::write::SimpleFileOptions::default()).unwrap();
    writer.write_all(manifest.as_bytes()).unwrap();
    writer.finish().unwrap();
}

#[test]
fn what_cannot_be_read_hides_nothing_else() {
    let (dir, policies) = policies();
    let plugins = dir.path().join("plugins");
    std::fs::create_dir_all(plugins.join("other")).unwrap();
    package(&plugins.join("fraud.zgp"), &GOOD.replace("whole", "text"));
    std::fs::write(plugins.join("broken.zgp"), "no package").unwrap();
    std::fs::write(plugins.join("other/plugin.toml"), "id = 3").unwrap();
    for format in ["text", "json"] {
        let run = zhanggui(&["check", text(&policies), "--plugins", text(&plugins), "--format", format]);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(
            run.out.contains("`score` of plugin acme.fraud 1.0.0 answers text, and the fact is whole"),
            "{run:?}"
        );
        for bad in ["broken.zgp: ", "other/plugin.toml: "] {
            assert!(run.err.contains(bad), "{run:?}");
        }
        assert!(run.err.contains("2 of 3 plugins cannot be read"), "{run:?}");
        // What is not there may be in what cannot be read.
        assert!(run.out.contains("or mend what cannot be read"), "{run:?}");
    }
}

#[test]
fn one_package_can_be_held_against_a_vocabulary() {
    let (dir, policies) = policies();
    let (good, bad) = (dir.path().join("good.zgp"), dir.path().join("bad.zgp"));
    package(&good, GOOD);
    package(&bad, &GOOD.replace("whole", "text"));
    let said = "`score` of plugin acme.fraud 1.0.0 answers text, and the fact is whole";
    let run = zhanggui(&["check", text(&policies), "--plugins", text(&good)]);
    assert_eq!(run.code, 0, "what the other plugins say is not asked: {run:?}");
    let run = zhanggui(&["check", text(&policies), "--plugins", text(&bad)]);
    assert!(run.code == 1 && run.out.contains(said), "{run:?}");
    let run = zhanggui(&["check", text(&policies), "--plugins", text(&policies.join("club.vocab"))]);
    assert!(
        run.code == 2 && run.err.contains("club.vocab: neither a folder nor a package (.zgp)"),
        "{run:?}"
    );
}
