//! What an expression is worth where that can be read off: sums of strings and of names that stand for strings.
//!
//! Used by rules that look into text. It follows a name only if it has a single binding, goes a few steps and gives up
//! on anything long, so its work is bounded.

use ruff_python_ast::{self as ast, Expr, ExprContext, Operator};

use crate::check::Checker;
use crate::semantic::BindingKind;

/// Most steps into names and sums.
const STEPS_MAX: usize = 64;
/// Longest text that is put together, in bytes.
const TEXT_BYTES_MAX: usize = 4 * 1024;

/// The text that an expression is, if it can be read off.
pub(crate) fn text(checker: &Checker<'_, '_>, expr: &Expr) -> Option<String> {
    let mut text = String::new();
    let mut steps = STEPS_MAX;
    append(checker, expr, &mut text, &mut steps)?;
    Some(text)
}

fn append(checker: &Checker<'_, '_>, expr: &Expr, text: &mut String, steps: &mut usize) -> Option<()> {
    *steps = steps.checked_sub(1)?;
    match expr {
        Expr::StringLiteral(literal) => {
            text.push_str(literal.value.to_str());
            (text.len() <= TEXT_BYTES_MAX).then_some(())
        }
        Expr::BinOp(sum) if sum.op == Operator::Add => {
            append(checker, &sum.left, text, steps)?;
            append(checker, &sum.right, text, steps)
        }
        Expr::BinOp(times) if times.op == Operator::Mult => {
            let ((repeated, Expr::NumberLiteral(number)) | (Expr::NumberLiteral(number), repeated)) =
                (&*times.left, &*times.right)
            else {
                return None;
            };
            let ast::Number::Int(number) = &number.value else {
                return None;
            };
            let mut once = String::new();
            append(checker, repeated, &mut once, steps)?;
            let times = usize::try_from(number.as_u64()?).ok()?;
            let bytes = once.len().checked_mul(times)?.checked_add(text.len())?;
            if bytes > TEXT_BYTES_MAX {
                return None;
            }
            text.push_str(&once.repeat(times));
            Some(())
        }
        Expr::Name(name) if matches!(name.ctx, ExprContext::Load) => {
            let bindings = checker
                .names
                .bindings(checker.module, checker.scope(), name.id.as_str());
            let [only] = bindings else {
                return None;
            };
            let BindingKind::Value(value) = checker.names.modules[checker.module].bindings[*only].kind else {
                return None;
            };
            if !matches!(value, Expr::StringLiteral(_) | Expr::BinOp(_) | Expr::Name(_)) {
                return None;
            }
            // Another file, or a `setattr`, may replace what a module binds.
            let scope = checker.scope();
            let name = name.id.as_str();
            if !checker.names.is_of_a_function(checker.module, scope, name)
                && checker.uses().stored.contains_key(name)
            {
                return None;
            }
            append(checker, value, text, steps)
        }
        _ => None,
    }
}
