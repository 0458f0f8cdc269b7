//! What 0002 says, case by case, on rulebooks made by hand.
mod build;

use crate::lang::source::Span;
use crate::lang::typed::*;
use crate::program::facts::Slot;
use crate::program::outcome::{Conflict, Fault, RowHit, State};
use crate::program::value::Value;
use build::*;
use std::collections::BTreeSet;
use std::sync::Arc;

fn state_of(expr: Expr, given: impl FnOnce(Known) -> Known) -> State {
    let ty = expr.ty.clone();
    let outputs = vec![output("o", Mode::One, ty, Fallback::Absent)];
    let linked = link(book(outputs, vec![set("r", None, expr)]));
    let given = given(Known::new(&linked));
    first(&decide(&linked, &given)).clone()
}

fn is(state: State, value: Value) {
    assert_eq!(state, State::Value(value));
}

fn faulty(state: State, fault: Fault) {
    assert_eq!(state, State::Faulty(BTreeSet::from([fault])));
}

fn bx(e: Expr) -> Box<Expr> {
    Box::new(e)
}

fn and(a: Expr, b: Expr) -> Expr {
    ex(ExprKind::And(bx(a), bx(b)), Ty::Bool)
}

fn or(a: Expr, b: Expr) -> Expr {
    ex(ExprKind::Or(bx(a), bx(b)), Ty::Bool)
}

fn arith(op: ArithOp, a: Expr, b: Expr, ty: Ty) -> Expr {
    ex(ExprKind::Arith(op, bx(a), bx(b)), ty)
}

fn ask() -> Expr {
    ex(ExprKind::Undecided(asked("?")), Ty::Bool)
}

#[test]
fn false_and_true_or_decide_from_either_side() {
    for s in [flag(), ask()] {
        is(state_of(and(yes(false), s.clone()), |g| g), Value::Bool(false));
        is(state_of(and(s.clone(), yes(false)), |g| g), Value::Bool(false));
        is(state_of(or(yes(true), s.clone()), |g| g), Value::Bool(true));
        is(state_of(or(s, yes(true)), |g| g), Value::Bool(true));
    }
    assert_eq!(state_of(and(yes(true), flag()), |g| g), unknown(&["flag"]));
    // The missing side may decide alone.
    assert_eq!(state_of(and(flag(), ask()), |g| g), unknown(&["flag"]));
    assert_eq!(state_of(or(ask(), flag()), |g| g), unknown(&["flag"]));
    assert_eq!(state_of(and(yes(true), ask()), |g| g), State::Undecided(BTreeSet::from([asked("?")])));
}

#[test]
fn numbers_overflow_and_divide() {
    let big = ex(ExprKind::Const(Const::Num(rat(i64::MAX))), Ty::Int);
    let one = ex(ExprKind::Const(Const::Num(rat(1))), Ty::Int);
    let zero = ex(ExprKind::Const(Const::Num(rat(0))), Ty::Int);
    faulty(state_of(arith(ArithOp::Add, big.clone(), one.clone(), Ty::Int), |g| g), Fault::Overflow);
    is(
        state_of(arith(ArithOp::Sub, big.clone(), one.clone(), Ty::Int), |g| g),
        Value::Num(rat(i64::MAX - 1)),
    );
    faulty(state_of(arith(ArithOp::Div, one.clone(), zero, Ty::Dec), |g| g), Fault::DivisionByZero);
    faulty(state_of(arith(ArithOp::Div, big, one, Ty::Dec), |g| g), Fault::Overflow);
    faulty(state_of(arith(ArithOp::Add, cny(1), usd(1), Ty::Money), |g| g), Fault::MixedCurrencies);
    is(state_of(ex(ExprKind::Is(bx(cny(1)), bx(usd(1))), Ty::Bool), |g| g), Value::Bool(false));
}

fn season_of() -> Expr {
    ex(ExprKind::Root(SEASON), season().optional())
}

