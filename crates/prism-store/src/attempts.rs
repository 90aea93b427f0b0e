//! Attempts: each evaluation of a submission, fenced by a nonce of its own.
//!
//! ```text
//! created -> started -> ended | lost          (committed before anything starts; one live attempt a submission)
//! ```
//!
//! A result is taken once, from the live attempt, with its nonce ([`ended`]); what comes later, or with another nonce, is
//! kept as evidence and changes nothing.

mod look;
mod types;

use prism_core::{
    outcome::Reason,
    submission::{Position, Stage},
    time::Timestamp,
};
use rusqlite::params;

use look::live_of;
pub use look::{get, live, median_wall_seconds, of, of_noise};
pub use types::{Attempt, End, Kind, NewAttempt, Of, State, Taken};

use crate::{
    Result, StoreError, Write,
    columns::bytes,
    rounds,
    submissions::{get_by_seq, seq_of},
};

/// Makes an attempt. Refused where the submission has a live one, or does not wait for this.
pub fn begin(tx: &Write, new: &NewAttempt, now: Timestamp) -> Result<Attempt> {
    let (kind, submission, round_id) = match &new.of {
        Of::Main(id) => ready(tx, id, Kind::Main, Stage::Queued, Stage::Training)?,
        Of::Confirm(id) => ready(tx, id, Kind::Confirm, Stage::Confirming, Stage::Confirming)?,
        Of::Noise { round_id } => (Kind::Noise, None, rounds::get(tx, round_id)?.id),
    };
    let mut before = tx.conn.prepare_cached(match submission {
        Some(_) => "SELECT ifnull(max(number), 0) FROM attempts WHERE submission = ?1 AND ?2 IS NOT NULL",
        None => "SELECT ifnull(max(number), 0) FROM attempts WHERE ?1 IS NULL AND round_id = ?2 AND kind = 'noise'",
    })?;
    let before: i64 = before.query_row(params![submission, round_id], |row| row.get(0))?;
    let mut statement = tx.conn.prepare_cached(
        "INSERT INTO attempts (submission, round_id, kind, number, nonce, executor, handle, seed, audit_rate_factor, state,
             created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'created', ?)",
    )?;
    let id = statement.insert(params![
        submission,
        round_id,
        kind.as_str(),
        before + 1,
        new.nonce,
        new.executor,
        new.handle,
        new.seed.cast_signed(),
        new.audit_rate_factor,
        now.0,
    ])?;
    get(tx, id)
}

fn ready(tx: &Write, id: &str, kind: Kind, waits: Stage, runs: Stage) -> Result<(Kind, Option<i64>, String)> {
    let seq = seq_of(tx, id)?;
    if let Some(live) = live_of(tx, seq)? {
        return Err(StoreError::NotAllowed(format!(
            "the submission {id} has a live attempt already, number {}",
            live.number
        )));
    }
    let found = get_by_seq(tx, seq)?;
    if found.position == Position::Pending(waits) || found.position == Position::Running(runs) {
        Ok((kind, Some(seq), found.round_id))
    } else {
        Err(StoreError::NotAllowed(format!(
            "the submission {id} is {} and does not wait for a {} run",
            found.position,
            kind.as_str()
        )))
    }
}

/// Stores that an attempt has started and what its executor finds it by. Whether it was still to start.
pub fn started(tx: &Write, id: i64, handle: Option<&str>, now: Timestamp) -> Result<bool> {
    let changed = tx.conn.execute(
        "UPDATE attempts SET state = 'started', started_at = ?, handle = ifnull(?, handle) WHERE id = ? AND state = 'created'",
        params![now.0, handle, id],
    )?;
    get(tx, id)?;
    Ok(changed == 1)
}

/// Takes the end of an attempt, once, if it is the live one and shows its nonce.
pub fn ended(tx: &Write, id: i64, nonce: &[u8; 16], end: &End, now: Timestamp) -> Result<Taken> {
    if let Some(evidence) = &end.evidence {
        tx.must_have_blob(evidence)?;
    }
    let mut fence = tx.conn.prepare_cached(
        "UPDATE attempts SET state = 'ended', ended_at = ?, reason = ?, sentence = ?, wall_seconds = ?, evidence_json = ?,
             evidence_sha256 = ?
         WHERE id = ? AND nonce = ? AND state IN ('created', 'started')",
    )?;
    let taken = fence.execute(params![
        now.0,
        end.reason.code(),
        end.sentence,
        end.wall_seconds,
        end.evidence_json,
        bytes(end.evidence.as_ref()),
        id,
        nonce,
    ])?;
    if taken == 1 {
        return Ok(Taken::Taken);
    }
    let mut keep = tx.conn.prepare_cached(
        "INSERT INTO late_results (attempt_id, nonce, at, reason, sentence, wall_seconds, evidence_json, evidence_sha256)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    keep.execute(params![
        id,
        nonce,
        now.0,
        end.reason.code(),
        end.sentence,
        end.wall_seconds,
        end.evidence_json,
        bytes(end.evidence.as_ref()),
    ])?;
    Ok(Taken::Late)
}

/// Stores that whoever ran an attempt is gone and left no result. Whether it was live.
pub fn lost(tx: &Write, id: i64, sentence: &str, now: Timestamp) -> Result<bool> {
    let changed = tx.conn.execute(
        "UPDATE attempts SET state = 'lost', ended_at = ?, reason = ?, sentence = ?
         WHERE id = ? AND state IN ('created', 'started')",
        params![now.0, Reason::Lost.code(), sentence, id],
    )?;
    get(tx, id)?;
    Ok(changed == 1)
}

/// Ends the live attempt of a submission that moves on without it.
pub(crate) fn end_live(
    tx: &Write,
    submission_seq: i64,
    reason: Reason,
    sentence: &str,
    now: Timestamp,
) -> Result<()> {
    let state = if reason == Reason::Lost {
        State::Lost
    } else {
        State::Ended
    };
    let mut statement = tx.conn.prepare_cached(
        "UPDATE attempts SET state = ?, ended_at = ?, reason = ?, sentence = ?
         WHERE submission = ? AND state IN ('created', 'started')",
    )?;
    statement.execute(params![
        state.as_str(),
        now.0,
        reason.code(),
        sentence,
        submission_seq
    ])?;
    Ok(())
}
