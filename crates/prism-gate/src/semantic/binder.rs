//! The first walk: which names are bound where, and to what.
//!
//! Called by [`crate::check`] for each module. It decides nothing; what it does not understand it binds to
//! [`BindingKind::Other`], which stands for nothing known.

use std::rc::Rc;

use ruff_python_ast::{self as ast, ExceptHandler, Expr, ExprContext, Pattern, Stmt, TypeParam};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::scope::{Binding, BindingKind, ModuleScopes, ScopeId, ScopeKind};
use super::shadow;
use super::walk::{Pass, Walker};
use crate::knowledge::builtins;
use crate::limits::STARS_MAX;
use crate::source::Source;

/// Stands for the scope of a `nonlocal` name until all scopes are known.
const UNPLACED: ScopeId = ScopeId::MAX;

/// Binds a module.
pub(crate) fn bind<'a>(source: &'a Source<'a>, body: &'a [Stmt]) -> ModuleScopes<'a> {
    let mut binder = Binder {
        source,
        found: ModuleScopes::new(),
        open: vec![Open {
            scope: 0,
            value_scope: 0,
            bodies: 0,
        }],
        nonlocals: Vec::new(),
        waiting: Vec::new(),
        asked: Vec::new(),
    };
    Walker::module(&mut binder, body);
    binder.place_nonlocals();
    let binds_a_builtin = binder.found.scopes[0]
        .names
        .keys()
        .any(|name| builtins::is_builtin(name));
    if binds_a_builtin {
        binder.found.hidden = shadow::of(body);
    }
    binder.found
}

struct Open {
    scope: ScopeId,
    value_scope: ScopeId,
    bodies: usize,
}

