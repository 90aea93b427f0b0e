//! The instantiation gate: the model is built once, in the sandbox, before anything is measured.
//!
//! Called by whoever wants to know in seconds whether a bundle compiles, its model builds at all, stays below the caps, returns
//! logits of the right shape, predicts the same thing twice and depends on nothing that an auditor does not see. First
//! CPython compiles every file ([`crate::compiler`]). Then two processes start at once: a claimant of an ordinary run, with its
//! limits and without `training.py`, and a learner that imports both scripts and never calls `train`. What they say is
//! hostile and believed no further than that its author is told about it: nothing here enters a score.
//!
//! # What is counted against the limits
//!
//! The import of torch has the recipe's `startup_seconds`, since it is the machine's matter and not the bundle's. The
//! clock of [`InstantiationLimits::build`] starts once torch is there and the worker has said hello; it covers the
//! import of the architecture, `build_model` and the first forward. Memory is the recipe's `auditor_memory_bytes`, for
//! the whole life of the process.
//!
//! # Which forwards are made
//!
//! One row of end-of-text tokens, so that lazy parameters exist; then, with the weights of the start, two rows of
//! made-up tokens asked about as first, second, first, and both at once; then first, second, first again with made-up
//! weights, under which a head that starts at zero is no longer silent, and the first once more in train mode. With a vocabulary so large that two rows of
//! logits are above 128 MiB the harness splits "both at once" into single rows. With either weights, questions like
//! an auditor's about three places of a row, once with the rest of the row and once with end-of-text; and two rows at
//! once with another one in place of each of them.
//!
//! A bundle does not declare the length of its rows before it runs. What is tried first is the number that its training
//! script seems to ask for (`instantiate/declared.rs`), or else the recipe's `default_seq_len`. A forward that fails there is tried
//! again, in a fresh process, at other lengths ([`InstantiationLimits::other_seq_lens`]): a model for rows of 60 tokens
//! is no broken model, but its author is told.

mod declared;
mod findings;
mod lengths;

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use prism_bundle::Bundle;
use prism_core::{failure::Failure, outcome::Reason, recipe::Recipe};
use prism_gate::{Finding, Severity};
use prism_referee::{
    connection::Cancel,
    message::Phase,
    plan::{StreamTotals, Terms, TokenizerInfo},
    smoke::{self, Dependence, Importing, Moved, Patience, Tried},
};

use crate::{
    compiler,
    evaluate::Host,
    event::EvalEvent,
    launcher::{SandboxLauncher, worker_paths},
    prepare::{load_tokenizer, machine, tokenizer_info},
    recorder::Recorder,
    seats::{self, Unpacked},
    settle,
};

/// How long the parts may take, and where else a forward is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstantiationLimits {
    /// Import of the architecture, `build_model` and the first forward together.
    pub build: Duration,
    /// Each further forward.
    pub answer: Duration,
    /// Lengths of a row, in tokens, at which a forward is tried again that fails at the first one.
    pub other_seq_lens: Vec<u32>,
}

impl Default for InstantiationLimits {
    fn default() -> Self {
        Self {
            build: Duration::from_secs(30),
            answer: Duration::from_secs(30),
            // For models that take only short rows, only very short ones, and only whole blocks of many tokens.
            other_seq_lens: vec![64, 16, 1024],
        }
    }
}

/// What one instantiation showed.
#[derive(Clone, Debug)]
pub struct Instantiated {
    /// Parameters of the model, tied tensors once; absent if it was never laid out.
    pub parameters: Option<u64>,
    /// Parameters and buffers as a snapshot, in bytes.
    pub snapshot_bytes: Option<u64>,
    /// Length of the rows that the forwards were made of, in tokens; absent if none worked.
    pub seq_len: Option<u32>,
    /// What is wrong, errors first; texts quote the submission, and whoever shows them escapes them. Empty for a model that can be measured.
    pub findings: Vec<Finding>,
    /// Everything together, in seconds.
    pub wall_seconds: f64,
}

impl Instantiated {
    /// Whether an error refuses the bundle.
    pub fn is_refused(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.severity == Severity::Error)
    }
}

