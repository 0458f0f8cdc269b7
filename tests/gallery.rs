//! The gallery: published policies of other chains, each with every case that was published with it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]
use num_rational::BigRational;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use zhanggui::analysis::analyse;
use zhanggui::cases::{self, Coverage};
use zhanggui::lang::diagnostic::Severity;
use zhanggui::lang::typed::{Case, Const, Given, Label, Period, Ty, Vocab, Want};
use zhanggui::program::iso;
use zhanggui::rulebook::{Book, Loaded, load};

/// The published policies in the gallery, each by the rulebook that holds it.
const RULEBOOKS: [(&str, &str); 12] = [
    ("R01-bestbuy-2019", "bestbuy"),
    ("R05-ikea-canary", "ikea"),
    ("R07-rei", "rei"),
    ("R08-costco-returns", "costco_returns"),
    ("R10-cn-7day-platform", "platform7"),
    ("R13-uk-ccr-2013", "ccr"),
    ("T02-bthhotels", "bthhotels"),
    ("T03-huazhu", "huazhu"),
    ("T07-xinshidai-mall", "xinshidai"),
    ("P01-costco-2pct", "costco_reward"),
    ("P03-tesco-clubcard", "tesco"),
    ("P09-sephora-us", "sephora"),
];

struct Published {
    policy: String,
    id: String,
    inputs: Value,
    expected: Vec<(String, Value)>,
}

fn published() -> Vec<Published> {
    let all: Vec<Value> = serde_json::from_str(include_str!("gallery/published.json")).unwrap();
    let text = |case: &Value, key: &str| case[key].as_str().unwrap().to_owned();
    all.iter()
        .map(|case| Published {
            policy: text(case, "policy"),
            id: text(case, "case_id"),
            inputs: case["inputs"].clone(),
            expected: case["expected"].as_object().unwrap().clone().into_iter().collect(),
        })
        .collect()
}

fn gallery() -> Loaded {
    load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/gallery")).unwrap()
}

/// The case whose name begins with the published id.
fn case_of<'a>(book: &'a Book, id: &str) -> &'a Case {
    let named: Vec<&Case> =
        book.cases.iter().filter(|case| case.name.split(' ').next() == Some(id)).collect();
    assert_eq!(named.len(), 1, "{}: cases named {id}", book.name);
    named[0]
}

#[test]
fn the_published_cases_are_all_here() {
    let published = published();
    assert_eq!(published.len(), 145);
    assert_eq!(published.iter().map(|case| &case.id).collect::<BTreeSet<_>>().len(), 145);
    let policies: BTreeSet<&str> = published.iter().map(|case| case.policy.as_str()).collect();
    assert_eq!(policies.len(), 12);
    for (policy, _) in RULEBOOKS {
        assert!(policies.contains(policy), "{policy} is none of the published policies");
    }
}

#[test]
fn every_published_case_is_stated_as_it_was_published() {
    let loaded = gallery();
    let books = &loaded.rulebooks.as_ref().expect("the gallery checks").books;
    for (policy, name) in RULEBOOKS {
        let book =
            books.iter().find(|book| book.name == name).unwrap_or_else(|| panic!("no rulebook {name}"));
        let vocab = &book.typed.vocab;
        for wanted in published().iter().filter(|case| case.policy == policy) {
            let case = case_of(book, &wanted.id);
            let decision = &vocab.decisions[case.decision.ix()];
            for (output, value) in &wanted.expected {
                let said = case.expect.iter().find(|e| decision.outputs[e.output.ix()].name == *output);
                let said = said.unwrap_or_else(|| panic!("{}: nothing is expected of {output}", case.name));
                let ty = decision.outputs[said.output.ix()].value_ty();
                let fits = matches!(&said.want, Want::Value(given) if fits(vocab, &ty, given, value));
                assert!(fits, "{}: {output} should be {value}, the case expects {:?}", case.name, said.want);
            }
            let given: Vec<&Given> = case.given.iter().map(|setting| &setting.value).collect();
            for value in scalars(&wanted.inputs) {
                let stated = given.iter().any(|given| occurs(given, value));
                assert!(stated, "{}: the published {value} is not among the facts", case.name);
            }
        }
    }
}

