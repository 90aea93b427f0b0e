//! Scores that are withdrawn after a fault of the challenge, and what becomes of them.
//!
//! Called by `admin.rs`. A score is withdrawn with its cause, which everybody reads. Then its submission stays as it is, or is
//! scored again from its record, or runs again. Whatever the record does not give runs again, free; in a round that has closed
//! nothing runs any more.

use prism_core::{
    hash::Sha256Hash,
    submission::{Actor, Position, Stage},
};
use prism_referee::record::{self, RECORD_BYTES_MAX, Record};
use prism_store::{
    budgets,
    results::{self, NewResult, Sharing, Stored},
    rounds,
    submissions::{self, Step},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    problem::{Result, ServiceProblem},
    service::Service,
};

/// Largest file of claims that is read, in bytes.
const TARGETS_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;

/// What the scores have in common that share a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shared {
    /// They were measured by the same version of PRISM, in this round.
    Engine,
    /// They are of rounds with the same corpus.
    Corpus,
    /// They are of rounds with the same version of the gate.
    Rules,
}

/// What becomes of a submission whose score is withdrawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// It stays without one.
    #[default]
    Nothing,
    /// This version scores its record again; where it cannot, it runs again, free.
    Rescore,
    /// It runs again, free.
    Requeue,
}

/// A submission whose score is to be withdrawn.
struct Withdrawal {
    id: String,
    /// Its results as this version scores them, each beside the earlier one; `None` where they are not to be had.
    rescored: Option<Vec<(i64, NewResult)>>,
}

impl Service {
    /// Withdraws a score and those that share its cause.
    pub(crate) fn withdraw(&self, id: &str, why: &str, same: Option<Shared>, then: Then) -> Result<Value> {
        if why.trim().is_empty() {
            return Err(ServiceProblem::Refused(
                "say why, with `--why`: everybody sees it".to_owned(),
            ));
        }
        let plans = self
            .sharing(id, same)?
            .into_iter()
            .map(|id| {
                let rescored = match then {
                    Then::Rescore => self.rescored(&id)?,
                    Then::Nothing | Then::Requeue => None,
                };
                Ok(Withdrawal { id, rescored })
            })
            .collect::<Result<Vec<_>>>()?;
        let (first, why, now) = (id.to_owned(), why.to_owned(), self.now());
        let done = self.store.write(move |tx| {
            let (mut withdrawn, mut rescored, mut requeued) = (Vec::new(), Vec::new(), Vec::new());
            for plan in &plans {
                let has_score = submissions::get(tx, &plan.id)?.score.is_some();
                // Of the others one may have moved on meanwhile. The first one says why it cannot be.
                if !has_score && plan.id != first {
                    continue;
                }
                results::invalidate(tx, &plan.id, &why, now)?;
                withdrawn.push(plan.id.clone());
                if let Some(again) = &plan.rescored {
                    let counts = store_worse(tx, again, now)?;
                    let step = Step {
                        counts,
                        ..Step::new(
                            Position::Ended(prism_core::outcome::Status::Completed),
                            Actor::Operator,
                            "its record was scored again",
                        )
                    };
                    submissions::step(tx, &plan.id, &step, now)?;
                    rescored.push(plan.id.clone());
                } else if then != Then::Nothing && is_open(tx, &plan.id)? {
                    let step = Step::new(
                        Position::Pending(Stage::Queued),
                        Actor::Operator,
                        "its score was withdrawn by no fault of its own: it runs again, free",
                    );
                    submissions::step(tx, &plan.id, &step, now)?;
                    budgets::refund_all(tx, &plan.id)?;
                    requeued.push(plan.id.clone());
                }
            }
            Ok(json!({ "invalidated": withdrawn, "rescored": rescored, "requeued": requeued }))
        })?;
        self.touch();
        Ok(done)
    }

    /// The submission and those that share the cause, in the order of acceptance.
    fn sharing(&self, id: &str, same: Option<Shared>) -> Result<Vec<String>> {
        let Some(same) = same else {
            return Ok(vec![id.to_owned()]);
        };
        let all = self.store.read(|tx| {
            let this = submissions::get(tx, id)?;
            let round = rounds::get(tx, &this.round_id)?;
            let mut sharing = Sharing::default();
            match same {
                Shared::Engine => {
                    let newest = results::of(tx, id)?.pop();
                    sharing.engine_version = newest.map(|newest| newest.result.engine_version);
                    sharing.round = Some(round.id);
                }
                Shared::Corpus => sharing.corpus_sha256 = Some(round.corpus_sha256),
                Shared::Rules => sharing.gate_version = Some(round.gate_version),
            }
            let mut all = results::sharing(tx, &sharing)?;
            if !all.iter().any(|other| other == id) {
                all.push(id.to_owned());
            }
            Ok(all)
        })?;
        Ok(all)
    }

    /// The results of a submission that are not withdrawn, each as this version scores its record.
    fn rescored(&self, id: &str) -> Result<Option<Vec<(i64, NewResult)>>> {
        let all = self.store.read(|tx| results::of(tx, id))?;
        let mut again = Vec::new();
        for stored in all.iter().filter(|stored| stored.invalidated.is_none()) {
            match self.rescore(stored) {
                Ok(new) => again.push((stored.id, new)),
                Err(problem) => {
                    tracing::warn!(submission = id, %problem, "a record cannot be scored again");
                    return Ok(None);
                }
            }
        }
        Ok((!again.is_empty()).then_some(again))
    }

    fn rescore(&self, stored: &Stored) -> Result<NewResult> {
        let missing = || ServiceProblem::Refused("its record or its claims are not there".to_owned());
        let files = &stored.result.files;
        let (record_sha256, targets_sha256) = files.record.zip(files.targets).ok_or_else(missing)?;
        let record_bytes = self.store.blobs().read(&record_sha256, RECORD_BYTES_MAX)?;
        let targets = self.store.blobs().read(&targets_sha256, TARGETS_BYTES_MAX)?;
        let wrong = |what: String| ServiceProblem::Refused(format!("the record: {what}"));
        let record = Record::from_json(&record_bytes).map_err(|error| wrong(error.to_string()))?;
        let verdict = record::rescore(&record, targets.as_slice(), Sha256Hash::of(&targets))
            .map_err(|error| wrong(error.to_string()))?;
        Ok(NewResult {
            engine_version: env!("CARGO_PKG_VERSION").to_owned(),
            bpb: verdict.bpb,
            bpb_se: verdict.bpb_se,
            standing: verdict.standing,
            flags: verdict.flags.iter().map(|flag| flag.code().to_owned()).collect(),
            hidden_max_bpb: Some(verdict.hidden_max_bpb),
            ..stored.result.clone()
        })
    }
}

/// Stores results that were scored again; the worse one counts.
fn store_worse(
    tx: &prism_store::Write,
    again: &[(i64, NewResult)],
    now: prism_core::time::Timestamp,
) -> prism_store::Result<Option<i64>> {
    let mut worst: Option<Stored> = None;
    for (earlier, new) in again {
        let id = results::store_rescored(tx, *earlier, new, now)?;
        let stored = results::get_result(tx, id)?;
        let is_worse = worst
            .as_ref()
            .is_none_or(|worst| results::as_score(&stored).is_worse_than(&results::as_score(worst)));
        if is_worse {
            worst = Some(stored);
        }
    }
    Ok(worst.map(|worst| worst.id))
}

fn is_open(tx: &prism_store::Read, id: &str) -> prism_store::Result<bool> {
    Ok(rounds::get(tx, &submissions::get(tx, id)?.round_id)?.is_open())
}
