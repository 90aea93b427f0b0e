//! What a caller asks for: the command, what it may see, and its limits.
//!
//! Filled in by the callers of [`crate::Sandbox::spawn`], checked there before anything is started. Nothing in it is optional by omission: what is not
//! named here does not exist inside the sandbox.

use std::ffi::OsString;
use std::os::fd::{OwnedFd, RawFd};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The most descriptors that can be passed beside stdin, stdout and stderr.
pub const PASSED_FDS_MAX: usize = 64;
/// The highest number a passed descriptor may have inside.
pub const TARGET_FD_MAX: RawFd = 255;
/// The most paths that can be bound.
pub const BINDS_MAX: usize = 256;

/// One command to run confined.
#[derive(Debug)]
pub struct Spec {
    /// A short name for messages and for the host name inside: 1 to 32 of `[a-z0-9-]`.
    pub name: String,
    /// The command; `argv[0]` is an absolute path inside the sandbox.
    pub argv: Vec<OsString>,
    /// The whole environment. Nothing is inherited.
    pub env: Vec<(OsString, OsString)>,
    /// The working directory inside.
    pub cwd: PathBuf,
    /// Read-only views of host paths, submounts included. See [`system_binds`]. The dynamic loader's index of the host is
    /// shown as well, unless one of these has `/etc/ld.so.cache` as its target.
    pub binds: Vec<Bind>,
    /// Writable memory-backed directories, empty at the start and gone at the end. Programs may be executed from them.
    pub scratch: Vec<Tmpfs>,
    /// Size of `/dev/shm`.
    pub shm_bytes: u64,
    /// Descriptors to hand over, with their number inside (3 to [`TARGET_FD_MAX`]).
    pub fds: Vec<(OwnedFd, RawFd)>,
    /// The limits.
    pub limits: Limits,
    /// What happens when the process writes more than `limits.output_bytes`.
    pub output: OutputPolicy,
    /// Which devices exist besides null, zero, full, random and urandom.
    pub devices: Devices,
    /// Whether it must learn nothing of what another sandbox knows, even from one that is frozen. It then cannot read the files of `/proc/<pid>` (where
    /// the kernel has Landlock, and not with a GPU, whose driver needs them), and its processes cannot sleep on a futex that they share with one another:
    /// they look again and again, which is slower and right all the same.
    pub deaf: bool,
    /// Whether it has internet sockets, which reach nothing but a loopback interface of its own. The kernel keeps one table for all network namespaces of
    /// where it looks for a free port next, and remembers it: without them nothing is told through it, from one sandbox to another or to a later one.
    pub loopback: bool,
    /// The number inside of the descriptor that it may still send and receive on once it is sealed: a connected socket among [`Spec::fds`]. `None` for a
    /// sandbox that is never sealed. See [`crate::Sandbox::seal`].
    pub seal_socket: Option<RawFd>,
    /// Whether the processor's caches are swept before it is thawed, once it is sealed: what another sandbox has left in them then tells it nothing.
    pub sweep_caches: bool,
    /// The CPUs that it runs on, and cannot leave; `None` leaves the caller's own set, and the payload may ask for others.
    pub cpus: Option<Vec<usize>>,
}

impl Spec {
    /// A specification with the system directories bound, one scratch directory at `/tmp` and nothing else.
    pub fn new(name: impl Into<String>, argv: Vec<OsString>, limits: Limits) -> Self {
        Self {
            name: name.into(),
            argv,
            env: Vec::new(),
            cwd: PathBuf::from("/tmp"),
            binds: system_binds(),
            scratch: vec![Tmpfs {
                target: PathBuf::from("/tmp"),
                bytes: 256 << 20,
                inodes: 16_384,
            }],
            shm_bytes: 256 << 20,
            fds: Vec::new(),
            limits,
            output: OutputPolicy::Kill,
            devices: Devices::None,
            deaf: false,
            loopback: true,
            seal_socket: None,
            sweep_caches: false,
            cpus: None,
        }
    }

