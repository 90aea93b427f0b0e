//! `prism verify`: an untouched run verifies; whatever is changed in it does not.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::context::Context;
use crate::run_fixture::{Learner, completed, failed};

fn edit(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut value: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    change(&mut value);
    fs::write(path, serde_json::to_vec_pretty(&value).unwrap()).unwrap();
}

#[test]
fn an_untouched_run_verifies() {
    let context = Context::new();
    completed(&context.path("run"), Learner::Honest);
    assert_snapshot!(context.shown("verify run"), @"
    exit: 0
    ----- stdout
    verified       run
    bits per byte  3.0719 ± 0.0000 (ranked 3.0719)
    final score    0.24572
    flags          none
    targets        30,720
    audits         1,585
    record         a8cd54e6c136fe8ec045f3a8047c796bfc32015d5eaf9ffbb2c598fd35fafd76
    ----- stderr
    ");
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
    let details = [
        tampered(|dir| {
            edit(&dir.join("record.json"), |record| {
                record["verdict"]["final_score"] = json!(0.9)
            })
        }),
        tampered(|dir| {
            edit(&dir.join("record.json"), |record| {
                record["audits"][3]["nats"] = json!(0.001)
            })
        }),
        tampered(|dir| {
            edit(&dir.join("record.json"), |record| {
                record["audits"][3]["target"] = json!(0)
            })
        }),
        tampered(|dir| {
            edit(&dir.join("record.json"), |record| {
                record["audit_key"] = json!("0".repeat(64))
            })
        }),
        tampered(|dir| {
            edit(&dir.join("record.json"), |record| {
                record["recipe"]["score"]["se_multiplier"] = json!(0.0)
            })
        }),
        tampered(|dir| edit(&dir.join("record.json"), |record| record["surprise"] = json!(1))),
        tampered(|dir| fs::write(dir.join("record.json"), "{").unwrap()),
        tampered(|dir| {
            let path = dir.join("targets.zst");
            let mut bytes = fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(path, bytes).unwrap();
        }),
        tampered(|dir| fs::write(dir.join("targets.zst"), vec![0; 8_000_000]).unwrap()),
        tampered(|dir| edit(&dir.join("result.json"), |result| result["bpb"] = json!(1.0))),
        tampered(|dir| {
            edit(&dir.join("result.json"), |result| {
                result["flags"] = json!(["bundle_charged"])
            })
        }),
        tampered(|dir| fs::write(dir.join("result.json"), "[]").unwrap()),
    ];
    assert!(details.iter().all(|(exit, _)| *exit == 1), "{details:?}");
    let text: Vec<_> = details.into_iter().map(|(_, detail)| detail).collect();
    assert_snapshot!(text.join("\n"), @"
    run: the record contradicts itself: the verdict is Verdict { code_bits: 94184.07105526286, read_bits: 94184.07105526286, unread_bytes: 0, bpb: 3.071887509956388, bpb_se: 0.0, bpb_ranked: 3.071887509956388, hidden_max_bpb: 0.06197430946175969, step0_nats: Some(5.09916755165528), uniform_nats: 5.54907608489522, val_bpb_trained: Some(1.5933005696576845), val_bpb_random_init: Some(7.763017343951682), gap_bpb_trained: Some(1.5987528281119767), heldout_delta_bpb: 6.169716774293997, gap_bpb: Some(-0.005452258454292203), memorization_penalty: 1.0, anti_cheat_multiplier: 1.0, final_score: 0.9, flags: [] } in the record, Verdict { code_bits: 94184.07105526286, read_bits: 94184.07105526286, unread_bytes: 0, bpb: 3.071887509956388, bpb_se: 0.0, bpb_ranked: 3.071887509956388, hidden_max_bpb: 0.06197430946175969, step0_nats: Some(5.09916755165528), uniform_nats: 5.54907608489522, val_bpb_trained: Some(1.5933005696576845), val_bpb_random_init: Some(7.763017343951682), gap_bpb_trained: Some(1.5987528281119767), heldout_delta_bpb: 6.169716774293997, gap_bpb: Some(-0.005452258454292203), memorization_penalty: 1.0, anti_cheat_multiplier: 1.0, final_score: 0.24571594432818086, flags: [] } when computed again
    run: the record contradicts itself: the stream's account is Measured { targets: 30720, bytes: 30660, completed_documents: 60, claimed_nats: 65283.423305613, nats: 65283.423305613, se_nats: 0.0, hidden_max_nats: 1317.0713659116232, audits: 1585, differing_audits: 0, difference_mean_nats: 0.0, difference_sd_nats: 0.0, invalid_answers: 0 } in the record, Measured { targets: 30720, bytes: 30660, completed_documents: 60, claimed_nats: 65283.423305613, nats: 65174.52267224605, se_nats: 106.14320774471527, hidden_max_nats: 1317.0713659116232, audits: 1585, differing_audits: 1, difference_mean_nats: -0.0034353512103140428, difference_sd_nats: 0.1367252518524598, invalid_answers: 0 } when computed again
    run: the record contradicts itself: an audited target is Some(0) in the record, Some(79) when computed again
    run: the record contradicts itself: the commitment to the audit key is 223fd23b8830f581d9694a38f9eb56dac1773a5504bcad4fdf033bfd971f448e in the record, 071661b27782d6daa31ba655d9457359d3e9c40d3f34f31ffbf01f05a124b101 when computed again
    run: the record contradicts itself: the hash of the recipe is 5487f1106735e009aeb4f234dea5673f0dd44965b9ccf5c9e91c580b9f9f0004 in the record, 1e48a27d6739ed468d853733685f78a4df81e8671b1e853251df7ceb70af5f76 when computed again
    run: record.json cannot be read: unknown field `surprise`, expected one of `schema`, `hashes`, `recipe`, `seed`, `tokenizer`, `stream`, `entropy_floor_bpb`, `bundle_bits`, `audit_key_commitment`, `audit_key`, `ended`, `steps`, `shape`, `model`, `targets_sha256`, `step0`, `audits`, `measured`, `heldout`, `verdict` at line 9160 column 12
    run: record.json cannot be read: EOF while parsing an object at line 1 column 1
    run: the record contradicts itself: the hash of targets.zst is 51091d8d7a5f4094ad727cf42614ca4272c2f7c1c9b15fbf363c0fb3e7437c0b in the record, 7660fff5524f758d26c45338206754563c94e2a6a414060d03a9fcf222621a85 when computed again
    run/targets.zst has 8000000 bytes, more than 30720 targets can take
    run: `bpb` in result.json is not what the record gives
    run: `flags` in result.json is not what the record gives
    run/result.json cannot be read: invalid length 0, expected struct Outcome with 19 elements at line 1 column 2
    ");
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
    error: cannot read elsewhere/result.json: No such file or directory (os error 2)

    hint: name the directory of a run, see `prism runs list`
    ");
}
