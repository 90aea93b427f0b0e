//! # Back doors of torch
//!
//! ## What it does
//!
//! Refuses the parts of torch that download, load or compile foreign code, replace operators under other code's feet, or
//! are private: `torch.hub`, `torch.ops.load_library`, `torch.classes`, `torch._C`, `torch.utils.cpp_extension`,
//! `torch.library`, `torch.jit.load`, `torch.overrides`, methods called `__torch_function__` and `__torch_dispatch__`, and
//! `torch.compile` with a backend other than `inductor`, `eager`, `aot_eager` or `cudagraphs` or with options that name
//! programs or files, a `DataLoader` with workers, modes that last or call functions of the bundle, and schedulers that do not call
//! their functions. `torch._foreach_*` is
//! allowed: optimizers use it.
//!
//! ## Why is this refused?
//!
//! They run code that is not in the bundle, or change what the harness's own calls do.
//!
//! ## Example
//!
//! ```python
//! import torch.utils.cpp_extension
//!
//! op = torch.utils.cpp_extension.load_inline("op", source)
//! model = torch.compile(model, backend=my_backend)
//! ```
//!
//! Use instead:
//!
//! ```python
//! class Op(torch.autograd.Function):
//!     ...
//!
//! model = torch.compile(model)
//! ```

use crate::knowledge::Words;
use crate::rule::{Rule, RuleSet, denied};
use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{DictItem, Expr, ExprCall, Stmt};
use ruff_text_size::{Ranged, TextRange};
use rustc_hash::FxHashSet;

use crate::check::Checker;
use crate::reading::own;
use crate::semantic::{BindingKind, Call, Meaning, Meant as _, Reference, Store, Usage};

pub(crate) static RULE: Rule = Rule::error(
    "PRS108",
    "prism:no-torch-escape",
    include_str!("no_torch_escape.rs"),
);

