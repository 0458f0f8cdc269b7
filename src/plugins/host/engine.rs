//! wasmtime's engine as Zhanggui has it, and the clock that stops endless calls.
use crate::plugins::host::error::HostError;
use crate::plugins::host::imports::TABLES;
use crate::plugins::host::limits::Limits;
use crate::plugins::host::settings::{Allocation, HostSettings};
use sha2::{Digest, Sha256};
use std::hash::{Hash, Hasher};
use std::time::Duration;
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, Module, PoolingAllocationConfig, Store,
    StoreLimitsBuilder, Trap,
};

/// Memory that a slot keeps between two instances: threads that give it back and fetch it again fight for the
/// kernel's lock of the address space.
const KEEP_RESIDENT: usize = 96 << 10;

/// All that decides what machine code comes out; the same in the server and in its compiling child.
fn config() -> Config {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .epoch_interruption(true)
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        // Components of components copy from one memory to another; what `jco` makes of JavaScript is such a one.
        .wasm_multi_memory(true)
        .memory_init_cow(true)
        // Traps are told by the functions' names. Tables for debuggers would be loaded with every plugin.
        .native_unwind_info(false)
        .generate_address_map(false);
    config
}

/// The engine that runs plugins.
pub(super) fn engine(settings: &HostSettings) -> Result<Engine, HostError> {
    let mut config = config();
    config.max_wasm_stack(settings.stack as usize);
    if settings.allocation == Allocation::Pooling {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(settings)));
    }
    Engine::new(&config).map_err(|e| match settings.allocation {
        Allocation::Pooling => HostError::Pool { instances: settings.instances(), why: format!("{e:#}") },
        Allocation::OnDemand => HostError::Engine(format!("{e:#}")),
    })
}

/// An engine that only compiles: the same code, without a pool.
pub(super) fn compiling_engine() -> Result<Engine, HostError> {
    let mut config = config();
    // The server goes on deciding beside it.
    config.parallel_compilation(false);
    Engine::new(&config).map_err(|e| HostError::Engine(format!("{e:#}")))
}

/// Room for every instance to be as large as the default limits allow.
fn pool(settings: &HostSettings) -> PoolingAllocationConfig {
    let each = Limits::default();
    let instances = settings.instances();
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(each.instances))
        .total_memories(instances.saturating_mul(each.memories))
        .total_tables(instances.saturating_mul(TABLES))
        .max_core_instances_per_component(each.instances)
        .max_memories_per_component(each.memories)
        .max_tables_per_component(TABLES)
        .max_tables_per_module(TABLES)
        .max_component_instance_size(2 << 20)
        .max_core_instance_size(2 << 20)
        .max_memory_size(usize::try_from(settings.memory).unwrap_or(usize::MAX))
        .table_elements(settings.table as usize)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(64 << 10)
        // Only pages that a call has written to are cleaned, where the kernel can name them: to give all of them back
        // interrupts the processors of every other thread.
        .pagemap_scan(Enabled::Auto);
    pool
}

/// What compiled code has to fit: wasmtime's version, the processor and the settings above. Hex.
pub(super) fn fingerprint(engine: &Engine) -> String {
    struct Into256(Sha256);
    impl Hasher for Into256 {
        fn finish(&self) -> u64 {
            0
        }
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
    }
    let mut hasher = Into256(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hex(&hasher.0.finalize())
}

/// SHA-256, hex.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for half in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(half), 16));
        }
        text
    })
}

/// Starts the clock on a thread of its own, which ends with the engine, and makes sure that it moves: without it no
/// deadline would ever hold, silently.
pub(super) fn start_clock(engine: &Engine, tick: Duration) -> Result<(), HostError> {
    let weak = engine.weak();
    std::thread::Builder::new()
        .name("plugin-clock".to_owned())
        .spawn(move || {
            loop {
                std::thread::sleep(tick);
                match weak.upgrade() {
                    Some(engine) => engine.increment_epoch(),
                    None => return,
                }
            }
        })
        .map_err(|e| HostError::Thread(e.to_string()))?;
    if stops_a_loop(engine)? { Ok(()) } else { Err(HostError::Clock) }
}

/// `(module (func (export "f") loop br 0 end))`
const LOOP: &[u8] = &[
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x04, 0x01, 0x60, 0x00, 0x00, 0x03, 0x02, 0x01,
    0x00, 0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00, 0x0a, 0x09, 0x01, 0x07, 0x00, 0x03, 0x40, 0x0c, 0x00,
    0x0b, 0x0b,
];

/// Whether an endless loop is stopped by the clock; the fuel ends it after some seconds if not.
fn stops_a_loop(engine: &Engine) -> Result<bool, HostError> {
    let run = || -> wasmtime::Result<bool> {
        let module = Module::new(engine, LOOP)?;
        let mut store = Store::new(engine, StoreLimitsBuilder::new().instances(1).build());
        store.limiter(|limits| limits);
        store.set_fuel(20_000_000_000)?;
        store.set_epoch_deadline(1);
        let instance = wasmtime::Instance::new(&mut store, &module, &[])?;
        let endless = instance.get_typed_func::<(), ()>(&mut store, "f")?;
        let ended = endless.call(&mut store, ());
        Ok(ended.is_err_and(|e| e.downcast_ref::<Trap>() == Some(&Trap::Interrupt)))
    };
    run().map_err(|e| HostError::Engine(format!("{e:#}")))
}
