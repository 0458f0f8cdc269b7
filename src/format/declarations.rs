//! Which part of a declaration begins a line.

use super::doc::{Doc, WIDTH, flat, width};
use super::lines::{Gap, Unit};
use super::rows;
use super::signs::{Signs, nested};
use crate::lang::ast::FileKind;
use crate::lang::syntax::{Node, Part, Written, declarations};

/// How much the lines of a declaration are indented more than its head.
const STEP: usize = 2;

/// The lines of a file.
pub fn units(written: &Written) -> Vec<Unit> {
    let mut builder = Builder { signs: Signs::default(), written, units: Vec::new() };
    written.declarations.iter().for_each(|declaration| builder.declaration(declaration));
    builder.units
}

struct Builder<'a> {
    signs: Signs,
    written: &'a Written,
    units: Vec<Unit>,
}

impl Builder<'_> {
    fn declaration(&mut self, node: &Node) {
        match node.part {
            Part::module => self.module(node),
            Part::table | Part::rows => self.table(node),
            Part::rule_decl => self.rule(node),
            Part::case => self.case(node),
            Part::background => self.background(node),
            _ if node.parts.iter().any(|part| matches!(part.part, Part::lbrace | Part::node_block)) => {
                self.block(node, 0, Gap::Kept);
            }
            _ => self.headed(&node.parts, Gap::Kept),
        }
    }

    fn unit(&mut self, indent: usize, gap: Gap, start: u32, docs: Vec<Doc>) {
        self.units.push(Unit { indent, remarks: indent, gap, start, docs });
    }

    /// The first line of a declaration, and a line for each `accepts`.
    fn headed(&mut self, parts: &[Node], gap: Gap) {
        let (mut gap, mut indent) = (gap, 0);
        for line in parts.chunk_by(|a, b| a.part != Part::accepts && b.part != Part::accepts) {
            let mut docs = Vec::new();
            self.signs.spaced(line, &mut docs);
            self.unit(indent, gap, start(line), docs);
            (gap, indent) = (Gap::Never, STEP);
        }
    }

    fn below(&mut self, node: &Node) {
        let docs = self.signs.of(node);
        self.unit(STEP, Gap::Never, node.start, docs);
    }

    fn module(&mut self, node: &Node) {
        let first = node.parts.iter().position(|part| part.part == Part::header).unwrap_or(node.parts.len());
        let (head, headers) = node.parts.split_at_checked(first).unwrap_or((&node.parts, &[]));
        self.headed(head, Gap::Always);
        headers.iter().for_each(|header| self.below(header));
    }

    fn table(&mut self, node: &Node) {
        let first = node.parts.iter().position(|part| part.part == Part::row).unwrap_or(node.parts.len());
        let (head, rows) = node.parts.split_at_checked(first).unwrap_or((&node.parts, &[]));
        self.headed(head, Gap::Kept);
        let rows: Vec<&Node> = rows.iter().collect();
        let lines = rows::aligned(&mut self.signs, &rows);
        for (at, (row, docs)) in rows.iter().zip(lines).enumerate() {
            let gap = if at == 0 { Gap::Never } else { Gap::Kept };
            self.unit(STEP, gap, row.start, docs);
        }
    }

    /// `rule NAME …` is a line, and so is each of `when`, `then`, `overrides`, `replaces`, `say`.
    fn rule(&mut self, node: &Node) {
        let mut line: Vec<&Node> = Vec::new();
        for part in &node.parts {
            if matches!(part.part, Part::when | Part::then | Part::tail) {
                self.rule_line(&mut line);
                self.below(part);
            } else {
                line.push(part);
            }
        }
        self.rule_line(&mut line);
    }

    /// What stands together before a clause with a line of its own; the first such line is the rule's head.
    fn rule_line(&mut self, parts: &mut Vec<&Node>) {
        let Some(first) = parts.first() else { return };
        let (start, head) = (first.start, matches!(first.part, Part::kw_rule | Part::kw_binding));
        let mut docs = Vec::new();
        for (at, part) in parts.drain(..).enumerate() {
            match part.part {
                _ if at == 0 => {}
                Part::kw_rule | Part::name => docs.push(Doc::text(" ")),
                _ => docs.push(self.signs.gap(" ")),
            }
            self.signs.node(part, &mut docs);
        }
        let (indent, gap) = if head { (0, Gap::Kept) } else { (STEP, Gap::Never) };
        self.unit(indent, gap, start, vec![nested(docs)]);
    }

    /// The head with what is given, and each `expect` on a line of its own.
    fn case(&mut self, node: &Node) {
        let mut docs = Vec::new();
        let mut begun: Option<(u32, usize)> = None;
        for part in &node.parts {
            if part.part == Part::expect {
                self.case_line(&mut docs, begun.take());
                self.below(part);
                continue;
            }
            match part.part {
                Part::kw_case => begun = Some((part.start, 0)),
                Part::string => docs.push(Doc::text(" ")),
                _ if begun.is_none() => begun = Some((part.start, STEP)),
                _ => docs.push(self.signs.gap(" ")),
            }
            self.signs.node(part, &mut docs);
        }
        self.case_line(&mut docs, begun);
    }

    fn case_line(&mut self, docs: &mut Vec<Doc>, begun: Option<(u32, usize)>) {
        let Some((start, indent)) = begun else { return };
        let gap = if indent == 0 { Gap::Kept } else { Gap::Never };
        self.unit(indent, gap, start, vec![nested(std::mem::take(docs))]);
    }

    fn background(&mut self, node: &Node) {
        let given = node.parts.iter().position(|part| part.part == Part::kw_given);
        let (head, settings) =
            given.and_then(|at| node.parts.split_at_checked(at)).unwrap_or((&node.parts, &[]));
        let mut docs = Vec::new();
        self.signs.spaced(head, &mut docs);
        // Without `given` the first setting must stay on the line of the name.
        if !settings.is_empty() {
            docs.push(self.signs.gap(" "));
            self.signs.spaced(settings, &mut docs);
        }
        self.unit(0, Gap::Kept, node.start, vec![nested(docs)]);
    }

    /// A declaration with braces: on one line if it is short and nothing in it has words for people, else a line for each entry.
    fn block(&mut self, node: &Node, indent: usize, gap: Gap) {
        let (head, entries, closer) = opened(node);
        let mut docs = Vec::new();
        self.signs.spaced(head.iter().copied(), &mut docs);
        let (Some(open), Some(closer)) = (head.last(), closer) else {
            return self.unit(indent, gap, node.start, docs);
        };
        if let Some(line) = self.short(node, docs.clone(), &entries, open.end, closer) {
            let fits = |docs: &[Doc]| {
                let mut text = String::new();
                flat(docs, &mut text);
                indent + width(&text) <= WIDTH
            };
            if entries.is_empty() || fits(&line) {
                return self.unit(indent, gap, node.start, line);
            }
        }
        self.unit(indent, gap, node.start, docs);
        for (at, entry) in entries.iter().enumerate() {
            let gap = if at == 0 { Gap::Never } else { Gap::Kept };
            match entry.part {
                Part::node_branch => self.block(entry, indent + STEP, gap),
                _ => self.entry(entry, at == 0, indent + STEP, gap),
            }
        }
        let docs = self.signs.of(closer);
        self.units.push(Unit { indent, remarks: indent + STEP, gap: Gap::Never, start: closer.start, docs });
    }

    /// A line of a block. One that would begin a declaration stays on the line before it.
    fn entry(&mut self, entry: &Node, first: bool, indent: usize, gap: Gap) {
        let mut docs = self.signs.of(entry);
        match self.units.last_mut().filter(|_| declares(entry)) {
            Some(before) => {
                before.docs.push(Doc::text(if first { " " } else { ", " }));
                before.docs.append(&mut docs);
            }
            None => self.unit(indent, gap, entry.start, docs),
        }
    }

    /// A block on one line.
    fn short(
        &mut self,
        node: &Node,
        mut docs: Vec<Doc>,
        entries: &[&Node],
        from: u32,
        closer: &Node,
    ) -> Option<Vec<Doc>> {
        let comments = &self.written.comments;
        let next = comments.partition_point(|comment| comment.start < from);
        let noted = comments.get(next).is_some_and(|comment| comment.start < closer.start);
        if noted || node.part == Part::decision || entries.iter().any(|entry| has_labels(entry)) {
            return None;
        }
        for (at, entry) in entries.iter().enumerate() {
            docs.push(Doc::text(if at == 0 { " " } else { ", " }));
            match entry.part {
                Part::node_branch => {
                    let (head, inner, inner_closer) = opened(entry);
                    let mut line = Vec::new();
                    self.signs.spaced(head, &mut line);
                    docs.append(&mut self.short(entry, line, &inner, from, inner_closer?)?);
                }
                _ => self.signs.node(entry, &mut docs),
            }
        }
        if !entries.is_empty() {
            docs.push(Doc::text(" "));
        }
        self.signs.node(closer, &mut docs);
        Some(docs)
    }
}

