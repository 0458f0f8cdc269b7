//! Warnings that an author has read and means to leave: `accepts W0613 "reason"` within a declaration.
use super::ast::{Accept, Item, PolicyFile};
use super::diagnostic::{Diagnostic, Severity};
use super::source::Span;

/// One code that a declaration accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    pub code: String,
    /// Why the author leaves it, in the author's words.
    pub reason: String,
    /// The declaration: only findings that touch it are meant.
    pub within: Span,
    /// Where the code is written.
    pub span: Span,
}

impl Acceptance {
    /// Whether it is about that finding. A finding about two rules may be accepted at either.
    fn meets(&self, found: &Diagnostic) -> bool {
        let touches = |at: &Span| {
            at.file == self.within.file && self.within.start <= at.start && at.end <= self.within.end
        };
        found.severity != Severity::Error
            && found.code == self.code
            && (touches(&found.span) || found.notes.iter().any(|note| touches(&note.span)))
    }
}

/// A warning that was accepted, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    pub finding: Diagnostic,
    pub reason: String,
}

/// Everything that policies accept.
pub fn acceptances(files: &[PolicyFile]) -> Vec<Acceptance> {
    let mut all = Vec::new();
    for module in files.iter().flat_map(|f| &f.modules) {
        add(&mut all, &module.header.accepts, module.span);
        for item in &module.items {
            match item {
                Item::Let(it) => add(&mut all, &it.accepts, it.span),
                Item::Param(it) => add(&mut all, &it.accepts, it.span),
                Item::Set(it) => add(&mut all, &it.accepts, it.span),
                Item::Table(it) => add(&mut all, &it.accepts, it.span),
                Item::Rows(it) => add(&mut all, &it.accepts, it.span),
                Item::Rule(it) => add(&mut all, &it.accepts, it.span),
                Item::Calendar(_) => {}
            }
        }
    }
    all
}

fn add(all: &mut Vec<Acceptance>, accepts: &[Accept], within: Span) {
    for accept in accepts {
        all.extend(accept.codes.iter().map(|code| Acceptance {
            code: code.text.clone(),
            reason: accept.reason.value.clone(),
            within,
            span: code.span,
        }));
    }
}

/// What is wrong with the acceptances themselves.
pub fn check(all: &[Acceptance]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for it in all {
        let number = it.code.strip_prefix('W');
        if !number.is_some_and(|n| n.len() == 4 && n.bytes().all(|b| b.is_ascii_digit())) {
            let message = format!("`{}` is not the code of a warning", it.code);
            found.push(
                Diagnostic::error("E0461", it.span, message).help(
                    "write the code that `check` shows in brackets, such as W0613; errors must be mended",
                ),
            );
        } else if it.reason.trim().is_empty() {
            found.push(
                Diagnostic::error("E0462", it.span, "the reason is missing")
                    .help("say between the quotes why it is right as it stands; a reader will ask"),
            );
        }
    }
    found
}

/// Takes the accepted warnings out of `findings`, and adds a warning for each acceptance that met none although the pass
/// that made the findings looks for its code (`looked_for`).
pub fn settle(
    findings: &mut Vec<Diagnostic>,
    all: &[Acceptance],
    looked_for: impl Fn(&str) -> bool,
) -> Vec<Accepted> {
    let mut accepted = Vec::new();
    let mut used = vec![false; all.len()];
    findings.retain(|found| {
        let mut reason = None;
        for (it, used) in all.iter().zip(&mut used) {
            if it.meets(found) {
                *used = true;
                reason.get_or_insert(&it.reason);
            }
        }
        accepted.extend(reason.map(|reason| Accepted { finding: found.clone(), reason: reason.clone() }));
        reason.is_none()
    });
    for (it, used) in all.iter().zip(used) {
        if !used && looked_for(&it.code) {
            let message = format!("nothing here gives the warning {} any more", it.code);
            findings.push(
                Diagnostic::warning("W0506", it.span, message)
                    .help("remove this `accepts`, so that it does not hide a later mistake"),
            );
        }
    }
    accepted
}
