//! # Code made at run time
//!
//! ## What it does
//!
//! Refuses `eval`, `exec`, `compile`, `code`, `ast`, `types.FunctionType` and the other ways to turn data into code, the
//! three-argument form of `type`, the class of what may be a class where it is handed on, metaclasses, enumerations with names that are not spelled out, annotations and type comments that hold more than types, `register` of a `singledispatch` function without a class, and the parts of
//! torch that take source text.
//!
//! ## Why is this refused?
//!
//! Code that is made while the program runs is not in the files that are checked.
//!
//! ## Example
//!
//! ```python
//! layers = eval(config["layers"])
//! Block = type("Block", (nn.Module,), {"forward": forward})
//! ```
//!
//! Use instead:
//!
//! ```python
//! LAYERS = {"gelu": nn.GELU, "silu": nn.SiLU}
//! layers = LAYERS[config["layers"]]
//!
//! class Block(nn.Module):
//!     def forward(self, x): ...
//! ```

use crate::knowledge::{Words, attributes, libraries, verdict};
use crate::rule::{Rule, RuleSet, denied};
use ruff_python_ast::{AnyParameterRef, Expr, Operator, Stmt, StmtFunctionDef};
use ruff_text_size::{Ranged, TextRange, TextSize};

use crate::check::Checker;
use crate::reading::{classes, own, texts};
use crate::semantic::{BindingKind, Call, Meaning, Meant as _, Reference, Usage};

pub(crate) static RULE: Rule = Rule::error(
    "PRS106",
    "prism:no-dynamic-code",
    include_str!("no_dynamic_code.rs"),
);

pub(crate) static SET: RuleSet = RuleSet {
    reason: "makes or runs code that nobody can read beforehand",
    denied: &[
        denied(
            "builtins.eval builtins.exec builtins.compile builtins.__build_class__ builtins.__builtins__ \
             builtins code codeop ast _ast symtable tokenize _tokenize dis opcode py_compile compileall \
             parser lib2to3 bdb pdb trace cProfile profile pstats doctest test idlelib ptpython IPython \
             pydoc venv types.FunctionType types.LambdaType types.CodeType types.new_class \
             types.prepare_class types.resolve_bases types.coroutine types.CellType \
             types.DynamicClassAttribute",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "builtins.breakpoint builtins.help builtins.credits builtins.license builtins.copyright \
             torch.distributed.breakpoint",
            "leave it out: nobody is there to answer",
        ),
        denied("dataclasses.make_dataclass", "write the class out"),
        denied(
            "typing_extensions.deprecated",
            "leave it out: it changes what it stands before",
        ),
        denied("dataclasses.Field", "write `dataclasses.field(...)`"),
        denied(
            "typing.get_overloads typing_extensions.get_overloads typing.get_type_hints typing.ForwardRef typing_extensions.get_type_hints \
             typing_extensions.ForwardRef typing.evaluate_forward_ref \
             typing_extensions.evaluate_forward_ref typing_extensions.get_annotations",
            "annotations are for readers; keep what you need in a dictionary",
        ),
        denied(
            "torch.jit.CompilationUnit torch.jit.frontend torch.jit.generate_bytecode torch.fx \
             torch.export torch.nativert torch.jit.mobile torch.jit.quantized torch.jit.interface \
             torch.jit.ScriptModule.define torch.mps.compile_shader",
            "use `torch.compile`",
        ),
        denied(
            "torch.utils.benchmark numpy.testing",
            "write the code out; time it with `time.perf_counter()`",
        ),
        denied(
            "torch.CompilationUnit torch.parse_ir torch.parse_schema torch.parse_type_comment torch.ConcreteModuleType \
             torch.ConcreteModuleTypeBuilder torch.Graph torch.Node torch.Block torch.Value torch.Use \
             torch.Code torch.ExecutionPlan torch.Gradient torch.GraphExecutorState torch.AliasDb \
             torch.FunctionSchema torch.Argument torch.ArgumentSpec torch.CompleteArgumentSpec \
             torch.StaticModule torch.LiteScriptModule torch.ScriptModule torch.ScriptMethod \
             torch.ScriptClass torch.ScriptClassFunction torch.ScriptObject torch.ScriptObjectProperty \
             torch.ScriptFunction torch.ScriptDict torch.ScriptDictIterator torch.ScriptDictKeyIterator \
             torch.ScriptList torch.ScriptListIterator torch.TracingState torch.IODescriptor",
            "use `torch.compile`",
        ),
        denied(
            "torch.autograd.function.FunctionMeta torch.autograd.variable.VariableMeta",
            "write a `class` statement",
        ),
        denied("torch.jit.annotations", "leave the annotations to readers"),
        denied(
            "builtins.type.__call__ builtins.type.__init__",
            "write a `class` statement",
        ),
    ],
    attributes: "define register",
    reference: Some(reference),
    call: Some(call),
    expression: Some(expression),
    statement: Some(statement),
    module: Some(module),
    ..RuleSet::of(&RULE)
};

