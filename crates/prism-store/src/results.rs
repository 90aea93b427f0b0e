//! Results: what measurements gave. Each is stored once, with the end of its attempt, and its figures are never changed.
//!
//! Which of them counts is said by the submission ([`crate::submissions::Step::counts`]); a fault of the challenge marks
//! them as invalid ([`invalidate`]), and a record that can be scored again gives another result of the same attempt.

mod board;

use prism_core::{
    hash::Sha256Hash,
    outcome::Reason,
    outcome::Status,
    rank::{NoRank, Standing},
    submission::{Actor, Position},
    time::Timestamp,
};
use rusqlite::params;

pub use board::{Scope, Scored, Sharing, scored, sharing};

use crate::{
    Read, Result, StoreError, Write,
    attempts::{self, Kind, State},
    columns::{Columns, bytes, number, unknown},
    submissions::{Step, get, get_by_seq, seq_of, step},
};

/// What a measurement gave.
#[derive(Clone, Debug, PartialEq)]
pub struct NewResult {
    /// The version of the engine that measured.
    pub engine_version: String,
    /// Bits per byte of the stream.
    pub bpb: f64,
    /// Its standard error.
    pub bpb_se: f64,
    /// What is ranked, or why nothing is.
    pub standing: Standing,
    /// Whether the run does not count.
    pub rehearsal: bool,
    /// Flags of the verdict.
    pub flags: Vec<String>,
    /// Bound of what may be hidden, in bits per byte.
    pub hidden_max_bpb: Option<f64>,
    /// How far audits and claims differ: root mean square, in nats.
    pub claims_rms_nats: Option<f64>,
    /// Audits of the stream.
    pub audits: u64,
    /// Source bytes whose claims were accepted.
    pub covered_bytes: u64,
    /// Source bytes of the stream.
    pub stream_bytes: u64,
    /// What the run took, as the curve's page shows it: a JSON object.
    pub compute_json: String,
    /// Its files.
    pub files: Files,
}

/// The files of a result, as blobs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// The published points of its curve.
    pub curve: Option<Sha256Hash>,
    /// The record.
    pub record: Option<Sha256Hash>,
    /// The claims of the record.
    pub targets: Option<Sha256Hash>,
    /// The manifest.
    pub manifest: Option<Sha256Hash>,
    /// The report.
    pub report: Option<Sha256Hash>,
    /// The logs.
    pub logs: Option<Sha256Hash>,
    /// What happened meanwhile.
    pub events: Option<Sha256Hash>,
    /// Code lengths by document, for comparing two results.
    pub profile: Option<Sha256Hash>,
}

impl Files {
    fn all(&self) -> [Option<&Sha256Hash>; 8] {
        [
            self.curve.as_ref(),
            self.record.as_ref(),
            self.targets.as_ref(),
            self.manifest.as_ref(),
            self.report.as_ref(),
            self.logs.as_ref(),
            self.events.as_ref(),
            self.profile.as_ref(),
        ]
    }
}

/// A stored result.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// Its id.
    pub id: i64,
    /// The submission; `None` for a noise run.
    pub submission: Option<String>,
    /// The attempt that measured it.
    pub attempt: i64,
    /// The round.
    pub round_id: String,
    /// What the attempt was for.
    pub kind: Kind,
    /// The result whose record this one scores again.
    pub rescored_from: Option<i64>,
    /// When it was stored.
    pub stored_at: Timestamp,
    /// What was measured.
    pub result: NewResult,
    /// When and why it was withdrawn.
    pub invalidated: Option<(Timestamp, String)>,
}

/// The figures of a submission's counting result.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// The result.
    pub result_id: i64,
    /// Which of the two measurements it is.
    pub kind: Kind,
    /// Bits per byte of the stream.
    pub bpb: f64,
    /// Its standard error.
    pub bpb_se: f64,
    /// What is ranked, or why nothing is.
    pub standing: Standing,
    /// Whether the run does not count.
    pub rehearsal: bool,
    /// Flags of the verdict.
    pub flags: Vec<String>,
}

impl Score {
    /// Whether this one ranks below the other. What takes no rank ranks below everything.
    pub fn is_worse_than(&self, other: &Self) -> bool {
        match (self.standing.final_score(), other.standing.final_score()) {
            (None, Some(_)) => true,
            (Some(mine), Some(theirs)) => mine < theirs,
            (Some(_) | None, None) => false,
        }
    }
}

