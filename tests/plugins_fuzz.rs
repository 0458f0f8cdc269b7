//! Random components and random answers against one host: it never panics, never loses a place, and no thread stays
//! behind.
//!
//! `ZHANGGUI_FUZZ_PLUGINS`: seconds, 5 when it is not set. `ZHANGGUI_FUZZ_SEED`: the first seed; each case has the next
//! one, so that a case that fails is run again alone by its own.
//!
//! ```sh
//! ZHANGGUI_FUZZ_PLUGINS=1800 cargo test --release --test plugins_fuzz -- --nocapture
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails should say where"
)]
#[path = "plugins_host/guest.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod guest;
#[path = "support/rng.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod rng;

use guest::{CONFIG, Guest, KV, LOG, call, manifest, try_component};
use rng::Rng;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};
use zhanggui::plugins::contract::{
    Answer, Hook, HttpAnswer, HttpFailure, HttpRequest, HttpResponse, Ran, Value,
};
use zhanggui::plugins::host::{BreakerSettings, Host, HostSettings, Limits, Loaded};
use zhanggui::plugins::kv::{Kv, MemoryKv};
use zhanggui::plugins::manifest::Manifest;
use zhanggui::plugins::web::Web;

/// A module that has what the contract needs, with bodies of its own making; the memory is bounded so that most of
/// them begin.
fn smith(rng: &mut Rng, hook: Hook) -> Option<Vec<u8>> {
    let wanted = format!(
        r#"(module
            (memory (export "memory") 1 600)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
            (func (export "zhanggui:plugin/{hook}@0.1.0#plan") (param i32) (result i32) unreachable)
            (func (export "zhanggui:plugin/{hook}@0.1.0#decide") (param i32) (result i32) unreachable))"#,
        hook = hook.name()
    );
    let config = wasm_smith::Config {
        exports: Some(wat::parse_str(wanted).unwrap()),
        available_imports: Some(wat::parse_str(format!("(module {LOG} {CONFIG} {KV})")).unwrap()),
        allow_start_export: rng.chance(1, 4),
        exceptions_enabled: false,
        gc_enabled: false,
        // References to the outside need a collector, which the host does not have.
        reference_types_enabled: false,
        threads_enabled: false,
        memory64_enabled: false,
        relaxed_simd_enabled: false,
        max_instructions: *rng.pick(&[20, 200, 2000]),
        max_memory32_bytes: 64 << 20,
        max_table_elements: 30_000,
        // Beside the one that is exported.
        max_memories: 0,
        max_data_segments: 20,
        ..wasm_smith::Config::default()
    };
    let seed: Vec<u8> = (0..*rng.pick(&[500, 4000, 20_000])).map(|_| rng.next() as u8).collect();
    let module = wasm_smith::Module::new(config, &mut arbitrary::Unstructured::new(&seed)).ok()?;
    try_component(module.to_bytes(), hook).ok()
}

