//! CPython's own compiler, asked about every Python file of a bundle before anything of it is imported.
//!
//! The gate's parser is another one, and takes files that CPython refuses: an argument named twice, `return` outside of
//! a function, tabs that do not line up. Only the compiler that a run uses knows them all. So it compiles the files in a
//! sandbox, by `compile_bundle.py`, and executes nothing. Called by [`crate::evaluate`] and [`crate::instantiate`]. A
//! file may be written to exhaust or crash a compiler: that, too, is a finding about that file, never a failure of ours.

use std::time::Duration;

use prism_bundle::Bundle;
use prism_core::escape::escape_for_terminal;
use prism_core::{failure::Failure, outcome::Reason};
use prism_gate::{Finding, Place, Severity};
use prism_referee::connection::Cancel;
use prism_sandbox::{Ending, Sandbox};
use serde::Deserialize;

use crate::launcher::SandboxLauncher;

/// The rule of the gate for a file that does not compile.
const RULE_CODE: &str = "PRS001";
/// For all files of a bundle together. A bundle of 8 MiB of ordinary code takes 20 seconds.
pub(crate) const COMPILE_TIME: Duration = Duration::from_mins(1);
/// A file of 256 KiB takes a tenth of it.
pub(crate) const COMPILE_MEMORY_BYTES: u64 = 1 << 30;
/// Two lines of at most 3 KiB for each of 200 files.
pub(crate) const COMPILE_OUTPUT_BYTES: u64 = 2 << 20;
/// How long nobody looks whether the run was cancelled.
const PATIENCE: Duration = Duration::from_millis(100);
/// What is shown of what an interpreter said that did not come up, in characters.
const STDERR_CHARS_MAX: usize = 400;

/// Compiles every Python file of the bundle that the launcher's seats hold; executes none.
///
/// # Errors
/// Only for what is not the submission's fault.
pub(crate) fn refusals(
    launcher: &SandboxLauncher<'_>,
    bundle: &Bundle,
    cancel: &Cancel,
) -> Result<Vec<Finding>, Failure> {
    let files: Vec<(&str, &str)> = bundle
        .files()
        .map(|(path, text)| (path.as_str(), text))
        .filter(|(path, _)| path.strip_suffix(".py").is_some())
        .collect();
    let spec = launcher.compiler_spec(files.iter().map(|(path, _)| *path));
    let mut sandbox =
        Sandbox::spawn(launcher.helper, launcher.capabilities, spec).map_err(|error| Failure {
            detail: format!("a sandbox cannot be started: {error}"),
            ..Failure::of(Reason::SandboxUnavailable, &error)
        })?;
    let ending = loop {
        if let Some(ending) = sandbox.wait(Some(PATIENCE)) {
            break ending;
        }
        if cancel.is_cancelled() {
            sandbox.kill();
            return Err(Failure::new(Reason::Cancelled, "the run was cancelled"));
        }
    };
    let logs = sandbox.logs();
    read(&files, &logs.stdout, &logs.stderr, ending)
}

/// A line of what `compile_bundle.py` says.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Event {
    Refused(Refused),
    Begun { begun: usize },
    Done { done: usize },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    #[serde(rename = "refused")]
    file: usize,
    kind: String,
    message: String,
    line: Option<u32>,
    column: Option<u32>,
    end_line: Option<u32>,
    end_column: Option<u32>,
}

