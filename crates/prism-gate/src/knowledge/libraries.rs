//! The libraries that a bundle may import, and what of each.
//!
//! A module that is not listed here is refused. A module with a list of names lends only those; the others lend every
//! public name that no rule refuses.

/// Modules that may be imported, sorted. `torch.nn` alone does not allow `torch.nn.other`.
#[rustfmt::skip]
const MODULES: &[&str] = &[
    "__future__", "abc", "bisect", "cmath", "collections", "collections.abc", "contextlib", "copy",
    "dataclasses", "einops", "einops.layers", "einops.layers.torch", "enum", "fractions", "functools",
    "heapq", "itertools", "json", "logging", "math", "numbers", "numpy", "numpy.char", "numpy.dtypes",
    "numpy.exceptions", "numpy.fft", "numpy.linalg", "numpy.ma", "numpy.polynomial",
    "numpy.polynomial.chebyshev", "numpy.polynomial.hermite", "numpy.polynomial.hermite_e",
    "numpy.polynomial.laguerre", "numpy.polynomial.legendre", "numpy.polynomial.polynomial",
    "numpy.polynomial.polyutils", "numpy.random", "numpy.strings", "numpy.typing", "operator",
    "prism_challenge", "prism_challenge.evaluator", "prism_challenge.evaluator.interface", "prism_runtime",
    "random", "re", "statistics", "string", "textwrap", "time", "torch", "torch.accelerator", "torch.amp",
    "torch.amp.autocast_mode", "torch.amp.grad_scaler", "torch.ao.quantization", "torch.autograd",
    "torch.autograd.forward_ad", "torch.autograd.function", "torch.autograd.functional",
    "torch.autograd.grad_mode", "torch.autograd.graph", "torch.autograd.profiler",
    "torch.autograd.variable", "torch.backends", "torch.backends.cpu", "torch.backends.cuda",
    "torch.backends.cudnn", "torch.backends.mha", "torch.backends.mkl", "torch.backends.mkldnn",
    "torch.backends.mps", "torch.backends.openmp", "torch.backends.opt_einsum", "torch.compiler",
    "torch.cpu", "torch.cpu.amp", "torch.cuda", "torch.cuda.amp", "torch.cuda.comm", "torch.cuda.graphs",
    "torch.cuda.nvtx", "torch.cuda.random", "torch.cuda.streams", "torch.distributed",
    "torch.distributed.algorithms", "torch.distributed.algorithms.ddp_comm_hooks",
    "torch.distributed.algorithms.join", "torch.distributed.device_mesh", "torch.distributed.fsdp",
    "torch.distributed.fsdp.wrap", "torch.distributed.optim", "torch.distributed.tensor",
    "torch.distributed.tensor.parallel", "torch.distributions", "torch.distributions.bernoulli",
    "torch.distributions.beta", "torch.distributions.binomial", "torch.distributions.categorical",
    "torch.distributions.cauchy", "torch.distributions.chi2", "torch.distributions.constraint_registry",
    "torch.distributions.constraints", "torch.distributions.continuous_bernoulli",
    "torch.distributions.dirichlet", "torch.distributions.distribution", "torch.distributions.exp_family",
    "torch.distributions.exponential", "torch.distributions.fishersnedecor", "torch.distributions.gamma",
    "torch.distributions.generalized_pareto", "torch.distributions.geometric", "torch.distributions.gumbel",
    "torch.distributions.half_cauchy", "torch.distributions.half_normal", "torch.distributions.independent",
    "torch.distributions.inverse_gamma", "torch.distributions.kl", "torch.distributions.kumaraswamy",
    "torch.distributions.laplace", "torch.distributions.lkj_cholesky", "torch.distributions.log_normal",
    "torch.distributions.logistic_normal", "torch.distributions.lowrank_multivariate_normal",
    "torch.distributions.mixture_same_family", "torch.distributions.multinomial",
    "torch.distributions.multivariate_normal", "torch.distributions.negative_binomial",
    "torch.distributions.normal", "torch.distributions.one_hot_categorical", "torch.distributions.pareto",
    "torch.distributions.poisson", "torch.distributions.relaxed_bernoulli",
    "torch.distributions.relaxed_categorical", "torch.distributions.studentT",
    "torch.distributions.transformed_distribution", "torch.distributions.transforms",
    "torch.distributions.uniform", "torch.distributions.utils", "torch.distributions.von_mises",
    "torch.distributions.weibull", "torch.distributions.wishart", "torch.fft", "torch.func",
    "torch.functional", "torch.jit", "torch.linalg", "torch.masked", "torch.nested", "torch.nn",
    "torch.nn.attention", "torch.nn.attention.bias", "torch.nn.attention.flex_attention",
    "torch.nn.attention.varlen", "torch.nn.common_types", "torch.nn.functional", "torch.nn.init",
    "torch.nn.modules", "torch.nn.modules.activation", "torch.nn.modules.adaptive",
    "torch.nn.modules.batchnorm", "torch.nn.modules.channelshuffle", "torch.nn.modules.container",
    "torch.nn.modules.conv", "torch.nn.modules.distance", "torch.nn.modules.dropout",
    "torch.nn.modules.flatten", "torch.nn.modules.fold", "torch.nn.modules.instancenorm",
    "torch.nn.modules.lazy", "torch.nn.modules.linear", "torch.nn.modules.linear_cross_entropy",
    "torch.nn.modules.linear_cross_entropy_options", "torch.nn.modules.loss", "torch.nn.modules.module",
    "torch.nn.modules.normalization", "torch.nn.modules.padding", "torch.nn.modules.pixelshuffle",
    "torch.nn.modules.pooling", "torch.nn.modules.rnn", "torch.nn.modules.sparse",
    "torch.nn.modules.transformer", "torch.nn.modules.upsampling", "torch.nn.modules.utils",
    "torch.nn.parallel", "torch.nn.parallel.distributed", "torch.nn.parameter", "torch.nn.utils",
    "torch.nn.utils.clip_grad", "torch.nn.utils.convert_parameters", "torch.nn.utils.fusion",
    "torch.nn.utils.init", "torch.nn.utils.memory_format", "torch.nn.utils.parametrizations",
    "torch.nn.utils.parametrize", "torch.nn.utils.prune", "torch.nn.utils.rnn",
    "torch.nn.utils.spectral_norm", "torch.nn.utils.stateless", "torch.nn.utils.weight_norm", "torch.optim",
    "torch.optim.adadelta", "torch.optim.adagrad", "torch.optim.adam", "torch.optim.adamax",
    "torch.optim.adamw", "torch.optim.asgd", "torch.optim.functional", "torch.optim.lbfgs",
    "torch.optim.lr_scheduler", "torch.optim.nadam", "torch.optim.optimizer", "torch.optim.radam",
    "torch.optim.rmsprop", "torch.optim.rprop", "torch.optim.sgd", "torch.optim.sparse_adam",
    "torch.optim.swa_utils", "torch.profiler", "torch.quasirandom", "torch.random", "torch.return_types",
    "torch.signal", "torch.signal.windows", "torch.sparse", "torch.special", "torch.testing", "torch.types",
    "torch.utils", "torch.utils.checkpoint", "torch.utils.data", "torch.utils.data.dataloader",
    "torch.utils.data.dataset", "torch.utils.data.distributed", "torch.utils.data.sampler",
    "torch.utils.flop_counter", "torch.utils.hooks", "torch.version", "types", "typing",
    "typing_extensions", "warnings",
];

