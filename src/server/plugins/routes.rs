//! What an operator does with an uploaded plugin: grants, settings, limits, rolling out, going back, removing.
use super::fitting::fitting;
use super::rules::{self, Rollout, missing};
use super::upload::WhoQuery;
use super::{known_settings, operator, read, shown, trust};
use crate::plugins::ask::{Answers as _, Asked};
use crate::plugins::contract::Call;
use crate::plugins::host::Limits;
use crate::plugins::manifest::{Asks, HttpGrant, Manifest};
use crate::records::entity::plugin_state;
use crate::records::plugins::{self as kept, Act, Also, Uploaded};
use crate::records::{Clock as _, SystemClock};
use crate::server::openapi::ProblemBody;
use crate::server::problem::Problem;
use crate::server::query::{path, query};
use crate::server::state::State;
use crate::server::{answer, body};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use utoipa::ToSchema;

type Answered = Result<HttpResponse, Problem>;

/// Acts and differences that are shown.
const SHOWN: u64 = 50;

/// What a plugin may do, in place of what it was granted before.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantsRequest {
    /// Requests that may be made: `scheme`, `host`, `port`, `path`, `methods`, `secrets`, `private`.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    pub http: Vec<HttpGrant>,
    /// Bytes of keys and values of its own store; 0: none.
    #[serde(default)]
    pub kv: u64,
    /// By whom.
    pub who: Option<String>,
}

/// The settings of a plugin, in place of those before.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigRequest {
    /// Setting to value, as text.
    pub config: BTreeMap<String, String>,
    /// By whom.
    pub who: Option<String>,
}

/// How much a plugin may use; what is left out is as by default.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitsRequest {
    #[schema(value_type = Object)]
    pub limits: Limits,
    /// By whom.
    pub who: Option<String>,
}

/// How far a version is rolled out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RolloutRequest {
    pub version: String,
    /// `shadow`, `share` or `all`.
    pub stage: String,
    /// Of a share: these stores.
    pub stores: Option<Vec<String>>,
    /// Of a share: so many stores in a hundred.
    pub percent: Option<u8>,
    /// Also if it asks for requests that were not granted: they are denied then.
    #[serde(default)]
    pub partial: bool,
    /// By whom.
    pub who: Option<String>,
}

/// Back to what served before.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackRequest {
    /// The version to take out: if it is out already, nothing is done, so that sending it again does no harm.
    pub version: Option<String>,
    /// By whom.
    pub who: Option<String>,
}

/// All plugins
#[utoipa::path(get, path = "/v1/plugins", tag = "plugins",
    responses((status = 200, description = "Plugins, their versions, and which are asked", body = Value), (status = "default", response = ProblemBody)))]
pub async fn list_plugins(request: HttpRequest, state: web::Data<State>) -> Answered {
    operator::check(&request, &state.settings)?;
    let (states, uploaded) = state
        .records
        .read(|db| async move { Ok((kept::states(&db).await?, kept::uploaded(&db, None).await?)) })
        .await?;
    let items: Vec<Value> = states
        .iter()
        .map(|one| {
            let own: Vec<Uploaded> = uploaded.iter().filter(|u| u.plugin == one.plugin).cloned().collect();
            shown::row(one, &own)
        })
        .collect();
    Ok(answer::plain(&json!({ "items": items, "next": null })))
}

/// What was counted on this node since it started: calls, outcomes, latency, fuel, memory, breakers
#[utoipa::path(get, path = "/v1/plugins/metrics", tag = "plugins",
    responses((status = 200, description = "By plugin, version and hook; `steps` are the bounds of `latency`, in microseconds", body = Value),
        (status = "default", response = ProblemBody)))]
pub async fn metrics(request: HttpRequest, state: web::Data<State>) -> Answered {
    operator::check(&request, &state.settings)?;
    let plugins = &state.plugins;
    let body = json!({
        "items": plugins.host.figures(),
        "steps": crate::plugins::host::STEPS,
        "resting_servers": plugins.broker.resting(),
        "unasked": plugins.installed.unasked(),
        "failures_skipped": plugins.failures.skipped(),
    });
    Ok(answer::plain(&body))
}

/// A plugin: versions, what they ask for and what was granted, rolling out, metrics, differences in shadow, history
#[utoipa::path(get, path = "/v1/plugins/{id}", tag = "plugins", params(("id" = String, Path, description = "vendor.name")),
    responses((status = 200, description = "The plugin", body = Value), (status = "default", response = ProblemBody)))]
pub async fn get_plugin(request: HttpRequest, state: web::Data<State>) -> Answered {
    operator::check(&request, &state.settings)?;
    let id: String = path(&request)?;
    Ok(answer::plain(&seen(&state, &id).await?))
}

