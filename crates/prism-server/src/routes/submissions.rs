//! Submissions as everybody may see them: one, a list, how many a day.

use std::sync::Arc;

use axum::extract::State;
use http::HeaderMap;
use prism_core::outcome::Status;
use prism_core::submission::{Position, Stage};
use prism_core::time::Timestamp;
use prism_store::attempts::{self, Attempt};
use prism_store::results::{self, Stored};
use prism_store::submissions::{self, Filter, Submission};
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::{PathPart, no_submission, prepared, tagged_json};
use crate::app::{Answer, App};
use crate::cache::Key;
use crate::challenge::Board;
use crate::cursor;
use crate::params::Params;
use crate::wire::{Around, AttemptView, SubmissionView};

const LIMIT_MAX: i64 = 200;
const LIMIT_DEFAULT: i64 = 50;
const DAYS_MAX: i64 = 366;
const DAYS_DEFAULT: i64 = 90;
/// Characters of an id or a hotkey in a filter.
const FILTER_CHARACTERS_MAX: usize = 128;
const STATES: &str =
    "'pending', 'running', 'completed', 'failed', 'rejected', 'held', 'cancelled' or 'invalidated'";

/// How many were submitted on a day.
#[derive(Serialize, ToSchema)]
struct SubmissionsOfDay {
    /// UTC.
    date: String,
    /// At least 1.
    count: u64,
}

/// A part of the list.
#[derive(Serialize, ToSchema)]
struct SubmissionList {
    /// The newest first.
    submissions: Vec<SubmissionView>,
    /// Cursor of the next part; null after the last.
    next: Option<String>,
}

/// A submission as it stands, and what is known beside its row.
pub(super) struct Found {
    pub(super) submission: Submission,
    pub(super) attempts: Vec<Attempt>,
    pub(super) result: Option<Stored>,
}

/// Looks a submission up; 404 where there is none.
pub(super) async fn find(app: &Arc<App>, id: String) -> Answer<Found> {
    app.read(move |tx| {
        let Some(submission) = submissions::find(tx, &id)? else {
            return Ok(None);
        };
        let attempts = attempts::of(tx, &id)?;
        let result = match &submission.score {
            Some(score) => Some(results::get_result(tx, score.result_id)?),
            None => None,
        };
        Ok(Some(Found {
            submission,
            attempts,
            result,
        }))
    })
    .await?
    .ok_or_else(no_submission)
}

/// The same as an object of the interface.
pub(super) fn view(app: &App, board: &Board, found: Found) -> SubmissionView {
    let id = &found.submission.id;
    let around = Around {
        place: place(app, &found.submission),
        row: board.row(id),
        progress: progress(app, &found.submission),
        result: found.result.as_ref(),
        attempts: Some(found.attempts.into_iter().map(AttemptView::from).collect()),
    };
    SubmissionView::of(&found.submission, around)
}

fn place(app: &App, submission: &Submission) -> Option<crate::challenge::Place> {
    match submission.position {
        Position::Pending(_) | Position::Running(_) => app.challenge.place(&submission.id),
        Position::Ended(_) => None,
    }
}

fn progress(app: &App, submission: &Submission) -> Option<crate::challenge::Progress> {
    match submission.position {
        Position::Running(_) => app.challenge.progress(&submission.id),
        Position::Pending(_) | Position::Ended(_) => None,
    }
}

/// How a submission stands.
#[utoipa::path(
    get, path = "/v1/submissions/{id}", tag = "submissions",
    params(("id" = String, Path, description = "id of the submission")),
    responses((status = 200, body = SubmissionView), (status = 404))
)]
pub(super) async fn status(
    State(app): State<Arc<App>>,
    PathPart(id): PathPart,
    headers: HeaderMap,
) -> Answer {
    let board = app.challenge.board();
    let before = match app.completed.get(&id, &board) {
        Ok(prepared) => return Ok(prepared.answer(&headers)),
        Err(before) => before,
    };
    let found = find(&app, id).await?;
    if !is_at_rest(&found) {
        return tagged_json(&headers, &view(&app, &board, found));
    }
    let submission = (found.submission.id.clone(), found.submission.seq);
    let answer = prepared(&view(&app, &board, found))?;
    app.completed.keep(before, submission, &board, &answer);
    Ok(answer.answer(&headers))
}

