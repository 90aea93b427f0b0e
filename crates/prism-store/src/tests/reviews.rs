//! Reviews, their calls and budgets, and appeals.

use prism_core::hash::Sha256Hash;
use prism_core::outcome::{Reason, Status};
use prism_core::submission::{Actor, Position, Stage};

use super::fixture::{Fixture, T0};
use crate::reviews::{self, Done, Limits, Question, Spent};
use crate::submissions::{self, Step};
use crate::{StoreError, Write};

const LIMITS: Limits = Limits {
    calls: 3,
    usd: 1.0,
    calls_of_hotkey: 2,
};

fn question(prompt: &str) -> Question {
    Question {
        bundle_sha256: Sha256Hash::of(b"bundle"),
        prompt_sha256: Sha256Hash::of(prompt.as_bytes()),
        rules_version: 1,
        rules_sha256: Sha256Hash::of(b"rules"),
        model: "m".into(),
        second_model: "n".into(),
    }
}

fn done(outcome: &str, cost_usd: f64) -> Done {
    Done {
        at: T0.plus_seconds(1),
        seconds: 1.5,
        outcome: outcome.into(),
        outcome_json: "{}".into(),
        model: Some("as it came".into()),
        provider: None,
        input_tokens: Some(10),
        output_tokens: Some(2),
        cost_usd,
        raw: Some("text".into()),
    }
}

fn begin(tx: &Write, id: &str) -> crate::Result<i64> {
    reviews::begin(tx, id, "enforce", &question("p"), "[]", T0)
}

#[test]
fn a_review_is_open_once_and_ends_once_and_keeps_its_calls() {
    let f = Fixture::new();
    let id = f.submit("alice", "a").id;
    let of = id.clone();
    let review = f.store.write(move |tx| begin(tx, &of)).unwrap();
    let of = id.clone();
    assert!(f.store.write(move |tx| begin(tx, &of)).is_err(), "one at a time");
    let call = f
        .store
        .write(move |tx| reviews::begin_call(tx, review, "bare", true, 0.5, &LIMITS, T0))
        .unwrap()
        .unwrap();
    assert!(
        f.store.read(|tx| reviews::calls(tx, review)).unwrap()[0]
            .done
            .is_none()
    );
    f.store
        .write(move |tx| reviews::end_call(tx, call, &done("vote", 0.25)))
        .unwrap();
    let again = f
        .store
        .write(move |tx| reviews::end_call(tx, call, &done("vote", 0.0)));
    assert!(matches!(again, Err(StoreError::NotAllowed(_))));
    let calls = f.store.read(|tx| reviews::calls(tx, review)).unwrap();
    assert_eq!(calls[0].done.as_ref().unwrap(), &done("vote", 0.25));
    assert_eq!((calls[0].planted, calls[0].cost_usd), (true, 0.25));
    assert!(f.store.read(|tx| reviews::open(tx, &id)).unwrap().is_some());
    f.store
        .write(move |tx| reviews::end(tx, review, "passed", "{}", None, T0))
        .unwrap();
    assert!(f.store.read(|tx| reviews::open(tx, &id)).unwrap().is_none());
    let ended = f
        .store
        .write(move |tx| reviews::end(tx, review, "held", "{}", None, T0));
    assert!(matches!(ended, Err(StoreError::NotAllowed(_))));
    assert_eq!(f.get(&id).review.verdict.as_deref(), Some("passed"));
    assert_eq!(f.get(&id).review.model.as_deref(), Some("m"));
}

#[test]
fn budgets_count_what_was_begun_with_what_it_may_cost() {
    let f = Fixture::new();
    let (alice, bob) = (f.submit("alice", "a").id, f.submit("bob", "b").id);
    let of = alice.clone();
    let first = f.store.write(move |tx| begin(tx, &of)).unwrap();
    let of = bob.clone();
    let second = f.store.write(move |tx| begin(tx, &of)).unwrap();
    let call = |review: i64, usd: f64, day: i64| {
        f.store
            .write(move |tx| {
                reviews::begin_call(
                    tx,
                    review,
                    "full",
                    false,
                    usd,
                    &LIMITS,
                    T0.plus_seconds(86_400 * day),
                )
            })
            .unwrap()
    };
    call(first, 0.4, 0).unwrap();
    call(first, 0.4, 0).unwrap();
    assert_eq!(call(first, 0.0, 0), Err(Spent::Hotkey));
    assert_eq!(call(second, 0.4, 0), Err(Spent::Money), "calls that go on count");
    call(second, 0.1, 0).unwrap();
    assert_eq!(call(second, 0.0, 0), Err(Spent::Calls));
    // Another day has its own.
    call(first, 1.0, 1).unwrap();
    let day = f.store.read(|tx| reviews::spent(tx, T0.day())).unwrap();
    assert_eq!(day.calls, 3);
    assert!((day.usd - 0.9).abs() < 1e-9);
}

