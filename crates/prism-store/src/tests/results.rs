//! Results: the worse of two measurements counts, nothing is changed afterwards, and what is withdrawn is gone from the
//! board.

use prism_core::{
    outcome::{Reason, Status},
    rank::{NoRank, Standing},
    submission::{Actor, Position, Stage},
};

use super::fixture::{Fixture, T0, finish, result, step};
use crate::{
    StoreError,
    attempts::{Kind, Of},
    events,
    results::{self, NewResult, Scope, Sharing},
    submissions::{self, Step},
};

const COMPLETED: Position = Position::Ended(Status::Completed);
const CONFIRMING: Position = Position::Pending(Stage::Confirming);

/// Uploads, runs, and waits to be confirmed with a score.
fn provisional(f: &Fixture, final_score: f64) -> (String, i64) {
    let id = f.queued("alice", "bundle");
    let attempt = f.run(Of::Main(id.clone()));
    let result = f
        .store
        .write({
            let id = id.clone();
            move |tx| finish(tx, &id, &attempt, final_score, CONFIRMING)
        })
        .unwrap();
    (id, result)
}

fn board(f: &Fixture) -> Vec<results::Scored> {
    f.store
        .read(|tx| results::scored(tx, &Scope::Round(f.round_id())))
        .unwrap()
}

#[test]
fn a_result_reads_back_as_it_was_stored() {
    let f = Fixture::new();
    let (id, _) = f.completed("alice", "bundle", 0.5);
    let stored = f.store.read(|tx| results::of(tx, &id)).unwrap().pop().unwrap();
    assert_eq!(stored.result, result(0.5));
    assert_eq!(
        (stored.kind, stored.submission.as_ref(), stored.rescored_from),
        (Kind::Main, Some(&id), None)
    );
    let scored = board(&f).pop().unwrap();
    assert_eq!(
        (
            scored.submission.as_ref(),
            scored.hotkey.as_str(),
            scored.provisional
        ),
        (id.as_str(), "alice", false)
    );
    assert_eq!(Some(&scored.score), f.get(&id).score.as_ref());
    assert_eq!(scored.score.standing, result(0.5).standing);
}

#[test]
fn files_of_a_result_must_be_there() {
    let f = Fixture::new();
    let id = f.queued("alice", "bundle");
    let attempt = f.run(Of::Main(id));
    let mut new = result(0.5);
    let record = f.blob("record");
    new.files.record = Some(record);
    new.files.targets = Some(prism_core::hash::Sha256Hash::of(b"nowhere"));
    let before = f.dump();
    let store = |new: NewResult| {
        let attempt = attempt.clone();
        f.store.write(move |tx| {
            let end = super::fixture::end(Reason::EndOfData);
            assert_eq!(
                crate::attempts::ended(tx, attempt.id, &attempt.nonce, &end, T0)?,
                crate::attempts::Taken::Taken
            );
            results::store(tx, attempt.id, &new, T0)
        })
    };
    assert!(matches!(store(new.clone()), Err(StoreError::BlobMissing(_))));
    assert_eq!(f.dump(), before);
    for bad in [
        NewResult {
            bpb: f64::NAN,
            ..result(0.5)
        },
        NewResult {
            bpb_se: f64::INFINITY,
            ..result(0.5)
        },
        NewResult {
            claims_rms_nats: Some(f64::NAN),
            ..result(0.5)
        },
        NewResult {
            compute_json: "no".to_owned(),
            ..result(0.5)
        },
        NewResult {
            standing: Standing::Ranked {
                bpb_ranked: 1.0,
                final_score: f64::NAN,
            },
            ..result(0.5)
        },
    ] {
        assert!(store(bad.clone()).is_err(), "{bad:?}");
        assert_eq!(f.dump(), before);
    }
    new.files.targets = Some(f.blob("targets"));
    let id = store(new.clone()).unwrap();
    assert_eq!(
        f.store.read(|tx| results::get_result(tx, id)).unwrap().result,
        new
    );
}

