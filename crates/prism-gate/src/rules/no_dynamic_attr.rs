//! # Attributes by computed names
//!
//! ## What it does
//!
//! Refuses `getattr`, `setattr` and `delattr` with a name of which it cannot be seen where it leads, or with the name of
//! something that other rules refuse. A name can be seen if it is a literal, one of several that are spelled out, or begins
//! or ends with a literal that no dangerous name begins or ends with (`getattr(self, f"layer{i}")`); on `self` of a plain
//! class of the bundle it may be any (`for name, value in options.items(): setattr(self, name, value)`). A class is plain if
//! it stands in no other class, derives from `object`, `nn.Module`, `Optimizer`, `Dataset` or other plain classes, and its body has
//! functions, literals and fields; and no call of the method may leave it open on which object: `x.look(a, b)` of
//! `def look(self, name, default)` does. `vars` may be asked of an object of such a class and of what `parse_args` gives. Refuses `state_dict` and
//! `load_state_dict` by a class and with a foreign object; `operator.attrgetter` and `methodcaller`, `globals`, `locals` and `dir`; any
//! of them as a value; `torch.compile`, `torch.save`, `ArgumentParser`, `dataclass` and other functions with conditions as a
//! value; a method that is read from a class of a library, but on `self` in a class below it (`nn.Module.__init__(self)`);
//! `copy.deepcopy` with a memo, outside of `__deepcopy__`; `functools.wraps` of or onto anything but functions; functions of
//! `torch.nn.utils` with a name that leads out, and all of `prune`; `model.compile` that is not called at once; and a whole module
//! other than `torch.nn.functional`, `math` and their like as a value (in a list, as an argument, as an operand, returned, in a class).
//! `str.format` reads attributes too: a template that is not spelled out may be filled only with what is surely text or a
//! number, and `logging` may not be told to fill its templates in that style.
//!
//! ## Why is this refused?
//!
//! A name that is computed cannot be checked by reading, and a module that is handed around can be anything's base.
//!
//! ## Example
//!
//! ```python
//! activation = getattr(F, config.activation)
//! for name in dir(model):
//!     ...
//! ```
//!
//! Use instead:
//!
//! ```python
//! ACTIVATIONS = {"gelu": F.gelu, "silu": F.silu}
//! activation = ACTIVATIONS[config.activation]
//! for name, parameter in model.named_parameters():
//!     ...
//! ```

use crate::knowledge::Words;
use crate::rule::{Rule, RuleSet, denied};
use ruff_python_ast::{self as ast, CmpOp, Expr, ExprCall, Identifier, Parameters, Pattern, Stmt};
use ruff_text_size::{Ranged, TextRange};

use crate::check::Checker;
use crate::knowledge::{libraries, verdict};
use crate::semantic::{Call, Meaning, Meant as _, Reference, ScopeKind, Usage, binder};

use crate::reading::{classes, library_calls, own, texts};

use super::{no_attribute_escape, no_dynamic_code, no_harness_access, no_process, undocumented_attribute};
use crate::reading::{computed_names, format_strings};

pub(crate) static RULE: Rule = Rule::error(
    "PRS110",
    "prism:no-dynamic-attr",
    include_str!("no_dynamic_attr.rs"),
);

pub(crate) static SET: RuleSet = RuleSet {
    reason: "reaches attributes by computed names",
    denied: &[
        denied(
            "operator.attrgetter operator.methodcaller builtins.globals builtins.locals \
             builtins.dir types.ModuleType builtins.object.__setattr__ builtins.object.__getattribute__ \
             builtins.type.__getattribute__ builtins.object.__delattr__",
            "write the attribute out, or choose from a dictionary",
        ),
        denied(
            "torch.nn.utils.prune",
            "multiply by a mask of your own: its functions read attributes by any name",
        ),
    ],
    attributes: NOTABLE,
    reference: Some(reference),
    call: Some(call),
    expression: Some(expression),
    statement: Some(statement),
    store: Some(library_calls::store),
    pattern: Some(pattern),
    module: Some(spelled),
    ..RuleSet::of(&RULE)
};

/// What the hook wants to see of any object.
const NOTABLE: &str = "compile format format_map load_state_dict parse_args parse_intermixed_args parse_known_args \
     parse_known_intermixed_args state_dict";

