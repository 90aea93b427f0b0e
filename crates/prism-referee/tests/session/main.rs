//! Whole sessions against threads that speak the protocol, honestly or not.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod heldout;
mod oracle;
mod profiles;
mod sessions;
mod smoke;
mod threads;

use std::sync::atomic::Ordering;

use prism_core::{
    hash::Sha256Hash,
    outcome::{Fault, Reason},
    rank::{NoRank, Standing},
};
use prism_referee::{
    party::Party,
    plan::Event,
    record::{Record, VerifyError, verify},
    verdict::Flag,
};
use sessions::{Text, dense_nats, run};
use threads::{Act, Cheat, EOT};

fn text() -> Text {
    Text::new(150)
}

fn honest(key: u8) -> (Record, Vec<u8>) {
    run(&text(), Cheat::Honest, key, |_| {}).result.unwrap()
}

#[test]
fn an_honest_run_is_paid_its_true_code_length() {
    let text = text();
    let ran = run(&text, Cheat::Honest, 1, |_| {});
    let (record, _) = ran.result.unwrap();
    let dense = dense_nats(&text, 4, 24);
    assert_eq!(record.ended, Reason::EndOfData);
    assert!(
        (record.measured.nats - dense).abs() < 1e-3,
        "{} {dense}",
        record.measured.nats
    );
    assert!(record.verdict.bpb_se < 1e-6);
    assert_eq!(record.measured.bytes, text.totals().bytes);
    assert_eq!(record.measured.targets, text.totals().targets);
    assert_eq!(record.measured.completed_documents, 150);
    assert!(record.verdict.flags.is_empty(), "{:?}", record.verdict.flags);
    assert_eq!(record.step0.len(), 64);
    let learned = record.verdict.heldout_delta_bpb;
    assert!(learned > 0.5, "a bigram model learns this text: {learned}");
    assert!(record.verdict.bpb < 3.5);
    assert!(
        !ran.launcher.overlap.load(Ordering::SeqCst),
        "learner and auditor were runnable together"
    );
    assert!(ran.events.iter().any(|event| matches!(event, Event::Step(_))));
}

#[test]
fn a_pass_has_as_many_steps_as_the_learner_was_promised() {
    for documents in [1, 2, 3, 150] {
        let text = Text::new(documents);
        // The shortest text is less than one step.
        let ran = run(&text, Cheat::Honest, 1, |r| r.stream.max_step_ppm = 10_000_000);
        let (record, _) = ran.result.unwrap();
        let promised = ran.events.iter().find_map(|event| match event {
            Event::Opened { batches, .. } => Some(*batches),
            _ => None,
        });
        let targets = text.totals().targets;
        assert_eq!(promised, Some(targets.div_ceil(4 * 24)));
        assert_eq!((record.ended, Some(record.steps)), (Reason::EndOfData, promised));
        assert_eq!(record.measured.targets, targets);
        assert_eq!(record.measured.completed_documents, documents);
    }
}

#[test]
fn no_question_ever_holds_its_target_or_anything_after_it() {
    let ran = run(&text(), Cheat::Honest, 1, |_| {});
    let questions = ran.launcher.questions.lock().unwrap();
    assert!(questions.len() > 200);
    for (_, column, row) in questions.iter() {
        assert!(
            row[*column as usize + 1..]
                .iter()
                .all(|&token| token == EOT.cast_signed())
        );
    }
}

#[test]
fn the_same_run_gives_the_same_record_and_another_key_another_sample() {
    let (a, b, c) = (honest(1), honest(1), honest(2));
    assert_eq!(a.0.to_json().unwrap(), b.0.to_json().unwrap());
    assert_eq!(a.1, b.1);
    assert_ne!(a.0.audits, c.0.audits);
    assert!(
        (a.0.verdict.bpb - c.0.verdict.bpb).abs() < 1e-4,
        "an honest score does not depend on the key"
    );
}

