//! # Attributes that lead out
//!
//! ## What it does
//!
//! Refuses the attributes by which a Python object leads to its class, its module, its code or its frame: `__class__`,
//! `__globals__`, `__subclasses__`, `__dict__`, `__code__`, `__builtins__`, `gi_frame`, `tb_frame`, `f_globals` and their
//! like, wherever they are named: in an expression, a pattern of `match`, a format string or as the name of a method. Methods
//! that a class may well define, such as `__init__`, `__len__` or `__call__`, are allowed, and so are `__name__` and
//! `__version__`. `x.__class__.__name__`, `self.__class__` and the `__dict__` of an object that is plainly the bundle's own are
//! allowed. A pattern by place (`case View(x)`) is allowed only where it is plain which attribute it reads.
//!
//! `__getattr__` may hand on or look up what it returns; one that makes it up begins with a guard for names with two underscores.
//! Keywords (`f(tb_frame=x)`) and keys (`x["__class__"]`) are judged like attributes, and so are names that a class below a
//! library's class gives its fields.
//!
//! A module cannot change the names that it is loaded by (`__file__`), and `__enter__` is called by `with` alone.
//!
//! Refuses documentation as well: `__doc__` of any object (a module's own, by its bare name, is allowed), `numpy.info`
//! the texts that `torch` puts its documentation together from, and classes that are told what they wrap.
//!
//! ## Why is this refused?
//!
//! From any object a chain of such attributes leads to everything that the process has. The documentation of the libraries
//! is megabytes of English: a model could learn from it without paying for one byte of it, in its bundle or on the stream.
//!
//! ## Example
//!
//! ```python
//! name = model.__class__.__name__
//! parameters = vars(config)
//! ```
//!
//! Use instead:
//!
//! ```python
//! name = type(model).__name__
//! parameters = dataclasses.asdict(config)
//! ```

use crate::knowledge::libraries::{At, Kind};
use crate::knowledge::{Words, attributes, libraries};
use crate::rule::{Rule, RuleSet, denied};
use std::borrow::Cow;

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{self as ast, Expr, ExprContext, Operator, Pattern, Stmt, StmtFunctionDef};
use ruff_text_size::{Ranged, TextRange};

use crate::check::Checker;
use crate::reading::{classes, format_strings, own, texts};
use crate::semantic::uses::first_parameter;
use crate::semantic::{BindingKind, Call, Meaning, Meant as _, Reference, ScopeKind, Store, Usage};

pub(crate) static RULE: Rule = Rule::error(
    "PRS109",
    "prism:no-attribute-escape",
    include_str!("no_attribute_escape.rs"),
);

pub(crate) static SET: RuleSet = RuleSet {
    reason: "leads behind an object",
    denied: &[
        denied(
            "numpy.info torch.fft.common_args torch.fft.factory_common_args torch.linalg.common_notes \
             torch.nn.functional.reproducibility_notes torch.nn.functional.sparse_support_notes \
             torch.nn.modules.conv.convolution_notes torch.nn.modules.conv.reproducibility_notes \
             torch.signal.windows.windows.factory_common_args \
             torch.signal.windows.windows.window_common_args torch.special.common_args \
             torch.special.multi_dim_common torch.nn.functional.tf32_notes torch.nn.modules.conv.tf32_notes",
            TEXT_HINT,
        ),
        denied(
            "logging.captureWarnings",
            "leave it out: a warning holds lines of the source of libraries",
        ),
    ],
    attributes: INNER,
    reference: Some(reference),
    store: Some(store),
    call: Some(call),
    expression: Some(expression),
    statement: Some(statement),
    pattern: Some(pattern),
    ..RuleSet::of(&RULE)
};

const TEXT_HINT: &str = "text that the model needs is part of the bundle: write it there";

