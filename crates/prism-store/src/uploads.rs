//! What comes in with a signature: each (hotkey, nonce) is used once, and an identical repeat hears the same answer.
//!
//! ```text
//! server: signature good -> nonce() -> Free:   read the body -> wrong:  refuse()
//!                                                            -> right:  put the blob -> accept()
//!                                      Repeat: the same answer
//!                                      Used:   409
//! ```
//!
//! The identity of a request is a hash that the caller makes of method, path, body, signature and timestamp. A nonce is
//! forgotten only when no request with it could pass the check of its timestamp any more, also not after a clock was set
//! back by an hour or two.

use prism_core::{
    hash::Sha256Hash,
    submission::{Actor, Position, Stage, Wait},
    time::Timestamp,
};
use rusqlite::params;

use crate::{
    Read, Result, StoreError, Write, budgets,
    columns::{Columns, number},
    events::{self, NewEvent},
    ids::must_be_id,
    rounds,
    submissions::{Submission, get, get_by_seq, seq_of},
};

/// How much longer than its window a nonce is kept, for clocks that jump.
pub const NONCE_MARGIN_SECONDS: i64 = 7_200;

/// One use of a nonce by one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NonceUse {
    /// Whose nonce.
    pub hotkey: String,
    /// The nonce, at most 256 characters. A caller with nonces of more than one kind puts the kind in front.
    pub nonce: String,
    /// What the request is: a hash of method, path, body, signature and timestamp.
    pub request_sha256: Sha256Hash,
    /// When the request can no longer pass the check of its timestamp.
    pub expires_at: Timestamp,
}

/// An answer that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To an upload that was accepted: this submission, which then stood here.
    Accepted {
        /// Its id.
        submission: String,
        /// Where it stood.
        position: Position,
    },
    /// Any other.
    Given {
        /// Its status.
        status_code: u16,
        /// Its body.
        body: Vec<u8>,
    },
}

/// What is known of a nonce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nonce {
    /// Nobody has used it.
    Free,
    /// The same request has, and was given this answer.
    Repeat(Answer),
    /// Another request has.
    Used,
}

/// A signed upload that passed every check, with its blob in place.
#[derive(Clone, Debug)]
pub struct NewUpload {
    /// A fresh UUID of version 4. Taken only if a new submission is made.
    pub id: String,
    /// Whose it is.
    pub hotkey: String,
    /// Its nonce; `None` where whoever forwarded it sent none.
    pub nonce: Option<NonceUse>,
    /// The name of the file.
    pub filename: String,
    /// SHA-256 of the base64 text of the upload.
    pub code_hash: Sha256Hash,
    /// The blob of the archive.
    pub zip_sha256: Sha256Hash,
    /// Its size.
    pub zip_bytes: u64,
    /// What was sent along, as JSON.
    pub metadata_json: String,
}

/// How an upload was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A submission was made.
    New,
    /// This very request was answered before.
    Repeat,
    /// This hotkey has sent these bytes in this round before.
    SameBytes,
}

/// An upload that has a submission.
#[derive(Clone, Debug, PartialEq)]
pub struct Accepted {
    /// The submission as it stands now.
    pub submission: Submission,
    /// Where it stood when this request was first answered: what its answer says.
    pub answered: Position,
    /// How.
    pub kind: Kind,
    /// What of today's budgets is used, this one included.
    pub used: budgets::Used,
}

/// An upload that has none. Nothing was stored, and its nonce is as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Another request used the nonce.
    NonceUsed,
    /// The same request was refused before, with this answer.
    Answered {
        /// Its status.
        status_code: u16,
        /// Its body.
        body: Vec<u8>,
    },
    /// No round is open.
    NoRound,
    /// The hotkey has no upload left today.
    UploadBudget {
        /// What it used.
        used: u32,
        /// What it may.
        allowed: u32,
    },
}

/// Takes an upload: looks at nonce, round, earlier uploads and budget, and makes the submission. All or nothing; a refusal
/// writes nothing.
pub fn accept(tx: &Write, new: &NewUpload, now: Timestamp) -> Result<std::result::Result<Accepted, Refused>> {
    must_be_id("submission", &new.id)?;
    if let Some(used) = &new.nonce {
        match nonce(tx, used)? {
            Nonce::Free => {}
            Nonce::Used => return Ok(Err(Refused::NonceUsed)),
            Nonce::Repeat(Answer::Given { status_code, body }) => {
                return Ok(Err(Refused::Answered { status_code, body }));
            }
            Nonce::Repeat(Answer::Accepted { submission, position }) => {
                let submission = get(tx, &submission)?;
                return accepted(tx, submission, position, Kind::Repeat, now).map(Ok);
            }
        }
    }
    let Some(round) = rounds::current(tx)? else {
        return Ok(Err(Refused::NoRound));
    };
    let now = after_the_last(tx, now)?;
    let (submission, kind) = if let Some(earlier) = same_bytes(tx, &round.id, new)? {
        (earlier, Kind::SameBytes)
    } else {
        let (used, allowed) = (
            budgets::of(tx, &new.hotkey, now.day())?.uploads,
            round.uploads_per_day,
        );
        if used >= allowed {
            return Ok(Err(Refused::UploadBudget { used, allowed }));
        }
        tx.must_have_blob(&new.zip_sha256)?;
        (insert(tx, &round.id, new, now)?, Kind::New)
    };
    let position = submission.position;
    if let Some(used) = &new.nonce {
        use_nonce(
            tx,
            used,
            &Answer::Accepted {
                submission: submission.id.clone(),
                position,
            },
            now,
        )?;
    }
    accepted(tx, submission, position, kind, now).map(Ok)
}

