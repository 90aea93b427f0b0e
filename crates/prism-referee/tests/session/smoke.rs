//! Trials against threads that speak the protocol, honestly or not.

use std::time::Duration;

use prism_core::{outcome::Reason, recipe::Recipe};
use prism_referee::{
    connection::Cancel,
    party::Party,
    plan::Terms,
    smoke::{self, Dependence, Importing, Patience, Point, Stopped, Tried},
};

use crate::sessions::{Text, paths, recipe, tokenizer};
use crate::threads::{Cheat, Threads, VOCAB};

const PATIENCE: Patience = Patience {
    start: Duration::from_secs(20),
    build: Duration::from_secs(20),
    answer: Duration::from_secs(20),
};

/// Hands on what a trial needs.
fn with_terms<T>(recipe: &Recipe, then: impl FnOnce(&Terms<'_>) -> T) -> T {
    then(&Terms {
        recipe,
        seed: 1,
        tokenizer: &tokenizer(),
        totals: &Text::new(3).totals(),
        paths: &paths(),
    })
}

/// Makes one trial.
fn try_out(cheat: Cheat, change: impl FnOnce(&mut Recipe)) -> Result<Tried, Box<Stopped>> {
    let mut recipe = recipe();
    change(&mut recipe);
    let mut launcher = Threads::new(cheat);
    let result = with_terms(&recipe, |terms| {
        smoke::run(terms, &mut launcher, 24, &PATIENCE, &Cancel::new())
    });
    assert_eq!(launcher.launched, [Party::Smoke]);
    result
}

#[test]
fn an_honest_model_is_laid_out_and_repeats_itself() {
    for cheat in [Cheat::Honest, Cheat::ScoresNan, Cheat::DiesWhenShaken] {
        let tried = try_out(cheat, |_| {}).unwrap();
        assert_eq!(tried.layout.parameters(), u64::from(VOCAB * VOCAB), "{cheat:?}");
        assert!(tried.repeats, "{cheat:?}");
        assert!(tried.two_rows.is_none(), "{cheat:?}");
        assert_eq!(tried.moved, [], "{cheat:?}");
        let invalid = if cheat == Cheat::ScoresNan { 24 } else { 0 };
        assert_eq!(tried.invalid_positions, invalid, "{cheat:?}");
    }
}

#[test]
fn what_an_auditor_does_not_see_must_not_move_a_prediction() {
    // Their table starts at zero: only other weights than those of the start show the first two.
    for (cheat, on) in [
        (Cheat::LooksAhead, Dependence::LaterTokens),
        (Cheat::MixesRows, Dependence::OtherRows),
        (Cheat::CountsRows, Dependence::BatchSize),
        (Cheat::TrainsOtherwise, Dependence::TrainMode),
    ] {
        let tried = try_out(cheat, |_| {}).unwrap();
        assert!(tried.repeats && tried.two_rows.is_none(), "{cheat:?}");
        let found: Vec<_> = tried.moved.iter().map(|moved| moved.on).collect();
        assert_eq!(found, [on], "{cheat:?}");
        assert!(tried.moved[0].rms_nats > 0.01, "{:?}", tried.moved);
        // Less than what a run puts up with is nothing to tell.
        let tried = try_out(cheat, |recipe| recipe.score.claims_rms_nats = 100.0).unwrap();
        assert_eq!(tried.moved, [], "{cheat:?}");
    }
}

#[test]
fn the_training_script_is_imported_and_never_called() {
    let import = |cheat| {
        let mut launcher = Threads::new(cheat);
        let importing = with_terms(&recipe(), |terms| {
            Importing::start(terms, &mut launcher, &Cancel::new()).unwrap()
        });
        assert_eq!(launcher.launched, [Party::SmokeLearner]);
        importing.finish(&PATIENCE)
    };
    assert!(import(Cheat::Honest).is_ok());
    let stopped = import(Cheat::FailsInImport).unwrap_err();
    assert_eq!(
        (stopped.point, stopped.failure.reason),
        (Point::Import, Reason::TrainingImport)
    );
    assert_eq!(stopped.failed.unwrap().message, "no parent package");
    let stopped = import(Cheat::Exit).unwrap_err();
    assert_eq!(
        (stopped.point, stopped.failure.reason),
        (Point::Import, Reason::LearnerExited)
    );
}

#[test]
fn answers_that_drift_are_noticed_with_either_weights() {
    for cheat in [Cheat::ScoresDrift, Cheat::ScoresDriftWhenShaken] {
        let tried = try_out(cheat, |_| {}).unwrap();
        assert!(!tried.repeats, "{cheat:?}");
    }
}

#[test]
fn a_model_for_one_row_is_told_apart_from_one_that_does_not_work() {
    let tried = try_out(Cheat::DiesOfTwoRows, |_| {}).unwrap();
    assert!(tried.repeats);
    let two_rows = tried.two_rows.unwrap();
    assert_eq!(two_rows.point, Point::TwoRows);
    assert_eq!(two_rows.failure.reason, Reason::KilledBySignal);
}

#[test]
fn every_breach_stops_a_trial_by_name_where_it_happens() {
    for (cheat, point, reason) in [
        (Cheat::Mute, Point::Start, Reason::AuditorDied),
        (Cheat::OtherRole, Point::Start, Reason::ProtocolViolation),
        (
            Cheat::FailsInBuild("exception"),
            Point::Build,
            Reason::BuildModelException,
        ),
        (Cheat::ScoresShort, Point::OneRow, Reason::ProtocolViolation),
    ] {
        let stopped = try_out(cheat, |_| {}).map(|_| ()).unwrap_err();
        let found = (stopped.point, stopped.failure.reason);
        assert_eq!(found, (point, reason), "{cheat:?}: {}", stopped.failure.detail);
        assert_eq!(stopped.failed.is_some(), matches!(cheat, Cheat::FailsInBuild(_)));
        assert_eq!(stopped.layout.is_some(), point == Point::OneRow);
    }
}

/// Those of `prism_runtime.errors.Reason` that do not depend on the phase.
#[test]
fn each_reason_that_a_worker_gives_has_its_own_name() {
    for reason in [
        Reason::OutOfMemory,
        Reason::ArtifactQuota,
        Reason::ClaimsMissing,
        Reason::LogitsShape,
        Reason::BatchShape,
        Reason::TokenizerMismatch,
        Reason::NotAModule,
        Reason::SnapshotChanged,
        Reason::ParameterCap,
        Reason::SnapshotCap,
        Reason::SnapshotDtype,
        Reason::Contract,
    ] {
        let stopped = try_out(Cheat::FailsInBuild(reason.code()), |_| ())
            .map(|_| ())
            .unwrap_err();
        assert_eq!(stopped.failure.reason, reason);
    }
    let stopped = try_out(Cheat::FailsInBuild("honesty"), |_| ())
        .map(|_| ())
        .unwrap_err();
    assert_eq!(stopped.failure.reason, Reason::ProtocolViolation);
}

#[test]
fn caps_are_counted_by_the_referee() {
    let cells = u64::from(VOCAB * VOCAB);
    let stopped = try_out(Cheat::Honest, |r| r.caps.max_params = cells - 1)
        .map(|_| ())
        .unwrap_err();
    assert_eq!(stopped.failure.reason, Reason::ParameterCap);
    assert_eq!(stopped.layout.unwrap().parameters(), cells);
    let stopped = try_out(Cheat::Honest, |r| r.caps.max_snapshot_bytes = 4 * cells - 1)
        .map(|_| ())
        .unwrap_err();
    assert_eq!(stopped.failure.reason, Reason::SnapshotCap);
    assert!(try_out(Cheat::Honest, |r| r.caps.max_params = cells).is_ok());
}