pub(crate) static SET: RuleSet = RuleSet {
    reason: "leads out of Python or out of the model",
    denied: &[
        denied(
            "torch.utils.cpp_extension torch.ops torch.classes torch.library torch.utils.hipify \
             torch.utils.backend_registration torch.utils.cpp_backtrace torch.utils.jit \
             torch.utils.mkldnn torch.cuda.CUDAPluggableAllocator \
             torch.cuda.memory.CUDAPluggableAllocator torch.cuda.change_current_allocator \
             torch.cuda.memory.change_current_allocator torch.cuda.memory.MemPool torch.cuda.MemPool \
             torch.cuda.use_mem_pool torch.cuda.tunable torch.cuda.green_contexts torch.cuda.nccl \
             torch.contrib torch.numa torch.monitor torch.mtia torch.utils.rename_privateuse1_backend \
             torch.utils.generate_methods_for_privateuse1_backend torch.backends.python_native \
             torch.backends.xeon torch.nn.cpp torch.nn.backends torch.compile.register_backend \
             torch.cuda.jiterator torch.serialization torch.utils.data.datapipes torch.utils.data.graph \
             torch.utils.data.graph_settings torch.utils.data.backward_compatibility",
            "write it with tensor operations or a `torch.autograd.Function`, and `torch.compile` it",
        ),
        denied(
            "torch.hub torch.utils.model_zoo torch.jit.load torch.jit.save \
             torch.jit.jit_module_from_flatbuffer torch.jit.save_jit_module_to_flatbuffer torch.onnx",
            "train from scratch: there is nothing to load",
        ),
        denied(
            "torch.nn.utils.parametrize.type_before_parametrizations",
            "write `type(x)`",
        ),
        denied(
            "torch.nn.utils.prune.global_unstructured",
            "prune each parameter by `torch.nn.utils.prune.l1_unstructured`",
        ),
        denied(
            "torch.overrides torch.utils.weak torch.utils.module_tracker torch.utils.debug_log \
             torch.utils.backcompat torch.set_default_device torch.sym_fresh_size torch.utils.swap_tensors",
            "override `forward` in a module of your own",
        ),
        denied(
            "torch._dynamo torch._inductor torch._functorch torch._export \
             torch.compiler.load_cache_artifacts torch.compiler.save_cache_artifacts \
             torch.compiler.substitute_in_graph torch.compiler.wrap_numpy",
            "`torch.compile` needs no configuration here",
        ),
        denied(
            "torch._C torch.torch torch.nn.torch torch.utils.torch \
             torch.prepare_multiprocessing_environment torch.autograd.profiler_legacy \
             torch.autograd.profiler_util torch.cpp torch.return_types.return_types torch.windows \
             torch.distributed.nn.api torch.distributed.nn.jit",
            "use the documented functions of `torch`",
        ),
        denied(
            "torch.autograd.graph.saved_tensors_hooks torch.autograd.graph.disable_saved_tensors_hooks \
             torch.autograd.graph.register_multi_grad_hook",
            "keep activations on the device, or use `torch.utils.checkpoint`",
        ),
        denied(
            "torch.random.fork_rng.__wrapped__",
            "the harness seeds everything already: use `torch.manual_seed` only with `ctx.seed`",
        ),
        denied(
            "torch.nn.modules.module.register_module_forward_hook \
             torch.nn.modules.module.register_module_forward_pre_hook \
             torch.nn.modules.module.register_module_full_backward_hook \
             torch.nn.modules.module.register_module_full_backward_pre_hook \
             torch.nn.modules.module.register_module_backward_hook \
             torch.nn.modules.module.register_module_buffer_registration_hook \
             torch.nn.modules.module.register_module_module_registration_hook \
             torch.nn.modules.module.register_module_parameter_registration_hook \
             torch.optim.optimizer.register_optimizer_step_pre_hook \
             torch.optim.optimizer.register_optimizer_step_post_hook",
            "hooks on all modules at once reach the harness too: register them on your own modules",
        ),
        denied(
            "torch.nn.parallel.replicate torch.nn.parallel.parallel_apply torch.nn.parallel.data_parallel",
            "one process drives one device: use `torch.distributed`",
        ),
        denied(
            "torch.jit.trace_module",
            "write `torch.jit.trace(module, inputs)`",
        ),
        denied("torch.get_device_module", "write `torch.cuda` or `torch.cpu`"),
        denied(
            "torch.distributed.c10d_logger torch.distributed.config torch.distributed.distributed_c10d \
             torch.distributed.logging_handlers torch.distributed.register_rendezvous_handler \
             torch.distributed.utils torch.distributed.ProcessGroupGloo \
             torch.distributed.ProcessGroupNCCL torch.distributed.ProcessGroupNCCL2 \
             torch.distributed.ProcessGroupNCCLLazy",
            "use the documented functions of `torch.distributed`",
        ),
        denied(
            "torch.backends.cudnn.m torch.backends.mkldnn.m torch.backends.opt_einsum.m",
            "use the documented settings of `torch.backends`",
        ),
        denied(
            "torch.compiler.set_default_backend",
            "leave it out: the default needs no configuration",
        ),
        denied(
            "torch.optim.lr_scheduler.ref torch.cuda.list_gpu_processes torch.xpu.list_gpu_processes",
            "leave it out",
        ),
        denied("torch.mps.load_metallib", "use `torch.compile`"),
        denied(
            "torch.CallStack torch.Capsule torch.DeepCopyMemoTable torch.ErrorReport torch.FileCheck \
             torch.InferredType torch.LockingLogger torch.NoopLogger torch.OperatorInfo torch.PyObjectType \
             torch.AggregationType torch.DisableTorchFunction torch.DisableTorchFunctionSubclass \
             torch.ExcludeDispatchKeyGuard torch.DispatchKey torch.DispatchKeySet torch.ClassType \
             torch.InterfaceType torch.RRefType torch.FutureType torch.AwaitType torch.Future",
            "use the documented functions of `torch`",
        ),
        denied(
            "torch.xpu.XPUPluggableAllocator torch.xpu.change_current_allocator \
             torch.xpu.memory.XPUPluggableAllocator",
            "use the allocator of torch",
        ),
    ],
    reference: Some(reference),
    call: Some(call),
    statement: Some(statement),
    store: Some(store),
    ..RuleSet::of(&RULE)
};

/// Backends of `torch.compile` that run no code of others.
const BACKENDS: &[&str] = &["inductor", "eager", "aot_eager", "cudagraphs"];

/// Methods by which a class takes over torch's own functions.
static TAKE_OVER: Words =
    Words::new("__torch_function__ __torch_dispatch__ __array_function__ __array_ufunc__");

/// Options of `torch.compile` that choose among the compiler's own ways, sorted; others name programs and files.
static OPTIONS: Words = Words::new(
    "coordinate_descent_tuning epilogue_fusion max_autotune max_autotune_gemm max_autotune_pointwise \
     shape_padding triton.cudagraph_trees triton.cudagraphs",
);

