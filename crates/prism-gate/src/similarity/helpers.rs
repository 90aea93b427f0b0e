//! Functions of the bundle that only compute a value, step by step: their code stands where they are called.
//!
//! So it makes no difference whether a line is written out or put behind a function of one's own. Found by name, over all
//! files; a name that several functions have stands for none of them.

use ruff_python_ast::{self as ast, Expr, Stmt};
use rustc_hash::FxHashMap;

use super::resolve::{Bundled, Names};
use super::statement::{Step, flatten};
use super::units::Unit;
use crate::source::Source;

/// Longest text of such a function, in bytes.
const TEXT_BYTES_MAX: usize = 1_000;

/// A function that computes a value.
pub(super) struct Helper<'u> {
    pub(super) source: &'u Source<'u>,
    pub(super) names: &'u Names,
    /// Whether it is a method: its first parameter is the object.
    pub(super) is_method: bool,
    pub(super) parameters: Vec<&'u str>,
    /// Names that are given to parts of the value, in their order.
    pub(super) steps: Vec<(&'u str, &'u Expr)>,
    pub(super) value: &'u Expr,
}

/// All of them, by name.
pub(super) struct Helpers<'u> {
    by_name: FxHashMap<&'u str, Option<Helper<'u>>>,
}

impl<'u> Helpers<'u> {
    pub(super) fn of(units: &[Unit<'u>], sources: &'u [Source<'u>], bundled: &'u Bundled) -> Self {
        let mut by_name: FxHashMap<&str, Option<Helper<'_>>> = FxHashMap::default();
        for unit in units {
            let Some(function) = unit.function else { continue };
            by_name
                .entry(function.name.as_str())
                .and_modify(|helper| *helper = None)
                .or_insert_with(|| {
                    let (steps, value) = value(function)?;
                    Some(Helper {
                        source: &sources[unit.file],
                        names: &bundled.files[unit.file],
                        is_method: unit.own.is_some(),
                        parameters: parameters(function)?,
                        steps,
                        value,
                    })
                });
        }
        Self { by_name }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Helper<'u>> {
        self.by_name.get(name)?.as_ref()
    }
}

/// What a function computes: names for parts of it, and what it returns. None if it does anything else.
fn value(function: &ast::StmtFunctionDef) -> Option<(Vec<(&str, &Expr)>, &Expr)> {
    if function.range.len().to_usize() > TEXT_BYTES_MAX || function.is_async {
        return None;
    }
    let mut steps = Vec::new();
    flatten(&function.body, &mut steps);
    let Some(Step::Other(Stmt::Return(returned))) = steps.pop() else {
        return None;
    };
    let named = steps.into_iter().map(|step| match step {
        Step::Assign { op: None, value, .. } => Some((step.name()?, value)),
        _ => None,
    });
    Some((named.collect::<Option<_>>()?, returned.value.as_deref()?))
}

/// The names of the parameters, in their order; none if some of them take any number of arguments.
fn parameters(function: &ast::StmtFunctionDef) -> Option<Vec<&str>> {
    let parameters = &function.parameters;
    let is_plain = parameters.vararg.is_none() && parameters.kwarg.is_none();
    let all = parameters.iter_non_variadic_params();
    is_plain.then(|| all.map(|parameter| parameter.parameter.name.as_str()).collect())
}
