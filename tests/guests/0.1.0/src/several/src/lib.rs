//! One plugin with all four hooks.
use zhanggui_plugin::prelude::*;

struct Old;

impl Facts for Old {
    fn decide(_call: &Call, _responses: &Responses) -> Result<FactsStep, Error> {
        Ok(FactsStep::Answer(true.into()))
    }
}

impl Check for Old {
    fn decide(_call: &Call, _responses: &Responses) -> Result<CheckStep, Error> {
        Ok(CheckStep::Allow)
    }
}

impl Quote for Old {
    fn decide(_call: &Call, _responses: &Responses) -> Result<QuoteStep, Error> {
        let price = Money::new(1, "CNY");
        Ok(QuoteStep::Quoted(Quotation { price, valid_until: None, reference: None, attributes: Vec::new() }))
    }
}

impl Notify for Old {
    fn decide(_call: &Call, _responses: &Responses) -> Result<NotifyStep, Error> {
        Ok(NotifyStep::Delivered)
    }
}

zhanggui_plugin::export!(Old: facts, check, quote, notify);
