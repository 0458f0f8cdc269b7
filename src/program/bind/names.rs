//! Names to numbers: the fields of an entity, the members of an enum, the nodes of a taxonomy.
use rustc_hash::FxHashMap;

/// A closed list of names with its look-up.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    list: Vec<Box<str>>,
    index: FxHashMap<Box<str>, u32>,
}

impl Names {
    pub(super) fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Names {
        let list: Vec<Box<str>> = names.into_iter().map(Box::from).collect();
        let index = list.iter().enumerate().map(|(i, n)| (n.clone(), i as u32)).collect();
        Names { list, index }
    }
    pub(super) fn get(&self, name: &str) -> Option<u32> {
        self.index.get(name).copied()
    }
    pub(super) fn name(&self, id: u32) -> &str {
        self.list.get(id as usize).map_or("", |n| n)
    }
    /// `did you mean "x"? ` where a name is close, then all the names, or the first 20.
    pub(super) fn hint(&self, wrong: &str) -> String {
        let mut out = String::new();
        if let Some(near) = nearest(wrong, self.list.iter().map(|n| &**n)) {
            out.push_str(&format!("did you mean \"{near}\"? "));
        }
        let shown: Vec<&str> = self.list.iter().take(20).map(|n| &**n).collect();
        out.push_str(&format!("known: {}", shown.join(", ")));
        if self.list.len() > shown.len() {
            out.push_str(&format!(" and {} more", self.list.len() - shown.len()));
        }
        out
    }
}

/// The closest of the names, if it is close enough to have been meant.
pub(crate) fn nearest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Comparing is quadratic in the length; nobody mistypes that long a name.
    if wrong.len() > 200 {
        return None;
    }
    let allowed = (wrong.chars().count() / 3).max(1);
    names
        .map(|name| (strsim::damerau_levenshtein(wrong, name), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, name)| name)
}
