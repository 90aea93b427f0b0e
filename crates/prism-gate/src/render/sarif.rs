//! SARIF 2.1.0, for code scanning and editors.
//!
//! One run; the rules that were broken with their pages; a result a finding. Columns count code points from 1, the end
//! exclusive, which is what [`crate::Place`] holds. Paths are relative references, percent-encoded.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Instantiation, NOT_COMPILED, Subject, page};
use crate::finding::{Finding, Report};
use crate::rule::Rule;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// What relative paths are relative to, by the name that code scanning gives it.
const ROOT: &str = "%SRCROOT%";

/// A report as SARIF.
pub fn sarif(report: &Report, subject: &Subject<'_>) -> serde_json::Result<String> {
    let mut rules: Vec<&'static Rule> = report.findings.iter().map(|finding| finding.rule).collect();
    rules.sort_by_key(|rule| rule.code);
    rules.dedup_by_key(|rule| rule.code);
    let results: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| {
            let index = rules.iter().position(|rule| rule.code == finding.rule.code);
            result(finding, index, subject)
        })
        .collect();
    let described: Vec<Value> = rules.iter().map(|rule| describe(rule)).collect();
    let mut document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "prism",
                "version": subject.version,
                "rules": described,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    if subject.instantiation == Instantiation::NotWanted {
        // A tool's own remark, which belongs to no place.
        document["runs"][0]["invocations"] = json!([{
            "executionSuccessful": true,
            "toolExecutionNotifications": [{ "level": "note", "message": { "text": NOT_COMPILED } }],
        }]);
    }
    serde_json::to_string_pretty(&document)
}

fn describe(rule: &Rule) -> Value {
    let markdown = page(rule);
    json!({
        "id": rule.code,
        "name": rule.id,
        "shortDescription": { "text": rule.title() },
        "fullDescription": { "text": rule.summary() },
        "help": { "text": markdown, "markdown": markdown },
        "defaultConfiguration": { "level": rule.severity.as_str() },
    })
}

fn result(finding: &Finding, index: Option<usize>, subject: &Subject<'_>) -> Value {
    let mut text = format!("{}\n{}", finding.message, finding.hint);
    if let Some(traceback) = &finding.traceback {
        let _ = write!(text, "\n{traceback}");
    }
    let mut result = json!({
        "ruleId": finding.rule.code,
        "ruleIndex": index,
        "level": finding.severity.as_str(),
        "message": { "text": text },
    });
    if let Some(path) = subject.path(finding) {
        let place = &finding.place;
        let artifact = if path.starts_with('/') {
            json!({ "uri": format!("file://{}", encoded(&path)) })
        } else {
            json!({ "uri": encoded(&path), "uriBaseId": ROOT })
        };
        result["locations"] = json!([{ "physicalLocation": {
            "artifactLocation": artifact,
            "region": {
                "startLine": place.line,
                "startColumn": place.column,
                "endLine": place.end_line,
                "endColumn": place.end_column,
            },
        }}]);
    }
    result
}

/// A path as a URI reference.
fn encoded(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
