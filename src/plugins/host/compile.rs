//! From wasm to machine code: in a child process with limits of the operating system, because a small component can be
//! made to take a compiler's time and memory for ever.
use crate::plugins::host::cache::Cache;
use crate::plugins::host::engine::{compiling_engine, digest, fingerprint};
use crate::plugins::host::error::HostError;
use crate::plugins::host::settings::{CompileLimits, HostSettings};
use crate::plugins::host::trusted;
use rustix::process::{Resource, Rlimit, nice, setrlimit};
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use wasmtime::Engine;
use wasmtime::component::Component;

/// What compiling came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// SHA-256 of the component, hex.
    pub digest: String,
    /// Whether it had been compiled before.
    pub cached: bool,
    /// Bytes of machine code; 0 without a cache.
    pub size: u64,
    pub took: Duration,
}

/// What the parent tells its child, as JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    into: PathBuf,
    fingerprint: String,
    limits: CompileLimits,
}

/// The child gives way to everything else, so that its clock on the wall is far ahead of its processor time.
const PATIENCE: Duration = Duration::from_secs(30);

/// The child's way to say that the component is at fault, and not the compiler.
const INVALID: u8 = 2;

/// See [`crate::plugins::host::Host::compile`].
pub(super) fn compile(
    settings: &HostSettings,
    engine: &Engine,
    cache: Option<&Cache>,
    wasm: &[u8],
) -> Result<Compiled, HostError> {
    let began = Instant::now();
    form(wasm, settings.component)?;
    let digest = digest(wasm);
    let Some(cache) = cache else {
        Component::new(engine, wasm).map_err(|e| HostError::Invalid(format!("{e:#}")))?;
        return Ok(Compiled { digest, cached: false, size: 0, took: began.elapsed() });
    };
    let found = cache.find(&digest);
    let cached = found.is_some();
    let file = match found {
        Some(file) => file,
        None => fill(settings, engine, cache, &digest, wasm)?,
    };
    let size = std::fs::metadata(&file).map(|m| m.len()).unwrap_or(0);
    Ok(Compiled { digest, cached, size, took: began.elapsed() })
}

/// The component, from the cache or compiled now, with its digest.
pub(super) fn component(
    settings: &HostSettings,
    engine: &Engine,
    cache: Option<&Cache>,
    wasm: &[u8],
) -> Result<(String, Component), HostError> {
    form(wasm, settings.component)?;
    let digest = digest(wasm);
    let component = match cache {
        None => Component::new(engine, wasm).map_err(|e| HostError::Invalid(format!("{e:#}")))?,
        Some(cache) => {
            let file = match cache.find(&digest) {
                Some(file) => file,
                None => fill(settings, engine, cache, &digest, wasm)?,
            };
            // The file is whole and of this engine: what is wrong now is that the pool has no such slot.
            trusted::read(engine, &file).map_err(|e| HostError::Invalid(format!("{e:#}")))?
        }
    };
    Ok((digest, component))
}

/// A component by its first bytes, and not too large: what comes after is for the compiler to say.
fn form(wasm: &[u8], most: u64) -> Result<(), HostError> {
    if wasm.len() as u64 > most {
        return Err(HostError::TooLarge { size: wasm.len() as u64, limit: most });
    }
    if wasmparser::Parser::is_core_wasm(wasm) {
        return Err(HostError::CoreModule);
    }
    if !wasmparser::Parser::is_component(wasm) {
        return Err(HostError::NotAComponent("it does not begin as one".to_owned()));
    }
    Ok(())
}

fn fill(
    settings: &HostSettings,
    engine: &Engine,
    cache: &Cache,
    digest: &str,
    wasm: &[u8],
) -> Result<PathBuf, HostError> {
    let part = cache.part(digest);
    let made = match &settings.compiler {
        Some(program) => in_a_child(program, &settings.compile, cache, &part, wasm),
        None => engine
            .precompile_component(wasm)
            .map_err(|e| HostError::Invalid(format!("{e:#}")))
            .and_then(|code| std::fs::write(&part, code).map_err(|e| HostError::Cache(e.to_string()))),
    };
    let kept = made.and_then(|()| cache.keep(digest, &part));
    if kept.is_err() {
        // What is left of it is of no use; it may not even have been begun.
        drop(std::fs::remove_file(&part));
    }
    kept
}

