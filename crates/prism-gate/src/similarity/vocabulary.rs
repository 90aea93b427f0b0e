//! Which attributes and builtins belong to Python and PyTorch, and which of them say the same.
//!
//! A bundle can rename what is its own, but not what is a library's. A method's name is a library's if it stands in this
//! table: asking instead whether the bundle defines a name like it would let dead code hide every method at once.

use super::token::word;
use crate::knowledge::Words;

/// What a library's name is to the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A word of the language.
    Word(u64),
    /// It changes a type, a place or a copy: its object stands for the whole.
    Noise,
}

/// The last component of a library's path.
pub(super) fn of_library(name: &str) -> Meaning {
    if NOISE.contains(name) {
        return Meaning::Noise;
    }
    let same = SAME
        .iter()
        .find(|(others, _)| others.split(' ').any(|other| other == name))
        .map_or(name, |(_, one)| one);
    Meaning::Word(word(same))
}

/// An attribute of anything but the object itself. What is called and what is only read are told apart, because a
/// setting may well be called `dim`.
pub(super) fn of_attribute(name: &str, called: bool) -> Option<Meaning> {
    let table = if called { &METHODS } else { &PROPERTIES };
    (table.contains(name) || NOISE.contains(name)).then(|| of_library(name))
}

/// An attribute of the object itself that it has from its base class.
pub(super) fn of_own_attribute(name: &str) -> Option<Meaning> {
    INHERITED.contains(name).then(|| of_library(name))
}

/// Whether an attribute of this name is Python's or PyTorch's.
pub(crate) fn is_library_name(name: &str) -> bool {
    let tables = [&METHODS, &PROPERTIES, &NOISE, &INHERITED, &HOOKS];
    tables.iter().any(|table| table.contains(name))
}

/// A builtin function.
pub(super) fn of_builtin(name: &str) -> Option<Meaning> {
    if BUILTIN_NOISE.contains(name) {
        return Some(Meaning::Noise);
    }
    BUILTINS.contains(name).then(|| of_library(name))
}

/// Whether a method is called by the library, so that no mention of it is needed.
pub(super) fn is_called_by_the_library(name: &str) -> bool {
    (name.starts_with("__") && name.ends_with("__")) || HOOKS.contains(name)
}

/// Whether a call as a statement of its own only tells something to people.
pub(super) fn only_tells(name: &str) -> bool {
    TELLING.contains(name)
}

/// Names for one thing; the last is the one that is used. The operators are those of `expression`.
const SAME: &[(&str, &str)] = &[
    ("absolute", "abs"),
    ("add", "+"),
    ("concat concatenate", "cat"),
    ("div divide true_divide", "/"),
    ("matmul bmm mm", "@"),
    ("movedim", "permute"),
    ("mul multiply", "*"),
    ("mT swapaxes swapdims T t", "transpose"),
    ("negative", "neg"),
    ("pow square", "**"),
    ("reshape", "view"),
    ("size", "shape"),
    ("sub subtract", "-"),
];

static NOISE: Words = Words::new(
    "bfloat16 clone contiguous cpu cuda data device double dtype float half item long requires_grad_ to \
     type_as",
);

static BUILTIN_NOISE: Words = Words::new("bool dict float int list set str tuple");

static BUILTINS: Words = Words::new(
    "abs all any divmod enumerate filter getattr hasattr isinstance iter len map max min next pow range \
     reversed round sorted sum zip",
);

static TELLING: Words = Words::new("debug info log print warn warning");

static HOOKS: Words =
    Words::new("backward eval forward jvp reset_parameters right_inverse setup_context step train vmap");

static INHERITED: Words = Words::new(
    "add_module add_param_group apply buffers children defaults load_state_dict modules named_buffers \
     named_children named_modules named_parameters needs_input_grad param_groups parameters \
     register_buffer register_forward_hook register_forward_pre_hook register_module register_parameter \
     state state_dict zero_grad",
);

static PROPERTIES: Words = Words::new(
    "T bias grad imag inputs mT ndim needs_input_grad param_groups real saved_tensors shape targets weight",
);

static METHODS: Words = Words::new(include_str!("methods.txt"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_has_one_word() {
        assert_eq!(of_attribute("reshape", true), of_attribute("view", true));
        assert_eq!(of_attribute("matmul", true), Some(Meaning::Word(word("@"))));
        assert_eq!(of_attribute("contiguous", true), Some(Meaning::Noise));
        assert_eq!(of_attribute("my_own_layer", true), None);
        assert_eq!(of_attribute("dim", false), None);
        assert_eq!(of_own_attribute("view"), None);
    }
}
