//! What was found, for people.
use crate::compare::decide::OPEN;
use crate::compare::recorded::{Example, Recorded, short};
use crate::compare::search::Searched;
use std::fmt::Write;

/// A page about recorded facts.
pub fn recorded_text(report: &Recorded) -> String {
    let mut out = Page::default();
    for note in &report.notes {
        out.line(format_args!("note: {note}"));
    }
    let mut under = String::new();
    for t in &report.transitions {
        let head = format!("{}: {}", t.decision, t.output);
        if head != under {
            out.line(format_args!("{head}"));
            under = head;
        }
        out.line(format_args!("  {} of {}: was {}, now {}", t.count, report.facts, t.was, t.now));
        out.line(format_args!("    {}", example(&t.example)));
    }
    for m in &report.money {
        let sign = if m.difference.starts_with('-') { "" } else { "+" };
        out.line(format_args!(
            "money, {}: {}: {sign}{} {} over {} (was {}, now {})",
            m.decision,
            m.output,
            m.difference,
            m.currency,
            facts(m.facts),
            m.was,
            m.now
        ));
        for e in &m.examples {
            out.line(format_args!("    {}", example(e)));
        }
    }
    const FEW: usize = 10;
    for u in report.unread.iter().take(FEW) {
        out.line(format_args!("line {} was not compared: {}", u.line, u.why));
    }
    if report.unread.len() > FEW {
        out.line(format_args!("and {} more lines were not compared", report.unread.len() - FEW));
    }
    out.line(format_args!("{} of {} decided otherwise", report.otherwise, facts(report.facts)));
    out.out
}

fn facts(n: usize) -> String {
    format!("{n} recorded fact{}", if n == 1 { "" } else { "s" })
}

fn example(e: &Example) -> String {
    let (was, now) = (short(&e.was), short(&e.now));
    let (was_by, now_by) = (by(&e.was, &e.was_by), by(&e.now, &e.now_by));
    format!("line {} at {}: was {was}{was_by}, now {now}{now_by}", e.line, e.store)
}

/// ` by §6.6 change_of_mind`; what is absent is so by its guard, what is open has no reason.
fn by(value: &str, rules: &[String]) -> String {
    match rules {
        [] if value == "absent" || OPEN.contains(&value) => String::new(),
        [] => " by default".into(),
        rules => format!(" by {}", rules.join(", ")),
    }
}

/// A page about what the search found.
pub fn searched_text(report: &Searched) -> String {
    let mut out = Page::default();
    for note in &report.notes {
        out.line(format_args!("note: {note}"));
    }
    let mut under = String::new();
    for d in &report.differences {
        let head = format!("{} in {}", d.decision, d.stores.join(", "));
        if head != under {
            out.line(format_args!("{head}"));
            under = head;
        }
        for c in &d.outputs {
            let (was, now) = (short(&c.was), short(&c.now));
            out.line(format_args!(
                "  {}: was {was}{}, now {now}{}",
                c.output,
                by(&c.was, &c.was_by),
                by(&c.now, &c.now_by)
            ));
        }
        if !d.region.is_empty() {
            out.line(format_args!("    where {}", d.region.join(", ")));
        }
        if let Some(like) = &d.like {
            let rest = if d.region.is_empty() { "all" } else { "otherwise" };
            out.line(format_args!("    {rest} as in the case \"{like}\""));
        }
    }
    if report.differences.is_empty() && !report.changed.is_empty() {
        out.line(format_args!("the text differs: {}", report.changed.join(", ")));
    }
    let looked = format!(
        "{} facts, made from {} case{} of both versions",
        report.looked_at,
        report.cases,
        if report.cases == 1 { "" } else { "s" }
    );
    match report.differences.len() {
        0 if report.changed.is_empty() => {
            out.line(format_args!(
                "no difference found: no rule, table or parameter differs, and {looked}, are decided alike"
            ));
        }
        0 => {
            out.line(format_args!("no difference found among {looked}; that is no proof that there is none"))
        }
        n => out.line(format_args!("{n} difference{} found among {looked}", if n == 1 { "" } else { "s" })),
    }
    out.out
}

#[derive(Default)]
struct Page {
    out: String,
}

impl Page {
    fn line(&mut self, what: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.out, "{what}");
    }
}
