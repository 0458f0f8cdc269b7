//! Rulebooks made by bytes: a random policy of the tests, or one of them with a few signs changed. Checking and analysing never
//! panic, every place lies in its file, the same rulebook gives the same findings, and facts found for a rule make it apply.
#![no_main]
use libfuzzer_sys::fuzz_target;
use std::path::Path;
use std::sync::LazyLock;
use zhanggui::analysis::analyse;
use zhanggui::analysis::goal::Goal;
use zhanggui::analysis::search::{Answer, Search};
use zhanggui::lang::ast::FileKind;
use zhanggui::lang::typed::DecisionId;
use zhanggui::rulebook::{Book, load};
use zhanggui_fuzz::bytes::Bytes;
use zhanggui_fuzz::mutant::mutant;
use zhanggui_fuzz::spans;
use zhanggui_fuzz::support::generate::texts;

const MANIFEST: &str = "name = \"fuzz\"\nlayers = [\"law\", \"chain\", \"store\"]\nvocabulary = [\"a.vocab\"]\n[store.s1]\nzone = \"Asia/Shanghai\"\n\
    business_day = \"02:00\"\nin = { chain = \"jia\" }\n";

/// What is mutated: Jiajie's own texts are large, so each policy comes alone.
const POLICIES: [&str; 4] = [
    include_str!("../../policies/jiajie/prices.policy"),
    include_str!("../../policies/jiajie/rebate.policy"),
    include_str!("../../policies/jiajie/approvals.policy"),
    include_str!("../../policies/jiajie/benefits.policy"),
];
const COMMON: &str = include_str!("../../policies/jiajie/common.policy");
const RETAIL: &str = include_str!("../../policies/retail.vocab");

static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder"));

/// The stack that the search asks for.
const STACK: usize = 64 << 20;

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).expect("a file can be written");
}

/// One rule of each decision, in every program: facts under which it applies are such by both evaluators.
fn witnesses(book: &Book, bytes: &mut Bytes<'_>) {
    for program in &book.programs {
        let linked = program.linked();
        for decision in 0..linked.rulebook.vocab.decisions.len() {
            let decision = DecisionId(decision as u32);
            let rules = linked.rules(decision).len();
            if rules == 0 {
                continue;
            }
            let mut search = Search::new(program, decision);
            search.budget = 200;
            let goal = Goal::new(decision).applies(linked, bytes.below(rules), 0);
            if let Answer::Witness(witness) = search.find(&goal) {
                let walked = program.renderer().render(&program.decide_by_walk(decision, &witness.facts));
                let compiled = program.renderer().render(&program.decide(decision, &witness.facts));
                assert_eq!(walked, compiled);
                assert!(!program.explanation(decision, &witness.facts).is_empty());
            }
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let mut bytes = Bytes::new(data);
    let shape = bytes.next();
    let (vocab, policies) = if shape % 3 == 0 {
        let policy = bytes.word(&POLICIES);
        let manifest = MANIFEST.replace("jia\"", "jiajie\"");
        write(FOLDER.path(), "rulebook.toml", &manifest);
        (RETAIL.to_owned(), format!("{COMMON}\n{}", mutant(policy, FileKind::Policy, &mut bytes)))
    } else {
        let seed = u64::from(bytes.next()) << 8 | u64::from(bytes.next());
        let texts = texts(seed);
        write(FOLDER.path(), "rulebook.toml", MANIFEST);
        let policies = match shape % 3 {
            1 => texts.policies,
            _ => mutant(&texts.policies, FileKind::Policy, &mut bytes),
        };
        (texts.vocab, policies)
    };
    write(FOLDER.path(), "a.vocab", &vocab);
    write(FOLDER.path(), "a.policy", &policies);
    let loaded = load(FOLDER.path()).expect("the folder can be read");
    spans::findings(&loaded.sources, &loaded.findings);
    let Some(books) = &loaded.rulebooks else { return };
    let found = analyse(books);
    spans::findings(&loaded.sources, &found);
    if shape % 5 == 0 {
        assert_eq!(found, analyse(books), "the same rulebook, other findings:\n{policies}");
    }
    let choices: Vec<u8> = (0..32).map(|_| bytes.next()).collect();
    std::thread::scope(|scope| {
        let work = || books.books.iter().for_each(|book| witnesses(book, &mut Bytes::new(&choices)));
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        thread.expect("a thread").join().expect("the search ends");
    });
});
