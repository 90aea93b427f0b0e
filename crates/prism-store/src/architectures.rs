//! Families of submissions with the same architecture file, as the contract's routes show them.

use prism_core::{hash::Sha256Hash, time::Timestamp};
use rusqlite::{ToSql, params};

use crate::{Read, Result, columns::Columns};

/// All submissions with one architecture.
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture {
    /// The hash of the architecture.
    pub architecture_sha256: Sha256Hash,
    /// The name that its first submission gives itself.
    pub name: Option<String>,
    /// Who submitted it first.
    pub owner_hotkey: String,
    /// When.
    pub first_seen_at: Timestamp,
    /// Its best counting score and whose it is; `None` while nothing of it takes a rank.
    pub best: Option<(f64, String)>,
    /// How many training scripts it was submitted with.
    pub variants: u64,
    /// How many submissions there are.
    pub submissions: u64,
    /// When one of them last changed.
    pub updated_at: Timestamp,
}

/// Best first means: scored before unscored, then by score, then by acceptance.
const BEST: &str = "SELECT r.final_score, s.id FROM submissions s JOIN results r ON r.id = s.result_id
                    WHERE s.architecture_sha256 = ? AND s.status = 'completed' AND r.final_score IS NOT NULL
                        AND r.rehearsal = 0
                    ORDER BY r.final_score DESC, s.seq LIMIT 1";

/// The architectures of an epoch, or of all time, the best first.
pub fn list(tx: &Read, epoch: Option<i64>) -> Result<Vec<Architecture>> {
    let mut statement = tx.conn.prepare_cached(
        "SELECT DISTINCT architecture_sha256 FROM submissions
         WHERE architecture_sha256 IS NOT NULL AND (?1 IS NULL OR epoch_id = ?1)",
    )?;
    let hashes = statement.query_map([epoch], |row| Columns::of(row).hash())?;
    let mut list = Vec::new();
    for hash in hashes {
        list.extend(get(tx, &hash?)?);
    }
    list.sort_by(|a, b| {
        let score = |of: &Architecture| of.best.as_ref().map_or(f64::NEG_INFINITY, |(score, _)| *score);
        score(b)
            .total_cmp(&score(a))
            .then_with(|| a.first_seen_at.cmp(&b.first_seen_at))
            .then_with(|| a.architecture_sha256.cmp(&b.architecture_sha256))
    });
    Ok(list)
}

/// The newest epoch in which something was submitted that has a counting score.
pub fn newest_scored_epoch(tx: &Read) -> Result<Option<i64>> {
    let mut statement = tx
        .conn
        .prepare_cached("SELECT max(epoch_id) FROM submissions WHERE result_id IS NOT NULL")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// One architecture, if something was submitted with it.
pub fn get(tx: &Read, architecture_sha256: &Sha256Hash) -> Result<Option<Architecture>> {
    let key: &dyn ToSql = &architecture_sha256.0;
    let first = "SELECT name, hotkey, accepted_at FROM submissions WHERE architecture_sha256 = ? ORDER BY seq LIMIT 1";
    let first = tx.one(first, [key], |row| {
        let mut columns = Columns::of(row);
        Ok((columns.take()?, columns.take()?, columns.time()?))
    })?;
    let Some((name, owner_hotkey, first_seen_at)) = first else {
        return Ok(None);
    };
    let best = tx.one(BEST, [key], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut totals = tx.conn.prepare_cached(
        "SELECT count(DISTINCT training_sha256), count(*), max(updated_at) FROM submissions WHERE architecture_sha256 = ?",
    )?;
    let (variants, submissions, updated_at) = totals.query_row(params![key], |row| {
        let mut columns = Columns::of(row);
        Ok((columns.count()?, columns.count()?, columns.time()?))
    })?;
    Ok(Some(Architecture {
        architecture_sha256: *architecture_sha256,
        name,
        owner_hotkey,
        first_seen_at,
        best,
        variants,
        submissions,
        updated_at,
    }))
}
