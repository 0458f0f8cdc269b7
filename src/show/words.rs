//! How the language's words are said at a meeting, and lines of a given width.
use crate::lang::source::SourceMap;
use crate::lang::typed::*;
use crate::program::literal::date;
use crate::show::source::written;
use crate::show::{Asides, Does, RuleRef, SetAside, Words};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The language of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    Zh,
    En,
}

impl Lang {
    /// One of two texts.
    pub(super) fn pick<'t>(self, zh: &'t str, en: &'t str) -> &'t str {
        match self {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }
    pub(super) fn of(self, words: &Words) -> &str {
        self.pick(&words.zh, &words.en)
    }
    /// What parts the items of a list.
    pub(super) fn comma(self) -> &'static str {
        self.pick("、", ", ")
    }
}

impl Words {
    pub(super) fn new(zh: impl Into<String>, en: impl Into<String>) -> Words {
        Words { zh: zh.into(), en: en.into() }
    }
    pub(super) fn of(label: &Label, name: &str) -> Words {
        Words::new(label.zh(name), label.en(name))
    }
}

/// How contributions combine.
pub(super) fn combines(vocab: &Vocab, def: &OutputDef) -> Words {
    let order = match def.ty.inner() {
        Ty::Enum(id) => vocab.enums.get(id.ix()).map(|e| {
            let names: Vec<&str> = e.members.iter().map(|m| m.name.as_str()).collect();
            names.join(" < ")
        }),
        _ => None,
    };
    let dates = matches!(def.ty.inner(), Ty::Date | Ty::DateTime);
    let with = |zh: &str, en: &str| match &order {
        Some(order) => Words::new(format!("{zh}({order})"), format!("{en} ({order})")),
        None => Words::new(zh, en),
    };
    match def.mode {
        Mode::One => Words::new("各规则须一致", "rules that speak must agree"),
        Mode::Max if dates => Words::new("取最晚", "the latest counts"),
        Mode::Min if dates => Words::new("取最早", "the earliest counts"),
        Mode::Max => with("取最大", "the greatest counts"),
        Mode::Min => with("取最小", "the least counts"),
        Mode::Sum => Words::new("相加", "everything is added up"),
        Mode::All => Words::new("合并为集合", "everything is collected, each value once"),
        Mode::Each => Words::new("逐条列出", "every entry is listed"),
    }
}

/// The mode's own word.
pub(super) fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::One => "one",
        Mode::Max => "max",
        Mode::Min => "min",
        Mode::Sum => "sum",
        Mode::All => "all",
        Mode::Each => "each",
    }
}

/// What stands if no rule speaks.
pub(super) fn fallback(sources: &SourceMap, def: &OutputDef) -> Words {
    match (&def.fallback, def.mode) {
        (Fallback::Else(e), _) => {
            let text = written(sources, e.span);
            Words::new(format!("无规则时为 {text}"), format!("if no rule speaks: {text}"))
        }
        (Fallback::Absent, _) => Words::new("无规则时为无", "if no rule speaks: nothing (absent)"),
        (Fallback::Empty, Mode::Sum) => Words::new("无规则时为 0", "if no rule speaks: 0"),
        (Fallback::Empty, Mode::Each) => Words::new("无规则时为空列表", "if no rule speaks: an empty list"),
        (Fallback::Empty, _) => Words::new("无规则时为空集", "if no rule speaks: an empty set"),
    }
}

/// `→ deny`, `adds {refund}`, `at least 2026-07-08`.
pub(super) fn does(lang: Lang, does: Does, value: &str) -> String {
    match does {
        Does::Sets => format!("→ {value}"),
        Does::Adds => format!("{} {value}", lang.pick("+ 加入", "+ adds")),
        Does::Removes => format!("{} {value}", lang.pick("− 去掉", "− takes out")),
        Does::AtLeast => format!("{} {value}", lang.pick("≥ 不低于", "≥ at least")),
        Does::AtMost => format!("{} {value}", lang.pick("≤ 不高于", "≤ at most")),
    }
}

/// `§6.2 no_receipt`
pub(super) fn cited(rule: &RuleRef) -> String {
    match &rule.clause {
        Some(clause) => format!("{} {}", clause_of(clause), rule.name),
        None => rule.name.clone(),
    }
}

/// A clause with its sign, which stands once.
pub(super) fn clause_of(clause: &str) -> String {
    format!("§{}", clause.trim_start_matches('§'))
}

