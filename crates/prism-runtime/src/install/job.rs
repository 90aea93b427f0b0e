//! An installation under way: from an empty place to a complete runtime, or to nothing.
//!
//! `install` has decided by then what to make, holds the turn, and has looked at the disk. Nothing but [`Job`] writes into
//! the directory of a runtime, and it declares that complete only as its last act.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::progress::Reader;
use super::{InstallEvent, InstallPlan, Installer, Phase, command, failure};
use crate::child::{self, Ending};
use crate::embedded;
use crate::env_vars;
use crate::error::RuntimeError;
use crate::installed::{self, Marker};
use crate::lockfile::Lock;
use crate::probe;

/// An installation under way.
pub(super) struct Job<'a> {
    pub(super) plan: &'a InstallPlan,
    pub(super) cache_dir: &'a Path,
    /// For the words of an error.
    pub(super) proxies: &'a [String],
    pub(super) turn: &'a File,
    pub(super) stop: &'a dyn Fn() -> bool,
}

impl Job<'_> {
    /// Makes the environment instead of what is there, or leaves nothing.
    pub(super) fn replace(
        &self,
        uv: Option<&Path>,
        lock: &Lock,
        on_event: &mut dyn FnMut(InstallEvent),
    ) -> Result<(), RuntimeError> {
        self.remove()?;
        let made = self.make(uv, lock, on_event);
        if made.is_err() {
            // Half an environment is of no use to anybody, and it is large.
            self.remove()?;
        }
        made
    }

    fn remove(&self) -> Result<(), RuntimeError> {
        let directory = &self.plan.directory;
        installed::remove(directory).map_err(RuntimeError::io("remove", directory))
    }

    /// Makes the environment in a directory that does not exist; the marker is the last thing that it writes.
    fn make(
        &self,
        uv: Option<&Path>,
        lock: &Lock,
        on_event: &mut dyn FnMut(InstallEvent),
    ) -> Result<(), RuntimeError> {
        let plan = self.plan;
        let total = lock.pins.len();
        let progress = |phase, done: usize, what| InstallEvent::Progress {
            phase,
            done: done.min(total),
            total,
            what,
        };
        on_event(progress(
            Phase::Environment,
            0,
            "making the environment".to_owned(),
        ));
        self.run(
            command::environment(plan),
            "making the environment",
            &mut |line| {
                on_event(InstallEvent::Line(line.to_owned()));
            },
        )?;

        let lock_path = plan.directory.join("runtime.lock.txt");
        fs::write(&lock_path, embedded::lock_text()).map_err(RuntimeError::io("write", &lock_path))?;
        let packages = match (plan.installer, uv) {
            (Installer::Uv, Some(uv)) => command::uv(uv, plan, &lock_path),
            (Installer::Uv, None) => return Err(RuntimeError::NoUv),
            (Installer::Pip, _) => command::pip(plan, &lock_path),
        };
        let mut reader = Reader::new(plan.installer);
        self.run(packages, "installing the packages", &mut |line| {
            on_event(InstallEvent::Line(line.to_owned()));
            if let Some((phase, done, what)) = reader.read(line) {
                on_event(progress(phase, done, what));
            }
        })?;

        on_event(progress(Phase::Check, total, "importing torch".to_owned()));
        installed::let_everybody_read(&plan.directory)
            .map_err(RuntimeError::io("let everybody read", &plan.directory))?;
        let torch = probe::try_torch(&installed::python(&plan.directory), self.stop)?;
        let torch = plain_version(&torch);
        let marker = Marker::new(
            embedded::lock_hash(),
            &plan.python_version,
            torch,
            plan.installer.name(),
        );
        marker
            .write(&plan.directory)
            .map_err(RuntimeError::io("complete", &plan.directory))
    }

    /// Runs one of the programs. It holds the turn as its standard input, which is empty: should this process be
    /// killed, nobody else begins before the program has ended, too.
    fn run(
        &self,
        mut command: Command,
        step: &'static str,
        on_line: &mut dyn FnMut(&str),
    ) -> Result<(), RuntimeError> {
        let program = PathBuf::from(command.get_program());
        let failed = || RuntimeError::io("start", &program);
        // Where both would look without this, too, unless there is no home directory.
        command.env(env_vars::XDG_CACHE_HOME, self.cache_dir);
        command.stdin(self.turn.try_clone().map_err(failed())?);
        let finished = child::run(command, None, self.stop, on_line).map_err(failed())?;
        match finished.ending {
            Ending::Exited(status) if status.success() => Ok(()),
            Ending::Exited(status) => Err(failure::classify(
                self.plan,
                step,
                status,
                &finished.tail,
                self.proxies,
            )),
            Ending::Stopped | Ending::TimedOut => Err(RuntimeError::Cancelled),
        }
    }
}

