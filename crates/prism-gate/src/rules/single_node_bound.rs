//! # More than one machine of eight GPUs
//!
//! ## What it does
//!
//! Refuses numbers in the source that ask for more than one machine, or for more than eight GPUs: `world_size`, `rank`,
//! `nproc_per_node`, `nnodes`, `num_replicas` and `device_ids` in calls, the shape of a device mesh, the ranks of a group,
//! device names such as `cuda:11`, and an address of another host to meet at. Constants are followed through names of the
//! file, arithmetic and dicts; what is not seen fails in the run.
//!
//! ## Why is this refused?
//!
//! A submission runs on one machine with at most eight GPUs, and the sandbox has no network. Waiting for processes that
//! never come would use up the time of the run.
//!
//! ## Example
//!
//! ```python
//! dist.init_process_group("nccl", init_method="tcp://10.0.0.1:29500", world_size=16, rank=ctx.rank)
//! ```
//!
//! Use instead:
//!
//! ```python
//! dist.init_process_group("nccl", rank=ctx.rank, world_size=ctx.world_size)
//! ```

use ruff_python_ast::{Expr, InterpolatedStringElement};
use ruff_text_size::{Ranged, TextRange};

use crate::check::Checker;
use crate::limits::{NODE_GPUS_MAX, NODES_MAX};
use crate::reading::folding::{self, Constant};
use crate::rule::{Rule, RuleSet};
use crate::semantic::{Call, Meant as _};

pub(crate) static RULE: Rule = Rule::error(
    "PRS503",
    "prism:single-node-bound",
    include_str!("single_node_bound.rs"),
);

pub(crate) static SET: RuleSet = RuleSet {
    reason: "asks for more than one machine",
    call: Some(call),
    expression: Some(expression),
    ..RuleSet::of(&RULE)
};

const HINT: &str =
    "use `ctx.rank`, `ctx.local_rank`, `ctx.world_size` and `ctx.device`; the run has one machine";

/// Keywords that mean the same wherever they are given, and their largest values.
const KEYWORDS: &[(&str, i64)] = &[
    ("world_size", NODE_GPUS_MAX),
    ("nproc_per_node", NODE_GPUS_MAX),
    ("num_replicas", NODE_GPUS_MAX),
    ("nnodes", NODES_MAX),
    ("min_nodes", NODES_MAX),
    ("max_nodes", NODES_MAX),
    ("local_rank", NODE_GPUS_MAX - 1),
];

/// What an argument of a library's function must keep to.
#[derive(Clone, Copy)]
enum Bound {
    /// A number of processes or GPUs.
    Count,
    /// The number of one of them, from 0.
    Index,
    /// A list of such numbers.
    Indices,
    /// The shape of a mesh.
    Shape,
    /// A mesh written out.
    Mesh,
    /// Where processes meet.
    Address,
}

/// Functions, the name and place of an argument, and its bound.
#[rustfmt::skip]
const ARGUMENTS: &[(&str, &str, usize, Bound)] = &[
    ("torch.distributed.init_process_group", "init_method", 1, Bound::Address),
    ("torch.distributed.init_process_group", "world_size", 3, Bound::Count),
    ("torch.distributed.init_process_group", "rank", 4, Bound::Index),
    ("torch.distributed.TCPStore", "host_name", 0, Bound::Address),
    ("torch.distributed.TCPStore", "world_size", 2, Bound::Count),
    ("torch.distributed.new_group", "ranks", 0, Bound::Indices),
    ("torch.distributed.new_subgroups", "group_size", 0, Bound::Count),
    ("torch.distributed.new_subgroups_by_enumeration", "ranks_per_subgroup_list", 0, Bound::Indices),
    ("torch.distributed.device_mesh.init_device_mesh", "mesh_shape", 1, Bound::Shape),
    ("torch.distributed.init_device_mesh", "mesh_shape", 1, Bound::Shape),
    ("torch.distributed.device_mesh.DeviceMesh", "mesh", 1, Bound::Mesh),
    ("torch.distributed.DeviceMesh", "mesh", 1, Bound::Mesh),
    ("torch.nn.DataParallel", "device_ids", 1, Bound::Indices),
    ("torch.nn.parallel.DataParallel", "device_ids", 1, Bound::Indices),
    ("torch.nn.parallel.data_parallel", "device_ids", 2, Bound::Indices),
    ("torch.nn.parallel.replicate", "devices", 1, Bound::Indices),
    ("torch.nn.parallel.DistributedDataParallel", "device_ids", 1, Bound::Indices),
    ("torch.nn.parallel.distributed.DistributedDataParallel", "device_ids", 1, Bound::Indices),
    ("torch.utils.data.DistributedSampler", "num_replicas", 1, Bound::Count),
    ("torch.utils.data.distributed.DistributedSampler", "num_replicas", 1, Bound::Count),
    ("torch.device", "index", 1, Bound::Index),
    ("torch.cuda.set_device", "device", 0, Bound::Index),
    ("torch.cuda.device", "device", 0, Bound::Index),
];

