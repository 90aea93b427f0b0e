//! Puts a finished corpus in its place at once: staged beside it, then renamed.
//!
//! `lock` and `synth` build inside a [`Staging`]; a failure or a cancellation leaves nothing behind. It must never
//! overwrite a directory that holds something else.

use std::env;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use prism_core::advice::{Advice, Hint};
use prism_core::io_error::IoError;
use prism_scratch::{Purpose, Scratch};

use crate::limits::MANIFEST_BYTES_MAX;
use crate::manifest::{MANIFEST_FILE, MANIFEST_HASH_FILE, Manifest};
use crate::open::{Corpus, OpenError};
use crate::secret::{self, SECRET_DIR};

/// What a corpus is called before it has its place.
const UNFINISHED: &str = "corpus";

/// Why a corpus could not be written.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum PublishError {
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] IoError),
    #[error("a corpus cannot be put at {path}: {problem}", path = path.display())]
    OutputNotReplaceable { path: PathBuf, problem: &'static str },
    #[error("{path} is not empty and holds no corpus", path = path.display())]
    OutputNotEmpty { path: PathBuf },
    #[error("{path} holds another corpus ({existing}) than this one would be ({wanted})", path = path.display())]
    OutputIsAnotherCorpus {
        path: PathBuf,
        /// The manifest hash of the corpus that is there.
        existing: String,
        /// The manifest hash of the corpus that was asked for.
        wanted: String,
    },
    #[error("{path} holds this corpus, but damaged: {source}", path = path.display())]
    OutputIsDamaged { path: PathBuf, source: Box<OpenError> },
}

impl Advice for PublishError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::OutputNotReplaceable { .. } => "name a new directory, inside of it for example".into(),
            Self::OutputNotEmpty { .. } => "choose another output directory or empty this one".into(),
            Self::OutputIsAnotherCorpus { .. } => "choose another output directory or remove it".into(),
            Self::OutputIsDamaged { .. } => "remove it and run the command again".into(),
            Self::Io(_) => return None,
        })
    }
}

impl PublishError {
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io(IoError::new(action, path, source))
    }
}

/// A corpus that is being written, in a directory beside the output directory that nobody else may enter; removed again
/// unless it is published.
pub(crate) struct Staging {
    scratch: Scratch,
    /// In it, with the permissions that any new directory has.
    dir: PathBuf,
    out: PathBuf,
    existing: Option<Manifest>,
}

impl Staging {
    /// Checks the output directory before any work is done, and makes the temporary one.
    pub(crate) fn new(out: &Path) -> Result<Self, PublishError> {
        let existing = existing_manifest(out)?;
        let out = &match &existing {
            // Nothing will be moved there.
            Some(_) => fs::canonicalize(out).map_err(|e| PublishError::io("find the directory", out, e))?,
            None => replaceable(out)?,
        };
        let parent = match out.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).map_err(|e| PublishError::io("create the directory", parent, e))?;
        let made = Scratch::new(parent, Purpose::Corpus).and_then(|scratch| {
            let dir = scratch.path().join(UNFINISHED);
            fs::create_dir(&dir).map(|()| (scratch, dir))
        });
        let (scratch, dir) =
            made.map_err(|e| PublishError::io("create a temporary directory in", parent, e))?;
        Ok(Self {
            scratch,
            dir,
            out: out.to_owned(),
            existing,
        })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Keeps the corpus from everybody but its owner, and makes the folder of what is held out.
    pub(crate) fn keep_secret(&self) -> Result<PathBuf, PublishError> {
        fs::set_permissions(&self.dir, fs::Permissions::from_mode(0o700))
            .map_err(|e| PublishError::io("take the rights of others from", &self.dir, e))?;
        let folder = self.dir.join(SECRET_DIR);
        secret::create_dir(&folder).map_err(|e| PublishError::io("create", &folder, e))?;
        Ok(folder)
    }

    /// Writes the manifest and renames the directory to its place; the same corpus already there is success.
    pub(crate) fn publish(self, manifest: &Manifest) -> Result<(), PublishError> {
        if let Some(existing) = &self.existing {
            let (existing, wanted) = (existing.manifest_hash(), manifest.manifest_hash());
            if existing != wanted {
                return Err(PublishError::OutputIsAnotherCorpus {
                    path: self.out,
                    existing,
                    wanted,
                });
            }
            return match Corpus::open(&self.out) {
                Ok(_) => Ok(()),
                Err(source) => Err(PublishError::OutputIsDamaged {
                    path: self.out,
                    source: Box::new(source),
                }),
            };
        }
        // It comes last, and is on the disk before the corpus has its name: what has no manifest does not open.
        let (hash_line, manifest) = (manifest.hash_line(), manifest.canonical_bytes());
        for (name, bytes) in [
            (MANIFEST_HASH_FILE, hash_line.into_bytes()),
            (MANIFEST_FILE, manifest),
        ] {
            let path = self.dir.join(name);
            fs::File::create_new(&path)
                .and_then(|mut file| {
                    file.write_all(&bytes)?;
                    file.sync_all()
                })
                .map_err(|e| PublishError::io("write", &path, e))?;
        }
        // Renaming onto an empty directory replaces it; onto one that was filled meanwhile it fails.
        fs::rename(&self.dir, &self.out)
            .map_err(|e| PublishError::io("move the finished corpus to", &self.out, e))?;
        // What is left of it is empty.
        drop(self.scratch);
        Ok(())
    }
}

/// The path that the finished corpus can be renamed to: an empty directory is replaced by it, so that nobody may be in
/// it and nothing may be mounted on it.
fn replaceable(out: &Path) -> Result<PathBuf, PublishError> {
    let refused = |problem| PublishError::OutputNotReplaceable {
        path: out.to_owned(),
        problem,
    };
    let real = match fs::canonicalize(out) {
        Ok(real) => real,
        // It is new. A trailing `/.` would be no name to rename to.
        Err(error) if error.kind() == io::ErrorKind::NotFound && out.file_name().is_some() => {
            return Ok(out.components().collect());
        }
        Err(error) => return Err(PublishError::io("find the directory", out, error)),
    };
    if env::current_dir().is_ok_and(|current| current == real) {
        return Err(refused("it is the working directory"));
    }
    let Some(parent) = real.parent() else {
        return Err(refused("it is the root of all directories"));
    };
    let device = |path: &Path| fs::metadata(path).map(|found| found.dev());
    let devices = device(&real).and_then(|own| Ok((own, device(parent)?)));
    match devices {
        Ok((own, above)) if own == above => Ok(real),
        Ok(_) => Err(refused("something is mounted there")),
        Err(error) => Err(PublishError::io("read the directory", out, error)),
    }
}

/// The manifest of the corpus that the output directory holds, if it holds one.
fn existing_manifest(out: &Path) -> Result<Option<Manifest>, PublishError> {
    let mut entries = match fs::read_dir(out) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(PublishError::io("read the directory", out, error)),
    };
    if entries.next().is_none() {
        return Ok(None);
    }
    let path = out.join(MANIFEST_FILE);
    let foreign = || PublishError::OutputNotEmpty { path: out.to_owned() };
    let length = fs::metadata(&path).map_err(|_| foreign())?.len();
    if length > MANIFEST_BYTES_MAX {
        return Err(foreign());
    }
    let bytes = fs::read(&path).map_err(|e| PublishError::io("read", &path, e))?;
    Manifest::parse(&bytes).map(Some).map_err(|_| foreign())
}
