//! Lists and counts of submissions.

use prism_core::{
    hash::Sha256Hash,
    submission::{Position, Stage},
    time::Timestamp,
};
use rusqlite::{ToSql, params};

use super::{COLUMNS, Submission, submission};
use crate::{Read, Result, columns::Columns, events::position};

/// Most submissions of a page.
const PAGE_MAX: u32 = 1000;

/// Which submissions. What is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this hotkey.
    pub hotkey: Option<String>,
    /// With this status, as [`Position::status`] says it.
    pub status: Option<String>,
    /// In this stage.
    pub stage: Option<Stage>,
    /// Of this round.
    pub round: Option<String>,
    /// Of this epoch.
    pub epoch: Option<i64>,
    /// With this architecture.
    pub architecture: Option<Sha256Hash>,
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The newest first.
    pub submissions: Vec<Submission>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<i64>,
}

/// Submissions that pass a filter, the newest first, from before `cursor` (what [`Page::next`] of the page before said).
pub fn list(tx: &Read, filter: &Filter, cursor: Option<i64>, limit: u32) -> Result<Page> {
    let limit = limit.clamp(1, PAGE_MAX);
    let stage = filter.stage.map(Stage::as_str);
    let architecture = filter.architecture.map(|hash| hash.0);
    let before = cursor.unwrap_or(i64::MAX);
    let one_more = i64::from(limit) + 1;
    let mut which = String::from("s.seq < ?");
    let mut values: Vec<&dyn ToSql> = vec![&before];
    let tests = [
        ("s.hotkey", given(filter.hotkey.as_ref())),
        ("s.status", given(filter.status.as_ref())),
        ("s.stage", given(stage.as_ref())),
        ("s.round_id", given(filter.round.as_ref())),
        ("s.epoch_id", given(filter.epoch.as_ref())),
        ("s.architecture_sha256", given(architecture.as_ref())),
    ];
    for (column, value) in tests {
        if let Some(value) = value {
            which.extend([" AND ", column, " = ?"]);
            values.push(value);
        }
    }
    values.push(&one_more);
    let question = format!("SELECT {COLUMNS} WHERE {which} ORDER BY s.seq DESC LIMIT ?");
    let mut submissions = tx.all(&question, values.as_slice(), submission)?;
    let next = if submissions.len() > limit as usize {
        submissions.truncate(limit as usize);
        submissions.last().map(|last| last.seq)
    } else {
        None
    };
    Ok(Page { submissions, next })
}

fn given<T: ToSql>(value: Option<&T>) -> Option<&dyn ToSql> {
    value.map(|value| value as &dyn ToSql)
}

/// All that are pending or running, in the order of acceptance: what a server finds when it starts.
pub fn unfinished(tx: &Read) -> Result<Vec<Submission>> {
    // The plus keeps SQLite from reading the whole table for the sake of its order.
    tx.all(
        &format!("SELECT {COLUMNS} WHERE s.stage IS NOT NULL ORDER BY +s.seq"),
        [],
        submission,
    )
}

/// Those that were accepted after this place in the order, oldest first.
pub fn after(tx: &Read, seq: i64, limit: u32) -> Result<Vec<Submission>> {
    tx.all(
        &format!("SELECT {COLUMNS} WHERE s.seq > ? ORDER BY s.seq LIMIT ?"),
        [seq, i64::from(limit)],
        submission,
    )
}

/// How many stand where.
pub fn counts(tx: &Read) -> Result<Vec<(Position, u64)>> {
    tx.all(
            "SELECT status, stage, count(*) FROM submissions WHERE stage IS NOT NULL GROUP BY stage, status
             UNION ALL
             SELECT status, NULL, count(*) FROM submissions WHERE status NOT IN ('pending', 'running') GROUP BY status", [], |row| {
        let mut columns = Columns::of(row);
        Ok((position(&mut columns)?, columns.count()?))
    })
}

/// How many were accepted on each day since one ([`Timestamp::day`]), oldest first, without days that had none.
pub fn counts_by_day(tx: &Read, since_day: i64) -> Result<Vec<(i64, u64)>> {
    let since = Timestamp::from_seconds(since_day.saturating_mul(86_400));
    tx.all(
        "SELECT accepted_at / 86400000000 AS day, count(*) FROM submissions WHERE accepted_at >= ? GROUP BY day ORDER BY day", [since.0], |row| {
        let mut columns = Columns::of(row);
        Ok((columns.take()?, columns.count()?))
    })
}

/// The epochs that have submissions, the newest first.
pub fn epochs(tx: &Read, limit: u32) -> Result<Vec<i64>> {
    // Jumps from one epoch to the next in the index instead of reading every submission.
    tx.all(
        "WITH RECURSIVE epoch (id) AS (
             SELECT max(epoch_id) FROM submissions
             UNION ALL
             SELECT (SELECT max(epoch_id) FROM submissions WHERE epoch_id < epoch.id) FROM epoch WHERE epoch.id IS NOT NULL
         )
         SELECT id FROM epoch WHERE id IS NOT NULL LIMIT ?", params![limit], |row| row.get(0))
}