fn call<'a>(checker: &mut Checker<'_, 'a>, call: &Call<'a>) {
    let arguments = &call.expr.arguments;
    for keyword in &arguments.keywords {
        match &keyword.arg {
            Some(name) => {
                if let Some((name, most)) = KEYWORDS.iter().find(|(known, _)| *known == name.as_str()) {
                    number(checker, name, &keyword.value, *most);
                }
            }
            None => unpacked(checker, &keyword.value),
        }
    }
    // Of others there is nothing to ask.
    let asked = if call.callee.any_path(|path| path.starts_with("torch.")) {
        ARGUMENTS
    } else {
        &[]
    };
    for (path, name, place, bound) in asked {
        if call.may_be(path)
            && let Some(value) = arguments.find_argument_value(name, *place)
        {
            argument(checker, name, value, *bound);
        }
    }
    // `x.cuda(11)`.
    if let Expr::Attribute(method) = &*call.expr.func
        && method.attr.as_str() == "cuda"
        && let Some(value) = arguments.find_positional(0)
    {
        number(checker, "cuda", value, NODE_GPUS_MAX - 1);
    }
}

/// `f(**GROUP)`.
fn unpacked(checker: &mut Checker<'_, '_>, value: &Expr) {
    for constant in folding::values(checker, value) {
        let Constant::Dict(items) = constant else {
            continue;
        };
        for (key, item) in &items {
            let known = KEYWORDS.iter().find(|(known, _)| key.text() == Some(known));
            if let (Some((name, most)), Some(found)) = (known, item.number())
                && found > *most
            {
                too_many(checker, value.range(), name, found, *most);
            }
            if key.text() == Some("init_method") && item.text().is_some_and(is_elsewhere) {
                another_host(checker, value.range());
            }
        }
    }
}

fn argument(checker: &mut Checker<'_, '_>, name: &str, value: &Expr, bound: Bound) {
    match bound {
        Bound::Count => number(checker, name, value, NODE_GPUS_MAX),
        Bound::Index => number(checker, name, value, NODE_GPUS_MAX - 1),
        Bound::Address => {
            if folding::values(checker, value)
                .iter()
                .any(|value| value.text().is_some_and(is_elsewhere))
            {
                another_host(checker, value.range());
            }
        }
        Bound::Indices | Bound::Shape | Bound::Mesh => {
            for constant in folding::values(checker, value) {
                let numbers = constant.numbers();
                let length = match &constant {
                    Constant::List(elements) => i64::try_from(elements.len()).unwrap_or(i64::MAX),
                    _ => continue,
                };
                let found = match bound {
                    Bound::Shape => numbers
                        .iter()
                        .fold(1_i64, |all, number| all.saturating_mul((*number).max(1))),
                    Bound::Mesh => i64::try_from(numbers.len()).unwrap_or(i64::MAX),
                    _ => length.max(
                        numbers
                            .iter()
                            .max()
                            .map_or(0, |largest| largest.saturating_add(1)),
                    ),
                };
                if found > NODE_GPUS_MAX {
                    let message = format!(
                        "`{name}` asks for {found} GPUs; a run has one machine with at most {NODE_GPUS_MAX}"
                    );
                    checker.report(&RULE, value.range(), message, HINT);
                }
            }
        }
    }
}

fn number(checker: &mut Checker<'_, '_>, name: &str, value: &Expr, most: i64) {
    if let Some(found) = folding::largest(checker, value)
        && found > most
    {
        too_many(checker, value.range(), name, found, most);
    }
}

fn too_many(checker: &mut Checker<'_, '_>, range: TextRange, name: &str, found: i64, most: i64) {
    let message =
        format!("`{name}` is {found} here; on one machine with {NODE_GPUS_MAX} GPUs it is at most {most}");
    checker.report(&RULE, range, message, HINT);
}

fn another_host(checker: &mut Checker<'_, '_>, range: TextRange) {
    let message = "the processes would meet at another machine; a run has one, without a network".to_owned();
    checker.report(&RULE, range, message, HINT);
}

/// Whether an address is that of another host. Without a scheme it is the name of a host.
fn is_elsewhere(address: &str) -> bool {
    let rest = match address.split_once("://") {
        Some(("tcp", rest)) => rest,
        Some(_) => return false,
        None => address,
    };
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None if host.matches(':').count() == 1 => host.split(':').next().unwrap_or_default(),
        None => host,
    };
    let is_here = matches!(host, "" | "localhost" | "::1" | "0.0.0.0") || host.starts_with("127.");
    !is_here
}

/// `"cuda:11"`.
fn expression<'a>(checker: &mut Checker<'_, 'a>, expr: &'a Expr) {
    let begins = match expr {
        Expr::StringLiteral(text) => text.value.to_str(),
        Expr::FString(text) => match text.value.elements().next() {
            Some(InterpolatedStringElement::Literal(first)) => &*first.value,
            _ => return,
        },
        _ => return,
    };
    if !begins.starts_with("cuda:") {
        return;
    }
    for value in folding::values(checker, expr) {
        let index = value
            .text()
            .and_then(|text| text.strip_prefix("cuda:"))
            .and_then(|index| index.parse::<i64>().ok());
        if let Some(index) = index.filter(|index| *index >= NODE_GPUS_MAX) {
            let message =
                format!("GPU {index} does not exist; a run has one machine with at most {NODE_GPUS_MAX}");
            checker.report(&RULE, expr.range(), message, HINT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_apart() {
        for here in [
            "tcp://127.0.0.1:29500",
            "tcp://localhost:1",
            "tcp://[::1]:29500",
            "env://",
            "file:///x",
            "localhost",
            "::1",
        ] {
            assert!(!is_elsewhere(here), "{here}");
        }
        for there in [
            "tcp://10.0.0.1:29500",
            "tcp://[2001:db8::1]:29500",
            "node0",
            "tcp://node0:29500?rank=0",
        ] {
            assert!(is_elsewhere(there), "{there}");
        }
    }
}
