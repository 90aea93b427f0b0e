//! Starts workers in sandboxes: the adapter between the referee, which knows no sandbox, and the sandbox, which knows
//! no referee.
//!
//! Decides what each role may see. An auditor and a claimant never see the training script: their copy of the bundle
//! does not hold it. Used by [`crate::evaluate`] and
//! [`crate::instantiate`] alone.

use std::{
    ffi::OsString,
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use prism_core::{
    outcome::Reason,
    recipe::{Device, Recipe},
};
use prism_referee::{
    message::Role,
    plan::WorkerPaths,
    worker::{ControlError, Exit, Failure, Launcher, Output, Process, Usage},
};
use prism_runtime::{Runtime, SANDBOX_PATH};
use prism_sandbox::{
    Bind, Capabilities, Devices, Ending, FreezeError, Helper, Limits, OutputPolicy, Sandbox, Spec, Tmpfs,
    system_binds,
};

/// Where the bundle lies inside.
const BUNDLE_DIR: &str = "/prism/bundle";
/// Where the Python sources of the runtime lie inside.
const RUNTIME_DIR: &str = "/prism/runtime";
/// `ctx.artifacts_dir`.
const ARTIFACTS_DIR: &str = "/artifacts";
/// `ctx.data_dir`: empty.
const DATA_DIR: &str = "/data";
/// Home, temporary files and compile caches.
const TEMP_DIR: &str = "/tmp";
/// The descriptors of the protocol.
const SOCKET_FD: i32 = 3;
const SEGMENT_FD: i32 = 4;

/// What one process wrote, for the run's logs.
#[derive(Clone, Debug)]
pub(crate) struct CapturedLog {
    /// `learner`, `auditor`, `auditor-again`.
    pub name: String,
    /// What it wrote to stdout, bounded.
    pub stdout: Vec<u8>,
    /// What it wrote to stderr, bounded.
    pub stderr: Vec<u8>,
}

/// Everything a worker needs.
pub(crate) struct SandboxLauncher<'a> {
    /// The executable that becomes the sandbox's init.
    pub helper: &'a Helper,
    /// What this machine can do.
    pub capabilities: &'a Capabilities,
    /// The interpreter.
    pub runtime: &'a Runtime,
    /// The runtime's Python sources.
    pub sources_dir: &'a Path,
    /// The whole bundle, unpacked.
    pub learner_bundle: &'a Path,
    /// The bundle without its training script.
    pub auditor_bundle: &'a Path,
    /// The constants.
    pub recipe: &'a Recipe,
    /// What the processes wrote, once they are dead.
    pub logs: Arc<Mutex<Vec<CapturedLog>>>,
    /// Auditors started so far: the first one is the stream's.
    pub auditors: u32,
}

/// Where things lie inside a sandbox, for the workers' configuration.
pub(crate) fn worker_paths(architecture_file: &str, training_file: &str) -> WorkerPaths {
    WorkerPaths {
        bundle_dir: BUNDLE_DIR.into(),
        architecture_file: architecture_file.into(),
        training_file: training_file.into(),
        artifacts_dir: ARTIFACTS_DIR.into(),
        data_dir: DATA_DIR.into(),
    }
}

