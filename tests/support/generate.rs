//! Random vocabularies of outputs, tables and policies, as text.
use super::facts::*;
use super::grow::{OutputSketch, Scope};
use super::literals::literal;
use super::rng::Rng;

/// A random rulebook: the texts of its vocabulary and policies.
#[derive(Clone, Debug)]
pub struct Texts {
    pub vocab: String,
    pub policies: String,
}

/// An output with what rules need to know of it.
#[derive(Clone, Debug)]
struct Output {
    sketch: OutputSketch,
    mode: &'static str,
    ty: T,
    /// Outputs up to here are read by its guard.
    guard_reads: usize,
}

/// A rule that others may override.
#[derive(Clone, Debug)]
struct Written {
    path: String,
    /// Overriders may read outputs below this one only.
    reach: usize,
    outputs: Vec<String>,
    group: Option<String>,
}

pub(super) fn type_name(ty: T) -> &'static str {
    match ty {
        T::Bool => "bool",
        T::Int => "integer",
        T::Dec => "decimal",
        T::Money => "money",
        T::Point => "point",
        T::Date => "date",
        T::DateTime => "datetime",
        T::Period => "period",
        T::Season => "season",
        T::Tier => "tier",
        T::Cat => "cat",
        T::Text => "text",
    }
}

pub(super) struct Builder {
    pub(super) rng: Rng,
    pub(super) scope: Scope,
    outputs: Vec<Output>,
    rules: Vec<Written>,
    vocab: String,
    text: String,
}

/// A random rulebook of decisions `d` and `e`.
pub fn texts(seed: u64) -> Texts {
    let mut b = Builder {
        rng: Rng(seed),
        scope: Scope::default(),
        outputs: Vec::new(),
        rules: Vec::new(),
        vocab: VOCAB.into(),
        text: String::new(),
    };
    b.build();
    Texts { vocab: b.vocab, policies: b.text }
}

impl Builder {
    pub(super) fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn build(&mut self) {
        self.library();
        let common = self.scope.clone();
        // The called decision first: `d` may call it, not the other way round.
        self.decision("e");
        self.policy("chain.back", "e", "chain jia", &[]);
        let mut back = 1 + self.rng.below(3);
        while back > 0 {
            back -= 1;
            self.rule("chain.back", back + 90, &[]);
        }
        self.outputs.clear();
        self.rules.clear();
        self.scope = Scope { calls: true, ..common };
        self.decision("d");
        // Every sixth rulebook looks back along its lines; the walk alone decides there.
        if self.rng.chance(1, 6) {
            let per_line = self.outputs.iter().map(|o| o.sketch.clone()).filter(|s| s.per_line);
            self.scope.back = Some(per_line.collect());
        }
        let mut number = 0;
        let mut policies: Vec<String> = Vec::new();
        for (path, layer) in [("law.base", "law"), ("chain.main", "chain jia"), ("store.own", "store s1")] {
            if path != "chain.main" && self.rng.chance(1, 3) {
                continue;
            }
            let before = self.scope.clone();
            let extends: &[&str] = if path == "store.own" { &["chain.main"] } else { &[] };
            self.policy(path, "d", layer, extends);
            if path == "chain.main" {
                // Lets that read outputs would hide from the rules what they depend on.
                self.scope.outputs.clear();
                self.own_things();
            } else if path == "store.own" {
                self.settings(&before);
            }
            for _ in 0..1 + self.rng.below(4) {
                self.rule(path, number, &policies);
                number += 1;
            }
            policies.push(path.into());
        }
    }

    /// Tables, params and lets that all policies share.
    fn library(&mut self) {
        self.line("library common");
        let governed = self.rng.word(&["today", "receipt.day"]);
        self.line(&format!("  governed by {governed}"));
        for i in 0..self.rng.below(3) {
            self.table(&format!("t{i}"));
        }
        if self.rng.chance(1, 2) {
            self.line("table coupon(cost: point) -> worth: money §coupon");
            self.line(
                "  | 40 point | 2.50 CNY | | 100 point | 7 CNY | | 1000 point | 80 CNY | from 2026-07-01",
            );
            self.scope.fills = true;
        }
        for i in 0..self.rng.below(2) {
            self.param(&format!("p{i}"));
        }
        for i in 0..self.rng.below(4) {
            self.new_let(&format!("a{i}"));
        }
    }

