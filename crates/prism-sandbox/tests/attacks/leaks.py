"""What is inherited that should not be: environment, descriptors, groups, kernel objects."""

import ctypes
import os
import stat

from kit import HOST, attack, main, opens_for_reading, syscall, tried


@attack
def leak_env():
    return {"names": sorted(os.environ)}


@attack
def leak_fds():
    listing = os.open("/proc/self/fd", os.O_RDONLY)
    found = {}
    for name in os.listdir(listing):
        if int(name) != listing:
            try:
                found[name] = os.readlink(f"/proc/self/fd/{name}")
            except OSError:
                pass
    os.close(listing)
    return {"fds": found}


@attack
def leak_groups():
    uid_map = open("/proc/self/uid_map").read().split()
    return {"uids": os.getresuid(), "gids": os.getresgid(), "groups": os.getgroups(), "uid_map": uid_map, "umask": os.umask(0o22)}


@attack
def ipc_sysv_host():
    return tried(by_key=lambda: syscall("shmget", HOST["sysv_key"], 0, 0), by_id=lambda: syscall("shmget", 0, 4096, 0o1777), list=lambda: opens_for_reading("/proc/sysvipc/shm"))


@attack
def ipc_posix_shm_host():
    return tried(open=lambda: opens_for_reading("/dev/shm/" + HOST["shm_name"]))


@attack
def ipc_keyring():
    return tried(
        add=lambda: syscall("add_key", b"user", b"planted", b"x", 1, -3),
        request=lambda: syscall("request_key", b"user", b"planted", None, 0),
        control=lambda: syscall("keyctl", 0, -3, 0, 0, 0),
    )


@attack
def ipc_dirfd_to_host():
    """A directory descriptor would lead out of the root; none may be there, and none may come."""
    directories = []
    for number in range(256):
        try:
            if stat.S_ISDIR(os.fstat(number).st_mode):
                directories.append(number)
        except OSError:
            pass

    def climb(number):
        os.close(os.open("../../../etc", os.O_RDONLY, dir_fd=number))

    return {"directories": directories} | tried(through_socket=lambda: climb(HOST["socket_fd"]), through_stdin=lambda: climb(0))


if __name__ == "__main__":
    main()
