//! From names to meanings, across the files of a bundle.
//!
//! Aliases settle in rounds: in each, every assignment of a name or attribute chain adds what it stands for to the name
//! that it binds, until nothing changes. More rounds than honest code can need are an error, so the work is bounded.

mod settle;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use ruff_python_ast::{self as ast, Expr};
use ruff_text_size::{Ranged, TextRange, TextSize};
use rustc_hash::{FxHashMap, FxHashSet};

use super::scope::{BindingKind, Entry, ModuleScopes, ScopeId, ScopeKind};
use super::{CTX, Meaning};
use crate::knowledge::{builtins, libraries};
use crate::limits::{CHOICES_MAX, FOLLOWED_MAX};
use crate::source::{Role, Source};

/// Modules of C that have nothing but what they lend.
const EXACT: &[&str] = &["cmath", "itertools", "math"];

/// A name of this module stands for something only in too many steps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TooIndirect {
    pub(crate) module: usize,
}

/// All names of a bundle.
pub(crate) struct Names<'a> {
    pub(crate) modules: Vec<ModuleScopes<'a>>,
    by_name: FxHashMap<&'a str, usize>,
    /// The packages of the bundle, and the first components of all its modules.
    packages: FxHashSet<&'a str>,
    tops: FxHashSet<&'a str>,
    /// What each module gets at by `import *`, directly or through others.
    reach: Vec<Reach>,
    /// The modules that bind a name themselves.
    holders: FxHashMap<&'a str, Vec<usize>>,
    /// Names that are stored as attributes of anything, and of anything but the first parameter of a method.
    stored: FxHashSet<&'a str>,
    stored_elsewhere: FxHashSet<&'a str>,
    /// The last names of modules in packages: an import binds them in the package.
    submodules: FxHashSet<&'a str>,
    /// Names that stand for something in some scope. All others need no look.
    known: FxHashSet<&'a str>,
    /// How many meanings were followed beside the first of a name.
    followed: Cell<usize>,
    /// Where paths are put together.
    scratch: RefCell<String>,
    /// The paths of the builtins that were asked for.
    builtins: RefCell<FxHashMap<String, Rc<str>>>,
}

/// What a module gets at by `import *`.
#[derive(Default)]
struct Reach {
    /// Modules of the bundle.
    modules: FxHashSet<usize>,
    /// Modules of libraries.
    libraries: Vec<Rc<str>>,
}

impl Reach {
    /// From one module through the stars of all that it reaches; each is looked at once.
    fn of(
        number: usize,
        modules: &[ModuleScopes<'_>],
        by_name: &FxHashMap<&str, usize>,
        is_bundled: impl Fn(&str) -> bool,
    ) -> Self {
        let mut reach = Self::default();
        let mut next = vec![number];
        while let Some(module) = next.pop() {
            for star in &modules[module].stars {
                if let Some(&further) = by_name.get(&**star) {
                    if reach.modules.insert(further) {
                        next.push(further);
                    }
                } else if !is_bundled(star) && !reach.libraries.contains(star) {
                    reach.libraries.push(star.clone());
                }
            }
        }
        reach
    }
}

impl<'a> Names<'a> {
    pub(crate) fn new(sources: &'a [Source<'a>], modules: Vec<ModuleScopes<'a>>) -> Self {
        let mut by_name: FxHashMap<&str, usize> = sources
            .iter()
            .enumerate()
            .map(|(number, source)| (source.module.as_str(), number))
            // Python finds no module in `os.more.py`.
            .filter(|(_, number)| sources[*number].is_importable())
            .collect();
        // The harness imports the entry points under these names, wherever they lie.
        for (number, source) in sources.iter().enumerate() {
            match source.role {
                Role::Architecture => by_name.insert("architecture", number),
                Role::Training => by_name.insert("training", number),
                Role::Helper => None,
            };
        }
        let packages = by_name
            .keys()
            .flat_map(|name| name.match_indices('.').map(|(dot, _)| &name[..dot]));
        let packages: FxHashSet<&str> = packages.collect();
        let tops = by_name.keys().map(|name| name.split('.').next().unwrap_or(name));
        let tops: FxHashSet<&str> = tops.collect();
        let is_bundled = |path: &str| tops.contains(path.split('.').next().unwrap_or(path));
        let reach = (0..modules.len()).map(|number| Reach::of(number, &modules, &by_name, is_bundled));
        let reach = reach.collect();
        let mut holders: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
        if modules.iter().any(|module| !module.stars.is_empty()) {
            for (number, module) in modules.iter().enumerate() {
                for &name in module.scopes[0].names.keys() {
                    holders.entry(name).or_default().push(number);
                }
            }
        }
        Self {
            stored: modules
                .iter()
                .flat_map(|module| &module.stored)
                .copied()
                .collect(),
            stored_elsewhere: modules
                .iter()
                .flat_map(|module| &module.stored_elsewhere)
                .copied()
                .collect(),
            submodules: by_name
                .keys()
                .filter_map(|name| Some(name.rsplit_once('.')?.1))
                .collect(),
            modules,
            tops,
            reach,
            holders,
            packages,
            by_name,
            known: FxHashSet::default(),
            followed: Cell::new(0),
            scratch: RefCell::default(),
            builtins: RefCell::default(),
        }
    }

