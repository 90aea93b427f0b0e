//! What a bundle does with its names: where they are called, handed on, stored and defined. Over all files, by name.
//!
//! [`crate::reading::origin`] asks it what an object may be; rules ask whether a name is the bundle's own. An index by text and
//! not by meaning: two functions of one name share their calls, so that an answer is never too narrow. It decides
//! nothing.

use ruff_python_ast::{self as ast, Expr, ExprCall, ExprContext, Pattern, Stmt};
use rustc_hash::{FxHashMap, FxHashSet};

use super::binder::parts_of;
use super::reads::first_parameter;
use super::walk::{Pass, Walker};
use super::{BindingKind, Names, ScopeId, ScopeKind};

/// A place in a bundle: its file and the scope.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot {
    pub(crate) module: usize,
    pub(crate) scope: ScopeId,
}

impl Spot {
    /// Another scope of the same file.
    pub(crate) fn at(self, scope: ScopeId) -> Self {
        Self { scope, ..self }
    }
}

/// The index.
#[derive(Debug, Default)]
pub(crate) struct Uses<'a> {
    /// Calls by the last name of what is called.
    pub(crate) calls: FxHashMap<&'a str, Vec<(Spot, &'a ExprCall)>>,
    /// Names and attributes that are read otherwise than to be called where they stand.
    pub(crate) handed_on: FxHashSet<&'a str>,
    /// Those of them that may be attributes of an object: not names of functions and their variables.
    pub(crate) handed_on_of_objects: FxHashSet<&'a str>,
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
    /// What is assigned to targets that come next.
    assigned: Assigned<'a>,
}

/// What assignments give to attributes, by their places.
pub(crate) type Assigned<'a> = FxHashMap<*const Expr, &'a Expr>;

/// Notes what a statement assigns to attributes, as far as targets and values are spelled out.
pub(crate) fn assigned<'a>(stmt: &'a Stmt, found: &mut Assigned<'a>) {
    match stmt {
        Stmt::Assign(assign) => {
            for target in &assign.targets {
                pair(target, &assign.value, found);
            }
        }
        Stmt::AnnAssign(assign) => {
            if let Some(value) = &assign.value {
                pair(&assign.target, value, found);
            }
        }
        _ => {}
    }
}

fn pair<'a>(target: &'a Expr, value: &'a Expr, found: &mut Assigned<'a>) {
    match (target, value) {
        (Expr::Attribute(_), _) => {
            found.insert(&raw const *target, value);
        }
        (Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }), _) => {
            let parts = parts_of(value, elts.len()).unwrap_or_default();
            for (target, value) in elts.iter().zip(parts) {
                pair(target, value, found);
            }
        }
        _ => {}
    }
}

impl<'a> Uses<'a> {
    /// Whether a class gives its objects this name as a field.
    pub(crate) fn is_a_field(&self, name: &str) -> bool {
        self.fields.contains(name)
    }

    /// Reads the bodies of all modules, in their order.
    pub(crate) fn of<'b>(bodies: impl Iterator<Item = &'a [Stmt]> + 'b, names: &Names<'a>) -> Self {
        let mut uses = Self::default();
        for (module, body) in bodies.enumerate() {
            let mut reader = Reader {
                uses: &mut uses,
                module,
                opened: 1,
                open: vec![(0, ScopeKind::Module)],
                callee: None,
                assigned: Assigned::default(),
            };
            Walker::module(&mut reader, body);
        }
        uses.read_classes(names);
        uses
    }

    /// What class bodies bind, by any statement.
    fn read_classes(&mut self, names: &Names<'a>) {
        for (module, found) in names.modules.iter().enumerate() {
            for scope in &found.scopes {
                if !matches!(scope.kind, ScopeKind::Class(_)) {
                    continue;
                }
                for (&name, entry) in &scope.names {
                    let bound = self.in_classes.entry(name).or_default();
                    bound.extend(entry.bindings.iter().map(|&number| {
                        let binding = &found.bindings[number];
                        let spot = Spot {
                            module,
                            scope: binding.scope,
                        };
                        match binding.kind {
                            BindingKind::Value(value) => (spot, Some(value)),
                            _ => (spot, None),
                        }
                    }));
                }
            }
        }
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

    /// Whether a name is the first parameter of a method around.
    fn is_own_object(&self, name: &str) -> bool {
        matches!(name, "self" | "cls")
            || self.open.windows(2).any(|pair| {
                matches!(pair, [(_, ScopeKind::Class(_)), (_, ScopeKind::Function(function))]
                    if first_parameter(function) == Some(name))
            })
    }

    fn hand_on(&mut self, name: &'a str) {
        self.uses.handed_on.insert(name);
        self.uses.handed_on_of_objects.insert(name);
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

    fn call(&mut self, call: &'a ExprCall) {
        let spot = self.spot();
        let name = match &*call.func {
            Expr::Name(name) => Some(name.id.as_str()),
            Expr::Attribute(attribute) => {
                // `table.update(...)`: a method may change what it is called on.
                self.change(&attribute.value);
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
            if matches!(
                name,
                "add_module" | "register_module" | "register_buffer" | "register_parameter"
            ) {
                match call.arguments.args.first() {
                    Some(Expr::StringLiteral(text)) => {
                        let stored = self.uses.stored.entry(text.value.to_str()).or_default();
                        stored.push((spot, call.arguments.args.get(1)));
                    }
                    _ => self.uses.sets_computed = true,
                }
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
        assigned(stmt, &mut self.assigned);
        match stmt {
            Stmt::AnnAssign(assign) => {
                if let (true, Expr::Name(name)) = (self.is_in_a_class_body(), &*assign.target) {
                    self.uses.fields.insert(name.id.as_str());
                }
            }
            Stmt::AugAssign(assign) => {
                self.change(&assign.target);
                match &*assign.target {
                    Expr::Name(name) => self.hand_on(name.id.as_str()),
                    Expr::Attribute(attribute) => self.hand_on(attribute.attr.as_str()),
                    _ => {}
                }
            }
            Stmt::Delete(delete) => delete.targets.iter().for_each(|target| self.change(target)),
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
            Expr::StringLiteral(text) => self.hand_on(text.value.to_str()),
            Expr::Name(name) if is_read(name.ctx) => {
                self.uses.handed_on.insert(name.id.as_str());
                if self.is_in_a_class_body() {
                    self.uses.handed_on_of_objects.insert(name.id.as_str());
                }
            }
            Expr::Attribute(attribute) if is_read(attribute.ctx) => {
                let name = attribute.attr.as_str();
                self.hand_on(name);
                // Who has these may store under any name.
                self.uses.sets_computed |= matches!(name, "_modules" | "_parameters" | "_buffers");
            }
            // Whatever statement stands around: a loop, a comprehension, an unpacking.
            Expr::Attribute(attribute) if !matches!(attribute.ctx, ExprContext::Load) => {
                let value = self.assigned.remove(&(&raw const *expr));
                let spot = self.spot();
                let stored = self.uses.stored.entry(attribute.attr.as_str()).or_default();
                stored.push((spot, value));
                self.change(&attribute.value);
            }
            Expr::Subscript(subscript) if !matches!(subscript.ctx, ExprContext::Load) => {
                self.change(&subscript.value);
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
                self.hand_on(keyword.attr.as_str());
            }
        }
    }
}