/// From what the compiler's process said and how it ended to what is wrong. Believes no place outside of a file.
fn read(
    files: &[(&str, &str)],
    stdout: &[u8],
    stderr: &[u8],
    ending: Ending,
) -> Result<Vec<Finding>, Failure> {
    let mut refusals = Vec::new();
    let (mut begun, mut is_done) = (None, false);
    for line in stdout.split(|byte| *byte == b'\n') {
        match serde_json::from_slice(line) {
            Ok(Event::Begun { begun: number }) if number < files.len() => begun = Some(number),
            Ok(Event::Refused(refused)) if Some(refused.file) == begun => {
                refusals.extend(files.get(refused.file).map(|file| refusal(*file, &refused)));
            }
            Ok(Event::Done { done }) => is_done = done == files.len(),
            // The last line of a process that was ended is half a line.
            _ => break,
        }
    }
    let seconds = COMPILE_TIME.as_secs();
    let what = match ending {
        Ending::Exited(0) if is_done => return Ok(refusals),
        Ending::MachineOutOfMemory => {
            let detail = "CPython's compiler was killed because this machine ran out of memory: free some";
            return Err(Failure::new(Reason::Resources, detail));
        }
        Ending::HelperDied | Ending::KilledByCaller => {
            let detail = "the sandbox of CPython's compiler was ended from outside";
            return Err(Failure::new(Reason::SandboxUnavailable, detail));
        }
        Ending::OutOfMemory => format!(
            "needs more than {} MB of memory",
            COMPILE_MEMORY_BYTES / 1_000_000
        ),
        Ending::WallTime | Ending::CpuTime => {
            format!("was not done when the {seconds} s for all files were over")
        }
        Ending::Exited(_)
        | Ending::Signalled(_)
        | Ending::ForbiddenSyscall
        | Ending::SealBroken(_)
        | Ending::OutputLimit => "crashes it".to_owned(),
    };
    let Some(&(file, _)) = begun.and_then(|number| files.get(number)) else {
        let said: String = String::from_utf8_lossy(stderr)
            .chars()
            .take(STDERR_CHARS_MAX)
            .collect();
        return Err(Failure::new(
            Reason::RuntimeMissing,
            format!(
                "the Python runtime did not come up in its sandbox ({ending:?}: {}): try `prism runtime doctor`",
                escape_for_terminal(said.trim())
            ),
        ));
    };
    refusals.push(finding(
        file,
        Place::START,
        format!("CPython's compiler does not come to an end with this file: it {what}"),
        "write it in ordinary statements of ordinary size, and split it into several files".to_owned(),
    ));
    Ok(refusals)
}

fn finding(file: &str, place: Place, message: String, hint: String) -> Finding {
    Finding {
        rule: prism_gate::of_instantiation(RULE_CODE),
        severity: Severity::Error,
        file: file.to_owned(),
        place,
        message,
        hint,
        traceback: None,
    }
}

fn refusal((file, text): (&str, &str), refused: &Refused) -> Finding {
    let said = match refused.message.as_str() {
        "" => refused.kind.clone(),
        message => format!("{}: {message}", refused.kind),
    };
    let known = |line: Option<u32>, column: Option<u32>| {
        let line = line.unwrap_or(1).max(1);
        let shown = python_lines(text).nth(line as usize - 1)?;
        let last = u32::try_from(shown.chars().count())
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        Some((line, column.unwrap_or(1).clamp(1, last)))
    };
    let (line, column) = known(refused.line, refused.column).unwrap_or((1, 1));
    let mut place = Place::at(line, column);
    if let (Some(_), Some((end_line, end_column))) =
        (refused.end_column, known(refused.end_line, refused.end_column))
        && (end_line, end_column) > (line, column)
    {
        (place.end_line, place.end_column) = (end_line, end_column);
    }
    finding(
        file,
        place,
        format!("CPython refuses this file: {said}"),
        format!("`python3 -m py_compile {file}` says the same: write what it asks for"),
    )
}

