//! Who leads: the contract's leaderboard of an epoch, the board of the round, and what the contract shows beside it.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use prism_core::time::{EPOCH_SECONDS, Timestamp};
use prism_store::results::{Scope, Scored, scored};
use prism_store::submissions::{self, Filter};
use prism_store::{Read, attempts};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::answer::{json, tagged_json};
use crate::app::{Answer, App};
use crate::cache::Key;
use crate::challenge::{Board, BoardView, GpuStatus};
use crate::params::Params;

/// Entries of a leaderboard.
const ENTRIES_MAX: usize = 50;
/// Scores that differ by less are one.
const GRID: f64 = 1e-9;
const LIMIT_MAX: i64 = 200;
const LIMIT_DEFAULT: i64 = 50;

/// The leaderboard of an epoch.
#[derive(Serialize, ToSchema)]
struct Leaderboard {
    /// Which epoch.
    epoch_id: i64,
    /// The best first, one for each hotkey, at most 50.
    entries: Vec<LeaderboardEntry>,
}

/// A line of a leaderboard.
#[derive(Serialize, ToSchema)]
struct LeaderboardEntry {
    /// From 1, without gaps.
    rank: u32,
    /// Whose it is.
    hotkey: String,
    /// The score.
    score: f64,
    /// Id of the submission.
    submission_id: String,
    /// Bits per byte.
    bpb: f64,
    /// Standard error of that.
    bpb_se: f64,
    /// Tie group on the board of the round, if it takes a rank there.
    tie_group: Option<u32>,
    /// Its score is still to be confirmed.
    provisional: bool,
}

/// The best submissions of an epoch, by default of the present one; `/v1/board` has those of the round.
#[utoipa::path(
    get, path = "/v1/leaderboard", tag = "board",
    params(("epoch_id" = Option<i64>, Query, description = "the present one if missing", minimum = 0)),
    responses((status = 200, body = Leaderboard), (status = 422))
)]
pub(super) async fn leaderboard(State(app): State<Arc<App>>, params: Params, headers: HeaderMap) -> Answer {
    let asked = params.integer("epoch_id", 0..=i64::MAX)?;
    let epoch_id = asked.unwrap_or_else(|| app.now().epoch_id());
    let challenge = Arc::clone(&app.challenge);
    let kept = app
        .kept(Key::Leaderboard(epoch_id), move |tx| {
            let entries = entries(scored(tx, &Scope::Epoch(epoch_id))?, &challenge.board());
            Ok(Leaderboard { epoch_id, entries })
        })
        .await?;
    Ok(kept.answer(&headers))
}

/// The best of each hotkey, in the order of the contract.
fn entries(mut all: Vec<Scored>, board: &Board) -> Vec<LeaderboardEntry> {
    let mut ranked: Vec<(f64, Scored)> = all
        .drain(..)
        .filter(|scored| !scored.score.rehearsal)
        .filter_map(|scored| scored.score.standing.final_score().map(|score| (score, scored)))
        .collect();
    let on_grid = |score: f64| (score / GRID + 0.5).floor();
    ranked.sort_by(|(a_score, a), (b_score, b)| {
        on_grid(*b_score)
            .total_cmp(&on_grid(*a_score))
            .then_with(|| a.accepted_at.cmp(&b.accepted_at))
            .then_with(|| a.submission.cmp(&b.submission))
    });
    let mut seen = HashSet::new();
    ranked.retain(|(_, scored)| seen.insert(scored.hotkey.clone()));
    ranked
        .into_iter()
        .take(ENTRIES_MAX)
        .zip(1_u32..)
        .map(|((score, scored), rank)| LeaderboardEntry {
            rank,
            score,
            bpb: scored.score.bpb,
            bpb_se: scored.score.bpb_se,
            tie_group: board.row(&scored.submission).map(|row| row.tie_group),
            provisional: scored.provisional,
            hotkey: scored.hotkey,
            submission_id: scored.submission,
        })
        .collect()
}

