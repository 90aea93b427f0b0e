//! Which objects are plainly the bundle's own, and what its functions are given.
//!
//! A rule may let a bundle use a name on its own object that leads out of a library's (`dump`, `__dict__`, a name that is
//! computed). This is believed in plain code alone, so that a reader can see why it is true. `self` is an object of the
//! class around, and of none else, if
//!
//! - it is the first parameter of a method and bound by nothing else ([`method_of`]);
//! - the class is plain ([`super::classes`]), and so are those below it: a `class` statement that stands in no other class, below
//!   plain classes and a few of libraries, with no metaclass, no decorator but those that give it back, no hook that makes
//!   something else, and nothing in its body that Python or a library hands the class or a function of it;
//! - nobody calls the function on anything else ([`is_self`]). Whoever has the class may, so every place where its name
//!   stands is looked at: it is called there, and what it is given leaves no place for another `self`. (It may be read
//!   without being called where the class is no value.) The method has no decorator that could keep it, and Python hands it
//!   to nobody.
//!
//! An object that such a class makes is the bundle's as well, where it stands in a name with no other values, or where a
//! function that is only called by its name is given nothing else. Nothing is followed into containers, attributes and
//! what functions return.

use std::ptr;

use ruff_python_ast::{self as ast, Expr};
use rustc_hash::FxHashSet;

use crate::check::Checker;
use crate::knowledge::Words;
use crate::reading::classes::{Bases, all_below, is_plain};
use crate::semantic::uses::{OF_CLASSES, Spot, first_parameter, is_an_accessor};
use crate::semantic::{BindingKind, Meaning, Meant as _, ScopeId, ScopeKind};

/// How far bases of a class, values of a name and parameters are followed.
pub(super) const DEPTH_MAX: usize = 8;

/// What a decorator costs that is looked at, in steps.
const DECORATOR_STEPS: usize = 8;

/// Decorators after which a method is called as before, and nobody is given the function itself: `@contextmanager` keeps
/// it as `func` of what a call returns, and `torch.jit` calls it on another object.
static OF_A_METHOD: Words = Words::new(
    "abc.abstractmethod builtins.property functools.cache functools.lru_cache torch.amp.autocast torch.autocast torch.compile torch.compiler.disable torch.enable_grad \
     torch.inference_mode torch.no_grad typing.final typing.override typing_extensions.final \
     typing_extensions.override",
);

/// The same of a function that stands in no class: a property there gives its function to whoever asks for `fget`.
static OF_A_FUNCTION: Words = Words::new(
    "functools.cache functools.lru_cache torch.amp.autocast torch.autocast torch.compile torch.compiler.disable \
     torch.enable_grad torch.inference_mode torch.no_grad typing.final typing_extensions.final",
);

/// Bases that make no object of a class below them by themselves, as `nn.Embedding.from_pretrained` does.
static BARE_BASES: Words = Words::new("builtins.object torch.nn.Module torch.nn.modules.module.Module");

/// A method: its module, the scopes of the class and the function, and both definitions.
#[derive(Clone, Copy)]
pub(crate) struct Method<'a> {
    pub(crate) module: usize,
    pub(crate) class_scope: ScopeId,
    pub(crate) class: &'a ast::StmtClassDef,
    pub(crate) function: &'a ast::StmtFunctionDef,
}

/// The method whose first parameter a name is, as seen from a place.
pub(crate) fn method_of<'a>(checker: &Checker<'_, 'a>, spot: Spot, name: &str) -> Option<Method<'a>> {
    let (scope, entry) = checker.names.entry(spot.module, spot.scope, name)?;
    let scopes = &checker.names.modules[spot.module].scopes;
    let class_scope = scopes[scope].parent?;
    match (scopes[scope].kind, scopes[class_scope].kind) {
        (ScopeKind::Function(function), ScopeKind::Class(class))
            if first_parameter(function) == Some(name) && entry.bindings.len() == 1 =>
        {
            Some(Method {
                module: spot.module,
                class_scope,
                class,
                function,
            })
        }
        _ => None,
    }
}

/// Whether a name is `self` of a plain class, and so the bundle's own object.
pub(crate) fn is_self(checker: &Checker<'_, '_>, spot: Spot, name: &str) -> bool {
    // `setattr(self, name, value)` may give it another class.
    is_self_at_first(checker, spot, name) && !checker.uses().sets_computed
}

