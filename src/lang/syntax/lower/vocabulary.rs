//! The declarations of a vocabulary.

use super::{Lower, P};
use crate::lang::ast::{
    Better, Bounds, Calendar, CalendarEntry, Decision, Each, Entity, Enum, EnumValue, Fact, FactSource,
    Field, Labels, Mode, Output, OutputDefault, PluginFact, Taxonomy, TaxonomyNode, Unit,
};
use crate::lang::syntax::grammar::Rule;

impl Lower<'_> {
    /// `enum …`
    pub fn enum_decl(&mut self, pair: P<'_>) -> Option<Enum> {
        let span = self.span(&pair);
        let mut name = None;
        let mut labels = Labels::default();
        let mut ordered = false;
        let mut values = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => name = Some(self.name(&part)),
                Rule::kw_ordered => ordered = true,
                Rule::labels => self.add_labels(&mut labels, part),
                Rule::enum_value => values.push(self.enum_value(part)?),
                Rule::enum_short => {
                    let mut less = false;
                    let mut comma = None;
                    for part in part.into_inner() {
                        match part.as_rule() {
                            Rule::op_less => less = true,
                            Rule::comma => comma = Some(self.span(&part)),
                            _ => values.push(self.enum_value(part)?),
                        }
                    }
                    if let Some(at) = comma.filter(|_| less) {
                        let help = "write `<` between all of them, or commas between all";
                        self.error("E0127", at, "these values are ordered only in part", help);
                    }
                    ordered |= less;
                }
                _ => {}
            }
        }
        Some(Enum { name: name?, labels, ordered, values, span })
    }

    fn enum_value(&mut self, pair: P<'_>) -> Option<EnumValue> {
        let span = self.span(&pair);
        let (name, labels) = self.name_and_labels(pair)?;
        Some(EnumValue { name, labels, span })
    }

    fn name_and_labels(&mut self, pair: P<'_>) -> Option<(crate::lang::ast::Name, Labels)> {
        let mut name = None;
        let mut labels = Labels::default();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => name = Some(self.name(&part)),
                Rule::labels => labels = self.labels(part),
                _ => {}
            }
        }
        Some((name?, labels))
    }

    /// `taxonomy …`
    pub fn taxonomy(&mut self, pair: P<'_>) -> Option<Taxonomy> {
        let span = self.span(&pair);
        let (name, labels) = self.name_and_labels(pair.clone())?;
        let block = pair.into_inner().find(|part| part.as_rule() == Rule::node_block)?;
        Some(Taxonomy { name, labels, nodes: self.nodes(block)?, span })
    }

    /// Braces nest at most as deep as any brackets, so the recursion is bounded.
    fn nodes(&mut self, pair: P<'_>) -> Option<Vec<TaxonomyNode>> {
        let mut nodes = Vec::new();
        for part in pair.into_inner() {
            if !matches!(part.as_rule(), Rule::node_branch | Rule::node_leaf) {
                continue;
            }
            let span = self.span(&part);
            let (name, labels) = self.name_and_labels(part.clone())?;
            let children = match part.into_inner().find(|part| part.as_rule() == Rule::node_block) {
                Some(block) => self.nodes(block)?,
                None => Vec::new(),
            };
            nodes.push(TaxonomyNode { name, labels, children, span });
        }
        Some(nodes)
    }

    /// `unit …`, `currency …`
    pub fn unit_decl(&mut self, pair: P<'_>) -> Option<Unit> {
        let span = self.span(&pair);
        let mut currency = false;
        let mut step = None;
        for part in pair.clone().into_inner() {
            match part.as_rule() {
                Rule::kw_currency => currency = true,
                Rule::number => step = Some(self.number(&part)),
                _ => {}
            }
        }
        let (name, labels) = self.name_and_labels(pair)?;
        Some(Unit { name, currency, step: step?, labels, span })
    }

    /// `entity …`, `record …`
    pub fn entity(&mut self, pair: P<'_>) -> Option<Entity> {
        let span = self.span(&pair);
        let mut record = false;
        let mut fields = Vec::new();
        for part in pair.clone().into_inner() {
            match part.as_rule() {
                Rule::kw_record => record = true,
                Rule::entity_field => {
                    let span = self.span(&part);
                    let mut name = None;
                    let (mut ty, mut bounds) = (None, None);
                    let mut labels = Labels::default();
                    for part in part.into_inner() {
                        match part.as_rule() {
                            Rule::word => name = Some(self.name(&part)),
                            Rule::type_ref => ty = Some(self.type_ref(part)?),
                            Rule::bounds => bounds = Some(Box::new(self.bounds(part)?)),
                            Rule::labels => labels = self.labels(part),
                            _ => {}
                        }
                    }
                    fields.push(Field { name: name?, ty: ty?, bounds, labels, span });
                }
                _ => {}
            }
        }
        let (name, labels) = self.name_and_labels(pair)?;
        Some(Entity { name, record, labels, fields, span })
    }

    /// `fact …`
    pub fn fact(&mut self, pair: P<'_>) -> Option<Fact> {
        let span = self.span(&pair);
        let mut params = Vec::new();
        let (mut ty, mut bounds) = (None, None);
        let mut source = FactSource::Request;
        for part in pair.clone().into_inner() {
            match part.as_rule() {
                Rule::params => params = self.params(part)?,
                Rule::type_ref => ty = Some(self.type_ref(part)?),
                Rule::bounds => bounds = Some(Box::new(self.bounds(part)?)),
                Rule::fact_from => {
                    for part in part.into_inner() {
                        match part.as_rule() {
                            Rule::kw_records => source = FactSource::Records,
                            Rule::kw_desk => source = FactSource::Desk,
                            Rule::path => {
                                let path = self.path(&part);
                                let plugin = PluginFact { path, reads: Vec::new(), on_failure: None };
                                source = FactSource::Plugin(Box::new(plugin));
                            }
                            Rule::plugin_reads => {
                                let paths = part.into_inner().filter(|part| part.as_rule() == Rule::path);
                                let paths = paths.map(|path| self.path(&path)).collect();
                                if let FactSource::Plugin(plugin) = &mut source {
                                    plugin.reads = paths;
                                }
                            }
                            Rule::on_failure => {
                                let value = part.into_inner().find(|part| part.as_rule() == Rule::sum)?;
                                let value = self.tight(value)?;
                                if let FactSource::Plugin(plugin) = &mut source {
                                    plugin.on_failure = Some(value);
                                }
                            }
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        let (name, labels) = self.name_and_labels(pair)?;
        Some(Fact { name, params, ty: ty?, bounds, source, labels, span })
    }

    /// `in [LOW..HIGH]`, each end with or without a value.
    fn bounds(&mut self, pair: P<'_>) -> Option<Bounds> {
        let range = pair.into_inner().find(|part| part.as_rule() == Rule::range)?;
        let span = self.span(&range);
        let mut bounds = Bounds { low: None, high: None, low_open: false, high_open: false, span };
        let mut dots = false;
        for part in range.into_inner() {
            match part.as_rule() {
                Rule::lparen => bounds.low_open = true,
                Rule::rparen => bounds.high_open = true,
                Rule::dots => dots = true,
                Rule::sum if dots => bounds.high = Some(self.tight(part)?),
                Rule::sum => bounds.low = Some(self.tight(part)?),
                _ => {}
            }
        }
        Some(bounds)
    }

    /// `decision …`
    pub fn decision(&mut self, pair: P<'_>) -> Option<Decision> {
        let span = self.span(&pair);
        let mut given = Vec::new();
        let mut outputs = Vec::new();
        for part in pair.clone().into_inner() {
            match part.as_rule() {
                Rule::given_names => {
                    let names = part.into_inner().filter(|part| part.as_rule() == Rule::name);
                    given = names.map(|name| self.name(&name)).collect();
                }
                Rule::output => outputs.push(self.output(part)?),
                _ => {}
            }
        }
        let (name, labels) = self.name_and_labels(pair)?;
        Some(Decision { name, labels, given, outputs, span })
    }

    fn output(&mut self, pair: P<'_>) -> Option<Output> {
        let span = self.span(&pair);
        let (mut working, mut each, mut mode, mut ty) = (false, None, None, None);
        let (mut better, mut guard, mut default) = (None, None, OutputDefault::Unstated);
        for part in pair.clone().into_inner() {
            let at = self.span(&part);
            match part.as_rule() {
                Rule::kw_working => working = true,
                Rule::output_each => each = Some(self.each(part)?),
                Rule::output_mode => {
                    mode = Some(match part.into_inner().next()?.as_rule() {
                        Rule::kw_one => Mode::One,
                        Rule::kw_max => Mode::Max,
                        Rule::kw_min => Mode::Min,
                        Rule::kw_sum => Mode::Sum,
                        Rule::kw_all => Mode::All,
                        _ => Mode::Each,
                    });
                }
                Rule::type_ref => ty = Some(self.type_ref(part)?),
                Rule::better => {
                    let higher = part.into_inner().any(|word| word.as_rule() == Rule::kw_higher);
                    better = Some(if higher { Better::Higher } else { Better::Lower });
                }
                Rule::guard => guard = Some(self.expr_in(part)?),
                Rule::kw_optional => default = OutputDefault::Optional(at),
                Rule::default => default = OutputDefault::Else(self.expr_in(part)?),
                _ => {}
            }
        }
        let (name, labels) = self.name_and_labels(pair)?;
        Some(Output { working, name, each, mode: mode?, ty: ty?, better, guard, default, labels, span })
    }

    /// The expression below a pair that has one.
    pub fn expr_in(&mut self, pair: P<'_>) -> Option<crate::lang::ast::Expr> {
        let expr = pair.into_inner().find(|part| part.as_rule() == Rule::expr)?;
        self.expr(expr)
    }

    /// `each x in list`, with or without `for`.
    pub fn each(&mut self, pair: P<'_>) -> Option<Each> {
        let span = self.span(&pair);
        let mut var = None;
        let mut list = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => var = Some(self.name(&part)),
                Rule::sum => list = Some(self.tight(part)?),
                _ => {}
            }
        }
        Some(Each { var: var?, list: list?, span })
    }

    /// `calendar …`
    pub fn calendar(&mut self, pair: P<'_>) -> Option<Calendar> {
        let span = self.span(&pair);
        let mut every_day = false;
        let mut entries = Vec::new();
        for part in pair.clone().into_inner() {
            match part.as_rule() {
                Rule::kw_every => every_day = true,
                Rule::calendar_entry => {
                    let span = self.span(&part);
                    let open = part.clone().into_inner().any(|word| word.as_rule() == Rule::kw_open);
                    let dates = part.into_inner().filter(|part| part.as_rule() == Rule::date);
                    let mut dates: Vec<_> = dates.map(|date| self.date(&date)).collect();
                    let through = if dates.len() > 1 { dates.pop() } else { None };
                    let from = dates.pop()?;
                    if let Some(last) = through.filter(|last| last.date < from.date && self.found.is_empty())
                    {
                        self.error(
                            "E0126",
                            last.span,
                            "this ends before it begins",
                            "`through` is the last day",
                        );
                    }
                    entries.push(CalendarEntry { open, from, through, span });
                }
                _ => {}
            }
        }
        let mut name = None;
        let mut labels = Labels::default();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => name = Some(self.name(&part)),
                Rule::labels => self.add_labels(&mut labels, part),
                _ => {}
            }
        }
        Some(Calendar { name: name?, labels, every_day, entries, span })
    }
}
