//! The gate: the files of a bundle to a report, and what else reads the source of strangers (comparison, bare views).
//!
//! It must not crash, hang or take memory; say the same twice; place every finding within its file, in order, up to a bound;
//! tell a report in every form without letting a submission write into it; and read the same fingerprints twice.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use prism_bundle::Bundle;
use prism_fuzz::{is_shown, lies_within, whole_bundle};
use prism_gate::limits::FINDINGS_MAX;
use prism_gate::render::{Style, Subject, Texts, github, human, json, sarif};
use prism_gate::similarity::Fingerprints;
use prism_gate::{Options, Report, bare, check};
use serde_json::Value;

fuzz_target!(|data: &[u8]| -> Corpus {
    let files = whole_bundle(data);
    // What is no bundle is for the target `bundle`.
    let Ok(bundle) = Bundle::from_entries(files.clone()) else {
        return Corpus::Reject;
    };
    let report = check(&bundle, &Options::default()).expect("the gate checks every bundle");
    // The first error is kept although the report is full.
    assert!(report.findings.len() <= FINDINGS_MAX + 1);
    report
        .findings
        .iter()
        .for_each(|finding| lies_within(finding, &files));
    let places = report
        .findings
        .iter()
        .map(|finding| (&finding.file, finding.place, finding.rule.code));
    assert!(places.is_sorted(), "{:?}", report.findings);
    // Each input asks one more thing, so that inputs stay cheap.
    match data.len() % 4 {
        0 => {
            let again = check(&bundle, &Options::default()).expect("the gate checks every bundle");
            assert_eq!(format!("{report:?}"), format!("{again:?}"));
        }
        1 => tell(&report, &bundle),
        2 => {
            let Ok(fingerprints) = Fingerprints::of(&bundle) else {
                return Corpus::Keep;
            };
            let again = Fingerprints::of(&bundle).expect("what was read can be read again");
            assert_eq!(fingerprints, again);
        }
        _ => {
            let views = bare::views(&bundle).expect("every bundle has its views");
            // A file that does not parse is printed as far as it goes, and nobody is shown it.
            for view in views.iter().filter(|_| !report.has_errors()) {
                let lines = 1..=view.lines.len();
                assert!(
                    view.bare
                        .iter()
                        .all(|line| lines.contains(&(line.original as usize))),
                    "{view:?}"
                );
            }
        }
    }
    Corpus::Keep
});

/// In every form.
fn tell(report: &Report, bundle: &Bundle) {
    let subject = Subject {
        texts: Texts::of_bundle(bundle),
        version: "0",
        ..Subject::default()
    };
    let count = report.findings.len();
    is_shown(&human(report, &subject, Style::Plain));
    let commands = github(report, &subject);
    is_shown(&commands);
    assert_eq!(
        commands.lines().filter(|line| line.starts_with("::")).count(),
        count
    );
    let parsed = |text: &str| serde_json::from_str::<Value>(text).expect("a report is JSON");
    let told = parsed(&json(report, &subject).expect("a report can be told"));
    assert_eq!(told["findings"].as_array().map(Vec::len), Some(count));
    let told = parsed(&sarif(report, &subject).expect("a report can be told"));
    assert_eq!(told["runs"][0]["results"].as_array().map(Vec::len), Some(count));
}
