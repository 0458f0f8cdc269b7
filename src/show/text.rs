//! The sheet as a page to be read at a meeting.
use crate::show::words::{aside, cited, clause_of, does, width, wrap};
use crate::show::{Does, Lang, OutputSheet, Precedence, Sheet, Statement, Words};

/// Columns of a line.
const COLUMNS: usize = 110;

/// The page.
pub fn text(sheet: &Sheet, lang: Lang) -> String {
    let mut page = Page { out: String::new(), lang };
    page.title(sheet);
    for output in &sheet.outputs {
        page.output(output);
    }
    page.appendix(sheet);
    page.out
}

struct Page {
    out: String,
    lang: Lang,
}

impl Page {
    fn line(&mut self, depth: usize, text: &str) {
        self.hang(depth, depth + 1, text);
    }

    /// A text whose further lines stand at another depth.
    fn hang(&mut self, first: usize, rest: usize, text: &str) {
        for (i, line) in wrap(text, COLUMNS - 2 * rest).iter().enumerate() {
            self.out.push_str(&"  ".repeat(if i == 0 { first } else { rest }));
            self.out.push_str(line);
            self.out.push('\n');
        }
    }

    fn heading(&mut self, zh: &str, en: &str) {
        let text = self.lang.pick(zh, en).to_owned();
        self.line(1, &text);
    }

    fn list(&self, items: &[String]) -> String {
        items.join(self.lang.comma())
    }

    fn title(&mut self, sheet: &Sheet) {
        let label = named(self.lang, &sheet.decision, &sheet.label);
        let store = format!("{} {}", self.lang.pick("门店", "store"), sheet.store);
        let also = match sheet.also.as_slice() {
            [] => String::new(),
            also => format!(" ({} {})", self.lang.pick("同样适用于", "and as well"), self.list(also)),
        };
        self.line(0, &format!("{label}, {store}{also}"));
        for p in &sheet.policies {
            let mut line = format!("{}: {}", p.layer, p.path);
            let title = self.lang.of(&p.title);
            if title != p.path {
                line.push_str(&format!(" {title}"));
            }
            if let Some(dates) = &p.dates {
                line.push_str(&format!(", {dates}"));
            }
            if let Some(by) = &p.governed_by {
                line.push_str(&format!("{}{by}", self.lang.pick(",按 ", ", governed by ")));
            }
            if let Some(when) = &p.applies_when {
                line.push_str(&format!("{}{when}", self.lang.pick(",适用于 ", ", applies when ")));
            }
            self.line(1, &line);
        }
    }

    fn output(&mut self, output: &OutputSheet) {
        let lang = self.lang;
        self.out.push('\n');
        let working = if output.working { lang.pick(" [内部]", " [working]") } else { "" };
        let per = output.per.as_deref().map(|p| format!(" {p}")).unwrap_or_default();
        self.line(0, &format!("{}{per}{working}", named(lang, &output.name, &output.label)));
        let mut rule = format!("{}; {}", lang.of(&output.combines), lang.of(&output.fallback));
        if let Some(guard) = &output.guard {
            let only = lang.pick("仅当", "only if");
            let else_ = lang.pick("否则为无", "otherwise absent");
            rule.push_str(&format!("; {only} {guard}, {else_}"));
        }
        if let Some(better) = output.better {
            rule.push_str(match better {
                "higher" => lang.pick("; 越高越优待", "; higher is kinder"),
                _ => lang.pick("; 越低越优待", "; lower is kinder"),
            });
        }
        self.line(1, &rule);
        if output.contributes.is_empty() && output.removes.is_empty() && output.limits.is_empty() {
            self.heading("没有规则涉及", "No rule speaks of it");
        }
        self.effects(("给出", "Who says"), &output.contributes);
        self.effects(("去掉", "Who takes out"), &output.removes);
        self.effects(("限度", "Who limits"), &output.limits);
        if !output.overrides.is_empty() {
            self.heading("谁优先于谁", "Who goes before whom");
            output.overrides.iter().for_each(|p| self.precedence(p));
        }
        if !output.set_aside.is_empty() {
            self.heading("可能被搁置", "What may be set aside");
            for a in &output.set_aside {
                let line = aside(lang, a);
                self.hang(2, 3, &line);
            }
        }
        let reads = &output.reads;
        let lists = [
            (lang.pick("表格", "tables"), &reads.tables),
            (lang.pick("参数", "parameters"), &reads.params),
            (lang.pick("定义", "definitions"), &reads.definitions),
            (lang.pick("其它结果", "other outputs"), &reads.outputs),
            (lang.pick("其它决策", "other decisions"), &reads.decisions),
        ];
        if lists.iter().any(|(_, items)| !items.is_empty()) {
            self.heading("所依据", "What it draws on");
            for (what, items) in lists.iter().filter(|(_, items)| !items.is_empty()) {
                let line = format!("{what}: {}", self.list(items));
                self.hang(2, 3, &line);
            }
        }
    }

