//! # The harness behind `ctx`
//!
//! ## What it does
//!
//! Refuses attributes of `ctx` that are not documented, private attributes of streams and batches, submodules of
//! `prism_runtime`, assignments to `ctx`, its classes, and calls of `build_model` and `train` with anything but `ctx`, wherever they are
//! defined. A decorator before them may only wrap them: a function that makes one wrapper, which calls them with its own
//! arguments, and returns it; what makes such a decorator (`@timed("steps")`) may stand there as well. Documented are
//! `artifacts_dir`, `budget_seconds`, `build_model`, `byte_budget`, `data_dir`, `device`, `iter_train_batches`,
//! `local_rank`, `log`, `max_params`, `rank`, `reference_tokenizer`, `seed`, `step_budget`, `stream`, `token_budget`,
//! `vocab_size` and `world_size`; and of the older
//! interface `attempt`, `checkpoint_dir`, `distributed_backend`, `is_resume`, `max_layers`, `max_parameters`,
//! `max_seq_len`, `reference_tokenizer_dir`, `resume_checkpoint_dir` and `sequence_length`.
//!
//! ## Why is this refused?
//!
//! What lies behind `ctx` may change with every version and tells nothing that would help: the text is not there.
//!
//! ## Example
//!
//! ```python
//! tokens = ctx._session.channel.next_batch()
//! ```
//!
//! Use instead:
//!
//! ```python
//! for batch in ctx.stream(model, batch_size=32, seq_len=256):
//!     ...
//! ```

use crate::knowledge::Words;
use crate::rule::{Rule, RuleSet, denied};
use prism_core::advice::nearest;
use ruff_python_ast::{Expr, ExprCall, Pattern, Stmt, StmtFunctionDef};
use ruff_text_size::Ranged;

use crate::check::Checker;
use crate::reading::{hands_on, own, paths};
use crate::rules::no_monkeypatch;
use crate::semantic::{BindingKind, CTX, Call, Meaning, Meant as _, Reference, Store, Usage};
use crate::source::Role;

pub(crate) static RULE: Rule = Rule::error(
    "PRS113",
    "prism:no-harness-access",
    include_str!("no_harness_access.rs"),
);

pub(crate) static SET: RuleSet = RuleSet {
    reason: "belongs to the harness",
    denied: &[
        denied(
            "prism_runtime.wire prism_runtime.session prism_runtime.channel prism_runtime.learner \
             prism_runtime.auditor prism_runtime.claimant prism_runtime.config prism_runtime.context \
             prism_runtime.worker prism_runtime.stream prism_runtime.batch prism_runtime.loader \
             prism_runtime.snapshot prism_runtime.messages prism_runtime.codec prism_runtime.layout \
             prism_runtime.forward prism_runtime.failures prism_runtime.determinism \
             prism_runtime.predictor prism_runtime.limits prism_runtime.errors prism_runtime.tokenizer \
             prism_runtime.compat",
            "use the documented `ctx`",
        ),
        denied(
            "prism_runtime.local",
            "it runs a bundle on your own machine and is not there in a run",
        ),
    ],
    attributes: INNER,
    reference: Some(reference),
    call: Some(call),
    statement: Some(statement),
    expression: Some(in_a_collection),
    store: Some(store),
    pattern: Some(pattern),
    ..RuleSet::of(&RULE)
};

/// What `ctx` documents, sorted.
static DOCUMENTED: Words = Words::new(
    "artifacts_dir attempt budget_seconds build_model byte_budget checkpoint_dir data_dir device \
     distributed_backend is_resume iter_train_batches local_rank log max_layers max_parameters max_params \
     max_seq_len rank reference_tokenizer reference_tokenizer_dir resume_checkpoint_dir seed \
     sequence_length step_budget stream token_budget vocab_size world_size",
);

/// Private attributes of the harness's objects, which no bundle has a reason to name.
const INNER: &str = "_all_real _batches _bundle _channel _check_same _claim _claims _config _fingerprint _hidden _import \
     _log_calls _next_batch _open_first _opened _predictor _referee _segment _session _snapshot _socket \
     _streaming _terms _true_targets _untouched _vocab_size _wire _wrap_everywhere _wrappers";
static INNER_WORDS: Words = Words::new(INNER);

/// What a batch holds.
const OF_A_BATCH: &[&str] = &["inputs", "loss", "mask", "progress", "step", "targets", "tokens"];

