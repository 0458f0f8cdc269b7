//! Errors as RFC 9457 problem details with stable codes.
use crate::program::bind::FactError;
use crate::records::Refusal;
use actix_web::http::StatusCode;
use actix_web::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::{Map, Value};

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
    /// What else a program may want to know.
    #[serde(flatten)]
    more: Box<Map<String, Value>>,
    /// Seconds after which the same request may fare better.
    #[serde(skip)]
    retry_after: Option<u8>,
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
                more: Box::default(),
                retry_after: None,
            }
        }
    )+
    };
}

impl Problem {
    problems! {
        /// The body is not the JSON that this route reads.
        malformed BAD_REQUEST "malformed-request" "The request could not be read";
        unknown_store NOT_FOUND "unknown-store" "There is no such store";
        unknown_member NOT_FOUND "unknown-member" "There is no such member";
        unknown_sale NOT_FOUND "unknown-sale" "There is no such sale";
        unknown_return NOT_FOUND "unknown-return" "There is no such return";
        unknown_hold NOT_FOUND "unknown-hold" "There is no such hold";
        unknown_redemption NOT_FOUND "unknown-redemption" "There is no such redemption";
        unknown_settlement NOT_FOUND "unknown-settlement" "There is no such settlement";
        /// A recorded decision, by its id.
        unknown_record NOT_FOUND "unknown-record" "There is no such record";
        /// The texts of the rulebook are not there, or not whole.
        not_replayed INTERNAL_SERVER_ERROR "not-replayed" "The decision cannot be decided again";
        unknown_decision NOT_FOUND "unknown-decision" "There is no such decision";
        not_found NOT_FOUND "not-found" "There is nothing here";
        method_not_allowed METHOD_NOT_ALLOWED "method-not-allowed" "This address does not answer this method";
        /// The request, or its answer, did not come in time.
        timeout REQUEST_TIMEOUT "timeout" "The request took too long";
        too_large PAYLOAD_TOO_LARGE "too-large" "The request is too large";
        failed INTERNAL_SERVER_ERROR "internal" "The server failed";
        /// A write has to say which write it is.
        key_missing BAD_REQUEST "idempotency-key-missing" "A write needs an Idempotency-Key";
        key_reused UNPROCESSABLE_ENTITY "idempotency-key-reused" "The Idempotency-Key names another write";
        in_flight CONFLICT "request-in-flight" "The same write is being recorded";
        bad_cursor BAD_REQUEST "bad-cursor" "This is not a cursor of this list";
        /// The queue before the writer has no room.
        busy SERVICE_UNAVAILABLE "busy" "The server is busy";
        /// Sending it again with the same key tells.
        not_recorded SERVICE_UNAVAILABLE "not-recorded" "It is not known whether this was recorded";
        not_read SERVICE_UNAVAILABLE "not-read" "The database does not answer";
        stale PRECONDITION_FAILED "stale-version" "Somebody else changed the record";
        unsupported UNSUPPORTED_MEDIA_TYPE "unsupported-media-type" "Send application/json";
        /// Nobody may administer plugins on this server.
        operator_key_unset FORBIDDEN "operator-key-unset" "This server has no operator key";
        operator_key_wrong UNAUTHORIZED "operator-key-wrong" "This is for the operator";
        unknown_plugin NOT_FOUND "unknown-plugin" "There is no such plugin";
        unknown_version NOT_FOUND "unknown-plugin-version" "There is no such version of the plugin";
        unknown_delivery NOT_FOUND "unknown-delivery" "There is no such delivery";
        /// Not a package, or not a whole one.
        package_damaged UNPROCESSABLE_ENTITY "package-damaged" "This is no package";
        package_unsigned UNPROCESSABLE_ENTITY "package-unsigned" "The package is not signed";
        /// Signed with a key that is not one of the vendor's.
        package_not_trusted UNPROCESSABLE_ENTITY "package-not-trusted" "The package's signature is nobody's that is trusted";
        package_altered UNPROCESSABLE_ENTITY "package-altered" "The package was altered";
        manifest_refused UNPROCESSABLE_ENTITY "manifest-refused" "The manifest cannot be accepted";
        component_refused UNPROCESSABLE_ENTITY "component-refused" "The component cannot be accepted";
        cases_failed UNPROCESSABLE_ENTITY "cases-failed" "The package fails its own cases";
        version_exists CONFLICT "version-exists" "The version was uploaded with other content";
        vocabulary_mismatch UNPROCESSABLE_ENTITY "vocabulary-mismatch" "The plugin does not fit the policies in force";
        grants_refused UNPROCESSABLE_ENTITY "grants-refused" "This cannot be granted";
        grants_missing CONFLICT "grants-missing" "The plugin asks for what was not granted";
        config_refused UNPROCESSABLE_ENTITY "config-refused" "The settings cannot be";
        config_missing CONFLICT "config-missing" "The plugin needs a setting";
        limits_refused UNPROCESSABLE_ENTITY "limits-refused" "The limits cannot be";
        rollout_refused UNPROCESSABLE_ENTITY "rollout-refused" "The plugin cannot be rolled out so";
        no_previous CONFLICT "no-previous-version" "There is nothing to go back to";
        keys_refused UNPROCESSABLE_ENTITY "keys-refused" "These keys cannot be";
        delivery_not_dead CONFLICT "delivery-not-dead" "The delivery was not given up";
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
            more: Box::default(),
            retry_after: None,
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

    /// The same problem, with when to try again.
    pub fn retry_after(mut self, seconds: u8) -> Problem {
        self.retry_after = Some(seconds);
        self
    }

    /// The same problem, with what else a program may want to know.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Problem {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// The same problem, at a field.
    pub fn at(mut self, path: impl Into<String>) -> Problem {
        self.path = Some(path.into());
        self
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        let more: Map<String, Value> = serde_json::from_str(&refusal.more).unwrap_or_default();
        Problem {
            kind: format!("/problems/{}", refusal.code),
            title: refusal.title,
            status: refusal.status,
            code: refusal.code,
            detail: refusal.detail,
            path: refusal.path,
            more: Box::new(more),
            retry_after: (refusal.status == 503).then_some(1),
        }
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
        let mut response = HttpResponse::build(self.status_code());
        if let Some(seconds) = self.retry_after {
            response.insert_header((RETRY_AFTER, u32::from(seconds)));
        }
        if self.status == StatusCode::UNAUTHORIZED.as_u16() {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        response.content_type("application/problem+json").body(self.json())
    }
}
