//! What the analysis says of tables, dates, lower layers and cliffs; and that large tables are read and analysed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails should say where"
)]
use std::fmt::Write as _;
use std::path::Path;
use zhanggui::analysis::analyse;
use zhanggui::lang::diagnostic::Diagnostic;
use zhanggui::lang::typed::TableId;
use zhanggui::program::value::Value;
use zhanggui::program::walk::rows_on;
use zhanggui::rulebook::{Loaded, load};

const VOCAB: &str = "vocabulary x
enum season: spring, summer, autumn, winter
enum tier: low < mid < high
taxonomy category { apparel { clothing, underwear, fur }, cosmetics, fresh }
currency CNY step 0.01
unit point step 1
entity item { category: category, season: season?, price: money, qty: integer, sku: code, gold: bool }
fact today: date
decision d given item, today {
  term: one period optional
  pays: one money optional
  days: max date better higher optional
  tags: all tier
}
";

/// A rulebook of these policies (and CSV files), loaded.
fn rulebook(policies: &str, files: &[(&str, &str)]) -> Loaded {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    let manifest =
        "name = \"x\"\nvocabulary = [\"x.vocab\"]\nlayers = [\"law\", \"chain\", \"store\"]\n[store.s1]\n";
    put("rulebook.toml", manifest);
    put("x.vocab", VOCAB);
    put("a.policy", policies);
    files.iter().for_each(|(name, text)| put(name, text));
    load(dir.path()).unwrap()
}

/// What the analysis of this session's tables, dates, layers and cliffs finds in it.
fn findings(policies: &str, files: &[(&str, &str)]) -> (Loaded, Vec<Diagnostic>) {
    let loaded = rulebook(policies, files);
    let books = loaded.rulebooks.as_ref().unwrap_or_else(|| panic!("{}", loaded.shown(false)));
    let mine = ["W0601", "W0602", "W0603", "W0604", "W0616", "W0617", "W0618", "N0701"];
    // What is said to be undecided of rules is not looked at here.
    let of_rules = |d: &Diagnostic| d.code == "N0701" && !d.message.starts_with("whether the rows");
    let found = analyse(books).into_iter().filter(|d| mine.contains(&d.code) && !of_rules(d)).collect();
    (loaded, found)
}

fn told(policies: &str) -> Vec<(String, String)> {
    findings(policies, &[]).1.into_iter().map(|d| (d.code.to_owned(), d.message)).collect()
}

fn codes(policies: &str) -> Vec<String> {
    told(policies).into_iter().map(|(code, _)| code).collect()
}

const HEAD: &str = "policy a decides d\n  layer chain\n  governed by today\n";

fn window(rows: &str, hit: &str, when: &str) -> String {
    format!(
        "{HEAD}table window(c: category, s: season?) -> length: period {hit}\n{rows}rule r {when} then term = window(item.category, item.season)\n"
    )
}

#[test]
fn a_gap_is_told_with_facts_that_run_into_it() {
    let rows = "  | apparel | summer | 7 days |\n  | apparel | spring, autumn, winter, absent | 15 days |\n  | fresh | - | 1 day |\n";
    let found = told(&window(rows, "", ""));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "W0601");
    let says = "no row of `window` fits c cosmetics: in some facts of `d` with item.category = cosmetics";
    assert!(found[0].1.starts_with(says), "{found:?}");
    assert!(found[0].1.ends_with("`term` has no value"), "{found:?}");
    // Keys that no rule asks for are no gap.
    assert_eq!(codes(&window(rows, "", "when item.category is not cosmetics")), [""; 0]);
    assert_eq!(codes(&window(&format!("{rows}  | else | - | 3 days |\n"), "", "")), [""; 0]);
    let absent = rows.replace(", absent", "");
    let found = told(&window(&absent, "", "when item.category in apparel"));
    assert!(found[0].1.contains("no row of `window` fits c apparel with s absent"), "{found:?}");
}

