//! Signs, blanks and breaks of what stands within a line: expressions, lists, clauses.

use super::doc::Doc;
use crate::lang::syntax::{Node, Part};

/// Makes documents of nodes.
#[derive(Debug, Default)]
pub struct Signs {
    breaks: u32,
}

impl Signs {
    /// A node on one line, as far as it goes.
    pub fn of(&mut self, node: &Node) -> Vec<Doc> {
        let mut out = Vec::new();
        self.node(node, &mut out);
        out
    }

    /// A place at which a line may break.
    pub fn gap(&mut self, flat: &'static str) -> Doc {
        self.breaks += 1;
        Doc::Break { id: self.breaks, flat }
    }

    fn hook(&mut self) -> Doc {
        self.breaks += 1;
        Doc::Hook { id: self.breaks }
    }

    /// Adds a node.
    pub fn node(&mut self, node: &Node, out: &mut Vec<Doc>) {
        if node.parts.is_empty() {
            let place = Some((node.start, node.end));
            return out.push(Doc::Token { text: node.text.clone(), place });
        }
        match node.part {
            Part::field => {
                out.push(Doc::Token { text: ".".to_owned(), place: Some((node.start, node.start + 1)) });
                self.glued(&node.parts, out);
            }
            Part::logic | Part::sum | Part::product | Part::fallback if node.parts.len() > 1 => {
                self.chain(node, out)
            }
            Part::choice if node.parts.len() > 1 => self.choice(node, out),
            Part::quantity => self.quantity(node, out),
            Part::unary | Part::reference | Part::interval_tail | Part::range => self.glued(&node.parts, out),
            Part::paren | Part::bracket | Part::braces | Part::call | Part::params | Part::setting_args => {
                self.brackets(node, out);
            }
            _ => self.spaced(&node.parts, out),
        }
    }

    fn glued(&mut self, parts: &[Node], out: &mut Vec<Doc>) {
        parts.iter().for_each(|part| self.node(part, out));
    }

    /// Parts with blanks between; a line may break after a comma and before some parts.
    pub fn spaced<'n>(&mut self, parts: impl IntoIterator<Item = &'n Node>, out: &mut Vec<Doc>) {
        let mut line = Vec::new();
        let mut may_break = false;
        let mut before: Option<Part> = None;
        for node in parts {
            match before {
                None => {}
                Some(_) if sticks(node.part) => {}
                Some(before) if breaks(before, node.part) => {
                    may_break = true;
                    line.push(self.gap(" "));
                }
                Some(_) => line.push(Doc::text(" ")),
            }
            self.node(node, &mut line);
            before = Some(node.part);
        }
        match may_break {
            true => out.push(nested(line)),
            false => out.append(&mut line),
        }
    }

    /// Operands with operators between: a line breaks before the operator, only after a minus, which would be a sign.
    fn chain(&mut self, node: &Node, out: &mut Vec<Doc>) {
        let mut line = Vec::new();
        let mut operator: Option<&Node> = None;
        for (at, part) in node.parts.iter().enumerate() {
            if at % 2 == 1 {
                operator = Some(part);
                continue;
            }
            if let Some(operator) = operator.take() {
                let minus = operator.text == "-";
                line.push(if minus { Doc::text(" ") } else { self.gap(" ") });
                self.node(operator, &mut line);
                line.push(if minus { self.gap(" ") } else { Doc::text(" ") });
            }
            self.node(part, &mut line);
        }
        out.push(nested(line));
    }

    /// `if … then … else …`, on one line or on three.
    fn choice(&mut self, node: &Node, out: &mut Vec<Doc>) {
        let mut line = Vec::new();
        for part in &node.parts {
            if part.part != Part::branch {
                self.node(part, &mut line);
                continue;
            }
            for word in &part.parts {
                if matches!(word.part, Part::kw_then | Part::kw_else) {
                    line.push(self.gap(" "));
                }
                self.node(word, &mut line);
                if matches!(word.part, Part::kw_if | Part::kw_then | Part::kw_else) {
                    line.push(Doc::text(" "));
                }
            }
        }
        out.push(Doc::Nest(vec![Doc::Group(line)]));
    }

    /// `300 CNY`, `300元`, `15%`.
    fn quantity(&mut self, node: &Node, out: &mut Vec<Doc>) {
        for part in &node.parts {
            if part.part == Part::unit_word && part.text.starts_with(|c: char| c.is_ascii()) {
                out.push(Doc::text(" "));
            }
            self.node(part, out);
        }
    }

    /// What stands between brackets, of which the last part may close an interval.
    fn brackets(&mut self, node: &Node, out: &mut Vec<Doc>) {
        let Some((open, rest)) = node.parts.split_first() else { return };
        self.node(open, out);
        let closer = rest.last().filter(|last| is_closer(last.part));
        let inner = rest.get(..rest.len() - usize::from(closer.is_some())).unwrap_or(&[]);
        let mut line = vec![self.hook()];
        let mut first = true;
        for (at, part) in inner.iter().enumerate() {
            match part.part {
                // A comma before the closing bracket separates nothing.
                Part::comma if at + 1 == inner.len() => continue,
                Part::comma | Part::interval_tail => {}
                _ if first => {}
                _ => line.push(self.gap(" ")),
            }
            if part.part == Part::over {
                // `for … where …` may be parted.
                for (at, tail) in part.parts.iter().enumerate() {
                    if at > 0 {
                        line.push(self.gap(" "));
                    }
                    self.node(tail, &mut line);
                }
            } else {
                self.node(part, &mut line);
            }
            first = false;
        }
        // Within one bracketed expression its own breaks do.
        match node.part {
            Part::paren => out.append(&mut line),
            _ => out.push(nested(line)),
        }
        if let Some(closer) = closer {
            out.push(self.hook());
            self.node(closer, out);
        }
    }
}

/// What stands right after the part before it.
fn sticks(part: Part) -> bool {
    matches!(part, Part::comma | Part::colon | Part::question | Part::params | Part::setting_args)
}

/// Whether a line may break between two parts.
fn breaks(before: Part, part: Part) -> bool {
    match part {
        Part::clause | Part::may_set | Part::rounding | Part::compare_tail => true,
        Part::guard | Part::default | Part::better | Part::plugin_reads | Part::on_failure => true,
        // What is said to people stands where it is said.
        Part::labels => !matches!(before, Part::kw_say | Part::kw_title),
        _ => before == Part::comma,
    }
}

/// A fill whose further lines are indented. What begins it needs no indentation of its own.
pub fn nested(mut line: Vec<Doc>) -> Doc {
    if let Some(Doc::Nest(inner)) = line.first_mut() {
        let first = Doc::Group(std::mem::take(inner));
        line.splice(..1, [first]);
    }
    Doc::Nest(vec![Doc::Fill(line)])
}

fn is_closer(part: Part) -> bool {
    matches!(part, Part::rparen | Part::rbracket | Part::rbrace)
}
