//! Runs a command confined and says how it ended: `prism-confine [OPTIONS] -- COMMAND...`.
//!
//! For people who want to see what the sandbox does to a program and to measure it, and for the tests, which use it as a caller that can be killed. It
//! is its own helper. It must never be used to run an evaluation: it measures nothing and keeps nothing.
#![allow(clippy::print_stdout, clippy::print_stderr)] // A command-line program speaks through both.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use prism_core::advice::Advice as _;
use prism_core::escape::escape_for_terminal;
use prism_sandbox::{
    Bind, Freezer, Helper, Limits, MemoryCap, OutputPolicy, Preferences, Sandbox, Spec, preflight_with,
};

const USAGE: &str = "usage: prism-confine [OPTIONS] -- COMMAND...

  --bind PATH           show this path of the host inside, read-only (repeatable)
  --freezer WAY         insist on cgroup-v1, cgroup-v2 or signals
  --memory-cap WAY      insist on cgroup-v1, cgroup-v2 or watchdog
  --memory-mib N        memory of the whole tree (default 8192)
  --wall-seconds N      wall-clock limit (default 3600)
  --freezes N           after 8 s, freeze and thaw N times and print the medians
  --stay-frozen         freeze, and stay so until killed
  --deaf                closed to what other sandboxes leave in the kernel";

struct Options {
    binds: Vec<Bind>,
    preferences: Preferences,
    limits: Limits,
    freezes: u32,
    stay_frozen: bool,
    deaf: bool,
    command: Vec<OsString>,
}

fn main() -> ExitCode {
    prism_sandbox::run_init_if_asked();
    let Some(options) = parse(std::env::args_os().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(3)
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = OsString>) -> Option<Options> {
    let mut options = Options {
        binds: Vec::new(),
        preferences: Preferences::default(),
        limits: Limits {
            memory_bytes: 8 << 30,
            processes: 256,
            file_bytes: 1 << 30,
            open_files: 1024,
            cpu_seconds: 3600,
            wall: Duration::from_secs(3600),
            output_bytes: 1 << 20,
        },
        freezes: 0,
        stay_frozen: false,
        deaf: false,
        command: Vec::new(),
    };
    loop {
        let name = arguments.next()?;
        let mut value = || arguments.next().and_then(|value| value.into_string().ok());
        match name.to_str()? {
            "--" => break,
            "--stay-frozen" => options.stay_frozen = true,
            "--deaf" => options.deaf = true,
            "--bind" => options.binds.push(Bind::same(PathBuf::from(value()?))),
            "--freezes" => options.freezes = value()?.parse().ok()?,
            "--memory-mib" => {
                options.limits.memory_bytes = value()?.parse::<u64>().ok()?.checked_mul(1 << 20)?
            }
            "--wall-seconds" => options.limits.wall = Duration::from_secs(value()?.parse().ok()?),
            "--freezer" => {
                options.preferences.freezer = Some(match value()?.as_str() {
                    "cgroup-v1" => Freezer::CgroupV1,
                    "cgroup-v2" => Freezer::CgroupV2,
                    "signals" => Freezer::InitSignals,
                    _ => return None,
                });
            }
            "--memory-cap" => {
                options.preferences.memory_cap = Some(match value()?.as_str() {
                    "cgroup-v1" => MemoryCap::CgroupV1,
                    "cgroup-v2" => MemoryCap::CgroupV2,
                    "watchdog" => MemoryCap::Watchdog,
                    _ => return None,
                });
            }
            _ => return None,
        }
    }
    options.command.extend(arguments);
    (!options.command.is_empty()).then_some(options)
}

fn run(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    let helper = Helper::default();
    let before = Instant::now();
    let capabilities = preflight_with(&helper, options.preferences).map_err(|error| error.told())?;
    eprintln!(
        "preflight: {:?} mode, memory cap {:?}, freezer {:?}, in {:.1} ms",
        capabilities.mode,
        capabilities.memory_cap,
        capabilities.freezer,
        millis(before.elapsed())
    );
    let mut spec = Spec::new("confine", options.command, options.limits);
    spec.binds.extend(options.binds);
    spec.output = OutputPolicy::Truncate;
    spec.deaf = options.deaf;
    let env = [
        ("PATH", "/usr/bin:/bin"),
        ("HOME", "/tmp"),
        ("TMPDIR", "/tmp"),
        ("USER", "sandbox"),
        ("LANG", "C.UTF-8"),
    ];
    spec.env = env.map(|(name, value)| (name.into(), value.into())).into();
    let before = Instant::now();
    let sandbox = Sandbox::spawn(&helper, &capabilities, spec).map_err(|error| error.told())?;
    eprintln!("spawn to running: {:.1} ms", millis(before.elapsed()));
    if options.stay_frozen {
        sandbox.freeze()?;
        eprintln!("frozen");
    }
    if options.freezes > 0 {
        measure_freezing(&sandbox, options.freezes);
    }
    let ending = sandbox.wait(None);
    let logs = sandbox.logs();
    print!("{}", escape_for_terminal(&logs.stdout));
    eprint!("{}", escape_for_terminal(&logs.stderr));
    let usage = sandbox.usage();
    eprintln!(
        "ending: {ending:?}, peak {} MiB, {:.2} s CPU, {:.1} ms in all",
        usage.peak_memory_bytes >> 20,
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
