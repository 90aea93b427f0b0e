//! The limits that the caller itself was started with, held against what its sandboxes need.
//!
//! A process inherits the limits of whoever started it, and nothing inside a sandbox can raise a hard one. So a limit around the caller (`ulimit`, a
//! service manager) would hold for the payload too, and the payload would be blamed for meeting it. Whoever starts sandboxes calls
//! [`CallerNeeds::provide`] before the first one: soft limits are raised as far as they are needed, and a hard limit that is too low is an error that
//! names it. It must never raise a hard limit: that is the decision of whoever set it.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;

use prism_core::advice::{Advice, Hint};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::spec::{Devices, Limits, PASSED_FDS_MAX, TARGET_FD_MAX};

/// Address space beyond the memory limit: libraries, stacks and arenas of threads that are mapped and never touched (measured: 3.8 GB for torch with
/// eight threads), and in the caller the files that it locks into memory.
const UNTOUCHED_ADDRESS_BYTES: u64 = 8 << 30;
/// Private writable mappings beyond the memory limit that are never touched.
pub(crate) const UNTOUCHED_DATA_BYTES: u64 = 2 << 30;
/// What every Linux gives a program by default.
const STACK_BYTES: u64 = 8 << 20;
/// Descriptors of a process that is being set up: each is kept above all numbers that a passed one may have.
const SETUP_FDS: u64 = TARGET_FD_MAX as u64 + 1 + PASSED_FDS_MAX as u64 + 32;

/// A limit that a process inherits and that its sandboxes depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallerLimit {
    /// Mappings of one process, in bytes.
    AddressSpace,
    /// Private writable mappings of one process, in bytes.
    Data,
    /// Processor time of one process, in seconds.
    CpuTime,
    /// Size of a file that is written, in bytes.
    FileSize,
    /// Descriptors of one process.
    OpenFiles,
    /// Processes and threads of one user.
    Processes,
    /// Stack of the main thread, in bytes.
    Stack,
}

impl CallerLimit {
    fn resource(self) -> Resource {
        match self {
            Self::AddressSpace => Resource::As,
            Self::Data => Resource::Data,
            Self::CpuTime => Resource::Cpu,
            Self::FileSize => Resource::Fsize,
            Self::OpenFiles => Resource::Nofile,
            Self::Processes => Resource::Nproc,
            Self::Stack => Resource::Stack,
        }
    }

    /// What people call it, and how a shell sets it.
    pub fn name(self) -> &'static str {
        match self {
            Self::AddressSpace => "address space (`ulimit -v`)",
            Self::Data => "data segment (`ulimit -d`)",
            Self::CpuTime => "processor time (`ulimit -t`)",
            Self::FileSize => "file size (`ulimit -f`)",
            Self::OpenFiles => "open files (`ulimit -n`)",
            Self::Processes => "processes and threads (`ulimit -u`)",
            Self::Stack => "stack (`ulimit -s`)",
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Self::AddressSpace | Self::Data | Self::FileSize | Self::Stack => "bytes",
            Self::CpuTime => "seconds",
            Self::OpenFiles => "files",
            Self::Processes => "processes and threads",
        }
    }

    /// An amount of it with its unit.
    pub fn amount(self, amount: Amount) -> String {
        match amount {
            Amount::AtMost(number) => format!("{} {}", grouped(number), self.unit()),
            Amount::Unlimited => "unlimited".to_owned(),
        }
    }

    /// The hard limit of this process.
    pub fn hard(self) -> Amount {
        getrlimit(self.resource())
            .maximum
            .map_or(Amount::Unlimited, Amount::AtMost)
    }
}

/// How much of something; the larger one is the more generous.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Amount {
    /// A number, in the unit of its limit.
    AtMost(u64),
    /// No limit at all.
    Unlimited,
}

/// What is needed of the caller's limits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallerNeeds(BTreeMap<CallerLimit, Amount>);

/// One hard limit of the caller that is too low.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLow {
    /// Which one.
    pub limit: CallerLimit,
    /// The hard limit.
    pub hard: Amount,
    /// What is needed.
    pub needed: Amount,
}

/// The hard limits of the caller that are too low.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerLimitsError {
    /// At least one.
    pub too_low: Vec<TooLow>,
    /// Soft limits that could not be raised, and the operating system's answers.
    pub not_raised: Vec<String>,
}

