//! Progress bars: on a terminal only, and only for what takes longer than a second.
//!
//! Every long command owns one [`Progress`]. It draws to stderr and is gone when it is dropped.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::Output;

/// What is faster than this shows no bar.
const QUIET: Duration = Duration::from_secs(1);

/// One bar, shown late.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    /// Keeps the thread waiting that will show it; absent where nobody will.
    _shown_later: Option<Sender<()>>,
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
        let progress = Self::new(output, "{spinner} {prefix}  {elapsed}  {wide_msg}", label);
        progress.bar.enable_steady_tick(Duration::from_millis(200));
        progress
    }

    fn new(output: Output, template: &str, label: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(label.to_owned());
        Self {
            _shown_later: (!output.is_json()).then(|| show_later(bar.clone())),
            bar,
        }
    }

    /// Moves the bar.
    pub(crate) fn set(&mut self, done: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_position(done);
    }

    /// Says what is going on.
    pub(crate) fn message(&mut self, text: String) {
        self.bar.set_message(text);
    }

    /// Prints something without tearing the bar.
    pub(crate) fn above(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }
}

/// Shows a bar when it is due, unless it is gone by then: the work that it stands for may never call it meanwhile.
fn show_later(bar: ProgressBar) -> Sender<()> {
    let (gone, wait) = mpsc::channel();
    thread::spawn(move || {
        if wait.recv_timeout(QUIET) == Err(RecvTimeoutError::Timeout) {
            // The target draws nothing where stderr is no terminal.
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    });
    gone
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
