//! `/proc` inside: the sandbox's own processes, a description of the CPU, and nothing else of the machine.
//!
//! Called by `mounts.rs`. Mounting `/proc` with `subset=pid` would be simpler, but it leaves out `cpuinfo`, without which numerical libraries believe in
//! the oldest CPU there is and run several times slower. So everything is there, and all that is not about the sandbox's own processes is covered, by
//! whatever name the kernel has for it. It must never show a number that another process can change, since two sandboxes could talk through it. Files of
//! `/proc/<pid>` cannot be covered, since processes come and go: `smaps`, `pagemap` and `numa_maps` tell who else has a page mapped, `net/sockstat`,
//! `net/protocols` and `net/softnet_stat` hold numbers of the whole machine. Landlock keeps a deaf payload from them.

use std::fs;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::fs::CWD;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, fsconfig_create, fsmount,
    fsopen, move_mount, open_tree,
};

use crate::error::{At, Setup, Step};
use crate::mounts::{Detached, Kind, Reach, restrict};

/// Numbers about the whole machine, which even the GPU driver can do without.
const MACHINE_NUMBERS: [&str; 19] = [
    "allocinfo",
    "buddyinfo",
    "cgroups",
    "diskstats",
    "interrupts",
    "loadavg",
    "locks",
    "meminfo",
    "pagetypeinfo",
    "pressure",
    "schedstat",
    "slabinfo",
    "softirqs",
    "stat",
    "swaps",
    "timer_list",
    "uptime",
    "vmstat",
    "zoneinfo",
];
/// Switches of the machine. They are never writable, not even where the GPU driver needs the rest to be.
const MACHINE_SWITCHES: [&str; 6] = ["acpi", "bus", "fs", "irq", "sys", "sysrq-trigger"];
/// More than any machine's description needs.
const CPU_DESCRIPTION_BYTES_MAX: usize = 4 << 20;
/// Where the covers come from, in the new root.
pub(crate) const EMPTY_DIRECTORY: &str = "/etc/empty";
const CPU_DESCRIPTION: &str = "/etc/cpuinfo";
pub(crate) const EMPTY_FILE: &str = "/dev/null";

/// `/proc` of the new PID namespace. Only the GPU driver may write to it: it names its threads there.
pub(crate) fn new_proc(gpu: bool) -> Setup<Detached> {
    let filesystem = fsopen("proc", FsOpenFlags::FSOPEN_CLOEXEC).at(Step::MountProc)?;
    let mut attributes = MountAttrFlags::MOUNT_ATTR_NOSUID
        | MountAttrFlags::MOUNT_ATTR_NODEV
        | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    if !gpu {
        attributes |= MountAttrFlags::MOUNT_ATTR_RDONLY;
    }
    fsconfig_create(filesystem.as_fd()).at(Step::MountProc)?;
    let mount = fsmount(filesystem.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes).at(Step::MountProc)?;
    Ok(Detached {
        mount,
        target: PathBuf::from("/proc"),
        kind: Kind::Directory,
    })
}

/// The host's `/proc/cpuinfo` without the clock rates, which change with everybody's load.
pub(crate) fn cpu_description() -> String {
    let mut text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    text.truncate(text.floor_char_boundary(CPU_DESCRIPTION_BYTES_MAX));
    text.split_inclusive('\n')
        .filter(|line| !line.starts_with("cpu MHz"))
        .collect()
}

/// Covers what is not about the sandbox's own processes. Called in the new root, with `/proc` and `/dev/null` in place.
pub(crate) fn cover_machine(gpu: bool, cpu_description: &str) -> Setup<()> {
    fs::create_dir_all(EMPTY_DIRECTORY).at_what(Step::CoverProc, EMPTY_DIRECTORY)?;
    fs::write(CPU_DESCRIPTION, cpu_description).at_what(Step::CoverProc, CPU_DESCRIPTION)?;
    for entry in fs::read_dir("/proc").at(Step::CoverProc)? {
        let entry = entry.at(Step::CoverProc)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let kind = entry.file_type().at_what(Step::CoverProc, &name)?;
        // Symbolic links lead to the reader's own directory.
        if kind.is_symlink() || name.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let cover = match &*name {
            "cpuinfo" => CPU_DESCRIPTION,
            name if gpu && MACHINE_SWITCHES.contains(&name) => {
                cover_with(&entry.path(), &entry.path())?;
                continue;
            }
            name if gpu && !MACHINE_NUMBERS.contains(&name) => continue,
            _ if kind.is_dir() => EMPTY_DIRECTORY,
            _ => EMPTY_FILE,
        };
        cover_with(Path::new(cover), &entry.path())?;
    }
    Ok(())
}

/// A read-only view of `source` over `target`.
pub(crate) fn cover_with(source: &Path, target: &Path) -> Setup<()> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let mount = open_tree(CWD, source, flags).at_what(Step::CoverProc, target.display())?;
    let attributes = MountAttrFlags::MOUNT_ATTR_RDONLY
        | MountAttrFlags::MOUNT_ATTR_NOSUID
        | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    restrict(mount.as_fd(), attributes, Reach::ThisOne).at_what(Step::CoverProc, target.display())?;
    move_mount(
        mount.as_fd(),
        "",
        CWD,
        target,
        MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH,
    )
    .at_what(Step::CoverProc, target.display())
}
