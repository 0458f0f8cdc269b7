//! Compiled programs against the reference walk, on texts and random facts.
use super::*;
use crate::lang::ast::{File, FileKind};
use crate::lang::check::{RulebookText, check};
use crate::lang::source::SourceMap;
use crate::lang::syntax;
use crate::program::facts::*;
use crate::program::value::Value;
use num_bigint::BigInt;
use num_rational::BigRational;

const PLACES: [(&str, &str); 9] = [
    ("chain", "c"),
    ("store", "s"),
    ("chain", "jiajie"),
    ("chain", "peers"),
    ("format", "department"),
    ("format", "supermarket"),
    ("store", "s001"),
    ("store", "s002"),
    ("store", "s030"),
];

/// A rulebook from its texts; every policy takes part.
fn program(vocab: &str, policies: &[&str]) -> Arc<Linked> {
    let layers: Vec<String> = ["law", "chain", "store"].map(String::from).to_vec();
    book(&[vocab], policies, &layers, &|_, name| Err(name.to_owned()), &[])
}

fn book(
    vocabs: &[&str],
    policies: &[&str],
    layers: &[String],
    csv: &crate::lang::check::ReadCsv<'_>,
    lies_in: &[(&str, &str)],
) -> Arc<Linked> {
    let mut map = SourceMap::new();
    let mut found = Vec::new();
    let mut parse = |name: String, text: &str, kind: FileKind| {
        let id = map.add(name, text);
        let (file, more) = syntax::parse_file(&map, id, kind);
        found.extend(more);
        file
    };
    let mut vocabulary = Vec::new();
    for (i, text) in vocabs.iter().enumerate() {
        if let File::Vocabulary(file) = parse(format!("{i}.vocab"), text, FileKind::Vocabulary) {
            vocabulary.push(file);
        }
    }
    let mut files = Vec::new();
    for (i, text) in policies.iter().enumerate() {
        if let File::Policy(file) = parse(format!("{i}.policy"), text, FileKind::Policy) {
            files.push(file);
        }
    }
    let places: Vec<(String, String)> = PLACES.map(|(a, b)| (a.into(), b.into())).to_vec();
    let text = RulebookText {
        name: "test",
        vocabulary: &vocabulary,
        policies: &files,
        cases: &[],
        layers,
        places: &places,
        read_csv: csv,
    };
    let checked = check(&text, &mut map);
    found.extend(checked.diagnostics);
    let shown = crate::lang::diagnostic::render(&map, &found, false);
    let Some(rulebook) = checked.rulebook.filter(|_| !found.iter().any(|d| d.is_error())) else {
        panic!("{shown}");
    };
    let takes = |p: &Policy| {
        let name = p.layer.name.as_deref();
        name.is_none_or(|n| lies_in.is_empty() || lies_in.contains(&(p.layer.kind.as_str(), n)))
    };
    let takes_part = rulebook.policies.iter().map(takes).collect();
    let symbols = Arc::new(Symbols::of(&rulebook));
    let layout = Arc::new(Layout::of(&rulebook.vocab));
    let zone = chrono_tz::Asia::Shanghai;
    Arc::new(Linked::new(Arc::new(rulebook), layout, symbols, takes_part, zone, 0, String::new()))
}

/// Random facts: mostly known, near the numbers that policies speak of.
struct Random<'a> {
    linked: &'a Linked,
    state: u64,
    /// In a thousand slots, so many are unknown.
    unknown: u64,
    rows: u64,
}