/// Grant a plugin what it may do, in place of what was granted before; in force with the next call
#[utoipa::path(put, path = "/v1/plugins/{id}/grants", tag = "plugins", params(("id" = String, Path)), request_body = GrantsRequest,
    responses((status = 200, description = "The plugin", body = Value), (status = "default", response = ProblemBody)))]
pub async fn put_grants(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    let (id, asked): (String, GrantsRequest) = asked(&request, payload, &state).await?;
    let who = operator::who(asked.who.as_deref())?;
    for (i, grant) in asked.http.iter().enumerate() {
        grant.check().map_err(|fault| Problem::grants_refused(fault.to_string()).at(format!("http[{i}]")))?;
    }
    let http = asked.http.iter().map(HttpGrant::spelled).collect();
    let granted = Asks { http, kv: asked.kv };
    let text = text(&granted);
    act(&state, &id, &who, move |now, _, _| {
        let act = (now.grants != text).then(|| Act::new("grants", text.clone()));
        now.grants = text;
        Ok(act)
    })
    .await
}

/// Set a plugin's settings
#[utoipa::path(put, path = "/v1/plugins/{id}/config", tag = "plugins", params(("id" = String, Path)), request_body = ConfigRequest,
    responses((status = 200, description = "The plugin", body = Value), (status = "default", response = ProblemBody)))]
pub async fn put_config(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    let (id, asked): (String, ConfigRequest) = asked(&request, payload, &state).await?;
    let who = operator::who(asked.who.as_deref())?;
    act(&state, &id, &who, move |now, known, _| {
        let manifests: Vec<Manifest> = known.iter().filter(|u| u.there).filter_map(manifest).collect();
        for (name, value) in &asked.config {
            check_setting(&manifests, name, value)?;
        }
        // What is asked now must not stop because a setting went away.
        let rollout: Rollout = read(&now.rollout);
        for version in rollout.versions() {
            let Some(manifest) = manifests.iter().find(|m| m.version == *version) else { continue };
            settled(manifest, &asked.config)?;
        }
        let text = text(&asked.config);
        let act = (now.config != text).then(|| Act::new("config", text.clone()));
        now.config = text;
        Ok(act)
    })
    .await
}

/// Set how much a plugin may use
#[utoipa::path(put, path = "/v1/plugins/{id}/limits", tag = "plugins", params(("id" = String, Path)), request_body = LimitsRequest,
    responses((status = 200, description = "The plugin", body = Value), (status = "default", response = ProblemBody)))]
pub async fn put_limits(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    let (id, asked): (String, LimitsRequest) = asked(&request, payload, &state).await?;
    let who = operator::who(asked.who.as_deref())?;
    let rollout: Rollout = stands(&state, &id).await?.map(|now| read(&now.rollout)).unwrap_or_default();
    for version in rollout.versions() {
        let limits = text(&asked.limits);
        try_out(&state, &id, version, |now| now.limits = limits)
            .await
            .map_err(|problem| Problem::limits_refused(problem.to_string()))?;
    }
    let text = text(&asked.limits);
    act(&state, &id, &who, move |now, _, _| {
        let act = (now.limits != text).then(|| Act::new("limits", text.clone()));
        now.limits = text;
        Ok(act)
    })
    .await
}

/// Roll a version out: in shadow, in a share of the stores, everywhere
#[utoipa::path(put, path = "/v1/plugins/{id}/rollout", tag = "plugins", params(("id" = String, Path)), request_body = RolloutRequest,
    responses((status = 200, description = "The plugin", body = Value), (status = "default", response = ProblemBody)))]
pub async fn put_rollout(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    let (id, asked): (String, RolloutRequest) = asked(&request, payload, &state).await?;
    let who = operator::who(asked.who.as_deref())?;
    let stage = rules::stage(&asked.stage, asked.stores.clone(), asked.percent);
    let stage = stage.map_err(|(at, why)| Problem::rollout_refused(why).at(at))?;
    let (version, partial) = (asked.version.clone(), asked.partial);
    let named = id.clone();
    let known = state.records.read(move |db| async move { kept::uploaded(&db, Some(&named)).await }).await?;
    if known.is_empty() {
        return Err(unknown(&id));
    }
    let wanted = there(&known, &id, &version)?;
    let now = stands(&state, &id).await?.ok_or_else(|| unknown(&id))?;
    may(&wanted, &now, partial)?;
    trust::still(&state.plugins, &id, &version, state.settings.plugin_development).await?;
    // Policies may have changed since the upload.
    fitting(&state.registry.current(), &wanted)?;
    // What cannot be made ready here is not rolled out anywhere.
    try_out(&state, &id, &version, |_| ()).await?;
    act(&state, &id, &who, move |now, known, at| {
        let wanted = there(known, &now.plugin, &version)?;
        may(&wanted, now, partial)?;
        let mut rollout: Rollout = read(&now.rollout);
        let before = rollout.clone();
        rollout.roll_out(&version, stage).map_err(|why| Problem::rollout_refused(why).at("stage"))?;
        stand(now, &rollout, at);
        let data = json!({ "rollout": shown::rollout(&rollout), "partial": partial });
        Ok((rollout != before).then(|| Act::new("rollout", data.to_string())))
    })
    .await
}

