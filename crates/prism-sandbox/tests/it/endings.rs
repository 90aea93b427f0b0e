//! Every way to end, and every way not to begin. (Out of memory, time, output and forbidden calls are among the attacks.)

use prism_core::advice::Advice as _;
use prism_sandbox::{Bind, Ending, OutputPolicy, Sandbox, SpawnError, Spec, Step};

use crate::kit;

fn spawn_error(spec: Spec) -> SpawnError {
    Sandbox::spawn(&kit::helper(), &kit::capabilities(), spec).expect_err("this must not start")
}

#[test]
fn an_exit_code_and_a_signal_are_told_apart() {
    assert_eq!(
        kit::run(kit::spec("exit", "processes.py", &["{}", "exits_seven"])).0,
        Ending::Exited(7)
    );
    assert_eq!(
        kit::run(kit::spec("signal", "processes.py", &["{}", "kills_itself"])).0,
        Ending::Signalled(libc::SIGTERM)
    );
}

#[test]
fn what_it_wrote_and_used_is_known_afterwards() {
    let sandbox = kit::spawn(kit::code(
        "usage",
        "import sys; x = bytearray(40 << 20); print(len(x)); print('oh', file=sys.stderr)",
    ));
    let (ending, logs) = kit::finish(&sandbox);
    assert_eq!(ending, Ending::Exited(0));
    assert_eq!(
        (logs.stdout.as_slice(), logs.stderr.as_slice()),
        (&b"41943040\n"[..], &b"oh\n"[..])
    );
    assert!(!logs.stdout_truncated && !logs.stderr_truncated);
    let usage = sandbox.usage();
    assert!(
        usage.peak_memory_bytes > 40 << 20 && usage.cpu_seconds > 0.0,
        "{usage:?}"
    );
    assert_eq!(sandbox.try_wait(), Some(Ending::Exited(0)));
}

#[test]
fn output_that_may_be_cut_keeps_its_ends_and_a_mark() {
    let mut spec = kit::spec("truncate", "output.py", &["{}", "out_long_then_exit"]);
    spec.limits.output_bytes = 1000;
    spec.output = OutputPolicy::Truncate;
    let (ending, logs) = kit::run(spec);
    let text = String::from_utf8(logs.stdout).unwrap();
    assert_eq!(ending, Ending::Exited(0));
    assert!(logs.stdout_truncated && !logs.stderr_truncated);
    assert!(
        text.starts_with("HEAD xxx") && text.contains("bytes left out ...]"),
        "{text}"
    );
    assert!(text.contains(" TAIL") && text.len() < 1100, "{text}");
}

