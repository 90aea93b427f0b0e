//! Runs a command confined and says how it ended: `confine [--bind PATH]... [--freezes N] -- COMMAND...`.
//!
//! For people who want to see what the sandbox does to a program, and to measure it. It must never be used to run an evaluation.

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use prism_sandbox::{Bind, Helper, Limits, OutputPolicy, Sandbox, Spec, escape_for_terminal, preflight};

const LIMITS: Limits = Limits {
    memory_bytes: 8 << 30,
    processes: 256,
    file_bytes: 1 << 30,
    open_files: 1024,
    cpu_seconds: 3600,
    wall: Duration::from_secs(3600),
    output_bytes: 1 << 20,
};

fn main() -> ExitCode {
    prism_sandbox::run_init_if_asked();
    let mut binds = Vec::new();
    let mut freezes = 0_u32;
    let mut arguments = std::env::args_os().skip(1);
    let usage = "usage: confine [--bind PATH]... [--freezes N] -- COMMAND...";
    loop {
        match arguments.next().as_deref().and_then(|argument| argument.to_str()) {
            Some("--bind") => binds.extend(
                arguments
                    .next()
                    .map(|path| Bind::same(std::path::PathBuf::from(path))),
            ),
            Some("--freezes") => {
                freezes = arguments
                    .next()
                    .and_then(|number| number.to_str()?.parse().ok())
                    .unwrap_or(0)
            }
            Some("--") => break,
            _ => {
                eprintln!("{usage}");
                return ExitCode::from(2);
            }
        }
    }
    match run(arguments.collect(), binds, freezes) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(3)
        }
    }
}

fn run(argv: Vec<OsString>, binds: Vec<Bind>, freezes: u32) -> Result<(), Box<dyn std::error::Error>> {
    let helper = Helper::default();
    let before = Instant::now();
    let capabilities = preflight(&helper)?;
    eprintln!(
        "preflight: {capabilities:?} in {:.1} ms",
        millis(before.elapsed())
    );
    let mut spec = Spec::new("confine", argv, LIMITS);
    spec.binds.extend(binds);
    spec.output = OutputPolicy::Truncate;
    spec.env = [
        ("PATH", "/usr/bin:/bin"),
        ("HOME", "/tmp"),
        ("TMPDIR", "/tmp"),
        ("USER", "sandbox"),
        ("LANG", "C.UTF-8"),
    ]
    .map(|(name, value)| (name.into(), value.into()))
    .into();
    let before = Instant::now();
    let sandbox = Sandbox::spawn(&helper, &capabilities, spec)?;
    eprintln!("spawn to running: {:.1} ms", millis(before.elapsed()));
    if freezes > 0 {
        measure_freezing(&sandbox, freezes);
    }
    let ending = sandbox.wait(None);
    let logs = sandbox.logs();
    print!("{}", escape_for_terminal(&logs.stdout));
    eprint!("{}", escape_for_terminal(&logs.stderr));
    let usage = sandbox.usage();
    let peak_mib = usage.peak_memory_bytes >> 20;
    eprintln!(
        "ending: {ending:?}, peak {peak_mib} MiB, {:.2} s CPU, {:.1} ms in all",
        usage.cpu_seconds,
        millis(before.elapsed())
    );
    Ok(())
}

/// Freezes and thaws while the command runs, after giving it some seconds to get going.
fn measure_freezing(sandbox: &Sandbox, freezes: u32) {
    std::thread::sleep(Duration::from_secs(8));
    let (mut freeze_ms, mut thaw_ms) = (Vec::new(), Vec::new());
    for _ in 0..freezes {
        let before = Instant::now();
        if let Err(error) = sandbox.freeze() {
            eprintln!("freeze: {error}");
            break;
        }
        freeze_ms.push(millis(before.elapsed()));
        let before = Instant::now();
        if let Err(error) = sandbox.thaw() {
            eprintln!("thaw: {error}");
            break;
        }
        thaw_ms.push(millis(before.elapsed()));
        std::thread::sleep(Duration::from_millis(20));
    }
    for (what, mut times) in [("freeze", freeze_ms), ("thaw", thaw_ms)] {
        times.sort_by(f64::total_cmp);
        if let (Some(median), Some(most)) = (times.get(times.len() / 2), times.last()) {
            eprintln!(
                "{what} by {:?}: median {median:.3} ms, most {most:.3} ms, n = {}",
                sandbox.freezer(),
                times.len()
            );
        }
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
