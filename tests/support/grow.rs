//! Random well-typed expressions, as text; every one that is not an atom stands in brackets.
use super::facts::*;
use super::literals::{bounds, literal};
use super::rng::Rng;

/// A table that expressions may look into.
#[derive(Clone, Debug)]
pub struct TableSketch {
    pub name: String,
    pub keys: Vec<(T, bool)>,
    pub results: Vec<(String, T, bool)>,
}

/// An output that expressions may read.
#[derive(Clone, Debug)]
pub struct OutputSketch {
    pub name: String,
    /// The type that expressions see; `None`: of no use to them (records, sets).
    pub ty: Option<T>,
    pub optional: bool,
    pub per_line: bool,
    /// The members of an `all` output.
    pub set: Option<T>,
}

/// What is in scope while an expression grows.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Lets with their types and whether they are optional.
    pub lets: Vec<(String, T, bool)>,
    pub params: Vec<(String, T)>,
    pub tables: Vec<TableSketch>,
    /// Readable outputs; the largest index read is noted in `read`.
    pub outputs: Vec<OutputSketch>,
    pub read: usize,
    /// Per-line outputs that `previous` may read: all of them, in rulebooks that look back.
    pub back: Option<Vec<OutputSketch>>,
    /// Loop variables over `lines`.
    pub vars: Vec<String>,
    /// Whether the decision `e` may be called, and the table `coupon` filled.
    pub calls: bool,
    pub fills: bool,
    pub names: usize,
}

/// Whether a loop variable runs over all lines (the names of others begin with `f`).
fn over_all(var: &str) -> bool {
    !var.starts_with('f')
}

impl Scope {
    fn var(&mut self) -> String {
        self.names += 1;
        format!("x{}", self.names)
    }

    /// An expression of a type that is not optional; amounts lie on their step.
    pub fn grow(&mut self, rng: &mut Rng, ty: T, depth: usize) -> String {
        if depth == 0 || rng.chance(1, 6) {
            return self.leaf(rng, ty);
        }
        let d = depth - 1;
        if rng.chance(1, 12) {
            let (c, a, b) = (self.grow(rng, T::Bool, d), self.grow(rng, ty, d), self.grow(rng, ty, d));
            return format!("(if {c} then {a} else {b})");
        }
        if rng.chance(1, 90) {
            return "(undecided \"what then?\")".into();
        }
        match ty {
            T::Bool => self.boolean(rng, d),
            T::Int => self.int(rng, d),
            T::Dec => self.dec(rng, d),
            T::Money => self.money(rng, d),
            T::Point => match rng.below(5) {
                0 => {
                    let mode = rng.word(&["down", "up", "half up", "half even"]);
                    format!("({} * 1 point per 2 CNY rounded {mode})", self.grow(rng, T::Money, d))
                }
                1 => self.binary(rng, "+", T::Point, T::Point, d),
                2 => self.binary(rng, "-", T::Point, T::Point, d),
                3 => self.binary(rng, "*", T::Point, T::Int, d),
                _ if self.fills && rng.chance(1, 2) => {
                    format!("fill(coupon, {}).used", self.grow(rng, T::Point, d.min(1)))
                }
                _ => self.call(rng, "max", T::Point, d),
            },
            T::Date => match rng.below(8) {
                0 | 1 => self.binary(rng, "+", T::Date, T::Period, d),
                2 => self.binary(rng, "-", T::Date, T::Period, d),
                3 => {
                    let f = rng.word(&[
                        "start_of_week",
                        "start_of_month",
                        "end_of_month",
                        "end_of_quarter",
                        "end_of_year",
                    ]);
                    format!("{f}({})", self.grow(rng, T::Date, d))
                }
                4 => format!("date_of({})", self.grow(rng, T::DateTime, d)),
                5 => format!("next_workday({}, cal)", self.grow(rng, T::Date, d)),
                6 => format!("anniversary({}, {})", self.grow(rng, T::Date, d), self.grow(rng, T::Int, d)),
                _ => {
                    let f = rng.word(&["earliest", "latest"]);
                    self.call(rng, &f, T::Date, d)
                }
            },
            T::DateTime => match rng.below(3) {
                0 => self.binary(rng, "+", T::DateTime, T::Period, d),
                1 => format!("({} + 36 hours)", self.grow(rng, T::DateTime, d)),
                _ => format!("start_of_day({})", self.grow(rng, T::Date, d)),
            },
            T::Period if rng.chance(1, 6) => self.over_lines(rng, "sum", Some(T::Period), d),
            T::Period => match rng.below(5) {
                0 => self.binary(rng, "+", T::Period, T::Period, d),
                1 => self.binary(rng, "*", T::Period, T::Int, d),
                2 => {
                    let unit = rng.word(&["days", "months", "years"]);
                    let (a, b) = (self.grow(rng, T::Date, d), self.grow(rng, T::Date, d));
                    format!("({unit} from {a} to {b})")
                }
                _ => self.optional_or(rng, ty, d),
            },
            T::Tier => match rng.below(3) {
                0 => {
                    let f = rng.word(&["above", "below"]);
                    format!("({f}({}) otherwise {})", self.grow(rng, ty, d), self.leaf(rng, ty))
                }
                1 => self.call(rng, "max", T::Tier, d),
                _ => self.optional_or(rng, ty, d),
            },
            T::Season => self.optional_or(rng, ty, d),
            T::Cat | T::Text => self.leaf(rng, ty),
        }
    }

