//! What expressions and cells group like, shown in brackets.

use crate::good;
use zhanggui::lang::ast::*;
use zhanggui::lang::source::{SourceMap, Span};
use zhanggui::lang::syntax::{parse_cell, parse_expr};

fn show(expr: &Expr) -> String {
    let all = |exprs: &[Expr]| exprs.iter().map(show).collect::<Vec<_>>().join(" ");
    match &expr.kind {
        ExprKind::Bool(yes) => yes.to_string(),
        ExprKind::Absent => "absent".into(),
        ExprKind::Number(n) => n.text.clone(),
        ExprKind::Percent(n) => format!("{}%", n.text),
        ExprKind::Zhe(n) => format!("{}折", n.text),
        ExprKind::Period(n, unit) => format!("{}{unit:?}", n.text),
        ExprKind::Duration(n, unit) => format!("{}{unit:?}", n.text),
        ExprKind::Quantity(q) => format!("{}{}", q.number.text, q.unit.text),
        ExprKind::Rate(r) => {
            format!("{}{}/{}{}", r.amount.number.text, r.amount.unit.text, r.per.number.text, r.per.unit.text)
        }
        ExprKind::Date(date) => date.to_string(),
        ExprKind::DateTime(time) => time.to_rfc3339(),
        ExprKind::Text(text) => format!("{text:?}"),
        ExprKind::Path(path) => path.text(),
        ExprKind::Call(call) => {
            let args = call.args.iter().map(|arg| match &arg.name {
                Some(name) => format!(" {}:{}", name.text, show(&arg.value)),
                None => format!(" {}", show(&arg.value)),
            });
            format!("({}{})", call.function.text(), args.collect::<String>())
        }
        ExprKind::Field(value, name) => format!("{}.{}", show(value), name.text),
        ExprKind::Interval(i) => interval(i),
        ExprKind::List(items) => format!("[{}]", all(items)),
        ExprKind::Set(items) => format!("{{{}}}", all(items)),
        ExprKind::Undecided(text) => format!("undecided {:?}", text.value),
        ExprKind::Between(b) => format!("({:?} {} {})", b.unit, show(&b.from), show(&b.to)),
        ExprKind::Comprehension(c) => {
            let value = c.value.as_ref().map(show).unwrap_or_default();
            format!("({:?} {value} {})", c.function, over(&c.over))
        }
        ExprKind::Split(s) => format!("(split {} {} {})", show(&s.amount), show(&s.weight), over(&s.over)),
        ExprKind::Share(s) => {
            format!("(share {} {} {} {})", show(&s.element), show(&s.amount), show(&s.weight), over(&s.over))
        }
        ExprKind::If(i) => format!("(if {} {} {})", show(&i.condition), show(&i.then), show(&i.otherwise)),
        ExprKind::And(items) => format!("(and {})", all(items)),
        ExprKind::Or(items) => format!("(or {})", all(items)),
        ExprKind::Not(value) => format!("(not {})", show(value)),
        ExprKind::Neg(value) => format!("(neg {})", show(value)),
        ExprKind::Binary(b) => format!("({:?} {} {})", b.op, show(&b.left), show(&b.right)),
        ExprKind::IsAbsent(value, negated) => {
            format!("({}absent {})", if *negated { "not-" } else { "" }, show(value))
        }
        ExprKind::Rounded(r) => {
            let mode = match &r.rounding {
                None => String::new(),
                Some(Rounding::Undecided(text)) => format!("?{} ", text.value),
                Some(mode) => format!("{mode:?} "),
            };
            let step = r.step.as_ref().map(|step| format!(" to {}", show(step))).unwrap_or_default();
            format!("(rounded {mode}{}{step})", show(&r.value))
        }
    }
}

fn over(over: &Over) -> String {
    let filter = over.filter.as_ref().map(|filter| format!(" where {}", show(filter))).unwrap_or_default();
    format!("for {} in {}{filter}", over.var.text, show(&over.list))
}

fn interval(i: &Interval) -> String {
    let (open, close) = (if i.low_open { '(' } else { '[' }, if i.high_open { ')' } else { ']' });
    format!("{open}{}..{}{close}", show(&i.low), show(&i.high))
}

fn expr(text: &str) -> String {
    let mut map = SourceMap::new();
    let id = map.add("x", text);
    let (expr, found) = parse_expr(&map, text, Span::new(id, 0, text.len() as u32));
    assert!(found.is_empty(), "{text}: {found:?}");
    let expr = expr.unwrap();
    assert_eq!(map.snippet(expr.span).trim(), text.trim(), "the span of the whole");
    show(&expr)
}

