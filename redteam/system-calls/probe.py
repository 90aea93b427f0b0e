"""Tries system calls that no training needs. Each must fail; none may succeed."""

import ctypes
import os
import platform

libc = ctypes.CDLL(None, use_errno=True)
# Numbers are those of x86-64 and of aarch64; -1 where there is no such call.
CALLS = {
    "mount": ((165, 40), (b"none", b"/tmp", b"tmpfs", 0, None)),
    "umount2": ((166, 39), (b"/proc", 2)),
    "pivot_root": ((155, 41), (b"/tmp", b"/tmp")),
    "chroot": ((161, 51), (b"/tmp",)),
    "unshare user": ((272, 97), (0x10000000,)),
    "unshare mount": ((272, 97), (0x00020000,)),
    "unshare net": ((272, 97), (0x40000000,)),
    "setns": ((308, 268), (0, 0)),
    "fsopen": ((430, 430), (b"tmpfs", 0)),
    "open_tree": ((428, 428), (-100, b"/", 1)),
    "bpf": ((321, 280), (0, None, 0)),
    "perf_event_open": ((298, 241), (None, 0, -1, -1, 0)),
    "userfaultfd": ((323, 282), (0,)),
    "io_uring_setup": ((425, 425), (1, None)),
    "add_key": ((248, 217), (b"user", b"prism", b"x", 1, -2)),
    "keyctl": ((250, 219), (0, -3, 1)),
    "init_module": ((175, 105), (None, 0, b"")),
    "finit_module": ((313, 273), (0, b"", 0)),
    "kexec_load": ((246, 104), (0, 0, None, 0)),
    "swapon": ((167, 224), (b"/tmp", 0)),
    "sethostname": ((170, 161), (b"owned", 5)),
    "settimeofday": ((164, 170), (None, None)),
    "iopl": ((172, -1), (3,)),
    "open_by_handle_at": ((304, 265), (-100, None, 0)),
    "name_to_handle_at": ((303, 264), (-100, b"/", None, None, 0)),
    "syslog": ((103, 116), (10, None, 0)),
    "sysinfo": ((99, 179), (ctypes.create_string_buffer(128),)),
    "personality": ((135, 92), (0x0040000,)),
    "setuid": ((105, 146), (0,)),
    "setgid": ((106, 144), (0,)),
    "shmget": ((29, 194), (0x5052, 4096, 0o1666)),
    "pidfd_getfd": ((438, 438), (0, 0, 0)),
    "quotactl": ((179, 60), (0x800007, None, 0, None)),
    "process_madvise": ((440, 440), (0, None, 0, 0, 0)),
}


def run():
    column = {"x86_64": 0, "aarch64": 1}.get(platform.machine())
    if column is None:
        return
    for name, (numbers, arguments) in CALLS.items():
        if numbers[column] >= 0 and libc.syscall(numbers[column], *arguments) >= 0:
            print("ESCAPED system call", name, flush=True)
    if libc.prctl(38, 0, 0, 0, 0) >= 0 and libc.prctl(39, 0, 0, 0, 0) != 1:
        print("ESCAPED no_new_privs is off", flush=True)
    if 0 in os.getresuid():
        print("ESCAPED runs as uid 0", flush=True)
    if any(libc.prctl(23, capability, 0, 0, 0) == 1 for capability in range(64)):
        print("ESCAPED its bounding set is not empty", flush=True)
    try:
        with open("/proc/self/status") as file:
            status = dict(line.split(":", 1) for line in file)
    except PermissionError:
        return  # so it is in the auditor
    for field in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        if int(status[field], 16) != 0:
            print("ESCAPED holds capabilities", field, status[field].strip(), flush=True)
