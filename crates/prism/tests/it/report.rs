//! `prism report`: one self-contained file for every ending, with nothing of the submission's let through.

use std::fs;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::context::Context;
use crate::run_fixture::{Learner, completed, failed};

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
    assert!(html.len() < 400_000, "{}", html.len());
}

#[test]
fn a_leaking_run_shows_its_flag_and_what_it_means() {
    let context = Context::new();
    completed(&context.path("run"), Learner::Leaking);
    context.run("report run --out leak.html");
    let html = fs::read_to_string(context.path("leak.html")).unwrap();
    assert!(html.contains("claims_differ") && html.contains("accuses nobody"));
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
    error: nowhere is no finished run: it has no `result.json`

    hint: see `prism runs list`
    ");
}
