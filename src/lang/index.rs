//! What the words of a rulebook mean, place by place: for editors, which ask "what is this?" and "where else?".
//!
//! The checker fills it while it resolves names, so it says what the checker understood, also of a text with errors.
use crate::lang::source::{FileId, Span};
use crate::lang::typed::*;
use std::collections::{BTreeMap, BTreeSet};

/// Something that a rulebook names. Ids are those of one [`Index`]; they are not the ids of a checked [`Rulebook`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Symbol {
    Enum(EnumId),
    /// A word of an enum.
    Member(EnumId, u32),
    Taxonomy(TaxonomyId),
    Node(TaxonomyId, u32),
    Unit(UnitId),
    Currency(CurrencyId),
    Calendar(CalendarId),
    /// An entity or record; also the fact of its name that a decision is given.
    Entity(EntityId),
    Field(EntityId, u32),
    /// A fact without arguments that is declared as `fact`.
    Root(RootId),
    FactCall(FactCallId),
    /// What a fact is asked for by.
    FactParam(FactCallId, u32),
    Decision(DecisionId),
    Output(DecisionId, OutputId),
    /// A policy or library, one version of it: index into [`Index::policies`].
    Policy(u32),
    Let(LetId),
    Param(ParamId),
    Table(TableId),
    /// A column of a table, those of results after those of keys.
    Column(TableId, u32),
    Rule(RuleId),
    /// Index into [`Index::groups`].
    Group(u32),
    Var(VarId),
    /// By the place of its name.
    Background(Span),
    /// By the place of its name.
    Case(Span),
}

/// A place where something is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    pub span: Span,
    pub symbol: Symbol,
    /// Whether it is declared here.
    pub declares: bool,
}

/// A declared thing.
#[derive(Clone, Debug)]
pub struct Thing {
    pub name: String,
    /// What it belongs to: a policy's path, or the name of an entity, enum, taxonomy, decision, fact or table.
    pub home: Option<String>,
    /// The type of its values.
    pub ty: Option<Ty>,
    /// What it is called, or what it says, to people.
    pub label: Label,
    pub clause: Option<String>,
    /// The declaration, without the rows of a table.
    pub whole: Span,
    /// Further texts that matter to a reader: a param's settings by lower layers.
    pub more: Vec<Span>,
}

/// A policy or library, one version of it.
#[derive(Clone, Debug)]
pub struct PolicyPlace {
    pub path: String,
    /// `None`: a library, or one whose head cannot be read.
    pub decides: Option<DecisionId>,
    /// `chain jiajie`
    pub layer: String,
    /// Paths of what it uses and extends.
    pub sees: Vec<String>,
    pub extends: Vec<String>,
    /// From its head to the end of its last declaration.
    pub whole: Span,
}

/// All names of one rulebook.
#[derive(Clone, Debug, Default)]
pub struct Index {
    pub vocab: Vocab,
    pub policies: Vec<PolicyPlace>,
    /// Policy path and name of each group of rules.
    pub groups: Vec<(String, String)>,
    pub things: BTreeMap<Symbol, Thing>,
    /// Sorted by place.
    pub uses: Vec<Use>,
    /// Layer kinds, most general first.
    pub layers: Vec<String>,
    /// Every layer that some store lies in, as (kind, name), each store's own included.
    pub places: Vec<(String, String)>,
}

impl Index {
    /// What is named at a byte of a file, with the place of the name. Several: versions of one declaration.
    pub fn at(&self, file: FileId, byte: u32) -> Option<(Span, BTreeSet<Symbol>)> {
        let upto = self.uses.partition_point(|u| (u.span.file, u.span.start) <= (file.0, byte));
        // Names are short: the ones that may reach here begin close before.
        let near = self.uses.get(..upto).unwrap_or(&[]).iter().rev();
        let mut found: Option<(Span, BTreeSet<Symbol>)> = None;
        for u in near.take_while(|u| u.span.file == file.0).take(64).filter(|u| u.span.end >= byte) {
            match &mut found {
                // The innermost: the name itself rather than the path that ends with it.
                Some((span, symbols)) if *span == u.span => {
                    symbols.insert(u.symbol);
                }
                Some((span, _)) if length(*span) <= length(u.span) => {}
                _ => found = Some((u.span, BTreeSet::from([u.symbol]))),
            }
        }
        found
    }

    /// All versions of what is named: a place that may mean either makes them one.
    pub fn family(&self, symbols: &BTreeSet<Symbol>) -> BTreeSet<Symbol> {
        let mut all = symbols.clone();
        loop {
            let before = all.len();
            let mut rest = self.uses.as_slice();
            while let Some(first) = rest.first() {
                let (same, after) = rest.split_at(rest.partition_point(|u| u.span == first.span).max(1));
                if same.len() > 1 && same.iter().any(|u| all.contains(&u.symbol)) {
                    all.extend(same.iter().map(|u| u.symbol));
                }
                rest = after;
            }
            if all.len() == before {
                return all;
            }
        }
    }

    /// Every place that names one of these.
    pub fn places(&self, symbols: &BTreeSet<Symbol>) -> Vec<Use> {
        let mut places: Vec<Use> =
            self.uses.iter().filter(|u| symbols.contains(&u.symbol)).copied().collect();
        places.dedup_by_key(|u| u.span);
        places
    }

    /// The policy that a byte of a file lies in.
    pub fn policy_at(&self, file: FileId, byte: u32) -> Option<(u32, &PolicyPlace)> {
        let here = |p: &PolicyPlace| p.whole.file == file.0 && p.whole.start <= byte;
        let found = self.policies.iter().enumerate().filter(|(_, p)| here(p));
        found.max_by_key(|(_, p)| p.whole.start).map(|(i, p)| (i as u32, p))
    }
}

fn length(span: Span) -> u32 {
    span.end.saturating_sub(span.start)
}
