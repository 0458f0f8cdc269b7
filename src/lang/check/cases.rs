//! Cases: what they take over by `like` and `with`, their facts and expectations against the vocabulary and the rules.
use super::cx::Cx;
use super::expr::some_of;
use super::roots::Unknown;
use crate::lang::ast;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::index::Symbol;
use crate::lang::near::{Near, nearest};
use crate::lang::source::Span;
use crate::lang::typed::*;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// Cases and backgrounds by name: of the same file first, then of all files.
struct Texts<'a> {
    files: &'a [ast::CasesFile],
    backgrounds: FxHashMap<&'a str, Vec<(usize, &'a ast::Background)>>,
    cases: FxHashMap<&'a str, Vec<(usize, &'a ast::Case)>>,
    /// Names that could not be read.
    broken: BTreeSet<&'a str>,
    /// Something could not be read that may have been a case or background of any name.
    torn: bool,
}

impl Texts<'_> {
    /// Whether a name that there is not may be that of a text that could not be read. A quote that is left out makes the
    /// name longer or shorter.
    fn excuses(&self, name: &str) -> bool {
        self.torn || self.broken.iter().any(|b| b.starts_with(name) || name.starts_with(b))
    }
}

fn pick<'a, T>(found: Option<&Vec<(usize, &'a T)>>, file: usize) -> Option<(usize, &'a T)> {
    let found = found?;
    found.iter().find(|(f, _)| *f == file).or(found.first()).copied()
}

impl<'a> Cx<'a> {
    /// Types all cases; those with findings are left out.
    pub fn cases(&mut self) -> Vec<Case> {
        let mut texts = Texts {
            files: self.input.cases,
            backgrounds: FxHashMap::default(),
            cases: FxHashMap::default(),
            broken: BTreeSet::new(),
            torn: false,
        };
        for (f, file) in texts.files.iter().enumerate() {
            let mut seen: FxHashMap<&str, Span> = FxHashMap::default();
            for b in &file.backgrounds {
                self.twice("backgrounds", &b.name, &mut seen);
                texts.backgrounds.entry(&b.name.value).or_default().push((f, b));
            }
            seen.clear();
            for c in &file.cases {
                self.twice("cases", &c.name, &mut seen);
                texts.cases.entry(&c.name.value).or_default().push((f, c));
            }
            texts.torn |= file.broken.iter().any(|b| b.name.is_none() || b.keyword == "cases");
            texts.broken.extend(file.broken.iter().filter_map(|b| b.name.as_ref()).map(|n| n.text.as_str()));
        }
        let mut done = Vec::new();
        // A background is checked by itself, so that one that no case uses is checked, too, and a mistake in it is told once.
        for b in texts.files.iter().flat_map(|f| &f.backgrounds) {
            for s in &b.settings {
                self.setting_of_case(s);
            }
        }
        for (f, file) in texts.files.iter().enumerate() {
            for case in &file.cases {
                let before = self.diags.iter().filter(|d| d.is_error()).count();
                let typed = self.case(&texts, f, case);
                let clean = before == self.diags.iter().filter(|d| d.is_error()).count();
                done.extend(typed.filter(|_| clean));
            }
        }
        done
    }

