//! Who is asked, with a double for the host.
use super::*;
use crate::plugins::contract::{Answer, HttpAnswer, HttpRequest, HttpResponse, Value};
use crate::plugins::kv::KvWrite;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A loaded plugin of the double: what it answers, and the requests that it makes.
struct Says {
    version: String,
    answer: i64,
    requests: Vec<HttpRequest>,
}

/// Runs each call on a thread of its own, after a while.
#[derive(Default)]
struct Double {
    slow: Option<Duration>,
    /// Calls under way, and the most that there were.
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Runs for Double {
    type Loaded = Says;
    fn run(
        &self,
        plugin: &Arc<Says>,
        _: Hook,
        call: Call,
        web: Arc<dyn Web>,
        kv: Option<Arc<dyn Kv>>,
        _: Option<Instant>,
    ) -> oneshot::Receiver<Ran> {
        let (send, receive) = oneshot::channel();
        let (plugin, slow, under_way) = (plugin.clone(), self.slow, self.now.clone());
        let now = under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        std::thread::spawn(move || {
            slow.into_iter().for_each(std::thread::sleep);
            let responses = web.fetch(&plugin.requests, Instant::now());
            let kept =
                kv.map(|kv| kv.apply(vec![KvWrite::Delete { key: plugin.version.clone() }], Instant::now()));
            assert!(kept.is_none_or(|kept| kept.is_ok()));
            let ran = Ran {
                outcome: Ok(Answer::Value(Value::Whole(plugin.answer))),
                version: plugin.version.clone(),
                responses,
                ..Ran::failed("a.b", Failure::Busy)
            };
            under_way.fetch_sub(1, Ordering::SeqCst);
            let _ = (call, send.send(ran));
        });
        receive
    }
    fn places(&self, _: &Says) -> usize {
        8
    }
}

/// Counts what goes out, and which keys are written.
#[derive(Default)]
struct World {
    made: Mutex<Vec<String>>,
    written: Mutex<Vec<KvWrite>>,
}

impl Web for World {
    fn fetch(&self, requests: &[HttpRequest], _: Instant) -> Vec<HttpResponse> {
        let mut made = self.made.lock().unwrap();
        let answer = |request: &HttpRequest| {
            made.push(format!("{} {}", request.method, request.url));
            let body = made.len().to_string().into_bytes();
            let outcome = Ok(HttpAnswer { status: 200, headers: Vec::new(), body });
            HttpResponse { name: request.name.clone(), outcome }
        };
        requests.iter().map(answer).collect()
    }
}

impl Kv for World {
    fn get(&self, _: &str, _: Instant) -> Result<Option<Vec<u8>>, String> {
        Ok(None)
    }
    fn used(&self, _: Instant) -> Result<u64, String> {
        Ok(0)
    }
    fn apply(&self, writes: Vec<KvWrite>, _: Instant) -> Result<(), String> {
        self.written.lock().unwrap().extend(writes);
        Ok(())
    }
}

fn manifest(version: &str, events: &[&str]) -> Manifest {
    let text = format!(
        "id = \"a.b\"\nversion = \"{version}\"\napi = \"0.1\"\ntitle = \"t\"\nevents = {events:?}\n\
         [functions.score]\nhook = \"facts\"\nanswers = \"whole\"\n"
    );
    toml::from_str(&text).unwrap()
}

fn version(world: &Arc<World>, name: &str, answer: i64, requests: Vec<HttpRequest>) -> Arc<Version<Says>> {
    Arc::new(Version {
        manifest: Arc::new(manifest(name, &["member.enrolled"])),
        digest: "d".into(),
        loaded: Arc::new(Says { version: name.into(), answer, requests }),
        web: world.clone(),
        kv: Some(world.clone()),
    })
}

fn ask(plugin: &str, function: &str, store: &str) -> Asked {
    let call = Call {
        key: "k".into(),
        function: function.into(),
        store: store.into(),
        now: 0,
        today: "2026-11-22".into(),
        seed: 0,
        arguments: Vec::new(),
        facts: Vec::new(),
        tables: Vec::new(),
        attributes: Vec::new(),
    };
    Asked { plugin: plugin.into(), call }
}

fn block<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}

type Kept = Arc<Mutex<Vec<Difference>>>;

fn installed(double: Double) -> (Installed<Double>, Kept) {
    let kept = Kept::default();
    let keep = kept.clone();
    let keeps: Keeps = Box::new(move |difference| keep.lock().unwrap().push(difference));
    (Installed::start(Arc::new(double), keeps).unwrap(), kept)
}

