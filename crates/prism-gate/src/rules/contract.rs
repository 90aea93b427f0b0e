//! # The two functions that the harness calls
//!
//! ## What it does
//!
//! Requires that the architecture file defines `build_model` and the training file defines `train`, and that each can be
//! called with one positional argument, `ctx`, and does its work in that call: no coroutine and no generator. The function
//! may also be imported from a helper, or be a `lambda`, a class, a `functools.partial` or anything else that is callable.
//! What surely is not, such as a number or the variable of a loop, is refused.
//!
//! Nor may these two files begin with a relative import (`from .layers import ...`): they are modules by themselves, not
//! parts of a package. Files of a package in the bundle may.
//!
//! A `prism.yaml` that names a missing file, or one file for both, is refused before any rule runs.
//!
//! ## Why is this refused?
//!
//! The harness imports both files and calls `build_model(ctx)` and `train(ctx)`. The run would fail at once.
//!
//! ## Example
//!
//! ```python
//! def build_model(config, width):
//!     return Model(config, width)
//! ```
//!
//! Use instead:
//!
//! ```python
//! def build_model(ctx, width=512):
//!     return Model(ctx.vocab_size, width)
//! ```

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{self as ast, ExceptHandler, Expr, Stmt};
use ruff_text_size::{Ranged, TextRange};
use rustc_hash::FxHashSet;

use crate::check::Checker;
use crate::rule::{Rule, RuleSet};
use crate::semantic::binder;
use crate::source::Role;

pub(crate) static RULE: Rule = Rule::error("PRS301", "prism:contract", include_str!("contract.rs"));

pub(crate) static SET: RuleSet = RuleSet {
    reason: "is not what the harness calls",
    bundle: Some(bundle),
    ..RuleSet::of(&RULE)
};

