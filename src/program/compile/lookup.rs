//! Tables to indexed data, and lookups; params and what is in force by date.
use super::builder::*;
use crate::lang::typed::*;
use crate::program::code::*;
use crate::program::vm::table::{CellTest, Choice, IndexRow, TableIndex};
use std::fmt::Write;

/// A table in the code.
#[derive(Clone, Debug)]
pub(super) struct TableCode {
    index: u16,
    /// By result column.
    columns: Vec<Option<u16>>,
    /// Arguments after the keys.
    extra: Vec<Extra>,
}

/// What a lookup needs besides its keys.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Extra {
    Day(PolicyId),
    InForce(PolicyId),
}

/// Keys of these types are doubled, so that a fraction has its place between two multiples of 1/10,000.
fn doubled(ty: &Ty) -> bool {
    matches!(ty.inner(), Ty::Dec | Ty::Money | Ty::Unit(_))
}

impl<'a> Builder<'a> {
    pub fn lookup(&mut self, id: TableId, args: &'a [Expr], result: u32) -> Low<Val<'a>> {
        let book = self.book;
        let Some(table) = book.tables.get(id.ix()) else { return gap("an unknown table") };
        let code = self.table(id, table)?;
        let column = self.column(id, table, result)?;
        let site = self.site(id, code.index);
        if let [key] = args
            && let [(_, ty)] = table.params.as_slice()
            && code.extra.is_empty()
            && table.results.len() == 1
            && !doubled(ty)
            && let Some((slot, optional)) = self.slot_of(key)
            && let Ok(plan) = u16::try_from(self.code.plans.len())
        {
            self.code.plans.push(Plan { slot, optional, table: code.index, column, site });
            let dst = self.reg();
            self.emit(Inst::Find { dst, plan });
            return Ok(Val::Reg(dst));
        }
        let row = match (table.results.len() > 1).then(|| key_text(id, args)).flatten() {
            Some(key) if self.vars_free(args) => {
                let found =
                    self.lazy(LazyKey::Text(key), |b| Ok(Val::Reg(b.row(&code, table, args, NO_SITE)?)))?;
                let Val::Reg(row) = found else { return gap("a row that is none") };
                self.emit(Inst::Trace { site, row });
                row
            }
            _ => self.row(&code, table, args, site)?,
        };
        let dst = self.reg();
        self.emit(Inst::Cell { dst, col: column, row });
        Ok(Val::Reg(dst))
    }

    /// Whether no loop variable occurs, so that the row is the same wherever it is looked up.
    fn vars_free(&self, args: &[Expr]) -> bool {
        args.iter().all(|a| key_text(TableId(0), std::slice::from_ref(a)).is_some())
    }

    fn site(&mut self, table: TableId, index: u16) -> u32 {
        if self.reader == Reader::Nobody {
            return NO_SITE;
        }
        self.code.sites.push(Site { reader: self.reader, table, index });
        self.code.sites.len() as u32 - 1
    }

    fn row(&mut self, code: &TableCode, table: &'a Table, args: &'a [Expr], site: u32) -> Low<Reg> {
        let mut keys = Vec::new();
        for (arg, (_, ty)) in args.iter().zip(&table.params) {
            let value = self.lower(arg)?;
            keys.push(match value {
                Val::Reg(a) if doubled(ty) => {
                    let dst = self.reg();
                    self.emit(Inst::FixKey { dst, a });
                    dst
                }
                Val::Frac(a) => {
                    let dst = self.reg();
                    self.emit(Inst::QKey { dst, a });
                    dst
                }
                Val::Reg(a) => a,
                _ => return gap("a key that is no plain value"),
            });
        }
        for extra in &code.extra {
            keys.push(match extra {
                Extra::Day(policy) => self.governing_day(*policy)?,
                Extra::InForce(policy) => match self.in_force(*policy)? {
                    Some(reg) => reg,
                    None => self.constant(1),
                },
            });
        }
        let dst = self.reg();
        if let [a] = keys.as_slice() {
            self.emit(Inst::Dense { dst, table: code.index, a: *a, site });
        } else {
            let first = self.regs(keys.len());
            for (i, src) in keys.into_iter().enumerate() {
                self.emit(Inst::Mov { dst: first + i as Reg, src });
            }
            self.emit(Inst::Lookup { dst, table: code.index, args: first, site });
        }
        Ok(dst)
    }

    fn table(&mut self, id: TableId, table: &'a Table) -> Low<TableCode> {
        if let Some(known) = self.tables.get(&id) {
            return Ok(known.clone());
        }
        let choice = match table.hit {
            Hit::Unique => Choice::Unique,
            Hit::First => Choice::First,
            Hit::Nearest => Choice::Nearest,
            Hit::Steps(column) => Choice::Steps(column as usize),
            Hit::Collect(_) => return gap(format!("table {}: `collect`", table.name)),
        };
        let keys = table.params.len();
        let mut extra: Vec<Extra> = Vec::new();
        let mut argument = |wanted: Extra| match extra.iter().position(|e| *e == wanted) {
            Some(at) => keys + at,
            None => {
                extra.push(wanted);
                keys + extra.len() - 1
            }
        };
        let mut rows = Vec::new();
        let mut groups = Vec::new();
        for (number, block) in self.linked.blocks(table) {
            let dated = block.rows.iter().any(|r| !r.dates.is_always())
                && self.book.policies.get(block.policy.ix()).is_some_and(|p| p.governed_by.is_some());
            let day = dated.then(|| argument(Extra::Day(block.policy)));
            let conditional = number != 0 && !self.always_in_force(block.policy);
            let force = conditional.then(|| argument(Extra::InForce(block.policy)));
            let elses = |row: &Row| row.tests.iter().filter(|t| matches!(t, Test::Else)).count();
            let mut counts: Vec<usize> = block.rows.iter().map(elses).collect();
            counts.sort_unstable();
            counts.dedup();
            for count in counts {
                let mut members = Vec::new();
                for (at, row) in block.rows.iter().enumerate().filter(|(_, row)| elses(row) == count) {
                    let tests = row
                        .tests
                        .iter()
                        .zip(&table.params)
                        .enumerate()
                        .map(|(c, (t, (_, ty)))| self.cell(t, ty, choice == Choice::Steps(c)))
                        .collect::<Low<Vec<_>>>()
                        .map_err(|gap| Gap(format!("table {}: {}", table.name, gap.0)))?;
                    members.push(rows.len() as u32);
                    let (from, before) = (row.dates.from, row.dates.before);
                    rows.push(IndexRow {
                        block: number,
                        row: at as u32,
                        tests,
                        from: from.map_or(i64::MIN, i64::from),
                        before: before.map_or(i64::MAX, i64::from),
                    });
                }
                groups.push((force, day, members));
            }
        }
        let sizes: Vec<Option<i64>> = table.params.iter().map(|(_, ty)| self.size(ty)).collect();
        let may_miss = table.results.iter().all(|(_, ty)| ty.is_optional());
        self.code.tables.push(TableIndex::new(keys, choice, rows, groups, may_miss, &sizes));
        let index = u16::try_from(self.code.tables.len() - 1).map_err(|_| Gap("too many tables".into()))?;
        let code = TableCode { index, columns: vec![None; table.results.len()], extra };
        self.tables.insert(id, code.clone());
        Ok(code)
    }

    fn column(&mut self, id: TableId, table: &'a Table, result: u32) -> Low<u16> {
        let known = self.tables.get(&id).and_then(|t| t.columns.get(result as usize).copied().flatten());
        if let Some(column) = known {
            return Ok(column);
        }
        let Some((name, ty)) = table.results.get(result as usize) else { return gap("an unknown column") };
        if matches!(ty.inner(), Ty::Set(_) | Ty::List(_) | Ty::Entity(_)) {
            return gap(format!("table {}: results that are not plain values", table.name));
        }
        let mut column = Column::default();
        let index = self.tables.get(&id).map_or(0, |t| t.index);
        let places: Vec<(u32, u32)> = match self.code.tables.get(usize::from(index)) {
            Some(index) => index.rows.iter().map(|r| (r.block, r.row)).collect(),
            None => Vec::new(),
        };
        for (block, row) in places {
            let block = match block {
                0 => Some(&table.own),
                n => table.extra.get(n as usize - 1),
            };
            let cell =
                block.and_then(|b| b.rows.get(row as usize)).and_then(|r| r.results.get(result as usize));
            let (value, undecided) = match cell {
                Some(CellValue::Const(c)) => match self.literal_bits(c, ty) {
                    Some(bits) => (bits, false),
                    None => {
                        return gap(format!("table {}: a {name} of more than four digits", table.name));
                    }
                },
                _ => (ABSENT, true),
            };
            column.values.push(value);
            column.undecided.push(undecided);
        }
        if !column.undecided.contains(&true) {
            column.undecided.clear();
        }
        self.code.columns.push(column);
        let at = u16::try_from(self.code.columns.len() - 1).map_err(|_| Gap("too many columns".into()))?;
        if let Some(slot) = self.tables.get_mut(&id).and_then(|t| t.columns.get_mut(result as usize)) {
            *slot = Some(at);
        }
        Ok(at)
    }

    /// The number of keys 0.. of a type, if they are few.
    fn size(&self, ty: &Ty) -> Option<i64> {
        let vocab = &self.book.vocab;
        match ty.inner() {
            Ty::Bool => Some(2),
            Ty::Enum(e) => vocab.enums.get(e.ix()).map(|e| e.members.len() as i64),
            Ty::Node(t) => vocab.taxonomies.get(t.ix()).map(|t| t.nodes.len() as i64),
            _ => None,
        }
    }

    fn cell(&self, test: &Test, ty: &Ty, threshold: bool) -> Low<CellTest> {
        let bits = |c: &Const| {
            let bits =
                self.literal_bits(c, ty).ok_or_else(|| Gap("a key of more than four digits".into()))?;
            if bits != ABSENT && doubled(ty) {
                return bits.checked_mul(2).ok_or_else(|| Gap("a key this large".into()));
            }
            Ok(bits)
        };
        Ok(match test {
            Test::Any | Test::Else => CellTest::Any,
            Test::Absent => CellTest::Is(ABSENT),
            Test::Value(Const::Node(node)) => {
                let Ty::Node(taxonomy) = ty.inner() else { return gap("a node of no taxonomy") };
                let mut set = BitSet::default();
                self.under(*taxonomy, *node).into_iter().for_each(|n| set.add(n));
                let def = self.book.vocab.taxonomies.get(taxonomy.ix());
                let depth = def.and_then(|t| t.nodes.get(*node as usize)).map_or(0, |n| n.depth);
                CellTest::Under(set, i64::from(depth) + 1)
            }
            Test::Value(c) if threshold => {
                ordered(ty)?;
                CellTest::From(bits(c)?)
            }
            Test::Value(c) => CellTest::Is(bits(c)?),
            Test::Interval { low, high } => {
                ordered(ty)?;
                let end = |bound: &Option<(Const, bool)>, open: i64, by: i64| match bound {
                    None => Ok(open),
                    Some((c, true)) => bits(c),
                    Some((c, false)) => Ok(bits(c)?.saturating_add(by)),
                };
                CellTest::Range(end(low, i64::MIN + 1, 1)?, end(high, i64::MAX, -1)?)
            }
            Test::OneOf(tests) => {
                CellTest::Either(tests.iter().map(|t| self.cell(t, ty, false)).collect::<Low<_>>()?)
            }
        })
    }

    // ---- what is in force -------------------------------------------------------------------

    fn policy(&self, id: PolicyId) -> Low<&'a Policy> {
        let book = self.book;
        book.policies.get(id.ix()).ok_or_else(|| Gap("an unknown policy".into()))
    }