    fn own_things(&mut self) {
        for i in 0..self.rng.below(2) {
            self.table(&format!("own{i}"));
        }
        for i in 0..self.rng.below(2) {
            self.param(&format!("q{i}"));
        }
        for i in 0..self.rng.below(3) {
            self.new_let(&format!("b{i}"));
        }
    }

    fn new_let(&mut self, name: &str) {
        let ty = *self.rng.pick(&[T::Bool, T::Bool, T::Money, T::Int, T::Date, T::Tier, T::Dec, T::Season]);
        let value = self.scope.grow(&mut self.rng, ty, 3);
        self.line(&format!("let {name} = {value}"));
        // The checker, too, sees `season` words as such only where the type is known.
        self.scope.lets.push((name.into(), ty, false));
    }

    fn param(&mut self, name: &str) {
        let ty = *self.rng.pick(&[T::Money, T::Int, T::Dec, T::Period, T::Tier]);
        let value = literal(&mut self.rng, ty);
        let values = match self.rng.below(3) {
            0 => format!("{value} before 2026-07-01, {} from 2026-07-01", literal(&mut self.rng, ty)),
            1 => format!("{value} from 2026-01-01"),
            _ => value,
        };
        let bounds = match ty {
            T::Money => " store may set [0 CNY..1000 CNY]",
            T::Int => " store may set [0..100]",
            _ => "",
        };
        self.line(&format!("param {name}: {} = {values}{bounds}", type_name(ty)));
        self.scope.params.push((name.into(), ty));
    }

    /// Settings and rows of the store, for what the chain and the library declare.
    fn settings(&mut self, before: &Scope) {
        for (name, ty) in before.params.clone() {
            if matches!(ty, T::Money | T::Int) && self.rng.chance(1, 2) {
                let value = if ty == T::Money { "50 CNY" } else { "5" };
                let from = self.rng.word(&["", " from 2026-07-01"]);
                let path = if name.starts_with('q') { "chain.main" } else { "common" };
                self.line(&format!("set {path}.{name} = {value}{from}"));
            }
        }
        for table in before.tables.clone() {
            if self.rng.chance(1, 2) && !table.name.starts_with("s") {
                let path = if table.name.starts_with("own") { "chain.main" } else { "common" };
                self.line(&format!("rows {path}.{} §extra", table.name));
                let mut seen = Vec::new();
                for _ in 0..1 + self.rng.below(2) {
                    self.row(&table, None, &mut seen);
                }
            }
        }
    }

    fn decision(&mut self, name: &str) {
        self.vocab.push_str(&format!("decision {name} given item, lines, receipt, today, codes {{\n"));
        if name == "e" {
            self.vocab.push_str("  back: one money else 0 CNY\n");
            let sketch = OutputSketch {
                name: "back".into(),
                ty: Some(T::Money),
                optional: false,
                per_line: false,
                set: None,
            };
            self.outputs.push(Output { sketch, mode: "one", ty: T::Money, guard_reads: 0 });
        } else {
            for i in 0..2 + self.rng.below(4) {
                self.output(i);
            }
        }
        self.vocab.push_str("}\n");
    }

