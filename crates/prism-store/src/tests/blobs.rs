//! Blobs: whole or not there, checked whenever they are read, and swept only when nobody can be about to name them.

use std::{
    fs,
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::{Duration, SystemTime},
};

use prism_core::{hash::Sha256Hash, time::Timestamp};

use super::fixture::Fixture;
use crate::{Blobs, StoreError, backup::named_blobs, blobs::Swept};

fn blobs() -> (tempfile::TempDir, Blobs) {
    let dir = tempfile::tempdir().unwrap();
    let blobs = Blobs::at(&dir.path().join("blobs")).unwrap();
    (dir, blobs)
}

fn temporaries(dir: &Path) -> usize {
    fs::read_dir(dir.join("blobs/tmp")).unwrap().count()
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp(i64::try_from(since.as_micros()).unwrap())
}

#[test]
fn what_is_put_is_found_under_its_hash() {
    let (dir, blobs) = blobs();
    let large = vec![7; 300_000];
    for bytes in [&b""[..], b"a", &large] {
        let hash = blobs.put(bytes).unwrap();
        assert_eq!(hash, Sha256Hash::of(bytes));
        assert_eq!(blobs.put(bytes).unwrap(), hash, "again");
        let file = dir.path().join("file");
        fs::write(&file, bytes).unwrap();
        assert_eq!(blobs.put_file(&file).unwrap(), hash);
        assert!(blobs.has(&hash).unwrap());
        assert_eq!(blobs.size(&hash).unwrap(), Some(bytes.len() as u64));
        assert_eq!(blobs.read(&hash, bytes.len() as u64).unwrap(), bytes);
        let mut read = Vec::new();
        blobs.open(&hash).unwrap().read_to_end(&mut read).unwrap();
        assert_eq!(read, bytes);
        assert_eq!(
            fs::metadata(blobs.path(&hash)).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    assert_eq!(blobs.all().unwrap().len(), 3);
    assert_eq!(temporaries(dir.path()), 0);
    let large = Sha256Hash::of(&large);
    assert!(matches!(
        blobs.read(&large, 299_999),
        Err(StoreError::BlobTooLarge { bytes: 300_000, .. })
    ));
    let missing = Sha256Hash::of(b"missing");
    assert!(!blobs.has(&missing).unwrap());
    assert!(matches!(
        blobs.read(&missing, 10),
        Err(StoreError::BlobMissing(_))
    ));
    assert!(matches!(blobs.open(&missing), Err(StoreError::BlobMissing(_))));
}

#[test]
fn damage_is_found_when_it_is_read_and_mended_when_it_is_put_again() {
    let (dir, blobs) = blobs();
    let hash = blobs.put(b"the bytes").unwrap();
    let source = dir.path().join("source");
    fs::write(&source, b"the bytes").unwrap();
    for damage in [&b"the Bytes"[..], b"the", b""] {
        // Of the same size too: a disk that flips a bit changes no length.
        fs::write(blobs.path(&hash), damage).unwrap();
        assert_eq!(blobs.put(b"the bytes").unwrap(), hash);
        assert_eq!(blobs.read(&hash, 100).unwrap(), b"the bytes");
        fs::write(blobs.path(&hash), damage).unwrap();
        assert_eq!(blobs.put_file(&source).unwrap(), hash);
        assert_eq!(blobs.read(&hash, 100).unwrap(), b"the bytes");
        fs::write(blobs.path(&hash), damage).unwrap();
        assert!(matches!(
            blobs.read(&hash, 100),
            Err(StoreError::BlobDamaged { .. })
        ));
        assert!(matches!(blobs.open(&hash), Err(StoreError::BlobDamaged { .. })));
    }
    blobs.put(b"the bytes").unwrap();
    assert_eq!(blobs.read(&hash, 100).unwrap(), b"the bytes");
    fs::remove_file(blobs.path(&hash)).unwrap();
    fs::create_dir(blobs.path(&hash)).unwrap();
    assert!(matches!(blobs.has(&hash), Err(StoreError::BlobDamaged { .. })));
}

#[test]
fn what_was_half_written_is_removed_at_the_start_and_links_are_not_followed() {
    let (dir, blobs) = blobs();
    let hash = blobs.put(b"whole").unwrap();
    fs::write(dir.path().join("blobs/tmp/.tmpXYZ"), b"half").unwrap();
    drop(blobs);
    let blobs = Blobs::at(&dir.path().join("blobs")).unwrap();
    assert_eq!(temporaries(dir.path()), 0);
    assert_eq!(blobs.read(&hash, 10).unwrap(), b"whole");
    let link = dir.path().join("link");
    std::os::unix::fs::symlink("/etc/hostname", &link).unwrap();
    assert!(blobs.put_file(&link).is_err());
    assert!(blobs.put_file(dir.path()).is_err(), "a folder");
    assert!(blobs.put_file(&dir.path().join("none")).is_err());
    assert_eq!((blobs.all().unwrap().len(), temporaries(dir.path())), (1, 0));
}

#[test]
fn threads_that_put_the_same_agree() {
    let (dir, blobs) = blobs();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for i in 0..8 {
                    let bytes = vec![i; 10_000];
                    let hash = blobs.put(&bytes).unwrap();
                    assert_eq!(blobs.read(&hash, 10_000).unwrap(), bytes);
                }
            });
        }
    });
    assert_eq!((blobs.all().unwrap().len(), temporaries(dir.path())), (8, 0));
}