/// Go back at once: what is being rolled out is taken out, or else the version before serves again
#[utoipa::path(post, path = "/v1/plugins/{id}/rollback", tag = "plugins", params(("id" = String, Path)), request_body = RollbackRequest,
    responses((status = 200, description = "The plugin", body = Value), (status = "default", response = ProblemBody)))]
pub async fn roll_back(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    let (id, asked): (String, RollbackRequest) = asked(&request, payload, &state).await?;
    let who = operator::who(asked.who.as_deref())?;
    let books = state.registry.current();
    act(&state, &id, &who, move |now, known, at| {
        let mut rollout: Rollout = read(&now.rollout);
        let before = rollout.serving.clone();
        let none =
            |()| Problem::no_previous("no version served before the one that serves: it can only be removed");
        if !rollout.roll_back(asked.version.as_deref()).map_err(none)? {
            return Ok(None);
        }
        // Policies may have changed since it served.
        if let Some(back) = rollout.serving.as_deref().filter(|_| rollout.serving != before)
            && let Some(manifest) = known.iter().find(|one| one.version == back).and_then(manifest)
        {
            fitting(&books, &manifest)?;
        }
        stand(now, &rollout, at);
        let data = json!({ "rollout": shown::rollout(&rollout) });
        Ok(Some(Act::new("rollback", data.to_string())))
    })
    .await
}

/// Ask a plugin once, as a store would now, and see what it says, logs and uses. What it does, it does: requests are made
#[utoipa::path(post, path = "/v1/plugins/{id}/ask", tag = "plugins", params(("id" = String, Path)),
    request_body(content = Object, description = "A call of the contract, as the cases of a package have it"),
    responses((status = 200, description = "What it came to, also where that is a failure", body = Value),
        (status = "default", response = ProblemBody)))]
pub async fn ask(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> Answered {
    let (plugin, call): (String, Call) = asked(&request, payload, &state).await?;
    let (asked, until) = (vec![Asked { plugin, call }], state.records.ask_until());
    let ran = state.plugins.installed.answers_until(asked, until).await.pop();
    let ran = ran.ok_or_else(Problem::internal)?;
    Ok(answer::plain(&serde_json::to_value(&ran).unwrap_or_default()))
}

/// Remove a plugin: nobody asks it any more, its packages are dropped, what was to be delivered is cancelled; its history stays
#[utoipa::path(delete, path = "/v1/plugins/{id}", tag = "plugins", params(("id" = String, Path), WhoQuery),
    responses((status = 200, description = "What is left of it", body = Value), (status = "default", response = ProblemBody)))]
pub async fn remove(request: HttpRequest, state: web::Data<State>) -> Answered {
    operator::check(&request, &state.settings)?;
    let id: String = path(&request)?;
    let asked: WhoQuery = query(&request)?;
    let who = operator::who(asked.who.as_deref())?;
    act(&state, &id, &who, |now, known, at| {
        if known.iter().all(|one| !one.there) {
            return Ok(None);
        }
        stand(now, &Rollout::default(), at);
        // Who installs it again decides again.
        now.grants = text(&Asks::default());
        Ok(Some(Act::new("remove", "{}".into()).and(Also::Drop)))
    })
    .await
}

/// The plugin in the address and the body, of an operator.
async fn asked<T: DeserializeOwned>(
    request: &HttpRequest,
    payload: web::Payload,
    state: &State,
) -> Result<(String, T), Problem> {
    operator::check(request, &state.settings)?;
    let id: String = path(request)?;
    let bytes = body::bytes(request, payload, state).await?;
    Ok((id, body::read(body::tree(&bytes)?)?))
}

