//! Runs one untrusted command confined: it can compute, and nothing else.
//!
//! Used by whoever executes submitted code. The command gets its own view of a few read-only directories, a few size-limited ones to write in, a
//! loopback interface, the descriptors that it was handed, and a bounded amount of everything. It can be frozen, and it dies with its caller.
//! Anything that this machine cannot provide is an error; nothing is ever run with less.
//!
//! # Theory of operation
//!
//! **Processes.** Three are ours and one is the payload's.
//!
//! ```text
//!  caller ──────────── keeper ──────────────── init ───────────────── payload ... its children
//!  (any program,       (same program,          (process 1 of the      (the command)
//!   any thread)         re-executed)            new PID namespace)
//!
//!  the host's namespaces ──────────────┤├──── new mount, PID, IPC, UTS, network (and user) namespaces ────
//! ```
//!
//! - The *caller* has one thread per sandbox (`watch.rs`). It empties the two output pipes, looks at the limits that the kernel does not enforce by
//!   itself, and publishes the ending once nothing is left.
//! - The *keeper* (`keeper.rs`) is a re-execution of the caller's program with a hidden verb, an empty environment and one descriptor. A fresh program
//!   has one thread and no secrets, so it can fork safely. It stays outside, kills the init when the caller goes away, reaps it, and takes the control
//!   groups away.
//! - The *init* (`init.rs`) builds the inside, forks the payload, then gives its privileges up. It reaps orphans, and stops the tree by signals where
//!   there is no cgroup freezer. The kernel kills everything in the namespace when it ends.
//! - The *payload's process* (`payload.rs`) gives up everything in a fixed order and executes the command.
//!
//! **Users.** Nothing inside is ever host uid 0. In root mode there is no user namespace: payload and init run as two unused host users that no other
//! living sandbox of this process has (`uids.rs`). In user mode a user namespace maps the caller's own user onto itself and nobody else. A caller that is root without
//! the capabilities of root mode, or whose number stands for root outside, is refused.
//!
//! **Descriptors.** The caller and the keeper are joined by one socket of packets, which the keeper has as its standard input and the init inherits.
//!
//! | from | to | what |
//! |---|---|---|
//! | caller | keeper | once: the plan (a memory file), the ends of the output pipes, and the descriptors to pass on |
//! | keeper, init, payload's process | caller | reports: forked, failed at this step, started, main process ended, stopped, sealed, seal broken, gone |
//! | caller | init | orders: stop, continue, seal |
//! | caller | keeper and init | its end, by whatever cause: kill everything |
//! | keeper | init | a pipe that never carries anything: its end is the keeper's death |
//! | payload's process | init | a pipe that closes at `execve`, or carries one byte when that failed |
//! | payload's process | init | once, if it can be sealed: the descriptor by which the kernel tells of calls |
//!
//! The payload holds none of these. It has `/dev/null`, two pipes, and what the caller passed.
//!
//! **Order of privileged operations.** `docs/sandbox.md` lists them one by one. In short: the clone with new namespaces; identity map (user mode); every
//! host path opened, made read-only recursively, then the root exchanged, so that no later path can lead to the host; the mounts; the host name and
//! loopback; fork; and in the child: groups, descriptors, limits, capabilities and user, `no_new_privs`, Landlock, number of processes, system-call
//! filters, `execve`. A failure anywhere is reported with its step and errno, and ends the sandbox.
//!
//! **Dying.** There is one way to kill: the socket's end. [`Sandbox::kill`], a passed limit, a dropped handle, a panic and a SIGKILL of the caller all
//! come to the same code in the keeper: SIGKILL to the init, SIGKILL to everything in the groups, release of a version 1 freezer, reaping, removal of the
//! groups. If the keeper is killed as well, the init sees its pipe close; groups that stay behind are removed by the next preflight.
//!
//! **Freezing.** By `cgroup.freeze`, else by a version 1 freezer group, else by SIGSTOP from the init, and in each case only the kernel's own word that
//! every thread has stopped counts. The filters deny every way in which a stopped process could be sent a SIGCONT, but for the one that the kernel sends
//! by itself when a death leaves a process group orphaned; so the init believes only three looks in a row that agree (`freeze.rs`).
//!
//! **Sealing.** Freezing is not enough where a sandbox must not learn what another one knows: the kernel remembers names, pages and counters, and tells
//! whoever runs next. A sandbox that was made for it can be [sealed](Sandbox::seal): from then on, for good and in all its threads and children, hardly a
//! system call passes. The program that sees to that is installed before the payload starts (`seccomp_seal.rs`). It tells the init of every call that
//! it does not let pass by itself; until the order comes the init lets each go on, and none afterwards (`seal.rs`). Whoever makes one then is killed with
//! everything else in there. What the payload has mapped of files is locked into memory by the caller, so that touching it tells nothing
//! (`resident.rs`). And before it is thawed the processor's caches are swept, if the caller wants it (`caches.rs`).
//!
//! **Talking.** Two sandboxes have files in common, and the kernel hangs locks, notices, waiting threads and pages on a file. `seccomp_channels.rs` takes
//! from every sandbox what it can do without; a [deaf](Spec::deaf) one also loses what would show it another's waiting threads and mapped pages.
//!
//! # Covered
//!
//! Each line has attacks in `tests/attacks` that try it, in root mode and as an ordinary user.
//!
//! - the network, but for loopback inside; local sockets of the host; families that network namespaces do not cover
//! - the host's files, writing to what is bound, its submounts included, device nodes, setuid programs, links
//! - filling memory, disks, inodes, descriptors, process tables and logs; burning time
//! - other processes: signals, tracing, their memory and descriptors, the init, the process group and terminal of the caller
//! - privileges: namespaces, mounts, modules, BPF, keys, clocks, raised limits, foreign system-call interfaces, calls of the future
//! - inheritance: environment, descriptors, groups, System V and POSIX objects
//! - undoing a freeze; surviving the end; surviving the caller
//! - talking to another sandbox through numbers about the machine in `/proc`, `sysinfo`, locks, leases and notices of shared files, hints in inodes,
//!   questions about the page cache, asynchronous I/O, large pages, merged pages, socket filters, keys of file systems
//! - hearing, if sealed: names that the kernel remembers, whether a page is in memory, counters, everything else that takes a system call
//! - hearing, if deaf: waiting threads on shared futexes; with Landlock, `/proc/<pid>/smaps` and its like
//! - the system's word lists, manuals and documentation, which are knowledge that a submission has not paid for
//!
//! # Not covered
//!
//! - A bug in the kernel. All sandboxes share it; put hostile input into a virtual machine as well.
//! - The GPU driver, where devices are bound: its interface is large, and device memory is not capped here.
//! - Exact memory limits without a control group ([`MemoryCap::Watchdog`]): they are best effort, and the caller must say so.
//! - Timing. Two sandboxes on one machine can feel each other's load unless one is frozen while the other runs, and some traces outlive a freeze. The
//!   largest is which pages of shared read-only files are in memory: reading a page that nobody has read yet brings it in, and the other one can tell by
//!   time or by its own count of page faults, exactly. Each page serves once, as pages cannot be put out on purpose; a system of a few gigabytes has a
//!   million. CPU caches and the kernel's global counters (inode numbers of pipes, for one) are others.
//! - What the kernel counts by user, in user mode: both sandboxes are the same host user, and pages of pipes, descriptors on their way through sockets
//!   and watches of `epoll` are counted together, so that one can read from its own limit how much the other holds, exactly.
//! - A sandbox that is not deaf: mapped pages of shared files, and with a version 1 freezer shared futexes, carry data from a frozen one, exactly. A deaf
//!   one on a kernel without Landlock, or with a GPU, still sees mapped pages and the machine's numbers in `/proc/<pid>/net`.
//! - Locks: to the payload all of them succeed, so its own processes cannot exclude one another by locking files.
//! - What the caller passes: a descriptor is as powerful inside as outside. Never pass a directory or a terminal.

