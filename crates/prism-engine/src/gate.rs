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
pub(crate) struct Said {
    errors: usize,
    warnings: usize,
    /// The first findings; those that stop the submission where any do.
    pub(crate) findings: Vec<GateFinding>,
    /// What to tell the author of a bundle that may not run.
    pub(crate) refusal: Option<String>,
}

impl Said {
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
pub(crate) fn judge(bundle: &Bundle, path: &Path) -> Result<Said, Failure> {
    let report = prism_gate::check(bundle, &Options::default()).map_err(|error| {
        let reason = match error {
            GateError::Thread(_) => Reason::Resources,
            GateError::Defect => Reason::Internal,
        };
        Failure::new(reason, error.to_string())
    })?;
    let is_refused = report.has_errors();
    let findings: Vec<GateFinding> = report
        .findings
        .iter()
        .filter(|finding| !is_refused || finding.severity == Severity::Error)
        .take(FINDINGS_MAX)
        .map(told)
        .collect();
    let errors = report.count(Severity::Error);
    Ok(Said {
        errors,
        warnings: report.count(Severity::Warning),
        refusal: is_refused.then(|| refusal(&findings, errors, path)),
        findings,
    })
}

/// Asks CPython's own compiler, in the sandbox. Each file that it refuses is a syntax error like those of the gate.
pub(crate) fn compile(
    launcher: &SandboxLauncher<'_>,
    bundle: &Bundle,
    path: &Path,
    cancel: &Cancel,
) -> Result<Said, Failure> {
    let refused = compiler::refusals(launcher, bundle, cancel)?;
    let rule = prism_gate::of_instantiation(compiler::RULE_CODE);
    let errors = refused.len();
    let findings: Vec<GateFinding> = refused
        .into_iter()
        .take(FINDINGS_MAX)
        .map(|refusal| GateFinding {
            code: rule.code.to_owned(),
            id: rule.id.to_owned(),
            severity: Severity::Error.as_str().to_owned(),
            file: refusal.place.file,
            line: refusal.place.line,
            column: refusal.place.column,
            message: refusal.message,
            hint: refusal.hint,
        })
        .collect();
    Ok(Said {
        errors,
        warnings: 0,
        refusal: (errors > 0).then(|| refusal(&findings, errors, path)),
        findings,
    })
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
