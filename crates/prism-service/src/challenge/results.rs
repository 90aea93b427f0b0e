//! What is shown of the runs of a submission: logs, report, manifest, and its curve beside another one's.
//!
//! Part of [`super`], whose functions of the trait hand it out. The seed of a round that is open is in none of it.

use prism_core::advice::Advice as _;
use prism_server::{
    challenge::{Comparison, LogPage, ServiceError},
    prepared::Prepared,
};
use prism_store::{
    attempts::{self, Kind},
    results::{self, Stored},
    rounds, submissions,
};
use serde_json::Value;

use super::store;
use crate::service::Service;

/// Largest page of a log, in bytes.
const LOG_PAGE_BYTES: usize = 64 * 1024;
/// Largest blob that is shown, in bytes.
const BLOB_BYTES_MAX: u64 = 64 * 1024 * 1024;

impl Service {
    /// The result that counts for a submission, if there is one.
    fn counting(&self, id: &str) -> Result<Option<Stored>, ServiceError> {
        self.store
            .read(
                |tx| match submissions::find(tx, id)?.and_then(|found| found.score) {
                    Some(score) => results::get_result(tx, score.result_id).map(Some),
                    None => Ok(None),
                },
            )
            .map_err(|problem| store(&problem))
    }

    /// The seed that a result was measured under, while it is not for the public: until its round closes.
    fn secret_seed(&self, stored: &Stored) -> Result<Option<u64>, ServiceError> {
        self.store
            .read(|tx| {
                let is_open = rounds::get(tx, &stored.round_id)?.is_open();
                let seed = attempts::get(tx, stored.attempt)?.seed;
                Ok(is_open.then_some(seed))
            })
            .map_err(|problem| store(&problem))
    }

    fn blob(&self, hash: Option<prism_core::hash::Sha256Hash>) -> Result<Option<Vec<u8>>, ServiceError> {
        hash.map(|hash| {
            self.store
                .blobs()
                .read(&hash, BLOB_BYTES_MAX)
                .map_err(|problem| store(&problem))
        })
        .transpose()
    }

    pub(super) fn log_of(&self, id: &str, since_bytes: u64) -> Result<Option<LogPage>, ServiceError> {
        let (results, attempts) = self
            .store
            .read(|tx| Ok((results::of(tx, id)?, attempts::of(tx, id)?)))
            .map_err(|problem| store(&problem))?;
        let live = attempts
            .iter()
            .rev()
            .find(|attempt| attempt.state.is_live() && attempt.kind == Kind::Main)
            .and_then(|attempt| attempt.handle.as_deref());
        if let Some(handle) = live {
            let text = self
                .executor
                .log(handle)
                .map_err(|failure| ServiceError::Internal(failure.told()))?;
            return Ok(Some(log_page(text.unwrap_or_default().as_bytes(), since_bytes)));
        }
        let newest = results.iter().rev().find_map(|stored| stored.result.files.logs);
        let of_failure = attempts.iter().rev().find_map(|attempt| attempt.evidence);
        let has_ended = attempts.iter().any(|attempt| attempt.ended_at.is_some());
        let Some(bytes) = self
            .blob(newest.or(of_failure))?
            // A run that has printed nothing has a log, an empty one.
            .or(has_ended.then(Vec::new))
        else {
            return Ok(None);
        };
        Ok(Some(log_page(&bytes, since_bytes)))
    }

    pub(super) fn report_of(&self, id: &str) -> Result<Option<Vec<u8>>, ServiceError> {
        let Some(stored) = self.counting(id)? else {
            return Ok(None);
        };
        let Some(mut page) = self.blob(stored.result.files.report)? else {
            return Ok(None);
        };
        if let Some(seed) = self.secret_seed(&stored)? {
            // It stands in a cell of its own.
            let (shown, hidden) = (
                format!("<td>{seed}</td>"),
                b"<td>secret until the round closes</td>",
            );
            while let Some(at) = page
                .windows(shown.len())
                .position(|bytes| bytes == shown.as_bytes())
            {
                page.splice(at..at + shown.len(), hidden.iter().copied());
            }
        }
        Ok(Some(page))
    }

    pub(super) fn manifest_of(&self, id: &str) -> Result<Option<Prepared>, ServiceError> {
        let Some(stored) = self.counting(id)? else {
            return Ok(None);
        };
        let Some(bytes) = self.blob(stored.result.files.manifest)? else {
            return Ok(None);
        };
        if self.secret_seed(&stored)?.is_none() {
            return Ok(Some(Prepared::of_json_text(bytes)));
        }
        let mut manifest: Value =
            serde_json::from_slice(&bytes).map_err(|error| ServiceError::Internal(error.to_string()))?;
        for pointer in ["/run/seed", "/run/about/seed"] {
            if let Some(seed) = manifest.pointer_mut(pointer) {
                *seed = Value::Null;
            }
        }
        Ok(Some(Prepared::of_json_text(manifest.to_string().into_bytes())))
    }

    pub(super) fn comparison(&self, id: &str, other: &str) -> Result<Option<Comparison>, ServiceError> {
        let (Some(one), Some(two)) = (self.counting(id)?, self.counting(other)?) else {
            return Ok(None);
        };
        if one.round_id != two.round_id {
            return Ok(None);
        }
        let profile = |stored: &Stored| -> Result<_, ServiceError> {
            let bytes = self.blob(stored.result.files.profile)?;
            bytes
                .map(|bytes| {
                    prism_core::ranking::profile::CodeProfile::from_json(&bytes)
                        .map_err(|error| ServiceError::Internal(error.to_string()))
                })
                .transpose()
        };
        let (Some(first), Some(second)) = (profile(&one)?, profile(&two)?) else {
            return Ok(None);
        };
        if !first.same_stream(&second) {
            return Ok(None);
        }
        let stream_bytes = first.head().stream_bytes as f64;
        let blocks = first.saved_micronats().len().min(second.saved_micronats().len());
        let mut difference = 0.0;
        let (mut covered_bytes, mut difference_bits, mut band_bits) = (Vec::new(), Vec::new(), Vec::new());
        let band_bpb = 1.96 * one.result.bpb_se.hypot(two.result.bpb_se);
        let pairs = first.saved_micronats().iter().zip(second.saved_micronats());
        for (number, (one_saved, two_saved)) in pairs.enumerate() {
            // Saved against eight bits a byte, so that more saved is a shorter code.
            difference += (two_saved - one_saved) as f64 * 1e-6 / prism_core::nats::NATS_PER_BIT;
            let share = (number + 1) as f64 / blocks as f64;
            covered_bytes.push(share * stream_bytes);
            difference_bits.push(difference);
            band_bits.push(band_bpb * stream_bytes * share.sqrt());
        }
        let difference_bpb = one.result.bpb - two.result.bpb;
        let floor = self.standings().noise_floor.bpb();
        Ok(Some(Comparison {
            submission_id: id.to_owned(),
            other_id: other.to_owned(),
            covered_bytes,
            difference_bits,
            band_bits,
            difference_bpb,
            band_bpb,
            significant: difference_bpb.abs() > band_bpb.max(floor),
        }))
    }
}

fn log_page(bytes: &[u8], since_bytes: u64) -> LogPage {
    let from = usize::try_from(since_bytes)
        .unwrap_or(usize::MAX)
        .min(bytes.len());
    let to = (from + LOG_PAGE_BYTES).min(bytes.len());
    LogPage {
        since: from as u64,
        next: (to < bytes.len()).then_some(to as u64),
        text: String::from_utf8_lossy(&bytes[from..to]).into_owned(),
    }
}
