//! How much room an installation needs, and where.
//!
//! `install` checks before it begins; `doctor` shows the same figures. The sizes were measured with the lock file of
//! this version; they are what the user is told and what the check demands.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{InstallPlan, Installer};
use crate::error::RuntimeError;
use crate::settings::Settings;

/// The environment, compiled files included (measured: 5.75e9 with pip, `CPython` 3.11 on `x86_64`).
pub(super) const INSTALLED_BYTES: u64 = 5_800_000_000;
/// All wheels (measured: 3.02e9).
pub(super) const DOWNLOAD_BYTES: u64 = 3_100_000_000;

/// What an installation takes where nothing is in a cache.
pub(crate) fn installed_and_download_bytes() -> u64 {
    INSTALLED_BYTES + DOWNLOAD_BYTES
}

/// The free bytes where a path is or would be.
pub(crate) fn free_bytes(path: &Path) -> Result<u64, RuntimeError> {
    let existing = existing_ancestor(path);
    let status = rustix::fs::statvfs(existing)
        .map_err(|error| RuntimeError::io("ask for the free space at", existing)(error.into()))?;
    Ok(status.f_bavail.saturating_mul(status.f_frsize))
}

/// Refuses to begin what cannot be finished.
pub(super) fn check(settings: &Settings, plan: &InstallPlan) -> Result<(), RuntimeError> {
    // Needs on the same disk add up.
    let mut needs: BTreeMap<u64, (PathBuf, u64)> = BTreeMap::new();
    for (path, bytes) in needed(settings, plan) {
        let existing = existing_ancestor(&path);
        let device = existing
            .metadata()
            .map_err(RuntimeError::io("look at", existing))?
            .dev();
        needs.entry(device).or_insert_with(|| (existing.to_owned(), 0)).1 += bytes;
    }
    for (path, needed_bytes) in needs.into_values() {
        let free_bytes = free_bytes(&path)?;
        if free_bytes < needed_bytes {
            return Err(RuntimeError::NotEnoughDisk {
                path,
                free_bytes,
                needed_bytes,
            });
        }
    }
    Ok(())
}

fn needed(settings: &Settings, plan: &InstallPlan) -> Vec<(PathBuf, u64)> {
    let directory = plan.directory.clone();
    match plan.installer {
        // The wheels as files that are deleted in the end, their copy in the cache, and what they unpack to.
        Installer::Pip => vec![
            (settings.temp_dir.clone(), DOWNLOAD_BYTES),
            (settings.cache_dir.clone(), DOWNLOAD_BYTES),
            (directory, INSTALLED_BYTES),
        ],
        // The cache holds what the wheels unpack to. On one disk the environment links to it, which takes only what
        // the compiled files take; on two it is a copy.
        Installer::Uv => {
            let cache = (settings.cache_dir.clone(), INSTALLED_BYTES);
            let device = |path: &Path| {
                existing_ancestor(path)
                    .metadata()
                    .map(|metadata| metadata.dev())
                    .ok()
            };
            let same_disk = device(&settings.cache_dir) == device(&directory);
            if same_disk {
                vec![cache]
            } else {
                vec![cache, (directory, INSTALLED_BYTES)]
            }
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

    fn plan(directory: PathBuf, installer: Installer) -> InstallPlan {
        InstallPlan {
            python: PathBuf::new(),
            python_version: String::new(),
            installer,
            directory,
            packages: 1,
            installed_bytes: INSTALLED_BYTES,
            download_bytes: DOWNLOAD_BYTES,
            free_bytes: 0,
        }
    }

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
        for installer in [Installer::Pip, Installer::Uv] {
            let error = check(&settings(data.path()), &plan("/proc/prism".into(), installer)).unwrap_err();
            let RuntimeError::NotEnoughDisk {
                path,
                free_bytes: 0,
                needed_bytes,
            } = error
            else {
                // The machine's own disk may be full, too; then that is said first.
                assert!(matches!(error, RuntimeError::NotEnoughDisk { .. }), "{error}");
                continue;
            };
            assert_eq!(
                (path.as_path(), needed_bytes),
                (Path::new("/proc"), INSTALLED_BYTES)
            );
        }
    }

    #[test]
    fn one_disk_needs_the_sum() {
        let data = tempfile::tempdir().unwrap();
        let settings = Settings {
            temp_dir: data.path().into(),
            ..settings(data.path())
        };
        let total = |installer| {
            needed(&settings, &plan(data.path().join("x"), installer))
                .iter()
                .map(|(_, bytes)| bytes)
                .sum::<u64>()
        };
        assert_eq!(total(Installer::Pip), INSTALLED_BYTES + 2 * DOWNLOAD_BYTES);
        assert_eq!(total(Installer::Uv), INSTALLED_BYTES);
    }
}
