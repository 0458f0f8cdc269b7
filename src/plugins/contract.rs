//! The contract's words in Rust, free of any one version of `plugins/wit`: what the host, the runner, the cases of a
//! package and the decision's record speak of. Each version's bindings are converted to and from these.
use serde::{Deserialize, Serialize};

/// The points where a plugin is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hook {
    /// Answers facts that a vocabulary declares `from plugin`.
    Facts,
    /// Allows, denies, or refers to a manager.
    Check,
    /// Prices a service.
    Quote,
    /// Takes an event out of the house.
    Notify,
}

impl Hook {
    pub const ALL: [Hook; 4] = [Hook::Facts, Hook::Check, Hook::Quote, Hook::Notify];
    /// The hook's name in manifests and in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Hook::Facts => "facts",
            Hook::Check => "check",
            Hook::Quote => "quote",
            Hook::Notify => "notify",
        }
    }
}

/// An amount in the currency's minor units.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Minor units.
    pub minor: i64,
    /// ISO 4217.
    pub currency: String,
}

/// An amount of a unit of the vocabulary.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quantity {
    /// A decimal in plain digits.
    pub amount: String,
    pub unit: String,
}

/// One value of the policy language, as `types.value` of the contract has it. In JSON: `"absent"`, `{"whole": 3}`,
/// `{"money": {"minor": 1250, "currency": "CNY"}}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    Absent,
    Truth(bool),
    Whole(i64),
    Decimal(String),
    Money(Money),
    Quantity(Quantity),
    Text(String),
    Word(String),
    Date(String),
    Instant(String),
    Period(String),
    /// Seconds.
    Duration(i64),
    /// JSON text of what the version has no word for.
    Other(String),
}

/// A value with its place.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    pub path: String,
    pub value: Value,
}

/// A list of facts; each row's fields have paths relative to the row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    pub path: String,
    pub rows: Vec<Vec<Field>>,
}

/// What the host asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The same for every repetition of the same question.
    pub key: String,
    /// One of the plugin's functions, or an event.
    pub function: String,
    pub store: String,
    /// Epoch milliseconds.
    pub now: i64,
    /// ISO 8601.
    pub today: String,
    #[serde(default)]
    pub seed: u64,
    #[serde(default)]
    pub arguments: Vec<Field>,
    #[serde(default)]
    pub facts: Vec<Field>,
    #[serde(default)]
    pub tables: Vec<Table>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Field>,
}

/// A request for the host to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpRequest {
    /// Names the response.
    pub name: String,
    pub method: String,
    pub url: String,
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    #[serde(default, with = "body", skip_serializing_if = "Vec::is_empty")]
    pub body: Vec<u8>,
    /// Milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u32>,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<u32>,
}

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpAnswer {
    pub status: u16,
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    #[serde(default, with = "body", skip_serializing_if = "Vec::is_empty")]
    pub body: Vec<u8>,
}

/// Why there is no answer of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HttpFailure {
    Denied(String),
    TimedOut,
    Unreachable(String),
    TooLarge,
    Resting,
    Other(String),
}

/// The response to the request of this name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpResponse {
    pub name: String,
    pub outcome: Result<HttpAnswer, HttpFailure>,
}

/// For a person: why something is denied or referred.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    pub code: String,
    pub text: String,
}

/// A price for a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quotation {
    pub price: Money,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Field>,
}

/// What a plugin says at last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// `facts`
    Value(Value),
    /// `check`
    Allow,
    /// `check`
    Deny(Vec<Reason>),
    /// `check`
    Refer(Vec<Reason>),
    /// `quote`
    Quoted(Quotation),
    /// `quote`
    Declined(Reason),
    /// `notify`
    Delivered,
    /// `notify`: seconds to wait at least.
    RetryLater(Option<u32>),
    /// `notify`: will never work.
    Rejected(String),
}

