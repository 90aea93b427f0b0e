//! Functions of libraries that read, store or copy attributes by names, and methods that do it to any object.
//!
//! [`crate::rules::no_dynamic_attr`] calls it. A method that is read from a library's class takes any object for `self`, so it
//! may be called only on an own object of a class below that one; `copy.deepcopy` keeps in its memo what lies behind what it
//! copies; `functools.wraps` copies a whole dictionary; the functions of `torch.nn.utils` read attributes by names.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{self as ast, Expr, ExprCall, Stmt};
use ruff_text_size::Ranged;
use rustc_hash::FxHashSet;

use crate::check::Checker;
use crate::knowledge::Words;
use crate::knowledge::libraries::{self, At, Kind};
use crate::reading::{classes, computed_names, own, texts};
use crate::rules::no_dynamic_attr::RULE;
use crate::rules::{no_attribute_escape, no_monkeypatch, undocumented_attribute};
use crate::semantic::uses::Spot;
use crate::semantic::{BindingKind, Call, Meaning, Meant as _, Names, Reference, ScopeKind, Store, Usage};

/// Libraries whose classes are of Python: their methods do not ask what `self` is.
const OF_PYTHON: &[&str] = &[
    "argparse.",
    "logging.",
    "prism_challenge.",
    "prism_runtime.",
    "torch.",
];

/// Classes of these whose methods are of C, and ask.
const OF_C: &[&str] = &["torch.Tensor", "torch.Size", "torch.Generator", "torch.Event"];

/// Class methods, static methods and values of classes, as the runtime says, sorted: they take no `self`.
static OF_CLASSES: Words = Words::new(
    "_group_tensors_by_device_and_dtype arg_constraints convert_sync_batchnorm create cumsum domain \
     dump_patches eps forward from_dense from_float from_group from_ipc_handle from_kv_blocks from_local \
     from_pretrained fromkeys fsdp_modules full_optim_state_dict generate_square_subsequent_mask \
     get_currently_capturing_graph get_state_dict_type has_rsample jvp optim_state_dict \
     optim_state_dict_to_load priority_range rekey_optim_state_dict replicate \
     scatter_full_optim_state_dict set_default_validate_args set_state_dict_type setup_context shard \
     shard_full_optim_state_dict sharded_optim_state_dict state_dict_type summon_full_params support vjp \
     vmap",
);

/// Methods that `torch` looks attributes up by, where a class has its own.
const CHOOSERS: &[&str] = &["_get_abs_string_index", "_get_item_by_idx", "_key_to_attr"];

const COPY_HINT: &str = "write `copy.deepcopy(x)`, and hand `memo` on as it is";

/// `nn.ParameterDict.__getitem__`, `argparse.Namespace.__init__`: a method that takes any object.
pub(crate) fn unbound<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    if matches!(reference.usage, Usage::Store | Usage::Delete) {
        return;
    }
    let found = reference.paths().find_map(|path| method_of_a_class(path));
    let Some((class, method)) = found.map(|(class, method)| (class.to_owned(), method.to_owned())) else {
        return;
    };
    let is_fine = match reference.usage {
        Usage::Call(call) => {
            let first = call.arguments.args.first();
            matches!(first, Some(Expr::Name(object)) if is_of_the_class(checker, object.id.as_str(), &class, &method))
        }
        // Given another name, it is judged by its path where it is called.
        _ => checker.module_places.contains(&(&raw const *reference.expr)),
    };
    if !is_fine {
        let message = format!("`{class}.{method}` takes any object for its own");
        checker.report(
            &RULE,
            reference.expr,
            message,
            "call it on the object itself, or on `self` in a class below that one",
        );
    }
}

/// Whether a path is a method of a class of Python, which takes any object.
pub(crate) fn is_of_a_class(path: &str) -> bool {
    method_of_a_class(path).is_some()
}

/// Methods that Python gives so many arguments. Called with more, they are a class's, and the first is any object.
const OPERATORS: &[(&str, usize)] = &[
    ("__contains__", 1),
    ("__delitem__", 1),
    ("__eq__", 1),
    ("__getitem__", 1),
    ("__ne__", 1),
    ("__setitem__", 2),
];

