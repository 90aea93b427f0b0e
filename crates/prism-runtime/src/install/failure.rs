//! Why an installation failed, as far as can be seen from outside.
//!
//! What an installer prints is shown and not read: its words change with its version. What is said beside them are
//! conditions that were looked at here: a disk that was full meanwhile, a proxy that does not answer. `job` is the only
//! caller.

use std::net::{TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use super::Step;
use crate::error::RuntimeError;

/// Far more than a proxy needs that is there.
const PROXY_LIMIT: Duration = Duration::from_secs(5);

/// The error for an installer that ended with a failure. `full` is a place that was seen full while it ran.
pub(super) fn explain(
    step: Step,
    status: ExitStatus,
    tail: String,
    full: Option<PathBuf>,
    proxies: &[String],
) -> RuntimeError {
    let fetches = step.fetches();
    let step = step.words();
    if let Some(path) = full {
        let tail = format!("{} was full meanwhile\n{tail}", path.display());
        return RuntimeError::DiskFull { step, tail };
    }
    if !fetches {
        return RuntimeError::StepFailed {
            step,
            status,
            advice: String::new(),
            tail,
        };
    }
    for proxy in proxies {
        if let Err(reason) = reach(proxy) {
            return RuntimeError::Proxy {
                step,
                proxy: proxy.clone(),
                reason,
                tail,
            };
        }
    }
    let through = match proxies {
        [] => String::new(),
        named => format!(", through {}", named.join(" and ")),
    };
    RuntimeError::StepFailed {
        step,
        status,
        advice: format!(
            "; packages are taken from where pip is set up to take them{through}; what has been fetched is kept, so it \
             can simply be run again"
        ),
        tail,
    }
}

/// Whether somebody listens at a proxy, which is told as `NAME=scheme://host[:port][/]`.
fn reach(proxy: &str) -> Result<(), String> {
    let address = proxy.split_once('=').map_or(proxy, |(_, address)| address);
    let (scheme, rest) = address.split_once("://").unwrap_or(("http", address));
    let host = rest.split('/').next().unwrap_or(rest);
    let has_port = host
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let host = if has_port {
        host.to_owned()
    } else if scheme.starts_with("socks") {
        format!("{host}:1080")
    } else if scheme == "https" {
        format!("{host}:443")
    } else {
        format!("{host}:80")
    };
    let mut last = "it has no address".to_owned();
    for address in host.to_socket_addrs().map_err(|error| error.to_string())? {
        match TcpStream::connect_timeout(&address, PROXY_LIMIT) {
            Ok(_) => return Ok(()),
            Err(error) => last = error.to_string(),
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn explained(step: Step, full: Option<PathBuf>, proxies: &[String]) -> RuntimeError {
        let error = explain(
            step,
            ExitStatus::from_raw(2 << 8),
            "tail; \nend".to_owned(),
            full,
            proxies,
        );
        assert!(error.to_string().ends_with("\ntail; \nend"), "{error}");
        assert!(error.to_string().contains(step.words()), "{error}");
        error
    }

    #[test]
    fn what_was_seen_is_said_beside_what_the_installer_printed() {
        let error = explained(Step::Packages, Some("/full".into()), &[]);
        assert_eq!(error.code(), "runtime_disk_full");
        assert!(error.to_string().contains(":\n/full was full"), "{error}");
        let error = explained(
            Step::Environment,
            None,
            &["https_proxy=http://127.0.0.1:1".to_owned()],
        );
        assert_eq!(error.code(), "runtime_step_failed");
        assert!(!error.to_string().contains("packages are taken"), "{error}");
        let error = explained(Step::Packages, None, &[]);
        assert_eq!(error.code(), "runtime_step_failed");
        assert!(error.to_string().contains("exit status: 2"), "{error}");
        assert!(error.to_string().contains("packages are taken"), "{error}");
    }

    #[test]
    fn a_proxy_that_does_not_answer_is_named_and_one_that_does_is_told() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = format!("https_proxy=http://{}/", listener.local_addr().unwrap());
        let error = explained(Step::Uv, None, std::slice::from_ref(&proxy));
        assert_eq!(error.code(), "runtime_step_failed");
        assert!(error.to_string().contains(&proxy), "{error}");
        drop(listener);
        let error = explained(Step::Uv, None, std::slice::from_ref(&proxy));
        assert_eq!(error.code(), "runtime_proxy");
        assert!(error.to_string().contains(&proxy), "{error}");
    }
}