impl SandboxLauncher<'_> {
    fn name(&mut self, role: Role, output: Output) -> &'static str {
        match (role, output) {
            (Role::Learner, _) => "learner",
            (Role::Claimant, _) => "claimant",
            (Role::Auditor, Output::Withheld) => "heldout-auditor",
            (Role::Auditor, Output::Shown) => {
                self.auditors += 1;
                if self.auditors == 1 {
                    "auditor"
                } else {
                    "auditor-again"
                }
            }
        }
    }

    fn spec(&self, role: Role, name: &str, socket: OwnedFd, segment: OwnedFd) -> Spec {
        let limits = &self.recipe.sandbox;
        let (bundle, memory_bytes) = match role {
            Role::Learner => (self.learner_bundle, limits.learner_memory_bytes),
            Role::Auditor | Role::Claimant => (self.auditor_bundle, limits.auditor_memory_bytes),
        };
        // The session has its own limits for every wait; these are the net below it. An honest run never meets them.
        let wall = Duration::from_secs(
            2 * (self.recipe.budget.time_limit_seconds + 10 * limits.startup_seconds + 3600),
        );
        let argv = [
            self.runtime.python.as_os_str().into(),
            "-P".into(),
            "-s".into(),
            "-B".into(),
            format!("{RUNTIME_DIR}/boot.py").into(),
        ];
        let mut spec = Spec::new(
            name,
            argv.to_vec(),
            Limits {
                memory_bytes,
                processes: limits.max_processes,
                file_bytes: limits.scratch_bytes,
                open_files: limits.max_open_files,
                // Every thread that the recipe gives, busy all the time.
                cpu_seconds: wall.as_secs() * u64::from(self.recipe.compute.threads),
                wall,
                output_bytes: limits.max_log_bytes,
            },
        );
        let mut binds = system_binds();
        for dir in &self.runtime.read_only_dirs {
            let covered = binds.iter().any(|bind: &Bind| dir.starts_with(&bind.source));
            if !covered {
                binds.push(Bind::same(dir));
            }
        }
        binds.push(Bind {
            source: self.sources_dir.into(),
            target: PathBuf::from(RUNTIME_DIR),
        });
        binds.push(Bind {
            source: bundle.into(),
            target: PathBuf::from(BUNDLE_DIR),
        });
        spec.binds = binds;
        let scratch = |target: &str, bytes, inodes| Tmpfs {
            target: target.into(),
            bytes,
            inodes,
        };
        spec.scratch = vec![
            scratch(ARTIFACTS_DIR, limits.scratch_bytes, limits.scratch_inodes),
            scratch(TEMP_DIR, limits.scratch_bytes, limits.scratch_inodes),
            scratch(DATA_DIR, 65_536, 16),
        ];
        spec.shm_bytes = limits.shm_bytes;
        spec.cwd = PathBuf::from(TEMP_DIR);
        spec.fds = vec![(socket, SOCKET_FD), (segment, SEGMENT_FD)];
        spec.output = OutputPolicy::Truncate;
        // The learner knows the text of the current step; these must not hear of it.
        spec.deaf = role != Role::Learner;
        spec.env = environment(self.recipe, role);
        spec.devices = match self.recipe.compute.device {
            Device::Cpu => Devices::None,
            Device::Cuda => Devices::Nvidia { minors: vec![0] },
        };
        spec
    }
}

