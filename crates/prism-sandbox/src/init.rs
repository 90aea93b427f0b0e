//! The init: process 1 of the sandbox's PID namespace. Its death is the death of everything in there.
//!
//! Forked by `keeper.rs`. It lays out the namespaces while it is still privileged, forks the payload, gives its own privileges up, then reaps
//! whatever is orphaned, waits for orders, and answers for the seal (`seal.rs`). It must never outlive the caller, the keeper or the payload's main process, and never handle a signal:
//! a process 1 without handlers cannot be signalled from inside.

use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{DumpableBehavior, Pid, Signal};
use rustix::thread::{CapabilitySet, CapabilitySets};

use crate::capabilities::Mode;
use crate::error::{At, Setup, Step, cvt};
use crate::namespaces::{self, Side};
use crate::payload::{self, Descriptors};
use crate::plan::{self, Order, Plan, Report};
use crate::seal::Seal;
use crate::seccomp::Filters;
use crate::{freeze, keeper, mounts};

/// What the init has from the keeper.
pub(crate) struct Inherited<'a> {
    pub(crate) socket: &'a OwnedFd,
    /// Closes when the keeper is gone.
    pub(crate) keeper_alive: OwnedFd,
    pub(crate) payload: Descriptors,
}

/// The whole life of the init.
pub(crate) fn run(plan: &Plan, inherited: Inherited<'_>) -> ! {
    let Inherited {
        socket,
        keeper_alive,
        payload,
    } = inherited;
    let code = match start(plan, socket, payload) {
        Ok(started) => {
            started.supervise(socket, &keeper_alive);
            0
        }
        Err(failure) => {
            let _ = plan::send(socket, &Report::Failed(failure));
            1
        }
    };
    exit_now(code)
}

/// Ends without running any destructor: this is a forked copy.
fn exit_now(code: i32) -> ! {
    // SAFETY: `_exit` does not return and touches no memory of this process.
    unsafe { libc::_exit(code) }
}

struct Started {
    main: Pid,
    /// Reads as closed once the payload has executed, or as one byte when it could not.
    exec_pipe: Option<OwnedFd>,
    signals: OwnedFd,
    seal: Seal,
}

fn start(plan: &Plan, socket: &OwnedFd, fds: Descriptors) -> Setup<Started> {
    rustix::process::setsid().at(Step::InitSession)?;
    mounts::set_umask();
    if plan.mode == Mode::User {
        namespaces::map_identity(plan.ids)?;
    }
    // Should the machine run out of memory, this goes first. The payload cannot change it, since /proc is read-only inside; with a GPU, where it is not,
    // the kernel refuses a lower value in root mode, but in user mode the payload can go back to the caller's own.
    std::fs::write("/proc/self/oom_score_adj", "1000").at(Step::OomScore)?;
    mounts::build(plan)?;
    namespaces::set_hostname(&plan.name)?;
    if plan.loopback {
        namespaces::loopback_up()?;
    }
    // The memory and descriptors of this process are nobody's business inside.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).at(Step::NotDumpable)?;
    let filters = Filters::build(plan)?;
    let (seal, to_init) = match plan.seal_socket {
        Some(_) => {
            let (ours, theirs) = socketpair(
                AddressFamily::UNIX,
                SocketType::SEQPACKET,
                SocketFlags::CLOEXEC,
                None,
            )
            .at(Step::SeccompListener)?;
            (Seal::Awaited(ours), Some(theirs))
        }
        None => (Seal::None, None),
    };
    let (exec_reader, exec_writer) =
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).at(Step::ExecPipe)?;
    let signals = child_signals()?;
    match namespaces::fork_payload()? {
        Side::Child => {
            let socket = rustix::io::fcntl_dupfd_cloexec(socket, 0).at(Step::PlaceDescriptors)?;
            payload::become_payload(plan, fds, &filters, socket, exec_writer, to_init);
            exit_now(127)
        }
        Side::Parent(main) => {
            // The payload's ends must close when the payload closes them.
            drop((fds, exec_writer, to_init));
            give_up_privileges(plan)?;
            Ok(Started {
                main,
                exec_pipe: Some(exec_reader),
                signals,
                seal,
            })
        }
    }
}

/// SIGCHLD as something to wait for. It is blocked, not handled.
fn child_signals() -> Setup<OwnedFd> {
    // SAFETY: the set is initialised by `sigemptyset` before use and lives through both calls; there is only this thread.
    let fd = unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGCHLD);
        libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
    };
    cvt(fd.into()).at(Step::SignalDescriptor)?;
    // SAFETY: the call has just returned this descriptor to us alone.
    Ok(unsafe { payload::own(fd) })
}