/// The same, before any attribute is set by a computed name.
///
/// A call `self.other(...)` in a method is one on an object if the method was called on one. So the methods around such
/// calls are looked at as well, until all are: the first that is called on something else is called from elsewhere.
pub(crate) fn is_self_at_first(checker: &Checker<'_, '_>, spot: Spot, name: &str) -> bool {
    let Some(method) = method_of(checker, spot, name) else {
        return false;
    };
    let key = ptr::from_ref(method.function);
    if let Some(known) = checker.selves.borrow().get(&key) {
        return *known;
    }
    let (mut seen, mut next) = (FxHashSet::from_iter([key]), vec![method]);
    let is_one = loop {
        let Some(method) = next.pop() else {
            break true;
        };
        let Some(around) = callers(checker, method) else {
            break false;
        };
        for method in around {
            if seen.insert(ptr::from_ref(method.function)) {
                next.push(method);
            }
        }
    };
    if !is_one {
        seen = FxHashSet::from_iter([key]);
    }
    let mut selves = checker.selves.borrow_mut();
    selves.extend(seen.into_iter().map(|key| (key, is_one)));
    is_one
}

/// The methods from which a method is called on their own `self`; `None` where it may be called on something else.
fn callers<'a>(checker: &Checker<'_, 'a>, method: Method<'a>) -> Option<Vec<Method<'a>>> {
    let uses = checker.uses();
    let name = method.function.name.as_str();
    let is_property = method.function.decorator_list.iter().any(|decorator| {
        matches!(&decorator.expression, Expr::Name(property) if property.id.as_str() == "property")
    });
    let calls = uses.calls.get(name).map_or(&[][..], Vec::as_slice);
    // A copy of a method is one of whatever the copy of its object is, which an own hook may choose.
    let is_copied_as_it_is = || {
        !["__deepcopy__", "__getattr__"]
            .iter()
            .any(|hook| checker.names.gives(hook))
            && !uses.takes_dicts
            && !uses.sets_computed
    };
    let is_closed = is_regular(checker, method)
        && is_plain(checker, method.module, method.class)
        && all_below(
            checker,
            method.class.name.as_str(),
            &|module, class| is_plain(checker, module, class),
            0,
        )
        && !uses.has_unseen_bases
        && !GIVEN_AWAY.contains(&name)
        && (is_property || !uses.is_read(name) || is_no_value(checker, method.class) && is_copied_as_it_is())
        && may_look_at(checker, 1 + calls.len());
    let mut around = Vec::new();
    for (spot, call) in calls.iter().filter(|_| is_closed) {
        let Expr::Attribute(callee) = &*call.func else {
            continue;
        };
        if leaves_no_place(checker, method.function, *spot, call) {
            continue;
        }
        let object = match &*callee.value {
            // `super().method(x)`: of a class it gives the function.
            Expr::Call(_) if is_of_super(&call.func) => {
                if !uses.below.contains_key(method.class.name.as_str()) {
                    continue;
                }
                let scope = checker.names.modules[spot.module].scopes[spot.scope].kind;
                let ScopeKind::Function(function) = scope else {
                    return None;
                };
                first_parameter(function)?
            }
            // `Base.method(self, x)`.
            Expr::Name(base) => match (
                &*checker.names.meanings(spot.module, spot.scope, &callee.value),
                call.arguments.args.first(),
            ) {
                ([meaning], Some(Expr::Name(object))) if checker.names.class_of(meaning).is_some() => {
                    object.id.as_str()
                }
                _ => base.id.as_str(),
            },
            _ => return None,
        };
        around.push(method_of(checker, *spot, object)?);
    }
    is_closed.then_some(around)
}