/// Does something to a plugin that was uploaded, takes it up here, and shows what it came to.
async fn act(
    state: &State,
    id: &str,
    who: &str,
    change: impl FnOnce(&mut plugin_state::Model, &[Uploaded], i64) -> Result<Option<Act>, Problem>
    + Send
    + 'static,
) -> Answered {
    let (plugin, who, now) = (id.to_owned(), who.to_owned(), SystemClock.now());
    let done = state.records.change(move |db| async move {
        let change = |state: &mut plugin_state::Model, known: &[Uploaded]| {
            if known.is_empty() {
                return Err(unknown(&state.plugin));
            }
            Ok(((), change(state, known, now)?))
        };
        kept::change(&db, &plugin, &who, now, change).await
    });
    done.await??;
    state.plugins.sync_one(id).await?;
    Ok(answer::plain(&seen(state, id).await?))
}

async fn stands(state: &State, id: &str) -> Result<Option<plugin_state::Model>, Problem> {
    let id = id.to_owned();
    state.records.read(move |db| async move { kept::state(&db, &id).await }).await
}

async fn seen(state: &State, id: &str) -> Result<Value, Problem> {
    let named = id.to_owned();
    let found = state.records.read(move |db| async move {
        let uploaded = kept::uploaded(&db, Some(&named)).await?;
        let acts = kept::acts(&db, &named, SHOWN).await?;
        let differences = kept::differences::last(&db, &named, SHOWN).await?;
        Ok((kept::state(&db, &named).await?, uploaded, acts, differences))
    });
    let (now, uploaded, acts, differences) = found.await?;
    let now = now.filter(|_| !uploaded.is_empty()).ok_or_else(|| unknown(id))?;
    Ok(shown::plugin(&state.plugins, &now, &uploaded, &acts, &differences))
}

fn unknown(id: &str) -> Problem {
    let id: String = id.chars().take(100).collect();
    Problem::unknown_plugin(format!("there is no plugin {id:?}"))
}

fn text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Writes down how a plugin is rolled out; events are its own from the moment at which it first answers.
fn stand(state: &mut plugin_state::Model, rollout: &Rollout, now: i64) {
    state.rollout = text(rollout);
    state.rolled_out_at = if rollout.answers() { state.rolled_out_at.or(Some(now)) } else { None };
}

fn manifest(uploaded: &Uploaded) -> Option<Manifest> {
    serde_json::from_str(&uploaded.manifest).ok()
}

/// The manifest of a version whose package is there.
fn there(known: &[Uploaded], id: &str, version: &str) -> Result<Manifest, Problem> {
    let found = known.iter().find(|one| one.version == version && one.there).and_then(manifest);
    found.ok_or_else(|| {
        let version: String = version.chars().take(60).collect();
        Problem::unknown_version(format!("there is no package of {id} {version}")).at("version")
    })
}

/// Whether a version has what it needs.
fn may(manifest: &Manifest, state: &plugin_state::Model, partial: bool) -> Result<(), Problem> {
    let (http, kv) = missing(&manifest.asks, &read(&state.grants));
    if kv {
        let detail = "it asks for a store of its own (`kv`), which was not granted";
        return Err(Problem::grants_missing(detail).with("missing", json!({ "http": http, "kv": true })));
    }
    if !http.is_empty() && !partial {
        let detail = format!("not granted: {}; `partial` rolls it out all the same", http.join("; "));
        return Err(Problem::grants_missing(detail).with("missing", json!({ "http": http, "kv": false })));
    }
    settled(manifest, &read(&state.config))
}

fn settled(manifest: &Manifest, given: &BTreeMap<String, String>) -> Result<(), Problem> {
    let done = manifest.settle(&known_settings(manifest, given));
    done.map(drop).map_err(Problem::config_missing)
}

/// A setting is one that a version knows, and fits all that know it.
fn check_setting(manifests: &[Manifest], name: &str, value: &str) -> Result<(), Problem> {
    let at = || format!("config.{}", name.chars().take(60).collect::<String>());
    let knowing: Vec<_> = manifests.iter().filter_map(|m| Some((m, m.config.get(name)?))).collect();
    if knowing.is_empty() {
        return Err(Problem::config_refused("no version has this setting").at(at()));
    }
    for (manifest, setting) in knowing {
        setting.fits(value).map_err(|write| {
            let detail = format!("{} has it as {}; {write}", manifest.version, setting.kind);
            Problem::config_refused(detail).at(at())
        })?;
    }
    Ok(())
}

/// Makes a version ready as the plugin stands, but for a change; what it is made into is kept for when it is wanted.
async fn try_out(
    state: &State,
    id: &str,
    version: &str,
    change: impl FnOnce(&mut plugin_state::Model),
) -> Result<(), Problem> {
    let mut now = stands(state, id).await?.ok_or_else(|| unknown(id))?;
    change(&mut now);
    let ready = state.plugins.ready(&now, version).await?;
    ready
        .map(drop)
        .map_err(|failure| Problem::component_refused(failure.to_string()).with("reason", failure.code()))
}
