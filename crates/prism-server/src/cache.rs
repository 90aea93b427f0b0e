//! Answers that are expensive to make and change with each event: kept until something changed, and made by one request at a
//! time.
//!
//! An answer is at most [`STALE_MAX`] behind the store, so that a stream of uploads does not make every reader compute.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::app::Answer;
use crate::prepared::Prepared;

/// How old an answer may be though something has changed.
const STALE_MAX: Duration = Duration::from_millis(250);
/// Answers that are kept.
const ENTRIES_MAX: usize = 64;

/// Which answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// The leaderboard of an epoch.
    Leaderboard(i64),
    /// Submissions of each day since one.
    History(i64),
    /// The architectures of an epoch, or of the newest with a score.
    Architectures(Option<i64>),
}

struct Entry {
    prepared: Prepared,
    /// The number of the last event when it was made.
    event: i64,
    made: Instant,
}

/// The kept answers.
#[derive(Default)]
pub(crate) struct Cache {
    entries: Mutex<HashMap<Key, Entry>>,
}

impl Cache {
    /// The kept answer, or what `make` makes. `event` is the number of the last event.
    pub(crate) async fn get(
        &self,
        key: Key,
        event: i64,
        make: impl Future<Output = Answer<Prepared>>,
    ) -> Answer<Prepared> {
        let mut entries = self.entries.lock().await;
        let is_fresh = |entry: &Entry| entry.event == event || entry.made.elapsed() < STALE_MAX;
        if let Some(entry) = entries.get(&key).filter(|entry| is_fresh(entry)) {
            return Ok(entry.prepared.clone());
        }
        let prepared = make.await?;
        if entries.len() >= ENTRIES_MAX {
            entries.clear();
        }
        let entry = Entry {
            prepared: prepared.clone(),
            event,
            made: Instant::now(),
        };
        entries.insert(key, entry);
        Ok(prepared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(cache: &Cache, event: i64, value: u32) -> String {
        let make = async { Ok(Prepared::of_json_text(value.to_string().into_bytes())) };
        let prepared = cache.get(Key::Leaderboard(1), event, make).await.unwrap();
        String::from_utf8(prepared.text().to_vec()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_kept_until_something_changed_and_a_moment_longer() {
        let cache = Cache::default();
        assert_eq!(ask(&cache, 1, 10).await, "10");
        tokio::time::advance(Duration::from_mins(1)).await;
        assert_eq!(ask(&cache, 1, 11).await, "10");
        assert_eq!(ask(&cache, 2, 12).await, "12");
        assert_eq!(ask(&cache, 3, 13).await, "12");
        tokio::time::advance(STALE_MAX).await;
        assert_eq!(ask(&cache, 3, 14).await, "14");
    }

    #[tokio::test]
    async fn a_refusal_is_not_kept_and_the_number_of_answers_is_bounded() {
        let cache = Cache::default();
        let refuse = async { Err(crate::problem::Problem::internal()) };
        assert!(cache.get(Key::Architectures(None), 1, refuse).await.is_err());
        for epoch in 0..200 {
            let make = async { Ok(Prepared::of_json_text(Vec::new())) };
            cache.get(Key::Leaderboard(epoch), 1, make).await.unwrap();
        }
        assert!(cache.entries.lock().await.len() <= ENTRIES_MAX);
    }
}
