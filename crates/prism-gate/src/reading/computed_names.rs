//! Attributes by computed names, where it can be seen that they lead nowhere else.
//!
//! [`crate::rules::no_dynamic_attr`] calls it. A computed name is harmless if all texts that it can be are known; if it begins or
//! ends with a literal that no name that leads out begins or ends with; or if it is used on `self` of a plain class, in a
//! method that nobody can call with another object in the place of `self`.

use ruff_python_ast::{self as ast, Expr, InterpolatedStringElement, Operator};

use crate::check::Checker;
use crate::knowledge::{attributes, libraries};
use crate::reading::{classes, own};
use crate::semantic::{BindingKind, Meaning};

/// Shortest literal at either end of a name that says enough.
const AFFIX_CHARS_MIN: usize = 3;

/// How types and functions of torch begin that lead nowhere.
const OF_TORCH: &[&str] = &["_foreach_", "bfloat", "complex", "float", "int", "uint"];

fn says_enough(affix: &&str) -> bool {
    affix.len() >= AFFIX_CHARS_MIN && !affix.starts_with("__") && !affix.ends_with("__")
}

/// Whether a literal at the beginning or at the end keeps a name from leading out.
pub(crate) fn has_harmless_affix(checker: &Checker<'_, '_>, object: &Expr, name: &Expr) -> bool {
    let (prefix, suffix) = affixes(checker, name);
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
    prefix
        .filter(says_enough)
        .is_some_and(|prefix| !attributes::any_leads_out(|name| name.starts_with(prefix)))
        || suffix
            .filter(says_enough)
            .is_some_and(|suffix| !attributes::any_leads_out(|name| name.ends_with(suffix)))
}

/// Whether a literal at the beginning or at the end keeps a name from being one that any object of a library has, so that
/// nothing of theirs is replaced (`setattr(self, f"{kind}_inv_freq", x)`).
pub(crate) fn has_an_own_affix(checker: &Checker<'_, '_>, object: &Expr, name: &Expr) -> bool {
    let is_of_a_library = |meaning: &Meaning| matches!(meaning, Meaning::Library(_) | Meaning::Module(_));
    let (prefix, suffix) = affixes(checker, name);
    !checker.meanings(object).iter().any(is_of_a_library)
        && (prefix
            .filter(says_enough)
            .is_some_and(|prefix| !attributes::any_known(|name| name.starts_with(prefix)))
            || suffix
                .filter(says_enough)
                .is_some_and(|suffix| !attributes::any_known(|name| name.ends_with(suffix))))
}

/// The literal that a text begins with, and the one that it ends with.
fn affixes<'e>(checker: &Checker<'_, '_>, name: &'e Expr) -> (Option<&'e str>, Option<&'e str>) {
    match name {
        Expr::FString(text) => {
            let first = text.value.elements().next().and_then(as_literal);
            (first, text.value.elements().last().and_then(as_literal))
        }
        // `"weight_" + own` is what `own.__radd__` says.
        Expr::BinOp(sum)
            if sum.op == Operator::Add
                && !checker.names.gives("__add__")
                && !checker.names.gives("__radd__")
                && !classes::may_be_text(checker) =>
        {
            let (prefix, _) = affixes(checker, &sum.left);
            let (_, suffix) = affixes(checker, &sum.right);
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
    // Bound again, it is another object than the one whose fields these are.
    if only_binding(checker, object.id.as_str()).is_none() {
        return false;
    }
    let Some(BindingKind::Element(call)) = only_binding(checker, field.id.as_str()) else {
        return false;
    };
    name.attr.as_str() == "name"
        && call.arguments.keywords.is_empty()
        && matches!(&*call.arguments.args, [Expr::Name(of)] if of.id == object.id)
        && matches!(&*checker.meanings(&call.func), [Meaning::Library(path)] if &**path == "dataclasses.fields")
}

/// Whether an object is `self` of a plain class.
pub(crate) fn is_a_closed_self(checker: &Checker<'_, '_>, object: &Expr) -> bool {
    matches!(object, Expr::Name(name) if own::is_self_at_first(checker, checker.spot(), name.id.as_str()))
}
