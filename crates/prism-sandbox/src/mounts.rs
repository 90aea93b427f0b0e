//! The file system that the payload sees: built from nothing, then made read-only.
//!
//! Called by `init.rs` once, as the first process of the new mount namespace. Every host path is opened before the root is exchanged; afterwards no
//! path can lead to the host, so a symbolic link inside a bound directory cannot misdirect a later mount. It must never leave anything writable that
//! is not limited in size and number of files.

use std::fs;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode as FileMode};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags,
    UnmountFlags, fsconfig_create, fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, mount_change,
    move_mount, open_tree, unmount,
};

use crate::capabilities::Mode;
use crate::error::{At, FailedStep, Setup, Step, cvt};
use crate::plan::Plan;
use crate::spec::{Bind, Devices, Tmpfs};
use crate::{procfs, sysfs};

/// Size of the root: it holds only mount points and a few small files of `/etc`.
const ROOT_BYTES: u64 = 8 << 20;
/// Files of the root.
const ROOT_INODES: u64 = 4_096;
/// Files of `/dev/shm`.
const SHM_INODES: u64 = 4_096;
/// Devices that tell nothing and control nothing.
const HARMLESS_DEVICES: [&str; 5] = ["null", "zero", "full", "random", "urandom"];
/// Word lists, manuals and documentation: knowledge of language that comes with the system and not with the submission. No program needs it.
const KNOWLEDGE: [&str; 2] = ["/usr/share", "/usr/local/share"];

/// The dynamic loader's index: the host's, unless the caller has bound something there.
const LOADER_CACHE: &str = "/etc/ld.so.cache";

/// A mount that hangs nowhere yet.
pub(crate) struct Detached {
    pub(crate) mount: OwnedFd,
    pub(crate) target: PathBuf,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Directory,
    File,
}

/// Whether a restriction is for one mount or for those below it as well.
#[derive(Clone, Copy)]
pub(crate) enum Reach {
    ThisOne,
    AllBelow,
}

/// Builds the root and moves into it.
pub(crate) fn build(plan: &Plan) -> Setup<()> {
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).at(Step::PrivateMounts)?;
    let mut detached = Vec::new();
    for bind in &plan.binds {
        detached.push(open_bind(bind, plan.mode)?);
    }
    // A caller may have bound a copy of its own there.
    let has_cache = plan
        .binds
        .iter()
        .any(|bind| bind.target == Path::new(LOADER_CACHE));
    if !has_cache && let Some(cache) = optional_bind(LOADER_CACHE, plan.mode)? {
        detached.push(cache);
    }
    for name in HARMLESS_DEVICES {
        detached.push(open_device(&Path::new("/dev").join(name))?);
    }
    let gpu = match &plan.devices {
        Devices::None => false,
        Devices::Nvidia { minors } => {
            for path in nvidia_devices(minors)? {
                detached.push(open_device(&path)?);
            }
            detached.push(sysfs::new_sys()?);
            true
        }
    };
    // The kernel lets a user namespace mount /proc only while the host's own is still in sight.
    let cpuinfo = procfs::cpu_description();
    let proc_mount = procfs::new_proc(gpu)?;
    let root = new_tmpfs(ROOT_BYTES, ROOT_INODES, "755", None).at(Step::MountRoot)?;
    enter_root(&root)?;
    attach(&proc_mount)?;
    let dev_shm = Tmpfs {
        target: PathBuf::from("/dev/shm"),
        bytes: plan.shm_bytes,
        inodes: SHM_INODES,
    };
    detached.push(new_scratch(&dev_shm, plan, MountAttrFlags::MOUNT_ATTR_NOEXEC)?);
    for tmpfs in &plan.scratch {
        detached.push(new_scratch(tmpfs, plan, MountAttrFlags::empty())?);
    }
    // What is mounted below another mount must come after it, else it would be covered.
    detached.sort_by_key(|mount| mount.target.components().count());
    for mount in &detached {
        attach(mount)?;
    }
    write_etc(plan)?;
    link_dev()?;
    procfs::cover_machine(gpu, &cpuinfo)?;
    if gpu {
        sysfs::cover_machine()?;
    }
    hide_knowledge(plan)?;
    restrict(
        root.as_fd(),
        MountAttrFlags::MOUNT_ATTR_RDONLY | MountAttrFlags::MOUNT_ATTR_NOSUID,
        Reach::ThisOne,
    )
    .at(Step::SealRoot)
}

