//! How much room an installation needs, and where.
//!
//! `install` checks before it begins; `doctor` shows the same figures. The sizes were measured with the lock file of
//! this version; they are what the user is told and what the check demands.

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::RuntimeError;
use crate::gigabytes;
use crate::installed;
use crate::settings::Settings;

/// The environment, compiled files included (measured: 5.73e9, `CPython` 3.11 on `x86_64`).
pub(super) const INSTALLED_BYTES: u64 = 5_800_000_000;
/// All wheels (measured: 3.02e9).
pub(super) const DOWNLOAD_BYTES: u64 = 3_100_000_000;

/// The copies of it for the processes that answer and the bare files of the learner (measured: 5.37e9 on the same machine),
/// unless the file system can share blocks between files.
pub(crate) const VIEWS_BYTES: u64 = 5_400_000_000;

/// With less than this free a disk is taken to be full: what is written between two looks at it does not fit.
const FULL_BYTES: u64 = 250_000_000;

/// What an installation needs on one disk while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskNeed {
    /// A directory on that disk.
    pub path: PathBuf,
    /// What must be free; where nothing is in a cache, no less will do.
    pub needed_bytes: u64,
    /// What is free.
    pub free_bytes: u64,
}

impl DiskNeed {
    /// Whether there is enough.
    pub fn is_met(&self) -> bool {
        self.free_bytes >= self.needed_bytes
    }
}

impl fmt::Display for DiskNeed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (needed, free) = (gigabytes(self.needed_bytes), gigabytes(self.free_bytes));
        write!(formatter, "{needed} in {} ({free} free)", self.path.display())
    }
}

/// The free bytes where a path is or would be.
pub(crate) fn free_bytes(path: &Path) -> Result<u64, RuntimeError> {
    let existing = existing_ancestor(path);
    let status = rustix::fs::statvfs(existing)
        .map_err(|error| RuntimeError::io("ask for the free space at", existing)(error.into()))?;
    Ok(status.f_bavail.saturating_mul(status.f_frsize))
}

/// What an installation needs: the figures that are announced, that `doctor` shows, and that [`check`] demands.
pub(crate) fn disk_needs(settings: &Settings) -> Result<Vec<DiskNeed>, RuntimeError> {
    let need = |path: &Path, needed_bytes| {
        Ok(DiskNeed {
            path: existing_ancestor(path).to_owned(),
            needed_bytes,
            free_bytes: free_bytes(path)?,
        })
    };
    let (runtime, cache) = (installed::parent(settings), &settings.cache_dir);
    let mut needs = vec![need(&runtime, INSTALLED_BYTES + VIEWS_BYTES)?];
    // The cache holds what the wheels unpack to. On one disk the environment links to it; on two it is a copy.
    if device(cache)? != device(&runtime)? {
        needs.push(need(cache, INSTALLED_BYTES)?);
    }
    Ok(needs)
}

/// Which of the places that an installation writes to is full, if one is.
pub(super) fn full(settings: &Settings) -> Option<PathBuf> {
    let places = [&settings.data_dir, &settings.cache_dir, &settings.temp_dir];
    let is_full = |path: &&&PathBuf| free_bytes(path).is_ok_and(|free| free < FULL_BYTES);
    places.iter().find(is_full).map(|path| (*path).clone())
}

/// Refuses to begin what cannot be finished.
pub(super) fn check(settings: &Settings) -> Result<(), RuntimeError> {
    match disk_needs(settings)?.into_iter().find(|need| !need.is_met()) {
        Some(DiskNeed {
            path,
            needed_bytes,
            free_bytes,
        }) => Err(RuntimeError::NotEnoughDisk {
            path,
            free_bytes,
            needed_bytes,
        }),
        None => Ok(()),
    }
}

fn device(path: &Path) -> Result<u64, RuntimeError> {
    let existing = existing_ancestor(path);
    let metadata = existing
        .metadata()
        .map_err(RuntimeError::io("look at", existing))?;
    Ok(metadata.dev())
}

fn existing_ancestor(path: &Path) -> &Path {
    path.ancestors()
        .find(|ancestor| ancestor.exists())
        .unwrap_or(Path::new("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::installed::tests::settings;

    #[test]
    fn a_path_that_does_not_exist_yet_has_the_room_of_its_disk() {
        let data = tempfile::tempdir().unwrap();
        let there = free_bytes(data.path()).unwrap();
        assert!(there > 0);
        free_bytes(&data.path().join("a/b/c")).unwrap();
        assert_eq!(existing_ancestor(&data.path().join("a/b")), data.path());
    }

    #[test]
    fn a_file_system_without_room_is_refused_by_name() {
        // procfs has no free space at all, on every machine.
        let data = tempfile::tempdir().unwrap();
        let settings = Settings {
            data_dir: "/proc/prism".into(),
            ..settings(data.path())
        };
        let needs = disk_needs(&settings).unwrap();
        let places: Vec<_> = needs.iter().map(ToString::to_string).collect();
        assert_eq!(places[0], "11.2 GB in /proc (0.0 GB free)");
        assert!(places[1].starts_with("5.8 GB in "), "the cache lies elsewhere");
        assert!(!needs[0].is_met());
        let error = check(&settings).unwrap_err();
        assert!(matches!(error, RuntimeError::NotEnoughDisk { .. }), "{error}");
        assert_eq!(full(&settings), Some("/proc/prism".into()));
    }

    #[test]
    fn a_cache_on_the_same_disk_takes_no_room_of_its_own() {
        let data = tempfile::tempdir().unwrap();
        let needs = disk_needs(&settings(data.path())).unwrap();
        assert_eq!(needs.len(), 1);
        assert_eq!(needs[0].needed_bytes, INSTALLED_BYTES + VIEWS_BYTES);
    }
}
