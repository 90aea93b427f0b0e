//! # Attributes by computed names
//!
//! ## What it does
//!
//! Refuses `getattr`, `setattr`, `delattr` and `hasattr` with a name that is not a literal, or with the literal name of
//! something that other rules refuse; `operator.attrgetter` and `methodcaller`, `vars`, `globals`, `locals` and `dir`; any
//! of them as a value; and a whole module as a value (in a list, as an argument, returned).
//!
//! ## Why is this refused?
//!
//! A name that is computed cannot be checked by reading, and a module that is handed around can be anything's base.
//!
//! ## Example
//!
//! ```python
//! activation = getattr(F, config.activation)
//! for name in dir(model):
//!     ...
//! ```
//!
//! Use instead:
//!
//! ```python
//! ACTIVATIONS = {"gelu": F.gelu, "silu": F.silu}
//! activation = ACTIVATIONS[config.activation]
//! for name, parameter in model.named_parameters():
//!     ...
//! ```

use crate::finding::Severity;
use crate::rule::{Hooks, Rule, RuleSet, denied};
use std::rc::Rc;

use ruff_python_ast::{Expr, ExprCall};

use crate::check::Checker;
use crate::knowledge::{libraries, verdict};
use crate::semantic::{Meaning, Reference, Usage};

use super::no_attribute_escape;

pub(crate) static RULE: Rule = Rule {
    code: "PRS110",
    id: "prism:no-dynamic-attr",
    severity: Severity::Error,
    since: "0.1.0",
    source: include_str!("no_dynamic_attr.rs"),
};

pub(crate) static SET: RuleSet = RuleSet {
    rule: &RULE,
    reason: "reaches attributes by computed names",
    denied: &[
        denied(
            "operator.attrgetter",
            "write the attribute out, or choose from a dictionary",
        ),
        denied(
            "operator.methodcaller",
            "write the attribute out, or choose from a dictionary",
        ),
        denied(
            "builtins.vars",
            "write the attribute out, or choose from a dictionary",
        ),
        denied(
            "builtins.globals",
            "write the attribute out, or choose from a dictionary",
        ),
        denied(
            "builtins.locals",
            "write the attribute out, or choose from a dictionary",
        ),
        denied(
            "builtins.dir",
            "write the attribute out, or choose from a dictionary",
        ),
        denied(
            "types.ModuleType",
            "write the attribute out, or choose from a dictionary",
        ),
        denied(
            "builtins.object.__setattr__",
            "write the attribute out, or choose from a dictionary",
        ),
        denied(
            "builtins.object.__getattribute__",
            "write the attribute out, or choose from a dictionary",
        ),
        denied(
            "builtins.type.__getattribute__",
            "write the attribute out, or choose from a dictionary",
        ),
        denied(
            "builtins.object.__delattr__",
            "write the attribute out, or choose from a dictionary",
        ),
    ],
    attributes: &[],
    hooks: Hooks {
        reference: Some(reference),
        expression: Some(expression),
        ..Hooks::NONE
    },
};

const HINT: &str = "write the attribute out, or choose from a dictionary";
const ACCESSORS: &[&str] = &["builtins.getattr", "builtins.hasattr"];
const MODULE_HINT: &str = "write `module.name` where it is used";

fn reference<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    let accessor = reference.paths().find_map(|path| {
        path.strip_prefix("builtins.")
            .filter(|name| matches!(*name, "getattr" | "setattr" | "delattr" | "hasattr"))
    });
    if let Some(accessor) = accessor {
        match reference.usage {
            Usage::Call(call) => judge(checker, accessor, call),
            Usage::Load => {
                let message = format!("`{accessor}` is handed on, so that its names cannot be read");
                checker.report(&RULE, reference.expr, message, HINT);
            }
            Usage::Store | Usage::Delete => {}
        }
    }
}