    /// Whether a dotted path lies in the bundle: its first component is a module or a package of it.
    pub(crate) fn is_bundled(&self, path: &str) -> bool {
        self.tops.contains(path.split('.').next().unwrap_or(path))
    }

    /// Whether names stand for more than is followed: what was found is then not all there is.
    pub(crate) fn is_too_indirect(&self) -> bool {
        self.followed.get() > FOLLOWED_MAX
    }

    fn follow_more(&self, count: usize) {
        self.followed.set(self.followed.get().saturating_add(count));
    }

    /// Whether a dotted path is exactly a module or a package of the bundle.
    pub(crate) fn is_module(&self, path: &str) -> bool {
        self.by_name.contains_key(path) || self.packages.contains(path)
    }

    /// Whether anything stores an attribute of this name.
    pub(crate) fn is_stored(&self, name: &str) -> bool {
        self.stored.contains(name)
    }

    /// Whether the bundle gives anything an attribute of this name: in a class, by a store, a keyword or a text.
    pub(crate) fn gives(&self, name: &str) -> bool {
        self.is_stored(name) || self.modules.iter().any(|module| module.defined.contains(name))
    }

    /// The class of the bundle that a meaning is, with its module.
    pub(crate) fn class_of(&self, meaning: &Meaning) -> Option<(usize, &'a ast::StmtClassDef)> {
        match meaning {
            Meaning::Local(module, binding) => match self.modules[*module].bindings[*binding].kind {
                BindingKind::Class(class) => Some((*module, class)),
                _ => None,
            },
            Meaning::Library(_) | Meaning::Module(_) | Meaning::Unknown => None,
        }
    }

    /// Whether a name is what Python makes of one with two underscores within a class of the bundle.
    pub(crate) fn is_mangled(&self, name: &str) -> bool {
        let is_of = |class: &str| {
            let rest = name
                .strip_prefix('_')
                .and_then(|rest| rest.strip_prefix(class.trim_start_matches('_')));
            rest.is_some_and(|rest| rest.starts_with("__") && !rest.ends_with("__"))
        };
        let scopes = self.modules.iter().flat_map(|module| &module.scopes);
        scopes
            .into_iter()
            .any(|scope| matches!(scope.kind, ScopeKind::Class(class) if is_of(&class.name)))
    }

    /// Whether a name may stand for anything at all, in any scope.
    pub(crate) fn may_stand(&self, module: usize, name: &str) -> bool {
        self.known.contains(name) || builtins::is_builtin(name) || !self.modules[module].stars.is_empty()
    }

