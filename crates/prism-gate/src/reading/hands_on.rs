//! Whether a decorator does nothing with a function but call it, with what the wrapper is given.
//!
//! [`crate::rules::no_harness_access`] asks it of what stands before `build_model` and `train`.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Expr, StmtFunctionDef};

use crate::semantic::reads::first_parameter;

struct Reader<'a> {
    function: &'a str,
    is_kept: bool,
}

/// Whether every mention of the decorated function is a call with names alone, or an argument of `wraps`.
pub(crate) fn only_calls(decorator: &StmtFunctionDef) -> bool {
    let Some(function) = first_parameter(decorator) else {
        return false;
    };
    let mut reader = Reader {
        function,
        is_kept: false,
    };
    reader.visit_body(&decorator.body);
    !reader.is_kept
}

fn is_a_name(expr: &Expr) -> bool {
    match expr {
        Expr::Starred(all) => all.value.is_name_expr(),
        expr => expr.is_name_expr(),
    }
}

impl<'a> Visitor<'a> for Reader<'a> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        let is_it = |expr: &Expr| matches!(expr, Expr::Name(name) if name.id.as_str() == self.function);
        match expr {
            Expr::Call(call) if is_it(&call.func) => {
                let arguments = &call.arguments;
                let keywords = arguments.keywords.iter().map(|keyword| &keyword.value);
                self.is_kept |= !arguments
                    .args
                    .iter()
                    .chain(keywords)
                    .all(|value| is_a_name(value) && !is_it(value));
            }
            Expr::Call(call)
                if matches!(&*call.arguments.args, [only] if is_it(only))
                    && matches!(&*call.func, Expr::Name(name) if name.id.as_str() == "wraps")
                    || matches!(&*call.func, Expr::Attribute(method) if method.attr.as_str() == "wraps") => {}
            Expr::Name(_) if is_it(expr) => self.is_kept = true,
            _ => visitor::walk_expr(self, expr),
        }
    }
}
