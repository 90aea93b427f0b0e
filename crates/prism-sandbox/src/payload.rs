//! The last minutes of trusted code in the payload's process: it gives up everything, in this order, and becomes the payload.
//!
//! Forked by `init.rs`. Whatever fails is reported and ends the process; it must never continue with a privilege that it failed to drop.

use std::convert::Infallible;
use std::ffi::CString;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::path::Path;

use rustix::process::Pid;
use rustix::thread::{CapabilitySet, CapabilitySets};

use crate::capabilities::Mode;
use crate::error::{At, FailedStep, Setup, Step, cvt};
use crate::plan::{Payload, Plan};
use crate::probe;
use crate::seccomp::Filters;
use crate::spec::TARGET_FD_MAX;
use crate::{landlock_layer, rlimits};

/// The highest capability number that may exist; removing one that does not exist ends the loop.
const CAPABILITIES_MAX: u32 = 64;

/// The highest signal number.
const SIGNALS_MAX: libc::c_long = 64;

/// The payload's descriptors.
pub(crate) struct Descriptors {
    pub(crate) stdout: OwnedFd,
    pub(crate) stderr: OwnedFd,
    /// In the order of [`Plan::target_fds`].
    pub(crate) passed: Vec<OwnedFd>,
    /// Open `cgroup.procs` of each group.
    pub(crate) groups: Vec<File>,
}

/// Gives everything up and becomes the payload. Returns only on failure.
pub(crate) fn become_payload(
    plan: &Plan,
    fds: Descriptors,
    filters: &Filters,
    socket: OwnedFd,
    exec_pipe: OwnedFd,
    seal_socket: Option<OwnedFd>,
) -> FailedStep {
    // The reporting socket is kept above all targets until the last moment; `execve` closes it.
    let reporting = match move_above_targets(&socket) {
        Ok(reporting) => reporting,
        Err(failure) => return report(&socket, failure),
    };
    drop(socket);
    let reported_end = match move_above_targets(&exec_pipe) {
        Ok(moved) => moved,
        Err(failure) => return report(&reporting, failure),
    };
    drop(exec_pipe);
    let to_init = match seal_socket.as_ref().map(move_above_targets).transpose() {
        Ok(moved) => moved,
        Err(failure) => return report(&reporting, failure),
    };
    drop(seal_socket);
    match give_up_and_execute(plan, fds, filters, to_init.as_ref().map(AsFd::as_fd)) {
        Ok(()) => {
            drop((reporting, reported_end));
            loop {
                // SAFETY: waits for a signal and touches no memory.
                unsafe { libc::pause() };
            }
        }
        Err(failure) => {
            let failure = report(&reporting, failure);
            // One byte tells the init that this end of the pipe is a failure and not a successful `execve`.
            let _ = rustix::io::write(&reported_end, b"x");
            failure
        }
    }
}

fn report(socket: &OwnedFd, failure: FailedStep) -> FailedStep {
    let _ = crate::plan::send(socket, &crate::plan::Report::Failed(failure.clone()));
    failure
}

/// Comes back without an error only in the trial run, which executes nothing.
fn give_up_and_execute(
    plan: &Plan,
    fds: Descriptors,
    filters: &Filters,
    to_init: Option<BorrowedFd<'_>>,
) -> Setup<()> {
    rustix::process::setsid().at(Step::PayloadSession)?;
    join_groups(&fds.groups)?;
    hide_groups(plan)?;
    pin(plan)?;
    let Descriptors {
        stdout,
        stderr,
        passed,
        groups,
    } = fds;
    drop(groups);
    place(stdout, stderr, passed, &plan.target_fds)?;
    rlimits::apply(plan)?;
    reset_signals()?;
    drop_identity(plan)?;
    rustix::thread::set_no_new_privs(true).at(Step::NoNewPrivs)?;
    let directory = match &plan.payload {
        Payload::Execute { cwd, .. } => cwd.as_path(),
        Payload::Probe => Path::new("/"),
    };
    rustix::process::chdir(directory).at_what(Step::ChangeDirectory, directory.display())?;
    landlock_layer::apply(plan)?;
    rlimits::apply_processes(plan)?;
    filters.install(to_init)?;
    match &plan.payload {
        Payload::Execute { argv, env, .. } => execute(argv, env).map(|never| match never {}),
        Payload::Probe => probe::probe(),
    }
}

