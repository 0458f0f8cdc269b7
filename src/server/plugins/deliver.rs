//! Events on their way out: gathered for the plugins that take them, and handed over until somebody has them.
//!
//! At least once: a delivery is leased before its plugin is called, and noted after. If the node dies between, the lease
//! ends and another call is made, with the same key.
use super::Plugins;
use crate::counter::Desk;
use crate::plugins::ask::{Answers as _, Asked};
use crate::plugins::contract::{Answer, Call, Failure, Field, Ran, Table, Value};
use crate::plugins::host::{BreakerState, Loaded};
use crate::plugins::installed::Stage;
use crate::program::iso::{format_date, format_datetime};
use crate::records::entity::{delivery, event};
use crate::records::plugins::deliveries::{self, Came, Taker, Trace};
use crate::records::{Clock as _, SystemClock, plugins::entries};
use crate::rulebook::{Registry, Rulebooks};
use crate::server::problem::Problem;
use crate::server::settings::Settings;
use sea_orm::prelude::Uuid;
use serde_json::{Map, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// How often is looked for what is due.
const EVERY: Duration = Duration::from_millis(500);
/// Deliveries to one plugin at once, at most.
const AT_ONCE: u64 = 16;
/// How often is looked back for events that were committed late, and how far, in microseconds: a transaction takes no
/// longer, and nodes' clocks differ by less.
const LOOK_BACK: Duration = Duration::from_secs(60);
const BACK: i64 = 120_000_000;
/// Seconds between two attempts at most.
const LONGEST: u64 = 3600;

/// How often, and with which pauses.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    pub attempts: u32,
    /// Seconds before the second attempt.
    pub pause: u32,
    /// Seconds beyond the longest that a call may take, until a delivery that nothing was heard of is taken up again.
    pub lease: u32,
}

impl Patience {
    pub fn of(settings: &Settings) -> Patience {
        Patience {
            attempts: settings.delivery_attempts.max(1),
            pause: settings.delivery_pause,
            lease: settings.delivery_lease.max(1),
        }
    }

    /// Microseconds until the next attempt: doubled each time, and up to a quarter more, so that what failed together
    /// does not come together again.
    fn pause(&self, id: Uuid, attempts: u32) -> i64 {
        let doubled = u64::from(self.pause) << attempts.saturating_sub(1).min(20);
        let seconds = doubled.min(LONGEST);
        let part = seed(&[id.as_bytes(), &attempts.to_be_bytes()]) % 1000;
        i64::try_from(seconds * 1_000_000 + seconds * 250 * part).unwrap_or(i64::MAX)
    }

    /// When a delivery that is taken now may be taken by another: nobody is at it any more then.
    fn until(&self, now: i64, longest: Duration) -> i64 {
        let lease = Duration::from_secs(u64::from(self.lease)) + longest;
        now.saturating_add(i64::try_from(lease.as_micros()).unwrap_or(i64::MAX))
    }

    /// When a delivery is looked at again that nobody could be asked about: the longer it has waited, the later.
    fn later(&self, row: &delivery::Model, now: i64) -> i64 {
        let longest = i64::try_from(LONGEST * 1_000_000).unwrap_or(i64::MAX);
        let waited = now.saturating_sub(row.created_at) / 4;
        now.saturating_add(self.pause(row.id, 1).max(waited.min(longest)))
    }

    /// What came of an attempt.
    fn came(&self, row: &delivery::Model, ran: &Ran, now: i64) -> Came {
        let attempts = u32::try_from(row.attempts).unwrap_or(u32::MAX);
        let again = now.saturating_add(self.pause(row.id, attempts));
        let why = |code: &str, detail: &str| json!({ "code": code, "detail": detail }).to_string();
        let (at, why) = match &ran.outcome {
            Ok(Answer::Delivered) => return Came::Delivered,
            Ok(Answer::Rejected(said)) => return Came::Dead(why("rejected", said)),
            Ok(Answer::RetryLater(wait)) => {
                let wait = i64::from(wait.unwrap_or(0)) * 1_000_000;
                (
                    again.max(now.saturating_add(wait)),
                    why("retry-later", "the plugin asks for another attempt"),
                )
            }
            Ok(_) => (again, why("wrong-answer", "this is no answer to an event")),
            // Nobody was asked: it was no attempt.
            Err(failure) if !asked(ran, failure) => {
                return Came::Postponed(self.later(row, now), why(failure.code(), &failure.to_string()));
            }
            Err(failure) => (again, why(failure.code(), &failure.to_string())),
        };
        if attempts >= self.attempts { Came::Dead(why) } else { Came::Again(at, why) }
    }
}

