//! Who made something: the PID namespace, the process, and when that process started, so that a reused number is not mistaken
//! for it.
//!
//! Used by [`crate::sweep`] and by the sandbox. It must never call a process dead of which it knows nothing.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

/// A process, for as long as the machine is not started again. Written as `<namespace>-<pid>-<start>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    namespace: u64,
    pid: u32,
    started_ticks: u64,
}

impl Owner {
    /// The process that asks.
    ///
    /// # Errors
    /// Where `/proc` does not tell.
    pub fn this_process() -> io::Result<Self> {
        Self::of(std::process::id())
    }

    /// A living process of this PID namespace.
    pub(crate) fn of(pid: u32) -> io::Result<Self> {
        let started_ticks =
            started_ticks(pid).ok_or_else(|| io::Error::other(format!("cannot read /proc/{pid}/stat")))?;
        Ok(Self {
            namespace: pid_namespace()?,
            pid,
            started_ticks,
        })
    }

    /// The owner that the beginning of a text names, and what follows its last `-`.
    pub fn parse(text: &str) -> Option<(Self, &str)> {
        let mut parts = text.splitn(4, '-');
        let owner = Self {
            namespace: number(parts.next()?)?,
            pid: u32::try_from(number(parts.next()?)?).ok()?,
            started_ticks: number(parts.next()?)?,
        };
        Some((owner, parts.next()?))
    }

    /// Whether the process is certainly dead. Of another PID namespace nothing is known, so what it made is left alone.
    pub fn is_gone(&self) -> bool {
        pid_namespace().is_ok_and(|own| own == self.namespace)
            && started_ticks(self.pid) != Some(self.started_ticks)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            namespace,
            pid,
            started_ticks,
        } = self;
        write!(f, "{namespace}-{pid}-{started_ticks}")
    }
}

/// Digits alone: what we write, and nothing that only reads alike.
fn number(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    is_plain.then(|| text.parse().ok()).flatten()
}

fn pid_namespace() -> io::Result<u64> {
    Ok(fs::metadata("/proc/self/ns/pid")?.ino())
}

/// When a process started. A zombie has ended, and only its parent has not asked yet, unless some of its threads go on.
fn started_ticks(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command name may hold anything, so fields are counted from its closing parenthesis: the state is the first, the start
    // time the twentieth.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let threads = || fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
    if matches!(fields.next()?, "Z" | "X") && threads() <= 1 {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_recognised_by_namespace_number_and_start() {
        let own = Owner::this_process().unwrap();
        assert_eq!(Owner::parse(&format!("{own}-7")), Some((own, "7")));
        assert!(!own.is_gone());
        let later = Owner {
            started_ticks: own.started_ticks + 1,
            ..own
        };
        assert!(later.is_gone(), "its number was given to us");
        let elsewhere = Owner {
            namespace: 1,
            started_ticks: 0,
            ..own
        };
        assert!(
            !elsewhere.is_gone(),
            "nothing is known of another namespace's processes"
        );
    }

    #[test]
    fn what_only_reads_alike_is_no_owner() {
        for text in [
            "prism",
            "1-2-3",
            "1-2-x-4",
            "+1-2-3-4",
            "1--2-3-4",
            "01-2-3-4",
            "-1-2-3-4",
            "1-99999999999-3-4",
        ] {
            assert_eq!(Owner::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_process_that_has_ended_is_gone_even_before_its_parent_knows() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let owner = Owner::of(child.id()).unwrap();
        assert!(!owner.is_gone());
        child.kill().unwrap();
        let stat = format!("/proc/{}/stat", child.id());
        while !fs::read_to_string(&stat).unwrap().contains(") Z ") {
            std::thread::yield_now();
        }
        assert!(owner.is_gone());
        child.wait().unwrap();
        assert!(owner.is_gone());
    }
}
