//! From the name of a missing fact, `score("M1", 2026-07-01)`, back to the fact and its arguments.
use crate::lang::typed::*;
use crate::program::iso::{parse_date, parse_datetime};
use crate::program::literal::call_path;
use crate::program::turns::Lacking;
use crate::program::value::Value;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Zero;
use std::sync::Arc;

/// A fact that a plugin answers.
#[derive(Clone, Debug)]
pub(super) enum Fact<'v> {
    Root(&'v RootDef),
    Call(&'v FactCallDef),
}

impl<'v> Fact<'v> {
    /// The fact that a path names, if a plugin answers it.
    pub(super) fn at(vocab: &'v Vocab, path: &str) -> Option<(Fact<'v>, &'v Arc<PluginSource>)> {
        if let Some((name, _)) = path.split_once('(') {
            let def = vocab.fact_calls.iter().find(|f| f.name == name)?;
            return Some((Fact::Call(def), def.source.plugin()?));
        }
        let def = vocab.roots.iter().find(|r| r.name == path)?;
        Some((Fact::Root(def), def.source.plugin()?))
    }
    /// A fact that is missing, if a plugin answers it.
    pub(super) fn of(vocab: &'v Vocab, lacking: &Lacking) -> Option<Fact<'v>> {
        match lacking {
            Lacking::Root(root) => {
                vocab.roots.get(root.ix()).filter(|r| r.source.plugin().is_some()).map(Fact::Root)
            }
            Lacking::Call(fact, _) => {
                vocab.fact_calls.get(fact.ix()).filter(|f| f.source.plugin().is_some()).map(Fact::Call)
            }
        }
    }
    pub(super) fn name(&self) -> &'v str {
        match self {
            Fact::Root(def) => &def.name,
            Fact::Call(def) => &def.name,
        }
    }
    pub(super) fn ty(&self) -> &'v Ty {
        match self {
            Fact::Root(def) => &def.ty,
            Fact::Call(def) => &def.ty,
        }
    }
    pub(super) fn params(&self) -> &'v [(String, Ty)] {
        match self {
            Fact::Root(_) => &[],
            Fact::Call(def) => &def.params,
        }
    }

    /// The arguments that a path names; none if they can be read in no way or in two. Quotation marks within a text are
    /// not marked in a path, so that texts may be made to look like two arguments: such a call is not made.
    pub(super) fn arguments(&self, vocab: &Vocab, path: &str) -> Option<Vec<Value>> {
        let Fact::Call(def) = self else { return Some(Vec::new()) };
        let id = vocab.fact_calls.iter().position(|f| f.name == def.name)?;
        let inside = path.strip_prefix(&def.name)?.strip_prefix('(')?.strip_suffix(')')?;
        let mut found = Vec::new();
        readings(vocab, &def.params, inside, &mut Vec::new(), &mut found);
        let [only] = found.as_slice() else { return None };
        (call_path(vocab, FactCallId(id as u32), only) == path).then(|| only.clone())
    }
}

/// Every way to read the rest of a list of arguments, up to two of them.
fn readings(
    vocab: &Vocab,
    params: &[(String, Ty)],
    rest: &str,
    read: &mut Vec<Value>,
    found: &mut Vec<Vec<Value>>,
) {
    let Some(((_, ty), others)) = params.split_first() else {
        if rest.is_empty() {
            found.push(read.clone());
        }
        return;
    };
    let ends = rest.match_indices(", ").map(|(at, sign)| (at, at + sign.len()));
    let ends: Vec<(usize, usize)> =
        if others.is_empty() { vec![(rest.len(), rest.len())] } else { ends.collect() };
    for (end, next) in ends {
        if found.len() > 1 {
            return;
        }
        let (Some(text), Some(after)) = (rest.get(..end), rest.get(next..)) else { continue };
        if let Some(value) = value(vocab, ty, text) {
            read.push(value);
            readings(vocab, others, after, read, found);
            read.pop();
        }
    }
}

