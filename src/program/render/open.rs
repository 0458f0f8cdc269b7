//! Outputs that are not decided, in the author's words.
use crate::lang::typed::*;
use crate::program::link::Linked;
use crate::program::outcome::{Conflict, Fault, Open, Outcome, State};
use crate::program::render::{output_name, row_clause, status};
use crate::program::{ask, json};

/// `{"output","state","rules","clauses","message":{"zh","en"}}`.
pub(super) fn write(out: &mut String, linked: &Linked, decision: &Decision, outcome: &Outcome, open: &Open) {
    let book = &*linked.rulebook;
    let Some(state) = outcome.outputs.get(open.output.ix()) else {
        out.push_str("null");
        return;
    };
    out.push_str("{\"output\":");
    json::string(out, output_name(decision, open.output));
    out.push_str(",\"state\":");
    json::string(out, status(state.badness()));
    out.push_str(",\"rules\":");
    json::list(out, &open.rules, |out, rule| json::string(out, &book.rule_id(*rule)));
    out.push_str(",\"clauses\":");
    json::list(out, clauses(book, open, state), json::string);
    let (zh, en) = message(book, state);
    out.push_str(",\"message\":");
    json::both(out, &zh, &en);
    out.push('}');
}

/// The clauses of the rules and of conflicting rows, each once.
fn clauses<'a>(book: &'a Rulebook, open: &Open, state: &State) -> Vec<&'a str> {
    let mut clauses: Vec<&str> = Vec::new();
    let of_rules = open.rules.iter().filter_map(|r| book.rules.get(r.ix())?.clause.as_deref());
    let mut of_rows = Vec::new();
    if let State::Conflict(conflicts) = state {
        for conflict in conflicts {
            if let Conflict::Rows(table, block, rows) = conflict
                && let Some(table) = book.tables.get(table.ix())
            {
                of_rows.extend(rows.iter().filter_map(|row| row_clause(table, *block, *row)));
            }
        }
    }
    for clause in of_rules.chain(of_rows) {
        if !clauses.contains(&clause) {
            clauses.push(clause);
        }
    }
    clauses
}

/// So many missing facts are named in a message; `needs` lists them all.
const NAMED: usize = 3;

/// What keeps an output open, in (zh, en).
fn message(book: &Rulebook, state: &State) -> (String, String) {
    match state {
        State::Value(_) => (String::new(), String::new()),
        State::Unknown(facts) => {
            let named = facts.iter().take(NAMED).map(|f| ask::in_words(&book.vocab, f));
            let (zh, en): (Vec<String>, Vec<String>) = named.unzip();
            let (zh, en) = (zh.join("、"), en.join("; "));
            match facts.len().checked_sub(NAMED) {
                None | Some(0) => (format!("还缺:{zh}"), format!("still needed: {en}")),
                Some(more) => {
                    (format!("还缺:{zh},以及另外{more}项"), format!("still needed: {en}; and {more} more"))
                }
            }
        }
        State::Undecided(questions) => {
            joined(questions.iter().map(|q| (q.zh("").to_owned(), q.en("").to_owned())))
        }
        State::Conflict(conflicts) => joined(conflicts.iter().map(|c| conflict_text(book, c))),
        State::Faulty(faults) => joined(faults.iter().map(|f| fault_text(book, f))),
    }
}

fn joined(texts: impl Iterator<Item = (String, String)>) -> (String, String) {
    let (zh, en): (Vec<String>, Vec<String>) = texts.unzip();
    (zh.join(";"), en.join("; "))
}

/// A conflict in (zh, en), with the clauses.
pub fn conflict_text(book: &Rulebook, conflict: &Conflict) -> (String, String) {
    match conflict {
        Conflict::Rules(rules) => {
            let cited = |id: &RuleId| match book.rules.get(id.ix()) {
                Some(rule) => match &rule.clause {
                    Some(clause) => format!("§{} {}", clause.trim_start_matches('§'), rule.name),
                    None => book.rule_id(*id),
                },
                None => String::new(),
            };
            let names: Vec<String> = rules.iter().map(cited).collect();
            (
                format!("{}相互矛盾", names.join(" 与 ")),
                format!("{} contradict each other", names.join(" and ")),
            )
        }
        Conflict::Rows(table, block, rows) => {
            let name = book.tables.get(table.ix()).map_or("", |t| t.name.as_str());
            let of = |row: &u32, zh: bool| {
                let clause = book.tables.get(table.ix()).and_then(|t| row_clause(t, *block, *row));
                let n = u64::from(*row) + 1;
                let cited = clause.map(|c| format!("§{}", c.trim_start_matches('§')));
                match (cited, zh) {
                    (Some(c), true) => format!("第{n}行({c})"),
                    (None, true) => format!("第{n}行"),
                    (Some(c), false) => format!("{n} ({c})"),
                    (None, false) => n.to_string(),
                }
            };
            let zh: Vec<String> = rows.iter().map(|r| of(r, true)).collect();
            let en: Vec<String> = rows.iter().map(|r| of(r, false)).collect();
            (
                format!("表 {name} 的{}同时符合", zh.join("与")),
                format!("rows {} of table {name} fit at once", en.join(" and ")),
            )
        }
    }
}

/// A fault in (zh, en).
pub fn fault_text(book: &Rulebook, fault: &Fault) -> (String, String) {
    let fixed = |zh: &str, en: &str| (zh.to_owned(), en.to_owned());
    match fault {
        Fault::Overflow => fixed("数值超出范围", "a number is out of range"),
        Fault::DivisionByZero => fixed("除数为零", "division by zero"),
        Fault::EmptyExtreme => {
            fixed("空列表没有最大值或最小值", "an empty list has no greatest or least element")
        }
        Fault::MixedCurrencies => fixed("不同币种的金额", "amounts of different currencies"),
        Fault::MixedPeriods => fixed("天与月不能比较或相加", "days and months do not compare or add up"),
        Fault::DateOutOfRange => fixed("日期超出范围", "a date is out of range"),
        Fault::NoRow(table) => {
            let name = book.tables.get(table.ix()).map_or("", |t| t.name.as_str());
            (format!("表 {name} 没有符合的行"), format!("no row of table {name} fits"))
        }
        Fault::NoParamValue(name) => {
            (format!("参数 {name} 在该日没有值"), format!("parameter {name} has no value on that date"))
        }
    }
}
