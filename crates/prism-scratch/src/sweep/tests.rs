//! What is removed, and what never is.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Child, Command};

use tempfile::TempDir;

use super::*;
use crate::Scratch;

/// A process that has ended, by the name that it would have given its directories.
fn dead() -> String {
    let mut child = sleeper();
    let owner = Owner::of(child.id()).unwrap().to_string();
    child.kill().unwrap();
    child.wait().unwrap();
    owner
}

fn sleeper() -> Child {
    Command::new("sleep").arg("600").spawn().unwrap()
}

fn name(owner: &str) -> String {
    format!("prism-run-{}-{owner}-aB3xyz", boot().unwrap())
}

/// A directory with something in it, for its owner alone.
fn make(parent: &TempDir, name: &str) -> PathBuf {
    let path = parent.path().join(name);
    fs::create_dir(&path).unwrap();
    fs::write(path.join("file"), "x").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o700)).unwrap();
    path
}

fn parent() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn what_a_dead_process_left_is_removed_whatever_its_purpose_and_content() {
    let parent = parent();
    let owner = dead();
    let boot = boot().unwrap();
    for purpose in Purpose::ALL {
        let path = make(&parent, &format!("{}{boot}-{owner}-aB3xyz", purpose.prefix()));
        let inner = path.join("a/b");
        fs::create_dir_all(&inner).unwrap();
        fs::write(inner.join("read-only"), "x").unwrap();
        fs::set_permissions(&inner, Permissions::from_mode(0o555)).unwrap();
        fs::set_permissions(inner.parent().unwrap(), Permissions::from_mode(0o555)).unwrap();
    }
    sweep(parent.path());
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
}

#[test]
fn what_belongs_to_a_living_process_stays_until_that_is_dead() {
    let parent = parent();
    let own = Scratch::new(parent.path(), Purpose::Corpus).unwrap();
    assert_eq!(own.path().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let mut other = sleeper();
    let path = make(&parent, &name(&Owner::of(other.id()).unwrap().to_string()));
    sweep(parent.path());
    assert!(own.path().is_dir() && path.join("file").exists());
    other.kill().unwrap();
    other.wait().unwrap();
    // Whoever makes a directory sweeps first.
    let next = Scratch::new(parent.path(), Purpose::Run).unwrap();
    assert!(own.path().is_dir() && next.path().is_dir() && !path.exists());
    drop((own, next));
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
}

#[test]
fn a_number_that_was_given_to_another_process_does_not_protect() {
    let parent = parent();
    let own = Owner::this_process().unwrap().to_string();
    let (process, started) = own.rsplit_once('-').unwrap();
    let earlier: u64 = started.parse().unwrap();
    let path = make(&parent, &name(&format!("{process}-{}", earlier - 1)));
    sweep(parent.path());
    assert!(!path.exists());
}

#[test]
fn what_was_not_made_here_stays() {
    let parent = parent();
    let (owner, boot) = (dead(), boot().unwrap());
    let mut names = vec![
        "prism-run".to_owned(),
        "prism-it-aB3xyz".to_owned(),
        format!("prism-other-{boot}-{owner}-aB3xyz"),
        format!("myprism-run-{boot}-{owner}-aB3xyz"),
        format!("prism-run-{owner}-aB3xyz"),
        format!("prism-run-{boot}-{owner}"),
        format!("prism-run-{boot}-{owner}-"),
        format!("prism-run-{boot}-{owner}-aB3.backup"),
        format!("prism-run-{boot}-{owner}-aB3xyz-copy"),
        // Of another start of the machine, or of another machine that shares this directory.
        format!("prism-run-00000000-{owner}-aB3xyz"),
    ];
    let (_, process) = owner.split_once('-').unwrap();
    // Of another PID namespace: a container, say.
    names.push(name(&format!("1-{process}")));
    for name in &names {
        make(&parent, name);
    }
    sweep(parent.path());
    for name in &names {
        assert!(parent.path().join(name).join("file").exists(), "{name}");
    }
}

#[test]
fn a_link_a_file_and_what_others_may_enter_stay() {
    let (parent, elsewhere) = (parent(), parent());
    let precious = make(&elsewhere, "precious");
    let owner = dead();
    let link = parent.path().join(name(&owner));
    symlink(&precious, &link).unwrap();
    let boot = boot().unwrap();
    let file = parent.path().join(format!("prism-run-{boot}-{owner}-file01"));
    fs::write(&file, "x").unwrap();
    let open = make(&parent, &format!("prism-run-{boot}-{owner}-open01"));
    fs::set_permissions(&open, Permissions::from_mode(0o755)).unwrap();
    sweep(parent.path());
    assert!(link.is_symlink() && precious.join("file").exists());
    assert!(file.exists() && open.join("file").exists());
}

#[test]
fn links_inside_are_removed_and_never_followed() {
    let (parent, elsewhere) = (parent(), parent());
    let precious = make(&elsewhere, "precious");
    let path = make(&parent, &name(&dead()));
    symlink(&precious, path.join("directory")).unwrap();
    symlink(precious.join("file"), path.join("link")).unwrap();
    fs::hard_link(precious.join("file"), path.join("name")).unwrap();
    sweep(parent.path());
    assert!(!path.exists());
    assert_eq!(fs::read_to_string(precious.join("file")).unwrap(), "x");
}

#[test]
fn what_belongs_to_another_user_stays() {
    let parent = parent();
    let path = make(&parent, &name(&dead()));
    // Whoever else we were, this would be somebody else's.
    sweep_as(parent.path(), geteuid().as_raw() + 1, &boot().unwrap());
    assert!(path.join("file").exists());
    sweep(parent.path());
    assert!(!path.exists());
}

#[test]
fn many_at_once_remove_the_dead_and_nothing_else() {
    let parent = parent();
    let (owner, boot) = (dead(), boot().unwrap());
    for number in 0..50 {
        make(&parent, &format!("prism-run-{boot}-{owner}-{number}"));
    }
    let living: Vec<Scratch> = std::thread::scope(|scope| {
        let makers: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| Scratch::new(parent.path(), Purpose::Run).unwrap()))
            .collect();
        makers.into_iter().map(|maker| maker.join().unwrap()).collect()
    });
    // Whoever met another one at the same directory may have left it to that one.
    sweep(parent.path());
    assert!(living.iter().all(|scratch| scratch.path().is_dir()));
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), living.len());
}