    pub fn always_in_force(&self, id: PolicyId) -> bool {
        self.policy(id)
            .is_ok_and(|p| p.applies_when.is_none() && (p.dates.is_always() || p.governed_by.is_none()))
    }

    pub fn governing_day(&mut self, id: PolicyId) -> Low<Reg> {
        match &self.policy(id)?.governed_by {
            Some(day) => self.scalar(day),
            None => gap("a policy without a governing date"),
        }
    }

    /// Whether a policy is in force; `None`: always.
    pub fn in_force(&mut self, id: PolicyId) -> Low<Option<Reg>> {
        if self.always_in_force(id) {
            return Ok(None);
        }
        let policy = self.policy(id)?;
        let reader = std::mem::replace(&mut self.reader, Reader::Nobody);
        let done = self.lazy(LazyKey::InForce(id), |b| {
            let (dst, end) = (b.constant(0), b.label());
            b.on_date(&policy.dates, id, end)?;
            if let Some(condition) = &policy.applies_when {
                b.cond(condition, false, end)?;
            }
            b.load(dst, 1);
            b.place(end);
            Ok(Val::Reg(dst))
        });
        self.reader = reader;
        match done? {
            Val::Reg(reg) => Ok(Some(reg)),
            _ => gap("a condition that is none"),
        }
    }

