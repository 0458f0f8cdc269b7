//! Nodes that die and start again over one disk, and the network between them and whoever asks.
use crate::memory::{At, Disk, Memory};
use crate::world::{Group, SECOND, World};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, oneshot};
use zhanggui::counter::plugged::{Asking, Nobody};
use zhanggui::records::writer::{Bounds, Full, Writer};
use zhanggui::records::{Clock, Engine, Job, Reply, StoreError};

/// What goes wrong, in hundredths of a message or of a step of a transaction, and what went wrong.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// A request, or an answer, that does not arrive.
    pub lost: u64,
    /// A request that arrives twice.
    pub twice: u64,
    /// A message that is overtaken by others.
    pub late: u64,
    /// A step of the disk that takes its time; some of these take very long.
    pub slow: u64,
    /// A step of the disk that fails.
    pub broken: u64,
    /// A step of the disk that loses a race with somebody else's.
    pub race: u64,
    /// A step of the disk at which the node dies.
    pub death: u64,
}

/// How often things happened.
pub type Tally = Arc<Mutex<BTreeMap<String, u64>>>;

pub fn count(tally: &Tally, what: impl Into<String>, n: u64) {
    *tally.lock().unwrap().entry(what.into()).or_default() += n;
}

#[derive(Clone)]
pub struct Nodes {
    world: World,
    weather: Weather,
    pub tally: Tally,
    store: Memory<Way>,
    bounds: Bounds,
    writers: Arc<Mutex<Vec<Option<Arc<Writer>>>>>,
    /// What nodes answered, by the job's name: whoever asks again has to be told the same.
    told: Arc<Mutex<BTreeMap<String, (u16, String)>>>,
}

/// A node's way to the disk that all share.
#[derive(Clone)]
pub struct Way {
    group: Group,
    nodes: Arc<Mutex<Option<Nodes>>>,
}

impl Way {
    pub fn new() -> Way {
        Way { group: 0, nodes: Arc::default() }
    }
}

impl Disk for Way {
    async fn pass(&self, at: At) -> Result<(), StoreError> {
        let Some(nodes) = self.nodes.lock().unwrap().clone() else { return Ok(()) };
        let (world, weather) = (&nodes.world, nodes.weather);
        if world.percent(weather.slow) {
            let long = world.percent(20);
            count(&nodes.tally, if long { "disk stalls" } else { "slow steps" }, 1);
            world.wait(world.between(1, if long { 90 * SECOND } else { SECOND / 2 })).await;
        }
        if world.percent(weather.death) {
            nodes.crash(self.group, &format!("{at:?}"));
            std::future::pending::<()>().await;
        }
        let fails = |what: &str| {
            count(&nodes.tally, format!("{what} at {at:?}"), 1);
            format!("made to fail: {at:?}")
        };
        if world.percent(weather.broken) {
            return Err(StoreError::Failed(fails("failures")));
        }
        if at != At::Committed && world.percent(weather.race) {
            return Err(StoreError::Conflict(fails("races")));
        }
        Ok(())
    }
}

/// What a client gets to know.
#[derive(Clone, Debug)]
pub enum Heard {
    Answer(String),
    /// Refused, and not for good.
    NotNow,
    /// 503 with `Retry-After`: the queue is full.
    Busy,
    /// 409: the first try is still under way.
    InFlight,
    /// 503, a connection that broke, or no answer in time: nobody knows.
    Unknown,
}

impl Nodes {
    /// So many nodes, up and running.
    pub fn start(world: &World, weather: Weather, store: &Memory<Way>, way: &Way, many: usize) -> Nodes {
        let bounds = Bounds { queue: 2 + world.below(3) as usize, batch: 1 + world.below(4) as usize };
        let nodes = Nodes {
            world: world.clone(),
            weather,
            tally: Tally::default(),
            store: store.clone(),
            bounds,
            writers: Arc::new(Mutex::new(vec![None; many])),
            told: Arc::default(),
        };
        *way.nodes.lock().unwrap() = Some(nodes.clone());
        (1..=many).for_each(|group| nodes.revive(group));
        nodes
    }

    /// Starts a node: a new queue over the rows that are there.
    fn revive(&self, group: Group) {
        let shared = self.store.clone();
        let way = Way { group, nodes: Arc::new(Mutex::new(Some(self.clone()))) };
        let engine = Engine::new(shared.over(way), self.world.clone());
        let (writer, mut work) = Writer::apart(self.bounds);
        self.writers.lock().unwrap()[group - 1] = Some(Arc::new(writer));
        self.world.spawn(group, async move { work.run(&engine).await });
    }

