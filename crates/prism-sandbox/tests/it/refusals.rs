//! Machines that cannot confine, simulated in namespaces of their own: the preflight must refuse, with the reason and the cure.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::kit;

/// Exit status of the program when the machine cannot do it.
const CANNOT: i32 = 3;

fn done(returned: libc::c_int) -> io::Result<()> {
    if returned == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

fn write(path: &str, text: &str) -> io::Result<()> {
    std::fs::write(path, text)
}

/// A new user namespace in which `inside` stands for the present user.
fn new_user_namespace(extra: libc::c_int, inside: u32, uid: u32, gid: u32) -> io::Result<()> {
    // SAFETY: plain system calls with flags, in a child that has one thread. A change of user has made its own /proc files root's; this undoes it.
    unsafe {
        done(libc::prctl(libc::PR_SET_DUMPABLE, 1, 0, 0, 0))?;
        done(libc::unshare(libc::CLONE_NEWUSER | extra))?;
    }
    write("/proc/self/setgroups", "deny")?;
    write("/proc/self/uid_map", &format!("{inside} {uid} 1"))?;
    write("/proc/self/gid_map", &format!("{inside} {gid} 1"))
}

fn mount_tmpfs(on: &CString) -> io::Result<()> {
    let private = libc::MS_REC | libc::MS_PRIVATE;
    // SAFETY: all strings are C strings that outlive the calls; null means absent.
    unsafe {
        done(libc::mount(
            std::ptr::null(),
            c"/".as_ptr(),
            std::ptr::null(),
            private,
            std::ptr::null(),
        ))?;
        done(libc::mount(
            c"tmpfs".as_ptr(),
            on.as_ptr(),
            c"tmpfs".as_ptr(),
            0,
            c"size=1m".as_ptr().cast(),
        ))
    }
}

/// Makes the command run where `on` is covered by an empty, writable file system.
pub(crate) fn in_own_mounts(command: &mut Command, on: &Path) {
    let on = CString::new(on.as_os_str().as_bytes()).unwrap();
    let root = kit::is_root();
    let setup = move || {
        if root {
            // SAFETY: a plain system call with a flag, in a child that has one thread.
            done(unsafe { libc::unshare(libc::CLONE_NEWNS) })?;
        } else {
            // SAFETY: these calls cannot fail and touch no memory.
            let (uid, gid) = unsafe { (libc::getuid(), libc::getgid()) };
            new_user_namespace(libc::CLONE_NEWNS, uid, uid, gid)?;
        }
        mount_tmpfs(&on)
    };
    // SAFETY: between fork and exec only this thread exists; what is called allocates little and takes no lock that another thread could hold for good
    // (the C library's allocator is prepared for forks).
    unsafe { command.pre_exec(setup) };
}

/// The program in its simplest use, as an ordinary user.
fn as_user() -> Command {
    let mut command = Command::new(kit::public_helper());
    command.args(["--", "/bin/true"]);
    if kit::is_root() {
        kit::as_ordinary_user(&mut command);
    }
    command
}

fn refusal(mut command: Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(CANNOT), "{said}");
    said
}

#[test]
fn an_ordinary_machine_is_not_refused() {
    let output = as_user().output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(String::from_utf8_lossy(&output.stderr).contains("User mode"));
}

#[test]
fn user_namespaces_that_are_switched_off_are_named_with_their_switch() {
    let mut command = as_user();
    let setup = || {
        // SAFETY: these calls cannot fail and touch no memory.
        let (uid, gid) = unsafe { (libc::getuid(), libc::getgid()) };
        // The switch is one of the new namespace; the host's own is untouched.
        new_user_namespace(0, uid, uid, gid)?;
        write("/proc/sys/user/max_user_namespaces", "0")
    };
    // SAFETY: as in `in_own_mounts`.
    unsafe { command.pre_exec(setup) };
    let said = refusal(command);
    assert!(
        said.contains("cannot make a user namespace") && said.contains("max_user_namespaces is 0"),
        "{said}"
    );
}