    /// What an expression at a place may stand for. Empty where that is not known.
    pub(crate) fn meanings(&self, module: usize, scope: ScopeId, expr: &Expr) -> Vec<Meaning> {
        let mut found = Vec::new();
        self.expression(module, scope, expr, 0, &mut found);
        only_beside_others(found)
    }

    /// What a name means as seen from a scope: the scope that has it, and the name there. A class body does not lend its names
    /// to the functions in it.
    pub(crate) fn entry(&self, module: usize, scope: ScopeId, name: &str) -> Option<(ScopeId, &Entry)> {
        let scopes = &self.modules[module].scopes;
        let mut at = Some(scope);
        while let Some(id) = at {
            let owner = scopes[id].elsewhere.get(name).copied().unwrap_or(id);
            let is_visible = id == scope || !matches!(scopes[id].kind, ScopeKind::Class(_));
            if let Some(entry) = scopes[owner].names.get(name).filter(|_| is_visible) {
                return Some((owner, entry));
            }
            at = scopes[id].parent;
        }
        None
    }

    /// The bindings of a name as seen from a scope: for rules that look at values.
    pub(crate) fn bindings(&self, module: usize, scope: ScopeId, name: &str) -> &[usize] {
        self.entry(module, scope, name)
            .map_or(&[], |(_, entry)| &entry.bindings)
    }

    /// Whether a name is one of a function, as seen from a scope: no other module can change what it stands for.
    pub(crate) fn is_of_a_function(&self, module: usize, scope: ScopeId, name: &str) -> bool {
        let scopes = &self.modules[module].scopes;
        self.entry(module, scope, name)
            .is_some_and(|(owner, _)| scopes[owner].kind.is_local())
    }

    /// Whether a name may mean something else than what its scope binds it to: a class body reads the outer one before it
    /// binds its own, and a package is given its modules when they are imported.
    pub(crate) fn may_be_an_outer(&self, module: usize, scope: ScopeId, name: &str) -> bool {
        let scopes = &self.modules[module].scopes;
        let Some((owner, _)) = self.entry(module, scope, name) else {
            return true;
        };
        match scopes[owner].kind {
            ScopeKind::Module => self.submodules.contains(name) || !self.modules[module].stars.is_empty(),
            ScopeKind::Class(_) => {
                let outer = scopes[owner]
                    .parent
                    .and_then(|outer| self.entry(module, outer, name));
                outer.is_some() || builtins::is_builtin(name)
            }
            ScopeKind::Function(_) | ScopeKind::Lambda(_) | ScopeKind::Comprehension(_) => false,
        }
    }

    fn expression(&self, module: usize, scope: ScopeId, expr: &Expr, depth: usize, found: &mut Vec<Meaning>) {
        if depth > CHOICES_MAX {
            self.followed.set(usize::MAX);
            return;
        }
        match expr {
            Expr::Name(name) => self.name(module, scope, name.id.as_str(), name.range().start(), found),
            Expr::Attribute(attribute) => self.chain(module, scope, attribute, depth, found),
            Expr::Named(named) => self.expression(module, scope, &named.value, depth + 1, found),
            Expr::If(either) => {
                self.expression(module, scope, &either.body, depth + 1, found);
                self.expression(module, scope, &either.orelse, depth + 1, found);
            }
            Expr::BoolOp(any) => {
                for value in &any.values {
                    self.expression(module, scope, value, depth + 1, found);
                }
            }
            // Whatever is done with it fails.
            Expr::NoneLiteral(_) => {}
            _ => extend(found, [Meaning::Unknown]),
        }
    }

    /// What a chain of attributes may stand for. Most begin with a name that stands for nothing.
    fn chain(
        &self,
        module: usize,
        scope: ScopeId,
        last: &ast::ExprAttribute,
        depth: usize,
        found: &mut Vec<Meaning>,
    ) {
        let mut base = &*last.value;
        while let Expr::Attribute(attribute) = base {
            base = &*attribute.value;
        }
        let mut meanings = Vec::new();
        self.expression(module, scope, base, depth, &mut meanings);
        if meanings.iter().all(|meaning| *meaning == Meaning::Unknown) {
            return extend(found, meanings);
        }
        let mut names = vec![last.attr.as_str()];
        let mut base = &*last.value;
        while let Expr::Attribute(attribute) = base {
            names.push(attribute.attr.as_str());
            base = &*attribute.value;
        }
        for meaning in meanings {
            self.follow(meaning, &names, found);
        }
    }