/// `kinds.pop().__getitem__(x, name)`, where it is not plain that the class is the bundle's own.
pub(crate) fn operator_of_a_class<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    let Expr::Attribute(method) = reference.expr else {
        return;
    };
    let places = OPERATORS.iter().find(|(name, _)| *name == method.attr.as_str());
    let is_too_many = |most: usize| match reference.usage {
        Usage::Call(call) => {
            let arguments = &call.arguments;
            arguments.args.len() + arguments.keywords.len() > most
                || arguments.args.iter().any(Expr::is_starred_expr)
        }
        Usage::Load => true,
        Usage::Store | Usage::Delete => false,
    };
    if places.is_some_and(|(_, most)| is_too_many(*most)) && checker.meanings(&method.value).may_be_unseen() {
        let message = format!(
            "`{}` of a class takes any object for its own",
            method.attr.as_str()
        );
        checker.report(&RULE, reference.expr, message, "write the operator");
    }
}

/// The class and the method of a path that leads to one.
fn method_of_a_class(path: &str) -> Option<(&str, &str)> {
    if !OF_PYTHON.iter().any(|library| path.starts_with(library)) {
        return None;
    }
    let At::Lent(Kind::Class, rest) = libraries::at(path) else {
        return None;
    };
    let method = rest.split('.').next()?;
    let class = &path[..path.len().checked_sub(rest.len() + 1)?];
    let is_a_method = method.starts_with(|letter: char| letter.is_ascii_lowercase() || letter == '_')
        && !matches!(method, "__name__" | "__qualname__" | "__version__")
        && !OF_CLASSES.contains(method);
    (is_a_method && !OF_C.contains(&class)).then_some((class, method))
}

/// Whether a name is `self` in a class of the bundle below a class of a library. What makes modules sets nothing but its own.
fn is_of_the_class(checker: &Checker<'_, '_>, name: &str, class: &str, method: &str) -> bool {
    let spot = checker.spot();
    // `torch.nn.Module.train` in a class below `torch.nn.Linear`: how they derive is not known, but it is the same library.
    let library = class.rsplit_once('.').map_or(class, |(library, _)| library);
    let top = library
        .match_indices('.')
        .nth(1)
        .map_or(library, |(dot, _)| &library[..dot]);
    let is_near = |path: &str| path == class || top.starts_with("torch") && path.starts_with(top);
    own::method_of(checker, spot, name).is_some_and(|of| {
        method == "__init__" && top.starts_with("torch")
            || classes::is_below(checker, of.module, of.class, &is_near) && own::is_self(checker, spot, name)
    })
}

/// A class that chooses by which name a container of `torch` looks an attribute up.
pub(crate) fn statement<'a>(checker: &mut Checker<'_, 'a>, stmt: &'a Stmt) {
    let Stmt::FunctionDef(function) = stmt else {
        return;
    };
    if function.name.as_str() == "__deepcopy__" {
        keeps_its_memo(checker, function);
    }
    if CHOOSERS.contains(&function.name.as_str()) {
        chooses(checker, function.name.as_str(), &function.name);
    }
    // `copy` sets what the state says on what `__new__` gives.
    if function.name.as_str() == "__getstate__" && checker.names.gives("__new__") {
        let message = "what is copied chooses what is set, and on which object".to_owned();
        checker.report(
            &RULE,
            &function.name,
            message,
            "leave `__new__` or `__getstate__` out",
        );
    }
}

/// `probe._key_to_attr = str`.
pub(crate) fn store(checker: &mut Checker<'_, '_>, store: &Store<'_>) {
    if CHOOSERS.contains(&store.name) {
        chooses(checker, store.name, store.place);
    }
}

fn chooses(checker: &mut Checker<'_, '_>, name: &str, at: impl Ranged) {
    let message = format!("`{name}` chooses which attribute a container reads");
    checker.report(&RULE, at, message, "keep parameters in a dictionary of your own");
}

