//! Freezing: nothing runs, nothing undoes it, nothing is charged, and a frozen tree can still be killed.

use std::fs::File;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::time::Duration;

use prism_sandbox::{Capabilities, Ending, FreezeError, Freezer, Preferences, Sandbox, preflight_with};

use crate::kit;

/// Counts in shared memory from several threads and processes, while others do what they can to keep everybody running.
const COUNTERS: &str = "
import mmap, os, signal, threading, time
MARKER
memory = mmap.mmap(3, 4096)
# As an ordinary user the limit of processes counts those of other tests, too, some of which take all there are.
def patient(what):
    while True:
        try:
            return what()
        except (OSError, RuntimeError):
            time.sleep(0.001)
def count(slot):
    while True:
        memory[slot] = (memory[slot] + 1) % 256
signal.signal(signal.SIGALRM, lambda *_: None)
signal.signal(signal.SIGCONT, lambda *_: None)
signal.signal(signal.SIGTSTP, signal.SIG_IGN)
main = os.getpid()
if patient(os.fork) == 0:
    while True:
        os.kill(main, signal.SIGALRM)
        time.sleep(0.001)
for slot in range(1, 4):
    if patient(os.fork) == 0:
        if slot == 3:
            os.setsid()
            while True:
                memory[slot] = (memory[slot] + 1) % 256
                try:
                    os.kill(-1, signal.SIGCONT)
                except OSError:
                    pass
        patient(threading.Thread(target=count, args=(slot + 10,), daemon=True).start)
        count(slot)
# Leaves process groups without a parent, over and over: if a member is stopped at that moment, the kernel itself lets it go on.
if patient(os.fork) == 0:
    while True:
        try:
            child = os.fork()
            if child == 0:
                os.setpgid(0, 0)
                if os.fork() == 0:
                    end = time.monotonic() + 0.01
                    while time.monotonic() < end:
                        memory[13] = (memory[13] + 1) % 256
                os._exit(0)
            os.waitpid(child, 0)
        except OSError:
            pass
        time.sleep(0.002)
patient(threading.Thread(target=count, args=(10,), daemon=True).start)
while True:
    memory[0] = (memory[0] + 1) % 256
    if patient(os.fork) == 0:
        os._exit(0)
    os.wait()
";
const SLOTS: [u64; 8] = [0, 1, 2, 3, 10, 11, 12, 13];

/// Every way of freezing that this machine has, and one that it always has.
fn ways() -> Vec<Capabilities> {
    let all = [Freezer::CgroupV2, Freezer::CgroupV1, Freezer::InitSignals];
    let ways: Vec<Capabilities> = all
        .into_iter()
        .filter_map(|freezer| {
            preflight_with(
                &kit::helper(),
                Preferences {
                    memory_cap: None,
                    freezer: Some(freezer),
                },
            )
            .ok()
        })
        .collect();
    assert!(ways.iter().any(|way| way.freezer == Freezer::InitSignals));
    ways
}

struct Counting {
    sandbox: Sandbox,
    memory: File,
}

impl Counting {
    fn start(way: &Capabilities, marker: &str, wall: Duration) -> Self {
        // SAFETY: the name is a C string; the descriptor is checked and owned by nobody else.
        let fd = unsafe {
            let raw = libc::memfd_create(c"counters".as_ptr(), libc::MFD_CLOEXEC);
            assert!(raw >= 0);
            OwnedFd::from_raw_fd(raw)
        };
        let memory = File::from(kit::copy_of(&fd));
        memory.set_len(4096).unwrap();
        let mut spec = kit::code("counting", &COUNTERS.replace("MARKER", &format!("# {marker}")));
        spec.fds.push((fd, 3));
        spec.limits.wall = wall;
        let sandbox = kit::spawn_with(way, spec);
        let counting = Self { sandbox, memory };
        kit::eventually("every counter counts", || {
            counting.values().iter().all(|value| *value > 0)
        });
        counting
    }

    fn values(&self) -> Vec<u8> {
        let mut page = [0_u8; 16];
        self.memory.read_exact_at(&mut page, 0).unwrap();
        SLOTS
            .iter()
            .map(|slot| page[usize::try_from(*slot).unwrap()])
            .collect()
    }

    /// Nothing moves, neither at once nor later.
    fn assert_still(&self) {
        let before = self.values();
        for _ in 0..200 {
            assert_eq!(self.values(), before, "{:?}", self.sandbox.freezer());
        }
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(self.values(), before, "{:?}", self.sandbox.freezer());
    }

    fn assert_moves(&self) {
        let before = self.values();
        let mut moved = vec![false; before.len()];
        kit::eventually("every counter moves again", || {
            for (moved, (now, before)) in moved.iter_mut().zip(self.values().iter().zip(&before)) {
                *moved |= now != before;
            }
            moved.iter().all(|moved| *moved)
        });
    }
}

#[test]
fn a_frozen_sandbox_does_nothing_and_a_thawed_one_goes_on() {
    for way in ways() {
        let mut counting = Counting::start(&way, "", kit::LIMITS.wall);
        for _ in 0..40 {
            counting.sandbox.freeze().unwrap();
            counting.assert_still();
            counting.sandbox.freeze().unwrap();
            counting.assert_still();
            counting.sandbox.thaw().unwrap();
            counting.assert_moves();
            counting.sandbox.thaw().unwrap();
        }
        assert_eq!(counting.sandbox.kill(), Ending::KilledByCaller);
    }
}

#[test]
fn a_frozen_sandbox_can_be_killed_and_dropped() {
    for way in ways() {
        let marker = kit::marker("frozen");
        let mut counting = Counting::start(&way, &marker, kit::LIMITS.wall);
        counting.sandbox.freeze().unwrap();
        assert!(!kit::processes_marked(&marker).is_empty());
        assert_eq!(counting.sandbox.kill(), Ending::KilledByCaller);
        assert_eq!(kit::processes_marked(&marker), Vec::<i32>::new());
        assert!(matches!(counting.sandbox.freeze(), Err(FreezeError::Ended)));
        assert!(matches!(counting.sandbox.thaw(), Err(FreezeError::Ended)));
        let counting = Counting::start(&way, &marker, kit::LIMITS.wall);
        counting.sandbox.freeze().unwrap();
        drop(counting);
        assert_eq!(kit::processes_marked(&marker), Vec::<i32>::new());
    }
}

#[test]
fn frozen_time_is_not_charged_to_the_wall_limit() {
    let wall = Duration::from_secs(3);
    let check = |way: Capabilities| {
        let counting = Counting::start(&way, "", wall);
        counting.sandbox.freeze().unwrap();
        // Longer than the limit: an unfrozen sandbox would be over it.
        assert_eq!(counting.sandbox.wait(Some(wall + Duration::from_secs(1))), None);
        counting.sandbox.thaw().unwrap();
        assert_eq!(kit::finish(&counting.sandbox).0, Ending::WallTime);
    };
    std::thread::scope(|scope| {
        for way in ways() {
            scope.spawn(move || check(way));
        }
    });
}
