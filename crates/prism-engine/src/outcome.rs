//! What came of an evaluation: the one object that `prism eval --json` prints, on every exit.
//!
//! Its field names are stable; a driving program reads them.

use std::borrow::Cow;
use std::path::PathBuf;

use prism_core::{
    advice::Advice,
    failure::Failure,
    outcome::{Fault, Reason, Status},
    rank::Standing,
};
use prism_report::About;
use serde::{Deserialize, Serialize, Serializer};

use crate::event::GateFinding;

/// A bound above this share of the code length says nothing about it.
const HIDDEN_SHARE_MAX: f64 = 0.05;

/// As a string, whatever it is made of: an outcome must not be lost for the sake of a name that is not UTF-8.
#[allow(clippy::ref_option, reason = "the signature that serde calls")]
fn shown_path<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    path.as_ref()
        .map(|path| path.display().to_string())
        .serialize(serializer)
}

/// How a measurement ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// There is a score.
    Scored(Box<Score>),
    /// There is none, and this is why.
    Failed(Failure),
}

/// What a completed measurement found.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// Why the stream ended.
    pub reason: Reason,
    /// The same in words, with what it cost.
    pub detail: String,
    /// Bits per byte of the stream.
    pub bpb: f64,
    /// Its standard error.
    pub bpb_se: f64,
    /// Bound of what may be hidden, in bits per byte.
    pub hidden_max_bpb: f64,
    /// Whether it takes a rank, and with which figures.
    pub standing: Standing,
    /// How far audits and claims differ: root mean square, in nats. Absent where nothing was audited.
    pub claims_rms_nats: Option<f64>,
    /// Flags of the verdict, by code.
    pub flags: Vec<String>,
    /// Audits of the stream.
    pub audits: u64,
}

/// The end of an evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// What became of the submission.
    pub status: Status,
    /// Who is at fault, if anyone.
    pub fault: Option<Fault>,
    /// The stable reason.
    pub reason: Reason,
    /// What happened, where, and what to do next. For the person at fault.
    pub detail: String,
    /// The end of `detail` that says what to do next. Within the process alone: no file and no `--json` has it apart.
    #[serde(skip)]
    pub hint: Option<Cow<'static, str>>,
    /// The miner's own traceback, where there is one.
    pub traceback: Option<String>,
    /// The first findings of the static gate that stopped the submission; `prism check` shows all of them.
    #[serde(default)]
    pub findings: Vec<GateFinding>,
    /// Bits per byte of the stream.
    pub bpb: Option<f64>,
    /// Its standard error.
    pub bpb_se: Option<f64>,
    /// Whether it takes a rank: completed, with claims that were found true. (Whether it counts, `rehearsal` says.)
    #[serde(default)]
    pub ranked: bool,
    /// Why a completed run takes no rank, by code.
    #[serde(default)]
    pub no_rank: Option<String>,
    /// What is ranked; absent where no rank is taken.
    pub bpb_ranked: Option<f64>,
    /// Bound of what may be hidden, in bits per byte.
    pub hidden_max: Option<f64>,
    /// The score, higher is better; absent where no rank is taken.
    pub final_score: Option<f64>,
    /// How far audits and claims differ: root mean square, in nats.
    #[serde(default)]
    pub claims_rms_nats: Option<f64>,
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
    /// What the run is of, once it has a directory.
    #[serde(default)]
    pub about: Option<About>,
}

impl Outcome {
    /// A completed measurement.
    pub fn scored(score: Score) -> Self {
        let Score {
            reason,
            detail,
            bpb,
            bpb_se,
            hidden_max_bpb,
            standing,
            claims_rms_nats,
            flags,
            audits,
        } = score;
        Self {
            bpb: Some(bpb),
            bpb_se: Some(bpb_se),
            ranked: standing.no_rank().is_none(),
            no_rank: standing.no_rank().map(|why| why.code().to_owned()),
            bpb_ranked: standing.bpb_ranked(),
            hidden_max: Some(hidden_max_bpb),
            final_score: standing.final_score(),
            claims_rms_nats,
            flags,
            audits,
            ..Self::without_figures(reason, detail)
        }
    }

    /// An ending without a measurement.
    pub fn failed(reason: Reason, detail: impl Into<String>) -> Self {
        Self::without_figures(reason, detail.into())
    }

    /// The same of a failure.
    pub fn of(failure: Failure) -> Self {
        let mut outcome = Self::failed(failure.reason, failure.told());
        outcome.hint = failure.hint;
        outcome.traceback = failure.traceback;
        outcome
    }

    /// What happened, without what to do next.
    pub fn what_happened(&self) -> &str {
        let advice = self
            .hint
            .as_deref()
            .and_then(|hint| self.detail.strip_suffix(hint));
        advice
            .and_then(|what| what.strip_suffix("; "))
            .unwrap_or(&self.detail)
    }

    fn without_figures(reason: Reason, detail: String) -> Self {
        Self {
            status: reason.status(),
            fault: reason.fault(),
            reason,
            detail,
            hint: None,
            traceback: None,
            findings: Vec::new(),
            bpb: None,
            bpb_se: None,
            ranked: false,
            no_rank: None,
            bpb_ranked: None,
            hidden_max: None,
            final_score: None,
            claims_rms_nats: None,
            flags: Vec::new(),
            rehearsal: false,
            rehearsal_reasons: Vec::new(),
            covered_bytes: 0,
            audits: 0,
            wall_seconds: 0.0,
            run_dir: None,
            run_id: None,
            submission_id: None,
            about: None,
        }
    }

    /// Takes over where a completed run stands: the only place that fills in what is ranked.
    pub fn stand(&mut self, standing: &Standing) {
        self.ranked = standing.no_rank().is_none();
        self.no_rank = standing.no_rank().map(|why| why.code().to_owned());
        self.bpb_ranked = standing.bpb_ranked();
        self.final_score = standing.final_score();
    }

    /// The bound of what may be hidden, where it says something: it is far above the truth where few targets are
    /// audited, and means nothing where claims are untrue.
    pub fn hidden_worth_telling(&self) -> Option<f64> {
        let (hidden, bpb) = (self.hidden_max?, self.bpb_ranked?);
        (hidden <= HIDDEN_SHARE_MAX * bpb).then_some(hidden)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_told_where_it_bounds_something() {
        let of = |bpb_ranked, hidden_max| {
            let mut outcome = Outcome::failed(Reason::EndOfData, "");
            outcome.bpb_ranked = bpb_ranked;
            outcome.hidden_max = hidden_max;
            outcome.hidden_worth_telling()
        };
        assert_eq!(of(Some(4.0), Some(0.01)), Some(0.01));
        assert_eq!(of(Some(4.0), Some(0.24)), None, "too few audits");
        assert_eq!(of(None, Some(0.01)), None, "claims that are untrue");
        assert_eq!(of(Some(4.0), None), None);
    }
}
