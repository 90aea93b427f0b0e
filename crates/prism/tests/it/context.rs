//! A place of its own for one test: directories, environment, and a snapshot of what the binary did.

use std::ffi::OsStr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A working directory and a data directory that nobody else uses.
pub(crate) struct Context {
    temp: TempDir,
}

impl Context {
    pub(crate) fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        std::fs::create_dir(temp.path().join("work")).unwrap();
        Self { temp }
    }

    /// The working directory.
    pub(crate) fn dir(&self) -> PathBuf {
        self.temp.path().join("work")
    }

    /// A path in it.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.dir().join(relative)
    }

    /// Writes a file in it, and the directories above.
    pub(crate) fn write(&self, relative: &str, content: impl AsRef<[u8]>) {
        let path = self.path(relative);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// `prism` with these arguments, without a terminal and with nothing of the caller's environment.
    pub(crate) fn command(&self, arguments: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_prism"));
        command
            .args(arguments)
            .current_dir(self.dir())
            .env_clear()
            .env("HOME", self.temp.path().join("home"))
            .env("PRISM_DATA_DIR", self.temp.path().join("data"))
            .env("PATH", "/usr/bin:/bin")
            .stdin(Stdio::null());
        command
    }

    /// Runs `prism` with words that are separated by single spaces.
    pub(crate) fn run(&self, words: &str) -> Output {
        let words: Vec<_> = words.split(' ').filter(|word| !word.is_empty()).collect();
        self.command(&words).output().unwrap()
    }

    /// Exit code, stdout and stderr as one text, paths of this test replaced.
    pub(crate) fn shown(&self, words: &str) -> String {
        self.show(&self.run(words))
    }

    /// The same of a finished process.
    pub(crate) fn show(&self, output: &Output) -> String {
        let exit = output.status.code().map_or_else(
            || format!("signal {:?}", output.status.signal()),
            |code| code.to_string(),
        );
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let shown = format!(
            "exit: {exit}\n----- stdout\n{}----- stderr\n{}",
            text(&output.stdout),
            text(&output.stderr)
        );
        shown.replace(self.temp.path().to_str().unwrap(), "[TEMP]")
    }

    /// Runs `prism` and reads its stdout as one JSON value; nothing else may be on it.
    pub(crate) fn json(&self, words: &str) -> (i32, serde_json::Value) {
        let output = self.run(words);
        let value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{words}: {error}: {}", self.show(&output)));
        (output.status.code().unwrap(), value)
    }
}

/// The names of everything below a directory, sorted.
pub(crate) fn tree(dir: &Path) -> Vec<String> {
    fn walk(dir: &Path, prefix: &str, out: &mut Vec<String>) {
        let mut entries: Vec<_> = std::fs::read_dir(dir).unwrap().map(Result::unwrap).collect();
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type().unwrap().is_dir() {
                walk(&entry.path(), &format!("{name}/"), out);
            } else {
                out.push(name);
            }
        }
    }
    let mut out = Vec::new();
    if dir.exists() {
        walk(dir, "", &mut out);
    }
    out
}