#[test]
fn gaps_between_amounts_and_days_are_exact() {
    let table =
        |rows: &str| format!("{HEAD}table t(p: money) -> v: money\n{rows}rule r then pays = t(item.price)\n");
    // Below zero is not asked about where a table begins at zero; amounts lie on their step.
    let whole =
        "  | [0 CNY..100 CNY) | 1 CNY |\n  | [100 CNY..200 CNY] | 2 CNY |\n  | >= 200.01 CNY | 3 CNY |\n";
    assert_eq!(codes(&table(whole)), [""; 0]);
    let found = told(&table(&whole.replace("[100", "(100")));
    assert!(found[0].1.starts_with("no row of `t` fits p 100 CNY: "), "{found:?}");
    let found = told(&table(&whole.replace("200.01", "200.02")));
    assert!(found[0].1.starts_with("no row of `t` fits p above 200 CNY, below 200.02 CNY: "), "{found:?}");
    let found = told(&table("  | >= 5 CNY | 1 CNY |\n"));
    assert!(found[0].1.starts_with("no row of `t` fits p below 5 CNY: "), "{found:?}");
    let dated = "  | >= 0 CNY | 1 CNY | before 2026-03-01\n  | >= 0 CNY | 2 CNY | from 2026-03-05\n";
    let found = told(&table(dated));
    assert!(
        found[0].1.starts_with("no row of `t` fits on days from 2026-03-01, before 2026-03-05"),
        "{found:?}"
    );
    let steps = format!(
        "{HEAD}table t(q: integer) -> v: money steps\n  | 10 | 1 CNY |\n  | 20 | 2 CNY |\nrule r then pays = t(item.qty) otherwise 0 CNY\n"
    );
    assert!(told(&steps)[0].1.starts_with("no row of `t` fits q below 10: "), "{:?}", told(&steps));
    assert_eq!(codes(&steps.replace("| 10 |", "| 0 |")), [""; 0]);
    // What may be absent, and what is collected, has no gaps.
    assert_eq!(codes(&steps.replace("v: money", "v: money?")), [""; 0]);
    let sum = steps.replace("steps", "collect sum").replace("| 10 |", "| >= 10 |");
    assert_eq!(codes(&sum), [""; 0]);
}

#[test]
fn rows_that_conflict_are_told() {
    let all = "  | - | - | 1 day |\n";
    let found = told(&window(&format!("{all}  | clothing | summer | 7 days |\n"), "", ""));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        found[0],
        (
            "W0602".into(),
            "two rows of `window` fit c = clothing, s = summer: a lookup there is a conflict".into()
        )
    );
    let tie =
        "  | apparel | summer | 7 days |\n  | apparel | summer, winter | 8 days |\n  | else | - | 1 day |\n";
    assert_eq!(codes(&window(tie, "nearest", "")), ["W0602"]);
    assert_eq!(codes(&window(tie, "first", "")), [""; 0]);
    let steps = format!(
        "{HEAD}table t(g: bool, q: integer) -> v: money steps\n  | - | 0 | 1 CNY |\n  | yes | 0 | 2 CNY |\nrule r then pays = t(item.gold, item.qty)\n"
    );
    assert_eq!(codes(&steps), ["W0602"]);
    // Two tiers of `else`, and rows on different days, do not conflict.
    let tiers = "  | clothing | else | 1 day |\n  | else | else | 2 days |\n";
    assert_eq!(codes(&window(tiers, "", "")), [""; 0]);
    let days = "  | - | - | 1 day | before 2026-01-01\n  | - | - | 2 days | from 2026-01-01\n";
    assert_eq!(codes(&window(days, "", "")), [""; 0]);
}

