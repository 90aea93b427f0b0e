//! `prism watch`: follows a run by its events and its lock, and ends with it.

use std::fs;
use std::io::Read as _;
use std::process::Stdio;

use insta::assert_snapshot;

use crate::context::Context;
use crate::run_fixture::{failed, running};

#[test]
fn it_ends_with_the_run_as_the_run_did() {
    let context = Context::new();
    let dir = context.path("runs/run-1");
    let lock = running(&dir);
    let mut watching = context
        .command(&["watch", "run-1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The run ends: its result comes last, then it lets go of the lock.
    let over = context.path("over");
    failed(&over);
    fs::rename(over.join("result.json"), dir.join("result.json")).unwrap();
    drop(lock);
    let (mut stdout, mut stderr) = (String::new(), String::new());
    watching
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut stdout)
        .unwrap();
    watching
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut stderr)
        .unwrap();
    assert_eq!(watching.wait().unwrap().code(), Some(1), "{stdout}{stderr}");
    assert!(
        stdout.contains("failed (train_exception)") && stdout.contains("line 42, in train"),
        "{stdout}"
    );
    assert_eq!(stderr, "", "it has not lasted half a minute");
}

#[test]
fn a_run_that_is_over_is_told_at_once_and_as_one_object() {
    let context = Context::new();
    failed(&context.path("over"));
    let (exit, value) = context.json("watch over --json");
    assert_eq!((exit, value["reason"].as_str()), (1, Some("train_exception")));
}

#[test]
fn a_run_that_died_is_named_and_so_is_what_is_no_run() {
    let context = Context::new();
    drop(running(&context.path("runs/run-1")));
    fs::create_dir(context.path("empty")).unwrap();
    assert_snapshot!(context.shown("watch run-1"), @"
    exit: 3
    ----- stdout
    ----- stderr
    error: the run in runs/run-1 died: it has no `result.json` and nobody holds its lock, so it was killed or the machine went down

    hint: `prism report runs/run-1` shows how far it came; start it again with `prism eval`
    ");
    assert_snapshot!(context.shown("watch empty"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: empty is no run

    hint: see `prism runs list`
    ");
    fs::write(
        context.path("runs/run-1/events.jsonl"),
        "{\"v\":2,\"t\":1.0,\"event\":\"run\"}\n",
    )
    .unwrap();
    assert_snapshot!(context.shown("watch run-1"), @"
    exit: 3
    ----- stdout
    ----- stderr
    error: cannot follow runs/run-1: events.jsonl has version 2 and this `prism` reads version 1; use the `prism` that wrote it
    ");
}
