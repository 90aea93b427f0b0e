//! Where a bundle names which part of a library, over all of its files: for rules that ask whether something is missing.
//!
//! Called by the rules about distributed training and about causality, once each, after all modules were walked. It
//! reports nothing.

use ruff_python_ast::{Expr, ExprCall, Pattern, Stmt};

use crate::check::Checker;
use crate::semantic::walk::{Pass, Walker};
use crate::semantic::{Meaning, Names, ScopeId, ScopeKind};

/// A name or chain of attributes that may stand for something in a library.
pub(crate) struct Mention<'a> {
    pub(crate) module: usize,
    pub(crate) path: String,
    /// The call, where it is called.
    pub(crate) call: Option<&'a ExprCall>,
}

/// All mentions of libraries in these modules, in the order of modules and source.
pub(crate) fn mentions<'a>(checker: &Checker<'_, 'a>, counts: impl Fn(usize) -> bool) -> Vec<Mention<'a>> {
    let mut found = Vec::new();
    for (module, tree) in checker.trees.iter().enumerate() {
        let Some(parsed) = tree.as_ref().ok().filter(|_| counts(module)) else {
            continue;
        };
        let mut census = Census {
            names: checker.names,
            module,
            scopes: vec![0],
            opened: 1,
            callee: None,
            found,
        };
        Walker::module(&mut census, &parsed.syntax().body);
        found = census.found;
    }
    found
}

struct Census<'c, 'a> {
    names: &'c Names<'a>,
    module: usize,
    scopes: Vec<ScopeId>,
    opened: usize,
    callee: Option<(*const Expr, &'a ExprCall)>,
    found: Vec<Mention<'a>>,
}

impl<'a> Pass<'a> for Census<'_, 'a> {
    fn enter(&mut self, _kind: ScopeKind<'a>) {
        self.scopes.push(self.opened);
        self.opened += 1;
    }

    fn leave(&mut self) {
        self.scopes.pop();
    }

    fn statement(&mut self, _stmt: &'a Stmt) {}

    fn expression(&mut self, expr: &'a Expr) -> bool {
        match expr {
            Expr::Call(call) => self.callee = Some((&raw const *call.func, call)),
            Expr::Name(_) | Expr::Attribute(_) => {
                let scope = self.scopes.last().copied().unwrap_or_default();
                let call = self
                    .callee
                    .filter(|(callee, _)| std::ptr::eq(*callee, expr))
                    .map(|(_, call)| call);
                for meaning in self.names.meanings(self.module, scope, expr) {
                    if let Meaning::Library(path) = meaning {
                        self.found.push(Mention {
                            module: self.module,
                            path: path.to_string(),
                            call,
                        });
                    }
                }
            }
            _ => {}
        }
        true
    }

    fn pattern(&mut self, _pattern: &'a Pattern) {}
}
