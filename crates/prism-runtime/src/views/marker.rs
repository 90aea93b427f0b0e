//! What a complete set of views says of itself, and of what it was made from.
//!
//! `make` writes the marker last; `views` believes in nothing that has none. The fingerprint is computed anew each time
//! that views are asked for, and must cost a few milliseconds: it looks at the first level of each place where the
//! interpreter looks for modules, where an installer leaves its traces (a package's metadata has its version in its name),
//! and at each library of the system. It is no guard against somebody who may write there.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use prism_core::hash::Sha256Hash;
use serde::{Deserialize, Serialize};

use super::closure;
use super::make::Plans;
use crate::installed::write_marker;
use crate::locate::Runtime;

/// Its name in a set of views.
pub(super) const MARKER_FILE: &str = "prism-views.json";
/// Raised whenever views are made in another way.
const SCHEMA: u32 = 4;

/// What lies in [`MARKER_FILE`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Marker {
    schema: u32,
    pub(super) fingerprint: String,
    /// Files that come from outside of the interpreter's own places.
    pub(super) single: Vec<PathBuf>,
    /// Where things lie in the view of an answerer, without the first slash, and where they appear.
    pub(super) binds: Vec<(PathBuf, PathBuf)>,
    /// The same for the learner.
    pub(super) learner_binds: Vec<(PathBuf, PathBuf)>,
    /// The length of all files of one answerer's view, on the host.
    pub(super) bytes: u64,
}

impl Marker {
    pub(super) fn new(fingerprint: Sha256Hash, plans: &Plans) -> Self {
        Self {
            schema: SCHEMA,
            fingerprint: fingerprint.to_string(),
            single: plans.answerer.single.clone(),
            binds: plans.answerer.binds.clone(),
            learner_binds: plans.learner.binds.clone(),
            bytes: plans.answerer.bytes(),
        }
    }

    /// The marker of a directory, if it is complete and of this version.
    pub(super) fn read(directory: &Path) -> Option<Self> {
        let text = fs::read_to_string(directory.join(MARKER_FILE)).ok()?;
        let marker: Self = serde_json::from_str(&text).ok()?;
        (marker.schema == SCHEMA).then_some(marker)
    }

    /// Declares a directory complete, in one step that lasts.
    pub(super) fn write(&self, directory: &Path) -> io::Result<()> {
        write_marker(self, directory, MARKER_FILE)
    }

    /// Whether what it was made from is still the same.
    pub(super) fn is_of(&self, runtime: &Runtime) -> bool {
        self.fingerprint == fingerprint(runtime, &self.single).to_string()
    }
}

/// The fingerprint of an interpreter, its packages and the files of the system that a view has of it.
pub(super) fn fingerprint(runtime: &Runtime, single: &[PathBuf]) -> Sha256Hash {
    let mut bytes = Vec::from(SCHEMA.to_le_bytes());
    let versions = [&runtime.python_version, &runtime.torch_version];
    let others = [&runtime.numpy_version, &runtime.einops_version];
    for text in versions.into_iter().chain(others.into_iter().flatten()) {
        add(&mut bytes, text.as_bytes());
    }
    add(&mut bytes, runtime.python.as_os_str().as_bytes());
    for paths in [
        &runtime.search,
        &runtime.headers,
        &runtime.prefixes,
        &runtime.read_only_dirs,
    ] {
        bytes.extend((paths.len() as u64).to_le_bytes());
        for path in paths {
            add(&mut bytes, path.as_os_str().as_bytes());
        }
    }
    // Headers come with a compiler that is installed later.
    for place in runtime.search.iter().chain(&runtime.headers) {
        add_place(&mut bytes, place);
    }
    for path in single {
        add_file(&mut bytes, path);
    }
    for path in closure::opened_by_name() {
        add(&mut bytes, path.as_os_str().as_bytes());
    }
    Sha256Hash::of(&bytes)
}

fn add(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend((part.len() as u64).to_le_bytes());
    bytes.extend(part);
}

/// The first level of a directory.
fn add_place(bytes: &mut Vec<u8>, place: &Path) {
    let mut entries: Vec<_> = fs::read_dir(place).into_iter().flatten().flatten().collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    bytes.extend((entries.len() as u64).to_le_bytes());
    for entry in entries {
        let name = entry.file_name();
        add(bytes, name.as_bytes());
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        let is_description = name.as_bytes().ends_with(b"-info");
        if metadata.is_dir() && !is_description {
            // Compiled files that the interpreter itself writes change the time of a directory.
            bytes.extend(metadata.ino().to_le_bytes());
        } else {
            add_metadata(bytes, &metadata);
        }
    }
}

fn add_file(bytes: &mut Vec<u8>, path: &Path) {
    add(bytes, path.as_os_str().as_bytes());
    match path.symlink_metadata() {
        Ok(metadata) => add_metadata(bytes, &metadata),
        Err(_) => bytes.push(0),
    }
}

/// Not the number of the disk, which may be another one after each start of the machine.
fn add_metadata(bytes: &mut Vec<u8>, metadata: &Metadata) {
    bytes.push(1);
    bytes.extend(metadata.ino().to_le_bytes());
    bytes.extend(metadata.len().to_le_bytes());
    bytes.extend(metadata.mtime().to_le_bytes());
    bytes.extend(metadata.mtime_nsec().to_le_bytes());
}
