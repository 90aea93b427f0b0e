//! `prism report`: one self-contained file for every ending, with nothing of the submission's let through.

use std::fs;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::context::Context;
use crate::run_fixture::{Learner, completed, failed, running};

/// The page loads nothing, runs nothing, and holds no control characters.
fn assert_harmless(html: &str) {
    assert!(html.starts_with("<!DOCTYPE html>") && html.trim_end().ends_with("</html>"));
    for forbidden in [
        "<script",
        "<img",
        "<iframe",
        "<link",
        "javascript:",
        "http://",
        "https://",
        "\u{1b}",
    ] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
    for (at, _) in html.match_indices("=\"") {
        let before = &html[html[..at].rfind([' ', '<']).unwrap()..at];
        assert!(
            !before.trim_start().starts_with("on"),
            "an event handler: {before}"
        );
    }
}

#[test]
fn a_completed_run_has_every_section() {
    let context = Context::new();
    completed(&context.path("run"), Learner::Honest);
    assert_snapshot!(context.shown("report run"), @"
    exit: 0
    ----- stdout
    run/report.html
    ----- stderr
    ");
    let html = fs::read_to_string(context.path("run/report.html")).unwrap();
    assert_harmless(&html);
    for section in [
        "Learning curve",
        "Score",
        "Held-out text",
        "Audits",
        "own metrics",
        "Model and resources",
        "What was run",
        "Logs",
        "A rehearsal",
    ] {
        assert!(html.contains(section), "{section}");
    }
    assert!(html.contains("best possible: 0.550") && html.contains("nothing learned: 8 bits a byte"));
    assert!(
        html.contains("&lt;script&gt;alert('a note')"),
        "escaped, not dropped"
    );
    for words in [
        "Errors count against the submission",
        "; the bound is 1.0",
        "from the last tenth",
        "± 0.0000",
    ] {
        assert!(html.contains(words), "{words}");
    }
    assert!(html.len() < 400_000, "{}", html.len());
}

#[test]
fn a_leaking_run_shows_its_flag_and_what_it_means() {
    let context = Context::new();
    completed(&context.path("run"), Learner::Leaking);
    context.run("report run --out leak.html");
    let html = fs::read_to_string(context.path("leak.html")).unwrap();
    assert!(html.contains("claims_differ") && html.contains("accuses nobody"));
    assert!(html.contains("No rank: ") && html.contains("claims_untrue"));
    assert!(html.contains("takes no rank") && html.contains("optimizer.step()"));
    assert!(
        !html.contains("s(b)"),
        "there is no score to explain where there is no rank"
    );
    assert!(!context.path("run/report.html").exists());
}

#[test]
fn a_failed_run_has_a_report_too() {
    let context = Context::new();
    failed(&context.path("run"));
    let output = context.run("report run --out -");
    assert_eq!(output.status.code(), Some(0));
    let html = String::from_utf8(output.stdout).unwrap();
    assert_harmless(&html);
    assert!(
        html.contains("train_exception")
            && html.contains("line 42, in train")
            && html.contains("about to fail")
    );
    assert!(html.contains("Learning curve") && html.contains("ended before the 400 kB of its stream"));
    assert!(html.contains("best possible: 0.550"));

    fs::remove_file(context.path("run/curve.json")).unwrap();
    let html = String::from_utf8(context.run("report run --out -").stdout).unwrap();
    assert!(!html.contains("Learning curve") && !html.contains("not complete"));
}

#[test]
fn a_curve_that_lies_about_its_length_is_drawn_as_far_as_it_goes() {
    let context = Context::new();
    failed(&context.path("run"));
    let curve = json!({
        "stream_bytes": 1, "entropy_floor_bpb": null,
        "covered_bytes": [1, 2, 3], "claimed_bpb": [1e308], "mean_bpb": [],
    });
    context.write("run/curve.json", curve.to_string());
    let html = String::from_utf8(context.run("report run --out -").stdout).unwrap();
    assert_harmless(&html);
    assert!(html.contains("Learning curve"));
    context.write("run/curve.json", "{\"stream_bytes\": -1}");
    let html = String::from_utf8(context.run("report run --out -").stdout).unwrap();
    assert!(html.contains("This report is not complete") && html.contains("curve.json cannot be read"));
}

#[test]
fn audits_of_a_run_that_counts_are_withheld() {
    let context = Context::new();
    let dir = context.path("run");
    completed(&dir, Learner::Honest);
    let path = dir.join("result.json");
    let mut result: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    result["rehearsal"] = json!(false);
    fs::write(&path, result.to_string()).unwrap();
    let html = |words: &str| String::from_utf8(context.run(words).stdout).unwrap();
    let kept = html("report run --out -");
    assert!(kept.contains("stay secret until the round closes") && !kept.contains("Claimed against audited"));
    assert!(html("report run --out - --reveal-audits").contains("Claimed against audited"));
}

#[test]
fn a_run_that_goes_on_has_a_report_and_one_that_died_too() {
    let context = Context::new();
    let lock = running(&context.path("runs/run-1"));
    let (exit, value) = context.json("report run-1 --json");
    assert_eq!((exit, value["state"].as_str()), (0, Some("running")));
    let html = fs::read_to_string(context.path("runs/run-1/report.html")).unwrap();
    assert_harmless(&html);
    for words in [
        ">running<",
        "The run goes on",
        "Read: 200.0 of 400 kB",
        "5.7500",
        "Learning curve",
        "best possible: 0.550",
        "tokens a second",
        "about to learn",
        "own metrics",
        "&lt;b&gt;going",
        "Begun 2026-01-31T12:34:56Z, recipe demo (version 2), corpus synthetic-1",
    ] {
        assert!(html.contains(words), "{words}");
    }
    drop(lock);
    let output = context.run("report run-1 --out -");
    let html = String::from_utf8(output.stdout).unwrap();
    assert!(html.contains(">died<") && html.contains("nobody holds its lock") && !html.contains(">running<"));
}

#[test]
fn speed_is_said_with_how_it_is_counted() {
    let context = Context::new();
    let dir = context.path("run");
    completed(&dir, Learner::Honest);
    let html = |context: &Context| String::from_utf8(context.run("report run --out -").stdout).unwrap();
    let on_a_processor = html(&context);
    for words in [
        "tokens a second",
        "4.10 GFLOP/s",
        "no peak is known",
        "6 · parameters · targets",
        "2026-01-31T12:34:56Z",
    ] {
        assert!(on_a_processor.contains(words), "{words}");
    }
    let path = dir.join("prism_run_manifest.v2.json");
    let mut manifest: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    manifest["compute"]["peak_of"] = json!("NVIDIA H200");
    manifest["compute"]["peak_flops_per_second"] = json!(989e12);
    manifest["compute"]["model_flops_utilization"] = json!(0.375);
    fs::write(&path, manifest.to_string()).unwrap();
    let on_a_gpu = html(&context);
    assert!(
        on_a_gpu.contains("37.5 %")
            && on_a_gpu.contains("989.00 TFLOP/s")
            && on_a_gpu.contains("NVIDIA H200")
    );
}

#[test]
fn a_planted_link_is_replaced_and_not_followed() {
    let context = Context::new();
    failed(&context.path("run"));
    context.write("precious.txt", "precious");
    std::os::unix::fs::symlink(context.path("precious.txt"), context.path("run/report.html")).unwrap();
    assert_eq!(context.run("report run").status.code(), Some(0));
    assert_eq!(
        fs::read_to_string(context.path("precious.txt")).unwrap(),
        "precious"
    );
    assert!(!context.path("run/report.html").is_symlink());
}

#[test]
fn what_is_no_run_is_named() {
    let context = Context::new();
    assert_snapshot!(context.shown("report nowhere"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: nowhere is neither the directory of a run nor the name of one in runs

    hint: see `prism runs list`
    ");
}
