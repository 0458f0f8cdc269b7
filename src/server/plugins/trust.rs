//! Whether a package is to be trusted: by the keys that its vendor has now, at the upload and again whenever it is rolled
//! out further.
use super::{Plugins, shown};
use crate::plugins::package::{Keyring, Package, PackageError, Trust, TrustError, TrustedKey};
use crate::records::entity::vendor_key;
use crate::records::plugins as kept;
use crate::server::problem::Problem;
use actix_web::web;

/// # Errors
/// The version is not there, or not to be trusted any more: its key was revoked, or unsigned ones are not taken now.
pub async fn still(plugins: &Plugins, id: &str, version: &str, development: bool) -> Result<(), Problem> {
    let (plugin, named) = (id.to_owned(), version.to_owned());
    let found =
        plugins.records.read(move |db| async move { kept::package(&db, &plugin, &named).await }).await?;
    let Some((_, bytes)) = found else {
        return Err(Problem::unknown_version(format!("there is no package of {id}")).at("version"));
    };
    let package = off_the_workers(move || Package::read(&bytes).map_err(damaged)).await?;
    trusted(plugins, &package, development).await.map(drop)
}

/// The id of the key that it is signed with, if that is one of the vendor's; none: it is not signed and need not be.
///
/// # Errors
/// Why it is not trusted.
pub async fn trusted(
    plugins: &Plugins,
    package: &Package,
    development: bool,
) -> Result<Option<String>, Problem> {
    let vendor = package.manifest.vendor().to_owned();
    let rows = plugins.records.read(move |db| async move { kept::keys::of(&db, &vendor).await }).await?;
    let mut ring = Keyring::default();
    rows.iter().filter_map(trusted_key).for_each(|key| ring.add(key));
    match ring.trust(package, development) {
        Ok(Trust::Signed(verified)) => Ok(Some(verified.key)),
        Ok(Trust::Development) => Ok(None),
        Err(error) => {
            let (code, detail) = (error.code(), error.to_string());
            let problem = match error {
                TrustError::Unsigned { .. } => Problem::package_unsigned(detail),
                TrustError::Altered { .. } => Problem::package_altered(detail),
                _ => Problem::package_not_trusted(detail),
            };
            Err(problem.with("reason", code))
        }
    }
}

fn trusted_key(row: &vendor_key::Model) -> Option<TrustedKey> {
    Some(TrustedKey {
        key: row.public_key.parse().ok()?,
        since: Some(shown::time(row.added_at)),
        revoked: row.revoked_at.map(shown::time),
    })
}

/// Work that takes a processor for a while.
///
/// # Errors
/// Those of the work.
pub async fn off_the_workers<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    web::block(work).await.map_err(|_| Problem::internal())?
}

/// Why bytes are no package.
pub fn damaged(error: PackageError) -> Problem {
    let detail = error.to_string();
    match error {
        PackageError::Altered(_) => Problem::package_altered(detail),
        PackageError::Manifest(_) => Problem::manifest_refused(detail),
        PackageError::Component(_) => Problem::component_refused(detail),
        _ => Problem::package_damaged(detail),
    }
}
