//! Batches on real databases: races, offenders, answers kept, the queue.
use crate::each::each;
use crate::rows::*;
use crate::{load, write};
use sea_orm::{DbBackend, EntityTrait as _};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use zhanggui::records::entity::{account, answer};
use zhanggui::records::{
    Answer, Bounds, Clock as _, Database, Engine, Full, Job, Operation, Refusal, Reply, Stop, Store,
    StoreError, SystemClock, Tx as _, Unit, Want, Writer, read,
};

/// Adds one to ann's account and keeps a row of its own; some are broken.
#[derive(Clone, Debug, Default)]
struct Add {
    name: String,
    /// Breaks a check of the schema.
    broken: bool,
    panics: bool,
    refuses: bool,
}

impl Operation for Add {
    fn hints(&self) -> Vec<Want> {
        Vec::new()
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        unit.need([Want::Member(id("ann"))])?;
        assert!(!self.panics, "as it was told");
        let mut account = unit.account(id("ann"), LEDGER);
        account.available += 1;
        account.version += 1;
        if self.broken {
            account.pending = -1;
        }
        unit.t.accounts.put(account);
        if self.refuses {
            return Err(Refusal::new(409, "no", "No", "as it was told").into());
        }
        Ok(Answer { status: 201, body: format!("\"{}\"", self.name) })
    }
}

fn job(name: &str, add: Add) -> Job {
    let operation = Arc::new(Add { name: name.into(), ..add });
    Job { key: Some(name.into()), dry: false, fingerprint: "f".into(), operation }
}

async fn available(db: &Database) -> i64 {
    load(db, [Want::Member(id("ann"))]).await.account(id("ann"), LEDGER).available
}

async fn ann(db: &Database) {
    write(db, |unit| unit.t.members.put(member("ann"))).await.unwrap();
}

async fn node(url: &str) -> Engine<Database> {
    Engine::new(Database::open(url).await.unwrap(), SystemClock)
}

#[test]
fn two_nodes_lose_no_update() {
    each(async |place| {
        ann(&place.db).await;
        let (one, two) = (node(&place.url).await, node(&place.url).await);
        let work = async |engine: &Engine<Database>, node: &str| {
            for round in 0..100 {
                let jobs: Vec<Job> =
                    (0..10).map(|n| job(&format!("{node} {round} {n}"), Add::default())).collect();
                for reply in engine.execute(&jobs).await {
                    assert!(matches!(reply, Reply::Done(_)), "{reply:?}");
                }
            }
        };
        tokio::join!(work(&one, "one"), work(&two, "two"));
        assert_eq!(available(&place.db).await, 2_000);
    });
}

#[test]
fn the_same_job_on_two_nodes_is_done_once() {
    each(async |place| {
        ann(&place.db).await;
        let (one, two) = (node(&place.url).await, node(&place.url).await);
        for n in 0..50 {
            let jobs: Vec<Job> = (0..4).map(|m| job(&format!("{n} {m}"), Add::default())).collect();
            let (first, second) = tokio::join!(one.execute(&jobs), two.execute(&jobs));
            for pair in first.iter().zip(&second) {
                let (Reply::Done(a) | Reply::Replayed(a), Reply::Done(b) | Reply::Replayed(b)) = pair else {
                    panic!("{pair:?}")
                };
                assert_eq!(a, b);
                assert_ne!(matches!(pair.0, Reply::Done(_)), matches!(pair.1, Reply::Done(_)));
            }
        }
        assert_eq!(available(&place.db).await, 200);
    });
}

#[test]
fn one_offender_does_not_stop_the_others() {
    each(async |place| {
        ann(&place.db).await;
        let engine = node(&place.url).await;
        let add = |n| Add { broken: n == 37, refuses: n == 12, ..Add::default() };
        let jobs: Vec<Job> = (0..100).map(|n| job(&n.to_string(), add(n))).collect();
        for (n, reply) in engine.execute(&jobs).await.into_iter().enumerate() {
            match n {
                37 => assert!(matches!(reply, Reply::Failed(StoreError::Refused(_))), "{reply:?}"),
                12 => assert!(matches!(reply, Reply::Refused(_)), "{reply:?}"),
                _ => assert!(matches!(reply, Reply::Done(_)), "{reply:?}"),
            }
        }
        assert_eq!(available(&place.db).await, 98);
    });
}

/// A database that is away.
#[derive(Default)]
struct Away(AtomicUsize);

