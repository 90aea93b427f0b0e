//! `prism runs`: only runs are listed, and only runs are removed.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use insta::assert_snapshot;
use serde_json::json;

use crate::context::{Context, tree};
use crate::run_fixture::failed;

const DAY: Duration = Duration::from_hours(24);

fn with_runs() -> Context {
    let context = Context::new();
    for (name, days) in [("run-new", 0), ("run-week", 7), ("run-month", 30)] {
        let dir = context.path("runs").join(name);
        failed(&dir);
        let then = SystemTime::now() - days * DAY;
        for path in [
            dir.join("result.json"),
            dir.join("curve.json"),
            dir.join("logs/learner.stderr.log"),
            dir.join("logs"),
            dir,
        ] {
            File::open(path).unwrap().set_modified(then).unwrap();
        }
    }
    context.write("runs/notes/mine.txt", "not a run");
    context
}

/// Sizes depend on the length of temporary paths.
fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r" *\d+(\.\d+)? (kB|B)", " [SIZE]");
    settings
}

#[test]
fn runs_are_listed() {
    let context = with_runs();
    settings().bind(|| {
        assert_snapshot!(context.shown("runs list"), @"
    exit: 0
    ----- stdout
    run        status                    ranked bpb  final score  on disk
    run-new    failed (train_exception)           -            - [SIZE]
    run-week   failed (train_exception)           -            - [SIZE]
    run-month  failed (train_exception)           -            - [SIZE]

    3 runs in runs, [SIZE]
    ----- stderr
    ");
    });
    let (exit, value) = context.json("runs list --format json");
    assert_eq!(exit, 0);
    assert_eq!(value["runs"][0]["state"], json!("finished"));
    assert_eq!(value["runs"][0]["result"]["reason"], json!("train_exception"));
}

#[test]
fn pruning_keeps_what_it_should_and_says_what_it_freed() {
    let context = with_runs();
    settings().bind(|| {
        assert_snapshot!(context.shown("runs prune --keep 1 --dry-run"), @"
        exit: 0
        ----- stdout
        run-week
        run-month
        2 runs would be removed, [SIZE]
        ----- stderr
        ");
        assert_eq!(tree(&context.path("runs")).len(), 10, "a dry run removes nothing");
        assert_snapshot!(context.shown("runs prune --older-than-days 14"), @"
        exit: 0
        ----- stdout
        run-month
        1 run removed, [SIZE]
        ----- stderr
        ");
    });
    assert!(!context.path("runs/run-month").exists());
    let (exit, value) = context.json("runs prune --keep 0 --json");
    assert_eq!((exit, value["removed"].as_array().unwrap().len()), (0, 2));
    assert_eq!(tree(&context.path("runs")), ["notes/mine.txt"]);
}

#[test]
fn pruning_wants_to_know_what() {
    let context = with_runs();
    assert_snapshot!(context.shown("runs prune"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: the following required arguments were not provided:
      <--keep <N>|--older-than-days <D>>

    Usage: prism runs prune <--keep <N>|--older-than-days <D>>

    For more information, try '--help'.
    ");
    assert_snapshot!(context.shown("runs list --runs nowhere"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: nowhere is no directory

    hint: name the directory of the runs with --runs
    ");
    assert_eq!(fs::read_dir(context.path("runs")).unwrap().count(), 4);
}