/// Whether a call cannot be one of the function itself on an object of its own choice, or is of a library's.
fn leaves_no_place(
    checker: &Checker<'_, '_>,
    function: &ast::StmtFunctionDef,
    spot: Spot,
    call: &ast::ExprCall,
) -> bool {
    let (parameters, arguments) = (&function.parameters, &call.arguments);
    if !may_look_at(checker, parameters.len().saturating_mul(arguments.keywords.len())) {
        return false;
    }
    let places = || parameters.posonlyargs.iter().chain(&parameters.args);
    let is_needed = |parameter: &&ast::ParameterWithDefault| parameter.default.is_none();
    let is_named = |parameter: &&ast::ParameterWithDefault| {
        arguments
            .find_keyword(parameter.parameter.name.as_str())
            .is_some()
    };
    let needed = places().filter(is_needed).filter(|one| !is_named(one)).count();
    let is_open = arguments.args.iter().any(Expr::is_starred_expr)
        || arguments.keywords.iter().any(|keyword| keyword.arg.is_none());
    !is_open && arguments.args.is_empty() && !places().next().is_some_and(|first| is_named(&first))
        || arguments.args.first().is_some_and(is_harmless_as_self)
        // On another object something would be missing.
        || !is_open && arguments.args.len() < needed
        || checker
            .names
            .meanings(spot.module, spot.scope, &call.func)
            .all_paths(|path| !path.starts_with('<'))
}

/// Whether a value has nothing to give, whatever method it is made the object of.
fn is_harmless_as_self(value: &Expr) -> bool {
    value.is_literal_expr()
        || matches!(
            value,
            Expr::List(_) | Expr::Tuple(_) | Expr::Dict(_) | Expr::Set(_)
        )
}

/// Methods that Python takes from the class of an object and hands to others.
const GIVEN_AWAY: &[&str] = &["__aenter__", "__aexit__", "__enter__", "__exit__", "__get__"];

/// Whether objects are made of a class, and of none below it, only where its name is called. A class below it gives it away
/// as well, and so does a library's class that is a base of one: an exception is told its kind, a warning its category.
fn is_no_value(checker: &Checker<'_, '_>, class: &ast::StmtClassDef) -> bool {
    let uses = checker.uses();
    !uses.any_class && !uses.is_handed_on(class.name.as_str())
}

/// Whether a name is `self` of a class whose objects get attributes where the bundle says so, and nowhere else: those of
/// `nn.Sequential` get modules under names that stand in data.
pub(crate) fn is_told_its_names(checker: &Checker<'_, '_>, spot: Spot, name: &str) -> bool {
    let is_bare = |module, class: &ast::StmtClassDef| {
        Bases {
            library: &|path| BARE_BASES.contains(path),
            own: &|_, _| true,
            unseen: false,
        }
        .all(checker, module, class, 0)
    };
    is_self(checker, spot, name)
        && method_of(checker, spot, name).is_some_and(|of| {
            is_bare(of.module, of.class) && all_below(checker, of.class.name.as_str(), &is_bare, 0)
        })
}

/// Whether a method is one of objects, with no decorator that may call it otherwise, and its name is bound to nothing else.
fn is_regular(checker: &Checker<'_, '_>, method: Method<'_>) -> bool {
    let name = method.function.name.as_str();
    let module = &checker.names.modules[method.module];
    let bound = module.scopes[method.class_scope].names.get(name);
    let place = Spot {
        module: method.module,
        scope: method.class_scope,
    };
    let is_harmless = |decorator: &ast::Decorator| {
        let of_itself = decorator.expression.as_attribute_expr().is_some_and(|of| {
            is_an_accessor(&decorator.expression)
                && matches!(&*of.value, Expr::Name(property) if property.id.as_str() == name)
        });
        of_itself || is_known(checker, place, decorator, &OF_A_METHOD)
    };
    // An accessor is given what an earlier definition of the name has made.
    let is_harmless_function = |number: &usize| {
        matches!(module.bindings[*number].kind, BindingKind::Function(function)
            if may_look_at(checker, 1 + DECORATOR_STEPS * function.decorator_list.len())
                && function.decorator_list.iter().all(is_harmless))
    };
    // What makes an object of a field gives it the function as a value.
    !OF_CLASSES.contains(&name)
        && !checker
            .uses()
            .is_a_field_of(method.class.name.as_str(), name, |classes| {
                may_look_at(checker, classes)
            })
        && bound.is_some_and(|entry| entry.bindings.iter().all(is_harmless_function))
}

/// Whether a decorator is one of these, and called with nothing that it could call.
pub(super) fn is_known(
    checker: &Checker<'_, '_>,
    spot: Spot,
    decorator: &ast::Decorator,
    known: &Words,
) -> bool {
    let meanings = |expr: &Expr| checker.names.meanings(spot.module, spot.scope, expr);
    let named = match &decorator.expression {
        Expr::Call(call) if calls_nothing(call, meanings) => &*call.func,
        named => named,
    };
    meanings(named).all_paths(|path| known.contains(path))
}

