//! Where a new version is asked: nowhere for good yet, in a share of the stores, everywhere.
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// How far a new version is rolled out beside the one that serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// It is asked after the other, on the same calls; its answers are compared and not used.
    Shadow,
    /// It is asked instead of the other in these stores.
    Share(Share),
}

/// Some of the stores.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// These.
    #[serde(default)]
    pub stores: BTreeSet<String>,
    /// And of all so many in a hundred, chosen by [`slot`]: a larger percentage keeps the stores of a smaller one.
    #[serde(default)]
    pub percent: u8,
}

impl Share {
    /// Whether a store is among them.
    pub fn has(&self, plugin: &str, store: &str) -> bool {
        self.stores.contains(store) || slot(plugin, store) < self.percent
    }
}

/// A store's place among a hundred, the same at all times and on all nodes; another one for each plugin, so that not
/// always the same stores go first.
pub fn slot(plugin: &str, store: &str) -> u8 {
    let mut hash = Sha256::new();
    hash.update(plugin.as_bytes());
    hash.update([0]);
    hash.update(store.as_bytes());
    let number = hash.finalize().iter().take(4).fold(0_u32, |n, byte| (n << 8) | u32::from(*byte));
    u8::try_from(number % 100).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_grows_and_keeps_what_it_had() {
        let stores: Vec<String> = (0..1000).map(|n| format!("s{n:03}")).collect();
        let of = |percent| {
            let share = Share { percent, ..Share::default() };
            stores.iter().filter(|s| share.has("a.b", s)).cloned().collect::<BTreeSet<_>>()
        };
        assert!(of(0).is_empty());
        assert_eq!(of(100).len(), 1000);
        assert!((60..=140).contains(&of(10).len()), "{}", of(10).len());
        assert!(of(10).is_subset(&of(11)) && of(11).is_subset(&of(60)));
        let other: Vec<_> = stores.iter().filter(|s| slot("a.c", s) < 10).collect();
        assert!(other.iter().any(|s| !of(10).contains(*s)), "another plugin has other stores");
    }

    #[test]
    fn named_stores_are_in_whatever_the_percentage() {
        let share = Share { stores: ["s1".to_owned()].into(), percent: 0 };
        assert!(share.has("a.b", "s1") && !share.has("a.b", "s2") && !share.has("a.b", "S1"));
    }
}
