//! Attempts: one live at a time, a result taken once and only with the nonce of the current one.

use prism_core::{
    outcome::{Reason, Status},
    submission::{Actor, Position, Stage},
};

use super::fixture::{Fixture, T0, end, finish, new_attempt, result, run, step};
use crate::{
    StoreError,
    attempts::{self, End, Kind, Of, State, Taken},
    budgets,
    columns::Columns,
    results,
};

/// What came too late for an attempt, in order.
fn late_of(f: &Fixture, attempt: i64) -> Vec<End> {
    let question = "SELECT reason, sentence, wall_seconds, evidence_json, evidence_sha256 FROM late_results
                    WHERE attempt_id = ? ORDER BY id";
    let end = |row: &rusqlite::Row<'_>| {
        let mut columns = Columns::of(row);
        Ok(End {
            reason: columns.word(Reason::parse)?,
            sentence: columns.take()?,
            wall_seconds: columns.take()?,
            evidence_json: columns.take()?,
            evidence: columns.maybe_hash()?,
        })
    };
    f.store.read(|tx| tx.all(question, [attempt], end)).unwrap()
}

#[test]
fn an_attempt_is_committed_before_anything_starts_and_is_the_only_one() {
    let f = Fixture::new();
    let id = f.queued("alice", "bundle");
    let begin = |nonce: u8| {
        let new = new_attempt(Of::Main(id.clone()), nonce);
        f.store.write(move |tx| attempts::begin(tx, &new, T0))
    };
    let attempt = begin(1).unwrap();
    assert_eq!(
        (attempt.state, attempt.number, attempt.kind),
        (State::Created, 1, Kind::Main)
    );
    assert_eq!((attempt.submission.as_ref(), attempt.seed), (Some(&id), u64::MAX));
    assert_eq!(
        f.store.read(attempts::live).unwrap(),
        std::slice::from_ref(&attempt)
    );
    let before = f.dump();
    assert!(matches!(begin(2), Err(StoreError::NotAllowed(_))));
    assert_eq!(f.dump(), before);
    // Started once, with what the executor finds it by.
    let start = |handle: Option<&'static str>| {
        let number = attempt.id;
        f.store
            .write(move |tx| attempts::started(tx, number, handle, T0.plus_seconds(1)))
            .unwrap()
    };
    assert!(start(Some("run-1")));
    let before = f.dump();
    assert!(!start(Some("run-2")));
    assert_eq!(f.dump(), before);
    let found = f.store.read(|tx| attempts::get(tx, attempt.id)).unwrap();
    assert_eq!(
        (found.state, found.handle.as_deref()),
        (State::Started, Some("run-1"))
    );
    assert_eq!(found.started_at, Some(T0.plus_seconds(1)));
    // Lost: another one may begin, and has the next number.
    let lost = |number: i64| {
        f.store
            .write(move |tx| attempts::lost(tx, number, "nobody holds its lock", T0))
            .unwrap()
    };
    assert!(lost(attempt.id));
    assert!(!lost(attempt.id));
    assert_eq!(begin(3).unwrap().number, 2);
    assert_eq!(f.store.read(|tx| attempts::of(tx, &id)).unwrap().len(), 2);
}

#[test]
fn two_attempts_never_share_a_nonce() {
    let f = Fixture::new();
    let (one, two) = (f.queued("alice", "1"), f.queued("alice", "2"));
    let begin = |id: &str| {
        let new = new_attempt(Of::Main(id.to_owned()), 9);
        f.store.write(move |tx| attempts::begin(tx, &new, T0))
    };
    begin(&one).unwrap();
    let before = f.dump();
    assert!(begin(&two).is_err());
    assert_eq!(f.dump(), before);
}

#[test]
fn only_who_waits_for_a_run_gets_one() {
    let f = Fixture::new();
    let received = f.submit("alice", "received").id;
    let queued = f.queued("alice", "queued");
    let (done, _) = f.completed("alice", "done", 0.5);
    let before = f.dump();
    for of in [
        Of::Main(received.clone()),
        Of::Confirm(received),
        Of::Confirm(queued),
        Of::Main(done.clone()),
        Of::Confirm(done),
        Of::Main("00000000-0000-4000-8000-000000000000".to_owned()),
        Of::Noise {
            round_id: "none".to_owned(),
        },
    ] {
        let new = new_attempt(of, 200);
        let refused = f.store.write(move |tx| attempts::begin(tx, &new, T0));
        assert!(refused.is_err(), "{refused:?}");
        assert_eq!(f.dump(), before);
    }
}

