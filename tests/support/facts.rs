//! Random facts: unknown, absent, or from small pools whose values meet the policies' literals.
use super::rng::Rng;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum T {
    Bool,
    Int,
    Dec,
    Money,
    Point,
    Date,
    DateTime,
    Period,
    Season,
    Tier,
    Cat,
    Text,
}

pub const MONEY: &[&str] =
    &["0", "0.01", "1", "2.50", "33.33", "99.99", "100", "300", "1000", "922337203685477.58"];
pub const INT: &[&str] = &["0", "1", "2", "3", "7", "12", "2026", "9223372036854775807"];
pub const DEC: &[&str] = &["0", "0.5", "0.15", "1", "0.333", "2", "0.12345"];
pub const POINT: &[&str] = &["0", "1", "40", "1000", "6000"];
pub const DATE: &[&str] = &[
    "2026-01-31",
    "2026-02-28",
    "2024-02-29",
    "2026-07-01",
    "2026-07-08",
    "2026-10-01",
    "2026-12-31",
    "0001-01-01",
    "9999-12-31",
];
pub const DATETIME: &[&str] = &[
    "2026-07-01T00:00:00+08:00",
    "2026-06-30T17:59:59Z",
    "2026-03-28T02:30:00+01:00",
    "2026-10-24T02:30:00+02:00",
    "2026-07-08T12:00:00Z",
];
pub const TEXT: &[&str] = &["A", "B", "C9"];
pub const SEASON: &[&str] = &["spring", "summer", "autumn", "winter"];
pub const TIER: &[&str] = &["low", "mid", "high"];
pub const CAT: &[&str] = &["food", "fresh", "dry", "rice", "flour", "cloth", "fur", "silk", "gold"];

