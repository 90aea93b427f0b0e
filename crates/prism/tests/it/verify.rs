//! `prism verify`: an untouched run verifies; whatever is changed in it does not.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use prism_core::hash::Sha256Hash;
use serde_json::{Value, json};

use crate::context::Context;
use crate::run_fixture::{Learner, Of, completed, completed_of, failed, recipe};

/// Sets one field of a JSON file; `pointer` is its path, `/` between the names.
fn set(dir: &Path, file: &str, pointer: &str, value: Value) {
    let path = dir.join(file);
    let mut document: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap()[field] = value;
    fs::write(path, serde_json::to_vec_pretty(&document).unwrap()).unwrap();
}

#[test]
fn an_untouched_run_verifies() {
    let context = Context::new();
    completed(&context.path("run"), Learner::Honest);
    let mut settings = insta::Settings::clone_current();
    // The hash of the record changes with any constant of the demo recipe.
    settings.add_filter("record         [0-9a-f]{64}", "record         [SHA-256]");
    settings.bind(|| {
        assert_snapshot!(context.shown("verify run"), @"
    exit: 0
    ----- stdout
    verified       run
    bits per byte  3.0719 ± 0.0000 (ranked 3.0719)
    other text     ± 0.0140, on as much text of the same kind
    final score    0.24572 (higher is better)
    flags          none
    targets        30,720
    audits         1,585
    record         [SHA-256]
    corpus         2222222222222222222222222222222222222222222222222222222222222222
    ----- stderr
    ");
    });
    let (exit, value) = context.json("verify run --json");
    assert_eq!((exit, &value["verified"]), (0, &json!(true)));
    assert_eq!(value["targets"], json!(30_720));
}

/// Changes one file of an honest run; it must no longer verify, and the code says whose business it is.
fn tampered(change: impl FnOnce(&Path)) -> (i32, String) {
    let context = Context::new();
    let dir = context.path("run");
    completed(&dir, Learner::Honest);
    change(&dir);
    let (exit, value) = context.json("verify run --json");
    assert_eq!(value["error"], json!("record_mismatch"), "{value}");
    assert!(
        value["hint"]
            .as_str()
            .unwrap()
            .contains("do not trust this score")
    );
    (exit, value["detail"].as_str().unwrap().to_owned())
}

#[test]
fn a_tampered_record_does_not_verify() {
    let record = |pointer, value| tampered(|dir| set(dir, "record.json", pointer, value));
    let result = |pointer, value| tampered(|dir| set(dir, "result.json", pointer, value));
    let file = |name, content: &[u8]| tampered(|dir| fs::write(dir.join(name), content).unwrap());
    let details = [
        record("/verdict/standing/ranked/final_score", json!(0.9)),
        record("/verdict/standing", json!({ "no_rank": "claims_untrue" })),
        record("/audits/3/nats", json!(0.001)),
        record("/audits/3/target", json!(0)),
        record("/audit_key", json!("0".repeat(64))),
        record("/recipe/score/se_multiplier", json!(0.0)),
        record("/surprise", json!(1)),
        file("record.json", b"{"),
        tampered(|dir| {
            let path = dir.join("targets.zst");
            let mut bytes = fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(path, bytes).unwrap();
        }),
        file("targets.zst", &vec![0; 8_000_000]),
        result("/bpb", json!(1.0)),
        result("/ranked", json!(false)),
        result("/no_rank", json!("no_audits")),
        result("/flags", json!(["bundle_charged"])),
        file("result.json", b"[]"),
    ];
    assert!(details.iter().all(|(exit, _)| *exit == 1), "{details:?}");
    let named = [
        "the verdict is",
        "the verdict is",
        "the stream's account is",
        "an audited target is",
        "the commitment to the audit key is",
        "the hash of the recipe is",
        "unknown field `surprise`",
        "EOF while parsing",
        "the hash of targets.zst is",
        "more than 30720 targets can take",
        "`bpb` in result.json",
        "`ranked` in result.json",
        "`no_rank` in result.json",
        "`flags` in result.json",
        "result.json cannot be read",
    ];
    for ((_, detail), named) in details.iter().zip(named) {
        assert!(detail.contains(named), "{named}: {detail}");
    }
}

#[test]
fn a_run_without_a_score_and_no_run_at_all_are_told_apart() {
    let context = Context::new();
    failed(&context.path("run"));
    assert_snapshot!(context.shown("verify run"), @"
    exit: 1
    ----- stdout
    ----- stderr
    error: run failed (train_exception), so it has no score

    hint: see why with `prism report run`
    ");
    assert_snapshot!(context.shown("verify elsewhere"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: there is no elsewhere/result.json

    hint: name the directory of a run, see `prism runs list`
    ");
}

/// Sixty documents of 511 bytes in train, as the made-up run has read them, and some more in val.
fn corpus_of_the_run(context: &Context, out: &str, salt: &str) -> Sha256Hash {
    let lines: String = (0..70)
        .map(|i| {
            let text = format!("Document {i} of {out} says {i} ");
            let text: String = (0..)
                .map(|word| format!("{text}{word}-{} ", word * i))
                .collect_bytes(511);
            json!({ "text": text }).to_string() + "\n"
        })
        .collect();
    context.write(&format!("{out}.jsonl"), lines);
    let words = format!(
        "data lock --from {out}.jsonl --out {out} --train 30660 --val 5110 --near-duplicates off {salt} --json"
    );
    let (exit, value) = context.json(&words);
    assert_eq!(exit, 0, "{value}");
    assert_eq!(value["manifest"]["splits"]["train"]["documents"], json!(60));
    Sha256Hash::parse(value["manifest_sha256"].as_str().unwrap()).unwrap()
}

trait CollectBytes {
    fn collect_bytes(self, count: usize) -> String;
}

impl<I: Iterator<Item = String>> CollectBytes for I {
    fn collect_bytes(self, count: usize) -> String {
        let mut text = String::new();
        for part in self {
            text += &part;
            if text.len() >= count {
                break;
            }
        }
        text.truncate(count);
        text
    }
}

#[test]
fn a_record_is_held_against_the_text_that_was_revealed() {
    use std::os::unix::fs::PermissionsExt as _;
    let context = Context::new();
    context.write("salt", "a salt that nobody knows\n");
    fs::set_permissions(context.path("salt"), fs::Permissions::from_mode(0o600)).unwrap();
    let corpus = corpus_of_the_run(&context, "corpus", "--salt-file salt");
    let of = |corpus| Of {
        bundle: Sha256Hash([0x11; 32]),
        corpus,
        seed: 0,
        scale: 1.0,
        recipe: recipe(),
    };
    completed_of(&context.path("run"), Learner::Honest, &of(corpus));
    let (exit, commitment) = context.json("data commit corpus --json");
    assert_eq!(
        (exit, &commitment["corpus_sha256"]),
        (0, &json!(corpus.to_string()))
    );
    let (exit, revealed) = context.json("data reveal corpus --out revealed --json");
    assert_eq!(
        (exit, &revealed["corpus_sha256"]),
        (0, &commitment["corpus_sha256"])
    );
    assert_eq!(revealed["salt_sha256"], commitment["salt_sha256"]);
    let (exit, value) = context.json("verify run --corpus revealed --json");
    assert_eq!((exit, &value["verified"]), (0, &json!(true)), "{value}");
    assert!(
        value["corpus_checked"]
            .as_str()
            .unwrap()
            .contains("counted again")
    );

    // Another corpus of the same shape is another one.
    corpus_of_the_run(&context, "other", "--salt other");
    let (exit, value) = context.json("verify run --corpus other --json");
    assert_eq!((exit, &value["error"]), (1, &json!("record_mismatch")));
    assert!(
        value["detail"]
            .as_str()
            .unwrap()
            .contains("the hash of the corpus is"),
        "{value}"
    );
    // And so is text that was changed after it was revealed.
    let shard = context.path("revealed/train-00000.txt");
    let mut bytes = fs::read(&shard).unwrap();
    bytes[3] ^= 1;
    fs::write(&shard, bytes).unwrap();
    let (exit, value) = context.json("verify run --corpus revealed --json");
    assert_eq!((exit, &value["error"]), (2, &json!("corpus_invalid")), "{value}");
}