/// torch adds its build (`+cu132`) to the version that its package has.
fn plain_version(version: &str) -> &str {
    version.split('+').next().unwrap_or(version)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs::Permissions;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::super::{InstallRequest, Prepared, install, prepare, take_turn};
    use super::*;
    use crate::installed::tests::{settings, write_program};
    use crate::locate;
    use crate::locate::tests::{TORCH, fake_answer};
    use crate::settings::Settings;

    /// A directory with a program that is an interpreter, `venv`, `pip` and torch at once, and writes for its owner alone.
    /// `torch` is what it does when torch is imported.
    fn fake_python(torch: &str) -> tempfile::TempDir {
        let programs = tempfile::tempdir().unwrap();
        let script = format!(
            "#!/bin/sh\numask 077\ncase \"$*\" in\n\
             *'-m venv'*) for last; do :; done; mkdir -p \"$last/bin\" && cp \"$0\" \"$last/bin/python\" ;;\n\
             *'-m pip'*) mkdir \"${{0%/bin/python}}/lib\" && : > \"${{0%/bin/python}}/lib/torch.py\" ;;\n\
             *'import json, torch'*) {torch} ;;\n\
             *) echo '{}' ;;\nesac\n",
            fake_answer(programs.path(), [3, 11])
        );
        let python = programs.path().join("bin/python");
        fs::create_dir(programs.path().join("bin")).unwrap();
        write_program(&python, &script);
        fs::set_permissions(programs.path(), Permissions::from_mode(0o755)).unwrap();
        std::os::unix::fs::symlink(&python, programs.path().join("python3.11")).unwrap();
        programs
    }

    /// Everything of [`install`] that comes after the look at the disk, which may be too small for the real packages.
    fn replace(
        settings: &Settings,
        stop: &dyn Fn() -> bool,
        on_event: &mut dyn FnMut(InstallEvent),
    ) -> Result<PathBuf, RuntimeError> {
        let Prepared { plan, uv, lock } = prepare(settings, &InstallRequest::default())?;
        let parent = installed::parent(settings);
        fs::create_dir_all(&parent).unwrap();
        let job = Job {
            plan: &plan,
            cache_dir: &settings.cache_dir,
            proxies: &settings.proxies,
            turn: &take_turn(&parent, stop, on_event)?,
            stop,
        };
        job.replace(uv.as_deref(), &lock, on_event)?;
        locate::locked_at(settings, &plan.directory).map(|runtime| runtime.python)
    }

    fn with_programs(programs: &Path, data_dir: &Path) -> Settings {
        Settings {
            path: programs.into(),
            is_root: true,
            ..settings(data_dir)
        }
    }

    #[test]
    fn a_runtime_that_is_broken_is_replaced_by_one_that_is_kept() {
        let (data, programs) = (
            tempfile::tempdir().unwrap(),
            fake_python(&format!("echo 'PRISM-PROBE \"{TORCH}\"'")),
        );
        let settings = with_programs(programs.path(), data.path());
        // What an interpreter that is gone has left: it is newer than the one that there is now.
        let broken = installed::directory(&settings, embedded::lock_hash(), (3, 13));
        fs::create_dir_all(&broken).unwrap();
        Marker::new(embedded::lock_hash(), "3.13.0", TORCH, "pip")
            .write(&broken)
            .unwrap();
        assert!(matches!(
            locate::locked(&settings),
            Err(RuntimeError::Broken { .. })
        ));
        let python = replace(&settings, &|| false, &mut |_| {}).unwrap();
        assert!(
            python.ends_with(PathBuf::from_iter([
                installed::directory(&settings, embedded::lock_hash(), (3, 11))
                    .file_name()
                    .unwrap(),
                "bin/python".as_ref(),
            ]))
        );
        // From here on it is found, and nothing is made again.
        assert_eq!(locate::locked(&settings).unwrap().python, python);
        let made = fs::metadata(&python).unwrap().ino();
        let mut events = Vec::new();
        let again = install(&settings, &InstallRequest::default(), &|| false, &mut |event| {
            events.push(event);
        });
        assert_eq!((again.unwrap().python, events), (python.clone(), Vec::new()));
        assert_eq!(fs::metadata(&python).unwrap().ino(), made);
    }

    #[test]
    fn everybody_may_read_a_runtime_that_was_made_for_its_owner_alone() {
        let (data, programs) = (
            tempfile::tempdir().unwrap(),
            fake_python(&format!("echo 'PRISM-PROBE \"{TORCH}\"'")),
        );
        let settings = with_programs(programs.path(), data.path());
        let python = replace(&settings, &|| false, &mut |_| {}).unwrap();
        let directory = installed::directory(&settings, embedded::lock_hash(), (3, 11));
        for (path, mode) in [
            (directory.clone(), 0o755),
            (directory.join("lib"), 0o755),
            (directory.join("lib/torch.py"), 0o644),
            (python, 0o755),
        ] {
            let found = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            assert_eq!(found, mode, "{path:?}: {found:o}");
        }
    }

    #[test]
    fn the_import_of_torch_can_be_stopped_and_leaves_nothing() {
        let (data, programs) = (tempfile::tempdir().unwrap(), fake_python("exec sleep 60"));
        let settings = with_programs(programs.path(), data.path());
        let importing = Cell::new(false);
        let stopped = replace(&settings, &|| importing.get(), &mut |event| {
            if let InstallEvent::Progress {
                phase: Phase::Check, ..
            } = event
            {
                importing.set(true);
            }
        });
        assert!(matches!(stopped, Err(RuntimeError::Cancelled)), "{stopped:?}");
        assert!(importing.get());
        assert!(!crate::is_installed(&settings));
        assert!(!installed::directory(&settings, embedded::lock_hash(), (3, 11)).exists());
    }

    #[test]
    fn the_build_is_no_part_of_the_packages_version() {
        assert_eq!(plain_version("2.15.0+cu132"), "2.15.0");
        assert_eq!(plain_version("2.15.0"), "2.15.0");
    }
}
