//! Attributes by computed names, where it can be seen that they lead nowhere else.
//!
//! [`crate::rules::no_dynamic_attr`] calls it. A computed name is harmless if all texts that it can be are known; if it begins or
//! ends with a literal that no name that leads out begins or ends with; or if it is used on `self` of a plain class, in a
//! method that nobody can call with another object in the place of `self`.

use ruff_python_ast::{self as ast, Expr, InterpolatedStringElement, Operator};

use crate::check::Checker;
use crate::knowledge::Words;
use crate::knowledge::{attributes, libraries};
use crate::reading::{origin, own};
use crate::semantic::{BindingKind, Meaning};

/// Shortest literal at either end of a name that says enough.
const AFFIX_CHARS_MIN: usize = 3;

/// How types and functions of torch begin that lead nowhere.
const OF_TORCH: &[&str] = &["_foreach_", "bfloat", "complex", "float", "int", "uint"];

/// Decorators after which a method is called as before.
static PLAIN_DECORATORS: Words = Words::new(
    "torch.compiler.disable torch.enable_grad torch.inference_mode torch.jit.export torch.jit.ignore \
     torch.jit.unused torch.no_grad",
);

/// Whether a literal at the beginning or at the end keeps a name from leading out.
pub(crate) fn has_harmless_affix(checker: &Checker<'_, '_>, object: &Expr, name: &Expr) -> bool {
    let (prefix, suffix) = affixes(name);
    let meanings = checker.meanings(object);
    let is_of_a_library = meanings
        .iter()
        .any(|meaning| !matches!(meaning, Meaning::Local(..)));
    let all_are = |is: &dyn Fn(&str) -> bool| {
        meanings
            .iter()
            .all(|meaning| matches!(meaning, Meaning::Library(path) if is(path)))
    };
    if is_of_a_library && !all_are(&libraries::is_plain) {
        let is_torch = all_are(&|path| path == "torch");
        return is_torch && prefix.is_some_and(|prefix| OF_TORCH.contains(&prefix));
    }
    let says_enough =
        |affix: &&str| affix.len() >= AFFIX_CHARS_MIN && !affix.starts_with("__") && !affix.ends_with("__");
    prefix
        .filter(says_enough)
        .is_some_and(|prefix| !attributes::any_leads_out(|name| name.starts_with(prefix)))
        || suffix
            .filter(says_enough)
            .is_some_and(|suffix| !attributes::any_leads_out(|name| name.ends_with(suffix)))
}

/// The literal that a text begins with, and the one that it ends with.
fn affixes(name: &Expr) -> (Option<&str>, Option<&str>) {
    match name {
        Expr::FString(text) => {
            let first = text.value.elements().next().and_then(as_literal);
            (first, text.value.elements().last().and_then(as_literal))
        }
        Expr::BinOp(sum) if sum.op == Operator::Add => {
            let (prefix, _) = affixes(&sum.left);
            let (_, suffix) = affixes(&sum.right);
            (prefix, suffix)
        }
        Expr::StringLiteral(text) => (Some(text.value.to_str()), Some(text.value.to_str())),
        _ => (None, None),
    }
}

fn as_literal(element: &InterpolatedStringElement) -> Option<&str> {
    match element {
        InterpolatedStringElement::Literal(literal) => Some(&literal.value),
        InterpolatedStringElement::Interpolation(_) => None,
    }
}

/// Whether a name is that of a child of the object: `for name, child in net.named_children(): setattr(net, name, ...)`. A
/// module of torch takes it as a child or not at all, and where the bundle has no `named_children` of its own, nothing else
/// has any.
pub(crate) fn names_its_child(checker: &Checker<'_, '_>, object: &Expr, name: &Expr) -> bool {
    const ASKED: &str = "named_children";
    let (Expr::Name(object), Expr::Name(name)) = (object, name) else {
        return false;
    };
    let is_the_object = |call: &ast::ExprCall| {
        call.arguments.is_empty()
            && matches!(&*call.func, Expr::Attribute(method) if method.attr.as_str() == ASKED
                && matches!(&*method.value, Expr::Name(asked) if asked.id == object.id))
    };
    matches!(
        only_binding(checker, object.id.as_str()),
        Some(BindingKind::Parameter(..))
    ) && matches!(only_binding(checker, name.id.as_str()), Some(BindingKind::Key(call)) if is_the_object(call))
        && !checker.may_have_given(ASKED)
        && !checker.uses().stored.contains_key(ASKED)
}

