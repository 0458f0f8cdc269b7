//! A store's desk: the policies in force there, deciding on facts, and logging what was decided.
use crate::counter::money::{Money, Scale};
use crate::counter::plugged::fit::declared;
use crate::counter::plugged::{Asking, Heard, Note, Place, Settled, at_once, settle};
use crate::lang::typed::{DecisionId, Source, Ty};
use crate::program::bind::FactError;
use crate::program::dates::date_of;
use crate::program::facts::Facts;
use crate::program::iso::{format_date, parse_datetime};
use crate::records::entity::{plugin_response, rulebook};
use crate::records::unit;
use crate::records::{Refusal, Stop, Unit, Want, ids};
use crate::rulebook::{Book, Program, Rulebooks, Store, Terms};
use sea_orm::prelude::Uuid;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::sync::{Arc, LazyLock};

/// Clocks of tills may be ahead of ours, or of each other, by this much, in microseconds.
pub const AHEAD: i64 = 5 * 60 * 1_000_000;

/// Where an operation takes place: one store, and the rulebooks as they were when the request came.
#[derive(Clone, Debug)]
pub struct Desk {
    books: Arc<Rulebooks>,
    store: String,
    program: Arc<Program>,
    currency: Scale,
    points: Scale,
    /// What plugins were asked for the operation, also at desks of other stores.
    heard: Arc<Heard>,
}

/// When something happened, by the clock and by the store's calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct When {
    /// Epoch microseconds.
    pub occurred_at: i64,
    /// The store's business date (days since 1970-01-01).
    pub date: i32,
}

/// What a policy decided, before it is logged.
#[derive(Clone, Debug)]
pub struct Ruling {
    pub decision: String,
    /// `decided`, `needs`, `undecided`, `conflict` or `faulty`.
    pub status: String,
    /// The outputs that are decided.
    pub outcome: Map<String, Value>,
    /// The whole answer, as `POST /v1/decisions/…` gives it and as it is logged.
    text: String,
    facts: String,
    /// What plugins were asked for it.
    plugins: Vec<Note>,
}

