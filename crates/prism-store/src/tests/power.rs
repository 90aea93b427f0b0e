//! Power that fails, as far as it can be played: what lies on the disk at any moment opens again.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use prism_core::hash::Sha256Hash;
use rustix::process::{Pid, Signal, WaitOptions, kill_process};

use super::{
    fixture::{Fixture, T0},
    kill::{Working, check, check_blobs, check_confirmed},
};
use crate::{Store, events, submissions};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        // What lies in shared memory is gone.
        } else if !entry.file_name().to_string_lossy().ends_with("-shm") {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Stops the process, so that nothing changes while it is copied, and lets it go on.
#[test]
fn a_copy_of_any_moment_opens_and_has_all_that_was_confirmed() {
    let dir = tempfile::tempdir().unwrap();
    let copies = tempfile::tempdir().unwrap();
    let working = Working::start(dir.path());
    let pid = Pid::from_child(&working.child);
    let mut confirmed = Vec::new();
    for moment in 0..8 {
        std::thread::sleep(Duration::from_millis(20 + 17 * moment));
        confirmed.extend(working.confirmed());
        kill_process(pid, Signal::STOP).unwrap();
        wait_until_stopped(pid);
        let to = copies.path().join(moment.to_string());
        copy(dir.path(), &to);
        kill_process(pid, Signal::CONT).unwrap();
        let store = Store::open(&to, T0).unwrap();
        check(&store);
        check_blobs(&store);
        check_confirmed(&store, &confirmed);
    }
    assert!(!confirmed.is_empty());
}

fn wait_until_stopped(pid: Pid) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let status =
            rustix::process::waitpid(Some(pid), WaitOptions::UNTRACED | WaitOptions::NOHANG).unwrap();
        if status.is_some_and(|(_, status)| status.stopped()) {
            return;
        }
        assert!(Instant::now() < deadline, "it does not stop");
        std::thread::yield_now();
    }
}

/// The write-ahead log is cut at every length that it can have had, and ends in nothing, in zeros or in other bytes.
#[test]
fn a_log_that_ends_anywhere_is_read_as_far_as_it_was_written() {
    let f = Fixture::new();
    f.store
        .write(|tx| Ok(tx.conn.pragma_update(None, "wal_autocheckpoint", 0)?))
        .unwrap();
    let log = f.dir.path().join("prism.sqlite3-wal");
    let length = || usize::try_from(fs::metadata(&log).unwrap().len()).unwrap();
    // How long the log was when each became durable.
    let mut durable = vec![(length(), String::new())];
    for i in 0..12 {
        let id = f.queued("alice", &format!("bundle {i}"));
        durable.push((length(), id));
    }
    let whole = fs::read(&log).unwrap();
    let database = fs::read(f.dir.path().join("prism.sqlite3")).unwrap();
    let from = durable[0].0;
    for cut in 0..60_usize {
        let random = Sha256Hash::of(&cut.to_le_bytes()).0;
        let draw = usize::from(u16::from_le_bytes([random[0], random[1]]));
        let end = from + (whole.len() - from) * draw / usize::from(u16::MAX);
        let to = tempfile::tempdir().unwrap();
        copy(&f.dir.path().join("blobs"), &to.path().join("blobs"));
        fs::write(to.path().join("prism.sqlite3"), &database).unwrap();
        let mut cut_log = whole[..end].to_vec();
        match cut % 3 {
            0 => {}
            1 => cut_log.resize(whole.len(), 0),
            _ => cut_log.extend(random.iter().cycle().take(whole.len() - end)),
        }
        fs::write(to.path().join("prism.sqlite3-wal"), cut_log).unwrap();
        let store = Store::open(to.path(), T0).unwrap();
        check(&store);
        check_blobs(&store);
        for (length, id) in durable.iter().skip(1) {
            let found = store.read(|tx| submissions::find(tx, id)).unwrap();
            if *length <= end {
                assert!(found.is_some(), "{length} of {end}");
                assert_eq!(store.read(|tx| events::of(tx, id, 0, 10)).unwrap().len(), 2);
            }
        }
    }
}
