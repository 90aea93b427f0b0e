//! An honest score is the code length that a plain loop finds, without a referee, a claim or an audit.

use std::{fs, process::Command};

use prism_core::recipe::Recipe;
use serde_json::{Value, json};

use crate::host::{host, prism, repository, seat, succeed};

/// How far the score and the dense computation may be apart, in bits per byte.
const TOLERANCE_BPB: f64 = 1e-4;

fn json_of(output: &[u8]) -> Value {
    serde_json::from_slice(output)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(output)))
}

#[test]
fn an_honest_score_is_what_a_dense_computation_finds() {
    let _seat = seat();
    let host = host();
    let bundle = repository().join("redteam/honest-small");
    let recipe_file = repository().join("redteam/recipe.toml");
    let recipe = Recipe::parse(&fs::read_to_string(&recipe_file).unwrap()).unwrap();
    let seed = 11;
    // What the bundle's `train` does, in numbers.
    let terms = json!({
        "max_bytes": recipe.stream.max_bytes,
        "smoothing": recipe.score.smoothing,
        "seed": seed,
        "batch_size": 16,
        "seq_len": 60,
        "lr": 1e-2,
    });
    let python = succeed(prism().args(["runtime", "path"]));
    let python = String::from_utf8(python.stdout).unwrap();
    let dense = json_of(
        &succeed(
            Command::new(python.trim())
                .arg(repository().join("crates/prism/tests/it/dense.py"))
                .arg(&bundle)
                .arg(&host.corpus)
                .arg(terms.to_string()),
        )
        .stdout,
    );
    let said = json_of(
        &succeed(
            prism()
                .arg("eval")
                .arg(&bundle)
                .arg("--data")
                .arg(&host.corpus)
                .arg("--recipe")
                .arg(&recipe_file)
                .arg("--run-dir")
                .arg(host.place("dense"))
                .args(["--seed", &seed.to_string(), "--json"]),
        )
        .stdout,
    );
    assert_eq!(said["reason"], "end_of_data");
    assert_eq!(said["covered_bytes"], dense["bytes"]);
    let (bpb, dense_bpb) = (said["bpb"].as_f64().unwrap(), dense["bpb"].as_f64().unwrap());
    assert!((1.0..6.0).contains(&bpb), "{bpb}");
    assert!(
        (bpb - dense_bpb).abs() < TOLERANCE_BPB,
        "{bpb} bpb, densely {dense_bpb}"
    );
    let se_bpb = said["bpb_se"].as_f64().unwrap();
    assert!(se_bpb < 1e-4, "{se_bpb}");
    assert!(said["audits"].as_u64().unwrap() > 500, "{}", said["audits"]);
}
