//! Instructions.
use crate::lang::typed::RoundMode;
use crate::program::code::{Cmp, Fun};
use std::fmt;

/// A register.
pub type Reg = u16;
/// A register of exact fractions.
pub type QReg = u16;
/// The place to go on.
pub type Addr = u32;

/// One instruction. `to` is the place to jump to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Inst {
    /// A root slot that must hold a value.
    Slot {
        dst: Reg,
        slot: u32,
    },
    /// A root slot that may be absent.
    SlotOpt {
        dst: Reg,
        slot: u32,
    },
    /// A slot of a list row that must hold a value; `base` holds the row's first slot.
    Row {
        dst: Reg,
        base: Reg,
        off: u16,
    },
    RowOpt {
        dst: Reg,
        base: Reg,
        off: u16,
    },
    Imm {
        dst: Reg,
        k: i32,
    },
    Pool {
        dst: Reg,
        k: u32,
    },
    Mov {
        dst: Reg,
        src: Reg,
    },
    Jmp {
        to: Addr,
    },
    /// As `JSlot` for equality, by far the most frequent.
    JSlotIs {
        slot: u16,
        k: i32,
        to: Addr,
    },
    JSlotIsNot {
        slot: u16,
        k: i32,
        to: Addr,
    },
    /// Jump if the root slot, which must hold a value, compares so with `k`.
    JSlot {
        cmp: Cmp,
        slot: u16,
        k: i32,
        to: Addr,
    },
    JSlotOpt {
        cmp: Cmp,
        slot: u16,
        k: i32,
        to: Addr,
    },
    JSlots {
        cmp: Cmp,
        a: u16,
        b: u16,
        to: Addr,
    },
    JSlotReg {
        cmp: Cmp,
        slot: u16,
        b: Reg,
        to: Addr,
    },
    JImm {
        cmp: Cmp,
        a: Reg,
        k: i32,
        to: Addr,
    },
    JReg {
        cmp: Cmp,
        a: Reg,
        b: Reg,
        to: Addr,
    },
    /// Jump if the register is (not) absent.
    JAbsent {
        want: bool,
        a: Reg,
        to: Addr,
    },
    /// Jump if the register's value is (not) in the bit set; absent is in none.
    JIn {
        want: bool,
        a: Reg,
        set: u16,
        to: Addr,
    },
    JSlotIn {
        want: bool,
        slot: u16,
        set: u16,
        to: Addr,
    },
    /// Jump if bit `a` of the register `mask` is (not) set.
    JBit {
        want: bool,
        a: Reg,
        mask: Reg,
        to: Addr,
    },
    JQ {
        cmp: Cmp,
        a: QReg,
        b: QReg,
        to: Addr,
    },
    /// Run the lazy part at `to` unless its flag is set.
    Gosub {
        flag: u16,
        to: Addr,
    },
    Ret {
        flag: u16,
    },
    ClearFlags {
        from: u16,
        n: u16,
    },
    Halt,
    Leave,
    Add {
        dst: Reg,
        a: Reg,
        b: Reg,
    },
    Sub {
        dst: Reg,
        a: Reg,
        b: Reg,
    },
    Neg {
        dst: Reg,
        a: Reg,
    },
    Abs {
        dst: Reg,
        a: Reg,
    },
    /// Product of which at most one factor is a multiple of 1/10,000.
    Mul {
        dst: Reg,
        a: Reg,
        b: Reg,
    },
    /// Product of two multiples of 1/10,000 if it is one.
    MulFix {
        dst: Reg,
        a: Reg,
        b: Reg,
    },
    Min {
        dst: Reg,
        a: Reg,
        b: Reg,
    },
    Max {
        dst: Reg,
        a: Reg,
        b: Reg,
    },
    Or {
        dst: Reg,
        a: Reg,
        b: Reg,
    },
    /// An integer as a multiple of 1/10,000.
    Widen {
        dst: Reg,
        a: Reg,
    },
    WidenOpt {
        dst: Reg,
        a: Reg,
    },
    /// `1 << a`.
    Bit {
        dst: Reg,
        a: Reg,
    },
    /// Round a multiple of 1/10,000 to a step (in the pool, likewise).
    Round {
        mode: RoundMode,
        dst: Reg,
        a: Reg,
        step: u32,
    },
    /// Product of two multiples of 1/10,000, rounded.
    MulRound {
        mode: RoundMode,
        dst: Reg,
        a: Reg,
        b: Reg,
        step: u16,
    },
    /// Leave unless a multiple of the step.
    OnStep {
        a: Reg,
        step: u32,
    },
    QInt {
        dst: QReg,
        a: Reg,
    },
    QFix {
        dst: QReg,
        a: Reg,
    },
    QPool {
        dst: QReg,
        k: u32,
    },
    QMov {
        dst: QReg,
        a: QReg,
    },
    QAbsent {
        dst: QReg,
    },
    QAdd {
        dst: QReg,
        a: QReg,
        b: QReg,
    },
    QSub {
        dst: QReg,
        a: QReg,
        b: QReg,
    },
    QMul {
        dst: QReg,
        a: QReg,
        b: QReg,
    },
    QDiv {
        dst: QReg,
        a: QReg,
        b: QReg,
    },
    QNeg {
        dst: QReg,
        a: QReg,
    },
    QAbs {
        dst: QReg,
        a: QReg,
    },
    QMin {
        dst: QReg,
        a: QReg,
        b: QReg,
    },
    QMax {
        dst: QReg,
        a: QReg,
        b: QReg,
    },
    JQAbsent {
        want: bool,
        a: QReg,
        to: Addr,
    },
    QRound {
        mode: RoundMode,
        dst: Reg,
        a: QReg,
        step: u32,
    },
    QOnStep {
        dst: Reg,
        a: QReg,
        step: u32,
    },
    /// Twice the multiple of 1/10,000, plus one if something is left: keeps the order against table cells.
    QKey {
        dst: Reg,
        a: QReg,
    },
    FixKey {
        dst: Reg,
        a: Reg,
    },
    Fun {
        f: Fun,
        dst: Reg,
        a: Reg,
        b: Reg,
    },
    /// Start and length (the next register) of a list in a root slot or row.
    List {
        opt: bool,
        dst: Reg,
        slot: u32,
    },
    ListRow {
        opt: bool,
        dst: Reg,
        base: Reg,
        off: u16,
    },
    /// First slot of row `i`.
    RowAt {
        dst: Reg,
        start: Reg,
        i: Reg,
        width: u16,
    },
    /// `i += 1`, and on while `i < len`.
    Next {
        i: Reg,
        len: Reg,
        to: Addr,
    },
    /// Room for `len × width` numbers, all `fill` (in the pool): its start.
    Alloc {
        dst: Reg,
        len: Reg,
        width: u8,
        fill: u16,
    },
    AllocK {
        dst: Reg,
        n: u16,
    },
    Get {
        dst: Reg,
        start: Reg,
        i: Reg,
    },
    Put {
        start: Reg,
        i: Reg,
        src: Reg,
    },
    PutK {
        start: Reg,
        i: u16,
        src: Reg,
    },
    /// The row that fits; its arguments lie in registers from `args` on.
    Lookup {
        dst: Reg,
        table: u16,
        args: Reg,
        site: u32,
    },
    /// A table with few keys, one number each: the row, directly.
    Dense {
        dst: Reg,
        table: u16,
        a: Reg,
        site: u32,
    },
    Cell {
        dst: Reg,
        col: u16,
        row: Reg,
    },
    /// Note a row that was looked up elsewhere.
    Trace {
        site: u32,
        row: Reg,
    },
    FactCall {
        dst: Reg,
        call: u16,
        args: Reg,
    },
    Contrib {
        site: u32,
        val: Reg,
    },
    ContribAt {
        site: u32,
        val: Reg,
        elem: Reg,
    },
    /// Room for `len` fractions, absent or zero.
    QAlloc {
        dst: Reg,
        len: Reg,
        zero: bool,
    },
    QGet {
        dst: QReg,
        start: Reg,
        i: Reg,
    },
    QPut {
        start: Reg,
        i: Reg,
        src: QReg,
    },
    ContribQAt {
        site: u32,
        val: QReg,
        elem: Reg,
    },
    ContribQ {
        site: u32,
        val: QReg,
    },
    /// Contribute and combine.
    ContribMax {
        acc: Reg,
        val: Reg,
        site: u32,
    },
    ContribMin {
        acc: Reg,
        val: Reg,
        site: u32,
    },
    ContribOne {
        acc: Reg,
        val: Reg,
        site: u32,
    },
    ContribSum {
        acc: Reg,
        val: Reg,
        site: u32,
    },
    ContribAll {
        acc: Reg,
        val: Reg,
        site: u32,
    },
    /// Contribute a constant and combine.
    GiveMax {
        acc: Reg,
        k: i32,
        site: u16,
    },
    GiveMin {
        acc: Reg,
        k: i32,
        site: u16,
    },
    GiveOne {
        acc: Reg,
        k: i32,
        site: u16,
    },
    GiveSum {
        acc: Reg,
        k: i32,
        site: u16,
    },
    GiveAll {
        acc: Reg,
        k: i32,
        site: u16,
    },
    /// A constant where nothing was contributed.
    Default {
        acc: Reg,
        k: i32,
    },
    /// A lookup in a table of one key with the key in a root slot, and its result.
    Find {
        dst: Reg,
        plan: u16,
    },
    AccMax {
        acc: Reg,
        val: Reg,
    },
    AccMin {
        acc: Reg,
        val: Reg,
    },
    AccOne {
        acc: Reg,
        val: Reg,
    },
    QAccOne {
        acc: QReg,
        val: QReg,
    },
    QAccSum {
        acc: QReg,
        val: QReg,
    },
    QAccMax {
        acc: QReg,
        val: QReg,
    },
    QAccMin {
        acc: QReg,
        val: QReg,
    },
    /// Combine all contributions and removals of an output, with binding.
    Combine {
        dst: Reg,
        out: u16,
    },
    /// Apply all clamps of an output, with binding.
    Clamps {
        a: Reg,
        out: u16,
    },
    /// Clamp `a` (not absent) between `lo` and `hi` if these are not absent; leave if they exclude each other.
    Clamp {
        a: Reg,
        lo: Reg,
        hi: Reg,
    },
    /// Split `amount` by the weights in `vals` from `start`.
    Split {
        dst: Reg,
        amount: Reg,
        start: Reg,
        step: u32,
    },
}

impl fmt::Display for Inst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Inst::JSlot { cmp, slot, k, to } => write!(f, "if slot {slot} {} {k} go {to}", cmp.sign()),
            Inst::JSlotIs { slot, k, to } => write!(f, "if slot {slot} = {k} go {to}"),
            Inst::JSlotIsNot { slot, k, to } => write!(f, "if slot {slot} != {k} go {to}"),
            Inst::JSlotOpt { cmp, slot, k, to } => write!(f, "if slot? {slot} {} {k} go {to}", cmp.sign()),
            Inst::JSlots { cmp, a, b, to } => write!(f, "if slot {a} {} slot {b} go {to}", cmp.sign()),
            Inst::JSlotReg { cmp, slot, b, to } => write!(f, "if slot {slot} {} r{b} go {to}", cmp.sign()),
            Inst::JImm { cmp, a, k, to } => write!(f, "if r{a} {} {k} go {to}", cmp.sign()),
            Inst::JReg { cmp, a, b, to } => write!(f, "if r{a} {} r{b} go {to}", cmp.sign()),
            Inst::JQ { cmp, a, b, to } => write!(f, "if q{a} {} q{b} go {to}", cmp.sign()),
            other => write!(f, "{other:?}"),
        }
    }
}
