//! The records as the handlers see them: one way to write, one way to read.
use crate::counter::plugged::{Asking, Nobody};
use crate::plugins::ask::{Answers, KeepsFailures, Within};
use crate::records::{
    Answer, Aside, Bounds, Clock, Database, Engine, Full, Job, Limits, Operation, Refusal, Reply, Stop,
    StoreError, SystemClock, Writer, migrate,
};
use crate::server::problem::Problem;
use sea_orm::{DatabaseConnection, DbBackend, DbErr};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// Where nobody said how long plugins may be asked.
const UNASKED: Duration = Duration::from_secs(5);

/// What was recorded, and the way to record more.
#[derive(Clone)]
pub struct Records {
    /// Where the database is, for whoever needs more connections.
    url: Arc<str>,
    writer: Arc<Writer>,
    reader: DatabaseConnection,
    /// Runs operations that only look.
    engine: Arc<Engine<Database>>,
    /// Connections belong to the runtime that opened them; workers of the server come and go.
    runtime: Handle,
    plugins: Arc<dyn Answers>,
    failures: Option<Arc<dyn KeepsFailures>>,
    /// How long plugins are asked for one request.
    ask_for: Duration,
}

/// The open database and the threads that serve it.
pub struct Opened {
    pub records: Records,
    stop: oneshot::Sender<()>,
    reading: JoinHandle<()>,
}

impl Opened {
    /// Opens the database, brings its schema up to date, and starts the writer; nobody answers for plugins yet.
    pub fn open(url: &str, bounds: Bounds) -> Result<Opened, StoreError> {
        let (opened, opening) = std::sync::mpsc::sync_channel(1);
        let (stop, stopped) = oneshot::channel();
        let address = url.to_owned();
        let body = move || {
            let runtime = match Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(opened.send(Err(failed(&error)))),
            };
            runtime.block_on(async move {
                match open(&address).await {
                    Ok(database) => {
                        let _ = opened.send(Ok((database.clone(), Handle::current())));
                        let _ = stopped.await;
                        let _ = database.close().await;
                    }
                    Err(error) => drop(opened.send(Err(error))),
                }
            });
        };
        let reading =
            std::thread::Builder::new().name("reader".into()).spawn(body).map_err(|error| failed(&error))?;
        let (database, runtime) = opening.recv().map_err(|error| failed(&error))??;
        let writer = Arc::new(start(url.to_owned(), bounds, Limits::default())?);
        let reader = database.reader().clone();
        let engine = Arc::new(Engine::new(database, SystemClock));
        let plugins = Arc::new(Nobody);
        Ok(Opened {
            records: Records {
                url: url.into(),
                writer,
                reader,
                engine,
                runtime,
                plugins,
                failures: None,
                ask_for: UNASKED,
            },
            stop,
            reading,
        })
    }

    /// After the last request: what waits is committed, then the connections are closed.
    pub async fn close(self) {
        self.records.writer.close().await;
        drop(self.stop);
        let _ = self.reading.join();
    }
}

/// Who takes it first, the change or whoever waits for it, decides whether it is made.
#[derive(Clone, Default)]
pub struct Leave(Arc<AtomicBool>);

impl Leave {
    /// Whether nobody took it before.
    pub fn take(&self) -> bool {
        !self.0.swap(true, Ordering::SeqCst)
    }
}

fn start(url: String, bounds: Bounds, limits: Limits) -> Result<Writer, StoreError> {
    Writer::start(bounds, move || async move {
        Ok(Engine::new(Database::open_with(&url, limits).await?, SystemClock))
    })
}

async fn open(url: &str) -> Result<Database, StoreError> {
    let database = Database::open(url).await?;
    migrate(&database).await?;
    Ok(database)
}

fn failed(error: &dyn std::error::Error) -> StoreError {
    StoreError::Failed(error.to_string())
}

/// Writers for work in bulk; at least one.
pub struct Lanes {
    all: Vec<Records>,
    own: bool,
}

impl Lanes {
    /// The one whose turn it is.
    pub fn nth(&self, turn: usize) -> Option<&Records> {
        self.all.get(turn.checked_rem(self.all.len())?)
    }
    pub fn count(&self) -> usize {
        self.all.len()
    }
    /// Whether none of them is the writer of the tills.
    pub fn own(&self) -> bool {
        self.own
    }
    /// What waits is committed, then the connections are closed.
    pub async fn close(self) {
        if self.own {
            for lane in self.all {
                lane.writer.close().await;
            }
        }
    }
}

