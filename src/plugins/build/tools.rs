//! Finding and running other people's compilers.
use super::{BuildError, Options};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// LLVM's linker for wasm, by its names.
pub(super) const WASM_LD: [&str; 9] = [
    "wasm-ld",
    "wasm-ld-22",
    "wasm-ld-21",
    "wasm-ld-20",
    "wasm-ld-19",
    "wasm-ld-18",
    "wasm-ld-17",
    "wasm-ld-16",
    "wasm-ld-15",
];

/// The folders of `PATH`, in its order.
pub(super) fn folders() -> Vec<PathBuf> {
    std::env::var_os("PATH").map(|p| std::env::split_paths(&p).collect()).unwrap_or_default()
}

/// The first of these programs that `PATH` has; earlier names win over earlier folders.
pub(super) fn program<N: AsRef<Path>>(names: impl IntoIterator<Item = N>) -> Option<PathBuf> {
    let folders = folders();
    names.into_iter().find_map(|name| folders.iter().map(|f| f.join(name.as_ref())).find(|p| p.is_file()))
}

/// What a program prints about itself, trimmed; nothing if it fails.
pub(super) fn says(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// Runs a compiler to its end; a failure carries what it wrote.
pub(super) fn run(command: &mut Command, options: &Options) -> Result<Output, BuildError> {
    let name = command.get_program().to_string_lossy().into_owned();
    let stderr = if options.show { Stdio::inherit() } else { Stdio::piped() };
    let failed = |output: String| BuildError::Compile { command: name.clone(), output };
    let output = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(stderr)
        .output()
        .map_err(|e| failed(e.to_string()))?;
    if output.status.success() {
        return Ok(output);
    }
    let mut said = String::from_utf8_lossy(&output.stderr).into_owned();
    if said.trim().is_empty() {
        said = if options.show {
            output.status.to_string()
        } else {
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
    }
    Err(failed(said.trim_end().to_owned()))
}