/// Modules that cannot be imported by name but are there once their package is; sorted. They are modules as values, too.
#[rustfmt::skip]
const REACHABLE: &[&str] = &[
    "numpy.emath", "numpy.ma.core", "numpy.ma.core.mu", "numpy.ma.core.ntypes", "numpy.ma.core.umath",
    "numpy.ma.extras", "numpy.ma.extras.ma", "numpy.polynomial.chebyshev.pu", "numpy.polynomial.hermite.pu",
    "numpy.polynomial.hermite_e.pu", "numpy.polynomial.laguerre.pu", "numpy.polynomial.legendre.pu",
    "numpy.polynomial.polynomial.pu", "numpy.random.bit_generator", "numpy.random.mtrand",
    "statistics.random", "torch.accelerator.graphs", "torch.accelerator.memory", "torch.accelerator.random",
    "torch.ao", "torch.ao.nn", "torch.ao.quantization.fake_quantize",
    "torch.ao.quantization.fuser_method_mappings", "torch.ao.quantization.fuser_method_mappings.nni",
    "torch.ao.quantization.observer", "torch.ao.quantization.qconfig",
    "torch.ao.quantization.qconfig_mapping", "torch.ao.quantization.quant_type",
    "torch.ao.quantization.quantization_mappings", "torch.ao.quantization.quantization_mappings.ao_nn",
    "torch.ao.quantization.quantization_mappings.nni", "torch.ao.quantization.quantization_mappings.nniq",
    "torch.ao.quantization.quantization_mappings.nniqat",
    "torch.ao.quantization.quantization_mappings.nniqd", "torch.ao.quantization.quantization_mappings.nnq",
    "torch.ao.quantization.quantization_mappings.nnqat",
    "torch.ao.quantization.quantization_mappings.nnqatd",
    "torch.ao.quantization.quantization_mappings.nnqd", "torch.ao.quantization.quantization_mappings.nnqr",
    "torch.ao.quantization.stubs", "torch.ao.quantization.utils", "torch.autograd.anomaly_mode",
    "torch.autograd.function.hooks", "torch.backends.cusparselt", "torch.backends.kleidiai",
    "torch.backends.miopen", "torch.backends.nnpack", "torch.backends.quantized",
    "torch.cpu.amp.autocast_mode", "torch.cpu.amp.grad_scaler", "torch.cuda.amp.autocast_mode",
    "torch.cuda.amp.common", "torch.cuda.amp.grad_scaler", "torch.cuda.graph_annotations",
    "torch.cuda.memory", "torch.cuda.sparse", "torch.distributed.algorithms.ddp_comm_hooks.debugging",
    "torch.distributed.algorithms.ddp_comm_hooks.debugging_hooks",
    "torch.distributed.algorithms.ddp_comm_hooks.default",
    "torch.distributed.algorithms.ddp_comm_hooks.default_hooks",
    "torch.distributed.algorithms.ddp_comm_hooks.optimizer_overlap",
    "torch.distributed.algorithms.ddp_comm_hooks.optimizer_overlap_hooks",
    "torch.distributed.algorithms.ddp_comm_hooks.powerSGD",
    "torch.distributed.algorithms.ddp_comm_hooks.powerSGD.default",
    "torch.distributed.algorithms.ddp_comm_hooks.powerSGD_hook",
    "torch.distributed.algorithms.ddp_comm_hooks.powerSGD_hook.default",
    "torch.distributed.algorithms.ddp_comm_hooks.quantization",
    "torch.distributed.algorithms.ddp_comm_hooks.quantization_hooks",
    "torch.distributed.algorithms.model_averaging", "torch.distributed.algorithms.model_averaging.utils",
    "torch.distributed.constants", "torch.distributed.fsdp.api",
    "torch.distributed.fsdp.fully_sharded_data_parallel", "torch.distributed.nn",
    "torch.distributed.nn.functional", "torch.distributed.tensor.device_mesh",
    "torch.distributed.tensor.parallel.api", "torch.distributed.tensor.parallel.fsdp",
    "torch.distributed.tensor.parallel.loss", "torch.distributed.tensor.parallel.loss.utils",
    "torch.distributed.tensor.parallel.style", "torch.distributed.tensor.placement_types",
    "torch.distributions.constraint_registry.transforms", "torch.foreach", "torch.masked.maskedtensor",
    "torch.masked.maskedtensor.binary", "torch.masked.maskedtensor.core",
    "torch.masked.maskedtensor.creation", "torch.masked.maskedtensor.passthrough",
    "torch.masked.maskedtensor.reductions", "torch.masked.maskedtensor.unary", "torch.mps",
    "torch.mps.event", "torch.mps.profiler", "torch.mps.streams", "torch.nn.functional.grad",
    "torch.nn.grad", "torch.nn.intrinsic", "torch.nn.intrinsic.modules", "torch.nn.intrinsic.qat",
    "torch.nn.intrinsic.quantized", "torch.nn.parallel.comm", "torch.nn.parallel.scatter_gather",
    "torch.nn.qat", "torch.nn.qat.dynamic", "torch.nn.qat.modules", "torch.nn.quantizable",
    "torch.nn.quantizable.modules", "torch.nn.quantized", "torch.nn.quantized.dynamic",
    "torch.nn.quantized.functional", "torch.nn.quantized.modules",
    "torch.nn.utils.parametrizations.parametrize", "torch.optim.optimizer.hooks", "torch.quantization",
    "torch.quantization.fake_quantize", "torch.quantization.fuser_method_mappings",
    "torch.quantization.observer", "torch.quantization.qconfig", "torch.quantization.quant_type",
    "torch.quantization.quantization_mappings", "torch.quantization.stubs", "torch.signal.windows.windows",
    "torch.sparse.semi_structured", "torch.torch_version", "torch.xpu", "torch.xpu.graphs",
    "torch.xpu.memory", "torch.xpu.random", "torch.xpu.streams",
];

