//! Group commit: many jobs, one sync, and no job's failure is another's.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
    mpsc::{channel, sync_channel},
};

use super::fixture::{Fixture, T0};
use crate::{
    Store, StoreError, Write,
    events::{self, Written},
    meta, uploads,
};

type Job = Box<dyn FnOnce(&Write) -> crate::Result<()> + Send>;

/// Keeps the writing thread busy until the returned sender is used or dropped, so that what is sent meanwhile waits.
fn hold(store: &Store) -> std::sync::mpsc::Sender<()> {
    let (release, wait) = channel::<()>();
    let (busy, is_busy) = sync_channel(1);
    store.write_then(
        move |_| {
            let _ = busy.send(());
            let _ = wait.recv();
            Ok(())
        },
        |_| {},
    );
    is_busy.recv().unwrap();
    release
}

fn set(key: &str) -> impl FnOnce(&Write) -> crate::Result<()> + Send + 'static {
    let key = key.to_owned();
    move |tx| meta::set(tx, &key, Some("set"))
}

fn is_set(f: &Fixture, key: &str) -> bool {
    f.store.read(|tx| meta::get(tx, key)).unwrap().is_some()
}

#[test]
fn what_waits_is_committed_together_and_each_hears_its_own() {
    let f = Fixture::new();
    let commits = Arc::new(AtomicUsize::new(0));
    let seen = Arc::new(Mutex::new(Vec::new()));
    f.store.subscribe(Box::new({
        let (commits, seen) = (Arc::clone(&commits), Arc::clone(&seen));
        move |written| {
            commits.fetch_add(1, Ordering::SeqCst);
            seen.lock().unwrap().extend_from_slice(written);
        }
    }));
    let release = hold(&f.store);
    let (answers, answered) = channel();
    for i in 0..130 {
        let new = f.upload(&format!("hotkey {i}"), "bundle");
        let answers = answers.clone();
        f.store.write_then(
            move |tx| uploads::accept(tx, &new, T0),
            move |answer| answers.send(answer.unwrap().unwrap().submission.seq).unwrap(),
        );
    }
    drop(release);
    let order: Vec<i64> = answered.iter().take(130).collect();
    assert_eq!(order, (1..=130).collect::<Vec<_>>());
    f.store.write(|_| Ok(())).unwrap();
    // 64, 64 and 2.
    assert_eq!(commits.load(Ordering::SeqCst), 3);
    let told: Vec<(i64, i64)> = seen
        .lock()
        .unwrap()
        .iter()
        .map(|one: &Written| (one.event, one.submission))
        .collect();
    assert_eq!(
        told,
        (1..=130).map(|number| (number, number)).collect::<Vec<_>>(),
        "which, and whose"
    );
}

/// What is kept in memory is forgotten before anybody hears that his write is done, and finds an older answer.
#[test]
fn listeners_are_told_before_the_answers_are_given() {
    let f = Fixture::new();
    let (said, order) = channel();
    f.store.subscribe(Box::new({
        let said = said.clone();
        move |written| said.send(format!("told of {}", written.len())).unwrap()
    }));
    let release = hold(&f.store);
    for i in 0..2 {
        let new = f.upload(&format!("hotkey {i}"), "bundle");
        let said = said.clone();
        f.store.write_then(
            move |tx| uploads::accept(tx, &new, T0),
            move |answer| {
                let number = answer.unwrap().unwrap().submission.seq;
                said.send(format!("answered {number}")).unwrap();
            },
        );
    }
    drop(release);
    let order: Vec<String> = order.iter().take(3).collect();
    assert_eq!(order, ["told of 2", "answered 1", "answered 2"]);
}

#[test]
fn one_that_fails_or_panics_does_not_harm_the_others() {
    let f = Fixture::new();
    let last = Arc::new(Mutex::new(0));
    f.store.subscribe(Box::new({
        let last = Arc::clone(&last);
        move |written| *last.lock().unwrap() = written.last().unwrap().event
    }));
    let release = hold(&f.store);
    let (answers, answered) = channel();
    let send = |what: &'static str, job: Job| {
        let answers = answers.clone();
        f.store
            .write_then(job, move |answer| answers.send((what, answer)).unwrap());
    };
    let (one, two, three) = (f.upload("a", "1"), f.upload("b", "2"), f.upload("c", "3"));
    send(
        "first",
        Box::new(move |tx| uploads::accept(tx, &one, T0).map(drop)),
    );
    send(
        "refused",
        Box::new(move |tx| {
            uploads::accept(tx, &two, T0)?.unwrap();
            Err(StoreError::NotAllowed("no".to_owned()))
        }),
    );
    send(
        "panics",
        Box::new(move |tx| {
            uploads::accept(tx, &three, T0)?.unwrap();
            panic!("on purpose")
        }),
    );
    send(
        "sql",
        Box::new(|tx| Ok(tx.conn.execute_batch("INSERT INTO events (seq) VALUES (1)")?)),
    );
    send("last", Box::new(set("last")));
    drop(release);
    for expected in ["first", "refused", "panics", "sql", "last"] {
        let (what, answer) = answered.recv().unwrap();
        assert_eq!(what, expected);
        match (what, answer) {
            ("first" | "last", Ok(())) | ("sql", Err(StoreError::Database(_))) => {}
            ("refused", Err(StoreError::NotAllowed(told))) => assert_eq!(told, "no"),
            ("panics", Err(StoreError::Panicked(told))) => assert_eq!(told, "on purpose"),
            other => panic!("{other:?}"),
        }
    }
    f.store.write(|_| Ok(())).unwrap();
    assert!(is_set(&f, "last"));
    assert_eq!(f.store.read(events::last_seq).unwrap(), 1);
    assert_eq!(
        *last.lock().unwrap(),
        1,
        "nobody hears of events that were taken back"
    );
}