struct Binder<'a> {
    source: &'a Source<'a>,
    found: ModuleScopes<'a>,
    open: Vec<Open>,
    /// The names of `nonlocal` statements, with the scopes that these stand in.
    nonlocals: Vec<(ScopeId, &'a str)>,
    /// Bindings of such names: where they belong is known only when all functions around are.
    waiting: Vec<(ScopeId, &'a str, usize)>,
    /// Names that the code asks for by `getattr`, until they come.
    asked: Vec<*const Expr>,
}

impl<'a> Binder<'a> {
    /// Sends the names of `nonlocal` to the nearest function around that binds them itself.
    fn place_nonlocals(&mut self) {
        for &(scope, name) in &self.nonlocals {
            let owner = self.found.owner_of_nonlocal(scope, name);
            self.found.scopes[scope].elsewhere.insert(name, owner);
        }
        for &(scope, name, number) in &self.waiting {
            let owner = self.found.scopes[scope].elsewhere.get(name).copied();
            let entry = self.found.scopes[owner.unwrap_or(scope)].names.entry(name);
            entry.or_default().bindings.push(number);
        }
    }

    /// Whether a name is the first parameter of the method around.
    fn is_own_object(&self, name: &str) -> bool {
        matches!(name, "self" | "cls")
            || self.open.windows(2).rev().any(|pair| {
                let [outer, inner] = [&pair[0], &pair[1]].map(|open| self.found.scopes[open.scope].kind);
                let (ScopeKind::Class(_), ScopeKind::Function(method)) = (outer, inner) else {
                    return false;
                };
                let parameters = &method.parameters;
                let first = parameters.posonlyargs.iter().chain(&parameters.args).next();
                first.is_some_and(|first| first.parameter.name.as_str() == name)
            })
    }

    fn scope(&self) -> ScopeId {
        self.open.last().map_or(0, |open| open.scope)
    }

    /// Whether a statement here runs whenever its scope does.
    fn is_certain(&self) -> bool {
        self.open.last().is_some_and(|open| open.bodies == 1)
    }

    fn bind(&mut self, name: &'a str, kind: BindingKind<'a>, end: TextSize) {
        let value_scope = self.value_scope();
        self.bind_in(
            self.scope(),
            name,
            kind,
            value_scope,
            self.is_certain().then_some(end),
        );
    }

    /// The scope has begun: from here on values are evaluated in it.
    fn begun(&mut self) {
        if let Some(open) = self.open.last_mut() {
            open.value_scope = open.scope;
        }
    }

    /// Where values are evaluated: while a scope begins, that is still the outer one.
    fn value_scope(&self) -> ScopeId {
        self.open.last().map_or(0, |open| open.value_scope)
    }

    fn bind_in(
        &mut self,
        scope: ScopeId,
        name: &'a str,
        kind: BindingKind<'a>,
        value_scope: ScopeId,
        certain: Option<TextSize>,
    ) {
        if !self.found.scopes[scope].kind.is_local() {
            self.found.defined.insert(name);
        }
        self.spell(
            name,
            TextRange::at(certain.unwrap_or_default(), TextSize::default()),
        );
        let number = self.found.bindings.len();
        self.found.bindings.push(Binding {
            kind,
            scope: value_scope,
        });
        let elsewhere = self.found.scopes[scope].elsewhere.get(name).copied();
        if elsewhere == Some(UNPLACED) {
            self.waiting.push((scope, name, number));
            return;
        }
        let entry = self.found.scopes[elsewhere.unwrap_or(scope)]
            .names
            .entry(name)
            .or_default();
        entry.bindings.push(number);
        if let (Some(end), None) = (certain, elsewhere) {
            entry.certain_from = Some(entry.certain_from.map_or(end, |first| first.min(end)));
        }
    }

    /// Binds what may never come to be bound: a loop may have no turn, a `with` may swallow an exception.
    fn perhaps(&mut self, bind: impl FnOnce(&mut Self)) {
        self.body(true);
        bind(self);
        self.body(false);
    }

    /// Binds the names of a target to the parts of a value, as far as both are spelled out.
    fn assign(&mut self, target: &'a Expr, value: Option<&'a Expr>, end: TextSize) {
        match target {
            Expr::Name(name) => {
                let kind = value.map_or(BindingKind::Other, BindingKind::Value);
                self.bind(name.id.as_str(), kind, end);
            }
            Expr::Starred(starred) => self.assign(&starred.value, None, end),
            Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
                let parts = value.and_then(|value| parts_of(value, elts.len()));
                for (number, element) in elts.iter().enumerate() {
                    self.assign(element, parts.and_then(|parts| parts.get(number)), end);
                }
            }
            _ => {}
        }
    }

    /// A loop binds each element of what it runs over in turn, where those are spelled out.
    fn iterate(&mut self, target: &'a Expr, iterable: &'a Expr, end: TextSize) {
        match elements(iterable).filter(|elements| !elements.is_empty()) {
            Some(elements) => {
                for element in elements {
                    self.assign(target, Some(element), end);
                }
            }
            None => self.counter(target, iterable, end),
        }
    }

    /// `for step in range(n)`, `for step, batch in enumerate(stream)`.
    fn counter(&mut self, target: &'a Expr, iterable: &'a Expr, end: TextSize) {
        let callee = match iterable {
            Expr::Call(call) => match &*call.func {
                Expr::Name(name) => Some((name.id.as_str(), &*call.func)),
                _ => None,
            },
            _ => None,
        };
        match (callee, target) {
            (Some(("range", callee)), Expr::Name(name)) => {
                self.bind(name.id.as_str(), BindingKind::Counter(callee), end);
            }
            (Some(("enumerate", callee)), Expr::Tuple(both)) if both.elts.len() == 2 => {
                match &both.elts[0] {
                    Expr::Name(name) => self.bind(name.id.as_str(), BindingKind::Counter(callee), end),
                    other => self.assign(other, None, end),
                }
                self.assign(&both.elts[1], None, end);
            }
            (_, Expr::Tuple(both)) if both.elts.len() == 2 => {
                match (&both.elts[0], iterable) {
                    (Expr::Name(name), Expr::Call(call)) => {
                        self.bind(name.id.as_str(), BindingKind::Key(call), end);
                    }
                    (other, _) => self.assign(other, None, end),
                }
                self.assign(&both.elts[1], None, end);
            }
            _ => match (target, iterable) {
                (Expr::Name(name), Expr::Call(call)) => {
                    self.bind(name.id.as_str(), BindingKind::Element(call), end);
                }
                _ => self.assign(target, None, end),
            },
        }
    }

    fn parameters(&mut self, parameters: &'a ast::Parameters) {
        let start = parameters.range.start();
        for (number, parameter) in parameters.iter().enumerate() {
            let parameter = parameter.as_parameter();
            let kind = BindingKind::Parameter(parameter, number);
            let value_scope = self.value_scope();
            self.bind_in(
                self.scope(),
                parameter.name.as_str(),
                kind,
                value_scope,
                Some(start),
            );
        }
        // A default is one of the values that a parameter may have.
        for parameter in parameters.iter_non_variadic_params() {
            if let Some(default) = parameter.default() {
                let kind = BindingKind::Value(default);
                let value_scope = self.value_scope();
                self.bind_in(
                    self.scope(),
                    parameter.parameter.name.as_str(),
                    kind,
                    value_scope,
                    None,
                );
            }
        }
    }

    /// An attribute is stored: on an own object it is the bundle's, on anything else it may replace what a module binds.
    fn store(&mut self, object: &'a Expr, name: &'a str) {
        self.found.stored.insert(name);
        if matches!(object, Expr::Name(object) if self.is_own_object(object.id.as_str())) {
            self.found.attributes.insert(name);
            self.found.defined.insert(name);
        } else {
            self.found.stored_elsewhere.insert(name);
        }
    }

    /// What is deleted may uncover another thing of this name; what a function has deleted is unbound there.
    fn delete(&mut self, name: &'a str) {
        let scope = self.scope();
        let owner = self.found.scopes[scope].elsewhere.get(name).copied();
        if owner != Some(UNPLACED) {
            self.found.scopes[owner.unwrap_or(scope)].deleted.insert(name);
        }
    }

    /// Within a class `R` Python reads `__name` as `_R__name`: who writes that out has two spellings for one name.
    fn spell(&mut self, name: &'a str, at: TextRange) {
        if let [b'_', second, ..] = name.as_bytes()
            && *second != b'_'
            && name.contains("__")
            && !name.ends_with("__")
        {
            self.found.spelled.push((name, at));
        }
    }

    fn type_params(&mut self, type_params: Option<&'a ast::TypeParams>) {
        for parameter in type_params.into_iter().flat_map(|all| all.type_params.iter()) {
            let name = match parameter {
                TypeParam::TypeVar(parameter) => &parameter.name,
                TypeParam::ParamSpec(parameter) => &parameter.name,
                TypeParam::TypeVarTuple(parameter) => &parameter.name,
            };
            self.bind(name.as_str(), BindingKind::Other, parameter.range().end());
        }
    }

    fn import(&mut self, import: &'a ast::StmtImport) {
        for alias in &import.names {
            let path = alias.name.as_str();
            let (name, path) = if let Some(asname) = &alias.asname {
                (asname.as_str(), path)
            } else {
                let top = path.split('.').next().unwrap_or(path);
                (top, top)
            };
            self.bind(name, BindingKind::Import(path.into()), import.range.end());
        }
    }

    fn import_from(&mut self, import: &'a ast::StmtImportFrom) {
        let base = absolute(self.source, import);
        for alias in &import.names {
            let name = alias.name.as_str();
            if name == "*" {
                if !self.found.stars.contains(&base) && self.found.stars.len() <= STARS_MAX {
                    self.found.stars.push(base.clone());
                }
                continue;
            }
            let path: Rc<str> = if base.is_empty() {
                name.into()
            } else {
                format!("{base}.{name}").into()
            };
            let bound = alias.asname.as_ref().map_or(name, |asname| asname.as_str());
            self.bind(bound, BindingKind::Import(path), import.range.end());
        }
    }
}

