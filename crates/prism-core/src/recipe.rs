//! The recipe: one small versioned document that holds every constant a score depends on.
//!
//! Read by the engine at the start of a run; its hash is in the record. `demo`, `small` and `official` are built in. A flag
//! that changes a constant changes the hash too, and makes the run a rehearsal.
//!
//! The file format is TOML with exactly these tables and keys: a missing key and an unknown key are both errors, so
//! that no constant is ever a silent default.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::advice::{Advice, Hint};
use crate::hash::Sha256Hash;

mod check;

const OFFICIAL_TOML: &str = include_str!("../recipes/official.toml");
const DEMO_TOML: &str = include_str!("../recipes/demo.toml");
const SMALL_TOML: &str = include_str!("../recipes/small.toml");

/// The only schema this version reads.
pub const SCHEMA: u32 = 1;

/// Largest recipe file that is read, in bytes.
pub const RECIPE_BYTES_MAX: usize = 64 * 1024;

/// Why a recipe is refused.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum RecipeError {
    #[error("the recipe is not valid: {}", .0.to_string().trim_end())]
    Syntax(#[from] toml::de::Error),
    #[error("the recipe has {bytes} bytes; at most {RECIPE_BYTES_MAX} are read")]
    TooLarge {
        /// Its size, in bytes.
        bytes: usize,
    },
    #[error("the recipe has schema {0}, and this version of PRISM reads schema {SCHEMA}")]
    Schema(u32),
    #[error("`{field}` in the recipe is {value}")]
    Range {
        /// Which field, as `table.key`.
        field: &'static str,
        value: String,
        expected: &'static str,
    },
}

impl Advice for RecipeError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::Syntax(_) | Self::TooLarge { .. } => {
                "see `prism recipe show` for what each field means".into()
            }
            Self::Schema(schema) if *schema > SCHEMA => "use a newer version of PRISM".into(),
            Self::Schema(_) => "write it anew after a built-in one (`prism recipe show`)".into(),
            Self::Range { expected, .. } => format!("it must be {expected}").into(),
        })
    }
}

/// Every constant a score depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Version of this file format.
    pub schema: u32,
    /// What people call it.
    pub name: String,
    /// Grows with every change of a constant.
    pub version: u32,
    /// The stream and the shape of a step.
    pub stream: StreamLimits,
    /// When a run ends although the stream has not.
    pub budget: Budget,
    /// Audits of the stream.
    pub audit: AuditConstants,
    /// The price of the bundle.
    pub bundle: BundleConstants,
    /// Limits of the model.
    pub caps: Caps,
    /// Held-out measurements.
    pub heldout: HeldOutConstants,
    /// Constants of the formulas.
    pub score: ScoreConstants,
    /// The machine as the learner sees it.
    pub compute: Compute,
    /// Limits of the sandboxes.
    pub sandbox: SandboxLimits,
}

/// The stream and the shape of a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamLimits {
    /// The stream is the longest prefix of the train documents within this many bytes.
    pub max_bytes: u64,
    /// Least number of targets (`B * T`) in a step.
    pub min_targets_per_step: u64,
    /// `B * T` is at most this many millionths of the stream's targets.
    pub max_step_ppm: u64,
    /// Largest `B`.
    pub max_batch_size: u32,
    /// Largest `T`, in tokens.
    pub max_seq_len: u32,
    /// Largest vocabulary, in tokens.
    pub max_vocab_size: u32,
    /// `ctx.sequence_length` of the older interface, in tokens.
    pub default_seq_len: u32,
}

impl StreamLimits {
    /// The least and the most targets that a step may have on a stream of `total` targets.
    ///
    /// A whole stream shorter than the least step is allowed to be one step. Where the least is more than the most, the
    /// stream is too short for the recipe, whatever a submission does.
    pub fn step_targets(&self, total: u64) -> (u64, u64) {
        let least = self.min_targets_per_step.min(total);
        // Truncation is no loss: the bound is a whole number of targets.
        let most = u128::from(total) * u128::from(self.max_step_ppm) / 1_000_000;
        (least, u64::try_from(most).unwrap_or(u64::MAX).max(1))
    }

    /// The least and the most rows of `seq_len` targets that a step may have on a stream of `total` targets; `None` where no
    /// number of such rows is allowed.
    pub fn step_rows(&self, total: u64, seq_len: u32) -> Option<(u64, u64)> {
        let (least, most) = self.step_targets(total);
        let seq_len = u64::from(seq_len.max(1));
        let rows = (
            least.div_ceil(seq_len).max(1),
            (most / seq_len).min(u64::from(self.max_batch_size)),
        );
        (rows.0 <= rows.1).then_some(rows)
    }
}

/// When a run ends although the stream has not. Absent means no such budget.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Wall time of the learner, from its start, less the time it was frozen, in seconds.
    pub time_limit_seconds: u64,
    /// Most steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_steps: Option<u64>,
    /// Most targets, in tokens: no batch is handed out once this many are read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
}

/// Audits of the stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditConstants {
    /// `rho`: probability that one byte's target is audited.
    pub rate_per_byte: f64,
    /// Audits of step 0 of their own, in none of the sums.
    pub step0_audits: u32,
    /// A run with fewer audits than this is a rehearsal.
    pub min_audits: u64,
    /// How many of the dearest audits `hidden_max` adds up.
    pub hidden_terms: u32,
    /// Targets of the stream that a fresh auditor is asked about again at the end, under the same weights.
    pub repeats: u32,
    /// How far a repeated answer may lie from the first one, in nats.
    pub repeat_tolerance_nats: f64,
}

