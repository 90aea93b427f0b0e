//! Starts workers in sandboxes: the adapter between the referee, which knows no sandbox, and the sandbox, which knows
//! no referee.
//!
//! Decides what each role may see. An auditor and a claimant never see the training script: their copy of the bundle
//! does not hold it ([`crate::seats`]). Used by [`crate::evaluate`] and [`crate::instantiate`] alone.

use std::{
    ffi::OsString,
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use prism_core::advice::Advice;
use prism_core::{
    failure::Failure,
    outcome::Reason,
    recipe::{Device, Recipe},
};
use prism_referee::{
    message::Role,
    party::{Output, Party},
    plan::WorkerPaths,
    worker::{ControlError, Exit, Launcher, Process, Usage},
};
use prism_runtime::{
    Runtime, SANDBOX_PATH,
    views::{Seat, Views},
};
use prism_sandbox::{
    Bind, CallerNeeds, Capabilities, Devices, Ending, FreezeError, Helper, Limits, MappedPages, OutputPolicy,
    Sandbox, SealError, Spec, Tmpfs, call_name,
};

use crate::{
    compiler,
    recorder::{Hush, Recorder},
    seats::Unpacked,
    slot::Slot,
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
    /// The name of a [`Party`].
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
    /// What each seat sees of interpreter and system.
    pub views: &'a Views,
    /// What each seat sees of the run.
    pub unpacked: &'a Unpacked,
    /// The constants.
    pub recipe: &'a Recipe,
    /// The part of the machine that the run has, where it does not have what the caller has.
    pub slot: Option<&'a Slot>,
    /// What the processes wrote, once they are dead.
    pub logs: Arc<Mutex<Vec<CapturedLog>>>,
    /// What the seals could not see to.
    pub seals: Arc<Seals>,
    /// Writes what they print as it comes, where there is a directory for it.
    pub recorder: Recorder,
}

/// What is known of the seals of a run.
#[derive(Debug, Default)]
pub(crate) struct Seals {
    /// Why file pages of a sealed process could not be locked into memory, if they could not.
    not_locked: Mutex<Option<String>>,
}

impl Seals {
    /// Why file pages of a sealed process could not be locked into memory, if they could not.
    pub(crate) fn not_locked(&self) -> Option<String> {
        self.not_locked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn note(&self, pages: MappedPages) {
        if let MappedPages::NotLocked { why } = pages {
            *self.not_locked.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
        }
    }
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
    /// Everything of the host that a seat sees.
    fn binds(&self, seat: Seat) -> Vec<Bind> {
        let bind = |source: PathBuf, target: &str| Bind {
            source,
            target: target.into(),
        };
        let views = self.views.binds(seat).into_iter();
        views
            .map(|bind| Bind {
                source: bind.source,
                target: bind.target,
            })
            .chain([
                bind(self.unpacked.sources(seat), RUNTIME_DIR),
                bind(self.unpacked.bundle(seat), BUNDLE_DIR),
            ])
            .collect()
    }

    /// Everything of the machine that a process of the run can read.
    pub(crate) fn sources(&self) -> Vec<PathBuf> {
        Seat::ALL
            .into_iter()
            .flat_map(|seat| self.binds(seat))
            .map(|bind| bind.source)
            .collect()
    }

    /// The process of CPython's compiler: it sits where the learner will, and reads the very files that the learner will import.
    pub(crate) fn compiler_spec<'p>(&self, files: impl Iterator<Item = &'p str>) -> Spec {
        let limits = &self.recipe.sandbox;
        let options = ["-I", "-S", "-B"].map(OsString::from);
        let argv = [self.runtime.python.as_os_str().to_owned()]
            .into_iter()
            .chain(options)
            .chain([format!("{RUNTIME_DIR}/compile_bundle.py").into()])
            .chain(files.map(OsString::from));
        let mut spec = Spec::new(
            "compiler",
            argv.collect(),
            Limits {
                memory_bytes: compiler::COMPILE_MEMORY_BYTES.min(limits.learner_memory_bytes),
                processes: limits.max_processes,
                file_bytes: limits.scratch_bytes,
                open_files: limits.max_open_files,
                cpu_seconds: compiler::COMPILE_TIME.as_secs(),
                wall: compiler::COMPILE_TIME,
                output_bytes: compiler::COMPILE_OUTPUT_BYTES,
            },
        );
        spec.binds = self.binds(Seat::Learner);
        spec.cwd = PathBuf::from(BUNDLE_DIR);
        spec.loopback = false;
        spec.env = environment(self.recipe, Role::Learner);
        spec.cpus = self.cpus();
        spec
    }

    fn cpus(&self) -> Option<Vec<usize>> {
        self.slot.map(|slot| slot.cpus.iter().copied().collect())
    }

    fn spec(&self, party: Party, socket: OwnedFd, segment: OwnedFd) -> Spec {
        let role = party.role();
        let limits = &self.recipe.sandbox;
        let argv = [
            self.runtime.python.as_os_str().into(),
            "-P".into(),
            "-s".into(),
            "-B".into(),
            format!("{RUNTIME_DIR}/boot.py").into(),
        ];
        let mut spec = Spec::new(party.name(), argv.to_vec(), sandbox_limits(self.recipe, role));
        spec.binds = self.binds(seat(party));
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
        // The learner knows the text of the current step; the others must not hear of it.
        spec.deaf = party.is_sealed();
        // One process trains, so that nobody needs to connect to anybody.
        spec.loopback = false;
        spec.seal_socket = party.is_sealed().then_some(SOCKET_FD);
        spec.sweep_caches = party.is_sealed() && limits.sweep_caches;
        spec.env = environment(self.recipe, role);
        spec.devices = devices(self.recipe, self.slot);
        spec.cpus = self.cpus();
        spec
    }
}

/// The limits of a worker's sandbox.
fn sandbox_limits(recipe: &Recipe, role: Role) -> Limits {
    let limits = &recipe.sandbox;
    // The session has its own limits for every wait; these are the net below it. An honest run never meets them.
    let wall =
        Duration::from_secs(2 * (recipe.budget.time_limit_seconds + 10 * limits.startup_seconds + 3600));
    Limits {
        memory_bytes: match role {
            Role::Learner => limits.learner_memory_bytes,
            Role::Auditor | Role::Claimant => limits.auditor_memory_bytes,
        },
        processes: limits.max_processes,
        file_bytes: limits.scratch_bytes,
        open_files: limits.max_open_files,
        // Every thread that the recipe gives, busy all the time.
        cpu_seconds: wall.as_secs() * u64::from(recipe.compute.threads),
        wall,
        output_bytes: limits.max_log_bytes,
    }
}

fn devices(recipe: &Recipe, slot: Option<&Slot>) -> Devices {
    match recipe.compute.device {
        Device::Cpu => Devices::None,
        Device::Cuda => Devices::Nvidia {
            minors: vec![slot.and_then(|slot| slot.device).unwrap_or(0)],
        },
    }
}

/// What the workers of a recipe need of the limits that this process was started with: inside, no limit may be lower than
/// the recipe says.
pub(crate) fn caller_needs(recipe: &Recipe) -> CallerNeeds {
    let devices = devices(recipe, None);
    [Role::Learner, Role::Auditor, Role::Claimant]
        .into_iter()
        .map(|role| CallerNeeds::of(&sandbox_limits(recipe, role), &devices))
        .fold(CallerNeeds::default(), CallerNeeds::with)
}

/// Where a process sits: which of the views it sees. A check sits where the claimant would, and its import of the training
/// script where the learner would.
fn seat(party: Party) -> Seat {
    match party {
        Party::Learner | Party::SmokeLearner => Seat::Learner,
        Party::Auditor => Seat::Auditor,
        Party::Replay => Seat::Replay,
        Party::Claimant | Party::Smoke => Seat::Claimant,
        Party::HeldOutAuditor => Seat::HeldOutAuditor,
        Party::KeptAuditor => Seat::KeptAuditor,
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
    fn launch(&mut self, party: Party, segment: OwnedFd) -> Result<(UnixStream, Box<dyn Process>), Failure> {
        let unavailable = |what: &str, error: &dyn Advice| Failure {
            detail: format!("{what}: {error}"),
            ..Failure::of(Reason::SandboxUnavailable, error)
        };
        let (ours, theirs) =
            UnixStream::pair().map_err(|error| unavailable("no socket for a worker", &error))?;
        let spec = self.spec(party, theirs.into(), segment);
        let memory_limit_bytes = spec.limits.memory_bytes;
        let sandbox = Sandbox::spawn(self.helper, self.capabilities, spec)
            .map_err(|error| unavailable("a sandbox cannot be started", &error))?;
        if party.output() == Output::Shown {
            let reader = sandbox.log_reader();
            let output = Box::new(move |stdout, stderr| reader.beyond(stdout, stderr));
            self.recorder.follow(party.name(), output);
        }
        let process = SandboxProcess {
            sandbox,
            memory_limit_bytes,
            recorder: self.recorder.clone(),
            answering: None,
            party,
            seals: Arc::clone(&self.seals),
            logs: Arc::clone(&self.logs),
            captured: false,
        };
        Ok((ours, Box::new(process)))
    }
}

/// A sandbox as the referee sees it.
struct SandboxProcess {
    sandbox: Sandbox,
    memory_limit_bytes: u64,
    recorder: Recorder,
    /// While it answers: nothing is written then.
    answering: Option<Hush>,
    party: Party,
    seals: Arc<Seals>,
    logs: Arc<Mutex<Vec<CapturedLog>>>,
    captured: bool,
}

impl Process for SandboxProcess {
    fn freeze(&mut self) -> Result<(), ControlError> {
        let frozen = self.sandbox.freeze().map_err(|error| control_error(&error));
        self.answering = None;
        frozen
    }

    fn thaw(&mut self) -> Result<(), ControlError> {
        if self.party.is_sealed() {
            self.answering = Some(self.recorder.hush());
        }
        self.sandbox.thaw().map_err(|error| control_error(&error))
    }

    fn seal(&mut self) -> Result<(), ControlError> {
        let pages = self.sandbox.seal().map_err(|error| match error {
            SealError::Ended => ControlError::Ended,
            SealError::Timeout { .. } | SealError::Init(_) => ControlError::Broken(error.to_string()),
        })?;
        self.seals.note(pages);
        Ok(())
    }

    fn wait(&mut self, timeout: Duration) -> Option<Exit> {
        self.sandbox.wait(Some(timeout)).map(exit_of)
    }

    fn kill(&mut self) -> Exit {
        let ending = self.sandbox.kill();
        self.answering = None;
        self.capture();
        exit_of(ending)
    }

    fn usage(&mut self) -> Usage {
        let usage = self.sandbox.usage();
        Usage {
            peak_memory_bytes: usage.peak_memory_bytes,
            memory_limit_bytes: self.memory_limit_bytes,
            cpu_seconds: usage.cpu_seconds,
        }
    }
}

impl SandboxProcess {
    /// Keeps what was written, once, unless it could quote secret text.
    fn capture(&mut self) {
        if !std::mem::replace(&mut self.captured, true) && self.party.output() == Output::Shown {
            let logs = self.sandbox.logs();
            let log = CapturedLog {
                name: self.party.name().into(),
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
        Ending::SealBroken(call) => {
            Exit::SealBroken(call_name(call).map_or_else(|| format!("number {call}"), str::to_owned))
        }
        Ending::OutOfMemory => Exit::OutOfMemory,
        Ending::MachineOutOfMemory => Exit::MachineOutOfMemory,
        Ending::CpuTime => Exit::CpuTime,
        Ending::KilledByCaller => Exit::Killed,
        Ending::WallTime => Exit::WallTime,
        Ending::OutputLimit => Exit::Sandbox("its output limit ended it, although output is only cut".into()),
        Ending::HelperDied => Exit::Sandbox("its helper process was killed from outside".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_process_of_a_run_has_a_seat_of_its_own() {
        let seats = [
            Party::Learner,
            Party::Auditor,
            Party::Replay,
            Party::Claimant,
            Party::HeldOutAuditor,
            Party::KeptAuditor,
        ];
        assert_eq!(seats.map(seat), Seat::ALL);
    }
}