/// Classes of classes: calling one makes a class, and a class of that kind may change what is made.
const METACLASSES: &[&str] = &["abc.ABCMeta", "builtins.type", "enum.EnumMeta", "enum.EnumType"];

fn call<'a>(checker: &mut Checker<'_, 'a>, call: &Call<'a>) {
    registers(checker, call);
    scripts(checker, call);
    type_of_a_class(checker, call);
    if call.may_be("builtins.isinstance") || call.may_be("builtins.issubclass") {
        call.expr
            .arguments
            .args
            .iter()
            .for_each(|argument| names_a_type(checker, argument));
    }
    makes_names(checker, call);
    binds(checker, call);
    supers(checker, call);
    let arguments = &call.expr.arguments;
    let makes_a_class = arguments.args.len() > 1
        || !arguments.keywords.is_empty()
        || arguments.args.iter().any(Expr::is_starred_expr);
    if makes_a_class
        && (METACLASSES.iter().any(|class| call.may_be(class)) || is_a_metaclass(checker, &call.expr.func))
    {
        let message =
            "`type` with several arguments makes a class that nobody can read beforehand".to_owned();
        checker.report(&RULE, call.expr, message, "write a `class` statement");
    }
}

/// `torch.jit.script(F.softmax)`: what it gives tells the source of a library.
fn scripts<'a>(checker: &mut Checker<'_, 'a>, call: &Call<'a>) {
    if !call.may_be("torch.jit.script") {
        return;
    }
    let of_a_library = call.expr.arguments.args.first().is_some_and(|first| {
        checker
            .meanings(first)
            .iter()
            .any(|meaning| matches!(meaning, Meaning::Library(path) if !path.starts_with('<')))
    });
    if of_a_library {
        let message = "the source of a library is made a text".to_owned();
        checker.report(
            &RULE,
            call.expr,
            message,
            "script a function or module of your own that calls it",
        );
    }
}

/// `[type(Own)][0]`, `[type(same(Own))][0]`: the class of a class makes classes. Handed on where nobody sees what is done with
/// it, it must be that of an object.
fn type_of_a_class<'a>(checker: &mut Checker<'_, 'a>, call: &Call<'a>) {
    let [of] = &*call.expr.arguments.args else { return };
    let is_told = checker.told_types.remove(&(&raw const *call.expr));
    if !call.may_be("builtins.type") {
        return;
    }
    let is_named = matches!(&*call.expr.func, Expr::Name(name) if name.id.as_str() == "type");
    let is_handed_on = || !is_named || checker.uses().types.contains(&(&raw const *call.expr));
    let may_be_a_class = || !is_told && !of.is_literal_expr() && !own::is_an_object(checker, of);
    if is_a_class(checker, of) || is_bound_to_a_type(checker, of) || may_be_a_class() && is_handed_on() {
        let message = "the class of a class makes others, which cannot be seen".to_owned();
        let hint = "write a `class` statement; of an object use `type(x).__name__`, `isinstance` or `type(x) is Kind`";
        checker.report(&RULE, call.expr, message, hint);
    }
}

