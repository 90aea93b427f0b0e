//! # Imports at run time
//!
//! ## What it does
//!
//! Refuses `__import__`, `importlib`, `pkgutil`, `runpy`, `imp`, `zipimport` and the import system's own hooks.
//!
//! ## Why is this refused?
//!
//! An import that is computed cannot be checked by reading. Every module that a bundle needs can be named in an `import`
//! statement.
//!
//! ## Example
//!
//! ```python
//! torch_nn = __import__("torch.nn")
//! ```
//!
//! Use instead:
//!
//! ```python
//! import torch.nn as torch_nn
//! ```

use crate::rule::{Rule, RuleSet, denied};

pub(crate) static RULE: Rule = Rule::error(
    "PRS105",
    "prism:no-dynamic-import",
    include_str!("no_dynamic_import.rs"),
);

pub(crate) static SET: RuleSet = RuleSet {
    reason: "imports modules by computed names",
    denied: &[
        denied(
            "builtins.__import__ importlib _imp imp pkgutil runpy zipimport modulefinder \
             _frozen_importlib _frozen_importlib_external ensurepip builtins.__loader__ builtins.__spec__ \
             sys.modules sys.path sys.meta_path sys.path_hooks",
            "name the module in an `import` statement",
        ),
        denied("logging.config", "use `logging.getLogger` and nothing more"),
        denied("torch.set_default_tensor_type", "use `torch.set_default_dtype`"),
        denied(
            "torch.distributed.Backend.register_backend",
            "use a backend that torch brings along",
        ),
    ],
    ..RuleSet::of(&RULE)
};
