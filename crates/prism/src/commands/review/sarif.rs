//! The charges of a review as SARIF 2.1.0, for editors and code scanning.

use std::path::Path;

use prism_review::decision::ReviewVerdict;
use prism_review::rules::{self, Weight};
use prism_review::run::Run;
use serde_json::{Value, json};

/// The log of one review.
pub(super) fn of(run: &Run, bundle: &Path) -> Value {
    let charges = match &run.verdict {
        Ok(ReviewVerdict::Rejected { charges } | ReviewVerdict::Held { charges, .. }) => charges.as_slice(),
        Ok(ReviewVerdict::Passed) | Err(_) => &[],
    };
    let is_final = matches!(run.verdict, Ok(ReviewVerdict::Rejected { .. }));
    let results: Vec<Value> = charges
        .iter()
        .map(|charge| {
            json!({
                "ruleId": charge.rule,
                "level": if is_final { "error" } else { "warning" },
                "message": { "text": charge.why },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": bundle.join(&charge.path).display().to_string() },
                    "region": { "startLine": charge.line, "snippet": { "text": charge.quote } },
                }}],
            })
        })
        .collect();
    let all: Vec<Value> = rules::ALL
        .iter()
        .map(|rule| {
            json!({
                "id": rule.code, "name": rule.id, "shortDescription": { "text": rule.title() },
                "help": { "text": rule.page() },
                "defaultConfiguration": { "level": if rule.weight == Weight::Severe { "error" } else { "warning" } },
            })
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "prism review", "version": env!("CARGO_PKG_VERSION"), "rules": all } },
            "results": results,
        }],
    })
}
