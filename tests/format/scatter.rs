//! The same text written another way: other blanks, other line ends, the forms of an input method.
use crate::support::rng::Rng;
use zhanggui::lang::ast::FileKind;
use zhanggui::lang::source::SourceMap;
use zhanggui::lang::syntax::{Node, Part, written};

/// The signs of a text with the bytes at which they stand.
fn leaves(text: &str, kind: FileKind) -> Vec<(usize, usize, Part)> {
    fn walk(node: &Node, into: &mut Vec<(usize, usize, Part)>) {
        if node.parts.is_empty() {
            into.push((node.start as usize, node.end as usize, node.part));
        }
        node.parts.iter().for_each(|part| walk(part, into));
    }
    let mut map = SourceMap::new();
    let id = map.add("", text);
    let mut leaves = Vec::new();
    written(&map, id, kind).unwrap().declarations.iter().for_each(|node| walk(node, &mut leaves));
    leaves
}

/// What people type for a sign.
fn typed(sign: &str, part: Part, rng: &mut Rng) -> String {
    let wide = |text: &str| -> String {
        let full =
            |c: char| if c.is_ascii_graphic() { char::from_u32(c as u32 + 0xFEE0).unwrap() } else { c };
        text.chars().map(full).collect()
    };
    match (part, sign) {
        (Part::string | Part::clause, _) => sign.to_owned(),
        (_, ">=") if rng.chance(1, 3) => "≥".into(),
        (_, "<=") if rng.chance(1, 3) => "≤".into(),
        (_, "and") if rng.chance(1, 4) => "且".into(),
        (_, "or") if rng.chance(1, 4) => "或".into(),
        (_, "not") if rng.chance(1, 4) => "非".into(),
        (_, ",") if rng.chance(1, 4) => "、".into(),
        (_, "->") if rng.chance(1, 4) => "→".into(),
        _ if rng.chance(1, 6) => wide(sign),
        _ => sign.to_owned(),
    }
}

/// Changes blanks, and writes signs as an input method would. Lines break where they may in any case: within brackets of a policy
/// or a case, after a comma there, and nowhere else; blank lines stay.
pub fn scatter(text: &str, kind: FileKind, rng: &mut Rng) -> String {
    let leaves = leaves(text, kind);
    let mut out = String::new();
    let mut end = 0;
    let mut open = 0usize;
    let mut last = Part::end;
    for (start, stop, part) in leaves {
        let between = &text[end..start];
        let glued = between.is_empty();
        let breaks = kind != FileKind::Vocabulary && (open > 0 || last == Part::comma);
        match between {
            // A comment, or the end of a line: only blanks are added before it.
            _ if between.contains(['\n', '#']) => {
                out.push_str(&" ".repeat(rng.below(3)));
                let breaks = breaks || begins_clause(&text[start..stop], kind);
                match breaks && !between.contains('#') && !between.contains("\n\n") && rng.chance(1, 2) {
                    true => out.push(' '),
                    false => out.push_str(&between.replace('\n', ["\n", "\r\n", "\n\t"][rng.below(3)])),
                }
            }
            "." => out.push('.'),
            // Dots of names and the like must stay where they are.
            _ if glued && !breaks => {}
            _ if glued && !matches!(last, Part::lparen | Part::lbracket | Part::lbrace) => {}
            _ if breaks && rng.chance(1, 8) => out.push_str("\n   "),
            "" => out.push_str(&" ".repeat(rng.below(2))),
            _ => out.push_str([" ", "  ", "\t", "\u{3000}", "\u{A0} "][rng.below(5)]),
        }
        match part {
            Part::lparen | Part::lbracket | Part::lbrace => open += 1,
            Part::rparen | Part::rbracket | Part::rbrace => open = open.saturating_sub(1),
            _ => {}
        }
        let sign = &text[start..stop];
        out.push_str(&typed(sign, part, rng));
        end = stop;
        last = part;
    }
    out.push_str(&text[end..]);
    out
}

/// Clauses that go on a line from above, so that the break before them says nothing.
fn begins_clause(sign: &str, kind: FileKind) -> bool {
    match kind {
        FileKind::Policy => matches!(sign, "when" | "then" | "overrides" | "say" | "and" | "or" | "+"),
        FileKind::Cases => matches!(sign, "given" | "expect" | "like"),
        FileKind::Vocabulary => false,
    }
}

/// Adds comments at the ends of lines, between lines, and within brackets.
pub fn noted(text: &str, kind: FileKind, rng: &mut Rng) -> String {
    let leaves = leaves(text, kind);
    let mut out = String::new();
    let mut end = 0;
    let mut open = 0usize;
    let mut count = 0;
    for (start, stop, part) in leaves {
        let between = &text[end..start];
        if between.contains('\n') {
            let (line, rest) = between.split_once('\n').unwrap();
            out.push_str(line);
            if !line.contains('#') && rng.chance(1, 6) {
                count += 1;
                out.push_str(&format!(" # note {count}"));
            }
            out.push('\n');
            if rng.chance(1, 8) {
                count += 1;
                out.push_str(&format!("    # note {count}\n{}", ["", "\n", "# another\n"][rng.below(3)]));
            }
            out.push_str(rest);
        } else {
            out.push_str(between);
            if open > 0 && kind != FileKind::Vocabulary && !between.is_empty() && rng.chance(1, 10) {
                count += 1;
                out.push_str(&format!("# note {count}\n"));
            }
        }
        match part {
            Part::lparen | Part::lbracket | Part::lbrace => open += 1,
            Part::rparen | Part::rbracket | Part::rbrace => open = open.saturating_sub(1),
            _ => {}
        }
        out.push_str(&text[start..stop]);
        end = stop;
    }
    out.push_str(&text[end..]);
    if rng.chance(1, 2) {
        out.push_str("  # the last");
    }
    out
}