/// Whether nothing moves in it any more, unless an event says so.
fn is_at_rest(found: &Found) -> bool {
    found.submission.position == Position::Ended(Status::Completed)
        && found
            .attempts
            .iter()
            .all(|attempt| matches!(attempt.state, attempts::State::Ended | attempts::State::Lost))
}

/// Submissions, the newest first.
#[utoipa::path(
    get, path = "/v1/submissions", tag = "submissions",
    params(
        ("hotkey" = Option<String>, Query, description = "of this hotkey", max_length = 128),
        (
            "status" = Option<String>, Query, description = "one of the eight states",
            pattern = "^(pending|running|completed|failed|rejected|held|cancelled|invalidated)$"
        ),
        (
            "stage" = Option<String>, Query, description = "in this stage",
            pattern = "^(received|contract|gate|similarity|review|queued|training|scoring|confirming)$"
        ),
        ("round" = Option<String>, Query, description = "of the round with this id", max_length = 128),
        ("epoch_id" = Option<i64>, Query, description = "of this epoch", minimum = 0),
        (
            "cursor" = Option<String>, Query, description = "`next` of the part before",
            pattern = "^s(0|[1-7][0-9a-f]{15}|[1-9a-f][0-9a-f]{0,14})$"
        ),
        ("limit" = Option<i64>, Query, description = "1 to 200, 50 if missing", minimum = 1, maximum = 200),
    ),
    responses((status = 200, body = SubmissionList), (status = 422))
)]
pub(super) async fn list(State(app): State<Arc<App>>, params: Params, headers: HeaderMap) -> Answer {
    let (filter, cursor, limit) = asked(&params)?;
    let page = app
        .read(move |tx| submissions::list(tx, &filter, cursor, limit))
        .await?;
    let board = app.challenge.board();
    let submissions = page
        .submissions
        .iter()
        .map(|submission| {
            let around = Around {
                place: place(&app, submission),
                row: board.row(&submission.id),
                progress: progress(&app, submission),
                ..Around::default()
            };
            SubmissionView::of(submission, around)
        })
        .collect();
    let list = SubmissionList {
        submissions,
        next: page.next.map(cursor::text),
    };
    tagged_json(&headers, &list)
}

/// What a query asks for: which ones, where the list goes on, how many.
pub(crate) fn asked(params: &Params) -> Answer<(Filter, Option<i64>, u32)> {
    let filter = Filter {
        hotkey: params
            .short_text("hotkey", FILTER_CHARACTERS_MAX)?
            .map(str::to_owned),
        status: params.word("status", STATES, state)?,
        stage: params.word("stage", "a stage such as 'queued'", Stage::parse)?,
        round: params
            .short_text("round", FILTER_CHARACTERS_MAX)?
            .map(str::to_owned),
        epoch: params.integer("epoch_id", 0..=i64::MAX)?,
        architecture: None,
    };
    let cursor = cursor::of(params)?;
    let limit = params.integer("limit", 1..=LIMIT_MAX)?.unwrap_or(LIMIT_DEFAULT);
    Ok((filter, cursor, u32::try_from(limit).unwrap_or(1)))
}

fn state(word: &str) -> Option<String> {
    let is_state = ["pending", "running"].contains(&word) || Status::parse(word).is_some();
    is_state.then(|| word.to_owned())
}

/// How many were submitted on each day.
#[utoipa::path(
    get, path = "/v1/submissions/history", tag = "submissions",
    params(("days" = Option<i64>, Query, description = "1 to 366, 90 if missing", minimum = 1, maximum = 366)),
    responses((status = 200, body = Vec<SubmissionsOfDay>), (status = 422))
)]
pub(super) async fn history(State(app): State<Arc<App>>, params: Params, headers: HeaderMap) -> Answer {
    let days = params.integer("days", 1..=DAYS_MAX)?.unwrap_or(DAYS_DEFAULT);
    let since = app.now().day() - days + 1;
    let kept = app
        .kept(Key::History(since), move |tx| {
            let days = submissions::counts_by_day(tx, since)?.into_iter();
            Ok(days
                .map(|(day, count)| SubmissionsOfDay {
                    date: Timestamp::date_of_day(day),
                    count,
                })
                .collect::<Vec<_>>())
        })
        .await?;
    Ok(kept.answer(&headers))
}
