//! Why the host does not start, or does not take a plugin.
use crate::plugins::contract::{Failure, Hook};

/// Each has a stable name, as the failures of calls have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    #[error("the host's settings make no sense: {0}")]
    Settings(String),
    #[error("wasmtime's engine does not start: {0}")]
    Engine(String),
    #[error(
        "there is no room for the pool of {instances} instances ({why}): let the process have more address space, or set \
         `allocation = \"on-demand\"`"
    )]
    Pool { instances: u32, why: String },
    #[error("the clock that stops endless calls does not move")]
    Clock,
    #[error("a thread does not start: {0}")]
    Thread(String),
    #[error("the component has {size} bytes; {limit} are allowed")]
    TooLarge { size: u64, limit: u64 },
    #[error("this is a core module; a plugin is a component (`zhanggui plugin build` makes one)")]
    CoreModule,
    #[error("this is not a component: {0}")]
    NotAComponent(String),
    #[error("the component cannot be compiled: {0}")]
    Invalid(String),
    #[error("compiling it took more than {0}")]
    Bomb(String),
    #[error("the compiler does not work: {0}")]
    Compiler(String),
    #[error("the cache of compiled plugins: {0}")]
    Cache(String),
    #[error("the contract's version {given:?} is not served; this host serves {served}")]
    Api { given: String, served: String },
    #[error("the component imports what no plugin gets: {}", .0.join(", "))]
    ForeignImport(Vec<String>),
    #[error("the component imports what was not granted: {}", .0.join(", "))]
    NotGranted(Vec<String>),
    #[error("the imports do not fit the contract: {0}")]
    Import(String),
    #[error("the hook `{}` does not fit the contract: {why}", .hook.name())]
    Hook { hook: Hook, why: String },
    #[error("an instance does not even begin: {0}")]
    Begin(Failure),
    #[error("the manifest names no function and no event")]
    NoHooks,
    #[error("the setting `{name}`: {why}")]
    Config { name: String, why: String },
    #[error("the limit `{name}` is {given}; this host has {most} at most")]
    Limit { name: String, given: u64, most: u64 },
}

impl HostError {
    /// The stable name.
    pub fn code(&self) -> &'static str {
        match self {
            HostError::Settings(_) => "host-settings",
            HostError::Engine(_) => "host-engine",
            HostError::Pool { .. } => "host-pool",
            HostError::Clock => "host-clock",
            HostError::Thread(_) => "host-thread",
            HostError::TooLarge { .. } => "component-too-large",
            HostError::CoreModule => "core-module",
            HostError::NotAComponent(_) => "not-a-component",
            HostError::Invalid(_) => "component-invalid",
            HostError::Bomb(_) => "component-bomb",
            HostError::Compiler(_) => "compiler",
            HostError::Cache(_) => "compiled-cache",
            HostError::Api { .. } => "contract-version",
            HostError::ForeignImport(_) => "foreign-import",
            HostError::NotGranted(_) => "import-not-granted",
            HostError::Import(_) => "import-mismatch",
            HostError::Hook { .. } => "hook-mismatch",
            HostError::Begin(_) => "does-not-begin",
            HostError::NoHooks => "no-hooks",
            HostError::Config { .. } => "config",
            HostError::Limit { .. } => "limit",
        }
    }
}
