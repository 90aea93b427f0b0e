//! Where a name that a module binds surely hides the builtin of that name.
//!
//! [`super::binder`] knows the first statement of a scope that binds a name for certain. A module also binds names in
//! loops, branches and `with` statements; what they bind hides the builtin from there to the end of the block that they
//! stand in, and behind an `if` whose branches both bind it. Only names of builtins are looked at, and only in files
//! that bind one. It decides nothing.

use ruff_python_ast::{self as ast, ExceptHandler, Expr, Stmt};
use ruff_text_size::{Ranged, TextRange, TextSize};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::knowledge::builtins::is_builtin;

/// Where builtins are hidden, by their names.
pub(crate) type Hidden<'a> = FxHashMap<&'a str, Vec<TextRange>>;

/// Most places that are kept.
const PLACES_MAX: usize = 4_096;

/// Looks at the body of a module.
pub(crate) fn of(body: &[Stmt]) -> Hidden<'_> {
    let mut search = Search::default();
    search.block(body, TextSize::new(u32::MAX));
    search.hidden
}

#[derive(Default)]
struct Search<'a> {
    hidden: Hidden<'a>,
    places: usize,
}

type Bound<'a> = FxHashSet<&'a str>;

impl<'a> Search<'a> {
    /// What a block surely binds by its end. What it binds counts to the end of the block.
    fn block(&mut self, body: &'a [Stmt], end: TextSize) -> Bound<'a> {
        let mut bound = Bound::default();
        for stmt in body {
            for name in self.statement(stmt) {
                if bound.insert(name) {
                    self.hide(name, stmt.range().end(), end);
                }
            }
        }
        bound
    }

    fn hide(&mut self, name: &'a str, from: TextSize, to: TextSize) {
        if from < to && self.places < PLACES_MAX {
            self.places += 1;
            self.hidden
                .entry(name)
                .or_default()
                .push(TextRange::new(from, to));
        }
    }

    /// A block of a statement, in which some names are bound before it begins.
    fn inner(&mut self, body: &'a [Stmt], before: &Bound<'a>) -> Bound<'a> {
        let (Some(first), Some(last)) = (body.first(), body.last()) else {
            return Bound::default();
        };
        for name in before {
            self.hide(name, first.range().start(), last.range().end());
        }
        self.block(body, last.range().end())
    }

    /// What a statement surely binds by its end.
    fn statement(&mut self, stmt: &'a Stmt) -> Bound<'a> {
        let mut bound = Bound::default();
        match stmt {
            Stmt::Assign(assign) => assign
                .targets
                .iter()
                .for_each(|target| target_names(target, &mut bound)),
            Stmt::AnnAssign(assign) if assign.value.is_some() => target_names(&assign.target, &mut bound),
            Stmt::FunctionDef(function) => insert(function.name.as_str(), &mut bound),
            Stmt::ClassDef(class) => insert(class.name.as_str(), &mut bound),
            Stmt::Import(import) => {
                for alias in &import.names {
                    let name = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
                    insert(name.split('.').next().unwrap_or(name), &mut bound);
                }
            }
            Stmt::ImportFrom(import) => {
                for alias in &import.names {
                    insert(alias.asname.as_ref().unwrap_or(&alias.name).as_str(), &mut bound);
                }
            }
            Stmt::If(choice) => bound = self.choice(choice),
            Stmt::For(each) => {
                let mut before = Bound::default();
                target_names(&each.target, &mut before);
                self.inner(&each.body, &before);
                self.inner(&each.orelse, &Bound::default());
            }
            Stmt::While(repeat) => {
                self.inner(&repeat.body, &Bound::default());
                self.inner(&repeat.orelse, &Bound::default());
            }
            Stmt::With(with) => {
                let mut before = Bound::default();
                let targets = with.items.iter().filter_map(|item| item.optional_vars.as_deref());
                // To take one apart may fail.
                let targets = targets.filter(|target| target.is_name_expr());
                targets.for_each(|target| target_names(target, &mut before));
                // It may swallow what happens in it.
                self.inner(&with.body, &before);
                // But it has begun, or raised where nothing swallows.
                bound = before;
                if with.items.len() > 1 {
                    bound.clear();
                }
            }
            Stmt::Try(attempt) => {
                self.inner(&attempt.body, &Bound::default());
                for ExceptHandler::ExceptHandler(handler) in &attempt.handlers {
                    let mut before = Bound::default();
                    if let Some(name) = &handler.name {
                        insert(name.as_str(), &mut before);
                    }
                    self.inner(&handler.body, &before);
                }
                self.inner(&attempt.orelse, &Bound::default());
                bound = self.inner(&attempt.finalbody, &Bound::default());
            }
            _ => {}
        }
        bound
    }

    /// What all branches bind, if one of them surely runs.
    fn choice(&mut self, choice: &'a ast::StmtIf) -> Bound<'a> {
        let mut all = self.inner(&choice.body, &Bound::default());
        let mut has_else = false;
        for clause in &choice.elif_else_clauses {
            let bound = self.inner(&clause.body, &Bound::default());
            all.retain(|name| bound.contains(name));
            has_else |= clause.test.is_none();
        }
        if !has_else {
            all.clear();
        }
        all
    }
}

fn insert<'a>(name: &'a str, bound: &mut Bound<'a>) {
    if is_builtin(name) {
        bound.insert(name);
    }
}

fn target_names<'a>(target: &'a Expr, bound: &mut Bound<'a>) {
    match target {
        Expr::Name(name) => insert(name.id.as_str(), bound),
        Expr::Starred(starred) => target_names(&starred.value, bound),
        Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
            for element in elts {
                target_names(element, bound);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of the text on which `input` is hidden at the start.
    fn lines(text: &str) -> Vec<usize> {
        let parsed = ruff_python_parser::parse_module(text).unwrap();
        let hidden = of(&parsed.syntax().body);
        let mut start = 0;
        let mut found = Vec::new();
        for (number, line) in (1..).zip(text.split_inclusive('\n')) {
            let indent = line.len() - line.trim_start().len();
            let at = TextSize::try_from(start + indent).unwrap();
            if hidden
                .get("input")
                .is_some_and(|ranges| ranges.iter().any(|range| range.contains(at)))
            {
                found.push(number);
            }
            start += line.len();
        }
        found
    }

    #[test]
    fn a_name_is_hidden_where_it_is_surely_bound() {
        assert_eq!(lines("x = 1\ninput = 2\ny = 3\n"), [3]);
        assert_eq!(lines("for input in x:\n    a\n    b\nc\n"), [2, 3]);
        assert_eq!(lines("for x in y:\n    input = 1\n    b\nc\n"), [3]);
        assert_eq!(lines("if x:\n    input = 1\nelse:\n    input = 2\nc\n"), [5]);
        assert_eq!(lines("if x:\n    input = 1\nc\n"), Vec::<usize>::new());
        assert_eq!(lines("try:\n    input = 1\n    a\nexcept E:\n    b\nc\n"), [3]);
        assert_eq!(lines("with x as input:\n    a\nc\n"), [2, 3]);
        assert_eq!(lines("def f():\n    input = 1\n    a\nb\n"), Vec::<usize>::new());
    }
}
