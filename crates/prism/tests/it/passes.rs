//! What a bundle may build on: a pass of exactly `len(stream)` batches, and the names of the older interface.
//!
//! The bundles under `passes/` check for themselves and raise where something is amiss, which fails their run.

use std::{fs, path::Path};

use serde_json::Value;

use crate::host::{host, prism, repository, seat, succeed};

/// Evaluates a bundle under the red team's recipe; what was printed, and the record.
fn evaluate(name: &str) -> (Value, Value) {
    let host = host();
    let run_dir = host.place(&format!("passes-{name}"));
    let output = succeed(
        prism()
            .arg("eval")
            .arg(repository().join("crates/prism/tests/it/passes").join(name))
            .arg("--data")
            .arg(&host.corpus)
            .arg("--recipe")
            .arg(repository().join("redteam/recipe.toml"))
            .arg("--run-dir")
            .arg(&run_dir)
            .args(["--seed", "3", "--json"]),
    );
    let read = |path: &Path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    (
        serde_json::from_slice(&output.stdout).unwrap(),
        read(&run_dir.join("record.json")),
    )
}

#[test]
fn schedules_over_the_length_of_the_stream_end_with_its_last_byte() {
    let _seat = seat();
    let (said, record) = evaluate("schedules");
    assert_eq!(said["reason"], "end_of_data", "{said}");
    assert_eq!(record["verdict"]["unread_bytes"], 0);
    assert_eq!(record["measured"]["targets"], record["stream"]["targets"]);
    assert_eq!(
        record["measured"]["completed_documents"],
        record["stream"]["documents"]
    );
    let targets = record["stream"]["targets"].as_u64().unwrap();
    assert_eq!(record["steps"], targets.div_ceil(7 * 33));
    assert_ne!(targets % (7 * 33), 0, "a lane is short");
}

#[test]
fn a_bundle_of_the_older_interface_finds_the_names_that_it_knows() {
    let _seat = seat();
    let (said, record) = evaluate("older");
    assert_eq!(said["reason"], "end_of_data", "{said}");
    assert_eq!(record["shape"]["seq_len"], 255, "one less than the suggested row");
    assert!(said["bpb"].as_f64().unwrap() < 6.0, "{said}");
}