impl Store for Away {
    type Tx = <Database as Store>::Tx;
    async fn begin(&self) -> Result<Self::Tx, StoreError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Err(StoreError::Failed("no connection".into()))
    }
}

#[test]
fn a_database_that_is_away_is_waited_for_once_a_batch() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let engine = Engine::new(Away::default(), SystemClock);
        let jobs: Vec<Job> = (0..100).map(|n| job(&n.to_string(), Add::default())).collect();
        let replies = engine.execute(&jobs).await;
        assert!(replies.iter().all(|r| matches!(r, Reply::Failed(StoreError::Failed(_)))), "{replies:?}");
        assert_eq!((replies.len(), engine.store().0.load(Ordering::Relaxed)), (100, 1));
    });
}

#[test]
fn answers_are_kept() {
    each(async |place| {
        ann(&place.db).await;
        let engine = node(&place.url).await;
        let jobs = [job("a", Add::default()), job("b", Add { refuses: true, ..Add::default() })];
        engine.execute(&jobs).await;
        let again = node(&place.url).await.execute(&jobs).await;
        assert!(matches!(&again[0], Reply::Replayed(a) if a.status == 201 && a.body == "\"a\""), "{again:?}");
        assert!(matches!(&again[1], Reply::Replayed(a) if a.status == 409), "{again:?}");
        let other = Job { fingerprint: "g".into(), ..jobs[0].clone() };
        assert!(matches!(engine.execute(&[other]).await[0], Reply::OtherBody));
        let dry = Job { dry: true, ..job("c", Add::default()) };
        assert!(matches!(engine.execute(&[dry]).await[0], Reply::Done(_)));
        assert!(engine.look(&Add::default()).await.unwrap().is_ok());
        assert_eq!(available(&place.db).await, 1);
    });
}

#[test]
fn what_happened_cannot_be_changed_or_unbalanced() {
    each(async |place| {
        write(&place.db, everything).await.unwrap();
        let refused =
            |done: Result<(), StoreError>| assert!(matches!(done, Err(StoreError::Refused(_))), "{done:?}");
        refused(
            write(&place.db, |unit| {
                unit.t.movements.put(movement(id("x"), "ann", None));
                unit.t.entries.put(entry(id("x"), 0, "ann", "issued", -5, None));
                unit.t.entries.put(entry(id("x"), 1, "ann", "available", 4, None));
            })
            .await,
        );
        // Also what balances: a movement that is recorded is closed.
        refused(
            write(&place.db, |unit| {
                unit.t.entries.put(entry(id("m1"), 8, "ann", "issued", -5, None));
                unit.t.entries.put(entry(id("m1"), 9, "ann", "available", 5, None));
            })
            .await,
        );
        let mut tx = place.db.begin().await.unwrap();
        let mut unit = Unit::new(8);
        tx.load(&mut unit, &BTreeSet::from([Want::Movement(id("m1"))])).await.unwrap();
        let mut changed = unit.t.movements.get(&id("m1")).unwrap().clone();
        changed.reason = Some("another".into());
        unit.t.movements.put(changed);
        refused(tx.write(&unit).await);
        drop(tx);
        use sea_orm::ConnectionTrait as _;
        for table in ["movements", "entries", "decisions"] {
            let column = if table == "decisions" { "actor" } else { "ledger" };
            for sql in [format!("UPDATE {table} SET {column} = 'x'"), format!("DELETE FROM {table}")] {
                let error = place.db.writer().execute_unprepared(&sql).await.unwrap_err().to_string();
                assert!(error.contains("append-only"), "{error}");
            }
        }
        // Two rows under one key: the other one may have been written meanwhile by another node.
        let twice = write(&place.db, |unit| unit.t.vouchers.put(voucher("v1", 1))).await;
        assert!(matches!(twice, Err(StoreError::Conflict(_))), "{twice:?}");
        let below = write(&place.db, |unit| {
            unit.t.accounts.put(account::Model { ledger: "other".into(), ..account("ann", -1) });
        });
        refused(below.await);
    });
}

fn writer(url: &str, bounds: impl Into<Bounds>) -> Writer {
    let url = url.to_owned();
    let open = async move || Ok(Engine::new(Database::open(&url).await?, SystemClock));
    Writer::start(bounds, open).unwrap()
}

