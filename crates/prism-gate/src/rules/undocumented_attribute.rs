//! # Attributes that no library documents
//!
//! ## What it does
//!
//! Refuses an attribute of an object whose class cannot be seen, if objects of torch, numpy or the standard library have
//! one of that name that they do not document, and the bundle does not define it: `_module`, `GetAttrKey`, `handlers`.
//! Names under which some object holds a module, a file, a loader or code (`find_spec`, `buffer`, `_ctypes`) are refused
//! on everything but objects of the bundle's own plain classes, and so are `save`, `dump`, `load`, `open`, `write` and their
//! like. What a plain class is says the page of `prism:no-dynamic-attr`. It does not matter how the name is given: `x.name`, `getattr(x, "name")`, `setattr` or a pattern of `match`.
//!
//! The attributes that classes of the libraries document, and names that no library has, are never refused.
//!
//! ## Why is this refused?
//!
//! An object leads to others by its attributes. Those that are documented lead to tensors, numbers and functions; those
//! that are not lead from a warning to `sys`, from a generator of random numbers to `ctypes`, from a log to files.
//!
//! ## Example
//!
//! ```python
//! modules = warnings.catch_warnings()._module.sys.modules
//! ```
//!
//! Use instead:
//!
//! ```python
//! with warnings.catch_warnings():
//!     warnings.simplefilter("ignore")
//! ```

use ruff_python_ast::{Expr, ExprContext, Pattern};

use crate::check::Checker;
use crate::knowledge::attributes;
use crate::reading::own;
use crate::rule::{Rule, RuleSet};
use crate::semantic::Meaning;

pub(crate) static RULE: Rule = Rule::error(
    "PRS116",
    "prism:undocumented-attribute",
    include_str!("undocumented_attribute.rs"),
);

pub(crate) static SET: RuleSet = RuleSet {
    reason: "is not documented",
    expression: Some(expression),
    pattern: Some(pattern),
    ..RuleSet::of(&RULE)
};

/// What is wrong with an attribute, and what to do about it.
pub(crate) struct Flaw {
    pub(crate) what: &'static str,
    pub(crate) hint: &'static str,
}

const DOCUMENTED: &str = "use what the object documents";
const OWN_NAME: &str = "give the attribute another name, or use it on `self` only";

/// Whether an attribute of this name may not be used on an object; `None` as the object: it cannot be seen.
pub(crate) fn flaw(checker: &Checker<'_, '_>, object: Option<&Expr>, name: &str) -> Option<Flaw> {
    let is_dunder = name.starts_with("__") && name.ends_with("__");
    if is_dunder || attributes::is_public(name) && !attributes::is_never(name) {
        return None;
    }
    if attributes::is_never(name) {
        let what = "reaches what a library keeps to itself, whatever object it is of";
        return Some(Flaw {
            what,
            hint: DOCUMENTED,
        });
    }
    let is_own = checker.may_have_given(name);
    if is_own && !attributes::is_inner(name) {
        return None;
    }
    let is_of_an_own = || object.is_some_and(|object| own::is_an_object(checker, object));
    if attributes::leads_out(name) {
        let what = "leads out of an object of a library";
        let hint = if is_own { OWN_NAME } else { DOCUMENTED };
        return (!is_of_an_own()).then_some(Flaw { what, hint });
    }
    if attributes::is_own_only(name) {
        let what = "of an object that may be a library's reaches files or code";
        return (!is_of_an_own()).then_some(Flaw {
            what,
            hint: DOCUMENTED,
        });
    }
    if is_own {
        return None;
    }
    let what = "is an attribute that no library documents and this bundle does not define";
    attributes::is_inner(name).then_some(Flaw {
        what,
        hint: DOCUMENTED,
    })
}

/// Whether everything that an expression may stand for is a module or something in one: it is judged by its path.
fn is_judged_by_its_path(checker: &Checker<'_, '_>, object: &Expr) -> bool {
    let meanings = checker.meanings(object);
    !meanings.is_empty()
        && meanings
            .iter()
            .all(|meaning| matches!(meaning, Meaning::Library(_) | Meaning::Module(_)))
}

fn expression<'a>(checker: &mut Checker<'_, 'a>, expr: &'a Expr) {
    let mut rest = expr;
    while let Expr::Attribute(attribute) = rest {
        rest = &attribute.value;
        let name = attribute.attr.as_str();
        if !attributes::is_suspect(name) {
            continue;
        }
        if matches!(attribute.ctx, ExprContext::Store)
            && checker.may_have_given(name)
            && !attributes::leads_out(name)
        {
            continue;
        }
        if let Some(flaw) = flaw(checker, Some(&attribute.value), name)
            && !is_judged_by_its_path(checker, &attribute.value)
        {
            let message = format!("`{name}` {}", flaw.what);
            checker.report(&RULE, &attribute.attr, message, flaw.hint);
        }
    }
}

/// `case object(_module=m)` reads an attribute.
fn pattern<'a>(checker: &mut Checker<'_, 'a>, pattern: &'a Pattern) {
    let Pattern::MatchClass(class) = pattern else {
        return;
    };
    for keyword in &class.arguments.keywords {
        let name = keyword.attr.as_str();
        if let Some(flaw) = flaw(checker, None, name) {
            let message = format!("`{name}` {}", flaw.what);
            checker.report(&RULE, &keyword.attr, message, flaw.hint);
        }
    }
}
