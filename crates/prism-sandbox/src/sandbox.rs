//! The handle of one running sandbox: starting, freezing, waiting, killing.
//!
//! The caller's side of everything; the other side is `keeper.rs`. It must never return a sandbox whose payload has not started, and never leave
//! anything behind when it is dropped.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use crate::caches;
use crate::capabilities::{Capabilities, Freezer};
use crate::cgroup::{Duty, Group, Groups};
use crate::ending::{Ending, Usage};
use crate::error::{FreezeError, SealError, SpawnError};
use crate::output::Logs;
use crate::plan::{self, INIT_VERB, Order, PLAN_BYTES_MAX, Payload, Plan, Report};
use crate::proctree;
use crate::resident::{self, Held};
use crate::spec::Spec;
use crate::uids::Slot;
use crate::watch::{self, Shared, Watched};

/// How long the set-up may take. It takes milliseconds; a loaded machine, seconds.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// How long every process may take to stop.
const FREEZE_TIMEOUT: Duration = Duration::from_secs(10);
/// So long the freezer is looked at without a pause: sleeping on a busy machine takes longer than stopping does.
const FREEZE_IMPATIENCE: Duration = Duration::from_micros(500);
/// Pause between two looks at the freezer.
const FREEZE_PAUSE: Duration = Duration::from_micros(50);
/// How long the init may take to put a seal on: it only has to look up.
const SEAL_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a dropped sandbox is waited for before it is left to its keeper.
const DROP_TIMEOUT: Duration = Duration::from_secs(20);

/// The executable that becomes keeper and init.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Helper {
    /// A binary whose `main` calls [`crate::run_init_if_asked`] first.
    pub path: PathBuf,
}

impl Default for Helper {
    /// This very program.
    fn default() -> Self {
        Self {
            path: PathBuf::from("/proc/self/exe"),
        }
    }
}

/// A running, confined tree of processes. Dropping it kills and reaps the whole of it.
#[derive(Debug)]
pub struct Sandbox {
    shared: Arc<Shared>,
    watcher: Option<JoinHandle<()>>,
    freezer: Freezer,
    /// One order at a time.
    ordering: Mutex<()>,
    sweep_caches: bool,
    /// The files that are locked into memory on behalf of this sandbox, once it is sealed.
    held: Mutex<Option<Vec<Arc<Held>>>>,
}

