//! The code profile of a record: what each block of the stream cost, for comparisons of two runs.
//!
//! Called once for each run that gets a score, with the record that was just written or verified. `record.json` and
//! `targets.zst` are enough: the sums per document at the end of the latter have bytes and claims, and the documents are
//! the same for every bundle on one stream, whatever its tokenizer. Never used for a score: see
//! [`prism_core::ranking::profile`] for what it is and who reads it.

use std::io::Read;

use prism_core::ranking::profile::{CodeProfile, DocumentCost, ProfileError, ProfileHead};
use thiserror::Error;

use crate::{
    record::Record,
    targets::{Block, TargetsError, TargetsReader},
};

/// Why a record gives no profile.
#[derive(Debug, Error)]
pub enum RecordProfileError {
    /// The other file cannot be read.
    #[error(transparent)]
    Targets(#[from] TargetsError),
    /// Its sums are not those of a stream.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// Its sums are not those of this record.
    #[error("targets.zst is of another run: its documents have {found} {what}, the record has {recorded}")]
    OtherRun {
        /// What was added up.
        what: &'static str,
        /// What the documents come to.
        found: u64,
        /// What the record says.
        recorded: u64,
    },
}

/// The profile of a record from its two files. Reads `targets` whole, in flat memory; call `record::verify` first where
/// they are not one's own.
pub fn of_record(record: &Record, targets: impl Read) -> Result<CodeProfile, RecordProfileError> {
    let mut reader = TargetsReader::new(targets)?;
    let mut sums = Vec::new();
    while let Some(block) = reader.next_block()? {
        if let Block::Sums(found) = block {
            sums = found;
        }
    }
    of_sums(record, &sums)
}

/// From the documents that were read: number, targets, bytes and nats.
fn of_sums(record: &Record, sums: &[(u64, u64, u64, f64)]) -> Result<CodeProfile, RecordProfileError> {
    let measured = &record.measured;
    let (mut targets, mut bytes) = (0_u64, 0_u64);
    for sum in sums {
        targets = targets.saturating_add(sum.1);
        bytes = bytes.saturating_add(sum.2);
    }
    for (what, found, recorded) in [
        ("targets", targets, measured.targets),
        ("bytes", bytes, measured.bytes),
    ] {
        if found != recorded {
            return Err(RecordProfileError::OtherRun {
                what,
                found,
                recorded,
            });
        }
    }
    let head = ProfileHead {
        corpus: record.hashes.corpus,
        documents: record.stream.documents,
        stream_bytes: record.stream.bytes,
        bundle_bits: record.bundle_bits,
        correction_nats: measured.nats - measured.claimed_nats,
        se_nats: measured.se_nats,
    };
    let costs = sums.iter().map(|&(document, _, bytes, nats)| DocumentCost {
        document,
        bytes,
        nats,
    });
    Ok(CodeProfile::of_documents(head, costs)?)
}