/// Whether no argument of a decorator can be something that it calls: `@torch.no_grad(keep)` calls `keep(function)`.
pub(crate) fn calls_nothing(call: &ast::ExprCall, meanings: impl Fn(&Expr) -> Vec<Meaning>) -> bool {
    let arguments = &call.arguments;
    // Of what libraries have, only types: `@lru_cache(partial)` is `partial`.
    let is_a_type = |path: &str| {
        let name = path.strip_prefix("torch.").unwrap_or_default();
        ["bfloat16", "float", "half"]
            .iter()
            .any(|kind| name.starts_with(kind))
    };
    let is_harmless = |value: &Expr| value.is_literal_expr() || meanings(value).all_paths(is_a_type);
    arguments.args.iter().all(is_harmless)
        && arguments
            .keywords
            .iter()
            .all(|keyword| keyword.arg.is_some() && is_harmless(&keyword.value))
}

/// Whether an expression of the place that is being walked is surely an object of a plain class of the bundle.
pub(crate) fn is_an_object(checker: &Checker<'_, '_>, expr: &Expr) -> bool {
    is_an_object_at(checker, checker.spot(), expr, 0)
}

fn is_an_object_at(checker: &Checker<'_, '_>, spot: Spot, expr: &Expr, depth: usize) -> bool {
    if depth > DEPTH_MAX || !may_look_at(checker, 1) {
        return false;
    }
    let names = checker.names;
    match expr {
        // Whatever is done with it fails.
        Expr::NoneLiteral(_) => true,
        // What a parser of arguments gives keeps what the bundle told it to.
        Expr::Call(call) if is_parsed(checker, spot, call) => true,
        Expr::Call(call) => {
            let callees = names.meanings(spot.module, spot.scope, &call.func);
            let is_plain = |(module, class)| is_plain(checker, module, class);
            !callees.is_empty()
                && callees
                    .iter()
                    .all(|callee| names.class_of(callee).is_some_and(is_plain))
        }
        Expr::Name(name) => {
            let name = name.id.as_str();
            let module = &names.modules[spot.module];
            let bindings = names.bindings(spot.module, spot.scope, name);
            let of_a_library = || names.meanings(spot.module, spot.scope, expr).any_path(|_| true);
            is_self(checker, spot, name)
                || !bindings.is_empty()
                    && !of_a_library()
                    && !checker.uses().sets_computed
                    && (!checker.uses().takes_dicts || names.is_of_a_function(spot.module, spot.scope, name))
                    && !may_be_replaced(checker, spot, name)
                    && bindings.iter().all(|&number| {
                        let place = spot.at(module.bindings[number].scope);
                        let is_own = |place, value| is_an_object_at(checker, place, value, depth + 1);
                        match module.bindings[number].kind {
                            BindingKind::Value(value) => is_own(place, value),
                            BindingKind::Parameter(..) => given(checker, spot, name).is_some_and(|all| {
                                all.into_iter().all(|(place, value)| is_own(place, value))
                            }),
                            _ => false,
                        }
                    })
        }
        _ => false,
    }
}

/// Whether a name may come to mean something that no binding says: another file or a `setattr` may replace what a module
/// binds.
pub(crate) fn may_be_replaced(checker: &Checker<'_, '_>, spot: Spot, name: &str) -> bool {
    let names = checker.names;
    names.may_be_an_outer(spot.module, spot.scope, name)
        || !names.is_of_a_function(spot.module, spot.scope, name) && checker.uses().stored.contains_key(name)
}