/// Dunder names that may be read of any object, sorted. Those of operators can be called, which does what the operator does.
static HARMLESS: Words = Words::new(
    "__abs__ __add__ __aenter__ __aexit__ __all__ __and__ __author__ __bool__ __call__ __complex__ \
     __constants__ __contains__ __copy__ __debug__ __deepcopy__ __delitem__ __divmod__ __enter__ __eq__ \
     __exit__ __file__ __float__ __floordiv__ __format__ __ge__ __getitem__ __gt__ __hash__ __iadd__ \
     __imul__ __index__ __init__ __int__ __invert__ __isub__ __iter__ __itruediv__ __le__ __len__ \
     __length_hint__ __lt__ __match_args__ __matmul__ __missing__ __mod__ __mul__ __name__ __ne__ __neg__ \
     __next__ __or__ __pos__ __post_init__ __pow__ __qualname__ __radd__ __repr__ __reversed__ __rmatmul__ \
     __rmod__ __rmul__ __round__ __rpow__ __rsub__ __rtruediv__ __setitem__ __slots__ __str__ __sub__ \
     __truediv__ __version__ __xor__",
);

/// Dunder names that a class may define besides [`HARMLESS`]; reading them of another object is refused.
static DEFINABLE: Words = Words::new(
    "__new__ __getattr__ __delattr__ __setattr__ __init_subclass__ __class_getitem__ __getstate__ \
     __setstate__",
);

/// Names without underscores that lead to frames, code and class hierarchies, sorted.
const INNER: &str = "ag_await ag_code ag_frame co_argcount co_code co_consts co_filename co_names co_positions co_varnames \
     cr_await cr_code cr_frame cr_origin f_back f_builtins f_code f_globals f_lasti f_lineno f_locals \
     f_trace func_closure func_code func_defaults func_dict func_doc func_globals gi_code gi_frame \
     gi_yieldfrom im_class im_func im_self mro obj tb_frame tb_lasti tb_next with_traceback";
static INNER_WORDS: Words = Words::new(INNER);

/// Whether an attribute of this name may be read of any object.
pub(crate) fn is_refused(name: &str) -> bool {
    if name.starts_with("__") && name.ends_with("__") && name.len() > 4 {
        return !HARMLESS.contains(name);
    }
    INNER_WORDS.contains(name)
}

/// Whether one of the names without underscores that lead to frames and code is as said.
pub(crate) fn any_refused(is: impl Fn(&str) -> bool) -> bool {
    INNER_WORDS.iter().any(is)
}

fn report(checker: &mut Checker<'_, '_>, name: &str, range: TextRange) {
    if matches!(name, "__doc__" | "func_doc") {
        let message = format!("`{name}` reads documentation, which is text from outside of the bundle");
        checker.report(&RULE, range, message, TEXT_HINT);
        return;
    }
    let hint = match name {
        "__class__" => "write `type(x)`: `type(x).__name__` is its name",
        "__dict__" => "write the attributes out, or use `dataclasses.asdict`",
        "__bases__" | "__mro__" | "__subclasses__" | "mro" => "use `isinstance` or `issubclass`",
        "obj" => {
            "an exception keeps the object whose attribute was missing as `obj`: give yours another name"
        }
        "__annotations__" => {
            "annotations are for readers; use `dataclasses.fields`, or keep what you need in a dictionary"
        }
        "__setattr__" => "assign to the attribute: `self.x = y`",
        "__traceback__" | "with_traceback" | "tb_frame" => {
            "let the exception end the run: the report shows your traceback"
        }
        _ => "use what the object documents",
    };
    checker.report(
        &RULE,
        range,
        format!("`{name}` leads to the interpreter behind an object"),
        hint,
    );
}

/// `super().__new__(cls)` and the like: a method that hands on to the one that it overrides.
fn hands_on(checker: &Checker<'_, '_>, base: &Expr, name: &str, call: Option<&ast::ExprCall>) -> bool {
    // An object is made of the class that was asked for one.
    let makes_another = || {
        let ScopeKind::Function(function) = checker.scope_kind() else {
            return true;
        };
        let first = call.and_then(|call| call.arguments.args.first());
        !matches!(first, Some(Expr::Name(class)) if first_parameter(function) == Some(class.id.as_str()))
    };
    if name == "__new__" && makes_another() {
        return false;
    }
    let is_within =
        matches!(checker.scope_kind(), ScopeKind::Function(function) if function.name.as_str() == name);
    is_within
        && DEFINABLE.contains(name)
        && matches!(base, Expr::Call(call) if checker.may_be(&call.func, "builtins.super"))
}

