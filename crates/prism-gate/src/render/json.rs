//! For programs: one object with a stable shape.
//!
//! ```text
//! schema         "prism_check.v1"; another number where a field changes its meaning
//! passed         whether nothing stops the submission
//! bundle_sha256  the bundle's hash; null where the files make no bundle
//! summary        errors, warnings, omitted (findings that are not listed), python_files
//! instantiation  status: "skipped" (note: that CPython's own compiler was not asked), "done" (parameters), "unavailable" (reason, detail)
//! findings       in the order of files and places, each with
//!   code         "PRS102"
//!   id           "prism:no-network"
//!   severity     "error" or "warning"
//!   file         path within the bundle; null where the whole bundle is meant
//!   place        line, column, end_line, end_column in characters from 1, the end exclusive; start_byte, end_byte
//!   message      what is wrong, one sentence
//!   hint         what to write instead
//!   traceback    the frames of the submission's own exception, or null
//! ```
//!
//! Strings may hold anything that JSON escapes; whoever shows them escapes them for the place.

use serde::Serialize;

use super::{Instantiation, NOT_COMPILED, Subject};
use crate::finding::{Place, Report, Severity};

/// The name of the shape.
const SCHEMA: &str = "prism_check.v1";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    passed: bool,
    bundle_sha256: Option<&'a str>,
    summary: Summary,
    instantiation: Built<'a>,
    findings: Vec<Found<'a>>,
}

#[derive(Serialize)]
struct Summary {
    errors: usize,
    warnings: usize,
    omitted: usize,
    python_files: usize,
}

#[derive(Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
enum Built<'a> {
    Skipped { note: &'a str },
    Done { parameters: Option<u64> },
    Unavailable { reason: &'a str, detail: &'a str },
}

#[derive(Serialize)]
struct Found<'a> {
    code: &'static str,
    id: &'static str,
    severity: Severity,
    file: Option<&'a str>,
    place: Place,
    message: &'a str,
    hint: &'a str,
    traceback: Option<&'a str>,
}

/// A report as JSON.
pub fn json(report: &Report, subject: &Subject<'_>) -> serde_json::Result<String> {
    let document = Document {
        schema: SCHEMA,
        passed: !report.has_errors(),
        bundle_sha256: subject.bundle_sha256.as_deref(),
        summary: Summary {
            errors: report.count(Severity::Error),
            warnings: report.count(Severity::Warning),
            omitted: report.omitted,
            python_files: subject.texts.python_files(),
        },
        instantiation: match &subject.instantiation {
            Instantiation::Skipped | Instantiation::NotWanted => Built::Skipped { note: NOT_COMPILED },
            Instantiation::Done { parameters } => Built::Done {
                parameters: *parameters,
            },
            Instantiation::Unavailable { reason, detail } => Built::Unavailable { reason, detail },
        },
        findings: report
            .findings
            .iter()
            .map(|finding| Found {
                code: finding.rule.code,
                id: finding.rule.id,
                severity: finding.severity,
                file: (!finding.file.is_empty()).then_some(&finding.file),
                place: finding.place,
                message: &finding.message,
                hint: &finding.hint,
                traceback: finding.traceback.as_deref(),
            })
            .collect(),
    };
    serde_json::to_string_pretty(&document)
}