#[test]
fn misses_are_counted_of_what_was_planted_and_answered() {
    let f = Fixture::new();
    let id = f.submit("alice", "a").id;
    let of = id.clone();
    let review = f.store.write(move |tx| begin(tx, &of)).unwrap();
    let limits = Limits {
        calls: 100,
        usd: 1e3,
        calls_of_hotkey: 100,
    };
    for (planted, outcome) in [
        (true, "vote"),
        (true, "no_vote:plant_missed"),
        (true, "unreachable"),
        (false, "vote"),
    ] {
        f.store
            .write(move |tx| {
                let call = reviews::begin_call(tx, review, "bare", planted, 0.0, &limits, T0)?.unwrap();
                reviews::end_call(tx, call, &done(outcome, 0.0))
            })
            .unwrap();
    }
    let day = f.store.read(|tx| reviews::spent(tx, T0.day())).unwrap();
    assert_eq!(
        (day.planted, day.missed, day.input_tokens, day.output_tokens),
        (2, 1, 40, 8)
    );
}

#[test]
fn only_a_verdict_on_the_very_same_question_is_known() {
    let f = Fixture::new();
    let (alice, bob) = (f.submit("alice", "a").id, f.submit("bob", "b").id);
    let of = alice.clone();
    let first = f.store.write(move |tx| begin(tx, &of)).unwrap();
    let known = |question: Question| f.store.read(|tx| reviews::known(tx, &question)).unwrap();
    assert!(known(question("p")).is_none(), "it has not ended");
    f.store
        .write(move |tx| reviews::end(tx, first, "held", "{}", None, T0))
        .unwrap();
    assert!(
        known(question("p")).is_none(),
        "an endpoint that was away is no verdict"
    );
    let of = bob.clone();
    let second = f.store.write(move |tx| begin(tx, &of)).unwrap();
    f.store
        .write(move |tx| reviews::end(tx, second, "rejected", "{}", None, T0))
        .unwrap();
    assert_eq!(known(question("p")).unwrap().id, second);
    for other in [
        question("q"),
        Question {
            model: "other".into(),
            ..question("p")
        },
        Question {
            second_model: "other".into(),
            ..question("p")
        },
        Question {
            rules_version: 2,
            ..question("p")
        },
        Question {
            rules_sha256: Sha256Hash::of(b"x"),
            ..question("p")
        },
        Question {
            bundle_sha256: Sha256Hash::of(b"x"),
            ..question("p")
        },
    ] {
        assert!(known(other).is_none());
    }
}

#[test]
fn an_appeal_is_made_once_and_only_a_rejection_can_become_held_by_its_owner() {
    let f = Fixture::new();
    let id = f.submit("alice", "a").id;
    let owner = |id: &str| {
        let id = id.to_owned();
        f.store.write(move |tx| {
            let step = Step {
                reason: Some(Reason::ReviewAppealed),
                ..Step::new(Position::Ended(Status::Held), Actor::Owner, "appealed")
            };
            submissions::step(tx, &id, &step, T0)
        })
    };
    assert!(owner(&id).is_err(), "nobody holds what is pending");
    f.step(&id, Position::Pending(Stage::Review), Actor::Pipeline)
        .unwrap();
    f.step(&id, Position::Ended(Status::Rejected), Actor::Pipeline)
        .unwrap();
    owner(&id).unwrap();
    let of = id.clone();
    f.store
        .write(move |tx| reviews::appeal(tx, &of, "why", T0))
        .unwrap();
    let of = id.clone();
    let again = f.store.write(move |tx| reviews::appeal(tx, &of, "why", T0));
    assert!(matches!(again, Err(StoreError::NotAllowed(_))));
    assert_eq!(
        f.store
            .read(|tx| reviews::appeal_of(tx, &id))
            .unwrap()
            .unwrap()
            .text,
        "why"
    );
}
