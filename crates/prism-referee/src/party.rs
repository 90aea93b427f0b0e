//! Who takes part in a measurement, beside the referee.
//!
//! A role is what a process does on the wire; a party is one process of a run, with what it may know. Used by everybody who starts or names a process.

use crate::message::Role;

prism_core::words! {
    /// One process of a run.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Party, name {
        /// Trains.
        Learner = "learner",
        /// Answers about the stream, while it is read.
        Auditor = "auditor",
        /// Answers about a few targets of the stream once more, when the learner is dead.
        Replay = "replay",
        /// Claims held-out text.
        Claimant = "claimant",
        /// Answers about held-out text, under the last weights and those of the start.
        HeldOutAuditor = "heldout-auditor",
        /// Answers about held-out and train text, under the kept snapshot.
        KeptAuditor = "kept-auditor",
        /// Builds the model once, for a check: there is no text.
        Smoke = "smoke",
        /// Imports the training script once, for a check, and never calls it.
        SmokeLearner = "smoke-learner",
    }
}

/// Whether the owner of a submission may see what a process prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// It has seen nothing but what its owner may see.
    Shown,
    /// It is given secret text.
    Withheld,
}

impl Party {
    /// What it does on the wire.
    pub fn role(self) -> Role {
        match self {
            Self::Learner | Self::SmokeLearner => Role::Learner,
            Self::Auditor | Self::Replay | Self::HeldOutAuditor | Self::KeptAuditor => Role::Auditor,
            Self::Claimant | Self::Smoke => Role::Claimant,
        }
    }

    /// Whether what it prints may be shown.
    pub fn output(self) -> Output {
        match self {
            Self::Learner | Self::Auditor | Self::Replay | Self::Smoke | Self::SmokeLearner => Output::Shown,
            Self::Claimant | Self::HeldOutAuditor | Self::KeptAuditor => Output::Withheld,
        }
    }

    /// Whether it is sealed before it is given anything. All but the learner, which may do what it likes.
    pub fn is_sealed(self) -> bool {
        self.role() != Role::Learner
    }
}