fn call<'a>(checker: &mut Checker<'_, 'a>, call: &Call<'a>) {
    // `partial(f, key=value)` is judged as if it were the call of `f` that it prepares.
    let (arguments, of_partial) = match call.expr.arguments.args.split_first() {
        Some((first, rest)) if call.may_be("functools.partial") => (rest, Some(checker.meanings(first))),
        _ => (&*call.expr.arguments.args, None),
    };
    let callee = of_partial.as_ref().unwrap_or(&call.callee);
    if callee.iter().any(is_loader) {
        workers(checker, call.expr, arguments);
        if let (Some(_), Some(loader)) = (&of_partial, call.expr.arguments.args.first()) {
            checker.module_places.insert(&raw const *loader);
        }
    }
    modes(checker, call);
    let is_compile = callee.iter().any(|meaning| {
        matches!(meaning, Meaning::Library(path) if matches!(&**path, "torch.compile" | "torch.compiler.compile"))
    });
    // Every `nn.Module` has a method that hands its arguments on to `torch.compile`.
    let function = match &of_partial {
        Some(_) => call.expr.arguments.args.first(),
        None => Some(&*call.expr.func),
    };
    let is_method = callee.may_be_unseen()
        && matches!(function, Some(Expr::Attribute(attribute)) if attribute.attr.as_str() == "compile");
    if is_compile || is_method {
        compiles(checker, call.expr);
    } else if callee.may_be_unseen() {
        unknown(checker, call.expr);
    }
}

/// What changes every operation of the process while it is entered.
const MODES: &[&str] = &["torch.device", "torch.utils.flop_counter.FlopCounterMode"];

/// `stack.enter_context(torch.device("meta"))` lasts, and `FlopCounterMode(custom_mapping=f)` calls `f` for the harness's
/// operations as well.
fn modes<'a>(checker: &mut Checker<'_, 'a>, call: &Call<'a>) {
    let arguments = &call.expr.arguments;
    let is_a_mode = |value: &Expr| {
        matches!(value, Expr::Call(made) if MODES.iter().any(|mode| checker.may_be(&made.func, mode)))
            || checker.may_be(value, "<ctx>.device")
    };
    let bound_to_a_mode = |value: &Expr| {
        let Expr::Name(name) = value else { return false };
        let bindings = checker
            .names
            .bindings(checker.module, checker.scope(), name.id.as_str());
        let module = &checker.names.modules[checker.module];
        bindings.iter().take(BINDINGS_MAX).any(
            |&number| matches!(module.bindings[number].kind, BindingKind::Value(value) if is_a_mode(value)),
        )
    };
    let enters =
        matches!(&*call.expr.func, Expr::Attribute(method) if method.attr.as_str() == "enter_context");
    let first = arguments.args.first();
    if enters && first.is_some_and(|first| is_a_mode(first) || bound_to_a_mode(first)) {
        let message = "a mode of the whole process is entered, and lasts".to_owned();
        checker.report(
            &RULE,
            call.expr,
            message,
            "write `with`, or give `device=` where it is needed",
        );
    }
    if call.may_be(MODES[1])
        && (arguments.args.len() > COUNTER_PLACES
            || arguments.args.iter().any(Expr::is_starred_expr)
            || arguments.keywords.iter().any(|keyword| {
                keyword
                    .arg
                    .as_ref()
                    .is_none_or(|name| name.as_str() == "custom_mapping")
            }))
    {
        let message = "functions of the bundle are called for every operation of the process".to_owned();
        checker.report(&RULE, call.expr, message, "leave `custom_mapping` out");
    }
}

/// Most bindings of one name that are looked at.
const BINDINGS_MAX: usize = 16;
/// The arguments of a `FlopCounterMode` before its own functions.
const COUNTER_PLACES: usize = 3;

/// What is not known may be `torch.compile`, if it is called like that.
fn unknown<'a>(checker: &mut Checker<'_, 'a>, call: &'a ExprCall) {
    let backend = call.arguments.find_keyword("backend");
    if backend.is_some_and(|keyword| may_be_a_function(checker, &keyword.value)) {
        compiles(checker, call);
    }
}

