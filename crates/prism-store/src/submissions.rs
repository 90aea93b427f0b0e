//! Submissions: what was accepted, where each stands and why.
//!
//! [`step`] moves one; [`wait`] says why one that is pending does not move. A score is never copied here: a submission
//! points to the one result that counts ([`crate::results`]).

mod list;
mod step;

use prism_core::{
    hash::Sha256Hash,
    outcome::{Fault, Reason},
    submission::{Position, Stage, Wait},
    time::Timestamp,
};
use rusqlite::params;

pub use list::{Filter, Page, after, counts, counts_by_day, epochs, list, unfinished};
pub use step::{Step, step};

use crate::{
    Read, Result, StoreError, Write,
    columns::{Columns, bytes},
    events::position,
    results::{Score, score},
};

/// A submission as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Submission {
    /// The order of acceptance, whatever the clock said.
    pub seq: i64,
    /// Its id.
    pub id: String,
    /// Its round.
    pub round_id: String,
    /// Whose it is.
    pub hotkey: String,
    /// The epoch of its acceptance.
    pub epoch_id: i64,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// The name that its file came with.
    pub filename: String,
    /// SHA-256 of the base64 text of the upload.
    pub code_hash: Sha256Hash,
    /// The blob of the upload.
    pub zip_sha256: Sha256Hash,
    /// Its size.
    pub zip_bytes: u64,
    /// What was sent along.
    pub metadata_json: String,
    /// What its contract says, once that was read.
    pub contract: Option<Contract>,
    /// Where it stands.
    pub position: Position,
    /// The reason of the last step, where it had one.
    pub reason: Option<Reason>,
    /// The last step in a sentence.
    pub sentence: String,
    /// The miner's own traceback. For the owner alone.
    pub traceback: Option<String>,
    /// Why it does not move, while it is pending.
    pub waiting: Option<Waiting>,
    /// Failures so far that were the operator's and are tried again.
    pub retries: u32,
    /// Attempts that count against the budget of scored runs.
    pub runs_charged: u32,
    /// Whether and by whom it is reviewed.
    pub review: Reviewing,
    /// The result that counts, while it is completed or waits to be confirmed.
    pub score: Option<Score>,
    /// When its row last changed.
    pub updated_at: Timestamp,
}

impl Submission {
    /// Whether its score may still fall before it takes its place.
    pub fn is_provisional(&self) -> bool {
        self.position.stage() == Some(Stage::Confirming)
    }

    /// Whose fault its end is.
    pub fn fault(&self) -> Option<Fault> {
        self.reason.and_then(Reason::fault)
    }
}

/// Whether and by whom a submission is reviewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reviewing {
    /// The mode of its round: `enforce`, `advisory` or `off`.
    pub mode: String,
    /// The model of its last review, if there was one.
    pub model: Option<String>,
    /// The version of the rules of that.
    pub rules_version: Option<u32>,
    /// `passed`, `rejected` or `held`, once it has ended.
    pub verdict: Option<String>,
}

/// What the contract of a submission says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// The hash of the canonical bundle: equal for all archives of the same files.
    pub bundle_sha256: Sha256Hash,
    /// The hash of its architecture.
    pub architecture_sha256: Sha256Hash,
    /// The hash of its training script.
    pub training_sha256: Sha256Hash,
    /// The name that it gives itself.
    pub name: Option<String>,
}

/// Why a pending submission does not move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The stable code.
    pub why: Wait,
    /// In a sentence.
    pub sentence: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// Until when at least.
    pub not_before: Option<Timestamp>,
}

