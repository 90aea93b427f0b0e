"""Attacks through /proc and /sys."""

import os

from kit import attack, main, opens_for_reading, opens_for_writing, tried_each


@attack
def proc_sys_write():
    paths = [
        "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sys/kernel/modprobe", "/proc/sys/vm/drop_caches", "/proc/sys/vm/overcommit_memory",
        "/proc/sys/net/ipv4/ip_forward", "/proc/sysrq-trigger", "/proc/self/loginuid", "/proc/self/uid_map", "/proc/mtrr",
    ]
    return tried_each((path, lambda path=path: opens_for_writing(path)) for path in paths)


@attack
def proc_kernel_info():
    names = [
        "kallsyms", "kcore", "keys", "key-users", "slabinfo", "kmsg", "iomem", "ioports", "config.gz", "cmdline", "modules", "meminfo", "stat", "loadavg",
        "uptime", "vmstat", "zoneinfo", "timer_list", "locks", "diskstats", "partitions", "pressure/cpu", "sys/kernel/random/boot_id", "sysvipc/shm",
        "schedstat", "interrupts", "softirqs", "buddyinfo", "swaps", "version", "devices", "crypto", "kpagecount", "kpageflags", "vmallocinfo", "driver/rtc",
    ]
    report = tried_each((name, lambda name=name: opens_for_reading("/proc/" + name)) for name in names)
    described = open("/proc/cpuinfo").read()
    report["cpu_is_described"] = "processor" in described
    report["clock_rate_is_shown"] = "cpu MHz" in described
    return report


@attack
def proc_pid1():
    tries = [(name, lambda name=name: opens_for_reading("/proc/1/" + name)) for name in ["environ", "mem", "maps", "auxv", "syscall", "stack", "io", "pagemap"]]
    tries += [(name, lambda name=name: os.listdir("/proc/1/" + name)) for name in ["fd", "fdinfo", "map_files", "root", "cwd"]]
    tries += [(name, lambda name=name: os.readlink("/proc/1/" + name)) for name in ["exe", "root", "cwd", "ns/user", "ns/pid", "ns/mnt"]]
    return tried_each(tries)


@attack
def proc_sees_host():
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return {"pids": pids, "own": os.getpid()}


@attack
def sys_write():
    paths = ["/sys/kernel/mm/transparent_hugepage/enabled", "/sys/power/state", "/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/memory/cgroup.procs", "/sys/kernel/debug"]
    return tried_each((path, lambda path=path: opens_for_writing(path)) for path in paths)


if __name__ == "__main__":
    main()