    /// A node dies where it stands and is back after a while. What waited in its queue is lost, and nobody is told.
    pub fn crash(&self, group: Group, at: &str) {
        let Some(writer) = self.writers.lock().unwrap()[group - 1].take() else { return };
        count(&self.tally, format!("crashes at {at}"), 1);
        count(&self.tally, "lost in a queue", writer.waiting() as u64);
        self.world.kill(group);
        let nodes = self.clone();
        self.world.spawn(0, async move {
            nodes.world.wait(nodes.world.between(0, 20 * SECOND)).await;
            nodes.revive(group);
        });
    }

    pub fn many(&self) -> usize {
        self.writers.lock().unwrap().len()
    }

    /// Sends a job to a node and waits for an answer, but no longer than `patience` (microseconds). `near`: the request
    /// arrives at once, whatever the weather.
    pub async fn ask(&self, group: Group, name: &str, job: &Job, patience: i64, near: bool) -> Heard {
        let (answers, mut answer) = mpsc::unbounded_channel();
        let copies = if self.world.percent(self.weather.twice) { 2 } else { 1 };
        count(&self.tally, "duplicates", copies - 1);
        for copy in 0..copies {
            if !near && self.world.percent(self.weather.lost) {
                count(&self.tally, "requests lost", 1);
                continue;
            }
            let delay = if near && copy == 0 { 0 } else { self.delay() };
            let (nodes, name, job, answers) = (self.clone(), name.to_owned(), job.clone(), answers.clone());
            self.world.spawn(0, async move {
                nodes.world.wait(delay).await;
                let heard = nodes.deliver(group, &name, job).await;
                if nodes.world.percent(nodes.weather.lost) {
                    return count(&nodes.tally, "answers lost", 1);
                }
                nodes.world.wait(nodes.delay()).await;
                let _ = answers.send(heard);
            });
        }
        // Nobody says that a message was lost.
        match self.world.within(patience, answer.recv()).await {
            Some(Some(heard)) => heard,
            _ => {
                count(&self.tally, "given up", 1);
                Heard::Unknown
            }
        }
    }

    /// How long a message is under way.
    fn delay(&self) -> i64 {
        self.world.between(0, if self.world.percent(self.weather.late) { 8 * SECOND } else { SECOND / 20 })
    }

    /// What a node does with a request; the connection ends with the node.
    async fn deliver(&self, group: Group, name: &str, job: Job) -> Heard {
        let Some(writer) = self.writers.lock().unwrap()[group - 1].clone() else { return Heard::Unknown };
        let (to, reply) = oneshot::channel();
        let world = self.world.clone();
        self.world.spawn(group, async move {
            let find_out = |aside| {
                let now = world.now();
                // No plugin is installed; the job goes on with that.
                async move { Asking::find_out(&aside, &Nobody, now).await }
            };
            let _ = to.send(writer.submit_asking(job, find_out).await);
        });
        let Ok(reply) = reply.await else { return Heard::Unknown };
        match reply {
            Ok(Reply::Done(answer)) => self.tell(name, answer.status, answer.body),
            Ok(Reply::Replayed(answer)) => {
                count(&self.tally, "replayed", 1);
                self.tell(name, answer.status, answer.body)
            }
            Ok(Reply::Refused(refusal)) if refusal.kept => self.tell(name, refusal.status, refusal.json()),
            Ok(Reply::Refused(_)) => Heard::NotNow,
            Ok(Reply::InFlight) => {
                count(&self.tally, "in flight", 1);
                Heard::InFlight
            }
            Ok(Reply::Failed(StoreError::Refused(why))) => panic!("{name}: {why}"),
            Ok(Reply::Failed(_)) => Heard::Unknown,
            Ok(other) => panic!("{name}: {other:?}"),
            Err(Full) => {
                count(&self.tally, "queue full", 1);
                Heard::Busy
            }
        }
    }

    fn tell(&self, name: &str, status: u16, body: String) -> Heard {
        let answer = (status, body.clone());
        let before = self.told.lock().unwrap().insert(name.to_owned(), answer.clone());
        assert!(
            before.as_ref().is_none_or(|before| *before == answer),
            "{name}: {before:?}, then {answer:?}"
        );
        Heard::Answer(body)
    }

    /// What nodes answered, by the job's name.
    pub fn told(&self) -> BTreeMap<String, (u16, String)> {
        self.told.lock().unwrap().clone()
    }
}
