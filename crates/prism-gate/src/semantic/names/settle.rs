//! How names come to stand for something: what is known at once, and what aliases add in rounds until nothing changes.
//!
//! Part of [`super::Names`]. What nobody sees is added last: a name that may stand for it is open.

use std::rc::Rc;

use ruff_python_ast::{self as ast, Expr};
use ruff_text_size::{Ranged, TextSize};

use super::{Names, TooIndirect, extend};
use crate::knowledge::libraries;
use crate::limits::{ALIAS_ROUNDS_MAX, MEANINGS_MAX, STARS_MAX};
use crate::semantic::scope::{BindingKind, ScopeId, ScopeKind};
use crate::semantic::{CTX, Meaning};
use crate::source::{Role, Source};

/// A name that may stand for what another place says.
struct Alias<'a> {
    module: usize,
    scope: ScopeId,
    name: &'a str,
    value: Value<'a>,
    /// The scope in which the value is evaluated.
    value_scope: ScopeId,
}

enum Value<'a> {
    /// What an expression may stand for.
    Expression(&'a Expr),
    /// Something in a module of the bundle.
    Path(Rc<str>),
    /// An instance of what an annotation names.
    Annotation(&'a Expr),
}

impl Alias<'_> {
    fn start(&self) -> TextSize {
        match &self.value {
            Value::Expression(expr) | Value::Annotation(expr) => expr.range().start(),
            Value::Path(_) => TextSize::default(),
        }
    }
}

