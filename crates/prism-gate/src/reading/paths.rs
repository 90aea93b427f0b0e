//! Paths that are spelled out under `ctx.artifacts_dir`: what `torch.save` and `torch.load` may be given.
//!
//! Used by the rules about files and deserialisation. A path counts only if a reader can see where it leads: it begins
//! with `ctx.artifacts_dir` and goes on with literal text without `..`, or with numbers.

use ruff_python_ast::{Expr, ExprContext, InterpolatedStringElement, InterpolatedStringFormatSpec, Operator};

use crate::check::Checker;
use crate::knowledge::attributes;
use crate::reading::{classes, own};
use crate::semantic::uses::Spot;
use crate::semantic::{BindingKind, CTX, Meaning, Meant as _, ScopeId};

const ARTIFACTS_DIR: &str = "<ctx>.artifacts_dir";

/// Most steps into names and sums: names that are bound many times to one another must not multiply the work.
const STEPS_MAX: usize = 256;

/// Whether an expression is such a path.
pub(crate) fn is_under_artifacts(checker: &Checker<'_, '_>, expr: &Expr) -> bool {
    let mut steps = STEPS_MAX;
    below(checker, checker.scope(), expr, &mut steps)
        .is_some_and(|path| is_harmless(&path) && (path.is_empty() || path.starts_with('/')))
}

/// What a path says after `ctx.artifacts_dir`, with 0 for each number, if it can be read off.
fn below(checker: &Checker<'_, '_>, scope: ScopeId, expr: &Expr, steps: &mut usize) -> Option<String> {
    *steps = steps.checked_sub(1)?;
    if is_the_directory(checker, scope, expr, steps) {
        return Some(String::new());
    }
    match expr {
        Expr::FString(text) => {
            let mut elements = text.value.elements();
            let Some(InterpolatedStringElement::Interpolation(first)) = elements.next() else {
                return None;
            };
            let begins = first.conversion.is_none()
                && first.format_spec.is_none()
                && is_the_directory(checker, scope, &first.expression, steps);
            if !begins || text.value.literals().next().is_some() {
                return None;
            }
            let spot = Spot {
                module: checker.module,
                scope,
            };
            let mut path = String::new();
            for element in elements {
                match element {
                    InterpolatedStringElement::Literal(literal) => path.push_str(&literal.value),
                    // A number in the name of a file.
                    InterpolatedStringElement::Interpolation(number) => {
                        let is_plain = number.conversion.is_none()
                            && number.format_spec.as_ref().is_none_or(|spec| is_a_width(spec));
                        if path.is_empty()
                            || !is_plain
                            || !is_a_number(checker, spot, &number.expression, steps)
                        {
                            return None;
                        }
                        path.push('0');
                    }
                }
            }
            Some(path)
        }
        Expr::BinOp(sum) if sum.op == Operator::Add => {
            let Expr::StringLiteral(right) = &*sum.right else {
                return None;
            };
            Some(below(checker, scope, &sum.left, steps)? + right.value.to_str())
        }
        Expr::Name(name)
            if matches!(name.ctx, ExprContext::Load)
                && checker
                    .names
                    .is_of_a_function(checker.module, scope, name.id.as_str()) =>
        {
            let bindings = checker.names.bindings(checker.module, scope, name.id.as_str());
            let module = &checker.names.modules[checker.module];
            let mut path: Option<String> = None;
            for &number in bindings {
                let BindingKind::Value(value) = module.bindings[number].kind else {
                    return None;
                };
                let found = below(checker, module.bindings[number].scope, value, steps)?;
                // With several values the worst is not known, so none may begin what another text could end.
                if !is_harmless(&found) || bindings.len() > 1 && found.ends_with('.') {
                    return None;
                }
                path = Some(found);
            }
            path
        }
        _ => None,
    }
}

