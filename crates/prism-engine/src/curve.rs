//! The learning curve of a run, thinned to what may be published.
//!
//! Collected from the referee's events while a run goes on. What is published of it is worth at most the bundle's
//! allowance: at most [`crate::manifest::MAX_CURVE_POINTS`] points. A completed run has it in its manifest, another one
//! as a [`CurveFile`].

use prism_core::nats::NATS_PER_BIT;
use prism_referee::plan::StepReport;
use serde::{Deserialize, Serialize};

use crate::manifest::Manifest;

/// Totals after one step.
#[derive(Clone, Copy, Debug)]
struct Total {
    covered_bytes: u64,
    claimed_nats: f64,
    nats: f64,
}

/// All steps of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Curve {
    totals: Vec<Total>,
}

/// One published point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    /// Source bytes accepted so far.
    pub covered_bytes: u64,
    /// Claimed bits per byte since the point before.
    pub claimed_bpb: f64,
    /// Estimated bits per byte of everything accepted so far.
    pub mean_bpb: f64,
}

/// A published curve with what it is held against. The lists have one entry a point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CurveFile {
    /// Source bytes of the whole stream.
    pub(crate) stream_bytes: u64,
    /// The least that any model can reach, where the corpus knows it.
    pub(crate) entropy_floor_bpb: Option<f64>,
    /// Source bytes accepted up to each point.
    pub(crate) covered_bytes: Vec<u64>,
    /// Claimed bits per byte since the point before.
    pub(crate) claimed_bpb: Vec<f64>,
    /// Estimated bits per byte of everything accepted up to each point.
    pub(crate) mean_bpb: Vec<f64>,
}

impl CurveFile {
    /// Of a run that has no manifest.
    pub(crate) fn new(points: &[Point], stream_bytes: u64, entropy_floor_bpb: Option<f64>) -> Self {
        Self {
            stream_bytes,
            entropy_floor_bpb,
            covered_bytes: points.iter().map(|point| point.covered_bytes).collect(),
            claimed_bpb: points.iter().map(|point| point.claimed_bpb).collect(),
            mean_bpb: points.iter().map(|point| point.mean_bpb).collect(),
        }
    }

    /// Of a completed run.
    pub(crate) fn of(manifest: &Manifest) -> Self {
        let metrics = &manifest.metrics;
        Self {
            stream_bytes: manifest.data.stream_bytes,
            entropy_floor_bpb: manifest.data.entropy_floor_bpb,
            covered_bytes: metrics.covered_bytes_cumulative.clone(),
            claimed_bpb: metrics.online_loss.clone(),
            mean_bpb: metrics.mean_bpb.clone(),
        }
    }

    /// One of its lists against the bytes read.
    pub(crate) fn points(&self, values: &[f64]) -> Vec<(f64, f64)> {
        self.covered_bytes
            .iter()
            .zip(values)
            .map(|(&bytes, &value)| (bytes as f64, value))
            .collect()
    }
}

impl Curve {
    /// Adds one step.
    pub(crate) fn push(&mut self, report: &StepReport) {
        let before = self.totals.last().map_or(0.0, |total| total.claimed_nats);
        self.totals.push(Total {
            covered_bytes: report.covered_bytes,
            claimed_nats: before + report.claimed_nats,
            nats: report.nats,
        });
    }

    /// At most `max_points` points, evenly spread over the steps; the last step is always one of them.
    pub(crate) fn thin(&self, max_points: usize) -> Vec<Point> {
        let steps = self.totals.len();
        let points = steps.min(max_points);
        let mut out = Vec::with_capacity(points);
        let (mut bytes, mut nats) = (0, 0.0);
        for i in 0..points {
            let total = self.totals[(i + 1) * steps / points - 1];
            // A step of ends of documents alone has no bytes; it joins the next point.
            if total.covered_bytes == bytes {
                continue;
            }
            out.push(Point {
                covered_bytes: total.covered_bytes,
                claimed_bpb: (total.claimed_nats - nats)
                    / NATS_PER_BIT
                    / (total.covered_bytes - bytes) as f64,
                mean_bpb: total.nats / NATS_PER_BIT / total.covered_bytes as f64,
            });
            (bytes, nats) = (total.covered_bytes, total.claimed_nats);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(steps: u64) -> Curve {
        let mut curve = Curve::default();
        for step in 0..steps {
            curve.push(&StepReport {
                step,
                targets: 10,
                bytes: 10,
                covered_bytes: (step + 1) * 10,
                claimed_nats: 10.0 * NATS_PER_BIT,
                nats: (step + 1) as f64 * 20.0 * NATS_PER_BIT,
            });
        }
        curve
    }

    #[test]
    fn a_curve_is_thinned_and_keeps_its_end() {
        assert!(curve(0).thin(500).is_empty());
        assert_eq!(curve(7).thin(500).len(), 7);
        for steps in [499, 500, 501, 1234] {
            let points = curve(steps).thin(500);
            assert!(points.len() <= 500);
            assert_eq!(points.last().unwrap().covered_bytes, steps * 10);
            for point in points {
                assert!((point.claimed_bpb - 1.0).abs() < 1e-9 && (point.mean_bpb - 2.0).abs() < 1e-9);
            }
        }
    }
}