#[test]
fn every_case_passes_and_shows_every_rule_and_row() {
    let loaded = gallery();
    assert_eq!(loaded.shown(false), "");
    for book in &loaded.rulebooks.as_ref().unwrap().books {
        let results = cases::run(book, |_| true);
        for result in &results {
            assert!(result.failure.is_none(), "{}: {:#?}", book.cases[result.case].name, result.failure);
        }
        let coverage = Coverage::of(book, &results);
        assert!(coverage.idle_rules.is_empty(), "{}: {:#?}", book.name, coverage.idle_rules);
        assert!(coverage.idle_rows.is_empty(), "{}: {:#?}", book.name, coverage.idle_rows);
    }
}

#[test]
fn the_analysis_warns_of_nothing_that_is_not_accepted() {
    let mut loaded = gallery();
    let found = analyse(loaded.rulebooks.as_ref().unwrap());
    loaded.add_analysis(found);
    let warnings = loaded.findings.iter().filter(|found| found.severity != Severity::Note);
    assert_eq!(warnings.map(|found| &found.message).collect::<Vec<_>>(), Vec::<&String>::new());
}

/// Whether a stated value is the published one, read by its type: enums by name or by label, records field by field.
fn fits(vocab: &Vocab, ty: &Ty, given: &Given, published: &Value) -> bool {
    match (given, ty.inner()) {
        (Given::Value(Const::Enum(at)), Ty::Enum(id)) => {
            let member = &vocab.enums[id.ix()].members[*at as usize];
            named(&member.name, &member.label, published)
        }
        (Given::Value(Const::Node(at)), Ty::Node(id)) => {
            let node = &vocab.taxonomies[id.ix()].nodes[*at as usize];
            named(&node.name, &node.label, published)
        }
        (Given::Value(value), _) => is(value, published),
        (Given::List(items), Ty::List(of) | Ty::Set(of)) => published.as_array().is_some_and(|list| {
            items.len() == list.len() && items.iter().zip(list).all(|(g, p)| fits(vocab, of, g, p))
        }),
        (Given::Entity(id, fields), _) => published.as_array().is_some_and(|list| {
            let ty = |at: u32| &vocab.entities[id.ix()].fields[at as usize].ty;
            fields.len() == list.len()
                && fields.iter().zip(list).all(|((at, g), p)| fits(vocab, ty(*at), g, p))
        }),
        (Given::Absent, _) => published.is_null(),
        _ => false,
    }
}

fn named(name: &str, label: &Label, published: &Value) -> bool {
    published.as_str().is_some_and(|text| text == name || text == label.zh(name) || text == label.en(name))
}

/// The numbers, days and instants among the published inputs, zero and words left out.
fn scalars(inputs: &Value) -> Vec<&Value> {
    match inputs {
        Value::Object(fields) => fields.values().flat_map(scalars).collect(),
        Value::Array(items) => items.iter().flat_map(scalars).collect(),
        value => {
            let counts = date(value).is_some() || instant(value).is_some();
            let number = number(value).is_some_and(|n| n != BigRational::from_integer(0.into()));
            if counts || number { vec![value] } else { Vec::new() }
        }
    }
}

/// Whether a published number, day or instant is stated somewhere in a fact.
fn occurs(given: &Given, published: &Value) -> bool {
    match given {
        Given::Value(value) => is(value, published),
        Given::List(items) => items.iter().any(|item| occurs(item, published)),
        Given::Entity(_, fields) => fields.iter().any(|(_, value)| occurs(value, published)),
        Given::Absent | Given::Unknown => false,
    }
}

fn is(value: &Const, published: &Value) -> bool {
    match value {
        Const::Bool(b) => published.as_bool() == Some(*b),
        Const::Num(n) | Const::Money(n, _) => number(published).as_ref() == Some(n),
        Const::Period(Period::Days(n) | Period::Months(n)) => {
            number(published) == Some(BigRational::from_integer((*n).into()))
        }
        Const::Text(text) => published.as_str() == Some(text),
        Const::Date(day) => date(published) == Some(*day),
        Const::DateTime(at) => instant(published) == Some(*at),
        _ => false,
    }
}

fn date(published: &Value) -> Option<i32> {
    iso::parse_date(published.as_str()?)
}

fn instant(published: &Value) -> Option<i64> {
    iso::parse_datetime(published.as_str()?)
}

/// `12.50` or 12, exactly.
fn number(published: &Value) -> Option<BigRational> {
    let text = published.as_str().map_or_else(|| published.to_string(), str::to_owned);
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let digits: num_bigint::BigInt = format!("{whole}{fraction}").parse().ok()?;
    let scale = num_bigint::BigInt::from(10).pow(u32::try_from(fraction.len()).ok()?);
    Some(BigRational::new(digits, scale))
}
