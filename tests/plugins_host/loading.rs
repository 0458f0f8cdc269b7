//! What is refused before it is ever called, each by a name, and how compiling is kept in bounds.
use crate::guest::{CONFIG, Guest, KV, LOG, SEVEN, call, component, manifest};
use crate::{Fine, assert_healthy, host, load, seven, unhurried};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use zhanggui::plugins::contract::{Failure, Hook};
use zhanggui::plugins::host::{CompileLimits, Host, HostError, HostSettings, Limits, Loaded};
use zhanggui::plugins::manifest::{Asks, Manifest, Setting};

fn facts() -> Manifest {
    manifest("bad", Hook::Facts, "whole")
}

fn refused(wasm: &[u8], manifest: &Manifest, grants: &Asks) -> HostError {
    let host = host();
    let refused = host.load(wasm, manifest, grants, &BTreeMap::new(), &unhurried()).err().unwrap();
    let good = load(&host, &Guest::good(), &facts(), &unhurried());
    assert_healthy(&host, &good);
    refused
}

#[test]
fn an_import_without_a_grant_is_refused_and_named() {
    let guest = Guest::good().with(KV, "");
    let mut m = facts();
    m.asks.kv = 1000;
    let grants = Asks { kv: 0, ..m.asks.clone() };
    assert_eq!(
        refused(&guest.wasm(), &m, &grants),
        HostError::NotGranted(vec!["zhanggui:plugin/kv@0.1.0".to_owned()])
    );
    // A grant that nobody asked for does no harm; logging and settings need none.
    let host = host();
    host.load(&guest.wasm(), &m, &m.asks, &BTreeMap::new(), &unhurried()).unwrap();
    let plain = Guest::good().with(LOG, "").with(CONFIG, "");
    host.load(&plain.wasm(), &facts(), &m.asks, &BTreeMap::new(), &unhurried()).unwrap();
}

/// A component, as text, that imports an interface by this name and exports nothing.
fn importing(name: &str) -> Vec<u8> {
    let text = format!(r#"(component (import "{name}" (instance (export "f" (func)))))"#);
    wat::parse_str(text).unwrap()
}

#[test]
fn imports_that_no_plugin_gets_are_refused_and_named() {
    for name in ["wasi:cli/environment@0.2.0", "wasi:sockets/tcp@0.2.0", "zhanggui:plugin/files@0.1.0"] {
        let why = refused(&importing(name), &facts(), &facts().asks);
        assert_eq!(why, HostError::ForeignImport(vec![name.to_owned()]));
        assert_eq!(why.code(), "foreign-import");
    }
}

#[test]
fn other_versions_of_the_contract_are_refused_and_named() {
    let mut later = facts();
    later.api = "0.2".to_owned();
    let why = refused(&Guest::good().wasm(), &later, &later.asks);
    assert_eq!(why, HostError::Api { given: "0.2".to_owned(), served: "0.1".to_owned() });
    // The manifest says one thing, and the component another.
    let why = refused(&importing("zhanggui:plugin/logging@0.2.0"), &facts(), &facts().asks);
    assert_eq!(why, HostError::Api { given: "0.2.0".to_owned(), served: "0.1".to_owned() });
}

#[test]
fn hooks_that_are_missing_or_of_other_types_are_refused() {
    let why = refused(&Guest::good().of(Hook::Check).wasm(), &facts(), &facts().asks);
    assert!(matches!(&why, HostError::Hook { hook: Hook::Facts, .. }), "{why}");
    let why = refused(
        &wat::parse_str(
            r#"(component
                 (core module $m (func (export "p") (param i32) (result i32) i32.const 0))
                 (core instance $i (instantiate $m))
                 (func $p (param "x" u32) (result u32) (canon lift (core func $i "p")))
                 (instance $facts (export "plan" (func $p)) (export "decide" (func $p)))
                 (export "zhanggui:plugin/facts@0.1.0" (instance $facts)))"#,
        )
        .unwrap(),
        &facts(),
        &facts().asks,
    );
    assert!(matches!(&why, HostError::Hook { hook: Hook::Facts, .. }), "{why}");
    let why = refused(&importing("zhanggui:plugin/logging@0.1.0"), &facts(), &facts().asks);
    assert!(matches!(&why, HostError::Import(_)), "{why}");
    let mut none = facts();
    none.functions.clear();
    assert_eq!(refused(&Guest::good().wasm(), &none, &none.asks), HostError::NoHooks);
    let odd = manifest("bad", Hook::Facts, "float");
    assert!(matches!(refused(&Guest::good().wasm(), &odd, &odd.asks), HostError::Hook { .. }));
}