/// Names under which libraries hold other modules, sorted: theirs is the way from `einops` to `torch` and from there on.
#[rustfmt::skip]
const ALIASES: &[&str] = &[
    "F", "abc", "aten", "bisect", "bltns", "cmath", "collections", "constraints", "container_abcs",
    "contextlib", "copyreg", "dataclasses", "dist", "dist_config", "einops", "enum", "fractions",
    "functools", "fwAD", "fx_traceback", "heapq", "init", "io", "itertools", "json", "keyword", "logging",
    "m", "math", "np", "numbers", "numpy", "operator", "python_multiprocessing", "re", "statistics",
    "stdlib_re", "string", "textwrap", "torch", "types", "typing", "typing_extensions", "warnings",
];

/// Modules that lend some names only, sorted by module.
#[rustfmt::skip]
const PUBLIC: &[(&str, &[&str])] = &[
    ("abc", &[
        "ABC", "ABCMeta", "abstractclassmethod", "abstractmethod", "abstractproperty",
        "abstractstaticmethod",
    ]),
    ("contextlib", &[
        "AbstractAsyncContextManager", "AbstractContextManager", "AsyncExitStack", "ContextDecorator",
        "ExitStack", "asynccontextmanager", "closing", "contextmanager", "nullcontext", "suppress",
    ]),
    ("copy", &["copy", "deepcopy", "replace"]),
    ("dataclasses", &[
        "FrozenInstanceError", "Field", "InitVar", "KW_ONLY", "MISSING", "asdict", "astuple", "dataclass",
        "field", "fields", "is_dataclass", "replace",
    ]),
    ("einops", &[
        "EinopsError", "asnumpy", "einsum", "pack", "parse_shape", "rearrange", "reduce", "repeat",
        "unpack",
    ]),
    ("einops.layers.torch", &["EinMix", "Rearrange", "Reduce"]),
    ("enum", &[
        "CONFORM", "CONTINUOUS", "EJECT", "Enum", "EnumCheck", "Flag", "FlagBoundary", "IntEnum", "IntFlag",
        "KEEP", "NAMED_FLAGS", "ReprEnum", "STRICT", "StrEnum", "UNIQUE", "auto", "member", "nonmember",
        "property", "unique", "verify",
    ]),
    ("functools", &[
        "cache", "cached_property", "cmp_to_key", "lru_cache", "partial", "partialmethod", "reduce",
        "singledispatch", "singledispatchmethod", "total_ordering", "update_wrapper", "wraps",
    ]),
    ("json", &["JSONDecodeError", "dumps", "loads"]),
    ("logging", &[
        "CRITICAL", "DEBUG", "ERROR", "INFO", "Logger", "LoggerAdapter", "NOTSET", "NullHandler", "WARNING",
        "StreamHandler", "Formatter", "basicConfig", "critical", "debug", "error", "exception", "getLogger",
        "info", "log", "warn", "warning",
    ]),
    ("prism_challenge", &["evaluator"]),
    ("prism_challenge.evaluator", &["interface"]),
    ("prism_challenge.evaluator.interface", &["PrismBatch", "PrismContext", "TrainingRecipe"]),
    ("prism_runtime", &["Batch", "Context", "PrismBatch", "PrismError", "Stream", "Tokenizer"]),
    ("random", &[
        "Random", "betavariate", "choice", "choices", "expovariate", "gammavariate", "gauss", "getrandbits",
        "getstate", "lognormvariate", "normalvariate", "paretovariate", "randbytes", "randint", "random",
        "randrange", "sample", "seed", "setstate", "shuffle", "triangular", "uniform", "vonmisesvariate",
        "weibullvariate",
    ]),
    ("re", &[
        "A", "ASCII", "DEBUG", "DOTALL", "I", "IGNORECASE", "L", "LOCALE", "M", "MULTILINE", "Match",
        "NOFLAG", "Pattern", "RegexFlag", "S", "U", "UNICODE", "VERBOSE", "X", "compile", "error", "escape",
        "findall", "finditer", "fullmatch", "match", "purge", "search", "split", "sub", "subn",
    ]),
    ("string", &[
        "ascii_letters", "ascii_lowercase", "ascii_uppercase", "capwords", "digits", "hexdigits",
        "octdigits", "printable", "punctuation", "whitespace",
    ]),
    ("time", &[
        "gmtime", "localtime", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns",
        "process_time", "process_time_ns", "sleep", "strftime", "struct_time", "thread_time", "time",
        "time_ns",
    ]),
    ("torch.autograd.graph", &[
        "GradientEdge", "Node", "allow_mutation_on_saved_tensors", "get_gradient_edge", "increment_version",
        "save_on_cpu",
    ]),
    ("torch.autograd.profiler", &["EventList", "FunctionEvent", "emit_nvtx", "profile", "record_function"]),
    ("torch.compiler", &[
        "allow_in_graph", "assume_constant_result", "compile", "cudagraph_mark_step_begin", "disable",
        "is_compiling", "is_dynamo_compiling", "is_exporting", "reset",
    ]),
    ("torch.jit", &[
        "Attribute", "Error", "Final", "ScriptFunction", "ScriptModule", "TracerWarning", "annotate",
        "export", "freeze", "ignore", "is_scripting", "is_tracing", "isinstance", "optimize_for_inference",
        "optimized_execution", "script", "script_if_tracing", "script_method", "set_fusion_strategy",
        "trace", "trace_module", "unused",
    ]),
    ("torch.nn.attention", &["SDPBackend", "WARN_FOR_UNFUSED_KERNELS", "sdpa_kernel"]),
    ("torch.profiler", &[
        "ProfilerAction", "ProfilerActivity", "RecordScope", "kineto_available", "profile",
        "record_function", "schedule", "supported_activities",
    ]),
    ("torch.testing", &["assert_allclose", "assert_close", "make_tensor"]),
    ("torch.types", &["Device", "Number", "Size", "Storage", "SymBool", "SymFloat", "SymInt", "Tensor"]),
    ("torch.utils", &["swap_tensors"]),
    ("torch.utils.checkpoint", &[
        "CheckpointError", "CheckpointFunction", "CheckpointPolicy", "DefaultDeviceType",
        "SelectiveCheckpointContext", "checkpoint", "checkpoint_sequential",
        "create_selective_checkpoint_contexts", "detach_variable", "get_device_states", "noop_context_fn",
        "set_checkpoint_debug_enabled", "set_checkpoint_early_stop", "set_device_states",
    ]),
    ("torch.utils.data", &[
        "BatchSampler", "ChainDataset", "ConcatDataset", "DataLoader", "Dataset", "DistributedSampler",
        "IterableDataset", "RandomSampler", "Sampler", "SequentialSampler", "StackDataset", "Subset",
        "SubsetRandomSampler", "TensorDataset", "WeightedRandomSampler", "default_collate",
        "default_convert", "get_worker_info", "random_split",
    ]),
    ("torch.utils.data.dataloader", &["DataLoader", "default_collate", "default_convert", "get_worker_info"]),
    ("torch.utils.flop_counter", &["FlopCounterMode"]),
    ("types", &[
        "EllipsisType", "MappingProxyType", "NoneType", "NotImplementedType", "SimpleNamespace",
        "UnionType",
    ]),
    ("warnings", &["catch_warnings", "filterwarnings", "resetwarnings", "simplefilter", "warn"]),
];

