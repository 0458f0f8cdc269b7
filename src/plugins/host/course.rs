//! The course of one call: phases in fresh instances, requests between them, and at the end an answer or a failure.
//! Nothing of the plugin is alive while requests are made.
use crate::plugins::contract::{Answer, Call, Failure, Hook, HttpFailure, HttpRequest, HttpResponse, Ran};
use crate::plugins::host::Host;
use crate::plugins::host::crew::Lane;
use crate::plugins::host::imports::State;
use crate::plugins::host::judge;
use crate::plugins::host::loaded::Loaded;
use crate::plugins::host::phase::{self, Allowance};
use crate::plugins::host::places::Place;
use crate::plugins::host::step::Step;
use crate::plugins::host::v0_1::Said;
use crate::plugins::host::versions::{Hooks, Words};
use crate::plugins::kv::Kv;
use crate::plugins::web::Web;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wasmtime::Store;

/// A call waits no longer until what it wrote to its store is kept.
const KEEP: Duration = Duration::from_secs(2);

/// What answers for a call towards the breaker and the figures, from the question to the answer. Dropped without
/// `close`, it says nothing about the plugin.
pub(super) struct Ticket {
    plugin: Arc<Loaded>,
    hook: Hook,
    asked: Instant,
    waited: Duration,
    /// When whoever asks has no more use for an answer.
    ends: Option<Instant>,
    place: Option<Place>,
    open: bool,
}

impl Ticket {
    /// The failure of a call that may not even wait is counted.
    pub(super) fn open(
        plugin: &Arc<Loaded>,
        hook: Hook,
        function: &str,
        ends: Option<Instant>,
    ) -> Result<Ticket, Box<Ran>> {
        let asked = Instant::now();
        let (plugin, waited) = (plugin.clone(), Duration::ZERO);
        let mut ticket = Ticket { plugin, hook, asked, waited, ends, place: None, open: false };
        let plugin = ticket.plugin.clone();
        if let Err(unknown) = plugin.has(hook, function) {
            return Err(Box::new(ticket.close(plugin.unrun(unknown))));
        }
        if ticket.is_over() {
            return Err(Box::new(ticket.close(plugin.unrun(Failure::OutOfTime))));
        }
        if !plugin.breaker.lets_through(asked) {
            return Err(Box::new(ticket.close(plugin.unrun(Failure::Resting))));
        }
        ticket.open = true;
        Ok(ticket)
    }

    /// When waiting for a place is over.
    pub(super) fn until(&self) -> Instant {
        let until = self.asked + Duration::from_millis(u64::from(self.plugin.limits().wait));
        self.ends.map_or(until, |ends| until.min(ends))
    }

    fn is_over(&self) -> bool {
        self.ends.is_some_and(|ends| Instant::now() >= ends)
    }

    /// When requests have to be over: what comes of them still has to be decided.
    fn web_until(&self) -> Instant {
        let (now, limits) = (Instant::now(), self.plugin.limits());
        let until = now + Duration::from_millis(u64::from(limits.http));
        let Some(ends) = self.ends else { return until };
        let left = ends.saturating_duration_since(now);
        let last = Duration::from_millis(u64::from(limits.deadline)).min(left / 4);
        until.min(now + (left - last))
    }

    /// When writing what a call leaves behind has to be over.
    fn keep_until(&self) -> Instant {
        let until = Instant::now() + KEEP;
        self.ends.map_or(until, |ends| until.min(ends))
    }

    /// Milliseconds that there are for an answer.
    fn left(&self) -> u64 {
        let left = self.ends.map(|ends| ends.saturating_duration_since(Instant::now()).as_millis());
        left.and_then(|left| u64::try_from(left).ok()).unwrap_or(u64::MAX)
    }

    /// Milliseconds that a phase may take now, and whether it is less than the plugin's limits allow.
    fn phase(&self) -> (u64, bool) {
        let (deadline, left) = (u64::from(self.plugin.limits().deadline), self.left());
        (deadline.min(left), left < deadline)
    }

    pub(super) fn seat(&mut self, place: Place) {
        self.place = Some(place);
        self.waited = self.asked.elapsed();
    }

    /// No place was free in time.
    pub(super) fn busy(self) -> Ran {
        let failure = if self.is_over() { Failure::OutOfTime } else { Failure::Busy };
        let ran = self.plugin.unrun(failure);
        self.close(ran)
    }

