//! Seeded faults: every one that changes an answer is caught, by `check` or by a case.
//!
//! `ZHANGGUI_MUTANTS=all` tries every fault instead of a sample; `ZHANGGUI_SHOW=1` prints each and what became of it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails should say where"
)]
#[path = "mutants/judge.rs"]
mod judge;
#[path = "mutants/mutate.rs"]
mod mutate;

use judge::{Fate, Sound, judge};
use mutate::{Kind, Mutant, of_policy, of_vocabulary};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// At least so many are tried.
const SAMPLE: usize = 320;

/// A rulebook's files, by their paths below `policies`.
struct Texts(BTreeMap<PathBuf, String>);

/// Every rulebook with the vocabularies beside it.
fn rulebooks() -> Vec<Texts> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let mut files = Vec::new();
    all_files(&root, &mut files);
    let folders: Vec<PathBuf> = files
        .iter()
        .filter(|f| f.ends_with("rulebook.toml"))
        .map(|f| f.parent().unwrap().strip_prefix(&root).unwrap().to_owned())
        .collect();
    let wanted = std::env::var("ZHANGGUI_BOOK").ok();
    let chosen = folders.iter().filter(|f| wanted.as_deref().is_none_or(|w| f.to_string_lossy().contains(w)));
    let texts = chosen.map(|folder| {
        let manifest = std::fs::read_to_string(root.join(folder).join("rulebook.toml")).unwrap();
        let of_book = files.iter().filter_map(|file| {
            let path = file.strip_prefix(&root).unwrap().to_owned();
            let shared = path.parent() == Some(Path::new("")) && manifest.contains(path.to_str().unwrap());
            let own = path.starts_with(folder);
            let text = (own || shared).then(|| std::fs::read_to_string(file).unwrap())?;
            Some((path, text))
        });
        Texts(of_book.collect())
    });
    texts.collect()
}

fn all_files(folder: &Path, into: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        match path.is_dir() {
            true => all_files(&path, into),
            false => into.push(path),
        }
    }
}

fn write(folder: &Path, texts: &Texts) {
    for (path, text) in &texts.0 {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// A fault in one file of one rulebook.
struct Task {
    book: usize,
    file: PathBuf,
    mutant: Mutant,
}

fn tasks(books: &[Texts]) -> Vec<Task> {
    let mut all = Vec::new();
    for (book, texts) in books.iter().enumerate() {
        for (file, text) in &texts.0 {
            let mutants = match file.extension().and_then(|e| e.to_str()) {
                Some("policy") => of_policy(text),
                Some("vocab") => of_vocabulary(text),
                _ => Vec::new(),
            };
            all.extend(mutants.into_iter().map(|mutant| Task { book, file: file.clone(), mutant }));
        }
    }
    all
}

/// Evenly many of each kind, spread over all places.
fn sample(all: Vec<Task>) -> Vec<Task> {
    if std::env::var("ZHANGGUI_MUTANTS").is_ok_and(|v| v == "all") || all.len() <= SAMPLE {
        return all;
    }
    let mut of_kind: BTreeMap<Kind, Vec<Task>> = BTreeMap::new();
    for task in all {
        of_kind.entry(task.mutant.kind).or_default().push(task);
    }
    let mut left = SAMPLE;
    let mut kinds: Vec<Vec<Task>> = of_kind.into_values().collect();
    kinds.sort_by_key(Vec::len);
    let mut chosen = Vec::new();
    let count = kinds.len();
    for (at, tasks) in kinds.into_iter().enumerate() {
        let share = left.div_ceil(count - at).min(tasks.len());
        left -= share;
        let all = tasks.len();
        // The i-th of `share` places spread over `all`.
        let picked = tasks.into_iter().enumerate().filter(|(i, _)| (i + 1) * share / all > i * share / all);
        chosen.extend(picked.map(|(_, task)| task));
    }
    chosen
}

/// The numbers about a fault: those of the text replaced and of its replacement, a step around them.
fn near(old: &str, new: &str) -> Vec<rust_decimal::Decimal> {
    let mut numbers = vec![rust_decimal::Decimal::ZERO];
    let text = mutate::masked(&format!("{old} {new}"));
    for word in text.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_')) {
        if let Ok(n) = word.trim_matches('.').replace('_', "").parse::<rust_decimal::Decimal>() {
            for step in [rust_decimal::Decimal::ONE, rust_decimal::Decimal::new(1, 2)] {
                numbers.extend([n, n - step, n + step]);
            }
        }
    }
    numbers.sort();
    numbers.dedup();
    numbers
}

#[test]
fn every_fault_that_changes_an_answer_is_caught() {
    let books = rulebooks();
    let sound: Vec<Sound> = books
        .iter()
        .map(|texts| {
            let folder = tempfile::tempdir().unwrap();
            write(folder.path(), texts);
            Sound::load(folder.path())
        })
        .collect();
    let tasks = sample(tasks(&books));
    let next = AtomicUsize::new(0);
    let fates: Mutex<Vec<(usize, Fate)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, |n| n.get()) {
            scope.spawn(|| {
                while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let at = tasks.iter().position(|t| std::ptr::eq(t, task)).unwrap();
                    let fate = try_one(&books[task.book], task, &sound[task.book]);
                    if std::env::var("ZHANGGUI_SHOW").is_ok() {
                        println!("{}\n  {fate:?}", place(&books[task.book], task));
                    }
                    fates.lock().unwrap().push((at, fate));
                }
            });
        }
    });
    let fates = fates.into_inner().unwrap();
    report(&books, &tasks, &fates);
}

