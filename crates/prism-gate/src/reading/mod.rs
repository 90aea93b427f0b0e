//! What rules ask about the source and decide nothing by: values that can be known, paths, texts, scores of letters.

pub(crate) mod annotations;
pub(crate) mod census;
pub(crate) mod classes;
pub(crate) mod computed_names;
pub(crate) mod folding;
pub(crate) mod format_strings;
pub(crate) mod hands_on;
pub(crate) mod library_calls;
pub(crate) mod own;
pub(crate) mod packed;
pub(crate) mod paths;
pub(crate) mod regions;
pub(crate) mod scores;
pub(crate) mod texts;
