//! The code profile of a record: what each block of the stream cost, for comparisons of two runs.
//!
//! Called once for each run that gets a score, with the record that was just written or verified; `prism verify` asks for
//! [`text_se_bpb`] too. `record.json` and
//! `targets.zst` are enough: the sums per document at the end of the latter have bytes and claims, and the documents are
//! the same for every bundle on one stream, whatever its tokenizer. Never used for a score: see
//! [`prism_core::ranking::profile`] for what it is and who reads it.

use std::io::Read;

use prism_core::estimate::Sum;
use prism_core::nats::NATS_PER_BIT;
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

/// Fewest documents that tell how much documents differ.
const DOCUMENTS_MIN: usize = 20;

/// Number, targets, bytes and nats of a document that was read.
type DocumentSum = (u64, u64, u64, f64);

/// The profile of a record from its two files. Reads `targets` whole, in flat memory; call `record::verify` first where
/// they are not one's own.
pub fn of_record(record: &Record, targets: impl Read) -> Result<CodeProfile, RecordProfileError> {
    of_sums(record, &sums(targets)?)
}

/// How far the bits per byte of a run lie from those on other text, as a standard error: on as much text of the same kind,
/// cut into documents alike and mixed. It is what documents differ by; what the audits leave open is in the score's own
/// error. Nothing where the run has read too few documents. Reads `targets` as [`of_record`] does.
pub fn text_se_bpb(targets: impl Read) -> Result<Option<f64>, RecordProfileError> {
    Ok(text_se_of(&sums(targets)?))
}

/// A document costs more or less than its bytes would at the rate of the whole. Neighbours are compared, not each with the
/// mean: early text costs more than late text, in every run alike, and that is no chance.
fn text_se_of(sums: &[DocumentSum]) -> Option<f64> {
    if sums.len() < DOCUMENTS_MIN {
        return None;
    }
    let (mut bytes, mut nats) = (Sum::default(), Sum::default());
    for sum in sums {
        bytes.add(sum.2 as f64);
        nats.add(sum.3);
    }
    let rate = nats.value() / bytes.value();
    let beyond = |sum: &DocumentSum| sum.3 - rate * sum.2 as f64;
    let mut squares = Sum::default();
    for pair in sums.windows(2) {
        let difference = beyond(&pair[1]) - beyond(&pair[0]);
        squares.add(difference * difference);
    }
    let count = sums.len() as f64;
    let variance = count * squares.value() / (2.0 * (count - 1.0));
    let se = variance.sqrt() / (NATS_PER_BIT * bytes.value());
    se.is_finite().then_some(se)
}

fn sums(targets: impl Read) -> Result<Vec<DocumentSum>, TargetsError> {
    let mut reader = TargetsReader::new(targets)?;
    let mut sums = Vec::new();
    while let Some(block) = reader.next_block()? {
        if let Block::Sums(found) = block {
            sums = found;
        }
    }
    Ok(sums)
}

/// From the documents that were read: number, targets, bytes and nats.
fn of_sums(record: &Record, sums: &[DocumentSum]) -> Result<CodeProfile, RecordProfileError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers between -1 and 1 that look like chance.
    fn dice() -> impl FnMut() -> f64 {
        let mut state = 1_u64;
        move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
        }
    }

    /// Documents that cost two bits a byte, more by chance, and more in the beginning.
    fn documents(count: u64, chance: f64, early: f64) -> Vec<DocumentSum> {
        let mut next = dice();
        (0..count)
            .map(|document| {
                let bytes = 1000 + document * 7 % 500;
                let rate = 2.0 + chance * next() + early * (-(document as f64) / 50.0).exp();
                (document, bytes, bytes, rate * bytes as f64 * NATS_PER_BIT)
            })
            .collect()
    }

    fn bpb(sums: &[DocumentSum]) -> f64 {
        let nats: f64 = sums.iter().map(|sum| sum.3).sum();
        nats / NATS_PER_BIT / sums.iter().map(|sum| sum.2 as f64).sum::<f64>()
    }

    #[test]
    fn the_error_of_the_text_is_how_far_other_text_lies() {
        let all = documents(200 * 100, 0.6, 0.0);
        let (mut squares, mut said) = (0.0, 0.0);
        for text in all.chunks(100) {
            squares += (bpb(text) - 2.0).powi(2) / 200.0;
            said += text_se_of(text).unwrap().powi(2) / 200.0;
        }
        // The second is what the first is expected to be; over 200 texts it is known to a tenth.
        assert!((squares / said - 1.0).abs() < 0.25, "{squares} and {said}");
    }

    #[test]
    fn what_every_run_has_alike_is_no_error() {
        let of = |early: f64| text_se_of(&documents(2000, 0.6, early)).unwrap();
        assert!((of(3.0) / of(0.0) - 1.0).abs() < 0.05);
        assert!(text_se_of(&documents(2000, 0.0, 0.0)).unwrap() < 1e-12);
        assert_eq!(text_se_of(&documents(19, 0.6, 0.0)), None);
    }
}