/// What leads nowhere where it stands: `x.__class__.__name__`, `self.__class__`, the dictionary of an own object, and an
/// attribute of `self` that the bundle happens to call like one of an exception.
fn is_harmless_here(checker: &Checker<'_, '_>, attribute: &ast::ExprAttribute, next: Option<&str>) -> bool {
    let name = attribute.attr.as_str();
    let is_read = matches!(attribute.ctx, ExprContext::Load);
    let of_self = || {
        let spot = checker.spot();
        matches!(&*attribute.value, Expr::Name(base) if own::is_self(checker, spot, base.id.as_str()))
    };
    match name {
        "__class__" => {
            is_read && (matches!(next, Some("__name__" | "__qualname__")) || next.is_none() && of_self())
        }
        "__dict__" => is_read && own::is_an_object(checker, &attribute.value),
        // An exception has an `obj`; frames and code are never the bundle's.
        "obj" | "mro" => of_self() && checker.defines_attribute(name),
        _ => false,
    }
}

fn reference<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    let mut expr = reference.expr;
    let mut next = None;
    let call = match reference.usage {
        Usage::Call(call) => Some(call),
        Usage::Load | Usage::Store | Usage::Delete => None,
    };
    while let Expr::Attribute(attribute) = expr {
        let name = attribute.attr.as_str();
        if name == "__enter__"
            && matches!(attribute.ctx, ExprContext::Load)
            && !enters_its_own(checker, attribute)
        {
            let message = "what is entered by its method is never left".to_owned();
            checker.report(&RULE, attribute.attr.range, message, "write `with`");
        }
        if name == "__init__" && !makes_a_new_one(checker, &attribute.value, call.filter(|_| next.is_none()))
        {
            let message = "`__init__` makes an object again, which may be another's".to_owned();
            checker.report(
                &RULE,
                attribute.attr.range,
                message,
                "write `super().__init__(...)`, or make a new object",
            );
        }
        if name == "__deepcopy__"
            && !matches!(&*attribute.value, Expr::Call(base) if checker.may_be(&base.func, "builtins.super"))
        {
            let message = "the memo of a copy keeps what lies behind the original".to_owned();
            checker.report(&RULE, attribute.attr.range, message, "write `copy.deepcopy(x)`");
        }
        if is_of_the_loader(checker, &attribute.value, name) {
            of_the_loader(checker, name, attribute.attr.range);
        }
        if is_refused(name)
            && !hands_on(checker, &attribute.value, name, call.filter(|_| next.is_none()))
            && !is_harmless_here(checker, attribute, next)
        {
            report(checker, name, attribute.attr.range);
        }
        next = Some(name);
        expr = &attribute.value;
    }
    if let Expr::Name(name) = expr
        && matches!(reference.usage, Usage::Store | Usage::Delete)
        && std::ptr::eq(expr, reference.expr)
        && binds_in_the_module(checker, name.id.as_str())
    {
        of_the_loader(checker, name.id.as_str(), name.range);
    }
    if let Expr::Name(name) = expr
        && is_refused(name.id.as_str())
        && name.id.starts_with("__")
        // By its bare name it is the file's own docstring.
        && name.id.as_str() != "__doc__"
    {
        report(checker, name.id.as_str(), name.range);
    }
}

/// `super().__init__(...)`, `Base.__init__(self, ...)`.
fn makes_a_new_one(checker: &Checker<'_, '_>, object: &Expr, call: Option<&ast::ExprCall>) -> bool {
    let of_self = || {
        let first = call.and_then(|call| call.arguments.args.first());
        matches!(first, Some(Expr::Name(first)) if own::method_of(checker, checker.spot(), first.id.as_str()).is_some())
            && is_a_class(checker, object)
    };
    matches!(object, Expr::Call(base) if checker.may_be(&base.func, "builtins.super")) || of_self()
}

/// Whether an expression is surely a class: an object's own `__init__` takes whatever it is given for an argument.
fn is_a_class(checker: &Checker<'_, '_>, expr: &Expr) -> bool {
    let meanings = checker.meanings(expr);
    !meanings.is_empty()
        && meanings.iter().all(|meaning| match meaning {
            Meaning::Library(path) => {
                matches!(libraries::at(path), At::Lent(Kind::Class, rest) if rest.is_empty())
            }
            meaning => checker.names.class_of(meaning).is_some(),
        })
}

/// `super().__enter__()`, and of what is plainly the bundle's own.
fn enters_its_own(checker: &Checker<'_, '_>, attribute: &ast::ExprAttribute) -> bool {
    matches!(&*attribute.value, Expr::Call(call) if checker.may_be(&call.func, "builtins.super"))
        || own::is_an_object(checker, &attribute.value)
}

