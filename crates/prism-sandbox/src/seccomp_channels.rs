//! System-call rules against two sandboxes talking through what the kernel keeps in common for both.
//!
//! Used by `seccomp.rs` alone. Both have the same read-only files bound, so whatever the kernel hangs on an inode is seen from both sides, and most of
//! it outlives a freeze: a frozen process keeps its locks. Nothing here may be weakened because "it is only a hint": a hint that can be asked for is a
//! message. Where honest programs do ask, they are answered with success and nothing is done.

use seccompiler::{BackendError, SeccompCmpOp as Op, SeccompRule};

use crate::seccomp::{Rules, rule};

/// Asynchronous I/O counts its requests for the whole machine, and can ask whether a page is in memory. Notifications tell who opens a shared file.
/// `mincore` and `cachestat` tell what is in the page cache. `openat2` can ask for a file only if the kernel remembers its name, and hides that
/// wish behind a pointer, as newer futexes do their flags.
pub(crate) const ABSENT: &[libc::c_long] = &[
    libc::SYS_io_setup,
    libc::SYS_io_destroy,
    libc::SYS_io_submit,
    libc::SYS_io_cancel,
    libc::SYS_io_getevents,
    SYS_IO_PGETEVENTS,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_inotify_init,
    libc::SYS_inotify_init1,
    libc::SYS_inotify_add_watch,
    libc::SYS_inotify_rm_watch,
    libc::SYS_mincore,
    libc::SYS_openat2,
    SYS_CACHESTAT,
    libc::SYS_futex_waitv,
    SYS_FUTEX_WAKE,
    SYS_FUTEX_WAIT,
    SYS_FUTEX_REQUEUE,
];

/// Calls that go on reading a file for as long as somebody empties the other end. One that began before a seal would tell what it reads after it.
const MOVING: &[libc::c_long] = &[
    libc::SYS_sendfile,
    libc::SYS_splice,
    libc::SYS_tee,
    libc::SYS_vmsplice,
    libc::SYS_copy_file_range,
];

// Not every libc release names these.
#[cfg(target_arch = "x86_64")]
const SYS_IO_PGETEVENTS: libc::c_long = 333;
#[cfg(target_arch = "aarch64")]
const SYS_IO_PGETEVENTS: libc::c_long = 292;
const SYS_CACHESTAT: libc::c_long = 451;
const SYS_FUTEX_WAKE: libc::c_long = 454;
const SYS_FUTEX_WAIT: libc::c_long = 455;
const SYS_FUTEX_REQUEUE: libc::c_long = 456;

/// Taking and giving back locks, of processes and of open files.
const SET_LOCK: [u64; 4] = [6, 7, 37, 38];
/// Asking for somebody else's lock, leases, notifications of a directory, and the life-time hint that is kept in the inode.
const ASK_ABOUT_INODE: [u64; 9] = [5, 36, 1024, 1025, 1026, 1035, 1036, 1037, 1038];
/// Advice that acts on pages which others have too: putting them out, merging equal ones, joining them to large ones.
const ADVICE_ON_SHARED_PAGES: [libc::c_int; 4] = [
    libc::MADV_COLD,
    libc::MADV_PAGEOUT,
    libc::MADV_MERGEABLE,
    MADV_COLLAPSE,
];
const MADV_COLLAPSE: libc::c_int = 25;
const PR_SET_MEMORY_MERGE: u64 = 67;
/// `SO_ATTACH_FILTER`, `SO_ATTACH_BPF` and their two siblings for groups of sockets: compiled programs count for the whole machine.
const ATTACH_PROGRAM: [u64; 4] = [26, 50, 51, 52];
/// Adding, removing and asking for the encryption keys of a file system.
const FILE_SYSTEM_KEYS: [u64; 4] = [0xc050_6617, 0xc040_6618, 0xc040_6619, 0xc080_661a];
const MPOL_F_ADDR: u64 = 2;