/// Whether an expression can be nothing but `ctx.artifacts_dir`: so says every binding of the name that it begins with.
fn is_the_directory(checker: &Checker<'_, '_>, scope: ScopeId, expr: &Expr, steps: &mut usize) -> bool {
    let spot = Spot {
        module: checker.module,
        scope,
    };
    is_known_to_be(checker, spot, expr, &|path| path == ARTIFACTS_DIR, steps)
}

/// Whether an expression can be nothing but the harness's `ctx`.
pub(crate) fn is_ctx(checker: &Checker<'_, '_>, expr: &Expr) -> bool {
    let spot = checker.spot();
    is_known_to_be(checker, spot, expr, &|path| path == CTX, &mut STEPS_MAX.clone())
}

/// Whether all that an expression may stand for is as said, and so say the bindings of the name that it begins with, where
/// something may be besides.
fn is_known_to_be(
    checker: &Checker<'_, '_>,
    spot: Spot,
    expr: &Expr,
    is: &dyn Fn(&str) -> bool,
    steps: &mut usize,
) -> bool {
    if is_kept(checker, spot, expr, is, steps) {
        return true;
    }
    let meanings = checker.names.meanings(spot.module, spot.scope, expr);
    let mut known = meanings
        .iter()
        .filter(|meaning| **meaning != Meaning::Unknown)
        .peekable();
    known.peek().is_some()
        && known.all(|meaning| matches!(meaning, Meaning::Library(path) if is(path)))
        && has_only_known_values(checker, spot, expr, steps)
}

/// `self.ctx`, and what comes of it: an attribute of an own object under a name that no library has, to which the bundle
/// gives nothing else.
fn is_kept(
    checker: &Checker<'_, '_>,
    spot: Spot,
    expr: &Expr,
    is: &dyn Fn(&str) -> bool,
    steps: &mut usize,
) -> bool {
    let (Expr::Attribute(attribute), Some(left)) = (expr, steps.checked_sub(1)) else {
        return false;
    };
    *steps = left;
    let name = attribute.attr.as_str();
    match &*attribute.value {
        Expr::Name(object) if own::is_told_its_names(checker, spot, object.id.as_str()) => {
            let uses = checker.uses();
            let is_chosen = ["__getattr__", "__setattr__"]
                .iter()
                .any(|hook| checker.names.gives(hook));
            let is_plain = !attributes::is_public(name) && !attributes::is_inner(name);
            is_plain
                && !is_chosen
                && !uses.takes_dicts
                && !uses.in_classes.contains_key(name)
                && uses.stored.get(name).is_some_and(|stored| {
                    stored.iter().all(|(place, value)| {
                        value.is_some_and(|value| is_known_to_be(checker, *place, value, is, steps))
                    })
                })
        }
        kept @ Expr::Attribute(_) => {
            is_known_to_be(checker, spot, kept, &|path| is(&format!("{path}.{name}")), steps)
        }
        _ => false,
    }
}

fn has_only_known_values(checker: &Checker<'_, '_>, spot: Spot, expr: &Expr, steps: &mut usize) -> bool {
    let mut root = expr;
    while let Expr::Attribute(attribute) = root {
        root = &attribute.value;
    }
    let Expr::Name(name) = root else {
        return false;
    };
    let names = checker.names;
    let bindings = names.bindings(spot.module, spot.scope, name.id.as_str());
    let module = &names.modules[spot.module];
    names.is_of_a_function(spot.module, spot.scope, name.id.as_str())
        && bindings.iter().all(|&number| {
            let Some(left) = steps.checked_sub(1) else {
                return false;
            };
            *steps = left;
            match module.bindings[number].kind {
                // That of `train` itself can be nothing else, or a rule refuses what gives it another.
                BindingKind::Parameter(..) => {
                    let meanings = names.meanings(spot.module, spot.scope, root);
                    matches!(&*meanings, [Meaning::Library(path)] if &**path == CTX)
                        || is_given_ctx(checker, spot, name.id.as_str(), steps)
                }
                BindingKind::Import(_) => true,
                BindingKind::Value(value) => {
                    let within = spot.at(module.bindings[number].scope);
                    // A name that is bound to itself says nothing new.
                    matches!(value, Expr::Name(other) if other.id == name.id)
                        || !names.meanings(within.module, within.scope, value).is_empty()
                            && has_only_known_values(checker, within, value, steps)
                }
                _ => false,
            }
        })
}

