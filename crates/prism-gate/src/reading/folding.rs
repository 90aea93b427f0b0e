//! What an expression comes to, where its file says it: numbers, text, lists and dictionaries, through names and arithmetic.
//!
//! Called by the rule that bounds numbers. It follows the bindings of a name and so answers with all values that it finds,
//! up to a bound; what depends on the run, or stands in another file, has none. It computes only what is small.

use std::cell::Cell;

use ruff_python_ast::{self as ast, Expr, InterpolatedStringElement, Number, Operator, UnaryOp};

use crate::check::Checker;
use crate::semantic::{BindingKind, ScopeId};

/// A value that the source spells out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Constant {
    Number(i64),
    Text(String),
    List(Vec<Constant>),
    Dict(Vec<(Constant, Constant)>),
}

/// Most steps from a name to its value.
const STEPS_MAX: usize = 12;
/// Most values that are followed for one expression.
const VALUES_MAX: usize = 16;
/// Most elements of a list that are made; longer ones are cut, which no bound on numbers notices.
const ELEMENTS_MAX: usize = 64;
/// Most expressions that are looked at for one answer.
const VISITS_MAX: usize = 256;
/// Longest text that is made, in bytes.
const TEXT_BYTES_MAX: usize = 4_096;

impl Constant {
    pub(crate) fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// All numbers in it, at any depth.
    pub(crate) fn numbers(&self) -> Vec<i64> {
        match self {
            Self::Number(number) => vec![*number],
            Self::List(elements) => elements.iter().flat_map(Self::numbers).collect(),
            Self::Text(_) | Self::Dict(_) => Vec::new(),
        }
    }
}

/// The values that an expression may have in the place that is being walked.
pub(crate) fn values(checker: &Checker<'_, '_>, expr: &Expr) -> Vec<Constant> {
    let visits = Cell::new(0);
    let place = Place {
        checker,
        visits: &visits,
    };
    place.values(checker.scope(), expr, 0)
}

/// The largest number that an expression may be.
pub(crate) fn largest(checker: &Checker<'_, '_>, expr: &Expr) -> Option<i64> {
    values(checker, expr).iter().filter_map(Constant::number).max()
}

#[derive(Clone, Copy)]
struct Place<'p, 'c, 'a> {
    checker: &'p Checker<'c, 'a>,
    visits: &'p Cell<usize>,
}

impl Place<'_, '_, '_> {
    fn values(self, scope: ScopeId, expr: &Expr, step: usize) -> Vec<Constant> {
        self.visits.set(self.visits.get() + 1);
        if step > STEPS_MAX || self.visits.get() > VISITS_MAX {
            return Vec::new();
        }
        let values = |expr: &Expr| self.values(scope, expr, step + 1);
        let mut found = match expr {
            Expr::NumberLiteral(literal) => match &literal.value {
                Number::Int(number) => number.as_i64().map(Constant::Number).into_iter().collect(),
                _ => Vec::new(),
            },
            Expr::StringLiteral(literal) if literal.value.len() <= TEXT_BYTES_MAX => {
                vec![Constant::Text(literal.value.to_str().to_owned())]
            }
            Expr::FString(text) => format(text, values).map(Constant::Text).into_iter().collect(),
            Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
                // Elements without a value count as text of no letters: their number is known all the same.
                let unknown = || Constant::Text(String::new());
                let elements = elts.iter().take(ELEMENTS_MAX);
                let elements = elements.map(|element| values(element).pop().unwrap_or_else(unknown));
                vec![Constant::List(elements.collect())]
            }
            Expr::Dict(dict) => {
                let items =
                    dict.items.iter().take(ELEMENTS_MAX).filter_map(|item| {
                        Some((values(item.key.as_ref()?).pop()?, values(&item.value).pop()?))
                    });
                vec![Constant::Dict(items.collect())]
            }
            Expr::UnaryOp(sign) if sign.op == UnaryOp::USub => values(&sign.operand)
                .iter()
                .filter_map(|value| value.number()?.checked_neg().map(Constant::Number))
                .collect(),
            Expr::BinOp(both) => {
                let (left, right) = (values(&both.left), values(&both.right));
                left.iter()
                    .filter_map(Constant::number)
                    .flat_map(|left| {
                        let right = right.iter().filter_map(Constant::number);
                        right.filter_map(move |right| combine(left, both.op, right))
                    })
                    .map(Constant::Number)
                    .collect()
            }
            Expr::If(either) => [values(&either.body), values(&either.orelse)].concat(),
            Expr::Call(call) => made(call, values),
            Expr::Name(name) => {
                let module = self.checker.module;
                let bindings = self.checker.names.bindings(module, scope, name.id.as_str());
                let all = &self.checker.names.modules[module].bindings;
                bindings
                    .iter()
                    .take(VALUES_MAX)
                    .flat_map(|&number| match all[number].kind {
                        BindingKind::Value(value) => self.values(all[number].scope, value, step + 1),
                        _ => Vec::new(),
                    })
                    .collect()
            }
            _ => Vec::new(),
        };
        found.truncate(VALUES_MAX);
        found
    }
}

fn format(text: &ast::ExprFString, values: impl Fn(&Expr) -> Vec<Constant>) -> Option<String> {
    // What stands beside an f-string is of no number.
    if text.value.literals().next().is_some() {
        return None;
    }
    let mut whole = String::new();
    for element in text.value.elements() {
        match element {
            InterpolatedStringElement::Literal(literal) => whole.push_str(&literal.value),
            InterpolatedStringElement::Interpolation(inner) => match values(&inner.expression).pop()? {
                Constant::Number(number) => whole.push_str(&number.to_string()),
                Constant::Text(text) => whole.push_str(&text),
                _ => return None,
            },
        }
    }
    (whole.len() <= TEXT_BYTES_MAX).then_some(whole)
}

/// `list(...)`, `range(...)`.
fn made(call: &ast::ExprCall, values: impl Fn(&Expr) -> Vec<Constant>) -> Vec<Constant> {
    let arguments: Vec<Vec<Constant>> = call.arguments.args.iter().map(values).collect();
    match &*call.func {
        Expr::Name(name) if matches!(name.id.as_str(), "list" | "tuple") => {
            arguments.into_iter().next().unwrap_or_default()
        }
        Expr::Name(name) if name.id.as_str() == "range" => {
            let ends = arguments
                .iter()
                .map(|values| values.iter().filter_map(Constant::number).max());
            match ends.collect::<Option<Vec<i64>>>().as_deref() {
                Some([end]) => vec![range(0, *end)],
                Some([start, end, ..]) => vec![range(*start, *end)],
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

fn range(start: i64, end: i64) -> Constant {
    Constant::List((start..end).take(ELEMENTS_MAX).map(Constant::Number).collect())
}

fn combine(left: i64, op: Operator, right: i64) -> Option<i64> {
    match op {
        Operator::Add => left.checked_add(right),
        Operator::Sub => left.checked_sub(right),
        Operator::Mult => left.checked_mul(right),
        Operator::FloorDiv => left.checked_div(right),
        Operator::Pow => left.checked_pow(u32::try_from(right).ok()?),
        Operator::LShift => left.checked_mul(1_i64.checked_shl(u32::try_from(right).ok()?)?),
        _ => None,
    }
}
