//! How a command fails: an exit code, a stable name, what happened, and what to do next.
//!
//! Every command returns [`Failure`]; [`crate::output`] prints it once, at the very end. The exit codes are defined
//! here and nowhere else.

use std::borrow::Cow;
use std::process::ExitCode;

use prism_engine::outcome::Outcome;

/// The exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// It worked.
    Ok = 0,
    /// The submission failed or was rejected, or a record does not hold.
    Submission = 1,
    /// What was typed, or a file that was named, is wrong.
    Usage = 2,
    /// This machine cannot do it.
    Machine = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Exit {
    /// The exit of an evaluation.
    pub(crate) fn of(outcome: &Outcome) -> Self {
        match outcome.exit_code() {
            0 => Self::Ok,
            1 => Self::Submission,
            2 => Self::Usage,
            _ => Self::Machine,
        }
    }
}

/// Why a command failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Whose business it is.
    pub(crate) exit: Exit,
    /// A stable name for programs.
    pub(crate) code: Cow<'static, str>,
    /// What happened, and where.
    pub(crate) detail: String,
    /// What to do next.
    pub(crate) hint: Option<String>,
}

impl Failure {
    /// A failure whose text ends, after the last semicolon of its first line, with what to do next: all errors of the
    /// libraries are written so.
    pub(crate) fn new(exit: Exit, code: impl Into<Cow<'static, str>>, error: &dyn std::fmt::Display) -> Self {
        let (detail, hint) = split_hint(&error.to_string());
        Self {
            exit,
            code: code.into(),
            detail,
            hint,
        }
    }

    /// What was typed, or a file that was named, is wrong.
    pub(crate) fn usage(code: impl Into<Cow<'static, str>>, error: &dyn std::fmt::Display) -> Self {
        Self::new(Exit::Usage, code, error)
    }

    /// This machine cannot do it.
    pub(crate) fn machine(code: impl Into<Cow<'static, str>>, error: &dyn std::fmt::Display) -> Self {
        Self::new(Exit::Machine, code, error)
    }

    /// The submission, or the record of a run, is at fault.
    pub(crate) fn submission(code: impl Into<Cow<'static, str>>, error: &dyn std::fmt::Display) -> Self {
        Self::new(Exit::Submission, code, error)
    }

    /// The same with this advice.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Splits "what happened; what to do" at its last semicolon. Several lines are quotations and stay whole.
pub(crate) fn split_hint(text: &str) -> (String, Option<String>) {
    if text.contains('\n') {
        return (text.to_owned(), None);
    }
    match text.rsplit_once("; ") {
        Some((detail, hint)) if !detail.is_empty() && !hint.is_empty() => {
            (detail.to_owned(), Some(hint.to_owned()))
        }
        _ => (text.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ending_has_the_exit_that_the_engine_gives_it() {
        for &reason in prism_core::outcome::Reason::ALL {
            let outcome = Outcome::failed(reason, "");
            assert_eq!(Exit::of(&outcome) as u8, outcome.exit_code(), "{reason}");
        }
    }

    #[test]
    fn advice_is_what_follows_the_last_semicolon_of_one_line() {
        let split = |text| {
            let (detail, hint) = split_hint(text);
            (detail, hint.unwrap_or_default())
        };
        assert_eq!(split("a; b; do c"), ("a; b".into(), "do c".into()));
        assert_eq!(split("no advice"), ("no advice".into(), String::new()));
        assert_eq!(
            split("pip said; this:\nx; y"),
            ("pip said; this:\nx; y".into(), String::new())
        );
    }
}
