//! `kill -9` at any moment: what was acknowledged is there, nothing is twice, nothing is half.
//!
//! The test starts itself as another process, which uploads and evaluates as fast as it can on several threads and prints a
//! line for each thing that the store has confirmed. It is killed after a random time; then the store is opened and held
//! against these lines. `PRISM_STORE_KILLS` sets how often.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use prism_core::{
    hash::Sha256Hash,
    outcome::{Reason, Status},
    submission::{Actor, Position, Stage},
};

use super::fixture::{T0, end, finish, id_of, nonce, result, round, run, step};
use crate::{
    Result, Store, StoreError, Write,
    attempts::{self, Kind, Of},
    backup::named_blobs,
    events,
    queue::{self, Line},
    results, rounds,
    submissions::{self, Step},
    uploads::{self, NewUpload},
};

/// Tells a test process that it is the child, and where its store lies.
const CHILD: &str = "PRISM_STORE_CHILD";
const UPLOADERS: u32 = 4;

/// What must be true of every store that opens.
pub(super) fn check(store: &Store) {
    store
        .read(|tx| {
            let one = |sql: &str| tx.conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
            let words = |sql: &str| tx.conn.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
            assert_eq!(words("PRAGMA integrity_check"), "ok");
            assert_eq!(one("SELECT count(*) FROM pragma_foreign_key_check"), 0);
            assert_eq!(
                one("SELECT count(*) - count(DISTINCT attempt_id) FROM results WHERE rescored_from IS NULL"),
                0
            );
            // The last event of each submission says where it stands.
            assert_eq!(
                one("SELECT count(*) FROM submissions s LEFT JOIN events e
                     ON e.seq = (SELECT max(seq) FROM events WHERE submission = s.seq)
                     WHERE e.status IS NOT s.status OR e.stage IS NOT s.stage"),
                0
            );
            // Whoever runs has an attempt, live or just ended; whoever has a live one can still go on.
            assert_eq!(
                one("SELECT count(*) FROM submissions s WHERE s.status = 'running'
                     AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.submission = s.seq)"),
                0
            );
            assert_eq!(
                one(
                    "SELECT count(*) FROM attempts a JOIN submissions s ON s.seq = a.submission
                     WHERE a.state IN ('created', 'started') AND s.stage IS NULL"
                ),
                0
            );
            // An attempt that ended well has its result, in the same moment.
            assert_eq!(
                one(
                    "SELECT count(*) FROM attempts a LEFT JOIN results r ON r.attempt_id = a.id
                     WHERE (a.state = 'ended' AND a.reason = 'end_of_data') <> (r.id IS NOT NULL)"
                ),
                0
            );
            Ok(())
        })
        .unwrap();
}

/// Every blob that a row names is there and whole.
pub(super) fn check_blobs(store: &Store) {
    for hash in store.read(named_blobs).unwrap() {
        store.blobs().open(&hash).unwrap();
    }
}

/// One line of what a store has confirmed.
fn told(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("@ {line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

#[test]
fn child() {
    let Some(dir) = env::var_os(CHILD) else {
        return;
    };
    let store = Store::open(Path::new(&dir), T0).unwrap();
    let current = store.read(rounds::current).unwrap();
    if current.is_none() {
        store.write(|tx| rounds::open(tx, &round(1), T0)).unwrap();
    }
    let start = store.read(events::last_seq).unwrap();
    told("open");
    std::thread::scope(|scope| {
        for uploader in 0..UPLOADERS {
            let store = store.clone();
            scope.spawn(move || {
                for i in 0_u32.. {
                    upload_one(&store, &format!("{start} {uploader} {i}"));
                }
            });
        }
        for kind in [Kind::Main, Kind::Confirm] {
            let store = store.clone();
            scope.spawn(move || {
                loop {
                    work(&store, kind);
                }
            });
        }
    });
}

fn upload_one(store: &Store, name: &str) {
    let bytes = name.repeat(500);
    let hash = store.blobs().put(bytes.as_bytes()).unwrap();
    let new = NewUpload {
        zip_sha256: hash,
        zip_bytes: bytes.len() as u64,
        nonce: Some(nonce(name, "n", name)),
        ..super::fixture::upload(name, name)
    };
    let id = new.id.clone();
    store
        .write(move |tx| uploads::accept(tx, &new, T0))
        .unwrap()
        .unwrap();
    told(&format!("upload {id} {hash} {name}"));
}

/// Takes the next one through its checks, or through a run, and tells its score.
fn work(store: &Store, kind: Kind) {
    let line = if kind == Kind::Main {
        Line::Checks
    } else {
        Line::Runs
    };
    let Some(next) = store.read(|tx| queue::next(tx, line, T0)).unwrap() else {
        std::thread::sleep(Duration::from_millis(1));
        return;
    };
    let id = next.id.clone();
    if kind == Kind::Main {
        store
            .write(move |tx| step(tx, &id, Position::Pending(Stage::Queued), Actor::Pipeline))
            .unwrap();
        return;
    }
    let confirming = next.is_provisional();
    let of = if confirming {
        Of::Confirm(id.clone())
    } else {
        Of::Main(id.clone())
    };
    let attempt = store.write(move |tx| run(tx, of)).unwrap();
    told(&format!("attempt {} {id}", attempt.id));
    let record = store
        .blobs()
        .put(format!("record of {}", attempt.id).repeat(100).as_bytes())
        .unwrap();
    let (number, of) = (attempt.id, id.clone());
    store
        .write(move |tx| {
            let taken = attempts::ended(tx, attempt.id, &attempt.nonce, &end(Reason::EndOfData), T0)?;
            assert_eq!(taken, attempts::Taken::Taken);
            let mut new = result(if confirming { 0.4 } else { 0.5 });
            new.files.record = Some(record);
            let result = results::store(tx, attempt.id, &new, T0)?;
            let to = if confirming || attempt.id % 2 == 0 {
                Position::Ended(Status::Completed)
            } else {
                Position::Pending(Stage::Confirming)
            };
            if !confirming {
                step(tx, &of, Position::Running(Stage::Scoring), Actor::Pipeline)?;
            }
            let last = Step {
                counts: Some(result),
                ..Step::new(to, Actor::Pipeline, "scored")
            };
            submissions::step(tx, &of, &last, T0)
        })
        .unwrap();
    told(&format!("result {number} {id}"));
}

/// A process that is working on a store, and what it has confirmed.
pub(super) struct Working {
    pub(super) child: Child,
    lines: std::sync::mpsc::Receiver<String>,
}

impl Working {
    /// Starts one and waits until its store is open.
    pub(super) fn start(dir: &Path) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "tests::kill::child", "--nocapture"])
            .env(CHILD, dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (line, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for told in out.lines().map_while(std::result::Result::ok) {
                // A line that was cut by the kill has no end, and `lines` would give it: its last word may be short.
                if let Some(told) = told.strip_prefix("@ ") {
                    let _ = line.send(told.to_owned());
                }
            }
        });
        assert_eq!(lines.recv().unwrap(), "open");
        Self { child, lines }
    }

    /// What it has confirmed so far.
    pub(super) fn confirmed(&self) -> Vec<String> {
        self.lines.try_iter().collect()
    }

    /// Kills it and returns the rest of what it had confirmed.
    pub(super) fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.lines.iter().collect()
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Holds a store against everything that was ever confirmed of it.
pub(super) fn check_confirmed(store: &Store, confirmed: &[String]) {
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    for line in confirmed.iter().map(|line| words(line)) {
        match (line[0].as_str(), &line[1..]) {
            ("upload", [id, hash, name @ ..]) => {
                let name = name.join(" ");
                let found = store.read(|tx| submissions::get(tx, id)).unwrap();
                assert_eq!(
                    (found.zip_sha256.to_string(), &found.hotkey),
                    (hash.clone(), &name)
                );
                let zip = store.blobs().read(&found.zip_sha256, 1 << 20).unwrap();
                assert_eq!(zip, name.repeat(500).as_bytes());
                // The lost answer is given again.
                let known = store
                    .read(|tx| uploads::nonce(tx, &nonce(&name, "n", &name)))
                    .unwrap();
                assert!(
                    matches!(known, uploads::Nonce::Repeat(uploads::Answer::Accepted { submission, .. }) if submission == *id)
                );
            }
            ("attempt", [number, id]) => {
                let found = store
                    .read(|tx| attempts::get(tx, number.parse().unwrap()))
                    .unwrap();
                assert_eq!(found.submission.as_ref(), Some(id));
            }
            ("result", [number, id]) => {
                let all = store.read(|tx| results::of(tx, id)).unwrap();
                let found: Vec<_> = all
                    .iter()
                    .filter(|result| result.attempt.to_string() == *number)
                    .collect();
                assert_eq!(found.len(), 1);
                let record = store
                    .blobs()
                    .read(&found[0].result.files.record.unwrap(), 1 << 20)
                    .unwrap();
                assert_eq!(record, format!("record of {number}").repeat(100).as_bytes());
                // The worse one counts as soon as it is known.
                let score = store.read(|tx| submissions::get(tx, id)).unwrap().score.unwrap();
                assert_eq!(
                    score.standing.final_score(),
                    Some(if all.len() == 2 { 0.4 } else { 0.5 })
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

/// What a server does that finds attempts which nobody runs any more.
fn take_up(tx: &Write) -> Result<()> {
    for attempt in attempts::live(tx)? {
        attempts::lost(tx, attempt.id, "its server was killed", T0)?;
        let id = attempt.submission.unwrap();
        let stage = if attempt.kind == Kind::Confirm {
            Stage::Confirming
        } else {
            Stage::Queued
        };
        let again = Step {
            reason: Some(Reason::Lost),
            ..Step::new(Position::Pending(stage), Actor::Pipeline, "its server was killed")
        };
        submissions::step(tx, &id, &again, T0)?;
    }
    Ok(())
}

#[test]
fn kill_nine_at_any_moment_loses_nothing_and_repeats_nothing() {
    let kills: u64 = env::var("PRISM_STORE_KILLS").map_or(20, |count| count.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let mut confirmed = Vec::new();
    let mut counts = BTreeMap::new();
    for kill in 0..kills {
        let working = Working::start(dir.path());
        // Another moment each time, from at once to well within.
        let random = Sha256Hash::of(&kill.to_le_bytes()).0;
        std::thread::sleep(Duration::from_millis(u64::from(random[0])));
        let new = working.kill();
        for line in &new {
            *counts
                .entry(line.split(' ').next().unwrap().to_owned())
                .or_insert(0) += 1;
        }
        let store = Store::open(dir.path(), T0).unwrap();
        check(&store);
        check_confirmed(&store, &new);
        confirmed.extend(new);
        store
            .read(|tx| {
                let doubled: i64 = tx.conn.query_row(
                    "SELECT count(*) FROM (SELECT 1 FROM results GROUP BY submission, kind HAVING count(*) > 1)",
                    [],
                    |row| row.get(0),
                )?;
                assert_eq!(doubled, 0, "no submission is scored twice");
                Ok(())
            })
            .unwrap();
        store.write(take_up).unwrap();
        assert_eq!(fs::read_dir(dir.path().join("blobs/tmp")).unwrap().count(), 0);
    }
    println!("{kills} kills; confirmed: {counts:?}");
    for what in ["upload", "attempt", "result"] {
        assert!(counts.get(what).is_some_and(|count| *count > 0), "{counts:?}");
    }
    // The store that survived all of this has lost nothing on the way, and is an ordinary one.
    let store = Store::open(dir.path(), T0).unwrap();
    check_confirmed(&store, &confirmed);
    check_blobs(&store);
    let id = id_of("the last one");
    assert!(matches!(
        store.read(|tx| submissions::get(tx, &id)),
        Err(StoreError::NotFound { .. })
    ));
    let finished = store.write(|tx| {
        let Some(next) = queue::next(tx, Line::Runs, T0)? else {
            return Ok(());
        };
        let of = if next.is_provisional() {
            Of::Confirm(next.id.clone())
        } else {
            Of::Main(next.id.clone())
        };
        let attempt = run(tx, of)?;
        finish(tx, &next.id, &attempt, 0.3, Position::Ended(Status::Completed)).map(drop)
    });
    finished.unwrap();
}