fn may_be_a_function(checker: &Checker<'_, '_>, value: &Expr) -> bool {
    matches!(value, Expr::Lambda(_) | Expr::Call(_) | Expr::Subscript(_))
        || checker
            .meanings(value)
            .iter()
            .any(|meaning| matches!(meaning, Meaning::Local(..)))
}

/// `[DataLoader][0](rows, num_workers=n)`: it is called, or given another name, where it can be seen with what.
fn reference<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    let is_seen = |places: &FxHashSet<*const Expr>| places.contains(&(&raw const *reference.expr));
    if matches!(reference.usage, Usage::Load)
        && reference.meanings.iter().any(is_loader)
        && !is_seen(&checker.module_places)
        && !is_seen(&checker.type_places)
    {
        report_workers(checker, reference.expr.range());
    }
}

fn is_loader(meaning: &Meaning) -> bool {
    matches!(meaning, Meaning::Library(path) if path.ends_with(".DataLoader") && path.starts_with("torch."))
}

fn compiles<'a>(checker: &mut Checker<'_, 'a>, call: &'a ExprCall) {
    for keyword in &call.arguments.keywords {
        let name = keyword.arg.as_ref().map(ruff_python_ast::Identifier::as_str);
        let honest = match (name, &keyword.value) {
            (Some("backend"), Expr::StringLiteral(text)) => BACKENDS.contains(&text.value.to_str()),
            (Some("options"), Expr::NoneLiteral(_)) => true,
            (Some("options"), Expr::Dict(options)) => options.items.iter().all(is_an_honest_option),
            (Some("options"), Expr::Name(name)) => is_an_honest_table(checker, name.id.as_str()),
            (Some("backend" | "options") | None, _) => false,
            _ => true,
        };
        if !honest {
            let message = "`torch.compile` may only use a backend and options that are spelled out and run no foreign code"
                .to_owned();
            let hint = "leave `backend` and `options` out, or write one of \"inductor\", \"eager\", \"aot_eager\", \"cudagraphs\"";
            checker.report(&RULE, keyword, message, hint);
        }
    }
}

/// Options that stand in a dictionary of the module, which is bound once and nowhere changed or handed to anything else.
fn is_an_honest_table(checker: &Checker<'_, '_>, name: &str) -> bool {
    let bindings = checker.names.bindings(checker.module, checker.scope(), name);
    let [only] = bindings else {
        return false;
    };
    let BindingKind::Value(Expr::Dict(options)) = checker.names.modules[checker.module].bindings[*only].kind
    else {
        return false;
    };
    let tokens = checker
        .trees
        .iter()
        .enumerate()
        .filter_map(|(module, tree)| Some((module, tree.as_ref().ok()?)));
    let mentions: usize = tokens
        .map(|(module, parsed)| {
            let source = &checker.sources[module];
            let is_it = |token: &&ruff_python_ast::token::Token| {
                token.kind() == TokenKind::Name && source.slice(token.range()) == name
            };
            parsed.tokens().iter().filter(is_it).count()
        })
        .sum();
    let given: usize = ["compile", "partial"]
        .iter()
        .filter_map(|callee| checker.uses().calls.get(callee))
        .flatten()
        .flat_map(|(_, call)| call.arguments.keywords.iter())
        .filter(|keyword| {
            keyword.arg.as_ref().is_some_and(|arg| arg.as_str() == "options")
                && matches!(&keyword.value, Expr::Name(value) if value.id.as_str() == name)
        })
        .count();
    options.items.iter().all(is_an_honest_option) && mentions == given + 1
}

fn is_an_honest_option(item: &DictItem) -> bool {
    let is_known =
        matches!(&item.key, Some(Expr::StringLiteral(key)) if OPTIONS.contains(key.value.to_str()));
    is_known && matches!(item.value, Expr::BooleanLiteral(_) | Expr::NumberLiteral(_))
}

fn is_zero(value: &Expr) -> bool {
    matches!(value, Expr::NumberLiteral(number) if number.value.as_int().is_some_and(|n| *n == 0))
}

/// Classes that take the names of attributes from their own objects.
static OPEN_CLASSES: Words = Words::new(
    "torch.distributed.fsdp.FullyShardedDataParallel \
     torch.distributed.fsdp.fully_sharded_data_parallel.FullyShardedDataParallel \
     torch.nn.utils.prune.BasePruningMethod torch.nn.utils.prune.CustomFromMask \
     torch.nn.utils.prune.PruningContainer torch.nn.utils.spectral_norm.SpectralNorm \
     torch.nn.utils.weight_norm.WeightNorm",
);

