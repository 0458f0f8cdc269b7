//! Quotes the amount that it is given, or declines one below zero.
use zhanggui_plugin::prelude::*;

struct Old;

impl Quote for Old {
    fn decide(call: &Call, _responses: &Responses) -> Result<QuoteStep, Error> {
        let price = call.money("amount")?.clone();
        if price.minor < 0 {
            return Ok(QuoteStep::Declined(Reason { code: "negative".to_owned(), text: price.to_string() }));
        }
        Ok(QuoteStep::Quoted(Quotation {
            price,
            valid_until: Some("2026-07-01T12:00:00+08:00".to_owned()),
            reference: Some(call.key.clone()),
            attributes: vec![Field::new("days", 2)],
        }))
    }
}

zhanggui_plugin::export!(Old: quote);
