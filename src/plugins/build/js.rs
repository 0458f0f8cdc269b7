//! JavaScript on QuickJS, by `jco` from the project's own `node_modules` or `PATH`.
//!
//! One engine for everyone: under the other one that `jco` has, a 64-bit number is another type.
use super::{BuildError, Options, component, file, scratch, tools, write};
use crate::plugins::manifest::Manifest;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the engine's modules use of WebAssembly, for the optimiser to read them.
const FEATURES: [&str; 7] = [
    "--enable-bulk-memory",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-multivalue",
    "--enable-reference-types",
    "--enable-multimemory",
];

/// The component; `jco` encodes it itself. It is made small: a server keeps its machine code in memory as long as it is
/// installed, and most of it is the engine.
pub(super) fn compile(project: &Path, manifest: &Manifest, options: &Options) -> Result<Vec<u8>, BuildError> {
    let jco = jco(project)?;
    let wit = scratch(project, "wit")?;
    write(&wit.join("guest.wit"), &component::world(manifest)?)?;
    write(&wit.join("deps").join("zhanggui-plugin").join("plugin.wit"), component::WIT)?;
    let out = scratch(project, "js")?.join("plugin.wasm");
    let mut command = Command::new(&jco);
    command
        .current_dir(project)
        .args(["componentize", "plugin.js", "--wit"])
        .arg(&wit)
        .args([
            "-n",
            "guest",
            "--backend",
            "qjs",
            "--backend-qjs-stub-wasi",
            "--backend-qjs-disable-async",
            "-o",
        ])
        .arg(&out);
    tools::run(&mut command, options)?;
    let small = out.with_file_name("small.wasm");
    let mut command = Command::new(&jco);
    command
        .current_dir(project)
        .arg("opt")
        .arg(&out)
        .arg("-o")
        .arg(&small)
        .args(["--", "-Oz"])
        .args(FEATURES);
    tools::run(&mut command, options)?;
    std::fs::read(&small).map_err(|e| file(&small, e))
}

fn jco(project: &Path) -> Result<PathBuf, BuildError> {
    let name = if cfg!(windows) { "jco.cmd" } else { "jco" };
    let near =
        project.ancestors().map(|f| f.join("node_modules").join(".bin").join(name)).find(|p| p.is_file());
    if let Some(found) = near.or_else(|| tools::program([name])) {
        return Ok(found);
    }
    let install = if tools::program(["npm", "npm.cmd"]).is_some() {
        vec![
            "npm install --save-dev @bytecodealliance/jco@1.35.0 @bytecodealliance/componentize-js@0.23.0"
                .to_owned(),
        ]
    } else {
        vec![
            "apt-get install nodejs npm   (Node 20 or newer), then in the plugin's folder: npm install"
                .to_owned(),
        ]
    };
    Err(BuildError::Missing { what: "jco, which puts JavaScript into a component,".to_owned(), install })
}