#[test]
fn rows_that_are_never_reached_are_told() {
    let rows = "  | apparel | - | 7 days |\n  | clothing | summer | 8 days |\n  | - | - | 1 day |\n";
    let found = told(&window(rows, "first", ""));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "W0603");
    assert_eq!(codes(&window(rows, "nearest", "")), [""; 0]);
    let nearest = "  | clothing | - | 7 days |\n  | underwear | - | 8 days |\n  | fur | - | 8 days |\n  | apparel | - | 9 days |\n  | else | - | 1 day |\n";
    // A key may be the inner node itself.
    assert_eq!(codes(&window(nearest, "nearest", "")), [""; 0]);
    let whole = "  | apparel | - | 7 days |\n  | cosmetics, fresh | - | 8 days |\n  | else | - | 1 day |\n";
    let found = told(&window(whole, "", ""));
    assert_eq!(found[0].1, "this row of `window` is never reached: the other rows leave nothing to `else`");
}

#[test]
fn a_row_written_twice_can_be_removed() {
    let rows = "  | apparel | - | 7 days |\n  | apparel | - | 7 days |\n  | - | - | 1 day |\n";
    let (loaded, found) = findings(&window(rows, "first", ""), &[]);
    assert_eq!(found.iter().map(|d| d.code).collect::<Vec<_>>(), ["W0604"]);
    let fix = found[0].suggestion.as_ref().unwrap();
    assert_eq!(
        (loaded.sources.snippet(fix.span), fix.replacement.as_str()),
        ("| apparel | - | 7 days |", "")
    );
    let other = rows.replacen("7 days", "6 days", 1);
    assert_eq!(codes(&window(&other, "first", "")), ["W0603"]);
}

#[test]
fn what_is_too_tangled_is_said_to_be_undecided() {
    let mut table = String::new();
    for i in 0..400u32 {
        let at = |k: u32| (i * (k * 37 + 11)) % 500;
        let cell = |k: u32| format!("[{}..{}]", at(k), at(k) + 250);
        writeln!(table, "  | {} | {} | {} | {i} CNY |", cell(1), cell(2), cell(3)).unwrap();
    }
    let policy = format!(
        "{HEAD}table t(a: integer, b: integer, c: integer) -> v: money? first\n{table}rule r then pays = t(item.qty, item.qty, item.qty) otherwise 0 CNY\n"
    );
    let found = told(&policy);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].0 == "N0701" && found[0].1.contains("`t`"), "{found:?}");
}

