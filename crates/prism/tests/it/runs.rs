//! `prism runs`: only runs are listed, and only runs are removed.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use insta::assert_snapshot;
use serde_json::json;

use crate::context::{Context, tree};
use crate::run_fixture::{Learner, completed, failed, running};

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
        assert_snapshot!(context.shown("runs list --wide"), @"
        exit: 0
        ----- stdout
        run        name                            begun (UTC)           recipe  corpus       state            bpb  final score  on disk
        run-new    <script>alert('name')</script>  2026-01-31T12:34:56Z  demo    synthetic-1  train_exception    -            - [SIZE]
        run-week   <script>alert('name')</script>  2026-01-31T12:34:56Z  demo    synthetic-1  train_exception    -            - [SIZE]
        run-month  <script>alert('name')</script>  2026-01-31T12:34:56Z  demo    synthetic-1  train_exception    -            - [SIZE]

        bpb: bits per byte, lower is better. Final score: higher is better.
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
fn unfinished_runs_are_told_apart_by_their_lock_in_eighty_columns() {
    let context = Context::new();
    let name = "run-1732843401-1a2b3c4d-5e6f7a8b";
    let lock = running(&context.path("runs").join(name));
    completed(
        &context.path("runs/run-1732843402-1a2b3c4d-00000000"),
        Learner::Honest,
    );
    completed(
        &context.path("runs/run-1732843403-1a2b3c4d-11111111"),
        Learner::Leaking,
    );
    failed(&context.path("runs/a-name-of-its-own-that-is-long"));
    settings().bind(|| {
        assert_snapshot!(context.shown("runs list --sort bpb"), @"
        exit: 0
        ----- stdout
        run           name         begun (UTC)  recipe  corpus       state           bpb
        00000000      transforme…  01-31 12:34  demo    synthetic-1  completed    3.0719
        11111111      transforme…  01-31 12:34  demo    synthetic-1  no rank      3.1670
        5e6f7a8b      <b>going</…  01-31 12:34  demo    synthetic-1  running      5.7500
        a-name-of-it  <script>al…  01-31 12:34  demo    synthetic-1  train_exce…       -

        4 runs in runs, [SIZE]
        ----- stderr
        ");
    });
    let text = String::from_utf8(context.run("runs list").stdout).unwrap();
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let state = || {
        let (_, value) = context.json("runs list --json");
        let run = value["runs"]
            .as_array()
            .unwrap()
            .iter()
            .find(|run| run["name"] == name)
            .unwrap()
            .clone();
        (run["state"].clone(), run["progress"]["covered_bytes"].clone())
    };
    assert_eq!(state(), (json!("running"), json!(200_000)));
    context.run("runs prune --keep 0");
    assert!(context.path("runs").join(name).exists(), "it goes on");
    drop(lock);
    assert_eq!(state(), (json!("died"), json!(200_000)));
    context.run("runs prune --keep 0");
    assert!(!context.path("runs").join(name).exists(), "however young it is");
}

#[test]
fn runs_are_sorted_by_a_column() {
    let context = Context::new();
    completed(&context.path("runs/b"), Learner::Honest);
    completed(&context.path("runs/a"), Learner::Leaking);
    failed(&context.path("runs/c"));
    let order = |flags: &str| -> Vec<String> {
        let (_, value) = context.json(&format!("runs list --json {flags}"));
        let runs = value["runs"].as_array().unwrap();
        runs.iter()
            .map(|run| run["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let by_bpb = order("--sort bpb");
    assert_eq!(
        by_bpb.last().map(String::as_str),
        Some("c"),
        "without a figure it comes last"
    );
    let mut turned = order("--sort bpb --reverse");
    turned.reverse();
    assert_eq!(by_bpb, turned);
    assert_eq!(order("--sort state")[2], "c", "train_exception");
}

#[test]
fn runs_are_compared_in_the_terminal_and_as_a_page() {
    let context = Context::new();
    completed(&context.path("runs/run-a"), Learner::Honest);
    completed(&context.path("runs/run-b"), Learner::Leaking);
    let lock = running(&context.path("runs/run-c"));
    assert_snapshot!(context.shown("runs compare run-a run-b runs/run-c"), @"
    exit: 0
    ----- stdout
       name              bits per byte    score  params  tokens/s    time  state
    a  transformer-s…  3.0719 ± 0.0000  0.24572   562 k      1229  41.5 s  completed
    b  transformer-s…  3.1670 ± 0.0926        -   562 k      1229  41.5 s  no rank
    c  <b>going</b>             5.7500        -   562 k      5010  50.0 s  running
    Bits per byte: lower is better. Score: higher is better.

       run    begun                 recipe  corpus
    a  run-a  2026-01-31T12:34:56Z  demo 2  synthetic-1
    b  run-b  2026-01-31T12:34:56Z  demo 2  synthetic-1
    c  run-c  2026-01-31T12:34:56Z  demo 2  synthetic-1

    bits per byte of what was read so far (`*`: several)
       7.763 |
             |*
             | b                ccccccccc
             |                           ccccccccccc
             | a                                    ccccccccccc
             |                                                 ccccccccccc
             |  b                                                         cccccccccc
             |  a
             |   b
             |   a
             |    *
             |     *
             |      *
             |       *
             |        **
       3.072 |          *
             +----------------------------------------------------------------------
              0                                                          200 kB read

    page: runs/compare.html
    ----- stderr
    ");
    let html = fs::read_to_string(context.path("runs/compare.html")).unwrap();
    assert!(html.contains("a: transformer-small") && html.contains("c: &lt;b&gt;going"));
    assert!(html.contains(">running<") && html.contains("so far") && html.contains("6 · parameters"));
    drop(lock);
    let (exit, value) = context.json("runs compare run-a run-c --json --out x.html");
    assert_eq!((exit, value["runs"][1]["state"].as_str()), (0, Some("died")));
    assert!(context.path("x.html").exists());
    assert_snapshot!(context.shown("runs compare run-a run-"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: run- may be any of run-c, run-b, run-a

    hint: write more of the name
    ");
    assert_eq!(context.run("runs compare run-a").status.code(), Some(2));
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
