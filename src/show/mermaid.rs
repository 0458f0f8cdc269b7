//! The sheet as a Mermaid flowchart: one frame per output, rules to the left, precedence dotted.
use crate::show::words::{cited, does, wrap};
use crate::show::{Lang, OutputSheet, RuleRef, Sheet, Statement};
use std::collections::BTreeMap;

/// Columns of a box.
const COLUMNS: usize = 56;

/// The flowchart's text.
pub fn mermaid(sheet: &Sheet, lang: Lang) -> String {
    let mut out = String::from("flowchart LR\n");
    let title = format!("{}, {} {}", sheet.decision, lang.pick("门店", "store"), sheet.store);
    out.push_str(&format!("  %% {title}\n"));
    for (i, output) in sheet.outputs.iter().enumerate() {
        frame(&mut out, i, output, lang);
    }
    out.push_str("  classDef binding stroke-width:3px\n  classDef outside stroke-dasharray:4 3\n");
    out
}

fn frame(out: &mut String, at: usize, output: &OutputSheet, lang: Lang) {
    let mut label = vec![format!("{} {}", output.name, output.per.as_deref().unwrap_or(""))];
    let own = lang.of(&output.label);
    if own != output.name {
        label.push(own.to_owned());
    }
    label.push(lang.of(&output.combines).to_owned());
    label.push(lang.of(&output.fallback).to_owned());
    if let Some(guard) = &output.guard {
        label.push(format!("{} {guard}", lang.pick("仅当", "only if")));
    }
    out.push_str(&format!("  subgraph f{at}[\"{}\"]\n", escaped(&output.name)));
    out.push_str(&format!("    o{at}([\"{}\"])\n", lines(&label)));
    // A rule stands once in a frame, whatever it does there.
    let mut ids: BTreeMap<&str, usize> = BTreeMap::new();
    let effects = || output.contributes.iter().chain(&output.removes).chain(&output.limits);
    for effect in effects() {
        let next = ids.len();
        if !ids.contains_key(effect.rule.rule.as_str()) {
            ids.insert(&effect.rule.rule, next);
            let label = [cited(&effect.rule), condition(effect, lang)];
            node(out, at, next, &label, &effect.rule, "");
        }
    }
    for p in &output.overrides {
        let next = ids.len();
        if !ids.contains_key(p.by.rule.as_str()) {
            ids.insert(&p.by.rule, next);
            let when = p.when.as_deref().map_or_else(
                || lang.pick("总是", "always").to_owned(),
                |w| format!("{} {w}", lang.pick("当", "when")),
            );
            node(out, at, next, &[cited(&p.by), when], &p.by, ":::outside");
        }
    }
    for effect in effects() {
        if let Some(rule) = ids.get(effect.rule.rule.as_str()) {
            let what = escaped(&wrap(&does(lang, effect.does, &effect.value), COLUMNS).join(" "));
            out.push_str(&format!("    f{at}r{rule} -->|\"{what}\"| o{at}\n"));
        }
    }
    for p in &output.overrides {
        let how =
            if p.replaces { lang.pick("取代", "replaces") } else { lang.pick("优先于", "goes before") };
        for over in &p.over {
            if let (Some(by), Some(over)) = (ids.get(p.by.rule.as_str()), ids.get(over.rule.as_str())) {
                out.push_str(&format!("    f{at}r{by} -. \"{how}\" .-> f{at}r{over}\n"));
            }
        }
    }
    out.push_str("  end\n");
}

fn node(out: &mut String, frame: usize, id: usize, label: &[String], rule: &RuleRef, class: &str) {
    let mut label = label.to_vec();
    label.push(format!("({})", rule.layer));
    let class = if rule.binding && class.is_empty() { ":::binding" } else { class };
    out.push_str(&format!("    f{frame}r{id}[\"{}\"]{class}\n", lines(&label)));
}

fn condition(effect: &Statement, lang: Lang) -> String {
    let each = effect.for_each.as_deref().map(|e| format!("{e}: ")).unwrap_or_default();
    match &effect.when {
        Some(when) => format!("{each}{} {when}", lang.pick("当", "when")),
        None => format!("{each}{}", lang.pick("总是", "always")),
    }
}

fn lines(texts: &[String]) -> String {
    let all = texts.iter().flat_map(|t| wrap(t, COLUMNS));
    all.map(|l| escaped(&l)).collect::<Vec<_>>().join("<br/>")
}

/// What Mermaid would read as its own signs, as its entities.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.trim().chars() {
        match c {
            '#' => out.push_str("#35;"),
            '"' => out.push_str("#quot;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '&' => out.push_str("#amp;"),
            '`' => out.push_str("#96;"),
            '|' => out.push_str("#124;"),
            _ => out.push(c),
        }
    }
    out
}