/// Schedulers whose `state_dict` copies the dictionary of what they were given to call.
const KEEPS_WHAT_IT_CALLS: &[&str] = &[".CyclicLR", ".LambdaLR", ".MultiplicativeLR"];

/// Methods in which they call it.
static SCHEDULES: Words = Words::new("_get_closed_form_lr _initial_step _update_lr get_lr scale_fn step");

/// The place of `num_workers` among the arguments of a `DataLoader`.
const WORKERS_PLACE: usize = 5;

/// Workers of a `DataLoader` are processes, with code of their own.
fn workers<'a>(checker: &mut Checker<'_, 'a>, call: &'a ExprCall, places: &'a [Expr]) {
    for keyword in &call.arguments.keywords {
        let harmless = match keyword.arg.as_ref().map(ruff_python_ast::Identifier::as_str) {
            Some("num_workers") => is_zero(&keyword.value),
            Some("worker_init_fn" | "multiprocessing_context") | None => false,
            _ => true,
        };
        if !harmless {
            report_workers(checker, keyword.range());
        }
    }
    for (place, value) in places.iter().enumerate() {
        if value.is_starred_expr() || place == WORKERS_PLACE && !is_zero(value) {
            report_workers(checker, value.range());
        }
    }
}

fn report_workers(checker: &mut Checker<'_, '_>, range: TextRange) {
    let message = "a `DataLoader` with workers starts processes".to_owned();
    let hint = "leave it out: the text comes from `ctx.stream`, ready when it is due";
    checker.report(&RULE, range, message, hint);
}

/// `loader.num_workers = 2` after it was made.
fn store(checker: &mut Checker<'_, '_>, store: &Store<'_>) {
    if matches!(
        store.name,
        "num_workers" | "multiprocessing_context" | "worker_init_fn"
    ) && !store.value.is_some_and(is_zero)
        && !own::is_an_object(checker, store.object)
    {
        report_workers(checker, store.place);
    }
}

/// Subclasses of what starts processes, whose `super().__init__` nobody follows.
fn derives<'a>(checker: &mut Checker<'_, 'a>, stmt: &'a Stmt) {
    let Stmt::ClassDef(class) = stmt else {
        return;
    };
    for base in class.bases() {
        let is_open =
            |meaning: &Meaning| matches!(meaning, Meaning::Library(path) if OPEN_CLASSES.contains(path));
        if checker.meanings(base).iter().any(is_open) {
            let message =
                "an object of this class reads or sets attributes by names that nobody sees".to_owned();
            checker.report(
                &RULE,
                base,
                message,
                "use it as it is, or derive from `nn.Module`",
            );
        }
        let calls_itself = |meaning: &Meaning| matches!(meaning, Meaning::Library(path) if KEEPS_WHAT_IT_CALLS.iter().any(|class| path.ends_with(class)));
        let is_overridden = class.body.iter().any(|stmt| {
            matches!(stmt, Stmt::FunctionDef(method)
                    if SCHEDULES.contains(method.name.as_str()))
        });
        if is_overridden && checker.meanings(base).iter().any(calls_itself) {
            let message = "a scheduler that does not call its functions hands out what they hold".to_owned();
            checker.report(&RULE, base, message, "derive from `LRScheduler`");
        }
        if checker.meanings(base).iter().any(is_loader) {
            report_workers(checker, base.range());
        }
    }
}

fn statement<'a>(checker: &mut Checker<'_, 'a>, stmt: &'a Stmt) {
    derives(checker, stmt);
    let name = match stmt {
        Stmt::FunctionDef(function) => &function.name,
        Stmt::Assign(assign) => match assign.targets.first() {
            Some(Expr::Name(name)) if TAKE_OVER.contains(name.id.as_str()) => {
                report(checker, name.id.as_str(), name.range);
                return;
            }
            _ => return,
        },
        _ => return,
    };
    if TAKE_OVER.contains(name.as_str()) {
        report(checker, name.as_str(), name.range);
    }
}

fn report(checker: &mut Checker<'_, '_>, name: &str, range: TextRange) {
    let message = format!("`{name}` takes over the functions of torch, the harness's calls included");
    checker.report(
        &RULE,
        range,
        message,
        "write a function or a module of your own, and call that",
    );
}