/// What the calls of a bundle give to the parameter that a name is, as seen from a place; `None` where they are not all
/// seen. Where nobody calls it, nothing is given.
///
/// They are seen of a function that stands in no class and becomes no value, and of the `__init__` of a plain class that
/// becomes none either and has none below it.
pub(crate) fn given<'a>(checker: &Checker<'_, 'a>, spot: Spot, name: &str) -> Option<Vec<(Spot, &'a Expr)>> {
    let (scope, _) = checker.names.entry(spot.module, spot.scope, name)?;
    let scopes = &checker.names.modules[spot.module].scopes;
    let ScopeKind::Function(function) = scopes[scope].kind else {
        return None;
    };
    let outer = spot.at(scopes[scope].parent?);
    let uses = checker.uses();
    let is_bare = |base: &Expr| {
        let meanings = checker.names.meanings(spot.module, 0, base);
        meanings.all_paths(|path| BARE_BASES.contains(path))
    };
    let (called, shift) = match scopes[outer.scope].kind {
        ScopeKind::Class(class) => {
            let called = class.name.as_str();
            let mut again = uses.calls.get("__init__").into_iter().flatten();
            let is_seen = function.name.as_str() == "__init__"
                && class.decorator_list.is_empty()
                && may_look_at(checker, class.bases().len())
                && class.bases().iter().all(is_bare)
                && !uses.makes_unseen
                && !uses.bases.contains(called)
                && !uses.is_handed_on("__init__")
                && is_no_value(checker, class)
                && again.all(|(_, call)| is_of_super(&call.func))
                && is_self_at_first(checker, spot.at(scope), first_parameter(function)?);
            (is_seen.then_some(called)?, 1)
        }
        // Python calls those itself.
        _ if function.name.starts_with("__") => return None,
        _ => (function.name.as_str(), 0),
    };
    let mut decorators = function.decorator_list.iter();
    if uses.is_handed_on(called) || !decorators.all(|one| is_known(checker, outer, one, &OF_A_FUNCTION)) {
        return None;
    }
    let parameters = &function.parameters;
    let is_it = |parameter: &&ast::ParameterWithDefault| parameter.parameter.name.as_str() == name;
    let parameter = parameters.iter_non_variadic_params().find(is_it)?;
    let mut positional = parameters.posonlyargs.iter().chain(&parameters.args);
    let place = positional.position(|parameter| is_it(&parameter));
    let mut found: Vec<_> = parameter
        .default()
        .map(|default| (outer, default))
        .into_iter()
        .collect();
    let calls = uses.calls.get(called).map_or(&[][..], Vec::as_slice);
    if !may_look_at(checker, calls.len()) {
        return None;
    }
    for (spot, call) in calls {
        let callees = checker.names.meanings(spot.module, spot.scope, &call.func);
        if callees.all_paths(|_| true) {
            continue;
        }
        let arguments = &call.arguments;
        let is_open = arguments.args.iter().any(Expr::is_starred_expr)
            || arguments.keywords.iter().any(|keyword| keyword.arg.is_none());
        if is_open {
            return None;
        }
        let by_place = place.and_then(|place| arguments.args.get(place.checked_sub(shift)?));
        found.extend(by_place.map(|value| (*spot, value)));
        let by_name = arguments.find_keyword(name);
        found.extend(by_name.map(|keyword| (*spot, &keyword.value)));
    }
    Some(found)
}

/// `parser.parse_args()`, of a name that is bound to nothing but parsers of `argparse`.
fn is_parsed(checker: &Checker<'_, '_>, spot: Spot, call: &ast::ExprCall) -> bool {
    let Expr::Attribute(method) = &*call.func else {
        return false;
    };
    let names = checker.names;
    let is_a_parser = |value: &Expr, scope| {
        matches!(value, Expr::Call(made) if names.meanings(spot.module, scope, &made.func)
            .all_paths(|path| path == "argparse.ArgumentParser"))
    };
    let is_of_a_parser = || match &*method.value {
        Expr::Name(name) => {
            let module = &names.modules[spot.module];
            let bindings = names.bindings(spot.module, spot.scope, name.id.as_str());
            let is_one = |number: &usize| {
                let binding = &module.bindings[*number];
                matches!(binding.kind, BindingKind::Value(value) if is_a_parser(value, binding.scope))
            };
            !bindings.is_empty()
                && may_look_at(checker, bindings.len())
                && !may_be_replaced(checker, spot, name.id.as_str())
                && bindings.iter().all(is_one)
        }
        value => is_a_parser(value, spot.scope),
    };
    method.attr.as_str() == "parse_args" && is_of_a_parser()
}

/// `super().method`, `super(Kind, self).method`.
fn is_of_super(callee: &Expr) -> bool {
    matches!(callee, Expr::Attribute(method) if matches!(&*method.value, Expr::Call(base)
        if matches!(&*base.func, Expr::Name(name) if name.id.as_str() == "super")))
}

/// Takes so many steps of what is left for the bundle; whether there were as many.
pub(super) fn may_look_at(checker: &Checker<'_, '_>, steps: usize) -> bool {
    let left = checker.origin_steps_left.get().checked_sub(steps);
    checker.origin_steps_left.set(left.unwrap_or_default());
    left.is_some()
}
