//! The processes of one sandbox as the host's `/proc` shows them, for what no control group counts.
//!
//! Used by `watch.rs`, from outside. The numbers are good for a watchdog, not for an account: processes come and go while they are read.

use std::fs;
use std::io;

/// More processes than any sandbox may have; a walk ends here rather than never.
const PROCESSES_MAX: usize = 65_536;

/// The init and everything below it. Nothing can leave: orphans become children of the init.
pub(crate) fn members(init_pid: i32) -> Vec<i32> {
    let mut found = vec![init_pid];
    let mut next = 0;
    while next < found.len() && found.len() < PROCESSES_MAX {
        let Ok(threads) = fs::read_dir(format!("/proc/{}/task", found[next])) else {
            next += 1;
            continue;
        };
        for thread in threads.flatten() {
            let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            found.extend(
                children
                    .split_whitespace()
                    .filter_map(|pid| pid.parse::<i32>().ok()),
            );
        }
        next += 1;
    }
    found
}

/// Whether this kernel lists children at all.
pub(crate) fn is_supported() -> bool {
    std::path::Path::new("/proc/self/task")
        .join(std::process::id().to_string())
        .join("children")
        .exists()
}

/// Memory of these processes: resident, swapped and page tables. The cheap sum counts shared pages once per process; only if it is above `enough_bytes`
/// are they divided properly, since that holds up the process for milliseconds.
pub(crate) fn memory_bytes(members: &[i32], enough_bytes: u64) -> u64 {
    let cheap: u64 = members
        .iter()
        .map(|pid| status_bytes(*pid, &["VmRSS:", "VmSwap:", "VmPTE:"]))
        .sum();
    if cheap <= enough_bytes {
        return cheap;
    }
    members
        .iter()
        .map(|pid| {
            proportional_bytes(*pid).unwrap_or_else(|_| status_bytes(*pid, &["VmRSS:", "VmSwap:"]))
                + status_bytes(*pid, &["VmPTE:"])
        })
        .sum()
}

fn proportional_bytes(pid: i32) -> io::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    Ok(sum_of_lines(&text, &["Pss:", "SwapPss:"]))
}

fn status_bytes(pid: i32, names: &[&str]) -> u64 {
    fs::read_to_string(format!("/proc/{pid}/status")).map_or(0, |text| sum_of_lines(&text, names))
}

/// The sum of the `Name:   123 kB` lines with these names.
fn sum_of_lines(text: &str, names: &[&str]) -> u64 {
    let kib = |line: &str| {
        let rest = names.iter().find_map(|name| line.strip_prefix(name))?;
        rest.split_whitespace().next()?.parse::<u64>().ok()
    };
    text.lines().filter_map(kib).sum::<u64>().saturating_mul(1024)
}

/// CPU time of these processes and of the dead children that they waited for, in microseconds.
pub(crate) fn cpu_us(members: &[i32]) -> u64 {
    let ticks_per_second = rustix::param::clock_ticks_per_second().max(1);
    members
        .iter()
        .map(|pid| cpu_ticks(*pid).unwrap_or(0))
        .sum::<u64>()
        .saturating_mul(1_000_000)
        / ticks_per_second
}

fn cpu_ticks(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // utime, stime, cutime and cstime are fields 14 to 17; the first after the command name is field 3.
    let fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11).take(4);
    Some(fields.filter_map(|field| field.parse::<u64>().ok()).sum())
}

/// Memory that the machine could still give out.
pub(crate) fn available_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    Some(sum_of_lines(&text, &["MemAvailable:"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_summed_by_name() {
        let text = "Name:\tVmRSS: 9 kB\nVmRSS:\t  4 kB\nVmPTE:\t 2 kB\nVmPeak: 100 kB\n";
        assert_eq!(sum_of_lines(text, &["VmRSS:", "VmPTE:"]), 6 << 10);
    }

    #[test]
    fn this_process_has_memory_and_cpu_time_and_a_child_is_found() {
        let own = i32::try_from(std::process::id()).unwrap();
        let mut child = std::process::Command::new("/bin/sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let members = members(own);
        assert!(members.contains(&i32::try_from(child.id()).unwrap()));
        assert!(memory_bytes(&[own], u64::MAX) > 0);
        assert!(memory_bytes(&[own], 0) > 0);
        assert!(cpu_ticks(own).is_some());
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
