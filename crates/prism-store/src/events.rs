//! What happened to each submission, in order: one row a step, written with it and never changed.
//!
//! Rows are written by [`crate::submissions::step`] and [`crate::uploads::accept`] alone.

use prism_core::{
    outcome::Reason,
    submission::{Actor, Position},
    time::Timestamp,
};
use rusqlite::params;

use crate::{
    Read, Result, Write,
    columns::{Columns, unknown},
};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number, over all submissions. Later events have larger ones.
    pub seq: i64,
    /// The submission.
    pub submission: String,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub by: Actor,
    /// Where the submission then stood.
    pub position: Position,
    /// The stable reason, where there is one.
    pub reason: Option<Reason>,
    /// What happened, in a sentence.
    pub sentence: String,
    /// What it rests on, as JSON.
    pub evidence_json: Option<String>,
}

const COLUMNS: &str = "e.seq, s.id, e.at, e.actor, e.status, e.stage, e.reason, e.sentence, e.evidence_json \
                       FROM events e JOIN submissions s ON s.seq = e.submission";

fn event(row: &rusqlite::Row<'_>) -> rusqlite::Result<Event> {
    let mut columns = Columns::of(row);
    Ok(Event {
        seq: columns.take()?,
        submission: columns.take()?,
        at: columns.time()?,
        by: columns.word(actor)?,
        position: position(&mut columns)?,
        reason: columns.maybe_word(Reason::parse)?,
        sentence: columns.take()?,
        evidence_json: columns.take()?,
    })
}

/// A position from two columns.
pub(crate) fn position(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Position> {
    let status: String = columns.take()?;
    let stage: Option<String> = columns.take()?;
    Position::parse(&status, stage.as_deref())
        .ok_or_else(|| unknown(0, format!("{status} {}", stage.unwrap_or_default())))
}

const ACTORS: [Actor; 3] = [Actor::Pipeline, Actor::Owner, Actor::Operator];

fn actor(word: &str) -> Option<Actor> {
    ACTORS.into_iter().find(|actor| actor.to_string() == word)
}

/// An event of a commit, for whoever waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its number.
    pub event: i64,
    /// The number of the submission that it is about.
    pub submission: i64,
}

/// Called with the events of a commit, in their order; there is one at least.
pub type Notify = dyn Fn(&[Written]) + Send + Sync;

/// What is written about a step.
pub(crate) struct NewEvent<'a> {
    pub(crate) by: Actor,
    pub(crate) position: Position,
    pub(crate) reason: Option<Reason>,
    pub(crate) sentence: &'a str,
    pub(crate) evidence_json: Option<&'a str>,
}

pub(crate) fn add(tx: &Write, submission_seq: i64, new: &NewEvent<'_>, now: Timestamp) -> Result<i64> {
    let mut statement = tx.conn.prepare_cached(
        "INSERT INTO events (submission, at, actor, status, stage, reason, sentence, evidence_json)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    let seq = statement.insert(params![
        submission_seq,
        now.0,
        new.by.to_string(),
        new.position.status(),
        new.position.stage().map(prism_core::submission::Stage::as_str),
        new.reason.map(Reason::code),
        new.sentence,
        new.evidence_json,
    ])?;
    tx.written.borrow_mut().push(Written {
        event: seq,
        submission: submission_seq,
    });
    Ok(seq)
}

/// Events of a submission after a number, oldest first.
pub fn of(tx: &Read, submission: &str, after_seq: i64, limit: u32) -> Result<Vec<Event>> {
    tx.all(
        &format!(
            "SELECT {COLUMNS} WHERE e.submission = (SELECT seq FROM submissions WHERE id = ?) AND e.seq > ?
         ORDER BY e.seq LIMIT ?"
        ),
        params![submission, after_seq, limit],
        event,
    )
}

/// Events of all submissions after a number, oldest first.
pub fn since(tx: &Read, after_seq: i64, limit: u32) -> Result<Vec<Event>> {
    tx.all(
        &format!("SELECT {COLUMNS} WHERE e.seq > ? ORDER BY e.seq LIMIT ?"),
        params![after_seq, limit],
        event,
    )
}

/// What has happened after an event, as far as ranks ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct News {
    /// The number of the last event.
    pub last_seq: i64,
    /// Whether a score may have come, gone or been withdrawn.
    pub of_scores: bool,
}

/// What has happened after an event. Reads those events alone. Uploads that are checked and rejected change no score.
pub fn news(tx: &Read, after_seq: i64) -> Result<News> {
    let mut statement = tx.conn.prepare_cached(
        "SELECT ifnull(max(seq), ?1),
             ifnull(max(status IN ('completed', 'failed', 'held', 'cancelled', 'invalidated')
                 OR ifnull(stage IN ('scoring', 'confirming'), 0)), 0)
         FROM events WHERE seq > ?1",
    )?;
    Ok(statement.query_row([after_seq], |row| {
        Ok(News {
            last_seq: row.get(0)?,
            of_scores: row.get(1)?,
        })
    })?)
}

/// The number of the last event, 0 where there is none.
pub fn last_seq(tx: &Read) -> Result<i64> {
    let mut statement = tx.conn.prepare_cached("SELECT ifnull(max(seq), 0) FROM events")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}
