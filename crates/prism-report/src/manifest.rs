//! `prism_run_manifest.v2.json`: what the referee tells the world about a run.
//!
//! Authored here and nowhere else; a file of that name that a submission leaves behind never leaves its sandbox. Edge
//! types only: block and field names are stable. Unlike the record it may hold times and resources.

use serde::{Deserialize, Serialize};

use crate::about::About;

/// The manifest's file name.
pub const FILE_NAME: &str = "prism_run_manifest.v2.json";
/// Version of the format.
pub const SCHEMA_VERSION: &str = "prism_run_manifest.v2";
/// Most points of a published curve: what they leak of the text is worth at most the bundle's allowance.
pub const CURVE_POINTS_MAX: usize = 500;

/// The whole document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the field names are the format")]
pub struct Manifest {
    pub schema_version: String,
    pub submission_id: String,
    pub run_id: String,
    pub run: RunBlock,
    pub compute: ComputeBlock,
    pub data: DataBlock,
    pub metrics: MetricsBlock,
    pub score: ScoreBlock,
    pub anti_cheat: AntiCheatBlock,
    pub hashes: HashesBlock,
}

/// How it ran.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the field names are the format")]
pub struct RunBlock {
    pub seed: u64,
    pub forced_init: bool,
    pub world_size: u32,
    pub device: String,
    pub stopped_reason: String,
    pub rehearsal: bool,
    pub rehearsal_reasons: Vec<String>,
    pub batch_size: Option<u32>,
    pub seq_len: Option<u32>,
    pub claims: Option<String>,
    pub tokenizer: String,
    pub vocab_size: u32,
    pub notes: Vec<String>,
    /// What people call it, when it began, under which recipe and on which corpus.
    #[serde(default)]
    pub about: Option<About>,
}

/// What it used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the field names are the format")]
pub struct ComputeBlock {
    pub gpu_count: u32,
    pub device: String,
    pub model_params: u64,
    pub peak_rss_bytes: u64,
    /// Not measured by this version: a GPU's memory is the driver's word, not the referee's.
    pub peak_vram_bytes: Option<u64>,
    pub wall_clock_seconds: f64,
    /// Charged to the learner: its wall time less the time it was frozen.
    pub charged_seconds: f64,
    /// From the first batch to the last claims.
    pub stream_seconds: f64,
    /// Of these, how long the learner stood still for audits.
    #[serde(default)]
    pub audit_seconds: f64,
    /// Targets read a second of training, which is `stream_seconds` less `audit_seconds`; absent without a batch.
    #[serde(default)]
    pub tokens_per_second: Option<f64>,
    /// `estimated_flops` a second of training.
    #[serde(default)]
    pub model_flops_per_second: Option<f64>,
    /// Peak of the device, dense bfloat16, as its maker gives it; absent where none is known, as of a processor.
    #[serde(default)]
    pub peak_flops_per_second: Option<f64>,
    /// The device that the peak is of.
    #[serde(default)]
    pub peak_of: Option<String>,
    /// MFU: `model_flops_per_second / peak_flops_per_second`; absent without a peak.
    #[serde(default)]
    pub model_flops_utilization: Option<f64>,
    /// Spent on making the kernel forget earlier runs; absent where that was not done.
    #[serde(default)]
    pub forgetting_seconds: Option<f64>,
    pub cpu_seconds: f64,
    /// `6 * parameters * targets`: 2 for the forward and 4 for the backward of each target. All parameters count, those of
    /// an embedding too. What attention multiplies within a row does not, since the referee knows no layers, nor does
    /// the second forward of `claims="eval"`.
    pub estimated_flops: f64,
}

/// What it read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the field names are the format")]
pub struct DataBlock {
    pub source: String,
    pub manifest_sha256: String,
    pub stream_bytes: u64,
    pub covered_bytes: u64,
    pub consumed_documents: u64,
    pub single_pass: bool,
    pub entropy_floor_bpb: Option<f64>,
}

/// What was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the field names are the format")]
pub struct MetricsBlock {
    /// Claimed bits per byte of the bytes between this point and the one before; at most 500 points.
    pub online_loss: Vec<f64>,
    /// Source bytes accepted at each point of `online_loss`.
    pub covered_bytes_cumulative: Vec<u64>,
    /// Estimated bits per byte of everything accepted up to each point, audits included.
    pub mean_bpb: Vec<f64>,
    pub step0_loss: Option<f64>,
    pub random_init_baseline_nats: f64,
    pub sum_neg_log2_likelihood_bits: f64,
    pub prequential_bpb: f64,
    pub bpb_se: f64,
    pub predicted_tokens: u64,
    pub audits: u64,
    pub hidden_max: f64,
    pub unread_bytes: u64,
    pub bundle_bits: u64,
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the field names are the format")]
pub struct ScoreBlock {
    pub schema: String,
    pub primary_metric: String,
    pub prequential_bpb: f64,
    /// Whether a rank is taken; where not, neither of the two figures after the reason is there.
    pub ranked: bool,
    pub no_rank: Option<String>,
    pub bpb_ranked: Option<f64>,
    pub final_score: Option<f64>,
    pub heldout_delta: f64,
    pub heldout_delta_se: f64,
    /// The least that the delta may be, `heldout_delta - 3 se`: what the score uses.
    pub heldout_delta_lower: f64,
    pub val_bpb_trained: Option<f64>,
    pub val_bpb_random_init: Option<f64>,
    /// The snapshot that the key drew from the last tenth of the steps: its step, and what it pays on both texts.
    pub kept_step: Option<u64>,
    pub val_bpb_kept: Option<f64>,
    pub train_bpb_kept: Option<f64>,
    pub train_heldout_gap: Option<f64>,
    pub train_heldout_gap_se: Option<f64>,
    /// The most that the gap may be, `train_heldout_gap + 3 se`: what is held against the bound.
    pub train_heldout_gap_upper: Option<f64>,
    pub memorization_flag: bool,
    pub memorization_penalty: f64,
    pub anti_cheat_multiplier: f64,
    pub flags: Vec<String>,
}

/// What is suspicious, with its figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the field names are the format")]
pub struct AntiCheatBlock {
    pub step0_anomaly: bool,
    pub claims_differ: bool,
    pub claims_differ_count: u64,
    pub claims_differ_mean_nats: f64,
    pub claims_differ_sd_nats: f64,
    pub claims_untrue: bool,
    /// Root mean square of audited less claimed, and the most that the recipe allows for a rank.
    pub claims_rms_nats: f64,
    pub claims_rms_limit_nats: f64,
    pub invalid_answers: u64,
    /// A sentence on what would remove the flag, where it is raised.
    pub advice: Option<String>,
}

/// What it is of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the field names are the format")]
pub struct HashesBlock {
    pub bundle: String,
    pub corpus: String,
    pub recipe: String,
    pub runtime_lock: String,
    pub runtime_sources: String,
    pub record: String,
}
