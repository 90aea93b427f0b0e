//! The seal: what still works under it, what ends a sandbox, and that nothing in there can get around it.
//!
//! The payload is a loop that executes what it is sent, so that a test can have the same process do one thing before the seal and another after it.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use prism_sandbox::{Ending, MappedPages, Sandbox, SealError, Spec, call_name};

use crate::kit;

const LOOP: &str = "
import ctypes, errno, mmap, os, resource, signal, socket, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
line = socket.socket(fileno=3)
while True:
    said = line.recv(65536).decode()
    if not said:
        break
    answer = 'done'
    try:
        exec(said)
    except Exception as error:
        answer = repr(error)
    line.sendall(answer.encode())
";

/// A sandbox that can be sealed, and the line to it.
struct Sealable {
    sandbox: Sandbox,
    line: UnixStream,
}

fn spec(name: &str) -> (Spec, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_read_timeout(Some(kit::PATIENCE)).unwrap();
    let mut spec = kit::code(name, LOOP);
    spec.fds = vec![(theirs.into(), 3)];
    spec.deaf = true;
    spec.seal_socket = Some(3);
    (spec, ours)
}

impl Sealable {
    fn start(name: &str) -> Self {
        let (spec, line) = spec(name);
        Self {
            sandbox: kit::spawn(spec),
            line,
        }
    }

    /// Has it execute something; gives its answer, or nothing if it ended meanwhile.
    fn try_say(&mut self, code: &str) -> Option<String> {
        self.line.write_all(code.as_bytes()).ok()?;
        let mut buffer = [0; 65_536];
        match self.line.read(&mut buffer) {
            Ok(0) | Err(_) => None,
            Ok(length) => Some(String::from_utf8_lossy(&buffer[..length]).into_owned()),
        }
    }

    fn say(&mut self, code: &str) -> String {
        self.try_say(code).unwrap_or_else(|| {
            let logs = self.sandbox.logs();
            panic!(
                "{:?} {}",
                self.sandbox.try_wait(),
                String::from_utf8_lossy(&logs.stderr)
            )
        })
    }

    /// What the call was that ended it.
    fn broken_by(mut self, code: &str) -> String {
        let answer = self.try_say(code);
        match self.sandbox.wait(Some(kit::PATIENCE)) {
            Some(Ending::SealBroken(call)) => call_name(call).map_or(call.to_string(), str::to_owned),
            other => panic!("{other:?} after {code}: {answer:?}"),
        }
    }
}

#[test]
fn before_the_seal_it_is_an_ordinary_sandbox() {
    let mut sandbox = Sealable::start("unsealed");
    let ordinary = "
import json.tool, subprocess, tempfile
assert os.path.exists('/proc/self/status') and not os.path.exists('/nowhere')
with tempfile.TemporaryFile() as file:
    file.write(b'x')
assert subprocess.run(['/bin/sh', '-c', 'echo fine'], capture_output=True).stdout == b'fine\\n'
threading.Thread(target=print).start()
";
    assert_eq!(sandbox.say(ordinary), "done");
}

#[test]
fn under_the_seal_it_computes_and_answers() {
    let mut sandbox = Sealable::start("sealed");
    let pool = "
work, done = [], threading.Semaphore(0)
wake = threading.Semaphore(0)
def worker():
    while True:
        wake.acquire()
        work.append(sum(range(1000)))
        done.release()
for _ in range(3):
    threading.Thread(target=worker, daemon=True).start()
";
    assert_eq!(sandbox.say(pool), "done");
    sandbox.sandbox.seal().unwrap();
    let computing = "
blocks = [bytearray(size) for size in [10, 100_000, 50_000_000, 300_000] for _ in range(3)]
del blocks
for _ in range(20):
    wake.release()
for _ in range(20):
    done.acquire()
print('printed under the seal', flush=True)
time.monotonic(), time.time(), os.getpid(), threading.get_native_id()
answer = str(len(work))
";
    for _ in 0..3 {
        sandbox.sandbox.freeze().unwrap();
        sandbox.sandbox.thaw().unwrap();
        assert!(sandbox.say(computing).parse::<usize>().unwrap() >= 20);
    }
    // A second order changes nothing.
    sandbox.sandbox.seal().unwrap();
    assert_eq!(sandbox.say(computing), "80");
    // What was printed last may still be on its way.
    let expected = b"printed under the seal\n".repeat(4);
    kit::eventually("everything that was printed is in the log", || {
        sandbox.sandbox.logs().stdout == expected
    });
}

