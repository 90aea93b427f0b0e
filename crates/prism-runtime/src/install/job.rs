//! An installation under way: from an empty place to a complete runtime, or to nothing.
//!
//! `install` has decided by then what to make, holds the turn, and has looked at the disk. Nothing but [`Job`] writes into
//! the directory of a runtime, and it declares that complete only as its last act.

use std::cell::RefCell;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{InstallEvent, InstallPlan, Step, command, disk, failure};
use crate::child::{self, Ending};
use crate::embedded;
use crate::env_vars;
use crate::error::RuntimeError;
use crate::installed::{self, Marker};
use crate::probe;
use crate::settings::Settings;

/// An installation under way.
pub(super) struct Job<'a> {
    pub(super) settings: &'a Settings,
    pub(super) plan: &'a InstallPlan,
    /// The packages.
    pub(super) lock: &'a str,
    pub(super) turn: &'a File,
    pub(super) stop: &'a dyn Fn() -> bool,
}

impl Job<'_> {
    /// Makes the environment instead of what is there, or leaves nothing.
    pub(super) fn replace(&self, on_event: &mut dyn FnMut(InstallEvent)) -> Result<(), RuntimeError> {
        self.remove()?;
        let made = self.make(on_event);
        if made.is_err() {
            // Half an environment is of no use to anybody, and it is large. What uv has fetched stays in its cache.
            self.remove()?;
        }
        made
    }

    fn remove(&self) -> Result<(), RuntimeError> {
        let directory = &self.plan.directory;
        installed::remove(directory).map_err(RuntimeError::io("remove", directory))
    }

    /// Makes the environment in a directory that does not exist; the marker is the last thing that it writes.
    fn make(&self, on_event: &mut dyn FnMut(InstallEvent)) -> Result<(), RuntimeError> {
        let InstallPlan {
            python, directory, ..
        } = self.plan;
        self.run(
            Step::Environment,
            command::environment(python, directory),
            on_event,
        )?;
        self.run(Step::Uv, command::pip(python, directory), on_event)?;
        let tools = command::tools(directory);
        let lock = write(&tools.join("installer.lock.txt"), embedded::installer_lock_text())?;
        self.run(Step::Uv, command::fetch_uv(directory, &lock), on_event)?;
        let lock = write(&directory.join("runtime.lock.txt"), self.lock)?;
        self.run(Step::Packages, command::packages(directory, &lock), on_event)?;
        fs::remove_dir_all(&tools).map_err(RuntimeError::io("remove", &tools))?;

        on_event(InstallEvent::Step(Step::Check));
        installed::let_everybody_read(directory)
            .map_err(RuntimeError::io("let everybody read", directory))?;
        let torch = probe::try_torch(&installed::python(directory), self.stop)?;
        let torch = plain_version(&torch);
        let marker = Marker::new(embedded::lock_hash(), &self.plan.python_version, torch);
        marker
            .write(directory)
            .map_err(RuntimeError::io("complete", directory))
    }

    /// Runs one of the programs. It holds the turn as its standard input, which is empty: should this process be
    /// killed, nobody else begins before the program has ended, too.
    fn run(
        &self,
        step: Step,
        mut command: Command,
        on_event: &mut dyn FnMut(InstallEvent),
    ) -> Result<(), RuntimeError> {
        on_event(InstallEvent::Step(step));
        let program = PathBuf::from(command.get_program());
        let failed = || RuntimeError::io("start", &program);
        // Where both would look without this, too, unless there is no home directory.
        command.env(env_vars::XDG_CACHE_HOME, &self.settings.cache_dir);
        command.stdin(self.turn.try_clone().map_err(failed())?);
        // Looked at meanwhile, since an installer that fails for want of room first makes some.
        let full = RefCell::new(None);
        let stop = || {
            let mut full = full.borrow_mut();
            *full = full.take().or_else(|| disk::full(self.settings));
            (self.stop)()
        };
        let finished = child::run(command, None, &stop, &mut |line| {
            on_event(InstallEvent::Line(line.to_owned()));
        });
        let finished = finished.map_err(failed())?;
        match finished.ending {
            Ending::Exited(status) if status.success() => Ok(()),
            Ending::Exited(status) => Err(failure::explain(
                step,
                status,
                finished.tail,
                full.into_inner(),
                &self.settings.proxies,
            )),
            Ending::Stopped | Ending::TimedOut => Err(RuntimeError::Cancelled),
        }
    }
}

