"""Attacks on the file system: reading and writing what is not ours, and getting out of the root."""

import ctypes
import os
import stat
import subprocess
import tempfile

from kit import HOST, attack, main, opens_for_reading, opens_for_writing, syscall, tried, tried_each


@attack
def fs_read_host():
    files = [
        HOST["secret_path"], "/etc/shadow", "/proc/1/root/etc/shadow", "/proc/1/cwd/etc/shadow", "/dev/vda", "/dev/sda", "/dev/mem", "/dev/kmsg",
        "/dev/tty", "/dev/ptmx", "/dev/fuse", "/dev/kvm", "/dev/net/tun",
    ]
    return tried_each((path, lambda path=path: opens_for_reading(path)) for path in files)


@attack
def fs_host_directories():
    """None of them may so much as exist, but for those on the way to what was bound."""
    mount_points = [line.split()[4] for line in open("/proc/self/mountinfo")]
    directories = ["/etc/ssh", "/etc/ssl", "/root", "/home", "/var", "/var/log", "/run", "/boot", "/srv", "/mnt", "/media", "/sys"]
    unbound = [path for path in directories if not any(point.startswith(path + "/") for point in mount_points)]
    return tried_each((path, lambda path=path: os.stat(path)) for path in unbound)


@attack
def fs_system_documentation():
    """Word lists, manuals and documentation are knowledge that nobody has paid for."""
    found = {path: os.listdir(path) for path in ["/usr/share", "/usr/local/share"] if os.path.exists(path)}
    return {"found": found} | tried_each((path, lambda path=path: os.close(os.open(path, os.O_TMPFILE | os.O_WRONLY))) for path in found)


@attack
def fs_compilers_work():
    """The control: what is hidden is not missed by the interpreter nor by the compilers, if the machine has them."""
    with open("/tmp/program.c", "w") as file:
        file.write("#include <stdio.h>\n#include <math.h>\nint main(int n, char **a) { printf(\"%d\\n\", (int) sqrt(n + 48.0)); return 0; }\n")
    said = {}
    for compiler in ["/usr/bin/gcc", "/usr/bin/g++"]:
        if os.path.exists(compiler):
            subprocess.run([compiler, "-O2", "-o", "/tmp/program", "/tmp/program.c", "-lm"], check=True, capture_output=True)
            said[compiler] = subprocess.run(["/tmp/program"], check=True, capture_output=True).stdout.decode()
    import ssl, sqlite3, zoneinfo, email, unicodedata  # noqa: F401, E401

    return {"said": said}


@attack
def fs_write_ro():
    files = [HOST["bound_file"], "/usr/bin/env", os.path.realpath("/bin/sh"), "/etc/passwd", "/etc/ld.so.cache", __file__]
    tries = [(path, lambda path=path: opens_for_writing(path)) for path in files]
    # A file without a name: should it be made, nothing is left of it.
    for directory in ["/usr", "/bin", "/usr/lib", os.path.dirname(HOST["bound_file"])]:
        tries.append((directory, lambda directory=directory: os.close(os.open(directory, os.O_TMPFILE | os.O_WRONLY))))
    return tried_each(tries)


@attack
def fs_write_roots():
    def create(directory):
        os.close(os.open(os.path.join(directory, "planted"), os.O_CREAT | os.O_WRONLY))

    directories = ["/", "/dev", "/etc", "/etc/empty", "/proc", "/proc/self", "/proc/sys", os.path.dirname(HOST["bound_file"])]
    return tried_each((directory, lambda directory=directory: create(directory)) for directory in directories)


@attack
def fs_remount_rw():
    remount_bind = 32 | 4096
    targets = [b"/", b"/usr", b"/proc", b"/etc", HOST["bound_file"].encode()]
    tries = [(str(target), lambda target=target: syscall("mount", None, target, None, remount_bind, None)) for target in targets]
    tries += [("umount " + path, lambda path=path: syscall("umount2", path.encode(), 2)) for path in ["/proc", "/proc/meminfo", "/tmp"]]
    return tried_each(tries)


@attack
def fs_bind_in_new_userns():
    return tried(unshare=lambda: syscall("unshare", 0x10000000 | 0x00020000))


@attack
def fs_chroot_dotdot():
    def escape():
        os.mkdir("/tmp/jail")
        syscall("chroot", b"/tmp/jail")

    report = tried(chroot=escape)
    for _ in range(64):
        os.chdir("..")
    report["root"] = sorted(os.listdir("."))
    report["tries"]["dotdot"] = "EACCES" if report["root"] == sorted(os.listdir("/")) else "SUCCEEDED"
    return report


@attack
def fs_open_by_handle():
    handle = ctypes.create_string_buffer(b"\x80\0\0\0\x01\0\0\0" + bytes(128))
    mount_id = ctypes.c_int()
    return tried(
        name_to_handle=lambda: syscall("name_to_handle_at", -100, b"/usr", handle, ctypes.byref(mount_id), 0),
        open_by_handle=lambda: syscall("open_by_handle_at", os.open("/usr", os.O_RDONLY), handle, os.O_RDONLY),
    )


@attack
def fs_mknod_dev():
    tries = []
    for directory in ["/tmp", "/dev/shm"]:
        for name, kind, device in [("disk", stat.S_IFBLK, (8, 0)), ("vdisk", stat.S_IFBLK, (254, 0)), ("mem", stat.S_IFCHR, (1, 1))]:
            path = f"{directory}/{name}"
            tries.append((path, lambda path=path, kind=kind, device=device: os.mknod(path, kind | 0o666, os.makedev(*device))))
    return tried_each(tries)


@attack
def fs_setuid_binary():
    before = os.getresuid()
    candidates = [["/usr/bin/su", "root", "-c", "id -u"], ["/usr/bin/mount", "-o", "remount,rw", "/"], ["/usr/bin/newgrp", "root", "-c", "id"]]
    ran = []
    for command in candidates:
        if os.path.exists(command[0]):
            done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=20, check=False)
            ran.append([command[0], done.returncode, done.stdout.decode(errors="replace").strip()])
    fresh = tempfile.NamedTemporaryFile(dir="/tmp", delete=False)
    os.chmod(fresh.name, 0o6755)
    status = open("/proc/self/status").read()
    mounts = [line.split() for line in open("/proc/self/mountinfo")]
    return {"same": before == os.getresuid(), "ran": ran, "no_new_privs": "NoNewPrivs:\t1" in status, "suid_mounts": [m[4] for m in mounts if "nosuid" not in m[5]]}


@attack
def fs_hardlink_symlink():
    def through_symlink():
        os.symlink(HOST["secret_path"], "/tmp/link")
        opens_for_reading("/tmp/link")

    return tried(
        hardlink_bound=lambda: os.link(HOST["bound_file"], "/tmp/hard"),
        hardlink_usr=lambda: os.link("/usr/bin/env", "/tmp/hard2"),
        hardlink_in_place=lambda: os.link(HOST["bound_file"], HOST["bound_file"] + ".2"),
        symlink=through_symlink,
    )


if __name__ == "__main__":
    main()
