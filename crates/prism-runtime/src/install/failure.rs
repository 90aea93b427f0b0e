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
/// What they say of a proxy that is gone, refuses, or wants a password.
const PROXY: [&str; 6] = [
    "proxyerror",
    "cannot connect to proxy",
    "unable to connect to proxy",
    "tunnel connection failed",
    "tunnel error",
    "proxy authentication required",
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
    tail: &str,
    proxies: &[String],
) -> RuntimeError {
    let tail = without_repeats(tail);
    let text = tail.to_lowercase().replace(['\'', '`'], "");
    let any = |signs: &[&str]| signs.iter().any(|sign| text.contains(sign));
    let installer = plan.installer.name();
    // In this order: pip says that it found nothing after it has said that the network is gone.
    if any(&DISK_FULL) {
        RuntimeError::DiskFull { step, tail }
    } else if any(&HASHES) {
        RuntimeError::HashMismatch { tail }
    } else if any(&PROXY) || any(&NETWORK) && !proxies.is_empty() {
        let proxies = match proxies {
            [] => String::new(),
            named => format!(" ({})", named.join(", ")),
        };
        RuntimeError::Proxy {
            step,
            installer,
            proxies,
            tail,
        }
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

/// Of the lines in which pip says that it tries once more, only the last.
fn without_repeats(tail: &str) -> String {
    const AGAIN: &str = "WARNING: Retrying ";
    let is_again = |line: &&str| line.starts_with(AGAIN);
    let repeats = tail.lines().filter(is_again).count().saturating_sub(1);
    let mut seen = 0;
    let kept = tail.lines().filter(|line| {
        seen += usize::from(is_again(line));
        !is_again(line) || seen > repeats
    });
    kept.collect::<Vec<_>>().join("\n")
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
                "WARNING: Retrying after connection broken by 'ProxyError('Cannot connect to proxy.', \
                 NewConnectionError('Failed to establish a new connection: [Errno 111] Connection refused'))'\n\
                 ERROR: No matching distribution found for torch==2.15.0",
                "runtime_proxy",
            ),
            (
                "WARNING: Retrying after connection broken by 'ProxyError('Cannot connect to proxy.', timeout('timed out'))'",
                "runtime_proxy",
            ),
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
            let error = classify(&plan, "testing", ExitStatus::from_raw(1 << 8), tail, &[]);
            assert_eq!(error.code(), code, "{tail}");
            assert!(error.to_string().contains(tail), "{error}");
        }
        // Where a proxy is named, it is the first thing to look at, whatever the installer says of the network.
        let proxies = ["https_proxy=http://127.0.0.1:9".to_owned()];
        let tail = "error: error sending request for url";
        let error = classify(&plan, "testing", ExitStatus::from_raw(1 << 8), tail, &proxies);
        assert_eq!(error.code(), "runtime_proxy");
        assert!(error.to_string().contains(&proxies[0]), "{error}");
    }

    #[test]
    fn what_was_tried_again_is_shown_once() {
        let tail = "Looking\nWARNING: Retrying (total=4) x\nWARNING: Retrying (total=3) x\nERROR: none\n";
        assert_eq!(
            without_repeats(tail),
            "Looking\nWARNING: Retrying (total=3) x\nERROR: none"
        );
        assert_eq!(without_repeats("ERROR: a\nERROR: a"), "ERROR: a\nERROR: a");
        assert_eq!(without_repeats(""), "");
    }
}