/// Random tables: what is found is there, and what is there is found, by looking up every key there is.
#[test]
fn findings_agree_with_looking_up_every_key() {
    let mut seed = 7u64;
    let mut draw = |n: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % n
    };
    let nodes = ["apparel", "clothing", "underwear", "fur", "cosmetics", "fresh"];
    let seasons = ["spring", "summer", "autumn", "winter"];
    let (mut gaps, mut conflicts, mut hidden) = (0, 0, 0);
    for round in 0..60 {
        let hit = ["", "first", "nearest"][round % 3];
        let mut rows = String::new();
        let count = 2 + draw(5);
        for n in 0..count {
            let c = match draw(6) {
                0 => "-".to_owned(),
                1 => "else".to_owned(),
                2 => format!("{}, {}", nodes[draw(3) as usize], nodes[3 + draw(3) as usize]),
                _ => nodes[draw(6) as usize].to_owned(),
            };
            let s = match draw(5) {
                0 => "absent".to_owned(),
                1 => "else".to_owned(),
                2 | 3 => "-".to_owned(),
                _ => seasons[draw(4) as usize].to_owned(),
            };
            let q = match draw(4) {
                0 => format!("[{}..{}]", draw(3), 3 + draw(3)),
                1 => format!("> {}", draw(5)),
                2 => format!("< {}", 1 + draw(5)),
                _ => "-".to_owned(),
            };
            writeln!(rows, "  | {c} | {s} | {q} | {n} days |").unwrap();
        }
        let policy = format!(
            "{HEAD}table t(c: category, s: season?, q: integer) -> v: period {hit}\n{rows}rule r then term = t(item.category, item.season, item.qty)\n"
        );
        let loaded = rulebook(&policy, &[]);
        let Some(books) = &loaded.rulebooks else { continue };
        let found = analyse(books);
        let says = |code: &str| found.iter().filter(|d| d.code == code).count();
        let linked = books.books[0].programs[0].linked();
        let (mut gap, mut conflict, mut reached) = (false, false, vec![false; count as usize]);
        for node in 0..6u32 {
            for season in 0..5u32 {
                for q in -1..9i64 {
                    let season = if season == 4 { Value::Absent } else { Value::Enum(season) };
                    let keys = [
                        Value::Node(node),
                        season,
                        Value::Num(num_rational::BigRational::from_integer(q.into())),
                    ];
                    let hit = rows_on(linked, TableId(0), 0, &keys, 0).unwrap();
                    // Below zero is not asked about where a column begins at zero.
                    gap |= hit.is_empty() && q >= 0;
                    conflict |= hit.len() > 1;
                    hit.iter().for_each(|row| reached[*row as usize] = true);
                }
            }
        }
        assert!(says("W0601") == 1 || !gap, "{policy}\n{found:#?}");
        assert_eq!(says("W0602") > 0, conflict, "{policy}\n{found:#?}");
        assert_eq!(says("W0603"), reached.iter().filter(|r| !**r).count(), "{policy}\n{found:#?}");
        gaps += u32::from(gap);
        conflicts += u32::from(conflict);
        hidden += says("W0603");
    }
    assert!(gaps > 5 && conflicts > 5 && hidden > 5, "{gaps} {conflicts} {hidden}");
}

#[test]
fn dates_that_leave_days_out_are_told() {
    let policy = |values: &str| format!("{HEAD}param fee: money = {values}\nrule r then pays = fee\n");
    assert_eq!(codes(&policy("1 CNY before 2026-01-01, 2 CNY from 2026-01-01")), [""; 0]);
    let found = told(&policy("1 CNY before 2026-01-01, 2 CNY from 2026-02-01"));
    assert_eq!(found[0].0, "W0617");
    assert!(found[0].1.starts_with("`fee` has no value from 2026-01-01 through 2026-01-31"), "{found:?}");
    let found = told(&policy("1 CNY before 2026-01-01"));
    assert!(found[0].1.starts_with("`fee` has no value from 2026-01-01 on"), "{found:?}");
    let ended = HEAD.replace("governed", "from 2026-01-01 before 2027-01-01\n  governed");
    let stale = format!(
        "{ended}param fee: money = 1 CNY before 2025-01-01, 2 CNY from 2025-01-01\nrule r then pays = fee\n"
    );
    let found = told(&stale);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].1.starts_with("this value of `fee` is never in force: `a` is in force only from 2026"),
        "{found:?}"
    );
    let row = format!(
        "{ended}table t(q: integer) -> v: money?\n  | 1 | 1 CNY | from 2027-01-01\n  | 1 | 2 CNY | before 2027-01-01\nrule r then pays = t(item.qty) otherwise 0 CNY\n"
    );
    assert_eq!(codes(&row), ["W0617"]);
    let late = "policy b decides d\n  layer chain\n  governed by today\n  from 2027-03-01\nrule s then pays = 1 CNY\n";
    let gap = format!("{ended}rule r then pays = 2 CNY\n{late}");
    let found = told(&gap);
    assert!(found[0].1.starts_with("no policy decides `d` from 2027-01-01 through 2027-02-28"), "{found:?}");
    assert_eq!(codes(&gap.replace("2027-03-01", "2027-01-01")), [""; 0]);
}

