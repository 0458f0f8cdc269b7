//! Two policies of one layer cannot say different things to one store: their names would decide.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]
use zhanggui::rulebook::load;

const VOCABULARY: &str = "vocabulary shop
currency EUR step 0.01
enum kind { shoes, books }
entity item { kind: kind, paid: money }
fact today: date
decision fee given item, today { fee: one money else 0 EUR, days_to_return: one integer else 0 }
";
const CHAIN: &str = "policy shop.fees decides fee
  layer chain
  governed by today
param limit: money = 10 EUR store may set [1 EUR..50 EUR]
table window(k: kind) -> number: integer
  | shoes | 30 |
  | books | 14 |
rule low when item.paid <= limit then fee = 1 EUR
rule days then days_to_return = window(item.kind)
";

/// The codes and messages of a chain with two policies of one store.
fn found(one: &str, two: &str) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    put(
        "rulebook.toml",
        "name = \"shop\"\nvocabulary = [\"shop.vocab\"]\nlayers = [\"chain\", \"store\"]\n[store.s1]\n[store.s2]\n",
    );
    put("shop.vocab", VOCABULARY);
    put("chain.policy", CHAIN);
    let policy = |name: &str, body: &str| {
        format!(
            "policy shop.{name} decides fee\n  layer store s1\n  governed by today\n  extends shop.fees\n{body}\n"
        )
    };
    put("one.policy", &policy("one", one));
    put("two.policy", &policy("two", two));
    let loaded = load(dir.path()).unwrap();
    loaded.findings.iter().filter(|d| d.is_error()).map(|d| format!("{} {}", d.code, d.message)).collect()
}

#[test]
fn two_settings_of_one_layer_are_told() {
    assert_eq!(
        found("set limit = 20 EUR", "set limit = 30 EUR"),
        ["E0204 `limit` is set by two policies of one layer for store `s1`: shop.one and shop.two"]
    );
    assert_eq!(found("set limit = 20 EUR", "set limit = 20 EUR"), Vec::<String>::new());
    let dated = |range: &str| format!("set limit = 20 EUR {range}");
    assert_eq!(
        found(&dated("from 2026-01-01 through 2026-06-30"), "set limit = 30 EUR from 2026-07-01"),
        Vec::<String>::new()
    );
}

#[test]
fn two_rows_of_one_layer_for_the_same_are_told() {
    let rows = |cells: &str| format!("rows shop.fees.window\n  | {cells} |");
    assert_eq!(
        found(&rows("shoes | 60"), &rows("shoes | 90")),
        [
            "E0413 two policies of one layer give `window` different rows for the same, for store `s1`: shop.one and shop.two"
        ]
    );
    assert_eq!(found(&rows("shoes | 60"), &rows("books | 90")), Vec::<String>::new());
}
