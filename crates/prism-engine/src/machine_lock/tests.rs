//! Who waits, for whom, in which order; and what is left of a holder that was killed.

use std::{
    process::{Child, Command, Stdio},
    sync::mpsc,
};

use super::*;

/// A place for a lock that is nobody else's.
struct Place {
    temp: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let place = Self { temp };
        // An ordinary user makes none.
        create(&place.path()).unwrap();
        place
    }

    fn path(&self) -> PathBuf {
        self.temp.path().join("prism/machine.lock")
    }

    fn take(&self, kind: LockKind, when_busy: WhenBusy) -> Result<Turn, Failure> {
        self.take_telling(kind, when_busy, &Cancel::new(), &mut |_| ())
    }

    fn take_telling(
        &self,
        kind: LockKind,
        when_busy: WhenBusy,
        cancel: &Cancel,
        tell: &mut dyn FnMut(Vec<Holder>),
    ) -> Result<Turn, Failure> {
        let wish = Wish {
            kind,
            what: "bundle\u{1b}[2J",
            when_busy,
            cancel,
        };
        take(&self.path(), &wish, &mut |holders, _| tell(holders))
    }

    /// Takes it in a thread; the receiver hears that it waits, and then gets the lock.
    fn wait(&self, kind: LockKind) -> (mpsc::Receiver<Option<Turn>>, thread::JoinHandle<()>) {
        let (sender, receiver) = mpsc::channel();
        let path = self.path();
        let waiting = thread::spawn(move || {
            let cancel = Cancel::new();
            let wish = Wish {
                kind,
                what: "",
                when_busy: WhenBusy::Wait,
                cancel: &cancel,
            };
            let told = sender.clone();
            let turn = take(&path, &wish, &mut |_, _| told.send(None).unwrap()).unwrap();
            sender.send(Some(turn)).unwrap();
        });
        (receiver, waiting)
    }
}

fn granted(turn: Result<Turn, Failure>) -> Held {
    match turn.unwrap() {
        Turn::Granted(held) => held,
        Turn::Beside(_) => panic!("not what was wished for"),
    }
}

#[test]
fn rehearsals_share_and_a_counted_run_is_alone() {
    let place = Place::new();
    let (a, b) = (
        granted(place.take(LockKind::Shared, WhenBusy::Wait)),
        granted(place.take(LockKind::Shared, WhenBusy::GoOn)),
    );
    assert!(
        matches!(
            place.take(LockKind::Exclusive, WhenBusy::GoOn),
            Ok(Turn::Beside(_))
        ),
        "only rehearsals hold it"
    );
    drop((a, b));
    let counted = granted(place.take(LockKind::Exclusive, WhenBusy::GoOn));
    for kind in [LockKind::Shared, LockKind::Exclusive] {
        let refused = place.take(kind, WhenBusy::GoOn).unwrap_err();
        assert_eq!(refused.reason, Reason::MachineBusy);
        assert!(
            refused.detail.contains("a counted run, process")
                && refused.detail.contains("`bundle\\u{1b}[2J`"),
            "{}",
            refused.detail
        );
    }
    drop(counted);
    drop(granted(place.take(LockKind::Shared, WhenBusy::GoOn)));
}

#[test]
fn who_waits_says_for_whom_and_can_be_stopped() {
    let place = Place::new();
    let counted = granted(place.take(LockKind::Exclusive, WhenBusy::Wait));
    for kind in [LockKind::Shared, LockKind::Exclusive] {
        let cancel = Cancel::new();
        let mut told = Vec::new();
        let stopped = place.take_telling(kind, WhenBusy::Wait, &cancel, &mut |holders| {
            told.push(holders);
            cancel.cancel();
        });
        assert_eq!(stopped.unwrap_err().reason, Reason::Cancelled);
        assert_eq!(told.len(), 1, "at once, and not again for half a minute");
        let holder = &told[0][0];
        assert!(
            holder.counted && holder.pid == Some(std::process::id()),
            "{holder:?}"
        );
        assert_eq!(holder.what, "bundle\\u{1b}[2J");
        assert!(unix_now() - holder.since_unix_seconds.unwrap() < 600);
    }
    drop(counted);
    let shared = granted(place.take(LockKind::Shared, WhenBusy::Wait));
    let cancel = Cancel::new();
    let mut told = Vec::new();
    let stopped = place.take_telling(LockKind::Exclusive, WhenBusy::Wait, &cancel, &mut |holders| {
        told = holders;
        cancel.cancel();
    });
    assert_eq!(stopped.unwrap_err().reason, Reason::Cancelled);
    assert!(
        !told[0].counted && told[0].pid == Some(std::process::id()),
        "{told:?}"
    );
    drop(shared);
    drop(granted(place.take(LockKind::Exclusive, WhenBusy::GoOn)));
}

