//! `overrides` and `replaces`: which rules a name stands for, who may override whom, and that nobody overrides himself
//! by way of others.
use super::cx::Cx;
use crate::lang::ast;
use crate::lang::index::Symbol;
use crate::lang::near::{Near, nearest};
use crate::lang::source::Span;
use crate::lang::typed::*;
use std::collections::BTreeSet;

impl<'a> Cx<'a> {
    /// Resolves all `overrides` and `replaces`.
    pub fn overrides(&mut self) {
        for r in 0..self.rules.len() {
            let Some((m, ast)) = self.rules.get(r).filter(|r| r.typed.is_some()).map(|r| (r.module, r.ast))
            else {
                continue;
            };
            let own = RuleId(r as u32);
            let mut overrides = Vec::new();
            for o in &ast.overrides {
                let output = match &o.output {
                    Some(name) => {
                        let d = self.mods.get(m).and_then(|m| m.decides);
                        match d.and_then(|d| self.find_output(d, name)) {
                            Some(output) => Some(output),
                            None => continue,
                        }
                    }
                    None => None,
                };
                let mut rules = Vec::new();
                for path in &o.targets {
                    let found = self.targets(m, own, path, output, false);
                    rules.extend(found);
                }
                rules.sort_unstable();
                rules.dedup();
                overrides.push(Override { rules, output });
            }
            let mut replaces = Vec::new();
            for path in &ast.replaces {
                let found = self.targets(m, own, path, None, true);
                replaces.extend(found);
            }
            replaces.sort_unstable();
            replaces.dedup();
            if let Some(typed) = self.rules.get_mut(r).and_then(|r| r.typed.as_mut()) {
                typed.overrides = overrides;
                typed.replaces = replaces;
            }
        }
        self.cycles();
    }

    /// The rules that a path names, without the rule itself; findings for those it may not touch.
    fn targets(
        &mut self,
        m: usize,
        own: RuleId,
        path: &ast::Path,
        output: Option<OutputId>,
        replaces: bool,
    ) -> Vec<RuleId> {
        let Some(found) = self.named_rules(Some(m), path) else { return Vec::new() };
        let (verb, done) = if replaces { ("replace", "replaced") } else { ("override", "overridden") };
        if found == [own] {
            self.error("E0433", path.span, format!("a rule cannot {verb} itself"));
            return Vec::new();
        }
        let mut targets = Vec::new();
        let (mut contributes, mut other_decision, mut below) = (false, None, None);
        let Some(here) = self.mods.get(m) else { return Vec::new() };
        let (decides, rank) = (here.decides, here.layer.rank);
        for id in found.into_iter().filter(|id| *id != own) {
            let Some(rule) = self.rules.get(id.ix()) else { continue };
            let Some(module) = self.mods.get(rule.module) else { continue };
            if module.lost {
                continue;
            }
            if module.decides != decides {
                other_decision = Some(module.path.clone());
                continue;
            }
            if module.layer.rank > rank {
                below = Some((module.path.clone(), module.layer.kind.clone()));
                continue;
            }
            let acts = rule
                .typed
                .as_ref()
                .is_none_or(|t| output.is_none_or(|o| t.effects.iter().any(|e| e.output == o)));
            contributes |= acts || self.rules.get(id.ix()).is_some_and(|r| self.half_read(r.ast));
            targets.push(id);
        }
        let text = path.text();
        if let Some(other) = other_decision {
            self.error_help(
                "E0434",
                path.span,
                format!("`{text}` cannot be {done}: `{other}` decides something else"),
                "rules act only on rules that decide the same",
            );
            return Vec::new();
        }
        if let Some((other, kind)) = below {
            self.error_help(
                "E0433",
                path.span,
                format!("`{text}` cannot be {done} from here: `{other}` stands on the more special layer `{kind}`"),
                "a policy may act on rules of its own layer and of more general ones; write `binding` for what must hold against lower layers",
            );
            return Vec::new();
        }
        if let Some(o) = output
            && !contributes
            && !targets.is_empty()
        {
            let name = decides.and_then(|d| self.output(d, o)).map(|o| o.name.clone()).unwrap_or_default();
            self.error_help(
                "E0432",
                path.span,
                format!("`{text}` does nothing to `{name}`, so there is nothing to override"),
                format!("remove `for {name}`, or name an output that it sets"),
            );
            return Vec::new();
        }
        targets
    }

