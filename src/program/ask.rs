//! Questions for facts that are missing, in the vocabulary's words, with the answers there are.
use crate::lang::typed::*;
use crate::program::json;

/// One answer to a question about a closed type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What to write in the facts: a member's name, `true`, `false`, or nothing for absent.
    pub value: ChoiceValue,
    pub zh: String,
    pub en: String,
}

/// What to write in the facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChoiceValue {
    Bool(bool),
    Name(String),
    Absent,
}

/// What to ask for a missing fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub zh: String,
    pub en: String,
    /// Empty for open types.
    pub options: Vec<Choice>,
}

/// What a path leads to, said in both languages.
#[derive(Debug, Clone)]
struct Named {
    zh: String,
    en: String,
    ty: Option<Ty>,
}

/// The question for a fact's path, `item.season`, `lines[0].paid`, `member_spend(2026)`.
///
/// English labels are phrases of any form ("fit to be sold again"), so the question names the thing and then asks the
/// phrase, instead of bending it into a sentence.
pub fn question(vocab: &Vocab, path: &str) -> Question {
    let Named { zh, en, ty } = named(vocab, path);
    let (ty, en) = (ty.as_ref(), capital(&en));
    let (zh, en) = match ty.map(Ty::inner) {
        Some(Ty::Bool) => (format!("{zh}:是还是否?"), format!("{en}? (yes or no)")),
        Some(Ty::List(_) | Ty::Set(_)) => (format!("请列出:{zh}"), format!("{en}? (list them)")),
        Some(Ty::Enum(_) | Ty::Node(_)) => (format!("{zh}是哪一种?"), format!("{en}?")),
        Some(Ty::Date) => (format!("{zh}是哪一天?"), format!("{en}? (a date)")),
        _ => (format!("请提供:{zh}"), format!("{en}?")),
    };
    Question { zh, en, options: ty.map(|ty| choices(vocab, ty)).unwrap_or_default() }
}

/// The fact in words, "item: season", in (zh, en).
pub fn in_words(vocab: &Vocab, path: &str) -> (String, String) {
    let Named { zh, en, .. } = named(vocab, path);
    (zh, en)
}

fn named(vocab: &Vocab, path: &str) -> Named {
    if let Some((name, rest)) = path.split_once('(') {
        let args = rest.strip_suffix(')').unwrap_or(rest);
        let Some(def) = vocab.fact_calls.iter().find(|f| f.name == name) else { return bare(path) };
        let (zh, en) = (def.label.zh(name), json::english(&def.label, name));
        return Named { zh: format!("{zh}({args})"), en: format!("{en} ({args})"), ty: Some(def.ty.clone()) };
    }
    let mut parts = path.split('.');
    let Some((name, rows)) = parts.next().map(indexed) else { return bare(path) };
    let Some(root) = vocab.roots.iter().find(|r| r.name == name) else { return bare(path) };
    let en = json::english(&root.label, name);
    let mut at = Named { zh: root.label.zh(name).to_owned(), en, ty: Some(root.ty.clone()) };
    at = into_rows(at, &rows);
    for part in parts {
        let (name, rows) = indexed(part);
        let field = match at.ty.as_ref().map(Ty::inner) {
            Some(Ty::Entity(id)) => {
                vocab.entities.get(id.ix()).and_then(|e| e.fields.iter().find(|f| f.name == name))
            }
            _ => None,
        };
        let Some(field) = field else { return bare(path) };
        let (zh, en) = (field.label.zh(name), json::english(&field.label, name));
        let en = format!("{}: {en}", at.en);
        at = into_rows(Named { zh: format!("{}的{zh}", at.zh), en, ty: Some(field.ty.clone()) }, &rows);
    }
    at
}

fn bare(path: &str) -> Named {
    Named { zh: path.to_owned(), en: path.to_owned(), ty: None }
}

/// Rows count from 1 for people.
fn into_rows(mut at: Named, rows: &[u32]) -> Named {
    for row in rows {
        let ty = match at.ty.as_ref().map(Ty::inner) {
            Some(Ty::List(of) | Ty::Set(of)) => Some((**of).clone()),
            _ => None,
        };
        let nth = row.saturating_add(1);
        at = Named { zh: format!("{}第{nth}行", at.zh), en: format!("{}, row {nth}", at.en), ty };
    }
    at
}