    /// Follows the names of a chain, the last one first in the list.
    fn follow(&self, base: Meaning, names: &[&str], found: &mut Vec<Meaning>) {
        let Some((name, rest)) = names.split_last() else {
            extend(found, [base]);
            return;
        };
        if let Meaning::Library(path) = &base {
            let mut full = self.scratch.borrow_mut();
            full.clear();
            full.push_str(path);
            for name in names.iter().rev() {
                full.push('.');
                full.push_str(name);
            }
            let is_known = |meaning: &Meaning| matches!(meaning, Meaning::Library(path) if **path == **full);
            if !found.iter().any(is_known) {
                found.push(Meaning::Library(full.as_str().into()));
            }
            return;
        }
        let mut next = Vec::new();
        self.attribute(&base, name, &mut next);
        if next.is_empty() {
            next.push(Meaning::Unknown);
        }
        for meaning in next {
            self.follow(meaning, rest, found);
        }
    }

    /// What a name may stand for, read at an offset in a scope.
    fn name(&self, module: usize, scope: ScopeId, name: &str, at: TextSize, found: &mut Vec<Meaning>) {
        let is_builtin = builtins::is_builtin(name);
        if !is_builtin && !self.known.contains(name) && self.modules[module].stars.is_empty() {
            return extend(found, [Meaning::Unknown]);
        }
        let before = found.len();
        let scopes = &self.modules[module].scopes;
        let mut next = Some(scope);
        while let Some(id) = next {
            let here = &scopes[id];
            let owner = here.elsewhere.get(name).copied().unwrap_or(id);
            // A class body does not lend its names to the functions in it.
            let visible = id == scope || !matches!(here.kind, ScopeKind::Class(_));
            if let Some(entry) = scopes[owner].names.get(name).filter(|_| visible) {
                let few = if self.is_too_indirect() {
                    1
                } else {
                    entry.meanings.len()
                };
                self.follow_more(entry.meanings.len().saturating_sub(1));
                extend(found, entry.meanings.iter().take(few).cloned());
                if entry.is_open || entry.meanings.is_empty() {
                    extend(found, [Meaning::Unknown]);
                }
                let is_hidden = |range: &TextRange| range.contains(at);
                let hidden = self.modules[module].hidden.get(name);
                let in_place =
                    owner == 0 && scope == 0 && hidden.is_some_and(|hidden| hidden.iter().any(is_hidden));
                let certain = (entry.certain_from.is_some_and(|from| from <= at) || in_place)
                    && !scopes[owner].deleted.contains(name);
                if scopes[owner].kind.is_local() || certain {
                    return;
                }
            }
            next = here.parent;
        }
        let stars = &self.modules[module].stars;
        self.follow_more(stars.len().saturating_sub(1));
        let few = if self.is_too_indirect() { 1 } else { stars.len() };
        for star in stars.iter().take(few) {
            // What a library does not lend stays the builtin, and what `math` does not lend it does not have.
            let is_known = is_builtin || EXACT.contains(&&**star);
            if !is_known || self.is_bundled(star) || libraries::lends(star, name) {
                self.path(&format!("{star}.{name}"), found);
            }
        }
        if is_builtin {
            let mut paths = self.builtins.borrow_mut();
            let path = if let Some(path) = paths.get(name) {
                path.clone()
            } else {
                let path: Rc<str> = format!("builtins.{name}").into();
                paths.insert(name.to_owned(), path.clone());
                path
            };
            extend(found, [Meaning::Library(path)]);
        }
        if found.len() == before {
            extend(found, [Meaning::Unknown]);
        }
    }