impl CallerNeeds {
    /// What a sandbox with these limits needs, so that none of them is lower inside than it was asked for.
    pub fn of(limits: &Limits, devices: &Devices) -> Self {
        let memory = |untouched_bytes| match devices {
            Devices::None => Amount::AtMost(limits.memory_bytes.saturating_add(untouched_bytes)),
            // The driver reserves many times more than there is.
            Devices::Nvidia { .. } => Amount::Unlimited,
        };
        Self::default()
            .and(CallerLimit::AddressSpace, memory(UNTOUCHED_ADDRESS_BYTES))
            .and(CallerLimit::Data, memory(UNTOUCHED_DATA_BYTES))
            .and(CallerLimit::CpuTime, Amount::AtMost(limits.cpu_seconds))
            .and(CallerLimit::FileSize, Amount::AtMost(limits.file_bytes))
            .and(
                CallerLimit::OpenFiles,
                Amount::AtMost(limits.open_files.max(SETUP_FDS)),
            )
            .and(CallerLimit::Processes, Amount::AtMost(limits.processes))
            .and(CallerLimit::Stack, Amount::AtMost(STACK_BYTES))
    }

    /// What any sandbox needs to be set up.
    pub(crate) fn of_setup() -> Self {
        Self::default().and(CallerLimit::OpenFiles, Amount::AtMost(SETUP_FDS))
    }

    /// As much of this limit in addition to everything else; of two amounts the larger one holds.
    #[must_use]
    pub fn and(mut self, limit: CallerLimit, amount: Amount) -> Self {
        let needed = self.0.entry(limit).or_insert(amount);
        *needed = amount.max(*needed);
        self
    }

    /// All needs of both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        other
            .0
            .into_iter()
            .fold(self, |needs, (limit, amount)| needs.and(limit, amount))
    }

    /// Raises every soft limit of this process that is below what is needed, as far as that.
    ///
    /// # Errors
    /// Every hard limit that is too low, all at once.
    pub fn provide(&self) -> Result<(), CallerLimitsError> {
        let (mut too_low, mut not_raised) = (Vec::new(), Vec::new());
        for (&limit, &needed) in &self.0 {
            let now = getrlimit(limit.resource());
            let needed = match (limit, needed) {
                (CallerLimit::Processes, Amount::AtMost(number)) => {
                    Amount::AtMost(number.saturating_add(processes_beside()))
                }
                (_, needed) => needed,
            };
            match judge(&now, needed) {
                Judged::Enough => {}
                Judged::TooLow(hard) => too_low.push(TooLow { limit, hard, needed }),
                Judged::Raise(raised) => {
                    if let Err(error) = setrlimit(limit.resource(), raised) {
                        not_raised.push(format!("{}: {error}", limit.name()));
                    }
                }
            }
        }
        if too_low.is_empty() && not_raised.is_empty() {
            return Ok(());
        }
        Err(CallerLimitsError { too_low, not_raised })
    }
}

/// Raises the soft limits of this process as far as their hard limits allow: for work whose needs nobody knows beforehand.
pub fn raise_soft_limits(limits: &[CallerLimit]) {
    for limit in limits {
        let now = getrlimit(limit.resource());
        let raised = Rlimit {
            current: now.maximum,
            maximum: now.maximum,
        };
        // Where the kernel refuses, the old one stays in force, and whoever meets it says so.
        let _ = setrlimit(limit.resource(), raised);
    }
}

enum Judged {
    Enough,
    Raise(Rlimit),
    TooLow(Amount),
}

fn judge(now: &Rlimit, needed: Amount) -> Judged {
    let amount = |limit: Option<u64>| limit.map_or(Amount::Unlimited, Amount::AtMost);
    if amount(now.current) >= needed {
        return Judged::Enough;
    }
    if amount(now.maximum) < needed {
        return Judged::TooLow(amount(now.maximum));
    }
    Judged::Raise(Rlimit {
        current: match needed {
            Amount::AtMost(number) => Some(number),
            Amount::Unlimited => None,
        },
        maximum: now.maximum,
    })
}

/// Processes and threads that are there already and are counted together with those of a sandbox. As root a sandbox has a user of its own; otherwise it is the caller's.
fn processes_beside() -> u64 {
    if rustix::process::geteuid().is_root() || CallerLimit::Processes.hard() == Amount::Unlimited {
        return 0;
    }
    let uid = rustix::process::getuid().as_raw();
    let own = |entry: &fs::DirEntry| {
        let is_process = entry
            .file_name()
            .as_encoded_bytes()
            .iter()
            .all(u8::is_ascii_digit);
        is_process && entry.metadata().is_ok_and(|found| found.uid() == uid)
    };
    let threads = |entry: fs::DirEntry| {
        let status = fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("Threads:"));
        line.and_then(|number| number.trim().parse().ok()).unwrap_or(1)
    };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.filter(own).map(threads).fold(0, u64::saturating_add)
}

impl fmt::Display for CallerLimitsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the limits that this process was started with are too low: ")?;
        for (index, TooLow { limit, hard, needed }) in self.too_low.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            let needed = match needed {
                Amount::Unlimited => "it must be unlimited".to_owned(),
                Amount::AtMost(_) => format!("{} are needed", limit.amount(*needed)),
            };
            let (name, hard) = (limit.name(), limit.amount(*hard));
            write!(f, "{separator}{name} is limited to {hard} and {needed}")?;
        }
        for (index, why) in self.not_raised.iter().enumerate() {
            let separator = if index == 0 && self.too_low.is_empty() {
                ""
            } else {
                ", "
            };
            write!(f, "{separator}the soft limit cannot be raised of {why}")?;
        }
        Ok(())
    }
}