#[test]
fn what_is_not_a_component_is_refused() {
    let module = wat::parse_str("(module)").unwrap();
    assert_eq!(refused(&module, &facts(), &facts().asks), HostError::CoreModule);
    assert!(matches!(refused(b"", &facts(), &facts().asks), HostError::NotAComponent(_)));
    assert!(matches!(refused(b"\x7fELF and more", &facts(), &facts().asks), HostError::NotAComponent(_)));
    let mut broken = Guest::good().wasm();
    broken.truncate(broken.len() / 2);
    assert!(matches!(refused(&broken, &facts(), &facts().asks), HostError::Invalid(_)));
    let most = Limits::default().component;
    let mut large = Guest::good().wasm();
    large.resize(most as usize + 1, 0);
    let size = large.len() as u64;
    assert_eq!(refused(&large, &facts(), &facts().asks), HostError::TooLarge { size, limit: most });
    // Threads and relaxed vectors would not answer the same everywhere.
    let relaxed = r#"(component (core module (func (param v128 v128 v128) (result v128)
        local.get 0 local.get 1 local.get 2 f32x4.relaxed_madd)))"#;
    let relaxed = wat::parse_str(relaxed).unwrap();
    assert!(matches!(refused(&relaxed, &facts(), &facts().asks), HostError::Invalid(_)));
    let shared = wat::parse_str("(component (core module (memory 1 1 shared)))").unwrap();
    assert!(matches!(refused(&shared, &facts(), &facts().asks), HostError::Invalid(_)));
}

#[test]
fn settings_of_another_kind_are_refused_and_named() {
    let host = host();
    let mut m = facts();
    for (name, kind) in [("days", "whole"), ("rate", "decimal"), ("strict", "truth"), ("fee", "money")] {
        let setting = Setting { kind: kind.to_owned(), default: None, help: String::new() };
        m.config.insert(name.to_owned(), setting);
    }
    let wasm = Guest::good().wasm();
    let all = [("days", "30"), ("rate", "0.15"), ("strict", "true"), ("fee", "12.50 CNY")];
    let with = |changed: Option<(&str, &str)>| {
        let given: BTreeMap<String, String> =
            all.into_iter().chain(changed).map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        host.load(&wasm, &m, &m.asks, &given, &unhurried())
    };
    assert!(with(None).is_ok());
    for (name, value) in [
        ("days", "30.5"),
        ("rate", "1e3"),
        ("strict", "yes"),
        ("fee", "12.50"),
        ("fee", "12,50 CNY"),
        ("day", "3"),
    ] {
        match with(Some((name, value))).err() {
            Some(HostError::Config { name: wrong, .. }) => assert_eq!(wrong, name),
            other => panic!("{name} = {value}: {other:?}"),
        }
    }
    let missing = host.load(&wasm, &m, &m.asks, &BTreeMap::new(), &unhurried()).err().unwrap();
    assert!(matches!(missing, HostError::Config { .. }), "{missing}");
}

