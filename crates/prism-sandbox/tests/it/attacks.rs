//! The attacks, one table, and what containment looks like for each.
//!
//! The numbers are those of the study that the design rests on; what was added since follows from 85 on. Attacks that cannot disturb one another share
//! a sandbox; those that end with it are alone.

use std::collections::BTreeMap;
use std::time::Duration;

use prism_core::escape::escape_for_terminal;
use prism_sandbox::{Ending, Logs, MemoryCap, Mode, OutputPolicy, Spec};
use serde_json::{Value, json};

use crate::host::Host;
use crate::kit;

/// What containment looks like.
enum Contained {
    /// Every try was refused, each with one of these.
    Refused(&'static [&'static str]),
    /// The report satisfies this.
    Report(fn(&Value)),
    /// It runs alone, under changed limits, and this is how it ends.
    Ends(fn(&mut Spec), fn(Ending, &Logs)),
    /// Another test of this file, or of this directory, does it.
    Elsewhere,
}
use Contained::{Elsewhere, Ends, Refused, Report};

struct Attack(u32, &'static str, &'static str, Contained);

const DENIED: &[&str] = &["EPERM", "ENOSYS"];
const HIDDEN: &[&str] = &["ENOENT", "EACCES", "EPERM", "ENODATA", "ENOTDIR"];
const READ_ONLY: &[&str] = &["EROFS", "EACCES", "ENOENT", "EPERM"];

