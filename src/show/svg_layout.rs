//! Where everything stands in the diagram: a band per output, its rules in a column, lanes for precedence to their left.
//!
//! All measures are pixels. Texts are measured in columns (a Han character takes two), on the generous side, since the
//! reader's font is not known.
use crate::show::text::{sign, widest};
use crate::show::words::{aside, cited, does, wrap};
use crate::show::{Does, Lang, OutputSheet, Precedence, RuleRef, Sheet, Statement};

/// A column of text of the common size; and of headings, which are larger and bold.
const COLUMN: i64 = 73;
const COLUMN_BOLD: i64 = 88;
const LINE: i64 = 17;
const PAD: i64 = 9;
const MARGIN: i64 = 24;
const RULE_COLUMNS: usize = 78;
const OUTPUT_COLUMNS: usize = 46;
const LANE: i64 = 11;
/// Between the rules and the output: room for the three ways in.
const BUSES: i64 = 76;
/// Between two boxes, and between two bands.
const GAP: i64 = 10;
const BAND_GAP: i64 = 34;

/// How a line of a box is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Head,
    Effect,
    Plain,
    Faint,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) w: i64,
    pub(super) h: i64,
}

#[derive(Debug)]
pub(super) struct TextBox {
    pub(super) area: Area,
    pub(super) lines: Vec<(Style, String)>,
}

impl TextBox {
    /// The baseline of a line.
    pub(super) fn baseline(&self, line: usize) -> i64 {
        self.area.y + PAD + LINE * line as i64 + 12
    }
}

/// A rule's box.
#[derive(Debug)]
pub(super) struct RuleBox {
    pub(super) text: TextBox,
    /// Which of the sheet's layers, for the colour of its edge.
    pub(super) layer: usize,
    pub(super) binding: bool,
    /// It has no effect on the output itself.
    pub(super) outside: bool,
}

/// The way from a rule into the output.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) sign: &'static str,
    /// From the rule, along the bus, into the output: x and y of its corners.
    pub(super) corners: Vec<(i64, i64)>,
}

/// Precedence: from the rule that goes before, along a lane, to those that it suppresses.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) x: i64,
    pub(super) right: i64,
    pub(super) from: i64,
    pub(super) to: Vec<i64>,
    pub(super) replaces: bool,
}

#[derive(Debug)]
pub(super) struct Band {
    pub(super) output: TextBox,
    pub(super) rules: Vec<RuleBox>,
    pub(super) ways: Vec<Way>,
    pub(super) lanes: Vec<Lane>,
    pub(super) bottom: i64,
    pub(super) working: bool,
}

#[derive(Debug)]
pub(super) struct Plan {
    pub(super) width: i64,
    pub(super) height: i64,
    pub(super) bands: Vec<Band>,
    /// The layers, by the number that boxes name.
    pub(super) layers: Vec<String>,
    /// Where the first line of the title stands.
    pub(super) left: i64,
}

/// Room for the title and the legend above the bands.
pub(super) const TOP: i64 = 92;

/// Places everything.
pub(super) fn plan(sheet: &Sheet, lang: Lang) -> Plan {
    let mut layers: Vec<String> = Vec::new();
    for p in &sheet.policies {
        if !layers.contains(&p.layer) {
            layers.push(p.layer.clone());
        }
    }
    let drafts: Vec<Draft> = sheet.outputs.iter().map(|o| draft(o, lang, &layers)).collect();
    let rule_width = drafts.iter().flat_map(|d| &d.rules).map(|r| r.columns).max().unwrap_or(0).max(30);
    let rule_width = wide(rule_width as i64) + 2 * PAD + 6;
    let output_width = wide(OUTPUT_COLUMNS as i64) + 2 * PAD;
    // Lanes are counted in a first placing, whose left edge does not matter.
    let mut lanes = 0;
    let mut bands: Vec<Band> = Vec::new();
    for round in 0..2 {
        let left = MARGIN + 18 + LANE * lanes;
        let mut y = TOP;
        bands.clear();
        for d in &drafts {
            let band = place(d, left, y, rule_width, output_width);
            y = band.bottom + BAND_GAP;
            bands.push(band);
        }
        if round == 0 {
            let used = bands.iter().flat_map(|b| &b.lanes).map(|l| (left - 18 - l.x) / LANE + 1);
            lanes = used.max().unwrap_or(0);
        }
    }
    let left = MARGIN + 18 + LANE * lanes;
    Plan {
        width: left + rule_width + BUSES + output_width + MARGIN,
        height: bands.last().map_or(TOP, |b| b.bottom) + MARGIN,
        bands,
        layers,
        left: MARGIN,
    }
}

fn wide(columns: i64) -> i64 {
    columns * COLUMN / 10
}

/// A band's texts, before they have a place.
struct Draft {
    output: Vec<(Style, String)>,
    working: bool,
    rules: Vec<DraftRule>,
    /// Rule by number, and how it acts.
    ways: Vec<(usize, Does)>,
    lanes: Vec<(usize, Vec<usize>, bool)>,
}

