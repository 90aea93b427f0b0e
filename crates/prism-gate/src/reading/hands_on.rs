//! Whether a decorator puts nothing before a function but a wrapper that hands its own arguments on.
//!
//! [`crate::rules::no_harness_access`] asks it of what stands before `build_model` and `train`: whoever else could call
//! them would choose their `ctx`. One shape is known: a function that makes one wrapper and returns it. All mentions of what
//! it is given are counted, and each must be one that does no harm.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Expr, ExprCall, Stmt, StmtFunctionDef};
use rustc_hash::FxHashMap;

use crate::semantic::uses::first_parameter;
use crate::semantic::{BindingKind, Meant as _, Names, ScopeId};

/// The function that a function makes and returns, if it does nothing else.
pub(crate) fn made_by(function: &StmtFunctionDef) -> Option<&StmtFunctionDef> {
    let body = match &*function.body {
        [Stmt::Expr(docs), rest @ ..] if docs.value.is_string_literal_expr() => rest,
        all => all,
    };
    let [Stmt::FunctionDef(made), Stmt::Return(returned)] = body else {
        return None;
    };
    let returned = returned.value.as_deref()?.as_name_expr()?;
    let is_once = Mentions::of(body, "").counts.get(made.name.as_str()) == Some(&1);
    (returned.id.as_str() == made.name.as_str() && is_once && function.decorator_list.is_empty())
        .then_some(made)
}

/// Whether the function that a decorator of this module is given is called only by its wrapper, with the wrapper's own
/// arguments, and nobody else has either.
pub(crate) fn only_wraps(names: &Names<'_>, module: usize, decorator: &StmtFunctionDef) -> bool {
    let scopes = &names.modules[module];
    let scope = |function| scopes.function_scope(function);
    let (Some(wrapper), Some(given), Some(outer)) =
        (made_by(decorator), first_parameter(decorator), scope(decorator))
    else {
        return false;
    };
    let Some(inner) = scope(wrapper) else {
        return false;
    };
    let is_parameter = |scope: ScopeId, name: &str| {
        let bindings = scopes.scopes[scope].names.get(name).map(|entry| &*entry.bindings);
        // A default is a second binding.
        matches!(bindings, Some([only]) if matches!(scopes.bindings[*only].kind, BindingKind::Parameter(..)))
    };
    // Another decorator would be given the wrapper, and could call it with anything.
    let is_wraps = |expr: &Expr| {
        let Expr::Call(call) = expr else { return false };
        matches!(&*call.arguments.args, [Expr::Name(only)] if only.id.as_str() == given)
            && call.arguments.keywords.is_empty()
            && names
                .meanings(module, outer, &call.func)
                .all_paths(|path| path == "functools.wraps")
    };
    let within = Mentions::of(&wrapper.body, given);
    let collected = wrapper.parameters.vararg.as_ref().map(|all| all.name.as_str());
    let options = wrapper.parameters.kwarg.as_ref().map(|all| all.name.as_str());
    let first = first_parameter(wrapper).or(collected);
    let hands_on = |call: &&ExprCall| {
        let arguments = &call.arguments;
        let name = |value: &Expr| {
            let value = value.as_starred_expr().map_or(value, |all| &all.value);
            value.as_name_expr().map(|name| name.id.to_string())
        };
        let keywords = arguments.keywords.iter().map(|keyword| &keyword.value);
        let mut all = arguments.args.iter().chain(keywords);
        let begins = arguments.args.first().and_then(name);
        begins.as_deref() == first
            && first.is_some()
            && all.all(|value| name(value).is_some_and(|name| is_parameter(inner, &name)))
    };
    // What collects the options of a wrapper can be changed, so that it is mentioned nowhere else.
    let handed = within.calls.iter().filter(|call| {
        let unpacked = call
            .arguments
            .keywords
            .iter()
            .filter(|keyword| keyword.arg.is_none());
        unpacked.count() == 1
    });
    let mentioned = options.map_or(0, |options| {
        within.counts.get(options).copied().unwrap_or_default()
    });
    let all = Mentions::of(&decorator.body, given).counts.get(given).copied();
    is_parameter(outer, given)
        && wrapper.decorator_list.iter().all(|one| is_wraps(&one.expression))
        && within.calls.iter().all(hands_on)
        && (mentioned == 0 || mentioned == handed.count())
        && all.unwrap_or_default() == wrapper.decorator_list.len() + within.calls.len()
}

/// How often names are mentioned, and the calls of one of them that stand in no function of their own.
#[derive(Default)]
struct Mentions<'a> {
    counts: FxHashMap<&'a str, usize>,
    callee: &'a str,
    calls: Vec<&'a ExprCall>,
    depth: usize,
}

impl<'a> Mentions<'a> {
    fn of(body: &'a [Stmt], callee: &'a str) -> Self {
        let mut found = Self {
            callee,
            ..Self::default()
        };
        found.visit_body(body);
        found
    }
}

impl<'a> Visitor<'a> for Mentions<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        let deeper = usize::from(matches!(stmt, Stmt::FunctionDef(_) | Stmt::ClassDef(_)));
        self.depth += deeper;
        visitor::walk_stmt(self, stmt);
        self.depth -= deeper;
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        let mut deeper = 0;
        match expr {
            Expr::Name(name) => *self.counts.entry(name.id.as_str()).or_default() += 1,
            Expr::Call(call) if self.depth == 0 => {
                if matches!(&*call.func, Expr::Name(name) if name.id.as_str() == self.callee) {
                    self.calls.push(call);
                }
            }
            Expr::Lambda(_)
            | Expr::ListComp(_)
            | Expr::SetComp(_)
            | Expr::DictComp(_)
            | Expr::Generator(_) => deeper = 1,
            _ => {}
        }
        self.depth += deeper;
        visitor::walk_expr(self, expr);
        self.depth -= deeper;
    }
}
