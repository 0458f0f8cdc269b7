//! Vocabulary files to a typed vocabulary: enums, taxonomies, units, calendars, entities and facts.
//!
//! Decisions are in `decisions.rs`; their guards and fallbacks are typed after all names are known.
use super::cx::{Cx, days, label};
use crate::lang::ast;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::near::nearest;
use crate::lang::source::Span;
use crate::lang::typed::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// What a type's name stands for.
#[derive(Clone, Debug)]
pub(super) enum TypeName {
    Is(Ty),
    Broken,
}

/// A word of an enum or a node of a taxonomy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Member(EnumId, u32),
    Node(TaxonomyId, u32),
}

/// What the word after a number stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnitName {
    Unit(UnitId),
    Currency(CurrencyId),
}

/// The syntax of an output.
#[derive(Clone, Copy)]
pub(super) struct OutSyn<'a> {
    pub ast: &'a ast::Output,
}

/// The types of the language with their names.
pub const BUILTIN: [(&str, Ty); 10] = [
    ("bool", Ty::Bool),
    ("integer", Ty::Int),
    ("decimal", Ty::Dec),
    ("money", Ty::Money),
    ("text", Ty::Text),
    ("code", Ty::Text),
    ("date", Ty::Date),
    ("datetime", Ty::DateTime),
    ("period", Ty::Period),
    ("duration", Ty::Duration),
];

impl<'a> Cx<'a> {
    /// Types the vocabulary but for the guards and fallbacks of outputs.
    pub fn vocabulary(&mut self) {
        for (name, ty) in BUILTIN {
            self.types.insert(name.to_owned(), TypeName::Is(ty));
        }
        let files = self.input.vocabulary;
        let mut named = false;
        for file in files {
            if let Some(name) = file.name.as_ref().filter(|_| !named) {
                named = true;
                self.vocab.name = name.text();
                self.vocab.version = file.version.as_ref().and_then(|v| v.text.parse().ok()).unwrap_or(0);
            }
            for broken in &file.broken {
                self.broken_words |= matches!(broken.keyword.as_str(), "enum" | "taxonomy");
                match &broken.name {
                    Some(name) => {
                        self.broken.insert(name.text.clone());
                        if matches!(
                            broken.keyword.as_str(),
                            "enum" | "taxonomy" | "unit" | "entity" | "record"
                        ) {
                            self.types.insert(name.text.clone(), TypeName::Broken);
                        }
                    }
                    None => self.torn = true,
                }
            }
        }
        let items: Vec<&'a ast::VocabItem> = files.iter().flat_map(|f| &f.items).collect();
        let mut seen = FxHashMap::default();
        for item in &items {
            self.declare(item, &mut seen);
        }
        for item in &items {
            if let ast::VocabItem::Entity(e) = item {
                self.fields(e);
            }
        }
        self.recursive_entities(&items);
        self.facts(&items);
        self.decisions(&items);
    }

    /// Enters types, words, units and calendars; entities without their fields.
    fn declare(&mut self, item: &'a ast::VocabItem, seen: &mut FxHashMap<(u8, String), Span>) {
        match item {
            ast::VocabItem::Enum(e) => {
                if !self.fresh(0, &e.name, "type", seen) {
                    return;
                }
                let id = EnumId(self.vocab.enums.len() as u32);
                let mut members: Vec<Member> = Vec::new();
                let mut names = FxHashSet::default();
                for v in &e.values {
                    if !names.insert(v.name.text.as_str()) {
                        self.error(
                            "E0204",
                            v.name.span,
                            format!("`{}` is listed twice in `{}`", v.name.text, e.name.text),
                        );
                        continue;
                    }
                    self.word(&v.name.text, Word::Member(id, members.len() as u32));
                    members.push(Member { name: v.name.text.clone(), label: label(&v.labels) });
                }
                self.vocab.enums.push(EnumDef {
                    name: e.name.text.clone(),
                    label: label(&e.labels),
                    ordered: e.ordered,
                    members,
                });
                self.types.insert(e.name.text.clone(), TypeName::Is(Ty::Enum(id)));
            }
            ast::VocabItem::Taxonomy(t) => {
                if !self.fresh(0, &t.name, "type", seen) {
                    return;
                }
                let id = TaxonomyId(self.vocab.taxonomies.len() as u32);
                let mut nodes = Vec::new();
                self.nodes(id, &t.nodes, None, 0, &mut nodes, &mut FxHashSet::default());
                self.vocab.taxonomies.push(TaxonomyDef {
                    name: t.name.text.clone(),
                    label: label(&t.labels),
                    nodes,
                });
                self.types.insert(t.name.text.clone(), TypeName::Is(Ty::Node(id)));
            }
            ast::VocabItem::Unit(u) => self.unit(u, seen),
            ast::VocabItem::Entity(e) => {
                if self.fresh(0, &e.name, "type", seen) {
                    let id = EntityId(self.vocab.entities.len() as u32);
                    self.vocab.entities.push(EntityDef {
                        name: e.name.text.clone(),
                        label: label(&e.labels),
                        record: e.record,
                        fields: Vec::new(),
                    });
                    self.types.insert(e.name.text.clone(), TypeName::Is(Ty::Entity(id)));
                }
            }
            ast::VocabItem::Calendar(c) => {
                if self.fresh(2, &c.name, "calendar", seen) {
                    let id = self.calendar(c);
                    self.shared_calendars.push((c.name.text.clone(), id));
                }
            }
            ast::VocabItem::Fact(f) => {
                self.fresh(3, &f.name, "fact", seen);
            }
            ast::VocabItem::Decision(d) => {
                self.fresh(4, &d.name, "decision", seen);
            }
        }
    }