/// Why there is no answer; each has a stable name for records, metrics and problem details.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    #[error("no plugin of this name is active here")]
    NotInstalled,
    #[error("the call makes no sense to the plugin: {0}")]
    InvalidInput(String),
    #[error("a service behind the plugin is away: {0}")]
    Unavailable(String),
    #[error("the plugin does not know this: {0}")]
    Unsupported(String),
    #[error("the plugin reports a fault of its own: {0}")]
    Internal(String),
    /// An `other` case of a later contract.
    #[error("the plugin said what this host does not understand: {0}")]
    Unknown(String),
    #[error("it ran longer than {0} ms")]
    Deadline(u64),
    #[error("it used up its {0} units of fuel")]
    OutOfFuel(u64),
    #[error("it wanted more than {0} bytes of memory")]
    OutOfMemory(u64),
    #[error("its stack overflowed")]
    StackOverflow,
    #[error("it stopped in a fault: {0}")]
    Trapped(String),
    #[error("its output is larger than {0} bytes")]
    OutputTooLarge(u64),
    #[error("its answer does not fit: {0}")]
    WrongAnswer(String),
    #[error("it asked for more after {0} rounds")]
    TooManyRounds(u32),
    #[error("a request that it needs was not granted: {0}")]
    NotGranted(String),
    #[error("all of its places are taken")]
    Busy,
    #[error("it rests after many failures")]
    Resting,
    /// Whoever asks has to answer somebody else.
    #[error("there was no time left for it")]
    OutOfTime,
}

impl Failure {
    /// The stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Failure::NotInstalled => "not-installed",
            Failure::InvalidInput(_) => "invalid-input",
            Failure::Unavailable(_) => "unavailable",
            Failure::Unsupported(_) => "unsupported",
            Failure::Internal(_) => "internal",
            Failure::Unknown(_) => "unknown",
            Failure::Deadline(_) => "deadline",
            Failure::OutOfFuel(_) => "out-of-fuel",
            Failure::OutOfMemory(_) => "out-of-memory",
            Failure::StackOverflow => "stack-overflow",
            Failure::Trapped(_) => "trapped",
            Failure::OutputTooLarge(_) => "output-too-large",
            Failure::WrongAnswer(_) => "wrong-answer",
            Failure::TooManyRounds(_) => "too-many-rounds",
            Failure::NotGranted(_) => "not-granted",
            Failure::Busy => "busy",
            Failure::Resting => "resting",
            Failure::OutOfTime => "out-of-time",
        }
    }
}

/// One line that a plugin logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// `debug`, `info`, `warn` or `error`.
    pub level: String,
    pub message: String,
}

/// What a call came to and what it cost; its serialised form stands in the decision's record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ran {
    pub outcome: Result<Answer, Failure>,
    /// `vendor.name`.
    pub plugin: String,
    pub version: String,
    /// SHA-256 of `plugin.wasm`, hex.
    pub digest: String,
    /// Units of fuel over all phases.
    pub fuel: u64,
    /// Rounds of requests that were made.
    pub rounds: u32,
    /// Peak of linear memory, bytes.
    pub memory: u64,
    /// Whether lines of the log were cut.
    pub log_cut: bool,
    pub log: Vec<LogLine>,
    /// The responses that the plugin read, in order; with the call they run it again.
    pub responses: Vec<HttpResponse>,
}

impl Ran {
    /// A call that came to nothing before any version of the plugin ran.
    pub fn failed(plugin: &str, failure: Failure) -> Ran {
        Ran {
            outcome: Err(failure),
            plugin: plugin.to_owned(),
            version: String::new(),
            digest: String::new(),
            fuel: 0,
            rounds: 0,
            memory: 0,
            log_cut: false,
            log: Vec::new(),
            responses: Vec::new(),
        }
    }
}

/// Bodies in JSON: text where they are UTF-8, `{"base64": …}` where not.
mod body {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Body {
        Text(String),
        Bytes { base64: String },
    }

    pub fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Body::Text(text.to_owned()),
            Err(_) => Body::Bytes { base64: STANDARD.encode(bytes) },
        }
        .serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        match Body::deserialize(from)? {
            Body::Text(text) => Ok(text.into_bytes()),
            Body::Bytes { base64 } => STANDARD.decode(base64).map_err(serde::de::Error::custom),
        }
    }
}