const HINT: &str = "write the attribute out, or choose from a dictionary";
const ACCESSORS: &[&str] = &["builtins.getattr", "builtins.hasattr"];
const MODULE_HINT: &str = "write `module.name` where it is used";

fn reference<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    module_as_a_value(checker, reference);
    whole_state(checker, reference);
    conditional_as_a_value(checker, reference);
    library_calls::unbound(checker, reference);
    library_calls::operator_of_a_class(checker, reference);
    renamed_root(checker, reference);
    called_by_its_method(checker, reference);
    dictionary_of(checker, reference);
    format_strings::reference(checker, reference);
    format_strings::formatter_as_a_value(checker, reference);
    let accessor = reference.paths().find_map(|path| {
        path.strip_prefix("builtins.")
            .filter(|name| matches!(*name, "getattr" | "setattr" | "delattr" | "hasattr"))
    });
    if let Some(accessor) = accessor {
        match reference.usage {
            Usage::Call(call) => judge(checker, accessor, call),
            Usage::Load => {
                let message = format!("`{accessor}` is handed on, so that its names cannot be read");
                checker.report(&RULE, reference.expr, message, HINT);
            }
            Usage::Store | Usage::Delete => {}
        }
    }
}

/// `vars(self)`, `vars(parser.parse_args())`: what an object keeps that is plainly the bundle's.
fn dictionary_of<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    let is_own = || {
        matches!(reference.usage, Usage::Call(call) if call.arguments.keywords.is_empty()
            && matches!(&*call.arguments.args, [object] if own::is_an_object(checker, object)))
    };
    if reference.paths().any(|path| path == "builtins.vars") && !is_own() {
        let message = "`vars` reaches attributes by computed names".to_owned();
        checker.report(&RULE, reference.expr, message, HINT);
    }
}

fn judge<'a>(checker: &mut Checker<'_, 'a>, accessor: &str, call: &'a ExprCall) {
    let arguments = &call.arguments;
    let (Some(object), Some(name)) = (arguments.args.first(), arguments.args.get(1)) else {
        return computed(checker, accessor, call);
    };
    if !arguments.keywords.is_empty() || object.is_starred_expr() || name.is_starred_expr() {
        return computed(checker, accessor, call);
    }
    if let Expr::StringLiteral(literal) = name {
        return by_name(checker, accessor, call, object, literal.value.to_str());
    }
    let is_of_a_module = || {
        let meanings = checker.meanings(object);
        meanings.all_paths(|_| true)
    };
    // Of a function that nobody calls the names are none.
    if let Some(names) = texts::of(checker, name).filter(|names| !names.is_empty() || is_of_a_module()) {
        for name in names {
            if is_put_together(checker, object, &name) {
                return computed(checker, accessor, call);
            }
            by_name(checker, accessor, call, object, &name);
        }
        return;
    }
    let is_of_ctx = checker
        .meanings(object)
        .iter()
        .any(|meaning| matches!(meaning, Meaning::Library(path) if path.starts_with('<')));
    let is_harmless = !is_of_ctx
        && (accessor != "getattr" && computed_names::is_a_closed_self(checker, object)
            || accessor == "getattr" && computed_names::names_a_field(checker, object, name)
            || accessor == "setattr"
                && (computed_names::names_its_child(checker, object, name)
                    || computed_names::has_an_own_affix(checker, object, name))
            || accessor != "setattr" && computed_names::has_harmless_affix(checker, object, name));
    if !is_harmless {
        computed(checker, accessor, call);
    }
}

/// Whether a name that stands nowhere as a whole is that of a function or class of the bundle: its uses could not be seen.
fn is_put_together(checker: &Checker<'_, '_>, object: &Expr, name: &str) -> bool {
    let spot = checker.spot();
    let of_self =
        || matches!(object, Expr::Name(base) if own::method_of(checker, spot, base.id.as_str()).is_some());
    let uses = checker.uses();
    !uses.is_handed_on(name) && uses.is_defined(name) && !of_self()
}

fn computed(checker: &mut Checker<'_, '_>, accessor: &str, call: &ExprCall) {
    let message = format!("`{accessor}` with a name that is not spelled out");
    checker.report(&RULE, call, message, HINT);
}