    fn fresh(
        &mut self,
        space: u8,
        name: &ast::Name,
        kind: &str,
        seen: &mut FxHashMap<(u8, String), Span>,
    ) -> bool {
        if space == 0 && BUILTIN.iter().any(|(n, _)| *n == name.text) {
            self.error("E0204", name.span, format!("`{}` is a type of the language already", name.text));
            return false;
        }
        let text = &name.text;
        match seen.insert((space, text.clone()), name.span) {
            None => true,
            Some(first) => {
                self.push(
                    Diagnostic::error("E0204", name.span, format!("there are two {kind}s named `{text}`"))
                        .note(first, "the first one is here")
                        .help("rename one of them"),
                );
                false
            }
        }
    }

    fn word(&mut self, text: &str, word: Word) {
        self.words.entry(text.to_owned()).or_default().push(word);
    }

    fn nodes(
        &mut self,
        id: TaxonomyId,
        from: &'a [ast::TaxonomyNode],
        parent: Option<u32>,
        depth: u32,
        out: &mut Vec<NodeDef>,
        names: &mut FxHashSet<&'a str>,
    ) {
        for node in from {
            if !names.insert(&node.name.text) {
                self.error(
                    "E0204",
                    node.name.span,
                    format!("`{}` occurs twice in this taxonomy", node.name.text),
                );
                continue;
            }
            let at = out.len() as u32;
            self.word(&node.name.text, Word::Node(id, at));
            out.push(NodeDef { name: node.name.text.clone(), label: label(&node.labels), parent, depth });
            self.nodes(id, &node.children, Some(at), depth + 1, out, names);
        }
    }

    fn unit(&mut self, u: &'a ast::Unit, seen: &mut FxHashMap<(u8, String), Span>) {
        if !self.fresh(if u.currency { 1 } else { 0 }, &u.name, "unit", seen) {
            return;
        }
        let step = u.step.value();
        if step <= num_rational::BigRational::from_integer(0.into()) {
            self.error("E0306", u.step.span, format!("the step of `{}` must be more than 0", u.name.text));
            return;
        }
        let name = u.name.text.clone();
        let target = if u.currency {
            let id = CurrencyId(self.vocab.currencies.len() as u32);
            self.vocab.currencies.push(CurrencyDef { code: name.clone(), step });
            if name == "CNY" {
                self.units.entry("元".into()).or_insert(UnitName::Currency(id));
            }
            UnitName::Currency(id)
        } else {
            let id = UnitId(self.vocab.units.len() as u32);
            self.vocab.units.push(UnitDef { name: name.clone(), label: label(&u.labels), step });
            self.types.insert(name.clone(), TypeName::Is(Ty::Unit(id)));
            UnitName::Unit(id)
        };
        if let Some(other) = self.units.insert(name.clone(), target)
            && other != target
        {
            self.error("E0204", u.name.span, format!("`{name}` is the name of two units"));
        }
        for text in [&u.labels.zh, &u.labels.en].into_iter().flatten() {
            self.units.entry(text.value.clone()).or_insert(target);
        }
    }

