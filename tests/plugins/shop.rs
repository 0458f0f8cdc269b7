//! A small rulebook whose enrolments ask plugins, each ground of an application another one.
use std::path::PathBuf;
use std::sync::Arc;
use zhanggui::rulebook::{Rulebooks, load};

const MANIFEST: &str = r#"
name = "club"
vocabulary = ["club.vocab"]
layers = ["chain"]

[store.s1]
zone = "Asia/Shanghai"
"#;

const VOCABULARY: &str = r#"
vocabulary club
currency CNY step 0.01
unit point step 1
enum verdict ordered { allow, refer, deny }
enum screening: deny, refer, allow
entity applicant { ground: text, name: text?, day_spend: money, persons: integer, address: text? }
entity trip { to: text, cost: money, tags: list of text }
fact today: date
fact trips: list of trip
fact risk(name: text): integer in [0..100]
  from plugin acme.fraud.score reads applicant.persons, applicant.day_spend, trips on failure 7
fact known(name: text): bool from plugin acme.register.known reads applicant.name on failure refer
fact listed(name: text): bool from plugin acme.ban.listed on failure deny
fact screen(name: text): screening from plugin acme.screen.check on failure refer
fact price(day: date, worth: money, points: point, part: decimal, urgent: bool, kind: screening): money? in [0 CNY..)
  from plugin acme.quote.price on failure 1.50 CNY
fact next(level: integer): integer from plugin acme.chain.next on failure 0
fact season: text from plugin acme.season.name reads today on failure "none"
decision enrol given applicant, visit, trips, today {
  verdict: max verdict else allow
  grade: one text optional
  seen: one integer optional
  fee: one money optional
}
entity visit { note: text? }
"#;

const POLICY: &str = r#"
policy club.enrolment decides enrol
  layer chain
  governed by today

let name = applicant.name otherwise ""

rule by_risk when applicant.ground is "risk" then seen = risk(name)
rule risky when applicant.ground is "risk" and risk(name) >= 80 then deny
rule by_register when applicant.ground is "register" and not known(name) then deny
rule by_ban when applicant.ground is "ban" and listed(name) then deny
rule by_screen when applicant.ground is "screen" and screen(name) is not allow then refer
rule by_price when applicant.ground is "price"
  then fee = price(today, applicant.day_spend, 3 point, 0.25, yes, refer) otherwise 0 CNY
rule by_season when applicant.ground is "season" then grade = season
rule three_deep when applicant.ground is "three" then seen = next(next(next(1)))
rule ten_deep when applicant.ground is "ten"
  then seen = next(next(next(next(next(next(next(next(next(next(1))))))))))
rule many when applicant.ground is "many"
  then seen = risk("a") + risk("b") + risk("c") + next(1), grade = season
"#;

/// The rulebook in a folder of its own.
pub fn policies() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("policies");
    std::fs::create_dir_all(&to).unwrap();
    for (name, text) in [("rulebook.toml", MANIFEST), ("club.vocab", VOCABULARY), ("club.policy", POLICY)] {
        std::fs::write(to.join(name), text).unwrap();
    }
    (dir, to)
}

pub fn books() -> Arc<Rulebooks> {
    let (_dir, policies) = policies();
    let loaded = load(&policies).unwrap();
    assert_eq!(loaded.errors(), 0, "{}", loaded.shown(false));
    Arc::new(loaded.rulebooks.unwrap())
}
