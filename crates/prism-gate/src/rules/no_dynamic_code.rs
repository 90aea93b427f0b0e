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

use crate::knowledge::{Words, attributes, libraries};
use crate::rule::{Rule, RuleSet, denied};
use ruff_python_ast::{Expr, Stmt};

use crate::check::Checker;
use crate::reading::{annotations, classes, own};
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
    module: Some(annotations::type_comments),
    ..RuleSet::of(&RULE)
};

/// Classes of classes: calling one makes a class, and a class of that kind may change what is made.
const METACLASSES: &[&str] = &["abc.ABCMeta", "builtins.type", "enum.EnumMeta", "enum.EnumType"];

fn call<'a>(checker: &mut Checker<'_, 'a>, call: &Call<'a>) {
    annotations::registers(checker, call);
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

/// `module.define(source)` of something that the bundle does not define compiles `TorchScript` from text.
fn reference<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    maker_as_a_value(checker, reference);
    annotations::registers_a_class(checker, reference);
    if let Expr::Attribute(attribute) = reference.expr
        && attribute.attr.as_str() == "define"
        && reference.meanings.may_be_unseen()
        && !own::is_an_object(checker, &attribute.value)
    {
        let message = "`.define` makes code of a text".to_owned();
        checker.report(&RULE, &attribute.attr, message, "write the code out");
    }
}

/// Some libraries evaluate annotations that are strings, so those must be types and nothing else.
fn statement<'a>(checker: &mut Checker<'_, 'a>, stmt: &'a Stmt) {
    match stmt {
        Stmt::FunctionDef(function) => {
            annotations::decorates(checker, function);
            for parameter in &*function.parameters {
                if let Some(annotation) = parameter.annotation() {
                    names_a_type(checker, annotation);
                    annotations::must_be_a_type(checker, annotation);
                }
            }
            if let Some(returns) = &function.returns {
                names_a_type(checker, returns);
                annotations::must_be_a_type(checker, returns);
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
            annotations::must_be_a_type(checker, &assign.annotation);
        }
        _ => {}
    }
}
