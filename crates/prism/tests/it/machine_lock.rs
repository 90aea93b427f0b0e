//! The real binary where somebody else has the machine: it says so, waits, goes on, can be stopped, or does not wait.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use prism_sandbox::{LockKind, try_lock_range};
use serde_json::Value;

use crate::host::{descendants, host, prism, repository, seat};

/// A lock of the test's own, held like a counted run holds it until the file is dropped.
fn held(name: &str) -> (PathBuf, File) {
    let path = host().place(name);
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(&path)
        .unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(try_lock_range(&file, LockKind::Exclusive, 0, 1).unwrap());
    (path, file)
}

fn eval(lock: &Path, run_dir: &Path) -> Command {
    let mut command = prism();
    command
        .arg("eval")
        .arg(repository().join("redteam/honest-small"))
        .arg("--data")
        .arg(&host().corpus)
        .arg("--recipe")
        .arg(repository().join("redteam/recipe.toml"))
        .arg("--run-dir")
        .arg(run_dir)
        .arg("--json")
        .env("PRISM_MACHINE_LOCK", lock);
    command
}

fn check(lock: &Path) -> Command {
    let mut command = prism();
    command
        .arg("check")
        .arg(repository().join("redteam/honest-small"))
        .arg("--json")
        .env("PRISM_MACHINE_LOCK", lock);
    command
}

fn json(output: &[u8]) -> Value {
    serde_json::from_slice(output)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(output)))
}

#[test]
fn an_evaluation_waits_says_for_whom_and_goes_on() {
    let _seat = seat();
    let (path, file) = held("waits.lock");
    let run_dir = host().place("waits");
    let mut child = eval(&path, &run_dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = said.next().unwrap().unwrap();
    let us = format!("a counted run, process {}", std::process::id());
    assert!(
        line.contains("waiting for the machine") && line.contains(&us),
        "{line}"
    );
    assert!(
        !run_dir.exists() && descendants(child.id()).is_empty(),
        "nothing has begun"
    );
    // Whoever comes meanwhile and does not wait is sent away.
    let refused = eval(&path, &host().place("refused"))
        .arg("--no-wait")
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(3));
    let outcome = json(&refused.stdout);
    assert_eq!(
        (&outcome["reason"], &outcome["fault"]),
        (&"machine_busy".into(), &"operator".into())
    );
    drop(file);
    let output = child.wait_with_output().unwrap();
    assert_eq!(json(&output.stdout)["status"], "completed");
}

#[test]
fn whoever_waits_can_be_stopped() {
    let _seat = seat();
    let (path, _file) = held("stopped.lock");
    let mut child = eval(&path, &host().place("stopped"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    said.read_line(&mut String::new()).unwrap();
    interrupt(child.id());
    let mut out = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut out).unwrap();
    assert_eq!(json(&out)["reason"], "cancelled");
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

/// As a terminal's Ctrl-C.
fn interrupt(pid: u32) {
    let killed = Command::new("kill")
        .args(["-INT", &pid.to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
}

#[test]
fn a_check_does_not_build_a_model_beside_a_counted_run() {
    let _seat = seat();
    let (path, file) = held("check.lock");
    let refused = check(&path).arg("--no-wait").output().unwrap();
    assert_eq!(refused.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&refused.stdout).contains("machine_busy"));
    let mut child = check(&path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = said.next().unwrap().unwrap();
    assert!(line.contains("waiting for the machine"), "{line}");
    drop(file);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
}
