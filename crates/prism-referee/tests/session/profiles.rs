//! Code profiles: whether they add up to the score of their record, and whether two of them have blocks in common.

use std::f64::consts::LN_2;

use prism_core::{
    outcome::Reason,
    ranking::profile::{CodeProfile, PROFILE_BYTES_MAX, ProfileError},
    recipe::Recipe,
};
use prism_referee::{
    account::{Account, Run},
    draws::{AuditKey, Purpose},
    lanes::{Lanes, Step},
    profile::{RecordProfileError, of_record},
    record::Record,
    targets::{Section, TargetsError, TargetsWriter},
    verdict::Measured,
};

use crate::sessions::{Text, run};
use crate::threads::{Cheat, EOT, VOCAB};

fn measure(text: &Text, cheat: Cheat, change: impl FnOnce(&mut Recipe)) -> (Record, Vec<u8>) {
    run(text, cheat, 1, change).result.unwrap()
}

fn profile((record, targets): &(Record, Vec<u8>)) -> CodeProfile {
    of_record(record, targets.as_slice()).unwrap()
}

/// The two files of a run like `record` on the same bytes with another tokenizer: each token stands for two bytes, and
/// costs what is said.
fn half_as_many_tokens(text: &Text, mut record: Record, nats: f32) -> (Record, Vec<u8>) {
    let mut documents = text.documents.clone();
    for document in &mut documents {
        let bytes = document.ids.len();
        document.ids.truncate(bytes.div_ceil(2));
        document.byte_lengths = vec![2; document.ids.len()];
        if bytes % 2 == 1 {
            *document.byte_lengths.last_mut().unwrap() = 1;
        }
    }
    record.stream.targets = documents.iter().map(|d| d.ids.len() as u64 + 1).sum();
    let key = AuditKey::from_hex(&record.audit_key).unwrap();
    let mut account = Account::new(&record.recipe, VOCAB, &key, Purpose::Stream);
    let mut writer = TargetsWriter::new(Vec::new()).unwrap();
    let mut lanes = Lanes::new(documents, 7, 31, EOT);
    let mut step = Step::default();
    while lanes.next_step(&mut step).unwrap() {
        let real = |place: &usize| step.mask[*place] == 1;
        let places: Vec<usize> = (0..step.mask.len()).filter(real).collect();
        let bytes: Vec<u16> = places.iter().map(|&place| step.byte_lengths[place]).collect();
        let claims = vec![nats; bytes.len()];
        let runs: Vec<Run> = step.segments.iter().map(Run::from).collect();
        writer.step(Section::Stream, &runs, &claims, &bytes).unwrap();
        account.step(runs, &claims, &bytes);
    }
    record.measured = Measured::of(&account);
    (record, writer.finish(&account).unwrap())
}

#[test]
fn a_profile_adds_up_to_the_score_of_its_record() {
    let text = Text::new(150);
    for (cheat, max_steps, ended) in [
        (Cheat::Honest, None, Reason::EndOfData),
        // Corrections that are as large as the claims.
        (Cheat::HalfClaims, None, Reason::EndOfData),
        (Cheat::ZeroClaims, None, Reason::EndOfData),
        // Unread text.
        (Cheat::Honest, Some(5), Reason::StepBudget),
        (Cheat::DoneInTheMiddle, None, Reason::EarlyReturn),
        (Cheat::DoneAtOnce, None, Reason::EarlyReturn),
    ] {
        let mut measured = measure(&text, cheat, |r| r.budget.max_steps = max_steps);
        assert_eq!(measured.0.ended, ended, "{cheat:?}");
        for bundle_bits in [0, 12_345] {
            let (record, _) = &mut measured;
            record.verdict.bpb += (bundle_bits - record.bundle_bits) as f64 / record.stream.bytes as f64;
            record.bundle_bits = bundle_bits;
            let (profile, record) = (profile(&measured), &measured.0);
            assert!(
                (profile.bpb() - record.verdict.bpb).abs() < 1e-7,
                "{cheat:?}: {} {}",
                profile.bpb(),
                record.verdict.bpb
            );
            assert_eq!(profile.head().se_nats, record.measured.se_nats);
            assert_eq!(profile.saved_micronats().len(), 150);
            assert!(profile.to_json().len() < PROFILE_BYTES_MAX);
        }
    }
}

#[test]
fn runs_of_one_stream_have_their_blocks_in_common_whatever_their_tokenizer() {
    let text = Text::new(150);
    let bytes = profile(&measure(&text, Cheat::Honest, |_| {}));
    let (record, _) = measure(&text, Cheat::Honest, |_| {});
    let pairs = half_as_many_tokens(&text, record, 3.0);
    assert!(pairs.0.stream.targets < text.totals().targets * 2 / 3);
    assert_eq!(pairs.0.measured.bytes, text.totals().bytes);
    let pairs = profile(&pairs);
    assert!(bytes.same_stream(&pairs));
    // A document is a block here: what it saves follows from its bytes and tokens, wherever its lane was cut.
    for (document, &saved) in text.documents.iter().zip(pairs.saved_micronats()) {
        let (bytes, tokens) = (document.ids.len(), document.ids.len().div_ceil(2) + 1);
        let expected = bytes as f64 * 8.0 * LN_2 - tokens as f64 * 3.0;
        // Smoothing adds a millionth or so to a claim.
        assert!((saved as f64 / 1e6 - expected).abs() < 1e-3, "{saved} {expected}");
    }
    let brief = profile(&measure(&text, Cheat::Honest, |r| r.budget.max_steps = Some(5)));
    assert!(bytes.same_stream(&brief));
    // Nothing of a document that no row reached is saved.
    assert!(brief.saved_micronats().contains(&0));
    assert!(!bytes.saved_micronats().contains(&0));
    let other = profile(&measure(&Text::new(149), Cheat::Honest, |_| {}));
    assert!(!bytes.same_stream(&other));
}

#[test]
fn the_files_of_two_runs_do_not_make_a_profile() {
    let text = Text::new(150);
    let (whole, targets) = measure(&text, Cheat::Honest, |_| {});
    let (brief, of_brief) = measure(&text, Cheat::Honest, |r| r.budget.max_steps = Some(5));
    for (record, targets) in [(&whole, &of_brief), (&brief, &targets)] {
        let error = of_record(record, targets.as_slice()).unwrap_err();
        assert!(
            matches!(error, RecordProfileError::OtherRun { what: "targets", .. }),
            "{error}"
        );
    }
    let cut = &targets[..targets.len() - 9];
    let error = of_record(&whole, cut).unwrap_err();
    assert!(
        matches!(error, RecordProfileError::Targets(TargetsError::Io(_))),
        "{error}"
    );
    let mut fewer = whole;
    fewer.stream.documents = 149;
    let error = of_record(&fewer, targets.as_slice()).unwrap_err();
    assert!(
        matches!(error, RecordProfileError::Profile(ProfileError::Damaged(_))),
        "{error}"
    );
}
