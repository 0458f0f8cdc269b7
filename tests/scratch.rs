#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "scratch"
)]
use zhanggui::analysis::goal::Goal;
use zhanggui::analysis::search::Search;
use zhanggui::analysis::words;
#[test]
fn scratch() {
    let which = std::env::var("RULE").unwrap_or_else(|_| "refunding".into());
    let dec = std::env::var("DEC").unwrap_or_else(|_| "return_item".into());
    let budget: u32 = std::env::var("BUDGET").ok().and_then(|b| b.parse().ok()).unwrap_or(20_000);
    let loaded = zhanggui::rulebook::load(std::path::Path::new("policies/jiajie")).unwrap();
    let books = loaded.rulebooks.unwrap();
    let program = &books.books[0].programs[0];
    let linked = program.linked();
    let d = program.decision(&dec).unwrap();
    for (i, l) in linked.rules(d).iter().enumerate() {
        let rule = &linked.rulebook.rules[l.rule.ix()];
        if rule.name != which && which != "all" {
            continue;
        }
        let mut s = Search::new(program, d);
        s.budget = budget;
        let goal = Goal::new(d).applies(linked, i, 0);
        let t = std::time::Instant::now();
        let a = s.find(&goal);
        println!("{} taken {} in {:?}: parts {}", rule.name, s.taken, t.elapsed(), goal.parts.len());
        match a {
            zhanggui::analysis::search::Answer::Witness(w) => {
                let f = words::what_matters(&mut s, &goal, &w);
                println!("   {}", words::sentence(&s.space, &f));
            }
            other => println!("   {}", if other.is_none() { "none" } else { "gave up" }),
        }
    }
}
