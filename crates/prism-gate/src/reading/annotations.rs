//! Annotations and type comments that somebody evaluates: `TorchScript`, and `register` of a `singledispatch` function.
//!
//! [`crate::rules::no_dynamic_code`] calls it. They must be types and nothing else.

use ruff_python_ast::{AnyParameterRef, Expr, Operator, StmtFunctionDef};
use ruff_text_size::{Ranged, TextRange, TextSize};

use crate::check::Checker;
use crate::knowledge::{libraries, verdict};
use crate::reading::texts;
use crate::rules::no_dynamic_code::RULE;
use crate::semantic::{Call, Meaning, Meant as _, Reference, Usage};

/// `TorchScript` evaluates what stands behind `# type:` in the source of a function.
pub(crate) fn type_comments(checker: &mut Checker<'_, '_>) {
    let text: &str = checker.source().text;
    let mut found = Vec::new();
    for (start, mark) in text.match_indices("# type:") {
        let rest = &text[start + mark.len()..];
        let line = rest.split(['\n', '\r']).next().unwrap_or_default();
        // A comment behind the types is none of it.
        let types = line.split('#').next().unwrap_or_default();
        let types = types.trim_start().trim_start_matches('(');
        let is_code = !types.trim_start().starts_with("ignore")
            && types
                .split("->")
                .any(|side| is_code(checker, side.trim_matches([' ', ')', ','])));
        if types.contains('(') || types.contains("__") || is_code {
            found.push(range_of(start, mark.len() + line.len()));
        }
        if found.len() > COMMENTS_MAX {
            break;
        }
    }
    for range in found {
        let message = "this type comment is code, which TorchScript would run".to_owned();
        checker.report(
            &RULE,
            range,
            message,
            "write types only, or annotate the parameters",
        );
    }
}

/// Most findings about type comments of one file.
const COMMENTS_MAX: usize = 16;

fn range_of(start: usize, length: usize) -> TextRange {
    let number = |value: usize| TextSize::try_from(value).unwrap_or_default();
    TextRange::at(number(start), number(length))
}

/// `View.register(kind)` makes objects of any class count as those of a class of the bundle; `f.register` is called, or
/// decorates, where it is named.
pub(crate) fn registers_a_class<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    let Expr::Attribute(attribute) = reference.expr else {
        return;
    };
    if attribute.attr.as_str() != "register" {
        return;
    }
    let is_a_class = |meaning: &Meaning| checker.names.class_of(meaning).is_some();
    let of_a_class =
        !checker.may_have_given("register") && checker.meanings(&attribute.value).iter().any(is_a_class);
    // A decorator stands where it can be seen what it is given.
    let is_renamed = matches!(reference.usage, Usage::Load)
        && !checker.may_have_given("register")
        && !checker.registers.contains(&(&raw const *reference.expr));
    if is_renamed {
        let message =
            "`register` is given another name, and may run the annotations of what it is given".to_owned();
        checker.report(
            &RULE,
            &attribute.attr,
            message,
            "write `@function.register` where it is used",
        );
    }
    if of_a_class {
        let message = "objects of other classes are made to count as those of this one".to_owned();
        checker.report(&RULE, &attribute.attr, message, "derive from the class");
    }
}

/// `@show.register`, right before a `def`: what stands between could give it another function.
pub(crate) fn decorates<'a>(checker: &mut Checker<'_, 'a>, function: &'a StmtFunctionDef) {
    for (above, decorator) in function.decorator_list.iter().rev().enumerate() {
        if !matches!(&decorator.expression, Expr::Attribute(of) if of.attr.as_str() == "register") {
            continue;
        }
        checker.registers.insert(&raw const decorator.expression);
        if above == 0 {
            registered(checker, function);
        } else {
            report_annotation(checker, decorator.range());
        }
    }
}

/// `@show.register` evaluates the annotations of the function below it, so that these must name classes.
fn registered(checker: &mut Checker<'_, '_>, function: &StmtFunctionDef) {
    let annotations = function.parameters.iter().filter_map(AnyParameterRef::annotation);
    let unseen = annotations
        .chain(function.returns.as_deref())
        .find(|annotation| !names_a_class(checker, annotation))
        .map(Ranged::range);
    if let Some(range) = unseen {
        report_annotation(checker, range);
    }
}

/// A class of a library or of the bundle by its name, `None`, or a union of such.
fn names_a_class(checker: &Checker<'_, '_>, expr: &Expr) -> bool {
    match expr {
        Expr::Name(_) | Expr::Attribute(_) => {
            let meanings = checker.meanings(expr);
            !meanings.is_empty()
                && meanings.iter().all(|meaning| match meaning {
                    Meaning::Library(path) => libraries::is_class(path) || path.starts_with("builtins."),
                    meaning => checker.names.class_of(meaning).is_some(),
                })
        }
        Expr::BinOp(union) => names_a_class(checker, &union.left) && names_a_class(checker, &union.right),
        expr => expr.is_none_literal_expr(),
    }
}