#[test]
fn a_record_without_a_vocabulary_is_refused() {
    let (mut record, _) = honest(1);
    record.tokenizer.vocab_size = 0;
    let read = Record::from_json(&record.to_json().unwrap());
    assert!(matches!(read, Err(VerifyError::NoVocabulary)), "{read:?}");
}

#[test]
fn a_record_verifies_and_a_changed_one_does_not() {
    let (record, targets) = honest(1);
    let hash = Sha256Hash::of(&targets);
    let read_back = Record::from_json(&record.to_json().unwrap()).unwrap();
    assert_eq!(read_back, record);
    assert_eq!(
        verify(&read_back, targets.as_slice(), hash).unwrap(),
        record.verdict
    );

    let tamper = |change: &dyn Fn(&mut Record)| {
        let mut record = record.clone();
        change(&mut record);
        let error = verify(&record, targets.as_slice(), hash).unwrap_err();
        assert!(
            matches!(error, VerifyError::Mismatch { .. } | VerifyError::NotCompleted(_)),
            "{error}"
        );
    };
    tamper(&|r| {
        let Standing::Ranked { final_score, .. } = &mut r.verdict.standing else {
            panic!("{:?}", r.verdict.standing);
        };
        *final_score = f64::from_bits(final_score.to_bits() + 1);
    });
    tamper(&|r| r.verdict.standing = Standing::NoRank(NoRank::ClaimsUntrue));
    tamper(&|r| r.measured.difference_rms_nats = 0.0);
    tamper(&|r| r.verdict.bpb = f64::from_bits(r.verdict.bpb.to_bits() - 1));
    tamper(&|r| r.audits[5].nats = f64::from_bits(r.audits[5].nats.to_bits() - 1));
    tamper(&|r| _ = r.audits.remove(3));
    tamper(&|r| _ = r.audits.pop());
    tamper(&|r| r.step0[0].nats += 1.0);
    tamper(&|r| r.step0[0].target += 1);
    tamper(&|r| r.repeats[0].again_nats += 0.5);
    tamper(&|r| r.repeats[0].first_nats = f64::NAN);
    tamper(&|r| r.repeats[0].target += 1);
    tamper(&|r| _ = r.repeats.pop());
    tamper(&|r| r.steps += 1);
    tamper(&|r| r.stream.bytes -= 1);
    tamper(&|r| r.bundle_bits += 8);
    tamper(&|r| r.recipe.audit.rate_per_byte = 0.06);
    tamper(&|r| r.audit_key = "00".repeat(32));
    tamper(&|r| r.audit_key_commitment = hash);
    tamper(&|r| r.heldout = None);
    tamper(&|r| r.heldout.as_mut().unwrap().measured.val_trained.nats *= 0.5);
    tamper(&|r| r.ended = Reason::TrainException);
    tamper(&|r| r.verdict.flags.push(Flag::Memorization));

    let mut broken = targets.clone();
    broken[100] ^= 1;
    assert!(verify(&record, broken.as_slice(), Sha256Hash::of(&broken)).is_err());
    let short = &targets[..targets.len() - 9];
    assert!(
        verify(&record, short, hash).is_err(),
        "a truncated file is noticed even with a forged hash"
    );
}

#[test]
fn lies_cost_their_noise_and_gain_nothing() {
    let text = text();
    let truth = honest(1).0;
    let cheats = [
        Cheat::ZeroClaims,
        Cheat::NanClaims,
        Cheat::HalfClaims,
        Cheat::LateSnapshot,
    ];
    // A liar's estimate is noisy; its spread over many keys is what the example `coverage` measures.
    for (cheat, key) in cheats
        .into_iter()
        .flat_map(|cheat| [2, 3, 4].map(|key| (cheat, key)))
    {
        let (record, _) = run(&text, cheat, key, |_| {}).result.unwrap();
        let case = format!("{cheat:?} under key {key}");
        for flag in [Flag::ClaimsDiffer, Flag::ClaimsUntrue] {
            assert!(record.verdict.flags.contains(&flag), "{case}");
        }
        assert_eq!(
            record.verdict.standing,
            Standing::NoRank(NoRank::ClaimsUntrue),
            "{case}"
        );
        let off = (record.verdict.bpb - truth.verdict.bpb).abs();
        assert!(
            off < 3.0 * record.verdict.bpb_se,
            "{case}: {off} against {}",
            record.verdict.bpb_se
        );
        assert!(
            (record.measured.claimed_nats - truth.measured.nats).abs() > 100.0,
            "{case} did lie"
        );
    }
}

