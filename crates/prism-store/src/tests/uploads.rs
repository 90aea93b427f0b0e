//! Uploads: one answer a request, one submission for the same bytes, and no trace of what is refused.

use prism_core::submission::{Actor, Position, Stage};
use prism_core::{hash::Sha256Hash, submission::Wait};

use super::fixture::{Fixture, T0, id_of, nonce, round, upload};
use crate::{
    StoreError, budgets, events, rounds, submissions,
    uploads::{self, Answer, Kind, NONCE_MARGIN_SECONDS, NewUpload, Nonce, NonceUse, Refused},
};

const RECEIVED: Position = Position::Pending(Stage::Received);

fn with_nonce(new: NewUpload, used: NonceUse) -> NewUpload {
    NewUpload {
        nonce: Some(used),
        ..new
    }
}

#[test]
fn what_is_accepted_is_all_there() {
    let f = Fixture::new();
    let new = NewUpload {
        metadata_json: "{\"a\":1}".to_owned(),
        ..f.upload("alice", "bundle")
    };
    let accepted = f
        .accept(with_nonce(new.clone(), nonce("alice", "n", "r")), T0)
        .unwrap();
    assert_eq!((accepted.kind, accepted.answered), (Kind::New, RECEIVED));
    assert_eq!(
        accepted.used,
        budgets::Used {
            uploads: 1,
            scored_runs: 0
        }
    );
    let stored = f.get(&new.id);
    assert_eq!(stored, accepted.submission);
    assert_eq!(
        (
            stored.seq,
            stored.hotkey.as_str(),
            stored.epoch_id,
            stored.accepted_at
        ),
        (1, "alice", T0.epoch_id(), T0)
    );
    assert_eq!(
        (stored.code_hash, stored.zip_sha256),
        (new.code_hash, new.zip_sha256)
    );
    assert_eq!(stored.metadata_json, "{\"a\":1}");
    assert_eq!(stored.round_id, f.round_id());
    assert_eq!(stored.waiting.unwrap().why, Wait::Queue);
    assert!(stored.contract.is_none() && stored.score.is_none());
    let events = f.store.read(|tx| events::of(tx, &new.id, 0, 10)).unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].position, events[0].by), (RECEIVED, Actor::Owner));
}

#[test]
fn a_request_that_is_repeated_hears_the_same_answer() {
    let f = Fixture::new();
    let first = with_nonce(f.upload("alice", "bundle"), nonce("alice", "n", "request"));
    let id = f.accept(first.clone(), T0).unwrap().submission.id;
    f.step(&id, Position::Pending(Stage::Gate), Actor::Pipeline)
        .unwrap();
    let before = f.dump();
    // A client that repeats draws no new id, but a server does.
    let again = NewUpload {
        id: id_of("another"),
        ..first
    };
    let repeated = f.accept(again, T0.plus_seconds(60)).unwrap();
    assert_eq!(
        (repeated.kind, repeated.submission.id.as_str()),
        (Kind::Repeat, id.as_str())
    );
    assert_eq!(repeated.answered, RECEIVED);
    assert_eq!(repeated.submission.position, Position::Pending(Stage::Gate));
    assert_eq!(f.dump(), before);
    let known = f
        .store
        .read(|tx| uploads::nonce(tx, &nonce("alice", "n", "request")))
        .unwrap();
    assert_eq!(
        known,
        Nonce::Repeat(Answer::Accepted {
            submission: id,
            position: RECEIVED
        })
    );
}

#[test]
fn a_nonce_is_used_once() {
    let f = Fixture::new();
    f.accept(
        with_nonce(f.upload("alice", "one"), nonce("alice", "n", "request")),
        T0,
    )
    .unwrap();
    let two = f.upload("alice", "two");
    let before = f.dump();
    let refused = f.accept(with_nonce(two.clone(), nonce("alice", "n", "other")), T0);
    assert_eq!(refused, Err(Refused::NonceUsed));
    let answered = f
        .store
        .write(|tx| uploads::answer(tx, &nonce("alice", "n", "third"), 422, b"no", T0))
        .unwrap();
    assert_eq!(answered, Nonce::Used);
    assert_eq!(f.dump(), before);
    // Another nonce, or another hotkey's nonce of the same name, is another nonce.
    f.accept(with_nonce(two, nonce("alice", "m", "other")), T0)
        .unwrap();
    f.accept(
        with_nonce(f.upload("bob", "three"), nonce("bob", "n", "request")),
        T0,
    )
    .unwrap();
}

#[test]
fn a_refused_request_uses_its_nonce_and_its_repeat_hears_why() {
    let f = Fixture::new();
    let used = nonce("alice", "n", "request");
    let answer = |status_code, body: &'static [u8]| {
        let used = used.clone();
        f.store
            .write(move |tx| uploads::answer(tx, &used, status_code, body, T0))
            .unwrap()
    };
    assert_eq!(answer(413, b"too large"), Nonce::Free);
    let given = Answer::Given {
        status_code: 413,
        body: b"too large".to_vec(),
    };
    assert_eq!(answer(422, b"another answer"), Nonce::Repeat(given.clone()));
    assert_eq!(
        f.store.read(|tx| uploads::nonce(tx, &used)).unwrap(),
        Nonce::Repeat(given)
    );
    let before = f.dump();
    let refused = f.accept(with_nonce(f.upload("alice", "one"), used.clone()), T0);
    assert_eq!(
        refused,
        Err(Refused::Answered {
            status_code: 413,
            body: b"too large".to_vec()
        })
    );
    let refused = f.accept(
        with_nonce(upload("alice", "one"), nonce("alice", "n", "other")),
        T0,
    );
    assert_eq!(refused, Err(Refused::NonceUsed));
    assert_eq!(f.dump(), before);
}

