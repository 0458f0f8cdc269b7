//! The one place with `unsafe`: machine code that this host compiled itself is read back from its private cache.
use std::path::Path;
use wasmtime::Engine;
use wasmtime::component::Component;

/// Loads compiled code. The caller has found the file in the cache's own folder, which nobody else may write to, and
/// has checked its digest against the one that was noted when it was compiled.
#[allow(
    unsafe_code,
    reason = "wasmtime runs what the file says; it is our own compiler's output, from a folder that is ours alone, and \
              its digest was checked. No vendor's file ever gets here: packages carry wasm only"
)]
pub(super) fn read(engine: &Engine, file: &Path) -> wasmtime::Result<Component> {
    unsafe { Component::deserialize_file(engine, file) }
}
