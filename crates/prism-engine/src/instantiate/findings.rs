//! From the way in which a trial ended to what its author reads.
//!
//! Used by [`crate::instantiate`] alone. Decides whose fault an ending is: an operator's never becomes a finding.

use prism_bundle::Bundle;
use prism_core::{
    failure::Failure,
    outcome::{Fault, Reason},
    recipe::Recipe,
};
use prism_gate::{Finding, Place, Severity};
use prism_referee::{
    message::Phase,
    smoke::{Dependence, Moved, Point, Stopped},
    worker::memory_words,
};

use super::InstantiationLimits;

/// What CPython says of a relative import in a module that is no part of a package.
const RELATIVE_IMPORT: &str = "attempted relative import";
const RELATIVE_IMPORT_HINT: &str = "write `from architecture import ...` without the dot: the scripts of a bundle are modules \
 by themselves and not parts of a package";

/// What the harness says of logits that are wider than the vocabulary.
const PADDED: &str = "[..., :ctx.vocab_size]";
const PADDED_HINT: &str = "a vocabulary that is padded to a round number is fine inside of the model: return \
                           `logits[..., :ctx.vocab_size]`";

/// What PyTorch says of an id that an embedding has no row for.
const NO_ROW: &str = "index out of range in self";
const NO_ROW_HINT: &str = "an embedding needs a row for every id that it is given: token ids are 0 to `ctx.vocab_size - 1`, positions 0 to \
                           the length of a row less one";

/// What PyTorch says where there is no GPU.
const NO_GPU: &str = "Found no NVIDIA driver";
const NO_GPU_HINT: &str = "leave the device out of the architecture, and write `.to(ctx.device)` in `train`: recipes run on the \
                           processor too";

/// The rules of this gate.
const BUILD_MODEL: &str = "PRS311";
const PARAM_CAP: &str = "PRS312";
const LOGITS_SHAPE: &str = "PRS313";
const STATEFUL_FORWARD: &str = "PRS314";
const SEALED_FORWARD: &str = "PRS315";
const CAUSALITY: &str = "PRS316";
const TRAINING_IMPORT: &str = "PRS317";

/// What the words are about.
pub(super) struct Messages<'a> {
    pub limits: &'a InstantiationLimits,
    pub recipe: &'a Recipe,
    pub bundle: &'a Bundle,
    /// Length of the rows of this attempt, in tokens.
    pub seq_len: u32,
}

fn rule_of(reason: Reason) -> &'static str {
    match reason {
        Reason::SnapshotCap | Reason::ParameterCap => PARAM_CAP,
        Reason::ForwardException | Reason::LogitsShape => LOGITS_SHAPE,
        Reason::AuditorSealed => SEALED_FORWARD,
        _ => BUILD_MODEL,
    }
}

