//! Policies, libraries and what they declare, except tables.

use super::{Lower, P};
use crate::lang::ast::{
    Accept, Dated, Effect, EffectKind, EffectOp, Header, Labels, Layer, Let, MaySet, Module, ModuleKind,
    Overrides, Param, Rounding, Rule as RuleDecl, SetParam,
};
use crate::lang::syntax::grammar::Rule;

impl Lower<'_> {
    /// `policy …` or `library …` with its header.
    pub fn module(&mut self, pair: P<'_>) -> Option<Module> {
        let span = self.span(&pair);
        let mut path = None;
        let mut decides = None;
        let mut library = false;
        let mut header = Header::default();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::kw_library => library = true,
                Rule::path => path = Some(self.path(&part)),
                Rule::name => decides = Some(self.name(&part)),
                Rule::header => self.header(part.into_inner().next()?, &mut header)?,
                _ => {}
            }
        }
        let kind = if library { ModuleKind::Library } else { ModuleKind::Policy { decides: decides? } };
        Some(Module { kind, path: path?, header, items: Vec::new(), broken: Vec::new(), span })
    }

    fn header(&mut self, pair: P<'_>, header: &mut Header) -> Option<()> {
        let span = self.span(&pair);
        let once = |lower: &mut Self, before: bool, what: &str| lower.once(before, span, what);
        match pair.as_rule() {
            Rule::title => {
                let labels = pair.into_inner().find(|part| part.as_rule() == Rule::labels)?;
                self.add_labels(&mut header.title, labels);
            }
            Rule::source => {
                once(self, header.source.is_some(), "`source`");
                let string = pair.into_inner().find(|part| part.as_rule() == Rule::string)?;
                header.source = Some(self.string(&string));
            }
            Rule::layer => {
                once(self, header.layer.is_some(), "`layer`");
                let names = pair.into_inner().filter(|part| part.as_rule() == Rule::name);
                let mut names: Vec<_> = names.map(|name| self.name(&name)).collect();
                let name = if names.len() > 1 { names.pop() } else { None };
                header.layer = Some(Layer { kind: names.pop()?, name, span });
            }
            Rule::dates => {
                once(self, !header.dates.is_empty(), "the policy's time");
                header.dates = self.dates(pair);
            }
            Rule::governed => {
                once(self, header.governed_by.is_some(), "`governed by`");
                header.governed_by = self.paths(pair).pop();
            }
            Rule::applies => {
                once(self, header.applies_when.is_some(), "`applies when`");
                header.applies_when = Some(self.expr_in(pair)?);
            }
            Rule::uses => header.uses.extend(self.paths(pair)),
            Rule::extends => header.extends.extend(self.paths(pair)),
            Rule::default_mode => {
                once(self, header.rounding.is_some(), "`rounding`");
                let mode = pair.into_inner().last()?;
                header.rounding = match mode.as_rule() {
                    Rule::undecided => Some(Rounding::Undecided(self.undecided(mode)?)),
                    _ => self.mode(mode),
                };
            }
            Rule::accepts => header.accepts.extend(self.accept(pair)),
            _ => {}
        }
        Some(())
    }

    /// `accepts W0613 "reason"`
    pub fn accept(&mut self, pair: P<'_>) -> Option<Accept> {
        let span = self.span(&pair);
        let mut codes = Vec::new();
        let mut reason = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => codes.push(self.name(&part)),
                Rule::string => reason = Some(self.string(&part)),
                _ => {}
            }
        }
        Some(Accept { codes, reason: reason?, span })
    }

    /// `let …`
    pub fn let_decl(&mut self, pair: P<'_>) -> Option<Let> {
        let span = self.span(&pair);
        let (mut name, mut value, mut clause) = (None, None, None);
        let mut accepts = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => name = Some(self.name(&part)),
                Rule::expr => value = Some(self.expr(part)?),
                Rule::clause => clause = self.clause(part),
                Rule::accepts => accepts.extend(self.accept(part)),
                _ => {}
            }
        }
        Some(Let { name: name?, value: value?, clause, accepts, span })
    }

    fn dated(&mut self, pair: P<'_>) -> Option<Dated> {
        let span = self.span(&pair);
        let mut parts = pair.into_inner();
        let value = self.expr(parts.next()?)?;
        let dates = parts.next().map(|dates| self.dates(dates)).unwrap_or_default();
        Some(Dated { value, dates, span })
    }

    /// `param …`
    pub fn param(&mut self, pair: P<'_>) -> Option<Param> {
        let span = self.span(&pair);
        let (mut name, mut ty, mut clause) = (None, None, None);
        let (mut values, mut may_set, mut accepts) = (Vec::new(), Vec::new(), Vec::new());
        for part in pair.into_inner() {
            let at = self.span(&part);
            match part.as_rule() {
                Rule::name => name = Some(self.name(&part)),
                Rule::type_ref => ty = Some(self.type_ref(part)?),
                Rule::dated => values.push(self.dated(part)?),
                Rule::clause => clause = self.clause(part),
                Rule::may_set => {
                    let mut layer = None;
                    let mut range = None;
                    for part in part.into_inner() {
                        match part.as_rule() {
                            Rule::name => layer = Some(self.name(&part)),
                            Rule::atom => range = Some(self.tight(part)?),
                            _ => {}
                        }
                    }
                    may_set.push(MaySet { layer: layer?, range: range?, span: at });
                }
                Rule::accepts => accepts.extend(self.accept(part)),
                _ => {}
            }
        }
        Some(Param { name: name?, ty: ty?, values, clause, may_set, accepts, span })
    }

    /// `set …`
    pub fn set_param(&mut self, pair: P<'_>) -> Option<SetParam> {
        let span = self.span(&pair);
        let (mut target, mut values, mut clause) = (None, Vec::new(), None);
        let mut accepts = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::path => target = Some(self.path(&part)),
                Rule::dated => values.push(self.dated(part)?),
                Rule::clause => clause = self.clause(part),
                Rule::accepts => accepts.extend(self.accept(part)),
                _ => {}
            }
        }
        Some(SetParam { target: target?, values, clause, accepts, span })
    }

    /// `rule …`
    pub fn rule(&mut self, pair: P<'_>) -> Option<RuleDecl> {
        let span = self.span(&pair);
        let mut rule = RuleDecl {
            name: crate::lang::ast::Name { text: String::new(), span },
            clause: None,
            group: None,
            binding: false,
            dates: Default::default(),
            each: None,
            when: None,
            effects: Vec::new(),
            overrides: Vec::new(),
            replaces: Vec::new(),
            say: Labels::default(),
            accepts: Vec::new(),
            span,
        };
        for part in pair.into_inner() {
            let at = self.span(&part);
            match part.as_rule() {
                Rule::kw_binding => rule.binding = true,
                Rule::name => rule.name = self.name(&part),
                Rule::clause => {
                    self.once(rule.clause.is_some(), at, "a clause");
                    rule.clause = self.clause(part);
                }
                Rule::group => {
                    self.once(rule.group.is_some(), at, "the rule's group");
                    let name = part.into_inner().find(|part| part.as_rule() == Rule::name)?;
                    rule.group = Some(self.name(&name));
                }
                Rule::dates => {
                    self.once(!rule.dates.is_empty(), at, "the rule's time");
                    rule.dates = self.dates(part);
                }
                Rule::for_each => {
                    self.once(rule.each.is_some(), at, "`for each`");
                    rule.each = Some(self.each(part)?);
                }
                Rule::when => rule.when = Some(self.expr_in(part)?),
                Rule::then => {
                    for part in part.into_inner() {
                        match part.as_rule() {
                            Rule::kw_binding => rule.binding = true,
                            Rule::effect => rule.effects.push(self.effect(part)?),
                            _ => {}
                        }
                    }
                }
                Rule::tail => self.tail(part.into_inner().next()?, &mut rule)?,
                _ => {}
            }
        }
        Some(rule)
    }

    fn tail(&mut self, pair: P<'_>, rule: &mut RuleDecl) -> Option<()> {
        let span = self.span(&pair);
        match pair.as_rule() {
            Rule::overrides => {
                let names = pair.clone().into_inner().filter(|part| part.as_rule() == Rule::name);
                let mut names: Vec<_> = names.map(|name| self.name(&name)).collect();
                let targets = self.paths(pair);
                if !names.is_empty() && (targets.len() > 1 || names.len() > 1) {
                    let help = "write one `overrides RULE for OUTPUT` line for each";
                    self.error("E0128", span, "it is not clear what `for` belongs to", help);
                }
                names.truncate(1);
                rule.overrides.push(Overrides { targets, output: names.pop(), span });
            }
            Rule::replaces => rule.replaces.extend(self.paths(pair)),
            Rule::accepts => rule.accepts.extend(self.accept(pair)),
            _ => {
                let labels = pair.into_inner().find(|part| part.as_rule() == Rule::labels)?;
                self.add_labels(&mut rule.say, labels);
            }
        }
        Some(())
    }

    fn effect(&mut self, pair: P<'_>) -> Option<Effect> {
        let span = self.span(&pair);
        let mut target = None;
        let mut op = None;
        let mut value = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::path => target = Some(self.path(&part)),
                Rule::effect_op => {
                    op = Some(match part.into_inner().last()?.as_rule() {
                        Rule::kw_least => EffectOp::AtLeast,
                        Rule::kw_most => EffectOp::AtMost,
                        Rule::kw_add => EffectOp::Add,
                        Rule::kw_remove => EffectOp::Remove,
                        _ => EffectOp::Set,
                    });
                }
                Rule::expr => value = Some(self.expr(part)?),
                _ => {}
            }
        }
        let target = target?;
        let kind = match (op, value) {
            (Some(op), Some(value)) => EffectKind::Output { target, op, value },
            _ => match target.single() {
                Some(word) => EffectKind::Word(word.clone()),
                None => {
                    let help = "write `OUTPUT = VALUE`, or a single word such as `deny`";
                    self.error(
                        "E0129",
                        span,
                        format!("`{}` says nothing about an output", target.text()),
                        help,
                    );
                    return None;
                }
            },
        };
        Some(Effect { kind, span })
    }
}
