//! Zhanggui beside five rule engines: one return policy of 26 rules, the same answers, one table.
//!
//! `cargo run --release` first asserts on 10,000 random returns that every engine answers alike, then times them in
//! interleaved rounds (thread CPU time, medians) and prints the README's tables.
mod engines;
mod model;
mod native;
mod num;
mod ours;
mod tables;

use engines::*;
use model::*;
use native::{Typed, decide};
use num::F64x4;
use std::hint::black_box;

/// CPU seconds of this thread: what else the machine does shows as cache noise only.
pub fn cpu() -> f64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `t` is a valid timespec that outlives the call.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut t) };
    t.tv_sec as f64 + t.tv_nsec as f64 * 1e-9
}

/// One timed form: `f(k)` evaluates input `k` of `n` and returns something that depends on the answer.
pub struct Cell<'a> {
    pub name: String,
    pub n: usize,
    pub f: Box<dyn FnMut(usize) -> i64 + 'a>,
    pub ns: Vec<f64>,
}

impl<'a> Cell<'a> {
    pub fn new(name: impl Into<String>, n: usize, f: impl FnMut(usize) -> i64 + 'a) -> Cell<'a> {
        Cell { name: name.into(), n, f: Box::new(f), ns: vec![] }
    }
    pub fn median(&self) -> f64 {
        let mut ns = self.ns.clone();
        ns.sort_by(f64::total_cmp);
        ns[ns.len() / 2]
    }
}

/// Time the cells in turn, round by round, so that drift of the machine falls on all alike.
pub fn measure(cells: &mut [Cell], seconds: f64, rounds: usize) {
    for c in cells.iter_mut() {
        for k in 0..c.n {
            black_box((c.f)(k));
        }
    }
    for _ in 0..rounds {
        for c in cells.iter_mut() {
            let (start, mut done) = (cpu(), 0);
            while cpu() - start < seconds {
                for k in 0..c.n {
                    black_box((c.f)(k));
                }
                done += c.n;
            }
            c.ns.push((cpu() - start) * 1e9 / done as f64);
        }
    }
}

/// Something of the answer, so that nothing is optimised away.
pub fn sum(o: &Outcome) -> i64 {
    o.refund + o.fee * 3 + o.reason * 7 + o.tender + o.clawback
}

/// Assert that a form answers as the hand-written Rust does.
fn agree(name: &str, reqs: &[ReturnReq], want: &[Outcome], got: impl Iterator<Item = Outcome>, whole: bool) {
    for ((r, w), g) in reqs.iter().zip(want).zip(got) {
        let same = if whole { *w == g } else { (w.outcome, w.reason) == (g.outcome, g.reason) };
        assert!(same, "{name} disagrees on {r:?}\n want {w:?}\n got  {g:?}");
    }
    println!(
        "{name:<34} {} of {} agree{}",
        reqs.len(),
        reqs.len(),
        if whole { "" } else { " (outcome and reason)" }
    );
}

fn main() {
    let argument =
        |k: usize, default: f64| std::env::args().nth(k).and_then(|s| s.parse().ok()).unwrap_or(default);
    let (seconds, rounds) = (argument(1, 0.2), argument(2, 7.0) as usize);
    let n = 10_000;
    let reqs = generate(n, 42);
    let want: Vec<Outcome> = reqs.iter().map(|r| decide(&Typed::<F64x4>::of(r))).collect();

    let ours = ours::Ours::load();
    let rego = std::cell::RefCell::new(Rego::new());
    let (cedar, zen, cel, rhai) = (Cedar::new(), Zen::new(), Cel::new(), Rhai::new());
    let zen_expr = std::cell::RefCell::new(ZenExpr::new());
    let facts: Vec<_> = reqs.iter().map(|r| ours.bind(r)).collect();
    agree("zhanggui", &reqs, &want, facts.iter().map(|f| ours.outcome(f)), true);
    agree("zhanggui, reference walk", &reqs, &want, facts.iter().map(|f| ours.walk(f)), true);
    agree(
        "regorus",
        &reqs,
        &want,
        reqs.iter().map(|r| {
            let v = rego.borrow().prepare(r);
            rego.borrow_mut().eval_rvm(&v)
        }),
        true,
    );
    agree("cedar-policy", &reqs, &want, reqs.iter().map(|r| cedar.eval(&cedar.prepare(r))), false);
    agree("zen-engine, graph", &reqs, &want, reqs.iter().map(|r| zen.eval(&zen.prepare(r))), true);
    agree(
        "zen-expression",
        &reqs,
        &want,
        reqs.iter().map(|r| zen_expr.borrow_mut().eval(&zen.prepare(r))),
        true,
    );
    agree("cel", &reqs, &want, reqs.iter().map(|r| cel.eval(&cel.prepare(r))), true);
    agree("rhai", &reqs, &want, reqs.iter().map(|r| rhai.eval(&mut rhai.prepare(r))), true);

    let rego_in: Vec<_> = reqs.iter().map(|r| rego.borrow().prepare(r)).collect();
    let cedar_in: Vec<_> = reqs.iter().map(|r| cedar.prepare(r)).collect();
    let zen_in: Vec<_> = reqs.iter().map(|r| zen.prepare(r)).collect();
    let cel_in: Vec<_> = reqs.iter().map(|r| cel.prepare(r)).collect();
    let mut rhai_in: Vec<_> = reqs.iter().map(|r| rhai.prepare(r)).collect();
    let typed: Vec<_> = reqs.iter().map(Typed::<F64x4>::of).collect();
    let json: Vec<String> = reqs.iter().map(ours::json).collect();
    let mut frame = ours.frame();
    let mut frame2 = ours.frame();
    let mut cells = vec![
        Cell::new("hand-written Rust", n, |k| sum(&decide(black_box(&typed[k])))),
        Cell::new("**zhanggui**, bound facts, trace on", n, |k| ours.run(&facts[k], &mut frame)),
        Cell::new("zhanggui, JSON text to JSON text", n, |k| ours.json_to_json(&json[k], &mut frame2)),
        Cell::new("zen-expression (no graph)", n, |k| sum(&zen_expr.borrow_mut().eval(&zen_in[k]))),
        Cell::new("rhai", n, |k| sum(&rhai.eval(&mut rhai_in[k]))),
        Cell::new("cel", n, |k| sum(&cel.eval(&cel_in[k]))),
        Cell::new("regorus, register machine", n, |k| sum(&rego.borrow_mut().eval_rvm(&rego_in[k]))),
        Cell::new("cedar-policy (no amounts)", n, |k| sum(&cedar.eval(&cedar_in[k]))),
        Cell::new("zen-engine, compiled graph", n, |k| sum(&zen.eval(&zen_in[k]))),
    ];
    measure(&mut cells, seconds, rounds);
    let base = cells[1].median();
    println!(
        "\n| engine, 26-rule return policy, evaluation from its own bound input | ns per decision (median) | × ours |"
    );
    println!("| --- | ---: | ---: |");
    for c in &cells {
        println!("| {} | {:.0} | {:.1} |", c.name, c.median(), c.median() / base);
    }
    let fastest = cells[3..].iter().map(Cell::median).fold(f64::MAX, f64::min);
    println!("\nfastest peer / zhanggui: {:.1}", fastest / base);

    tables::jiajie(seconds, rounds);
    tables::rows(seconds, rounds);
}