/// What a name of a function is bound to, if only one statement binds it.
fn only_binding<'n, 'a>(checker: &Checker<'n, 'a>, name: &str) -> Option<&'n BindingKind<'a>> {
    let names = checker.names;
    let [only] = names.bindings(checker.module, checker.scope(), name) else {
        return None;
    };
    let is_local = names.is_of_a_function(checker.module, checker.scope(), name);
    is_local.then(|| &names.modules[checker.module].bindings[*only].kind)
}

/// `for field in fields(config): getattr(config, field.name)`: the fields of a dataclass are spelled out in its class.
pub(crate) fn names_a_field(checker: &Checker<'_, '_>, object: &Expr, name: &Expr) -> bool {
    let (Expr::Name(object), Expr::Attribute(name)) = (object, name) else {
        return false;
    };
    let Expr::Name(field) = &*name.value else {
        return false;
    };
    let Some(BindingKind::Element(call)) = only_binding(checker, field.id.as_str()) else {
        return false;
    };
    name.attr.as_str() == "name"
        && call.arguments.keywords.is_empty()
        && matches!(&*call.arguments.args, [Expr::Name(of)] if of.id == object.id)
        && matches!(&*checker.meanings(&call.func), [Meaning::Library(path)] if &**path == "dataclasses.fields")
}

/// Whether an object is `self` of a plain class, in a method that can only be called on an object of that class.
pub(crate) fn is_a_closed_self(checker: &Checker<'_, '_>, object: &Expr) -> bool {
    let Expr::Name(name) = object else {
        return false;
    };
    let spot = checker.spot();
    own::method_of(checker, spot, name.id.as_str()).is_some_and(|method| {
        own::is_called_on_its_own(checker, method)
            && own::keeps_its_attributes(checker, method)
            && is_closed(checker, method.function)
    })
}

/// Whether no call of the bundle can give a method another object for `self`: an unbound call has one argument more, and
/// a method that is not called where it is named can be called with anything.
fn is_closed(checker: &Checker<'_, '_>, function: &ast::StmtFunctionDef) -> bool {
    let uses = checker.uses();
    let name = function.name.as_str();
    let is_property = |decorator: &ast::Decorator| matches!(&decorator.expression, Expr::Name(name) if name.id.as_str() == "property");
    let changes_nothing = |decorator: &ast::Decorator| {
        let named = match &decorator.expression {
            Expr::Call(call) => &*call.func,
            named => named,
        };
        let meanings = checker.names.meanings(checker.module, 0, named);
        let is_known =
            |meaning: &Meaning| matches!(meaning, Meaning::Library(path) if PLAIN_DECORATORS.contains(path));
        !meanings.is_empty() && meanings.iter().all(is_known)
    };
    if uses.handed_on_of_objects.contains(name) && !function.decorator_list.iter().any(is_property)
        || !function
            .decorator_list
            .iter()
            .all(|decorator| is_property(decorator) || changes_nothing(decorator))
    {
        return false;
    }
    let calls = uses.calls.get(name).into_iter().flatten();
    calls.into_iter().all(|(spot, call)| {
        let by_super = matches!(&*call.func, Expr::Attribute(method)
            if matches!(&*method.value, Expr::Call(base)
                if base.arguments.is_empty() && matches!(&*base.func, Expr::Name(name) if name.id.as_str() == "super")));
        if name == "__init__" {
            // `C(...)` makes a new object; another `__init__` by its name does not.
            return by_super;
        }
        let by_self = || {
            matches!(&*call.func, Expr::Attribute(method)
                if matches!(&*method.value, Expr::Name(object) if origin::is_self(checker, *spot, object.id.as_str())))
        };
        by_super || !own::may_fill(call, function) || by_self()
    })
}
