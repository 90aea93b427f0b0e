//! `events.jsonl`: what happens in a run, in its directory, as it happens.
//!
//! One JSON line an event ([`EventLine`]), the first one `run`, the last one `finished`. Written by [`crate::recorder`];
//! read by `prism watch`, `prism runs`, `prism report`, and by whoever drives PRISM. It may be in anybody's hands by the
//! time that it is read, and its last line may be half written: [`Tail`] takes whole lines within bounds, and passes over
//! what it does not know.

use std::{
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use prism_report::{About, curve::PublishedCurve, manifest::CURVE_POINTS_MAX};
use serde::Serialize;

use crate::{
    curve::{self, Point},
    event::{EVENT_VERSION, EvalEvent, EvalStage, EventLine},
    run_dir::EVENTS_FILE,
};

/// Most bytes of the file, however a run goes; ten times what an ordinary one takes.
pub(crate) const EVENTS_BYTES_MAX: u64 = 1024 * 1024;
/// Of them, what is left free for the last line.
pub(crate) const LAST_LINE_BYTES: u64 = 4096;
/// Longest line that is read.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// Whether an event lasts: it is worth a line of the file. The others are told to those who listen, or have a file of
/// their own. No single step, no audit, no finding that quotes the submission.
pub(crate) fn lasts(event: &EvalEvent) -> bool {
    match event {
        EvalEvent::Stage { .. }
        | EvalEvent::Run { .. }
        | EvalEvent::Opened { .. }
        | EvalEvent::Point { .. }
        | EvalEvent::Rehearsal { .. }
        | EvalEvent::Finished { .. } => true,
        EvalEvent::Progress { .. }
        | EvalEvent::Gate { .. }
        | EvalEvent::Step { .. }
        | EvalEvent::Log { .. }
        | EvalEvent::Waiting { .. } => false,
    }
}

/// Whether the file is to survive a loss of power up to this event: a bounded number of times in a run.
pub(crate) fn is_synced(event: &EvalEvent) -> bool {
    matches!(
        event,
        EvalEvent::Run { .. } | EvalEvent::Stage { .. } | EvalEvent::Finished { .. }
    )
}

/// Follows the event file of one run.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    offset: u64,
}

impl Tail {
    /// From the first event of the run in this directory.
    pub fn new(dir: &Path) -> Self {
        Self {
            path: dir.join(EVENTS_FILE),
            offset: 0,
        }
    }

    /// The events that have come since the last call; none where there is no file yet. A line of a later version is an
    /// error: what it says could be misunderstood.
    pub fn poll(&mut self) -> io::Result<Vec<EventLine>> {
        let found = match fs::symlink_metadata(&self.path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        if !found.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{EVENTS_FILE} is no regular file"),
            ));
        }
        // What lies beyond was not written by us.
        let left = EVENTS_BYTES_MAX.saturating_sub(self.offset);
        if found.len() <= self.offset || left == 0 {
            return Ok(Vec::new());
        }
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::new();
        file.take(left).read_to_end(&mut bytes)?;
        let whole = bytes
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |at| at + 1);
        self.offset += whole as u64;
        let mut events = Vec::new();
        for line in bytes[..whole].split(|&byte| byte == b'\n') {
            events.extend(parse(line)?);
        }
        Ok(events)
    }
}

/// One line; `None` where it is none of ours.
fn parse(line: &[u8]) -> io::Result<Option<EventLine>> {
    #[derive(serde::Deserialize)]
    struct Version {
        v: u32,
    }
    if line.is_empty() || line.len() > LINE_BYTES_MAX {
        return Ok(None);
    }
    match serde_json::from_slice(line) {
        Ok(Version { v }) if v > EVENT_VERSION => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!(
                "{EVENTS_FILE} has version {v} and this `prism` reads version {EVENT_VERSION}; use the `prism` that wrote it"
            ),
        )),
        // An event that a later `prism` of this version has added is passed over.
        Ok(_) => Ok(serde_json::from_slice(line).ok()),
        Err(_) => Ok(None),
    }
}

