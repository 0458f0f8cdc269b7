//! The small forms that a manifest is written in: words, paths, kinds, versions.

/// The kinds of values that a function may take and answer: the cases of the contract's `value` that have something to
/// say.
pub const KINDS: [&str; 11] = [
    "truth", "whole", "decimal", "money", "quantity", "text", "word", "date", "instant", "period", "duration",
];

/// `[a-z][a-z0-9_]*`, at most 40 characters.
pub fn is_word(text: &str) -> bool {
    text.len() <= 40
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Words with dots between them: `member.tier`.
pub fn is_path(text: &str) -> bool {
    text.len() <= 120 && text.split('.').all(is_word)
}

/// Digits of a decimal before the point, and after it.
const DIGITS: usize = 40;

/// A decimal in plain digits: `-0.15`.
pub(super) fn is_decimal(text: &str) -> bool {
    let digits =
        |part: &str| !part.is_empty() && part.len() <= DIGITS && part.bytes().all(|b| b.is_ascii_digit());
    let plain = text.strip_prefix('-').unwrap_or(text);
    match plain.split_once('.') {
        Some((whole, part)) => digits(whole) && digits(part),
        None => digits(plain),
    }
}

/// An amount with its currency: `12.50 CNY`.
pub(super) fn is_money(text: &str) -> bool {
    text.split_once(' ').is_some_and(|(amount, currency)| {
        is_decimal(amount) && currency.len() == 3 && currency.bytes().all(|b| b.is_ascii_uppercase())
    })
}

/// A semantic version without build metadata: `1.2.0`, `2.0.0-rc.1`. Ordered as semantic versions are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Major, minor, patch.
    pub numbers: [u64; 3],
    /// What follows the hyphen, part by part; empty in a release.
    pub pre: Vec<String>,
}

impl Version {
    /// None if the text is no such version.
    pub fn parse(text: &str) -> Option<Version> {
        let (release, pre) = match text.split_once('-') {
            Some((release, pre)) => (release, pre.split('.').map(str::to_owned).collect()),
            None => (text, Vec::new()),
        };
        let mut parts = release.split('.').map(number);
        let numbers = [parts.next()??, parts.next()??, parts.next()??];
        let good = |part: &String| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && (number(part).is_some() || !part.bytes().all(|b| b.is_ascii_digit()))
        };
        (parts.next().is_none() && pre.iter().all(good) && text.len() <= 60)
            .then_some(Version { numbers, pre })
    }
}

/// Digits without a leading zero.
fn number(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (plain && (text == "0" || !text.starts_with('0'))).then(|| text.parse().ok())?
}

impl Ord for Version {
    fn cmp(&self, other: &Version) -> std::cmp::Ordering {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let part = |a: &String, b: &String| match (number(a), number(b)) {
            (Some(a), Some(b)) => a.cmp(&b),
            (Some(_), None) => Less,
            (None, Some(_)) => Greater,
            (None, None) => a.cmp(b),
        };
        let pre = || match (self.pre.is_empty(), other.pre.is_empty()) {
            (true, true) => Equal,
            (true, false) => Greater,
            (false, true) => Less,
            (false, false) => self
                .pre
                .iter()
                .zip(&other.pre)
                .map(|(a, b)| part(a, b))
                .find(|o| *o != Equal)
                .unwrap_or_else(|| self.pre.len().cmp(&other.pre.len())),
        };
        self.numbers.cmp(&other.numbers).then_with(pre)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Version) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
