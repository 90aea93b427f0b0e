//! One way through a module's tree, which knows where scopes begin and end.
//!
//! The binder and the checker both walk it, in the same order, so that the n-th scope of the one is the n-th of the
//! other. Decorators, defaults, annotations and base classes belong to the outer scope, and so does the first
//! iterable of a comprehension.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{self as ast, Comprehension, Expr, Pattern, Stmt};

use super::ScopeKind;

/// What is done on the way.
pub(crate) trait Pass<'a> {
    /// A scope begins.
    fn enter(&mut self, kind: ScopeKind<'a>);
    /// It ends.
    fn leave(&mut self);
    /// A body of statements begins or ends: 1 is the body of the scope itself, more is conditional.
    fn body(&mut self, _begins: bool) {}
    /// A statement, before its parts.
    fn statement(&mut self, stmt: &'a Stmt);
    /// An expression, before its parts. `false`: the parts are not walked.
    fn expression(&mut self, expr: &'a Expr) -> bool;
    /// A pattern, before its parts.
    fn pattern(&mut self, pattern: &'a Pattern);
}

pub(crate) struct Walker<'p, P> {
    pub(crate) pass: &'p mut P,
}

impl<'p, P> Walker<'p, P> {
    pub(crate) fn module<'a>(pass: &'p mut P, body: &'a [Stmt])
    where
        P: Pass<'a>,
    {
        Self { pass }.visit_body(body);
    }

    fn comprehension<'a>(&mut self, generators: &'a [Comprehension], results: &[Option<&'a Expr>])
    where
        P: Pass<'a>,
    {
        if let Some(first) = generators.first() {
            self.visit_expr(&first.iter);
        }
        self.pass.enter(ScopeKind::Comprehension(generators));
        for (number, generator) in generators.iter().enumerate() {
            if number > 0 {
                self.visit_expr(&generator.iter);
            }
            self.visit_expr(&generator.target);
            for condition in &generator.ifs {
                self.visit_expr(condition);
            }
        }
        for result in results.iter().flatten() {
            self.visit_expr(result);
        }
        self.pass.leave();
    }

    /// Defaults and annotations; the names are bound when the scope begins.
    fn signature<'a>(&mut self, parameters: &'a ast::Parameters)
    where
        P: Pass<'a>,
    {
        self.visit_parameters(parameters);
    }
}

impl<'a, P: Pass<'a>> Visitor<'a> for Walker<'_, P> {
    fn visit_body(&mut self, body: &'a [Stmt]) {
        self.pass.body(true);
        visitor::walk_body(self, body);
        self.pass.body(false);
    }

    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        self.pass.statement(stmt);
        match stmt {
            Stmt::FunctionDef(function) => {
                for decorator in &function.decorator_list {
                    self.visit_decorator(decorator);
                }
                self.signature(&function.parameters);
                if let Some(returns) = &function.returns {
                    self.visit_annotation(returns);
                }
                self.pass.enter(ScopeKind::Function(function));
                if let Some(type_params) = &function.type_params {
                    self.visit_type_params(type_params);
                }
                self.visit_body(&function.body);
                self.pass.leave();
            }
            Stmt::ClassDef(class) => {
                for decorator in &class.decorator_list {
                    self.visit_decorator(decorator);
                }
                if let Some(arguments) = &class.arguments {
                    self.visit_arguments(arguments);
                }
                self.pass.enter(ScopeKind::Class(class));
                if let Some(type_params) = &class.type_params {
                    self.visit_type_params(type_params);
                }
                self.visit_body(&class.body);
                self.pass.leave();
            }
            _ => visitor::walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if !self.pass.expression(expr) {
            return;
        }
        match expr {
            Expr::Lambda(lambda) => {
                if let Some(parameters) = &lambda.parameters {
                    self.signature(parameters);
                }
                self.pass.enter(ScopeKind::Lambda(lambda));
                self.visit_expr(&lambda.body);
                self.pass.leave();
            }
            Expr::ListComp(comp) => self.comprehension(&comp.generators, &[Some(&comp.elt)]),
            Expr::SetComp(comp) => self.comprehension(&comp.generators, &[Some(&comp.elt)]),
            Expr::Generator(comp) => self.comprehension(&comp.generators, &[Some(&comp.elt)]),
            Expr::DictComp(comp) => {
                self.comprehension(&comp.generators, &[comp.key.as_deref(), Some(&comp.value)]);
            }
            _ => visitor::walk_expr(self, expr),
        }
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        self.pass.pattern(pattern);
        visitor::walk_pattern(self, pattern);
    }
}
