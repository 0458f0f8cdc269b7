//! How types are called in messages to an author.
use super::cx::Cx;
use crate::lang::typed::*;

impl Cx<'_> {
    /// A type with its article, as a policy author would say it.
    pub fn show(&self, ty: &Ty) -> String {
        match ty {
            Ty::Bool => "yes or no".into(),
            Ty::Int => "a whole number".into(),
            Ty::Dec => "a number".into(),
            Ty::Text => "a text".into(),
            Ty::Date => "a date".into(),
            Ty::DateTime => "a date with a time".into(),
            Ty::Period => "a period (days, months)".into(),
            Ty::Duration => "a duration (hours, minutes)".into(),
            Ty::Money => "an amount of money".into(),
            Ty::Unit(u) => {
                format!("an amount of `{}`", self.vocab.units.get(u.ix()).map_or("?", |u| u.name.as_str()))
            }
            Ty::Enum(_) | Ty::Node(_) => format!("a value of `{}`", self.type_name(ty)),
            Ty::Entity(_) => format!("one `{}`", self.type_name(ty)),
            Ty::List(of) => format!("a list of {}", self.plain(of)),
            Ty::Set(of) => format!("a set of {}", self.plain(of)),
            Ty::Opt(of) => format!("{} or absent", self.show(of)),
            Ty::Rate(..) => "a rate (`1 point per 2 CNY`)".into(),
            Ty::Never => "nothing definite".into(),
        }
    }

    /// A type as it is written in a vocabulary.
    pub fn type_name(&self, ty: &Ty) -> String {
        self.vocab.type_name(ty)
    }

    fn plain(&self, ty: &Ty) -> String {
        format!("`{}`", self.type_name(ty))
    }
}

impl Vocab {
    /// A type as it is written in a vocabulary.
    pub fn type_name(&self, ty: &Ty) -> String {
        let named = |n: Option<&str>| n.unwrap_or("?").to_owned();
        match ty {
            Ty::Bool => "bool".into(),
            Ty::Int => "integer".into(),
            Ty::Dec => "decimal".into(),
            Ty::Text => "text".into(),
            Ty::Date => "date".into(),
            Ty::DateTime => "datetime".into(),
            Ty::Period => "period".into(),
            Ty::Duration => "duration".into(),
            Ty::Money => "money".into(),
            Ty::Unit(u) => named(self.units.get(u.ix()).map(|d| d.name.as_str())),
            Ty::Enum(e) => named(self.enums.get(e.ix()).map(|d| d.name.as_str())),
            Ty::Node(t) => named(self.taxonomies.get(t.ix()).map(|d| d.name.as_str())),
            Ty::Entity(e) => named(self.entities.get(e.ix()).map(|d| d.name.as_str())),
            Ty::List(of) => format!("list of {}", self.type_name(of)),
            Ty::Set(of) => format!("set of {}", self.type_name(of)),
            Ty::Opt(of) => format!("{}?", self.type_name(of)),
            Ty::Rate(..) => "rate".into(),
            Ty::Never => "?".into(),
        }
    }
}

/// What to do about a finding where nothing more definite can be said.
pub(super) fn what_to_do(code: &str) -> String {
    let help = match code {
        "E0204" => "rename one of them, or remove it",
        "E0301" => "write a value of that kind",
        "E0303" => {
            "amounts are added to amounts of the same unit, periods (`15 days`) to dates; only plain numbers multiply and \
             divide anything"
        }
        "E0304" => "give each value once, in the order of the declaration or by its name (`name: value`)",
        "E0305" => "order an enum with `<` in the vocabulary, or write `if … then … else …`",
        "E0306" => "write a smaller number",
        "E0330" => "expect a value, or leave it out",
        "E0433" => "name another rule, or remove this",
        _ => return format!("`zhanggui check --explain {code}` shows an example"),
    };
    help.to_owned()
}
