//! What can be named where the cursor is, and of what kind it is.
use super::line::{Line, Operand};
use super::{Offers, Rank, sort};
use crate::lang::check::FUNCTIONS;
use crate::lang::index::{Index, PolicyPlace, Symbol, Thing};
use crate::lang::syntax::{Around, Piece, PieceKind};
use crate::lang::typed::*;
use crate::lsp::names::Asked;
use crate::rulebook::Draft;

/// The names around the cursor.
pub(super) struct Scope<'s> {
    pub(super) index: &'s Index,
    pub(super) draft: &'s Draft,
    pub(super) file: crate::lang::source::FileId,
    pub(super) policy: Option<&'s PolicyPlace>,
    pub(super) decision: Option<DecisionId>,
    /// Elements of loops that are written before the cursor.
    vars: Vec<(String, Ty)>,
}

impl<'s> Scope<'s> {
    pub(super) fn new(asked: &Asked<'s>, around: &Around) -> Scope<'s> {
        let policy = asked.index.policy_at(asked.file, asked.byte).map(|(_, p)| p);
        let mut scope = Scope {
            index: asked.index,
            draft: asked.draft,
            file: asked.file,
            policy,
            decision: policy.and_then(|p| p.decides),
            vars: Vec::new(),
        };
        scope.loops(&around.before);
        scope
    }

    /// The same outside any policy, about a decision.
    pub(super) fn deciding(&self, decision: Option<DecisionId>) -> Scope<'s> {
        Scope { vars: self.vars.clone(), policy: None, decision, ..*self }
    }

    /// `for each l in lines`, `for l in lines`: names and what they run over, as far as that is plain.
    fn loops(&mut self, before: &[Piece]) {
        let words: Vec<&Piece> = before.iter().filter(|p| p.kind != PieceKind::LineBreak).collect();
        for (at, _) in words.iter().enumerate().filter(|(_, p)| p.text == "for") {
            let word = |i: usize| words.get(at + i).map_or("", |p| p.text.as_str());
            let skip = if word(1) == "each" { 2 } else { 1 };
            if word(skip + 1) != "in" {
                continue;
            }
            let mut path = vec![word(skip + 2)];
            let mut i = skip + 3;
            while word(i) == "." {
                path.push(word(i + 1));
                i += 2;
            }
            if let Some(Ty::List(of)) = self.of_path(&path).as_ref().map(Ty::inner) {
                self.vars.push((word(skip).to_owned(), (**of).clone()));
            }
        }
    }

    /// Declared things with their symbols.
    pub(super) fn things(&self) -> impl Iterator<Item = (Symbol, &'s Thing)> {
        self.index.things.iter().map(|(s, t)| (*s, t))
    }

    /// Whether a declaration of the policy with that path is seen without it.
    fn sees(&self, home: &str) -> bool {
        self.policy.is_some_and(|p| p.path == home || p.sees.iter().any(|s| s == home))
    }

    /// Lets, params, tables and calendars that can be named bare.
    pub(super) fn declared(&self) -> impl Iterator<Item = (Symbol, &'s Thing)> {
        self.things().filter(|(s, t)| {
            matches!(s, Symbol::Let(_) | Symbol::Param(_) | Symbol::Table(_))
                && t.home.as_deref().is_some_and(|home| self.sees(home))
        })
    }

    fn field(&self, ty: &Ty, name: &str) -> Option<Ty> {
        let Ty::Entity(id) = ty.inner() else { return None };
        let def = self.index.vocab.entities.get(id.ix())?;
        def.fields.iter().find(|f| f.name == name).map(|f| f.ty.clone())
    }

    fn head(&self, name: &str) -> Option<Ty> {
        if let Some((_, ty)) = self.vars.iter().rev().find(|(n, _)| n == name) {
            return Some(ty.clone());
        }
        if let Some((_, thing)) =
            self.declared().find(|(s, t)| t.name == name && !matches!(s, Symbol::Table(_)))
        {
            return thing.ty.clone();
        }
        let vocab = &self.index.vocab;
        if let Some(out) = self.outputs().iter().find(|o| o.name == name) {
            return Some(out.value_ty());
        }
        vocab.roots.iter().find(|r| r.name == name).map(|r| r.ty.clone())
    }

