//! Who holds the lock of the machine, for those who wait.
//!
//! The kernel knows: `/proc/<pid>/fdinfo` lists the locks of each open file, for processes that this one may look at.
//! What a counted run says of itself in the file is believed only while somebody holds the lock exclusively. Used by
//! [`super`] to say something, never to decide anything.

use std::{
    fmt, fs,
    fs::File,
    os::unix::fs::{FileExt as _, MetadataExt as _},
    path::Path,
};

use prism_sandbox::{LockKind, foreign_lock};
use serde::{Deserialize, Serialize};

use super::LOCK_BYTE;
use crate::about::unix_seconds;

/// What somebody says of itself is cut here.
const WHAT_BYTES_MAX: usize = 200;
/// No honest text in the file is longer.
const TEXT_BYTES_MAX: usize = 1024;
/// Processes and descriptors that are looked at, at most.
const PROCESSES_MAX: usize = 65_536;

/// One who holds the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Whether it is a counted run.
    pub counted: bool,
    /// Its number, where it is a process that this one can see.
    pub pid: Option<u32>,
    /// What it says that it is; harmless on a terminal.
    pub what: String,
    /// Since when, in seconds of the Unix clock.
    pub since_unix_seconds: Option<u64>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.counted {
            "a counted run"
        } else {
            "a rehearsal or check"
        })?;
        match self.pid {
            Some(pid) => write!(f, ", process {pid}")?,
            None => f.write_str(", a process that this one cannot see")?,
        }
        if !self.what.is_empty() {
            write!(f, ", `{}`", self.what)?;
        }
        if let Some(since) = self.since_unix_seconds {
            write!(f, ", since {} s", unix_seconds().saturating_sub(since))?;
        }
        Ok(())
    }
}