#[rustfmt::skip]
const ATTACKS: &[Attack] = &[
    Attack(1, "net.py", "net_tcp_out", Refused(&["ENETUNREACH", "EADDRNOTAVAIL"])),
    Attack(2, "net.py", "net_dns", Refused(&["ENETUNREACH", "gaierror -2", "gaierror -3", "ENOENT"])),
    Attack(3, "net.py", "net_host_loopback", Refused(&["ECONNREFUSED"])),
    Attack(4, "net.py", "net_abstract_unix", Refused(&["ECONNREFUSED"])),
    Attack(5, "net.py", "net_path_unix", Refused(&["ENOENT"])),
    Attack(6, "net.py", "net_raw_packet", Refused(&["EAFNOSUPPORT", "EPERM"])),
    Attack(7, "net.py", "net_vsock", Refused(&["EAFNOSUPPORT"])),
    Attack(8, "net.py", "net_exotic_families", Refused(&["EAFNOSUPPORT"])),
    Attack(9, "net.py", "net_config_iface", Refused(&["EPERM"])),
    Attack(10, "files.py", "fs_read_host", Refused(HIDDEN)),
    Attack(11, "files.py", "fs_write_ro", Refused(READ_ONLY)),
    Attack(12, "files.py", "fs_write_roots", Refused(READ_ONLY)),
    Attack(13, "files.py", "fs_remount_rw", Refused(&["EPERM"])),
    Attack(14, "lifecycle.rs", "a_submount_of_a_bound_directory_is_read_only_too", Elsewhere),
    Attack(15, "files.py", "fs_bind_in_new_userns", Refused(&["EPERM"])),
    Attack(16, "files.py", "fs_chroot_dotdot", Refused(&["EPERM", "EACCES"])),
    Attack(17, "files.py", "fs_open_by_handle", Refused(&["EPERM"])),
    Attack(18, "files.py", "fs_mknod_dev", Refused(&["EPERM", "EACCES"])),
    Attack(19, "files.py", "fs_setuid_binary", Report(setuid_gives_nothing)),
    Attack(20, "files.py", "fs_hardlink_symlink", Refused(&["EXDEV", "EROFS", "EACCES", "EPERM", "ENOENT"])),
    Attack(21, "disk.py", "disk_fill_scratch", Report(|r| filled(r, kit::SCRATCH_BYTES))),
    Attack(22, "disk.py", "disk_fill_shm", Report(|r| filled(r, kit::SHM_BYTES))),
    Attack(23, "disk.py", "disk_fill_roots", Report(only_scratch_is_writable)),
    Attack(24, "disk.py", "inode_bomb", Report(|r| assert!(r["why"] == "ENOSPC" && number(r, "inodes") < kit::SCRATCH_INODES, "{r}"))),
    Attack(25, "disk.py", "file_size_cap", Refused(&["EFBIG"])),
    Attack(26, "proc.py", "proc_sys_write", Refused(READ_ONLY)),
    Attack(27, "proc.py", "proc_kernel_info", Report(only_the_cpu_is_described)),
    Attack(28, "proc.py", "proc_pid1", Refused(&["EACCES", "EPERM", "ENOENT"])),
    Attack(29, "proc.py", "proc_sees_host", Report(|r| assert_eq!(r["pids"], json!([1, r["own"]]), "{r}"))),
    Attack(30, "proc.py", "sys_write", Refused(&["ENOENT"])),
    Attack(31, "signals.py", "sig_host", Refused(&["ESRCH"])),
    Attack(32, "signals.py", "sig_kill_init", Report(init_is_untouched)),
    Attack(33, "signals.py", "ptrace_any", Refused(&["EPERM"])),
    Attack(34, "signals.py", "process_vm", Refused(&["EPERM"])),
    Attack(35, "signals.py", "pidfd_getfd", Refused(&["EPERM"])),
    Attack(36, "processes.py", "fork_bomb", Report(|r| stopped_at_the_limit(r, "Resource temporarily unavailable"))),
    Attack(37, "processes.py", "fork_bomb_wild", Ends(|s| s.limits.wall = SHORT, |ending, _| assert_eq!(ending, Ending::WallTime))),
    Attack(38, "processes.py", "thread_bomb", Report(|r| stopped_at_the_limit(r, "can't start new thread"))),
    Attack(39, "processes.py", "daemon_survives", Ends(|_| {}, |ending, _| assert_eq!(ending, Ending::Exited(0)))),
    Attack(40, "processes.py", "zombies", Report(|r| assert_eq!(r["zombies"], 0))),
    Attack(41, "processes.py", "ignore_signals_forever", Ends(|s| s.limits.wall = SHORT, |ending, _| assert_eq!(ending, Ending::WallTime))),
    Attack(42, "processes.py", "stop_everything", Ends(|s| s.limits.wall = SHORT, |ending, _| assert_eq!(ending, Ending::WallTime))),
    Attack(43, "signals.py", "sig_own_pgrp", Report(|r| assert!(r["pgid"] == r["pid"] && r["sid"] == r["pid"] && r["status"] == 0, "{r}"))),
    Attack(44, "processes.py", "sched_rt", Refused(&["EPERM", "EACCES"])),
    Attack(45, "processes.py", "rlimit_raise", Refused(&["ValueError", "EPERM"])),
    Attack(46, "processes.py", "oom_adj_lower", Report(|r| { refused(r, READ_ONLY); assert_eq!(r["score"], 1000); })),
    Attack(47, "processes.py", "cpu_burn", Ends(|s| s.limits.cpu_seconds = 1, |ending, _| assert_eq!(ending, Ending::CpuTime))),
    Attack(48, "processes.py", "core_dump", Report(no_core_is_dumped)),
    Attack(49, "syscalls.py", "sys_userns", Refused(DENIED)),
    Attack(50, "syscalls.py", "sys_setns", Refused(&["EPERM"])),
    Attack(51, "syscalls.py", "sys_mount_api", Refused(&["EPERM"])),
    Attack(52, "syscalls.py", "sys_dangerous", Refused(DENIED)),
    Attack(53, "syscalls.py", "sys_clock", Refused(&["EPERM"])),
    Attack(54, "syscalls.py", "sys_hostname", Refused(&["EPERM"])),
    Attack(55, "syscalls.py", "sys_personality", Refused(&["EPERM"])),
    Attack(56, "syscalls.py", "sys_int80", Report(|r| assert_eq!(r["signal"], SIGSYS))),
    Attack(57, "syscalls.py", "sys_x32", Report(|r| assert_eq!(r["signal"], SIGSYS))),
    Attack(58, "syscalls.py", "sys_new_syscall", Refused(&["ENOSYS"])),
    Attack(59, "syscalls.py", "tty_tiocsti", Refused(&["EPERM", "ENOENT", "ENXIO"])),
    Attack(60, "leaks.py", "leak_env", Report(only_the_given_environment)),
    Attack(61, "leaks.py", "leak_fds", Report(only_the_given_descriptors)),
    Attack(62, "leaks.py", "leak_groups", Report(nobody_in_particular)),
    Attack(63, "leaks.py", "ipc_sysv_host", Refused(&["EPERM", "ENOENT", "EACCES"])),
    Attack(64, "leaks.py", "ipc_posix_shm_host", Refused(&["ENOENT"])),
    Attack(65, "leaks.py", "ipc_keyring", Refused(&["EPERM"])),
    Attack(66, "memory.py", "mem_anon", Ends(small, out_of_memory)),
    Attack(67, "memory.py", "mem_anon_fast", Ends(small, out_of_memory)),
    Attack(68, "memory.py", "mem_shared_anon", Ends(small, out_of_memory)),
    Attack(69, "memory.py", "mem_memfd_unmapped", Refused(&["EPERM"])),
    Attack(70, "memory.py", "mem_sockbuf", Ends(|s| { small(s); s.limits.processes = 128; }, out_of_memory)),
    Attack(71, "memory.py", "mem_pagetables", Ends(small, out_of_memory)),
    Attack(72, "memory.py", "mem_many_procs", Ends(small, out_of_memory)),
    Attack(73, "memory.py", "mem_mlock", Refused(&["ENOMEM", "EPERM"])),
    Attack(74, "output.py", "out_flood", Ends(|_| {}, flooded)),
    Attack(75, "output.py", "out_flood_stderr", Ends(|_| {}, flooded)),
    Attack(76, "output.py", "out_hold_pipe", Ends(|_| {}, |ending, _| assert_eq!(ending, Ending::Exited(0)))),
    Attack(77, "output.py", "stdin_read", Report(|r| assert!(r["read"] == "" && r["is"] == "/dev/null", "{r}"))),
    Attack(78, "ipc.py", "ipc_roundtrip", Report(|r| assert_eq!(r["read"], "hello from rust"))),
    Attack(79, "ipc.py", "memfd_reopen_rw", Refused(&["EPERM", "EACCES", "EBADF", "PermissionError"])),
    Attack(80, "ipc.py", "memfd_shrink_sigbus", Refused(&["EPERM", "EINVAL"])),
    Attack(81, "ipc.py", "ipc_flood", Report(|r| assert!(number(r, "sent") < 100_000, "{r}"))),
    Attack(82, "ipc.py", "ipc_fd_flood", Report(|r| assert!(number(r, "sent") < 10_000 && r["refused"] != "nothing", "{r}"))),
    Attack(83, "leaks.py", "ipc_dirfd_to_host", Report(|r| { assert_eq!(r["directories"], json!([])); refused(r, &["ENOTDIR"]); })),
    Attack(84, "output.py", "term_escape", Ends(|_| {}, nothing_reaches_a_terminal)),
    Attack(85, "syscalls.py", "sys_wake_the_stopped", Refused(&["EPERM"])),
    Attack(86, "channels.py", "chan_put_out_pages", Report(|r| { assert_eq!(r["read_again"], 0, "{r}"); refused(r, &["SUCCEEDED"]); })),
    Attack(87, "processes.py", "cpu_burn_ignoring", Ends(|s| s.limits.cpu_seconds = 1, |ending, _| assert_eq!(ending, Ending::CpuTime))),
    Attack(88, "processes.py", "cpu_burn_by_forking", Ends(|s| s.limits.cpu_seconds = 1, |ending, _| assert_eq!(ending, Ending::CpuTime))),
    Attack(89, "syscalls.py", "sys_int80_alone", Ends(|_| {}, |ending, _| assert_eq!(ending, Ending::ForbiddenSyscall))),
    Attack(90, "channels.py", "chan_ask_about_inode", Refused(&["EPERM"])),
    Attack(91, "channels.py", "chan_locks_pretend", Report(|r| assert_eq!(r["locked"], 4, "{r}"))),
    Attack(92, "channels.py", "chan_notices", Refused(&["ENOSYS"])),
    Attack(93, "channels.py", "chan_pages_in_memory", Refused(DENIED)),
    Attack(94, "channels.py", "chan_newer_futexes", Refused(&["ENOSYS"])),
    Attack(95, "channels.py", "chan_pools", Refused(&["EPERM"])),
    Attack(96, "channels.rs", "locks_of_a_frozen_sandbox_are_neither_seen_nor_felt", Elsewhere),
    Attack(97, "channels.rs", "a_deaf_sandbox_does_not_see_who_waits_on_a_shared_futex", Elsewhere),
    Attack(98, "channels.rs", "a_deaf_sandbox_does_not_see_which_pages_another_has_mapped", Elsewhere),
    Attack(99, "processes.py", "core_limit_changed", Report(|r| { refused(r, &["EPERM", "ValueError"]); assert_eq!(r["limit"], json!([1, 1]), "{r}"); })),
    Attack(100, "files.py", "fs_host_directories", Refused(&["ENOENT"])),
    Attack(101, "files.py", "fs_system_documentation", Report(no_documentation)),
    Attack(102, "files.py", "fs_compilers_work", Report(|r| assert!(r["said"].as_object().is_some_and(|said| said.values().all(|text| text == "7\n")), "{r}"))),
    Attack(103, "memory.py", "mem_netbuf", Ends(small, network_buffers_are_capped)),
];