    /// The kind of what a path names.
    pub(super) fn of_path(&self, path: &[&str]) -> Option<Ty> {
        let (first, rest) = path.split_first()?;
        if let Some(mut ty) = self.head(first) {
            for name in rest {
                let per_line = self.outputs().iter().find(|o| o.name == **name && o.per.is_some());
                ty = self.field(&ty, name).or_else(|| per_line.map(|o| o.value_ty()))?;
            }
            return Some(ty);
        }
        let (home, name) = self.full(path)?;
        let found = self.things().find(|(s, t)| {
            matches!(s, Symbol::Let(_) | Symbol::Param(_))
                && t.home.as_deref() == Some(&*home)
                && t.name == name
        });
        found.and_then(|(_, t)| t.ty.clone())
    }

    /// A policy's path and the name after it.
    fn full<'n>(&self, path: &[&'n str]) -> Option<(String, &'n str)> {
        let (name, home) = path.split_last()?;
        let home = home.join(".");
        self.index.policies.iter().any(|p| p.path == home).then_some((home, *name))
    }

    /// The kind of an operand.
    pub(super) fn of_operand(&self, operand: &Operand<'_>) -> Option<Ty> {
        if !operand.call {
            return self.of_path(&operand.path);
        }
        let (mut ty, rest) = match operand.fields.split_first() {
            Some((first, rest)) => {
                match self.parts_of_call(&operand.path).into_iter().find(|(n, _)| n == first) {
                    Some((_, ty)) => (ty, rest),
                    None => (self.of_call(&operand.path)?, operand.fields.as_slice()),
                }
            }
            None => (self.of_call(&operand.path)?, operand.fields.as_slice()),
        };
        for name in rest {
            ty = self.field(&ty, name)?;
        }
        Some(ty)
    }

    /// The table that a path names.
    pub(super) fn table(&self, path: &[&str]) -> Option<(TableId, &'s Thing)> {
        let table = |home: &dyn Fn(&str) -> bool, name: &str| {
            self.things().find_map(|(s, t)| match s {
                Symbol::Table(id) if t.name == name && t.home.as_deref().is_some_and(home) => Some((id, t)),
                _ => None,
            })
        };
        match path {
            [name] => table(&|home| self.sees(home), name),
            _ => {
                let (home, name) = self.full(path)?;
                table(&|h| h == home, name)
            }
        }
    }

    /// The columns of a table: name, kind, in their order.
    pub(super) fn columns(&self, table: TableId) -> Vec<(String, Ty)> {
        let of = self.index.things.range(Symbol::Column(table, 0)..=Symbol::Column(table, u32::MAX));
        of.filter_map(|(_, t)| Some((t.name.clone(), t.ty.clone()?))).collect()
    }

    /// What a call asks for: names and kinds.
    pub(super) fn asks(&self, path: &[&str]) -> Vec<(String, Ty)> {
        let vocab = &self.index.vocab;
        if let Some((id, thing)) = self.table(path) {
            // Columns of results follow those of keys; the head says where.
            let keys = self.draft.snippet(thing.whole).split("->").next().unwrap_or("").matches(':').count();
            return self.columns(id).into_iter().take(keys).collect();
        }
        let [name] = path else { return Vec::new() };
        if let Some(fact) = vocab.fact_calls.iter().find(|f| f.name == *name) {
            return fact.params.clone();
        }
        if let Some(entity) = vocab.entities.iter().find(|e| e.name == *name) {
            return entity.fields.iter().map(|f| (f.name.clone(), f.ty.clone())).collect();
        }
        if let Some(decision) = vocab.decisions.iter().find(|d| d.name == *name) {
            let roots = decision.given.iter().filter_map(|r| vocab.roots.get(r.ix()));
            return roots.map(|r| (r.name.clone(), r.ty.clone())).collect();
        }
        Vec::new()
    }

    /// What may follow the dot after a call: the results of a table, the outputs of a decision.
    pub(super) fn parts_of_call(&self, path: &[&str]) -> Vec<(String, Ty)> {
        if let Some((id, _)) = self.table(path) {
            let keys = self.asks(path).len();
            return self.columns(id).into_iter().skip(keys).collect();
        }
        let [name] = path else { return Vec::new() };
        let decision = self.index.vocab.decisions.iter().find(|d| d.name == *name);
        let outputs = decision.map(|d| d.outputs.as_slice()).unwrap_or_default();
        outputs.iter().filter(|o| !o.working).map(|o| (o.name.clone(), o.value_ty())).collect()
    }

    fn of_call(&self, path: &[&str]) -> Option<Ty> {
        let vocab = &self.index.vocab;
        if let Some((_, thing)) = self.table(path) {
            return thing.ty.clone();
        }
        let [name] = path else { return None };
        if let Some(fact) = vocab.fact_calls.iter().find(|f| f.name == *name) {
            return Some(fact.ty.clone());
        }
        let entity = vocab.entities.iter().position(|e| e.name == *name);
        entity.map(|at| Ty::Entity(EntityId(at as u32)))
    }

    /// The outputs of the decision at hand.
    pub(super) fn outputs(&self) -> &'s [OutputDef] {
        let decision = self.decision.and_then(|d| self.index.vocab.decisions.get(d.ix()));
        decision.map(|d| d.outputs.as_slice()).unwrap_or_default()
    }

    /// The words that a value of a kind may be.
    pub(super) fn values(&self, ty: &Ty, offers: &mut Offers) {
        let vocab = &self.index.vocab;
        let label = |l: &Label| [&l.zh, &l.en].into_iter().flatten().cloned().collect::<Vec<_>>().join(" · ");
        match ty.inner() {
            Ty::List(of) | Ty::Set(of) => self.values(of, offers),
            Ty::Enum(id) => {
                for m in vocab.enums.get(id.ix()).map(|e| e.members.as_slice()).unwrap_or_default() {
                    offers.put(Rank::Wanted, sort::VALUE, &m.name, label(&m.label));
                }
            }
            Ty::Node(id) => {
                for n in vocab.taxonomies.get(id.ix()).map(|t| t.nodes.as_slice()).unwrap_or_default() {
                    offers.put(Rank::Wanted, sort::VALUE, &n.name, label(&n.label));
                }
            }
            Ty::Bool => {
                for word in ["yes", "no"] {
                    offers.put(Rank::Wanted, sort::WORD, word, "");
                }
            }
            _ => {}
        }
        if ty.is_optional() {
            offers.put(Rank::Word, sort::WORD, "absent", "");
        }
    }

    /// What may follow a dot.
    pub(super) fn fields(&self, line: &Line<'_>, offers: &mut Offers) {
        let Some(operand) = line.operand(line.len().saturating_sub(1)) else { return };
        if operand.call && operand.fields.is_empty() {
            for (name, ty) in self.parts_of_call(&operand.path) {
                offers.put(Rank::Wanted, sort::FIELD, name, self.index.vocab.type_name(&ty));
            }
            if operand.path == ["fill"] {
                for part in ["value", "used", "rows"] {
                    offers.put(Rank::Wanted, sort::FIELD, part, "");
                }
            }
        }
        if let Some(Ty::Entity(id)) = self.of_operand(&operand).as_ref().map(Ty::inner) {
            for f in self.index.vocab.entities.get(id.ix()).map(|e| e.fields.as_slice()).unwrap_or_default() {
                let ty = self.index.vocab.type_name(&f.ty);
                let called = f.label.zh("");
                offers.put(Rank::Wanted, sort::FIELD, &f.name, format!("{ty} {called}").trim_end());
            }
            let [var] = operand.path.as_slice() else { return };
            if self.vars.iter().any(|(n, _)| n == var) {
                for o in self.outputs().iter().filter(|o| o.per.is_some()) {
                    offers.put(Rank::Name, sort::FIELD, &o.name, "output per element");
                }
            }
            return;
        }
        if let [ty] = operand.path.as_slice() {
            let vocab = &self.index.vocab;
            let of_enum = vocab.enums.iter().position(|e| e.name == *ty).map(|i| Ty::Enum(EnumId(i as u32)));
            let of_tree =
                vocab.taxonomies.iter().position(|t| t.name == *ty).map(|i| Ty::Node(TaxonomyId(i as u32)));
            if let Some(ty) = of_enum.or(of_tree) {
                self.values(&ty, offers);
            }
        }
        self.below(&operand.path.join("."), offers);
    }

    /// What follows the beginning of a policy's path: the rest of the path, or what the policy declares.
    fn below(&self, path: &str, offers: &mut Offers) {
        let start = format!("{path}.");
        for p in &self.index.policies {
            if let Some(next) = p.path.strip_prefix(&start).and_then(|rest| rest.split('.').next()) {
                offers.put(Rank::Name, sort::POLICY, next, "policy");
            }
        }
        for (symbol, thing) in self.things().filter(|(_, t)| t.home.as_deref() == Some(path)) {
            let kind = match symbol {
                Symbol::Let(_) | Symbol::Param(_) => sort::NAME,
                Symbol::Table(_) => sort::CALL,
                Symbol::Rule(_) | Symbol::Group(_) => sort::RULE,
                _ => continue,
            };
            offers.put(Rank::Name, kind, &thing.name, self.detail(symbol, thing));
        }
    }

    /// A few words on a declared thing.
    pub(super) fn detail(&self, symbol: Symbol, thing: &Thing) -> String {
        let kind = crate::lsp::hover::kind(symbol);
        match (&thing.ty, &thing.clause) {
            (Some(ty), _) => format!("{kind}: {}", self.index.vocab.type_name(ty)),
            (None, Some(clause)) => format!("{kind} §{}", clause.trim_start_matches('§')),
            (None, None) => kind.to_owned(),
        }
    }

    /// Everything that an expression may name.
    pub(super) fn names(&self, offers: &mut Offers) {
        let vocab = &self.index.vocab;
        for (name, ty) in &self.vars {
            offers.put(Rank::Name, sort::NAME, name, vocab.type_name(ty));
        }
        for (symbol, thing) in self.declared() {
            let kind = if matches!(symbol, Symbol::Table(_)) { sort::CALL } else { sort::NAME };
            offers.put(Rank::Name, kind, &thing.name, self.detail(symbol, thing));
        }
        self.facts(offers);
        for o in self.outputs() {
            offers.put(
                Rank::Wide,
                sort::NAME,
                &o.name,
                format!("output: {}", vocab.type_name(&o.value_ty())),
            );
        }
        for (name, usage) in FUNCTIONS {
            offers.put(Rank::Wide, sort::CALL, name, usage);
        }
        for (name, usage) in LOOPS {
            offers.put(Rank::Wide, sort::CALL, name, usage);
        }
    }

    /// The facts that the decision is given, and those that any may read.
    pub(super) fn facts(&self, offers: &mut Offers) {
        let vocab = &self.index.vocab;
        let decision = self.decision.and_then(|d| vocab.decisions.get(d.ix()));
        for (i, r) in vocab.roots.iter().enumerate() {
            let given = decision.is_none_or(|d| d.given.contains(&RootId(i as u32)));
            if given || r.source != Source::Request {
                offers.put(Rank::Name, sort::NAME, &r.name, format!("fact: {}", vocab.type_name(&r.ty)));
            }
        }
        for (i, f) in vocab.fact_calls.iter().enumerate() {
            let given = decision.is_none_or(|d| d.given_calls.contains(&FactCallId(i as u32)));
            if given || f.source != Source::Request {
                offers.put(Rank::Name, sort::CALL, &f.name, format!("fact: {}", vocab.type_name(&f.ty)));
            }
        }
    }

    /// Types, as a declaration names them.
    pub(super) fn types(&self, offers: &mut Offers) {
        let vocab = &self.index.vocab;
        for (name, _) in crate::lang::check::TYPES {
            offers.put(Rank::Wide, sort::TYPE, name, "type of the language");
        }
        let named = (vocab.enums.iter().map(|e| (&e.name, "enum")))
            .chain(vocab.taxonomies.iter().map(|t| (&t.name, "taxonomy")))
            .chain(vocab.units.iter().map(|u| (&u.name, "unit")))
            .chain(vocab.entities.iter().map(|e| (&e.name, if e.record { "record" } else { "entity" })));
        for (name, kind) in named {
            offers.put(Rank::Name, sort::TYPE, name, kind);
        }
        offers.words(["list", "set"]);
    }

    /// Rules and groups: those of the policy and of what it extends bare, others by their full path.
    pub(super) fn rules(&self, offers: &mut Offers) {
        for (symbol, thing) in self.things().filter(|(s, _)| matches!(s, Symbol::Rule(_) | Symbol::Group(_)))
        {
            let Some(home) = &thing.home else { continue };
            let own = self.policy.is_some_and(|p| p.path == *home || p.extends.contains(home));
            let same = |p: &PolicyPlace| p.path == *home && p.decides == self.decision;
            if own {
                offers.put(Rank::Wanted, sort::RULE, &thing.name, self.detail(symbol, thing));
            } else if self.index.policies.iter().any(same) {
                let full = format!("{home}.{}", thing.name);
                offers.put(Rank::Name, sort::RULE, full, self.detail(symbol, thing));
            }
        }
    }
}

/// What runs over a list.
const LOOPS: [(&str, &str); 6] = [
    ("sum", "sum(e for x in list where c)"),
    ("count", "count(x in list where c)"),
    ("any", "any(c for x in list)"),
    ("all", "all(c for x in list)"),
    ("list", "list(x for x in list where c)"),
    ("split", "split(amount by weight for x in list)"),
];