/// Whether a name that is bound here is one of the module.
fn binds_in_the_module(checker: &Checker<'_, '_>, name: &str) -> bool {
    let scope = &checker.names.modules[checker.module].scopes[checker.scope()];
    matches!(scope.kind, ScopeKind::Module) || scope.elsewhere.get(name) == Some(&0)
}

/// `SimpleNamespace(tb_frame=...)`: what looks like a frame is taken for one. `obj` is a name that many functions have.
fn call<'a>(checker: &mut Checker<'_, 'a>, call: &Call<'a>) {
    for keyword in &call.expr.arguments.keywords {
        if let Some(name) = &keyword.arg
            && is_refused(name.as_str())
            && !matches!(name.as_str(), "mro" | "obj")
        {
            report(checker, name.as_str(), name.range);
        }
    }
    // `array.resize(n, refcheck=False)`, `np.set_printoptions(override_repr=own)`
    for name in ["override_repr", "refcheck"] {
        if let Some(keyword) = call.expr.arguments.find_keyword(name) {
            let message = format!("`{name}` takes from numpy what it relies on");
            checker.report(&RULE, keyword, message, "leave it out");
        }
    }
}

/// `nn.ParameterDict()["__class__"]` reads an attribute.
fn subscript(checker: &mut Checker<'_, '_>, expr: &ast::ExprSubscript) {
    if let Expr::StringLiteral(text) = &*expr.slice
        && text.value.to_str().starts_with("__")
        && is_refused(text.value.to_str())
    {
        report(checker, text.value.to_str(), text.range());
    }
}

/// Format strings read attributes too: `"{0.__class__}".format(x)`.
fn expression<'a>(checker: &mut Checker<'_, 'a>, expr: &'a Expr) {
    if let Expr::StringLiteral(literal) = expr
        && matches!(checker.scope_kind(), ScopeKind::Function(function) if function.name.as_str() == "__getattr__")
        && is_refused(literal.value.to_str())
    {
        let name = literal.value.to_str();
        let message =
            format!("a class that answers when it is asked for `{name}` is taken for what it is not");
        checker.report(
            &RULE,
            expr,
            message,
            "raise `AttributeError` for every name that begins with `__`",
        );
    }
    if let Expr::Subscript(of) = expr {
        return subscript(checker, of);
    }
    let text = match expr {
        Expr::StringLiteral(literal) => Cow::Borrowed(literal.value.to_str()),
        Expr::BinOp(sum) if sum.op == Operator::Add && holds_text(checker, expr, 0) => {
            match texts::only(checker, expr) {
                Some(text) => Cow::Owned(text),
                None => return,
            }
        }
        _ => return,
    };
    if let Some(name) = attribute_in_format(&text) {
        let message = format!("the format string reads the attribute `{name}`");
        checker.report(&RULE, expr, message, "read the attribute first, then format it");
    }
}

/// Whether a sum is one of texts, as far as its ends show: most are of numbers.
fn holds_text(checker: &Checker<'_, '_>, expr: &Expr, depth: usize) -> bool {
    match expr {
        Expr::StringLiteral(_) => true,
        Expr::BinOp(sum) if depth < SUM_DEPTH_MAX => {
            holds_text(checker, &sum.right, depth + 1) || holds_text(checker, &sum.left, depth + 1)
        }
        Expr::Name(name) if depth < SUM_DEPTH_MAX => {
            let bindings = checker
                .names
                .bindings(checker.module, checker.scope(), name.id.as_str());
            let all = &checker.names.modules[checker.module].bindings;
            bindings.iter().take(SUM_DEPTH_MAX).any(|&number| {
                matches!(all[number].kind, BindingKind::Value(value) if holds_text(checker, value, depth + 2))
            })
        }
        _ => false,
    }
}

/// How deeply a sum is looked into.
const SUM_DEPTH_MAX: usize = 6;

/// A refused attribute within the braces of a format string.
pub(crate) fn attribute_in_format(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let field = &rest[open + 1..];
        let (inside, after) = field.split_at(format_strings::field_end(field, &['}']));
        let found = inside
            .split(|character: char| !(character.is_alphanumeric() || character == '_'))
            .skip(1)
            .find(|name| is_refused(name));
        if found.is_some() {
            return found;
        }
        rest = after;
    }
    None
}