fn write(path: &Path, text: &str) -> Result<PathBuf, RuntimeError> {
    fs::write(path, text).map_err(RuntimeError::io("write", path))?;
    Ok(path.to_owned())
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

    use super::super::{install, plan, take_turn};
    use super::*;
    use crate::installed::tests::{settings, write_program};
    use crate::locate;
    use crate::locate::tests::{TORCH, fake_answer};

    /// A directory with a program that is an interpreter, `venv`, `pip`, `uv` and torch at once, and writes for its owner
    /// alone. `uv` is what it does when uv is started, `torch` when torch is imported.
    fn fake_python(uv: &str, torch: &str) -> tempfile::TempDir {
        let programs = tempfile::tempdir().unwrap();
        let script = format!(
            "#!/bin/sh\numask 077\nhere=\"${{0%/bin/python}}\"\ncase \"$*\" in\n\
             *'bin/uv pip install'*) here=\"${{here%/installer}}\"; {uv} ;;\n\
             *'-m venv'*) for last; do :; done; mkdir -p \"$last/bin\" && cp \"$0\" \"$last/bin/python\" ;;\n\
             *'-m pip install'*) : > \"$here/bin/uv\" ;;\n\
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

    const UV_WORKS: &str =
        "test -e \"$here/installer/bin/uv\" && mkdir \"$here/lib\" && : > \"$here/lib/torch.py\"";

    fn torch_works() -> String {
        format!("echo 'PRISM-PROBE \"{TORCH}\"'")
    }

    /// Everything of [`install`] that comes after the look at the disk, which may be too small for the real packages.
    fn replace(
        settings: &Settings,
        stop: &dyn Fn() -> bool,
        on_event: &mut dyn FnMut(InstallEvent),
    ) -> Result<PathBuf, RuntimeError> {
        let plan = plan(settings)?;
        let parent = installed::parent(settings);
        fs::create_dir_all(&parent).unwrap();
        let job = Job {
            settings,
            plan: &plan,
            lock: embedded::lock_text(),
            turn: &take_turn(&parent, stop, on_event)?,
            stop,
        };
        job.replace(on_event)?;
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
            fake_python(UV_WORKS, &torch_works()),
        );
        let settings = with_programs(programs.path(), data.path());
        // What an interpreter that is gone has left: it is newer than the one that there is now.
        let broken = installed::directory(&settings, embedded::lock_hash(), (3, 13));
        fs::create_dir_all(&broken).unwrap();
        Marker::new(embedded::lock_hash(), "3.13.0", TORCH)
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
        let again = install(&settings, false, &|| false, &mut |event| {
            events.push(event);
        });
        assert_eq!((again.unwrap().python, events), (python.clone(), Vec::new()));
        assert_eq!(fs::metadata(&python).unwrap().ino(), made);
    }

    #[test]
    fn everybody_may_read_a_runtime_that_was_made_for_its_owner_alone() {
        let (data, programs) = (
            tempfile::tempdir().unwrap(),
            fake_python(UV_WORKS, &torch_works()),
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
        let (data, programs) = (
            tempfile::tempdir().unwrap(),
            fake_python(UV_WORKS, "exec sleep 60"),
        );
        let settings = with_programs(programs.path(), data.path());
        let importing = Cell::new(false);
        let stopped = replace(&settings, &|| importing.get(), &mut |event| {
            if event == InstallEvent::Step(Step::Check) {
                importing.set(true);
            }
        });
        assert!(matches!(stopped, Err(RuntimeError::Cancelled)), "{stopped:?}");
        assert!(importing.get());
        assert!(!crate::is_installed(&settings));
        assert!(!installed::directory(&settings, embedded::lock_hash(), (3, 11)).exists());
    }

    #[test]
    fn what_uv_says_of_its_failure_is_shown_whole_and_nothing_is_left() {
        let (data, programs) = (
            tempfile::tempdir().unwrap(),
            fake_python("echo a; printf 'b\\033[2J\\n  c\\n' >&2; exit 2", &torch_works()),
        );
        let settings = with_programs(programs.path(), data.path());
        let error = replace(&settings, &|| false, &mut |_| {}).unwrap_err();
        assert_eq!(error.code(), "runtime_step_failed");
        let text = error.to_string();
        assert!(
            text.starts_with("installing the packages failed (exit status: 2); "),
            "{text}"
        );
        assert!(text.contains("\nb [2J\n  c"), "{text}");
        assert!(!installed::directory(&settings, embedded::lock_hash(), (3, 11)).exists());
        assert!(!crate::is_installed(&settings));
    }

    #[test]
    fn a_disk_that_was_full_meanwhile_is_named() {
        let (data, programs) = (
            tempfile::tempdir().unwrap(),
            fake_python("exit 2", &torch_works()),
        );
        let settings = Settings {
            // procfs has no free space at all.
            cache_dir: "/proc/prism".into(),
            ..with_programs(programs.path(), data.path())
        };
        let error = replace(&settings, &|| false, &mut |_| {}).unwrap_err();
        assert_eq!(error.code(), "runtime_disk_full");
        assert!(error.to_string().contains(":\n/proc/prism was full"), "{error}");
    }

    #[test]
    fn uv_is_gone_when_it_has_done_its_work() {
        let (data, programs) = (
            tempfile::tempdir().unwrap(),
            fake_python(UV_WORKS, &torch_works()),
        );
        let settings = with_programs(programs.path(), data.path());
        let mut steps = Vec::new();
        replace(&settings, &|| false, &mut |event| {
            if let InstallEvent::Step(step) = event {
                steps.push(step);
            }
        })
        .unwrap();
        assert_eq!(
            steps,
            [Step::Environment, Step::Uv, Step::Uv, Step::Packages, Step::Check]
        );
        let directory = installed::directory(&settings, embedded::lock_hash(), (3, 11));
        assert!(!command::tools(&directory).exists());
        assert_eq!(
            fs::read_to_string(directory.join("runtime.lock.txt")).unwrap(),
            embedded::lock_text()
        );
    }

    #[test]
    fn the_build_is_no_part_of_the_packages_version() {
        assert_eq!(plain_version("2.15.0+cu132"), "2.15.0");
        assert_eq!(plain_version("2.15.0"), "2.15.0");
    }
}
