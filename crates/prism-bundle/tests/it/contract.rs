//! The rules about entrypoints, tokenizers, hashes and prices.

use std::fmt::Write;

use prism_bundle::{Bundle, TokenizerChoice};
use prism_core::advice::Advice as _;

use crate::{ARCHITECTURE, TRAINING, code, entries};

fn with_manifest(manifest: &str, more: &[(&str, &[u8])]) -> Result<Bundle, prism_bundle::BundleError> {
    let manifest = [("prism.yaml", manifest.as_bytes())];
    Bundle::from_entries(entries(&[&manifest[..], more].concat()))
}

#[test]
fn the_defaults() {
    let bundle = Bundle::from_entries(entries(&[])).unwrap();
    assert_eq!(bundle.manifest().architecture.as_str(), "architecture.py");
    assert_eq!(bundle.manifest().training.as_str(), "training.py");
    assert_eq!(bundle.tokenizer(), TokenizerChoice::Bytes);
    assert_eq!(bundle.tokenizer_json(), None);
    assert_eq!(bundle.file("training.py"), Some(TRAINING));
    assert_eq!(bundle.file("other.py"), None);
    assert_eq!(bundle.total_bytes(), (ARCHITECTURE.len() + TRAINING.len()) as u64);
}

#[test]
fn declared_entrypoints_are_honoured_exactly() {
    let declared = "entrypoints: {architecture: src/model.py, training: src/fit.py}\n";
    let files: [(&str, &[u8]); 2] = [("src/model.py", b"a"), ("src/fit.py", b"b")];
    let bundle = with_manifest(declared, &files).unwrap();
    assert_eq!(bundle.manifest().architecture.as_str(), "src/model.py");
    // The defaults are there, but they are not what was declared.
    assert_eq!(code(with_manifest(declared, &files[..1])), "MissingEntrypoint");
    // Nor is a file of the same name elsewhere, or in another case.
    assert_eq!(
        code(with_manifest("entrypoints: {training: fit.py}\n", &files)),
        "MissingEntrypoint"
    );
    assert_eq!(
        code(with_manifest("entrypoints: {training: Training.py}\n", &[])),
        "MissingEntrypoint"
    );
}

#[test]
fn the_two_entrypoints_are_two_files() {
    let same = "entrypoints: {architecture: training.py}\n";
    assert_eq!(code(with_manifest(same, &[])), "SameEntrypoint");
}

#[test]
fn an_archive_of_the_directory_is_explained() {
    let inner = vec![
        ("model/architecture.py".to_owned(), ARCHITECTURE.into()),
        ("model/training.py".to_owned(), TRAINING.into()),
    ];
    let message = Bundle::from_entries(inner).unwrap_err().told();
    assert!(
        message.contains("`model/architecture.py` is; archive the files themselves"),
        "{message}"
    );
    let message = Bundle::from_entries(Vec::new()).unwrap_err().told();
    assert!(message.contains("add it, or declare another one"), "{message}");
}

#[test]
fn the_older_form_of_the_manifest_runs_unmodified() {
    let older = "kind: full\narchitecture:\n  entrypoint: architecture.py\ntraining:\n  entrypoint: training.py\n\
                 tokenizer: gpt2\n";
    assert_eq!(
        with_manifest(older, &[]).unwrap().tokenizer(),
        TokenizerChoice::Gpt2
    );
}

#[test]
fn a_manifest_that_would_not_be_read_is_an_error() {
    for name in ["prism.yml", "Prism.yaml", "sub/prism.yaml"] {
        assert_eq!(
            code(Bundle::from_entries(entries(&[(name, b"name: x\n")]))),
            "ManifestMisnamed",
            "{name}"
        );
    }
}

#[test]
fn tokenizers() {
    let tokenizer: [(&str, &[u8]); 1] = [("tokenizer.json", b"{}")];
    let bundle = with_manifest("tokenizer: bundle\n", &tokenizer).unwrap();
    assert_eq!(
        (bundle.tokenizer(), bundle.tokenizer_json()),
        (TokenizerChoice::Bundle, Some("{}"))
    );
    let unused = with_manifest("tokenizer: bytes\n", &tokenizer).unwrap();
    assert_eq!(
        (unused.tokenizer(), unused.tokenizer_json()),
        (TokenizerChoice::Bytes, None)
    );
    assert_eq!(
        code(with_manifest("tokenizer: bundle\n", &[])),
        "MissingTokenizer"
    );
    assert_eq!(
        code(with_manifest("name: x\n", &tokenizer)),
        "UndeclaredTokenizer"
    );
}

#[test]
fn the_canonical_bytes_are_as_documented() {
    let bundle = Bundle::from_entries(entries(&[])).unwrap();
    let expected = [
        b"prism-bundle-v1\0",
        &2_u32.to_le_bytes()[..],
        &15_u32.to_le_bytes(),
        b"architecture.py",
        &(ARCHITECTURE.len() as u64).to_le_bytes(),
        ARCHITECTURE.as_bytes(),
        &11_u32.to_le_bytes(),
        b"training.py",
        &(TRAINING.len() as u64).to_le_bytes(),
        TRAINING.as_bytes(),
    ]
    .concat();
    assert_eq!(bundle.canonical_bytes(), expected);
    // Computed from the bytes above with `sha256sum`: a change here changes the identity of every bundle.
    assert_eq!(
        bundle.hash().to_string(),
        "04971dd3d625fbded1743cee0fa122fd196542c6cf12c681235a8bbc6dc48402"
    );
}

#[test]
fn the_price_counts_compressed_bytes_above_the_allowance() {
    // Text that hardly compresses: multiples of a large odd number.
    let mut noise = String::new();
    for line in 0..4000_u64 {
        writeln!(noise, "{:016x}", line.wrapping_mul(0x9e37_79b9_7f4a_7c15)).unwrap();
    }
    let bundle = Bundle::from_entries(entries(&[("noise.txt", noise.as_bytes())])).unwrap();
    let free = bundle.priced_bits(u64::MAX).unwrap();
    let full = bundle.priced_bits(0).unwrap();
    assert_eq!(free, 0);
    assert!(full.is_multiple_of(8) && full > 0 && full < 8 * bundle.canonical_bytes().len() as u64);
    assert_eq!(bundle.priced_bits(1000).unwrap(), full - 8000);
    assert_eq!(bundle.priced_bits(full / 8).unwrap(), 0);
    assert_eq!(bundle.priced_bits(full / 8 - 1).unwrap(), 8);
    assert_eq!(bundle.priced_bits(0).unwrap(), full, "the same price twice");
}

#[test]
fn the_compressor_is_the_pinned_one() {
    // A new version may price the same bundle differently; whoever changes it must mean to.
    assert_eq!(prism_bundle::zstd_version(), "1.5.7");
}

#[test]
fn writing_an_archive_is_deterministic_and_reads_back() {
    let bundle = with_manifest(
        "name: x\n",
        &[("lib/a.py", b"x = 1\n"), ("spaces.txt", &[b' '; 100_000])],
    )
    .unwrap();
    let archive = bundle.to_zip();
    assert_eq!(archive, bundle.to_zip());
    let again = Bundle::from_zip(&archive).unwrap();
    assert_eq!(again.hash(), bundle.hash());
    assert_eq!(again.to_zip(), archive);
}
