//! The name that was probably meant, and whether it surely was.

use super::diagnostic::Diagnostic;
use super::source::Span;

/// A name near to what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Near {
    pub name: String,
    /// Whether nothing else can have been meant.
    pub certain: bool,
}

/// The closest of `candidates` to what was written, if it is close.
pub fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<Near> {
    let length = name.chars().count();
    let limit = if length <= 2 { 1 } else { (length / 3).clamp(1, 3) };
    let mut near: Vec<(usize, &str)> = candidates
        .into_iter()
        .filter(|c| *c != name)
        // No fewer letters change than one is longer: most names need no closer look.
        .filter(|c| c.chars().count().abs_diff(length) <= limit)
        .map(|c| (strsim::damerau_levenshtein(name, c), c))
        .filter(|(d, c)| *d <= limit && *d < c.chars().count().max(length))
        .collect();
    near.sort_unstable();
    near.dedup();
    let (distance, best) = near.first().copied()?;
    let alone = near.get(1).is_none_or(|(second, _)| *second > distance + 1);
    Some(Near { name: best.to_owned(), certain: alone && is_slip(name, best) })
}

/// Whether one word is the other with a single slip of the fingers, and not another word: a letter doubled, left out or
/// swapped with its neighbour, within the word. Figures count, endings make other words (`line`, `lines`), and a sign
/// of a Chinese word is a word.
pub fn is_slip(written: &str, meant: &str) -> bool {
    let (length, other) = (written.chars().count(), meant.chars().count());
    let digits = |word: &str| word.chars().filter(char::is_ascii_digit).collect::<String>();
    let plain = written.is_ascii() && meant.is_ascii() && length.min(other) >= 4;
    // Where a letter stands for another, only a long word leaves no doubt.
    let replaced = length == other && strsim::hamming(written, meant).is_ok_and(|n| n == 1);
    plain
        && strsim::osa_distance(written, meant) == 1
        && digits(written) == digits(meant)
        && !written.starts_with(meant)
        && !meant.starts_with(written)
        && !written.ends_with(meant)
        && !meant.ends_with(written)
        && (!replaced || length >= 7)
}

/// `; did you mean `…`?` or nothing.
pub fn did_you_mean(found: &Option<Near>) -> String {
    found.as_ref().map(|near| format!("; did you mean `{}`?", near.name)).unwrap_or_default()
}

impl Diagnostic {
    /// Offers the near name in the place of what was written, if there is one.
    pub fn offer(self, span: Span, near: Option<Near>) -> Diagnostic {
        match near {
            Some(near) => self.suggest(span, near.name).certain_if(near.certain),
            None => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_fingers_are_certain_and_other_words_are_not() {
        for (written, meant) in
            [("catgory", "category"), ("clohting", "clothing"), ("sumer", "summer"), ("receipr", "receipt")]
        {
            assert!(is_slip(written, meant), "{written}");
        }
        for (written, meant) in [
            ("line", "lines"),
            ("fault", "faulty"),
            ("gold", "sold"),
            ("opened", "unopened"),
            ("window_7", "window_8"),
            ("mile", "male"),
            ("退货规定", "退货规则"),
        ] {
            assert!(!is_slip(written, meant), "{written}");
        }
    }

    #[test]
    fn two_near_names_leave_a_doubt() {
        let near = |names: &[&str]| nearest("refnd", names.iter().copied());
        assert_eq!(near(&["refund", "amount"]), Some(Near { name: "refund".into(), certain: true }));
        assert_eq!(near(&["refund", "refend"]), Some(Near { name: "refend".into(), certain: false }));
        assert_eq!(near(&["amount"]), None);
    }
}
