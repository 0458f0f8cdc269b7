//! Plugins that misbehave: each costs a named failure, and nothing else.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails should say where"
)]
#[path = "plugins_host/guest.rs"]
mod guest;
#[path = "plugins_host/loading.rs"]
mod loading;
#[path = "plugins_host/misbehaving.rs"]
mod misbehaving;
#[path = "plugins_host/several.rs"]
mod several;

use guest::{Guest, call, manifest};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use zhanggui::plugins::contract::{Answer, Hook, HttpAnswer, HttpRequest, HttpResponse, Ran, Value};
use zhanggui::plugins::host::{Host, HostSettings, Limits, Loaded};
use zhanggui::plugins::manifest::Manifest;
use zhanggui::plugins::web::Web;

/// Answers every request with 200 and an empty body.
struct Fine;

impl Web for Fine {
    fn fetch(&self, requests: &[HttpRequest], _deadline: Instant) -> Vec<HttpResponse> {
        requests
            .iter()
            .map(|r| HttpResponse {
                name: r.name.clone(),
                outcome: Ok(HttpAnswer { status: 200, headers: Vec::new(), body: Vec::new() }),
            })
            .collect()
    }
}

fn host() -> Arc<Host> {
    Host::start(HostSettings { threads: 4, instances: 16, ..HostSettings::default() }).unwrap()
}

/// Loads with everything granted that the manifest asks for.
fn load(host: &Host, guest: &Guest, manifest: &Manifest, limits: &Limits) -> Arc<Loaded> {
    host.load(&guest.wasm(), manifest, &manifest.asks, &BTreeMap::new(), limits).unwrap()
}

fn seven() -> Answer {
    Answer::Value(Value::Whole(7))
}

/// The usual limits, with time enough for a machine that does other things as well.
fn unhurried() -> Limits {
    Limits { deadline: 10_000, ..Limits::default() }
}

/// One call of a guest that answers a whole number, without hurry; then the host is as good as new.
fn run(guest: &Guest) -> Ran {
    run_with(guest, &unhurried())
}

fn run_with(guest: &Guest, limits: &Limits) -> Ran {
    let host = host();
    let plugin = load(&host, guest, &manifest("bad", guest.hook, "whole"), limits);
    let ran = host.call(&plugin, guest.hook, &call(3), &Fine, None);
    assert_healthy(&host, &plugin);
    ran
}

/// All places are free, and another plugin answers.
fn assert_healthy(host: &Arc<Host>, plugin: &Loaded) {
    assert_eq!(plugin.free_places(), plugin.limits().places);
    assert_eq!(host.free_slots(), host.settings().instances());
    let other = load(host, &Guest::good(), &manifest("good", Hook::Facts, "whole"), &unhurried());
    let ran = host.call(&other, Hook::Facts, &call(3), &Fine, None);
    assert_eq!(ran.outcome, Ok(seven()));
}

#[test]
fn a_good_guest_answers() {
    let ran = run(&Guest::good());
    assert_eq!(ran.outcome, Ok(seven()));
    assert_eq!((ran.plugin.as_str(), ran.version.as_str()), ("vendor.bad", "1.0.0"));
    assert!(ran.fuel > 0 && ran.memory >= 131_072, "{ran:?}");
    assert_eq!(ran.rounds, 0);
}
