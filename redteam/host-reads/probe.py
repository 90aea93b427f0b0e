"""Tries to read what belongs to the host. What is prepared for the sandbox itself is no escape."""

import glob
import os
import sys

SECRETS = (
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/sudoers",
    "/etc/ssh/ssh_host_ed25519_key",
    "/etc/machine-id",
    "/etc/hostname",
    "/proc/1/environ",
    "/proc/1/mem",
    "/proc/kcore",
    "/proc/kmsg",
    "/proc/keys",
    "/proc/slabinfo",
    "/proc/kpagecount",
    "/proc/sysrq-trigger",
    "/proc/1/cwd/etc/shadow",
    "/proc/1/root/etc/shadow",
    "/dev/mem",
    "/dev/kmsg",
    "/dev/sda",
    "/dev/vda",
    "/dev/nvme0n1",
    "/dev/fuse",
    "/dev/net/tun",
    "/var/lib/dpkg/status",
    "/var/log/syslog",
    "/sys/kernel/notes",
)
FOLDERS = ("/root", "/home", "/mnt", "/media", "/srv", "/boot", "/var/log", "/var/lib", "/run/user")
# A test may set the last one where it starts the evaluation.
SECRET_WORDS = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL", "PRISM_REDTEAM_CANARY")


def run():
    for path in SECRETS:
        try:
            # Without blocking: the kernel's log would keep a reader waiting.
            found = os.read(os.open(path, os.O_RDONLY | os.O_NONBLOCK), 64)
        except OSError:
            continue
        if found:
            print("ESCAPED read", path, len(found), "bytes", flush=True)
    for path in FOLDERS:
        try:
            names = os.listdir(path)
        except OSError:
            continue
        # A folder that is there only to hold what was bound into the sandbox is no leak.
        strange = [name for name in names if not on_the_way_to_python(os.path.join(path, name))]
        if strange:
            print("ESCAPED listed", path, strange[:5], flush=True)
    for name, value in os.environ.items():
        if any(word in name.upper() for word in SECRET_WORDS) and value:
            print("ESCAPED the environment holds", name, flush=True)
    for path in glob.glob("/proc/[0-9]*/environ"):
        try:
            with open(path, "rb") as file:
                text = file.read().upper()
        except OSError:
            continue
        if any(word.encode() + b"=" in text for word in SECRET_WORDS):
            print("ESCAPED another environment", path, flush=True)


def on_the_way_to_python(path):
    used = [*sys.path, sys.prefix, sys.base_prefix, sys.executable, __file__]
    return any((os.path.realpath(item) + "/").startswith(os.path.realpath(path)) for item in used)