impl Random<'_> {
    fn next(&mut self, below: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % below
    }

    fn facts(&mut self) -> Facts {
        let layout = self.linked.layout.clone();
        let mut facts = Facts::unknown(&layout);
        facts.currency = Some(0);
        facts.texts = vec!["x".into(), "y".into()];
        let mut slots = std::mem::take(&mut facts.slots);
        for place in &layout.roots {
            self.place(place, &mut slots, 0, &mut facts, true);
        }
        facts.slots = slots;
        let calls: Vec<_> = self.linked.rulebook.vocab.fact_calls.to_vec();
        for (i, call) in calls.iter().enumerate() {
            if call.params.iter().any(|(_, ty)| *ty != Ty::Int) {
                continue;
            }
            for year in 2023..2029 {
                let args = vec![Value::Num(BigRational::from_integer(BigInt::from(year)))];
                let slot = self.scalar(&call.ty);
                facts.calls.push(CallFact { fact: FactCallId(i as u32), args, slot });
            }
        }
        facts
    }

    fn place(&mut self, place: &Place, slots: &mut [Slot], base: usize, facts: &mut Facts, known: bool) {
        let at = base + place.slot as usize;
        let unknown = !known || self.next(1000) < self.unknown;
        let absent = place.ty.is_optional() && self.next(3) == 0;
        match &place.shape {
            Shape::Scalar => slots[at] = if unknown { Slot::UNKNOWN } else { self.scalar(&place.ty) },
            Shape::Entity(fields) => {
                slots[at] = match (unknown, absent) {
                    (true, _) => Slot::UNKNOWN,
                    (_, true) => Slot::ABSENT,
                    _ => Slot::value(1),
                };
                for field in fields {
                    if !unknown && absent {
                        self.gone(field, slots, base);
                    } else {
                        self.place(field, slots, base, facts, !unknown);
                    }
                }
            }
            Shape::List(element) => {
                if unknown || absent {
                    slots[at] = if unknown { Slot::UNKNOWN } else { Slot::ABSENT };
                    return;
                }
                let layout = self.linked.layout.clone();
                let e = &layout.elements[*element as usize];
                let len = self.next(self.rows + 1) as usize;
                let mut rows = vec![Slot::UNKNOWN; len * e.width as usize];
                for row in 0..len {
                    self.place(&e.place, &mut rows, row * e.width as usize, facts, true);
                }
                let start = facts.rows.len() as u32;
                facts.rows.extend(rows);
                facts.lists.push(ListData { element: *element, len: len as u32, start });
                slots[at] = Slot::value(facts.lists.len() as i64 - 1);
            }
        }
    }

    fn gone(&mut self, place: &Place, slots: &mut [Slot], base: usize) {
        slots[base + place.slot as usize] = Slot::ABSENT;
        if let Shape::Entity(fields) = &place.shape {
            fields.iter().for_each(|f| self.gone(f, slots, base));
        }
    }

    fn scalar(&mut self, ty: &Ty) -> Slot {
        if ty.is_optional() && self.next(3) == 0 {
            return Slot::ABSENT;
        }
        let vocab = &self.linked.rulebook.vocab;
        let bits = match ty.inner() {
            Ty::Bool => self.next(2) as i64,
            Ty::Int => self.next(12) as i64 - 1,
            Ty::Dec => {
                let step = [1, 100, 1000, 5000][self.next(4) as usize];
                self.next(30) as i64 * step
            }
            Ty::Money => {
                let step = [1, 50, 100, 10_000][self.next(4) as usize];
                self.next(if step == 1 { 100_000 } else { 60 }) as i64 * step * 100
            }
            Ty::Unit(_) => self.next(12_000) as i64 * SCALE,
            Ty::Text => self.next(self.linked.symbols.len() as u64 + 2) as i64,
            Ty::Date => 20_620 + self.next(80) as i64,
            Ty::DateTime => (20_620 * 86_400 + self.next(9_000_000) as i64) * 1_000_000,
            Ty::Period => {
                let n = self.next(40) as i64;
                pack_period(if self.next(2) == 0 { Period::Days(n) } else { Period::Months(n) })
            }
            Ty::Duration => self.next(100_000) as i64,
            Ty::Enum(e) => self.next(vocab.enums[e.ix()].members.len() as u64) as i64,
            Ty::Node(t) => self.next(vocab.taxonomies[t.ix()].nodes.len() as u64) as i64,
            other => panic!("no random {other:?}"),
        };
        Slot::value(bits)
    }
}