    fn twice<'t>(&mut self, what: &str, name: &'t ast::Text, seen: &mut FxHashMap<&'t str, Span>) {
        if let Some(first) = seen.insert(&name.value, name.span) {
            self.push(
                Diagnostic::error(
                    "E0204",
                    name.span,
                    format!("there are two {what} named \"{}\"", name.value),
                )
                .note(first, "the first one is here"),
            );
        }
    }

    fn case(&mut self, texts: &Texts<'a>, f: usize, case: &'a ast::Case) -> Option<Case> {
        let mut given = Vec::new();
        let mut target = None;
        let mut store = None;
        let whole = self.gather(texts, f, case, &mut given, &mut target, &mut store, &mut Vec::new());
        let head = texts.files.get(f).and_then(|f| f.head.as_ref());
        let target = target.or(head.map(|h| &h.decision));
        let store = store.or(head.and_then(|h| h.store.as_ref()));
        let settings: Vec<CaseSetting> = given.into_iter().filter_map(|s| self.setting_of_case(s)).collect();
        let Some(target) = target else {
            // The head of the file, or what the case is like, could not be read.
            let headless = texts.files.get(f).is_some_and(|f| f.broken.iter().any(|b| b.keyword == "cases"));
            if headless || !whole {
                return None;
            }
            self.error_help(
                "E0450",
                case.name.span,
                format!("case \"{}\" does not say what is decided", case.name.value),
                "write `cases for DECISION at STORE` at the head of the file, or `for DECISION` on the case",
            );
            return None;
        };
        let Some(decision) = self.means_decision(target) else {
            if !self.excused(&target.text) {
                let near = nearest(&target.text, self.vocab.decisions.iter().map(|d| d.name.as_str()));
                let names: Vec<String> = self.vocab.decisions.iter().map(|d| d.name.clone()).collect();
                let message = format!("there is no decision `{}`", target.text);
                let help = format!("the vocabulary has {}", some_of(&names));
                self.misspelt("E0213", target.span, message, near, help);
            }
            return None;
        };
        let store = self.store(case, store)?;
        let (mut expect, mut needs) = (Vec::new(), None);
        for e in &case.expect {
            if let ast::ExpectationKind::Needs(facts) = &e.kind {
                needs = Some(facts.iter().filter_map(|n| self.needed(n)).collect());
                continue;
            }
            expect.extend(self.expectation(decision, e));
        }
        whole.then(|| Case {
            name: case.name.value.clone(),
            decision,
            store,
            given: settings,
            expect,
            needs,
            span: case.span,
        })
    }

    /// Everything that a case states, its model first; whether all that it names was found.
    #[allow(clippy::too_many_arguments, reason = "what is gathered grows along the chain of `like`")]
    fn gather(
        &mut self,
        texts: &Texts<'a>,
        f: usize,
        case: &'a ast::Case,
        given: &mut Vec<&'a ast::Setting>,
        target: &mut Option<&'a ast::Name>,
        store: &mut Option<&'a ast::Name>,
        chain: &mut Vec<Span>,
    ) -> bool {
        if chain.contains(&case.span) {
            let message = format!("case \"{}\" is like itself", case.name.value);
            let help = "name another case after `like`, or state what is given";
            self.error_help("E0452", case.name.span, message, help);
            return false;
        }
        chain.push(case.span);
        let mut whole = true;
        if let Some(like) = &case.like {
            match pick(texts.cases.get(like.value.as_str()), f) {
                Some((file, model)) => {
                    self.means(like.span, Symbol::Case(model.name.span));
                    whole &= self.gather(texts, file, model, given, target, store, chain);
                    let head = texts.files.get(file).and_then(|f| f.head.as_ref()).filter(|_| file != f);
                    if let Some(head) = head {
                        target.get_or_insert(&head.decision);
                        if store.is_none() {
                            *store = head.store.as_ref();
                        }
                    }
                }
                None => {
                    whole = false;
                    if !texts.excuses(&like.value) {
                        let near = nearest(&like.value, texts.cases.keys().copied());
                        self.unknown_text(like, near, "case");
                    }
                }
            }
        }
        for name in &case.with {
            match pick(texts.backgrounds.get(name.value.as_str()), f) {
                Some((_, b)) => {
                    self.means(name.span, Symbol::Background(b.name.span));
                    given.extend(&b.settings);
                }
                None => {
                    whole = false;
                    if !texts.excuses(&name.value) {
                        let near = nearest(&name.value, texts.backgrounds.keys().copied());
                        self.unknown_text(name, near, "background");
                    }
                }
            }
        }
        given.extend(&case.given);
        if let Some(own) = &case.target {
            *target = Some(&own.decision);
            if own.store.is_some() {
                *store = own.store.as_ref();
            }
        }
        whole
    }

    /// Reports the name of a case or background that there is not.
    fn unknown_text(&mut self, written: &ast::Text, near: Option<Near>, kind: &str) {
        let found = format!("there is no {kind} \"{}\"", written.value);
        let near_name = near.as_ref().map(|near| near.name.clone());
        self.unknown.push(Unknown { code: "E0218", span: written.span, near: near_name });
        self.push(match near {
            Some(near) => {
                let message = format!("{found}; did you mean \"{}\"?", near.name);
                let quoted = format!("\"{}\"", near.name);
                Diagnostic::error("E0218", written.span, message).suggest(written.span, quoted)
            }
            None => Diagnostic::error("E0218", written.span, found)
                .help(format!("write one as `{kind} \"{}\" …`", written.value)),
        });
    }

    fn store(&mut self, case: &ast::Case, named: Option<&'a ast::Name>) -> Option<String> {
        let stores: Vec<&str> =
            self.input.places.iter().filter(|(k, _)| k == "store").map(|(_, n)| n.as_str()).collect();
        match (named, stores.as_slice()) {
            (Some(name), _) if stores.contains(&name.text.as_str()) => Some(name.text.clone()),
            (Some(name), _) => {
                let near = nearest(&name.text, stores.iter().copied());
                let message = format!("there is no store `{}`", name.text);
                self.misspelt("E0212", name.span, message, near, "rulebook.toml says which stores there are");
                None
            }
            (None, [one]) => Some((*one).to_owned()),
            (None, _) => {
                self.error_help(
                    "E0450",
                    case.name.span,
                    format!("case \"{}\" does not say in which store", case.name.value),
                    "write `cases for DECISION at STORE` at the head of the file, or `at STORE` on the case",
                );
                None
            }
        }
    }

    fn expectation(&mut self, d: DecisionId, e: &'a ast::Expectation) -> Option<Expectation> {
        let (output, want) = match &e.kind {
            ast::ExpectationKind::Needs(_) => return None,
            ast::ExpectationKind::Word(name) => {
                let (output, word) = self.bare_word(d, name)?;
                let ExprKind::Const(c) = word.kind else { return None };
                (output, Want::Value(Given::Value(c)))
            }
            ast::ExpectationKind::Value { output, value } => {
                let o = self.expected_output(d, output)?;
                let one = self.output_value_ty(d, o);
                let per = self.output(d, o).is_some_and(|o| o.per.is_some());
                let ty = if per { Ty::List(std::sync::Arc::new(one)) } else { one };
                let name = format!("`{}`", output.text());
                let want = match self.given(value, &ty, &name)? {
                    Given::Absent => Want::Absent,
                    Given::Unknown => Want::Unknown,
                    value => Want::Value(value),
                };
                (o, want)
            }
            ast::ExpectationKind::State { output, state } => {
                let o = self.expected_output(d, output)?;
                let want = match state {
                    ast::ExpectedState::Absent => Want::Absent,
                    ast::ExpectedState::Undecided => Want::Undecided,
                    ast::ExpectedState::Conflict => Want::Conflict,
                    ast::ExpectedState::Faulty => Want::Faulty,
                    ast::ExpectedState::Unknown => Want::Unknown,
                };
                if want == Want::Absent
                    && !self.output_value_ty(d, o).is_optional()
                    && self.output(d, o).is_some_and(|o| o.per.is_none() && o.ty != Ty::Never)
                {
                    self.error(
                        "E0330",
                        e.span,
                        format!("`{}` is never absent, so this cannot be expected", output.text()),
                    );
                }
                (o, want)
            }
        };
        let (mut by, mut not_by, mut by_default) = (Vec::new(), Vec::new(), false);
        for one in &e.by {
            match &one.kind {
                ast::ByKind::Default => by_default = true,
                ast::ByKind::Rules(paths) => {
                    for path in paths {
                        by.extend(self.deciding_rule(d, path));
                    }
                }
                ast::ByKind::NotRules(paths) => {
                    for path in paths {
                        not_by.extend(self.deciding_rule(d, path).unwrap_or_default());
                    }
                }
            }
        }
        Some(Expectation { output, want, by, not_by, by_default, span: e.span })
    }

    fn expected_output(&mut self, d: DecisionId, path: &ast::Path) -> Option<OutputId> {
        match path.single() {
            Some(name) => self.find_output(d, name),
            None => {
                self.error_help(
                    "E0208",
                    path.span,
                    format!("`{}` is not an output", path.text()),
                    "a per-line output is expected as a list: `eligible = [3 CNY, 0 CNY]`",
                );
                None
            }
        }
    }

    /// A rule of this decision by its name or full path; versions of one rule count as one.
    fn deciding_rule(&mut self, d: DecisionId, path: &ast::Path) -> Option<Vec<RuleId>> {
        let text = path.text();
        let mut homes: FxHashMap<String, Vec<RuleId>> = FxHashMap::default();
        let (mut names, mut torn) = (Vec::new(), self.torn);
        for (i, r) in self.rules.iter().enumerate() {
            let Some(m) = self.mods.get(r.module).filter(|m| m.decides == Some(d)) else { continue };
            let full = format!("{}.{}", m.path, r.ast.name.text);
            if full == text || r.ast.name.text == text {
                homes.entry(full.clone()).or_default().push(RuleId(i as u32));
            }
            names.push(r.ast.name.text.clone());
            names.push(full);
        }
        for m in &self.mods {
            torn |= m.lost || m.torn || !m.broken_rules.is_empty();
        }
        let mut found: Vec<(String, Vec<RuleId>)> = homes.into_iter().collect();
        found.sort();
        match found.as_slice() {
            [(_, rules)] => {
                if let Some(name) = path.parts.last() {
                    if let Some((policy, _)) = self.module_prefix(&path.parts) {
                        self.means_policy(&path.parts, &policy);
                    }
                    for rule in rules {
                        self.means(name.span, Symbol::Rule(*rule));
                    }
                }
                Some(rules.clone())
            }
            [] => {
                if !torn {
                    let near = nearest(&text, names.iter().map(String::as_str));
                    let decision = self.decision(d).map(|d| d.name.clone()).unwrap_or_default();
                    let message = format!("no rule `{text}` decides `{decision}`");
                    let help = "write the rule's name, or its full path; `by default` if no rule decides";
                    self.misspelt("E0207", path.span, message, near, help);
                }
                None
            }
            [(a, _), (b, _), ..] => {
                self.error_help(
                    "E0206",
                    path.span,
                    format!("`{text}` may be `{a}` or `{b}`"),
                    "write the full path of the one that you mean",
                );
                None
            }
        }
    }
}
