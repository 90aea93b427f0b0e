//! Coming and going: two at a time, callers that are killed, and what is left behind, which is nothing.

use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use prism_sandbox::{Bind, Ending, Freezer, MemoryCap, Mode};

use crate::kit;

/// A whole family of processes, some in sessions of their own, all of which carry the marker.
const FAMILY: &str = "
import os, signal, time
for kind in range(3):
    if os.fork() == 0:
        if kind:
            os.setsid()
        for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_IGN)
        if kind == 2 and os.fork() != 0:
            os._exit(0)
        break
while True:
    time.sleep(0.01)
";
const FAMILY_SIZE: usize = 4;

/// A caller of its own: a program that starts a sandbox, and that can be killed.
struct Caller {
    process: Child,
    marker: String,
}

impl Caller {
    fn start(name: &str, options: &[&str]) -> Self {
        let marker = kit::marker(name);
        let (interpreter, binds) = kit::python();
        let mut command = Command::new(kit::public_helper());
        command.args(options);
        for bind in binds {
            command.arg("--bind").arg(&bind.source);
        }
        command
            .arg("--")
            .arg(interpreter)
            .args(["-I", "-c", &format!("# {marker}\n{FAMILY}")]);
        let process = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let caller = Self { process, marker };
        kit::eventually("the whole family runs", || caller.family().len() >= FAMILY_SIZE);
        caller
    }

    /// The payload's processes. The caller carries the marker as well.
    fn family(&self) -> Vec<i32> {
        let own = i32::try_from(self.process.id()).unwrap();
        kit::processes_marked(&self.marker)
            .into_iter()
            .filter(|pid| *pid != own)
            .collect()
    }