/// A table on the season: two rows that agree, one that does not, and one for absent.
fn window(hit: Hit) -> Table {
    let row = |tests: Vec<Test>, days: i64| Row {
        tests,
        results: vec![CellValue::Const(Const::Period(Period::Days(days)))],
        clause: None,
        dates: DateRange::default(),
        span: Span::default(),
    };
    let value = |s: u32| Test::Value(Const::Enum(s));
    Table {
        policy: PolicyId(0),
        name: "window".into(),
        clause: None,
        params: vec![("s".into(), season().optional())],
        results: vec![("length".into(), Ty::Period)],
        hit,
        own: RowBlock {
            policy: PolicyId(0),
            clause: None,
            rows: vec![
                row(vec![Test::OneOf(vec![value(0), value(1)])], 7),
                row(vec![Test::OneOf(vec![value(2), value(3)])], 7),
                row(vec![Test::Absent], 15),
            ],
        },
        extra: Vec::new(),
        span: Span::default(),
    }
}

fn lookup(key: Expr) -> Expr {
    ex(ExprKind::Lookup { table: TableId(0), args: vec![key], result: 0 }, Ty::Period)
}

#[test]
fn candidates_that_agree_decide() {
    let present = ex(ExprKind::Present(bx(season_of())), season());
    let days = |n| Value::Period(Period::Days(n));
    let run = |key: Expr, given: fn(Known) -> Known| {
        let outputs = vec![output("o", Mode::One, Ty::Period, Fallback::Absent)];
        let mut book = book(outputs, vec![set("r", None, lookup(key))]);
        book.tables.push(window(Hit::Unique));
        let linked = link(book);
        let given = given(Known::new(&linked));
        decide(&linked, &given)
    };
    // Narrowed, all rows that still fit agree, and all of them are in the trace.
    let outcome = run(present, |g| g);
    assert_eq!(first(&outcome), &State::Value(days(7)));
    let hit = |row| RowHit { table: TableId(0), block: 0, row };
    assert_eq!(outcome.because[0].rows, [hit(0), hit(1)]);
    // Not narrowed, absent disagrees.
    assert_eq!(first(&run(season_of(), |g| g)), &unknown(&["season"]));
    assert_eq!(first(&run(season_of(), |g| g.set(SEASON, Slot::ABSENT))), &State::Value(days(15)));
    let known = run(season_of(), |g| g.value(SEASON, 3));
    assert_eq!((first(&known), known.because[0].rows.as_slice()), (&State::Value(days(7)), &[hit(1)][..]));
}

#[test]
fn two_rows_that_fit_are_a_conflict_unless_first() {
    let run = |hit: Hit| {
        let outputs = vec![output("o", Mode::One, Ty::Period, Fallback::Absent)];
        let mut book = book(outputs, vec![set("r", None, lookup(season_of()))]);
        let mut table = window(hit);
        table.own.rows[1].tests = vec![Test::Value(Const::Enum(0))];
        table.own.rows[1].results = vec![CellValue::Undecided(asked("which?"))];
        book.tables.push(table);
        let linked = link(book);
        first(&decide(&linked, &Known::new(&linked).value(SEASON, 0))).clone()
    };
    let rows = Conflict::Rows(TableId(0), 0, BTreeSet::from([0, 1]));
    assert_eq!(run(Hit::Unique), State::Conflict(BTreeSet::from([rows])));
    assert_eq!(run(Hit::First), State::Value(Value::Period(Period::Days(7))));
}

fn max_verdict() -> Vec<OutputDef> {
    vec![output("verdict", Mode::Max, verdict(), Fallback::Else(level(ALLOW)))]
}

#[test]
fn a_maybe_that_cannot_change_the_result_is_ignored() {
    let rules = vec![set("denies", None, level(DENY)), set("allows", Some(flag()), level(ALLOW))];
    let linked = link(book(max_verdict(), rules));
    let outcome = decide(&linked, &Known::new(&linked));
    assert_eq!(first(&outcome), &State::Value(Value::Enum(DENY)));
    assert_eq!(because(&outcome), [0]);
    // The other way round it matters.
    let rules = vec![set("allows", None, level(ALLOW)), set("denies", Some(flag()), level(DENY))];
    let linked = link(book(max_verdict(), rules));
    let outcome = decide(&linked, &Known::new(&linked));
    assert_eq!(first(&outcome), &unknown(&["flag"]));
    assert_eq!(outcome.open[0].rules, [RuleId(1)]);
    // The top cannot be topped, whatever an undecided value is.
    let silent = ex(ExprKind::Undecided(asked("?")), verdict());
    let rules = vec![set("denies", None, level(DENY)), set("silent", None, silent.clone())];
    let linked = link(book(max_verdict(), rules));
    assert_eq!(first(&decide(&linked, &Known::new(&linked))), &State::Value(Value::Enum(DENY)));
    let rules = vec![set("refers", None, level(REFER)), set("silent", None, silent)];
    let linked = link(book(max_verdict(), rules));
    let asked = State::Undecided(BTreeSet::from([asked("?")]));
    assert_eq!(first(&decide(&linked, &Known::new(&linked))), &asked);
}