    /// An optional expression, or another value of its type.
    fn optional_or(&mut self, rng: &mut Rng, ty: T, d: usize) -> String {
        match self.optional(rng, ty) {
            Some(x) => format!("({x} otherwise {})", self.grow(rng, ty, d)),
            None => self.leaf(rng, ty),
        }
    }

    fn binary(&mut self, rng: &mut Rng, op: &str, a: T, b: T, d: usize) -> String {
        format!("({} {op} {})", self.grow(rng, a, d), self.grow(rng, b, d))
    }

    fn call(&mut self, rng: &mut Rng, f: &str, ty: T, d: usize) -> String {
        format!("{f}({}, {})", self.grow(rng, ty, d), self.grow(rng, ty, d))
    }

    /// `f(body for x in lines where …)`
    fn over_lines(&mut self, rng: &mut Rng, f: &str, body: Option<T>, d: usize) -> String {
        let filtered = rng.chance(1, 5);
        let x = if filtered { format!("f{}", self.var()) } else { self.var() };
        self.vars.push(x.clone());
        let body = match body {
            Some(ty) => format!("{} for ", self.grow(rng, ty, d)),
            None => String::new(),
        };
        let cond =
            if rng.chance(1, 2) { format!(" where {}", self.grow(rng, T::Bool, d)) } else { String::new() };
        self.vars.pop();
        let list = if filtered {
            let y = self.var();
            self.vars.push(y.clone());
            let cond = self.grow(rng, T::Bool, d.min(1));
            self.vars.pop();
            format!("list({y} for {y} in lines where {cond})")
        } else {
            "lines".into()
        };
        format!("{f}({body}{x} in {list}{cond})")
    }

    fn boolean(&mut self, rng: &mut Rng, d: usize) -> String {
        match rng.below(17) {
            0..=3 => {
                let ty = *rng.pick(&[
                    T::Int,
                    T::Dec,
                    T::Money,
                    T::Money,
                    T::Date,
                    T::Tier,
                    T::Point,
                    T::Period,
                    T::DateTime,
                ]);
                let op = rng.word(&[">=", ">", "<=", "<"]);
                self.binary(rng, &op, ty, ty, d)
            }
            4 | 5 => self.binary(rng, "and", T::Bool, T::Bool, d),
            6 | 7 => self.binary(rng, "or", T::Bool, T::Bool, d),
            8 => format!("(not {})", self.grow(rng, T::Bool, d)),
            9 => {
                let ty = *rng.pick(&[T::Season, T::Tier, T::Int, T::Money, T::Text, T::Date]);
                let op = rng.word(&["is", "is not"]);
                match self.optional(rng, ty) {
                    Some(x) if rng.chance(1, 2) => format!("({x} {op} {})", literal(rng, ty)),
                    _ => format!("({} {op} {})", self.leaf(rng, ty), literal(rng, ty)),
                }
            }
            10 if rng.chance(1, 2) => self.in_output(rng),
            10 => {
                let ty = *rng.pick(&[T::Season, T::Money, T::Tier, T::Period]);
                match self.optional(rng, ty) {
                    Some(x) => format!("({x} {})", rng.word(&["is absent", "is not absent"])),
                    None => self.leaf(rng, T::Bool),
                }
            }
            11 => {
                let node = rng.word(CAT);
                format!("({} {} {node})", self.leaf(rng, T::Cat), rng.word(&["in", "not in"]))
            }
            12 => {
                let ty = *rng.pick(&[T::Tier, T::Text, T::Season, T::Cat]);
                let x = self.leaf(rng, ty);
                let (a, b) = (literal(rng, ty), literal(rng, ty));
                format!("({x} in {{{a}, {b}}})")
            }
            13 => {
                let ty = *rng.pick(&[T::Money, T::Int, T::Date, T::Tier]);
                let (low, high) = *rng.pick(&[("[", "]"), ("[", ")"), ("(", "]")]);
                format!("({} in {low}{}{high})", self.grow(rng, ty, d), bounds(rng, ty))
            }
            14 => {
                let f = rng.word(&["any", "all"]);
                self.over_lines(rng, &f, Some(T::Bool), d)
            }
            15 => match rng.below(4) {
                0 => format!("({} in codes)", self.leaf(rng, T::Text)),
                1 => format!("is_workday({}, cal)", self.grow(rng, T::Date, d)),
                2 => format!("rated({}, {})", self.leaf(rng, T::Text), self.leaf(rng, T::Tier)),
                _ => "(receipt.member is not absent and receipt.member.level >= mid)".into(),
            },
            _ => {
                // Narrowing: the right side reads what the left says is there.
                let c = literal(rng, T::Money);
                format!("(item.discount is not absent and item.discount {} {c})", rng.word(&["<", ">="]))
            }
        }
    }

