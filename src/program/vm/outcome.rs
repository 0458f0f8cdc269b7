//! A run's frame told as an outcome: the same as the reference walk's.
use crate::lang::typed::*;
use crate::program::code::{ABSENT, Code, OutPlace, Reader, Reg};
use crate::program::facts::{Facts, SCALE, unpack_period};
use crate::program::link::Linked;
use crate::program::outcome::{Because, Outcome, RowHit, State};
use crate::program::value::Value;
use crate::program::vm::combine;
use crate::program::vm::fraction::Fraction;
use crate::program::vm::{Contribution, Frame};
use num_bigint::BigInt;
use num_rational::BigRational;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

struct Teller<'a> {
    code: &'a Code,
    linked: &'a Linked,
    facts: &'a Facts,
    frame: &'a Frame,
}

/// What a successful run answered.
pub(crate) fn outcome(
    code: &Code,
    linked: &Linked,
    decision: DecisionId,
    facts: &Facts,
    frame: &Frame,
) -> Outcome {
    let t = Teller { code, linked, facts, frame };
    let defs = linked.rulebook.vocab.decisions.get(decision.ix()).map(|d| d.outputs.as_slice());
    let mut outputs = Vec::new();
    let mut because: BTreeMap<RuleId, BTreeSet<OutputId>> = BTreeMap::new();
    let mut set_aside = BTreeSet::new();
    for (i, (place, def)) in code.outputs.iter().zip(defs.unwrap_or_default()).enumerate() {
        let output = OutputId(i as u32);
        outputs.push(State::Value(t.output(output, place, def)));
        // Outputs of called decisions have combinations, too, but note nothing.
        for out in (0..code.combines.len() as u16).filter(|o| t.is_of(*o, output)) {
            let told = combine::told(code, frame, out, place, def);
            for rule in told.deciding {
                because.entry(rule).or_default().insert(output);
            }
            set_aside.extend(told.set_aside);
        }
    }
    for aside in &code.asides {
        if frame.reg(aside.on) == 1 {
            set_aside.insert((aside.kept, aside.aside));
        }
    }
    let because = because
        .into_iter()
        .map(|(rule, outputs)| Because { rule, outputs: outputs.into_iter().collect(), rows: t.rows(rule) })
        .collect();
    Outcome { decision, outputs, because, open: Vec::new(), set_aside: set_aside.into_iter().collect() }
}

/// An output, as far as two runs of the same code over texts with the same numbers are compared: equal if and only if the
/// values are.
#[derive(PartialEq)]
pub(crate) enum Seen {
    Bits(i64),
    Told(Value),
}

/// What a successful run returned, without whom it is owed to.
pub(crate) fn returned(
    code: &Code,
    linked: &Linked,
    decision: DecisionId,
    facts: &Facts,
    frame: &Frame,
) -> Vec<Seen> {
    let t = Teller { code, linked, facts, frame };
    let defs = linked.rulebook.vocab.decisions.get(decision.ix()).map(|d| d.outputs.as_slice());
    let places = code.outputs.iter().zip(defs.unwrap_or_default()).enumerate();
    let all =
        places.filter(|(_, (_, def))| !def.working).map(|(i, (place, def))| match (place, def.ty.inner()) {
            (_, Ty::Entity(_) | Ty::List(_) | Ty::Set(_) | Ty::Opt(_) | Ty::Never) => {
                Seen::Told(t.output(OutputId(i as u32), place, def))
            }
            // Bits are read by their type, one way.
            (OutPlace::Reg(reg), _) => Seen::Bits(frame.reg(*reg)),
            _ => Seen::Told(t.output(OutputId(i as u32), place, def)),
        });
    all.collect()
}

/// The value that a register of a type holds; of the types that arguments have.
pub(crate) fn argument(
    code: &Code,
    linked: &Linked,
    facts: &Facts,
    frame: &Frame,
    reg: Reg,
    ty: &Ty,
) -> Value {
    match frame.reg(reg) {
        ABSENT => Value::Absent,
        bits => Teller { code, linked, facts, frame }.value(bits, ty),
    }
}

