"""Attacks by system call. Arguments are such that no call could take effect, should it get through."""

import ctypes
import fcntl
import mmap
import os
import platform
import signal

from kit import NUMBERS, attack, in_child, main, opens_for_reading, syscall, tried, tried_each

NEWUSER = 0x10000000
NOTHING = [0] * 6


@attack
def sys_userns():
    arguments = (ctypes.c_uint64 * 11)()
    arguments[0], arguments[4] = NEWUSER, 17
    return tried(
        unshare=lambda: syscall("unshare", NEWUSER),
        clone=lambda: syscall("clone", NEWUSER | 17, 0, 0, 0, 0),
        clone3=lambda: syscall("clone3", arguments, 88),
        high_bits=lambda: syscall("clone", NEWUSER | 17 | 1 << 40, 0, 0, 0, 0),
        network=lambda: syscall("clone", 0x40000000 | 17, 0, 0, 0, 0),
    )


@attack
def sys_setns():
    return tried(own=lambda: syscall("setns", os.open("/proc/self/ns/net", os.O_RDONLY), 0), none=lambda: syscall("setns", -1, NEWUSER))


@attack
def sys_mount_api():
    calls = ["mount", "umount2", "pivot_root", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "statmount", "listmount"]
    return tried_each((name, lambda name=name: syscall(name, *NOTHING)) for name in calls)


@attack
def sys_dangerous():
    calls = [
        "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "keyctl", "add_key", "request_key", "kexec_load",
        "kexec_file_load", "init_module", "finit_module", "delete_module", "reboot", "swapon", "swapoff", "acct", "quotactl", "quotactl_fd", "syslog", "vhangup",
        "kcmp", "fanotify_init", "process_madvise", "process_mrelease", "move_pages", "migrate_pages", "memfd_create", "memfd_secret", "shmget", "semget",
        "msgget", "mq_open", "sysinfo", "timer_create", "seccomp", "cachestat", "setdomainname", "chroot",
    ]
    calls += [name for name in ["iopl", "ioperm", "modify_ldt"] if name in NUMBERS]
    return tried_each((name, lambda name=name: syscall(name, *NOTHING)) for name in calls)


@attack
def sys_clock():
    return tried_each((name, lambda name=name: syscall(name, *NOTHING)) for name in ["settimeofday", "clock_settime", "adjtimex", "clock_adjtime"])


@attack
def sys_hostname():
    return tried(sethostname=lambda: syscall("sethostname", b"planted", 7))


@attack
def sys_personality():
    no_randomisation, old_layout = 0x0040000, 0x0200000
    return tried(randomisation=lambda: syscall("personality", no_randomisation), layout=lambda: syscall("personality", old_layout))


def run_machine_code(code):
    """Executes raw instructions in a child; gives the signal that killed it."""

    def action():
        page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(code)
        address = ctypes.addressof(ctypes.c_char.from_buffer(page))
        ctypes.CFUNCTYPE(ctypes.c_long)(address)()

    status = in_child(action)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


@attack
def sys_int80():
    if platform.machine() != "x86_64":
        return {"signal": int(signal.SIGSYS)}
    # mov eax, 20 (getpid); int 0x80; ret
    return {"signal": run_machine_code(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")}


@attack
def sys_x32():
    if platform.machine() != "x86_64":
        return {"signal": int(signal.SIGSYS)}
    # mov eax, 0x40000027 (getpid); syscall; ret
    return {"signal": run_machine_code(b"\xb8\x27\x00\x00\x40\x0f\x05\xc3")}


@attack
def sys_int80_alone():
    """Without a child in between: the payload itself is killed."""
    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    # int 0x80 on x86-64. Elsewhere there is no foreign interface to call.
    page.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
    if platform.machine() != "x86_64":
        os.kill(os.getpid(), signal.SIGSYS)
    ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
    return {}


@attack
def sys_new_syscall():
    return tried_each((str(number), lambda number=number: syscall(number, *NOTHING)) for number in [463, 467, 470, 600, 4095, -1])


@attack
def tty_tiocsti():
    tries = [(hex(command), lambda command=command: syscall("ioctl", 0, command, b"x")) for command in [0x5412, 0x541C, 0x540E, 0x5412 | 1 << 32]]
    tries += [(path, lambda path=path: opens_for_reading(path)) for path in ["/dev/tty", "/dev/console", "/dev/ptmx", "/dev/pts/0", "/dev/tty0"]]
    return tried_each(tries)


@attack
def sys_wake_the_stopped():
    """Ways for a stopped process to be sent SIGCONT by nobody: they would undo a freeze by signals."""
    event = (ctypes.c_int * 16)()
    event[2], event[3] = signal.SIGCONT, 0
    read_end, _ = os.pipe()
    return tried(
        timer=lambda: syscall("timer_create", 0, event, (ctypes.c_int * 2)()),
        descriptor=lambda: fcntl.fcntl(read_end, 10, signal.SIGCONT),
        parents_death=lambda: syscall("prctl", 1, signal.SIGCONT, 0, 0, 0),
        childs_death=lambda: syscall("clone", int(signal.SIGCONT), 0, 0, 0, 0),
        kill=lambda: os.kill(os.getpid(), signal.SIGCONT),
        kill_all=lambda: os.kill(-1, signal.SIGCONT),
        kill_group=lambda: os.killpg(0, signal.SIGCONT),
        tkill=lambda: syscall("tkill", os.getpid(), int(signal.SIGCONT)),
        tgkill=lambda: syscall("tgkill", os.getpid(), os.getpid(), int(signal.SIGCONT)),
        high_bits=lambda: syscall("kill", os.getpid(), int(signal.SIGCONT) | 1 << 32),
        queue=lambda: syscall("rt_sigqueueinfo", os.getpid(), int(signal.SIGCONT), (ctypes.c_int * 32)(signal.SIGCONT, 0, -1)),
        queue_thread=lambda: syscall("rt_tgsigqueueinfo", os.getpid(), os.getpid(), int(signal.SIGCONT), (ctypes.c_int * 32)(signal.SIGCONT, 0, -1)),
        by_descriptor=lambda: syscall("pidfd_send_signal", syscall("pidfd_open", os.getpid(), 0), int(signal.SIGCONT), 0, 0),
    )


if __name__ == "__main__":
    main()