/// All of them in one line.
pub(super) fn list(holders: &[Holder]) -> String {
    if holders.is_empty() {
        return "it has just ended".to_owned();
    }
    holders
        .iter()
        .map(Holder::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

/// What a counted run writes into the file.
#[derive(Debug, Serialize, Deserialize)]
struct Text {
    pid: u32,
    /// Numbers of processes are of a namespace.
    pid_namespace: String,
    /// In the kernel's ticks since it booted: a number that came again is another process.
    started_ticks: u64,
    what: String,
    since_unix_seconds: u64,
}

/// The text of this process.
pub(super) fn own_text(what: &str) -> Vec<u8> {
    let pid = std::process::id();
    let text = Text {
        pid,
        pid_namespace: pid_namespace(),
        started_ticks: started_ticks(pid).unwrap_or(0),
        what: harmless(what),
        since_unix_seconds: unix_seconds(),
    };
    // A struct of numbers and strings has always a JSON form.
    let mut json = serde_json::to_vec(&text).unwrap_or_default();
    json.push(b'\n');
    json
}

/// Who holds the lock now, other than by `file` itself.
pub(super) fn of(path: &Path, file: &File) -> Vec<Holder> {
    let mut holders = seen_by_the_kernel(path);
    let held = foreign_lock(file, LockKind::Exclusive, LOCK_BYTE, 1)
        .ok()
        .flatten();
    let Some(held) = held else { return holders };
    let counted = held.kind == LockKind::Exclusive;
    let text = if counted { believable_text(file) } else { None };
    match (holders.iter_mut().find(|holder| holder.counted == counted), text) {
        (Some(holder), Some(text)) if holder.pid == Some(text.pid) => {
            holder.what = harmless(&text.what);
            holder.since_unix_seconds = Some(text.since_unix_seconds);
        }
        (Some(_), _) => {}
        (None, text) => holders.push(Holder {
            counted,
            pid: text
                .as_ref()
                .filter(|text| text.pid_namespace == pid_namespace())
                .map(|text| text.pid),
            what: text.as_ref().map(|text| harmless(&text.what)).unwrap_or_default(),
            since_unix_seconds: text.map(|text| text.since_unix_seconds),
        }),
    }
    holders
}

/// What the file says, unless its author is known to be gone.
fn believable_text(file: &File) -> Option<Text> {
    let mut bytes = [0; TEXT_BYTES_MAX];
    let read = file.read_at(&mut bytes, 0).ok()?;
    let text: Text = serde_json::from_slice(&bytes[..read]).ok()?;
    let stale = text.pid_namespace == pid_namespace() && started_ticks(text.pid) != Some(text.started_ticks);
    (!stale).then_some(text)
}

/// The processes in whose open files the kernel lists the lock.
fn seen_by_the_kernel(path: &Path) -> Vec<Holder> {
    let Ok(metadata) = fs::metadata(path) else {
        return Vec::new();
    };
    let processes = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .take(PROCESSES_MAX);
    let mut holders = Vec::new();
    for process in processes {
        let Some(pid) = process
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        let files = fs::read_dir(process.path().join("fdinfo"))
            .into_iter()
            .flatten()
            .flatten();
        let kinds = files
            .filter_map(|info| fs::read_to_string(info.path()).ok())
            .filter_map(|info| info.lines().find_map(|line| lock_of_line(line, metadata.ino())));
        // A process that is just being started has its parent's files for a moment.
        if let Some(kind) = kinds.last() {
            holders.push(Holder {
                counted: kind == LockKind::Exclusive,
                pid: Some(pid),
                what: command_line(pid),
                since_unix_seconds: started_ticks(pid).and_then(unix_seconds_of),
            });
        }
    }
    holders
}

/// `lock: 1: OFDLCK  ADVISORY  WRITE -1 00:1a:1234 0 0`, if it is of byte 0 of this file.
fn lock_of_line(line: &str, inode: u64) -> Option<LockKind> {
    let mut words = line.strip_prefix("lock:")?.split_whitespace().skip(1);
    if words.next()? != "OFDLCK" {
        return None;
    }
    let kind = match words.nth(1)? {
        "WRITE" => LockKind::Exclusive,
        "READ" => LockKind::Shared,
        _ => return None,
    };
    let file = words.nth(1)?;
    let (from, to) = (words.next()?, words.next()?);
    let same = file.rsplit(':').next()?.parse() == Ok(inode);
    (same && from.parse() == Ok(LOCK_BYTE) && to.parse() == Ok(LOCK_BYTE)).then_some(kind)
}

fn command_line(pid: u32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    harmless(String::from_utf8_lossy(&bytes).replace('\0', " ").trim_end())
}

/// Its start, in the kernel's ticks since it booted: the twenty-second field.
fn started_ticks(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything.
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(19)?.parse().ok()
}

fn unix_seconds_of(ticks: u64) -> Option<u64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let booted: u64 = stat
        .lines()
        .find_map(|line| line.strip_prefix("btime "))?
        .trim()
        .parse()
        .ok()?;
    Some(booted + ticks / rustix::param::clock_ticks_per_second())
}

fn pid_namespace() -> String {
    fs::read_link("/proc/self/ns/pid")
        .map(|link| link.display().to_string())
        .unwrap_or_default()
}

/// For a terminal, and short.
fn harmless(text: &str) -> String {
    let mut text = prism_core::escape::escape_for_terminal(text.replace('\n', " "));
    if text.len() > WHAT_BYTES_MAX {
        let cut = (0..=WHAT_BYTES_MAX)
            .rev()
            .find(|&at| text.is_char_boundary(at))
            .unwrap_or(0);
        text.truncate(cut);
        text.push_str("...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_lock_itself_counts_of_what_the_kernel_lists() {
        let of = |line: &str| lock_of_line(line, 1234);
        assert_eq!(
            of("lock:\t1: OFDLCK  ADVISORY  WRITE -1 00:1a:1234 0 0"),
            Some(LockKind::Exclusive)
        );
        assert_eq!(
            of("lock:\t2: OFDLCK  ADVISORY  READ -1 00:1a:1234 0 0"),
            Some(LockKind::Shared)
        );
        for other in [
            "lock:\t1: OFDLCK  ADVISORY  WRITE -1 00:1a:1235 0 0",
            "lock:\t1: OFDLCK  ADVISORY  WRITE -1 00:1a:1234 1 1",
            "lock:\t1: OFDLCK  ADVISORY  WRITE -1 00:1a:1234 0 EOF",
            "lock:\t1: FLOCK  ADVISORY  WRITE 77 00:1a:1234 0 0",
            "pos:\t0",
            "lock:",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn what_others_say_of_themselves_is_short_and_harmless() {
        let said = harmless(&format!("a\u{1b}[2J\nb{}", "\u{e9}".repeat(300)));
        assert!(
            said.starts_with("a\\u{1b}[2J b") && said.len() <= WHAT_BYTES_MAX + 3,
            "{said}"
        );
    }
}
