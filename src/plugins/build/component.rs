//! Core modules to components, in this process: no tool of others is needed.
use super::BuildError;
use crate::plugins::contract::Hook;
use crate::plugins::manifest::Manifest;
use std::collections::BTreeSet;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The contract, as it was released.
pub(super) const WIT: &str = include_str!("../../../plugins/wit/0.1.0/plugin.wit");

/// The hooks that a manifest speaks of.
pub(super) fn hooks(manifest: &Manifest) -> BTreeSet<Hook> {
    let of_functions = manifest.functions.values().map(|f| f.hook);
    let of_events = (!manifest.events.is_empty()).then_some(Hook::Notify);
    of_functions.chain(of_events).collect()
}

/// The world of exactly this plugin, for toolchains whose output imports whatever a world names: `kv` is imported only
/// where the manifest asks for it, since an import without a grant is refused.
pub(super) fn world(manifest: &Manifest) -> Result<String, BuildError> {
    let hooks = hooks(manifest);
    if hooks.is_empty() {
        return Err(BuildError::Component("plugin.toml names neither a function nor an event".into()));
    }
    let mut text = String::from("package guest:plugin;\n\nworld guest {\n");
    let kv = (manifest.asks.kv > 0).then_some("kv");
    for interface in ["logging", "config"].into_iter().chain(kv) {
        text.push_str(&format!("  import zhanggui:plugin/{interface}@0.1.0;\n"));
    }
    for hook in hooks {
        text.push_str(&format!("  export zhanggui:plugin/{}@0.1.0;\n", hook.name()));
    }
    text.push_str("}\n");
    Ok(text)
}

/// Adds to a core module what it imports and exports in the contract's types.
pub(super) fn embed(core: &[u8], manifest: &Manifest) -> Result<Vec<u8>, BuildError> {
    let mut resolve = Resolve::default();
    resolve.push_source("plugin.wit", WIT).map_err(unfit)?;
    let guest = resolve.push_source("guest.wit", &world(manifest)?).map_err(unfit)?;
    let world = resolve.select_world(&[guest], Some("guest")).map_err(unfit)?;
    let mut module = core.to_vec();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).map_err(unfit)?;
    Ok(module)
}

/// Encodes a core module that carries its types.
pub(super) fn encode(core: &[u8]) -> Result<Vec<u8>, BuildError> {
    ComponentEncoder::default()
        .validate(true)
        .reject_legacy_names(false)
        .module(core)
        .and_then(|mut encoder| encoder.encode())
        .map_err(unfit)
}

/// With its causes: the first line alone names no function.
fn unfit(error: impl std::fmt::Display) -> BuildError {
    BuildError::Component(format!("{error:#}"))
}