/// Whether a path is one that `ctx` documents.
pub(crate) fn is_documented(path: &str) -> bool {
    let name = path.strip_prefix(CTX).and_then(|rest| rest.strip_prefix('.'));
    name.is_some_and(|name| DOCUMENTED.contains(name))
}

/// Functions that may be given `ctx` whole: they read nothing behind it.
static MAY_SEE_CTX: Words = Words::new(
    "builtins.bool builtins.callable builtins.getattr builtins.hasattr builtins.id builtins.isinstance \
     builtins.print builtins.repr builtins.str",
);

/// Classes whose objects only the harness makes.
static MADE_BY_THE_HARNESS: Words = Words::new("Batch Context PrismBatch PrismContext Stream Tokenizer");

fn is_made_by_the_harness(path: &str) -> bool {
    (path.starts_with("prism_runtime.") || path.starts_with("prism_challenge."))
        && path
            .rsplit('.')
            .next()
            .is_some_and(|class| MADE_BY_THE_HARNESS.contains(class))
}

/// `type(ctx)`, `LRScheduler.state_dict(ctx)`, `Stream(...)`, `build_model(fake)`.
fn call<'a>(checker: &mut Checker<'_, 'a>, call: &Call<'a>) {
    let is_ctx = |value: &Expr| checker.meanings(value).any_path(|path| path == CTX);
    let arguments = &call.expr.arguments;
    let keywords = arguments.keywords.iter().map(|keyword| &keyword.value);
    let given = arguments.args.iter().chain(keywords).any(is_ctx);
    // `partial(look, ctx)` is the call of `look`, which must be seen.
    let is_seen = || {
        let first = arguments.args.first();
        let meanings = first.map(|first| checker.meanings(first)).unwrap_or_default();
        !meanings.is_empty()
            && meanings
                .iter()
                .all(|meaning| no_monkeypatch::is_a_function(checker, meaning))
    };
    for callee in &call.callee {
        match callee {
            Meaning::Library(path) if path.starts_with('<') => {}
            Meaning::Library(path) if given && &**path == "functools.partial" && is_seen() => {}
            Meaning::Library(path) if given && !MAY_SEE_CTX.contains(path) => {
                let shown = path.strip_prefix("builtins.").unwrap_or(path);
                let message = format!("`{shown}` is given `ctx` itself, and what lies behind it");
                return checker.report(
                    &RULE,
                    call.expr,
                    message,
                    "give it what `ctx` documents: `ctx.device`, `ctx.seed`",
                );
            }
            Meaning::Library(path) if is_made_by_the_harness(path) => {
                let message = "an object of the harness is made".to_owned();
                return checker.report(
                    &RULE,
                    call.expr,
                    message,
                    "use `ctx`, the stream and the batch as they are",
                );
            }
            Meaning::Local(module, binding) if is_entry(checker, *module, *binding) => {
                let only_ctx = matches!(&*arguments.args, [only] if paths::is_ctx(checker, only))
                    && arguments
                        .keywords
                        .iter()
                        .all(|keyword| keyword.arg.is_some() && !is_ctx(&keyword.value));
                if !only_ctx {
                    let message =
                        "this is called by the harness, with its `ctx`; here it is given something else"
                            .to_owned();
                    return checker.report(
                        &RULE,
                        call.expr,
                        message,
                        "put what both need into a function of its own",
                    );
                }
            }
            _ => {}
        }
    }
}

/// What the harness calls: what the names of the entries stand for, wherever that is defined.
fn entries<'c>(checker: &'c Checker<'_, '_>) -> impl Iterator<Item = (usize, usize)> + 'c {
    let modules = checker.sources.iter().zip(&checker.names.modules);
    let entries = modules.filter_map(|(source, found)| match source.role {
        Role::Architecture => found.scopes[0].names.get("build_model"),
        Role::Training => found.scopes[0].names.get("train"),
        Role::Helper => None,
    });
    entries
        .flat_map(|entry| &entry.meanings)
        .filter_map(|meaning| match meaning {
            Meaning::Local(module, binding) => Some((*module, *binding)),
            Meaning::Library(_) | Meaning::Module(_) | Meaning::Unknown => None,
        })
}

fn is_entry(checker: &Checker<'_, '_>, module: usize, binding: usize) -> bool {
    entries(checker).any(|found| found == (module, binding))
}