#[test]
fn overriding_an_overrider_revives() {
    // 2 overrides 1 overrides 0.
    let rules = |last: Expr| {
        vec![
            set("a", None, level(DENY)),
            overriding(set("b", None, level(ALLOW)), &[0]),
            overriding(set("c", Some(last), level(ALLOW)), &[1]),
        ]
    };
    let run = |last: Expr| {
        let linked = link(book(max_verdict(), rules(last)));
        decide(&linked, &Known::new(&linked))
    };
    assert_eq!(because(&run(yes(false))), [1]);
    assert_eq!(first(&run(yes(false))), &State::Value(Value::Enum(ALLOW)));
    assert_eq!(first(&run(yes(true))), &State::Value(Value::Enum(DENY)));
    assert_eq!(first(&run(flag())), &unknown(&["flag"]));
}

#[test]
fn replacing_acts_whatever_the_condition() {
    let mut by = set("b", Some(yes(false)), level(ALLOW));
    by.replaces.push(RuleId(0));
    let linked = link(book(max_verdict(), vec![set("a", None, level(DENY)), by.clone()]));
    let outcome = decide(&linked, &Known::new(&linked));
    assert_eq!((first(&outcome), because(&outcome)), (&State::Value(Value::Enum(ALLOW)), vec![]));
    // Not while its own dates do not hold; in doubt, in doubt.
    by.dates.from = Some(100);
    let linked = link(book(max_verdict(), vec![set("a", None, level(DENY)), by]));
    let on = |day| first(&decide(&linked, &Known::new(&linked).value(TODAY, day))).clone();
    assert_eq!(on(99), State::Value(Value::Enum(DENY)));
    assert_eq!(on(100), State::Value(Value::Enum(ALLOW)));
    assert_eq!(first(&decide(&linked, &Known::new(&linked))), &unknown(&["today"]));
}

#[test]
fn one_must_agree() {
    let outputs = || vec![output("o", Mode::One, Ty::Money, Fallback::Else(cny(0)))];
    let run = |a: i64, b: i64| {
        let linked = link(book(outputs(), vec![set("a", None, cny(a)), set("b", None, cny(b))]));
        decide(&linked, &Known::new(&linked))
    };
    assert_eq!(because(&run(3, 3)), [0, 1]);
    let rules = Conflict::Rules(BTreeSet::from([RuleId(0), RuleId(1)]));
    let outcome = run(3, 4);
    assert_eq!(first(&outcome), &State::Conflict(BTreeSet::from([rules])));
    assert_eq!(outcome.open[0].rules, [RuleId(0), RuleId(1)]);
    // A maybe of the default's value changes nothing.
    let linked = link(book(outputs(), vec![set("a", Some(flag()), cny(0))]));
    assert_eq!(first(&decide(&linked, &Known::new(&linked))), &State::Value(money(0)));
}

#[test]
fn clamps_apply_bind_and_oppose() {
    let outputs = || vec![output("o", Mode::One, Ty::Money, Fallback::Else(cny(5)))];
    let clamp = |name: &str, op, n, policy, binding| {
        let mut r = rule(name, None, op, cny(n));
        r.policy = PolicyId(policy);
        r.binding = binding;
        r
    };
    let run = |rules: Vec<Rule>| {
        let linked = link(book(outputs(), rules));
        decide(&linked, &Known::new(&linked))
    };
    let up = run(vec![clamp("a", EffectOp::AtLeast, 7, 0, false), clamp("b", EffectOp::AtMost, 9, 0, false)]);
    assert_eq!((first(&up), because(&up)), (&State::Value(money(7)), vec![0]));
    let opposed =
        run(vec![clamp("a", EffectOp::AtLeast, 7, 0, false), clamp("b", EffectOp::AtMost, 3, 1, false)]);
    let rules = Conflict::Rules(BTreeSet::from([RuleId(0), RuleId(1)]));
    assert_eq!(first(&opposed), &State::Conflict(BTreeSet::from([rules])));
    let bound =
        run(vec![clamp("a", EffectOp::AtLeast, 7, 0, true), clamp("b", EffectOp::AtMost, 3, 1, false)]);
    assert_eq!(first(&bound), &State::Value(money(7)));
    assert_eq!(bound.set_aside, [(RuleId(0), RuleId(1))]);
}

