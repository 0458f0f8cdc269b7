//! Settlements: begun here, run in the background, looked at.
use crate::counter::Desk;
use crate::counter::settle::{BeginSettlement, SettleRequest, shown};
use crate::records::{Reply, ids, read};
use crate::server::answer;
use crate::server::openapi::ProblemBody;
use crate::server::problem::Problem;
use crate::server::query::id;
use crate::server::settling::{Progress, Run};
use crate::server::state::State;
use crate::server::write::{WriteHead, WriteQuery, prepare, respond, submit};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};
use std::sync::Arc;

type Answered = Result<HttpResponse, Problem>;

/// Settle a ledger's year, in the background. A year has one settlement: asking again takes it up where it stopped
#[utoipa::path(post, path = "/v1/settlements", tag = "settlements", params(WriteHead, WriteQuery), request_body = SettleRequest,
    responses((status = 202, description = "Begun; `GET /v1/settlements/{settlement}` shows how far it is", body = Value),
        (status = "default", response = ProblemBody)))]
pub async fn settle(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    let mut asked = None;
    let (call, mut job) = prepare(&request, payload, &state, |call, mut body: SettleRequest| {
        body.dry_run |= call.dry;
        let desk = call.desk(&body.store)?;
        asked = Some((desk.clone(), body.clone()));
        Ok(Arc::new(BeginSettlement { desk, request: body }))
    })
    .await?;
    let (desk, body) = asked.ok_or_else(Problem::internal)?;
    if body.dry_run {
        // A key would keep the answer of a run that is gone with this process.
        (job.key, job.dry) = (None, true);
        let id = ids::named(&["dry settlement", &call.operation.to_string()]);
        return match submit(&state, job).await? {
            Reply::Done(_) => {
                run(&state, desk, body.clone(), id, true, None);
                Ok(accepted(
                    &json!({ "settlement": id, "ledger": body.ledger, "year": body.year, "status": "dry run" }),
                ))
            }
            reply => respond(reply, true),
        };
    }
    let reply = submit(&state, job).await?;
    if matches!(reply, Reply::Done(_) | Reply::Replayed(_)) {
        let id = body.id();
        let row = state.records.read(move |db| async move { read::settlement(&db, id).await }).await?;
        if let Some(row) = row.filter(|row| row.status == "running") {
            run(&state, desk, body, id, false, row.cursor);
        }
    }
    respond(reply, false)
}

fn run(
    state: &State,
    desk: Desk,
    request: SettleRequest,
    id: sea_orm::prelude::Uuid,
    dry: bool,
    cursor: Option<sea_orm::prelude::Uuid>,
) {
    let (records, settling) = (state.records.clone(), state.settling.clone());
    Run { records, settling, desk, request, id, dry, cursor }.start();
}

fn accepted(body: &Value) -> HttpResponse {
    let mut response = HttpResponse::Accepted();
    response.insert_header(("Dry-Run", "true")).content_type("application/json").body(body.to_string())
}

/// How far a settlement is, and its report
#[utoipa::path(get, path = "/v1/settlements/{id}", tag = "settlements", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The settlement", body = Value), (status = "default", response = ProblemBody)))]
pub async fn get(request: HttpRequest, state: web::Data<State>) -> Answered {
    let id = id(&request)?;
    // In this order: what is not working any more has noted everything before the row is read.
    let progress = state.settling.progress(id);
    let found = state.records.read(move |db| async move { read::settlement(&db, id).await }).await?;
    let books = state.registry.current();
    let first = books.store_ids().next().unwrap_or_default().to_owned();
    let desk = Desk::at(books, &first)?;
    let mut body = match (&found, &progress) {
        (Some(_), _) => shown(&desk, found.as_ref()),
        (None, Some(progress)) if progress.dry => json!({
            "settlement": id,
            "status": if progress.working { "running" } else { "finished" },
            "dry_run": true,
            "members": progress.members,
            "cleared": desk.points().text(progress.cleared),
            "credited": desk.currency().text(progress.credited),
        }),
        _ => return Err(Problem::unknown_settlement(format!("there is no settlement {id}"))),
    };
    if let (Some(fields), Some(progress)) = (body.as_object_mut(), progress) {
        let Progress { working, total, failed, failures, .. } = progress;
        fields.insert("working".into(), working.into());
        fields.insert("of".into(), total.into());
        fields.insert("failed".into(), failed.into());
        fields.insert("failures".into(), failures.into());
    }
    Ok(answer::resource(&request, &body))
}
