//! What happens to a submission, as it happens: server-sent events.
//!
//! A stream is the rows of the store after a number, sent as they appear, and the progress of the run in between. It holds
//! one page of rows, wakes when the store has committed something of its submission, says that it lives, and ends: with the
//! submission, after a bounded time, or when the server stops. A reconnect with `Last-Event-ID` misses nothing.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::IntoResponse as _;
use http::{HeaderMap, HeaderValue, header};
use prism_core::submission::Position;
use prism_store::events::{self, Event};
use prism_store::submissions;
use serde_json::json;
use tokio::time::{Instant, interval_at, sleep, sleep_until};
use utoipa::ToSchema;

use super::events::views;
use crate::answer::{PathPart, no_submission};
use crate::app::{Answer, App};
use crate::challenge::Progress;
use crate::channel_body::{self, Gone, PieceSender};
use crate::edge::Client;
use crate::followers::Follower;
use crate::network::ClientKey;
use crate::params::Params;
use crate::problem::{Code, Problem};
use crate::tally::NoRoom;

/// Rows that are read at once.
const PAGE: u32 = 64;
/// Commits that come close together wake a stream once.
const WAKE_PAUSE: Duration = Duration::from_millis(100);
/// After which a client connects again.
const RETRY_MILLISECONDS: u32 = 2000;
const BUSY_SECONDS: u64 = 10;

/// A message of a stream.
#[derive(ToSchema)]
#[allow(dead_code, reason = "a description of what is written as text")]
pub(super) struct StreamMessage {
    /// Number of the event, for `Last-Event-ID`; of stages only.
    id: Option<String>,
    /// `stage`, `progress` or `end`.
    event: String,
    /// JSON: an event, a progress, or the status at the end.
    data: String,
}