/// Whether every call of the bundle gives a parameter the harness's `ctx`, or what comes of it. The harness itself gives
/// nothing else.
fn is_given_ctx(checker: &Checker<'_, '_>, spot: Spot, name: &str, steps: &mut usize) -> bool {
    own::given(checker, spot, name).is_some_and(|given| {
        given.into_iter().all(|(spot, value)| {
            let Some(left) = steps.checked_sub(1) else {
                return false;
            };
            *steps = left;
            is_known_to_be(checker, spot, value, &|path| path.starts_with(CTX), steps)
        })
    })
}

/// `04d`: how wide a number is written.
fn is_a_width(spec: &InterpolatedStringFormatSpec) -> bool {
    spec.elements.iter().all(|element| match element {
        InterpolatedStringElement::Literal(literal) => literal
            .value
            .chars()
            .all(|letter| letter.is_ascii_digit() || letter == 'd'),
        InterpolatedStringElement::Interpolation(_) => false,
    })
}

/// Functions whose results are whole numbers.
const NUMBERS: &[&str] = &["builtins.int", "builtins.len"];

/// Whether an expression can be nothing but a whole number: a literal, the variable of a loop over `range` or `enumerate`,
/// arithmetic with such, or a parameter that is given nothing else.
fn is_a_number(checker: &Checker<'_, '_>, spot: Spot, expr: &Expr, steps: &mut usize) -> bool {
    let Some(left) = steps.checked_sub(1) else {
        return false;
    };
    *steps = left;
    let names = checker.names;
    let is_one_of = |callee: &Expr, paths: &[&str]| {
        let meanings = names.meanings(spot.module, spot.scope, callee);
        meanings.all_paths(|path| paths.contains(&path))
    };
    match expr {
        Expr::NumberLiteral(number) => number.value.is_int(),
        Expr::BinOp(both) => {
            is_a_number(checker, spot, &both.left, steps) && is_a_number(checker, spot, &both.right, steps)
        }
        Expr::Call(call) => is_one_of(&call.func, NUMBERS),
        Expr::Attribute(attribute) => {
            matches!(
                attribute.attr.as_str(),
                "rank" | "local_rank" | "seed" | "world_size"
            ) && is_known_to_be(checker, spot, &attribute.value, &|path| path == CTX, steps)
        }
        Expr::Name(name) => {
            let name = name.id.as_str();
            let bindings = names.bindings(spot.module, spot.scope, name);
            let module = &names.modules[spot.module];
            !bindings.is_empty()
                && names.is_of_a_function(spot.module, spot.scope, name)
                && bindings.iter().all(|&number| {
                    let place = spot.at(module.bindings[number].scope);
                    match &module.bindings[number].kind {
                        BindingKind::Value(value) => is_a_number(checker, place, value, steps),
                        // They count on from what they are given.
                        BindingKind::Counter(callee) => {
                            is_one_of(callee, &["builtins.enumerate", "builtins.range"])
                                && !classes::may_be_a_number(checker)
                        }
                        BindingKind::Parameter(..) => {
                            own::given(checker, spot, name).is_some_and(|given| {
                                // Of a function that nobody calls nothing is known.
                                !given.is_empty()
                                    && given
                                        .into_iter()
                                        .all(|(place, value)| is_a_number(checker, place, value, steps))
                            })
                        }
                        _ => false,
                    }
                })
        }
        _ => false,
    }
}

fn is_harmless(text: &str) -> bool {
    !text.contains("..") && !text.contains('\\') && !text.contains('\0')
}