    /// Jumps to `out` unless the policy's governing date lies in a range.
    pub fn on_date(&mut self, dates: &DateRange, policy: PolicyId, out: Spot) -> Low<()> {
        if dates.is_always() || self.policy(policy)?.governed_by.is_none() {
            return Ok(());
        }
        let day = self.governing_day(policy)?;
        let to = Builder::target(out);
        if let Some(from) = dates.from {
            self.emit(Inst::JImm { cmp: Cmp::LT, a: day, k: from, to });
        }
        if let Some(before) = dates.before {
            self.emit(Inst::JImm { cmp: Cmp::GE, a: day, k: before, to });
        }
        Ok(())
    }

    /// A param's only value in this program, if no date chooses it.
    pub fn fixed_param(&self, id: ParamId) -> Option<&'a Expr> {
        let book = self.book;
        let param = book.params.get(id.ix())?;
        let settings = self.linked.settings(param);
        let values = match settings.first() {
            Some(first) if !self.always_in_force(first.policy) => return None,
            Some(first) => &first.values,
            None => &param.values,
        };
        match values.first() {
            Some(DatedValue { dates, value }) if dates.is_always() => Some(value),
            _ => None,
        }
    }

    pub fn param(&mut self, id: ParamId, ty: &'a Ty) -> Low<Val<'a>> {
        let book = self.book;
        let Some(param) = book.params.get(id.ix()) else { return gap("an unknown param") };
        if let Some(value) = self.fixed_param(id) {
            return self.lower(value);
        }
        let values = param.values.iter().chain(param.settings.iter().flat_map(|s| &s.values));
        let fractions = values.clone().any(|v| self.digits(&v.value).is_none());
        let (end, int) = (self.label(), *ty.inner() == Ty::Int);
        let dst = if fractions { Val::Frac(self.frac()) } else { Val::Reg(self.reg()) };
        for setting in self.linked.settings(param) {
            let next = self.label();
            if let Some(a) = self.in_force(setting.policy)? {
                self.emit(Inst::JImm { cmp: Cmp::EQ, a, k: 0, to: Builder::target(next) });
            }
            self.dated(&setting.values, setting.policy, &dst, int, end)?;
            self.place(next);
        }
        self.dated(&param.values, param.policy, &dst, int, end)?;
        self.emit(Inst::Leave);
        self.place(end);
        Ok(dst)
    }

    fn dated(
        &mut self,
        values: &'a [DatedValue],
        policy: PolicyId,
        dst: &Val<'a>,
        int: bool,
        end: Spot,
    ) -> Low<()> {
        for value in values {
            let next = self.label();
            self.on_date(&value.dates, policy, next)?;
            let bits = self.lower(&value.value)?;
            self.move_into(dst, bits, int)?;
            self.jump(end);
            self.place(next);
        }
        Ok(())
    }
}

fn ordered(ty: &Ty) -> Low<()> {
    match ty.inner() {
        Ty::Period | Ty::Text => gap("intervals or thresholds of periods or texts"),
        _ => Ok(()),
    }
}

/// A text that is the same for the same lookup; `None` for arguments that are not plain paths and constants.
fn key_text(table: TableId, args: &[Expr]) -> Option<String> {
    let mut text = format!("t{}", table.0);
    for arg in args {
        text.push(' ');
        path_text(arg, &mut text)?;
    }
    Some(text)
}

fn path_text(e: &Expr, text: &mut String) -> Option<()> {
    let wrote = match &e.kind {
        ExprKind::Const(c) => write!(text, "{c:?}:{:?}", e.ty),
        ExprKind::Root(r) => write!(text, "r{}", r.0),
        ExprKind::Let(l) => write!(text, "l{}", l.0),
        ExprKind::Param(p) => write!(text, "p{}", p.0),
        ExprKind::Field(of, f) => {
            path_text(of, text)?;
            write!(text, ".{f}")
        }
        ExprKind::Present(of) => return path_text(of, text),
        ExprKind::Widen(of) => {
            text.push('w');
            return path_text(of, text);
        }
        _ => return None,
    };
    wrote.ok()
}