/// An attribute by a name that is known is judged like one that is written with a dot.
fn by_name(checker: &mut Checker<'_, '_>, accessor: &str, call: &ExprCall, object: &Expr, name: &str) {
    let is_private = name.starts_with("__") && !name.ends_with("__");
    if checker.names.is_mangled(name) {
        report_spelled(checker, name, call);
    }
    if no_attribute_escape::is_refused(name)
        || is_private
        || no_attribute_escape::is_of_the_loader(checker, object, name)
    {
        let message = format!("`{accessor}` reaches `{name}`, which leads out of the object");
        checker.report(&RULE, call, message, "use what the object documents");
        return;
    }
    if accessor == "getattr" && format_strings::METHODS.contains(&name) {
        format_strings::report_method(checker, call);
    }
    if accessor == "getattr" && WHOLE_STATE.contains(&name) {
        report_whole_state(checker, name, call);
    }
    let meanings = checker.meanings(object);
    if accessor == "getattr" && name == "compile" && meanings.may_be_unseen() && !checker.may_have_given(name)
    {
        let message = "`getattr` reaches `compile`, which has conditions".to_owned();
        checker.report(&RULE, call, message, "call it by its name");
    }
    if matches!(accessor, "setattr" | "delattr") && matches!(name, "__name__" | "__qualname__") {
        let message = format!("`{accessor}` changes `{name}`, which a copy of a method asks any object for");
        checker.report(&RULE, call, message, "leave it");
    }
    let of_self = matches!(object, Expr::Name(base) if base.id.as_str() == "self");
    if accessor == "getattr" && meanings.may_be_unseen() && !(of_self && checker.defines_attribute(name)) {
        no_process::by_name(checker, name, call.range());
    }
    let by_path = !meanings.is_empty()
        && meanings
            .iter()
            .all(|meaning| matches!(meaning, Meaning::Library(_) | Meaning::Module(_)));
    // That it is there tells nothing.
    let is_read = accessor != "hasattr";
    if is_read
        && !by_path
        && let Some(flaw) = undocumented_attribute::flaw(checker, Some(object), name)
    {
        let message = format!("`{accessor}` reaches `{name}`, which {}", flaw.what);
        checker.report(&RULE, call, message, flaw.hint);
    }
    for meaning in meanings {
        let found = checker.names.attribute_of(&meaning, name);
        if accessor == "getattr" {
            no_harness_access::entry_by_name(checker, &found, call);
        }
        if accessor == "getattr"
            && let Some(module) = found.iter().find_map(whole_module)
        {
            report_module(checker, module, call.range());
        }
        let Meaning::Library(path) = meaning else {
            continue;
        };
        let full = format!("{path}.{name}");
        if path.starts_with('<') && !no_harness_access::is_documented(&full) {
            let message = format!("`{accessor}` reaches `{name}` of the harness, which is not documented");
            checker.report(&RULE, call, message, "use the documented `ctx`");
        } else if matches!(accessor, "setattr" | "delattr") {
            let message = format!("`{accessor}` changes `{full}`, which is not the bundle's");
            checker.report(&RULE, call, message, "define a class or function of your own");
        } else if format_strings::is_of_logging(&full) {
            format_strings::report_method(checker, call);
        } else if let Some(refusal) = verdict::of_reference(&full) {
            let message = format!("`{accessor}` reaches `{full}`, which {}", refusal.reason);
            checker.report(&RULE, call, message, refusal.hint);
        } else if accessor == "getattr" && library_calls::is_of_a_class(&full) {
            let message = format!("`{accessor}` reaches `{full}`, which takes any object for its own");
            checker.report(&RULE, call, message, "call it on the object itself");
        } else if is_conditional(&full) || is_the_method_of_a_call(&full) {
            let message = format!("`{accessor}` reaches `{full}`, which has conditions");
            checker.report(&RULE, call, message, "call it by its name");
        }
    }
}

/// Whether rules judge a function by its arguments, so that it must be called where it is named.
pub(crate) fn is_conditional(path: &str) -> bool {
    CONDITIONAL.contains(path)
        || no_dynamic_code::MAKERS.contains(path)
        || format_strings::is_of_logging(path)
        || library_calls::reads_by_name(path)
}

static CONDITIONAL: Words = Words::new(
    "argparse.ArgumentParser builtins.super dataclasses.dataclass functools.total_ordering \
     functools.update_wrapper functools.wraps numpy.frombuffer numpy.ndarray torch.frombuffer torch.compile torch.compiler.compile \
     torch.distributed.init_process_group torch.jit.script torch.load torch.save torch.segment_reduce \
     torch.utils.flop_counter.FlopCounterMode types.MethodType",
);

