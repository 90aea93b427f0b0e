//! The objects of the interface, made of what the store says and nothing else.
//!
//! Names and types of the contract's fields are fixed; ours stand beside them. `null` means "not yet" or "not for this
//! one", never "lost".

use prism_core::outcome::Status;
use prism_core::submission::{Position, Stage};
use prism_core::time::Timestamp;
use prism_store::attempts::Attempt;
use prism_store::budgets::Used;
use prism_store::events::Event;
use prism_store::results::{Score, Stored};
use prism_store::rounds::Round;
use prism_store::submissions::Submission;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::challenge::{BoardRow, Place, Progress};

pub mod curve;

/// The flag of a run whose first losses are too good for a random start.
const ANOMALY: &str = "step0_anomaly";

/// What an upload is answered.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UploadView {
    /// A UUID of version 4.
    pub id: String,
    /// Whose it is.
    pub hotkey: String,
    /// Unix seconds of its acceptance, divided by 21,600.
    pub epoch_id: i64,
    /// `pending`, `running`, `completed`, `failed`, `rejected` or `held`.
    pub status: &'static str,
    /// SHA-256 of the base64 text of the upload.
    pub code_hash: String,
    /// When it was accepted.
    pub created_at: String,
    /// Its round.
    pub round: String,
    /// What the hotkey has used of today's budgets.
    pub budget: BudgetView,
}

impl UploadView {
    /// Of a submission, as it stood when the request was first answered.
    pub fn of(submission: &Submission, answered: Position, budget: BudgetView) -> Self {
        Self {
            id: submission.id.clone(),
            hotkey: submission.hotkey.clone(),
            epoch_id: submission.epoch_id,
            status: answered.contract_status(),
            code_hash: submission.code_hash.to_string(),
            created_at: submission.accepted_at.to_string(),
            round: submission.round_id.clone(),
            budget,
        }
    }
}

/// The budgets of a day.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BudgetView {
    /// The day, UTC.
    pub date: String,
    /// New submissions.
    pub uploads: Spent,
    /// Runs that count as scored.
    pub scored_runs: Spent,
}

impl BudgetView {
    /// What is used, of what the round allows.
    pub fn of(used: Used, round: &Round, now: Timestamp) -> Self {
        Self {
            date: Timestamp::date_of_day(now.day()),
            uploads: Spent {
                used: used.uploads,
                limit: round.uploads_per_day,
            },
            scored_runs: Spent {
                used: used.scored_runs,
                limit: round.scored_runs_per_day,
            },
        }
    }
}

/// A part of a budget.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Spent {
    /// Used today.
    pub used: u32,
    /// Allowed in a day.
    pub limit: u32,
}

/// A submission as it stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SubmissionView {
    /// A UUID of version 4.
    pub id: String,
    /// Whose it is.
    pub hotkey: String,
    /// Unix seconds of its acceptance, divided by 21,600.
    pub epoch_id: i64,
    /// `pending`, `running`, `completed`, `failed`, `rejected` or `held`.
    pub status: &'static str,
    /// SHA-256 of the base64 text of the upload.
    pub code_hash: String,
    /// When it was accepted.
    pub created_at: String,
    /// Why it was rejected, failed, is held, or waits.
    pub error: Option<String>,
    /// The score; 0 for a run that takes no rank.
    pub final_score: Option<f64>,
    /// The same.
    pub q_arch: Option<f64>,
    /// 0 once it is scored.
    pub q_recipe: Option<f64>,
    /// 1, or 0 for a run that is not believed.
    pub anti_cheat_multiplier: Option<f64>,
    /// 0 once it is scored.
    pub diversity_bonus: Option<f64>,
    /// 0 once it is scored.
    pub penalty: Option<f64>,

    /// The status in the words of this service, which knows `cancelled` and `invalidated` too.
    pub state: &'static str,
    /// Its round.
    pub round: String,
    /// The name that it gives itself.
    pub name: Option<String>,
    /// What is done with it, while it is pending or running.
    pub stage: Option<&'static str>,
    /// Stable code of why it stands where it does.
    pub reason: Option<String>,
    /// The same in a sentence.
    pub detail: Option<String>,
    /// Its place in the queue; 1 is next.
    pub position: Option<u32>,
    /// Until it is done, in seconds; null while that is unknown.
    pub estimate_seconds: Option<u64>,
    /// Bits per byte.
    pub bpb: Option<f64>,
    /// Standard error of that.
    pub bpb_se: Option<f64>,
    /// What is remarkable about its run.
    pub flags: Vec<String>,
    /// Its rank, if it takes one.
    pub rank: Option<u32>,
    /// Its tie group.
    pub tie_group: Option<u32>,
    /// It is measured once more before it takes first place.
    pub provisional: bool,
    /// Its weight.
    pub weight: Option<f64>,
    /// Bytes of text that were predicted.
    pub covered_bytes: Option<u64>,
    /// Bytes of text of the stream.
    pub stream_bytes: Option<u64>,
    /// Whether and by whom it is reviewed.
    pub review: ReviewedView,
    /// When anything of it last changed.
    pub updated_at: String,
    /// Its evaluations, oldest first; not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<Vec<AttemptView>>,
}