/// The whole environment of a worker: a short list, nothing inherited.
fn environment(recipe: &Recipe, role: Role) -> Vec<(OsString, OsString)> {
    let threads = recipe.compute.threads.to_string();
    let caches = [
        ("TORCHINDUCTOR_CACHE_DIR", "inductor"),
        ("TRITON_CACHE_DIR", "triton"),
        ("CUDA_CACHE_PATH", "cuda"),
    ];
    let mut env: Vec<(String, String)> = [
        ("PATH", SANDBOX_PATH),
        ("HOME", TEMP_DIR),
        ("TMPDIR", TEMP_DIR),
        ("USER", "prism"),
        ("LANG", "C.UTF-8"),
        ("PYTHONHASHSEED", "0"),
        ("PYTHONUNBUFFERED", "1"),
        ("CUBLAS_WORKSPACE_CONFIG", ":4096:8"),
        // Waiting threads sleep instead of spinning: with one other program on the machine a step of a small model was
        // measured six times slower with the default.
        ("OMP_WAIT_POLICY", "PASSIVE"),
        ("OMP_NUM_THREADS", &threads),
        ("MKL_NUM_THREADS", &threads),
        ("OPENBLAS_NUM_THREADS", &threads),
        ("TORCH_COMPILE_THREADS", "1"),
        ("TORCHINDUCTOR_COMPILE_THREADS", "1"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    env.extend(caches.map(|(name, dir)| (name.to_owned(), format!("{TEMP_DIR}/{dir}"))));
    if role != Role::Learner {
        // One small forward after the other: with the default thresholds of the allocator a third of their time goes
        // into page faults.
        env.extend(
            [
                ("MALLOC_TRIM_THRESHOLD_", "1073741824"),
                ("MALLOC_MMAP_THRESHOLD_", "1073741824"),
                ("MALLOC_TOP_PAD_", "67108864"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
    }
    env.into_iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

impl Launcher for SandboxLauncher<'_> {
    fn launch(
        &mut self,
        role: Role,
        output: Output,
        segment: OwnedFd,
    ) -> Result<(UnixStream, Box<dyn Process>), Failure> {
        let unavailable = |what: &str, error: &dyn std::fmt::Display| {
            Failure::new(Reason::SandboxUnavailable, format!("{what}: {error}"))
        };
        let (ours, theirs) =
            UnixStream::pair().map_err(|error| unavailable("no socket for a worker", &error))?;
        let name = self.name(role, output);
        let spec = self.spec(role, name, theirs.into(), segment);
        let sandbox = Sandbox::spawn(self.helper, self.capabilities, spec)
            .map_err(|error| unavailable("a sandbox cannot be started", &error))?;
        let process = SandboxProcess {
            sandbox,
            name,
            output,
            logs: Arc::clone(&self.logs),
            captured: false,
        };
        Ok((ours, Box::new(process)))
    }
}

/// A sandbox as the referee sees it.
struct SandboxProcess {
    sandbox: Sandbox,
    name: &'static str,
    output: Output,
    logs: Arc<Mutex<Vec<CapturedLog>>>,
    captured: bool,
}

impl Process for SandboxProcess {
    fn freeze(&mut self) -> Result<(), ControlError> {
        self.sandbox.freeze().map_err(|error| control_error(&error))
    }

    fn thaw(&mut self) -> Result<(), ControlError> {
        self.sandbox.thaw().map_err(|error| control_error(&error))
    }

    fn wait(&mut self, timeout: Duration) -> Option<Exit> {
        self.sandbox.wait(Some(timeout)).map(exit_of)
    }

    fn kill(&mut self) -> Exit {
        let ending = self.sandbox.kill();
        self.capture();
        exit_of(ending)
    }

    fn usage(&mut self) -> Usage {
        let usage = self.sandbox.usage();
        Usage {
            peak_memory_bytes: usage.peak_memory_bytes,
            cpu_seconds: usage.cpu_seconds,
        }
    }
}

impl SandboxProcess {
    /// Keeps what was written, once, unless it could quote secret text.
    fn capture(&mut self) {
        if !std::mem::replace(&mut self.captured, true) && self.output == Output::Shown {
            let logs = self.sandbox.logs();
            let log = CapturedLog {
                name: self.name.into(),
                stdout: logs.stdout,
                stderr: logs.stderr,
            };
            self.logs.lock().unwrap_or_else(PoisonError::into_inner).push(log);
        }
    }
}

impl Drop for SandboxProcess {
    fn drop(&mut self) {
        self.sandbox.kill();
        self.capture();
    }
}

fn control_error(error: &FreezeError) -> ControlError {
    match error {
        FreezeError::Ended => ControlError::Ended,
        FreezeError::Timeout { .. } | FreezeError::Init(_) => ControlError::Restless(error.to_string()),
        FreezeError::Control { .. } => ControlError::Broken(error.to_string()),
    }
}

fn exit_of(ending: Ending) -> Exit {
    match ending {
        Ending::Exited(code) => Exit::Code(code),
        Ending::Signalled(signal) => Exit::Signal(signal),
        Ending::ForbiddenSyscall => Exit::ForbiddenSyscall,
        Ending::OutOfMemory => Exit::OutOfMemory,
        Ending::MachineOutOfMemory => Exit::MachineOutOfMemory,
        Ending::CpuTime => Exit::CpuTime,
        Ending::KilledByCaller => Exit::Killed,
        Ending::WallTime => Exit::WallTime,
        Ending::OutputLimit => Exit::Sandbox("its output limit ended it, although output is only cut".into()),
        Ending::HelperDied => Exit::Sandbox("its helper process was killed from outside".into()),
    }
}