pub(crate) fn call<'a>(checker: &mut Checker<'_, 'a>, call: &Call<'a>) {
    named(checker, call);
    // What is called by another name may be it, and is judged where it is given a memo for certain.
    let arguments = &call.expr.arguments;
    let is_open = arguments.args.iter().any(Expr::is_starred_expr)
        || arguments.keywords.iter().any(|keyword| keyword.arg.is_none());
    if call.may_be("copy.deepcopy") && !(is_open && call.callee.len() > 1) {
        deepcopy(checker, call.expr);
    }
    if let Expr::Call(inner) = &*call.expr.func
        && checker.may_be(&inner.func, "functools.wraps")
        && call
            .expr
            .arguments
            .args
            .first()
            .is_some_and(|to| is_a_function(checker, to))
    {
        checker.wrappers.insert(&raw const *inner);
    }
    // Of a parameter it is believed: a decorator is given what stands below it.
    let is_of_a_function = |of: &Expr| {
        is_a_function(checker, of)
            || matches!(of, Expr::Name(name) if checker.names
                .bindings(checker.module, checker.scope(), name.id.as_str())
                .iter()
                .all(|&number| matches!(checker.names.modules[checker.module].bindings[number].kind, BindingKind::Parameter(..))))
    };
    let is_seen = match () {
        // It stands where it is seen what it is called with: before a `def`, or a function.
        () if call.may_be("functools.wraps") => {
            checker.wrappers.contains(&(&raw const *call.expr))
                && call.expr.arguments.args.first().is_some_and(is_of_a_function)
        }
        () if call.may_be("functools.update_wrapper") => {
            let both = call.expr.arguments.args.get(..2);
            both.is_some_and(|both| both.iter().all(|function| is_a_function(checker, function)))
        }
        () => return,
    };
    if !is_seen {
        let message = "all that an object holds is copied into another".to_owned();
        checker.report(
            &RULE,
            call.expr,
            message,
            "write `@functools.wraps(function)` before a `def`",
        );
    }
}

/// `@wraps(function)` before a `def`.
pub(crate) fn decorates<'a>(checker: &mut Checker<'_, 'a>, decorators: &'a [ast::Decorator]) {
    for decorator in decorators {
        if let Expr::Call(call) = &decorator.expression {
            checker.wrappers.insert(&raw const *call);
        }
    }
}

fn is_a_function(checker: &Checker<'_, '_>, expr: &Expr) -> bool {
    let meanings = checker.meanings(expr);
    expr.is_lambda_expr()
        || !meanings.is_empty()
            && meanings
                .iter()
                .all(|meaning| no_monkeypatch::is_a_function(checker, meaning))
}

/// The memo of `copy.deepcopy` keeps the originals: only `__deepcopy__` is given one, and hands it on.
fn deepcopy(checker: &mut Checker<'_, '_>, call: &ExprCall) {
    let arguments = &call.arguments;
    let memo = match (&*arguments.args, &*arguments.keywords) {
        ([_], []) => return,
        ([_, memo], []) => Some(memo),
        ([_], [memo]) if memo.arg.as_ref().is_some_and(|name| name.as_str() == "memo") => Some(&memo.value),
        _ => None,
    };
    let is_handed_on =
        matches!((memo, memo_of(checker)), (Some(Expr::Name(memo)), Some(own)) if memo.id.as_str() == own);
    if !is_handed_on {
        let message = "the memo of a copy keeps what lies behind the original".to_owned();
        checker.report(&RULE, call, message, COPY_HINT);
    }
}

/// The memo that a `__deepcopy__` around this place is given.
fn memo_of<'a>(checker: &Checker<'_, 'a>) -> Option<&'a str> {
    let ScopeKind::Function(function) = checker.scope_kind() else {
        return None;
    };
    let parameters = &function.parameters;
    let mut places = parameters.posonlyargs.iter().chain(&parameters.args);
    let memo = places.nth(1)?.parameter.name.as_str();
    (function.name.as_str() == "__deepcopy__").then_some(memo)
}

/// In `__deepcopy__(self, memo)` the memo is handed on, or asked for `id(self)`.
fn keeps_its_memo<'a>(checker: &mut Checker<'_, 'a>, function: &'a ast::StmtFunctionDef) {
    let parameters = &function.parameters;
    let mut places = parameters.posonlyargs.iter().chain(&parameters.args);
    let (Some(object), Some(memo)) = (places.next(), places.next()) else {
        return;
    };
    let module = checker.module;
    let mut mentions = Mentions {
        names: checker.names,
        spot: Spot {
            module,
            scope: checker.names.modules[module]
                .function_scope(function)
                .unwrap_or_default(),
        },
        object: object.parameter.name.as_str(),
        memo: memo.parameter.name.as_str(),
        fine: FxHashSet::default(),
        kept: Vec::new(),
    };
    mentions.visit_body(&function.body);
    for expr in mentions.kept {
        let message = "the memo of a copy keeps what lies behind the original".to_owned();
        checker.report(&RULE, expr, message, COPY_HINT);
    }
}

