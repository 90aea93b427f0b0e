//! The lines: acceptance decides, confirmations go first, and who waits loses no place.

use prism_core::{
    outcome::Status,
    submission::{Actor, Position, Stage, Wait},
};

use super::fixture::{Fixture, T0, finish, new_attempt};
use crate::{
    attempts::{self, Of},
    queue::{self, Depth, Line, Place},
    submissions,
};

fn next(f: &Fixture, line: Line) -> Option<String> {
    f.store
        .read(|tx| queue::next(tx, line, T0))
        .unwrap()
        .map(|next| next.id)
}

fn place(f: &Fixture, id: &str) -> Option<(Line, u64, u64)> {
    let place = f.store.read(|tx| queue::position(tx, id)).unwrap();
    place.map(|Place { line, place, of }| (line, place, of))
}

fn wait(f: &Fixture, id: &str, seconds: i64) {
    let id = id.to_owned();
    let until = T0.plus_seconds(seconds);
    f.store
        .write(move |tx| submissions::wait(tx, &id, Wait::Retry, None, Some(until), T0))
        .unwrap();
}

#[test]
fn acceptance_decides_and_confirmations_go_first() {
    let f = Fixture::new();
    assert_eq!(next(&f, Line::Runs), None);
    let one = f.queued("a", "1");
    let two = f.queued("b", "2");
    let three = f.queued("c", "3");
    assert_eq!(next(&f, Line::Runs), Some(one.clone()));
    assert_eq!(place(&f, &three), Some((Line::Runs, 3, 3)));
    // The last one was quick, and is to be confirmed.
    let attempt = f.run(Of::Main(three.clone()));
    assert_eq!(
        (place(&f, &three), place(&f, &two)),
        (None, Some((Line::Runs, 2, 2)))
    );
    let id = three.clone();
    f.store
        .write(move |tx| finish(tx, &id, &attempt, 0.5, Position::Pending(Stage::Confirming)))
        .unwrap();
    assert_eq!(next(&f, Line::Runs), Some(three.clone()));
    assert_eq!(
        (place(&f, &three), place(&f, &one)),
        (Some((Line::Runs, 1, 3)), Some((Line::Runs, 2, 3)))
    );
    let few = f
        .store
        .read(|tx| queue::next_few(tx, Line::Runs, T0, 10))
        .unwrap();
    assert_eq!(
        few.into_iter().map(|next| next.id).collect::<Vec<_>>(),
        [three, one, two]
    );
    assert_eq!(
        f.store.read(queue::depth).unwrap(),
        Depth {
            checks: 0,
            reviews: 0,
            runs: 3,
            confirming: 1,
            running: 0
        }
    );
}

#[test]
fn who_has_a_live_attempt_is_not_next() {
    let f = Fixture::new();
    let (one, two) = (f.queued("a", "1"), f.queued("b", "2"));
    let new = new_attempt(Of::Main(one.clone()), 1);
    f.store.write(move |tx| attempts::begin(tx, &new, T0)).unwrap();
    assert_eq!(next(&f, Line::Runs), Some(two.clone()));
    assert_eq!(
        (place(&f, &one), place(&f, &two)),
        (None, Some((Line::Runs, 1, 1)))
    );
    assert_eq!(f.store.read(queue::depth).unwrap().runs, 1);
}

#[test]
fn who_waits_is_passed_over_and_loses_no_place() {
    let f = Fixture::new();
    let (one, two) = (f.queued("a", "1"), f.queued("b", "2"));
    wait(&f, &one, 60);
    assert_eq!(next(&f, Line::Runs), Some(two));
    assert_eq!(place(&f, &one), Some((Line::Runs, 1, 2)));
    let later = |seconds| {
        f.store
            .read(|tx| queue::next(tx, Line::Runs, T0.plus_seconds(seconds)))
            .unwrap()
            .unwrap()
            .id
    };
    assert_ne!(later(59), one);
    assert_eq!(later(60), one);
}

#[test]
fn each_line_has_its_own() {
    let f = Fixture::new();
    let queued = f.queued("a", "1");
    let received = f.submit("b", "2").id;
    let gate = f.submit("c", "3").id;
    f.step(&gate, Position::Pending(Stage::Gate), Actor::Pipeline)
        .unwrap();
    f.completed("d", "4", 0.5);
    let review = f.submit("f", "6").id;
    f.step(&review, Position::Pending(Stage::Review), Actor::Pipeline)
        .unwrap();
    assert_eq!(place(&f, &review), Some((Line::Reviews, 1, 1)));
    assert_eq!(next(&f, Line::Reviews), Some(review.clone()));
    let held = f.submit("e", "5").id;
    f.step(&held, Position::Ended(Status::Held), Actor::Pipeline)
        .unwrap();
    assert_eq!(
        (next(&f, Line::Checks), next(&f, Line::Runs)),
        (Some(received.clone()), Some(queued.clone()))
    );
    assert_eq!(place(&f, &gate), Some((Line::Checks, 2, 2)));
    assert_eq!(place(&f, &queued), Some((Line::Runs, 1, 1)));
    assert_eq!(place(&f, &held), None);
    assert_eq!(place(&f, "unknown"), None);
    assert_eq!(
        f.store.read(queue::depth).unwrap(),
        Depth {
            checks: 2,
            reviews: 1,
            runs: 1,
            confirming: 0,
            running: 0
        }
    );
    let open: Vec<String> = f
        .store
        .read(submissions::unfinished)
        .unwrap()
        .into_iter()
        .map(|open| open.id)
        .collect();
    assert_eq!(open, [queued, received, gate, review]);
}

#[test]
fn a_whole_line_is_told_why_it_stands() {
    let f = Fixture::new();
    let (one, two, other) = (f.queued("a", "1"), f.queued("b", "2"), f.submit("c", "3").id);
    wait(&f, &two, 60);
    let tell = |why: Wait, sentence: &'static str| {
        f.store
            .write(move |tx| queue::wait_all(tx, Line::Runs, why, Some(sentence), T0))
            .unwrap()
    };
    assert_eq!(tell(Wait::NoExecutor, "no machine can confine"), 1);
    assert_eq!(tell(Wait::NoExecutor, "no machine can confine"), 0, "nothing new");
    let waits = |id: &str| f.get(id).waiting.unwrap();
    assert_eq!(waits(&one).why, Wait::NoExecutor);
    assert_eq!(waits(&one).sentence.as_deref(), Some("no machine can confine"));
    assert_eq!((waits(&two).why, waits(&other).why), (Wait::Retry, Wait::Queue));
    assert_eq!(next(&f, Line::Runs), Some(one.clone()), "a reason is no time");
    assert_eq!(tell(Wait::Paused, "by the operator"), 1);
    assert_eq!(waits(&one).why, Wait::Paused);
}
