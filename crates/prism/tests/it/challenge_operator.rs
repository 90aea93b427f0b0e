//! What the operator does, and what goes wrong on the operator's side.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use prism_core::outcome::{Reason, Status};
use prism_core::submission::{Actor, Position, Stage, Wait};
use prism_engine::executor::{Executor as _, Unit};
use prism_engine::round::RunKind;
use prism_engine::slot::Slot;
use prism_server::challenge::Challenge as _;
use prism_service::{Operation, ReviewMode, Shared, Then};
use prism_store::rounds;
use prism_store::{attempts, budgets, events, results};

use crate::run_fixture::{Learner, completed_of};

use crate::challenge_world::{End, PATIENCE, Ran, SEED, World, bundle, of_unit};

#[test]
fn the_operators_fault_is_tried_again_free_and_held_in_the_end() {
    let world = World::new();
    let id = world.submit_scripted(
        "5First",
        &bundle(1),
        &[
            End::Fails(Reason::Storage),
            End::Dies,
            End::Rehearses("machine_busy"),
            End::Fails(Reason::Internal),
            End::Scores(1.0),
        ],
    );
    for tries in 1..=3 {
        world.until("another try", |world| world.started(&id).len() == tries);
        let waits = world.wait_for(&id, Position::Pending(Stage::Queued));
        let waiting = waits.waiting.unwrap();
        assert_eq!(
            (waiting.why, waits.retries),
            (Wait::Retry, u32::try_from(tries).unwrap())
        );
        assert!(waiting.not_before.is_some_and(|time| time > world.now()));
        world.pass(600);
    }
    let held = world.wait_for(&id, Position::Ended(Status::Held));
    assert_eq!(held.reason, Some(Reason::RetriesSpent));
    assert_eq!(world.started(&id).len(), 4);
    let used = world
        .store()
        .read(|tx| budgets::of(tx, "5First", world.now().day()))
        .unwrap();
    assert_eq!(used.scored_runs, 0);
    // Four in a row: the queue rests as well, until the operator has looked.
    let release = Operation::Release {
        submission: id.clone(),
    };
    world.admin(&release).unwrap();
    world.admin(&Operation::Resume).unwrap();
    world.completed(&id);
    assert!(
        world.admin(&release).is_err(),
        "what is completed is not released"
    );
}

#[test]
fn the_miners_fault_ends_it_and_counts() {
    let world = World::new();
    let failed = world.submit_scripted("5First", &bundle(1), &[End::Fails(Reason::TrainException)]);
    let found = world.wait_for(&failed, Position::Ended(Status::Failed));
    assert_eq!(found.reason, Some(Reason::TrainException));
    assert_eq!(world.started(&failed), [RunKind::Main], "once");
    // Its run never had a directory, so that training never began.
    let used = world
        .store()
        .read(|tx| budgets::of(tx, "5First", world.now().day()))
        .unwrap();
    assert_eq!(used.scored_runs, 0);
    assert!(world.weights().is_empty());
}

#[test]
fn a_hotkey_has_so_many_scored_runs_a_day() {
    let world = World::new();
    for number in 1..=2 {
        let id = world.submit("5First", &bundle(number));
        world.completed(&id);
    }
    let third = world.submit("5First", &bundle(3));
    world.until("it waits", |world| {
        let third = world.get(&third);
        third.position == Position::Pending(Stage::Queued)
            && third.waiting.is_some_and(|waiting| waiting.why == Wait::Budget)
    });
    assert_eq!(world.started(&third), []);
    // Somebody else goes on meanwhile.
    let other = world.submit_scripted("5Other", &bundle(4), &[End::Scores(2.0)]);
    world.completed(&other);
    assert_eq!(world.started(&third), []);
    world.pass(24 * 3600);
    world.completed(&third);
}

