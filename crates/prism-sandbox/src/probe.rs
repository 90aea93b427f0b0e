//! The payload of the preflight's trial run: looks around from inside, under every restriction.
//!
//! Run by `payload.rs` in place of an `execve`. It must try only what does no harm should it succeed.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::error::{FailedStep, Setup, Step, cvt};

/// Tries what must fail, and what must work.
pub(crate) fn probe() -> Setup<()> {
    let fail = |what: &str| {
        Err(FailedStep {
            step: Step::Probe,
            errno: 0,
            what: what.to_owned(),
        })
    };
    let forbidden_paths = ["/probe", "/dev/probe", "/etc/probe", "/proc/self/oom_score_adj"];
    if let Some(path) = forbidden_paths.iter().find(|path| {
        std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .is_ok()
    }) {
        return fail(&format!("{path} is writable"));
    }
    if std::fs::write("/tmp/probe", "x").is_err() || std::fs::write("/dev/shm/probe", "x").is_err() {
        return fail("a scratch space is not writable");
    }
    let outside = std::fs::read_dir("/proc").map_or(0, |entries| {
        let number =
            |entry: io::Result<std::fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse::<u32>().ok();
        entries.filter_map(number).filter(|pid| *pid > 2).count()
    });
    if outside > 0 || std::fs::read("/proc/meminfo").is_ok_and(|text| !text.is_empty()) {
        return fail("/proc shows more than the sandbox");
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in [
        "CapPrm:\t0000000000000000",
        "CapBnd:\t0000000000000000",
        "NoNewPrivs:\t1",
        "Seccomp:\t2",
    ] {
        if !status.lines().any(|found| found == line) {
            return fail(&format!("/proc/self/status does not say {line:?}"));
        }
    }
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
    match TcpStream::connect_timeout(&loopback, Duration::from_secs(5)).map_err(|error| error.raw_os_error())
    {
        Err(Some(libc::ECONNREFUSED)) => {}
        other => return fail(&format!("the loopback interface answers {other:?}")),
    }
    // SAFETY: plain system calls with numbers and null pointers; both must be refused before any argument is looked at.
    let (unshared, foreign_socket) = unsafe {
        (
            libc::unshare(libc::CLONE_NEWUSER),
            libc::socket(libc::AF_VSOCK, libc::SOCK_STREAM, 0),
        )
    };
    if cvt(unshared.into()).is_ok() || cvt(foreign_socket.into()).is_ok() {
        return fail("a forbidden system call succeeded");
    }
    Ok(())
}
