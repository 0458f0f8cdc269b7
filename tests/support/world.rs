//! A world with a time of its own: tasks run one at a time, in an order drawn from the seed, and time passes only while
//! all of them wait. The same seed is the same world, byte for byte.
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use zhanggui::drill::Dice;
use zhanggui::records::Clock;

/// Microseconds of a second.
pub const SECOND: i64 = 1_000_000;

/// Tasks that die together: what a node runs. Those of group 0 (clients, the network, fate) outlive every node.
pub type Group = usize;

struct Task {
    group: Group,
    future: Pin<Box<dyn Future<Output = ()> + Send>>,
}

struct State {
    /// Epoch microseconds.
    now: i64,
    next: u64,
    tasks: BTreeMap<u64, Task>,
    /// By when they end.
    sleepers: BTreeMap<(i64, u64), Waker>,
    /// The task that runs right now, and whether it was killed meanwhile.
    running: Option<(Group, bool)>,
    dice: Dice,
}

#[derive(Clone)]
pub struct World {
    state: Arc<Mutex<State>>,
    woken: Arc<Mutex<Vec<u64>>>,
}

struct Bell {
    task: u64,
    woken: Arc<Mutex<Vec<u64>>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        let mut woken = self.woken.lock().unwrap();
        if !woken.contains(&self.task) {
            woken.push(self.task);
        }
    }
}

impl World {
    pub fn new(now: i64, seed: u64) -> World {
        let state = State {
            now,
            next: 0,
            tasks: BTreeMap::new(),
            sleepers: BTreeMap::new(),
            running: None,
            dice: Dice::new(seed),
        };
        World { state: Arc::new(Mutex::new(state)), woken: Arc::default() }
    }

    /// 0 … n-1, from the world's seed.
    pub fn below(&self, n: u64) -> u64 {
        self.state.lock().unwrap().dice.below(n)
    }
    pub fn percent(&self, n: u64) -> bool {
        n > 0 && self.state.lock().unwrap().dice.percent(n)
    }
    /// From `from` through `to`.
    pub fn between(&self, from: i64, to: i64) -> i64 {
        from + self.below((to - from + 1) as u64) as i64
    }

    pub fn spawn(&self, group: Group, future: impl Future<Output = ()> + Send + 'static) {
        let mut state = self.state.lock().unwrap();
        state.next += 1;
        let id = state.next;
        state.tasks.insert(id, Task { group, future: Box::pin(future) });
        self.woken.lock().unwrap().push(id);
    }

    /// Ends all tasks of a group where they stand, the one that calls this among them as soon as it waits.
    pub fn kill(&self, group: Group) {
        let mut dead = Vec::new();
        {
            let mut state = self.state.lock().unwrap();
            if let Some((running, killed)) = &mut state.running {
                *killed |= *running == group;
            }
            let ids: Vec<u64> =
                state.tasks.iter().filter(|(_, t)| t.group == group).map(|(id, _)| *id).collect();
            dead.extend(ids.iter().filter_map(|id| state.tasks.remove(id)));
        }
        // What they held is let go of outside the lock: it wakes others.
        drop(dead);
    }

    /// Waits so many microseconds.
    pub fn wait(&self, micros: i64) -> Sleep {
        self.wait_until(self.now() + micros)
    }
    pub fn wait_until(&self, until: i64) -> Sleep {
        Sleep { world: self.clone(), until, key: None }
    }
    /// What comes of a future within so many microseconds.
    pub async fn within<T>(&self, micros: i64, future: impl Future<Output = T>) -> Option<T> {
        let (mut future, mut end) = (pin!(future), pin!(self.wait(micros)));
        poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => end.as_mut().poll(context).map(|()| None),
        })
        .await
    }

    /// Runs the world until a future is done; then everything ends where it stands.
    pub fn run<T: Send + 'static>(&self, main: impl Future<Output = T> + Send + 'static) -> T {
        let done: Arc<Mutex<Option<T>>> = Arc::default();
        let to = done.clone();
        self.spawn(0, async move {
            let result = main.await;
            *to.lock().unwrap() = Some(result);
        });
        loop {
            self.step();
            if let Some(result) = done.lock().unwrap().take() {
                let left = std::mem::take(&mut self.state.lock().unwrap().tasks);
                drop(left);
                return result;
            }
        }
    }

    /// Runs one task that can go on; if there is none, it is the time when the first sleeper wakes.
    fn step(&self) {
        let id = {
            let mut woken = self.woken.lock().unwrap();
            let mut state = self.state.lock().unwrap();
            if woken.is_empty() {
                drop(woken);
                let (key, waker) =
                    state.sleepers.pop_first().expect("everything waits, and nothing will happen");
                state.now = state.now.max(key.0);
                drop(state);
                waker.wake();
                return;
            }
            let nth = state.dice.below(woken.len() as u64) as usize;
            woken.remove(nth)
        };
        let task = {
            let mut state = self.state.lock().unwrap();
            let task = state.tasks.remove(&id);
            state.running = task.as_ref().map(|task| (task.group, false));
            task
        };
        let Some(mut task) = task else { return };
        let waker = Waker::from(Arc::new(Bell { task: id, woken: self.woken.clone() }));
        let polled = task.future.as_mut().poll(&mut Context::from_waker(&waker));
        let mut state = self.state.lock().unwrap();
        let killed = state.running.take().is_some_and(|(_, killed)| killed);
        if polled.is_pending() && !killed {
            state.tasks.insert(id, task);
        } else {
            drop(state);
            drop(task);
        }
    }
}

/// The world's clock, on every node.
impl Clock for World {
    fn now(&self) -> i64 {
        self.state.lock().unwrap().now
    }
    fn pause(&self, tries: usize) -> impl Future<Output = ()> + Send {
        self.wait((1_000 << tries) + self.between(0, 6_000))
    }
}

pub struct Sleep {
    world: World,
    until: i64,
    key: Option<(i64, u64)>,
}

impl Future for Sleep {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let world = self.world.clone();
        let mut state = world.state.lock().unwrap();
        if state.now >= self.until {
            return Poll::Ready(());
        }
        let key = self.key.unwrap_or_else(|| {
            state.next += 1;
            (self.until, state.next)
        });
        self.key = Some(key);
        state.sleepers.insert(key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.world.state.lock().unwrap().sleepers.remove(&key);
        }
    }
}