#[test]
fn what_runs_when_the_service_ends_is_taken_up_again_and_not_repeated() {
    let mut world = World::new();
    let id = world.submit_scripted("5First", &bundle(1), &[End::Hangs]);
    world.wait_for(&id, Position::Running(Stage::Training));
    world.until("it has started", |world| world.started(&id).len() == 1);
    world.stop();
    // Meanwhile it ends.
    for ran in world.executor.ran.lock().unwrap().values_mut() {
        completed_of(&ran.dir, Learner::Honest, &of_unit(&ran.unit, 1.0));
        ran.end = End::Scores(1.0);
    }
    world.start();
    world.completed(&id);
    assert_eq!(world.started(&id), [RunKind::Main, RunKind::Confirmation]);
    // One that nobody knows is ended.
    world.stop();
    let stranger = Ran {
        unit: {
            let mut unit = strange_unit();
            unit.attempt.submission = "unknown".into();
            unit
        },
        end: End::Hangs,
        dir: PathBuf::new(),
    };
    world
        .executor
        .ran
        .lock()
        .unwrap()
        .insert("stranger-s0".into(), stranger);
    world.start();
    world.until("the stranger is ended", |world| {
        world.executor.handles().unwrap().is_empty()
    });
    assert!(
        world
            .executor
            .removed
            .lock()
            .unwrap()
            .iter()
            .any(|handle| handle == "stranger-s0")
    );
}

fn strange_unit() -> Unit {
    Unit {
        attempt: prism_engine::attempt::Attempt {
            version: prism_engine::attempt::Attempt::VERSION,
            submission: String::new(),
            nonce: "00".repeat(16),
            corpus: Path::new("/corpus").into(),
            round: prism_engine::round::Round::by_hand(),
            kind: RunKind::Main,
            seed: 0,
            slot: Slot::whole().unwrap(),
            cache: None,
        },
        bundle: Vec::new(),
    }
}

#[test]
fn a_withdrawn_score_moves_everybody_up_and_runs_again_free() {
    let world = World::new();
    let first = world.submit_scripted("5First", &bundle(1), &[End::Scores(0.8)]);
    world.completed(&first);
    let second = world.submit_scripted("5Second", &bundle(2), &[End::Scores(1.2)]);
    world.completed(&second);
    world.until("two weights", |world| world.weights().len() == 2);
    assert_eq!(world.started(&second), [RunKind::Main]);
    world.admin(&Operation::Pause).unwrap();
    let cause = Operation::Invalidate {
        submission: first.clone(),
        why: "a fault of the referee".into(),
        same: None,
        then: Then::Requeue,
    };
    world.admin(&cause).unwrap();
    let waits = world.get(&first);
    assert_eq!(
        (waits.position, waits.score),
        (Position::Pending(Stage::Queued), None)
    );
    world.until("the second is alone", |world| {
        world.service().board().view().entries.len() == 1
    });
    world.admin(&Operation::Resume).unwrap();
    world.completed(&first);
    world.until("both again", |world| world.weights().len() == 2);
    // Whoever came to first place meanwhile was measured a second time.
    world.completed(&second);
    assert_eq!(world.started(&second), [RunKind::Main, RunKind::Confirmation]);
    let used = world
        .store()
        .read(|tx| budgets::of(tx, "5First", world.now().day()))
        .unwrap();
    assert_eq!(used.scored_runs, 1, "the withdrawn run was given back");
    let events = world.store().read(|tx| events::of(tx, &first, 0, 100)).unwrap();
    assert!(
        events
            .iter()
            .any(|event| event.by == Actor::Operator && event.sentence.contains("referee"))
    );
}

#[test]
fn a_round_that_closes_ends_what_waits_and_its_weights_stay() {
    let world = World::new();
    let first = world.submit("5First", &bundle(1));
    world.completed(&first);
    world.until("the weight", |world| world.weights().len() == 1);
    world.admin(&Operation::Pause).unwrap();
    let waits = world.submit("5Second", &bundle(2));
    world.wait_for(&waits, Position::Pending(Stage::Queued));
    let reveal = Operation::RoundReveal {
        round: "first".into(),
    };
    assert!(world.admin(&reveal).unwrap_err().contains("still open"));
    world
        .admin(&Operation::RoundClose {
            round: "first".into(),
        })
        .unwrap();
    world.admin(&Operation::Resume).unwrap();
    let ended = world.wait_for(&waits, Position::Ended(Status::Cancelled));
    assert_eq!(ended.reason, Some(Reason::RoundClosed));
    assert_eq!(world.started(&waits), []);
    assert_eq!(world.admin(&reveal).unwrap()["seed"], SEED.to_string());
    let manifest = world.service().manifest(&first).unwrap().unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(manifest.text()).unwrap();
    assert!(manifest["run"]["seed"].is_u64(), "nothing is secret any more");
    let next = world.round("second");
    let now = world.now();
    world
        .store()
        .write(move |tx| rounds::open(tx, &next, now))
        .unwrap();
    world.until("the last closed round's weights", |world| {
        world.weights() == [("5First".to_owned(), 1.0)]
    });
    // The same bundle of the same hotkey enters the next round.
    let again = world.submit("5First", &bundle(1));
    assert_ne!(again, first);
    world.completed(&again);
}