    /// Whether some effects of a rule were in error, so that what it contributes to is not fully known.
    fn half_read(&self, ast: &ast::Rule) -> bool {
        self.rules.iter().any(|r| {
            std::ptr::eq(r.ast, ast) && r.typed.as_ref().is_some_and(|t| t.effects.len() < ast.effects.len())
        })
    }

    /// The rules that a path stands for: a rule, a group or a policy, seen from policy `m`; `None` after a finding.
    pub fn named_rules(&mut self, m: Option<usize>, path: &ast::Path) -> Option<Vec<RuleId>> {
        if let Some(name) = path.single() {
            let mut homes: Vec<Vec<usize>> = m.map(|m| vec![m]).into_iter().collect();
            if let Some(module) = m.and_then(|m| self.mods.get(m)) {
                homes.extend(module.extends.iter().filter_map(|p| self.by_path.get(p).cloned()));
            }
            for home in &homes {
                if let Some(found) = self.rules_in(home, name) {
                    return Some(found);
                }
            }
        }
        let text = path.text();
        if let Some(versions) = self.by_path.get(&text) {
            let rules = (0..self.rules.len() as u32)
                .map(RuleId)
                .filter(|r| self.rules.get(r.ix()).is_some_and(|r| versions.contains(&r.module)))
                .collect();
            self.means_policy_at(path.span, &text);
            return Some(rules);
        }
        if let Some((module, [name])) = self.module_prefix(&path.parts) {
            let home = self.by_path.get(&module).cloned().unwrap_or_default();
            self.means_policy(&path.parts, &module);
            if let Some(found) = self.rules_in(&home, name) {
                return Some(found);
            }
            return self.unknown_rule(path.span, &name.text, &text, &home);
        }
        let mut home: Vec<usize> = m.into_iter().collect();
        if let Some(module) = m.and_then(|m| self.mods.get(m)) {
            home.extend(module.extends.iter().filter_map(|p| self.by_path.get(p)).flatten());
        }
        let last = path.parts.last().map_or(text.as_str(), |n| n.text.as_str());
        self.unknown_rule(path.span, last, &text, &home)
    }

    /// A rule or a group of these versions of a policy. Both of one name: a finding, and nothing.
    fn rules_in(&mut self, home: &[usize], name: &ast::Name) -> Option<Vec<RuleId>> {
        let (mut named, mut grouped) = (Vec::new(), Vec::new());
        for (i, r) in self.rules.iter().enumerate().filter(|(_, r)| home.contains(&r.module)) {
            if r.ast.name.text == name.text {
                named.push(RuleId(i as u32));
            }
            if r.ast.group.as_ref().is_some_and(|g| g.text == name.text) {
                grouped.push(RuleId(i as u32));
            }
        }
        let broken =
            home.iter().filter_map(|m| self.mods.get(*m)).any(|m| m.broken_rules.contains(&name.text));
        match (named.is_empty(), grouped.is_empty()) {
            (true, true) if broken => Some(Vec::new()),
            (true, true) => None,
            (false, true) => {
                for id in &named {
                    self.means(name.span, Symbol::Rule(*id));
                }
                Some(named)
            }
            (true, false) => {
                self.means_group(name.span, home, &name.text);
                Some(grouped)
            }
            (false, false) => {
                self.error_help(
                    "E0206",
                    name.span,
                    format!("`{}` is both a rule and a group", name.text),
                    "rename one of them",
                );
                Some(Vec::new())
            }
        }
    }