    /// Rules with what they do, under the policy that they come from.
    fn effects(&mut self, (zh, en): (&str, &str), effects: &[Statement]) {
        let mut under: Option<&str> = None;
        for effect in effects {
            let policy = effect.rule.policy.as_str();
            if under != Some(policy) {
                let heading = format!("{} ({}: {policy})", self.lang.pick(zh, en), effect.rule.layer);
                self.line(1, &heading);
                under = Some(policy);
            }
            self.effect(effect);
        }
    }

    fn effect(&mut self, effect: &Statement) {
        let lang = self.lang;
        let binding = if effect.rule.binding { lang.pick(" [约束性]", " [binding]") } else { "" };
        let dates = effect.dates.as_deref().map(|d| format!(", {d}")).unwrap_or_default();
        let line =
            format!("{}{binding} {}{dates}", cited(&effect.rule), does(lang, effect.does, &effect.value));
        self.hang(2, 4, &line);
        let when = match (&effect.when, &effect.for_each) {
            (Some(when), Some(each)) => format!("{each}: {} {when}", lang.pick("当", "when")),
            (Some(when), None) => format!("{} {when}", lang.pick("当", "when")),
            (None, Some(each)) => format!("{each}: {}", lang.pick("总是", "always")),
            (None, None) => lang.pick("总是", "always").to_owned(),
        };
        self.hang(3, 4, &when);
        if let Some(say) = &effect.say {
            let said = format!("“{}”", lang.of(say));
            self.hang(3, 4, &said);
        }
    }

    fn precedence(&mut self, p: &Precedence) {
        let lang = self.lang;
        let over: Vec<String> = p.over.iter().map(cited).collect();
        let over = self.list(&over);
        let how = if p.replaces { lang.pick("取代", "replaces") } else { lang.pick("优先于", "before") };
        let here = if p.only_here { lang.pick("(仅此结果)", " (for this output only)") } else { "" };
        self.hang(2, 4, &format!("{} {how} {over}{here}", cited(&p.by)));
        // Its condition stands above already if it speaks itself.
        if let (false, false, Some(when)) = (p.speaks, p.replaces, &p.when) {
            let when = format!("{} {when}", lang.pick("当", "when"));
            self.hang(3, 4, &when);
        }
    }

    fn appendix(&mut self, sheet: &Sheet) {
        let lang = self.lang;
        self.section("表格", "Tables", sheet.tables.is_empty());
        for table in &sheet.tables {
            self.line(1, &table.head);
            for block in &table.blocks {
                let clause =
                    block.clause.as_deref().map(|c| format!(" {}", clause_of(c))).unwrap_or_default();
                if table.blocks.len() > 1 {
                    self.line(2, &format!("{}: {}{clause}", block.layer, block.policy));
                }
                for row in &block.rows {
                    self.hang(2, 4, row);
                }
                let more = block.count - block.rows.len();
                if more > 0 {
                    let line = match lang {
                        Lang::Zh => format!("… 另有 {more} 行"),
                        Lang::En => format!("… and {more} more"),
                    };
                    self.line(2, &line);
                }
            }
        }
        self.section("参数", "Parameters", sheet.params.is_empty());
        for param in &sheet.params {
            let clause = param.clause.as_deref().map(|c| format!(" {}", clause_of(c))).unwrap_or_default();
            let several = param.values.len() > 1;
            let values = param.values.iter().map(|v| {
                let dates = v.dates.as_deref().map(|d| format!(" {d}")).unwrap_or_default();
                let by = if several { format!(" ({})", v.layer) } else { String::new() };
                format!("{}{dates}{by}", v.value)
            });
            // The first one that is in force counts.
            let values: Vec<String> = values.collect();
            let line = format!("{}{clause} = {}", param.name, values.join(lang.pick(",否则 ", ", else ")));
            self.line(1, &line);
        }
        self.section("定义", "Definitions", sheet.definitions.is_empty());
        for d in &sheet.definitions {
            self.line(1, &format!("{} = {}", d.name, d.value));
        }
    }

    fn section(&mut self, zh: &str, en: &str, empty: bool) {
        if !empty {
            self.out.push('\n');
            let heading = self.lang.pick(zh, en).to_owned();
            self.line(0, &heading);
        }
    }
}

/// `verdict (may be returned)`, without saying the same twice.
fn named(lang: Lang, name: &str, label: &Words) -> String {
    match lang.of(label) {
        label if label == name => name.to_owned(),
        label => format!("{name} ({label})"),
    }
}

/// Whether a rule gives to the output, takes from it, or limits it: as one sign, for diagrams.
pub(super) fn sign(does: Does) -> &'static str {
    match does {
        Does::Sets => "=",
        Does::Adds => "+",
        Does::Removes => "−",
        Does::AtLeast => "≥",
        Does::AtMost => "≤",
    }
}

/// The widest of some lines, in columns.
pub(super) fn widest(lines: &[String]) -> usize {
    lines.iter().map(|l| width(l)).max().unwrap_or(0)
}
