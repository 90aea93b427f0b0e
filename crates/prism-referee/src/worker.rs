//! A worker as the referee sees it: a connection, a process that can be frozen, and the ways in which it can end.
//!
//! The referee knows neither sandboxes nor Python: the engine hands it a [`Launcher`]. Tests hand it threads that
//! speak the protocol, honestly or not. Every ending becomes a [`Failure`] with a stable reason here and nowhere else.

use std::{
    os::{fd::OwnedFd, unix::net::UnixStream},
    time::{Duration, Instant},
};

use prism_core::{
    failure::Failure,
    outcome::{Fault, Reason},
};

use crate::{
    connection::{Cancel, Connection, ConnectionError},
    frame::{FrameError, Kind},
    message::{self, Failed, Phase, Role},
    party::{Output, Party},
};

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this status.
    Code(i32),
    /// By a signal that nobody here sent.
    Signal(i32),
    /// By a system call that the sandbox forbids.
    ForbiddenSyscall,
    /// By this system call, which a sealed process may not make.
    SealBroken(String),
    /// At its memory limit.
    OutOfMemory,
    /// Below its memory limit, because the machine had no more: the operator's matter.
    MachineOutOfMemory,
    /// At its limit of processor time.
    CpuTime,
    /// At the wall-clock limit of its sandbox.
    WallTime,
    /// Because the referee killed it.
    Killed,
    /// It never started, or its sandbox broke: the operator's matter.
    Sandbox(String),
}

/// What a process has used.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Largest memory of the whole tree, in bytes.
    pub peak_memory_bytes: u64,
    /// What it may use, in bytes.
    pub memory_limit_bytes: u64,
    /// Processor time of the whole tree, in seconds.
    pub cpu_seconds: f64,
}

/// Why a tree of processes could not be stopped or let go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlError {
    /// Its end has begun; how it ended can be waited for.
    Ended,
    /// Some process of it did not stand still in time.
    Restless(String),
    /// The freezer itself failed.
    Broken(String),
}

/// A sandboxed process tree. Dropping it kills it.
pub trait Process: Send {
    /// Stops every process of the tree; returns when all of them stand still.
    fn freeze(&mut self) -> Result<(), ControlError>;
    /// Lets them run again.
    fn thaw(&mut self) -> Result<(), ControlError>;
    /// Seals the tree, for good: hardly a system call passes from now on, and any other one ends it.
    fn seal(&mut self) -> Result<(), ControlError>;
    /// Waits for the end, at most `timeout`; `None` if it still runs.
    fn wait(&mut self, timeout: Duration) -> Option<Exit>;
    /// Kills the tree and reaps it.
    fn kill(&mut self) -> Exit;
    /// What it has used so far.
    fn usage(&mut self) -> Usage;
}

/// Starts workers.
pub trait Launcher {
    /// Starts one, with the segment as its descriptor 4; returns our end of its socket.
    fn launch(&mut self, party: Party, segment: OwnedFd) -> Result<(UnixStream, Box<dyn Process>), Failure>;
}

/// Most warnings that are kept of one worker.
const NOTES_MAX: usize = 32;
/// How long a process that has closed its socket is given to end.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// How long a process whose end has begun is given to be gone: to give back many gigabytes takes seconds.
const LAST_BREATH: Duration = Duration::from_mins(2);

/// A running worker.
pub struct Worker {
    party: Party,
    connection: Connection,
    process: Box<dyn Process>,
    frozen: bool,
    notes: Vec<String>,
    failed: Option<Failed>,
}

impl Worker {
    /// Starts one and sends its configuration.
    pub fn start(
        launcher: &mut dyn Launcher,
        party: Party,
        segment: OwnedFd,
        config: &[u8],
        cancel: &Cancel,
        deadline: Instant,
    ) -> Result<Self, Failure> {
        let (stream, process) = launcher.launch(party, segment)?;
        let connection = Connection::new(stream, cancel.clone())
            .map_err(|error| Failure::internal("a worker's socket cannot be set up", &error))?;
        let mut worker = Self {
            party,
            connection,
            process,
            frozen: false,
            notes: Vec::new(),
            failed: None,
        };
        worker.send(Kind::Config, deadline, |out| out.extend_from_slice(config))?;
        Ok(worker)
    }

    /// Who it is.
    pub fn role(&self) -> Role {
        self.party.role()
    }

    /// Warnings for the report.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Its own account of why it gave up, if it gave one.
    pub fn failed(&self) -> Option<&Failed> {
        self.failed.as_ref()
    }

    /// The process, for its usage.
    pub fn process(&mut self) -> &mut dyn Process {
        self.process.as_mut()
    }

    /// Stops it.
    pub fn freeze(&mut self) -> Result<(), Failure> {
        if !self.frozen {
            self.process
                .freeze()
                .map_err(|error| self.control_failure("frozen", error))?;
            self.frozen = true;
        }
        Ok(())
    }

