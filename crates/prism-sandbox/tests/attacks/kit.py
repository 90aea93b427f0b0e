"""What every attack uses: raw system calls, and a report that the test on the other side can judge.

An attack is a function with a name. It returns a dictionary; `tries` maps each thing tried to the errno that refused it, or to "SUCCEEDED". An attack
that could change the host only opens for writing, or calls with arguments that cannot take effect; it never writes.
"""

import ctypes
import errno
import json
import os
import platform
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long
SUCCEEDED = "SUCCEEDED"

# Numbers from 424 on are the same everywhere; below, x86-64 and aarch64 differ.
SHARED_NUMBERS = dict(
    pidfd_open=434, clone3=435, pidfd_getfd=438, open_tree=428, move_mount=429, fsopen=430, fsconfig=431, fsmount=432, fspick=433,
    io_uring_setup=425, io_uring_enter=426, io_uring_register=427, process_madvise=440, mount_setattr=442, quotactl_fd=443, memfd_secret=447,
    process_mrelease=448, cachestat=451, statmount=457, listmount=458, pidfd_send_signal=424, futex_waitv=449, futex_wake=454, futex_wait=455,
    futex_requeue=456,
)
NUMBERS = {
    "x86_64": dict(
        shmget=29, clone=56, semget=64, msgget=68, sysinfo=99, ptrace=101, syslog=103, personality=135, vhangup=153, modify_ldt=154, pivot_root=155,
        adjtimex=159, chroot=161, acct=163, settimeofday=164, mount=165, umount2=166, swapon=167, swapoff=168, reboot=169, sethostname=170,
        setdomainname=171, iopl=172, ioperm=173, init_module=175, delete_module=176, quotactl=179, fadvise64=221, timer_create=222,
        clock_settime=227, mq_open=240, kexec_load=246, add_key=248, request_key=249, keyctl=250, migrate_pages=256, unshare=272, move_pages=279,
        perf_event_open=298, fanotify_init=300, prlimit64=302, name_to_handle_at=303, open_by_handle_at=304, clock_adjtime=305, setns=308,
        process_vm_readv=310, process_vm_writev=311, kcmp=312, finit_module=313, seccomp=317, memfd_create=319, kexec_file_load=320, bpf=321,
        userfaultfd=323, ioprio_set=251, socket=41, ioctl=16, fcntl=72, prctl=157, mincore=27, madvise=28, kill=62, flock=73, setrlimit=160, tkill=200, futex=202,
        io_setup=206, io_getevents=208, io_submit=209, tgkill=234, mbind=237, get_mempolicy=239, inotify_init=253, inotify_add_watch=254,
        inotify_rm_watch=255, inotify_init1=294, rt_sigqueueinfo=129, rt_tgsigqueueinfo=297, io_pgetevents=333,
    ),
    "aarch64": dict(
        shmget=194, clone=220, semget=190, msgget=186, sysinfo=179, ptrace=117, syslog=116, personality=92, vhangup=58, pivot_root=41,
        adjtimex=171, chroot=51, acct=89, settimeofday=170, mount=40, umount2=39, swapon=224, swapoff=225, reboot=142, sethostname=161,
        setdomainname=162, init_module=105, delete_module=106, quotactl=60, fadvise64=223, timer_create=107, clock_settime=112, mq_open=180,
        kexec_load=104, add_key=217, request_key=218, keyctl=219, migrate_pages=238, unshare=97, move_pages=239, perf_event_open=241,
        fanotify_init=262, prlimit64=261, name_to_handle_at=264, open_by_handle_at=265, clock_adjtime=266, setns=268, process_vm_readv=270,
        process_vm_writev=271, kcmp=272, finit_module=273, seccomp=277, memfd_create=279, kexec_file_load=294, bpf=280, userfaultfd=282,
        ioprio_set=30, socket=198, ioctl=29, fcntl=25, prctl=167, mincore=232, madvise=233, kill=129, flock=32, setrlimit=164, tkill=130,
        futex=98, io_setup=0, io_getevents=4, io_submit=2, tgkill=131, mbind=235, get_mempolicy=236, inotify_add_watch=27, inotify_rm_watch=28,
        inotify_init1=26, rt_sigqueueinfo=138, rt_tgsigqueueinfo=240, io_pgetevents=292,
    ),
}[platform.machine()] | SHARED_NUMBERS

ATTACKS = {}
HOST = {}


def attack(function):
    """Registers a function under its own name."""
    ATTACKS[function.__name__] = function
    return function


def syscall(name, *arguments):
    """Makes one raw system call; raises OSError where it is refused."""
    number = NUMBERS[name] if isinstance(name, str) else name
    ctypes.set_errno(0)
    converted = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = LIBC.syscall(ctypes.c_long(number), *converted)
    if result == -1:
        raise OSError(ctypes.get_errno(), "refused")
    return result


def tried(**tries):
    """Runs each try and notes what refused it."""
    return {"tries": {name: outcome(action) for name, action in tries.items()}}


def tried_each(tries):
    """The same for (name, action) pairs."""
    return {"tries": {name: outcome(action) for name, action in tries}}


def outcome(action):
    try:
        action()
    except OSError as error:
        # Name resolution has negative numbers of its own.
        return errno.errorcode.get(error.errno, f"{type(error).__name__} {error.errno}")
    except (ValueError, RuntimeError) as error:
        return type(error).__name__
    return SUCCEEDED


def opens_for_writing(path):
    """Opens an existing file for writing, and writes nothing."""
    os.close(os.open(path, os.O_WRONLY))


def opens_for_reading(path):
    """Succeeds only if something can be read: covered files are there, and empty."""
    handle = os.open(path, os.O_RDONLY)
    try:
        if not os.read(handle, 1):
            raise OSError(errno.ENODATA, "empty")
    finally:
        os.close(handle)


def in_child(action):
    """Runs the action in a child; gives its wait status."""
    pid = os.fork()
    if pid == 0:
        try:
            action()
        finally:
            os._exit(0)
    return os.waitpid(pid, 0)[1]


def main():
    """`attack.py HOST_JSON NAME...`: runs the named attacks in order, one line of JSON each."""
    HOST.update(json.loads(sys.argv[1]))
    for name in sys.argv[2:]:
        report = ATTACKS[name]()
        report["attack"] = name
        print(json.dumps(report), flush=True)
