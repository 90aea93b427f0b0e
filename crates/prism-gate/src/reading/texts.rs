//! The texts that an expression can be, all of them: what a name given to `getattr` or a template can say.
//!
//! Rules ask where a text decides what is reached. `None` means that some value is not spelled out. It follows names,
//! choices, tables, attributes of `self` and the parameters of functions through the calls of the bundle, within bounds.

use std::cell::Cell;

use ruff_python_ast::{Expr, ExprContext, Operator};

use crate::check::Checker;
use crate::reading::own;
use crate::semantic::BindingKind;
use crate::semantic::uses::Spot;

/// Most expressions that are looked at for one answer.
const STEPS_MAX: usize = 200;
/// Most texts of one answer.
const TEXTS_MAX: usize = 64;
/// Longest text that is put together, in bytes.
const TEXT_BYTES_MAX: usize = 4 * 1024;

/// All texts that an expression can be in the place that is being walked.
pub(crate) fn of(checker: &Checker<'_, '_>, expr: &Expr) -> Option<Vec<String>> {
    let spot = checker.spot();
    let steps = Cell::new(STEPS_MAX);
    Search {
        checker,
        steps: &steps,
    }
    .of(spot, expr)
}

/// The only text that an expression can be.
pub(crate) fn only(checker: &Checker<'_, '_>, expr: &Expr) -> Option<String> {
    let mut texts = of(checker, expr)?;
    texts.dedup();
    texts.pop().filter(|_| texts.is_empty())
}

struct Search<'s, 'c, 'a> {
    checker: &'s Checker<'c, 'a>,
    steps: &'s Cell<usize>,
}

impl Search<'_, '_, '_> {
    fn of(&self, spot: Spot, expr: &Expr) -> Option<Vec<String>> {
        self.steps.set(self.steps.get().checked_sub(1)?);
        let texts = match expr {
            Expr::StringLiteral(text) => vec![text.value.to_str().to_owned()],
            Expr::BinOp(sum) if sum.op == Operator::Add => {
                let (left, right) = (self.of(spot, &sum.left)?, self.of(spot, &sum.right)?);
                let joined = left
                    .iter()
                    .flat_map(|left| right.iter().map(move |right| format!("{left}{right}")));
                joined.take(TEXTS_MAX + 1).collect()
            }
            Expr::If(either) => [self.of(spot, &either.body)?, self.of(spot, &either.orelse)?].concat(),
            Expr::BoolOp(any) => self.all(spot, any.values.iter())?,
            Expr::Named(named) => self.of(spot, &named.value)?,
            Expr::Subscript(subscript) => self.elements(spot, &subscript.value)?,
            Expr::Name(name) if matches!(name.ctx, ExprContext::Load) => self.name(spot, name.id.as_str())?,
            Expr::Attribute(attribute) => self.attribute(spot, &attribute.value, attribute.attr.as_str())?,
            _ => return None,
        };
        (texts.len() <= TEXTS_MAX && texts.iter().all(|text| text.len() <= TEXT_BYTES_MAX)).then_some(texts)
    }

    fn all<'e>(&self, spot: Spot, values: impl Iterator<Item = &'e Expr>) -> Option<Vec<String>> {
        let mut texts = Vec::new();
        for value in values.take(TEXTS_MAX + 1) {
            texts.extend(self.of(spot, value)?);
        }
        Some(texts)
    }

    /// The elements of a table that is spelled out and never changed.
    fn elements(&self, spot: Spot, table: &Expr) -> Option<Vec<String>> {
        match table {
            Expr::List(list) => self.all(spot, list.elts.iter()),
            Expr::Tuple(tuple) => self.all(spot, tuple.elts.iter()),
            Expr::Dict(dict) => self.all(spot, dict.items.iter().map(|item| &item.value)),
            Expr::Name(name) => {
                let name = name.id.as_str();
                let names = self.checker.names;
                let [only] = names.bindings(spot.module, spot.scope, name) else {
                    return None;
                };
                let uses = self.checker.uses();
                // Under another name it could be changed, too.
                let is_handed_on = uses.is_handed_on(name);
                let may_be_another =
                    uses.stored.contains_key(name) || names.may_be_an_outer(spot.module, spot.scope, name);
                if is_handed_on || may_be_another || uses.changed.contains(name) {
                    return None;
                }
                let binding = &names.modules[spot.module].bindings[*only];
                let place = spot.at(binding.scope);
                match binding.kind {
                    BindingKind::Value(value) if !value.is_name_expr() => self.elements(place, value),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn name(&self, spot: Spot, name: &str) -> Option<Vec<String>> {
        let names = self.checker.names;
        let module = &names.modules[spot.module];
        let bindings = names.bindings(spot.module, spot.scope, name);
        if bindings.is_empty() || own::may_be_replaced(self.checker, spot, name) {
            return None;
        }
        let mut texts = Vec::new();
        for &number in bindings.iter().take(TEXTS_MAX + 1) {
            let binding = &module.bindings[number];
            let place = spot.at(binding.scope);
            match binding.kind {
                BindingKind::Value(value) => texts.extend(self.of(place, value)?),
                BindingKind::Parameter(..) => texts.extend(self.parameter(spot, name)?),
                _ => return None,
            }
        }
        Some(texts)
    }

    fn parameter(&self, spot: Spot, name: &str) -> Option<Vec<String>> {
        let mut texts = Vec::new();
        for (place, value) in own::given(self.checker, spot, name)? {
            texts.extend(self.of(place, value)?);
        }
        Some(texts)
    }

    /// An attribute of `self` that only class bodies bind, and only to text.
    fn attribute(&self, spot: Spot, object: &Expr, name: &str) -> Option<Vec<String>> {
        let is_own = matches!(object, Expr::Name(base) if own::is_told_its_names(self.checker, spot, base.id.as_str()));
        let uses = self.checker.uses();
        if !is_own || uses.takes_dicts || uses.is_a_field(name) || uses.stored.contains_key(name) {
            return None;
        }
        let bound = uses.in_classes.get(name)?;
        let mut texts = Vec::new();
        for (place, value) in bound {
            texts.extend(self.of(*place, value.as_ref()?)?);
        }
        Some(texts)
    }
}