const SHORT: Duration = Duration::from_secs(1);
const SIGSYS: i64 = 31;
/// What the kernel shows for a group that a namespace does not map.
const NO_NUMBER: u64 = 65_534;

const SMALL_BYTES: u64 = 128 << 20;

fn small(spec: &mut Spec) {
    spec.limits.memory_bytes = SMALL_BYTES;
}

fn number(report: &Value, name: &str) -> u64 {
    report[name].as_u64().unwrap_or_else(|| panic!("{report}"))
}

fn refused(report: &Value, with: &[&str]) {
    let tries = report["tries"].as_object().unwrap_or_else(|| panic!("{report}"));
    assert!(!tries.is_empty(), "nothing was tried: {report}");
    for (name, outcome) in tries {
        assert!(
            with.iter().any(|errno| outcome == errno),
            "{}: {name} gave {outcome}, not one of {with:?}",
            report["attack"]
        );
    }
}

fn filled(report: &Value, bytes: u64) {
    let written = report["mebibytes"].as_f64().unwrap() * f64::from(1 << 20);
    assert!(
        report["why"] == "ENOSPC" && written > 0.0 && written <= bytes as f64,
        "{report}"
    );
}

fn setuid_gives_nothing(report: &Value) {
    assert!(
        report["same"] == true && report["no_new_privs"] == true && report["suid_mounts"] == json!([]),
        "{report}"
    );
    for run in report["ran"].as_array().unwrap() {
        assert!(run[1] != 0 && run[2] != "0", "{report}");
    }
}

