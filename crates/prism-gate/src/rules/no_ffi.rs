//! # Foreign functions
//!
//! ## What it does
//!
//! Refuses `ctypes`, `cffi` and every other way to call machine code by address or to look at memory directly:
//! `__array_interface__`, classes below `np.ndarray`, streams of an address, `np.frombuffer` over what is not plainly bytes.
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
use crate::reading::own;
use crate::rule::{Rule, RuleSet, denied};
use crate::semantic::uses::Spot;
use crate::semantic::{BindingKind, Call, Meant as _, Reference};

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
            "struct.pack_into numpy.ma.frombuffer",
            "write `struct.pack(...)` or `np.frombuffer(...)`, which make a new object",
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
    if BUFFERS.iter().any(|path| call.may_be(path))
        && !arguments
            .find_argument_value("buffer", 0)
            .is_some_and(|data| is_bytes(checker, checker.spot(), data, 0))
    {
        let message =
            "an array over what may be another array, whose objects it takes for numbers".to_owned();
        checker.report(
            &RULE,
            call.expr,
            message,
            "give it bytes: `np.frombuffer(bytes(data), dtype)`",
        );
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

/// Functions that make an array over the memory of what they are given.
pub(crate) const BUFFERS: &[&str] = &["numpy.frombuffer", "torch.frombuffer"];

/// Methods and functions whose results are bytes, and how far names are followed to them.
static TO_BYTES: Words = Words::new("decompress encode fromhex pack read tobytes to_bytes");
const DEPTH_MAX: usize = 8;

/// Whether an expression is surely bytes: a literal, what makes such, a name that stands for nothing else.
fn is_bytes(checker: &Checker<'_, '_>, spot: Spot, expr: &Expr, depth: usize) -> bool {
    let names = checker.names;
    match expr {
        Expr::BytesLiteral(_) => true,
        Expr::Call(call) => {
            let meanings = names.meanings(spot.module, spot.scope, &call.func);
            let is_of_a_library = meanings.all_paths(|path| !path.starts_with('<'));
            let is_made = meanings.all_paths(|path| {
                matches!(path, "builtins.bytes" | "builtins.bytearray") || path.starts_with("base64.")
            });
            is_made
                || matches!(&*call.func, Expr::Attribute(method) if TO_BYTES.contains(method.attr.as_str())
                    && (is_of_a_library || !checker.may_have_given(method.attr.as_str())))
        }
        Expr::Subscript(part) => part.slice.is_slice_expr() && is_bytes(checker, spot, &part.value, depth),
        Expr::Name(name) if depth < DEPTH_MAX => {
            let name = name.id.as_str();
            let module = &names.modules[spot.module];
            let bindings = names.bindings(spot.module, spot.scope, name);
            !bindings.is_empty()
                && !own::may_be_replaced(checker, spot, name)
                && bindings
                    .iter()
                    .take(DEPTH_MAX + 1)
                    .enumerate()
                    .all(|(count, &number)| {
                        let binding = &module.bindings[number];
                        count < DEPTH_MAX
                            && matches!(binding.kind, BindingKind::Value(value)
                            if is_bytes(checker, spot.at(binding.scope), value, depth + 1))
                    })
        }
        _ => false,
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
