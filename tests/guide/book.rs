//! Rulebooks that a page of documentation builds up, block by block.
//!
//! A fence `policy shop` adds its text to the file `shop.policy` of the rulebook `shop`; `vocab`, `cases` and `toml` alike.
//! A further word with a dot names the file, `from=base` starts as a copy of another rulebook, and `wrong` keeps the text
//! out of the rulebook: the `text` fence after it is what `check` says of it. `console shop` shows a session in its folder.
use std::collections::BTreeMap;
use std::path::Path;

/// A fenced block of a page.
#[derive(Debug, Clone)]
pub struct Block {
    pub kind: String,
    pub words: Vec<String>,
    pub text: String,
    pub line: usize,
}

/// All fenced blocks of a page, in order.
pub fn blocks(page: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let mut open = false;
    for (at, line) in page.lines().enumerate() {
        match line.strip_prefix("```") {
            Some(_) if open => open = false,
            Some(info) => {
                let mut words = info.split_whitespace().map(str::to_owned);
                let kind = words.next().unwrap_or_default();
                found.push(Block { kind, words: words.collect(), text: String::new(), line: at + 1 });
                open = true;
            }
            None if open => {
                let block = found.last_mut().unwrap();
                block.text.push_str(line);
                block.text.push('\n');
            }
            None => {}
        }
    }
    assert!(!open, "a block is not closed");
    found
}

/// The files of a rulebook, by name.
#[derive(Debug, Clone, Default)]
pub struct Book(BTreeMap<String, String>);

const MANIFEST: &str = "layers = [\"law\", \"chain\", \"store\"]\n\n[store.s001]\nzone = \"Asia/Shanghai\"\n";

impl Book {
    /// Adds a block's text to its file.
    pub fn add(&mut self, name: &str, block: &Block) {
        let file = match block.words.iter().find(|w| w.contains('.')) {
            Some(file) => file.clone(),
            None if block.kind == "toml" => "rulebook.toml".to_owned(),
            None => format!("{name}.{}", block.kind),
        };
        let text = self.0.entry(file).or_default();
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&block.text);
    }

    /// Writes the rulebook into a folder.
    pub fn write(&self, name: &str, folder: &Path) {
        std::fs::create_dir_all(folder).unwrap();
        let vocabularies: Vec<String> =
            self.0.keys().filter(|f| f.ends_with(".vocab")).map(|f| format!("\"{f}\"")).collect();
        let named = format!("name = \"{name}\"\nvocabulary = [{}]\n", vocabularies.join(", "));
        for (file, text) in &self.0 {
            std::fs::write(folder.join(file), text).unwrap();
        }
        match self.0.get("rulebook.toml") {
            Some(manifest) if manifest.contains("name =") => {}
            Some(rest) => std::fs::write(folder.join("rulebook.toml"), format!("{named}{rest}")).unwrap(),
            None => std::fs::write(folder.join("rulebook.toml"), format!("{named}{MANIFEST}")).unwrap(),
        }
    }
}
