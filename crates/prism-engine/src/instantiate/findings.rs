//! From the way in which a trial ended to what its author reads.
//!
//! Used by [`crate::instantiate`] alone. Decides whose fault an ending is: an operator's never becomes a finding.

use prism_core::{
    outcome::{Fault, Reason},
    recipe::Recipe,
};
use prism_referee::{
    message::{Failed, Phase},
    trial::{Point, Stopped},
    worker::Failure,
};

use super::{InstantiationFinding, InstantiationLimits, Severity};

/// The rules of this gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    BuildModel,
    ParamCap,
    LogitsShape,
    StatefulForward,
}

impl Rule {
    fn code_and_id(self) -> (&'static str, &'static str) {
        match self {
            Self::BuildModel => ("PRS311", "prism:build-model"),
            Self::ParamCap => ("PRS312", "prism:param-cap"),
            Self::LogitsShape => ("PRS313", "prism:logits-shape"),
            Self::StatefulForward => ("PRS314", "prism:stateful-forward"),
        }
    }

    fn finding(self, severity: Severity, message: String, hint: impl Into<String>) -> InstantiationFinding {
        let (code, id) = self.code_and_id();
        InstantiationFinding {
            code,
            id,
            severity,
            message,
            hint: hint.into(),
            traceback: None,
        }
    }
}

/// What the words are about.
pub(super) struct Words<'a> {
    pub limits: &'a InstantiationLimits,
    pub recipe: &'a Recipe,
    /// The file with `build_model`.
    pub architecture: &'a str,
    /// Length of the rows of this attempt, in tokens.
    pub seq_len: u32,
}

/// Whether another length of the rows might have ended better.
pub(super) fn may_depend_on_length(stopped: &Stopped) -> bool {
    matches!(stopped.point, Point::FirstForward | Point::OneRow)
        && rule_of(stopped.failure.reason) == Rule::LogitsShape
}

/// A tokenizer that cannot be used.
pub(super) fn without_tokenizer(failure: Failure) -> Result<InstantiationFinding, Failure> {
    if failure.reason.fault() != Some(Fault::Miner) {
        return Err(failure);
    }
    Ok(Rule::BuildModel.finding(
        Severity::Error,
        format!(
            "`build_model` was not called, since the bundle's tokenizer cannot be used: {}",
            failure.detail
        ),
        "repair the tokenizer, or declare `bytes` or `gpt2`",
    ))
}

fn rule_of(reason: Reason) -> Rule {
    match reason {
        Reason::SnapshotCap | Reason::ParameterCap => Rule::ParamCap,
        Reason::ForwardException | Reason::LogitsShape => Rule::LogitsShape,
        _ => Rule::BuildModel,
    }
}