#[test]
fn what_a_binding_rule_always_sets_aside_is_told() {
    let both = |law: &str, store: &str| {
        format!(
            "policy l decides d\n  layer law\n  governed by today\nbinding rule law {law}\npolicy s decides d\n  layer store s1\n  governed by today\nrule mine when item.gold {store}\n"
        )
    };
    let one = |law: &str, store: &str| codes(&both(law, store));
    assert_eq!(one("then pays = 5 CNY", "then pays at most 4 CNY"), ["W0616"]);
    assert_eq!(one("then pays = 5 CNY", "then pays = 6 CNY"), ["W0616"]);
    assert_eq!(one("then pays at least 5 CNY", "then pays at most 4 CNY"), ["W0616"]);
    assert_eq!(one("then tags add {low, mid}", "then tags remove {mid}"), ["W0616"]);
    assert_eq!(one("then pays = 5 CNY", "then tags add {low} overrides l.law"), ["W0616"]);
    let found = told(&both("then pays = 5 CNY", "then pays at most 4 CNY"));
    assert!(found[0].1.contains("limits what the binding rule `l.law` gives"), "{found:?}");
    assert!(found[0].1.contains("it is always set aside (as in some facts of `d`)"), "{found:?}");
    // Kinder, or not always against it.
    assert_eq!(one("then days = 2026-07-01", "then days at least 2026-08-01"), [""; 0]);
    assert_eq!(one("when item.qty > 3 then pays = 5 CNY", "then pays at most 4 CNY"), [""; 0]);
    assert_eq!(one("then pays = 5 CNY", "then pays at most 5 CNY"), [""; 0]);
    // A setting outside the bounds that its declaration gives is refused.
    let set = format!(
        "{HEAD}param fee: money = 3 CNY  store may set [1 CNY..5 CNY]\nrule r then pays = fee\npolicy s decides d\n  layer store s1\n  governed by today\nset a.fee = 6 CNY\n"
    );
    assert!(rulebook(&set, &[]).errors() > 0);
}

#[test]
fn a_cliff_is_told_with_its_numbers() {
    let table = "table part_of(g: bool, ratio: decimal) -> part: decimal\n  | yes | >= 80% | 90% |\n  | yes | < 80% | 95% |\n  | no | - | 100% |\n";
    let policy = format!(
        "{HEAD}{table}rule r then pays = item.price * part_of(item.gold, item.price / 1000 CNY) rounded half up to 0.01 CNY\n"
    );
    let cases = "cases for d at s1\ncase \"gold\" given item.price = 900 CNY, item.gold = yes, today = 2026-07-01 expect pays = 810 CNY\n";
    let (_, found) = findings(&policy, &[("x.cases", cases)]);
    assert_eq!(found.iter().map(|d| d.code).collect::<Vec<_>>(), ["W0618"], "{found:#?}");
    let says = "a cliff in `pays`: at item.price = 799.99 CNY it is 759.99 CNY, at 800 CNY 720 CNY, although it rises on both sides (in the case \"gold\")";
    assert_eq!(found[0].message, says);
    assert_eq!(found[0].notes.len(), 1);
    // A jump the same way is no cliff: 2% of 5,999, 3% of 6,000.
    let kind = policy.replace("95%", "85%");
    assert_eq!(findings(&kind, &[("x.cases", cases)]).1, []);
}

const PRICES: &str = "policy a decides d\n  layer chain\n  governed by today\ntable t(k: code, q: integer) -> v: money? file \"t.csv\"\nrule r then pays = t(item.sku, item.qty) otherwise 0 CNY\n";

#[test]
fn each_bad_line_of_a_file_has_its_own_finding() {
    let csv = "k,q,v,clause\nA,1,1 CNY,§1\nB,2,\"3 CNY,§2\nC,x y,1 CNY,\nD,4,1 CNY,1,5\nE,5,1,000\nF,6,1,000 CNY\nG,7,7 CNY,100\nH,8,8 CNY,\n";
    let loaded = rulebook(PRICES, &[("t.csv", csv)]);
    let told: Vec<(u32, &str)> =
        loaded.findings.iter().map(|d| (loaded.sources.start(d.span).line, d.code)).collect();
    let wanted = [(3, "E0108"), (4, "E0101"), (5, "E0130"), (6, "E0118"), (7, "E0118")];
    assert_eq!(told, wanted, "{}", loaded.shown(false));
}

