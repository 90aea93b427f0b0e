//! Whose an object is: the bundle's own, a library's, or nobody knows.
//!
//! Rules ask before they let a bundle use a name that means something else on an object of a library (`dump`, `save`,
//! `__dict__`). The answer is [`Origin::Own`] only where every value that an expression can have is seen to be the
//! bundle's: an instance of its class, `self`, or a parameter that no call of the bundle gives anything else. It follows
//! names, attributes of own objects and calls by name, within bounds, and decides nothing.

use std::cell::Cell;

use ruff_python_ast::{self as ast, Expr};

use crate::check::Checker;
use crate::knowledge::{Words, attributes};
use crate::reading::own::{self, may_look_at};
use crate::semantic::uses::Spot;
use crate::semantic::{BindingKind, CTX, Meaning, Meant as _, ScopeKind};

/// Whose an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Every value that is seen is the bundle's.
    Own,
    /// Some value is a library's.
    Library,
    Unknown,
    /// It is `None`, and nothing else was stored.
    Nothing,
}

impl Origin {
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Library, _) | (_, Self::Library) => Self::Library,
            (Self::Nothing, other) | (other, Self::Nothing) => other,
            (Self::Own, Self::Own) => Self::Own,
            _ => Self::Unknown,
        }
    }
}

/// Most expressions that are looked at for one answer.
const STEPS_MAX: usize = 200;
/// Most steps from one expression into another.
const DEPTH_MAX: usize = 12;

/// Whose the value of an expression is, in the place that is being walked.
pub(crate) fn of(checker: &Checker<'_, '_>, expr: &Expr) -> Origin {
    let spot = checker.spot();
    let steps = Cell::new(STEPS_MAX);
    Search {
        checker,
        steps: &steps,
        objects_only: false,
    }
    .of(spot, expr, 0)
}

/// Decorators that call what they are given with what they are given.
static CALLS_ON: Words = Words::new(
    "builtins.staticmethod builtins.classmethod torch.no_grad torch.inference_mode torch.enable_grad torch.compile \
     torch.jit.ignore",
);

/// Whether a name is the first parameter of a method that can only be called on an object of its class, and so the bundle's
/// own object.
pub(crate) fn is_self(checker: &Checker<'_, '_>, spot: Spot, name: &str) -> bool {
    own::method_of(checker, spot, name).is_some_and(|method| own::is_bound(checker, method))
}

/// Whether an expression is surely an object of a class of the bundle, and not a class.
pub(crate) fn is_an_own_object(checker: &Checker<'_, '_>, expr: &Expr) -> bool {
    let spot = checker.spot();
    let steps = Cell::new(STEPS_MAX);
    let search = Search {
        checker,
        steps: &steps,
        objects_only: true,
    };
    search.of(spot, expr, 0) == Origin::Own
}

fn is_named(expr: &Expr, name: &str) -> bool {
    matches!(expr, Expr::Name(found) if found.id.as_str() == name)
}

struct Search<'s, 'c, 'a> {
    checker: &'s Checker<'c, 'a>,
    steps: &'s Cell<usize>,
    /// Classes and functions are not asked for.
    objects_only: bool,
}

