//! Reads the statements of a file into the index of uses.
//!
//! Called by [`super::Uses::of`]. It marks beforehand what a place does with a name that stands in it, such as `isinstance`, and
//! takes every other mention for one that hands the name on.

use std::cell::RefCell;
use std::ptr;

use ruff_python_ast::{self as ast, CmpOp, Expr, ExprCall, ExprContext, Pattern, Stmt};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Assigned, OF_CLASSES, Spot, Uses, assigned, first_parameter, is_an_accessor, last_name};
use crate::knowledge::libraries;
use crate::semantic::walk::{Pass, Walker};
use crate::semantic::{BindingKind, Meaning, Meant as _, Names, ScopeId, ScopeKind};

/// Functions that hand out classes that only stand in annotations or in an index.
const TELL_CLASSES: &[&str] = &["get_args", "singledispatch", "singledispatchmethod"];

/// Methods that a comparison calls with what is compared.
const COMPARE: &[&str] = &[
    "__contains__",
    "__eq__",
    "__ge__",
    "__getitem__",
    "__gt__",
    "__iter__",
    "__le__",
    "__lt__",
    "__ne__",
];

/// Methods that store under a name that they are given.
const STORERS: &[&str] = &[
    "__setattr__",
    "add_module",
    "register_buffer",
    "register_module",
    "register_parameter",
];

/// Whether a path is one of a class or a type that is made with others, and keeps them to itself.
fn is_generic(path: &str) -> bool {
    path.starts_with("typing") || libraries::is_class(path)
}

fn is_called(expr: &Expr, name: &str) -> bool {
    matches!(expr, Expr::Call(call) if matches!(&*call.func, Expr::Name(found) if found.id.as_str() == name))
}

/// Reads the body of a module; the names that are given the class of an object, with the calls that ask for it.
pub(super) fn read<'a>(
    uses: &mut Uses<'a>,
    names: &Names<'a>,
    module: usize,
    body: &'a [Stmt],
) -> Vec<(&'a str, &'a ExprCall)> {
    let mut reader = Reader {
        compares: COMPARE.iter().any(|hook| names.gives(hook)),
        unites: names.gives("__or__") || names.gives("__ror__"),
        uses,
        names,
        module,
        opened: 1,
        open: vec![(0, ScopeKind::Module)],
        callee: None,
        looked_at: FxHashSet::default(),
        told: FxHashSet::default(),
        named_types: Vec::new(),
        of_classes: RefCell::default(),
        accessors: FxHashSet::default(),
        assigned: Assigned::default(),
    };
    Walker::module(&mut reader, body);
    reader.named_types
}

struct Reader<'u, 'a> {
    uses: &'u mut Uses<'a>,
    names: &'u Names<'a>,
    /// Whether operators may run code of the bundle, and hand it what they only look at otherwise.
    compares: bool,
    unites: bool,
    module: usize,
    opened: ScopeId,
    open: Vec<(ScopeId, ScopeKind<'a>)>,
    /// The callee that comes next, and its call.
    callee: Option<&'a ExprCall>,
    /// Expressions that are only looked at.
    looked_at: FxHashSet<*const Expr>,
    /// Classes and dictionaries that are only told, looked up or read.
    told: FxHashSet<*const Expr>,
    /// Names that are given such a class.
    named_types: Vec<(&'a str, &'a ExprCall)>,
    /// Whether methods may be called on their class, of those that were asked about.
    of_classes: RefCell<FxHashMap<*const ast::StmtFunctionDef, bool>>,
    /// Properties whose accessors are defined.
    accessors: FxHashSet<*const Expr>,
    /// What is assigned to targets that come next.
    assigned: Assigned<'a>,
}

impl<'a> Reader<'_, 'a> {
    fn spot(&self) -> Spot {
        Spot {
            module: self.module,
            scope: self.open.last().map_or(0, |(scope, _)| *scope),
        }
    }