#[test]
fn binding_contributions_hold_but_kinder_ones_pass() {
    let run = |better: Option<Better>, store: i64| {
        let mut def = output("o", Mode::One, Ty::Money, Fallback::Absent);
        def.better = better;
        let mut law = set("law", None, cny(7));
        law.binding = true;
        let mut shop = set("shop", None, cny(store));
        shop.policy = PolicyId(1);
        let linked = link(book(vec![def], vec![law, shop]));
        let outcome = decide(&linked, &Known::new(&linked));
        (first(&outcome).clone(), because(&outcome), outcome.set_aside.len())
    };
    let value = |n| State::Value(money(n));
    assert_eq!(run(None, 9), (value(7), vec![0], 1));
    assert_eq!(run(Some(Better::Higher), 9), (value(9), vec![1], 0));
    assert_eq!(run(Some(Better::Higher), 5), (value(7), vec![0], 1));
    assert_eq!(run(Some(Better::Lower), 5), (value(5), vec![1], 0));
    assert_eq!(run(None, 7), (value(7), vec![0, 1], 0));
}

#[test]
fn an_override_of_a_binding_rule_is_set_aside() {
    let mut law = set("law", None, level(DENY));
    law.binding = true;
    let mut shop = overriding(set("shop", None, level(ALLOW)), &[0]);
    shop.policy = PolicyId(1);
    let linked = link(book(max_verdict(), vec![law, shop]));
    let outcome = decide(&linked, &Known::new(&linked));
    assert_eq!(first(&outcome), &State::Value(Value::Enum(DENY)));
    assert_eq!(outcome.set_aside, [(RuleId(0), RuleId(1))]);
}

#[test]
fn all_adds_and_removes() {
    let outputs = || vec![output("o", Mode::All, verdict(), Fallback::Empty)];
    let set_of = |all: &[u32]| {
        ex(ExprKind::Set(all.iter().map(|l| level(*l)).collect()), Ty::Set(Arc::new(verdict())))
    };
    let run = |when: Option<Expr>, binding: bool| {
        let mut add = rule("a", None, EffectOp::Add, set_of(&[ALLOW, REFER]));
        add.binding = binding;
        let mut remove = rule("b", when, EffectOp::Remove, level(REFER));
        remove.policy = PolicyId(1);
        let linked = link(book(outputs(), vec![add, remove]));
        decide(&linked, &Known::new(&linked))
    };
    let all = |all: &[u32]| State::Value(Value::Set(Arc::new(all.iter().map(|l| Value::Enum(*l)).collect())));
    let plain = run(None, false);
    assert_eq!((first(&plain), because(&plain)), (&all(&[ALLOW]), vec![0, 1]));
    let held = run(None, true);
    assert_eq!((first(&held), because(&held)), (&all(&[ALLOW, REFER]), vec![0]));
    assert_eq!(held.set_aside, [(RuleId(0), RuleId(1))]);
    assert_eq!(first(&run(Some(flag()), false)), &unknown(&["flag"]));
    assert_eq!(first(&run(Some(flag()), true)), &all(&[ALLOW, REFER]));
}

#[test]
fn guards_make_absent_or_leave_in_doubt() {
    let mut def = output("o", Mode::One, Ty::Money, Fallback::Else(cny(1)));
    def.guard = Some(flag());
    let linked = link(book(vec![def.clone()], vec![]));
    let with = |bit| first(&decide(&linked, &Known::new(&linked).value(FLAG, bit))).clone();
    assert_eq!(with(0), State::Value(Value::Absent));
    assert_eq!(with(1), State::Value(money(1)));
    assert_eq!(first(&decide(&linked, &Known::new(&linked))), &unknown(&["flag"]));
    // Absent anyway.
    def.fallback = Fallback::Absent;
    let linked = link(book(vec![def], vec![]));
    assert_eq!(first(&decide(&linked, &Known::new(&linked))), &State::Value(Value::Absent));
}