impl Desk {
    /// The desk of a store.
    pub fn at(books: Arc<Rulebooks>, store: &str) -> Result<Desk, Refusal> {
        let Some(Store { program, .. }) = books.store(store).cloned() else {
            let store: String = store.chars().take(100).collect();
            let detail = format!("there is no store {store:?}");
            return Err(Refusal::new(404, "unknown-store", "There is no such store", detail).at("store"));
        };
        let vocab = &program.linked().rulebook.vocab;
        let currency = vocab.currencies.first().map_or(Scale { digits: 2 }, |c| Scale::of(&c.step));
        let points = vocab.units.first().map_or(Scale { digits: 0 }, |u| Scale::of(&u.step));
        Ok(Desk { store: store.to_owned(), program, books, currency, points, heard: Arc::default() })
    }
    /// The desk for one operation: what plugins are asked there is asked in its name, so that asking again under the same
    /// name is the same question.
    pub fn for_operation(&self, name: &str) -> Desk {
        Desk { heard: Arc::new(Heard::new(name)), ..self.clone() }
    }
    /// The desk of another store of the same chain, for receipts from there.
    pub fn of_store(&self, store: &str) -> Result<Desk, Refusal> {
        Ok(Desk { heard: self.heard.clone(), ..Desk::at(self.books.clone(), store)? })
    }
    pub fn store(&self) -> &str {
        &self.store
    }
    pub fn program(&self) -> &Program {
        &self.program
    }
    fn book(&self) -> Result<&Book, Refusal> {
        let none = || Refusal::new(404, "unknown-store", "There is no such store", self.store.clone());
        self.books.book_of(&self.store).ok_or_else(none)
    }
    /// What the rulebook declares for its counters.
    pub fn terms(&self) -> &Terms {
        static NONE: LazyLock<Terms> = LazyLock::new(Terms::default);
        self.book().map_or(&NONE, |book| &book.terms)
    }
    /// The digest of the rulebook in force.
    pub fn digest(&self) -> String {
        self.program.linked().digest.clone()
    }
    /// The decimals of the vocabulary's first currency.
    pub fn currency(&self) -> Scale {
        self.currency
    }
    /// The decimals of points.
    pub fn points(&self) -> Scale {
        self.points
    }
    /// Ledgers of points: what the decision `earn` has an output `NAME_points` for.
    pub fn point_ledgers(&self) -> Vec<String> {
        let vocab = &self.program.linked().rulebook.vocab;
        let earn = vocab.decisions.iter().find(|d| d.name == "earn");
        let names = earn.into_iter().flat_map(|d| &d.outputs).filter(|o| !o.working);
        names.filter_map(|o| o.name.strip_suffix("_points")).map(str::to_owned).collect()
    }
    /// Ledgers of stored money, as declared.
    pub fn money_ledgers(&self) -> Vec<String> {
        let money = self.terms().ledgers.iter().filter(|(_, ledger)| ledger.money);
        money.map(|(name, _)| name.clone()).collect()
    }
    /// Where a word stands in the enumeration of an output, so that ranks can be compared; none if it has no such word.
    pub fn rank(&self, decision: &str, output: &str, word: &str) -> Option<usize> {
        let vocab = &self.program.linked().rulebook.vocab;
        let output =
            vocab.decisions.iter().find(|d| d.name == decision)?.outputs.iter().find(|o| o.name == output)?;
        match output.ty.inner() {
            Ty::Enum(id) => vocab.enums.get(id.ix())?.members.iter().position(|m| m.name == word),
            _ => None,
        }
    }
    /// Whether the vocabulary has a decision.
    pub fn has(&self, decision: &str) -> bool {
        self.program.decision(decision).is_some()
    }
    /// An amount of money in smallest units.
    pub fn minor(&self, amount: Money, path: &str) -> Result<i64, Stop> {
        self.currency().minor(amount, path)
    }

    /// The moment of an event: neither in the future nor too old, nor on a business date that is closed.
    pub fn when(&self, unit: &Unit, occurred_at: Option<&str>) -> Result<When, Stop> {
        let at = match occurred_at {
            None => unit.now,
            Some(text) => parse_datetime(text).ok_or_else(|| {
                let detail = format!(
                    "{text:?} is not a date and time with an offset, such as 2026-12-31T18:00:00+08:00"
                );
                Refusal::new(422, "occurred-at", "The time of the event cannot be read", detail)
                    .at("occurred_at")
            })?,
        };
        let when = self.date_at(at)?;
        // Asked for here, so that whether a date is closed never hangs on what else is in the batch.
        unit.need([Want::Store(self.store.clone())])?;
        if at > unit.now + AHEAD {
            let detail = "the event lies in the future; only a dry run may say so".to_owned();
            return Err(Refusal::new(422, "in-the-future", "The event has not happened", detail)
                .at("occurred_at")
                .into());
        }
        let late = i64::from(self.terms().counter.late_days) * 86_400_000_000;
        let closed = unit.t.stores.get(&self.store).and_then(|s| s.closed_through);
        if at < unit.now - late || closed.is_some_and(|day| when.date <= day) {
            let detail = format!("events of {} are not taken up any more", format_date(when.date));
            return Err(Refusal::new(422, "too-late", "The event comes too late", detail)
                .at("occurred_at")
                .into());
        }
        Ok(when)
    }
    /// The business date of an instant.
    pub fn date_at(&self, at: i64) -> Result<When, Stop> {
        let linked = self.program.linked();
        let date = date_of(linked.zone, linked.business_day_start, at).ok_or_else(|| {
            Refusal::new(422, "occurred-at", "The time cannot be", "the year is out of range")
                .at("occurred_at")
        })?;
        Ok(When { occurred_at: at, date })
    }

