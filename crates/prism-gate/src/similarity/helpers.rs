//! Functions of the bundle that only compute a value, step by step: their code stands where they are called.
//!
//! So it makes no difference whether a line is written out or put behind a function of one's own. Found by name, over all
//! files; a name that several functions have stands for none of them.

use ruff_python_ast::{self as ast, Expr, Stmt};
use rustc_hash::FxHashMap;

use super::resolve::{Bundled, Names};
use super::statement::{Step, flatten};
use super::units::Unit;

/// Longest text of such a function, in bytes.
const TEXT_BYTES_MAX: usize = 1_000;

/// A function that computes a value.
pub(super) struct Helper<'u> {
    pub(super) names: &'u Names<'u>,
    /// Whether it is a method: its first parameter is the object.
    pub(super) is_method: bool,
    pub(super) parameters: Vec<&'u str>,
    /// Names that are given to parts of the value, in their order.
    pub(super) steps: Vec<(&'u str, &'u Expr)>,
    pub(super) value: &'u Expr,
}

/// All of them, by name.
pub(super) type Helpers<'u> = FxHashMap<&'u str, Option<Helper<'u>>>;

pub(super) fn of<'u>(units: &[Unit<'u>], bundled: &'u Bundled<'u>) -> Helpers<'u> {
    let mut helpers = Helpers::default();
    for unit in units {
        if let Some(function) = unit.function {
            helpers
                .entry(function.name.as_str())
                .and_modify(|helper| *helper = None)
                .or_insert_with(|| helper(function, &bundled.files[unit.file], unit.own.is_some()));
        }
    }
    helpers
}

/// What a function computes: names for parts of it, and what it returns. None if it does anything else, or takes any number
/// of arguments.
fn helper<'u>(
    function: &'u ast::StmtFunctionDef,
    names: &'u Names<'u>,
    is_method: bool,
) -> Option<Helper<'u>> {
    let parameters = &function.parameters;
    if function.range.len().to_usize() > TEXT_BYTES_MAX
        || function.is_async
        || parameters.vararg.is_some()
        || parameters.kwarg.is_some()
    {
        return None;
    }
    let mut steps = Vec::new();
    flatten(&function.body, &mut steps);
    let Some(Step::Other(Stmt::Return(returned))) = steps.pop() else {
        return None;
    };
    let steps = steps.into_iter().map(|step| match step {
        Step::Assign { op: None, value, .. } => Some((step.name()?, value)),
        _ => None,
    });
    let parameters = parameters.iter_non_variadic_params();
    Some(Helper {
        names,
        is_method,
        parameters: parameters.map(|parameter| parameter.name().as_str()).collect(),
        steps: steps.collect::<Option<_>>()?,
        value: returned.value.as_deref()?,
    })
}
