//! What was granted: exact scheme, host and port, a prefix of the path, and methods. Nothing is a pattern.
use super::target::{self, Origin, Target};
use super::{address, secrets};
use crate::plugins::manifest::{Asks, HttpGrant};
use std::collections::BTreeSet;

/// What a plugin may ask for, and a grant may allow.
pub(super) const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
/// Grants of one plugin.
const MOST: usize = 64;

/// Why a grant cannot be given, or be asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("requests to {host}: {reason}")]
pub struct GrantFault {
    /// The host as the grant has it.
    pub host: String,
    pub reason: String,
}

impl Asks {
    /// Whether a manifest may ask so for HTTP; the first fault. A manifest never asks for `private`: only an operator
    /// knows what stands in the chain's own network.
    pub fn check(&self) -> Result<(), GrantFault> {
        if self.http.len() > MOST {
            let host = "all hosts".to_owned();
            return Err(GrantFault { host, reason: format!("more than {MOST} grants are asked for") });
        }
        for ask in &self.http {
            if ask.private {
                let reason = "only an operator can set `private`".to_owned();
                return Err(GrantFault { host: ask.host.clone(), reason });
            }
            ask.check()?;
        }
        Ok(())
    }
}

impl HttpGrant {
    /// Whether an operator can grant this.
    pub fn check(&self) -> Result<(), GrantFault> {
        Granted::new(self).map(|_| ()).map_err(|reason| GrantFault { host: self.host.clone(), reason })
    }
    /// The same grant in its one spelling, by which two are compared; one that cannot be granted stays as it is.
    #[must_use]
    pub fn spelled(&self) -> HttpGrant {
        let Ok(Granted { origin, path, methods, secrets, private }) = Granted::new(self) else {
            return self.clone();
        };
        let scheme = if origin.secure { "https" } else { "http" }.to_owned();
        HttpGrant { scheme, host: origin.host, port: origin.port, path, methods, secrets, private }
    }
}

/// A grant in its one spelling.
#[derive(Debug, Clone)]
struct Granted {
    origin: Origin,
    path: String,
    methods: Vec<String>,
    secrets: Vec<String>,
    private: bool,
}

impl Granted {
    fn new(grant: &HttpGrant) -> Result<Granted, String> {
        let secure = target::secure(&grant.scheme)?;
        let bracketed = if grant.host.contains(':') && !grant.host.starts_with('[') {
            format!("[{}]", grant.host)
        } else {
            grant.host.clone()
        };
        let host = target::host_name(&bracketed)?;
        if let Some(literal) = target::literal(&host) {
            address::permitted(literal, grant.private, true).map_err(|what| {
                format!("it is {what}, which only an operator can grant, with `private`, if anyone can")
            })?;
        }
        if grant.port == 0 {
            return Err("there is no port 0".into());
        }
        let path = target::path_text(&grant.path)?;
        if path.contains('*') {
            return Err("a path is a prefix that ends in /, or a whole path, and no pattern".into());
        }
        if grant.methods.is_empty() {
            return Err("no method is named".into());
        }
        if let Some(unknown) = grant.methods.iter().find(|m| !METHODS.contains(&m.as_str())) {
            return Err(format!("there is no method `{unknown}`; there are {}", METHODS.join(", ")));
        }
        if let Some(odd) = grant.secrets.iter().find(|s| !secrets::is_name(s)) {
            return Err(format!(
                "`{odd}` is no name of a secret: letters, digits, `_`, `-` and `.`, at most 64"
            ));
        }
        Ok(Granted {
            origin: Origin { secure, host, port: grant.port },
            path,
            methods: grant.methods.clone(),
            secrets: grant.secrets.clone(),
            private: grant.private,
        })
    }

    fn covers(&self, target: &Target, method: &str) -> bool {
        let path = if self.path.ends_with('/') {
            target.path.starts_with(&self.path)
        } else {
            target.path == self.path
        };
        path && self.origin == target.origin && self.methods.iter().any(|m| m == method)
    }
}

/// All that one plugin may call.
#[derive(Debug, Clone, Default)]
pub(super) struct Allowed {
    grants: Vec<Granted>,
}

/// What the grants that cover one request allow together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Permit {
    pub private: bool,
    pub secrets: BTreeSet<String>,
}

impl Allowed {
    /// A grant that is no proper one allows nothing; whoever grants has heard so from [`HttpGrant::check`].
    pub fn new(grants: &[HttpGrant]) -> Allowed {
        Allowed { grants: grants.iter().filter_map(|g| Granted::new(g).ok()).collect() }
    }

