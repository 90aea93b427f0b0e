//! Writes events, metrics and logs into a run's directory while the run goes on.
//!
//! Filled by [`crate::evaluate`], [`crate::state`] and [`crate::launcher`]. A thread of its own writes, so that no disk
//! holds up the measurement: whoever tells something never waits, and an audit that is due waits at most for a line that
//! is being written. Nothing is written while somebody answers ([`Recorder::hush`]): how much the learner has printed must
//! not be felt by a process that answers. How much is written tells nothing either: the learner can see how full a file
//! system is, and a point of the curve knows of audits, so each point takes the same room.
//!
//! What is written is bounded: events by [`EVENTS_BYTES_MAX`], metrics and logs by their own limits; the event file is synced
//! at the change of a stage alone. A disk that refuses ends the run by the reason `storage`: it is never the submission's
//! fault.
//!
//! It must never be given anything of held-out text or keys.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use prism_core::{failure::Failure, outcome::Reason};
use prism_referee::connection::Cancel;

use crate::{
    event::{EvalEvent, EventLine},
    event_file::{EVENTS_BYTES_MAX, LAST_LINE_BYTES, is_synced, lasts},
    run_dir::{EVENTS_FILE, LOGS_DIR, METRICS_FILE, RunDir},
};

/// How often new output of the processes is looked for.
const LOGS_EVERY: Duration = Duration::from_secs(1);
/// Lines of the event file are filled up to a multiple of this: points need one of them, whatever they say.
const LINE_UNIT_BYTES: usize = 256;
/// A line of output that is longer is written in pieces.
const LINE_BYTES: usize = 4096;

/// What a process has written beyond the first so many bytes of stdout and of stderr; `None` once it is gone.
pub(crate) type Output = Box<dyn Fn(usize, usize) -> Option<[Vec<u8>; 2]> + Send>;

/// The handle. It keeps nothing until [`Recorder::begin`], so that whoever has no directory needs none.
#[derive(Clone, Default)]
pub(crate) struct Recorder {
    writer: Arc<Mutex<Option<Writer>>>,
    trouble: Arc<Mutex<Option<String>>>,
    quiet: Arc<Quiet>,
}

struct Writer {
    sender: Sender<Message>,
    thread: JoinHandle<()>,
    /// What the event file may still take.
    left_bytes: u64,
}

enum Message {
    Event { line: String, sync: bool },
    Metrics(String),
    Follow(Followed),
}

/// One process whose output is written as it comes.
struct Followed {
    output: Output,
    streams: [Stream; 2],
}

struct Stream {
    file: String,
    taken_bytes: usize,
    /// The beginning of a line whose end has not come yet.
    pending: Vec<u8>,
}

impl Recorder {
    /// Begins to write into a directory. The answer is pulled with `cancel`, and where the disk refuses.
    pub(crate) fn begin(&self, dir: &RunDir, cancel: &Cancel) -> Result<Cancel, Failure> {
        let events = append(dir, EVENTS_FILE);
        let metrics = append(dir, &format!("{LOGS_DIR}/{METRICS_FILE}"));
        let (events, metrics) = events
            .and_then(|events| Ok((events, metrics?)))
            .map_err(|error| {
                Failure::new(
                    Reason::Storage,
                    format!("the run directory cannot be written: {error}"),
                )
            })?;
        let stop = cancel.child();
        let (sender, receiver) = mpsc::channel();
        let mut work = Work {
            dir: dir.clone(),
            events,
            metrics,
            followed: Vec::new(),
            quiet: Arc::clone(&self.quiet),
        };
        let (trouble, pull) = (Arc::clone(&self.trouble), stop.clone());
        let thread = thread::Builder::new()
            .name("recorder".into())
            .spawn(move || {
                if let Err(error) = work.run(&receiver) {
                    lock(&trouble).get_or_insert(error);
                    pull.cancel();
                }
            })
            .map_err(|error| Failure::internal("a thread cannot be started", &error))?;
        *lock(&self.writer) = Some(Writer {
            sender,
            thread,
            left_bytes: EVENTS_BYTES_MAX - LAST_LINE_BYTES,
        });
        Ok(stop)
    }

