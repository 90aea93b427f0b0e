//! The readers' connections: four, lent one at a time, to whoever comes first, more or less.
//!
//! Whoever finds one idle takes it, which is fast: a thread that reads again and again need not go to sleep in between.
//! But nobody waits for long because of that: a connection that comes back while somebody has waited for [`PATIENCE`] is
//! handed to him.

use std::{
    collections::VecDeque,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    thread::Thread,
    time::{Duration, Instant},
};

use crate::{Read, Result, store::open_for_reading};

/// How many there are. More that read at once wait for one another.
pub const READERS: usize = 4;
/// How long somebody waits before a connection is kept for him.
const PATIENCE: Duration = Duration::from_millis(2);

/// The connections.
pub(crate) struct Readers {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    idle: Vec<Read>,
    /// The longest wait first.
    waiting: VecDeque<Waiting>,
    /// Handed over and not yet taken: at most one for each that waits.
    kept: Vec<(u64, Read)>,
    /// The number of the last one that had to wait.
    last: u64,
}

struct Waiting {
    number: u64,
    thread: Thread,
    since: Instant,
}

impl Readers {
    pub(crate) fn open(database: &Path) -> Result<Self> {
        let idle = (0..READERS)
            .map(|_| open_for_reading(database))
            .collect::<Result<_>>()?;
        Ok(Self {
            state: Mutex::new(State {
                idle,
                ..State::default()
            }),
        })
    }

    /// Runs a reader in a transaction of its own.
    pub(crate) fn read<T>(&self, reader: impl FnOnce(&Read) -> Result<T>) -> Result<T> {
        let lent = Lent {
            readers: self,
            read: Some(self.take()),
        };
        let transaction = lent.read().conn.unchecked_transaction()?;
        // Dropped and so rolled back on every way out: there is nothing to keep.
        let result = reader(lent.read());
        drop(transaction);
        result
    }

    /// The lists are whole whatever happened to whoever held the lock.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Read {
        let mut state = self.state();
        if let Some(read) = state.idle.pop() {
            return read;
        }
        state.last += 1;
        let number = state.last;
        state.waiting.push_back(Waiting {
            number,
            thread: std::thread::current(),
            since: Instant::now(),
        });
        loop {
            drop(state);
            // May return for no reason; then there is nothing to take.
            std::thread::park();
            state = self.state();
            if let Some(place) = state.kept.iter().position(|(of, _)| *of == number) {
                return state.kept.swap_remove(place).1;
            }
            if let Some(read) = state.idle.pop() {
                state.waiting.retain(|one| one.number != number);
                // Two may have come back before this thread woke up, and then only it was told.
                if let (Some(next), false) = (state.waiting.front(), state.idle.is_empty()) {
                    next.thread.unpark();
                }
                return read;
            }
        }
    }

    fn give_back(&self, read: Read) {
        let mut state = self.state();
        match state.waiting.pop_front() {
            Some(first) if first.since.elapsed() >= PATIENCE => {
                state.kept.push((first.number, read));
                first.thread.unpark();
            }
            Some(first) => {
                first.thread.unpark();
                state.waiting.push_front(first);
                state.idle.push(read);
            }
            None => state.idle.push(read),
        }
    }
}

/// A connection that goes back when this is dropped, also by a panic.
struct Lent<'a> {
    readers: &'a Readers,
    /// Gone only while this is dropped.
    read: Option<Read>,
}

impl Lent<'_> {
    #[expect(clippy::expect_used, reason = "it is taken out in drop alone")]
    fn read(&self) -> &Read {
        self.read.as_ref().expect("lent until dropped")
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(read) = self.read.take() {
            self.readers.give_back(read);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn never_more_than_there_are_and_nobody_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let store = crate::Store::open(dir.path(), prism_core::time::Timestamp(0)).unwrap();
        let readers = Readers::open(&dir.path().join(crate::store::DATABASE_FILE)).unwrap();
        let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for thread in 0..32 {
                let (readers, inside, most) = (&readers, &inside, &most);
                scope.spawn(move || {
                    for i in 0..200 {
                        let read = readers.read(|_| {
                            most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                            if (thread + i) % 17 == 0 {
                                std::thread::sleep(Duration::from_micros(100));
                            }
                            inside.fetch_sub(1, Ordering::SeqCst);
                            Ok(())
                        });
                        read.unwrap();
                    }
                });
            }
        });
        assert!(most.load(Ordering::SeqCst) <= READERS);
        let state = readers.state();
        assert_eq!(
            (state.idle.len(), state.kept.len(), state.waiting.len()),
            (READERS, 0, 0)
        );
        drop(store);
    }

    #[test]
    fn whoever_has_waited_long_is_next() {
        let dir = tempfile::tempdir().unwrap();
        let store = crate::Store::open(dir.path(), prism_core::time::Timestamp(0)).unwrap();
        let readers = Readers::open(&dir.path().join(crate::store::DATABASE_FILE)).unwrap();
        let mut all: Vec<Read> = (0..READERS).map(|_| readers.take()).collect();
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| readers.take());
            while readers.state().waiting.is_empty() {
                std::thread::yield_now();
            }
            readers.state().waiting[0].since = Instant::now().checked_sub(PATIENCE).unwrap();
            readers.give_back(all.pop().unwrap());
            assert!(
                readers.state().idle.is_empty(),
                "it is kept for the one that waits"
            );
            all.push(waits.join().unwrap());
        });
        assert_eq!(all.len(), READERS);
        drop(store);
    }
}
