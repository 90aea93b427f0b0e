//! The second stage of the system-call filters: what a sealed process may still ask of the kernel.
//!
//! Used by `seccomp.rs`. The kernel remembers names, pages and counters for everybody, so a process that must answer from what it was given alone may
//! not ask about any of them. The program is installed before the payload starts and can never be taken off. It lets the few calls below pass and
//! tells the init of all others, which lets them go on until the seal is put on, and none afterwards (`seal.rs`). So what is allowed under the seal is
//! fixed before the payload has run an instruction. It must never allow a call that takes a path or a name, that opens, maps or looks at a file, that
//! makes a process, pipe, socket or shared memory, or that asks about the machine, processes, memory or resources.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::mpsc;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen as Width, SeccompCmpOp as Op, SeccompCondition,
    SeccompFilter, SeccompRule,
};

use crate::error::{At, FailedStep, Setup, Step, cvt};
use crate::plan;
use crate::seccomp::{ARCH, Rules, rule};

/// Calls that pass whatever their arguments are. Each is here because a forward of one row needs it, or a crash that is to keep its own name.
const FREE: &[libc::c_long] = &[
    // Threads of one process waiting for one another. What is shared between processes is taken care of in `seccomp_channels.rs`.
    libc::SYS_futex,
    libc::SYS_sched_yield,
    // Memory of its own. File pages that it has mapped stay in memory for as long as it lives (`resident.rs`), so that taking a view away and coming
    // back to it tells nothing.
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    // Letting go of a descriptor, as the garbage collector may at any time.
    libc::SYS_close,
    // The time, where the kernel's own page does not tell it. It cannot be denied: the processor tells it as well.
    libc::SYS_clock_gettime,
    // A thread's and a process's own number, in a numbering that nobody else has.
    libc::SYS_getpid,
    libc::SYS_gettid,
    // Signals that a process sends itself: a crash then ends it under its own name.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_tgkill,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Standard output and standard error.
const OUTPUTS: [u64; 2] = [1, 2];

/// `SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV`: once the init knows of a call, its thread waits for the answer whatever signals come.
const WAIT_KILLABLE: libc::c_ulong = 1 << 5;

/// Marks a descriptor to be closed at an `execve`.
const FIOCLEX: u64 = 0x5451;

/// Second byte of the commands of the NVIDIA driver's descriptors.
const NVIDIA_COMMANDS: u64 = b'F' as u64;

/// The program that tells the init of every call but those that pass.
pub(crate) fn program(socket: RawFd, gpu: bool) -> Result<BpfProgram, BackendError> {
    // The library has no name for this answer. It is compiled as another one that occurs nowhere else, and replaced.
    let placeholder = SeccompAction::Trace(0);
    let mut program: BpfProgram =
        SeccompFilter::new(allowed(socket, gpu)?, placeholder, SeccompAction::Allow, ARCH)?.try_into()?;
    let give = (libc::BPF_RET | libc::BPF_K) as u16;
    for instruction in &mut program {
        if instruction.code == give && instruction.k == libc::SECCOMP_RET_TRACE {
            instruction.k = libc::SECCOMP_RET_USER_NOTIF;
        }
    }
    Ok(program)
}

fn allowed(socket: RawFd, gpu: bool) -> Result<Rules, BackendError> {
    let mut rules: Rules = FREE.iter().map(|call| (*call, Vec::new())).collect();
    let anonymous = number(libc::MAP_ANONYMOUS);
    let mut maps = vec![rule([(3, Op::MaskedEq(anonymous), anonymous)])?];
    let to_outputs = || {
        OUTPUTS
            .iter()
            .map(|output| rule([(0, Op::Eq, *output)]))
            .collect::<Result<Vec<_>, _>>()
    };
    rules.insert(libc::SYS_write, to_outputs()?);
    rules.insert(libc::SYS_writev, to_outputs()?);
    // Its own line to the caller, and without an address: an address is a name.
    rules.insert(libc::SYS_recvfrom, vec![on_the_line(socket)?]);
    rules.insert(libc::SYS_sendto, vec![on_the_line(socket)?]);
    if gpu {
        // What the driver does for every launch. Its own files are open since before the seal; a view that can be written cannot be one of a read-only
        // file. The commands carry the driver's letter; those of its memory manager are plain small numbers.
        let writable = number(libc::PROT_WRITE);
        let shared = number(libc::MAP_SHARED);
        maps.push(rule([
            (2, Op::MaskedEq(writable), writable),
            (3, Op::MaskedEq(shared), shared),
        ])?);
        rules.insert(
            libc::SYS_ioctl,
            vec![
                rule([(1, Op::MaskedEq(0xff00), NVIDIA_COMMANDS << 8)])?,
                rule([(1, Op::Le, 0xff)])?,
            ],
        );
    }
    rules.insert(libc::SYS_mmap, maps);
    Ok(rules)
}

/// On this descriptor, with a null address.
fn on_the_line(socket: RawFd) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(vec![
        SeccompCondition::new(0, Width::Dword, Op::Eq, u64::from(socket.unsigned_abs()))?,
        SeccompCondition::new(4, Width::Qword, Op::Eq, 0)?,
    ])
}