fn answered(installed: &Installed<Double>, store: &str) -> (String, i64) {
    let ran = block(installed.answers(vec![ask("a.b", "score", store)])).remove(0);
    match ran.outcome {
        Ok(Answer::Value(Value::Whole(n))) => (ran.version, n),
        other => panic!("{other:?}"),
    }
}

fn serving(version: &Arc<Version<Says>>) -> Standing<Says> {
    Standing { serving: Some(version.clone()), next: None, previous: None, failure: None }
}

fn eventually(done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn what_is_not_there_fails_by_name() {
    let (installed, _) = installed(Double::default());
    let world = Arc::new(World::default());
    installed.put("a.b", Some(serving(&version(&world, "1.0.0", 1, Vec::new()))));
    installed.put("a.c", Some(Standing { serving: None, next: None, previous: None, failure: None }));
    let asked = vec![
        ask("x.y", "score", "s1"),
        ask("a.b", "scare", "s1"),
        ask("a.c", "score", "s1"),
        ask("a.b", "score", "s1"),
        ask("a.b", "member.enrolled", "s1"),
    ];
    let ran = block(installed.answers(asked));
    let codes: Vec<_> = ran.iter().map(|r| r.outcome.as_ref().err().map(Failure::code)).collect();
    assert_eq!(codes, [Some("not-installed"), Some("unsupported"), Some("not-installed"), None, None]);
    assert_eq!((ran[0].plugin.as_str(), ran[1].version.as_str()), ("x.y", "1.0.0"));
    let barred = Some(Failure::NotGranted("kv".into()));
    installed
        .put("a.b", Some(Standing { serving: None, next: None, previous: None, failure: barred.clone() }));
    let ran = block(installed.answers(vec![ask("a.b", "score", "s1")]));
    assert_eq!(ran[0].outcome.as_ref().err(), barred.as_ref());
    installed.put("a.b", None);
    let ran = block(installed.answers(vec![ask("a.b", "score", "s1")]));
    assert_eq!(ran[0].outcome, Err(Failure::NotInstalled));
}

#[test]
fn questions_go_out_together() {
    let (installed, _) = installed(Double { slow: Some(Duration::from_millis(150)), ..Double::default() });
    let world = Arc::new(World::default());
    installed.put("a.b", Some(serving(&version(&world, "1.0.0", 1, Vec::new()))));
    let begun = Instant::now();
    let ran = block(installed.answers((0..8).map(|_| ask("a.b", "score", "s1")).collect()));
    assert!(ran.len() == 8 && ran.iter().all(|r| r.outcome.is_ok()));
    assert!(begun.elapsed() < Duration::from_millis(8 * 150), "{:?}", begun.elapsed());
}

#[test]
fn more_questions_than_places_take_turns() {
    let double = Double { slow: Some(Duration::from_millis(20)), ..Double::default() };
    let most = double.most.clone();
    let (installed, _) = installed(double);
    let world = Arc::new(World::default());
    installed.put("a.b", Some(serving(&version(&world, "1.0.0", 1, Vec::new()))));
    let asked = (0..30).map(|n| ask(if n % 7 == 3 { "x.y" } else { "a.b" }, "score", "s1")).collect();
    let ran = block(installed.answers(asked));
    // Each answer stands where its question stood.
    for (n, ran) in ran.iter().enumerate() {
        assert_eq!(ran.outcome.is_err(), n % 7 == 3, "{n}: {ran:?}");
    }
    assert_eq!((ran.len(), most.load(Ordering::SeqCst)), (30, 8));
    let unasked = installed.unasked();
    assert_eq!((unasked.len(), unasked[0].outcomes["not-installed"]), (1, 4));
}

#[test]
fn a_share_asks_the_new_version_and_the_rest_the_old_one() {
    let (installed, kept) = installed(Double::default());
    let world = Arc::new(World::default());
    let (old, new) = (version(&world, "1.0.0", 1, Vec::new()), version(&world, "2.0.0", 2, Vec::new()));
    let share = Share { stores: BTreeSet::from(["s1".to_owned()]), percent: 30 };
    let standing = Standing {
        serving: Some(old.clone()),
        next: Some((new.clone(), Stage::Share(share.clone()))),
        previous: None,
        failure: None,
    };
    installed.put("a.b", Some(standing));
    assert_eq!(answered(&installed, "s1").0, "2.0.0");
    for n in 2..40 {
        let store = format!("s{n}");
        let expected = if slot("a.b", &store) < 30 { "2.0.0" } else { "1.0.0" };
        assert_eq!(answered(&installed, &store).0, expected, "{store}");
    }
    // Alone in a share, elsewhere there is nobody.
    let alone =
        Standing { serving: None, next: Some((new, Stage::Share(share))), previous: None, failure: None };
    installed.put("a.b", Some(alone));
    let outside = (2..).map(|n| format!("s{n}")).find(|s| slot("a.b", s) >= 30).unwrap();
    let ran = block(installed.answers(vec![ask("a.b", "score", &outside)]));
    assert_eq!(ran[0].outcome, Err(Failure::NotInstalled));
    assert!(installed.takes("a.b", "member.enrolled", "s1"));
    assert!(!installed.takes("a.b", "member.enrolled", &outside));
    assert!(!installed.takes("a.b", "sale.recorded", "s1"));
    assert!(kept.lock().unwrap().is_empty());
}

fn request(name: &str, method: &str, url: &str) -> HttpRequest {
    HttpRequest {
        name: name.into(),
        method: method.into(),
        url: url.into(),
        headers: Vec::new(),
        body: Vec::new(),
        timeout: None,
        cache: None,
    }
}

#[test]
fn a_shadow_is_compared_and_changes_nothing() {
    let (installed, kept) = installed(Double::default());
    let world = Arc::new(World::default());
    let (post, get) = (request("p", "POST", "https://x/1"), request("g", "GET", "https://x/2"));
    let old = version(&world, "1.0.0", 1, vec![post.clone()]);
    let other = request("other", "POST", "https://x/3");
    let new = version(&world, "2.0.0", 2, vec![request("q", "POST", "https://x/1"), get, other]);
    let shadow = |with: &Arc<Version<Says>>| Standing {
        serving: Some(old.clone()),
        next: Some((with.clone(), Stage::Shadow)),
        previous: None,
        failure: None,
    };
    installed.put("a.b", Some(shadow(&new)));
    assert_eq!(answered(&installed, "s1"), ("1.0.0".to_owned(), 1));
    eventually(|| installed.shadowed("a.b", "2.0.0").calls == 1 && kept.lock().unwrap().len() == 1);
    let expected = Counts { calls: 1, same: 0, different: 1, failed: 0, skipped: 0 };
    assert_eq!(installed.shadowed("a.b", "2.0.0"), expected);
    let difference = kept.lock().unwrap().remove(0);
    assert_eq!((difference.said.version.as_str(), difference.would_say.version.as_str()), ("1.0.0", "2.0.0"));
    // It got the response that the other one got, looked for itself, and was not let change anything.
    assert_eq!(*world.made.lock().unwrap(), ["POST https://x/1", "GET https://x/2"]);
    let heard: Vec<_> =
        difference.would_say.responses.iter().map(|r| (r.name.as_str(), r.outcome.is_ok())).collect();
    assert_eq!(heard, [("q", true), ("g", true), ("other", false)]);
    assert_eq!(*world.written.lock().unwrap(), [KvWrite::Delete { key: "1.0.0".into() }]);
    // The same answer is no difference; an event is never told twice.
    let like = version(&world, "3.0.0", 1, vec![post]);
    installed.put("a.b", Some(shadow(&like)));
    assert_eq!(answered(&installed, "s1").1, 1);
    eventually(|| installed.shadowed("a.b", "3.0.0").same == 1);
    block(installed.answers(vec![ask("a.b", "member.enrolled", "s1")]));
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(installed.shadowed("a.b", "3.0.0").calls, 1);
    assert!(kept.lock().unwrap().is_empty());
}

#[test]
fn replacing_and_removing_never_fails_a_call_in_flight() {
    let (installed, _) = installed(Double { slow: Some(Duration::from_millis(1)), ..Double::default() });
    let world = Arc::new(World::default());
    let versions = [1, 2].map(|n| version(&world, &format!("{n}.0.0"), n, Vec::new()));
    installed.put("a.b", Some(serving(&versions[0])));
    let asked = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..150 {
                        let (version, n) = answered(&installed, "s1");
                        assert_eq!(version, format!("{n}.0.0"), "one call is one version");
                        asked.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        let mut n = 0;
        while threads.iter().any(|t| !t.is_finished()) {
            n += 1;
            installed.put("a.b", Some(serving(&versions[n % 2])));
        }
    });
    assert_eq!(asked.load(Ordering::Relaxed), 600);
    // A call that began before the removal is answered after it.
    let running = installed.answers(vec![ask("a.b", "score", "s1")]);
    installed.put("a.b", None);
    assert!(block(running)[0].outcome.is_ok());
}
