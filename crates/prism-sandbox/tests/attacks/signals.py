"""Attacks on other processes: signals, tracing, stolen descriptors."""

import ctypes
import os
import signal
import time

from kit import HOST, attack, in_child, main, syscall, tried, tried_each


@attack
def sig_host():
    return tried_each([(f"kill {pid}", lambda pid=pid: os.kill(pid, signal.SIGKILL)) for pid in [HOST["canary_pid"], HOST["test_pid"], -HOST["canary_pid"]]])


@attack
def sig_kill_init():
    """Where the init runs as somebody else this is refused; where not, it is ignored: a process 1 cannot be killed from inside."""
    outcomes = tried_each([(str(number), lambda number=number: os.kill(1, number)) for number in [signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGSEGV]])
    time.sleep(0.1)
    state = open("/proc/1/stat").read().rsplit(")", 1)[1].split()[0]
    return {"outcomes": outcomes["tries"], "init_state": state}


@attack
def ptrace_any():
    pid = os.fork()
    if pid == 0:
        signal.pause()
    traceme, attach, seize = 0, 16, 0x4206
    report = tried(
        traceme=lambda: syscall("ptrace", traceme, 0, 0, 0),
        init=lambda: syscall("ptrace", attach, 1, 0, 0),
        own_child=lambda: syscall("ptrace", seize, pid, 0, 0),
    )
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return report


@attack
def process_vm():
    local, remote = (ctypes.c_size_t * 2)(), (ctypes.c_size_t * 2)()
    tries = []
    for pid in [1, os.getpid()]:
        for call in ["process_vm_readv", "process_vm_writev"]:
            tries.append((f"{call} {pid}", lambda call=call, pid=pid: syscall(call, pid, local, 1, remote, 1, 0)))
    return tried_each(tries)


@attack
def pidfd_getfd():
    def steal(pid):
        handle = syscall("pidfd_open", pid, 0)
        try:
            syscall("pidfd_getfd", handle, 0, 0)
        finally:
            os.close(handle)

    return tried(init=lambda: steal(1), itself=lambda: steal(os.getpid()))


@attack
def sig_own_pgrp():
    """A process group shared with the caller would be reachable by kill(0), whatever the PID namespace."""
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    os.kill(0, signal.SIGUSR1)
    status = in_child(lambda: os.killpg(os.getpgid(0), signal.SIGUSR1))
    return {"pgid": os.getpgid(0), "sid": os.getsid(0), "pid": os.getpid(), "status": status}


if __name__ == "__main__":
    main()
