//! `zhanggui drill` as somebody starts it: against a running server, with lost answers, and the database checked at the end.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails should say where"
)]
mod common;
use common::each_database;
use common::till::Till;

#[test]
fn a_chain_is_played_at_a_rate_and_adds_up() {
    each_database(|more| {
        let till = Till::open(more);
        let file = till.file();
        let database = more.last().copied().unwrap_or(&file);
        let drill = |more: &[&str]| {
            let mut args = vec!["drill", "--url", &till.server.base, "--members", "40", "--seconds", "3"];
            args.extend(more);
            common::zhanggui(&args)
        };
        let run = drill(&["--rate", "40", "--lose", "20", "--database", database]);
        assert_eq!(run.code, 0, "{run:?}");
        assert!(run.out.contains("everything adds up"), "{run:?}");
        // Eight clients, each of which ends the scene that it has begun.
        let answers: u64 = run.out.split_whitespace().next().unwrap().parse().unwrap();
        assert!((40..=250).contains(&answers), "{run:?}");
        // As fast as it can: members have points by then, set some aside and spend them.
        let run = drill(&["--seed", "2", "--database", database]);
        assert_eq!(run.code, 0, "{run:?}");
        for what in ["sale", "return", "hold", "redeem"] {
            let line = run.out.lines().find(|line| line.trim_start().starts_with(what));
            assert!(line.is_some_and(|line| line.contains("201: ")), "{what}: {run:?}");
        }
        let run = drill(&["--database", "sqlite:///nowhere/z.db"]);
        assert!(run.code != 0 && !run.out.contains("adds up"), "{run:?}");
    });
}