    /// Writes an event, if it is one that lasts.
    pub(crate) fn event(&self, event: &EvalEvent) {
        if !lasts(event) {
            return;
        }
        let mut writer = lock(&self.writer);
        let (Some(writer), Ok(line)) = (writer.as_mut(), EventLine::now(event.clone()).to_json()) else {
            return;
        };
        let line = filled_up(&line);
        let bytes = line.len() as u64;
        let is_last = matches!(event, EvalEvent::Finished { .. });
        let fits = if is_last {
            bytes <= LAST_LINE_BYTES
        } else {
            bytes <= writer.left_bytes
        };
        if fits {
            writer.left_bytes = writer.left_bytes.saturating_sub(bytes);
            // Who has stopped listening has said why in `trouble`.
            let sync = is_synced(event);
            let _ = writer.sender.send(Message::Event { line, sync });
        }
    }

    /// Writes lines of the miner's metrics, which their collector bounds.
    pub(crate) fn metrics(&self, lines: &str) {
        if let (false, Some(writer)) = (lines.is_empty(), lock(&self.writer).as_ref()) {
            let _ = writer.sender.send(Message::Metrics(lines.to_owned()));
        }
    }

    /// Writes what a process prints, as it comes. `name` is that of its logs.
    pub(crate) fn follow(&self, name: &str, output: Output) {
        let stream = |which: &str| Stream {
            file: format!("{LOGS_DIR}/{name}.{which}.log"),
            taken_bytes: 0,
            pending: Vec::new(),
        };
        if let Some(writer) = lock(&self.writer).as_ref() {
            let _ = writer.sender.send(Message::Follow(Followed {
                output,
                streams: [stream("stdout"), stream("stderr")],
            }));
        }
    }

    /// Nothing is written until the answer is dropped.
    pub(crate) fn hush(&self) -> Hush {
        *lock(&self.quiet.answering) += 1;
        Hush(Arc::clone(&self.quiet))
    }

    /// What a failure is after all: where the disk has refused, that has ended the run.
    pub(crate) fn blame(&self, failure: Failure) -> Failure {
        match (failure.reason, lock(&self.trouble).as_ref()) {
            (Reason::Cancelled, Some(why)) => refused(why),
            _ => failure,
        }
    }

    /// Writes what is left and ends.
    pub(crate) fn end(&self) -> Result<(), Failure> {
        let writer = lock(&self.writer).take();
        if let Some(Writer { sender, thread, .. }) = writer {
            drop(sender);
            if thread.join().is_err() {
                lock(&self.trouble).get_or_insert_with(|| "its writer has ended by a defect".into());
            }
        }
        match lock(&self.trouble).as_ref() {
            Some(why) => Err(refused(why)),
            None => Ok(()),
        }
    }
}

/// The line, with spaces before its end.
fn filled_up(line: &str) -> String {
    let text = line.trim_end();
    let bytes = (text.len() + 1).next_multiple_of(LINE_UNIT_BYTES);
    format!(
        "{text:<width$}\n",
        width = bytes - 1 - text.len() + text.chars().count()
    )
}

/// What a disk that refuses makes of a run.
pub(crate) fn refused(why: &str) -> Failure {
    Failure::new(
        Reason::Storage,
        format!("the run directory cannot be written: {why}"),
    )
    .with_hint("free some space, or choose another place with `--runs`")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn append(dir: &RunDir, name: &str) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(dir.file(name))
        .map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))
}

/// How many answer.
#[derive(Default)]
struct Quiet {
    answering: Mutex<usize>,
    changed: Condvar,
}

impl Quiet {
    /// Does it while nobody answers; who is about to answer waits for its end.
    fn write(&self, work: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let answering = lock(&self.answering);
        let _nobody = self
            .changed
            .wait_while(answering, |answering| *answering > 0)
            .unwrap_or_else(PoisonError::into_inner);
        work()
    }
}

/// Keeps the recorder from writing.
pub(crate) struct Hush(Arc<Quiet>);

impl Drop for Hush {
    fn drop(&mut self) {
        let mut answering = lock(&self.0.answering);
        *answering = answering.saturating_sub(1);
        self.0.changed.notify_all();
    }
}

/// What the thread does.
struct Work {
    dir: RunDir,
    events: File,
    metrics: File,
    followed: Vec<Followed>,
    quiet: Arc<Quiet>,
}

