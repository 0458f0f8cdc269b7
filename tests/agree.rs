//! The evaluators agree, and what is decided stays decided: on random policies and random facts.
//!
//! `ZHANGGUI_AGREE=1000000` sets how many decisions are compared; `ZHANGGUI_SEED=n` starts elsewhere.
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
use support::generate::{Texts, texts};
use support::program::{Program, program};
use support::rng::Rng;
use zhanggui::program::compile::Compiled;
use zhanggui::program::outcome::State;
use zhanggui::program::render::Renderer;
use zhanggui::program::turns;
use zhanggui::program::vm::Frame;
use zhanggui::program::walk;

/// Random facts tried per random policy.
const FACTS_PER_POLICY: usize = 20;

fn amount(default: usize) -> usize {
    std::env::var("ZHANGGUI_AGREE").ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

fn first_seed() -> u64 {
    std::env::var("ZHANGGUI_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(1)
}

/// The rulebook of a seed; random texts that the checker refuses are not compared.
fn rulebook(seed: u64) -> (Texts, Result<Program, String>) {
    let texts = texts(seed);
    let zone = [chrono_tz::Asia::Shanghai, chrono_tz::Europe::Berlin, chrono_tz::UTC][(seed % 3) as usize];
    let program = program(&texts.vocab, &texts.policies, zone);
    (texts, program)
}

#[test]
fn most_random_texts_are_well_typed() {
    let (mut good, mut back, total) = (0, 0, 300);
    for seed in 0..total {
        let (texts, program) = rulebook(seed);
        match program {
            Ok(_) => {
                good += 1;
                back += usize::from(texts.policies.contains("previous("));
            }
            Err(found) if std::env::var("ZHANGGUI_SHOW").is_ok() => {
                println!("{}\n{}\n{found}\n---- seed {seed}", texts.vocab, texts.policies);
            }
            Err(_) => {}
        }
    }
    assert!(good * 10 >= total * 8, "only {good} of {total} random rulebooks are well typed");
    assert!(back as u64 * 50 >= total, "only {back} of {total} random rulebooks look back along their lines");
}

#[test]
fn the_evaluators_answer_the_same_bytes() {
    let rounds = amount(6_000) / FACTS_PER_POLICY;
    let mut failures: Vec<String> = Vec::new();
    let (mut decisions, mut compiled_decisions, mut runs, mut in_code) = (0, 0, 0, 0);
    for seed in first_seed()..first_seed() + rounds as u64 {
        let (texts, program) = rulebook(seed);
        let Ok(program) = program else { continue };
        let compiled = Compiled::new(program.linked.clone());
        let renderer = Renderer::new(program.linked.clone());
        let mut frame = Frame::new();
        let mut rng = Rng(seed ^ 0xbeef);
        for name in ["d", "e"] {
            let decision = program.decision(name);
            decisions += 1;
            compiled_decisions += usize::from(compiled.code(decision).is_some());
            for round in 0..FACTS_PER_POLICY / 2 {
                let facts = draw_case(&mut rng, [0, 0, 0, 2, 20][round % 5]).json();
                let bound = program.bind(&facts);
                let walked = walk::evaluate(&program.linked, decision, &bound);
                runs += 1;
                in_code += usize::from(
                    compiled.code(decision).is_some() && compiled.run(decision, &bound, &mut frame).is_ok(),
                );
                let answer = compiled.evaluate(decision, &bound, &mut frame);
                let same = walked == answer && renderer.render(&walked) == renderer.render(&answer);
                if !same {
                    failures.push(format!(
                        "seed {seed}, decision {name}\n{}\n{}\n{facts}\nwalk: {}\ncode: {}\nwalk: {walked:?}\ncode: {answer:?}",
                        texts.vocab,
                        texts.policies,
                        renderer.render(&walked),
                        renderer.render(&answer)
                    ));
                    break;
                }
            }
        }
    }
    if std::env::var("ZHANGGUI_SHOW").is_ok() {
        failures.iter().for_each(|f| println!("==== {f}"));
    }
    // The shortest text shows best what is wrong.
    failures.sort_by_key(String::len);
    let heads: Vec<&str> = failures.iter().filter_map(|f| f.lines().next()).collect();
    assert!(failures.is_empty(), "{}\n{} failures: {heads:?}", failures[0], failures.len());
    println!("{compiled_decisions} of {decisions} decisions compiled, {in_code} of {runs} runs in code");
    assert!(in_code * 10 > runs, "only {in_code} of {runs} runs ended in code");
}

#[test]
fn no_completion_of_the_facts_contradicts_what_is_decided() {
    let (mut decided, mut stuck) = (0, 0);
    let rounds = amount(6_000) / FACTS_PER_POLICY;
    for seed in first_seed()..first_seed() + rounds as u64 {
        let (texts, program) = rulebook(seed);
        let Ok(program) = program else { continue };
        let decision = program.decision("d");
        let mut rng = Rng(seed ^ 0xface);
        for round in 0..FACTS_PER_POLICY {
            let open = draw_case(&mut rng, [3, 15, 40, 80][round % 4]);
            let before = walk::evaluate(&program.linked, decision, &program.bind(&open.json()));
            for _ in 0..3 {
                let full = complete_case(&mut rng, &open);
                let after = walk::evaluate(&program.linked, decision, &program.bind(&full.json()));
                for (o, (before, after)) in before.outputs.iter().zip(&after.outputs).enumerate() {
                    if let State::Value(_) = before {
                        decided += 1;
                        assert_eq!(
                            before,
                            after,
                            "output o{o} changed when facts became known\nseed {seed}\n{}\n{}\n{}\n{}",
                            texts.vocab,
                            texts.policies,
                            open.json(),
                            full.json()
                        );
                    }
                    // What no fact can settle was not asked for, so no fact must settle it.
                    if before.badness() > 1 {
                        stuck += 1;
                        assert!(
                            after.badness() > 1,
                            "output o{o} was {before:?} and came to {after:?}\nseed {seed}\n{}\n{}\n{}\n{}",
                            texts.vocab,
                            texts.policies,
                            open.json(),
                            full.json()
                        );
                    }
                }
            }
        }
    }
    assert!(decided > rounds, "hardly anything was decided: {decided}");
    assert!(stuck > rounds / 10, "hardly anything was beyond settling: {stuck}");
}

#[test]
fn what_the_code_waits_for_is_missing_by_the_walk_too() {
    let rounds = amount(6_000) / FACTS_PER_POLICY;
    let (mut stopped, mut waited) = (0, 0);
    for seed in first_seed()..first_seed() + rounds as u64 {
        let (texts, program) = rulebook(seed);
        let Ok(program) = program else { continue };
        let vocab = &program.linked.rulebook.vocab;
        let compiled = Compiled::new(program.linked.clone());
        let mut frame = Frame::new();
        let mut rng = Rng(seed ^ 0xd00d);
        for round in 0..FACTS_PER_POLICY {
            let decision = program.decision(["d", "e"][round % 2]);
            let facts = draw_case(&mut rng, [2, 5, 20, 50][round % 4]).json();
            let bound = program.bind(&facts);
            let answer = turns::evaluate(&compiled, decision, &bound, &mut frame, |_| {
                stopped += 1;
                true
            });
            let walked = walk::evaluate(&program.linked, decision, &bound);
            match answer {
                Ok(outcome) => assert_eq!(outcome, walked, "seed {seed}"),
                Err(lacking) => {
                    waited += 1;
                    let defs = &vocab.decisions[decision.ix()].outputs;
                    let needs = walked.needs(|i| defs[i].working);
                    assert!(
                        needs.contains(&lacking.path(vocab)),
                        "{} is waited for, and the walk misses {needs:?}\nseed {seed}\n{}\n{}\n{facts}",
                        lacking.path(vocab),
                        texts.vocab,
                        texts.policies,
                    );
                }
            }
        }
    }
    println!("{stopped} runs stopped for want of a fact, and {waited} turn on it");
    assert!(
        waited * 10 > stopped && waited > rounds / 10,
        "only {waited} of {stopped} were found to turn on it"
    );
}
