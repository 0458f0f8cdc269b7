//! Names that look like other names: letters of several scripts mixed so that a reader is deceived.

use super::place::Place;
use super::scan::{Token, TokenKind};
use crate::lang::diagnostic::Diagnostic;
use std::collections::BTreeSet;
use unicode_security::RestrictionLevelDetection;
use unicode_security::restriction_level::RestrictionLevel;

/// One finding for each word that mixes scripts in a way that no language does. Han with Latin (`VIP金卡`) is fine.
pub fn check(place: &Place<'_>, source: &str, tokens: &[Token]) -> Vec<Diagnostic> {
    let mut seen = BTreeSet::new();
    let words = tokens.iter().filter(|token| token.kind == TokenKind::Word);
    words
        .filter_map(|token| {
            let word = token.text(source);
            if !deceives(word) || !seen.insert(word) {
                return None;
            }
            let span = place.file_span(token.start, token.end);
            let message = format!("`{word}` mixes letters that look alike from different scripts");
            Some(Diagnostic::error("E0104", span, message).help("write it anew with letters of one script"))
        })
        .collect()
}

/// Whether a word mixes letters so that a reader is deceived.
pub fn deceives(word: &str) -> bool {
    if word.is_ascii() {
        return false;
    }
    let mixes = |range: fn(char) -> bool| word.chars().any(range);
    let latin = mixes(|c| c.is_ascii_alphabetic() || matches!(c, 'À'..='ɏ'));
    let look_alike =
        mixes(|c| matches!(c, '\u{370}'..='\u{52F}' | '\u{1C80}'..='\u{1C8F}' | '\u{1F00}'..='\u{1FFF}'));
    // Greek and Cyrillic hold the doubles of Latin letters; the level also knows rarer mixtures, but it distrusts every
    // character outside the profile for identifiers, of which Chinese texts have some.
    look_alike && (latin || word.detect_restriction_level() > RestrictionLevel::ModeratelyRestrictive)
}

#[cfg(test)]
mod tests {
    use super::deceives;

    #[test]
    fn mixtures_that_people_write_are_fine() {
        for word in ["VIP金卡", "无小票", "会员カード", "Größe", "〇七", "цена", "τιμή"]
        {
            assert!(!deceives(word), "{word}");
        }
        for word in ["rеfund", "αbc", "金卡а1b"] {
            assert!(deceives(word), "{word}");
        }
    }
}