/// `sum(l.paid for l in lines where l.full)`
fn paid_in_full() -> Expr {
    let var = ex(ExprKind::Var(VarId(0)), Ty::Entity(EntityId(0)));
    let line = Ty::List(Arc::new(Ty::Entity(EntityId(0))));
    ex(
        ExprKind::Comp {
            kind: CompKind::Sum,
            var: VarId(0),
            list: bx(ex(ExprKind::Root(LINES), line)),
            cond: Some(bx(ex(ExprKind::Field(bx(var.clone()), 1), Ty::Bool))),
            body: Some(bx(ex(ExprKind::Field(bx(var), 0), Ty::Money))),
        },
        Ty::Money,
    )
}

#[test]
fn comprehensions_take_the_worst_of_what_they_read() {
    is(state_of(paid_in_full(), |g| g.lines(&[])), money(0));
    is(state_of(paid_in_full(), |g| g.lines(&[(Some(2), Some(true)), (None, Some(false))])), money(2));
    assert_eq!(state_of(paid_in_full(), |g| g), unknown(&["lines"]));
    let two = |g: Known| g.lines(&[(None, Some(true)), (Some(1), None)]);
    assert_eq!(state_of(paid_in_full(), two), unknown(&["lines[0].paid", "lines[1].full"]));
}

#[test]
fn per_line_outputs_have_a_state_per_line() {
    let mut def = output("o", Mode::One, Ty::Money, Fallback::Else(cny(0)));
    def.per = Some(LINES);
    def.var = Some(VarId(1));
    let total = output("total", Mode::One, Ty::Money, Fallback::Absent);
    let line = ex(ExprKind::Var(VarId(0)), Ty::Entity(EntityId(0)));
    let list = ex(ExprKind::Root(LINES), Ty::List(Arc::new(Ty::Entity(EntityId(0)))));
    let mut each = set(
        "each",
        Some(ex(ExprKind::Field(bx(line.clone()), 1), Ty::Bool)),
        ex(ExprKind::Field(bx(line), 0), Ty::Money),
    );
    each.for_each = Some(ForEach { var: VarId(0), list: list.clone(), root: Some(LINES) });
    each.effects[0].per_element = true;
    let sum = ex(
        ExprKind::Comp {
            kind: CompKind::Sum,
            var: VarId(2),
            list: bx(list),
            cond: None,
            body: Some(bx(ex(ExprKind::OutputOf(OutputId(0), VarId(2)), Ty::Money))),
        },
        Ty::Money,
    );
    let mut sums = set("sums", None, sum);
    sums.effects[0].output = OutputId(1);
    let linked = link(book(vec![def, total], vec![each, sums]));
    let run =
        |lines: &[(Option<i64>, Option<bool>)]| decide(&linked, &Known::new(&linked).lines(lines)).outputs;
    let list = |all: &[i64]| State::Value(Value::List(Arc::new(all.iter().map(|n| money(*n)).collect())));
    assert_eq!(
        run(&[(Some(3), Some(true)), (None, Some(false)), (Some(4), Some(true))]),
        [list(&[3, 0, 4]), State::Value(money(7))]
    );
    let open = unknown(&["lines[1].full"]);
    assert_eq!(run(&[(Some(3), Some(true)), (Some(4), None)]), [open.clone(), open]);
    assert_eq!(run(&[]), [list(&[]), State::Value(money(0))]);
    assert_eq!(decide(&linked, &Known::new(&linked)).outputs, [unknown(&["lines"]), unknown(&["lines"])]);
}