#[test]
fn a_rank_needs_claims_that_were_found_true() {
    let standing = |cheat, change: fn(&mut prism_core::recipe::Recipe)| {
        let (record, targets) = run(&text(), cheat, 1, change).result.unwrap();
        let verified = verify(&record, targets.as_slice(), Sha256Hash::of(&targets)).unwrap();
        assert_eq!(verified.standing, record.verdict.standing);
        assert!(
            record.verdict.bpb.is_finite(),
            "the estimate is shown in any case"
        );
        (record.verdict.standing, record.measured.difference_rms_nats)
    };
    let (honest, rms_nats) = standing(Cheat::Honest, |_| {});
    assert!(
        honest.bpb_ranked().is_some() && rms_nats < 1e-6,
        "{honest:?} {rms_nats}"
    );
    // Where the bound lies above the lie, the run is ranked: the bound alone decides.
    let (lies, rms_nats) = standing(Cheat::HalfClaims, |_| {});
    assert_eq!(lies, Standing::NoRank(NoRank::ClaimsUntrue));
    assert!((0.5..4.0).contains(&rms_nats), "{rms_nats}");
    let (loose, _) = standing(Cheat::HalfClaims, |r| r.score.claims_rms_nats = 4.0);
    assert!(loose.bpb_ranked().is_some() && loose.final_score().is_some());
    // Nothing audited is no evidence, whatever is claimed.
    let (unknown, _) = standing(Cheat::Honest, |r| r.audit.rate_per_byte = 1e-12);
    assert_eq!(unknown, Standing::NoRank(NoRank::NoAudits));
}

#[test]
fn an_auditor_that_answers_nonsense_is_charged_as_uniform() {
    let text = text();
    for cheat in [Cheat::AuditorNan, Cheat::AuditorWide] {
        let (record, targets) = run(&text, cheat, 1, |_| {}).result.unwrap();
        assert!(record.verdict.flags.contains(&Flag::InvalidLogits), "{cheat:?}");
        assert!(record.audits.iter().all(|audit| !audit.valid));
        assert!(record.verdict.bpb > honest(1).0.verdict.bpb);
        verify(&record, targets.as_slice(), Sha256Hash::of(&targets)).unwrap();
    }
}

#[test]
fn every_breach_of_the_protocol_fails_the_run_by_name() {
    let text = text();
    for (cheat, reason) in [
        (Cheat::SkipClaims, Reason::ClaimsMissing),
        (Cheat::ReadyTwice, Reason::ClaimsMissing),
        (Cheat::WrongStep, Reason::ProtocolViolation),
        (Cheat::ShortClaims, Reason::ProtocolViolation),
        (Cheat::TrailingByte, Reason::ProtocolViolation),
        (Cheat::UnknownKind, Reason::ProtocolViolation),
        (Cheat::HugeFrame, Reason::ProtocolViolation),
        (Cheat::ForgedResume, Reason::ProtocolViolation),
        (Cheat::OtherLayout, Reason::SnapshotMismatch),
        (Cheat::AuditorOtherLayout, Reason::SnapshotMismatch),
        (Cheat::AuditorWrongId, Reason::ProtocolViolation),
        (Cheat::AuditorDies, Reason::KilledBySignal),
        (Cheat::Exit, Reason::LearnerExited),
        (Cheat::HugeBatch, Reason::BatchShape),
        (Cheat::AuditorLearns, Reason::AnswersDiffer),
        (Cheat::DiesAsItIsFrozen, Reason::LearnerExited),
        (Cheat::NeverStands, Reason::ProtocolViolation),
    ] {
        let failure = run(&text, cheat, 1, |_| {}).result.map(|_| ()).unwrap_err();
        assert_eq!(failure.reason, reason, "{cheat:?}: {}", failure.detail);
    }
}

