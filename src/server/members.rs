//! Members and their cards.
use crate::counter::members::{
    BlockCard, EditMember, EditRequest, EnrolMember, EnrolRequest, EraseMember, GiftGivenRequest, GiveGift,
    MergeMembers, MergeRequest, ReplaceCard, ReplaceRequest, UnmergeMembers, Upgrade,
};
use crate::records::{ids, read};
use crate::server::bodies::{ActRequest, ReasonRequest};
use crate::server::openapi::ProblemBody;
use crate::server::problem::Problem;
use crate::server::query::path;
use crate::server::state::State;
use crate::server::write::{WriteHead, WriteQuery, write};
use crate::server::{answer, shown};
use actix_web::http::header::IF_MATCH;
use actix_web::{HttpRequest, HttpResponse, web};
use std::sync::Arc;

type Answered = Result<HttpResponse, Problem>;

/// Enrol a member: on receipts of the day, on a group order, or for an old card
#[utoipa::path(post, path = "/v1/members", tag = "members", params(WriteHead, WriteQuery), request_body = EnrolRequest,
    responses((status = 201, description = "Enrolled", body = Value), (status = "default", response = ProblemBody)))]
pub async fn enrol(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    write(&request, payload, &state, |call, body: EnrolRequest| {
        Ok(Arc::new(EnrolMember { desk: call.desk(&body.store)?, request: body }))
    })
    .await
}

/// A member: person, cards, tiers, balances. The ETag begins with the record's version
#[utoipa::path(get, path = "/v1/members/{number}", tag = "members", params(("number" = String, Path)),
    responses((status = 200, description = "The member", body = Value), (status = "default", response = ProblemBody)))]
pub async fn get(request: HttpRequest, state: web::Data<State>) -> Answered {
    let number: String = path(&request)?;
    let record = find(&state, &number).await?;
    let into = match record.member.merged_into {
        Some(into) => state.records.read(move |db| async move { read::member(&db, into).await }).await?,
        None => None,
    };
    let body = shown::member(&state.registry.current(), &record, into.map(|r| r.member.number));
    Ok(answer::versioned(&request, &body, record.member.version))
}

/// A member's record, as it is.
pub async fn find(state: &State, number: &str) -> Result<read::MemberRecord, Problem> {
    let id = ids::member(number);
    let found = state.records.read(move |db| async move { read::member(&db, id).await }).await?;
    found.ok_or_else(|| {
        let number: String = number.chars().take(60).collect();
        Problem::unknown_member(format!("there is no member {number:?}")).at("member")
    })
}

/// Change a member's record; with If-Match only if nobody else changed it meanwhile
#[utoipa::path(patch, path = "/v1/members/{number}", tag = "members",
    params(("number" = String, Path), ("If-Match" = Option<String>, Header, description = "The ETag that was seen"), WriteHead, WriteQuery),
    request_body = EditRequest,
    responses((status = 200, description = "The record as it is now", body = Value), (status = "default", response = ProblemBody)))]
pub async fn edit(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    let member: String = path(&request)?;
    let seen = if_match(&request)?;
    write(&request, payload, &state, |call, mut body: EditRequest| {
        match (body.version, seen) {
            (Some(said), Some(seen)) if said != seen => {
                let detail = format!("the body says version {said}, If-Match says {seen}");
                return Err(Problem::malformed(detail).at("version"));
            }
            (None, Some(_)) => body.version = seen,
            _ => {}
        }
        let (desk, operation) = (call.desk(&body.store)?, call.operation);
        Ok(Arc::new(EditMember { desk, member, request: body, operation }))
    })
    .await
}

/// The version in `If-Match: "3-…"`.
fn if_match(request: &HttpRequest) -> Result<Option<i64>, Problem> {
    let Some(given) = request.headers().get(IF_MATCH) else { return Ok(None) };
    let text = given.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let inside = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    let version = inside.and_then(|t| t.split('-').next()).and_then(|v| v.parse().ok());
    match version {
        Some(version) => Ok(Some(version)),
        None => Err(Problem::stale("this is not a tag of a member's record").at("If-Match")),
    }
}

