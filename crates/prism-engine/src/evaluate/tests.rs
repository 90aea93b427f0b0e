//! Endings before anything is started, and a defect that still is an outcome.

use std::{fs, ops::ControlFlow, path::Path};

use prism_corpus::synth::{SynthOptions, synthesize};

use prism_core::recipe::Recipe;

use super::*;
use crate::{event::EvalStage, request::RunPlace};

type Pull<'p> = &'p dyn Fn(&EvalEvent) -> bool;

/// Of a bundle that is honest and a small corpus, both in or below a directory of the test's own.
fn request(temp: &Path) -> EvalRequest {
    let corpus = temp.join("corpus");
    synthesize(&corpus, &SynthOptions::new(60_000, 1), &mut |_, _| {
        ControlFlow::Continue(())
    })
    .unwrap();
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../redteam/honest-small");
    let place = RunPlace::Under(temp.join("runs"));
    EvalRequest {
        submission_id: Some("s".into()),
        ..EvalRequest::by_hand(bundle, corpus, Recipe::demo(), place)
    }
}

/// Evaluates, pulling the handle at the first event that `pull` accepts; and what was told.
fn cancelled_at(temp: &Path, pull: Pull<'_>) -> (Outcome, Vec<EvalEvent>) {
    let cancel = Cancel::new();
    let mut told = Vec::new();
    // Nothing may be started, so what would be started need not exist.
    let host = Host {
        helper: Helper::default(),
        when_busy: WhenBusy::Wait,
    };
    let outcome = evaluate(&request(temp), &host, &cancel, &mut |event| {
        if pull(&event) {
            cancel.cancel();
        }
        told.push(event);
    });
    (outcome, told)
}

#[test]
fn a_cancelled_corpus_stage_starts_nothing() {
    let is_corpus = |event: &EvalEvent, words: &str| matches!(event, EvalEvent::Stage { stage: EvalStage::Corpus, message } if message.contains(words));
    let verifying = |event: &EvalEvent| is_corpus(event, "verifying");
    let verified_some =
        |event: &EvalEvent| matches!(event, EvalEvent::Progress { done_bytes, .. } if *done_bytes > 0);
    let counting = |event: &EvalEvent| is_corpus(event, "counting");
    let pulls: [(&str, Pull<'_>); 3] = [
        ("before it", &verifying),
        ("while it verifies", &verified_some),
        ("before it counts", &counting),
    ];
    for (when, pull) in pulls {
        let temp = tempfile::tempdir().unwrap();
        let (outcome, told) = cancelled_at(temp.path(), pull);
        assert_eq!(outcome.reason, Reason::Cancelled, "{when}: {}", outcome.detail);
        let pulled = told.iter().position(pull).unwrap();
        assert_eq!(
            told.len(),
            pulled + 2,
            "{when}: only the end is told afterwards: {told:?}"
        );
        assert!(!temp.path().join("runs").exists(), "{when}");
    }
}

#[test]
fn what_is_no_corpus_was_mistyped_and_a_changed_byte_is_damage() {
    let temp = tempfile::tempdir().unwrap();
    let mut request = request(temp.path());
    let corpus = request.corpus.clone();
    let mut evaluated = |path: &Path| {
        request.corpus = path.to_owned();
        let host = Host {
            helper: Helper::default(),
            when_busy: WhenBusy::Wait,
        };
        let outcome = evaluate(&request, &host, &Cancel::default(), &mut |_| ());
        assert!(!temp.path().join("runs").exists());
        (outcome.reason, outcome.exit_code())
    };
    for path in [
        temp.path().join("mistyped"),
        temp.path().to_owned(),
        corpus.join("manifest.json"),
    ] {
        assert_eq!(evaluated(&path), (Reason::Usage, 2), "{}", path.display());
    }
    let shard = corpus.join("train-00000.txt");
    let mut bytes = fs::read(&shard).unwrap();
    bytes[0] ^= 1;
    fs::write(&shard, bytes).unwrap();
    assert_eq!(evaluated(&corpus), (Reason::CorpusInvalid, 3));
    fs::remove_file(&shard).unwrap();
    assert_eq!(evaluated(&corpus), (Reason::CorpusInvalid, 3));
}

#[test]
fn a_defect_ends_in_an_outcome() {
    let temp = tempfile::tempdir().unwrap();
    let none = temp.path().join("none");
    let place = RunPlace::Under(temp.path().join("runs"));
    let request = EvalRequest {
        submission_id: Some("s".into()),
        ..EvalRequest::by_hand(none.clone(), none, Recipe::demo(), place)
    };
    let host = Host {
        helper: Helper::default(),
        when_busy: WhenBusy::Wait,
    };
    let mut told = Vec::new();
    let outcome = evaluate(&request, &host, &Cancel::default(), &mut |event| {
        told.push(event);
        assert!(told.len() != 1, "a bar that cannot be drawn\u{1b}[2J");
    });
    assert_eq!(outcome.reason, Reason::Internal);
    assert!(
        outcome.detail.contains("a bar that cannot be drawn\\u{1b}[2J"),
        "{}",
        outcome.detail
    );
    assert_eq!(outcome.submission_id.as_deref(), Some("s"));
    assert!(matches!(
        told.last(),
        Some(EvalEvent::Finished {
            reason: Reason::Internal,
            ..
        })
    ));
}
