//! What is left of a body after an early answer: read on for nothing, up to a bound.
//!
//! Whoever refuses a request by its head does not read its body. A connection that is closed while bytes are unread is
//! reset, and most clients send everything before they look: they would see a broken connection and not the answer. So the
//! answer goes out at once, and the rest is read beside it, bounded in bytes and in time. Around all routes, within
//! [`crate::edge::observe`]. Never keeps what it reads, and never waits for a client that was told to go on or was too slow.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http::{StatusCode, header};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, timeout};

use crate::app::App;

/// So many times the largest body are read.
const LARGEST_BODIES: usize = 4;
/// Between two pieces.
const PAUSE: Duration = Duration::from_secs(5);
/// For all of it.
const TOTAL: Duration = Duration::from_secs(30);

/// The layer.
pub(crate) async fn read_on(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let waits_to_be_told = request.headers().contains_key(header::EXPECT);
    let left = Arc::new(Mutex::new(None));
    let lent_to = Arc::clone(&left);
    let request = request.map(|body| {
        Body::new(Lent {
            body: Some(body),
            is_begun: false,
            left: lent_to,
        })
    });
    let response = next.run(request).await;
    let rest = left.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(rest) = rest
        && is_awaited(&rest, waits_to_be_told, response.status())
    {
        let bytes_max = app.settings.limits.body_bytes.saturating_mul(LARGEST_BODIES);
        let stop = app.stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = throw_away(rest.body, bytes_max) => {}
                () = stop.cancelled() => {}
            }
        });
    }
    response
}

/// Whether the client may be sending and is to hear the answer all the same.
fn is_awaited(rest: &Rest, waits_to_be_told: bool, status: StatusCode) -> bool {
    // A client that asked whether to go on hears the answer instead, unless it was told to.
    let is_sending = rest.is_begun || !waits_to_be_told;
    is_sending && status != StatusCode::REQUEST_TIMEOUT
}

async fn throw_away(mut body: Body, bytes_max: usize) {
    let end = Instant::now() + TOTAL;
    let mut bytes = 0_usize;
    while bytes <= bytes_max {
        let wait = PAUSE.min(end.saturating_duration_since(Instant::now()));
        let Ok(Some(Ok(frame))) = timeout(wait, body.frame()).await else {
            return;
        };
        bytes = bytes.saturating_add(frame.data_ref().map_or(0, Bytes::len));
    }
}

/// What a handler has not read.
struct Rest {
    body: Body,
    is_begun: bool,
}

/// A body that is given back when it is dropped before its end.
struct Lent {
    /// `None` once it is at its end, or broken.
    body: Option<Body>,
    /// Somebody has asked for the first piece.
    is_begun: bool,
    left: Arc<Mutex<Option<Rest>>>,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.is_begun = true;
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let polled = Pin::new(body).poll_frame(cx);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) {
            let rest = Rest {
                body,
                is_begun: self.is_begun,
            };
            *self.left.lock().unwrap_or_else(PoisonError::into_inner) = Some(rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel_body;

    /// How many pieces are taken of a body that never ends.
    async fn taken(piece_bytes: usize, pause: Duration, bytes_max: usize) -> (usize, Duration) {
        let (sender, body) = channel_body::channel();
        let sending = tokio::spawn(async move {
            let mut pieces = 0;
            while sender.send(vec![7; piece_bytes]).await.is_ok() {
                pieces += 1;
                tokio::time::sleep(pause).await;
            }
            pieces
        });
        let begun = Instant::now();
        throw_away(Body::new(body), bytes_max).await;
        let took = begun.elapsed();
        (sending.await.unwrap(), took)
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_bounded_in_bytes_and_in_time() {
        let (pieces, took) = taken(100, Duration::ZERO, 1000).await;
        assert!((10..=12).contains(&pieces), "{pieces}");
        assert!(took < PAUSE);
        let (_, took) = taken(1, PAUSE * 2, 1000).await;
        assert!(took <= PAUSE + Duration::from_secs(1), "{took:?}");
        let (_, took) = taken(1, PAUSE / 2, 1000).await;
        assert!(took <= TOTAL + Duration::from_secs(1), "{took:?}");
    }

    #[tokio::test]
    async fn what_was_not_read_comes_back_and_nothing_else() {
        let left = Arc::new(Mutex::new(None));
        let lent = |body: Body| Lent {
            body: Some(body),
            is_begun: false,
            left: Arc::clone(&left),
        };
        let rest = || left.lock().unwrap().take();
        drop(lent(Body::empty()));
        assert!(rest().is_none());
        drop(Body::new(lent(Body::from("whole"))).collect().await.unwrap());
        assert!(rest().is_none());
        drop(lent(Body::from("unread")));
        let unread = rest().unwrap();
        assert!(!unread.is_begun);
        let (sender, body) = channel_body::channel();
        sender.send("one").await.unwrap();
        let mut half = lent(Body::new(body));
        half.frame().await.unwrap().unwrap();
        drop(half);
        let half = rest().unwrap();
        assert!(half.is_begun);

        let (ok, slow) = (StatusCode::UNAUTHORIZED, StatusCode::REQUEST_TIMEOUT);
        assert!(is_awaited(&unread, false, ok));
        assert!(!is_awaited(&unread, true, ok), "it was not told to send");
        assert!(is_awaited(&half, true, ok), "it was");
        assert!(!is_awaited(&half, false, slow));
    }
}
