//! How an evaluation or a submission can end: status, fault and a stable reason code.
//!
//! Used by the referee (which decides), the engine (which adds what the machine can do wrong), the service (which adds
//! what can happen around an evaluation) and the command line (exit codes). A new reason must say, in one place, whose
//! fault it is and whether to try again: the table below has no wildcard.

use std::fmt;

use serde::{Deserialize, Serialize};

crate::words! {
    /// What became of the submission.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Status, as_str {
        /// It has a score.
        Completed = "completed",
        /// It ran and has no score.
        Failed = "failed",
        /// It was never run.
        Rejected = "rejected",
        /// Somebody stopped it.
        Cancelled = "cancelled",
        /// A person has to decide.
        Held = "held",
        /// It had a score, which was withdrawn.
        Invalidated = "invalidated",
    }
}

/// Whom an ending is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The submission.
    Miner,
    /// The machine or its set-up; running again may help.
    Operator,
    /// The command line.
    Usage,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $code:literal => $status:ident $(, $fault:ident $($retry:ident)?)?;)*) => {
        /// Why an evaluation or a submission ended. Codes are stable: programs match on them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason { $($(#[$doc])* $variant,)* }

        impl Reason {
            /// All of them, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable code.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// What became of the submission.
            pub fn status(self) -> Status {
                match self { $(Self::$variant => Status::$status,)* }
            }

            /// Whose fault it is; `None` for an ending that is nobody's.
            pub fn fault(self) -> Option<Fault> {
                match self { $(Self::$variant => reasons!(@fault $($fault)?),)* }
            }

            /// Whether the same attempt may go well another time, so that a service tries it again, free for the miner.
            pub fn retryable(self) -> bool {
                match self { $(Self::$variant => reasons!(@retry $($($retry)?)?),)* }
            }
        }
    };
    (@retry) => { false };
    (@retry again) => { true };
    (@fault) => { None };
    (@fault $fault:ident) => { Some(Fault::$fault) };
}

