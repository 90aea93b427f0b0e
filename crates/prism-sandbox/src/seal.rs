//! The seal: the moment from which a process may ask the kernel for nothing but what `seccomp_seal.rs` lets pass.
//!
//! The init's side. It holds the descriptor by which the kernel tells of every other call, and answers: go on, until the caller orders the seal; from
//! then on no call is done: it never returns, and the caller is told which one it was. There is no order that takes the seal off. The kernel
//! asks for every thread and every child alike, since all of them have the program from birth. It must never let a call go on once it has said that the
//! seal is on.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use crate::plan::{self, Report};

/// Wakes the thread that asks on this processor instead of another one. Since Linux 6.6.
const SYNC_WAKE_UP: u64 = 1;
/// `SECCOMP_USER_NOTIF_FLAG_CONTINUE`.
const GO_ON: u32 = 1;

/// What the init knows of the seal.
pub(crate) enum Seal {
    /// This sandbox has none.
    None,
    /// The payload's process will send the listener through this socket.
    Awaited(OwnedFd),
    /// Calls are let go on.
    Open(OwnedFd),
    /// No call is let go on.
    On(OwnedFd),
}

impl Seal {
    /// What is to be waited for.
    pub(crate) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::None => None,
            Self::Awaited(fd) | Self::Open(fd) | Self::On(fd) => Some(fd.as_fd()),
        }
    }

    /// Something is to be read, or the other side is gone. False if the caller cannot be told any more.
    pub(crate) fn attend(&mut self, caller: impl AsFd) -> bool {
        match std::mem::replace(self, Self::None) {
            Self::None => true,
            Self::Awaited(socket) => {
                if let Ok(Some(((), fds))) = plan::receive_with_fds::<()>(&socket)
                    && let Some(listener) = fds.into_iter().next()
                {
                    // Best effort: without it the call takes a few microseconds longer.
                    // SAFETY: the descriptor is open; the request takes a plain number.
                    unsafe {
                        libc::ioctl(
                            listener.as_raw_fd(),
                            libc::SECCOMP_IOCTL_NOTIF_SET_FLAGS,
                            SYNC_WAKE_UP,
                        )
                    };
                    *self = Self::Open(listener);
                }
                true
            }
            Self::Open(listener) => {
                if let Some(told) = next_call(&listener) {
                    let _ = answer(&listener, told.id, Answer::GoOn);
                }
                *self = Self::Open(listener);
                true
            }
            Self::On(listener) => {
                let told = next_call(&listener);
                let broken_by = told.and_then(|told| {
                    let call = i64::from(told.data.nr);
                    if call == libc::SYS_restart_syscall {
                        let _ = answer(&listener, told.id, Answer::Interrupted);
                        None
                    } else {
                        Some(call)
                    }
                });
                *self = Self::On(listener);
                broken_by.is_none_or(|call| plan::send(caller, &Report::SealBroken { call }).is_ok())
            }
        }
    }

    /// Nobody is left who could ask.
    pub(crate) fn give_up(&mut self) {
        *self = Self::None;
    }

    /// Puts the seal on.
    pub(crate) fn put_on(&mut self) -> Report {
        match std::mem::replace(self, Self::None) {
            Self::Open(listener) | Self::On(listener) => {
                *self = Self::On(listener);
                Report::Sealed
            }
            other => {
                *self = other;
                Report::NotSealed {
                    why: "the sandbox was not made to be sealed, or nothing runs in it any more".to_owned(),
                }
            }
        }
    }
}

/// The call that the kernel tells of; nothing if its thread is gone again or was interrupted.
fn next_call(listener: &OwnedFd) -> Option<libc::seccomp_notif> {
    // SAFETY: an all-zero notification is valid, and what the kernel demands: it is made of plain integers.
    let mut told: libc::seccomp_notif = unsafe { std::mem::zeroed() };
    // SAFETY: the descriptor is open and `told` is valid for the whole call.
    let returned = unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_RECV,
            &raw mut told,
        )
    };
    (returned == 0).then_some(told)
}

/// What the thread that asks is told.
enum Answer {
    /// The call is done. The other filters have had their say already; the strictest answer counts.
    GoOn,
    /// The call was interrupted and is not done. A wait with an end, as for the lock of the Python interpreter, is taken up again by the kernel after
    /// every freeze, with a call of its own. Whoever waits looks again at what he waits for.
    Interrupted,
}

fn answer(listener: &OwnedFd, id: u64, answer: Answer) -> std::io::Result<()> {
    let (error, flags) = match answer {
        Answer::GoOn => (0, GO_ON),
        Answer::Interrupted => (-libc::EINTR, 0),
    };
    let answer = libc::seccomp_notif_resp {
        id,
        val: 0,
        error,
        flags,
    };
    // SAFETY: the descriptor is open and `answer` is valid for the whole call.
    let returned = unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_SEND,
            &raw const answer,
        )
    };
    if returned == 0 {
        Ok(())
    } else {
        Err(std::io::Error::last_os_error())
    }
}