/// Whether a sealed sandbox can tell, by the time that touching its own memory takes, which pages of files others have read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MappedPages {
    /// It cannot: everything that it has mapped of files is locked into memory.
    Locked {
        /// The files that it has mapped, as a whole.
        bytes: u64,
    },
    /// It may: they could not be locked.
    NotLocked {
        /// Why, for the operator.
        why: String,
    },
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("groups", &self.groups)
            .field("ending", &self.ending())
            .finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Starts the command of `spec` confined, and returns once it runs.
    pub fn spawn(helper: &Helper, capabilities: &Capabilities, spec: Spec) -> Result<Self, SpawnError> {
        spec.check().map_err(SpawnError::InvalidSpec)?;
        let argv = spec.argv.iter().map(|word| word.clone().into_vec()).collect();
        let join = |(name, value): &(std::ffi::OsString, std::ffi::OsString)| {
            let mut entry = name.clone();
            entry.push("=");
            entry.push(value);
            entry.into_vec()
        };
        let env = spec.env.iter().map(join).collect();
        let payload = Payload::Execute {
            argv,
            env,
            cwd: spec.cwd.clone(),
        };
        Self::start(helper, capabilities, spec, payload)
    }

    pub(crate) fn start(
        helper: &Helper,
        capabilities: &Capabilities,
        spec: Spec,
        payload: Payload,
    ) -> Result<Self, SpawnError> {
        let (ids, slot) = capabilities.identities()?;
        let groups = make_groups(capabilities, &spec)?;
        match start_in(helper, capabilities, spec, payload, ids, slot, groups.clone()) {
            Ok(sandbox) => Ok(sandbox),
            Err(error) => {
                groups.kill_and_remove();
                Err(error)
            }
        }
    }

    /// Stops every process and thread of the payload, and returns only once they all are stopped. Time spent frozen is not charged to the wall limit.
    /// On any error the sandbox must be treated as running.
    pub fn freeze(&self) -> Result<(), FreezeError> {
        let _one_at_a_time = self.ordering.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.shared.is_alive() {
            return Err(FreezeError::Ended);
        }
        match self.shared.groups.freezer() {
            Some(group) => self.freeze_group(group)?,
            None => self.order(Order::Stop {
                within_ms: millis(FREEZE_TIMEOUT),
            })?,
        }
        self.shared.charge_wall_time(false);
        Ok(())
    }

    /// Lets a frozen sandbox run again. Harmless if it is not frozen. A sealed one finds the processor's caches swept, if its [`Spec`] says so.
    pub fn thaw(&self) -> Result<(), FreezeError> {
        let _one_at_a_time = self.ordering.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.shared.is_alive() {
            return Err(FreezeError::Ended);
        }
        let sealed = self.held.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if sealed && self.sweep_caches {
            caches::sweep().map_err(|error| control("sweeping of the caches before the thaw", &error))?;
        }
        self.shared.charge_wall_time(true);
        match self.shared.groups.freezer() {
            Some(group) => group
                .set_frozen(false)
                .map_err(|error| control("writing", &error)),
            None => self.order(Order::Continue),
        }
    }

    /// Kills the whole tree and waits until nothing is left of it.
    pub fn kill(&mut self) -> Ending {
        self.shared.request_kill(Ending::KilledByCaller);
        self.wait(None).unwrap_or(Ending::KilledByCaller)
    }

    /// Seals it: from now on, for good and in every thread and child, hardly a system call passes (the list is in `seccomp_seal.rs`); any other one
    /// ends the sandbox with [`Ending::SealBroken`]. [`Spec::seal_socket`] must have been set. A call that is under way at this moment ends by itself, or
    /// at the next freeze.
    ///
    /// Also locks into memory what it has mapped of files, where this process may, and says so.
    pub fn seal(&self) -> Result<MappedPages, SealError> {
        self.put_seal_on()?;
        // A call that was let go on a moment before may still map a file; once everything has stood still none is under way any more.
        let stood_still = |error: FreezeError| match error {
            FreezeError::Ended => SealError::Ended,
            error => SealError::Init(error.to_string()),
        };
        self.freeze().map_err(stood_still)?;
        let pages = self.hold_pages();
        self.thaw().map_err(stood_still)?;
        Ok(pages)
    }

    fn put_seal_on(&self) -> Result<(), SealError> {
        let _one_at_a_time = self.ordering.lock().unwrap_or_else(PoisonError::into_inner);
        match self.ask(Order::Seal, SEAL_TIMEOUT).map_err(SealError::Init)? {
            Some(Report::Sealed) => Ok(()),
            Some(Report::NotSealed { why }) => Err(SealError::Init(why)),
            _ if !self.shared.is_alive() => Err(SealError::Ended),
            _ => Err(SealError::Timeout {
                waited_ms: millis(SEAL_TIMEOUT),
            }),
        }
    }

    /// Locks into memory what it has mapped of files, as far as this process may.
    fn hold_pages(&self) -> MappedPages {
        let members = proctree::members(self.shared.init_pid);
        // The init comes first, and is ours.
        let (held, pages) = match resident::hold(members.get(1..).unwrap_or_default()) {
            Ok(held) => {
                let bytes = resident::bytes(&held);
                (held, MappedPages::Locked { bytes })
            }
            Err(error) => {
                let why = error.to_string();
                (Vec::new(), MappedPages::NotLocked { why })
            }
        };
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(held);
        pages
    }

    /// How it ended, if it has: by then nothing of it is left.
    pub fn try_wait(&self) -> Option<Ending> {
        self.shared.ending()
    }

    /// Waits until it has ended, at most so long if a time is given.
    pub fn wait(&self, timeout: Option<Duration>) -> Option<Ending> {
        self.shared.wait(timeout)
    }

    /// What it has used so far, or in all.
    pub fn usage(&self) -> Usage {
        self.shared.usage()
    }

    /// What it has written so far, or in all. Hostile: pass it through [`prism_core::escape::escape_for_terminal`] before showing it.
    pub fn logs(&self) -> Logs {
        self.shared.logs()
    }

    /// For whoever shows what it writes as it comes, from another thread.
    pub fn log_reader(&self) -> LogReader {
        LogReader(Arc::downgrade(&self.shared))
    }

    /// Which way of freezing this sandbox uses.
    pub fn freezer(&self) -> Freezer {
        self.freezer
    }

    fn freeze_group(&self, group: &Group) -> Result<(), FreezeError> {
        group
            .set_frozen(true)
            .map_err(|error| control("writing", &error))?;
        let started = Instant::now();
        let deadline = started + FREEZE_TIMEOUT;
        loop {
            match group.is_frozen() {
                Ok(true) if self.shared.is_alive() => return Ok(()),
                Ok(_) if !self.shared.is_alive() => return Err(FreezeError::Ended),
                Ok(_) if started.elapsed() < FREEZE_IMPATIENCE => std::hint::spin_loop(),
                Ok(_) if Instant::now() < deadline => std::thread::sleep(FREEZE_PAUSE),
                Ok(_) => {
                    let _ = group.set_frozen(false);
                    return Err(FreezeError::Timeout {
                        waited_ms: millis(FREEZE_TIMEOUT),
                    });
                }
                Err(error) => {
                    let _ = group.set_frozen(false);
                    return Err(control("reading", &error));
                }
            }
        }
    }

    /// Sends an order; gives the init's answer, or nothing if none came in time.
    fn ask(&self, order: Order, timeout: Duration) -> Result<Option<Report>, String> {
        self.shared.clear_reply();
        plan::send(&self.shared.socket, &order).map_err(|error| error.to_string())?;
        Ok(self.shared.wait_reply(timeout))
    }

    fn order(&self, order: Order) -> Result<(), FreezeError> {
        // The init answers within its own limit; twice that means that it cannot.
        match self.ask(order, FREEZE_TIMEOUT * 2).map_err(FreezeError::Init)? {
            Some(Report::Stopped | Report::Continued) => Ok(()),
            Some(Report::NotStopped { why }) => Err(FreezeError::Init(why)),
            _ if !self.shared.is_alive() => Err(FreezeError::Ended),
            _ => Err(FreezeError::Timeout {
                waited_ms: millis(FREEZE_TIMEOUT * 2),
            }),
        }
    }
}