/// Whether a module may be imported.
pub(crate) fn is_allowed(module: &str) -> bool {
    MODULES.binary_search(&module).is_ok()
}

/// Whether a path is a module that may be imported, or lies above one: a value that is a whole module.
pub(crate) fn is_module(path: &str) -> bool {
    if REACHABLE.binary_search(&path).is_ok() {
        return true;
    }
    match MODULES.binary_search(&path) {
        Ok(_) => true,
        // What lies below a path stands behind its place in the sorted list.
        Err(place) => MODULES[place..]
            .iter()
            .take_while(|module| module.starts_with(path))
            .any(|module| module[path.len()..].starts_with('.')),
    }
}

/// Whether a name within a library is usually a module of another one.
pub(crate) fn is_alias(name: &str) -> bool {
    ALIASES.binary_search(&name).is_ok()
}

/// Whether the library of a path lends its name: `false` only where the module has a list and the name is not on it.
pub(crate) fn is_public(module: &str, name: &str) -> bool {
    match PUBLIC.binary_search_by_key(&module, |(known, _)| known) {
        Ok(place) => PUBLIC[place].1.contains(&name) || is_module(&format!("{module}.{name}")),
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted() {
        assert!(MODULES.is_sorted());
        assert!(REACHABLE.is_sorted());
        assert!(ALIASES.is_sorted());
        assert!(PUBLIC.is_sorted_by_key(|(module, _)| *module));
    }

    #[test]
    fn modules_above_an_allowed_one_are_modules_too() {
        assert!(is_module("torch.ao"));
        assert!(!is_module("torch.Tensor"));
        assert!(!is_allowed("torch.ao"));
    }
}