    /// Whether something is in the set of an output, where there is one.
    fn in_output(&mut self, rng: &mut Rng) -> String {
        let outputs: Vec<(usize, OutputSketch)> =
            self.outputs.iter().cloned().enumerate().filter(|(_, o)| o.set.is_some()).collect();
        if outputs.is_empty() {
            return self.leaf(rng, T::Bool);
        }
        let (i, output) = rng.pick(&outputs).clone();
        self.read = self.read.max(i + 1);
        let (name, x) = (output.name, literal(rng, output.set.unwrap_or(T::Tier)));
        match output.optional {
            true => format!("({name} is not absent and {x} in {name})"),
            false => format!("({x} in {name})"),
        }
    }

    /// The sum of a per-line output, where there is one.
    fn sum_of_output(&mut self, rng: &mut Rng, ty: T) -> Option<String> {
        let fits = |o: &OutputSketch| o.per_line && !o.optional && o.ty == Some(ty);
        let all: Vec<(usize, String)> = self
            .outputs
            .iter()
            .enumerate()
            .filter(|(_, o)| fits(o))
            .map(|(i, o)| (i, o.name.clone()))
            .collect();
        if all.is_empty() {
            return None;
        }
        let (i, name) = rng.pick(&all).clone();
        self.read = self.read.max(i + 1);
        let x = format!("f{}", self.var());
        Some(match rng.below(2) {
            0 => format!("sum({x} for {x} in {name})"),
            _ => format!("sum({x}.{name} for {x} in lines)").replace(&x, &x[1..]),
        })
    }

    fn int(&mut self, rng: &mut Rng, d: usize) -> String {
        match rng.below(9) {
            0 => self.binary(rng, "+", T::Int, T::Int, d),
            1 => self.binary(rng, "-", T::Int, T::Int, d),
            2 => self.binary(rng, "*", T::Int, T::Int, d),
            3 => {
                format!("{}({})", rng.word(&["year", "month", "day", "weekday"]), self.grow(rng, T::Date, d))
            }
            4 => self.over_lines(rng, "count", None, d),
            5 => self.over_lines(rng, "sum", Some(T::Int), d),
            6 => format!("abs({})", self.grow(rng, T::Int, d)),
            7 => format!("length({})", rng.word(&["lines", "codes"])),
            _ => self.call(rng, "min", T::Int, d),
        }
    }

    fn dec(&mut self, rng: &mut Rng, d: usize) -> String {
        match rng.below(8) {
            0 => self.binary(rng, "+", T::Dec, T::Dec, d),
            1 => self.binary(rng, "-", T::Dec, T::Int, d),
            2 => self.binary(rng, "*", T::Dec, T::Dec, d),
            3 => self.binary(rng, "/", T::Int, T::Int, d),
            4 => self.binary(rng, "/", T::Money, T::Money, d),
            5 => {
                let mode = rng.word(&["down", "up", "half up", "half even"]);
                format!(
                    "({} rounded {mode} to {})",
                    self.grow(rng, T::Dec, d),
                    rng.word(&["0.01", "0.1", "1", "5"])
                )
            }
            6 => self.call(rng, "max", T::Dec, d),
            _ => format!("(-{})", self.leaf(rng, T::Dec)),
        }
    }

