//! Whether this machine can run submissions at all, asked before any is taken from a queue.

use std::path::Path;

use prism_core::{failure::Failure, recipe::Recipe};
use prism_sandbox::{Helper, MemoryCap, Mode};

use crate::{evaluate::Host, machine_lock::WhenBusy, prepare};

/// Tries the sandbox, the runtime and the device of a recipe. Takes a second or two.
pub fn ready(recipe: &Recipe, helper: Helper) -> Result<(), Failure> {
    let host = Host {
        helper,
        when_busy: WhenBusy::Wait,
    };
    let (capabilities, _) = prepare::machine(&host, recipe)?;
    let lacks = |what: &str| {
        Err(Failure::new(
            prism_core::outcome::Reason::SandboxUnavailable,
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
