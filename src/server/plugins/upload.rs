//! An upload: nothing of a package is believed, and none is kept that would not run. Whose it is, what it asks for, whether
//! it compiles within limits and has the contract's types, what its own cases say.
use super::fitting::fitting;
use super::trust::{damaged, off_the_workers, trusted};
use super::{operator, read};
use crate::plugins::host::{Host, HostError, Limits};
use crate::plugins::manifest::Manifest;
use crate::plugins::package::{CaseRun, LARGEST_ARCHIVE, Package, failed_cases};
use crate::records::entity::{plugin_package, plugin_state};
use crate::records::plugins::{self as kept, Act, Also};
use crate::records::{Clock as _, SystemClock};
use crate::server::openapi::ProblemBody;
use crate::server::problem::Problem;
use crate::server::query::query;
use crate::server::state::State;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use utoipa::IntoParams;

/// Of a case that failed: the differences that are told, and the characters of each.
const LINES: usize = 10;
const LONGEST: usize = 2_000;

/// Who uploads or removes.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct WhoQuery {
    /// By whom; kept with the act.
    #[param(required = false, max_length = 100)]
    pub who: Option<String>,
}

/// Upload a package; it is checked, compiled and run on its own cases, and not yet asked by anybody
#[utoipa::path(post, path = "/v1/plugins", tag = "plugins", params(WhoQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "A `.zgp` package"),
    responses((status = 201, description = "The version is kept", body = Value),
        (status = 200, description = "The same package was there already", body = Value),
        (status = "default", response = ProblemBody)))]
