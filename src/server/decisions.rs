//! `POST /v1/decisions/{decision}` and its batch form: facts in, outcome out.
use crate::lang::typed::DecisionId;
use crate::program::bind::nearest;
use crate::program::facts::Facts;
use crate::rulebook::{Program, Rulebooks};
use crate::server::body;
use crate::server::openapi::{AskBody, BatchBody, ProblemBody};
use crate::server::problem::Problem;
use crate::server::request::{Ask, Batch};
use crate::server::state::State;
use actix_web::{HttpRequest, HttpResponse, web};
use std::cell::RefCell;
use std::sync::Arc;

/// A worker serves many connections: what may take long is decided on another thread.
const LONG: usize = 32 << 10;

thread_local! {
    /// Facts are bound into the same buffers again and again.
    static FACTS: RefCell<Facts> = RefCell::new(Facts::default());
}

/// Decide once: facts in, outcome out; nothing is recorded
#[utoipa::path(post, path = "/v1/decisions/{decision}", tag = "decisions",
    params(("decision" = String, Path, description = "The name of the decision")), request_body = AskBody,
    responses((status = 200, description = "The answer", body = Value), (status = "default", response = ProblemBody)))]
pub async fn decide(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, Problem> {
    let body = body::bytes(&request, payload, &state).await?;
    let decision = request.match_info().query("decision").to_owned();
    let books = state.registry.current();
    let decided = if body.len() <= LONG {
        one(&books, &decision, &body)
    } else {
        web::block(move || one(&books, &decision, &body)).await.map_err(|_| Problem::internal())?
    };
    decided.map(json)
}

/// Decide many times. An item that cannot be decided carries its problem; the others are unaffected
#[utoipa::path(post, path = "/v1/decisions/{decision}/batch", tag = "decisions",
    params(("decision" = String, Path, description = "The name of the decision")), request_body = BatchBody,
    responses((status = 200, description = "An answer or a problem for each item", body = Value), (status = "default", response = ProblemBody)))]
pub async fn batch(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, Problem> {
    let body = body::bytes(&request, payload, &state).await?;
    let decision = request.match_info().query("decision").to_owned();
    let (books, most) = (state.registry.current(), state.settings.max_batch);
    let decided = web::block(move || many(&books, &decision, &body, most)).await;
    decided.map_err(|_| Problem::internal())?.map(json)
}

fn json(body: String) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(body)
}

fn one(books: &Rulebooks, decision: &str, body: &[u8]) -> Result<String, Problem> {
    let ask = Ask::parse(body)?;
    let (program, decision) = look_up(books, &ask.store, decision)?;
    let mut out = String::with_capacity(2048);
    answer(&program, decision, ask.facts, ask.explain, &mut out)?;
    Ok(out)
}

fn many(books: &Rulebooks, decision: &str, body: &[u8], most: usize) -> Result<String, Problem> {
    let batch = Batch::parse(body)?;
    if batch.items.len() > most {
        let detail = format!("a batch holds at most {most} items, this one has {}", batch.items.len());
        return Err(Problem::too_large(detail).at("items"));
    }
    let (program, decision) = look_up(books, &batch.store, decision)?;
    let mut out = String::with_capacity(batch.items.len() * 1024);
    out.push_str("{\"items\":[");
    for (i, item) in batch.items.into_iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        let answered = item.and_then(|item| answer(&program, decision, item.facts, item.explain, &mut out));
        if let Err(problem) = answered {
            out.push_str("{\"problem\":");
            out.push_str(&problem.inside(&format!("items[{i}]")).json());
            out.push('}');
        }
    }
    out.push_str("]}");
    Ok(out)
}

fn look_up(books: &Rulebooks, store: &str, decision: &str) -> Result<(Arc<Program>, DecisionId), Problem> {
    let Some(found) = books.store(store) else {
        let detail = unknown("store", store, books.store_ids().collect());
        return Err(Problem::unknown_store(detail).at("store"));
    };
    let program = found.program.clone();
    match program.decision(decision) {
        Some(id) => Ok((program, id)),
        None => {
            let names = program.linked().rulebook.vocab.decisions.iter().map(|d| d.name.as_str()).collect();
            Err(Problem::unknown_decision(unknown("decision", decision, names)).at("decision"))
        }
    }
}

/// With the name that was meant, and the first few that there are: a chain has thousands of stores.
fn unknown(what: &str, name: &str, known: Vec<&str>) -> String {
    let name: String = name.chars().take(100).collect();
    let meant = nearest(&name, known.iter().copied()).map(|n| format!(", did you mean `{n}`?"));
    let more = if known.len() > 20 { format!(" and {} more", known.len() - 20) } else { String::new() };
    let shown: Vec<&str> = known.into_iter().take(20).collect();
    format!("there is no {what} {name:?}{} (known: {}{more})", meant.unwrap_or_default(), shown.join(", "))
}

/// Bind, decide, write: the answer's JSON is appended to `out`, which stays as it was if the facts are not acceptable.
fn answer(
    program: &Program,
    decision: DecisionId,
    facts: &[u8],
    explain: bool,
    out: &mut String,
) -> Result<(), Problem> {
    FACTS.with_borrow_mut(|bound| {
        program.binder().bind_into(facts, bound).map_err(Problem::of_fact)?;
        let outcome = program.decide(decision, bound);
        let explanation = explain.then(|| program.explanation(decision, bound));
        program.renderer().render_into(out, &outcome, explanation.as_deref());
        Ok(())
    })
}
