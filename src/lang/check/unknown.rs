//! Names that mean nothing here: what was probably meant.
use super::cx::{Cx, Scope, broken_expr};
use super::expr::{element, some_of};
use super::vocab::TypeName;
use crate::lang::ast;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::near::{Near, nearest};
use crate::lang::typed::*;

impl<'a> Cx<'a> {
    /// All single words that can be named here.
    fn in_scope<'n>(&'n self, s: &'n Scope) -> Vec<&'n str> {
        let mut names: Vec<&str> = s.vars.iter().map(|(n, _)| n.as_str()).collect();
        if let Some(m) = s.module.and_then(|m| self.mods.get(m)) {
            names.extend(m.names.keys().map(String::as_str));
            let shared = m.uses.iter().chain(&m.extends).filter_map(|p| self.by_path.get(p)).flatten();
            names.extend(
                shared.filter_map(|m| self.mods.get(*m)).flat_map(|m| m.names.keys().map(String::as_str)),
            );
        }
        if let Some(d) = s.decision.and_then(|d| self.decision(d)) {
            names.extend(d.outputs.iter().map(|o| o.name.as_str()));
        }
        names.extend(self.vocab.roots.iter().map(|r| r.name.as_str()));
        names
    }

    /// Whether unknown names here may be declarations that could not be read.
    fn scope_is_torn(&self, s: &Scope) -> bool {
        let torn = |m: &super::modules::Mod<'_>| m.torn;
        self.torn
            || s.module.and_then(|m| self.mods.get(m)).is_some_and(|m| {
                let shared = m.uses.iter().chain(&m.extends).filter_map(|p| self.by_path.get(p)).flatten();
                // What a policy uses may not exist at all: that is reported there.
                let lost = m.uses.iter().chain(&m.extends).any(|p| !self.by_path.contains_key(p));
                torn(m) || lost || m.lost || shared.filter_map(|m| self.mods.get(*m)).any(torn)
            })
    }

    /// Reports a name that nothing declares.
    pub fn unknown_name(&mut self, s: &Scope, name: &ast::Name, hint: Option<&Ty>) -> Expr {
        let text = &name.text;
        if self.excused(text) || self.scope_is_torn(s) || self.broken_words {
            return broken_expr(name.span);
        }
        let yes = matches!(text.as_str(), "true" | "True" | "TRUE" | "是");
        if (yes || matches!(text.as_str(), "false" | "False" | "FALSE" | "否"))
            && hint.is_none_or(|t| *t.inner() == Ty::Bool)
        {
            let plain = if yes { "yes" } else { "no" };
            let message = format!("there is no name `{text}` here; did you mean `{plain}`?");
            self.push(Diagnostic::error("E0201", name.span, message).fix(name.span, plain));
            return broken_expr(name.span);
        }
        if self.drowned() {
            self.error("E0201", name.span, format!("there is no name `{text}` here"));
            return broken_expr(name.span);
        }
        let wanted = hint.map(element).filter(|t| matches!(t, Ty::Enum(_) | Ty::Node(_))).cloned();
        let expected = wanted.as_ref().map(|t| self.words_of(t)).unwrap_or_default();
        let names = if s.constant { Vec::new() } else { self.in_scope(s) };
        let compared = expected.len() + names.len() + self.words.len();
        let near = nearest(text, expected.iter().map(String::as_str))
            .or_else(|| nearest(text, names.iter().copied()))
            .or_else(|| {
                let near = nearest(text, self.words.keys().map(String::as_str))?;
                Some(Near { certain: false, ..near })
            });
        self.compared += compared;
        let labelled = self.labelled(text, wanted.as_ref());
        if let (None, Some(word)) = (&near, labelled) {
            let of = wanted.as_ref().map(|ty| format!(" is not one of `{}`", self.type_name(ty)));
            let of = of.unwrap_or_else(|| " is no word of the vocabulary".into());
            let message = format!("`{text}`{of}; did you mean `{word}` ({text})?");
            let certain = wanted.is_some();
            let found = Diagnostic::error("E0201", name.span, message).suggest(name.span, word);
            self.push(found.certain_if(certain));
            return broken_expr(name.span);
        }
        let message = match &wanted {
            Some(ty) => format!("`{text}` is not one of `{}`", self.type_name(ty)),
            None => format!("there is no name `{text}` here"),
        };
        let help = self.name_help(s, text, &wanted, &expected);
        self.misspelt("E0201", name.span, message, near, help);
        broken_expr(name.span)
    }

