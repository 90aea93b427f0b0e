//! # Modules that are not on the list
//!
//! ## What it does
//!
//! Refuses the import of every module that is not on the list and that no other rule names, and the names that a listed
//! module does not lend, other modules that it imports for itself among them. On the list are the bundle's own modules, `prism_runtime` and
//! `prism_challenge.evaluator.interface`, `torch` with its documented namespaces, `numpy`, `einops`, and of the standard
//! library: `__future__`, `abc`, `bisect`, `cmath`, `collections`, `contextlib`, `copy`, `dataclasses`, `enum`,
//! `fractions`, `functools`, `heapq`, `itertools`, `json`, `logging`, `math`, `numbers`, `operator`, `random`, `re`,
//! `statistics`, `string`, `textwrap`, `time`, `types`, `typing`, `typing_extensions` and `warnings`.
//!
//! ## Why is this refused?
//!
//! A list of what is known to be harmless is the only kind of list that stays right when Python gains a module.
//!
//! ## Example
//!
//! ```python
//! from tqdm import tqdm
//!
//! for batch in tqdm(stream):
//!     ...
//! ```
//!
//! Use instead:
//!
//! ```python
//! for step, batch in enumerate(stream):
//!     ctx.log(step=step)
//! ```

use crate::rule::{Rule, RuleSet};

pub(crate) static RULE: Rule = Rule::error(
    "PRS111",
    "prism:no-forbidden-import",
    include_str!("no_forbidden_import.rs"),
);

pub(crate) static SET: RuleSet = RuleSet {
    reason: "is not on the list of modules that a bundle may import",
    ..RuleSet::of(&RULE)
};

/// What to write in place of modules that people often import.
pub(crate) fn hint(module: &str) -> &'static str {
    match module.split('.').next().unwrap_or_default() {
        "tqdm" | "rich" | "progressbar" => {
            "leave it out: the command line shows the progress; log with `ctx.log(...)`"
        }
        "datetime" | "calendar" => "use `time.time()`",
        "hashlib" | "hmac" | "secrets" => "use `random` or `torch.manual_seed`; the harness has seeded both",
        "sklearn" | "matplotlib" | "seaborn" | "plotly" => "plot at home; log numbers with `ctx.log(...)`",
        "triton" => "write it with tensor operations, and `torch.compile` it: that writes the kernels",
        "mamba_ssm" | "flash_attn" | "xformers" | "causal_conv1d" | "apex" | "bitsandbytes" | "fla" => {
            "write it with tensor operations; `F.scaled_dot_product_attention` and `torch.compile` are fast"
        }
        "torch" => "import from a documented namespace of `torch`; see the list on the rule's page",
        _ => "leave it out, or write what you need of it in a module of the bundle",
    }
}
