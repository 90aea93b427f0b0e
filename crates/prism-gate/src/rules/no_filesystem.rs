//! # Files
//!
//! ## What it does
//!
//! Refuses `open`, `pathlib`, `shutil`, `tempfile`, `glob`, `io` and their like, and the functions of torch and numpy that
//! read or write files. The one exception is `torch.save(object, path)` with a path that is spelled out under
//! `ctx.artifacts_dir`: an f-string or a sum that begins with `ctx.artifacts_dir` and goes on with a literal without `..`.
//!
//! ## Why is this refused?
//!
//! There is nothing to read but the stream, and the only place to write to is `ctx.artifacts_dir`. A path that is spelled
//! out can be checked by reading it.
//!
//! ## Example
//!
//! ```python
//! import numpy as np
//!
//! data = np.memmap("train.bin", dtype=np.uint16)
//! torch.save(model.state_dict(), "/tmp/model.pt")
//! ```
//!
//! Use instead:
//!
//! ```python
//! for batch in ctx.stream(model, batch_size=32, seq_len=256):
//!     ...
//! torch.save(model.state_dict(), f"{ctx.artifacts_dir}/model.pt")
//! ```

use crate::check::Checker;
use crate::finding::Severity;
use crate::reading::origin::{self, Origin};
use crate::rule::{Hooks, Rule, RuleSet, denied};
use crate::semantic::{Call, Reference, Usage};

use crate::reading::paths;

pub(crate) static RULE: Rule = Rule {
    code: "PRS103",
    id: "prism:no-filesystem",
    severity: Severity::Error,
    since: "0.1.0",
    source: include_str!("no_filesystem.rs"),
};