mod caches;
mod call_names;
mod caller_limits;
mod capabilities;
mod cgroup;
mod cgroup_places;
mod ending;
mod error;
mod file_lock;
mod freeze;
mod init;
mod keeper;
mod landlock_layer;
mod mounts;
mod namespaces;
mod output;
mod payload;
mod plan;
mod preflight;
mod preflight_error;
mod probe;
mod procfs;
mod proctree;
mod residency;
mod resident;
mod rlimits;
mod room;
mod sandbox;
mod seal;
mod seccomp;
mod seccomp_channels;
mod seccomp_seal;
mod spec;
mod sysfs;
mod uids;
mod watch;
mod watchdog;

pub use call_names::call_name;
pub use caller_limits::{Amount, CallerLimit, CallerLimitsError, CallerNeeds, TooLow, raise_soft_limits};
pub use capabilities::{Capabilities, Freezer, MemoryCap, Mode, Preferences};
pub use ending::{Ending, Usage};
pub use error::{FailedStep, FreezeError, SealError, SpawnError, Step};
pub use file_lock::{ForeignLock, LockKind, foreign_lock, try_lock_range, unlock_range};
pub use keeper::run_init_if_asked;
pub use output::Logs;
pub use preflight::{preflight, preflight_with};
pub use preflight_error::PreflightError;
pub use residency::{Residency, residency};
pub use room::available_memory_bytes;
pub use sandbox::{Helper, LogReader, MappedPages, Sandbox};
pub use spec::{
    BINDS_MAX, Bind, Devices, Limits, OutputPolicy, PASSED_FDS_MAX, Spec, TARGET_FD_MAX, Tmpfs, system_binds,
};

/// The program in the document compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/sandbox.md")]
struct Document;