#[test]
fn who_never_falls_silent_does_not_outlive_a_limit() {
    let text = text();
    let failure = run(&text, Cheat::AuditorChatters, 1, |r| {
        r.sandbox.question_seconds = 1;
    })
    .result
    .map(|_| ())
    .unwrap_err();
    assert_eq!(failure.reason, Reason::AuditorTimeout);
    let failure = run(&text, Cheat::ClaimantDawdles, 1, |r| {
        r.budget.time_limit_seconds = 3;
        r.sandbox.startup_seconds = 3;
    })
    .result
    .map(|_| ())
    .unwrap_err();
    assert_eq!(
        failure.reason,
        Reason::AuditorTimeout,
        "each answer alone was in time"
    );
    assert!(failure.detail.contains("claimant"), "{}", failure.detail);
    let (record, _) = run(&text, Cheat::LearnerChatters, 1, |r| {
        r.budget.time_limit_seconds = 2;
    })
    .result
    .unwrap();
    assert_eq!((record.ended, record.steps), (Reason::TimeLimit, 2));
}

#[test]
fn a_second_process_is_asked_again_in_the_order_of_the_stream() {
    let ran = run(&text(), Cheat::Honest, 1, |_| {});
    let (record, _) = ran.result.unwrap();
    assert_eq!(record.repeats.len(), 8);
    assert!(
        record
            .repeats
            .iter()
            .all(|repeat| repeat.first_nats == repeat.again_nats)
    );
    assert_eq!(
        ran.launcher.launched,
        [
            Party::Learner,
            Party::Auditor,
            Party::Replay,
            Party::Claimant,
            Party::HeldOutAuditor,
            Party::KeptAuditor,
        ]
    );
    // A run that ends early is asked about what it has read.
    let (some, targets) = run(&text(), Cheat::Honest, 1, |r| r.budget.max_steps = Some(60))
        .result
        .unwrap();
    assert!(
        !some.repeats.is_empty() && some.repeats.len() < 8,
        "{:?}",
        some.repeats
    );
    verify(&some, targets.as_slice(), Sha256Hash::of(&targets)).unwrap();
}

#[test]
fn who_answers_is_sealed_before_there_is_text_and_runs_only_when_nobody_else_does() {
    let ran = run(&text(), Cheat::Honest, 1, |_| {});
    ran.result.unwrap();
    let acts = ran.launcher.acts.lock().unwrap();
    let first = |party, act| {
        acts.iter()
            .position(|done| *done == (party, act))
            .unwrap_or_else(|| panic!("{party:?} was never {act:?}"))
    };
    let count = |party, act| acts.iter().filter(|done| **done == (party, act)).count();
    let first_batch = first(Party::Learner, Act::GotText);
    for party in [Party::Auditor, Party::Replay] {
        assert!(first(party, Act::Sealed) < first(party, Act::Frozen), "{party:?}");
        assert!(first(party, Act::Frozen) < first_batch, "{party:?}");
        assert!(first(party, Act::Thawed) > first_batch, "{party:?}");
    }
    assert_eq!(count(Party::Replay, Act::Thawed), 1);
    for party in [Party::Learner, Party::Auditor] {
        assert!(
            first(party, Act::Killed) < first(Party::Replay, Act::Thawed),
            "{party:?}"
        );
    }
    for party in [Party::Claimant, Party::HeldOutAuditor, Party::KeptAuditor] {
        assert!(
            first(party, Act::Launched) > first(Party::Replay, Act::Killed),
            "{party:?}"
        );
        assert!(first(party, Act::Sealed) < first(party, Act::Thawed), "{party:?}");
    }
    for party in [Party::HeldOutAuditor, Party::KeptAuditor] {
        assert!(
            first(Party::Claimant, Act::Killed) < first(party, Act::Thawed),
            "{party:?}"
        );
    }
    assert_eq!(count(Party::Learner, Act::Sealed), 0);
}