fn only_scratch_is_writable(report: &Value) {
    assert_eq!(report["mounts"], json!(["/dev/shm", "/tmp"]), "{report}");
    assert_eq!(report["directories"], json!(["/dev/shm", "/tmp"]), "{report}");
}

fn only_the_cpu_is_described(report: &Value) {
    refused(report, HIDDEN);
    assert!(
        report["cpu_is_described"] == true && report["clock_rate_is_shown"] == false,
        "{report}"
    );
}

fn no_documentation(report: &Value) {
    let found = report["found"].as_object().unwrap_or_else(|| panic!("{report}"));
    assert!(found.contains_key("/usr/share"), "{report}");
    assert!(found.values().all(|names| *names == json!([])), "{report}");
    refused(report, READ_ONLY);
}

/// A kernel may hold them to the limit, or the sandbox ends for them. Without a group nothing but the machine's own limit holds them.
fn network_buffers_are_capped(ending: Ending, logs: &Logs) {
    if !kit::capabilities().memory_cap.is_exact() || ending == Ending::OutOfMemory {
        return;
    }
    let said = String::from_utf8_lossy(&logs.stdout);
    assert_eq!(ending, Ending::Exited(0), "{said}");
    let report: Value = serde_json::from_str(&said).unwrap();
    let bytes = number(&report, "bytes");
    assert!(bytes > 1 << 20 && bytes <= SMALL_BYTES, "{report}");
}

fn init_is_untouched(report: &Value) {
    assert_eq!(report["init_state"], "S", "{report}");
    if kit::capabilities().mode == Mode::Root {
        for outcome in report["outcomes"].as_object().unwrap().values() {
            assert_eq!(outcome, "EPERM", "{report}");
        }
    }
}

fn stopped_at_the_limit(report: &Value, why: &str) {
    let count = number(report, "count");
    assert!(
        count > 0 && count < kit::LIMITS.processes && report["why"] == why,
        "{report}"
    );
}

