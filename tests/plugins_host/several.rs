//! Several plugins at once, on the host's own threads.
use crate::guest::{Guest, call, manifest};
use crate::{Fine, assert_healthy, host, load, seven, unhurried};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};
use zhanggui::plugins::contract::{Failure, Hook, HttpFailure, HttpRequest, HttpResponse, Ran};
use zhanggui::plugins::host::{BreakerSettings, BreakerState, Host, HostSettings, Limits};
use zhanggui::plugins::web::Web;

/// Plans one request `a`, whatever comes of it.
fn asks_once() -> Guest {
    Guest::good().plans("(i32.const 4096)").with(
        "",
        r#"(data (i32.const 4096) "\00\00\00\00\00\20\00\00\01\00\00\00")
           (data (i32.const 8192) "\00\30\00\00\01\00\00\00\00\30\00\00\01\00\00\00\00\30\00\00\01\00\00\00")
           (data (i32.const 12288) "a")"#,
    )
}

/// Holds every request until the test lets go, and counts them.
struct Held {
    begun: AtomicUsize,
    gate: Barrier,
}

impl Web for Held {
    fn fetch(&self, requests: &[HttpRequest], _deadline: Instant) -> Vec<HttpResponse> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.gate.wait();
        let late =
            |r: &HttpRequest| HttpResponse { name: r.name.clone(), outcome: Err(HttpFailure::TimedOut) };
        requests.iter().map(late).collect()
    }
}

