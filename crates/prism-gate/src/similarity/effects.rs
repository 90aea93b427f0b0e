//! Which names a statement reads and writes, roughly: enough to say which statements may change places.
//!
//! Rough on the side of freedom: what a call does to its arguments counts only where the call stands alone. The order
//! that follows is not one in which the program would run, but every reordering of a program gives the same one.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Expr, Stmt};

use super::statement::live;

/// A name, or an attribute of the object itself.
pub(super) type Path<'a> = (&'a str, &'a str);

/// What a statement does to names.
#[derive(Clone, Debug, Default)]
pub(super) struct Effects<'a> {
    pub(super) reads: Vec<Path<'a>>,
    pub(super) writes: Vec<Path<'a>>,
}

/// Collects the effects of statements and expressions.
pub(super) struct Collector<'a> {
    own: Option<&'a str>,
    /// Whether all that is mentioned is also written.
    writes: bool,
    pub(super) effects: Effects<'a>,
}

impl<'a> Collector<'a> {
    pub(super) fn new(own: Option<&'a str>) -> Self {
        Self {
            own,
            writes: false,
            effects: Effects::default(),
        }
    }

    /// An expression that is assigned to.
    pub(super) fn target(&mut self, target: &'a Expr) {
        let was = std::mem::replace(&mut self.writes, true);
        if let Expr::Subscript(subscript) = target {
            self.target(&subscript.value);
            self.writes = was;
            self.visit_expr(&subscript.slice);
        } else {
            self.visit_expr(target);
            self.writes = was;
        }
    }

    fn mention(&mut self, path: Path<'a>, only_stored: bool) {
        if !only_stored {
            self.effects.reads.push(path);
        }
        if only_stored || self.writes {
            self.effects.writes.push(path);
        }
    }
}

impl<'a> Visitor<'a> for Collector<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Assign(assign) => {
                self.visit_expr(&assign.value);
                for target in &assign.targets {
                    self.target(target);
                }
            }
            Stmt::AugAssign(assign) => {
                self.visit_expr(&assign.value);
                self.visit_expr(&assign.target);
                self.target(&assign.target);
            }
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    self.visit_expr(value);
                    self.target(&assign.target);
                }
            }
            Stmt::Expr(alone) => {
                let was = std::mem::replace(&mut self.writes, true);
                self.visit_expr(&alone.value);
                self.writes = was;
            }
            _ => match live(stmt) {
                Some(body) => self.visit_body(body),
                None => visitor::walk_stmt(self, stmt),
            },
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) => self.mention((name.id.as_str(), ""), !name.ctx.is_load()),
            Expr::Attribute(attribute) if is_own(&attribute.value, self.own) => {
                let path = (self.own.unwrap_or_default(), attribute.attr.as_str());
                self.mention(path, !attribute.ctx.is_load());
            }
            _ => visitor::walk_expr(self, expr),
        }
    }

    fn visit_annotation(&mut self, _expr: &'a Expr) {
        // A type hint does nothing.
    }
}

/// Whether an expression is the object itself.
pub(super) fn is_own(expr: &Expr, own: Option<&str>) -> bool {
    matches!(expr, Expr::Name(name) if Some(name.id.as_str()) == own)
}
