//! Where the corpus goes: never over anything else, whole or not at all, and with progress told.

use std::collections::BTreeMap;

use super::*;
use crate::publish::PublishError;

#[test]
fn an_output_is_never_overwritten() {
    let place = Place::new();
    place.write("a.jsonl", jsonl(numbered(0..60)));
    fs::create_dir(place.out()).unwrap();
    // An empty directory is taken; the same corpus again is success.
    let first = place.lock(&options()).unwrap();
    assert_eq!(place.lock(&options()).unwrap(), first);
    // Another corpus is refused, and what is there stays.
    place.write("b.jsonl", jsonl(numbered(60..61)));
    let error = place.lock(&options()).unwrap_err();
    assert!(
        matches!(
            error,
            LockError::Publish(PublishError::OutputIsAnotherCorpus { .. })
        ),
        "{error}"
    );
    assert_eq!(Corpus::open(&place.out()).unwrap().manifest(), &first);
    // So is a directory of other things, before anything is read.
    let full = place.dir.path().join("full");
    fs::create_dir(&full).unwrap();
    fs::write(full.join("thesis.txt"), "precious").unwrap();
    let error = lock(&[place.input()], &full, &options(), &mut |_| panic!("reads")).unwrap_err();
    assert!(
        matches!(error, LockError::Publish(PublishError::OutputNotEmpty { .. })),
        "{error}"
    );
    assert_eq!(fs::read_dir(place.dir.path()).unwrap().count(), 3);
}

#[test]
fn the_same_corpus_but_damaged_is_told() {
    let place = Place::new();
    place.write("a.jsonl", jsonl(numbered(0..60)));
    place.lock(&options()).unwrap();
    fs::write(place.out().join("train-00000.txt"), "damage").unwrap();
    let error = place.lock(&options()).unwrap_err();
    assert!(
        matches!(error, LockError::Publish(PublishError::OutputIsDamaged { .. })),
        "{error}"
    );
}

#[test]
fn cancelling_at_any_moment_leaves_nothing() {
    for stop_after in [0, 1, 5, 61, 80] {
        let place = Place::new();
        place.write("a.jsonl", jsonl(numbered(0..60)));
        let mut calls = 0;
        let stopped = lock(&[place.input()], &place.out(), &options(), &mut |_| {
            calls += 1;
            if calls > stop_after {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        assert!(matches!(stopped, Err(LockError::Cancelled)));
        place.assert_untouched();
    }
}

#[test]
fn progress_runs_to_the_end_of_each_phase() {
    let place = Place::new();
    place.write("a.jsonl", jsonl(numbered(0..60)));
    place.write("b.txt", "Some text.\n".repeat(3000));
    let mut last = BTreeMap::new();
    let mut before = 0;
    lock(&[place.input()], &place.out(), &options(), &mut |progress| {
        let LockProgress {
            phase,
            done: done_bytes,
            total: total_bytes,
            ..
        } = progress;
        let key = format!("{phase:?}");
        before = if last.contains_key(&key) { before } else { 0 };
        assert!(before <= done_bytes && done_bytes <= total_bytes);
        before = done_bytes;
        last.insert(key, (done_bytes, total_bytes));
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(last.len(), 3);
    assert!(
        last.values()
            .all(|(done_bytes, total_bytes)| done_bytes == total_bytes)
    );
}