pub(crate) static SET: RuleSet = RuleSet {
    rule: &RULE,
    reason: "reaches the file system",
    denied: &[
        denied(
            "builtins.open",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "io",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "_io",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "pathlib",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "shutil",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "tempfile",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "glob",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "fileinput",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "linecache",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "codecs",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "fnmatch",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "filecmp",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "stat",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "mmap",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "ntpath",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "genericpath",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "zipfile",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "tarfile",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "gzip",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "bz2",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "lzma",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "csv",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "configparser",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "sqlite3",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "dbm",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "netrc",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "plistlib",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "zipapp",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "h5py",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "pandas",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "polars",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "pyarrow",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "safetensors",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "scipy",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "tiktoken",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "tokenizers",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "sentencepiece",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "yaml",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "toml",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "tomllib",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "_sqlite3",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "_winapi",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "aifc",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "wave",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "xdrlib",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "posixpath",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "numpy.load",
            "keep it in a tensor: there is nothing to read, and results belong in `ctx.log`",
        ),
        denied(
            "numpy.save",
            "keep it in a tensor: there is nothing to read, and results belong in `ctx.log`",
        ),
        denied(
            "numpy.savez",
            "keep it in a tensor: there is nothing to read, and results belong in `ctx.log`",
        ),
        denied(
            "numpy.savez_compressed",
            "keep it in a tensor: there is nothing to read, and results belong in `ctx.log`",
        ),
        denied(
            "numpy.savetxt",
            "keep it in a tensor: there is nothing to read, and results belong in `ctx.log`",
        ),
        denied(
            "numpy.loadtxt",
            "keep it in a tensor: there is nothing to read, and results belong in `ctx.log`",
        ),
        denied(
            "numpy.genfromtxt",
            "keep it in a tensor: there is nothing to read, and results belong in `ctx.log`",
        ),
        denied(
            "numpy.fromfile",
            "keep it in a tensor: there is nothing to read, and results belong in `ctx.log`",
        ),
        denied(
            "numpy.memmap",
            "keep it in a tensor: there is nothing to read, and results belong in `ctx.log`",
        ),
        denied(
            "numpy.lib.npyio",
            "keep it in a tensor: there is nothing to read, and results belong in `ctx.log`",
        ),
        denied(
            "numpy.DataSource",
            "keep it in a tensor: there is nothing to read, and results belong in `ctx.log`",
        ),
        denied(
            "numpy.fromregex",
            "keep it in a tensor: there is nothing to read, and results belong in `ctx.log`",
        ),
        denied(
            "numpy.core",
            "keep it in a tensor: there is nothing to read, and results belong in `ctx.log`",
        ),
        denied(
            "numpy.show_config",
            "keep it in a tensor: there is nothing to read, and results belong in `ctx.log`",
        ),
        denied(
            "numpy.rec",
            "keep it in a tensor: there is nothing to read, and results belong in `ctx.log`",
        ),
        denied("torch.from_file", "read the stream instead"),
        denied("torch.UntypedStorage", "read the stream instead"),
        denied("torch.TypedStorage", "read the stream instead"),
        denied("torch.FloatStorage", "read the stream instead"),
        denied("torch.ByteStorage", "read the stream instead"),
        denied("torch.storage", "read the stream instead"),
        denied("torch.Storage", "read the stream instead"),
        denied("torch.DoubleStorage", "read the stream instead"),
        denied("torch.HalfStorage", "read the stream instead"),
        denied("torch.IntStorage", "read the stream instead"),
        denied("torch.LongStorage", "read the stream instead"),
        denied("torch.CharStorage", "read the stream instead"),
        denied("torch.ShortStorage", "read the stream instead"),
        denied("torch.BoolStorage", "read the stream instead"),
        denied("torch.BFloat16Storage", "read the stream instead"),
        denied("torch.cuda.gds", "read the stream instead"),
        denied("torch.utils.tensorboard", "log with `ctx.log(...)`"),
        denied("torch.utils.collect_env", "log with `ctx.log(...)`"),
        denied("torch.utils.model_dump", "log with `ctx.log(...)`"),
        denied("torch.utils.file_baton", "log with `ctx.log(...)`"),
        denied("torch.utils.bundled_inputs", "log with `ctx.log(...)`"),
        denied("torch.utils.mobile_optimizer", "log with `ctx.log(...)`"),
        denied("torch.utils.show_pickle", "log with `ctx.log(...)`"),
        denied("torch.utils.viz", "log with `ctx.log(...)`"),
        denied("torch.utils.throughput_benchmark", "log with `ctx.log(...)`"),
        denied("torch.distributed.checkpoint", "log with `ctx.log(...)`"),
        denied("torch.distributed.flight_recorder", "log with `ctx.log(...)`"),
        denied(
            "torch.profiler.tensorboard_trace_handler",
            "profile at home; the report shows the time of each part",
        ),
        denied(
            "torch.profiler.itt",
            "profile at home; the report shows the time of each part",
        ),
        denied(
            "torch.profiler.ExecutionTraceObserver",
            "profile at home; the report shows the time of each part",
        ),
        denied(
            "torch.autograd.profiler.load_nvprof",
            "profile at home; the report shows the time of each part",
        ),
        denied(
            "torch.cuda.profiler",
            "profile at home; the report shows the time of each part",
        ),
        denied(
            "torch.profiler.python_tracer",
            "profile at home; the report shows the time of each part",
        ),
        denied(
            "logging.FileHandler",
            "write to the log with `ctx.log(...)` or `print`",
        ),
        denied(
            "logging.handlers",
            "write to the log with `ctx.log(...)` or `print`",
        ),
        denied("builtins.input", "leave it out: nobody answers"),
        denied("fsspec", "keep it in a tensor: there is nothing to read"),
        denied("torch.ComplexDoubleStorage", "read the stream instead"),
        denied("torch.ComplexFloatStorage", "read the stream instead"),
        denied("torch.QInt32Storage", "read the stream instead"),
        denied("torch.QInt8Storage", "read the stream instead"),
        denied("torch.QUInt2x4Storage", "read the stream instead"),
        denied("torch.QUInt4x2Storage", "read the stream instead"),
        denied("torch.QUInt8Storage", "read the stream instead"),
        denied("torch.StorageBase", "read the stream instead"),
        denied("torch.get_file_path", "read the stream instead"),
        denied("torch.cuda.BFloat16Storage", "read the stream instead"),
        denied("torch.cuda.BoolStorage", "read the stream instead"),
        denied("torch.cuda.ByteStorage", "read the stream instead"),
        denied("torch.cuda.CharStorage", "read the stream instead"),
        denied("torch.cuda.ComplexDoubleStorage", "read the stream instead"),
        denied("torch.cuda.ComplexFloatStorage", "read the stream instead"),
        denied("torch.cuda.DoubleStorage", "read the stream instead"),
        denied("torch.cuda.FloatStorage", "read the stream instead"),
        denied("torch.cuda.HalfStorage", "read the stream instead"),
        denied("torch.cuda.IntStorage", "read the stream instead"),
        denied("torch.cuda.LongStorage", "read the stream instead"),
        denied("torch.cuda.ShortStorage", "read the stream instead"),
        denied("torch.types.Storage", "read the stream instead"),
        denied(
            "torch.autograd.profiler.parse_nvprof_trace",
            "profile at home; the report shows the time of each part",
        ),
        denied("torch.cuda.export_dot", "log with `ctx.log(...)`"),
        denied("torch.cuda.export_graph_data", "log with `ctx.log(...)`"),
        denied("torch.cuda.graph_annotations", "log with `ctx.log(...)`"),
        denied("torch.cuda.graphs.export_dot", "log with `ctx.log(...)`"),
        denied("torch.cuda.graphs.export_graph_data", "log with `ctx.log(...)`"),
        denied(
            "torch.mps.profiler",
            "profile at home; the report shows the time of each part",
        ),
    ],
    attributes: NOTABLE,
    hooks: Hooks {
        reference: Some(reference),
        call: Some(call),
        ..Hooks::NONE
    },
};

