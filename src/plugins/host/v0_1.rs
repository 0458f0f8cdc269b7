//! Version 0.1 of the contract: its bindings, and the way between them and the contract's words.
use crate::plugins::contract as ours;
use crate::plugins::contract::{Answer, Failure, Hook};
use crate::plugins::host::error::HostError;
use crate::plugins::host::imports::State;
use crate::plugins::host::step::Step;
use wasmtime::Store;
use wasmtime::component::{InstancePre, Linker, WasmList, WasmStr};

mod facts_world {
    wasmtime::component::bindgen!({ path: "plugins/wit/0.1.0", world: "facts-plugin" });
}
mod check_world {
    wasmtime::component::bindgen!({
        path: "plugins/wit/0.1.0",
        world: "check-plugin",
        with: {
            "zhanggui:plugin/types@0.1.0": super::facts_world::zhanggui::plugin::types,
            "zhanggui:plugin/logging@0.1.0": super::facts_world::zhanggui::plugin::logging,
            "zhanggui:plugin/config@0.1.0": super::facts_world::zhanggui::plugin::config,
            "zhanggui:plugin/kv@0.1.0": super::facts_world::zhanggui::plugin::kv,
        },
    });
}
mod quote_world {
    wasmtime::component::bindgen!({
        path: "plugins/wit/0.1.0",
        world: "quote-plugin",
        with: {
            "zhanggui:plugin/types@0.1.0": super::facts_world::zhanggui::plugin::types,
            "zhanggui:plugin/logging@0.1.0": super::facts_world::zhanggui::plugin::logging,
            "zhanggui:plugin/config@0.1.0": super::facts_world::zhanggui::plugin::config,
            "zhanggui:plugin/kv@0.1.0": super::facts_world::zhanggui::plugin::kv,
        },
    });
}
mod notify_world {
    wasmtime::component::bindgen!({
        path: "plugins/wit/0.1.0",
        world: "notify-plugin",
        with: {
            "zhanggui:plugin/types@0.1.0": super::facts_world::zhanggui::plugin::types,
            "zhanggui:plugin/logging@0.1.0": super::facts_world::zhanggui::plugin::logging,
            "zhanggui:plugin/config@0.1.0": super::facts_world::zhanggui::plugin::config,
            "zhanggui:plugin/kv@0.1.0": super::facts_world::zhanggui::plugin::kv,
        },
    });
}

use check_world::exports::zhanggui::plugin::check;
use facts_world::exports::zhanggui::plugin::facts;
use facts_world::zhanggui::plugin::{kv, logging, types};
use notify_world::exports::zhanggui::plugin::notify;
use quote_world::exports::zhanggui::plugin::quote;

/// The interfaces that a component of this version may import, without `kv`.
pub(super) const IMPORTS: &[&str] =
    &["zhanggui:plugin/types@0.1.0", "zhanggui:plugin/logging@0.1.0", "zhanggui:plugin/config@0.1.0"];
/// The interface that needs a grant.
pub(super) const KV: &str = "zhanggui:plugin/kv@0.1.0";

/// Offers what a plugin may import. Strings and lists are looked at where they lie in the guest's memory, so that what
/// is over a limit is never copied.
pub(super) fn link(linker: &mut Linker<State>, with_kv: bool) -> wasmtime::Result<()> {
    let mut log = linker.instance("zhanggui:plugin/logging@0.1.0")?;
    log.func_wrap(
        "log",
        |mut store: wasmtime::StoreContextMut<'_, State>, (level, message): (logging::Level, WasmStr)| {
            if store.data().log_is_full() {
                store.data_mut().cut_log();
                return Ok(());
            }
            let room = store.data().log_room();
            let (line, cut) = {
                let text = message.to_str(&store)?;
                let line = first_bytes(&text, room);
                (line.to_owned(), line.len() < text.len())
            };
            store.data_mut().log(level_name(level), line, cut);
            Ok(())
        },
    )?;
    let mut config = linker.instance("zhanggui:plugin/config@0.1.0")?;
    config.func_wrap("get", |store: wasmtime::StoreContextMut<'_, State>, (name,): (WasmStr,)| {
        let name = name.to_str(&store)?;
        Ok((store.data().setting(&name),))
    })?;
    if with_kv {
        link_kv(linker)?;
    }
    Ok(())
}