/// Reads what a sandbox has written so far; keeps nothing of it alive.
#[derive(Clone)]
pub struct LogReader(Weak<Shared>);

impl LogReader {
    /// What it has written to stdout and to stderr beyond the first so many bytes of each; `None` once it is gone. Bounded by the limit of output: where
    /// that is reached, nothing more comes, and [`Sandbox::logs`] has the end too. As hostile.
    pub fn beyond(&self, stdout_bytes: usize, stderr_bytes: usize) -> Option<[Vec<u8>; 2]> {
        Some(self.0.upgrade()?.logs_from(stdout_bytes, stderr_bytes))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.shared.request_kill(Ending::KilledByCaller);
        if self.shared.wait(Some(DROP_TIMEOUT)).is_some()
            && let Some(watcher) = self.watcher.take()
        {
            let _ = watcher.join();
        }
    }
}

fn control(what: &'static str, error: &std::io::Error) -> FreezeError {
    FreezeError::Control {
        what,
        source_text: error.to_string(),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn caller<E: std::fmt::Display>(what: &'static str) -> impl Fn(E) -> SpawnError {
    move |error| SpawnError::Caller {
        what,
        source_text: error.to_string(),
    }
}

/// Makes and limits the groups that the capabilities promise. One group serves both purposes where it can.
fn make_groups(capabilities: &Capabilities, spec: &Spec) -> Result<Groups, SpawnError> {
    let mut groups = Groups::default();
    let made = (|| {
        let (memory, freezer) = (
            capabilities.memory_base.as_ref(),
            capabilities.freezer_base.as_ref(),
        );
        if let Some(base) = memory {
            let duty = Duty {
                memory: true,
                freezer: freezer == Some(base),
            };
            let group = Group::create(base, duty)?;
            groups.0.push(group.clone());
            group.limit_memory(spec.limits.memory_bytes)?;
        }
        if let Some(base) = freezer.filter(|base| memory != Some(base)) {
            groups.0.push(Group::create(
                base,
                Duty {
                    memory: false,
                    freezer: true,
                },
            )?);
        }
        Ok::<_, std::io::Error>(())
    })();
    match made {
        Ok(()) => Ok(groups),
        Err(error) => {
            groups.kill_and_remove();
            Err(SpawnError::Cgroup(error.to_string()))
        }
    }
}

fn start_in(
    helper: &Helper,
    capabilities: &Capabilities,
    mut spec: Spec,
    payload: Payload,
    ids: plan::Ids,
    slot: Option<Slot>,
    groups: Groups,
) -> Result<Sandbox, SpawnError> {
    let (stdout, stdout_inside) = watch::output_pipe().map_err(caller("make a pipe"))?;
    let (stderr, stderr_inside) = watch::output_pipe().map_err(caller("make a pipe"))?;
    let (passed, target_fds): (Vec<OwnedFd>, Vec<i32>) = std::mem::take(&mut spec.fds).into_iter().unzip();
    let plan_file = write_plan(&Plan {
        name: spec.name.clone(),
        mode: capabilities.mode,
        ids,
        payload,
        binds: spec.binds.clone(),
        scratch: spec.scratch.clone(),
        shm_bytes: spec.shm_bytes,
        target_fds,
        limits: spec.limits,
        memory_cap: capabilities.memory_cap,
        freezer: capabilities.freezer,
        devices: spec.devices.clone(),
        deaf: spec.deaf,
        loopback: spec.loopback,
        seal_socket: spec.seal_socket,
        cpus: spec.cpus.clone(),
        groups: groups.clone(),
    })?;
    let (socket, socket_inside) = socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )
    .map_err(caller("make a socket pair"))?;
    let mut fds: Vec<BorrowedFd<'_>> = vec![plan_file.as_fd(), stdout_inside.as_fd(), stderr_inside.as_fd()];
    fds.extend(passed.iter().map(AsFd::as_fd));
    // Sent before the helper exists: it waits in the socket.
    plan::send_with_fds(&socket, &(), &fds).map_err(caller("send the plan"))?;
    let mut keeper = start_helper(helper, socket_inside)?;
    drop((passed, plan_file, stdout_inside, stderr_inside));
    let init_pid = match wait_for_start(&socket) {
        Ok(init_pid) => init_pid,
        Err(error) => {
            // The end of the socket makes the keeper kill and reap whatever there is.
            drop(socket);
            let _ = keeper.wait();
            return Err(error);
        }
    };
    let shared = Arc::new(Shared::new(
        socket,
        groups,
        &spec,
        capabilities.memory_cap,
        init_pid,
    ));
    let watched = Watched {
        keeper,
        stdout,
        stderr,
        slot,
    };
    let for_watcher = Arc::clone(&shared);
    let watcher = std::thread::Builder::new()
        .name(format!("watch {}", spec.name))
        .spawn(move || watch::watch(&for_watcher, watched))
        .map_err(caller("start a thread"))?;
    Ok(Sandbox {
        shared,
        watcher: Some(watcher),
        freezer: capabilities.freezer,
        ordering: Mutex::new(()),
        sweep_caches: spec.sweep_caches,
        held: Mutex::new(None),
    })
}

/// The plan goes through a file in memory: it may be longer than a message, and no path ever names it.
fn write_plan(plan: &Plan) -> Result<File, SpawnError> {
    let bytes = serde_json::to_vec(plan)
        .map_err(|error| SpawnError::InvalidSpec(format!("a path is not UTF-8: {error}")))?;
    if bytes.len() > PLAN_BYTES_MAX {
        return Err(SpawnError::InvalidSpec(format!(
            "the plan has {} bytes, at most {PLAN_BYTES_MAX} are possible",
            bytes.len()
        )));
    }
    let file = rustix::fs::memfd_create("prism-plan", rustix::fs::MemfdFlags::CLOEXEC)
        .map_err(caller("make a memory file"))?;
    let mut file = File::from(file);
    file.write_all(&bytes).map_err(caller("write the plan"))?;
    Ok(file)
}

/// Starts the keeper: an empty environment, the socket as its standard input, and nothing else of ours.
fn start_helper(helper: &Helper, socket: OwnedFd) -> Result<Child, SpawnError> {
    Command::new(&helper.path)
        .arg(INIT_VERB)
        .env_clear()
        .stdin(Stdio::from(socket))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| SpawnError::Helper {
            path: helper.path.clone(),
            source_text: error.to_string(),
        })
}

/// Waits until the payload runs; gives the host's number of the init.
fn wait_for_start(socket: &OwnedFd) -> Result<i32, SpawnError> {
    let deadline = Instant::now() + START_TIMEOUT;
    let mut init = 0;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut fds = [PollFd::new(socket, PollFlags::IN)];
        match poll(&mut fds, Some(&left.try_into().unwrap_or_default())) {
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(caller("wait for the helper")(error)),
            Ok(0) => return Err(SpawnError::HelperSilent { what: "fell silent" }),
            Ok(_) => {}
        }
        match plan::receive::<Report>(socket) {
            Ok(Some(Report::Forked { init_pid })) => init = init_pid,
            Ok(Some(Report::Started)) => return Ok(init),
            Ok(Some(Report::Failed(failure))) => return Err(SpawnError::Setup(failure)),
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return Err(SpawnError::HelperSilent { what: "ended" }),
        }
    }
}