    /// Says what is wrong with the specification, before anything is started.
    pub(crate) fn check(&self) -> Result<(), String> {
        let name_is_plain = self
            .name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if self.name.is_empty() || self.name.len() > 32 || !name_is_plain {
            return Err(format!(
                "the name {:?} must be 1 to 32 of a-z, 0-9 and -",
                self.name
            ));
        }
        let Some(program) = self.argv.first() else {
            return Err("argv is empty".to_owned());
        };
        check_inside_path("argv[0]", Path::new(program))?;
        check_inside_path("the working directory", &self.cwd)?;
        if self.binds.len() > BINDS_MAX {
            return Err(format!(
                "{} binds, at most {BINDS_MAX} are possible",
                self.binds.len()
            ));
        }
        for bind in &self.binds {
            if !bind.source.is_absolute() {
                return Err(format!(
                    "the bind source {} is not absolute",
                    bind.source.display()
                ));
            }
            check_mount_target(&bind.target)?;
        }
        for tmpfs in &self.scratch {
            check_mount_target(&tmpfs.target)?;
            if tmpfs.bytes == 0 || tmpfs.inodes == 0 {
                return Err(format!(
                    "the scratch space {} has no size or no inodes; 0 would mean unlimited",
                    tmpfs.target.display()
                ));
            }
        }
        if self.shm_bytes == 0 {
            return Err("/dev/shm has size 0, which would mean unlimited".to_owned());
        }
        if self.fds.len() > PASSED_FDS_MAX {
            return Err(format!(
                "{} descriptors, at most {PASSED_FDS_MAX} can be passed",
                self.fds.len()
            ));
        }
        for (position, (_, target)) in self.fds.iter().enumerate() {
            if !(3..=TARGET_FD_MAX).contains(target) {
                return Err(format!(
                    "descriptor number {target} is outside 3 to {TARGET_FD_MAX}"
                ));
            }
            if self.fds[..position].iter().any(|(_, other)| other == target) {
                return Err(format!("descriptor number {target} is given twice"));
            }
            if u64::try_from(*target).is_ok_and(|target| target >= self.limits.open_files) {
                return Err(format!(
                    "descriptor number {target} is not below the limit of {} open files",
                    self.limits.open_files
                ));
            }
        }
        if let Some(socket) = self.seal_socket
            && !self.fds.iter().any(|(_, target)| *target == socket)
        {
            return Err(format!(
                "descriptor number {socket}, which a sealed process may use, is not passed"
            ));
        }
        self.limits.check()
    }
}

/// A read-only view of a host path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bind {
    /// The file or directory on the host; symbolic links are followed, as the caller.
    pub source: PathBuf,
    /// Where it appears inside.
    pub target: PathBuf,
}

impl Bind {
    /// A path that appears under its own name.
    pub fn same(path: impl Into<PathBuf>) -> Self {
        let source = path.into();
        Self {
            target: source.clone(),
            source,
        }
    }
}

/// A size-limited memory-backed directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tmpfs {
    /// Where it appears inside.
    pub target: PathBuf,
    /// The most it can hold.
    pub bytes: u64,
    /// The most files and directories it can hold.
    pub inodes: u64,
}

/// The limits of one sandbox. Each is a hard one: the process fails or the sandbox ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Memory of the whole tree: processes, scratch, shared memory and kernel objects.
    pub memory_bytes: u64,
    /// Processes and threads together.
    pub processes: u64,
    /// Size of one file.
    pub file_bytes: u64,
    /// Open descriptors of one process.
    pub open_files: u64,
    /// CPU time of one process always, and of the whole tree as far as the kernel tells.
    pub cpu_seconds: u64,
    /// Wall-clock time, frozen time not counted.
    pub wall: Duration,
    /// Captured bytes of stdout, and as many of stderr.
    pub output_bytes: u64,
}

impl Limits {
    fn check(&self) -> Result<(), String> {
        let positive = [
            ("memory_bytes", self.memory_bytes),
            ("processes", self.processes),
            ("file_bytes", self.file_bytes),
            ("open_files", self.open_files),
            ("cpu_seconds", self.cpu_seconds),
        ];
        for (name, value) in positive {
            if value == 0 {
                return Err(format!("the limit {name} is 0"));
            }
        }
        if self.wall.is_zero() {
            return Err("the limit wall is 0".to_owned());
        }
        Ok(())
    }
}

/// What happens when the process writes more than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputPolicy {
    /// The sandbox ends with [`crate::Ending::OutputLimit`].
    Kill,
    /// The process goes on; the middle of its output is left out, and its place marked.
    Truncate,
}

/// Devices besides the harmless ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Devices {
    /// None.
    None,
    /// NVIDIA GPUs by minor number: binds `/dev/nvidiactl`, `/dev/nvidia<n>`, `/dev/nvidia-uvm*` and, for MIG, `/dev/nvidia-caps`; mounts `/sys`
    /// read-only; makes `/proc` writable and allows `memfd_create`, because the driver needs all three. The wall is clearly weaker then.
    Nvidia {
        /// The minor numbers, `0` for `/dev/nvidia0`.
        minors: Vec<u32>,
    },
}

/// The host's system directories, as far as they exist: programs, libraries, and what the C compiler needs.
pub fn system_binds() -> Vec<Bind> {
    [
        "/usr",
        "/bin",
        "/sbin",
        "/lib",
        "/lib32",
        "/lib64",
        "/libx32",
        "/etc/alternatives",
    ]
    .into_iter()
    .filter(|path| Path::new(path).is_dir())
    .map(Bind::same)
    .collect()
}

/// An absolute path without `.` and `..`.
fn check_inside_path(what: &str, path: &Path) -> Result<(), String> {
    let plain = path
        .components()
        .all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    if !path.is_absolute() || !plain {
        return Err(format!(
            "{what}, {}, must be an absolute path without `..`",
            path.display()
        ));
    }
    Ok(())
}

/// A mount target must not cover what the sandbox itself lays out.
fn check_mount_target(path: &Path) -> Result<(), String> {
    check_inside_path("the mount target", path)?;
    let reserved = ["/proc", "/sys", "/dev"];
    if path == Path::new("/") || reserved.iter().any(|name| path.starts_with(name)) {
        return Err(format!(
            "the mount target {} belongs to the sandbox itself",
            path.display()
        ));
    }
    Ok(())
}
