//! Looking at attempts.

use prism_core::outcome::{Reason, Status};
use rusqlite::params;

use super::types::{Attempt, Kind, State};
use crate::{Read, Result, StoreError, columns::Columns};

const COLUMNS: &str = "a.id, s.id, a.round_id, a.kind, a.number, a.nonce, a.executor, a.handle, a.seed, a.audit_rate_factor, \
                       a.state, a.created_at, a.started_at, a.ended_at, a.reason, a.sentence, a.wall_seconds, \
                       a.evidence_json, a.evidence_sha256, a.charged_day \
                       FROM attempts a LEFT JOIN submissions s ON s.seq = a.submission";
const LIVE: &str = "a.state IN ('created', 'started')";

fn attempt(row: &rusqlite::Row<'_>) -> rusqlite::Result<Attempt> {
    let mut columns = Columns::of(row);
    Ok(Attempt {
        id: columns.take()?,
        submission: columns.take()?,
        round_id: columns.take()?,
        kind: columns.word(Kind::parse)?,
        number: columns.take()?,
        nonce: columns.take()?,
        executor: columns.take()?,
        handle: columns.take()?,
        seed: columns.take::<i64>()?.cast_unsigned(),
        audit_rate_factor: columns.take()?,
        state: columns.word(State::parse)?,
        created_at: columns.time()?,
        started_at: columns.maybe_time()?,
        ended_at: columns.maybe_time()?,
        reason: columns.maybe_word(Reason::parse)?,
        sentence: columns.take()?,
        wall_seconds: columns.take()?,
        evidence_json: columns.take()?,
        evidence: columns.maybe_hash()?,
        charged_day: columns.take()?,
    })
}

/// An attempt by its id.
pub fn get(tx: &Read, id: i64) -> Result<Attempt> {
    tx.one(&format!("SELECT {COLUMNS} WHERE a.id = ?"), [id], attempt)?
        .ok_or_else(|| StoreError::NotFound {
            what: "attempt",
            id: id.to_string(),
        })
}

pub(super) fn live_of(tx: &Read, submission_seq: i64) -> Result<Option<Attempt>> {
    let question = format!("SELECT {COLUMNS} WHERE a.submission = ? AND {LIVE}");
    tx.one(&question, [submission_seq], attempt)
}

/// All live attempts, oldest first: what a server that starts looks for.
pub fn live(tx: &Read) -> Result<Vec<Attempt>> {
    tx.all(
        &format!("SELECT {COLUMNS} WHERE {LIVE} ORDER BY a.id"),
        [],
        attempt,
    )
}

/// The attempts of a submission, the first one first.
pub fn of(tx: &Read, submission: &str) -> Result<Vec<Attempt>> {
    tx.all(&format!(
        "SELECT {COLUMNS} WHERE a.submission = (SELECT seq FROM submissions WHERE id = ?) ORDER BY a.number"
    ), [submission], attempt)
}

/// The noise runs of a round, the first one first.
pub fn of_noise(tx: &Read, round_id: &str) -> Result<Vec<Attempt>> {
    tx.all(
        &format!("SELECT {COLUMNS} WHERE a.round_id = ? AND a.kind = 'noise' ORDER BY a.number"),
        [round_id],
        attempt,
    )
}

/// The median of how long the last 50 completed runs of a round took, by their own measurement; `None` while fewer than
/// three were measured.
pub fn median_wall_seconds(tx: &Read, round_id: &str, kind: Kind) -> Result<Option<f64>> {
    const LAST: u32 = 50;
    const LEAST: usize = 3;
    let completed = Reason::ALL
        .iter()
        .filter(|reason| reason.status() == Status::Completed)
        .map(|reason| format!("'{}'", reason.code()))
        .collect::<Vec<_>>()
        .join(", ");
    let question = format!(
        "SELECT wall_seconds FROM attempts
         WHERE round_id = ? AND kind = ? AND reason IN ({completed}) AND wall_seconds IS NOT NULL
         ORDER BY ended_at DESC, id DESC LIMIT ?"
    );
    let mut seconds: Vec<f64> = tx.all(&question, params![round_id, kind.as_str(), LAST], |row| {
        row.get(0)
    })?;
    seconds.sort_by(f64::total_cmp);
    let middle = seconds.len() / 2;
    Ok(match seconds.get(middle) {
        Some(upper) if seconds.len() >= LEAST => Some(if seconds.len() % 2 == 1 {
            *upper
        } else {
            f64::midpoint(seconds[middle - 1], *upper)
        }),
        Some(_) | None => None,
    })
}
