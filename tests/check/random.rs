//! Texts changed at random: nothing ends the checker, and what it lets pass keeps the promises of `typed`.
use super::harness::load;
use super::{LAYERS, PLACES, VOCAB};
use zhanggui::lang::typed::*;

/// A small generator with a fixed start, so that failures repeat.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below.max(1) as u64) as usize
    }
}

/// Words, numbers, signs and blanks, each with the place where it stands.
fn tokens(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut start = 0;
    let kind = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => 0,
        c if c.is_whitespace() => 1,
        _ => 2,
    };
    let mut last = None;
    for (at, c) in text.char_indices() {
        let k = kind(c);
        if last.is_some_and(|l| l != k || k == 2) {
            out.push(&text[start..at]);
            start = at;
        }
        last = Some(k);
    }
    out.push(&text[start..]);
    out
}

fn changed(text: &str, pool: &[&str], dice: &mut Dice) -> String {
    let mut tokens: Vec<&str> = tokens(text);
    for _ in 0..1 + dice.roll(3) {
        let at = dice.roll(tokens.len());
        match dice.roll(4) {
            0 => {
                tokens.remove(at);
            }
            1 => {
                let other = dice.roll(tokens.len());
                tokens.swap(at, other);
            }
            // A word for a word is the likeliest to parse.
            _ if tokens[at].chars().all(char::is_alphanumeric) || dice.roll(8) == 0 => {
                tokens[at] = pool[dice.roll(pool.len())];
            }
            _ => {}
        }
    }
    tokens.concat()
}

#[test]
fn changed_texts_are_refused_or_keep_the_promises() {
    let policy = include_str!("good.policy");
    let cases = "cases for return_item at s1\ncase \"a\" given item.paid = 3 CNY, lines = [line(paid: 3 CNY)] expect allow by no_slip\n";
    let mut pool: Vec<&str> = tokens(policy).into_iter().chain(tokens(VOCAB)).collect();
    pool.retain(|t| t.chars().all(|c| c.is_alphanumeric() || c == '_'));
    let mut dice = Dice(0x5eed_cafe_f00d_1234);
    let (mut good, mut bad) = (0, 0);
    for round in 0..600 {
        let (mut vocab, mut text, mut case) = (VOCAB.to_owned(), policy.to_owned(), cases.to_owned());
        match round % 4 {
            0 => vocab = changed(VOCAB, &pool, &mut dice),
            1 => case = changed(cases, &pool, &mut dice),
            _ => text = changed(policy, &pool, &mut dice),
        }
        let files =
            [("base.vocab", vocab.as_str()), ("good.policy", text.as_str()), ("a.cases", case.as_str())];
        let loaded = load(&files, &LAYERS, &PLACES);
        let broken = loaded.syntax.iter().any(|d| d.is_error());
        assert!(
            broken
                || loaded.checked.rulebook.is_some()
                || loaded.checked.diagnostics.iter().any(|d| d.is_error())
        );
        match loaded.checked.rulebook.as_ref().filter(|_| !broken) {
            Some(book) => {
                good += 1;
                let wrong = promises(book);
                assert!(wrong.is_empty(), "{wrong:#?}\n{text}\n{vocab}\n{case}");
            }
            None => bad += 1,
        }
    }
    assert!(good > 50 && bad > 50, "{good} {bad}");
}

#[test]
fn the_good_text_keeps_the_promises() {
    let files = [("base.vocab", VOCAB), ("good.policy", include_str!("good.policy"))];
    let loaded = load(&files, &LAYERS, &PLACES);
    assert_eq!(promises(loaded.checked.rulebook.as_ref().unwrap()), Vec::<String>::new());
}

