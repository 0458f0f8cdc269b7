//! C with `clang` and no C library: the bindings and the few functions that they need are ours and written beside the
//! build, so that a compiler and a linker are all that a vendor installs.
use super::{BuildError, Options, component, file, scratch, tools, write};
use crate::plugins::manifest::Manifest;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The contract's bindings, by `wit-bindgen`, and memory; `plugins/sdk-c/README.md` says how they are made.
const SDK: [(&str, &str); 5] = [
    ("zhanggui.h", include_str!("../../../plugins/sdk-c/zhanggui.h")),
    ("zhanggui.c", include_str!("../../../plugins/sdk-c/zhanggui.c")),
    ("memory.c", include_str!("../../../plugins/sdk-c/memory.c")),
    ("stdlib.h", include_str!("../../../plugins/sdk-c/stdlib.h")),
    ("string.h", include_str!("../../../plugins/sdk-c/string.h")),
];

const CLANG: [&str; 9] =
    ["clang", "clang-22", "clang-21", "clang-20", "clang-19", "clang-18", "clang-17", "clang-16", "clang-15"];

/// The core module, without its types.
pub(super) fn compile(project: &Path, manifest: &Manifest, options: &Options) -> Result<Vec<u8>, BuildError> {
    let (clang, linker) = compiler()?;
    let sdk = scratch(project, "c")?;
    for (name, text) in SDK {
        write(&sdk.join(name), text)?;
    }
    let out = sdk.join("plugin.wasm");
    let mut command = Command::new(clang);
    command
        .current_dir(project)
        .args([
            "--target=wasm32-unknown-unknown",
            "-std=c11",
            "-Os",
            "-Wall",
            "-Wextra",
            "-nostdlib",
            "-nostdlibinc",
        ])
        // Otherwise the loop in `memcpy` is recognised as a call of `memcpy`.
        .args(["-fno-builtin", "-ffunction-sections", "-fdata-sections"])
        .args(["-Wl,--no-entry", "-Wl,--gc-sections", "-Wl,--stack-first", "-Wl,-z,stack-size=65536"])
        .arg(format!("-fuse-ld={}", linker.display()))
        .arg("-Itarget/plugin/c")
        .args(component::hooks(manifest).iter().map(|h| format!("-DZHANGGUI_{}", h.name().to_uppercase())))
        .args(["plugin.c", "target/plugin/c/zhanggui.c", "target/plugin/c/memory.c", "-o"])
        .arg(&out);
    tools::run(&mut command, options)?;
    std::fs::read(&out).map_err(|e| file(&out, e))
}

fn compiler() -> Result<(PathBuf, PathBuf), BuildError> {
    let missing = |what: &str| BuildError::Missing {
        what: what.to_owned(),
        install: vec!["apt-get install clang-19 lld-19".to_owned(), "apt-get install clang lld".to_owned()],
    };
    let clang = tools::program(CLANG).ok_or_else(|| missing("clang"))?;
    let linker = tools::program(tools::WASM_LD).ok_or_else(|| missing("a linker for wasm (wasm-ld)"))?;
    Ok((clang, linker))
}