/// Builds the model of a bundle once, under the forced seed, and looks at it.
///
/// # Errors
/// Only for what is not the submission's fault: no sandbox, no runtime, no device, a machine that is busy, somebody
/// cancelled.
pub fn instantiate(
    bundle: &Bundle,
    recipe: &Recipe,
    seed: u64,
    host: &Host,
    cancel: &Cancel,
    events: &mut dyn FnMut(EvalEvent),
) -> Result<Instantiated, Failure> {
    instantiate_within(
        &InstantiationLimits::default(),
        bundle,
        recipe,
        seed,
        host,
        cancel,
        events,
    )
}

/// The same with limits of the caller's own.
///
/// # Errors
/// As [`instantiate`].
pub fn instantiate_within(
    limits: &InstantiationLimits,
    bundle: &Bundle,
    recipe: &Recipe,
    seed: u64,
    host: &Host,
    cancel: &Cancel,
    events: &mut dyn FnMut(EvalEvent),
) -> Result<Instantiated, Failure> {
    let started = Instant::now();
    recipe
        .check()
        .map_err(|error| Failure::new(Reason::RecipeInvalid, error.to_string()))?;
    let tokenizer = load_tokenizer(bundle).and_then(|tokenizer| tokenizer_info(bundle, &tokenizer, recipe));
    let mut found = match tokenizer {
        Ok(tokenizer) => {
            let attempt = Attempt {
                limits,
                bundle,
                recipe,
                seed,
                tokenizer,
            };
            attempt.run(host, cancel, events)?
        }
        // Without a vocabulary there is no `ctx` to build a model with.
        Err(failure) => match crate::tokenizer::problem(bundle, recipe) {
            Some(problem) => refused([problem]),
            None => return Err(failure),
        },
    };
    found.wall_seconds = started.elapsed().as_secs_f64();
    Ok(found)
}

fn refused(findings: impl IntoIterator<Item = Finding>) -> Instantiated {
    Instantiated {
        parameters: None,
        snapshot_bytes: None,
        seq_len: None,
        findings: findings.into_iter().collect(),
        wall_seconds: 0.0,
    }
}

/// One bundle under one recipe.
struct Attempt<'a> {
    limits: &'a InstantiationLimits,
    bundle: &'a Bundle,
    recipe: &'a Recipe,
    seed: u64,
    tokenizer: TokenizerInfo,
}

