//! Random tables of every hit policy.
use super::facts::*;
use super::generate::{Builder, type_name};
use super::grow::TableSketch;
use super::literals::{bounds, literal};

impl Builder {
    pub(super) fn table(&mut self, name: &str) {
        let hit =
            self.rng.word(&["", "", "first", "nearest", "steps", "collect sum", "collect max", "first"]);
        let key_types = [
            (T::Season, true),
            (T::Tier, false),
            (T::Cat, false),
            (T::Money, false),
            (T::Int, false),
            (T::Bool, false),
            (T::Text, false),
            (T::Date, false),
        ];
        // With steps, only one column may hold plain amounts.
        let key_types = if hit == "steps" {
            &[(T::Season, true), (T::Cat, false), (T::Bool, false), (T::Text, false)][..]
        } else {
            &key_types[..]
        };
        let mut keys: Vec<(T, bool)> =
            (0..1 + self.rng.below(3)).map(|_| *self.rng.pick(key_types)).collect();
        let mut steps = None;
        if hit == "steps" {
            keys.push(*self.rng.pick(&[(T::Money, false), (T::Int, false), (T::Point, false)]));
            steps = Some(keys.len() - 1);
        }
        if hit == "nearest" {
            keys.push((T::Cat, false));
        }
        let collects = hit.starts_with("collect");
        let results: Vec<(String, T, bool)> = (0..1 + self.rng.below(2))
            .map(|i| {
                let of = if collects {
                    [T::Money, T::Int, T::Dec]
                } else {
                    *self.rng.pick(&[[T::Money, T::Period, T::Tier], [T::Dec, T::Bool, T::Money]])
                };
                let optional = !collects && self.rng.chance(1, 4);
                (format!("r{i}"), *self.rng.pick(&of), optional)
            })
            .collect();
        let keyed: Vec<String> = keys
            .iter()
            .enumerate()
            .map(|(i, (ty, opt))| format!("k{i}: {}{}", type_name(*ty), if *opt { "?" } else { "" }))
            .collect();
        let given: Vec<String> = results
            .iter()
            .map(|(n, ty, opt)| format!("{n}: {}{}", type_name(*ty), if *opt { "?" } else { "" }))
            .collect();
        self.line(&format!("table {name}({}) -> {} {hit} §{name}", keyed.join(", "), given.join(", ")));
        let table = TableSketch { name: name.into(), keys, results };
        let mut seen = Vec::new();
        for _ in 0..1 + self.rng.below(5) {
            self.row(&table, steps, &mut seen);
        }
        self.scope.tables.push(table);
    }

    pub(super) fn row(&mut self, table: &TableSketch, steps: Option<usize>, seen: &mut Vec<String>) {
        let mut cells: Vec<String> = Vec::new();
        for (i, (ty, optional)) in table.keys.iter().enumerate() {
            // Rows of another policy do not know which column holds thresholds: plain values serve there, too.
            let plain = steps == Some(i) || (steps.is_none() && i > 0 && i + 1 == table.keys.len());
            let cell = match (*ty, self.rng.below(10)) {
                _ if plain => literal(&mut self.rng, *ty),
                (_, 0..=2) => "-".into(),
                (_, 3) => "else".into(),
                (_, 4) if *optional => "absent".into(),
                (T::Money | T::Int | T::Date, 5 | 6) => {
                    format!("{} {}", self.rng.word(&[">=", "<", ">", "<="]), literal(&mut self.rng, *ty))
                }
                (T::Money | T::Int | T::Date | T::Tier, 7) => format!("[{}]", bounds(&mut self.rng, *ty)),
                (T::Season | T::Cat | T::Text, 7) => {
                    format!("{}, {}", literal(&mut self.rng, *ty), literal(&mut self.rng, *ty))
                }
                _ => literal(&mut self.rng, *ty),
            };
            cells.push(cell);
        }
        // Two rows that say the same are refused.
        let keys = cells.join("|");
        if seen.contains(&keys) {
            return;
        }
        seen.push(keys);
        for (_, ty, optional) in &table.results {
            cells.push(match self.rng.below(12) {
                0 => "undecided \"which?\"".into(),
                1 | 2 if *optional => "absent".into(),
                _ => literal(&mut self.rng, *ty),
            });
        }
        let dates = if self.rng.chance(1, 6) { " from 2026-07-01" } else { "" };
        self.line(&format!("  | {} |{dates}", cells.join(" | ")));
    }
}