    /// What an attribute of something may stand for.
    pub(crate) fn attribute_of(&self, base: &Meaning, name: &str) -> Vec<Meaning> {
        let mut found = Vec::new();
        self.attribute(base, name, &mut found);
        only_beside_others(found)
    }

    fn attribute(&self, base: &Meaning, name: &str, found: &mut Vec<Meaning>) {
        match base {
            Meaning::Library(path) => extend(found, [Meaning::Library(format!("{path}.{name}").into())]),
            Meaning::Module(path) => self.path(&format!("{path}.{name}"), found),
            Meaning::Local(module, binding) => {
                let scopes = &self.modules[*module];
                if let BindingKind::Class(class) = &scopes.bindings[*binding].kind
                    && let Some(scope) = scopes.class_scope(class)
                    && let Some(entry) = scopes.scopes[scope].names.get(name)
                {
                    held(entry, found);
                }
            }
            Meaning::Unknown => extend(found, [Meaning::Unknown]),
        }
    }

    /// What a dotted path from the top stands for.
    fn path(&self, path: &str, found: &mut Vec<Meaning>) {
        if !self.is_bundled(path) {
            extend(found, [Meaning::Library(path.into())]);
            return;
        }
        if self.is_module(path) {
            extend(found, [Meaning::Module(path.into())]);
        }
        // The last name may also be something that the module before it holds.
        let Some((module, name)) = path.rsplit_once('.') else {
            return;
        };
        if let Some(&number) = self.by_name.get(module) {
            self.member(number, name, found);
        }
    }

    /// What a module of the bundle holds under a name, star imports included.
    fn member(&self, number: usize, name: &str, found: &mut Vec<Meaning>) {
        let of_module = |number: usize| self.modules[number].scopes[0].names.get(name);
        if let Some(entry) = of_module(number) {
            held(entry, found);
        }
        let reach = &self.reach[number];
        if reach.modules.is_empty() && reach.libraries.is_empty() {
            return;
        }
        let holders = self.holders.get(name).into_iter().flatten();
        for &holder in holders.filter(|holder| **holder != number && reach.modules.contains(holder)) {
            if let Some(entry) = of_module(holder) {
                held(entry, found);
            }
        }
        for library in &reach.libraries {
            extend(found, [Meaning::Library(format!("{library}.{name}").into())]);
        }
    }

    /// A parameter that is annotated with the harness's class is the harness's object.
    fn instance_of(&self, module: usize, scope: ScopeId, annotation: &Expr, found: &mut Vec<Meaning>) {
        let mut classes = Vec::new();
        match annotation {
            Expr::StringLiteral(text) if matches!(text.value.to_str(), "Context" | "PrismContext") => {
                extend(found, [Meaning::Library(CTX.into())]);
            }
            Expr::BinOp(union) => {
                self.instance_of(module, scope, &union.left, found);
                self.instance_of(module, scope, &union.right, found);
            }
            _ => self.expression(module, scope, annotation, 0, &mut classes),
        }
        let is_context = |class: &Meaning| {
            matches!(class, Meaning::Library(path) if matches!(
                &**path,
                "prism_runtime.Context" | "prism_challenge.evaluator.interface.PrismContext"
            ))
        };
        if classes.iter().any(is_context) {
            extend(found, [Meaning::Library(CTX.into())]);
        }
    }
}

/// What an entry says, and that it says not all.
fn held(entry: &Entry, found: &mut Vec<Meaning>) {
    extend(found, entry.meanings.iter().cloned());
    if entry.is_open || entry.meanings.is_empty() {
        extend(found, [Meaning::Unknown]);
    }
}

/// Where nothing is known there are no meanings.
fn only_beside_others(mut found: Vec<Meaning>) -> Vec<Meaning> {
    if matches!(&*found, [Meaning::Unknown]) {
        found.clear();
    }
    found
}

fn extend(found: &mut Vec<Meaning>, more: impl IntoIterator<Item = Meaning>) {
    for meaning in more {
        if !found.contains(&meaning) {
            found.push(meaning);
        }
    }
}