#[test]
fn a_commit_that_fails_fails_for_all_and_the_store_goes_on() {
    let f = Fixture::new();
    let before = f.dump();
    let release = hold(&f.store);
    let (answers, answered) = channel();
    for i in 0..5 {
        let (new, answers) = (f.upload(&format!("hotkey {i}"), "bundle"), answers.clone());
        f.store.write_then(
            move |tx| {
                if i == 3 {
                    // Found only when the whole transaction is committed.
                    tx.conn.execute_batch(
                        "PRAGMA defer_foreign_keys = ON;
                         INSERT INTO events (submission, at, actor, status, sentence) VALUES (99, 0, 'owner', 'held', '')",
                    )?;
                }
                if i == 4 {
                    return Err(StoreError::NotAllowed("its own".to_owned()));
                }
                uploads::accept(tx, &new, T0).map(drop)
            },
            move |answer| answers.send(answer).unwrap(),
        );
    }
    drop(release);
    for i in 0..5 {
        match answered.recv().unwrap() {
            Err(StoreError::Database(told)) => assert!(i < 4 && told.contains("commit"), "{i} {told}"),
            Err(StoreError::NotAllowed(told)) => assert_eq!((i, told.as_str()), (4, "its own")),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(f.dump(), before);
    f.submit("alice", "bundle");
}

#[test]
fn sixty_four_threads_lose_nothing_and_get_numbers_in_order() {
    let f = Fixture::new();
    let seqs: Vec<i64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..64)
            .map(|thread| {
                let f = &f;
                scope.spawn(move || {
                    (0..4)
                        .map(|i| {
                            let new = f.upload(&format!("hotkey {thread}"), &format!("bundle {i}"));
                            let seq = f.accept(new.clone(), T0).unwrap().submission.seq;
                            // Whoever has an answer finds it.
                            assert_eq!(f.get(&new.id).seq, seq);
                            seq
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| {
                let mine = thread.join().unwrap();
                assert!(mine.is_sorted());
                mine
            })
            .collect()
    });
    let mut sorted = seqs;
    sorted.sort_unstable();
    assert_eq!(sorted, (1..=256).collect::<Vec<_>>());
}

#[test]
fn a_reader_sees_one_moment() {
    let f = Fixture::new();
    f.store
        .read(|tx| {
            assert_eq!(meta::get(tx, "key")?, None);
            f.store.write(set("key")).unwrap();
            assert_eq!(meta::get(tx, "key")?, None, "the snapshot is from before");
            Ok(())
        })
        .unwrap();
    assert!(is_set(&f, "key"));
}

#[test]
fn a_reader_that_fails_or_panics_gives_its_connection_back() {
    let f = Fixture::new();
    for _ in 0..10 {
        let failed: crate::Result<()> = f.store.read(|_| Err(StoreError::Stopped));
        failed.unwrap_err();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _ = f.store.read::<()>(|_| panic!("on purpose"));
        }));
        panicked.unwrap_err();
    }
    f.store.write(set("key")).unwrap();
    assert!(is_set(&f, "key"));
}

#[test]
fn readers_cannot_write() {
    let f = Fixture::new();
    let before = f.dump();
    let written = f.store.read(|tx| {
        Ok(tx
            .conn
            .execute_batch("DELETE FROM meta; INSERT INTO meta VALUES ('a', 'b')")?)
    });
    assert!(written.is_err());
    assert_eq!(f.dump(), before);
}

#[test]
fn closing_waits_for_what_was_sent_and_an_answer_may_own_the_store() {
    let f = Fixture::new();
    let Fixture { store, dir } = f;
    let release = hold(&store);
    let (answers, answered) = channel();
    for i in 0..100 {
        let answers = answers.clone();
        store.write_then(set(&format!("key {i}")), move |answer| {
            answers.send(answer.is_ok()).unwrap();
        });
    }
    let last = store.clone();
    store.write_then(|_| Ok(()), move |_: crate::Result<()>| drop(last));
    drop(answers);
    drop(release);
    drop(store);
    assert_eq!(answered.iter().filter(|ok| *ok).count(), 100);
    // The thread may close the store after us here; the lock says when.
    let store = loop {
        match Store::open(dir.path(), T0) {
            Ok(store) => break store,
            Err(StoreError::Locked { .. }) => std::thread::yield_now(),
            Err(other) => panic!("{other}"),
        }
    };
    let f = Fixture { store, dir };
    assert!((0..100).all(|i| is_set(&f, &format!("key {i}"))));
}