#[test]
fn a_masked_proc_is_refused_with_the_option_that_unmasks_it() {
    let mut command = as_user();
    let on = CString::new("/proc/sys").unwrap();
    let setup = move || {
        // SAFETY: these calls cannot fail and touch no memory.
        let (uid, gid) = unsafe { (libc::getuid(), libc::getgid()) };
        new_user_namespace(libc::CLONE_NEWNS, uid, uid, gid)?;
        mount_tmpfs(&on)
    };
    // SAFETY: as in `in_own_mounts`.
    unsafe { command.pre_exec(setup) };
    assert!(refusal(command).contains("systempaths=unconfined"));
}

#[test]
fn root_without_its_capabilities_is_refused_and_nothing_runs_as_root() {
    if !kit::is_root() {
        return;
    }
    let cap_sys_admin = 21;
    let mut command = Command::new(kit::public_helper());
    command.args(["--", "/bin/true"]);
    // SAFETY: a plain system call with numbers; the child loses a capability at its exec.
    unsafe { command.pre_exec(move || done(libc::prctl(libc::PR_CAPBSET_DROP, cap_sys_admin, 0, 0, 0))) };
    let said = refusal(command);
    assert!(
        said.contains("CAP_SYS_ADMIN") && !said.contains("CAP_SETUID"),
        "{said}"
    );
}

#[test]
fn an_ordinary_number_that_is_root_outside_is_refused() {
    if !kit::is_root() {
        return;
    }
    let mut command = Command::new(kit::public_helper());
    command.args(["--", "/bin/true"]);
    // SAFETY: as in `in_own_mounts`.
    unsafe { command.pre_exec(|| new_user_namespace(0, 1000, 0, 0)) };
    let said = refusal(command);
    assert!(said.contains("host uid 0"), "{said}");
}

#[test]
fn what_is_insisted_on_and_not_there_is_an_error() {
    let mut command = as_user();
    // In a mount namespace without the hierarchies there is no version 1 freezer.
    let on = CString::new("/sys/fs/cgroup").unwrap();
    if !Path::new("/sys/fs/cgroup").is_dir() {
        return;
    }
    let setup = move || {
        // SAFETY: these calls cannot fail and touch no memory.
        let (uid, gid) = unsafe { (libc::getuid(), libc::getgid()) };
        new_user_namespace(libc::CLONE_NEWNS, uid, uid, gid)?;
        mount_tmpfs(&on)
    };
    // SAFETY: as in `in_own_mounts`.
    unsafe { command.pre_exec(setup) };
    let program = command.get_program().to_owned();
    let mut insisting = Command::new(program);
    insisting.args(["--freezer", "cgroup-v1", "--", "/bin/true"]);
    if kit::is_root() {
        kit::as_ordinary_user(&mut insisting);
    }
    let said = refusal(insisting);
    assert!(said.contains("CgroupV1"), "{said}");
    assert!(
        command.output().unwrap().status.success(),
        "without insisting it works"
    );
}

#[test]
fn a_limit_of_the_caller_that_is_too_low_is_named_and_a_soft_one_is_raised() {
    let run = |limit: &str| {
        let mut command = Command::new("/usr/bin/prlimit");
        command
            .arg(limit)
            .arg(kit::helper().path)
            .args(["--", "/bin/true"]);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said)
    };
    let (code, said) = run("--nofile=200");
    assert_eq!(code, Some(CANNOT), "{said}");
    assert!(
        said.contains("`ulimit -n`") && said.contains("200 files"),
        "{said}"
    );
    // What the payload was promised is never quietly less.
    let (code, said) = run("--fsize=2000000");
    assert_eq!(code, Some(CANNOT), "{said}");
    assert!(said.contains("hard limit is 2000000"), "{said}");
    let (code, said) = run("--nofile=200:");
    assert_eq!(code, Some(0), "{said}");
}