impl Attempt<'_> {
    fn run(
        &self,
        host: &Host,
        cancel: &Cancel,
        events: &mut dyn FnMut(EvalEvent),
    ) -> Result<Instantiated, Failure> {
        let (capabilities, runtime) = machine(host, self.recipe)?;
        let views = seats::views(&runtime, cancel, events)?;
        // Until this returns: a counted run must not hear what the bundle does here.
        let _turn = settle::share(host.when_busy, cancel, events)?;
        let unpacked = Unpacked::write(self.bundle)?;
        let launcher = || SandboxLauncher {
            helper: &host.helper,
            capabilities: &capabilities,
            runtime: &runtime,
            views: &views,
            unpacked: &unpacked,
            recipe: self.recipe,
            slot: None,
            logs: Arc::new(Mutex::new(Vec::new())),
            seals: Arc::default(),
            recorder: Recorder::default(),
        };
        // Nothing of a bundle is imported that CPython does not compile.
        let refusals = compiler::refusals(&launcher(), self.bundle, cancel)?;
        if !refusals.is_empty() {
            return Ok(refused(refusals));
        }
        let manifest = self.bundle.manifest();
        let terms = Terms {
            recipe: self.recipe,
            seed: self.seed,
            tokenizer: &self.tokenizer,
            totals: &self.totals(),
            paths: &worker_paths(manifest.architecture.as_str(), manifest.training.as_str()),
        };
        let patience = Patience {
            start: Duration::from_secs(self.recipe.sandbox.startup_seconds),
            build: self.limits.build,
            answer: self.limits.answer,
        };
        // Beside the model, as the learner of a run starts beside those who answer.
        let importing = Importing::start(&terms, &mut launcher(), cancel)?;
        let mut found = self.model(&terms, &patience, &launcher, cancel)?;
        if let Err(stopped) = importing.finish(&patience) {
            let error = self.words(0).error(&stopped)?;
            let of_training = stopped
                .failed
                .as_ref()
                .is_some_and(|failed| failed.phase == Phase::ImportTraining);
            // What keeps the architecture from being imported is said once.
            if of_training || !found.is_refused() {
                found.findings.push(error);
            }
        }
        found
            .findings
            .sort_by_key(|finding| finding.severity != Severity::Error);
        Ok(found)
    }

    /// What the model shows, at the first length of a row at which it works. Where it works at none, the first error counts
    /// that is not about the length: a model for short rows says at the recipe's length that they are too long, whatever
    /// else is wrong with it.
    fn model<'l>(
        &self,
        terms: &Terms<'_>,
        patience: &Patience,
        launcher: &dyn Fn() -> SandboxLauncher<'l>,
        cancel: &Cancel,
    ) -> Result<Instantiated, Failure> {
        let mut told: Option<(Instantiated, bool)> = None;
        // The first one at which it does not work, and how it says so.
        let mut unfit: Option<(u32, Finding)> = None;
        let declared = declared::row_tokens(self.bundle);
        for seq_len in self.seq_lens(declared) {
            let words = self.words(seq_len);
            let stopped = match smoke::run(terms, &mut launcher(), seq_len, patience, cancel) {
                Ok(tried) => {
                    let mut found = answered(&tried, seq_len, &words);
                    found
                        .findings
                        .extend(unfit.map(|(unfit, error)| words.other_length(unfit, declared, error)));
                    return Ok(found);
                }
                Err(stopped) => stopped,
            };
            let error = words.error(&stopped)?;
            unfit.get_or_insert_with(|| (seq_len, error.clone()));
            let mut found = refused([error]);
            if let Some(layout) = &stopped.layout {
                found.parameters = Some(layout.parameters());
                found.snapshot_bytes = Some(layout.bytes());
            }
            // Other lengths are tried for the sake of a first one that may be wrong for this model, not for their own.
            // What is too much at the recipe's length is too much.
            let again = if lengths::may_be_too_long(&stopped) {
                seq_len > self.recipe.stream.default_seq_len
            } else {
                told.is_some() || lengths::may_depend_on_length(&stopped)
            };
            let at_any_length = lengths::holds_at_any_length(&stopped);
            if told.as_ref().is_none_or(|(_, before)| at_any_length && !before) {
                told = Some((found, at_any_length));
            }
            if !again {
                break;
            }
        }
        told.map(|(found, _)| found)
            .ok_or_else(|| Failure::new(Reason::Internal, "an instantiation tried no length of a row"))
    }

    /// The length that the training script asks for, the recipe's, then the others that the recipe allows.
    fn seq_lens(&self, declared: Option<u32>) -> Vec<u32> {
        let stream = &self.recipe.stream;
        let others = self.limits.other_seq_lens.iter().copied();
        let mut lens: Vec<u32> = Vec::new();
        for len in declared.into_iter().chain([stream.default_seq_len]).chain(others) {
            if (1..=stream.max_seq_len).contains(&len) && !lens.contains(&len) {
                lens.push(len);
            }
        }
        lens
    }

    /// There is no corpus yet: the totals are those of the longest stream of the recipe, one target a byte.
    fn totals(&self) -> StreamTotals {
        let bytes = self.recipe.stream.max_bytes;
        StreamTotals {
            documents: 1,
            bytes,
            targets: bytes,
        }
    }

    fn words(&self, seq_len: u32) -> findings::Messages<'_> {
        findings::Messages {
            limits: self.limits,
            recipe: self.recipe,
            bundle: self.bundle,
            seq_len,
        }
    }
}

fn answered(tried: &Tried, seq_len: u32, words: &findings::Messages<'_>) -> Instantiated {
    let only_one_row = tried
        .two_rows
        .as_deref()
        .map(|stopped| words.only_one_row(stopped));
    // What is claimed in eval mode is true, whatever the model predicts in training.
    let is_told = |moved: &&Moved| moved.on != Dependence::TrainMode || !declared::evaluates(words.bundle);
    let moved = tried.moved.iter().filter(is_told);
    let stateful = (!tried.repeats).then(|| words.stateful());
    Instantiated {
        parameters: Some(tried.layout.parameters()),
        snapshot_bytes: Some(tried.layout.bytes()),
        seq_len: Some(seq_len),
        findings: stateful
            .into_iter()
            .chain(only_one_row)
            .chain((tried.invalid_positions > 0).then(|| words.invalid_logits(tried.invalid_positions)))
            .chain(moved.map(|moved| words.moved(*moved)))
            .collect(),
        wall_seconds: 0.0,
    }
}

#[cfg(test)]
mod tests;
