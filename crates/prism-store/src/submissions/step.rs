//! The one way in which a submission moves: checked, written and recorded in one transaction.

use prism_core::{
    outcome::{Reason, Status},
    submission::{Actor, Position, Stage, Wait},
    time::Timestamp,
};
use rusqlite::params;

use super::{Submission, get};
use crate::{
    Result, StoreError, Write, attempts,
    events::{self, NewEvent},
    results,
};

/// A move.
#[derive(Clone, Debug)]
pub struct Step<'a> {
    /// Where to.
    pub to: Position,
    /// Who moves it.
    pub by: Actor,
    /// The stable reason. Every end but `completed` has one.
    pub reason: Option<Reason>,
    /// What happened, in a sentence for whoever's fault it is.
    pub sentence: &'a str,
    /// What it rests on, as JSON. Public with the event.
    pub evidence_json: Option<&'a str>,
    /// The miner's own traceback. For the owner alone.
    pub traceback: Option<&'a str>,
    /// The result that counts from now on ([`results::store`]), where that changes.
    pub counts: Option<i64>,
}

impl<'a> Step<'a> {
    /// A move with nothing more to say.
    pub fn new(to: Position, by: Actor, sentence: &'a str) -> Self {
        Self {
            to,
            by,
            reason: None,
            sentence,
            evidence_json: None,
            traceback: None,
            counts: None,
        }
    }
}

/// Moves a submission and returns where it stood. Refused, without a trace, where [`Position::may_step`] refuses it, where
/// an end has no reason, or where a score would appear that no result gives.
///
/// A submission that leaves `running` has no live attempt any more: one that is still there is ended here, so that its
/// result will come too late. A requeue by the operator begins with no retries.
pub fn step(tx: &Write, id: &str, step: &Step<'_>, now: Timestamp) -> Result<Position> {
    let this = get(tx, id)?;
    let from = this.position;
    from.may_step(step.to, step.by)?;
    if let (Position::Ended(status), None) = (step.to, step.reason)
        && status != Status::Completed
    {
        return Err(StoreError::NotAllowed(format!(
            "the submission {id} cannot become {} without a reason",
            status.as_str()
        )));
    }
    let result = result_after(tx, &this, step)?;
    if !matches!(step.to, Position::Running(_)) {
        let reason = step.reason.unwrap_or(Reason::Cancelled);
        attempts::end_live(tx, this.seq, reason, step.sentence, now)?;
    }
    let retries = if step.by == Actor::Operator && matches!(step.to, Position::Pending(_)) {
        0
    } else {
        this.retries
    };
    let wait = matches!(step.to, Position::Pending(_)).then_some(Wait::Queue.code());
    let mut statement = tx.conn.prepare_cached(
        "UPDATE submissions SET status = ?, stage = ?, reason = ?, sentence = ?, traceback = ?, wait = ?,
             wait_sentence = NULL, waiting_since = ?, not_before = NULL, retries = ?, result_id = ?, updated_at = ?
         WHERE seq = ?",
    )?;
    statement.execute(params![
        step.to.status(),
        step.to.stage().map(Stage::as_str),
        step.reason.map(Reason::code),
        step.sentence,
        step.traceback,
        wait,
        wait.map(|_| now.0),
        retries,
        result,
        now.0,
        this.seq,
    ])?;
    let event = NewEvent {
        by: step.by,
        position: step.to,
        reason: step.reason,
        sentence: step.sentence,
        evidence_json: step.evidence_json,
    };
    events::add(tx, this.seq, &event, now)?;
    Ok(from)
}

/// The result that counts after the step. There is one exactly while a submission is completed or being confirmed; a second
/// one replaces the first only where it is no better.
fn result_after(tx: &Write, this: &Submission, step: &Step<'_>) -> Result<Option<i64>> {
    let counted = match step.to {
        Position::Ended(Status::Completed)
        | Position::Pending(Stage::Confirming)
        | Position::Running(Stage::Confirming) => true,
        Position::Pending(_) | Position::Running(_) | Position::Ended(_) => false,
    };
    let before = this.score.as_ref();
    match (counted, step.counts) {
        (false, None) => Ok(None),
        (false, Some(_)) => Err(StoreError::NotAllowed(format!(
            "the submission {} cannot have a score while it is {}",
            this.id, step.to
        ))),
        (true, None) => before.map(|score| Some(score.result_id)).ok_or_else(|| {
            StoreError::NotAllowed(format!(
                "the submission {} cannot become {} without a result",
                this.id, step.to
            ))
        }),
        (true, Some(result_id)) => {
            let new = results::countable(tx, this.seq, result_id)?;
            match before {
                Some(old) if old.is_worse_than(&new) => Err(StoreError::NotAllowed(format!(
                    "the submission {} has a score already, and the result {result_id} is better: the worse one counts",
                    this.id
                ))),
                Some(_) | None => Ok(Some(result_id)),
            }
        }
    }
}
