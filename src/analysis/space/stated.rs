//! The facts of a case as choices: where the search goes astray, the book's own cases lead it.
use crate::analysis::space::shape::constant;
use crate::analysis::space::{MOST_ROOM, Pick, Space};
use crate::lang::typed::*;
use crate::program::facts::{Slot, Tag};
use crate::program::value::Value;
use std::collections::BTreeMap;

impl Space<'_> {
    /// What a case says of the facts, by index; later settings over earlier ones, outer facts before inner ones.
    pub fn stated(&mut self, case: &Case) -> Vec<(usize, Pick)> {
        let mut picks: BTreeMap<usize, Pick> = BTreeMap::new();
        for setting in &case.given {
            let at = match &setting.target {
                Target::Root(root, path) => self.path(*root, path),
                Target::Call(fact, args) => {
                    let args: Vec<Value> = args.iter().map(Value::of_const).collect();
                    let path = crate::program::literal::call_path(&self.linked.rulebook.vocab, *fact, &args);
                    self.call(&path, *fact, &args)
                }
            };
            if let Some(at) = at {
                self.outer(at, &mut picks);
                self.state(at, &setting.value, &mut picks);
            }
        }
        picks.into_iter().collect()
    }

    fn path(&self, root: RootId, fields: &[u32]) -> Option<usize> {
        let vocab = &self.linked.rulebook.vocab;
        let def = vocab.roots.get(root.ix())?;
        let (mut path, mut ty) = (def.name.clone(), &def.ty);
        for field in fields {
            let Ty::Entity(id) = ty.inner() else { return None };
            let field = vocab.entities.get(id.ix())?.fields.get(*field as usize)?;
            path = format!("{path}.{}", field.name);
            ty = &field.ty;
        }
        self.find(&path)
    }

    /// A field that is given makes what it lies in be there.
    fn outer(&self, at: usize, picks: &mut BTreeMap<usize, Pick>) {
        let mut up = self.var(at).and_then(|v| v.within);
        while let Some(outer) = up {
            if self.var(outer).is_some_and(|v| v.is_entity()) {
                picks.insert(outer, Pick::Present);
            }
            up = self.var(outer).and_then(|v| v.within);
        }
    }

    fn state(&mut self, at: usize, given: &Given, picks: &mut BTreeMap<usize, Pick>) {
        let Some(var) = self.var(at).cloned() else { return };
        match given {
            Given::Unknown => {
                picks.remove(&at);
            }
            Given::Absent => {
                picks.insert(at, Pick::Absent);
            }
            Given::Value(c) => {
                let slot = match c {
                    Const::Text(text) => Some(self.text(text)),
                    _ => constant(&self.linked.symbols, c, &var.ty).map(Slot::value),
                };
                let currency = if let Const::Money(_, c) = c { c.0 as u8 } else { 0 };
                picks.extend(slot.map(|s| (at, Pick::Scalar(Slot { currency, tag: Tag::Value, ..s }))));
            }
            Given::List(rows) => {
                picks.insert(at, Pick::Rows((rows.len() as u32).min(MOST_ROOM)));
                for (i, row) in rows.iter().enumerate() {
                    if let Some(inner) = self.find(&format!("{}[{i}]", var.path)) {
                        self.state(inner, row, picks);
                    }
                }
            }
            Given::Entity(id, fields) => {
                if var.ty.is_optional() {
                    picks.insert(at, Pick::Present);
                }
                let vocab = &self.linked.rulebook.vocab;
                let Some(def) = vocab.entities.get(id.ix()) else { return };
                let named = fields.iter().filter_map(|(f, g)| Some((def.fields.get(*f as usize)?, g)));
                for (field, given) in named {
                    if let Some(inner) = self.find(&format!("{}.{}", var.path, field.name)) {
                        self.state(inner, given, picks);
                    }
                }
            }
        }
    }

    /// A text's slot; a text that the rulebook does not mention is numbered after those that it does.
    fn text(&mut self, text: &str) -> Slot {
        if let Some(known) = self.linked.symbols.get(text) {
            return Slot::value(i64::from(known));
        }
        let own = &mut self.facts.texts;
        let at = own.iter().position(|t| &**t == text).unwrap_or_else(|| {
            own.push(text.into());
            own.len() - 1
        });
        Slot::value((self.linked.symbols.len() + at) as i64)
    }
}
