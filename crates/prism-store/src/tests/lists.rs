//! Lists and counts, and that none of them reads all there is.

use std::sync::{
    Arc,
    atomic::{AtomicI32, Ordering},
};

use prism_core::{
    hash::Sha256Hash,
    outcome::{Reason, Status},
    submission::{Actor, Position, Stage},
    time::Timestamp,
};

use rusqlite::{
    Connection, StatementStatus,
    trace::{TraceEvent, TraceEventCodes},
};

use super::fixture::{Fixture, T0, end, finish, nonce, result, run, step, upload};
use crate::{
    Write, architectures,
    attempts::{self, Of, Taken},
    budgets, events,
    queue::{self, Line},
    results::{self, Scope},
    store::DATABASE_FILE,
    submissions::{self, Contract, Filter},
    uploads::{self, NewUpload},
};

fn list(f: &Fixture, filter: &Filter) -> Vec<String> {
    let page = f
        .store
        .read(|tx| submissions::list(tx, filter, None, 1000))
        .unwrap();
    assert_eq!(page.next, None);
    page.submissions.into_iter().map(|one| one.id).collect()
}

#[test]
fn filters_can_be_combined_and_pages_miss_nothing() {
    let f = Fixture::new();
    let (a, _) = f.completed("alice", "1", 0.5);
    let b = f.queued("alice", "2");
    let c = f.submit("bob", "3").id;
    let any = Filter::default();
    assert_eq!(list(&f, &any), [c.clone(), b.clone(), a.clone()]);
    let hotkey = |hotkey: &str| Filter {
        hotkey: Some(hotkey.to_owned()),
        ..Filter::default()
    };
    let status = |status: &str| Filter {
        status: Some(status.to_owned()),
        ..Filter::default()
    };
    assert_eq!(list(&f, &hotkey("alice")), [b.clone(), a.clone()]);
    assert_eq!(list(&f, &status("pending")), [c.clone(), b.clone()]);
    assert_eq!(
        list(
            &f,
            &Filter {
                stage: Some(Stage::Queued),
                ..any.clone()
            }
        ),
        std::slice::from_ref(&b)
    );
    assert_eq!(
        list(
            &f,
            &Filter {
                round: Some(f.round_id()),
                ..status("completed")
            }
        ),
        std::slice::from_ref(&a)
    );
    assert_eq!(
        list(
            &f,
            &Filter {
                epoch: Some(T0.epoch_id()),
                ..hotkey("bob")
            }
        ),
        std::slice::from_ref(&c)
    );
    for none in [
        hotkey("carol"),
        status("nonsense'; DROP TABLE submissions"),
        Filter {
            epoch: Some(1),
            ..any.clone()
        },
        Filter {
            round: Some("x".to_owned()),
            ..any.clone()
        },
        Filter {
            architecture: Some(Sha256Hash::of(b"")),
            ..any.clone()
        },
    ] {
        assert!(list(&f, &none).is_empty(), "{none:?}");
    }
    let (mut paged, mut cursor) = (Vec::new(), None);
    loop {
        let page = f.store.read(|tx| submissions::list(tx, &any, cursor, 2)).unwrap();
        assert!(page.submissions.len() <= 2);
        paged.extend(page.submissions.into_iter().map(|one| one.id));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(paged, [c, b, a]);
    assert_eq!(
        f.store
            .read(|tx| submissions::by_hotkey(tx, "alice", 1))
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn counts_are_those_of_the_rows() {
    let f = Fixture::new();
    f.completed("alice", "1", 0.5);
    f.queued("alice", "2");
    f.queued("alice", "3");
    let failed = f.submit("bob", "4").id;
    f.step(&failed, Position::Ended(Status::Failed), Actor::Pipeline)
        .unwrap();
    let mut counts = f.store.read(submissions::counts).unwrap();
    counts.sort_by_key(|(position, _)| position.to_string());
    assert_eq!(
        counts,
        [
            (Position::Ended(Status::Completed), 1),
            (Position::Ended(Status::Failed), 1),
            (Position::Pending(Stage::Queued), 2)
        ]
    );
    let day = T0.day();
    for (i, seconds) in [(0, 86_399), (1, 86_400), (2, 3 * 86_400)] {
        f.accept(f.upload("carol", &format!("later {i}")), T0.plus_seconds(seconds))
            .unwrap();
    }
    let by_day = |since| f.store.read(|tx| submissions::counts_by_day(tx, since)).unwrap();
    assert_eq!(by_day(0), [(day, 5), (day + 1, 1), (day + 3, 1)]);
    assert_eq!(by_day(day + 1), [(day + 1, 1), (day + 3, 1)]);
    assert!(by_day(day + 4).is_empty());
    assert_eq!(Timestamp::date_of_day(day), "2026-01-01");
    let epoch = T0.epoch_id();
    let epochs = |limit| f.store.read(|tx| submissions::epochs(tx, limit)).unwrap();
    assert_eq!(epochs(10), [epoch + 12, epoch + 4, epoch + 3, epoch]);
    assert_eq!(epochs(2), [epoch + 12, epoch + 4]);
    let empty = tempfile::tempdir().unwrap();
    let empty = crate::Store::open(empty.path(), T0).unwrap();
    assert!(empty.read(|tx| submissions::epochs(tx, 10)).unwrap().is_empty());
}

#[test]
fn events_are_read_from_where_one_was() {
    let f = Fixture::new();
    let (a, b) = (f.queued("alice", "1"), f.queued("bob", "2"));
    let all = f.store.read(|tx| events::since(tx, 0, 100)).unwrap();
    assert_eq!(
        all.iter().map(|event| event.seq).collect::<Vec<_>>(),
        [1, 2, 3, 4]
    );
    assert_eq!(f.store.read(events::last_seq).unwrap(), 4);
    let of = |id: &str, after| f.store.read(|tx| events::of(tx, id, after, 100)).unwrap().len();
    assert_eq!(
        (of(&a, 0), of(&b, 0), of(&b, 3), of(&b, 4), of("none", 0)),
        (2, 2, 1, 0, 0)
    );
    assert_eq!(f.store.read(|tx| events::since(tx, 1, 2)).unwrap().len(), 2);
}

#[test]
fn architectures_are_families_with_a_first_author() {
    let f = Fixture::new();
    let set = |id: &str, architecture: &str, training: &str| {
        let id = id.to_owned();
        let contract = Contract {
            bundle_sha256: Sha256Hash::of(format!("{architecture}{training}").as_bytes()),
            architecture_sha256: Sha256Hash::of(architecture.as_bytes()),
            training_sha256: Sha256Hash::of(training.as_bytes()),
            name: Some(format!("{id} of {architecture}")),
        };
        f.store
            .write(move |tx| submissions::set_contract(tx, &id, &contract, T0))
            .unwrap();
    };
    let (one, _) = f.completed("alice", "1", 0.4);
    let (two, _) = f.completed("bob", "2", 0.5);
    let (three, _) = f.completed("carol", "3", 0.45);
    let four = f.queued("dave", "4");
    for (id, architecture, training) in [
        (&one, "A", "x"),
        (&two, "A", "y"),
        (&three, "B", "x"),
        (&four, "C", "x"),
    ] {
        set(id, architecture, training);
    }
    let list = f.store.read(|tx| architectures::list(tx, None)).unwrap();
    let shown: Vec<_> = list
        .iter()
        .map(|of| {
            (
                of.owner_hotkey.as_str(),
                of.best.clone(),
                of.variants,
                of.submissions,
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("alice", Some((0.5, two)), 2, 2),
            ("carol", Some((0.45, three)), 1, 1),
            ("dave", None, 1, 1)
        ]
    );
    assert_eq!(list[0].name.as_deref(), Some(format!("{one} of A").as_str()));
    let get = |name: &str| {
        f.store
            .read(|tx| architectures::get(tx, &Sha256Hash::of(name.as_bytes())))
            .unwrap()
    };
    assert_eq!((get("A").as_ref(), get("D")), (Some(&list[0]), None));
    assert_eq!(
        f.store.read(architectures::newest_scored_epoch).unwrap(),
        Some(T0.epoch_id())
    );
    assert!(
        f.store
            .read(|tx| architectures::list(tx, Some(1)))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn the_board_is_of_a_round_an_epoch_or_all_time() {
    let f = Fixture::new();
    f.completed("alice", "1", 0.5);
    f.completed("bob", "2", 0.4);
    f.queued("carol", "3");
    for (scope, count) in [
        (Scope::Round(f.round_id()), 2),
        (Scope::Round("none".to_owned()), 0),
        (Scope::Epoch(T0.epoch_id()), 2),
        (Scope::Epoch(1), 0),
        (Scope::All, 2),
    ] {
        assert_eq!(
            f.store.read(|tx| results::scored(tx, &scope)).unwrap().len(),
            count,
            "{scope:?}"
        );
    }
}

/// Something that a request asks, and its name.
type Query<'a> = (&'a str, Box<dyn Fn(&Write) -> crate::Result<()> + 'a>);

/// Steps of SQLite's machine that something takes.
fn steps_of(f: &Fixture, what: &dyn Fn(&Write) -> crate::Result<()>) -> i32 {
    let steps = Arc::new(AtomicI32::new(0));
    let counted = Arc::clone(&steps);
    let mut conn = Connection::open(f.dir.path().join(DATABASE_FILE)).unwrap();
    conn.trace_v2(
        TraceEventCodes::SQLITE_TRACE_PROFILE,
        Some(move |event: TraceEvent<'_>| {
            if let TraceEvent::Profile(statement, _) = event {
                counted.fetch_add(statement.get_status(StatementStatus::VmStep), Ordering::SeqCst);
            }
        }),
    )
    .unwrap();
    let tx = Write::on(conn, f.store.blobs().clone());
    tx.conn.execute_batch("BEGIN").unwrap();
    what(&tx).unwrap();
    tx.conn.execute_batch("ROLLBACK").unwrap();
    drop(tx);
    steps.load(Ordering::SeqCst)
}

/// Submissions of as many hotkeys, all of them run and rejected.
fn populate(f: &Fixture, numbers: std::ops::Range<u32>) {
    f.blob("bundle");
    f.store
        .write(move |tx| {
            for number in numbers {
                let hotkey = format!("hotkey {number}");
                let new = NewUpload {
                    nonce: Some(nonce(&hotkey, "n", "r")),
                    ..upload(&hotkey, "bundle")
                };
                uploads::accept(tx, &new, T0)?.unwrap();
                step(tx, &new.id, Position::Pending(Stage::Queued), Actor::Pipeline)?;
                let attempt = run(tx, Of::Main(new.id.clone()))?;
                budgets::charge(tx, attempt.id, T0)?;
                let end = end(Reason::TrainException);
                assert_eq!(
                    attempts::ended(tx, attempt.id, &attempt.nonce, &end, T0)?,
                    Taken::Taken
                );
                results::store(tx, attempt.id, &result(0.5), T0)?;
                step(tx, &new.id, Position::Ended(Status::Rejected), Actor::Pipeline)?;
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn what_a_request_asks_costs_the_same_however_many_there_are() {
    let f = Fixture::new();
    let (scored, _) = f.completed("alice", "1", 0.5);
    let queued = f.queued("bob", "2");
    let new = f.upload("carol", "new");
    let filter = |set: &dyn Fn(&mut Filter)| {
        let mut filter = Filter::default();
        set(&mut filter);
        filter
    };
    let filters = [
        ("all", Filter::default()),
        (
            "by hotkey",
            filter(&|filter| filter.hotkey = Some("alice".to_owned())),
        ),
        (
            "by status",
            filter(&|filter| filter.status = Some("rejected".to_owned())),
        ),
        (
            "by status",
            filter(&|filter| filter.status = Some("completed".to_owned())),
        ),
        ("by stage", filter(&|filter| filter.stage = Some(Stage::Queued))),
        ("by round", filter(&|filter| filter.round = Some(f.round_id()))),
        ("by epoch", filter(&|filter| filter.epoch = Some(T0.epoch_id()))),
        ("by epoch", filter(&|filter| filter.epoch = Some(1))),
    ];
    let mut queries: Vec<Query<'_>> = vec![
        ("find", Box::new(|tx| submissions::find(tx, &scored).map(drop))),
        ("attempts", Box::new(|tx| attempts::of(tx, &scored).map(drop))),
        ("live", Box::new(|tx| attempts::live(tx).map(drop))),
        ("results", Box::new(|tx| results::of(tx, &scored).map(drop))),
        (
            "scored",
            Box::new(|tx| results::scored(tx, &Scope::Round(f.round_id())).map(drop)),
        ),
        ("next", Box::new(|tx| queue::next(tx, Line::Runs, T0).map(drop))),
        ("position", Box::new(|tx| queue::position(tx, &queued).map(drop))),
        ("depth", Box::new(|tx| queue::depth(tx).map(drop))),
        ("unfinished", Box::new(|tx| submissions::unfinished(tx).map(drop))),
        (
            "budget",
            Box::new(|tx| budgets::of(tx, "alice", T0.day()).map(drop)),
        ),
        (
            "nonce",
            Box::new(|tx| uploads::nonce(tx, &nonce("alice", "n", "r")).map(drop)),
        ),
        ("events", Box::new(|tx| events::of(tx, &queued, 0, 10).map(drop))),
        ("epochs", Box::new(|tx| submissions::epochs(tx, 10).map(drop))),
        (
            "duplicate",
            Box::new(|tx| submissions::duplicate_of(tx, &queued).map(drop)),
        ),
    ];
    queries.extend([
        (
            "accept",
            Box::new(|tx: &Write| uploads::accept(tx, &new, T0).map(drop)) as Box<_>,
        ),
        (
            "begin",
            Box::new(|tx: &Write| run(tx, Of::Main(queued.clone())).map(drop)) as Box<_>,
        ),
        (
            "finish",
            Box::new(|tx: &Write| {
                let attempt = run(tx, Of::Main(queued.clone()))?;
                let completed = Position::Ended(Status::Completed);
                finish(tx, &queued, &attempt, 0.5, completed)?;
                results::invalidate(tx, &queued, "a fault", T0)
            }) as Box<_>,
        ),
        (
            "forget",
            Box::new(|tx: &Write| uploads::forget_nonces(tx, T0, 10).map(drop)) as Box<_>,
        ),
    ]);
    for (name, filter) in &filters {
        queries.push((
            name,
            Box::new(move |tx| submissions::list(tx, filter, None, 10).map(drop)),
        ));
    }
    populate(&f, 0..200);
    let few: Vec<i32> = queries.iter().map(|(_, query)| steps_of(&f, query)).collect();
    populate(&f, 200..1000);
    let grew: Vec<String> = queries
        .iter()
        .zip(few)
        .map(|((name, query), few)| (name, few, steps_of(&f, query)))
        .filter(|(_, few, many)| *few == 0 || *many > few + 50)
        .map(|(name, few, many)| format!("{name}: {few} steps with 200 submissions, {many} with 1,000"))
        .collect();
    assert!(grew.is_empty(), "{grew:#?}");
}

/// An index with a condition makes SQLite plan a statement anew for each value, unless it is told not to.
#[test]
fn no_statement_is_planned_anew_for_another_value() {
    let f = Fixture::new();
    let planned_anew = |conn: &Connection| {
        // One round at most is open, by an index of those.
        let mut statement = conn
            .prepare_cached("SELECT id FROM rounds WHERE state = ?")
            .unwrap();
        for state in ["open", "closed", "open"] {
            let mut rows = statement.query([state]).unwrap();
            while rows.next().unwrap().is_some() {}
        }
        statement.get_status(StatementStatus::RePrepare)
    };
    let plain = Connection::open(f.dir.path().join(DATABASE_FILE)).unwrap();
    assert!(planned_anew(&plain) > 0, "otherwise this test shows nothing");
    f.store
        .read(|tx| {
            assert_eq!(planned_anew(&tx.conn), 0);
            Ok(())
        })
        .unwrap();
    f.store
        .write(move |tx| {
            assert_eq!(planned_anew(&tx.conn), 0);
            Ok(())
        })
        .unwrap();
}
