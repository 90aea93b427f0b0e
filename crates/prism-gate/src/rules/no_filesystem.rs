//! # Files
//!
//! ## What it does
//!
//! Refuses `open`, `pathlib`, `shutil`, `tempfile`, `glob`, `io` and their like, and the functions of torch and numpy that
//! read or write files. The one exception is `torch.save(object, path)` with a path that is spelled out under
//! `ctx.artifacts_dir`: an f-string or a sum that begins with `ctx.artifacts_dir` and goes on with a literal without `..`. A
//! plain class may keep `ctx` on `self` for that.
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
use crate::knowledge::Words;
use crate::rule::{Rule, RuleSet, denied};
use crate::semantic::{Call, Meant as _, Reference, Usage};

use crate::reading::{own, paths};

pub(crate) static RULE: Rule = Rule::error("PRS103", "prism:no-filesystem", include_str!("no_filesystem.rs"));

pub(crate) static SET: RuleSet = RuleSet {
    reason: "reaches the file system",
    denied: &[
        denied(
            "builtins.open io _io pathlib shutil tempfile glob fileinput linecache codecs fnmatch filecmp \
             stat mmap ntpath genericpath zipfile tarfile gzip bz2 lzma csv configparser sqlite3 dbm \
             netrc plistlib zipapp h5py pandas polars pyarrow safetensors scipy tiktoken tokenizers \
             sentencepiece yaml toml tomllib _sqlite3 _winapi aifc wave xdrlib posixpath",
            "the text comes from `ctx.stream`, and nothing else is there to read; to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "numpy.load numpy.save numpy.savez numpy.savez_compressed numpy.savetxt numpy.loadtxt \
             numpy.genfromtxt numpy.fromfile numpy.memmap numpy.lib.npyio numpy.DataSource \
             numpy.fromregex numpy.core numpy.show_config numpy.rec",
            "keep it in a tensor: there is nothing to read, and results belong in `ctx.log`",
        ),
        denied(
            "torch.from_file torch.UntypedStorage torch.TypedStorage torch.FloatStorage torch.ByteStorage \
             torch.storage torch.Storage torch.DoubleStorage torch.HalfStorage torch.IntStorage \
             torch.LongStorage torch.CharStorage torch.ShortStorage torch.BoolStorage \
             torch.BFloat16Storage torch.cuda.gds torch.ComplexDoubleStorage torch.ComplexFloatStorage \
             torch.QInt32Storage torch.QInt8Storage torch.QUInt2x4Storage torch.QUInt4x2Storage \
             torch.QUInt8Storage torch.StorageBase torch.get_file_path torch.cuda.BFloat16Storage \
             torch.cuda.BoolStorage torch.cuda.ByteStorage torch.cuda.CharStorage \
             torch.cuda.ComplexDoubleStorage torch.cuda.ComplexFloatStorage torch.cuda.DoubleStorage \
             torch.cuda.FloatStorage torch.cuda.HalfStorage torch.cuda.IntStorage torch.cuda.LongStorage \
             torch.cuda.ShortStorage torch.types.Storage",
            "read the stream instead",
        ),
        denied(
            "torch.utils.tensorboard torch.utils.collect_env torch.utils.model_dump \
             torch.utils.file_baton torch.utils.bundled_inputs torch.utils.mobile_optimizer \
             torch.utils.show_pickle torch.utils.viz torch.utils.throughput_benchmark \
             torch.distributed.checkpoint torch.distributed.flight_recorder torch.cuda.export_dot \
             torch.cuda.export_graph_data torch.cuda.graph_annotations torch.cuda.graphs.export_dot \
             torch.cuda.graphs.export_graph_data",
            "log with `ctx.log(...)`",
        ),
        denied(
            "torch.profiler.tensorboard_trace_handler torch.profiler.itt \
             torch.profiler.ExecutionTraceObserver torch.autograd.profiler.load_nvprof \
             torch.cuda.profiler torch.profiler.python_tracer torch.autograd.profiler.parse_nvprof_trace \
             torch.mps.profiler",
            "profile at home; the report shows the time of each part",
        ),
        denied(
            "logging.FileHandler logging.handlers",
            "write to the log with `ctx.log(...)` or `print`",
        ),
        denied(
            "torch.PyTorchFileReader torch.PyTorchFileWriter torch.ScriptModuleSerializer \
             torch.SerializationStorageContext torch.DeserializationStorageContext torch.import_ir_module \
             torch.import_ir_module_from_buffer",
            "to keep a tensor use `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`",
        ),
        denied(
            "logging.LogRecord logging.makeLogRecord",
            "write `logger.info(...)`: a record may name files whose lines are printed",
        ),
        denied("builtins.input", "leave it out: nobody answers"),
        denied("fsspec", "keep it in a tensor: there is nothing to read"),
    ],
    attributes: NOTABLE,
    reference: Some(reference),
    call: Some(call),
    statement: Some(statement),
    ..RuleSet::of(&RULE)
};

