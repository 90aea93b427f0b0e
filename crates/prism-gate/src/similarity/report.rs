//! The whole comparison in one call, as `prism check --against` needs it: which lines, of which earlier bundle, by how much.

use std::cmp::Reverse;

use prism_bundle::Bundle;
use ruff_text_size::{TextRange, TextSize};

use super::SimilarityError;
use super::fingerprints::{Fingerprints, Place};
use super::likeness::{Match, Verdict, shared};
use crate::check::GateError;
use crate::finding::{Finding, Severity};
use crate::rule::Rule;
use crate::rules::elsewhere;
use crate::source::{Role, Source};

/// Regions that a message names.
const REGIONS_MAX: usize = 6;
/// Matches that are told.
const MATCHES_MAX: usize = 10;
/// Lines between two matches that still make one region of them.
const GAP_LINES_MAX: u32 = 2;

const HINT_COPY: &str = "submit your own work; if you are the author of both, withdraw the earlier one first";
const HINT_LOOK: &str =
    "say in `prism.yaml` what is yours and what you built upon, for the person who reviews it";
const HINT_MEND: &str = "mend what `prism check` says of this file";

/// Compares a bundle with earlier ones, which are given with their ids in the order in which they arrived.
pub fn against(bundle: &Bundle, earlier: &[(String, Bundle)]) -> Result<Vec<Finding>, GateError> {
    let architecture = bundle.manifest().architecture.as_str();
    let (same, others): (Vec<_>, Vec<_>) = earlier
        .iter()
        .partition(|(_, other)| other.hash() == bundle.hash());
    let identical = same.iter().map(|(id, _)| {
        let message = format!("the bundle is the same as the earlier `{id}`, file by file");
        let (rule, severity) = (&elsewhere::DUPLICATE, Severity::Error);
        finding(bundle, rule, severity, (architecture, 1, 1), message, HINT_COPY)
    });
    let mut findings: Vec<Finding> = identical.collect();
    let later = match Fingerprints::of(bundle) {
        Ok(fingerprints) => fingerprints,
        Err(SimilarityError::Gate(error)) => return Err(error),
        Err(error) => {
            findings.push(incomparable(bundle, &error));
            return Ok(findings);
        }
    };
    let mut matches = Vec::new();
    for (id, other) in others {
        match Fingerprints::of(other) {
            Ok(earlier) => matches.push((Match::of(id, &later, &earlier), earlier)),
            Err(SimilarityError::Gate(error)) => return Err(error),
            // It has never passed the gate, and it is not the one that is judged.
            Err(_) => {}
        }
    }
    matches.retain(|(found, _)| found.verdict > Verdict::Unlike);
    matches.sort_by_key(|(found, _)| Reverse(found.gravity()));
    let resembling = matches
        .iter()
        .map(|(found, earlier)| resembling(bundle, found, &later, earlier));
    findings.extend(resembling.take(MATCHES_MAX));
    findings.truncate(MATCHES_MAX);
    Ok(findings)
}

fn resembling(bundle: &Bundle, found: &Match, later: &Fingerprints, earlier: &Fingerprints) -> Finding {
    let (severity, hint) = match found.verdict {
        Verdict::Reject => (Severity::Error, HINT_COPY),
        Verdict::Review | Verdict::Unlike => (Severity::Warning, HINT_LOOK),
    };
    let regions = regions(later, earlier);
    let path =
        |files: &[String], place: &Place| files.get(usize::from(place.file)).cloned().unwrap_or_default();
    let shown = |files: &[String], place: &Place| {
        format!("{}:{}-{}", path(files, place), place.first_line, place.last_line)
    };
    let mut places: Vec<String> = regions
        .iter()
        .take(REGIONS_MAX)
        .map(|region| {
            format!(
                "{} = {}",
                shown(&later.files, &region.here),
                shown(&earlier.files, &region.there)
            )
        })
        .collect();
    if let Some(more @ 1..) = regions.len().checked_sub(REGIONS_MAX) {
        places.push(format!("{more} more"));
    }
    let message = format!(
        "{:.0} % of this bundle's own code stands in the earlier `{}`, and {:.0} % of its in this one: {}",
        (found.of_later * 100.0).round(),
        found.id,
        (found.of_earlier * 100.0).round(),
        places.join(", ")
    );
    let first = regions.first().map(|region| &region.here);
    let file = first.map_or_else(
        || bundle.manifest().architecture.as_str().to_owned(),
        |place| path(&later.files, place),
    );
    let (from, to) = first.map_or((1, 1), |place| (place.first_line, place.last_line));
    finding(
        bundle,
        &elsewhere::NEAR_DUPLICATE,
        severity,
        (&file, from, to),
        message,
        hint,
    )
}

fn incomparable(bundle: &Bundle, error: &SimilarityError) -> Finding {
    let (file, line) = match error {
        SimilarityError::Unreadable { file, line, .. } => (file.as_str(), *line),
        _ => (bundle.manifest().architecture.as_str(), 1),
    };
    let message = format!("the bundle cannot be compared with earlier ones: {error}");
    let (rule, severity) = (&elsewhere::NEAR_DUPLICATE, Severity::Error);
    finding(bundle, rule, severity, (file, line, line), message, HINT_MEND)
}

/// A finding about whole lines of a file.
fn finding(
    bundle: &Bundle,
    rule: &'static Rule,
    severity: Severity,
    (file, first, last): (&str, u32, u32),
    message: String,
    hint: &str,
) -> Finding {
    let text = bundle.file(file).unwrap_or_default();
    let offset = |lines: u32| -> usize {
        let lines = text.split_inclusive('\n').take(lines as usize);
        lines.map(str::len).sum()
    };
    let end = offset(last);
    let end = end - usize::from(text[..end].ends_with('\n'));
    let start = offset(first.saturating_sub(1)).min(end);
    let size = |bytes: usize| TextSize::try_from(bytes).unwrap_or_default();
    let place = Source::new(file, text, Role::Helper).place(TextRange::new(size(start), size(end)));
    Finding {
        rule,
        severity,
        file: file.to_owned(),
        place,
        message,
        hint: hint.to_owned(),
        traceback: None,
    }
}

/// Lines of the later bundle that stand in the earlier one.
struct Region {
    here: Place,
    there: Place,
    shared: usize,
}

/// Joins the places of single fingerprints to regions, the largest first.
fn regions(later: &Fingerprints, earlier: &Fingerprints) -> Vec<Region> {
    let mut pairs = shared(later, earlier);
    pairs.sort_by_key(|(here, there)| (here.file, there.file, here.first_line, there.first_line));
    let mut regions: Vec<Region> = Vec::new();
    for (here, there) in pairs {
        match regions.last_mut() {
            Some(last) if is_near(&last.here, &here) && is_near(&last.there, &there) => {
                for (whole, part) in [(&mut last.here, here), (&mut last.there, there)] {
                    whole.first_line = whole.first_line.min(part.first_line);
                    whole.last_line = whole.last_line.max(part.last_line);
                }
                last.shared += 1;
            }
            _ => regions.push(Region {
                here,
                there,
                shared: 1,
            }),
        }
    }
    regions.sort_by_key(|region| Reverse(region.shared));
    regions
}

fn is_near(region: &Place, place: &Place) -> bool {
    region.file == place.file
        && place.first_line <= region.last_line + GAP_LINES_MAX
        && region.first_line <= place.last_line + GAP_LINES_MAX
}