pub async fn upload(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, Problem> {
    operator::check(&request, &state.settings)?;
    let asked: WhoQuery = query(&request)?;
    let who = operator::who(asked.who.as_deref())?;
    let bytes = match payload.to_bytes_limited(LARGEST_ARCHIVE).await {
        Ok(Ok(bytes)) => bytes.to_vec(),
        Ok(Err(broken)) => return Err(Problem::malformed(broken.to_string())),
        Err(_) => return Err(Problem::too_large(format!("a package has at most {LARGEST_ARCHIVE} bytes"))),
    };
    let plugins = state.plugins.clone();
    let _alone = plugins.uploading.lock().await;
    let (bytes, package) = off_the_workers(move || {
        let package = Package::read(&bytes).map_err(damaged)?;
        Ok((bytes, package))
    })
    .await?;
    let signed_by = trusted(&plugins, &package, state.settings.plugin_development).await?;
    let manifest = package.manifest.clone();
    let (id, version, digest) = (manifest.id.clone(), manifest.version.clone(), package.digest.clone());
    let named = id.clone();
    let found = plugins.records.read(move |db| async move {
        Ok((kept::uploaded(&db, Some(&named)).await?, kept::state(&db, &named).await?))
    });
    let (known, stands) = found.await?;
    if let Some(there) = known.iter().find(|one| one.version == version) {
        same(there, &digest)?;
        if !brings(there, signed_by.as_deref()) {
            return Ok(HttpResponse::Ok().json(answer(&package, there.signed_by.as_deref())));
        }
    }
    // What is there was proved: only its signature is another now.
    let again = known.iter().any(|one| one.version == version && one.there);
    let package = match again {
        true => package,
        false => {
            fitting(&state.registry.current(), &manifest)?;
            let host = plugins.host.clone();
            let limits = limits(&host, &package, stands.as_ref());
            let proved = move || prove(&host, &package, &limits).map(|()| package);
            off_the_workers(proved).await?
        }
    };
    let now = SystemClock.now();
    let row = plugin_package::Model {
        plugin: id.clone(),
        version: version.clone(),
        digest: digest.clone(),
        package: Some(bytes),
        manifest: serde_json::to_string(&manifest).unwrap_or_default(),
        signed_by: signed_by.clone(),
        uploaded_at: now,
        uploaded_by: who.clone(),
    };
    let data = json!({ "version": version, "digest": digest, "signed_by": signed_by }).to_string();
    let (plugin, whose) = (id.clone(), signed_by.clone());
    let done = plugins.records.change(move |db| async move {
        let act = Act::new("upload", data).and(Also::Package(Box::new(row)));
        let put = |_: &mut _, known: &[kept::Uploaded]| -> Result<((), Option<Act>), Problem> {
            // Another node may have been faster.
            match known.iter().find(|one| one.version == version) {
                Some(there) => {
                    same(there, &digest)?;
                    Ok(((), brings(there, signed_by.as_deref()).then_some(act)))
                }
                None => Ok(((), Some(act))),
            }
        };
        kept::change(&db, &plugin, &who, now, put).await
    });
    done.await??;
    plugins.sync_one(&id).await?;
    let mut done = if again { HttpResponse::Ok() } else { HttpResponse::Created() };
    Ok(done.json(answer(&package, whose.as_deref())))
}

fn answer(package: &Package, signed_by: Option<&str>) -> Value {
    json!({
        "plugin": package.manifest.id, "version": package.manifest.version, "digest": package.digest,
        "component": package.component_digest(), "signed_by": signed_by, "cases": package.cases.len(),
        "asks": package.manifest.asks,
    })
}

/// Whether an upload brings what is not there: the bytes, or a signature where there is none or another one.
fn brings(there: &kept::Uploaded, signed_by: Option<&str>) -> bool {
    !there.there || signed_by.is_some() && signed_by != there.signed_by.as_deref()
}

/// A version has one content for good.
fn same(there: &kept::Uploaded, digest: &str) -> Result<(), Problem> {
    if there.digest == digest {
        return Ok(());
    }
    let detail = format!(
        "{} {} has the digest {}; give what was changed another version",
        there.plugin, there.version, there.digest
    );
    Err(Problem::version_exists(detail))
}

/// Whether it would run: what it asks for can be granted, it compiles, has the contract's types, passes its cases. Blocks.
fn prove(host: &Arc<Host>, package: &Package, limits: &Limits) -> Result<(), Problem> {
    let manifest = &package.manifest;
    manifest.asks.check().map_err(|fault| Problem::manifest_refused(fault.to_string()))?;
    // As if all were granted that it asks for: what it imports beyond that, nobody can grant.
    let loaded = host.load(&package.component, manifest, &manifest.asks, &stand_ins(manifest), limits);
    loaded.map_err(|error| refused(&error))?;
    cases(host, package, limits)
}

/// Runs the package's cases, as its vendor does.
fn cases(host: &Host, package: &Package, limits: &Limits) -> Result<(), Problem> {
    let runs = package.run_cases(host, limits).map_err(|error| refused(&error))?;
    let Some(detail) = failed_cases(&runs) else { return Ok(()) };
    let failed: Vec<Value> = runs.iter().filter(|run| !run.differences.is_empty()).map(failed).collect();
    Err(Problem::cases_failed(detail).with("failed", failed))
}

/// A case that failed: what was expected and what came. The plugin says what came, so that it is cut.
fn failed(run: &CaseRun) -> Value {
    let cut = |text: &String| text.chars().take(LONGEST).collect::<String>();
    let differences: Vec<String> = run.differences.iter().take(LINES).map(cut).collect();
    json!({ "case": run.file, "name": run.name, "differences": differences })
}

/// What the operator set for the plugin; else what is so by default or the vendor wishes for. But for a component that is
/// larger and not too large for the host: an operator has to allow it before it is rolled out.
fn limits(host: &Host, package: &Package, stands: Option<&plugin_state::Model>) -> Limits {
    let size = package.component.len() as u64;
    let set = stands.filter(|state| state.limits != kept::UNSET).map(|state| read(&state.limits));
    let limits = set.unwrap_or_else(|| Limits::wished(&package.manifest.wishes, host.settings()));
    Limits { component: limits.component.max(size.min(host.settings().component)), ..limits }
}

/// A value for each setting, to try the component with.
fn stand_ins(manifest: &Manifest) -> std::collections::BTreeMap<String, String> {
    let stand_in = |kind: &str| match kind {
        "whole" | "decimal" => "0",
        "truth" => "false",
        "money" => "0.00 CNY",
        _ => "",
    };
    let all = manifest.config.iter();
    all.map(|(name, setting)| {
        (name.clone(), setting.default.clone().unwrap_or_else(|| stand_in(&setting.kind).to_owned()))
    })
    .collect()
}

/// Why the host does not take a component; `reason` is the host's own stable name for it.
fn refused(error: &HostError) -> Problem {
    Problem::component_refused(error.to_string()).with("reason", error.code())
}
