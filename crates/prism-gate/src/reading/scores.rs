//! Attention that is written out: a softmax over the product of queries and keys, in a function that knows no mask.
//!
//! Called by `prism:non-causal` for each function of the model. It goes by shapes of expressions and by names, because
//! nothing says which tensor is which.

use std::cell::Cell;

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{self as ast, Expr, ExprCall, Operator, Stmt};
use ruff_text_size::{Ranged, TextRange};
use rustc_hash::FxHashMap;

use crate::source::Source;

/// Words of functions that know a mask, or a window, or a decay that does its work.
const MASKS: &[&str] = &[
    "mask", "tril", "triu", "causal", "inf", "window", "decay", "bias", "where",
];
/// Most steps from a name to the product that it stands for.
const STEPS_MAX: usize = 4;
/// Most expressions that are looked at for one softmax.
const VISITS_MAX: usize = 64;
/// Most assignments to one name that are followed.
const ASSIGNMENTS_MAX: usize = 8;

/// The softmaxes of a function that see everything.
pub(crate) fn unmasked(function: &ast::StmtFunctionDef, source: &Source<'_>) -> Vec<TextRange> {
    let text = source.slice(function).to_ascii_lowercase();
    if !text.contains("softmax") || MASKS.iter().any(|word| text.contains(word)) {
        return Vec::new();
    }
    let mut finder = Finder::default();
    finder.visit_body(&function.body);
    finder
        .softmaxes
        .iter()
        .filter(|(_, scores)| {
            let search = Search {
                assigned: &finder.assigned,
                visits: Cell::new(0),
            };
            search.is_product(scores, 0)
        })
        .map(|(range, _)| *range)
        .collect()
}

/// What names of a function are assigned.
type Assigned<'a> = FxHashMap<&'a str, Vec<&'a Expr>>;

#[derive(Default)]
struct Finder<'a> {
    /// Softmaxes with what they are taken of.
    softmaxes: Vec<(TextRange, &'a Expr)>,
    assigned: Assigned<'a>,
}

impl<'a> Visitor<'a> for Finder<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            // Judged by itself.
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => return,
            Stmt::Assign(assign) => {
                for target in &assign.targets {
                    if let Expr::Name(name) = target {
                        let values = self.assigned.entry(name.id.as_str()).or_default();
                        if values.len() < ASSIGNMENTS_MAX {
                            values.push(&assign.value);
                        }
                    }
                }
            }
            _ => {}
        }
        visitor::walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Call(call) = expr
            && let Some(scores) = softmax(call)
        {
            self.softmaxes.push((call.range(), scores));
        }
        visitor::walk_expr(self, expr);
    }
}

/// What a softmax is taken of: `F.softmax(scores, -1)`, `scores.softmax(-1)`.
fn softmax(call: &ExprCall) -> Option<&Expr> {
    match &*call.func {
        Expr::Attribute(method) if method.attr.as_str() == "softmax" => {
            let is_a_function = matches!(&*method.value, Expr::Name(base) if matches!(base.id.as_str(), "F" | "torch" | "functional"))
                || matches!(&*method.value, Expr::Attribute(base) if base.attr.as_str() == "functional");
            if is_a_function {
                call.arguments.find_positional(0)
            } else {
                Some(&method.value)
            }
        }
        Expr::Name(name) if name.id.as_str() == "softmax" => call.arguments.find_positional(0),
        _ => None,
    }
}

/// The search for what a softmax is taken of.
struct Search<'s, 'a> {
    assigned: &'s Assigned<'a>,
    visits: Cell<usize>,
}

impl Search<'_, '_> {
    fn values<'v>(&'v self, name: &str) -> impl Iterator<Item = &'v Expr> {
        self.assigned.get(name).into_iter().flatten().copied()
    }

    fn is_over(&self, step: usize) -> bool {
        self.visits.set(self.visits.get() + 1);
        step > STEPS_MAX || self.visits.get() > VISITS_MAX
    }

    /// Whether an expression is a product of queries and keys: of two tensors, the second turned over.
    fn is_product(&self, expr: &Expr, step: usize) -> bool {
        if self.is_over(step) {
            return false;
        }
        let product = |expr: &Expr| self.is_product(expr, step + 1);
        match expr {
            Expr::BinOp(both) if both.op == Operator::MatMult => self.is_turned(&both.right, step),
            Expr::BinOp(both) => product(&both.left) || product(&both.right),
            Expr::Name(name) => self.values(name.id.as_str()).any(product),
            Expr::Call(call) => match &*call.func {
                Expr::Attribute(method) => match method.attr.as_str() {
                    "matmul" | "bmm" => call
                        .arguments
                        .args
                        .last()
                        .is_some_and(|keys| self.is_turned(keys, step)),
                    "einsum" => matches!(call.arguments.find_positional(0), Some(Expr::StringLiteral(text))
                    if is_scores(text.value.to_str())),
                    // `scores.mul(scale)`, `scores.float()`.
                    "mul" | "div" | "float" | "mul_" | "div_" | "to" | "type_as" => product(&method.value),
                    _ => false,
                },
                _ => false,
            },
            _ => false,
        }
    }

    /// `k.transpose(-2, -1)`, `k.mT`. What belongs to the model, such as `self.keys`, is no sequence.
    fn is_turned(&self, expr: &Expr, step: usize) -> bool {
        if self.is_over(step) {
            return false;
        }
        match expr {
            Expr::Attribute(attribute) if attribute.attr.as_str() == "mT" => !is_of_self(&attribute.value),
            Expr::Call(call) => matches!(&*call.func, Expr::Attribute(method)
            if matches!(method.attr.as_str(), "transpose" | "swapaxes" | "permute" | "swapdims") && !is_of_self(&method.value)),
            Expr::Name(name) => self
                .values(name.id.as_str())
                .any(|value| !value.is_name_expr() && self.is_turned(value, step + 1)),
            _ => false,
        }
    }
}

fn is_of_self(expr: &Expr) -> bool {
    match expr {
        Expr::Name(name) => name.id.as_str() == "self",
        Expr::Attribute(attribute) => is_of_self(&attribute.value),
        _ => false,
    }
}

/// `bqd,bkd->bqk`: the features go, a position of each side stays, and something is common to both.
fn is_scores(equation: &str) -> bool {
    let equation: String = equation
        .chars()
        .filter(|character| !character.is_whitespace())
        .collect();
    let Some((inputs, output)) = equation.split_once("->") else {
        return false;
    };
    let Some((queries, keys)) = inputs.split_once(',') else {
        return false;
    };
    let goes = queries
        .chars()
        .any(|letter| keys.contains(letter) && !output.contains(letter));
    let stays = |of: &str, other: &str| {
        of.chars()
            .any(|letter| !other.contains(letter) && output.contains(letter))
    };
    let common = queries
        .chars()
        .any(|letter| keys.contains(letter) && output.contains(letter));
    goes && common && stays(queries, keys) && stays(keys, queries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equations_of_scores_are_told_from_others() {
        for scores in [
            "bqd,bkd->bqk",
            "bhid, bhjd -> bhij",
            "b i h d, b j h d -> b h i j",
        ] {
            assert!(is_scores(scores), "{scores}");
        }
        for other in ["btd,ed->bte", "bd,bd->b", "bid,bjd", "td,de->te"] {
            assert!(!is_scores(other), "{other}");
        }
    }
}
