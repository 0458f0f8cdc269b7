//! Plugins' secrets: from the operator's file and from the environment, never from the database, never in an answer.
use crate::plugins::broker::Secrets;
use crate::server::settings::{Hidden, Settings};
use std::collections::BTreeMap;

/// The operator's secrets.
pub struct SecretStore {
    /// By plugin and name.
    file: BTreeMap<String, BTreeMap<String, Hidden>>,
    /// By variable.
    variables: BTreeMap<String, Hidden>,
}

impl SecretStore {
    /// Reads the file, if there is one.
    ///
    /// # Errors
    /// What is wrong with it, without a word of its content.
    pub fn open(settings: &Settings) -> Result<SecretStore, String> {
        let file = match &settings.secrets {
            None => BTreeMap::new(),
            Some(path) => {
                let shown = path.display();
                let text = std::fs::read_to_string(path).map_err(|error| format!("{shown}: {error}"))?;
                // What the parser says may quote the file.
                toml::from_str(&text).map_err(|_| {
                    format!("{shown}: expected tables [\"vendor.name\"] of texts NAME = \"value\"")
                })?
            }
        };
        Ok(SecretStore { file, variables: settings.secret_variables.clone() })
    }

    /// The names of the secrets that are set for a plugin, of those that are asked for.
    pub fn set(&self, plugin: &str, names: impl Iterator<Item = String>) -> Vec<(String, bool)> {
        names.map(|name| (name.clone(), self.secret(plugin, &name).is_some())).collect()
    }
}

impl Secrets for SecretStore {
    fn secret(&self, plugin: &str, name: &str) -> Option<String> {
        let kept = self.file.get(plugin).and_then(|of| of.get(name));
        let hidden = kept.or_else(|| self.variables.get(&variable(plugin, name)?))?;
        Some(hidden.0.clone())
    }
}

/// `ZHANGGUI_SECRET_ACME__SMS__TOKEN` is `TOKEN` of `acme.sms`. Two underscores part the words, so that no plugin's
/// variable is another's: names that would blur that have no variable, and go into the file.
fn variable(plugin: &str, name: &str) -> Option<String> {
    let (vendor, plugin) = plugin.split_once('.')?;
    let plain = |word: &str| {
        let edge = word.starts_with('_') || word.ends_with('_');
        !word.contains("__") && !edge && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    let words = [vendor, plugin, name];
    let all = words.iter().all(|word| plain(word));
    all.then(|| format!("ZHANGGUI_SECRET_{}", words.join("__").to_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_one_plugins() {
        assert_eq!(variable("acme.sms", "token").as_deref(), Some("ZHANGGUI_SECRET_ACME__SMS__TOKEN"));
        assert_eq!(variable("a.b_c", "d").as_deref(), Some("ZHANGGUI_SECRET_A__B_C__D"));
        assert_ne!(variable("a.b_c", "d"), variable("a.b", "c_d"));
        for (plugin, name) in
            [("a.b", "c__d"), ("a.b__c", "d"), ("a.b_", "c"), ("a.b", "_c"), ("ab", "c"), ("a.b", "c.d")]
        {
            assert_eq!(variable(plugin, name), None, "{plugin} {name}");
        }
    }

    #[test]
    fn the_file_goes_first_and_is_never_quoted() {
        let hidden = |text: &str| Hidden(text.to_owned());
        let store = SecretStore {
            file: [("a.b".to_owned(), [("k".to_owned(), hidden("filed"))].into())].into(),
            variables: [("ZHANGGUI_SECRET_A__B__K", "x"), ("ZHANGGUI_SECRET_A__B__L", "y")]
                .map(|(k, v)| (k.to_owned(), hidden(v)))
                .into(),
        };
        assert_eq!(store.secret("a.b", "k").as_deref(), Some("filed"));
        assert_eq!(store.secret("a.b", "l").as_deref(), Some("y"));
        assert_eq!((store.secret("a.c", "k"), store.secret("a.b", "m")), (None, None));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("s.toml");
        std::fs::write(&file, "[\"a.b\"]\nk = \"s3cret\" oops").unwrap();
        let mut settings =
            Settings::read(None, &crate::server::Flags::default(), std::iter::empty()).unwrap();
        settings.secrets = Some(file);
        let said = SecretStore::open(&settings).err().unwrap();
        assert!(!said.contains("s3cret"), "{said}");
    }
}
