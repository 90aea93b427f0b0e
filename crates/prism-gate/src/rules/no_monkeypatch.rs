//! # Changing what is not yours
//!
//! ## What it does
//!
//! Refuses to assign to, delete or replace an attribute of an imported module, or of a class or function that the bundle
//! does not define, by whatever statement or `setattr`: also through an alias (`Dataset[int].x = y`), the class of an object or an
//! object that comes out of a collection. A function cannot be set under the name of a method that the harness calls on what
//! is not plainly the bundle's own. The name of a field of a dataclass cannot be changed, and `parse_args` is called where
//! it is named. `__name__` of anything is set to a literal only. The settings under `torch.backends` are meant to be assigned.
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

use crate::knowledge::Words;
use crate::rule::{Rule, RuleSet, denied};
use ruff_python_ast::{Expr, ExprContext};

use crate::check::Checker;
use crate::knowledge::attributes;
use crate::knowledge::libraries;
use crate::reading::own;
use crate::semantic::{BindingKind, CTX, Call, Meaning, Meant as _, Reference, ScopeId, Store, Usage};

pub(crate) static RULE: Rule = Rule::error(
    "PRS112",
    "prism:no-monkeypatch",
    include_str!("no_monkeypatch.rs"),
);

pub(crate) static SET: RuleSet = RuleSet {
    reason: "changes what the bundle does not define",
    denied: &[denied(
        "numpy.seterrcall torch.distributions.register_kl torch.distributions.kl.register_kl",
        "write a function of your own and call that",
    )],
    reference: Some(reference),
    call: Some(call),
    expression: Some(expression),
    store: Some(store),
    ..RuleSet::of(&RULE)
};

const HINT: &str = "subclass it, or write a function of your own and call that";

/// Places that are meant to be assigned to.
fn is_a_setting(path: &str) -> bool {
    path.starts_with("torch.backends.") || path == "torch.utils.checkpoint.DefaultDeviceType"
}

