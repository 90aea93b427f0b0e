//! # Changing what is not yours
//!
//! ## What it does
//!
//! Refuses to assign to, delete or replace an attribute of an imported module, or of a class or function that the bundle
//! does not define. The settings under `torch.backends` are meant to be assigned.
//!
//! ## Why is this refused?
//!
//! The harness calls the same functions. A run in which they were replaced measures something else, and its reader cannot
//! see it from the place where they are called.
//!
//! ## Example
//!
//! ```python
//! torch.nn.functional.cross_entropy = my_loss
//! torch.optim.AdamW.step = my_step
//! ```
//!
//! Use instead:
//!
//! ```python
//! class MyAdamW(torch.optim.AdamW):
//!     def step(self, closure=None): ...
//! ```

use crate::finding::Severity;
use crate::rule::{Hooks, Rule, RuleSet};
use ruff_python_ast::{Expr, ExprContext, Stmt};

use crate::check::Checker;
use crate::semantic::{CTX, Call, Meaning, Reference, Usage};

use super::no_dynamic_attr;

pub(crate) static RULE: Rule = Rule {
    code: "PRS112",
    id: "prism:no-monkeypatch",
    severity: Severity::Error,
    since: "0.1.0",
    source: include_str!("no_monkeypatch.rs"),
};

pub(crate) static SET: RuleSet = RuleSet {
    rule: &RULE,
    reason: "changes what the bundle does not define",
    denied: &[],
    attributes: &[],
    hooks: Hooks {
        reference: Some(reference),
        call: Some(call),
        expression: Some(expression),
        statement: Some(statement),
        ..Hooks::NONE
    },
};

const HINT: &str = "subclass it, or write a function of your own and call that";

/// Places that are meant to be assigned to.
fn is_a_setting(path: &str) -> bool {
    path.starts_with("torch.backends.") || path == "torch.utils.checkpoint.DefaultDeviceType"
}

fn reference<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    let Expr::Attribute(_) = reference.expr else {
        return;
    };
    if !matches!(reference.usage, Usage::Store | Usage::Delete) {
        return;
    }
    let changed = reference
        .paths()
        .find(|path| !is_a_setting(path) && !path.starts_with(CTX))
        .map(str::to_owned);
    if let Some(path) = changed {
        let message = format!("this changes `{path}`, which is not the bundle's");
        checker.report(&RULE, reference.expr, message, HINT);
    }
}

/// `type(x).attribute = value`.
fn changes_a_class<'a>(checker: &mut Checker<'_, 'a>, expr: &'a Expr) {
    if let Expr::Attribute(attribute) = expr
        && matches!(attribute.ctx, ExprContext::Store | ExprContext::Del)
        && let Expr::Call(call) = &*attribute.value
        && checker.may_be(&call.func, "builtins.type")
    {
        let message = "this changes the class of an object, for all objects of that class".to_owned();
        checker.report(&RULE, expr, message, HINT);
    }
}

/// `torch.something["key"] = value` changes a library as well.
fn expression<'a>(checker: &mut Checker<'_, 'a>, expr: &'a Expr) {
    changes_a_class(checker, expr);
    let Expr::Subscript(subscript) = expr else {
        return;
    };
    if !matches!(subscript.ctx, ExprContext::Store | ExprContext::Del) {
        return;
    }
    let library = checker
        .meanings(&subscript.value)
        .into_iter()
        .find_map(|meaning| match meaning {
            Meaning::Library(path) if path.contains('.') && !path.starts_with(CTX) => Some(path),
            _ => None,
        });
    if let Some(path) = library {
        let message = format!("this changes `{path}`, which is not the bundle's");
        checker.report(&RULE, expr, message, HINT);
    }
}

/// Functions that change the class or function that they are given, or make one that does.
const CHANGERS: &[&str] = &[
    "dataclasses.dataclass",
    "functools.total_ordering",
    "functools.update_wrapper",
    "functools.wraps",
    "torch.nn.utils.parametrize.transfer_parametrizations_and_params",
];

/// `dataclass(nn.Dropout)`, `dataclass(eq=False)(nn.Dropout)`, `update_wrapper(AdamW, mine)`.
fn call<'a>(checker: &mut Checker<'_, 'a>, call: &Call<'a>) {
    let is_changer = match &*call.expr.func {
        Expr::Call(inner) => CHANGERS
            .iter()
            .any(|changer| checker.may_be(&inner.func, changer)),
        // `wraps(of)` alone only reads; what it returns is what changes.
        _ => {
            !call.callee.is_empty()
                && CHANGERS.iter().any(|changer| call.may_be(changer))
                && !call.may_be("functools.wraps")
        }
    };
    if !is_changer {
        return;
    }
    let changed = call.expr.arguments.args.first().and_then(|first| {
        checker
            .meanings(first)
            .into_iter()
            .find_map(|meaning| match meaning {
                Meaning::Library(path) if !path.starts_with(CTX) => Some(path),
                _ => None,
            })
    });
    if let Some(path) = changed {
        let message = format!("this changes `{path}`, which is not the bundle's");
        checker.report(&RULE, call.expr, message, HINT);
    }
}

/// A module that is put into an attribute or a container can be changed there.
fn statement<'a>(checker: &mut Checker<'_, 'a>, stmt: &'a Stmt) {
    match stmt {
        Stmt::Assign(assign) if assign.targets.iter().any(|target| !target.is_name_expr()) => {
            no_dynamic_attr::refuse_module(checker, &assign.value);
        }
        Stmt::Assign(assign) if matches!(checker.scope_kind(), crate::semantic::ScopeKind::Class(_)) => {
            no_dynamic_attr::refuse_module(checker, &assign.value);
        }
        Stmt::Return(result) => {
            if let Some(value) = &result.value {
                no_dynamic_attr::refuse_module(checker, value);
            }
        }
        Stmt::Match(choice) => no_dynamic_attr::refuse_module(checker, &choice.subject),
        Stmt::With(with) => {
            for item in &with.items {
                no_dynamic_attr::refuse_module(checker, &item.context_expr);
            }
        }
        _ => {}
    }
}
