//! The plan: what the caller's process tells the helper process, and the messages that go between them.
//!
//! Written by `sandbox.rs`, read by `keeper.rs` and `init.rs`. The payload never holds the socket that carries these, so both ends trust them; sizes are
//! bounded all the same.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use serde::{Deserialize, Serialize};

use crate::capabilities::{Freezer, MemoryCap, Mode};
use crate::cgroup::Groups;
use crate::error::FailedStep;
use crate::spec::{Bind, Devices, Limits, PASSED_FDS_MAX, Tmpfs};

/// The hidden verb: `argv[1]` of a helper process.
pub(crate) const INIT_VERB: &str = "__prism-sandbox-init";
/// The most bytes a plan may have.
pub(crate) const PLAN_BYTES_MAX: usize = 4 << 20;
/// The most bytes one message may have.
const MESSAGE_BYTES_MAX: usize = 64 << 10;
/// Descriptors that every plan carries: the plan itself, stdout and stderr.
pub(crate) const FIXED_FDS: usize = 3;

/// Everything the helper needs to know. The descriptors travel beside it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) name: String,
    pub(crate) mode: Mode,
    pub(crate) ids: Ids,
    pub(crate) payload: Payload,
    pub(crate) binds: Vec<Bind>,
    pub(crate) scratch: Vec<Tmpfs>,
    pub(crate) shm_bytes: u64,
    /// The numbers inside of the passed descriptors, in the order in which they travel.
    pub(crate) target_fds: Vec<i32>,
    pub(crate) limits: Limits,
    pub(crate) memory_cap: MemoryCap,
    pub(crate) freezer: Freezer,
    pub(crate) devices: Devices,
    pub(crate) deaf: bool,
    pub(crate) loopback: bool,
    pub(crate) seal_socket: Option<i32>,
    pub(crate) cpus: Option<Vec<usize>>,
    pub(crate) groups: Groups,
}

/// Who runs inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ids {
    /// User of the payload, never 0.
    pub(crate) uid: u32,
    /// Group of the payload, never 0.
    pub(crate) gid: u32,
    /// User of the init: another one in root mode, the same one in user mode.
    pub(crate) init_uid: u32,
}

/// What the confined process does.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Payload {
    /// Become this program.
    Execute {
        argv: Vec<Vec<u8>>,
        env: Vec<Vec<u8>>,
        cwd: PathBuf,
    },
    /// The preflight's trial run: look around without executing anything, then wait to be killed.
    Probe,
}

/// From keeper and init to the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Report {
    /// The namespaces exist; the host's number of their init.
    Forked { init_pid: i32 },
    /// A step failed; the sandbox is going away.
    Failed(FailedStep),
    /// The payload runs.
    Started,
    /// The payload's main process ended with this wait status.
    Ended { wait_status: i32, cpu_us: u64 },
    /// Every process and thread of the payload is stopped.
    Stopped,
    /// Some did not stop.
    NotStopped { why: String },
    /// They run again.
    Continued,
    /// The seal is on.
    Sealed,
    /// It is not, and cannot be put on.
    NotSealed { why: String },
    /// A sealed process has made a call, by its number, that the seal does not let pass. The call does not return.
    SealBroken { call: i64 },
    /// The init is reaped, so nothing of the sandbox is left. `cpu_us` and `peak_rss_bytes` are what the kernel charged to it.
    Gone { cpu_us: u64, peak_rss_bytes: u64 },
}

/// From the caller to the init. The end of the sandbox is not an order but the end of the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Order {
    /// Stop every process; answer within this time.
    Stop { within_ms: u64 },
    /// Let them run again.
    Continue,
    /// Put the seal on, for good.
    Seal,
}

/// Sends one message. A peer that is gone is an error, never a signal.
pub(crate) fn send<T: Serialize>(socket: impl AsFd, message: &T) -> io::Result<()> {
    send_with_fds(socket, message, &[])
}

/// Sends one message together with descriptors.
pub(crate) fn send_with_fds<T: Serialize>(
    socket: impl AsFd,
    message: &T,
    fds: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let bytes = serde_json::to_vec(message)?;
    if bytes.len() > MESSAGE_BYTES_MAX {
        return Err(io::Error::other("the message is too long"));
    }
    let mut space = vec![std::mem::MaybeUninit::uninit(); SendAncillaryMessage::ScmRights(fds).size()];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(io::Error::other("too many descriptors for one message"));
    }
    loop {
        match sendmsg(
            &socket,
            &[IoSlice::new(&bytes)],
            &mut ancillary,
            SendFlags::NOSIGNAL,
        ) {
            Err(rustix::io::Errno::INTR) => {}
            other => return other.map(|_| ()).map_err(Into::into),
        }
    }
}

/// Receives one message; `None` at the end of the socket.
pub(crate) fn receive<T: for<'a> Deserialize<'a>>(socket: impl AsFd) -> io::Result<Option<T>> {
    Ok(receive_with_fds(socket)?.map(|(message, _)| message))
}

/// Receives one message and its descriptors, all close-on-exec.
pub(crate) fn receive_with_fds<T: for<'a> Deserialize<'a>>(
    socket: impl AsFd,
) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
    let mut bytes = vec![0_u8; MESSAGE_BYTES_MAX];
    let mut space =
        vec![std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FIXED_FDS + PASSED_FDS_MAX))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received = loop {
        match recvmsg(
            &socket,
            &mut [IoSliceMut::new(&mut bytes)],
            &mut ancillary,
            RecvFlags::CMSG_CLOEXEC,
        ) {
            Err(rustix::io::Errno::INTR) => {}
            other => break other?,
        }
    };
    if received.bytes == 0 {
        return Ok(None);
    }
    let mut fds = Vec::new();
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(passed) = message {
            fds.extend(passed);
        }
    }
    let message = serde_json::from_slice(&bytes[..received.bytes]).map_err(io::Error::other)?;
    Ok(Some((message, fds)))
}
