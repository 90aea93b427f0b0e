//! A file of the store as a body: read piece by piece, while the client takes it.

use std::fs::File;
use std::io::Read as _;

use axum::body::Body;
use http_body_util::BodyExt as _;
use prism_core::advice::Advice as _;
use tracing::error;

use crate::channel_body;

/// Bytes that are read at once.
const PIECE_BYTES: usize = 64 * 1024;

/// The next piece of a file, which comes back to be read further.
fn piece(mut file: File) -> std::io::Result<(File, Vec<u8>)> {
    let mut bytes = vec![0; PIECE_BYTES];
    let read = file.read(&mut bytes)?;
    bytes.truncate(read);
    Ok((file, bytes))
}

/// The body of a file of this size.
pub(crate) fn of(file: File, bytes: u64) -> Body {
    let (sender, body) = channel_body::channel();
    tokio::spawn(async move {
        let mut rest = Some(file);
        while let Some(file) = rest.take() {
            // A failure cuts the answer short of its announced length, which a client notices.
            match tokio::task::spawn_blocking(move || piece(file)).await {
                Ok(Ok((_, bytes))) if bytes.is_empty() => {}
                Ok(Ok((file, bytes))) => rest = sender.send(bytes).await.is_ok().then_some(file),
                Ok(Err(failure)) => error!(error = %failure.told(), "a blob cannot be read"),
                Err(failure) => error!(error = %failure, "a blob cannot be read"),
            }
        }
    });
    Body::new(http_body_util::Limited::new(body, usize::try_from(bytes).unwrap_or(usize::MAX)).boxed_unsync())
}
