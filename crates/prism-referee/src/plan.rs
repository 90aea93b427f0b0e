//! What one measurement is about: everything that the engine decides before it starts, and what it is told meanwhile.
//!
//! Data only. Nothing here is sent to a sandbox but what [`Terms::worker_config`] writes.

use std::{path::Path, time::Duration};

use prism_core::{hash::Sha256Hash, recipe::Recipe};
use serde::{Deserialize, Serialize};

use crate::{draws::AuditKey, lanes::Documents, message::Role};

/// The tokenizer, as far as the record goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenizerInfo {
    /// `bytes`, `gpt2` or `bundle`.
    pub name: String,
    /// Width of the logits, in tokens.
    pub vocab_size: u32,
    /// Id of the end-of-text token.
    pub end_of_text: u32,
}

/// Public totals of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamTotals {
    /// Documents.
    pub documents: u64,
    /// Source bytes.
    pub bytes: u64,
    /// Targets: tokens, ends of documents included.
    pub targets: u64,
}

/// What a run is of; nothing in it depends on how the run goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hashes {
    /// The bundle's canonical hash.
    pub bundle: Sha256Hash,
    /// The corpus's manifest.
    pub corpus: Sha256Hash,
    /// The recipe.
    pub recipe: Sha256Hash,
    /// The lock of the Python packages, or what stands for it with an interpreter of the user's own.
    pub runtime_lock: String,
    /// The Python sources of the runtime.
    pub runtime_sources: Sha256Hash,
}

/// Where things lie inside a sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerPaths {
    /// The bundle, read-only.
    pub bundle_dir: String,
    /// The file with `build_model`, relative to it.
    pub architecture_file: String,
    /// The file with `train`, relative to it.
    pub training_file: String,
    /// Writable scratch.
    pub artifacts_dir: String,
    /// Empty; for the older interface.
    pub data_dir: String,
}

/// The text of a run. Only the referee ever holds one.
pub trait TextSource {
    /// The documents of the stream, in their order; the place of one is its number.
    fn stream(&self) -> Box<dyn Documents + '_>;
    /// The held-out documents, in their order.
    fn val(&self) -> Box<dyn Documents + '_>;
}

/// One measurement.
pub struct Plan<'a> {
    /// The constants.
    pub recipe: &'a Recipe,
    /// The forced seed.
    pub seed: u64,
    /// The audit key of this attempt.
    pub key: AuditKey,
    /// What the run is of.
    pub hashes: Hashes,
    /// The tokenizer.
    pub tokenizer: TokenizerInfo,
    /// Totals of the stream.
    pub totals: StreamTotals,
    /// Price of the bundle, in bits.
    pub bundle_bits: u64,
    /// Entropy of the stream, where its maker knows it, in bits per byte.
    pub entropy_floor_bpb: Option<f64>,
    /// Where things lie inside a sandbox.
    pub paths: WorkerPaths,
    /// Where snapshots are kept, in files without a name, until a fresh auditor was asked again.
    pub keep_dir: &'a Path,
    /// The text.
    pub text: &'a dyn TextSource,
}

/// Bytes of the segments above the cap of a snapshot, so that the cap itself is reported, not the segment's end.
const SEGMENT_SLACK_BYTES: u64 = 4096;

/// What a worker is told before it starts: the part of a [`Plan`] that concerns one process and its model.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The constants.
    pub recipe: &'a Recipe,
    /// The forced seed.
    pub seed: u64,
    /// The tokenizer.
    pub tokenizer: &'a TokenizerInfo,
    /// Totals of the stream.
    pub totals: &'a StreamTotals,
    /// Where things lie inside a sandbox.
    pub paths: &'a WorkerPaths,
}

impl Plan<'_> {
    /// How long all answers of one part of a run may take together: as long as a learner may train, and never less than
    /// one process may take to start.
    pub fn answers_together(&self) -> Duration {
        let recipe = self.recipe;
        Duration::from_secs(
            recipe
                .budget
                .time_limit_seconds
                .max(recipe.sandbox.startup_seconds),
        )
    }

    /// What each worker is told before it starts.
    pub fn terms(&self) -> Terms<'_> {
        Terms {
            recipe: self.recipe,
            seed: self.seed,
            tokenizer: &self.tokenizer,
            totals: &self.totals,
            paths: &self.paths,
        }
    }
}

