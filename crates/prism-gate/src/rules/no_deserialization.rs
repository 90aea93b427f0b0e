//! # Objects from bytes
//!
//! ## What it does
//!
//! Refuses `pickle` and its family, `marshal`, `shelve`, the hooks that they call (`__reduce__`, `__getnewargs__` ...) and
//! `torch.load`, except `torch.load(path, weights_only=True)` with a path that is spelled out under `ctx.artifacts_dir`.
//!
//! ## Why is this refused?
//!
//! Unpickling runs whatever the bytes say. A submission has no bytes to load but those it has just saved.
//!
//! ## Example
//!
//! ```python
//! state = torch.load("checkpoint.pt")
//! ```
//!
//! Use instead:
//!
//! ```python
//! state = torch.load(f"{ctx.artifacts_dir}/checkpoint.pt", weights_only=True)
//! ```

use crate::knowledge::Words;
use crate::rule::{Rule, RuleSet, denied};
use ruff_python_ast::{Expr, Stmt};

use crate::check::Checker;
use crate::reading::own;
use crate::semantic::{Call, Meant as _, Reference, Usage};

use crate::reading::paths;

pub(crate) static RULE: Rule = Rule::error(
    "PRS107",
    "prism:no-deserialization",
    include_str!("no_deserialization.rs"),
);

pub(crate) static SET: RuleSet = RuleSet {
    reason: "turns bytes into objects",
    denied: &[
        denied(
            "pickle _pickle cPickle pickletools marshal shelve copyreg dill cloudpickle joblib jsonpickle \
             msgpack torch.package torch.utils.serialization numpy.lib.format _compat_pickle",
            "keep state in tensors and `state_dict()`; to copy use `copy.deepcopy`",
        ),
        denied(
            "base64 binascii uu quopri binhex xml html plistlib xdrlib",
            "keep data out of strings; everything is learnt from the stream",
        ),
        denied(
            "torch.distributed.all_gather_object torch.distributed.gather_object \
             torch.distributed.broadcast_object_list torch.distributed.scatter_object_list \
             torch.distributed.send_object_list torch.distributed.recv_object_list",
            "send tensors: objects are pickled on the way",
        ),
    ],
    attributes: "dump",
    reference: Some(reference),
    call: Some(call),
    statement: Some(statement),
    ..RuleSet::of(&RULE)
};

const LOAD_HINT: &str =
    "write `torch.load(f\"{ctx.artifacts_dir}/name.pt\", weights_only=True)`, with the name spelled out";

/// Methods that a class may define, and that nobody gives it otherwise.
const STATE_HOOKS: &[&str] = &["__getstate__", "__setstate__"];

/// Methods by which an object tells pickle what to do.
static PICKLE_HOOKS: Words = Words::new("__reduce__ __reduce_ex__ __getnewargs__ __getnewargs_ex__");

fn reference<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    if let Expr::Attribute(attribute) = reference.expr
        && attribute.attr.as_str() == "dump"
        && reference.meanings.may_be_unseen()
        && !(checker.may_have_given("dump") && own::is_an_object(checker, &attribute.value))
    {
        let message = "`.dump` of an array writes a pickle".to_owned();
        checker.report(&RULE, &attribute.attr, message, "keep it in a tensor");
    }
    let bound = match reference.expr {
        Expr::Name(name) if matches!(reference.usage, Usage::Store) => Some((name.id.as_str(), name.range)),
        Expr::Attribute(attribute) => Some((attribute.attr.as_str(), attribute.attr.range)),
        _ => None,
    };
    let is_stored = matches!(reference.usage, Usage::Store);
    let is_hook = |name: &str| PICKLE_HOOKS.contains(name) || is_stored && STATE_HOOKS.contains(&name);
    if let Some((name, range)) = bound.filter(|(name, _)| is_hook(name)) {
        let message = format!("`{name}` tells pickle what to do");
        checker.report(
            &RULE,
            range,
            message,
            "leave it out; `copy.deepcopy` works without it",
        );
    }
    if !reference.paths().any(|path| path == "torch.load") {
        return;
    }
    let allowed = matches!(reference.usage, Usage::Call(call)
        if call.arguments.find_argument_value("f", 0).is_some_and(|path| paths::is_under_artifacts(checker, path))
        && call.arguments.args.len() <= 2
        && call.arguments.find_keyword("weights_only").is_some_and(|keyword| is_true(&keyword.value))
        && call.arguments.find_keyword("pickle_module").is_none()
        && call.arguments.keywords.iter().all(|keyword| keyword.arg.is_some()));
    if !allowed {
        let message = "`torch.load` may only read a path under `ctx.artifacts_dir`, with `weights_only=True`"
            .to_owned();
        checker.report(&RULE, reference.expr, message, LOAD_HINT);
    }
}

fn is_true(expr: &Expr) -> bool {
    matches!(expr, Expr::BooleanLiteral(literal) if literal.value)
}

/// `np.load(path, allow_pickle=True)` and its like.
fn call<'a>(checker: &mut Checker<'_, 'a>, call: &Call<'a>) {
    if let Some(keyword) = call.expr.arguments.find_keyword("allow_pickle") {
        let message = "`allow_pickle` turns bytes into objects".to_owned();
        checker.report(
            &RULE,
            keyword,
            message,
            "keep it in a tensor: there is nothing to read",
        );
    }
}

fn statement<'a>(checker: &mut Checker<'_, 'a>, stmt: &'a Stmt) {
    if let Stmt::FunctionDef(function) = stmt
        && PICKLE_HOOKS.contains(function.name.as_str())
    {
        let message = format!("`{}` tells pickle what to do", function.name.as_str());
        checker.report(
            &RULE,
            &function.name,
            message,
            "leave it out; `copy.deepcopy` works without it",
        );
    }
}
