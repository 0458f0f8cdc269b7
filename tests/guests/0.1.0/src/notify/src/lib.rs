//! Delivers, waits or rejects by the event.
use zhanggui_plugin::prelude::*;

struct Old;

impl Notify for Old {
    fn decide(call: &Call, _responses: &Responses) -> Result<NotifyStep, Error> {
        match call.function.as_str() {
            "old.delivered" => Ok(NotifyStep::Delivered),
            "old.later" => Ok(NotifyStep::RetryLater(None)),
            "old.waits" => Ok(NotifyStep::RetryLater(Some(30))),
            "old.rejected" => Ok(NotifyStep::Rejected("never".to_owned())),
            other => Err(Error::Unsupported(other.to_owned())),
        }
    }
}

zhanggui_plugin::export!(Old: notify);