    fn output(&mut self, i: usize) {
        let mode = *self.rng.pick(&["one", "one", "max", "max", "min", "sum", "all", "each"]);
        let ty = match mode {
            "one" => {
                *self.rng.pick(&[T::Money, T::Money, T::Bool, T::Date, T::Tier, T::Point, T::Period, T::Dec])
            }
            "max" | "min" => *self.rng.pick(&[T::Tier, T::Tier, T::Money, T::Date, T::Int]),
            "sum" => *self.rng.pick(&[T::Money, T::Int, T::Point]),
            "all" => *self.rng.pick(&[T::Season, T::Tier]),
            _ => T::Tier,
        };
        let per_line = matches!(mode, "one" | "max") && self.rng.chance(1, 4);
        self.scope.read = 0;
        self.scope.outputs = self.outputs.iter().map(|o| o.sketch.clone()).collect();
        let single = matches!(mode, "one" | "max" | "min");
        let better = if single && matches!(ty, T::Money | T::Date | T::Int) && self.rng.chance(1, 3) {
            self.rng.word(&[" better higher", " better lower"])
        } else {
            String::new()
        };
        if per_line {
            self.scope.vars.push("l".into());
        }
        let guarded = self.rng.chance(1, 4);
        // Guards see the vocabulary only: facts and other outputs.
        let mut bare =
            Scope { outputs: self.scope.outputs.clone(), vars: self.scope.vars.clone(), ..Scope::default() };
        let guard =
            if guarded { format!(" if {}", bare.grow(&mut self.rng, T::Bool, 2)) } else { String::new() };
        let guard_reads = bare.read;
        let mut optional = guarded;
        let fallback = match (single, self.rng.below(3)) {
            (false, _) => String::new(),
            (true, 0) => {
                optional = true;
                " optional".into()
            }
            (true, 1) => format!(" else {}", literal(&mut self.rng, ty)),
            (true, _) => format!(" else {}", bare.grow(&mut self.rng, ty, 1)),
        };
        self.scope.vars.clear();
        let each = if per_line { " each l in lines" } else { "" };
        let working = if self.rng.chance(1, 8) { "working " } else { "" };
        let of = if mode == "each" { "due" } else { type_name(ty) };
        let name = format!("o{i}");
        self.vocab.push_str(&format!("  {working}{name}{each}: {mode} {of}{better}{guard}{fallback}\n"));
        let readable = !matches!(mode, "all" | "each");
        let set = (mode == "all").then_some(ty);
        let sketch = OutputSketch { name, ty: readable.then_some(ty), optional, per_line, set };
        self.outputs.push(Output { sketch, mode, ty, guard_reads });
    }

    fn policy(&mut self, path: &str, decides: &str, layer: &str, extends: &[&str]) {
        self.line(&format!("policy {path} decides {decides}\n  layer {layer}"));
        let governed = self.rng.word(&["today", "receipt.day"]);
        self.line(&format!("  governed by {governed}\n  rounding half up\n  uses common"));
        if self.rng.chance(1, 4) {
            self.line("  from 2026-02-28 before 2027-01-01");
        }
        if self.rng.chance(1, 6) {
            // Only facts: what a policy applies to does not depend on outcomes.
            let mut bare = Scope::default();
            let when = bare.grow(&mut self.rng, T::Bool, 1);
            self.line(&format!("  applies when {when}"));
        }
        for other in extends {
            self.line(&format!("  extends {other}"));
        }
    }

