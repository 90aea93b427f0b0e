//! What a command leaves behind when it is killed, hung up on or stopped: nothing that the next one does not remove.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::context::Context;
use crate::host::{hear_hangups, succeed};

/// More text than is written before anybody kills the writer.
const ENDLESS: &str = "20000000000";

/// A corpus that is being written.
fn writing(context: &Context, command: &mut Command) -> (Child, PathBuf) {
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_mins(2);
    loop {
        if let Some(path) = staged(&context.dir()).into_iter().next() {
            return (child, path);
        }
        assert!(child.try_wait().unwrap().is_none(), "it ended");
        assert!(Instant::now() < deadline, "it never began");
        std::thread::yield_now();
    }
}

/// What lies in a directory under a name that no corpus has.
fn staged(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(".prism-"))
        .collect()
}

fn signal(name: &str, child: &Child) {
    succeed(Command::new("kill").args(["-s", name, &child.id().to_string()]));
}

#[test]
fn what_a_killed_command_leaves_is_removed_by_the_next_and_what_a_living_one_has_is_not() {
    let context = Context::new();
    let synth = |out: &str, bytes| context.command(&["data", "synth", "--bytes", bytes, "--out", out]);
    let (mut killed, left) = writing(&context, &mut synth("one", ENDLESS));
    let mode = std::os::unix::fs::PermissionsExt::mode(&left.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o700, "nobody else may look");
    signal("KILL", &killed);
    killed.wait().unwrap();
    assert!(left.is_dir());

    let mut other = synth("two", ENDLESS);
    let mut living = other.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_mins(2);
    while staged(&context.dir()).iter().all(|path| *path == left) || left.exists() {
        assert!(Instant::now() < deadline, "{:?}", staged(&context.dir()));
        std::thread::yield_now();
    }
    let of_the_living = staged(&context.dir());
    succeed(&mut synth("three", "60000"));
    assert_eq!(staged(&context.dir()), of_the_living);
    assert!(context.path("three/manifest.json").exists());
    living.kill().unwrap();
    living.wait().unwrap();
    // One that makes nothing itself does it too.
    succeed(&mut context.command(&["data", "show", "three"]));
    assert_eq!(staged(&context.dir()), Vec::<PathBuf>::new());
}

#[test]
fn the_end_of_the_terminal_stops_a_command_as_a_signal_does() {
    hear_hangups();
    let context = Context::new();
    let mut command = context.command(&["data", "synth", "--bytes", ENDLESS, "--out", "one"]);
    let (mut child, _) = writing(&context, &mut command);
    signal("HUP", &child);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(fs::read_dir(context.dir()).unwrap().count(), 0);
}

#[test]
fn a_command_that_is_to_outlive_its_terminal_does() {
    let context = Context::new();
    let plain = context.command(&["data", "synth", "--bytes", "6000000", "--out", "one"]);
    let mut command = Command::new("nohup");
    command.arg(plain.get_program()).args(plain.get_args());
    command.current_dir(context.dir()).stdin(Stdio::null());
    let (mut child, _) = writing(&context, &mut command);
    signal("HUP", &child);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(context.path("one/manifest.json").exists());
}