    /// Enters a calendar and returns its id.
    pub fn calendar(&mut self, c: &'a ast::Calendar) -> CalendarId {
        let (mut closed, mut open) = (Vec::new(), Vec::new());
        for entry in &c.entries {
            let first = days(entry.from.date);
            let last = entry.through.map_or(first, |t| days(t.date));
            if last - first > 3660 {
                self.error("E0408", entry.span, "a calendar's entry is at most ten years long");
                continue;
            }
            if entry.open { open.extend(first..=last) } else { closed.extend(first..=last) }
        }
        for list in [&mut closed, &mut open] {
            list.sort_unstable();
            list.dedup();
        }
        if let Some(day) = open.iter().find(|d| closed.binary_search(d).is_ok()) {
            let day = super::cx::show_day(*day);
            self.error("E0408", c.name.span, format!("{day} is both open and closed in `{}`", c.name.text));
        }
        let id = CalendarId(self.vocab.calendars.len() as u32);
        let name = c.name.text.clone();
        self.vocab.calendars.push(CalendarDef { name, weekends_open: c.every_day, closed, open });
        id
    }

    fn fields(&mut self, e: &'a ast::Entity) {
        let Some(at) = self.vocab.entities.iter().position(|d| d.name == e.name.text && d.fields.is_empty())
        else {
            return;
        };
        let mut fields: Vec<FieldDef> = Vec::new();
        let mut names = FxHashSet::default();
        for f in &e.fields {
            if !names.insert(f.name.text.as_str()) {
                self.error(
                    "E0204",
                    f.name.span,
                    format!("`{}` has two fields named `{}`", e.name.text, f.name.text),
                );
                continue;
            }
            let ty = self.ty(&f.ty);
            if let (true, Some(written)) = (e.record, &f.bounds) {
                let message = format!("`{}` is made by rules, and only facts have bounds", e.name.text);
                self.error_help("E0307", written.span, message, "leave the bounds out");
            }
            let bounds = self.bounds(&f.name, &ty, f.bounds.as_deref().filter(|_| !e.record));
            fields.push(FieldDef { name: f.name.text.clone(), ty, bounds, label: label(&f.labels) });
        }
        if let Some(def) = self.vocab.entities.get_mut(at) {
            def.fields = fields;
        }
    }

    /// A written type; [`Ty::Never`] after a finding.
    pub fn ty(&mut self, t: &ast::Type) -> Ty {
        let base = match &t.kind {
            ast::TypeKind::List(of) => Ty::List(Arc::new(self.ty(of))),
            ast::TypeKind::Set(of) => Ty::Set(Arc::new(self.ty(of))),
            ast::TypeKind::Name(name) => match self.types.get(&name.text).cloned() {
                Some(TypeName::Is(ty)) => {
                    self.means_type(name.span, &ty);
                    ty
                }
                Some(TypeName::Broken) => Ty::Never,
                None => {
                    if !self.torn {
                        self.unknown_type(name);
                    }
                    Ty::Never
                }
            },
        };
        if t.optional && base != Ty::Never { base.optional() } else { base }
    }

    fn unknown_type(&mut self, name: &ast::Name) {
        let text = &name.text;
        if matches!(self.units.get(text), Some(UnitName::Currency(_))) {
            self.error_help(
                "E0203",
                name.span,
                format!("`{text}` is a currency, not a type"),
                "write `money`; the currency comes with the amount",
            );
            return;
        }
        let near = nearest(text, self.types.keys().map(String::as_str));
        self.misspelt(
            "E0203",
            name.span,
            format!("there is no type `{text}`"),
            near,
            "declare it in the vocabulary as an enum, taxonomy, unit, entity or record, or use bool, integer, decimal, \
             money, text, date, datetime, period or duration",
        );
    }

    /// An entity that contains itself other than through a list would have no end.
    fn recursive_entities(&mut self, items: &[&'a ast::VocabItem]) {
        for (i, def) in self.vocab.entities.clone().iter().enumerate() {
            let start = EntityId(i as u32);
            let mut stack = vec![start];
            let mut seen = vec![false; self.vocab.entities.len()];
            let mut found = false;
            while let Some(at) = stack.pop() {
                for f in self.vocab.entities.get(at.ix()).map(|e| e.fields.as_slice()).unwrap_or_default() {
                    if let Ty::Entity(next) = f.ty.inner() {
                        found |= *next == start;
                        if let Some(s) = seen.get_mut(next.ix())
                            && !std::mem::replace(s, true)
                        {
                            stack.push(*next);
                        }
                    }
                }
            }
            if found {
                let span = items.iter().find_map(|it| match it {
                    ast::VocabItem::Entity(e) if e.name.text == def.name => Some(e.name.span),
                    _ => None,
                });
                self.error_help(
                    "E0407",
                    span.unwrap_or_default(),
                    format!("`{}` contains itself", def.name),
                    "only a list may lead back to the same entity",
                );
                // Later passes lay entities out flat: without this they would not end.
                if let Some(e) = self.vocab.entities.get_mut(i) {
                    e.fields.retain(|f| !matches!(f.ty.inner(), Ty::Entity(_)));
                }
            }
        }
    }
}