#[test]
fn the_sweep_takes_what_is_unnamed_old_and_nobodys() {
    let (dir, blobs) = blobs();
    let put = |text: &str| blobs.put(text.as_bytes()).unwrap();
    let (named, unnamed) = (put("named"), put("unnamed"));
    let is_named = |hash: &Sha256Hash| *hash == named;
    let sweep = |blobs: &Blobs, seconds: i64| {
        blobs
            .sweep_unnamed(&is_named, now().plus_seconds(seconds))
            .unwrap()
    };
    // Whoever has just put it may be about to name it, also if the clock has jumped an hour meanwhile.
    for seconds in [-3600, 0, 3600] {
        assert_eq!(sweep(&blobs, seconds), Swept::default(), "{seconds}");
    }
    drop(blobs);
    // In another process nobody is. What is young stays all the same.
    let blobs = Blobs::at(&dir.path().join("blobs")).unwrap();
    assert_eq!(sweep(&blobs, -3600), Swept::default());
    let file = fs::File::options()
        .write(true)
        .open(blobs.path(&unnamed))
        .unwrap();
    file.set_modified(SystemTime::now() - Duration::from_hours(2))
        .unwrap();
    let file = fs::File::options().write(true).open(blobs.path(&named)).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_hours(2))
        .unwrap();
    // Put once more, it counts as new.
    blobs.put(b"unnamed").unwrap();
    assert_eq!(sweep(&blobs, -3600), Swept::default());
    drop(blobs);
    let blobs = Blobs::at(&dir.path().join("blobs")).unwrap();
    assert_eq!(sweep(&blobs, -3600), Swept { files: 1, bytes: 7 });
    assert!(blobs.has(&named).unwrap() && !blobs.has(&unnamed).unwrap());
}

#[test]
fn all_that_rows_name_is_named() {
    let f = Fixture::new();
    let names = [
        "zip", "evidence", "late", "curve", "record", "targets", "manifest", "report", "logs", "events",
        "profile",
    ];
    let mut hashes: Vec<Sha256Hash> = names.iter().map(|name| f.blob(name)).collect();
    let id = f.queued("alice", "zip");
    let attempt = f.run(crate::attempts::Of::Main(id));
    let of = hashes.clone();
    f.store
        .write(move |tx| {
            use crate::{attempts, results};
            let end = |evidence| attempts::End {
                evidence: Some(evidence),
                ..super::fixture::end(prism_core::outcome::Reason::EndOfData)
            };
            let now = super::fixture::T0;
            assert_eq!(
                attempts::ended(tx, attempt.id, &attempt.nonce, &end(of[1]), now)?,
                attempts::Taken::Taken
            );
            assert_eq!(
                attempts::ended(tx, attempt.id, &attempt.nonce, &end(of[2]), now)?,
                attempts::Taken::Late
            );
            let mut new = super::fixture::result(0.5);
            new.files = results::Files {
                curve: Some(of[3]),
                record: Some(of[4]),
                targets: Some(of[5]),
                manifest: Some(of[6]),
                report: Some(of[7]),
                logs: Some(of[8]),
                events: Some(of[9]),
                profile: Some(of[10]),
            };
            results::store(tx, attempt.id, &new, now)
        })
        .unwrap();
    let round = f.round_id();
    let reference = f.blob("reference");
    hashes.push(reference);
    f.store
        .write(move |tx| {
            crate::rounds::close(tx, &round, super::fixture::T0)?;
            let new = crate::rounds::NewRound {
                reference: Some(reference),
                ..super::fixture::round(2)
            };
            crate::rounds::open(tx, &new, super::fixture::T0)
        })
        .unwrap();
    f.blob("nobody's");
    let named = f.store.read(named_blobs).unwrap();
    assert_eq!(
        f.store.sweep(now().plus_seconds(7200)).unwrap(),
        Swept::default(),
        "all was just put"
    );
    assert_eq!(named.len(), hashes.len());
    assert!(hashes.iter().all(|hash| named.contains(hash)));
    // No column that holds a digest of a blob was forgotten.
    let columns: Vec<String> = f
        .store
        .read(|tx| {
            let mut statement = tx.conn.prepare(
                "SELECT t.name || '.' || c.name FROM sqlite_schema t, pragma_table_info(t.name) c
                 WHERE t.type = 'table' AND c.name LIKE '%sha256%'",
            )?;
            let names = statement.query_map([], |row| row.get(0))?;
            Ok(names.collect::<rusqlite::Result<_>>()?)
        })
        .unwrap();
    let digests_of_no_blob = [
        "migrations.sha256",
        "rounds.recipe_sha256",
        "rounds.corpus_sha256",
        "submissions.code_sha256",
        "submissions.bundle_sha256",
        "submissions.architecture_sha256",
        "submissions.training_sha256",
        "nonces.request_sha256",
        "reviews.bundle_sha256",
        "reviews.prompt_sha256",
        "reviews.rules_sha256",
    ];
    assert_eq!(
        columns.len(),
        digests_of_no_blob.len() + hashes.len(),
        "{columns:?}"
    );
}

#[test]
fn the_store_sweeps_what_no_row_names() {
    let f = Fixture::new();
    f.submit("alice", "named");
    let unnamed = f.blob("unnamed");
    let f = f.reopen();
    for hash in f.store.blobs().all().unwrap() {
        let file = fs::File::options()
            .write(true)
            .open(f.store.blobs().path(&hash))
            .unwrap();
        file.set_modified(SystemTime::now() - Duration::from_hours(2))
            .unwrap();
    }
    assert_eq!(f.store.sweep(now()).unwrap(), Swept { files: 1, bytes: 7 });
    assert_eq!(f.store.sweep(now()).unwrap(), Swept::default());
    assert!(!f.store.blobs().has(&unnamed).unwrap());
    super::kill::check_blobs(&f.store);
}