fn wait_for(what: impl Fn() -> bool) {
    let began = Instant::now();
    while !what() {
        assert!(began.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_plugin_that_waits_for_its_server_leaves_the_others_alone() {
    let host = host();
    let limits = Limits { places: 8, wait: 100, ..unhurried() };
    let slow = load(&host, &asks_once(), &manifest("slow", Hook::Facts, "whole"), &limits);
    let held = Arc::new(Held { begun: AtomicUsize::new(0), gate: Barrier::new(9) });
    let calls: Vec<_> = (0..8).map(|_| host.spawn(&slow, Hook::Facts, call(3), held.clone(), None)).collect();
    wait_for(|| held.begun.load(Ordering::SeqCst) == 8);
    assert_eq!(slow.free_places(), 0);
    // Nothing of it is alive meanwhile: all instances are free.
    assert_eq!(host.free_slots(), host.settings().instances());

    let other = load(&host, &Guest::good(), &manifest("other", Hook::Facts, "whole"), &unhurried());
    for _ in 0..50 {
        let ran = host.spawn(&other, Hook::Facts, call(3), Arc::new(Fine), None).blocking_recv().unwrap();
        assert_eq!(ran.outcome, Ok(seven()));
    }
    // The ninth waits as long as it may, and is turned away.
    let began = Instant::now();
    let ninth = host.spawn(&slow, Hook::Facts, call(3), held.clone(), None).blocking_recv().unwrap();
    assert_eq!(ninth.outcome, Err(Failure::Busy));
    assert!(began.elapsed() >= Duration::from_millis(100), "{:?}", began.elapsed());
    let tenth = host.call(&slow, Hook::Facts, &call(3), &Fine, None);
    assert_eq!(tenth.outcome, Err(Failure::Busy));

    held.gate.wait();
    for ran in calls {
        assert_eq!(ran.blocking_recv().unwrap().outcome, Ok(seven()));
    }
    assert_healthy(&host, &slow);
}

#[test]
fn who_waits_gets_the_next_place() {
    let host = host();
    let limits = Limits { places: 1, wait: 20_000, ..unhurried() };
    let slow = load(&host, &asks_once(), &manifest("slow", Hook::Facts, "whole"), &limits);
    let held = Arc::new(Held { begun: AtomicUsize::new(0), gate: Barrier::new(2) });
    let first = host.spawn(&slow, Hook::Facts, call(3), held.clone(), None);
    let second = host.spawn(&slow, Hook::Facts, call(3), Arc::new(Fine), None);
    wait_for(|| held.begun.load(Ordering::SeqCst) == 1);
    held.gate.wait();
    assert_eq!(first.blocking_recv().unwrap().outcome, Ok(seven()));
    assert_eq!(second.blocking_recv().unwrap().outcome, Ok(seven()));
    assert_healthy(&host, &slow);
}

#[test]
fn a_plugin_that_burns_the_processor_never_has_all_threads() {
    let host = host();
    let limits = Limits { fuel: u64::MAX / 2, deadline: 2_500, places: 4, wait: 60_000, ..Limits::default() };
    let guest = Guest::decides("(loop $l (br $l)) (i32.const 0)");
    let burning = load(&host, &guest, &manifest("burning", Hook::Facts, "whole"), &limits);
    let other = load(&host, &Guest::good(), &manifest("other", Hook::Facts, "whole"), &unhurried());
    let calls: Vec<_> =
        (0..4).map(|_| host.spawn(&burning, Hook::Facts, call(0), Arc::new(Fine), None)).collect();
    wait_for(|| host.settings().instances() - host.free_slots() >= 3);
    for _ in 0..5 {
        let ran = host.spawn(&other, Hook::Facts, call(3), Arc::new(Fine), None).blocking_recv().unwrap();
        assert_eq!(ran.outcome, Ok(seven()));
    }
    // None of them waited until one of the burning calls was stopped.
    assert_eq!(burning.free_places(), 0);
    let stopped = |ran: Ran| assert!(matches!(ran.outcome, Err(Failure::Deadline(2_500))), "{ran:?}");
    for ran in calls {
        stopped(ran.blocking_recv().unwrap());
    }
    assert_healthy(&host, &burning);
}

#[test]
fn a_call_has_no_more_time_than_whoever_asks() {
    /// Answers when the time is up.
    struct Slow;
    impl Web for Slow {
        fn fetch(&self, requests: &[HttpRequest], deadline: Instant) -> Vec<HttpResponse> {
            std::thread::sleep(deadline.saturating_duration_since(Instant::now()));
            let late =
                |r: &HttpRequest| HttpResponse { name: r.name.clone(), outcome: Err(HttpFailure::TimedOut) };
            requests.iter().map(late).collect()
        }
    }
    let host = host();
    let limits = Limits { http: 60_000, fuel: u64::MAX / 2, wait: 20_000, places: 1, ..unhurried() };
    let slow = load(&host, &asks_once(), &manifest("slow", Hook::Facts, "whole"), &limits);
    let endless = Guest::decides("(loop $l (br $l)) (i32.const 0)");
    let endless = load(&host, &endless, &manifest("endless", Hook::Facts, "whole"), &limits);
    let ask = |plugin, time| {
        let until = Some(Instant::now() + Duration::from_millis(time));
        host.spawn_until(plugin, Hook::Facts, call(3), Arc::new(Slow), None, until)
    };
    let began = Instant::now();
    // What comes of a request that is late can still be decided.
    let (first, second) = (ask(&slow, 2_000), ask(&slow, 500));
    assert_eq!(second.blocking_recv().unwrap().outcome, Err(Failure::OutOfTime), "no place in time");
    let first = first.blocking_recv().unwrap();
    assert_eq!(first.outcome, Ok(seven()));
    assert_eq!(first.responses[0].outcome, Err(HttpFailure::TimedOut));
    for _ in 0..6 {
        assert_eq!(ask(&endless, 100).blocking_recv().unwrap().outcome, Err(Failure::OutOfTime));
    }
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    assert_eq!(endless.breaker(), BreakerState::Closed, "it was not its own limit");
    assert_eq!(ask(&slow, 0).blocking_recv().unwrap().outcome, Err(Failure::OutOfTime));
    assert_healthy(&host, &slow);
}

#[test]
fn a_caller_that_went_away_costs_nothing() {
    let host = host();
    let limits = Limits { places: 1, wait: 20_000, ..unhurried() };
    let slow = load(&host, &asks_once(), &manifest("slow", Hook::Facts, "whole"), &limits);
    let held = Arc::new(Held { begun: AtomicUsize::new(0), gate: Barrier::new(2) });
    let first = host.spawn(&slow, Hook::Facts, call(3), held.clone(), None);
    wait_for(|| held.begun.load(Ordering::SeqCst) == 1);
    drop(host.spawn(&slow, Hook::Facts, call(3), held.clone(), None));
    held.gate.wait();
    assert_eq!(first.blocking_recv().unwrap().outcome, Ok(seven()));
    wait_for(|| slow.free_places() == 1);
    assert_eq!(held.begun.load(Ordering::SeqCst), 1);
    let figures = host.figures();
    assert_eq!(figures.iter().find(|f| f.plugin == "vendor.slow").unwrap().counted.calls, 1);
    assert_healthy(&host, &slow);
}

#[test]
fn a_plugin_that_fails_again_and_again_rests_and_is_tried_again() {
    let breaker = BreakerSettings { rest: 200, ..BreakerSettings::default() };
    let host = Host::start(HostSettings { breaker, ..HostSettings::default() }).unwrap();
    // Fails unless the store is `well`: its length is the second field of the third string.
    let guest = Guest::decides(
        "(if (i32.ne (i32.load offset=20 (local.get 0)) (i32.const 4)) (then unreachable)) (i32.const 2048)",
    );
    let plugin = load(&host, &guest, &manifest("ill", Hook::Facts, "whole"), &unhurried());
    let well = || {
        let mut call = call(0);
        call.store = "well".to_owned();
        call
    };
    let ask = |call| -> Ran { host.call(&plugin, Hook::Facts, &call, &Fine, None) };
    assert_eq!(ask(well()).outcome, Ok(seven()));
    for _ in 0..5 {
        assert!(matches!(ask(call(0)).outcome, Err(Failure::Trapped(_))));
    }
    assert_eq!(plugin.breaker(), BreakerState::Open);
    let ran = ask(well());
    assert_eq!((ran.outcome, ran.fuel), (Err(Failure::Resting), 0));
    let other = load(&host, &Guest::good(), &manifest("other", Hook::Facts, "whole"), &unhurried());
    assert_eq!(host.call(&other, Hook::Facts, &call(0), &Fine, None).outcome, Ok(seven()));
    std::thread::sleep(Duration::from_millis(250));
    assert_eq!(ask(well()).outcome, Ok(seven()));
    assert_eq!(plugin.breaker(), BreakerState::Closed);
}

#[test]
fn everything_is_counted() {
    let host = host();
    let plugin = load(&host, &asks_once(), &manifest("counted", Hook::Facts, "whole"), &unhurried());
    for _ in 0..3 {
        host.call(&plugin, Hook::Facts, &call(3), &Fine, None);
    }
    let mut unknown = call(0);
    unknown.function = "g".to_owned();
    host.call(&plugin, Hook::Facts, &unknown, &Fine, None);
    // Another load of the same version counts on.
    let plugin = load(&host, &asks_once(), &manifest("counted", Hook::Facts, "whole"), &unhurried());
    host.call(&plugin, Hook::Facts, &call(3), &Fine, None);
    let figures = host.figures();
    let [one] = figures.as_slice() else { panic!("{figures:?}") };
    assert_eq!(
        (one.plugin.as_str(), one.version.as_str(), one.hook),
        ("vendor.counted", "1.0.0", Hook::Facts)
    );
    let counted = &one.counted;
    assert_eq!((counted.calls, counted.rounds_sum), (5, 4));
    assert_eq!((counted.outcomes["answered"], counted.outcomes["unsupported"]), (4, 1));
    assert_eq!(counted.latency.iter().sum::<u64>(), 5);
    assert!(
        counted.fuel_max > 0 && counted.fuel_sum >= counted.fuel_max * 4 && counted.memory_max >= 131_072
    );
    let json = serde_json::to_value(one).unwrap();
    assert_eq!((json["hook"].as_str(), json["breaker"].as_str()), (Some("facts"), Some("closed")));
    assert_eq!(json["outcomes"]["answered"], 4);
}