/// Whether and by whom a submission is reviewed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReviewedView {
    /// The mode of its round: `enforce`, `advisory` (the reviewer stops nothing) or `off`.
    pub mode: String,
    /// The model that read it; null until one did.
    pub model: Option<String>,
    /// Version of the rules that it was read by.
    pub rules_version: Option<u32>,
    /// `passed`, `rejected` or `held`; null until it is known.
    pub verdict: Option<String>,
}

impl ReviewedView {
    fn of(submission: &Submission) -> Self {
        let review = &submission.review;
        Self {
            mode: review.mode.clone(),
            model: review.model.clone(),
            rules_version: review.rules_version,
            verdict: review.verdict.clone(),
        }
    }
}

/// What is known of a submission beside its row.
#[derive(Default)]
pub(crate) struct Around<'a> {
    pub(crate) place: Option<Place>,
    pub(crate) row: Option<&'a BoardRow>,
    pub(crate) progress: Option<Progress>,
    pub(crate) result: Option<&'a Stored>,
    pub(crate) attempts: Option<Vec<AttemptView>>,
}

impl SubmissionView {
    pub(crate) fn of(submission: &Submission, around: Around<'_>) -> Self {
        let score = submission.score.as_ref();
        let final_score = score.map(|score| score.standing.final_score().unwrap_or(0.0));
        let zero = score.map(|_| 0.0);
        let (reason, detail) = why(submission, around.place.as_ref());
        let place = around.place.unwrap_or_default();
        let covered_bytes = around.progress.map(|progress| progress.covered_bytes);
        let stream_bytes = around.progress.map(|progress| progress.stream_bytes);
        Self {
            id: submission.id.clone(),
            hotkey: submission.hotkey.clone(),
            epoch_id: submission.epoch_id,
            status: submission.position.contract_status(),
            code_hash: submission.code_hash.to_string(),
            created_at: submission.accepted_at.to_string(),
            error: error(submission, detail.as_deref()),
            final_score,
            q_arch: final_score,
            q_recipe: zero,
            anti_cheat_multiplier: score.map(multiplier),
            diversity_bonus: zero,
            penalty: zero,
            state: submission.position.status(),
            round: submission.round_id.clone(),
            name: submission
                .contract
                .as_ref()
                .and_then(|contract| contract.name.clone()),
            stage: submission.position.stage().map(Stage::as_str),
            reason,
            detail,
            position: place.position,
            estimate_seconds: place.estimate_seconds,
            bpb: score.map(|score| score.bpb),
            bpb_se: score.map(|score| score.bpb_se),
            flags: flags(score),
            rank: around.row.map(|row| row.rank),
            tie_group: around.row.map(|row| row.tie_group),
            provisional: submission.is_provisional(),
            weight: around.row.map(|row| row.weight),
            covered_bytes: covered_bytes.or(around.result.map(|stored| stored.result.covered_bytes)),
            stream_bytes: stream_bytes.or(around.result.map(|stored| stored.result.stream_bytes)),
            review: ReviewedView::of(submission),
            updated_at: submission.updated_at.to_string(),
            attempts: around.attempts,
        }
    }
}

