//! Answers to those who look: one resource with its ETag, or a page.
use crate::records::engine::hex;
use actix_web::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// One resource, or 304 if the caller has it as it is.
pub fn resource(request: &HttpRequest, body: &Value) -> HttpResponse {
    tagged(request, body, "")
}

/// One resource with a version; the tag begins with it, so that `If-Match` can name it.
pub fn versioned(request: &HttpRequest, body: &Value, version: i64) -> HttpResponse {
    tagged(request, body, &format!("{version}-"))
}

fn tagged(request: &HttpRequest, body: &Value, before: &str) -> HttpResponse {
    let body = body.to_string();
    let digest = hex(&Sha256::digest(body.as_bytes()));
    let tag = format!("\"{before}{}\"", digest.get(..32).unwrap_or_default());
    let mut response = if has(request, &tag) { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((ETAG, tag.as_str())).insert_header((CACHE_CONTROL, "no-cache"));
    if has(request, &tag) {
        return response.finish();
    }
    response.content_type("application/json").body(body)
}

/// Whether the caller has what the tag names.
fn has(request: &HttpRequest, tag: &str) -> bool {
    let given = request.headers().get_all(IF_NONE_MATCH).filter_map(|v| v.to_str().ok());
    let mut tags = given.flat_map(|v| v.split(',')).map(str::trim);
    tags.any(|t| t == "*" || t.strip_prefix("W/").unwrap_or(t) == tag)
}

/// A page, or an answer that is different each time.
pub fn plain(body: &Value) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(body.to_string())
}
