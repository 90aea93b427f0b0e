//! Statuses of completed submissions, made once and sent many times: they are what is asked most, and they hardly change.
//!
//! The status route asks [`Completed::get`] first. An answer counts only while nothing was written about its submission,
//! the board is the one that it was made with, and it is younger than [`AGE_MAX`]. The writing thread tells of each commit
//! before it answers whoever wrote, so that nobody sees an older state than his own. Never keeps what still moves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use prism_store::events::Written;
use tokio::time::Instant;

use crate::challenge::Board;
use crate::prepared::Prepared;

/// How old an answer may be though nothing was written: what changes without an event shows by then.
const AGE_MAX: Duration = Duration::from_secs(1);
/// Answers that are kept, of some 3 kB each.
const ENTRIES_MAX: usize = 1024;

/// The kept answers. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Completed {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    /// The number of the last event that this was told of.
    last_event: i64,
    by_id: HashMap<String, Entry>,
}

struct Entry {
    /// The number of its submission.
    submission: i64,
    prepared: Prepared,
    /// Weak: an old board must not stay in memory for it.
    board: Weak<Board>,
    made: Instant,
}

/// What was known before the store was read: an answer that is made of it is kept only if that is still so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Before {
    last_event: i64,
}

impl Completed {
    /// Forgets what was written about. Called on the writing thread.
    pub(crate) fn forget(&self, written: &[Written]) {
        let mut kept = self.lock();
        if let Some(last) = written.last() {
            kept.last_event = last.event;
        }
        kept.by_id
            .retain(|_, entry| written.iter().all(|one| one.submission != entry.submission));
    }

    /// The kept answer, or the state from which one may be made.
    pub(crate) fn get(&self, id: &str, board: &Arc<Board>) -> Result<Prepared, Before> {
        let kept = self.lock();
        let entry = kept.by_id.get(id);
        let is_good =
            |entry: &&Entry| entry.board.as_ptr() == Arc::as_ptr(board) && entry.made.elapsed() < AGE_MAX;
        entry
            .filter(is_good)
            .map(|entry| entry.prepared.clone())
            .ok_or(Before {
                last_event: kept.last_event,
            })
    }

    /// Keeps an answer, unless something has been written since `before`.
    pub(crate) fn keep(
        &self,
        before: Before,
        (id, submission): (String, i64),
        board: &Arc<Board>,
        prepared: &Prepared,
    ) {
        let mut kept = self.lock();
        if kept.last_event != before.last_event {
            return;
        }
        if kept.by_id.len() >= ENTRIES_MAX {
            kept.by_id.clear();
        }
        let entry = Entry {
            submission,
            prepared: prepared.clone(),
            board: Arc::downgrade(board),
            made: Instant::now(),
        };
        kept.by_id.insert(id, entry);
    }

    /// The entries are whole whatever happened to whoever held the lock.
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use prism_core::time::Timestamp;

    use super::*;
    use crate::challenge::BoardView;

    const ID: &str = "one";
    const NUMBER: i64 = 7;

    fn board() -> Arc<Board> {
        Arc::new(Board::new(BoardView::empty(Timestamp(0))).unwrap())
    }

    fn written(event: i64, submission: i64) -> Written {
        Written { event, submission }
    }

    fn keep(completed: &Completed, board: &Arc<Board>) {
        let before = completed.get(ID, board).unwrap_err();
        completed.keep(
            before,
            (ID.to_owned(), NUMBER),
            board,
            &Prepared::of_json_text(vec![b'1']),
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_kept_until_something_is_written_about_its_submission() {
        let (completed, board) = (Completed::default(), board());
        keep(&completed, &board);
        completed.forget(&[written(1, 6), written(2, 8)]);
        assert_eq!(completed.get(ID, &board).unwrap().text(), b"1");
        completed.forget(&[written(3, 6), written(4, NUMBER), written(5, 8)]);
        assert!(completed.get(ID, &board).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn another_board_or_a_second_makes_it_anew() {
        let (completed, first) = (Completed::default(), board());
        keep(&completed, &first);
        assert!(completed.get(ID, &board()).is_err());
        assert!(completed.get(ID, &first).is_ok());
        tokio::time::advance(AGE_MAX).await;
        assert!(completed.get(ID, &first).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_read_before_a_commit_is_not_kept_after_it() {
        let (completed, board) = (Completed::default(), board());
        let before = completed.get(ID, &board).unwrap_err();
        completed.forget(&[written(1, NUMBER)]);
        completed.keep(
            before,
            (ID.to_owned(), NUMBER),
            &board,
            &Prepared::of_json_text(Vec::new()),
        );
        assert!(completed.get(ID, &board).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_answers_is_bounded() {
        let (completed, board) = (Completed::default(), board());
        for number in (0_i64..).take(3 * ENTRIES_MAX) {
            let before = completed.get(&number.to_string(), &board).unwrap_err();
            completed.keep(
                before,
                (number.to_string(), number),
                &board,
                &Prepared::of_json_text(Vec::new()),
            );
        }
        assert!(completed.lock().by_id.len() <= ENTRIES_MAX);
    }
}