    /// The class whose body this is.
    fn class_body(&self) -> Option<&'a ast::StmtClassDef> {
        match self.open.last() {
            Some((_, ScopeKind::Class(class))) => Some(class),
            _ => None,
        }
    }

    fn meanings(&self, expr: &Expr) -> Vec<Meaning> {
        let spot = self.spot();
        self.names.meanings(spot.module, spot.scope, expr)
    }

    /// The methods around, each with its class.
    fn methods(&self) -> impl Iterator<Item = (ScopeId, &'a ast::StmtClassDef, &'a ast::StmtFunctionDef)> {
        self.open.windows(2).filter_map(|pair| match pair {
            [
                (scope, ScopeKind::Class(class)),
                (_, ScopeKind::Function(function)),
            ] => Some((*scope, *class, *function)),
            _ => None,
        })
    }

    /// Whether a name is the first parameter of a method around that may be called on a class.
    fn is_cls(&self, asked: &str) -> bool {
        self.methods().any(|(scope, _, function)| {
            first_parameter(function) == Some(asked) && {
                let known = self.of_classes.borrow().get(&(&raw const *function)).copied();
                known.unwrap_or_else(|| {
                    let may_be = self.may_be_of_the_class(scope, function);
                    self.of_classes.borrow_mut().insert(&raw const *function, may_be);
                    may_be
                })
            }
        })
    }

    /// Whether a function of a class body may be called on the class.
    fn may_be_of_the_class(&self, scope: ScopeId, function: &ast::StmtFunctionDef) -> bool {
        let name = function.name.as_str();
        let module = &self.names.modules[self.module];
        let bound = module.scopes[scope].names.get(name);
        let is_a_function =
            |number: &usize| matches!(module.bindings[*number].kind, BindingKind::Function(_));
        // Any but those of libraries may be, or hand on to, `classmethod`.
        let is_of_objects = |decorator: &ast::Decorator| {
            let named = match &decorator.expression {
                Expr::Call(call) => &*call.func,
                named => named,
            };
            is_an_accessor(named)
                || self
                    .names
                    .meanings(self.module, scope, named)
                    .all_paths(|path| !path.ends_with("classmethod"))
        };
        OF_CLASSES.contains(&name)
            || !function.decorator_list.iter().all(is_of_objects)
            || !bound.is_some_and(|entry| entry.bindings.iter().all(is_a_function))
    }

    /// Marks what is only looked at: a type in an annotation, an argument of `isinstance`.
    fn look(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Tuple(tuple) => tuple.elts.iter().for_each(|element| self.look(element)),
            Expr::List(list) => list.elts.iter().for_each(|element| self.look(element)),
            Expr::BinOp(union) if !self.unites => {
                self.look(&union.left);
                self.look(&union.right);
            }
            Expr::Subscript(generic) if self.meanings(&generic.value).all_paths(is_generic) => {
                self.look(&generic.value);
                self.look(&generic.slice);
            }
            Expr::Subscript(_) | Expr::BinOp(_) => {}
            _ => {
                self.looked_at.insert(&raw const *expr);
            }
        }
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
        let arguments = &call.arguments;
        let name = match &*call.func {
            Expr::Name(name) => Some(name.id.as_str()),
            Expr::Attribute(attribute) => {
                // `table.update(...)`: a method may change what it is called on.
                self.change(&attribute.value);
                Some(attribute.attr.as_str())
            }
            callee => {
                if is_called(callee, "type") {
                    self.uses.makes_unseen = true;
                    self.looked_at.insert(&raw const *callee);
                }
                None
            }
        };
        if let Some(name) = name {
            self.uses.calls.entry(name).or_default().push((spot, call));
            // `super().__setattr__(name, value)` is given the name first, as all of them are.
            let place = usize::from(!STORERS.contains(&name));
            let text = arguments.args.get(place).and_then(Expr::as_string_literal_expr);
            match name {
                _ if STORERS.contains(&name) || matches!(name, "setattr" | "delattr") => match text {
                    Some(text) => {
                        let stored = self.uses.stored.entry(text.value.to_str()).or_default();
                        stored.push((spot, arguments.args.get(place + 1)));
                    }
                    None => self.uses.sets_computed = true,
                },
                "__setstate__" | "functional_call" | "set_submodule" => self.uses.sets_computed = true,
                "getattr" | "attrgetter" | "methodcaller" | "__getattr__" => {
                    self.uses.gets_computed |= text.is_none();
                    let text = text.map(|text| text.value.to_str());
                    self.uses.read.extend(text);
                    self.uses.any_class |= text.is_some_and(|text| TELL_CLASSES.contains(&text));
                }
                "isinstance" | "issubclass" | "super" => {
                    let path = |path: &str| path.strip_prefix("builtins.") == Some(name);
                    if self.meanings(&call.func).all_paths(path) {
                        arguments.args.iter().for_each(|argument| self.look(argument));
                    }
                }
                "dict" | "len" | "print" | "repr" | "sorted" | "str" => {
                    self.told.extend(arguments.args.iter().map(ptr::from_ref));
                }
                _ => {}
            }
        }
        let unpacked = arguments.keywords.iter().filter(|keyword| keyword.arg.is_none());
        self.told
            .extend(unpacked.map(|keyword| ptr::from_ref(&keyword.value)));
        self.callee = Some(call);
    }

    fn name(&mut self, expr: &'a Expr, name: &'a str, is_called: bool) {
        let is_looked_at = self.looked_at.remove(&(&raw const *expr));
        if !is_called && !is_looked_at {
            self.uses.values.insert(name);
            self.uses.any_class |=
                name == "type" && self.meanings(expr).any_path(|path| path == "builtins.type");
        }
        if self.is_cls(name) {
            self.uses.makes_unseen |= is_called;
            self.uses.any_class |= !is_called && !is_looked_at;
        }
        // In the body of its class the name of a method is the function itself.
        if !self.accessors.remove(&(&raw const *expr))
            && let Some((scope, ScopeKind::Class(class))) = self.open.last()
            && self.uses.functions.contains(name)
            && self.names.modules[self.module].scopes[*scope]
                .names
                .contains_key(name)
        {
            self.uses.values.insert(class.name.as_str());
            self.uses.read.insert(name);
        }
    }

    fn attribute(&mut self, expr: &'a Expr, attribute: &'a ast::ExprAttribute, call: Option<&'a ExprCall>) {
        let name = attribute.attr.as_str();
        let is_looked_at = self.looked_at.remove(&(&raw const *expr));
        let is_a_hook =
            name.starts_with("__") && !matches!(name, "__name__" | "__qualname__" | "__version__");
        let reaches = is_a_hook || self.uses.functions.contains(name);
        if reaches && let Some(base) = last_name(&attribute.value) {
            let is_a_class = self.uses.classes.contains(base);
            let makes = name == "__init__" && call.is_some_and(|call| self.makes_its_base(base, call));
            if is_a_class && !makes || is_a_hook && self.uses.functions.contains(base) {
                self.uses.values.insert(base);
            }
            self.uses.any_class |= self.is_cls(base);
        }
        self.uses.any_class |= reaches && is_called(&attribute.value, "type");
        if !matches!(&*attribute.value, Expr::Subscript(_)) {
            self.looked_at.insert(&raw const *attribute.value);
        }
        match name {
            "__class__" if call.is_some() => self.uses.makes_unseen = true,
            "__class__" => self.uses.any_class |= !is_looked_at,
            "__dict__" => self.uses.takes_dicts |= !self.told.remove(&(&raw const *expr)),
            "copy" | "get" | "items" | "keys" | "values" => {
                self.told.insert(&raw const *attribute.value);
            }
            // Who has these may store under any name.
            "_modules" | "_parameters" | "_buffers" if call.is_none() => self.uses.sets_computed = true,
            _ if TELL_CLASSES.contains(&name) => self.uses.any_class = true,
            _ => {}
        }
        if call.is_none() {
            self.uses.read.insert(name);
            self.uses.sets_computed |= STORERS.contains(&name)
                || matches!(name, "__setstate__" | "functional_call" | "set_submodule");
            if !is_looked_at {
                self.uses.values.insert(name);
            }
        }
    }

    /// `Base.__init__(self, ...)`, written in a class below `Base`.
    fn makes_its_base(&self, base: &str, call: &ExprCall) -> bool {
        let Some(Expr::Name(first)) = call.arguments.args.first() else {
            return false;
        };
        self.methods().any(|(_, class, function)| {
            first_parameter(function) == Some(first.id.as_str())
                && class.bases().iter().any(|of| last_name(of) == Some(base))
        })
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
            Stmt::FunctionDef(function) => {
                // `def kind(*given)` of the class: the first one given is the class.
                if let Some((scope, ScopeKind::Class(_))) = self.open.last()
                    && first_parameter(function).is_none()
                    && function.parameters.vararg.is_some()
                {
                    self.uses.any_class |= self.may_be_of_the_class(*scope, function);
                }
                for decorator in &function.decorator_list {
                    if let Expr::Attribute(of) = &decorator.expression
                        && is_an_accessor(&decorator.expression)
                    {
                        self.accessors.insert(&raw const *of.value);
                    }
                }
                let annotations = function
                    .parameters
                    .iter()
                    .filter_map(ast::AnyParameterRef::annotation);
                annotations
                    .chain(function.returns.as_deref())
                    .for_each(|annotation| self.look(annotation));
            }
            Stmt::ClassDef(class) => {
                for base in class.bases() {
                    self.look(base);
                    let meanings = self.meanings(base);
                    self.uses.has_unseen_bases |= meanings.is_empty() || meanings.contains(&Meaning::Unknown);
                    if let Some(name) = last_name(base) {
                        self.uses.bases.insert(name);
                        self.uses
                            .below
                            .entry(name)
                            .or_default()
                            .push((self.module, class));
                    }
                }
            }
            // What a class body annotates can be asked for.
            Stmt::AnnAssign(assign) => match &*assign.target {
                Expr::Name(name) if let Some(class) = self.class_body() => {
                    let owners = self.uses.fields.entry(name.id.as_str()).or_default();
                    owners.push(class.name.as_str());
                }
                _ => self.look(&assign.annotation),
            },
            // A documentation string, a list of what `import *` takes.
            Stmt::Expr(alone) if alone.value.is_string_literal_expr() => self.look(&alone.value),
            Stmt::Assign(assign) if matches!(&*assign.targets, [Expr::Name(name)] if name.id.as_str() == "__all__") =>
            {
                self.look(&assign.value);
            }
            // What is done with a name is seen where it stands.
            // Under a second name a table can be changed, too.
            Stmt::Assign(assign) if assign.targets.len() > 1 => {
                self.uses
                    .values
                    .extend(assign.targets.iter().filter_map(last_name));
            }
            Stmt::Assign(assign) if is_called(&assign.value, "type") => {
                if let ([Expr::Name(name)], Expr::Call(made)) = (&*assign.targets, &*assign.value) {
                    self.told.insert(&raw const *assign.value);
                    self.named_types.push((name.id.as_str(), made));
                }
            }
            Stmt::AugAssign(assign) => {
                self.change(&assign.target);
                self.uses.values.extend(last_name(&assign.target));
            }
            Stmt::Delete(delete) => delete.targets.iter().for_each(|target| self.change(target)),
            Stmt::ImportFrom(import) => {
                for alias in &import.names {
                    // Under another name its calls are not found.
                    if alias.asname.is_some() {
                        self.uses.values.insert(alias.name.as_str());
                    }
                    let name = alias.name.as_str();
                    let base = import.module.as_ref().map_or("", |base| base.as_str());
                    self.uses.any_class |= TELL_CLASSES.contains(&name)
                        || name == "*" && (base.starts_with("functools") || base.starts_with("typing"));
                }
            }
            _ => {}
        }
    }

    fn expression(&mut self, expr: &'a Expr) -> bool {
        let call = self
            .callee
            .take_if(|call| std::ptr::eq(&raw const *call.func, expr));
        match expr {
            Expr::Call(inner) => {
                let is_told = self.told.remove(&(&raw const *expr));
                self.uses.takes_dicts |= is_called(expr, "vars") && !is_told;
                if is_called(expr, "type")
                    && !self.looked_at.remove(&(&raw const *expr))
                    && inner.arguments.args.len() == 1
                {
                    self.uses.any_class = true;
                    if !is_told {
                        self.uses.types.insert(&raw const *inner);
                    }
                }
                self.call(inner);
            }
            Expr::Compare(compare)
                if !self.compares
                    || compare
                        .ops
                        .iter()
                        .all(|op| matches!(op, CmpOp::Is | CmpOp::IsNot)) =>
            {
                self.look(&compare.left);
                compare.comparators.iter().for_each(|value| self.look(value));
            }
            Expr::Named(named) => self.uses.values.extend(last_name(&named.target)),
            // A text that is a name may become one.
            Expr::StringLiteral(text) => {
                let is_looked_at = self.looked_at.remove(&(&raw const *expr));
                if !is_looked_at {
                    self.uses.texts.insert(text.value.to_str());
                }
            }
            Expr::Name(name) if matches!(name.ctx, ExprContext::Load) => {
                self.name(expr, name.id.as_str(), call.is_some());
            }
            Expr::Attribute(attribute) if matches!(attribute.ctx, ExprContext::Load) => {
                self.attribute(expr, attribute, call);
            }
            // Whatever statement stands around: a loop, a comprehension, an unpacking.
            Expr::Attribute(attribute) => {
                let value = self.assigned.remove(&(&raw const *expr));
                let spot = self.spot();
                let stored = self.uses.stored.entry(attribute.attr.as_str()).or_default();
                stored.push((spot, value));
                self.change(&attribute.value);
            }
            Expr::Subscript(subscript) if matches!(subscript.ctx, ExprContext::Load) => {
                // `Target[int]` hands on to `Target`.
                if last_name(&subscript.value)
                    .is_some_and(|base| !self.uses.classes.contains(base) && !self.is_cls(base))
                {
                    self.looked_at.insert(&raw const *subscript.value);
                }
                self.told.insert(&raw const *subscript.slice);
            }
            Expr::FString(text) => {
                let elements = text
                    .value
                    .elements()
                    .filter_map(|element| element.as_interpolation());
                self.told
                    .extend(elements.map(|element| ptr::from_ref(&*element.expression)));
            }
            Expr::Subscript(subscript) => self.change(&subscript.value),
            _ => {}
        }
        true
    }

    fn pattern(&mut self, pattern: &'a Pattern) {
        if let Pattern::MatchClass(class) = pattern {
            self.look(&class.cls);
            for keyword in &class.arguments.keywords {
                self.uses.values.insert(keyword.attr.as_str());
                self.uses.read.insert(keyword.attr.as_str());
            }
        }
    }
}