    /// The word that is shown to people as `text`, if there is one.
    fn labelled(&self, text: &str, wanted: Option<&Ty>) -> Option<String> {
        let shown = |l: &Label| l.zh.as_deref() == Some(text) || l.en.as_deref() == Some(text);
        let of = |ty: Ty| wanted.is_none_or(|w| *w == ty);
        let enums = self.vocab.enums.iter().enumerate().filter(|(i, _)| of(Ty::Enum(EnumId(*i as u32))));
        let member = enums.flat_map(|(_, e)| &e.members).find(|m| shown(&m.label)).map(|m| m.name.clone());
        let trees = self.vocab.taxonomies.iter().enumerate();
        let mut trees = trees.filter(|(i, _)| of(Ty::Node(TaxonomyId(*i as u32))));
        member.or_else(|| {
            trees.find_map(|(_, t)| t.nodes.iter().find(|n| shown(&n.label)).map(|n| n.name.clone()))
        })
    }

    fn name_help(&self, s: &Scope, text: &str, wanted: &Option<Ty>, expected: &[String]) -> String {
        if let Some(ty) = wanted {
            return format!("`{}` has {}", self.type_name(ty), some_of(expected));
        }
        if s.module.is_some_and(|m| self.rules.iter().any(|r| r.module == m && r.ast.name.text == text)) {
            return "that is a rule; rules are named only after `overrides`, `replaces` and `by`".into();
        }
        if matches!(self.types.get(text), Some(TypeName::Is(Ty::Entity(_)))) {
            return format!("add `{text}` to the decision's `given`");
        }
        if self.decision_by_name(text).is_some() {
            return format!("say which of its outputs: `{text}(…).NAME`");
        }
        if let Some(home) = self.mods.iter().find(|m| m.names.contains_key(text)) {
            return format!(
                "`{0}` declares it: write `{0}.{text}`, or `uses {0}` in the policy's head",
                home.path
            );
        }
        if s.constant {
            return "here stands a fixed value: a number with its unit, a date, `yes`, `no` or a word".into();
        }
        format!(
            "give it a meaning with `let {text} = …`, or write a fact like `item.category`, or a text in quotes"
        )
    }

    /// Reports a full path whose last name the policy does not declare.
    pub fn unknown_in_module(&mut self, path: &str, name: &ast::Name) {
        let mods: Vec<&super::modules::Mod<'_>> =
            self.by_path.get(path).into_iter().flatten().filter_map(|m| self.mods.get(*m)).collect();
        if self.torn || mods.iter().any(|m| m.torn) {
            return;
        }
        let near = nearest(&name.text, mods.iter().flat_map(|m| m.names.keys().map(String::as_str)));
        let mut names: Vec<String> = mods.iter().flat_map(|m| m.names.keys().cloned()).collect();
        names.sort();
        let message = format!("`{path}` declares no `{}`", name.text);
        let help = match names.is_empty() {
            true => "it declares no `let`, `param` or `table`".to_owned(),
            false => format!("it declares {}", some_of(&names)),
        };
        self.misspelt("E0201", name.span, message, near, help);
    }

    /// Of full paths the one that was probably meant: near as a whole, or with the same last name.
    pub fn full_path(&self, text: &str, last: &str, all: &[String]) -> Option<Near> {
        let ends = |path: &&String| path.ends_with(&format!(".{last}"));
        nearest(text, all.iter().map(String::as_str))
            .or_else(|| Some(Near { name: all.iter().find(ends)?.clone(), certain: false }))
    }
}
