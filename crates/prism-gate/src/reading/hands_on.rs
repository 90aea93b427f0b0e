//! Whether a decorator puts nothing before a function but a wrapper that hands its own arguments on.
//!
//! [`crate::rules::no_harness_access`] asks it of what stands before `build_model` and `train`: whoever else could call
//! them would choose their `ctx`.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{self as ast, Expr, Stmt, StmtFunctionDef};

use crate::semantic::reads::first_parameter;
use crate::semantic::{BindingKind, Meant as _, Names, ScopeId};

/// Whether the function that a decorator of this module is given is called only in wrappers, with their own parameters, and
/// nothing is done with a wrapper but that it is returned.
pub(crate) fn only_wraps<'a>(names: &Names<'a>, module: usize, decorator: &'a StmtFunctionDef) -> bool {
    let scope = names.modules[module].function_scope(decorator);
    let (Some(function), Some(scope)) = (first_parameter(decorator), scope) else {
        return false;
    };
    let wrappers = decorator.body.iter().filter_map(Stmt::as_function_def_stmt);
    let mut reader = Reader {
        names,
        module,
        scope,
        function,
        wrappers: wrappers.clone().map(|wrapper| wrapper.name.as_str()).collect(),
        first: None,
        options: None,
        place: Place::Decorator,
        is_kept: false,
    };
    for statement in &decorator.body {
        reader.visit_stmt(statement);
    }
    let bound = &names.modules[module].scopes[scope].names;
    let is_bound_once = |name: &&str| bound.get(name).is_some_and(|entry| entry.bindings.len() == 1);
    !reader.is_kept && decorator.decorator_list.is_empty() && reader.wrappers.iter().all(is_bound_once)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Decorator,
    Wrapper,
    /// A function, a `lambda` or a comprehension in a wrapper: somebody else calls it.
    Deeper,
}

struct Reader<'n, 'a> {
    names: &'n Names<'a>,
    module: usize,
    scope: ScopeId,
    function: &'a str,
    wrappers: Vec<&'a str>,
    /// Of the wrapper: what holds its first argument, and what collects its options.
    first: Option<&'a str>,
    options: Option<&'a str>,
    place: Place,
    is_kept: bool,
}

impl Reader<'_, '_> {
    fn is_it(&self, expr: &Expr) -> bool {
        matches!(expr, Expr::Name(name) if name.id.as_str() == self.function)
    }

    /// `functools.wraps(function)`
    fn is_wraps_of_it(&self, expr: &Expr) -> bool {
        let Expr::Call(call) = expr else { return false };
        let meanings = self.names.meanings(self.module, self.scope, &call.func);
        matches!(&*call.arguments.args, [only] if self.is_it(only))
            && call.arguments.keywords.is_empty()
            && meanings.all_paths(|path| path == "functools.wraps")
    }

    /// Whether a value is a parameter of the wrapper and nothing else: a default is a second binding of its name.
    fn is_own(&self, value: &Expr) -> bool {
        let value = value.as_starred_expr().map_or(value, |all| &all.value);
        let Expr::Name(name) = value else { return false };
        let module = &self.names.modules[self.module];
        let entry = module.scopes[self.scope].names.get(name.id.as_str());
        entry.is_some_and(|entry| {
            let kinds = entry.bindings.iter().map(|number| &module.bindings[*number].kind);
            !entry.bindings.is_empty()
                && kinds
                    .into_iter()
                    .all(|kind| matches!(kind, BindingKind::Parameter(..)))
        })
    }

    fn below(&mut self, place: Place, visit: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.place, place);
        visit(self);
        self.place = before;
    }
}

impl<'a> Visitor<'a> for Reader<'_, 'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(wrapper) if self.place == Place::Decorator => {
                // Another decorator would be given the wrapper, and could call it with anything.
                self.is_kept |= !wrapper
                    .decorator_list
                    .iter()
                    .all(|one| self.is_wraps_of_it(&one.expression));
                // Annotations are evaluated where the wrapper is made.
                self.visit_parameters(&wrapper.parameters);
                wrapper
                    .returns
                    .iter()
                    .for_each(|returns| self.visit_annotation(returns));
                self.is_kept |= wrapper.type_params.is_some();
                let collected =
                    |all: &'a Option<Box<ast::Parameter>>| all.as_ref().map(|all| all.name.as_str());
                self.first = first_parameter(wrapper).or(collected(&wrapper.parameters.vararg));
                self.options = collected(&wrapper.parameters.kwarg);
                match self.names.modules[self.module].function_scope(wrapper) {
                    Some(scope) => {
                        let outer = std::mem::replace(&mut self.scope, scope);
                        self.below(Place::Wrapper, |reader| reader.visit_body(&wrapper.body));
                        self.scope = outer;
                    }
                    None => self.is_kept = true,
                }
            }
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => {
                self.below(Place::Deeper, |reader| visitor::walk_stmt(reader, stmt));
            }
            Stmt::Return(returned) if self.place == Place::Decorator => match returned.value.as_deref() {
                Some(Expr::Name(name)) if self.wrappers.contains(&name.id.as_str()) => {}
                _ => visitor::walk_stmt(self, stmt),
            },
            _ => visitor::walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Call(call) if self.place == Place::Wrapper && self.is_it(&call.func) => {
                let keywords = call.arguments.keywords.iter().map(|keyword| &keyword.value);
                let mut given = call.arguments.args.iter().chain(keywords);
                let is_first =
                    |value: &Expr| matches!(value, Expr::Name(name) if self.first == Some(name.id.as_str()));
                let first = call.arguments.args.first();
                let first = first.map(|value| value.as_starred_expr().map_or(value, |all| &all.value));
                self.is_kept |= !given.all(|value| self.is_own(value)) || !first.is_some_and(is_first);
            }
            Expr::Call(_) if self.place == Place::Decorator && self.is_wraps_of_it(expr) => {}
            Expr::Lambda(_)
            | Expr::ListComp(_)
            | Expr::SetComp(_)
            | Expr::DictComp(_)
            | Expr::Generator(_) => {
                self.below(Place::Deeper, |reader| visitor::walk_expr(reader, expr));
            }
            Expr::Name(name) => {
                let name = name.id.as_str();
                // What collects the options of a wrapper can be changed.
                self.is_kept |=
                    self.is_it(expr) || self.wrappers.contains(&name) || self.options == Some(name);
            }
            _ => visitor::walk_expr(self, expr),
        }
    }
}
