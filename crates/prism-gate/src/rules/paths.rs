//! Paths that are spelled out under `ctx.artifacts_dir`: what `torch.save` and `torch.load` may be given.
//!
//! Used by the rules about files and deserialisation. A path counts only if a reader can see where it leads: it begins
//! with `ctx.artifacts_dir` and goes on with literal text without `..`, or with numbers.

use ruff_python_ast::{Expr, ExprContext, InterpolatedStringElement, Operator};

use crate::check::Checker;
use crate::semantic::{BindingKind, Meaning, ScopeId};

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
            let mut path = String::new();
            for element in elements {
                match element {
                    InterpolatedStringElement::Literal(literal) => path.push_str(&literal.value),
                    // A number in the name of a file.
                    InterpolatedStringElement::Interpolation(number) => {
                        if path.is_empty() || !is_a_number(checker, &number.expression) {
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
        Expr::Name(name) if matches!(name.ctx, ExprContext::Load) => {
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
    let meanings = checker.names.meanings(checker.module, scope, expr);
    !meanings.is_empty()
        && meanings
            .iter()
            .all(|meaning| matches!(meaning, Meaning::Library(path) if &**path == ARTIFACTS_DIR))
        && has_only_known_values(checker, scope, expr, steps)
}

fn has_only_known_values(checker: &Checker<'_, '_>, scope: ScopeId, expr: &Expr, steps: &mut usize) -> bool {
    let mut root = expr;
    while let Expr::Attribute(attribute) = root {
        root = &attribute.value;
    }
    let Expr::Name(name) = root else {
        return false;
    };
    let bindings = checker.names.bindings(checker.module, scope, name.id.as_str());
    let module = &checker.names.modules[checker.module];
    !bindings.is_empty()
        && bindings.iter().all(|&number| {
            let Some(left) = steps.checked_sub(1) else {
                return false;
            };
            *steps = left;
            match module.bindings[number].kind {
                BindingKind::Parameter(..) | BindingKind::Import(_) => true,
                BindingKind::Value(value) => {
                    let within = module.bindings[number].scope;
                    // A name that is bound to itself says nothing new.
                    matches!(value, Expr::Name(other) if other.id == name.id)
                        || !checker.names.meanings(checker.module, within, value).is_empty()
                            && has_only_known_values(checker, within, value, steps)
                }
                _ => false,
            }
        })
}

/// Whether a name is only ever bound by a loop over `range` or `enumerate`, or to a whole number.
fn is_a_number(checker: &Checker<'_, '_>, expr: &Expr) -> bool {
    let Expr::Name(name) = expr else {
        return false;
    };
    let bindings = checker
        .names
        .bindings(checker.module, checker.scope(), name.id.as_str());
    let module = &checker.names.modules[checker.module];
    !bindings.is_empty()
        && bindings.iter().all(|&number| {
            matches!(
                &module.bindings[number].kind,
                BindingKind::Value(Expr::NumberLiteral(_))
            )
        })
}

fn is_harmless(text: &str) -> bool {
    !text.contains("..") && !text.contains('\\') && !text.contains('\0')
}
