//! What plugins cost. `ZHANGGUI_PLUGIN_SPEED=1` measures for long and holds the figures against the goals, which makes
//! sense on a machine that does nothing else, in the release profile:
//!
//! ```sh
//! ZHANGGUI_PLUGIN_SPEED=1 cargo test --release --test plugins_speed -- --nocapture --test-threads=1
//! ```
//!
//! The examples are measured with their own cases, where they have been built (`plugins/build.sh`); the long run wants
//! them built. `benches/plugins.sh` does both, and measures what a plugin costs over HTTP.
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

use guest::{Guest, call, manifest};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use zhanggui::plugins::contract::{Answer, Failure, Hook, HttpFailure, HttpRequest, HttpResponse, Value};
use zhanggui::plugins::host::{BreakerSettings, Host, HostSettings, Limits, Loaded};
use zhanggui::plugins::manifest::Manifest;
use zhanggui::plugins::package::{Case, Recording};
use zhanggui::plugins::web::Web;

fn full() -> bool {
    std::env::var("ZHANGGUI_PLUGIN_SPEED").is_ok_and(|v| v == "1")
}

/// No server is ever there.
struct Away;

impl Web for Away {
    fn fetch(&self, requests: &[HttpRequest], _deadline: Instant) -> Vec<HttpResponse> {
        let away =
            |r: &HttpRequest| HttpResponse { name: r.name.clone(), outcome: Err(HttpFailure::Resting) };
        requests.iter().map(away).collect()
    }
}

/// Processor time of this thread.
fn processor() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())
}

/// Bytes of this process in memory.
fn resident() -> u64 {
    let all = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = all.lines().find(|l| l.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn host(cache: Option<&Path>) -> Arc<Host> {
    let breaker = BreakerSettings { consecutive: u32::MAX, percent: 100, ..BreakerSettings::default() };
    Host::start(HostSettings { breaker, cache: cache.map(Path::to_owned), ..HostSettings::default() })
        .unwrap()
}

/// An example that was built, with its manifest.
fn example(name: &str) -> Option<(Vec<u8>, Manifest)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/examples").join(name);
    let wasm = std::fs::read(folder.join("plugin.wasm")).ok();
    assert!(wasm.is_some() || !full(), "{name} is not built");
    let wasm = wasm?;
    let text = std::fs::read_to_string(folder.join("plugin.toml")).unwrap();
    Some((wasm, toml::from_str(&text).unwrap()))
}

/// A case of an example: the call, what its servers answer, and what has to come of it.
fn case(manifest: &Manifest, name: &str) -> Case {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/examples");
    let example = manifest.id.rsplit('.').next().unwrap().replace('_', "-");
    let file = std::fs::read(folder.join(example).join("cases").join(name).with_extension("json")).unwrap();
    Case::read(&file, manifest).unwrap()
}

/// The processor time of a call in microseconds, the median of several rounds, with its fuel and phases. What comes of
/// every call is looked at.
fn each(host: &Host, plugin: &Arc<Loaded>, case: &Case) -> (f64, u64, u32) {
    let (rounds, calls) = if full() { (9, 2000) } else { (2, 50) };
    let (mut fuel, mut phases) = (0, 0);
    let mut times: Vec<f64> = (0..rounds)
        .map(|_| {
            let began = processor();
            for _ in 0..calls {
                let web = Recording::new(case.responses.clone());
                let ran = host.call(plugin, case.hook, &case.call, &web, None);
                assert!(case.expect.is(&ran.outcome), "{ran:?}");
                (fuel, phases) = (ran.fuel, ran.rounds + 1);
            }
            (processor() - began).as_secs_f64() * 1e6 / f64::from(calls)
        })
        .collect();
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], fuel, phases)
}

fn load(host: &Host, wasm: &[u8], manifest: &Manifest) -> Arc<Loaded> {
    let limits = Limits { memory: 64 << 20, deadline: if full() { 50 } else { 5000 }, ..Limits::default() };
    host.load(wasm, manifest, &manifest.asks, &BTreeMap::new(), &limits).unwrap()
}

