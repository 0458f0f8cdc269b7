//! Allows, denies or refers as it is told.
use zhanggui_plugin::prelude::*;

struct Old;

impl Check for Old {
    fn decide(call: &Call, _responses: &Responses) -> Result<CheckStep, Error> {
        let reasons = || vec![Reason { code: "told".to_owned(), text: "It was told so.".to_owned() }];
        match call.word("verdict")? {
            "allow" => Ok(CheckStep::Allow),
            "deny" => Ok(CheckStep::Deny(reasons())),
            "refer" => Ok(CheckStep::Refer(reasons())),
            other => Ok(CheckStep::Other(other.to_owned())),
        }
    }
}

zhanggui_plugin::export!(Old: check);