impl Words<'_> {
    /// The error of a trial that came to no end; the failure itself if it is not the submission's.
    pub(super) fn error(&self, stopped: &Stopped) -> Result<InstantiationFinding, Failure> {
        let failure = &stopped.failure;
        if failure.reason.fault() != Some(Fault::Miner) {
            return Err(failure.clone());
        }
        if stopped.point == Point::Start {
            // Nothing of the bundle had run.
            return Err(Failure::new(
                Reason::RuntimeMissing,
                format!(
                    "the Python runtime did not come up in its sandbox ({}): try `prism runtime doctor`",
                    failure.detail
                ),
            ));
        }
        let rule = rule_of(failure.reason);
        let mut finding = rule.finding(
            Severity::Error,
            self.message(stopped),
            self.hint(rule, failure.reason),
        );
        finding.traceback = own_frames(failure);
        Ok(finding)
    }

    /// The warning about a model that answers one row and not two. `ctx.stream(batch_size=1)` can measure it.
    pub(super) fn only_one_row(&self, stopped: &Stopped) -> InstantiationFinding {
        let mut finding = Rule::LogitsShape.finding(
            Severity::Warning,
            format!("the model answers one row but not two at once: {}", self.message(stopped)),
            "return logits of shape (B, T, ctx.vocab_size) for any B; as it is, only `batch_size=1` can be measured",
        );
        finding.traceback = own_frames(&stopped.failure);
        finding
    }

    /// The error of a model that does not predict the same thing twice.
    pub(super) fn stateful(&self) -> InstantiationFinding {
        Rule::StatefulForward.finding(
            Severity::Error,
            format!(
                "in eval mode, with the same weights and the same row of {} tokens, the model predicted something else \
                 after another row had been in between",
                self.seq_len
            ),
            "keep everything that changes predictions in parameters and buffers (`register_buffer`), and use no \
             randomness in eval mode: a run whose answers do not come again in a fresh process ends as `answers_differ`",
        )
    }

    fn message(&self, stopped: &Stopped) -> String {
        let (failure, place) = (&stopped.failure, self.place(stopped));
        if let Some(failed) = &stopped.failed {
            match failure.reason {
                Reason::ArchitectureImport | Reason::BuildModelException | Reason::ForwardException => {
                    return format!("{place} raised {}", raised(failed));
                }
                Reason::OutOfMemory => return format!("{place} ran out of memory: {}", raised(failed)),
                // The harness's own words, which say what to do.
                _ if !failed.message.is_empty() => return failed.message.clone(),
                _ => {}
            }
        }
        match failure.reason {
            Reason::OutOfMemory => format!(
                "{place} went over the memory limit of {} MB",
                self.recipe.sandbox.auditor_memory_bytes / 1_000_000
            ),
            Reason::AuditorTimeout => {
                format!("{place} did not end within {} s", self.patience_seconds(stopped))
            }
            Reason::KilledBySignal => format!("{place} crashed: a signal ended the process"),
            Reason::AuditorDied => format!("{place} ended the process"),
            Reason::ForbiddenSyscall => {
                format!("{place} made a system call that the sandbox ends a process for")
            }
            Reason::CpuTime => format!("{place} used up the processor time of the sandbox"),
            Reason::ProtocolViolation => {
                format!("{place} wrote to the harness's own descriptors or closed them")
            }
            _ => failure.detail.clone(),
        }
    }

    fn place(&self, stopped: &Stopped) -> String {
        let (file, seq_len) = (self.architecture, self.seq_len);
        match (stopped.point, stopped.failed.as_ref().map(|failed| failed.phase)) {
            (Point::Start | Point::Build, Some(Phase::ImportArchitecture)) => {
                format!("the import of `{file}`")
            }
            (Point::Start | Point::Build, Some(Phase::BuildModel)) => "`build_model`".to_owned(),
            (Point::Start | Point::Build, _) => format!("the import of `{file}` or `build_model`"),
            (Point::FirstForward, _) => {
                format!("the first forward (1 row of {seq_len} end-of-text tokens)")
            }
            (Point::OneRow, _) => format!("a forward of 1 row of {seq_len} tokens"),
            (Point::TwoRows, _) => format!("a forward of 2 rows of {seq_len} tokens"),
        }
    }

    fn patience_seconds(&self, stopped: &Stopped) -> f64 {
        match stopped.point {
            Point::Start | Point::Build | Point::FirstForward => self.limits.build.as_secs_f64(),
            Point::OneRow | Point::TwoRows => self.limits.answer.as_secs_f64(),
        }
    }

    fn hint(&self, rule: Rule, reason: Reason) -> String {
        let text = match (rule, reason) {
            (Rule::ParamCap, _) => {
                return format!(
                    "stay within {} parameters (tied ones count once) and {} bytes of parameters and buffers together",
                    self.recipe.caps.max_params, self.recipe.caps.max_snapshot_bytes
                );
            }
            (Rule::LogitsShape, _) => {
                "return floats of shape (B, T, ctx.vocab_size) for token ids of shape (B, T), in eval mode too"
            }
            (_, Reason::OutOfMemory) => "make the model, and what is prepared for it, smaller",
            (_, Reason::AuditorTimeout) => {
                "only build the model in `build_model`, and leave everything that takes long to `train`"
            }
            (_, Reason::ArchitectureImport | Reason::BuildModelException) => {
                "an auditor builds the model from `ctx` and the architecture alone: it has no `training.py`, no network \
                 and no files"
            }
            _ => "return a `torch.nn.Module` from `build_model(ctx)`; report trouble by raising an exception",
        };
        text.to_owned()
    }
}

/// The traceback, if a line of the bundle is in it: one of the harness's own errors alone says nothing more than the
/// message does.
fn own_frames(failure: &Failure) -> Option<String> {
    failure
        .traceback
        .clone()
        .filter(|traceback| traceback.contains("\n  File \""))
}

fn raised(failed: &Failed) -> String {
    match (failed.exception.as_str(), failed.message.as_str()) {
        ("", message) => message.to_owned(),
        (exception, "") => exception.to_owned(),
        (exception, message) => format!("{exception}: {message}"),
    }
}
