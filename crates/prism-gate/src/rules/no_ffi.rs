//! # Foreign functions
//!
//! ## What it does
//!
//! Refuses `ctypes`, `cffi` and every other way to call machine code by address or to look at memory directly.
//!
//! ## Why is this refused?
//!
//! Machine code is bound by none of the rules of this gate, and its reader cannot read it.
//!
//! ## Example
//!
//! ```python
//! import ctypes
//!
//! libc = ctypes.CDLL(None)
//! ```
//!
//! Use instead:
//!
//! ```python
//! # Tensor operations are fast enough; `torch.compile` makes them faster.
//! step = torch.compile(step)
//! ```

use crate::check::Checker;
use crate::finding::Severity;
use crate::rule::{Hooks, Rule, RuleSet, denied};
use crate::semantic::Reference;

pub(crate) static RULE: Rule = Rule {
    code: "PRS104",
    id: "prism:no-ffi",
    severity: Severity::Error,
    since: "0.1.0",
    source: include_str!("no_ffi.rs"),
};

pub(crate) static SET: RuleSet = RuleSet {
    rule: &RULE,
    reason: "calls foreign code",
    denied: &[
        denied("ctypes", "use tensor operations, and `torch.compile` for speed"),
        denied("_ctypes", "use tensor operations, and `torch.compile` for speed"),
        denied("cffi", "use tensor operations, and `torch.compile` for speed"),
        denied(
            "_cffi_backend",
            "use tensor operations, and `torch.compile` for speed",
        ),
        denied(
            "numpy.ctypeslib",
            "use tensor operations, and `torch.compile` for speed",
        ),
        denied("numba", "use tensor operations, and `torch.compile` for speed"),
        denied("cython", "use tensor operations, and `torch.compile` for speed"),
        denied("pybind11", "use tensor operations, and `torch.compile` for speed"),
        denied("cupy", "use tensor operations, and `torch.compile` for speed"),
        denied("pycuda", "use tensor operations, and `torch.compile` for speed"),
        denied("jax", "use tensor operations, and `torch.compile` for speed"),
        denied(
            "tensorflow",
            "use tensor operations, and `torch.compile` for speed",
        ),
        denied("taichi", "use tensor operations, and `torch.compile` for speed"),
        denied("cuda", "use tensor operations, and `torch.compile` for speed"),
        denied("struct", "use tensor operations, and `torch.compile` for speed"),
        denied("_struct", "use tensor operations, and `torch.compile` for speed"),
        denied("array", "use tensor operations, and `torch.compile` for speed"),
        denied("torch.utils.dlpack", "use tensors as they are"),
        denied("torch.from_dlpack", "use tensors as they are"),
        denied("torch.to_dlpack", "use tensors as they are"),
        denied("torch.frombuffer", "use tensors as they are"),
        denied("numpy.frombuffer", "use tensors as they are"),
        denied("numpy.from_dlpack", "use tensors as they are"),
        denied("numpy.getbuffer", "use tensors as they are"),
        denied("numpy.lib.stride_tricks", "use tensors as they are"),
        denied("builtins.memoryview", "use tensors as they are"),
        denied(
            "numpy.f2py",
            "use tensor operations, and `torch.compile` for speed",
        ),
        denied(
            "torch.cuda.cudart",
            "use tensor operations, and `torch.compile` for speed",
        ),
        denied("torch.cuda.ExternalStream", "use tensors as they are"),
        denied("torch.cuda.caching_allocator_alloc", "use tensors as they are"),
        denied("torch.cuda.caching_allocator_delete", "use tensors as they are"),
        denied("torch.cuda.get_stream_from_external", "use tensors as they are"),
        denied("torch.cuda.current_blas_handle", "use tensors as they are"),
        denied("torch.cuda.current_solver_handle", "use tensors as they are"),
    ],
    attributes: &["cffi", "ctypes"],
    hooks: Hooks {
        reference: Some(reference),
        ..Hooks::NONE
    },
};

/// Attributes that hand out addresses.
const ADDRESSES: &[&str] = &[
    "cffi",
    "ctypes",
    "__array_interface__",
    "__cuda_array_interface__",
    "__array_struct__",
    "__dlpack__",
];

fn reference<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    let mut expr = reference.expr;
    while let ruff_python_ast::Expr::Attribute(attribute) = expr {
        if ADDRESSES.contains(&attribute.attr.as_str()) {
            let message = format!("`{}` hands out an address in memory", attribute.attr.as_str());
            checker.report(&RULE, &attribute.attr, message, "use the tensor or array itself");
        }
        expr = &attribute.value;
    }
}