/// The lines as CPython counts them; the last one may be empty, which is where a file ends too early.
fn python_lines(text: &str) -> impl Iterator<Item = &str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let left = rest?;
        match left.find(['\n', '\r']) {
            None => {
                rest = None;
                Some(left)
            }
            Some(end) => {
                let after = &left[end..];
                rest = Some(after.strip_prefix("\r\n").unwrap_or(&after[1..]));
                Some(&left[..end])
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: [(&str, &str); 2] = [("architecture.py", "a = 1\r\nb = 'é'\rc"), ("training.py", "x\n")];

    fn read_all(stdout: &str, ending: Ending) -> Result<Vec<Finding>, Failure> {
        read(&FILES, stdout.as_bytes(), b"no\x1bmodule", ending)
    }

    /// File, line, column, end and message of what is refused.
    fn shown(stdout: &str, ending: Ending) -> Vec<String> {
        let found = read_all(stdout, ending).unwrap();
        let show = |refusal: Finding| {
            let place = refusal.place;
            format!(
                "{}:{}:{}-{}:{} {}",
                refusal.file, place.line, place.column, place.end_line, place.end_column, refusal.message
            )
        };
        found.into_iter().map(show).collect()
    }

    #[test]
    fn what_the_compiler_says_has_a_place_within_the_file() {
        let clean = "{\"begun\": 0}\n{\"begun\": 1}\n{\"done\": 2}\n";
        assert!(shown(clean, Ending::Exited(0)).is_empty());
        let say = |place: &str| {
            let said = format!(
                "{{\"begun\": 0}}\n{{\"refused\": 0, \"kind\": \"TabError\", \"message\": \"tabs\"{place}}}\n\
                 {{\"begun\": 1}}\n{{\"done\": 2}}\n"
            );
            shown(&said, Ending::Exited(0)).concat()
        };
        let refused = "CPython refuses this file: TabError: tabs";
        for (place, wanted) in [
            (
                r#", "line": 2, "column": 5, "end_line": 2, "end_column": 8"#,
                "2:5-2:8",
            ),
            (
                r#", "line": 2, "column": 5, "end_line": 2, "end_column": null"#,
                "2:5-2:5",
            ),
            (
                r#", "line": 2, "column": 99, "end_line": 1, "end_column": 1"#,
                "2:8-2:8",
            ),
            (r#", "line": 3, "column": null"#, "3:1-3:1"),
            (r#", "line": 9, "column": 7"#, "1:1-1:1"),
            (r#", "line": 0, "column": 0"#, "1:1-1:1"),
            ("", "1:1-1:1"),
        ] {
            assert_eq!(
                say(place),
                format!("architecture.py:{wanted} {refused}"),
                "{place}"
            );
        }
        let nameless = r#"{"begun": 1}
{"refused": 1, "kind": "MemoryError", "message": ""}
{"done": 2}"#;
        assert_eq!(
            shown(nameless, Ending::Exited(0)),
            ["training.py:1:1-1:1 CPython refuses this file: MemoryError"]
        );
    }

    #[test]
    fn a_file_that_ends_the_compiler_is_named() {
        let until_second = "{\"begun\": 0}\n{\"begun\": 1}\n{\"refu";
        for (ending, words) in [
            (Ending::OutOfMemory, "more than 1073 MB of memory"),
            (Ending::WallTime, "60 s"),
            (Ending::CpuTime, "60 s"),
            (Ending::Signalled(11), "crashes it"),
            (Ending::Exited(0), "crashes it"),
            (Ending::OutputLimit, "crashes it"),
        ] {
            let found = shown(until_second, ending);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].starts_with("training.py:1:1"), "{found:?}");
            assert!(found[0].contains(words), "{found:?}");
        }
        // What the process was made to say about another file counts for nothing.
        let other = "{\"begun\": 0}\n{\"refused\": 1, \"kind\": \"E\", \"message\": \"\"}\n{\"done\": 2}\n";
        assert!(shown(other, Ending::Signalled(6))[0].starts_with("architecture.py"));
    }

    #[test]
    fn an_interpreter_that_does_not_come_up_is_no_fault_of_the_bundle() {
        for stdout in ["", "{\"done\": 7}\n", "{\"begun\": 2}\n", "hello\n"] {
            let failure = read_all(stdout, Ending::Exited(1)).unwrap_err();
            assert_eq!(failure.reason, Reason::RuntimeMissing);
            assert!(!failure.detail.contains('\x1b'), "{}", failure.detail);
        }
        for (ending, reason) in [
            (Ending::MachineOutOfMemory, Reason::Resources),
            (Ending::HelperDied, Reason::SandboxUnavailable),
        ] {
            assert_eq!(read_all("{\"begun\": 0}\n", ending).unwrap_err().reason, reason);
        }
    }
}
