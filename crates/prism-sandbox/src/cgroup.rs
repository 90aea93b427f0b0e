//! Control groups: finding a place for ours, making them, reading them, taking them away.
//!
//! Used by `preflight.rs` (where), `sandbox.rs` (make, limit, freeze, read) and `keeper.rs` (kill and remove, also after the caller's death). Works with
//! version 1 hierarchies, version 2, and both side by side. It must never touch a group that it did not make: ours lie in a directory `prism` below
//! the group that the caller itself is in, and are named after the process that made them.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prism_scratch::Owner;
use serde::{Deserialize, Serialize};

use crate::cgroup_places::{Base, OUR_DIRECTORY};

/// A group whose last process has just died can stay busy for a moment; this often it is tried again.
const REMOVE_ATTEMPTS: u32 = 200;
/// Pause between attempts.
const REMOVE_PAUSE: Duration = Duration::from_millis(2);

/// The kernel charges memory in lots, the largest being a huge page; so far below its limit a group can run out.
const CHARGED_AT_ONCE_BYTES: u64 = 4 << 20;

/// Which interface a hierarchy has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Version {
    V1,
    V2,
}

/// What a group of ours is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Duty {
    pub(crate) memory: bool,
    pub(crate) freezer: bool,
}

/// One group of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) version: Version,
    pub(crate) duty: Duty,
    pub(crate) dir: PathBuf,
}

/// Who lacked memory when a process was killed for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    /// The group itself, which was at its limit.
    Own,
    /// A group above it, or the machine.
    Machine,
}

/// The groups of one sandbox: none, one or two.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Groups(pub(crate) Vec<Group>);