/// Compares compiled and walked outcomes on random facts; answers in how many of a thousand the code ran to its end.
fn agree(linked: &Arc<Linked>, decision: &str, runs: u64, unknown: u64) -> u64 {
    let compiled = Compiled::new(linked.clone());
    let decisions = &linked.rulebook.vocab.decisions;
    let id = DecisionId(decisions.iter().position(|d| d.name == decision).unwrap() as u32);
    assert_eq!(compiled.reasons(id), &[] as &[String], "{decision}");
    let mut random = Random { linked, state: 0x9E37_79B9_7F4A_7C15, unknown, rows: 4 };
    let mut frame = Frame::new();
    let mut done = 0;
    for run in 0..runs {
        let facts = random.facts();
        let walked = walk::evaluate(linked, id, &facts);
        if let Err(exit) = compiled.run(id, &facts, &mut frame) {
            // An exit costs time; where everything is known and decided it should not happen.
            if unknown == 0
                && walked.outputs.iter().all(|o| o.badness() == 0)
                && std::env::var("EXITS").is_ok()
            {
                let at = match exit {
                    Exit::At(at) => compiled.code(id).and_then(|c| c.insts.get(at as usize)).copied(),
                    _ => None,
                };
                println!("run {run} left at {exit:?}: {at:?}");
            }
            continue;
        }
        done += 1;
        let outcome = compiled.outcome(id, &facts, &frame).unwrap();
        assert_eq!(outcome, walked, "run {run}\n{}\n{facts:?}", compiled.describe());
    }
    done * 1000 / runs
}

const VOCAB: &str = "
vocabulary shop version 1
enum season: spring, summer, autumn, winter
enum tier: ordinary < gold < platinum
enum role: staff < supervisor < manager
enum verdict: allow < refer < deny
enum remedy: money_back, swap, repair
enum kind: gift_back, cash_back
taxonomy category { apparel { clothing, underwear, fur } cosmetics, precious { jade, gold_jewellery } fresh }
currency CNY step 0.01
unit point step 1
calendar mainland { closed 2026-10-01 through 2026-10-07, open 2026-10-10 }
entity member { tier: tier, since: date, note: text? }
entity item { category: category, season: season?, unit_price: money, paid: money, price_now: money?, as_sold: bool, opened: bool, ratio: decimal, quantity: integer, at: datetime, member: member? }
entity line { category: category, paid: money, weight: decimal, quantity: integer, returned: bool, ref: text, tier: tier? }
record due { kind: kind, ref: text, amount: money }
fact today: date
fact item: item
fact lines: list of line
fact spend(year: integer): money from records
";

#[test]
fn conditions_modes_and_clamps() {
    let vocab = format!(
        "{VOCAB}
decision d given item, today, lines {{
  verdict: max verdict else deny
  lowest: min tier optional
  approver: max role if verdict is not deny else supervisor
  remedies: all remedy if verdict is not deny
  refund: one money if verdict is not deny else 0 CNY
  bonus: sum point
  until: max date better higher optional
}}"
    );
    let policy = "
policy a.b decides d
  layer chain c
  governed by today
  rounding half up
param limit: money = 30 CNY from 2020-01-01 before 2026-07-15, 45 CNY from 2026-07-15
let cheap = item.unit_price < 20 CNY
let term = window(item.category, item.season)
table window(c: category, s: season?) -> length: period? nearest
  | clothing | summer | 7 days |
  | apparel | - | 1 month |
  | cosmetics | absent | 3 days |
  | else | - | absent |
rule opened in exclusions when item.category in cosmetics and item.opened then deny
rule under when item.category in {underwear, fur} and not cheap then deny
  overrides kind_one
rule kind_one when item.season is summer then refer
rule fine when item.as_sold and (item.season is not absent or item.opened) then allow, remedies add {money_back, swap}
  overrides exclusions
rule less when item.quantity > 5 then remedies remove {swap}
rule one when item.quantity in {1, 2, 3} then lowest = gold, bonus = 3 point
rule two when item.quantity in [2..6) then lowest = platinum, bonus = 4 point
rule price when item.unit_price >= limit then refund = item.paid * item.ratio rounded
rule capped when item.as_sold then refund at most 100 CNY
rule least when item.opened then refund at least 1.5 CNY
rule boss when refund > 40 CNY then approver = manager
rule ends when item.member is not absent and term is not absent then until = today + (term otherwise 0 days)
rule member_end from 2026-07-01 when item.member is not absent and item.member.since > today then until = item.member.since
rule back when item.member is not absent and item.member.tier >= gold and item.paid / 2 > item.unit_price then bonus = 2 point
";
    let linked = program(&vocab, &[policy]);
    assert!(agree(&linked, "d", 3000, 0) > 600);
    assert!(agree(&linked, "d", 1000, 20) > 300);
}

