//! The keeper: the helper process that stays outside, in the host's namespaces, and outlives nobody.
//!
//! Entered through [`run_init_if_asked`] by the re-executed program. It forks the init into the new namespaces, then waits for one of two things: the
//! init ends, or the caller goes away. In both cases it sees to it that nothing is left, control groups included. It must never run anything of the
//! payload's, and never outlive the caller by more than the time that killing takes.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::error::{At, FailedStep, Setup, Step};
use crate::init::{self, Inherited};
use crate::namespaces::{self, Side};
use crate::payload;
use crate::plan::{self, FIXED_FDS, INIT_VERB, PLAN_BYTES_MAX, Plan, Report};

/// Exit status of a helper that could not do its work; the reason went through the socket.
const EXIT_SETUP_FAILED: i32 = 125;

/// Called first thing in `main` of every binary that uses sandboxes: where `argv[1]` is the hidden init verb, runs as a sandbox's keeper and never
/// returns.
pub fn run_init_if_asked() {
    if std::env::args_os().nth(1).is_some_and(|verb| verb == INIT_VERB) {
        std::process::exit(keep());
    }
}

/// The whole life of the keeper.
fn keep() -> i32 {
    close_inherited();
    // SAFETY: descriptor 0 is this process's standard input and nothing else has taken it.
    let socket = unsafe { payload::own(libc::STDIN_FILENO) };
    match start(&socket) {
        Ok(running) => {
            running.wait(&socket);
            0
        }
        Err(failure) => {
            // Without a caller at the other end this verb was typed by a person, who deserves a sentence.
            if plan::send(&socket, &Report::Failed(failure)).is_err() {
                let _ = io::Write::write_all(
                    &mut io::stderr(),
                    b"this verb is not meant to be called by hand\n",
                );
            }
            EXIT_SETUP_FAILED
        }
    }
}

/// Whatever the caller leaked into this process ends here.
fn close_inherited() {
    // SAFETY: called first, before anything in this process has opened a descriptor above standard error.
    unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, 0) };
}

struct Running {
    plan: Plan,
    init: Pid,
    /// Held open for the init, which ends when it closes.
    _alive: OwnedFd,
}

fn start(socket: &OwnedFd) -> Setup<Running> {
    payload::reset_signals()?;
    let (fixed, passed) = receive_descriptors(socket)?;
    let [plan_file, stdout, stderr] = fixed;
    let plan = read_plan(plan_file)?;
    if plan.target_fds.len() != passed.len() {
        return Err(FailedStep {
            step: Step::ReceivePlan,
            errno: 0,
            what: "the number of descriptors is wrong".to_owned(),
        });
    }
    // A new session: the terminal's Ctrl-C is for the caller, and no signal to the caller's process group comes here.
    rustix::process::setsid().at(Step::KeeperSession)?;
    let groups = open_groups(&plan)?;
    let (alive_reader, alive_writer) =
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).at(Step::KeeperPipe)?;
    match namespaces::fork_init(plan.mode)? {
        Side::Child => {
            drop(alive_writer);
            let fds = payload::Descriptors {
                stdout,
                stderr,
                passed,
                groups,
            };
            init::run(
                &plan,
                Inherited {
                    socket,
                    keeper_alive: alive_reader,
                    payload: fds,
                },
            )
        }
        Side::Parent(init) => {
            // The caller must see the end of what it passed when the payload closes it, so no copy stays here.
            let _ = plan::send(
                socket,
                &Report::Forked {
                    init_pid: init.as_raw_nonzero().get(),
                },
            );
            Ok(Running {
                plan,
                init,
                _alive: alive_writer,
            })
        }
    }
}

fn receive_descriptors(socket: &OwnedFd) -> Setup<([OwnedFd; FIXED_FDS], Vec<OwnedFd>)> {
    let received = plan::receive_with_fds::<()>(socket).at(Step::ReceivePlan)?;
    let failure = || FailedStep {
        step: Step::ReceivePlan,
        errno: 0,
        what: "no descriptors came".to_owned(),
    };
    let ((), mut fds) = received.ok_or_else(failure)?;
    if fds.len() < FIXED_FDS {
        return Err(failure());
    }
    let passed = fds.split_off(FIXED_FDS);
    Ok((fds.try_into().map_err(|_| failure())?, passed))
}

