//! Doubles for native tests: a call to build, settings to give, a log to read, rounds to run.
//!
//! Settings, log and store belong to the test's thread; [`reset`] empties them.
use crate::log::Level;
use crate::{
    Call, Check, CheckStep, Error, Facts, FactsStep, Field, HttpRequest, HttpResponse, Notify, NotifyStep, Quote,
    QuoteStep, Responses, Row, Table, Value,
};
use std::cell::RefCell;
use std::collections::BTreeMap;

#[derive(Default)]
pub(crate) struct Double {
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) log: Vec<(Level, String)>,
    pub(crate) store: BTreeMap<String, Vec<u8>>,
}

thread_local! {
    pub(crate) static DOUBLE: RefCell<Double> = RefCell::default();
}

/// Forgets settings, log and store.
pub fn reset() {
    DOUBLE.with_borrow_mut(|d| *d = Double::default());
}

/// Gives a setting.
pub fn set(name: &str, value: &str) {
    DOUBLE.with_borrow_mut(|d| d.settings.insert(name.to_owned(), value.to_owned()));
}

/// What was logged since the last [`reset`].
pub fn logged() -> Vec<(Level, String)> {
    DOUBLE.with_borrow(|d| d.log.clone())
}

/// A call of this function, on 1 July 2026 in store `S1`; change whatever matters.
pub fn call(function: &str) -> Call {
    Call {
        key: "test-1".to_owned(),
        function: function.to_owned(),
        store: "S1".to_owned(),
        now: 1_782_869_400_000,
        today: "2026-07-01".to_owned(),
        seed: 1,
        arguments: Vec::new(),
        facts: Vec::new(),
        tables: Vec::new(),
        attributes: Vec::new(),
    }
}

impl Call {
    /// Adds an argument.
    pub fn argument(mut self, name: &str, value: impl Into<Value>) -> Call {
        self.arguments.push(Field::new(name, value));
        self
    }

    /// Adds a fact.
    pub fn fact(mut self, path: &str, value: impl Into<Value>) -> Call {
        self.facts.push(Field::new(path, value));
        self
    }

    /// Adds a table.
    pub fn rows(mut self, path: &str, rows: impl IntoIterator<Item = Row>) -> Call {
        self.tables.push(Table::new(path, rows));
        self
    }
}

macro_rules! asks {
    ($(#[$doc:meta])* $name:ident, $hook:ident, $step:ident) => {
        $(#[$doc])*
        pub fn $name<P: $hook>(
            call: &Call,
            mut web: impl FnMut(&HttpRequest) -> HttpResponse,
        ) -> Result<$step, Error> {
            let mut responses: Vec<HttpResponse> = P::plan(call)?.iter().map(&mut web).collect();
            for _ in 0..3 {
                match P::decide(call, &Responses::new(&responses))? {
                    $step::NeedMore(requests) => responses.extend(requests.iter().map(&mut web)),
                    done => return Ok(done),
                }
            }
            Err(Error::Internal("more than three rounds".to_owned()))
        }
    };
}

asks!(
    /// Runs the rounds of a `facts` call; `web` answers each request.
    facts, Facts, FactsStep
);
asks!(
    /// Runs the rounds of a `check` call.
    check, Check, CheckStep
);
asks!(
    /// Runs the rounds of a `quote` call.
    quote, Quote, QuoteStep
);
asks!(
    /// Runs the rounds of a `notify` call.
    notify, Notify, NotifyStep
);

/// For plugins that ask nobody.
pub fn nobody(request: &HttpRequest) -> HttpResponse {
    panic!("no request was expected: {} {}", request.method, request.url)
}

/// An answer to a request.
pub fn answer(request: &HttpRequest, status: u16, body: &str) -> HttpResponse {
    let answer = crate::HttpAnswer { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
    HttpResponse { name: request.name.clone(), outcome: Ok(answer) }
}