/// Events as they happen, then `end`; `progress` while it runs; a comment each 10 seconds. Ends by itself after 10 minutes.
#[utoipa::path(
    get, path = "/v1/submissions/{id}/events/stream", tag = "submissions",
    params(
        ("id" = String, Path, description = "id of the submission"),
        ("Last-Event-ID" = Option<String>, Header, description = "events after this one only"),
        ("after" = Option<i64>, Query, description = "the same, for a client that cannot set headers", minimum = 0),
    ),
    responses((status = 200, body = StreamMessage, content_type = "text/event-stream"), (status = 404), (status = 422))
)]
pub(super) async fn stream(
    State(app): State<Arc<App>>,
    PathPart(id): PathPart,
    Client(client): Client,
    params: Params,
    headers: HeaderMap,
) -> Answer {
    let asked = params.integer("after", 0..=i64::MAX)?;
    let after = last_event_id(&headers).or(asked).unwrap_or(0);
    let found = {
        let id = id.clone();
        app.read(move |tx| submissions::find(tx, &id)).await?
    };
    let Some(submission) = found else {
        return Err(no_submission());
    };
    let held = app
        .streams
        .enter(ClientKey::of(client), app.is_unlimited(client))
        .map_err(|no_room| match no_room {
            NoRoom::All => Problem::new(
                Code::Busy,
                "too many streams are open; ask for `/events` meanwhile",
            ),
            NoRoom::Client => Problem::new(
                Code::RateLimited,
                "you have too many streams open; close one, or ask for `/events`",
            ),
        })
        .map_err(|problem| problem.retry_after(BUSY_SECONDS))?;
    let (sender, body) = channel_body::channel();
    tokio::spawn(async move {
        let _held = held;
        app.metrics.streams.inc();
        let end = Instant::now() + app.settings.limits.stream_duration;
        let teller = Teller {
            app: Arc::clone(&app),
            id,
            follower: app.followers.follow(submission.seq),
            after,
            sender,
            progress: None,
        };
        tokio::select! {
            // Told to the end, or nobody listens.
            told = teller.tell() => drop(told),
            () = app.stop.cancelled() => {}
            () = sleep_until(end) => {}
        }
        app.metrics.streams.dec();
    });
    let mut response = Body::new(body).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that would collect the answer are asked not to.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// What is no number is not ours, and nothing is known to have been seen.
fn last_event_id(headers: &HeaderMap) -> Option<i64> {
    let text = headers.get("last-event-id")?.to_str().ok()?;
    text.trim().parse().ok().filter(|&seq| seq >= 0)
}

struct Teller {
    app: Arc<App>,
    id: String,
    follower: Follower,
    /// The last event that was told.
    after: i64,
    sender: PieceSender,
    progress: Option<Progress>,
}

/// Why a stream is at its end.
enum Over {
    /// Nobody listens.
    Gone,
    /// The store could not be asked; the client will come again.
    Failed,
}

impl From<Gone> for Over {
    fn from(Gone: Gone) -> Self {
        Self::Gone
    }
}

impl Teller {
    async fn tell(mut self) -> Result<(), Over> {
        let limits = &self.app.settings.limits;
        let now = Instant::now();
        let mut comments = interval_at(now + limits.stream_comment, limits.stream_comment);
        let mut looks = interval_at(now + limits.stream_progress, limits.stream_progress);
        self.sender
            .send(format!("retry: {RETRY_MILLISECONDS}\n\n"))
            .await?;
        loop {
            // Before the store is read: what is committed from here on wakes us again.
            self.follower.mark_seen();
            let position = self.tell_rows().await?;
            if let Position::Ended(_) = position {
                let data = json!({"status": position.contract_status(), "state": position.status()});
                self.sender.send(message("end", None, &data.to_string())).await?;
                return Ok(());
            }
            loop {
                tokio::select! {
                    () = self.follower.woken() => {
                        sleep(WAKE_PAUSE).await;
                        break;
                    }
                    _ = comments.tick() => self.sender.send(": here\n\n").await?,
                    _ = looks.tick() => self.tell_progress(position).await?,
                    () = self.sender.gone() => return Err(Over::Gone),
                }
            }
        }
    }

    /// Sends every row that is new; where the submission stood after the last of them.
    async fn tell_rows(&mut self) -> Result<Position, Over> {
        loop {
            let (events, position) = self.page().await.map_err(|_| Over::Failed)?;
            let is_last = events.len() < PAGE as usize;
            for event in views(events).map_err(|_| Over::Failed)? {
                let data = serde_json::to_string(&event).map_err(|_| Over::Failed)?;
                self.sender.send(message("stage", Some(event.seq), &data)).await?;
                self.after = event.seq;
            }
            if is_last {
                return Ok(position);
            }
        }
    }

    async fn page(&self) -> Answer<(Vec<Event>, Position)> {
        let (id, after) = (self.id.clone(), self.after);
        self.app
            .read(move |tx| {
                let position = submissions::get(tx, &id)?.position;
                Ok((events::of(tx, &id, after, PAGE)?, position))
            })
            .await
    }

    async fn tell_progress(&mut self, position: Position) -> Result<(), Gone> {
        let Position::Running(_) = position else {
            return Ok(());
        };
        let progress = self.app.challenge.progress(&self.id);
        if let Some(present) = progress.filter(|_| progress != self.progress) {
            self.progress = progress;
            // Numbers of a run are finite or absent; what has no JSON form is not told.
            if let Ok(data) = serde_json::to_string(&present) {
                self.sender.send(message("progress", None, &data)).await?;
            }
        }
        Ok(())
    }
}

/// A message in the form of the standard. Data of several lines stays one message.
fn message(event: &str, id: Option<i64>, data: &str) -> String {
    let mut text = String::with_capacity(data.len() + 64);
    if let Some(id) = id {
        text.push_str("id: ");
        text.push_str(&id.to_string());
        text.push('\n');
    }
    text.push_str("event: ");
    text.push_str(event);
    text.push('\n');
    for line in data.split(['\n', '\r']) {
        text.push_str("data: ");
        text.push_str(line);
        text.push('\n');
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_data_ends_its_message() {
        assert_eq!(
            message("stage", Some(7), "{}"),
            "id: 7\nevent: stage\ndata: {}\n\n"
        );
        assert_eq!(
            message("end", None, "a\n\nid: 9\rb"),
            "event: end\ndata: a\ndata: \ndata: id: 9\ndata: b\n\n"
        );
    }

    #[test]
    fn only_a_number_is_a_last_event() {
        for (text, expected) in [
            ("5", Some(5)),
            (" 5 ", Some(5)),
            ("-5", None),
            ("x", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("last-event-id", HeaderValue::from_static(text));
            assert_eq!(last_event_id(&headers), expected, "{text}");
        }
    }
}
