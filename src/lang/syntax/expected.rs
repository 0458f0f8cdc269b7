//! What would have fitted where a declaration went wrong, in words that an author knows.

use super::grammar::Rule;
use super::keywords::KEYWORDS;

/// What would have fitted at the place of failure.
#[derive(Debug, Default)]
pub struct Expected {
    pub keywords: Vec<&'static str>,
    pub signs: Vec<&'static str>,
    pub things: Vec<&'static str>,
    pub operator: bool,
    pub end: bool,
}

impl Expected {
    /// From the rules that the grammar tried there.
    pub fn new(positives: &[Rule]) -> Self {
        let mut expected = Expected::default();
        for rule in positives {
            expected.add(*rule);
        }
        expected.keywords.sort_unstable();
        expected.keywords.dedup();
        expected
    }

    fn add(&mut self, rule: Rule) {
        match rule {
            Rule::EOI | Rule::end => self.end = true,
            Rule::kw_and
            | Rule::kw_or
            | Rule::kw_is
            | Rule::kw_otherwise
            | Rule::kw_rounded
            | Rule::kw_not
            | Rule::op_compare
            | Rule::op_sum
            | Rule::op_product
            | Rule::compare_tail
            | Rule::rounding
            | Rule::kw_per
            | Rule::percent
            | Rule::unit_word => {
                self.operator = true;
            }
            Rule::kw_in => self.keywords.push("in"),
            Rule::comma | Rule::sep => push(&mut self.signs, ","),
            Rule::colon => push(&mut self.signs, ":"),
            Rule::bar | Rule::row => push(&mut self.signs, "|"),
            Rule::arrow => push(&mut self.signs, "->"),
            Rule::dots | Rule::interval_tail => push(&mut self.signs, ".."),
            Rule::op_set | Rule::effect_op => push(&mut self.signs, "="),
            Rule::rparen => push(&mut self.signs, ")"),
            Rule::rbracket => push(&mut self.signs, "]"),
            Rule::lbrace | Rule::node_block => push(&mut self.signs, "{"),
            Rule::rbrace => push(&mut self.signs, "}"),
            Rule::lparen | Rule::params | Rule::call | Rule::setting_args => push(&mut self.signs, "("),
            Rule::op_less => push(&mut self.signs, "<"),
            // An `accepts` may stand after nearly everything: naming it would hide what is missing.
            Rule::question | Rule::accepts | Rule::kw_accepts => {}
            Rule::name
            | Rule::path
            | Rule::word
            | Rule::reference
            | Rule::enum_value
            | Rule::node_leaf
            | Rule::node_branch
            | Rule::param_decl
            | Rule::entity_field
            | Rule::listed
            | Rule::need => push(&mut self.things, "a name"),
            Rule::output | Rule::enum_short | Rule::arg | Rule::setting | Rule::effect => {
                push(&mut self.things, "a name")
            }
            Rule::expectation => push(&mut self.things, "an output or a word"),
            Rule::string | Rule::quote_end | Rule::str_body => push(&mut self.things, "a text in quotes"),
            Rule::clause | Rule::clause_text => push(&mut self.things, "a clause `§…`"),
            Rule::date => push(&mut self.things, "a date like `2026-07-01`"),
            Rule::number | Rule::quantity => push(&mut self.things, "a number"),
            Rule::type_ref | Rule::type_outer => push(&mut self.things, "a type"),
            Rule::expr
            | Rule::choice
            | Rule::branch
            | Rule::logic
            | Rule::negation
            | Rule::comparison
            | Rule::sum
            | Rule::product
            | Rule::fallback
            | Rule::unary
            | Rule::atom
            | Rule::op_neg
            | Rule::amount
            | Rule::paren
            | Rule::lbracket
            | Rule::bracket
            | Rule::braces
            | Rule::between
            | Rule::undecided
            | Rule::kw_yes
            | Rule::kw_no
            | Rule::kw_absent
            | Rule::kw_undecided
            | Rule::kw_days
            | Rule::kw_months
            | Rule::kw_years
            | Rule::kw_hours
            | Rule::cell
            | Rule::cell_item
            | Rule::cell_any
            | Rule::dated
            | Rule::default => {
                push(&mut self.things, "a value");
            }
            _ => self.keywords.extend(first_words(rule)),
        }
    }

