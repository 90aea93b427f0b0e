//! What a bundle does with its names: where they are called, handed on, stored and defined. Over all files, by name.
//!
//! [`crate::reading::origin`] asks it what an object may be; rules ask whether a name is the bundle's own. An index by text and
//! not by meaning: two functions of one name share their calls, so that an answer is never too narrow. It decides
//! nothing.

use ruff_python_ast::{self as ast, Expr, ExprCall, ExprContext, Pattern, Stmt};
use rustc_hash::{FxHashMap, FxHashSet};

use super::reads::first_parameter;
use super::walk::{Pass, Walker};
use super::{ScopeId, ScopeKind};

/// A place in a bundle: its file and the scope.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot {
    pub(crate) module: usize,
    pub(crate) scope: ScopeId,
}

/// The index.
#[derive(Debug, Default)]
pub(crate) struct Uses<'a> {
    /// Calls by the last name of what is called.
    pub(crate) calls: FxHashMap<&'a str, Vec<(Spot, &'a ExprCall)>>,
    /// Names and attributes that are read otherwise than to be called where they stand.
    pub(crate) handed_on: FxHashSet<&'a str>,
    /// What is assigned to attributes of this name; `None` where that is not a single expression.
    pub(crate) stored: FxHashMap<&'a str, Vec<(Spot, Option<&'a Expr>)>>,
    /// What class bodies bind to this name; `None` where that is not a single expression.
    pub(crate) in_classes: FxHashMap<&'a str, Vec<(Spot, Option<&'a Expr>)>>,
    /// Names whose elements or attributes are changed, and those that a method is called on.
    pub(crate) changed: FxHashSet<&'a str>,
    /// Whether anything sets attributes by computed names.
    pub(crate) sets_computed: bool,
    /// Whether anything reads attributes by computed names.
    pub(crate) gets_computed: bool,
    /// What class bodies bind with an annotation: what makes the object may choose the value.
    fields: FxHashSet<&'a str>,
}

struct Reader<'u, 'a> {
    uses: &'u mut Uses<'a>,
    module: usize,
    opened: ScopeId,
    open: Vec<(ScopeId, ScopeKind<'a>)>,
    /// The callee that comes next.
    callee: Option<*const Expr>,
}

impl<'a> Uses<'a> {
    /// Whether a class gives its objects this name as a field.
    pub(crate) fn is_a_field(&self, name: &str) -> bool {
        self.fields.contains(name)
    }

    /// Reads the bodies of all modules, in their order.
    pub(crate) fn of<'b>(bodies: impl Iterator<Item = &'a [Stmt]> + 'b) -> Self {
        let mut uses = Self::default();
        for (module, body) in bodies.enumerate() {
            let mut reader = Reader {
                uses: &mut uses,
                module,
                opened: 1,
                open: vec![(0, ScopeKind::Module)],
                callee: None,
            };
            Walker::module(&mut reader, body);
        }
        uses
    }
}

