//! Rust for `wasm32-unknown-unknown`: with a toolchain that has the target's standard library, else with one that has
//! the library's source and compiles it along.
use super::{BuildError, Options, file, tools};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";

/// Settings of a surrounding build that are not meant for the guest.
const NOT_OURS: &[&str] = &[
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_TARGET_DIR",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTDOC",
    "RUSTC_BOOTSTRAP",
];

/// A compiler, its cargo, and how it gets the standard library for wasm.
#[derive(Debug)]
struct Toolchain {
    rustc: PathBuf,
    cargo: PathBuf,
    sysroot: PathBuf,
    /// The library has to be compiled along, with this linker if the toolchain has none.
    from_source: Option<Option<PathBuf>>,
}

/// The core module.
pub(super) fn compile(project: &Path, options: &Options) -> Result<Vec<u8>, BuildError> {
    let toolchain = find(project)?;
    let mut command = Command::new(&toolchain.cargo);
    for name in NOT_OURS {
        command.env_remove(name);
    }
    command
        .current_dir(project)
        .args(["build", "--release", "--lib", "--target", TARGET, "--message-format=json-render-diagnostics"])
        .env("RUSTC", &toolchain.rustc)
        .env("CARGO_ENCODED_RUSTFLAGS", flags(&toolchain, project));
    if let Some(target) = &options.target {
        command.env("CARGO_TARGET_DIR", target);
    }
    if let Some(linker) = &toolchain.from_source {
        // `-Z build-std` is cargo's only way to compile the library; the variable opens it on a stable compiler.
        command.args(["-Z", "build-std=std,panic_abort"]).env("RUSTC_BOOTSTRAP", "1");
        if let Some(linker) = linker {
            command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
    }
    let output = tools::run(&mut command, options)?;
    let wasm = module(&output.stdout, &project.join("Cargo.toml"))
        .ok_or_else(|| BuildError::Component("Cargo.toml needs [lib] crate-type = [\"cdylib\"]".into()))?;
    std::fs::read(&wasm).map_err(|e| file(&wasm, e))
}

/// The same folder names on every machine: panic messages carry paths, which would otherwise tell where a plugin was
/// built and make each machine's build another file. The same for all plugins of a repository, so that they can share a
/// target folder: other flags would have the standard library compiled anew.
fn flags(toolchain: &Toolchain, project: &Path) -> OsString {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| {
        std::env::var_os("HOME")
            .or_else(|| std::env::var_os("USERPROFILE"))
            .map(|h| Path::new(&h).join(".cargo"))
    });
    let mut flags = OsString::new();
    let library = toolchain.sysroot.join("lib").join("rustlib").join("src").join("rust");
    let here = project.ancestors().find(|f| f.join(".git").exists()).unwrap_or(project).to_owned();
    // Of two that fit, the compiler takes the later one.
    let places = [(Some(here), "here"), (home, "cargo"), (Some(library), "rust")];
    for (from, to) in places.into_iter().filter_map(|(from, to)| Some((from?, to))) {
        for real in [from.canonicalize().ok().filter(|r| *r != from), Some(from)].into_iter().flatten() {
            if !flags.is_empty() {
                flags.push("\u{1f}");
            }
            flags.push("--remap-path-prefix=");
            flags.push(real);
            flags.push(format!("={to}"));
        }
    }
    flags
}

/// The `.wasm` that cargo says it made of this package.
fn module(messages: &[u8], manifest: &Path) -> Option<PathBuf> {
    String::from_utf8_lossy(messages)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|m| m.get("reason").and_then(|r| r.as_str()) == Some("compiler-artifact"))
        .filter(|m| m.get("manifest_path").and_then(|p| p.as_str()).map(Path::new) == Some(manifest))
        .filter_map(|m| {
            let files = m.get("filenames")?.as_array()?.iter().filter_map(|f| f.as_str());
            files.map(PathBuf::from).find(|f| f.extension().is_some_and(|e| e == "wasm"))
        })
        .next_back()
}

fn find(project: &Path) -> Result<Toolchain, BuildError> {
    let exe = std::env::consts::EXE_SUFFIX;
    let mut found: Vec<Toolchain> = Vec::new();
    let mut with_source: Vec<(PathBuf, PathBuf, PathBuf)> = Vec::new();
    let mut sysroots: Vec<PathBuf> = Vec::new();
    for folder in tools::folders() {
        let (rustc, cargo) = (folder.join(format!("rustc{exe}")), folder.join(format!("cargo{exe}")));
        if !rustc.is_file() || !cargo.is_file() {
            continue;
        }
        let ask = |args: &[&str]| {
            tools::says(Command::new(&rustc).current_dir(project).args(args)).map(PathBuf::from)
        };
        let Some(sysroot) = ask(&["--print", "sysroot"]) else { continue };
        if sysroots.contains(&sysroot) {
            continue;
        }
        sysroots.push(sysroot.clone());
        let library = ask(&["--print", "target-libdir", "--target", TARGET]);
        if library.is_some_and(|l| has_std(&l)) {
            found.push(Toolchain { rustc, cargo, sysroot, from_source: None });
        } else if sysroot.join("lib/rustlib/src/rust/library/std/Cargo.toml").is_file() {
            with_source.push((rustc, cargo, sysroot));
        }
    }
    if let Some(ready) = found.into_iter().next() {
        return Ok(ready);
    }
    let Some((rustc, cargo, sysroot)) = with_source.into_iter().next() else {
        return Err(BuildError::Missing {
            what: format!("a Rust toolchain for {TARGET}"),
            install: vec![
                format!("rustup target add {TARGET}"),
                "apt-get install rustc-web cargo-web rust-web-src lld-19   (Debian 12)".to_owned(),
                "apt-get install rustc cargo libstd-rust-dev-wasm32 lld   (Debian 13 and later)".to_owned(),
            ],
        });
    };
    if rust_lld(&sysroot).is_some() {
        return Ok(Toolchain { rustc, cargo, sysroot, from_source: Some(None) });
    }
    let linker = sysroots.iter().find_map(|s| rust_lld(s)).or_else(|| tools::program(tools::WASM_LD));
    match linker {
        Some(linker) => Ok(Toolchain { rustc, cargo, sysroot, from_source: Some(Some(linker)) }),
        None => Err(BuildError::Missing {
            what: "a linker for wasm (rust-lld or wasm-ld)".to_owned(),
            install: vec!["apt-get install lld-19".to_owned(), "apt-get install lld".to_owned()],
        }),
    }
}

fn has_std(library: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(library) else { return false };
    entries.flatten().any(|e| e.file_name().to_string_lossy().starts_with("libstd-"))
}

/// The linker that rustup's toolchains carry.
fn rust_lld(sysroot: &Path) -> Option<PathBuf> {
    let targets = std::fs::read_dir(sysroot.join("lib").join("rustlib")).ok()?;
    let name = format!("rust-lld{}", std::env::consts::EXE_SUFFIX);
    targets.flatten().map(|t| t.path().join("bin").join(&name)).find(|p| p.is_file())
}