/// Methods of schedulers, optimizers and modules that read or write the whole of an object: of any object, if they are
/// called by the class.
const WHOLE_STATE: &[&str] = &["load_state_dict", "state_dict"];

/// `LRScheduler.state_dict(x)` is `vars(x)`, `LRScheduler.load_state_dict(x, y)` writes it.
fn whole_state<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    let Expr::Attribute(attribute) = reference.expr else {
        return;
    };
    let name = attribute.attr.as_str();
    if !WHOLE_STATE.contains(&name) {
        return;
    }
    let of_self =
        matches!(&*attribute.value, Expr::Call(base) if checker.may_be(&base.func, "builtins.super"));
    if name == "load_state_dict" && classes::may_load_functions(checker) {
        let message = "a scheduler keeps what a mapping of the bundle's own gives it twice".to_owned();
        let hint = "leave out classes below `dict`, and methods called `pop`, or do not load a state";
        checker.report(&RULE, reference.expr, message, hint);
    }
    let given = match reference.usage {
        Usage::Call(call) => {
            let arguments = &call.arguments;
            let spot = checker.spot();
            let is_own = matches!(arguments.args.first(), Some(Expr::Name(first)) if own::is_self(checker, spot, first.id.as_str()));
            let most = usize::from(name == "load_state_dict");
            let is_flag = matches!(arguments.args.get(1), Some(Expr::BooleanLiteral(_)));
            let is_bound = arguments.args.len() <= most
                || name == "load_state_dict" && arguments.args.len() == 2 && is_flag;
            let is_seen = arguments.keywords.iter().all(|keyword| {
                let is_self = |name: &ast::Identifier| matches!(name.as_str(), "self" | "_self");
                keyword.arg.as_ref().is_some_and(|name| !is_self(name))
            });
            let is_bound = is_bound && is_seen && !arguments.args.iter().any(Expr::is_starred_expr);
            of_self || is_own || is_bound
        }
        Usage::Load => of_self,
        Usage::Store | Usage::Delete => true,
    };
    if !given {
        report_whole_state(checker, name, reference.expr);
    }
}

fn report_whole_state(checker: &mut Checker<'_, '_>, name: &str, at: impl Ranged) {
    let message = format!("`{name}` of a class takes any object and gives or takes all that it holds");
    checker.report(
        &RULE,
        at,
        message,
        "call it on the object itself, options by their names",
    );
}

/// What has conditions is called where it is named, decorates, or is given another name.
fn conditional_as_a_value<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    let method = match reference.expr {
        Expr::Attribute(method) if reference.meanings.may_be_unseen() => method.attr.as_str(),
        _ => "",
    };
    let found = reference
        .paths()
        .find(|path| is_conditional(path))
        .map(str::to_owned)
        // Every `nn.Module` has it.
        .or_else(|| (method == "compile" && !checker.may_have_given(method)).then(|| method.to_owned()));
    if let Some(path) = found
        && matches!(reference.usage, Usage::Load)
        && (path == method || !checker.module_places.contains(&(&raw const *reference.expr)))
        && !checker.type_places.contains(&(&raw const *reference.expr))
    {
        let message = format!("`{path}` is handed on, so that what it is called with cannot be seen");
        checker.report(&RULE, reference.expr, message, "call it by its name");
    }
}

/// `getattr.__call__(x, name)` is another way to write `getattr(x, name)`.
fn called_by_its_method<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    if reference.paths().any(is_the_method_of_a_call) {
        let message = "a function of a library is called by its method".to_owned();
        checker.report(&RULE, reference.expr, message, "call it by its name");
    }
}

fn is_the_method_of_a_call(path: &str) -> bool {
    !path.starts_with('<')
        && path.split('.').any(|name| name == "__call__")
        && !library_calls::is_of_a_class(path)
}

/// `_R__name`, where Python reads `__name` of a class `R` so.
fn spelled(checker: &mut Checker<'_, '_>) {
    for (name, range) in &checker.names.modules[checker.module].spelled {
        if checker.names.is_mangled(name) {
            report_spelled(checker, name, *range);
        }
    }
}