impl<'a> Reader<'_, 'a> {
    fn spot(&self) -> Spot {
        Spot {
            module: self.module,
            scope: self.open.last().map_or(0, |(scope, _)| *scope),
        }
    }

    fn is_in_a_class_body(&self) -> bool {
        matches!(self.open.last(), Some((_, ScopeKind::Class(_))))
    }

    fn store(&mut self, target: &'a Expr, value: Option<&'a Expr>) {
        let spot = self.spot();
        match target {
            Expr::Attribute(attribute) => {
                let stored = self.uses.stored.entry(attribute.attr.as_str()).or_default();
                stored.push((spot, value));
                self.change(&attribute.value);
            }
            Expr::Name(name) if self.is_in_a_class_body() => {
                let bound = self.uses.in_classes.entry(name.id.as_str()).or_default();
                bound.push((spot, value));
            }
            Expr::Subscript(subscript) => self.change(&subscript.value),
            Expr::Starred(starred) => self.store(&starred.value, None),
            Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
                let values = match value {
                    Some(Expr::Tuple(values)) if values.elts.len() == elts.len() => Some(&values.elts),
                    _ => None,
                };
                for (number, element) in elts.iter().enumerate() {
                    self.store(element, values.and_then(|values| values.get(number)));
                }
            }
            _ => {}
        }
    }

    /// Whether a name is the first parameter of a method around.
    fn is_own_object(&self, name: &str) -> bool {
        matches!(name, "self" | "cls")
            || self.open.windows(2).any(|pair| {
                matches!(pair, [(_, ScopeKind::Class(_)), (_, ScopeKind::Function(function))]
                    if first_parameter(function) == Some(name))
            })
    }

    /// The last name of what is changed in place.
    fn change(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) => {
                self.uses.changed.insert(name.id.as_str());
            }
            Expr::Attribute(attribute) => {
                self.uses.changed.insert(attribute.attr.as_str());
            }
            Expr::Subscript(subscript) => self.change(&subscript.value),
            _ => {}
        }
    }

    fn define(&mut self, name: &'a str) {
        if self.is_in_a_class_body() {
            let spot = self.spot();
            self.uses.in_classes.entry(name).or_default().push((spot, None));
        }
    }

    fn call(&mut self, call: &'a ExprCall) {
        let spot = self.spot();
        let name = match &*call.func {
            Expr::Name(name) => Some(name.id.as_str()),
            Expr::Attribute(attribute) => {
                // `table.update(...)`: a method may change what it is called on.
                if let Expr::Name(name) = &*attribute.value {
                    self.uses.changed.insert(name.id.as_str());
                }
                Some(attribute.attr.as_str())
            }
            _ => None,
        };
        if let Some(name) = name {
            self.uses.calls.entry(name).or_default().push((spot, call));
            let is_literal = matches!(call.arguments.args.get(1), Some(Expr::StringLiteral(_)));
            if matches!(name, "setattr" | "delattr" | "__setattr__") && !is_literal {
                self.uses.sets_computed = true;
            }
            if matches!(name, "getattr" | "attrgetter" | "methodcaller" | "__getattr__") {
                let object = call.arguments.args.first();
                let is_open = matches!(object, Some(Expr::Name(object)) if self.is_own_object(object.id.as_str()))
                    || matches!(
                        call.arguments.args.get(1),
                        Some(Expr::FString(_) | Expr::BinOp(_))
                    );
                self.uses.gets_computed |= name == "getattr" && !is_literal && is_open;
            }
            if matches!(name, "setattr" | "delattr")
                && let Some(Expr::StringLiteral(text)) = call.arguments.args.get(1)
            {
                let stored = self.uses.stored.entry(text.value.to_str()).or_default();
                stored.push((spot, call.arguments.args.get(2)));
            }
        }
        self.callee = Some(&raw const *call.func);
    }
}

impl<'a> Pass<'a> for Reader<'_, 'a> {
    fn enter(&mut self, kind: ScopeKind<'a>) {
        self.open.push((self.opened, kind));
        self.opened += 1;
    }

    fn leave(&mut self) {
        self.open.pop();
    }

    fn statement(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Assign(assign) => {
                for target in &assign.targets {
                    self.store(target, Some(&assign.value));
                }
            }
            Stmt::AnnAssign(assign) => {
                if let (true, Expr::Name(name)) = (self.is_in_a_class_body(), &*assign.target) {
                    self.uses.fields.insert(name.id.as_str());
                }
                self.store(&assign.target, assign.value.as_deref());
            }
            Stmt::AugAssign(assign) => {
                self.store(&assign.target, None);
                self.change(&assign.target);
            }
            Stmt::For(each) => self.store(&each.target, None),
            Stmt::With(with) => {
                for item in &with.items {
                    if let Some(target) = &item.optional_vars {
                        self.store(target, None);
                    }
                }
            }
            Stmt::Delete(delete) => {
                for target in &delete.targets {
                    self.store(target, None);
                    self.change(target);
                }
            }
            Stmt::FunctionDef(function) => self.define(function.name.as_str()),
            Stmt::ClassDef(class) => self.define(class.name.as_str()),
            Stmt::ImportFrom(import) => {
                for alias in &import.names {
                    // Under another name its calls are not found.
                    if alias.asname.is_some() {
                        self.uses.handed_on.insert(alias.name.as_str());
                    }
                }
            }
            _ => {}
        }
    }

    fn expression(&mut self, expr: &'a Expr) -> bool {
        let is_called = self.callee == Some(&raw const *expr);
        let is_read = |context| !is_called && matches!(context, ExprContext::Load);
        match expr {
            Expr::Call(call) => {
                self.call(call);
                return true;
            }
            // A text that is a name may become one.
            Expr::StringLiteral(text) => {
                self.uses.handed_on.insert(text.value.to_str());
            }
            Expr::Name(name) if is_read(name.ctx) => {
                self.uses.handed_on.insert(name.id.as_str());
            }
            Expr::Attribute(attribute) if is_read(attribute.ctx) => {
                self.uses.handed_on.insert(attribute.attr.as_str());
            }
            _ => {}
        }
        if is_called {
            self.callee = None;
        }
        true
    }

    fn pattern(&mut self, pattern: &'a Pattern) {
        if let Pattern::MatchClass(class) = pattern {
            for keyword in &class.arguments.keywords {
                self.uses.handed_on.insert(keyword.attr.as_str());
            }
        }
    }
}