    /// What a request to there may do; none: it may not be made.
    pub fn permit(&self, target: &Target, method: &str) -> Option<Permit> {
        let mut permit = None;
        for grant in self.grants.iter().filter(|g| g.covers(target, method)) {
            let permit = permit.get_or_insert(Permit { private: false, secrets: BTreeSet::new() });
            permit.private |= grant.private;
            permit.secrets.extend(grant.secrets.iter().cloned());
        }
        permit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(host: &str, path: &str) -> HttpGrant {
        HttpGrant {
            scheme: "https".into(),
            host: host.into(),
            port: 443,
            path: path.into(),
            methods: vec!["GET".into()],
            secrets: vec![],
            private: false,
        }
    }

    fn may(grants: &[HttpGrant], method: &str, url: &str) -> bool {
        Target::parse(url).is_ok_and(|t| Allowed::new(grants).permit(&t, method).is_some())
    }

    #[test]
    fn exactly_what_was_granted() {
        let grants = [grant("API.example.com", "/v1/"), grant("api.example.com", "/health")];
        for url in [
            "https://api.example.com/v1/",
            "https://API.EXAMPLE.COM:443/v1/a/b?c=d",
            "https://api.example.com/%76%31/a",
            "https://api.example.com/health?x",
        ] {
            assert!(may(&grants, "GET", url), "{url}");
            assert!(!may(&grants, "POST", url), "{url}");
        }
        for url in [
            "http://api.example.com/v1/",
            "http://api.example.com:443/v1/",
            "https://api.example.com:8443/v1/",
            "https://example.com/v1/",
            "https://x.api.example.com/v1/",
            "https://api.example.com.evil.com/v1/",
            "https://api-example.com/v1/",
            "https://api.example.com./v1/",
            "https://api.example.com@evil.com/v1/",
            "https://evil.com/https://api.example.com/v1/",
            "https://api.example.com/",
            "https://api.example.com/v1",
            "https://api.example.com/V1/",
            "https://api.example.com/v10/",
            "https://api.example.com/v1/../admin",
            "https://api.example.com/v1/%2e%2e/admin",
            "https://api.example.com/v1/..%2fadmin",
            "https://api.example.com/health/x",
            "https://api.example.com/healthy",
        ] {
            assert!(!may(&grants, "GET", url), "{url}");
        }
    }

    #[test]
    fn only_the_covering_grants_count() {
        let mut open = grant("a.com", "/open/");
        open.private = true;
        let mut paid = grant("a.com", "/");
        paid.secrets = vec!["key".into()];
        let allowed = Allowed::new(&[open, paid]);
        let permit = |url: &str| allowed.permit(&Target::parse(url).unwrap(), "GET").unwrap();
        assert_eq!(permit("https://a.com/x"), Permit { private: false, secrets: ["key".to_owned()].into() });
        assert_eq!(
            permit("https://a.com/open/x"),
            Permit { private: true, secrets: ["key".to_owned()].into() }
        );
    }

    #[test]
    fn what_cannot_be_asked_for() {
        let asks = |grant: HttpGrant| Asks { http: vec![grant], kv: 0 };
        let good = grant("a.com", "/");
        asks(good.clone()).check().unwrap();
        let other = HttpGrant { scheme: "HTTPS".into(), ..grant("A.com", "/") };
        assert_eq!((good.spelled(), other.spelled()), (good.clone(), good.clone()));
        let private = HttpGrant { private: true, ..good.clone() };
        private.check().unwrap();
        assert!(asks(private).check().unwrap_err().to_string().contains("only an operator"));
        let inside = HttpGrant { private: true, ..grant("10.0.0.8", "/") };
        inside.check().unwrap();
        for wrong in [
            grant("10.0.0.8", "/"),
            grant("127.0.0.1", "/"),
            grant("::1", "/"),
            grant("[fd00::1]", "/"),
            grant("2130706433", "/"),
            grant("*.a.com", "/"),
            grant("a.com.", "/"),
            grant("a.com/x", "/"),
            grant("u@a.com", "/"),
            grant("", "/"),
            grant("a.com", ""),
            grant("a.com", "v1/"),
            grant("a.com", "/v1/../"),
            grant("a.com", "/v1?x"),
            grant("a.com", "/*"),
            HttpGrant { scheme: "ftp".into(), ..good.clone() },
            HttpGrant { port: 0, ..good.clone() },
            HttpGrant { methods: vec![], ..good.clone() },
            HttpGrant { methods: vec!["get".into()], ..good.clone() },
            HttpGrant { methods: vec!["CONNECT".into()], ..good.clone() },
            HttpGrant { secrets: vec!["a}}".into()], ..good.clone() },
        ] {
            assert!(wrong.check().is_err(), "{wrong:?}");
            assert!(asks(wrong).check().is_err());
        }
        assert!(Asks { http: vec![good; 65], kv: 0 }.check().is_err());
    }
}