fn reference<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    let Expr::Attribute(last) = reference.expr else {
        return;
    };
    if PARSERS.contains(last.attr.as_str())
        && matches!(reference.usage, Usage::Load)
        && !own::is_an_object(checker, &last.value)
    {
        let message = format!(
            "`{}` is handed on, so that it cannot be seen what it sets",
            last.attr.as_str()
        );
        checker.report(&RULE, reference.expr, message, "call it where it is named");
    }
    if !matches!(reference.usage, Usage::Store | Usage::Delete) {
        return;
    }
    if let (Expr::Attribute(attribute), Usage::Delete) = (reference.expr, reference.usage)
        && checker
            .meanings(&attribute.value)
            .iter()
            .any(|meaning| matches!(meaning, Meaning::Module(_)))
    {
        let message = format!(
            "this deletes `{}` of a file of the bundle, where something else then stands",
            attribute.attr.as_str()
        );
        checker.report(
            &RULE,
            reference.expr,
            message,
            "leave it, or bind it to `None` in its own file",
        );
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

/// `type(x).attribute = value`, `kind = type(x)` before it, `[nn.Linear][0].attribute = value`, `Dataset[int].attribute = value`.
fn changes_a_class(checker: &mut Checker<'_, '_>, store: &Store<'_>) {
    if is_a_type(checker, store.object) {
        let message = "this changes a class, for all of its objects".to_owned();
        checker.report(&RULE, store.place, message, HINT);
    }
    if let Expr::Subscript(subscript) = store.object
        && let Some(path) = element_of_a_library(checker, checker.scope(), &subscript.value, 0)
    {
        let message = format!("this changes `{path}`, which is not the bundle's");
        checker.report(&RULE, store.place, message, HINT);
    }
}

/// Whether an expression may be the class of an object, or an alias that hands on to a class of a library.
fn is_a_type(checker: &Checker<'_, '_>, expr: &Expr) -> bool {
    let is_one = |expr: &Expr| match expr {
        Expr::Call(call) => checker.may_be(&call.func, "builtins.type"),
        Expr::Subscript(alias) => checker
            .meanings(&alias.value)
            .iter()
            .any(|meaning| matches!(meaning, Meaning::Library(path) if !path.starts_with(CTX))),
        _ => false,
    };
    let Expr::Name(name) = expr else {
        return is_one(expr);
    };
    let bindings = &checker.names.modules[checker.module].bindings;
    checker
        .names
        .bindings(checker.module, checker.scope(), name.id.as_str())
        .iter()
        .take(BINDINGS_MAX)
        .any(|&number| matches!(bindings[number].kind, BindingKind::Value(value) if is_one(value)))
}

/// Most bindings of one name that are looked at.
const BINDINGS_MAX: usize = 16;
/// Most elements of one list that are looked at.
const ELEMENTS_MAX: usize = 64;

/// Something of a library among the elements of a list, tuple or dictionary that is spelled out.
fn element_of_a_library(
    checker: &Checker<'_, '_>,
    scope: ScopeId,
    expr: &Expr,
    depth: usize,
) -> Option<std::rc::Rc<str>> {
    let values: Vec<&Expr> = match expr {
        Expr::List(list) => list.elts.iter().take(ELEMENTS_MAX).collect(),
        Expr::Tuple(tuple) => tuple.elts.iter().take(ELEMENTS_MAX).collect(),
        Expr::Dict(dict) => dict
            .items
            .iter()
            .map(|item| &item.value)
            .take(ELEMENTS_MAX)
            .collect(),
        Expr::Name(name) if depth < 2 => {
            let bindings = &checker.names.modules[checker.module].bindings;
            return checker
                .names
                .bindings(checker.module, scope, name.id.as_str())
                .iter()
                .take(BINDINGS_MAX)
                .find_map(|&number| match bindings[number].kind {
                    BindingKind::Value(value) => {
                        element_of_a_library(checker, bindings[number].scope, value, depth + 1)
                    }
                    _ => None,
                });
        }
        _ => return None,
    };
    values.into_iter().find_map(|value| {
        checker
            .names
            .meanings(checker.module, scope, value)
            .into_iter()
            .find_map(|meaning| match meaning {
                Meaning::Library(path) if !path.starts_with('<') => Some(path),
                _ => None,
            })
    })
}

/// `torch.something["key"] = value` changes a library as well.
fn expression<'a>(checker: &mut Checker<'_, 'a>, expr: &'a Expr) {
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
static CHANGERS: Words = Words::new(
    "dataclasses.dataclass functools.total_ordering functools.update_wrapper functools.wraps \
     operator.delitem operator.setitem torch.nn.utils.parametrize.transfer_parametrizations_and_params",
);

/// Methods of `argparse` that set what they read on any object.
static PARSERS: Words =
    Words::new("parse_args parse_intermixed_args parse_known_args parse_known_intermixed_args");

/// `parser.parse_args(namespace=F)`.
fn parses<'a>(checker: &mut Checker<'_, 'a>, call: &Call<'a>) {
    let Expr::Attribute(method) = &*call.expr.func else {
        return;
    };
    let arguments = &call.expr.arguments;
    let is_given = arguments.args.len() > 1
        || arguments.args.iter().any(Expr::is_starred_expr)
        || arguments.keywords.iter().any(|keyword| {
            keyword
                .arg
                .as_ref()
                .is_none_or(|name| name.as_str() == "namespace")
        });
    if PARSERS.contains(method.attr.as_str()) && is_given && !own::is_an_object(checker, &method.value) {
        let message = "what is parsed is set on an object that is given".to_owned();
        checker.report(&RULE, call.expr, message, "take what `parse_args` returns");
    }
}

/// Methods of modules and optimizers that the harness calls: a function in their place, on what may be a class of torch,
/// would be called by it.
static OF_MODULES: Words = Words::new(
    "_call_impl _wrapped_call_impl apply buffers children cpu cuda eval float forward half load_state_dict \
     modules named_buffers named_children named_modules named_parameters parameters requires_grad_ \
     state_dict step to train zero_grad",
);

