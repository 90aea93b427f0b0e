//! How a command fails: an exit code, a stable name, what happened, and what to do next.
//!
//! Every command returns [`Failure`]; [`crate::output`] prints it once, at the very end. The exit codes are defined
//! here and nowhere else.

use std::borrow::Cow;
use std::process::ExitCode;

use prism_core::advice::Advice;
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

/// This machine cannot do it, as the engine says.
impl From<prism_core::failure::Failure> for Failure {
    fn from(failure: prism_core::failure::Failure) -> Self {
        Self::machine(failure.reason.code(), &failure)
    }
}

impl Failure {
    /// What an error says, with its advice.
    pub(crate) fn new(exit: Exit, code: impl Into<Cow<'static, str>>, error: &dyn Advice) -> Self {
        Self {
            exit,
            code: code.into(),
            detail: error.to_string(),
            hint: error.hint().map(Cow::into_owned),
        }
    }

    /// What was typed, or a file that was named, is wrong.
    pub(crate) fn usage(code: impl Into<Cow<'static, str>>, error: &dyn Advice) -> Self {
        Self::new(Exit::Usage, code, error)
    }

    /// This machine cannot do it.
    pub(crate) fn machine(code: impl Into<Cow<'static, str>>, error: &dyn Advice) -> Self {
        Self::new(Exit::Machine, code, error)
    }

    /// The submission, or the record of a run, is at fault.
    pub(crate) fn submission(code: impl Into<Cow<'static, str>>, error: &dyn Advice) -> Self {
        Self::new(Exit::Submission, code, error)
    }

    /// Why there is no recipe, under the one code that commands have for it which only use a recipe.
    pub(crate) fn recipe_invalid(self) -> Self {
        Self {
            code: "recipe_invalid".into(),
            ..self
        }
    }

    /// The same about something: `what: detail`.
    pub(crate) fn about(mut self, what: &str) -> Self {
        self.detail = format!("{what}: {}", self.detail);
        self
    }

    /// The same with this advice.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
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
    fn no_words_of_a_sentence_become_advice() {
        let failure = Failure::usage("not_a_run", &"there is no q; sudo rm -rf");
        assert_eq!(
            (failure.detail.as_str(), failure.hint),
            ("there is no q; sudo rm -rf", None)
        );
    }
}
