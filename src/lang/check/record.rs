//! What names mean, noted while they are resolved, and the index made of it: for editors. Without anybody who asks,
//! nothing is noted.
use super::cx::{Cx, LetState, Named, Scope, label};
use super::names::Head;
use super::vocab::UnitName;
use crate::lang::ast;
use crate::lang::index::{Index, PolicyPlace, Symbol, Thing, Use};
use crate::lang::source::Span;
use crate::lang::typed::*;
use std::collections::{BTreeMap, BTreeSet};

impl<'a> Cx<'a> {
    /// Notes what a name stands for.
    pub fn means(&mut self, span: Span, symbol: Symbol) {
        if let Some(uses) = &mut self.uses {
            uses.push(Use { span, symbol, declares: false });
        }
    }

    /// Notes that a name is declared here.
    pub fn declares(&mut self, span: Span, symbol: Symbol) {
        if let Some(uses) = &mut self.uses {
            uses.push(Use { span, symbol, declares: true });
        }
    }

    pub fn means_head(&mut self, s: &Scope, head: &Head, span: Span) {
        match head {
            Head::Var(v) => self.means(span, Symbol::Var(*v)),
            Head::Named(versions) => self.means_versions(span, versions),
            Head::Output(o) => {
                if let Some(d) = s.decision {
                    self.means(span, Symbol::Output(d, *o));
                }
            }
            Head::Root(r) => self.means(span, Symbol::Root(*r)),
            Head::Ambiguous(..) => {}
        }
    }

    pub fn means_versions(&mut self, span: Span, versions: &[(usize, Named)]) {
        for (_, named) in versions {
            if let Some(symbol) = symbol_of(*named) {
                self.means(span, symbol);
            }
        }
    }

    /// The last name of a path, and the policy before it.
    pub fn means_path(&mut self, path: &ast::Path, versions: &[(usize, Named)]) {
        if self.uses.is_none() {
            return;
        }
        if let Some(name) = path.parts.last() {
            self.means_versions(name.span, versions);
        }
        if let Some((policy, _)) = self.module_prefix(&path.parts) {
            self.means_policy(&path.parts, &policy);
        }
    }

    /// The policy's path at the beginning of a longer path.
    pub fn means_policy(&mut self, parts: &[ast::Name], policy: &str) {
        let last = parts.get(policy.split('.').count().saturating_sub(1));
        if let (Some(first), Some(last)) = (parts.first(), last) {
            self.means_policy_at(first.span.to(last.span), policy);
        }
    }

    pub fn means_policy_at(&mut self, span: Span, policy: &str) {
        if self.uses.is_none() {
            return;
        }
        for m in self.by_path.get(policy).cloned().unwrap_or_default() {
            self.means(span, Symbol::Policy(m as u32));
        }
    }

    pub fn means_const(&mut self, span: Span, e: &Expr) {
        match (&e.kind, &e.ty) {
            (ExprKind::Const(Const::Enum(i)), Ty::Enum(id)) => self.means(span, Symbol::Member(*id, *i)),
            (ExprKind::Const(Const::Node(i)), Ty::Node(id)) => self.means(span, Symbol::Node(*id, *i)),
            _ => {}
        }
    }

    pub fn means_type(&mut self, span: Span, ty: &Ty) {
        match ty {
            Ty::Enum(id) => self.means(span, Symbol::Enum(*id)),
            Ty::Node(id) => self.means(span, Symbol::Taxonomy(*id)),
            Ty::Unit(id) => self.means(span, Symbol::Unit(*id)),
            Ty::Entity(id) => self.means(span, Symbol::Entity(*id)),
            _ => {}
        }
    }

    pub fn means_unit(&mut self, span: Span, unit: Option<UnitName>) {
        match unit {
            Some(UnitName::Unit(id)) => self.means(span, Symbol::Unit(id)),
            Some(UnitName::Currency(id)) => self.means(span, Symbol::Currency(id)),
            None => {}
        }
    }

