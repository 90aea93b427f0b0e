//! Directories to bundles and back.

use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;

use prism_bundle::{Bundle, PackError, limits, pack};
use tempfile::TempDir;

use crate::{ARCHITECTURE, TRAINING, cause};

fn directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("architecture.py"), ARCHITECTURE).unwrap();
    fs::write(directory.path().join("training.py"), TRAINING).unwrap();
    directory
}

fn failure(directory: &TempDir) -> &'static str {
    pack::read_dir(directory.path()).map_or_else(|error| cause(&error), |_| "ok")
}

#[test]
fn skips_hidden_files_and_caches() {
    let directory = directory();
    for path in [".git", "__pycache__", "lib/__pycache__", "lib/.mypy_cache"] {
        fs::create_dir_all(directory.path().join(path)).unwrap();
        fs::write(directory.path().join(path).join("x.bin"), [0xff; 10]).unwrap();
    }
    for name in [".env", "training.py~", "a.pyc", "lib/helper.py"] {
        fs::write(directory.path().join(name), "x = 1\n").unwrap();
    }
    let entries = pack::read_dir(directory.path()).unwrap();
    let paths: Vec<_> = entries.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["architecture.py", "lib/helper.py", "training.py"]);
    Bundle::from_entries(entries).unwrap();
}

#[test]
fn refuses_links_and_special_files() {
    let linked = directory();
    symlink("/etc/hostname", linked.path().join("notes.txt")).unwrap();
    assert_eq!(failure(&linked), "Symlink");
    let linked = directory();
    symlink("/etc", linked.path().join("lib")).unwrap();
    assert_eq!(failure(&linked), "Symlink");
    let special = directory();
    let _listener = UnixListener::bind(special.path().join("socket.txt")).unwrap();
    assert_eq!(failure(&special), "SpecialFile");
}

#[test]
fn refuses_names_that_are_not_text() {
    let directory = directory();
    fs::write(
        directory
            .path()
            .join(std::ffi::OsString::from_vec(b"a\xff.py".to_vec())),
        "",
    )
    .unwrap();
    assert_eq!(failure(&directory), "NameNotUtf8");
}

#[test]
fn stops_reading_at_the_limits() {
    let many = directory();
    for index in 0..limits::FILES_MAX {
        fs::write(many.path().join(format!("m{index}.py")), "").unwrap();
    }
    assert_eq!(failure(&many), "TooManyFiles");
    let large = directory();
    let file = fs::File::create(large.path().join("large.txt")).unwrap();
    file.set_len(1 << 40).unwrap();
    assert_eq!(failure(&large), "TooLarge");
    let deep = directory();
    fs::create_dir_all(deep.path().join("a/b/c/d/e/f/g")).unwrap();
    assert_eq!(failure(&deep), "TooDeep");
}

#[test]
fn a_missing_directory_is_named() {
    let error = pack::read_dir("/does/not/exist".as_ref()).unwrap_err();
    assert!(matches!(error, PackError::Io(ref io) if io.action == "list"));
    assert!(error.to_string().contains("/does/not/exist"), "{error}");
}

#[test]
fn writes_what_it_read_and_overwrites_nothing() {
    let source = directory();
    fs::create_dir(source.path().join("lib")).unwrap();
    fs::write(source.path().join("lib/helper.py"), "x = 1\n").unwrap();
    let bundle = Bundle::from_entries(pack::read_dir(source.path()).unwrap()).unwrap();
    let target = source.path().join("out");
    pack::write_dir(&bundle, &target).unwrap();
    let again = Bundle::from_entries(pack::read_dir(&target).unwrap()).unwrap();
    assert_eq!(again.hash(), bundle.hash());
    assert_eq!(cause(&pack::write_dir(&bundle, &target).unwrap_err()), "Io");
}

/// The umask belongs to the whole process, so the test runs itself again in one that has another.
#[test]
fn everybody_may_read_what_is_written_whatever_the_umask() {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let umask = status
        .lines()
        .find_map(|line| line.strip_prefix("Umask:"))
        .unwrap()
        .trim();
    if umask != "0077" {
        let output = Command::new("/bin/sh")
            .args(["-c", "umask 077 && exec \"$0\" \"$@\""])
            .arg(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "packing::everybody_may_read_what_is_written_whatever_the_umask",
            ])
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && printed.contains("1 passed"),
            "{printed}"
        );
        return;
    }
    let source = directory();
    fs::create_dir_all(source.path().join("lib/deep")).unwrap();
    fs::write(source.path().join("lib/deep/helper.py"), "x = 1\n").unwrap();
    let bundle = Bundle::from_entries(pack::read_dir(source.path()).unwrap()).unwrap();
    let target = source.path().join("out");
    pack::write_dir(&bundle, &target).unwrap();
    for (path, mode) in [
        ("", 0o755),
        ("lib", 0o755),
        ("lib/deep", 0o755),
        ("lib/deep/helper.py", 0o644),
        ("training.py", 0o644),
    ] {
        let found = fs::metadata(target.join(path)).unwrap().permissions().mode() & 0o7777;
        assert_eq!(found, mode, "{path:?}: {found:o}");
    }
}

#[test]
fn an_archive_is_read_to_its_limit_and_nothing_else_is() {
    let temp = tempfile::tempdir().unwrap();
    let read = |name: &str| pack::read_archive(&temp.path().join(name));
    fs::write(temp.path().join("small.zip"), "PK").unwrap();
    assert_eq!(read("small.zip").unwrap(), b"PK");
    let file = fs::File::create(temp.path().join("large.zip")).unwrap();
    file.set_len(limits::ARCHIVE_BYTES_MAX * 3).unwrap();
    let archive = read("large.zip").unwrap();
    assert_eq!(archive.len() as u64, limits::ARCHIVE_BYTES_MAX + 1);
    assert!(Bundle::from_zip(&archive).is_err());
    assert_eq!(cause(&read("none.zip").unwrap_err()), "Io");
    let _socket = UnixListener::bind(temp.path().join("socket")).unwrap();
    assert_eq!(cause(&read("socket").unwrap_err()), "NotAnArchive");
    assert_eq!(cause(&read("").unwrap_err()), "NotAnArchive");
}