/// Whether an expression may be a class, as far as its name says.
fn is_a_class(checker: &Checker<'_, '_>, expr: &Expr) -> bool {
    matches!(expr, Expr::Call(inner) if checker.may_be(&inner.func, "builtins.type"))
        || checker.meanings(expr).iter().any(|meaning| match meaning {
            Meaning::Library(path) => libraries::is_class(path),
            _ => checker.names.class_of(meaning).is_some(),
        })
}

/// `type(nn.Linear)`, `type(type(x))`.
fn is_a_metaclass(checker: &Checker<'_, '_>, expr: &Expr) -> bool {
    if is_bound_to_a_type(checker, expr) {
        return true;
    }
    let Expr::Call(outer) = expr else {
        return false;
    };
    let of = outer.arguments.args.first();
    let of_a_library = |of: &Expr| checker.meanings(of).any_path(|path| !path.starts_with('<'));
    checker.may_be(&outer.func, "builtins.type")
        && of.is_some_and(|of| is_a_class(checker, of) || of_a_library(of))
}

/// A metaclass may stand here: nothing is made by it.
fn names_a_type(checker: &mut Checker<'_, '_>, expr: &Expr) {
    match expr {
        Expr::Name(_) | Expr::Attribute(_) => {
            checker.type_places.insert(&raw const *expr);
        }
        Expr::Tuple(tuple) => tuple
            .elts
            .iter()
            .for_each(|element| names_a_type(checker, element)),
        Expr::List(list) => list
            .elts
            .iter()
            .for_each(|element| names_a_type(checker, element)),
        Expr::Subscript(generic) => {
            names_a_type(checker, &generic.value);
            names_a_type(checker, &generic.slice);
        }
        Expr::BinOp(union) => {
            names_a_type(checker, &union.left);
            names_a_type(checker, &union.right);
        }
        _ => {}
    }
}

/// `type[int]`, `kind is type`.
fn expression<'a>(checker: &mut Checker<'_, 'a>, expr: &'a Expr) {
    match expr {
        // `type(x).__name__`
        Expr::Attribute(attribute) => {
            if let Expr::Call(call) = &*attribute.value
                && attribute.attr.as_str() == "__name__"
            {
                checker.told_types.insert(&raw const *call);
            }
        }
        Expr::Subscript(generic) if matches!(&*generic.value, Expr::Name(_) | Expr::Attribute(_)) => {
            names_a_type(checker, &generic.value);
            let is_of_types =
                |meaning: &Meaning| matches!(meaning, Meaning::Library(path) if path.starts_with("typing"));
            if checker.meanings(&generic.value).iter().any(is_of_types) {
                names_a_type(checker, &generic.slice);
            }
        }
        Expr::Compare(compare) => {
            names_a_type(checker, &compare.left);
            compare
                .comparators
                .iter()
                .for_each(|value| names_a_type(checker, value));
        }
        _ => {}
    }
}

/// `[type][0]("Kind", (), {})`: what makes classes is called where it is named.
fn maker_as_a_value<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    let found = reference
        .paths()
        .find(|path| METACLASSES.contains(path))
        .map(str::to_owned);
    if let Some(path) = found
        && matches!(reference.usage, Usage::Load)
        && !checker.type_places.contains(&(&raw const *reference.expr))
        && !checker.module_places.contains(&(&raw const *reference.expr))
    {
        let shown = path.strip_prefix("builtins.").unwrap_or(&path);
        let message = format!("`{shown}` is handed on, so that the classes that it makes cannot be seen");
        checker.report(
            &RULE,
            reference.expr,
            message,
            "write a `class` statement, or `lambda x: type(x)`",
        );
    }
}

/// `kind = type(x)`: what class that is cannot be seen.
fn is_bound_to_a_type(checker: &Checker<'_, '_>, expr: &Expr) -> bool {
    let Expr::Name(name) = expr else {
        return false;
    };
    let bindings = &checker.names.modules[checker.module].bindings;
    let bound = checker
        .names
        .bindings(checker.module, checker.scope(), name.id.as_str());
    bound.iter().take(BINDINGS_MAX).any(|&number| {
        matches!(bindings[number].kind, BindingKind::Value(Expr::Call(call)) if checker.may_be(&call.func, "builtins.type"))
    })
}