fn accepted(
    tx: &Write,
    submission: Submission,
    answered: Position,
    kind: Kind,
    now: Timestamp,
) -> Result<Accepted> {
    let used = budgets::of(tx, &submission.hotkey, now.day())?;
    Ok(Accepted {
        submission,
        answered,
        kind,
        used,
    })
}

/// The time of an acceptance: the present, or just after the acceptance before it where the clock was set back. So whoever
/// came first is senior by time as well, and no two come at the same time. The budget of the day goes by it too: it must not
/// begin anew because a clock jumped.
fn after_the_last(tx: &Read, now: Timestamp) -> Result<Timestamp> {
    let question = "SELECT accepted_at FROM submissions ORDER BY seq DESC LIMIT 1";
    let last: Option<i64> = tx.one(question, [], |row| row.get(0))?;
    Ok(last.map_or(now, |last| Timestamp(now.0.max(last.saturating_add(1)))))
}

fn same_bytes(tx: &Read, round: &str, new: &NewUpload) -> Result<Option<Submission>> {
    let question = "SELECT seq FROM submissions WHERE round_id = ? AND hotkey = ? AND zip_sha256 = ?";
    let seq = tx.one(question, params![round, new.hotkey, new.zip_sha256.0], |row| {
        row.get(0)
    })?;
    seq.map(|seq| get_by_seq(tx, seq)).transpose()
}

fn insert(tx: &Write, round: &str, new: &NewUpload, now: Timestamp) -> Result<Submission> {
    let sentence = "the upload was accepted";
    let position = Position::Pending(Stage::Received);
    let mut statement = tx.conn.prepare_cached(
        "INSERT INTO submissions (id, round_id, hotkey, epoch_id, accepted_at, filename, code_sha256, zip_sha256, zip_bytes,
             metadata_json, status, stage, sentence, wait, waiting_since, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    let seq = statement.insert(params![
        new.id,
        round,
        new.hotkey,
        now.epoch_id(),
        now.0,
        new.filename,
        new.code_hash.0,
        new.zip_sha256.0,
        number(new.zip_bytes),
        new.metadata_json,
        position.status(),
        position.stage().map(Stage::as_str),
        sentence,
        Wait::Queue.code(),
        now.0,
        now.0,
    ])?;
    let event = NewEvent {
        by: Actor::Owner,
        position,
        reason: None,
        sentence,
        evidence_json: None,
    };
    events::add(tx, seq, &event, now)?;
    get_by_seq(tx, seq)
}

/// What is known of a nonce.
pub fn nonce(tx: &Read, asked: &NonceUse) -> Result<Nonce> {
    let question = "SELECT n.request_sha256, s.id, n.answered, n.answered_stage, n.status_code, n.body
         FROM nonces n LEFT JOIN submissions s ON s.seq = n.submission WHERE n.hotkey = ? AND n.nonce = ?";
    let found = tx.one(question, params![asked.hotkey, asked.nonce], |row| {
        let mut columns = Columns::of(row);
        let request = columns.hash()?;
        let submission: Option<String> = columns.take()?;
        let answer = match submission {
            Some(submission) => Answer::Accepted {
                submission,
                position: events::position(&mut columns)?,
            },
            None => Answer::Given {
                status_code: row.get(4)?,
                body: row.get::<_, Option<Vec<u8>>>(5)?.unwrap_or_default(),
            },
        };
        Ok((request, answer))
    })?;
    Ok(match found {
        None => Nonce::Free,
        Some((request, answer)) if request == asked.request_sha256 => Nonce::Repeat(answer),
        Some(_) => Nonce::Used,
    })
}

/// Stores that a request has used its nonce, and the answer that it got: for every signed request that makes no submission,
/// refused or not. What was known of the nonce before; only a free one is used by this.
pub fn answer(tx: &Write, used: &NonceUse, status_code: u16, body: &[u8], now: Timestamp) -> Result<Nonce> {
    let known = nonce(tx, used)?;
    if known == Nonce::Free {
        let answer = Answer::Given {
            status_code,
            body: body.to_owned(),
        };
        use_nonce(tx, used, &answer, now)?;
    }
    Ok(known)
}

fn use_nonce(tx: &Write, used: &NonceUse, answer: &Answer, now: Timestamp) -> Result<()> {
    let (status_code, submission, position, body) = match answer {
        Answer::Accepted { submission, position } => {
            (200, Some(seq_of(tx, submission)?), Some(*position), None)
        }
        Answer::Given { status_code, body } => (*status_code, None, None, Some(body)),
    };
    if used.nonce.is_empty() || used.nonce.chars().count() > 256 {
        return Err(StoreError::NotAllowed(
            "a nonce has between 1 and 256 characters".to_owned(),
        ));
    }
    let mut statement = tx.conn.prepare_cached(
        "INSERT INTO nonces (hotkey, nonce, request_sha256, status_code, submission, answered, answered_stage, body, used_at,
             expires_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    statement.execute(params![
        used.hotkey,
        used.nonce,
        used.request_sha256.0,
        status_code,
        submission,
        position.map(Position::status),
        position.and_then(Position::stage).map(Stage::as_str),
        body,
        now.0,
        used.expires_at.0,
    ])?;
    Ok(())
}

/// Forgets nonces whose window has been over for [`NONCE_MARGIN_SECONDS`], at most `limit` of them. How many.
pub fn forget_nonces(tx: &Write, now: Timestamp, limit: u32) -> Result<u64> {
    let mut statement = tx.conn.prepare_cached(
        "DELETE FROM nonces WHERE (hotkey, nonce) IN
             (SELECT hotkey, nonce FROM nonces WHERE expires_at < ? ORDER BY expires_at LIMIT ?)",
    )?;
    let before = now.plus_seconds(-NONCE_MARGIN_SECONDS);
    Ok(statement.execute(params![before.0, limit])? as u64)
}
