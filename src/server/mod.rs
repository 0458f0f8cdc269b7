//! The HTTP server: thin, so that what it answers is what the program says.
//!
//! Invariants: no bad request and no bad file ends it; a request is decided by one version of the policies from
//! beginning to end; every error is a problem document.
mod catalogue;
mod problem;
mod request;
mod routes;
pub mod settings;

pub use routes::MAX_ITEMS;

use crate::rulebook::{OpenError, Registry, Reload, Watch};
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, HttpServer, ResponseError, rt, web};
use problem::Problem;
use routes::Shared;
use settings::Settings;
use std::sync::Arc;
use std::time::Duration;

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("the settings cannot be used: {0}")]
    Settings(#[from] config::ConfigError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("cannot listen on {address}: {error}")]
    Listen { address: String, error: std::io::Error },
    #[error("the server failed: {0}")]
    Run(std::io::Error),
}

/// Serves until a signal says to stop. `say` hears what happens: addresses, policies taken up or refused.
pub fn serve(settings: Settings, say: impl Fn(&str) + Clone + Send + 'static) -> Result<(), ServeError> {
    let registry = Arc::new(Registry::open(&settings.policies)?);
    rt::System::new().block_on(run(settings, registry, say))
}

async fn run(
    settings: Settings,
    registry: Arc<Registry>,
    say: impl Fn(&str) + Clone + Send + 'static,
) -> Result<(), ServeError> {
    let shared = web::Data::new(Shared { registry: registry.clone(), settings: settings.clone() });
    let limit = settings.body_limit;
    let time = Duration::from_secs(settings.request_timeout.max(1));
    let app = move || {
        App::new()
            .app_data(shared.clone())
            .app_data(web::PayloadConfig::new(limit))
            .wrap(from_fn(move |request, next| in_time(time, request, next)))
            .configure(routes::routes)
    };
    let mut server = HttpServer::new(app)
        .keep_alive(Duration::from_secs(settings.keep_alive))
        .client_request_timeout(time)
        .shutdown_timeout(settings.shutdown_timeout)
        .shutdown_signal(stop_signal());
    if settings.workers > 0 {
        server = server.workers(settings.workers);
    }
    let listen = |error| ServeError::Listen { address: settings.listen.clone(), error };
    let server = server.bind(&settings.listen).map_err(listen)?;
    for address in server.addrs() {
        say(&format!("listening on http://{address}"));
    }
    let books = registry.current();
    let names: Vec<&str> = books.books.iter().map(|b| b.name.as_str()).collect();
    say(&format!(
        "{} for {} stores: {}",
        settings.policies.display(),
        books.store_ids().count(),
        names.join(", ")
    ));
    drop(books);
    let watch = match settings.watch {
        true => Some(Watch::start(registry, reporter(say.clone())).map_err(ServeError::Run)?),
        false => None,
    };
    server.run().await.map_err(ServeError::Run)?;
    drop(watch);
    say("stopped");
    Ok(())
}

fn reporter(say: impl Fn(&str) + Send + 'static) -> impl Fn(&Reload) + Send + 'static {
    move |change| match change {
        Reload::Same => {}
        Reload::Swapped => say("policies changed and taken up"),
        Reload::Refused(findings) => {
            say(&format!("policies changed but refused, the old ones serve on:\n{}", findings.trim_end()));
        }
    }
}

/// A client that never finishes its body, or an answer that never comes, ends here.
async fn in_time<B: MessageBody>(
    time: Duration,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let raw = request.request().clone();
    match rt::time::timeout(time, next.call(request)).await {
        Ok(answered) => answered.map(ServiceResponse::map_into_left_body),
        Err(_) => {
            let response = Problem::timeout().error_response();
            Ok(ServiceResponse::new(raw, response).map_into_right_body())
        }
    }
}

/// Both the operator's Ctrl-C and the supervisor's SIGTERM let requests in flight finish.
async fn stop_signal() {
    #[cfg(unix)]
    {
        use rt::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            let interrupt = rt::signal::ctrl_c();
            let mut interrupt = std::pin::pin!(interrupt);
            std::future::poll_fn(|cx| {
                if terminate.poll_recv(cx).is_ready() || interrupt.as_mut().poll(cx).is_ready() {
                    std::task::Poll::Ready(())
                } else {
                    std::task::Poll::Pending
                }
            })
            .await;
            return;
        }
    }
    let _ = rt::signal::ctrl_c().await;
}