/// A block's parts up to the brace that opens it, its entries, and the brace that closes it.
fn opened(node: &Node) -> (Vec<&Node>, Vec<&Node>, Option<&Node>) {
    let parts: Vec<&Node> = node
        .parts
        .iter()
        .flat_map(|part| if part.part == Part::node_block { part.parts.iter().collect() } else { vec![part] })
        .collect();
    let at = parts.iter().position(|part| part.part == Part::lbrace).map_or(parts.len(), |at| at + 1);
    let head = parts.iter().take(at).copied().collect();
    let mut inner = parts.iter().skip(at).copied();
    let entries = inner.clone().filter(|part| !matches!(part.part, Part::comma | Part::rbrace)).collect();
    (head, entries, inner.rfind(|part| part.part == Part::rbrace))
}

fn has_labels(node: &Node) -> bool {
    node.part == Part::labels || node.parts.iter().any(has_labels)
}

/// Whether a line with this entry would be taken for a declaration: `unit each l in lines: …` in a decision.
fn declares(entry: &Node) -> bool {
    let mut leaves = Vec::new();
    first_leaves(entry, &mut leaves);
    let word =
        leaves.first().is_some_and(|leaf| declarations(FileKind::Vocabulary).contains(&leaf.text.as_str()));
    word && leaves.get(1).is_some_and(|next| !matches!(next.part, Part::colon | Part::kw_zh | Part::kw_en))
}

/// The first two signs.
fn first_leaves<'n>(node: &'n Node, into: &mut Vec<&'n Node>) {
    if node.parts.is_empty() {
        into.push(node);
    }
    for part in node.parts.iter().take(2) {
        if into.len() < 2 {
            first_leaves(part, into);
        }
    }
}

fn start(parts: &[Node]) -> u32 {
    parts.first().map_or(0, |part| part.start)
}