fn unix_now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

#[test]
fn they_are_served_in_the_order_of_coming() {
    let place = Place::new();
    let first = granted(place.take(LockKind::Shared, WhenBusy::Wait));
    let (second, second_thread) = place.wait(LockKind::Exclusive);
    assert!(second.recv().unwrap().is_none(), "it waits");
    // Beside the first they could go on; but they came after the second.
    let (third, third_thread) = place.wait(LockKind::Shared);
    assert!(third.recv().unwrap().is_none(), "it waits");
    let (fourth, fourth_thread) = place.wait(LockKind::Exclusive);
    assert!(fourth.recv().unwrap().is_none(), "it waits");
    let refused = place.take(LockKind::Shared, WhenBusy::GoOn).unwrap_err();
    assert_eq!(
        refused.reason,
        Reason::MachineBusy,
        "a counted run is about to start"
    );
    drop(first);
    let turn = second.recv().unwrap();
    assert!(third.try_recv().is_err() && fourth.try_recv().is_err());
    drop(turn);
    let turn = third.recv().unwrap();
    assert!(fourth.try_recv().is_err());
    drop(turn);
    drop(fourth.recv().unwrap());
    for waited in [second_thread, third_thread, fourth_thread] {
        waited.join().unwrap();
    }
}

/// Another process that holds the lock: this test's own program, at [`holder`].
fn other_process(place: &Place, kind: &str) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "machine_lock::tests::holder", "--nocapture"])
        .env("TEST_LOCK", place.path())
        .env("TEST_KIND", kind)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = child.stdout.take().unwrap();
    let holds = io::BufRead::lines(io::BufReader::new(out)).any(|line| line.unwrap().ends_with("holds"));
    assert!(holds, "the other process has the lock");
    child
}

/// Does nothing in a test run; in the process of [`other_process`] it takes the lock and waits for its end.
#[test]
fn holder() {
    let Some(path) = std::env::var_os("TEST_LOCK") else {
        return;
    };
    let kind = match std::env::var("TEST_KIND").unwrap().as_str() {
        "shared" => LockKind::Shared,
        _ => LockKind::Exclusive,
    };
    let wish = Wish {
        kind,
        what: "the other one",
        when_busy: WhenBusy::GoOn,
        cancel: &Cancel::new(),
    };
    let held = granted(take(Path::new(&path), &wish, &mut |_, _| ()));
    eprintln!();
    println!("\nholds");
    // Until the test lets go of the other end.
    let _ = io::Read::read(&mut io::stdin(), &mut [0]);
    drop(held);
}

