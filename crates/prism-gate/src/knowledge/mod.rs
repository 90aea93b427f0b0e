//! What the gate knows of Python and its libraries: names, never behaviour.
//!
//! [`builtins`], [`libraries`] and [`attributes`] are lists; [`verdict`] looks a dotted path up in them and in the tables of the rules.

pub(crate) mod attributes;
pub(crate) mod builtins;
pub(crate) mod libraries;
pub(crate) mod verdict;

use std::sync::OnceLock;

use rustc_hash::FxHashSet;

/// A list of names, written with spaces between and looked up by hash.
pub(crate) struct Words {
    text: &'static str,
    set: OnceLock<FxHashSet<&'static str>>,
}

impl Words {
    pub(crate) const fn new(text: &'static str) -> Self {
        let set = OnceLock::new();
        Self { text, set }
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        let set = self.set.get_or_init(|| self.iter().collect());
        set.contains(name)
    }

    /// In the order in which they are written.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &'static str> + use<> {
        let lines = self.text.lines().filter(|line| !line.starts_with('#'));
        lines.flat_map(str::split_whitespace)
    }
}