fn report_spelled(checker: &mut Checker<'_, '_>, name: &str, at: impl Ranged) {
    let message = format!("`{name}` is what Python makes of a name with two underscores within a class");
    checker.report(&RULE, at, message, "begin that name with one underscore");
}

/// A whole module may be given another name, be the default of a parameter, be asked for an attribute that is spelled
/// out or be compared by `is`. Anywhere else it is a value: an operand, for example, is handed to a method.
fn expression<'a>(checker: &mut Checker<'_, 'a>, expr: &'a Expr) {
    match expr {
        Expr::Lambda(lambda) => {
            if let Some(parameters) = &lambda.parameters {
                defaults_may_be_modules(checker, parameters);
            }
        }
        Expr::Compare(compare)
            if compare
                .ops
                .iter()
                .all(|op| matches!(op, CmpOp::Is | CmpOp::IsNot)) =>
        {
            may_be_a_module(checker, &compare.left);
            for value in &compare.comparators {
                may_be_a_module(checker, value);
            }
        }
        _ => {}
    }
}

fn statement<'a>(checker: &mut Checker<'_, 'a>, stmt: &'a Stmt) {
    library_calls::statement(checker, stmt);
    let in_class_body = matches!(checker.scope_kind(), ScopeKind::Class(_));
    match stmt {
        // What a class body binds is an attribute, which nobody follows.
        Stmt::Assign(assign) if !in_class_body && assign.targets.iter().all(Expr::is_name_expr) => {
            may_be_a_module(checker, &assign.value);
        }
        Stmt::AnnAssign(assign) if !in_class_body && assign.target.is_name_expr() => {
            if let Some(value) = &assign.value {
                may_be_a_module(checker, value);
            }
        }
        Stmt::Expr(statement) => may_be_a_module(checker, &statement.value),
        Stmt::FunctionDef(function) => {
            defaults_may_be_modules(checker, &function.parameters);
            decorators(checker, &function.decorator_list);
            library_calls::decorates(checker, &function.decorator_list);
        }
        Stmt::ClassDef(class) => decorators(checker, &class.decorator_list),
        Stmt::Import(import) => {
            for alias in &import.names {
                let name = alias.asname.as_ref().unwrap_or(&alias.name);
                imported(checker, name, in_class_body);
            }
        }
        Stmt::ImportFrom(import) => {
            for alias in &import.names {
                let name = alias.asname.as_ref().unwrap_or(&alias.name);
                imported(checker, name, false);
                let base = binder::absolute(checker.source(), import);
                let path = format!("{base}.{}", alias.name.as_str());
                if in_class_body && (libraries::is_module(&path) || checker.names.is_module(&path)) {
                    report_module(checker, &path, alias.range);
                }
            }
        }
        Stmt::Global(global) => global.names.iter().for_each(|name| renamed(checker, name)),
        Stmt::Nonlocal(nonlocal) => nonlocal.names.iter().for_each(|name| renamed(checker, name)),
        _ => {}
    }
}

/// `@torch.compile` and `@partial(torch.compile, dynamic=True)` are called at once, with what stands below them.
fn decorators<'a>(checker: &mut Checker<'_, 'a>, decorators: &'a [ast::Decorator]) {
    for decorator in decorators {
        let is_conditional =
            |meaning: &Meaning| matches!(meaning, Meaning::Library(path) if is_conditional(path));
        if checker.meanings(&decorator.expression).iter().any(is_conditional) {
            may_be_a_module(checker, &decorator.expression);
        }
        let compiler = match &decorator.expression {
            Expr::Call(call) if checker.may_be(&call.func, "functools.partial") => {
                call.arguments.args.first()
            }
            expr => Some(expr),
        };
        if let Some(compiler) = compiler
            && ["torch.compile", "torch.compiler.compile"]
                .iter()
                .any(|path| checker.may_be(compiler, path))
        {
            checker.module_places.insert(&raw const *compiler);
        }
    }
}

fn imported(checker: &mut Checker<'_, '_>, name: &Identifier, in_class_body: bool) {
    renamed(checker, name);
    if in_class_body {
        report_module(checker, name.as_str(), name.range);
    }
}

fn defaults_may_be_modules<'a>(checker: &mut Checker<'_, 'a>, parameters: &'a Parameters) {
    for parameter in parameters.iter_non_variadic_params() {
        if let Some(default) = parameter.default() {
            may_be_a_module(checker, default);
        }
    }
}

