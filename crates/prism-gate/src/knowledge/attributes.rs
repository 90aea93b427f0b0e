//! The attributes that objects of the libraries have: which of them are documented, and which lead out.
//!
//! An object whose class is not known is judged by the names that are said of it. `attributes.txt` holds those that the
//! classes of the libraries document, `inner.txt` those that they have besides, `ways.txt` those under which an object
//! that a bundle can get at holds a module, a file, a lock, a loader or code. All three are written by
//! `cargo run -p xtask -- libraries`. A name that stands in none of them can only be the bundle's own.

use std::sync::OnceLock;

use rustc_hash::FxHashSet;

use super::Words;
use crate::rules::{no_attribute_escape, no_harness_access};

static PUBLIC: Words = Words::new(include_str!("attributes.txt"));
static INNER: Words = Words::new(include_str!("inner.txt"));
static WAYS: Words = Words::new(include_str!("ways.txt"));

/// Names that lead out beside those that the tool finds: what they return is made when they are called.
static LEAD_OUT: Words = Words::new(
    "_UntypedStorage _evaluate _from_bytes _get_handler _make_boxed_from_prop _save_for_lite_interpreter \
     _save_for_mobile _set_from_file _showwarnmsg_impl _tensor_name _write_file aot_compile buffer cffi \
     code_with_constants ctypes ctypes_data debug_dump define ds_ exit export_chrome_trace \
     export_memory_timeline export_stacks fileno find_module find_spec fromfile_prefix_chars get_code \
     get_data get_source handlers inlined_graph load_library load_module loader lock manager module_spec \
     ops pack_hook parameter_types raw save_compiled_function save_to_buffer showwarning spec \
     stream_handler submodule_search_locations tofile unpack_hook",
);

/// Names that lead out and that honest classes have as well: a bundle may have its own, and then not use them on anything
/// that may be a library's.
static OWN_ONLY: Words = Words::new("define dump dumps from_file load loads open save savez write");

/// Private names that honest code reads of objects of torch and of named tuples.
static HONEST_PRIVATE: Words = Words::new(
    "_C_flash_attention _LRScheduler _Loss _accelerator_graph_capture_health_check _asdict _assert \
     _backward_hooks _base _buffers _check _cuda_graph_capture_health_check _field_defaults _fields \
     _forward_hooks _forward_pre_hooks _get_lr_called_within_step _get_name _grad _indices _initial_step \
     _is_full_backward_hook _last_lr _load_from_state_dict _log_api_usage_once _make _modules \
     _non_persistent_buffers_set _optimizer_step_pre_hooks _orig_mod _parameters _patch_step_function \
     _register_load_state_dict_pre_hook _register_state_dict_hook _replace _save_to_state_dict _step_count \
     _values _version",
);

/// Whether a way out under this name was looked at and is none. `_check`, `_data` and their like are harmless functions and
/// values elsewhere, and what holds a module under that name is itself out of reach.
pub(crate) fn is_reviewed(name: &str) -> bool {
    HONEST_PRIVATE.contains(name)
}

/// Whether a library documents an attribute of this name, and it leads nowhere.
pub(crate) fn is_public(name: &str) -> bool {
    PUBLIC.contains(name) || HONEST_PRIVATE.contains(name)
}

/// Whether anything may be wrong with an attribute of this name: with most there is not, so that it is one look.
pub(crate) fn is_suspect(name: &str) -> bool {
    static SUSPECTS: OnceLock<FxHashSet<&str>> = OnceLock::new();
    let suspects = SUSPECTS.get_or_init(|| {
        let lists = [&INNER, &LEAD_OUT, &WAYS, &OWN_ONLY, &NEVER];
        let all = lists.into_iter().flat_map(Words::iter);
        all.filter(|name| !is_public(name) || is_never(name)).collect()
    });
    suspects.contains(name) || is_never_by_its_beginning(name)
}

/// Whether an object of a library may have an attribute of this name that is not documented.
pub(crate) fn is_inner(name: &str) -> bool {
    INNER.contains(name) || leads_out(name) || is_own_only(name)
}

/// Whether an attribute of this name may lead out of an object.
pub(crate) fn leads_out(name: &str) -> bool {
    LEAD_OUT.contains(name) || is_never(name) || WAYS.contains(name)
}

/// Names that are refused of every object, the bundle's own as well: what is stored under them, or called by them, is the
/// library's, whatever class stands around.
static NEVER: Words = Words::new(
    "_all_weights _basedict _get_kwargs _optinfo _print_message _push_async_cm_exit _push_async_exit_callback \
     _push_cm_exit _push_exit_callback _update_from add_parser add_subparsers attrname common_notes \
     create_function dynamo_ctx eraseOutput exc_text factory_common_args fdel fget findCaller flop_registry find_function \
     formatException formatMessage formatStack fromfile_prefix_chars fset insertAfter insertBefore \
     insertConstant insertNode lr_lambdas makeRecord pack_into print_usage profile_hook_step register_backend readinto \
     refcheck registerOutput replaceAllUsesWith setInsertPoint stack_info",
);

/// Whether an attribute of this name may not be used on anything.
pub(crate) fn is_never(name: &str) -> bool {
    NEVER.contains(name) || is_never_by_its_beginning(name)
}

/// Under these a decorator of torch keeps the function that it was given.
fn is_never_by_its_beginning(name: &str) -> bool {
    name.starts_with("_torchdynamo")
}

/// Whether some name that leads out, by itself or on what is not the bundle's own, is as said.
pub(crate) fn any_leads_out(is: impl Fn(&str) -> bool) -> bool {
    let lists = [&WAYS, &LEAD_OUT, &OWN_ONLY, &NEVER];
    lists.into_iter().flat_map(Words::iter).any(&is)
        || no_harness_access::any_inner(&is)
        || no_attribute_escape::any_refused(is)
}

/// Whether some name is as said that an object of a library may have.
pub(crate) fn any_known(is: impl Fn(&str) -> bool) -> bool {
    let lists = [&PUBLIC, &INNER, &HONEST_PRIVATE];
    any_leads_out(&is) || lists.into_iter().flat_map(Words::iter).any(&is) || is("_torchdynamo_orig_callable")
}

/// Whether an attribute of this name is only harmless where the bundle defines it.
pub(crate) fn is_own_only(name: &str) -> bool {
    OWN_ONLY.contains(name)
}

/// Whether a name may never stand in `attributes.txt`.
pub fn is_decided(name: &str) -> bool {
    LEAD_OUT.contains(name)
        || is_never(name)
        || OWN_ONLY.contains(name)
        || no_attribute_escape::is_refused(name)
}
