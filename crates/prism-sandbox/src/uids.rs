//! Unused host identities for root mode, two per sandbox: one for its payload, one for its init.
//!
//! Used by `sandbox.rs`. Two sandboxes of one process that are alive at once never share an identity: they would share what the kernel counts by user
//! (processes, pages of pipes, descriptors on their way through sockets), and could read those counts. Those of different processes never do so in the
//! wide range, but where two PID namespaces of one host have the same process number. In the narrow range, which is for a user namespace of few ids, they
//! may: if their process numbers are 67, 68 or 271 apart, for example. Host uid 0 is never handed out.

use std::sync::Mutex;

use crate::plan::Ids;

/// Sandboxes that one process may have at a time.
pub(crate) const SLOTS: usize = 32;
/// Start of the range used where all ids are mapped. 0x7000_0000 to 0x7FFF_FFFF lies above every range that distributions hand out, and below 2^31.
const WIDE_BASE: u32 = 0x7000_0000;
/// Bits of the process number in an id of the wide range: `pid_max` is at most 2^22.
const PID_BITS: u32 = 22;
/// Start of the range used inside a user namespace that maps 65,536 ids: the one reserved for short-lived service users.
const NARROW_BASE: u32 = 61_184;
/// Ids in the narrow range (up to 65,519).
const NARROW_IDS: u32 = 4_336;

static IN_USE: Mutex<u32> = Mutex::new(0);

/// A pair of identities, free again when dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    index: u32,
}

impl Slot {
    /// Takes the lowest free slot, or says how many are in use.
    pub(crate) fn take() -> Result<Self, usize> {
        let mut in_use = IN_USE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let index = in_use.trailing_ones();
        if index as usize >= SLOTS {
            return Err(SLOTS);
        }
        *in_use |= 1 << index;
        Ok(Self { index })
    }

    /// The identities of this slot in this process.
    pub(crate) fn ids(&self, range: IdRange) -> Ids {
        let pid = std::process::id() & ((1 << PID_BITS) - 1);
        let uid = match range {
            IdRange::Wide => WIDE_BASE | pid << 6 | self.index << 1,
            IdRange::Narrow => NARROW_BASE + (pid.wrapping_mul(64) + self.index * 2) % NARROW_IDS,
        };
        Ids {
            uid,
            gid: uid,
            init_uid: uid + 1,
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut in_use = IN_USE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *in_use &= !(1 << self.index);
    }
}

/// Which host ids are there to choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdRange {
    /// All of them.
    Wide,
    /// The first 65,536 of a user namespace.
    Narrow,
}

impl IdRange {
    /// Reads the range from the text of `/proc/self/uid_map`; `None` where neither fits.
    pub(crate) fn from_uid_map(text: &str) -> Option<Self> {
        let covers = |first: u64, last: u64| {
            text.lines().any(|line| {
                let mut numbers = line.split_whitespace().map_while(|word| word.parse::<u64>().ok());
                match (numbers.next(), numbers.next(), numbers.next()) {
                    (Some(inside), Some(_), Some(count)) => {
                        inside <= first && last < inside.saturating_add(count)
                    }
                    _ => false,
                }
            })
        };
        if covers(u64::from(WIDE_BASE), u64::from(WIDE_BASE) + (1 << 28) - 1) {
            Some(Self::Wide)
        } else if covers(u64::from(NARROW_BASE), u64::from(NARROW_BASE + NARROW_IDS) - 1) {
            Some(Self::Narrow)
        } else {
            None
        }
    }
}

/// The id outside this user namespace that `id` stands for, from the text of `/proc/self/uid_map`.
pub(crate) fn outside_id(uid_map: &str, id: u32) -> Option<u64> {
    uid_map.lines().find_map(|line| {
        let numbers: Vec<u64> = line
            .split_whitespace()
            .map_while(|word| word.parse().ok())
            .collect();
        let [inside, outside, count] = numbers[..] else {
            return None;
        };
        let offset = u64::from(id).checked_sub(inside)?;
        (offset < count).then(|| outside + offset)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_live_slots_never_share_an_identity_and_none_is_root() {
        let slots: Vec<Slot> = std::iter::from_fn(|| Slot::take().ok()).collect();
        assert!(slots.len() > 1);
        for range in [IdRange::Wide, IdRange::Narrow] {
            let mut seen: Vec<u32> = slots
                .iter()
                .flat_map(|slot| [slot.ids(range).uid, slot.ids(range).init_uid])
                .collect();
            let count = seen.len();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), count);
            assert!(seen.iter().all(|uid| *uid >= NARROW_BASE && *uid < 1 << 31));
        }
    }

    #[test]
    fn the_range_follows_the_map_and_a_map_without_room_is_refused() {
        assert_eq!(
            IdRange::from_uid_map("         0          0 4294967295\n"),
            Some(IdRange::Wide)
        );
        assert_eq!(
            IdRange::from_uid_map("0 1000 1\n1 100000 65536\n"),
            Some(IdRange::Narrow)
        );
        assert_eq!(IdRange::from_uid_map("0 100000 65536\n"), Some(IdRange::Narrow));
        assert_eq!(IdRange::from_uid_map("1000 0 1\n"), None);
        assert_eq!(IdRange::from_uid_map("nonsense"), None);
    }

    #[test]
    fn an_ordinary_number_that_stands_for_host_root_is_seen_through() {
        assert_eq!(outside_id("1000 0 1\n", 1000), Some(0));
        assert_eq!(outside_id("0 0 4294967295\n", 1000), Some(1000));
        assert_eq!(outside_id("0 100000 65536\n", 70_000), None);
    }
}