/// What a typed rulebook promises, and does not keep.
pub fn promises(book: &Rulebook) -> Vec<String> {
    let mut wrong = Vec::new();
    for d in &book.vocab.decisions {
        let mut order: Vec<OutputId> = d.order.clone();
        order.sort_unstable();
        let all: Vec<OutputId> = (0..d.outputs.len() as u32).map(OutputId).collect();
        if order != all {
            wrong.push(format!("order of {}", d.name));
        }
        for o in &d.outputs {
            if let Some(g) = &o.guard {
                look(book, g, &mut wrong);
            }
            if let Fallback::Else(e) = &o.fallback {
                look(book, e, &mut wrong);
                fits(e, &o.ty, &mut wrong);
            }
        }
    }
    for p in &book.policies {
        for e in p.governed_by.iter().chain(&p.applies_when) {
            look(book, e, &mut wrong);
        }
    }
    for l in &book.lets {
        look(book, &l.value, &mut wrong);
    }
    for p in &book.params {
        for v in p.values.iter().chain(p.settings.iter().flat_map(|s| &s.values)) {
            look(book, &v.value, &mut wrong);
            fits(&v.value, &p.ty, &mut wrong);
        }
    }
    for t in &book.tables {
        for r in t.own.rows.iter().chain(t.extra.iter().flat_map(|b| &b.rows)) {
            if r.tests.len() != t.params.len() || r.results.len() != t.results.len() {
                wrong.push(format!("row of {}", t.name));
            }
        }
    }
    for r in &book.rules {
        let d = &book.vocab.decisions[book.policies[r.policy.ix()].decides.unwrap().ix()];
        for e in r.for_each.iter().map(|f| &f.list).chain(&r.guard).chain(&r.when) {
            look(book, e, &mut wrong);
        }
        for e in &r.effects {
            look(book, &e.value, &mut wrong);
            let o = &d.outputs[e.output.ix()];
            match (&e.value.ty, o.mode) {
                (Ty::Set(of) | Ty::List(of), Mode::All) if **of == o.ty => {}
                _ => fits(&e.value, &o.ty, &mut wrong),
            }
            if !o.working && !e.value.on_step {
                wrong.push(format!("{} off step in {}", o.name, r.name));
            }
        }
        for o in &r.overrides {
            wrong
                .extend(o.rules.iter().filter(|r| r.ix() >= book.rules.len()).map(|_| "override".to_owned()));
        }
    }
    wrong
}

/// A value where `ty` is needed.
fn fits(e: &Expr, ty: &Ty, wrong: &mut Vec<String>) {
    if e.ty.inner() != ty.inner() || (e.ty.is_optional() && !ty.is_optional()) {
        wrong.push(format!("{:?} for {ty:?}", e.ty));
    }
}

fn look(book: &Rulebook, e: &Expr, wrong: &mut Vec<String>) {
    visit::all(e, &mut |e| {
        let same = |a: &Expr, b: &Expr| a.ty.inner() == b.ty.inner();
        let plain = |x: &Expr| !x.ty.is_optional();
        let ok = match &e.kind {
            ExprKind::Undecided(l) => l.zh.is_some() || l.en.is_some(),
            ExprKind::Present(x) => x.ty == e.ty.clone().optional() && plain(e),
            ExprKind::Not(x) => x.ty == Ty::Bool,
            ExprKind::And(a, b) | ExprKind::Or(a, b) => {
                a.ty == Ty::Bool && b.ty == Ty::Bool && e.ty == Ty::Bool
            }
            ExprKind::Is(a, b) => same(a, b),
            ExprKind::Cmp(_, a, b) => a.ty == b.ty && plain(a),
            ExprKind::If(c, a, b) => {
                c.ty == Ty::Bool && same(a, e) && same(b, e) && (!plain(e) || (plain(a) && plain(b)))
            }
            ExprKind::Otherwise(a, b) => same(a, e) && same(b, e) && (!plain(e) || plain(b)),
            ExprKind::Arith(ArithOp::Add | ArithOp::Sub, a, b) => {
                plain(a) && plain(b) && (a.ty == b.ty || matches!(b.ty, Ty::Period | Ty::Duration))
            }
            ExprKind::Arith(_, a, b) => plain(a) && plain(b),
            ExprKind::Widen(x) => *x.ty.inner() == Ty::Int && *e.ty.inner() == Ty::Dec,
            ExprKind::Lookup { table, args, result } => {
                let t = &book.tables[table.ix()];
                (*result as usize) < t.results.len()
                    && args.len() == t.params.len()
                    && args.iter().zip(&t.params).all(|(a, (_, ty))| {
                        a.ty.inner() == ty.inner() && (!a.ty.is_optional() || ty.is_optional())
                    })
            }
            ExprKind::Field(x, i) => match &x.ty {
                Ty::Entity(id) => book.vocab.entities[id.ix()].fields[*i as usize].ty == e.ty,
                _ => false,
            },
            ExprKind::Var(v) => (v.0 as usize) < book.vars.len(),
            ExprKind::Root(r) => book.vocab.roots[r.ix()].ty == e.ty,
            ExprKind::Let(id) => {
                book.lets[id.ix()].value.ty == e.ty || e.ty.inner() == book.lets[id.ix()].value.ty.inner()
            }
            ExprKind::Comp { list, cond, .. } => {
                matches!(list.ty, Ty::List(_)) && cond.as_ref().is_none_or(|c| c.ty == Ty::Bool)
            }
            ExprKind::In(x, Membership::Values(v)) => plain(x) && v.iter().all(|v| v.ty == x.ty),
            ExprKind::In(x, Membership::Interval { low, high, .. }) => low.ty == x.ty && high.ty == x.ty,
            ExprKind::In(x, Membership::Nodes(_)) => matches!(x.ty, Ty::Node(_)),
            _ => true,
        };
        if !ok {
            wrong.push(format!("{:?}", e));
        }
    });
}