    /// The columns that a lookup's arguments name.
    pub fn means_columns(&mut self, c: &ast::Call, table: TableId) {
        if self.uses.is_none() {
            return;
        }
        let names: Vec<String> = self
            .tables
            .get(table.ix())
            .map(|t| t.params.iter().map(|p| p.0.clone()).collect())
            .unwrap_or_default();
        for arg in c.args.iter().filter_map(|a| a.name.as_ref()) {
            if let Some(at) = names.iter().position(|n| *n == arg.text) {
                self.means(arg.span, Symbol::Column(table, at as u32));
            }
        }
    }

    /// The fields that a record or entity written in place names.
    pub fn means_fields(&mut self, c: &ast::Call, entity: EntityId) {
        for arg in c.args.iter().filter_map(|a| a.name.as_ref()) {
            let def = self.vocab.entities.get(entity.ix());
            if let Some(at) = def.and_then(|d| d.fields.iter().position(|f| f.name == arg.text)) {
                self.means(arg.span, Symbol::Field(entity, at as u32));
            }
        }
    }

    /// A group of rules, by one of the policies that have it.
    pub fn means_group(&mut self, span: Span, home: &[usize], name: &str) {
        if self.uses.is_none() {
            return;
        }
        let path = home.first().and_then(|m| self.mods.get(*m)).map(|m| m.path.clone());
        let at = path.and_then(|path| self.groups().into_iter().position(|g| g.0 == path && g.1 == name));
        if let Some(at) = at {
            self.means(span, Symbol::Group(at as u32));
        }
    }

    pub fn means_decision(&mut self, name: &ast::Name) -> Option<DecisionId> {
        let id = self.decision_by_name(&name.text)?;
        self.means(name.span, Symbol::Decision(id));
        Some(id)
    }

    /// Policy path and name of each group, sorted.
    fn groups(&self) -> Vec<(String, String)> {
        let of = |r: &super::rules::RuleDecl<'a>| {
            Some((self.mods.get(r.module)?.path.clone(), r.ast.group.as_ref()?.text.clone()))
        };
        let mut groups: Vec<(String, String)> = self.rules.iter().filter_map(of).collect();
        groups.sort();
        groups.dedup();
        groups
    }

    /// Everything noted, with what is declared.
    pub fn index(&mut self) -> Index {
        let mut made = Making {
            uses: self.uses.take().unwrap_or_default(),
            things: BTreeMap::new(),
            groups: self.groups(),
            cx: self,
        };
        made.vocabulary();
        made.policies();
        made.cases();
        let Making { mut uses, things, groups, .. } = made;
        let given = self.given_entities();
        for u in &mut uses {
            if let Symbol::Root(id) = u.symbol
                && let Some(Some(entity)) = given.get(id.ix())
            {
                u.symbol = Symbol::Entity(*entity);
            }
        }
        uses.sort_unstable();
        uses.dedup_by_key(|u| (u.span, u.symbol));
        Index {
            vocab: self.vocab.clone(),
            policies: self.mods.iter().map(|m| self.policy_place(m)).collect(),
            groups,
            things,
            uses,
            layers: self.input.layers.to_vec(),
            places: self.input.places.to_vec(),
        }
    }

    /// The facts that entities give decisions are named like the entities, and declared by them.
    fn given_entities(&self) -> Vec<Option<EntityId>> {
        let items = self.input.vocabulary.iter().flat_map(|f| &f.items);
        let facts: BTreeSet<&str> = items
            .filter_map(|item| match item {
                ast::VocabItem::Fact(f) => Some(f.name.text.as_str()),
                _ => None,
            })
            .collect();
        let of = |root: &RootDef| match &root.ty {
            Ty::Entity(entity) if !facts.contains(root.name.as_str()) => Some(*entity),
            _ => None,
        };
        self.vocab.roots.iter().map(of).collect()
    }

    fn policy_place(&self, m: &super::modules::Mod<'a>) -> PolicyPlace {
        let items = m.ast.items.iter().map(ast::Item::span).chain(m.ast.broken.iter().map(|b| b.span));
        let layer = match &m.layer.name {
            Some(name) => format!("{} {name}", m.layer.kind),
            None => m.layer.kind.clone(),
        };
        PolicyPlace {
            path: m.path.clone(),
            decides: m.decides,
            layer,
            sees: m.uses.iter().chain(&m.extends).cloned().collect(),
            extends: m.extends.clone(),
            whole: items.fold(m.ast.span, Span::to),
        }
    }
}

