use super::*;
use crate::lang::typed::*;
use crate::program::facts::{SCALE, Tag};
use crate::program::value::Value;
use num_rational::BigRational;

fn ratio(a: i64, b: i64) -> BigRational {
    BigRational::new(a.into(), b.into())
}

fn field(name: &str, ty: Ty) -> FieldDef {
    FieldDef { name: name.into(), ty, bounds: None, label: Label::default() }
}

fn root(name: &str, ty: Ty) -> RootDef {
    RootDef { name: name.into(), ty, bounds: None, label: Label::default(), source: Source::Request }
}

fn vocab() -> Vocab {
    let member = |n: &str| Member { name: n.into(), label: Label::default() };
    let node = |n: &str, parent| NodeDef { name: n.into(), label: Label::default(), parent, depth: 0 };
    let entity =
        |name: &str, fields| EntityDef { name: name.into(), label: Label::default(), record: false, fields };
    let season = Ty::Enum(EnumId(0));
    let tags = Ty::Set(Arc::new(Ty::Text));
    let of = |ty: Ty| Ty::List(Arc::new(ty));
    Vocab {
        enums: vec![EnumDef {
            name: "season".into(),
            label: Label::default(),
            ordered: false,
            members: ["spring", "summer", "winter"].map(member).into(),
        }],
        taxonomies: vec![TaxonomyDef {
            name: "category".into(),
            label: Label::default(),
            nodes: vec![node("apparel", None), node("clothing", Some(0))],
        }],
        units: vec![
            UnitDef { name: "point".into(), label: Label::default(), step: ratio(1, 1) },
            UnitDef { name: "km".into(), label: Label::default(), step: ratio(1, 10) },
        ],
        currencies: vec![
            CurrencyDef { code: "CNY".into(), step: ratio(1, 100) },
            CurrencyDef { code: "JPY".into(), step: ratio(1, 1) },
        ],
        entities: vec![
            entity(
                "item",
                vec![
                    field("paid", Ty::Money),
                    field("season", season.clone().optional()),
                    field("category", Ty::Node(TaxonomyId(0))),
                    field("opened", Ty::Bool),
                    field("maker", Ty::Entity(EntityId(2)).optional()),
                    field("count", Ty::Int),
                    field("rate", Ty::Dec),
                    field("points", Ty::Unit(UnitId(0))),
                    field("distance", Ty::Unit(UnitId(1))),
                    field("tags", tags),
                ],
            ),
            entity(
                "line",
                vec![
                    field("code", Ty::Text),
                    field("parts", of(Ty::Entity(EntityId(2)))),
                    field("paid", Ty::Money),
                ],
            ),
            entity("maker", vec![field("name", Ty::Text), field("since", Ty::Date.optional())]),
        ],
        roots: vec![
            root("at", Ty::DateTime),
            root("item", Ty::Entity(EntityId(0))),
            root("lines", of(Ty::Entity(EntityId(1)))),
            root("numbers", of(Ty::Int)),
            root("period", Ty::Period),
            root("today", Ty::Date),
        ],
        fact_calls: vec![FactCallDef {
            name: "member_spend".into(),
            params: vec![("year".into(), Ty::Int), ("season".into(), season)],
            ty: Ty::Money.optional(),
            bounds: None,
            label: Label::default(),
            source: Source::Records,
        }],
        ..Vocab::default()
    }
}

fn binder() -> (Layout, Binder) {
    let vocab = vocab();
    let layout = Layout::of(&vocab);
    let mut symbols = Symbols::default();
    symbols.intern("A1");
    let binder = Binder::new(&vocab, &layout, Arc::new(symbols));
    (layout, binder)
}

fn bind(json: &str) -> Facts {
    binder().1.bind(json.as_bytes()).unwrap_or_else(|e| panic!("{e}"))
}

fn refused(json: &str) -> String {
    binder().1.bind(json.as_bytes()).expect_err(json).to_string()
}

/// The slot of `item.<nth field>`; `maker` takes three slots.
fn item(facts: &Facts, nth: usize) -> Slot {
    let (layout, _) = binder();
    let Shape::Entity(fields) = &layout.roots[1].shape else { panic!("item is an entity") };
    facts.slots[fields[nth].slot as usize]
}
use crate::program::facts::Shape;