#[test]
fn the_same_bytes_give_the_same_id_with_what_became_of_it() {
    let f = Fixture::new();
    let id = f
        .accept(
            with_nonce(f.upload("alice", "bundle"), nonce("alice", "1", "a")),
            T0,
        )
        .unwrap()
        .submission
        .id;
    f.step(&id, Position::Pending(Stage::Review), Actor::Pipeline)
        .unwrap();
    let again = NewUpload {
        id: id_of("another"),
        ..f.upload("alice", "bundle")
    };
    let accepted = f
        .accept(with_nonce(again.clone(), nonce("alice", "2", "b")), T0)
        .unwrap();
    assert_eq!((accepted.kind, &accepted.submission.id), (Kind::SameBytes, &id));
    assert_eq!(accepted.answered, Position::Pending(Stage::Review));
    assert_eq!(accepted.used.uploads, 1, "it is no new upload");
    // From another hotkey, or in another round, they are another submission.
    let other = f.accept(f.upload("bob", "bundle"), T0).unwrap();
    assert_eq!(other.kind, Kind::New);
    let first_round = f.round_id();
    f.store
        .write(move |tx| {
            rounds::close(tx, &first_round, T0)?;
            rounds::open(tx, &round(2), T0)
        })
        .unwrap();
    let next_round = f.accept(again, T0).unwrap();
    assert_eq!(
        (next_round.kind, next_round.submission.id),
        (Kind::New, id_of("another"))
    );
}

#[test]
fn a_refusal_leaves_no_trace_and_no_used_nonce() {
    let f = Fixture::new();
    let limit = 40;
    for i in 0..limit {
        f.submit("alice", &format!("bundle {i}"));
    }
    let more = with_nonce(f.upload("alice", "one more"), nonce("alice", "n", "r"));
    let before = f.dump();
    let refused = f.accept(more.clone(), T0);
    assert_eq!(
        refused,
        Err(Refused::UploadBudget {
            used: limit,
            allowed: limit
        })
    );
    assert_eq!(f.dump(), before);
    // The same bytes as before are no new upload; another hotkey has a budget of its own; so has the next day.
    assert_eq!(
        f.accept(upload("alice", "bundle 3"), T0).unwrap().kind,
        Kind::SameBytes
    );
    f.submit("bob", "bundle");
    assert_eq!(f.accept(more, T0.plus_seconds(86_400)).unwrap().used.uploads, 1);

    let f = Fixture::new();
    let round = f.round_id();
    f.store.write(move |tx| rounds::close(tx, &round, T0)).unwrap();
    let before = f.dump();
    let refused = f.accept(with_nonce(f.upload("alice", "x"), nonce("alice", "n", "r")), T0);
    assert_eq!(refused, Err(Refused::NoRound));
    assert_eq!(f.dump(), before);
}

#[test]
fn a_row_names_no_blob_that_is_not_there() {
    let f = Fixture::new();
    let before = f.dump();
    let new = upload("alice", "never put");
    let missing = Sha256Hash::of(b"never put");
    match f.store.write(move |tx| uploads::accept(tx, &new, T0)) {
        Err(StoreError::BlobMissing(hash)) => assert_eq!(hash, missing),
        other => panic!("{other:?}"),
    }
    assert_eq!(f.dump(), before);
}

#[test]
fn what_no_upload_can_be_is_refused() {
    let f = Fixture::new();
    let good = f.upload("alice", "bundle");
    let before = f.dump();
    for bad in [
        NewUpload {
            id: "history".to_owned(),
            ..good.clone()
        },
        NewUpload {
            hotkey: String::new(),
            ..good.clone()
        },
        NewUpload {
            hotkey: "x".repeat(129),
            ..good.clone()
        },
        NewUpload {
            metadata_json: "{".to_owned(),
            ..good.clone()
        },
        with_nonce(good.clone(), nonce("alice", "", "r")),
        with_nonce(good.clone(), nonce("alice", &"n".repeat(257), "r")),
        with_nonce(good.clone(), nonce("", "n", "r")),
    ] {
        let refused = f.store.write({
            let bad = bad.clone();
            move |tx| uploads::accept(tx, &bad, T0)
        });
        assert!(refused.is_err(), "{bad:?}");
        assert_eq!(f.dump(), before);
    }
    f.accept(with_nonce(good, nonce("alice", &"é".repeat(256), "r")), T0)
        .unwrap();
}

#[test]
fn nonces_are_forgotten_only_when_they_can_do_no_harm() {
    let f = Fixture::new();
    f.accept(with_nonce(f.upload("alice", "one"), nonce("alice", "n", "r")), T0)
        .unwrap();
    let forget = |after: i64| {
        let now = T0.plus_seconds(after);
        f.store
            .write(move |tx| uploads::forget_nonces(tx, now, 100))
            .unwrap()
    };
    for after in [-3600, 0, 300, 3900, 300 + NONCE_MARGIN_SECONDS] {
        assert_eq!(forget(after), 0, "{after}");
    }
    assert_eq!(forget(301 + NONCE_MARGIN_SECONDS), 1);
    let known = f
        .store
        .read(|tx| uploads::nonce(tx, &nonce("alice", "n", "other")))
        .unwrap();
    assert_eq!(known, Nonce::Free);
    assert!(
        f.store
            .read(|tx| submissions::find(tx, &id_of("alice one")))
            .unwrap()
            .is_some()
    );
}