fn link_kv(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut entries = linker.instance(KV)?;
    entries.func_wrap("get", |mut store: wasmtime::StoreContextMut<'_, State>, (key,): (WasmStr,)| {
        store.data_mut().kv_use()?;
        let key = key.to_str(&store)?;
        Ok((store.data().kv_get(&key)?,))
    })?;
    entries.func_wrap(
        "set",
        |mut store: wasmtime::StoreContextMut<'_, State>,
         (key, value, ttl): (WasmStr, WasmList<u8>, Option<u32>)| {
            store.data_mut().kv_use()?;
            let (key, value) = {
                let key = key.to_str(&store)?;
                let value = value.as_le_slice(&store);
                if !store.data().kv_fits(&key, value)? {
                    return Ok((Err(kv::KvError::TooLarge),));
                }
                (key.into_owned(), value.to_vec())
            };
            store.data_mut().kv_set(key, value, ttl)?;
            Ok((Ok::<(), kv::KvError>(()),))
        },
    )?;
    entries.func_wrap("delete", |mut store: wasmtime::StoreContextMut<'_, State>, (key,): (WasmStr,)| {
        store.data_mut().kv_use()?;
        let key = {
            let key = key.to_str(&store)?;
            first_bytes(&key, crate::plugins::host::limits::KEY + 1).to_owned()
        };
        store.data_mut().kv_delete(key)
    })?;
    Ok(())
}

/// As much of the beginning as fits into so many bytes, whole characters only.
fn first_bytes(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

fn level_name(level: logging::Level) -> &'static str {
    match level {
        logging::Level::Debug => "debug",
        logging::Level::Info => "info",
        logging::Level::Warn => "warn",
        logging::Level::Error => "error",
    }
}

/// The hooks of one component, each checked against the contract's types.
pub(super) struct Hooks {
    facts: Option<facts_world::FactsPluginPre<State>>,
    check: Option<check_world::CheckPluginPre<State>>,
    quote: Option<quote_world::QuotePluginPre<State>>,
    notify: Option<notify_world::NotifyPluginPre<State>>,
}

impl Hooks {
    /// Checks the exports of all `hooks`; the error names the first that is missing or has other types.
    pub(super) fn new(pre: &InstancePre<State>, hooks: &[Hook]) -> Result<Hooks, HostError> {
        let mut all = Hooks { facts: None, check: None, quote: None, notify: None };
        for hook in hooks {
            let fitted = match hook {
                Hook::Facts => facts_world::FactsPluginPre::new(pre.clone()).map(|pre| all.facts = Some(pre)),
                Hook::Check => check_world::CheckPluginPre::new(pre.clone()).map(|pre| all.check = Some(pre)),
                Hook::Quote => quote_world::QuotePluginPre::new(pre.clone()).map(|pre| all.quote = Some(pre)),
                Hook::Notify => {
                    notify_world::NotifyPluginPre::new(pre.clone()).map(|pre| all.notify = Some(pre))
                }
            };
            fitted.map_err(|e| HostError::Hook { hook: *hook, why: format!("{e:#}") })?;
        }
        Ok(all)
    }

    /// A fresh instance, and nothing more.
    pub(super) fn begin(&self, hook: Hook, store: &mut Store<State>) -> Said<()> {
        match hook {
            Hook::Facts => here(self.facts.as_ref())?.instantiate(store).map(drop),
            Hook::Check => here(self.check.as_ref())?.instantiate(store).map(drop),
            Hook::Quote => here(self.quote.as_ref())?.instantiate(store).map(drop),
            Hook::Notify => here(self.notify.as_ref())?.instantiate(store).map(drop),
        }
        .map(Ok)
    }

    /// `plan` of a fresh instance.
    pub(super) fn plan(
        &self,
        hook: Hook,
        store: &mut Store<State>,
        call: &Call,
    ) -> Said<Vec<ours::HttpRequest>> {
        let said = match hook {
            Hook::Facts => {
                let plugin = here(self.facts.as_ref())?.instantiate(&mut *store)?;
                plugin.zhanggui_plugin_facts().call_plan(store, &call.0)?
            }
            Hook::Check => {
                let plugin = here(self.check.as_ref())?.instantiate(&mut *store)?;
                plugin.zhanggui_plugin_check().call_plan(store, &call.0)?
            }
            Hook::Quote => {
                let plugin = here(self.quote.as_ref())?.instantiate(&mut *store)?;
                plugin.zhanggui_plugin_quote().call_plan(store, &call.0)?
            }
            Hook::Notify => {
                let plugin = here(self.notify.as_ref())?.instantiate(&mut *store)?;
                plugin.zhanggui_plugin_notify().call_plan(store, &call.0)?
            }
        };
        Ok(said.map(requests).map_err(failure))
    }

