//! A round of requests of one plugin.
use super::Shared;
use super::cache::Kept;
use super::cache::Owner;
use super::client::{Sent, Unanswered, hidden};
use super::grants::{Allowed, METHODS, Permit};
use super::headers::{self, Header};
use super::names::on_behalf;
use super::secrets::{Scrub, Secrets, Values};
use super::target::Target;
use crate::plugins::contract::{HttpAnswer, HttpFailure, HttpRequest, HttpResponse};
use crate::plugins::manifest::HttpGrant;
use crate::plugins::web::Web;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Left of the time for a second attempt to be worth it.
const WORTH: Duration = Duration::from_millis(5);

/// The web as one plugin sees it.
pub struct Granted {
    shared: Arc<Shared>,
    plugin: String,
    owner: Owner,
    allowed: Allowed,
    secrets: Arc<dyn Secrets>,
    body: usize,
}

type Outcome = Result<HttpAnswer, HttpFailure>;

/// A request that was found to be granted.
struct Ready<'a> {
    method: &'a str,
    target: Target,
    permit: Permit,
    headers: Vec<Header>,
    body: &'a [u8],
    until: Instant,
}

impl Granted {
    pub(super) fn new(
        shared: Arc<Shared>,
        plugin: &str,
        grants: &[HttpGrant],
        secrets: Arc<dyn Secrets>,
    ) -> Granted {
        let body = shared.settings.body;
        let owner = Owner { plugin: plugin.to_owned(), version: String::new() };
        Granted { shared, plugin: plugin.to_owned(), owner, allowed: Allowed::new(grants), secrets, body }
    }

    /// Of a version: what it makes of a server is no other version's business.
    #[must_use]
    pub fn version(mut self, version: &str) -> Granted {
        version.clone_into(&mut self.owner.version);
        self
    }

    /// With another limit for bodies, in bytes.
    #[must_use]
    pub fn body(mut self, limit: usize) -> Granted {
        self.body = limit;
        self
    }

    /// A fault of the client is one request's failure, too.
    fn guarded(&self, request: &HttpRequest, deadline: Instant) -> Outcome {
        catch_unwind(AssertUnwindSafe(|| self.one(request, deadline)))
            .unwrap_or_else(|_| Err(HttpFailure::Other("the host's client stopped in a fault".into())))
    }

    fn one(&self, request: &HttpRequest, deadline: Instant) -> Outcome {
        let ready = self.ready(request, deadline)?;
        let lasts = request.cache.filter(|s| *s > 0 && ready.method == "GET");
        let key = (ready.target.to_string(), request.headers.clone());
        if lasts.is_some()
            && let Some(kept) = self.shared.cache.get(&self.owner, &key)
            && kept.hops.iter().all(|hop| self.leads(hop))
            && kept.answer.body.len() <= self.body
        {
            return Ok(kept.answer);
        }
        let needed: BTreeSet<&str> = ready.headers.iter().flat_map(|h| h.template.names()).collect();
        let values = Values::get(needed.into_iter(), &self.plugin, self.secrets.as_ref())
            .map_err(HttpFailure::Denied)?;
        let scrub = Scrub::new(&values);
        let mut hops = Vec::new();
        let answer = scrub.outcome(self.hop_by_hop(&ready, &values, &mut hops))?;
        if answer.body.len() > self.body {
            return Err(HttpFailure::TooLarge);
        }
        if let Some(seconds) = lasts
            && (200..300).contains(&answer.status)
            && !forbids_keeping(&answer)
        {
            let lasts = Duration::from_secs(seconds.into());
            self.shared.cache.put(&self.owner, key, Kept { answer: answer.clone(), hops }, lasts);
        }
        Ok(answer)
    }

    /// Whether a place that an answer came through may be gone to now.
    fn leads(&self, (place, private): &(Target, bool)) -> bool {
        self.allowed.permit(place, "GET").is_some_and(|permit| permit.private || !private)
    }