/// Most bindings of one name that are looked at.
const BINDINGS_MAX: usize = 16;

/// Functions that make classes with the names that they are given.
pub(crate) static MAKERS: Words = Words::new(
    "enum.Enum enum.Flag enum.IntEnum enum.IntFlag enum.StrEnum typing.NamedTuple typing.TypedDict \
     typing_extensions.NamedTuple typing_extensions.TypedDict",
);

/// `Enum("Kind", {name: value})`: the names of a class must be seen, since some are hooks and some become code.
fn makes_names<'a>(checker: &mut Checker<'_, 'a>, call: &Call<'a>) {
    // An enumeration without members makes classes as `Enum` does.
    let is_own_maker = |meaning: &Meaning| {
        matches!(meaning, Meaning::Local(module, binding)
            if matches!(checker.names.modules[*module].bindings[*binding].kind, BindingKind::Class(class)
                if classes::is_below(checker, *module, class, &|path| path.starts_with("enum."))))
    };
    if !call.callee.any_path(|path| MAKERS.contains(path)) && !call.callee.iter().any(is_own_maker) {
        return;
    }
    let arguments = &call.expr.arguments;
    if arguments.args.iter().any(Expr::is_starred_expr)
        || arguments.keywords.iter().any(|keyword| keyword.arg.is_none())
    {
        let message = "a class is made with names that are not spelled out".to_owned();
        checker.report(&RULE, call.expr, message, "write a `class` statement");
    }
    let Some(names) = arguments
        .args
        .get(1)
        .or_else(|| arguments.find_keyword("names").map(|names| &names.value))
    else {
        return;
    };
    let is_a_name = |name: &Expr| {
        matches!(name, Expr::StringLiteral(text)
            if !text.value.to_str().starts_with("__") && text.value.chars().all(|letter| letter.is_alphanumeric() || "_ ,".contains(letter)))
    };
    let is_seen = match names {
        Expr::Dict(dict) => dict
            .items
            .iter()
            .all(|item| item.key.as_ref().is_some_and(is_a_name)),
        Expr::List(list) => list.elts.iter().all(|element| match element {
            Expr::Tuple(pair) => pair.elts.first().is_some_and(is_a_name),
            Expr::List(pair) => pair.elts.first().is_some_and(is_a_name),
            element => is_a_name(element),
        }),
        Expr::Tuple(tuple) => tuple.elts.iter().all(|element| match element {
            Expr::Tuple(pair) => pair.elts.first().is_some_and(is_a_name),
            element => is_a_name(element),
        }),
        names => is_a_name(names),
    };
    if !is_seen {
        let message = "a class is made with names that are not spelled out".to_owned();
        checker.report(&RULE, names, message, "write a `class` statement");
    }
}

/// `MethodType(function, object)`: the function must be the bundle's own.
fn binds<'a>(checker: &mut Checker<'_, 'a>, call: &Call<'a>) {
    if !call.may_be("types.MethodType") {
        return;
    }
    let is_own = |function: &Expr| {
        function.is_lambda_expr() || {
            let meanings = checker.meanings(function);
            !meanings.is_empty()
                && meanings.iter().all(|meaning| {
                    matches!(meaning, Meaning::Local(module, binding)
                        if !matches!(checker.names.modules[*module].bindings[*binding].kind,
                            BindingKind::Function(function) if !function.decorator_list.is_empty()
                                || attributes::leads_out(function.name.as_str())))
                })
        }
    };
    let is_honest = matches!(&*call.expr.arguments.args, [function, _] if is_own(function));
    if !is_honest {
        let message = "a method is made of something else than a function of the bundle".to_owned();
        checker.report(
            &RULE,
            call.expr,
            message,
            "write `types.MethodType(function, object)` with a function of your own",
        );
    }
}

