//! The lines in which submissions wait: for their checks, for the reviewer, and for a slot.
//!
//! The order is that of acceptance; what is to be confirmed goes before what was never run. Whoever is told to wait
//! ([`crate::submissions::wait`]) is passed over until then, and loses no place. A clock that was set back makes nobody
//! wait longer: a wait that would begin in the future is over.

use prism_core::{
    submission::{Stage, Wait},
    time::Timestamp,
};
use rusqlite::params;

use crate::{
    Read, Result, Write,
    columns::Columns,
    submissions::{COLUMNS, Submission, submission},
};

/// Where one waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Line {
    /// For contract, gate and similarity.
    Checks,
    /// For the reviewer.
    Reviews,
    /// For a slot.
    Runs,
}

impl Line {
    /// As a condition on a submission, with its stages as the queue's index has them.
    fn condition(self) -> &'static str {
        match self {
            Self::Checks => {
                "s.status = 'pending' AND s.stage IN ('received', 'contract', 'gate', 'similarity')"
            }
            Self::Reviews => "s.status = 'pending' AND s.stage = 'review'",
            // One that has a live attempt is about to run.
            Self::Runs => {
                "s.status = 'pending' AND s.stage IN ('queued', 'confirming') AND NOT EXISTS \
                 (SELECT 1 FROM attempts a WHERE a.submission = s.seq AND a.state IN ('created', 'started'))"
            }
        }
    }

    /// The line of a submission that waits in this stage.
    fn of(stage: Stage) -> Option<Self> {
        match stage {
            Stage::Received | Stage::Contract | Stage::Gate | Stage::Similarity => Some(Self::Checks),
            Stage::Review => Some(Self::Reviews),
            Stage::Queued | Stage::Confirming => Some(Self::Runs),
            Stage::Training | Stage::Scoring => None,
        }
    }
}

const DUE: &str = "(s.not_before IS NULL OR s.not_before <= ?1 OR s.waiting_since > ?1)";
const ORDER: &str = "(s.stage <> 'confirming'), s.seq";

/// The next one whose turn it is, if there is one.
pub fn next(tx: &Read, line: Line, now: Timestamp) -> Result<Option<Submission>> {
    Ok(next_few(tx, line, now, 1)?.pop())
}

/// The next few, in order.
pub fn next_few(tx: &Read, line: Line, now: Timestamp, limit: u32) -> Result<Vec<Submission>> {
    let condition = line.condition();
    // Sorts numbers, and reads the whole rows of the few.
    tx.all(
        &format!(
            "SELECT {COLUMNS} WHERE s.seq IN
             (SELECT s.seq FROM submissions s WHERE {condition} AND {DUE} ORDER BY {ORDER} LIMIT ?2)
         ORDER BY {ORDER}"
        ),
        params![now.0, limit],
        submission,
    )
}

/// A place in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which line.
    pub line: Line,
    /// 1 for the first, whether or not it is told to wait.
    pub place: u64,
    /// How many are in the line.
    pub of: u64,
}

/// Where a submission waits; `None` where it does not.
pub fn position(tx: &Read, id: &str) -> Result<Option<Place>> {
    let question = "SELECT seq, stage FROM submissions WHERE id = ? AND status = 'pending'";
    let found = tx.one(question, [id], |row| {
        let mut columns = Columns::of(row);
        Ok((columns.take::<i64>()?, columns.word(Stage::parse)?))
    })?;
    let Some((seq, stage)) = found else {
        return Ok(None);
    };
    let Some(line) = Line::of(stage) else {
        return Ok(None);
    };
    let condition = line.condition();
    let mut statement = tx.conn.prepare_cached(&format!(
        "SELECT count(*) FILTER (WHERE ((s.stage <> 'confirming'), s.seq) <= (?1, ?2)), count(*),
             count(*) FILTER (WHERE s.seq = ?2)
         FROM submissions s WHERE {condition}"
    ))?;
    let (place, of, inside) = statement.query_row(params![stage != Stage::Confirming, seq], |row| {
        let mut columns = Columns::of(row);
        Ok((columns.count()?, columns.count()?, columns.count()?))
    })?;
    Ok((inside == 1).then_some(Place { line, place, of }))
}

/// How many wait and run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// In the line for checks.
    pub checks: u64,
    /// In the line for the reviewer.
    pub reviews: u64,
    /// In the line for a slot, those to be confirmed included.
    pub runs: u64,
    /// Of these, to be confirmed.
    pub confirming: u64,
    /// Running.
    pub running: u64,
}

/// How many wait and run.
pub fn depth(tx: &Read) -> Result<Depth> {
    let (checks, reviews, runs) = (
        Line::Checks.condition(),
        Line::Reviews.condition(),
        Line::Runs.condition(),
    );
    let mut statement = tx.conn.prepare_cached(&format!(
        "SELECT count(*) FILTER (WHERE {checks}), count(*) FILTER (WHERE {reviews}), count(*) FILTER (WHERE {runs}),
             count(*) FILTER (WHERE {runs} AND s.stage = 'confirming'), count(*) FILTER (WHERE s.status = 'running')
         FROM submissions s WHERE s.stage IS NOT NULL"
    ))?;
    Ok(statement.query_row([], |row| {
        let mut columns = Columns::of(row);
        Ok(Depth {
            checks: columns.count()?,
            reviews: columns.count()?,
            runs: columns.count()?,
            confirming: columns.count()?,
            running: columns.count()?,
        })
    })?)
}

/// Says of everybody in a line why nothing moves, except of those that wait for a time of their own. How many were told
/// something new.
pub fn wait_all(tx: &Write, line: Line, why: Wait, sentence: Option<&str>, now: Timestamp) -> Result<u64> {
    let condition = line.condition();
    let mut statement = tx.conn.prepare_cached(&format!(
        "UPDATE submissions AS s SET wait = ?1, wait_sentence = ?2, waiting_since = ?3, updated_at = ?3
         WHERE {condition} AND s.not_before IS NULL AND (s.wait <> ?1 OR s.wait_sentence IS NOT ?2)"
    ))?;
    Ok(statement.execute(params![why.code(), sentence, now.0])? as u64)
}