/// Replace a card that was lost or broken
#[utoipa::path(post, path = "/v1/members/{number}/cards", tag = "members", params(("number" = String, Path), WriteHead, WriteQuery),
    request_body = ReplaceRequest,
    responses((status = 200, description = "The new card", body = Value), (status = "default", response = ProblemBody)))]
pub async fn replace_card(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    let member: String = path(&request)?;
    write(&request, payload, &state, |call, body: ReplaceRequest| {
        let (desk, operation) = (call.desk(&body.store)?, call.operation);
        Ok(Arc::new(ReplaceCard { desk, member, request: body, operation }))
    })
    .await
}

/// Block a card
#[utoipa::path(post, path = "/v1/cards/{card}/block", tag = "members", params(("card" = String, Path), WriteHead, WriteQuery),
    request_body = ReasonRequest,
    responses((status = 200, description = "The card", body = Value), (status = "default", response = ProblemBody)))]
pub async fn block_card(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    let card: String = path(&request)?;
    write(&request, payload, &state, |call, body: ReasonRequest| {
        let desk = call.desk(&body.store)?;
        let ReasonRequest { actor, reason, .. } = body;
        Ok(Arc::new(BlockCard { desk, card, reason, actor, operation: call.operation }))
    })
    .await
}

/// Merge a record into another one of the same person
#[utoipa::path(post, path = "/v1/members/{number}/merge", tag = "members", params(("number" = String, Path), WriteHead, WriteQuery),
    request_body = MergeRequest,
    responses((status = 200, description = "Merged", body = Value), (status = "default", response = ProblemBody)))]
pub async fn merge(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    let member: String = path(&request)?;
    write(&request, payload, &state, |call, body: MergeRequest| {
        let (desk, operation) = (call.desk(&body.store)?, call.operation);
        Ok(Arc::new(MergeMembers { desk, member, request: body, operation }))
    })
    .await
}

/// Part two records that were merged
#[utoipa::path(post, path = "/v1/members/{number}/unmerge", tag = "members", params(("number" = String, Path), WriteHead, WriteQuery),
    request_body = ActRequest,
    responses((status = 200, description = "Parted", body = Value), (status = "default", response = ProblemBody)))]
pub async fn unmerge(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    let member: String = path(&request)?;
    write(&request, payload, &state, |call, body: ActRequest| {
        let (desk, operation) = (call.desk(&body.store)?, call.operation);
        Ok(Arc::new(UnmergeMembers { desk, member, actor: body.actor, operation }))
    })
    .await
}

/// Forget who a member is; the ledger stays whole
#[utoipa::path(post, path = "/v1/members/{number}/erase", tag = "members", params(("number" = String, Path), WriteHead, WriteQuery),
    request_body = ActRequest,
    responses((status = 200, description = "Forgotten", body = Value), (status = "default", response = ProblemBody)))]
pub async fn erase(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    let member: String = path(&request)?;
    write(&request, payload, &state, |call, body: ActRequest| {
        let (desk, operation) = (call.desk(&body.store)?, call.operation);
        Ok(Arc::new(EraseMember { desk, member, actor: body.actor, operation }))
    })
    .await
}

/// Give the birthday gift
#[utoipa::path(post, path = "/v1/members/{number}/gifts", tag = "members", params(("number" = String, Path), WriteHead, WriteQuery),
    request_body = GiftGivenRequest,
    responses((status = 201, description = "Given", body = Value), (status = "default", response = ProblemBody)))]
pub async fn give_gift(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    let member: String = path(&request)?;
    write(&request, payload, &state, |call, body: GiftGivenRequest| {
        let (desk, operation) = (call.desk(&body.store)?, call.operation);
        Ok(Arc::new(GiveGift { desk, member, request: body, operation }))
    })
    .await
}

/// Look at a member's tier now
#[utoipa::path(post, path = "/v1/members/{number}/upgrade", tag = "members", params(("number" = String, Path), WriteHead, WriteQuery),
    request_body = ActRequest,
    responses((status = 200, description = "The tier", body = Value), (status = "default", response = ProblemBody)))]
pub async fn upgrade(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    let member: String = path(&request)?;
    write(&request, payload, &state, |call, body: ActRequest| {
        let (desk, operation) = (call.desk(&body.store)?, call.operation);
        Ok(Arc::new(Upgrade { desk, member, actor: body.actor, operation }))
    })
    .await
}