/// The module that an import statement names, from the top of the bundle.
pub(crate) fn absolute(source: &Source<'_>, import: &ast::StmtImportFrom) -> Rc<str> {
    let module = import.module.as_ref().map_or("", |module| module.as_str());
    if import.level == 0 {
        return module.into();
    }
    let mut package: Vec<&str> = source.module.split('.').collect();
    let up = import.level as usize - usize::from(source.is_package);
    package.truncate(package.len().saturating_sub(up));
    package.extend((!module.is_empty()).then_some(module));
    package.join(".").into()
}

/// Longest text that counts as a name, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// Whether a text could be the name of an attribute.
fn is_a_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= NAME_BYTES_MAX
        && !text.as_bytes()[0].is_ascii_digit()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether an argument of a call may stand for something.
fn hands_something_on(call: &ast::ExprCall) -> bool {
    let keywords = call.arguments.keywords.iter().map(|keyword| &keyword.value);
    call.arguments
        .args
        .iter()
        .chain(keywords)
        .any(|value| matches!(value, Expr::Name(_) | Expr::Attribute(_)))
}

/// The elements of a literal tuple, list or set.
fn elements(expr: &Expr) -> Option<&[Expr]> {
    match expr {
        Expr::Tuple(tuple) => Some(&tuple.elts),
        Expr::List(list) => Some(&list.elts),
        Expr::Set(set) => Some(&set.elts),
        _ => None,
    }
}

