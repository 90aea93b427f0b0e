//! What the interface needs of the service behind it, beyond the store: one trait and plain values.
//!
//! The service implements [`Challenge`]; tests implement it over a store. Functions under "at once" are called on threads
//! that must not wait and answer from memory; the others may block for a bounded time and are called where that is
//! allowed. None of them may show anything that is not for the public yet, except where the owner asked.

use std::sync::Arc;

use prism_core::outcome::Reason;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::prepared::Prepared;

mod board;
mod weights;

pub use board::{Board, BoardRow, BoardView, NotABoard, RoundName};
pub use weights::{NotWeights, Weights, WeightsView};

/// The service, as the interface sees it. Ids are those of submissions.
pub trait Challenge: Send + Sync + 'static {
    // At once.

    /// The ranked board of the round that counts now.
    fn board(&self) -> Arc<Board>;
    /// The weights that the master would get now.
    fn weights(&self) -> Arc<Weights>;
    /// Whether everything works, and if not what.
    fn readiness(&self) -> Readiness;
    /// Who waits and who runs.
    fn queue(&self) -> Arc<QueueView>;
    /// Where a submission stands in the queue, while it waits.
    fn place(&self, id: &str) -> Option<Place>;
    /// The devices.
    fn gpus(&self) -> GpuStatus;
    /// How far its run has come, while it runs.
    fn progress(&self, id: &str) -> Option<Progress>;
    /// The recipe of the open round, every constant with its explanation.
    fn recipe(&self) -> Arc<Prepared>;
    /// The rules: the contract, the gate's and the reviewer's.
    fn rules(&self) -> Arc<Prepared>;
    /// Whether and by whom submissions are reviewed.
    fn review(&self) -> ReviewView;
    /// A submission was stored.
    fn wake(&self);

    // These may block.

    /// Stops it for its owner, who has been verified.
    fn cancel(&self, id: &str) -> Result<(), CancelError>;
    /// Takes its owner's appeal against the reviewer; the owner has been verified.
    fn appeal(&self, id: &str, text: &str) -> Result<(), CancelError>;
    /// What the reviewer said of it, for its owner; `None` if there is no such submission.
    fn review_of(&self, id: &str) -> Result<Option<Value>, ServiceError>;
    /// What gate and similarity say of a file that is not stored.
    fn precheck(&self, filename: &str, bytes: &[u8]) -> Result<Precheck, ServiceError>;
    /// Its log from a byte on, bounded; `None` if it has none.
    fn logs(&self, id: &str, since_bytes: u64) -> Result<Option<LogPage>, ServiceError>;
    /// Its report, an HTML page of its own; `None` if there is none.
    fn report(&self, id: &str) -> Result<Option<Vec<u8>>, ServiceError>;
    /// What gate and similarity said of it, without source text; `None` until they have.
    fn findings(&self, id: &str) -> Result<Option<Prepared>, ServiceError>;
    /// The manifest of its run, as far as it is public now; `None` if there is none.
    fn manifest(&self, id: &str) -> Result<Option<Prepared>, ServiceError>;
    /// Where one is better than the other; `None` unless both are scored on the same stream.
    fn compare(&self, id: &str, other: &str) -> Result<Option<Comparison>, ServiceError>;
}

/// Something could not be done, through no fault of the client. The text is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// Too much is going on; another try may go well.
    #[error("the service is busy: {0}")]
    Busy(String),
    /// A fault of ours.
    #[error("{0}")]
    Internal(String),
}

/// Why a submission was not cancelled, or an appeal not taken.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// There is none with this id.
    #[error("submission not found")]
    NotFound,
    /// It does not stand where that could be done. A sentence for the owner.
    #[error("{0}")]
    WrongState(String),
    /// A fault of ours.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// Whether and by whom submissions are reviewed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReviewView {
    /// `enforce`, `advisory` or `off`.
    pub mode: String,
    /// The model that reads; null where nobody does.
    pub model: Option<String>,
    /// The model that must try to refute what is charged.
    pub second_model: Option<String>,
    /// Version of the reviewer's rules.
    pub rules_version: u32,
}

/// Whether the service does all that it is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Readiness {
    /// It accepts, evaluates and ranks.
    pub ready: bool,
    /// What is wrong.
    pub alarms: Vec<Alarm>,
}