#[test]
fn a_fresh_call() {
    let host = host(None);
    // The goals are of one fresh instance; a call that asks for HTTP has one to plan, and one after each round.
    for (name, of, goal) in [
        ("serial-returner", "patient", 60.0),
        ("serial-returner", "two_hundred", f64::MAX),
        ("courier-quote", "quoted", 60.0),
        ("coupon-lookup", "valid", 350.0),
    ] {
        let Some((wasm, manifest)) = example(name) else {
            println!("{name}: not built");
            continue;
        };
        let plugin = load(&host, &wasm, &manifest);
        let case = case(&manifest, of);
        let rows: usize = case.call.tables.iter().map(|table| table.rows.len()).sum();
        let (micros, fuel, phases) = each(&host, &plugin, &case);
        let one = micros / f64::from(phases);
        println!(
            "{name:<16} {of:<12} {rows:>3} rows: {micros:6.1} us of processor time, {one:6.1} us for each of \
             {phases} phases, fuel {fuel}"
        );
        if full() {
            assert!(one < goal, "{name}: {one} us");
        }
    }
}

/// The component with a custom section more, so that nothing of it is shared with the others.
fn numbered(wasm: &[u8], number: u8) -> Vec<u8> {
    let mut wasm = wasm.to_vec();
    wasm.extend([0, 3, 1, b'n', number]);
    wasm
}

#[test]
fn a_hundred_plugins_installed() {
    let cache = tempfile::tempdir().unwrap();
    let folder = cache.path().join("cwasm");
    let (count, scripts) = if full() { (100, 10) } else { (10, 1) };
    let measure = |what: &str, wasm: &[u8], manifest: &Manifest, case: &Case, count: u8| {
        // Compiled before, as at an upload: the memory of compiling is not that of a plugin.
        let compiling = host(Some(&folder));
        for n in 0..count {
            compiling.compile(&numbered(wasm, n)).unwrap();
        }
        drop(compiling);
        let host = host(Some(&folder));
        let before = resident();
        let plugins: Vec<_> = (0..count).map(|n| load(&host, &numbered(wasm, n), manifest)).collect();
        let loaded = resident();
        for plugin in &plugins {
            let web = Recording::new(case.responses.clone());
            let ran = host.call(plugin, case.hook, &case.call, &web, None);
            assert!(case.expect.is(&ran.outcome), "{ran:?}");
        }
        let called = resident();
        let (loaded, called) = (loaded.saturating_sub(before), called.saturating_sub(before));
        println!(
            "{count} times {what}: {:.1} MiB loaded, {:.1} MiB after a call of each",
            mib(loaded),
            mib(called)
        );
        called
    };
    for (name, of, count) in [("serial-returner", "patient", count), ("coupon-lookup", "valid", scripts)] {
        let Some((wasm, manifest)) = example(name) else {
            println!("{name}: not built");
            continue;
        };
        let all = measure(name, &wasm, &manifest, &case(&manifest, of), count);
        let hundred = mib(all) * 100.0 / f64::from(count);
        println!("a hundred of them: {hundred:.1} MiB");
        assert!(!full() || hundred < 500.0);
    }
}

#[test]
fn an_endless_loop() {
    let host = host(None);
    let limits = Limits { fuel: u64::MAX / 2, ..Limits::default() };
    let guest = Guest::decides("(loop $l (br $l)) (i32.const 0)").wasm();
    let mut pure = manifest("endless", Hook::Facts, "whole");
    pure.asks.http.clear();
    let plugin = host.load(&guest, &pure, &pure.asks, &BTreeMap::new(), &limits).unwrap();
    let mut times: Vec<Duration> = (0..if full() { 50 } else { 3 })
        .map(|_| {
            let began = Instant::now();
            let ran = host.call(&plugin, Hook::Facts, &call(3), &Away, None);
            assert_eq!(ran.outcome, Err(Failure::Deadline(50)));
            began.elapsed()
        })
        .collect();
    times.sort();
    let (median, most) = (times[times.len() / 2], times[times.len() - 1]);
    println!("an endless loop with a deadline of 50 ms: stopped after {median:.1?}, {most:.1?} at most");
    assert!(times[0] >= Duration::from_millis(50));
    if full() {
        assert!(median < Duration::from_millis(65), "{median:?}");
    }
}