fn no_core_is_dumped(report: &Value) {
    assert!(
        report["dumped"] == false && report["files"] == json!([]) && report["signal"] == 6,
        "{report}"
    );
    assert!(
        report["limit"][1].as_u64().is_some_and(|bytes| bytes <= 1),
        "{report}"
    );
}

fn only_the_given_environment(report: &Value) {
    // Python adds LC_CTYPE by itself where the locale is the plain one.
    let names: Vec<&Value> = report["names"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|name| *name != "LC_CTYPE")
        .collect();
    assert_eq!(names, [&json!("LANG"), &json!("PATH")], "{report}");
}

fn only_the_given_descriptors(report: &Value) {
    let fds: BTreeMap<String, String> = serde_json::from_value(report["fds"].clone()).unwrap();
    let numbers: Vec<&str> = fds.keys().map(String::as_str).collect();
    assert_eq!(numbers, ["0", "1", "10", "11", "12", "2"], "{report}");
    assert!(
        fds["0"] == "/dev/null" && fds["1"].starts_with("pipe:") && fds["2"].starts_with("pipe:"),
        "{report}"
    );
}

fn nobody_in_particular(report: &Value) {
    let uids: Vec<u64> = serde_json::from_value(report["uids"].clone()).unwrap();
    let gids: Vec<u64> = serde_json::from_value(report["gids"].clone()).unwrap();
    for ids in [&uids, &gids] {
        assert!(
            ids.len() == 3 && ids.iter().all(|id| *id != 0 && *id == ids[0]),
            "{report}"
        );
    }
    if kit::capabilities().mode == Mode::Root {
        assert!(
            uids[0] > 60_000 && gids[0] > 60_000 && report["groups"] == json!([]),
            "{report}"
        );
    } else {
        // The caller's other groups cannot be dropped; none of them has a number inside.
        let groups: Vec<u64> = serde_json::from_value(report["groups"].clone()).unwrap();
        assert!(
            groups.iter().all(|group| [gids[0], NO_NUMBER].contains(group)),
            "{report}"
        );
        // One line, of one ordinary user onto themselves.
        let own = uids[0].to_string();
        assert_eq!(report["uid_map"], json!([own, own, "1"]), "{report}");
    }
}

fn out_of_memory(ending: Ending, logs: &Logs) {
    let said = String::from_utf8_lossy(&logs.stdout).into_owned() + &String::from_utf8_lossy(&logs.stderr);
    assert!(!said.contains("survived"), "{said}");
    if kit::capabilities().memory_cap == MemoryCap::Watchdog && ending == Ending::Exited(1) {
        // Without a group each process also has a limit of its own, which may be met first.
        assert!(
            said.contains("MemoryError") || said.contains("Cannot allocate memory"),
            "{said}"
        );
    } else {
        assert_eq!(ending, Ending::OutOfMemory, "{said}");
    }
}

fn flooded(ending: Ending, logs: &Logs) {
    assert_eq!(ending, Ending::OutputLimit);
    assert!(logs.stdout_truncated || logs.stderr_truncated);
    let kept = logs.stdout.len().max(logs.stderr.len()) as u64;
    assert!(
        (kit::LIMITS.output_bytes..kit::LIMITS.output_bytes + 100).contains(&kept),
        "{kept} bytes kept"
    );
}

fn nothing_reaches_a_terminal(ending: Ending, logs: &Logs) {
    assert_eq!(ending, Ending::Exited(0));
    assert!(
        logs.stderr.contains(&0x1b),
        "the attack must really have been made"
    );
    let shown = escape_for_terminal(&logs.stderr);
    assert!(
        shown.contains("\\u{1b}]0;owned\\u{7}") && shown.contains("\\u{202e}"),
        "{shown}"
    );
    assert!(
        !shown.contains(|c: char| c.is_control() && c != '\n'),
        "{shown:?}"
    );
}