/// A rulebook folder of the repository.
fn folder(vocab: &str, policies: &str, layers: &[&str], lies_in: &[(&str, &str)]) -> Arc<Linked> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &std::path::Path| std::fs::read_to_string(path).unwrap();
    let vocab = read(&root.join(vocab));
    let mut files: Vec<_> =
        std::fs::read_dir(root.join(policies)).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    let texts = |kind: &str| -> Vec<String> {
        files.iter().filter(|f| f.extension().is_some_and(|e| e == kind)).map(|f| read(f)).collect()
    };
    let (texts, more) = (texts("policy"), texts("vocab"));
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let vocabs: Vec<&str> = [vocab.as_str()].into_iter().chain(more.iter().map(String::as_str)).collect();
    let layers: Vec<String> = layers.iter().map(|l| l.to_string()).collect();
    let csv = |_: &str, name: &str| {
        std::fs::read_to_string(root.join(policies).join(name)).map_err(|e| e.to_string())
    };
    book(&vocabs, &texts, &layers, &csv, lies_in)
}

fn jiajie(store: &str, format: &str) -> Arc<Linked> {
    let layers = ["law", "chain", "format", "store", "counter", "campaign"];
    let lies_in = [("chain", "jiajie"), ("format", format), ("store", store)];
    folder("policies/retail.vocab", "policies/jiajie", &layers, &lies_in)
}

#[test]
fn the_example_rulebook_agrees() {
    for (store, format) in [("s001", "department"), ("s002", "supermarket"), ("s030", "department")] {
        let linked = jiajie(store, format);
        let compiled = Compiled::new(linked.clone());
        for (i, d) in linked.rulebook.vocab.decisions.iter().enumerate() {
            let reasons = compiled.reasons(DecisionId(i as u32));
            println!("{}: {reasons:?}", d.name);
            if reasons.is_empty() {
                let share = agree(&linked, &d.name, 1000, 0);
                println!("  {share} of 1000, {} with unknown facts", agree(&linked, &d.name, 300, 10));
            }
        }
    }
}

#[test]
fn lists_elements_and_calls() {
    let vocab = format!(
        "{VOCAB}
decision earn given item, lines, today {{
  eligible each l in lines: one money else 0 CNY
  worth each l in lines: max money else 1 CNY
  working part each l in lines: sum decimal
  tags each l in lines: all remedy
  points: one point else 0 point
  share_of each l in lines: one money if l.quantity > 3 else 0 CNY
  graded each l in lines: max tier if l.weight > 0.5 optional
  total: sum money
}}
decision back given item, lines, today {{
  lost: one point else 0 point
  other: one money else 0 CNY
  owes: each due
  flags: all kind
  count: max integer optional
  worst: min money optional
  deep: sum point
}}"
    );
    let policy = "
policy a.earn decides earn
  layer chain c
  governed by today
  rounding half up
rule counts for each l in lines when l.category not in fresh then l.eligible = l.paid, l.tags add money_back
rule special for each l in lines when l.returned or l.quantity > 6 then l.eligible = 2 CNY, l.tags add {swap, repair}
  overrides counts
rule never when item.opened and item.season is winter then points = 7 point
  overrides counts, base
rule worth for each l in lines when l.weight > 0 and l.eligible > 0 CNY then l.worth = l.eligible * l.weight rounded
rule worth_cap for each l in lines when l.tier is not absent then l.worth at most 20 CNY, l.tags remove swap
rule worth_floor for each l in lines then l.worth at least 0.5 CNY
rule part for each l in lines when l.quantity > 0 then l.part = l.eligible / 3 CNY, l.part = 1 / l.quantity
rule base then points = sum(l.eligible for l in lines) * 1 point per 2 CNY rounded down
rule shares for each l in lines when sum(x.quantity for x in lines where x.quantity > 0) > 2
  then l.share_of = share(l, item.paid, max(x.quantity, 0) for x in lines)
rule graded for each l in lines when l.quantity > 4 then l.graded = gold, l.tags add repair
rule total then total = sum(l.part for l in lines where l.worth > 1 CNY) * 1 CNY rounded

policy a.back decides back
  layer chain c
  governed by today
  rounding half even
let kept = list(l for l in lines where not l.returned)
rule lost when count(l in lines where l.returned) > 0
  then lost = earn(lines: list(l for l in lines where not l.returned and l.quantity < 9)).points - earn(lines: kept).points
rule other then other = earn(lines: list(l for l in lines where not l.returned and l.quantity < 9)).total
  + sum(earn(lines: list(x for x in lines where x.ref is l.ref)).total for l in lines)
rule owes for each l in list(l for l in lines where l.paid > 10 CNY)
  when any(x.quantity > l.quantity for x in lines where not x.returned)
  then owes add due(kind: if l.returned then cash_back else gift_back, ref: l.ref, amount: min(l.paid, 30 CNY)), flags add cash_back
rule all_of when all(l.quantity > 1 for l in kept) then flags add {gift_back}
rule not_flags when item.as_sold then flags remove {cash_back}
rule most when length(kept) > 0 then count = max(l.quantity for l in kept), worst = min(l.paid for l in kept)
rule per_year then deep = spend(year(today)) * 1 point per 3 CNY rounded down to 1 point
";
    let linked = program(&vocab, &[policy]);
    assert!(agree(&linked, "earn", 3000, 0) > 600);
    assert!(agree(&linked, "back", 3000, 0) > 600);
    agree(&linked, "earn", 1000, 15);
    agree(&linked, "back", 1000, 15);
}

