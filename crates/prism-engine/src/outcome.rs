//! What came of an evaluation: the one object that `prism eval --json` prints, on every exit.
//!
//! Its field names are stable; a driving program reads them.

use std::path::PathBuf;

use prism_core::outcome::{Fault, Reason, Status};
use serde::{Deserialize, Serialize, Serializer};

use crate::event::GateFinding;

/// As a string, whatever it is made of: an outcome must not be lost for the sake of a name that is not UTF-8.
#[allow(clippy::ref_option, reason = "the signature that serde calls")]
fn shown_path<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    path.as_ref()
        .map(|path| path.display().to_string())
        .serialize(serializer)
}

/// The end of an evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// What became of the submission.
    pub status: Status,
    /// Whom it is to be told, if anybody.
    pub fault: Option<Fault>,
    /// The stable reason.
    pub reason: Reason,
    /// What happened, where, and what to do next. For the person at fault.
    pub detail: String,
    /// The miner's own traceback, where there is one.
    pub traceback: Option<String>,
    /// The first findings of the static gate that stopped the submission; `prism check` shows all of them.
    #[serde(default)]
    pub findings: Vec<GateFinding>,
    /// Bits per byte of the stream.
    pub bpb: Option<f64>,
    /// Its standard error.
    pub bpb_se: Option<f64>,
    /// What is ranked.
    pub bpb_ranked: Option<f64>,
    /// Bound of what may be hidden, in bits per byte.
    pub hidden_max: Option<f64>,
    /// The score, higher is better.
    pub final_score: Option<f64>,
    /// Flags of the verdict.
    pub flags: Vec<String>,
    /// Whether the run does not count.
    pub rehearsal: bool,
    /// Why not, by code.
    pub rehearsal_reasons: Vec<String>,
    /// Source bytes whose claims were accepted.
    pub covered_bytes: u64,
    /// Audits of the stream.
    pub audits: u64,
    /// Wall time of the whole evaluation, in seconds.
    pub wall_seconds: f64,
    /// The run's directory, once there is one.
    #[serde(serialize_with = "shown_path")]
    pub run_dir: Option<PathBuf>,
    /// The run's id.
    pub run_id: Option<String>,
    /// The submission's name.
    pub submission_id: Option<String>,
}

impl Outcome {
    /// An ending without a measurement.
    pub fn failed(reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            status: reason.status(),
            fault: reason.fault(),
            reason,
            detail: detail.into(),
            traceback: None,
            findings: Vec::new(),
            bpb: None,
            bpb_se: None,
            bpb_ranked: None,
            hidden_max: None,
            final_score: None,
            flags: Vec::new(),
            rehearsal: false,
            rehearsal_reasons: Vec::new(),
            covered_bytes: 0,
            audits: 0,
            wall_seconds: 0.0,
            run_dir: None,
            run_id: None,
            submission_id: None,
        }
    }

    /// The process's exit code: 0 ok, 1 the submission failed or was rejected, 2 usage, 3 this machine cannot do it.
    /// A cancelled run is 1 as well: it has no score.
    pub fn exit_code(&self) -> u8 {
        match (self.status, self.fault) {
            (Status::Completed, _) => 0,
            (_, Some(Fault::Usage)) => 2,
            (_, Some(Fault::Operator)) => 3,
            (_, Some(Fault::Miner) | None) => 1,
        }
    }
}