fn in_a_child(
    program: &Path,
    limits: &CompileLimits,
    cache: &Cache,
    part: &Path,
    wasm: &[u8],
) -> Result<(), HostError> {
    let broken = |e: &dyn std::fmt::Display| HostError::Compiler(e.to_string());
    let order =
        Order { into: part.to_owned(), fingerprint: cache.fingerprint().to_owned(), limits: limits.clone() };
    let order = serde_json::to_string(&order).map_err(|e| broken(&e))?;
    let mut child = Command::new(program)
        .arg("plugin-compile")
        .arg(order)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| broken(&e))?;
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let patience = PATIENCE + Duration::from_secs(u64::from(limits.seconds).saturating_mul(10));
    let (ended, said) = std::thread::scope(|scope| {
        scope.spawn(move || {
            // A child that died does not read on; its end says why.
            stdin.map(|mut to| to.write_all(wasm))
        });
        let said = scope.spawn(move || {
            let mut said = Vec::new();
            if let Some(from) = stderr {
                drop(from.take(4096).read_to_end(&mut said));
            }
            String::from_utf8_lossy(&said).trim().to_owned()
        });
        let ended = wait(&mut child, patience);
        (ended, said.join().unwrap_or_default())
    });
    match ended.map_err(|e| broken(&e))? {
        None => Err(HostError::Bomb(format!("{} s", patience.as_secs()))),
        Some(status) => judged(status, &said, limits),
    }
}

/// None: it had to be killed.
fn wait(child: &mut Child, patience: Duration) -> std::io::Result<Option<ExitStatus>> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if began.elapsed() > patience {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn judged(status: ExitStatus, said: &str, limits: &CompileLimits) -> Result<(), HostError> {
    let signal = |raw: i32| status.signal() == Some(raw);
    let memory = || HostError::Bomb(format!("{} bytes of memory", limits.memory));
    if status.success() {
        Ok(())
    } else if status.code() == Some(i32::from(INVALID)) {
        Err(HostError::Invalid(said.to_owned()))
    } else if signal(libc_signal::XCPU) || signal(libc_signal::KILL) {
        Err(HostError::Bomb(format!("{} s of processor time", limits.seconds)))
    } else if signal(libc_signal::XFSZ) || said.contains(FULL) {
        Err(HostError::Bomb(format!("{} bytes of code", limits.output)))
    } else if signal(libc_signal::ABRT) || signal(libc_signal::SEGV) || said.contains(NO_MEMORY) {
        Err(memory())
    } else {
        Err(HostError::Compiler(format!("{status}: {said}")))
    }
}

/// How the child says that the code does not fit into the file.
const FULL: &str = "File too large";
/// How the child says that the operating system gave it no more memory.
const NO_MEMORY: &str = "Cannot allocate memory";

/// The numbers of signals, which are the same wherever this runs.
mod libc_signal {
    use rustix::process::Signal;
    pub(super) const XCPU: i32 = Signal::XCPU.as_raw();
    pub(super) const XFSZ: i32 = Signal::XFSZ.as_raw();
    pub(super) const KILL: i32 = Signal::KILL.as_raw();
    pub(super) const ABRT: i32 = Signal::ABORT.as_raw();
    pub(super) const SEGV: i32 = Signal::SEGV.as_raw();
}

/// The child's whole life: limits first, then the component from standard input, then its code into the file that the
/// order names. `order` is what the parent wrote.
pub fn compile_child(order: &str) -> ExitCode {
    match obey(order) {
        Ok(()) => ExitCode::SUCCESS,
        Err(HostError::Invalid(why)) => {
            eprintln!("{why}");
            ExitCode::from(INVALID)
        }
        Err(other) => {
            eprintln!("{other}");
            ExitCode::FAILURE
        }
    }
}

fn obey(order: &str) -> Result<(), HostError> {
    let broken = |e: &dyn std::fmt::Display| HostError::Compiler(e.to_string());
    let order: Order = serde_json::from_str(order).map_err(|e| broken(&e))?;
    let limit = |what: Resource, most: u64| {
        setrlimit(what, Rlimit { current: Some(most), maximum: Some(most) }).map_err(|e| broken(&e))
    };
    limit(Resource::Core, 0)?;
    limit(Resource::As, order.limits.memory)?;
    limit(Resource::Cpu, u64::from(order.limits.seconds))?;
    limit(Resource::Fsize, order.limits.output)?;
    // The server comes first; a system that does not let it be polite compiles all the same.
    let _ = nice(10);
    let engine = compiling_engine()?;
    if fingerprint(&engine) != order.fingerprint {
        return Err(HostError::Compiler("it is not of the same build as the server".to_owned()));
    }
    let mut wasm = Vec::new();
    std::io::stdin().lock().read_to_end(&mut wasm).map_err(|e| broken(&e))?;
    let code = engine.precompile_component(&wasm).map_err(|e| HostError::Invalid(format!("{e:#}")))?;
    std::fs::write(&order.into, code).map_err(|e| broken(&e))
}
