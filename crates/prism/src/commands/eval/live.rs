//! The live line of an evaluation: how far it is, how good it is, how long it will take.
//!
//! On a terminal only. Nothing here comes from the submission but numbers.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use prism_engine::event::{EvalEvent, EvalStage};

use crate::output::Output;
use crate::show;

/// How often the spinner turns while nothing is reported.
const TICK: Duration = Duration::from_millis(200);

const WAITING: &str = "{spinner} {wide_msg}  {elapsed}";
const PREPARING: &str = "{bar:24} {decimal_bytes}/{decimal_total_bytes}  {wide_msg}  {elapsed}";
const READING: &str = "{bar:24} {decimal_bytes}/{decimal_total_bytes}  {msg}  eta {eta}";

/// One line on stderr.
pub(super) struct Live {
    bar: ProgressBar,
    output: Output,
}

impl Live {
    /// A line that shows nothing yet; for a program it never will.
    pub(super) fn new(output: Output) -> Self {
        let target = if output.is_json() {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        let live = Self { bar, output };
        live.style(WAITING);
        if !output.is_json() {
            live.bar.enable_steady_tick(TICK);
        }
        live
    }

    fn style(&self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.progress_chars("=> "));
        }
    }

    /// Takes one event.
    pub(super) fn event(&mut self, event: &EvalEvent) {
        match event {
            EvalEvent::Stage { stage, message } => {
                if *stage != EvalStage::Training {
                    self.style(WAITING);
                    self.bar.set_message(show::line(message));
                }
            }
            EvalEvent::Progress {
                done_bytes,
                total_bytes,
                ..
            } => {
                self.style(PREPARING);
                self.bar.set_length(*total_bytes);
                self.bar.set_position(*done_bytes);
            }
            EvalEvent::Opened { stream_bytes, .. } => {
                self.style(READING);
                self.bar.set_message("");
                self.bar.reset();
                self.bar.set_length(*stream_bytes);
            }
            EvalEvent::Step {
                covered_bytes,
                mean_bpb,
                ..
            } => {
                self.bar.set_position(*covered_bytes);
                self.bar.set_message(format!("{mean_bpb:.3} bpb"));
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
            EvalEvent::Gate { .. }
            | EvalEvent::Run { .. }
            | EvalEvent::Log { .. }
            | EvalEvent::Finished { .. } => {}
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