fn read_plan(file: OwnedFd) -> Setup<Plan> {
    let mut file = File::from(file);
    file.rewind().at(Step::ReceivePlan)?;
    let mut bytes = Vec::new();
    file.take(PLAN_BYTES_MAX as u64)
        .read_to_end(&mut bytes)
        .at(Step::ReceivePlan)?;
    serde_json::from_slice(&bytes).map_err(|error| FailedStep {
        step: Step::ReceivePlan,
        errno: 0,
        what: error.to_string(),
    })
}

/// Opened here, with the keeper's own permissions, so that the payload's process can join after it has moved out of sight of them.
fn open_groups(plan: &Plan) -> Setup<Vec<File>> {
    let open = |group: &crate::cgroup::Group| {
        let path = group.dir.join("cgroup.procs");
        File::options()
            .write(true)
            .custom_flags(libc::O_CLOEXEC)
            .open(&path)
            .at_what(Step::OpenCgroup, path.display())
    };
    plan.groups.0.iter().map(open).collect()
}

impl Running {
    /// Waits until nothing is left of the sandbox, then until the caller has read the counters, and takes the groups away.
    fn wait(self, socket: &OwnedFd) {
        let pidfd = pidfd_open(self.init, PidfdFlags::empty());
        self.until_end_or_orphaned(socket, pidfd.as_ref().ok());
        self.kill(pidfd.as_ref().ok());
        let gone = self.reap();
        if plan::send(socket, &gone).is_ok() {
            until_closed(socket);
        }
        self.plan.groups.kill_and_remove();
    }

    /// Returns when the init has ended, or when the caller has shut the socket down or is dead.
    fn until_end_or_orphaned(&self, socket: &OwnedFd, pidfd: Option<&OwnedFd>) {
        let Some(pidfd) = pidfd else { return };
        loop {
            let mut fds = [
                PollFd::new(socket, PollFlags::RDHUP),
                PollFd::new(pidfd, PollFlags::IN),
            ];
            match poll(&mut fds, None) {
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
                Ok(_) if fds.iter().any(|fd| !fd.revents().is_empty()) => return,
                Ok(_) => {}
            }
        }
    }

    /// Kills the groups first: frozen tasks must have their signal pending before they are let go.
    fn kill(&self, pidfd: Option<&OwnedFd>) {
        if let Some(pidfd) = pidfd {
            let _ = pidfd_send_signal(pidfd, Signal::KILL);
        } else {
            let _ = rustix::process::kill_process(self.init, Signal::KILL);
        }
        self.plan.groups.kill_all();
    }

    /// The init is dead only once every process of its namespace is.
    fn reap(&self) -> Report {
        let mut status = 0;
        // SAFETY: an all-zero `rusage` is valid: it is made of plain integers.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        loop {
            // SAFETY: both pointers are valid for the whole call; the number is that of our own child, not yet reaped.
            let returned = unsafe {
                libc::wait4(
                    self.init.as_raw_nonzero().get(),
                    &raw mut status,
                    0,
                    &raw mut usage,
                )
            };
            if returned != -1 || io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
                break;
            }
        }
        Report::Gone {
            cpu_us: cpu_us(&usage),
            peak_rss_bytes: u64::try_from(usage.ru_maxrss).unwrap_or(0) << 10,
        }
    }
}

/// User and system time together.
pub(crate) fn cpu_us(usage: &libc::rusage) -> u64 {
    let one = |time: libc::timeval| {
        u64::try_from(time.tv_sec)
            .unwrap_or(0)
            .saturating_mul(1_000_000)
            .saturating_add(u64::try_from(time.tv_usec).unwrap_or(0))
    };
    one(usage.ru_utime).saturating_add(one(usage.ru_stime))
}

/// Waits until the other end is closed for good, not only shut down for writing.
fn until_closed(socket: impl AsFd) {
    loop {
        let mut fds = [PollFd::new(&socket, PollFlags::empty())];
        match poll(&mut fds, None) {
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
            Ok(_) if fds[0].revents().intersects(PollFlags::HUP | PollFlags::ERR) => return,
            Ok(_) => {}
        }
    }
}