fn judge<'a>(checker: &mut Checker<'_, 'a>, accessor: &str, call: &'a ExprCall) {
    let arguments = &call.arguments;
    let spelled_out = match arguments.args.get(1) {
        Some(Expr::StringLiteral(literal)) => Some(literal.value.to_str()),
        _ => None,
    };
    let Some(name) = spelled_out.filter(|_| arguments.keywords.is_empty()) else {
        let message = format!("`{accessor}` with a name that is not spelled out");
        checker.report(&RULE, call, message, HINT);
        return;
    };
    if no_attribute_escape::is_refused(name) || name.starts_with("__") {
        let message = format!("`{accessor}` reaches `{name}`, which leads out of the object");
        checker.report(&RULE, call, message, "use what the object documents");
        return;
    }
    if let Some(base) = arguments.args.first() {
        for meaning in checker.meanings(base) {
            if let Meaning::Library(path) = meaning {
                let full = format!("{path}.{name}");
                if accessor != "hasattr" && matches!(accessor, "setattr" | "delattr") {
                    let message = format!("`{accessor}` changes `{full}`, which is not the bundle's");
                    checker.report(&RULE, call, message, "define a class or function of your own");
                } else if let Some(refusal) = verdict::of_reference(&full) {
                    let message = format!("`{accessor}` reaches `{full}`, which {}", refusal.reason);
                    checker.report(&RULE, call, message, refusal.hint);
                }
            }
        }
    }
}

/// A module may be called by its name with a dot behind it, or given another name; anything else hands it around.
fn expression<'a>(checker: &mut Checker<'_, 'a>, expr: &'a Expr) {
    match expr {
        Expr::Call(call) => {
            let values = call
                .arguments
                .args
                .iter()
                .chain(call.arguments.keywords.iter().map(|keyword| &keyword.value));
            // `getattr` and `hasattr` were judged with the name that they are asked for.
            if values
                .clone()
                .any(|value| names_a_module(checker, value).is_some())
                && !ACCESSORS
                    .iter()
                    .any(|accessor| checker.may_be(&call.func, accessor))
            {
                values.for_each(|value| refuse_module(checker, value));
            }
        }
        Expr::List(list) => list.elts.iter().for_each(|value| refuse_module(checker, value)),
        Expr::Tuple(tuple) => tuple.elts.iter().for_each(|value| refuse_module(checker, value)),
        Expr::Set(set) => set.elts.iter().for_each(|value| refuse_module(checker, value)),
        Expr::Dict(dict) => dict
            .items
            .iter()
            .for_each(|item| refuse_module(checker, &item.value)),
        Expr::Lambda(lambda) => refuse_module(checker, &lambda.body),
        Expr::Yield(result) => {
            if let Some(value) = &result.value {
                refuse_module(checker, value);
            }
        }
        Expr::Starred(starred) => refuse_module(checker, &starred.value),
        Expr::Subscript(subscript) => refuse_module(checker, &subscript.value),
        _ => {}
    }
}

/// Refuses an expression that may be a whole module.
pub(crate) fn refuse_module(checker: &mut Checker<'_, '_>, value: &Expr) {
    if let Some(module) = names_a_module(checker, value) {
        let message = format!("the module `{module}` is handed around as a value");
        checker.report(&RULE, value, message, MODULE_HINT);
    }
}

/// The module that an expression may be.
fn names_a_module(checker: &Checker<'_, '_>, value: &Expr) -> Option<Rc<str>> {
    if !matches!(
        value,
        Expr::Name(_) | Expr::Attribute(_) | Expr::If(_) | Expr::BoolOp(_) | Expr::Named(_)
    ) {
        return None;
    }
    checker
        .meanings(value)
        .into_iter()
        .find_map(|meaning| match meaning {
            Meaning::Library(path) if libraries::is_module(&path) => Some(path),
            Meaning::Module(path) => Some(path),
            Meaning::Library(_) | Meaning::Local(..) => None,
        })
}