/// `[F].pop().relu = len`: a function that takes the place of one of a library, on an object that may be the library's.
fn store(checker: &mut Checker<'_, '_>, store: &Store<'_>) {
    changes_a_class(checker, store);
    let name = store.name;
    let is_own_name = || {
        matches!(store.value, Some(Expr::StringLiteral(text)) if !text.value.to_str().starts_with('_')
            && !attributes::leads_out(text.value.to_str()) && !super::no_attribute_escape::is_refused(text.value.to_str()))
    };
    if matches!(name, "__name__" | "__qualname__") && !is_own_name() {
        let message = format!("`{name}` of a function is what a copy of its method asks any object for");
        checker.report(
            &RULE,
            store.place,
            message,
            "write a name out that begins with a letter, or leave it",
        );
    }
    if PARSERS.contains(name) && !own::is_an_object(checker, store.object) {
        let message = format!("what `{name}` returns would be taken for what was parsed");
        checker.report(&RULE, store.place, message, HINT);
    }
    if name == "exc_info" {
        let message = "a log prints the lines of files that `exc_info` names".to_owned();
        checker.report(
            &RULE,
            store.place,
            message,
            "write `logger.exception(...)` where it is caught",
        );
    }
    let is_method = |value: &Expr| matches!(value, Expr::Attribute(method) if checker.uses().is_defined(method.attr.as_str()));
    let is_function = may_be_a_function(checker, store.value);
    let is_replaced = is_function && (libraries::is_functional(name) || name.starts_with("__"))
        || OF_MODULES.contains(name) && (is_function || store.value.is_some_and(is_method));
    let is_judged_by_its_path = || {
        let meanings = checker.meanings(store.object);
        meanings
            .iter()
            .any(|meaning| matches!(meaning, Meaning::Library(_)))
    };
    if (is_replaced || name == "name" && *checker.uses_fields.get_or_init(|| uses_fields(checker)))
        && !is_judged_by_its_path()
        && !own::is_an_object(checker, store.object)
    {
        let message = format!("`{name}` is set on an object that may not be the bundle's");
        checker.report(&RULE, store.place, message, HINT);
    }
}

/// Whether the bundle may get at a field of a dataclass, whose name becomes code.
fn uses_fields(checker: &Checker<'_, '_>) -> bool {
    let is_one = |path: &str| {
        matches!(
            path,
            "dataclasses.Field" | "dataclasses.field" | "dataclasses.fields"
        ) || path == "dataclasses"
            && (checker.uses().gets_computed
                || ["Field", "field", "fields"]
                    .iter()
                    .any(|name| checker.uses().calls.contains_key(name) || checker.uses().is_handed_on(name)))
    };
    checker.names.modules.iter().any(|module| {
        let mut imports = module.bindings.iter();
        module.stars.iter().any(|star| &**star == "dataclasses")
            || imports.any(|binding| matches!(&binding.kind, BindingKind::Import(path) if is_one(path)))
    })
}

/// Whether a value may be a function, as far as it can be seen: what comes out of a collection or of a function of the bundle
/// may be one.
fn may_be_a_function(checker: &Checker<'_, '_>, value: Option<&Expr>) -> bool {
    let Some(value) = value else { return true };
    match value {
        Expr::Lambda(_) | Expr::Subscript(_) => true,
        Expr::Call(call) => {
            let meanings = checker.meanings(&call.func);
            let is_partial = |meaning: &Meaning| matches!(meaning, Meaning::Library(path) if &**path == "functools.partial");
            meanings.is_empty()
                || meanings
                    .iter()
                    .any(|meaning| is_partial(meaning) || is_a_function(checker, meaning))
        }
        _ => checker.meanings(value).iter().any(|meaning| {
            matches!(meaning, Meaning::Library(path) if path.starts_with("builtins."))
                || is_a_function(checker, meaning)
        }),
    }
}

pub(crate) fn is_a_function(checker: &Checker<'_, '_>, meaning: &Meaning) -> bool {
    matches!(meaning, Meaning::Local(module, binding)
        if matches!(checker.names.modules[*module].bindings[*binding].kind, BindingKind::Function(_)))
}

/// `dataclass(nn.Dropout)`, `dataclass(eq=False)(nn.Dropout)`, `update_wrapper(AdamW, mine)`.
fn call<'a>(checker: &mut Checker<'_, 'a>, call: &Call<'a>) {
    parses(checker, call);
    let is_changer = match &*call.expr.func {
        Expr::Call(inner) => checker
            .meanings(&inner.func)
            .any_path(|path| CHANGERS.contains(path)),
        // `wraps(of)` alone only reads; what it returns is what changes.
        _ => call.callee.any_path(|path| CHANGERS.contains(path)) && !call.may_be("functools.wraps"),
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