impl Terms<'_> {
    /// Size of a snapshot segment, in bytes.
    pub fn segment_bytes(&self) -> u64 {
        self.recipe.caps.max_snapshot_bytes.next_multiple_of(4096) + SEGMENT_SLACK_BYTES
    }

    /// The CONFIG frame's JSON for one role.
    pub fn worker_config(&self, role: Role) -> Vec<u8> {
        self.config(role).to_string().into_bytes()
    }

    /// The same for a learner that imports the training script and never calls it.
    pub fn import_config(&self) -> Vec<u8> {
        let mut config = self.config(Role::Learner);
        config["only_import"] = true.into();
        config.to_string().into_bytes()
    }

    fn config(&self, role: Role) -> serde_json::Value {
        let (recipe, totals) = (self.recipe, self.totals);
        let step_budget = recipe
            .budget
            .max_steps
            .unwrap_or(totals.targets)
            .min(totals.targets);
        let token_budget = recipe
            .budget
            .max_tokens
            .unwrap_or(totals.targets)
            .min(totals.targets);
        let mut config = serde_json::json!({
            "protocol": crate::frame::VERSION,
            "role": role.as_str(),
            "bundle_dir": self.paths.bundle_dir,
            "architecture_file": self.paths.architecture_file,
            "artifacts_dir": self.paths.artifacts_dir,
            "data_dir": self.paths.data_dir,
            "segment_bytes": self.segment_bytes(),
            "seed": self.seed,
            "threads": recipe.compute.threads,
            "device": recipe.compute.device.as_str(),
            "gpu_memory_bytes": recipe.compute.gpu_memory_bytes,
            "matmul_precision": recipe.compute.matmul_precision.as_str(),
            "vocab_size": self.tokenizer.vocab_size,
            "end_of_text": self.tokenizer.end_of_text,
            "tokenizer": self.tokenizer.name,
            "max_seq_len": recipe.stream.max_seq_len,
            "max_batch_size": recipe.stream.max_batch_size,
            "default_seq_len": recipe.stream.default_seq_len,
            "max_params": recipe.caps.max_params,
            "token_budget": token_budget,
            "step_budget": step_budget,
            "byte_budget": totals.bytes,
            "budget_seconds": recipe.budget.time_limit_seconds as f64,
            "world_size": 1,
            "rank": 0,
            "local_rank": 0,
        });
        if role == Role::Learner {
            config["training_file"] = self.paths.training_file.clone().into();
        }
        config
    }
}

/// What the session tells while it goes on. Nothing in it reaches a sandbox or a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A new part of the run has begun.
    Stage(Stage),
    /// The first call of `ctx.stream`.
    Opened {
        /// `B`, in rows.
        batch_size: u32,
        /// `T`, in tokens.
        seq_len: u32,
        /// Parameters of the model.
        parameters: u64,
        /// Steps that the whole stream takes.
        batches: u64,
    },
    /// The claims of a step are accepted.
    Step(StepReport),
    /// The miner's own metrics.
    Log {
        /// Source bytes accepted so far.
        covered_bytes: u64,
        /// Names and values, as the miner gave them.
        entries: Vec<(String, f64)>,
    },
}

/// Parts of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Torch is being imported, the model built.
    Starting,
    /// The stream is being read.
    Training,
    /// A fresh auditor is being asked again.
    Repeating,
    /// Held-out rows are being scored.
    HeldOut,
    /// The record is being closed.
    Concluding,
}

/// One accepted step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
    /// Its number, from 0.
    pub step: u64,
    /// Targets of this step.
    pub targets: u64,
    /// Source bytes of this step.
    pub bytes: u64,
    /// Source bytes accepted so far.
    pub covered_bytes: u64,
    /// Smoothed claims of this step, in nats.
    pub claimed_nats: f64,
    /// The estimate of everything accepted so far, in nats.
    pub nats: f64,
}