/// `show.register(Kind)`, `show.register(Kind, function)`: without a class it evaluates the annotations of what it is given.
pub(crate) fn registers<'a>(checker: &mut Checker<'_, 'a>, call: &Call<'a>) {
    let Expr::Attribute(method) = &*call.expr.func else {
        return;
    };
    if method.attr.as_str() != "register" {
        return;
    }
    let first = call.expr.arguments.args.first();
    let dispatches = || {
        let uses = checker.uses();
        DISPATCHERS
            .iter()
            .any(|name| uses.calls.contains_key(name) || uses.is_handed_on(name))
    };
    let is_own = checker.may_have_given("register") && !dispatches();
    if !is_own && !first.is_some_and(|first| names_a_class(checker, first)) {
        let message = "`register` without a class runs the annotations of what it is given".to_owned();
        checker.report(
            &RULE,
            call.expr,
            message,
            "write `@function.register(Kind)` before the `def`",
        );
    }
}

/// What makes functions that have a `register`.
const DISPATCHERS: &[&str] = &["singledispatch", "singledispatchmethod"];

fn text_is_a_type(checker: &mut Checker<'_, '_>, range: TextRange, text: &str) {
    let may_be_code = text.contains(['(', '{', '[', '.'])
        || text.contains("lambda")
        || text.contains(":=")
        || text.contains(" for ");
    if text.contains("__") || may_be_code && is_code(checker, text) {
        report_annotation(checker, range);
    }
}

/// Longest annotation that is parsed, in bytes.
const ANNOTATION_BYTES_MAX: usize = 512;

/// Whether a text is an expression that does something. `B T (H D)` is none: whoever evaluates it hears of a syntax error.
fn is_code(checker: &Checker<'_, '_>, text: &str) -> bool {
    if text.len() > ANNOTATION_BYTES_MAX {
        return true;
    }
    let parsed = ruff_python_parser::parse_expression(text.trim());
    parsed.is_ok_and(|parsed| does_something(checker, parsed.expr()))
}

/// Whether evaluating it does more than to name types. An index of a class of the bundle may call a method of its own.
fn does_something(checker: &Checker<'_, '_>, expr: &Expr) -> bool {
    let does = |expr: &Expr| does_something(checker, expr);
    match expr {
        Expr::Name(_)
        | Expr::StringLiteral(_)
        | Expr::NumberLiteral(_)
        | Expr::NoneLiteral(_)
        | Expr::EllipsisLiteral(_)
        | Expr::BooleanLiteral(_) => false,
        Expr::Attribute(attribute) => {
            does(&attribute.value)
                || checker
                    .meanings(expr)
                    .any_path(|path| verdict::of_reference(path).is_some())
        }
        Expr::Subscript(generic) => {
            let is_own = checker
                .meanings(&generic.value)
                .iter()
                .any(|meaning| meaning.path().is_none());
            let gives_methods = ["__getitem__", "__class_getitem__"]
                .iter()
                .any(|name| checker.names.gives(name));
            is_own && gives_methods || does(&generic.value) || does(&generic.slice)
        }
        Expr::Tuple(tuple) => tuple.elts.iter().any(does),
        Expr::List(list) => list.elts.iter().any(does),
        Expr::UnaryOp(unary) => does(&unary.operand),
        Expr::BinOp(both) => does(&both.left) || does(&both.right),
        _ => true,
    }
}

fn report_annotation(checker: &mut Checker<'_, '_>, range: TextRange) {
    let message = "this annotation is code, which some libraries would run".to_owned();
    checker.report(&RULE, range, message, "write a type, or leave the annotation out");
}

pub(crate) fn must_be_a_type(checker: &mut Checker<'_, '_>, annotation: &Expr) {
    match annotation {
        Expr::StringLiteral(literal) => {
            text_is_a_type(checker, literal.range(), literal.value.to_str());
        }
        Expr::Name(_) => {
            if let Some(text) = texts::only(checker, annotation) {
                text_is_a_type(checker, annotation.range(), &text);
            }
        }
        Expr::FString(_) => report_annotation(checker, annotation.range()),
        Expr::BinOp(sum) if sum.op != Operator::BitOr => report_annotation(checker, sum.range()),
        Expr::BinOp(union) => {
            must_be_a_type(checker, &union.left);
            must_be_a_type(checker, &union.right);
        }
        Expr::Subscript(generic) => {
            // The strings of these are values and no types.
            let meanings = checker.meanings(&generic.value);
            let is = |name: &str| {
                meanings.all_paths(|path| path.starts_with("typing") && path.rsplit('.').next() == Some(name))
            };
            match &*generic.slice {
                _ if is("Literal") => {}
                Expr::Tuple(tuple) if is("Annotated") => {
                    if let Some(of) = tuple.elts.first() {
                        must_be_a_type(checker, of);
                    }
                }
                slice => must_be_a_type(checker, slice),
            }
        }
        Expr::Named(named) => report_annotation(checker, named.range()),
        Expr::Tuple(tuple) => {
            for element in &tuple.elts {
                must_be_a_type(checker, element);
            }
        }
        _ => {}
    }
}