#[test]
fn limits_beyond_the_hosts_are_refused_and_named() {
    let host = host();
    let limits = Limits { memory: 1 << 40, ..Limits::default() };
    let why = host.load(&Guest::good().wasm(), &facts(), &facts().asks, &BTreeMap::new(), &limits).err();
    assert_eq!(why, Some(HostError::Limit { name: "memory".to_owned(), given: 1 << 40, most: 64 << 20 }));
}

#[test]
fn a_pool_that_finds_no_room_is_not_replaced_in_silence() {
    let settings = HostSettings { instances: 60_000, ..HostSettings::default() };
    let why = Host::start(settings).err().unwrap();
    assert!(matches!(&why, HostError::Pool { .. }), "{why}");
    assert!(why.to_string().contains("on-demand"), "{why}");
    let allocation = zhanggui::plugins::host::Allocation::OnDemand;
    let host = Host::start(HostSettings { allocation, ..HostSettings::default() }).unwrap();
    let plugin = load(&host, &Guest::good(), &facts(), &unhurried());
    assert_healthy(&host, &plugin);
}

/// A host with a cache, which compiles in a child.
fn compiling(cache: &tempfile::TempDir, compile: CompileLimits) -> Arc<Host> {
    Host::start(HostSettings {
        cache: Some(cache.path().join("cwasm")),
        compiler: Some(env!("CARGO_BIN_EXE_zhanggui").into()),
        compile,
        threads: 2,
        ..HostSettings::default()
    })
    .unwrap()
}

fn loaded(host: &Host, wasm: &[u8]) -> Result<Arc<Loaded>, HostError> {
    host.load(wasm, &facts(), &facts().asks, &BTreeMap::new(), &unhurried())
}

#[test]
fn a_child_compiles_into_a_private_cache() {
    let folder = tempfile::tempdir().unwrap();
    let host = compiling(&folder, CompileLimits::default());
    let wasm = Guest::good().wasm();
    let first = host.compile(&wasm).unwrap();
    assert!(!first.cached && first.size > 0, "{first:?}");
    let again = host.compile(&wasm).unwrap();
    assert!(again.cached && again.digest == first.digest, "{again:?}");
    let plugin = loaded(&host, &wasm).unwrap();
    assert_eq!(plugin.digest(), first.digest);
    assert_eq!(host.call(&plugin, Hook::Facts, &call(3), &Fine, None).outcome, Ok(seven()));

    let cache = folder.path().join("cwasm");
    assert_eq!(std::fs::metadata(&cache).unwrap().permissions().mode() & 0o777, 0o700);
    let code = |extension: &str| {
        let of = |e: &std::fs::DirEntry| e.path().extension().is_some_and(|x| x == extension);
        std::fs::read_dir(&cache)
            .unwrap()
            .map(Result::unwrap)
            .filter(of)
            .map(|e| e.path())
            .collect::<Vec<_>>()
    };
    assert_eq!((code("cwasm").len(), code("sha256").len(), code("part").len()), (1, 1, 0));

    // Code that was changed is not run: it is compiled again.
    let file = code("cwasm").remove(0);
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    std::fs::write(&file, &bytes).unwrap();
    assert!(!host.compile(&wasm).unwrap().cached);
    let plugin = loaded(&host, &wasm).unwrap();
    assert_eq!(host.call(&plugin, Hook::Facts, &call(3), &Fine, None).outcome, Ok(seven()));
}

#[test]
fn a_cache_that_others_may_write_to_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("open");
    std::fs::create_dir(&cache).unwrap();
    std::fs::set_permissions(&cache, std::fs::Permissions::from_mode(0o777)).unwrap();
    let why = Host::start(HostSettings { cache: Some(cache), ..HostSettings::default() }).err().unwrap();
    assert!(matches!(&why, HostError::Cache(_)), "{why}");
}