/// A recursive, read-only copy of the mounts at a host path.
fn open_bind(bind: &Bind, mode: Mode) -> Setup<Detached> {
    let what = bind.source.display();
    let flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
    let mount = open_tree(CWD, &bind.source, flags).at_what(Step::OpenBind, what)?;
    let kind = kind_of(&mount).at_what(Step::OpenBind, bind.source.display())?;
    if mode == Mode::User {
        // What the caller cannot read the payload cannot either. Saying so here is clearer than an import error inside.
        let access = match kind {
            Kind::Directory => rustix::fs::Access::READ_OK | rustix::fs::Access::EXEC_OK,
            Kind::File => rustix::fs::Access::READ_OK,
        };
        // `access` asks for the real ids; as root of a new user namespace they are the caller's own.
        rustix::fs::access(&bind.source, access).at_what(Step::OpenBind, bind.source.display())?;
    }
    let attributes = MountAttrFlags::MOUNT_ATTR_RDONLY
        | MountAttrFlags::MOUNT_ATTR_NOSUID
        | MountAttrFlags::MOUNT_ATTR_NODEV;
    restrict(mount.as_fd(), attributes, Reach::AllBelow)
        .at_what(Step::RestrictBind, bind.source.display())?;
    Ok(Detached {
        mount,
        target: bind.target.clone(),
        kind,
    })
}

fn optional_bind(path: &str, mode: Mode) -> Setup<Option<Detached>> {
    if Path::new(path).exists() {
        open_bind(&Bind::same(path), mode).map(Some)
    } else {
        Ok(None)
    }
}

/// Shows nothing where the system keeps its documentation, unless the caller has bound something in there by name.
fn hide_knowledge(plan: &Plan) -> Setup<()> {
    for directory in KNOWLEDGE.map(Path::new) {
        let wanted = plan.binds.iter().any(|bind| bind.target.starts_with(directory));
        if directory.is_dir() && !wanted {
            procfs::cover_with(Path::new(procfs::EMPTY_DIRECTORY), directory)?;
        }
    }
    Ok(())
}

/// A single device file. Writing to a device does not count as writing to the read-only mount that shows it.
fn open_device(path: &Path) -> Setup<Detached> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let mount = open_tree(CWD, path, flags).at_what(Step::OpenDevice, path.display())?;
    let attributes = MountAttrFlags::MOUNT_ATTR_RDONLY
        | MountAttrFlags::MOUNT_ATTR_NOSUID
        | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    restrict(mount.as_fd(), attributes, Reach::ThisOne).at_what(Step::OpenDevice, path.display())?;
    Ok(Detached {
        mount,
        target: path.to_owned(),
        kind: Kind::File,
    })
}

/// The device files of these GPUs. `nvidia-uvm` must exist; the others are bound where they do.
fn nvidia_devices(minors: &[u32]) -> Setup<Vec<PathBuf>> {
    let mut paths = vec![PathBuf::from("/dev/nvidiactl"), PathBuf::from("/dev/nvidia-uvm")];
    paths.extend(
        minors
            .iter()
            .map(|minor| PathBuf::from(format!("/dev/nvidia{minor}"))),
    );
    for optional in ["/dev/nvidia-uvm-tools", "/dev/nvidia-modeset"] {
        if Path::new(optional).exists() {
            paths.push(PathBuf::from(optional));
        }
    }
    if let Ok(entries) = fs::read_dir("/dev/nvidia-caps") {
        paths.extend(entries.flatten().map(|entry| entry.path()));
    }
    for path in &paths {
        if !path.exists() {
            let what = format!(
                "{}; load the driver, or run `nvidia-modprobe -u` as root on the host",
                path.display()
            );
            return Err(FailedStep {
                step: Step::OpenDevice,
                errno: libc::ENOENT,
                what,
            });
        }
    }
    Ok(paths)
}

