//! What a hotkey has used of a day's budgets: counted from the rows themselves, so that no count can go astray.
//!
//! An upload counts when it makes a new submission. A scored run counts once its attempt is [`charge`]d, until it is
//! refunded ([`refund_all`]): that is for runs that began training and did not end by the operator's fault.

use prism_core::time::Timestamp;
use rusqlite::params;

use crate::{Read, Result, Write, attempts, submissions::seq_of};

/// What was used of a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// New submissions.
    pub uploads: u32,
    /// Runs that count as scored.
    pub scored_runs: u32,
}

/// Microseconds of a day.
const DAY_US: i64 = 86_400_000_000;

/// What a hotkey used on a day ([`Timestamp::day`]).
pub fn of(tx: &Read, hotkey: &str, day: i64) -> Result<Used> {
    let from = day.saturating_mul(DAY_US);
    let to = from.saturating_add(DAY_US);
    let mut uploads = tx.conn.prepare_cached(
        "SELECT count(*) FROM submissions
         WHERE hotkey = ? AND accepted_at >= ? AND accepted_at < ?",
    )?;
    let mut runs = tx
        .conn
        .prepare_cached("SELECT count(*) FROM attempts WHERE charged_to = ? AND charged_day = ?")?;
    Ok(Used {
        uploads: uploads.query_row(params![hotkey, from, to], |row| row.get(0))?,
        scored_runs: runs.query_row(params![hotkey, day], |row| row.get(0))?,
    })
}

/// Counts an attempt as a scored run of today, against the hotkey of its submission. Once, however often it is called;
/// whether it was the first time. Noise runs are nobody's and count never.
pub fn charge(tx: &Write, attempt: i64, now: Timestamp) -> Result<bool> {
    attempts::get(tx, attempt)?;
    let charged = tx.conn.execute(
        "UPDATE attempts SET charged_day = ?, charged_to = s.hotkey FROM submissions s
         WHERE attempts.id = ? AND s.seq = attempts.submission AND charged_day IS NULL",
        params![now.day(), attempt],
    )?;
    Ok(charged == 1)
}

/// Takes all attempts of a submission out of the budget: it runs again, free. How many were charged.
pub fn refund_all(tx: &Write, submission: &str) -> Result<u64> {
    let seq = seq_of(tx, submission)?;
    let refunded = tx.conn.execute(
        "UPDATE attempts SET charged_day = NULL, charged_to = NULL WHERE submission = ? AND charged_day IS NOT NULL",
        [seq],
    )?;
    Ok(refunded as u64)
}
