//! What plugins cost. `ZHANGGUI_PLUGIN_SPEED=1` measures for long and holds the figures against the goals, which makes
//! sense on a machine that does nothing else, in the release profile:
//!
//! ```sh
//! ZHANGGUI_PLUGIN_SPEED=1 cargo test --release --test plugins_speed -- --nocapture --test-threads=1
//! ```
//!
//! The examples are measured where they have been built (`zhanggui plugin build`).
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
use zhanggui::plugins::contract::{
    Answer, Call, Failure, Hook, HttpFailure, HttpRequest, HttpResponse, Value,
};
use zhanggui::plugins::host::{BreakerSettings, Host, HostSettings, Limits, Loaded};
use zhanggui::plugins::manifest::Manifest;
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
    let wasm = std::fs::read(folder.join("plugin.wasm")).ok()?;
    let text = std::fs::read_to_string(folder.join("plugin.toml")).unwrap();
    Some((wasm, toml::from_str(&text).unwrap()))
}

/// A call of the manifest's first function with so many rows in the first table that it reads.
fn asking(manifest: &Manifest, rows: usize) -> (Hook, Call) {
    let (name, function) = manifest.functions.first_key_value().unwrap();
    let mut asked = call(rows);
    asked.function = name.clone();
    asked.arguments[0].path = function.arguments[0].split(':').next().unwrap().to_owned();
    asked.tables[0].path = function.reads.last().cloned().unwrap_or_else(|| "lines".to_owned());
    (function.hook, asked)
}

/// The least processor time of a call, of several rounds, in microseconds, and its fuel.
fn each(host: &Host, plugin: &Arc<Loaded>, hook: Hook, asked: &Call) -> (f64, u64) {
    let (rounds, calls) = if full() { (9, 2000) } else { (2, 50) };
    let mut least = f64::MAX;
    let mut fuel = 0;
    for _ in 0..rounds {
        let began = processor();
        for _ in 0..calls {
            let ran = host.call(plugin, hook, asked, &Away, None);
            assert!(!matches!(ran.outcome, Err(Failure::Trapped(_) | Failure::Deadline(_))), "{ran:?}");
            fuel = ran.fuel;
        }
        least = least.min((processor() - began).as_secs_f64() * 1e6 / f64::from(calls));
    }
    (least, fuel)
}

fn load(host: &Host, wasm: &[u8], manifest: &Manifest) -> Arc<Loaded> {
    let limits = Limits { memory: 64 << 20, deadline: if full() { 50 } else { 5000 }, ..Limits::default() };
    host.load(wasm, manifest, &manifest.asks, &BTreeMap::new(), &limits).unwrap()
}

#[test]
fn a_fresh_call() {
    let host = host(None);
    let planned = manifest("planned", Hook::Facts, "whole");
    let mut pure = manifest("pure", Hook::Facts, "whole");
    pure.asks.http.clear();
    for (name, manifest) in [("text, decide", &pure), ("text, plan and decide", &planned)] {
        let plugin = load(&host, &Guest::good().wasm(), manifest);
        let (micros, fuel) = each(&host, &plugin, Hook::Facts, &call(3));
        println!("{name:<34} 3 rows: {micros:8.1} us of processor time, fuel {fuel}");
    }
    // The goals are of one fresh instance; an example that asks for HTTP has one to plan and one to decide.
    for (name, goal) in [("serial-returner", 60.0), ("courier-quote", 60.0), ("coupon-lookup", 350.0)] {
        let Some((wasm, manifest)) = example(name) else {
            println!("{name}: not built");
            continue;
        };
        let plugin = load(&host, &wasm, &manifest);
        for rows in [3, 50, 200] {
            let (hook, asked) = asking(&manifest, rows);
            let (micros, fuel) = each(&host, &plugin, hook, &asked);
            let phases = host.call(&plugin, hook, &asked, &Away, None).rounds + 1;
            println!(
                "{name:<30} {rows:>3} rows: {micros:8.1} us of processor time in {phases} phases, fuel {fuel}"
            );
            let micros = micros / f64::from(phases);
            if full() && rows == 3 {
                assert!(micros < goal, "{name}: {micros} us");
            }
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
    let (count, scripts) = if full() { (100, 10) } else { (10, 0) };
    let (wasm, manifest) = example("serial-returner").unwrap_or_else(|| {
        println!("serial-returner is not built: a guest of a few lines stands in for it");
        (Guest::good().wasm(), manifest("small", Hook::Facts, "whole"))
    });
    let measure = |what: &str, wasm: &[u8], manifest: &Manifest, count: u8| {
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
        let (hook, asked) = asking(manifest, 3);
        for plugin in &plugins {
            host.call(plugin, hook, &asked, &Away, None);
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
    let small = measure(&manifest.id, &wasm, &manifest, count);
    if full() {
        assert!(mib(small) * 100.0 / f64::from(count) < 500.0);
    }
    if let Some((wasm, manifest)) = example("coupon-lookup").filter(|_| scripts > 0) {
        let script = measure(&manifest.id, &wasm, &manifest, scripts);
        println!("a hundred of them: {:.1} MiB", mib(script) * 100.0 / f64::from(scripts));
        assert!(mib(script) * 100.0 / f64::from(scripts) < 500.0);
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
    let calls = if full() { 5000 } else { 50 };
    let mut pure = manifest("other", Hook::Facts, "whole");
    pure.asks.http.clear();
    let other = load(&host, &Guest::good().wasm(), &pure);
    let alone = latencies(&host, &other, calls);
    println!("alone: half {:.1?}, 99 of 100 {:.1?}", alone.0, alone.1);
    // The same loop stopped by its fuel, as the usual limits have it, and by the clock.
    for (what, fuel) in [("fuel", Limits::default().fuel), ("the clock", u64::MAX / 2)] {
        pure.id = "vendor.saturated".to_owned();
        let limits = Limits { fuel, wait: 10_000, ..Limits::default() };
        let guest = Guest::decides("(loop $l (br $l)) (i32.const 0)").wasm();
        let saturated = host.load(&guest, &pure, &pure.asks, &BTreeMap::new(), &limits).unwrap();
        let stop = AtomicBool::new(false);
        let beside = std::thread::scope(|scope| {
            for _ in 0..limits.places {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        let ran = host.spawn(&saturated, Hook::Facts, call(3), Arc::new(Away), None);
                        assert!(ran.blocking_recv().unwrap().outcome.is_err());
                    }
                });
            }
            std::thread::sleep(Duration::from_millis(300));
            let beside = latencies(&host, &other, calls);
            stop.store(true, Ordering::Relaxed);
            beside
        });
        println!(
            "beside one that is always stopped by {what}: half {:.1?}, 99 of 100 {:.1?} ({:.1} times)",
            beside.0,
            beside.1,
            beside.1.as_secs_f64() / alone.1.as_secs_f64()
        );
        // Whatever the machine does: nobody waits for a whole phase of the other one again and again.
        assert!(beside.0 < Duration::from_millis(40), "{beside:?}");
    }
}