#[test]
fn what_it_writes_is_read_while_it_runs() {
    let mut sandbox = kit::spawn(kit::code(
        "writes",
        "import sys, time; print('one', flush=True); print('two', file=sys.stderr, flush=True); time.sleep(1000)",
    ));
    let reader = sandbox.log_reader();
    let deadline = std::time::Instant::now() + kit::PATIENCE;
    let mut seen = [Vec::new(), Vec::new()];
    while seen != [b"one\n".to_vec(), b"two\n".to_vec()] {
        assert!(std::time::Instant::now() < deadline, "{seen:?}");
        let [stdout, stderr] = reader.beyond(seen[0].len(), seen[1].len()).unwrap();
        seen[0].extend(stdout);
        seen[1].extend(stderr);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!(sandbox.kill(), Ending::KilledByCaller);
    drop(sandbox);
    assert!(reader.beyond(0, 0).is_none(), "it keeps nothing alive");
}

#[test]
fn the_caller_can_kill_it() {
    let marker = kit::marker("caller-kills");
    let mut sandbox = kit::spawn(kit::code(
        "kill",
        &format!("# {marker}\nimport time; time.sleep(1000)"),
    ));
    assert_eq!(sandbox.try_wait(), None);
    assert!(!kit::processes_marked(&marker).is_empty());
    assert_eq!(sandbox.kill(), Ending::KilledByCaller);
    assert_eq!(kit::processes_marked(&marker), Vec::<i32>::new());
    assert_eq!(
        sandbox.kill(),
        Ending::KilledByCaller,
        "killing twice is harmless"
    );
}

/// What the caller does with its own signals must not be inherited: without SIGCHLD the init would never see the payload's end.
#[test]
fn a_caller_that_ignores_or_blocks_signals_sees_the_end_all_the_same() {
    use std::os::unix::process::CommandExt;
    let mut command = std::process::Command::new(kit::public_helper());
    command.args(["--", "/bin/cat", "/proc/self/status", "/proc/1/status"]);
    let setup = || {
        for signal in 1..=64 {
            // SAFETY: two plain system calls with numbers and a mask of this frame, in a child that has one thread. Some signals cannot be ignored.
            unsafe {
                libc::signal(signal, libc::SIG_IGN);
                let mut all: libc::sigset_t = std::mem::zeroed();
                libc::sigfillset(&raw mut all);
                libc::sigprocmask(libc::SIG_BLOCK, &raw const all, std::ptr::null_mut());
            }
        }
        Ok(())
    };
    // SAFETY: between fork and exec only this thread exists; the closure calls only what is safe there.
    unsafe { command.pre_exec(setup) };
    command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut caller = command.spawn().unwrap();
    let deadline = std::time::Instant::now() + kit::PATIENCE;
    while caller.try_wait().unwrap().is_none() {
        if std::time::Instant::now() > deadline {
            caller.kill().unwrap();
            panic!("it never ends: {:?}", caller.wait_with_output());
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let output = caller.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let signals = |name: &str| -> Vec<u64> {
        let lines = said.lines().filter_map(|line| line.strip_prefix(name));
        lines
            .map(|mask| u64::from_str_radix(mask.trim(), 16).unwrap())
            .collect()
    };
    // The init blocks SIGCHLD, and waits for it otherwise; nothing else is blocked, ignored or handled by anybody.
    let child = 1 << (libc::SIGCHLD - 1);
    assert_eq!(signals("SigBlk:"), [0, child], "{output:?}");
    assert_eq!(signals("SigIgn:"), [0, 0], "{output:?}");
    assert_eq!(signals("SigCgt:"), [0, 0], "{output:?}");
}

#[test]
fn a_keeper_killed_from_outside_takes_everything_with_it() {
    let marker = kit::marker("keeper-dies");
    let sandbox = kit::spawn(kit::code(
        "keeper",
        &format!("# {marker}\nimport time; time.sleep(1000)"),
    ));
    let payload = kit::processes_marked(&marker)[0];
    let keeper = kit::parent_of(kit::parent_of(payload));
    assert_eq!(kit::parent_of(keeper), i32::try_from(std::process::id()).unwrap());
    kit::signal(keeper, libc::SIGKILL);
    assert_eq!(kit::finish(&sandbox).0, Ending::HelperDied);
    kit::eventually("the payload follows", || {
        kit::processes_marked(&marker).is_empty()
    });
}

#[test]
fn a_command_that_cannot_start_says_which_step_failed() {
    let mut spec = kit::code("missing", "");
    spec.argv[0] = "/no/such/program".into();
    let error = spawn_error(spec);
    assert!(
        matches!(&error, SpawnError::Setup(failure) if failure.step == Step::Execute && failure.errno == libc::ENOENT),
        "{error}"
    );
    let mut spec = kit::code("no-bind", "");
    spec.binds.push(Bind::same("/no/such/path"));
    let error = spawn_error(spec);
    assert!(
        matches!(&error, SpawnError::Setup(failure) if failure.step == Step::OpenBind && failure.what == "/no/such/path"),
        "{error}"
    );
    let mut spec = kit::code("directory", "");
    spec.cwd = "/nowhere".into();
    assert!(matches!(spawn_error(spec), SpawnError::Setup(failure) if failure.step == Step::ChangeDirectory));
}

#[test]
fn what_the_user_cannot_read_is_named_before_anything_starts() {
    if kit::is_root() {
        return;
    }
    let directory = tempfile::tempdir_in("/tmp").unwrap();
    let private = directory.path().join("private");
    std::fs::create_dir(&private).unwrap();
    std::fs::set_permissions(&private, std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    let mut spec = kit::code("private", "");
    spec.binds.push(Bind::same(&private));
    let error = spawn_error(spec).told();
    assert!(
        error.contains(private.to_str().unwrap()) && error.contains("must be able to read"),
        "{error}"
    );
}

#[test]
fn a_program_that_is_no_helper_is_named() {
    let helper = prism_sandbox::Helper {
        path: "/bin/true".into(),
    };
    let error = Sandbox::spawn(&helper, &kit::capabilities(), kit::code("helper", "")).unwrap_err();
    assert!(
        matches!(error, SpawnError::HelperSilent { .. } | SpawnError::Caller { .. }),
        "{error}"
    );
    let helper = prism_sandbox::Helper {
        path: "/no/such/helper".into(),
    };
    let error = Sandbox::spawn(&helper, &kit::capabilities(), kit::code("helper", "")).unwrap_err();
    assert!(error.to_string().contains("/no/such/helper"), "{error}");
}

#[test]
fn contradictory_specifications_are_refused_by_name() {
    type Change = fn(&mut Spec);
    let changes: &[(&str, Change)] = &[
        ("name", |spec| spec.name = "Not Plain".into()),
        ("argv is empty", |spec| spec.argv.clear()),
        ("argv[0]", |spec| spec.argv[0] = "python3".into()),
        ("working directory", |spec| spec.cwd = "/tmp/../etc".into()),
        ("bind source", |spec| {
            spec.binds.push(Bind {
                source: "relative".into(),
                target: "/x".into(),
            })
        }),
        ("belongs to the sandbox", |spec| {
            spec.binds.push(Bind {
                source: "/usr".into(),
                target: "/proc/self".into(),
            })
        }),
        ("belongs to the sandbox", |spec| {
            spec.binds.push(Bind {
                source: "/".into(),
                target: "/".into(),
            })
        }),
        ("without `..`", |spec| {
            spec.binds.push(Bind {
                source: "/usr".into(),
                target: "/x/../proc".into(),
            })
        }),
        ("no size", |spec| spec.scratch[0].bytes = 0),
        ("no size", |spec| spec.scratch[0].inodes = 0),
        ("/dev/shm", |spec| spec.shm_bytes = 0),
        ("outside 3", |spec| {
            spec.fds
                .push((std::fs::File::open("/dev/null").unwrap().into(), 2))
        }),
        ("not below", |spec| {
            spec.fds
                .push((std::fs::File::open("/dev/null").unwrap().into(), 255))
        }),
        ("given twice", |spec| {
            spec.fds
                .extend([3, 3].map(|number| (std::fs::File::open("/dev/null").unwrap().into(), number)))
        }),
        ("memory_bytes", |spec| spec.limits.memory_bytes = 0),
        ("limit wall", |spec| spec.limits.wall = std::time::Duration::ZERO),
    ];
    for (expected, change) in changes {
        let mut spec = kit::code("spec", "");
        spec.limits.open_files = 200;
        change(&mut spec);
        let error = spawn_error(spec);
        assert!(matches!(error, SpawnError::InvalidSpec(_)), "{error}");
        assert!(
            error.to_string().contains(expected),
            "{error} does not say {expected}"
        );
    }
}