#[test]
fn no_more_is_committed_together_than_is_set() {
    each(async |place| {
        ann(&place.db).await;
        for (batch, commits) in [(1, 6), (512, 2)] {
            let writer = Arc::new(writer(&place.url, Bounds { queue: 64, batch }));
            let mut tx = place.db.begin().await.unwrap();
            tx.load(&mut Unit::new(8), &BTreeSet::from([Want::Member(id("ann"))])).await.unwrap();
            let submit = |n: usize| {
                let writer = writer.clone();
                let job = job(&format!("{batch} {n}"), Add::default());
                tokio::spawn(async move { writer.submit(job).await })
            };
            // The first is being written while the others gather.
            let mut tasks = vec![submit(0)];
            tokio::task::yield_now().await;
            while writer.waiting() > 0 {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
            tasks.extend((1..6).map(submit));
            while writer.waiting() < 5 {
                tokio::task::yield_now().await;
            }
            tx.commit().await.unwrap();
            for task in tasks {
                assert!(matches!(task.await.unwrap(), Ok(Reply::Done(_))));
            }
            // What is committed together is recorded at one time.
            let answers = answer::Entity::find().all(place.db.reader()).await.unwrap().into_iter();
            let of_this = answers.filter(|a| a.key.starts_with(&format!("{batch} ")));
            let times: BTreeSet<i64> = of_this.map(|a| a.recorded_at).collect();
            assert_eq!(times.len(), commits, "batches of {batch}");
            writer.close().await;
        }
    });
}

#[test]
fn the_queue_answers_after_the_commit_and_drains_when_closed() {
    each(async |place| {
        ann(&place.db).await;
        let writer = writer(&place.url, 64);
        // Polled in order: the second finds the first in flight.
        let (a, b, c) = tokio::join!(
            writer.submit(job("a", Add::default())),
            writer.submit(job("a", Add::default())),
            writer.submit(job("p", Add { panics: true, ..Add::default() })),
        );
        assert!(matches!(a, Ok(Reply::Done(_))) && matches!(b, Ok(Reply::InFlight)), "{a:?} {b:?}");
        assert!(matches!(c, Ok(Reply::Failed(StoreError::Refused(_)))), "{c:?}");
        assert!(matches!(writer.submit(job("a", Add::default())).await, Ok(Reply::Replayed(_))));
        assert_eq!(available(&place.db).await, 1);

        // On SQLite another transaction keeps the writer waiting; on PostgreSQL the member's lock does.
        let mut tx = place.db.begin().await.unwrap();
        tx.load(&mut Unit::new(8), &BTreeSet::from([Want::Member(id("ann"))])).await.unwrap();
        let writer = Arc::new(writer);
        let submit = |name: String| {
            let writer = writer.clone();
            tokio::spawn(async move { writer.submit(job(&name, Add::default())).await })
        };
        // The first makes the writer wait; from then on nothing is taken from the queue.
        let mut tasks = vec![submit("first".into())];
        tokio::task::yield_now().await;
        while writer.waiting() > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        tasks.extend((0..199).map(|n| submit(format!("w{n}"))));
        while writer.waiting() < 64 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(writer.submit(job("over", Add::default())).await, Err(Full)));
        tx.commit().await.unwrap();
        writer.close().await;
        assert!(matches!(writer.submit(job("late", Add::default())).await, Err(Full)));
        let (mut done, mut full) = (0, 0);
        for task in tasks {
            match task.await.unwrap() {
                Ok(Reply::Done(_)) => done += 1,
                Err(Full) => full += 1,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((done, full), (65, 135));
        assert_eq!(available(&place.db).await, 1 + done);
    });
}

#[test]
fn a_writer_without_a_database_does_not_start() {
    let open = async || Ok(Engine::new(Database::open("sqlite:///no/such/place.db").await?, SystemClock));
    assert!(matches!(Writer::start(8, open), Err(StoreError::Failed(_))));
}

/// Whoever reads events goes on after the last that was seen: what may still come before it is not shown yet.
#[test]
fn events_wait_for_whoever_began_before() {
    each(async |place| {
        crate::write(&place.db, everything).await.unwrap();
        let shown = async |until| read::events(place.db.reader(), None, until, 9).await.unwrap();
        let all = shown(None).await;
        assert_eq!(all.len(), 1);
        assert!(shown(Some(all[0].recorded_at)).await.is_empty());

        let until = async || read::events_until(place.db.reader()).await.unwrap();
        let writes = place.db.begin().await.unwrap();
        let now = SystemClock.now();
        match place.db.backend() {
            DbBackend::Postgres => assert!(until().await.is_some_and(|until| until < now)),
            _ => assert_eq!(until().await, None, "one writes after the other"),
        }
        writes.commit().await.unwrap();
        assert_eq!(until().await, None);
    });
}