impl Teller<'_> {
    fn is_of(&self, out: u16, output: OutputId) -> bool {
        self.code.combines.get(usize::from(out)).is_some_and(|c| c.output == output && !c.called)
    }

    fn output(&self, output: OutputId, place: &OutPlace, def: &OutputDef) -> Value {
        match place {
            OutPlace::Reg(reg) => match (def.mode, self.frame.reg(*reg)) {
                (_, ABSENT) => Value::Absent,
                (Mode::All, mask) => self.set(mask, &def.ty),
                (_, bits) => self.value(bits, &def.ty),
            },
            OutPlace::Fraction(q) => match self.frame.fractions.get(usize::from(*q)) {
                Some(q) if !q.is_absent() => self.fraction(q, &def.ty),
                _ => Value::Absent,
            },
            OutPlace::Lines { start, len, fractions } => {
                let (start, len) = (self.frame.reg(*start), self.frame.reg(*len));
                if len == ABSENT {
                    return Value::Absent;
                }
                if *fractions {
                    let lines = self.frame.fraction_vals.get(start as usize..(start + len) as usize);
                    let value =
                        |q: &Fraction| if q.is_absent() { Value::Absent } else { self.fraction(q, &def.ty) };
                    return Value::List(Arc::new(lines.unwrap_or_default().iter().map(value).collect()));
                }
                let bits = self.frame.vals.get(start as usize..(start + len) as usize).unwrap_or_default();
                let line = |bits: &i64| match (*bits, def.mode) {
                    (ABSENT, _) => Value::Absent,
                    (mask, Mode::All) => self.set(mask, &def.ty),
                    (bits, _) => self.value(bits, &def.ty),
                };
                Value::List(Arc::new(bits.iter().map(line).collect()))
            }
            OutPlace::Records { entity, present } => {
                if self.frame.reg(*present) == ABSENT {
                    return Value::Absent;
                }
                let fields = self.linked.rulebook.vocab.entities.get(entity.ix());
                let fields = fields.map(|e| e.fields.as_slice()).unwrap_or_default();
                let record = |c: &Contribution| {
                    let bits = self.frame.vals.get(c.value as usize..).unwrap_or_default();
                    let values = bits.iter().zip(fields).map(|(b, f)| match *b {
                        ABSENT => Value::Absent,
                        bits => self.value(bits, &f.ty),
                    });
                    Value::Record(*entity, Arc::new(values.collect()))
                };
                let own = self.frame.contributions.iter().filter(|c| {
                    let site = self.code.effects.get(c.site as usize);
                    site.is_some_and(|s| self.is_of(s.out, output))
                });
                Value::List(Arc::new(own.map(record).collect()))
            }
        }
    }

    fn set(&self, mask: i64, ty: &Ty) -> Value {
        let members = (0..63).filter(|bit| mask >> bit & 1 != 0).map(|bit| self.value(bit, ty));
        Value::Set(Arc::new(members.collect()))
    }

    fn fraction(&self, q: &Fraction, ty: &Ty) -> Value {
        match ty.inner() {
            Ty::Money => Value::Money(q.exact(), CurrencyId(u32::from(self.code.currency))),
            _ => Value::Num(q.exact()),
        }
    }

    fn value(&self, bits: i64, ty: &Ty) -> Value {
        let fixed = || BigRational::new(BigInt::from(bits), BigInt::from(SCALE));
        match ty.inner() {
            Ty::Bool => Value::Bool(bits != 0),
            Ty::Int => Value::Num(BigRational::from_integer(BigInt::from(bits))),
            Ty::Dec | Ty::Unit(_) | Ty::Rate(..) => Value::Num(fixed()),
            Ty::Money => Value::Money(fixed(), CurrencyId(u32::from(self.code.currency))),
            Ty::Text => match self.facts.text(&self.linked.symbols, bits) {
                Some(text) => Value::Text(text.clone()),
                None => Value::Absent,
            },
            Ty::Date => Value::Date(bits as i32),
            Ty::DateTime => Value::DateTime(bits),
            Ty::Period => Value::Period(unpack_period(bits)),
            Ty::Duration => Value::Duration(bits),
            Ty::Enum(_) => Value::Enum(bits as u32),
            Ty::Node(_) => Value::Node(bits as u32),
            Ty::Entity(_) | Ty::List(_) | Ty::Set(_) | Ty::Opt(_) | Ty::Never => Value::Absent,
        }
    }

    /// The rows hit at the lookups that a rule reaches, by whomever.
    fn rows(&self, rule: RuleId) -> Vec<RowHit> {
        let lets = self.code.lets_of.get(&rule).map(Vec::as_slice).unwrap_or_default();
        let mut rows: Vec<RowHit> = Vec::new();
        for &(site, row) in &self.frame.trace {
            let Some(site) = self.code.sites.get(site as usize) else { continue };
            let own = match site.reader {
                Reader::Rule(r) => r == rule,
                Reader::Let(l) => lets.contains(&l),
                Reader::Nobody => false,
            };
            let row = self.code.tables.get(usize::from(site.index)).and_then(|t| t.rows.get(row as usize));
            if own && let Some(row) = row {
                rows.push(RowHit { table: site.table, block: row.block, row: row.row });
            }
        }
        rows.sort_unstable();
        rows.dedup();
        rows
    }
}
