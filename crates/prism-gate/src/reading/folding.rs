//! What an expression comes to, where the source says it: numbers, text and lists, through names and arithmetic.
//!
//! Called by rules that bound a number. It follows the bindings of a name and so answers with all values that it finds,
//! up to a bound; what depends on the run has none. It computes only what is small.

use std::cell::Cell;

use ruff_python_ast::{self as ast, Expr, InterpolatedStringElement, Number, Operator, UnaryOp};

use crate::check::Checker;
use crate::semantic::{BindingKind, Meaning, ScopeId};

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
/// Most bindings of one name that are followed.
const BINDINGS_MAX: usize = 32;
/// Most numbers and texts that one value may hold, at any depth.
const PARTS_MAX: usize = 1_024;
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

    /// How much it holds, at any depth.
    fn parts(&self) -> usize {
        match self {
            Self::Number(_) | Self::Text(_) => 1,
            Self::List(elements) => elements.iter().map(Self::parts).sum::<usize>() + 1,
            Self::Dict(items) => items.iter().map(|(_, value)| value.parts() + 1).sum::<usize>() + 1,
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
        module: checker.module,
        scope: checker.scope(),
        visits: &visits,
    };
    place.values(expr, 0)
}

/// The largest number that an expression may be.
pub(crate) fn largest(checker: &Checker<'_, '_>, expr: &Expr) -> Option<i64> {
    values(checker, expr).iter().filter_map(Constant::number).max()
}

#[derive(Clone, Copy)]
struct Place<'p, 'c, 'a> {
    checker: &'p Checker<'c, 'a>,
    module: usize,
    scope: ScopeId,
    visits: &'p Cell<usize>,
}