#[test]
fn layers_bind_set_and_add_rows() {
    let vocab = format!(
        "{VOCAB}
decision d given item, today, lines {{
  verdict: max verdict else deny
  last_day: max date better higher optional
  fee: one money better lower else 0 CNY
  remedies: all remedy
  rate: one decimal else 0
  rows: sum integer
}}"
    );
    let law = "
policy law.a decides d
  layer law
  governed by today
binding rule keep when item.quantity > 2 then last_day at least item.member_since, remedies add {money_back}
binding rule fee when item.opened then fee = 5 CNY
binding rule ok when item.as_sold then verdict = refer
binding rule cap when item.quantity > 5 then last_day at most 2026-08-01
";
    let chain = "
policy chain.a decides d
  layer chain c
  governed by today
  from 2026-06-20
  applies when item.quantity < 11
param limit: money = 30 CNY store may set [1 CNY..100 CNY]
param part: decimal = 10% from 2020-01-01 before 2026-07-01, 30% from 2026-07-01
table t(c: category, q: integer) -> n: integer, m: money? first
  | clothing | [0..3] | 1 | 1 CNY |
  | clothing | >= 2 | 2 | absent |
  | precious | - | 3 | 2 CNY | from 2026-07-01
  | else | - | 4 | 3 CNY |
table steps(p: money) -> n: integer? steps
  | 0 CNY | 1 | | 10 CNY | 2 | | 20 CNY | 3 | | 30 CNY | 4 | | 40 CNY | 5 | | 50 CNY | 6 | | 60 CNY | 7 | | 100 CNY | 8 | | 500 CNY | 9 | | 600 CNY | 10 |
rule days when item.unit_price >= limit then last_day = today + 10 days, verdict = allow
rule drop when item.season is spring then remedies remove {money_back}, remedies add {swap}
rule fee when item.quantity in {1, 4, 5, 8} then fee = 7 CNY
rule less when item.ratio > 1 then fee = 3 CNY
rule rate then rate = part * item.ratio / 7 rounded down to 0.0001
rule rows then rows = t(item.category, item.quantity).n + (steps(item.paid) otherwise 0)
rule cells when t(item.category, item.quantity).m is not absent then rows = 100
rule late when item.season is summer then last_day at least today + 2 months
";
    let store = "
policy store.a decides d
  layer store s
  governed by today
  extends chain.a
set limit = 20 CNY from 2026-07-10
rows t §1
  | fresh | 2 | 50 | 4 CNY |
  | else | 7 | 60 | 4 CNY | from 2026-07-01 before 2026-08-01
rule shorter when item.season is autumn then last_day at most 2026-07-20
rule replaced replaces chain.a.less when item.opened then fee = 2 CNY
rule no_fee when item.season is winter then fee = 1 CNY
  overrides chain.a.fee for fee
rule kinder when item.quantity is 4 then verdict = deny
  overrides law.a.ok
";
    let vocab = vocab.replace("at: datetime,", "at: datetime, member_since: date,");
    let linked = program(&vocab, &[law, chain, store]);
    assert!(agree(&linked, "d", 6000, 0) > 500);
    agree(&linked, "d", 1000, 15);
}
