//! The part of a machine that an evaluation has: a set of CPUs and at most one device.
//!
//! Chosen by whoever hands out slots, so that no two on one machine have a CPU or a device in common. The process of an
//! evaluation puts itself on the CPUs ([`Slot::enter`]), and the sandbox keeps every submitted process on them.

use std::collections::BTreeSet;

use prism_core::{failure::Failure, outcome::Reason};
use rustix::thread::CpuSet;
use serde::{Deserialize, Serialize};

/// CPUs and a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// The CPUs, by the numbers of the kernel. Not empty.
    pub cpus: BTreeSet<usize>,
    /// The number of its NVIDIA device, as in `/dev/nvidia0`.
    pub device: Option<u32>,
}

impl Slot {
    /// Every CPU that this process may use, and no device.
    pub fn whole() -> Result<Self, Failure> {
        let set = rustix::thread::sched_getaffinity(None).map_err(|error| {
            Failure::new(
                Reason::Resources,
                format!("the CPUs of this process are not known: {error}"),
            )
        })?;
        Ok(Self {
            cpus: (0..CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu)).collect(),
            device: None,
        })
    }

    /// `0-3,8`: ranges and numbers.
    pub fn parse_cpus(text: &str) -> Option<BTreeSet<usize>> {
        let mut cpus = BTreeSet::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last): (usize, usize) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
            if first > last || last >= CpuSet::MAX_CPU {
                return None;
            }
            cpus.extend(first..=last);
        }
        Some(cpus)
    }

    /// Whether two can be in use at the same time.
    pub fn is_apart_from(&self, other: &Self) -> bool {
        let shares_device = self.device.is_some() && self.device == other.device;
        self.cpus.is_disjoint(&other.cpus) && !shares_device
    }

    /// Puts this process, and whatever it starts from now on, on the CPUs.
    pub fn enter(&self) -> Result<(), Failure> {
        let mut set = CpuSet::new();
        for &cpu in self.cpus.iter().filter(|&&cpu| cpu < CpuSet::MAX_CPU) {
            set.set(cpu);
        }
        let refused = |why: String| {
            Failure::new(
                Reason::Resources,
                format!(
                    "the slot has the CPUs {:?} and this process may not use them: {why}",
                    self.cpus
                ),
            )
        };
        rustix::thread::sched_setaffinity(None, &set).map_err(|error| refused(error.to_string()))?;
        // The kernel passes over CPUs that do not exist as long as one does.
        let got = rustix::thread::sched_getaffinity(None).map_err(|error| refused(error.to_string()))?;
        if self
            .cpus
            .iter()
            .all(|&cpu| cpu < CpuSet::MAX_CPU && got.is_set(cpu))
        {
            Ok(())
        } else {
            Err(refused("some of them are not on this machine".to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(cpus: &str, device: Option<u32>) -> Slot {
        Slot {
            cpus: Slot::parse_cpus(cpus).unwrap(),
            device,
        }
    }

    #[test]
    fn cpus_are_read_as_the_kernel_writes_them() {
        let cpus = |text| Slot::parse_cpus(text).map(|cpus| cpus.into_iter().collect::<Vec<_>>());
        assert_eq!(cpus("0-2,5"), Some(vec![0, 1, 2, 5]));
        assert_eq!(cpus(" 7 , 3 "), Some(vec![3, 7]));
        for text in [
            "",
            "a",
            "2-1",
            "-1",
            "1-",
            "0,,1",
            "99999",
            "0-99999999999999999999",
        ] {
            assert_eq!(cpus(text), None, "{text}");
        }
    }

    #[test]
    fn no_two_slots_in_use_share_anything() {
        assert!(slot("0-1", Some(0)).is_apart_from(&slot("2-3", Some(1))));
        assert!(slot("0-1", None).is_apart_from(&slot("2-3", None)));
        assert!(!slot("0-2", None).is_apart_from(&slot("2-3", None)));
        assert!(!slot("0-1", Some(0)).is_apart_from(&slot("2-3", Some(0))));
    }

    #[test]
    fn a_thread_goes_where_its_slot_is() {
        let whole = Slot::whole().unwrap();
        let first = Slot {
            cpus: whole.cpus.iter().take(1).copied().collect(),
            device: None,
        };
        // The set is a thread's own.
        std::thread::spawn(move || {
            first.enter().unwrap();
            assert_eq!(Slot::whole().unwrap(), first);
            let elsewhere = Slot {
                cpus: [CpuSet::MAX_CPU - 1].into(),
                device: None,
            };
            assert_eq!(elsewhere.enter().unwrap_err().reason, Reason::Resources);
        })
        .join()
        .unwrap();
    }
}
