//! Held-out measurements: which weights and which text the memorisation gap is measured on, and what noise earns.

use prism_core::{hash::Sha256Hash, outcome::Reason, recipe::Recipe};
use prism_referee::{
    draws::AuditKey,
    kept,
    party::Party,
    record::{Record, VerifyError, verify},
    targets::{Block, Section, TargetsReader},
    verdict::{Flag, KeptMeasured},
};

use crate::sessions::{Text, run};
use crate::threads::Cheat;

fn text() -> Text {
    Text::new(150)
}

fn measure(cheat: Cheat, key: u8, change: impl FnOnce(&mut Recipe)) -> (Record, Vec<u8>) {
    let (record, targets) = run(&text(), cheat, key, change).result.unwrap();
    let verified = verify(&record, targets.as_slice(), Sha256Hash::of(&targets)).unwrap();
    assert_eq!(verified, record.verdict);
    (record, targets)
}

fn kept_of(record: &Record) -> KeptMeasured {
    record.heldout.as_ref().unwrap().measured.kept.unwrap()
}

/// The documents of a section in the order of its rows, each once; and, of the stream, which ended before a step.
fn documents(targets: &[u8], section: Section, before: u64) -> (Vec<u64>, Vec<u64>) {
    let mut reader = TargetsReader::new(targets).unwrap();
    let (mut of_section, mut ended, mut step) = (Vec::new(), Vec::new(), 0);
    while let Some(block) = reader.next_block().unwrap() {
        let Block::Step {
            section: found, runs, ..
        } = block
        else {
            continue;
        };
        if found == Section::Stream {
            let ends = runs.iter().filter(|run| run.completes && step < before);
            ended.extend(ends.map(|run| run.document));
            step += 1;
        }
        if found == section {
            of_section.extend(runs.iter().map(|run| run.document));
        }
    }
    of_section.sort_unstable();
    of_section.dedup();
    (of_section, ended)
}

#[test]
fn the_gap_is_measured_under_a_snapshot_of_the_last_tenth_and_the_text_it_had_just_read() {
    let mut steps_drawn = Vec::new();
    for key in [1, 2, 3] {
        let (record, targets) = measure(Cheat::Honest, key, |_| {});
        let kept = kept_of(&record);
        assert_eq!(
            Some(kept.step),
            kept::drawn(&AuditKey::new([key; 32]), record.steps)
        );
        assert!(kept.step < record.steps && kept.step >= record.steps - record.steps.div_ceil(10));
        // A run that ends right there leaves the same weights at its end.
        let (short, _) = measure(Cheat::Honest, 9, |r| r.budget.max_steps = Some(kept.step));
        let left = short.heldout.as_ref().unwrap().measured.val_trained;
        assert_eq!(kept.val.claimed_nats, left.claimed_nats);
        assert_ne!(
            kept.val.claimed_nats,
            record.heldout.as_ref().unwrap().measured.val_trained.claimed_nats
        );
        // Its train text is what was read to its end before, from the newest on, and as long as the held-out text.
        let (chosen, ended) = documents(&targets, Section::TrainKept, kept.step);
        let mut newest = ended[ended.len() - chosen.len()..].to_vec();
        newest.sort_unstable();
        assert_eq!(chosen, newest);
        assert!(kept.train.bytes >= kept.val.bytes && kept.train.bytes < kept.val.bytes + 200);
        steps_drawn.push(kept.step);
    }
    steps_drawn.dedup();
    assert!(steps_drawn.len() > 1, "the key decides: {steps_drawn:?}");
}

#[test]
fn the_drawn_step_is_of_the_last_tenth_however_the_run_ends() {
    for (cheat, max_steps, ended) in [
        (Cheat::Honest, Some(60), Reason::StepBudget),
        (Cheat::Honest, Some(8), Reason::StepBudget),
        (Cheat::DoneInTheMiddle, None, Reason::EarlyReturn),
    ] {
        let (record, _) = measure(cheat, 1, |r| r.budget.max_steps = max_steps);
        assert_eq!(record.ended, ended);
        let kept = kept_of(&record);
        let window = record.steps.div_ceil(10);
        assert!(
            kept.step < record.steps && kept.step >= record.steps - window,
            "{kept:?}"
        );
    }
    // Before the first step nothing was read that could have been memorised.
    let (brief, _) = measure(Cheat::Honest, 1, |r| r.budget.max_steps = Some(1));
    assert_eq!(brief.steps, 1);
    assert!(brief.heldout.unwrap().measured.kept.is_none());
}