/// A score from nine columns.
pub(crate) fn score(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Option<Score>> {
    let result_id: Option<i64> = columns.take()?;
    let Some(result_id) = result_id else {
        return Ok(None);
    };
    Ok(Some(Score {
        result_id,
        kind: columns.word(Kind::parse)?,
        bpb: columns.take()?,
        bpb_se: columns.take()?,
        standing: standing(columns)?,
        rehearsal: columns.take()?,
        flags: flags(columns)?,
    }))
}

/// A standing from three columns: `bpb_ranked`, `final_score`, `no_rank`.
fn standing(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Standing> {
    let bpb_ranked: Option<f64> = columns.take()?;
    let final_score: Option<f64> = columns.take()?;
    match (bpb_ranked, final_score, columns.maybe_word(NoRank::parse)?) {
        (Some(bpb_ranked), Some(final_score), None) => Ok(Standing::Ranked {
            bpb_ranked,
            final_score,
        }),
        (None, None, Some(why)) => Ok(Standing::NoRank(why)),
        (_, _, other) => Err(unknown(0, format!("a score that takes no rank: {other:?}"))),
    }
}

fn flags(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Vec<String>> {
    columns.word(|json| serde_json::from_str(json).ok())
}

const COLUMNS: &str = "r.id, s.id, r.attempt_id, r.round_id, r.kind, r.rescored_from, r.stored_at, r.engine_version, r.bpb, \
                       r.bpb_se, r.bpb_ranked, r.final_score, r.no_rank, r.rehearsal, r.flags_json, r.hidden_max_bpb, \
                       r.claims_rms_nats, r.audits, r.covered_bytes, r.stream_bytes, r.compute_json, r.curve_sha256, \
                       r.record_sha256, r.targets_sha256, r.manifest_sha256, r.report_sha256, r.logs_sha256, \
                       r.events_sha256, r.profile_sha256, r.invalidated_at, r.invalidated_cause \
                       FROM results r LEFT JOIN submissions s ON s.seq = r.submission";

fn stored(row: &rusqlite::Row<'_>) -> rusqlite::Result<Stored> {
    let mut columns = Columns::of(row);
    Ok(Stored {
        id: columns.take()?,
        submission: columns.take()?,
        attempt: columns.take()?,
        round_id: columns.take()?,
        kind: columns.word(Kind::parse)?,
        rescored_from: columns.take()?,
        stored_at: columns.time()?,
        result: NewResult {
            engine_version: columns.take()?,
            bpb: columns.take()?,
            bpb_se: columns.take()?,
            standing: standing(&mut columns)?,
            rehearsal: columns.take()?,
            flags: flags(&mut columns)?,
            hidden_max_bpb: columns.take()?,
            claims_rms_nats: columns.take()?,
            audits: columns.count()?,
            covered_bytes: columns.count()?,
            stream_bytes: columns.count()?,
            compute_json: columns.take()?,
            files: Files {
                curve: columns.maybe_hash()?,
                record: columns.maybe_hash()?,
                targets: columns.maybe_hash()?,
                manifest: columns.maybe_hash()?,
                report: columns.maybe_hash()?,
                logs: columns.maybe_hash()?,
                events: columns.maybe_hash()?,
                profile: columns.maybe_hash()?,
            },
        },
        invalidated: columns.maybe_time()?.zip(columns.take()?),
    })
}

/// Stores the result of an attempt whose end was taken, once. The submission counts it when a step says so.
pub fn store(tx: &Write, attempt: i64, new: &NewResult, now: Timestamp) -> Result<i64> {
    let of = attempts::get(tx, attempt)?;
    if of.state != State::Ended {
        return Err(StoreError::NotAllowed(format!(
            "the attempt {attempt} is {}: it has no result",
            of.state.as_str()
        )));
    }
    let known = "SELECT id FROM results WHERE attempt_id = ? AND rescored_from IS NULL";
    if tx.one(known, [attempt], |_| Ok(()))?.is_some() {
        return Err(StoreError::NotAllowed(format!(
            "the attempt {attempt} has a result already"
        )));
    }
    insert(tx, &of, new, None, now)
}

/// Stores what the record of an earlier result gives when it is scored again.
pub fn store_rescored(tx: &Write, earlier: i64, new: &NewResult, now: Timestamp) -> Result<i64> {
    let from = get_result(tx, earlier)?;
    let of = attempts::get(tx, from.attempt)?;
    insert(tx, &of, new, Some(earlier), now)
}

fn insert(
    tx: &Write,
    of: &attempts::Attempt,
    new: &NewResult,
    rescored_from: Option<i64>,
    now: Timestamp,
) -> Result<i64> {
    let figures = [
        Some(new.bpb),
        Some(new.bpb_se),
        new.standing.bpb_ranked(),
        new.standing.final_score(),
        new.hidden_max_bpb,
        new.claims_rms_nats,
    ];
    if figures.into_iter().flatten().any(|figure| !figure.is_finite()) {
        return Err(StoreError::NotAllowed(format!(
            "the result of the attempt {} has a figure that is no finite number",
            of.id
        )));
    }
    for file in new.files.all().into_iter().flatten() {
        tx.must_have_blob(file)?;
    }
    let submission = of.submission.as_deref().map(|id| seq_of(tx, id)).transpose()?;
    let flags = serde_json::Value::from(new.flags.clone()).to_string();
    let [curve, record, targets, manifest, report, logs, events, profile] = new.files.all().map(bytes);
    let mut statement = tx.conn.prepare_cached(
        "INSERT INTO results (submission, attempt_id, round_id, kind, rescored_from, stored_at, engine_version, bpb, bpb_se,
             bpb_ranked, final_score, no_rank, rehearsal, flags_json, hidden_max_bpb, claims_rms_nats, audits, covered_bytes,
             stream_bytes, compute_json, curve_sha256, record_sha256, targets_sha256, manifest_sha256, report_sha256,
             logs_sha256, events_sha256, profile_sha256)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    let id = statement.insert(params![
        submission,
        of.id,
        of.round_id,
        of.kind.as_str(),
        rescored_from,
        now.0,
        new.engine_version,
        new.bpb,
        new.bpb_se,
        new.standing.bpb_ranked(),
        new.standing.final_score(),
        new.standing.no_rank().map(NoRank::code),
        new.rehearsal,
        flags,
        new.hidden_max_bpb,
        new.claims_rms_nats,
        number(new.audits),
        number(new.covered_bytes),
        number(new.stream_bytes),
        new.compute_json,
        curve,
        record,
        targets,
        manifest,
        report,
        logs,
        events,
        profile,
    ])?;
    Ok(id)
}

/// A result by its id.
pub fn get_result(tx: &Read, id: i64) -> Result<Stored> {
    tx.one(&format!("SELECT {COLUMNS} WHERE r.id = ?"), [id], stored)?
        .ok_or_else(|| StoreError::NotFound {
            what: "result",
            id: id.to_string(),
        })
}

/// The results of a submission, oldest first, also those that do not count.
pub fn of(tx: &Read, submission: &str) -> Result<Vec<Stored>> {
    tx.all(
        &format!(
            "SELECT {COLUMNS} WHERE r.submission = (SELECT seq FROM submissions WHERE id = ?) ORDER BY r.id"
        ),
        [submission],
        stored,
    )
}

/// The results of a round's noise runs, oldest first.
pub fn of_noise(tx: &Read, round_id: &str) -> Result<Vec<Stored>> {
    tx.all(
        &format!("SELECT {COLUMNS} WHERE r.round_id = ? AND r.kind = 'noise' ORDER BY r.id"),
        [round_id],
        stored,
    )
}

/// The figures of a result that ranking needs.
pub fn as_score(found: &Stored) -> Score {
    Score {
        result_id: found.id,
        kind: found.kind,
        bpb: found.result.bpb,
        bpb_se: found.result.bpb_se,
        standing: found.result.standing,
        rehearsal: found.result.rehearsal,
        flags: found.result.flags.clone(),
    }
}

/// A result that this submission may count.
pub(crate) fn countable(tx: &Read, submission_seq: i64, result_id: i64) -> Result<Score> {
    let found = get_result(tx, result_id)?;
    let of = get_by_seq(tx, submission_seq)?.id;
    if found.submission.as_ref() != Some(&of) {
        return Err(StoreError::NotAllowed(format!(
            "the result {result_id} is not one of the submission {of}"
        )));
    }
    if found.invalidated.is_some() {
        return Err(StoreError::NotAllowed(format!(
            "the result {result_id} was invalidated and cannot count"
        )));
    }
    Ok(as_score(&found))
}

/// Withdraws the score of a submission for a fault of the challenge: all its results are marked with the cause, and it is
/// `invalidated` until it is scored or run again. A confirmation that goes on is ended.
pub fn invalidate(tx: &Write, submission: &str, cause: &str, now: Timestamp) -> Result<()> {
    let this = get(tx, submission)?;
    if this.is_provisional() {
        // There is nothing left to confirm.
        let stop = Step::new(Position::Ended(Status::Completed), Actor::Pipeline, cause);
        step(tx, submission, &stop, now)?;
    }
    let move_on = Step {
        reason: Some(Reason::Invalidated),
        ..Step::new(Position::Ended(Status::Invalidated), Actor::Operator, cause)
    };
    step(tx, submission, &move_on, now)?;
    tx.conn.execute(
        "UPDATE results SET invalidated_at = ?, invalidated_cause = ? WHERE submission = ? AND invalidated_at IS NULL",
        params![now.0, cause, this.seq],
    )?;
    Ok(())
}
