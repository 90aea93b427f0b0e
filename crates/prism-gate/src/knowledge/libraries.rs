//! The libraries that a bundle may import, and what of each.
//!
//! `modules.txt` says which modules, and is reviewed by hand. `names.txt` says what each of them lends, and is written by
//! `cargo run -p xtask -- libraries`, which asks the locked runtime. What stands in neither is refused: a name that a new
//! version of a library brings is not lent until somebody has looked at it.

use std::sync::OnceLock;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Words;

static MODULES: &str = include_str!("modules.txt");
static NAMES: &str = include_str!("names.txt");

/// Modules that may be handed around as values: nothing in them has conditions, and nothing leads out of them.
pub(crate) static PLAIN: Words =
    Words::new("cmath itertools math torch.fft torch.linalg torch.nn.functional torch.nn.init torch.special");

/// A module as `modules.txt` describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// Its dotted name.
    pub name: &'static str,
    /// The only names that it lends; without them it lends what it documents.
    pub only: Option<Vec<&'static str>>,
    /// Names that it lends beside those that it documents.
    pub also: Vec<&'static str>,
}

/// The modules that may be imported, in the order of the file.
pub fn modules() -> Vec<Module> {
    let lines = MODULES.lines().map(str::trim);
    let modules = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    modules
        .map(|line| {
            let (name, only, also) = match (line.split_once(':'), line.split_once(" + ")) {
                (Some((name, only)), _) => (name, Some(only.split_whitespace().collect()), Vec::new()),
                (None, Some((name, also))) => (name, None, also.split_whitespace().collect()),
                (None, None) => (line, None, Vec::new()),
            };
            Module { name, only, also }
        })
        .collect()
}

/// What a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Class,
    Other,
}

/// What stands at a dotted path of a library.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum At<'p> {
    /// No library of ours.
    Foreign,
    /// A whole module, or what lies above one.
    Module,
    /// A lent name, and what follows it.
    Lent(Kind, &'p str),
    /// A name that its module does not lend.
    Missing(&'p str, &'p str),
}

type Table = FxHashMap<&'static str, FxHashMap<&'static str, Kind>>;

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = Table::default();
        let mut module = "";
        for line in NAMES.lines().filter(|line| !line.starts_with('#')) {
            if let Some(name) = line.strip_prefix("= ") {
                module = name;
                table.entry(name).or_default();
                continue;
            }
            let names = table.entry(module).or_default();
            names.extend(line.split_whitespace().map(|name| match name.strip_suffix('*') {
                Some(name) => (name, Kind::Class),
                None => (name, Kind::Other),
            }));
        }
        table
    })
}

/// The names that a module lends, sorted; `None` for a module that may not be imported.
pub fn names(module: &str) -> Option<Vec<&'static str>> {
    let mut names: Vec<&str> = table().get(module)?.keys().copied().collect();
    names.sort_unstable();
    Some(names)
}

/// Whether a module lends a name.
pub(crate) fn lends(module: &str, name: &str) -> bool {
    table().get(module).is_some_and(|names| names.contains_key(name))
}

/// Packages above modules that may be imported, which themselves may not.
fn above() -> &'static FxHashSet<&'static str> {
    static ABOVE: OnceLock<FxHashSet<&str>> = OnceLock::new();
    ABOVE.get_or_init(|| {
        let names = table().keys();
        names
            .flat_map(|name| name.match_indices('.').map(|(dot, _)| &name[..dot]))
            .collect()
    })
}

/// Whether a module may be imported.
pub(crate) fn is_allowed(module: &str) -> bool {
    table().contains_key(module)
}

/// Whether a path is a module that may be imported, or lies above one: a value that is a whole module.
pub(crate) fn is_module(path: &str) -> bool {
    is_allowed(path) || above().contains(path)
}

/// Whether a module may be handed around as a value.
pub(crate) fn is_plain(module: &str) -> bool {
    PLAIN.contains(module)
}

/// Whether `torch.nn.functional` or `torch.nn.init` has a function of this name. Those of `torch.linalg` and `math` are called
/// like what honest models keep: `norm`, `cos`.
pub(crate) fn is_functional(name: &str) -> bool {
    ["torch.nn.functional", "torch.nn.init"]
        .iter()
        .any(|module| matches!(at(&format!("{module}.{name}")), At::Lent(Kind::Other, "")))
}

/// What stands at a path.
pub(crate) fn at(path: &str) -> At<'_> {
    let end_of_first = path.find('.').unwrap_or(path.len());
    if !is_module(&path[..end_of_first]) {
        return At::Foreign;
    }
    let mut end = end_of_first;
    while end < path.len() {
        let (module, rest) = (&path[..end], &path[end + 1..]);
        let length = rest.find('.').unwrap_or(rest.len());
        let next = end + 1 + length;
        if is_module(&path[..next]) {
            end = next;
            continue;
        }
        let name = &rest[..length];
        return match table().get(module).and_then(|names| names.get(name)) {
            Some(kind) => At::Lent(*kind, rest[length..].trim_start_matches('.')),
            None => At::Missing(module, name),
        };
    }
    At::Module
}

/// Whether a path is a class that its library lends.
pub(crate) fn is_class(path: &str) -> bool {
    matches!(at(path), At::Lent(Kind::Class, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_that_is_allowed_lends_what_the_runtime_says() {
        let modules = modules();
        assert!(modules.is_sorted_by_key(|module| module.name));
        for module in &modules {
            assert!(table().contains_key(module.name), "{} has no names", module.name);
        }
        assert_eq!(modules.len(), table().len());
        assert!(PLAIN.iter().all(is_allowed));
    }

    #[test]
    fn a_path_is_followed_as_far_as_it_is_known() {
        assert_eq!(at("torch.nn.Linear"), At::Lent(Kind::Class, ""));
        assert_eq!(at("torch.nn.Linear.forward"), At::Lent(Kind::Class, "forward"));
        assert_eq!(at("torch.nn.functional"), At::Module);
        assert_eq!(
            at("torch.nn.functional.torch.hub"),
            At::Missing("torch.nn.functional", "torch")
        );
        assert_eq!(at("torch.sys"), At::Missing("torch", "sys"));
        assert_eq!(at("os.path"), At::Foreign);
    }
}