/// What the event file of a run says so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Progress {
    /// The run's id.
    pub run_id: Option<String>,
    /// What it is of.
    pub about: Option<About>,
    /// The part that it is in.
    pub stage: Option<EvalStage>,
    /// Bytes of the stream.
    pub stream_bytes: u64,
    /// Steps accepted so far.
    pub steps: u64,
    /// Source bytes accepted so far.
    pub covered_bytes: u64,
    /// Targets accepted so far.
    pub targets: u64,
    /// Parameters of the model.
    pub parameters: Option<u64>,
    /// Estimated bits per byte of everything accepted so far.
    pub mean_bpb: Option<f64>,
    /// When it began, and when it last said something, in seconds since 1970.
    pub first_unix_seconds: f64,
    /// See above.
    pub last_unix_seconds: f64,
    /// It waits for others to leave the machine. Known to an executor only: the file begins later.
    #[serde(skip)]
    pub waits_for_machine: bool,
    #[serde(skip)]
    entropy_floor_bpb: Option<f64>,
    #[serde(skip)]
    points: Vec<Point>,
    /// When and after how many targets the points came.
    #[serde(skip)]
    times: Vec<(f64, u64)>,
}

impl Progress {
    /// Of the run in this directory.
    pub fn read(dir: &Path) -> io::Result<Self> {
        let mut progress = Self::default();
        for line in Tail::new(dir).poll()? {
            progress.take(&line);
        }
        Ok(progress)
    }

    /// Takes in one event.
    pub fn take(&mut self, line: &EventLine) {
        if self.first_unix_seconds == 0.0 {
            self.first_unix_seconds = line.t;
        }
        self.last_unix_seconds = line.t;
        match &line.event {
            EvalEvent::Stage { stage, .. } => self.stage = Some(*stage),
            EvalEvent::Run {
                run_id,
                about,
                stream_bytes,
                entropy_floor_bpb,
                ..
            } => {
                self.run_id = Some(run_id.clone());
                self.about = Some(about.clone());
                self.stream_bytes = *stream_bytes;
                self.entropy_floor_bpb = *entropy_floor_bpb;
            }
            EvalEvent::Opened { parameters, .. } => self.parameters = Some(*parameters),
            EvalEvent::Point {
                steps,
                covered_bytes,
                targets,
                claimed_bpb,
                mean_bpb,
            } => {
                self.steps = *steps;
                self.covered_bytes = *covered_bytes;
                self.targets = *targets;
                self.mean_bpb = Some(*mean_bpb);
                if self.points.len() < CURVE_POINTS_MAX {
                    self.points.push(Point {
                        covered_bytes: *covered_bytes,
                        claimed_bpb: *claimed_bpb,
                        mean_bpb: *mean_bpb,
                    });
                    self.times.push((line.t, *targets));
                }
            }
            EvalEvent::Progress { .. }
            | EvalEvent::Gate { .. }
            | EvalEvent::Step { .. }
            | EvalEvent::Log { .. }
            | EvalEvent::Waiting { .. }
            | EvalEvent::Rehearsal { .. }
            | EvalEvent::Finished { .. } => {}
        }
    }

    /// Targets a second between the first point and the last one.
    pub fn tokens_per_second(&self) -> Option<f64> {
        let (&(from, first), &(to, last)) = (self.times.first()?, self.times.last()?);
        (to > from && last > first).then(|| (last - first) as f64 / (to - from))
    }

    /// The curve so far.
    pub(crate) fn curve(&self) -> Option<PublishedCurve> {
        (!self.points.is_empty())
            .then(|| curve::published(&self.points, self.stream_bytes, self.entropy_floor_bpb))
    }
}

#[cfg(test)]
mod tests {
    use prism_core::outcome::{Reason, Status};

    use super::*;

    fn point(targets: u64) -> EvalEvent {
        EvalEvent::Point {
            steps: targets / 10,
            covered_bytes: targets,
            targets,
            claimed_bpb: 3.0,
            mean_bpb: 4.0,
        }
    }