/// The board of the round, with tie groups, weights and the noise floor.
#[utoipa::path(get, path = "/v1/board", tag = "board", responses((status = 200, body = BoardView)))]
pub(super) async fn board(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    app.challenge.board().prepared().answer(&headers)
}

/// The present epoch.
#[utoipa::path(get, path = "/v1/epochs/current", tag = "board", responses((status = 200, body = Object)))]
pub(super) async fn current_epoch(State(app): State<Arc<App>>) -> Answer {
    json(&json!({"epoch_id": app.now().epoch_id(), "epoch_seconds": EPOCH_SECONDS}))
}

/// An epoch with a submission.
#[derive(Serialize, ToSchema)]
struct Epoch {
    /// Unix seconds divided by 21,600.
    id: i64,
    /// When it began.
    starts_at: String,
    /// When it ends.
    ends_at: String,
    /// Always `open`.
    status: &'static str,
}

/// Epochs with a submission, the newest first.
#[utoipa::path(
    get, path = "/v1/epochs", tag = "board",
    params(("limit" = Option<i64>, Query, description = "1 to 200, 50 if missing", minimum = 1, maximum = 200)),
    responses((status = 200, body = Vec<Epoch>), (status = 422))
)]
pub(super) async fn epochs(State(app): State<Arc<App>>, params: Params, headers: HeaderMap) -> Answer {
    let limit = limit(&params)?;
    let ids = app.read(move |tx| submissions::epochs(tx, limit)).await?;
    let start = |id: i64| Timestamp::from_seconds(id.saturating_mul(EPOCH_SECONDS)).to_string();
    let list: Vec<Epoch> = ids
        .into_iter()
        .map(|id| Epoch {
            id,
            starts_at: start(id),
            ends_at: start(id.saturating_add(1)),
            status: "open",
        })
        .collect();
    tagged_json(&headers, &list)
}

fn limit(params: &Params) -> Answer<u32> {
    let limit = params.integer("limit", 1..=LIMIT_MAX)?.unwrap_or(LIMIT_DEFAULT);
    Ok(u32::try_from(limit).unwrap_or(1))
}

/// The evaluation of a submission.
#[derive(Serialize, ToSchema)]
struct EvalJob {
    /// That of the submission: it has one job.
    id: String,
    /// Id of the submission.
    submission_id: String,
    /// The executor of its last attempt; `l1` before the first.
    level: String,
    /// In the words of the contract.
    status: &'static str,
    /// Attempts so far.
    attempts: usize,
    /// When it was accepted.
    created_at: String,
    /// When anything of it last changed.
    updated_at: String,
}

/// Evaluations, the newest first.
#[utoipa::path(
    get, path = "/v1/health/eval-jobs", tag = "service",
    params(("limit" = Option<i64>, Query, description = "1 to 200, 50 if missing", minimum = 1, maximum = 200)),
    responses((status = 200, body = Vec<EvalJob>), (status = 422))
)]
pub(super) async fn eval_jobs(State(app): State<Arc<App>>, params: Params, headers: HeaderMap) -> Answer {
    let limit = limit(&params)?;
    let jobs = app.read(move |tx| jobs(tx, limit)).await?;
    tagged_json(&headers, &jobs)
}

fn jobs(tx: &Read, limit: u32) -> prism_store::Result<Vec<EvalJob>> {
    let page = submissions::list(tx, &Filter::default(), None, limit)?;
    page.submissions
        .into_iter()
        .map(|submission| {
            let attempts = attempts::of(tx, &submission.id)?;
            Ok(EvalJob {
                id: submission.id.clone(),
                level: attempts
                    .last()
                    .map_or_else(|| "l1".to_owned(), |last| last.executor.clone()),
                status: submission.position.contract_status(),
                attempts: attempts.len(),
                created_at: submission.accepted_at.to_string(),
                updated_at: submission.updated_at.to_string(),
                submission_id: submission.id,
            })
        })
        .collect()
}

/// The devices.
#[utoipa::path(get, path = "/v1/gpu/status", tag = "service", responses((status = 200, body = GpuStatus)))]
pub(super) async fn gpu_status(State(app): State<Arc<App>>) -> Answer {
    json(&app.challenge.gpus())
}
