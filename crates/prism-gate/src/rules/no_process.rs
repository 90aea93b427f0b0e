//! # Processes, signals and the interpreter itself
//!
//! ## What it does
//!
//! Refuses the modules and functions that start, signal, trace or end processes, or reach into the running interpreter:
//! `os`, `sys`, `subprocess`, `multiprocessing`, `signal`, `pty` and their like, and `exit` and `quit`. An
//! attribute of such a name (`something.os`) is refused of any object: it is the module that a library imports for itself.
//!
//! ## Why is this refused?
//!
//! A submission trains one model in the process that it is given. Whatever starts another one, or ends this one, is
//! either an attack on the machine or a mistake that would end the run as failed.
//!
//! ## Example
//!
//! ```python
//! import os, sys
//!
//! rank = int(os.environ["RANK"])
//! if loss.isnan():
//!     sys.exit(1)
//! ```
//!
//! Use instead:
//!
//! ```python
//! rank = ctx.rank
//! if loss.isnan():
//!     return  # from `train`: the rest of the stream is charged at 8 bits a byte
//! ```

use ruff_python_ast::Expr;

use crate::check::Checker;
use crate::finding::Severity;
use crate::rule::{Hooks, Rule, RuleSet, denied};
use crate::semantic::Reference;

pub(crate) static RULE: Rule = Rule {
    code: "PRS101",
    id: "prism:no-process",
    severity: Severity::Error,
    since: "0.1.0",
    source: include_str!("no_process.rs"),
};

pub(crate) static SET: RuleSet = RuleSet {
    rule: &RULE,
    reason: "reaches processes, signals or the interpreter",
    denied: &[
        denied(
            "os",
            "use `ctx.rank`, `ctx.world_size` and `ctx.local_rank` for what is in the environment, `ctx.artifacts_dir` and string formatting for paths",
        ),
        denied(
            "posix",
            "use `ctx.rank`, `ctx.world_size` and `ctx.local_rank` for what is in the environment, `ctx.artifacts_dir` and string formatting for paths",
        ),
        denied(
            "nt",
            "use `ctx.rank`, `ctx.world_size` and `ctx.local_rank` for what is in the environment, `ctx.artifacts_dir` and string formatting for paths",
        ),
        denied(
            "sys",
            "return from `train` to stop; nothing else of the interpreter is needed",
        ),
        denied("sys.exit", "return from `train` to stop"),
        denied("os._exit", "return from `train` to stop"),
        denied("builtins.exit", "return from `train` to stop"),
        denied("builtins.SystemExit", "return from `train` to stop"),
        denied("builtins.quit", "return from `train` to stop"),
        denied(
            "subprocess",
            "one process trains the model; vectorise with tensors instead",
        ),
        denied(
            "multiprocessing",
            "one process trains the model; vectorise with tensors instead",
        ),
        denied(
            "torch.multiprocessing",
            "one process trains the model; vectorise with tensors instead",
        ),
        denied(
            "pty",
            "one process trains the model; vectorise with tensors instead",
        ),
        denied(
            "popen2",
            "one process trains the model; vectorise with tensors instead",
        ),
        denied(
            "commands",
            "one process trains the model; vectorise with tensors instead",
        ),
        denied(
            "signal",
            "leave signals to the harness; the time limit is `ctx.budget_seconds`",
        ),
        denied("resource", "leave it out; the sandbox sets the limits"),
        denied("posixpath", "leave it out; the sandbox sets the limits"),
        denied("pwd", "leave it out; the sandbox sets the limits"),
        denied("grp", "leave it out; the sandbox sets the limits"),
        denied("fcntl", "leave it out; the sandbox sets the limits"),
        denied("termios", "leave it out; the sandbox sets the limits"),
        denied("tty", "leave it out; the sandbox sets the limits"),
        denied("syslog", "leave it out; the sandbox sets the limits"),
        denied("psutil", "leave it out; the sandbox sets the limits"),
        denied("setproctitle", "leave it out; the sandbox sets the limits"),
        denied("platform", "leave it out; the sandbox sets the limits"),
        denied("sysconfig", "leave it out; the sandbox sets the limits"),
        denied("curses", "leave it out; the sandbox sets the limits"),
        denied("readline", "leave it out; the sandbox sets the limits"),
        denied("getpass", "leave it out; the sandbox sets the limits"),
        denied("crypt", "leave it out; the sandbox sets the limits"),
        denied("spwd", "leave it out; the sandbox sets the limits"),
        denied("nis", "leave it out; the sandbox sets the limits"),
        denied("msvcrt", "leave it out; the sandbox sets the limits"),
        denied("winreg", "leave it out; the sandbox sets the limits"),
        denied("winsound", "leave it out; the sandbox sets the limits"),
        denied("_posixsubprocess", "leave it out; the sandbox sets the limits"),
        denied(
            "getopt",
            "keep settings in constants or a dataclass: nothing is given on a command line",
        ),
        denied(
            "optparse",
            "keep settings in constants or a dataclass: nothing is given on a command line",
        ),
        denied(
            "fire",
            "keep settings in constants or a dataclass: nothing is given on a command line",
        ),
        denied(
            "click",
            "keep settings in constants or a dataclass: nothing is given on a command line",
        ),
        denied(
            "absl",
            "keep settings in constants or a dataclass: nothing is given on a command line",
        ),
        denied(
            "hydra",
            "keep settings in constants or a dataclass: nothing is given on a command line",
        ),
        denied(
            "torch.distributed.run",
            "use `ctx.device`; the harness initialises it",
        ),
        denied(
            "torch.distributed.launch",
            "use `ctx.device`; the harness initialises it",
        ),
        denied(
            "torch.distributed.launcher",
            "use `ctx.device`; the harness initialises it",
        ),
        denied(
            "torch.distributed.elastic",
            "use `ctx.device`; the harness initialises it",
        ),
        denied("numpy.distutils", "leave it out"),
        denied("numpy.test", "test at home"),
        denied("numpy.fft.test", "test at home"),
        denied("numpy.linalg.test", "test at home"),
        denied("numpy.ma.test", "test at home"),
        denied("numpy.polynomial.test", "test at home"),
        denied("numpy.random.test", "test at home"),
    ],
    attributes: MODULES,
    hooks: Hooks {
        reference: Some(reference),
        ..Hooks::NONE
    },
};

/// Modules that are attributes of nothing that honest code has: an object that has one is a module in disguise.
#[rustfmt::skip]
const MODULES: &[&str] = &[
    "_C", "builtins", "cpp_extension", "importlib", "multiprocessing", "os", "posix", "shutil", "socket", "subprocess", "sys",
];

/// `something.os`, whatever it may be.
fn reference<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    if !reference.meanings.is_empty() {
        return;
    }
    let mut expr = reference.expr;
    while let Expr::Attribute(attribute) = expr {
        let name = attribute.attr.as_str();
        // A layer may well be called so; it is found on `self` only.
        let of_self = matches!(&*attribute.value, Expr::Name(base) if base.id.as_str() == "self");
        if MODULES.contains(&name) && !(of_self && checker.defines_attribute(name)) {
            let message = format!("`.{name}` is a module behind an object");
            checker.report(&RULE, &attribute.attr, message, "use what the object documents");
        }
        expr = &attribute.value;
    }
}