/// Joins the control groups. `0` stands for the writer itself; the permission is that of the keeper, who opened the files.
fn join_groups(groups: &[File]) -> Setup<()> {
    for procs in groups {
        rustix::io::write(procs, b"0").at(Step::JoinCgroup)?;
    }
    Ok(())
}

/// Makes the joined group look like the root, so that its name tells nothing.
fn hide_groups(plan: &Plan) -> Setup<()> {
    if plan.groups.0.is_empty() {
        return Ok(());
    }
    // SAFETY: a plain system call with a flag; a new cgroup namespace changes nothing about memory or descriptors.
    let returned = unsafe { libc::unshare(libc::CLONE_NEWCGROUP) };
    cvt(returned.into()).at(Step::CgroupNamespace).map(|_| ())
}

fn pin(plan: &Plan) -> Setup<()> {
    let Some(cpus) = &plan.cpus else { return Ok(()) };
    let mut set = rustix::thread::CpuSet::new();
    for cpu in cpus.iter().filter(|cpu| **cpu < rustix::thread::CpuSet::MAX_CPU) {
        set.set(*cpu);
    }
    rustix::thread::sched_setaffinity(None, &set).at_what(Step::Affinity, format!("cpus {cpus:?}"))
}

/// Puts exactly the promised descriptors at their numbers; every other one closes at `execve`.
fn place(stdout: OwnedFd, stderr: OwnedFd, passed: Vec<OwnedFd>, targets: &[RawFd]) -> Setup<()> {
    let stdin = File::open("/dev/null").at_what(Step::PlaceDescriptors, "/dev/null")?;
    close_on_exec_from(0)?;
    // First everything out of the way, then into place: a target number may be the present number of another descriptor.
    let mut placements = vec![
        (move_above_targets(&stdin)?, libc::STDIN_FILENO),
        (move_above_targets(&stdout)?, libc::STDOUT_FILENO),
        (move_above_targets(&stderr)?, libc::STDERR_FILENO),
    ];
    for (fd, target) in passed.iter().zip(targets) {
        placements.push((move_above_targets(fd)?, *target));
    }
    drop((stdin, stdout, stderr, passed));
    for (fd, target) in &placements {
        // SAFETY: the source is open. Whatever the target number was, nothing in this process uses it any more; `dup2` clears close-on-exec.
        let returned = unsafe { libc::dup2(fd.as_raw_fd(), *target) };
        cvt(returned.into()).at_what(Step::PlaceDescriptors, target)?;
    }
    Ok(())
}

/// A copy above every number that a target may have, closed at `execve`.
fn move_above_targets(fd: impl AsFd) -> Setup<OwnedFd> {
    rustix::io::fcntl_dupfd_cloexec(fd, TARGET_FD_MAX + 1).at(Step::PlaceDescriptors)
}

fn close_on_exec_from(first: u32) -> Setup<()> {
    // SAFETY: the flag only marks descriptors; none is closed now.
    let returned =
        unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    cvt(returned).at(Step::PlaceDescriptors).map(|_| ())
}

/// Signals as a fresh program expects them: none blocked, none handled, none ignored. A caller that ignores SIGCHLD, say, would else blind the init.
pub(crate) fn reset_signals() -> Setup<()> {
    // The kernel's own structure, whatever its exact layout: the default action, no flags, no mask. The C library refuses two of the numbers.
    let default_action = [0_u64; 4];
    for signal in 1..=SIGNALS_MAX {
        // SAFETY: the kernel reads one `sigaction`, which is at most these 32 bytes; null asks for no old one. Two signals cannot be set; that is no error.
        unsafe {
            libc::syscall(
                libc::SYS_rt_sigaction,
                signal,
                default_action.as_ptr(),
                std::ptr::null::<u64>(),
                size_of::<u64>(),
            )
        };
    }
    // SAFETY: an empty mask is installed; it is a plain value and there is only this thread.
    let returned = unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut())
    };
    cvt(returned.into()).at(Step::ResetSignals).map(|_| ())
}

