//! The HTTP server: routes, settings, problem details; no business rule lives here.
mod answer;
mod bodies;
mod body;
mod chores;
mod codes;
mod decisions;
mod matching;
mod members;
mod offline;
mod openapi;
mod overview;
mod plugins;
mod points;
mod problem;
mod query;
mod recorded;
mod records;
mod request;
mod returns;
mod routes;
mod sales;
mod settings;
mod settlements;
mod settling;
mod shown;
mod state;
mod stores;
mod write;

pub use codes::CODES;
pub use openapi::openapi;
pub use routes::ROUTES;
pub use settings::{Flags, Settings, SettingsError};

use crate::counter::tickets::{self, EnsureSecret, fresh_key};
use crate::plugins::ask::Answers;
use crate::records::{Bounds, StoreError};
use crate::rulebook::{OpenError, Registry, Reload, Watch};
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, HttpServer, rt, web};
use problem::Problem;
use records::{Opened, Records};
use state::State;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// An upload compiles and runs what it brings; the compiler has limits of its own.
const UPLOAD: Duration = Duration::from_secs(300);

/// Why the server could not start or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("{0}")]
    Policies(#[from] OpenError),
    #[error("{0}")]
    Records(#[from] StoreError),
    /// What has to be in the records before the first request.
    #[error("the records could not be prepared: {0}")]
    Preparing(String),
    /// The host of plugins does not start, or its settings are wrong.
    #[error("plugins: {0}")]
    Plugins(String),
    #[error("cannot listen on {address}: {cause}")]
    Listen { address: String, cause: std::io::Error },
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Load the policies, open the records and serve until a signal says stop; requests in flight are answered first.
pub fn serve(settings: Settings) -> Result<(), ServeError> {
    serve_for(settings, None)
}

/// As [`serve`], but what policies ask of plugins is answered by somebody else than the plugins that are installed.
pub fn serve_with(settings: Settings, answers: Arc<dyn Answers>) -> Result<(), ServeError> {
    serve_for(settings, Some(answers))
}

fn serve_for(settings: Settings, answers: Option<Arc<dyn Answers>>) -> Result<(), ServeError> {
    let registry = Arc::new(Registry::open(&settings.policies)?);
    let bounds = Bounds { queue: settings.queue, batch: settings.batch };
    let opened = Opened::open(&settings.database, bounds)?;
    let plugins = Arc::new(plugins::Plugins::open(&settings, &opened.records).map_err(ServeError::Plugins)?);
    // What plugins came to still has to be decided on and recorded in time.
    let ask_for = request_time(&settings) * 3 / 4;
    let answers = answers.unwrap_or_else(|| plugins.clone());
    let records = opened.records.clone().asking(answers, ask_for, plugins.failures.clone());
    let guarding = plugins.clone();
    registry.guard(Box::new(move |books| guarding.keep(books)));
    let stores = (records.clone(), registry.clone());
    let changed = move |change: &Reload| report(change, &stores.0, &stores.1);
    let _watch = if settings.reload { Some(Watch::start(registry.clone(), changed)?) } else { None };
    let (settling, old_books) = (settling::Settling::default(), recorded::OldBooks::default());
    let arrivals = Arc::default();
    let state = Arc::new(State { settings, registry, records, settling, old_books, plugins, arrivals });
    actix_web::rt::System::new().block_on(async move {
        let served = run(state).await;
        opened.close().await;
        served
    })
}

/// What a change of the policies came to, for the operator; stores that are new are taken up.
fn report(change: &Reload, records: &Records, registry: &Arc<Registry>) {
    match change {
        Reload::Same => {}
        Reload::Swapped => {
            say("policies: the change is taken up");
            let (records, books) = (records.clone(), registry.current());
            let on = records.clone();
            on.beside(async move {
                if let Err(why) = chores::sync_stores(&records, &books).await {
                    say(&format!("stores: the change is not recorded: {why}"));
                }
            });
        }
        Reload::Refused(why) => {
            say(&format!("policies: the change is refused, the old policies serve on\n{}", why.trim_end()));
        }
    }
}

/// A message for the operator; that nobody can read it is no reason to stop serving.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

async fn run(state: Arc<State>) -> Result<(), ServeError> {
    let settings = state.settings.clone();
    let address = &settings.listen;
    prepare(&state).await?;
    if let Err(why) = state.plugins.keep(&state.registry.current()) {
        say(&format!("plugins: WARNING: they do not keep what the policies declare; such calls fail\n{why}"));
    }
    let keeping_up =
        state.records.beside(chores::keep_up(state.records.clone(), state.registry.clone(), say));
    let beside = [
        keeping_up,
        match_returns(&state),
        keep_plugins(&state),
        deliver(&state),
        sweep_plugins(&state),
        tell_birthdays(&state),
        keep_failures(&state),
    ];
    let (stores, plugins) = (state.registry.current().store_ids().count(), state.plugins.clone());
    let data = web::Data::from(state);
    let time = request_time(&settings);
    let app = move || {
        let in_time = from_fn(move |request: ServiceRequest, next| {
            let upload = request.path() == "/v1/plugins" && request.method() == Method::POST;
            in_time(if upload { UPLOAD.max(time) } else { time }, request, next)
        });
        App::new().app_data(data.clone()).wrap(in_time).configure(routes::register)
    };
    let mut server = HttpServer::new(app)
        .keep_alive(Duration::from_secs(settings.keep_alive))
        .client_request_timeout(time)
        .shutdown_timeout(settings.shutdown_timeout)
        .shutdown_signal(told_to_stop());
    if settings.workers > 0 {
        server = server.workers(settings.workers);
    }
    let server =
        server.bind(address).map_err(|cause| ServeError::Listen { address: address.clone(), cause })?;
    for address in server.addrs() {
        // On stdout and flushed: scripts wait for this line.
        let mut out = std::io::stdout();
        let _ =
            writeln!(out, "zhanggui serves {stores} stores on http://{address}").and_then(|()| out.flush());
    }
    let served = server.run().await;
    // Whatever else wants to be recorded is left for the next start.
    beside.iter().for_each(JoinHandle::abort);
    plugins.last_failures().await;
    Ok(served?)
}

fn request_time(settings: &Settings) -> Duration {
    Duration::from_secs(settings.request_timeout.max(1))
}

/// Records returns that wait for their sales.
fn match_returns(state: &State) -> JoinHandle<()> {
    let (records, registry, arrivals) =
        (state.records.clone(), state.registry.clone(), state.arrivals.clone());
    state.records.beside(matching::keep_matching(records, registry, arrivals, say))
}

/// Follows what other nodes do with plugins.
fn keep_plugins(state: &State) -> JoinHandle<()> {
    state.records.beside(state.plugins.clone().keep_up(say))
}

/// Sweeps out compiled plugins that nobody uses.
fn sweep_plugins(state: &State) -> JoinHandle<()> {
    state.records.beside(plugins::sweep::keep_sweeping(state.plugins.clone(), say))
}

/// Writes down what plugins have no answer for.
fn keep_failures(state: &State) -> JoinHandle<()> {
    let days = state.settings.plugin_failure_days.max(1);
    state.records.beside(plugins::failures::keep_writing(state.plugins.clone(), days, say))
}

/// Delivers events to plugins.
fn deliver(state: &State) -> JoinHandle<()> {
    let patience = plugins::deliver::Patience::of(&state.settings);
    let (plugins, registry) = (state.plugins.clone(), state.registry.clone());
    state.records.beside(plugins::deliver::keep_delivering(plugins, registry, patience, say))
}

/// Tells birthdays.
fn tell_birthdays(state: &State) -> JoinHandle<()> {
    let (records, registry) = (state.records.clone(), state.registry.clone());
    state.records.beside(plugins::birthdays::keep_telling(records, registry, say))
}

/// What has to be in the records before the first request.
async fn prepare(state: &State) -> Result<(), ServeError> {
    let ready = async {
        chores::sync_stores(&state.records, &state.registry.current()).await?;
        for name in [tickets::KEY, tickets::IDENTITY_KEY] {
            let value = fresh_key().map_err(|error| error.to_string())?;
            let key = EnsureSecret { name: name.to_owned(), value };
            chores::run(&state.records, Arc::new(key)).await?;
        }
        state.plugins.sync().await.map_err(|problem| problem.to_string())
    };
    ready.await.map_err(ServeError::Preparing)
}

/// A client that never finishes its body, or an answer that never comes, ends here.
async fn in_time<B: MessageBody>(
    time: Duration,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    match rt::time::timeout(time, next.call(request)).await {
        Ok(answered) => answered,
        Err(_) => {
            Err(Problem::timeout(format!("there was no answer after {} seconds", time.as_secs())).into())
        }
    }
}

/// The operator's Ctrl-C and the supervisor's SIGTERM both let requests in flight finish.
async fn told_to_stop() {
    #[cfg(unix)]
    {
        use rt::signal::unix::{SignalKind, signal};
        use std::future::{Future, poll_fn};
        use std::task::Poll;
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            let mut interrupt = std::pin::pin!(rt::signal::ctrl_c());
            return poll_fn(|cx| {
                let told = terminate.poll_recv(cx).is_ready() || interrupt.as_mut().poll(cx).is_ready();
                if told { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        }
    }
    let _ = rt::signal::ctrl_c().await;
}