    /// `decide` of a fresh instance.
    pub(super) fn decide(
        &self,
        hook: Hook,
        store: &mut Store<State>,
        call: &Call,
        responses: &Responses,
    ) -> Said<Step> {
        let responses = responses.0.as_slice();
        let said = match hook {
            Hook::Facts => {
                let plugin = here(self.facts.as_ref())?.instantiate(&mut *store)?;
                let said = plugin.zhanggui_plugin_facts().call_decide(store, &call.0, responses)?;
                said.map(|step| match step {
                    facts::Step::Answer(v) => Step::Answer(Answer::Value(value_of(v))),
                    facts::Step::NeedMore(more) => Step::More(requests(more)),
                    facts::Step::Other(text) => Step::Other(text),
                })
            }
            Hook::Check => {
                let plugin = here(self.check.as_ref())?.instantiate(&mut *store)?;
                let said = plugin.zhanggui_plugin_check().call_decide(store, &call.0, responses)?;
                said.map(|step| match step {
                    check::Step::Allow => Step::Answer(Answer::Allow),
                    check::Step::Deny(why) => Step::Answer(Answer::Deny(reasons(why))),
                    check::Step::Refer(why) => Step::Answer(Answer::Refer(reasons(why))),
                    check::Step::NeedMore(more) => Step::More(requests(more)),
                    check::Step::Other(text) => Step::Other(text),
                })
            }
            Hook::Quote => {
                let plugin = here(self.quote.as_ref())?.instantiate(&mut *store)?;
                let said = plugin.zhanggui_plugin_quote().call_decide(store, &call.0, responses)?;
                said.map(|step| match step {
                    quote::Step::Quoted(q) => Step::Answer(Answer::Quoted(quotation(q))),
                    quote::Step::Declined(why) => Step::Answer(Answer::Declined(reason(why))),
                    quote::Step::NeedMore(more) => Step::More(requests(more)),
                    quote::Step::Other(text) => Step::Other(text),
                })
            }
            Hook::Notify => {
                let plugin = here(self.notify.as_ref())?.instantiate(&mut *store)?;
                let said = plugin.zhanggui_plugin_notify().call_decide(store, &call.0, responses)?;
                said.map(|step| match step {
                    notify::Step::Delivered => Step::Answer(Answer::Delivered),
                    notify::Step::RetryLater(after) => Step::Answer(Answer::RetryLater(after)),
                    notify::Step::Rejected(why) => Step::Answer(Answer::Rejected(why)),
                    notify::Step::NeedMore(more) => Step::More(requests(more)),
                    notify::Step::Other(text) => Step::Other(text),
                })
            }
        };
        Ok(said.map_err(failure))
    }
}

/// What came back from the guest: a trap, a refusal of its own, or an answer.
pub(super) type Said<T> = wasmtime::Result<Result<T, Failure>>;

/// The hook's `*Pre`; the manifest was asked before, so that it is there.
fn here<T>(pre: Option<&T>) -> wasmtime::Result<&T> {
    pre.ok_or_else(|| wasmtime::Error::msg("the plugin does not have this hook"))
}

/// A call in this version's words.
pub(super) struct Call(types::Call);

impl Call {
    pub(super) fn new(call: &ours::Call) -> Call {
        Call(types::Call {
            key: call.key.clone(),
            function: call.function.clone(),
            store: call.store.clone(),
            now: call.now,
            today: call.today.clone(),
            seed: call.seed,
            arguments: fields(&call.arguments),
            facts: fields(&call.facts),
            tables: call.tables.iter().map(table).collect(),
            attributes: fields(&call.attributes),
        })
    }
}

/// Responses in this version's words.
#[derive(Default)]
pub(super) struct Responses(Vec<types::HttpResponse>);

impl Responses {
    pub(super) fn add(&mut self, responses: &[ours::HttpResponse]) {
        self.0.extend(responses.iter().map(response));
    }
}

fn fields(of: &[ours::Field]) -> Vec<types::Field> {
    of.iter().map(|f| types::Field { path: f.path.clone(), value: value(&f.value) }).collect()
}

fn table(of: &ours::Table) -> types::Table {
    let rows = of.rows.iter().map(|row| types::Row { fields: fields(row) }).collect();
    types::Table { path: of.path.clone(), rows }
}

