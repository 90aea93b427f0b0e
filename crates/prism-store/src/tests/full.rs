//! A full disk, at each write: an error that says so, nothing half done, and on it goes when there is room again.

use std::{env, path::Path, process::Command, sync::Arc};

use prism_core::{
    outcome::{Reason, Status},
    submission::{Position, Stage},
};

use super::fixture::{Fixture, T0, end, finish, new_attempt, nonce, step, upload};
use crate::{
    Result, Store, StoreError, Write,
    attempts::{self, Of},
    backup::named_blobs,
    results,
    submissions::{self, Contract},
    uploads::{self, NewUpload},
};
use prism_core::hash::Sha256Hash;
use prism_core::submission::Actor;

type Job = Arc<dyn Fn(&Write) -> Result<()> + Send + Sync>;

/// Everything that a submission's life writes, one job each. Texts are long, so that pages fill quickly.
fn life(name: &str) -> Vec<Job> {
    let long = name.repeat(2000);
    let new = NewUpload {
        nonce: Some(nonce(name, "n", name)),
        metadata_json: format!("\"{long}\""),
        ..upload(name, "bundle")
    };
    let id = new.id.clone();
    let of = |job: fn(&Write, &str, &str) -> Result<()>| -> Job {
        let (id, long) = (id.clone(), long.clone());
        Arc::new(move |tx| job(tx, &id, &long))
    };
    let seed = new.id.as_bytes()[0];
    let begin = {
        let id = id.clone();
        move |tx: &Write| {
            let mut new = new_attempt(Of::Main(id.clone()), seed);
            new.nonce.copy_from_slice(&id.as_bytes()[..16]);
            attempts::begin(tx, &new, T0).map(drop)
        }
    };
    vec![
        Arc::new(move |tx| uploads::accept(tx, &new, T0).map(drop)),
        of(|tx, _, long| {
            uploads::answer(tx, &nonce(&long[..20], "m", "x"), 422, long.as_bytes(), T0).map(drop)
        }),
        of(|tx, id, long| {
            let hash = Sha256Hash::of(id.as_bytes());
            let contract = Contract {
                bundle_sha256: hash,
                architecture_sha256: hash,
                training_sha256: hash,
                name: Some(long.to_owned()),
            };
            submissions::set_contract(tx, id, &contract, T0)
        }),
        of(|tx, id, _| step(tx, id, Position::Pending(Stage::Queued), Actor::Pipeline).map(drop)),
        Arc::new(begin),
        of(|tx, id, _| {
            let attempt = attempts::of(tx, id)?.remove(0);
            attempts::started(tx, attempt.id, Some("handle"), T0)?;
            step(tx, id, Position::Running(Stage::Training), Actor::Pipeline).map(drop)
        }),
        of(|tx, id, long| {
            let attempt = attempts::of(tx, id)?.remove(0);
            let late = attempts::End {
                sentence: long.to_owned(),
                ..end(Reason::EndOfData)
            };
            assert_eq!(
                attempts::ended(tx, attempt.id, &[0; 16], &late, T0)?,
                attempts::Taken::Late
            );
            finish(tx, id, &attempt, 0.5, Position::Ended(Status::Completed)).map(drop)
        }),
        of(|tx, id, long| results::invalidate(tx, id, long, T0)),
    ]
}

fn lives(f: &Fixture) -> Vec<Job> {
    f.blob("bundle");
    (0..6).flat_map(|i| life(&format!("hotkey {i} "))).collect()
}