/// A value as `literal` writes it.
fn value(vocab: &Vocab, ty: &Ty, text: &str) -> Option<Value> {
    if text == "absent" && ty.is_optional() {
        return Some(Value::Absent);
    }
    let counted = |text: &str| -> Option<(i64, String)> {
        let (n, unit) = text.split_once(' ')?;
        Some((n.parse().ok()?, unit.to_owned()))
    };
    Some(match ty.inner() {
        Ty::Bool => Value::Bool(match text {
            "yes" => true,
            "no" => false,
            _ => return None,
        }),
        Ty::Int | Ty::Dec => Value::Num(number(text)?),
        Ty::Unit(id) => {
            let (n, unit) = text.split_once(' ')?;
            if vocab.units.get(id.ix())?.name != unit {
                return None;
            }
            Value::Num(number(n)?)
        }
        Ty::Money => {
            let (n, code) = text.split_once(' ')?;
            let currency = vocab.currencies.iter().position(|c| c.code == code)?;
            Value::Money(number(n)?, CurrencyId(currency as u32))
        }
        Ty::Text => Value::Text(text.strip_prefix('"')?.strip_suffix('"')?.into()),
        Ty::Enum(id) => {
            let def = vocab.enums.get(id.ix())?;
            Value::Enum(def.members.iter().position(|m| m.name == text)? as u32)
        }
        Ty::Node(id) => {
            let def = vocab.taxonomies.get(id.ix())?;
            Value::Node(def.nodes.iter().position(|n| n.name == text)? as u32)
        }
        Ty::Date => Value::Date(parse_date(text)?),
        Ty::DateTime => Value::DateTime(parse_datetime(text)?),
        Ty::Period => match counted(text)? {
            (n, unit) if unit.starts_with("day") => Value::Period(Period::Days(n)),
            (n, _) => Value::Period(Period::Months(n)),
        },
        Ty::Duration => {
            let (n, unit) = counted(text)?;
            let seconds = match unit.trim_end_matches('s') {
                "hour" => 3600,
                "minute" => 60,
                _ => 1,
            };
            Value::Duration(n.checked_mul(seconds)?)
        }
        _ => return None,
    })
}

/// `-3`, `0.25`, `1/3`.
fn number(text: &str) -> Option<BigRational> {
    let whole = |text: &str| text.parse::<BigInt>().ok();
    if let Some((top, bottom)) = text.split_once('/') {
        let bottom = whole(bottom).filter(|b| !b.is_zero())?;
        return Some(BigRational::new(whole(top)?, bottom));
    }
    let Some((integer, decimals)) = text.split_once('.') else {
        return whole(text).map(BigRational::from_integer);
    };
    let digits = whole(&format!("{integer}{decimals}"))?;
    Some(BigRational::new(digits, BigInt::from(10u32).pow(u32::try_from(decimals.len()).ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(params: Vec<Ty>) -> Vocab {
        Vocab {
            currencies: vec![CurrencyDef {
                code: "CNY".into(),
                step: BigRational::new(1.into(), 100.into()),
            }],
            enums: vec![EnumDef {
                name: "tier".into(),
                label: Label::default(),
                ordered: false,
                members: vec![Member { name: "gold".into(), label: Label::default() }],
            }],
            fact_calls: vec![FactCallDef {
                name: "f".into(),
                params: params.into_iter().enumerate().map(|(i, ty)| (format!("p{i}"), ty)).collect(),
                ty: Ty::Int,
                bounds: None,
                label: Label::default(),
                source: Source::Plugin(Arc::new(PluginSource {
                    plugin: "a.b".into(),
                    function: "c".into(),
                    reads: Vec::new(),
                    on_failure: OnFailure::Refer,
                    span: Default::default(),
                })),
            }],
            ..Vocab::default()
        }
    }

    fn read(vocab: &Vocab, path: &str) -> Option<Vec<Value>> {
        Fact::at(vocab, path)?.0.arguments(vocab, path)
    }

    #[test]
    fn arguments_are_read_back() {
        let tys = vec![
            Ty::Text,
            Ty::Money,
            Ty::Enum(EnumId(0)),
            Ty::Date,
            Ty::Dec,
            Ty::Bool.optional(),
            Ty::Period,
            Ty::Duration,
            Ty::DateTime,
        ];
        let vocab = fact(tys);
        let half = BigRational::new((-1).into(), 2.into());
        let values = vec![
            Value::Text("a, b".into()),
            Value::Money(BigRational::new(1251.into(), 100.into()), CurrencyId(0)),
            Value::Enum(0),
            Value::Date(20_000),
            Value::Num(half),
            Value::Absent,
            Value::Period(Period::Months(1)),
            Value::Duration(5_400),
            Value::DateTime(1_000_001),
        ];
        let path = call_path(&vocab, FactCallId(0), &values);
        assert_eq!(read(&vocab, &path), Some(values), "{path}");
    }

    #[test]
    fn what_reads_in_two_ways_is_not_read() {
        let two = fact(vec![Ty::Text, Ty::Text]);
        let texts = |a: &str, b: &str| vec![Value::Text(a.into()), Value::Text(b.into())];
        assert_eq!(read(&two, r#"f("a", "b")"#), Some(texts("a", "b")));
        let crafted = call_path(&two, FactCallId(0), &texts(r#"a", "b"#, "c"));
        assert_eq!(read(&two, &crafted), None, "{crafted}");
        let one = fact(vec![Ty::Text]);
        let quoted = vec![Value::Text(r#"a", "b"#.into())];
        assert_eq!(read(&one, &call_path(&one, FactCallId(0), &quoted)), Some(quoted));
    }
}
