//! `--progress-fd`: one JSON line per event, on a descriptor that a driving program has opened.
//!
//! A thread writes, so that a reader who is slow or gone never holds up the measurement: what does not fit the queue
//! is dropped and counted, and a closed descriptor ends the telling but not the run.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use prism_engine::event::{EvalEvent, EventLine};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

use crate::failure::Failure;

/// Lines that wait for a slow reader.
const QUEUE_LINES: usize = 4096;
/// How long the last lines may take to be read, once the run is over.
const DRAIN: Duration = Duration::from_secs(2);

/// The writing end.
pub(super) struct EventPipe {
    state: Mutex<State>,
}

struct State {
    queue: Option<SyncSender<String>>,
    done: Receiver<Result<(), String>>,
    dropped: u64,
}

impl EventPipe {
    /// Takes the descriptor of this number. One that is not open is an error before anything is started.
    pub(super) fn open(number: i32) -> Result<Self, Failure> {
        let file = duplicate(number).map_err(|error| {
            let text = format!("--progress-fd {number} cannot be written to: {error}");
            Failure::usage("progress_fd", &text).hint("open it before `prism` is started")
        })?;
        Ok(Self::over(file))
    }

    fn over(file: File) -> Self {
        let (queue, lines) = sync_channel::<String>(QUEUE_LINES);
        let (done_sender, done) = sync_channel(1);
        thread::spawn(move || {
            let _ = done_sender.send(write_lines(file, &lines));
        });
        Self {
            state: Mutex::new(State {
                queue: Some(queue),
                done,
                dropped: 0,
            }),
        }
    }

    /// Tells one event, if somebody still listens.
    pub(super) fn send(&self, event: &EvalEvent) {
        let Ok(line) = EventLine::now(event.clone()).to_json() else {
            return;
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = &state.queue
            && matches!(queue.try_send(line), Err(TrySendError::Full(_)))
        {
            state.dropped += 1;
        }
    }

    /// Waits a moment for the last lines. Says what was lost, if anything.
    pub(super) fn close(&self) -> Option<String> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.queue = None;
        let dropped = state.dropped;
        match state.done.recv_timeout(DRAIN) {
            Ok(Ok(())) if dropped == 0 => None,
            Ok(Ok(())) => Some(format!(
                "{dropped} events were dropped: nobody read --progress-fd in time"
            )),
            Ok(Err(error)) => Some(format!("--progress-fd was closed during the run: {error}")),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                Some("the last events were dropped: nobody read --progress-fd".to_owned())
            }
        }
    }
}

fn write_lines(mut file: File, lines: &Receiver<String>) -> Result<(), String> {
    // The receiver is dropped with the first error: later lines are then refused at once.
    for line in lines {
        file.write_all(line.as_bytes())
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// A descriptor of our own for an inherited number. The kernel duplicates it; where it may not be asked, a pipe or
/// file is opened again.
fn duplicate(number: i32) -> std::io::Result<File> {
    // The link in /proc tells whether the number is open at all, before anything else can take it.
    let path = format!("/proc/self/fd/{number}");
    std::fs::read_link(&path)?;
    let own = pidfd_open(getpid(), PidfdFlags::empty())?;
    debug_assert_ne!(own.as_raw_fd(), number);
    match pidfd_getfd(&own, number, PidfdGetfdFlags::empty()) {
        Ok(descriptor) => Ok(File::from(descriptor)),
        Err(_) => OpenOptions::new().append(true).open(&path),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::os::unix::net::UnixStream;

    use prism_core::outcome::{Reason, Status};

    use super::*;

    fn event() -> EvalEvent {
        EvalEvent::Finished {
            status: Status::Completed,
            reason: Reason::EndOfData,
        }
    }

    #[test]
    fn events_arrive_as_lines_over_pipes_and_sockets() {
        let (reader, writer) = std::io::pipe().unwrap();
        let pipe = EventPipe::open(writer.as_raw_fd()).unwrap();
        drop(writer);
        pipe.send(&event());
        assert_eq!(pipe.close(), None);
        let lines: Vec<String> = BufReader::new(reader).lines().map_while(Result::ok).collect();
        let [line] = &lines[..] else { panic!("{lines:?}") };
        assert!(line.starts_with("{\"v\":1,\"t\":"), "{line}");
        assert!(
            line.ends_with(r#","event":"finished","status":"completed","reason":"end_of_data"}"#),
            "{line}"
        );

        let (ours, theirs) = UnixStream::pair().unwrap();
        let pipe = EventPipe::open(theirs.as_raw_fd()).unwrap();
        drop(theirs);
        pipe.send(&event());
        assert_eq!(pipe.close(), None);
        assert_eq!(BufReader::new(ours).lines().count(), 1);
    }

    #[test]
    fn a_reader_that_leaves_ends_the_telling_only() {
        let (reader, writer) = std::io::pipe().unwrap();
        let pipe = EventPipe::open(writer.as_raw_fd()).unwrap();
        drop((reader, writer));
        for _ in 0..3 {
            pipe.send(&event());
        }
        assert!(pipe.close().unwrap().contains("was closed"));
        pipe.send(&event());
    }

    #[test]
    fn a_descriptor_that_is_not_open_is_an_error() {
        assert_eq!(EventPipe::open(987_654).err().unwrap().code, "progress_fd");
    }
}
