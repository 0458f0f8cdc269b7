//! The facts that a case states, and the values that it expects, typed.
use super::cx::Cx;
use super::expr::some_of;
use super::vocab::TypeName;
use crate::lang::ast;
use crate::lang::index::Symbol;
use crate::lang::near::nearest;
use crate::lang::typed::*;

/// A root with fields below it, and what lies there.
struct FactPlace {
    root: RootId,
    fields: Vec<u32>,
    ty: Ty,
    bounds: Option<Bounds>,
}

impl<'a> Cx<'a> {
    /// `item.category = clothing`; `None` after a finding.
    pub fn setting_of_case(&mut self, s: &'a ast::Setting) -> Option<CaseSetting> {
        let name = format!("`{}`", s.target.text());
        if !s.args.is_empty() {
            let (id, args) = self.asked_fact(&s.target, &s.args)?;
            let def = self.vocab.fact_calls.get(id.ix())?;
            let (ty, bounds) = (def.ty.clone(), def.bounds.clone());
            let value = self.given(&s.value, &ty, &name)?;
            let value = self.within_bounds(value, bounds.as_ref(), s.value.span, &name)?;
            return Some(CaseSetting { target: Target::Call(id, args), value, span: s.span });
        }
        let FactPlace { root, fields, ty, bounds } = self.fact_path(&s.target)?;
        let value = self.given(&s.value, &ty, &name)?;
        let value = self.within_bounds(value, bounds.as_ref(), s.value.span, &name)?;
        Some(CaseSetting { target: Target::Root(root, fields), value, span: s.span })
    }

    fn called_fact(&mut self, path: &ast::Path) -> Option<FactCallId> {
        let text = path.text();
        if let Some(at) = self.vocab.fact_calls.iter().position(|f| f.name == text) {
            self.means(path.span, Symbol::FactCall(FactCallId(at as u32)));
            return Some(FactCallId(at as u32));
        }
        if !self.excused(&text) {
            let near = nearest(&text, self.vocab.fact_calls.iter().map(|f| f.name.as_str()));
            let message = format!("there is no fact `{text}` with values in brackets");
            let help = "a fact without values in brackets is written `NAME = …`";
            self.misspelt("E0201", path.span, message, near, help);
        }
        None
    }

    /// A root with fields below it, and what the place holds.
    fn fact_path(&mut self, path: &ast::Path) -> Option<FactPlace> {
        let (first, rest) = path.parts.split_first()?;
        let Some(root) = self.root_by_name(&first.text) else {
            if self.vocab.fact_calls.iter().any(|f| f.name == first.text) {
                self.error_help(
                    "E0304",
                    first.span,
                    format!("`{}` is asked for by values in brackets", first.text),
                    format!("write `{}(…)`, with a value for each", first.text),
                );
            } else if !self.excused(&first.text) {
                let near = nearest(&first.text, self.vocab.roots.iter().map(|r| r.name.as_str()));
                let names: Vec<String> = self.vocab.roots.iter().map(|r| r.name.clone()).collect();
                let message = format!("there is no fact `{}`", first.text);
                let help = format!("the vocabulary has {}", some_of(&names));
                self.misspelt("E0201", first.span, message, near, help);
            }
            return None;
        };
        self.means(first.span, Symbol::Root(root));
        let def = self.vocab.roots.get(root.ix())?;
        let (mut ty, mut bounds) = (def.ty.clone(), def.bounds.clone());
        let (mut fields, mut at) = (Vec::new(), first.text.clone());
        for name in rest {
            if ty == Ty::Never {
                return None;
            }
            let Ty::Entity(id) = ty.inner() else {
                let message = format!("`{at}` is {} and has no `{}`", self.show(&ty), name.text);
                self.error("E0202", name.span, message);
                return None;
            };
            let def = self.vocab.entities.get(id.ix())?;
            let Some(i) = def.fields.iter().position(|f| f.name == name.text) else {
                let near = nearest(&name.text, def.fields.iter().map(|f| f.name.as_str()));
                let names: Vec<String> = def.fields.iter().map(|f| f.name.clone()).collect();
                let message = format!("`{at}.{}` is not a field of {}", name.text, def.name);
                let help = format!("{} has {}", def.name, some_of(&names));
                self.misspelt("E0202", name.span, message, near, help);
                return None;
            };
            let (field, symbol) = (def.fields.get(i)?.clone(), Symbol::Field(*id, i as u32));
            self.means(name.span, symbol);
            (ty, bounds) = (field.ty, field.bounds);
            fields.push(i as u32);
            at = format!("{at}.{}", name.text);
        }
        (ty != Ty::Never).then_some(FactPlace { root, fields, ty, bounds })
    }

    /// `rate("K2", 2026-05-01)`: a fact with the values that it is asked for by.
    fn asked_fact(&mut self, target: &ast::Path, given: &'a [ast::Expr]) -> Option<(FactCallId, Vec<Const>)> {
        let name = format!("`{}`", target.text());
        let id = self.called_fact(target)?;
        let params = self.vocab.fact_calls.get(id.ix())?.params.clone();
        if params.len() != given.len() {
            let names: Vec<String> = params.iter().map(|(n, _)| n.clone()).collect();
            self.error("E0304", target.span, format!("{name} is asked for by {}", some_of(&names)));
            return None;
        }
        let mut args = Vec::new();
        for (arg, (param, ty)) in given.iter().zip(&params) {
            let fixed = self.fixed(None, arg, ty, &format!("`{param}` of {name}"));
            match fixed.kind {
                ExprKind::Const(c) => args.push(c),
                _ => return None,
            }
        }
        Some((id, args))
    }