/// Every kind of call that could tell something. The second part names the calls that may have been the first one of its kind.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("open('/etc/passwd')", &["openat"]),
    ("open('/nowhere/at/all')", &["openat"]),
    ("os.stat('/nowhere')", &["newfstatat", "statx"]),
    (
        "os.access('/tmp', os.F_OK)",
        &["access", "faccessat", "faccessat2"],
    ),
    ("os.readlink('/proc/self/exe')", &["readlink", "readlinkat"]),
    ("os.listdir('/tmp')", &["openat"]),
    ("os.statvfs('/')", &["137", "43"]),
    ("os.chdir('/tmp')", &["chdir"]),
    ("os.getcwd()", &["getcwd"]),
    ("import a_module_that_is_not_there", &["newfstatat", "statx"]),
    ("ctypes.CDLL('libnothing.so')", &["openat"]),
    (
        "import locale; locale.setlocale(locale.LC_ALL, 'xx_YY')",
        &["openat", "newfstatat", "statx"],
    ),
    (
        "import pwd; pwd.getpwnam('nobody')",
        &["openat", "newfstatat", "socket"],
    ),
    (
        "socket.getaddrinfo('localhost', 80)",
        &["openat", "newfstatat", "socket"],
    ),
    ("os.read(file, 1)", &["read"]),
    ("os.pread(file, 1, 0)", &["pread64"]),
    ("os.fstat(file)", &["fstat", "newfstatat"]),
    ("os.lseek(file, 0, os.SEEK_END)", &["lseek"]),
    ("os.write(file, b'x')", &["write"]),
    (
        "mmap.mmap(file, 0, prot=mmap.PROT_READ)",
        &["fstat", "newfstatat", "fcntl", "mmap"],
    ),
    (
        "libc.mmap(None, ctypes.c_size_t(4096), 1, 1, file, ctypes.c_long(0))",
        &["mmap"],
    ),
    ("os.pipe()", &["pipe2"]),
    ("socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)", &["socket"]),
    ("socket.socketpair()", &["socketpair"]),
    ("line.sendto(b'x', 'name')", &["sendto"]),
    ("line.sendmsg([b'x'])", &["sendmsg"]),
    ("line.recvmsg(1)", &["recvmsg"]),
    ("other.send(b'x')", &["sendto"]),
    ("line.getsockopt(1, 7)", &["getsockopt"]),
    ("os.fork()", &["clone", "fork", "vfork"]),
    ("threading.Thread(target=print).start()", &["clone"]),
    ("os.execv('/bin/true', ['true'])", &["execve"]),
    ("os.kill(1, 0)", &["kill"]),
    ("os.waitpid(-1, os.WNOHANG)", &["wait4"]),
    ("os.sched_getaffinity(0)", &["sched_getaffinity"]),
    ("resource.getrusage(resource.RUSAGE_SELF)", &["getrusage"]),
    ("resource.getrlimit(resource.RLIMIT_AS)", &["prlimit64"]),
    ("os.uname()", &["uname"]),
    ("os.times()", &["times"]),
    ("os.getuid()", &["getuid"]),
    ("os.getppid()", &["getppid"]),
    ("os.urandom(1)", &["getrandom"]),
    ("time.sleep(0.001)", &["clock_nanosleep"]),
    ("signal.pause()", &["34", "ppoll"]),
    (
        "import select; select.select([], [], [], 0)",
        &["select", "pselect6"],
    ),
    ("os.sync()", &["162", "81"]),
];

#[test]
fn every_other_call_ends_a_sealed_sandbox() {
    for (code, calls) in FORBIDDEN {
        let mut sandbox = Sealable::start("breaking");
        let prepared =
            sandbox.say("file = os.open('/proc/self/exe', os.O_RDONLY); other, far = socket.socketpair(); machine = os.uname().machine");
        assert_eq!(prepared, "done");
        sandbox.sandbox.seal().unwrap();
        let broken_by = sandbox.broken_by(code);
        assert!(calls.contains(&broken_by.as_str()), "{code}: {broken_by}");
    }
}

#[test]
fn threads_and_children_from_before_are_sealed_too() {
    let waiting = "
reader, writer = os.pipe()
shared = mmap.mmap(-1, 4096)
def later():
    shared[1] = 1
    while shared[0] == 0:
        pass
    os.stat('/nowhere')
";
    for start in [
        "threading.Thread(target=later, daemon=True).start()",
        "
if os.fork() == 0:
    later()
",
    ] {
        let mut sandbox = Sealable::start("others");
        assert_eq!(sandbox.say(waiting), "done");
        assert_eq!(sandbox.say(start), "done");
        assert_eq!(sandbox.say("while shared[1] == 0: time.sleep(0.001)"), "done");
        sandbox.sandbox.seal().unwrap();
        let broken_by = sandbox.broken_by("shared[0] = 1");
        assert!(
            ["newfstatat", "statx"].contains(&broken_by.as_str()),
            "{broken_by}"
        );
    }
}