fn statement<'a>(checker: &mut Checker<'_, 'a>, stmt: &'a Stmt) {
    let function = match stmt {
        Stmt::FunctionDef(function) => function,
        Stmt::ClassDef(class) => return bound(checker, &class.name),
        // `except E as __path__`
        Stmt::Try(attempt) => {
            for ast::ExceptHandler::ExceptHandler(handler) in &attempt.handlers {
                handler.name.iter().for_each(|name| bound(checker, name));
            }
            return;
        }
        Stmt::Assign(assign) => {
            for target in &assign.targets {
                listed(checker, target, &assign.value);
                named_in_a_body(checker, target);
            }
            return;
        }
        Stmt::AnnAssign(assign) => {
            named_in_a_body(checker, &assign.target);
            if let Some(value) = &assign.value {
                listed(checker, &assign.target, value);
            }
            return;
        }
        Stmt::Import(ast::StmtImport { names, .. }) | Stmt::ImportFrom(ast::StmtImportFrom { names, .. }) => {
            for alias in names {
                if let Some(name) = &alias.asname {
                    bound(checker, name);
                }
            }
            return;
        }
        _ => return,
    };
    let name = function.name.as_str();
    hears_of_docs(checker, function);
    answers_for_anything(checker, function);
    let in_class = matches!(checker.scope_kind(), ScopeKind::Class(_));
    if in_class && attributes::is_never(name) {
        let message = format!("a method called `{name}` is given what a library keeps to itself");
        checker.report(&RULE, &function.name, message, "give it another name");
    }
    // Those have rules of their own, which say more.
    let is_of_another_rule = matches!(
        name,
        "__array__"
            | "__array_finalize__"
            | "__array_function__"
            | "__array_ufunc__"
            | "__array_wrap__"
            | "__getnewargs__"
            | "__getnewargs_ex__"
            | "__reduce__"
            | "__reduce_ex__"
            | "__torch_dispatch__"
            | "__torch_function__"
    );
    if is_refused(name) && name.starts_with("__") && !is_of_another_rule && !may_define(function) {
        report(checker, name, function.name.range);
    }
}

/// `class Keep(property)` with a `__setattr__`: Python sets the documentation of a function on it.
fn hears_of_docs(checker: &mut Checker<'_, '_>, function: &StmtFunctionDef) {
    let ScopeKind::Class(class) = checker.scope_kind() else {
        return;
    };
    let is_told = |path: &str| {
        path.starts_with("functools.")
            || path.starts_with("numpy.")
            || matches!(
                path,
                "builtins.classmethod" | "builtins.property" | "builtins.staticmethod"
            )
    };
    if function.name.as_str() == "__setattr__" && classes::is_below(checker, checker.module, class, &is_told)
    {
        let message = "a class of this kind is told the documentation of what it wraps".to_owned();
        checker.report(&RULE, &function.name, message, TEXT_HINT);
    }
}

/// `class Guard(catch_warnings): _module: object`: a field that the library's class has as well.
fn named_in_a_body(checker: &mut Checker<'_, '_>, target: &Expr) {
    let (Expr::Name(name), ScopeKind::Class(class)) = (target, checker.scope_kind()) else {
        return;
    };
    if name.id.as_str() == "__deepcopy__" {
        let message = "the memo of a copy keeps what lies behind the original".to_owned();
        checker.report(&RULE, target, message, "write `def __deepcopy__(self, memo)`");
    }
    if attributes::leads_out(name.id.as_str())
        && !attributes::is_public(name.id.as_str())
        && !classes::is_plain(checker, checker.module, class)
    {
        let message = format!(
            "`{}` may be an attribute of the library's class, which leads out",
            name.id.as_str()
        );
        checker.report(&RULE, target, message, "give it another name");
    }
}

