//! Runs compiled code.
//!
//! Invariants: a run never allocates once its frame is warm, never guesses (what is not a value, and whatever does not
//! fit a register, leaves the run), and always ends (jumps go forward but for counted loops).
mod combine;
pub mod fraction;
mod frame;
mod functions;
mod outcome;
pub mod table;

pub use frame::{Contribution, Frame, REGISTERS};
pub(crate) use outcome::{Seen, argument, outcome, returned};

use crate::program::code::{ABSENT, Code, Inst};
use crate::program::facts::{Facts, ListData, SCALE, Slot, Tag};
use crate::program::link::Linked;
use fraction::{Fraction, bits, round_div, round_div_64};

/// Why a run ended without an answer: the reference walk decides on the same facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The decision is not compiled.
    NotCompiled,
    /// A currency that the program does not count in.
    Currency,
    /// The instruction at which something was not a value.
    At(u32),
}

/// A slot that may be absent.
#[inline(always)]
fn optional(slot: Option<&Slot>) -> Option<i64> {
    match slot {
        Some(s) if s.tag == Tag::Value && s.bits != ABSENT => Some(s.bits),
        Some(s) if s.tag == Tag::Absent => Some(ABSENT),
        _ => None,
    }
}

/// A slot that must hold a value.
#[inline(always)]
fn present(slot: Option<&Slot>) -> Option<i64> {
    match slot {
        Some(s) if s.tag == Tag::Value => Some(s.bits),
        _ => None,
    }
}

#[inline(always)]
fn sum(a: i64, b: i64) -> Option<i64> {
    a.checked_add(b).filter(|v| *v != ABSENT)
}

