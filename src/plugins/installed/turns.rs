//! Many questions of one asker: of each plugin as many at once as it has places, the others when it is their turn. They
//! would otherwise wait for each other, and be turned away for having waited too long.
use super::{Begun, Installed, Running, Runs};
use crate::plugins::ask::Asked;
use crate::plugins::contract::{Failure, Ran};
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

/// The questions to one plugin from one store.
#[derive(Default)]
struct Queue {
    /// With their places among all.
    waiting: VecDeque<(usize, Asked)>,
    running: usize,
}

/// By plugin and store: stores may ask different versions.
type Key = (String, String);

/// The place of its answer, and the call until that is there.
type Under<L> = (usize, Key, Option<Running<L>>);

/// The answers to come, in the questions' order.
pub(super) struct Turns<'i, R: Runs> {
    installed: &'i Installed<R>,
    until: Option<Instant>,
    queues: BTreeMap<Key, Queue>,
    running: Vec<Under<R::Loaded>>,
    ran: Vec<Option<Ran>>,
}

impl<'i, R: Runs> Turns<'i, R> {
    /// The first calls begin here, before anybody polls.
    pub(super) fn begin(
        installed: &'i Installed<R>,
        asked: Vec<Asked>,
        until: Option<Instant>,
    ) -> Turns<'i, R> {
        let ran = asked.iter().map(|_| None).collect();
        let mut queues: BTreeMap<Key, Queue> = BTreeMap::new();
        for (at, one) in asked.into_iter().enumerate() {
            let key = (one.plugin.clone(), one.call.store.clone());
            queues.entry(key).or_default().waiting.push_back((at, one));
        }
        let mut turns = Turns { installed, until, queues, running: Vec::new(), ran };
        turns.next();
        turns
    }

    /// Begins whatever has its turn.
    fn next(&mut self) {
        for (key, queue) in &mut self.queues {
            let places = if queue.waiting.is_empty() { 0 } else { self.installed.places(&key.0, &key.1) };
            while queue.running < places
                && let Some((at, asked)) = queue.waiting.pop_front()
            {
                match self.installed.begin(asked, self.until) {
                    Begun::Failed(ran) => put(&mut self.ran, at, ran),
                    Begun::Running(running) => {
                        queue.running += 1;
                        self.running.push((at, key.clone(), Some(running)));
                    }
                }
            }
        }
    }
}

fn put(all: &mut [Option<Ran>], at: usize, ran: Ran) {
    if let Some(place) = all.get_mut(at) {
        *place = Some(ran);
    }
}

impl<R: Runs> Future for Turns<'_, R> {
    type Output = Vec<Ran>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Vec<Ran>> {
        let turns = &mut *self;
        loop {
            let before = turns.running.len();
            turns.running.retain_mut(|(at, key, place)| {
                let Some(running) = place else { return false };
                let Poll::Ready(said) = Pin::new(&mut running.answer).poll(cx) else { return true };
                if let Some(running) = place.take() {
                    put(&mut turns.ran, *at, turns.installed.end(running, said.ok()));
                }
                if let Some(queue) = turns.queues.get_mut(key) {
                    queue.running = queue.running.saturating_sub(1);
                }
                false
            });
            if turns.running.len() == before {
                break;
            }
            turns.next();
        }
        if !turns.running.is_empty() {
            return Poll::Pending;
        }
        let lost = || Ran::failed("", Failure::Trapped("the call was lost".into()));
        Poll::Ready(turns.ran.iter_mut().map(|ran| ran.take().unwrap_or_else(lost)).collect())
    }
}
