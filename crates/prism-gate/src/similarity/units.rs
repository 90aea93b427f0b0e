//! A bundle's code in independent pieces: module bodies, class bodies and functions, each compared without the others.
//!
//! Their order, their nesting and the file they stand in mean nothing. What nothing mentions is left out, so that dead
//! code neither hides a copy nor claims what others will write later.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{self as ast, Expr, Stmt};
use rustc_hash::{FxHashMap, FxHashSet};

use super::analysis::Pieces;
use super::statement::{Live, live};
use super::vocabulary;

/// What a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The statements of a file or a class: what they bind may be used from elsewhere.
    Body,
    /// A function or method.
    Function,
}

/// One piece.
pub(super) struct Unit<'a> {
    pub(super) file: usize,
    pub(super) kind: Kind,
    pub(super) body: &'a [Stmt],
    /// The name of the first parameter of a method.
    pub(super) own: Option<&'a str>,
    /// Whether it only sets up: plain names in it are settings.
    pub(super) sets_up: bool,
    /// The number of the class, or of the function outside of any class, that it belongs to: what is copied as a whole.
    pub(super) part: u32,
    /// The function itself, if it may be called by its name: not one that a library calls.
    pub(super) function: Option<&'a ast::StmtFunctionDef>,
    name: &'a str,
    parent: Option<usize>,
    needs_mention: bool,
    mentions: Vec<&'a str>,
}

/// The pieces of all files, in the order of the source.
pub(super) fn of<'a>(bodies: &[&'a [Stmt]], pieces: Pieces) -> Vec<Unit<'a>> {
    let mut collector = Collector {
        units: Vec::new(),
        parts: 0,
    };
    for (file, body) in bodies.iter().enumerate() {
        let part = collector.next_part();
        let unit = collector.open(Unit {
            file,
            kind: Kind::Body,
            body,
            own: None,
            sets_up: true,
            part,
            function: None,
            name: "",
            parent: None,
            needs_mention: false,
            mentions: Vec::new(),
        });
        collector.within(body, unit, Around::File);
    }
    match pieces {
        Pieces::Reached => reached(collector.units),
        Pieces::All => collector.units,
    }
}

/// What lies around a definition.
#[derive(Clone, Copy)]
enum Around {
    File,
    Class,
    /// A function somewhere in a class.
    Method,
    /// A function of a file, or one in it.
    Function,
}

struct Collector<'a> {
    units: Vec<Unit<'a>>,
    parts: u32,
}

impl<'a> Collector<'a> {
    fn next_part(&mut self) -> u32 {
        self.parts += 1;
        self.parts - 1
    }

    fn open(&mut self, unit: Unit<'a>) -> usize {
        let mut mentions = Mentions { found: Vec::new() };
        mentions.visit_body(unit.body);
        self.units.push(unit);
        let at = self.units.len() - 1;
        self.units[at].mentions = mentions.found;
        at
    }

    /// Finds the definitions in a body.
    fn within(&mut self, body: &'a [Stmt], parent: usize, around: Around) {
        for stmt in body {
            match stmt {
                Stmt::FunctionDef(function) => self.function(function, parent, around),
                Stmt::ClassDef(class) => {
                    let part = match around {
                        Around::Class | Around::Method => self.units[parent].part,
                        Around::File | Around::Function => self.next_part(),
                    };
                    let unit = self.open(Unit {
                        file: self.units[parent].file,
                        kind: Kind::Body,
                        body: &class.body,
                        own: None,
                        sets_up: true,
                        part,
                        function: None,
                        name: class.name.as_str(),
                        parent: Some(parent),
                        needs_mention: class.decorator_list.is_empty(),
                        mentions: Vec::new(),
                    });
                    let mut mentions = Mentions { found: Vec::new() };
                    if let Some(arguments) = &class.arguments {
                        mentions.visit_arguments(arguments);
                    }
                    self.units[unit].mentions.extend(mentions.found);
                    self.within(&class.body, unit, Around::Class);
                }
                Stmt::If(branch) => match live(branch) {
                    Live::One(body) => self.within(body, parent, around),
                    Live::Both => {
                        self.within(&branch.body, parent, around);
                        for clause in &branch.elif_else_clauses {
                            self.within(&clause.body, parent, around);
                        }
                    }
                },
                Stmt::For(ast::StmtFor { body, orelse, .. })
                | Stmt::While(ast::StmtWhile { body, orelse, .. }) => {
                    self.within(body, parent, around);
                    self.within(orelse, parent, around);
                }
                Stmt::With(with) => self.within(&with.body, parent, around),
                Stmt::Try(attempt) => {
                    for body in [&attempt.body, &attempt.orelse, &attempt.finalbody] {
                        self.within(body, parent, around);
                    }
                    for handler in &attempt.handlers {
                        let ast::ExceptHandler::ExceptHandler(handler) = handler;
                        self.within(&handler.body, parent, around);
                    }
                }
                Stmt::Match(choice) => {
                    for case in &choice.cases {
                        self.within(&case.body, parent, around);
                    }
                }
                _ => {}
            }
        }
    }