    fn line(t: f64, event: EvalEvent) -> EventLine {
        EventLine { v: 1, t, event }
    }

    #[test]
    fn whole_lines_are_read_as_they_come() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join(EVENTS_FILE);
        let mut tail = Tail::new(temp.path());
        assert!(tail.poll().unwrap().is_empty(), "there is none yet");
        let first = line(1.0, point(10)).to_json().unwrap();
        let second = line(2.0, point(20)).to_json().unwrap();
        fs::write(&path, format!("{first}{}", &second[..20])).unwrap();
        assert_eq!(tail.poll().unwrap(), [line(1.0, point(10))]);
        assert!(tail.poll().unwrap().is_empty());
        fs::write(&path, format!("{first}{second}")).unwrap();
        assert_eq!(tail.poll().unwrap(), [line(2.0, point(20))]);
    }

    #[test]
    fn what_is_unknown_is_passed_over_and_a_later_version_is_an_error() {
        let temp = tempfile::tempdir().unwrap();
        let write = |text: &str| fs::write(temp.path().join(EVENTS_FILE), text).unwrap();
        let long = "x".repeat(LINE_BYTES_MAX);
        write(&format!(
            "nonsense\n{{\"v\":1,\"t\":1.0,\"event\":\"new\"}}\n{{\"v\":1,\"t\":1,\"event\":\"stage\",\"stage\":\"training\",\"message\":\"m\",\"more\":1}}\n{long}y\n"
        ));
        let events = Tail::new(temp.path()).poll().unwrap();
        assert_eq!(events.len(), 1);
        assert_eq!(
            Progress::read(temp.path()).unwrap().stage,
            Some(EvalStage::Training)
        );
        write("{\"v\":2,\"t\":1.0,\"event\":\"stage\"}\n");
        let error = Tail::new(temp.path()).poll().unwrap_err().to_string();
        assert!(error.contains("version 2") && error.contains("; use"), "{error}");
        fs::remove_file(temp.path().join(EVENTS_FILE)).unwrap();
        fs::create_dir(temp.path().join(EVENTS_FILE)).unwrap();
        assert!(Tail::new(temp.path()).poll().is_err(), "no regular file");
    }

    #[test]
    fn a_hostile_file_is_read_within_bounds() {
        let temp = tempfile::tempdir().unwrap();
        let one = line(1.0, point(10)).to_json().unwrap();
        let many = one.repeat(3 * usize::try_from(EVENTS_BYTES_MAX).unwrap() / one.len());
        fs::write(temp.path().join(EVENTS_FILE), many).unwrap();
        let progress = Progress::read(temp.path()).unwrap();
        assert_eq!(progress.curve().unwrap().covered_bytes.len(), CURVE_POINTS_MAX);
        assert_eq!(progress.tokens_per_second(), None, "no time has passed");
    }

    #[test]
    fn progress_adds_up() {
        let mut progress = Progress::default();
        for (t, targets) in [(100.0, 10), (101.0, 30), (102.0, 50)] {
            progress.take(&line(t, point(targets)));
        }
        assert_eq!(progress.tokens_per_second(), Some(20.0));
        assert_eq!((progress.covered_bytes, progress.mean_bpb), (50, Some(4.0)));
        assert_eq!(
            (progress.first_unix_seconds, progress.last_unix_seconds),
            (100.0, 102.0)
        );
    }

    #[test]
    fn steps_and_metrics_are_not_kept() {
        let step = EvalEvent::Step {
            step: 0,
            covered_bytes: 1,
            targets: 1,
            stream_bytes: 2,
            step_bpb: 1.0,
            mean_bpb: 1.0,
        };
        assert!(!lasts(&step) && lasts(&point(1)) && !is_synced(&point(1)));
        let finished = EvalEvent::Finished {
            status: Status::Completed,
            reason: Reason::EndOfData,
        };
        assert!(lasts(&finished) && is_synced(&finished));
    }
}
