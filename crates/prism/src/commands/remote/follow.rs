//! A submission on its way, as it happens: its stages, a bar for the bytes that are read, the running bits per byte.
//!
//! On a terminal stages are lines and the run is a bar below them; without one every change is a line, and the run is told
//! each half minute. A server that is out of reach is told and waited for.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use prism_client::Client;
use prism_client::follow::News;
use prism_client::wire::{Event, Got, Id, Progress, Submission};
use prism_report::figures::{part_of, seconds};

use super::shown;
use crate::failure::Failure;
use crate::output::Output;
use crate::{progress, show};

/// How often the run is told where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(30);
/// Stages are this long.
const STAGE_COLUMNS: usize = 10;

const WAITING: &str = "{spinner} {wide_msg}  {elapsed}";
const READING: &str = "{bar:24} {decimal_bytes}/{decimal_total_bytes}  {msg}";

/// Follows a submission to its end and returns how it ended.
pub(in crate::commands) fn to_its_end(
    client: &Client,
    id: &Id,
    output: Output,
) -> Result<Got<Submission>, Failure> {
    let mut live = Live::new(output);
    for news in client.follow(id, None) {
        match news? {
            News::Event(event) => live.event(&event),
            News::Progress(progress) => live.progress(progress),
            News::Away { cause, pause } => live.away(&cause.brief(), pause),
            News::Over(got) => return Ok(*got),
        }
    }
    // The news end with its end or with an error.
    Err(Failure::machine("answer_lost", &"the service tells nothing more")
        .hint("ask again with `prism status`"))
}

struct Live {
    bar: ProgressBar,
    output: Output,
    is_terminal: bool,
    reading: Reading,
    started: Instant,
    last_line: Option<Instant>,
}

impl Live {
    fn new(output: Output) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        Self {
            bar: progress::live(output, WAITING),
            output,
            is_terminal,
            reading: Reading::default(),
            started: Instant::now(),
            last_line: None,
        }
    }

    fn event(&mut self, event: &Event) {
        let line = line(event);
        self.bar.suspend(|| self.output.note(line));
        // A run that begins, or begins again, is read from its beginning.
        self.reading = Reading::default();
        self.last_line = None;
        progress::restyle(&self.bar, WAITING);
        self.bar.set_message(show::line(stage(event)));
    }

    fn progress(&mut self, progress: Progress) {
        let is_new = self.reading.is_new();
        self.reading.take(self.started.elapsed().as_secs_f64(), progress);
        self.bar.set_length(progress.stream_bytes);
        self.bar.set_position(progress.covered_bytes);
        self.bar.set_message(self.reading.figures());
        if is_new {
            progress::restyle(&self.bar, READING);
        }
        let is_due = self.last_line.is_none_or(|last| last.elapsed() >= LINE_EVERY);
        if !self.is_terminal && is_due {
            self.last_line = Some(Instant::now());
            self.output.note(self.reading.line());
        }
    }

    fn away(&self, cause: &str, pause: Duration) {
        let line = format!(
            "{}; asking again in {:.1} s",
            show::line(cause),
            pause.as_secs_f64()
        );
        self.bar.suspend(|| self.output.note(line));
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn stage(event: &Event) -> &str {
    let standing = event.state.as_deref().unwrap_or(&event.status);
    event.stage.as_deref().unwrap_or(standing)
}

/// `18:26:03  queued      it waits for a slot`.
fn line(event: &Event) -> String {
    let at = shown::time(&event.at);
    let clock = at.split_once(' ').map_or(at.as_str(), |(_, clock)| clock);
    let stage = show::line(stage(event));
    let why = event
        .detail
        .as_deref()
        .or(event.reason.as_deref())
        .unwrap_or_default();
    format!("{clock}  {stage:STAGE_COLUMNS$}  {}", show::line(why))
        .trim_end()
        .to_owned()
}

/// How far a run is and how fast it goes. Pure: times come with the progress.
#[derive(Debug, Default)]
struct Reading {
    first: Option<(f64, u64)>,
    last: Option<(f64, Progress)>,
}

impl Reading {
    fn is_new(&self) -> bool {
        self.last.is_none()
    }

    fn take(&mut self, at_seconds: f64, progress: Progress) {
        if progress.covered_bytes > 0 {
            // What is read before the first step is over takes longer than any other.
            self.first.get_or_insert((at_seconds, progress.covered_bytes));
        }
        self.last = Some((at_seconds, progress));
    }

    /// Until all is read, at the pace so far.
    fn seconds_left(&self) -> Option<f64> {
        let ((begun, before), (now, progress)) = (self.first?, self.last?);
        let read = progress
            .covered_bytes
            .checked_sub(before)
            .filter(|&read| read > 0)?;
        let left = progress.stream_bytes.checked_sub(progress.covered_bytes)?;
        let passed = now - begun;
        (passed > 0.0).then(|| passed * left as f64 / read as f64)
    }

    fn figures(&self) -> String {
        let bpb = self.last.and_then(|(_, progress)| progress.mean_bpb);
        let bpb = bpb.map(|bpb| format!("{bpb:.3} bpb"));
        let left = self.seconds_left().map(|left| format!("{} left", seconds(left)));
        bpb.into_iter().chain(left).collect::<Vec<_>>().join(", ")
    }

    fn line(&self) -> String {
        let Some((_, progress)) = self.last else {
            return String::new();
        };
        let read = part_of(progress.covered_bytes, progress.stream_bytes);
        let figures = self.figures();
        let comma = if figures.is_empty() { "" } else { ", " };
        format!("read {read}{comma}{figures}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(covered_bytes: u64, mean_bpb: Option<f64>) -> Progress {
        Progress {
            covered_bytes,
            stream_bytes: 40_000,
            mean_bpb,
            steps: None,
        }
    }

    #[test]
    fn a_run_says_how_far_how_good_and_how_long() {
        let mut reading = Reading::default();
        assert_eq!(reading.line(), "");
        reading.take(50.0, progress(0, None));
        assert_eq!(reading.line(), "read 0 B of 40.0 kB");
        reading.take(100.0, progress(10_000, Some(5.5)));
        assert_eq!(reading.line(), "read 10.0 of 40.0 kB, 5.500 bpb");
        reading.take(110.0, progress(20_000, Some(4.25)));
        assert_eq!(reading.line(), "read 20.0 of 40.0 kB, 4.250 bpb, 20.0 s left");
    }

    #[test]
    fn numbers_that_cannot_be_give_no_figure() {
        let mut reading = Reading::default();
        reading.take(100.0, progress(20_000, None));
        reading.take(90.0, progress(30_000, None));
        assert_eq!(reading.figures(), "");
        reading.take(110.0, progress(10_000, None));
        assert_eq!(reading.figures(), "");
        reading.take(120.0, progress(50_000, Some(f64::NAN)));
        assert_eq!(reading.figures(), "NaN bpb");
    }

    #[test]
    fn an_event_is_one_harmless_line() {
        let event = |json| serde_json::from_value::<Event>(json).unwrap();
        let queued = event(serde_json::json!({
            "seq": 1, "at": "2026-11-28T18:26:03.828177Z", "status": "pending", "stage": "queued",
            "detail": "it waits\n\u{1b}[2J",
        }));
        assert_eq!(line(&queued), "18:26:03  queued      it waits\\n\\u{1b}[2J");
        let over = event(serde_json::json!({
            "seq": 2, "at": "now\n", "status": "rejected", "state": "cancelled", "reason": "cancelled",
        }));
        assert_eq!(line(&over), "now\\n  cancelled   cancelled");
    }
}
