//! `zhanggui fmt` as people and scripts see it.
use crate::common::{text, with_input, zhanggui};
use std::fs;

const UGLY: &str = "library a\nlet  b＝1  且  c # why\n";
const NEAT: &str = "library a\nlet b = 1 and c  # why\n";

#[test]
fn a_folder_is_written_in_place_and_errors_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (ugly, neat, wrong) =
        (dir.path().join("x/ugly.policy"), dir.path().join("neat.policy"), dir.path().join("wrong.policy"));
    fs::create_dir(dir.path().join("x")).unwrap();
    fs::write(&ugly, UGLY).unwrap();
    fs::write(&neat, NEAT).unwrap();
    fs::write(dir.path().join("t.csv"), "a , b\n").unwrap();
    let folder = text(dir.path());

    let listed = zhanggui(&["fmt", "--check", folder]);
    assert_eq!(
        (listed.code, listed.out.as_str()),
        (1, format!("{}\n", ugly.display()).as_str()),
        "{listed:?}"
    );
    assert!(listed.err.contains("2 files: 1 would change"), "{}", listed.err);
    assert_eq!(fs::read_to_string(&ugly).unwrap(), UGLY);

    let written = zhanggui(&["fmt", folder]);
    assert_eq!(
        (written.code, written.out.as_str()),
        (0, format!("{}\n", ugly.display()).as_str()),
        "{written:?}"
    );
    assert_eq!(fs::read_to_string(&ugly).unwrap(), NEAT);
    assert_eq!(fs::read_dir(dir.path().join("x")).unwrap().count(), 1, "nothing is left beside the file");
    assert_eq!(zhanggui(&["fmt", "--check", folder]).code, 0);

    fs::write(&wrong, "library  a\nlet b = (\n").unwrap();
    let left = zhanggui(&["fmt", folder]);
    assert_eq!(left.code, 1, "{left:?}");
    assert!(left.err.contains("error[E0110]") && left.err.contains("left as it is"), "{}", left.err);
    assert_eq!(fs::read_to_string(&wrong).unwrap(), "library  a\nlet b = (\n");
    assert_eq!(zhanggui(&["fmt", text(&dir.path().join("t.csv"))]).code, 2);
}

#[test]
fn standard_input_goes_to_standard_output() {
    let run = with_input(&["fmt", "-"], UGLY);
    assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (0, NEAT, ""));
    let cases = with_input(&["fmt", "-", "--kind", "cases"], "case \"x\"  for d at s expect  allow");
    assert_eq!(cases.out, "case \"x\" for d at s\n  expect allow\n");
    assert_eq!(with_input(&["fmt", "-", "--check"], UGLY).code, 1);
    assert_eq!(with_input(&["fmt", "-", "--check"], NEAT).code, 0);
    let wrong = with_input(&["fmt", "-"], "library a\nlet b = (\n");
    assert_eq!((wrong.code, wrong.out.as_str()), (1, ""));
}
