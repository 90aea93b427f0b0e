//! What a machine can do, in types: the answer of a preflight, and what one may insist on.
//!
//! Made by `preflight.rs`, read by everybody. It must never be made from anything but a trial that has just succeeded.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::cgroup_places::Base;
use crate::error::SpawnError;
use crate::plan::Ids;
use crate::uids::{IdRange, Slot};

/// Whose privileges build the sandbox. In neither does anything inside run as host uid 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Mode {
    /// Started by root, without a user namespace: the payload and the init each run under an unused host uid.
    Root,
    /// Started by an ordinary user, in a user namespace that maps that user only.
    User,
}

/// What holds the memory of the whole tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MemoryCap {
    /// A version 1 memory group: exact, but that as much again may be in buffers of TCP and UDP, and a little more for a tenth of a second. Never where
    /// the machine has swap that the group cannot limit.
    CgroupV1,
    /// A version 2 group: exact. Never where the machine has swap that the group cannot limit.
    CgroupV2,
    /// Looking at the processes ten times a second: best effort. The caller must mark such a run a rehearsal.
    Watchdog,
}

/// What stops the whole tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Freezer {
    /// A version 1 freezer group.
    CgroupV1,
    /// `cgroup.freeze` of a version 2 group.
    CgroupV2,
    /// SIGSTOP to every process, by the sandbox's init.
    InitSignals,
}

/// What a preflight may choose from; `None` means the best that works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Preferences {
    /// Insist on this way of capping memory.
    pub memory_cap: Option<MemoryCap>,
    /// Insist on this way of freezing.
    pub freezer: Option<Freezer>,
}

/// What was seen to work on this machine, for this user. Only a preflight makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// Root or ordinary user.
    pub mode: Mode,
    /// How memory is capped.
    pub memory_cap: MemoryCap,
    /// How the tree is frozen.
    pub freezer: Freezer,
    pub(crate) memory_base: Option<Base>,
    pub(crate) freezer_base: Option<Base>,
    pub(crate) ids: Identities,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identities {
    Own(Ids),
    Unused(IdRange),
}

impl Capabilities {
    /// The identities of the next sandbox, and what keeps them from being given out again.
    pub(crate) fn identities(&self) -> Result<(Ids, Option<Slot>), SpawnError> {
        match self.ids {
            Identities::Own(ids) => Ok((ids, None)),
            Identities::Unused(range) => {
                let slot = Slot::take().map_err(|in_use| SpawnError::TooManySandboxes { in_use })?;
                Ok((slot.ids(range), Some(slot)))
            }
        }
    }
}

impl fmt::Display for Preferences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "memory cap {:?} with freezer {:?}",
            self.memory_cap, self.freezer
        )
    }
}

impl MemoryCap {
    /// Whether the cap is exact.
    pub fn is_exact(self) -> bool {
        self != Self::Watchdog
    }
}
