//! How fast a run trained: tokens a second, and model FLOPs a second against the device's peak.
//!
//! Model FLOPs are counted as `6 N` a target, `N` all parameters: 2 for the forward, 4 for the backward. Products of
//! attention within a row are left out, since the referee knows no layers; so is whatever is computed twice. Pure; called
//! by [`crate::publish`]. Never part of a score.

use crate::gpu::Peak;

/// FLOPs of a parameter for each target.
const FLOPS_PER_PARAMETER: f64 = 6.0;

/// The speed of a run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Throughput {
    /// Model FLOPs of all that was read.
    pub(crate) flops: f64,
    /// Targets a second of training.
    pub(crate) tokens_per_second: Option<f64>,
    /// Model FLOPs a second of training.
    pub(crate) flops_per_second: Option<f64>,
    /// What the device could do, where that is known.
    pub(crate) peak: Option<Peak>,
}

impl Throughput {
    /// Of a model of so many parameters that read so many targets in so many seconds, audits left out.
    pub(crate) fn new(parameters: u64, targets: u64, training_seconds: f64, peak: Option<Peak>) -> Self {
        let flops = FLOPS_PER_PARAMETER * parameters as f64 * targets as f64;
        let per_second =
            |amount: f64| (training_seconds > 0.0 && targets > 0).then(|| amount / training_seconds);
        Self {
            flops,
            tokens_per_second: per_second(targets as f64),
            flops_per_second: per_second(flops),
            peak,
        }
    }

    /// The share of the peak.
    pub(crate) fn utilization(&self) -> Option<f64> {
        Some(self.flops_per_second? / self.peak.as_ref()?.flops_per_second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_and_share_of_the_peak() {
        let peak = Peak {
            device: "a".into(),
            flops_per_second: 1e12,
        };
        let fast = Throughput::new(1_000_000, 50_000, 2.0, Some(peak));
        assert_eq!(fast.flops, 3e11);
        assert_eq!(
            (fast.tokens_per_second, fast.flops_per_second),
            (Some(25_000.0), Some(1.5e11))
        );
        assert_eq!(fast.utilization(), Some(0.15));
        let cpu = Throughput::new(1_000_000, 50_000, 2.0, None);
        assert_eq!(
            (cpu.flops_per_second, cpu.utilization()),
            (Some(1.5e11), None),
            "no peak, no share"
        );
        let nothing = Throughput::new(1_000_000, 0, 0.0, None);
        assert_eq!(
            (nothing.tokens_per_second, nothing.flops_per_second),
            (None, None)
        );
    }
}
