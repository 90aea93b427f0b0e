//! Clocks that jump an hour either way change no order, lose no nonce and make nobody wait.

use prism_core::submission::Wait;

use super::fixture::{Fixture, T0, nonce};
use crate::{
    queue::{self, Line},
    rounds,
    submissions::{self, Filter},
    uploads::{self, NewUpload, Refused},
};

const HOUR: i64 = 3600;

#[test]
fn the_order_of_acceptance_is_not_that_of_the_clock() {
    let f = Fixture::new();
    let mut ids = Vec::new();
    for (i, jump) in [0, HOUR, -HOUR, 0, -HOUR + 1].into_iter().enumerate() {
        let new = f.upload("alice", &format!("bundle {i}"));
        ids.push(f.accept(new, T0.plus_seconds(jump)).unwrap().submission.id);
    }
    let listed = f
        .store
        .read(|tx| submissions::list(tx, &Filter::default(), None, 10))
        .unwrap()
        .submissions;
    let listed: Vec<String> = listed.into_iter().rev().map(|one| one.id).collect();
    assert_eq!(listed, ids);
    let next = f
        .store
        .read(|tx| queue::next_few(tx, Line::Checks, T0.plus_seconds(-HOUR), 10))
        .unwrap();
    assert_eq!(next.into_iter().map(|one| one.id).collect::<Vec<_>>(), ids);
}

#[test]
fn whoever_came_first_is_senior_by_time_as_well() {
    let f = Fixture::new();
    let mut times = Vec::new();
    for (i, jump) in [0, 0, HOUR, -HOUR, 0, -HOUR + 1, HOUR + 1]
        .into_iter()
        .enumerate()
    {
        let new = f.upload("alice", &format!("bundle {i}"));
        let accepted = f.accept(new, T0.plus_seconds(jump)).unwrap();
        times.push(accepted.submission.accepted_at);
        assert_eq!(
            accepted.submission.epoch_id,
            accepted.submission.accepted_at.epoch_id()
        );
    }
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
    assert_eq!(times[0], T0);
    assert_eq!(times[2], T0.plus_seconds(HOUR));
    assert_eq!(
        times[6],
        T0.plus_seconds(HOUR + 1),
        "the clock again, once it is past them"
    );
}

#[test]
fn a_day_that_comes_again_brings_no_uploads() {
    let f = Fixture::new();
    let day = 24 * HOUR;
    let allowed = f.store.read(rounds::current).unwrap().unwrap().uploads_per_day;
    for i in 0..allowed {
        f.accept(f.upload("alice", &format!("bundle {i}")), T0.plus_seconds(day))
            .unwrap();
    }
    let refused = f.accept(f.upload("alice", "one more"), T0);
    assert_eq!(
        refused,
        Err(Refused::UploadBudget {
            used: allowed,
            allowed
        })
    );
}

#[test]
fn a_clock_that_is_set_back_makes_nobody_wait() {
    let f = Fixture::new();
    let id = f.queued("alice", "bundle");
    let waiting = id.clone();
    f.store
        .write(move |tx| {
            let until = T0.plus_seconds(60);
            submissions::wait(tx, &waiting, Wait::Retry, None, Some(until), T0)
        })
        .unwrap();
    for (jump, is_due) in [
        (0, false),
        (59, false),
        (60, true),
        (HOUR, true),
        (-1, true),
        (-HOUR, true),
    ] {
        let next = f
            .store
            .read(|tx| queue::next(tx, Line::Runs, T0.plus_seconds(jump)))
            .unwrap();
        assert_eq!(next.is_some(), is_due, "{jump}");
    }
}

#[test]
fn a_replay_finds_its_nonce_used_whatever_the_clock_does() {
    let f = Fixture::new();
    let new = |request: &str| NewUpload {
        nonce: Some(nonce("alice", "n", request)),
        ..f.upload("alice", "bundle")
    };
    f.accept(new("request"), T0).unwrap();
    // The server sweeps after a jump forward, and the clock comes back.
    let swept = f
        .store
        .write(|tx| uploads::forget_nonces(tx, T0.plus_seconds(300 + HOUR), 100))
        .unwrap();
    assert_eq!(swept, 0);
    for jump in [-HOUR, 0, HOUR] {
        let replayed = f.accept(new("another request"), T0.plus_seconds(jump));
        assert_eq!(replayed, Err(Refused::NonceUsed), "{jump}");
    }
}