/// The shape of facts.
#[derive(Clone, Debug)]
pub enum Schema {
    Scalar(T, bool),
    Entity(Vec<(&'static str, Schema)>, bool),
    List(Box<Schema>),
}

/// Facts as they are given.
#[derive(Clone, Debug)]
pub enum Fact {
    Unknown,
    Null,
    Json(String),
    Object(Vec<(&'static str, Fact)>),
    List(Vec<Fact>),
}

/// The fixed part of the vocabulary of random policies; it knows what `schema` shapes.
pub const VOCAB: &str = r#"vocabulary v version 1
enum season: spring, summer, autumn, winter
enum tier: low < mid < high
taxonomy cat { food { fresh, dry { rice, flour } }, cloth { fur, silk }, gold }
currency CNY step 0.01
currency USD step 0.01
unit point step 1
calendar cal { closed 2026-10-01 through 2026-10-07, open 2026-10-10 }
entity item { cat: cat, season: season?, tier: tier, price: money, discount: money?, flag: bool, qty: integer, ratio: decimal, code: text, day: date, moment: datetime, term: period?, pts: point }
entity line { paid: money, cat: cat, full: bool, n: integer, level: tier?, ref: text }
entity member { level: tier, since: date }
entity receipt { day: date, member: member?, total: money }
record due { kind: tier, ref: text, amount: money }
fact today: date
fact lines: list of line
fact codes: list of text
fact spend(year: integer): money from records
fact rated(c: text, t: tier): bool from desk
"#;

pub fn schema() -> Vec<(&'static str, Schema)> {
    use Schema::{Entity, List, Scalar};
    use T::*;
    vec![
        (
            "item",
            Entity(
                vec![
                    ("cat", Scalar(Cat, false)),
                    ("season", Scalar(Season, true)),
                    ("tier", Scalar(Tier, false)),
                    ("price", Scalar(Money, false)),
                    ("discount", Scalar(Money, true)),
                    ("flag", Scalar(Bool, false)),
                    ("qty", Scalar(Int, false)),
                    ("ratio", Scalar(Dec, false)),
                    ("code", Scalar(Text, false)),
                    ("day", Scalar(Date, false)),
                    ("moment", Scalar(DateTime, false)),
                    ("term", Scalar(Period, true)),
                    ("pts", Scalar(Point, false)),
                ],
                false,
            ),
        ),
        (
            "lines",
            List(Box::new(Entity(
                vec![
                    ("paid", Scalar(Money, false)),
                    ("cat", Scalar(Cat, false)),
                    ("full", Scalar(Bool, false)),
                    ("n", Scalar(Int, false)),
                    ("level", Scalar(Tier, true)),
                    ("ref", Scalar(Text, false)),
                ],
                false,
            ))),
        ),
        (
            "receipt",
            Entity(
                vec![
                    ("day", Scalar(Date, false)),
                    (
                        "member",
                        Entity(vec![("level", Scalar(Tier, false)), ("since", Scalar(Date, false))], true),
                    ),
                    ("total", Scalar(Money, false)),
                ],
                false,
            ),
        ),
        ("today", Scalar(Date, false)),
        ("codes", List(Box::new(Scalar(Text, false)))),
    ]
}

/// Facts with each unknown `unknown` times in 100.
pub fn draw(rng: &mut Rng, schema: &Schema, unknown: usize) -> Fact {
    if rng.chance(unknown, 100) {
        return Fact::Unknown;
    }
    match schema {
        Schema::Scalar(_, true) | Schema::Entity(_, true) if rng.chance(1, 4) => Fact::Null,
        Schema::Scalar(ty, _) => Fact::Json(scalar(rng, *ty)),
        Schema::Entity(fields, _) => {
            Fact::Object(fields.iter().map(|(name, s)| (*name, draw(rng, s, unknown))).collect())
        }
        Schema::List(of) => {
            let unknown = if matches!(**of, Schema::Scalar(..)) { 0 } else { unknown };
            let rows = (0..rng.below(4)).map(|_| {
                loop {
                    // A row is always there; only its fields may be unknown.
                    match draw(rng, of, unknown) {
                        Fact::Unknown => {}
                        row => break row,
                    }
                }
            });
            Fact::List(rows.collect())
        }
    }
}

/// The same facts, with everything unknown made up.
pub fn complete(rng: &mut Rng, schema: &Schema, fact: &Fact) -> Fact {
    match (schema, fact) {
        (_, Fact::Unknown) => draw(rng, schema, 0),
        (Schema::Entity(fields, _), Fact::Object(given)) => Fact::Object(
            fields.iter().zip(given).map(|((name, s), (_, f))| (*name, complete(rng, s, f))).collect(),
        ),
        (Schema::List(of), Fact::List(rows)) => {
            Fact::List(rows.iter().map(|row| complete(rng, of, row)).collect())
        }
        (_, known) => known.clone(),
    }
}

fn scalar(rng: &mut Rng, ty: T) -> String {
    let quoted = |text: String| format!("\"{text}\"");
    // The largest amounts overflow whatever they meet, so they are rare.
    let rare = |rng: &mut Rng, pool: &[&str]| {
        let last = if rng.chance(1, 20) { 0 } else { 1 };
        rng.word(&pool[..pool.len() - last])
    };
    match ty {
        T::Bool => rng.word(&["true", "false"]),
        T::Int => rare(rng, INT),
        T::Dec => quoted(rng.word(DEC)),
        T::Money if rng.chance(1, 60) => {
            format!("{{\"amount\":\"{}\",\"currency\":\"USD\"}}", rng.word(&MONEY[..5]))
        }
        T::Money => quoted(rare(rng, MONEY)),
        T::Point => rng.word(POINT),
        T::Date => {
            let far = if rng.chance(1, 20) { 0 } else { 2 };
            quoted(rng.word(&DATE[..DATE.len() - far]))
        }
        T::DateTime => quoted(rng.word(DATETIME)),
        T::Period => quoted(rng.word(&["P7D", "P15D", "P1M", "P2Y", "P0D"])),
        T::Season => quoted(rng.word(SEASON)),
        T::Tier => quoted(rng.word(TIER)),
        T::Cat => quoted(rng.word(CAT)),
        T::Text => quoted(rng.word(TEXT)),
    }
}

/// Random facts of the fixed vocabulary.
#[derive(Clone, Debug)]
pub struct Case {
    roots: Vec<Fact>,
    /// Facts with arguments, as JSON rows.
    spend: Vec<(i32, Fact)>,
    rated: Vec<(&'static str, &'static str, Fact)>,
}

pub fn draw_case(rng: &mut Rng, unknown: usize) -> Case {
    let roots = schema().iter().map(|(_, s)| draw(rng, s, unknown)).collect();
    let spend =
        [1, 2024, 2025, 2026, 9999].map(|y| (y, draw(rng, &Schema::Scalar(T::Money, false), unknown)));
    let mut rated = Vec::new();
    for c in TEXT {
        for t in TIER {
            rated.push((*c, *t, draw(rng, &Schema::Scalar(T::Bool, false), unknown)));
        }
    }
    Case { roots, spend: spend.into(), rated }
}

pub fn complete_case(rng: &mut Rng, case: &Case) -> Case {
    let roots = schema().iter().zip(&case.roots).map(|((_, s), f)| complete(rng, s, f)).collect();
    let money = Schema::Scalar(T::Money, false);
    let spend = case.spend.iter().map(|(y, f)| (*y, complete(rng, &money, f))).collect();
    let yes = Schema::Scalar(T::Bool, false);
    let rated = case.rated.iter().map(|(c, t, f)| (*c, *t, complete(rng, &yes, f))).collect();
    Case { roots, spend, rated }
}

impl Case {
    pub fn json(&self) -> String {
        let mut members: Vec<String> = schema()
            .iter()
            .zip(&self.roots)
            .filter_map(|((name, _), f)| Some(format!("\"{name}\":{}", json(f)?)))
            .collect();
        let rows: Vec<String> = self
            .spend
            .iter()
            .filter_map(|(y, f)| Some(format!("{{\"year\":{y},\"value\":{}}}", json(f)?)))
            .collect();
        members.push(format!("\"spend\":[{}]", rows.join(",")));
        let rows: Vec<String> = self
            .rated
            .iter()
            .filter_map(|(c, t, f)| Some(format!("{{\"c\":\"{c}\",\"t\":\"{t}\",\"value\":{}}}", json(f)?)))
            .collect();
        members.push(format!("\"rated\":[{}]", rows.join(",")));
        format!("{{{}}}", members.join(","))
    }
}

fn json(fact: &Fact) -> Option<String> {
    match fact {
        Fact::Unknown => None,
        Fact::Null => Some("null".into()),
        Fact::Json(text) => Some(text.clone()),
        Fact::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().filter_map(|(name, f)| Some(format!("\"{name}\":{}", json(f)?))).collect();
            Some(format!("{{{}}}", fields.join(",")))
        }
        Fact::List(rows) => Some(format!("[{}]", rows.iter().filter_map(json).collect::<Vec<_>>().join(","))),
    }
}