/// A component within the size limit whose one function is hard on a compiler: each of many loops carries each of many
/// locals.
fn bomb() -> Vec<u8> {
    let mut body = String::new();
    for n in 0..4000 {
        let local = |k: usize| (n * k) % 2000;
        let value = format!("(i64.mul (local.get {}) (local.get {}))", local(7), local(13));
        write!(body, "(loop (local.set {} {value}) (br_if 0 (i64.eqz (local.get {}))))", local(3), local(5))
            .unwrap();
    }
    let locals = "(local i64)".repeat(2000);
    Guest::good().with("", &format!("(func (export \"work\") {locals} {body})")).wasm()
}

#[test]
fn a_component_that_is_a_bomb_to_compile_kills_only_the_child() {
    let folder = tempfile::tempdir().unwrap();
    let wasm = bomb();
    assert!(wasm.len() < 4 << 20, "within the size limit: {}", wasm.len());

    let host = compiling(&folder, CompileLimits { seconds: 1, ..CompileLimits::default() });
    let began = Instant::now();
    let why = loaded(&host, &wasm).err().unwrap();
    assert_eq!(why, HostError::Bomb("1 s of processor time".to_owned()));
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());

    let host = compiling(&folder, CompileLimits { memory: 100 << 20, ..CompileLimits::default() });
    let why = loaded(&host, &wasm).err().unwrap();
    assert_eq!(why, HostError::Bomb(format!("{} bytes of memory", 100 << 20)));

    let host = compiling(&folder, CompileLimits { output: 1000, ..CompileLimits::default() });
    let why = loaded(&host, &Guest::good().wasm()).err().unwrap();
    assert_eq!(why, HostError::Bomb("1000 bytes of code".to_owned()));

    // Nothing is left of it, and the next one compiles.
    assert_eq!(std::fs::read_dir(folder.path().join("cwasm")).unwrap().count(), 0);
    let host = compiling(&folder, CompileLimits::default());
    let plugin = loaded(&host, &Guest::good().wasm()).unwrap();
    assert_healthy(&host, &plugin);
}

#[test]
fn a_child_says_what_is_wrong_with_a_component() {
    let folder = tempfile::tempdir().unwrap();
    let host = compiling(&folder, CompileLimits::default());
    let mut broken = Guest::good().wasm();
    broken.truncate(broken.len() - 5);
    let why = loaded(&host, &broken).err().unwrap();
    assert!(matches!(&why, HostError::Invalid(_)), "{why}");
    let host = Host::start(HostSettings {
        cache: Some(folder.path().join("cwasm")),
        compiler: Some("/nowhere/zhanggui".into()),
        ..HostSettings::default()
    })
    .unwrap();
    let why = loaded(&host, &odd(2, 1032)).err().unwrap();
    assert!(matches!(&why, HostError::Compiler(_)), "{why}");
}

/// A guest with other numbers than all others.
fn odd(memory: u32, plan: u32) -> Vec<u8> {
    let text = include_str!("../guests/wat/base.wat")
        .lines()
        .filter(|l| !l.starts_with(";;"))
        .collect::<Vec<_>>()
        .join("\n")
        .replace(r#"(memory (export "memory") 2)"#, &format!(r#"(memory (export "memory") {memory})"#))
        .replace("HOOK", "facts")
        .replace("PLAN", &format!("(i32.const {plan})"))
        .replace("DECIDE", SEVEN)
        .replace("IMPORTS", "")
        .replace("MORE", "");
    component(wat::parse_str(&text).unwrap(), Hook::Facts)
}

#[test]
fn what_does_not_even_begin_is_refused() {
    let endless = Guest::good().with("", "(func $endless (loop $l (br $l))) (start $endless)");
    let fuel = Limits::default().fuel;
    let begin = HostError::Begin(Failure::OutOfFuel(fuel));
    assert_eq!(refused(&endless.wasm(), &facts(), &facts().asks), begin);
    let memory = Limits::default().memory;
    let begin = HostError::Begin(Failure::OutOfMemory(memory));
    assert_eq!(refused(&odd(1000, 1024), &facts(), &facts().asks), begin);
}