    fn close(mut self, ran: Ran) -> Ran {
        let now = Instant::now();
        if self.open {
            self.open = false;
            self.plugin.breaker.saw(now, ran.outcome.as_ref().map(|_| ()));
        }
        self.plugin.counters.count(self.hook, &ran, self.waited, now.duration_since(self.asked));
        self.place = None;
        ran
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.open {
            self.plugin.breaker.saw(Instant::now(), Err(&Failure::Busy));
        }
    }
}

/// A call on its way.
pub(super) struct Course {
    plugin: Arc<Loaded>,
    hook: Hook,
    function: String,
    words: Words,
    planned: bool,
    /// None while a phase has it, and for good after a panic of the host.
    state: Option<State>,
    /// Rows of the call's tables.
    rows: u64,
    fuel: u64,
    rounds: u32,
    /// Of the requests so far.
    names: BTreeSet<String>,
    responses: Vec<HttpResponse>,
    /// When requests have to be over.
    deadline: Instant,
    ticket: Ticket,
}

/// What a course needs next.
pub(super) enum Next {
    Fetch(Box<Course>, Vec<HttpRequest>),
    Done(Box<Ran>),
}

enum Turn {
    Fetch(Vec<HttpRequest>),
    Done(Answer),
}

impl Course {
    pub(super) fn new(ticket: Ticket, call: &Call, kv: Option<Arc<dyn Kv>>) -> Box<Course> {
        let plugin = ticket.plugin.clone();
        let quota = plugin.grants().kv;
        let kv = kv.filter(|_| quota > 0).map(|kv| (kv, quota));
        Box::new(Course {
            hook: ticket.hook,
            function: call.function.clone(),
            words: plugin.hooks.words(call),
            planned: !plugin.plans(),
            state: Some(State::new(plugin.limits(), plugin.config.clone(), kv)),
            rows: call.tables.iter().map(|t| t.rows.len() as u64).sum(),
            fuel: 0,
            rounds: 0,
            names: BTreeSet::new(),
            responses: Vec::new(),
            deadline: ticket.web_until(),
            plugin,
            ticket,
        })
    }

    pub(super) fn lane(&self) -> Arc<Lane> {
        self.plugin.lane.clone()
    }

    /// Runs phases until requests are needed or the call is over.
    pub(super) fn step(mut self: Box<Course>, host: &Host) -> Next {
        let turn = catch_unwind(AssertUnwindSafe(|| self.turn(host)));
        match turn.unwrap_or_else(|_| Err(Failure::Trapped("the host failed while it ran".to_owned()))) {
            Ok(Turn::Fetch(requests)) => Next::Fetch(self, requests),
            Ok(Turn::Done(answer)) => Next::Done(Box::new(self.end(Ok(answer)))),
            Err(failure) => Next::Done(Box::new(self.end(Err(failure)))),
        }
    }

    fn turn(&mut self, host: &Host) -> Result<Turn, Failure> {
        if !self.planned {
            self.planned = true;
            let (hook, most) = (self.hook, self.plugin.limits().plan);
            let requests = self.phase(host, most, |hooks, words, store| hooks.plan(hook, store, words))?;
            if !requests.is_empty() {
                return self.wants(requests);
            }
        }
        let (hook, limits) = (self.hook, self.plugin.limits());
        let most = limits.plan.max(limits.output);
        match self.phase(host, most, |hooks, words, store| hooks.decide(hook, store, words))? {
            Step::Answer(answer) => {
                let function = self.plugin.has(hook, &self.function)?;
                judge::answer(hook, function, &answer, self.plugin.limits())?;
                self.keep()?;
                Ok(Turn::Done(answer))
            }
            Step::More(requests) if requests.is_empty() => {
                Err(Failure::WrongAnswer("it needs more and asks for nothing".to_owned()))
            }
            Step::More(requests) => self.wants(requests),
            Step::Other(text) => Err(Failure::Unknown(text)),
        }
    }

    fn wants(&mut self, requests: Vec<HttpRequest>) -> Result<Turn, Failure> {
        let limits = self.plugin.limits();
        if self.rounds >= limits.rounds {
            return Err(Failure::TooManyRounds(limits.rounds));
        }
        judge::plan(&requests, &self.names, limits)?;
        self.rounds += 1;
        self.names.extend(requests.iter().map(|r| r.name.clone()));
        Ok(Turn::Fetch(requests))
    }

