//! What a courier asks to fetch a return at the customer's door. Two rounds: a session with the zone of the postcode,
//! then the price in that zone, which needs both.
use zhanggui_plugin::prelude::*;

struct CourierQuote;

impl Quote for CourierQuote {
    fn plan(call: &Call) -> Result<Vec<HttpRequest>, Error> {
        if call.function != "pickup" {
            return Err(Error::Unsupported(call.function.clone()));
        }
        let (server, account): (String, String) = (config::get("server")?, config::get("account")?);
        let postcode = call.text("postcode")?;
        if call.whole("pieces")? < 1 {
            return Err(Error::InvalidInput("pieces: at least one".to_owned()));
        }
        Ok(vec![
            HttpRequest::post("session", format!("{server}/v2/sessions"))
                .secret("authorization", "Bearer ", "courier_key")
                .json(&Json::object([("account", account.into())])),
            // A postcode stays in its zone for a day.
            HttpRequest::get("zone", format!("{server}/v2/zones/{}", encode(postcode)))
                .secret("authorization", "Bearer ", "courier_key")
                .cache(86_400),
        ])
    }

    fn decide(call: &Call, responses: &Responses) -> Result<QuoteStep, Error> {
        if let Some(price) = responses.answer("price")? {
            return priced(call, price);
        }
        if let Some(zone) = responses.answer("zone")? {
            if zone.status == 404 {
                let text = format!("The courier does not come to {}", call.text("postcode")?);
                return Ok(declined("not-served", text));
            }
        }
        let session = text(&round(responses, "session")?, "session")?;
        let zone = text(&round(responses, "zone")?, "zone")?;
        let server: String = config::get("server")?;
        let insured = call.money("insured")?;
        let insured = [("minor", insured.minor.into()), ("currency", insured.currency.as_str().into())];
        let body = Json::object([
            ("zone", zone.into()),
            ("pieces", call.whole("pieces")?.into()),
            ("insured", Json::object(insured)),
            ("store", call.store.as_str().into()),
        ]);
        let request = HttpRequest::post("price", format!("{server}/v2/prices"))
            .header("x-session", session)
            // The same question again is the same quotation, not a second one.
            .header("idempotency-key", call.key.as_str())
            .json(&body);
        Ok(QuoteStep::NeedMore(vec![request]))
    }
}

zhanggui_plugin::export!(CourierQuote: quote);

/// The JSON of a response of the first round.
fn round(responses: &Responses, name: &str) -> Result<Json, Error> {
    let answer = responses.answer(name)?.ok_or_else(|| Error::Internal(format!("{name} was not asked")))?;
    answer.success()?.json()
}

fn priced(call: &Call, answer: &HttpAnswer) -> Result<QuoteStep, Error> {
    if answer.status == 422 {
        let why = answer.json()?;
        return Ok(declined("not-taken", text(&why, "reason")?));
    }
    let body = answer.success()?.json()?;
    let currency = text(&body, "currency")?;
    let amount = body.get("price").and_then(Json::as_decimal).ok_or_else(|| broken("price"))?;
    let price = Money::exactly(&amount, &currency).map_err(|_| broken("price"))?;
    if price.minor < 0 {
        return Err(broken("price"));
    }
    let most: Money = config::get("most")?;
    log::info(&format!("{price} for {} pieces, at most {most}", call.whole("pieces")?));
    if price.currency != most.currency {
        return Ok(declined("other-currency", format!("The courier asks {price}")));
    }
    if price.minor > most.minor {
        return Ok(declined("too-dear", format!("The courier asks {price}, more than {most}")));
    }
    Ok(QuoteStep::Quoted(Quotation {
        price,
        valid_until: body.get("valid_until").and_then(Json::as_text).map(str::to_owned),
        reference: body.get("quotation").and_then(Json::as_text).map(str::to_owned),
        attributes: Vec::new(),
    }))
}

fn declined(code: &str, text: impl Into<String>) -> QuoteStep {
    QuoteStep::Declined(Reason { code: code.to_owned(), text: text.into() })
}

fn text(body: &Json, name: &str) -> Result<String, Error> {
    body.get(name).and_then(Json::as_text).map(str::to_owned).ok_or_else(|| broken(name))
}

fn broken(name: &str) -> Error {
    Error::Unavailable(format!("the courier's answer has no good `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use zhanggui_plugin::{test, HttpResponse};

    fn courier(price: &'static str) -> impl FnMut(&HttpRequest) -> HttpResponse {
        move |request| match request.name.as_str() {
            "session" => test::answer(request, 201, r#"{"session":"s-1"}"#),
            "zone" => test::answer(request, 200, r#"{"zone":"north-2"}"#),
            _ => test::answer(request, 200, price),
        }
    }

    fn ask(price: &'static str) -> Result<QuoteStep, Error> {
        test::reset();
        test::set("server", "https://api.courier.example");
        test::set("account", "jiajie");
        test::set("most", "80.00 CNY");
        let call = test::call("pickup")
            .argument("postcode", Value::text("030000"))
            .argument("pieces", 2)
            .argument("insured", Money::new(29_900, "CNY"));
        test::quote::<CourierQuote>(&call, courier(price))
    }

    #[test]
    fn a_price_after_two_rounds() {
        let step = ask(r#"{"price":"18.50","currency":"CNY","quotation":"Q7"}"#);
        let quoted = Quotation {
            price: Money::new(1850, "CNY"),
            valid_until: None,
            reference: Some("Q7".to_owned()),
            attributes: Vec::new(),
        };
        assert_eq!(step, Ok(QuoteStep::Quoted(quoted)));
    }

    #[test]
    fn a_tenth_of_a_fen_is_no_price() {
        let step = ask(r#"{"price":18.505,"currency":"CNY"}"#);
        assert!(matches!(step, Err(Error::Unavailable(_))), "{step:?}");
    }

    #[test]
    fn a_dear_price_is_declined() {
        let step = ask(r#"{"price":"80.01","currency":"CNY"}"#);
        assert!(matches!(&step, Ok(QuoteStep::Declined(r)) if r.code == "too-dear"), "{step:?}");
    }
}
