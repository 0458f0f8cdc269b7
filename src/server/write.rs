//! Writes: one key, one answer. What comes in becomes a job for the writer, and what the writer says becomes a response.
use crate::counter::Desk;
use crate::program::iso::parse_datetime;
use crate::records::{Answer, Job, Operation, Reply, Stop, StoreError, Unit, Want, ids};
use crate::rulebook::Rulebooks;
use crate::server::body;
use crate::server::problem::Problem;
use crate::server::query::query;
use crate::server::state::State;
use actix_web::http::StatusCode;
use actix_web::http::header::IF_MATCH;
use actix_web::{HttpRequest, HttpResponse, web};
use sea_orm::prelude::Uuid;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use utoipa::IntoParams;

/// The caller's name until keys of callers are there: it sets apart what two callers call by one key.
const CLIENT: &str = "x-client";
const KEY: &str = "idempotency-key";
const REPLAYED: &str = "Idempotent-Replayed";

/// What every write has in its head.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "documents headers that are read by hand")]
pub struct WriteHead {
    /// Names the write: the same key with the same body gets the stored answer, marked `Idempotent-Replayed: true`.
    /// 1 to 255 visible ASCII characters; needed unless `dry_run=true`.
    #[param(rename = "Idempotency-Key", required = false, max_length = 255)]
    key: String,
    /// Who calls; keys of different callers are different keys.
    #[param(rename = "X-Client", required = false, max_length = 100)]
    client: String,
}

/// What may follow the address of a write.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct WriteQuery {
    /// Answers what would be, and records nothing.
    #[serde(default)]
    #[param(required = false)]
    dry_run: bool,
    /// For dry runs: the time that it is taken to be (RFC 3339 with an offset), which may lie in the future.
    #[param(required = false)]
    as_of: Option<String>,
}

/// What an operation is made from, beside its body.
#[derive(Debug)]
pub struct Call {
    books: Arc<Rulebooks>,
    /// What the request's key names: everything that the operation writes gets its ids from it.
    pub operation: Uuid,
    pub dry: bool,
}

impl Call {
    /// In whose name plugins are asked; questions of which nothing is recorded have none.
    fn name(&self) -> String {
        if self.dry { String::new() } else { self.operation.to_string() }
    }
    /// The desk of a store.
    pub fn desk(&self, store: &str) -> Result<Desk, Problem> {
        Ok(Desk::at(self.books.clone(), store)?.for_operation(&self.name()))
    }
}

/// Reads a write, runs its operation, answers.
pub async fn write<T, F>(
    request: &HttpRequest,
    payload: web::Payload,
    state: &State,
    make: F,
) -> Result<HttpResponse, Problem>
where
    T: DeserializeOwned,
    F: FnOnce(&Call, T) -> Result<Arc<dyn Operation>, Problem>,
{
    let (call, job) = prepare(request, payload, state, make).await?;
    let reply = submit(state, job).await?;
    respond(reply, call.dry)
}

/// Reads a write as far as the job that it is.
pub async fn prepare<T, F>(
    request: &HttpRequest,
    payload: web::Payload,
    state: &State,
    make: F,
) -> Result<(Call, Job), Problem>
where
    T: DeserializeOwned,
    F: FnOnce(&Call, T) -> Result<Arc<dyn Operation>, Problem>,
{
    let asked: WriteQuery = query(request)?;
    let as_of = asked.as_of.as_deref().map(instant).transpose()?;
    if as_of.is_some() && !asked.dry_run {
        return Err(Problem::malformed("only a dry run may say what time it is").at("as_of"));
    }
    let key = if asked.dry_run { None } else { Some(key(request)?) };
    let body = body::bytes(request, payload, state).await?;
    let tree = body::tree(&body)?;
    let version = request.headers().get(IF_MATCH).map(|tag| tag.as_bytes());
    let fingerprint = body::fingerprint(request.method().as_str(), request.path(), version, &tree);
    let operation = match &key {
        Some((client, key)) => ids::named(&["operation", client, key]),
        None => ids::named(&["dry run", &fingerprint]),
    };
    let call = Call { books: state.registry.current(), operation, dry: asked.dry_run };
    let mut operation = make(&call, body::read(tree)?)?;
    if let Some(now) = as_of {
        operation = Arc::new(At { now, operation });
    }
    // A client's name has no blank: the stored key can be taken apart in one way only.
    let key = key.map(|(client, key)| format!("{client} {key}"));
    Ok((call, Job { key, dry: asked.dry_run, fingerprint, operation }))
}

/// Reads what is asked and runs it on what is recorded; nothing is written, so no key is needed.
pub async fn look<T, F>(
    request: &HttpRequest,
    payload: web::Payload,
    state: &State,
    make: F,
) -> Result<HttpResponse, Problem>
where
    T: DeserializeOwned,
    F: FnOnce(&Call, T) -> Result<Arc<dyn Operation>, Problem>,
{
    let body = body::bytes(request, payload, state).await?;
    let call = Call { books: state.registry.current(), operation: Uuid::nil(), dry: true };
    let operation = make(&call, body::read(body::tree(&body)?)?)?;
    let answer = state.records.look(operation).await??;
    Ok(json(status(answer.status), answer.body, |_| ()))
}

/// Gives a job to the writer.
pub async fn submit(state: &State, job: Job) -> Result<Reply, Problem> {
    let full = |_| {
        Problem::busy("more is coming in than the database takes; send it again with the same key")
            .retry_after(1)
    };
    state.records.submit(job).await.map_err(full)
}