/// Something that the operator should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Alarm {
    /// Stable code.
    pub code: String,
    /// What it is and what to do.
    pub sentence: String,
}

/// Who waits and who runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct QueueView {
    /// Submissions that are pending, at whatever stage.
    pub depth: u32,
    /// Submissions that are running.
    pub running: u32,
    /// Runs that can go on at once.
    pub slots: u32,
    /// Why the queue stands still, if it does.
    pub halted: Option<Alarm>,
    /// Median duration of a run of this round, in seconds; null until three are known.
    pub seconds_per_run: Option<u64>,
    /// The first of the queue, in its order.
    pub entries: Vec<QueueEntry>,
    /// Age of the submission that has waited longest, in seconds.
    pub oldest_wait_seconds: u64,
}

/// A submission in the queue.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct QueueEntry {
    /// Id of the submission.
    pub submission_id: String,
    /// Whose it is.
    pub hotkey: String,
    /// `pending` or `running`.
    pub status: String,
    /// What is done with it.
    pub stage: String,
    /// When it was accepted.
    pub created_at: String,
    /// Its place, its wait and why.
    #[serde(flatten)]
    pub place: Place,
}

/// A place in the queue.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Place {
    /// 1 is next; null for what runs.
    pub position: Option<u32>,
    /// Until it is done, in seconds; null while it is unknown.
    pub estimate_seconds: Option<u64>,
    /// Stable code of why it waits.
    pub reason: Option<String>,
    /// The same in a sentence.
    pub detail: Option<String>,
}

/// The devices, as the contract has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct GpuStatus {
    /// Devices that the service may use.
    pub total_gpus: u32,
    /// Devices in use.
    pub active_leases: u32,
    /// How many are `free`, `leased`, ...
    pub by_status: std::collections::BTreeMap<String, u32>,
    /// How many of each kind.
    pub by_tier: std::collections::BTreeMap<String, u32>,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct Progress {
    /// Bytes of text that were predicted.
    pub covered_bytes: u64,
    /// Bytes of text of the whole stream.
    pub stream_bytes: u64,
    /// Claimed bits per byte so far; null before the first step.
    pub mean_bpb: Option<f64>,
    /// Steps made.
    pub steps: u64,
}

/// What gate and similarity say.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Precheck {
    /// It would not be rejected by either, as things stand now.
    pub passes: bool,
    /// Stable code of the reason it would be rejected for.
    pub reason: Option<&'static str>,
    /// The same in a sentence.
    pub detail: Option<String>,
    /// The gate's findings.
    #[schema(value_type = Vec<Object>)]
    pub findings: Value,
    /// Earlier submissions that it resembles, the nearest first.
    pub similar: Vec<Similar>,
}

impl Precheck {
    /// It would be rejected for this reason.
    pub fn rejected(reason: Reason, detail: impl Into<String>, findings: Value) -> Self {
        Self {
            passes: false,
            reason: Some(reason.code()),
            detail: Some(detail.into()),
            findings,
            similar: Vec::new(),
        }
    }
}

/// An earlier submission that resembles.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Similar {
    /// Its id.
    pub submission_id: String,
    /// The larger of two shares, from 0 to 1: of this bundle's own code in the earlier one, and of its code in this one.
    pub similarity: f64,
}

/// A part of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LogPage {
    /// Byte of the log at which the text begins; later than asked for where older text is gone.
    pub since: u64,
    /// Byte at which the next part begins; null where nothing will follow.
    pub next: Option<u64>,
    /// The text. It comes from a submission: whoever shows it escapes it.
    pub text: String,
}

/// Where one run is better than another.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Comparison {
    /// The one.
    pub submission_id: String,
    /// The other.
    pub other_id: String,
    /// Bytes of text up to which the differences are.
    pub covered_bytes: Vec<f64>,
    /// Cumulative code length of the one less that of the other, in bits; negative where the one is better.
    pub difference_bits: Vec<f64>,
    /// Half the width of the band of 95 %, in bits.
    pub band_bits: Vec<f64>,
    /// Difference of bits per byte over everything.
    pub difference_bpb: f64,
    /// Its band.
    pub band_bpb: f64,
    /// The difference is outside of the band and above the noise floor.
    pub significant: bool,
}