    fn phase<T>(
        &mut self,
        host: &Host,
        output: u32,
        said: impl FnOnce(&Hooks, &Words, &mut Store<State>) -> Said<T>,
    ) -> Result<T, Failure> {
        let limits = self.plugin.limits();
        let state = self.state.take().ok_or_else(|| Failure::Trapped("the host failed before".to_owned()))?;
        let kibs: u64 = self
            .responses
            .iter()
            .map(|r| r.outcome.as_ref().map_or(0, |a| a.body.len()))
            .fold(0, |sum: u64, bytes| sum.saturating_add((bytes as u64).div_ceil(1024)));
        let rows = self.rows.saturating_add(kibs);
        let wait = Duration::from_millis(self.ticket.left().min(u64::from(limits.wait)));
        let (slot, over) = (host.slot(wait), self.ticket.is_over());
        let (Some(_slot), false) = (slot, over) else {
            self.state = Some(state);
            return Err(if over { Failure::OutOfTime } else { Failure::Busy });
        };
        let (time, cut) = self.ticket.phase();
        let allowance = Allowance {
            fuel: limits.fuel.saturating_add(limits.fuel_per_row.saturating_mul(rows)),
            // The first tick may come at once.
            ticks: time.div_ceil(host.tick()) + 1,
            until: Instant::now() + Duration::from_millis(time),
            output,
        };
        let clock = self.plugin.lane.clock();
        let (hooks, words) = (&self.plugin.hooks, &self.words);
        let ran = phase::run(host.engine(), state, limits, allowance, |store| said(hooks, words, store));
        self.plugin.lane.took(clock.elapsed(), matches!(ran.outcome, Err(Failure::OutOfFuel(_))));
        self.state = Some(ran.state);
        self.fuel = self.fuel.saturating_add(ran.fuel);
        match ran.outcome {
            // It was not the plugin's limit that it ran into.
            Err(Failure::Deadline(_)) if cut => Err(Failure::OutOfTime),
            outcome => outcome,
        }
    }

    /// Makes the requests; whatever becomes of them, there is one response for each, in order.
    pub(super) fn fetch(&mut self, requests: &[HttpRequest], web: &dyn Web) {
        let late = Instant::now() >= self.deadline;
        let fetched = match late {
            true => Ok(Vec::new()),
            false => catch_unwind(AssertUnwindSafe(|| web.fetch(requests, self.deadline))),
        };
        let missing = || match late {
            true => HttpFailure::TimedOut,
            false => HttpFailure::Other("there was no response".to_owned()),
        };
        let mut fetched = fetched.unwrap_or_default().into_iter();
        let responses: Vec<HttpResponse> = requests
            .iter()
            .map(|request| HttpResponse {
                name: request.name.clone(),
                outcome: fetched.next().map_or_else(|| Err(missing()), |r| r.outcome),
            })
            .collect();
        self.words.add(&responses);
        self.responses.extend(responses);
    }

    /// What the call wrote to its store takes effect, or the call has failed.
    fn keep(&mut self) -> Result<(), Failure> {
        match self.state.as_mut().and_then(State::take_writes) {
            Some((kv, writes)) => {
                let until = self.ticket.keep_until();
                kv.apply(writes, until).map_err(|why| Failure::Unavailable(format!("its store: {why}")))
            }
            None => Ok(()),
        }
    }

    fn end(mut self, outcome: Result<Answer, Failure>) -> Ran {
        let denied = self.responses.iter().find_map(|r| match &r.outcome {
            Err(HttpFailure::Denied(what)) => Some(what.clone()),
            _ => None,
        });
        let outcome = outcome.map_err(|failure| match (failure, denied) {
            // What was denied is the better name for what came of it.
            (Failure::Unavailable(_) | Failure::Internal(_), Some(what)) => Failure::NotGranted(what),
            (failure, _) => failure,
        });
        let (log, log_cut) = self.state.as_mut().map(State::take_log).unwrap_or_default();
        let memory = self.state.as_ref().map_or(0, |s| s.ceiling.peak as u64);
        let ran = Ran {
            outcome: outcome.map_err(judge::shortened),
            fuel: self.fuel,
            rounds: self.rounds,
            memory,
            log_cut,
            log,
            responses: self.responses,
            ..self.plugin.unrun(Failure::Busy)
        };
        self.ticket.close(ran)
    }
}