/// Becomes the unprivileged user for good.
fn drop_identity(plan: &Plan) -> Setup<()> {
    drop_bounding_set()?;
    become_user(plan, plan.ids.uid)?;
    let nothing = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    rustix::thread::set_capabilities(None::<Pid>, nothing).at(Step::DropCapabilities)?;
    check_identity(plan)
}

/// No capability can come back through an `execve`.
pub(crate) fn drop_bounding_set() -> Setup<()> {
    for number in 0..CAPABILITIES_MAX {
        // SAFETY: `PR_CAPBSET_DROP` takes a number and touches no memory.
        let returned = unsafe { libc::prctl(libc::PR_CAPBSET_DROP, libc::c_ulong::from(number), 0, 0, 0) };
        match cvt(returned.into()) {
            // Beyond the last capability that this kernel knows.
            Err(crate::error::Errno(libc::EINVAL)) => break,
            other => other.at_what(Step::DropBounding, number)?,
        };
    }
    rustix::thread::clear_ambient_capability_set().at(Step::DropBounding)
}

/// In root mode, takes another user and group and no supplementary groups. In user mode the identity is the right one already.
pub(crate) fn become_user(plan: &Plan, uid: u32) -> Setup<()> {
    if plan.mode == Mode::User {
        return Ok(());
    }
    let gid = rustix::process::Gid::from_raw(plan.ids.gid);
    let uid = rustix::process::Uid::from_raw(uid);
    rustix::thread::set_thread_groups(&[]).at(Step::DropGroups)?;
    rustix::thread::set_thread_res_gid(gid, gid, gid).at(Step::DropUser)?;
    rustix::thread::set_thread_res_uid(uid, uid, uid).at(Step::DropUser)
}

/// Looks whether it is true. Everything after this trusts it.
fn check_identity(plan: &Plan) -> Setup<()> {
    let fail = |what: &str| FailedStep {
        step: Step::CheckIdentity,
        errno: 0,
        what: what.to_owned(),
    };
    if rustix::process::getuid().is_root() || rustix::process::geteuid().is_root() {
        return Err(fail("still uid 0"));
    }
    if rustix::process::getuid().as_raw() != plan.ids.uid
        || rustix::process::getgid().as_raw() != plan.ids.gid
    {
        return Err(fail("not the identity of the plan"));
    }
    let left = rustix::thread::capabilities(None::<Pid>).at(Step::CheckIdentity)?;
    if !(left.effective | left.permitted | left.inheritable).is_empty() {
        return Err(fail("capabilities are left"));
    }
    Ok(())
}

fn execute(argv: &[Vec<u8>], env: &[Vec<u8>]) -> Setup<Infallible> {
    let to_c = |words: &[Vec<u8>]| {
        words
            .iter()
            .map(|word| CString::new(word.clone()))
            .collect::<Result<Vec<_>, _>>()
    };
    let invalid = |_| FailedStep {
        step: Step::Execute,
        errno: libc::EINVAL,
        what: "a NUL byte in argv or env".to_owned(),
    };
    let (argv, env) = (to_c(argv).map_err(invalid)?, to_c(env).map_err(invalid)?);
    let pointers = |words: &[CString]| {
        words
            .iter()
            .map(|word| word.as_ptr())
            .chain([std::ptr::null()])
            .collect::<Vec<_>>()
    };
    let (argv_pointers, env_pointers) = (pointers(&argv), pointers(&env));
    let Some(program) = argv.first() else {
        return Err(FailedStep {
            step: Step::Execute,
            errno: libc::EINVAL,
            what: "argv is empty".to_owned(),
        });
    };
    // SAFETY: both arrays are null-terminated and point to C strings that live until the call returns, which it does only on failure.
    let returned = unsafe { libc::execve(program.as_ptr(), argv_pointers.as_ptr(), env_pointers.as_ptr()) };
    cvt(returned.into()).at_what(Step::Execute, program.to_string_lossy())?;
    Err(FailedStep {
        step: Step::Execute,
        errno: 0,
        what: "execve returned".to_owned(),
    })
}

/// Takes ownership of a descriptor number that this process was started with.
///
/// # Safety
/// The number must be open and owned by nobody else.
pub(crate) unsafe fn own(fd: RawFd) -> OwnedFd {
    // SAFETY: promised by the caller.
    unsafe { OwnedFd::from_raw_fd(fd) }
}
