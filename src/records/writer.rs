//! The queue before the engine: whoever records waits for the commit of the batch that the record went into.
//!
//! Invariants: a writer has a thread of its own and takes what has gathered while it was writing (no timer: alone, a job
//! waits for nobody; under load, batches form by themselves); the queue is bounded; a job that was taken is run to its end,
//! also if nobody waits for the reply any more.
use crate::records::engine::{Clock, Engine, Job, Reply, Store, StoreError};
use crate::records::unit::Aside;
use std::collections::HashSet;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc, oneshot, watch};

/// How often a job may stop for what has to be found out: operations have a lower bound of their own.
const MAX_ASKS: usize = 32;

/// How soon those who were answered come again, if they do not think in between.
const SOON: Duration = Duration::from_millis(1);
/// How long the writer waits for the next of them.
const NAP: Duration = Duration::from_micros(50);

/// How much the writer takes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Jobs that may wait.
    pub queue: usize,
    /// Jobs that go into one transaction at most.
    pub batch: usize,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds { queue: 4096, batch: 512 }
    }
}

/// A number alone is the queue.
impl From<usize> for Bounds {
    fn from(queue: usize) -> Bounds {
        Bounds { queue, ..Bounds::default() }
    }
}

/// The queue is full, or closed: nothing was taken, the caller may come again (503 with `Retry-After`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the queue is full")]
pub struct Full;

struct Item {
    job: Job,
    reply: oneshot::Sender<Reply>,
    flight: Option<Arc<Flight>>,
}

/// Keys whose jobs wait or run on this node, or wait for what has to be found out for them.
type Flying = Arc<Mutex<HashSet<String>>>;

/// A key that is in flight for as long as somebody holds this.
struct Flight {
    flying: Flying,
    key: String,
}

impl Flight {
    /// None if the key is in flight already.
    fn begin(flying: &Flying, key: &str) -> Option<Arc<Flight>> {
        let new = lock(flying).insert(key.to_owned());
        new.then(|| Arc::new(Flight { flying: flying.clone(), key: key.to_owned() }))
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        lock(&self.flying).remove(&self.key);
    }
}

/// The way to the writer thread; for all threads that serve requests.
#[derive(Debug)]
pub struct Writer {
    queue: mpsc::Sender<Item>,
    flying: Flying,
    stop: Arc<Notify>,
    /// Its sender lives as long as the thread works.
    working: watch::Receiver<()>,
}

/// The other end of a writer's queue. While nobody runs it, jobs wait; when it is dropped, those that wait are lost.
pub struct Work {
    queue: mpsc::Receiver<Item>,
    batch: usize,
    /// Whether it waits, by the machine's clock, for those who come again at once.
    gathers: bool,
    stop: Arc<Notify>,
    _working: watch::Sender<()>,
}

impl Writer {
    /// Starts the thread. `open` runs on it, since connections belong to the runtime that opened them; this waits until it
    /// is done.
    ///
    /// # Errors
    /// What `open` returns, or [`StoreError::Failed`] if there is no thread to be had.
    pub fn start<S, C, F, O>(bounds: impl Into<Bounds>, open: O) -> Result<Writer, StoreError>
    where
        S: Store,
        C: Clock + 'static,
        F: Future<Output = Result<Engine<S, C>, StoreError>>,
        O: FnOnce() -> F + Send + 'static,
    {
        let (writer, mut work) = Writer::apart(bounds);
        work.gathers = true;
        let (opened, opening) = std::sync::mpsc::sync_channel(1);
        let body = move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(opened.send(Err(failed(&error)))),
            };
            runtime.block_on(async {
                match open().await {
                    Ok(engine) => {
                        let _ = opened.send(Ok(()));
                        work.run(&engine).await;
                    }
                    Err(error) => drop(opened.send(Err(error))),
                }
            });
            // The connections end with the runtime, and only then is the work over.
            drop(runtime);
            drop(work);
        };
        std::thread::Builder::new().name("writer".into()).spawn(body).map_err(|error| failed(&error))?;
        opening.recv().map_err(|error| failed(&error))??;
        Ok(writer)
    }

    /// A writer and the work that whoever calls this has to run: a simulation does, in its own time.
    pub fn apart(bounds: impl Into<Bounds>) -> (Writer, Work) {
        let bounds = bounds.into();
        let (sender, receiver) = mpsc::channel(bounds.queue.max(1));
        let (works, working) = watch::channel(());
        let (flying, stop) = (Flying::default(), Arc::new(Notify::new()));
        let batch = bounds.batch.max(1);
        let work = Work { queue: receiver, batch, gathers: false, stop: stop.clone(), _working: works };
        (Writer { queue: sender, flying, stop, working }, work)
    }

    /// Hands a job over and waits for what becomes of it. A key that waits or runs already on this node is answered with
    /// [`Reply::InFlight`].
    ///
    /// # Errors
    /// [`Full`] if too many jobs wait, or after [`Writer::close`]: nothing was taken.
    pub async fn submit(&self, job: Job) -> Result<Reply, Full> {
        match self.take_off(&job) {
            Ok(flight) => self.hand_over(job, flight).await,
            Err(reply) => Ok(reply),
        }
    }

    /// As [`Writer::submit`]; where the job stops for what has to be found out, `ask` finds it out and the job is handed over
    /// again. Its key stays in flight meanwhile, and no transaction waits.
    ///
    /// # Errors
    /// [`Full`], also after something was found out: nothing was recorded.
    pub async fn submit_asking<A, F>(&self, job: Job, ask: A) -> Result<Reply, Full>
    where
        A: Fn(Aside) -> F,
        F: Future<Output = ()>,
    {
        let flight = match self.take_off(&job) {
            Ok(flight) => flight,
            Err(reply) => return Ok(reply),
        };
        for _ in 0..MAX_ASKS {
            match self.hand_over(job.clone(), flight.clone()).await? {
                Reply::Ask(aside) => ask(aside).await,
                reply => return Ok(reply),
            }
        }
        Ok(Reply::Failed(StoreError::Refused("an operation asks without end".into())))
    }

    /// Puts the job's key in flight, if it has one.
    fn take_off(&self, job: &Job) -> Result<Option<Arc<Flight>>, Reply> {
        let Some(key) = &job.key else { return Ok(None) };
        Flight::begin(&self.flying, key).map(Some).ok_or(Reply::InFlight)
    }

    async fn hand_over(&self, job: Job, flight: Option<Arc<Flight>>) -> Result<Reply, Full> {
        let (reply, answer) = oneshot::channel();
        self.queue.try_send(Item { job, reply, flight }).map_err(|_| Full)?;
        let gone = || Reply::Failed(StoreError::Failed("the writer is gone".into()));
        Ok(answer.await.unwrap_or_else(|_| gone()))
    }

    /// How many jobs wait.
    pub fn waiting(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// Takes no more jobs, and waits until those that were taken are done.
    pub async fn close(&self) {
        self.stop.notify_one();
        let mut working = self.working.clone();
        while working.changed().await.is_ok() {}
    }
}

