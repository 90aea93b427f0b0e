//! Two sandboxes on one machine: what one of them knows must not reach the other, not even when it is frozen at just the right moment.
//!
//! Each test lets the one that speaks do so by a road that the kernel offers, freezes it, and lets the other one listen. Where a road is closed to the
//! deaf only, a listener that is not deaf shows that the road is there.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use prism_sandbox::{Ending, Sandbox, Spec};

use crate::kit;

/// A file that every sandbox of these tests has bound.
fn shared_file() -> PathBuf {
    kit::scripts().join("kit.py")
}

fn code(name: &str, text: &str) -> Spec {
    let header = format!(
        "import ctypes, fcntl, mmap, os, struct, sys, time\nPATH = {:?}\n",
        shared_file()
    );
    kit::code(name, &(header + text))
}

/// Starts the one that speaks and waits until it has said what it has to say.
fn speaking(text: &str) -> Sandbox {
    let sandbox = kit::spawn(code("speaker", text));
    kit::eventually("the speaker has spoken", || {
        let said = sandbox.logs();
        assert!(
            said.stderr.is_empty(),
            "{}",
            String::from_utf8_lossy(&said.stderr)
        );
        said.stdout.ends_with(b"spoken\n")
    });
    sandbox
}

/// What the listener prints.
fn heard(text: &str, deaf: bool) -> String {
    let mut spec = code("listener", text);
    spec.deaf = deaf;
    let (ending, logs) = kit::run(spec);
    assert_eq!(
        ending,
        Ending::Exited(0),
        "{}",
        String::from_utf8_lossy(&logs.stderr)
    );
    String::from_utf8(logs.stdout).unwrap().trim_end().to_owned()
}

#[test]
fn locks_of_a_frozen_sandbox_are_neither_seen_nor_felt() {
    let speaker = speaking(
        "
for path in [PATH, '/dev/null']:
    handle = os.open(path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    for letter in b'secret':
        fcntl.lockf(handle, fcntl.LOCK_SH, 1, 1000 + letter)
    fcntl.fcntl(handle, 37, struct.pack('hhqqi4x', fcntl.F_RDLCK, 0, 5000, 1, 0))
print('spoken', flush=True)
time.sleep(1000)
",
    );
    speaker.freeze().unwrap();
    let said = heard(
        "
for path in [PATH, '/dev/null']:
    handle = os.open(path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.lockf(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    for command in [fcntl.F_GETLK, 36]:
        try:
            fcntl.fcntl(handle, command, struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 0, 0, 0))
            print('asked')
        except PermissionError:
            pass
print('nothing heard')
",
        false,
    );
    assert_eq!(said, "nothing heard");
    // And from where everything can be seen: there are no locks.
    for path in [shared_file(), "/dev/null".into()] {
        let file = File::open(path).unwrap();
        // SAFETY: an all-zero `flock` is valid: it is made of plain integers.
        let mut lock: libc::flock = unsafe { std::mem::zeroed() };
        lock.l_type = libc::F_WRLCK as libc::c_short;
        // SAFETY: the descriptor is open and `lock` is valid for the whole call.
        let asked = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETLK, &raw mut lock) };
        assert_eq!((asked, libc::c_int::from(lock.l_type)), (0, libc::F_UNLCK));
        // SAFETY: a plain system call on an open descriptor.
        let taken = unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) };
        assert_eq!(taken, 0);
    }
}

/// One table of the kernel says for all network namespaces where a free port is looked for next, and the statistics of its neighbour tables, which
/// netlink counts up and reads, are common to all of them too.
#[test]
fn without_loopback_there_are_local_sockets_alone() {
    let asking = "
import socket
families = [socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK]
kinds = [socket.SOCK_DGRAM, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC]
outcomes = set()
for family in families:
    for kind in kinds:
        try:
            socket.socket(family, kind).close()
            outcomes.add('made')
        except OSError as error:
            outcomes.add(error.errno)
local = socket.socketpair()
local[0].send(b'fine')
print(outcomes, local[1].recv(4).decode())
";
    assert_eq!(heard(asking, true), "{'made'} fine");
    let mut spec = code("no-loopback", asking);
    spec.loopback = false;
    let (ending, logs) = kit::run(spec);
    assert_eq!(
        ending,
        Ending::Exited(0),
        "{}",
        String::from_utf8_lossy(&logs.stderr)
    );
    let said = String::from_utf8(logs.stdout).unwrap();
    assert_eq!(said.trim_end(), format!("{{{}}} fine", libc::EAFNOSUPPORT));
}

/// A timer that was set before a freeze would ring during it, and take time from whoever runs then.
#[test]
fn no_timer_goes_on_while_its_owner_is_frozen() {
    let asking = "
import errno, signal
libc = ctypes.CDLL(None, use_errno=True)
numbers = {'x86_64': [38, 37, 283, 286, 222], 'aarch64': [103, 85, 86, 107]}[os.uname().machine]
outcomes = set()
for number in numbers:
    returned = libc.syscall(ctypes.c_long(number), ctypes.c_long(0), ctypes.c_long(0), ctypes.c_long(0), ctypes.c_long(0))
    outcomes.add((returned, ctypes.get_errno()))
try:
    signal.setitimer(signal.ITIMER_REAL, 1000)
except OSError as error:
    outcomes.add('refused' if error.errno == errno.EPERM else str(error))
print(sorted(map(str, outcomes)))
";
    assert_eq!(
        heard(asking, false),
        format!("['(-1, {})', 'refused']", libc::EPERM)
    );
}

