//! What `check` finds although every line is right: reported where it is, with facts that show it, and not where it is not.
//!
//! `ZHANGGUI_ANALYSE=n` sets on how many random rulebooks the findings are judged; `ZHANGGUI_SEED=n` starts elsewhere.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails should say where"
)]
mod support;

use support::facts::{complete_case, draw_case};
use support::generate::texts;
use support::rng::Rng;
use zhanggui::analysis::analyse;
use zhanggui::analysis::goal::Goal;
use zhanggui::analysis::search::{Answer, Search};
use zhanggui::lang::diagnostic::Diagnostic;
use zhanggui::lang::typed::{OutputId, RuleId};
use zhanggui::program::outcome::{Conflict, Fault, State};
use zhanggui::rulebook::{Loaded, load};

const VOCAB: &str = r#"vocabulary x
enum kind: food, cloth, gold
enum answer: allow < refer < deny
taxonomy cat { fresh { fish, fruit } dry { rice, flour } }
currency CNY step 0.01
unit point step 1
entity member { level: kind, joined: date }
entity item { kind: kind, cat: cat, price: money, weight: decimal, opened: bool, code: text, until: date? }
entity line { paid: money, kind: kind }
fact today: date
fact bought: date
fact lines: list of line
fact member: member?
fact spend(year: integer): money from records
decision d given item, member, lines, today, bought, spend {
  verdict: max answer else deny
  fee: one money else 0 CNY
  ratio: one decimal else 0
  last: max date better higher optional
  points each l in lines: one point else 0 point
}
"#;

fn loaded(policies: &str) -> Loaded {
    loaded_with(VOCAB, policies)
}

fn loaded_with(vocab: &str, policies: &str) -> Loaded {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    put(
        "rulebook.toml",
        "name = \"x\"\nvocabulary = [\"x.vocab\"]\nlayers = [\"law\", \"chain\"]\n[store.s1]\n",
    );
    put("x.vocab", vocab);
    put("a.policy", policies);
    load(dir.path()).unwrap()
}

/// What the analysis finds in a policy of these rules.
fn found(rules: &str) -> Vec<Diagnostic> {
    let policy = format!("policy a decides d\n  layer chain\n  governed by today\n{rules}");
    let loaded = loaded(&policy);
    let shown = loaded.shown(false);
    let books = loaded.rulebooks.unwrap_or_else(|| panic!("{shown}\n{policy}"));
    analyse(&books)
}

/// The message of the only finding.
#[track_caller]
fn only(code: &str, rules: &str) -> String {
    let found = found(rules);
    let codes: Vec<&str> = found.iter().map(|d| d.code).collect();
    assert_eq!(codes, [code], "{found:#?}");
    assert!(found[0].help.is_some());
    found[0].message.clone()
}

