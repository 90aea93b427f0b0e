//! The gate before a run: from what its rules and CPython's compiler say to an event, and to the end of the run where there
//! is an error.
//!
//! Used by [`crate::evaluate`] alone. What it hands on is bounded; `prism check` shows all.

use std::fmt::Write as _;
use std::path::Path;

use prism_bundle::Bundle;
use prism_core::{failure::Failure, outcome::Reason};
use prism_gate::{Finding, GateError, Options, Severity};
use prism_referee::connection::Cancel;

use crate::compiler;
use crate::event::{EvalEvent, GateFinding};
use crate::launcher::SandboxLauncher;

/// Findings that an event and an outcome name.
const FINDINGS_MAX: usize = 20;
/// Findings that the detail of an outcome names.
const DETAIL_FINDINGS_MAX: usize = 3;

/// What the gate says of a bundle.
pub(crate) struct GateDecision {
    errors: usize,
    warnings: usize,
    /// The first findings; those that stop the submission where any do.
    pub(crate) findings: Vec<GateFinding>,
    /// What to tell the author of a bundle that may not run.
    pub(crate) refusal: Option<String>,
}

impl GateDecision {
    /// What there is to tell, if anything.
    pub(crate) fn event(&self) -> Option<EvalEvent> {
        (self.errors + self.warnings > 0).then(|| EvalEvent::Gate {
            errors: self.errors as u64,
            warnings: self.warnings as u64,
            findings: self.findings.clone(),
        })
    }
}

/// Asks the gate. `path` is what the author calls the bundle.
pub(crate) fn judge(bundle: &Bundle, path: &Path) -> Result<GateDecision, Failure> {
    let report = prism_gate::check(bundle, &Options::default()).map_err(|error| {
        let reason = match error {
            GateError::Thread(_) => Reason::Resources,
            GateError::Defect => Reason::Internal,
        };
        Failure::new(reason, error.to_string())
    })?;
    Ok(said(&report.findings, path))
}

/// Asks CPython's own compiler, in the sandbox. Each file that it refuses is a syntax error like those of the gate.
pub(crate) fn compile(
    launcher: &SandboxLauncher<'_>,
    bundle: &Bundle,
    path: &Path,
    cancel: &Cancel,
) -> Result<GateDecision, Failure> {
    Ok(said(&compiler::refusals(launcher, bundle, cancel)?, path))
}

fn said(findings: &[Finding], path: &Path) -> GateDecision {
    let is_error = |finding: &&Finding| finding.severity == Severity::Error;
    let errors = findings.iter().filter(is_error).count();
    let first: Vec<GateFinding> = findings
        .iter()
        .filter(|finding| errors == 0 || is_error(finding))
        .take(FINDINGS_MAX)
        .map(told)
        .collect();
    GateDecision {
        errors,
        warnings: findings.len() - errors,
        refusal: (errors > 0).then(|| refusal(&first, errors, path)),
        findings: first,
    }
}

fn told(finding: &Finding) -> GateFinding {
    GateFinding {
        code: finding.rule.code.to_owned(),
        id: finding.rule.id.to_owned(),
        severity: finding.severity.as_str().to_owned(),
        file: finding.file.clone(),
        line: finding.place.line,
        column: finding.place.column,
        message: finding.message.clone(),
        hint: finding.hint.clone(),
    }
}

fn refusal(findings: &[GateFinding], errors: usize, path: &Path) -> String {
    let mut text = String::from("the gate refuses the source of the bundle:\n");
    for finding in findings.iter().take(DETAIL_FINDINGS_MAX) {
        let GateFinding {
            code,
            file,
            line,
            column,
            message,
            ..
        } = finding;
        let _ = writeln!(text, "  {file}:{line}:{column}: {code} {message}");
    }
    let more = errors.saturating_sub(DETAIL_FINDINGS_MAX);
    if more > 0 {
        let _ = writeln!(text, "  and {more} more");
    }
    let _ = write!(
        text,
        "`prism check {}` shows everything and what to write instead",
        path.display()
    );
    text
}
