//! `zhanggui explain`: why an outcome is what it is, in words; `--program`: what runs compiled.
use crate::cli::check::{load_good, plural};
use crate::cli::decide::{Ready, Which, ready};
use crate::cli::{CliError, Console, Lang};
use crate::program::explain::{Applied, Cited, Explanation, NotEffective, OutputWhy, Text, Used, explain};
use crate::rulebook::Program;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Say instead which decisions below a folder run compiled, and which on the reference walk, and why
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = "policies", conflicts_with = "Which")]
    program: Option<PathBuf>,
    /// With --program: show the compiled code, too
    #[arg(long, requires = "program")]
    code: bool,
    #[command(flatten)]
    which: Option<Which>,
    /// The language of the explanation
    #[arg(long, value_enum, default_value = "zh")]
    lang: Lang,
}

pub(crate) fn run(args: &Args, console: &mut Console) -> Result<bool, CliError> {
    if let Some(dir) = &args.program {
        return programs(dir, args.code, console);
    }
    let Some(which) = &args.which else {
        return Err(CliError::Usage("say --store and --decision, or --program".into()));
    };
    let Ready { program, decision, facts } = ready(which, console)?;
    let explanation = explain(program.linked(), decision, &facts);
    console.print(&text(&explanation, args.lang))?;
    Ok(true)
}

/// Every distinct program with its stores, and how its decisions run.
fn programs(dir: &Path, code: bool, console: &mut Console) -> Result<bool, CliError> {
    let (_, books) = load_good(dir, console)?;
    for book in &books.books {
        for program in &book.programs {
            let same = |p: &Arc<Program>| Arc::ptr_eq(p, program);
            let stores: Vec<&str> =
                book.stores.iter().filter(|s| same(&s.program)).map(|s| s.def.id.as_str()).collect();
            console.line(&format!(
                "{}, {}: {}",
                book.name,
                plural(stores.len(), "store"),
                stores.join(", ")
            ))?;
            // The code of a decision follows its line, indented.
            let all = program.compiled().describe();
            for line in all.lines().filter(|l| code || !(l.is_empty() || l.starts_with(' '))) {
                console.line(&format!("  {line}"))?;
            }
        }
    }
    Ok(true)
}

/// The explanation for people.
pub(crate) fn text(explanation: &Explanation, lang: Lang) -> String {
    let mut out = Page { out: String::new(), zh: lang == Lang::Zh };
    out.line(0, &explanation.decision);
    for output in &explanation.outputs {
        out.output(output);
    }
    out.section(
        "没有起作用的规则",
        "Rules that had no effect",
        &explanation.not_effective,
        Page::not_effective,
    );
    out.section(
        "被约束性规则搁置的",
        "Set aside by binding rules",
        &explanation.set_aside,
        |page, aside| {
            let by = page.say("依据", "by");
            page.line(1, &format!("{} ({by} {})", cited(&aside.set_aside), cited(&aside.held)));
        },
    );
    out.section("用到的数值", "Values used", &explanation.lets, Page::used);
    out.section("用到的参数", "Parameters used", &explanation.params, Page::used);
    out.section("取整", "Roundings", &explanation.roundings, |page, step| {
        let to = page.say("取整到", "to a multiple of");
        let within = step.within.as_deref().unwrap_or("");
        page.line(
            1,
            &format!("{} → {} ({}, {to} {})  {within}", step.before, step.after, step.mode, step.step),
        );
    });
    out.section("用到的表格行", "Table rows used", &explanation.rows, |page, row| {
        let clause = row.clause.as_deref().map(|c| format!(" §{c}")).unwrap_or_default();
        page.line(1, &format!("{} {} {}{clause}  {}", row.table, page.say("行", "row"), row.row, row.cells));
    });
    out.out
}

fn cited(rule: &Cited) -> String {
    match &rule.clause {
        Some(clause) => format!("{} §{}", rule.rule, clause.trim_start_matches('§')),
        None => rule.rule.clone(),
    }
}

/// Text being written.
struct Page {
    out: String,
    zh: bool,
}

impl Page {
    fn say<'t>(&self, zh: &'t str, en: &'t str) -> &'t str {
        if self.zh { zh } else { en }
    }

    fn text<'t>(&self, text: &'t Text) -> &'t str {
        self.say(&text.zh, &text.en)
    }

    fn line(&mut self, depth: usize, text: &str) {
        self.out.push_str(&"  ".repeat(depth));
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    /// A heading and its items, if there are any.
    fn section<T>(&mut self, zh: &str, en: &str, items: &[T], mut each: impl FnMut(&mut Page, &T)) {
        if items.is_empty() {
            return;
        }
        let heading = format!("\n{}:", self.say(zh, en));
        self.line(0, &heading);
        for item in items {
            each(self, item);
        }
    }

    fn output(&mut self, output: &OutputWhy) {
        let element = output.element.map(|e| format!("[{}]", e + 1)).unwrap_or_default();
        let label = match self.text(&output.label) {
            label if label == output.output => String::new(),
            label => format!(" ({label})"),
        };
        let is = self.text(&output.is.text).to_owned();
        self.line(1, &format!("{}{element}{label} = {is}", output.output));
        if let Some(guard) = &output.guard {
            let guard = self.text(guard).to_owned();
            self.line(2, &guard);
        }
        for applied in &output.applied {
            self.applied(applied);
        }
        for possible in &output.possible {
            let why = self.text(&possible.because.text).to_owned();
            self.line(2, &format!("? {} {}: {why}", cited(&possible.by), possible.effect));
        }
        if output.by_default {
            let text = self.say("没有规则给出,用缺省值", "no rule says, the default stands").to_owned();
            self.line(2, &text);
        }
    }

    fn applied(&mut self, applied: &Applied) {
        // The mark is not the only sign: what does not decide says so.
        let mark = if applied.decides { "+" } else { "·" };
        let say = applied.by.say.as_ref().map(|s| format!("  {}", self.text(s))).unwrap_or_default();
        let not = if applied.decides { "" } else { self.say("(未决定结果)", " (does not decide)") };
        self.line(
            2,
            &format!("{mark} {} {} {}{not}{say}", cited(&applied.by), applied.effect, applied.value),
        );
    }

    fn not_effective(&mut self, rule: &NotEffective) {
        let element = rule.element.map(|e| format!("[{}]", e + 1)).unwrap_or_default();
        let why = self.text(&rule.text).to_owned();
        self.line(1, &format!("{}{element}: {why}", cited(&rule.by)));
    }

    fn used(&mut self, used: &Used) {
        let definition = used.definition.as_deref().map(|d| format!("  ({d})")).unwrap_or_default();
        let clause = used.clause.as_deref().map(|c| format!(" §{c}")).unwrap_or_default();
        let is = self.text(&used.is.text).to_owned();
        let set_by = used.set_by.as_deref().map(|policy| {
            if self.zh { format!("  (由 {policy} 设定)") } else { format!("  (set by {policy})") }
        });
        let set_by = set_by.unwrap_or_default();
        self.line(1, &format!("{}{clause} = {is}{definition}{set_by}", used.name));
    }
}