/// `getattr(architecture, "build_model")`.
pub(crate) fn entry_by_name(checker: &mut Checker<'_, '_>, found: &[Meaning], call: &ExprCall) {
    let is_entry = found.iter().any(
        |meaning| matches!(meaning, Meaning::Local(module, binding) if is_entry(checker, *module, *binding)),
    );
    if is_entry {
        report_entry(checker, call);
    }
}

fn report_entry(checker: &mut Checker<'_, '_>, at: impl Ranged) {
    let message = "what the harness calls with its `ctx` is handed on".to_owned();
    checker.report(
        &RULE,
        at,
        message,
        "put what both need into a function of its own",
    );
}

/// Decorators of libraries that call what they are given with what they are called with, and with nothing else.
static BEFORE_ENTRIES: Words = Words::new(
    "functools.cache functools.lru_cache torch.amp.autocast torch.autocast \
     torch.autograd.profiler.record_function torch.compile torch.compiler.disable torch.enable_grad \
     torch.inference_mode torch.no_grad torch.profiler.record_function torch.set_grad_enabled",
);

/// `@keep` before `def train`: what it is given could be called with anything. A wrapper that hands its arguments on may stand there.
fn decorated_entry<'a>(checker: &mut Checker<'_, 'a>, function: &'a StmtFunctionDef) {
    let is_it = |(module, binding): (usize, usize)| {
        matches!(checker.names.modules[module].bindings[binding].kind, BindingKind::Function(found)
            if std::ptr::eq(found, function))
    };
    if !entries(checker).any(is_it) {
        return;
    }
    for decorator in &function.decorator_list {
        let (called, is_open, is_made) = match &decorator.expression {
            Expr::Call(call) => {
                let is_open = !own::calls_nothing(call, |value| checker.meanings(value));
                (&*call.func, is_open, true)
            }
            named => (named, false, false),
        };
        let meanings = checker.meanings(called);
        let is_known = |meaning: &Meaning| match meaning {
            Meaning::Library(path) => BEFORE_ENTRIES.contains(path),
            Meaning::Local(module, binding) => {
                let BindingKind::Function(function) = checker.names.modules[*module].bindings[*binding].kind
                else {
                    return false;
                };
                // `@timed("steps")` calls what makes the decorator.
                let wraps = if is_made {
                    hands_on::made_by(function)
                } else {
                    Some(function)
                };
                wraps.is_some_and(|wraps| hands_on::only_wraps(checker.names, *module, wraps))
            }
            Meaning::Module(_) | Meaning::Unknown => false,
        };
        if is_open || meanings.is_empty() || !meanings.iter().all(is_known) {
            report_entry(checker, &decorator.expression);
        }
    }
}

/// `[train][0](fake)`: what the harness calls is not handed on.
fn entry_as_a_value<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    let is_entry = reference.meanings.iter().any(
        |meaning| matches!(meaning, Meaning::Local(module, binding) if is_entry(checker, *module, *binding)),
    );
    if is_entry
        && matches!(reference.usage, Usage::Load)
        && !checker.module_places.contains(&(&raw const *reference.expr))
    {
        report_entry(checker, reference.expr);
    }
}

fn reference<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    entry_as_a_value(checker, reference);
    for path in reference.paths() {
        let Some(rest) = path.strip_prefix(CTX).and_then(|rest| rest.strip_prefix('.')) else {
            continue;
        };
        let name = rest.split('.').next().unwrap_or_default();
        if !DOCUMENTED.contains(name) {
            let message = format!("`ctx.{name}` is not part of the documented `ctx`");
            let hint = match nearest(name, DOCUMENTED.iter()) {
                Some(nearest) => format!("did you mean `ctx.{nearest}`?"),
                None => "see the list on the rule's page".to_owned(),
            };
            checker.report(&RULE, reference.expr, message, &hint);
        } else if matches!(reference.usage, Usage::Store | Usage::Delete) {
            let message = format!("`ctx.{name}` is the harness's and cannot be changed");
            checker.report(
                &RULE,
                reference.expr,
                message,
                "keep the value in a variable of your own",
            );
        }
    }
    private_of_the_harness(checker, reference.expr);
}

/// `case Context(_session=s)` reads a private attribute.
fn pattern<'a>(checker: &mut Checker<'_, 'a>, pattern: &'a Pattern) {
    let Pattern::MatchClass(class) = pattern else {
        return;
    };
    let of_harness = is_of_the_harness(checker, &class.cls);
    for keyword in &class.arguments.keywords {
        let name = keyword.attr.as_str();
        if name.starts_with('_') && (of_harness || INNER_WORDS.contains(name)) {
            let message = format!("`{name}` is private to the harness");
            checker.report(
                &RULE,
                &keyword.attr,
                message,
                "use what `ctx`, the stream and the batch document",
            );
        }
    }
}