impl Group {
    /// Makes a group below `base`. For memory on version 2 the controller is switched on on the way, where that is possible.
    pub(crate) fn create(base: &Base, duty: Duty) -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let owner = Owner::this_process()?;
        let serial = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{owner}-{serial}");
        let parent = base.dir.join(OUR_DIRECTORY);
        // Another process may remove the empty parent between the two calls.
        let mut attempts_left = 5_u32;
        let dir = loop {
            make_directory(&parent)?;
            if base.version == Version::V2 && duty.memory {
                enable_memory(&base.dir)?;
                enable_memory(&parent)?;
            }
            let dir = parent.join(&name);
            match fs::create_dir(&dir) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && attempts_left > 0 => {
                    attempts_left -= 1
                }
                other => break other.map(|()| dir)?,
            }
        };
        Ok(Self {
            version: base.version,
            duty,
            dir,
        })
    }

    /// Caps the memory of everything in the group, swap included. An error where that cannot be done.
    pub(crate) fn limit_memory(&self, bytes: u64) -> io::Result<()> {
        self.limit_memory_beside(
            bytes,
            swap_is_on(&fs::read_to_string("/proc/swaps").unwrap_or_default()),
        )
    }

    fn limit_memory_beside(&self, bytes: u64, swap_is_on: bool) -> io::Result<()> {
        let bytes = bytes.to_string();
        match self.version {
            Version::V1 => {
                self.write("memory.limit_in_bytes", &bytes)?;
                self.limit_swap("memory.memsw.limit_in_bytes", &bytes, swap_is_on)?;
                // The buffers of TCP are counted apart, so they come on top: as much again, and see `is_over_network_limit`.
                self.write_if_there("memory.kmem.tcp.limit_in_bytes", &bytes)
            }
            Version::V2 => {
                self.write("memory.max", &bytes)?;
                self.limit_swap("memory.swap.max", "0", swap_is_on)?;
                self.write_if_there("memory.oom.group", "1")
            }
        }
    }

    /// Without swap accounting the file does not exist; without swap that does not matter.
    fn limit_swap(&self, file: &str, value: &str, swap_is_on: bool) -> io::Result<()> {
        if swap_is_on && !self.dir.join(file).exists() {
            let why =
                format!("the machine has swap, and without {file} the group's share of it cannot be limited");
            return Err(io::Error::other(why));
        }
        self.write_if_there(file, value)
    }

    /// Asks the kernel to stop or to let run; returns before it is done.
    pub(crate) fn set_frozen(&self, frozen: bool) -> io::Result<()> {
        match self.version {
            Version::V1 => self.write("freezer.state", if frozen { "FROZEN" } else { "THAWED" }),
            Version::V2 => self.write("cgroup.freeze", if frozen { "1" } else { "0" }),
        }
    }

    /// Whether every task of the group is stopped.
    pub(crate) fn is_frozen(&self) -> io::Result<bool> {
        match self.version {
            Version::V1 => Ok(self.read("freezer.state")?.trim_end() == "FROZEN"),
            Version::V2 => Ok(keyed(&self.read("cgroup.events")?, "frozen") == Some(1)),
        }
    }

    /// Whether the kernel has killed a process of the group for want of memory, and whose want it was: its counter of
    /// kills grows just the same where a group above, or the whole machine, has run out.
    pub(crate) fn oom_kill(&self) -> io::Result<Option<Want>> {
        let kills = match self.version {
            Version::V1 => "memory.oom_control",
            Version::V2 => "memory.events",
        };
        let counters = self.read(kills)?;
        if keyed(&counters, "oom_kill").unwrap_or(0) == 0 {
            return Ok(None);
        }
        let at_its_limit = match self.version {
            // The counters of failures stay at 0 on some kernels, so the high-water marks are looked at.
            Version::V1 => ["memory", "memory.memsw"].iter().any(|counter| {
                let bytes = |file: &str| self.number(&format!("{counter}.{file}"));
                match (bytes("max_usage_in_bytes"), bytes("limit_in_bytes")) {
                    (Some(most), Some(limit)) => most.saturating_add(CHARGED_AT_ONCE_BYTES) >= limit,
                    _ => false,
                }
            }),
            Version::V2 => keyed(&counters, "oom").unwrap_or(0) > 0,
        };
        Ok(Some(if at_its_limit { Want::Own } else { Want::Machine }))
    }

    /// Whether version 1's count of network buffers is above its own limit. The kernel refuses most of what would go above, and grants each connection
    /// a little all the same.
    pub(crate) fn is_over_network_limit(&self) -> bool {
        let bytes = |file: &str| self.number(&format!("memory.kmem.tcp.{file}"));
        match (self.version, bytes("usage_in_bytes"), bytes("limit_in_bytes")) {
            (Version::V1, Some(used), Some(limit)) => used > limit,
            _ => false,
        }
    }

    /// The most memory that was ever charged, where the kernel counts it.
    pub(crate) fn peak_memory_bytes(&self) -> Option<u64> {
        let file = match self.version {
            Version::V1 => "memory.max_usage_in_bytes",
            Version::V2 => "memory.peak",
        };
        self.number(file)
    }

    /// CPU time of every process that was ever in the group. Version 2 counts it without any controller.
    pub(crate) fn cpu_us(&self) -> Option<u64> {
        match self.version {
            Version::V1 => None,
            Version::V2 => keyed(&self.read("cpu.stat").ok()?, "usage_usec"),
        }
    }

    /// Kills every process in the group, frozen or not, and lets go of the freezer so that they can die.
    pub(crate) fn kill_all(&self) {
        if self.version == Version::V2 && self.write("cgroup.kill", "1").is_ok() {
            return;
        }
        // Version 1 keeps frozen tasks from dying. The signal is pending before they are let go, so none of them runs another instruction.
        if self.duty.freezer {
            let _ = self.set_frozen(true);
        }
        for pid in self
            .read("cgroup.procs")
            .unwrap_or_default()
            .lines()
            .filter_map(|line| line.parse().ok())
        {
            if let Some(pid) = rustix::process::Pid::from_raw(pid) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
        if self.duty.freezer {
            let _ = self.set_frozen(false);
        }
    }

    /// Removes the group, and our directory if it was the last one in it.
    pub(crate) fn kill_and_remove(&self) {
        for _ in 0..REMOVE_ATTEMPTS {
            match fs::remove_dir(&self.dir) {
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                    self.kill_all();
                    std::thread::sleep(REMOVE_PAUSE);
                }
                _ => break,
            }
        }
        if let Some(parent) = self.dir.parent() {
            // Not empty means that another sandbox still lives there.
            let _ = fs::remove_dir(parent);
        }
    }

    fn read(&self, file: &str) -> io::Result<String> {
        let mut text = String::new();
        fs::File::open(self.dir.join(file))?
            .take(64 << 10)
            .read_to_string(&mut text)?;
        Ok(text)
    }

    fn number(&self, file: &str) -> Option<u64> {
        self.read(file).ok()?.trim_end().parse().ok()
    }

    fn write(&self, file: &str, value: &str) -> io::Result<()> {
        write_control(&self.dir.join(file), value)
    }

    fn write_if_there(&self, file: &str, value: &str) -> io::Result<()> {
        if self.dir.join(file).exists() {
            self.write(file, value)
        } else {
            Ok(())
        }
    }
}

impl Groups {
    /// The group that caps memory.
    pub(crate) fn memory(&self) -> Option<&Group> {
        self.0.iter().find(|group| group.duty.memory)
    }

    /// The group that can be frozen.
    pub(crate) fn freezer(&self) -> Option<&Group> {
        self.0.iter().find(|group| group.duty.freezer)
    }

    /// CPU time of the whole tree, where a group counts it.
    pub(crate) fn cpu_us(&self) -> Option<u64> {
        self.0.iter().find_map(Group::cpu_us)
    }

