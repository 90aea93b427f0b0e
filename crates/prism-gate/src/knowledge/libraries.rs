//! The libraries that a bundle may import, and what of each.
//!
//! A module that is not listed here is refused. A standard module with a list of names lends only those; the others
//! lend every public name that no rule refuses.

/// Modules that may be imported, sorted. `torch.nn` alone does not allow `torch.nn.other`.
#[rustfmt::skip]
const MODULES: &[&str] = &[
    "__future__", "abc", "bisect", "cmath", "collections", "collections.abc", "contextlib", "copy", "dataclasses",
    "einops", "einops.layers", "einops.layers.torch", "enum", "fractions", "functools", "heapq", "itertools", "json",
    "logging", "math", "numbers", "numpy", "numpy.fft", "numpy.linalg", "numpy.polynomial", "numpy.random",
    "numpy.typing", "operator", "prism_challenge", "prism_challenge.evaluator",
    "prism_challenge.evaluator.interface", "prism_runtime", "random", "re", "statistics", "string", "textwrap",
    "time", "torch", "torch.accelerator", "torch.amp", "torch.amp.autocast_mode", "torch.amp.grad_scaler",
    "torch.ao.quantization", "torch.autograd", "torch.autograd.forward_ad", "torch.autograd.function",
    "torch.autograd.functional", "torch.autograd.grad_mode", "torch.autograd.graph", "torch.autograd.profiler",
    "torch.autograd.variable", "torch.backends", "torch.backends.cpu", "torch.backends.cuda",
    "torch.backends.cudnn", "torch.backends.mha", "torch.backends.mkl", "torch.backends.mkldnn",
    "torch.backends.mps", "torch.backends.openmp", "torch.backends.opt_einsum", "torch.compiler", "torch.cpu",
    "torch.cpu.amp", "torch.cuda", "torch.cuda.amp", "torch.cuda.comm", "torch.cuda.graphs", "torch.cuda.nvtx",
    "torch.cuda.random", "torch.cuda.streams", "torch.distributed", "torch.distributed.algorithms",
    "torch.distributed.algorithms.ddp_comm_hooks", "torch.distributed.algorithms.join",
    "torch.distributed.device_mesh", "torch.distributed.fsdp", "torch.distributed.fsdp.wrap",
    "torch.distributed.optim", "torch.distributed.tensor", "torch.distributed.tensor.parallel",
    "torch.distributions", "torch.fft", "torch.func", "torch.functional", "torch.jit", "torch.linalg",
    "torch.masked", "torch.nested", "torch.nn", "torch.nn.attention", "torch.nn.attention.bias",
    "torch.nn.attention.flex_attention", "torch.nn.attention.varlen", "torch.nn.common_types",
    "torch.nn.functional", "torch.nn.init", "torch.nn.modules", "torch.nn.modules.activation",
    "torch.nn.modules.batchnorm", "torch.nn.modules.container", "torch.nn.modules.conv",
    "torch.nn.modules.dropout", "torch.nn.modules.linear", "torch.nn.modules.loss", "torch.nn.modules.module",
    "torch.nn.modules.normalization", "torch.nn.modules.rnn", "torch.nn.modules.sparse",
    "torch.nn.modules.transformer", "torch.nn.modules.utils", "torch.nn.parallel",
    "torch.nn.parallel.distributed", "torch.nn.parameter", "torch.nn.utils", "torch.nn.utils.clip_grad",
    "torch.nn.utils.convert_parameters", "torch.nn.utils.fusion", "torch.nn.utils.init",
    "torch.nn.utils.parametrizations", "torch.nn.utils.parametrize", "torch.nn.utils.prune",
    "torch.nn.utils.rnn", "torch.nn.utils.spectral_norm", "torch.nn.utils.stateless",
    "torch.nn.utils.weight_norm", "torch.optim", "torch.optim.adam", "torch.optim.adamw",
    "torch.optim.lr_scheduler", "torch.optim.optimizer", "torch.optim.sgd", "torch.optim.swa_utils",
    "torch.profiler", "torch.quasirandom", "torch.random", "torch.return_types", "torch.signal",
    "torch.signal.windows", "torch.sparse", "torch.special", "torch.testing", "torch.types",
    "torch.utils", "torch.utils.checkpoint", "torch.utils.data", "torch.utils.data.dataloader",
    "torch.utils.data.dataset", "torch.utils.data.distributed", "torch.utils.data.sampler",
    "torch.utils.flop_counter", "torch.utils.hooks", "torch.version", "types", "typing", "typing_extensions",
    "warnings",
];

