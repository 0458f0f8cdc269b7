//! The compiled form of one decision: register code over fact slots.
//!
//! Invariants: an instruction takes at most 12 bytes; registers are `i64`s whose meaning is known statically (bool 0/1,
//! integer, multiples of 1/10,000, ordinals, days, bit sets); [`ABSENT`] stands for absent; exact fractions live in
//! registers of their own; whatever is not a value leaves the code through [`Exit`].
mod inst;
mod ops;

pub use inst::*;
pub use ops::*;

use crate::lang::typed::{EffectOp, EntityId, FactCallId, LetId, OutputId, RuleId, TableId, Ty};
use crate::program::vm::fraction::Fraction;
use std::fmt;

/// What a register holds when the value is absent: no value of any type has these bits.
pub const ABSENT: i64 = i64::MIN;
/// A site that is not traced (lookups of called decisions).
pub const NO_SITE: u32 = u32::MAX;

/// Numbers 0 … as a bit set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BitSet(pub Vec<u64>);

impl BitSet {
    pub fn add(&mut self, n: u32) {
        let word = n as usize / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(w) = self.0.get_mut(word) {
            *w |= 1 << (n % 64);
        }
    }
    #[inline(always)]
    pub fn has(&self, n: i64) -> bool {
        self.0.get((n >> 6) as usize).is_some_and(|w| w >> (n & 63) & 1 != 0)
    }
}

/// A result column: one value per row, and the rows for which the rulebook is silent.
#[derive(Clone, Debug, Default)]
pub struct Column {
    pub values: Vec<i64>,
    pub undecided: Vec<bool>,
}

impl Column {
    /// The result in a row; `None` where the rulebook is silent.
    #[inline(always)]
    pub fn get(&self, row: i64) -> Option<i64> {
        // Most tables leave nothing open, and then the flags are not there at all.
        if self.undecided.get(row as usize).copied().unwrap_or(false) {
            return None;
        }
        self.values.get(row as usize).copied()
    }
}

/// A lookup whose only key is a root slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    pub slot: u16,
    pub optional: bool,
    pub table: u16,
    pub column: u16,
    pub site: u32,
}

/// Whose rows a site's rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reader {
    Rule(RuleId),
    Let(LetId),
    /// Guards, and whatever a called decision reads.
    Nobody,
}

/// A place in the code that reads a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Site {
    pub reader: Reader,
    pub table: TableId,
    /// Index into [`Code::tables`].
    pub index: u16,
}

/// A place in the code where a rule acts on an output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EffectSite {
    pub rule: RuleId,
    pub rank: u32,
    pub binding: bool,
    pub output: OutputId,
    pub op: EffectOp,
    /// Number of the output's combination in [`Code::combines`].
    pub out: u16,
}

/// How to combine an output.
#[derive(Clone, Debug)]
pub struct CombineSpec {
    pub output: OutputId,
    pub mode: crate::lang::typed::Mode,
    pub better: Option<crate::lang::typed::Better>,
    /// The output of a called decision: nothing is told of it.
    pub called: bool,
    /// Where the value before the clamps is (per line: the start of the values); none without clamps.
    pub before: Option<Reg>,
}

/// Where an output's value is after a run.
#[derive(Clone, Debug)]
pub enum OutPlace {
    /// A register, by the output's type (a bit set for `all`).
    Reg(Reg),
    Fraction(QReg),
    /// Per line: start (in `vals` or the buffer of fractions) and length.
    Lines {
        start: Reg,
        len: Reg,
        fractions: bool,
    },
    /// Records: the contributions of this combination; absent if the register is.
    Records {
        entity: EntityId,
        present: Reg,
    },
}

/// An override of a binding rule that was set aside, reported if the register is 1.
#[derive(Clone, Debug)]
pub struct AsideSite {
    pub kept: RuleId,
    pub aside: RuleId,
    pub on: Reg,
}

/// A fact with arguments and the types of these.
#[derive(Clone, Debug)]
pub struct CallSite {
    pub fact: FactCallId,
    pub args: Vec<Ty>,
    pub optional: bool,
}

/// The compiled form of one decision.
#[derive(Clone, Debug, Default)]
pub struct Code {
    pub insts: Vec<Inst>,
    pub pool: Vec<i64>,
    pub fractions: Vec<Fraction>,
    pub sets: Vec<BitSet>,
    pub columns: Vec<Column>,
    pub plans: Vec<Plan>,
    pub tables: Vec<crate::program::vm::table::TableIndex>,
    pub calls: Vec<CallSite>,
    pub sites: Vec<Site>,
    pub effects: Vec<EffectSite>,
    pub combines: Vec<CombineSpec>,
    pub asides: Vec<AsideSite>,
    /// The lets that a rule's condition and effects read, directly or through others.
    pub lets_of: rustc_hash::FxHashMap<RuleId, Vec<LetId>>,
    /// By the decision's outputs.
    pub outputs: Vec<OutPlace>,
    pub registers: u32,
    pub fraction_registers: u32,
    pub flags: u32,
    /// The program's only currency.
    pub currency: u8,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} instructions, {} registers, {} lazy parts",
            self.insts.len(),
            self.registers,
            self.flags
        )?;
        for (at, inst) in self.insts.iter().enumerate() {
            writeln!(f, "{at:5}  {inst}")?;
        }
        Ok(())
    }
}
