//! Backgrounds and cases.

use super::{Lower, P};
use crate::lang::ast::{
    Background, By, ByKind, Case, CaseTarget, Expectation, ExpectationKind, ExpectedState, Need, Path,
    Setting, Text,
};
use crate::lang::syntax::grammar::Rule;

impl Lower<'_> {
    /// `for D at S`
    pub fn target(&mut self, pair: P<'_>) -> Option<CaseTarget> {
        let span = self.span(&pair);
        let mut names = pair.into_inner().filter(|part| part.as_rule() == Rule::name);
        let decision = self.name(&names.next()?);
        let store = names.next().map(|name| self.name(&name));
        Some(CaseTarget { decision, store, span })
    }

    fn string_in(&mut self, pair: P<'_>) -> Option<Text> {
        let string = pair.into_inner().find(|part| part.as_rule() == Rule::string)?;
        Some(self.string(&string))
    }

    fn settings(&mut self, pair: P<'_>) -> Option<Vec<Setting>> {
        pair.into_inner()
            .filter(|part| part.as_rule() == Rule::setting)
            .map(|part| self.setting(part))
            .collect()
    }

    fn setting(&mut self, pair: P<'_>) -> Option<Setting> {
        let span = self.span(&pair);
        let (mut target, mut args, mut value) = (None, Vec::new(), None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::path => target = Some(self.path(&part)),
                Rule::setting_args => {
                    for part in part.into_inner().filter(|part| part.as_rule() == Rule::expr) {
                        args.push(self.expr(part)?);
                    }
                }
                Rule::expr => value = Some(self.expr(part)?),
                _ => {}
            }
        }
        Some(Setting { target: target?, args, value: value?, span })
    }

    /// `background "…" …`
    pub fn background(&mut self, pair: P<'_>) -> Option<Background> {
        let span = self.span(&pair);
        let name = self.string_in(pair.clone())?;
        Some(Background { name, settings: self.settings(pair)?, span })
    }

    /// `case "…" …`
    pub fn case(&mut self, pair: P<'_>) -> Option<Case> {
        let span = self.span(&pair);
        let name = self.string_in(pair.clone())?;
        let mut case = Case {
            name,
            target: None,
            like: None,
            with: Vec::new(),
            given: Vec::new(),
            expect: Vec::new(),
            span,
        };
        for part in pair.into_inner() {
            let at = self.span(&part);
            match part.as_rule() {
                Rule::target => {
                    self.once(case.target.is_some(), at, "what the case is for");
                    case.target = Some(self.target(part)?);
                }
                Rule::like => {
                    self.once(case.like.is_some(), at, "`like`");
                    case.like = Some(self.string_in(part)?);
                }
                Rule::with => {
                    for string in part.into_inner().filter(|part| part.as_rule() == Rule::string) {
                        case.with.push(self.string(&string));
                    }
                }
                Rule::given => case.given.extend(self.settings(part)?),
                Rule::expect => {
                    for part in part.into_inner().filter(|part| part.as_rule() == Rule::expectation) {
                        case.expect.push(self.expectation(part)?);
                    }
                }
                _ => {}
            }
        }
        if case.expect.is_empty() {
            let help = "say what must come out: `expect allow, refund = 399 CNY`";
            self.error("E0132", case.name.span, "this case expects nothing", help);
        }
        Some(case)
    }

    fn need(&mut self, pair: P<'_>) -> Option<Need> {
        let span = self.span(&pair);
        let (mut target, mut args) = (None, Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::path => target = Some(self.path(&part)),
                Rule::setting_args => {
                    for part in part.into_inner().filter(|part| part.as_rule() == Rule::expr) {
                        args.push(self.expr(part)?);
                    }
                }
                _ => {}
            }
        }
        Some(Need { target: target?, args, span })
    }

    fn expectation(&mut self, pair: P<'_>) -> Option<Expectation> {
        let span = self.span(&pair);
        let (mut output, mut state, mut value, mut by) = (None, None, None, Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::needs => {
                    let needs = part.into_inner().filter(|part| part.as_rule() == Rule::need);
                    let needs = needs.map(|part| self.need(part)).collect::<Option<Vec<Need>>>()?;
                    let kind = ExpectationKind::Needs(needs);
                    return Some(Expectation { kind, by, span });
                }
                Rule::path => output = Some(self.path(&part)),
                Rule::state => {
                    state = Some(match part.into_inner().next()?.as_rule() {
                        Rule::kw_absent => ExpectedState::Absent,
                        Rule::kw_undecided => ExpectedState::Undecided,
                        Rule::kw_conflict => ExpectedState::Conflict,
                        Rule::kw_faulty => ExpectedState::Faulty,
                        _ => ExpectedState::Unknown,
                    });
                }
                Rule::expr => value = Some(self.expr(part)?),
                Rule::by => by.push(self.by(part)),
                _ => {}
            }
        }
        let output = output?;
        let kind = match (state, value) {
            (Some(state), _) => ExpectationKind::State { output, state },
            (_, Some(value)) => ExpectationKind::Value { output, value },
            _ => match output.single() {
                Some(word) => ExpectationKind::Word(word.clone()),
                None => {
                    let help = "write `OUTPUT = VALUE`, `OUTPUT is absent`, or a single word such as `deny`";
                    self.error(
                        "E0129",
                        span,
                        format!("`{}` says nothing about an output", output.text()),
                        help,
                    );
                    return None;
                }
            },
        };
        Some(Expectation { kind, by, span })
    }

    fn by(&mut self, pair: P<'_>) -> By {
        let span = self.span(&pair);
        let mut not = false;
        let mut default = false;
        for part in pair.clone().into_inner() {
            match part.as_rule() {
                Rule::kw_not => not = true,
                Rule::kw_default => default = true,
                _ => {}
            }
        }
        let kind = match (default, not) {
            (true, _) => ByKind::Default,
            (_, true) => ByKind::NotRules(self.listed(pair)),
            _ => ByKind::Rules(self.listed(pair)),
        };
        By { kind, span }
    }

    /// The paths of a list whose further items are wrapped.
    fn listed(&mut self, pair: P<'_>) -> Vec<Path> {
        let mut paths = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::path => paths.push(self.path(&part)),
                Rule::listed => paths.extend(self.paths(part)),
                _ => {}
            }
        }
        paths
    }
}