/// Runs the attacks of one file: those that can share a sandbox in one, the others one by one.
fn run_family(family: &str) {
    let mut host = Host::new(family);
    let attacks: Vec<&Attack> = ATTACKS.iter().filter(|attack| attack.1 == family).collect();
    let shared: Vec<&str> = attacks
        .iter()
        .filter(|attack| matches!(attack.3, Refused(_) | Report(_)))
        .map(|attack| attack.2)
        .collect();
    if !shared.is_empty() {
        let marker = kit::marker(family);
        let (ending, logs) = kit::run(host.spec(family, &shared, &marker));
        let said = String::from_utf8_lossy(&logs.stdout).into_owned();
        assert_eq!(
            ending,
            Ending::Exited(0),
            "{said}\n{}",
            escape_for_terminal(&logs.stderr)
        );
        let reports: Vec<Value> = said
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(reports.len(), shared.len(), "{said}");
        for (attack, report) in attacks
            .iter()
            .filter(|attack| matches!(attack.3, Refused(_) | Report(_)))
            .zip(&reports)
        {
            assert_eq!(report["attack"], attack.2);
            match attack.3 {
                Refused(with) => refused(report, with),
                Report(check) => check(report),
                Ends(..) | Elsewhere => unreachable!("filtered"),
            }
        }
        assert_eq!(
            kit::survivors(&marker),
            Vec::<i32>::new(),
            "something of {family} survived"
        );
    }
    for attack in &attacks {
        let Ends(change, check) = attack.3 else { continue };
        let marker = kit::marker(attack.2);
        let mut spec = host.spec(family, &[attack.2], &marker);
        change(&mut spec);
        let (ending, logs) = kit::run(spec);
        check(ending, &logs);
        assert_eq!(
            kit::survivors(&marker),
            Vec::<i32>::new(),
            "something of {} survived",
            attack.2
        );
    }
    host.check_untouched();
    if family == "ipc.py" {
        check_socket(&host);
    }
}

/// The caller's end of the passed socket: the answer is there, and reading a flood without asking for descriptors takes none.
fn check_socket(host: &Host) {
    let mut buffer = [0_u8; 1024];
    let length = host.socket.recv(&mut buffer).unwrap();
    assert_eq!(&buffer[..length], b"ack:ping");
    host.socket.set_nonblocking(true).unwrap();
    while host.socket.recv(&mut buffer).is_ok() {}
    let flooded = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    let names = flooded.filter_map(|entry| std::fs::read_link(entry.path()).ok());
    assert_eq!(
        names
            .filter(|name| name.to_string_lossy().contains("flooding-descriptor"))
            .count(),
        0
    );
}

macro_rules! families {
    ($($test:ident => $family:literal,)*) => {
        $(#[test] fn $test() { run_family($family); })*
        const FAMILIES: &[&str] = &[$($family),*];
    };
}

families! {
    attacks_through_the_network => "net.py",
    attacks_on_files => "files.py",
    attacks_that_fill_disks => "disk.py",
    attacks_through_proc => "proc.py",
    attacks_by_signals => "signals.py",
    attacks_by_processes => "processes.py",
    attacks_by_system_calls => "syscalls.py",
    attacks_on_what_leaks => "leaks.py",
    attacks_on_memory => "memory.py",
    attacks_on_the_reader => "output.py",
    attacks_on_what_is_passed => "ipc.py",
    attacks_by_what_is_shared => "channels.py",
}

#[test]
fn the_table_has_every_number_once_and_every_family_a_test() {
    let numbers: Vec<u32> = ATTACKS.iter().map(|attack| attack.0).collect();
    assert_eq!(numbers, (1..=103).collect::<Vec<u32>>());
    for attack in ATTACKS {
        assert!(
            FAMILIES.contains(&attack.1) || matches!(attack.3, Elsewhere),
            "{} is never run",
            attack.2
        );
    }
}

#[test]
fn the_memory_watchdog_holds_where_there_is_no_group() {
    let preferences = prism_sandbox::Preferences {
        memory_cap: Some(MemoryCap::Watchdog),
        freezer: None,
    };
    let capabilities = prism_sandbox::preflight_with(&kit::helper(), preferences).unwrap();
    assert!(!capabilities.memory_cap.is_exact());
    let mut host = Host::new("watchdog");
    for name in ["mem_shared_anon", "mem_many_procs"] {
        let mut spec = host.spec("memory.py", &[name], &kit::marker(name));
        small(&mut spec);
        spec.output = OutputPolicy::Truncate;
        let (ending, _) = kit::finish(&kit::spawn_with(&capabilities, spec));
        assert_eq!(ending, Ending::OutOfMemory, "{name}");
    }
}