    fn rule(&mut self, path: &str, number: usize, others: &[String]) {
        // Reads outputs below `k` and writes those from `k` on, so that nothing depends on itself.
        let k = self.rng.below(self.outputs.len());
        self.scope.outputs = self.outputs.iter().take(k).map(|o| o.sketch.clone()).collect();
        self.scope.read = 0;
        let for_each = self.rng.chance(1, 3);
        let filtered = for_each && self.rng.chance(1, 4);
        let element = if filtered { "fl" } else { "l" };
        let over = if filtered {
            self.scope.vars.push("y".into());
            let cond = self.scope.grow(&mut self.rng, T::Bool, 1);
            self.scope.vars.clear();
            format!("list(y for y in lines where {cond})")
        } else {
            "lines".into()
        };
        if for_each {
            self.scope.vars.push(element.into());
        }
        let when = self.rng.chance(4, 5).then(|| self.scope.grow(&mut self.rng, T::Bool, 3));
        let mut reads = self.scope.read;
        let mut effects: Vec<String> = Vec::new();
        let mut written: Vec<usize> = Vec::new();
        for _ in 0..1 + self.rng.below(2) {
            let o = k + self.rng.below(self.outputs.len() - k);
            if written.contains(&o) {
                continue;
            }
            let output = self.outputs[o].clone();
            if output.sketch.per_line && (!for_each || filtered) {
                continue;
            }
            effects.push(self.effect(&output));
            written.push(o);
            reads = reads.max(output.guard_reads);
        }
        self.scope.vars.clear();
        let Some(&lowest) = written.iter().min() else { return };
        if effects.is_empty() || reads > lowest {
            return;
        }
        let group = self.rng.chance(1, 4).then(|| format!("g_{}", path.replace('.', "_")));
        let binding = if self.rng.chance(1, 5) { "binding " } else { "" };
        let mut head = format!("{binding}rule r{number} §{number}");
        if let Some(group) = &group {
            head.push_str(&format!(" in {group}"));
        }
        if self.rng.chance(1, 8) {
            head.push_str(&self.rng.word(&[" from 2026-07-01", " before 2026-07-08", " through 2026-07-08"]));
        }
        if for_each {
            head.push_str(&format!(" for each {element} in {over}"));
        }
        self.line(&head);
        if let Some(when) = when {
            self.line(&format!("  when {when}"));
        }
        let then = if binding.is_empty() && self.rng.chance(1, 10) { "binding then" } else { "then" };
        self.line(&format!("  {then} {}", effects.join(", ")));
        let mut reach = lowest;
        let candidates: Vec<Written> = self.rules.iter().filter(|r| reads <= r.reach).cloned().collect();
        if !candidates.is_empty() && self.rng.chance(2, 5) {
            let over = self.rng.pick(&candidates).clone();
            reach = reach.min(over.reach);
            if path == "store.own" && over.path.starts_with("chain.main") && self.rng.chance(1, 3) {
                self.line(&format!("  replaces {}", over.path));
            } else if self.rng.chance(1, 3) {
                let output = self.rng.pick(&over.outputs).clone();
                self.line(&format!("  overrides {} for {output}", over.path));
            } else {
                self.line(&format!("  overrides {}", over.path));
            }
        } else if !others.is_empty() && self.rng.chance(1, 6) {
            // A whole policy or group: all its rules are written already.
            let policy = self.rng.pick(others).clone();
            let group = format!("g_{}", policy.replace('.', "_"));
            let by_group = self.rng.chance(1, 2);
            let of: Vec<&Written> = self
                .rules
                .iter()
                .filter(|r| r.path.starts_with(&policy) && (!by_group || r.group.as_ref() == Some(&group)))
                .collect();
            let other = if by_group { format!("{policy}.{group}") } else { policy };
            let lowest = of.iter().map(|r| r.reach).min().unwrap_or(0);
            if !of.is_empty() && reads <= lowest {
                reach = reach.min(lowest);
                self.line(&format!("  overrides {other}"));
            }
        }
        let outputs = written.iter().map(|o| self.outputs[*o].sketch.name.clone()).collect();
        self.rules.push(Written { path: format!("{path}.r{number}"), reach, outputs, group });
    }

    fn effect(&mut self, output: &Output) -> String {
        let name = match output.sketch.per_line {
            true => format!("l.{}", output.sketch.name),
            false => output.sketch.name.clone(),
        };
        let clamps =
            matches!(output.ty, T::Money | T::Date | T::Tier | T::Int | T::Dec | T::Point | T::Period);
        match output.mode {
            "all" => {
                let op = self.rng.word(&["add", "add", "remove"]);
                let value = if self.rng.chance(1, 2) {
                    format!(
                        "{{{}, {}}}",
                        literal(&mut self.rng, output.ty),
                        literal(&mut self.rng, output.ty)
                    )
                } else {
                    self.scope.grow(&mut self.rng, output.ty, 2)
                };
                format!("{name} {op} {value}")
            }
            "each" => {
                let kind = self.scope.grow(&mut self.rng, T::Tier, 1);
                let text = self.scope.grow(&mut self.rng, T::Text, 1);
                let amount = self.scope.grow(&mut self.rng, T::Money, 2);
                format!("{name} add due(kind: {kind}, ref: {text}, amount: {amount})")
            }
            _ if clamps && self.rng.chance(1, 4) => {
                let op = self.rng.word(&["at least", "at most"]);
                format!("{name} {op} {}", self.scope.grow(&mut self.rng, output.ty, 1))
            }
            _ => format!("{name} = {}", self.scope.grow(&mut self.rng, output.ty, 3)),
        }
    }
}