#[test]
fn large_tables_are_read_and_analysed() {
    let mut csv = String::from("k,q,v,clause,from\n");
    for i in 0..20_000 {
        let q = ["< 10", ">= 10"][i % 2];
        writeln!(
            csv,
            "A{:05},{q},{}.{:02} CNY,§{},2026-01-{:02}",
            i / 2,
            i % 5_000,
            i % 100,
            i % 9,
            i % 28 + 1
        )
        .unwrap();
    }
    let (loaded, found) = findings(PRICES, &[("t.csv", &csv)]);
    assert_eq!(loaded.findings.len() + found.len(), 0, "{}", loaded.shown(false));
    let rows = &loaded.rulebooks.as_ref().unwrap().books[0].typed.tables[0].own.rows;
    assert_eq!(rows.len(), 20_000);
    // One row more that conflicts is found among them.
    writeln!(csv, "A00777,5,1 CNY,§1,2026-01-01").unwrap();
    let (_, found) = findings(PRICES, &[("t.csv", &csv)]);
    assert_eq!(found.iter().map(|d| d.code).collect::<Vec<_>>(), ["W0602"], "{found:#?}");
    assert!(found[0].message.contains("k = \"A00777\", q = 5"), "{found:#?}");
}

/// Texts of the permitted size of which each part once cost as much as all parts before it.
#[test]
fn long_texts_are_read_in_time() {
    let many = |size: usize, each: &dyn Fn(usize) -> String| {
        let mut text = HEAD.to_owned();
        let mut i = 0;
        while text.len() < size {
            text.push_str(&each(i));
            i += 1;
        }
        text
    };
    let quiet = |text: &str| rulebook(text, &[]).findings.len() <= 201;
    assert!(quiet(&many(1_000_000, &|_| "# x\n".into())));
    assert!(quiet(&many(1_000_000, &|_| "\n".into())));
    assert!(quiet(&many(200_000, &|i| format!("let a{i} = b{i}\n"))));
    assert!(quiet(&many(200_000, &|i| format!(
        "rule r{i} when item.gold then pays = 1 CNY overrides x{i}\n"
    ))));
    let chain = many(200_000, &|i| match i {
        0 => "rule r0 when item.gold then pays = 1 CNY\n".into(),
        i => format!("rule r{i} when item.gold then pays = 1 CNY overrides r{}\n", i - 1),
    });
    assert!(rulebook(&chain, &[]).findings.iter().any(|d| d.code == "E0808"));
    let row = |_| "| 1 | 2 CNY |\n".to_owned();
    let rows = many(200_000, &row).replacen(HEAD, &format!("{HEAD}table t(q: integer) -> v: money\n"), 1);
    let told = rulebook(&rows, &[]).errors();
    assert!((100..=201).contains(&told), "{told} mistakes told");
}

#[test]
fn the_policies_of_this_repository_are_clean() {
    let mut loaded = load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("policies")).unwrap();
    let found = analyse(loaded.rulebooks.as_ref().unwrap());
    loaded.add_analysis(found);
    let mine =
        |d: &&Diagnostic| ["W0601", "W0602", "W0603", "W0604", "W0616", "W0617", "W0618"].contains(&d.code);
    assert_eq!(loaded.findings.iter().filter(mine).count(), 0, "{}", loaded.shown(false));
    // The cliff of the member's prices at 0.80 is in the printed rules.
    let cliff =
        loaded.accepted.iter().any(|a| a.finding.code == "W0618" && a.finding.message.contains("799.99 CNY"));
    assert!(cliff);
}
