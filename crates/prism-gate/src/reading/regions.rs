//! Calls and dimensions as `prism:non-causal` looks at them: what is given, what lies beside it, what a number says.
//!
//! Called by that rule alone; it decides nothing and knows no library.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{self as ast, Expr, ExprCall, Stmt};
use ruff_text_size::{Ranged, TextRange};

/// Functions, classes and calls of a module.
#[derive(Default)]
pub(crate) struct Regions<'a> {
    pub(crate) functions: Vec<&'a ast::StmtFunctionDef>,
    classes: Vec<TextRange>,
    pub(crate) calls: Vec<&'a ExprCall>,
    /// Subscripts with an end: `x[..., :length]`.
    pub(crate) crops: Vec<TextRange>,
    /// Calls that pad or cut a tensor.
    pub(crate) pads: Vec<TextRange>,
}

impl Regions<'_> {
    /// The class, or else the function, around a place.
    fn around(&self, at: TextRange) -> Option<TextRange> {
        let around = |range: &TextRange| range.contains_range(at);
        let function = || self.functions.iter().map(|function| function.range).rfind(around);
        self.classes.iter().copied().rfind(around).or_else(function)
    }

    /// Whether one of these places lies in the same class, or else in the same function.
    pub(crate) fn has_beside(&self, at: TextRange, places: &[TextRange]) -> bool {
        match self.around(at) {
            Some(around) => places.iter().any(|place| around.contains_range(*place)),
            None => !places.is_empty(),
        }
    }
}

impl<'a> Visitor<'a> for Regions<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => self.functions.push(function),
            Stmt::ClassDef(class) => self.classes.push(class.range),
            _ => {}
        }
        visitor::walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Call(call) => {
                self.calls.push(call);
                if matches!(&*call.func, Expr::Attribute(function) if matches!(function.attr.as_str(), "pad" | "narrow"))
                    || matches!(&*call.func, Expr::Name(name) if name.id.as_str() == "pad")
                {
                    self.pads.push(call.range());
                }
            }
            Expr::Subscript(subscript) => {
                let parts = match &*subscript.slice {
                    Expr::Tuple(tuple) => &tuple.elts[..],
                    single => std::slice::from_ref(single),
                };
                if parts
                    .iter()
                    .any(|part| matches!(part, Expr::Slice(slice) if slice.upper.is_some()))
                {
                    self.crops.push(subscript.range);
                }
            }
            _ => {}
        }
        visitor::walk_expr(self, expr);
    }
}

/// Whether some arguments are not spelled out.
pub(crate) fn has_unpacking(call: &ExprCall) -> bool {
    call.arguments
        .keywords
        .iter()
        .any(|keyword| keyword.arg.is_none())
        || call.arguments.args.iter().any(Expr::is_starred_expr)
}

/// Whether an argument is given, and is not spelled out as nothing.
pub(crate) fn gives(call: &ExprCall, name: &str, place: usize) -> bool {
    call.arguments
        .find_argument_value(name, place)
        .is_some_and(|value| {
            !matches!(value, Expr::NoneLiteral(_))
                && !matches!(value, Expr::BooleanLiteral(literal) if !literal.value)
        })
}

/// The same of an argument that has no place.
pub(crate) fn gives_keyword(call: &ExprCall, name: &str) -> bool {
    gives(call, name, usize::MAX)
}

/// Whether dimensions that are spelled out hold the time: 1, or the last but one.
pub(crate) fn is_along_time(dims: Option<&Expr>) -> bool {
    match dims {
        Some(Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. })) => {
            elts.iter().any(|dim| is_dimension(Some(dim), &[1, -2]))
        }
        single => is_dimension(single, &[1, -2]),
    }
}

/// Whether an expression is one of these whole numbers.
pub(crate) fn is_dimension(dim: Option<&Expr>, wanted: &[i64]) -> bool {
    let (sign, dim) = match dim {
        Some(Expr::UnaryOp(minus)) if minus.op == ast::UnaryOp::USub => (-1, Some(&*minus.operand)),
        other => (1, other),
    };
    match dim {
        Some(Expr::NumberLiteral(ast::ExprNumberLiteral {
            value: ast::Number::Int(number),
            ..
        })) => number
            .as_i64()
            .is_some_and(|number| wanted.contains(&(sign * number))),
        _ => false,
    }
}

/// Padding that takes away at the start and adds at the end.
pub(crate) fn shifts_left(padding: &Expr) -> bool {
    let sides = match padding {
        Expr::Tuple(tuple) => &tuple.elts,
        Expr::List(list) => &list.elts,
        _ => return false,
    };
    let is_negative = |side: &Expr| matches!(side, Expr::UnaryOp(sign) if sign.op == ast::UnaryOp::USub);
    sides.chunks_exact(2).any(|sides| {
        is_negative(&sides[0]) && !is_negative(&sides[1]) && !is_dimension(Some(&sides[1]), &[0])
    })
}