/// A guest whose results are random where values lie, and mostly lead somewhere.
fn answers(rng: &mut Rng, hook: Hook) -> Vec<u8> {
    // Small numbers are cases, lengths and truths; larger ones are addresses.
    let mut words: Vec<u32> = (0..120)
        .map(|_| match rng.below(10) {
            0..=4 => rng.below(4) as u32,
            5..=7 => 4096 + 4 * rng.below(300) as u32,
            8 => rng.below(200) as u32,
            _ => rng.next() as u32,
        })
        .collect();
    // Where `decide` answers: no error, a step, a value's case, and a text of digits or an amount.
    let at = 2 * rng.below(40);
    if rng.chance(3, 4) {
        let text = [4800, *rng.pick(&[0, 1, 4, 10])];
        let meant = [0, 0, rng.below(3) as u32, 0, rng.below(13) as u32, 0, text[0], text[1], 4816, 3];
        words[at..at + meant.len()].copy_from_slice(&meant);
        // A list of one request, in case the step is to need more.
        if rng.chance(1, 2) {
            words[at + 4..at + 6].copy_from_slice(&[4608, 1]);
        }
    }
    if rng.chance(1, 2) {
        words.resize(128, 0);
        // The request at 4608: name, method, address; no headers, no body, nothing else.
        words.extend([4800, 1 + rng.below(9) as u32, 4816, 3, 4816, 3]);
        words.extend([0; 8]);
    }
    let area: String = words.iter().flat_map(|w| w.to_le_bytes()).fold(String::new(), |mut text, byte| {
        write!(text, "\\{byte:02x}").unwrap();
        text
    });
    let spin = match rng.below(8) {
        0 => "(loop $l (br $l))",
        1 => "(loop $l (br_if $l (i32.ne (memory.grow (i32.const 7)) (i32.const -1))))",
        2 => "(call $log (i32.const 3) (i32.const 4096) (i32.const 400))",
        3 => "unreachable",
        _ => "",
    };
    let place = |rng: &mut Rng| format!("(i32.const {})", 4096 + 8 * rng.below(40));
    let plan = if rng.chance(1, 2) { place(rng) } else { guest::NO_REQUESTS.to_owned() };
    let decide = format!("{spin} (i32.const {})", 4096 + 4 * at);
    Guest::decides(&decide)
        .of(hook)
        .plans(&plan)
        .with(LOG, &format!("(data (i32.const 4096) \"{area}\")"))
        .with("", r#"(data (i32.const 4800) "2026-07-01      CNY")"#)
        .wasm()
}

/// The good guest with a few bytes changed.
fn mutant(rng: &mut Rng, hook: Hook) -> Vec<u8> {
    let mut wasm = Guest::good().of(hook).wasm();
    for _ in 0..1 + rng.below(6) {
        let at = rng.below(wasm.len());
        match rng.below(4) {
            0 => drop(wasm.remove(at)),
            1 => wasm.insert(at, rng.next() as u8),
            2 => wasm[at] ^= 1 << rng.below(8),
            _ => wasm[at] = rng.next() as u8,
        }
    }
    wasm
}

/// Answers as it likes: too few, too many, late, or not at all.
struct Wild(u64);

impl Web for Wild {
    fn fetch(&self, requests: &[HttpRequest], deadline: Instant) -> Vec<HttpResponse> {
        assert!(requests.len() <= 16);
        let mut rng = Rng(self.0);
        if rng.chance(1, 20) {
            panic!("the web is away, as the test wants it");
        }
        if rng.chance(1, 10) {
            std::thread::sleep(deadline.saturating_duration_since(Instant::now()));
        }
        let count = if rng.chance(1, 10) { rng.below(20) } else { requests.len() };
        (0..count)
            .map(|_| HttpResponse {
                name: "whatever".to_owned(),
                outcome: match rng.below(4) {
                    0 => Err(HttpFailure::Unreachable("away".to_owned())),
                    1 => Err(HttpFailure::Denied("no".to_owned())),
                    _ => Ok(HttpAnswer { status: 200, headers: Vec::new(), body: vec![7; rng.below(5000)] }),
                },
            })
            .collect()
    }
}

/// A number of `/proc/self/status`.
fn status(name: &str) -> u64 {
    let all = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = all.lines().find(|l| l.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[derive(Debug, Default)]
struct Tally {
    cases: u64,
    loaded: u64,
    refused: BTreeMap<&'static str, u64>,
    calls: BTreeMap<&'static str, u64>,
}

fn count(ran: &Ran, tally: &mut Tally) {
    let code = ran.outcome.as_ref().err().map_or("answered", |f| f.code());
    *tally.calls.entry(code).or_default() += 1;
    assert!(ran.log.iter().map(|l| l.message.len()).sum::<usize>() <= 4 << 10);
    assert!(ran.memory <= 32 << 20 && ran.rounds <= 3);
}

fn one_case(host: &Arc<Host>, seed: u64, tally: &mut Tally) {
    let mut rng = Rng(seed);
    let hook = *rng.pick(&Hook::ALL);
    let (kind, wasm) = match rng.below(10) {
        0..=4 => ("smith", smith(&mut rng, hook)),
        5..=8 => ("answers", Some(answers(&mut rng, hook))),
        _ => ("mutant", Some(mutant(&mut rng, hook))),
    };
    tally.cases += 1;
    let Some(wasm) = wasm else {
        *tally.refused.entry("not encoded").or_default() += 1;
        return;
    };
    let answers: &&str = rng.pick(&["whole", "text", "money", "date", "decimal"]);
    let mut m: Manifest = manifest("random", hook, answers);
    m.asks.kv = if rng.chance(3, 4) { 10_000 } else { 0 };
    let limits = Limits { fuel: 2_000_000, http: 20, places: 4, wait: 2_000, ..Limits::default() };
    let plugin = match host.load(&wasm, &m, &m.asks, &BTreeMap::new(), &limits) {
        Ok(plugin) => plugin,
        Err(why) => {
            if std::env::var_os("ZHANGGUI_FUZZ_WHY").is_some() {
                println!("seed {seed} ({kind}): {why}");
            }
            *tally.refused.entry(why.code()).or_default() += 1;
            return;
        }
    };
    tally.loaded += 1;
    let kv: Arc<dyn Kv> = Arc::new(MemoryKv::new(m.asks.kv));
    let mut awaited = Vec::new();
    for n in 0..1 + rng.below(8) {
        let web = Arc::new(Wild(seed ^ n as u64));
        let answered = host.spawn(&plugin, hook, call(rng.below(5)), web, Some(kv.clone()));
        // Some callers do not wait.
        if !rng.chance(1, 8) {
            awaited.push(answered);
        }
    }
    for mut answered in awaited {
        let began = Instant::now();
        let ran = loop {
            match answered.try_recv() {
                Ok(ran) => break ran,
                Err(tokio::sync::oneshot::error::TryRecvError::Empty) => {
                    assert!(
                        began.elapsed() < Duration::from_secs(60),
                        "seed {seed} ({kind}): a call is stuck"
                    );
                    std::thread::sleep(Duration::from_micros(50));
                }
                Err(gone) => panic!("seed {seed} ({kind}): a call was lost: {gone}"),
            }
        };
        count(&ran, tally);
    }
    let began = Instant::now();
    while plugin.free_places() < limits.places || host.free_slots() < host.settings().instances() {
        assert!(began.elapsed() < Duration::from_secs(60), "seed {seed} ({kind}): a place is lost");
        std::thread::sleep(Duration::from_micros(50));
    }
    assert!(kv.used(Instant::now()).unwrap() <= m.asks.kv);
}

fn is_well(host: &Arc<Host>, good: &Arc<Loaded>) {
    let ran = host.spawn(good, Hook::Facts, call(3), Arc::new(Wild(1)), None).blocking_recv().unwrap();
    assert_eq!(ran.outcome, Ok(Answer::Value(Value::Whole(7))));
}

#[test]
fn random_components_do_no_harm() {
    let number = |name: &str, or: u64| std::env::var(name).map_or(or, |v| v.parse().unwrap());
    let seconds = number("ZHANGGUI_FUZZ_PLUGINS", 5);
    let first = number("ZHANGGUI_FUZZ_SEED", 1);
    // Nothing rests: every call is to run.
    let breaker = BreakerSettings { consecutive: u32::MAX, percent: 100, ..BreakerSettings::default() };
    let host =
        Host::start(HostSettings { threads: 4, fetchers: 8, breaker, ..HostSettings::default() }).unwrap();
    let mut good_manifest = manifest("good", Hook::Facts, "whole");
    good_manifest.asks.http.clear();
    let limits = Limits { deadline: 10_000, ..Limits::default() };
    let good = Guest::good().wasm();
    let good = host.load(&good, &good_manifest, &good_manifest.asks, &BTreeMap::new(), &limits).unwrap();
    // The panics of the test's own web would fill the screen.
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |about| {
        let text = about.payload_as_str().unwrap_or_default();
        if !text.starts_with("the web is away") {
            usual(about);
        }
    }));

    let began = Instant::now();
    let mut tally = Tally::default();
    let mut warm: Option<(u64, u64)> = None;
    while began.elapsed() < Duration::from_secs(seconds) {
        one_case(&host, first + tally.cases, &mut tally);
        if tally.cases % 50 == 0 {
            is_well(&host, &good);
        }
        if tally.cases == 200 {
            warm = Some((status("VmRSS"), status("Threads")));
        }
    }
    is_well(&host, &good);
    println!("{tally:#?}");
    assert!(tally.loaded > 0 && tally.calls.values().sum::<u64>() > 0);
    if let Some((memory, threads)) = warm {
        let (now, threads_now) = (status("VmRSS"), status("Threads"));
        println!("memory {memory} -> {now} kB, threads {threads} -> {threads_now}");
        // 4 workers, 1 slow one, 8 that fetch, the clocks and the test: they may all have begun since.
        assert!(threads_now <= threads + 13, "{threads} -> {threads_now} threads");
        assert!(now < memory + 300_000, "{memory} -> {now} kB");
    }
}
