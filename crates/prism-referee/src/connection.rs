//! A worker's socket: whole frames in, whole frames out, every wait with a limit.
//!
//! Blocking, on one thread: the kernel wakes a read as soon as bytes arrive, and it looks up before each frame and
//! every [`TICK`] to see whether the deadline has passed or somebody has cancelled. Never interprets a body; never
//! allocates more than the header's kind allows.

use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use thiserror::Error;

use crate::frame::{FrameError, HEADER_BYTES, Header, Kind};

/// How often a wait looks up.
const TICK: Duration = Duration::from_millis(100);

/// Stops an evaluation from another thread, or from a signal handler.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    own: Arc<AtomicBool>,
    /// Whose end is the end of this one too.
    parent: Option<Box<Cancel>>,
}

impl Cancel {
    /// One that nobody has pulled yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One that is pulled by itself or with this one; pulling it leaves this one alone.
    #[must_use]
    pub fn child(&self) -> Self {
        Self {
            own: Arc::default(),
            parent: Some(Box::new(self.clone())),
        }
    }

    /// Asks for the end. May be called any number of times.
    pub fn cancel(&self) {
        self.own.store(true, Ordering::SeqCst);
    }

    /// Whether somebody has.
    pub fn is_cancelled(&self) -> bool {
        self.own.load(Ordering::SeqCst) || self.parent.as_ref().is_some_and(|parent| parent.is_cancelled())
    }

    /// The flag itself, for a signal handler.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.own)
    }
}

/// Why there is no frame.
#[derive(Debug, Error)]
pub enum ConnectionError {
    /// The deadline has passed.
    #[error("no answer in time")]
    Timeout,
    /// The peer closed the socket, in mid-frame or between frames.
    #[error("the process closed its connection")]
    Closed,
    /// A frame that the protocol does not allow.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// Somebody cancelled the run.
    #[error("cancelled")]
    Cancelled,
    /// The socket failed.
    #[error("the connection failed: {0}")]
    Io(io::Error),
}

/// A connected worker.
#[derive(Debug)]
pub struct Connection {
    stream: UnixStream,
    cancel: Cancel,
    body: Vec<u8>,
    out: Vec<u8>,
}

impl Connection {
    /// Takes over a connected socket.
    pub fn new(stream: UnixStream, cancel: Cancel) -> io::Result<Self> {
        stream.set_read_timeout(Some(TICK))?;
        stream.set_write_timeout(Some(TICK))?;
        Ok(Self {
            stream,
            cancel,
            body: Vec::new(),
            out: Vec::new(),
        })
    }

    /// Waits for one frame, until `deadline`; the body is valid until the next call.
    pub fn receive(&mut self, deadline: Instant) -> Result<(Kind, &[u8]), ConnectionError> {
        // Also of a peer that never lets the socket run dry.
        check(&self.cancel, deadline)?;
        let mut header = [0; HEADER_BYTES];
        fill(&mut self.stream, &self.cancel, &mut header, deadline)?;
        let header = Header::parse(header)?;
        // Bounded by the kind's limit: bytes that are promised and never come cost so much memory, once a connection.
        self.body.resize(header.body_bytes, 0);
        fill(&mut self.stream, &self.cancel, &mut self.body, deadline)?;
        Ok((header.kind, &self.body))
    }

    /// Sends one frame whose body `write` appends.
    pub fn send(
        &mut self,
        kind: Kind,
        deadline: Instant,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), ConnectionError> {
        self.out.clear();
        self.out.extend_from_slice(&[0; HEADER_BYTES]);
        write(&mut self.out);
        let body_bytes = self.out.len() - HEADER_BYTES;
        debug_assert!(
            body_bytes <= kind.max_body_bytes(),
            "the referee keeps its own limits"
        );
        self.out[..HEADER_BYTES].copy_from_slice(&Header { kind, body_bytes }.encode());
        let mut rest = self.out.as_slice();
        while !rest.is_empty() {
            match self.stream.write(rest) {
                Ok(0) => return Err(ConnectionError::Closed),
                Ok(written) => rest = &rest[written..],
                Err(error) => look_up(error, &self.cancel, deadline)?,
            }
        }
        Ok(())
    }
}

/// Whether to go on.
fn check(cancel: &Cancel, deadline: Instant) -> Result<(), ConnectionError> {
    if cancel.is_cancelled() {
        Err(ConnectionError::Cancelled)
    } else if Instant::now() >= deadline {
        Err(ConnectionError::Timeout)
    } else {
        Ok(())
    }
}

