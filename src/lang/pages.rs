//! One page for each code: what the finding means, a text that has it, the same text mended. Tests hold the list, the
//! folder `docs/diagnostics/` and the codes of the program together.

macro_rules! pages {
    ($($code:literal)*) => {
        /// Code and page, by code.
        pub const PAGES: &[(&str, &str)] =
            &[$(($code, include_str!(concat!("../../docs/diagnostics/", $code, ".md")))),*];
    };
}

pages! {
    "E0101"
}

/// The page of a code, in Markdown.
pub fn page(code: &str) -> Option<&'static str> {
    let at = PAGES.binary_search_by(|(known, _)| (*known).cmp(code)).ok()?;
    PAGES.get(at).map(|(_, page)| *page)
}

/// What a code means, in a line: the heading of its page without the code.
pub fn title(code: &str) -> Option<&'static str> {
    page(code)?.lines().next()?.strip_prefix("# ")?.split_once(": ").map(|(_, title)| title)
}
