//! One phase: a fresh instance within its limits, and the name of what stopped it.
use crate::plugins::contract::Failure;
use crate::plugins::host::imports::State;
use crate::plugins::host::judge::short;
use crate::plugins::host::limits::Limits;
use crate::plugins::host::v0_1::Said;
use std::time::Instant;
use wasmtime::{Engine, PoolConcurrencyLimitError, Store, Trap, WasmBacktrace};

/// How wasmtime says that a guest hands over more than it may; the type is not public.
const TOO_MUCH: &str = "fuel allocated for hostcalls has been exhausted";

/// What a phase may use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    /// Units of fuel.
    pub(super) fuel: u64,
    /// Ticks of the clock.
    pub(super) ticks: u64,
    /// As the ticks: for what the instance waits for.
    pub(super) until: Instant,
    /// Bytes that leave the guest at once.
    pub(super) output: u32,
}

/// What a phase came to.
pub(super) struct Phase<T> {
    pub(super) outcome: Result<T, Failure>,
    /// The state of the call, handed back.
    pub(super) state: State,
    /// Units used.
    pub(super) fuel: u64,
}

/// Runs one phase. After a fault the instance is gone with everything that it was.
pub(super) fn run<T>(
    engine: &Engine,
    mut state: State,
    limits: &Limits,
    allowance: Allowance,
    said: impl FnOnce(&mut Store<State>) -> Said<T>,
) -> Phase<T> {
    state.begin(allowance.until);
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.ceiling);
    store.set_hostcall_fuel(allowance.output as usize);
    store.set_epoch_deadline(allowance.ticks);
    let outcome = match store.set_fuel(allowance.fuel) {
        Ok(()) => said(&mut store),
        Err(e) => Err(e),
    };
    let left = store.get_fuel().unwrap_or(0);
    let outcome = match outcome {
        Ok(Err(Failure::Internal(_))) if store.data().ceiling.denied > 0 => {
            Err(Failure::OutOfMemory(limits.memory))
        }
        Ok(said) => said,
        Err(fault) => Err(named(&fault, store.data(), limits, allowance)),
    };
    Phase { outcome, fuel: allowance.fuel.saturating_sub(left), state: store.into_data() }
}

/// The name of a fault.
fn named(fault: &wasmtime::Error, state: &State, limits: &Limits, allowance: Allowance) -> Failure {
    if let Some(why) = state.store_away() {
        return Failure::Unavailable(short(&format!("its store: {why}")).to_owned());
    }
    let trap = fault.downcast_ref::<Trap>().copied();
    match trap {
        Some(Trap::Interrupt) => return Failure::Deadline(u64::from(limits.deadline)),
        Some(Trap::OutOfFuel) => return Failure::OutOfFuel(allowance.fuel),
        Some(Trap::StackOverflow) => return Failure::StackOverflow,
        _ => {}
    }
    if state.ceiling.denied > 0 {
        return Failure::OutOfMemory(limits.memory);
    }
    if fault.is::<PoolConcurrencyLimitError>() {
        return Failure::Busy;
    }
    if fault.chain().any(|cause| cause.to_string().contains(TOO_MUCH)) {
        return Failure::OutputTooLarge(u64::from(allowance.output));
    }
    if let Some(panic) = state.panic_text() {
        return Failure::Trapped(short(panic).to_owned());
    }
    match (trap, fault.downcast_ref::<Stopped>()) {
        (Some(trap), _) => Failure::Trapped(format!("{trap}{}", place(fault))),
        (None, Some(stopped)) => Failure::Trapped(stopped.to_string()),
        // The guest broke the rules by which values are handed over.
        (None, None) => Failure::WrongAnswer(short(&fault.root_cause().to_string()).to_owned()),
    }
}

/// The function at fault, where the component has names.
fn place(fault: &wasmtime::Error) -> String {
    let Some(trace) = fault.downcast_ref::<WasmBacktrace>() else { return String::new() };
    let name = trace.frames().iter().find_map(|frame| frame.func_name());
    name.map(|name| format!(" in `{}`", short(name))).unwrap_or_default()
}

/// The host's own reason to stop an instance.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Stopped(pub(super) &'static str);
