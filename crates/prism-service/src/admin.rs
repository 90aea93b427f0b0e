//! What an operator can do while the service runs. One operation, one answer; both are JSON on the admin socket.
//!
//! There is no administration over TCP. Every operation that moves a submission is a step in the store with the operator as its
//! actor, so that it shows among the events.

use std::path::PathBuf;

use prism_core::{
    outcome::{Reason, Status},
    submission::{Actor, Position, Stage},
    weights::policy::Policy,
};
use prism_store::{
    results,
    rounds::{self, Round},
    submissions::{self, Filter, Step, Submission},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    orders,
    problem::{Result, ServiceProblem},
    service::Service,
    withdraw::{Shared, Then},
};

/// Submissions that a list shows.
const LIST_MAX: u32 = 1000;

/// What to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Operation {
    /// How everything stands.
    Status,
    /// Opens a round.
    RoundOpen(RoundSpec),
    /// Closes one, by name or id.
    RoundClose {
        /// Which one.
        round: String,
    },
    /// Lists them.
    RoundList,
    /// Gives the seed and its salt of a round that has closed.
    RoundReveal {
        /// Which one.
        round: String,
    },
    /// Measures the reference bundle of the open round so many times.
    RoundNoise {
        /// How many runs.
        seeds: u32,
    },
    /// Lists what is held.
    Held,
    /// Lets a held submission go on.
    Release {
        /// Which one.
        submission: String,
    },
    /// Rejects one that is held or waits.
    Reject {
        /// Which one.
        submission: String,
        /// Why: the owner sees it.
        why: String,
    },
    /// Runs one again that has ended without a score, or whose score was withdrawn.
    Requeue {
        /// Which one.
        submission: String,
        /// Whether what it has cost is given back.
        free: bool,
    },
    /// Withdraws a score, and those that share its cause if asked.
    Invalidate {
        /// Which one.
        submission: String,
        /// Why: everybody sees it.
        why: String,
        /// What others must share with it to be withdrawn too; none are where it is absent.
        #[serde(default)]
        same: Option<Shared>,
        /// What becomes of those that are withdrawn.
        #[serde(default)]
        then: Then,
    },
    /// How the reviewer stands.
    Review,
    /// Everything of a submission's reviews, answers of the model included.
    Reviews {
        /// Which one.
        submission: String,
    },
    /// Reads again what is held because the reviewer was absent, unreachable, wrongly set up, out of budget or undecided.
    ReviewRetry,
    /// Starts nothing new until [`Operation::Resume`].
    Pause,
    /// See [`Operation::Pause`].
    Resume,
    /// The weights of the round that is shown under another policy, beside the present ones.
    Simulate {
        /// The policy.
        policy: String,
    },
    /// Copies store and blobs into a new directory while everything goes on.
    Backup {
        /// Where to.
        to: PathBuf,
    },
}

/// A round that is to be opened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoundSpec {
    /// What people call it.
    pub name: String,
    /// The recipe, whole.
    pub recipe_toml: String,
    /// A locked corpus on this machine.
    pub corpus: PathBuf,
    /// How ranks become weights; the default where it is absent.
    pub policy: Option<String>,
    /// Scored runs that a hotkey may have in a day.
    pub scored_runs_per_day: u32,
    /// Uploads that a hotkey may have in a day.
    pub uploads_per_day: u32,
    /// The bundle that the noise floor is measured with, a zip.
    pub reference: Option<PathBuf>,
    /// Whether sources are published when the round closes.
    pub publish_sources: bool,
}