    fn function(&mut self, function: &'a ast::StmtFunctionDef, parent: usize, around: Around) {
        let in_class = matches!(around, Around::Class);
        let name = function.name.as_str();
        let is_static = function
            .decorator_list
            .iter()
            .any(|decorator| matches!(&decorator.expression, Expr::Name(name) if name.id.as_str() == "staticmethod"));
        let first = function
            .parameters
            .posonlyargs
            .iter()
            .chain(&function.parameters.args)
            .next();
        let is_hook = in_class && vocabulary::is_called_by_the_library(name);
        let is_entry = matches!(name, "build_model" | "train");
        let part = match around {
            Around::File => self.next_part(),
            Around::Class | Around::Method | Around::Function => self.units[parent].part,
        };
        let unit = self.open(Unit {
            file: self.units[parent].file,
            kind: Kind::Function,
            body: &function.body,
            own: first
                .filter(|_| in_class && !is_static)
                .map(|parameter| parameter.parameter.name.as_str()),
            sets_up: matches!(name, "__init__" | "build_model"),
            part,
            function: (!is_hook && !is_entry).then_some(function),
            name,
            parent: Some(parent),
            needs_mention: !is_hook && !is_entry && function.decorator_list.is_empty(),
            mentions: Vec::new(),
        });
        let mut mentions = Mentions { found: Vec::new() };
        mentions.visit_parameters(&function.parameters);
        for decorator in &function.decorator_list {
            mentions.visit_decorator(decorator);
        }
        self.units[unit].mentions.extend(mentions.found);
        let inner = match around {
            Around::Class | Around::Method => Around::Method,
            Around::File | Around::Function => Around::Function,
        };
        self.within(&function.body, unit, inner);
    }
}

/// Keeps what can be come to from the top of a file.
fn reached(units: Vec<Unit<'_>>) -> Vec<Unit<'_>> {
    let mut by_name: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); units.len()];
    for (at, unit) in units.iter().enumerate() {
        by_name.entry(unit.name).or_default().push(at);
        if let Some(parent) = unit.parent {
            children[parent].push(at);
        }
    }
    let mut mentioned: FxHashSet<&str> = FxHashSet::default();
    let mut is_reached = vec![false; units.len()];
    let mut due: Vec<usize> = (0..units.len())
        .filter(|&at| units[at].parent.is_none())
        .collect();
    while let Some(at) = due.pop() {
        let unit = &units[at];
        let has_parent = unit.parent.is_none_or(|parent| is_reached[parent]);
        if is_reached[at] || !has_parent || (unit.needs_mention && !mentioned.contains(unit.name)) {
            continue;
        }
        is_reached[at] = true;
        due.extend(&children[at]);
        for name in &unit.mentions {
            if mentioned.insert(name) {
                due.extend(by_name.get(name).into_iter().flatten());
            }
        }
    }
    units
        .into_iter()
        .zip(is_reached)
        .filter_map(|(unit, reached)| reached.then_some(unit))
        .collect()
}

/// Every word by which a piece may mean a definition. Definitions within it are pieces of their own.
struct Mentions<'a> {
    found: Vec<&'a str>,
}

impl<'a> Visitor<'a> for Mentions<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => {}
            Stmt::ImportFrom(import) => self.found.extend(
                import
                    .names
                    .iter()
                    .filter(|alias| alias.asname.is_some())
                    .map(|alias| alias.name.as_str()),
            ),
            Stmt::If(branch) => match live(branch) {
                Live::One(body) => self.visit_body(body),
                Live::Both => visitor::walk_stmt(self, stmt),
            },
            _ => visitor::walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) if name.ctx.is_load() => self.found.push(name.id.as_str()),
            Expr::Attribute(attribute) => self.found.push(attribute.attr.as_str()),
            Expr::StringLiteral(literal) if !literal.value.is_implicit_concatenated() => {
                self.found.push(literal.value.to_str());
            }
            _ => {}
        }
        visitor::walk_expr(self, expr);
    }

    fn visit_annotation(&mut self, _expr: &'a Expr) {
        // A type hint calls nothing.
    }
}
