//! A dotted path of a library to the rule that refuses it, if one does.
//!
//! The tables of all rules in one map, built once. A path is refused by its longest prefix in the map, because its module
//! does not lend the name, or because of an attribute behind it. The tables choose the rule and the hint; what is allowed
//! stands in the lists of [`libraries`] and [`attributes`].

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::attributes;
use super::libraries::{self, At};
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
            .flat_map(|set| {
                let named = |denied: &'static crate::rule::Denied| {
                    denied.paths.split_whitespace().map(move |path| (path, denied))
                };
                let all = set.denied.iter().flat_map(named);
                all.map(move |(path, denied)| (path, (*set, denied)))
            })
            .collect()
    })
}

/// Whether an import of a whole module is refused.
pub(crate) fn of_import(module: &str) -> Option<Refusal> {
    if libraries::is_allowed(module) {
        return None;
    }
    of_prefix(module, 1)
        .or_else(|| of_private(module, module.split('.').skip(1)))
        .or_else(|| {
            Some(Refusal {
                set: &rules::no_forbidden_import::SET,
                reason: "is not on the list of modules that a bundle may import",
                hint: rules::no_forbidden_import::hint(module),
            })
        })
}

/// All paths in the tables of the rules, sorted.
pub(crate) fn denied() -> Vec<&'static str> {
    let mut paths: Vec<&str> = table().keys().copied().collect();
    paths.sort_unstable();
    paths
}

/// Whether a rule's table refuses a name of a library.
pub(crate) fn is_denied(path: &str) -> bool {
    of_prefix(path, 2).is_some()
}

/// Whether a reference to a member of a library is refused. A whole module is judged where it is imported.
pub(crate) fn of_reference(path: &str) -> Option<Refusal> {
    if path.starts_with('<') {
        return None;
    }
    let refusal = of_prefix(path, 2);
    if refusal.is_some() {
        return refusal;
    }
    if let Some(rest) = path.strip_prefix("builtins.") {
        return of_attributes(path, rest.split('.').skip(1));
    }
    if path.starts_with("torch._foreach_") && !path["torch._foreach_".len()..].contains('.') {
        return None;
    }
    match libraries::at(path) {
        // What was not imported was refused there, and says nothing more.
        At::Foreign | At::Module | At::Lent(_, "") => None,
        At::Lent(_, rest) => of_attributes(path, rest.split('.')),
        At::Missing(_, name) if name.starts_with("__") && name.ends_with("__") => {
            of_private(path, [name].into_iter())
        }
        At::Missing(module, name) => Some(of_missing(path, module, name)),
    }
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

/// A name that a module does not lend: a refused module that it imports for itself is as good as ours.
fn of_missing(path: &str, module: &str, name: &str) -> Refusal {
    let entry = table()
        .get(name)
        .or_else(|| table().get(name.trim_start_matches('_')));
    if let Some((set, denied)) = entry {
        return Refusal {
            set,
            reason: set.reason,
            hint: denied.hint,
        };
    }
    if let Some(refusal) = of_private(path, [name].into_iter()) {
        return refusal;
    }
    if module.starts_with("torch.") && libraries::is_module(name) {
        return Refusal {
            set: &rules::no_torch_escape::SET,
            reason: "goes through another module that this one imports for itself",
            hint: "import that module by its own name, if it is on the list",
        };
    }
    let set: &'static RuleSet = if module.starts_with("prism_") {
        &rules::no_harness_access::SET
    } else {
        &rules::no_forbidden_import::SET
    };
    Refusal {
        set,
        reason: "is not among the names that a bundle may use of this module",
        hint: "use a name that the library documents; `prism explain libraries` lists them",
    }
}

/// Private members of a library are no part of what it promises, and some of torch's lead out of Python.
fn of_private<'p>(path: &str, mut names: impl Iterator<Item = &'p str>) -> Option<Refusal> {
    let name = names.find(|name| name.starts_with('_'))?;
    if name.starts_with("__") && name.ends_with("__") {
        return rules::no_attribute_escape::is_refused(name).then_some(Refusal {
            set: &rules::no_attribute_escape::SET,
            reason: rules::no_attribute_escape::SET.reason,
            hint: "use the library's public names",
        });
    }
    let (set, hint): (&'static RuleSet, _) = match path.split('.').next().unwrap_or_default() {
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

/// Attributes of what a library lends.
fn of_attributes<'p>(path: &'p str, names: impl Iterator<Item = &'p str>) -> Option<Refusal> {
    names.into_iter().find_map(|name| {
        let is_dunder = name.starts_with("__") && name.ends_with("__");
        if is_dunder || attributes::is_public(name) {
            return None;
        }
        // Some rule knows the method by its name, and what it says.
        if attributes::leads_out(name) || attributes::is_own_only(name) {
            return Some(Refusal {
                set: &rules::undocumented_attribute::SET,
                reason: "leads out of the object",
                hint: "use what the library documents",
            });
        }
        of_private(path, [name].into_iter()).or_else(|| {
            attributes::is_inner(name).then_some(Refusal {
                set: &rules::undocumented_attribute::SET,
                reason: "is not documented",
                hint: "use what the library documents",
            })
        })
    })
}
