//! How much room an installation needs, and where.
//!
//! `install` checks before it begins; `doctor` shows the same figures. The sizes were measured with the lock file of
//! this version; they are what the user is told and what the check demands.

use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Installer;
use crate::error::RuntimeError;
use crate::gigabytes;
use crate::installed;
use crate::settings::Settings;

/// The environment, compiled files included (measured: 5.75e9 with pip, `CPython` 3.11 on `x86_64`).
pub(super) const INSTALLED_BYTES: u64 = 5_800_000_000;
/// All wheels (measured: 3.02e9).
pub(super) const DOWNLOAD_BYTES: u64 = 3_100_000_000;

/// The copies of it for the processes that answer (measured: 4.94e9 on the same machine), unless the file system can share
/// blocks between files.
pub(crate) const VIEWS_BYTES: u64 = 5_000_000_000;

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
pub(crate) fn disk_needs(settings: &Settings, installer: Installer) -> Result<Vec<DiskNeed>, RuntimeError> {
    // Needs on the same disk add up, but for what is gone before the next one begins.
    let mut needs: BTreeMap<u64, (PathBuf, u64, u64)> = BTreeMap::new();
    for need in needed(settings, installer) {
        let existing = existing_ancestor(&need.path);
        let device = existing
            .metadata()
            .map_err(RuntimeError::io("look at", existing))?
            .dev();
        let (_, installing, copying) = needs.entry(device).or_insert_with(|| (existing.to_owned(), 0, 0));
        *installing += need.installing_bytes;
        *copying += need.copying_bytes;
    }
    let with_free = |(path, installing, copying): (PathBuf, u64, u64)| {
        let free_bytes = free_bytes(&path)?;
        Ok(DiskNeed {
            path,
            needed_bytes: installing.max(copying),
            free_bytes,
        })
    };
    needs.into_values().map(with_free).collect()
}

/// Refuses to begin what cannot be finished.
pub(super) fn check(settings: &Settings, installer: Installer) -> Result<(), RuntimeError> {
    match disk_needs(settings, installer)?
        .into_iter()
        .find(|need| !need.is_met())
    {
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

/// What takes room at a place: while the packages are installed, and then while the copies are made.
struct Need {
    path: PathBuf,
    installing_bytes: u64,
    copying_bytes: u64,
}

fn needed(settings: &Settings, installer: Installer) -> Vec<Need> {
    let need = |path: PathBuf, installing_bytes, copying_bytes| Need {
        path,
        installing_bytes,
        copying_bytes,
    };
    let runtime = need(
        installed::parent(settings),
        INSTALLED_BYTES,
        INSTALLED_BYTES + VIEWS_BYTES,
    );
    match installer {
        // The wheels as files that are deleted in the end, their copy in the cache, and what they unpack to.
        Installer::Pip => vec![
            runtime,
            need(settings.temp_dir.clone(), DOWNLOAD_BYTES, 0),
            need(settings.cache_dir.clone(), DOWNLOAD_BYTES, DOWNLOAD_BYTES),
        ],
        // The cache holds what the wheels unpack to. On one disk the environment links to it, which takes only what
        // the compiled files take; on two it is a copy.
        Installer::Uv => {
            let device = |path: &Path| {
                existing_ancestor(path)
                    .metadata()
                    .map(|metadata| metadata.dev())
                    .ok()
            };
            let same_disk = device(&settings.cache_dir) == device(&runtime.path);
            let mut needed = vec![runtime];
            if !same_disk {
                needed.push(need(settings.cache_dir.clone(), INSTALLED_BYTES, INSTALLED_BYTES));
            }
            needed
        }
    }
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
        for installer in [Installer::Pip, Installer::Uv] {
            let needs = disk_needs(&settings, installer).unwrap();
            let need = needs.iter().find(|need| need.path == Path::new("/proc")).unwrap();
            assert_eq!(
                (need.needed_bytes, need.free_bytes),
                (INSTALLED_BYTES + VIEWS_BYTES, 0)
            );
            assert!(!need.is_met());
            assert_eq!(need.to_string(), "10.8 GB in /proc (0.0 GB free)");
            let error = check(&settings, installer).unwrap_err();
            assert!(matches!(error, RuntimeError::NotEnoughDisk { .. }), "{error}");
        }
    }

    #[test]
    fn what_is_announced_is_what_is_demanded() {
        let data = tempfile::tempdir().unwrap();
        let settings = Settings {
            temp_dir: data.path().into(),
            ..settings(data.path())
        };
        let needed = |installer| {
            let needs = disk_needs(&settings, installer).unwrap();
            assert_eq!(needs.len(), 1, "all of it is on one disk");
            needs[0].needed_bytes
        };
        // The wheels' files are gone when the copies are made, and take less.
        let with_views = INSTALLED_BYTES + VIEWS_BYTES;
        assert_eq!(needed(Installer::Pip), with_views + DOWNLOAD_BYTES);
        assert_eq!(needed(Installer::Uv), with_views);
    }
}