#[test]
fn a_database_that_cannot_grow_refuses_and_stays_whole() {
    let undisturbed = Fixture::new();
    for job in lives(&undisturbed) {
        undisturbed.store.write(move |tx| job(tx)).unwrap();
    }
    let f = Fixture::new();
    let pages = |f: &Fixture| {
        f.store
            .read(|tx| {
                Ok(tx
                    .conn
                    .pragma_query_value(None, "page_count", |row| row.get::<_, i64>(0))?)
            })
            .unwrap()
    };
    let allow = |most: i64| {
        f.store
            .write(move |tx| Ok(tx.conn.pragma_update(None, "max_page_count", most)?))
            .unwrap();
    };
    let mut refused = 0;
    for job in lives(&f) {
        // No page more than there are; then one more at a time, until it fits.
        for more in 0.. {
            allow(pages(&f) + more);
            let before = f.dump();
            let job = Arc::clone(&job);
            match f.store.write(move |tx| job(tx)) {
                Ok(()) => break,
                Err(error) => {
                    assert!(error.is_full(), "{error:?}");
                    assert_eq!(f.dump(), before);
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 20, "{refused}");
    assert_eq!(f.dump(), undisturbed.dump());
    super::kill::check(&f.store);
}

/// Where the child finds the small disk.
const CHILD: &str = "PRISM_STORE_SMALL_DISK";

/// Fills a disk of two megabytes and makes room again, three times.
#[test]
fn child() {
    let Some(dir) = env::var_os(CHILD) else {
        return;
    };
    let dir = Path::new(&dir);
    let store = Store::open(&dir.join("store"), T0).unwrap();
    store
        .write(|tx| crate::rounds::open(tx, &super::fixture::round(1), T0))
        .unwrap();
    let ballast = dir.join("ballast");
    let mut accepted: Vec<(String, Sha256Hash)> = Vec::new();
    let (mut full_blobs, mut full_rows) = (0, 0);
    for fill in 0..3_u32 {
        // Leaves this much, so that now a blob and now a row is the first that has no room.
        let leave = [300_000, 60_000, 20_000][fill as usize];
        let free = usize::try_from(store.free_bytes().unwrap()).unwrap();
        std::fs::write(&ballast, vec![1; free.saturating_sub(leave)]).unwrap();
        for i in 0..400_u32 {
            let name = format!("{fill} {i}");
            let bytes = if i % 2 == 0 {
                name.clone()
            } else {
                name.repeat(4000)
            };
            let put = store.blobs().put(bytes.as_bytes());
            let hash = match put {
                Ok(hash) => hash,
                Err(error) => {
                    assert!(error.is_full(), "{error:?}");
                    assert!(!store.blobs().has(&Sha256Hash::of(bytes.as_bytes())).unwrap());
                    full_blobs += 1;
                    continue;
                }
            };
            let new = NewUpload {
                zip_sha256: hash,
                metadata_json: format!("\"{}\"", "m".repeat(3000)),
                ..upload(&name, &bytes)
            };
            let id = new.id.clone();
            let events = store.read(crate::events::last_seq).unwrap();
            match store.write(move |tx| uploads::accept(tx, &new, T0)) {
                Ok(answer) => {
                    answer.unwrap();
                    accepted.push((id, hash));
                }
                Err(error) => {
                    assert!(error.is_full(), "{error:?}");
                    assert!(store.read(|tx| submissions::find(tx, &id)).unwrap().is_none());
                    assert_eq!(store.read(crate::events::last_seq).unwrap(), events);
                    full_rows += 1;
                }
            }
        }
        std::fs::remove_file(&ballast).unwrap();
        // There is room: the very next one is taken.
        let name = format!("{fill} after");
        let hash = store.blobs().put(name.as_bytes()).unwrap();
        let new = NewUpload {
            zip_sha256: hash,
            ..upload(&name, &name)
        };
        accepted.push((new.id.clone(), hash));
        store
            .write(move |tx| uploads::accept(tx, &new, T0))
            .unwrap()
            .unwrap();
        super::kill::check(&store);
        super::kill::check_blobs(&store);
    }
    drop(store);
    let store = Store::open(&dir.join("store"), T0).unwrap();
    super::kill::check(&store);
    super::kill::check_blobs(&store);
    for (id, hash) in &accepted {
        assert_eq!(
            store.read(|tx| submissions::get(tx, id)).unwrap().zip_sha256,
            *hash
        );
    }
    assert_eq!(store.read(named_blobs).unwrap().len(), accepted.len());
    assert_eq!(std::fs::read_dir(dir.join("store/blobs/tmp")).unwrap().count(), 0);
    println!(
        "@ {} accepted, {full_blobs} blobs and {full_rows} rows refused",
        accepted.len()
    );
    assert!(full_blobs > 0 && full_rows > 0, "{full_blobs} {full_rows}");
}

/// A disk of its own needs a mount, which anybody may make in a namespace of his own.
#[test]
fn a_full_disk_refuses_and_nothing_is_half_done() {
    let dir = tempfile::tempdir().unwrap();
    let out = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c"])
        .arg("mount -t tmpfs -o size=2m tmpfs \"$0\" && exec \"$1\" --exact tests::full::child --nocapture")
        .arg(dir.path())
        .arg(env::current_exe().unwrap())
        .env(CHILD, dir.path())
        .output()
        .unwrap();
    let (said, erred) = (
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr),
    );
    assert!(out.status.success() && said.contains("@ "), "{said}\n{erred}");
}

/// A limit on the size of files stops the database's log at the commit itself: everybody of the group hears of it.
#[test]
fn a_commit_that_cannot_be_written_fails_for_its_group() {
    let dir = tempfile::tempdir().unwrap();
    let out = Command::new("sh")
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 2000; exec \"$0\" --exact tests::full::limited --nocapture",
        ])
        .arg(env::current_exe().unwrap())
        .env(LIMITED, dir.path())
        .output()
        .unwrap();
    let (said, erred) = (
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr),
    );
    assert!(out.status.success() && said.contains("@ "), "{said}\n{erred}");
}

/// Where the child finds its store, which may hold no file of more than a megabyte.
const LIMITED: &str = "PRISM_STORE_LIMITED";

#[test]
fn limited() {
    let Some(dir) = env::var_os(LIMITED) else {
        return;
    };
    let store = Store::open(Path::new(&dir), T0).unwrap();
    store
        .write(|tx| crate::rounds::open(tx, &super::fixture::round(1), T0))
        .unwrap();
    store
        .write(|tx| Ok(tx.conn.pragma_update(None, "wal_autocheckpoint", 0)?))
        .unwrap();
    let hash = store.blobs().put(b"bundle").unwrap();
    let mut refused = 0;
    for i in 0..400 {
        let new = NewUpload {
            zip_sha256: hash,
            metadata_json: format!("\"{}\"", "m".repeat(20_000)),
            ..upload(&format!("hotkey {i}"), "bundle")
        };
        let id = new.id.clone();
        let written = store.write(move |tx| uploads::accept(tx, &new, T0));
        let found = store.read(|tx| submissions::find(tx, &id)).unwrap();
        assert_eq!(found.is_some(), written.is_ok(), "{written:?}");
        refused += i32::from(written.is_err());
        if let Err(error) = written {
            assert!(
                matches!(error, StoreError::Full { .. } | StoreError::Database(_)),
                "{error:?}"
            );
        }
    }
    assert!(store.blobs().put(&vec![7; 3_000_000]).unwrap_err().is_full());
    println!("@ {refused} refused");
    assert!(refused > 0 && refused < 400, "{refused}");
    super::kill::check(&store);
    super::kill::check_blobs(&store);
}