impl Advice for CallerLimitsError {
    fn hint(&self) -> Option<Hint> {
        Some(
            "start it where these hard limits are higher: from a shell whose `ulimit` did not lower them, or with other values in \
             /etc/security/limits.conf or in the `Limit...=` lines of its systemd unit"
                .into(),
        )
    }
}

impl std::error::Error for CallerLimitsError {}

/// `1234567` as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LIMITS: Limits = Limits {
        memory_bytes: 1 << 30,
        processes: 10,
        file_bytes: 1 << 20,
        open_files: 64,
        cpu_seconds: 100,
        wall: Duration::from_secs(1),
        output_bytes: 1,
    };

    fn rlimit(current: Option<u64>, maximum: Option<u64>) -> Rlimit {
        Rlimit { current, maximum }
    }

    #[test]
    fn soft_limits_are_raised_as_far_as_needed_and_hard_ones_never() {
        let raised = |now: Rlimit, needed| match judge(&now, needed) {
            Judged::Raise(raised) => Some((raised.current, raised.maximum)),
            Judged::Enough | Judged::TooLow(_) => None,
        };
        let enough = |now: Rlimit, needed| matches!(judge(&now, needed), Judged::Enough);
        assert!(enough(rlimit(None, None), Amount::Unlimited));
        assert!(enough(rlimit(Some(7), Some(9)), Amount::AtMost(7)));
        assert_eq!(
            raised(rlimit(Some(6), Some(9)), Amount::AtMost(7)),
            Some((Some(7), Some(9)))
        );
        assert_eq!(
            raised(rlimit(Some(6), None), Amount::Unlimited),
            Some((None, None))
        );
        for (now, needed) in [
            (rlimit(Some(6), Some(6)), Amount::AtMost(7)),
            (rlimit(Some(6), Some(6)), Amount::Unlimited),
        ] {
            assert!(matches!(judge(&now, needed), Judged::TooLow(Amount::AtMost(6))));
        }
    }

    #[test]
    fn of_two_needs_the_larger_one_holds() {
        let needs = |amount| CallerNeeds::default().and(CallerLimit::CpuTime, amount);
        let both = needs(Amount::AtMost(3)).with(needs(Amount::AtMost(9)));
        assert_eq!(both, needs(Amount::AtMost(9)));
        assert_eq!(both.with(needs(Amount::Unlimited)), needs(Amount::Unlimited));
    }

    #[test]
    fn every_limit_of_a_sandbox_is_asked_of_the_caller() {
        let needs = CallerNeeds::of(&LIMITS, &Devices::None);
        assert_eq!(needs.0[&CallerLimit::CpuTime], Amount::AtMost(100));
        assert_eq!(needs.0[&CallerLimit::FileSize], Amount::AtMost(1 << 20));
        assert_eq!(needs.0[&CallerLimit::Data], Amount::AtMost(3 << 30));
        assert!(needs.0[&CallerLimit::AddressSpace] > needs.0[&CallerLimit::Data]);
        assert_eq!(needs.0[&CallerLimit::Processes], Amount::AtMost(10));
        // Fewer open files than that, and a sandbox cannot even be set up.
        assert_eq!(needs.0[&CallerLimit::OpenFiles], Amount::AtMost(SETUP_FDS));
        let gpu = CallerNeeds::of(&LIMITS, &Devices::Nvidia { minors: vec![0] });
        assert_eq!(gpu.0[&CallerLimit::AddressSpace], Amount::Unlimited);
        assert_eq!(gpu.0[&CallerLimit::Data], Amount::Unlimited);
    }

    #[test]
    fn the_error_names_each_limit_and_both_numbers_with_their_units() {
        let too_low = |limit, hard, needed| TooLow {
            limit,
            hard: Amount::AtMost(hard),
            needed,
        };
        let error = CallerLimitsError {
            too_low: vec![
                too_low(
                    CallerLimit::AddressSpace,
                    4_096_000_000,
                    Amount::AtMost(15_032_385_536),
                ),
                too_low(CallerLimit::CpuTime, 60, Amount::AtMost(7_200)),
                too_low(CallerLimit::Data, 5, Amount::Unlimited),
            ],
            not_raised: Vec::new(),
        };
        let text = error.told();
        for part in [
            "address space (`ulimit -v`) is limited to 4,096,000,000 bytes and 15,032,385,536 bytes are needed",
            "processor time (`ulimit -t`) is limited to 60 seconds and 7,200 seconds are needed",
            "data segment (`ulimit -d`) is limited to 5 bytes and it must be unlimited",
            "; start it where these hard limits are higher",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
