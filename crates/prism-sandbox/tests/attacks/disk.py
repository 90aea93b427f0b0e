"""Attacks that fill things up."""

import errno
import os

from kit import attack, main, tried

MEBIBYTE = 1 << 20
MORE_THAN_ANY = 512


def fill(directory):
    """Writes until refused, one file after another; gives the mebibytes that went in and why it ended."""
    names, written, why = [], 0, "nothing"
    try:
        for number in range(MORE_THAN_ANY):
            names.append(os.path.join(directory, f"fill-{number}"))
            with open(names[-1], "wb", buffering=0) as file:
                for _ in range(8):
                    written += file.write(b"x" * MEBIBYTE)
    except OSError as error:
        why = errno.errorcode[error.errno]
    for name in names:
        if os.path.exists(name):
            os.unlink(name)
    return {"mebibytes": written / MEBIBYTE, "why": why}


@attack
def disk_fill_scratch():
    return fill("/tmp")


@attack
def disk_fill_shm():
    return fill("/dev/shm")


@attack
def disk_fill_roots():
    """Every mount that is not read-only, from the kernel's own list, and every directory that may be written according to the kernel."""
    mounts = [line.split() for line in open("/proc/self/mountinfo")]
    writable_mounts = sorted({m[4] for m in mounts if "rw" in m[5].split(",")})
    writable_directories = []
    for top, directories, _ in os.walk("/"):
        directories[:] = [d for d in directories if top != "/" or d not in ("proc", "usr")]
        if os.access(top, os.W_OK):
            writable_directories.append(top)
            directories[:] = []
    return {"mounts": writable_mounts, "directories": sorted(writable_directories)}


@attack
def inode_bomb():
    made, why = 0, "nothing"
    os.mkdir("/tmp/inodes")
    try:
        while made < 100_000:
            os.close(os.open(f"/tmp/inodes/{made}", os.O_CREAT | os.O_WRONLY))
            made += 1
    except OSError as error:
        why = errno.errorcode[error.errno]
    for number in range(made):
        os.unlink(f"/tmp/inodes/{number}")
    return {"inodes": made, "why": why}


@attack
def file_size_cap():
    def grow():
        with open("/tmp/large", "wb") as file:
            file.truncate(1 << 40)

    def seek():
        with open("/tmp/sparse", "wb", buffering=0) as file:
            file.seek(1 << 40)
            file.write(b"x")

    return tried(truncate=grow, sparse=seek)


if __name__ == "__main__":
    main()