impl<'a> Names<'a> {
    /// Lets aliases settle. Must be called once before [`Names::meanings`].
    pub(crate) fn settle(&mut self, sources: &[Source<'_>]) -> Result<(), TooIndirect> {
        if let Some(module) = self
            .modules
            .iter()
            .position(|module| module.stars.len() > STARS_MAX)
        {
            return Err(TooIndirect { module });
        }
        let mut aliases = Vec::new();
        for (module, source) in sources.iter().enumerate() {
            self.seed(module, source.role, &mut aliases);
        }
        for alias in &aliases {
            self.known.insert(alias.name);
        }
        // The order of a hash map must not decide the order of anything.
        aliases.sort_by_key(|alias| (alias.module, alias.start(), alias.scope, alias.name));
        let entries: Vec<_> = sources
            .iter()
            .enumerate()
            .filter_map(|(module, source)| Some((module, entry_of(source.role)?)))
            .collect();
        for _ in 0..ALIAS_ROUNDS_MAX {
            if !self.round(&aliases, &entries)? {
                self.settle_open(&aliases);
                return Ok(());
            }
        }
        Err(TooIndirect {
            module: aliases.last().map_or(0, |alias| alias.module),
        })
    }

    /// Every assignment says once what it adds; whether any meaning was new.
    fn round(
        &mut self,
        aliases: &[Alias<'a>],
        entries: &[(usize, &'static str)],
    ) -> Result<bool, TooIndirect> {
        let mut changed = false;
        for (module, name) in entries {
            changed |= self.give_ctx(*module, name)?;
        }
        for alias in aliases {
            let found = self.value_of(alias);
            changed |= self.add(alias, found)?;
        }
        for module in 0..self.modules.len() {
            changed |= self.hand_on(module)?;
        }
        Ok(changed)
    }

    fn value_of(&self, alias: &Alias<'a>) -> Vec<Meaning> {
        let mut found = Vec::new();
        match &alias.value {
            Value::Expression(value) => {
                self.expression(alias.module, alias.value_scope, value, 0, &mut found);
            }
            Value::Path(path) => self.path(path, &mut found),
            Value::Annotation(annotation) => {
                self.instance_of(alias.module, alias.value_scope, annotation, &mut found);
            }
        }
        found
    }

    /// What nobody sees goes on to the names that stand for the same. Where that takes too long, no name is closed.
    fn settle_open(&mut self, aliases: &[Alias<'a>]) {
        for _ in 0..ALIAS_ROUNDS_MAX {
            let mut changed = false;
            for alias in aliases {
                let found = self.value_of(alias);
                let scopes = &mut self.modules[alias.module].scopes;
                if let Some(entry) = scopes[alias.scope].names.get_mut(alias.name)
                    && !entry.is_open
                    && (found.is_empty() || found.contains(&Meaning::Unknown))
                {
                    entry.is_open = true;
                    changed = true;
                }
            }
            if !changed {
                return;
            }
        }
        let scopes = self.modules.iter_mut().flat_map(|module| &mut module.scopes);
        for entry in scopes.flat_map(|scope| scope.names.values_mut()) {
            entry.is_open = true;
        }
    }

    /// What stands for itself is known at once; the rest becomes an alias.
    fn seed(&mut self, module: usize, role: Role, aliases: &mut Vec<Alias<'a>>) {
        let mut known: Vec<(ScopeId, &'a str, Meaning)> = Vec::new();
        let scopes = &self.modules[module];
        for (scope, content) in scopes.scopes.iter().enumerate() {
            for (&name, entry) in &content.names {
                for &number in &entry.bindings {
                    let binding = &scopes.bindings[number];
                    let mut alias = |value, value_scope| {
                        aliases.push(Alias {
                            module,
                            scope,
                            name,
                            value,
                            value_scope,
                        });
                    };
                    match &binding.kind {
                        BindingKind::Import(path) if self.is_bundled(path) => {
                            alias(Value::Path(path.clone()), scope);
                        }
                        BindingKind::Import(path) => {
                            known.push((scope, name, Meaning::Library(path.clone())));
                        }
                        BindingKind::Value(value) if may_stand_for_something(value) => {
                            alias(Value::Expression(value), binding.scope);
                        }
                        BindingKind::Function(_)
                        | BindingKind::Class(_)
                        | BindingKind::Value(Expr::Lambda(_)) => {
                            known.push((scope, name, Meaning::Local(module, number)));
                        }
                        BindingKind::Parameter(parameter, _) => {
                            if let Some(annotation) = parameter.annotation.as_deref() {
                                alias(Value::Annotation(annotation), content.parent.unwrap_or_default());
                            }
                        }
                        BindingKind::Value(_)
                        | BindingKind::Counter(_)
                        | BindingKind::Key(_)
                        | BindingKind::Element(_)
                        | BindingKind::Other => {}
                    }
                }
            }
        }
        self.open(module, role);
        known.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
        for (scope, name, meaning) in known {
            self.known.insert(name);
            let Some(entry) = self.modules[module].scopes[scope].names.get_mut(name) else {
                continue;
            };
            if entry.meanings.len() < MEANINGS_MAX {
                extend(&mut entry.meanings, [meaning]);
            } else if matches!(meaning, Meaning::Library(_)) && !entry.meanings.contains(&meaning) {
                // What is left out may be what matters.
                self.followed.set(usize::MAX);
            }
        }
    }

    /// Marks the names that may stand for what nobody sees: every binding that is not understood, a parameter, and what
    /// another place may store.
    fn open(&mut self, module: usize, role: Role) {
        let reach = &self.reach[module];
        let stored = |name: &str, kind: ScopeKind<'_>| match kind {
            ScopeKind::Module => {
                self.stored_elsewhere.contains(name)
                    || self.submodules.contains(name)
                    || reach
                        .modules
                        .iter()
                        .any(|from| self.modules[*from].scopes[0].names.contains_key(name))
                    || reach.libraries.iter().any(|from| libraries::lends(from, name))
            }
            ScopeKind::Class(_) => self.stored.contains(name),
            ScopeKind::Function(_) | ScopeKind::Lambda(_) | ScopeKind::Comprehension(_) => false,
        };
        let scopes = &self.modules[module];
        let mut open = Vec::new();
        for (scope, content) in scopes.scopes.iter().enumerate() {
            for (&name, entry) in &content.names {
                let is_open = entry
                    .bindings
                    .iter()
                    .any(|&number| match &scopes.bindings[number].kind {
                        BindingKind::Import(_) | BindingKind::Function(_) | BindingKind::Class(_) => false,
                        BindingKind::Value(value) => {
                            let is_seen = value.is_none_literal_expr() || value.is_lambda_expr();
                            !is_seen && !may_stand_for_something(value)
                        }
                        BindingKind::Parameter(_, place) => {
                            !is_given_ctx(content.kind, content.parent, role, *place)
                        }
                        BindingKind::Counter(_)
                        | BindingKind::Key(_)
                        | BindingKind::Element(_)
                        | BindingKind::Other => true,
                    });
                if is_open || stored(name, content.kind) {
                    open.push((scope, name));
                }
            }
        }
        for (scope, name) in open {
            if let Some(entry) = self.modules[module].scopes[scope].names.get_mut(name) {
                entry.is_open = true;
            }
        }
    }

    /// Adds meanings to a name; says whether any was new.
    fn add(&mut self, alias: &Alias<'a>, found: Vec<Meaning>) -> Result<bool, TooIndirect> {
        self.add_to(alias.module, alias.scope, alias.name, found)
    }

    fn add_to(
        &mut self,
        module: usize,
        scope: ScopeId,
        name: &str,
        found: Vec<Meaning>,
    ) -> Result<bool, TooIndirect> {
        let scopes = &mut self.modules[module].scopes;
        let Some(entry) = scopes[scope].names.get_mut(name) else {
            return Ok(false);
        };
        let before = entry.meanings.len();
        extend(
            &mut entry.meanings,
            found.into_iter().filter(|meaning| *meaning != Meaning::Unknown),
        );
        if entry.meanings.len() > MEANINGS_MAX {
            return Err(TooIndirect { module });
        }
        Ok(entry.meanings.len() > before)
    }

    /// What calls of a module hand to functions of the bundle becomes a meaning of their parameters.
    fn hand_on(&mut self, module: usize) -> Result<bool, TooIndirect> {
        let mut changed = false;
        for number in 0..self.modules[module].calls.len() {
            let (scope, call) = self.modules[module].calls[number];
            let mut callees = self.meanings(module, scope, &call.func);
            let mut given = &*call.arguments.args;
            let is_partial = |meaning: &Meaning| matches!(meaning, Meaning::Library(path) if &**path == "functools.partial");
            // `partial(f, x)` hands on what `f(x)` does.
            if callees.iter().any(is_partial)
                && let Some((first, rest)) = given.split_first()
            {
                callees = self.meanings(module, scope, first);
                given = rest;
            }
            for meaning in callees {
                let Meaning::Local(owner, binding) = meaning else {
                    continue;
                };
                let Some((inner, function, places)) = self.called(owner, binding) else {
                    continue;
                };
                let parameters = &function.parameters;
                let positional = parameters.posonlyargs.iter().chain(&parameters.args).skip(places);
                let by_place = positional.map(|p| p.parameter.name.as_str()).zip(given);
                let by_name = call.arguments.keywords.iter().filter_map(|keyword| {
                    let name = keyword.arg.as_ref()?.as_str();
                    let parameter = function.parameters.iter_non_variadic_params();
                    let known = parameter
                        .map(|p| p.parameter.name.as_str())
                        .find(|known| *known == name)?;
                    Some((known, &keyword.value))
                });
                for (name, value) in by_place.chain(by_name) {
                    if !may_stand_for_something(value) {
                        continue;
                    }
                    let found = self.meanings(module, scope, value);
                    if !found.is_empty() {
                        self.known.insert(name);
                    }
                    changed |= self.add_to(owner, inner, name, found)?;
                }
            }
        }
        Ok(changed)
    }
}

impl<'a> Names<'a> {
    /// The function that a call of a function or class runs, with its scope and how many parameters come before what is
    /// given.
    fn called(&self, module: usize, binding: usize) -> Option<(ScopeId, &'a ast::StmtFunctionDef, usize)> {
        let scopes = &self.modules[module];
        match scopes.bindings[binding].kind {
            BindingKind::Function(function) => Some((scopes.function_scope(function)?, function, 0)),
            BindingKind::Class(class) => {
                let body = &scopes.scopes[scopes.class_scope(class)?].names;
                let mut bound = body.get("__init__")?.bindings.iter();
                bound.find_map(|&number| match scopes.bindings[number].kind {
                    BindingKind::Function(function) => Some((scopes.function_scope(function)?, function, 1)),
                    _ => None,
                })
            }
            _ => None,
        }
    }

    /// What the harness calls is given its `ctx`, wherever it is defined; whether that was new.
    fn give_ctx(&mut self, module: usize, entry: &str) -> Result<bool, TooIndirect> {
        let mut changed = false;
        let mut found = Vec::new();
        self.member(module, entry, &mut found);
        for meaning in found {
            let Meaning::Local(owner, binding) = meaning else {
                continue;
            };
            let Some((inner, function, places)) = self.called(owner, binding) else {
                continue;
            };
            if let Some(given) = positional(function).nth(place_of_ctx(function, places)) {
                let name = given.parameter.name.as_str();
                self.known.insert(name);
                changed |= self.add_to(owner, inner, name, vec![Meaning::Library(CTX.into())])?;
            }
        }
        Ok(changed)
    }
}

fn may_stand_for_something(value: &Expr) -> bool {
    match value {
        Expr::Attribute(attribute) => may_stand_for_something(&attribute.value),
        Expr::Name(_) | Expr::Named(_) | Expr::If(_) | Expr::BoolOp(_) => true,
        _ => false,
    }
}

/// What the harness calls in a file.
fn entry_of(role: Role) -> Option<&'static str> {
    match role {
        Role::Architecture => Some("build_model"),
        Role::Training => Some("train"),
        Role::Helper => None,
    }
}

/// Whether a parameter of a function is the one that the harness gives its `ctx` to.
fn is_given_ctx(kind: ScopeKind<'_>, parent: Option<ScopeId>, role: Role, place: usize) -> bool {
    matches!(kind, ScopeKind::Function(function)
        if Some(function.name.as_str()) == entry_of(role) && place == place_of_ctx(function, 0))
        && parent == Some(0)
}

/// Which positional parameter of a function that the harness calls is given its `ctx`: the first one behind those that
/// Python gives itself.
///
/// Where more than one is asked for, no call of the harness gets into the function, and PRS301 says so. What it means to do
/// with its `ctx` is no second mistake.
fn place_of_ctx(function: &ast::StmtFunctionDef, given_by_python: usize) -> usize {
    let is_asked_for = |parameter: &&ast::ParameterWithDefault| parameter.default.is_none();
    let asked_for = positional(function).skip(given_by_python).filter(is_asked_for);
    let is_of_another_call = function.decorator_list.is_empty() && asked_for.count() > 1;
    let named = is_of_another_call
        .then(|| positional(function).position(|parameter| parameter.parameter.name.as_str() == "ctx"));
    named.flatten().unwrap_or(given_by_python)
}

fn positional(function: &ast::StmtFunctionDef) -> impl Iterator<Item = &ast::ParameterWithDefault> {
    function
        .parameters
        .posonlyargs
        .iter()
        .chain(&function.parameters.args)
}
