//! The live line of an evaluation: how far it is, how good it is, how fast it goes, how long it will take.
//!
//! On a terminal a line that is drawn anew; without one a line every half minute, so that a log shows that the run is
//! alive. `prism watch` shows the same. Nothing here comes from the submission but numbers.

use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use prism_engine::event::{EvalEvent, EvalStage};

use crate::output::Output;
use crate::pace::Pace;
use crate::timer::Timer;
use crate::{progress, show};

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(30);

const WAITING: &str = "{spinner} {wide_msg}  {elapsed}";
const PREPARING: &str = "{bar:24} {decimal_bytes}/{decimal_total_bytes}  {wide_msg}  {elapsed}";
const READING: &str = "{bar:24} {decimal_bytes}/{decimal_total_bytes}  {msg}";

/// What is said of somebody who waits for the machine.
pub(in crate::commands) fn waiting(event: &EvalEvent) -> Option<String> {
    let EvalEvent::Waiting {
        holders,
        waited_seconds,
    } = event
    else {
        return None;
    };
    let who = if holders.is_empty() {
        "somebody who came earlier".to_owned()
    } else {
        show::line(&holders.join("; "))
    };
    Some(format!(
        "waiting for the machine ({waited_seconds} s so far): {who}"
    ))
}

/// What is told on stderr while a run goes on.
pub(in crate::commands) struct Live {
    bar: ProgressBar,
    output: Output,
    pace: Arc<Mutex<Pace>>,
    started: Instant,
    /// Writes the lines where there is no terminal.
    lines: Option<Timer>,
}

impl Live {
    /// A line that shows nothing yet; for a program it never will.
    pub(in crate::commands) fn new(output: Output) -> Self {
        let pace = Arc::<Mutex<Pace>>::default();
        let wants_lines = !output.is_json() && !std::io::stderr().is_terminal();
        let lines = wants_lines.then(|| lines(LINE_EVERY, &pace, move |line| output.note(line)));
        Self {
            bar: progress::live(output, WAITING),
            output,
            pace,
            started: Instant::now(),
            lines,
        }
    }

    /// Takes one event that happens now.
    pub(in crate::commands) fn event(&self, event: &EvalEvent) {
        self.event_at(self.started.elapsed().as_secs_f64(), event);
    }

    /// Takes one event that happened at this time.
    pub(in crate::commands) fn event_at(&self, at_seconds: f64, event: &EvalEvent) {
        let mut pace = lock(&self.pace);
        pace.event(at_seconds, event);
        match event {
            EvalEvent::Stage { stage, .. } => {
                if *stage != EvalStage::Training {
                    progress::restyle(&self.bar, WAITING);
                    self.bar.set_message(pace.doing().to_owned());
                }
            }
            EvalEvent::Progress {
                done_bytes,
                total_bytes,
                ..
            } => {
                progress::restyle(&self.bar, PREPARING);
                self.bar.set_length(*total_bytes);
                self.bar.set_position(*done_bytes);
            }
            EvalEvent::Opened { stream_bytes, .. } => {
                progress::restyle(&self.bar, READING);
                self.bar.set_message("");
                self.bar.reset();
                self.bar.set_length(*stream_bytes);
            }
            EvalEvent::Step { covered_bytes, .. } | EvalEvent::Point { covered_bytes, .. } => {
                self.bar.set_position(*covered_bytes);
                self.bar.set_message(pace.figures());
            }
            EvalEvent::Gate {
                errors: 0, warnings, ..
            } => {
                let warnings = show::count(*warnings, "warning", "warnings");
                self.bar.suspend(|| {
                    self.output.note(format_args!(
                        "note: the gate has {warnings}; `prism check` shows what about"
                    ));
                });
            }
            EvalEvent::Waiting { .. } => {
                if let Some(line) = waiting(event) {
                    self.bar.suspend(|| crate::output::warn(line));
                }
            }
            EvalEvent::Rehearsal { detail, .. } => {
                let line = format!("this run is a rehearsal: {}", show::line(detail));
                self.bar.suspend(|| crate::output::warn(line));
            }
            EvalEvent::Gate { .. }
            | EvalEvent::Run { .. }
            | EvalEvent::Log { .. }
            | EvalEvent::Finished { .. } => {}
        }
    }
}

/// Tells again and again where a run is.
fn lines(
    interval: Duration,
    pace: &Arc<Mutex<Pace>>,
    mut tell: impl FnMut(String) + Send + 'static,
) -> Timer {
    let pace = Arc::clone(pace);
    Timer::every(interval, move || {
        let line = lock(&pace).line();
        if !line.is_empty() {
            tell(line);
        }
    })
}

fn lock(pace: &Mutex<Pace>) -> MutexGuard<'_, Pace> {
    pace.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Live {
    fn drop(&mut self) {
        // First, so that nothing is written after the end.
        drop(self.lines.take());
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_line_comes_again_where_there_is_no_terminal_also_while_nothing_happens() {
        let pace = Arc::<Mutex<Pace>>::default();
        let event = EvalEvent::Stage {
            stage: EvalStage::Starting,
            message: "starting learner and auditor".into(),
        };
        lock(&pace).event(0.0, &event);
        let (teller, told) = mpsc::channel();
        let telling = lines(Duration::from_millis(1), &pace, move |line| {
            let _ = teller.send(line);
        });
        for _ in 0..2 {
            assert_eq!(told.recv().unwrap(), "starting learner and auditor");
        }
        drop(telling);
        assert_eq!(LINE_EVERY, Duration::from_secs(30));
    }
}
