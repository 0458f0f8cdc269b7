//! The layout, shown.
use zhanggui::format::format_text;
use zhanggui::lang::ast::FileKind;

fn formats(kind: FileKind, from: &str, to: &str) {
    let got = format_text(from, kind).unwrap_or_else(|error| panic!("{error:?}\n{from}"));
    assert_eq!(got, to, "\n{got}");
}

#[test]
fn a_rule_has_a_line_for_each_clause() {
    formats(
        FileKind::Policy,
        "policy a.b decides c layer chain x title zh “佳\"洁”\nrule r §6.2 in g from 2026-01-01 for each l in lines when l.paid≥300元 且 （非 faulty） \
         then deny，l.out=8折*2 overrides x、y overrides z for out say zh \"不\" en \"no\" accepts W0611 \"why\"\n\n\n\nrule s binding then allow\n",
        "policy a.b decides c\n  layer chain x\n  title zh \"佳\\\"洁\"\nrule r §6.2 in g from 2026-01-01 for each l in lines\n  \
         when l.paid >= 300元 and (not faulty)\n  then deny, l.out = 8折 * 2\n  overrides x, y\n  overrides z for out\n  say zh \"不\" en \"no\"\n  \
         accepts W0611 \"why\"\n\nrule s\n  binding then allow\n",
    );
}

#[test]
fn columns_are_as_wide_as_they_look() {
    formats(
        FileKind::Policy,
        "library a\ntable t(品类: d, e: money) -> f: g, h: decimal §x accepts W0601 \"why\"\n| 服装 | >= 10 CNY| 1_000.5 CNY | 8折 | §x1\n| shoes, 帽|<5元| undecided \"how much is it for these, and why?\" | 12.5% | from 2026-01-01 # here\n\n\n|else|-|absent|-5%||-|[1 CNY..20 CNY)|12 CNY|2026-01-01|\n",
        "library a
table t(品类: d, e: money) -> f: g, h: decimal §x
  accepts W0601 \"why\"
  | 服装      | >= 10 CNY       | 1_000.5 CNY |  8折       | §x1
  | shoes, 帽 | <   5元         | undecided \"how much is it for these, and why?\" | 12.5%      | from 2026-01-01  # here

  | else      | -               | absent      | -5%        |
  | -         | [1 CNY..20 CNY) |    12 CNY   | 2026-01-01 |
",
    );
}

#[test]
fn blocks_are_short_or_have_a_line_for_each_entry() {
    formats(
        FileKind::Vocabulary,
        "vocabulary v version 1\nenum a {b\n c,d}\nenum e zh \"e\"{ f zh \"f\", g }\ntaxonomy t { a { b, c } d zh \"d\" }\ntaxonomy u { a { b\nc }\nd }\n         entity empty {}\nentity i { x: money, # the price\n y: list of t?\n}\ndecision d given x, y { v: max verdict else deny, unit each l in lines: one bool }\n         calendar c every day {closed 2026-01-01 through 2026-01-03,open 2026-01-04}\n",
        "vocabulary v version 1
enum a { b, c, d }
enum e zh \"e\" {
  f zh \"f\"
  g
}
taxonomy t {
  a { b, c }
  d zh \"d\"
}
taxonomy u { a { b, c }, d }
entity empty {}
entity i {
  x: money  # the price
  y: list of t?
}
decision d given x, y {
  v: max verdict else deny, unit each l in lines: one bool
}
calendar c every day { closed 2026-01-01 through 2026-01-03, open 2026-01-04 }
",
    );
}

#[test]
fn long_lines_break_before_operators_and_after_commas() {
    let name = |n: usize| format!("a_long_name_{n:02}");
    let names = |of: std::ops::Range<usize>, with: &str| of.map(name).collect::<Vec<_>>().join(with);
    formats(
        FileKind::Policy,
        &format!(
            "library a\nlet b = {}\nlet c = f({}) - {}\n",
            names(0..9, " and "),
            names(0..7, ","),
            names(7..9, "*")
        ),
        &format!(
            "library a\nlet b = {}\n  and {}\nlet c = f({},\n    {}) - {}\n",
            names(0..6, " and "),
            names(6..9, " and "),
            names(0..6, ", "),
            name(6),
            names(7..9, " * ")
        ),
    );
    formats(
        FileKind::Cases,
        &format!(
            "case \"x\" for d at s given {} = 1, {} = 2 expect allow by e, f = 3\n",
            names(0..4, "."),
            names(4..9, ".")
        ),
        &format!(
            "case \"x\" for d at s\n  given {} = 1,\n    {} = 2\n  expect allow by e, f = 3\n",
            names(0..4, "."),
            names(4..9, ".")
        ),
    );
}

#[test]
fn comments_keep_their_company() {
    formats(
        FileKind::Policy,
        "# head\n\n\n# of the library\nlibrary a # one\nlet bb = 1 # two\n\n# of c\nlet c = a # three\n  # four\n  and b\n         rule r # five\n  when x\n  # six\n  then z = f(a, # seven\n b)\nrule s then allow\n# last\n",
        "# head

# of the library
library a   # one
let bb = 1  # two

# of c
let c = a  # three
  # four
  and b
rule r  # five
  when x
  # six
  then z = f(a,  # seven
    b)
rule s
  then allow
# last
",
    );
}
