//! Progress bars: on a terminal only, and only for what takes longer than a second.
//!
//! Every long command owns one [`Progress`]. It draws to stderr and is gone when it is dropped. A bar is shown when it is
//! moved; a spinner shows itself, for whoever waits may have nothing to tell.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::Output;
use crate::timer::Timer;

/// What is faster than this shows no bar.
const QUIET: Duration = Duration::from_secs(1);
/// How often a line that moves by itself is drawn.
const TICK: Duration = Duration::from_millis(200);

/// A line that a command fills itself and that moves by itself; a program is shown none.
pub(crate) fn live(output: Output, template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    restyle(&bar, template);
    if !output.is_json() {
        // The target draws nothing where stderr is no terminal.
        bar.set_draw_target(ProgressDrawTarget::stderr());
        bar.enable_steady_tick(TICK);
    }
    bar
}

/// Draws a line by another template.
pub(crate) fn restyle(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
}

/// One bar, shown late.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    /// When it is to be shown; absent once it is, where it shows itself, and where it never will be.
    due: Option<Instant>,
    shows_itself: Option<Timer>,
}

impl Progress {
    /// Bytes out of a total.
    pub(crate) fn bytes(output: Output, label: &str) -> Self {
        Self::new(
            output,
            "{prefix}  {bar:30} {decimal_bytes}/{decimal_total_bytes}  eta {eta}  {wide_msg}",
            label,
        )
    }

    /// Work of unknown length.
    pub(crate) fn spinner(output: Output, label: &str) -> Self {
        let mut progress = Self::new(output, "{spinner} {prefix}  {elapsed}  {wide_msg}", label);
        if progress.due.take().is_some() {
            progress.bar.enable_steady_tick(TICK);
            let bar = progress.bar.clone();
            // The target draws nothing where stderr is no terminal.
            progress.shows_itself = Some(Timer::once(QUIET, move || {
                bar.set_draw_target(ProgressDrawTarget::stderr());
            }));
        }
        progress
    }

    fn new(output: Output, template: &str, label: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        restyle(&bar, template);
        bar.set_prefix(label.to_owned());
        Self {
            bar,
            due: (!output.is_json()).then(|| Instant::now() + QUIET),
            shows_itself: None,
        }
    }

    /// Moves the bar.
    pub(crate) fn set(&mut self, done: u64, total: u64) {
        self.show_when_due();
        self.bar.set_length(total);
        self.bar.set_position(done);
    }

    /// Says what is going on.
    pub(crate) fn message(&mut self, text: String) {
        self.show_when_due();
        self.bar.set_message(text);
    }

    /// Prints something without tearing the bar.
    pub(crate) fn above(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    fn show_when_due(&mut self) {
        if self.due.is_some_and(|due| Instant::now() >= due) {
            self.due = None;
            // The target draws nothing where stderr is no terminal.
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        // First, so that nothing is drawn after the bar was cleared.
        drop(self.shows_itself.take());
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spinner_shows_itself_to_people_only() {
        use crate::cli::Format;
        let people = Progress::spinner(Output::new(Format::Text), "working");
        assert!(people.shows_itself.is_some());
        let program = Progress::spinner(Output::new(Format::Json), "working");
        assert!(program.shows_itself.is_none() && program.due.is_none());
    }
}
