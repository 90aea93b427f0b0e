//! What the tests share: the helper, the interpreter, the attack scripts, and one way to run a script confined.

use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use prism_sandbox::{
    Bind, Capabilities, Devices, Ending, Helper, Limits, Logs, OutputPolicy, Sandbox, Spec, Tmpfs, preflight,
};

/// Names the helper where it is not where cargo built it.
pub(crate) const HELPER_VARIABLE: &str = "PRISM_SANDBOX_TEST_HELPER";
/// An ordinary user that no machine has.
pub(crate) const ORDINARY_UID: u32 = 61_357;
/// No wait of a test is longer; none is expected to come near it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) const SCRATCH_BYTES: u64 = 48 << 20;
pub(crate) const SHM_BYTES: u64 = 24 << 20;
pub(crate) const SCRATCH_INODES: u64 = 2_000;

pub(crate) const LIMITS: Limits = Limits {
    memory_bytes: 256 << 20,
    processes: 48,
    file_bytes: 64 << 20,
    open_files: 256,
    cpu_seconds: 60,
    wall: Duration::from_secs(80),
    output_bytes: 1 << 20,
};

pub(crate) fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

pub(crate) fn as_ordinary_user(command: &mut Command) {
    // The standard library also drops the supplementary groups when root changes the user.
    command.uid(ORDINARY_UID).gid(ORDINARY_UID);
}

pub(crate) fn helper() -> Helper {
    let path = std::env::var_os(HELPER_VARIABLE).map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_prism-confine")),
        PathBuf::from,
    );
    Helper { path }
}

pub(crate) fn capabilities() -> Capabilities {
    preflight(&helper()).unwrap_or_else(|error| panic!("this machine cannot run the tests: {error}"))
}

/// A directory of this run that everybody can read, gone when the program ends.
pub(crate) fn shared_directory() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    extern "C" fn remove() {
        let _ = DIRECTORY.get().map(std::fs::remove_dir_all);
    }
    DIRECTORY.get_or_init(|| {
        let directory = tempfile::Builder::new()
            .prefix("prism-sandbox-test-")
            .tempdir_in("/tmp")
            .unwrap()
            .keep();
        std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o755)).unwrap();
        // A static is never dropped, so the end of the program is asked for.
        // SAFETY: the function is `extern "C"`, takes nothing and does not unwind.
        unsafe { libc::atexit(remove) };
        directory
    })
}

/// The attack scripts, where the sandbox's user can read them.
pub(crate) fn scripts() -> &'static Path {
    static SCRIPTS: OnceLock<PathBuf> = OnceLock::new();
    SCRIPTS.get_or_init(|| {
        let directory = shared_directory().join("attacks");
        std::fs::create_dir(&directory).unwrap();
        macro_rules! write {
            ($($name:literal),*) => {$(
                std::fs::write(directory.join($name), include_str!(concat!("../attacks/", $name))).unwrap();
            )*};
        }
        write!(
            "kit.py",
            "net.py",
            "files.py",
            "disk.py",
            "proc.py",
            "signals.py",
            "processes.py",
            "syscalls.py",
            "leaks.py",
            "memory.py",
            "output.py",
            "ipc.py",
            "channels.py"
        );
        directory
    })
}

/// An interpreter that an unprivileged user can run, and what must be bound for it beyond the system directories.
pub(crate) fn python() -> &'static (PathBuf, Vec<Bind>) {
    static PYTHON: OnceLock<(PathBuf, Vec<Bind>)> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let system = Path::new("/usr/bin/python3");
        if system.exists() {
            return (system.to_owned(), Vec::new());
        }
        let code = "import sys; print(sys.executable); print(sys.base_prefix)";
        let output = Command::new("python3")
            .args(["-c", code])
            .output()
            .expect("the tests need python3");
        let text = String::from_utf8(output.stdout).unwrap();
        let mut lines = text.lines().map(PathBuf::from);
        let executable = lines.next().unwrap().canonicalize().unwrap();
        (executable, vec![Bind::same(lines.next().unwrap())])
    })
}

