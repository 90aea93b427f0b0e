//! Runs one untrusted command confined. STUB
mod cgroup;
mod error;
mod freeze;
mod init;
mod keeper;
mod landlock_layer;
mod mounts;
mod namespaces;
mod output;
mod payload;
mod plan;
mod preflight;
mod procfs;
mod proctree;
mod rlimits;
mod sandbox;
mod seccomp;
mod spec;
mod uids;
mod watch;

pub use error::{Failure, FreezeError, SpawnError, Step};
pub use keeper::run_init_if_asked;
pub use output::{Logs, escape_for_terminal};
pub use preflight::{
    Capabilities, Freezer, MemoryCap, Mode, Preferences, PreflightError, preflight, preflight_with,
};
pub use sandbox::{Helper, Sandbox};
pub use spec::{
    BINDS_MAX, Bind, Devices, Limits, OutputPolicy, PASSED_FDS_MAX, Spec, TARGET_FD_MAX, Tmpfs, system_binds,
};
pub use watch::{Ending, Usage};
