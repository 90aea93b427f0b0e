//! What happened to a submission, as a list.

use std::sync::Arc;

use axum::extract::State;
use http::HeaderMap;
use prism_store::events::{self, Event};
use prism_store::submissions;
use serde::Serialize;
use tracing::error;
use utoipa::ToSchema;

use crate::answer::{PathPart, no_submission, tagged_json};
use crate::app::{Answer, App};
use crate::params::Params;
use crate::problem::Problem;
use crate::wire::EventView;

const LIMIT_MAX: i64 = 1000;
const LIMIT_DEFAULT: i64 = 200;

/// A part of the events of a submission.
#[derive(Serialize, ToSchema)]
struct EventList {
    /// The oldest first.
    events: Vec<EventView>,
}

/// What happened to a submission, the oldest first.
#[utoipa::path(
    get, path = "/v1/submissions/{id}/events", tag = "submissions",
    params(
        ("id" = String, Path, description = "id of the submission"),
        ("after" = Option<i64>, Query, description = "events with a larger number only", minimum = 0),
        ("limit" = Option<i64>, Query, description = "1 to 1000, 200 if missing", minimum = 1, maximum = 1000),
    ),
    responses((status = 200, body = EventList), (status = 404), (status = 422))
)]
pub(super) async fn events(
    State(app): State<Arc<App>>,
    PathPart(id): PathPart,
    params: Params,
    headers: HeaderMap,
) -> Answer {
    let after = params.integer("after", 0..=i64::MAX)?.unwrap_or(0);
    let limit = params.integer("limit", 1..=LIMIT_MAX)?.unwrap_or(LIMIT_DEFAULT);
    let limit = u32::try_from(limit).unwrap_or(1);
    let events = app
        .read(move |tx| match submissions::find(tx, &id)? {
            Some(_) => events::of(tx, &id, after, limit).map(Some),
            None => Ok(None),
        })
        .await?
        .ok_or_else(no_submission)?;
    tagged_json(
        &headers,
        &EventList {
            events: views(events)?,
        },
    )
}

/// Events as objects of the interface.
pub(super) fn views(events: Vec<Event>) -> Answer<Vec<EventView>> {
    let views: Result<Vec<_>, _> = events.into_iter().map(EventView::of).collect();
    views.map_err(|failure| {
        error!(error = %failure, "the evidence of an event is no JSON");
        Problem::internal()
    })
}