    /// Decides on these facts, keeping of `known` what the vocabulary has; `said` (from the caller) is taken as it is, but
    /// may not say anything that is known. What plugins answer, they are asked for: the operation stops until they are. What
    /// the caller says of such facts is believed only where the plugin fails and the vocabulary refers to the desk.
    pub fn rule(&self, decision: &str, known: Value, said: &Value) -> Result<Ruling, Stop> {
        let id = self.decision(decision)?;
        let mut facts = self.known_here(known);
        let (said, of_plugins) = self.apart(said);
        add(&mut facts, &said, "facts")?;
        let place = Place { program: &self.program, store: &self.store, heard: &self.heard };
        let mut ruled = match settle(&place, id, facts, &of_plugins).map_err(unbound)? {
            Settled::Ruled(ruled) => ruled,
            Settled::Ask(questions) => return Err(Asking::stop(self.heard.clone(), questions)),
            Settled::Denied(note) => return Err(denied(&note).into()),
        };
        let mut text = String::with_capacity(1024);
        self.program.renderer().render_with(&mut text, &ruled.outcome, None, &ruled.whys());
        let facts = ruled.take_facts(&self.program).to_string();
        Ok(Ruling::of(decision, facts, text, ruled.notes))
    }

    /// Decides as far as it can be told now, for what is printed or foretold: no plugin is asked, and nothing of it can be
    /// logged.
    pub fn foretell(&self, decision: &str, known: Value) -> Result<Ruling, Stop> {
        let id = self.decision(decision)?;
        let facts = self.known_here(known).to_string();
        let mut bound = Facts::default();
        self.program.binder().bind_into(facts.as_bytes(), &mut bound).map_err(unbound)?;
        let mut text = String::with_capacity(1024);
        self.program.renderer().render_into(&mut text, &self.program.decide(id, &bound), None);
        Ok(Ruling::of(decision, facts, text, Vec::new()))
    }

    /// Whether a plugin will be asked, so that it is worth while to look up what it may read.
    pub fn waits_for_plugins(
        &self,
        decision: &str,
        known: &Map<String, Value>,
        said: &Value,
    ) -> Result<bool, Stop> {
        if declared(&self.program.linked().rulebook.vocab).next().is_none() {
            return Ok(false);
        }
        let id = self.decision(decision)?;
        let mut facts = self.known_here(Value::Object(known.clone()));
        add(&mut facts, &self.apart(said).0, "facts")?;
        let mut bound = Facts::default();
        self.program.binder().bind_into(facts.to_string().as_bytes(), &mut bound).map_err(unbound)?;
        Ok(at_once(&self.program, id, &bound).is_err())
    }

    fn decision(&self, decision: &str) -> Result<DecisionId, Stop> {
        self.program.decision(decision).ok_or_else(|| {
            let detail = format!("the rulebook of {} has no decision `{decision}`", self.store);
            Refusal::new(409, "no-such-decision", "The rulebook does not decide this", detail).into()
        })
    }

    /// Whether a fact is the desk's to say: it comes from there, or from a plugin for which the desk may step in.
    pub fn asks_desk(&self, name: &str) -> bool {
        let vocab = &self.program.linked().rulebook.vocab;
        let root = vocab.roots.iter().find(|r| r.name == name).map(|r| &r.source);
        let source = root.or_else(|| vocab.fact_calls.iter().find(|f| f.name == name).map(|f| &f.source));
        matches!(source, Some(Source::Desk | Source::Plugin(_)))
    }

    /// What is said, without the facts that plugins answer; and those.
    fn apart(&self, said: &Value) -> (Value, Map<String, Value>) {
        let vocab = &self.program.linked().rulebook.vocab;
        let Value::Object(said) = said else { return (said.clone(), Map::new()) };
        let of_plugin = |name: &str| declared(vocab).any(|(fact, _)| fact == name);
        let (plugins, others) =
            said.clone().into_iter().partition::<Map<_, _>, _>(|(name, _)| of_plugin(name));
        (Value::Object(others), plugins)
    }

