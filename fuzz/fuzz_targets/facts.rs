//! Any bytes as facts for Jiajie's decisions: reading them never panics; what is read is decided by compiled code and by the
//! reference walk with the same bytes, and can be explained.
#![no_main]
use libfuzzer_sys::fuzz_target;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use zhanggui::lang::typed::DecisionId;
use zhanggui::rulebook::{Program, load};
use zhanggui_fuzz::bytes::Bytes;
use zhanggui_fuzz::clock::within;
use zhanggui_fuzz::given;

/// The programs of all stores of the rulebooks in `policies`.
static PROGRAMS: LazyLock<Vec<Arc<Program>>> = LazyLock::new(|| {
    let loaded =
        load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies")).expect("the policies can be read");
    let shown = loaded.shown(false);
    let books = loaded.rulebooks.unwrap_or_else(|| panic!("the policies do not check\n{shown}"));
    books.books.iter().filter(|book| book.name == "jiajie").flat_map(|book| book.programs.clone()).collect()
});

fuzz_target!(|data: &[u8]| {
    let mut bytes = Bytes::new(data);
    let shape = bytes.next();
    let program = bytes.pick(&PROGRAMS).clone();
    let vocab = &program.linked().rulebook.vocab;
    let decision = DecisionId(bytes.below(vocab.decisions.len()) as u32);
    let built;
    let json: &[u8] = if shape % 2 == 0 {
        bytes.rest()
    } else {
        built = given::facts(vocab, decision.ix(), &mut bytes);
        built.as_bytes()
    };
    let Ok(facts) = within(Duration::from_secs(2), "binding", || program.binder().bind(json)) else { return };
    let walked = program.decide_by_walk(decision, &facts);
    let compiled = program.decide(decision, &facts);
    let (walked, compiled) = (program.renderer().render(&walked), program.renderer().render(&compiled));
    assert_eq!(walked, compiled, "on {}", String::from_utf8_lossy(json));
    if shape % 8 < 2 {
        assert!(!program.explanation(decision, &facts).is_empty());
    }
});