impl Work {
    /// Runs what comes, batch by batch, until the writer is closed or gone.
    pub async fn run<S: Store, C: Clock>(&mut self, engine: &Engine<S, C>) {
        let mut items = Vec::new();
        let mut answered: Option<(usize, Instant)> = None;
        loop {
            let taken = tokio::select! {
                taken = self.queue.recv_many(&mut items, self.batch) => taken,
                () = self.stop.notified() => {
                    self.queue.close();
                    continue;
                }
            };
            if taken == 0 {
                return;
            }
            if let Some((before, at)) = answered
                && self.gathers
                && at.elapsed() < SOON
            {
                gather(&mut self.queue, &mut items, before);
            }
            let taken = items.len();
            let (jobs, waiting): (Vec<Job>, Vec<_>) =
                items.drain(..).map(|item| (item.job, (item.reply, item.flight))).unzip();
            let replies = run(engine, jobs).await;
            for (reply, (to, flight)) in replies.into_iter().zip(waiting) {
                // First the key, then the reply: whoever asks again upon the reply is not in flight.
                drop(flight);
                let _ = to.send(reply);
            }
            answered = Some((taken, Instant::now()));
        }
    }
}

/// Waits for those who were answered together and come again together, as long as they keep coming: the first of them would
/// otherwise be written alone, and all the others after it. The thread sleeps, since the runtime's timer knows only
/// milliseconds; nothing else runs on it then.
fn gather(queue: &mut mpsc::Receiver<Item>, items: &mut Vec<Item>, before: usize) {
    while items.len() < before {
        std::thread::sleep(NAP);
        let had = items.len();
        while items.len() < before
            && let Ok(item) = queue.try_recv()
        {
            items.push(item);
        }
        if items.len() == had {
            return;
        }
    }
}

/// Runs a batch; if an operation panics, each job alone, so that it takes no other with it.
async fn run<S: Store, C: Clock>(engine: &Engine<S, C>, jobs: Vec<Job>) -> Vec<Reply> {
    if let Some(replies) = attempt(engine, &jobs).await {
        return replies;
    }
    let mut replies = Vec::with_capacity(jobs.len());
    for job in jobs {
        let alone = attempt(engine, &[job]).await.and_then(|mut replies| replies.pop());
        let broken = || Reply::Failed(StoreError::Refused("the operation broke off".into()));
        replies.push(alone.unwrap_or_else(broken));
    }
    replies
}

/// None if an operation panicked; its transaction was dropped.
async fn attempt<S: Store, C: Clock>(engine: &Engine<S, C>, jobs: &[Job]) -> Option<Vec<Reply>> {
    let mut running = Box::pin(engine.execute(jobs));
    // After a panic the future is not looked at again, and the engine keeps nothing from one batch to the next.
    poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(context)));
        polled.map_or(Poll::Ready(None), |polled| polled.map(Some))
    })
    .await
}

fn lock(flying: &Flying) -> std::sync::MutexGuard<'_, HashSet<String>> {
    flying.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(error: &dyn std::error::Error) -> StoreError {
    StoreError::Failed(error.to_string())
}