#[test]
fn the_worse_of_two_measurements_counts() {
    // Score of the confirmation, what its step says counts, and what then counts.
    for (second, says, counts) in [(0.4, true, 0.4), (0.6, false, 0.5), (0.5, true, 0.5)] {
        let f = Fixture::new();
        let (id, first) = provisional(&f, 0.5);
        let waiting = f.get(&id);
        assert!(waiting.is_provisional() && waiting.score.as_ref().unwrap().result_id == first);
        assert!(board(&f)[0].provisional);
        let attempt = f.run(Of::Confirm(id.clone()));
        assert_eq!((attempt.kind, attempt.number), (Kind::Confirm, 2));
        let end = |counts_second: bool| {
            let (id, attempt) = (id.clone(), attempt.clone());
            f.store.write(move |tx| {
                let end = super::fixture::end(Reason::EndOfData);
                assert_eq!(
                    crate::attempts::ended(tx, attempt.id, &attempt.nonce, &end, T0)?,
                    crate::attempts::Taken::Taken
                );
                let new = results::store(tx, attempt.id, &result(second), T0)?;
                let counts = counts_second.then_some(new);
                submissions::step(
                    tx,
                    &id,
                    &Step {
                        counts,
                        ..Step::new(COMPLETED, Actor::Pipeline, "confirmed")
                    },
                    T0,
                )
            })
        };
        if !says {
            let before = f.dump();
            assert!(
                matches!(end(true), Err(StoreError::NotAllowed(_))),
                "the better one must not count"
            );
            assert_eq!(f.dump(), before);
        }
        end(says).unwrap();
        let found = f.get(&id);
        assert_eq!(found.score.unwrap().standing.final_score(), Some(counts));
        assert_eq!((board(&f).len(), board(&f)[0].provisional), (1, false));
        assert_eq!(f.store.read(|tx| results::of(tx, &id)).unwrap().len(), 2);
    }
}

#[test]
fn what_takes_no_rank_is_worse_than_every_score() {
    let f = Fixture::new();
    let (id, first) = provisional(&f, 0.5);
    let score = f.get(&id).score.unwrap();
    let none = results::Score {
        standing: Standing::NoRank(NoRank::ClaimsUntrue),
        ..score.clone()
    };
    assert!(none.is_worse_than(&score) && !score.is_worse_than(&none) && !none.is_worse_than(&none));
    let attempt = f.run(Of::Confirm(id.clone()));
    f.store
        .write({
            let id = id.clone();
            move |tx| {
                let end = super::fixture::end(Reason::EndOfData);
                assert_eq!(
                    crate::attempts::ended(tx, attempt.id, &attempt.nonce, &end, T0)?,
                    crate::attempts::Taken::Taken
                );
                let new = NewResult {
                    standing: Standing::NoRank(NoRank::ClaimsUntrue),
                    ..result(0.5)
                };
                let counts = Some(results::store(tx, attempt.id, &new, T0)?);
                submissions::step(
                    tx,
                    &id,
                    &Step {
                        counts,
                        ..Step::new(COMPLETED, Actor::Pipeline, "x")
                    },
                    T0,
                )
            }
        })
        .unwrap();
    let found = f.get(&id).score.unwrap();
    assert_eq!(found.standing, Standing::NoRank(NoRank::ClaimsUntrue));
    // Nor can the first one come back afterwards.
    let back = f.store.write(move |tx| {
        let step = Step {
            counts: Some(first),
            ..Step::new(CONFIRMING, Actor::Pipeline, "x")
        };
        submissions::step(tx, &id, &step, T0)
    });
    assert!(matches!(back, Err(StoreError::NotAllowed(_))));
}

#[test]
fn a_score_is_of_the_submission_itself() {
    let f = Fixture::new();
    let (_, other) = f.completed("bob", "other", 0.9);
    let id = f.queued("alice", "bundle");
    f.run(Of::Main(id.clone()));
    f.step(&id, Position::Running(Stage::Scoring), Actor::Pipeline)
        .unwrap();
    let before = f.dump();
    for counts in [other, 99] {
        let id = id.clone();
        let stolen = f.store.write(move |tx| {
            submissions::step(
                tx,
                &id,
                &Step {
                    counts: Some(counts),
                    ..Step::new(COMPLETED, Actor::Pipeline, "x")
                },
                T0,
            )
        });
        assert!(stolen.is_err());
        assert_eq!(f.dump(), before);
    }
}

