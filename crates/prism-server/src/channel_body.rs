//! A body that is written piece by piece by a task of its own.
//!
//! Used for event streams. The task waits until each piece is taken, so a slow client holds one piece and no more.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::sync::mpsc;

/// The end that is sent. It is over when the other end is dropped.
pub(crate) struct ChannelBody {
    receiver: mpsc::Receiver<Bytes>,
}

/// The end that is written.
pub(crate) struct PieceSender {
    sender: mpsc::Sender<Bytes>,
}

/// The client is gone.
#[derive(Debug)]
pub(crate) struct Gone;

/// Both ends.
pub(crate) fn channel() -> (PieceSender, ChannelBody) {
    let (sender, receiver) = mpsc::channel(1);
    (PieceSender { sender }, ChannelBody { receiver })
}

impl PieceSender {
    /// Sends a piece, as soon as the one before it is taken.
    pub(crate) async fn send(&self, piece: impl Into<Bytes>) -> Result<(), Gone> {
        self.sender.send(piece.into()).await.map_err(|_| Gone)
    }

    /// Waits until nobody reads any more.
    pub(crate) async fn gone(&self) {
        self.sender.closed().await;
    }
}

impl Body for ChannelBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.receiver
            .poll_recv(cx)
            .map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}