    fn money(&mut self, rng: &mut Rng, d: usize) -> String {
        match rng.below(15) {
            0 | 1 => self.binary(rng, "+", T::Money, T::Money, d),
            2 => self.binary(rng, "-", T::Money, T::Money, d),
            3 => self.binary(rng, "*", T::Money, T::Int, d),
            4 => self.call(rng, "min", T::Money, d),
            5 => self.call(rng, "max", T::Money, d),
            6 | 7 => {
                let mode = rng.word(&["down", "up", "half up", "half even", "undecided \"which way?\""]);
                let to = rng.word(&["", " to 1 CNY", " to 0.10 CNY", " to 50 CNY"]);
                let (a, b) = (self.grow(rng, T::Money, d), self.grow(rng, T::Dec, d));
                let op = rng.word(&["*", "*", "/"]);
                format!("({a} {op} {b} rounded {mode}{to})")
            }
            8 if rng.chance(1, 2)
                && let Some(sum) = self.sum_of_output(rng, T::Money) =>
            {
                sum
            }
            8 => self.over_lines(rng, "sum", Some(T::Money), d),
            9 if self.fills && rng.chance(1, 3) => {
                format!("fill(coupon, {}).value", self.grow(rng, T::Point, d.min(1)))
            }
            9 => {
                let f = rng.word(&["min", "max"]);
                self.over_lines(rng, &f, Some(T::Money), d)
            }
            10 => format!("spend({})", self.grow(rng, T::Int, d)),
            11 => self.optional_or(rng, T::Money, d),
            12 => match self.vars.last().filter(|v| over_all(v)).cloned() {
                Some(l) => {
                    let y = self.var();
                    let amount = self.grow(rng, T::Money, d.min(1));
                    format!("share({l}, {amount}, {y}.paid for {y} in lines)")
                }
                None => {
                    let (y, z) = (self.var(), self.var());
                    let amount = self.grow(rng, T::Money, d.min(1));
                    let weight = rng.word(&["paid", "n"]);
                    format!("sum({z} for {z} in split({amount} by {y}.{weight} for {y} in lines))")
                }
            },
            13 if self.calls => {
                let y = self.var();
                self.vars.push(y.clone());
                let change = match rng.below(3) {
                    0 => format!(
                        "lines: list({y} for {y} in lines where {})",
                        self.grow(rng, T::Bool, d.min(1))
                    ),
                    1 => format!("today: {}", self.leaf(rng, T::Date)),
                    _ => "lines: lines".into(),
                };
                self.vars.pop();
                format!("e({change}).back")
            }
            _ => format!("abs({})", self.grow(rng, T::Money, d)),
        }
    }

    /// A value of the line before, where the rulebook looks back.
    fn before(&mut self, rng: &mut Rng, ty: T) -> Option<String> {
        let back = self.back.as_ref()?;
        let vars: Vec<&String> = self.vars.iter().filter(|v| over_all(v)).collect();
        if vars.is_empty() {
            return None;
        }
        let var = (*rng.pick(&vars)).clone();
        let mut all: Vec<String> = match ty {
            T::Money => vec![format!("{var}.paid")],
            T::Cat => vec![format!("{var}.cat")],
            T::Bool => vec![format!("{var}.full")],
            T::Int => vec![format!("{var}.n"), format!("({var}.n + 1)")],
            T::Tier => vec![format!("{var}.level")],
            T::Text => vec![format!("{var}.ref")],
            _ => vec![],
        };
        let outputs = back.iter().filter(|o| o.ty == Some(ty));
        all.extend(outputs.flat_map(|o| [format!("{var}.{}", o.name), format!("{var}.{}", o.name)]));
        if all.is_empty() { None } else { Some(format!("previous({})", rng.pick(&all))) }
    }

