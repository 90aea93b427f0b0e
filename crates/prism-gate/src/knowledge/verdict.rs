//! A dotted path of a library to the rule that refuses it, if one does.
//!
//! The tables of all rules in one map, built once. A path is refused by its longest prefix in the map; by a private
//! component; by a component that is the name of a refused module (`random._os`, `torch.sys`); or because its module
//! lends only some names.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::libraries;
use crate::rule::{Denied, RuleSet};
use crate::rules;

/// Why a path is refused.
pub(crate) struct Refusal {
    pub(crate) set: &'static RuleSet,
    /// What is wrong, after the path: a verb and its object.
    pub(crate) reason: &'static str,
    pub(crate) hint: &'static str,
}

type Table = FxHashMap<&'static str, (&'static RuleSet, &'static Denied)>;

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        rules::ALL
            .iter()
            .flat_map(|set| set.denied.iter().map(move |denied| (denied.path, (*set, denied))))
            .collect()
    })
}

/// Names that are both a refused module and an honest member of an allowed one.
const HONEST_MEMBERS: &[&str] = &[
    "__future__",
    "array",
    "cmd",
    "cuda",
    "code",
    "formatter",
    "imp",
    "parser",
    "profile",
    "resource",
    "sched",
    "select",
    "signal",
    "site",
    "symbol",
    "this",
    "trace",
];

/// Private names of torch that honest code uses.
const HONEST_PRIVATE: &[&str] = &[
    "_assert",
    "_check",
    "_orig_mod",
    "_C_flash_attention",
    "_LRScheduler",
    "_Loss",
];

/// Whether an import of a whole module is refused.
pub(crate) fn of_import(module: &str) -> Option<Refusal> {
    of_prefix(module, 1).or_else(|| of_component(module)).or_else(|| {
        (!libraries::is_allowed(module)).then(|| Refusal {
            set: &rules::no_forbidden_import::SET,
            reason: "is not on the list of modules that a bundle may import",
            hint: rules::no_forbidden_import::hint(module),
        })
    })
}

/// Whether a reference to a member of a library is refused. A whole module is judged where it is imported.
pub(crate) fn of_reference(path: &str) -> Option<Refusal> {
    if path.starts_with('<') {
        return None;
    }
    let refusal = of_prefix(path, 2);
    if refusal.is_some() || path.starts_with("builtins.") {
        return refusal;
    }
    let has_underscores = path.contains("._");
    of_component(path)
        .or_else(|| of_alias(path))
        .or_else(|| has_underscores.then(|| of_private(path)).flatten())
        .or_else(|| has_underscores.then(|| of_dunder(path)).flatten())
        .or_else(|| of_public(path))
}

/// No name in a table has more components, so that of a long chain only its beginning is looked up.
const COMPONENTS_MAX: usize = 8;

/// The table's entry for the longest prefix of at least so many components.
fn of_prefix(path: &str, components_min: usize) -> Option<Refusal> {
    let dots = path
        .bytes()
        .enumerate()
        .filter(|(_, byte)| *byte == b'.')
        .map(|(place, _)| place);
    let ends = dots
        .chain([path.len()])
        .take(COMPONENTS_MAX)
        .skip(components_min - 1);
    let (set, denied) = ends.filter_map(|end| table().get(&path[..end])).last()?;
    Some(Refusal {
        set,
        reason: set.reason,
        hint: denied.hint,
    })
}

/// A library's own import of a refused module is as good as ours.
fn of_component(path: &str) -> Option<Refusal> {
    path.split('.').skip(1).find_map(|component| {
        let entry = match component.strip_prefix('_') {
            Some(name) => table().get(component).or_else(|| table().get(name)),
            None => table()
                .get(component)
                .filter(|_| !HONEST_MEMBERS.contains(&component)),
        };
        let (set, denied) = entry?;
        Some(Refusal {
            set,
            reason: set.reason,
            hint: denied.hint,
        })
    })
}

/// Functions that have the name of a module.
const HONEST_ALIASES: &[&str] = &[
    "bisect.bisect",
    "math.dist",
    "torch.cuda.init",
    "torch.dist",
    "torch.Tensor.dist",
];

/// A library's own import of another module: from there on no list holds.
fn of_alias(path: &str) -> Option<Refusal> {
    if path.starts_with("builtins.") || path.starts_with('<') {
        return None;
    }
    let mut end = path.find('.')?;
    loop {
        let rest = &path[end + 1..];
        let name = rest.split('.').next().unwrap_or_default();
        end += 1 + name.len();
        let at = &path[..end];
        if libraries::is_alias(name) && !libraries::is_allowed(at) && !HONEST_ALIASES.contains(&at) {
            // What lies behind may be private to torch, which is the graver finding.
            return of_private(path).or(Some(Refusal {
                set: &rules::no_forbidden_import::SET,
                reason: "goes through another module that this one imports for itself",
                hint: "import that module by its own name, if it is on the list",
            }));
        }
        if end >= path.len() {
            return None;
        }
    }
}

/// Private members of a library are no part of what it promises, and some of torch's lead out of Python.
fn of_private(path: &str) -> Option<Refusal> {
    let mut components = path.split('.');
    let top = components.next().unwrap_or_default();
    let private = components.find(|name| {
        name.starts_with('_')
            && !name.starts_with("__")
            && !name.starts_with("_foreach_")
            && !HONEST_PRIVATE.contains(name)
    })?;
    debug_assert!(!private.is_empty());
    let (set, hint): (&'static RuleSet, _) = match top {
        "torch" => (
            &rules::no_torch_escape::SET,
            "use the documented function of `torch` that does this",
        ),
        "prism_runtime" | "prism_challenge" => (&rules::no_harness_access::SET, "use the documented `ctx`"),
        _ => (&rules::no_forbidden_import::SET, "use the library's public names"),
    };
    Some(Refusal {
        set,
        reason: "is private to its library",
        hint,
    })
}

/// `from functools import __loader__` needs no dot, but is the same as `functools.__loader__`.
fn of_dunder(path: &str) -> Option<Refusal> {
    let is_refused = path
        .split('.')
        .skip(1)
        .any(rules::no_attribute_escape::is_refused);
    is_refused.then_some(Refusal {
        set: &rules::no_attribute_escape::SET,
        reason: rules::no_attribute_escape::SET.reason,
        hint: "use the library's public names",
    })
}

fn of_public(path: &str) -> Option<Refusal> {
    let dots = path
        .bytes()
        .enumerate()
        .filter(|(_, byte)| *byte == b'.')
        .map(|(place, _)| place);
    for dot in dots {
        let (module, rest) = (&path[..dot], &path[dot + 1..]);
        let name = rest.split('.').next().unwrap_or(rest);
        if !libraries::is_public(module, name) && !name.starts_with("__") {
            let set: &'static RuleSet = if module.starts_with("prism_") {
                &rules::no_harness_access::SET
            } else {
                &rules::no_forbidden_import::SET
            };
            return Some(Refusal {
                set,
                reason: "is not among the names that a bundle may use of this module",
                hint: "see the list on the rule's page",
            });
        }
    }
    None
}
