//! The HTTP server: routes, settings, problem details; no business rule lives here.
mod decisions;
mod overview;
mod problem;
mod settings;
mod state;

pub use settings::{Flags, Settings, SettingsError};

use crate::rulebook::{OpenError, Registry, Reload, Watch};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use problem::Problem;
use state::State;
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
        Reload::Swapped => eprintln!("policies: the change is taken up"),
        Reload::Refused(why) => {
            eprintln!("policies: the change is refused, the old policies serve on\n{why}")
        }
    }
}

async fn run(state: Arc<State>) -> Result<(), ServeError> {
    let address = state.settings.listen.clone();
    let workers = state.settings.workers;
    let stores = state.registry.current().store_ids().count();
    let data = web::Data::from(state);
    let mut server = HttpServer::new(move || App::new().app_data(data.clone()).configure(routes))
        .keep_alive(Duration::from_secs(75))
        .client_request_timeout(Duration::from_secs(10))
        .shutdown_timeout(10);
    if workers > 0 {
        server = server.workers(workers);
    }
    let server =
        server.bind(&address).map_err(|cause| ServeError::Listen { address: address.clone(), cause })?;
    for address in server.addrs() {
        // On stdout and flushed by the newline: scripts wait for this line.
        println!("zhanggui serves {stores} stores on http://{address}");
    }
    Ok(server.run().await?)
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
        web::resource("/healthz").route(web::get().to(overview::health)).default_service(web::to(only_get)),
    )
    .default_service(web::to(nowhere));
}

async fn only_post() -> Result<HttpResponse, Problem> {
    Err(Problem::method_not_allowed("use POST"))
}

async fn only_get() -> Result<HttpResponse, Problem> {
    Err(Problem::method_not_allowed("use GET"))
}

async fn nowhere(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Err(Problem::not_found(format!("there is nothing at {}", request.path())))
}