#[test]
fn weights_that_are_emptied_at_the_end_hide_nothing() {
    let (honest, _) = measure(Cheat::Honest, 1, |_| {});
    let (emptied, _) = measure(Cheat::EmptiesAtEnd, 1, |_| {});
    assert_eq!(kept_of(&emptied), kept_of(&honest));
    assert_eq!(emptied.verdict.gap_bpb, honest.verdict.gap_bpb);
    // What is left knows nothing, and so its owner has nothing of what it learned.
    assert!(honest.verdict.heldout_delta_lower_bpb > 0.5);
    assert!(emptied.verdict.heldout_delta_lower_bpb < 1e-6);
    assert!(emptied.verdict.standing.final_score() < honest.verdict.standing.final_score());
}

#[test]
fn a_claimant_that_lies_earns_less_than_one_that_does_not() {
    let (honest, _) = measure(Cheat::Honest, 1, |_| {});
    assert!(!honest.verdict.flags.contains(&Flag::Memorization));
    for (cheat, key) in [Cheat::ClaimantZero, Cheat::ClaimantLiesToOne]
        .into_iter()
        .flat_map(|cheat| [1, 2, 3, 4].map(|key| (cheat, key)))
    {
        let (lying, _) = measure(cheat, key, |_| {});
        let case = format!("{cheat:?} under key {key}: {:?}", lying.verdict);
        assert!(lying.verdict.flags.contains(&Flag::Memorization), "{case}");
        assert!(lying.verdict.heldout_delta_lower_bpb <= 0.0, "{case}");
        assert!(
            lying.verdict.standing.final_score() < honest.verdict.standing.final_score(),
            "{case}"
        );
        assert!(
            lying.verdict.standing.no_rank().is_none(),
            "its stream was honest: {case}"
        );
    }
}

#[test]
fn nobody_is_asked_about_the_same_secret_text_under_two_trained_weights() {
    let ran = run(&text(), Cheat::Honest, 1, |_| {});
    ran.result.unwrap();
    for party in [Party::HeldOutAuditor, Party::KeptAuditor] {
        let launched = ran.launcher.launched.iter().filter(|&&who| who == party);
        assert_eq!(launched.count(), 1, "{party:?}");
    }
    let without = run(&text(), Cheat::Honest, 1, |r| r.heldout.gap_bytes = 0);
    let (record, _) = without.result.unwrap();
    assert!(record.heldout.unwrap().measured.kept.is_none());
    assert_eq!(record.verdict.gap_bpb, None);
}

#[test]
fn a_record_with_another_kept_snapshot_does_not_verify() {
    let (record, targets) = run(&text(), Cheat::Honest, 1, |_| {}).result.unwrap();
    let tamper = |change: &dyn Fn(&mut Record)| {
        let mut record = record.clone();
        change(&mut record);
        let error = verify(&record, targets.as_slice(), Sha256Hash::of(&targets)).unwrap_err();
        assert!(matches!(error, VerifyError::Mismatch { .. }), "{error}");
        error.to_string()
    };
    let kept = |record: &mut Record, change: fn(&mut KeptMeasured)| {
        change(record.heldout.as_mut().unwrap().measured.kept.as_mut().unwrap());
    };
    assert!(tamper(&|r| kept(r, |k| k.step -= 1)).contains("the step of the kept snapshot"));
    tamper(&|r| kept(r, |k| k.val.nats *= 0.5));
    tamper(&|r| kept(r, |k| k.train.se_nats = 0.5));
    tamper(&|r| r.heldout.as_mut().unwrap().measured.kept = None);
    tamper(&|r| _ = r.heldout.as_mut().unwrap().val_kept.pop());
    tamper(&|r| _ = r.heldout.as_mut().unwrap().train_kept.pop());
    tamper(&|r| r.verdict.gap_upper_bpb = Some(0.0));
    tamper(&|r| r.verdict.heldout_delta_lower_bpb += 0.1);
}
