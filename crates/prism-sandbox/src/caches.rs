//! Sweeps the processor's caches, so that what one sandbox has touched cannot be told from what it has not.
//!
//! Called by `sandbox.rs` before a sealed sandbox is thawed, while everything that could tell it something stands still. A line that is in a cache comes
//! in a third of the time of one that is not, and it stays there through a freeze: lines of memory that two sandboxes share (the kernel's page of zeros,
//! for one, is the same for all) or that compete for a place carry bits from the one to the other. So each processor reads more memory of its own than
//! its caches can hold. It must never be left out for some thaws because it takes long.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::ptr::NonNull;
use std::sync::{Mutex, PoisonError};
use std::thread;

use rustix::thread::CpuSet;

/// Where the kernel describes the caches of a processor.
const CACHES: &str = "/sys/devices/system/cpu";
/// Caches do not throw out strictly the oldest line, so that a little more than they hold must be read.
const MORE_THAN_FITS: f64 = 1.25;
/// What a processor reads where the kernel does not say how large its caches are.
const UNKNOWN_BYTES: usize = 64 << 20;
/// No cache of this age is larger.
const CACHE_BYTES_MAX: usize = 2 << 30;
/// One read in each line is enough.
const LINE_WORDS: usize = 64 / size_of::<u64>();
const LARGE_PAGE_BYTES: usize = 2 << 20;

/// One processor and what it has to read.
struct Share {
    cpu: usize,
    memory: Memory,
}

/// Memory in large pages, where there are any: with small ones half of the time goes into looking up where they are.
struct Memory {
    address: NonNull<u64>,
    words: usize,
}

// SAFETY: nobody writes to it once it is made, and it is never taken away.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    fn new(bytes: usize) -> io::Result<Self> {
        let bytes = bytes.next_multiple_of(LARGE_PAGE_BYTES);
        // SAFETY: a new private mapping at a place of the kernel's choice touches no memory of ours.
        let address = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        let address = NonNull::new(address)
            .filter(|address| address.as_ptr() != libc::MAP_FAILED)
            .ok_or_else(io::Error::last_os_error)?;
        // SAFETY: exactly the mapping that was just made; advice that cannot be followed changes nothing.
        unsafe { libc::madvise(address.as_ptr(), bytes, libc::MADV_HUGEPAGE) };
        // SAFETY: the mapping is writable, so long, and nobody else knows of it. Written to, since memory that never was is the kernel's page of zeros.
        unsafe { address.as_ptr().cast::<u8>().write_bytes(1, bytes) };
        Ok(Self {
            address: address.cast(),
            words: bytes / size_of::<u64>(),
        })
    }

    fn words(&self) -> &[u64] {
        // SAFETY: the mapping is so long, initialised, aligned to a page, and never written to or taken away again.
        unsafe { std::slice::from_raw_parts(self.address.as_ptr(), self.words) }
    }
}

/// The memory is taken at the first sweep and kept: fresh memory would be the kernel's page of zeros, which fits into every cache.
static SHARES: Mutex<Vec<Share>> = Mutex::new(Vec::new());

/// Reads through the caches of every processor that a sandbox may run on. One sweep at a time.
pub(crate) fn sweep() -> io::Result<()> {
    let mut shares = SHARES.lock().unwrap_or_else(PoisonError::into_inner);
    if shares.is_empty() {
        let cpus = usable_cpus()?;
        *shares = cpus
            .iter()
            .map(|&cpu| {
                let memory = Memory::new(share_bytes(cpu, &cpus))?;
                Ok(Share { cpu, memory })
            })
            .collect::<io::Result<_>>()?;
    }
    thread::scope(|scope| {
        for share in shares.iter() {
            scope.spawn(|| {
                // Where it is not allowed any more, another processor reads it: better than nothing, and the machine changed under way.
                let mut only = CpuSet::new();
                only.set(share.cpu);
                let _ = rustix::thread::sched_setaffinity(None, &only);
                read_through(share.memory.words());
            });
        }
    });
    Ok(())
}

