//! New projects: a template with its vendor and name filled in, and for Rust the SDK beside it, so that a vendor needs
//! this program and a compiler and nothing of ours from elsewhere.
use super::{BuildError, Language, component, file, write};
use crate::plugins::manifest::is_word;
use std::path::{Path, PathBuf};

macro_rules! files {
    ($folder:literal: $($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../plugins/", $folder, "/", $name)))),+]
    };
}

type Files = &'static [(&'static str, &'static str)];

const RUST: Files =
    files!("templates/rust": "plugin.toml", "Cargo.toml", "src/lib.rs", "README.md", "cases/basket.json");
const JS: Files =
    files!("templates/js": "plugin.toml", "package.json", "plugin.js", "README.md", "cases/basket.json");
const C: Files = files!("templates/c": "plugin.toml", "plugin.c", "README.md", "cases/basket.json");
const SDK: Files = files!("sdk-rust":
    "Cargo.toml", "README.md", "src/lib.rs", "src/bindings.rs", "src/call.rs", "src/config.rs", "src/export.rs",
    "src/http.rs", "src/hooks.rs", "src/json.rs", "src/host.rs", "src/kv.rs", "src/log.rs", "src/money.rs", "src/test.rs", "src/value.rs",
);

/// What a version control system should not keep.
const IGNORED: &str = "/target\n/node_modules\n/plugin.wasm\n*.zgp\n*.key\n";

/// Makes a project in an empty or new folder: the plugin `vendor.name`. Both are lower-case words with `_`. Returns the
/// files that were written.
pub fn create(language: Language, vendor: &str, name: &str, into: &Path) -> Result<Vec<PathBuf>, BuildError> {
    for word in [vendor, name] {
        if !is_word(word) {
            let detail = format!("`{word}` is no name: lower-case letters, digits and _, a letter first");
            return Err(file(into, detail));
        }
    }
    if std::fs::read_dir(into).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(file(into, "the folder is not empty"));
    }
    let template = match language {
        Language::Rust => RUST,
        Language::Js => JS,
        Language::C => C,
    };
    let fill = |text: &str| {
        text.replace("VENDOR", vendor).replace("plugin-name", &name.replace('_', "-")).replace("NAME", name)
    };
    let mut files: Vec<(PathBuf, String)> = template.iter().map(|(n, t)| (into.join(n), fill(t))).collect();
    files.push((into.join(".gitignore"), IGNORED.to_owned()));
    let wit = Path::new("kit").join("wit").join("0.1.0").join("plugin.wit");
    files.push((into.join(wit), component::WIT.to_owned()));
    if language == Language::Rust {
        let sdk = into.join("kit").join("sdk-rust");
        files.extend(SDK.iter().map(|(n, t)| (sdk.join(n), (*t).to_owned())));
    }
    for (path, text) in &files {
        write(path, text)?;
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}
