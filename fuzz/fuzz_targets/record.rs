//! The record: `record.json` and what is in its `targets.zst` to a score, as `prism verify` computes it.
//!
//! An input is both, with a line `====` between them. The hashes are put right, as whoever forges a record puts them right:
//! behind them lies the arithmetic. It must not crash; what is read is written and read again the same; a score is the same
//! twice, and a record that states it verifies.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use prism_core::hash::Sha256Hash;
use prism_fuzz::parts;
use prism_referee::draws::AuditKey;
use prism_referee::profile::{of_record, text_se_bpb};
use prism_referee::record::{Record, rescore, verify};

/// Fast.
const LEVEL: i32 = 1;

fuzz_target!(|data: &[u8]| -> Corpus {
    let (json, blocks) = parts(data);
    let Ok(mut record) = Record::from_json(json) else {
        return Corpus::Keep;
    };
    let written = record.to_json().expect("a record can be written");
    let again = Record::from_json(&written).expect("what was written can be read");
    assert_eq!(again, record);
    assert_eq!(again.to_json().expect("a record can be written"), written);

    let targets = zstd::encode_all(blocks, LEVEL).expect("memory is compressed without errors");
    let hash = Sha256Hash::of(&targets);
    record.targets_sha256 = hash;
    record.hashes.recipe = record.recipe.sha256();
    if let Some(key) = AuditKey::from_hex(&record.audit_key) {
        record.audit_key_commitment = key.commitment();
    }
    let scored = rescore(&record, &targets[..], hash);
    let twice = rescore(&record, &targets[..], hash);
    assert_eq!(format!("{scored:?}"), format!("{twice:?}"));
    if let Ok(verdict) = scored {
        record.verdict = verdict;
        verify(&record, &targets[..], hash).expect("a record that states its score is one");
    }
    let _ = of_record(&record, &targets[..]);
    if let Ok(Some(error)) = text_se_bpb(&targets[..]) {
        assert!(error.is_finite());
    }
    Corpus::Keep
});
