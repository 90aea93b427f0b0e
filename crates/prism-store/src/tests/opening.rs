//! Opening: one store, one server; what is newer, altered or something else is refused and left as it is.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use rusqlite::Connection;

use super::fixture::{Fixture, T0, dump};
use crate::{
    Store, StoreError,
    schema::{MIGRATIONS, migrate},
    store::{DATABASE_FILE, Read},
};

fn edit(dir: &Path, sql: &str) {
    let conn = Connection::open(dir.join(DATABASE_FILE)).unwrap();
    conn.execute_batch(sql).unwrap();
}

fn open_error(dir: &Path) -> StoreError {
    match Store::open(dir, T0) {
        Ok(_) => panic!("it opened"),
        Err(error) => error,
    }
}

#[test]
fn the_second_one_is_refused() {
    let f = Fixture::new();
    f.submit("alice", "bundle");
    let before = f.dump();
    let error = open_error(f.dir.path());
    assert!(matches!(&error, StoreError::Locked { pid, .. } if *pid == std::process::id().to_string()));
    assert!(error.to_string().contains("in use by process"), "{error}");
    assert_eq!(f.dump(), before);
    let f = f.reopen();
    assert_eq!(f.dump(), before);
}

#[test]
fn a_clone_keeps_it_open() {
    let f = Fixture::new();
    let Fixture { store, dir } = f;
    let clone = store.clone();
    drop(store);
    assert!(matches!(open_error(dir.path()), StoreError::Locked { .. }));
    drop(clone);
    Store::open(dir.path(), T0).unwrap();
}

#[test]
fn files_are_their_owners_and_the_log_is_written_through() {
    let f = Fixture::new();
    for file in [DATABASE_FILE, "prism.sqlite3-wal", "store.lock"] {
        let mode = fs::metadata(f.dir.path().join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    f.store
        .write(|tx| {
            for (pragma, value) in [("synchronous", 2), ("foreign_keys", 1), ("trusted_schema", 0)] {
                let found: i64 = tx.conn.pragma_query_value(None, pragma, |row| row.get(0))?;
                assert_eq!(found, value, "{pragma}");
            }
            let mode: String = tx.conn.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
            assert_eq!(mode, "wal");
            let loose: i64 = tx.conn.query_row(
                "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict = 0
                     AND name NOT LIKE 'sqlite_%'",
                [],
                |row| row.get(0),
            )?;
            assert_eq!(loose, 0, "all tables are strict");
            Ok(())
        })
        .unwrap();
    assert!(f.store.free_bytes().unwrap() > 0);
}

/// What is done to a file, and the error that it must give.
type Case = (&'static str, &'static str, fn(&StoreError) -> bool);

#[test]
fn what_is_newer_altered_or_foreign_is_refused_and_left_as_it_is() {
    let cases: [Case; 6] = [
        ("newer", "PRAGMA user_version = 99", |error| {
            matches!(error, StoreError::NewerSchema { found: 99, .. })
        }),
        (
            "altered",
            "UPDATE migrations SET sha256 = zeroblob(32)",
            |error| matches!(error, StoreError::AlteredSchema { version: 1, .. }),
        ),
        ("forgotten", "DELETE FROM migrations", |error| {
            matches!(error, StoreError::Damaged(_))
        }),
        ("older than it is", "PRAGMA user_version = 0", |error| {
            matches!(error, StoreError::Damaged(_))
        }),
        ("foreign", "PRAGMA application_id = 7", |error| {
            matches!(error, StoreError::NotAStore { .. })
        }),
        ("nobody's", "PRAGMA application_id = 0", |error| {
            matches!(error, StoreError::NotAStore { .. })
        }),
    ];
    for (name, sql, is_expected) in cases {
        let Fixture { store, dir } = Fixture::new();
        drop(store);
        edit(dir.path(), sql);
        let bytes = fs::read(dir.path().join(DATABASE_FILE)).unwrap();
        let error = open_error(dir.path());
        assert!(is_expected(&error), "{name}: {error:?}");
        assert_eq!(fs::read(dir.path().join(DATABASE_FILE)).unwrap(), bytes, "{name}");
    }
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join(DATABASE_FILE),
        b"a letter to somebody, which is long enough to be a header of SQLite's",
    )
    .unwrap();
    assert!(matches!(open_error(dir.path()), StoreError::NotAStore { .. }));
}

#[test]
fn a_folder_that_cannot_be_one_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, b"").unwrap();
    assert!(matches!(open_error(&file), StoreError::Io { .. }));
    // An empty file is what is left of a store whose server was killed in its first moment.
    let empty = dir.path().join("empty");
    fs::create_dir(&empty).unwrap();
    fs::write(empty.join(DATABASE_FILE), b"").unwrap();
    Store::open(&empty, T0).unwrap();
}

