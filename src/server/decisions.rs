//! `POST /v1/decisions/{decision}` and its batch form: facts in, outcome out.
use crate::lang::typed::DecisionId;
use crate::rulebook::Program;
use crate::server::problem::Problem;
use crate::server::state::State;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::sync::Arc;

/// One question. Facts stay text until the program's own layout reads them: no tree in between.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask<'a> {
    #[serde(borrow)]
    store: Cow<'a, str>,
    #[serde(borrow)]
    facts: &'a RawValue,
    #[serde(default)]
    explain: bool,
}

/// Many questions to one store.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch<'a> {
    #[serde(borrow)]
    store: Cow<'a, str>,
    #[serde(borrow)]
    items: Vec<Item<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item<'a> {
    #[serde(borrow)]
    facts: &'a RawValue,
    #[serde(default)]
    explain: bool,
}

/// Decide once.
pub async fn decide(
    request: HttpRequest,
    decision: web::Path<String>,
    payload: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, Problem> {
    let body = body(&request, payload, &state).await?;
    let ask: Ask = read(&body)?;
    let program = program(&state, &ask.store)?;
    let decision = decision_of(&program, &decision)?;
    let mut out = String::with_capacity(2048);
    answer(&program, decision, ask.facts, ask.explain, &mut out)?;
    Ok(HttpResponse::Ok().content_type("application/json").body(out))
}

/// Decide many times. An item that cannot be decided carries its problem; the others are unaffected.
pub async fn batch(
    request: HttpRequest,
    decision: web::Path<String>,
    payload: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, Problem> {
    let body = body(&request, payload, &state).await?;
    let batch: Batch = read(&body)?;
    let most = state.settings.max_batch;
    if batch.items.len() > most {
        let detail = format!("a batch holds at most {most} items, this one has {}", batch.items.len());
        return Err(Problem::too_large(detail).at("items"));
    }
    let program = program(&state, &batch.store)?;
    let decision = decision_of(&program, &decision)?;
    let mut out = String::with_capacity(batch.items.len() * 1024);
    out.push_str("{\"items\":[");
    for (i, item) in batch.items.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        if let Err(problem) = answer(&program, decision, item.facts, item.explain, &mut out) {
            let problem = serde_json::json!({ "problem": problem.inside(&format!("items[{i}]")) });
            out.push_str(&problem.to_string());
        }
    }
    out.push_str("]}");
    Ok(HttpResponse::Ok().content_type("application/json").body(out))
}

/// The whole body, if it is JSON by its media type and within the limit.
async fn body(request: &HttpRequest, payload: web::Payload, state: &State) -> Result<web::Bytes, Problem> {
    let media = request.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("application/json") {
        let found = if media.is_empty() { "no Content-Type".to_string() } else { format!("`{media}`") };
        return Err(Problem::unsupported(format!(
            "this address reads `application/json`, the request has {found}"
        )));
    }
    let limit = state.settings.max_body;
    match payload.to_bytes_limited(limit).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(broken)) => Err(Problem::malformed(broken.to_string())),
        Err(_) => Err(Problem::too_large(format!("a body holds at most {limit} bytes"))),
    }
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|e| Problem::malformed(e.to_string()))
}

fn program(state: &State, store: &str) -> Result<Arc<Program>, Problem> {
    let current = state.registry.current();
    match current.store(store) {
        Some(store) => Ok(store.program.clone()),
        None => {
            let known: Vec<&str> = current.store_ids().take(20).collect();
            let detail = format!("there is no store `{store}`; stores: {}", known.join(", "));
            Err(Problem::unknown_store(detail).at("store"))
        }
    }
}

fn decision_of(program: &Program, name: &str) -> Result<DecisionId, Problem> {
    program.decision(name).ok_or_else(|| {
        let decisions = &program.linked().rulebook.vocab.decisions;
        let known: Vec<&str> = decisions.iter().map(|d| d.name.as_str()).collect();
        Problem::unknown_decision(format!("there is no decision `{name}`; decisions: {}", known.join(", ")))
    })
}

/// Bind, decide, write: the answer's JSON is appended to `out`, which stays as it was if the facts are not acceptable.
fn answer(
    program: &Program,
    decision: DecisionId,
    facts: &RawValue,
    explain: bool,
    out: &mut String,
) -> Result<(), Problem> {
    let facts = program.binder().bind(facts.get().as_bytes()).map_err(Problem::of_fact)?;
    let outcome = program.decide(decision, &facts);
    let explanation = explain.then(|| program.explanation(decision, &facts));
    program.renderer().render_into(out, &outcome, explanation.as_deref());
    Ok(())
}