#[test]
fn a_round_that_closes_makes_no_place_cheaper() {
    let world = World::new();
    let first = world.submit_scripted("5First", &bundle(1), &[End::Scores(1.0)]);
    world.completed(&first);
    world.admin(&Operation::Pause).unwrap();
    let better = world.submit("5Better", &bundle(2));
    world.script(&better, "main", &[End::Scores(0.8)]);
    world.script(&better, "confirm", &[End::Dies, End::Scores(1.3)]);
    world.admin(&Operation::Resume).unwrap();
    // Known to be lost, so that the pause before the next try has begun when the clock goes on.
    world.until("its confirmation is lost", |world| {
        world.started(&better).len() == 2 && world.get(&better).reason == Some(Reason::Lost)
    });
    world
        .admin(&Operation::RoundClose {
            round: "first".into(),
        })
        .unwrap();
    world.pass(60);
    // The worse of the two counts, although the round has closed in between.
    world.completed(&better);
    assert_eq!(world.started(&better).len(), 3);
    world.until("both weights", |world| world.weights().len() == 2);
    assert_eq!(world.weights()[0].0, "5First");
}

#[test]
fn a_review_that_nobody_does_holds_everything_until_the_operator_decides() {
    let world = World::reviewed(ReviewMode::Enforce);
    let id = world.submit("5First", &bundle(1));
    let held = world.wait_for(&id, Position::Ended(Status::Held));
    assert_eq!(held.reason, Some(Reason::ReviewAbsent));
    assert_eq!(world.started(&id), []);
    let other = world.submit("5Second", &bundle(2));
    world.wait_for(&other, Position::Ended(Status::Held));
    assert_eq!(
        world.admin(&Operation::Held).unwrap()["held"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    world
        .admin(&Operation::Release {
            submission: id.clone(),
        })
        .unwrap();
    world.completed(&id);
    let reject = |why: &str| Operation::Reject {
        submission: other.clone(),
        why: why.into(),
    };
    assert!(
        world.admin(&reject(" ")).is_err(),
        "without a reason nobody is rejected"
    );
    world.admin(&reject("it is a joke")).unwrap();
    let rejected = world.get(&other);
    assert_eq!(rejected.reason, Some(Reason::RejectedByOperator));
    assert!(rejected.sentence.contains("joke"));
    assert_eq!(world.started(&other), []);
}

#[test]
fn a_clock_that_jumps_loses_nothing() {
    let world = World::new();
    let id = world.submit_scripted(
        "5First",
        &bundle(1),
        &[End::Fails(Reason::Storage), End::Scores(1.0)],
    );
    world.until("it has failed once", |world| world.started(&id).len() == 1);
    world.wait_for(&id, Position::Pending(Stage::Queued));
    // An hour back: what was to wait ten seconds must not wait an hour.
    world.pass(-3600);
    world.completed(&id);
    world.pass(2 * 3600);
    let other = world.submit_scripted("5Second", &bundle(2), &[End::Scores(1.5)]);
    world.completed(&other);
    world.until("two weights", |world| world.weights().len() == 2);
}

#[test]
fn what_runs_has_a_log_for_its_owner_and_says_when_it_waits_for_the_machine() {
    let world = World::new();
    let id = world.submit_scripted("5First", &bundle(1), &[End::Waits]);
    world.wait_for(&id, Position::Running(Stage::Training));
    // Its row is written before it starts.
    world.until("it has started", |world| world.started(&id).len() == 1);
    world.until("its log", |world| {
        let log = world.service().logs(&id, 0).unwrap().unwrap();
        log.text == format!("the log of {id}")
    });
    assert_eq!(
        world.service().logs(&id, 4).unwrap().unwrap().text,
        format!("log of {id}")
    );
    world.until("the reason", |world| {
        let place = world.service().place(&id);
        place.is_some_and(|place| {
            place.reason.as_deref() == Some(Wait::Machine.code()) && place.position.is_none()
        })
    });
}

#[test]
fn a_run_that_says_nothing_any_more_is_ended_and_tried_again_free() {
    let world = World::new();
    let id = world.submit_scripted("5First", &bundle(1), &[End::Hangs, End::Scores(1.0)]);
    world.wait_for(&id, Position::Running(Stage::Training));
    // A clock that jumps is no silence.
    world.pass(3600);
    world.service().wake();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(world.started(&id).len(), 1);
    let deadline = Instant::now() + PATIENCE;
    while world.get(&id).position == Position::Running(Stage::Training) {
        assert!(Instant::now() < deadline, "it hangs for ever");
        world.pass(50);
        world.service().wake();
        std::thread::sleep(Duration::from_millis(2));
    }
    let first = world.store().read(|tx| attempts::of(tx, &id)).unwrap().remove(0);
    assert_eq!(first.reason, Some(Reason::Lost));
    let handle = first.handle.unwrap();
    assert!(
        world.executor.removed.lock().unwrap().contains(&handle),
        "its process is ended"
    );
    world.pass(400);
    world.service().wake();
    world.completed(&id);
    let used = world
        .store()
        .read(|tx| budgets::of(tx, "5First", world.now().day()))
        .unwrap();
    assert!(used.scored_runs <= 1, "what was lost is free");
}

#[test]
fn whoever_waits_for_the_machine_is_not_silent() {
    let world = World::new();
    let id = world.submit_scripted("5First", &bundle(1), &[End::Waits]);
    world.wait_for(&id, Position::Running(Stage::Training));
    for _ in 0..400 {
        world.pass(60);
        world.service().wake();
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(world.get(&id).position, Position::Running(Stage::Training));
    assert_eq!(world.started(&id).len(), 1);
}

#[test]
fn a_withdrawn_score_is_scored_again_from_its_record_or_runs_again() {
    let world = World::new();
    let first = world.submit_scripted("5First", &bundle(1), &[End::Scores(0.8)]);
    let bpb = world.completed(&first).score.unwrap().bpb;
    let second = world.submit_scripted("5Second", &bundle(2), &[End::Scores(1.2)]);
    world.completed(&second);
    world.admin(&Operation::Pause).unwrap();
    // The claims of the second one are gone from the disk: its record alone cannot be verified.
    let stored = world.store().read(|tx| results::of(tx, &second)).unwrap();
    let targets = stored[0].result.files.targets.unwrap();
    std::fs::remove_file(world.store().blobs().path(&targets)).unwrap();
    let before = world.store().read(|tx| results::of(tx, &first)).unwrap().len();
    let answer = world
        .admin(&Operation::Invalidate {
            submission: first.clone(),
            why: "the score was computed wrongly".into(),
            same: Some(Shared::Engine),
            then: Then::Rescore,
        })
        .unwrap();
    assert_eq!(answer["invalidated"], serde_json::json!([first, second]));
    assert_eq!(answer["rescored"], serde_json::json!([first]));
    assert_eq!(answer["requeued"], serde_json::json!([second]));
    let again = world.get(&first);
    assert_eq!(again.position, Position::Ended(Status::Completed));
    assert_eq!(
        again.score.as_ref().unwrap().bpb,
        bpb,
        "the same version says the same"
    );
    let all = world.store().read(|tx| results::of(tx, &first)).unwrap();
    assert_eq!(all.len(), 2 * before);
    assert!(all[..before].iter().all(|result| result.invalidated.is_some()));
    assert!(all[before..].iter().all(|result| result.invalidated.is_none()));
    assert!(
        all[before..]
            .iter()
            .any(|result| result.id == again.score.as_ref().unwrap().result_id)
    );
    assert_eq!(world.get(&second).position, Position::Pending(Stage::Queued));
    assert_eq!(
        world.started(&first),
        [RunKind::Main, RunKind::Confirmation],
        "nothing ran again"
    );
    world.until("one is alone", |world| {
        world.weights() == [("5First".to_owned(), 1.0)]
    });
}

#[test]
fn what_is_held_before_its_second_measurement_goes_on_with_that() {
    let world = World::new();
    world.admin(&Operation::Pause).unwrap();
    let first = world.submit("5First", &bundle(1));
    world.script(&first, "confirm", &[End::Fails(Reason::Storage)]);
    world.admin(&Operation::Resume).unwrap();
    let deadline = Instant::now() + PATIENCE;
    while world.get(&first).position != Position::Ended(Status::Held) {
        assert!(Instant::now() < deadline, "{}", world.get(&first).position);
        world.pass(60);
        world.service().wake();
        std::thread::sleep(Duration::from_millis(5));
    }
    world.script(&first, "confirm", &[End::Scores(1.0)]);
    world
        .admin(&Operation::Release {
            submission: first.clone(),
        })
        .unwrap();
    world.admin(&Operation::Resume).unwrap();
    let done = world.completed(&first);
    assert_eq!(done.score.unwrap().kind, attempts::Kind::Confirm);
    let started = world.started(&first);
    assert_eq!(
        started.iter().filter(|kind| **kind == RunKind::Main).count(),
        1,
        "{started:?}"
    );
}

#[test]
fn a_record_of_something_else_is_no_result() {
    let world = World::new();
    let id = world.submit_scripted("5First", &bundle(1), &[End::Hangs]);
    world.wait_for(&id, Position::Running(Stage::Training));
    world.until("it has started", |world| world.started(&id).len() == 1);
    {
        let mut all = world.executor.ran.lock().unwrap();
        let ran = all.values_mut().next().unwrap();
        // It asks for fewer audits than the round.
        let mut of = of_unit(&ran.unit, 0.5);
        of.recipe.audit.rate_per_byte /= 2.0;
        completed_of(&ran.dir, Learner::Honest, &of);
        ran.end = End::Scores(0.5);
    }
    world.until("it is refused", |world| {
        world.get(&id).position != Position::Running(Stage::Training)
    });
    assert_eq!(world.store().read(|tx| results::of(tx, &id)).unwrap(), []);
    let first = world.store().read(|tx| attempts::of(tx, &id)).unwrap().remove(0);
    assert_eq!(first.reason, Some(Reason::Internal));
    assert!(first.evidence_json.unwrap().contains("another recipe"));
}

#[test]
fn what_the_operator_asked_for_lasts_over_a_restart() {
    let mut world = World::new();
    world.admin(&Operation::Pause).unwrap();
    world.admin(&Operation::RoundNoise { seeds: 3 }).unwrap();
    let id = world.submit("5First", &bundle(1));
    world.wait_for(&id, Position::Pending(Stage::Queued));
    for _ in 0..2 {
        world.stop();
        world.start();
        let status = world.admin(&Operation::Status).unwrap();
        assert_eq!(
            (&status["paused"], &status["noise_runs_left"]),
            (&true.into(), &3.into())
        );
        world.until("it says so", |world| {
            world
                .get(&id)
                .waiting
                .is_some_and(|waiting| waiting.why == Wait::Paused)
        });
    }
    assert_eq!(world.started(&id), [], "nothing has begun meanwhile");
    world.admin(&Operation::Resume).unwrap();
    world.completed(&id);
    world.until("the noise runs", |world| world.started("reference").len() == 3);
    world.until("none is left", |world| {
        world.admin(&Operation::Status).unwrap()["noise_runs_left"] == 0
    });
    world.stop();
    world.start();
    let status = world.admin(&Operation::Status).unwrap();
    assert_eq!(
        (&status["paused"], &status["noise_runs_left"]),
        (&false.into(), &0.into())
    );
}