#[test]
fn a_process_that_was_killed_leaves_no_lock_and_its_text_is_not_believed() {
    let place = Place::new();
    for kind in ["shared", "exclusive"] {
        let mut other = other_process(&place, kind);
        let mut told = Vec::new();
        let cancel = Cancel::new();
        let stopped = place.take_telling(LockKind::Exclusive, WhenBusy::Wait, &cancel, &mut |holders| {
            told = holders;
            cancel.cancel();
        });
        assert_eq!(stopped.unwrap_err().reason, Reason::Cancelled);
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].pid, Some(other.id()));
        assert_eq!(told[0].counted, kind == "exclusive");
        let words = if kind == "exclusive" {
            "the other one"
        } else {
            "machine_lock::tests::holder"
        };
        assert!(told[0].what.contains(words), "{told:?}");
        other.kill().unwrap();
        other.wait().unwrap();
        drop(granted(place.take(LockKind::Shared, WhenBusy::GoOn)));
    }
    let stale = fs::read_to_string(place.path()).unwrap();
    assert!(
        stale.contains("the other one"),
        "it had no time to take it back: {stale}"
    );
    // Somebody new holds it and has not written yet: the dead one's words are not put into its mouth.
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(place.path())
        .unwrap();
    assert!(try_lock_range(&file, LockKind::Exclusive, LOCK_BYTE, 1).unwrap());
    let looking = File::open(place.path()).unwrap();
    let holders = holders::of(&place.path(), &looking);
    assert_eq!(holders.len(), 1);
    assert!(!holders[0].what.contains("the other one"), "{holders:?}");
    let unseen = holders::of(Path::new("/nonexistent"), &looking);
    assert_eq!(unseen[0].what, "", "nor where the holder cannot be seen");
    drop(file);
    // Of another container's process nothing can be known but what it says.
    let elsewhere = stale.replace("pid:[", "pid:[1");
    fs::write(place.path(), elsewhere).unwrap();
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(place.path())
        .unwrap();
    assert!(try_lock_range(&file, LockKind::Exclusive, LOCK_BYTE, 1).unwrap());
    let unseen = holders::of(Path::new("/nonexistent"), &looking);
    assert_eq!((unseen[0].pid, unseen[0].what.as_str()), (None, "the other one"));
    assert!(
        unseen[0]
            .to_string()
            .contains("a process that this one cannot see")
    );
}

#[test]
fn a_counted_run_takes_back_what_it_said() {
    let place = Place::new();
    let held = granted(place.take(LockKind::Exclusive, WhenBusy::Wait));
    assert!(fs::metadata(place.path()).unwrap().len() > 0);
    drop(held);
    assert_eq!(fs::metadata(place.path()).unwrap().len(), 0);
}

#[test]
fn another_file_in_its_place_is_seen() {
    let place = Place::new();
    let old = granted(place.take(LockKind::Shared, WhenBusy::Wait));
    let (second, waiting) = place.wait(LockKind::Exclusive);
    assert!(second.recv().unwrap().is_none(), "it waits");
    fs::remove_file(place.path()).unwrap();
    create(&place.path()).unwrap();
    // It goes over to the new one, which nobody holds.
    let turn = second.recv().unwrap();
    let refused = place.take(LockKind::Shared, WhenBusy::GoOn).unwrap_err();
    assert_eq!(refused.reason, Reason::MachineBusy);
    drop((turn, old));
    waiting.join().unwrap();
}

#[test]
fn everybody_can_read_it_and_one_that_others_can_write_is_no_lock() {
    let place = Place::new();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place.path()), 0o644);
    assert_eq!(mode(place.path().parent().unwrap()), 0o755);
    fs::set_permissions(place.path(), Permissions::from_mode(0o666)).unwrap();
    let refused = place.take(LockKind::Exclusive, WhenBusy::GoOn).unwrap_err();
    assert_eq!(refused.reason, Reason::Storage, "{}", refused.detail);
    let hint = refused.hint.unwrap();
    assert!(hint.contains(PRISM_MACHINE_LOCK), "{hint}");
    drop(granted(place.take(LockKind::Shared, WhenBusy::GoOn)));
    fs::remove_file(place.path()).unwrap();
    std::os::unix::fs::symlink("/dev/null", place.path()).unwrap();
    for kind in [LockKind::Shared, LockKind::Exclusive] {
        assert_eq!(
            place.take(kind, WhenBusy::GoOn).unwrap_err().reason,
            Reason::Storage
        );
    }
}

#[test]
fn where_it_cannot_be_who_does_not_count_goes_on() {
    let nowhere = Path::new("/proc/prism/machine.lock");
    let cancel = Cancel::new();
    let wish = |kind| Wish {
        kind,
        what: "",
        when_busy: WhenBusy::GoOn,
        cancel: &cancel,
    };
    let held = granted(take(nowhere, &wish(LockKind::Shared), &mut |_, _| ()));
    assert!(held.file.is_none());
    let refused = take(nowhere, &wish(LockKind::Exclusive), &mut |_, _| ()).unwrap_err();
    assert_eq!(refused.reason, Reason::Storage);
}
