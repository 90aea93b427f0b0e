//! Rounds: what a run must be of to count, fixed when the round opens. One is open at a time.
//!
//! The seed is secret while its round is open: [`commitment`] is public at once, [`reveal`] tells the seed when the round
//! is closed.

use std::fmt;

use prism_core::{hash::Sha256Hash, time::Timestamp};
use rusqlite::params;

use crate::{
    Read, Result, StoreError, Write,
    columns::{Columns, bytes},
    ids::must_be_id,
};

/// The secret of a round. It is shown by nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret {
    /// The seed that the round's runs are drawn from.
    pub seed: u64,
    /// Makes the commitment hold its secret, however few seeds there are.
    pub salt: [u8; 32],
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What is published of a secret when its round opens: SHA-256 of `prism-seed:{seed}:{salt in hexadecimal}`.
pub fn commitment(secret: &Secret) -> Sha256Hash {
    let salt = Sha256Hash(secret.salt);
    Sha256Hash::of(format!("prism-seed:{}:{salt}", secret.seed).as_bytes())
}

/// A round to be opened. All of it stays as it is.
#[derive(Clone, Debug)]
pub struct NewRound {
    /// A UUID of version 4.
    pub id: String,
    /// What people call it; no two rounds have one name.
    pub name: String,
    /// The recipe, as text.
    pub recipe_toml: String,
    /// The recipe's digest.
    pub recipe_sha256: Sha256Hash,
    /// Where the corpus lies on this machine.
    pub corpus_path: String,
    /// The corpus's digest.
    pub corpus_sha256: Sha256Hash,
    /// The digest or name of the locked Python runtime.
    pub runtime_lock: String,
    /// The gate's version.
    pub gate_version: String,
    /// The reviewer's version.
    pub review_version: String,
    /// Whether and how submissions are reviewed.
    pub review_mode: String,
    /// The seed.
    pub secret: Secret,
    /// Scored runs that a hotkey may have in a day.
    pub scored_runs_per_day: u32,
    /// Uploads that a hotkey may have in a day.
    pub uploads_per_day: u32,
    /// How ranks become weights.
    pub weight_policy: String,
    /// The reference bundle that the noise floor is measured with.
    pub reference: Option<Sha256Hash>,
    /// Whether sources are published when the round closes.
    pub publish_sources: bool,
}

/// A round, without its secret.
#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    /// Its id.
    pub id: String,
    /// 1 for the first.
    pub number: u32,
    /// What people call it.
    pub name: String,
    /// The recipe, as text.
    pub recipe_toml: String,
    /// The recipe's digest.
    pub recipe_sha256: Sha256Hash,
    /// Where the corpus lies on this machine.
    pub corpus_path: String,
    /// The corpus's digest.
    pub corpus_sha256: Sha256Hash,
    /// The digest or name of the locked Python runtime.
    pub runtime_lock: String,
    /// The gate's version.
    pub gate_version: String,
    /// The reviewer's version.
    pub review_version: String,
    /// Whether and how submissions are reviewed.
    pub review_mode: String,
    /// [`commitment`] of the secret, in hexadecimal.
    pub seed_commitment: String,
    /// Scored runs that a hotkey may have in a day.
    pub scored_runs_per_day: u32,
    /// Uploads that a hotkey may have in a day.
    pub uploads_per_day: u32,
    /// How ranks become weights.
    pub weight_policy: String,
    /// The spread of bits per byte between seeds, once it was measured.
    pub noise_floor_bpb: Option<f64>,
    /// The reference bundle that the noise floor is measured with.
    pub reference: Option<Sha256Hash>,
    /// Whether sources are published when the round closes.
    pub publish_sources: bool,
    /// When it opened.
    pub opened_at: Timestamp,
    /// When it closed; `None` while it is open.
    pub closed_at: Option<Timestamp>,
}

impl Round {
    /// Whether submissions go to it.
    pub fn is_open(&self) -> bool {
        self.closed_at.is_none()
    }
}

const COLUMNS: &str = "id, number, name, recipe_toml, recipe_sha256, corpus_path, corpus_sha256, runtime_lock, gate_version, \
                       review_version, review_mode, seed_commitment, scored_runs_per_day, uploads_per_day, weight_policy, \
                       noise_floor_bpb, reference_sha256, publish_sources, opened_at, closed_at FROM rounds";

fn round(row: &rusqlite::Row<'_>) -> rusqlite::Result<Round> {
    let mut columns = Columns::of(row);
    Ok(Round {
        id: columns.take()?,
        number: columns.take()?,
        name: columns.take()?,
        recipe_toml: columns.take()?,
        recipe_sha256: columns.hash()?,
        corpus_path: columns.take()?,
        corpus_sha256: columns.hash()?,
        runtime_lock: columns.take()?,
        gate_version: columns.take()?,
        review_version: columns.take()?,
        review_mode: columns.take()?,
        seed_commitment: columns.take()?,
        scored_runs_per_day: columns.take()?,
        uploads_per_day: columns.take()?,
        weight_policy: columns.take()?,
        noise_floor_bpb: columns.take()?,
        reference: columns.maybe_hash()?,
        publish_sources: columns.take()?,
        opened_at: columns.time()?,
        closed_at: columns.maybe_time()?,
    })
}