/// Half and 99 of 100 calls of `plugin`, one after the other on the host's threads, take at most so long.
fn latencies(host: &Arc<Host>, plugin: &Arc<Loaded>, calls: usize) -> (Duration, Duration) {
    let mut times: Vec<Duration> = (0..calls)
        .map(|_| {
            let began = Instant::now();
            let ran = host.spawn(plugin, Hook::Facts, call(3), Arc::new(Away), None).blocking_recv().unwrap();
            assert_eq!(ran.outcome, Ok(Answer::Value(Value::Whole(7))));
            std::thread::sleep(Duration::from_micros(200));
            began.elapsed().saturating_sub(Duration::from_micros(200))
        })
        .collect();
    times.sort();
    (times[calls / 2], times[calls * 99 / 100])
}

#[test]
fn the_others_beside_a_plugin_that_is_saturated() {
    let host = host(None);
    let calls = if full() { 2000 } else { 50 };
    let mut pure = manifest("other", Hook::Facts, "whole");
    pure.asks.http.clear();
    let other = load(&host, &Guest::good().wasm(), &pure);
    // The same loop stopped by its fuel, as the usual limits have it, and by the clock.
    for (what, fuel) in [("fuel", Limits::default().fuel), ("the clock", u64::MAX / 2)] {
        pure.id = "vendor.saturated".to_owned();
        let limits = Limits { fuel, wait: 10_000, ..Limits::default() };
        let guest = Guest::decides("(loop $l (br $l)) (i32.const 0)").wasm();
        let saturated = host.load(&guest, &pure, &pure.asks, &BTreeMap::new(), &limits).unwrap();
        // In turns, and the medians of it: where the kernel puts threads on two processors differs from one to the next.
        let mut turns: Vec<(f64, f64, f64)> = (0..if full() { 9 } else { 1 })
            .map(|_| {
                let alone = latencies(&host, &other, calls);
                let beside =
                    while_asked_for(&host, &saturated, limits.places, || latencies(&host, &other, calls));
                let ms = |time: Duration| time.as_secs_f64() * 1e3;
                // Whatever the machine does: nobody waits for a whole phase of the other one again and again.
                assert!(beside.0 < Duration::from_millis(40), "{beside:?}");
                (ms(alone.1), ms(beside.1), ms(beside.1) / ms(alone.1))
            })
            .collect();
        turns.sort_by(|a, b| a.2.total_cmp(&b.2));
        let (least, middle, most) = (turns[0], turns[turns.len() / 2], turns[turns.len() - 1]);
        println!(
            "99 of 100 beside one that is always stopped by {what}: {:.3} ms, alone {:.3} ms: {:.2} times ({:.2} to {:.2})",
            middle.1, middle.0, middle.2, least.2, most.2
        );
        assert!(!full() || middle.2 <= 1.5, "{turns:?}");
    }
}

/// Measures while every place of a plugin is asked for again and again.
fn while_asked_for<T>(host: &Arc<Host>, plugin: &Arc<Loaded>, places: u32, measure: impl Fn() -> T) -> T {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..places {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let ran = host.spawn(plugin, Hook::Facts, call(3), Arc::new(Away), None);
                    assert!(ran.blocking_recv().unwrap().outcome.is_err());
                }
            });
        }
        std::thread::sleep(Duration::from_millis(300));
        let measured = measure();
        stop.store(true, Ordering::Relaxed);
        measured
    })
}
