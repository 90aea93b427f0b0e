//! The limits that this process was started with, where a command depends on them.
//!
//! `demo` and `runtime install` ask before they start, so that nothing is installed for want of address space; `runtime
//! doctor` shows what it finds; `data` says which limit a write has met. Decides nothing: that is
//! [`prism_engine::caller_limits`].

use std::borrow::Cow;
use std::io;

use prism_core::recipe::Recipe;
use prism_runtime::{Check, Status};
use prism_sandbox::{Amount, CallerLimit, CallerNeeds, raise_soft_limits};

use crate::failure::Failure;

/// `EFBIG`: a file would have become larger than it may.
const FILE_TOO_LARGE: i32 = 27;
/// Most files that a `data` command has open at once, rounded up: one for each band of near duplicates, or each connection of a
/// fetch with its file, and a few more.
const DATA_OPEN_FILES: u64 = 192;
/// What cannot be judged while a limit is in the way: each of these starts an interpreter, or maps or writes large files.
const DEPENDENT: [&str; 6] = ["python", "runtime", "torch", "packages", "views", "sandbox"];

/// Whether a run under the demo's recipe could be had: whatever else is wrong would be a consequence.
pub(crate) fn demand() -> Result<(), Failure> {
    Ok(prism_engine::caller_limits::provide(&Recipe::demo())?)
}

/// For commands that write as much as their input needs.
pub(crate) fn for_data() -> Result<(), Failure> {
    raise_soft_limits(&[CallerLimit::FileSize, CallerLimit::CpuTime]);
    CallerNeeds::default()
        .and(CallerLimit::OpenFiles, Amount::AtMost(DATA_OPEN_FILES))
        .provide()
        .map_err(|error| Failure::machine("resources", &error))
}

/// What to say of a write that met the limit on the size of a file; `None` for any other error. `input_bytes` is what was to
/// be written.
pub(crate) fn file_too_large(
    error: &dyn std::fmt::Display,
    source: &io::Error,
    input_bytes: u64,
) -> Option<Failure> {
    if source.raw_os_error() != Some(FILE_TOO_LARGE) {
        return None;
    }
    let limit = CallerLimit::FileSize;
    let text = format!(
        "{error}: {} of this process is limited to {}, and {} of input are to be written",
        limit.name(),
        limit.amount(limit.hard()),
        limit.amount(Amount::AtMost(input_bytes)),
    );
    Some(Failure::machine("resources", &text).hint(
        "start it where this hard limit is higher: from a shell whose `ulimit` did not lower it, or with another value in \
         /etc/security/limits.conf or in `LimitFSIZE=` of its systemd unit",
    ))
}

/// The doctor's check of the limits, and what follows for the others.
pub(crate) fn check() -> Check {
    let demo = prism_engine::caller_limits::provide(&Recipe::demo());
    let official = prism_engine::caller_limits::provide(&Recipe::official());
    let (status, said) = match (demo, official) {
        (Ok(()), Ok(())) => (Status::Ok, None),
        (Ok(()), Err(failure)) => (Status::Warn, Some(("official", failure))),
        (Err(failure), _) => (Status::Fail, Some(("demo", failure))),
    };
    let (detail, fix) = match said {
        None => (
            "those of this shell are no lower than the recipes `demo` and `official` need".to_owned(),
            None,
        ),
        Some((recipe, failure)) => {
            let detail = format!("under the recipe `{recipe}` {}", failure.detail);
            (detail, failure.hint.map(Cow::into_owned))
        }
    };
    Check {
        name: "limits",
        status,
        detail,
        fix,
    }
}

/// Puts the check of the limits first. Where it fails, what else fails is looked at again afterwards: nothing is to be
/// installed for it.
pub(crate) fn lead(limits: Check, checks: Vec<Check>) -> Vec<Check> {
    let is_met = limits.status != Status::Fail;
    let after = checks.into_iter().map(|mut check| {
        if !is_met && check.status == Status::Fail && DEPENDENT.contains(&check.name) {
            check.fix = Some(
                "see `limits` first, then ask again; this may be nothing but its consequence".to_owned(),
            );
        }
        check
    });
    std::iter::once(limits).chain(after).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &'static str, status: Status) -> Check {
        Check {
            name,
            status,
            detail: "it does not work".to_owned(),
            fix: Some("prism runtime install --reinstall".to_owned()),
        }
    }

    #[test]
    fn nothing_is_to_be_installed_again_because_of_a_limit() {
        let others = || vec![check("torch", Status::Fail), check("disk", Status::Fail)];
        let fixes = |limits| {
            let checks = lead(check("limits", limits), others());
            assert_eq!(checks[0].name, "limits");
            let fixes: Vec<_> = checks
                .into_iter()
                .map(|check| check.fix.unwrap_or_default())
                .collect();
            fixes
        };
        let low = fixes(Status::Fail);
        assert!(low[1].contains("`limits` first"), "{low:?}");
        assert!(
            low[2].contains("reinstall"),
            "a disk is as full as before: {low:?}"
        );
        assert!(fixes(Status::Ok)[1].contains("reinstall"));
    }

    #[test]
    fn a_file_that_is_too_large_is_told_with_the_limit() {
        let error = io::Error::from_raw_os_error(FILE_TOO_LARGE);
        let failure = file_too_large(&"cannot write x", &error, 5_000_000).unwrap();
        assert!(failure.detail.contains("`ulimit -f`"), "{failure:?}");
        assert!(failure.detail.contains("5,000,000 bytes of input"), "{failure:?}");
        assert!(file_too_large(&"", &io::Error::from_raw_os_error(28), 1).is_none());
    }
}