    /// Something optional of a type.
    fn optional(&mut self, rng: &mut Rng, ty: T) -> Option<String> {
        let mut all: Vec<String> = match ty {
            T::Season => vec!["item.season".into()],
            T::Money => vec!["item.discount".into()],
            T::Period => vec!["item.term".into()],
            T::Tier => self.vars.iter().map(|v| format!("{v}.level")).collect(),
            _ => vec![],
        };
        all.extend(self.lets.iter().filter(|l| l.1 == ty && l.2).map(|l| l.0.clone()));
        let lookup = self.lookup(rng, ty, true);
        all.extend(lookup);
        if rng.chance(1, 2)
            && let Some(before) = self.before(rng, ty)
        {
            return Some(before);
        }
        let readable = self.outputs.iter().enumerate();
        let outputs: Vec<(usize, String)> = readable
            .filter(|(_, o)| o.ty == Some(ty) && o.optional && !o.per_line)
            .map(|(i, o)| (i, o.name.clone()))
            .collect();
        if !outputs.is_empty() && rng.chance(1, 2) {
            let (i, name) = rng.pick(&outputs).clone();
            self.read = self.read.max(i + 1);
            return Some(name);
        }
        if all.is_empty() { None } else { Some(rng.pick(&all).clone()) }
    }

    /// A lookup that gives a type.
    fn lookup(&mut self, rng: &mut Rng, ty: T, optional: bool) -> Option<String> {
        let mut fitting = Vec::new();
        for table in &self.tables {
            for (name, of, opt) in &table.results {
                if *of == ty && *opt == optional {
                    fitting.push((table.clone(), name.clone()));
                }
            }
        }
        if fitting.is_empty() {
            return None;
        }
        let (table, column) = rng.pick(&fitting).clone();
        let column = if table.results.len() > 1 { format!(".{column}") } else { String::new() };
        let keys: Vec<String> = table.keys.iter().map(|(ty, opt)| self.key(rng, *ty, *opt)).collect();
        Some(format!("{}({}){column}", table.name, keys.join(", ")))
    }

    fn key(&mut self, rng: &mut Rng, ty: T, optional: bool) -> String {
        match (ty, optional) {
            (T::Season, true) => "item.season".into(),
            (T::Money, true) => "item.discount".into(),
            (T::Tier, true) if !self.vars.is_empty() => format!("{}.level", rng.pick(&self.vars)),
            _ if rng.chance(1, 3) => self.grow(rng, ty, 1),
            _ => self.leaf(rng, ty),
        }
    }

    /// A fact, literal, let, param, lookup or output.
    fn leaf(&mut self, rng: &mut Rng, ty: T) -> String {
        if rng.chance(1, 4) {
            return literal(rng, ty);
        }
        if rng.chance(1, 4)
            && let Some(lookup) = self.lookup(rng, ty, false)
        {
            return lookup;
        }
        let mut all: Vec<&str> = match ty {
            T::Bool => vec!["item.flag"],
            T::Int => vec!["item.qty"],
            T::Dec => vec!["item.ratio"],
            T::Money => vec!["item.price", "receipt.total"],
            T::Point => vec!["item.pts"],
            T::Date => vec!["today", "item.day", "receipt.day"],
            T::DateTime => vec!["item.moment"],
            T::Tier => vec!["item.tier"],
            T::Cat => vec!["item.cat"],
            T::Text => vec!["item.code"],
            T::Period | T::Season => vec![],
        };
        let field = match ty {
            T::Money => "paid",
            T::Bool => "full",
            T::Int => "n",
            T::Cat => "cat",
            T::Text => "ref",
            _ => "",
        };
        let of_lines: Vec<String> = if field.is_empty() {
            vec![]
        } else {
            self.vars.iter().map(|v| format!("{v}.{field}")).collect()
        };
        // What belongs to the loop is the more interesting.
        for v in &of_lines {
            all.extend([v.as_str(), v.as_str()]);
        }
        let lets: Vec<String> = self.lets.iter().filter(|l| l.1 == ty && !l.2).map(|l| l.0.clone()).collect();
        let params: Vec<String> = self.params.iter().filter(|p| p.1 == ty).map(|p| p.0.clone()).collect();
        all.extend(lets.iter().chain(&params).map(String::as_str));
        let mut outputs: Vec<(usize, String)> = Vec::new();
        for (i, o) in self.outputs.iter().enumerate().filter(|(_, o)| o.ty == Some(ty) && !o.optional) {
            match (o.per_line, self.vars.last().filter(|v| over_all(v))) {
                (false, _) => outputs.push((i, o.name.clone())),
                (true, Some(l)) => outputs.push((i, format!("{l}.{}", o.name))),
                (true, None) => {}
            }
        }
        if !outputs.is_empty() && rng.chance(1, 2) {
            let (i, text) = rng.pick(&outputs).clone();
            self.read = self.read.max(i + 1);
            return text;
        }
        if all.is_empty() { literal(rng, ty) } else { (*rng.pick(&all)).to_owned() }
    }
}