reasons! {
    /// The stream was read to its end.
    EndOfData = "end_of_data" => Completed;
    /// The step budget is spent; the unread tail is charged.
    StepBudget = "step_budget" => Completed;
    /// The token budget is spent; the unread tail is charged.
    TokenBudget = "token_budget" => Completed;
    /// The time limit was reached; the unread tail is charged.
    TimeLimit = "time_limit" => Completed;
    /// `train` returned before the end; the unread tail is charged.
    EarlyReturn = "early_return" => Completed;

    /// Importing `architecture` raised an exception.
    ArchitectureImport = "architecture_import" => Failed, Miner;
    /// Importing `training` raised an exception.
    TrainingImport = "training_import" => Failed, Miner;
    /// `build_model` raised an exception.
    BuildModelException = "build_model_exception" => Failed, Miner;
    /// `build_model` returned something that is not a `torch.nn.Module`.
    NotAModule = "not_a_module" => Failed, Miner;
    /// `train` raised an exception.
    TrainException = "train_exception" => Failed, Miner;
    /// `forward` raised an exception in the auditor or claimant.
    ForwardException = "forward_exception" => Failed, Miner;
    /// An entry point is missing or is not what the contract says.
    Contract = "contract" => Failed, Miner;
    /// The memory limit was hit.
    OutOfMemory = "out_of_memory" => Failed, Miner;
    /// The scratch space is full.
    ArtifactQuota = "artifact_quota" => Failed, Miner;
    /// The process limit was hit.
    ProcessLimit = "process_limit" => Failed, Miner;
    /// A process was killed by a signal of its own.
    KilledBySignal = "killed_by_signal" => Failed, Miner;
    /// A process made a system call that ends it.
    ForbiddenSyscall = "forbidden_syscall" => Failed, Miner;
    /// A process used up its processor time.
    CpuTime = "cpu_time" => Failed, Miner;
    /// The learner's process ended without saying that `train` had returned.
    LearnerExited = "learner_exited" => Failed, Miner;
    /// A frame that the protocol does not allow.
    ProtocolViolation = "protocol_violation" => Failed, Miner;
    /// The next batch was asked for without the claims of the last one.
    ClaimsMissing = "claims_missing" => Failed, Miner;
    /// `B` or `T` is outside of what the recipe allows, or changed in mid-run.
    BatchShape = "batch_shape" => Failed, Miner;
    /// The model's output is not of shape (B, T, V).
    LogitsShape = "logits_shape" => Failed, Miner;
    /// The learner's model is not the one that `build_model` makes in the auditor.
    SnapshotMismatch = "snapshot_mismatch" => Failed, Miner;
    /// Names, shapes, dtypes or number of tensors changed in mid-run.
    SnapshotChanged = "snapshot_changed" => Failed, Miner;
    /// A tensor of the model has a dtype that a snapshot cannot hold.
    SnapshotDtype = "snapshot_dtype" => Failed, Miner;
    /// Parameters and buffers together exceed the cap.
    SnapshotCap = "snapshot_cap" => Failed, Miner;
    /// More parameters than the cap.
    ParameterCap = "parameter_cap" => Failed, Miner;
    /// `ctx.reference_tokenizer` was asked for another tokenizer than the bundle declares.
    TokenizerMismatch = "tokenizer_mismatch" => Failed, Miner;
    /// The bundle's tokenizer loses text.
    TokenizerNotLossless = "tokenizer_not_lossless" => Failed, Miner;
    /// An auditor or claimant died.
    AuditorDied = "auditor_died" => Failed, Miner;
    /// An auditor or claimant did not answer in time.
    AuditorTimeout = "auditor_timeout" => Failed, Miner;
    /// A process that was to answer asked the system for something.
    AuditorSealed = "auditor_sealed" => Failed, Miner;
    /// A second auditor, asked again, answered otherwise than the first: the model depends on more than its weights and its input.
    AnswersDiffer = "answers_differ" => Failed, Miner;
    /// A process was not ready for the first batch in time.
    StartupTimeout = "startup_timeout" => Failed, Miner;

    /// The bundle breaks a rule of the format.
    BundleInvalid = "bundle_invalid" => Rejected, Miner;
    /// The static gate found an error in the bundle's source.
    GateRejected = "gate_rejected" => Rejected, Miner;
    /// The bundle's tokenizer breaks a rule of the format.
    TokenizerInvalid = "tokenizer_invalid" => Rejected, Miner;

    /// Somebody stopped the run.
    Cancelled = "cancelled" => Cancelled;

    /// A flag or a file named on the command line is wrong.
    Usage = "usage" => Failed, Usage;
    /// The recipe is wrong.
    RecipeInvalid = "recipe_invalid" => Failed, Usage;
    /// The corpus is damaged.
    CorpusInvalid = "corpus_invalid" => Failed, Operator;
    /// This machine cannot confine untrusted code.
    SandboxUnavailable = "sandbox_unavailable" => Failed, Operator again;
    /// The Python runtime is missing.
    RuntimeMissing = "runtime_missing" => Failed, Operator again;
    /// The device that the recipe names is not here.
    DeviceMissing = "device_missing" => Failed, Operator again;
    /// Not enough disk or memory to start, or a limit around this process is too low for the recipe.
    Resources = "resources" => Failed, Operator again;
    /// A counted run has the machine to itself, and this one was not to wait for it.
    MachineBusy = "machine_busy" => Failed, Operator again;
    /// Reading or writing the run directory failed.
    Storage = "storage" => Failed, Operator again;
    /// The referee itself failed; nothing the submission did explains it.
    Internal = "internal" => Failed, Operator again;

    /// The same bundle was submitted before.
    Duplicate = "duplicate" => Rejected, Miner;
    /// Its source is that of an earlier submission, changed a little.
    SimilarSource = "similar_source" => Rejected, Miner;
    /// What was sent along with the bundle asks for something that the challenge does not offer.
    SubmissionMetadata = "submission_metadata" => Rejected, Miner;
    /// The reviewer rejected it.
    ReviewRejected = "review_rejected" => Rejected, Miner;
    /// The operator rejected it, and said why.
    RejectedByOperator = "rejected_by_operator" => Rejected, Miner;
    /// The round wants a review and no reviewer is set up.
    ReviewAbsent = "review_absent" => Held, Operator;
    /// The reviewer rejects the bare code and not the submitted one, or its charges were refuted.
    ReviewDisputed = "review_disputed" => Held, Operator;
    /// The reviewer gave no answer that counts.
    ReviewNoVerdict = "review_no_verdict" => Held, Operator;
    /// The reviewer could not be asked.
    ReviewUnreachable = "review_unreachable" => Held, Operator;
    /// The reviewer refuses the request: its set-up is wrong.
    ReviewSetup = "review_setup" => Held, Operator;
    /// The budget for reviews is spent.
    ReviewBudget = "review_budget" => Held, Operator;
    /// The source is more than the reviewer's model takes.
    ReviewTooLarge = "review_too_large" => Held, Operator;
    /// Its owner has appealed against a rejection by the reviewer.
    ReviewAppealed = "review_appealed" => Held, Operator;
    /// It was tried as often as is allowed, and failed each time for a reason that is not the miner's.
    RetriesSpent = "retries_spent" => Held, Operator;
    /// It was measured, and something about the machine or the round kept the run from counting.
    NotCounted = "not_counted" => Failed, Operator again;
    /// Whoever ran the attempt is gone and left no result.
    Lost = "lost" => Failed, Operator again;
    /// The round closed before it ran.
    RoundClosed = "round_closed" => Cancelled;
    /// A fault of the challenge was found: the score does not count.
    Invalidated = "invalidated" => Invalidated, Operator;
}

