//! What a drill did, and what it found.
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Findings that are listed; more would say nothing new.
const LISTED: usize = 20;

/// What a drill did, and what it found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Answers by what was asked and the status.
    pub answers: BTreeMap<(&'static str, u16), u64>,
    /// Answers that were lost on purpose, and asked for again.
    pub lost: u64,
    /// Requests that got no answer: the server was away.
    pub away: u64,
    /// Milliseconds to an answer, in hundredths, by what was asked.
    pub times: BTreeMap<&'static str, Vec<u32>>,
    /// Where acknowledged writes can be looked at, and what was answered.
    pub acknowledged: BTreeMap<String, String>,
    /// Returns that were taken back, by where they can be looked at.
    pub voided: BTreeSet<String>,
    /// What should not have been.
    pub findings: Vec<String>,
    pub seconds: f64,
}

impl Report {
    pub(super) fn wrong(&mut self, what: String) {
        if self.findings.len() < LISTED {
            self.findings.push(what);
        }
    }
    /// All answers.
    pub fn total(&self) -> u64 {
        self.answers.values().sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let rate = self.total() as f64 / self.seconds.max(0.001);
        writeln!(
            f,
            "{} answers in {:.1} s ({rate:.0} a second); {} lost on purpose, {} times away",
            self.total(),
            self.seconds,
            self.lost,
            self.away
        )?;
        for (what, times) in &self.times {
            let mut sorted = times.clone();
            sorted.sort_unstable();
            let at = |hundredth: usize| {
                let nth = (sorted.len().saturating_sub(1)) * hundredth / 100;
                f64::from(sorted.get(nth).copied().unwrap_or(0)) / 100.0
            };
            let statuses: Vec<String> = self
                .answers
                .iter()
                .filter(|((asked, _), _)| asked == what)
                .map(|((_, status), n)| format!("{status}: {n}"))
                .collect();
            writeln!(
                f,
                "  {what:<12} {:>8}  median {:>7.2} ms  p99 {:>8.2} ms  ({})",
                sorted.len(),
                at(50),
                at(99),
                statuses.join(", ")
            )?;
        }
        write!(f, "{} acknowledged writes looked at again", self.acknowledged.len())?;
        for finding in &self.findings {
            write!(f, "\nWRONG: {finding}")?;
        }
        Ok(())
    }
}