    /// Whether a name, and nothing else, fits.
    pub fn only_name(&self) -> bool {
        self.keywords.is_empty() && self.things == ["a name"]
    }

    /// The expected things in words. Operators are named only where nothing else is: they fit nearly everywhere.
    pub fn list(&self) -> String {
        let mut all: Vec<String> = Vec::new();
        let value = self.things.contains(&"a value");
        for thing in &self.things {
            // A value may be a name, a number, a text, a date …
            if *thing == "a value" || !value || *thing == "a clause `§…`" {
                all.push((*thing).to_owned());
            }
        }
        // Labels may stand nearly everywhere, and a bracket after any name: naming them would hide what is missing.
        let labels = |word: &str| matches!(word, "zh" | "en");
        // A rule may have many parts before `then`; what it lacks is `then`.
        let rule = self.keywords.contains(&"then") && self.keywords.contains(&"when");
        if rule && !value {
            return "`when` or `then`".to_owned();
        }
        let telling = !self.signs.is_empty() || self.keywords.iter().any(|word| !labels(word));
        let words =
            self.keywords.iter().filter(|word| !(self.operator && **word == "in" || telling && labels(word)));
        all.extend(words.map(|word| format!("`{word}`")));
        let only_bracket = self.signs == ["("] && all.is_empty();
        let signs = self.signs.iter().filter(|sign| !value && (**sign != "(" || only_bracket));
        all.extend(signs.map(|sign| format!("`{sign}`")));
        // Where a declaration could end, a sign of arithmetic is the first thing that comes to mind.
        let clause_at_most =
            self.keywords.is_empty() && self.things.iter().all(|thing| thing.starts_with("a clause"));
        if self.operator && clause_at_most && (all.is_empty() || self.end) {
            let more = if all.len() == 1 { "," } else { "" };
            all.insert(0, format!("`+`, `and` or the like{more}"));
        }
        all.truncate(9);
        join(&all)
    }
}

fn push(list: &mut Vec<&'static str>, item: &'static str) {
    if !list.contains(&item) {
        list.push(item);
    }
}

/// `a, b or c`.
pub fn join(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [many @ .., last] => format!("{} or {last}", many.join(", ")),
    }
}

/// The words that a clause begins with; a keyword's own word.
fn first_words(rule: Rule) -> Vec<&'static str> {
    let name = format!("{rule:?}");
    if let Some(word) = name.strip_prefix("kw_") {
        return KEYWORDS.iter().copied().filter(|keyword| *keyword == word).collect();
    }
    let words: &[&'static str] = match rule {
        Rule::when => &["when"],
        Rule::then => &["then"],
        Rule::tail => &["overrides", "replaces", "say"],
        Rule::dates => &["from", "before", "through"],
        Rule::for_each | Rule::for_in | Rule::over | Rule::target => &["for"],
        Rule::where_tail => &["where"],
        Rule::group => &["in"],
        Rule::labels | Rule::label => &["zh", "en"],
        Rule::header => &[
            "title", "source", "layer", "from", "governed", "applies", "uses", "extends", "rounding",
            "before", "through",
        ],
        Rule::hit => &["unique", "first", "nearest", "steps", "collect"],
        Rule::file_ref => &["file"],
        Rule::mode => &["down", "up", "half"],
        Rule::fact_from => &["from"],
        Rule::plugin_reads => &["reads"],
        Rule::on_failure => &["on"],
        Rule::bounds => &["in"],
        Rule::given_names | Rule::given => &["given"],
        Rule::output_each => &["each"],
        Rule::output_mode => &["one", "max", "min", "sum", "all", "each"],
        Rule::better => &["better"],
        Rule::guard => &["if"],
        Rule::calendar_entry => &["closed", "open"],
        Rule::like => &["like"],
        Rule::with => &["with"],
        Rule::expect => &["expect"],
        Rule::needs => &["needs"],
        Rule::by => &["by", "not"],
        Rule::weight => &["by"],
        Rule::state => &["absent", "undecided", "conflict", "faulty", "unknown"],
        Rule::may_set => &["may"],
        Rule::version => &["version"],
        Rule::vocabulary => &["vocabulary"],
        _ => &[],
    };
    words.to_vec()
}
