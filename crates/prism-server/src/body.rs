//! Reads a body: bounded in bytes and in time, hashed as it comes, within what all bodies together may take.
//!
//! Used by every route that takes one. Memory is reserved for what has arrived, not for what was announced, so that a slow
//! client holds no more than it has sent.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use prism_core::hash::Sha256Hash;
use sha2::{Digest as _, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use crate::problem::{Code, Problem};

/// What memory is reserved in.
const UNIT_BYTES: usize = 1024;
const BUSY_SECONDS: u64 = 5;

/// Memory for all bodies that are being read or worked on.
#[derive(Clone)]
pub(crate) struct BodyMemory {
    units: Arc<Semaphore>,
}

impl BodyMemory {
    pub(crate) fn new(bytes: usize) -> Self {
        let units = (bytes / UNIT_BYTES).min(Semaphore::MAX_PERMITS);
        Self {
            units: Arc::new(Semaphore::new(units)),
        }
    }
}

/// Bounds of one body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyBounds {
    pub(crate) bytes: usize,
    pub(crate) pause: Duration,
    pub(crate) total: Duration,
}

/// A whole body. Its memory is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct ReadBody {
    pub(crate) bytes: Vec<u8>,
    pub(crate) sha256: Sha256Hash,
    pub(crate) memory: Option<OwnedSemaphorePermit>,
}

/// Reads a body to its end.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Body,
    bounds: BodyBounds,
    memory: &BodyMemory,
) -> Result<ReadBody, Problem> {
    let is_compressed = headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if is_compressed {
        return Err(Problem::new(
            Code::UnsupportedEncoding,
            "send the body as it is, without Content-Encoding",
        ));
    }
    let mut reader = Reader {
        body,
        pause: bounds.pause,
        end: Instant::now() + bounds.total,
    };
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    // What is still to come of a body that is refused is read on by `linger`.
    if announced.is_some_and(|bytes| bytes > bounds.bytes) {
        return Err(too_large(bounds.bytes));
    }
    let mut hasher = Sha256::new();
    let mut bytes = Vec::new();
    let mut reserved: Option<OwnedSemaphorePermit> = None;
    let mut reserved_units = 0;
    while let Some(piece) = reader.next().await? {
        if bytes.len() + piece.len() > bounds.bytes {
            return Err(too_large(bounds.bytes));
        }
        let units = (bytes.len() + piece.len()).div_ceil(UNIT_BYTES);
        let more = u32::try_from(units - reserved_units).unwrap_or(u32::MAX);
        let Ok(permit) = Arc::clone(&memory.units).try_acquire_many_owned(more) else {
            return Err(Problem::new(
                Code::Busy,
                "too many uploads are going on; send the same request again in a few seconds",
            )
            .retry_after(BUSY_SECONDS));
        };
        match &mut reserved {
            Some(reserved) => reserved.merge(permit),
            None => reserved = Some(permit),
        }
        reserved_units = units;
        hasher.update(&piece);
        bytes.extend_from_slice(&piece);
    }
    Ok(ReadBody {
        bytes,
        sha256: Sha256Hash(hasher.finalize().into()),
        memory: reserved,
    })
}

fn too_large(limit_bytes: usize) -> Problem {
    Problem::new(
        Code::TooLarge,
        format!("submission too large: the body may have at most {limit_bytes} bytes"),
    )
}

struct Reader {
    body: Body,
    pause: Duration,
    end: Instant,
}

