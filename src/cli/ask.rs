//! `zhanggui needs`: which facts to ask for, the one that most outputs wait for first.
use crate::cli::decide::{Ready, Which, ready};
use crate::cli::{CliError, Console, Format, Lang};
use crate::lang::typed::Decision;
use crate::program::ask::{self, ChoiceValue};
use crate::program::outcome::{Outcome, State};
use crate::program::render;
use std::cmp::Reverse;
use std::collections::BTreeMap;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
    /// How to print the questions
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// The questions' language
    #[arg(long, value_enum, default_value = "zh")]
    lang: Lang,
}

pub(crate) fn run(args: &Args, console: &mut Console) -> Result<bool, CliError> {
    let Ready { program, decision, facts } = ready(&args.which, console)?;
    let outcome = program.decide(decision, &facts);
    let vocab = &program.linked().rulebook.vocab;
    let Some(def) = vocab.decisions.get(decision.ix()) else { return Ok(false) };
    let ranked = ranked(def, &outcome);
    if args.format == Format::Json {
        let mut out = String::new();
        render::questions(&mut out, vocab, &ranked);
        console.line(&out)?;
        return Ok(true);
    }
    for (i, (fact, outputs)) in ranked.iter().enumerate() {
        let question = ask::question(vocab, fact);
        let said = if args.lang == Lang::Zh { &question.zh } else { &question.en };
        console.line(&format!("{}. {fact}  {said}  [{}]", i + 1, outputs.join(", ")))?;
        for choice in &question.options {
            let value = match &choice.value {
                ChoiceValue::Bool(b) => b.to_string(),
                ChoiceValue::Name(name) => format!("\"{name}\""),
                ChoiceValue::Absent => "null".into(),
            };
            let label = if args.lang == Lang::Zh { &choice.zh } else { &choice.en };
            console.line(&format!("     {value}  {label}"))?;
        }
    }
    if ranked.is_empty() {
        let working = |i: usize| def.outputs.get(i).is_none_or(|o| o.working);
        console.message(&format!("nothing is missing: {}", render::status(outcome.badness(working))));
    }
    Ok(true)
}

/// The missing facts with the outputs that wait for them, most outputs first, then by name.
fn ranked<'d>(decision: &'d Decision, outcome: &Outcome) -> Vec<(String, Vec<&'d str>)> {
    let mut waiting: BTreeMap<&str, Vec<&'d str>> = BTreeMap::new();
    for (def, state) in decision.outputs.iter().zip(&outcome.outputs) {
        if let State::Unknown(facts) = state
            && !def.working
        {
            for fact in facts {
                waiting.entry(fact).or_default().push(&def.name);
            }
        }
    }
    let mut ranked: Vec<(String, Vec<&str>)> = waiting.into_iter().map(|(f, o)| (f.to_owned(), o)).collect();
    ranked.sort_by_key(|(_, outputs)| Reverse(outputs.len()));
    ranked
}
