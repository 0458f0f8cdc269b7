//! The words of the language: the one list. The grammar's keyword rules, "did you mean" and the declarations that split
//! a file are held against it by tests.

use crate::lang::ast::FileKind;

/// Every keyword, sorted.
pub const KEYWORDS: &[&str] = &[
    "absent",
    "accepts",
    "add",
    "all",
    "and",
    "applies",
    "at",
    "background",
    "before",
    "better",
    "binding",
    "by",
    "calendar",
    "case",
    "cases",
    "closed",
    "collect",
    "conflict",
    "currency",
    "day",
    "days",
    "decides",
    "decision",
    "default",
    "desk",
    "down",
    "each",
    "else",
    "en",
    "entity",
    "enum",
    "even",
    "every",
    "expect",
    "extends",
    "fact",
    "failure",
    "faulty",
    "file",
    "first",
    "for",
    "from",
    "given",
    "governed",
    "half",
    "higher",
    "hours",
    "if",
    "in",
    "is",
    "layer",
    "least",
    "let",
    "library",
    "like",
    "list",
    "lower",
    "max",
    "may",
    "min",
    "months",
    "most",
    "nearest",
    "needs",
    "no",
    "not",
    "of",
    "on",
    "one",
    "open",
    "optional",
    "or",
    "ordered",
    "otherwise",
    "overrides",
    "param",
    "per",
    "plugin",
    "policy",
    "reads",
    "record",
    "records",
    "remove",
    "replaces",
    "request",
    "rounded",
    "rounding",
    "rows",
    "rule",
    "say",
    "set",
    "source",
    "step",
    "steps",
    "sum",
    "table",
    "taxonomy",
    "then",
    "through",
    "title",
    "to",
    "undecided",
    "unique",
    "unit",
    "unknown",
    "up",
    "uses",
    "version",
    "vocabulary",
    "when",
    "where",
    "with",
    "working",
    "years",
    "yes",
    "zh",
];

/// Keywords that can never be the name of a thing, because they may follow a name or begin an expression.
pub const RESERVED: &[&str] = &[
    "absent",
    "accepts",
    "and",
    "before",
    "better",
    "binding",
    "by",
    "else",
    "en",
    "expect",
    "for",
    "from",
    "given",
    "if",
    "in",
    "is",
    "like",
    "no",
    "not",
    "optional",
    "or",
    "otherwise",
    "overrides",
    "per",
    "replaces",
    "rounded",
    "say",
    "then",
    "through",
    "to",
    "undecided",
    "when",
    "where",
    "with",
    "yes",
    "zh",
];

/// The words that begin a declaration, and so a line, in a file of that kind.
pub fn declarations(kind: FileKind) -> &'static [&'static str] {
    match kind {
        FileKind::Vocabulary => &[
            "vocabulary",
            "version",
            "enum",
            "taxonomy",
            "unit",
            "currency",
            "entity",
            "record",
            "fact",
            "decision",
            "calendar",
        ],
        FileKind::Policy => {
            &["policy", "library", "let", "param", "set", "table", "rows", "rule", "calendar"]
        }
        FileKind::Cases => &["cases", "background", "case"],
    }
}

/// The keyword most like `word` among `candidates`, if it is like enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(word, candidate), candidate))
        .filter(|(distance, candidate)| {
            // In short words two changes make any word of any other.
            let most = match length.min(candidate.len()) {
                0..=2 => 0,
                3..=4 => 1,
                _ => 2,
            };
            // Letters swapped count as one in this distance, so "thne" is near "then".
            *distance > 0 && *distance <= most
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_and_agree() {
        assert!(KEYWORDS.is_sorted());
        assert!(RESERVED.is_sorted());
        assert!(RESERVED.iter().all(|word| KEYWORDS.contains(word)));
        for kind in [FileKind::Vocabulary, FileKind::Policy, FileKind::Cases] {
            assert!(declarations(kind).iter().all(|word| KEYWORDS.contains(word)));
        }
    }

    #[test]
    fn typos_find_their_word() {
        let all = || KEYWORDS.iter().copied();
        assert_eq!(nearest("whne", all()), Some("when"));
        assert_eq!(nearest("thne", all()), Some("then"));
        assert_eq!(nearest("overides", all()), Some("overrides"));
        assert_eq!(nearest("xyz", all()), None);
        assert_eq!(nearest("aa", all()), None);
    }
}
