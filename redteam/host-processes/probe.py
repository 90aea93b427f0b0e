"""Tries to find and to touch processes outside of its own sandbox."""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
PTRACE_ATTACH, PTRACE_SEIZE = 16, 0x4206


def run():
    strangers = [pid for pid in visible_pids() if not same_sandbox(pid)]
    for pid in strangers:
        print("ESCAPED sees process", pid, flush=True)
    # Signal 0 only asks whether a signal could be sent.
    for pid in (1, *strangers, *range(os.getpid() + 1000, os.getpid() + 1100)):
        try:
            os.kill(pid, 0)
        except OSError:
            continue
        print("ESCAPED may signal process", pid, flush=True)
    for pid in (1, *strangers):
        for request in (PTRACE_SEIZE, PTRACE_ATTACH):
            if libc.ptrace(request, pid, 0, 0) == 0:
                print("ESCAPED traces process", pid, flush=True)
        for name in ("mem", "environ", "maps", "fd", "root/etc", "cwd"):
            path = f"/proc/{pid}/{name}"
            try:
                found = os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(16)
            except OSError:
                continue
            if found:
                print("ESCAPED read", path, flush=True)
        local, remote = ctypes.create_string_buffer(8), (ctypes.c_size_t * 2)(0x400000, 8)
        here = (ctypes.c_size_t * 2)(ctypes.addressof(local), 8)
        if libc.process_vm_readv(pid, here, 1, remote, 1, 0) > 0:
            print("ESCAPED read the memory of process", pid, flush=True)


def visible_pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def same_sandbox(pid):
    """Process 1 is the sandbox's own; so is whatever descends from it here."""
    while pid not in (0, 1, os.getpid()):
        try:
            with open(f"/proc/{pid}/stat") as file:
                pid = int(file.read().rpartition(")")[2].split()[1])
        except OSError:
            return True  # gone again
    return pid != 0
