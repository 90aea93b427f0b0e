"""Tries to write where only the host may. Scratch space of the sandbox is no escape."""

import os
import sys

import prism_runtime
import torch

TARGETS = (
    "/prism-redteam-escape",
    "/etc/prism-redteam-escape",
    "/usr/prism-redteam-escape",
    "/usr/lib/prism-redteam-escape",
    "/root/prism-redteam-escape",
    "/home/prism-redteam-escape",
    "/opt/prism-redteam-escape",
    "/srv/prism-redteam-escape",
    "/proc/prism-redteam-escape",
    "/sys/prism-redteam-escape",
    "/dev/prism-redteam-escape",
    os.path.join(os.path.dirname(__file__), "prism-redteam-escape.py"),
    os.path.join(os.path.dirname(os.__file__), "prism-redteam-escape.py"),
    os.path.join(os.path.dirname(os.__file__), "sitecustomize.py"),
    os.path.join(sys.prefix, "prism-redteam-escape.pth"),
    os.path.join(os.path.dirname(torch.__file__), "prism-redteam-escape.py"),
    os.path.join(os.path.dirname(prism_runtime.__file__ or ""), "prism-redteam-escape.py"),
)
# Opened for writing and closed again: never written to.
SETTINGS = (
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/modprobe",
    "/proc/sys/vm/overcommit_memory",
    "/proc/sys/net/ipv4/ip_forward",
    "/proc/1/oom_score_adj",
    "/sys/fs/cgroup/cgroup.procs",
    "/sys/fs/cgroup/memory.max",
    "/sys/kernel/uevent_helper",
    "/etc/passwd",
    "/usr/bin/env",
    __file__,
    os.__file__,
    torch.__file__,
    sys.executable,
)


def run():
    for path in TARGETS:
        try:
            with open(path, "x"):
                pass
        except OSError:
            continue
        print("ESCAPED created", path, flush=True)
    for path in SETTINGS:
        try:
            os.close(os.open(path, os.O_WRONLY))
        except OSError:
            continue
        print("ESCAPED opened for writing", path, flush=True)
    # Shared places exist in the sandbox, but must not be those of the host.
    for path in (
        "/tmp/prism-redteam-escape",
        "/var/tmp/prism-redteam-escape",
        "/dev/shm/prism-redteam-escape",
    ):
        try:
            with open(path, "w") as file:
                file.write("this file must not exist outside of the sandbox")
        except OSError:
            continue