fn value(of: &ours::Value) -> types::Value {
    match of {
        ours::Value::Absent => types::Value::Absent,
        ours::Value::Truth(b) => types::Value::Truth(*b),
        ours::Value::Whole(n) => types::Value::Whole(*n),
        ours::Value::Decimal(s) => types::Value::Decimal(s.clone()),
        ours::Value::Money(m) => {
            types::Value::Money(types::Money { minor: m.minor, currency: m.currency.clone() })
        }
        ours::Value::Quantity(q) => {
            types::Value::Quantity(types::Quantity { amount: q.amount.clone(), unit: q.unit.clone() })
        }
        ours::Value::Text(s) => types::Value::Text(s.clone()),
        ours::Value::Word(s) => types::Value::Word(s.clone()),
        ours::Value::Date(s) => types::Value::Date(s.clone()),
        ours::Value::Instant(s) => types::Value::Instant(s.clone()),
        ours::Value::Period(s) => types::Value::Period(s.clone()),
        ours::Value::Duration(n) => types::Value::Duration(*n),
        ours::Value::Other(s) => types::Value::Other(s.clone()),
    }
}

fn response(of: &ours::HttpResponse) -> types::HttpResponse {
    let outcome = match &of.outcome {
        Ok(answer) => Ok(types::HttpAnswer {
            status: answer.status,
            headers: answer.headers.clone(),
            body: answer.body.clone(),
        }),
        Err(why) => Err(match why {
            ours::HttpFailure::Denied(s) => types::HttpFailure::Denied(s.clone()),
            ours::HttpFailure::TimedOut => types::HttpFailure::TimedOut,
            ours::HttpFailure::Unreachable(s) => types::HttpFailure::Unreachable(s.clone()),
            ours::HttpFailure::TooLarge => types::HttpFailure::TooLarge,
            ours::HttpFailure::Resting => types::HttpFailure::Resting,
            ours::HttpFailure::Other(s) => types::HttpFailure::Other(s.clone()),
        }),
    };
    types::HttpResponse { name: of.name.clone(), outcome }
}

fn value_of(of: types::Value) -> ours::Value {
    match of {
        types::Value::Absent => ours::Value::Absent,
        types::Value::Truth(b) => ours::Value::Truth(b),
        types::Value::Whole(n) => ours::Value::Whole(n),
        types::Value::Decimal(s) => ours::Value::Decimal(s),
        types::Value::Money(m) => ours::Value::Money(money(m)),
        types::Value::Quantity(q) => ours::Value::Quantity(ours::Quantity { amount: q.amount, unit: q.unit }),
        types::Value::Text(s) => ours::Value::Text(s),
        types::Value::Word(s) => ours::Value::Word(s),
        types::Value::Date(s) => ours::Value::Date(s),
        types::Value::Instant(s) => ours::Value::Instant(s),
        types::Value::Period(s) => ours::Value::Period(s),
        types::Value::Duration(n) => ours::Value::Duration(n),
        types::Value::Other(s) => ours::Value::Other(s),
    }
}

fn money(of: types::Money) -> ours::Money {
    ours::Money { minor: of.minor, currency: of.currency }
}

fn requests(of: Vec<types::HttpRequest>) -> Vec<ours::HttpRequest> {
    of.into_iter()
        .map(|r| ours::HttpRequest {
            name: r.name,
            method: r.method,
            url: r.url,
            headers: r.headers,
            body: r.body,
            timeout: r.timeout,
            cache: r.cache,
        })
        .collect()
}

fn reason(of: types::Reason) -> ours::Reason {
    ours::Reason { code: of.code, text: of.text }
}

fn reasons(of: Vec<types::Reason>) -> Vec<ours::Reason> {
    of.into_iter().map(reason).collect()
}

fn quotation(of: quote::Quotation) -> ours::Quotation {
    ours::Quotation {
        price: money(of.price),
        valid_until: of.valid_until,
        reference: of.reference,
        attributes: of
            .attributes
            .into_iter()
            .map(|f| ours::Field { path: f.path, value: value_of(f.value) })
            .collect(),
    }
}

fn failure(of: types::PluginError) -> Failure {
    match of {
        types::PluginError::InvalidInput(s) => Failure::InvalidInput(s),
        types::PluginError::Unavailable(s) => Failure::Unavailable(s),
        types::PluginError::Unsupported(s) => Failure::Unsupported(s),
        types::PluginError::Internal(s) => Failure::Internal(s),
        types::PluginError::Other(s) => Failure::Unknown(s),
    }
}