/// Standard modules that lend some names only, sorted by module.
#[rustfmt::skip]
const PUBLIC: &[(&str, &[&str])] = &[
    ("contextlib", &[
        "AbstractAsyncContextManager", "AbstractContextManager", "AsyncExitStack", "ContextDecorator", "ExitStack",
        "asynccontextmanager", "closing", "contextmanager", "nullcontext", "suppress",
    ]),
    ("copy", &["copy", "deepcopy", "replace"]),
    ("dataclasses", &[
        "FrozenInstanceError", "Field", "InitVar", "KW_ONLY", "MISSING", "asdict", "astuple", "dataclass", "field",
        "fields", "is_dataclass", "replace",
    ]),
    ("functools", &[
        "cache", "cached_property", "cmp_to_key", "lru_cache", "partial", "partialmethod", "reduce", "singledispatch",
        "singledispatchmethod", "total_ordering", "update_wrapper", "wraps",
    ]),
    ("json", &["JSONDecodeError", "dumps", "loads"]),
    ("logging", &[
        "CRITICAL", "DEBUG", "ERROR", "INFO", "Logger", "LoggerAdapter", "NOTSET", "NullHandler", "WARNING",
        "StreamHandler", "Formatter", "basicConfig", "critical", "debug", "error", "exception", "getLogger", "info",
        "log", "warn", "warning",
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
    ("string", &[
        "ascii_letters", "ascii_lowercase", "ascii_uppercase", "capwords", "digits", "hexdigits", "octdigits",
        "printable", "punctuation", "whitespace",
    ]),
    ("time", &[
        "gmtime", "localtime", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time",
        "process_time_ns", "sleep", "strftime", "struct_time", "thread_time", "time", "time_ns",
    ]),
    ("types", &["EllipsisType", "MappingProxyType", "NoneType", "NotImplementedType", "SimpleNamespace", "UnionType"]),
    ("warnings", &["catch_warnings", "filterwarnings", "resetwarnings", "simplefilter", "warn"]),
];

/// Packages of which every public module may be imported.
const OPEN_PACKAGES: &[&str] = &[
    "torch.distributions.",
    "torch.nn.modules.",
    "torch.nn.utils.",
    "torch.optim.",
];

/// Whether a module may be imported.
pub(crate) fn is_allowed(module: &str) -> bool {
    MODULES.binary_search(&module).is_ok()
        || OPEN_PACKAGES.iter().any(|package| {
            module
                .strip_prefix(package)
                .is_some_and(|rest| !rest.starts_with('_') && !rest.contains("._"))
        })
}

/// Whether a path is a module that may be imported, or lies above one: a value that is a whole module.
pub(crate) fn is_module(path: &str) -> bool {
    match MODULES.binary_search(&path) {
        Ok(_) => true,
        // What lies below a path stands behind its place in the sorted list.
        Err(place) => MODULES[place..]
            .iter()
            .take_while(|module| module.starts_with(path))
            .any(|module| module[path.len()..].starts_with('.')),
    }
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
        assert!(PUBLIC.is_sorted_by_key(|(module, _)| *module));
    }

    #[test]
    fn modules_above_an_allowed_one_are_modules_too() {
        assert!(is_module("torch.ao"));
        assert!(!is_module("torch.Tensor"));
        assert!(!is_allowed("torch.ao"));
    }
}
