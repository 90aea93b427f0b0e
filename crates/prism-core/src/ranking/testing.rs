//! Results and profiles that tests of ranks and weights are made of.

use std::sync::Arc;

use super::{
    Counts, RoundResult,
    profile::{CodeProfile, DocumentCost, ProfileHead},
};
use crate::{hash::Sha256Hash, nats::NATS_PER_BIT};

/// Bytes of a block of [`profile`].
pub(crate) const BLOCK_BYTES: u64 = 1_000;
/// Bits that such a block costs, before what a test adds.
pub(crate) const BLOCK_BITS: f64 = 2_000.0;

/// A profile of blocks of one document each, which cost so many bits more than [`BLOCK_BITS`].
pub(crate) fn profile(blocks: u64, more_bits: impl FnMut(u64) -> f64) -> CodeProfile {
    bits_profile(blocks, 0, 0.0, 0.0, more_bits)
}

/// The same with a bundle, a correction and an error.
pub(crate) fn bits_profile(
    blocks: u64,
    bundle_bits: u64,
    correction_bits: f64,
    se_bits: f64,
    mut more_bits: impl FnMut(u64) -> f64,
) -> CodeProfile {
    let head = ProfileHead {
        corpus: Sha256Hash([1; 32]),
        documents: blocks,
        stream_bytes: blocks * BLOCK_BYTES,
        bundle_bits,
        correction_nats: correction_bits * NATS_PER_BIT,
        se_nats: se_bits * NATS_PER_BIT,
    };
    let costs = (0..blocks).map(|document| DocumentCost {
        document,
        bytes: BLOCK_BYTES,
        nats: (BLOCK_BITS + more_bits(document)) * NATS_PER_BIT,
    });
    CodeProfile::of_documents(head, costs).unwrap()
}

/// A counted result without a profile, whose score follows from its bits per byte.
pub(crate) fn result(submission: &str, hotkey: &str, accepted_at_us: i64, bpb: f64) -> RoundResult {
    RoundResult {
        submission: submission.into(),
        hotkey: hotkey.into(),
        accepted_at_us,
        counts: Counts::Counted,
        final_score: 1.0 / (1.0 + bpb),
        bpb,
        bpb_se: 0.0,
        bpb_ranked: bpb,
        memorization: false,
        anomalous: false,
        profile: None,
    }
}

/// A counted result with this profile.
pub(crate) fn measured(
    submission: &str,
    hotkey: &str,
    accepted_at_us: i64,
    profile: CodeProfile,
) -> RoundResult {
    let bpb = profile.bpb();
    let bpb_se = profile.head().se_nats / NATS_PER_BIT / profile.head().stream_bytes as f64;
    let bpb_ranked = bpb + 3.0 * bpb_se;
    RoundResult {
        bpb_se,
        bpb_ranked,
        final_score: 1.0 / (1.0 + bpb_ranked),
        profile: Some(Arc::new(profile)),
        ..result(submission, hotkey, accepted_at_us, bpb)
    }
}