/// Several lines at a time, so that none waits for the one before it.
fn read_through(memory: &[u64]) {
    let mut sums = [0_u64; 8];
    for lines in memory.chunks_exact(8 * LINE_WORDS) {
        for (line, sum) in sums.iter_mut().enumerate() {
            *sum = sum.wrapping_add(lines[line * LINE_WORDS]);
        }
    }
    std::hint::black_box(sums);
}

/// The processors that a thread of ours can move to: those of the control group, not only those that this process was started on, since a payload can
/// move as well.
fn usable_cpus() -> io::Result<BTreeSet<usize>> {
    // On a thread of its own, which ends with the last processor that it has tried.
    let tried = thread::scope(|scope| {
        let trying = scope.spawn(|| {
            let online = fs::read_to_string(format!("{CACHES}/online"))?;
            let can_move = |cpu: &usize| {
                let mut only = CpuSet::new();
                only.set(*cpu);
                *cpu < CpuSet::MAX_CPU && rustix::thread::sched_setaffinity(None, &only).is_ok()
            };
            Ok(listed(online.trim()).into_iter().filter(can_move).collect())
        });
        trying.join()
    });
    tried.unwrap_or_else(|_| Err(io::Error::other("the processors cannot be listed")))
}

/// Its part of every cache that it uses: all of those that are its own, and a fair part of those that it shares.
fn share_bytes(cpu: usize, usable: &BTreeSet<usize>) -> usize {
    let held: usize = (0..8)
        .filter_map(|index| {
            let read = |file: &str| {
                let text = fs::read_to_string(format!("{CACHES}/cpu{cpu}/cache/index{index}/{file}"));
                text.ok().map(|text| text.trim().to_owned())
            };
            if read("type")? == "Instruction" {
                return None;
            }
            let sharing = listed(&read("shared_cpu_list")?)
                .intersection(usable)
                .count()
                .max(1);
            Some(size(&read("size")?)?.min(CACHE_BYTES_MAX) / sharing)
        })
        .sum();
    if held == 0 {
        return UNKNOWN_BYTES;
    }
    (held as f64 * MORE_THAN_FITS) as usize
}

/// `266240K` in bytes.
fn size(text: &str) -> Option<usize> {
    let (digits, unit) = text.split_at(text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len());
    let shift = match unit {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        _ => return None,
    };
    digits.parse::<usize>().ok()?.checked_mul(1 << shift)
}

/// The processors that a list like `0-3,8` names.
fn listed(text: &str) -> BTreeSet<usize> {
    text.split(',')
        .filter_map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (first.parse::<usize>().ok()?, last.parse::<usize>().ok()?);
            Some(first..=last.min(CpuSet::MAX_CPU))
        })
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_lists_are_read_as_the_kernel_writes_them() {
        assert_eq!(size("48K"), Some(48 << 10));
        assert_eq!(size("266240K"), Some(260 << 20));
        assert_eq!(size("32M"), Some(32 << 20));
        assert_eq!(
            (size(""), size("K"), size("3X"), size("-1K")),
            (None, None, None, None)
        );
        assert_eq!(listed("0"), BTreeSet::from([0]));
        assert_eq!(listed("0-3,8,10-11"), BTreeSet::from([0, 1, 2, 3, 8, 10, 11]));
        assert_eq!(listed(""), BTreeSet::new());
        assert_eq!(listed("5-3"), BTreeSet::new());
    }

    #[test]
    fn each_processor_reads_more_than_its_part_of_the_caches() {
        sweep().unwrap();
        let shares = SHARES.lock().unwrap();
        let cpus = usable_cpus().unwrap();
        assert_eq!(
            shares.iter().map(|share| share.cpu).collect::<BTreeSet<_>>(),
            cpus
        );
        for share in shares.iter() {
            let words = share.memory.words();
            assert!(size_of_val(words) >= share_bytes(share.cpu, &cpus));
            assert!(
                words
                    .iter()
                    .step_by(512)
                    .all(|word| *word == 0x0101_0101_0101_0101)
            );
        }
    }
}