    /// Lets it go on.
    pub fn thaw(&mut self) -> Result<(), Failure> {
        if self.frozen {
            self.process
                .thaw()
                .map_err(|error| self.control_failure("thawed", error))?;
            self.frozen = false;
        }
        Ok(())
    }

    /// Seals it.
    pub fn seal(&mut self) -> Result<(), Failure> {
        self.process
            .seal()
            .map_err(|error| self.control_failure("sealed", error))
    }

    fn control_failure(&mut self, verb: &str, error: ControlError) -> Failure {
        let role = self.party.role().as_str();
        // A tree that is gone cannot be frozen: then its own ending is the reason, not the freezer.
        let patience = match error {
            ControlError::Ended => LAST_BREATH,
            ControlError::Restless(_) | ControlError::Broken(_) => Duration::ZERO,
        };
        if let Some(exit) = self.process.wait(patience) {
            return self.exit_failure(&exit);
        }
        match error {
            ControlError::Ended => Failure::new(
                Reason::ProtocolViolation,
                format!(
                    "the {role} ended, and not all of it was gone {} s later",
                    LAST_BREATH.as_secs()
                ),
            ),
            ControlError::Restless(why) => Failure::new(
                Reason::ProtocolViolation,
                format!("the {role} does not stand still when it must: {why}"),
            ),
            ControlError::Broken(why) => {
                Failure::new(Reason::Internal, format!("the {role} cannot be {verb}: {why}"))
            }
        }
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Sends a frame.
    pub fn send(
        &mut self,
        kind: Kind,
        deadline: Instant,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), Failure> {
        match self.connection.send(kind, deadline, write) {
            Ok(()) => Ok(()),
            Err(error) => Err(self.connection_failure(error)),
        }
    }

    /// Waits for the next frame that is neither NOTE nor FAILED; copies its body into `body`.
    pub fn receive(&mut self, deadline: Instant, body: &mut Vec<u8>) -> Result<Kind, Failure> {
        loop {
            let kind = match self.connection.receive(deadline) {
                Ok((kind, bytes)) => {
                    body.clear();
                    body.extend_from_slice(bytes);
                    kind
                }
                Err(error) => return Err(self.connection_failure(error)),
            };
            match kind {
                Kind::Note => {
                    let note = message::parse_note(body).map_err(|error| self.violation(&error))?;
                    if self.notes.len() < NOTES_MAX {
                        self.notes.push(note);
                    }
                }
                Kind::Failed => {
                    let failed = message::parse_failed(body).map_err(|error| self.violation(&error))?;
                    let failure = self.gave_up(&failed);
                    self.failed = Some(failed);
                    return Err(failure);
                }
                kind => return Ok(kind),
            }
        }
    }

    /// Waits for exactly this kind.
    pub fn expect(&mut self, kind: Kind, deadline: Instant, body: &mut Vec<u8>) -> Result<(), Failure> {
        match self.receive(deadline, body)? {
            got if got == kind => Ok(()),
            got => Err(self.violation(&FrameError::Unexpected {
                got,
                expected: kind.name(),
            })),
        }
    }

    /// A frame that the protocol does not allow.
    pub fn violation(&self, error: &FrameError) -> Failure {
        let role = self.party.role().as_str();
        let detail = match self.party.output() {
            Output::Shown => format!("the {role} sent {error}"),
            // A length that it promises is a number of its own choice.
            Output::Withheld => format!("the {role} sent a frame that the protocol does not allow"),
        };
        Failure::new(Reason::ProtocolViolation, detail)
    }

    fn connection_failure(&mut self, error: ConnectionError) -> Failure {
        let role = self.party.role().as_str();
        match error {
            ConnectionError::Cancelled => Failure::new(Reason::Cancelled, "the run was cancelled"),
            ConnectionError::Frame(error) => self.violation(&error),
            ConnectionError::Io(error) => Failure::internal("a worker's socket failed", &error),
            ConnectionError::Timeout => {
                let reason = match self.party.role() {
                    Role::Learner => Reason::TimeLimit,
                    Role::Auditor | Role::Claimant => Reason::AuditorTimeout,
                };
                Failure::new(reason, format!("the {role} gave no answer in time"))
            }
            ConnectionError::Closed => match self.process.wait(LAST_WORDS) {
                Some(exit) => self.exit_failure(&exit),
                None => Failure::new(
                    Reason::ProtocolViolation,
                    format!("the {role} closed its connection and went on running"),
                ),
            },
        }
    }

    /// What an ending that nobody asked for means.
    fn exit_failure(&mut self, exit: &Exit) -> Failure {
        let role = self.party.role().as_str();
        let (reason, detail) = match exit {
            Exit::Code(code) => (
                match self.party.role() {
                    Role::Learner => Reason::LearnerExited,
                    Role::Auditor | Role::Claimant => Reason::AuditorDied,
                },
                format!("the {role}'s process ended by itself with status {code}"),
            ),
            Exit::Signal(signal) => (
                Reason::KilledBySignal,
                format!("the {role}'s process was killed by signal {signal}"),
            ),
            Exit::ForbiddenSyscall => (
                Reason::ForbiddenSyscall,
                format!("the {role} made a system call that the sandbox ends a process for"),
            ),
            Exit::SealBroken(call) => (Reason::AuditorSealed, seal_broken(call)),
            Exit::OutOfMemory => (
                Reason::OutOfMemory,
                format!(
                    "the {role} went over its memory limit: {}",
                    memory_words(&self.process.usage())
                ),
            ),
            Exit::MachineOutOfMemory => (
                Reason::Resources,
                format!(
                    "the {role} was killed below its memory limit because this machine ran out of memory ({}): free \
                     some, or run on a machine that has what the recipe allows",
                    memory_words(&self.process.usage())
                ),
            ),
            Exit::CpuTime => (Reason::CpuTime, format!("the {role} used up its processor time")),
            Exit::WallTime => (
                match self.party.role() {
                    Role::Learner => Reason::TimeLimit,
                    Role::Auditor | Role::Claimant => Reason::AuditorTimeout,
                },
                format!("the {role} ran longer than a whole run may take"),
            ),
            Exit::Killed => (
                Reason::Internal,
                format!("the {role} was killed by the referee too early"),
            ),
            Exit::Sandbox(why) => (
                Reason::SandboxUnavailable,
                format!("the {role}'s sandbox failed: {why}"),
            ),
        };
        match self.party.output() {
            // The worker chooses its exit status too, so that could carry secret text.
            Output::Withheld if reason.fault() == Some(Fault::Miner) => {
                Failure::new(reason, format!("the {role} ended before it had answered"))
            }
            _ => Failure::new(reason, detail),
        }
    }

    fn gave_up(&mut self, failed: &Failed) -> Failure {
        let by_phase = match failed.phase {
            Phase::ImportArchitecture => Reason::ArchitectureImport,
            Phase::ImportTraining => Reason::TrainingImport,
            Phase::BuildModel => Reason::BuildModelException,
            Phase::Train => Reason::TrainException,
            Phase::Forward => Reason::ForwardException,
        };
        let reason = match failed.reason.as_str() {
            "exception" => by_phase,
            "out_of_memory" => Reason::OutOfMemory,
            "artifact_quota" => Reason::ArtifactQuota,
            "process_limit" => Reason::ProcessLimit,
            "claims_missing" => Reason::ClaimsMissing,
            "logits_shape" => Reason::LogitsShape,
            "batch_shape" => Reason::BatchShape,
            "tokenizer_mismatch" => Reason::TokenizerMismatch,
            "not_a_module" => Reason::NotAModule,
            "snapshot_changed" => Reason::SnapshotChanged,
            "parameter_cap" => Reason::ParameterCap,
            "snapshot_cap" => Reason::SnapshotCap,
            "snapshot_dtype" => Reason::SnapshotDtype,
            "contract" => Reason::Contract,
            _ => Reason::ProtocolViolation,
        };
        if self.party.output() == Output::Withheld {
            // Even the name of its exception can be made of the text.
            return Failure::new(
                reason,
                format!(
                    "the {} gave up on held-out text; what it said is withheld, because it could quote it",
                    self.party.role().as_str()
                ),
            );
        }
        let mut detail = failed.raised();
        if reason == Reason::OutOfMemory {
            detail = format!("{detail}\n{}", memory_words(&self.process.usage()));
        }
        let traceback = (!failed.traceback.is_empty()).then(|| failed.traceback.clone());
        Failure {
            reason,
            detail: format!("{} ({})", detail, self.party.role().as_str()),
            hint: None,
            traceback,
        }
    }
}

/// How much memory a process may have and had, in words.
pub fn memory_words(usage: &Usage) -> String {
    let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
    format!(
        "its limit of main memory is {} MB, and the most it had was {} MB",
        megabytes(usage.memory_limit_bytes),
        megabytes(usage.peak_memory_bytes)
    )
}

fn seal_broken(call: &str) -> String {
    format!(
        "`forward` made the system call `{call}` where it was to answer: from the first batch on it may compute and allocate \
         memory, and ask the system for nothing else. Import at the top of the file what `forward` needs, and do \
         what is done only once in `build_model` or in the first forward; `prism check` finds this beforehand"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_and_peak_are_told_with_their_unit() {
        let usage = Usage {
            peak_memory_bytes: 3_221_000_001,
            memory_limit_bytes: 3_221_225_472,
            ..Usage::default()
        };
        assert_eq!(
            memory_words(&usage),
            "its limit of main memory is 3222 MB, and the most it had was 3222 MB"
        );
    }
}
