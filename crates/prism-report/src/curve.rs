//! A published learning curve: what `curve.json` holds, and what a chart is drawn of.
//!
//! The engine thins a run's curve to what may be published; a completed run has it in its manifest, another one in a
//! file of its own, an unfinished one in its events.

use serde::{Deserialize, Serialize};

use crate::manifest::Manifest;

/// A curve with what it is held against. The lists have one entry a point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PublishedCurve {
    /// Source bytes of the whole stream.
    pub stream_bytes: u64,
    /// The least that any model can reach, where the corpus knows it.
    pub entropy_floor_bpb: Option<f64>,
    /// Source bytes accepted up to each point.
    pub covered_bytes: Vec<u64>,
    /// Claimed bits per byte since the point before.
    pub claimed_bpb: Vec<f64>,
    /// Estimated bits per byte of everything accepted up to each point.
    pub mean_bpb: Vec<f64>,
}

impl PublishedCurve {
    /// Of a completed run.
    pub fn of(manifest: &Manifest) -> Self {
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
    pub fn points(&self, values: &[f64]) -> Vec<(f64, f64)> {
        self.covered_bytes
            .iter()
            .zip(values)
            .map(|(&bytes, &value)| (bytes as f64, value))
            .collect()
    }
}
