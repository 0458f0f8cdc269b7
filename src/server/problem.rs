//! Problem details (RFC 9457) with a stable `code`, and the `path` of the bad field where there is one.
use crate::program::bind::{FactError, FactProblem};
use actix_web::error::PayloadError;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use serde::Serialize;
use std::fmt;

/// What went wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Problem {
    /// `urn:zhanggui:problem:CODE`.
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    pub(super) code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<String>,
    detail: String,
}

impl Problem {
    fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Problem {
        let kind = format!("urn:zhanggui:problem:{code}");
        Problem { kind, title, status: status.as_u16(), code, path: None, detail: detail.into() }
    }
    /// The field that is wrong.
    pub(super) fn at(mut self, path: impl Into<String>) -> Problem {
        self.path = Some(path.into());
        self
    }
    pub(super) fn malformed(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "malformed_json", "The body is not JSON", detail)
    }
    /// JSON, but not the request's shape.
    pub(super) fn shape(detail: impl Into<String>) -> Problem {
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "bad_request",
            "The body is not of the right shape",
            detail,
        )
    }
    pub(super) fn unknown_store(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown_store", "There is no such store", detail)
            .at("store")
    }
    pub(super) fn unknown_decision(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "unknown_decision", "There is no such decision", detail)
            .at("decision")
    }
    pub(super) fn too_many_items(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "too_many_items", "The batch is too long", detail)
            .at("items")
    }
    pub(super) fn not_found(request: &HttpRequest) -> Problem {
        let detail = format!("there is nothing at {}", request.path());
        Problem::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here", detail)
    }
    pub(super) fn media_type() -> Problem {
        let detail = "send application/json";
        Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "The body is not said to be JSON",
            detail,
        )
    }
    pub(super) fn method(request: &HttpRequest, allowed: &str) -> Problem {
        let detail = format!("{} is not for this address; use {allowed}", request.method());
        Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "The method is not allowed here",
            detail,
        )
    }
    pub(super) fn timeout() -> Problem {
        Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "request_timeout",
            "The request took too long",
            "send it faster, or smaller",
        )
    }
    pub(super) fn internal() -> Problem {
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The server failed",
            "this is a fault of the server",
        )
    }
    /// The body could not be read.
    pub(super) fn payload(error: &actix_web::Error, limit: usize) -> Problem {
        match error.as_error::<PayloadError>() {
            Some(PayloadError::Overflow) => Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                "The body is too large",
                format!("a body may have {limit} bytes"),
            ),
            _ => Problem::new(
                StatusCode::BAD_REQUEST,
                "unreadable_body",
                "The body could not be read",
                error.to_string(),
            ),
        }
    }
    /// Facts that are not as the vocabulary says; `root` stands for `facts` in the path.
    pub(super) fn facts(error: FactError, root: &str) -> Problem {
        let path = match error.path.strip_prefix("facts") {
            Some(rest) => format!("{root}{rest}"),
            None => error.path,
        };
        let status = match error.problem {
            FactProblem::Malformed => StatusCode::BAD_REQUEST,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let detail = format!("{path}: {}", error.message);
        Problem::new(status, error.problem.code(), "The facts are not as the vocabulary says", detail)
            .at(path)
    }
    /// As JSON.
    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "{}".into())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.status_code()).content_type("application/problem+json").body(self.json())
    }
}
