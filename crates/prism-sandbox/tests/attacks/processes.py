"""Attacks by number, by time and by refusing to die."""

import ctypes
import os
import resource
import signal
import sys
import threading
import time

from kit import attack, in_child, main, opens_for_writing, syscall, tried, tried_each

MORE_THAN_ANY = 2000


@attack
def fork_bomb():
    children, why = [], "nothing"
    try:
        while len(children) < MORE_THAN_ANY:
            pid = os.fork()
            if pid == 0:
                signal.pause()
            children.append(pid)
    except OSError as error:
        why = error.strerror
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return {"count": len(children), "why": why}


@attack
def fork_bomb_wild():
    while True:
        try:
            os.fork()
        except OSError:
            pass


@attack
def thread_bomb():
    stop, started, why = threading.Event(), [], "nothing"
    try:
        while len(started) < MORE_THAN_ANY:
            thread = threading.Thread(target=stop.wait)
            thread.start()
            started.append(thread)
    except RuntimeError as error:
        why = str(error)
    stop.set()
    for thread in started:
        thread.join()
    return {"count": len(started), "why": why}


@attack
def daemon_survives():
    """Leaves a daemon with a session of its own that ignores what it can, and another that keeps forking."""
    for restless in [False, True]:
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
                    signal.signal(number, signal.SIG_IGN)
                while True:
                    time.sleep(0.01)
                    if restless and os.fork() != 0:
                        os._exit(0)
            os._exit(0)
    return {"left": True}


@attack
def zombies():
    for _ in range(40):
        if os.fork() == 0:
            if os.fork() == 0:
                os._exit(0)
            os._exit(0)
        os.wait()

    def count():
        states = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                states.append(open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0])
            except OSError:
                pass
        return states.count("Z")

    deadline = time.monotonic() + 20
    while count() and time.monotonic() < deadline:
        time.sleep(0.01)
    return {"zombies": count()}


@attack
def ignore_signals_forever():
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    while True:
        time.sleep(1)


@attack
def stop_everything():
    """Stops the init, as far as it can be, then everybody else, then itself."""
    if os.fork() == 0:
        signal.pause()
    for pid in [1, -1, 0, os.getpid()]:
        try:
            os.kill(pid, signal.SIGSTOP)
        except OSError:
            pass
    while True:
        time.sleep(1)


@attack
def sched_rt():
    realtime_io = 1 << 13
    return tried(
        fifo=lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)),
        round_robin=lambda: os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1)),
        nice=lambda: os.setpriority(os.PRIO_PROCESS, 0, -5),
        io_priority=lambda: syscall("ioprio_set", 1, 0, realtime_io),
        init_nice=lambda: os.setpriority(os.PRIO_PROCESS, 1, 5),
    )


@attack
def rlimit_raise():
    names = ["NOFILE", "NPROC", "FSIZE", "CORE", "MEMLOCK", "CPU", "SIGPENDING", "RTPRIO", "NICE"]
    tries = []
    for name in names:
        number = getattr(resource, "RLIMIT_" + name)
        hard = resource.getrlimit(number)[1]
        tries.append((name, lambda number=number, hard=hard: resource.setrlimit(number, (hard, hard + 1))))
    tries.append(("of init", lambda: syscall("prlimit64", 1, resource.RLIMIT_NOFILE, (ctypes.c_uint64 * 2)(0, 0), None)))
    return tried_each(tries)


@attack
def oom_adj_lower():
    report = tried(open=lambda: opens_for_writing("/proc/self/oom_score_adj"), init=lambda: opens_for_writing("/proc/1/oom_score_adj"))
    report["score"] = int(open("/proc/self/oom_score_adj").read())
    return report


@attack
def cpu_burn():
    while True:
        pass


@attack
def cpu_burn_ignoring():
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    while True:
        pass


@attack
def cpu_burn_by_forking():
    """Each process stays below the limit of a process; together they do not."""
    while True:
        pid = os.fork()
        if pid == 0:
            end = time.process_time() + 0.4
            while time.process_time() < end:
                pass
            os._exit(0)
        os.waitpid(pid, 0)


@attack
def core_dump():
    os.chdir("/tmp")
    status = in_child(os.abort)
    return {"dumped": os.WCOREDUMP(status), "signal": os.WTERMSIG(status), "files": [name for name in os.listdir("/tmp") if "core" in name], "limit": resource.getrlimit(resource.RLIMIT_CORE)}


@attack
def core_limit_changed():
    """1 is the value that keeps a piped core handler of the host from running; 0 would not. It can be read and not be set."""
    core, unlimited = resource.RLIMIT_CORE, 2**64 - 1
    zero = (ctypes.c_uint64 * 2)(0, 0)
    report = tried(
        library=lambda: resource.setrlimit(core, (0, 1)),
        library_hard=lambda: resource.setrlimit(core, (0, 0)),
        same=lambda: resource.setrlimit(core, (1, 1)),
        direct=lambda: syscall("setrlimit", core, zero),
        both=lambda: syscall("prlimit64", 0, core, zero, None),
        high_bits=lambda: syscall("setrlimit", core | 1 << 32, zero),
        raised=lambda: syscall("prlimit64", 0, core, (ctypes.c_uint64 * 2)(unlimited, unlimited), None),
    )
    # Others can still be lowered.
    resource.setrlimit(resource.RLIMIT_STACK, (1 << 20, resource.getrlimit(resource.RLIMIT_STACK)[1]))
    return report | {"limit": resource.getrlimit(core)}


@attack
def exits_seven():
    sys.exit(7)


@attack
def kills_itself():
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
