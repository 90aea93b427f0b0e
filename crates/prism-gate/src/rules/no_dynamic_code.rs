//! # Code made at run time
//!
//! ## What it does
//!
//! Refuses `eval`, `exec`, `compile`, `code`, `ast`, `types.FunctionType` and the other ways to turn data into code, the
//! three-argument form of `type`, metaclasses, annotations and type comments that hold more than types, and the parts of
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

use crate::finding::Severity;
use crate::rule::{Hooks, Rule, RuleSet, denied};
use ruff_python_ast::{Expr, Operator, Stmt};
use ruff_text_size::{Ranged, TextRange, TextSize};

use crate::check::Checker;
use crate::semantic::{BindingKind, Call, Meaning, Reference};

use super::constants;

pub(crate) static RULE: Rule = Rule {
    code: "PRS106",
    id: "prism:no-dynamic-code",
    severity: Severity::Error,
    since: "0.1.0",
    source: include_str!("no_dynamic_code.rs"),
};

pub(crate) static SET: RuleSet = RuleSet {
    rule: &RULE,
    reason: "makes or runs code that nobody can read beforehand",
    denied: &[
        denied(
            "builtins.eval",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "builtins.exec",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "builtins.compile",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "builtins.__build_class__",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "builtins.__builtins__",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "builtins",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "code",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "codeop",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "ast",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "_ast",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "symtable",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "tokenize",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "_tokenize",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "dis",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "opcode",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "py_compile",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "compileall",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "parser",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "lib2to3",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "bdb",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "pdb",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "trace",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "cProfile",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "profile",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "pstats",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "timeit",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "doctest",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "test",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "idlelib",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "ptpython",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "IPython",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "pydoc",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "venv",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "types.FunctionType",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "types.LambdaType",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "types.CodeType",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "types.MethodType",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "types.new_class",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "types.prepare_class",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "types.resolve_bases",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "types.coroutine",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "types.CellType",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied(
            "types.DynamicClassAttribute",
            "write the code out, or choose from a dictionary of functions",
        ),
        denied("builtins.breakpoint", "leave it out: nobody is there to answer"),
        denied("builtins.help", "leave it out: nobody is there to answer"),
        denied("builtins.credits", "leave it out: nobody is there to answer"),
        denied("builtins.license", "leave it out: nobody is there to answer"),
        denied("builtins.copyright", "leave it out: nobody is there to answer"),
        denied("dataclasses.make_dataclass", "write the class out"),
        denied(
            "typing.get_type_hints",
            "annotations are for readers; keep what you need in a dictionary",
        ),
        denied(
            "typing.ForwardRef",
            "annotations are for readers; keep what you need in a dictionary",
        ),
        denied(
            "typing_extensions.get_type_hints",
            "annotations are for readers; keep what you need in a dictionary",
        ),
        denied(
            "typing_extensions.ForwardRef",
            "annotations are for readers; keep what you need in a dictionary",
        ),
        denied(
            "typing.evaluate_forward_ref",
            "annotations are for readers; keep what you need in a dictionary",
        ),
        denied(
            "typing_extensions.evaluate_forward_ref",
            "annotations are for readers; keep what you need in a dictionary",
        ),
        denied("torch.jit.CompilationUnit", "use `torch.compile`"),
        denied("torch.jit.frontend", "use `torch.compile`"),
        denied("torch.jit.generate_bytecode", "use `torch.compile`"),
        denied("torch.fx", "use `torch.compile`"),
        denied("torch.export", "use `torch.compile`"),
        denied("torch.nativert", "use `torch.compile`"),
        denied("torch.jit.mobile", "use `torch.compile`"),
        denied("torch.jit.quantized", "use `torch.compile`"),
        denied("torch.jit.interface", "use `torch.compile`"),
        denied(
            "torch.utils.benchmark",
            "write the code out; time it with `time.perf_counter()`",
        ),
        denied(
            "numpy.testing",
            "write the code out; time it with `time.perf_counter()`",
        ),
        denied("torch.jit.annotations", "leave the annotations to readers"),
        denied("builtins.type.__call__", "write a `class` statement"),
        denied("builtins.type.__init__", "write a `class` statement"),
        denied(
            "torch.distributed.breakpoint",
            "leave it out: nobody is there to answer",
        ),
        denied("torch.jit.ScriptModule.define", "use `torch.compile`"),
    ],
    attributes: &["define"],
    hooks: Hooks {
        reference: Some(reference),
        call: Some(call),
        statement: Some(statement),
        module: Some(module),
        ..Hooks::NONE
    },
};

/// Classes of classes: calling one makes a class, and a class of that kind may change what is made.
const METACLASSES: &[&str] = &["abc.ABCMeta", "builtins.type", "enum.EnumMeta", "enum.EnumType"];

fn call<'a>(checker: &mut Checker<'_, 'a>, call: &Call<'a>) {
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

/// `type(nn.Linear)`, `type(type(x))`.
fn is_a_metaclass(checker: &Checker<'_, '_>, expr: &Expr) -> bool {
    let is_type = |callee: &Expr| checker.may_be(callee, "builtins.type");
    let Expr::Call(outer) = expr else {
        return false;
    };
    let Some(of) = outer.arguments.args.first().filter(|_| is_type(&outer.func)) else {
        return false;
    };
    matches!(of, Expr::Call(inner) if is_type(&inner.func))
        || checker.meanings(of).iter().any(|meaning| match meaning {
            Meaning::Library(path) => !path.starts_with('<'),
            Meaning::Module(_) => false,
            Meaning::Local(module, binding) => matches!(
                checker.names.modules[*module].bindings[*binding].kind,
                BindingKind::Class(_)
            ),
        })
}

/// `TorchScript` evaluates what stands behind `# type:` in the source of a function.
fn module(checker: &mut Checker<'_, '_>) {
    let text: &str = checker.source().text;
    let mut found = Vec::new();
    for (start, mark) in text.match_indices("# type:") {
        let rest = &text[start + mark.len()..];
        let line = rest.split(['\n', '\r']).next().unwrap_or_default();
        let types = line.trim_start().trim_start_matches('(');
        if types.contains('(') || types.contains("__") {
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
    if let Expr::Attribute(attribute) = reference.expr
        && attribute.attr.as_str() == "define"
        && reference.meanings.is_empty()
        && !checker.defines_attribute("define")
    {
        let message = "`.define` makes code of a text".to_owned();
        checker.report(&RULE, &attribute.attr, message, "write the code out");
    }
}

/// Some libraries evaluate annotations that are strings, so those must be types and nothing else.
fn statement<'a>(checker: &mut Checker<'_, 'a>, stmt: &'a Stmt) {
    match stmt {
        Stmt::FunctionDef(function) => {
            for parameter in &*function.parameters {
                if let Some(annotation) = parameter.annotation() {
                    annotation_is_a_type(checker, annotation);
                }
            }
            if let Some(returns) = &function.returns {
                annotation_is_a_type(checker, returns);
            }
        }
        Stmt::ClassDef(class) => {
            for base in class.bases() {
                if METACLASSES.iter().any(|class| checker.may_be(base, class))
                    || is_a_metaclass(checker, base)
                {
                    let message = "a metaclass changes the classes that are made with it".to_owned();
                    checker.report(&RULE, base, message, "write a base class or a decorator");
                }
            }
        }
        Stmt::AnnAssign(assign) => annotation_is_a_type(checker, &assign.annotation),
        _ => {}
    }
}

fn text_is_a_type(checker: &mut Checker<'_, '_>, range: TextRange, text: &str) {
    if text.contains('(') || text.contains("__") || text.contains("lambda") || text.contains(":=") {
        report_annotation(checker, range);
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
            if let Some(text) = constants::text(checker, annotation) {
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
            let name = match &*generic.value {
                Expr::Name(name) => name.id.as_str(),
                Expr::Attribute(attribute) => attribute.attr.as_str(),
                _ => "",
            };
            // Their strings are values and no types.
            if !matches!(name, "Literal" | "Annotated") {
                annotation_is_a_type(checker, &generic.slice);
            }
        }
        Expr::Tuple(tuple) => {
            for element in &tuple.elts {
                annotation_is_a_type(checker, element);
            }
        }
        _ => {}
    }
}