/// The values that so many targets get, where it is seen which gets which: a set has no order, and `*` moves what follows.
pub(crate) fn parts_of(value: &Expr, targets: usize) -> Option<&[Expr]> {
    let parts = elements(value).filter(|parts| !value.is_set_expr() && parts.len() == targets)?;
    (!parts.iter().any(Expr::is_starred_expr)).then_some(parts)
}

impl<'a> Pass<'a> for Binder<'a> {
    fn enter(&mut self, kind: ScopeKind<'a>) {
        let outer = self.scope();
        let scope = self.found.open(kind, Some(outer));
        self.open.push(Open {
            scope,
            value_scope: outer,
            bodies: 0,
        });
        match kind {
            ScopeKind::Function(function) => {
                self.parameters(&function.parameters);
                self.type_params(function.type_params.as_deref());
            }
            ScopeKind::Class(class) => self.type_params(class.type_params.as_deref()),
            ScopeKind::Lambda(lambda) => {
                if let Some(parameters) = &lambda.parameters {
                    self.parameters(parameters);
                }
            }
            ScopeKind::Comprehension(generators) => {
                for generator in generators {
                    self.iterate(&generator.target, &generator.iter, generator.range.end());
                    // Only the first iterable is evaluated outside.
                    self.begun();
                }
            }
            ScopeKind::Module => {}
        }
        self.begun();
    }

    fn leave(&mut self) {
        self.open.pop();
    }

    fn body(&mut self, begins: bool) {
        if let Some(open) = self.open.last_mut() {
            open.bodies = if begins { open.bodies + 1 } else { open.bodies - 1 };
        }
    }

    fn statement(&mut self, stmt: &'a Stmt) {
        let end = stmt.range().end();
        match stmt {
            Stmt::FunctionDef(function) => {
                if matches!(self.found.scopes[self.scope()].kind, ScopeKind::Class(_)) {
                    self.found.attributes.insert(function.name.as_str());
                }
                // A decorator may call the function before its name is bound.
                let bound = match function.body.first() {
                    Some(first) if function.decorator_list.is_empty() => first.range().start(),
                    _ => end,
                };
                self.bind(function.name.as_str(), BindingKind::Function(function), bound);
            }
            Stmt::ClassDef(class) => {
                self.bind(class.name.as_str(), BindingKind::Class(class), end);
            }
            Stmt::Assign(assign) => {
                for target in &assign.targets {
                    self.assign(target, Some(&assign.value), end);
                }
            }
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    self.assign(&assign.target, Some(value), end);
                }
            }
            Stmt::AugAssign(assign) => self.assign(&assign.target, None, end),
            Stmt::TypeAlias(alias) => self.assign(&alias.name, Some(&alias.value), end),
            Stmt::For(each) => self.perhaps(|binder| binder.iterate(&each.target, &each.iter, end)),
            Stmt::With(with) => {
                for item in &with.items {
                    if let Some(target) = &item.optional_vars {
                        self.perhaps(|binder| binder.assign(target, None, end));
                    }
                }
            }
            Stmt::Try(attempt) => {
                for ExceptHandler::ExceptHandler(handler) in &attempt.handlers {
                    if let Some(name) = &handler.name {
                        // Python deletes it at the end of the handler.
                        self.delete(name.as_str());
                        self.bind(name.as_str(), BindingKind::Other, end);
                    }
                }
            }
            Stmt::Import(import) => self.import(import),
            Stmt::ImportFrom(import) => self.import_from(import),
            Stmt::Global(global) => {
                let scope = self.scope();
                for name in &global.names {
                    self.found.scopes[scope].elsewhere.insert(name.as_str(), 0);
                }
            }
            Stmt::Nonlocal(nonlocal) => {
                let scope = self.scope();
                for name in &nonlocal.names {
                    self.found.scopes[scope].elsewhere.insert(name.as_str(), UNPLACED);
                    self.nonlocals.push((scope, name.as_str()));
                }
            }
            _ => {}
        }
    }

    fn expression(&mut self, expr: &'a Expr) -> bool {
        match expr {
            Expr::Named(named) => {
                if let Expr::Name(name) = &*named.target {
                    let scope = self.found.not_comprehension(self.scope());
                    let value_scope = self.value_scope();
                    let kind = BindingKind::Value(&named.value);
                    self.bind_in(scope, name.id.as_str(), kind, value_scope, None);
                }
            }
            Expr::Attribute(attribute) => {
                self.spell(attribute.attr.as_str(), attribute.attr.range);
                if !matches!(attribute.ctx, ExprContext::Load) {
                    self.store(&attribute.value, attribute.attr.as_str());
                }
            }
            Expr::Call(call) => {
                if matches!(&*call.func, Expr::Name(name) if matches!(name.id.as_str(), "setattr" | "delattr"))
                    && let [object, Expr::StringLiteral(name), ..] = &*call.arguments.args
                    && let Some(name) = name.as_single_part_string()
                {
                    self.store(object, &name.value);
                }
                // What is asked for is not given.
                if matches!(&*call.func, Expr::Name(name) if matches!(name.id.as_str(), "getattr" | "hasattr"))
                    && let Some(asked @ Expr::StringLiteral(_)) = call.arguments.args.get(1)
                {
                    self.asked.push(&raw const *asked);
                }
                let keywords = call.arguments.keywords.iter();
                for name in keywords.filter_map(|keyword| keyword.arg.as_ref()) {
                    self.found.defined.insert(name.as_str());
                    self.spell(name.as_str(), name.range);
                }
                if call.func.is_name_expr() && hands_something_on(call) {
                    let scope = self.scope();
                    self.found.calls.push((scope, call));
                }
            }
            Expr::StringLiteral(text) if is_a_name(text.value.to_str()) => {
                if let Some(text) = text.as_single_part_string() {
                    self.spell(&text.value, text.range);
                }
                if self.asked.last() == Some(&(&raw const *expr)) {
                    self.asked.pop();
                } else if let Some(text) = text.as_single_part_string() {
                    self.found.defined.insert(&text.value);
                }
            }
            Expr::Name(name) if matches!(name.ctx, ExprContext::Del) => {
                self.delete(name.id.as_str());
            }
            _ => {}
        }
        true
    }

    fn pattern(&mut self, pattern: &'a Pattern) {
        if let Pattern::MatchClass(class) = pattern {
            for keyword in &class.arguments.keywords {
                self.spell(keyword.attr.as_str(), keyword.attr.range);
            }
        }
        let name = match pattern {
            Pattern::MatchAs(pattern) => pattern.name.as_ref(),
            Pattern::MatchStar(pattern) => pattern.name.as_ref(),
            Pattern::MatchMapping(pattern) => pattern.rest.as_ref(),
            _ => None,
        };
        if let Some(name) = name {
            // Whether it matches nobody sees.
            self.perhaps(|binder| binder.bind(name.as_str(), BindingKind::Other, pattern.range().end()));
        }
    }
}