impl Messages<'_> {
    /// A finding at the last line of the bundle that its traceback names, or else where the model is built.
    fn finding(
        &self,
        rule: &str,
        severity: Severity,
        message: String,
        hint: impl Into<String>,
        traceback: Option<String>,
    ) -> Finding {
        let frame = traceback
            .as_deref()
            .and_then(|text| last_frame(text, self.bundle));
        let (file, place) = match frame {
            Some((file, line)) => (file, Place::at(line, 1)),
            None => built_at(self.bundle),
        };
        Finding {
            rule: prism_gate::of_instantiation(rule),
            severity,
            file,
            place,
            message,
            hint: hint.into(),
            traceback,
        }
    }

    fn architecture(&self) -> &str {
        self.bundle.manifest().architecture.as_str()
    }

    fn training(&self) -> &str {
        self.bundle.manifest().training.as_str()
    }

    /// The error of a trial that came to no end; the failure itself if it is not the submission's.
    pub(super) fn error(&self, stopped: &Stopped) -> Result<Finding, Failure> {
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
        let rule = match stopped.point {
            Point::Import => TRAINING_IMPORT,
            _ => rule_of(failure.reason),
        };
        let mut hint = self.hint(rule, failure.reason);
        let message = self.message(stopped);
        if message.contains(RELATIVE_IMPORT) {
            RELATIVE_IMPORT_HINT.clone_into(&mut hint);
        } else if rule == LOGITS_SHAPE && message.contains(PADDED) {
            PADDED_HINT.clone_into(&mut hint);
        } else if rule == LOGITS_SHAPE && message.contains(NO_ROW) {
            NO_ROW_HINT.clone_into(&mut hint);
        } else if message.contains(NO_GPU) {
            NO_GPU_HINT.clone_into(&mut hint);
        }
        let mut finding = self.finding(rule, Severity::Error, message, hint, own_frames(failure));
        if rule == TRAINING_IMPORT && finding.traceback.is_none() {
            self.training().clone_into(&mut finding.file);
        }
        Ok(finding)
    }

    /// The warning about a model that answers one row and not two. `ctx.stream(batch_size=1)` can measure it. A model that
    /// asks the system for something is refused, however many rows it was asked about.
    pub(super) fn only_one_row(&self, stopped: &Stopped) -> Finding {
        if stopped.failure.reason == Reason::AuditorSealed {
            let rule = SEALED_FORWARD;
            return self.finding(
                rule,
                Severity::Error,
                self.message(stopped),
                self.hint(rule, stopped.failure.reason),
                None,
            );
        }
        self.finding(
            LOGITS_SHAPE,
            Severity::Warning,
            format!("the model answers one row but not two at once: {}", self.message(stopped)),
            "return logits of shape (B, T, ctx.vocab_size) for any B; as it is, only `batch_size=1` can be measured",
            own_frames(&stopped.failure),
        )
    }

    /// The error of a model that does not predict the same thing twice.
    pub(super) fn stateful(&self) -> Finding {
        self.finding(
            STATEFUL_FORWARD,
            Severity::Error,
            format!(
                "in eval mode, with the same weights and the same row of {} tokens, the model predicted something else \
                 after another row had been in between",
                self.seq_len
            ),
            "keep everything that changes predictions in parameters and buffers (`register_buffer`), and use no \
             randomness in eval mode: a run whose answers do not come again in a fresh process ends as `answers_differ`",
            None,
        )
    }

    /// The warning about logits that are no numbers. A run charges each such prediction as the worst that there is.
    pub(super) fn invalid_logits(&self, positions: usize) -> Finding {
        self.finding(
            LOGITS_SHAPE,
            Severity::Warning,
            format!(
                "with the weights of its start the model returns logits that are NaN or infinite, at {positions} of {} \
                 positions of a row",
                self.seq_len
            ),
            "return finite logits: usual causes are a logarithm or a root of zero, a division by a norm that is zero, an \
             attention mask that hides every position, and weights that `torch.empty` left as they were; a run charges such \
             a prediction as the worst that there is",
            None,
        )
    }

    /// The warning about a model that works with rows of this length and not with those of another one, which is likely to be
    /// what the training asks for.
    pub(super) fn other_length(&self, unfit: u32, declared: Option<u32>, error: Finding) -> Finding {
        let (training, seq_len) = (self.training(), self.seq_len);
        let what = if declared == Some(unfit) {
            format!("`{training}` asks for rows of {unfit} tokens, with which the model does not work")
        } else {
            format!("the model does not work with rows of {unfit} tokens")
        };
        Finding {
            severity: Severity::Warning,
            message: format!("{what}, but with rows of {seq_len}: {}", error.message),
            hint: "give `ctx.stream` a `seq_len` that the model takes, or make the model take longer rows (a table of \
                   positions needs a row for each position)"
                .to_owned(),
            ..error
        }
    }

    /// The warning about predictions that depend on what an auditor does not see. A run measures such a model: it is charged
    /// what it really predicts.
    pub(super) fn moved(&self, moved: Moved) -> Finding {
        let (what, causes) = match moved.on {
            Dependence::LaterTokens => (
                "the predictions at a position changed when only tokens after it did",
                "usual causes are attention without a causal mask or with one that is off by one, a softmax, mean or norm \
                 over the positions (`log_softmax(dim=1)` of logits (B, T, V): the vocabulary is `dim=-1`), and a \
                 convolution padded on both sides",
            ),
            Dependence::OtherRows => (
                "the predictions of a row changed when only another row of the batch did",
                "usual causes are a mean, norm or softmax over dimension 0, batch statistics that are in use in eval \
                 mode too, and a `view` or `reshape` that joins rows",
            ),
            Dependence::BatchSize => (
                "the predictions of a row changed when another row was put beside it",
                "usual causes are a sum over rows that is not divided, and a division by the size of the batch",
            ),
            Dependence::TrainMode => {
                return self.finding(
                    CAUSALITY,
                    Severity::Warning,
                    format!(
                        "in train mode the predictions of a row were others than in eval mode, by {}",
                        self.by(moved)
                    ),
                    "open the stream with `claims=\"eval\"`: with `claims=\"loss\"`, the default, claims are what the training \
                     forward predicts, and an auditor predicts in eval mode, so that the run takes no rank \
                     (`claims_untrue`); usual causes are dropout, batch statistics and the noise of a router",
                    None,
                );
            }
        };
        self.finding(
            CAUSALITY,
            Severity::Warning,
            format!("{what}, by {}, eval mode", self.by(moved)),
            format!(
                "{causes}; an auditor sees one row up to the position, so that a run charges what the model predicts \
                 from that, and takes no rank where the claims said otherwise (`claims_untrue`)"
            ),
            None,
        )
    }

    fn by(&self, moved: Moved) -> String {
        let (nats, seq_len) = (moved.rms_nats, self.seq_len);
        format!("{nats:.2} nats (root mean square, rows of {seq_len} tokens)")
    }

    fn message(&self, stopped: &Stopped) -> String {
        let (failure, place) = (&stopped.failure, self.place(stopped));
        if let Some(failed) = &stopped.failed {
            match failure.reason {
                Reason::ArchitectureImport
                | Reason::TrainingImport
                | Reason::BuildModelException
                | Reason::ForwardException => {
                    return format!("{place} raised {}", failed.raised());
                }
                Reason::OutOfMemory => {
                    let memory = memory_words(&stopped.usage);
                    return format!("{place} ran out of memory: {}\n{memory}", failed.raised());
                }
                // The harness's own words, which say what to do.
                _ if !failed.message.is_empty() => return failed.message.clone(),
                _ => {}
            }
        }
        match failure.reason {
            Reason::OutOfMemory => format!("{place} ran out of memory: {}", memory_words(&stopped.usage)),
            Reason::AuditorTimeout | Reason::StartupTimeout if stopped.point != Point::Start => {
                format!("{place} did not end within {} s", self.patience_seconds(stopped))
            }
            Reason::KilledBySignal => format!("{place} crashed: a signal ended the process"),
            Reason::AuditorDied | Reason::LearnerExited => format!("{place} ended the process"),
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
        let (file, seq_len) = (self.architecture(), self.seq_len);
        match (stopped.point, stopped.failed.as_ref().map(|failed| failed.phase)) {
            (Point::Start | Point::Build, Some(Phase::ImportArchitecture)) => {
                format!("the import of `{file}`")
            }
            (Point::Start | Point::Build, Some(Phase::BuildModel)) => "`build_model`".to_owned(),
            (Point::Start | Point::Build, _) => format!("the import of `{file}` or `build_model`"),
            (Point::Import, Some(Phase::ImportArchitecture)) => format!("the import of `{file}`"),
            (Point::Import, Some(Phase::ImportTraining)) => format!("the import of `{}`", self.training()),
            (Point::Import, _) => format!("the import of `{file}` or `{}`", self.training()),
            (Point::FirstForward, _) => {
                format!("the first forward (1 row of {seq_len} end-of-text tokens)")
            }
            (Point::OneRow, _) => format!("a forward of 1 row of {seq_len} tokens"),
            (Point::TwoRows, _) => format!("a forward of 2 rows of {seq_len} tokens"),
        }
    }

    fn patience_seconds(&self, stopped: &Stopped) -> f64 {
        match stopped.point {
            Point::Start | Point::Import | Point::Build | Point::FirstForward => {
                self.limits.build.as_secs_f64()
            }
            Point::OneRow | Point::TwoRows => self.limits.answer.as_secs_f64(),
        }
    }

    fn hint(&self, rule: &str, reason: Reason) -> String {
        let text = match (rule, reason) {
            (PARAM_CAP, _) => {
                return format!(
                    "stay within {} parameters (tied ones count once) and {} bytes of parameters and buffers together",
                    self.recipe.caps.max_params, self.recipe.caps.max_snapshot_bytes
                );
            }
            (LOGITS_SHAPE, _) => {
                "return floats of shape (B, T, ctx.vocab_size) for token ids of shape (B, T), in eval mode too"
            }
            (SEALED_FORWARD, _) => {
                "from the first batch on a forward may compute and allocate memory, and ask the system for nothing else: \
                 import what it needs at the top of the file, and do what is done once in `build_model`"
            }
            (TRAINING_IMPORT, Reason::StartupTimeout) => {
                "only define functions and constants at the top of the file, and leave everything that takes long to `train`"
            }
            (TRAINING_IMPORT, _) => {
                "a learner imports `architecture`, then `training`, before it calls `train(ctx)`: what an import needs must \
                 be in the bundle or in the runtime"
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

/// The `build_model` of the architecture script; its start, where no function of that name is written out.
fn built_at(bundle: &Bundle) -> (String, Place) {
    const DEFINITION: &str = "def build_model";
    let file = bundle.manifest().architecture.to_string();
    let mut lines = (1..).zip(bundle.file(&file).unwrap_or_default().lines());
    let is_it = |line: &str| {
        line.strip_prefix(DEFINITION)
            .is_some_and(|rest| rest.trim_start().starts_with('('))
    };
    let place = lines
        .find(|&(_, line)| is_it(line))
        .map_or(Place::START, |(number, _)| {
            let mut place = Place::at(number, 1);
            place.end_column += u32::try_from(DEFINITION.len()).unwrap_or_default();
            place
        });
    (file, place)
}

/// The last `File "...", line N` that is a line of the bundle. The traceback is hostile: it is only looked up.
fn last_frame(traceback: &str, bundle: &Bundle) -> Option<(String, u32)> {
    traceback.lines().rev().find_map(|line| {
        let (file, rest) = line
            .trim_start()
            .strip_prefix("File \"")?
            .split_once("\", line ")?;
        let digits = rest.split(',').next()?;
        let number: u32 = digits.trim().parse().ok()?;
        let lines = bundle.file(file)?.lines().count();
        (number >= 1 && number as usize <= lines).then(|| (file.to_owned(), number))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instantiate::tests::raised;

    #[test]
    fn what_pytorch_says_gets_the_advice_that_fits() {
        let recipe = Recipe::demo();
        let limits = InstantiationLimits::default();
        let entries = ["architecture.py", "training.py"].map(|name| (name.to_owned(), b"x\n".to_vec()));
        let bundle = Bundle::from_entries(entries.to_vec()).unwrap();
        let words = Messages {
            limits: &limits,
            recipe: &recipe,
            bundle: &bundle,
            seq_len: 256,
        };
        let hint = |message: &str| words.error(&raised("IndexError", message)).unwrap().hint;
        assert!(hint("index out of range in self").starts_with("an embedding needs a row for every id"));
        assert!(hint("list index out of range").starts_with("return floats of shape"));
        assert!(hint("Found no NVIDIA driver on your system.").starts_with("leave the device out"));
    }

    #[test]
    fn what_no_line_raised_is_told_where_the_model_is_built() {
        let at = |source: &str| {
            let (file, place) = built_at(
                &Bundle::from_entries(vec![
                    ("architecture.py".into(), source.as_bytes().to_vec()),
                    ("training.py".into(), b"x\n".to_vec()),
                ])
                .unwrap(),
            );
            (file, place.line, place.column, place.end_line, place.end_column)
        };
        let there = |line, end| ("architecture.py".to_owned(), line, 1, line, end);
        assert_eq!(
            at("import torch\n\n\ndef build_model(ctx):\n    ...\n"),
            there(4, 16)
        );
        assert_eq!(
            at("def build_models(ctx): ...\ndef build_model (c): ...\n"),
            there(2, 16)
        );
        let start = Place::START;
        let nowhere = (
            "architecture.py".to_owned(),
            1,
            1,
            start.end_line,
            start.end_column,
        );
        assert_eq!(at("from model import build_model\n"), nowhere);
    }

    #[test]
    fn only_lines_of_the_bundle_are_believed_of_a_traceback() {
        let bundle = Bundle::from_entries(vec![
            ("architecture.py".into(), b"a\nb\nc\n".to_vec()),
            ("training.py".into(), b"x\n".to_vec()),
        ])
        .unwrap();
        let frame = |text: &str| last_frame(text, &bundle);
        let own = "Traceback:\n  File \"architecture.py\", line 2, in f\n    b\n  File \"torch/nn.py\", line 9, in g\n";
        assert_eq!(frame(own), Some(("architecture.py".into(), 2)));
        assert_eq!(frame("File \"architecture.py\", line 4, in f"), None);
        assert_eq!(frame("File \"architecture.py\", line 0, in f"), None);
        assert_eq!(frame("File \"architecture.py\", line 99999999999, in f"), None);
        assert_eq!(frame("File \"../architecture.py\", line 1"), None);
        assert_eq!(frame("File \"architecture.py"), None);
    }
}