    /// As [`Desk::rule`], where nothing but a decided answer will do.
    pub fn decide(&self, decision: &str, known: Value, said: &Value) -> Result<Ruling, Stop> {
        self.rule(decision, known, said)?.decided()
    }

    /// Drops what the rulebook's vocabulary does not have: another chain's has other facts.
    fn known_here(&self, known: Value) -> Value {
        let vocab = &self.program.linked().rulebook.vocab;
        let Value::Object(known) = known else { return Value::Object(Map::new()) };
        let kept = known.into_iter().filter_map(|(name, value)| {
            if let Some(root) = vocab.roots.iter().find(|r| r.name == name) {
                return Some((name, crate::counter::facts::fitting(vocab, &root.ty, value)));
            }
            vocab.fact_calls.iter().any(|f| f.name == name).then_some((name, value))
        });
        Value::Object(kept.collect())
    }

    /// Logs a ruling as part of an operation, and keeps the rulebook's texts if they are not kept yet.
    /// `Want::Rulebook(self.digest())` must be loaded.
    pub fn log(
        &self,
        unit: &mut Unit,
        ruling: &Ruling,
        cause: &str,
        cause_id: Uuid,
        actor: &str,
    ) -> Result<Uuid, Stop> {
        let digest = self.digest();
        unit.need([Want::Rulebook(digest.clone())])?;
        if unit.t.rulebooks.get(&digest).is_none() {
            let book = self.book()?;
            unit.t.rulebooks.put(rulebook::Model {
                digest: digest.clone(),
                name: book.name.clone(),
                files: serde_json::to_string(&book.texts).unwrap_or_default(),
                recorded_at: unit.now,
            });
        }
        let nth = unit.decided_for(cause_id).to_string();
        let id = ids::named(&["decision", cause, &cause_id.to_string(), &nth]);
        for (seq, note) in (0i32..).zip(&ruling.plugins) {
            if note.body.is_some() || note.log.is_some() {
                unit.t.responses.put(plugin_response::Model {
                    decision_id: id,
                    seq,
                    body: note.body.clone(),
                    log: note.log.clone(),
                    recorded_at: unit.now,
                });
            }
        }
        let plugins = (!ruling.plugins.is_empty()).then(|| serde_json::to_string(&ruling.plugins));
        unit.log(unit::Decided {
            id,
            plugins: plugins.and_then(Result::ok),
            store: self.store.clone(),
            decision: ruling.decision.clone(),
            rulebook: digest,
            facts: ruling.facts.clone(),
            outcome: ruling.text.clone(),
            cause: cause.to_owned(),
            cause_id: Some(cause_id),
            actor: actor.to_owned(),
        });
        Ok(id)
    }
}

fn unbound(error: FactError) -> Stop {
    let path = error.path.clone();
    Refusal::new(422, error.problem.code(), "A fact cannot be taken up", error.message).at(path).into()
}

/// The refusal where a plugin has no answer and the vocabulary denies. Not for good: the plugin may answer later.
pub fn denied(note: &Note) -> Refusal {
    let more = serde_json::json!({ "plugin": note }).to_string();
    let title = "A plugin has no answer, and without it nothing is decided";
    Refusal::new(422, "plugin-denied", title, note.words().1).at(note.fact.clone()).with(more).for_now()
}