/// The price of the bundle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleConstants {
    /// Compressed bytes of the bundle that are free.
    pub allowance_bytes: u64,
    /// A stream on which the allowance is worth more than this is too short to rank anybody, in bits per byte.
    pub max_allowance_bpb: f64,
}

/// Limits of the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caps {
    /// Most parameters, tied tensors once.
    pub max_params: u64,
    /// Most bytes of a whole snapshot, buffers included.
    pub max_snapshot_bytes: u64,
}

/// Held-out measurements.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldOutConstants {
    /// First bytes of the secret split that are scored; 0 measures nothing.
    pub val_bytes: u64,
    /// Newest bytes of the train documents that are scored for the memorisation gap, under a snapshot that the audit key
    /// draws from the last tenth of the steps; 0 measures nothing.
    pub gap_bytes: u64,
    /// Probability that one byte's target is audited there.
    pub rate_per_byte: f64,
}

/// Constants of the formulas.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreConstants {
    /// `e` of the smoothing map.
    pub smoothing: f64,
    /// So many standard errors count against the submission: `bpb_ranked = bpb + se_multiplier * se`, and alike for the
    /// held-out delta and the memorisation gap.
    pub se_multiplier: f64,
    /// Weight of the held-out delta within a tie.
    pub delta_weight: f64,
    /// Width of a tie, in bits per byte.
    pub tie_window_bpb: f64,
    /// Largest memorisation gap without penalty, its error added, in bits per byte.
    pub gap_threshold_bpb: f64,
    /// What a larger gap multiplies the score by.
    pub gap_penalty: f64,
    /// A mean first loss below this share of `ln V` is the step-0 anomaly.
    pub step0_fraction: f64,
    /// An audit that differs from its claim by more raises the flag `claims_differ`, in nats.
    pub claims_differ_nats: f64,
    /// A run whose audits differ from their claims by more takes no rank: the largest root mean square, in nats.
    pub claims_rms_nats: f64,
}

crate::words! {
    /// Where tensors live.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    pub enum Device, as_str {
        /// The processor.
        Cpu = "cpu",
        /// The first NVIDIA GPU.
        Cuda = "cuda",
    }
}

crate::words! {
    /// `torch.set_float32_matmul_precision`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    pub enum MatmulPrecision, as_str {
        /// Full single precision.
        Highest = "highest",
        /// TF32 or two bf16 terms.
        High = "high",
        /// One bf16 term.
        Medium = "medium",
    }
}

/// The machine as the learner sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compute {
    /// Where the model runs.
    pub device: Device,
    /// Threads of torch's pools; float results depend on it.
    pub threads: u32,
    /// Precision of float32 matrix products.
    pub matmul_precision: MatmulPrecision,
    /// Cap of the GPU allocator of each process, in bytes; 0 on the CPU.
    pub gpu_memory_bytes: u64,
}

/// Limits of the sandboxes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SandboxLimits {
    /// Memory of the learner and all its children, in bytes.
    pub learner_memory_bytes: u64,
    /// Memory of an auditor or claimant, in bytes.
    pub auditor_memory_bytes: u64,
    /// Size of `ctx.artifacts_dir` and the compile caches, in bytes.
    pub scratch_bytes: u64,
    /// Size of `/dev/shm`, in bytes.
    pub shm_bytes: u64,
    /// Files in the scratch space.
    pub scratch_inodes: u64,
    /// Processes and threads.
    pub max_processes: u64,
    /// Open files of a process.
    pub max_open_files: u64,
    /// Whether the processor's caches are swept each time before a process answers that stood still while the learner ran.
    pub sweep_caches: bool,
    /// Captured output of each of stdout and stderr, in bytes.
    pub max_log_bytes: u64,
    /// Longest start, from the process to the first batch, in seconds; and longest load of a snapshot.
    pub startup_seconds: u64,
    /// Longest answer to one question, in seconds.
    pub question_seconds: u64,
}

impl Recipe {
    /// The recipe of official runs.
    pub fn official() -> Self {
        Self::built_in(OFFICIAL_TOML)
    }

    /// The recipe of `prism demo`.
    pub fn demo() -> Self {
        Self::built_in(DEMO_TOML)
    }

    /// The recipe of a small round on CPUs, whose runs can count.
    pub fn small() -> Self {
        Self::built_in(SMALL_TOML)
    }

    /// A built-in recipe by its name.
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "official" => Some(Self::official()),
            "demo" => Some(Self::demo()),
            "small" => Some(Self::small()),
            _ => None,
        }
    }

    #[allow(
        clippy::expect_used,
        reason = "compiled in; the test below parses each of them"
    )]
    fn built_in(text: &str) -> Self {
        Self::parse(text).expect("built-in recipes are valid")
    }

    /// Parses and checks a recipe file.
    pub fn parse(text: &str) -> Result<Self, RecipeError> {
        if text.len() > RECIPE_BYTES_MAX {
            return Err(RecipeError::TooLarge { bytes: text.len() });
        }
        let recipe: Self = toml::from_str(text)?;
        recipe.check()?;
        Ok(recipe)
    }

    /// The hash that names this recipe: SHA-256 of its canonical JSON, so that comments and layout do not count.
    pub fn sha256(&self) -> Sha256Hash {
        Sha256Hash::of(self.canonical_json().as_bytes())
    }

    /// The canonical JSON: fields in the order of this module, shortest floats that read back to the same bits.
    #[allow(
        clippy::expect_used,
        reason = "no map, no non-string key: serialisation cannot fail"
    )]
    pub fn canonical_json(&self) -> String {
        serde_json::to_string(self).expect("a recipe is always serialisable")
    }

    /// The recipe as a TOML file.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