fn try_one(texts: &Texts, task: &Task, sound: &Sound) -> Fate {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), texts);
    let text = &texts.0[&task.file];
    let Mutant { start, end, replacement, .. } = &task.mutant;
    let mutated = format!("{}{replacement}{}", &text[..*start], &text[*end..]);
    std::fs::write(folder.path().join(&task.file), mutated).unwrap();
    // The line holds the other bound of an interval, too.
    let line_start = text[..*start].rfind('\n').map_or(0, |i| i + 1);
    let line_end = text[*start..].find('\n').map_or(text.len(), |i| start + i);
    judge(folder.path(), sound, &near(&text[line_start..line_end], replacement))
}

fn place(texts: &Texts, task: &Task) -> String {
    let text = &texts.0[&task.file];
    let Mutant { kind, start, end, replacement } = &task.mutant;
    let line = text[..*start].matches('\n').count() + 1;
    let (old, new) = (text[*start..*end].trim(), replacement.trim());
    format!("{kind:?} {}:{line}: `{old}` -> `{new}`", task.file.display())
}

fn report(books: &[Texts], tasks: &[Task], fates: &[(usize, Fate)]) {
    let count = |kind: Option<Kind>, of: fn(&Fate) -> bool| {
        let ours = fates.iter().filter(|(at, _)| kind.is_none_or(|k| tasks[*at].mutant.kind == k));
        ours.filter(|(_, fate)| of(fate)).count()
    };
    let by_check = |fate: &Fate| matches!(fate, Fate::Check(_));
    let by_case = |fate: &Fate| matches!(fate, Fate::Case(_));
    let same = |fate: &Fate| matches!(fate, Fate::Same(_));
    let missed = |fate: &Fate| matches!(fate, Fate::Missed(_));
    for kind in Kind::ALL.map(Some).into_iter().chain([None]) {
        let name = kind.map_or("all".to_owned(), |k| format!("{k:?}"));
        let [check, case, same, missed] =
            [count(kind, by_check), count(kind, by_case), count(kind, same), count(kind, missed)];
        let changing = check + case + missed;
        let share = (check * 100).checked_div(changing).unwrap_or(0);
        println!(
            "{name:16} check {check:4} ({share}%), case {case:4}, no answer changed {same:4}, missed {missed:4}"
        );
    }
    let mut lines: Vec<String> = fates
        .iter()
        .filter_map(|(at, fate)| match fate {
            Fate::Missed(shown) => {
                Some(format!("{}\n  {shown}", place(&books[tasks[*at].book], &tasks[*at])))
            }
            _ => None,
        })
        .collect();
    lines.sort();
    assert!(
        lines.is_empty(),
        "{} of {} faults are not caught:\n{}",
        lines.len(),
        fates.len(),
        lines.join("\n")
    );
    assert!(fates.len() >= 300 || std::env::var("ZHANGGUI_BOOK").is_ok(), "{} faults", fates.len());
}
