//! Jiajie's own decisions, and tables that grow from 100 to 100,000 rows.
use crate::{Cell, measure};
use std::fmt::Write;
use zhanggui::program::facts::Facts;
use zhanggui::program::vm::Frame;
use zhanggui::rulebook::Registry;

/// Jiajie's return, price and earn decisions, on the requests that stand in `docs/examples`.
pub fn jiajie(seconds: f64, rounds: usize) {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let registry = Registry::open(format!("{root}/policies").as_ref()).expect("the policies check");
    let program = registry.current().store("s001").expect("store s001").program.clone();
    let mut cells = Vec::new();
    for name in ["return_item", "price", "earn"] {
        let decision = program.decision(name).expect("decision");
        let text = std::fs::read(format!("{root}/docs/examples/{name}.json")).expect("example");
        let facts = program.binder().bind(&text).expect("facts bind");
        let rules = program.linked().rules(decision).len();
        let mut frame = Frame::default();
        assert!(program.compiled().run(decision, &facts, &mut frame).is_ok(), "{name} runs compiled");
        assert_eq!(
            program.compiled().evaluate(decision, &facts, &mut frame),
            program.decide_by_walk(decision, &facts)
        );
        let program = program.clone();
        cells.push(Cell::new(format!("{name}, {rules} rules"), 1, move |_| {
            program.compiled().run(decision, &facts, &mut frame).is_ok().into()
        }));
    }
    measure(&mut cells, seconds, rounds);
    println!("\n| Jiajie's decision, bound facts, trace on | ns (median) |\n| --- | ---: |");
    for c in &cells {
        println!("| {} | {:.0} |", c.name, c.median());
    }
}

/// How many different keys are asked for in turn: few, so that what is measured is the search, and many, so that it is
/// the search together with memory that no cache holds.
const KEYS: [usize; 2] = [100, 10_000];

/// One lookup in a CSV table by two keys, random rows, for growing tables.
pub fn rows(seconds: f64, rounds: usize) {
    let sizes = [100usize, 1_000, 10_000, 100_000];
    let mut cells = Vec::new();
    for size in sizes {
        let folder = std::env::temp_dir().join(format!("zhanggui-rows-{}-{size}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("folder");
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("write");
        write(
            "rulebook.toml",
            "name = \"rows\"\nvocabulary = [\"rows.vocab\"]\nlayers = [\"chain\"]\n[store.s1]\n",
        );
        write(
            "rows.vocab",
            "vocabulary rows version 1\nenum kind: regular, special\ncurrency CNY step 0.01\n\
             entity item { sku: code, kind: kind }\nfact today: date\n\
             decision price given item, today { pays: one money else 0 CNY }\n",
        );
        write(
            "rows.policy",
            "policy rows.prices decides price\n  layer chain\n\
             table price_of(sku: code, kind: kind) -> pays: money file \"prices.csv\"\n\
             rule listed then pays = price_of(item.sku, item.kind)\n",
        );
        let mut csv = String::from("sku,kind,pays\n");
        for i in 0..size {
            let kind = if i % 2 == 0 { "regular" } else { "special" };
            writeln!(csv, "\"\"\"SKU{:06}\"\"\",{kind},{}.{:02} CNY", i / 2, i % 997, i % 100)
                .expect("write");
        }
        write("prices.csv", &csv);
        let start = std::time::Instant::now();
        let registry = Registry::open(&folder).expect("the rows check");
        println!("{size} rows read, checked and compiled in {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
        let program = registry.current().store("s1").expect("store s1").program.clone();
        let decision = program.decision("price").expect("price");
        for keys in KEYS {
            let facts: Vec<Facts> = (0..keys)
                .map(|k| {
                    let i = (k * 7_919 + 13) % size;
                    let kind = if i % 2 == 0 { "regular" } else { "special" };
                    let json = format!(
                        r#"{{"item":{{"sku":"SKU{:06}","kind":"{kind}"}},"today":"2026-07-01"}}"#,
                        i / 2
                    );
                    program.binder().bind(json.as_bytes()).expect("facts bind")
                })
                .collect();
            let (program, mut frame) = (program.clone(), Frame::default());
            cells.push(Cell::new(format!("{size} | {keys}"), keys, move |k| {
                let ran = program.compiled().run(decision, &facts[k], &mut frame);
                assert!(ran.is_ok());
                1
            }));
        }
        std::fs::remove_dir_all(&folder).expect("clean up");
    }
    measure(&mut cells, seconds, rounds);
    println!(
        "\n| rows in the table, one lookup by two keys | different keys asked | ns per decision (median) | × 100 rows |"
    );
    println!("| ---: | ---: | ---: | ---: |");
    for (at, c) in cells.iter().enumerate() {
        let base = cells[at % KEYS.len()].median();
        println!("| {} | {:.0} | {:.2} |", c.name, c.median(), c.median() / base);
    }
}
