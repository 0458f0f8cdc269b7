//! Asking a server, as the operator.
use crate::cli::CliError;
use serde_json::Value;
use std::time::Duration;

/// Where the server is, and in whose name one acts.
#[derive(Debug, clap::Args)]
pub(crate) struct ServerArgs {
    /// The server; by default ZHANGGUI_SERVER, or http://127.0.0.1:8080. The operator's key is read from
    /// ZHANGGUI_OPERATOR_KEY
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// By whom; kept with what is done
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
}

/// An upload compiles and runs cases; a server may take that long.
const PATIENCE: Duration = Duration::from_secs(180);

pub(super) struct Client {
    base: String,
    who: Option<String>,
    key: String,
    agent: ureq::Agent,
}

/// What is sent along.
pub(super) enum Body {
    None,
    Json(Value),
    Package(Vec<u8>),
}

impl Client {
    pub(super) fn open(args: &ServerArgs) -> Result<Client, CliError> {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let server = args.server.clone().or_else(|| set("ZHANGGUI_SERVER"));
        let server = server.unwrap_or_else(|| "http://127.0.0.1:8080".to_owned());
        let key = set("ZHANGGUI_OPERATOR_KEY");
        let key = key.ok_or_else(|| CliError::Usage("ZHANGGUI_OPERATOR_KEY is not set".to_owned()))?;
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE));
        // The key goes to the server that was named, and nowhere else.
        let agent = config.max_redirects(0).build().into();
        let base = server.trim_end_matches('/').to_owned();
        Ok(Client { base, who: args.who.clone(), key, agent })
    }

    /// What a route answers; what it refuses is an error with the server's words.
    pub(super) fn send(&self, method: &str, route: &str, body: Body) -> Result<Value, CliError> {
        self.send_or(method, route, body, |_| None)
    }

    /// As [`Client::send`]; `help` says by the refusal's code what to do here.
    pub(super) fn send_or(
        &self,
        method: &str,
        route: &str,
        body: Body,
        help: impl FnOnce(&str) -> Option<String>,
    ) -> Result<Value, CliError> {
        let away = |error: &dyn std::fmt::Display| CliError::Refused(format!("{}: {error}", self.base));
        let mut url = format!("{}{route}", self.base);
        if let (Some(who), Body::None | Body::Package(_), "POST" | "DELETE") = (&self.who, &body, method) {
            url = format!("{url}?who={}", encoded(who));
        }
        let builder = ureq::http::Request::builder()
            .method(method)
            .uri(&url)
            .header("authorization", format!("Bearer {}", self.key));
        let (kind, bytes) = match body {
            Body::None => ("application/json", Vec::new()),
            Body::Json(mut tree) => {
                if let (Some(who), Some(fields)) = (&self.who, tree.as_object_mut()) {
                    fields.insert("who".to_owned(), who.clone().into());
                }
                ("application/json", tree.to_string().into_bytes())
            }
            Body::Package(bytes) => ("application/octet-stream", bytes),
        };
        let request = builder.header("content-type", kind).body(bytes).map_err(|e| away(&e))?;
        let mut answer = self.agent.run(request).map_err(|error| match error {
            ureq::Error::Io(_) | ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => {
                let base = &self.base;
                CliError::Refused(format!(
                    "no server answers at {base} ({error}): start it there (zhanggui serve), or say where it is with \
                     --server URL or ZHANGGUI_SERVER"
                ))
            }
            other => away(&other),
        })?;
        let status = answer.status().as_u16();
        let text = answer.body_mut().read_to_string().map_err(|e| away(&e))?;
        let tree: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if (200..300).contains(&status) {
            return Ok(tree);
        }
        let word = |name: &str| tree.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (code, title, detail) = (word("code"), word("title"), word("detail"));
        let said = if title.is_empty() { text.chars().take(200).collect() } else { title };
        let place = tree.get("path").and_then(Value::as_str);
        let place = place.map(|at| format!("{at}: ")).unwrap_or_default();
        let said = format!("{status} {code}: {said}: {place}{detail}");
        let said = said.trim_end_matches([':', ' ']);
        let help = help(&code).map(|help| format!("\n{help}")).unwrap_or_default();
        Err(CliError::Refused(format!("{said}{help}")))
    }
}

/// As a part of a query.
pub(super) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) => char::from(b).to_string(),
            b => format!("%{b:02X}"),
        })
        .collect()
}
