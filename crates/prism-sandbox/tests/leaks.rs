//! The caller's own descriptors and threads: as many after a hundred endings as before. A program of its own, because it counts.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use std::time::Duration;

use prism_sandbox::{Ending, Helper, Limits, Sandbox, Spec, preflight};

fn count(what: &str) -> usize {
    std::fs::read_dir(format!("/proc/self/{what}")).unwrap().count()
}

#[test]
fn nothing_is_left_open_in_the_caller() {
    let helper = Helper {
        path: env!("CARGO_BIN_EXE_prism-confine").into(),
    };
    let capabilities = preflight(&helper).unwrap();
    let limits = Limits {
        memory_bytes: 64 << 20,
        processes: 8,
        file_bytes: 1 << 20,
        open_files: 64,
        cpu_seconds: 10,
        wall: Duration::from_secs(60),
        output_bytes: 1 << 10,
    };
    let round = || {
        let spec = |program: &str| Spec::new("leaks", vec![program.into()], limits);
        let sandbox = Sandbox::spawn(&helper, &capabilities, spec("/bin/true")).unwrap();
        assert_eq!(
            sandbox.wait(Some(Duration::from_secs(60))),
            Some(Ending::Exited(0))
        );
        drop(sandbox);
        let mut waiting = spec("/bin/sleep");
        waiting.argv.push("1000".into());
        waiting
            .fds
            .push((std::fs::File::open("/dev/null").unwrap().into(), 9));
        let mut sandbox = Sandbox::spawn(&helper, &capabilities, waiting).unwrap();
        sandbox.freeze().unwrap();
        assert_eq!(sandbox.kill(), Ending::KilledByCaller);
        drop(sandbox);
        assert!(Sandbox::spawn(&helper, &capabilities, spec("/no/such/program")).is_err());
    };
    round();
    let before = (count("fd"), count("task"));
    for _ in 0..10 {
        round();
    }
    assert_eq!((count("fd"), count("task")), before);
}