/// Why it stands where it does: of what is pending why it does not move, of everything else the reason of the last step.
fn why(submission: &Submission, place: Option<&Place>) -> (Option<String>, Option<String>) {
    let last = submission.reason.map(|reason| reason.code().to_owned());
    match (&submission.position, &submission.waiting) {
        (Position::Pending(_), Some(waiting)) => {
            let told = place.and_then(|place| place.reason.clone());
            let code = told.or_else(|| Some(waiting.why.code().to_owned()));
            let told = place.and_then(|place| place.detail.clone());
            (code, told.or_else(|| waiting.sentence.clone()))
        }
        (Position::Pending(_) | Position::Running(_) | Position::Ended(_), _) => {
            (last, Some(submission.sentence.clone()))
        }
    }
}

/// The contract's `error`: a sentence for every end without a score and for a wait that is not the queue's usual one.
fn error(submission: &Submission, detail: Option<&str>) -> Option<String> {
    match submission.position {
        Position::Pending(_) => detail.map(str::to_owned),
        Position::Running(_) | Position::Ended(Status::Completed) => None,
        Position::Ended(
            Status::Failed | Status::Rejected | Status::Held | Status::Cancelled | Status::Invalidated,
        ) => Some(submission.sentence.clone()),
    }
}

fn multiplier(score: &Score) -> f64 {
    let is_believed = score.standing.no_rank().is_none() && !score.flags.iter().any(|flag| flag == ANOMALY);
    if is_believed { 1.0 } else { 0.0 }
}

fn flags(score: Option<&Score>) -> Vec<String> {
    let Some(score) = score else {
        return Vec::new();
    };
    let mut flags = score.flags.clone();
    if let Some(no_rank) = score.standing.no_rank()
        && !flags.iter().any(|flag| flag == no_rank.code())
    {
        flags.push(no_rank.code().to_owned());
    }
    if score.rehearsal {
        flags.push("rehearsal".to_owned());
    }
    flags
}

/// One evaluation. Its seed and its nonce are not shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AttemptView {
    /// From 1.
    pub number: u32,
    /// `main` or `confirm`.
    pub kind: &'static str,
    /// `created`, `started`, `ended` or `lost`.
    pub state: &'static str,
    /// When it was to begin.
    pub created_at: String,
    /// When it began.
    pub started_at: Option<String>,
    /// When it ended.
    pub ended_at: Option<String>,
    /// Stable code of why it ended.
    pub reason: Option<&'static str>,
    /// The same in a sentence.
    pub detail: Option<String>,
    /// What it took.
    pub wall_seconds: Option<f64>,
}

impl From<Attempt> for AttemptView {
    fn from(attempt: Attempt) -> Self {
        let shown = |time: Option<Timestamp>| time.map(|time| time.to_string());
        Self {
            number: attempt.number,
            kind: attempt.kind.as_str(),
            state: attempt.state.as_str(),
            created_at: attempt.created_at.to_string(),
            started_at: shown(attempt.started_at),
            ended_at: shown(attempt.ended_at),
            reason: attempt.reason.map(prism_core::outcome::Reason::code),
            detail: attempt.sentence,
            wall_seconds: attempt.wall_seconds,
        }
    }
}

/// Something that happened to a submission.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventView {
    /// Its number; later events have larger ones.
    pub seq: i64,
    /// When.
    pub at: String,
    /// The status from then on, in the words of the contract.
    pub status: &'static str,
    /// The status in the words of this service.
    pub state: &'static str,
    /// The stage from then on.
    pub stage: Option<&'static str>,
    /// Stable code of why.
    pub reason: Option<&'static str>,
    /// What happened, in a sentence.
    pub detail: String,
    /// `service`, `owner` or `operator`.
    pub by: String,
    /// What it rests on.
    #[schema(value_type = Option<Object>)]
    pub evidence: Option<Box<RawValue>>,
}

impl EventView {
    /// Fails only where the store holds evidence that is no JSON, which it refuses to.
    pub fn of(event: Event) -> Result<Self, serde_json::Error> {
        Ok(Self {
            seq: event.seq,
            at: event.at.to_string(),
            status: event.position.contract_status(),
            state: event.position.status(),
            stage: event.position.stage().map(Stage::as_str),
            reason: event.reason.map(prism_core::outcome::Reason::code),
            detail: event.sentence,
            by: event.by.to_string(),
            evidence: event.evidence_json.map(RawValue::from_string).transpose()?,
        })
    }
}