/// `super(type(x), x)`: of a foreign object it gives the methods of its class.
fn supers<'a>(checker: &mut Checker<'_, 'a>, call: &Call<'a>) {
    let arguments = &call.expr.arguments;
    if !call.may_be("builtins.super") || arguments.is_empty() {
        return;
    }
    let spot = checker.spot();
    // Python itself asks whether the object is one of a class that is given.
    let is_own_class = |class: &Expr| {
        let meanings = checker.meanings(class);
        !meanings.is_empty()
            && meanings
                .iter()
                .all(|meaning| checker.names.class_of(meaning).is_some())
    };
    let is_honest = matches!(&*arguments.args, [class, Expr::Name(object)]
        if is_own_class(class) && own::method_of(checker, spot, object.id.as_str()).is_some());
    if !is_honest {
        let message = "`super` of another object than `self` reaches the methods behind it".to_owned();
        checker.report(&RULE, call.expr, message, "write `super()`");
    }
}

/// `TorchScript` evaluates what stands behind `# type:` in the source of a function.
fn module(checker: &mut Checker<'_, '_>) {
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

/// `module.define(source)` of something that the bundle does not define compiles `TorchScript` from text.
fn reference<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    maker_as_a_value(checker, reference);
    registers_a_class(checker, reference);
    if let Expr::Attribute(attribute) = reference.expr
        && attribute.attr.as_str() == "define"
        && reference.meanings.may_be_unseen()
        && !own::is_an_object(checker, &attribute.value)
    {
        let message = "`.define` makes code of a text".to_owned();
        checker.report(&RULE, &attribute.attr, message, "write the code out");
    }
}

/// `View.register(kind)` makes objects of any class count as those of a class of the bundle; `f.register` is called, or
/// decorates, where it is named.
fn registers_a_class<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
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

/// Some libraries evaluate annotations that are strings, so those must be types and nothing else.
fn statement<'a>(checker: &mut Checker<'_, 'a>, stmt: &'a Stmt) {
    match stmt {
        Stmt::FunctionDef(function) => {
            // What stands below it could give it another function.
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
            for parameter in &*function.parameters {
                if let Some(annotation) = parameter.annotation() {
                    names_a_type(checker, annotation);
                    annotation_is_a_type(checker, annotation);
                }
            }
            if let Some(returns) = &function.returns {
                names_a_type(checker, returns);
                annotation_is_a_type(checker, returns);
            }
        }
        Stmt::ClassDef(class) => {
            for keyword in class.keywords() {
                names_a_type(checker, &keyword.value);
                let is_metaclass = keyword
                    .arg
                    .as_ref()
                    .is_some_and(|name| name.as_str() == "metaclass");
                let is_known = |value: &Expr| {
                    let meanings = checker.meanings(value);
                    meanings.all_paths(|path| METACLASSES.contains(&path))
                };
                if keyword.arg.is_none() || is_metaclass && !is_known(&keyword.value) {
                    let message =
                        "a metaclass of its own changes the classes that are made with it".to_owned();
                    checker.report(&RULE, keyword, message, "write a base class or a decorator");
                }
            }
            for base in class.bases() {
                names_a_type(checker, base);
                if METACLASSES.iter().any(|class| checker.may_be(base, class))
                    || is_a_metaclass(checker, base)
                {
                    let message = "a metaclass changes the classes that are made with it".to_owned();
                    checker.report(&RULE, base, message, "write a base class or a decorator");
                }
            }
        }
        Stmt::AnnAssign(assign) => {
            names_a_type(checker, &assign.annotation);
            annotation_is_a_type(checker, &assign.annotation);
        }
        _ => {}
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
fn registers<'a>(checker: &mut Checker<'_, 'a>, call: &Call<'a>) {
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

fn annotation_is_a_type(checker: &mut Checker<'_, '_>, annotation: &Expr) {
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
            annotation_is_a_type(checker, &union.left);
            annotation_is_a_type(checker, &union.right);
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
                        annotation_is_a_type(checker, of);
                    }
                }
                slice => annotation_is_a_type(checker, slice),
            }
        }
        Expr::Named(named) => report_annotation(checker, named.range()),
        Expr::Tuple(tuple) => {
            for element in &tuple.elts {
                annotation_is_a_type(checker, element);
            }
        }
        _ => {}
    }
}