impl Records {
    /// The same records, with whoever answers what policies ask of plugins, how long they may be asked for one request, and
    /// whoever keeps what they have no answer for.
    pub fn asking(
        self,
        plugins: Arc<dyn Answers>,
        ask_for: Duration,
        failures: Arc<dyn KeepsFailures>,
    ) -> Records {
        Records { plugins, ask_for, failures: Some(failures), ..self }
    }
    /// When asking plugins for a request that begins now is over.
    pub fn ask_until(&self) -> Instant {
        Instant::now() + self.ask_for
    }
    /// Records a job; the answer comes after the commit. Plugins that it has to ask are asked outside of the transaction.
    pub async fn submit(&self, job: Job) -> Result<Reply, Full> {
        let until = self.ask_until();
        let find_out = async |aside: Aside| self.find_out(&aside, until).await;
        self.writer.submit_asking(job, find_out).await
    }
    /// For work in bulk, while it lasts: on PostgreSQL `count` writers beside the one of the tills, so that these do not wait
    /// behind pages of it; elsewhere the one writer that there can be.
    pub async fn lanes(&self, count: usize, bounds: Bounds) -> Lanes {
        let mut lanes = Vec::new();
        if self.engine.store().backend() == DbBackend::Postgres {
            for _ in 0..count {
                let url = self.url.to_string();
                let limits = Limits { connections: 1, ..Limits::default() };
                let started = tokio::task::spawn_blocking(move || start(url, bounds, limits)).await;
                // Where no connection is to be had, the others do it.
                if let Ok(Ok(writer)) = started {
                    lanes.push(Records { writer: Arc::new(writer), ..self.clone() });
                }
            }
        }
        Lanes { own: !lanes.is_empty(), all: if lanes.is_empty() { vec![self.clone()] } else { lanes } }
    }
    async fn find_out(&self, aside: &Aside, until: Instant) {
        Asking::find_out(aside, &self.plugins(until), SystemClock.now()).await;
    }
    /// Whoever answers for plugins, until a moment.
    pub fn plugins(&self, until: Instant) -> Within<'_> {
        Within { answers: self.plugins.as_ref(), until, failures: self.failures.clone() }
    }
    /// Runs queries where the connections live.
    pub async fn read<T, F, Q>(&self, query: Q) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, DbErr>> + Send + 'static,
        Q: FnOnce(DatabaseConnection) -> F + Send + 'static,
    {
        let reader = self.reader.clone();
        match self.runtime.spawn(async move { query(reader).await }).await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(error)) => Err(Problem::not_read(error.to_string()).retry_after(1)),
            Err(_) => Err(Problem::internal()),
        }
    }
    /// Runs an operation on one view of everything and writes nothing.
    pub async fn look(&self, operation: Arc<dyn Operation>) -> Result<Result<Answer, Refusal>, Problem> {
        let until = self.ask_until();
        loop {
            let (engine, operation) = (self.engine.clone(), operation.clone());
            let looked = self.runtime.spawn(async move { engine.look(operation.as_ref()).await }).await;
            match looked.map_err(|_| Problem::internal())? {
                Ok(Ok(answer)) => return Ok(Ok(answer)),
                Ok(Err(Stop::Refused(refusal))) => return Ok(Err(refusal)),
                // Ends: an operation asks a bounded number of times.
                Ok(Err(Stop::Ask(aside))) => self.find_out(&aside, until).await,
                Ok(Err(Stop::Missing(_))) => return Err(Problem::internal()),
                Err(error) => return Err(Problem::not_read(error.to_string()).retry_after(1)),
            }
        }
    }
    /// Changes what is no business of tills, beside the writer.
    pub async fn change<T, F, Q>(&self, change: Q) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
        Q: FnOnce(Database) -> F + Send + 'static,
    {
        let database = self.engine.store().clone();
        match self.runtime.spawn(async move { change(database).await }).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => Err(Problem::not_recorded(error.to_string()).retry_after(1)),
            Err(_) => Err(Problem::internal()),
        }
    }
    /// As [`Records::change`], for threads that are nobody's runtime: they wait, at most so long.
    pub fn change_now<T, F, Q>(&self, patience: Duration, change: Q) -> Result<T, String>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
        Q: FnOnce(Database) -> F + Send + 'static,
    {
        let database = self.engine.store().clone();
        let (done, waiting) = std::sync::mpsc::sync_channel(1);
        self.runtime.spawn(async move {
            let _ = done.send(change(database).await);
        });
        match waiting.recv_timeout(patience) {
            Ok(changed) => changed.map_err(|error| error.to_string()),
            Err(_) => Err("the database does not answer".into()),
        }
    }
    /// As [`Records::change_now`], for a change that takes leave before it commits: an error says that nothing was changed,
    /// and nothing will be.
    pub fn change_or_not<T, F, Q>(&self, until: Instant, change: Q) -> Result<T, String>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
        Q: FnOnce(Database, Leave) -> F + Send + 'static,
    {
        let leave = Leave::default();
        let (database, asked) = (self.engine.store().clone(), leave.clone());
        let (done, waiting) = std::sync::mpsc::sync_channel(1);
        let task = self.runtime.spawn(async move {
            let _ = done.send(change(database, asked).await);
        });
        let waited = match waiting.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Err(_) if leave.take() => {
                task.abort();
                return Err("the database does not answer".into());
            }
            // It is being committed: what becomes of it has to be known.
            Err(_) => waiting.recv(),
            Ok(changed) => Ok(changed),
        };
        match waited {
            Ok(changed) => changed.map_err(|error| error.to_string()),
            Err(_) => Err("the database does not answer".into()),
        }
    }
    /// Does something beside the requests, where the connections live.
    pub fn beside<F: Future<Output = ()> + Send + 'static>(&self, work: F) -> tokio::task::JoinHandle<()> {
        self.runtime.spawn(work)
    }
}
