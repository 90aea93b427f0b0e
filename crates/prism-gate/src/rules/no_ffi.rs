//! # Foreign functions
//!
//! ## What it does
//!
//! Refuses `ctypes`, `cffi` and every other way to call machine code by address or to look at memory directly:
//! `__array_interface__`, classes below `np.ndarray`, streams of an address.
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

use ruff_python_ast::{Expr, Stmt};

use crate::check::Checker;
use crate::knowledge::Words;
use crate::rule::{Rule, RuleSet, denied};
use crate::semantic::{Call, Reference};

pub(crate) static RULE: Rule = Rule::error("PRS104", "prism:no-ffi", include_str!("no_ffi.rs"));

pub(crate) static SET: RuleSet = RuleSet {
    reason: "calls foreign code",
    denied: &[
        denied(
            "ctypes _ctypes cffi _cffi_backend numpy.ctypeslib numba cython pybind11 cupy pycuda jax \
             tensorflow taichi cuda array numpy.f2py torch.cuda.cudart",
            "use tensor operations, and `torch.compile` for speed",
        ),
        denied(
            "torch.utils.dlpack torch.from_dlpack torch.to_dlpack numpy.from_dlpack numpy.getbuffer \
             builtins.memoryview torch.cuda.ExternalStream torch.cuda.caching_allocator_alloc \
             torch.cuda.caching_allocator_delete torch.cuda.get_stream_from_external \
             torch.cuda.current_blas_handle torch.cuda.current_solver_handle",
            "use tensors as they are",
        ),
        denied(
            "numpy.recarray numpy.record numpy.char.chararray numpy.chararray numpy.strings.chararray",
            "use an array of numbers, or a tensor",
        ),
        denied(
            "numpy.ScalarType",
            "write the types out: `(int, float, np.number)`",
        ),
    ],
    attributes: "cffi ctypes",
    reference: Some(reference),
    call: Some(call),
    statement: Some(statement),
    ..RuleSet::of(&RULE)
};

/// Attributes that hand out addresses.
static ADDRESSES: Words =
    Words::new("cffi ctypes __array_interface__ __cuda_array_interface__ __array_struct__ __dlpack__");

/// `def __array_interface__` gives numpy any address, and so does a class below `np.ndarray`.
fn statement<'a>(checker: &mut Checker<'_, 'a>, stmt: &'a Stmt) {
    match stmt {
        Stmt::FunctionDef(function) if ADDRESSES.contains(function.name.as_str()) => {
            let message = format!("`{}` hands out an address in memory", function.name.as_str());
            checker.report(
                &RULE,
                &function.name,
                message,
                "write `__array__`, or use a tensor",
            );
        }
        Stmt::ClassDef(class) => {
            for base in class.bases() {
                if checker.may_be(base, "numpy.ndarray") {
                    let message = "an object of this class looks at memory directly".to_owned();
                    checker.report(&RULE, base, message, "keep an array as an attribute");
                }
            }
        }
        _ => {}
    }
}

/// `np.ndarray(shape, object, buffer)` makes objects of addresses.
fn call<'a>(checker: &mut Checker<'_, 'a>, call: &Call<'a>) {
    let arguments = &call.expr.arguments;
    if call.may_be("torch.segment_reduce")
        && arguments
            .keywords
            .iter()
            .any(|keyword| keyword.arg.as_ref().is_none_or(|name| name.as_str() == "unsafe"))
    {
        let message = "offsets that nobody checks reach memory of others".to_owned();
        checker.report(&RULE, call.expr, message, "leave `unsafe` out");
    }
    let stream = arguments.keywords.iter().find(|keyword| {
        keyword
            .arg
            .as_ref()
            .is_some_and(|name| name.as_str() == "stream_ptr")
    });
    if let Some(stream) = stream {
        let message = "a stream is made of an address in memory".to_owned();
        checker.report(&RULE, stream, message, "leave `stream_ptr` out");
    }
    let is_of_objects = |kind: &Expr| {
        matches!(kind, Expr::StringLiteral(text) if matches!(text.value.to_str(), "O" | "|O" | "object" | "object_"))
            || checker.may_be(kind, "builtins.object")
    };
    if call.may_be("numpy.dtype") && arguments.args.first().is_some_and(is_of_objects) {
        let message =
            "an array of objects takes numbers for addresses where it lies over a buffer".to_owned();
        checker.report(&RULE, call.expr, message, "keep objects in a list");
    }
    if !call.may_be("numpy.ndarray") {
        return;
    }
    let is_open = arguments.args.iter().any(Expr::is_starred_expr)
        || arguments.keywords.iter().any(|keyword| keyword.arg.is_none());
    if is_open || arguments.find_argument_value("buffer", 2).is_some() {
        let message = "an array over a buffer looks at memory directly".to_owned();
        checker.report(
            &RULE,
            call.expr,
            message,
            "write `np.frombuffer(data, dtype)` or `np.array(values)`",
        );
    }
}

fn reference<'a>(checker: &mut Checker<'_, 'a>, reference: &Reference<'a>) {
    let mut expr = reference.expr;
    while let ruff_python_ast::Expr::Attribute(attribute) = expr {
        if ADDRESSES.contains(attribute.attr.as_str()) {
            let message = format!("`{}` hands out an address in memory", attribute.attr.as_str());
            checker.report(&RULE, &attribute.attr, message, "use the tensor or array itself");
        }
        expr = &attribute.value;
    }
}