#[test]
fn operators_bind_as_written_in_0001() {
    for (text, shown) in [
        ("a + b * c otherwise d", "(Add a (Mul b (Otherwise c d)))"),
        ("a - b - c", "(Sub (Sub a b) c)"),
        ("-a * b", "(Mul (neg a) b)"),
        ("a - -5 CNY", "(Sub a (neg 5CNY))"),
        ("not a is b and c", "(and (not (Is a b)) c)"),
        ("a and b and c", "(and a b c)"),
        ("(a and b) or not (c)", "(or (and a b) (not c))"),
        ("a 且 b 且 非 c", "(and a b (not c))"),
        ("a is not absent and b is absent", "(and (not-absent a) (absent b))"),
        ("a is not b", "(IsNot a b)"),
        ("a ≠ b", "(IsNot a b)"),
        ("a not in {b, c}", "(NotIn a {b c})"),
        ("not a in [b, c,]", "(not (In a [b c]))"),
        ("a ≥ 3_000.50元", "(Ge a 3000.50元)"),
        ("a in (1..2] or a in [3..4)", "(or (In a (1..2]) (In a [3..4)))"),
        ("if a then b else if c then d else e", "(if a b (if c d e))"),
        ("if a then b else c rounded half up", "(rounded HalfUp (if a b c))"),
        ("if a then b rounded else c", "(if a (rounded b) c)"),
        (
            "sum(l.x for l in lines) * 1 point per 2 CNY rounded down to 1 point",
            "(rounded Down (Mul (Sum l.x for l in lines) 1point/2CNY) to 1point)",
        ),
        ("a + (b rounded undecided \"向\" to 0.01 CNY)", "(Add a (rounded ?向 b to 0.01CNY))"),
        ("days from a to b <= 15 days", "(Le (Days a b) 15Days)"),
        ("hours from a + 1 day to b", "(Hours (Add a 1Days) b)"),
        ("[1个月, 2年, 24 hours, 3天, 30分钟]", "[1Months 2Years 24Hours 3Days 30Minutes]"),
        ("8.8折 + 15% + 40积分 + 300元", "(Add (Add (Add 8.8折 15%) 40积分) 300元)"),
        ("2026-07-01T09:30+08:00", "2026-07-01T09:30:00+08:00"),
        ("2026-07-01T01:30:00Z", "2026-07-01T01:30:00+00:00"),
        ("f(a, from: b, x: c).y.from", "(f a from:b x:c).y.from"),
        ("count(l in lines where l.x)", "(Count  for l in lines where l.x)"),
        ("count(l in lines)", "(Count  for l in lines)"),
        ("count(l.x for l in lines)", "(Count l.x for l in lines)"),
        ("min(a, b)", "(min a b)"),
        ("any(l.x for l in a.b where l.y is z and l.w)", "(Any l.x for l in a.b where (and (Is l.y z) l.w))"),
        ("split(a by b for x in c)", "(split a b for x in c)"),
        ("share(l, a, b for x in c where d)", "(share l a b for x in c where d)"),
        ("fill(t, b).value", "(fill t b).value"),
        ("undecided \"为什么\"", "undecided \"为什么\""),
        ("“他说“好”” is \"a\\\"b\\n\"", "(Is \"他说“好”\" \"a\\\"b\\n\")"),
        ("days - months", "(Sub days months)"),
        ("（ａ ＋ １） ＊ ２", "(Mul (Add a 1) 2)"),
        ("e\u{301}t", "ét"),
    ] {
        assert_eq!(expr(text), shown, "{text}");
    }
}