    /// Checks a request against the grants, before anything is looked up or sent.
    fn ready<'a>(&self, request: &'a HttpRequest, deadline: Instant) -> Result<Ready<'a>, HttpFailure> {
        let denied = |why: &str| HttpFailure::Denied(why.to_owned());
        let method = METHODS
            .into_iter()
            .find(|m| *m == request.method)
            .ok_or_else(|| HttpFailure::Denied(format!("the method is none of {}", METHODS.join(", "))))?;
        let target = Target::parse(&request.url).map_err(denied)?;
        let permit = self.permit(&target, method)?;
        let headers = headers::asked(&request.headers).map_err(HttpFailure::Denied)?;
        for name in headers.iter().flat_map(|h| h.template.names()) {
            if !permit.secrets.contains(name) {
                let why = format!("the secret {name} was not granted for {}", target.shown());
                return Err(HttpFailure::Denied(why));
            }
        }
        if !request.body.is_empty() && !["POST", "PUT", "PATCH"].contains(&method) {
            return Err(denied("only POST, PUT and PATCH have a body"));
        }
        if request.body.len() > self.body {
            return Err(HttpFailure::Denied(format!("the body is longer than {} bytes", self.body)));
        }
        let own = request.timeout.map(|ms| Instant::now() + Duration::from_millis(ms.into()));
        let until = own.map_or(deadline, |own| own.min(deadline));
        Ok(Ready { method, target, permit, headers, body: &request.body, until })
    }

    fn permit(&self, target: &Target, method: &str) -> Result<Permit, HttpFailure> {
        self.allowed
            .permit(target, method)
            .ok_or_else(|| HttpFailure::Denied(format!("{method} {} was not granted", target.shown())))
    }

    /// Makes the request, and follows where a GET or HEAD is sent on to, as far as that was granted as well.
    fn hop_by_hop(&self, ready: &Ready<'_>, values: &Values, hops: &mut Vec<(Target, bool)>) -> Outcome {
        let mut target = ready.target.clone();
        let mut permit = ready.permit.clone();
        let mut headers: Vec<&Header> = ready.headers.iter().collect();
        for left in (0..=self.shared.settings.redirects).rev() {
            let answer = self.hop(ready, &target, &permit, &headers, values)?;
            hops.push((target.clone(), permit.private));
            let on = matches!(answer.status, 301 | 302 | 303 | 307 | 308)
                && matches!(ready.method, "GET" | "HEAD")
                && self.shared.settings.redirects > 0;
            let location = answer.headers.iter().find(|(n, _)| n == "location").map(|(_, v)| v);
            let (true, Some(location)) = (on, location) else { return Ok(answer) };
            if left == 0 {
                return Err(HttpFailure::Unreachable("it is redirected again and again".into()));
            }
            let next = target.follow(location).map_err(|why| {
                HttpFailure::Denied(format!("it is redirected to a place that is refused: {why}"))
            })?;
            permit = self.permit(&next, ready.method).map_err(|failure| match failure {
                HttpFailure::Denied(why) => HttpFailure::Denied(format!("it is redirected: {why}")),
                other => other,
            })?;
            let same = next.origin == target.origin;
            headers.retain(|h| same || !headers::identifies(h));
            headers.retain(|h| h.template.names().all(|n| permit.secrets.contains(n)));
            target = next;
        }
        Err(HttpFailure::Unreachable("it is redirected again and again".into()))
    }

    /// One server. What may safely be repeated is tried a second time when the connection broke.
    fn hop(
        &self,
        ready: &Ready<'_>,
        target: &Target,
        permit: &Permit,
        headers: &[&Header],
        values: &Values,
    ) -> Outcome {
        let headers = headers
            .iter()
            .map(|h| Ok((h.name.clone(), hidden(&h.template.fill(values))?)))
            .collect::<Result<Vec<_>, HttpFailure>>()?;
        let with_secrets = !values.is_empty();
        if ready.until <= Instant::now() {
            return Err(HttpFailure::TimedOut);
        }
        let pass = self.shared.breakers.enter(&self.owner, &target.origin).ok_or(HttpFailure::Resting)?;
        let sent = Sent { method: ready.method, target, headers, body: ready.body };
        let send = || {
            on_behalf(&self.plugin, || self.shared.client.send(&sent, permit.private, self.body, ready.until))
        };
        let mut came = send();
        let repeatable = !matches!(ready.method, "POST" | "PATCH");
        if let Err(Unanswered { again: true, .. }) = came
            && repeatable
            && ready.until.saturating_duration_since(Instant::now()) > WORTH
        {
            came = send();
        }
        let outcome = came.map_err(|u| u.failure);
        match &outcome {
            // The server is away behind a gateway that is not.
            Ok(answer) => pass.done(!matches!(answer.status, 502..=504)),
            Err(HttpFailure::TimedOut | HttpFailure::Unreachable(_)) => pass.done(false),
            Err(HttpFailure::TooLarge) => pass.done(true),
            Err(HttpFailure::Denied(_) | HttpFailure::Resting | HttpFailure::Other(_)) => drop(pass),
        }
        let answer = outcome?;
        let plain = answer.headers.iter().all(|(n, v)| n != "content-encoding" || v == "identity");
        if with_secrets && !plain {
            // Nobody could see whether the secret is in it.
            return Err(HttpFailure::Unreachable("it answered in an encoding that was not asked for".into()));
        }
        Ok(answer)
    }
}

fn forbids_keeping(answer: &HttpAnswer) -> bool {
    answer.headers.iter().any(|(n, v)| n == "cache-control" && v.to_ascii_lowercase().contains("no-store"))
}

impl Web for Granted {
    fn fetch(&self, requests: &[HttpRequest], deadline: Instant) -> Vec<HttpResponse> {
        let most = self.shared.settings.requests;
        let made = requests.len().min(most);
        let next = AtomicUsize::new(0);
        let found: Mutex<Vec<(usize, Outcome)>> = Mutex::default();
        let work = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(request) = requests.get(number).filter(|_| number < made) else { return };
                let outcome = self.guarded(request, deadline);
                found.lock().unwrap_or_else(PoisonError::into_inner).push((number, outcome));
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..made.min(self.shared.settings.together) {
                let thread = std::thread::Builder::new().name("plugin web".into());
                if thread.spawn_scoped(scope, work).is_err() {
                    // Those that there are do the work.
                    break;
                }
            }
            work();
        });
        let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        requests
            .iter()
            .enumerate()
            .map(|(number, request)| {
                let outcome = match found.iter().position(|(n, _)| *n == number) {
                    Some(at) => found.swap_remove(at).1,
                    None => Err(HttpFailure::Other(format!("more than {most} requests in one round"))),
                };
                HttpResponse { name: request.name.clone(), outcome }
            })
            .collect()
    }
}
