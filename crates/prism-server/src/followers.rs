//! Who waits for the events of a submission: each stream is woken by what happened to its own one, and by nothing else.
//!
//! Told by the writing thread after each commit, which must only wake; asked by event streams. A submission that nobody
//! follows has no entry.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prism_store::events::Written;
use tokio::sync::watch;

/// Everybody who waits. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Followers {
    of: Arc<Mutex<HashMap<i64, watch::Sender<i64>>>>,
}

/// One that waits, until this is dropped.
pub(crate) struct Follower {
    followers: Followers,
    submission: i64,
    last: watch::Receiver<i64>,
}

impl Followers {
    /// Wakes whoever waits for one of these.
    pub(crate) fn wake(&self, written: &[Written]) {
        let of = self.lock();
        if of.is_empty() {
            return;
        }
        for one in written {
            if let Some(sender) = of.get(&one.submission) {
                sender.send_replace(one.event);
            }
        }
    }

    /// Waits for the events of a submission, by its number.
    pub(crate) fn follow(&self, submission: i64) -> Follower {
        let last = self
            .lock()
            .entry(submission)
            .or_insert_with(|| watch::channel(0).0)
            .subscribe();
        Follower {
            followers: self.clone(),
            submission,
            last,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, watch::Sender<i64>>> {
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Follower {
    /// What happens from here on wakes it; what happened before does not.
    pub(crate) fn mark_seen(&mut self) {
        self.last.mark_unchanged();
    }

    /// Returns once something has happened to the submission.
    pub(crate) async fn woken(&mut self) {
        if self.last.changed().await.is_err() {
            // Its entry stays as long as this does, so that this is never so; and if it were, nothing would come any more.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let mut of = self.followers.lock();
        // Under the lock nobody joins, so that this is the last one or it is not.
        if of
            .get(&self.submission)
            .is_some_and(|sender| sender.receiver_count() <= 1)
        {
            of.remove(&self.submission);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(event: i64, submission: i64) -> Written {
        Written { event, submission }
    }

    #[tokio::test]
    async fn each_is_woken_by_its_own_and_by_nothing_else() {
        let followers = Followers::default();
        followers.wake(&[written(1, 7)]);
        let (mut one, mut two, mut other) = (followers.follow(7), followers.follow(7), followers.follow(8));
        followers.wake(&[written(2, 9), written(3, 7)]);
        one.woken().await;
        two.woken().await;
        assert!(!other.last.has_changed().unwrap(), "it happened to another");
        followers.wake(&[written(4, 7)]);
        one.mark_seen();
        assert!(!one.last.has_changed().unwrap());
        assert!(two.last.has_changed().unwrap(), "each for itself");
        other.mark_seen();
        drop(one);
        assert_eq!(followers.lock().len(), 2);
        drop(two);
        drop(other);
        assert!(followers.lock().is_empty(), "nothing is left of who is gone");
    }
}
