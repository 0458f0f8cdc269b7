//! What may stand at the cursor, in a text that is being written and so is seldom complete: from the words before the
//! cursor and the names that the rulebook has.
mod cases;
mod expr;
mod line;
mod policy;
mod scope;
mod vocab;

use crate::lang::ast::FileKind;
use crate::lang::syntax::{Around, around, declarations};
use crate::lsp::names::asked;
use crate::lsp::place::Lines;
use crate::lsp::session::Session;
use gen_lsp_types as lsp;
use line::Line;
use scope::Scope;
use std::collections::BTreeSet;

/// How well a proposal fits: better ones come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// A value of the kind that is wanted here.
    Wanted,
    /// A name of the policy or its facts.
    Name,
    /// Names of wider use: functions, other policies.
    Wide,
    /// A word of the language.
    Word,
}

/// One proposal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Offer {
    rank: Rank,
    text: String,
    detail: String,
    kind: u8,
}

/// What kind of thing an offer is, for the editor's symbol beside it.
mod sort {
    pub(super) const FIELD: u8 = 0;
    pub(super) const WORD: u8 = 1;
    pub(super) const VALUE: u8 = 2;
    pub(super) const NAME: u8 = 3;
    pub(super) const CALL: u8 = 4;
    pub(super) const RULE: u8 = 5;
    pub(super) const TYPE: u8 = 6;
    pub(super) const POLICY: u8 = 7;
    pub(super) const TEXT: u8 = 8;
}

/// The proposals, without repetition.
#[derive(Debug, Default)]
struct Offers {
    list: Vec<Offer>,
    seen: BTreeSet<String>,
}

impl Offers {
    fn put(&mut self, rank: Rank, kind: u8, text: impl Into<String>, detail: impl Into<String>) {
        let text = text.into();
        if self.seen.insert(text.clone()) {
            self.list.push(Offer { rank, text, detail: detail.into(), kind });
        }
    }

    fn words<'w>(&mut self, words: impl IntoIterator<Item = &'w str>) {
        for word in words {
            self.put(Rank::Word, sort::WORD, word, "");
        }
    }
}

pub(super) fn complete(session: &Session, params: &lsp::CompletionParams) -> lsp::CompletionList {
    let items = offers(session, params).unwrap_or_default();
    lsp::CompletionList { is_incomplete: false, items, ..lsp::CompletionList::default() }
}

fn offers(session: &Session, params: &lsp::CompletionParams) -> Option<Vec<lsp::CompletionItem>> {
    let asked = asked(session, &params.text_document_position_params)?;
    let kind = FileKind::of(asked.draft.sources.name(asked.file))?;
    let text = asked.draft.sources.text(asked.file);
    let around = around(kind, text, asked.byte as usize)?;
    let scope = Scope::new(&asked, &around);
    let mut offers = Offers::default();
    if around.line_start {
        for word in declarations(kind) {
            offers.put(Rank::Word, sort::WORD, *word, "begins a declaration");
        }
    }
    let line = Line::new(&around.before);
    match kind {
        _ if around.quoted => cases::quoted(&scope, &line, &mut offers),
        FileKind::Policy => policy::offer(&scope, &around, &line, &mut offers),
        FileKind::Cases => cases::offer(&scope, &around, &line, &mut offers),
        FileKind::Vocabulary => vocab::offer(&scope, &around, &line, &mut offers),
    }
    let range = Lines::new(text, session.encoding).range(around.from, asked.byte);
    let mut list = offers.list;
    list.sort();
    Some(list.into_iter().map(|offer| item(offer, range)).collect())
}

fn item(offer: Offer, range: lsp::Range) -> lsp::CompletionItem {
    let kind = match offer.kind {
        sort::FIELD => lsp::CompletionItemKind::Field,
        sort::WORD => lsp::CompletionItemKind::Keyword,
        sort::VALUE => lsp::CompletionItemKind::EnumMember,
        sort::NAME => lsp::CompletionItemKind::Variable,
        sort::CALL => lsp::CompletionItemKind::Function,
        sort::RULE => lsp::CompletionItemKind::Event,
        sort::TYPE => lsp::CompletionItemKind::Struct,
        sort::POLICY => lsp::CompletionItemKind::Module,
        _ => lsp::CompletionItemKind::Text,
    };
    lsp::CompletionItem {
        sort_text: Some(format!("{}{}", offer.rank as u8, offer.text)),
        kind: Some(kind),
        detail: (!offer.detail.is_empty()).then_some(offer.detail),
        text_edit: Some(lsp::CompletionItemTextEdit::TextEdit(lsp::TextEdit {
            range,
            new_text: offer.text.clone(),
        })),
        label: offer.text,
        ..lsp::CompletionItem::default()
    }
}

/// Whether the place is one where a word begins that is not yet there, directly after a dot.
fn after_dot(around: &Around) -> bool {
    around.before.last().is_some_and(|p| p.text == ".")
}