    /// The process between the caller and the init: the caller's only child.
    fn keeper(&self) -> i32 {
        let id = self.process.id();
        let text = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        text.split_whitespace().next().unwrap().parse().unwrap()
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn freezers() -> Vec<&'static str> {
    let names = [
        (Freezer::CgroupV2, "cgroup-v2"),
        (Freezer::CgroupV1, "cgroup-v1"),
        (Freezer::InitSignals, "signals"),
    ];
    let works = |freezer| {
        let preferences = prism_sandbox::Preferences {
            memory_cap: None,
            freezer: Some(freezer),
        };
        prism_sandbox::preflight_with(&kit::helper(), preferences).is_ok()
    };
    names
        .into_iter()
        .filter(|(freezer, _)| works(*freezer))
        .map(|(_, name)| name)
        .collect()
}

#[test]
fn a_killed_caller_takes_everything_with_it() {
    for freezer in freezers() {
        let mut caller = Caller::start("caller-dies", &["--freezer", freezer]);
        let keeper = caller.keeper();
        caller.kill();
        kit::eventually("the family dies", || caller.family().is_empty());
        kit::eventually("the keeper goes", || {
            !Path::new(&format!("/proc/{keeper}")).exists()
        });
        assert_eq!(
            kit::groups_of(caller.process.id()),
            Vec::<std::path::PathBuf>::new(),
            "{freezer}"
        );
    }
}

#[test]
fn a_killed_caller_takes_even_a_frozen_sandbox_with_it() {
    for freezer in freezers() {
        let marker = kit::marker("frozen-caller");
        let (interpreter, binds) = kit::python();
        let mut command = Command::new(kit::public_helper());
        command.args(["--freezer", freezer, "--stay-frozen"]);
        for bind in binds {
            command.arg("--bind").arg(&bind.source);
        }
        command
            .arg("--")
            .arg(interpreter)
            .args(["-I", "-c", &format!("# {marker}\n{FAMILY}")]);
        let mut process = command
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = std::io::BufRead::lines(std::io::BufReader::new(process.stderr.take().unwrap()));
        assert!(lines.any(|line| line.unwrap() == "frozen"), "{freezer}");
        process.kill().unwrap();
        process.wait().unwrap();
        kit::eventually("the family dies", || kit::processes_marked(&marker).is_empty());
        kit::eventually("the groups go", || kit::groups_of(process.id()).is_empty());
    }
}

#[test]
fn groups_of_a_caller_that_died_together_with_its_keeper_go_at_the_next_start() {
    let mut caller = Caller::start("stale", &[]);
    let keeper = caller.keeper();
    let groups = kit::groups_of(caller.process.id());
    let exact = kit::capabilities().memory_cap != MemoryCap::Watchdog;
    assert_eq!(exact, !groups.is_empty(), "{groups:?}");
    // Stopped, the keeper cannot clean up before it dies.
    kit::signal(keeper, libc::SIGSTOP);
    caller.kill();
    kit::signal(keeper, libc::SIGKILL);
    kit::eventually("the family dies", || caller.family().is_empty());
    let next = Command::new(kit::public_helper())
        .args(["--", "/bin/true"])
        .output()
        .unwrap();
    assert!(next.status.success(), "{}", String::from_utf8_lossy(&next.stderr));
    assert_eq!(
        kit::groups_of(caller.process.id()),
        Vec::<std::path::PathBuf>::new()
    );
}

#[test]
fn two_sandboxes_share_nothing() {
    let listener = "
import os, socket, sys
a = socket.socket(socket.AF_UNIX); a.bind('\\0prism-shared'); a.listen()
t = socket.socket(); t.bind(('127.0.0.1', 7391)); t.listen()
open('/tmp/seen', 'w').write('x'); open('/dev/shm/seen', 'w').write('x')
print(os.getuid(), os.readlink('/proc/self/ns/pid'), os.readlink('/proc/self/ns/net'), os.readlink('/proc/self/ns/ipc'), flush=True)
while True:
    os.wait4 and __import__('time').sleep(1)
";
    let visitor = "
import os, socket
def refused(action):
    try:
        action()
    except OSError as error:
        return error.errno
    return 0
print(os.getuid(), os.readlink('/proc/self/ns/pid'), os.readlink('/proc/self/ns/net'), os.readlink('/proc/self/ns/ipc'))
print(refused(lambda: socket.socket(socket.AF_UNIX).connect('\\0prism-shared')), refused(lambda: socket.socket().connect(('127.0.0.1', 7391))))
print(os.listdir('/dev/shm'), os.path.exists('/tmp/seen'), sorted(p for p in os.listdir('/proc') if p.isdigit()))
";
    let first = kit::spawn(kit::code("first", listener));
    kit::eventually("the first is ready", || first.logs().stdout.ends_with(b"\n"));
    let (ending, logs) = kit::run(kit::code("second", visitor));
    let second = String::from_utf8(logs.stdout).unwrap();
    assert_eq!(
        ending,
        Ending::Exited(0),
        "{}",
        String::from_utf8_lossy(&logs.stderr)
    );
    let first_words = String::from_utf8(first.logs().stdout).unwrap();
    let mut lines = second.lines();
    let same: Vec<bool> = first_words
        .split_whitespace()
        .zip(lines.next().unwrap().split_whitespace())
        .map(|(a, b)| a == b)
        .collect();
    assert_eq!(
        same,
        [kit::capabilities().mode == Mode::User, false, false, false],
        "uid, then three namespaces"
    );
    assert_eq!(
        lines.next(),
        Some(format!("{0} {0}", libc::ECONNREFUSED).as_str())
    );
    assert_eq!(lines.next(), Some("[] False ['1', '2']"));
}

#[test]
fn a_descriptor_that_the_caller_forgot_does_not_reach_the_payload() {
    let forgotten = std::fs::File::open("/etc/hostname")
        .or_else(|_| std::fs::File::open("/etc/passwd"))
        .unwrap();
    // SAFETY: a plain system call on an open descriptor: it loses close-on-exec.
    assert_eq!(unsafe { libc::fcntl(forgotten.as_raw_fd(), libc::F_SETFD, 0) }, 0);
    let (ending, logs) = kit::run(kit::code(
        "forgotten",
        "import os; print(sorted(os.listdir('/proc/self/fd')))",
    ));
    assert_eq!(ending, Ending::Exited(0));
    assert_eq!(
        String::from_utf8(logs.stdout).unwrap(),
        "['0', '1', '2', '3']\n",
        "3 is the listing itself"
    );
}

#[test]
fn dropping_a_sandbox_leaves_no_process() {
    let marker = kit::marker("dropped");
    let sandbox = kit::spawn(kit::code("dropped", &format!("# {marker}\n{FAMILY}")));
    kit::eventually("the whole family runs", || {
        kit::processes_marked(&marker).len() >= FAMILY_SIZE
    });
    drop(sandbox);
    assert_eq!(kit::processes_marked(&marker), Vec::<i32>::new());
}

/// Number 14 of the attacks. The submount is made in a mount namespace that nobody else sees.
#[test]
fn a_submount_of_a_bound_directory_is_read_only_too() {
    let directory = tempfile::Builder::new()
        .prefix("prism-submount-")
        .tempdir_in(kit::shared_directory())
        .unwrap();
    std::fs::set_permissions(
        directory.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o777),
    )
    .unwrap();
    let submount = directory.path().join("sub");
    std::fs::create_dir(&submount).unwrap();
    std::fs::write(submount.join("covered"), "x").unwrap();
    let (interpreter, binds) = kit::python();
    let mut command = Command::new(kit::public_helper());
    for bind in binds.iter().chain([&Bind::same(directory.path())]) {
        command.arg("--bind").arg(&bind.source);
    }
    let text = format!(
        "import os\nprint(os.listdir({submount:?}))\ntry:\n    open({submount:?} + '/planted', 'w')\nexcept OSError as e:\n    print(e.errno)"
    );
    command.arg("--").arg(interpreter).args(["-I", "-c", &text]);
    crate::refusals::in_own_mounts(&mut command, &submount);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        said,
        format!("[]\n{}\n", libc::EROFS),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_payload_stays_on_the_cpus_that_it_was_given() {
    let own = rustix::thread::sched_getaffinity(None).unwrap();
    let cpu = (0..rustix::thread::CpuSet::MAX_CPU)
        .find(|&cpu| own.is_set(cpu))
        .expect("this test runs on a CPU");
    let mut spec = kit::code(
        "bound",
        "
import os
print(sorted(os.sched_getaffinity(0)))
for wanted in (range(1024), [0], [1]):
    try:
        os.sched_setaffinity(0, wanted)
        print('moved')
    except PermissionError:
        pass
print(sorted(os.sched_getaffinity(0)))
",
    );
    spec.cpus = Some(vec![cpu]);
    let (ending, logs) = kit::run(spec);
    assert!(matches!(ending, Ending::Exited(0)), "{ending:?}");
    let said = String::from_utf8(logs.stdout).unwrap();
    assert_eq!(said, format!("[{cpu}]\n[{cpu}]\n"));
}