impl Service {
    /// Does it.
    pub fn administer(&self, operation: &Operation) -> Result<Value> {
        match operation {
            Operation::Status => self.overview(),
            Operation::RoundOpen(spec) => Ok(shown(&self.open_round(spec)?)),
            Operation::RoundClose { round } => Ok(shown(&self.close_round(round)?)),
            Operation::RoundList => {
                let rounds = self.store.read(rounds::list)?;
                Ok(json!({ "rounds": rounds.iter().map(shown).collect::<Vec<_>>() }))
            }
            Operation::RoundReveal { round } => self.reveal(round),
            Operation::RoundNoise { seeds } => {
                let round = self.ask_for_noise(*seeds)?;
                Ok(json!({ "round": round.name, "runs": seeds }))
            }
            Operation::Held => self.held(),
            Operation::Release { submission } => {
                let position = self
                    .store
                    .read(|tx| Ok(submissions::get(tx, submission)?.position))?;
                if position != Position::Ended(Status::Held) {
                    return Err(ServiceProblem::Refused(format!(
                        "it is {position}, not held; `prism admin requeue` runs one again that has ended"
                    )));
                }
                // What was held was held by no fault of the miner: whatever runs again is free.
                self.put_back(submission, "the operator has released it", true, false)
            }
            Operation::Requeue { submission, free } => {
                self.put_back(submission, "the operator lets it run again", *free, true)
            }
            Operation::Reject { submission, why } => self.reject(submission, why),
            Operation::Invalidate {
                submission,
                why,
                same,
                then,
            } => self.withdraw(submission, why, *same, *then),
            Operation::Review => self.review_overview(),
            Operation::Reviews { submission } => self.reviews_of(submission),
            Operation::ReviewRetry => self.retry_reviews(),
            Operation::Pause => {
                self.store.write(|tx| orders::set_paused(tx, true))?;
                self.state().paused = true;
                self.touch();
                Ok(json!({ "paused": true }))
            }
            Operation::Resume => {
                self.store.write(|tx| orders::set_paused(tx, false))?;
                {
                    let mut state = self.state();
                    state.paused = false;
                    state.breaker = None;
                    state.machine = None;
                    state.review.breaker.worked();
                }
                self.touch();
                Ok(json!({ "paused": false }))
            }
            Operation::Simulate { policy } => self.simulate(policy),
            Operation::Backup { to } => {
                let done = self.store.backup(to)?;
                Ok(json!({ "to": to, "backup": format!("{done:?}") }))
            }
        }
    }

    fn overview(&self) -> Result<Value> {
        let (counts, round, noise_runs_left) = self.store.read(|tx| {
            let left = orders::noise_runs_left(tx)?;
            Ok((submissions::counts(tx)?, rounds::current(tx)?, left))
        })?;
        let counts: Vec<Value> = counts
            .into_iter()
            .map(|(position, count)| json!({ "position": position.to_string(), "count": count }))
            .collect();
        let halted = self
            .halted(self.now())
            .map(|(wait, sentence)| json!({ "code": wait.code(), "sentence": sentence }));
        let state = self.state();
        Ok(json!({
            "round": round.as_ref().map(shown),
            "submissions": counts,
            "halted": halted,
            "paused": state.paused,
            "noise_runs_left": noise_runs_left,
            "troubles": state.troubles,
        }))
    }

    fn reveal(&self, name: &str) -> Result<Value> {
        let secret = self.store.read(|tx| {
            let id = rounds::by_name(tx, name)?.map_or_else(|| name.to_owned(), |round| round.id);
            rounds::reveal(tx, &id)
        })?;
        match secret {
            Some(secret) => Ok(json!({
                // Too large for the numbers of most readers of JSON.
                "seed": secret.seed.to_string(),
                "salt": prism_core::hex::encode(&secret.salt),
                "commitment": rounds::commitment(&secret).to_string(),
            })),
            None => Err(ServiceProblem::Refused(
                "the round is still open: its seed is secret until it closes".to_owned(),
            )),
        }
    }

    fn held(&self) -> Result<Value> {
        let filter = Filter {
            status: Some(Status::Held.as_str().to_owned()),
            ..Filter::default()
        };
        let page = self
            .store
            .read(|tx| submissions::list(tx, &filter, None, LIST_MAX))?;
        let held: Vec<Value> = page
            .submissions
            .iter()
            .map(|submission| {
                json!({
                    "id": submission.id,
                    "hotkey": submission.hotkey,
                    "name": submission.contract.as_ref().and_then(|contract| contract.name.clone()),
                    "accepted_at": submission.accepted_at.to_string(),
                    "reason": submission.reason.map(Reason::code),
                    "sentence": submission.sentence,
                })
            })
            .collect();
        Ok(json!({ "held": held }))
    }

    /// Back into the pipeline: to the queue where it was checked before, else to its beginning. What is held for its review and not
    /// released is read again.
    fn put_back(
        &self,
        id: &str,
        sentence: &'static str,
        is_free: bool,
        is_read_again: bool,
    ) -> Result<Value> {
        let (id, now) = (id.to_owned(), self.now());
        let submission = self.store.write(move |tx| {
            let this = submissions::get(tx, &id)?;
            let measured = scored_once(tx, &this)?;
            let is_held_review = this.position == Position::Ended(Status::Held)
                && this.reason.is_some_and(Reason::is_held_review);
            let to = match measured {
                Some(_) => Stage::Confirming,
                None if must_be_checked(&this) => Stage::Received,
                None if is_read_again && is_held_review => Stage::Review,
                None => Stage::Queued,
            };
            let step = Step {
                counts: measured,
                ..Step::new(Position::Pending(to), Actor::Operator, sentence)
            };
            submissions::step(tx, &id, &step, now)?;
            if is_free {
                prism_store::budgets::refund_all(tx, &id)?;
            }
            submissions::get(tx, &id)
        })?;
        self.touch();
        Ok(json!({ "id": submission.id, "position": submission.position.to_string() }))
    }