pub(crate) const COLUMNS: &str = "s.seq, s.id, s.round_id, s.hotkey, s.epoch_id, s.accepted_at, s.filename, s.code_sha256, s.zip_sha256, s.zip_bytes, \
     s.metadata_json, s.bundle_sha256, s.architecture_sha256, s.training_sha256, s.name, s.status, s.stage, s.reason, \
     s.sentence, s.traceback, s.wait, s.wait_sentence, s.waiting_since, s.not_before, s.retries, \
     (SELECT count(*) FROM attempts a WHERE a.submission = s.seq AND a.charged_day IS NOT NULL), s.updated_at, \
     (SELECT o.review_mode FROM rounds o WHERE o.id = s.round_id), v.model, v.rules_version, v.verdict, \
     r.id, r.kind, r.bpb, r.bpb_se, r.bpb_ranked, r.final_score, r.no_rank, r.rehearsal, r.flags_json \
     FROM submissions s LEFT JOIN results r ON r.id = s.result_id \
     LEFT JOIN reviews v ON v.id = (SELECT max(w.id) FROM reviews w WHERE w.submission = s.seq)";

pub(crate) fn submission(row: &rusqlite::Row<'_>) -> rusqlite::Result<Submission> {
    let mut columns = Columns::of(row);
    Ok(Submission {
        seq: columns.take()?,
        id: columns.take()?,
        round_id: columns.take()?,
        hotkey: columns.take()?,
        epoch_id: columns.take()?,
        accepted_at: columns.time()?,
        filename: columns.take()?,
        code_hash: columns.hash()?,
        zip_sha256: columns.hash()?,
        zip_bytes: columns.count()?,
        metadata_json: columns.take()?,
        contract: contract(&mut columns)?,
        position: position(&mut columns)?,
        reason: columns.maybe_word(Reason::parse)?,
        sentence: columns.take()?,
        traceback: columns.take()?,
        waiting: waiting(&mut columns)?,
        retries: columns.take()?,
        runs_charged: columns.take()?,
        updated_at: columns.time()?,
        review: Reviewing {
            mode: columns.take()?,
            model: columns.take()?,
            rules_version: columns.take()?,
            verdict: columns.take()?,
        },
        score: score(&mut columns)?,
    })
}

