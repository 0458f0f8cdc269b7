//! The checker on whole texts, good and bad.
#[path = "check/harness.rs"]
mod harness;

use harness::load;
use std::path::Path;

/// The rulebook that lies in the repository is free of errors.
#[test]
fn the_real_rulebook_checks() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let mut files = Vec::new();
    for folder in [root.clone(), root.join("jiajie")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let text = std::fs::read_to_string(&path).unwrap();
                files.push((path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(), text));
            }
        }
    }
    files.sort();
    let files: Vec<(&str, &str)> = files.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
    let layers = ["law", "chain", "format", "store", "counter", "campaign"];
    let mut places = vec![("chain", "jiajie"), ("format", "department"), ("format", "supermarket")];
    places.extend([("store", "s001"), ("store", "s002"), ("store", "s030")]);
    let loaded = load(&files, &layers, &places);
    assert!(loaded.checked.rulebook.is_some(), "{}", loaded.shown());
}
