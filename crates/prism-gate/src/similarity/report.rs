//! Matches to findings: which lines, of which earlier bundle, by how much.
//!
//! [`against`] is the whole comparison in one call, as `prism check --against` needs it.

use prism_bundle::Bundle;
use ruff_text_size::{TextRange, TextSize};

use super::matching::{Match, Region, Verdict};
use super::{Fingerprints, Index, QueryOptions, SimilarityError};
use crate::check::GateError;
use crate::finding::{Finding, Severity};
use crate::rules::elsewhere;
use crate::source::{Role, Source};

/// Regions that a message names.
const REGIONS_MAX: usize = 6;
/// Matches that are told.
const MATCHES_MAX: usize = 10;

const HINT_COPY: &str = "submit your own work; if you are the author of both, withdraw the earlier one first";
const HINT_LOOK: &str =
    "say in `prism.yaml` what is yours and what you built upon, for the person who reviews it";

/// Compares a bundle with earlier ones, which are given with their ids in the order in which they arrived.
pub fn against(bundle: &Bundle, earlier: &[(String, Bundle)]) -> Result<Vec<Finding>, GateError> {
    let exact = |other: &Bundle| other.hash() == bundle.hash();
    let fingerprints = match Fingerprints::of(bundle) {
        Ok(fingerprints) => fingerprints,
        Err(SimilarityError::Gate(error)) => return Err(error),
        Err(error) => {
            let mut findings: Vec<Finding> = earlier
                .iter()
                .filter(|(_, other)| exact(other))
                .map(|(id, _)| identical(bundle, id))
                .collect();
            findings.push(incomparable(bundle, &error));
            return Ok(findings);
        }
    };
    let mut index = Index::new();
    for (id, other) in earlier {
        match Fingerprints::of(other) {
            // A second bundle of one id adds nothing that the first does not say.
            Ok(found) => drop(index.add(id, found)),
            Err(SimilarityError::Gate(error)) => return Err(error),
            // It has never passed the gate, and it is not the one that is judged.
            Err(_) => {}
        }
    }
    Ok(findings(
        &index.query(&fingerprints, &QueryOptions::default()),
        bundle,
    ))
}

/// Findings about the later bundle, a finding a match.
pub fn findings(matches: &[Match], bundle: &Bundle) -> Vec<Finding> {
    matches
        .iter()
        .take(MATCHES_MAX)
        .map(|found| {
            if found.exact {
                identical(bundle, &found.id)
            } else {
                resembling(bundle, found)
            }
        })
        .collect()
}

fn identical(bundle: &Bundle, id: &str) -> Finding {
    Finding {
        rule: &elsewhere::DUPLICATE,
        severity: Severity::Error,
        file: bundle.manifest().architecture.as_str().to_owned(),
        place: place(bundle, bundle.manifest().architecture.as_str(), 1, 1),
        message: format!("the bundle is the same as the earlier `{id}`, file by file"),
        hint: HINT_COPY.to_owned(),
        traceback: None,
    }
}

fn resembling(bundle: &Bundle, found: &Match) -> Finding {
    let (severity, hint) = match found.verdict {
        Verdict::Reject => (Severity::Error, HINT_COPY),
        Verdict::Review => (Severity::Warning, HINT_LOOK),
    };
    let percent = |share: f64| (share * 100.0).round();
    let mut places: Vec<String> = found.regions.iter().take(REGIONS_MAX).map(shown).collect();
    if let Some(more @ 1..) = found.regions.len().checked_sub(REGIONS_MAX) {
        places.push(format!("{more} more"));
    }
    let message = format!(
        "{:.0} % of this bundle's own code stands in the earlier `{}`, and {:.0} % of its in this one: {}",
        percent(found.of_later),
        found.id,
        percent(found.of_earlier),
        places.join(", ")
    );
    let (file, first, last) = match found.regions.first() {
        Some(region) => (region.file.as_str(), region.first_line, region.last_line),
        None => (bundle.manifest().architecture.as_str(), 1, 1),
    };
    Finding {
        rule: &elsewhere::NEAR_DUPLICATE,
        severity,
        file: file.to_owned(),
        place: place(bundle, file, first, last),
        message,
        hint: hint.to_owned(),
        traceback: None,
    }
}

fn incomparable(bundle: &Bundle, error: &SimilarityError) -> Finding {
    let (file, line) = match error {
        SimilarityError::TooDeep { file, line } | SimilarityError::Syntax { file, line } => {
            (file.as_str(), *line)
        }
        _ => (bundle.manifest().architecture.as_str(), 1),
    };
    Finding {
        rule: &elsewhere::NEAR_DUPLICATE,
        severity: Severity::Error,
        file: file.to_owned(),
        place: place(bundle, file, line, line),
        message: format!("the bundle cannot be compared with earlier ones: {error}"),
        hint: "mend what `prism check` says of this file".to_owned(),
        traceback: None,
    }
}

fn shown(region: &Region) -> String {
    format!(
        "{}:{}-{} = {}:{}-{}",
        region.file,
        region.first_line,
        region.last_line,
        region.other_file,
        region.other_first_line,
        region.other_last_line
    )
}

/// Whole lines of a file.
fn place(bundle: &Bundle, file: &str, first: u32, last: u32) -> crate::finding::Place {
    let text = bundle.file(file).unwrap_or_default();
    let offset = |line: u32| {
        let bytes: usize = text.split_inclusive('\n').take(line as usize).map(str::len).sum();
        TextSize::try_from(bytes).unwrap_or_default()
    };
    let end = offset(last);
    let end = if text[..end.to_usize()].ends_with('\n') {
        end - TextSize::from(1)
    } else {
        end
    };
    let start = offset(first.saturating_sub(1)).min(end);
    Source::new(file, text, Role::Helper).place(TextRange::new(start, end))
}