/// Threads of Python wait with an end to their patience, and the kernel takes an interrupted wait up again with a call of its own. That call is never
/// done: what the kernel keeps of a wait from before the seal could be asked for again and again.
#[test]
fn a_wait_with_an_end_survives_every_freeze_under_the_seal() {
    let mut sandbox = Sealable::start("waits");
    let waiting = "
lock = threading.Lock()
lock.acquire()
turns = [0]
def wait():
    while True:
        lock.acquire(timeout=3600)
        turns[0] += 1
threading.Thread(target=wait, daemon=True).start()
";
    assert_eq!(sandbox.say(waiting), "done");
    assert_eq!(sandbox.say("time.sleep(0.05)"), "done");
    assert_eq!(
        sandbox.say("restart = ctypes.c_long({'x86_64': 219, 'aarch64': 128}[os.uname().machine])"),
        "done"
    );
    sandbox.sandbox.seal().unwrap();
    for _ in 0..20 {
        sandbox.sandbox.freeze().unwrap();
        sandbox.sandbox.thaw().unwrap();
        assert_eq!(sandbox.say("sum(range(100000))"), "done");
    }
    // It waits still, and no interruption was taken for the lock.
    assert_eq!(sandbox.say("assert turns[0] == 0"), "done");
    assert_eq!(
        sandbox.say("assert libc.syscall(restart) == -1 and ctypes.get_errno() == errno.EINTR"),
        "done"
    );
    assert_eq!(sandbox.say("lock.release()"), "done");
    assert_eq!(sandbox.say("while turns[0] == 0: sum(range(1000))"), "done");
}

/// A call that waits when the seal is put on is interrupted by the freeze that belongs to it, started over, and so meets the seal.
#[test]
fn a_call_under_way_does_not_outlive_the_seal() {
    let mut sandbox = Sealable::start("under-way");
    let waiting = "
reader, writer = os.pipe()
near, far = socket.socketpair()
def fill():
    blob = bytes(1 << 20)
    while True:
        os.write(writer, blob)
threading.Thread(target=fill, daemon=True).start()
";
    assert_eq!(sandbox.say(waiting), "done");
    assert_eq!(sandbox.say("time.sleep(0.1)"), "done");
    // It may end before the seal has been said to be on.
    let _ = sandbox.sandbox.seal();
    match sandbox.sandbox.wait(Some(kit::PATIENCE)) {
        Some(Ending::SealBroken(call)) => assert_eq!(call_name(call), Some("write")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_can_take_the_place_of_the_line() {
    let mut sandbox = Sealable::start("line");
    let tricks = "
failures = []
def refused(call, *arguments):
    if libc[call](*arguments) != -1 or ctypes.get_errno() != errno.EPERM:
        failures.append(call)
file = os.open('/proc/self/exe', os.O_RDONLY)
refused('close', 3)
refused('dup2', file, 3)
refused('dup3', file, 3, os.O_CLOEXEC)
refused('close_range', 3, 3, 0)
refused('close_range', 0, 100, 0)
# Marked to be closed at an execve it would be gone after one. That is answered with success and not done.
import fcntl
os.set_inheritable(3, False)
fcntl.fcntl(3, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
libc.ioctl(3, ctypes.c_long(0x5451))
if not os.get_inheritable(3):
    failures.append('marked')
# With high bits that the kernel does not look at.
number = {'x86_64': (3, 33), 'aarch64': (57, None)}[os.uname().machine]
if libc.syscall(ctypes.c_long(number[0]), ctypes.c_long((1 << 32) + 3)) != -1:
    failures.append('close with high bits')
answer = str(failures)
";
    assert_eq!(sandbox.say(tricks), "[]");
}

#[test]
fn only_what_was_made_for_it_can_be_sealed() {
    let sandbox = kit::spawn(kit::code("never", "import time; time.sleep(1000)"));
    assert!(matches!(sandbox.seal(), Err(SealError::Init(_))));
    let (mut spec, _line) = spec("no-line");
    spec.seal_socket = Some(9);
    let error = Sandbox::spawn(&kit::helper(), &kit::capabilities(), spec).unwrap_err();
    assert!(error.to_string().contains("number 9"), "{error}");
    let mut ended = Sealable::start("ended");
    assert_eq!(ended.try_say("os._exit(7)"), None);
    assert_eq!(ended.sandbox.wait(Some(kit::PATIENCE)), Some(Ending::Exited(7)));
    assert!(matches!(
        ended.sandbox.seal(),
        Err(SealError::Ended | SealError::Init(_))
    ));
}

#[test]
fn mapped_pages_are_locked_by_root_and_said_not_to_be_otherwise() {
    let mut sandbox = Sealable::start("pages");
    assert_eq!(
        sandbox.say("kept = mmap.mmap(os.open(sys.executable, os.O_RDONLY), 0, prot=mmap.PROT_READ)"),
        "done"
    );
    match sandbox.sandbox.seal().unwrap() {
        MappedPages::Locked { bytes } => {
            assert!(kit::is_root());
            let program = std::fs::metadata(&kit::python().0).unwrap().len();
            assert!(bytes > program, "{bytes} of at least {program}");
        }
        MappedPages::NotLocked { why } => assert!(!kit::is_root(), "{why}"),
    }
    // What it has mapped can still be read, taken away and come back to.
    let reading = "
view = (ctypes.c_char * len(kept)).from_buffer_copy(kept)
answer = str(view.raw[:4])
";
    assert_eq!(sandbox.say(reading), r"b'\x7fELF'");
}
