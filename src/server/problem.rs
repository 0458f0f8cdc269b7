//! Errors as RFC 9457 problem details with stable codes.
use crate::program::bind::FactError;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

/// A problem: what went wrong, in a form that a program and a person can read.
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    /// A URI reference for the kind of problem: `/problems/` and the code.
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    /// Stable, for programs.
    code: &'static str,
    /// This occurrence, for people.
    detail: String,
    /// The bad field, `facts.item.paid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident $status:ident $code:literal $title:literal;)+) => { $(
        $(#[$doc])*
        pub fn $name(detail: impl Into<String>) -> Problem {
            Problem {
                kind: concat!("/problems/", $code).to_string(),
                title: $title,
                status: StatusCode::$status.as_u16(),
                code: $code,
                detail: detail.into(),
                path: None,
            }
        }
    )+ };
}

impl Problem {
    problems! {
        /// The body is not the JSON that this route reads.
        malformed BAD_REQUEST "malformed-request" "The request could not be read";
        unknown_store NOT_FOUND "unknown-store" "There is no such store";
        unknown_decision NOT_FOUND "unknown-decision" "There is no such decision";
        not_found NOT_FOUND "not-found" "There is nothing here";
        method_not_allowed METHOD_NOT_ALLOWED "method-not-allowed" "This address does not answer this method";
        /// The request, or its answer, did not come in time.
        timeout REQUEST_TIMEOUT "timeout" "The request took too long";
        too_large PAYLOAD_TOO_LARGE "too-large" "The request is too large";
        failed INTERNAL_SERVER_ERROR "internal" "The server failed";
        unsupported UNSUPPORTED_MEDIA_TYPE "unsupported-media-type" "Send application/json";
    }

    /// A fault of the server itself.
    pub fn internal() -> Problem {
        Problem::failed("this is a fault of the server, not of the request")
    }

    /// The bad field.
    #[cfg(test)]
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// As JSON.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// A fact that could not be bound; its own code tells which way.
    pub fn of_fact(error: FactError) -> Problem {
        let code = error.problem.code();
        Problem {
            kind: format!("/problems/{code}"),
            title: "A fact is not acceptable",
            status: StatusCode::UNPROCESSABLE_ENTITY.as_u16(),
            code,
            detail: error.to_string(),
            path: Some(error.path),
        }
    }

    /// The same problem, its path seen from further outside.
    pub fn inside(mut self, outer: &str) -> Problem {
        self.path = Some(match self.path {
            Some(path) => format!("{outer}.{path}"),
            None => outer.to_string(),
        });
        self
    }

    /// The same problem, at a field.
    pub fn at(mut self, path: impl Into<String>) -> Problem {
        self.path = Some(path.into());
        self
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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
