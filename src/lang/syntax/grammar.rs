//! The parser made from `grammar/policy.pest`. Nothing outside `syntax` sees it.

use pest::Parser;
use pest::error::Error;
use pest::iterators::Pair;
use std::num::NonZeroUsize;
use std::sync::Once;

// The derive writes public items without documentation, so they live in a module of their own.
mod generated {
    #[derive(pest_derive::Parser)]
    #[grammar = "../grammar/policy.pest"]
    pub struct PolicyGrammar;
}

pub use generated::Rule;

/// What a parse may cost. Dense tables need some thirty calls per byte, and a declaration has at most a mebibyte.
const CALL_LIMIT: usize = 64 << 20;

/// Parses `text` as `rule`.
pub fn parse(rule: Rule, text: &str) -> Result<Pair<'_, Rule>, Box<Error<Rule>>> {
    static LIMIT: Once = Once::new();
    // The limit is one for the whole process and is read when a parse begins.
    LIMIT.call_once(|| pest::set_call_limit(NonZeroUsize::new(CALL_LIMIT)));
    let mut pairs = generated::PolicyGrammar::parse(rule, text).map_err(Box::new)?;
    match pairs.next() {
        Some(pair) => Ok(pair),
        None => Err(Box::new(Error::new_from_pos(
            pest::error::ErrorVariant::ParsingError { positives: vec![rule], negatives: Vec::new() },
            pest::Position::from_start(text),
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::keywords::{KEYWORDS, RESERVED};
    use super::*;

    #[test]
    fn the_grammar_has_exactly_the_keywords_of_the_list() {
        let mut words: Vec<String> = Rule::all_rules()
            .iter()
            .filter_map(|rule| format!("{rule:?}").strip_prefix("kw_").map(str::to_owned))
            .collect();
        words.sort();
        assert_eq!(words, KEYWORDS);
        for word in KEYWORDS {
            assert_eq!(parse(Rule::reserved, word).is_ok(), RESERVED.contains(word), "{word}");
        }
    }

    #[test]
    fn deep_nesting_is_cheap() {
        // Calls are counted, not time, and the limit is fixed: an alternative that shares a nesting prefix with another
        // would cost 2 to the depth, far more than the limit allows.
        let deep = |open: &str, close: &str| format!("{}a{}", open.repeat(64), close.repeat(64));
        for (open, close) in
            [("(", ")"), ("[", "]"), ("{", "}"), ("f(x: ", ")"), ("(b + ", "..c]"), ("sum(", " for x in y)")]
        {
            let text = deep(open, close);
            let result = parse(Rule::one_expr, &text);
            assert!(
                result.is_ok(),
                "{open}: {}",
                result.err().map(|error| error.to_string()).unwrap_or_default()
            );
        }
    }
}