/// Whether the kernel remembers a name is what this call can ask.
#[test]
fn nobody_can_ask_whether_a_name_is_remembered() {
    let asking = "
libc = ctypes.CDLL(None, use_errno=True)
how = (ctypes.c_uint64 * 3)(0, 0, 0x20)
number = 437
print(libc.syscall(ctypes.c_long(number), ctypes.c_long(-100), b'/tmp', ctypes.byref(how), ctypes.c_long(24)), ctypes.get_errno())
";
    assert_eq!(heard(asking, false), format!("-1 {}", libc::ENOSYS));
}

#[test]
fn a_deaf_sandbox_does_not_see_who_waits_on_a_shared_futex() {
    let futex = "
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
address = ctypes.c_void_p(libc.mmap(None, 4096, mmap.PROT_READ, mmap.MAP_SHARED, os.open(PATH, os.O_RDONLY), 0))
value = ctypes.c_uint32.from_address(address.value).value
number = 202 if os.uname().machine == 'x86_64' else 98
def futex(operation, argument):
    return libc.syscall(ctypes.c_long(number), address, ctypes.c_long(operation), ctypes.c_long(argument), None, None, ctypes.c_long(-1))
WAIT, WAKE, WAIT_BITSET, WAKE_BITSET = 0, 1, 9, 10
";
    // Each goes back to waiting as often as it is woken.
    let speaker = speaking(&format!(
        "{futex}
for _ in range(4):
    if os.fork() == 0:
        while True:
            futex(WAIT, value)
print('spoken', flush=True)
time.sleep(1000)
"
    ));
    let hearing = heard(
        &format!(
            "{futex}
while futex(WAKE, 1) != 1:
    time.sleep(0.001)
print('somebody waits')
"
        ),
        false,
    );
    assert_eq!(hearing, "somebody waits");
    speaker.freeze().unwrap();
    let deaf = heard(
        &format!(
            "{futex}
woken = sum(futex(operation, 100) for operation in [WAKE, WAKE_BITSET] for _ in range(100))
waits = [(futex(operation, value), ctypes.get_errno()) for operation in [WAIT, WAIT_BITSET]]
others = {{(futex(operation, 0), ctypes.get_errno()) for operation in [2, 3, 4, 5, 6, 7, 8, 11, 12, 13]}}
print(woken, waits, others)
"
        ),
        true,
    );
    let (again, absent) = (libc::EAGAIN, libc::ENOSYS);
    assert_eq!(
        deaf,
        format!("0 [(-1, {again}), (-1, {again})] {{(-1, {absent})}}")
    );
}

/// Semaphores of several processes and the joining of threads rest on what a deaf sandbox must do without.
#[test]
fn processes_and_threads_of_a_deaf_sandbox_still_wait_for_one_another() {
    let said = heard(
        "
import multiprocessing, threading
context = multiprocessing.get_context('fork')
semaphore, queue = context.Semaphore(0), context.Queue()
def work():
    semaphore.acquire()
    queue.put('done')
workers = [context.Process(target=work) for _ in range(3)]
for worker in workers:
    worker.start()
for _ in workers:
    semaphore.release()
print([queue.get() for _ in workers])
for worker in workers:
    worker.join()
threads = [threading.Thread(target=time.sleep, args=(0.01,)) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
",
        true,
    );
    assert_eq!(said, "['done', 'done', 'done']");
}

#[test]
fn a_deaf_sandbox_does_not_see_which_pages_another_has_mapped() {
    let looking = "
own = os.getpid()
names = ['smaps', 'smaps_rollup', 'pagemap', 'numa_maps', 'status', 'maps', 'net/sockstat', 'net/protocols', 'net/softnet_stat', f'task/{own}/smaps']
names = [name for name in names if os.access(f'/proc/{own}/{name}', os.F_OK)]
def outcome(path):
    try:
        open(path, 'rb').close()
        return 0
    except OSError as error:
        return error.errno
print({outcome(f'/proc/{process}/{name}') for process in ['self', own] for name in names})
";
    assert_eq!(heard(looking, false), "{0}");
    // SAFETY: asks for the version of the interface; no memory is touched.
    let landlock = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<u8>(),
            0_usize,
            1_u32,
        )
    };
    if landlock >= 1 {
        assert_eq!(heard(looking, true), format!("{{{}}}", libc::EACCES));
    }
    // What honest programs need of /proc is there all the same.
    let needed = "
assert os.readlink('/proc/self/exe') and '0' in os.listdir('/proc/self/fd')
assert 'processor' in open('/proc/cpuinfo').read() and open('/proc/meminfo').read() == ''
assert open('/proc/self/fd/0').read() == '' and os.path.isdir(f'/proc/{os.getpid()}/task')
import subprocess
print(subprocess.run(['/bin/sh', '-c', 'echo fine'], capture_output=True, close_fds=True).stdout.decode())
";
    assert_eq!(heard(needed, true), "fine");
}