#[test]
fn what_is_invalidated_is_off_the_board_until_it_is_scored_or_run_again() {
    let f = Fixture::new();
    let (id, first) = f.completed("alice", "bundle", 0.5);
    let (other, _) = f.completed("bob", "other", 0.4);
    let invalidate = |id: &str| {
        let id = id.to_owned();
        f.store
            .write(move |tx| results::invalidate(tx, &id, "a fault of the engine", T0))
    };
    invalidate(&id).unwrap();
    let found = f.get(&id);
    assert_eq!(
        (found.position, found.score),
        (Position::Ended(Status::Invalidated), None)
    );
    assert_eq!(board(&f).len(), 1);
    let stored = f.store.read(|tx| results::of(tx, &id)).unwrap();
    assert_eq!(
        stored[0].invalidated,
        Some((T0, "a fault of the engine".to_owned()))
    );
    assert_eq!(stored[0].result, result(0.5), "its figures stay");
    let before = f.dump();
    assert!(matches!(invalidate(&id), Err(StoreError::IllegalStep(_))), "once");
    // The withdrawn result itself cannot count again.
    let again = |counts: i64| {
        let id = id.clone();
        f.store.write(move |tx| {
            submissions::step(
                tx,
                &id,
                &Step {
                    counts: Some(counts),
                    ..Step::new(COMPLETED, Actor::Operator, "x")
                },
                T0,
            )
        })
    };
    assert!(matches!(again(first), Err(StoreError::NotAllowed(_))));
    assert_eq!(f.dump(), before);
    // Its record scored again can.
    let rescored = f
        .store
        .write(move |tx| results::store_rescored(tx, first, &result(0.45), T0))
        .unwrap();
    again(rescored).unwrap();
    let found = f.get(&id).score.unwrap();
    assert_eq!(
        (found.result_id, found.standing.final_score()),
        (rescored, Some(0.45))
    );
    assert_eq!(
        f.store.read(|tx| results::of(tx, &id)).unwrap()[1].rescored_from,
        Some(first)
    );
    // Or it runs again.
    invalidate(&other).unwrap();
    f.step(&other, Position::Pending(Stage::Queued), Actor::Operator)
        .unwrap();
    let attempt = f.run(Of::Main(other.clone()));
    f.store
        .write({
            let other = other.clone();
            move |tx| finish(tx, &other, &attempt, 0.3, COMPLETED)
        })
        .unwrap();
    assert_eq!(f.get(&other).score.unwrap().standing.final_score(), Some(0.3));
    assert_eq!(board(&f).len(), 2);
}

#[test]
fn a_confirmation_can_be_invalidated_too() {
    for running in [false, true] {
        let f = Fixture::new();
        let (id, _) = provisional(&f, 0.5);
        if running {
            f.run(Of::Confirm(id.clone()));
        }
        f.store
            .write({
                let id = id.clone();
                move |tx| results::invalidate(tx, &id, "a fault", T0)
            })
            .unwrap();
        assert_eq!(f.get(&id).position, Position::Ended(Status::Invalidated));
        assert!(board(&f).is_empty());
        assert!(f.store.read(crate::attempts::live).unwrap().is_empty());
        let last = f
            .store
            .read(|tx| events::of(tx, &id, 0, 100))
            .unwrap()
            .pop()
            .unwrap();
        assert_eq!(
            (last.by, last.reason),
            (Actor::Operator, Some(Reason::Invalidated))
        );
    }
}

#[test]
fn what_shares_a_fault_is_found() {
    let f = Fixture::new();
    let (one, _) = f.completed("alice", "1", 0.5);
    let (two, _) = f.completed("bob", "2", 0.4);
    f.queued("carol", "3");
    let find = |sharing: &Sharing| f.store.read(|tx| results::sharing(tx, sharing)).unwrap();
    assert_eq!(find(&Sharing::default()), [one.clone(), two.clone()]);
    let version = |version: &str| Sharing {
        engine_version: Some(version.to_owned()),
        ..Sharing::default()
    };
    assert_eq!(find(&version("0.1.0")).len(), 2);
    assert!(find(&version("0.2.0")).is_empty());
    let both = Sharing {
        corpus_sha256: Some(prism_core::hash::Sha256Hash::of(b"corpus")),
        gate_version: Some("1".to_owned()),
        review_version: Some("1".to_owned()),
        round: Some(f.round_id()),
        ..version("0.1.0")
    };
    assert_eq!(find(&both).len(), 2);
    assert!(
        find(&Sharing {
            corpus_sha256: Some(prism_core::hash::Sha256Hash::of(b"x")),
            ..both
        })
        .is_empty()
    );
}

#[test]
fn a_score_leaves_with_whoever_leaves_the_board() {
    let f = Fixture::new();
    let (id, _) = provisional(&f, 0.5);
    f.run(Of::Confirm(id.clone()));
    f.step(&id, Position::Ended(Status::Failed), Actor::Pipeline)
        .unwrap();
    assert!(f.get(&id).score.is_none() && board(&f).is_empty());
    assert_eq!(
        f.store.read(|tx| results::of(tx, &id)).unwrap().len(),
        1,
        "what was measured stays"
    );
    // The one above was withdrawn: a completed one is confirmed with the score that it has.
    let (next, result) = f.completed("bob", "next", 0.4);
    f.store
        .write({
            let next = next.clone();
            move |tx| step(tx, &next, CONFIRMING, Actor::Pipeline)
        })
        .unwrap();
    assert_eq!(f.get(&next).score.unwrap().result_id, result);
    assert!(board(&f)[0].provisional);
}