impl Reason {
    /// Whether a submission is held for its review: a person's word stands for the reviewer's.
    pub fn is_held_review(self) -> bool {
        matches!(
            self,
            Self::ReviewAbsent
                | Self::ReviewDisputed
                | Self::ReviewNoVerdict
                | Self::ReviewUnreachable
                | Self::ReviewSetup
                | Self::ReviewBudget
                | Self::ReviewTooLarge
                | Self::ReviewAppealed
        )
    }

    /// The reason with this code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.code() == code)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Reason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = <std::borrow::Cow<'de, str> as Deserialize>::deserialize(deserializer)?;
        Self::parse(&code).ok_or_else(|| serde::de::Error::custom(format!("unknown reason `{code}`")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUIDE: &str = include_str!("../../../docs/guide-submit.md");

    #[test]
    fn the_guide_has_every_reason_in_its_tables() {
        let (_, tables) = GUIDE.split_once("\n## Why it ended\n").unwrap();
        let (tables, _) = tables.split_once("\n## ").unwrap();
        for &reason in Reason::ALL {
            let begin = format!("| `{reason}` | ");
            let lines: Vec<&str> = tables.lines().filter(|line| line.starts_with(&begin)).collect();
            let [line] = lines[..] else {
                panic!(
                    "docs/guide-submit.md has {} lines under \"Why it ended\" that begin with `{begin}`, and should have one",
                    lines.len()
                );
            };
            assert_eq!(
                line.ends_with("| tried again |"),
                reason.retryable(),
                "docs/guide-submit.md says otherwise than the table here whether `{reason}` is tried again: {line}"
            );
        }
    }

    #[test]
    fn codes_are_unique_and_read_back() {
        for (i, &reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(Reason::parse(reason.code()), Some(reason));
            assert!(
                Reason::ALL[..i].iter().all(|other| other.code() != reason.code()),
                "{reason}"
            );
            assert!(
                reason
                    .code()
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            );
        }
        assert_eq!(Reason::parse("no_such_reason"), None);
    }

    #[test]
    fn only_what_is_the_operators_fault_is_tried_again() {
        for &reason in Reason::ALL {
            assert!(
                !reason.retryable() || reason.fault() == Some(Fault::Operator),
                "{reason}"
            );
        }
        assert!(Reason::Lost.retryable() && Reason::Storage.retryable());
        assert!(!Reason::CorpusInvalid.retryable() && !Reason::TrainException.retryable());
    }

    #[test]
    fn words_of_a_status_read_back() {
        for &reason in Reason::ALL {
            assert_eq!(Status::parse(reason.status().as_str()), Some(reason.status()));
        }
        assert_eq!(Status::parse("pending"), None);
    }

    #[test]
    fn only_completed_and_cancelled_runs_are_nobodys_fault() {
        for &reason in Reason::ALL {
            let blameless = matches!(reason.status(), Status::Completed | Status::Cancelled);
            assert_eq!(reason.fault().is_none(), blameless, "{reason}");
        }
    }
}
