//! The HTTP server: routes, settings, problem details; no business rule lives here.
mod decisions;
mod overview;
mod problem;
mod request;
mod settings;
mod state;

pub use settings::{Flags, Settings, SettingsError};

use crate::rulebook::{OpenError, Registry, Reload, Watch};
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, ResponseError, rt, web};
use problem::Problem;
use state::State;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

/// Why the server could not start or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("{0}")]
    Policies(#[from] OpenError),
    #[error("cannot listen on {address}: {cause}")]
    Listen { address: String, cause: std::io::Error },
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Load the policies and serve until a signal says stop; requests in flight are answered first.
pub fn serve(settings: Settings) -> Result<(), ServeError> {
    let registry = Arc::new(Registry::open(&settings.policies)?);
    let _watch = if settings.reload { Some(Watch::start(registry.clone(), report)?) } else { None };
    actix_web::rt::System::new().block_on(run(Arc::new(State { settings, registry })))
}

/// What a change of the policies came to, for the operator.
fn report(change: &Reload) {
    match change {
        Reload::Same => {}
        Reload::Swapped => say("policies: the change is taken up"),
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
    let stores = state.registry.current().store_ids().count();
    let data = web::Data::from(state);
    let time = Duration::from_secs(settings.request_timeout.max(1));
    let app = move || {
        let in_time = from_fn(move |request, next| in_time(time, request, next));
        App::new().app_data(data.clone()).wrap(in_time).configure(routes)
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
    Ok(server.run().await?)
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

fn routes(app: &mut web::ServiceConfig) {
    app.service(
        web::resource("/v1/decisions/{decision}")
            .route(web::post().to(decisions::decide))
            .default_service(web::to(only_post)),
    )
    .service(
        web::resource("/v1/decisions/{decision}/batch")
            .route(web::post().to(decisions::batch))
            .default_service(web::to(only_post)),
    )
    .service(
        web::resource("/v1/policies")
            .route(web::get().to(overview::policies))
            .default_service(web::to(only_get)),
    )
    .service(
        web::resource("/healthz")
            .route(web::get().to(overview::health))
            .route(web::head().to(overview::health))
            .default_service(web::to(only_get)),
    )
    .default_service(web::to(nowhere));
}

async fn only_post() -> HttpResponse {
    not_allowed("POST")
}

async fn only_get() -> HttpResponse {
    not_allowed("GET")
}

fn not_allowed(use_instead: &'static str) -> HttpResponse {
    let mut response = Problem::method_not_allowed(format!("use {use_instead}")).error_response();
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(use_instead));
    response
}

async fn nowhere(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Err(Problem::not_found(format!("there is nothing at {}", request.path())))
}