struct DraftRule {
    rule: String,
    lines: Vec<(Style, String)>,
    columns: usize,
    layer: usize,
    binding: bool,
    outside: bool,
}

fn draft(output: &OutputSheet, lang: Lang, layers: &[String]) -> Draft {
    let mut rules: Vec<DraftRule> = Vec::new();
    let mut ways = Vec::new();
    let layer_of = |rule: &RuleRef| layers.iter().position(|l| *l == rule.layer).unwrap_or(0);
    for e in output.contributes.iter().chain(&output.removes).chain(&output.limits) {
        let what = wrap(&does(lang, e.does, &e.value), RULE_COLUMNS);
        let at = rules.iter().position(|r| r.rule == e.rule.rule);
        let at = at.unwrap_or_else(|| {
            rules.push(DraftRule {
                rule: e.rule.rule.clone(),
                lines: vec![(Style::Head, heading(&e.rule, lang))],
                columns: 0,
                layer: layer_of(&e.rule),
                binding: e.rule.binding,
                outside: false,
            });
            rules.len() - 1
        });
        if let Some(rule) = rules.get_mut(at) {
            rule.lines.extend(what.into_iter().map(|l| (Style::Effect, l)));
        }
        ways.push((at, e.does));
    }
    for rule in &mut rules {
        let mut effects = output.contributes.iter().chain(&output.removes).chain(&output.limits);
        if let Some(effect) = effects.find(|e| e.rule.rule == rule.rule) {
            let condition = wrap(&condition(effect, lang), RULE_COLUMNS);
            rule.lines.extend(condition.into_iter().map(|l| (Style::Plain, l)));
        }
    }
    for p in output.overrides.iter().filter(|p| !p.speaks) {
        if rules.iter().all(|r| r.rule != p.by.rule) {
            let mut lines = vec![(Style::Head, heading(&p.by, lang))];
            lines.extend(wrap(&outside(p, lang), RULE_COLUMNS).into_iter().map(|l| (Style::Plain, l)));
            rules.push(DraftRule {
                rule: p.by.rule.clone(),
                lines,
                columns: 0,
                layer: layer_of(&p.by),
                binding: p.by.binding,
                outside: true,
            });
        }
    }
    for rule in &mut rules {
        let lines: Vec<String> = rule.lines.iter().map(|(_, l)| l.clone()).collect();
        rule.columns = widest(&lines);
    }
    let number = |rule: &RuleRef| rules.iter().position(|r| r.rule == rule.rule);
    let lanes = output.overrides.iter().filter_map(|p| {
        Some((number(&p.by)?, p.over.iter().filter_map(number).collect::<Vec<_>>(), p.replaces))
    });
    Draft { lanes: lanes.collect(), output: output_lines(output, lang), working: output.working, rules, ways }
}

fn heading(rule: &RuleRef, lang: Lang) -> String {
    let binding = if rule.binding { lang.pick(" [约束性]", " [binding]") } else { "" };
    format!("{} ({}){binding}", cited(rule), rule.layer)
}

fn condition(effect: &Statement, lang: Lang) -> String {
    let each = effect.for_each.as_deref().map(|e| format!("{e}: ")).unwrap_or_default();
    let dates = effect.dates.as_deref().map(|d| format!("{d}; ")).unwrap_or_default();
    match &effect.when {
        Some(when) => format!("{dates}{each}{} {when}", lang.pick("当", "when")),
        None => format!("{dates}{each}{}", lang.pick("总是", "always")),
    }
}

fn outside(p: &Precedence, lang: Lang) -> String {
    match &p.when {
        Some(when) if !p.replaces => format!("{} {when}", lang.pick("当", "when")),
        _ => lang.pick("总是", "always").to_owned(),
    }
}

fn output_lines(output: &OutputSheet, lang: Lang) -> Vec<(Style, String)> {
    let mut lines = Vec::new();
    let mut put = |style: Style, text: &str| {
        // A heading is larger: fewer of its letters fit.
        let columns = if style == Style::Head { OUTPUT_COLUMNS * 10 / 13 } else { OUTPUT_COLUMNS };
        lines.extend(wrap(text, columns).into_iter().map(|l| (style, l)));
    };
    put(Style::Head, &output.name);
    let label = lang.of(&output.label);
    if label != output.name {
        put(Style::Effect, label);
    }
    if let Some(per) = &output.per {
        put(Style::Plain, per);
    }
    put(Style::Plain, lang.of(&output.combines));
    put(Style::Plain, lang.of(&output.fallback));
    if let Some(guard) = &output.guard {
        put(Style::Plain, &format!("{} {guard}", lang.pick("仅当", "only if")));
    }
    match output.better {
        Some("higher") => put(Style::Plain, lang.pick("越高越优待", "higher is kinder")),
        Some(_) => put(Style::Plain, lang.pick("越低越优待", "lower is kinder")),
        None => {}
    }
    for a in &output.set_aside {
        put(Style::Plain, &aside(lang, a));
    }
    let reads = &output.reads;
    for (what, items) in [
        (lang.pick("表格", "tables"), &reads.tables),
        (lang.pick("参数", "parameters"), &reads.params),
        (lang.pick("定义", "definitions"), &reads.definitions),
        (lang.pick("其它结果", "other outputs"), &reads.outputs),
        (lang.pick("其它决策", "other decisions"), &reads.decisions),
    ] {
        if !items.is_empty() {
            put(Style::Faint, &format!("{what}: {}", items.join(lang.comma())));
        }
    }
    lines
}

