//! Which endings of a trial are tried again with rows of another length.

use prism_core::{failure::Failure, outcome::Reason};
use prism_referee::{
    message::{Failed, Phase},
    smoke::{Point, Stopped},
    worker::Usage,
};

use super::lengths::may_depend_on_length;

pub(super) fn raised(exception: &str, message: &str) -> Stopped {
    Stopped {
        point: Point::FirstForward,
        failure: Failure::new(Reason::ForwardException, ""),
        failed: Some(Failed {
            phase: Phase::Forward,
            reason: "exception".to_owned(),
            exception: exception.to_owned(),
            message: message.to_owned(),
            traceback: String::new(),
        }),
        layout: None,
        usage: Usage::default(),
    }
}

#[test]
fn only_what_is_about_shapes_is_tried_at_other_lengths() {
    for (exception, message) in [
        ("IndexError", "index out of range in self"),
        ("AssertionError", ""),
        (
            "RuntimeError",
            "The size of tensor a (256) must match the size of tensor b (64) at non-singleton dimension 1",
        ),
        (
            "RuntimeError",
            "shape '[1, 16, 4]' is invalid for input of size 256",
        ),
        (
            "RuntimeError",
            "mat1 and mat2 shapes cannot be multiplied (1x256 and 64x64)",
        ),
        ("ValueError", "the sequence is longer than the block size"),
        ("TooLong", "a row has at most 64 tokens, its length was 256"),
    ] {
        assert!(
            may_depend_on_length(&raised(exception, message)),
            "{exception}: {message}"
        );
    }
    for (exception, message) in [
        ("NameError", "name 'shape' is not defined"),
        ("AttributeError", "'Model' object has no attribute 'block_size'"),
        (
            "TypeError",
            "forward() takes 1 positional argument but 2 were given",
        ),
        ("RuntimeError", "expected scalar type Float but found Half"),
        (
            "NotImplementedError",
            "Module [Model] is missing the required \"forward\" function",
        ),
        ("ZeroDivisionError", "division by zero"),
    ] {
        assert!(
            !may_depend_on_length(&raised(exception, message)),
            "{exception}: {message}"
        );
    }
    let mut wrong_logits = raised("", "");
    wrong_logits.failure.reason = Reason::LogitsShape;
    assert!(may_depend_on_length(&wrong_logits));
    wrong_logits.point = Point::Build;
    assert!(!may_depend_on_length(&wrong_logits));
}