    fn unknown_rule(&mut self, span: Span, name: &str, text: &str, home: &[usize]) -> Option<Vec<RuleId>> {
        let torn =
            home.iter().filter_map(|m| self.mods.get(*m)).any(|m| m.torn || !m.broken_rules.is_empty());
        if self.torn || torn {
            return None;
        }
        let mut near: BTreeSet<&str> = BTreeSet::new();
        let mut elsewhere = Vec::new();
        for r in &self.rules {
            let group = r.ast.group.as_ref().map(|g| g.text.as_str());
            if home.contains(&r.module) {
                near.insert(&r.ast.name.text);
                near.extend(group);
            } else if (r.ast.name.text == name || group == Some(name))
                && let Some(m) = self.mods.get(r.module)
            {
                elsewhere.push(format!("{}.{name}", m.path));
            }
        }
        let near = nearest(name, near).filter(|_| elsewhere.is_empty());
        // Only the last part of a path is misspelt.
        let near = near.map(|near| match text.rsplit_once('.') {
            Some((home, _)) => Near { name: format!("{home}.{}", near.name), ..near },
            None => near,
        });
        let help = match elsewhere.first() {
            Some(full) => format!("write its full path: `{full}`"),
            None => "name a rule, a group (`in GROUP`) or a policy by its path".to_owned(),
        };
        self.misspelt("E0207", span, format!("there is no rule or group `{text}`"), near, help);
        None
    }

    /// Overriding in a circle has no meaning. Looked at output by output, since overrides may be for one only.
    fn cycles(&mut self) {
        let mut told: BTreeSet<Vec<RuleId>> = BTreeSet::new();
        let most = self.vocab.decisions.iter().map(|d| d.outputs.len()).max().unwrap_or(0);
        for o in (0..most).map(|o| OutputId(o as u32)) {
            for circle in self.circles(o) {
                let mut key = circle.clone();
                key.sort_unstable();
                if !told.insert(key) {
                    continue;
                }
                let names: Vec<String> = circle
                    .iter()
                    .chain(circle.first())
                    .filter_map(|r| Some(format!("`{}`", self.rules.get(r.ix())?.ast.name.text)))
                    .collect();
                let span = circle.first().and_then(|r| self.rules.get(r.ix())).map(|r| r.ast.name.span);
                self.error_help(
                    "E0435",
                    span.unwrap_or_default(),
                    format!("these rules override each other in a circle: {}", names.join(" → ")),
                    "remove one of the `overrides`",
                );
            }
        }
    }

    fn circles(&self, o: OutputId) -> Vec<Vec<RuleId>> {
        let next = |r: RuleId| -> Vec<RuleId> {
            let Some(t) = self.rules.get(r.ix()).and_then(|r| r.typed.as_ref()) else { return Vec::new() };
            let named = t.overrides.iter().filter(|v| v.output.is_none_or(|x| x == o)).flat_map(|v| &v.rules);
            named.chain(&t.replaces).copied().collect()
        };
        let mut done = vec![0u8; self.rules.len()];
        let mut found = Vec::new();
        for start in (0..self.rules.len() as u32).map(RuleId) {
            if done.get(start.ix()).copied() != Some(0) {
                continue;
            }
            let mut path: Vec<(RuleId, Vec<RuleId>)> = vec![(start, next(start))];
            if let Some(d) = done.get_mut(start.ix()) {
                *d = 1;
            }
            while let Some((at, rest)) = path.last_mut() {
                let at = *at;
                let Some(to) = rest.pop() else {
                    if let Some(d) = done.get_mut(at.ix()) {
                        *d = 2;
                    }
                    path.pop();
                    continue;
                };
                match done.get_mut(to.ix()) {
                    Some(d @ 0) => {
                        *d = 1;
                        path.push((to, next(to)));
                    }
                    Some(1) => {
                        found.push(path.iter().map(|(r, _)| *r).skip_while(|r| *r != to).collect());
                    }
                    _ => {}
                }
            }
        }
        found
    }
}