    fn reject(&self, id: &str, why: &str) -> Result<Value> {
        if why.trim().is_empty() {
            return Err(ServiceProblem::Refused(
                "say why, with `--why`: the owner sees it".to_owned(),
            ));
        }
        let (id, why, now) = (id.to_owned(), why.to_owned(), self.now());
        self.store
            .write(move |tx| {
                let step = Step {
                    reason: Some(Reason::RejectedByOperator),
                    ..Step::new(Position::Ended(Status::Rejected), Actor::Operator, &why)
                };
                submissions::step(tx, &id, &step, now)?;
                Ok(json!({ "id": id, "position": "rejected" }))
            })
            .map_err(Into::into)
    }

    fn simulate(&self, policy: &str) -> Result<Value> {
        let policy: Policy = policy
            .parse()
            .map_err(|error: prism_core::weights::policy::PolicyError| {
                ServiceProblem::Refused(error.to_string())
            })?;
        let round = self.store.read(|tx| {
            Ok(match rounds::current(tx)? {
                Some(round) => Some(round),
                None => rounds::last_closed(tx)?,
            })
        })?;
        let Some(round) = round else {
            return Err(ServiceProblem::Refused("there has been no round yet".to_owned()));
        };
        let gathered = self.gathered(&round)?;
        Ok(json!({
            "round": round.name,
            "present": { "policy": round.weight_policy, "weights": gathered.weigh(&round)?.weights },
            "simulated": { "policy": policy.to_string(), "weights": gathered.weigh_by(&round, policy)?.weights },
        }))
    }
}

/// The score of a submission that was held while it was to be measured a second time: that alone is still to be done.
fn scored_once(tx: &prism_store::Read, submission: &Submission) -> prism_store::Result<Option<i64>> {
    if submission.position != Position::Ended(Status::Held) {
        return Ok(None);
    }
    let all = results::of(tx, &submission.id)?;
    let valid = all.iter().filter(|result| result.invalidated.is_none());
    Ok(valid.map(|result| result.id).next_back())
}

/// Whether it never came as far as the queue, or a rule may have changed since.
fn must_be_checked(submission: &Submission) -> bool {
    match submission.position {
        Position::Ended(Status::Rejected) => true,
        // A person has read it in the reviewer's place; or it has run already.
        Position::Ended(Status::Held) => !submission
            .reason
            .is_some_and(|reason| reason.is_held_review() || reason == Reason::RetriesSpent),
        Position::Ended(Status::Completed | Status::Failed | Status::Cancelled | Status::Invalidated)
        | Position::Pending(_)
        | Position::Running(_) => submission.contract.is_none(),
    }
}

/// A round without its secret.
fn shown(round: &Round) -> Value {
    json!({
        "id": round.id,
        "number": round.number,
        "name": round.name,
        "state": if round.is_open() { "open" } else { "closed" },
        "recipe_sha256": round.recipe_sha256.to_string(),
        "corpus": round.corpus_path,
        "corpus_sha256": round.corpus_sha256.to_string(),
        "runtime_lock": round.runtime_lock,
        "gate_version": round.gate_version,
        "review_mode": round.review_mode,
        "seed_commitment": round.seed_commitment,
        "scored_runs_per_day": round.scored_runs_per_day,
        "uploads_per_day": round.uploads_per_day,
        "weight_policy": round.weight_policy,
        "noise_floor_bpb": round.noise_floor_bpb,
        "publish_sources": round.publish_sources,
        "opened_at": round.opened_at.to_string(),
        "closed_at": round.closed_at.map(|time| time.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_read_strictly() {
        for (json, operation) in [
            (r#"{"do":"status"}"#, Operation::Status),
            (
                r#"{"do":"round_noise","seeds":5}"#,
                Operation::RoundNoise { seeds: 5 },
            ),
            (
                r#"{"do":"invalidate","submission":"x","why":"y"}"#,
                Operation::Invalidate {
                    submission: "x".into(),
                    why: "y".into(),
                    same: None,
                    then: Then::Nothing,
                },
            ),
        ] {
            assert_eq!(serde_json::from_str::<Operation>(json).unwrap(), operation);
        }
        for json in [
            "",
            "{}",
            r#"{"do":"delete_all"}"#,
            r#"{"do":"release"}"#,
            r#"{"do":"invalidate","submission":"x","why":"y","same":"colour"}"#,
            r#"{"do":"release","submission":"x","force":true}"#,
        ] {
            assert!(serde_json::from_str::<Operation>(json).is_err(), "{json}");
        }
    }
}