fn is_of_the_harness(checker: &Checker<'_, '_>, class: &Expr) -> bool {
    checker.meanings(class).iter().any(|meaning| {
        matches!(meaning, Meaning::Library(path)
            if path.starts_with("prism_runtime.") || path.starts_with("prism_challenge."))
    })
}

fn private_of_the_harness(checker: &mut Checker<'_, '_>, mut expr: &Expr) {
    while let Expr::Attribute(attribute) = expr {
        let name = attribute.attr.as_str();
        // Of `ctx` it is judged by its path.
        let is_of_ctx =
            |meaning: &Meaning| matches!(meaning, Meaning::Library(path) if path.starts_with('<'));
        if INNER_WORDS.contains(name)
            && !checker.meanings(&attribute.value).iter().any(is_of_ctx)
            && !own::is_an_object(checker, &attribute.value)
        {
            let message = format!("`{}` is private to the harness", attribute.attr.as_str());
            checker.report(
                &RULE,
                &attribute.attr,
                message,
                "use what `ctx`, the stream and the batch document",
            );
        }
        expr = &attribute.value;
    }
}

/// Whether the name of some private attribute of the harness is as said.
pub(crate) fn any_inner(is: impl Fn(&str) -> bool) -> bool {
    INNER_WORDS.iter().any(is)
}

/// `[ctx][0]._session`: what comes out of a collection cannot be seen.
fn in_a_collection<'a>(checker: &mut Checker<'_, 'a>, expr: &'a Expr) {
    let elements: Vec<&Expr> = match expr {
        Expr::List(list) => list.elts.iter().collect(),
        Expr::Set(set) => set.elts.iter().collect(),
        Expr::Tuple(tuple) => tuple.elts.iter().collect(),
        Expr::Dict(dict) => dict.items.iter().map(|item| &item.value).collect(),
        _ => return,
    };
    for element in elements.into_iter().filter(|element| element.is_name_expr()) {
        let is_ctx = |meaning: &Meaning| matches!(meaning, Meaning::Library(path) if &**path == CTX);
        if checker.meanings(element).iter().any(is_ctx) {
            let message = "`ctx` is put into a collection, where nobody sees it any more".to_owned();
            checker.report(
                &RULE,
                element,
                message,
                "keep what `ctx` documents: `ctx.device`, `ctx.seed`",
            );
        }
    }
}

/// What the harness's classes have, by which a function of the bundle could take their place.
static METHODS: Words = Words::new("loss inputs targets tokens build_model stream iter_train_batches");

/// `batch.loss = f`; `kind.loss = lambda ...`, where `kind` may be the class of a batch.
fn store(checker: &mut Checker<'_, '_>, store: &Store<'_>) {
    let name = store.name;
    if OF_A_BATCH.contains(&name)
        && matches!(store.object, Expr::Name(object) if object.id.as_str() == "batch")
    {
        let message = format!("`batch.{name}` is the harness's and cannot be replaced");
        checker.report(
            &RULE,
            store.place,
            message,
            "keep the value in a variable of your own",
        );
        return;
    }
    let is_a_function = store.value.is_some_and(|value| {
        value.is_lambda_expr()
            || checker
                .meanings(value)
                .iter()
                .any(|meaning| no_monkeypatch::is_a_function(checker, meaning))
    });
    if is_a_function && METHODS.contains(name) && !own::is_an_object(checker, store.object) {
        let message = format!("`{name}` may be the harness's and cannot be replaced");
        checker.report(
            &RULE,
            store.place,
            message,
            "define a method in a class of your own",
        );
    }
}

/// Subclasses of the harness's own classes.
fn statement<'a>(checker: &mut Checker<'_, 'a>, stmt: &'a Stmt) {
    if let Stmt::FunctionDef(function) = stmt
        && !function.decorator_list.is_empty()
    {
        decorated_entry(checker, function);
    }
    if let Stmt::ClassDef(class) = stmt {
        for base in class.bases() {
            if is_of_the_harness(checker, base) {
                let message = "a class of the harness is subclassed".to_owned();
                checker.report(
                    &RULE,
                    base,
                    message,
                    "use `ctx`, the stream and the batch as they are",
                );
            }
        }
    }
}