const SAVE_HINT: &str = "write `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`, with the name spelled out";

/// What the hook wants to see: those and `save`.
#[rustfmt::skip]
const NOTABLE: &[&str] = &[
    "tofile", "export_chrome_trace", "export_stacks", "export_memory_timeline", "from_file",
    "debug_dump", "_new_shared_fd_cpu", "_new_shared_filename_cpu", "_new_with_file",
    "_set_from_file", "_share_fd_cpu_", "_share_filename_cpu_", "_write_file", "save",
    "_save_for_lite_interpreter", "_save_for_mobile",
];

/// Methods of tensors, arrays and profilers that write files whatever they are called on.
const WRITING_METHODS: &[&str] = &[
    "tofile",
    "export_chrome_trace",
    "export_stacks",
    "export_memory_timeline",
    "from_file",
    "debug_dump",
    "_new_shared_fd_cpu",
    "_new_shared_filename_cpu",
    "_new_with_file",
    "_save_for_lite_interpreter",
    "_save_for_mobile",
    "_set_from_file",
    "_share_fd_cpu_",
    "_share_filename_cpu_",
    "_write_file",
];

fn reference<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    if let ruff_python_ast::Expr::Attribute(attribute) = reference.expr
        && WRITING_METHODS.contains(&attribute.attr.as_str())
        && !(checker.may_have_given(attribute.attr.as_str())
            && origin::of(checker, &attribute.value) == Origin::Own)
    {
        let message = format!("`{}` reads or writes a file", attribute.attr.as_str());
        checker.report(
            &RULE,
            &attribute.attr,
            message,
            "keep it in a tensor, or log it with `ctx.log(...)`",
        );
    }
    saves_itself(checker, reference);
    if reference
        .paths()
        .any(|path| matches!(path, "torch.save" | "torch.serialization.save"))
    {
        let allowed = matches!(reference.usage, Usage::Call(call)
        if call.arguments.find_argument_value("f", 1).is_some_and(|path| paths::is_under_artifacts(checker, path))
        && call.arguments.args.len() <= 2
        && call.arguments.keywords.iter().all(|keyword| {
            keyword.arg.as_ref().is_some_and(|name| name.as_str() != "pickle_module")
        }));
        if !allowed {
            let message =
                "`torch.save` may only write to a path that is spelled out under `ctx.artifacts_dir`"
                    .to_owned();
            checker.report(&RULE, reference.expr, message, SAVE_HINT);
        }
    }
}

/// `torch.jit.script(model).save(path)`: the method of something that the bundle does not define.
fn saves_itself<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    if let ruff_python_ast::Expr::Attribute(attribute) = reference.expr
        && attribute.attr.as_str() == "save"
        && reference.meanings.is_empty()
        && !(checker.may_have_given("save") && origin::of(checker, &attribute.value) == Origin::Own)
    {
        let message = "`.save` of something that the bundle does not define writes a file".to_owned();
        checker.report(&RULE, &attribute.attr, message, SAVE_HINT);
    }
}

/// `logging.basicConfig(filename=...)`.
fn call<'a>(checker: &mut Checker<'_, 'a>, call: &Call<'a>) {
    if !call.may_be("logging.basicConfig") {
        return;
    }
    for keyword in &call.expr.arguments.keywords {
        let name = keyword.arg.as_ref().map(ruff_python_ast::Identifier::as_str);
        if matches!(name, None | Some("filename" | "filemode" | "handlers" | "stream")) {
            let message = "logging may only go where it goes by itself".to_owned();
            checker.report(
                &RULE,
                keyword,
                message,
                "leave it out: what is logged is kept with the run",
            );
        }
    }
}
