//! A run's directory: which files it holds, and how they get there.
//!
//! ```text
//! run.lock                       held while the run goes on (`run_lock.rs`)
//! events.jsonl                   what happened, as it happens (`event_file.rs`)
//! result.json                    the outcome; written last, so its presence says that the run is over
//! record.json, targets.zst       the record (completed runs only)
//! prism_run_manifest.v2.json     the manifest (completed runs only)
//! curve.json                     the learning curve up to the end of a run that did not complete
//! logs/<process>.stdout.log      captured output, bounded; hostile
//! logs/<process>.stderr.log
//! logs/metrics.jsonl             the miner's own metrics, bounded; the last line says if more were logged
//!                                (logs and metrics grow while the run goes on, and are written anew at its end)
//! report.html                    made by `prism report`
//! ```
//!
//! Written by [`crate::evaluate`]; read by reports and `prism verify`. The directory is for its owner alone: a record
//! holds the audit key and stays secret until its round closes.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// The lock.
pub const LOCK_FILE: &str = "run.lock";
/// The events.
pub const EVENTS_FILE: &str = "events.jsonl";
/// The outcome.
pub const RESULT_FILE: &str = "result.json";
/// The record.
pub const RECORD_FILE: &str = "record.json";
/// The claims of every target.
pub const TARGETS_FILE: &str = "targets.zst";
/// The learning curve of a run without a manifest.
pub const CURVE_FILE: &str = "curve.json";
/// Captured output.
pub const LOGS_DIR: &str = "logs";
/// The miner's own metrics, in `logs/`.
pub const METRICS_FILE: &str = "metrics.jsonl";
/// The HTML report.
pub const REPORT_FILE: &str = "report.html";

/// Everything that a run's directory may hold.
pub(crate) const NAMES: [&str; 9] = [
    LOCK_FILE,
    EVENTS_FILE,
    RESULT_FILE,
    RECORD_FILE,
    TARGETS_FILE,
    CURVE_FILE,
    LOGS_DIR,
    REPORT_FILE,
    prism_report::manifest::FILE_NAME,
];
/// How the name of a file ends that is being written; it begins with a dot.
pub const PARTIAL_SUFFIX: &str = ".partial";

/// Most bytes of all logs of a run that its owner sees.
const OWNER_LOG_BYTES_MAX: usize = 512 * 1024;

/// A run's directory.
#[derive(Clone, Debug)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// Makes a new one. An existing directory is taken only if it is empty.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut builder = DirBuilder::new();
        builder.mode(0o700).recursive(true);
        builder.create(path)?;
        if fs::read_dir(path)?.next().is_some() {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "the directory is not empty",
            ));
        }
        // Of two that find it empty at once, one makes this directory and the other is told that it exists.
        builder.recursive(false).create(path.join(LOGS_DIR))?;
        Ok(Self {
            path: path.canonicalize()?,
        })
    }

    /// One that exists.
    pub fn open(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Creates a file in it for writing.
    pub fn create_file(&self, name: &str) -> io::Result<File> {
        fs::OpenOptions::new()
            .write(true)
            .read(true)
            .create_new(true)
            .mode(0o600)
            .open(self.file(name))
    }

    /// Writes a whole file: complete or not at all, also if the machine loses power.
    pub fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let partial = self.file(&format!(".{}{PARTIAL_SUFFIX}", name.replace('/', "-")));
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&partial)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&partial, self.file(name))
    }
}

/// A file of a run, which may be anybody's by now: its content, or `None` where there is none. One of more than
/// `limit_bytes` is an error of the kind `FileTooLarge`, and what is no regular file is not read.
pub fn read(path: &Path, limit_bytes: u64) -> io::Result<Option<Vec<u8>>> {
    // A pipe would block for ever when it is opened.
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is no regular file",
            ));
        }
        Ok(_) => {}
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error),
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(limit_bytes + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit_bytes {
        let text = format!("it has more than {limit_bytes} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    Ok(Some(bytes))
}

/// What the owner of a submission may see of the logs of its run, in one text, bounded: a heading a file. They are escaped
/// already. Also while it goes on.
pub fn owner_log(run_dir: &Path) -> io::Result<String> {
    let dir = run_dir.join(LOGS_DIR);
    let mut names: Vec<_> = match fs::read_dir(&dir) {
        Ok(entries) => entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(error),
    };
    names.sort();
    let mut text = String::new();
    // What is of the learner is its owner's business; what others print knows held-out text and is not kept by the engine.
    for name in names
        .iter()
        .filter(|name| name.starts_with("learner") || *name == METRICS_FILE)
    {
        let left = OWNER_LOG_BYTES_MAX.saturating_sub(text.len());
        let mut bytes = Vec::new();
        match File::open(dir.join(name)) {
            Ok(file) => file.take(left as u64).read_to_end(&mut bytes)?,
            // It is just being written anew.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if !bytes.is_empty() {
            text.push_str("== ");
            text.push_str(name);
            text.push('\n');
            text.push_str(&String::from_utf8_lossy(&bytes));
            text.push('\n');
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_empty_directory_becomes_a_run() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("runs/one");
        let run = RunDir::create(&path).unwrap();
        run.write(RESULT_FILE, b"{}").unwrap();
        assert_eq!(fs::read(path.join(RESULT_FILE)).unwrap(), b"{}");
        assert!(
            run.create_file(RESULT_FILE).is_err(),
            "nothing is overwritten by accident"
        );
        assert_eq!(
            RunDir::create(&path).unwrap_err().kind(),
            io::ErrorKind::AlreadyExists
        );
        let files: Vec<_> = fs::read_dir(&path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(files.len(), 2, "no partial file is left: {files:?}");
    }

    #[test]
    fn what_is_too_large_or_no_file_is_not_read() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("file");
        assert_eq!(read(&path, 3).unwrap(), None);
        fs::write(&path, "abc").unwrap();
        assert_eq!(read(&path, 3).unwrap().as_deref(), Some(&b"abc"[..]));
        assert_eq!(read(&path.join("below"), 3).unwrap(), None);
        assert_eq!(read(&path, 2).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert!(read(temp.path(), 3).is_err());
        let pipe = temp.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        assert!(read(&pipe, 3).is_err(), "and it did not block");
    }
}
