//! What ranking needs: every counting result of a round, an epoch or all time.

use prism_core::{hash::Sha256Hash, time::Timestamp};
use rusqlite::{ToSql, params};

use super::{Score, score};
use crate::{Read, Result, columns::Columns, events::position};

/// Which results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Of a round.
    Round(String),
    /// Of an epoch of the contract.
    Epoch(i64),
    /// Of all time.
    All,
}

/// A submission whose result counts, for ranking.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// The submission.
    pub submission: String,
    /// The order of acceptance, whatever the clock said.
    pub seq: i64,
    /// The round.
    pub round_id: String,
    /// Whose it is.
    pub hotkey: String,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// The epoch of its acceptance.
    pub epoch_id: i64,
    /// The name that it gives itself.
    pub name: Option<String>,
    /// The hash of its architecture.
    pub architecture_sha256: Option<Sha256Hash>,
    /// The hash of its training script.
    pub training_sha256: Option<Sha256Hash>,
    /// Whether it waits to be confirmed.
    pub provisional: bool,
    /// Its figures.
    pub score: Score,
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
    /// When the result was stored.
    pub scored_at: Timestamp,
    /// The record.
    pub record: Option<Sha256Hash>,
    /// Code lengths by document, for comparing two results.
    pub profile: Option<Sha256Hash>,
}

/// All submissions with a counting result, in the order of acceptance: completed ones, and those that wait to be confirmed.
pub fn scored(tx: &Read, scope: &Scope) -> Result<Vec<Scored>> {
    let (which, value): (&str, &dyn ToSql) = match scope {
        Scope::Round(id) => ("s.round_id = ?", id),
        Scope::Epoch(id) => ("s.epoch_id = ?", id),
        Scope::All => ("? IS NULL", &rusqlite::types::Null),
    };
    tx.all(&format!(
        "SELECT s.id, s.seq, s.round_id, s.hotkey, s.accepted_at, s.epoch_id, s.name, s.architecture_sha256,
             s.training_sha256, s.status, s.stage, r.id, r.kind, r.bpb, r.bpb_se, r.bpb_ranked, r.final_score, r.no_rank,
             r.rehearsal, r.flags_json, r.hidden_max_bpb, r.claims_rms_nats, r.audits, r.covered_bytes, r.stream_bytes,
             r.stored_at, r.record_sha256, r.profile_sha256
         FROM submissions s JOIN results r ON r.id = s.result_id
         WHERE s.result_id IS NOT NULL AND {which} ORDER BY s.seq"
    ), [value], |row| {
        let mut columns = Columns::of(row);
        Ok(Scored {
            submission: columns.take()?,
            seq: columns.take()?,
            round_id: columns.take()?,
            hotkey: columns.take()?,
            accepted_at: columns.time()?,
            epoch_id: columns.take()?,
            name: columns.take()?,
            architecture_sha256: columns.maybe_hash()?,
            training_sha256: columns.maybe_hash()?,
            provisional: position(&mut columns)?.stage().is_some(),
            score: score(&mut columns)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?,
            hidden_max_bpb: columns.take()?,
            claims_rms_nats: columns.take()?,
            audits: columns.count()?,
            covered_bytes: columns.count()?,
            stream_bytes: columns.count()?,
            scored_at: columns.time()?,
            record: columns.maybe_hash()?,
            profile: columns.maybe_hash()?,
        })
    })
}

/// What results may have in common when a fault is found. What is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sharing {
    /// The version of the engine that measured.
    pub engine_version: Option<String>,
    /// The corpus of their round.
    pub corpus_sha256: Option<Sha256Hash>,
    /// The version of the gate of their round.
    pub gate_version: Option<String>,
    /// The version of the review of their round.
    pub review_version: Option<String>,
    /// Their round.
    pub round: Option<String>,
}

/// The submissions whose counting result has all of that in common, in the order of acceptance.
pub fn sharing(tx: &Read, what: &Sharing) -> Result<Vec<String>> {
    let mut statement = tx.conn.prepare_cached(
        "SELECT s.id FROM submissions s JOIN results r ON r.id = s.result_id JOIN rounds o ON o.id = s.round_id
         WHERE s.result_id IS NOT NULL
             AND (?1 IS NULL OR r.engine_version = ?1)
             AND (?2 IS NULL OR o.corpus_sha256 = ?2)
             AND (?3 IS NULL OR o.gate_version = ?3)
             AND (?4 IS NULL OR o.review_version = ?4)
             AND (?5 IS NULL OR s.round_id = ?5)
         ORDER BY s.seq",
    )?;
    let corpus = what.corpus_sha256.map(|hash| hash.0);
    let found = statement.query_map(
        params![
            what.engine_version,
            corpus,
            what.gate_version,
            what.review_version,
            what.round
        ],
        |row| row.get(0),
    )?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}
