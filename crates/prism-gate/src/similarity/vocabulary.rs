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

static METHODS: Words = Words::new(
    "abs absolute acos add add_ add_module add_param_group addbmm addcdiv addcdiv_ addcmul addcmul_ addmm \
     addmm_ addr all all_gather all_reduce allclose amax amin aminmax angle any append apply apply_ arccos \
     argmax argmin argsort as_strided asin atan atan2 autocast backward baddbmm barrier bernoulli \
     bernoulli_ bincount bmm broadcast broadcast_to buffers build_model ceil children cholesky chunk clamp \
     clamp_ clamp_max clamp_min clip conj copy_ copysign cos cosh count_nonzero cross cummax cummin \
     cumprod cumsum cumsum_ det detach detach_ diag diag_embed diagonal diff dim dist div div_ dot eig \
     endswith eq erf erfinv exp exp2 exp_ expand expand_as expm1 exponential_ extend eye fill_ \
     fill_diagonal_ flatten flip floor floor_divide fmod frac frexp gather ge ger get get_last_lr gt half \
     heaviside histc hypot index_add index_add_ index_copy_ index_fill index_put_ index_select inner \
     insert inverse is_cuda isfinite isinf isnan items join keys kthvalue le lerp lerp_ lgamma \
     load_state_dict log log10 log1p log2 log_softmax logaddexp logcumsumexp logical_and logical_not \
     logical_or logit logsumexp lt mark_non_differentiable masked_fill masked_fill_ masked_scatter \
     masked_select matmul max maximum mean median min minimum mm mode modules movedim mul mul_ multinomial \
     mv named_buffers named_children named_modules named_parameters nan_to_num narrow ne neg neg_ negative \
     nelement new_empty new_full new_ones new_tensor new_zeros no_sync nonzero norm normal_ numel outer \
     parameters permute polar pop pow pow_ prod qr quantile random_ ravel reciprocal register_buffer \
     register_forward_hook register_forward_pre_hook register_hook register_module register_parameter \
     register_post_accumulate_grad_hook relu relu_ remainder renorm repeat repeat_interleave reshape \
     reshape_as resize_ roll rot90 round rsqrt save_for_backward scale scatter scatter_ scatter_add \
     scatter_add_ scatter_reduce scatter_reduce_ select set_ setdefault sgn sigmoid sigmoid_ sign sin sinc \
     sinh size slogdet softmax sort split sqrt sqrt_ square squeeze squeeze_ stack startswith state_dict \
     std step stream stride sub sub_ subtract sum svd swapaxes swapdims t take take_along_dim tan tanh \
     tanh_ tensor_split tile tolist topk trace transpose transpose_ tril tril_ triu triu_ trunc \
     trunc_normal_ unbind unflatten unfold uniform_ unique unique_consecutive unscale_ unsqueeze \
     unsqueeze_ update values var vdot view view_as view_as_complex view_as_real vmap where xlogy zero_ \
     zero_grad",
);

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