/// `lines[0]` as (`lines`, [0]).
fn indexed(part: &str) -> (&str, Vec<u32>) {
    let mut pieces = part.split('[');
    let name = pieces.next().unwrap_or(part);
    let rows = pieces.filter_map(|p| p.strip_suffix(']')?.parse().ok()).collect();
    (name, rows)
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn choices(vocab: &Vocab, ty: &Ty) -> Vec<Choice> {
    let named = |name: &str, label: &Label| Choice {
        value: ChoiceValue::Name(name.to_owned()),
        zh: label.zh(name).to_owned(),
        en: json::english(label, name),
    };
    let fixed = |value, zh: &str, en: &str| Choice { value, zh: zh.into(), en: en.into() };
    let mut choices: Vec<Choice> = match ty.inner() {
        Ty::Bool => {
            vec![fixed(ChoiceValue::Bool(true), "是", "yes"), fixed(ChoiceValue::Bool(false), "否", "no")]
        }
        Ty::Enum(id) => vocab
            .enums
            .get(id.ix())
            .map(|def| def.members.iter().map(|m| named(&m.name, &m.label)).collect())
            .unwrap_or_default(),
        Ty::Node(id) => vocab
            .taxonomies
            .get(id.ix())
            .map(|def| {
                // A group is no answer: the rows below it may differ.
                let is_group = |at: usize| def.nodes.iter().any(|n| n.parent == Some(at as u32));
                let leaves = def.nodes.iter().enumerate().filter(|(at, _)| !is_group(*at));
                leaves.map(|(_, n)| named(&n.name, &n.label)).collect()
            })
            .unwrap_or_default(),
        _ => Vec::new(),
    };
    if ty.is_optional() && !choices.is_empty() {
        choices.push(fixed(ChoiceValue::Absent, "无", "none"));
    }
    choices
}

/// `{"fact","ask":{"zh","en"},"options":[{"value","zh","en"}]}`; `why`, in (zh, en), is said with the question.
pub(crate) fn write(out: &mut String, vocab: &Vocab, path: &str, why: Option<(&str, &str)>) {
    let mut question = question(vocab, path);
    if let Some((zh, en)) = why {
        question.zh.push_str(&format!("({zh})"));
        question.en.push_str(&format!(" ({en})"));
    }
    out.push_str("{\"fact\":");
    json::string(out, path);
    out.push_str(",\"ask\":");
    json::both(out, &question.zh, &question.en);
    out.push_str(",\"options\":");
    json::list(out, &question.options, |out, choice| {
        out.push_str("{\"value\":");
        match &choice.value {
            ChoiceValue::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            ChoiceValue::Name(name) => json::string(out, name),
            ChoiceValue::Absent => out.push_str("null"),
        }
        out.push_str(",\"zh\":");
        json::string(out, &choice.zh);
        out.push_str(",\"en\":");
        json::string(out, &choice.en);
        out.push('}');
    });
    out.push('}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn vocab() -> Vocab {
        let label = |zh: &str| Label { zh: Some(zh.into()), en: None };
        let field =
            |name: &str, zh: &str, ty: Ty| FieldDef { name: name.into(), ty, bounds: None, label: label(zh) };
        let root = |name: &str, zh: &str, ty: Ty| RootDef {
            name: name.into(),
            ty,
            bounds: None,
            label: label(zh),
            source: Source::Request,
        };
        let member = |name: &str, zh: &str| Member { name: name.into(), label: label(zh) };
        Vocab {
            enums: vec![EnumDef {
                name: "season".into(),
                label: label("季节"),
                ordered: false,
                members: vec![member("spring", "春"), member("summer", "夏")],
            }],
            entities: vec![EntityDef {
                name: "item".into(),
                label: label("商品"),
                record: false,
                fields: vec![
                    field("season", "季节", Ty::Enum(EnumId(0)).optional()),
                    field("as_sold", "保持原样", Ty::Bool),
                    field("paid", "实付", Ty::Money),
                ],
            }],
            roots: vec![
                root("item", "商品", Ty::Entity(EntityId(0))),
                root("lines", "商品行", Ty::List(Arc::new(Ty::Entity(EntityId(0))))),
            ],
            fact_calls: vec![FactCallDef {
                name: "member_spend".into(),
                params: vec![("year".into(), Ty::Int)],
                ty: Ty::Money,
                bounds: None,
                label: label("会员年度消费"),
                source: Source::Records,
            }],
            ..Vocab::default()
        }
    }

    #[test]
    fn questions_are_sentences_with_their_answers() {
        let vocab = vocab();
        let ask = |path: &str| {
            let q = question(&vocab, path);
            (q.zh, q.en, q.options.len())
        };
        let said = |zh: &str, en: &str, n: usize| (zh.to_owned(), en.to_owned(), n);
        assert_eq!(ask("item.season"), said("商品的季节是哪一种?", "Item: season?", 3));
        assert_eq!(ask("item.as_sold"), said("商品的保持原样:是还是否?", "Item: as sold? (yes or no)", 2));
        assert_eq!(ask("lines[0].paid"), said("请提供:商品行第1行的实付", "Lines, row 1: paid?", 0));
        assert_eq!(ask("lines"), said("请列出:商品行", "Lines? (list them)", 0));
        assert_eq!(ask("member_spend(2026)"), said("请提供:会员年度消费(2026)", "Member spend (2026)?", 0));
        assert_eq!(ask("nothing.known[9]"), said("请提供:nothing.known[9]", "Nothing.known[9]?", 0));
    }

    #[test]
    fn options_are_what_facts_accept() {
        let mut out = String::new();
        write(&mut out, &vocab(), "item.season", None);
        assert_eq!(
            out,
            concat!(
                r#"{"fact":"item.season","ask":{"zh":"商品的季节是哪一种?","en":"Item: season?"},"#,
                r#""options":[{"value":"spring","zh":"春","en":"spring"},{"value":"summer","zh":"夏","en":"summer"},"#,
                r#"{"value":null,"zh":"无","en":"none"}]}"#
            )
        );
    }
}