#[test]
fn a_result_is_taken_once_and_only_with_the_nonce_of_the_current_attempt() {
    let f = Fixture::new();
    let id = f.queued("alice", "bundle");
    let first = f.run(Of::Main(id.clone()));
    // Its server loses sight of it: a new attempt runs.
    f.store
        .write({
            let (id, first) = (id.clone(), first.id);
            move |tx| {
                attempts::lost(tx, first, "nobody holds its lock", T0)?;
                step(tx, &id, Position::Pending(Stage::Queued), Actor::Pipeline)
            }
        })
        .unwrap();
    let second = f.run(Of::Main(id.clone()));
    let without_late = |f: &Fixture| {
        let dump = f.dump();
        dump.lines()
            .filter(|line| !line.starts_with("late_results"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let before = without_late(&f);
    let wrong = [0xee; 16];
    let late = [
        (first.id, first.nonce),
        (first.id, second.nonce),
        (second.id, first.nonce),
        (second.id, wrong),
        (999, second.nonce),
    ];
    for (attempt, nonce) in late {
        let taken = f
            .store
            .write(move |tx| attempts::ended(tx, attempt, &nonce, &end(Reason::EndOfData), T0))
            .unwrap();
        assert_eq!(taken, Taken::Late, "{attempt} {nonce:?}");
        assert_eq!(without_late(&f), before);
    }
    assert_eq!(late_of(&f, first.id).len(), 2);
    assert_eq!(late_of(&f, second.id).len(), 2);
    assert_eq!(late_of(&f, 999)[0], end(Reason::EndOfData));
    // The current one, with its nonce: once.
    f.store
        .write({
            let (id, second) = (id.clone(), second.clone());
            move |tx| finish(tx, &id, &second, 0.5, Position::Ended(Status::Completed))
        })
        .unwrap();
    let before = without_late(&f);
    let again = second.clone();
    let taken = f
        .store
        .write(move |tx| attempts::ended(tx, again.id, &again.nonce, &end(Reason::EndOfData), T0))
        .unwrap();
    assert_eq!(taken, Taken::Late);
    assert_eq!(without_late(&f), before);
    assert_eq!(f.store.read(|tx| results::of(tx, &id)).unwrap().len(), 1);
}

#[test]
fn result_end_and_step_are_one() {
    let f = Fixture::new();
    let id = f.queued("alice", "bundle");
    let attempt = f.run(Of::Main(id.clone()));
    let before = f.dump();
    let failed = f.store.write({
        let (id, attempt) = (id.clone(), attempt.clone());
        // The step is illegal: neither end nor result may stay.
        move |tx| finish(tx, &id, &attempt, 0.5, Position::Pending(Stage::Gate))
    });
    assert!(failed.is_err());
    assert_eq!(f.dump(), before);
    f.store
        .write(move |tx| finish(tx, &id, &attempt, 0.5, Position::Ended(Status::Completed)))
        .unwrap();
}

#[test]
fn who_moves_on_without_its_attempt_ends_it() {
    let f = Fixture::new();
    for (hotkey, to, by, state) in [
        (
            "a",
            Position::Ended(Status::Cancelled),
            Actor::Owner,
            State::Ended,
        ),
        (
            "b",
            Position::Pending(Stage::Queued),
            Actor::Pipeline,
            State::Ended,
        ),
    ] {
        let id = f.queued(hotkey, "bundle");
        let attempt = f.run(Of::Main(id.clone()));
        f.step(&id, to, by).unwrap();
        let found = f.store.read(|tx| attempts::get(tx, attempt.id)).unwrap();
        assert_eq!(
            (found.state, found.reason),
            (state, Some(Reason::Cancelled)),
            "{to}"
        );
        let late = f
            .store
            .write(move |tx| attempts::ended(tx, attempt.id, &attempt.nonce, &end(Reason::EndOfData), T0));
        assert_eq!(late.unwrap(), Taken::Late);
        assert_eq!(f.get(&id).position, to);
    }
    // From training to scoring it stays live: its end is what is scored.
    let id = f.queued("c", "bundle");
    f.run(Of::Main(id.clone()));
    f.step(&id, Position::Running(Stage::Scoring), Actor::Pipeline)
        .unwrap();
    assert_eq!(f.store.read(attempts::live).unwrap().len(), 1);
}

#[test]
fn a_result_needs_an_end_that_was_taken() {
    let f = Fixture::new();
    let id = f.queued("alice", "bundle");
    let attempt = f.run(Of::Main(id));
    let number = attempt.id;
    let store = || {
        f.store
            .write(move |tx| results::store(tx, number, &result(0.5), T0))
    };
    let before = f.dump();
    assert!(matches!(store(), Err(StoreError::NotAllowed(_))));
    assert_eq!(f.dump(), before);
    let taken = f
        .store
        .write(move |tx| attempts::ended(tx, attempt.id, &attempt.nonce, &end(Reason::EndOfData), T0))
        .unwrap();
    assert_eq!(taken, Taken::Taken);
    store().unwrap();
    let before = f.dump();
    assert!(
        matches!(store(), Err(StoreError::NotAllowed(_))),
        "there is one already"
    );
    assert_eq!(f.dump(), before);
}

#[test]
fn scored_runs_are_charged_once_and_refunded() {
    let f = Fixture::new();
    let id = f.queued("alice", "bundle");
    let attempt = f.run(Of::Main(id.clone())).id;
    let used = |day: i64| {
        f.store
            .read(|tx| budgets::of(tx, "alice", day))
            .unwrap()
            .scored_runs
    };
    let charge = |after: i64| {
        let now = T0.plus_seconds(after);
        f.store
            .write(move |tx| budgets::charge(tx, attempt, now))
            .unwrap()
    };
    assert!(charge(0));
    assert!(!charge(86_400), "once");
    assert_eq!((used(T0.day()), used(T0.day() + 1)), (1, 0));
    assert_eq!(f.get(&id).runs_charged, 1);
    for refunded in [1, 0] {
        let submission = id.clone();
        let done = f
            .store
            .write(move |tx| budgets::refund_all(tx, &submission))
            .unwrap();
        assert_eq!(done, refunded);
        assert_eq!((used(T0.day()), f.get(&id).runs_charged), (0, 0));
    }
    let unknown = f.store.write(|tx| budgets::charge(tx, 99, T0));
    assert!(matches!(unknown, Err(StoreError::NotFound { .. })));
}

#[test]
fn the_median_is_unknown_until_there_are_three() {
    let f = Fixture::new();
    let round = f.round_id();
    let median = || {
        f.store
            .read(|tx| attempts::median_wall_seconds(tx, &round, Kind::Main))
            .unwrap()
    };
    let cases = [
        (9.0, None),
        (1.0, None),
        (5.0, Some(5.0)),
        (6.0, Some(5.5)),
        (7.0, Some(6.0)),
    ];
    for (i, (seconds, expected)) in cases.into_iter().enumerate() {
        let id = f.queued("alice", &format!("bundle {i}"));
        f.store
            .write(move |tx| {
                let attempt = run(tx, Of::Main(id.clone()))?;
                let mut ended = end(Reason::TokenBudget);
                ended.wall_seconds = Some(seconds);
                assert_eq!(
                    attempts::ended(tx, attempt.id, &attempt.nonce, &ended, T0)?,
                    Taken::Taken
                );
                step(tx, &id, Position::Pending(Stage::Queued), Actor::Pipeline)
            })
            .unwrap();
        assert_eq!(median(), expected, "{i}");
    }
    // What failed says nothing of how long a run takes.
    for i in 0..5 {
        let id = f.queued("bob", &format!("bundle {i}"));
        let taken = f.store.write(move |tx| {
            let attempt = run(tx, Of::Main(id))?;
            attempts::ended(tx, attempt.id, &attempt.nonce, &end(Reason::TrainException), T0)
        });
        assert_eq!(taken.unwrap(), Taken::Taken);
    }
    assert_eq!(median(), Some(6.0));
}

#[test]
fn noise_runs_have_no_submission() {
    let f = Fixture::new();
    let round_id = f.round_id();
    for number in [1, 3] {
        let noise = Of::Noise {
            round_id: round_id.clone(),
        };
        f.store
            .write(move |tx| {
                let (attempt, other) = (run(tx, noise.clone())?, run(tx, noise)?);
                assert_eq!((attempt.number, attempt.submission.as_ref()), (number, None));
                assert_eq!(other.number, number + 1);
                assert!(attempts::lost(tx, other.id, "x", T0)?, "several may be live");
                let taken = attempts::ended(tx, attempt.id, &attempt.nonce, &end(Reason::EndOfData), T0)?;
                assert_eq!(taken, Taken::Taken);
                results::store(tx, attempt.id, &result(0.5), T0)
            })
            .unwrap();
    }
    assert_eq!(
        f.store.read(|tx| results::of_noise(tx, &round_id)).unwrap().len(),
        2
    );
    assert_eq!(
        f.store
            .read(|tx| attempts::of_noise(tx, &round_id))
            .unwrap()
            .len(),
        4
    );
    assert!(
        f.store
            .read(|tx| results::scored(tx, &results::Scope::All))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn what_is_logged_of_an_attempt_opens_no_door() {
    let f = Fixture::new();
    let attempt = f.run(Of::Main(f.queued("alice", "bundle")));
    let shown = format!("{attempt:?}");
    assert!(
        !shown.contains("nonce") && !shown.contains(&attempt.seed.to_string()),
        "{shown}"
    );
}
