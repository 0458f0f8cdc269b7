//! The servers of a case: they answer what was recorded, and note what they were asked.
use super::case::{Case, Expected, Recorded};
use crate::plugins::contract::{HttpFailure, HttpRequest, HttpResponse, Ran};
use crate::plugins::web::Web;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Recorded responses, round by round.
#[derive(Debug)]
pub struct Recording {
    rounds: Vec<BTreeMap<String, Recorded>>,
    made: Mutex<Vec<Vec<HttpRequest>>>,
}

impl Recording {
    pub fn new(rounds: Vec<BTreeMap<String, Recorded>>) -> Recording {
        Recording { rounds, made: Mutex::new(Vec::new()) }
    }

    /// The requests that were made, round by round.
    pub fn made(&self) -> Vec<Vec<HttpRequest>> {
        self.held().clone()
    }

    /// A panic elsewhere leaves the list whole: rounds are pushed whole.
    fn held(&self) -> MutexGuard<'_, Vec<Vec<HttpRequest>>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, round: usize, name: &str) -> Option<&Recorded> {
        self.rounds.get(round).and_then(|responses| responses.get(name))
    }

    /// Requests without a recorded response, and recorded responses that nobody asked for.
    fn gaps(&self) -> Vec<String> {
        let made = self.made();
        let mut gaps = Vec::new();
        for (i, requests) in made.iter().enumerate() {
            for request in requests.iter().filter(|r| self.find(i, &r.name).is_none()) {
                let HttpRequest { name, method, url, .. } = request;
                gaps.push(format!("round {}: no response is recorded for {name:?} ({method} {url})", i + 1));
            }
        }
        for (i, responses) in self.rounds.iter().enumerate() {
            let asked = |name: &&String| made.get(i).is_some_and(|r| r.iter().any(|r| r.name == **name));
            for name in responses.keys().filter(|name| !asked(name)) {
                gaps.push(format!("round {}: nobody asked for the recorded response {name:?}", i + 1));
            }
        }
        gaps
    }
}

impl Web for Recording {
    fn fetch(&self, requests: &[HttpRequest], _: Instant) -> Vec<HttpResponse> {
        let mut made = self.held();
        let round = made.len();
        made.push(requests.to_vec());
        let answer = |request: &HttpRequest| HttpResponse {
            name: request.name.clone(),
            outcome: match self.find(round, &request.name) {
                Some(recorded) => recorded.0.clone(),
                None => Err(HttpFailure::Other("no response is recorded".to_owned())),
            },
        };
        requests.iter().map(answer).collect()
    }
}

impl Case {
    /// How what came differs from what the case expects; nothing if the case passes.
    pub fn differences(&self, ran: &Ran, web: &Recording) -> Vec<String> {
        let mut found = Vec::new();
        if !self.expect.is(&ran.outcome) {
            let got = match &ran.outcome {
                Ok(answer) => json(&Expected::Answer(answer.clone())),
                Err(failure) => {
                    format!("{} ({failure})", json(&Expected::Failure(failure.code().to_owned())))
                }
            };
            found.push(format!("expected {}, got {got}", json(&self.expect)));
        }
        found.extend(web.gaps());
        if let Some(expected) = &self.requests {
            let made = web.made();
            if expected.len() != made.len() {
                found.push(format!("expected {} rounds of requests, got {}", expected.len(), made.len()));
            }
            for (i, (expected, made)) in expected.iter().zip(&made).enumerate() {
                if expected != made {
                    let (expected, made) = (json(expected), json(made));
                    found.push(format!("round {}: expected the requests {expected}, got {made}", i + 1));
                }
            }
        }
        if let Some(most) = self.fuel.filter(|most| ran.fuel > *most) {
            found.push(format!("expected at most {most} units of fuel, got {}", ran.fuel));
        }
        found
    }
}

/// What serializes without fail: our own types have no maps with keys other than text.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
