//! How fast a run goes and how long it will take, from its events.
//!
//! Pure: times come with the events. Used by the live line of `prism eval` and by `prism watch`. Nothing here comes from
//! the submission but numbers.

use prism_engine::event::{EvalEvent, EvalStage};
use prism_report::figures::{part_of, seconds};

use crate::show;

/// Where a run is.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    stage: Option<EvalStage>,
    doing: String,
    stream_bytes: u64,
    bpb: Option<f64>,
    first: Option<Mark>,
    last: Option<Mark>,
}

/// How far a run was at some time.
#[derive(Clone, Copy, Debug)]
struct Mark {
    at_seconds: f64,
    covered_bytes: u64,
    targets: u64,
}

impl Pace {
    /// Takes in an event of this time, on any clock.
    pub(crate) fn event(&mut self, at_seconds: f64, event: &EvalEvent) {
        match event {
            EvalEvent::Stage { stage, message } => {
                self.stage = Some(*stage);
                self.doing = show::line(message);
            }
            EvalEvent::Run { stream_bytes, .. } | EvalEvent::Opened { stream_bytes, .. } => {
                self.stream_bytes = *stream_bytes;
            }
            EvalEvent::Step {
                covered_bytes,
                targets,
                mean_bpb,
                ..
            }
            | EvalEvent::Point {
                covered_bytes,
                targets,
                mean_bpb,
                ..
            } => {
                self.bpb = Some(*mean_bpb);
                let mark = Mark {
                    at_seconds,
                    covered_bytes: *covered_bytes,
                    targets: *targets,
                };
                self.first.get_or_insert(mark);
                self.last = Some(mark);
            }
            EvalEvent::Waiting { .. } => "waiting for the machine".clone_into(&mut self.doing),
            EvalEvent::Progress { .. }
            | EvalEvent::Gate { .. }
            | EvalEvent::Log { .. }
            | EvalEvent::Rehearsal { .. }
            | EvalEvent::Finished { .. } => {}
        }
    }

    /// Whether the stream is being read.
    pub(crate) fn is_reading(&self) -> bool {
        self.stage == Some(EvalStage::Training)
    }

    /// Bytes read and bytes in all.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        (self.last.map_or(0, |mark| mark.covered_bytes), self.stream_bytes)
    }

    /// What goes on.
    pub(crate) fn doing(&self) -> &str {
        &self.doing
    }

    /// Seconds between the first step and the last one, where that is any time. The first one is left out, since models
    /// compile in it.
    fn span(&self) -> Option<(Mark, Mark, f64)> {
        let (first, last) = (self.first?, self.last?);
        let passed = last.at_seconds - first.at_seconds;
        (passed > 0.0 && last.targets > first.targets).then_some((first, last, passed))
    }

    /// Targets a second.
    fn tokens_per_second(&self) -> Option<f64> {
        let (first, last, passed) = self.span()?;
        Some((last.targets - first.targets) as f64 / passed)
    }

    /// Seconds until the stream is read, at this pace.
    fn seconds_left(&self) -> Option<f64> {
        let (first, last, passed) = self.span()?;
        let read = last
            .covered_bytes
            .checked_sub(first.covered_bytes)
            .filter(|&read| read > 0)?;
        let left = self.stream_bytes.saturating_sub(last.covered_bytes);
        Some(left as f64 * passed / read as f64)
    }

    /// Bits per byte so far, speed, time left.
    pub(crate) fn figures(&self) -> String {
        let bpb = self.bpb.map(|bpb| format!("{bpb:.3} bpb"));
        let speed = self
            .tokens_per_second()
            .map(|rate| format!("{} tokens/s", whole(rate)));
        let left = self.seconds_left().map(|left| format!("{} left", seconds(left)));
        bpb.into_iter()
            .chain(speed)
            .chain(left)
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// All of it in one line, for whoever has no terminal.
    pub(crate) fn line(&self) -> String {
        let (read, all) = self.bytes();
        if !self.is_reading() || all == 0 {
            return self.doing.clone();
        }
        let percent = 100.0 * read as f64 / all as f64;
        let figures = self.figures();
        let comma = if figures.is_empty() { "" } else { ", " };
        format!(
            "{}: {} ({percent:.0} %){comma}{figures}",
            self.doing,
            part_of(read, all)
        )
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "shown only; out of range saturates"
)]
fn whole(value: f64) -> String {
    show::grouped(value.max(0.0).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(covered_bytes: u64, targets: u64) -> EvalEvent {
        EvalEvent::Point {
            steps: 1,
            covered_bytes,
            targets,
            claimed_bpb: 4.0,
            mean_bpb: 4.25,
        }
    }

    fn stage(stage: EvalStage, message: &str) -> EvalEvent {
        EvalEvent::Stage {
            stage,
            message: message.into(),
        }
    }

    #[test]
    fn a_line_says_how_far_how_good_how_fast_and_how_long() {
        let mut pace = Pace::default();
        pace.event(0.0, &stage(EvalStage::Starting, "starting\u{1b}"));
        assert_eq!(pace.line(), "starting\\u{1b}");
        let opened = EvalEvent::Opened {
            batch_size: 1,
            seq_len: 1,
            parameters: 1,
            batches: 4,
            stream_bytes: 40_000,
        };
        pace.event(50.0, &opened);
        pace.event(60.0, &stage(EvalStage::Training, "reading the stream"));
        assert_eq!(pace.line(), "reading the stream: 0 B of 40.0 kB (0 %)");
        // The first step takes long and is left out.
        pace.event(100.0, &point(10_000, 10_100));
        assert_eq!(
            pace.line(),
            "reading the stream: 10.0 of 40.0 kB (25 %), 4.250 bpb"
        );
        pace.event(110.0, &point(20_000, 20_200));
        assert_eq!(
            pace.line(),
            "reading the stream: 20.0 of 40.0 kB (50 %), 4.250 bpb, 1,010 tokens/s, 20.0 s left"
        );
        pace.event(140.0, &stage(EvalStage::HeldOut, "scoring held-out text"));
        assert_eq!(pace.line(), "scoring held-out text");
    }

    #[test]
    fn a_clock_that_jumps_gives_no_figure() {
        let mut pace = Pace::default();
        pace.event(100.0, &point(10_000, 10_100));
        pace.event(90.0, &point(20_000, 20_200));
        assert_eq!(pace.figures(), "4.250 bpb");
    }
}