/// `__getattr__` that makes up what it returns: Python and numpy ask for many names with two underscores, and believe it.
fn answers_for_anything(checker: &mut Checker<'_, '_>, function: &StmtFunctionDef) {
    let is_guard = |stmt: &Stmt| {
        matches!(stmt, Stmt::If(first) if matches!(&*first.body, [Stmt::Raise(_)])
            && matches!(&*first.test, Expr::Call(call) if matches!(&*call.func, Expr::Attribute(method) if method.attr.as_str() == "startswith")
                && matches!(&*call.arguments.args, [Expr::StringLiteral(text)] if matches!(text.value.to_str(), "_" | "__"))))
    };
    let is_guarded = function.body.iter().take(2).any(is_guard);
    if function.name.as_str() != "__getattr__" || is_guarded {
        return;
    }
    let mut returns = Returns::default();
    returns.visit_body(&function.body);
    // What hands on, or looks something up.
    let is_told = |value: &Expr| match value {
        Expr::Call(call) => {
            checker.may_be(&call.func, "builtins.getattr")
                || matches!(&*call.func, Expr::Attribute(method) if matches!(method.attr.as_str(), "__getattr__" | "get" | "pop"))
        }
        value => value.is_subscript_expr() || value.is_literal_expr(),
    };
    let made_up = returns.0.iter().find(|value| !is_told(value)).map(Ranged::range);
    if let Some(range) = made_up {
        let message = "`__getattr__` answers for names with two underscores as well".to_owned();
        let hint = "begin it with `if name.startswith(\"__\"): raise AttributeError(name)`";
        checker.report(&RULE, range, message, hint);
    }
}

/// The values that a function returns.
#[derive(Default)]
struct Returns<'a>(Vec<&'a Expr>);

impl<'a> Visitor<'a> for Returns<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => {}
            Stmt::Return(returned) => self.0.extend(returned.value.as_deref()),
            _ => visitor::walk_stmt(self, stmt),
        }
    }
}

/// Dunder names that a module may give itself.
static OF_A_MODULE: Words = Words::new(
    "__all__ __author__ __copyright__ __credits__ __date__ __doc__ __email__ __license__ __maintainer__ \
     __status__ __version__",
);

/// Whether an attribute is one by which Python loads a module: `me.__init__("torch.x")` gives it another name.
pub(crate) fn is_of_the_loader(checker: &Checker<'_, '_>, object: &Expr, name: &str) -> bool {
    let is_a_module = |meaning: &Meaning| match meaning {
        Meaning::Library(path) => libraries::is_module(path),
        Meaning::Module(_) => true,
        Meaning::Local(..) | Meaning::Unknown => false,
    };
    name.starts_with("__")
        && name.ends_with("__")
        && !OF_A_MODULE.contains(name)
        && !matches!(name, "__name__" | "__file__")
        && checker.meanings(object).iter().any(is_a_module)
}

/// `__file__ = ...`, `me.__name__ = ...`: what a module is loaded by is not its own to change.
fn of_the_loader(checker: &mut Checker<'_, '_>, name: &str, range: TextRange) {
    let is_dunder = name.starts_with("__") && name.ends_with("__") && name.len() > 4;
    if is_dunder && !OF_A_MODULE.contains(name) && !is_refused(name) {
        let message = format!("`{name}` of a module is set by what loads it, and cannot be changed");
        checker.report(&RULE, range, message, "give the variable another name");
    }
}

fn store(checker: &mut Checker<'_, '_>, store: &Store<'_>) {
    let is_a_module = |meaning: &Meaning| matches!(meaning, Meaning::Module(_));
    if checker.meanings(store.object).iter().any(is_a_module) {
        of_the_loader(checker, store.name, store.place);
    }
}

/// `__slots__` and `__match_args__` name attributes, which must be seen and are judged like those after a dot.
fn listed(checker: &mut Checker<'_, '_>, target: &Expr, value: &Expr) {
    let name = match target {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return,
    };
    if !matches!(name, "__slots__" | "__match_args__") {
        return;
    }
    let (one, elements) = match value {
        Expr::Tuple(tuple) => (None, &tuple.elts[..]),
        Expr::List(list) => (None, &list.elts[..]),
        Expr::Set(set) => (None, &set.elts[..]),
        Expr::Dict(dict) => {
            let keys = dict.items.iter().filter_map(|item| item.key.as_ref());
            let seen: Option<Vec<String>> = keys.map(|key| texts::only(checker, key)).collect();
            return report_listed(checker, name, value, seen);
        }
        one => (Some(one), &[][..]),
    };
    let all = one.into_iter().chain(elements);
    let seen: Option<Vec<String>> = all.map(|text| texts::only(checker, text)).collect();
    report_listed(checker, name, value, seen);
}

