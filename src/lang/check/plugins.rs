//! Facts from plugins: whose function answers them, what it may see, and what holds when it has no answer.
use super::cx::{Cx, is_broken};
use super::expr::some_of;
use crate::lang::ast;
use crate::lang::diagnostic::Diagnostic;
use crate::lang::index::Symbol;
use crate::lang::near::nearest;
use crate::lang::typed::*;
use std::sync::Arc;

impl<'a> Cx<'a> {
    /// Types what stands after `from plugin`; all roots must be known.
    pub(super) fn plugin_facts(&mut self, items: &[&'a ast::VocabItem]) {
        for item in items {
            let ast::VocabItem::Fact(f) = item else { continue };
            let ast::FactSource::Plugin(written) = &f.source else { continue };
            let (ty, bounds) = match self.plugin_fact(&f.name.text) {
                Some(Answered::Root(at)) => {
                    self.vocab.roots.get(at).map(|r| (r.ty.clone(), r.bounds.clone()))
                }
                Some(Answered::Call(at)) => {
                    self.vocab.fact_calls.get(at).map(|c| (c.ty.clone(), c.bounds.clone()))
                }
                None => None,
            }
            .unwrap_or((Ty::Never, None));
            if f.params.is_empty() && matches!(ty.inner(), Ty::Entity(_) | Ty::List(_) | Ty::Set(_)) {
                let message = format!("`{}` is answered by a plugin, so it is one value", f.name.text);
                let help = "make it a number, an amount, a word, a date, a text or a bool; declare a fact for each value that is wanted";
                self.error_help("E0303", f.ty.span, message, help);
            }
            let (plugin, function) = self.plugin_path(&written.path);
            let reads = self.reads(&f.name, &written.reads);
            let on_failure = self.on_failure(f, written, &ty, bounds.as_ref());
            let source = PluginSource { plugin, function, reads, on_failure, span: written.path.span };
            let place = match self.plugin_fact(&f.name.text) {
                Some(Answered::Root(at)) => self.vocab.roots.get_mut(at).map(|r| &mut r.source),
                Some(Answered::Call(at)) => self.vocab.fact_calls.get_mut(at).map(|c| &mut c.source),
                None => None,
            };
            if let Some(place) = place {
                *place = Source::Plugin(Arc::new(source));
            }
        }
    }

    fn plugin_fact(&self, name: &str) -> Option<Answered> {
        if let Some(at) = self.vocab.fact_calls.iter().position(|c| c.name == name) {
            return Some(Answered::Call(at));
        }
        self.root_by_name(name).map(|id| Answered::Root(id.ix()))
    }

    /// `acme.fraud.score` as (`acme.fraud`, `score`).
    fn plugin_path(&mut self, path: &ast::Path) -> (String, String) {
        if let [vendor, name, function] = path.parts.as_slice() {
            return (format!("{}.{}", vendor.text, name.text), function.text.clone());
        }
        self.error_help(
            "E0309",
            path.span,
            format!("`{}` does not name a plugin's function", path.text()),
            "write the vendor, the plugin and its function: `acme.fraud.score`",
        );
        let (function, plugin) =
            path.parts.split_last().map_or((String::new(), String::new()), |(f, rest)| {
                (f.text.clone(), rest.iter().map(|p| p.text.as_str()).collect::<Vec<_>>().join("."))
            });
        (plugin, function)
    }

    fn reads(&mut self, fact: &ast::Name, written: &[ast::Path]) -> Vec<Read> {
        let mut reads: Vec<Read> = Vec::new();
        for path in written {
            let Some(read) = self.read(fact, path) else { continue };
            let within =
                |a: &str, b: &str| a == b || a.strip_prefix(b).is_some_and(|rest| rest.starts_with('.'));
            let twice = reads.iter().find(|r| within(&read.path, &r.path) || within(&r.path, &read.path));
            if let Some(twice) = twice {
                let (first, second) = (twice.path.clone(), read.path.clone());
                self.error_help(
                    "E0310",
                    path.span,
                    format!("`{second}` overlaps with `{first}`, which the plugin may see already"),
                    "leave one of them out",
                );
                continue;
            }
            reads.push(read);
        }
        reads
    }

    /// A fact without arguments, or a part of it; a field of a list is that of each element.
    fn read(&mut self, fact: &ast::Name, path: &ast::Path) -> Option<Read> {
        let (first, rest) = path.parts.split_first()?;
        let Some(root) = self.root_by_name(&first.text) else {
            if self.vocab.fact_calls.iter().any(|f| f.name == first.text) {
                self.error_help(
                    "E0310",
                    first.span,
                    format!("`{}` is a fact with values in brackets, which no plugin is shown", first.text),
                    format!("let the rule give it to `{}` as a value in brackets", fact.text),
                );
            } else if !self.excused(&first.text) {
                let near = nearest(&first.text, self.vocab.roots.iter().map(|r| r.name.as_str()));
                let names: Vec<String> = self.vocab.roots.iter().map(|r| r.name.clone()).collect();
                let message = format!("there is no fact `{}` for the plugin to read", first.text);
                let help = format!("the vocabulary has {}", some_of(&names));
                self.misspelt("E0201", first.span, message, near, help);
            }
            return None;
        };
        self.means(first.span, Symbol::Root(root));
        let def = self.vocab.roots.get(root.ix())?;
        let (mut ty, from_plugin) = (def.ty.clone(), def.source.plugin().is_some());
        if from_plugin {
            self.error_help(
                "E0310",
                path.span,
                format!("`{}` is answered by a plugin itself, and no plugin is shown it", first.text),
                format!("let the rule give it to `{}` as a value in brackets", fact.text),
            );
            return None;
        }
        let (mut fields, mut at) = (Vec::new(), first.text.clone());
        for name in rest {
            let inner = match ty.inner() {
                Ty::Never => return None,
                Ty::List(of) | Ty::Set(of) => of.inner().clone(),
                other => other.clone(),
            };
            let Ty::Entity(id) = inner else {
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
            ty = def.fields.get(i)?.ty.clone();
            self.means(name.span, Symbol::Field(id, i as u32));
            fields.push(i as u32);
            at = format!("{at}.{}", name.text);
        }
        Some(Read { path: at, root, fields })
    }

    fn on_failure(
        &mut self,
        f: &'a ast::Fact,
        written: &'a ast::PluginFact,
        ty: &Ty,
        bounds: Option<&Bounds>,
    ) -> OnFailure {
        let name = &f.name.text;
        let Some(value) = &written.on_failure else {
            self.error_help(
                "E0308",
                written.path.span,
                format!("nothing says what `{name}` is when the plugin has no answer"),
                "add `on failure` with a fixed value, with `refer` (the desk is asked), or with `deny` (the question is refused)",
            );
            return OnFailure::Refer;
        };
        if let ast::ExprKind::Path(path) = &value.kind
            && let Some(word) = path.single()
            && !self.is_member(ty, &word.text)
        {
            match word.text.as_str() {
                "refer" => return OnFailure::Refer,
                "deny" => return OnFailure::Deny,
                _ => {}
            }
        }
        if *ty == Ty::Never {
            return OnFailure::Refer;
        }
        let fixed = self.fixed(None, value, ty, &format!("`{name}` on failure"));
        if is_broken(&fixed) {
            return OnFailure::Refer;
        }
        let ExprKind::Const(constant) = fixed.kind else {
            self.error_help(
                "E0308",
                value.span,
                format!("`{name}` on failure is a fixed value, `refer` or `deny`"),
                "write the value itself",
            );
            return OnFailure::Refer;
        };
        if let Some(bounds) = bounds.filter(|b| !super::bounds::holds(b, &constant)) {
            let message =
                format!("`{name}` lies in `{}`, so it cannot be `{}`", bounds.text, self.text(value.span));
            self.push(
                Diagnostic::error("E0308", value.span, message)
                    .help("let a value within the bounds hold when the plugin has no answer"),
            );
        }
        OnFailure::Value(constant)
    }

    /// Whether the type is a list of words with this one.
    fn is_member(&self, ty: &Ty, word: &str) -> bool {
        match ty.inner() {
            Ty::Enum(id) => {
                self.vocab.enums.get(id.ix()).is_some_and(|e| e.members.iter().any(|m| m.name == word))
            }
            Ty::Node(id) => {
                self.vocab.taxonomies.get(id.ix()).is_some_and(|t| t.nodes.iter().any(|n| n.name == word))
            }
            _ => false,
        }
    }
}

/// Where a fact from a plugin stands in the vocabulary.
enum Answered {
    Root(usize),
    Call(usize),
}
