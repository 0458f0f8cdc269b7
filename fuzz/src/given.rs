//! Facts that a vocabulary allows, chosen by bytes: a mutation of JSON text seldom is one.
use crate::bytes::Bytes;
use std::fmt::Write;
use zhanggui::lang::typed::{Ty, Vocab};

const MONEY: &[&str] = &[
    "0",
    "0.01",
    "1",
    "1.99",
    "33.33",
    "100",
    "199.99",
    "200",
    "300",
    "300.01",
    "399",
    "800",
    "1999.99",
    "2000",
    "5000",
    "6000",
    "8000",
    "10000",
    "10000.01",
    "30000",
    "100000",
    "-0.01",
    "-5",
    "922337203685477.58",
    "92233720368547758.07",
    "0.005",
    "99999999999999999999",
];
const COUNT: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "249",
    "250",
    "600",
    "999",
    "1000",
    "1500",
    "3000",
    "5999",
    "6000",
    "10000",
    "2026",
    "-1",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
];
const DECIMAL: &[&str] =
    &["0", "1", "0.5", "0.8", "0.15", "0.333333333333", "-2", "123456789.123456789", "1e3"];
const DATE: &[&str] = &[
    "2026-07-01",
    "2026-07-08",
    "2026-07-09",
    "2026-07-16",
    "2026-07-31",
    "2026-12-31",
    "2026-05-01",
    "2026-05-05",
    "2026-05-06",
    "2024-02-29",
    "2026-02-28",
    "2026-03-01",
    "1990-03-08",
    "2027-01-09",
    "0001-01-01",
    "9999-12-31",
    "2026-02-30",
];
const TIME: &[&str] = &[
    "2026-07-01T09:30:00+08:00",
    "2026-06-30T16:00:00Z",
    "2026-07-01T00:00:00+08:00",
    "9999-12-31T23:59:59.999999Z",
];
const PERIOD: &[&str] = &["P7D", "P0D", "P3M", "P1Y6M", "-P7D", "P15D", "P9999Y"];
const DURATION: &[&str] = &["PT24H", "PT1H30M", "PT0S"];
const TEXT: &[&str] = &["A120", "C301", "C302", "B1", "", "现金", "M000123", "\\u0000", "\\\"", "e\\u0301"];

/// How many values a list has at most, and how deep entities nest.
const MOST: usize = 4;
const DEPTH: usize = 6;

/// A JSON object with the facts of a decision; now and then one is missing, absent, or wrong.
pub fn facts(vocab: &Vocab, decision: usize, bytes: &mut Bytes<'_>) -> String {
    let mut out = String::from("{");
    // Where everything is given, every rule is asked; so it mostly is.
    let gaps = bytes.next() % 4 == 0;
    if let Some(decision) = vocab.decisions.get(decision) {
        for root in &decision.given {
            if let Some(root) = vocab.roots.get(root.ix()) {
                member(vocab, &root.name, &root.ty, gaps, bytes, &mut out, 0);
            }
        }
    }
    for root in vocab.roots.iter().filter(|root| root.source != zhanggui::lang::typed::Source::Request) {
        let given = |d: &zhanggui::lang::typed::Decision| {
            d.given.iter().any(|id| vocab.roots.get(id.ix()).is_some_and(|r| r.name == root.name))
        };
        if !vocab.decisions.get(decision).is_some_and(given) {
            member(vocab, &root.name, &root.ty, gaps, bytes, &mut out, 0);
        }
    }
    for call in &vocab.fact_calls {
        if bytes.next() % 8 == 0 {
            continue;
        }
        comma(&mut out);
        let _ = write!(out, "\"{}\":[", call.name);
        for _ in 0..1 + bytes.below(2) {
            comma(&mut out);
            out.push('{');
            for (name, ty) in &call.params {
                comma(&mut out);
                let _ = write!(out, "\"{name}\":");
                value(vocab, ty, gaps, bytes, &mut out, 1);
            }
            comma(&mut out);
            out.push_str("\"value\":");
            value(vocab, &call.ty, gaps, bytes, &mut out, 1);
            out.push('}');
        }
        out.push(']');
    }
    out.push('}');
    out
}

fn comma(out: &mut String) {
    if !out.ends_with(['{', '[']) {
        out.push(',');
    }
}

fn member(
    vocab: &Vocab,
    name: &str,
    ty: &Ty,
    gaps: bool,
    bytes: &mut Bytes<'_>,
    out: &mut String,
    depth: usize,
) {
    if gaps && bytes.next() % 8 == 7 {
        return;
    }
    comma(out);
    let _ = write!(out, "\"{name}\":");
    value(vocab, ty, gaps, bytes, out, depth);
}

fn value(vocab: &Vocab, ty: &Ty, gaps: bool, bytes: &mut Bytes<'_>, out: &mut String, depth: usize) {
    let choice = bytes.next();
    if choice == 255 && bytes.next() > 250 {
        return out.push_str(["null", "{}", "[]", "1.5", "\"\"", "-0", "[[]]"][bytes.below(7)]);
    }
    match ty {
        Ty::Opt(_) if choice % 3 == 1 => out.push_str("null"),
        Ty::Opt(inner) => value(vocab, inner, gaps, bytes, out, depth),
        Ty::Bool => out.push_str(if choice % 2 == 0 { "true" } else { "false" }),
        Ty::Int | Ty::Unit(_) => out.push_str(bytes.word(COUNT)),
        Ty::Dec => quoted(bytes.word(DECIMAL), out),
        Ty::Money if choice == 13 => {
            let _ = write!(out, "{{\"amount\":\"{}\",\"currency\":\"CNY\"}}", bytes.word(MONEY));
        }
        Ty::Money => quoted(bytes.word(MONEY), out),
        Ty::Text => quoted(bytes.word(TEXT), out),
        Ty::Date => quoted(bytes.word(DATE), out),
        Ty::DateTime => quoted(bytes.word(TIME), out),
        Ty::Period => quoted(bytes.word(PERIOD), out),
        Ty::Duration => quoted(bytes.word(DURATION), out),
        Ty::Enum(id) => {
            let members = vocab.enums.get(id.ix()).map_or(&[][..], |e| &e.members);
            quoted(
                members.get(usize::from(choice) % members.len().max(1)).map_or("none", |m| m.name.as_str()),
                out,
            );
        }
        Ty::Node(id) => {
            let nodes = vocab.taxonomies.get(id.ix()).map_or(&[][..], |t| &t.nodes);
            quoted(
                nodes.get(usize::from(choice) % nodes.len().max(1)).map_or("none", |n| n.name.as_str()),
                out,
            );
        }
        Ty::Entity(_) if depth > DEPTH => out.push_str("{}"),
        Ty::Entity(id) => {
            out.push('{');
            for field in vocab.entities.get(id.ix()).map_or(&[][..], |e| &e.fields) {
                member(vocab, &field.name, &field.ty, gaps, bytes, out, depth + 1);
            }
            out.push('}');
        }
        Ty::List(inner) | Ty::Set(inner) => {
            out.push('[');
            for _ in 0..usize::from(choice) % (MOST + 1) {
                comma(out);
                value(vocab, inner, gaps, bytes, out, depth + 1);
            }
            out.push(']');
        }
        Ty::Rate(..) | Ty::Never => out.push_str("null"),
    }
}

fn quoted(text: &str, out: &mut String) {
    out.push('"');
    out.push_str(text);
    out.push('"');
}