fn symbol_of(named: Named) -> Option<Symbol> {
    match named {
        Named::Let(id) => Some(Symbol::Let(id)),
        Named::Param(id) => Some(Symbol::Param(id)),
        Named::Table(id) => Some(Symbol::Table(id)),
        Named::Calendar(id) => Some(Symbol::Calendar(id)),
        Named::Broken => None,
    }
}

/// The index as it grows.
struct Making<'c, 'a> {
    cx: &'c Cx<'a>,
    uses: Vec<Use>,
    things: BTreeMap<Symbol, Thing>,
    groups: Vec<(String, String)>,
}

/// A thing without anything but its name and place.
fn plain(name: &str, home: Option<&str>, whole: Span) -> Thing {
    Thing {
        name: name.to_owned(),
        home: home.map(str::to_owned),
        ty: None,
        label: Label::default(),
        clause: None,
        whole,
        more: Vec::new(),
    }
}

impl<'a> Making<'_, 'a> {
    fn put(&mut self, name: &ast::Name, symbol: Symbol, thing: Thing) {
        self.uses.push(Use { span: name.span, symbol, declares: true });
        // A second declaration of the same is an error: the first one counts.
        self.things.entry(symbol).or_insert(thing);
    }

    fn vocabulary(&mut self) {
        let vocab = &self.cx.vocab;
        for item in self.cx.input.vocabulary.iter().flat_map(|f| &f.items) {
            match item {
                ast::VocabItem::Enum(e) => {
                    let Some(at) = vocab.enums.iter().position(|d| d.name == e.name.text) else { continue };
                    let id = EnumId(at as u32);
                    let thing = Thing { label: label(&e.labels), ..plain(&e.name.text, None, e.span) };
                    self.put(&e.name, Symbol::Enum(id), thing);
                    for v in &e.values {
                        let members = vocab.enums.get(at).map(|d| d.members.as_slice()).unwrap_or_default();
                        let Some(i) = members.iter().position(|m| m.name == v.name.text) else { continue };
                        let thing = Thing {
                            label: label(&v.labels),
                            ty: Some(Ty::Enum(id)),
                            ..plain(&v.name.text, Some(&e.name.text), v.span)
                        };
                        self.put(&v.name, Symbol::Member(id, i as u32), thing);
                    }
                }
                ast::VocabItem::Taxonomy(t) => {
                    let Some(at) = vocab.taxonomies.iter().position(|d| d.name == t.name.text) else {
                        continue;
                    };
                    let id = TaxonomyId(at as u32);
                    let thing = Thing { label: label(&t.labels), ..plain(&t.name.text, None, t.span) };
                    self.put(&t.name, Symbol::Taxonomy(id), thing);
                    self.nodes(id, &t.name.text, &t.nodes);
                }
                ast::VocabItem::Unit(u) => {
                    let units = vocab.units.iter().position(|d| d.name == u.name.text);
                    let currencies = vocab.currencies.iter().position(|d| d.code == u.name.text);
                    let symbol = if u.currency {
                        currencies.map(|i| Symbol::Currency(CurrencyId(i as u32)))
                    } else {
                        units.map(|i| Symbol::Unit(UnitId(i as u32)))
                    };
                    if let Some(symbol) = symbol {
                        let thing = Thing { label: label(&u.labels), ..plain(&u.name.text, None, u.span) };
                        self.put(&u.name, symbol, thing);
                    }
                }
                ast::VocabItem::Entity(e) => self.entity(e),
                ast::VocabItem::Fact(f) => self.fact(f),
                ast::VocabItem::Decision(d) => self.decision(d),
                ast::VocabItem::Calendar(c) => {
                    let found = self.cx.shared_calendars.iter().find(|(n, _)| *n == c.name.text);
                    if let Some((_, id)) = found {
                        let thing = Thing { label: label(&c.labels), ..plain(&c.name.text, None, c.span) };
                        self.put(&c.name, Symbol::Calendar(*id), thing);
                    }
                }
            }
        }
    }

    fn nodes(&mut self, id: TaxonomyId, home: &str, nodes: &[ast::TaxonomyNode]) {
        for node in nodes {
            let def = self.cx.vocab.taxonomies.get(id.ix());
            if let Some(i) = def.and_then(|d| d.nodes.iter().position(|n| n.name == node.name.text)) {
                let thing = Thing {
                    label: label(&node.labels),
                    ty: Some(Ty::Node(id)),
                    ..plain(&node.name.text, Some(home), node.name.span)
                };
                self.put(&node.name, Symbol::Node(id, i as u32), thing);
            }
            self.nodes(id, home, &node.children);
        }
    }

    fn entity(&mut self, e: &ast::Entity) {
        let Some(at) = self.cx.vocab.entities.iter().position(|d| d.name == e.name.text) else { return };
        let id = EntityId(at as u32);
        let thing =
            Thing { label: label(&e.labels), ty: Some(Ty::Entity(id)), ..plain(&e.name.text, None, e.span) };
        self.put(&e.name, Symbol::Entity(id), thing);
        for f in &e.fields {
            let fields = self.cx.vocab.entities.get(at).map(|d| d.fields.as_slice()).unwrap_or_default();
            let Some(i) = fields.iter().position(|d| d.name == f.name.text) else { continue };
            let thing = Thing {
                label: label(&f.labels),
                ty: fields.get(i).map(|d| d.ty.clone()),
                ..plain(&f.name.text, Some(&e.name.text), f.span)
            };
            self.put(&f.name, Symbol::Field(id, i as u32), thing);
        }
    }

    fn fact(&mut self, f: &ast::Fact) {
        let thing = Thing { label: label(&f.labels), ..plain(&f.name.text, None, f.span) };
        if f.params.is_empty() {
            if let Some(id) = self.cx.root_by_name(&f.name.text) {
                let ty = self.cx.vocab.roots.get(id.ix()).map(|r| r.ty.clone());
                self.put(&f.name, Symbol::Root(id), Thing { ty, ..thing });
            }
            return;
        }
        let Some(at) = self.cx.vocab.fact_calls.iter().position(|d| d.name == f.name.text) else { return };
        let Some(def) = self.cx.vocab.fact_calls.get(at) else { return };
        let id = FactCallId(at as u32);
        self.put(&f.name, Symbol::FactCall(id), Thing { ty: Some(def.ty.clone()), ..thing });
        for (i, (p, (_, ty))) in f.params.iter().zip(&def.params).enumerate() {
            let thing = Thing { ty: Some(ty.clone()), ..plain(&p.name.text, Some(&f.name.text), p.span) };
            self.put(&p.name, Symbol::FactParam(id, i as u32), thing);
        }
    }

    fn decision(&mut self, d: &ast::Decision) {
        let Some(id) = self.cx.decision_by_name(&d.name.text) else { return };
        let thing = Thing { label: label(&d.labels), ..plain(&d.name.text, None, d.span) };
        self.put(&d.name, Symbol::Decision(id), thing);
        for o in &d.outputs {
            let Some(out) = self.cx.output_by_name(id, &o.name.text) else { continue };
            let thing = Thing {
                label: label(&o.labels),
                ty: Some(self.cx.output_value_ty(id, out)),
                ..plain(&o.name.text, Some(&d.name.text), o.span)
            };
            self.put(&o.name, Symbol::Output(id, out), thing);
        }
    }

    fn policies(&mut self) {
        for (m, module) in self.cx.mods.iter().enumerate() {
            let symbol = Symbol::Policy(m as u32);
            self.uses.push(Use { span: module.ast.path.span, symbol, declares: true });
            let thing = Thing {
                label: label(&module.ast.header.title),
                ..plain(&module.path, None, module.ast.span)
            };
            self.things.insert(symbol, thing);
            for item in &module.ast.items {
                if let ast::Item::Calendar(c) = item
                    && let Some(Named::Calendar(id)) = module.names.get(&c.name.text)
                {
                    let thing =
                        Thing { label: label(&c.labels), ..plain(&c.name.text, Some(&module.path), c.span) };
                    self.put(&c.name, Symbol::Calendar(*id), thing);
                }
            }
        }
        self.declarations();
        for (i, r) in self.cx.rules.iter().enumerate() {
            let home = self.cx.mods.get(r.module).map_or("", |m| m.path.as_str());
            let thing = Thing {
                label: label(&r.ast.say),
                clause: r.ast.clause.as_ref().map(|c| c.text.clone()),
                ..plain(&r.ast.name.text, Some(home), r.ast.span)
            };
            self.put(&r.ast.name, Symbol::Rule(RuleId(i as u32)), thing);
            let Some(group) = &r.ast.group else { continue };
            let at = self.groups.iter().position(|g| g.0 == home && g.1 == group.text);
            if let Some(at) = at {
                let thing = plain(&group.text, Some(home), group.span);
                self.put(group, Symbol::Group(at as u32), thing);
            }
        }
    }

    fn declarations(&mut self) {
        let home = |m: usize| self.cx.mods.get(m).map(|m| m.path.clone());
        let clause = |c: &Option<ast::Clause>| c.as_ref().map(|c| c.text.clone());
        for (i, l) in self.cx.lets.iter().enumerate() {
            let ty = match &l.state {
                LetState::Done(value) => Some(value.ty.clone()),
                _ => None,
            };
            let thing = Thing {
                ty,
                clause: clause(&l.ast.clause),
                ..plain(&l.ast.name.text, home(l.module).as_deref(), l.ast.span)
            };
            self.put(&l.ast.name, Symbol::Let(LetId(i as u32)), thing);
        }
        for (i, p) in self.cx.params.iter().enumerate() {
            let whole = |s: &Setting| {
                let policy = self.cx.mods.get(s.policy.ix())?;
                policy.ast.items.iter().find_map(|item| match item {
                    ast::Item::Set(set) => {
                        let first = s.values.first()?.value.span;
                        (set.span.file == first.file
                            && set.span.start <= first.start
                            && first.end <= set.span.end)
                            .then_some(set.span)
                    }
                    _ => None,
                })
            };
            let thing = Thing {
                ty: Some(p.ty.clone()),
                clause: clause(&p.ast.clause),
                more: p.settings.iter().filter_map(whole).collect(),
                ..plain(&p.ast.name.text, home(p.module).as_deref(), p.ast.span)
            };
            self.put(&p.ast.name, Symbol::Param(ParamId(i as u32)), thing);
        }
        for (i, t) in self.cx.tables.iter().enumerate() {
            let id = TableId(i as u32);
            let head = match &t.ast.body {
                ast::TableBody::Rows(rows) => {
                    let end = rows.first().map_or(t.ast.span.end, |r| r.span.start);
                    Span { end, ..t.ast.span }
                }
                ast::TableBody::File(_) => t.ast.span,
            };
            let ty = match t.results.as_slice() {
                [(_, one)] => Some(one.clone()),
                _ => None,
            };
            let thing = Thing {
                ty,
                clause: clause(&t.ast.clause),
                ..plain(&t.ast.name.text, home(t.module).as_deref(), head)
            };
            self.put(&t.ast.name, Symbol::Table(id), thing);
            let columns = t.ast.params.iter().zip(&t.params).chain(t.ast.results.iter().zip(&t.results));
            for (c, (column, (_, ty))) in columns.enumerate() {
                let thing = Thing {
                    ty: Some(ty.clone()),
                    ..plain(&column.name.text, Some(&t.ast.name.text), column.span)
                };
                self.put(&column.name, Symbol::Column(id, c as u32), thing);
            }
        }
        let declared: Vec<Use> = self.uses.iter().filter(|u| u.declares).copied().collect();
        for u in declared {
            if let Symbol::Var(id) = u.symbol
                && let Some(var) = self.cx.vars.get(id.0 as usize)
            {
                let thing = Thing { ty: Some(var.ty.clone()), ..plain(&var.name, None, u.span) };
                self.things.insert(u.symbol, thing);
            }
        }
    }

    fn cases(&mut self) {
        for file in self.cx.input.cases {
            let backgrounds = file.backgrounds.iter().map(|b| (&b.name, b.span, true));
            let cases = file.cases.iter().map(|c| (&c.name, c.span, false));
            for (name, whole, background) in backgrounds.chain(cases) {
                let symbol = if background { Symbol::Background(name.span) } else { Symbol::Case(name.span) };
                self.uses.push(Use { span: name.span, symbol, declares: true });
                self.things.insert(symbol, plain(&name.value, None, whole));
            }
        }
    }
}