/// A specification that runs `script` from the attack scripts.
pub(crate) fn spec(name: &str, script: &str, arguments: &[&str]) -> Spec {
    let (interpreter, binds) = python();
    let mut argv = vec![interpreter.clone().into_os_string(), "-B".into()];
    argv.push(scripts().join(script).into_os_string());
    argv.extend(arguments.iter().map(|argument| (*argument).into()));
    let mut spec = Spec::new(name, argv, LIMITS);
    spec.env = vec![
        ("PATH".into(), "/usr/bin:/bin".into()),
        ("LANG".into(), "C.UTF-8".into()),
    ];
    spec.binds.extend(binds.iter().cloned());
    spec.binds.push(Bind::same(scripts()));
    spec.scratch = vec![Tmpfs {
        target: "/tmp".into(),
        bytes: SCRATCH_BYTES,
        inodes: SCRATCH_INODES,
    }];
    // The shared directory of the tests lies in /tmp of the host and is shown below the scratch space.
    spec.cwd = "/tmp".into();
    spec.shm_bytes = SHM_BYTES;
    spec.output = OutputPolicy::Kill;
    spec.devices = Devices::None;
    spec
}

/// A specification that runs a few lines of Python.
pub(crate) fn code(name: &str, text: &str) -> Spec {
    let (interpreter, _) = python();
    let mut spec = spec(name, "kit.py", &[]);
    spec.argv = vec![
        interpreter.clone().into_os_string(),
        "-I".into(),
        "-u".into(),
        "-c".into(),
        text.into(),
    ];
    spec
}

pub(crate) fn spawn(spec: Spec) -> Sandbox {
    spawn_with(&capabilities(), spec)
}

pub(crate) fn spawn_with(capabilities: &Capabilities, spec: Spec) -> Sandbox {
    Sandbox::spawn(&helper(), capabilities, spec).unwrap_or_else(|error| panic!("{error}"))
}

/// Waits for the end, within bounds.
pub(crate) fn finish(sandbox: &Sandbox) -> (Ending, Logs) {
    let ending = sandbox.wait(Some(PATIENCE)).expect("the sandbox must end");
    (ending, sandbox.logs())
}

pub(crate) fn run(spec: Spec) -> (Ending, Logs) {
    finish(&spawn(spec))
}

/// A descriptor's copy that another sandbox can be given.
pub(crate) fn copy_of(fd: &OwnedFd) -> OwnedFd {
    fd.try_clone().unwrap()
}

/// Waits until `condition` holds, within bounds.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while !condition() {
        assert!(std::time::Instant::now() < deadline, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A word that is in the command line of one test's processes only.
pub(crate) fn marker(name: &str) -> String {
    format!("prism-marker-{name}-{}", std::process::id())
}

/// The host's processes that have the marker in their command line, other than direct children of tests that carry it on purpose.
pub(crate) fn processes_marked(marker: &str) -> Vec<i32> {
    let numbers = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    numbers
        .filter(|pid| {
            let command_line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            command_line
                .windows(marker.len())
                .any(|window| window == marker.as_bytes())
        })
        .collect()
}

/// Those of them that stay. What is killed takes a moment to give back its memory, longer on a machine that does much else.
pub(crate) fn survivors(marker: &str) -> Vec<i32> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let found = processes_marked(marker);
        if found.is_empty() || Instant::now() > deadline {
            return found;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The helper program where an ordinary user can run it too.
pub(crate) fn public_helper() -> &'static Path {
    static COPY: OnceLock<PathBuf> = OnceLock::new();
    COPY.get_or_init(|| {
        let copy = shared_directory().join("prism-confine-copy");
        std::fs::copy(helper().path, &copy).unwrap();
        copy
    })
}

/// The parent of a process of the host.
pub(crate) fn parent_of(pid: i32) -> i32 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}

pub(crate) fn signal(pid: i32, signal: i32) {
    // SAFETY: a plain system call that takes numbers.
    unsafe { libc::kill(pid, signal) };
}

/// Control groups that this process made for sandboxes.
pub(crate) fn groups_of(pid: u32) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::from("/sys/fs/cgroup")];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                let name = entry.file_name();
                let ours = entry
                    .path()
                    .parent()
                    .is_some_and(|parent| parent.ends_with("prism"));
                if ours && name.to_string_lossy().split('-').nth(1) == Some(&pid.to_string()) {
                    found.push(entry.path());
                }
                open.push(entry.path());
            }
        }
    }
    found
}