fn fill(
    stream: &mut UnixStream,
    cancel: &Cancel,
    mut buffer: &mut [u8],
    deadline: Instant,
) -> Result<(), ConnectionError> {
    while !buffer.is_empty() {
        match stream.read(buffer) {
            Ok(0) => return Err(ConnectionError::Closed),
            Ok(read) => {
                buffer = &mut buffer[read..];
                // A peer that drips bytes must not outlive its deadline either.
                if !buffer.is_empty() && Instant::now() >= deadline {
                    return Err(ConnectionError::Timeout);
                }
            }
            Err(error) => look_up(error, cancel, deadline)?,
        }
    }
    Ok(())
}

/// Decides what an error of the socket means: go on waiting, or stop.
fn look_up(error: io::Error, cancel: &Cancel, deadline: Instant) -> Result<(), ConnectionError> {
    use io::ErrorKind as K;
    match error.kind() {
        K::WouldBlock | K::TimedOut | K::Interrupted => check(cancel, deadline),
        K::BrokenPipe | K::ConnectionReset | K::UnexpectedEof => Err(ConnectionError::Closed),
        _ => Err(ConnectionError::Io(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::VERSION;

    fn pair() -> (Connection, UnixStream, Cancel) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let cancel = Cancel::new();
        (Connection::new(ours, cancel.clone()).unwrap(), theirs, cancel)
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    #[test]
    fn a_child_ends_with_its_parent_and_not_the_other_way_round() {
        let parent = Cancel::new();
        let (one, other) = (parent.child(), parent.child().child());
        one.cancel();
        assert!(one.is_cancelled() && !parent.is_cancelled() && !other.is_cancelled());
        parent.cancel();
        assert!(other.is_cancelled());
    }

    #[test]
    fn frames_arrive_whole_however_they_are_cut() {
        let (mut connection, mut peer, _) = pair();
        let writer = std::thread::spawn(move || {
            let mut frame = Header {
                kind: Kind::Ready,
                body_bytes: 8,
            }
            .encode()
            .to_vec();
            frame.extend_from_slice(&7_u64.to_le_bytes());
            for byte in frame {
                peer.write_all(&[byte]).unwrap();
            }
            peer
        });
        let (kind, body) = connection.receive(soon()).unwrap();
        assert_eq!((kind, body), (Kind::Ready, &7_u64.to_le_bytes()[..]));
        drop(writer.join().unwrap());
        assert!(matches!(connection.receive(soon()), Err(ConnectionError::Closed)));
    }

    #[test]
    fn silence_a_full_pipe_and_a_cancel_all_end_a_wait() {
        let (mut connection, _peer, cancel) = pair();
        let now = Instant::now();
        assert!(matches!(connection.receive(now), Err(ConnectionError::Timeout)));
        let flood = connection.send(Kind::Batch, now, |out| out.resize(out.len() + 16_000_000, 0));
        assert!(matches!(flood, Err(ConnectionError::Timeout)));
        cancel.cancel();
        assert!(matches!(
            connection.receive(soon()),
            Err(ConnectionError::Cancelled)
        ));
    }

    #[test]
    fn a_peer_that_never_pauses_does_not_outlive_its_deadline() {
        let (mut connection, mut peer, cancel) = pair();
        let frame = Header {
            kind: Kind::Note,
            body_bytes: 0,
        }
        .encode();
        peer.write_all(&frame.repeat(1000)).unwrap();
        assert!(connection.receive(soon()).is_ok());
        let past = Instant::now();
        assert!(matches!(connection.receive(past), Err(ConnectionError::Timeout)));
        assert!(
            connection.receive(soon()).is_ok(),
            "frames were waiting all the time"
        );
        cancel.cancel();
        assert!(matches!(
            connection.receive(soon()),
            Err(ConnectionError::Cancelled)
        ));
    }

    #[test]
    fn a_forged_length_is_refused_from_its_header_alone() {
        let (mut connection, mut peer, _) = pair();
        peer.write_all(&[0xff, 0xff, 0xff, 0xff, VERSION, Kind::Claims as u8, 0, 0])
            .unwrap();
        assert!(matches!(
            connection.receive(soon()),
            Err(ConnectionError::Frame(FrameError::TooLong {
                kind: Kind::Claims,
                ..
            }))
        ));
        assert!(connection.body.is_empty(), "nothing was allocated");
    }
}