/// A store of every older version, with a row in each table that it has, migrates to the present one and keeps the rows.
#[test]
fn every_older_version_is_brought_to_the_present_one() {
    let fresh = Fixture::new();
    fresh.completed("alice", "bundle", 0.5);
    for version in 0..=MIGRATIONS.len() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(DATABASE_FILE);
        let mut old = Connection::open(&path).unwrap();
        migrate(&mut old, &path, &MIGRATIONS[..version], T0).unwrap();
        if version > 0 {
            old.execute_batch("INSERT INTO meta (key, value) VALUES ('kept', 'since then')")
                .unwrap();
        }
        drop(old);
        let store = Store::open(dir.path(), T0).unwrap();
        let kept = store.read(|tx| crate::meta::get(tx, "kept")).unwrap();
        assert_eq!(kept.is_some(), version > 0);
        let tables = |store: &Store| {
            store
                .read(|tx| {
                    let mut statement = tx
                        .conn
                        .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")?;
                    let found = statement.query_map([], |row| row.get::<_, String>(0))?;
                    Ok(found.collect::<rusqlite::Result<Vec<_>>>()?)
                })
                .unwrap()
        };
        assert_eq!(tables(&store), tables(&fresh.store), "version {version}");
    }
}

#[test]
fn a_migration_that_fails_leaves_the_version_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(DATABASE_FILE);
    let good = [
        "CREATE TABLE a (x INTEGER) STRICT;",
        "ALTER TABLE a ADD COLUMN y TEXT; INSERT INTO a VALUES (1, 'two');",
    ];
    let bad = [
        good[0],
        good[1],
        "INSERT INTO a VALUES (3, 'three'); INSERT INTO nowhere VALUES (1);",
    ];
    let mut conn = Connection::open(&path).unwrap();
    migrate(&mut conn, &path, &good[..1], T0).unwrap();
    assert!(migrate(&mut conn, &path, &bad, T0).is_err());
    let read = Read { conn };
    let kept = dump(&read);
    assert!(kept.contains("two") && !kept.contains("three"), "{kept}");
    let mut conn = read.conn;
    let version: u32 = conn
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(version, 2, "those before it were applied");
    migrate(&mut conn, &path, &good, T0.plus_seconds(9)).unwrap();
    assert_eq!(dump(&Read { conn }), kept, "and are not applied again");
    // What was applied cannot be replaced, nor forgotten.
    let mut conn = Connection::open(&path).unwrap();
    let altered = migrate(&mut conn, &path, &[good[0], "SELECT 1"], T0);
    assert!(matches!(
        altered,
        Err(StoreError::AlteredSchema { version: 2, .. })
    ));
    let fewer = migrate(&mut conn, &path, &good[..1], T0);
    assert!(matches!(
        fewer,
        Err(StoreError::NewerSchema {
            found: 2,
            known: 1,
            ..
        })
    ));
}

/// The schema of a version that was in use is never changed: another one is added instead.
#[test]
fn the_first_migration_is_the_one_that_stores_were_made_with() {
    assert!(MIGRATIONS[0].starts_with("-- What the challenge remembers."));
    assert!(MIGRATIONS[1].starts_with("-- Readings by the reviewer"));
    assert_eq!(MIGRATIONS.len(), 2);
}