#[test]
fn every_type_has_its_form() {
    let facts = bind(
        r#"{"item": {"paid": "399.00", "season": "summer", "category": "clothing", "opened": false,
            "maker": {"name": "A1", "since": null}, "count": -3, "rate": "0.15", "points": 40, "distance": "12.3",
            "tags": ["x", "A1"]},
            "today": "1970-01-02", "at": "1970-01-01T08:00:01+08:00", "period": "P1Y", "numbers": [3, 4]}"#,
    );
    assert_eq!(item(&facts, 0), Slot::value(399 * SCALE));
    assert_eq!(item(&facts, 1), Slot::value(1));
    assert_eq!(item(&facts, 2), Slot::value(1));
    assert_eq!(item(&facts, 3), Slot::value(0));
    assert_eq!(item(&facts, 5), Slot::value(-3));
    assert_eq!(item(&facts, 6), Slot::value(1_500));
    assert_eq!(item(&facts, 7), Slot::value(40 * SCALE));
    assert_eq!(item(&facts, 8), Slot::value(123_000));
    let (layout, _) = binder();
    let at = |root: usize| facts.slots[layout.roots[root].slot as usize];
    assert_eq!(at(0), Slot::value(1_000_000));
    assert_eq!(at(4), Slot::value(25), "12 months, packed");
    assert_eq!(at(5), Slot::value(1));
    let numbers = facts.lists[at(3).bits as usize];
    assert_eq!((numbers.len, facts.row(&layout, &numbers, 1)), (2, [Slot::value(4)].as_slice()));
    assert_eq!(facts.currency, Some(0));
    assert!(!facts.mixed_currencies);
}

#[test]
fn missing_is_unknown_and_null_is_absent_with_all_its_fields() {
    let facts = bind(r#"{"item": {"season": null, "maker": null}}"#);
    assert_eq!(item(&facts, 0), Slot::UNKNOWN);
    assert_eq!(item(&facts, 1), Slot::ABSENT);
    let (layout, _) = binder();
    let Shape::Entity(fields) = &layout.roots[1].shape else { panic!("item is an entity") };
    let maker = fields[4].slot as usize;
    assert_eq!(&facts.slots[maker..maker + 3], [Slot::ABSENT; 3]);
    assert_eq!(bind("{}").slots, vec![Slot::UNKNOWN; layout.width as usize]);
}

#[test]
fn nested_lists_keep_their_rows_together() {
    let (layout, _) = binder();
    let facts = bind(
        r#"{"lines": [{"code": "a", "parts": [{"name": "p"}, {"name": "q"}], "paid": "1.00"},
                      {"parts": [{"name": "r"}], "code": "b"}]}"#,
    );
    assert_eq!(facts.slots.len(), layout.width as usize);
    let lines = facts.lists[facts.slots[layout.roots[2].slot as usize].bits as usize];
    assert_eq!(lines.len, 2);
    let second = facts.row(&layout, &lines, 1);
    let text = |slot: &Slot| facts.texts[slot.bits as usize - 1].to_string();
    assert_eq!(text(&second[1]), "b");
    let parts = facts.lists[second[2].bits as usize];
    assert_eq!(text(&facts.row(&layout, &parts, 0)[1]), "r");
    assert_eq!(second[3], Slot::UNKNOWN);
    let first = facts.row(&layout, &lines, 0);
    assert_eq!(facts.lists[first[2].bits as usize].len, 2);
    assert_eq!(first[3], Slot::value(SCALE));
}