impl Work {
    /// Until nobody tells anything any more; the error in words.
    fn run(&mut self, messages: &Receiver<Message>) -> Result<(), String> {
        let mut looked = Instant::now();
        loop {
            match messages.recv_timeout(LOGS_EVERY) {
                Ok(Message::Event { line, sync }) => {
                    let said = |error: io::Error| format!("{EVENTS_FILE}: {error}");
                    let file = &mut self.events;
                    self.quiet
                        .write(|| file.write_all(line.as_bytes()))
                        .map_err(said)?;
                    if sync {
                        self.events.sync_data().map_err(said)?;
                    }
                }
                Ok(Message::Metrics(lines)) => {
                    let file = &mut self.metrics;
                    self.quiet
                        .write(|| file.write_all(lines.as_bytes()))
                        .map_err(|error| format!("{METRICS_FILE}: {error}"))?;
                }
                Ok(Message::Follow(followed)) => self.followed.push(followed),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            if looked.elapsed() >= LOGS_EVERY {
                self.look()?;
                looked = Instant::now();
            }
        }
    }

    /// Writes what the processes have printed since the last time.
    fn look(&mut self) -> Result<(), String> {
        let (dir, quiet) = (&self.dir, &self.quiet);
        let mut trouble = None;
        self.followed.retain_mut(|followed| {
            let mut is_there = true;
            // Looking is work too, and the more of it the more was printed.
            let written = quiet.write(|| {
                let [stdout, stderr] = &followed.streams;
                let new = (followed.output)(stdout.taken_bytes, stderr.taken_bytes);
                is_there = new.is_some();
                let streams = followed.streams.iter_mut();
                streams
                    .zip(new.into_iter().flatten())
                    .try_for_each(|(stream, bytes)| stream.take(dir, &bytes))
            });
            if let Err(error) = written {
                trouble.get_or_insert(error.to_string());
            }
            is_there
        });
        trouble.map_or(Ok(()), Err)
    }
}

impl Stream {
    /// Appends the lines that are whole by now.
    fn take(&mut self, dir: &RunDir, bytes: &[u8]) -> io::Result<()> {
        self.taken_bytes += bytes.len();
        self.pending.extend_from_slice(bytes);
        let whole = match self.pending.iter().rposition(|&byte| byte == b'\n') {
            Some(at) => at + 1,
            None if self.pending.len() > LINE_BYTES => self.pending.len(),
            None => return Ok(()),
        };
        let lines: Vec<u8> = self.pending.drain(..whole).collect();
        // Whoever reads a log with `cat` must not have their terminal rewritten by it.
        let shown = prism_core::escape::escape_for_terminal(lines);
        append(dir, &self.file)?
            .write_all(shown.as_bytes())
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", self.file)))
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use prism_core::outcome::Status;
    use tempfile::TempDir;

    use super::*;
    use crate::event::EvalStage;

    fn run() -> (TempDir, RunDir) {
        let temp = tempfile::tempdir().unwrap();
        let dir = RunDir::create(&temp.path().join("run")).unwrap();
        (temp, dir)
    }

    fn stage() -> EvalEvent {
        EvalEvent::Stage {
            stage: EvalStage::Training,
            message: "reading the stream".into(),
        }
    }

    #[test]
    fn events_and_metrics_lie_in_the_directory_before_the_run_is_over() {
        let (_temp, dir) = run();
        let recorder = Recorder::default();
        recorder.event(&stage());
        recorder.begin(&dir, &Cancel::new()).unwrap();
        recorder.event(&stage());
        recorder.metrics("{\"covered_bytes\":1}\n");
        // The thread is behind; what it was told before is written before this one is asked.
        let (asked, answer) = mpsc::channel();
        let output = Box::new(move |_, _| {
            let _ = asked.send(());
            None
        });
        recorder.follow("learner", output);
        answer.recv().unwrap();
        let events = fs::read_to_string(dir.file(EVENTS_FILE)).unwrap();
        assert_eq!(
            events.lines().count(),
            1,
            "what came before there was a directory is not kept: {events}"
        );
        assert!(
            events.starts_with("{\"v\":1,\"t\":") && events.contains("\"event\":\"stage\""),
            "{events}"
        );
        assert_eq!(
            fs::read_to_string(dir.file(LOGS_DIR).join(METRICS_FILE)).unwrap(),
            "{\"covered_bytes\":1}\n"
        );
        recorder.end().unwrap();
    }

    #[test]
    fn the_last_event_has_always_room() {
        let (_temp, dir) = run();
        let recorder = Recorder::default();
        recorder.begin(&dir, &Cancel::new()).unwrap();
        let long = EvalEvent::Stage {
            stage: EvalStage::Training,
            message: "x".repeat(10_000),
        };
        for _ in 0..1000 {
            recorder.event(&long);
        }
        recorder.event(&EvalEvent::Finished {
            status: Status::Completed,
            reason: Reason::EndOfData,
        });
        recorder.end().unwrap();
        let events = fs::read_to_string(dir.file(EVENTS_FILE)).unwrap();
        assert!(events.len() as u64 <= EVENTS_BYTES_MAX, "{}", events.len());
        assert!(events.lines().last().unwrap().contains("finished"));
    }

    #[test]
    fn a_point_takes_the_same_room_whatever_it_says() {
        let point = |x: f64, n: u64| EvalEvent::Point {
            steps: n,
            covered_bytes: n,
            targets: n,
            claimed_bpb: x,
            mean_bpb: x,
        };
        let bytes = |event: EvalEvent| filled_up(&EventLine::now(event).to_json().unwrap()).len();
        assert_eq!(bytes(point(1.0, 1)), LINE_UNIT_BYTES);
        assert_eq!(
            bytes(point(-1.0 / 3.0 * 1e-200, u64::MAX / 1000)),
            LINE_UNIT_BYTES
        );
        let other = filled_up("{\"a\":\"\u{e9}\"}\n");
        assert_eq!(other.len(), LINE_UNIT_BYTES);
        assert!(serde_json::from_str::<serde_json::Value>(&other).is_ok());
    }

    #[test]
    fn a_full_disk_ends_the_run_by_the_operators_fault_and_its_reason() {
        let (_temp, dir) = run();
        symlink("/dev/full", dir.file(EVENTS_FILE)).unwrap();
        let recorder = Recorder::default();
        let asked = Cancel::new();
        let stop = recorder.begin(&dir, &asked).unwrap();
        recorder.event(&EvalEvent::Stage {
            stage: EvalStage::Starting,
            message: String::new(),
        });
        let failure = recorder.end().unwrap_err();
        assert!(stop.is_cancelled() && !asked.is_cancelled());
        assert_eq!(failure.reason, Reason::Storage);
        assert!(
            failure.detail.contains("events.jsonl") && failure.detail.contains("No space left"),
            "{}",
            failure.detail
        );
        let cancelled = Failure::new(Reason::Cancelled, "the run was cancelled");
        assert_eq!(
            recorder.blame(cancelled.clone()),
            failure,
            "the learner that it stopped is not to blame"
        );
        assert_eq!(
            Recorder::default().blame(cancelled.clone()),
            cancelled,
            "but who was cancelled was"
        );
    }

    #[test]
    fn output_is_written_by_whole_lines_and_harmless() {
        let (_temp, dir) = run();
        let mut stream = Stream {
            file: format!("{LOGS_DIR}/learner.stdout.log"),
            taken_bytes: 0,
            pending: Vec::new(),
        };
        let text = "gr\u{fc}n\u{1b}[2J\nrest".as_bytes();
        for piece in text.chunks(3) {
            stream.take(&dir, piece).unwrap();
        }
        let path = dir.file(&stream.file);
        assert_eq!(fs::read_to_string(&path).unwrap(), "gr\u{fc}n\\u{1b}[2J\n");
        assert_eq!(stream.taken_bytes, text.len());
        stream.take(&dir, &vec![b'x'; LINE_BYTES]).unwrap();
        assert!(
            fs::read_to_string(&path)
                .unwrap()
                .ends_with("restxxx".replace("xxx", &"x".repeat(LINE_BYTES)).as_str())
        );
    }

    #[test]
    fn nothing_is_written_while_somebody_answers() {
        let (_temp, dir) = run();
        let recorder = Recorder::default();
        recorder.begin(&dir, &Cancel::new()).unwrap();
        let (one, two) = (recorder.hush(), recorder.hush());
        recorder.event(&stage());
        drop(one);
        let ending = {
            let recorder = recorder.clone();
            thread::spawn(move || recorder.end())
        };
        assert_eq!(
            fs::read(dir.file(EVENTS_FILE)).unwrap(),
            b"",
            "the other one still answers"
        );
        drop(two);
        ending.join().unwrap().unwrap();
        assert!(!fs::read(dir.file(EVENTS_FILE)).unwrap().is_empty());
    }
}