impl Ruling {
    fn of(decision: &str, facts: String, text: String, plugins: Vec<Note>) -> Ruling {
        let Decided { status, outcome } = read(&text);
        Ruling { decision: decision.to_owned(), status, outcome, text, facts, plugins }
    }
    /// Refused unless everything is decided: the answer says what is missing or open.
    pub fn decided(self) -> Result<Ruling, Stop> {
        let (code, title) = match self.status.as_str() {
            "decided" => return Ok(self),
            "needs" => ("facts-missing", "Facts are missing"),
            "undecided" => ("policy-undecided", "The rulebook does not say"),
            "conflict" => ("policy-conflict", "The rulebook contradicts itself"),
            _ => ("policy-fault", "The rulebook cannot be applied"),
        };
        let answer = self.answer();
        let part = |name: &str| answer.get(name).cloned().unwrap_or_default();
        let more =
            serde_json::json!({ "decision": self.decision, "needs": part("needs"), "open": part("open") });
        let detail = format!("decision `{}`: {}", self.decision, self.status);
        Err(Refusal::new(422, code, title, detail).with(more.to_string()).for_now().into())
    }
    /// What plugins were asked for it.
    pub fn plugins(&self) -> &[Note] {
        &self.plugins
    }
    /// A text output, such as a verdict.
    pub fn text(&self, output: &str) -> Option<&str> {
        self.outcome.get(output).and_then(Value::as_str)
    }
    /// Whether the verdict is to allow.
    pub fn allows(&self) -> bool {
        self.text("verdict") == Some("allow")
    }
    /// An amount of money, in smallest units; 0 if absent.
    pub fn money(&self, output: &str, scale: &Scale) -> i64 {
        self.outcome.get(output).map_or(0, |v| amount(v, scale))
    }
    /// Points, or a count; 0 if absent.
    pub fn number(&self, output: &str, scale: &Scale) -> i64 {
        self.money(output, scale)
    }
    /// A list of amounts, one per line.
    pub fn amounts(&self, output: &str, scale: &Scale) -> Vec<i64> {
        let list = self.outcome.get(output).and_then(Value::as_array);
        list.into_iter().flatten().map(|v| amount(v, scale)).collect()
    }
    /// A date as days since 1970-01-01.
    pub fn date(&self, output: &str) -> Option<i32> {
        self.text(output).and_then(crate::program::iso::parse_date)
    }
    /// The names of a set or list output, such as reasons.
    pub fn names(&self, output: &str) -> Vec<String> {
        let list = self.outcome.get(output).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }
    /// The whole answer, as `POST /v1/decisions/…` gives it.
    pub fn answer(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
    /// The clause of the first rule that decided an output.
    pub fn clause(&self, output: &str) -> Option<String> {
        let Reasons { because } = read(&self.text);
        because.into_iter().find(|b| b.outputs.iter().any(|name| name == output))?.clause
    }
}

/// What of an answer each operation looks at; the rest of the text, most of it, is passed over.
#[derive(Deserialize)]
struct Decided {
    status: String,
    outcome: Map<String, Value>,
}

impl Default for Decided {
    fn default() -> Decided {
        Decided { status: "faulty".to_owned(), outcome: Map::new() }
    }
}

#[derive(Default, Deserialize)]
struct Reasons {
    because: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    clause: Option<String>,
    outputs: Vec<String>,
}

fn read<T: DeserializeOwned + Default>(text: &str) -> T {
    serde_json::from_str(text).unwrap_or_default()
}

/// `{"amount": "1.50", "currency": "CNY"}`, `"1.50"` or `3`.
pub(crate) fn amount(value: &Value, scale: &Scale) -> i64 {
    match value {
        Value::Object(o) => o.get("amount").map_or(0, |v| amount(v, scale)),
        Value::String(s) => scale.read(s).unwrap_or(0),
        Value::Number(n) => scale.read(&n.to_string()).unwrap_or(0),
        _ => 0,
    }
}

/// Adds what the caller says to what is known; where both speak, the records win by refusing the request.
fn add(known: &mut Value, said: &Value, path: &str) -> Result<(), Stop> {
    let (Value::Object(known), Value::Object(said)) = (&mut *known, said) else {
        if said.is_null() {
            return Ok(());
        }
        let detail = format!("{path} is known from the records; leave it out");
        return Err(Refusal::new(422, "fact-is-recorded", "A fact is not the caller's to say", detail)
            .at(path)
            .into());
    };
    for (name, value) in said {
        match known.get_mut(name) {
            None => {
                known.insert(name.clone(), value.clone());
            }
            Some(there) => add(there, value, &format!("{path}.{name}"))?,
        }
    }
    Ok(())
}