/// What a module may leave bound to a name.
#[derive(Clone, Copy)]
enum Bound<'a> {
    Function(&'a ast::StmtFunctionDef),
    Value(&'a Expr),
    /// An import of this name from this module.
    From(&'a ast::StmtImportFrom, &'a str),
    /// The variable of a loop.
    Loop(TextRange),
    Deleted(TextRange),
    /// Anything that may be callable.
    Unknown,
}

/// What became of a name.
enum Verdict {
    /// It may be called.
    Fits,
    /// Nothing is bound to it.
    Missing,
    Unfit(Flaw),
}

/// Most names that are followed from an entry point.
const NAMES_MAX: usize = 64;

/// Names that were followed, each in its module: none is followed twice.
type Seen = FxHashSet<(usize, String)>;

/// Why a binding cannot be called as the harness does.
struct Flaw {
    range: TextRange,
    what: String,
}

fn bundle(checker: &mut Checker<'_, '_>) {
    let home = checker.module;
    for (role, name, call) in [
        (Role::Architecture, "build_model", "def build_model(ctx):"),
        (Role::Training, "train", "def train(ctx):"),
    ] {
        let Some(module) = checker.sources.iter().position(|source| source.role == role) else {
            continue;
        };
        checker.module = module;
        let of_the_other = match role {
            Role::Architecture => "training",
            Role::Training | Role::Helper => "architecture",
        };
        if checker.sources[module].module == of_the_other {
            let message =
                format!("the harness gives the name `{of_the_other}` to another file of this bundle");
            checker.report(
                &RULE,
                TextRange::default(),
                message,
                "give this file a name of its own",
            );
        }
        // A file that was not read to its end has an error already.
        if !checker.trees[module]
            .as_ref()
            .is_ok_and(|parsed| parsed.errors().is_empty())
        {
            continue;
        }
        relative_imports(checker, module);
        match verdict(checker, module, name, &mut Seen::default()) {
            Verdict::Fits => {}
            Verdict::Missing => missing(checker, name, call),
            Verdict::Unfit(flaw) => {
                let message = format!("`{name}` {}; the harness calls `{name}(ctx)`", flaw.what);
                checker.report(
                    &RULE,
                    flaw.range,
                    message,
                    &format!("write `{call}` at the top level of the file"),
                );
            }
        }
    }
    checker.module = home;
}

/// Those that surely happen when the file is imported, and then fail.
fn relative_imports(checker: &mut Checker<'_, '_>, module: usize) {
    let Ok(parsed) = &checker.trees[module] else {
        return;
    };
    for stmt in &parsed.syntax().body {
        if let Stmt::ImportFrom(import) = stmt
            && import.level > 0
        {
            let from = match &import.module {
                Some(module) => format!("from {module} import ..."),
                None => "import ...".to_owned(),
            };
            let message = "this file is no part of a package, so that a relative import fails".to_owned();
            checker.report(
                &RULE,
                import.range,
                message,
                &format!("write `{from}`, without the dot"),
            );
        }
    }
}

fn missing(checker: &mut Checker<'_, '_>, name: &str, call: &str) {
    let elsewhere = (0..checker.sources.len())
        .filter(|other| *other != checker.module)
        .find(|other| !bound(checker, *other, name).is_empty())
        .map(|other| &checker.sources[other]);
    let hint = match elsewhere {
        Some(other) if other.role == Role::Helper => {
            format!("import it: `from {} import {name}`", other.module)
        }
        Some(other) => format!("move it here from `{}`", other.path),
        None => format!("write `{call}` at the top level of the file"),
    };
    let message = format!("this file does not define `{name}`, which the harness calls");
    checker.report(&RULE, TextRange::default(), message, &hint);
}

/// What a module leaves bound to a name.
fn verdict(checker: &Checker<'_, '_>, module: usize, name: &str, seen: &mut Seen) -> Verdict {
    if seen.len() >= NAMES_MAX || !seen.insert((module, name.to_owned())) {
        return Verdict::Fits;
    }
    let bound = bound(checker, module, name);
    if bound.is_empty() {
        let scopes = &checker.names.modules[module];
        let may_be_there = scopes.scopes[0].names.contains_key(name)
            || scopes.stars.iter().any(|star| match of_module(checker, star) {
                Some(other) => !matches!(verdict(checker, other, name, seen), Verdict::Missing),
                None => !checker.names.is_bundled(star),
            });
        return if may_be_there {
            Verdict::Fits
        } else {
            Verdict::Missing
        };
    }
    let mut first = None;
    for one in bound {
        // Where one of several may be right, it is left to the run.
        let Some(flaw) = of_binding(checker, module, one, seen) else {
            return Verdict::Fits;
        };
        first = first.or(Some(flaw));
    }
    first.map_or(Verdict::Fits, Verdict::Unfit)
}

fn of_binding(checker: &Checker<'_, '_>, module: usize, bound: Bound<'_>, seen: &mut Seen) -> Option<Flaw> {
    let flaw = |range, what: &str| {
        Some(Flaw {
            range,
            what: what.to_owned(),
        })
    };
    match bound {
        Bound::Function(function) if !function.decorator_list.is_empty() => None,
        Bound::Function(function) => of_function(function),
        Bound::Value(Expr::Lambda(lambda)) => {
            let parameters = lambda.parameters.as_deref();
            flaw(
                lambda.range,
                parameters.map_or(Some("takes no argument"), of_parameters)?,
            )
        }
        Bound::Value(Expr::Name(other)) => match verdict(checker, module, other.id.as_str(), seen) {
            Verdict::Unfit(inner) => flaw(other.range, &inner.what),
            Verdict::Fits | Verdict::Missing => None,
        },
        Bound::Value(value) if is_not_callable(value) => flaw(value.range(), "cannot be called"),
        Bound::From(import, imported) => {
            let path = binder::absolute(&checker.sources[module], import);
            let Some(other) = of_module(checker, &path) else {
                let is_a_module = of_module(checker, &format!("{path}.{imported}")).is_some();
                return is_a_module.then(|| flaw(import.range, "is a module")).flatten();
            };
            match verdict(checker, other, imported, seen) {
                Verdict::Fits => None,
                Verdict::Missing => flaw(
                    import.range,
                    &format!("is not defined in `{}`", checker.sources[other].path),
                ),
                Verdict::Unfit(inner) => flaw(import.range, &inner.what),
            }
        }
        Bound::Loop(range) => flaw(range, "is the variable of a loop in the end"),
        Bound::Deleted(range) => flaw(range, "is deleted"),
        Bound::Value(_) | Bound::Unknown => None,
    }
}

fn of_module(checker: &Checker<'_, '_>, path: &str) -> Option<usize> {
    checker.sources.iter().position(|source| source.module == path)
}

fn of_function(function: &ast::StmtFunctionDef) -> Option<Flaw> {
    let what = if function.is_async {
        "is a coroutine, whose call runs nothing"
    } else if Yields::any(&function.body) {
        "is a generator, whose call runs nothing"
    } else {
        of_parameters(&function.parameters)?
    };
    Some(Flaw {
        range: function.name.range,
        what: what.to_owned(),
    })
}

/// Whether one positional argument fits.
fn of_parameters(parameters: &ast::Parameters) -> Option<&'static str> {
    let positional = || parameters.posonlyargs.iter().chain(&parameters.args);
    if positional().next().is_none() && parameters.vararg.is_none() {
        return Some("takes no positional argument");
    }
    if positional()
        .filter(|parameter| parameter.default.is_none())
        .count()
        > 1
    {
        return Some("asks for more than one argument");
    }
    let asks_for_a_keyword = parameters
        .kwonlyargs
        .iter()
        .any(|parameter| parameter.default.is_none());
    asks_for_a_keyword.then_some("asks for a keyword argument")
}

