//! The gate against both corpora: every hostile script under `redteam/gate/` is refused by the rule that it names, and no
//! bundle under `redteam/honest/` or `examples/` has an error.

mod corpus;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use prism_gate::Severity;

use corpus::judge;

#[test]
fn every_hostile_script_is_refused_by_its_rule() {
    let cases = corpus::hostile();
    let total = cases.len();
    assert!(total >= 350, "only {total} hostile scripts were found");
    let missed: BTreeMap<String, String> = cases
        .iter()
        .filter(|case| !case.is_detected())
        .map(|case| {
            let name = format!("{}/{}", case.family, case.name);
            (name, format!("due {:?}, found {:?}", case.rules, case.errors()))
        })
        .collect();
    assert!(
        missed.is_empty(),
        "{} of {total} missed:\n{missed:#?}",
        missed.len()
    );
}

#[test]
fn no_honest_bundle_has_an_error() {
    let bundles = corpus::honest();
    assert!(
        bundles.len() >= 48,
        "only {} honest bundles were found",
        bundles.len()
    );
    let mut wrong = String::new();
    for (name, dir) in bundles {
        match judge(prism_bundle::pack::read_dir(&dir).unwrap()) {
            Ok(report) => {
                for finding in report
                    .findings
                    .iter()
                    .filter(|finding| finding.severity == Severity::Error)
                {
                    let (file, place) = (&finding.file, finding.place);
                    let (rule, message) = (finding.rule.id, &finding.message);
                    writeln!(
                        wrong,
                        "{name}/{file}:{}:{}: {rule} {message}",
                        place.line, place.column
                    )
                    .unwrap();
                }
            }
            Err(error) => writeln!(wrong, "{name}: {error}").unwrap(),
        }
    }
    assert!(wrong.is_empty(), "false alarms:\n{wrong}");
}
