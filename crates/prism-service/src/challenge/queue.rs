//! The queue as anybody sees it: who waits, in which place, why, and for how long.
//!
//! Part of [`super`], whose functions of the trait hand it out. Read from the store only so often, whoever asks.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use prism_core::submission::{Position, Stage, Wait};
use prism_server::challenge::{Alarm, Place, QueueEntry, QueueView};
use prism_store::{
    attempts::{self, Kind},
    queue, rounds,
    submissions::{self, Submission},
};

use crate::service::Service;

/// Submissions of the queue that are shown.
const QUEUE_SHOWN: usize = 100;

/// The queue as it was a moment ago: whoever asks for it, and however often, it is read from the store only so often.
pub(crate) struct QueueSnapshot {
    taken: Instant,
    pub(super) view: Arc<QueueView>,
    pub(super) places: HashMap<String, Place>,
}

/// How old it may be.
const SNAPSHOT_AGE: Duration = Duration::from_millis(250);

impl Service {
    pub(super) fn queue_snapshot(&self) -> Arc<QueueSnapshot> {
        let mut kept = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(snapshot) = kept
            .as_ref()
            .filter(|snapshot| snapshot.taken.elapsed() < SNAPSHOT_AGE)
        {
            return Arc::clone(snapshot);
        }
        let (view, places) = self.view_of_queue().unwrap_or_else(|problem| {
            tracing::error!(%problem, "the queue cannot be read");
            (QueueView::default(), HashMap::new())
        });
        let snapshot = Arc::new(QueueSnapshot {
            taken: Instant::now(),
            view: Arc::new(view),
            places,
        });
        *kept = Some(Arc::clone(&snapshot));
        snapshot
    }

    fn view_of_queue(&self) -> prism_store::Result<(QueueView, HashMap<String, Place>)> {
        let now = self.now();
        let (waiting, depth, seconds) = self.store.read(|tx| {
            let seconds = match rounds::current(tx)? {
                Some(round) => attempts::median_wall_seconds(tx, &round.id, Kind::Main)?,
                None => None,
            };
            Ok((submissions::unfinished(tx)?, queue::depth(tx)?, seconds))
        })?;
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a duration"
        )]
        let seconds_per_run = seconds.map(|seconds| seconds.ceil() as u64);
        let slots = u32::try_from(self.settings.slots.len()).unwrap_or(u32::MAX);
        let mut order: Vec<&Submission> = waiting.iter().collect();
        order.sort_by_key(|submission| {
            let is_running = matches!(submission.position, Position::Running(_));
            let is_confirming = submission.position.stage() == Some(Stage::Confirming);
            (!is_running, !is_confirming, submission.seq)
        });
        let mut position = 0;
        let all: Vec<QueueEntry> = order
            .iter()
            .map(|submission| {
                let is_running = matches!(submission.position, Position::Running(_));
                if !is_running {
                    position += 1;
                }
                QueueEntry {
                    submission_id: submission.id.clone(),
                    hotkey: submission.hotkey.clone(),
                    status: submission.position.status().to_owned(),
                    stage: submission
                        .position
                        .stage()
                        .map_or_else(String::new, |stage| stage.as_str().to_owned()),
                    created_at: submission.accepted_at.to_string(),
                    place: self.place_of(
                        submission,
                        (!is_running).then_some(position),
                        seconds_per_run,
                        slots,
                    ),
                }
            })
            .collect();
        let places = all
            .iter()
            .filter(|entry| entry.place.position.is_some() || entry.place.reason.is_some())
            .map(|entry| (entry.submission_id.clone(), entry.place.clone()))
            .collect();
        let entries = all.into_iter().take(QUEUE_SHOWN).collect();
        let oldest = waiting
            .iter()
            .map(|submission| now.seconds() - submission.accepted_at.seconds())
            .max()
            .unwrap_or(0);
        let view = QueueView {
            depth: u32::try_from(depth.checks + depth.reviews + depth.runs).unwrap_or(u32::MAX),
            running: u32::try_from(depth.running).unwrap_or(u32::MAX),
            slots,
            halted: self.halted(now).map(|(wait, sentence)| Alarm {
                code: wait.code().to_owned(),
                sentence,
            }),
            seconds_per_run,
            entries,
            oldest_wait_seconds: u64::try_from(oldest).unwrap_or(0),
        };
        Ok((view, places))
    }

    fn place_of(
        &self,
        submission: &Submission,
        position: Option<u32>,
        seconds_per_run: Option<u64>,
        slots: u32,
    ) -> Place {
        // What halts the runs does not halt the checks.
        let waits_for_a_run = submission
            .position
            .stage()
            .is_some_and(|stage| stage >= Stage::Queued);
        let halted = self.halted(self.now()).filter(|_| waits_for_a_run);
        let waiting = submission.waiting.as_ref();
        let waits_for_machine = self.state().waits_for_machine.contains(&submission.id);
        let (reason, detail) = match (position, halted, waiting) {
            (None, _, _) if waits_for_machine => (
                Some(Wait::Machine),
                Some(
                    "another run has the machine, which no two may share; it goes on when that has ended"
                        .to_owned(),
                ),
            ),
            (None, _, _) => (None, None),
            (Some(_), Some((wait, sentence)), _) => (Some(wait), Some(sentence)),
            (Some(position), None, Some(waiting)) if waiting.why == Wait::Queue => {
                let before = position.saturating_sub(1);
                (Some(Wait::Queue), Some(format!("{before} are before it")))
            }
            (Some(_), None, Some(waiting)) => (Some(waiting.why), waiting.sentence.clone()),
            (Some(_), None, None) => (Some(Wait::Queue), None),
        };
        // Unknown until three runs were measured, and while nothing moves.
        let estimate_seconds = match (position, seconds_per_run, reason) {
            (Some(position), Some(seconds), Some(Wait::Queue)) => {
                let rounds = u64::from(position).div_ceil(u64::from(slots.max(1)));
                Some((rounds + u64::from(position > 0)) * seconds)
            }
            _ => None,
        };
        Place {
            position,
            estimate_seconds,
            reason: reason.map(|wait| wait.code().to_owned()),
            detail,
        }
    }
}