fn height(lines: usize) -> i64 {
    LINE * lines as i64 + 2 * PAD
}

fn place(d: &Draft, left: i64, top: i64, rule_width: i64, output_width: i64) -> Band {
    let mut y = top;
    let mut rules = Vec::new();
    for r in &d.rules {
        let area = Area { x: left, y, w: rule_width, h: height(r.lines.len()) };
        y = area.y + area.h + GAP;
        rules.push(RuleBox {
            text: TextBox { area, lines: r.lines.clone() },
            layer: r.layer,
            binding: r.binding,
            outside: r.outside,
        });
    }
    let out = Area { x: left + rule_width + BUSES, y: top, w: output_width, h: height(d.output.len()) };
    let bottom = (y - GAP).max(out.y + out.h).max(top);
    Band {
        ways: ways(d, &rules, out),
        lanes: lanes(d, &rules, left),
        output: TextBox { area: out, lines: d.output.clone() },
        rules,
        bottom,
        working: d.working,
    }
}

/// Each way of acting has a bus of its own and enters the output at a height of its own.
fn ways(d: &Draft, rules: &[RuleBox], out: Area) -> Vec<Way> {
    let bus_of = |does: Does| match does {
        Does::Sets | Does::Adds => 0,
        Does::Removes => 1,
        Does::AtLeast | Does::AtMost => 2,
    };
    let way = |(rule, does): &(usize, Does)| {
        let area = rules.get(*rule)?.text.area;
        let bus = bus_of(*does);
        // A rule that acts in two ways leaves its box at two heights.
        let y = area.y + area.h / 2 + 8 * (bus - 1);
        let (bus_x, enters) = (area.x + area.w + 18 + 14 * bus, out.y + 16 + 12 * bus);
        Some(Way {
            sign: sign(*does),
            corners: vec![(area.x + area.w, y), (bus_x, y), (bus_x, enters), (out.x, enters)],
        })
    };
    d.ways.iter().filter_map(way).collect()
}

/// Short ones lie inside, and none on another.
fn lanes(d: &Draft, rules: &[RuleBox], left: i64) -> Vec<Lane> {
    // How many lines end at each rule, so that they end at different heights.
    let mut ports: Vec<(usize, usize)> = Vec::new();
    for (at, (by, over, _)) in d.lanes.iter().enumerate() {
        ports.push((*by, at));
        ports.extend(over.iter().map(|o| (*o, at)));
    }
    let height_of = |rule: usize, lane: usize| {
        let here: Vec<usize> = ports.iter().filter(|(r, _)| *r == rule).map(|(_, l)| *l).collect();
        let nth = here.iter().position(|l| *l == lane).unwrap_or(0) as i64 + 1;
        let area = rules.get(rule).map_or(Area { x: 0, y: 0, w: 0, h: 0 }, |r| r.text.area);
        area.y + area.h * nth / (here.len() as i64 + 1)
    };
    let mut found: Vec<(i64, i64, Lane)> = Vec::new();
    for (at, (by, over, replaces)) in d.lanes.iter().enumerate() {
        let from = height_of(*by, at);
        let to: Vec<i64> = over.iter().map(|o| height_of(*o, at)).collect();
        let (low, high) = to.iter().fold((from, from), |(a, b), y| (a.min(*y), b.max(*y)));
        found.push((low, high, Lane { x: 0, right: left, from, to, replaces: *replaces }));
    }
    found.sort_by_key(|(low, high, _)| (high - low, *low));
    let mut taken: Vec<Vec<(i64, i64)>> = Vec::new();
    for (low, high, lane) in &mut found {
        let free = |busy: &Vec<(i64, i64)>| busy.iter().all(|(a, b)| *high + 4 < *a || *b + 4 < *low);
        let at = taken.iter().position(free).unwrap_or(taken.len());
        match taken.get_mut(at) {
            Some(busy) => busy.push((*low, *high)),
            None => taken.push(vec![(*low, *high)]),
        }
        lane.x = left - 18 - LANE * at as i64;
    }
    found.into_iter().map(|(_, _, lane)| lane).collect()
}

/// The width of a heading, for what stands beside it.
pub(super) fn heading_width(columns: usize) -> i64 {
    columns as i64 * COLUMN_BOLD / 10
}
