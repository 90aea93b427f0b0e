//! Whether a trial that failed may go well with rows of another length.
//!
//! Used by [`crate::instantiate`] alone: a model for short rows is no broken model.

use prism_core::outcome::Reason;
use prism_referee::{
    message::Failed,
    smoke::{Point, Stopped},
};

/// Exceptions that a row of an unexpected length raises, whatever they say: an index beyond a table of positions, a model's
/// own assertion.
const OF_LENGTHS: [&str; 3] = ["IndexError", "AssertionError", "EinopsError"];
/// What the others say if they are about shapes.
const WORDS_OF_SHAPES: [&str; 17] = [
    "shape",
    "size",
    "length",
    "dimension",
    "dim ",
    "broadcast",
    "expand",
    "stride",
    "must match",
    "mismatch",
    "out of range",
    "out of bounds",
    "too long",
    "too short",
    "seq",
    "block",
    "context",
];

/// Whether another length of the rows might have ended better. What the model raised is believed as far as that: an error
/// that is not about shapes would come again.
pub(super) fn may_depend_on_length(stopped: &Stopped) -> bool {
    if !is_of_a_forward(stopped) {
        return false;
    }
    match (stopped.failure.reason, &stopped.failed) {
        (Reason::LogitsShape, _) => true,
        (Reason::ForwardException, Some(failed)) => is_about_shapes(failed),
        _ => false,
    }
}

/// Whether shorter rows may do where these took too long or too much memory.
pub(super) fn may_be_too_long(stopped: &Stopped) -> bool {
    use Reason::{AuditorTimeout, OutOfMemory, StartupTimeout};
    let reason = stopped.failure.reason;
    is_of_a_forward(stopped) && matches!(reason, OutOfMemory | AuditorTimeout | StartupTimeout)
}

fn is_of_a_forward(stopped: &Stopped) -> bool {
    matches!(stopped.point, Point::FirstForward | Point::OneRow)
}

/// Whether a forward that was tried at one length of the rows shows what is wrong at every other: it returned the wrong
/// shape, or raised something that is not about shapes.
pub(super) fn holds_at_any_length(stopped: &Stopped) -> bool {
    match (stopped.failure.reason, &stopped.failed) {
        (Reason::LogitsShape, _) => true,
        (Reason::ForwardException, Some(failed)) => !is_about_shapes(failed),
        _ => false,
    }
}

fn is_about_shapes(failed: &Failed) -> bool {
    let said = failed.message.to_lowercase();
    match failed.exception.as_str() {
        exception if OF_LENGTHS.contains(&exception) => true,
        // Names that are not there and arguments that do not fit are not, whatever their names.
        "NameError"
        | "UnboundLocalError"
        | "AttributeError"
        | "TypeError"
        | "KeyError"
        | "ImportError"
        | "ModuleNotFoundError"
        | "NotImplementedError"
        | "ZeroDivisionError"
        | "RecursionError"
        | "SystemExit"
        | "KeyboardInterrupt" => false,
        _ => WORDS_OF_SHAPES.iter().any(|word| said.contains(word)),
    }
}
