//! The rules of rolling out, as what an operator does changes how a plugin stands.
use crate::plugins::installed::{Share, Stage};
use crate::plugins::manifest::{Asks, HttpGrant};
use serde::{Deserialize, Serialize};

/// Which versions of a plugin are asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    /// Wherever `next` does not serve.
    pub serving: Option<String>,
    pub next: Option<Next>,
    /// Before `serving`: ready to serve again.
    pub previous: Option<String>,
}

/// A version on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Next {
    pub version: String,
    pub stage: Stage,
}

impl Rollout {
    /// The versions that have to be loaded.
    pub fn versions(&self) -> impl Iterator<Item = &String> {
        self.serving.iter().chain(self.next.iter().map(|next| &next.version)).chain(&self.previous)
    }
    /// Whether any store gets answers.
    pub fn answers(&self) -> bool {
        self.serving.is_some() || self.next.as_ref().is_some_and(|next| next.stage != Stage::Shadow)
    }
    /// Rolls a version out this far; none: everywhere.
    ///
    /// # Errors
    /// Why that makes no sense.
    pub fn roll_out(&mut self, version: &str, stage: Option<Stage>) -> Result<(), String> {
        let serves = self.serving.as_deref() == Some(version);
        match stage {
            None => {
                if !serves {
                    self.previous = self.serving.replace(version.to_owned());
                }
                self.next = None;
            }
            Some(_) if serves => return Err(format!("{version} serves everywhere already")),
            Some(stage) => self.next = Some(Next { version: version.to_owned(), stage }),
        }
        Ok(())
    }
    /// Goes back: what is on its way is taken out, or else what served before serves again. Whether there was anything to
    /// go back from and to. `version` is the one to be taken out; if it is out already, nothing is done.
    pub fn roll_back(&mut self, version: Option<&str>) -> Result<bool, ()> {
        let current = self.next.as_ref().map(|next| &next.version).or(self.serving.as_ref());
        if version.is_some() && version != current.map(String::as_str) {
            return Ok(false);
        }
        if self.next.take().is_some() {
            return Ok(true);
        }
        let previous = self.previous.take().ok_or(())?;
        self.serving = Some(previous);
        Ok(true)
    }
}

/// How far a version shall be rolled out, as a request says it.
///
/// # Errors
/// The field to blame and why.
pub fn stage(
    name: &str,
    stores: Option<Vec<String>>,
    percent: Option<u8>,
) -> Result<Option<Stage>, (&'static str, String)> {
    let share = stores.is_some() || percent.is_some();
    match name {
        "shadow" | "all" if share => {
            Err(("stage", format!("`stores` and `percent` go with the stage share, not with {name}")))
        }
        "shadow" => Ok(Some(Stage::Shadow)),
        "all" => Ok(None),
        "share" => {
            let percent = percent.unwrap_or(0);
            let stores = stores.unwrap_or_default();
            if percent > 100 {
                return Err(("percent", "0 to 100".into()));
            }
            if stores.is_empty() && percent == 0 {
                return Err(("stores", "a share has `stores`, or a `percent` above 0".into()));
            }
            if stores.len() > 10_000 {
                return Err(("stores", "at most 10000; beyond that use `percent`".into()));
            }
            Ok(Some(Stage::Share(Share { stores: stores.into_iter().collect(), percent })))
        }
        other => {
            let other: String = other.chars().take(40).collect();
            Err(("stage", format!("{other:?} is none of shadow, share, all")))
        }
    }
}

/// What is asked for and not granted, in words: HTTP, and whether the store of entries is missing.
pub fn missing(asks: &Asks, granted: &Asks) -> (Vec<String>, bool) {
    let covered = |ask: &HttpGrant| granted.http.iter().any(|grant| covers(&grant.spelled(), &ask.spelled()));
    let http = asks.http.iter().filter(|ask| !covered(ask)).map(|ask| {
        let methods = ask.methods.join(", ");
        format!("{methods} {}://{}:{}{}", ask.scheme, ask.host, ask.port, ask.path)
    });
    (http.collect(), asks.kv > 0 && granted.kv == 0)
}