/// Answered with success and not done: nobody inside can be hindered by a lock, nor see one.
pub(crate) fn pretended(deaf: bool) -> Result<Rules, BackendError> {
    let dont_need = number(libc::POSIX_FADV_DONTNEED);
    let mut rules = Rules::from([
        (libc::SYS_fadvise64, vec![rule([(3, Op::Eq, dont_need)])?]),
        (libc::SYS_flock, Vec::new()),
        (libc::SYS_fcntl, any_of(1, SET_LOCK)?),
        (libc::SYS_madvise, any_of(2, ADVICE_ON_SHARED_PAGES.map(number))?),
    ]);
    if deaf {
        rules.insert(
            libc::SYS_futex,
            shared_futex(&[libc::FUTEX_WAKE, libc::FUTEX_WAKE_BITSET])?,
        );
    }
    Ok(rules)
}

/// A wait on a futex of several processes comes back at once, and its caller looks again: nobody inside is ever found waiting, and nobody inside can be
/// woken from elsewhere. A futex in a library that both sandboxes have bound is the same one in both, and a version 1 freezer leaves frozen threads in its
/// queue. (Version 2 and signals take them out until they are let go.)
pub(crate) fn tried_again(deaf: bool) -> Result<Rules, BackendError> {
    Ok(if deaf {
        let waits = [libc::FUTEX_WAIT, libc::FUTEX_WAIT_BITSET];
        Rules::from([(libc::SYS_futex, shared_futex(&waits)?)])
    } else {
        Rules::new()
    })
}

/// What programs do without; if deaf also what moves data by itself, and the other things that can be done with a futex of several processes, which
/// no C library needs.
pub(crate) fn absent(deaf: bool) -> Result<Rules, BackendError> {
    let mut rules: Rules = ABSENT.iter().map(|number| (*number, Vec::new())).collect();
    if deaf {
        rules.extend(MOVING.iter().map(|number| (*number, Vec::new())));
        let others = [2, 3, 4, 5, 6, 7, 8, 11, 12, 13];
        rules.insert(libc::SYS_futex, shared_futex(&others)?);
    }
    Ok(rules)
}

/// Adds what is refused to rules that may hold others for the same calls.
pub(crate) fn add_denied(rules: &mut Rules, gpu: bool) -> Result<(), BackendError> {
    let mut deny = |call: libc::c_long, more: Vec<_>| rules.entry(call).or_default().extend(more);
    deny(libc::SYS_fcntl, any_of(1, ASK_ABOUT_INODE)?);
    // "Only if the page is in memory."
    deny(
        libc::SYS_preadv2,
        vec![rule([masked(5, number(libc::RWF_NOWAIT))])?],
    );
    deny(libc::SYS_prctl, any_of(0, [PR_SET_MEMORY_MERGE])?);
    deny(libc::SYS_ioctl, any_of(1, FILE_SYSTEM_KEYS)?);
    for option in ATTACH_PROGRAM {
        let level = number(libc::SOL_SOCKET);
        deny(
            libc::SYS_setsockopt,
            vec![rule([(1, Op::Eq, level), (2, Op::Eq, option)])?],
        );
    }
    // Large pages come from one pool of the whole machine, and no memory group counts them.
    deny(
        libc::SYS_mmap,
        vec![rule([masked(3, number(libc::MAP_HUGETLB))])?],
    );
    if gpu {
        deny(
            libc::SYS_memfd_create,
            vec![rule([masked(1, u64::from(libc::MFD_HUGETLB))])?],
        );
    } else {
        // On which node a page of a shared file lies. What the GPU driver needs of these is not known.
        deny(libc::SYS_mbind, vec![rule([(5, Op::Ne, 0)])?]);
        deny(libc::SYS_get_mempolicy, vec![rule([masked(4, MPOL_F_ADDR)])?]);
    }
    Ok(())
}

/// These operations without the flag that keeps a futex within one process.
fn shared_futex(operations: &[libc::c_int]) -> Result<Vec<SeccompRule>, BackendError> {
    let operation_and_private = 0xff;
    let only = |operation: &libc::c_int| rule([(1, Op::MaskedEq(operation_and_private), number(*operation))]);
    operations.iter().map(only).collect()
}

/// One rule for each value that an argument must not have.
fn any_of<const N: usize>(index: u8, values: [u64; N]) -> Result<Vec<SeccompRule>, BackendError> {
    values
        .iter()
        .map(|value| rule([(index, Op::Eq, *value)]))
        .collect()
}

fn masked(index: u8, bits: u64) -> (u8, Op, u64) {
    (index, Op::MaskedEq(bits), bits)
}

fn number(value: libc::c_int) -> u64 {
    u64::from(value.unsigned_abs())
}