impl Place<'_, '_, '_> {
    fn values(self, expr: &Expr, step: usize) -> Vec<Constant> {
        self.visits.set(self.visits.get() + 1);
        if step > STEPS_MAX || self.visits.get() > VISITS_MAX {
            return Vec::new();
        }
        let mut found = self.all_values(expr, step + 1);
        found.retain(|value| value.parts() <= PARTS_MAX);
        found.truncate(VALUES_MAX);
        found
    }

    fn all_values(self, expr: &Expr, step: usize) -> Vec<Constant> {
        match expr {
            Expr::NumberLiteral(literal) => match &literal.value {
                Number::Int(number) => number.as_i64().map(Constant::Number).into_iter().collect(),
                _ => Vec::new(),
            },
            Expr::StringLiteral(literal) if literal.value.len() <= TEXT_BYTES_MAX => {
                vec![Constant::Text(literal.value.to_str().to_owned())]
            }
            Expr::FString(text) => self.format(text, step).map(Constant::Text).into_iter().collect(),
            Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
                vec![Constant::List(self.elements(elts, step))]
            }
            Expr::Set(set) => vec![Constant::List(self.elements(&set.elts, step))],
            Expr::Dict(dict) => vec![Constant::Dict(self.items(dict, step))],
            Expr::UnaryOp(sign) if sign.op == UnaryOp::USub => {
                self.map(&sign.operand, step, |value| match value {
                    Constant::Number(number) => number.checked_neg().map(Constant::Number),
                    _ => None,
                })
            }
            Expr::BinOp(both) => {
                let (left, right) = (self.values(&both.left, step), self.values(&both.right, step));
                left.iter()
                    .flat_map(|left| right.iter().filter_map(|right| combine(left, both.op, right)))
                    .collect()
            }
            Expr::If(either) => [self.values(&either.body, step), self.values(&either.orelse, step)].concat(),
            Expr::BoolOp(any) => any
                .values
                .iter()
                .flat_map(|value| self.values(value, step))
                .collect(),
            Expr::Named(named) => self.values(&named.value, step),
            Expr::Call(call) => self.call(call, step),
            Expr::Subscript(subscript) => self.item(subscript, step),
            Expr::Name(name) => self.name(name.id.as_str(), step),
            Expr::Attribute(attribute) => self.attribute(attribute, step),
            _ => Vec::new(),
        }
    }

    fn map(self, expr: &Expr, step: usize, change: impl Fn(Constant) -> Option<Constant>) -> Vec<Constant> {
        self.values(expr, step).into_iter().filter_map(change).collect()
    }

    /// Elements without a value count as text of no letters: their number is known all the same.
    fn elements(self, elements: &[Expr], step: usize) -> Vec<Constant> {
        elements
            .iter()
            .take(ELEMENTS_MAX)
            .map(|element| {
                self.values(element, step)
                    .pop()
                    .unwrap_or_else(|| Constant::Text(String::new()))
            })
            .collect()
    }

    fn items(self, dict: &ast::ExprDict, step: usize) -> Vec<(Constant, Constant)> {
        let mut items = Vec::new();
        for item in dict.items.iter().take(ELEMENTS_MAX) {
            let values = self.values(&item.value, step);
            match &item.key {
                Some(key) => {
                    if let Some(key) = self.values(key, step).pop() {
                        items.extend(values.into_iter().map(|value| (key.clone(), value)));
                    }
                }
                None => items.extend(values.into_iter().flat_map(|inner| match inner {
                    Constant::Dict(items) => items,
                    _ => Vec::new(),
                })),
            }
        }
        items.truncate(ELEMENTS_MAX);
        items
    }

    fn format(self, text: &ast::ExprFString, step: usize) -> Option<String> {
        let mut whole = String::new();
        for part in &text.value {
            match part {
                ast::FStringPart::Literal(literal) => whole.push_str(&literal.value),
                ast::FStringPart::FString(part) => {
                    for element in &part.elements {
                        match element {
                            InterpolatedStringElement::Literal(literal) => whole.push_str(&literal.value),
                            InterpolatedStringElement::Interpolation(inner) => {
                                match self.values(&inner.expression, step).pop()? {
                                    Constant::Number(number) => whole.push_str(&number.to_string()),
                                    Constant::Text(text) => whole.push_str(&text),
                                    _ => return None,
                                }
                            }
                        }
                    }
                }
            }
        }
        (whole.len() <= TEXT_BYTES_MAX).then_some(whole)
    }

    /// `range`, `list`, `len`, `max` and their like.
    fn call(self, call: &ast::ExprCall, step: usize) -> Vec<Constant> {
        let Expr::Name(function) = &*call.func else {
            return Vec::new();
        };
        let arguments: Vec<Vec<Constant>> = call
            .arguments
            .args
            .iter()
            .map(|value| self.values(value, step))
            .collect();
        let first = || arguments.first().into_iter().flatten();
        match function.id.as_str() {
            "int" | "list" | "tuple" | "set" | "sorted" | "abs" => first().cloned().collect(),
            "str" => first()
                .filter_map(Constant::number)
                .map(|number| Constant::Text(number.to_string()))
                .collect(),
            "len" => first()
                .filter_map(|value| match value {
                    Constant::List(elements) => i64::try_from(elements.len()).ok().map(Constant::Number),
                    _ => None,
                })
                .collect(),
            "max" | "min" => arguments
                .iter()
                .flatten()
                .flat_map(Constant::numbers)
                .map(Constant::Number)
                .collect(),
            "dict" => {
                let keywords = call.arguments.keywords.iter().filter_map(|keyword| {
                    let name = keyword.arg.as_ref()?.as_str().to_owned();
                    Some((Constant::Text(name), self.values(&keyword.value, step).pop()?))
                });
                vec![Constant::Dict(keywords.collect())]
            }
            "range" => {
                let ends: Option<Vec<i64>> = arguments
                    .iter()
                    .map(|values| values.iter().filter_map(Constant::number).max())
                    .collect();
                match ends.as_deref() {
                    Some([end]) => vec![range(0, *end, 1)],
                    Some([start, end]) => vec![range(*start, *end, 1)],
                    Some([start, end, by]) => vec![range(*start, *end, *by)],
                    _ => Vec::new(),
                }
            }
            _ => Vec::new(),
        }
    }

    fn item(self, subscript: &ast::ExprSubscript, step: usize) -> Vec<Constant> {
        let keys = self.values(&subscript.slice, step);
        self.values(&subscript.value, step)
            .into_iter()
            .flat_map(|value| match value {
                Constant::Dict(items) => items
                    .into_iter()
                    .filter(|(key, _)| keys.contains(key))
                    .map(|(_, value)| value)
                    .collect(),
                Constant::List(elements) => keys
                    .iter()
                    .filter_map(|key| elements.get(usize::try_from(key.number()?).ok()?).cloned())
                    .collect(),
                _ => Vec::new(),
            })
            .collect()
    }

    fn name(self, name: &str, step: usize) -> Vec<Constant> {
        let bindings = self.checker.names.bindings(self.module, self.scope, name);
        bindings
            .iter()
            .take(BINDINGS_MAX)
            .flat_map(|&number| self.binding(self.module, number, step))
            .collect()
    }

    fn binding(self, module: usize, number: usize, step: usize) -> Vec<Constant> {
        let binding = &self.checker.names.modules[module].bindings[number];
        match &binding.kind {
            BindingKind::Value(value) => {
                let place = Self {
                    module,
                    scope: binding.scope,
                    ..self
                };
                place.values(value, step)
            }
            BindingKind::Import(path) => {
                let Some((home, name)) = path.rsplit_once('.') else {
                    return Vec::new();
                };
                self.of_module(home, name, step)
            }
            _ => Vec::new(),
        }
    }

    /// A name at the top of a module of the bundle.
    fn of_module(self, path: &str, name: &str, step: usize) -> Vec<Constant> {
        let Some(module) = self
            .checker
            .sources
            .iter()
            .position(|source| source.module == path)
        else {
            return Vec::new();
        };
        let place = Self {
            module,
            scope: 0,
            ..self
        };
        if step > STEPS_MAX {
            Vec::new()
        } else {
            place.name(name, step + 1)
        }
    }

    /// `config.WORLD_SIZE`, of a module or a class.
    fn attribute(self, attribute: &ast::ExprAttribute, step: usize) -> Vec<Constant> {
        let name = attribute.attr.as_str();
        let mut found = Vec::new();
        for meaning in self
            .checker
            .names
            .meanings(self.module, self.scope, &attribute.value)
        {
            match meaning {
                Meaning::Module(path) => found.extend(self.of_module(&path, name, step)),
                Meaning::Local(module, number) => {
                    let scopes = &self.checker.names.modules[module];
                    if let BindingKind::Class(class) = &scopes.bindings[number].kind
                        && let Some(scope) = scopes.class_scope(class)
                        && let Some(entry) = scopes.scopes[scope].names.get(name)
                    {
                        found.extend(
                            entry
                                .bindings
                                .iter()
                                .take(BINDINGS_MAX)
                                .flat_map(|&number| self.binding(module, number, step)),
                        );
                    }
                }
                Meaning::Library(_) | Meaning::Unknown => {}
            }
        }
        found
    }
}

