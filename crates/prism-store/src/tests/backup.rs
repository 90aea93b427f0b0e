//! Backups: made while the store is in use, whole, and a store themselves.

use std::{fs, os::unix::fs::PermissionsExt as _};

use prism_core::outcome::Status;
use prism_core::submission::Position;

use super::fixture::{Fixture, T0};
use crate::{Store, StoreError, backup::named_blobs, submissions};

#[test]
fn a_backup_is_a_store_that_goes_on_from_there() {
    let f = Fixture::new();
    let (id, _) = f.completed("alice", "bundle", 0.5);
    f.submit("bob", "another");
    f.blob("named by nobody");
    let to = f.dir.path().join("copies").join("monday");
    fs::create_dir(to.parent().unwrap()).unwrap();
    let done = f.store.backup(&to).unwrap();
    assert_eq!((done.blobs, done.blob_bytes), (2, 13));
    assert!(done.database_bytes > 0);
    let before = f.dump();
    f.submit("carol", "after the backup");
    assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(
        fs::metadata(to.join("prism.sqlite3"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o600
    );
    // The original is in use meanwhile: the copy is a store of its own.
    let copy = Store::open(&to, T0).unwrap();
    assert_eq!(copy.read(|tx| Ok(super::fixture::dump(tx))).unwrap(), before);
    for hash in copy.read(named_blobs).unwrap() {
        copy.blobs().open(&hash).unwrap();
    }
    assert_eq!(copy.blobs().all().unwrap().len(), 2);
    let found = copy.read(|tx| submissions::get(tx, &id)).unwrap();
    assert_eq!(found.position, Position::Ended(Status::Completed));
    let copy = Fixture {
        store: copy,
        dir: tempfile::tempdir().unwrap(),
    };
    copy.submit("dave", "in the copy");
    assert_eq!(
        fs::read_dir(to.parent().unwrap()).unwrap().count(),
        1,
        "nothing else is left"
    );
}

#[test]
fn a_backup_overwrites_nothing_and_what_is_damaged_is_not_copied() {
    let f = Fixture::new();
    f.submit("alice", "bundle");
    let copies = tempfile::tempdir().unwrap();
    let to = copies.path().join("copy");
    f.store.backup(&to).unwrap();
    assert!(matches!(f.store.backup(&to), Err(StoreError::NotAllowed(_))));
    assert!(matches!(
        f.store.backup(copies.path()),
        Err(StoreError::NotAllowed(_))
    ));
    assert!(f.store.backup(&copies.path().join("no/such/folder")).is_err());
    let hash = f.blob("bundle");
    fs::write(f.store.blobs().path(&hash), b"Bundle").unwrap();
    let other = copies.path().join("other");
    assert!(matches!(
        f.store.backup(&other),
        Err(StoreError::BlobDamaged { .. })
    ));
    fs::remove_file(f.store.blobs().path(&hash)).unwrap();
    assert!(matches!(f.store.backup(&other), Err(StoreError::BlobMissing(_))));
    assert_eq!(
        fs::read_dir(copies.path()).unwrap().count(),
        1,
        "a failed one leaves nothing"
    );
}

#[test]
fn a_backup_is_of_one_moment_while_others_write() {
    let f = Fixture::new();
    let copies = tempfile::tempdir().unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (f, stop) = (&f, &stop);
            scope.spawn(move || {
                for i in 0.. {
                    if stop.load(std::sync::atomic::Ordering::SeqCst) {
                        break;
                    }
                    f.submit(&format!("hotkey {thread} {}", i / 40), &format!("bundle {i}"));
                }
            });
        }
        for i in 0..3 {
            let to = copies.path().join(i.to_string());
            f.store.backup(&to).unwrap();
            let copy = Store::open(&to, T0).unwrap();
            super::kill::check(&copy);
            super::kill::check_blobs(&copy);
        }
        stop.store(true, std::sync::atomic::Ordering::SeqCst);
    });
}