    /// Kills what is in them. The freezer comes last, because letting go of it must find every signal pending.
    pub(crate) fn kill_all(&self) {
        for group in &self.0 {
            group.kill_all();
        }
    }

    /// Removes them all.
    pub(crate) fn kill_and_remove(&self) {
        for group in &self.0 {
            group.kill_and_remove();
        }
    }
}

fn make_directory(dir: &Path) -> io::Result<()> {
    match fs::create_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

fn enable_memory(dir: &Path) -> io::Result<()> {
    let file = dir.join("cgroup.subtree_control");
    let enabled = fs::read_to_string(&file)?;
    if enabled.split_whitespace().any(|name| name == "memory") {
        Ok(())
    } else {
        write_control(&file, "+memory")
    }
}

/// Control files are never created: a missing one is an error, not a new file.
fn write_control(path: &Path, value: &str) -> io::Result<()> {
    fs::OpenOptions::new()
        .write(true)
        .custom_flags(libc::O_CLOEXEC)
        .open(path)?
        .write_all(value.as_bytes())
}

/// Whether `/proc/swaps` lists anything below its heading.
fn swap_is_on(swaps: &str) -> bool {
    swaps.lines().skip(1).any(|line| !line.trim().is_empty())
}

/// The number after `key` in a file of `key number` lines.
fn keyed(text: &str, key: &str) -> Option<u64> {
    text.lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim_end().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read_by_their_whole_name() {
        let text = "oom 3\noom_kill 2\noom_group_kill 1\n";
        assert_eq!(keyed(text, "oom_kill"), Some(2));
        assert_eq!(keyed(text, "oom"), Some(3));
        assert_eq!(keyed(text, "kill"), None);
    }

    #[test]
    fn a_kill_is_blamed_on_whoever_lacked_memory() {
        let blamed = |version, files: &[(&str, &str)]| {
            let temp = tempfile::tempdir().unwrap();
            for (name, content) in files {
                fs::write(temp.path().join(name), content).unwrap();
            }
            let duty = Duty {
                memory: true,
                freezer: false,
            };
            let dir = temp.path().to_owned();
            Group { version, duty, dir }.oom_kill().unwrap()
        };
        let v2 = |events| blamed(Version::V2, &[("memory.events", events)]);
        assert_eq!(v2("low 0\nmax 9\noom 0\noom_kill 0\n"), None);
        assert_eq!(v2("low 0\nmax 9\noom 1\noom_kill 2\n"), Some(Want::Own));
        assert_eq!(v2("low 0\nmax 0\noom 0\noom_kill 1\n"), Some(Want::Machine));
        let v1 = |kills, most| {
            blamed(
                Version::V1,
                &[
                    ("memory.oom_control", kills),
                    ("memory.failcnt", "0\n"),
                    ("memory.limit_in_bytes", "134217728\n"),
                    ("memory.max_usage_in_bytes", most),
                ],
            )
        };
        assert_eq!(v1("under_oom 0\noom_kill 0\n", "134217728\n"), None);
        assert_eq!(v1("under_oom 0\noom_kill 1\n", "134217728\n"), Some(Want::Own));
        assert_eq!(v1("under_oom 0\noom_kill 1\n", "134213632\n"), Some(Want::Own));
        assert_eq!(
            v1("under_oom 0\noom_kill 1\n", "100000000\n"),
            Some(Want::Machine)
        );
    }

    #[test]
    fn a_limit_that_swap_would_get_around_is_an_error() {
        assert!(!swap_is_on("Filename\tType\tSize\tUsed\tPriority\n"));
        assert!(swap_is_on(
            "Filename\tType\tSize\tUsed\tPriority\n/dev/sda2 partition 9 0 -2\n"
        ));
        for (version, limit, swap_limit) in [
            (
                Version::V1,
                "memory.limit_in_bytes",
                "memory.memsw.limit_in_bytes",
            ),
            (Version::V2, "memory.max", "memory.swap.max"),
        ] {
            let temp = tempfile::tempdir().unwrap();
            fs::write(temp.path().join(limit), "").unwrap();
            let duty = Duty {
                memory: true,
                freezer: false,
            };
            let dir = temp.path().to_owned();
            let group = Group { version, duty, dir };
            assert!(group.limit_memory_beside(1 << 20, false).is_ok());
            let error = group.limit_memory_beside(1 << 20, true).unwrap_err();
            assert!(error.to_string().contains(swap_limit), "{error}");
            fs::write(temp.path().join(swap_limit), "").unwrap();
            assert!(group.limit_memory_beside(1 << 20, true).is_ok());
            assert!(!fs::read(temp.path().join(swap_limit)).unwrap().is_empty());
        }
    }
}
