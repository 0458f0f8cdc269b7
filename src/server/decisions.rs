//! `POST /v1/decisions/{decision}` and its batch form: facts in, outcome out.
use crate::counter::desk::denied;
use crate::counter::plugged::{Heard, Place, Question, Settled, Settling, at_once, explained};
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
use serde_json::Map;
use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};

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
    let long = body.len() > LONG;
    let decided = if long {
        web::block(move || one(&books, &decision, &body)).await.map_err(|_| Problem::internal())?
    } else {
        one(&books, &decision, &body)
    };
    let mut items = vec![decided];
    find_out(&state, &mut items, long).await?;
    match items.pop() {
        Some(Ok(Decided::Done(text))) => Ok(answered(text)),
        Some(Err(problem)) => Err(problem),
        _ => Err(Problem::internal()),
    }
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
    let mut items = decided.map_err(|_| Problem::internal())??;
    find_out(&state, &mut items, true).await?;
    Ok(answered(listed(items)))
}

/// Asks plugins what the items wait for, all together, and decides these again, until none waits.
async fn find_out(state: &State, items: &mut [Item], long: bool) -> Result<(), Problem> {
    let plugins = state.records.plugins(state.records.ask_until());
    loop {
        let waiting: Vec<Arc<Waiting>> = items.iter().filter_map(waiting).collect();
        if waiting.is_empty() {
            return Ok(());
        }
        let now = chrono::Utc::now().timestamp_micros();
        let asking: Vec<_> = waiting.iter().map(|w| (&*w.heard, w.questions.as_slice())).collect();
        Heard::ask_all(&asking, &plugins, now).await;
        let again = move || -> Vec<Item> { waiting.iter().map(|w| w.decide()).collect() };
        let decided = if long { web::block(again).await.map_err(|_| Problem::internal())? } else { again() };
        let places = items.iter_mut().filter(|item| waiting_in(item));
        places.zip(decided).for_each(|(place, decided)| *place = decided);
    }
}

fn waiting(item: &Item) -> Option<Arc<Waiting>> {
    match item {
        Ok(Decided::Waits(waiting)) => Some(waiting.clone()),
        _ => None,
    }
}

fn waiting_in(item: &Item) -> bool {
    matches!(item, Ok(Decided::Waits(_)))
}

/// What became of an item so far.
type Item = Result<Decided, Problem>;

enum Decided {
    /// The answer's JSON.
    Done(String),
    Waits(Arc<Waiting>),
}

/// What is decided, and where.
#[derive(Clone)]
struct Asker {
    store: String,
    program: Arc<Program>,
    decision: DecisionId,
    explain: bool,
}

/// A question that waits for plugins.
struct Waiting {
    asker: Asker,
    /// How far it came; taken when it goes on.
    settling: Mutex<Settling>,
    heard: Arc<Heard>,
    questions: Vec<Question>,
}

impl Waiting {
    fn decide(&self) -> Item {
        let settling = std::mem::take(&mut *self.settling.lock().unwrap_or_else(PoisonError::into_inner));
        self.asker.clone().decide(settling, self.heard.clone())
    }
}

impl Asker {
    /// Decides with what plugins have said so far. Facts of theirs that the caller says are believed: nothing is recorded.
    fn decide(self, mut settling: Settling, heard: Arc<Heard>) -> Item {
        let place = Place { program: &self.program, store: &self.store, heard: &heard };
        match settling.go_on(&place, self.decision, &Map::new()).map_err(Problem::of_fact)? {
            Settled::Ask(questions) => {
                let settling = Mutex::new(settling);
                Ok(Decided::Waits(Arc::new(Waiting { asker: self, settling, heard, questions })))
            }
            Settled::Denied(note) => Err(denied(&note).into()),
            Settled::Ruled(ruled) => {
                let program = &self.program;
                let explanation = self
                    .explain
                    .then(|| explained(program.explanation(self.decision, &ruled.bound), &ruled.notes));
                let mut out = String::with_capacity(2048);
                let outcome = &ruled.outcome;
                program.renderer().render_with(&mut out, outcome, explanation.as_deref(), &ruled.whys());
                if !ruled.notes.is_empty() && out.pop() == Some('}') {
                    out.push_str(",\"plugins\":");
                    out.push_str(&serde_json::to_string(&ruled.notes).map_err(|_| Problem::internal())?);
                    out.push('}');
                }
                Ok(Decided::Done(out))
            }
        }
    }
}

fn answered(body: String) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(body)
}

fn one(books: &Rulebooks, decision: &str, body: &[u8]) -> Item {
    let ask = Ask::parse(body)?;
    let (program, decision) = look_up(books, &ask.store, decision)?;
    answer(&program, &ask.store, decision, ask.facts, ask.explain)
}

fn many(books: &Rulebooks, decision: &str, body: &[u8], most: usize) -> Result<Vec<Item>, Problem> {
    let batch = Batch::parse(body)?;
    if batch.items.len() > most {
        let detail = format!("a batch holds at most {most} items, this one has {}", batch.items.len());
        return Err(Problem::too_large(detail).at("items"));
    }
    let (program, decision) = look_up(books, &batch.store, decision)?;
    let items = batch.items.into_iter();
    let answered =
        items.map(|item| item.and_then(|i| answer(&program, &batch.store, decision, i.facts, i.explain)));
    Ok(answered.collect())
}

fn listed(items: Vec<Item>) -> String {
    let mut out = String::with_capacity(items.len() * 1024);
    out.push_str("{\"items\":[");
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        match item {
            Ok(Decided::Done(text)) => out.push_str(&text),
            Ok(Decided::Waits(_)) => out.push_str("null"),
            Err(problem) => {
                out.push_str("{\"problem\":");
                out.push_str(&problem.inside(&format!("items[{i}]")).json());
                out.push('}');
            }
        }
    }
    out.push_str("]}");
    out
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

/// Bind, decide, write: the answer's JSON, or what plugins have to be asked first.
fn answer(program: &Arc<Program>, store: &str, decision: DecisionId, facts: &[u8], explain: bool) -> Item {
    FACTS.with_borrow_mut(|bound| {
        program.binder().bind_into(facts, bound).map_err(Problem::of_fact)?;
        let outcome = match at_once(program, decision, bound) {
            Ok(outcome) => outcome,
            Err(lacking) => {
                let settling = Settling::from_first_try(facts.to_vec(), bound.clone(), lacking);
                let asker = Asker { store: store.to_owned(), program: program.clone(), decision, explain };
                return asker.decide(settling, Arc::default());
            }
        };
        let explanation = explain.then(|| program.explanation(decision, bound));
        let mut out = String::with_capacity(2048);
        program.renderer().render_into(&mut out, &outcome, explanation.as_deref());
        Ok(Decided::Done(out))
    })
}
