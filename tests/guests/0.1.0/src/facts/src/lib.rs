//! Answers what it is given: every kind of value goes in and out, every import is used, every error can be had.
use zhanggui_plugin::{kv, prelude::*};

struct Old;

impl Facts for Old {
    fn plan(call: &Call) -> Result<Vec<HttpRequest>, Error> {
        match call.function.as_str() {
            "status" => Ok(vec![HttpRequest::get("first", "https://old.example/1").header("a", "b").timeout(100).cache(1)]),
            _ => Ok(Vec::new()),
        }
    }

    fn decide(call: &Call, responses: &Responses) -> Result<FactsStep, Error> {
        let greeting: String = config::get("greeting")?;
        log::info(&format!("{greeting} {} {} {} {} {}", call.key, call.store, call.now, call.today, call.seed));
        let value = match call.function.as_str() {
            "echo" => call.arguments[0].value.clone(),
            "count" => {
                let count = kv::get("count").map_or(0, |bytes| bytes[0]) + 1;
                kv::set("count", &[count], Some(60))?;
                Value::from(i64::from(count))
            }
            "status" => match (responses.find("first"), responses.find("second")) {
                (Some(Ok(answer)), None) if answer.is_success() => {
                    return Ok(FactsStep::NeedMore(vec![HttpRequest::get("second", "https://old.example/2")]));
                }
                (_, Some(Ok(answer))) => Value::from(i64::from(answer.status)),
                (Some(Err(failure)), _) => Value::text(failure.describe()),
                other => return Err(Error::Unavailable(format!("{other:?}"))),
            },
            "rows" => Value::from(call.table("lines").iter().map(|r| r.whole("n")).sum::<Result<i64, Error>>()?),
            "fail" => match call.word("how")? {
                "unavailable" => return Err(Error::Unavailable("away".to_owned())),
                "internal" => return Err(Error::Internal("broken".to_owned())),
                "other" => return Err(Error::Other("strange".to_owned())),
                "step" => return Ok(FactsStep::Other("strange".to_owned())),
                how => panic!("as asked: {how}"),
            },
            function => return Err(Error::Unsupported(function.to_owned())),
        };
        Ok(FactsStep::Answer(value))
    }
}

zhanggui_plugin::export!(Old: facts);