/// Whether a version was asked: it names itself in what its call came to.
fn asked(ran: &Ran, failure: &Failure) -> bool {
    !ran.version.is_empty() && !matches!(failure, Failure::Busy | Failure::Resting)
}

fn seed(parts: &[&[u8]]) -> u64 {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().iter().take(8).fold(0, |n, byte| (n << 8) | u64::from(*byte))
}

/// Delivers, for as long as the server runs. Each plugin has a task of its own while something is due for it: what it
/// takes its time for keeps nobody's events from being gathered, and no other plugin waiting.
pub async fn keep_delivering(
    plugins: Arc<Plugins>,
    registry: Arc<Registry>,
    patience: Patience,
    say: fn(&str),
) {
    let mut looked_back = Instant::now();
    let mut at_it: BTreeMap<String, JoinHandle<()>> = BTreeMap::new();
    loop {
        let back = looked_back.elapsed() >= LOOK_BACK;
        if back {
            looked_back = Instant::now();
        }
        let takers = takers(&plugins);
        if let Err(problem) = look(&plugins, &takers, back).await {
            say(&format!("events could not be gathered: {problem}"));
        }
        at_it.retain(|_, task| !task.is_finished());
        for taker in takers {
            at_it.entry(taker.plugin).or_insert_with_key(|plugin| {
                let (plugins, registry, plugin) = (plugins.clone(), registry.clone(), plugin.clone());
                tokio::spawn(async move {
                    if let Err(problem) = deliver(&plugins, &registry, patience, &plugin).await {
                        say(&format!("events could not be delivered: {problem}"));
                    }
                })
            });
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// The plugins that take events here.
fn takers(plugins: &Plugins) -> Vec<Taker> {
    let taker = |plugin: String| {
        let since = plugins.node().since.get(&plugin).copied()?;
        let kinds = plugins.installed.events(&plugin);
        (!kinds.is_empty()).then_some(Taker { plugin, kinds, since })
    };
    plugins.installed.names().into_iter().filter_map(taker).collect()
}

/// Makes the deliveries of what happened; now and then forgets what the plugins' entries no longer have.
async fn look(plugins: &Arc<Plugins>, takers: &[Taker], back: bool) -> Result<(), Problem> {
    for taker in takers {
        gather(plugins, taker, back).await?;
    }
    if back {
        let now = SystemClock.now();
        plugins.records.change(move |db| async move { entries::sweep(&db, now).await }).await?;
    }
    Ok(())
}

/// What a plugin may have under way.
struct Room {
    /// Deliveries.
    most: u64,
    /// The longest that a call may take.
    longest: Duration,
}

/// Half of a plugin's places, since tills ask it, too; one delivery, while it has to show that things are better; none,
/// while it rests or nothing of it answers here.
fn room(plugins: &Plugins, plugin: &str) -> Option<Room> {
    let standing = plugins.installed.standing(plugin)?;
    let next = standing.next.as_ref().filter(|(_, stage)| *stage != Stage::Shadow);
    let answering = standing.serving.iter().chain(next.map(|(version, _)| version));
    let awake: Vec<&Loaded> = answering.map(|v| v.loaded.as_ref()).filter(|one| !one.rests()).collect();
    let sound = awake.iter().all(|one| one.breaker() == BreakerState::Closed);
    let places = awake.iter().map(|one| u64::from(one.limits().places)).min()?;
    let longest = awake.iter().map(|one| one.limits().longest()).max()?;
    Some(Room { most: if sound { (places / 2).clamp(1, AT_ONCE) } else { 1 }, longest })
}

/// Hands over what is due for a plugin, until nothing is or it rests.
async fn deliver(
    plugins: &Arc<Plugins>,
    registry: &Registry,
    patience: Patience,
    plugin: &str,
) -> Result<(), Problem> {
    while let Some(Room { most, longest }) = room(plugins, plugin) {
        let now = SystemClock.now();
        let until = patience.until(now, longest);
        let of = plugin.to_owned();
        let leased = plugins
            .records
            .change(move |db| async move { deliveries::lease(&db, &of, now, until, most).await });
        let leased = leased.await?;
        let all = leased.len() as u64 == most;
        let books = registry.current();
        let running: Vec<_> = leased
            .into_iter()
            .map(|(row, event)| {
                let (plugins, books) = (plugins.clone(), books.clone());
                tokio::spawn(async move { hand_over(&plugins, &books, patience, row, event).await })
            })
            .collect();
        for one in running {
            one.await.map_err(|_| Problem::internal())??;
        }
        if !all {
            return Ok(());
        }
    }
    Ok(())
}

/// Makes the deliveries of a plugin.
async fn gather(plugins: &Arc<Plugins>, taker: &Taker, back: bool) -> Result<(), Problem> {
    let mut from = None;
    if back {
        let named = taker.plugin.clone();
        let seen =
            plugins.records.read(move |db| async move { deliveries::cursor(&db, &named).await }).await?;
        from = seen.map(|at| (at - BACK, Uuid::nil()));
    }
    loop {
        let (taker, plugins_there) = (taker.clone(), plugins.clone());
        let done = plugins.records.change(move |db| async move {
            let takes = |event: &event::Model| {
                plugins_there.installed.takes(&taker.plugin, &event.kind, &event.store)
            };
            deliveries::gather(&db, &taker, from, takes, SystemClock.now()).await
        });
        match done.await? {
            Some(last) if from.is_some() => from = Some(last),
            Some(_) => {}
            None => return Ok(()),
        }
    }
}

async fn hand_over(
    plugins: &Plugins,
    books: &Arc<Rulebooks>,
    patience: Patience,
    row: delivery::Model,
    event: event::Model,
) -> Result<(), Problem> {
    let ran = match plugins.installed.takes(&row.plugin, &row.kind, &row.store) {
        true => {
            let call = call(books, &row, &event, SystemClock.now());
            let asked = vec![Asked { plugin: row.plugin.clone(), call }];
            plugins.installed.answers(asked).await.pop()
        }
        // It did when the delivery was made, and may again.
        false => Some(Ran::failed(&row.plugin, Failure::NotInstalled)),
    };
    let Some(ran) = ran else { return Ok(()) };
    let now = SystemClock.now();
    let came = patience.came(&row, &ran, now);
    let trace = Trace {
        log: (!ran.log.is_empty()).then(|| json!(ran.log).to_string()),
        version: (!ran.version.is_empty()).then_some(ran.version),
    };
    plugins.records.change(move |db| async move { deliveries::note(&db, &row, came, trace, now).await }).await
}

/// The event as a call: what it tells as facts, its lists as tables.
fn call(books: &Arc<Rulebooks>, row: &delivery::Model, event: &event::Model, now: i64) -> Call {
    let desk = Desk::at(books.clone(), &event.store).ok();
    let zone = desk.as_ref().map_or(chrono_tz::UTC, |desk| desk.program().linked().zone);
    let today = desk.and_then(|desk| desk.date_at(now).ok()).map(|when| format_date(when.date));
    let told: Map<String, serde_json::Value> = serde_json::from_str(&event.data).unwrap_or_default();
    let (tables, fields): (Vec<_>, Vec<_>) = told.into_iter().partition(|(_, value)| is_table(value));
    let text = |path: &str, text: String| Field { path: path.into(), value: Value::Text(text) };
    Call {
        key: row.id.to_string(),
        function: event.kind.clone(),
        store: event.store.clone(),
        now: now / 1000,
        today: today.unwrap_or_else(|| format_datetime(now, zone).chars().take(10).collect()),
        seed: seed(&[row.id.as_bytes()]),
        arguments: Vec::new(),
        facts: fields.into_iter().map(|(path, value)| Field { path, value: plain(&value) }).collect(),
        tables: tables.into_iter().map(|(path, value)| table(path, &value)).collect(),
        attributes: vec![
            text("event", event.id.to_string()),
            Field {
                path: "recorded_at".into(),
                value: Value::Instant(format_datetime(event.recorded_at, zone)),
            },
            Field { path: "attempt".into(), value: Value::Whole(i64::from(row.attempts)) },
        ],
    }
}

fn is_table(value: &serde_json::Value) -> bool {
    value.as_array().is_some_and(|rows| !rows.is_empty() && rows.iter().all(serde_json::Value::is_object))
}

fn table(path: String, value: &serde_json::Value) -> Table {
    let rows = value.as_array().into_iter().flatten().filter_map(serde_json::Value::as_object);
    let row = |row: &Map<String, serde_json::Value>| {
        row.iter().map(|(path, value)| Field { path: path.clone(), value: plain(value) }).collect()
    };
    Table { path, rows: rows.map(row).collect() }
}

fn plain(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::Absent,
        serde_json::Value::Bool(truth) => Value::Truth(*truth),
        serde_json::Value::String(text) => Value::Text(text.clone()),
        serde_json::Value::Number(n) => {
            n.as_i64().map_or_else(|| Value::Decimal(n.to_string()), Value::Whole)
        }
        other => Value::Other(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(attempts: i32) -> delivery::Model {
        delivery::Model {
            id: Uuid::from_u128(7),
            plugin: "a.b".into(),
            event_id: Uuid::nil(),
            kind: "sale.recorded".into(),
            store: "s1".into(),
            state: "pending".into(),
            attempts,
            next_at: 0,
            leased_until: None,
            failure: None,
            log: None,
            version: None,
            created_at: 0,
            done_at: None,
        }
    }

    fn ran(outcome: Result<Answer, Failure>) -> Ran {
        Ran {
            outcome,
            plugin: "a.b".into(),
            version: "1.0.0".into(),
            digest: String::new(),
            fuel: 0,
            rounds: 0,
            memory: 0,
            log_cut: false,
            log: Vec::new(),
            responses: Vec::new(),
        }
    }

    const PATIENCE: Patience = Patience { attempts: 4, pause: 5, lease: 60 };

    #[test]
    fn pauses_grow_to_an_hour_and_are_spread() {
        let seconds = |attempts| PATIENCE.pause(Uuid::from_u128(7), attempts) as f64 / 1e6;
        for (attempts, least) in [(1, 5.0), (2, 10.0), (3, 20.0), (10, 2560.0), (11, 3600.0), (99, 3600.0)] {
            assert!((least..=least * 1.25).contains(&seconds(attempts)), "{attempts}: {}", seconds(attempts));
        }
        let of = |id| PATIENCE.pause(Uuid::from_u128(id), 1);
        assert!((1..50).any(|id| of(id) != of(0)));
    }

    #[test]
    fn what_comes_of_an_attempt() {
        let came = |attempts, outcome| PATIENCE.came(&row(attempts), &ran(outcome), 1_000_000);
        assert!(matches!(came(1, Ok(Answer::Delivered)), Came::Delivered));
        assert!(matches!(came(1, Ok(Answer::Rejected("no".into()))), Came::Dead(why) if why.contains("no")));
        let later = came(1, Ok(Answer::RetryLater(Some(100))));
        assert!(matches!(later, Came::Again(101_000_000, _)), "{later:?}");
        let soon = came(3, Ok(Answer::RetryLater(Some(1))));
        assert!(matches!(soon, Came::Again(at, _) if at > 20_000_000), "{soon:?}");
        assert!(matches!(came(3, Err(Failure::StackOverflow)), Came::Again(..)));
        assert!(
            matches!(came(4, Err(Failure::StackOverflow)), Came::Dead(why) if why.contains("stack-overflow"))
        );
        assert!(matches!(came(4, Ok(Answer::RetryLater(None))), Came::Dead(_)));
        assert!(matches!(came(4, Ok(Answer::Allow)), Came::Dead(_)));
        for nobody in [Failure::Busy, Failure::Resting] {
            assert!(matches!(came(4, Err(nobody)), Came::Postponed(..)));
        }
        let not_ready = Ran::failed("a.b", Failure::Unavailable("it cannot be made ready".into()));
        assert!(matches!(PATIENCE.came(&row(4), &not_ready, 0), Came::Postponed(..)));
        assert!(
            matches!(came(4, Err(Failure::Unavailable("away".into()))), Came::Dead(_)),
            "the plugin says so"
        );
        let later = |waited: i64| PATIENCE.later(&row(1), waited * 1_000_000) / 1_000_000 - waited;
        assert!((5..=6).contains(&later(0)) && later(400) == 100 && later(1_000_000) == 3600);
    }

    #[test]
    fn an_event_becomes_a_call() {
        let value = json!({ "member": "m1", "n": 2, "free": true, "tier": null, "x": { "y": 1 }, "none": [],
            "lines": [{ "sku": "a", "quantity": 1 }, { "sku": "b" }] });
        let is = is_table(&value["lines"]);
        assert!(is && !is_table(&value["none"]) && !is_table(&value["member"]));
        assert_eq!(plain(&value["member"]), Value::Text("m1".into()));
        assert_eq!((plain(&value["n"]), plain(&value["free"])), (Value::Whole(2), Value::Truth(true)));
        assert_eq!(
            (plain(&value["tier"]), plain(&value["x"])),
            (Value::Absent, Value::Other(r#"{"y":1}"#.into()))
        );
        let table = table("lines".into(), &value["lines"]);
        assert_eq!(table.rows.len(), 2);
        assert_eq!(table.rows[1], [Field { path: "sku".into(), value: Value::Text("b".into()) }]);
    }
}
