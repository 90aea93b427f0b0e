//! Steps: the one function of the core decides, each is recorded, and a refused one leaves nothing.

use prism_core::{
    outcome::{Fault, Reason, Status},
    submission::{Actor, Position, Stage, Wait},
};

use super::fixture::{Fixture, T0, step};
use crate::{
    StoreError,
    attempts::{self, Of},
    events,
    submissions::{self, Contract, Step},
};
use prism_core::hash::Sha256Hash;

fn all_positions() -> Vec<Position> {
    let words = [
        "pending",
        "running",
        "completed",
        "failed",
        "rejected",
        "held",
        "cancelled",
        "invalidated",
    ];
    let stages: Vec<Option<Stage>> = Stage::ALL.into_iter().map(Some).chain([None]).collect();
    words
        .into_iter()
        .flat_map(|status| {
            stages
                .iter()
                .filter_map(move |stage| Position::parse(status, stage.map(Stage::as_str)))
        })
        .collect()
}

#[test]
fn the_store_allows_what_the_core_allows_and_records_it() {
    let f = Fixture::new();
    assert_eq!(all_positions().len(), 7 + 3 + 6);
    for to in all_positions() {
        for by in [Actor::Pipeline, Actor::Owner, Actor::Operator] {
            let id = f.submit(&format!("of the {by}"), &to.to_string());
            let from = id.position;
            let before = f.dump();
            let stepped = f.step(&id.id, to, by);
            match from.may_step(to, by) {
                Ok(()) => {
                    assert_eq!(stepped.unwrap(), from);
                    let after = f.get(&id.id);
                    assert_eq!(after.position, to);
                    let events = f.store.read(|tx| events::of(tx, &id.id, 0, 10)).unwrap();
                    assert_eq!((events[1].position, events[1].by), (to, by));
                    assert_eq!(events[1].reason, after.reason);
                    assert_eq!(after.waiting.is_some(), matches!(to, Position::Pending(_)));
                }
                Err(illegal) => {
                    assert!(matches!(stepped, Err(StoreError::IllegalStep(told)) if told == illegal));
                    assert_eq!(f.dump(), before, "{from} {to} {by}");
                }
            }
        }
    }
}

#[test]
fn an_end_needs_a_reason_and_a_score_needs_a_result() {
    let f = Fixture::new();
    let id = f.queued("alice", "bundle");
    f.run(Of::Main(id.clone()));
    let before = f.dump();
    let attempt = |to: Position, reason: Option<Reason>, counts: Option<i64>| {
        let id = id.clone();
        f.store.write(move |tx| {
            submissions::step(
                tx,
                &id,
                &Step {
                    reason,
                    counts,
                    ..Step::new(to, Actor::Pipeline, "x")
                },
                T0,
            )
        })
    };
    let refused = [
        attempt(Position::Ended(Status::Failed), None, None),
        attempt(
            Position::Ended(Status::Failed),
            Some(Reason::TrainException),
            Some(1),
        ),
        attempt(Position::Running(Stage::Scoring), None, Some(1)),
    ];
    for refused in refused {
        assert!(matches!(refused, Err(StoreError::NotAllowed(_))), "{refused:?}");
        assert_eq!(f.dump(), before);
    }
    attempt(Position::Running(Stage::Scoring), None, None).unwrap();
    let before = f.dump();
    for to in [
        Position::Ended(Status::Completed),
        Position::Pending(Stage::Confirming),
    ] {
        for counts in [None, Some(1)] {
            attempt(to, None, counts).unwrap_err();
            assert_eq!(f.dump(), before, "{to} {counts:?}");
        }
    }
}

#[test]
fn several_steps_of_one_job_are_one() {
    let f = Fixture::new();
    let id = f.submit("alice", "bundle").id;
    let before = f.dump();
    let failed = f.store.write({
        let id = id.clone();
        move |tx| {
            step(tx, &id, Position::Pending(Stage::Contract), Actor::Pipeline)?;
            step(tx, &id, Position::Pending(Stage::Gate), Actor::Pipeline)?;
            step(tx, &id, Position::Pending(Stage::Contract), Actor::Pipeline)
        }
    });
    assert!(matches!(failed, Err(StoreError::IllegalStep(_))));
    assert_eq!(f.dump(), before);
}

#[test]
fn a_failure_keeps_what_its_owner_needs() {
    let f = Fixture::new();
    let id = f.submit("alice", "bundle").id;
    f.store
        .write({
            let id = id.clone();
            move |tx| {
                let step = Step {
                    reason: Some(Reason::GateRejected),
                    evidence_json: Some("{\"rule\":\"PRS101\"}"),
                    traceback: Some("Traceback"),
                    ..Step::new(
                        Position::Ended(Status::Rejected),
                        Actor::Pipeline,
                        "rule PRS101 at a.py:3",
                    )
                };
                submissions::step(tx, &id, &step, T0.plus_seconds(5))
            }
        })
        .unwrap();
    let found = f.get(&id);
    assert_eq!(
        (found.reason, found.fault()),
        (Some(Reason::GateRejected), Some(Fault::Miner))
    );
    assert_eq!(
        (found.sentence.as_str(), found.traceback.as_deref()),
        ("rule PRS101 at a.py:3", Some("Traceback"))
    );
    assert_eq!(found.updated_at, T0.plus_seconds(5));
    let event = f
        .store
        .read(|tx| events::of(tx, &id, 1, 10))
        .unwrap()
        .pop()
        .unwrap();
    assert_eq!(event.evidence_json.as_deref(), Some("{\"rule\":\"PRS101\"}"));
    // The operator lets it in again: what was said of it is over, its history is not.
    let id2 = id.clone();
    f.store
        .write(move |tx| {
            submissions::step(
                tx,
                &id2,
                &Step::new(
                    Position::Pending(Stage::Queued),
                    Actor::Operator,
                    "a rule was wrong",
                ),
                T0,
            )
        })
        .unwrap();
    let again = f.get(&id);
    assert_eq!((again.reason, again.traceback), (None, None));
    assert_eq!(f.store.read(|tx| events::of(tx, &id, 0, 10)).unwrap().len(), 3);
}

