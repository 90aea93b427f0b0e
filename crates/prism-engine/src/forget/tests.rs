//! The kernel is seen to remember and to forget; what cannot be seen is an error.

use std::fs;

use super::*;

/// A directory on a disk: one in memory keeps no names.
fn on_disk() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root() && open_switch(Path::new(DROP_CACHES)).is_ok()
}

#[test]
fn names_are_remembered_until_they_are_dropped() {
    let dir = on_disk();
    let roots = [dir.path().canonicalize().unwrap()];
    let planted = names::plant(&roots).unwrap();
    let remembered = planted.remembered().unwrap();
    assert!(remembered > 0, "the kernel remembers what was looked up");
    let cancel = Cancel::new();
    // A switch that does nothing.
    let dummy = dir.path().join("switch");
    fs::write(&dummy, "").unwrap();
    let error = drop_until(&dummy, &cancel, &|| planted.remembered()).unwrap_err();
    assert!(
        matches!(&error, Unsettled::Remembers(why) if why.contains(&format!("still remembers {remembered}"))),
        "{error:?}"
    );
    if is_root() {
        let passes = drop_until(Path::new(DROP_CACHES), &cancel, &|| planted.remembered()).unwrap();
        assert!(passes <= PASSES_MAX);
        assert_eq!(planted.remembered().unwrap(), 0);
    } else {
        let error = drop_until(Path::new(DROP_CACHES), &cancel, &|| planted.remembered()).unwrap_err();
        assert!(matches!(error, Unsettled::Remembers(_)), "{error:?}");
    }
}

#[test]
fn what_does_not_tell_is_not_believed() {
    let refused = names::plant(&["/proc".into()]).map(drop).unwrap_err();
    assert!(refused.contains("/proc"), "{refused}");
    let nothing = names::plant(&[]).map(drop).unwrap_err();
    assert!(nothing.contains("no directory"), "{nothing}");
}

#[test]
fn every_page_of_every_file_is_there_afterwards() {
    let dir = on_disk();
    fs::create_dir_all(dir.path().join("a/b")).unwrap();
    fs::write(dir.path().join("a/b/big"), vec![7; 300_000]).unwrap();
    fs::write(dir.path().join("a/empty"), "").unwrap();
    fs::write(dir.path().join("small"), "x").unwrap();
    std::os::unix::fs::symlink("/dev/zero", dir.path().join("a/endless")).unwrap();
    rustix::fs::sync();
    let sources = [
        dir.path().join("a"),
        dir.path().to_owned(),
        dir.path().join("none"),
    ];
    let roots = view::roots(&sources).unwrap();
    assert_eq!(roots, [dir.path().canonicalize().unwrap()]);
    let mut told = Vec::new();
    let mut progress = |done, total| told.push((done, total));
    if is_root() {
        let forgot = forget(&sources, 0, &Cancel::new(), &mut progress).unwrap();
        assert_eq!(forgot.view_bytes, 300_001);
    } else {
        let bytes = view::read_in(&roots, 0, &Cancel::new(), &mut progress).unwrap();
        assert_eq!(bytes, 300_001);
    }
    assert_eq!(told.last(), Some(&(300_001, 300_001)));
    let big = fs::File::open(dir.path().join("a/b/big")).unwrap();
    let found = prism_sandbox::residency(&big, 300_000).unwrap();
    assert_eq!(found.resident_pages, found.pages);
}

#[test]
fn what_does_not_fit_is_said_and_whoever_cancels_is_heard() {
    let dir = on_disk();
    fs::write(dir.path().join("file"), "x").unwrap();
    let roots = view::roots(&[dir.path().to_owned()]).unwrap();
    let full = view::read_in(&roots, u64::MAX / 2, &Cancel::new(), &mut |_, _| ()).unwrap_err();
    assert!(matches!(full, Unsettled::NoRoom(_)), "{full:?}");
    let cancel = Cancel::new();
    cancel.cancel();
    let stopped = view::read_in(&roots, 0, &cancel, &mut |_, _| ()).unwrap_err();
    assert_eq!(stopped, Unsettled::Cancelled);
    let stopped = drop_until(Path::new("/nonexistent"), &cancel, &|| Ok(1)).unwrap_err();
    assert_eq!(stopped, Unsettled::Cancelled);
}

#[test]
fn a_switch_that_cannot_be_opened_says_what_it_takes() {
    let why = open_switch(Path::new("/proc/sys/vm/no_such_switch")).unwrap_err();
    assert!(why.contains("writable `/proc/sys`"), "{why}");
}
