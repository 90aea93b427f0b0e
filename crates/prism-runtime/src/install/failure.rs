//! Why an installer failed, from what it printed last.
//!
//! Installers have one exit code for everything, so the cause is in the text. Where no known text is found the error
//! is the general one, which shows what was printed. `install` is the only caller.

use std::process::ExitStatus;

use super::{InstallPlan, Installer};
use crate::error::RuntimeError;

const DISK_FULL: [&str; 3] = ["no space left on device", "os error 28", "errno 28"];
const HASHES: [&str; 3] = ["do not match the hashes", "hash mismatch", "hashes are required"];
const NETWORK: [&str; 11] = [
    "temporary failure in name resolution",
    "name or service not known",
    "failed to establish a new connection",
    "connection refused",
    "connection reset",
    "network is unreachable",
    "read timed out",
    "operation timed out",
    "error sending request",
    "dns error",
    "newconnectionerror",
];
const NO_PACKAGE: [&str; 4] = [
    "no matching distribution found",
    "was not found in the package registry",
    "no wheels with a matching",
    "no solution found",
];
const NO_VENV: [&str; 3] = [
    "ensurepip is not available",
    "no module named venv",
    "no module named ensurepip",
];

/// The error for an installer that ended with a failure.
pub(super) fn classify(
    plan: &InstallPlan,
    step: &'static str,
    status: ExitStatus,
    tail: String,
) -> RuntimeError {
    let text = tail.to_lowercase().replace(['\'', '`'], "");
    let any = |signs: &[&str]| signs.iter().any(|sign| text.contains(sign));
    let installer = plan.installer.name();
    // In this order: pip says that it found nothing after it has said that the network is gone.
    if any(&DISK_FULL) {
        RuntimeError::DiskFull { step, tail }
    } else if any(&HASHES) {
        RuntimeError::HashMismatch { tail }
    } else if any(&NETWORK) {
        RuntimeError::Network {
            step,
            installer,
            tail,
        }
    } else if any(&NO_PACKAGE) {
        RuntimeError::NoSuchPackage { installer, tail }
    } else if any(&NO_VENV) || text.contains("ensurepip") && plan.installer == Installer::Pip {
        RuntimeError::NoVenvModule {
            python: plan.python.clone(),
            detail: tail,
        }
    } else {
        RuntimeError::StepFailed {
            step,
            status: status.to_string(),
            tail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn each_cause_is_told_from_its_text() {
        let plan = InstallPlan {
            python: "/usr/bin/python3".into(),
            python_version: "3.11.2".to_owned(),
            installer: Installer::Pip,
            directory: "/data".into(),
            packages: 1,
            installed_bytes: 1,
            download_bytes: 1,
            disk: Vec::new(),
        };
        for (tail, code) in [
            (
                "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
                "runtime_disk_full",
            ),
            (
                "error: Failed to write: No space left on device (os error 28)",
                "runtime_disk_full",
            ),
            (
                "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
                "runtime_hash_mismatch",
            ),
            (
                "error: Hash mismatch for `torch==2.15.0`",
                "runtime_hash_mismatch",
            ),
            (
                "WARNING: Retrying (NewConnectionError: Temporary failure in name resolution)\n\
                 ERROR: No matching distribution found for torch==2.15.0",
                "runtime_network",
            ),
            ("error: error sending request for url", "runtime_network"),
            (
                "ERROR: No matching distribution found for torch==2.15.0",
                "runtime_no_such_package",
            ),
            (
                "Because torch was not found in the package registry",
                "runtime_no_such_package",
            ),
            (
                "The virtual environment was not created successfully because ensurepip is not available.",
                "runtime_no_venv_module",
            ),
            ("/usr/bin/python3: No module named venv", "runtime_no_venv_module"),
            (
                "Error: Command '[..., '-m', 'ensurepip', '--upgrade']' returned non-zero",
                "runtime_no_venv_module",
            ),
            ("Segmentation fault", "runtime_step_failed"),
            ("", "runtime_step_failed"),
        ] {
            let error = classify(&plan, "testing", ExitStatus::from_raw(1 << 8), tail.to_owned());
            assert_eq!(error.code(), code, "{tail}");
            assert!(error.to_string().contains(tail), "{error}");
        }
    }
}