fn report_listed(checker: &mut Checker<'_, '_>, list: &str, value: &Expr, names: Option<Vec<String>>) {
    // An object has those anyway, where they are listed on purpose.
    let is_usual = |name: &str| list == "__slots__" && matches!(name, "__dict__" | "__weakref__");
    match names {
        None => {
            let message = format!("`{list}` names attributes that are not spelled out");
            checker.report(&RULE, value, message, "write the names out");
        }
        Some(names) => {
            if let Some(name) = names.iter().find(|name| is_refused(name) && !is_usual(name)) {
                report(checker, name, value.range());
            }
        }
    }
}

fn may_define(function: &StmtFunctionDef) -> bool {
    DEFINABLE.contains(function.name.as_str())
}

/// `class __del__`, `import x as __reduce__`: a class may get its hooks by any statement that binds a name.
fn bound(checker: &mut Checker<'_, '_>, name: &ast::Identifier) {
    if name.starts_with("__") && is_refused(name.as_str()) {
        report(checker, name.as_str(), name.range);
    }
}

/// Classes whose patterns bind the whole object and read no attribute.
static WHOLE: Words = Words::new(
    "builtins.bool builtins.bytearray builtins.bytes builtins.dict builtins.float builtins.frozenset \
     builtins.int builtins.list builtins.set builtins.str builtins.tuple",
);

/// Classes whose patterns by place read the fields that stand in their body.
const TUPLES: &[&str] = &["typing.NamedTuple", "typing_extensions.NamedTuple"];

/// Whether a positional pattern of a class reads only what the class itself has. An abstract class may claim any object
/// as its own, and names in `__match_args__` which of its attributes are read.
fn reads_its_own(checker: &Checker<'_, '_>, class: &Expr) -> bool {
    let meanings = checker.meanings(class);
    !meanings.is_empty()
        && meanings.iter().all(|meaning| match meaning {
            Meaning::Library(path) => WHOLE.contains(path),
            Meaning::Module(_) | Meaning::Unknown => false,
            Meaning::Local(module, binding) => match checker.names.modules[*module].bindings[*binding].kind {
                BindingKind::Class(class) => {
                    let is_a_tuple = |base: &Expr| {
                        let meanings = checker.names.meanings(*module, 0, base);
                        meanings.all_paths(|path| TUPLES.contains(&path))
                    };
                    class.keywords().is_empty()
                        && classes::is_plain(checker, *module, class)
                        && class.bases().iter().all(is_a_tuple)
                }
                _ => false,
            },
        })
}

/// `case object(__class__=c)` reads an attribute.
fn pattern<'a>(checker: &mut Checker<'_, 'a>, pattern: &'a Pattern) {
    match pattern {
        Pattern::MatchAs(ast::PatternMatchAs { name: Some(name), .. })
        | Pattern::MatchStar(ast::PatternMatchStar { name: Some(name), .. })
        | Pattern::MatchMapping(ast::PatternMatchMapping { rest: Some(name), .. }) => bound(checker, name),
        _ => {}
    }
    let Pattern::MatchClass(class) = pattern else {
        return;
    };
    if !class.arguments.patterns.is_empty() && !reads_its_own(checker, &class.cls) {
        let message = "a pattern by place reads whatever attributes the class names".to_owned();
        checker.report(
            &RULE,
            &*class.cls,
            message,
            "write the attributes out: `case Point(x=x, y=y)`",
        );
    }
    for keyword in &class.arguments.keywords {
        if is_refused(keyword.attr.as_str()) {
            report(checker, keyword.attr.as_str(), keyword.attr.range);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_strings_are_read_as_python_reads_them() {
        assert_eq!(attribute_in_format("{0.__class__}"), Some("__class__"));
        assert_eq!(
            attribute_in_format("{x[a].__globals__!r:>10}"),
            Some("__globals__")
        );
        assert_eq!(attribute_in_format("{0.shape} {1:.__f}"), None);
        assert_eq!(attribute_in_format("__class__"), None);
        assert_eq!(attribute_in_format("{"), None);
        assert_eq!(attribute_in_format("{0[}].__globals__[x]}"), Some("__globals__"));
        assert_eq!(attribute_in_format("{0[a]}.__doc__"), None);
    }
}