impl Search<'_, '_, '_> {
    fn of(&self, spot: Spot, expr: &Expr, depth: usize) -> Origin {
        let Some(left) = self.steps.get().checked_sub(1).filter(|_| depth < DEPTH_MAX) else {
            return Origin::Unknown;
        };
        self.steps.set(left);
        if !may_look_at(self.checker, 1) {
            return Origin::Unknown;
        }
        match expr {
            Expr::Name(name) => self.name(spot, name.id.as_str(), depth),
            Expr::Named(named) => self.of(spot, &named.value, depth + 1),
            Expr::If(either) => {
                self.of(spot, &either.body, depth + 1)
                    .or(self.of(spot, &either.orelse, depth + 1))
            }
            Expr::BoolOp(any) => any
                .values
                .iter()
                .map(|value| self.of(spot, value, depth + 1))
                .reduce(Origin::or)
                .unwrap_or(Origin::Unknown),
            Expr::Call(call) => self.call(spot, call),
            Expr::Attribute(attribute) => self.attribute(spot, expr, attribute, depth),
            Expr::NoneLiteral(_) => Origin::Nothing,
            _ => Origin::Unknown,
        }
    }

    /// An instance is whose its class is.
    fn call(&self, spot: Spot, call: &ast::ExprCall) -> Origin {
        let names = self.checker.names;
        let callees = names.meanings(spot.module, spot.scope, &call.func);
        callees
            .iter()
            .map(|callee| match callee {
                Meaning::Library(path) if &**path == "builtins.getattr" => Origin::Unknown,
                Meaning::Library(path)
                    if crate::knowledge::libraries::is_class(path) || path.starts_with("torch.jit.") =>
                {
                    Origin::Library
                }
                Meaning::Local(module, binding) => match names.modules[*module].bindings[*binding].kind {
                    BindingKind::Class(class) if own::makes_its_own(self.checker, *module, class) => {
                        Origin::Own
                    }
                    _ => Origin::Unknown,
                },
                Meaning::Library(_) | Meaning::Module(_) | Meaning::Unknown => Origin::Unknown,
            })
            .reduce(Origin::or)
            .unwrap_or(Origin::Unknown)
    }

    /// What an own object keeps under a name is what is stored under that name anywhere.
    fn attribute(&self, spot: Spot, expr: &Expr, attribute: &ast::ExprAttribute, depth: usize) -> Origin {
        let meanings = self.checker.names.meanings(spot.module, spot.scope, expr);
        if meanings
            .iter()
            .any(|meaning| matches!(meaning, Meaning::Library(path) if !path.starts_with(CTX)))
        {
            return Origin::Library;
        }
        if self.of(spot, &attribute.value, depth + 1) != Origin::Own {
            return Origin::Unknown;
        }
        let uses = self.checker.uses();
        let name = attribute.attr.as_str();
        // What is stored by a name that nobody sees may be stored under this one.
        if uses.sets_computed
            || self.checker.reads().writes_dicts
            || uses.is_a_field(name)
            || self.checker.names.gives("__getattr__")
            || attributes::is_public(name) && self.checker.reads().any_other_base
        {
            return Origin::Unknown;
        }
        let stored = uses
            .stored
            .get(name)
            .into_iter()
            .chain(uses.in_classes.get(name))
            .flatten();
        stored
            .map(|(place, value)| value.map_or(Origin::Unknown, |value| self.of(*place, value, depth + 1)))
            .reduce(Origin::or)
            .unwrap_or(Origin::Unknown)
    }

    fn name(&self, spot: Spot, name: &str, depth: usize) -> Origin {
        if is_self(self.checker, spot, name) {
            return Origin::Own;
        }
        let names = self.checker.names;
        let module = &names.modules[spot.module];
        let bindings = names.bindings(spot.module, spot.scope, name);
        if !may_look_at(self.checker, bindings.len()) {
            return Origin::Unknown;
        }
        let is_set_unseen = self.checker.uses().sets_computed || self.checker.reads().writes_dicts;
        if may_be_replaced(self.checker, spot, name)
            || is_set_unseen && !names.is_of_a_function(spot.module, spot.scope, name)
        {
            return Origin::Unknown;
        }
        bindings
            .iter()
            .map(|&number| {
                let binding = &module.bindings[number];
                let place = spot.at(binding.scope);
                match &binding.kind {
                    BindingKind::Value(value) => self.of(place, value, depth + 1),
                    BindingKind::Parameter(..) => self.parameter(spot, name, depth),
                    BindingKind::Function(_) | BindingKind::Class(_) if self.objects_only => Origin::Unknown,
                    BindingKind::Function(_) => Origin::Own,
                    BindingKind::Class(class) if own::makes_its_own(self.checker, spot.module, class) => {
                        Origin::Own
                    }
                    BindingKind::Import(_)
                    | BindingKind::Counter(_)
                    | BindingKind::Key(_)
                    | BindingKind::Element(_)
                    | BindingKind::Class(_)
                    | BindingKind::Other => Origin::Unknown,
                }
            })
            .reduce(Origin::or)
            .unwrap_or(Origin::Unknown)
    }

    fn parameter(&self, spot: Spot, name: &str, depth: usize) -> Origin {
        let entry = self.checker.names.entry(spot.module, spot.scope, name);
        if entry.is_some_and(|(_, entry)| {
            entry
                .meanings
                .iter()
                .any(|meaning| matches!(meaning, Meaning::Library(_)))
        }) {
            return Origin::Library;
        }
        // Where nobody calls it, nothing else is given.
        given(self.checker, spot, name).map_or(Origin::Unknown, |values| {
            let origins = values
                .into_iter()
                .map(|(place, value)| self.of(place, value, depth + 1));
            origins.reduce(Origin::or).unwrap_or(Origin::Own)
        })
    }
}

/// What the calls of a bundle give to the parameter that a name is, as seen from a place.
pub(crate) fn given<'a>(checker: &Checker<'_, 'a>, spot: Spot, name: &str) -> Option<Vec<(Spot, &'a Expr)>> {
    let (scope, _) = checker.names.entry(spot.module, spot.scope, name)?;
    match checker.names.modules[spot.module].scopes[scope].kind {
        ScopeKind::Function(function) => given_to(checker, spot.at(scope), function, name),
        _ => None,
    }
}