    /// `needs item.season`, `needs rate("K2", 2026-05-01)`: a fact that answers name as missing.
    pub fn needed(&mut self, need: &'a ast::Need) -> Option<Need> {
        if !need.args.is_empty() {
            return self.asked_fact(&need.target, &need.args).map(|(id, args)| Need::Call(id, args));
        }
        self.fact_path(&need.target).map(|_| Need::Path(need.target.text()))
    }

    /// A stated value of a type; `None` after a finding.
    pub fn given(&mut self, e: &'a ast::Expr, ty: &Ty, what: &str) -> Option<Given> {
        if *ty == Ty::Never {
            return None;
        }
        match (&e.kind, ty.inner()) {
            // `unknown` takes back what a model states.
            (ast::ExprKind::Path(p), inner)
                if p.text() == "unknown" && !self.words_of(inner).iter().any(|w| w == "unknown") =>
            {
                Some(Given::Unknown)
            }
            (ast::ExprKind::Absent, _) if ty.is_optional() => Some(Given::Absent),
            (ast::ExprKind::Absent, _) => {
                let message = format!("{what} cannot be absent: it needs {}", self.show(ty));
                self.error_help("E0330", e.span, message, "give a value, or leave it out if it is not known");
                None
            }
            (ast::ExprKind::List(items) | ast::ExprKind::Set(items), Ty::List(of) | Ty::Set(of)) => {
                let typed: Vec<Option<Given>> =
                    items.iter().map(|i| self.given(i, of, &format!("each value of {what}"))).collect();
                typed.into_iter().collect::<Option<Vec<Given>>>().map(Given::List)
            }
            (ast::ExprKind::Call(c), inner) => self.entity(c, inner, what, e),
            (_, Ty::Entity(id)) => {
                let name = self.vocab.entities.get(id.ix()).map(|d| d.name.clone()).unwrap_or_default();
                let message = format!("{what} needs {}", self.show(ty));
                self.error_help("E0301", e.span, message, format!("write `{name}(FIELD: …)`"));
                None
            }
            _ if self.hyphened(e, |_, _| false) => None,
            _ => {
                let fixed = self.fixed(None, e, ty.inner(), what);
                match fixed.kind {
                    ExprKind::Const(c) => Some(Given::Value(c)),
                    _ => None,
                }
            }
        }
    }

    fn entity(&mut self, c: &'a ast::Call, ty: &Ty, what: &str, e: &'a ast::Expr) -> Option<Given> {
        let named = match c.function.single().and_then(|n| self.types.get(&n.text)) {
            Some(TypeName::Is(Ty::Entity(id))) => Some(*id),
            Some(TypeName::Broken) => return None,
            _ => None,
        };
        let Some(id) = named else {
            self.error_help(
                "E0404",
                e.span,
                "only fixed values can stand here",
                "write the value itself; an entity is written `line(FIELD: …)`",
            );
            return None;
        };
        if *ty != Ty::Entity(id) {
            let message =
                format!("{what} needs {}, but this is {}", self.show(ty), self.show(&Ty::Entity(id)));
            self.error("E0301", e.span, message);
            return None;
        }
        let def = self.vocab.entities.get(id.ix())?.clone();
        self.means(c.function.span, Symbol::Entity(id));
        self.means_fields(c, id);
        let mut fields: Vec<(u32, Given)> = Vec::new();
        let mut whole = true;
        for arg in &c.args {
            let Some(name) = &arg.name else {
                self.error_help(
                    "E0304",
                    arg.span,
                    format!("each field of `{}` is given by its name", def.name),
                    format!("write `{}(FIELD: …)`", def.name),
                );
                return None;
            };
            let at = def.fields.iter().position(|f| f.name == name.text);
            let Some((at, field)) = at.and_then(|i| Some((i, def.fields.get(i)?))) else {
                let near = nearest(&name.text, def.fields.iter().map(|f| f.name.as_str()));
                let names: Vec<String> = def.fields.iter().map(|f| f.name.clone()).collect();
                let message = format!("`{}` is not a field of {}", name.text, def.name);
                let help = format!("{} has {}", def.name, some_of(&names));
                self.misspelt("E0202", name.span, message, near, help);
                return None;
            };
            if fields.iter().any(|(i, _)| *i == at as u32) {
                self.error("E0304", arg.span, format!("`{}` is given twice", name.text));
                return None;
            }
            let what = format!("`{}`", name.text);
            let value = self.given(&arg.value, &field.ty, &what);
            match value.and_then(|v| self.within_bounds(v, field.bounds.as_ref(), arg.value.span, &what)) {
                Some(value) => fields.push((at as u32, value)),
                None => whole = false,
            }
        }
        fields.sort_by_key(|(i, _)| *i);
        whole.then_some(Given::Entity(id, fields))
    }
}
