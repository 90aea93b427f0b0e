//! A bundle's code in independent pieces: module bodies, class bodies and functions, each compared without the others.
//!
//! Their order, their nesting and the file they stand in mean nothing. What nothing mentions is left out, so that dead
//! code neither hides a copy nor claims what others will write later.

use ruff_python_ast::statement_visitor::{self, StatementVisitor};
use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{self as ast, Expr, Stmt};
use rustc_hash::{FxHashMap, FxHashSet};

use super::analysis::Pieces;
use super::statement::live;
use super::vocabulary;

/// One piece.
#[derive(Default)]
pub(super) struct Unit<'a> {
    pub(super) file: usize,
    pub(super) body: &'a [Stmt],
    /// Whether it is a function: what the statements of a file or a class bind may be used from elsewhere.
    pub(super) is_function: bool,
    /// The function itself, if it may be called by its name: not one that a library calls.
    pub(super) function: Option<&'a ast::StmtFunctionDef>,
    /// The name of the first parameter of a method.
    pub(super) own: Option<&'a str>,
    /// Whether it only sets up: plain names in it are settings.
    pub(super) sets_up: bool,
    /// The number of the class, or of the function outside of any class, that it belongs to: what is copied as a whole.
    pub(super) part: u32,
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
        file: 0,
        parent: None,
        around: Around::File,
    };
    for (file, body) in bodies.iter().enumerate() {
        collector.file = file;
        let mut mentions = Mentions(Vec::new());
        mentions.visit_body(body);
        let unit = Unit {
            body,
            sets_up: true,
            part: collector.part(true),
            mentions: mentions.0,
            ..Unit::default()
        };
        collector.within(unit, Around::File);
    }
    match pieces {
        Pieces::Reached => reached(collector.units),
        Pieces::All => collector.units,
    }
}

/// What lies around a definition.
#[derive(Clone, Copy, PartialEq, Eq)]
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
    /// Where the walk is.
    file: usize,
    parent: Option<usize>,
    around: Around,
}

impl<'a> Collector<'a> {
    /// The number of a part that begins here, or of the one around.
    fn part(&mut self, begins: bool) -> u32 {
        match self.parent {
            Some(parent) if !begins => self.units[parent].part,
            _ => {
                self.parts += 1;
                self.parts - 1
            }
        }
    }

    /// Adds a piece and those in it.
    fn within(&mut self, unit: Unit<'a>, around: Around) {
        let (file, body) = (self.file, unit.body);
        let parent = self.parent.replace(self.units.len());
        let outside = std::mem::replace(&mut self.around, around);
        self.units.push(Unit { file, parent, ..unit });
        self.visit_body(body);
        (self.parent, self.around) = (parent, outside);
    }

    fn class(&mut self, class: &'a ast::StmtClassDef) {
        let mut mentions = Mentions(Vec::new());
        mentions.visit_body(&class.body);
        if let Some(arguments) = &class.arguments {
            mentions.visit_arguments(arguments);
        }
        let unit = Unit {
            body: &class.body,
            sets_up: true,
            part: self.part(matches!(self.around, Around::File | Around::Function)),
            name: class.name.as_str(),
            needs_mention: class.decorator_list.is_empty(),
            mentions: mentions.0,
            ..Unit::default()
        };
        self.within(unit, Around::Class);
    }

    fn function(&mut self, stmt: &'a Stmt, function: &'a ast::StmtFunctionDef) {
        let in_class = self.around == Around::Class;
        let name = function.name.as_str();
        let is_static = |decorator: &ast::Decorator| {
            let name = decorator.expression.as_name_expr();
            name.is_some_and(|name| name.id.as_str() == "staticmethod")
        };
        let parameters = &function.parameters;
        let first = parameters.posonlyargs.first().or(parameters.args.first());
        let is_method = in_class && !function.decorator_list.iter().any(is_static);
        let is_hook = in_class && vocabulary::is_called_by_the_library(name);
        let is_called_from_outside = is_hook || matches!(name, "build_model" | "train");
        let mut mentions = Mentions(Vec::new());
        visitor::walk_stmt(&mut mentions, stmt);
        let unit = Unit {
            body: &function.body,
            is_function: true,
            function: (!is_called_from_outside).then_some(function),
            own: first
                .filter(|_| is_method)
                .map(|parameter| parameter.name().as_str()),
            sets_up: matches!(name, "__init__" | "build_model"),
            part: self.part(self.around == Around::File),
            name,
            needs_mention: !is_called_from_outside && function.decorator_list.is_empty(),
            mentions: mentions.0,
            ..Unit::default()
        };
        let around = match self.around {
            Around::Class | Around::Method => Around::Method,
            Around::File | Around::Function => Around::Function,
        };
        self.within(unit, around);
    }
}

impl<'a> StatementVisitor<'a> for Collector<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => self.function(stmt, function),
            Stmt::ClassDef(class) => self.class(class),
            _ => match live(stmt) {
                Some(body) => self.visit_body(body),
                None => statement_visitor::walk_stmt(self, stmt),
            },
        }
    }
}

/// Keeps what can be come to from the top of a file.
fn reached(units: Vec<Unit<'_>>) -> Vec<Unit<'_>> {
    let mut by_name: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); units.len()];
    let mut due: Vec<usize> = Vec::new();
    for (at, unit) in units.iter().enumerate() {
        by_name.entry(unit.name).or_default().push(at);
        match unit.parent {
            Some(parent) => children[parent].push(at),
            None => due.push(at),
        }
    }
    let mut mentioned: FxHashSet<&str> = FxHashSet::default();
    let mut is_reached = vec![false; units.len()];
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
    let reached = units.into_iter().zip(is_reached);
    reached
        .filter_map(|(unit, is_reached)| is_reached.then_some(unit))
        .collect()
}

/// Every word by which a piece may mean a definition. Definitions within it are pieces of their own.
struct Mentions<'a>(Vec<&'a str>);

impl<'a> Visitor<'a> for Mentions<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => {}
            Stmt::ImportFrom(import) => {
                let renamed = import.names.iter().filter(|alias| alias.asname.is_some());
                self.0.extend(renamed.map(|alias| alias.name.as_str()));
            }
            _ => match live(stmt) {
                Some(body) => self.visit_body(body),
                None => visitor::walk_stmt(self, stmt),
            },
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) if name.ctx.is_load() => self.0.push(name.id.as_str()),
            Expr::Attribute(attribute) => self.0.push(attribute.attr.as_str()),
            Expr::StringLiteral(literal) if !literal.value.is_implicit_concatenated() => {
                self.0.push(literal.value.to_str());
            }
            _ => {}
        }
        visitor::walk_expr(self, expr);
    }

    fn visit_annotation(&mut self, _expr: &'a Expr) {
        // A type hint calls nothing.
    }
}