/// Whether a name may come to mean something that no binding says: another file or a `setattr` may replace what a module
/// binds.
pub(crate) fn may_be_replaced(checker: &Checker<'_, '_>, spot: Spot, name: &str) -> bool {
    let names = checker.names;
    names.may_be_an_outer(spot.module, spot.scope, name)
        || !names.is_of_a_function(spot.module, spot.scope, name) && checker.uses().stored.contains_key(name)
}

/// What the calls of a bundle give to a parameter of a function, which stands in the scope `spot`.
fn given_to<'a>(
    checker: &Checker<'_, 'a>,
    spot: Spot,
    function: &'a ast::StmtFunctionDef,
    own_name: &str,
) -> Option<Vec<(Spot, &'a Expr)>> {
    let uses = checker.uses();
    let scopes = &checker.names.modules[spot.module].scopes;
    let class = match scopes[spot.scope].parent.map(|parent| scopes[parent].kind) {
        Some(ScopeKind::Class(class)) => Some(class),
        _ => None,
    };
    let name = function.name.as_str();
    let is_init = name == "__init__";
    // Methods with names of a library's are called by it: `forward`, `step`.
    // and with names that it keeps for itself: `_named_members`, `_apply`.
    let is_a_hook = class.is_some_and(|class| {
        attributes::is_public(name) || attributes::is_inner(name) && !class.bases().is_empty()
    }) || name.starts_with("__");
    if !is_init && (is_a_hook || class.is_some() && uses.gets_computed)
        || is_init && checker.reads().makes_unseen
        // `_missing_` and its like are called by the library.
        || !is_init && class.is_some() && name.starts_with('_') && name.ends_with('_')
    {
        return None;
    }
    let called = match class {
        Some(class) if is_init => class.name.as_str(),
        _ => name,
    };
    let definition = spot.at(scopes[spot.scope].parent.unwrap_or_default());
    if uses.handed_on.contains(called)
        || is_init && uses.handed_on.contains(name)
        || !function
            .decorator_list
            .iter()
            .all(|decorator| own::is_known(checker, definition, decorator, &CALLS_ON))
    {
        return None;
    }
    let parameters = &function.parameters;
    let is_it = |parameter: &&ast::ParameterWithDefault| parameter.parameter.name.as_str() == own_name;
    let parameter = parameters.iter_non_variadic_params().find(is_it)?;
    let mut positional = parameters.posonlyargs.iter().chain(&parameters.args);
    let number = positional.position(|parameter| is_it(&parameter));
    let is_static = function
        .decorator_list
        .iter()
        .any(|decorator| is_named(&decorator.expression, "staticmethod"));
    let shift = usize::from(class.is_some() && !is_static);
    let mut found = Vec::new();
    if let Some(default) = parameter.default() {
        let outer = scopes[spot.scope].parent.unwrap_or_default();
        let place = spot.at(outer);
        found.push((place, default));
    }
    let calls_of = |name: &str| uses.calls.get(name).map_or(&[][..], Vec::as_slice);
    // An object may be made again by its `__init__`.
    let again = if is_init { calls_of(name) } else { &[] };
    let calls = calls_of(called);
    if !may_look_at(checker, calls.len() + again.len()) {
        return None;
    }
    // A class that `super()` leads to is a base, and so was handed on.
    let again = again.iter().filter(|(_, call)| !is_of_super(&call.func));
    for (place, call) in calls.iter().chain(again) {
        let callees = checker.names.meanings(place.module, place.scope, &call.func);
        if callees.all_paths(|_| true) {
            continue;
        }
        let arguments = &call.arguments;
        let is_open = arguments.args.iter().any(Expr::is_starred_expr)
            || arguments.keywords.iter().any(|keyword| keyword.arg.is_none());
        if is_open {
            return None;
        }
        let places = [
            number.and_then(|number| number.checked_sub(shift)),
            number.filter(|_| shift > 0),
        ];
        for index in places.into_iter().flatten() {
            found.extend(arguments.args.get(index).map(|value| (*place, value)));
        }
        let by_name = arguments.find_keyword(parameter.parameter.name.as_str());
        found.extend(by_name.map(|keyword| (*place, &keyword.value)));
    }
    Some(found)
}

/// `super().method`.
fn is_of_super(callee: &Expr) -> bool {
    matches!(callee, Expr::Attribute(method)
        if matches!(&*method.value, Expr::Call(base) if is_named(&base.func, "super")))
}
