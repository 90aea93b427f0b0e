//! Where a bundle names which part of a library, over all of its files: for rules that ask whether something is missing.
//!
//! The checker keeps a mention for every reference that it judges; the rules about distributed training and about
//! causality read them after all modules were walked. Nothing here reports anything.

use std::rc::Rc;

use ruff_python_ast::ExprCall;

use crate::check::Checker;

/// A name or chain of attributes that may stand for something in a library.
#[derive(Clone)]
pub(crate) struct Mention<'a> {
    pub(crate) module: usize,
    pub(crate) path: Rc<str>,
    /// The call, where it is called.
    pub(crate) call: Option<&'a ExprCall>,
}

/// All mentions of libraries in these modules, in the order of modules and source.
pub(crate) fn mentions<'a>(checker: &Checker<'_, 'a>, counts: impl Fn(usize) -> bool) -> Vec<Mention<'a>> {
    let kept = checker.mentions.iter();
    kept.filter(|mention| counts(mention.module)).cloned().collect()
}