fn is_not_callable(value: &Expr) -> bool {
    value.is_literal_expr()
        || matches!(
            value,
            Expr::FString(_)
                | Expr::Tuple(_)
                | Expr::List(_)
                | Expr::Dict(_)
                | Expr::Set(_)
                | Expr::ListComp(_)
                | Expr::SetComp(_)
                | Expr::DictComp(_)
                | Expr::Generator(_)
                | Expr::Compare(_)
        )
}

/// Whether a body has a `yield` of its own.
struct Yields(bool);

impl Yields {
    fn any(body: &[Stmt]) -> bool {
        let mut yields = Self(false);
        yields.visit_body(body);
        yields.0
    }
}

impl<'a> Visitor<'a> for Yields {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        if !matches!(stmt, Stmt::FunctionDef(_) | Stmt::ClassDef(_)) {
            visitor::walk_stmt(self, stmt);
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Yield(_) | Expr::YieldFrom(_) => self.0 = true,
            Expr::Lambda(_) => {}
            _ => visitor::walk_expr(self, expr),
        }
    }
}

/// What the statements of a module may leave bound to a name.
fn bound<'a>(checker: &Checker<'_, 'a>, module: usize, name: &str) -> Vec<Bound<'a>> {
    let mut found = Vec::new();
    if let Ok(parsed) = &checker.trees[module] {
        bound_in(&parsed.syntax().body, name, true, &mut found);
    }
    found
}

fn bound_in<'a>(body: &'a [Stmt], name: &str, is_certain: bool, found: &mut Vec<Bound<'a>>) {
    for stmt in body {
        match stmt {
            Stmt::FunctionDef(function) if function.name.as_str() == name => {
                bind(found, is_certain, Bound::Function(function));
            }
            Stmt::ClassDef(class) if class.name.as_str() == name => bind(found, is_certain, Bound::Unknown),
            Stmt::Assign(assign) => {
                for target in &assign.targets {
                    if is_name(target, name) {
                        bind(found, is_certain, Bound::Value(&assign.value));
                    } else if holds_name(target, name) {
                        bind(found, is_certain, Bound::Unknown);
                    }
                }
            }
            Stmt::AnnAssign(assign) => {
                if let Some(value) = assign.value.as_deref().filter(|_| is_name(&assign.target, name)) {
                    bind(found, is_certain, Bound::Value(value));
                }
            }
            Stmt::Import(import) => {
                let binds =
                    |alias: &ast::Alias| alias.asname.as_ref().unwrap_or(&alias.name).as_str() == name;
                if import.names.iter().any(binds) {
                    bind(found, is_certain, Bound::Unknown);
                }
            }
            Stmt::ImportFrom(import) => {
                for alias in &import.names {
                    if alias.asname.as_ref().unwrap_or(&alias.name).as_str() == name {
                        bind(found, is_certain, Bound::From(import, alias.name.as_str()));
                    }
                }
            }
            Stmt::Delete(delete) => {
                for target in delete.targets.iter().filter(|target| is_name(target, name)) {
                    bind(found, is_certain, Bound::Deleted(target.range()));
                }
            }
            Stmt::For(each) if holds_name(&each.target, name) => {
                bind(found, is_certain, Bound::Loop(each.target.range()));
            }
            _ => {}
        }
        for inner in bodies(stmt) {
            bound_in(inner, name, false, found);
        }
    }
}

/// What surely happens replaces what was there.
fn bind<'a>(found: &mut Vec<Bound<'a>>, is_certain: bool, bound: Bound<'a>) {
    if is_certain {
        found.clear();
    }
    found.push(bound);
}

/// The bodies of a statement that share its scope.
fn bodies(stmt: &Stmt) -> Vec<&[Stmt]> {
    match stmt {
        Stmt::If(branch) => std::iter::once(&branch.body[..])
            .chain(branch.elif_else_clauses.iter().map(|clause| &clause.body[..]))
            .collect(),
        Stmt::Try(attempt) => [&attempt.body[..], &attempt.orelse, &attempt.finalbody]
            .into_iter()
            .chain(
                attempt
                    .handlers
                    .iter()
                    .map(|ExceptHandler::ExceptHandler(handler)| &handler.body[..]),
            )
            .collect(),
        Stmt::For(each) => vec![&each.body, &each.orelse],
        Stmt::While(each) => vec![&each.body, &each.orelse],
        Stmt::With(with) => vec![&with.body],
        Stmt::Match(choice) => choice.cases.iter().map(|case| &case.body[..]).collect(),
        _ => Vec::new(),
    }
}

fn is_name(expr: &Expr, name: &str) -> bool {
    matches!(expr, Expr::Name(found) if found.id.as_str() == name)
}

fn holds_name(expr: &Expr, name: &str) -> bool {
    match expr {
        Expr::Tuple(tuple) => tuple.elts.iter().any(|element| holds_name(element, name)),
        Expr::List(list) => list.elts.iter().any(|element| holds_name(element, name)),
        Expr::Starred(starred) => holds_name(&starred.value, name),
        _ => is_name(expr, name),
    }
}
