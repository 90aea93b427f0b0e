//! What the names of a file stand for, as far as the comparison asks: a library's path, a setting, or the bundle's own.
//!
//! Coarser than `semantic`, on purpose: two programs that do the same must come out the same, and nothing depends on
//! being right about a name. Made once per bundle.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{self as ast, Expr, Stmt};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::semantic::binder;
use crate::source::Source;

/// Rounds in which names are followed from one file of the bundle to the next.
const ROUNDS: usize = 3;

/// The names of one file.
#[derive(Default)]
pub(super) struct Names {
    /// Name to the path in a library.
    libraries: FxHashMap<String, String>,
    /// Names of this file's own definitions.
    definitions: FxHashSet<String>,
    /// Names that other files of the bundle define.
    imported: Vec<(String, String, String)>,
}

/// The names of all files.
pub(super) struct Bundled {
    pub(super) files: Vec<Names>,
    /// Names that some file binds to nothing but literals at its top.
    settings: FxHashSet<String>,
}

impl Bundled {
    pub(super) fn new(sources: &[Source<'_>], bodies: &[&[Stmt]]) -> Self {
        let modules: FxHashSet<&str> = sources.iter().map(|source| source.module.as_str()).collect();
        let mut settings = FxHashSet::default();
        let mut files: Vec<Names> = Vec::with_capacity(sources.len());
        for (source, body) in sources.iter().zip(bodies) {
            let mut imports = Imports {
                source,
                modules: &modules,
                names: Names::default(),
            };
            imports.visit_body(body);
            let mut names = imports.names;
            for stmt in *body {
                names.top(stmt, &mut settings);
            }
            files.push(names);
        }
        let mut bundled = Self { files, settings };
        bundled.follow(sources);
        bundled
    }

    /// Whether a name is one of the bundle's settings, in any of its files.
    pub(super) fn is_setting(&self, name: &str) -> bool {
        self.settings.contains(name)
    }

    fn follow(&mut self, sources: &[Source<'_>]) {
        let by_name: FxHashMap<&str, usize> = sources
            .iter()
            .enumerate()
            .map(|(at, source)| (source.module.as_str(), at))
            .collect();
        for _ in 0..ROUNDS {
            for file in 0..self.files.len() {
                let mut found: Vec<(String, String)> = Vec::new();
                for (name, module, original) in &self.files[file].imported {
                    let Some(other) = by_name.get(module.as_str()).map(|&at| &self.files[at]) else {
                        continue;
                    };
                    if original == "*" {
                        found.extend(
                            other
                                .libraries
                                .iter()
                                .map(|(name, path)| (name.clone(), path.clone())),
                        );
                    } else if let Some(path) = other.libraries.get(original) {
                        found.push((name.clone(), path.clone()));
                    }
                }
                for (name, path) in found {
                    self.files[file].libraries.entry(name).or_insert(path);
                }
            }
        }
    }
}

impl Names {
    /// The last component of the library's path that an expression stands for.
    pub(super) fn library<'e>(&'e self, expr: &'e Expr) -> Option<&'e str> {
        match expr {
            Expr::Name(name) => self
                .libraries
                .get(name.id.as_str())
                .map(|path| path.rsplit('.').next().unwrap_or(path)),
            Expr::Attribute(attribute) => {
                let mut base = &*attribute.value;
                while let Expr::Attribute(inner) = base {
                    base = &inner.value;
                }
                let Expr::Name(name) = base else { return None };
                self.libraries
                    .contains_key(name.id.as_str())
                    .then(|| attribute.attr.as_str())
            }
            _ => None,
        }
    }

    /// Whether a name is a library's or one of this file's definitions: nothing that a statement changes.
    pub(super) fn is_fixed(&self, name: &str) -> bool {
        self.libraries.contains_key(name) || self.definitions.contains(name)
    }

    fn top(&mut self, stmt: &Stmt, settings: &mut FxHashSet<String>) {
        match stmt {
            Stmt::FunctionDef(function) => {
                self.definitions.insert(function.name.to_string());
            }
            Stmt::ClassDef(class) => {
                self.definitions.insert(class.name.to_string());
            }
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

    fn assigned(&mut self, target: &Expr, value: &Expr, settings: &mut FxHashSet<String>) {
        match (target, value) {
            (Expr::Name(name), _) => {
                if let Some(last) = self.library(value).map(str::to_owned) {
                    self.libraries.insert(name.id.to_string(), last);
                } else if !matches!(value, Expr::Lambda(_)) && is_plain(value, settings) {
                    settings.insert(name.id.to_string());
                }
            }
            (Expr::Tuple(names), Expr::Tuple(values)) if names.elts.len() == values.elts.len() => {
                for (name, value) in names.elts.iter().zip(&values.elts) {
                    if matches!(name, Expr::Name(_)) {
                        self.assigned(name, value, settings);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Whether an expression is made of literals and settings alone.
fn is_plain(expr: &Expr, settings: &FxHashSet<String>) -> bool {
    match expr {
        Expr::Name(name) => settings.contains(name.id.as_str()),
        Expr::BinOp(operation) => is_plain(&operation.left, settings) && is_plain(&operation.right, settings),
        Expr::UnaryOp(operation) => is_plain(&operation.operand, settings),
        Expr::Tuple(tuple) => tuple.elts.iter().all(|element| is_plain(element, settings)),
        Expr::List(list) => list.elts.iter().all(|element| is_plain(element, settings)),
        other => other.is_literal_expr(),
    }
}

struct Imports<'s> {
    source: &'s Source<'s>,
    modules: &'s FxHashSet<&'s str>,
    names: Names,
}

impl Imports<'_> {
    fn bind(&mut self, alias: &ast::Alias, base: &str) {
        let name = alias.asname.as_ref().unwrap_or(&alias.name).to_string();
        let original = alias.name.as_str();
        if self.modules.contains(base) {
            self.names
                .imported
                .push((name, base.to_owned(), original.to_owned()));
        } else if original != "*" && !self.modules.contains(format!("{base}.{original}").as_str()) {
            self.names.libraries.insert(name, format!("{base}.{original}"));
        }
    }
}

impl<'a> Visitor<'a> for Imports<'_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Import(import) => {
                for alias in &import.names {
                    let path = alias.name.as_str();
                    let first = path.split('.').next().unwrap_or(path);
                    if self.modules.contains(path) || self.modules.contains(first) {
                        continue;
                    }
                    let (name, path) = match &alias.asname {
                        Some(name) => (name.as_str(), path),
                        None => (first, first),
                    };
                    self.names.libraries.insert(name.to_owned(), path.to_owned());
                }
            }
            Stmt::ImportFrom(import) => {
                let base = binder::absolute(self.source, import);
                for alias in &import.names {
                    self.bind(alias, &base);
                }
            }
            _ => visitor::walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, _expr: &'a Expr) {
        // No expression imports anything.
    }
}
