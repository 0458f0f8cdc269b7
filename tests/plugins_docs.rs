//! The first steps of docs/plugins.md, taken: every block is run in one shell, in order, and prints what is shown. `…`
//! stands for anything. A machine without a compiler for WebAssembly takes none of them, unless ZHANGGUI_GUESTS=all.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails should say where"
)]
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use zhanggui::plugins::host::{HostSettings, Limits};

/// Commands of the page, and what it shows of their output.
struct Step {
    commands: String,
    shown: Option<String>,
}

impl Step {
    /// How the last command ends.
    fn status(&self) -> &'static str {
        if self.shown.as_deref().is_some_and(|shown| shown.contains("FAILED")) { "1" } else { "0" }
    }
}

fn steps(page: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = page;
    while let Some((_, block)) = rest.split_once("\n```sh\n") {
        let (commands, after) = block.split_once("\n```").expect("the block ends");
        let shown = after.strip_prefix("\n\n```text\n").map(|t| t.split_once("\n```").expect("it ends").0);
        steps.push(Step { commands: commands.to_owned(), shown: shown.map(str::to_owned) });
        rest = after;
    }
    steps
}

/// Whether a line is what is shown, where `…` stands for anything.
fn same(shown: &str, got: &str) -> bool {
    let mut parts = shown.split('…');
    let Some(mut rest) = got.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    for (i, part) in parts.iter().enumerate() {
        if i + 1 == parts.len() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty()
}

/// Whether the lines are those that are shown; a line of `…` alone stands for any number.
fn same_lines(shown: &[&str], got: &[&str]) -> bool {
    match (shown.split_first(), got.split_first()) {
        (None, None) => true,
        (Some((&"…", shown)), _) => (0..=got.len()).any(|skip| same_lines(shown, &got[skip..])),
        (Some((first, shown)), Some((line, got))) => same(first, line) && same_lines(shown, got),
        _ => false,
    }
}

#[test]
fn shown_lines_are_compared() {
    assert!(same("a … c", "a b c") && same("…", "") && same("a…", "abc") && same("x", "x"));
    assert!(!same("a … c", "a b d") && !same("x", "xy") && !same("a…b…c", "acb"));
    assert!(same_lines(&["a", "…", "c"], &["a", "b", "b", "c"]) && same_lines(&["…"], &[]));
    assert!(!same_lines(&["a", "…", "c"], &["a", "b"]) && !same_lines(&["a"], &["a", "b"]));
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

const MARK: &str = "@@ step";

#[test]
fn the_first_steps_are_true() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/plugins.md")).unwrap();
    let steps = steps(&page);
    assert!(steps.len() > 10, "{}", steps.len());
    // Inside the repository, so that the guests of all tests share what was compiled.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugins-docs");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let port = free_port();
    let mut script =
        String::from("exec 2>&1\ntrap '[ -z \"${SERVER:-}\" ] || kill $SERVER 2> /dev/null' EXIT\n");
    for (i, step) in steps.iter().enumerate() {
        // What goes wrong is not gone on with.
        let expected = step.status();
        let mark = format!("printf '\\n{MARK} %s %s\\n' {i} $STATUS; [ $STATUS = {expected} ] || exit");
        script += &format!("{}\nSTATUS=$?; {mark}\n", step.commands);
    }
    let script = script.replace("127.0.0.1:8080", &format!("127.0.0.1:{port}"));
    let binary = Path::new(env!("CARGO_BIN_EXE_zhanggui")).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path =
        std::env::join_paths(std::iter::once(binary.to_owned()).chain(std::env::split_paths(&path))).unwrap();
    let mut shell = Command::new("bash");
    for (name, _) in std::env::vars().filter(|(n, _)| n.starts_with("ZHANGGUI_") || n == "DATABASE_URL") {
        shell.env_remove(name);
    }
    let output = shell
        .args(["-c", &script])
        .current_dir(&folder)
        .env("PATH", path)
        .env("XDG_CACHE_HOME", folder.join("cache"))
        .env("CARGO_TARGET_DIR", root.join("plugins/target"))
        .env("ZHANGGUI_SERVER", format!("http://127.0.0.1:{port}"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).replace(&format!("127.0.0.1:{port}"), "127.0.0.1:8080");
    let log = || std::fs::read_to_string(folder.join("server.log")).unwrap_or_default();
    let mut rest = text.as_str();
    for (i, step) in steps.iter().enumerate() {
        let (got, after) = rest
            .split_once(&format!("\n{MARK} {i} "))
            .unwrap_or_else(|| panic!("it ended in:\n{}\n{rest}\n{}", step.commands, log()));
        let (status, after) = after.split_once('\n').unwrap();
        rest = after;
        if got.contains(" is missing; to install it:") {
            assert_ne!(std::env::var("ZHANGGUI_GUESTS").as_deref(), Ok("all"), "{got}");
            eprintln!("NOT TAKEN: {got}");
            return;
        }
        assert_eq!(status, step.status(), "{}\n{got}\n{}", step.commands, log());
        if let Some(shown) = &step.shown {
            let lines: Vec<&str> = got.trim_end().lines().collect();
            let shown: Vec<&str> = shown.lines().collect();
            assert!(
                same_lines(&shown, &lines),
                "after:\n{}\nshown:\n{}\ngot:\n{got}\n{}",
                step.commands,
                shown.join("\n"),
                log()
            );
        }
    }
}

/// Bytes, milliseconds or a number.
fn amount(shown: &str) -> u64 {
    let (number, unit) = shown.split_once(' ').unwrap_or((shown, ""));
    let times = match unit {
        "MiB" => 1 << 20,
        "KiB" => 1 << 10,
        _ => 1,
    };
    number.parse::<u64>().unwrap() * times
}

#[test]
fn the_operators_page_lists_every_limit_as_it_is() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/plugins/operators.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, table) = page.split_once("| limit | default | at most | of what |\n|---|---|---|---|\n").unwrap();
    let listed: BTreeMap<String, (u64, Option<u64>)> = table
        .lines()
        .map_while(|line| line.strip_prefix("| `"))
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let most = (!cells[2].is_empty()).then(|| amount(cells[2]));
            (cells[0].trim_end_matches('`').to_owned(), (amount(cells[1]), most))
        })
        .collect();
    let most: BTreeMap<&str, u64> = Limits::default()
        .bounds(&HostSettings::default())
        .into_iter()
        .map(|(name, _, most)| (name, most))
        .collect();
    let is: BTreeMap<String, (u64, Option<u64>)> =
        serde_json::from_value::<BTreeMap<String, u64>>(serde_json::to_value(Limits::default()).unwrap())
            .unwrap()
            .into_iter()
            .map(|(name, default)| (name.clone(), (default, most.get(name.as_str()).copied())))
            .collect();
    assert_eq!(listed, is);
}
