//! # Halves of distributed training
//!
//! ## What it does
//!
//! Where a bundle calls `torch.distributed.init_process_group`, it looks for what belongs to it: a device of its own for
//! each process (`torch.cuda.set_device`, or a device named after `ctx.local_rank`), something that makes the processes
//! train one model (`DistributedDataParallel`, FSDP, or collectives such as `all_reduce`), and `destroy_process_group`.
//! What is missing is a warning, or an error where the operator decides so.
//!
//! ## Why is this a finding?
//!
//! Without a device of its own every process fills the memory of the first GPU; without a wrapper each trains a model of
//! its own and all but one are thrown away; without an end the processes wait for one another until the time is up.
//!
//! ## Example
//!
//! ```python
//! dist.init_process_group("nccl")
//! model = ctx.build_model().cuda()
//! ```
//!
//! Use instead:
//!
//! ```python
//! dist.init_process_group("nccl")
//! torch.cuda.set_device(ctx.local_rank)
//! model = DistributedDataParallel(ctx.build_model().to(ctx.device), device_ids=[ctx.local_rank])
//! ...
//! dist.destroy_process_group()
//! ```

use ruff_text_size::Ranged;

use crate::check::Checker;
use crate::finding::Severity;
use crate::options::{DistributedPolicy, Options};
use crate::reading::census::{self, Mention};
use crate::rule::{Rule, RuleSet};

pub(crate) static RULE: Rule = Rule::error(
    "PRS501",
    "prism:distributed-contract",
    include_str!("distributed_contract.rs"),
);

pub(crate) static SET: RuleSet = RuleSet {
    reason: "is one half of distributed training",
    bundle: Some(bundle),
    ..RuleSet::of(&RULE)
};

/// The function that begins a group of processes.
const BEGINNING: &str = "init_process_group";

/// What makes processes train one model.
const TOGETHER: &str = "torch.nn.parallel.DistributedDataParallel torch.nn.parallel.distributed torch.distributed.fsdp \
     torch.distributed.tensor torch.distributed.algorithms torch.distributed.optim \
     torch.distributed.all_reduce torch.distributed.all_reduce_coalesced torch.distributed.reduce \
     torch.distributed.reduce_scatter torch.distributed.reduce_scatter_tensor torch.distributed.all_gather \
     torch.distributed.all_gather_into_tensor";

/// What gives a process a device of its own. `ctx.device` alone is the same for all of a kind.
const OWN_DEVICE: &str = "torch.cuda.set_device torch.accelerator.set_device_index <ctx>.local_rank";

/// How findings about distributed training weigh; `None` where nobody looks for them.
pub(crate) fn weight(options: Options) -> Option<Severity> {
    match options.distributed {
        DistributedPolicy::Reject => Some(Severity::Error),
        DistributedPolicy::Flag => Some(Severity::Warning),
        DistributedPolicy::Off => None,
    }
}

/// Where the bundle names libraries; nothing where no file has the word that it is about.
pub(crate) fn mentions<'a>(checker: &Checker<'_, 'a>) -> Vec<Mention<'a>> {
    let begins = checker
        .sources
        .iter()
        .any(|source| source.text.contains(BEGINNING));
    census::mentions(checker, |_| begins)
}

/// The call that begins a group of processes.
pub(crate) fn beginning<'m, 'a>(mentions: &'m [Mention<'a>]) -> Option<&'m Mention<'a>> {
    mentions.iter().find(|mention| {
        mention.path.ends_with(BEGINNING)
            && mention.path.starts_with("torch.distributed.")
            && mention.call.is_some()
    })
}

fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn bundle(checker: &mut Checker<'_, '_>) {
    let Some(severity) = weight(*checker.options) else {
        return;
    };
    let mentions = mentions(checker);
    let Some(begins) = beginning(&mentions) else {
        return;
    };
    let Some(call) = begins.call else {
        return;
    };
    let has = |above: &str| {
        let mut above = above.split_whitespace();
        above.any(|above| mentions.iter().any(|mention| is_below(&mention.path, above)))
    };
    let mut missing: Vec<(&str, &str)> = Vec::new();
    if !has(OWN_DEVICE) && call.arguments.find_keyword("device_id").is_none() {
        missing.push((
            "a device of its own for each process",
            "call `torch.cuda.set_device(ctx.local_rank)`",
        ));
    }
    if !has(TOGETHER) {
        let hint = "wrap the model in `DistributedDataParallel`, or average its gradients with `all_reduce`";
        missing.push(("something that makes the processes train one model", hint));
    }
    if !has("torch.distributed.destroy_process_group") {
        missing.push((
            "`destroy_process_group`",
            "call `torch.distributed.destroy_process_group()` at the end of `train`",
        ));
    }
    if missing.is_empty() {
        return;
    }
    let what: Vec<&str> = missing.iter().map(|(what, _)| *what).collect();
    let hints: Vec<&str> = missing.iter().map(|(_, hint)| *hint).collect();
    let home = checker.module;
    checker.module = begins.module;
    let message = format!(
        "a group of processes begins here, but this is missing: {}",
        what.join("; ")
    );
    checker.report_as(&RULE, severity, call.range(), message, &hints.join("; "));
    checker.module = home;
}