/// `from 2026-05-01 through 2026-05-05`; none: always.
pub(super) fn dates(range: DateRange) -> Option<String> {
    let from = range.from.map(|d| format!("from {}", date(d)));
    let through = range.before.map(|d| format!("through {}", date(d.saturating_sub(1))));
    match (from, through) {
        (Some(a), Some(b)) => Some(format!("{a} {b}")),
        (a, b) => a.or(b),
    }
}

/// `chain jiajie`
pub(super) fn layer(policy: &Policy) -> String {
    match &policy.layer.name {
        Some(name) => format!("{} {name}", policy.layer.kind),
        None => policy.layer.kind.clone(),
    }
}

/// What a binding rule sets aside, in a sentence.
pub(super) fn aside(lang: Lang, a: &SetAside) -> String {
    let list = |rules: &[RuleRef]| rules.iter().map(cited).collect::<Vec<_>>().join(lang.comma());
    let (rules, by) = (list(&a.rules), list(&a.by));
    let layer = a.by.first().map_or("", |r| r.layer.as_str());
    match lang {
        Lang::Zh => {
            let what = match a.what {
                Asides::Contribution => "的结论",
                Asides::Removal => "的去除",
                Asides::Limit => "的限度",
                Asides::Override => "的优先",
            };
            let kinder = if a.unless_kinder { "(更优待的除外)" } else { "" };
            format!("约束性 {by} ({layer}) 成立时,不采用 {rules} {what}{kinder}")
        }
        Lang::En => {
            let what = match a.what {
                Asides::Contribution => "another answer",
                Asides::Removal => "a removal",
                Asides::Limit => "an opposed limit",
                Asides::Override => "precedence",
            };
            let kinder = if a.unless_kinder { " unless it is kinder" } else { "" };
            format!("the binding {by} ({layer}), where it holds, sets aside {what} by {rules}{kinder}")
        }
    }
}

/// How many columns a text takes; a Han character takes two.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// A text in lines of at most so many columns, broken at blanks, or between Han characters, or anywhere if need be.
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for piece in pieces(text) {
        if width(&line) + width(piece.trim_end()) > columns && !line.is_empty() {
            lines.push(line.trim_end().to_owned());
            line.clear();
        }
        for c in piece.chars() {
            if width(&line) + c.width().unwrap_or(0) > columns && c != ' ' && !line.is_empty() {
                lines.push(line.trim_end().to_owned());
                line.clear();
            }
            line.push(c);
        }
    }
    if !line.trim_end().is_empty() || lines.is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// What is not broken: words with the blank after them, and single Han characters.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut from = 0;
    let mut last: Option<char> = None;
    for (at, c) in text.char_indices() {
        let wide = |c: char| c.width() == Some(2);
        // Closing marks stay with what they close.
        let closes = matches!(c, ',' | '。' | ';' | ')' | '、' | '」' | '』' | ':' | '》');
        if let Some(before) = last
            && at > from
            && ((before == ' ' && c != ' ')
                || ((wide(before) || wide(c)) && !closes && c != ' ' && before != '§'))
        {
            pieces.extend(text.get(from..at));
            from = at;
        }
        last = Some(c);
    }
    pieces.extend(text.get(from..).filter(|rest| !rest.is_empty()));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_where_people_break_them() {
        assert_eq!(wrap("a bc def", 4), ["a bc", "def"]);
        assert_eq!(wrap("无小票的,不予退换", 8), ["无小票", "的,不予", "退换"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("", 3), [""]);
        for text in ["when item.category in {underwear, fur} and x", "单价在2000元以上商品售出后,无质量问题"]
        {
            for columns in 6..40 {
                let lines = wrap(text, columns);
                assert!(lines.iter().all(|l| width(l) <= columns || l.chars().count() == 1), "{lines:?}");
                let (all, same): (String, String) =
                    (lines.concat().split(' ').collect(), text.split(' ').collect());
                assert_eq!(all, same);
            }
        }
    }

    #[test]
    fn dates_read_inclusive() {
        let range = |from, before| DateRange { from, before };
        assert_eq!(dates(range(Some(0), Some(5))).as_deref(), Some("from 1970-01-01 through 1970-01-05"));
        assert_eq!(dates(range(None, Some(1))).as_deref(), Some("through 1970-01-01"));
        assert_eq!(dates(range(None, None)), None);
    }
}
