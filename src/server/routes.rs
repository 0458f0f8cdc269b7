//! The routes: decide, decide many, what is loaded, health. Thin: everything is the program's.
use crate::lang::typed::DecisionId;
use crate::program::bind::nearest;
use crate::program::facts::Facts;
use crate::rulebook::{Program, Registry, Rulebooks};
use crate::server::problem::Problem;
use crate::server::request::{Ask, Batch, Lang};
use crate::server::{catalogue, settings::Settings};
use actix_web::http::header::{self, ContentType};
use actix_web::{HttpRequest, HttpResponse, web};
use std::cell::RefCell;
use std::sync::Arc;

/// The most items of a batch.
pub const MAX_ITEMS: usize = 1_000;
/// Larger requests are decided off the worker, whose other connections would wait.
const LARGE: usize = 32 << 10;

/// What handlers share.
pub(super) struct Shared {
    pub(super) registry: Arc<Registry>,
    pub(super) settings: Settings,
}

type Body = Result<web::Bytes, actix_web::Error>;

thread_local! {
    /// Facts are bound into the same buffers again and again.
    static FACTS: RefCell<Facts> = RefCell::new(Facts::default());
}

/// Adds all routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    let only = |allowed: &'static str| web::to(move |request: HttpRequest| wrong_method(request, allowed));
    config
        .service(
            web::resource("/v1/decisions/{decision}")
                .route(web::post().to(decide))
                .default_service(only("POST")),
        )
        .service(
            web::resource("/v1/decisions/{decision}/batch")
                .route(web::post().to(batch))
                .default_service(only("POST")),
        )
        .service(web::resource("/v1/policies").route(web::get().to(policies)).default_service(only("GET")))
        .service(
            web::resource("/healthz")
                .route(web::get().to(health))
                .route(web::head().to(health))
                .default_service(only("GET")),
        )
        .default_service(web::to(nothing));
}

async fn nothing(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Err(Problem::not_found(&request))
}

async fn wrong_method(request: HttpRequest, allowed: &'static str) -> HttpResponse {
    use actix_web::ResponseError;
    let mut response = Problem::method(&request, allowed).error_response();
    response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static(allowed));
    response
}

fn json(body: String) -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::json()).body(body)
}

/// The body, if it is said to be JSON and short enough.
fn checked(request: &HttpRequest, body: Body, shared: &Shared) -> Result<web::Bytes, Problem> {
    let said = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    let essence = said.split(';').next().unwrap_or("").trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Problem::media_type());
    }
    body.map_err(|error| Problem::payload(&error, shared.settings.body_limit))
}

async fn decide(
    request: HttpRequest,
    shared: web::Data<Shared>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let body = checked(&request, body, &shared)?;
    let decision = request.match_info().query("decision").to_owned();
    let books = shared.registry.current();
    let answer = move || one(&books, &decision, &body);
    if request_size(&request) <= LARGE {
        return answer().map(json);
    }
    web::block(answer).await.map_err(|_| Problem::internal())?.map(json)
}

/// What the client says that it sends; chunked bodies count as large.
fn request_size(request: &HttpRequest) -> usize {
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok());
    length.and_then(|l| l.parse().ok()).unwrap_or(usize::MAX)
}

fn one(books: &Rulebooks, decision: &str, body: &[u8]) -> Result<String, Problem> {
    let ask = Ask::parse(body)?;
    let (program, id) = look_up(books, &ask.store, decision)?;
    FACTS.with_borrow_mut(|facts| {
        program.binder().bind_into(ask.facts, facts).map_err(|error| Problem::facts(error, "facts"))?;
        let outcome = program.decide(id, facts);
        let explanation = ask.explain.then(|| explanation(&program, id, facts, ask.lang));
        let mut out = String::with_capacity(1_024);
        program.renderer().render_into(&mut out, &outcome, explanation.as_deref());
        Ok(out)
    })
}

fn explanation(_: &Program, _: DecisionId, _: &Facts, _: Lang) -> String {
    String::new()
}
fn look_up(books: &Rulebooks, store: &str, decision: &str) -> Result<(Arc<Program>, DecisionId), Problem> {
    let Some(found) = books.store(store) else {
        return Err(Problem::unknown_store(unknown("store", store, books.store_ids().collect())));
    };
    match found.program.decision(decision) {
        Some(id) => Ok((found.program.clone(), id)),
        None => {
            let decisions = &found.program.linked().rulebook.vocab.decisions;
            let names = decisions.iter().map(|d| d.name.as_str()).collect();
            Err(Problem::unknown_decision(unknown("decision", decision, names)))
        }
    }
}

/// The first few names only: a chain has thousands of stores.
fn unknown(what: &str, name: &str, known: Vec<&str>) -> String {
    let name: String = name.chars().take(100).collect();
    let meant =
        nearest(&name, known.iter().copied()).map(|n| format!(", did you mean {n:?}?")).unwrap_or_default();
    let more = if known.len() > 20 { format!(" and {} more", known.len() - 20) } else { String::new() };
    let shown: Vec<&str> = known.into_iter().take(20).collect();
    format!("there is no {what} {name:?}{meant} (known: {}{more})", shown.join(", "))
}

async fn batch(request: HttpRequest, shared: web::Data<Shared>, body: Body) -> Result<HttpResponse, Problem> {
    let body = checked(&request, body, &shared)?;
    let decision = request.match_info().query("decision").to_owned();
    let books = shared.registry.current();
    web::block(move || many(&books, &decision, &body)).await.map_err(|_| Problem::internal())?.map(json)
}

/// `{"results":[{"index":0,"answer":{…}},{"index":1,"problem":{…}}]}`, all by one program.
fn many(books: &Rulebooks, decision: &str, body: &[u8]) -> Result<String, Problem> {
    let batch = Batch::parse(body)?;
    if batch.items.len() > MAX_ITEMS {
        let detail = format!("{} items, at most {MAX_ITEMS} are decided at once", batch.items.len());
        return Err(Problem::too_many_items(detail));
    }
    let (program, id) = look_up(books, &batch.store, decision)?;
    let mut facts = Facts::default();
    let mut out = String::from("{\"results\":[");
    for (index, item) in batch.items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(&format!("{{\"index\":{index},"));
        match program.binder().bind_into(item.get().as_bytes(), &mut facts) {
            Ok(()) => {
                out.push_str("\"answer\":");
                program.renderer().render_into(&mut out, &program.decide(id, &facts), None);
            }
            Err(error) => {
                out.push_str("\"problem\":");
                out.push_str(&Problem::facts(error, &format!("items[{index}]")).json());
            }
        }
        out.push('}');
    }
    out.push_str("]}");
    Ok(out)
}

async fn policies(shared: web::Data<Shared>) -> HttpResponse {
    json(catalogue::policies(&shared.registry.current()))
}

async fn health(shared: web::Data<Shared>) -> HttpResponse {
    json(catalogue::health(&shared.registry))
}
