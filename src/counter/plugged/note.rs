//! What stands in a decision's record of a plugin that was asked, and how it is told to people.
use super::RESPONSES_KEPT;
use super::heard::Told;
use crate::plugins::contract::{Answer, Failure};
use crate::program::render::Why;
use crate::records::engine::hex;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

/// A call of a plugin's function, and what the fact was taken to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// `returner_score("M1")`
    pub fact: String,
    /// `vendor.name`
    pub plugin: String,
    /// What ran; empty if nothing did.
    pub version: String,
    /// SHA-256 of what ran, hex.
    pub digest: String,
    pub function: String,
    pub key: String,
    /// Epoch milliseconds; 0 if it was not asked.
    pub now: i64,
    pub today: String,
    pub fuel: u64,
    pub rounds: u32,
    pub log_cut: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Failed>,
    /// What held because it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
    /// What the fact was taken to be, as facts are written; not there if it stayed unknown.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "known")]
    pub value: Option<Json>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responses: Option<Responses>,
    /// The responses, where they are kept.
    #[serde(skip)]
    pub body: Option<String>,
    /// JSON: the lines that it logged, if any. They are beside the record: they may hold what a person said.
    #[serde(skip)]
    pub log: Option<String>,
}

/// Why there is no answer: one of the contract's failures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    pub code: String,
    pub text: String,
}

impl Failed {
    pub(super) fn of(failure: &Failure) -> Failed {
        Failed { code: failure.code().to_owned(), text: failure.to_string() }
    }
}

/// What holds instead of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Held {
    /// The vocabulary's value.
    Value,
    /// Nobody said it: the desk is asked.
    Refer,
    /// `refer`, and this is what the desk said.
    Desk,
    Deny,
}

/// What servers had answered to the plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Responses {
    /// SHA-256 of their JSON, hex.
    pub digest: String,
    /// Of their JSON.
    pub bytes: usize,
    /// Whether they are kept beside the record.
    pub kept: bool,
}

/// `null` is a value here: absent.
mod known {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::Value as Json;

    pub(super) fn serialize<S: Serializer>(value: &Option<Json>, to: S) -> Result<S::Ok, S::Error> {
        value.serialize(to)
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Json>, D::Error> {
        Json::deserialize(from).map(Some)
    }
}

impl Note {
    /// What ran, before it is known what the fact is.
    pub(super) fn of(fact: &str, plugin: &str, function: &str, key: &str, told: Option<&Told>) -> Note {
        let ran = told.map(|t| &t.ran);
        let responses = ran.filter(|r| !r.responses.is_empty()).map(|r| json!(r.responses).to_string());
        let kept = responses.as_ref().is_some_and(|text| text.len() <= RESPONSES_KEPT);
        Note {
            fact: fact.to_owned(),
            plugin: plugin.to_owned(),
            version: ran.map(|r| r.version.clone()).unwrap_or_default(),
            digest: ran.map(|r| r.digest.clone()).unwrap_or_default(),
            function: function.to_owned(),
            key: key.to_owned(),
            now: told.map_or(0, |t| t.now),
            today: told.map(|t| t.today.clone()).unwrap_or_default(),
            fuel: ran.map_or(0, |r| r.fuel),
            rounds: ran.map_or(0, |r| r.rounds),
            log_cut: ran.is_some_and(|r| r.log_cut),
            answer: ran.and_then(|r| r.outcome.clone().ok()),
            failed: ran.and_then(|r| r.outcome.as_ref().err()).map(Failed::of),
            held: None,
            value: None,
            responses: responses.as_ref().map(|text| Responses {
                digest: hex(&Sha256::digest(text.as_bytes())),
                bytes: text.len(),
                kept,
            }),
            body: responses.filter(|_| kept),
            log: ran.filter(|r| !r.log.is_empty()).map(|r| json!(r.log).to_string()),
        }
    }

    /// In (zh, en): which plugin said what, or failed and what held then.
    pub fn words(&self) -> (String, String) {
        let Note { fact, plugin, version, .. } = self;
        let value = self.value.as_ref().map(shown).unwrap_or_default();
        let Some(failed) = &self.failed else {
            return (
                format!("插件 {plugin} {version} 回答:{fact} = {value}"),
                format!("plugin {plugin} {version} says: {fact} = {value}"),
            );
        };
        let (zh, en) = match self.held {
            Some(Held::Value) | None => {
                (format!("按词汇表的约定取 {value}"), format!("the vocabulary's `on failure` holds: {value}"))
            }
            Some(Held::Refer) => ("请柜台人员填写".to_owned(), "the desk is asked".to_owned()),
            Some(Held::Desk) => (format!("采用柜台填写的 {value}"), format!("the desk said: {value}")),
            Some(Held::Deny) => ("按约定不予办理".to_owned(), "the question is refused".to_owned()),
        };
        (
            format!("插件 {plugin} 没有回答 {fact}({}):{zh}", in_chinese(&failed.code)),
            format!("plugin {plugin} has no answer for {fact} ({}: {}); {en}", failed.code, failed.text),
        )
    }

    /// Why the desk is asked for the fact.
    pub(super) fn why(&self) -> Option<Why> {
        let failed = self.failed.as_ref().filter(|_| self.held == Some(Held::Refer))?;
        Some(Why {
            path: self.fact.clone(),
            zh: format!("插件 {} 没有回答:{}", self.plugin, in_chinese(&failed.code)),
            en: format!("plugin {} has no answer: {}", self.plugin, failed.text),
        })
    }
}

/// A value as facts are written, in a sentence.
fn shown(value: &Json) -> String {
    match value {
        Json::Null => "absent".to_owned(),
        Json::String(text) => text.clone(),
        Json::Object(money) => {
            let part = |name: &str| money.get(name).and_then(Json::as_str).unwrap_or_default();
            format!("{} {}", part("amount"), part("currency"))
        }
        other => other.to_string(),
    }
}

fn in_chinese(code: &str) -> &'static str {
    match code {
        "not-installed" => "没有安装",
        "invalid-input" => "它不接受这样的询问",
        "unavailable" => "它背后的服务不可用",
        "unsupported" => "它没有这项功能",
        "internal" => "它自身出错",
        "deadline" => "超时",
        "out-of-fuel" => "计算量超限",
        "out-of-memory" => "内存超限",
        "stack-overflow" => "栈溢出",
        "trapped" => "运行出错",
        "output-too-large" => "输出过大",
        "wrong-answer" => "回答不合规格",
        "too-many-rounds" => "询问轮次过多",
        "too-many-calls" => "询问次数过多",
        "not-granted" => "所需的权限没有授予",
        "busy" => "繁忙",
        "out-of-time" => "来不及询问",
        "resting" => "连续失败,暂停使用",
        _ => "原因不明",
    }
}

/// The notes of a record.
pub fn notes_of(json: Option<&str>) -> Vec<Note> {
    json.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// An explanation with what plugins said: `"plugins": [{"fact", "text": {"zh", "en"}}]` at its end.
pub fn explained(mut explanation: String, notes: &[Note]) -> String {
    if notes.is_empty() || explanation.pop() != Some('}') {
        return explanation;
    }
    let told = notes.iter().map(|note| {
        let (zh, en) = note.words();
        json!({ "fact": note.fact, "text": { "zh": zh, "en": en } })
    });
    explanation.push_str(",\"plugins\":");
    explanation.push_str(&Json::Array(told.collect()).to_string());
    explanation.push('}');
    explanation
}