const SAVE_HINT: &str = "write `torch.save(x, f\"{ctx.artifacts_dir}/name.pt\")`, with the name spelled out";

/// Methods of tensors, arrays and profilers that write files whatever they are called on, and `save`.
const NOTABLE: &str = "tofile export_chrome_trace export_stacks export_memory_timeline from_file debug_dump \
     _new_shared_fd_cpu _new_shared_filename_cpu _new_with_file _set_from_file _share_fd_cpu_ \
     _share_filename_cpu_ _write_file save _save_for_lite_interpreter _save_for_mobile";

static WRITING_METHODS: Words = Words::new(NOTABLE);

fn reference<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    if let ruff_python_ast::Expr::Attribute(attribute) = reference.expr
        && attribute.attr.as_str() != "save"
        && WRITING_METHODS.contains(attribute.attr.as_str())
        && !(checker.may_have_given(attribute.attr.as_str()) && own::is_an_object(checker, &attribute.value))
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
        && reference.meanings.may_be_unseen()
        && !(checker.may_have_given("save") && own::is_an_object(checker, &attribute.value))
    {
        let message = "`.save` of something that the bundle does not define writes a file".to_owned();
        checker.report(&RULE, &attribute.attr, message, SAVE_HINT);
    }
}

/// `logging.basicConfig(filename=...)`.
/// A parser of arguments that reads them from files.
fn parser<'a>(checker: &mut Checker<'_, 'a>, call: &Call<'a>) {
    let arguments = &call.expr.arguments;
    let names = |name: &str| {
        arguments
            .keywords
            .iter()
            .any(|keyword| keyword.arg.as_ref().is_some_and(|arg| arg.as_str() == name))
    };
    let is_open = || {
        arguments.args.len() > 1
            || arguments.args.iter().any(ruff_python_ast::Expr::is_starred_expr)
            || arguments.keywords.iter().any(|keyword| keyword.arg.is_none())
    };
    let is_version = arguments.keywords.iter().any(|keyword| {
        keyword.arg.as_ref().is_some_and(|name| name.as_str() == "action")
            && matches!(&keyword.value, ruff_python_ast::Expr::StringLiteral(text) if text.value.to_str() == "version")
    });
    if is_version {
        let message = "this action hands out the stream that it prints to".to_owned();
        checker.report(&RULE, call.expr, message, "print it yourself");
    }
    if names("fromfile_prefix_chars") || call.may_be("argparse.ArgumentParser") && is_open() {
        let message = "a parser that may read its arguments from files".to_owned();
        checker.report(
            &RULE,
            call.expr,
            message,
            "name what it is given: `ArgumentParser(description=...)`",
        );
    }
}

/// `class Own(ArgumentParser)` can be made with anything.
fn statement<'a>(checker: &mut Checker<'_, 'a>, stmt: &'a ruff_python_ast::Stmt) {
    let ruff_python_ast::Stmt::ClassDef(class) = stmt else {
        return;
    };
    for base in class.bases() {
        if checker
            .meanings(base)
            .any_path(|path| path.starts_with("argparse.") && path != "argparse.Namespace")
        {
            let message = "a parser that may read its arguments from files, or what it is made of".to_owned();
            checker.report(&RULE, base, message, "use `ArgumentParser` as it is");
        }
    }
}

fn call<'a>(checker: &mut Checker<'_, 'a>, call: &Call<'a>) {
    parser(checker, call);
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