#[test]
fn conditions_on_unknown_choose_only_between_different_branches() {
    let branch = |a: i64, b: i64| ex(ExprKind::If(bx(flag()), bx(cny(a)), bx(cny(b))), Ty::Money);
    is(state_of(branch(1, 1), |g| g), money(1));
    assert_eq!(state_of(branch(1, 2), |g| g), unknown(&["flag"]));
    // Candidates of a condition reach through an operation: both are at least 1.
    let cmp = ex(ExprKind::Cmp(CmpOp::Ge, bx(branch(1, 2)), bx(cny(1))), Ty::Bool);
    is(state_of(cmp, |g| g), Value::Bool(true));
    let cmp = ex(ExprKind::Cmp(CmpOp::Ge, bx(branch(1, 2)), bx(amount())), Ty::Bool);
    assert_eq!(state_of(cmp.clone(), |g| g), unknown(&["amount", "flag"]));
    is(state_of(cmp, |g| g.amount(1)), Value::Bool(true));
}

#[test]
fn rules_of_policies_not_in_force_do_nothing_whatever_is_unknown() {
    let mut book = book(max_verdict(), vec![set("a", Some(flag()), level(DENY))]);
    book.policies[0].dates.from = Some(10);
    let linked = link(book);
    let outcome = decide(&linked, &Known::new(&linked).value(TODAY, 9));
    assert_eq!(first(&outcome), &State::Value(Value::Enum(ALLOW)));
    let outcome = decide(&linked, &Known::new(&linked).value(TODAY, 10));
    assert_eq!(first(&outcome), &unknown(&["flag"]));
    let outcome = decide(&linked, &Known::new(&linked));
    assert_eq!(first(&outcome), &unknown(&["flag", "today"]));
    let outcome = decide(&linked, &Known::new(&linked).value(FLAG, 0));
    assert_eq!(first(&outcome), &State::Value(Value::Enum(ALLOW)));
}

#[test]
fn params_follow_the_most_specific_setting_in_force() {
    let dated =
        |n: i64, from: Option<i32>| DatedValue { dates: DateRange { from, before: None }, value: cny(n) };
    let param = Param {
        policy: PolicyId(0),
        name: "limit".into(),
        clause: None,
        ty: Ty::Money,
        values: vec![dated(300, Some(0))],
        settings: vec![Setting { policy: PolicyId(1), values: vec![dated(500, Some(50))] }],
        span: Span::default(),
    };
    let outputs = vec![output("o", Mode::One, Ty::Money, Fallback::Absent)];
    let read = ex(ExprKind::Param(ParamId(0)), Ty::Money);
    let mut book = book(outputs, vec![set("r", None, read)]);
    book.params.push(param);
    let linked = link(book);
    let on = |day| first(&decide(&linked, &Known::new(&linked).value(TODAY, day))).clone();
    assert_eq!(on(50), State::Value(money(500)));
    assert_eq!(on(49), State::Value(money(300)));
    faulty(on(-1), Fault::NoParamValue("a.limit".into()));
    assert_eq!(first(&decide(&linked, &Known::new(&linked))), &unknown(&["today"]));
}

#[test]
fn rounding_that_is_undecided_asks_only_off_the_step() {
    let half = ex(ExprKind::Const(Const::Num(num_rational::BigRational::new(1.into(), 2.into()))), Ty::Dec);
    let round = |n: i64, rounding: Rounding| {
        let value = arith(ArithOp::Mul, cny(n), half.clone(), Ty::Money);
        ex(ExprKind::Round { value: bx(value), rounding, step: Some(rat(1)) }, Ty::Money)
    };
    let silent = || Rounding::Undecided(asked("how?"));
    is(state_of(round(4, silent()), |g| g), money(2));
    assert_eq!(state_of(round(5, silent()), |g| g), State::Undecided(BTreeSet::from([asked("how?")])));
    is(state_of(round(-5, Rounding::Mode(RoundMode::HalfUp)), |g| g), money(-3));
    is(state_of(round(-5, Rounding::Mode(RoundMode::HalfEven)), |g| g), money(-2));
}

#[test]
fn nothing_in_another_currency_is_another_sum() {
    let outputs = || vec![output("o", Mode::Sum, Ty::Money, Fallback::Empty)];
    let run = |maybe: Expr| {
        let linked = link(book(outputs(), vec![set("a", Some(flag()), maybe)]));
        first(&decide(&linked, &Known::new(&linked))).clone()
    };
    assert_eq!(run(cny(0)), State::Value(money(0)));
    assert_eq!(run(usd(0)), unknown(&["flag"]));
    assert_eq!(run(cny(1)), unknown(&["flag"]));
}
