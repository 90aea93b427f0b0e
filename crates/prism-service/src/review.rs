//! The reviewer between similarity and the queue: who is read next, one call after the other, and what comes of it.
//!
//! What waits is a row in the stage `review` and holds no thread. A few threads take turns: each takes the next submission
//! that nobody has in hand, makes the calls that are due, stores each, and stops where it has to wait. What a review comes to is
//! decided by `prism_review::decision` over the stored calls, so that a restart goes on where it stood; nothing here judges.
//! Whatever goes wrong ends in `held`, never in a pass, and nothing of it is the miner's fault or costs a run.

mod shown;
mod stage;

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use prism_core::outcome::Reason;
use prism_review::breaker::Breaker;
use prism_review::decision::{Outcome, Purpose};
use prism_review::{Called, Case, Client, prompt::Prompt};
use prism_store::reviews::Limits;

use crate::problem::{Result, ServiceProblem};
use crate::service::Service;

/// How often a thread that waits for an answer looks whether it is to end.
const LOOK: Duration = Duration::from_millis(50);

prism_core::words! {
    /// Whether submissions are read by a reviewer.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum ReviewMode, as_str {
        /// No: shown on everything that it concerns.
        Off = "off",
        /// They are, and nothing is stopped: shown on everything that it concerns.
        Advisory = "advisory",
        /// A submission goes on only if the reviewer lets it.
        Enforce = "enforce",
    }
}

/// A reviewer that is set up.
pub struct Reviewer {
    /// Whom it asks.
    pub client: Arc<Client>,
    /// What it may spend in a day.
    pub limits: Limits,
    /// Calls at once.
    pub concurrency: usize,
}

/// What is known of the reviewer beside the store, and forgotten at a restart.
#[derive(Default)]
pub(crate) struct ReviewState {
    pub(crate) breaker: Breaker,
    /// Submissions that a thread has in hand.
    pub(crate) in_hand: Vec<String>,
}

/// A submission that a thread has in hand, until this is dropped: also where a defect ends the turn.
struct InHand<'s> {
    service: &'s Service,
    id: String,
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        self.service.state().review.in_hand.retain(|id| *id != self.id);
    }
}

impl Service {
    /// Threads that reviews need: one also where there is no reviewer, to say so.
    pub(crate) fn review_threads(&self) -> usize {
        let reviewer = self.settings.reviewer.as_ref();
        reviewer.map_or(1, |reviewer| reviewer.concurrency.max(1))
    }

    /// Reviews what waits for it, as far as it is due.
    pub(crate) fn review_submissions(&self) -> Result<()> {
        while !self.is_stopping() {
            let Some(next) = self.take_in_hand()? else {
                return Ok(());
            };
            let in_hand = InHand {
                service: self,
                id: next.id.clone(),
            };
            let done = self.review(&next);
            drop(in_hand);
            if let Err(problem) = done {
                // Told to the operator; the miner loses nothing by it.
                self.hold(&next, &problem.to_string())?;
            }
        }
        Ok(())
    }

    fn take_in_hand(&self) -> Result<Option<prism_store::submissions::Submission>> {
        use prism_store::queue::{self, Line};
        let now = self.now();
        let few = u32::try_from(self.review_threads() + 1).unwrap_or(u32::MAX);
        let found = self
            .store
            .read(|tx| queue::next_few(tx, Line::Reviews, now, few))?;
        let mut state = self.state();
        let next = found
            .into_iter()
            .find(|submission| !state.review.in_hand.contains(&submission.id));
        if let Some(next) = &next {
            state.review.in_hand.push(next.id.clone());
        }
        drop(state);
        // It may have moved between the look and the taking.
        let Some(next) = next else { return Ok(None) };
        Ok(Some(
            self.store
                .read(|tx| prism_store::submissions::get(tx, &next.id))?,
        ))
    }

    /// Makes a call on a thread of its own, so that a service that is to end need not wait for an endpoint. `None` where it ends:
    /// then the call is given up, and made again after a restart.
    fn ask(
        &self,
        client: &Arc<Client>,
        case: &Arc<Case>,
        purpose: Purpose,
        prompt: Prompt,
    ) -> Result<Option<Called>> {
        let (sender, receiver) = sync_channel(1);
        let (client, case) = (Arc::clone(client), Arc::clone(case));
        thread::Builder::new()
            .name("prism-review-call".to_owned())
            .spawn(move || {
                // Nobody listens any more where the service has ended.
                let _ = sender.send(client.call(&case, purpose, &prompt));
            })
            .map_err(|source| ServiceProblem::Io {
                what: "a thread for a call of the review cannot be started".to_owned(),
                source,
            })?;
        loop {
            match receiver.recv_timeout(LOOK) {
                Ok(called) => return Ok(Some(called)),
                Err(RecvTimeoutError::Timeout) if self.is_stopping() => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(ServiceProblem::Refused(
                        "a call of the review ended without an outcome; the log says where".to_owned(),
                    ));
                }
            }
        }
    }

    /// What an outcome says about the endpoint, for everybody.
    fn tell_breaker(&self, outcome: &Outcome) {
        let now = self.now();
        let mut state = self.state();
        let breaker = &mut state.review.breaker;
        match outcome {
            Outcome::Vote(_) | Outcome::NoVote { .. } => breaker.worked(),
            Outcome::Unreachable { why, .. } => {
                if breaker.failed(now) {
                    tracing::error!(problem = why.sentence(), "the reviewer is not asked for a while");
                }
            }
            Outcome::Setup { status } => {
                breaker.refused(now, *status);
                tracing::error!(
                    status,
                    problem = setup_sentence(*status),
                    "the reviewer is not asked for a while"
                );
            }
        }
    }
}

/// What a refusal of the endpoint means, and what the operator can do.
pub(crate) fn setup_sentence(status: u16) -> &'static str {
    match status {
        401 => "the endpoint does not know the key: set another, then `prism admin review --retry`",
        402 => "the account at the endpoint has no credit: pay, then `prism admin review --retry`",
        403 => {
            "the endpoint forbids this to the key: look at its permissions, then `prism admin review --retry`"
        }
        404 => {
            "the endpoint has no such model, or none with the parameters that were asked for: look at `review.model` and \
                `review.structured`, then `prism admin review --retry`"
        }
        400 | 422 => {
            "the endpoint refuses the request: look at `review.model`, `review.structured`, `review.temperature` and `review.seed`, \
             then `prism admin review --retry`"
        }
        _ => {
            "the endpoint answers with a status that means nothing here: look at `review.base_url`, then `prism admin review --retry`"
        }
    }
}

/// Why a review holds a submission, as its owner is told.
pub(crate) fn held_sentence(reason: Reason) -> &'static str {
    match reason {
        Reason::ReviewAbsent => {
            "the round wants a review and this service has no reviewer: the operator decides, and it costs you no run"
        }
        Reason::ReviewDisputed => {
            "the reviewer contradicts itself about it: the operator decides, and it costs you no run"
        }
        Reason::ReviewNoVerdict => {
            "the reviewer came to no verdict: the operator decides, and it costs you no run"
        }
        Reason::ReviewUnreachable => {
            "the reviewer could not be asked: the operator looks at it, and it costs you no run"
        }
        Reason::ReviewSetup => {
            "the reviewer is not set up well: the operator looks at it, and it costs you no run"
        }
        Reason::ReviewBudget => {
            "the budget for reviews is spent for today: the operator decides or has it read later, and it costs you no run"
        }
        Reason::ReviewTooLarge => {
            "it is more than the reviewer reads: the operator decides, and it costs you no run"
        }
        _ => "the operator decides, and it costs you no run",
    }
}