/// Opens a round. Refused while another one is open, or where one had this name.
pub fn open(tx: &Write, new: &NewRound, now: Timestamp) -> Result<Round> {
    must_be_id("round", &new.id)?;
    if let Some(open) = current(tx)? {
        return Err(StoreError::NotAllowed(format!(
            "the round `{}` is open, and there is one at a time: close it first",
            open.name
        )));
    }
    if by_name(tx, &new.name)?.is_some() {
        return Err(StoreError::NotAllowed(format!(
            "there was a round `{}` before: choose another name",
            new.name
        )));
    }
    if let Some(reference) = &new.reference {
        tx.must_have_blob(reference)?;
    }
    tx.conn.execute(
        "INSERT INTO rounds (id, number, name, recipe_toml, recipe_sha256, corpus_path, corpus_sha256, runtime_lock,
             gate_version, review_version, review_mode, seed, salt, seed_commitment, scored_runs_per_day, uploads_per_day,
             weight_policy, reference_sha256, publish_sources, state, opened_at)
         VALUES (?, (SELECT ifnull(max(number), 0) + 1 FROM rounds), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', ?)",
        params![
            new.id,
            new.name,
            new.recipe_toml,
            new.recipe_sha256.0,
            new.corpus_path,
            new.corpus_sha256.0,
            new.runtime_lock,
            new.gate_version,
            new.review_version,
            new.review_mode,
            new.secret.seed.cast_signed(),
            new.secret.salt,
            commitment(&new.secret).to_string(),
            new.scored_runs_per_day,
            new.uploads_per_day,
            new.weight_policy,
            bytes(new.reference.as_ref()),
            new.publish_sources,
            now.0,
        ],
    )?;
    get(tx, &new.id)
}

/// Closes the open round. What of its submissions has not run is the caller's to end.
pub fn close(tx: &Write, id: &str, now: Timestamp) -> Result<Round> {
    let closed = tx.conn.execute(
        "UPDATE rounds SET state = 'closed', closed_at = ? WHERE id = ? AND state = 'open'",
        params![now.0, id],
    )?;
    let round = get(tx, id)?;
    if closed == 1 {
        Ok(round)
    } else {
        Err(StoreError::NotAllowed(format!(
            "the round `{}` is closed already",
            round.name
        )))
    }
}

/// The open round, if one is.
pub fn current(tx: &Read) -> Result<Option<Round>> {
    tx.one(&format!("SELECT {COLUMNS} WHERE state = 'open'"), [], round)
}

/// The round that closed last, if one did.
pub fn last_closed(tx: &Read) -> Result<Option<Round>> {
    let last = "WHERE state = 'closed' ORDER BY number DESC LIMIT 1";
    tx.one(&format!("SELECT {COLUMNS} {last}"), [], round)
}

/// A round by its id.
pub fn get(tx: &Read, id: &str) -> Result<Round> {
    tx.one(&format!("SELECT {COLUMNS} WHERE id = ?"), [id], round)?
        .ok_or_else(|| not_found(id))
}

/// A round by its name.
pub fn by_name(tx: &Read, name: &str) -> Result<Option<Round>> {
    tx.one(&format!("SELECT {COLUMNS} WHERE name = ?"), [name], round)
}

fn not_found(id: &str) -> StoreError {
    StoreError::NotFound {
        what: "round",
        id: id.to_owned(),
    }
}

/// All rounds, the newest first.
pub fn list(tx: &Read) -> Result<Vec<Round>> {
    tx.all(&format!("SELECT {COLUMNS} ORDER BY number DESC"), [], round)
}

/// The secret, also of an open round: for drawing its runs, never for showing.
pub fn secret(tx: &Read, id: &str) -> Result<Secret> {
    tx.one("SELECT seed, salt FROM rounds WHERE id = ?", [id], |row| {
        Ok(Secret {
            seed: row.get::<_, i64>(0)?.cast_unsigned(),
            salt: row.get(1)?,
        })
    })?
    .ok_or_else(|| not_found(id))
}

/// The secret of a closed round; `None` while it is open.
pub fn reveal(tx: &Read, id: &str) -> Result<Option<Secret>> {
    if get(tx, id)?.is_open() {
        Ok(None)
    } else {
        secret(tx, id).map(Some)
    }
}

/// Stores the spread that runs of the reference bundle under fresh seeds have shown, in bits per byte.
pub fn set_noise(tx: &Write, id: &str, noise_floor_bpb: f64) -> Result<()> {
    if !noise_floor_bpb.is_finite() || noise_floor_bpb < 0.0 {
        return Err(StoreError::NotAllowed(format!(
            "{noise_floor_bpb} is no spread of bits per byte"
        )));
    }
    let found = tx.conn.execute(
        "UPDATE rounds SET noise_floor_bpb = ? WHERE id = ?",
        params![noise_floor_bpb, id],
    )?;
    if found == 1 { Ok(()) } else { Err(not_found(id)) }
}
