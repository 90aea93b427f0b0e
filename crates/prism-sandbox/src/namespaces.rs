//! New namespaces: the clone that makes them, the identity maps, the host name and the loopback interface.
//!
//! Called by `keeper.rs` (clone) and `init.rs` (the rest). It must never map host uid 0, and never make a network other than loopback.

use std::fs;
use std::os::fd::AsRawFd;

use rustix::process::Pid;

use crate::capabilities::Mode;
use crate::error::{At, Setup, Step, cvt};
use crate::plan::Ids;

/// Which side of a fork this is.
pub(crate) enum Side {
    Child,
    Parent(Pid),
}

/// Forks the init into its own mount, PID, IPC, UTS and network namespaces, and a user namespace in user mode.
pub(crate) fn fork_init(mode: Mode) -> Setup<Side> {
    let mut flags =
        libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS | libc::CLONE_NEWNET;
    if mode == Mode::User {
        flags |= libc::CLONE_NEWUSER;
    }
    fork_with(flags, Step::NewNamespaces)
}

/// Forks the process that becomes the payload.
pub(crate) fn fork_payload() -> Setup<Side> {
    fork_with(0, Step::ForkPayload)
}

fn fork_with(flags: libc::c_int, step: Step) -> Setup<Side> {
    let flags = libc::c_long::from(flags | libc::SIGCHLD);
    // SAFETY: with a null stack the call behaves like fork: the child continues here on a copy of the stack. The helper has only this one thread, so no
    // lock can be held by another one in the copy.
    let returned = unsafe { libc::syscall(libc::SYS_clone, flags, 0_usize, 0_usize, 0_usize, 0_usize) };
    let pid = cvt(returned).at(step)?;
    Ok(i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .map_or(Side::Child, Side::Parent))
}

/// Maps the caller's own, ordinary user and group onto themselves, and nothing else.
pub(crate) fn map_identity(ids: Ids) -> Setup<()> {
    fs::write("/proc/self/setgroups", "deny").at(Step::DenySetgroups)?;
    fs::write("/proc/self/uid_map", format!("{0} {0} 1", ids.uid)).at(Step::WriteUidMap)?;
    fs::write("/proc/self/gid_map", format!("{0} {0} 1", ids.gid)).at(Step::WriteGidMap)
}

/// Sets a host name that tells nothing about the host.
pub(crate) fn set_hostname(name: &str) -> Setup<()> {
    rustix::system::sethostname(name.as_bytes()).at(Step::SetHostname)
}

/// Brings up the loopback interface, the only one of a new network namespace.
pub(crate) fn loopback_up() -> Setup<()> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
    let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)
        .at(Step::LoopbackUp)?;
    // SAFETY: an all-zero `ifreq` is valid: it is a name of bytes and a union of plain integers.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (slot, byte) in request.ifr_name.iter_mut().zip(b"lo") {
        *slot = *byte as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: the descriptor is open and `request` is a valid `ifreq` for the whole call.
    let returned = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &raw const request) };
    cvt(returned.into()).at(Step::LoopbackUp).map(|_| ())
}