#[track_caller]
fn clean(rules: &str) {
    let found = found(rules);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_rule_that_never_applies() {
    for condition in [
        "item.price > 100 CNY and item.price <= 100 CNY",
        "item.price >= 200 CNY and item.price < 100 CNY",
        "item.kind is food and item.kind is cloth",
        "item.kind is food and not (item.opened or item.kind in {food, gold})",
        "item.cat in fresh and item.cat in dry",
        "item.cat is rice and item.cat in fresh",
        "today <= bought + 7 days and today > bought + 15 days",
        "today <= bought + 3 months and today > bought + 6 months",
        "today < bought and today > bought + 7 days",
        "item.weight * 2 > 3 and item.weight * 2 <= 3",
        "spend(2026) < 10 CNY and spend(2026) > 20 CNY",
        "item.code is \"A\" and item.code is \"B\"",
        "item.until is absent and item.until is not absent",
        "member is not absent and member.level is food and member.level is gold",
    ] {
        let message = only("W0611", &format!("rule r §1 when {condition} then allow\n"));
        assert_eq!(message, "rule §1 r never applies: no facts meet its condition", "{condition}");
    }
    let message = only(
        "W0611",
        "let x = item.price < 5 CNY\nlet y = x and item.opened\nrule r §1 when y and item.price is 5 CNY then allow\n",
    );
    assert!(message.contains("never applies"), "{message}");
    only(
        "W0611",
        "rule r for each l in lines when l.paid < 1 CNY and l.paid > 2 CNY then l.points = 1 point\n",
    );
    only(
        "W0611",
        "param p: money = 10 CNY §1\nrule r when item.price < p and item.price >= 20 CNY then allow\n",
    );
}

#[test]
fn a_rule_that_does_apply() {
    for condition in [
        "item.price >= 100 CNY and item.price <= 100 CNY",
        "item.price > 99.99 CNY and item.price < 100.01 CNY",
        "item.kind is food and not (item.opened or item.kind in {cloth, gold})",
        "item.cat in fresh and item.cat is not fruit",
        "today > bought + 7 days and today <= bought + 8 days",
        "today > bought + 3 months and today <= bought + 6 months",
        "today is bought + 1 month",
        "today in [bought + 7 days..bought + 7 days]",
        "item.price * 0.8 < 80 CNY and item.price > 99 CNY",
        "spend(2026) < 20 CNY and spend(2026) > 10 CNY",
        "item.code is not \"A\" and item.code is not \"B\"",
        "item.until is not absent and item.until > today",
        "member is not absent and member.level is gold and today > member.joined + 1 year",
        "year(today) is 2027 and month(bought) is 12 and day(bought) is 31",
        "sum(l.paid for l in lines) > 100 CNY",
        "count(l.kind is gold for l in lines) is 2",
    ] {
        clean(&format!("rule r when {condition} then allow\n"));
    }
    clean("rule r for each l in lines when l.paid < 2 CNY and l.kind is gold then l.points = 1 point\n");
}

#[test]
fn dates_that_leave_nothing() {
    let policy =
        "policy a decides d\n  layer chain\n  from 2026-01-01 through 2026-12-31\n  governed by today\n";
    let of = |rule: &str| {
        let loaded = loaded(&format!("{policy}{rule}"));
        let shown = loaded.shown(false);
        let books = loaded.rulebooks.unwrap_or_else(|| panic!("{shown}"));
        analyse(&books).iter().map(|d| d.code).collect::<Vec<_>>()
    };
    assert_eq!(of("rule r when today >= 2027-01-01 then allow\n"), ["W0611"]);
    assert_eq!(of("rule r when today >= 2026-12-31 then allow\n"), [""; 0]);
}

#[test]
fn a_rule_that_is_always_overridden() {
    let message = only(
        "W0612",
        "rule low §1 when item.price < 10 CNY then fee = 1 CNY\nrule high when item.price < 20 CNY then fee = 2 CNY\n  overrides low\n",
    );
    assert_eq!(message, "rule §1 low is overridden whenever it applies");
    clean(
        "rule low when item.price < 20 CNY then fee = 1 CNY\nrule high when item.price < 10 CNY then fee = 2 CNY\n  overrides low\n",
    );
    // For one of its outputs it stands.
    clean(
        "rule low when item.price < 10 CNY then fee = 1 CNY, ratio = 2\nrule high when item.price < 20 CNY then fee = 2 CNY\n  overrides low for fee\n",
    );
}

#[test]
fn two_rules_that_set_different_values() {
    let pair = |a: &str, b: &str| {
        format!("rule one §1 when {a} then fee = 1 CNY\nrule two §2 when {b} then fee = 2 CNY\n")
    };
    let message = only("W0613", &pair("item.price >= 100 CNY", "item.kind is gold"));
    assert_eq!(
        message,
        "with item.kind = gold, item.price = 100 CNY: rule §1 one sets fee to 1 CNY, rule §2 two to 2 CNY"
    );
    let message = only("W0613", &pair("today > bought + 7 days", "today < bought + 9 days"));
    assert!(message.contains("(8 days after bought)"), "{message}");
    for (a, b) in [
        ("item.price >= 100 CNY", "item.price < 100 CNY"),
        ("item.price > 100 CNY", "item.price <= 99.99 CNY"),
        ("item.kind is gold", "item.kind in {food, cloth}"),
        ("item.kind is gold and item.opened", "not (item.kind is gold and item.opened)"),
        ("today > bought + 7 days", "today <= bought + 7 days"),
        ("today > bought + 1 month", "today < bought + 1 month"),
        ("item.price * item.weight > 3 CNY", "item.price * item.weight <= 3 CNY"),
        ("member is absent", "member is not absent and member.level is gold"),
    ] {
        clean(&pair(a, b));
    }
    // Equal values agree, and an override decides.
    clean("rule one when item.opened then fee = 1 CNY\nrule two then fee = 1 CNY\n");
    clean("rule one when item.opened then fee = 1 CNY\n  overrides two\nrule two then fee = 2 CNY\n");
    // What is computed may agree for most facts.
    let message = only(
        "W0613",
        "rule one when item.opened then fee = item.price\nrule two when item.price < 5 CNY then fee = 4.99 CNY\n",
    );
    assert!(
        message.contains("rule one sets fee to ") && message.contains("rule two to 4.99 CNY"),
        "{message}"
    );
    let message = only("W0613", "rule one for each l in lines then fee = l.paid\n");
    assert!(message.contains("for one element and to"), "{message}");
    let message = only(
        "W0613",
        "rule one for each l in list(l for l in lines where l.kind is gold) then fee = l.paid\n",
    );
    assert!(message.contains("for one element and to"), "{message}");
    let line = |a: &str, b: &str| {
        format!(
            "rule one for each l in lines when {a} then l.points = 1 point\nrule two for each l in lines when {b} then l.points = 2 point\n"
        )
    };
    only("W0613", &line("l.kind is gold", "l.paid > 3 CNY"));
    clean(&line("l.kind is gold", "l.kind is food"));
}

#[test]
fn bounds_that_exclude_each_other() {
    let bounds = |a: &str, b: &str| {
        format!(
            "rule set then fee = item.price\nrule least when {a} then fee at least 5 CNY\nrule most when {b} then fee at most 4 CNY\n"
        )
    };
    let message = only("W0613", &bounds("item.opened", "item.kind is gold"));
    assert_eq!(
        message,
        "with item.kind = gold, item.price = 100 CNY, item.opened = yes: rule least wants fee at least 5 CNY, rule most at most 4 CNY"
    );
    clean(&bounds("item.opened", "not item.opened"));
    clean(
        "rule set then fee = item.price\nrule least then fee at least 4 CNY\nrule most then fee at most 5 CNY\n",
    );
}

#[test]
fn an_output_without_a_value() {
    let message = only("W0614", "rule r §1 when item.weight < 2 then ratio = 1 / item.weight\n");
    assert_eq!(message, "with item.weight = 0: ratio has no value, for it is divided by zero");
    clean("rule r when item.weight > 0 then ratio = 1 / item.weight\n");
    clean("rule r then ratio = if item.weight is 0 then 0 else 1 / item.weight\n");
    clean("rule r when item.weight is not 0 and 1 / item.weight > 3 then allow\n");
    let message = only("W0614", "rule r then fee = min(l.paid for l in lines)\n");
    assert_eq!(message, "with no lines: fee has no value, for the least or greatest of nothing is asked");
    clean(
        "rule r then fee = if count(l.paid > 0 CNY or l.paid <= 0 CNY for l in lines) > 0 then min(l.paid for l in lines) else 0 CNY\n",
    );
}

#[test]
fn a_rule_that_is_revived() {
    let rules = |top: &str| {
        format!(
            "rule basic §1 then fee = 1 CNY\nrule gold §2 when item.kind is gold then fee = 2 CNY\n  overrides basic\nrule opened §3 when item.opened then {top}\n  overrides gold\n"
        )
    };
    let found = found(&rules("ratio = 1"));
    let codes: Vec<&str> = found.iter().map(|d| d.code).collect();
    assert_eq!(codes, ["W0615"], "{found:#?}");
    assert_eq!(
        found[0].message,
        "with item.kind = gold, item.opened = yes: rule §3 opened overrides §2 gold, so §1 basic, which that one would override, sets fee again"
    );
    clean(
        "rule basic then fee = 1 CNY\nrule gold when item.kind is gold then fee = 2 CNY\n  overrides basic\nrule opened when item.opened then ratio = 1\n  overrides gold, basic\n",
    );
    clean(
        "rule basic then fee = 1 CNY\nrule gold when item.kind is gold then fee = 2 CNY\n  overrides basic\nrule food when item.kind is food then ratio = 1\n  overrides gold\n",
    );
}

#[test]
fn what_is_left_open_is_listed_once() {
    let found = found(
        "rule r §1 when item.opened then fee = undecided \"1: what of opened goods?\"\nrule s §2 when not item.opened and item.kind is gold then fee = undecided \"what of gold?\"\n",
    );
    let codes: Vec<&str> = found.iter().map(|d| d.code).collect();
    assert_eq!(codes, ["N0702"], "{found:#?}");
    assert_eq!(
        found[0].message,
        "rulebook x leaves 2 questions undecided: \"1: what of opened goods?\"; §2 \"what of gold?\""
    );
}

#[test]
fn what_is_not_decided_is_said() {
    let found = found("rule r §1 when item.weight * item.weight < 0 then allow\n");
    let codes: Vec<&str> = found.iter().map(|d| d.code).collect();
    assert_eq!(codes, ["N0701"], "{found:#?}");
    assert_eq!(found[0].message, "not decided about d: whether §1 r ever applies");
}

#[test]
fn what_binds_leaves_nothing_to_agree_on() {
    let both = |binding: &str| {
        let law = format!(
            "policy law decides d\n  layer law\n  governed by today\nrule one {binding}then fee = 1 CNY\n"
        );
        let chain = "policy a decides d\n  layer chain\n  governed by today\nrule two when item.opened then fee = 2 CNY\n";
        let loaded = loaded(&format!("{law}{chain}"));
        let shown = loaded.shown(false);
        let books = loaded.rulebooks.unwrap_or_else(|| panic!("{shown}"));
        analyse(&books).iter().map(|d| d.code).collect::<Vec<_>>()
    };
    assert_eq!(both(""), ["W0613"]);
    // What the law binds, the chain cannot say otherwise at all: that is told instead.
    assert_eq!(both("\n  binding "), ["W0616"]);
}

#[test]
fn stores_that_differ_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    put(
        "rulebook.toml",
        "name = \"x\"\nvocabulary = [\"x.vocab\"]\nlayers = [\"chain\", \"store\"]\n[store.s1]\nin = { store = \"s1\" }\n[store.s2]\nin = { store = \"s2\" }\n[store.s3]\nin = { store = \"s3\" }\n",
    );
    put("x.vocab", VOCAB);
    put(
        "a.policy",
        "policy a decides d\n  layer chain\n  governed by today\nrule r when item.opened then fee = 1 CNY\n\
         policy b decides d\n  layer store s2\n  governed by today\nrule q when item.kind is gold then fee = 2 CNY\n\
         policy c decides d\n  layer store s3\n  governed by today\nrule p when item.kind is gold then ratio = 2\n",
    );
    let loaded = load(dir.path()).unwrap();
    let shown = loaded.shown(false);
    let books = loaded.rulebooks.unwrap_or_else(|| panic!("{shown}"));
    let found = analyse(&books);
    let messages: Vec<&str> = found.iter().map(|d| d.message.as_str()).collect();
    assert_eq!(
        messages,
        ["with item.kind = gold, item.opened = yes, in store s2: rule r sets fee to 1 CNY, rule q to 2 CNY"]
    );
    assert_eq!(found, analyse(&books), "the same rulebook gives the same findings");
}