fn may_be_a_module(checker: &mut Checker<'_, '_>, value: &Expr) {
    match value {
        Expr::Name(_) | Expr::Attribute(_) => {
            checker.module_places.insert(&raw const *value);
        }
        Expr::If(either) => {
            may_be_a_module(checker, &either.body);
            may_be_a_module(checker, &either.orelse);
        }
        Expr::BoolOp(any) => any
            .values
            .iter()
            .for_each(|value| may_be_a_module(checker, value)),
        // In a class body this binds an attribute, too.
        Expr::Named(named) if !matches!(checker.scope_kind(), ScopeKind::Class(_)) => {
            may_be_a_module(checker, &named.value);
        }
        _ => {}
    }
}

/// Whether a meaning is a whole module, and which.
fn whole_module(meaning: &Meaning) -> Option<&str> {
    match meaning {
        Meaning::Library(path) => (libraries::is_module(path) && !libraries::is_plain(path)).then_some(path),
        Meaning::Module(path) => Some(path),
        Meaning::Local(..) | Meaning::Unknown => None,
    }
}

fn module_as_a_value<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    if !matches!(reference.usage, Usage::Load)
        || checker.module_places.contains(&(&raw const *reference.expr))
    {
        return;
    }
    if let Some(module) = reference.meanings.iter().find_map(whole_module) {
        report_module(checker, module, reference.expr.range());
    }
}

fn report_module(checker: &mut Checker<'_, '_>, module: &str, range: TextRange) {
    let message = format!("the module `{module}` is handed around as a value");
    checker.report(&RULE, range, message, MODULE_HINT);
}

/// Within a class Python turns `__name` into `_Class__name`, which is another name outside.
fn renamed(checker: &mut Checker<'_, '_>, name: &Identifier) {
    report_renamed(checker, name.as_str(), name.range);
}

fn report_renamed(checker: &mut Checker<'_, '_>, name: &str, range: TextRange) {
    if name.starts_with("__") && !name.ends_with("__") && checker.is_in_a_class() {
        let message = format!("within a class Python turns `{name}` into another name");
        checker.report(&RULE, range, message, "begin it with one underscore");
    }
}

fn renamed_root<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    let mut expr = reference.expr;
    while let Expr::Attribute(attribute) = expr {
        expr = &attribute.value;
    }
    let in_class_body = matches!(checker.scope_kind(), ScopeKind::Class(_));
    if let Expr::Name(name) = expr
        && !(in_class_body && matches!(reference.usage, Usage::Store))
    {
        report_renamed(checker, name.id.as_str(), name.range);
    }
}

/// `case str(format=fill)` reads the method that fills a template.
fn pattern<'a>(checker: &mut Checker<'_, 'a>, pattern: &'a Pattern) {
    let Pattern::MatchClass(class) = pattern else {
        return;
    };
    for keyword in &class.arguments.keywords {
        no_process::by_name(checker, keyword.attr.as_str(), keyword.attr.range);
        if format_strings::METHODS.contains(&keyword.attr.as_str()) {
            format_strings::report_method(checker, keyword.attr.range);
        }
    }
}

/// `update_wrapper(to, from, assigned=names)` copies attributes by their names.
fn call<'a>(checker: &mut Checker<'_, 'a>, call: &Call<'a>) {
    format_strings::call(checker, call);
    library_calls::call(checker, call);
    // What they read is judged with the name that they are asked for.
    if let Some(base) = call.expr.arguments.args.first()
        && ACCESSORS.iter().any(|accessor| call.may_be(accessor))
    {
        may_be_a_module(checker, base);
    }
    let places = match () {
        () if call.may_be("functools.update_wrapper") => 2,
        () if call.may_be("functools.wraps") => 1,
        () if call.may_be("functools.partial") => usize::MAX,
        () => return,
    };
    let arguments = &call.expr.arguments;
    let chosen = arguments.keywords.iter().any(|keyword| {
        keyword.arg.as_ref().map_or(places < usize::MAX, |name| {
            matches!(name.as_str(), "assigned" | "updated")
        })
    });
    if chosen
        || arguments.args.len() > places
        || places < usize::MAX && arguments.args.iter().any(Expr::is_starred_expr)
    {
        let message = "attributes are copied by names of the bundle's choice".to_owned();
        checker.report(&RULE, call.expr, message, "leave `assigned` and `updated` out");
    }
}
