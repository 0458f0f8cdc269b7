//! A message to a member on enrolment and on the birthday.
//!
//! Events come at least once; the service gets the event's key with each attempt and sends one message however often it
//! is asked. What the service refuses for good is rejected, what may work later is tried later.
use zhanggui_plugin::prelude::*;

struct BirthdayMessage;

impl Notify for BirthdayMessage {
    fn plan(call: &Call) -> Result<Vec<HttpRequest>, Error> {
        let template: String = match call.function.as_str() {
            "member.enrolled" => config::get("welcome")?,
            "member.birthday" => config::get("birthday")?,
            other => return Err(Error::Unsupported(other.to_owned())),
        };
        let member = named(call, "member")?;
        let server: String = config::get("server")?;
        // The service knows the member's telephone by the number: no personal data passes here.
        let body = Json::object([("to", member.into()), ("text", template.replace("{member}", member).into())]);
        Ok(vec![HttpRequest::post("message", format!("{server}/v1/messages"))
            .secret("authorization", "Bearer ", "sms_key")
            .header("idempotency-key", call.key.as_str())
            .json(&body)])
    }

    fn decide(_call: &Call, responses: &Responses) -> Result<NotifyStep, Error> {
        let answer = match responses.find("message") {
            None => return Err(Error::Internal("the request was not made".to_owned())),
            Some(Ok(answer)) => answer,
            Some(Err(HttpFailure::Denied(what))) => return Err(Error::Internal(format!("not granted: {what}"))),
            Some(Err(failure)) => {
                log::warn(&failure.describe());
                return Ok(NotifyStep::RetryLater(None));
            }
        };
        match answer.status {
            200..=299 => Ok(NotifyStep::Delivered),
            // With this key the message was sent before.
            409 => Ok(NotifyStep::Delivered),
            408 | 425 | 429 | 500..=599 => {
                log::warn(&format!("the service answered {}", answer.status));
                Ok(NotifyStep::RetryLater(wait(answer)))
            }
            other => Ok(NotifyStep::Rejected(format!("the service answered {other}"))),
        }
    }
}

zhanggui_plugin::export!(BirthdayMessage: notify);

/// `Retry-After` in seconds; its other form, a date, would need a calendar and is left to the host's own back-off.
fn wait(answer: &HttpAnswer) -> Option<u32> {
    answer.header("retry-after")?.trim().parse().ok()
}

/// A name that the event carries, as text or as a word.
fn named<'a>(call: &'a Call, path: &str) -> Result<&'a str, Error> {
    call.text(path).or_else(|_| call.word(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use zhanggui_plugin::{test, HttpResponse};

    fn told(event: &str, web: impl FnMut(&HttpRequest) -> HttpResponse) -> Result<NotifyStep, Error> {
        test::reset();
        test::set("server", "https://sms.example");
        test::set("welcome", "welcome {member}");
        test::set("birthday", "happy birthday {member}");
        let call = test::call(event).fact("member", Value::text("88001"));
        test::notify::<BirthdayMessage>(&call, web)
    }

    #[test]
    fn the_key_goes_along() {
        let step = told("member.birthday", |request| {
            assert!(request.headers.contains(&("idempotency-key".to_owned(), "test-1".to_owned())));
            let body = String::from_utf8_lossy(&request.body).into_owned();
            assert!(body.contains("happy birthday 88001"), "{body}");
            test::answer(request, 202, "")
        });
        assert_eq!(step, Ok(NotifyStep::Delivered));
    }

    #[test]
    fn later_is_told_from_never() {
        for (status, expected) in [
            (201, NotifyStep::Delivered),
            (409, NotifyStep::Delivered),
            (429, NotifyStep::RetryLater(Some(30))),
            (503, NotifyStep::RetryLater(Some(30))),
            (400, NotifyStep::Rejected("the service answered 400".to_owned())),
        ] {
            let step = told("member.enrolled", |request| {
                let answer = HttpAnswer {
                    status,
                    headers: vec![("Retry-After".to_owned(), "30".to_owned())],
                    body: Vec::new(),
                };
                HttpResponse { name: request.name.clone(), outcome: Ok(answer) }
            });
            assert_eq!(step, Ok(expected), "{status}");
        }
    }

    #[test]
    fn other_events_are_not_known() {
        assert_eq!(told("sale.recorded", test::nobody), Err(Error::Unsupported("sale.recorded".to_owned())));
    }
}
