//! A file operation that the system refused: what was done, with which path, and its answer.
//!
//! A variant `Io` of many errors, so that all of them say it alike. A type alone: nothing here touches a file.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What the system refused.
#[derive(Debug)]
pub struct IoError {
    /// What was being done, as `read`.
    pub action: &'static str,
    /// With which file or directory.
    pub path: PathBuf,
    /// The system's answer.
    pub source: io::Error,
}

impl IoError {
    /// One of this path.
    pub fn new(action: &'static str, path: impl AsRef<Path>, source: io::Error) -> Self {
        Self {
            action,
            path: path.as_ref().to_owned(),
            source,
        }
    }
}

impl fmt::Display for IoError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "cannot {} {}: {}",
            self.action,
            self.path.display(),
            self.source
        )
    }
}

impl std::error::Error for IoError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}