/// What the writer said, as a response.
pub fn respond(reply: Reply, dry: bool) -> Result<HttpResponse, Problem> {
    match reply {
        Reply::Done(answer) if dry => {
            // Nothing was created, whatever the real answer would be.
            Ok(json(StatusCode::OK, answer.body, |r| {
                r.insert_header(("Dry-Run", "true"));
            }))
        }
        Reply::Done(answer) => Ok(json(status(answer.status), answer.body, |_| ())),
        Reply::Replayed(answer) => Ok(json(status(answer.status), answer.body, |r| {
            r.insert_header((REPLAYED, "true"));
        })),
        Reply::Refused(refusal) => Err(refusal.into()),
        // Answered before it comes here.
        Reply::Ask(_) => Err(Problem::internal()),
        Reply::OtherBody => Err(Problem::key_reused(
            "this key was sent with another body or If-Match, or to another address; a new write needs a new key",
        )
        .at("Idempotency-Key")),
        Reply::InFlight => Err(Problem::in_flight(
            "a request with this key is being recorded; send it again to get its answer",
        )
        .at("Idempotency-Key")
        .retry_after(1)),
        // The database's words are the operator's: they may hold what was sent.
        Reply::Failed(StoreError::Refused(why)) => {
            crate::server::say(&format!("a write cannot be recorded: {why}"));
            Err(Problem::failed("it cannot be recorded as it is; nothing was, and sending it again does not help"))
        }
        Reply::Failed(error) => {
            let detail = format!(
                "whether it was recorded is not known; send it again with the same key, which does no harm ({error})"
            );
            Err(Problem::not_recorded(detail).retry_after(1))
        }
    }
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn json(
    status: StatusCode,
    body: String,
    more: impl FnOnce(&mut actix_web::HttpResponseBuilder),
) -> HttpResponse {
    let kind = if status.as_u16() < 400 { "application/json" } else { "application/problem+json" };
    let mut response = HttpResponse::build(status);
    response.content_type(kind);
    more(&mut response);
    response.body(body)
}

/// The caller's name and the key of a write.
fn key(request: &HttpRequest) -> Result<(String, String), Problem> {
    let visible = |name: &'static str, most: usize| -> Result<Option<String>, Problem> {
        let mut given = request.headers().get_all(name);
        let (first, second) = (given.next(), given.next());
        let Some(value) = first else { return Ok(None) };
        let bytes = value.as_bytes();
        let good = (1..=most).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
        match (good && second.is_none(), value.to_str()) {
            (true, Ok(text)) => Ok(Some(text.to_owned())),
            _ => {
                Err(Problem::malformed(format!("one value of 1 to {most} visible ASCII characters")).at(name))
            }
        }
    };
    let client = visible(CLIENT, 100)?.unwrap_or_else(|| "-".to_owned());
    match visible(KEY, 255).map_err(|p| p.at("Idempotency-Key"))? {
        Some(key) => Ok((client, key)),
        None => Err(Problem::key_missing(
            "a write needs the header Idempotency-Key: a text that is new for each write, and the same when it is sent again",
        )
        .at("Idempotency-Key")),
    }
}

/// Epoch microseconds.
fn instant(text: &str) -> Result<i64, Problem> {
    parse_datetime(text).ok_or_else(|| {
        let shown: String = text.chars().take(60).collect();
        let detail = format!(
            "{shown:?} is not a date and time with an offset, such as 2026-12-31T18:00:00%2B08:00 (the plus sign is written %2B)"
        );
        Problem::malformed(detail).at("as_of")
    })
}

/// An operation as it would run at another time; for dry runs only.
struct At {
    now: i64,
    operation: Arc<dyn Operation>,
}

impl Operation for At {
    fn hints(&self) -> Vec<Want> {
        self.operation.hints()
    }
    fn run(&self, unit: &mut Unit) -> Result<Answer, Stop> {
        let now = std::mem::replace(&mut unit.now, self.now);
        let answer = self.operation.run(unit);
        unit.now = now;
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::Refusal;
    use actix_web::ResponseError;

    /// Status, media type, and whether it is marked as replayed and as to be tried again.
    fn seen(reply: Reply) -> (u16, String, bool, bool) {
        let response = respond(reply, false).unwrap_or_else(|problem| problem.error_response());
        let has = |name: &str| response.headers().contains_key(name);
        let kind = response.headers().get("content-type").map(|v| v.to_str().unwrap().to_owned());
        (response.status().as_u16(), kind.unwrap_or_default(), has("idempotent-replayed"), has("retry-after"))
    }

    #[test]
    fn every_reply_has_its_response() {
        let answer = |status| Answer { status, body: "{}".into() };
        let (good, bad) = ("application/json".to_owned(), "application/problem+json".to_owned());
        assert_eq!(seen(Reply::Done(answer(201))), (201, good.clone(), false, false));
        assert_eq!(seen(Reply::Replayed(answer(201))), (201, good, true, false));
        assert_eq!(seen(Reply::Replayed(answer(409))), (409, bad.clone(), true, false));
        assert_eq!(seen(Reply::OtherBody), (422, bad.clone(), false, false));
        assert_eq!(seen(Reply::InFlight), (409, bad.clone(), false, true));
        assert_eq!(seen(Reply::Failed(StoreError::Failed("x".into()))), (503, bad.clone(), false, true));
        let refused = StoreError::Refused("a secret".into());
        assert_eq!(seen(Reply::Failed(refused.clone())), (500, bad.clone(), false, false));
        let told = respond(Reply::Failed(refused), false).unwrap_err().json();
        assert!(told.contains("\"internal\"") && !told.contains("secret"), "{told}");
        let refusal = Refusal::new(409, "card-exists", "The card is taken", "x");
        assert_eq!(seen(Reply::Refused(refusal)), (409, bad, false, false));
    }
}