fn range(start: i64, end: i64, by: i64) -> Constant {
    let mut elements = Vec::new();
    let mut at = start;
    while by != 0 && elements.len() < ELEMENTS_MAX && if by > 0 { at < end } else { at > end } {
        elements.push(Constant::Number(at));
        let Some(next) = at.checked_add(by) else {
            break;
        };
        at = next;
    }
    Constant::List(elements)
}

fn combine(left: &Constant, op: Operator, right: &Constant) -> Option<Constant> {
    match (left, right) {
        (Constant::Number(left), Constant::Number(right)) => {
            let number = match op {
                Operator::Add => left.checked_add(*right),
                Operator::Sub => left.checked_sub(*right),
                Operator::Mult => left.checked_mul(*right),
                Operator::FloorDiv | Operator::Div => left.checked_div(*right),
                Operator::Mod => left.checked_rem(*right),
                Operator::Pow => left.checked_pow(u32::try_from(*right).ok()?),
                Operator::LShift => left.checked_mul(1_i64.checked_shl(u32::try_from(*right).ok()?)?),
                _ => None,
            };
            number.map(Constant::Number)
        }
        (Constant::Text(left), Constant::Text(right)) if op == Operator::Add => {
            (left.len() + right.len() <= TEXT_BYTES_MAX).then(|| Constant::Text(format!("{left}{right}")))
        }
        (Constant::List(left), Constant::List(right)) if op == Operator::Add => Some(Constant::List(
            left.iter().chain(right).take(ELEMENTS_MAX).cloned().collect(),
        )),
        (Constant::List(elements), Constant::Number(times)) if op == Operator::Mult => {
            let length = elements.len().checked_mul(usize::try_from(*times).ok()?)?;
            let length = length.min(ELEMENTS_MAX);
            let is_small = elements
                .first()
                .is_none_or(|first| first.parts().saturating_mul(length) <= PARTS_MAX);
            if !is_small {
                return None;
            }
            Some(Constant::List(
                elements.iter().cycle().take(length).cloned().collect(),
            ))
        }
        _ => None,
    }
}
