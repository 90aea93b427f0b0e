//! Which names of a bundle are its own, and what each is called instead.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{
    Alias, ExceptHandler, Expr, ExprContext, Identifier, Parameter, Pattern, Stmt, TypeParam,
};
use rustc_hash::FxHashMap;

use crate::knowledge::Words;
use crate::similarity::is_library_name;
use crate::source::Source;

/// Names that the harness, Python or habit give: they say what a thing is to others, and a bundle cannot choose them.
static KEPT: Words = Words::new(
    "F _ build_model cls ctx forward match case type lazy nn np self super torch train training \
     architecture",
);
/// Longest foreign name that is kept, in bytes. Libraries have no longer ones that matter; a message would.
const FOREIGN_BYTES_MAX: usize = 40;

/// What names and texts of a bundle are called instead. The same one is always called the same. Visits what a module binds.
#[derive(Default)]
pub(super) struct Neutral {
    names: FxHashMap<String, String>,
    texts: FxHashMap<String, usize>,
    counts: [usize; 4],
    foreign: usize,
}

#[derive(Clone, Copy)]
enum Kind {
    Value,
    Function,
    Class,
    Attribute,
}

impl Neutral {
    /// Knows the files.
    pub(super) fn new(sources: &[Source<'_>]) -> Self {
        let mut neutral = Self::default();
        for (number, source) in sources.iter().enumerate() {
            let mut parts: Vec<&str> = source.module.split('.').collect();
            let last = parts.pop().unwrap_or_default();
            neutral.call(last, || format!("file_{}", number + 1));
            for (depth, part) in parts.into_iter().enumerate() {
                neutral.call(part, || format!("dir_{}_{}", number + 1, depth + 1));
            }
        }
        neutral
    }

    /// Gives a name another one, unless it has one or is kept; whether it did.
    fn call(&mut self, name: &str, other: impl FnOnce() -> String) -> bool {
        let is_kept = KEPT.contains(name) || (name.starts_with("__") && name.ends_with("__"));
        let is_new = !is_kept && !self.names.contains_key(name);
        if is_new {
            self.names.insert(name.to_owned(), other());
        }
        is_new
    }

    fn bind(&mut self, name: &str, kind: Kind) {
        // A library's name for an attribute stays; one that stands alone is the bundle's, whatever it is called.
        if matches!(kind, Kind::Attribute | Kind::Function) && is_library_name(name) {
            return;
        }
        let (at, letter) = match kind {
            Kind::Value => (0, 'v'),
            Kind::Function => (1, 'f'),
            Kind::Class => (2, 'C'),
            Kind::Attribute => (3, 'a'),
        };
        let number = self.counts[at] + 1;
        if self.call(name, || format!("{letter}{number}")) {
            self.counts[at] = number;
        }
    }

    /// What a name is called. After a dot, `is_attribute`: a library's attribute keeps its name also where the bundle has a
    /// variable of that name.
    pub(super) fn name<'n>(&'n mut self, name: &'n str, is_attribute: bool) -> &'n str {
        if is_attribute && is_library_name(name) {
            return name;
        }
        if !self.names.contains_key(name) && (name.len() > FOREIGN_BYTES_MAX || !name.is_ascii()) {
            self.foreign += 1;
            let number = self.foreign;
            self.call(name, || format!("u{number}"));
        }
        self.names.get(name).map_or(name, String::as_str)
    }

    /// The number of a text.
    pub(super) fn text(&mut self, text: &str) -> usize {
        let next = self.texts.len() + 1;
        *self.texts.entry(text.to_owned()).or_insert(next)
    }

    fn bind_maybe(&mut self, name: Option<&Identifier>) {
        if let Some(name) = name {
            self.bind(name.as_str(), Kind::Value);
        }
    }
}

impl<'a> Visitor<'a> for Neutral {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(def) => self.bind(def.name.as_str(), Kind::Function),
            Stmt::ClassDef(def) => self.bind(def.name.as_str(), Kind::Class),
            _ => {}
        }
        visitor::walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) if matches!(name.ctx, ExprContext::Store) => {
                self.bind(name.id.as_str(), Kind::Value);
            }
            Expr::Attribute(attribute) if matches!(attribute.ctx, ExprContext::Store) => {
                self.bind(attribute.attr.as_str(), Kind::Attribute);
            }
            _ => {}
        }
        visitor::walk_expr(self, expr);
    }

    fn visit_parameter(&mut self, parameter: &'a Parameter) {
        self.bind(parameter.name.as_str(), Kind::Value);
        visitor::walk_parameter(self, parameter);
    }

    fn visit_alias(&mut self, alias: &'a Alias) {
        self.bind_maybe(alias.asname.as_ref());
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        let ExceptHandler::ExceptHandler(inner) = handler;
        self.bind_maybe(inner.name.as_ref());
        visitor::walk_except_handler(self, handler);
    }

    fn visit_type_param(&mut self, param: &'a TypeParam) {
        let name = match param {
            TypeParam::TypeVar(param) => &param.name,
            TypeParam::TypeVarTuple(param) => &param.name,
            TypeParam::ParamSpec(param) => &param.name,
        };
        self.bind(name.as_str(), Kind::Value);
        visitor::walk_type_param(self, param);
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        match pattern {
            Pattern::MatchAs(inner) => self.bind_maybe(inner.name.as_ref()),
            Pattern::MatchStar(inner) => self.bind_maybe(inner.name.as_ref()),
            Pattern::MatchMapping(inner) => self.bind_maybe(inner.rest.as_ref()),
            _ => {}
        }
        visitor::walk_pattern(self, pattern);
    }
}
