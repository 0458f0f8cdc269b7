//! The state of lowering one decision: registers, labels, segments of lazy parts, scopes of called decisions.
use crate::lang::typed::*;
use crate::program::code::*;
use crate::program::facts::{Element, Layout, Place};
use crate::program::link::Linked;
use crate::program::vm::fraction::Fraction;
use num_rational::BigRational;
use rustc_hash::FxHashMap;

/// What the compiled code does not cover: the construct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gap(pub String);

pub(super) type Low<T> = Result<T, Gap>;

pub(super) fn gap<T>(what: impl Into<String>) -> Low<T> {
    Err(Gap(what.into()))
}

/// A place in the code to be known later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot(u32);

/// Where an entity's slots lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Base {
    Root,
    /// The register holds the row's first slot.
    Row(Reg),
}

/// Where a value is at run time.
#[derive(Clone, Debug)]
pub(super) enum Val<'a> {
    /// A scalar; its type says what the bits mean.
    Reg(Reg),
    Frac(QReg),
    /// An entity among the facts.
    Ent(&'a Place, Base),
    /// A record made here.
    Rec(Vec<Val<'a>>),
    List(List<'a>),
    /// A set of enum members.
    Mask(Reg),
}

#[derive(Clone, Debug)]
pub(super) struct List<'a> {
    pub kind: ListKind<'a>,
    /// `Rows`: the first slot; otherwise the first of `vals`.
    pub start: Reg,
    /// Absent if the list is.
    pub len: Reg,
    /// The list that positions count in: a root of a scope.
    pub root: Option<(usize, RootId)>,
}

#[derive(Clone, Debug)]
pub(super) enum ListKind<'a> {
    /// Facts, one after the other.
    Rows(&'a Element),
    /// Chosen facts: (position, first slot) each. `fresh`: positions count anew, because the list stands for a root.
    Picked { element: &'a Element, fresh: bool },
    /// Numbers in `vals`.
    Scalars,
}

/// A loop variable.
#[derive(Clone, Debug)]
pub(super) struct Elem<'a> {
    pub val: Val<'a>,
    /// Position in the list that `root` names (or that is run over).
    pub pos: Reg,
    pub root: Option<(usize, RootId)>,
    /// For lists of facts: the row's first slot.
    pub base: Option<Reg>,
}

/// A part that is computed at most once, when first needed.
#[derive(Clone, Debug)]
pub(super) struct Lazy<'a> {
    pub flag: u16,
    pub label: Spot,
    pub val: Val<'a>,
}

/// What a lazy part is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum LazyKey {
    Let(LetId),
    InForce(PolicyId),
    /// A lookup or call by its canonical text.
    Text(String),
}

/// Whether a rule is effective: one register, or one per element.
#[derive(Clone, Debug)]
pub(super) enum Effective<'a> {
    Reg(Reg),
    /// `vals[start + position]`, and whether any is; only then the start and the list are set.
    Each {
        start: Reg,
        any: Reg,
        list: List<'a>,
    },
}

/// One evaluation of a decision: the program's own, or a call with roots replaced.
pub(super) struct Scope<'a> {
    pub decision: DecisionId,
    pub replaced: FxHashMap<RootId, Val<'a>>,
    pub lazies: FxHashMap<LazyKey, Option<Lazy<'a>>>,
    pub outputs: FxHashMap<OutputId, Option<OutVal<'a>>>,
    pub applicable: FxHashMap<RuleId, Effective<'a>>,
    pub effective: FxHashMap<(RuleId, Option<OutputId>), Effective<'a>>,
    pub digits: FxHashMap<OutputId, Option<u32>>,
    /// A call: nothing is noted for the outcome.
    pub called: bool,
}

/// An output's value in code.
#[derive(Clone, Debug)]
pub(super) enum OutVal<'a> {
    Plain(Val<'a>),
    /// `fractions`: the start is in the buffer of fractions.
    Lines {
        start: Reg,
        len: Reg,
        fractions: bool,
    },
    Records {
        entity: EntityId,
        present: Reg,
    },
}