impl Reader {
    /// The next bytes; `None` at the end.
    async fn next(&mut self) -> Result<Option<bytes::Bytes>, Problem> {
        loop {
            let wait = self.pause.min(self.end.saturating_duration_since(Instant::now()));
            let frame = match timeout(wait, self.body.frame()).await {
                Err(_) => {
                    return Err(Problem::new(
                        Code::RequestTimeout,
                        "the body came too slowly; send the same request again over a faster connection",
                    ));
                }
                Ok(None) => return Ok(None),
                Ok(Some(Err(_))) => {
                    return Err(Problem::new(
                        Code::BodyIncomplete,
                        "the body could not be read to its end; send the same request again",
                    ));
                }
                Ok(Some(Ok(frame))) => frame,
            };
            // Trailers are not read.
            if let Ok(data) = frame.into_data() {
                return Ok(Some(data));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::channel_body;

    const BOUNDS: BodyBounds = BodyBounds {
        bytes: 4096,
        pause: Duration::from_secs(2),
        total: Duration::from_secs(5),
    };

    /// Pieces of these lengths with a pause before each.
    fn slow(pieces: &'static [usize], pause_millis: u64) -> Body {
        let (sender, body) = channel_body::channel();
        tokio::spawn(async move {
            for &length in pieces {
                tokio::time::sleep(Duration::from_millis(pause_millis)).await;
                if sender.send(vec![7; length]).await.is_err() {
                    return;
                }
            }
        });
        Body::new(body)
    }

    async fn code(pieces: &'static [usize], pause_millis: u64, memory: &BodyMemory) -> Result<usize, Code> {
        read(&HeaderMap::new(), slow(pieces, pause_millis), BOUNDS, memory)
            .await
            .map(|body| body.bytes.len())
            .map_err(|problem| problem.code())
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_are_bounded_in_bytes_and_time() {
        let memory = BodyMemory::new(1 << 20);
        for (pieces, pause, expected) in [
            (&[][..], 0, Ok(0)),
            (&[4096], 0, Ok(4096)),
            (&[4097], 0, Err(Code::TooLarge)),
            (&[4000, 97], 0, Err(Code::TooLarge)),
            (&[1, 1, 1], 1900, Err(Code::RequestTimeout)),
            (&[1, 1], 1900, Ok(2)),
            (&[1, 1], 2100, Err(Code::RequestTimeout)),
            (&[1000, 4097, 1], 1900, Err(Code::TooLarge)),
        ] {
            assert_eq!(code(pieces, pause, &memory).await, expected, "{pieces:?} {pause}");
        }
        assert_eq!(memory.units.available_permits(), 1024, "all of it was given back");
    }

    #[tokio::test]
    async fn memory_is_held_for_what_arrived_and_given_back() {
        let memory = BodyMemory::new(6 * UNIT_BYTES);
        let headers = HeaderMap::new();
        let one = read(&headers, slow(&[1000, 1000, 2096], 0), BOUNDS, &memory)
            .await
            .unwrap();
        assert_eq!(memory.units.available_permits(), 2, "not one unit for each piece");
        assert_eq!(one.sha256, Sha256Hash::of(&one.bytes));
        assert_eq!(code(&[2048, 1], 0, &memory).await, Err(Code::Busy));
        assert_eq!(code(&[2048], 0, &memory).await, Ok(2048));
        drop(one);
        assert_eq!(code(&[4096], 0, &memory).await, Ok(4096));
    }

    #[tokio::test]
    async fn compressed_and_announced_bodies_are_refused_unread() {
        let memory = BodyMemory::new(1 << 20);
        for (name, value, other, expected) in [
            (header::CONTENT_ENCODING, "gzip", None, Code::UnsupportedEncoding),
            (
                header::CONTENT_LENGTH,
                "4097",
                Some(header::EXPECT),
                Code::TooLarge,
            ),
            (header::CONTENT_LENGTH, "4097", None, Code::TooLarge),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            if let Some(other) = other {
                headers.insert(other, HeaderValue::from_static("100-continue"));
            }
            let result = read(&headers, slow(&[1], 0), BOUNDS, &memory).await;
            assert_eq!(result.unwrap_err().code(), expected);
        }
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("Identity"));
        assert!(read(&headers, slow(&[1], 0), BOUNDS, &memory).await.is_ok());
    }
}