/// Becomes an ordinary user with the one capability that stopping the payload's processes may need. Having it also keeps the payload, which has none,
/// from changing this process's scheduling in user mode, where both have the same identity.
fn give_up_privileges(plan: &Plan) -> Setup<()> {
    payload::drop_bounding_set()?;
    rustix::thread::set_keep_capabilities(true).at(Step::DropCapabilities)?;
    payload::become_user(plan, plan.ids.init_uid)?;
    let kill = CapabilitySet::KILL;
    let sets = CapabilitySets {
        effective: kill,
        permitted: kill,
        inheritable: CapabilitySet::empty(),
    };
    rustix::thread::set_capabilities(None::<Pid>, sets).at(Step::DropCapabilities)?;
    rustix::thread::set_no_new_privs(true).at(Step::NoNewPrivs)?;
    // Both are undone by the change of user, so they come after it.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).at(Step::NotDumpable)?;
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).at(Step::DeathSignal)
}

impl Started {
    /// Returns when there is no reason to live any more.
    fn supervise(mut self, socket: &OwnedFd, keeper_alive: &OwnedFd) {
        loop {
            let mut fds = vec![
                PollFd::new(socket, PollFlags::IN | PollFlags::RDHUP),
                PollFd::new(keeper_alive, PollFlags::empty()),
                PollFd::new(&self.signals, PollFlags::IN),
            ];
            let seal_at = self.seal.descriptor().map(|seal| {
                fds.push(PollFd::from_borrowed_fd(seal, PollFlags::IN));
                fds.len() - 1
            });
            let exec_at = self.exec_pipe.as_ref().map(|pipe| {
                fds.push(PollFd::new(pipe, PollFlags::IN));
                fds.len() - 1
            });
            match poll(&mut fds, None) {
                Err(rustix::io::Errno::INTR) => continue,
                Err(_) => return,
                Ok(_) => {}
            }
            let ready: Vec<PollFlags> = fds.iter().map(PollFd::revents).collect();
            if ready[0].intersects(PollFlags::RDHUP | PollFlags::HUP) || !ready[1].is_empty() {
                return;
            }
            if exec_at.is_some_and(|at| !ready[at].is_empty()) && !self.note_execution(socket) {
                return;
            }
            if let Some(at) = seal_at {
                if ready[at].contains(PollFlags::IN) {
                    if !self.seal.attend(socket) {
                        return;
                    }
                } else if ready[at].contains(PollFlags::HUP) {
                    self.seal.give_up();
                }
            }
            if !ready[2].is_empty() && self.reap(socket) {
                return;
            }
            if ready[0].contains(PollFlags::IN) && !self.obey(socket) {
                return;
            }
        }
    }

    /// Tells the caller that the payload runs. False where it never will.
    fn note_execution(&mut self, socket: &OwnedFd) -> bool {
        let Some(pipe) = self.exec_pipe.take() else {
            return true;
        };
        let executed = matches!(rustix::io::read(&pipe, &mut [0_u8; 1]), Ok(0));
        executed && plan::send(socket, &Report::Started).is_ok()
    }

    /// Takes every dead child. True once the payload's main process is among them.
    fn reap(&mut self, socket: &OwnedFd) -> bool {
        let mut one_signal = [0_u8; size_of::<libc::signalfd_siginfo>()];
        while rustix::io::read(&self.signals, &mut one_signal).is_ok_and(|length| length > 0) {}
        loop {
            let mut status = 0;
            // SAFETY: an all-zero `rusage` is valid: it is made of plain integers.
            let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
            // SAFETY: both pointers are valid for the whole call.
            let pid =
                unsafe { libc::wait4(-1, &raw mut status, libc::WNOHANG | libc::__WALL, &raw mut usage) };
            if pid <= 0 {
                return false;
            }
            if Pid::from_raw(pid) == Some(self.main) {
                if self.exec_pipe.is_some() && !self.note_execution(socket) {
                    return true;
                }
                let _ = plan::send(
                    socket,
                    &Report::Ended {
                        wait_status: status,
                        cpu_us: keeper::cpu_us(&usage),
                    },
                );
                return true;
            }
        }
    }

    /// Carries out one order. False at the end of the socket.
    fn obey(&mut self, socket: impl AsFd) -> bool {
        let Ok(Some(order)) = plan::receive::<Order>(&socket) else {
            return false;
        };
        let report = match order {
            Order::Stop { within_ms } => freeze::stop_everything(within_ms),
            Order::Continue => freeze::continue_everything(),
            Order::Seal => self.seal.put_on(),
        };
        plan::send(&socket, &report).is_ok()
    }
}
