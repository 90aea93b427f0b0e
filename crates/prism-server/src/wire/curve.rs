//! The learning curve of a scored submission, from what the store keeps of its result.
//!
//! The store's blob `curve` is the JSON of [`LossCurve`], and `compute_json` of a result that of [`CurveCompute`]: whoever
//! stores a result writes them so. Nothing is computed here; what does not fit is a fault of ours and not shown.

use prism_store::results::Stored;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Points of a curve that is shown.
pub const POINTS_MAX: usize = 500;

/// The learning curve, as the contract has it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Curve {
    /// Whose curve it is.
    pub submission_id: String,
    /// The points.
    pub loss_curve: LossCurve,
    /// The whole run.
    pub bpb: CurveBpb,
    /// What it took.
    pub compute: CurveCompute,
}

/// Points of a curve: at most 500, the first and the last of the run among them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LossCurve {
    /// Mean nats per token of a batch.
    pub online_loss: Vec<f64>,
    /// Bytes covered up to and with that batch.
    pub covered_bytes_cumulative: Vec<f64>,
    /// Loss of the first batch.
    pub step0_loss: Option<f64>,
    /// Loss of a uniform guess.
    pub baseline_nats: Option<f64>,
    /// Length of both arrays.
    pub points: usize,
    /// The run had more batches.
    pub downsampled: bool,
}

/// Bits per byte of a run.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CurveBpb {
    /// Bits of the online code length per byte covered.
    pub prequential_bpb: Option<f64>,
    /// The same.
    pub bits_per_byte: Option<f64>,
}

/// Resources of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CurveCompute {
    /// Devices.
    pub gpu_count: Option<u32>,
    /// Kind of device, such as `cpu`.
    pub device: Option<String>,
    /// Class of device.
    pub gpu_tier: Option<String>,
    /// Parameters of the model.
    pub model_params: Option<u64>,
    /// Tokens that were predicted.
    pub tokens_consumed: Option<u64>,
    /// Floating-point operations, estimated.
    pub estimated_flops: Option<f64>,
    /// Duration in seconds.
    pub wall_clock_seconds: Option<f64>,
    /// Devices times hours.
    pub gpu_hours: Option<f64>,
    /// Largest use of device memory.
    pub peak_vram_bytes: Option<u64>,
    /// Largest use of memory.
    pub peak_rss_bytes: Option<u64>,
}

/// Why what is stored is no curve. For the log.
#[derive(Debug, thiserror::Error)]
pub enum NotACurve {
    /// It cannot be read.
    #[error("the stored curve or compute figures cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// The arrays do not belong together, or there are too many points.
    #[error("the stored curve has {losses} losses, {bytes} counts of bytes and says {points} points")]
    Lengths {
        /// Losses.
        losses: usize,
        /// Counts of bytes.
        bytes: usize,
        /// What it says.
        points: usize,
    },
}

impl Curve {
    /// The curve of a result, with the blob of its points.
    pub fn of(submission_id: &str, stored: &Stored, points: &[u8]) -> Result<Self, NotACurve> {
        let loss_curve: LossCurve = serde_json::from_slice(points)?;
        let (losses, bytes) = (
            loss_curve.online_loss.len(),
            loss_curve.covered_bytes_cumulative.len(),
        );
        if losses != bytes || losses != loss_curve.points || losses > POINTS_MAX {
            return Err(NotACurve::Lengths {
                losses,
                bytes,
                points: loss_curve.points,
            });
        }
        Ok(Self {
            submission_id: submission_id.to_owned(),
            loss_curve,
            bpb: CurveBpb {
                prequential_bpb: Some(stored.result.bpb),
                bits_per_byte: Some(stored.result.bpb),
            },
            compute: serde_json::from_str(&stored.result.compute_json)?,
        })
    }
}
