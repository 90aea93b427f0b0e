//! `/sys` inside, which there is only with a GPU: the driver cannot be initialised without it.
//!
//! Called by `mounts.rs`. It must never show a count that another process can change at will, since two sandboxes could talk through it. What is covered
//! are the counts of memory, of disks and of users of kernel modules. Temperatures, clock rates and idle times of processors stay visible.

use std::fs;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};

use crate::error::{At, Setup, Step};
use crate::mounts::{Detached, Kind};
use crate::procfs::{EMPTY_DIRECTORY, EMPTY_FILE, cover_with};

/// Of each memory node.
const NODE_COUNTS: [&str; 4] = ["meminfo", "vmstat", "numastat", "hugepages"];
/// Of each disk and each of its partitions.
const DISK_COUNTS: [&str; 2] = ["stat", "inflight"];
/// Of the whole machine.
const MACHINE_COUNTS: [&str; 2] = ["kernel/mm/hugepages", "kernel/mm/ksm"];

/// A fresh `/sys` without its submounts, read-only. The GPU driver cannot be initialised without it.
pub(crate) fn new_sys() -> Setup<Detached> {
    let filesystem = fsopen("sysfs", FsOpenFlags::FSOPEN_CLOEXEC).at(Step::MountSys)?;
    fsconfig_create(filesystem.as_fd()).at(Step::MountSys)?;
    let attributes = MountAttrFlags::MOUNT_ATTR_RDONLY
        | MountAttrFlags::MOUNT_ATTR_NOSUID
        | MountAttrFlags::MOUNT_ATTR_NODEV
        | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    let mount = fsmount(filesystem.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes).at(Step::MountSys)?;
    Ok(Detached {
        mount,
        target: PathBuf::from("/sys"),
        kind: Kind::Directory,
    })
}

/// Covers the counts. Called in the new root, with `/sys`, `/dev/null` and the empty directory in place.
pub(crate) fn cover_machine() -> Setup<()> {
    for path in counts(Path::new("/sys")) {
        let cover = if path.is_dir() {
            EMPTY_DIRECTORY
        } else {
            EMPTY_FILE
        };
        cover_with(Path::new(cover), &path)?;
    }
    Ok(())
}

/// What is to be covered, as far as it exists.
fn counts(sys: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = MACHINE_COUNTS.iter().map(|name| sys.join(name)).collect();
    for node in directories(&sys.join("devices/system/node")) {
        found.extend(NODE_COUNTS.iter().map(|name| node.join(name)));
    }
    for disk in directories(&sys.join("block")) {
        // The entries are links; a cover must lie where they lead.
        let Ok(disk) = disk.canonicalize() else { continue };
        for part in directories(&disk).into_iter().chain([disk]) {
            found.extend(DISK_COUNTS.iter().map(|name| part.join(name)));
        }
    }
    for module in directories(&sys.join("module")) {
        found.push(module.join("refcnt"));
    }
    found.retain(|path| path.exists());
    found
}

fn directories(of: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(of).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_found_through_links_and_nothing_else_is_covered() {
        let temp = tempfile::tempdir().unwrap();
        let sys = temp.path().canonicalize().unwrap();
        for file in [
            "devices/system/node/node0/meminfo",
            "devices/system/node/node0/vmstat",
            "devices/system/node/node1/numastat",
            "devices/system/node/node0/cpumap",
            "devices/system/node/node0/hugepages/hugepages-2048kB/free_hugepages",
            "devices/pci0/block/sda/stat",
            "devices/pci0/block/sda/size",
            "devices/pci0/block/sda/sda1/stat",
            "devices/pci0/block/sda/queue/nr_requests",
            "kernel/mm/hugepages/hugepages-2048kB/free_hugepages",
            "module/nvidia/refcnt",
            "module/nvidia/version",
        ] {
            let path = sys.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "1").unwrap();
        }
        fs::create_dir(sys.join("block")).unwrap();
        std::os::unix::fs::symlink("../devices/pci0/block/sda", sys.join("block/sda")).unwrap();
        let mut found: Vec<String> = counts(&sys)
            .iter()
            .map(|path| path.strip_prefix(&sys).unwrap().to_str().unwrap().to_owned())
            .collect();
        found.sort();
        assert_eq!(
            found,
            [
                "devices/pci0/block/sda/sda1/stat",
                "devices/pci0/block/sda/stat",
                "devices/system/node/node0/hugepages",
                "devices/system/node/node0/meminfo",
                "devices/system/node/node0/vmstat",
                "devices/system/node/node1/numastat",
                "kernel/mm/hugepages",
                "module/nvidia/refcnt",
            ]
        );
    }
}