fn new_tmpfs(bytes: u64, inodes: u64, mode: &str, owner: Option<(u32, u32)>) -> rustix::io::Result<OwnedFd> {
    let filesystem = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    let filesystem = filesystem.as_fd();
    fsconfig_set_string(filesystem, "size", bytes.to_string())?;
    fsconfig_set_string(filesystem, "nr_inodes", inodes.to_string())?;
    fsconfig_set_string(filesystem, "mode", mode)?;
    if let Some((uid, gid)) = owner {
        fsconfig_set_string(filesystem, "uid", uid.to_string())?;
        fsconfig_set_string(filesystem, "gid", gid.to_string())?;
    }
    // Swapped out memory would leave the memory limit. Kernels before 6.4 do not know the option.
    let _ = fsconfig_set_flag(filesystem, "noswap");
    fsconfig_create(filesystem)?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
    fsmount(filesystem, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
}

/// Hangs the new root over the old one, exchanges the two, and lets go of the old.
fn enter_root(root: &OwnedFd) -> Setup<()> {
    move_mount(
        root.as_fd(),
        "",
        CWD,
        "/",
        MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH,
    )
    .at(Step::MountRoot)?;
    rustix::process::fchdir(root).at(Step::PivotRoot)?;
    rustix::process::pivot_root(".", ".").at(Step::PivotRoot)?;
    unmount(".", UnmountFlags::DETACH).at(Step::DetachOldRoot)?;
    rustix::process::chdir("/").at(Step::PivotRoot)
}

/// Hangs a mount at its target in the new root, making the mount point where it is missing.
fn attach(detached: &Detached) -> Setup<()> {
    make_mountpoint(&detached.target, detached.kind)?;
    move_mount(
        detached.mount.as_fd(),
        "",
        CWD,
        &detached.target,
        MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH,
    )
    .at_what(Step::AttachMount, detached.target.display())
}

/// A writable directory that belongs to the payload.
fn new_scratch(tmpfs: &Tmpfs, plan: &Plan, extra: MountAttrFlags) -> Setup<Detached> {
    let owner = Some((plan.ids.uid, plan.ids.gid));
    let what = tmpfs.target.display();
    let mount = new_tmpfs(tmpfs.bytes, tmpfs.inodes, "700", owner).at_what(Step::MountTmpfs, what)?;
    restrict(mount.as_fd(), extra, Reach::ThisOne).at_what(Step::MountTmpfs, tmpfs.target.display())?;
    Ok(Detached {
        mount,
        target: tmpfs.target.clone(),
        kind: Kind::Directory,
    })
}

fn make_mountpoint(target: &Path, kind: Kind) -> Setup<()> {
    if target.symlink_metadata().is_ok() {
        return Ok(());
    }
    let parent = target.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(parent).at_what(Step::MakeMountpoint, parent.display())?;
    match kind {
        Kind::Directory => fs::create_dir(target).at_what(Step::MakeMountpoint, target.display()),
        Kind::File => fs::File::create_new(target)
            .at_what(Step::MakeMountpoint, target.display())
            .map(|_| ()),
    }
}

/// The files of `/etc` that programs cannot do without, naming nobody who exists.
fn write_etc(plan: &Plan) -> Setup<()> {
    let (uid, gid) = (plan.ids.uid, plan.ids.gid);
    let files = [
        (
            "/etc/passwd",
            format!("sandbox:x:{uid}:{gid}:sandbox:/:/usr/sbin/nologin\n"),
        ),
        ("/etc/group", format!("sandbox:x:{gid}:\n")),
        (
            "/etc/hosts",
            format!("127.0.0.1 localhost {0}\n::1 localhost {0}\n", plan.name),
        ),
        (
            "/etc/nsswitch.conf",
            "passwd: files\ngroup: files\nhosts: files\n".to_owned(),
        ),
    ];
    fs::create_dir_all("/etc").at_what(Step::WriteEtc, "/etc")?;
    for (path, text) in files {
        fs::write(path, text).at_what(Step::WriteEtc, path)?;
    }
    Ok(())
}

fn link_dev() -> Setup<()> {
    for (path, leads_to) in [
        ("/dev/fd", "/proc/self/fd"),
        ("/dev/stdin", "/proc/self/fd/0"),
        ("/dev/stdout", "/proc/self/fd/1"),
        ("/dev/stderr", "/proc/self/fd/2"),
    ] {
        rustix::fs::symlink(leads_to, path).at_what(Step::MakeSymlink, path)?;
    }
    Ok(())
}

fn kind_of(mount: &OwnedFd) -> rustix::io::Result<Kind> {
    let mode = rustix::fs::statat(mount, "", AtFlags::EMPTY_PATH)?.st_mode;
    Ok(if FileType::from_raw_mode(mode) == FileType::Directory {
        Kind::Directory
    } else {
        Kind::File
    })
}

/// `mount_setattr`: adds restrictions to a mount, and to all below it if asked. It never takes any away.
pub(crate) fn restrict(
    mount: BorrowedFd<'_>,
    attributes: MountAttrFlags,
    reach: Reach,
) -> Result<(), crate::error::Errno> {
    let request = libc::mount_attr {
        attr_set: attributes.bits().into(),
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    let flags = match reach {
        Reach::ThisOne => libc::AT_EMPTY_PATH,
        Reach::AllBelow => libc::AT_EMPTY_PATH | libc::AT_RECURSIVE,
    };
    // SAFETY: the descriptor is open, the path is an empty C string, and the kernel reads exactly `size_of` bytes of a valid `mount_attr`.
    let returned = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const request,
            size_of::<libc::mount_attr>(),
        )
    };
    cvt(returned).map(|_| ())
}

/// The mode of files that the set-up makes.
pub(crate) fn set_umask() {
    rustix::process::umask(FileMode::from_raw_mode(0o022));
}
