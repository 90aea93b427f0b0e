//! # The network
//!
//! ## What it does
//!
//! Refuses every module that opens sockets or speaks a protocol: `socket`, `ssl`, `http`, `urllib`, `requests`, `asyncio`
//! and their like, and the parts of `torch.distributed` that listen or dial by themselves.
//!
//! ## Why is this refused?
//!
//! The text is secret until it is due and the score must depend on the submission alone. The sandbox has no network; a
//! script that asks for one cannot be meant for it.
//!
//! ## Example
//!
//! ```python
//! import urllib.request
//!
//! weights = urllib.request.urlopen("http://127.0.0.1/w.pt").read()
//! ```
//!
//! Use instead:
//!
//! ```python
//! # Everything is learnt from the stream.
//! for batch in ctx.stream(model, batch_size=32, seq_len=256):
//!     ...
//! ```

use crate::finding::Severity;
use crate::reading::texts;
use crate::rule::{Hooks, Rule, RuleSet, denied};
use crate::semantic::Call;

use ruff_python_ast::Expr;

use crate::check::Checker;

pub(crate) static RULE: Rule = Rule {
    code: "PRS102",
    id: "prism:no-network",
    severity: Severity::Error,
    since: "0.1.0",
    source: include_str!("no_network.rs"),
};

pub(crate) static SET: RuleSet = RuleSet {
    rule: &RULE,
    reason: "reaches the network",
    denied: &[
        denied(
            "socket",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "_socket",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "ssl",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "_ssl",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "http",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "urllib",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "urllib2",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "urllib3",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "requests",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "httpx",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "aiohttp",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "ftplib",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "smtplib",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "poplib",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "imaplib",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "nntplib",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "telnetlib",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "xmlrpc",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "socketserver",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "wsgiref",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "webbrowser",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "email",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "mailbox",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "select",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "selectors",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "ipaddress",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "asyncio",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "asyncore",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "asynchat",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "trio",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "anyio",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "paramiko",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "websocket",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "websockets",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "zmq",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "grpc",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "boto3",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "cgi",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "cgitb",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied("wandb", "log with `ctx.log(loss=...)`; the report draws it"),
        denied("tensorboard", "log with `ctx.log(loss=...)`; the report draws it"),
        denied(
            "tensorboardX",
            "log with `ctx.log(loss=...)`; the report draws it",
        ),
        denied("mlflow", "log with `ctx.log(loss=...)`; the report draws it"),
        denied("comet_ml", "log with `ctx.log(loss=...)`; the report draws it"),
        denied("neptune", "log with `ctx.log(loss=...)`; the report draws it"),
        denied("clearml", "log with `ctx.log(loss=...)`; the report draws it"),
        denied(
            "huggingface_hub",
            "train from scratch: there is nothing to download",
        ),
        denied("transformers", "train from scratch: there is nothing to download"),
        denied("datasets", "train from scratch: there is nothing to download"),
        denied("gdown", "train from scratch: there is nothing to download"),
        denied("kagglehub", "train from scratch: there is nothing to download"),
        denied("torchvision", "train from scratch: there is nothing to download"),
        denied("torchaudio", "train from scratch: there is nothing to download"),
        denied("torchtext", "train from scratch: there is nothing to download"),
        denied("timm", "train from scratch: there is nothing to download"),
        denied(
            "sentence_transformers",
            "train from scratch: there is nothing to download",
        ),
        denied("diffusers", "train from scratch: there is nothing to download"),
        denied("accelerate", "train from scratch: there is nothing to download"),
        denied("lightning", "train from scratch: there is nothing to download"),
        denied(
            "pytorch_lightning",
            "train from scratch: there is nothing to download",
        ),
        denied(
            "torch.distributed.rpc",
            "use `torch.distributed.init_process_group` with the default rendezvous",
        ),
        denied(
            "torch.distributed.TCPStore",
            "use `torch.distributed.init_process_group` with the default rendezvous",
        ),
        denied(
            "torch.distributed.FileStore",
            "use `torch.distributed.init_process_group` with the default rendezvous",
        ),
        denied(
            "torch.distributed.HashStore",
            "use `torch.distributed.init_process_group` with the default rendezvous",
        ),
        denied(
            "torch.distributed.PrefixStore",
            "use `torch.distributed.init_process_group` with the default rendezvous",
        ),
        denied(
            "torch.distributed.Store",
            "use `torch.distributed.init_process_group` with the default rendezvous",
        ),
        denied(
            "torch.distributed.rendezvous",
            "use `torch.distributed.init_process_group` with the default rendezvous",
        ),
        denied(
            "torch.distributed.remote_device",
            "use `torch.distributed.init_process_group` with the default rendezvous",
        ),
        denied(
            "torch.distributed.autograd",
            "use `torch.distributed.init_process_group` with the default rendezvous",
        ),
        denied(
            "torch.distributed.debug",
            "use `torch.distributed.init_process_group` with the default rendezvous",
        ),
    ],
    attributes: &[],
    hooks: Hooks {
        call: Some(call),
        ..Hooks::NONE
    },
};

/// `init_process_group("gloo", init_method="tcp://...")` listens, `file://` makes a file.
fn call<'a>(checker: &mut Checker<'_, 'a>, call: &Call<'a>) {
    if !call.may_be("torch.distributed.init_process_group") {
        return;
    }
    let arguments = &call.expr.arguments;
    let is_default = |value: &Expr| match value {
        Expr::NoneLiteral(_) => true,
        value => texts::of(checker, value).is_some_and(|texts| texts.iter().all(|text| text == "env://")),
    };
    let is_open = arguments.args.iter().any(Expr::is_starred_expr)
        || arguments.keywords.iter().any(|keyword| keyword.arg.is_none())
        || arguments
            .find_argument_value("store", 5)
            .is_some_and(|value| !value.is_none_literal_expr());
    if is_open
        || arguments
            .find_argument_value("init_method", 1)
            .is_some_and(|value| !is_default(value))
    {
        let message = "processes may only meet where the environment says".to_owned();
        checker.report(
            &RULE,
            call.expr,
            message,
            "leave `init_method` out, or write \"env://\"",
        );
    }
}
