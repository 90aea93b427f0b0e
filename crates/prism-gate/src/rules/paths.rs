//! Paths that are spelled out under `ctx.artifacts_dir`: what `torch.save` and `torch.load` may be given.
//!
//! Used by the rules about files and deserialisation. A path counts only if a reader can see where it leads: it begins
//! with `ctx.artifacts_dir` and goes on with literal text without `..`, or with numbers.

use ruff_python_ast::{Expr, ExprContext, InterpolatedStringElement, Operator};

use crate::check::Checker;
use crate::semantic::{BindingKind, Meaning};

const ARTIFACTS_DIR: &str = "<ctx>.artifacts_dir";

/// Whether an expression is such a path.
pub(crate) fn is_under_artifacts(checker: &Checker<'_, '_>, expr: &Expr) -> bool {
    is_under(checker, expr, 0)
}

fn is_under(checker: &Checker<'_, '_>, expr: &Expr, depth: usize) -> bool {
    match expr {
        Expr::FString(text) => {
            let mut elements = text.value.elements();
            let begins = matches!(elements.next(), Some(InterpolatedStringElement::Interpolation(first))
                if first.conversion.is_none() && first.format_spec.is_none() && is_the_directory(checker, &first.expression));
            let mut is_first = true;
            begins
                && text.value.literals().next().is_none()
                && elements.all(|element| {
                    let first = std::mem::take(&mut is_first);
                    match element {
                        InterpolatedStringElement::Literal(literal) => {
                            is_harmless(&literal.value) && (!first || literal.value.starts_with('/'))
                        }
                        // A number in the name of a file.
                        InterpolatedStringElement::Interpolation(number) => {
                            !first
                                && matches!(&*number.expression, Expr::Name(_))
                                && is_a_number(checker, &number.expression)
                        }
                    }
                })
        }
        Expr::BinOp(sum) if sum.op == Operator::Add => {
            let right = match &*sum.right {
                Expr::StringLiteral(literal) => literal.value.to_str(),
                _ => return false,
            };
            is_harmless(right)
                && ((is_the_directory(checker, &sum.left) && right.starts_with('/'))
                    || is_under(checker, &sum.left, depth + 1))
        }
        Expr::Name(name) if depth < 8 && matches!(name.ctx, ExprContext::Load) => {
            let bindings = checker
                .names
                .bindings(checker.module, checker.scope(), name.id.as_str());
            let module = &checker.names.modules[checker.module];
            !bindings.is_empty()
                && bindings.iter().all(|&number| {
                    matches!(&module.bindings[number].kind, BindingKind::Value(value) if is_under(checker, value, depth + 1))
                })
        }
        _ => false,
    }
}

fn is_the_directory(checker: &Checker<'_, '_>, expr: &Expr) -> bool {
    let meanings = checker.meanings(expr);
    !meanings.is_empty()
        && meanings
            .iter()
            .all(|meaning| matches!(meaning, Meaning::Library(path) if &**path == ARTIFACTS_DIR))
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