/// Calls that would put something else in the place of the line: refused from the start, since the seal knows the line by its number.
pub(crate) fn add_denied(rules: &mut Rules, socket: RawFd) -> Result<(), BackendError> {
    let line = u64::from(socket.unsigned_abs());
    let mut deny = |call: libc::c_long, what: SeccompRule| rules.entry(call).or_default().push(what);
    deny(libc::SYS_close, rule([(0, Op::Eq, line)])?);
    deny(
        libc::SYS_close_range,
        rule([(0, Op::Le, line), (1, Op::Ge, line)])?,
    );
    #[cfg(target_arch = "x86_64")]
    deny(libc::SYS_dup2, rule([(1, Op::Eq, line)])?);
    deny(libc::SYS_dup3, rule([(1, Op::Eq, line)])?);
    Ok(())
}

/// Marking the line to be closed at an `execve` would free its number, too. Libraries mark every descriptor, so that it is answered with success.
pub(crate) fn add_pretended(rules: &mut Rules, socket: RawFd) -> Result<(), BackendError> {
    let line = u64::from(socket.unsigned_abs());
    let mut pretend = |call: libc::c_long, what: SeccompRule| rules.entry(call).or_default().push(what);
    pretend(
        libc::SYS_fcntl,
        rule([(0, Op::Eq, line), (1, Op::Eq, number(libc::F_SETFD))])?,
    );
    pretend(libc::SYS_ioctl, rule([(0, Op::Eq, line), (1, Op::Eq, FIOCLEX)])?);
    Ok(())
}

/// Installs the program on this thread, before anything of the payload runs, and sends the descriptor by which the kernel tells of calls to the init.
///
/// From the installation on, every call that does not pass waits for the init, sending included. So a second thread, which the program is not installed
/// on, does the sending.
pub(crate) fn install(program: &BpfProgram, to_init: BorrowedFd<'_>) -> Setup<()> {
    let failed = |what: &str| FailedStep {
        step: Step::SeccompListener,
        errno: 0,
        what: what.to_owned(),
    };
    let (tell, told) = mpsc::channel::<OwnedFd>();
    std::thread::scope(|scope| {
        let messenger = std::thread::Builder::new()
            .spawn_scoped(scope, move || {
                let listener = told.recv().map_err(std::io::Error::other)?;
                plan::send_with_fds(to_init, &(), &[std::os::fd::AsFd::as_fd(&listener)])
            })
            .at(Step::SeccompListener)?;
        tell.send(listen(program)?)
            .map_err(|_| failed("the messenger is gone"))?;
        drop(tell);
        messenger
            .join()
            .map_err(|_| failed("the messenger panicked"))?
            .at(Step::SeccompListener)
    })
}

fn listen(program: &BpfProgram) -> Setup<OwnedFd> {
    let flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
    // A signal would make calls fail that never do otherwise. Not before Linux 5.19.
    listen_with(program, flags | WAIT_KILLABLE).or_else(|_| listen_with(program, flags))
}

fn listen_with(program: &BpfProgram, flags: libc::c_ulong) -> Setup<OwnedFd> {
    let length = u16::try_from(program.len()).unwrap_or(u16::MAX);
    let filter = libc::sock_fprog {
        len: length,
        filter: program.as_ptr().cast_mut().cast(),
    };
    // SAFETY: `filter` describes `program`, which outlives the call; the kernel copies it and writes nothing. The two libraries lay an instruction out in
    // the same way, as the kernel does.
    let returned = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            flags,
            &raw const filter,
        )
    };
    let listener = cvt(returned).at(Step::SeccompListener)?;
    let listener = i32::try_from(listener).map_err(|_| FailedStep {
        step: Step::SeccompListener,
        errno: 0,
        what: "a descriptor out of range".to_owned(),
    })?;
    // SAFETY: the call has just returned this descriptor to us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(listener.as_raw_fd()) })
}

fn number(value: libc::c_int) -> u64 {
    u64::from(value.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_other_call_is_told_of_and_none_is_traced() {
        for gpu in [false, true] {
            let program = program(3, gpu).unwrap();
            let answers: Vec<u32> = program
                .iter()
                .filter(|instruction| u32::from(instruction.code) == libc::BPF_RET | libc::BPF_K)
                .map(|instruction| instruction.k)
                .collect();
            assert!(answers.contains(&libc::SECCOMP_RET_USER_NOTIF));
            assert!(!answers.contains(&libc::SECCOMP_RET_TRACE));
        }
    }

    #[test]
    fn nothing_that_takes_a_name_passes() {
        let rules = allowed(3, true).unwrap();
        for call in [
            libc::SYS_openat,
            libc::SYS_newfstatat,
            libc::SYS_statx,
            libc::SYS_faccessat,
            libc::SYS_readlinkat,
            libc::SYS_execve,
            libc::SYS_connect,
            libc::SYS_sendmsg,
            libc::SYS_read,
            libc::SYS_pread64,
            libc::SYS_clone,
            libc::SYS_socket,
            libc::SYS_pipe2,
            libc::SYS_getrusage,
            libc::SYS_sched_getaffinity,
        ] {
            assert!(!rules.contains_key(&call), "{call}");
        }
        for call in [
            libc::SYS_mmap,
            libc::SYS_sendto,
            libc::SYS_recvfrom,
            libc::SYS_write,
        ] {
            assert!(!rules[&call].is_empty(), "{call} must depend on its arguments");
        }
    }
}