#[test]
fn who_holds_secret_text_cannot_tell_it_by_how_it_fails() {
    for cheat in [Cheat::ScoresShort, Cheat::ClaimantExits, Cheat::ClaimantFails] {
        let failure = run(&text(), cheat, 1, |_| {}).result.map(|_| ()).unwrap_err();
        assert_eq!(failure.reason.fault(), Some(Fault::Miner), "{cheat:?}");
        assert_eq!(failure.traceback, None, "{cheat:?}");
        for told in ["77", "secret", "SCORES", "2 bytes"] {
            assert!(!failure.detail.contains(told), "{cheat:?}: {}", failure.detail);
        }
    }
}

#[test]
fn what_is_not_read_costs_eight_bits_a_byte() {
    let text = text();
    let (nothing, _) = run(&text, Cheat::DoneAtOnce, 1, |_| {}).result.unwrap();
    assert_eq!(nothing.ended, Reason::EarlyReturn);
    assert_eq!(nothing.verdict.bpb, 8.0);
    assert!(nothing.heldout.is_none() && nothing.model.is_none());

    let (some, targets) = run(&text, Cheat::DoneInTheMiddle, 1, |_| {}).result.unwrap();
    assert_eq!((some.ended, some.steps), (Reason::EarlyReturn, 3));
    assert!(some.verdict.bpb > 7.0 && some.verdict.bpb < 8.0);
    verify(&some, targets.as_slice(), Sha256Hash::of(&targets)).unwrap();

    // A loop over `range(len(stream))` reads all and never asks for one batch more.
    let (counted, targets) = run(&text, Cheat::DoneAfterTheLast, 1, |_| {}).result.unwrap();
    let (whole, _) = run(&text, Cheat::Honest, 1, |_| {}).result.unwrap();
    assert_eq!((counted.ended, counted.steps), (Reason::EndOfData, whole.steps));
    assert_eq!(counted.verdict.bpb, whole.verdict.bpb);
    verify(&counted, targets.as_slice(), Sha256Hash::of(&targets)).unwrap();

    let (budget, _) = run(&text, Cheat::Honest, 1, |r| r.budget.max_steps = Some(5))
        .result
        .unwrap();
    assert_eq!((budget.ended, budget.steps), (Reason::StepBudget, 5));
    let (tokens, _) = run(&text, Cheat::Honest, 1, |r| r.budget.max_tokens = Some(200))
        .result
        .unwrap();
    assert_eq!((tokens.ended, tokens.steps), (Reason::TokenBudget, 3));
    assert_eq!(
        tokens.verdict.unread_bytes,
        text.totals().bytes - tokens.measured.bytes
    );
}

#[test]
fn caps_are_counted_by_the_referee() {
    let text = text();
    let fail = |change: fn(&mut prism_core::recipe::Recipe)| {
        run(&text, Cheat::Honest, 1, change)
            .result
            .map(|_| ())
            .unwrap_err()
            .reason
    };
    assert_eq!(fail(|r| r.caps.max_params = 17 * 17 - 1), Reason::ParameterCap);
    assert_eq!(
        fail(|r| r.caps.max_snapshot_bytes = 4 * 17 * 17 - 1),
        Reason::SnapshotCap
    );
    assert!(
        run(&text, Cheat::Honest, 1, |r| r.caps.max_params = 17 * 17)
            .result
            .is_ok()
    );
    assert!(
        run(&text, Cheat::Honest, 1, |r| r.caps.max_snapshot_bytes =
            4 * 17 * 17)
        .result
        .is_ok()
    );
}
