//! Whether this machine can run submissions at all, asked before any is taken from a queue.

use std::path::Path;

use prism_core::{failure::Failure, outcome::Reason, recipe::Recipe};
use prism_sandbox::{Helper, MemoryCap, Mode};

use crate::{evaluate::Host, machine_lock::WhenBusy, prepare, round::Round};

/// Tries the sandbox, the runtime, the device and the room that a round wants, of the smallest recipe while there is none. Takes a second
/// or two.
pub fn ready(round: Option<&Round>, attempts_dir: &Path, helper: Helper) -> Result<(), Failure> {
    if let Some(why) = round.map(Round::why_not_here).transpose()?.flatten() {
        return Err(Failure::new(Reason::NotCounted, why));
    }
    let small = Recipe::small();
    let recipe = round.map_or(&small, |round| &round.recipe);
    let host = Host {
        helper,
        when_busy: WhenBusy::Wait,
    };
    // How many targets there are is for each run to say; what it keeps of the model is most of it.
    prepare::check_disk(attempts_dir, recipe, 0)?;
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