pub(super) struct Builder<'a> {
    pub linked: &'a Linked,
    pub book: &'a Rulebook,
    pub layout: &'a Layout,
    pub code: Code,
    segments: Vec<Vec<Inst>>,
    segment: usize,
    labels: Vec<Option<(usize, usize)>>,
    next_reg: u32,
    next_frac: u32,
    next_flag: u32,
    pub scopes: Vec<Scope<'a>>,
    pub scope: usize,
    pub vars: FxHashMap<VarId, Elem<'a>>,
    /// Whose lookups are being lowered.
    pub reader: Reader,
    /// Calls made before, by the calling scope and the changes: the callee's scope, flag and code.
    pub known_calls: FxHashMap<(usize, String), (usize, u16, Spot)>,
    /// Outputs asked of each call, by the decision that calls and the changes.
    pub asked: FxHashMap<DecisionId, FxHashMap<String, Vec<OutputId>>>,
    /// Nesting of loops and calls at this point.
    pub loops: u32,
    pub depth: u32,
    pool: FxHashMap<i64, u32>,
    /// How often each let is read in the rulebook; empty until asked.
    pub let_uses: Vec<u32>,
    pub tables: FxHashMap<TableId, super::lookup::TableCode>,
}

impl<'a> Builder<'a> {
    pub fn new(linked: &'a Linked, decision: DecisionId) -> Builder<'a> {
        let mut b = Builder {
            linked,
            book: &linked.rulebook,
            layout: &linked.layout,
            code: Code::default(),
            segments: vec![Vec::new()],
            segment: 0,
            labels: Vec::new(),
            next_reg: 0,
            next_frac: 0,
            next_flag: 0,
            scopes: Vec::new(),
            scope: 0,
            vars: FxHashMap::default(),
            reader: Reader::Nobody,
            known_calls: FxHashMap::default(),
            asked: FxHashMap::default(),
            loops: 0,
            depth: 0,
            pool: FxHashMap::default(),
            let_uses: Vec::new(),
            tables: FxHashMap::default(),
        };
        b.push_scope(decision, FxHashMap::default(), false);
        b
    }

    pub fn push_scope(
        &mut self,
        decision: DecisionId,
        replaced: FxHashMap<RootId, Val<'a>>,
        called: bool,
    ) -> usize {
        self.scopes.push(Scope {
            decision,
            replaced,
            lazies: FxHashMap::default(),
            outputs: FxHashMap::default(),
            applicable: FxHashMap::default(),
            effective: FxHashMap::default(),
            digits: FxHashMap::default(),
            called,
        });
        self.scope = self.scopes.len() - 1;
        self.scope
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "`scope` always names a scope that was pushed; none is removed"
    )]
    pub fn here(&mut self) -> &mut Scope<'a> {
        &mut self.scopes[self.scope]
    }

    pub fn reg(&mut self) -> Reg {
        self.next_reg += 1;
        // Too many are refused when the code is finished.
        (self.next_reg - 1) as Reg
    }
    /// So many registers in a row.
    pub fn regs(&mut self, n: usize) -> Reg {
        let first = self.next_reg as Reg;
        self.next_reg += n as u32;
        first
    }
    pub fn frac(&mut self) -> QReg {
        self.next_frac += 1;
        (self.next_frac - 1) as QReg
    }
    pub fn flag(&mut self) -> u16 {
        self.next_flag += 1;
        (self.next_flag - 1) as u16
    }
    pub fn flags(&self) -> u32 {
        self.next_flag
    }

    pub fn emit(&mut self, inst: Inst) {
        let inst = match inst {
            Inst::JSlot { cmp: Cmp::EQ, slot, k, to } => Inst::JSlotIs { slot, k, to },
            Inst::JSlot { cmp: Cmp::NE, slot, k, to } => Inst::JSlotIsNot { slot, k, to },
            other => other,
        };
        if let Some(segment) = self.segments.get_mut(self.segment) {
            segment.push(inst);
        }
    }
    pub fn label(&mut self) -> Spot {
        self.labels.push(None);
        Spot(self.labels.len() as u32 - 1)
    }
    /// The label is here.
    pub fn place(&mut self, label: Spot) {
        let here = (self.segment, self.segments.get(self.segment).map_or(0, Vec::len));
        if let Some(slot) = self.labels.get_mut(label.0 as usize) {
            *slot = Some(here);
        }
    }
    pub fn target(label: Spot) -> Addr {
        label.0
    }
    pub fn jump(&mut self, to: Spot) {
        self.emit(Inst::Jmp { to: to.0 });
    }
    /// Emits `part` into a segment of its own.
    pub fn aside<T>(&mut self, part: impl FnOnce(&mut Self) -> Low<T>) -> Low<(Spot, T)> {
        let outer = self.segment;
        self.segments.push(Vec::new());
        self.segment = self.segments.len() - 1;
        let label = self.label();
        self.place(label);
        let done = part(self);
        self.segment = outer;
        Ok((label, done?))
    }

    pub fn pool(&mut self, value: i64) -> u32 {
        let next = self.code.pool.len() as u32;
        match self.pool.entry(value) {
            std::collections::hash_map::Entry::Occupied(at) => *at.get(),
            std::collections::hash_map::Entry::Vacant(at) => {
                at.insert(next);
                self.code.pool.push(value);
                next
            }
        }
    }
    pub fn pool16(&mut self, value: i64) -> Low<u16> {
        u16::try_from(self.pool(value)).map_err(|_| Gap("more than 65,536 constants".into()))
    }
    /// Load a constant.
    pub fn load(&mut self, dst: Reg, value: i64) {
        match i32::try_from(value) {
            Ok(k) => self.emit(Inst::Imm { dst, k }),
            Err(_) => {
                let k = self.pool(value);
                self.emit(Inst::Pool { dst, k });
            }
        }
    }
    pub fn constant(&mut self, value: i64) -> Reg {
        let dst = self.reg();
        self.load(dst, value);
        dst
    }
    pub fn fraction(&mut self, value: &BigRational) -> Low<QReg> {
        let Some(value) = Fraction::of(value) else { return gap("a number of more than 38 digits") };
        self.code.fractions.push(value);
        let (dst, k) = (self.frac(), self.code.fractions.len() as u32 - 1);
        self.emit(Inst::QPool { dst, k });
        Ok(dst)
    }
    pub fn set(&mut self, set: BitSet) -> Low<u16> {
        let at = match self.code.sets.iter().position(|s| *s == set) {
            Some(at) => at,
            None => {
                self.code.sets.push(set);
                self.code.sets.len() - 1
            }
        };
        u16::try_from(at).map_err(|_| Gap("more than 65,536 sets".into()))
    }

    /// A part that is computed at most once per evaluation, when first needed.
    pub fn lazy(&mut self, key: LazyKey, part: impl FnOnce(&mut Self) -> Low<Val<'a>>) -> Low<Val<'a>> {
        let known = self.here().lazies.get(&key).cloned();
        let lazy = match known {
            Some(Some(lazy)) => lazy,
            Some(None) => return gap("a value that reads itself"),
            None => {
                self.here().lazies.insert(key.clone(), None);
                let flag = self.flag();
                let loops = std::mem::take(&mut self.loops);
                let made = self.aside(|b| {
                    let val = part(b)?;
                    b.emit(Inst::Ret { flag });
                    Ok(val)
                });
                self.loops = loops;
                let (label, val) = match made {
                    Ok(made) => made,
                    Err(gap) => {
                        self.here().lazies.remove(&key);
                        return Err(gap);
                    }
                };
                let lazy = Lazy { flag, label, val };
                self.here().lazies.insert(key, Some(lazy.clone()));
                lazy
            }
        };
        self.emit(Inst::Gosub { flag: lazy.flag, to: lazy.label.0 });
        Ok(lazy.val)
    }

    /// The code, with all segments joined and all labels resolved.
    pub fn finish(mut self) -> Low<Code> {
        if self.next_reg > u32::from(u16::MAX) || self.next_frac > u32::from(u16::MAX) {
            return gap("more than 65,535 intermediate values");
        }
        if self.next_flag > u32::from(u16::MAX) || self.code.tables.len() > usize::from(u16::MAX) {
            return gap("more than 65,535 lets or tables");
        }
        let mut starts = Vec::new();
        let mut all = Vec::new();
        for segment in &self.segments {
            starts.push(all.len());
            all.extend(segment.iter().copied());
        }
        for inst in &mut all {
            if let Some(to) = super::target_of(inst) {
                let place = self.labels.get(*to as usize).copied().flatten();
                let Some(at) = place.and_then(|(seg, off)| starts.get(seg).map(|s| s + off)) else {
                    return gap("a jump to nowhere");
                };
                *to = at as u32;
            }
        }
        self.code.insts = all;
        self.code.registers = self.next_reg;
        self.code.fraction_registers = self.next_frac;
        self.code.flags = self.next_flag;
        Ok(self.code)
    }
}
