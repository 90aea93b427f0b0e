//! # Code that goes too deep
//!
//! ## What it does
//!
//! Refuses expressions in which brackets and chained operators add up to more than 1,000 levels, more than 64 functions,
//! classes and comprehensions in one another, and names that stand for one another in too many steps. Loops, `with` and `try`
//! lie in one another at most 20 deep within a function, and statements are indented at most 99 times: CPython compiles
//! nothing else.
//!
//! ## Why is this refused?
//!
//! No person writes that. It is aimed at the programs that read the code.
//!
//! ## Example
//!
//! ```python
//! x = ((((((0))))))  # and so on, a thousand times
//! ```
//!
//! Use instead:
//!
//! ```python
//! x = 0
//! ```

use crate::rule::{Rule, RuleSet};
use ruff_python_ast::{ExceptHandler, Stmt};
use ruff_text_size::{Ranged, TextRange};

use crate::check::Checker;
use crate::limits::{ALIAS_ROUNDS_MAX, BLOCKS_MAX, INDENTS_MAX, NESTING_MAX, SCOPE_DEPTH_MAX, STARS_MAX};

pub(crate) static RULE: Rule = Rule::error("PRS002", "prism:nesting", include_str!("nesting.rs"));

pub(crate) static SET: RuleSet = RuleSet {
    reason: "goes too deep",
    module: Some(module),
    ..RuleSet::of(&RULE)
};

/// Judges the statements of a module as CPython's compiler does.
fn module(checker: &mut Checker<'_, '_>) {
    let Ok(parsed) = &checker.trees[checker.module] else {
        return;
    };
    let mut found = None;
    block(&parsed.syntax().body, 0, 0, &mut found);
    if let Some((range, message)) = found {
        checker.report(&RULE, range, message, HINT);
    }
}

/// The first statement that lies too deep; `blocks` are those of its function around it, `indents` all.
fn block(body: &[Stmt], blocks: usize, indents: usize, found: &mut Option<(TextRange, String)>) {
    if indents > INDENTS_MAX {
        if let Some(first) = body.first() {
            let message =
                format!("this is indented more than {INDENTS_MAX} times, which CPython does not read");
            found.get_or_insert((first.range(), message));
        }
        return;
    }
    for stmt in body {
        let opened = match stmt {
            Stmt::For(_) | Stmt::While(_) => 1,
            Stmt::With(with) => with.items.len(),
            Stmt::Try(attempt) => {
                usize::from(!attempt.handlers.is_empty()) + usize::from(!attempt.finalbody.is_empty())
            }
            Stmt::FunctionDef(function) => {
                block(&function.body, 0, indents + 1, found);
                continue;
            }
            Stmt::ClassDef(class) => {
                block(&class.body, 0, indents + 1, found);
                continue;
            }
            _ => 0,
        };
        let inner = blocks + opened;
        if inner > BLOCKS_MAX {
            let message = format!(
                "more than {BLOCKS_MAX} loops, `with` and `try` lie in one another, which CPython does not compile"
            );
            found.get_or_insert((stmt.range(), message));
            return;
        }
        let mut within = |body: &[Stmt]| block(body, inner, indents + 1, found);
        match stmt {
            Stmt::For(each) => {
                within(&each.body);
                within(&each.orelse);
            }
            Stmt::While(repeat) => {
                within(&repeat.body);
                within(&repeat.orelse);
            }
            Stmt::With(with) => within(&with.body),
            Stmt::If(choice) => {
                within(&choice.body);
                for clause in &choice.elif_else_clauses {
                    within(&clause.body);
                }
            }
            Stmt::Try(attempt) => {
                within(&attempt.body);
                for ExceptHandler::ExceptHandler(handler) in &attempt.handlers {
                    within(&handler.body);
                }
                within(&attempt.orelse);
                within(&attempt.finalbody);
            }
            Stmt::Match(choice) => {
                for case in &choice.cases {
                    within(&case.body);
                }
            }
            _ => {}
        }
    }
}

const HINT: &str = "split it into several statements or functions";

/// The scan before the parser refused the file.
pub(crate) fn too_deep(checker: &mut Checker<'_, '_>, range: TextRange) {
    let message = format!(
        "brackets and operators go more than {NESTING_MAX} levels deep; the file was not read further"
    );
    checker.report(&RULE, range, message, HINT);
}

/// Scopes lie too deep in one another.
pub(crate) fn too_many_scopes(checker: &mut Checker<'_, '_>) {
    let message = format!(
        "more than {SCOPE_DEPTH_MAX} functions, classes and comprehensions lie in one another; the file was not read further"
    );
    checker.report(&RULE, TextRange::default(), message, HINT);
}

/// Names stand for one another in too many steps.
pub(crate) fn too_indirect(checker: &mut Checker<'_, '_>) {
    let message = format!(
        "names stand for one another in more than {ALIAS_ROUNDS_MAX} steps, for too many things, or come from more than {STARS_MAX} `import *`"
    );
    checker.report(&RULE, TextRange::default(), message, "use a name for one thing");
}