#[test]
fn what_goes_in_circles_is_an_error() {
    let codes = |rules: &str| {
        let loaded = loaded(&format!("policy a decides d\n  layer chain\n  governed by today\n{rules}"));
        assert!(loaded.rulebooks.is_none());
        loaded.findings.iter().map(|d| d.code).collect::<Vec<_>>()
    };
    let overrides = "rule r then fee = 1 CNY\n  overrides s\nrule s then fee = 2 CNY\n  overrides r\n";
    let outputs = "rule r when fee > 1 CNY then ratio = 1\nrule s when ratio > 1 then fee = 1 CNY\n";
    let calls = "rule r then fee = d(today: bought).fee\n";
    for (what, text) in [("overrides", overrides), ("outputs", outputs), ("calls", calls)] {
        let codes = codes(text);
        assert!(!codes.is_empty() && codes.iter().all(|c| c.starts_with("E04")), "{what}: {codes:?}");
    }
}

fn amount(default: u64) -> u64 {
    std::env::var("ZHANGGUI_ANALYSE").ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

/// A random rulebook, loaded.
fn random(seed: u64) -> Option<Loaded> {
    let texts = texts(seed);
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    put(
        "rulebook.toml",
        "name = \"test\"\nvocabulary = [\"test.vocab\"]\nlayers = [\"law\", \"chain\", \"store\"]\n[store.s1]\nzone = \"Asia/Shanghai\"\nbusiness_day = \"02:00\"\nin = { chain = \"jia\", store = \"s1\" }\n",
    );
    put("test.vocab", &texts.vocab);
    put("test.policy", &texts.policies);
    let loaded = load(dir.path()).unwrap();
    loaded.rulebooks.is_some().then_some(loaded)
}

/// Every answer of the search is judged by deciding: facts that it found show what was sought, and what it calls impossible
/// happens for none of many random facts.
#[test]
fn answers_hold_on_random_rulebooks() {
    let first: u64 = std::env::var("ZHANGGUI_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let (mut shown, mut never, mut gave_up, mut conflicts_met, mut faults_met) = (0, 0, 0, 0, 0);
    for seed in first..first + amount(12) {
        let Some(loaded) = random(seed) else { continue };
        let books = loaded.rulebooks.unwrap();
        let program = &books.books[0].programs[0];
        let linked = program.linked();
        let book = &linked.rulebook;
        let decision = program.decision("d").unwrap();
        let mut rng = Rng(seed ^ 0xabcdef);
        let tried: Vec<_> = (0..150)
            .map(|_| {
                let json = {
                    let case = draw_case(&mut rng, 0);
                    complete_case(&mut rng, &case)
                }
                .json();
                let facts = program.binder().bind(json.as_bytes()).unwrap();
                program.decide_by_walk(decision, &facts)
            })
            .collect();
        let decides = |outcome: &zhanggui::program::outcome::Outcome, rule: RuleId, output: OutputId| {
            outcome.because.iter().any(|b| b.rule == rule && b.outputs.contains(&output))
        };
        for (position, of) in linked.rules(decision).iter().enumerate() {
            let rule = &book.rules[of.rule.ix()];
            // Elements beyond the first are other goals.
            if rule.for_each.is_some() {
                continue;
            }
            for effect in &rule.effects {
                let mut search = Search::new(program, decision);
                search.budget = 300;
                let goal = Goal::new(decision).effective(linked, position, effect.output, 0);
                match search.find(&goal) {
                    Answer::Witness(w) => {
                        shown += 1;
                        let walk = program.decide_by_walk(decision, &w.facts);
                        assert_eq!(walk, program.decide(decision, &w.facts), "seed {seed}");
                    }
                    Answer::None => {
                        never += 1;
                        for outcome in &tried {
                            assert!(
                                !decides(outcome, of.rule, effect.output),
                                "seed {seed}: {} does decide {:?}",
                                book.rule_id(of.rule),
                                effect.output
                            );
                        }
                    }
                    Answer::GaveUp => gave_up += 1,
                }
            }
        }
        // What random facts meet, the analysis reports or says that it did not decide it.
        let findings = analyse(&books);
        let said = |code: &str, words: &str| {
            findings.iter().any(|d| d.code == code || (d.code == "N0701" && d.message.contains(words)))
        };
        let starts = |d: &Diagnostic, rule: RuleId| {
            let span = book.rules[rule.ix()].span;
            let at =
                |place: zhanggui::lang::source::Span| place.file == span.file && place.start == span.start;
            at(d.span) || d.notes.iter().any(|n| at(n.span))
        };
        for outcome in &tried {
            for because in &outcome.because {
                let never = findings.iter().filter(|d| ["W0611", "W0612"].contains(&d.code));
                let about = never.filter(|d| {
                    let span = book.rules[because.rule.ix()].span;
                    d.span.file == span.file && d.span.start == span.start
                });
                assert_eq!(about.count(), 0, "seed {seed}: {} does decide", book.rule_id(because.rule));
            }
            let outputs = &book.vocab.decisions[decision.ix()].outputs;
            for (state, output) in outcome.outputs.iter().zip(outputs) {
                if let State::Conflict(conflicts) = state {
                    for conflict in conflicts {
                        let Conflict::Rules(rules) = conflict else { continue };
                        let own = rules.iter().all(|r| linked.rules(decision).iter().any(|l| l.rule == *r));
                        let sets = |r: &RuleId| {
                            book.rules[r.ix()]
                                .effects
                                .iter()
                                .any(|e| outputs[e.output.ix()].name == output.name)
                        };
                        if !own || !rules.iter().all(sets) {
                            continue;
                        }
                        conflicts_met += 1;
                        let named = findings.iter().any(|d| {
                            d.code == "W0613"
                                && rules.iter().filter(|r| starts(d, **r)).count() == rules.len().min(2)
                        });
                        assert!(
                            named || said("", "can both set"),
                            "seed {seed}: {:?} conflict in {}\n{findings:#?}\n{}",
                            rules.iter().map(|r| book.rule_id(*r)).collect::<Vec<_>>(),
                            output.name,
                            texts(seed).policies
                        );
                    }
                }
                if let State::Faulty(faults) = state
                    && !output.working
                    && faults.iter().any(|f| matches!(f, Fault::DivisionByZero | Fault::EmptyExtreme))
                {
                    faults_met += 1;
                    assert!(
                        said("W0614", "can fail"),
                        "seed {seed}: {faults:?} in {}\n{}",
                        output.name,
                        texts(seed).policies
                    );
                }
            }
        }
    }
    println!("{conflicts_met} conflicts and {faults_met} faults met");
    println!("{shown} shown, {never} proved impossible, {gave_up} not decided");
    assert!(shown > 20, "only {shown} shown");
}

#[test]
fn what_lies_outside_the_bounds_of_a_fact_is_not_looked_for() {
    let bounded = VOCAB
        .replace("price: money, weight: decimal", "price: money in [0 CNY..), weight: decimal in [10..30)")
        .replace("from records", "in [0 CNY..500 CNY] from records");
    let of = |rules: &str| {
        let policy = format!("policy a decides d\n  layer chain\n  governed by today\n{rules}");
        let books = loaded_with(&bounded, &policy).rulebooks.unwrap();
        analyse(&books).iter().map(|d| d.code).collect::<Vec<_>>()
    };
    for never in ["item.weight < 10", "item.weight >= 30", "item.price < 0 CNY", "spend(2026) > 500 CNY"] {
        assert_eq!(of(&format!("rule r when {never} then allow\n")), ["W0611"], "{never}");
    }
    for met in ["item.weight <= 10", "item.weight > 29.9", "item.price < 0.01 CNY", "spend(2026) >= 500 CNY"]
    {
        assert_eq!(of(&format!("rule r when {met} then allow\n")), [""; 0], "{met}");
    }
    // A table need not speak of what there is not.
    let table = "table t(w: decimal) -> fee: money\n  | [10..20) | 1 CNY |\n  | [20..30) | 2 CNY |\n\
                 rule r when item.price >= 0 CNY then fee = t(item.weight)\n";
    assert_eq!(of(table), [""; 0]);
}
