//! A plugin's settings: what the operator gave and what the manifest says, of the kinds that it names.
use crate::plugins::host::error::HostError;
use crate::plugins::host::judge;
use crate::plugins::manifest::Setting;
use std::collections::BTreeMap;

/// Every setting of the manifest with its value, and no other.
pub(super) fn complete(
    asked: &BTreeMap<String, Setting>,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, HostError> {
    let wrong = |name: &str, why: String| HostError::Config { name: name.to_owned(), why };
    if let Some(unknown) = given.keys().find(|name| !asked.contains_key(*name)) {
        return Err(wrong(unknown, "the plugin has no such setting".to_owned()));
    }
    let mut all = BTreeMap::new();
    for (name, setting) in asked {
        let value = given.get(name).or(setting.default.as_ref());
        let value = value.ok_or_else(|| wrong(name, "it has no default and was not given".to_owned()))?;
        setting.fits(value).map_err(|write| {
            wrong(name, format!("`{}` is not of the kind {}; {write}", judge::short(value), setting.kind))
        })?;
        all.insert(name.clone(), value.clone());
    }
    Ok(all)
}
