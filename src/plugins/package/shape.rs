//! What a component imports and exports, read without compiling it.
use crate::plugins::contract::Hook;
use crate::plugins::manifest::Manifest;
use wasmparser::{Encoding, Parser, Payload};

/// What the contract's interfaces are called before their name and version.
const PREFIX: &str = "zhanggui:plugin/";
/// Versions of the contract that this host serves, as the interfaces have them.
const VERSION: &str = "@0.1.";

/// Imports and exports of a component by name, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    pub imports: Vec<String>,
    pub exports: Vec<String>,
}

impl Shape {
    /// Says why the bytes are no component.
    pub fn of(component: &[u8]) -> Result<Shape, String> {
        let mut shape = Shape { imports: Vec::new(), exports: Vec::new() };
        // Components and modules inside have imports of their own; only those of the outermost are the plugin's.
        let (mut depth, mut begun) = (0_u32, false);
        for payload in Parser::new(0).parse_all(component) {
            match payload.map_err(|e| format!("it is broken: {e}"))? {
                Payload::Version { encoding: Encoding::Component, .. } => {
                    depth += u32::from(begun);
                    begun = true;
                }
                Payload::Version { encoding: Encoding::Module, .. } if !begun => {
                    return Err(
                        "it is a core module, no component; build it with zhanggui plugin build".to_owned()
                    );
                }
                Payload::Version { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 0 => {
                    for import in section {
                        let import = import.map_err(|e| format!("it is broken: {e}"))?;
                        shape.imports.push(import.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    for export in section {
                        let export = export.map_err(|e| format!("it is broken: {e}"))?;
                        shape.exports.push(export.name.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        if begun { Ok(shape) } else { Err("it is empty".to_owned()) }
    }

    /// Whether it exports the contract's interface of this name.
    pub fn exports(&self, hook: Hook) -> bool {
        self.exports.iter().any(|e| interface(e) == Some(hook.name()))
    }

    /// Whether it is what the manifest says: the hooks are there, and nothing is imported but the contract's interfaces,
    /// the store only where it is asked for. The host looks at every type when it loads the component.
    pub fn suits(&self, manifest: &Manifest) -> Result<(), String> {
        for hook in manifest.hooks() {
            if !self.exports(hook) {
                let found = self.exports.join(", ");
                let name = hook.name();
                return Err(format!(
                    "the manifest has the hook {name}, and no {PREFIX}{name} is exported (found: {found})"
                ));
            }
        }
        for import in &self.imports {
            match interface(import) {
                Some("types" | "logging" | "config") => {}
                Some("kv") if manifest.asks.kv > 0 => {}
                Some("kv") => {
                    return Err(
                        "it imports kv, and the manifest does not ask for it; write [asks] kv = 65536"
                            .to_owned(),
                    );
                }
                _ => return Err(format!("it imports {import}, which the contract does not have")),
            }
        }
        Ok(())
    }
}

/// `facts` of `zhanggui:plugin/facts@0.1.0`, where this host serves that version.
fn interface(name: &str) -> Option<&str> {
    let (name, version) = name.strip_prefix(PREFIX)?.split_once(VERSION)?;
    (!version.is_empty() && version.bytes().all(|b| b.is_ascii_digit())).then_some(name)
}
