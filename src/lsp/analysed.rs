//! What the analysis of a whole rulebook finds: it takes its time on a thread of its own, so that no key waits for it.
use crate::analysis::analyse;
use crate::lang::diagnostic::{Diagnostic, Note};
use crate::lang::source::Span;
use crate::lsp::session::{Event, Session};
use crate::rulebook::Draft;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;

/// What came of one analysis.
#[derive(Debug)]
pub(super) struct Done {
    manifest: PathBuf,
    look: u64,
    found: Vec<Diagnostic>,
}

/// Room for expressions as deep as a text may nest them.
const STACK: usize = 64 << 20;

/// A rulebook with open texts that checks without errors, and was not analysed as it is now.
pub(super) fn due(session: &Session) -> Option<PathBuf> {
    let due = session.books.all.iter().find(|(_, book)| {
        let open = |draft: &Draft| draft.paths().iter().any(|p| session.buffers.get(p).is_some());
        book.analysed_look != book.look
            && !book.stale
            && book.draft.as_ref().is_some_and(|d| d.is_good() && open(d))
    });
    due.map(|(manifest, _)| manifest.clone())
}

/// Begins an analysis; whether one is under way then.
pub(super) fn begin(session: &mut Session, manifest: &Path, events: Sender<Event>) -> bool {
    let Some(book) = session.books.all.get_mut(manifest) else { return false };
    book.analysed_look = book.look;
    let Some(draft) = book.draft.clone() else { return false };
    let (manifest, look) = (manifest.to_owned(), book.look);
    let thread = std::thread::Builder::new().name("analyse".into()).stack_size(STACK);
    let begun = thread.spawn(move || {
        let found = draft.rulebooks().map(|books| analyse(&books)).unwrap_or_default();
        let found = draft.not_accepted(found);
        // Nobody waits any more if the conversation has ended.
        let _ = events.send(Event::Analysed(Done { manifest, look, found }));
    });
    begun.is_ok()
}

/// Takes what was found, if the texts are still those; the rulebook to be told then.
pub(super) fn take(session: &mut Session, done: Done) -> Option<PathBuf> {
    let book = session.books.all.get_mut(&done.manifest)?;
    if book.look != done.look {
        return None;
    }
    book.analysed = done.found;
    Some(done.manifest)
}

/// What was found in earlier texts and lies outside what has changed since, at its place in the new texts: so that
/// warnings do not come and go with every key.
pub(super) fn carried(before: &Draft, after: &Draft, found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let carry = |span: Span| moved(before, after, span);
    let all = found.into_iter().filter_map(|d| {
        let notes: Option<Vec<Note>> =
            d.notes.iter().map(|n| Some(Note { span: carry(n.span)?, text: n.text.clone() })).collect();
        Some(Diagnostic { span: carry(d.span)?, notes: notes?, suggestion: None, ..d })
    });
    all.collect()
}

fn moved(before: &Draft, after: &Draft, span: Span) -> Option<Span> {
    let file = span.file_id();
    if before.sources.name(file) != after.sources.name(file) {
        return None;
    }
    let (old, new) = (before.sources.text(file).as_bytes(), after.sources.text(file).as_bytes());
    if old == new {
        return Some(span);
    }
    let same = |(a, b): &(&u8, &u8)| a == b;
    let head = old.iter().zip(new).take_while(same).count();
    let rest = old.len().min(new.len()) - head;
    let tail = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(same).count();
    if span.end as usize <= head {
        return Some(span);
    }
    if (span.start as usize) < old.len() - tail {
        return None;
    }
    let shift = |at: u32| u32::try_from(i64::from(at) + new.len() as i64 - old.len() as i64).ok();
    Some(Span { start: shift(span.start)?, end: shift(span.end)?, ..span })
}
