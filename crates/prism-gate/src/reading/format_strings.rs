//! Templates that cannot be read: `str.format` reads whatever attributes its text names.
//!
//! [`crate::rules::no_dynamic_attr`] calls it. A template that is spelled out is read by [`crate::rules::no_attribute_escape`]. One that
//! is computed may be filled with what is surely text or a number, and with nothing else: from any other object a field
//! leads on, to the documentation of a library for one.

use ruff_python_ast::{self as ast, Expr, ExprCall, Operator, UnaryOp};
use ruff_text_size::Ranged;

use crate::check::Checker;
use crate::knowledge::Words;
use crate::semantic::{Call, Meant as _, Reference, Usage};

use crate::reading::{classes, texts};

use crate::rules::no_dynamic_attr::RULE;
use crate::rules::{no_attribute_escape, undocumented_attribute};

/// The methods that fill a template.
pub(crate) const METHODS: &[&str] = &["format", "format_map"];

/// What `logging` makes its templates of. They must be called where they are named.
const OF_LOGGING: [&str; 2] = ["logging.Formatter", "logging.basicConfig"];

/// What makes text or a number of anything.
static PLAIN: Words = Words::new(
    "builtins.ascii builtins.bin builtins.bool builtins.float builtins.format builtins.hex builtins.int \
     builtins.len builtins.ord builtins.repr builtins.str json.dumps",
);
/// How deeply an argument is looked into.
const DEPTH_MAX: usize = 16;

const HINT: &str = "write the template out, or turn the values into text first: `str(x)`";

/// Judges a chain of attributes with one of [`METHODS`] in it.
pub(crate) fn reference<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    let Expr::Attribute(whole) = reference.expr else {
        return;
    };
    let call = match reference.usage {
        Usage::Call(call) => Some(call),
        Usage::Load => None,
        Usage::Store | Usage::Delete => return,
    };
    let (mut attribute, mut is_whole) = (whole, true);
    loop {
        if METHODS.contains(&attribute.attr.as_str()) {
            judge(checker, attribute, call.filter(|_| is_whole));
        }
        let Expr::Attribute(inner) = &*attribute.value else {
            return;
        };
        (attribute, is_whole) = (inner, false);
    }
}

fn judge(checker: &mut Checker<'_, '_>, attribute: &ast::ExprAttribute, call: Option<&ExprCall>) {
    let known = texts::of(checker, &attribute.value);
    if let Some(texts) = known.filter(|texts| !texts.is_empty()) {
        return fields(checker, attribute, &texts);
    }
    let Some(call) = call else {
        let message =
            "the method that fills a template is handed on, so that its fields cannot be read".to_owned();
        checker.report(&RULE, attribute.attr.range, message, HINT);
        return;
    };
    // `str.format(template, x)`
    let given = &call.arguments.args;
    let is_unbound = checker.may_be(&attribute.value, "builtins.str");
    if is_unbound && let Some(text) = given.first().and_then(|first| texts::only(checker, first)) {
        return fields(checker, attribute, &[text]);
    }
    let values = &given[usize::from(is_unbound).min(given.len())..];
    let keywords = &call.arguments.keywords;
    let is_plain = values.iter().all(|value| is_plain(checker, value, 0))
        && keywords
            .iter()
            .all(|keyword| keyword.arg.is_some() && is_plain(checker, &keyword.value, 0));
    if !is_plain {
        let message = "a template that is not spelled out may read any attribute of what fills it".to_owned();
        checker.report(&RULE, call.range(), message, HINT);
    }
}

/// A field of a template reads attributes as a dot does, of an object that cannot be seen.
fn fields(checker: &mut Checker<'_, '_>, template: &ast::ExprAttribute, texts: &[String]) {
    let refused = texts
        .iter()
        .flat_map(|text| attributes_of_fields(text))
        .find(|name| {
            name.starts_with('_')
                || no_attribute_escape::is_refused(name)
                || undocumented_attribute::flaw(checker, None, name).is_some()
        });
    if let Some(name) = refused {
        let message = format!("the template reads the attribute `{name}` of what fills it");
        checker.report(
            &RULE,
            template.attr.range,
            message,
            "read the attribute first, then format it",
        );
    }
}

/// Where a field ends that has just begun: at one of these letters. Python reads past all of them between brackets.
pub(crate) fn field_end(field: &str, ends: &[char]) -> usize {
    let mut is_within = false;
    for (place, letter) in field.char_indices() {
        match letter {
            '[' => is_within = true,
            ']' => is_within = false,
            _ if !is_within && ends.contains(&letter) => return place,
            _ => {}
        }
    }
    field.len()
}