/// Run a decision's code over facts; the results stay in the frame.
#[expect(
    clippy::indexing_slicing,
    reason = "registers are indexed by u16 within an array of 2^16, the rest by numbers that the compiler of this code \
              made; a miss would panic, not corrupt"
)]
pub(crate) fn run(code: &Code, linked: &Linked, facts: &Facts, frame: &mut Frame) -> Result<(), Exit> {
    if facts.mixed_currencies || facts.currency.is_some_and(|c| c != code.currency) {
        return Err(Exit::Currency);
    }
    frame.reset(code.fraction_registers as usize, code.flags as usize);
    let Frame {
        regs,
        fractions,
        flags,
        calls,
        vals,
        trace,
        contributions,
        fraction_notes,
        fraction_vals,
        standing,
    } = frame;
    let regs: &mut [i64; REGISTERS] = regs;
    let slots = facts.slots.as_slice();
    let rows = facts.rows.as_slice();
    let insts = code.insts.as_slice();
    let mut pc = 0usize;
    macro_rules! r {
        ($r:expr) => {
            regs[usize::from($r)]
        };
    }
    macro_rules! q {
        ($r:expr) => {
            fractions[usize::from($r)]
        };
    }
    // The value of an option, or leave.
    macro_rules! need {
        ($e:expr) => {
            match $e {
                Some(value) => value,
                None => return Err(Exit::At(pc as u32)),
            }
        };
    }
    macro_rules! go {
        ($cond:expr, $to:expr) => {
            if $cond {
                pc = $to as usize;
                continue;
            }
        };
    }
    macro_rules! contribute {
        ($site:expr, $elem:expr, $value:expr) => {
            contributions.push(Contribution { site: $site, elem: $elem as u32, value: $value })
        };
    }
    loop {
        match insts[pc] {
            Inst::Slot { dst, slot } => r!(dst) = need!(present(slots.get(slot as usize))),
            Inst::SlotOpt { dst, slot } => r!(dst) = need!(optional(slots.get(slot as usize))),
            Inst::Row { dst, base, off } => {
                r!(dst) = need!(present(rows.get(r!(base) as usize + usize::from(off))));
            }
            Inst::RowOpt { dst, base, off } => {
                r!(dst) = need!(optional(rows.get(r!(base) as usize + usize::from(off))));
            }
            Inst::Imm { dst, k } => r!(dst) = i64::from(k),
            Inst::Pool { dst, k } => r!(dst) = code.pool[k as usize],
            Inst::Mov { dst, src } => r!(dst) = r!(src),
            Inst::Jmp { to } => {
                pc = to as usize;
                continue;
            }
            Inst::JSlotIs { slot, k, to } => {
                let a = need!(present(slots.get(usize::from(slot))));
                go!(a == i64::from(k), to);
            }
            Inst::JSlotIsNot { slot, k, to } => {
                let a = need!(present(slots.get(usize::from(slot))));
                go!(a != i64::from(k), to);
            }
            Inst::JSlot { cmp, slot, k, to } => {
                let a = need!(present(slots.get(usize::from(slot))));
                go!(cmp.test(a, i64::from(k)), to);
            }
            Inst::JSlotOpt { cmp, slot, k, to } => {
                let a = need!(optional(slots.get(usize::from(slot))));
                go!(cmp.test(a, i64::from(k)), to);
            }
            Inst::JSlots { cmp, a, b, to } => {
                let a = need!(present(slots.get(usize::from(a))));
                let b = need!(present(slots.get(usize::from(b))));
                go!(cmp.test(a, b), to);
            }
            Inst::JSlotReg { cmp, slot, b, to } => {
                let a = need!(present(slots.get(usize::from(slot))));
                go!(cmp.test(a, r!(b)), to);
            }
            Inst::JImm { cmp, a, k, to } => go!(cmp.test(r!(a), i64::from(k)), to),
            Inst::JReg { cmp, a, b, to } => go!(cmp.test(r!(a), r!(b)), to),
            Inst::JAbsent { want, a, to } => go!((r!(a) == ABSENT) == want, to),
            Inst::JIn { want, a, set, to } => {
                let a = r!(a);
                go!((a >= 0 && code.sets[usize::from(set)].has(a)) == want, to);
            }
            Inst::JSlotIn { want, slot, set, to } => {
                let a = need!(present(slots.get(usize::from(slot))));
                go!(code.sets[usize::from(set)].has(a) == want, to);
            }
            Inst::JBit { want, a, mask, to } => {
                let a = r!(a);
                go!(((0..63).contains(&a) && r!(mask) >> a & 1 != 0) == want, to);
            }
            Inst::JQ { cmp, a, b, to } => {
                let ordering = need!(q!(a).compare(q!(b)));
                go!(cmp.accepts(ordering), to);
            }
            Inst::JQAbsent { want, a, to } => go!(q!(a).is_absent() == want, to),
            Inst::Gosub { flag, to } => {
                if !flags[usize::from(flag)] {
                    calls.push(pc as u32 + 1);
                    pc = to as usize;
                    continue;
                }
            }
            Inst::Ret { flag } => {
                flags[usize::from(flag)] = true;
                pc = need!(calls.pop()) as usize;
                continue;
            }
            Inst::ClearFlags { from, n } => {
                flags[usize::from(from)..usize::from(from) + usize::from(n)].fill(false);
            }
            Inst::Halt => return Ok(()),
            Inst::Leave => return Err(Exit::At(pc as u32)),
            Inst::Add { dst, a, b } => r!(dst) = need!(sum(r!(a), r!(b))),
            Inst::Sub { dst, a, b } => {
                r!(dst) = need!(r!(a).checked_sub(r!(b)).filter(|v| *v != ABSENT));
            }
            Inst::Neg { dst, a } => r!(dst) = need!(r!(a).checked_neg()),
            Inst::Abs { dst, a } => r!(dst) = need!(r!(a).checked_abs()),
            Inst::Mul { dst, a, b } => {
                r!(dst) = need!(r!(a).checked_mul(r!(b)).filter(|v| *v != ABSENT));
            }
            Inst::MulFix { dst, a, b } => {
                let (a, b) = (r!(a), r!(b));
                r!(dst) = need!(match a.checked_mul(b) {
                    Some(p) if p % SCALE == 0 => Some(p / SCALE),
                    Some(_) => None,
                    None => {
                        let p = i128::from(a) * i128::from(b);
                        if p % i128::from(SCALE) == 0 { bits(p / i128::from(SCALE)) } else { None }
                    }
                });
            }
            Inst::Min { dst, a, b } => r!(dst) = r!(a).min(r!(b)),
            Inst::Max { dst, a, b } => r!(dst) = r!(a).max(r!(b)),
            Inst::Or { dst, a, b } => r!(dst) = r!(a) | r!(b),
            Inst::Widen { dst, a } => {
                r!(dst) = need!(r!(a).checked_mul(SCALE).filter(|v| *v != ABSENT));
            }
            Inst::WidenOpt { dst, a } => {
                r!(dst) = match r!(a) {
                    ABSENT => ABSENT,
                    a => need!(a.checked_mul(SCALE).filter(|v| *v != ABSENT)),
                };
            }
            Inst::Bit { dst, a } => {
                let a = r!(a);
                r!(dst) = need!((0..63).contains(&a).then(|| 1i64 << a));
            }
            Inst::Round { mode, dst, a, step } => {
                let step = code.pool[step as usize];
                r!(dst) = need!(bits(i128::from(round_div_64(r!(a), step, mode)) * i128::from(step)));
            }
            Inst::MulRound { mode, dst, a, b, step } => {
                let (a, b) = (r!(a), r!(b));
                let step = code.pool[usize::from(step)];
                // The product counts in 10⁻⁸; it must respect the limit of numbers before it is rounded.
                let product = i128::from(a) * i128::from(b);
                let unit = i128::from(step) * i128::from(SCALE);
                need!((product.unsigned_abs() <= i64::MAX as u128 * SCALE as u128).then_some(()));
                r!(dst) = need!(bits(round_div(product, unit, mode) * i128::from(step)));
            }
            Inst::OnStep { a, step } => {
                need!((r!(a) % code.pool[step as usize] == 0).then_some(()));
            }
            Inst::QInt { dst, a } => q!(dst) = Fraction::integer(r!(a)),
            Inst::QFix { dst, a } => q!(dst) = Fraction::fixed(r!(a)),
            Inst::QPool { dst, k } => q!(dst) = code.fractions[k as usize],
            Inst::QMov { dst, a } => q!(dst) = q!(a),
            Inst::QAbsent { dst } => q!(dst) = Fraction::ABSENT,
            Inst::QAdd { dst, a, b } => q!(dst) = need!(q!(a).plus(q!(b))),
            Inst::QSub { dst, a, b } => q!(dst) = need!(q!(a).minus(q!(b))),
            Inst::QMul { dst, a, b } => q!(dst) = need!(q!(a).times(q!(b))),
            Inst::QDiv { dst, a, b } => q!(dst) = need!(q!(a).over(q!(b))),
            Inst::QNeg { dst, a } => q!(dst) = need!(q!(a).negated()),
            Inst::QAbs { dst, a } => q!(dst) = need!(q!(a).abs()),
            Inst::QMin { dst, a, b } => {
                q!(dst) = if need!(q!(a).compare(q!(b))).is_le() { q!(a) } else { q!(b) };
            }
            Inst::QMax { dst, a, b } => {
                q!(dst) = if need!(q!(a).compare(q!(b))).is_ge() { q!(a) } else { q!(b) };
            }
            Inst::QRound { mode, dst, a, step } => {
                r!(dst) = need!(q!(a).round(mode, code.pool[step as usize]));
            }
            Inst::QOnStep { dst, a, step } => r!(dst) = need!(q!(a).on_step(code.pool[step as usize])),
            Inst::QKey { dst, a } => {
                r!(dst) = if q!(a).is_absent() { ABSENT } else { need!(q!(a).key()) };
            }
            Inst::FixKey { dst, a } => {
                r!(dst) = match r!(a) {
                    ABSENT => ABSENT,
                    a => need!(a.checked_mul(2).filter(|v| *v != ABSENT)),
                };
            }
            Inst::Fun { f, dst, a, b } => r!(dst) = need!(functions::call(linked, f, r!(a), r!(b))),
            Inst::List { opt, dst, slot } => {
                let list = need!(list(facts, slots.get(slot as usize), opt));
                r!(dst) = list.0;
                r!(dst + 1) = list.1;
            }
            Inst::ListRow { opt, dst, base, off } => {
                let list = need!(list(facts, rows.get(r!(base) as usize + usize::from(off)), opt));
                r!(dst) = list.0;
                r!(dst + 1) = list.1;
            }
            Inst::RowAt { dst, start, i, width } => r!(dst) = r!(start) + r!(i) * i64::from(width),
            Inst::Next { i, len, to } => {
                r!(i) += 1;
                go!(r!(i) < r!(len), to);
            }
            Inst::Alloc { dst, len, width, fill } => {
                let start = vals.len();
                let n = r!(len).max(0) as usize * usize::from(width);
                vals.resize(start + n, code.pool[usize::from(fill)]);
                r!(dst) = start as i64;
            }
            Inst::AllocK { dst, n } => {
                let start = vals.len();
                vals.resize(start + usize::from(n), ABSENT);
                r!(dst) = start as i64;
            }
            Inst::Get { dst, start, i } => r!(dst) = vals[(r!(start) + r!(i)) as usize],
            Inst::Put { start, i, src } => vals[(r!(start) + r!(i)) as usize] = r!(src),
            Inst::PutK { start, i, src } => vals[r!(start) as usize + usize::from(i)] = r!(src),
            Inst::Lookup { dst, table, args, site } => {
                let table = &code.tables[usize::from(table)];
                let args = &regs[usize::from(args)..usize::from(args) + table.arguments()];
                let row = need!(table.find(args));
                if row != ABSENT {
                    trace.push((site, row));
                }
                r!(dst) = row;
            }
            Inst::Dense { dst, table, a, site } => {
                let row = need!(code.tables[usize::from(table)].find_one(r!(a)));
                if row != ABSENT {
                    trace.push((site, row));
                }
                r!(dst) = row;
            }
            Inst::Cell { dst, col, row } => {
                r!(dst) = match r!(row) {
                    ABSENT => ABSENT,
                    row => need!(code.columns[usize::from(col)].get(row)),
                };
            }
            Inst::Trace { site, row } => {
                let row = r!(row);
                if row != ABSENT {
                    trace.push((site, row));
                }
            }
            Inst::FactCall { dst, call, args } => {
                let call = &code.calls[usize::from(call)];
                let args = &regs[usize::from(args)..usize::from(args) + call.args.len()];
                r!(dst) = need!(functions::fact(linked, facts, call, args));
            }
            Inst::Contrib { site, val } => contribute!(site, 0, r!(val)),
            Inst::ContribAt { site, val, elem } => contribute!(site, r!(elem), r!(val)),
            Inst::QAlloc { dst, len, zero } => {
                let start = fraction_vals.len();
                let fill = if zero { Fraction::ZERO } else { Fraction::ABSENT };
                fraction_vals.resize(start + r!(len).max(0) as usize, fill);
                r!(dst) = start as i64;
            }
            Inst::QGet { dst, start, i } => {
                q!(dst) = fraction_vals[(r!(start) + r!(i)) as usize];
            }
            Inst::QPut { start, i, src } => {
                fraction_vals[(r!(start) + r!(i)) as usize] = q!(src);
            }
            Inst::ContribQAt { site, val, elem } => {
                contribute!(site, r!(elem), fraction_notes.len() as i64);
                fraction_notes.push(q!(val));
            }
            Inst::ContribQ { site, val } => {
                contribute!(site, 0, fraction_notes.len() as i64);
                fraction_notes.push(q!(val));
            }
            Inst::ContribMax { acc, val, site } => {
                let value = r!(val);
                contribute!(site, 0, value);
                r!(acc) = r!(acc).max(value);
            }
            Inst::ContribMin { acc, val, site } => {
                let value = r!(val);
                contribute!(site, 0, value);
                r!(acc) = if r!(acc) == ABSENT { value } else { r!(acc).min(value) };
            }
            Inst::ContribOne { acc, val, site } => {
                let value = r!(val);
                contribute!(site, 0, value);
                need!((r!(acc) == ABSENT || r!(acc) == value).then_some(()));
                r!(acc) = value;
            }
            Inst::ContribSum { acc, val, site } => {
                let value = r!(val);
                contribute!(site, 0, value);
                r!(acc) = need!(sum(r!(acc), value));
            }
            Inst::ContribAll { acc, val, site } => {
                let value = r!(val);
                contribute!(site, 0, value);
                r!(acc) |= value;
            }
            Inst::GiveMax { acc, k, site } => {
                contribute!(u32::from(site), 0, i64::from(k));
                r!(acc) = r!(acc).max(i64::from(k));
            }
            Inst::GiveMin { acc, k, site } => {
                let value = i64::from(k);
                contribute!(u32::from(site), 0, value);
                r!(acc) = if r!(acc) == ABSENT { value } else { r!(acc).min(value) };
            }
            Inst::GiveOne { acc, k, site } => {
                let value = i64::from(k);
                contribute!(u32::from(site), 0, value);
                need!((r!(acc) == ABSENT || r!(acc) == value).then_some(()));
                r!(acc) = value;
            }
            Inst::GiveSum { acc, k, site } => {
                contribute!(u32::from(site), 0, i64::from(k));
                r!(acc) = need!(sum(r!(acc), i64::from(k)));
            }
            Inst::GiveAll { acc, k, site } => {
                contribute!(u32::from(site), 0, i64::from(k));
                r!(acc) |= i64::from(k);
            }
            Inst::Default { acc, k } => {
                if r!(acc) == ABSENT {
                    r!(acc) = i64::from(k);
                }
            }
            Inst::Find { dst, plan } => {
                let plan = &code.plans[usize::from(plan)];
                let slot = slots.get(usize::from(plan.slot));
                let key = need!(if plan.optional { optional(slot) } else { present(slot) });
                let row = need!(code.tables[usize::from(plan.table)].find_one(key));
                r!(dst) = if row == ABSENT {
                    ABSENT
                } else {
                    trace.push((plan.site, row));
                    need!(code.columns[usize::from(plan.column)].get(row))
                };
            }
            Inst::AccMax { acc, val } => r!(acc) = r!(acc).max(r!(val)),
            Inst::AccMin { acc, val } => {
                r!(acc) = if r!(acc) == ABSENT { r!(val) } else { r!(acc).min(r!(val)) };
            }
            Inst::AccOne { acc, val } => {
                need!((r!(acc) == ABSENT || r!(acc) == r!(val)).then_some(()));
                r!(acc) = r!(val);
            }
            Inst::QAccOne { acc, val } => {
                if !q!(acc).is_absent() {
                    need!(q!(acc).compare(q!(val)).filter(|o| o.is_eq()));
                }
                q!(acc) = q!(val);
            }
            Inst::QAccSum { acc, val } => q!(acc) = need!(q!(acc).plus(q!(val))),
            Inst::QAccMax { acc, val } => {
                if q!(acc).is_absent() || need!(q!(val).compare(q!(acc))).is_gt() {
                    q!(acc) = q!(val);
                }
            }
            Inst::QAccMin { acc, val } => {
                if q!(acc).is_absent() || need!(q!(val).compare(q!(acc))).is_lt() {
                    q!(acc) = q!(val);
                }
            }
            Inst::Combine { dst, out } => r!(dst) = need!(combine::value(code, contributions, standing, out)),
            Inst::Clamps { a, out } => {
                r!(a) = need!(combine::clamped(code, contributions, standing, out, r!(a)))
            }
            Inst::Clamp { a, lo, hi } => {
                let (lo, hi) = (r!(lo), r!(hi));
                need!((lo == ABSENT || hi == ABSENT || lo <= hi).then_some(()));
                if r!(a) != ABSENT {
                    r!(a) = r!(a).max(lo);
                    if hi != ABSENT {
                        r!(a) = r!(a).min(hi);
                    }
                }
            }
            Inst::Split { dst, amount, start, step } => {
                let step = code.pool[step as usize];
                r!(dst) = need!(functions::split(vals, r!(amount), r!(start), step));
            }
        }
        pc += 1;
    }
}

/// Start and length of a list; the length is absent if the list is.
fn list(facts: &Facts, slot: Option<&Slot>, may_be_absent: bool) -> Option<(i64, i64)> {
    let bits = if may_be_absent { optional(slot)? } else { present(slot)? };
    if bits == ABSENT {
        return Some((0, ABSENT));
    }
    let ListData { len, start, .. } = facts.lists.get(usize::try_from(bits).ok()?)?;
    Some((i64::from(*start), i64::from(*len)))
}