fn covers(grant: &HttpGrant, ask: &HttpGrant) -> bool {
    let under = grant.path == ask.path || grant.path.ends_with('/') && ask.path.starts_with(&grant.path);
    let within = |all: &[String], some: &[String]| some.iter().all(|one| all.contains(one));
    (&grant.scheme, &grant.host, grant.port) == (&ask.scheme, &ask.host, ask.port)
        && under
        && within(&grant.methods, &ask.methods)
        && within(&grant.secrets, &ask.secrets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(percent: u8) -> Option<Stage> {
        Some(Stage::Share(Share { percent, ..Share::default() }))
    }

    #[test]
    fn forth_and_back() {
        let mut rollout = Rollout::default();
        assert_eq!(rollout.roll_back(None), Err(()));
        rollout.roll_out("1", Some(Stage::Shadow)).unwrap();
        assert!(!rollout.answers());
        rollout.roll_out("1", share(10)).unwrap();
        assert!(rollout.answers() && rollout.serving.is_none());
        rollout.roll_out("1", None).unwrap();
        assert_eq!((rollout.serving.as_deref(), &rollout.next, &rollout.previous), (Some("1"), &None, &None));
        assert_eq!(rollout.roll_back(None), Err(()), "there is nothing before the first");
        assert!(rollout.roll_out("1", share(5)).is_err());
        rollout.roll_out("2", share(5)).unwrap();
        assert_eq!(rollout.roll_back(Some("1")), Ok(false), "1 is not what is being rolled out");
        assert_eq!(rollout.roll_back(Some("2")), Ok(true));
        assert_eq!((rollout.serving.as_deref(), &rollout.next), (Some("1"), &None));
        rollout.roll_out("2", None).unwrap();
        // A repetition does not forget what was before.
        rollout.roll_out("2", None).unwrap();
        assert_eq!(rollout.previous.as_deref(), Some("1"));
        assert_eq!(rollout.roll_back(Some("2")), Ok(true));
        assert_eq!(rollout.roll_back(Some("2")), Ok(false), "sent again, it does no harm");
        assert_eq!((rollout.serving.as_deref(), &rollout.previous), (Some("1"), &None));
    }

    #[test]
    fn stages_as_requests_say_them() {
        let stores = || Some(vec!["s1".to_owned()]);
        assert_eq!(stage("all", None, None), Ok(None));
        assert_eq!(stage("shadow", None, None), Ok(Some(Stage::Shadow)));
        assert_eq!(stage("share", None, Some(7)), Ok(share(7)));
        assert!(stage("share", stores(), None).is_ok());
        for (name, stores, percent, at) in [
            ("share", None, None, "stores"),
            ("share", Some(Vec::new()), None, "stores"),
            ("share", None, Some(101), "percent"),
            ("all", None, Some(10), "stage"),
            ("shadow", stores(), None, "stage"),
            ("ALL", None, None, "stage"),
        ] {
            assert_eq!(stage(name, stores, percent).map_err(|(at, _)| at), Err(at), "{name}");
        }
    }

    #[test]
    fn what_is_asked_and_not_granted() {
        let grant = |host: &str, path: &str, methods: &[&str], secrets: &[&str]| HttpGrant {
            scheme: "https".into(),
            host: host.into(),
            port: 443,
            path: path.into(),
            methods: methods.iter().map(|m| (*m).to_owned()).collect(),
            secrets: secrets.iter().map(|s| (*s).to_owned()).collect(),
            private: false,
        };
        let asks = Asks { http: vec![grant("x.com", "/v1/", &["GET"], &["k"])], kv: 10 };
        let lacks = |http, kv| {
            let (http, kv) = missing(&asks, &Asks { http, kv });
            (http.len(), kv)
        };
        assert_eq!(missing(&asks, &asks), (Vec::new(), false));
        assert_eq!(lacks(vec![grant("x.com", "/", &["GET", "PUT"], &["k", "l"])], 1), (0, false));
        assert_eq!(lacks(vec![grant("X.Com", "/v1/", &["GET"], &["k"])], 1), (0, false));
        for other in [
            grant("y.com", "/v1/", &["GET"], &["k"]),
            grant("x.com", "/v1/a", &["GET"], &["k"]),
            grant("x.com", "/v1", &["GET"], &["k"]),
            grant("x.com", "/v1/", &["PUT"], &["k"]),
            grant("x.com", "/v1/", &["GET"], &[]),
        ] {
            assert_eq!(lacks(vec![other.clone()], 0), (1, true), "{other:?}");
        }
    }
}