/// The attributes that the fields of a template name.
fn attributes_of_fields(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        rest = &rest[open + 1..];
        let end = field_end(rest, &['{', '}', '!', ':']);
        let dotted = rest[..end].split('.').skip(1);
        names.extend(dotted.map(|part| part.split('[').next().unwrap_or(part)));
    }
    names
}

/// Whether an expression is text or a number, or a collection of such, whatever the run brings.
fn is_plain(checker: &Checker<'_, '_>, expr: &Expr, depth: usize) -> bool {
    let plain = |expr: &Expr| depth < DEPTH_MAX && is_plain(checker, expr, depth + 1);
    match expr {
        Expr::StringLiteral(_)
        | Expr::BytesLiteral(_)
        | Expr::NumberLiteral(_)
        | Expr::BooleanLiteral(_)
        | Expr::NoneLiteral(_) => true,
        Expr::FString(_) => !classes::may_be_text(checker),
        Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
            elts.iter().all(plain)
        }
        Expr::Dict(dict) => dict
            .items
            .iter()
            .all(|item| item.key.as_ref().is_some_and(plain) && plain(&item.value)),
        Expr::UnaryOp(unary) => unary.op == UnaryOp::Not || plain(&unary.operand),
        // `"%s" % x` is text; `*` and the others are plain where both sides are.
        Expr::BinOp(both) => {
            (both.op == Operator::Mod && both.left.is_string_literal_expr() && !classes::may_be_text(checker))
                || plain(&both.left) && plain(&both.right)
        }
        Expr::If(either) => plain(&either.body) && plain(&either.orelse),
        Expr::Call(call) => {
            let callee = checker.meanings(&call.func);
            // `json.dumps(x, cls=Own)` gives whatever that class says.
            let mut options = call.arguments.keywords.iter();
            let is_seen =
                options.all(|option| option.arg.as_ref().is_some_and(|name| name.as_str() != "cls"));
            callee.all_paths(|path| PLAIN.contains(path)) && is_seen && !classes::may_be_text(checker)
        }
        _ => texts::only(checker, expr).is_some(),
    }
}

/// Whether the path is one that must be called where it is named, and not reached by `getattr`.
pub(crate) fn is_of_logging(path: &str) -> bool {
    OF_LOGGING.contains(&path)
}

/// `getattr(template, "format")` and `case str(format=fill)` read the method as well.
pub(crate) fn report_method(checker: &mut Checker<'_, '_>, at: impl Ranged) {
    let message = "the method that fills a template is reached by its name".to_owned();
    checker.report(&RULE, at, message, HINT);
}

/// `logging` fills templates too, where it is told to do it in the style of `str.format`.
pub(crate) fn call<'a>(checker: &mut Checker<'_, 'a>, call: &Call<'a>) {
    // A traceback of one's own makes a log print lines of any file.
    let told = call.expr.arguments.find_keyword("exc_info");
    if told.is_some_and(|told| !told.value.is_boolean_literal_expr()) {
        let message = "a log reads the files that a traceback names".to_owned();
        checker.report(&RULE, call.expr, message, "write `exc_info=True`");
    }
    let places = match () {
        () if call.may_be("logging.Formatter") => 2,
        () if call.may_be("logging.basicConfig") => usize::MAX,
        () => return,
    };
    let arguments = &call.expr.arguments;
    let is_percent = |value: &Expr| texts::only(checker, value).as_deref() == Some("%");
    let is_seen = arguments.args.len() <= places
        && !arguments.args.iter().any(Expr::is_starred_expr)
        && arguments.keywords.iter().all(|keyword| match &keyword.arg {
            Some(name) => name.as_str() != "style" || is_percent(&keyword.value),
            None => false,
        });
    if !is_seen {
        let message = "the fields of a log's template may read any attribute of what is logged".to_owned();
        checker.report(
            &RULE,
            call.expr,
            message,
            "leave `style` out and write `%(message)s`",
        );
    }
}

/// `class Own(logging.Formatter)` can be called with any style.
pub(crate) fn formatter_as_a_value<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    let is_one = reference.paths().any(|path| OF_LOGGING.contains(&path));
    if is_one
        && matches!(reference.usage, Usage::Load)
        && !checker.module_places.contains(&(&raw const *reference.expr))
    {
        let message = "what fills the templates of a log is handed on".to_owned();
        checker.report(
            &RULE,
            reference.expr,
            message,
            "call `logging.basicConfig(format=...)`",
        );
    }
}
