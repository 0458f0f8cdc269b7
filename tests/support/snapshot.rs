//! Texts that a test compares with a file: `ZHANGGUI_BLESS=1` writes the file anew, for a person to read the difference.
use std::path::Path;

/// Compares, and names the first line that differs.
pub fn same(file: &str, got: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("ZHANGGUI_BLESS").is_some() {
        std::fs::write(&path, got).unwrap();
        return;
    }
    let want = std::fs::read_to_string(&path).unwrap_or_default();
    let (mut got_lines, mut want_lines) = (got.lines(), want.lines());
    for n in 1.. {
        match (got_lines.next(), want_lines.next()) {
            (None, None) => break,
            (got, want) => assert_eq!(got, want, "{file}:{n} (left: now, right: in the file)"),
        }
    }
    assert_eq!(got, want, "{file}");
}
