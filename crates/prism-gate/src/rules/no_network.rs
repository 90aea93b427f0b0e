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

use crate::reading::texts;
use crate::rule::{Rule, RuleSet, denied};
use crate::semantic::Call;

use ruff_python_ast::Expr;

use crate::check::Checker;

pub(crate) static RULE: Rule = Rule::error("PRS102", "prism:no-network", include_str!("no_network.rs"));

pub(crate) static SET: RuleSet = RuleSet {
    reason: "reaches the network",
    denied: &[
        denied(
            "socket _socket ssl _ssl http urllib urllib2 urllib3 requests httpx aiohttp ftplib smtplib \
             poplib imaplib nntplib telnetlib xmlrpc socketserver wsgiref webbrowser email mailbox select \
             selectors ipaddress asyncio asyncore asynchat trio anyio paramiko websocket websockets zmq \
             grpc boto3 cgi cgitb",
            "everything is learnt from `ctx.stream`; there is no network in the sandbox",
        ),
        denied(
            "wandb tensorboard tensorboardX mlflow comet_ml neptune clearml",
            "log with `ctx.log(loss=...)`; the report draws it",
        ),
        denied(
            "huggingface_hub transformers datasets gdown kagglehub torchvision torchaudio torchtext timm \
             sentence_transformers diffusers accelerate lightning pytorch_lightning",
            "train from scratch: there is nothing to download",
        ),
        denied(
            "torch.distributed.rpc torch.distributed.TCPStore torch.distributed.FileStore \
             torch.distributed.HashStore torch.distributed.PrefixStore torch.distributed.Store \
             torch.distributed.rendezvous torch.distributed.remote_device torch.distributed.autograd \
             torch.distributed.debug",
            "use `torch.distributed.init_process_group` with the default rendezvous",
        ),
    ],
    call: Some(call),
    ..RuleSet::of(&RULE)
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
