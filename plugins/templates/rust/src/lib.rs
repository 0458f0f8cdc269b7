//! Says whether a basket is large.
use zhanggui_plugin::prelude::*;

struct Plugin;

impl Facts for Plugin {
    fn decide(call: &Call, _responses: &Responses) -> Result<FactsStep, Error> {
        match call.function.as_str() {
            "large" => {
                let threshold: i64 = config::get("threshold")?;
                let paid = call.money("paid")?;
                log::info(&format!("{paid} against {threshold} minor units"));
                Ok(FactsStep::Answer(Value::Truth(paid.minor >= threshold)))
            }
            other => Err(Error::Unsupported(other.to_owned())),
        }
    }
}

zhanggui_plugin::export!(Plugin: facts);

#[cfg(test)]
mod tests {
    use super::*;
    use zhanggui_plugin::test;

    #[test]
    fn a_basket_is_large_from_the_threshold_on() {
        test::set("threshold", "100000");
        for (minor, large) in [(99_999, false), (100_000, true)] {
            let call = test::call("large").argument("paid", Money::new(minor, "CNY"));
            let step = test::facts::<Plugin>(&call, test::nobody);
            assert_eq!(step, Ok(FactsStep::Answer(Value::Truth(large))));
        }
    }
}
