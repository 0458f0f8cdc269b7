//! The vendor's kit: what a template becomes, what the examples answer, and what is said when a compiler is missing.
//!
//! Guests are built with whatever compilers this machine has; a test that lacks one says so and is not counted as more.
//! With `ZHANGGUI_GUESTS=all` a missing compiler is a failure.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use zhanggui::plugins::build::{BuildError, Built, Language, Options, build, build_with, kit};
use zhanggui::plugins::host::{Host, HostSettings, Limits};
use zhanggui::plugins::manifest::Manifest;
use zhanggui::plugins::package::{Case, Subject};

static HOST: LazyLock<Arc<Host>> = LazyLock::new(|| Host::start(HostSettings::default()).unwrap());

/// Cargo locks its folder anyway; one at a time leaves the waiting out of the measured seconds.
static BUILDING: Mutex<()> = Mutex::new(());

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// One folder for all Rust guests, so that the standard library is compiled once where it has to be.
fn target() -> PathBuf {
    root().join("plugins").join("target")
}

/// A folder of the test's own, inside the repository: its builds then share flags with those of the examples.
fn fresh(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

/// Builds, unless this machine lacks the compiler.
fn built(project: &Path) -> Option<Built> {
    let _one = BUILDING.lock();
    let options = Options { target: Some(target()), show: false };
    match build_with(project, &options) {
        Ok(built) => {
            let size = std::fs::metadata(&built.wasm).unwrap().len();
            println!("{}: {size} bytes in {:.1} s", project.display(), built.seconds);
            Some(built)
        }
        Err(error @ BuildError::Missing { .. }) => {
            assert_ne!(std::env::var("ZHANGGUI_GUESTS").as_deref(), Ok("all"), "{error}");
            eprintln!("NOT BUILT {}: {error}", project.display());
            None
        }
        Err(error) => panic!("{}: {error}", project.display()),
    }
}

/// Runs all cases of a project that was built; how many there are.
fn cases(project: &Path) -> usize {
    let text = std::fs::read_to_string(project.join("plugin.toml")).unwrap();
    let manifest = Manifest::parse(&text).unwrap();
    let component = std::fs::read(project.join("plugin.wasm")).unwrap();
    let limits = Limits::default();
    let subject = Subject { host: &HOST, component: &component, manifest: &manifest, limits: &limits };
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(project.join("cases")).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    for file in &files {
        let name = file.display().to_string();
        let case = Case::read(&std::fs::read(file).unwrap(), &manifest).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(case.fuel.is_some(), "{name}: no ceiling for fuel");
        let run = subject.run(&name, &case).unwrap();
        println!("{name}: {} units of fuel, {} bytes", run.ran.fuel, run.ran.memory);
        assert_eq!(run.differences, Vec::<String>::new(), "{name}\n{:#?}", run.ran.log);
    }
    files.len()
}

fn template(language: Language) {
    let project = fresh(&format!("template-{}", language.name()));
    kit::create(language, "acme", "big_basket", &project).unwrap();
    let manifest = Manifest::parse(&std::fs::read_to_string(project.join("plugin.toml")).unwrap()).unwrap();
    assert_eq!(manifest.id, "acme.big_basket");
    if language == Language::Js {
        lend_modules(&project);
    }
    if built(&project).is_some() {
        assert_eq!(cases(&project), 1);
    }
}

/// What `npm install` brings is half a gigabyte: the one of the example serves here too.
fn lend_modules(project: &Path) {
    let modules = root().join("plugins/examples/coupon-lookup/node_modules");
    if let Ok(real) = modules.canonicalize() {
        #[cfg(unix)]
        std::os::unix::fs::symlink(real, project.join("node_modules")).unwrap();
    }
}

#[test]
fn the_rust_template_builds_and_passes_its_case() {
    template(Language::Rust);
}

#[test]
fn the_js_template_builds_and_passes_its_case() {
    template(Language::Js);
}

#[test]
fn the_c_template_builds_and_passes_its_case() {
    template(Language::C);
}

#[test]
fn the_examples_build_and_pass_their_cases() {
    for example in ["serial-returner", "courier-quote", "birthday-message", "coupon-lookup"] {
        let project = root().join("plugins/examples").join(example);
        if built(&project).is_some() {
            assert!(cases(&project) >= 3, "{example}");
            let wasm = std::fs::read(project.join("plugin.wasm")).unwrap();
            let home = root().display().to_string();
            let leak = wasm.windows(home.len()).any(|w| w == home.as_bytes());
            assert!(!leak, "{example} tells where it was built");
        }
    }
}

#[test]
fn a_template_leaves_no_placeholder_and_takes_no_bad_name() {
    for language in Language::ALL {
        let project = fresh(&format!("names-{}", language.name()));
        let files = kit::create(language, "acme", "big_basket", &project).unwrap();
        for file in files.iter().filter(|f| !f.starts_with(project.join("kit"))) {
            let text = std::fs::read_to_string(file).unwrap();
            for left in ["VENDOR", "NAME", "plugin-name"] {
                assert!(!text.contains(left), "{}: {left}", file.display());
            }
        }
        let again = kit::create(language, "acme", "big_basket", &project).unwrap_err();
        assert!(again.to_string().contains("not empty"), "{again}");
    }
    for name in ["", "Big", "1st", "a-b", "a.b", "../up", &"a".repeat(41)] {
        let refused = kit::create(Language::C, "acme", name, &fresh("names-bad")).unwrap_err();
        assert!(refused.to_string().contains("is no name"), "{refused}");
    }
    assert!(!fresh("names-bad").exists());
}

/// The SDK that a new project gets is the whole one.
#[test]
fn a_new_project_gets_every_file_of_the_sdk() {
    let project = fresh("sdk");
    kit::create(Language::Rust, "acme", "big_basket", &project).unwrap();
    let sdk = root().join("plugins/sdk-rust");
    let sources = std::fs::read_dir(sdk.join("src")).unwrap().map(|e| e.unwrap().path());
    for file in sources.chain([sdk.join("Cargo.toml"), sdk.join("README.md")]) {
        let copy = project.join("kit/sdk-rust").join(file.strip_prefix(&sdk).unwrap());
        let text = std::fs::read_to_string(&copy).unwrap_or_else(|e| panic!("{}: {e}", copy.display()));
        assert_eq!(text, std::fs::read_to_string(&file).unwrap());
    }
    let wit = std::fs::read_to_string(project.join("kit/wit/0.1.0/plugin.wit")).unwrap();
    assert_eq!(wit, std::fs::read_to_string(root().join("plugins/wit/0.1.0/plugin.wit")).unwrap());
}

#[test]
fn what_is_wrong_with_a_project_is_said() {
    let project = fresh("wrong");
    std::fs::create_dir_all(&project).unwrap();
    let said = || build(&project).unwrap_err().to_string();
    assert!(said().contains("plugin.toml"), "{}", said());
    std::fs::write(project.join("plugin.toml"), "id = 3").unwrap();
    assert!(said().contains("plugin.toml"), "{}", said());
    let manifest = include_str!("../plugins/templates/c/plugin.toml").replace("VENDOR.NAME", "acme.basket");
    std::fs::write(project.join("plugin.toml"), manifest).unwrap();
    assert!(said().contains("none of Cargo.toml, plugin.js and plugin.c"), "{}", said());
    std::fs::write(project.join("plugin.c"), "int broken(").unwrap();
    match build(&project) {
        Err(BuildError::Compile { output, .. }) => assert!(output.contains("plugin.c:1"), "{output}"),
        Err(BuildError::Missing { install, .. }) => assert!(install[0].contains("apt-get install clang")),
        other => panic!("{other:?}"),
    }
    // It compiles, and lacks the hook that its manifest names.
    std::fs::write(project.join("plugin.c"), "int nothing(void) { return 0; }").unwrap();
    match build(&project) {
        Err(BuildError::Compile { output, .. }) => assert!(output.contains("facts_decide"), "{output}"),
        Err(BuildError::Missing { .. }) => {}
        other => panic!("{other:?}"),
    }
}

/// Without any compiler in `PATH`, each language's message has the command that brings one.
#[test]
fn a_missing_compiler_is_named_with_the_command_that_brings_it() {
    let empty = fresh("empty");
    std::fs::create_dir_all(&empty).unwrap();
    for (language, install) in [
        (Language::Rust, "rustup target add wasm32-unknown-unknown"),
        (Language::Js, "apt-get install nodejs npm"),
        (Language::C, "apt-get install clang"),
    ] {
        // Away from the repository: a `node_modules` above would be found.
        let project = tempfile::tempdir().unwrap();
        let folder = project.path().join("plugin");
        kit::create(language, "acme", "big_basket", &folder).unwrap();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_zhanggui"))
            .args(["plugin", "build"])
            .arg(&folder)
            .env("PATH", &empty)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success() && said.contains(install), "{}: {said}", language.name());
    }
}
