//! Whether what was built is older than what it was built of.
use super::Language;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Folders within folders that are looked into.
const DEEP: usize = 8;
/// Folders that hold what others wrote.
const NOT_SOURCE: [&str; 3] = ["target", "node_modules", "cases"];

impl Language {
    /// Whether a file of this name may be part of the component.
    fn is_source(self, path: &Path) -> bool {
        let ends: &[&str] = match self {
            Language::Rust => &["rs"],
            Language::Js => &["js", "mjs"],
            Language::C => &["c", "h"],
        };
        let end = path.extension().and_then(|end| end.to_str()).unwrap_or_default();
        ends.contains(&end) || path.file_name().is_some_and(|name| name == self.mark())
    }
}

/// The source in a plugin's folder that was changed last, if that was after `wasm` was written; none for a folder without
/// a source of ours: its component comes from elsewhere.
pub fn newer_source(project: &Path, wasm: &Path) -> Option<PathBuf> {
    let language = Language::of(project)?;
    let built = changed(wasm)?;
    let mut newest = None;
    look(language, project, DEEP, &mut newest);
    newest.filter(|(at, _)| *at > built).map(|(_, path)| path)
}

fn changed(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}

fn look(language: Language, folder: &Path, deep: usize, newest: &mut Option<(SystemTime, PathBuf)>) {
    // What cannot be read is said by whoever builds.
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if deep > 0 && !name.starts_with('.') && !NOT_SOURCE.contains(&&*name) {
                look(language, &path, deep - 1, newest);
            }
        } else if language.is_source(&path)
            && let Some(at) = changed(&path)
            && newest.as_ref().is_none_or(|(last, _)| at > *last)
        {
            *newest = Some((at, path));
        }
    }
}
