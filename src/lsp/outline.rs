//! What a file declares, for the editor's outline.
use crate::lang::ast;
use crate::lang::source::Span;
use crate::lsp::findings::Pages;
use crate::lsp::place::path_of;
use crate::lsp::session::Session;
use gen_lsp_types as lsp;
use gen_lsp_types::SymbolKind as Kind;

pub(super) fn outline(session: &Session, params: &lsp::DocumentSymbolParams) -> Vec<lsp::DocumentSymbol> {
    let Some(path) = path_of(&params.text_document.uri) else { return Vec::new() };
    let Some((_, _, draft, file)) = session.books.of(&path) else { return Vec::new() };
    let mut out = Outline { pages: Pages::new(draft, session.encoding) };
    match draft.tree(file) {
        Some(ast::File::Vocabulary(file)) => file.items.iter().map(|item| out.word(item)).collect(),
        Some(ast::File::Policy(file)) => file.modules.iter().map(|module| out.policy(module)).collect(),
        Some(ast::File::Cases(file)) => {
            let backgrounds = file.backgrounds.iter().map(|b| (&b.name, b.span, "background"));
            let mut all: Vec<_> =
                backgrounds.chain(file.cases.iter().map(|c| (&c.name, c.span, "case"))).collect();
            all.sort_by_key(|(_, span, _)| *span);
            all.into_iter()
                .map(|(name, span, what)| {
                    out.entry(&name.value, what, Kind::Event, span, name.span, Vec::new())
                })
                .collect()
        }
        None => Vec::new(),
    }
}

struct Outline<'d> {
    pages: Pages<'d>,
}

impl Outline<'_> {
    fn entry(
        &mut self,
        name: &str,
        detail: &str,
        kind: Kind,
        whole: Span,
        named: Span,
        children: Vec<lsp::DocumentSymbol>,
    ) -> lsp::DocumentSymbol {
        // The name must lie within the whole, and an editor refuses an empty name.
        let whole = whole.to(named);
        let name = if name.is_empty() { "?" } else { name };
        let (range, place) = (self.pages.range(whole), self.pages.range(named));
        let children = (!children.is_empty()).then_some(children);
        lsp::DocumentSymbol::new(
            name.to_owned(),
            Some(detail.to_owned()),
            kind,
            None,
            None,
            range,
            place,
            children,
        )
    }

    fn named(&mut self, name: &ast::Name, detail: &str, kind: Kind, whole: Span) -> lsp::DocumentSymbol {
        self.entry(&name.text, detail, kind, whole, name.span, Vec::new())
    }

    fn policy(&mut self, module: &ast::Module) -> lsp::DocumentSymbol {
        let whole = module.items.iter().map(ast::Item::span).fold(module.span, Span::to);
        let items = module.items.iter().map(|item| self.item(item)).collect();
        let what = match module.kind {
            ast::ModuleKind::Library => "library",
            _ => "policy",
        };
        self.entry(&module.path.text(), what, Kind::Module, whole, module.path.span, items)
    }

    fn item(&mut self, item: &ast::Item) -> lsp::DocumentSymbol {
        let whole = item.span();
        match item {
            ast::Item::Let(it) => self.named(&it.name, "let", Kind::Variable, whole),
            ast::Item::Param(it) => self.named(&it.name, "param", Kind::Constant, whole),
            ast::Item::Table(it) => self.named(&it.name, "table", Kind::Array, whole),
            ast::Item::Calendar(it) => self.named(&it.name, "calendar", Kind::Object, whole),
            ast::Item::Rule(it) => {
                let clause = it.clause.as_ref().map(|c| format!(" §{}", c.text.trim_start_matches('§')));
                let detail = format!("rule{}", clause.unwrap_or_default());
                self.named(&it.name, &detail, Kind::Function, whole)
            }
            ast::Item::Set(it) => {
                self.entry(&it.target.text(), "set", Kind::Constant, whole, it.target.span, Vec::new())
            }
            ast::Item::Rows(it) => {
                self.entry(&it.target.text(), "rows", Kind::Array, whole, it.target.span, Vec::new())
            }
        }
    }

    fn word(&mut self, item: &ast::VocabItem) -> lsp::DocumentSymbol {
        match item {
            ast::VocabItem::Enum(it) => {
                let words =
                    it.values.iter().map(|v| self.named(&v.name, "", Kind::EnumMember, v.span)).collect();
                self.entry(&it.name.text, "enum", Kind::Enum, it.span, it.name.span, words)
            }
            ast::VocabItem::Taxonomy(it) => {
                let nodes = it.nodes.iter().map(|n| self.node(n)).collect();
                self.entry(&it.name.text, "taxonomy", Kind::Enum, it.span, it.name.span, nodes)
            }
            ast::VocabItem::Unit(it) => {
                let what = if it.currency { "currency" } else { "unit" };
                self.named(&it.name, what, Kind::Number, it.span)
            }
            ast::VocabItem::Entity(it) => {
                let fields = it.fields.iter().map(|f| self.named(&f.name, "", Kind::Field, f.span)).collect();
                let what = if it.record { "record" } else { "entity" };
                self.entry(&it.name.text, what, Kind::Struct, it.span, it.name.span, fields)
            }
            ast::VocabItem::Fact(it) => self.named(&it.name, "fact", Kind::Property, it.span),
            ast::VocabItem::Decision(it) => {
                let outputs = it
                    .outputs
                    .iter()
                    .map(|o| self.named(&o.name, "output", Kind::Property, o.span))
                    .collect();
                self.entry(&it.name.text, "decision", Kind::Interface, it.span, it.name.span, outputs)
            }
            ast::VocabItem::Calendar(it) => self.named(&it.name, "calendar", Kind::Object, it.span),
        }
    }

    fn node(&mut self, node: &ast::TaxonomyNode) -> lsp::DocumentSymbol {
        let below = node.children.iter().map(|n| self.node(n)).collect();
        self.entry(&node.name.text, "", Kind::EnumMember, node.span, node.name.span, below)
    }
}