fn contract(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Option<Contract>> {
    let bundle = columns.maybe_hash()?;
    let architecture = columns.maybe_hash()?;
    let training = columns.maybe_hash()?;
    let name = columns.take()?;
    Ok(match (bundle, architecture, training) {
        (Some(bundle_sha256), Some(architecture_sha256), Some(training_sha256)) => Some(Contract {
            bundle_sha256,
            architecture_sha256,
            training_sha256,
            name,
        }),
        (None | Some(_), _, _) => None,
    })
}

fn waiting(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Option<Waiting>> {
    let why = columns.maybe_word(Wait::parse)?;
    let sentence = columns.take()?;
    let since = columns.maybe_time()?;
    let not_before = columns.maybe_time()?;
    Ok(match (why, since) {
        (Some(why), Some(since)) => Some(Waiting {
            why,
            sentence,
            since,
            not_before,
        }),
        (None | Some(_), _) => None,
    })
}

/// A submission by its id, if there is one.
pub fn find(tx: &Read, id: &str) -> Result<Option<Submission>> {
    tx.one(&format!("SELECT {COLUMNS} WHERE s.id = ?"), [id], submission)
}

/// A submission by its id.
pub fn get(tx: &Read, id: &str) -> Result<Submission> {
    find(tx, id)?.ok_or_else(|| not_found(id))
}

pub(crate) fn get_by_seq(tx: &Read, seq: i64) -> Result<Submission> {
    tx.one(&format!("SELECT {COLUMNS} WHERE s.seq = ?"), [seq], submission)?
        .ok_or_else(|| not_found(&seq.to_string()))
}

/// The number that other tables know a submission by.
pub(crate) fn seq_of(tx: &Read, id: &str) -> Result<i64> {
    tx.one("SELECT seq FROM submissions WHERE id = ?", [id], |row| row.get(0))?
        .ok_or_else(|| not_found(id))
}

fn not_found(id: &str) -> StoreError {
    StoreError::NotFound {
        what: "submission",
        id: id.to_owned(),
    }
}

/// Submissions of a hotkey, the newest first.
pub fn by_hotkey(tx: &Read, hotkey: &str, limit: u32) -> Result<Vec<Submission>> {
    let filter = Filter {
        hotkey: Some(hotkey.to_owned()),
        ..Filter::default()
    };
    Ok(list(tx, &filter, None, limit)?.submissions)
}

/// Stores what the contract of a submission says. In the order of acceptance: [`duplicate_of`] sees only earlier ones whose
/// contract is known.
pub fn set_contract(tx: &Write, id: &str, contract: &Contract, now: Timestamp) -> Result<()> {
    let changed = tx.conn.execute(
        "UPDATE submissions SET bundle_sha256 = ?, architecture_sha256 = ?, training_sha256 = ?, name = ?, updated_at = ?
         WHERE id = ?",
        params![
            bytes(Some(&contract.bundle_sha256)),
            bytes(Some(&contract.architecture_sha256)),
            bytes(Some(&contract.training_sha256)),
            contract.name,
            now.0,
            id
        ],
    )?;
    if changed == 1 { Ok(()) } else { Err(not_found(id)) }
}

/// The earlier submission of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub hotkey: String,
    /// Its round.
    pub round_id: String,
    /// Its place in the order of acceptance.
    pub seq: i64,
}

/// The first submission of a bundle, of any hotkey and round.
pub fn first_with_bundle(tx: &Read, bundle_sha256: &Sha256Hash) -> Result<Option<Earlier>> {
    earliest(tx, "s.bundle_sha256 = ?", params![bundle_sha256.0])
}

/// The earlier submission that makes this one a duplicate: the first of its bundle, where that is somebody else's, or the
/// same hotkey's in this round. The same hotkey may enter its own bundle in another round.
pub fn duplicate_of(tx: &Read, id: &str) -> Result<Option<Earlier>> {
    let this = get(tx, id)?;
    let Some(contract) = &this.contract else {
        return Ok(None);
    };
    let first = first_with_bundle(tx, &contract.bundle_sha256)?;
    if let Some(first) = first.filter(|first| first.seq < this.seq && first.hotkey != this.hotkey) {
        return Ok(Some(first));
    }
    earliest(
        tx,
        "s.bundle_sha256 = ? AND s.hotkey = ? AND s.round_id = ? AND s.seq < ?",
        params![contract.bundle_sha256.0, this.hotkey, this.round_id, this.seq],
    )
}

fn earliest(tx: &Read, which: &str, values: &[&dyn rusqlite::ToSql]) -> Result<Option<Earlier>> {
    let question = format!(
        "SELECT s.id, s.hotkey, s.round_id, s.seq FROM submissions s WHERE {which} ORDER BY s.seq LIMIT 1"
    );
    tx.one(&question, values, |row| {
        Ok(Earlier {
            id: row.get(0)?,
            hotkey: row.get(1)?,
            round_id: row.get(2)?,
            seq: row.get(3)?,
        })
    })
}

/// Says why a pending submission does not move, and until when at least.
pub fn wait(
    tx: &Write,
    id: &str,
    why: Wait,
    sentence: Option<&str>,
    not_before: Option<Timestamp>,
    now: Timestamp,
) -> Result<()> {
    let this = get(tx, id)?;
    if !matches!(this.position, Position::Pending(_)) {
        return Err(StoreError::NotAllowed(format!(
            "the submission {id} is {} and does not wait",
            this.position
        )));
    }
    tx.conn.execute(
        "UPDATE submissions SET wait = ?, wait_sentence = ?, waiting_since = ?, not_before = ?, updated_at = ? WHERE id = ?",
        params![why.code(), sentence, now.0, not_before.map(|time| time.0), now.0, id],
    )?;
    Ok(())
}

/// Counts a failure that was the operator's. How many there are now.
pub fn count_retry(tx: &Write, id: &str) -> Result<u32> {
    let counted = "UPDATE submissions SET retries = retries + 1 WHERE id = ? RETURNING retries";
    tx.one(counted, [id], |row| row.get(0))?
        .ok_or_else(|| not_found(id))
}