#[test]
fn cells_keep_their_alternatives() {
    let mut map = SourceMap::new();
    let id = map.add("rates.csv", "kind,rate\na,\"b, >= 3 CNY\"\n");
    let cell = |text: &str| {
        let (cell, found) = parse_cell(&map, text, Span::new(id, 13, 24));
        assert!(found.is_empty(), "{text}: {found:?}");
        let kinds = cell.unwrap().alternatives.into_iter().map(|item| match item.kind {
            CellKind::Any => "-".to_owned(),
            CellKind::Else => "else".to_owned(),
            CellKind::Absent => "absent".to_owned(),
            CellKind::Undecided(text) => format!("undecided {}", text.value),
            CellKind::Compare(op, value) => format!("{op:?} {}", show(&value)),
            CellKind::Interval(i) => interval(&i),
            CellKind::Value(value) => show(&value),
        });
        kinds.collect::<Vec<_>>().join(" | ")
    };
    assert_eq!(cell("-"), "-");
    assert_eq!(cell(" else "), "else");
    assert_eq!(cell("absent, b, >= 3 CNY"), "absent | b | Ge 3CNY");
    assert_eq!(cell("[1..2), (3..4]"), "[1..2) | (3..4]");
    assert_eq!(cell("-5 CNY"), "(neg 5CNY)");
    assert_eq!(cell("undecided \"六6\""), "undecided 六6");
    assert_eq!(cell("春、夏"), "春 | 夏");
    // A cell that stands in its file otherwise than it is read is pointed at as a whole.
    let (cell, found) = parse_cell(&map, "b c", Span::new(id, 13, 24));
    assert!(cell.is_none());
    assert_eq!(
        (found[0].span.start, found[0].message.as_str()),
        (13, "expected `+`, `and` or the like, or `,`, found `c`")
    );
    let (cell, found) = parse_cell(&map, "  ", Span::new(id, 13, 24));
    assert!(cell.is_none());
    assert_eq!(found[0].message, "this cell is empty");
}

#[test]
fn several_rows_stand_on_one_line() {
    let text = "library a\ntable t(a: b) -> c: d first §1\n | 1, 2 | 3 |   | - | \"x|y\" | §2 from 2026-01-01 | else | - |\n";
    let File::Policy(file) = good("a.policy", text) else { panic!() };
    let [Item::Table(table)] = file.modules[0].items.as_slice() else { panic!() };
    let TableBody::Rows(rows) = &table.body else { panic!() };
    assert_eq!(rows.iter().map(|row| row.cells.len()).collect::<Vec<_>>(), [2, 2, 2]);
    assert_eq!(rows[1].clause.as_ref().map(|clause| clause.text.as_str()), Some("2"));
    assert!(rows[1].dates.from.is_some() && rows[2].dates.is_empty());
    assert_eq!(
        (table.hit, table.clause.as_ref().map(|clause| clause.text.as_str())),
        (Hit::First, Some("1"))
    );
}

#[test]
fn a_list_after_by_ends_where_another_expectation_begins() {
    let text = "case \"y\" expect refund = 3 CNY not by price, allow by a, b.c, points = 3 by d, x is absent, deny by e, f, needs g, h.i\n";
    let File::Cases(file) = good("a.cases", text) else { panic!() };
    let shown: Vec<String> = file.cases[0]
        .expect
        .iter()
        .map(|it| {
            let kind = match &it.kind {
                ExpectationKind::Word(name) => name.text.clone(),
                ExpectationKind::Value { output, value } => format!("{} = {}", output.text(), show(value)),
                ExpectationKind::State { output, state } => format!("{} {state:?}", output.text()),
                ExpectationKind::Needs(facts) => {
                    facts.iter().map(|fact| format!("?{}", fact.target.text())).collect()
                }
            };
            let by = it.by.iter().map(|by| match &by.kind {
                ByKind::Rules(paths) => paths.iter().map(|path| format!(" +{}", path.text())).collect(),
                ByKind::NotRules(paths) => paths.iter().map(|path| format!(" -{}", path.text())).collect(),
                ByKind::Default => " default".to_owned(),
            });
            kind + &by.collect::<String>()
        })
        .collect();
    assert_eq!(
        shown,
        ["refund = 3CNY -price", "allow +a +b.c", "points = 3 +d", "x Absent", "deny +e +f", "?g?h.i"]
    );
}

#[test]
fn spans_end_at_the_last_word() {
    let text = "library a\nlet b = c # about d\n\n# about d\nlet d = （e）　\n";
    let File::Policy(file) = good("a.policy", text) else { panic!() };
    let spans: Vec<_> = file.modules[0]
        .items
        .iter()
        .map(|item| match item {
            Item::Let(it) => (text.get(it.span.start as usize..it.span.end as usize), it.value.span),
            _ => panic!(),
        })
        .collect();
    assert_eq!(spans[0].0, Some("let b = c"));
    assert_eq!(spans[1].0, Some("let d = （e）"));
    assert_eq!(text.get(spans[1].1.start as usize..spans[1].1.end as usize), Some("（e）"));
}
