//! The hooks, as traits. Both phases are pure: `plan` says which requests to make, `decide` reads the answers.
use crate::bindings;
use crate::{Call, Error, HttpRequest, Responses};

pub use bindings::check::exports::zhanggui::plugin::check::Step as CheckStep;
pub use bindings::facts::exports::zhanggui::plugin::facts::Step as FactsStep;
pub use bindings::notify::exports::zhanggui::plugin::notify::Step as NotifyStep;
pub use bindings::quote::exports::zhanggui::plugin::quote::{Quotation, Step as QuoteStep};

macro_rules! hook {
    ($(#[$doc:meta])* $name:ident, $step:ident) => {
        $(#[$doc])*
        pub trait $name {
            /// The requests of the first round; none unless said otherwise.
            fn plan(call: &Call) -> Result<Vec<HttpRequest>, Error> {
                let _ = call;
                Ok(Vec::new())
            }
            /// Decides, or asks for another round. `responses` are those of all rounds so far.
            fn decide(call: &Call, responses: &Responses) -> Result<$step, Error>;
        }
    };
}

hook!(
    /// Answers facts that a vocabulary declares `from plugin`.
    Facts,
    FactsStep
);
hook!(
    /// Allows, denies, or refers to a manager.
    Check,
    CheckStep
);
hook!(
    /// Prices a service.
    Quote,
    QuoteStep
);
hook!(
    /// Takes an event out of the house. May be called again for the same `call.key`.
    Notify,
    NotifyStep
);
