//! Something that happens after a while, once or again and again, on a thread of its own, unless this is dropped before.
//!
//! Used by what shows itself while a command works: its bar, its lines. Dropping waits for work that has begun, so that
//! nothing happens afterwards. Where no thread can be had, it never happens.

use std::ops::ControlFlow;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The work to come.
#[derive(Debug)]
pub(crate) struct Timer {
    dropped: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Timer {
    /// Once, after this long.
    pub(crate) fn once(wait: Duration, mut work: impl FnMut() + Send + 'static) -> Self {
        Self::start(wait, move || {
            work();
            ControlFlow::Break(())
        })
    }

    /// Again and again, the first time after one interval.
    pub(crate) fn every(interval: Duration, mut work: impl FnMut() + Send + 'static) -> Self {
        Self::start(interval, move || {
            work();
            ControlFlow::Continue(())
        })
    }

    fn start(interval: Duration, mut work: impl FnMut() -> ControlFlow<()> + Send + 'static) -> Self {
        let (sender, receiver) = mpsc::channel();
        let waiting = move || {
            while receiver.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) && work().is_continue() {}
        };
        Self {
            dropped: Some(sender),
            thread: thread::Builder::new().spawn(waiting).ok(),
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        drop(self.dropped.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_happens_again_until_it_is_dropped() {
        let (told, happened) = mpsc::channel();
        let timer = Timer::every(Duration::from_millis(1), move || {
            let _ = told.send(());
        });
        for _ in 0..3 {
            happened.recv().unwrap();
        }
        drop(timer);
        while happened.recv().is_ok() {}
    }

    #[test]
    fn it_happens_once_and_is_over() {
        let (told, happened) = mpsc::channel();
        let timer = Timer::once(Duration::ZERO, move || told.send(()).unwrap());
        assert_eq!(happened.recv(), Ok(()));
        assert!(
            happened.recv().is_err(),
            "the thread is gone and said nothing more"
        );
        drop(timer);
    }

    #[test]
    fn what_is_dropped_before_never_happens() {
        type Start = fn(Duration, mpsc::Sender<()>) -> Timer;
        let starts: [Start; 2] = [
            |wait, told| Timer::once(wait, move || told.send(()).unwrap()),
            |wait, told| Timer::every(wait, move || told.send(()).unwrap()),
        ];
        for start in starts {
            let (told, happened) = mpsc::channel();
            drop(start(Duration::MAX, told));
            assert!(happened.recv().is_err(), "the thread is gone and said nothing");
        }
    }
}