/// Where a memo is mentioned.
struct Mentions<'n, 'a> {
    names: &'n Names<'a>,
    spot: Spot,
    object: &'a str,
    memo: &'a str,
    /// Mentions that hand it on or ask it.
    fine: FxHashSet<*const Expr>,
    kept: Vec<&'a Expr>,
}

impl Mentions<'_, '_> {
    fn is(expr: &Expr, name: &str) -> bool {
        matches!(expr, Expr::Name(found) if found.id.as_str() == name)
    }

    fn may_be(&self, expr: &Expr, path: &str) -> bool {
        let meanings = self.names.meanings(self.spot.module, self.spot.scope, expr);
        meanings.any_path(|found| found == path)
    }

    /// `id(self)`
    fn of_object(&self, index: &Expr) -> bool {
        matches!(index, Expr::Call(call) if self.may_be(&call.func, "builtins.id")
            && call.arguments.args.first().is_some_and(|of| Self::is(of, self.object)))
    }
}

impl<'a> Visitor<'a> for Mentions<'_, 'a> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Call(call) if self.may_be(&call.func, "copy.deepcopy") => {
                let keyword = call.arguments.find_keyword("memo").map(|keyword| &keyword.value);
                let handed_on = call.arguments.args.get(1).into_iter().chain(keyword);
                self.fine.extend(handed_on.map(std::ptr::from_ref));
            }
            Expr::Subscript(subscript) if self.of_object(&subscript.slice) => {
                self.fine.insert(&raw const *subscript.value);
            }
            Expr::Compare(compare) if self.of_object(&compare.left) => {
                self.fine
                    .extend(compare.comparators.iter().map(std::ptr::from_ref));
            }
            Expr::Name(_) if Self::is(expr, self.memo) && !self.fine.contains(&(&raw const *expr)) => {
                self.kept.push(expr);
            }
            _ => {}
        }
        visitor::walk_expr(self, expr);
    }
}

/// Functions below `torch.nn.utils` that read an attribute by the name that they are given second, sorted.
static NAMED: Words = Words::new(
    "apply custom_from_mask identity is_parametrized l1_unstructured ln_structured orthogonal \
     random_structured random_unstructured register_parametrization remove remove_parametrizations \
     remove_spectral_norm remove_weight_norm spectral_norm weight_norm",
);

/// Whether a path is such a function.
pub(crate) fn reads_by_name(path: &str) -> bool {
    path.starts_with("torch.nn.utils.")
        && libraries::at(path) != At::Module
        && path.rsplit('.').next().is_some_and(|name| NAMED.contains(name))
}

/// `prune.identity(module, "weight")`.
fn named<'a>(checker: &mut Checker<'_, 'a>, call: &Call<'a>) {
    let is_one = |meaning: &Meaning| matches!(meaning, Meaning::Library(path) if reads_by_name(path));
    if !call.callee.iter().any(is_one) {
        return;
    }
    let arguments = &call.expr.arguments;
    let given = |names: &[&str], place: usize| {
        let by_keyword = names.iter().find_map(|name| arguments.find_keyword(name));
        by_keyword
            .map(|keyword| &keyword.value)
            .or(arguments.args.get(place))
    };
    let name = given(&["name", "tensor_name"], 1);
    let (Some(object), Some(name)) = (given(&["module"], 0), name) else {
        return;
    };
    let is_harmless = match texts::of(checker, name) {
        Some(names) => names.iter().all(|name| {
            !no_attribute_escape::is_refused(name)
                && undocumented_attribute::flaw(checker, Some(object), name).is_none()
        }),
        None => computed_names::has_harmless_affix(checker, object, name),
    };
    if !is_harmless {
        let message = "an attribute is read by a name that is not spelled out, or leads out".to_owned();
        checker.report(&RULE, name, message, "write the name of a parameter out");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_of_a_class_is_known_by_its_path() {
        assert_eq!(
            method_of_a_class("torch.nn.ParameterDict.__getitem__"),
            Some(("torch.nn.ParameterDict", "__getitem__"))
        );
        assert_eq!(method_of_a_class("torch.nn.Embedding.from_pretrained"), None);
        assert_eq!(method_of_a_class("torch.Tensor.add_"), None);
        assert_eq!(method_of_a_class("torch.nn.functional.relu"), None);
    }
}
