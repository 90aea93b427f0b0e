//! What the names of a file stand for, as far as the comparison asks: a library's, a setting, or the bundle's own.
//!
//! Coarser than `semantic`, on purpose: two programs that do the same must come out the same, and nothing depends on
//! being right about a name. Made once per bundle.

use ruff_python_ast::statement_visitor::{self, StatementVisitor};
use ruff_python_ast::{Expr, Stmt};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::semantic::binder;
use crate::source::Source;

/// Rounds in which names are followed from one file of the bundle to the next.
const ROUNDS: usize = 3;

/// The names of one file.
pub(super) struct Names<'a> {
    pub(super) source: &'a Source<'a>,
    /// Name to the last component of the path in a library.
    libraries: FxHashMap<&'a str, &'a str>,
    /// Names of this file's own definitions.
    definitions: FxHashSet<&'a str>,
    /// Names that are imported from other files of the bundle, with the file and the name there; `*` for all of it.
    imported: Vec<(&'a str, usize, &'a str)>,
}

/// The names of all files.
pub(super) struct Bundled<'a> {
    pub(super) files: Vec<Names<'a>>,
    /// Names that some file binds to nothing but literals at its top.
    settings: FxHashSet<&'a str>,
}

impl<'a> Bundled<'a> {
    pub(super) fn new(sources: &'a [Source<'a>], bodies: &[&'a [Stmt]]) -> Self {
        let modules = sources.iter().zip(0..);
        let modules: FxHashMap<&str, usize> = modules.map(|(source, at)| (&*source.module, at)).collect();
        let mut bundled = Self {
            files: Vec::with_capacity(sources.len()),
            settings: FxHashSet::default(),
        };
        for (source, body) in sources.iter().zip(bodies) {
            let mut names = Names {
                source,
                libraries: FxHashMap::default(),
                definitions: FxHashSet::default(),
                imported: Vec::new(),
            };
            let (modules, of_file) = (&modules, &mut names);
            Imports { modules, of_file }.visit_body(body);
            for stmt in *body {
                names.top(stmt, &mut bundled.settings);
            }
            bundled.files.push(names);
        }
        for _ in 0..ROUNDS {
            for file in 0..bundled.files.len() {
                bundled.follow(file);
            }
        }
        bundled
    }

    /// Whether a name is one of the bundle's settings, in any of its files.
    pub(super) fn is_setting(&self, name: &str) -> bool {
        self.settings.contains(name)
    }

    /// Takes over what the files that a file imports from know of libraries.
    fn follow(&mut self, file: usize) {
        let imported = std::mem::take(&mut self.files[file].imported);
        for &(name, other, original) in &imported {
            let others = &self.files[other].libraries;
            let found: Vec<(&str, &str)> = if original == "*" {
                others.iter().map(|(name, path)| (*name, *path)).collect()
            } else {
                others
                    .get(original)
                    .map(|path| (name, *path))
                    .into_iter()
                    .collect()
            };
            for (name, path) in found {
                self.files[file].libraries.entry(name).or_insert(path);
            }
        }
        self.files[file].imported = imported;
    }
}

impl<'a> Names<'a> {
    /// The last component of the library's path that an expression stands for.
    pub(super) fn library(&self, expr: &'a Expr) -> Option<&'a str> {
        match expr {
            Expr::Name(name) => self.libraries.get(name.id.as_str()).copied(),
            Expr::Attribute(attribute) => {
                let mut base = &*attribute.value;
                while let Expr::Attribute(inner) = base {
                    base = &inner.value;
                }
                let name = base.as_name_expr()?;
                let is_library = self.libraries.contains_key(name.id.as_str());
                is_library.then(|| attribute.attr.as_str())
            }
            _ => None,
        }
    }

    /// Whether a name is a library's or one of this file's definitions: nothing that a statement changes.
    pub(super) fn is_fixed(&self, name: &str) -> bool {
        self.libraries.contains_key(name) || self.definitions.contains(name)
    }

    fn top(&mut self, stmt: &'a Stmt, settings: &mut FxHashSet<&'a str>) {
        match stmt {
            Stmt::FunctionDef(function) => drop(self.definitions.insert(&function.name)),
            Stmt::ClassDef(class) => drop(self.definitions.insert(&class.name)),
            Stmt::Assign(assign) => {
                for target in &assign.targets {
                    self.assigned(target, &assign.value, settings);
                }
            }
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    self.assigned(&assign.target, value, settings);
                }
            }
            _ => {}
        }
    }

    fn assigned(&mut self, target: &'a Expr, value: &'a Expr, settings: &mut FxHashSet<&'a str>) {
        match (target, value) {
            (Expr::Name(name), _) => {
                if let Some(path) = self.library(value) {
                    self.libraries.insert(name.id.as_str(), path);
                } else if is_plain(value, settings) {
                    settings.insert(name.id.as_str());
                }
            }
            (Expr::Tuple(names), Expr::Tuple(values)) if names.elts.len() == values.elts.len() => {
                let pairs = names.elts.iter().zip(&values.elts);
                for (name, value) in pairs.filter(|(name, _)| name.is_name_expr()) {
                    self.assigned(name, value, settings);
                }
            }
            _ => {}
        }
    }
}

/// Whether an expression is made of literals and settings alone.
fn is_plain(expr: &Expr, settings: &FxHashSet<&str>) -> bool {
    match expr {
        Expr::Name(name) => settings.contains(name.id.as_str()),
        Expr::BinOp(operation) => is_plain(&operation.left, settings) && is_plain(&operation.right, settings),
        Expr::UnaryOp(operation) => is_plain(&operation.operand, settings),
        Expr::Tuple(tuple) => tuple.elts.iter().all(|element| is_plain(element, settings)),
        Expr::List(list) => list.elts.iter().all(|element| is_plain(element, settings)),
        other => other.is_literal_expr(),
    }
}

/// Finds what a file imports, wherever the statement stands.
struct Imports<'n, 'a> {
    modules: &'n FxHashMap<&'a str, usize>,
    of_file: &'n mut Names<'a>,
}

impl<'a> StatementVisitor<'a> for Imports<'_, 'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Import(import) => {
                for alias in &import.names {
                    let path = alias.name.as_str();
                    let first = path.split('.').next().unwrap_or(path);
                    if self.modules.contains_key(path) || self.modules.contains_key(first) {
                        continue;
                    }
                    let (name, last) = match &alias.asname {
                        Some(name) => (name.as_str(), path.rsplit('.').next().unwrap_or(path)),
                        None => (first, first),
                    };
                    self.of_file.libraries.insert(name, last);
                }
            }
            Stmt::ImportFrom(import) => {
                let base = binder::absolute(self.of_file.source, import);
                for alias in &import.names {
                    let name = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
                    let original = alias.name.as_str();
                    if let Some(&other) = self.modules.get(&*base) {
                        self.of_file.imported.push((name, other, original));
                    } else if original != "*" && !self.modules.contains_key(&*format!("{base}.{original}")) {
                        self.of_file.libraries.insert(name, original);
                    }
                }
            }
            _ => statement_visitor::walk_stmt(self, stmt),
        }
    }
}
