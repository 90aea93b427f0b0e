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
use ruff_text_size::TextRange;

use crate::check::Checker;
use crate::knowledge::Words;
use crate::rule::{Rule, RuleSet, denied};
use crate::semantic::{Meant as _, Reference};

pub(crate) static RULE: Rule = Rule::error("PRS101", "prism:no-process", include_str!("no_process.rs"));

pub(crate) static SET: RuleSet = RuleSet {
    reason: "reaches processes, signals or the interpreter",
    denied: &[
        denied(
            "os posix nt",
            "use `ctx.rank`, `ctx.world_size` and `ctx.local_rank` for what is in the environment, `ctx.artifacts_dir` and string formatting for paths",
        ),
        denied(
            "sys",
            "return from `train` to stop; nothing else of the interpreter is needed",
        ),
        denied(
            "sys.exit os._exit builtins.exit builtins.SystemExit builtins.quit",
            "return from `train` to stop",
        ),
        denied(
            "subprocess multiprocessing torch.multiprocessing pty popen2 commands",
            "one process trains the model; vectorise with tensors instead",
        ),
        denied(
            "signal",
            "leave signals to the harness; the time limit is `ctx.budget_seconds`",
        ),
        denied(
            "resource posixpath pwd grp fcntl termios tty syslog psutil setproctitle platform sysconfig \
             curses readline getpass crypt spwd nis msvcrt winreg winsound _posixsubprocess",
            "leave it out; the sandbox sets the limits",
        ),
        denied(
            "getopt optparse fire click absl hydra",
            "keep settings in constants or a dataclass: nothing is given on a command line",
        ),
        denied(
            "torch.distributed.run torch.distributed.launch torch.distributed.launcher \
             torch.distributed.elastic",
            "use `ctx.device`; the harness initialises it",
        ),
        denied("numpy.distutils", "leave it out"),
        denied(
            "numpy.test numpy.fft.test numpy.linalg.test numpy.ma.test numpy.polynomial.test \
             numpy.random.test",
            "test at home",
        ),
    ],
    attributes: MODULES,
    reference: Some(reference),
    ..RuleSet::of(&RULE)
};

/// Modules that are attributes of nothing that honest code has: an object that has one is a module in disguise.
const MODULES: &str =
    "_C builtins cpp_extension importlib multiprocessing os posix shutil socket subprocess sys";
static MODULES_WORDS: Words = Words::new(MODULES);

/// `getattr(something, "os")`, `case object(os=found)`.
pub(crate) fn by_name(checker: &mut Checker<'_, '_>, name: &str, at: TextRange) {
    if MODULES_WORDS.contains(name) {
        let message = format!("`{name}` is a module behind an object");
        checker.report(&RULE, at, message, "use what the object documents");
    }
}

/// `something.os`, whatever it may be.
fn reference<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    if !reference.meanings.may_be_unseen() {
        return;
    }
    let mut expr = reference.expr;
    while let Expr::Attribute(attribute) = expr {
        let name = attribute.attr.as_str();
        // A layer may well be called so; it is found on `self` only.
        let of_self = matches!(&*attribute.value, Expr::Name(base) if base.id.as_str() == "self");
        if MODULES_WORDS.contains(name) && !(of_self && checker.defines_attribute(name)) {
            let message = format!("`.{name}` is a module behind an object");
            checker.report(&RULE, &attribute.attr, message, "use what the object documents");
        }
        expr = &attribute.value;
    }
}
