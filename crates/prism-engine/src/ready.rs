//! Whether this machine can run submissions at all, asked before any is taken from a queue.

use std::path::Path;

use prism_core::{failure::Failure, outcome::Reason, recipe::Recipe};
use prism_sandbox::{Helper, MemoryCap, Mode};

use crate::{evaluate::Host, machine_lock::WhenBusy, prepare, round::Round};

/// Tries the sandbox, the runtime and the device that a round wants, of the smallest recipe while there is none. Takes a second
/// or two.
pub fn ready(round: Option<&Round>, helper: Helper) -> Result<(), Failure> {
    if let Some(why) = round.map(Round::why_not_here).transpose()?.flatten() {
        return Err(Failure::new(Reason::NotCounted, why));
    }
    let small = Recipe::small();
    let recipe = round.map_or(&small, |round| &round.recipe);
    let host = Host {
        helper,
        when_busy: WhenBusy::Wait,
    };
    let (capabilities, _) = prepare::machine(&host, recipe)?;
    let lacks = |what: &str| {
        Err(Failure::new(
            Reason::SandboxUnavailable,
            format!("{what}, so that no run could count"),
        ))
    };
    if capabilities.memory_cap == MemoryCap::Watchdog {
        return lacks("memory is capped by a watchdog only: give this machine control groups");
    }
    if capabilities.mode != Mode::Root || !Path::new("/proc/sys/vm/drop_caches").exists() {
        return lacks("it is not run as root");
    }
    Ok(())
}