#[test]
fn evidence_that_is_no_json_stops_the_step() {
    let f = Fixture::new();
    let id = f.submit("alice", "bundle").id;
    let before = f.dump();
    let refused = f.store.write(move |tx| {
        let step = Step {
            evidence_json: Some("{"),
            ..Step::new(Position::Pending(Stage::Gate), Actor::Pipeline, "x")
        };
        submissions::step(tx, &id, &step, T0)
    });
    assert!(refused.is_err());
    assert_eq!(f.dump(), before);
}

#[test]
fn events_and_rows_that_must_stay_cannot_be_changed() {
    let f = Fixture::new();
    f.completed("alice", "bundle", 0.5);
    let before = f.dump();
    for sql in [
        "UPDATE events SET sentence = 'x'",
        "DELETE FROM events",
        "DELETE FROM submissions",
        "DELETE FROM attempts",
        "DELETE FROM results",
        "UPDATE results SET final_score = 1.0",
        "UPDATE results SET bpb = 0.0",
        "UPDATE submissions SET stage = 'training' WHERE status = 'completed'",
        "UPDATE submissions SET result_id = NULL",
        "UPDATE submissions SET status = 'won'",
        "UPDATE submissions SET seq = 'one'",
    ] {
        let changed = f.store.write(move |tx| Ok(tx.conn.execute_batch(sql)?));
        assert!(changed.is_err(), "{sql}");
        assert_eq!(f.dump(), before, "{sql}");
    }
}

#[test]
fn who_waits_is_told_why() {
    let f = Fixture::new();
    let id = f.queued("alice", "bundle");
    let until = T0.plus_seconds(60);
    f.store
        .write({
            let id = id.clone();
            move |tx| {
                submissions::count_retry(tx, &id)?;
                submissions::wait(tx, &id, Wait::Retry, Some("the disk was full"), Some(until), T0)
            }
        })
        .unwrap();
    let found = f.get(&id);
    let waiting = found.waiting.unwrap();
    assert_eq!(
        (waiting.why, waiting.not_before, found.retries),
        (Wait::Retry, Some(until), 1)
    );
    assert_eq!(waiting.sentence.as_deref(), Some("the disk was full"));
    // It moves: it waits no more, and has its retries still.
    f.run(Of::Main(id.clone()));
    let running = f.get(&id);
    assert_eq!((running.waiting, running.retries), (None, 1));
    let before = f.dump();
    let told = f.store.write({
        let id = id.clone();
        move |tx| submissions::wait(tx, &id, Wait::Paused, None, None, T0)
    });
    assert!(matches!(told, Err(StoreError::NotAllowed(_))));
    assert_eq!(f.dump(), before);
    // Held, and requeued by the operator: a fresh start.
    f.step(&id, Position::Ended(Status::Held), Actor::Pipeline)
        .unwrap();
    assert!(f.store.read(attempts::live).unwrap().is_empty());
    f.step(&id, Position::Pending(Stage::Queued), Actor::Operator)
        .unwrap();
    assert_eq!(f.get(&id).retries, 0);
}

#[test]
fn a_copy_is_found_and_the_first_author_is_unharmed() {
    let f = Fixture::new();
    let set = |id: &str, bundle: &str| {
        let (id, hash) = (id.to_owned(), Sha256Hash::of(bundle.as_bytes()));
        let contract = Contract {
            bundle_sha256: hash,
            architecture_sha256: hash,
            training_sha256: hash,
            name: Some("n".to_owned()),
        };
        f.store
            .write(move |tx| submissions::set_contract(tx, &id, &contract, T0))
            .unwrap();
    };
    let duplicate = |id: &str| {
        f.store
            .read(|tx| submissions::duplicate_of(tx, id))
            .unwrap()
            .map(|earlier| earlier.id)
    };
    let first = f.submit("alice", "zip 1").id;
    assert_eq!(duplicate(&first), None, "its contract is not known");
    set(&first, "bundle");
    let copy = f.submit("bob", "zip 2").id;
    set(&copy, "bundle");
    let again = f.submit("alice", "zip 3").id;
    set(&again, "bundle");
    let other = f.submit("alice", "zip 4").id;
    set(&other, "other");
    assert_eq!(duplicate(&first), None);
    assert_eq!(duplicate(&copy).as_ref(), Some(&first));
    assert_eq!(duplicate(&again).as_ref(), Some(&first));
    assert_eq!(duplicate(&other), None);
    // In the next round the author may enter it again, and nobody else may, the one who copied it included.
    let round = f.round_id();
    f.store
        .write(move |tx| {
            crate::rounds::close(tx, &round, T0)?;
            crate::rounds::open(tx, &super::fixture::round(2), T0)
        })
        .unwrap();
    let next = f.submit("alice", "zip 1").id;
    set(&next, "bundle");
    let copied = f.submit("bob", "zip 2").id;
    set(&copied, "bundle");
    assert_eq!(duplicate(&next), None);
    assert_eq!(duplicate(&copied), Some(first.clone()));
    let found = f
        .store
        .read(|tx| submissions::first_with_bundle(tx, &Sha256Hash::of(b"bundle")))
        .unwrap();
    assert_eq!(found.unwrap().id, first);
}