#[test]
fn equal_texts_have_equal_bits_however_many() {
    let codes: Vec<String> = (0..100).map(|i| format!(r#"{{"code": "c{}"}}"#, i % 40)).collect();
    let (layout, _) = binder();
    let facts = bind(&format!(r#"{{"lines": [{}]}}"#, codes.join(",")));
    let lines = facts.lists[0];
    for i in 0..60 {
        assert_eq!(facts.row(&layout, &lines, i)[1], facts.row(&layout, &lines, i + 40)[1]);
    }
    assert_eq!(facts.texts.len(), 40);
    assert_eq!(bind(r#"{"lines": [{"code": "A1"}]}"#).texts.len(), 0);
}

#[test]
fn money_names_its_currency() {
    let facts = bind(r#"{"item": {"paid": {"currency": "JPY", "amount": "5"}}, "lines": [{"paid": "1"}]}"#);
    assert_eq!(item(&facts, 0), Slot { bits: 5 * SCALE, tag: Tag::Value, currency: 1 });
    assert!(facts.mixed_currencies);
    assert_eq!(
        refused(r#"{"item": {"paid": {"amount": "5.5", "currency": "JPY"}}}"#),
        r#"facts.item.paid.amount: the text "5.5" is not a multiple of JPY's step 1"#
    );
    let missing = refused(r#"{"item": {"paid": {"amount": "5.5"}}}"#);
    assert!(missing.starts_with("facts.item.paid: expected both amount and currency"), "{missing}");
    let float = refused(r#"{"item": {"paid": {"amount": 5.5, "currency": "CNY"}}}"#);
    assert!(float.starts_with("facts.item.paid.amount: expected the amount as text"), "{float}");
}

#[test]
fn numbers_with_many_decimals_are_kept_exactly() {
    let facts = bind(r#"{"item": {"rate": "0.123456"}}"#);
    assert_eq!(item(&facts, 6), Slot { bits: 0, tag: Tag::Wide, currency: 0 });
    assert_eq!(facts.number(&item(&facts, 6), &Ty::Dec), Some(ratio(123_456, 1_000_000)));
}

#[test]
fn facts_with_arguments() {
    let facts = bind(
        r#"{"member_spend": [{"year": 2026, "season": "winter", "value": "10.00"},
                             {"value": null, "year": 2025, "season": "winter"}]}"#,
    );
    assert_eq!(facts.calls[0].args, [Value::Num(ratio(2026, 1)), Value::Enum(2)]);
    assert_eq!(facts.calls[0].slot, Slot::value(10 * SCALE));
    assert_eq!(facts.calls[1].slot, Slot::ABSENT);
    let row = r#"{"year": 2026, "season": "winter", "value": "1"}"#;
    for (json, said) in [
        (format!("[{row}, {row}]"), "facts.member_spend[1]: these arguments are given twice"),
        (r#"[{"year": 1, "value": "1"}]"#.into(), "facts.member_spend[0]: \"season\" is missing"),
        (
            r#"{"year": 1}"#.into(),
            "facts.member_spend: expected a list of objects, each with the arguments and \"value\", found an object",
        ),
        (
            r#"[1]"#.into(),
            "facts.member_spend[0]: expected an object with the arguments and \"value\", found the JSON number 1",
        ),
    ] {
        assert_eq!(refused(&format!(r#"{{"member_spend": {json}}}"#)), said);
    }
}

#[test]
fn numbers_are_never_floats() {
    for (fact, said) in [
        (r#""paid": 12.5"#, r#"facts.item.paid: expected money, found the JSON number 12.5; write "12.50""#),
        (r#""paid": 12"#, r#"facts.item.paid: expected money, found the JSON number 12; write "12.00""#),
        (
            r#""paid": 1e2"#,
            "facts.item.paid: expected money, found the JSON number 1e2; write it as text, digits with a point: \"12.50\"",
        ),
        (
            r#""rate": 0.10"#,
            r#"facts.item.rate: expected a decimal, found the JSON number 0.10; write "0.10""#,
        ),
        (
            r#""count": 3.0"#,
            "facts.item.count: expected an integer, found the JSON number 3.0; write it without a fraction or exponent",
        ),
        (r#""opened": 1.5"#, "facts.item.opened: expected true or false, found the JSON number 1.5"),
        (
            r#""count": 9223372036854775808"#,
            "facts.item.count: expected an integer, found the JSON number 9223372036854775808, which is out of range",
        ),
        (r#""paid": "0.005""#, r#"facts.item.paid: the text "0.005" is not a multiple of CNY's step 0.01"#),
        (
            r#""points": 922337203685478"#,
            "facts.item.points: expected point, found the JSON number 922337203685478, which is out of range",
        ),
    ] {
        assert_eq!(refused(&format!("{{\"item\": {{\n {fact} }}}}")), said);
    }
}

#[test]
fn wrong_facts_are_named() {
    for (json, said) in [
        (
            r#"{"item": {"piad": "1"}}"#,
            "facts.item.piad: no such field \"piad\"; did you mean \"paid\"? known: paid, season,",
        ),
        (r#"{"itm": {}}"#, "facts.itm: no such fact \"itm\"; did you mean \"item\"? known: at, item, lines,"),
        (
            r#"{"item": {"season": "sumer"}}"#,
            "facts.item.season: \"sumer\" is not a member of season; did you mean \"summer\"? known: spring, summer, winter",
        ),
        (
            r#"{"item": {"category": "x"}}"#,
            "facts.item.category: \"x\" is not a node of category; known: apparel, clothing",
        ),
        (r#"{"item": {"count": 1, "count": 1}}"#, "facts.item.count: given twice"),
        (r#"{"item": {}, "item": {}}"#, "facts.item: given twice"),
        (r#"{"member_spend": [], "member_spend": []}"#, "facts.member_spend: given twice"),
        (r#"{"today": null}"#, "facts.today: expected a date, found null; this fact cannot be absent,"),
        (
            r#"{"today": "2026-02-30"}"#,
            "facts.today: expected a date, found the text \"2026-02-30\"; write \"2026-07-01\"",
        ),
        (r#"{"item": []}"#, "facts.item: expected an object, found a list; write { … }"),
        (r#"{"lines": {}}"#, "facts.lines: expected a list, found an object; write [ … ]"),
        (r#"{"lines": [{}, {"paid": true}]}"#, "facts.lines[1].paid: expected money, found true"),
        (
            r#"{"lines": [{"parts": [{}, {"name": 3}]}]}"#,
            "facts.lines[0].parts[1].name: expected text, found the JSON number 3",
        ),
        (r#"{"item": {"tags": ["a", "b", "a"]}}"#, "facts.item.tags[2]: this element is in the set twice"),
        ("[]", "facts: expected an object of facts, found a list"),
        ("null", "facts: expected an object of facts, found null"),
        ("{\"item\": {", "facts: not JSON: EOF while parsing an object at line 1 column 10"),
        ("{} x", "facts: not JSON: trailing characters"),
        ("", "facts: not JSON: EOF while parsing a value"),
    ] {
        let got = refused(json);
        assert!(got.starts_with(said), "{json}\n got: {got}\nwant: {said}");
    }
    let deep = format!("{{\"item\": {}", "[".repeat(100_000));
    assert!(refused(&deep).starts_with("facts.item: expected an object, found a list"), "refused by shape");
}

#[test]
fn long_lists_are_refused() {
    let rows = |n: usize| format!(r#"{{"numbers": [{}]}}"#, vec!["1"; n].join(","));
    assert_eq!(bind(&rows(2_000)).lists[0].len, 2_000);
    assert_eq!(refused(&rows(2_001)), "facts.numbers: more than 2000 rows");
}

#[test]
fn buffers_can_be_used_again() {
    let (_, binder) = binder();
    let mut facts = Facts::default();
    binder.bind_into(br#"{"lines": [{"code": "zz"}], "item": {"paid": "1"}}"#, &mut facts).unwrap();
    assert!(binder.bind_into(br#"{"lines": [{"code": "zz"}, 3]}"#, &mut facts).is_err());
    binder.bind_into(b"{}", &mut facts).unwrap();
    assert_eq!((facts.lists.len(), facts.rows.len(), facts.texts.len(), facts.currency), (0, 0, 0, None));
    assert!(facts.slots.iter().all(|s| *s == Slot::UNKNOWN));
}

proptest::proptest! {
    /// Whatever the bytes: an answer, and never a panic.
    #[test]
    fn rubbish_is_answered(json in r#"[\[\]{}",:0-9.eE\-a-z ]{0,60}"#) {
        let _ = binder().1.bind(json.as_bytes());
    }

    /// Good facts with a few bytes changed: bound, or refused at a path; never a panic.
    #[test]
    fn damaged_facts_are_answered(hits in proptest::collection::vec((0usize..10_000, 0u8..=255), 1..4)) {
        let mut json = br#"{"item": {"paid": "399.00", "season": "summer", "opened": false, "maker": {"name": "A1", "since": null},
            "rate": "0.15", "points": 40, "tags": ["x", "A1"]}, "lines": [{"code": "a", "parts": [{"name": "p"}], "paid": "1.00"}, {}],
            "member_spend": [{"year": 2026, "season": "winter", "value": "10.00"}], "today": "1970-01-02", "period": "P1Y"}"#.to_vec();
        let len = json.len();
        for (at, byte) in hits {
            json[at % len] = byte;
        }
        match binder().1.bind(&json) {
            Ok(facts) => proptest::prop_assert_eq!(facts.slots.len(), binder().0.width as usize),
            Err(error) => proptest::prop_assert!(error.path.starts_with("facts"), "{}", error),
        }
    }

    /// Amounts come out as they went in.
    #[test]
    fn amounts_are_exact(cents in -1_000_000_000i64..1_000_000_000) {
        let text = crate::program::amount::show(&ratio(cents, 100), 2);
        let facts = bind(&format!(r#"{{"item": {{"paid": "{text}"}}}}"#));
        proptest::prop_assert_eq!(facts.number(&item(&facts, 0), &Ty::Money), Some(ratio(cents, 100)));
    }
}
